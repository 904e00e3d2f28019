"""A passkey's assertion, judged years later and without a server.

The challenge that the passkey answered is the SHA-256 of `CHALLENGE_DOMAIN` and of the canonical
JSON of what was about to be signed, so that the assertion speaks of this text, meaning and Office
and of nothing else (WebAuthn Level 2, section 7.2).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

# Says what was signed for, so that no other use of the same passkey can pass for a signature.
CHALLENGE_DOMAIN = b"RevOps Boundary Registry, signing intent, version 1\n"

_USER_PRESENT, _USER_VERIFIED = 0x01, 0x04
_HEADER = 37  # SHA-256 of the relying party, flags, counter
# What the challenge binds, and where the evidence of a signature says the same.
_BOUND = {
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


def assertion_problem(evidence: Mapping[str, Any], *, role: str) -> str:
    """Give what is wrong with the passkey's assertion in a signature's evidence, or nothing.

    `evidence` is what the registry keeps of a signature (with `proof`, binary values in
    base64url); `role` is "cosigner" or "approver", as the intent names it. Raises nothing for what
    it holds.
    """
    try:
        return _problem(evidence["proof"], evidence, role)
    except (KeyError, TypeError, ValueError, AttributeError):
        return "The passkey's assertion cannot be read."


def _problem(proof: Mapping[str, Any], evidence: Mapping[str, Any], role: str) -> str:
    text = proof["challenge_text"].encode()
    if proof["challenge_domain"].encode() != CHALLENGE_DOMAIN:
        return "The passkey answered a challenge of another kind."
    said = json.loads(text)
    if not binds(said, evidence, role=role):
        return "The passkey was asked for something else than what is recorded."
    client = json.loads(_bytes(proof["client_data_json"]))
    challenge = hashlib.sha256(CHALLENGE_DOMAIN + text).digest()
    if client["type"] != "webauthn.get" or _bytes(client["challenge"]) != challenge:
        return "The passkey answered another challenge."
    if client.get("crossOrigin"):
        return "The passkey was asked by a page within another page."
    if not _belongs(client["origin"], proof["rp_id"]) or client["origin"] != proof["origin"]:
        return "The passkey was asked at another address."
    data = _bytes(proof["authenticator_data"])
    if len(data) < _HEADER or data[:32] != hashlib.sha256(proof["rp_id"].encode()).digest():
        return "The passkey belongs to another address."
    if data[32] & _USER_PRESENT == 0 or data[32] & _USER_VERIFIED == 0:
        return "The passkey did not verify its user."
    signed = data + hashlib.sha256(_bytes(proof["client_data_json"])).digest()
    if not _holds(_bytes(proof["public_key"]), signed, _bytes(proof["signature"])):
        return "The passkey's signature does not hold."
    return ""


def binds(said: Mapping[str, Any], evidence: Mapping[str, Any], *, role: str) -> bool:
    """Whether what was confirmed (a parsed challenge) is what the evidence of a signature records.

    Raises KeyError where either lacks something.
    """
    return said["role"] == role and all(
        said[ours] == evidence[theirs] for ours, theirs in _BOUND.items()
    )


def _holds(public_key: bytes, signed: bytes, signature: bytes) -> bool:
    """Whether a COSE_Key made `signature` over `signed`."""
    from cryptography.exceptions import InvalidSignature
    from fido2 import cbor
    from fido2.cose import CoseKey, UnsupportedKey

    decoded = cbor.decode(public_key)
    key = CoseKey.parse(decoded) if isinstance(decoded, Mapping) else UnsupportedKey()
    if isinstance(key, UnsupportedKey):
        return False
    try:
        key.verify(signed, signature)
    except InvalidSignature:
        return False
    return True


def _belongs(origin: str, rp_id: str) -> bool:
    """Whether an origin may use the passkeys of a relying party: it is its name, or below it."""
    host = urlsplit(origin).hostname or ""
    return bool(rp_id) and (host == rp_id or host.endswith(f".{rp_id}"))


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
