"""The seal's key in a hardware security module (PKCS#11): it signs there and never leaves it.

Optional: needs the package python-pkcs11 and the module's own library.
Only the seal may lie there; the authority's key is needed for each one-shot certificate.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from sealing.errors import KeysUnusable


@dataclass(frozen=True)
class Token:
    """Where the seal's key is: the module's library, labels of token and key, and the PIN."""

    module: str
    token_label: str
    pin: str = field(repr=False)
    key_label: str


@dataclass(frozen=True)
class TokenKey:
    """An EC P-256 key in a token, as far as sealing asks of a key.

    Each signature opens a session of its own and closes it: workers divide themselves into
    processes, which must not share one.
    """

    token: Token

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """Read the public half; KeysUnusable says what is missing."""
        from pkcs11 import ObjectClass
        from pkcs11.util.ec import encode_ec_public_key

        with _session(self.token) as session:
            found = _key(session, ObjectClass.PUBLIC_KEY, self.token.key_label)
            public = load_der_public_key(encode_ec_public_key(found))
        if not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name != "secp256r1":
            raise KeysUnusable("The token's key is not an EC key on P-256.")
        return public

    def sign(self, data: bytes, algorithm: ec.ECDSA) -> bytes:
        """Give the DER signature over `data` (SHA-256), as `cryptography`'s keys do."""
        from pkcs11 import Mechanism, ObjectClass
        from pkcs11.util.ec import encode_ecdsa_signature

        if not isinstance(algorithm.algorithm, hashes.SHA256):
            raise KeysUnusable("Only SHA-256 is used.")
        digest = hashes.Hash(hashes.SHA256())
        digest.update(data)
        with _session(self.token) as session:
            key = _key(session, ObjectClass.PRIVATE_KEY, self.token.key_label)
            return bytes(
                encode_ecdsa_signature(key.sign(digest.finalize(), mechanism=Mechanism.ECDSA))
            )


def make_token_key(token: Token) -> TokenKey:
    """Make the seal's key inside the token, not to be read out; KeysUnusable if there is one."""
    from pkcs11 import Attribute, KeyType, ObjectClass
    from pkcs11.util.ec import encode_named_curve_parameters

    with _session(token, writing=True) as session:
        if list(session.get_objects({Attribute.LABEL: token.key_label})):
            raise KeysUnusable(f"The token has a key {token.key_label!r} already.")
        parameters = session.create_domain_parameters(
            KeyType.EC,
            {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")},
            local=True,
        )
        parameters.generate_keypair(
            store=True,
            label=token.key_label,
            private_template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False},
        )
        _key(session, ObjectClass.PRIVATE_KEY, token.key_label)
    return TokenKey(token)


def _session(token: Token, *, writing: bool = False) -> Any:
    try:
        import pkcs11
    except ImportError as error:
        raise KeysUnusable(
            "The seal's key is in a token (PKCS11_MODULE), and python-pkcs11 is not installed."
        ) from error
    try:
        found = pkcs11.lib(token.module).get_token(token_label=token.token_label)
        return found.open(user_pin=token.pin, rw=writing)
    except (pkcs11.PKCS11Error, RuntimeError) as error:
        reason = str(error) or type(error).__name__
        raise KeysUnusable(f"The token {token.token_label!r} does not open: {reason}.") from error


def _key(session: Any, kind: Any, label: str) -> Any:
    import pkcs11

    try:
        return session.get_key(object_class=kind, label=label)
    except pkcs11.PKCS11Error as error:
        raise KeysUnusable(f"The token has no key {label!r}.") from error
