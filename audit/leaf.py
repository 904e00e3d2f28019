"""An ``Event`` as its leaf (EVIDENCE 4). Writer and verifier both use this.

What the leaf is made of stands in ``sealing.log_entry``, so that it can be hashed without us.
"""

import hmac
from typing import Any

from django.conf import settings

from sealing import log_entry
from sealing.log_entry import JSON as JSON
from sealing.log_entry import canonical_sha256 as canonical_sha256
from sealing.log_entry import personal_commitment as personal_commitment
from sealing.log_entry import time_words as time_words

from .models import Event


def said_by(event: Event) -> dict[str, Any]:
    """All that the event says, as ``sealing.log_entry.leaf_of`` takes it and an export gives it."""
    said: dict[str, Any] = {name: getattr(event, name) for name in log_entry.FIELDS}
    return {
        "schema": log_entry.SCHEMA,
        **said,
        "at": time_words(event.at),
        "data": event.data,
    }


def leaf_of(event: Event) -> bytes:
    """SHA-256(0x00 || RFC 8785 JSON) of everything that the event says; 32 bytes."""
    return log_entry.leaf_of(said_by(event))


def ip_hash(ip: str) -> str:
    """Keyed hash of an address, "" for none: an unkeyed one could be undone by trying them all.

    The key comes from SECRET_KEY. Changing that secret ends comparability with older events,
    never their verification, because the leaf holds the hash itself.
    """
    if not ip:
        return ""
    key = hmac.digest(settings.SECRET_KEY.encode(), b"audit.ip", "sha256")
    return hmac.digest(key, ip.encode(), "sha256").hex()
