"""An issuer's ID token that confirmed a signature, judged years later and without a server.

The nonce that the issuer repeats is the SHA-256 of `NONCE_DOMAIN` and of the canonical JSON of what
was about to be signed (OpenID Connect Core 1.0, 3.1.2.1), so that its signature speaks of this
text, meaning and Office. That the key was the issuer's then is the registry's word: it is kept as
the issuer published it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sealing.passkeys import binds

# Says that it was asked for a signature, so that no token of a sign-in can pass for one.
NONCE_DOMAIN = b"RevOps Boundary Registry, signing by single sign-on, version 1\n"


def id_token_problem(evidence: Mapping[str, Any], *, role: str) -> str:
    """Give what is wrong with the ID token in a signature's evidence, or nothing.

    `evidence` is what the registry keeps of a signature (with `proof`); `role` is "cosigner" or
    "approver". Raises nothing for what it holds.
    """
    import jwt

    try:
        return _problem(evidence["proof"], evidence, role)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, jwt.PyJWTError):
        return "The issuer's answer cannot be read, or its key did not sign it."


def _problem(proof: Mapping[str, Any], evidence: Mapping[str, Any], role: str) -> str:
    import jwt

    text = proof["challenge_text"].encode()
    if proof["nonce_domain"].encode() != NONCE_DOMAIN:
        return "The issuer was asked a question of another kind."
    if not binds(json.loads(text), evidence, role=role):
        return "The issuer was asked for something else than what is recorded."
    key = jwt.PyJWK.from_dict(dict(proof["jwk"]))
    claims = jwt.decode(
        proof["id_token"],
        key=key.key,
        algorithms=[key.algorithm_name],
        audience=proof["client_id"],
        issuer=proof["issuer"],
        # Judged long after: how fresh it was then, ``auth_time`` says.
        options={"verify_exp": False, "verify_iat": False},
    )
    if claims["nonce"] != hashlib.sha256(NONCE_DOMAIN + text).hexdigest():
        return "The issuer answered another question."
    then = datetime.fromtimestamp(int(claims["auth_time"]), UTC)
    recorded = proof["subject"], proof["auth_time"]
    if (claims["sub"], then.strftime("%Y-%m-%dT%H:%M:%SZ")) != recorded:
        return "The issuer spoke of another account or time than what is recorded."
    return ""
