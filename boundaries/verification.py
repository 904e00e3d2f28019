"""Is this file genuine, and does it rule today? The verifier's verdict joined with our record.

Strangers ask, so an answer tells of a document no more than the file in their hands does: where it
stands by our record, and since when. No names, no owners, nothing about a file that is not ours.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from ipaddress import IPv6Address, ip_address, ip_network

from django.core.cache import cache
from django.utils import timezone

from people.calendar import company_date
from people.offices import office_short
from people.templatetags.speech import day_words
from sealing.verdict import Verdict
from sealing.verify import verify_in_child

from .holders import Holders
from .models import Freeze, Revision
from .pdf import company_keys
from .queries import is_by_predecessor
from .states import State


class Standing(StrEnum):
    """Where a file stands by this registry's own record."""

    IN_FORCE = "in_force"
    NOT_YET_IN_FORCE = "not_yet_in_force"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    VOIDED = "voided"
    WITHDRAWN = "withdrawn"
    INCOMPLETE = "incomplete"
    NOT_RECORDED = "not_recorded"
    UNKNOWN = "unknown"  # the file is no evidence of anything we could look up


# Judging a file takes a process of its own for up to twenty seconds.
FILES_PER_ADDRESS = 30
WITHIN = timedelta(minutes=10)


def too_many_files(address: str) -> bool:
    """Count one more file of this address; honest readers never come near the limit.

    Whoever has one IPv6 address has a whole /64 of them: it counts as one.
    """
    try:
        known = ip_address(address)
    except ValueError:
        known = None
    if isinstance(known, IPv6Address):
        address = str(ip_network((known, 64), strict=False))
    key = f"verify:{address}"
    cache.add(key, 0, timeout=int(WITHIN.total_seconds()))
    try:
        return cache.incr(key) > FILES_PER_ADDRESS
    except ValueError:
        return False  # it ran out between the two calls


_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_CONTENT = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Scanned:
    """What the code on page 1 of a print says: a reference, and 16 digits of its content's hash.

    Anybody can print a code: it says what a reader is about to check, and proves nothing.
    """

    reference: str
    content: str = ""

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "Scanned | None":
        """Read the address that the code leads to; None where it leads to no document."""
        reference, content = query.get("document", ""), query.get("content", "")
        if not _REFERENCE.fullmatch(reference):
            return None
        return cls(reference, content if _CONTENT.fullmatch(content) else "")

    def differs_from(self, verdict: Verdict) -> str:
        """Say how the file that was judged is another than the code's; "" where it is not."""
        if not verdict.reference:
            return (
                f"Whether the file is {self.reference}, whose code you scanned, cannot be told "
                "from it."
            )
        if verdict.reference != self.reference:
            return (
                f"This is another document: you scanned the code of {self.reference}, and the "
                f"file is {verdict.reference}."
            )
        if self.content and not verdict.content_sha256.startswith(self.content):
            return (
                f"The file says that it is {self.reference}, but its text is another than that of "
                "the print whose code you scanned. One of the two is not what it seems."
            )
        return ""


@dataclass(frozen=True)
class Judgement:
    """What a reader is told about an uploaded file. ``good``: it can be relied on today."""

    verdict: Verdict
    standing: Standing
    headline: str
    sentences: tuple[str, ...]
    revision: Revision | None = None

    @property
    def genuine(self) -> bool:
        """Complete, unaltered, ours, and not void."""
        void = (*_VOID, Standing.NOT_RECORDED)
        return self.verdict.kind == "genuine" and self.standing not in void

    @property
    def good(self) -> bool:
        return self.genuine and self.standing == Standing.IN_FORCE

    @property
    def ruled(self) -> Revision | None:
        """The Revision whose period may be told: of a genuine file that rules, did, or will."""
        return self.revision if self.genuine else None

    @property
    def advice(self) -> str:
        """What a reader should do now."""
        return _ADVICE.get(self.standing) or _ADVICE_WITHOUT_STANDING[self.verdict.kind]

    @property
    def exit_status(self) -> int:
        """0 genuine; 1 altered, incomplete or void; 2 not ours or not verifiable."""
        if self.verdict.kind in ("not_ours", "unverifiable"):
            return 2
        return 0 if self.genuine else 1


_ADVICE = {
    Standing.IN_FORCE: (
        "Rely on it today. A later version may take its place: check again when it matters."
    ),
    Standing.NOT_YET_IN_FORCE: "Go by the version before it until then. Ask the company for it.",
    Standing.SUPERSEDED: "Keep it as a record of that time, and do not act on it today.",
    Standing.EXPIRED: (
        "Ask the company whether it still goes by this text: it is due for renewal."
    ),
    Standing.VOIDED: "Do not act on it. Ask the company which text stands.",
    Standing.WITHDRAWN: "Do not act on it. Ask the company which text stands.",
    Standing.INCOMPLETE: "Do not act on it yet. Ask the company for the file with all signatures.",
    Standing.NOT_RECORDED: (
        "Keep the file as it is, say where it came from, and do not act on it."
    ),
}
_ADVICE_WITHOUT_STANDING = {
    "genuine": "Ask the company where the document stands.",
    "incomplete": "Ask the company where the document stands.",
    "altered": (
        "Do not act on it. Ask the company for the original, keep this copy as it is, and say "
        "where it came from."
    ),
    "not_ours": (
        "If somebody gave it to you as a document of this company, ask the company for the "
        "original. If it is of another company, check it on that company's page."
    ),
    "unverifiable": (
        "Ask for the file as it was downloaded. A scan, a photo or a PDF that was printed or saved "
        "anew cannot be checked."
    ),
}

_STANDING_OF_STATE = {
    State.IN_FORCE: Standing.IN_FORCE,
    State.APPROVED: Standing.NOT_YET_IN_FORCE,
    State.SUPERSEDED: Standing.SUPERSEDED,
    State.EXPIRED_UNRENEWED: Standing.EXPIRED,
    State.WITHDRAWN: Standing.WITHDRAWN,
}


def judge(pdf: bytes) -> Judgement:
    """Judge a file of at most 10 MB, in a child process with limits; nothing of it is kept."""
    keys = company_keys()
    verdict = verify_in_child(pdf, **keys.trust)
    if verdict.kind not in ("genuine", "incomplete") or not verdict.content_sha256:
        return Judgement(verdict, Standing.UNKNOWN, verdict.headline, tuple(verdict.sentences))
    freeze = (
        Freeze.objects.select_related("revision__document")
        .filter(content_sha256=verdict.content_sha256)
        .first()
    )
    if freeze is None:
        return Judgement(
            verdict,
            Standing.NOT_RECORDED,
            "Do not rely on this file",
            (
                (
                    "It is signed with this company's keys, but the registry has no record of its "
                    "text. Tell the company's Administrator at once."
                ),
            ),
        )
    return _with_standing(verdict, freeze)


def standing_of(revision: Revision, freeze: Freeze) -> Standing:
    """Where a frozen text stands by our record."""
    state = State(revision.state)
    if freeze.voided_at is not None and state != State.WITHDRAWN:
        return Standing.VOIDED
    return _STANDING_OF_STATE.get(state, Standing.INCOMPLETE)


def _with_standing(verdict: Verdict, freeze: Freeze) -> Judgement:
    revision = freeze.revision
    standing = standing_of(revision, freeze)
    if verdict.kind == "incomplete" and standing not in _VOID:
        if freeze.sealed_sha256:
            more = "The complete, sealed file is in the registry: ask for that one."
        else:
            more = "The registry still waits for the rest."
        return Judgement(
            verdict,
            Standing.INCOMPLETE,
            verdict.headline,
            (*verdict.sentences, more),
            revision,
        )
    headline, sentence = _words(standing, revision, freeze)
    if standing in _VOID:  # how far the signatures got matters no more
        return Judgement(verdict, standing, headline, (sentence,), revision)
    handed_over = _handed_over(revision) if standing in _RULING else ()
    return Judgement(
        verdict, standing, headline, (sentence, *handed_over, *verdict.sentences), revision
    )


_VOID = (Standing.VOIDED, Standing.WITHDRAWN)
_RULING = (Standing.IN_FORCE, Standing.NOT_YET_IN_FORCE, Standing.EXPIRED)


def _handed_over(revision: Revision) -> tuple[str, ...]:
    """Which Offices have another holder since they signed. Offices only: names are in the file."""
    signatures = list(revision.signatures.filter(voided_at__isnull=True).select_related("person"))
    history = Holders({one.office for one in signatures}, today=company_date(timezone.now()))
    offices = [
        f"the {office_short(one.office)}" for one in signatures if is_by_predecessor(one, history)
    ]
    if not offices:
        return ()
    one_only = len(offices) == 1
    changed = "the Office has" if one_only else "these Offices have"
    stays = "The signature stays" if one_only else "The signatures stay"
    named = " and ".join(offices)
    return (
        f"Signed by the predecessor for {named}: {changed} changed hands since. {stays} valid.",
    )


def _words(standing: Standing, revision: Revision, freeze: Freeze) -> tuple[str, str]:
    if standing == Standing.IN_FORCE:
        return (
            "Genuine, and in force today",
            f"{revision.reference} is what rules today.",
        )
    if standing == Standing.NOT_YET_IN_FORCE:
        assert revision.effective_date is not None  # noqa: S101 - an approved text has one
        day = day_words(revision.effective_date)
        return (
            "Genuine and approved, not yet in force",
            f"It comes in force on {day}; until then the version before it stands.",
        )
    if standing == Standing.SUPERSEDED:
        successor = (
            revision.document.revisions.filter(in_force_from__gte=revision.in_force_until)
            .order_by("in_force_from")
            .first()
        )
        by = f"version {successor.number}" if successor else "a later version"
        ended = day_words(_day(revision))
        return (
            f"Genuine, but superseded by {by}",
            f"It stood until {ended}. Ask for {by} to know what rules today.",
        )
    if standing == Standing.EXPIRED:
        assert revision.sunset_date is not None  # noqa: S101 - a frozen text has one
        return (
            "Genuine, but expired and not renewed",
            (
                f"Its sunset was {day_words(revision.sunset_date)}. Look-ups still answer from it, "
                "flagged, until a new version is in force."
            ),
        )
    if standing == Standing.WITHDRAWN:
        return "Do not rely on this file", "The document was withdrawn and never came in force."
    return (
        "Do not rely on this file",
        "This text went back to draft before it was approved; its signatures are void.",
    )


def _day(revision: Revision) -> date:
    assert revision.in_force_until is not None  # noqa: S101 - superseded: it has an end
    return company_date(revision.in_force_until)
