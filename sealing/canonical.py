"""The canonical form of a frozen Revision and its fingerprint (EVIDENCE 1)."""

from __future__ import annotations

import hashlib
from typing import Any

import rfc8785


def canonical_json(value: Any) -> bytes:
    """Give the one byte string that everybody signs: RFC 8785 JSON, UTF-8.

    Raises ValueError (rfc8785.CanonicalizationError) for what JSON cannot hold exactly, such as
    NaN, integers beyond 2**53 or keys that are not text.
    """
    return bytes(rfc8785.dumps(value))


def sha256_hex(data: bytes) -> str:
    """Give the SHA-256 of `data` as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def grouped(digest: str, size: int = 4) -> str:
    """Give a fingerprint in groups that a person can compare: "7c1e 4f09 ..."."""
    return " ".join(digest[i : i + size] for i in range(0, len(digest), size))
