"""The verbs on Appointments.

An appointment is recorded, and to a co-signing Office confirmed by the CEO before it counts. While
it waits, who recorded it may take it back and the CEO may refuse it. One that counts ends once; one
that was wrong is voided by another that says what is right. Nothing is edited or deleted: the
database refuses it (``people.protections``). Who may record what stands in ``people.recording``.
"""

from datetime import date, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

import audit

from . import appointment_mails as mails
from .calendar import company_date, date_words
from .errors import (
    AlreadyEnded,
    AppointmentClash,
    InvalidAppointment,
    NothingToConfirm,
    NotYoursToConfirm,
    OwnAppointment,
)
from .models import Appointment, Office, Person
from .offices import ADMINISTRATOR, CORPORATE_SECRETARY, STANDARD_OFFICES
from .permissions import Act, require
from .queries import same_human, who_acts_for
from .recording import (
    Plan,
    former_of,
    last_day_words,
    plan,
    plan_confirmation,
    proposer,
    recorder,
    refuse_end_before_act,
)
from .signals import appointment_changed

# --- Set-up -----------------------------------------------------------------------------------


def establish_standard_offices() -> None:
    """Make the standard Offices where they are missing; leave what the company changed."""
    for position, office in enumerate(STANDARD_OFFICES, start=1):
        Office.objects.get_or_create(
            key=office.key,
            defaults={
                "title": office.title,
                "short": office.short,
                "co_signing": office.co_signing,
                "several_holders": office.several_holders,
                "position": position,
            },
        )


@transaction.atomic
def appoint(
    *,
    person: Person,
    office_key: str,
    starts_on: date,
    ends_on: date | None = None,
    acting: bool = False,
    instrument: str = "",
    acting_user: Person | None,
    at: datetime,
) -> Appointment:
    """Set up who holds an Office from ``starts_on`` until ``ends_on`` (exclusive); counts at once.

    Only for what sets up a company, before anybody could record or confirm: then ``acting_user`` is
    None. Everybody else goes by ``record``. Raises ``AppointmentClash`` when another appointment of
    the same kind overlaps, ``InvalidAppointment`` for one that could not stand on its own.
    """
    if acting_user is not None:
        raise InvalidAppointment("This sets up a company. People record appointments.")
    if acting and (ends_on is None or not instrument):
        raise InvalidAppointment(
            "An acting appointment needs its last day and the written instrument it rests on."
        )
    if ends_on is not None and ends_on <= starts_on:
        raise InvalidAppointment("An appointment ends after the day it starts.")
    office = _locked_office(office_key)
    former_of(
        person,
        office,
        starts_on,
        ends_on,
        acting,
        None,
        today=company_date(at),
        succeeds=False,
    )
    planned = Plan(person, office, starts_on, ends_on, acting, instrument, "", False)
    appointment = _write(planned, acting_user=None, by=None, at=at)
    _tell_above(appointment, at=at)
    _log("appointment.recorded", appointment, acting_user=None, by=None, at=at)
    return appointment


# --- Recording --------------------------------------------------------------------------------


def plan_record(
    *,
    person: Person,
    office: Office,
    starts_on: date,
    ends_on: date | None = None,
    acting: bool = False,
    instrument: str = "",
    scope: str = "",
    acting_user: Person,
    at: datetime,
) -> tuple[Plan, Appointment]:
    """What ``record`` would write, and by which appointment of ``acting_user``; or its refusal."""
    by = recorder(acting_user, office, at=at)
    planned = plan(
        person=person,
        office=office,
        starts_on=starts_on,
        ends_on=ends_on,
        acting=acting,
        instrument=instrument.strip(),
        scope=scope.strip(),
        by=by,
        acting_user=acting_user,
        at=at,
    )
    return planned, by


@transaction.atomic
def record(
    *,
    person: Person,
    office_key: str,
    starts_on: date,
    ends_on: date | None = None,
    acting: bool = False,
    instrument: str = "",
    scope: str = "",
    acting_user: Person,
    at: datetime,
) -> Appointment:
    """Record that ``person`` holds the Office, or acts for it, until ``ends_on`` (exclusive).

    An open-ended holder is succeeded: their appointment ends as this one begins. What a co-signing
    Office needs waits for the CEO's confirmation and changes nothing until then.
    """
    planned, by = plan_record(
        person=person,
        office=_locked_office(office_key),
        starts_on=starts_on,
        ends_on=ends_on,
        acting=acting,
        instrument=instrument,
        scope=scope,
        acting_user=acting_user,
        at=at,
    )
    return _record(planned, "appointment.recorded", acting_user=acting_user, by=by, at=at)


def plan_stand_in(
    *,
    person: Person,
    office: Office,
    starts_on: date,
    ends_on: date,
    instrument: str,
    scope: str = "",
    acting_user: Person,
    at: datetime,
) -> tuple[Plan, Appointment]:
    """What ``propose_stand_in`` would write; or its refusal."""
    by = proposer(acting_user, office, at=at)
    if same_human(person, acting_user):
        raise OwnAppointment(
            "Choose somebody else: you are the one who is stood in for.", field="person"
        )
    planned = plan(
        person=person,
        office=office,
        starts_on=starts_on,
        ends_on=ends_on,
        acting=True,
        instrument=instrument.strip(),
        scope=scope.strip(),
        by=by,
        acting_user=acting_user,
        at=at,
    )
    return planned, by


@transaction.atomic
def propose_stand_in(
    *,
    person: Person,
    office_key: str,
    starts_on: date,
    ends_on: date,
    instrument: str,
    scope: str = "",
    acting_user: Person,
    at: datetime,
) -> Appointment:
    """Who holds a co-signing Office names who acts for it; it waits for the CEO's confirmation.

    A stand-in cannot: what was handed to them is not handed on.
    """
    planned, by = plan_stand_in(
        person=person,
        office=_locked_office(office_key),
        starts_on=starts_on,
        ends_on=ends_on,
        instrument=instrument,
        scope=scope,
        acting_user=acting_user,
        at=at,
    )
    return _record(planned, "appointment.proposed", acting_user=acting_user, by=by, at=at)


def plan_correction(
    *,
    appointment: Appointment,
    person: Person,
    starts_on: date,
    ends_on: date | None,
    instrument: str = "",
    scope: str = "",
    reason: str,
    acting_user: Person,
    at: datetime,
) -> tuple[Plan, Appointment]:
    """What ``correct`` would write; or its refusal."""
    by = recorder(acting_user, appointment.office, at=at)
    if not appointment.counts:
        raise InvalidAppointment(
            "Only what counts is corrected. What waits for confirmation is taken back, and what "
            "was struck stays so."
        )
    if not reason.strip():
        raise InvalidAppointment("Say what was wrong, and how it is known.", field="reason")
    planned = plan(
        person=person,
        office=appointment.office,
        starts_on=starts_on,
        ends_on=ends_on,
        acting=appointment.acting,
        instrument=instrument.strip(),
        scope=scope.strip(),
        by=by,
        acting_user=acting_user,
        at=at,
        corrects=appointment,
    )
    said = (planned.person.pk, starts_on, ends_on, planned.instrument, planned.scope)
    if said == (
        appointment.person_id,
        appointment.starts_on,
        appointment.ends_on,
        appointment.instrument,
        appointment.scope,
    ):
        raise InvalidAppointment("This says what is on record already. Change what is wrong in it.")
    return planned, by


@transaction.atomic
def correct(
    *,
    appointment: Appointment,
    person: Person,
    starts_on: date,
    ends_on: date | None,
    instrument: str = "",
    scope: str = "",
    reason: str,
    acting_user: Person,
    at: datetime,
) -> Appointment:
    """Say what is right where a record was wrong, also of the past; the wrong one is struck.

    The same Office and kind. It counts when a new record would: to a co-signing Office from the
    CEO's confirmation on, and until then the wrong one stands.
    """
    planned, by = plan_correction(
        appointment=_locked(appointment),
        person=person,
        starts_on=starts_on,
        ends_on=ends_on,
        instrument=instrument,
        scope=scope,
        reason=reason,
        acting_user=acting_user,
        at=at,
    )
    return _record(
        planned,
        "appointment.corrected",
        reason=reason.strip(),
        acting_user=acting_user,
        by=by,
        at=at,
    )


# --- While it waits ---------------------------------------------------------------------------


@transaction.atomic
def confirm(*, appointment: Appointment, acting_user: Person, at: datetime) -> Appointment:
    """The CEO, or who acts as CEO, lets it count.

    Nobody whom it appoints and nobody who recorded it, in whichever account. What was to begin
    while it waited begins today.
    """
    appointment = _locked(appointment)
    by = _confirmer(appointment, acting_user, at=at)
    planned = plan_confirmation(appointment, at=at)
    appointment.starts_on = planned.starts_on
    appointment.confirmed_at = at
    appointment.confirmed_by = acting_user
    appointment.confirmed_by_name = _signed(acting_user, by)
    _make_room(planned, appointment, by_name=appointment.confirmed_by_name, at=at)
    _clash_unless_free(
        lambda: appointment.save(
            update_fields=["starts_on", "confirmed_at", "confirmed_by", "confirmed_by_name"]
        )
    )
    _tell_above(appointment, planned.former, planned.corrects, at=at)
    _log(
        "appointment.confirmed",
        appointment,
        acting_user=acting_user,
        by=by,
        at=at,
        data=_consequences(planned),
    )
    mails.counts(appointment, planned, by=appointment.confirmed_by_name, at=at)
    mails.answered(appointment, confirmed=True, reason="", at=at)
    return appointment


@transaction.atomic
def refuse(
    *, appointment: Appointment, reason: str, acting_user: Person, at: datetime
) -> Appointment:
    """The CEO refuses it, saying why; it never counted."""
    appointment = _locked(appointment)
    by = _confirmer(appointment, acting_user, at=at)
    reason = reason.strip()
    if not reason:
        raise InvalidAppointment("Say why, so that whoever recorded it knows what to change.")
    _void(appointment, Appointment.VoidedAs.REFUSED, reason, _signed(acting_user, by), at=at)
    _log("appointment.refused", appointment, acting_user=acting_user, by=by, at=at, personal=reason)
    mails.answered(appointment, confirmed=False, reason=reason, at=at)
    return appointment


@transaction.atomic
def take_back(
    *, appointment: Appointment, reason: str = "", acting_user: Person, at: datetime
) -> Appointment:
    """Take a record back before it took effect.

    While it waits for confirmation, who recorded it does so. One that counts but has not begun is
    taken back by who may record it, with a reason; what it ended stays ended.
    """
    appointment = _locked(appointment)
    reason = reason.strip()
    waits = appointment.voided_at is None and not appointment.counts
    by: Appointment | None = None
    if waits:
        if appointment.recorded_by is None or not same_human(appointment.recorded_by, acting_user):
            raise NotYoursToConfirm(
                f"{appointment.recorded_by_name or 'The set-up'} recorded it and may take it back. "
                "The CEO may refuse it."
            )
    elif appointment.counts and appointment.starts_on > company_date(at):
        by = recorder(acting_user, appointment.office, at=at)
        if same_human(appointment.person, acting_user):
            raise OwnAppointment("Nobody changes their own appointment. Have somebody else do it.")
        if not reason:
            raise InvalidAppointment("Say why, so that everybody concerned knows.")
    else:
        raise NothingToConfirm(
            "It has begun, or was settled already. End it, or correct it where it is wrong."
        )
    signed = _signed(acting_user, by) if by else acting_user.name
    _void(appointment, Appointment.VoidedAs.TAKEN_BACK, reason, signed, at=at)
    if not waits:
        _tell_above(appointment, at=at)
    _log(
        "appointment.taken_back",
        appointment,
        acting_user=acting_user,
        by=by,
        at=at,
        personal=reason,
    )
    if not waits:
        mails.taken_back(appointment, reason=reason, at=at)
    return appointment


# --- Ending -----------------------------------------------------------------------------------


@transaction.atomic
def end(
    *, appointment: Appointment, last_day: date, reason: str, acting_user: Person, at: datetime
) -> Appointment:
    """Give an appointment its last day, or an earlier one than was recorded; once.

    Yesterday at the earliest: then it ends at once, and past days keep their holder. Somebody may
    end their own: giving up an Office is not being appointed to one.
    """
    appointment = _locked(appointment)
    by = recorder(acting_user, appointment.office, at=at)
    reason, ends_on = reason.strip(), last_day + timedelta(days=1)
    _refuse_end(appointment, ends_on, reason, today=company_date(at))
    former_end = appointment.ends_on
    _set_end(appointment, ends_on, reason, _signed(acting_user, by), at=at)
    _tell_above(appointment, at=at)
    _log(
        "appointment.ended",
        appointment,
        acting_user=acting_user,
        by=by,
        at=at,
        data={"was_to_end_on": former_end.isoformat() if former_end else None},
        personal=reason,
    )
    mails.ended(appointment, reason=reason, at=at)
    return appointment


def _refuse_end(appointment: Appointment, ends_on: date, reason: str, *, today: date) -> None:
    if not appointment.counts:
        raise AlreadyEnded("It does not count, so there is nothing to end.")
    if not reason:
        raise InvalidAppointment("Say why it ends, such as “Leaves the company”.", field="reason")
    if appointment.ends_on is not None and (
        appointment.end_recorded_at is not None or appointment.ends_on <= ends_on
    ):
        raise AlreadyEnded(
            f"Its last day is {last_day_words(appointment.ends_on)} already"
            + (", and that was recorded once." if appointment.end_recorded_at else ".")
            + " Correct the record if that is wrong."
        )
    if appointment.starts_on >= today and ends_on <= appointment.starts_on:
        raise InvalidAppointment(
            f"It begins on {date_words(appointment.starts_on)} only. Take it back instead."
            if appointment.starts_on > today
            else "It began today: give today as its last day, or correct it.",
            field="last_day",
        )
    if ends_on < today:
        raise InvalidAppointment(
            f"It ends yesterday at the earliest, {last_day_words(today)}: who held the Office "
            "until now stays on record. Correct the record where it is wrong.",
            field="last_day",
        )
    if ends_on <= appointment.starts_on:
        raise InvalidAppointment("The last day is not before the first.", field="last_day")
    refuse_end_before_act(appointment, ends_on)
    keepers = (CORPORATE_SECRETARY, ADMINISTRATOR)
    if appointment.office.key in keepers:
        others = who_acts_for(keepers, on=ends_on)
        if all(one.pk == appointment.pk for one in others.values()):
            raise InvalidAppointment(
                "Then nobody could record appointments any more: there would be neither a "
                "Corporate Secretary nor an Administrator. Record a successor first."
            )


# --- What the verbs share ---------------------------------------------------------------------


def _locked_office(key: str) -> Office:
    """The Office's row is the lock: two clashing appointments cannot both pass the check."""
    return Office.objects.select_for_update().get(key=key)


def _locked(appointment: Appointment) -> Appointment:
    """Re-read it, after its Office, so that whoever changes either waits for the other.

    Its key stays free: a signature that is being given refers to it.
    """
    Office.objects.select_for_update().get(pk=appointment.office_id)
    return (
        Appointment.objects.select_for_update(of=("self",), no_key=True)
        .select_related("office", "person", "recorded_by", "corrects__person", "corrects__office")
        .get(pk=appointment.pk)
    )


def _signed(person: Person, by: Appointment) -> str:
    """ "Ruth Adler, Corporate Secretary": kept beside the act, whatever becomes of the account."""
    return f"{person.name}, {by.title}"[:160]


def _confirmer(appointment: Appointment, acting_user: Person, *, at: datetime) -> Appointment:
    by = require(acting_user, Act.CONFIRM_APPOINTMENT, on=company_date(at))[0]
    if appointment.voided_at is not None or appointment.counts:
        raise NothingToConfirm(
            "It does not wait for confirmation any more: "
            + (
                f"{appointment.get_voided_as_display().lower()} by {appointment.voided_by_name}."
                if appointment.voided_at
                else f"confirmed by {appointment.confirmed_by_name}."
            )
        )
    if refused := refusal_to_decide(appointment, acting_user):
        raise refused
    return by


def refusal_to_decide(appointment: Appointment, reader: Person) -> NotYoursToConfirm | None:
    """Why ``reader``, though CEO, neither confirms nor refuses it; None where they may."""
    if same_human(appointment.person, reader):
        return NotYoursToConfirm(
            "Nobody confirms their own appointment. Have the Corporate Secretary record who acts "
            "as CEO; that person confirms it."
        )
    if appointment.recorded_by and same_human(appointment.recorded_by, reader):
        return NotYoursToConfirm(
            "You recorded it, and two people must agree to it. Take it back and have somebody else "
            "record it, or have the Corporate Secretary record who acts as CEO and confirms it."
        )
    return None


def _record(
    planned: Plan,
    event: str,
    *,
    acting_user: Person,
    by: Appointment,
    at: datetime,
    reason: str = "",
) -> Appointment:
    """Write it down; where it counts at once, with all that follows."""
    if not planned.needs_confirmation:
        _make_room(planned, None, by_name=_signed(acting_user, by), at=at, reason=reason)
    appointment = _write(planned, acting_user=acting_user, by=by, at=at, reason=reason)
    if appointment.counts:
        _tell_above(appointment, planned.former, planned.corrects, at=at)
    _log(
        event,
        appointment,
        acting_user=acting_user,
        by=by,
        at=at,
        data={"needs_confirmation": planned.needs_confirmation} | _consequences(planned),
        personal="\n".join(part for part in (reason, planned.instrument, planned.scope) if part),
    )
    if appointment.counts:
        mails.counts(appointment, planned, by=appointment.recorded_by_name, at=at)
    else:
        mails.ask_for_confirmation(appointment, at=at)
    return appointment


def _write(
    planned: Plan,
    *,
    acting_user: Person | None,
    by: Appointment | None,
    at: datetime,
    reason: str = "",
) -> Appointment:
    appointment = Appointment(
        person=planned.person,
        office=planned.office,
        starts_on=planned.starts_on,
        ends_on=planned.ends_on,
        acting=planned.acting,
        instrument=planned.instrument,
        scope=planned.scope,
        exclusive=not planned.office.several_holders,
        recorded_by=acting_user,
        recorded_by_name=_signed(acting_user, by) if acting_user and by else "",
        recorded_at=at,
        needs_confirmation=planned.needs_confirmation,
        corrects=planned.corrects,
        correction_reason=reason if planned.corrects else "",
    )
    _clash_unless_free(lambda: appointment.save(force_insert=True))
    return appointment


def _clash_unless_free(write: Any) -> None:
    """The database has the last word on two holders of one Office on one day."""
    try:
        with transaction.atomic():
            write()
    except IntegrityError as clash:
        raise AppointmentClash(
            "Somebody else holds the Office on one of these days; it was recorded just now. Look "
            "at the Office again."
        ) from clash


def _make_room(
    planned: Plan,
    confirmed: Appointment | None,
    *,
    by_name: str,
    at: datetime,
    reason: str = "",
) -> None:
    """End the former holder and strike what is corrected, before the new one counts."""
    if planned.former is not None:
        former = Appointment.objects.select_for_update(no_key=True).get(pk=planned.former.pk)
        _set_end(former, planned.starts_on, f"Succeeded by {planned.person.name}", by_name, at=at)
        planned.former.ends_on = former.ends_on
    if planned.corrects is not None:
        wrong = planned.corrects
        why = confirmed.correction_reason if confirmed else reason
        _void(wrong, Appointment.VoidedAs.CORRECTED, why, by_name, at=at)


def _set_end(
    appointment: Appointment, ends_on: date, reason: str, by_name: str, *, at: datetime
) -> None:
    appointment.ends_on = ends_on
    appointment.end_reason = reason[:500]
    appointment.end_recorded_by_name = by_name
    appointment.end_recorded_at = at
    appointment.save(
        update_fields=["ends_on", "end_reason", "end_recorded_by_name", "end_recorded_at"]
    )


def _void(
    appointment: Appointment,
    how: Appointment.VoidedAs,
    reason: str,
    by_name: str,
    *,
    at: datetime,
) -> None:
    appointment.voided_as = how
    appointment.voided_at = at
    appointment.voided_by_name = by_name
    appointment.void_reason = reason[:500]
    appointment.save(update_fields=["voided_as", "voided_at", "voided_by_name", "void_reason"])


def _tell_above(*changed: Appointment | None, at: datetime) -> None:
    """What counts changed: upper apps hear of each appointment that it touched.

    Before the log does: they end the ceremonies that it concerns, and whoever signs holds theirs
    when they ask for the log's lock, as everybody does last.
    """
    for appointment in changed:
        if appointment is not None:
            appointment_changed.send(sender=None, appointment=appointment, at=at)


def _consequences(planned: Plan) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if planned.former is not None:
        data["succeeds"] = planned.former.pk
    if planned.corrects is not None:
        data["corrects"] = planned.corrects.pk
    return data


def _log(
    event: str,
    appointment: Appointment,
    *,
    acting_user: Person | None,
    by: Appointment | None,
    at: datetime,
    data: dict[str, Any] | None = None,
    personal: str = "",
) -> None:
    ends_on = appointment.ends_on
    audit.record(
        event,
        at=at,
        actor=acting_user,
        office=by.office.key if by else "",
        appointment_id=by.pk if by else None,
        object_type="appointment",
        object_id=str(appointment.pk),
        data={
            "person_id": appointment.person_id,
            "office": appointment.office.key,
            "starts_on": appointment.starts_on.isoformat(),
            "ends_on": ends_on.isoformat() if ends_on else None,
            "acting": appointment.acting,
            **(data or {}),
        },
        personal_text=personal,
    )
