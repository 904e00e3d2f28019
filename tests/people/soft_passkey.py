"""A passkey in software: it answers what a browser would, without one."""

import hashlib
import json
import secrets

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestedCredentialData, AuthenticatorData

HERE = "localhost"
ORIGIN = "http://localhost"


class SoftPasskey:
    """One key for one address. ``verifies`` is whether it asks for a PIN, finger or face."""

    def __init__(self, *, rp_id=HERE, origin=ORIGIN, verifies=True):
        self.rp_id, self.origin, self.verifies = rp_id, origin, verifies
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.credential_id = secrets.token_bytes(16)
        self.user_handle = None

    def create(self, options, *, resident=True):
        """The browser's answer to ``navigator.credentials.create``, as passkeys.js sends it."""
        asked = options["publicKey"]
        self.user_handle = asked["user"]["id"]
        attested = AttestedCredentialData.create(
            b"\0" * 16, self.credential_id, ES256.from_cryptography_key(self.key.public_key())
        )
        data = self._data(attested)
        attestation = cbor.encode({"fmt": "none", "attStmt": {}, "authData": bytes(data)})
        return self._plain(
            {
                "clientDataJSON": self._client("webauthn.create", asked["challenge"]),
                "attestationObject": websafe_encode(attestation),
            },
            {"credProps": {"rk": resident}},
        )

    def get(self, options):
        """The browser's answer to ``navigator.credentials.get``."""
        client = self._client("webauthn.get", options["publicKey"]["challenge"])
        raw = self._raw(client)
        data = bytes(self._data())
        signature = self.key.sign(data + hashlib.sha256(raw).digest(), ec.ECDSA(hashes.SHA256()))
        return self._plain(
            {
                "clientDataJSON": client,
                "authenticatorData": websafe_encode(data),
                "signature": websafe_encode(signature),
                "userHandle": self.user_handle,
            },
            {},
        )

    def _data(self, attested=b""):
        flags = AuthenticatorData.FLAG.UP
        if self.verifies:
            flags |= AuthenticatorData.FLAG.UV
        if attested:
            flags |= AuthenticatorData.FLAG.AT
        rp_hash = hashlib.sha256(self.rp_id.encode()).digest()
        return AuthenticatorData.create(rp_hash, flags, 0, attested)

    def _client(self, kind, challenge):
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return websafe_encode(json.dumps(said).encode())

    @staticmethod
    def _raw(encoded):
        from fido2.utils import websafe_decode

        return websafe_decode(encoded)

    def _plain(self, response, extensions):
        named = websafe_encode(self.credential_id)
        return {
            "type": "public-key",
            "id": named,
            "rawId": named,
            "authenticatorAttachment": "platform",
            "response": response,
            "clientExtensionResults": extensions,
        }
