"""Keys that the company knows to be in other hands, and since when.

`compromised.json` in the keys directory is a list of

    {"certificate_sha256": "...64 digits", "since": "2027-03-01T09:00:00+00:00", "reason": "..."}

The verifier takes no signature for the company's whose own timestamp lies at or after `since` and
whose certificate, timestamp authority or root is listed. What was signed before stands. A thief of
the timestamp authority's key can date back, so its loss is the one to be told of widely.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sealing.errors import KeysUnusable

FILE = "compromised.json"
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_MOST_CHARACTERS = 500


@dataclass(frozen=True)
class CompromisedKey:
    """One certificate (SHA-256 of its DER form) that counts for nothing from `since` (UTC) on."""

    certificate_sha256: str
    since: datetime
    reason: str

    def as_dict(self) -> dict[str, str]:
        """Give it as JSON-ready data; `from_dict` reads it back."""
        return {
            "certificate_sha256": self.certificate_sha256,
            "since": self.since.astimezone(UTC).isoformat(),
            "reason": self.reason,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CompromisedKey:
        """Read what `as_dict` gave; ValueError for anything else."""
        try:
            found = str(data["certificate_sha256"]), str(data["reason"])
            since = datetime.fromisoformat(data["since"])
        except (KeyError, TypeError) as error:
            raise ValueError("An entry lacks certificate_sha256, since or reason.") from error
        if not _FINGERPRINT.fullmatch(found[0]):
            raise ValueError("certificate_sha256 is not a SHA-256 of 64 lower-case digits.")
        if since.tzinfo is None:
            raise ValueError("since has no time zone.")
        return cls(found[0], since.astimezone(UTC), found[1][:_MOST_CHARACTERS])


def read_compromised(directory: Path) -> tuple[CompromisedKey, ...]:
    """Give the list of a keys directory, empty without a file; KeysUnusable if it is damaged."""
    try:
        data = json.loads((directory / FILE).read_bytes())
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        raise KeysUnusable(f"{FILE} cannot be read.") from error
    try:
        if not isinstance(data, list):
            raise ValueError("It is not a list.")
        return tuple(CompromisedKey.from_dict(one) for one in data)
    except ValueError as error:
        raise KeysUnusable(f"{FILE} is damaged: {error}") from error


def why_not_accepted(
    listed: Iterable[CompromisedKey], certificates: Iterable[str], stamped: datetime
) -> str:
    """Say why something stamped at `stamped` by one of `certificates` (SHA-256) does not count."""
    known = {one.certificate_sha256: one for one in listed}
    for sha256 in certificates:
        one = known.get(sha256)
        if one is not None and stamped >= one.since:
            day = f"{one.since.day} {one.since:%b %Y at %H:%M:%S} UTC"
            return f"The company reports a key behind it as compromised since {day}."
    return ""
