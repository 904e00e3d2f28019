"""An event of the audit log as its leaf: the same for the writer, an export and a stranger.

An exported event is a JSON object with the `FIELDS` below and `data`, the event's own words:
`leaf_of` gives the hash that stands in the log's tree, without server or database.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

from sealing.canonical import canonical_json, sha256_hex
from sealing.merkle import leaf_hash

JSON: TypeAlias = "str | int | float | bool | Sequence[JSON] | Mapping[str, JSON] | None"

SCHEMA = "revops-log/1"

# What the leaf says. Times are as `time_words` spells them; hashes are SHA-256 in lower-case
# hexadecimal, "" where there is nothing to hash; `actor_id` and `appointment_id` may be null.
FIELDS = (
    "sequence",
    "at",
    "event",
    "actor_id",
    "actor_name",
    "office",
    "appointment_id",
    "object_type",
    "object_id",
    "object_version",
    "object_sha256",
    "ip_hash",
    "authentication_sha256",
    "personal_commitment",
)


def leaf_entry(event: Mapping[str, Any]) -> bytes:
    """Give the bytes that an event's leaf is the hash of: RFC 8785 JSON, UTF-8.

    `event` has `FIELDS` and either `data` or, where that was left out, `data_sha256`; what else
    it has is not part of the leaf. Raises ValueError for a field that is missing, a value that JSON
    cannot hold, another schema, or a `data_sha256` that is not that of `data`.
    """
    if event.get("schema", SCHEMA) != SCHEMA:
        raise ValueError(f"This is no event of {SCHEMA}.")
    try:
        entry = {name: event[name] for name in FIELDS}
        digest = canonical_sha256(event["data"]) if "data" in event else event["data_sha256"]
    except KeyError as missing:
        raise ValueError(f"The event has no {missing}.") from missing
    if event.get("data_sha256", digest) != digest:
        raise ValueError("The event's data_sha256 is not that of its data.")
    return canonical_json({"schema": SCHEMA, **entry, "data_sha256": digest})


def leaf_of(event: Mapping[str, Any]) -> bytes:
    """Give SHA-256(0x00 || `leaf_entry`), 32 bytes; ValueError as there."""
    return leaf_hash(leaf_entry(event))


def time_words(at: datetime) -> str:
    """UTC with microseconds, "2026-12-03T15:02:11.000250Z": one spelling for one instant."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def canonical_sha256(data: JSON) -> str:
    """SHA-256 (hexadecimal) of the RFC 8785 form of `data`."""
    return sha256_hex(canonical_json(data))


def personal_commitment(text: str, salt: str) -> str:
    """Commit to `text`: HMAC-SHA256 keyed with `salt` (hexadecimal), in hexadecimal."""
    return hmac.digest(bytes.fromhex(salt), text.encode(), "sha256").hex()
