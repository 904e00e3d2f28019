"""PDFs that are owed for too long: who is told of it, once, and told again when it is made good.

"Signed but never sealed" is the commonest failure of signing products. Here it is retried for
ever, and the Administrator and the Corporate Secretary hear of it after ten minutes, of a file that
our own verifier refuses at once.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Prefetch

import audit
from notifications.mail import queue
from people.calendar import company_date
from people.models import Person
from people.offices import ADMINISTRATOR, CORPORATE_SECRETARY, office_short
from people.queries import who_acts_for

from . import pdf
from .models import Freeze, Signature
from .states import Role

log = logging.getLogger(__name__)

LATE = timedelta(minutes=10)


@dataclass(frozen=True)
class Owed:
    """What the worker owes of one freeze: `what` in words, and since when."""

    freeze: Freeze
    what: str
    since: datetime

    @property
    def quarantined(self) -> str:
        """The SHA-256 of the file that our verifier refused, or nothing."""
        opening = f"{pdf.Quarantined.OPENING} "
        said = self.freeze.pdf_last_failure
        return said.removeprefix(opening)[:64] if said.startswith(opening) else ""

    @property
    def why(self) -> str:
        """What happened so far, in a sentence."""
        said = self.freeze.pdf_last_failure
        if not said:
            return "No attempt has failed; the worker has not got to it yet."
        times = self.freeze.pdf_failures_in_a_row
        often = "once" if times <= 1 else f"{times} times in a row"
        return f"It failed {often}, the last time because: {said}"

    def is_late(self, at: datetime) -> bool:
        return at - self.since >= LATE


def owed_files() -> list[Owed]:
    """All that is owed, the oldest first."""
    freezes = (
        Freeze.objects.filter(pk__in=pdf.owed())
        .select_related("revision__document")
        .prefetch_related(
            Prefetch(
                "signatures",
                queryset=Signature.objects.filter(voided_at__isnull=True),
                to_attr="standing",
            )
        )
    )
    return sorted((_owed_of(freeze) for freeze in freezes), key=lambda one: one.since)


def _owed_of(freeze: Freeze) -> Owed:
    if not freeze.signing_copy_sha256:
        return Owed(freeze, "the signing copy", freeze.frozen_at)
    standing: list[Signature] = freeze.standing  # type: ignore[attr-defined]  # from the prefetch
    unapplied = [one for one in standing if not one.applied_sha256]
    if unapplied:
        first = min(unapplied, key=lambda one: one.signed_at)
        return Owed(freeze, f"the signature of the {office_short(first.office)}", first.signed_at)
    approved = next(one for one in standing if one.role == Role.APPROVER)
    return Owed(freeze, "the closing timestamp and publication", approved.signed_at)


def look_after(*, at: datetime) -> None:
    """Raise what alarms there are to raise, and say what was made good. Safe to run twice."""
    found = owed_files()
    for one in found:
        if one.freeze.pdf_alarmed_at is None and (one.quarantined or one.is_late(at)):
            _raise(one, at=at)
        elif one.quarantined:
            _tell_of_quarantine(one, at=at)
    still = {one.freeze.pk for one in found}
    alarmed = Freeze.objects.filter(pdf_alarmed_at__isnull=False).exclude(pk__in=still)
    for freeze in alarmed.select_related("revision__document"):
        _give_all_clear(freeze, at=at)


def late_count(*, at: datetime) -> int:
    """How many files are owed for too long, or refused by our verifier."""
    return sum(one.is_late(at) or bool(one.quarantined) for one in owed_files())


@transaction.atomic
def _raise(one: Owed, *, at: datetime) -> None:
    mine = Freeze.objects.filter(pk=one.freeze.pk, pdf_alarmed_at__isnull=True)
    if not mine.update(pdf_alarmed_at=at):
        return  # another worker was quicker
    log.error("%s: %s is owed since %s. %s", one.freeze, one.what, one.since, one.why)
    _record("pdf.alarm_raised", one.freeze, at=at)
    if one.quarantined:
        _tell_of_quarantine(one, at=at)
        return
    reference = one.freeze.revision.reference
    _tell(
        one.freeze,
        kind="pdf-late",
        occasion=f"{at:%Y%m%dT%H%M%S}",
        subject=f"{reference}: its PDF is overdue",
        paragraphs=[
            (
                f"The registry owes {one.what} of {reference} for more than ten minutes. No "
                "signature is lost: they stand in the database, and the registry tries again and "
                "again, at first every minute, then every quarter of an hour."
            ),
            one.why,
            (
                "Whoever runs the registry sees more with: manage reseal. You get another mail "
                "when it is made good, and none until then."
            ),
        ],
        at=at,
    )


def _tell_of_quarantine(one: Owed, *, at: datetime) -> None:
    reference = one.freeze.revision.reference
    _tell(
        one.freeze,
        kind="pdf-quarantined",
        occasion=one.quarantined[:16],
        subject=f"{reference}: its sealed PDF was refused by the registry’s own check",
        paragraphs=[
            (
                f"The registry made the sealed PDF of {reference} and checked it before "
                "publishing. It did not find it genuine, so nobody is offered that file. It is "
                f"kept for the operator under its SHA-256 {one.quarantined}."
            ),
            one.why,
            (
                "Find out why before anything else. Then: manage reseal "
                f"{reference} --quarantined. The registry also tries again by itself."
            ),
        ],
        at=at,
    )


@transaction.atomic
def _give_all_clear(freeze: Freeze, *, at: datetime) -> None:
    raised = freeze.pdf_alarmed_at
    mine = Freeze.objects.filter(pk=freeze.pk, pdf_alarmed_at__isnull=False)
    if raised is None or not mine.update(pdf_alarmed_at=None):
        return
    reference = freeze.revision.reference
    given_up = freeze.voided_at is not None or not freeze.pdf_sha256
    what = (
        "It is no longer owed: the document went back to draft or was withdrawn."
        if given_up
        else "All that was owed of it is there, checked by the registry’s own verifier."
        if freeze.sealed_sha256
        else "All that was owed of it is there."
    )
    log.warning("%s: the alarm over its PDF is over. %s", freeze, what)
    _record("pdf.alarm_ended", freeze, at=at)
    _tell(
        freeze,
        kind="pdf-made-good",
        occasion=f"{raised:%Y%m%dT%H%M%S}",
        subject=f"{reference}: its PDF is no longer overdue",
        paragraphs=[what],
        at=at,
    )


def _tell(
    freeze: Freeze,
    *,
    kind: str,
    occasion: str,
    subject: str,
    paragraphs: list[str],
    at: datetime,
) -> None:
    people = dict(_who_is_told(at))
    if not people:
        log.error("Nobody holds the Office of the Administrator: %s", subject)
    for person, title in people.items():
        queue(
            to=person,
            kind=kind,
            key=f"{kind}:{freeze.pk}:{occasion}:{person.pk}",
            subject=subject,
            template="notice",
            context={
                "paragraphs": paragraphs,
                "action_label": "Open the document",
                "action_path": freeze.revision.get_absolute_url(),
                "reason": f"You hold the Office of the {title}.",
            },
            at=at,
        )


def _who_is_told(at: datetime) -> Iterator[tuple[Person, str]]:
    acting = who_acts_for([CORPORATE_SECRETARY, ADMINISTRATOR], on=company_date(at))
    for one in acting.values():
        yield one.person, one.office.title


def _record(event: str, freeze: Freeze, *, at: datetime) -> None:
    audit.record(
        event,
        at=at,
        actor=None,
        object_type="freeze",
        object_id=str(freeze.pk),
        object_version=freeze.revision.reference,
        object_sha256=freeze.content_sha256,
    )
