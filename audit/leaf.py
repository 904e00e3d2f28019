"""What an event's leaf is made of (EVIDENCE 4). Writer and verifier both use this."""

import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import TypeAlias

import rfc8785
from django.conf import settings

from .merkle import leaf_hash
from .models import Event

JSON: TypeAlias = "str | int | float | bool | Sequence[JSON] | Mapping[str, JSON] | None"


def time_words(at: datetime) -> str:
    """UTC with microseconds, "2026-12-03T15:02:11.000250Z": one spelling for one instant."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def canonical_sha256(data: JSON) -> str:
    """SHA-256 (hexadecimal) of the RFC 8785 form of ``data``."""
    return sha256(rfc8785.dumps(data)).hexdigest()


def leaf_of(event: Event) -> bytes:
    """SHA-256(0x00 || RFC 8785 JSON) of everything that the event says; 32 bytes."""
    return leaf_hash(
        rfc8785.dumps(
            {
                "schema": "revops-log/1",
                "sequence": event.sequence,
                "at": time_words(event.at),
                "event": event.event,
                "actor_id": event.actor_id,
                "actor_name": event.actor_name,
                "office": event.office,
                "appointment_id": event.appointment_id,
                "object_type": event.object_type,
                "object_id": event.object_id,
                "object_version": event.object_version,
                "object_sha256": event.object_sha256,
                "ip_hash": event.ip_hash,
                "authentication_sha256": event.authentication_sha256,
                "data_sha256": canonical_sha256(event.data),
                "personal_commitment": event.personal_commitment,
            }
        )
    )


def personal_commitment(text: str, salt: str) -> str:
    """Commit to ``text``: HMAC-SHA256 keyed with ``salt`` (hexadecimal), in hexadecimal."""
    return hmac.digest(bytes.fromhex(salt), text.encode(), "sha256").hex()


def ip_hash(ip: str) -> str:
    """Keyed hash of an address, "" for none: an unkeyed one could be undone by trying them all.

    The key comes from SECRET_KEY. Changing that secret ends comparability with older events,
    never their verification, because the leaf holds the hash itself.
    """
    if not ip:
        return ""
    key = hmac.digest(settings.SECRET_KEY.encode(), b"audit.ip", "sha256")
    return hmac.digest(key, ip.encode(), "sha256").hex()
