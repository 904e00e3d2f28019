"""Does the kept evidence of a signature still prove what it says? Judged offline, from it alone.

A passkey signed the SHA-256 of what was meant; an issuer of single sign-on repeated such a SHA-256
in an ID token that it signed. Either can be checked years later by anybody who has the evidence,
and neither could have been made by the registry. Password and code leave nothing of the kind.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sealing.canonical import canonical_json

# What the challenge and the record beside it must say alike: name there, name in the record.
_SAME = {
    "appointment_ids": "appointment_ids",
    "conflict_declared": "conflict_declared",
    "consent_version": "consent_version",
    "content_sha256": "content_sha256",
    "meaning": "meaning",
    "nonce": "intent",
    "person_id": "person_id",
    "reservation": "reservation",
    "signing_copy_sha256": "signing_copy_sha256",
}
_PRESENT_AND_VERIFIED = 0b101  # flags of WebAuthn: user present, user verified
# What parsers of base64, CBOR, JSON, keys and tokens raise for what is no evidence.
_MADE_UP = (ValueError, TypeError, LookupError, AttributeError, AssertionError, RecursionError)


@dataclass(frozen=True)
class Finding:
    """One thing that was checked: whether it holds, in words."""

    holds: bool
    words: str


def findings(evidence: Mapping[str, Any]) -> list[Finding]:
    """What the evidence of one signature proves by itself; [] where it holds no such proof.

    ``evidence`` is the record as it was stored with the signature.
    """
    proof = evidence.get("proof") or {}
    if "client_data_json" in proof:
        return _of_passkey(proof, evidence)
    if "id_token" in proof:
        return _of_id_token(proof, evidence)
    return []


def _of_passkey(proof: Mapping[str, Any], evidence: Mapping[str, Any]) -> list[Finding]:
    from fido2.utils import websafe_decode

    def asked() -> bool:
        said = json.loads(websafe_decode(proof["client_data_json"]))
        challenge = websafe_decode(said["challenge"])
        return bool(
            said["type"] == "webauthn.get"
            and challenge == _digest(proof["challenge_domain"], proof["challenge_text"])
        )

    def at_its_page() -> bool:
        said = json.loads(websafe_decode(proof["client_data_json"]))
        data = websafe_decode(proof["authenticator_data"])
        here = hashlib.sha256(proof["rp_id"].encode()).digest()
        return bool(said["origin"] == proof["origin"] and data[:32] == here)

    def by_its_holder() -> bool:
        flags = websafe_decode(proof["authenticator_data"])[32]
        return flags & _PRESENT_AND_VERIFIED == _PRESENT_AND_VERIFIED

    return [
        _found(
            lambda: _signed_by_passkey(proof),
            "The signature was made with the passkey’s private key.",
            "The signature was not made with the passkey that the record names.",
        ),
        _found(
            asked,
            "The passkey was asked for exactly what stands below, and for nothing else.",
            "The passkey was asked for something else than what the record says.",
        ),
        _found(
            at_its_page,
            f"It was asked at {proof.get('origin')}.",
            "It was asked at another address than the record says.",
        ),
        _found(
            by_its_holder,
            "Its holder was there and unlocked it by PIN, finger or face.",
            "It does not say that its holder unlocked it.",
        ),
        _meant_the_same(proof, evidence),
    ]


def _signed_by_passkey(proof: Mapping[str, Any]) -> bool:
    from cryptography.exceptions import InvalidSignature
    from fido2 import cbor
    from fido2.cose import CoseKey
    from fido2.utils import websafe_decode

    client_data = websafe_decode(proof["client_data_json"])
    message = websafe_decode(proof["authenticator_data"]) + hashlib.sha256(client_data).digest()
    key: Any = CoseKey.parse(cbor.decode(websafe_decode(proof["public_key"])))  # type: ignore[arg-type]  # a mapping, or the next line fails
    try:
        key.verify(message, websafe_decode(proof["signature"]))
    except InvalidSignature:
        return False
    return True


def _of_id_token(proof: Mapping[str, Any], evidence: Mapping[str, Any]) -> list[Finding]:
    import jwt

    def claims() -> dict[str, Any]:
        key = jwt.PyJWK.from_dict(dict(proof["jwk"]))
        told: dict[str, Any] = jwt.decode(
            proof["id_token"],
            key=key.key,
            algorithms=[key.algorithm_name],
            audience=proof["client_id"],
            issuer=proof["issuer"],
            # Judged long after: whether it was fresh then, ``auth_time`` says.
            options={"verify_exp": False, "verify_iat": False},
        )
        return told

    def signed() -> bool:
        try:
            return bool(claims())
        except jwt.PyJWTError:
            return False

    def asked() -> bool:
        nonce = _digest(proof["nonce_domain"], proof["challenge_text"]).hex()
        return signed() and claims()["nonce"] == nonce

    def that_person() -> bool:
        from datetime import UTC, datetime

        if not signed():
            return False
        told = claims()
        then = datetime.fromtimestamp(int(told["auth_time"]), UTC)
        return bool(
            told["sub"] == proof["subject"]
            and then.strftime("%Y-%m-%dT%H:%M:%SZ") == proof["auth_time"]
        )

    issuer = proof.get("issuer")
    return [
        _found(
            signed,
            f"The answer was signed with the key that {issuer} published then.",
            f"The answer was not signed with the key that the record gives for {issuer}.",
        ),
        _found(
            asked,
            "The issuer was asked for exactly what stands below, and for nothing else.",
            "The issuer was asked for something else than what the record says.",
        ),
        _found(
            that_person,
            f"It says that the account signed in there anew at {proof.get('auth_time')}.",
            "It speaks of another account or time than the record.",
        ),
        _meant_the_same(proof, evidence),
    ]


def _meant_the_same(proof: Mapping[str, Any], evidence: Mapping[str, Any]) -> Finding:
    def same() -> bool:
        text = proof["challenge_text"]
        meant = json.loads(text)
        # In its canonical form: no name twice, of which one reader sees this and another that.
        return canonical_json(meant).decode() == text and all(
            meant[there] == evidence[here] for there, here in _SAME.items()
        )

    return _found(
        same,
        "What was confirmed is the document, meaning, reservation and Office of this signature.",
        "What was confirmed is another document, meaning, reservation or Office.",
    )


def _found(check: Callable[[], bool], right: str, wrong: str) -> Finding:
    try:
        holds = check()
    except _MADE_UP:  # no evidence at all: damaged, cut short or made up
        holds = False
    return Finding(holds, right if holds else wrong)


def _digest(domain: str, text: str) -> bytes:
    return hashlib.sha256(domain.encode() + text.encode()).digest()
