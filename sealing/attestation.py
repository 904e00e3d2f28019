"""What the kept evidence of a signature proves by itself, in words: judged offline, from it alone.

A passkey signed the SHA-256 of what was meant; an issuer of single sign-on repeated such a SHA-256
in an ID token that it signed. Either can be checked years later by anybody who has the evidence,
and neither could have been made by the registry. Password and code leave nothing of the kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sealing.id_tokens import id_token_problem
from sealing.passkeys import assertion_problem


@dataclass(frozen=True)
class Finding:
    """One thing that was checked: whether it holds, in words."""

    holds: bool
    words: str


def findings(evidence: Mapping[str, Any], *, role: str) -> list[Finding]:
    """What the evidence of one signature proves by itself; [] where it holds no such proof.

    ``evidence`` is the record as it was stored with the signature, ``role`` "cosigner" or
    "approver".
    """
    proof = evidence.get("proof") or {}
    if "client_data_json" in proof:
        return _judged(
            assertion_problem(evidence, role=role),
            "Your passkey signed exactly this: the document, your meaning, Office, reservation and "
            "declared conflict. Its signature holds.",
            f"It was asked at {proof.get('origin')}, and its holder unlocked it by PIN, finger or "
            "face.",
        )
    if "id_token" in proof:
        issuer = proof.get("issuer")
        return _judged(
            id_token_problem(evidence, role=role),
            f"{issuer} was asked for exactly this: the document, your meaning, Office, reservation "
            "and declared conflict. The signature of its answer holds.",
            f"It says that your account signed in there anew at {proof.get('auth_time')}.",
        )
    return []


def _judged(problem: str, *holds: str) -> list[Finding]:
    return [Finding(False, problem)] if problem else [Finding(True, one) for one in holds]
