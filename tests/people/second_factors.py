"""A passkey and a code generator made of software, for tests of who proves what."""

import hashlib
import json
import secrets

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
)
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

from people.factors import CODE_SECONDS

FLAG = AuthenticatorData.FLAG


class SoftPasskey:
    """A WebAuthn authenticator: ``made_for`` gives it to a person, ``answer`` signs a challenge."""

    def __init__(self, *, rp_id="localhost", origin="http://localhost", counter=0):
        self.rp_id, self.origin, self.counter = rp_id, origin, counter
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.credential_id = secrets.token_bytes(32)

    def made_for(self, person, *, name="Laptop"):
        """Register it as the browser and the account page would; returns the Authenticator."""
        credential = AttestedCredentialData.create(
            Aaguid.NONE, self.credential_id, ES256.from_cryptography_key(self.key.public_key())
        )
        data = self._data(FLAG.UP | FLAG.UV | FLAG.AT, credential)
        client_data = CollectedClientData.create("webauthn.create", b"x" * 32, self.origin)
        return Authenticator.objects.create(
            user=person,
            type=Authenticator.Type.WEBAUTHN,
            data={
                "name": name,
                "credential": {
                    "type": "public-key",
                    "id": websafe_encode(self.credential_id),
                    "rawId": websafe_encode(self.credential_id),
                    "response": {
                        "clientDataJSON": websafe_encode(client_data),
                        "attestationObject": websafe_encode(
                            AttestationObject.create("none", data, {})
                        ),
                    },
                    "clientExtensionResults": {"credProps": {"rk": True}},
                },
            },
        )

    def answer(
        self,
        challenge,
        *,
        kind="webauthn.get",
        origin=None,
        rp_id=None,
        verified=True,
        counts=True,
        cross_origin=False,
    ):
        """The browser's JSON answer to ``challenge`` (bytes, or base64url as in the options)."""
        if isinstance(challenge, str):
            challenge = websafe_decode(challenge)
        if counts:
            self.counter += 1
        data = self._data(FLAG.UP | (FLAG.UV if verified else FLAG(0)), rp_id=rp_id)
        client_data = CollectedClientData.create(
            kind, challenge, origin or self.origin, cross_origin=cross_origin
        )
        signature = self.key.sign(data + client_data.hash, ec.ECDSA(hashes.SHA256()))
        return {
            "type": "public-key",
            "id": websafe_encode(self.credential_id),
            "rawId": websafe_encode(self.credential_id),
            "response": {
                "clientDataJSON": websafe_encode(client_data),
                "authenticatorData": websafe_encode(data),
                "signature": websafe_encode(signature),
                "userHandle": None,
            },
            "clientExtensionResults": {},
        }

    def answer_to_page(self, page, **how):
        """Answer what the page of a ceremony asks; as text, for its hidden field."""
        options = json.loads(page.context["options"])
        return json.dumps(self.answer(options["challenge"], **how))

    def _data(self, flags, credential=b"", rp_id=None):
        rp_id_hash = hashlib.sha256((rp_id or self.rp_id).encode()).digest()
        return AuthenticatorData.create(rp_id_hash, flags, self.counter, credential)


class SoftCodeGenerator:
    """A code generator app: ``made_for`` connects it to a person, ``code`` is what it shows."""

    def __init__(self):
        self.secret = generate_totp_secret()

    def made_for(self, person):
        return TOTP.activate(person, self.secret).instance

    def code(self, at, *, steps=0):
        step = int(at.timestamp()) // CODE_SECONDS + steps
        return format_hotp_value(hotp_value(self.secret, step))

    def wrong_code(self, at):
        """Six digits that it shows neither now nor close by."""
        shown = {self.code(at, steps=steps) for steps in (-2, -1, 0, 1)}
        return next(code for number in range(10) if (code := f"{number:06d}") not in shown)
