"""The signatures that one person gave, each with all that is kept of it and whether it still holds.

For the signer alone: whoever may read a document sees who signed it, and how, but no evidence.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from people.models import Person
from people.offices import office_title
from people.queries import accounts_of
from people.registry import Fact
from sealing.attestation import Finding, findings
from sealing.canonical import canonical_json, sha256_hex

from . import proof
from .consent import Consent, consent_of
from .files import files
from .models import Signature, StoredFile
from .states import PUBLISHED, Role, State


def given_by(person: Person) -> QuerySet[Signature]:
    """Every signature of ``person``, in whichever account; the latest first."""
    return (
        Signature.objects.filter(person__in=accounts_of(person))
        .select_related("revision__document", "freeze", "intent", "appointment__office")
        .order_by("-signed_at", "-pk")
    )


@dataclass(frozen=True)
class Line:
    """A signature in the list, and how it stands, in words."""

    signature: Signature
    title: str
    standing: str
    live: bool


def line_of(signature: Signature) -> Line:
    acting = "Acting " if signature.acting else ""
    return Line(
        signature=signature,
        title=f"{acting}{office_title(signature.office)}",
        standing=standing_of(signature),
        live=signature.voided_at is None,
    )


def standing_of(signature: Signature) -> str:
    """How a signature stands today, by what became of it and of its document."""
    if signature.voided_at is not None:
        return "Void"
    state = State(signature.revision.state)
    if state == State.COSIGNING:
        return "Waits for the others"
    if state == State.AWAITING_APPROVAL:
        return "Waits for approval"
    return state.label


@dataclass(frozen=True)
class Record:
    """One signature in full."""

    line: Line
    evidence: Mapping[str, Any]
    consent: Consent | None
    times: list[tuple[str, datetime]]
    findings: list[Finding]
    proves_itself: bool  # whether the method leaves something that a stranger can check
    sealed: bool
    has_copy: bool

    @property
    def holds(self) -> bool:
        return all(one.holds for one in self.findings)


def record_of(signature: Signature) -> Record:
    """All that is kept of ``signature``, checked anew: its files are read and hashed."""
    evidence: Mapping[str, Any] = signature.evidence
    itself = findings(evidence, role=signature.role)
    return Record(
        line=line_of(signature),
        evidence=evidence,
        consent=consent_of(signature.intent.consent_version),
        times=_times(signature),
        findings=[*_of_the_store(signature), *itself],
        proves_itself=bool(itself),
        sealed=bool(signature.freeze.sealed_sha256) and signature.revision.state in PUBLISHED,
        has_copy=StoredFile.objects.filter(pk=signature.signing_copy_sha256).exists(),
    )


def _times(signature: Signature) -> list[tuple[str, datetime]]:
    """What happened when, in order: opened, begun, confirmed, signed."""
    found: list[tuple[str, datetime]] = []
    if opened_at := signature.evidence.get("opened_at"):
        found.append(("Opened the text", moment_of(opened_at)))
    found.append(("Began to sign", signature.intent.created_at))
    if signature.intent.authenticated_at is not None:
        found.append(("Confirmed", signature.intent.authenticated_at))
    approved = signature.role == Role.APPROVER
    found.append(("Approved" if approved else "Signed", signature.signed_at))
    return found


def moment_of(text: str) -> datetime:
    """Counterpart of ``content.utc_text``."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def _of_the_store(signature: Signature) -> list[Finding]:
    """Whether the record and the files are still those that were signed."""
    evidence, freeze = signature.evidence, signature.freeze
    kept = sha256_hex(canonical_json(evidence)) == signature.evidence_sha256
    beside = all(
        evidence.get(name) == getattr(signature, name)
        for name in ("content_sha256", "signing_copy_sha256", "meaning", "reservation", "method")
    )
    text = sha256_hex(bytes(freeze.content)) == signature.content_sha256
    return [
        Finding(
            kept and beside,
            "The record is word for word as it was stored with the signature."
            if kept and beside
            else "The record was changed since it was stored with the signature.",
        ),
        Finding(
            text,
            "The document’s text still has the fingerprint that you signed."
            if text
            else "The document’s text no longer has the fingerprint that you signed.",
        ),
        _of_the_copy(signature),
    ]


def _of_the_copy(signature: Signature) -> Finding:
    try:
        files.get(signature.signing_copy_sha256)
    except StoredFile.DoesNotExist:
        return Finding(False, "The signing copy is no longer kept here.")
    except ValueError:
        return Finding(False, "The stored signing copy is no longer the file that you opened.")
    return Finding(True, "The stored signing copy is byte for byte the file that you opened.")


def as_json(signature: Signature) -> dict[str, Any]:
    """The evidence to keep: the record as stored, its hash, and what became of the signature."""
    return {
        "document": signature.revision.reference,
        "role": signature.role,
        "office": signature.office,
        "acting": signature.acting,
        "person": signature.person_name,
        "evidence": signature.evidence,
        "evidence_sha256": signature.evidence_sha256,
        "voided_at": signature.voided_at.astimezone(UTC).isoformat()
        if signature.voided_at
        else None,
        "void_reason": signature.void_reason,
    }


def strength_of(signature: Signature) -> str:
    """What the method proves to whoever does not trust the registry, in a sentence."""
    if signature.method == proof.PASSKEY:
        return (
            "Your passkey signed this text and meaning. Anybody can check that without the "
            "registry, and the registry could not have made it."
        )
    if signature.method == proof.SINGLE_SIGN_ON:
        return (
            "The issuer of your single sign-on vouches for you, for this text and meaning, with "
            "its own signature. Anybody who trusts it can check that without the registry."
        )
    return (
        "The registry’s log says that you confirmed this way. There is nothing beside it that "
        "somebody who does not trust the registry could check; a passkey leaves such a proof."
    )


# --- On the account page --------------------------------------------------------------------------


def facts(person: Person) -> list[Fact]:
    """A link from the own account to all signatures."""
    count = given_by(person).count()
    words = f"All {count}, with their evidence" if count else "None given yet"
    return [Fact("Your signatures", words, reverse("boundaries:my_signatures"))]
