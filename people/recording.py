"""What recording an appointment comes to, found out before it is recorded.

``plan`` asks every question that may refuse it and says what it would do; the verbs of
``people.appointments`` write exactly that. The page asks the same function first, so that nobody is
surprised by what follows.

Who records: the Corporate Secretary. The Administrator records the first appointment of an Office,
the Corporate Secretary whenever that seat is vacant and, as long as no Corporate Secretary was ever
appointed, any. Nobody records their own, in whichever account.

Which count at once: all but those to co-signing Offices, which the CEO confirms, Acting ones too.
The CEO's own, Acting too, name the board's decision instead.
"""

import calendar
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256

from django.db.models import Q

from .calendar import company_date, date_words
from .errors import (
    AppointmentClash,
    InvalidAppointment,
    NotYourOffice,
    OfficeNotEstablished,
    OwnAppointment,
    SubDelegation,
)
from .models import Appointment, AppointmentQuerySet, Company, Office, Person
from .offices import ADMINISTRATOR, CEO, CORPORATE_SECRETARY
from .permissions import Act, require
from .queries import holder_of, same_human, who_acts_for
from .registry import Effect, PlannedHolder, acts_by, effects

# An appointment is recorded when it is decided: one further off is a slip of the keyboard.
FURTHEST_START_MONTHS = 18
# So is one outside these days; and the days beside them can still be reckoned with.
EARLIEST_DAY, LATEST_DAY = date(1900, 1, 1), date(2199, 12, 31)
LONGEST_ACTING_MONTHS = 12


@dataclass(frozen=True)
class Plan:
    """One appointment that may be recorded, or confirmed, and what that does to others."""

    person: Person
    office: Office
    starts_on: date
    ends_on: date | None
    acting: bool
    instrument: str
    scope: str
    needs_confirmation: bool
    # Whose appointment ends on the day before this one begins.
    former: Appointment | None = None
    corrects: Appointment | None = None

    @property
    def title(self) -> str:
        return f"Acting {self.office.short}" if self.acting else self.office.short

    @property
    def mark(self) -> str:
        """Equal for equal plans: what was checked on the page is what gets recorded."""
        facts = (
            self.person.pk,
            self.office.pk,
            self.starts_on,
            self.ends_on,
            self.acting,
            self.instrument,
            self.scope,
            self.needs_confirmation,
            self.former.pk if self.former else None,
            self.corrects.pk if self.corrects else None,
        )
        return sha256(repr(facts).encode()).hexdigest()


def months_after(day: date, months: int) -> date:
    """The same day ``months`` later, or the last of that month where it has none."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    month += 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def last_day_words(ends_on: date) -> str:
    """The last day before the exclusive end, as people read it."""
    return date_words(ends_on - timedelta(days=1))


def last_act_day(appointment: Appointment) -> date | None:
    """The company's day on which somebody last signed by the appointment; None: never."""
    acts = acts_by(appointment)
    return company_date(acts[-1]) if acts else None


def refuse_end_before_act(appointment: Appointment, ends_on: date) -> None:
    """Nobody signs for an Office on a day on which the record then says they did not hold it."""
    signed_on = last_act_day(appointment)
    if signed_on is not None and ends_on <= signed_on:
        day = date_words(signed_on)
        raise InvalidAppointment(
            f"{appointment.person.name} signed as {appointment.title} on {day}: the last day is "
            f"{day} at the earliest.",
            field="last_day",
        )


# --- Who records ------------------------------------------------------------------------------


def secretary_ever() -> bool:
    """Whether a Corporate Secretary was ever appointed: from then on it is their task."""
    return Appointment.objects.counting().filter(office__key=CORPORATE_SECRETARY).exists()


def keeper(acting_user: Person, *, at: datetime) -> Appointment:
    """The appointment by which ``acting_user`` keeps the Offices, or ``NotYourOffice``.

    A Corporate Secretary's; an Administrator's as long as there never was a Secretary.
    """
    held = require(acting_user, Act.RECORD_APPOINTMENT, on=company_date(at))
    for one in held:
        if one.office.key == CORPORATE_SECRETARY:
            return one
    if secretary_ever():
        raise NotYourOffice(
            "This is for the Corporate Secretary. The Administrator records the first appointment "
            "of each Office, and a Corporate Secretary while there is none."
        )
    return held[0]


def recorder(acting_user: Person, office: Office, *, at: datetime) -> Appointment:
    """The appointment by which ``acting_user`` may record one to ``office``."""
    today = company_date(at)
    held = require(acting_user, Act.RECORD_APPOINTMENT, on=today)
    first = not Appointment.objects.counting().filter(office=office).exists()
    vacant_seat = office.key == CORPORATE_SECRETARY and not who_acts_for([office.key], on=today)
    by_administrator = next((one for one in held if one.office.key == ADMINISTRATOR), None)
    if by_administrator and (first or vacant_seat):
        return by_administrator
    return keeper(acting_user, at=at)


def recordable(reader: Person, *, at: datetime) -> list[Office]:
    """The Offices whose appointments ``reader`` may record now, in their order."""
    today = company_date(at)
    try:
        held = require(reader, Act.RECORD_APPOINTMENT, on=today)
    except NotYourOffice:
        return []
    offices = list(Office.objects.filter(established=True))
    if any(one.office.key == CORPORATE_SECRETARY for one in held) or not secretary_ever():
        return offices
    ever = set(Appointment.objects.counting().values_list("office_id", flat=True))
    if not who_acts_for([CORPORATE_SECRETARY], on=today):
        ever -= {one.pk for one in offices if one.key == CORPORATE_SECRETARY}
    return [one for one in offices if one.pk not in ever]


def may_record_to(reader: Person, office: Office, *, at: datetime) -> bool:
    """Whether pages offer to record an appointment to ``office``."""
    if not office.established:
        return False
    try:
        recorder(reader, office, at=at)
    except NotYourOffice:
        return False
    return True


def proposer(acting_user: Person, office: Office, *, at: datetime) -> Appointment:
    """The appointment by which ``acting_user`` may propose who stands in for them."""
    held = require(acting_user, Act.PROPOSE_STAND_IN, on=company_date(at))
    for one in held:
        if one.office_id == office.pk:
            if one.acting:
                raise SubDelegation(
                    f"You stand in for the {office.short} yourself, and a stand-in names no "
                    "stand-in. Ask the Corporate Secretary to record another one."
                )
            return one
    raise NotYourOffice(
        f"Only who holds the Office of the {office.short} proposes its stand-in. "
        "For your own Office you may."
    )


# --- What may be recorded ---------------------------------------------------------------------


def plan(
    *,
    person: Person,
    office: Office,
    starts_on: date,
    ends_on: date | None,
    acting: bool,
    instrument: str,
    scope: str,
    by: Appointment,
    acting_user: Person,
    at: datetime,
    corrects: Appointment | None = None,
) -> Plan:
    """Ask all that may stand against it; raises a ``Refused`` that says what to do instead."""
    today = company_date(at)
    _refuse_own(person, corrects, acting_user)
    if acting and by.acting:
        raise SubDelegation(
            f"You act as {by.office.short} yourself, and a stand-in appoints no stand-in. It waits "
            f"for the {by.office.short}."
        )
    _refuse_impossible(person, office, starts_on, ends_on, acting, instrument, today)
    _refuse_acting_ceo(person, office, starts_on, ends_on, acting)
    if corrects is None:
        _refuse_rewriting(office, starts_on, ends_on, acting, today)
    _refuse_second_waiting(office, starts_on, ends_on, acting)
    return Plan(
        person=person,
        office=office,
        starts_on=starts_on,
        ends_on=ends_on,
        acting=acting,
        instrument=instrument,
        scope=scope,
        needs_confirmation=office.co_signing,
        former=former_of(person, office, starts_on, ends_on, acting, corrects, today=today),
        corrects=corrects,
    )


def plan_confirmation(appointment: Appointment, *, at: datetime) -> Plan:
    """What confirming does today: all may have changed since it was recorded.

    What was to begin meanwhile begins today, so that no past day gets another holder. Two may lie
    in the past all the same: the first appointment of an Office, and a correction.
    """
    today, office, starts_on = company_date(at), appointment.office, appointment.starts_on
    if starts_on < today and appointment.corrects is None and not _is_history(appointment):
        starts_on = today
    if appointment.ends_on is not None and appointment.ends_on <= starts_on:
        raise InvalidAppointment(
            f"Its last day, {last_day_words(appointment.ends_on)}, is over. Refuse it; a new one "
            "can be recorded."
        )
    if appointment.corrects is not None and not appointment.corrects.counts:
        raise InvalidAppointment("What it corrects was corrected already. Refuse this one.")
    if appointment.recorded_by and same_human(appointment.recorded_by, appointment.person):
        raise OwnAppointment(
            f"{appointment.recorded_by_name} recorded it, and the accounts are linked: nobody "
            "records their own appointment. Refuse it, and have somebody else record it."
        )
    _refuse_absent(appointment.person, office)
    _refuse_acting_ceo(
        appointment.person, office, starts_on, appointment.ends_on, appointment.acting
    )
    return Plan(
        person=appointment.person,
        office=office,
        starts_on=starts_on,
        ends_on=appointment.ends_on,
        acting=appointment.acting,
        instrument=appointment.instrument,
        scope=appointment.scope,
        needs_confirmation=False,
        former=former_of(
            appointment.person,
            office,
            starts_on,
            appointment.ends_on,
            appointment.acting,
            appointment.corrects,
            today=today,
        ),
        corrects=appointment.corrects,
    )


def _is_history(appointment: Appointment) -> bool:
    """Whether it may begin in the past: the Office's first, or one from before the registry."""
    return _may_begin_in_the_past(appointment.office, appointment.ends_on)


def _refuse_own(person: Person, corrects: Appointment | None, acting_user: Person) -> None:
    if same_human(person, acting_user) or (corrects and same_human(corrects.person, acting_user)):
        raise OwnAppointment(
            "Nobody records their own appointment, nor that of an account linked with theirs. "
            "Have somebody else record it.",
            field="person",
        )


def _refuse_absent(person: Person, office: Office) -> None:
    if not person.is_active:
        raise InvalidAppointment(
            f"The account of {person.name} is closed. Have the Administrator open it first.",
            field="person",
        )
    if not office.established:
        raise OfficeNotEstablished(
            f"The company has no {office.short} at present. Establish the Office first."
        )


def _refuse_acting_ceo(
    person: Person, office: Office, starts_on: date, ends_on: date | None, acting: bool
) -> None:
    """The CEO confirms who acts for a co-signing Office and approves what it signs."""
    if not (acting and office.co_signing):
        return
    ceos = Appointment.objects.counting().filter(office__key=CEO).select_related("person")
    for one in _overlapping(ceos, starts_on, ends_on):
        if same_human(one.person, person):
            raise InvalidAppointment(
                f"{person.name} is {one.title} in that time, and who is the CEO names another "
                f"person Acting {office.short}. Choose somebody else.",
                field="person",
            )


def _refuse_impossible(
    person: Person,
    office: Office,
    starts_on: date,
    ends_on: date | None,
    acting: bool,
    instrument: str,
    today: date,
) -> None:
    """What could not stand on its own, whoever else holds the Office."""
    _refuse_absent(person, office)
    if ends_on is not None and ends_on <= starts_on:
        raise InvalidAppointment("The last day is not before the first.", field="last_day")
    if starts_on < EARLIEST_DAY or (
        ends_on is not None and ends_on - timedelta(days=1) > LATEST_DAY
    ):
        raise InvalidAppointment(
            f"Give days between {date_words(EARLIEST_DAY)} and {date_words(LATEST_DAY)}.",
            field="starts_on" if starts_on < EARLIEST_DAY else "last_day",
        )
    furthest = months_after(today, FURTHEST_START_MONTHS)
    if starts_on > furthest:
        raise InvalidAppointment(
            f"It begins more than {FURTHEST_START_MONTHS} months ahead. Give a first day up to "
            f"{date_words(furthest)}.",
            field="starts_on",
        )
    if acting and (ends_on is None or not instrument):
        raise InvalidAppointment(
            "An acting appointment needs its last day and the written instrument it rests on.",
            field="instrument" if ends_on else "last_day",
        )
    if acting and ends_on is not None and ends_on > months_after(starts_on, LONGEST_ACTING_MONTHS):
        raise InvalidAppointment(
            f"A stand-in acts for at most {LONGEST_ACTING_MONTHS} months: until "
            f"{last_day_words(months_after(starts_on, LONGEST_ACTING_MONTHS))}.",
            field="last_day",
        )
    if acting and office.several_holders:
        raise InvalidAppointment(
            f"The Office of the {office.short} may have several holders and needs no stand-in. "
            "Record another holder.",
            field="kind",
        )
    if office.key == CEO and not instrument:
        raise InvalidAppointment(
            "The CEO’s appointment rests on the board’s decision. Name it under “Instrument”, such "
            "as “Board consent 2026-31, 14 Dec 2026”.",
            field="instrument",
        )


def _may_begin_in_the_past(office: Office, ends_on: date | None) -> bool:
    if not Appointment.objects.counting().filter(office=office, acting=False).exists():
        return True
    company = Company.objects.first()
    begun = company_date(company.created_at) if company else None
    return begun is not None and ends_on is not None and ends_on <= begun


def _refuse_rewriting(
    office: Office, starts_on: date, ends_on: date | None, acting: bool, today: date
) -> None:
    """Past days keep who held them. What was before the registry may be told afterwards."""
    if starts_on >= today or (not acting and _may_begin_in_the_past(office, ends_on)):
        return
    raise InvalidAppointment(
        f"It can begin today, {date_words(today)}, or later: who held the Office until now stays "
        "on record. Correct an earlier record where it is wrong.",
        field="starts_on",
    )


def _overlapping(
    found: AppointmentQuerySet, starts_on: date, ends_on: date | None
) -> AppointmentQuerySet:
    found = found.filter(Q(ends_on__isnull=True) | Q(ends_on__gt=starts_on))
    return found if ends_on is None else found.filter(starts_on__lt=ends_on)


def _refuse_second_waiting(
    office: Office, starts_on: date, ends_on: date | None, acting: bool
) -> None:
    waiting = (
        _overlapping(
            Appointment.objects.unconfirmed().filter(office=office, acting=acting),
            starts_on,
            ends_on,
        )
        .select_related("person", "office")
        .first()
    )
    if waiting is not None:
        raise AppointmentClash(
            f"{waiting.person.name} was recorded as {waiting.title} from "
            f"{date_words(waiting.starts_on)} and waits for the CEO’s confirmation. Have that one "
            "taken back or refused first.",
            about=waiting,
        )


def former_of(
    person: Person,
    office: Office,
    starts_on: date,
    ends_on: date | None,
    acting: bool,
    corrects: Appointment | None,
    *,
    today: date,
    succeeds: bool = True,
) -> Appointment | None:
    """The open-ended holder whom this one succeeds; ``AppointmentClash`` for any other overlap.

    With ``succeeds`` false an open-ended holder is a clash too.
    """
    counting = Appointment.objects.counting().filter(office=office).select_related("person")
    if corrects is not None:
        counting = counting.exclude(pk=corrects.pk)
    _refuse_acting_for_oneself(counting, person, office, starts_on, ends_on, acting)
    overlapping = _overlapping(counting.filter(acting=acting), starts_on, ends_on)
    if office.several_holders:
        clashes = [one for one in overlapping if same_human(one.person, person)]
    else:
        clashes = list(overlapping.order_by("starts_on"))
    if not clashes:
        return None
    clash = clashes[0]
    replaceable = (
        clash.ends_on is None and today <= starts_on and clash.starts_on < starts_on and not acting
    )
    same = same_human(clash.person, person)
    if succeeds and replaceable and not corrects and not same and len(clashes) == 1:
        _refuse_succession_before_act(clash, starts_on)
        return clash
    follows = succeeds and not (corrects or same or acting or office.several_holders)
    raise AppointmentClash(_clash_words(clash, office, today, follows=follows), about=clash)


def _refuse_succession_before_act(former: Appointment, starts_on: date) -> None:
    signed_on = last_act_day(former)
    if signed_on is not None and starts_on <= signed_on:
        raise AppointmentClash(
            f"{former.person.name} signed as {former.title} on {date_words(signed_on)}: a "
            f"successor begins on {date_words(signed_on + timedelta(days=1))} at the earliest.",
            field="starts_on",
            about=former,
        )


def _clash_words(clash: Appointment, office: Office, today: date, *, follows: bool) -> str:
    if clash.ends_on is None and clash.starts_on >= today:
        return _clash_with_what_begins(clash, office, today, follows=follows)
    since = date_words(clash.starts_on)
    if clash.acting and clash.ends_on is not None:
        return (
            f"{clash.person.name} acts as {office.short} from {since} to "
            f"{last_day_words(clash.ends_on)}. Choose other days, or end that appointment first."
        )
    if clash.ends_on is None:
        return (
            f"{clash.person.name} holds the Office of the {office.short} from {since}. End that "
            "appointment first."
        )
    return (
        f"{clash.person.name} holds the Office of the {office.short} from {since} to "
        f"{last_day_words(clash.ends_on)}. Begin on {date_words(clash.ends_on)}, or end that "
        "appointment first."
    )


def _clash_with_what_begins(
    clash: Appointment, office: Office, today: date, *, follows: bool
) -> str:
    """Who begins today, or later, cannot be ended on a day before; they can be followed."""
    name, first = clash.person.name, date_words(clash.starts_on)
    after = date_words(clash.starts_on + timedelta(days=1))
    other = f"give {after} or later as the first day" if follows else "choose days before that one"
    if clash.starts_on == today:
        return (
            f"{name} holds the Office of the {office.short} from today, {first}. Correct that "
            f"record if it is wrong, or {other}."
        )
    return f"{name} is recorded as {clash.title} from {first}. Take that record back, or {other}."


def settle_words(held: Appointment, *, today: date) -> str:
    """How an appointment is got out of the way of what waits for the Office to be free."""
    if not held.counts:
        return "Have that one taken back or refused first."
    if held.starts_on > today:
        return "Take that record back first."
    if held.ends_on is not None and held.end_recorded_at is not None:
        return f"Its last day is {last_day_words(held.ends_on)}: come back on the day after."
    signed_on = last_act_day(held)
    if held.starts_on == today or signed_on == today:
        after = date_words(today + timedelta(days=1))
        why = "It began today" if held.starts_on == today else f"{held.person.name} signed today"
        wrong = " If the record is wrong, correct it instead." if held.starts_on == today else ""
        return f"{why}: end it with today as its last day, and come back on {after}.{wrong}"
    return "End that appointment first."


def _refuse_acting_for_oneself(
    counting: AppointmentQuerySet,
    person: Person,
    office: Office,
    starts_on: date,
    ends_on: date | None,
    acting: bool,
) -> None:
    """Holder and stand-in of one Office are two people on any day."""
    for one in _overlapping(counting.filter(acting=not acting), starts_on, ends_on):
        if not same_human(one.person, person):
            continue
        if acting:
            raise SubDelegation(
                f"{person.name} holds the Office of the {office.short} in that time, and nobody "
                "acts for themselves.",
                field="person",
            )
        raise AppointmentClash(
            f"{person.name} acts as {office.short} to {last_day_words(one.ends_on or starts_on)}, "
            "and nobody acts for themselves. Begin on the day after, or end that acting "
            "appointment first.",
            field="starts_on",
            about=one,
        )


# --- What it does -----------------------------------------------------------------------------


def effects_of(
    planned: Plan, *, reads_drafts: bool = True, whose_reason: str = "your"
) -> list[Effect]:
    """Everything that follows, said before it is recorded or confirmed.

    Without what only readers of drafts may know where the reader is none. ``whose_reason``: who
    said why a record was wrong, as the reader knows them.
    """
    found: list[Effect] = []
    if planned.corrects is not None:
        found.append(_correction(planned.corrects, whose_reason))
        found += _signatures(planned.corrects)
    if planned.former is not None:
        name = planned.former.person.name
        found.append(
            Effect(
                f"{name}’s appointment ends on {last_day_words(planned.starts_on)}",
                f"Nothing that {name} signed changes. History is never rewritten",
            )
        )
    found.append(_what_begins(planned))
    if planned.corrects is not None:
        found += _gaps(planned, planned.corrects)
    found += _beside(planned)
    found += _warnings(planned)
    found += effects(
        PlannedHolder(
            person=planned.person,
            office=planned.office,
            starts_on=planned.starts_on,
            ends_on=planned.ends_on,
            acting=planned.acting,
        )
    )
    return [one for one in found if reads_drafts or not one.of_drafts]


def _correction(wrong: Appointment, whose: str) -> Effect:
    until = f"to {last_day_words(wrong.ends_on)}" if wrong.ends_on else "with no last day"
    return Effect(
        f"The record that {wrong.person.name} is {wrong.title} from {date_words(wrong.starts_on)} "
        f"{until} is struck as wrong",
        f"It stays readable, with {whose} reason",
    )


def _signatures(wrong: Appointment) -> list[Effect]:
    """What was signed by a record that is struck."""
    days = [company_date(at) for at in acts_by(wrong)]
    if not days:
        return []
    given = date_words(days[-1])
    if days[0] != days[-1]:
        given = f"{date_words(days[0])} to {given}"
    stays = "and the record stays readable"
    if len(days) == 1:
        return [Effect(f"1 signature of {given} rests on this record; it stays, {stays}")]
    return [Effect(f"{len(days)} signatures of {given} rest on this record; they stay, {stays}")]


def _gaps(planned: Plan, wrong: Appointment) -> list[Effect]:
    """When nobody holds the Office any more because a record is struck."""
    if wrong.acting:
        return []
    counting = Appointment.objects.counting().filter(office=planned.office)
    beside = _overlapping(counting.exclude(pk=wrong.pk), wrong.starts_on, wrong.ends_on)
    covered = [(one.starts_on, one.ends_on) for one in beside]
    covered.append((planned.starts_on, planned.ends_on))
    found, free_from = [], wrong.starts_on
    short = planned.office.short
    for starts_on, ends_on in sorted(covered, key=lambda span: span[0]):
        until = starts_on if wrong.ends_on is None else min(starts_on, wrong.ends_on)
        if until > free_from:
            found.append(
                Effect(
                    f"From {date_words(free_from)} to {last_day_words(until)} the {short} is vacant"
                )
            )
        if ends_on is None:
            return found
        free_from = max(free_from, ends_on)
    if wrong.ends_on is None:
        note = "What needs it waits until a holder or a stand-in is recorded"
        found.append(Effect(f"From {date_words(free_from)} the {short} is vacant", note))
    elif free_from < wrong.ends_on:
        found.append(
            Effect(
                f"From {date_words(free_from)} to {last_day_words(wrong.ends_on)} the {short} is "
                "vacant"
            )
        )
    return found


def _what_begins(planned: Plan) -> Effect:
    first, name = date_words(planned.starts_on), planned.person.name
    if planned.acting and planned.ends_on is not None:
        return Effect(
            f"From {first} to {last_day_words(planned.ends_on)} {name} acts as "
            f"{planned.office.short}",
            f"Everything signed by it says “Acting {planned.office.short}”",
        )
    if planned.ends_on is None:
        return Effect(f"From {first} the {planned.office.short} is {name}")
    return Effect(
        f"From {first} to {last_day_words(planned.ends_on)} the {planned.office.short} is {name}"
    )


def _beside(planned: Plan) -> list[Effect]:
    """Who cannot act meanwhile: the holder while somebody stands in."""
    others = _overlapping(
        Appointment.objects.counting().filter(office=planned.office, acting=not planned.acting),
        planned.starts_on,
        planned.ends_on,
    ).select_related("person")
    if planned.acting and planned.ends_on is not None:
        back = date_words(planned.ends_on)
        holders = [one.person.name for one in others]
        if not holders:
            return [Effect(f"The Office of the {planned.office.short} stays vacant", "")]
        return [
            Effect(f"{name} cannot act as {planned.office.short} until {back}") for name in holders
        ]
    return [
        Effect(
            f"{one.person.name} acts as {planned.office.short} to {last_day_words(one.ends_on)}",
            f"Until then {planned.person.name} cannot act. End that stand-in first if that is not "
            "wanted",
        )
        for one in others
        if one.ends_on is not None and not planned.office.several_holders
    ]


def _warnings(planned: Plan) -> list[Effect]:
    """One human being with several Offices: what they then cannot do themselves."""
    human = planned.person.human_id
    held = [
        one
        for one in _overlapping(
            Appointment.objects.counting().filter(
                Q(person=human) | Q(person__same_person_as=human)
            ),
            planned.starts_on,
            planned.ends_on,
        ).select_related("office", "person")
        if one.office_id != planned.office.pk
    ]
    name = planned.person.name
    if planned.office.key == CEO:
        return [
            Effect(
                f"{name} is {one.title} as well",
                f"While {name} is {planned.title}, somebody else must be named Acting "
                f"{one.office.short} to sign",
            )
            for one in held
            if one.office.co_signing
        ]
    if not planned.office.co_signing:
        return []
    found = []
    for one in held:
        if one.office.key == CEO:
            found.append(
                Effect(
                    f"{name} is {one.title} as well, and the CEO co-signs nothing",
                    f"Somebody else must be named Acting {planned.office.short} to sign",
                )
            )
        elif one.office.co_signing:
            found.append(
                Effect(
                    f"{name} is {one.title} as well and signs once for both",
                    "At least two people must co-sign: nothing can be signed while one person "
                    "holds every co-signing Office",
                )
            )
    return found


def ceo_name(*, on: date) -> str:
    """Who confirms on the date ``on``: "Helen Marsh, CEO"; "" while nobody can."""
    ceo = holder_of(CEO, on=on)
    return f"{ceo.person.name}, {ceo.title}" if ceo else ""
