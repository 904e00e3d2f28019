"""Reading the canonical content: who has to sign, in which field, under which reference.

The verifier derives the expected signatures from the JSON attached to the file with these same
functions, so the page, the signature fields and the verdict cannot disagree.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sealing.errors import ContentInvalid

SCHEMA = "revops-boundary/1"
SEAL_FIELD = "Sig_SEAL"
TIMESTAMP_FIELD = "DocTimeStamp1"

_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_FIELD_PART = re.compile(r"[A-Z0-9]{1,24}")


@dataclass(frozen=True)
class Signatory:
    """An Office whose signature the document needs; `short` stands in its certificate."""

    field: str
    office: str
    title: str
    short: str
    approver: bool


@dataclass(frozen=True)
class NotEstablished:
    """An Office that the company does not have, and the Office that its part goes to."""

    office: str
    title: str
    short: str
    part_goes_to: str
    reason: str


def text_at(value: Any, *path: str) -> str:
    """Give the text found by walking `path` through nested mappings, or raise ContentInvalid."""
    found = value
    for step in path:
        if not isinstance(found, Mapping) or step not in found:
            raise ContentInvalid(f"The content has no {'.'.join(path)}.")
        found = found[step]
    if not isinstance(found, str) or not found.strip():
        raise ContentInvalid(f"The content's {'.'.join(path)} is not a text.")
    return found


def reference(content: Mapping[str, Any]) -> str:
    """Give the Revision's reference ("NC-RB-4"), which also names the attached file."""
    found = text_at(content, "revision", "reference")
    if not _REFERENCE.fullmatch(found):
        raise ContentInvalid("A reference has letters, digits, dots, hyphens and underscores only.")
    return found


def document_number(content: Mapping[str, Any]) -> str:
    """Give the document's number ("NC-RB")."""
    return text_at(content, "document", "number")


def revision_number(content: Mapping[str, Any]) -> int:
    """Give the Revision's number, counted from 1."""
    revision = content.get("revision")
    number = revision.get("number") if isinstance(revision, Mapping) else None
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise ContentInvalid("The content has no Revision number.")
    return number


def title(content: Mapping[str, Any]) -> str:
    """Give the title that the page and the file's metadata show."""
    return f"{text_at(content, 'document', 'title')}, version {revision_number(content)}"


def subject(content: Mapping[str, Any]) -> str:
    """Give the line of the file's metadata that names document, version and reference."""
    return (
        f"Boundary document {document_number(content)}, version {revision_number(content)},"
        f" reference {reference(content)}"
    )


def signature_field(short: str) -> str:
    """Give the name of the signature field of an Office: "CRO" signs in "Sig_CRO"."""
    part = re.sub(r"[^A-Z0-9]", "", short.upper())
    # a certificate holds the short name in at most 64 bytes
    if not _FIELD_PART.fullmatch(part) or len(short.encode()) > 64:
        raise ContentInvalid("An Office's short name needs 1 to 24 Latin letters or digits.")
    return f"Sig_{part}"


def signatories(content: Mapping[str, Any]) -> list[Signatory]:
    """Give the parties in their order and then the approver; ContentInvalid if they clash."""
    if content.get("schema") != SCHEMA:
        raise ContentInvalid(f"The content is not of the schema {SCHEMA}.")
    parties = content.get("parties")
    if not isinstance(parties, list) or not parties:
        raise ContentInvalid("The content names no parties.")
    found = []
    for office, approver in [*((p, False) for p in parties), (content.get("approver"), True)]:
        short = text_at(office, "short")
        found.append(
            Signatory(
                field=signature_field(short),
                office=text_at(office, "office"),
                title=text_at(office, "title"),
                short=short,
                approver=approver,
            )
        )
    fields = [SEAL_FIELD, *(s.field for s in found)]
    if len(set(fields)) != len(fields):
        raise ContentInvalid("Two Offices of the document share one short name.")
    return found


def not_established(content: Mapping[str, Any]) -> list[NotEstablished]:
    """Give the Offices that the content says are not established; older content says of none."""
    missing = content.get("not_established", [])
    if not isinstance(missing, list):
        raise ContentInvalid("The content's not_established is not a list.")
    return [
        NotEstablished(
            office=text_at(one, "office"),
            title=text_at(one, "title"),
            short=text_at(one, "short"),
            part_goes_to=text_at(one, "part_goes_to"),
            reason=text_at(one, "reason"),
        )
        for one in missing
    ]
