"""What a signer has, made of software: a passkey that signs intents, and a code generator."""

import hashlib
import json
import secrets

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.utils import websafe_encode
from fido2.webauthn import AuthenticatorData, CollectedClientData

from tests.people.signing_in import code_at
from tests.people.soft_passkey import SoftPasskey

FLAG = AuthenticatorData.FLAG
ES256 = ec.ECDSA(hashes.SHA256())


class SigningPasskey(SoftPasskey):
    """One that counts its signatures; ``answer`` may also go wrong in all the ways it could."""

    def __init__(self, *, counter=0, **more):
        super().__init__(**more)
        self.counter = counter

    def made_for(self, person, *, name="Laptop"):
        """Register it as the account page would; returns the Authenticator."""
        user = {"id": websafe_encode(str(person.pk).encode())}
        asked = {"user": user, "challenge": websafe_encode(secrets.token_bytes(32))}
        return Authenticator.objects.create(
            user=person,
            type=Authenticator.Type.WEBAUTHN,
            data={"name": name, "credential": self.create({"publicKey": asked})},
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
        self.counter += counts
        client = CollectedClientData.create(
            kind, challenge, origin or self.origin, cross_origin=cross_origin
        )
        flags = FLAG.UP | FLAG.UV if verified else FLAG.UP
        rp_id_hash = hashlib.sha256((rp_id or self.rp_id).encode()).digest()
        data = AuthenticatorData.create(rp_id_hash, flags, self.counter)
        return self._plain(
            {
                "clientDataJSON": websafe_encode(client),
                "authenticatorData": websafe_encode(data),
                "signature": websafe_encode(self.key.sign(data + client.hash, ES256)),
                "userHandle": self.user_handle,
            },
            {},
        )

    def answer_to_page(self, page, **how):
        """Answer what the page of a ceremony asks; as text, for its hidden field."""
        options = json.loads(page.context["options"])
        return json.dumps(self.answer(options["challenge"], **how))

    def _data(self, attested=b""):
        data = super()._data(attested)
        return AuthenticatorData.create(data.rp_id_hash, data.flags, self.counter, attested)


class CodeGenerator:
    """A code generator app: ``made_for`` connects it to a person, ``code`` is what it shows."""

    def __init__(self):
        self.secret = generate_totp_secret()

    def made_for(self, person):
        return TOTP.activate(person, self.secret).instance

    def code(self, at):
        return code_at(self.secret, at)

    def wrong_code(self, at):
        """Six digits that it shows neither now nor close by."""
        shown = {code_at(self.secret, at, steps=steps) for steps in (-2, -1, 0, 1)}
        return next(code for number in range(10) if (code := f"{number:06d}") not in shown)
