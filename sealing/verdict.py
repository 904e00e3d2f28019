"""What the verifier says about a file, in data and in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

Kind = Literal["genuine", "incomplete", "altered", "not_ours", "unverifiable"]

EXIT_STATUS: Mapping[Kind, int] = {
    "genuine": 0,
    "incomplete": 1,
    "altered": 1,
    "not_ours": 2,
    "unverifiable": 2,
}

HEADLINES: Mapping[Kind, str] = {
    "genuine": "Genuine",
    "incomplete": "Genuine so far, but not complete",
    "altered": "Altered",
    "not_ours": "Not from this company",
    "unverifiable": "Cannot be verified",
}

OWN_AUTHORITY = "registry's own"


@dataclass(frozen=True)
class SignatureFinding:
    """One signature or timestamp in the order in which they were made; times ISO 8601, UTC.

    `signed_at` is what the signature claims, `timestamp_at` what the timestamp authority says.
    `problem` is empty where `ok`.
    """

    field: str
    name: str
    office: str
    signed_at: str
    timestamp_at: str
    ok: bool
    problem: str = ""


@dataclass(frozen=True)
class Verdict:
    """The judgement of one file. Its standing (in force, superseded) is for the server to add.

    Everything but `kind`, `headline`, `sentences` and `file_sha256` may be empty. `content` is
    the attached canonical content, given only where its signatures hold; so is `checkpoint`, the
    note of the audit log that the approver's signature carries, whose own signature was checked
    by `log_certificate` (PEM), issued by the company's root. `changes` are sentences on where an
    altered file was altered, as far as that can be told.
    """

    kind: Kind
    headline: str
    sentences: list[str]
    file_sha256: str
    checked_at: str = ""
    content_sha256: str = ""
    reference: str = ""
    document_number: str = ""
    revision_number: int | None = None
    signatures: list[SignatureFinding] = field(default_factory=list)
    missing_fields: list[str] = field(default_factory=list)
    timestamp_authority: str = ""
    level: str = ""
    changes: list[str] = field(default_factory=list)
    content: dict[str, Any] | None = None
    checkpoint: str = ""
    log_certificate: str = ""

    @property
    def exit_status(self) -> int:
        """0 genuine, 1 altered or incomplete, 2 not ours or not verifiable."""
        return EXIT_STATUS[self.kind]

    def as_dict(self) -> dict[str, Any]:
        """Give the verdict as JSON-ready data; `from_dict` reads it back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Verdict:
        """Read what `as_dict` gave; ValueError for a kind that does not exist."""
        if data.get("kind") not in EXIT_STATUS:
            raise ValueError(f"There is no verdict {data.get('kind')!r}.")
        known = {f.name for f in fields(cls)}
        values = {key: value for key, value in data.items() if key in known}
        values["signatures"] = [SignatureFinding(**s) for s in data.get("signatures", [])]
        return cls(**values)
