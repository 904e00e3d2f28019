"""Exceptions: leave to depart from a row in force, for at most 90 days.

REQUESTED --every approver approves--> GRANTED --its end comes--> over
    | the first approver refuses -> REFUSED
    | the requester takes it back -> TAKEN_BACK

The owner's Office approves, and the CFO's where the function touches financial reporting. Nobody
approves their own request: the CEO does in their place. An exception is never extended: whoever
still needs it proposes an amendment. It ends with the Revision that it departs from.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import transaction

import audit
from functions_catalog.ownership import answer_on
from people.calendar import business_days_between, company_country, company_date, date_words
from people.errors import NotYourOffice
from people.models import Appointment, Person
from people.offices import CEO, CFO, HYBRID, office_short
from people.permissions import Act, ceo_is_no_party, entitling_appointments, require
from people.queries import is_appointed, same_human, who_acts_for

from . import exception_mails
from .errors import ExceptionNotPossible, ExceptionSettled, NotYourOwnException, ReasonMissing
from .holders import came_to_count_at
from .locking import locked_revision
from .models import BoundaryException, ExceptionAnswer, Row
from .reminders import STEPS
from .states import ANSWERING

MAX_DAYS = 90

log = logging.getLogger(__name__)


class Standing(StrEnum):
    """Where an exception stands on a day; all but the state follows from dates."""

    REQUESTED = "requested"
    RUNNING = "running"
    OVER = "over"
    LAPSED = "lapsed"  # nobody answered before its day, or before the Revision was replaced
    REFUSED = "refused"
    TAKEN_BACK = "taken_back"


def ends_on(one: BoundaryException) -> date:
    """The first day on which it holds no more: its own, or that of the Revision's successor."""
    until = one.revision.in_force_until
    return one.expires_on if until is None else min(one.expires_on, company_date(until))


def ended_with_revision(one: BoundaryException) -> bool:
    """Whether the Revision was replaced before the exception's own day."""
    return ends_on(one) < one.expires_on


def standing_of(one: BoundaryException, *, today: date) -> Standing:
    """Where ``one`` stands; its ``revision`` is read."""
    State = BoundaryException.State
    if one.state == State.REFUSED:
        return Standing.REFUSED
    if one.state == State.TAKEN_BACK:
        return Standing.TAKEN_BACK
    holds = today < ends_on(one) and one.revision.state in ANSWERING
    if one.state == State.GRANTED:
        return Standing.RUNNING if holds else Standing.OVER
    return Standing.REQUESTED if holds else Standing.LAPSED


# --- Who approves -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Approvers:
    """The Offices that must approve, and those of them in whose place the CEO does."""

    offices: tuple[str, ...]
    replaced: tuple[str, ...] = ()


def part_names(row: Row) -> dict[str, str]:
    """The parts of a hybrid row that an exception can be about: key and name; {} for any other."""
    return {one.key: one.name for one in row.sub_scopes.all()} if row.owner == HYBRID else {}


def owner_of(row: Row, part: str, *, on: date) -> str:
    """The Office that owns the row or its ``part`` on ``on``; a binding ruling counts.

    Raises ``ExceptionNotPossible`` where nobody does.
    """
    now = answer_on(row.function, on)
    if now is not None and now.document_number == row.revision.document.number:
        owner, parts = now.owner, {one.key: one.owner for one in now.sub_scopes}
    else:
        owner, parts = row.owner, {one.key: one.owner for one in row.sub_scopes.all()}
    if owner == HYBRID:
        if part not in parts:
            raise ExceptionNotPossible(
                f"{row.function.name} is split into parts. Choose the part that the exception is "
                "about."
            )
        owner = parts[part]
    elif part and part not in part_names(row):
        raise ExceptionNotPossible(f"{row.function.name} has no such part. Leave the part empty.")
    if not owner:
        raise ExceptionNotPossible(
            f"Nobody owns {row.function.name} in {row.revision.reference}, so there is nobody to "
            "approve an exception. Propose an amendment that names an owner."
        )
    return owner


def approvers_of(row: Row, part: str, *, requester: Person, on: date) -> Approvers:
    """Who must approve what ``requester`` asks for."""
    wanted = [owner_of(row, part, on=on)]
    if row.function.touches_financial_reporting and CFO not in wanted:
        wanted.append(CFO)
    replaced = tuple(key for key in wanted if is_appointed(requester, key, on=on))
    if replaced and is_appointed(requester, CEO, on=on):
        raise NotYourOwnException(
            "Nobody approves their own request, and you would approve it in both Offices. Have "
            "another person who may ask for it do so."
        )
    offices = dict.fromkeys(CEO if key in replaced else key for key in wanted)
    return Approvers(tuple(offices), replaced)


def who_answers(
    one: BoundaryException, *, on: date, acting: Mapping[str, Appointment] | None = None
) -> dict[str, Appointment]:
    """By approving Office that has not answered: the appointment whose answer counts on ``on``.

    Where the requester has come to act for that Office meanwhile, it is the CEO's. Vacant Offices
    are left out. ``acting`` saves a query: who acts for the approving Offices and as CEO.
    """
    done = {answer.office for answer in one.answers.all()}
    owing = [key for key in one.approvers if key not in done]
    if acting is None:
        acting = who_acts_for([*owing, CEO], on=on)
    found = {}
    for key in owing:
        holder = acting.get(key)
        if holder is not None and same_human(holder.person, one.requested_by):
            holder = acting.get(CEO)
        if holder is not None and not same_human(holder.person, one.requested_by):
            found[key] = holder
    return found


def answers_for(one: BoundaryException, person: Person, *, on: date) -> dict[str, Appointment]:
    """The approving Offices for which ``person`` may answer on ``on``."""
    entitled = entitling_appointments(person, Act.ANSWER_EXCEPTION, on=on)
    return {key: held for key, held in who_answers(one, on=on).items() if held in entitled}


# --- The verbs --------------------------------------------------------------------------------


@transaction.atomic
def request(
    *,
    row: Row,
    what: str,
    reason: str,
    expires_on: date,
    acting_user: Person,
    at: datetime,
    part: str = "",
) -> BoundaryException:
    """Ask for leave to depart from a row in force until ``expires_on`` (exclusive)."""
    revision = locked_revision(row.revision)
    today = company_date(at)
    held = require(acting_user, Act.REQUEST_EXCEPTION, on=today)
    row = Row.objects.select_related("function").get(pk=row.pk)
    row.revision = revision
    what, reason = what.strip(), reason.strip()
    _refuse_request(row, what, reason, expires_on, today=today)
    approvers = approvers_of(row, part, requester=acting_user, on=today)
    made = BoundaryException.objects.create(
        revision=revision,
        row=row,
        part=part,
        what=what,
        reason=reason,
        expires_on=expires_on,
        approvers=list(approvers.offices),
        requested_by=acting_user,
        requested_by_name=acting_user.name,
        requested_by_office=held[0].title,
        requested_at=at,
    )
    _record("exception.requested", made, acting_user, held[0], at=at, words=f"{what}\n\n{reason}")
    exception_mails.asked(made, who_answers(made, on=today).values(), at=at)
    return made


def _refuse_request(row: Row, what: str, reason: str, expires_on: date, *, today: date) -> None:
    if row.revision.state not in ANSWERING:
        raise ExceptionNotPossible(
            f"{row.revision.reference} is not in force. An exception departs from what is in force "
            "today."
        )
    if row.left_out_reason:
        raise ExceptionNotPossible(
            f"{row.function.name} is left out of {row.revision.reference}, so there is nothing to "
            "depart from."
        )
    if not what or not reason:
        raise ReasonMissing("Say what is to be done otherwise, and why it cannot wait.")
    if expires_on <= today:
        raise ExceptionNotPossible(
            "The last day lies in the past. Give today or a later day.", field="last_day"
        )
    if expires_on > today + timedelta(days=MAX_DAYS):
        last = today + timedelta(days=MAX_DAYS - 1)
        raise ExceptionNotPossible(
            f"An exception holds for at most {MAX_DAYS} days. Give {date_words(last)} or an "
            "earlier day, or propose an amendment.",
            field="last_day",
        )


def _locked(one: BoundaryException) -> BoundaryException:
    """Re-read under its document's lock, which all verbs on the document stand in line for."""
    revision = locked_revision(one.revision)
    found = BoundaryException.objects.select_related("row__function", "requested_by").get(pk=one.pk)
    found.revision = found.row.revision = revision
    return found


def _refuse_settled(one: BoundaryException, *, today: date) -> None:
    standing = standing_of(one, today=today)
    if standing == Standing.REQUESTED:
        return
    if standing == Standing.LAPSED:
        raise ExceptionSettled(
            f"{one} was not answered before it would have ended. Ask for a new one, or propose an "
            "amendment."
        )
    how = {
        Standing.REFUSED: "was refused",
        Standing.TAKEN_BACK: "was taken back",
    }.get(standing, "was granted")
    raise ExceptionSettled(f"{one} {how} already, so nothing was changed.")


@transaction.atomic
def answer(
    *,
    exception: BoundaryException,
    approves: bool,
    word: str = "",
    acting_user: Person,
    at: datetime,
) -> BoundaryException:
    """Approve or refuse, for each approving Office that ``acting_user`` acts for; once.

    The last approval grants it; the first refusal, which needs a word, ends it.
    """
    one, today = _locked(exception), company_date(at)
    require(acting_user, Act.ANSWER_EXCEPTION, on=today)
    _refuse_settled(one, today=today)
    if same_human(acting_user, one.requested_by):
        raise NotYourOwnException(
            "Nobody approves their own request. The CEO answers it in your place."
        )
    mine = answers_for(one, acting_user, on=today)
    if not mine:
        kept_out = [
            held.office.short
            for held in who_answers(one, on=today).values()
            if held.person_id == acting_user.pk
        ]
        if kept_out:
            raise ceo_is_no_party(Act.ANSWER_EXCEPTION, kept_out)
        named = " and ".join(office_short(key) for key in one.approvers)
        raise NotYourOffice(f"Only whoever acts for these Offices answers {one}: {named}.")
    word = word.strip()
    if not approves and not word:
        raise ReasonMissing("Say in a sentence or two why you refuse it.")
    for key, held in mine.items():
        ExceptionAnswer.objects.create(
            exception=one,
            office=key,
            approves=approves,
            word=word,
            person=acting_user,
            person_name=acting_user.name,
            person_office=held.title,
            appointment=held,
            at=at,
        )
    held = next(iter(mine.values()))
    State = BoundaryException.State
    if not approves:
        _settle(one, State.REFUSED, at=at)
        _record("exception.refused", one, acting_user, held, at=at, words=word, offices=list(mine))
    elif {answered.office for answered in one.answers.all()} >= set(one.approvers):
        _settle(one, State.GRANTED, at=at)
        _record("exception.granted", one, acting_user, held, at=at, words=word, offices=list(mine))
    else:
        _record("exception.answered", one, acting_user, held, at=at, words=word, offices=list(mine))
    exception_mails.answered(one, acting_user, approves=approves, word=word, at=at)
    return one


@transaction.atomic
def take_back(
    *, exception: BoundaryException, acting_user: Person, at: datetime
) -> BoundaryException:
    """The requester needs it no more, and nobody has to answer it."""
    one, today = _locked(exception), company_date(at)
    held = require(acting_user, Act.REQUEST_EXCEPTION, on=today)
    if not same_human(acting_user, one.requested_by):
        raise NotYourOffice(f"Only {one.requested_by_name}, who asked for it, takes it back.")
    _refuse_settled(one, today=today)
    _settle(one, BoundaryException.State.TAKEN_BACK, at=at)
    _record("exception.taken_back", one, acting_user, held[0], at=at)
    exception_mails.taken_back(one, at=at)
    return one


def _settle(one: BoundaryException, state: BoundaryException.State, *, at: datetime) -> None:
    one.state, one.settled_at = state, at
    one.save(update_fields=["state", "settled_at"])


def _record(
    event: str,
    one: BoundaryException,
    acting_user: Person,
    held: Appointment,
    *,
    at: datetime,
    words: str = "",
    **data: Any,
) -> None:
    audit.record(
        event,
        at=at,
        actor=acting_user,
        office=held.office.key,
        appointment_id=held.pk,
        object_type="exception",
        object_id=str(one.pk),
        object_version=one.revision.reference,
        data={
            "revision": one.revision.reference,
            "place": str(one.row),
            "part": one.part,
            "expires_on": one.expires_on.isoformat(),
            "approvers": list(one.approvers),
            **data,
        },
        personal_text=words,
    )


# --- What dates do ----------------------------------------------------------------------------

WARN_DAYS = 7
# A sweep that was down makes up for what ended since; older ends are history.
LOOK_BACK_DAYS = 30


def look_after(*, at: datetime) -> None:
    """Ask and remind whoever answers today, and tell of exceptions that end soon or have ended.

    Idempotent: every mail's key keeps it from being sent twice. One exception that fails keeps no
    other waiting.
    """
    today = company_date(at)
    State = BoundaryException.State
    found = (
        BoundaryException.objects.filter(
            state__in=[State.REQUESTED, State.GRANTED],
            expires_on__gt=today - timedelta(days=LOOK_BACK_DAYS),
        )
        .select_related("row__function", "row__revision__document", "revision__document")
        .select_related("requested_by")
        .prefetch_related("answers")
        .order_by("pk")
    )
    for one in found:
        try:
            with transaction.atomic():
                _look_after(one, today=today, at=at)
        except Exception:
            # The next sweep tries again; somebody has to see why.
            log.exception("%s was not looked after", one)


def _look_after(one: BoundaryException, *, today: date, at: datetime) -> None:
    standing = standing_of(one, today=today)
    if standing == Standing.REQUESTED:
        approvers = who_answers(one, on=today).values()
        exception_mails.asked(one, approvers, at=at)
        _remind(one, approvers, today=today, at=at)
    elif standing == Standing.LAPSED:
        exception_mails.lapsed(one, at=at)
    elif standing == Standing.OVER:
        exception_mails.ended(one, told=_told_of_end(one, on=today), at=at)
    elif _ends_soon(one, today=today):
        exception_mails.ends_soon(one, told=_told_of_end(one, on=today), at=at)


def _remind(
    one: BoundaryException, approvers: Iterable[Appointment], *, today: date, at: datetime
) -> None:
    """Remind each approver after 2, 5 and 10 business days; who came later has the full time."""
    country = company_country()
    for held in approvers:
        asked = max(company_date(one.requested_at), company_date(came_to_count_at(held)))
        days = business_days_between(asked, today, country=country)
        past = [step for step in STEPS if step <= days]
        if past:
            exception_mails.reminded(one, held, step=past[-1], asked=asked, at=at)


def _ends_soon(one: BoundaryException, *, today: date) -> bool:
    """Whether a week is left, of an exception that had more than a week when it was granted."""
    assert one.settled_at is not None  # noqa: S101 - the check constraint says so
    warn_from = one.expires_on - timedelta(days=WARN_DAYS)
    return company_date(one.settled_at) < warn_from <= today


def _told_of_end(one: BoundaryException, *, on: date) -> list[Person]:
    """The requester, and whoever acts for the owner's Office."""
    try:
        owner = owner_of(one.row, one.part, on=on)
    except ExceptionNotPossible:
        # The function is no longer allocated, or no longer split like that: nobody else to tell.
        owner = ""
    people = [one.requested_by, *(held.person for held in who_acts_for([owner], on=on).values())]
    return list({person.pk: person for person in people}.values())
