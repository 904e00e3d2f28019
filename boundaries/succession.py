"""An Office changes hands: what its predecessor signed stays in force, and the successor answers.

A Succession begins for every Revision that answers look-ups and that the Office signed when
somebody else held it. Within 10 business days the successor acknowledges it or asks for an
amendment; meanwhile, and without any answer, it stays in force. It ends by itself when the
Revision stops answering or the appointment ends: what is shown then says so.

A stand-in acts for the Office while the holder cannot, so a stand-in may answer as well, as
"Acting COO"; who signed as the predecessor may not, not even as a stand-in.
"""

import logging
from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum

from django.db import transaction

import audit
from people.calendar import (
    add_business_days,
    company_country,
    company_date,
    in_working_hours,
    zone_of,
)
from people.errors import NotYourOffice
from people.models import Appointment, Person
from people.offices import CEO, office_short
from people.permissions import Act, require
from people.queries import holder_of

from . import notices, workflow
from . import succession_mails as mails
from .clock import counted_days
from .errors import InvalidText, ReasonMissing, SuccessionAnswered, SuccessionEnded
from .holders import Holders, came_to_count_at
from .locking import locked_revision
from .models import Revision, Signature, Succession
from .states import ANSWERING, Role

log = logging.getLogger(__name__)

ANSWER_WITHIN = 10  # business days
REMIND_AFTER = (5, 8, ANSWER_WITHIN)  # business days; the last is the due day itself
LONGEST_WISH = 3000


class Standing(StrEnum):
    """Where a Succession stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    AMENDMENT = "amendment"
    ENDED = "ended"


def standing_of(succession: Succession, *, today: date) -> Standing:
    """Where ``succession`` stands; needs its revision and appointment, asks nothing else."""
    if succession.answer:
        return Standing(succession.answer)
    return Standing.ENDED if why_ended(succession, today=today) else Standing.OPEN


def why_ended(succession: Succession, *, today: date) -> str:
    """Why there is nothing to answer any more, in a sentence; empty while there is."""
    revision, appointment = succession.revision, succession.appointment
    if revision.state not in ANSWERING:
        return f"{revision.reference} is no longer in force."
    ended = appointment.ends_on is not None and appointment.ends_on <= today
    if ended or not appointment.counts:
        return (
            f"{appointment.person.name} no longer holds the Office of the "
            f"{office_short(succession.office)}."
        )
    return ""


# --- Beginning --------------------------------------------------------------------------------


def first_day(revision: Revision, holder: Appointment) -> date:
    """The day that counts as 0: when the successor and the Revision were both there."""
    day = company_date(came_to_count_at(holder))
    came = revision.in_force_from
    return day if came is None else max(day, company_date(came))


def begin_due(*, at: datetime, revision: Revision | None = None) -> int:
    """Begin what is owed: a Succession for every Office that has changed hands; returns how many.

    Idempotent: one for each Revision and appointment. ``revision`` narrows it to that one.
    """
    signed = Signature.objects.filter(
        role=Role.COSIGNER, voided_at__isnull=True, revision__state__in=ANSWERING
    ).select_related("revision__document", "person")
    if revision is not None:
        signed = signed.filter(revision=revision)
    signatures = list(signed)
    holders = Holders({one.office for one in signatures}, today=company_date(at))
    begun = set(
        Succession.objects.filter(revision__in={one.revision_id for one in signatures}).values_list(
            "revision_id", "appointment_id"
        )
    )
    count = 0
    for signature in signatures:
        holder = holders.now(signature.office)
        if holder is None or (signature.revision_id, holder.pk) in begun:
            continue
        if not holders.is_new(
            holder, given_by=signature.person.human_id, given_at=signature.signed_at
        ):
            continue
        try:
            count += _begin(signature, holder, acting=holders.acting_now(signature.office), at=at)
        except Exception:
            if revision is not None:
                raise
            # The sweep: one that fails keeps no other waiting; the next sweep tries again.
            log.exception("%s: the succession of %s failed", signature.revision, holder)
    return count


@transaction.atomic
def _begin(
    signature: Signature, holder: Appointment, *, acting: Appointment | None, at: datetime
) -> int:
    revision = locked_revision(signature.revision)
    before = Succession.objects.filter(revision=revision, office=signature.office).select_related(
        "appointment__person"
    )
    human = holder.person.human_id
    if revision.state not in ANSWERING or any(
        one.appointment_id == holder.pk or (one.answer and one.appointment.person.human_id == human)
        for one in before
    ):
        return 0
    due = add_business_days(first_day(revision, holder), ANSWER_WITHIN, country=company_country())
    succession = Succession.objects.create(
        revision=revision,
        office=signature.office,
        appointment=holder,
        predecessor_name=signature.person_name,
        began_at=at,
        due_date=due,
    )
    _record("succession.began", succession, at=at, due_date=due.isoformat())
    mails.began(succession, _who_may_answer(succession, signature, holder, acting), at=at)
    return 1


def _who_may_answer(
    succession: Succession,
    signature: Signature | None,
    holder: Appointment,
    acting: Appointment | None,
) -> list[Appointment]:
    """The successor, and whoever stands in for them, unless it is who signed."""
    if acting is None or (
        signature is not None and acting.person.human_id == signature.person.human_id
    ):
        return [holder]
    return [holder, acting]


def signature_taken_over(succession: Succession) -> Signature | None:
    """What the predecessor signed for the Office."""
    found: Signature | None = (
        succession.revision.signatures.filter(
            role=Role.COSIGNER, voided_at__isnull=True, office=succession.office
        )
        .select_related("person", "appointment")
        .first()
    )
    return found


# --- The verbs --------------------------------------------------------------------------------


@transaction.atomic
def acknowledge(*, succession: Succession, acting_user: Person, at: datetime) -> Succession:
    """The successor stands by what the predecessor signed. It is not a signature."""
    succession, by = _answerable(succession, acting_user, at=at)
    _answer(succession, Succession.Answer.ACKNOWLEDGED, acting_user, at=at)
    _record("succession.acknowledged", succession, by=by, acting_user=acting_user, at=at)
    return succession


@transaction.atomic
def ask_for_amendment(
    *, succession: Succession, wish: str, acting_user: Person, at: datetime
) -> Succession:
    """The successor wants other terms: opens a draft, or joins the one that is open.

    While a frozen Revision of the document is unfinished the wish is kept, without a draft
    (``amendment`` is None); ``workflow`` attaches it to the next one. What is in force stands.
    """
    succession, by = _answerable(succession, acting_user, at=at)
    wish = wish.strip()
    if not wish:
        raise ReasonMissing("Say what should change, so that the others can answer it.")
    if len(wish) > LONGEST_WISH:
        raise InvalidText(
            f"Say it in at most {LONGEST_WISH} characters; it has {len(wish)}. Nothing was sent."
        )
    revision = succession.revision
    unfinished = (
        Revision.objects.unfinished()
        .filter(document=revision.document_id)
        .select_related("document")
        .first()
    )
    if unfinished is None:
        unfinished = workflow.amend(revision=revision, acting_user=acting_user, at=at)
    succession.wish = wish
    succession.amendment = unfinished if unfinished.is_draft else None
    _answer(succession, Succession.Answer.AMENDMENT, acting_user, at=at)
    _record(
        "succession.amendment_asked",
        succession,
        by=by,
        acting_user=acting_user,
        at=at,
        personal_text=wish,
        amendment=unfinished.reference,
        queued=not unfinished.is_draft,
    )
    mails.amendment_asked(succession, by=by, unfinished=unfinished, at=at)
    return succession


def _answerable(
    succession: Succession, acting_user: Person, *, at: datetime
) -> tuple[Succession, Appointment]:
    """Re-read under the document's lock; refuse unless ``acting_user`` may answer it now."""
    revision = locked_revision(succession.revision)
    succession = (
        Succession.objects.select_for_update(of=("self",))
        .select_related("appointment__person", "appointment__office")
        .get(pk=succession.pk)
    )
    succession.revision = revision
    by = _may_answer(succession, acting_user, at=at)
    if succession.answer:
        raise SuccessionAnswered(
            f"{succession.answered_by_name} has answered for the "
            f"{office_short(succession.office)} already. Nothing was changed; an amendment can "
            "be opened at any time."
        )
    ended = why_ended(succession, today=company_date(at))
    if ended:
        raise SuccessionEnded(f"There is nothing to answer any more: {ended}")
    return succession, by


def _may_answer(succession: Succession, acting_user: Person, *, at: datetime) -> Appointment:
    held = require(acting_user, Act.AGREE, on=company_date(at))
    by = next((one for one in held if one.office.key == succession.office), None)
    short, successor = office_short(succession.office), succession.appointment.person
    if by is None or (not by.acting and by.person.human_id != successor.human_id):
        raise NotYourOffice(
            f"Only {successor.name}, {short}, or who acts for that Office, answers this."
        )
    signature = signature_taken_over(succession)
    if signature is not None and signature.person.human_id == acting_user.human_id:
        raise NotYourOffice(
            f"You signed {succession.revision.reference} yourself for the Office of the {short}. "
            f"{successor.name} answers it, or another stand-in."
        )
    return by


def _answer(
    succession: Succession, answer: Succession.Answer, acting_user: Person, *, at: datetime
) -> None:
    succession.answer = answer
    succession.answered_at = at
    succession.answered_by = acting_user
    succession.answered_by_name = acting_user.name
    succession.save(
        update_fields=[
            "answer",
            "answered_at",
            "answered_by",
            "answered_by_name",
            "wish",
            "amendment",
        ]
    )


def _record(
    event: str,
    succession: Succession,
    *,
    at: datetime,
    by: Appointment | None = None,
    acting_user: Person | None = None,
    personal_text: str = "",
    **data: str | bool,
) -> None:
    audit.record(
        event,
        at=at,
        actor=acting_user,
        office=succession.office,
        appointment_id=by.pk if by else None,
        object_type="succession",
        object_id=str(succession.pk),
        object_version=succession.revision.reference,
        data={
            "office": succession.office,
            "successor_appointment_id": succession.appointment_id,
            **data,
        },
        personal_text=personal_text,
    )


# --- Reminding --------------------------------------------------------------------------------


def remind(*, at: datetime) -> int:
    """Queue every reminder whose time has come; returns how many. The hourly sweep.

    Any number of times and beside itself: each mail's key names Succession, step and person. One
    that fails keeps no other waiting.
    """
    queued = 0
    waiting = Succession.objects.waiting(company_date(at))
    for succession_id in waiting.values_list("pk", flat=True):
        try:
            queued += _remind_of(succession_id, at=at)
        except Exception:
            # The next sweep tries again; somebody has to see why.
            log.exception("succession %s: its reminders failed", succession_id)
    return queued


@transaction.atomic
def _remind_of(succession_id: int, *, at: datetime) -> int:
    # In the document's line, like every verb: an answer given meanwhile is seen here.
    locked_revision(Revision.objects.get(successions=succession_id))
    today, country = company_date(at), company_country()
    succession = Succession.objects.waiting(today).filter(pk=succession_id).first()
    if succession is None:
        return 0
    holders = Holders([succession.office], today=today)
    told = _who_may_answer(
        succession,
        signature_taken_over(succession),
        succession.appointment,
        holders.acting_now(succession.office),
    )
    days = counted_days(succession.due_date, ANSWER_WITHIN, country=country)
    steps = [(number, days[number - 1]) for number in REMIND_AFTER]
    queued = 0
    for one in told:
        step = _step_now(steps, one.person, since=succession.began_at, country=country, at=at)
        if step is not None:
            queued += mails.reminder(succession, one, step=step, country=country, at=at)
    return queued + _tell_ceo(succession, today=today, country=country, at=at)


def _step_now(
    steps: Iterable[tuple[int, date]],
    person: Person,
    *,
    since: datetime,
    country: str,
    at: datetime,
) -> int | None:
    """The latest step whose day has come on the person's clock, in their working hours.

    Steps of days before it began are left out: nobody gets on one day what two days said.
    """
    zone = zone_of(person)
    if not in_working_hours(at, zone=zone, country=country):
        return None
    began, local = since.astimezone(zone).date(), at.astimezone(zone).date()
    past = [number for number, day in steps if began < day <= local]
    return past[-1] if past else None


def _tell_ceo(succession: Succession, *, today: date, country: str, at: datetime) -> int:
    """The CEO hears once of an answer that is overdue."""
    if today <= succession.due_date:
        return 0
    ceo = holder_of(CEO, on=today)
    if ceo is None or not in_working_hours(at, zone=zone_of(ceo.person), country=country):
        return 0
    return mails.overdue(succession, ceo, at=at)


# --- What is heard from elsewhere -------------------------------------------------------------


def on_appointment_changed(*, at: datetime, **_: object) -> None:
    """Hear ``people.signals.appointment_changed``: look after its transaction what is owed.

    Not inside it: that holds the log's lock, which verbs on a document ask for last. What fails
    here is logged, and the hourly sweep makes up for it.
    """
    transaction.on_commit(lambda: look_after(at=at), robust=True)


def on_revision_in_force(*, revision: Revision, at: datetime, **_: object) -> None:
    """Hear ``signals.revision_in_force``: who signed it may have gone before it came in force."""
    begin_due(at=at, revision=revision)


def look_after(*, at: datetime) -> None:
    """Everything that a change of holder brings: successions, and signatures now owed by others."""
    begin_due(at=at)
    notices.ask_whoever_signs_today(at=at)
