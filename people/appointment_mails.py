"""Who is told what of an appointment: once each, by keys that name it and the person."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.urls import reverse

from .calendar import add_business_days, company_country, company_date, date_words
from .models import Appointment, Person
from .offices import ADMINISTRATOR, CEO, CORPORATE_SECRETARY
from .queries import same_human, who_acts_for
from .recording import Plan, last_day_words
from .telling import tell

# Days after which the CEO is asked again for a confirmation: business days since it was recorded.
ASK_AGAIN_AFTER = (2, 5)
# How many business days before the last day it is said that nobody follows.
WARN_HOLDER_BEFORE = 10
WARN_STAND_IN_BEFORE = 3


def _days(one: Appointment) -> str:
    first = date_words(one.starts_on)
    return f"from {first}" + (f" to {last_day_words(one.ends_on)}" if one.ends_on else " on")


def _office_path(one: Appointment) -> str:
    return reverse("people:office", args=[one.office.key])


def _each(appointments: Iterable[Appointment | None]) -> list[Appointment]:
    """One appointment per distinct human being: nobody is told twice."""
    found: dict[int, Appointment] = {}
    for one in appointments:
        if one is not None:
            found.setdefault(one.person.human_id, one)
    return list(found.values())


def ask_for_confirmation(one: Appointment, *, at: datetime, after: int = 0) -> None:
    """Ask the CEO to confirm or refuse it; ``after`` so many business days, again."""
    ceo = who_acts_for([CEO], on=company_date(at)).get(CEO)
    if ceo is None:
        return
    what = f"{one.person.name} as {one.title} {_days(one)}"
    again = f"It has waited {after} business days. " if after else ""
    tell(
        ceo.person,
        kind="appointment-confirmation",
        key=f"appointment-confirmation:{one.pk}:{after}:{ceo.person_id}",
        subject=f"{one.person.name} as {one.title} waits for your confirmation",
        paragraphs=[
            f"{one.recorded_by_name} recorded {what}.",
            f"{again}Until you confirm it, it does not count.",
        ],
        action_label="Confirm or refuse it",
        action_path=reverse("people:confirm_appointment", args=[one.pk]),
        reason="Appointments to Offices that co-sign need the CEO’s confirmation.",
        at=at,
    )


def counts(one: Appointment, planned: Plan, *, by: str, at: datetime) -> None:
    """It counts: tell who is appointed, whom they succeed, and whom they stand in for."""
    of_office = f"the Office of the {one.office.short}"
    words = f"You act as {one.office.short}" if one.acting else f"You hold {of_office}"
    done = f"{'Confirmed' if one.confirmed_at else 'Recorded'} by {by}."
    paragraphs = [f"{words} {_days(one)}.", done]
    if one.scope:
        paragraphs.append(f"What you may do in it: {one.scope}")
    _about(one, one.person, "counts", f"{words} {_days(one)}", paragraphs, at=at)
    if planned.former is not None:
        former = planned.former
        _about(
            former,
            former.person,
            f"succeeded-{one.pk}",
            f"Your last day as {former.title} is {last_day_words(one.starts_on)}",
            [
                f"{one.person.name} is {one.title} from {date_words(one.starts_on)} on.",
                "What you signed stays as it is.",
            ],
            at=at,
        )
    if planned.corrects is not None and planned.corrects.person_id != one.person_id:
        _about(
            planned.corrects,
            planned.corrects.person,
            "corrected",
            f"The record that you were {planned.corrects.title} was corrected",
            [f"{by}: “{one.correction_reason}”"],
            at=at,
        )
    if one.acting and one.ends_on is not None:
        for holder in _beside(one):
            _about(
                one,
                holder.person,
                "stood-in-for",
                f"{one.person.name} acts as {one.office.short} {_days(one)}",
                [
                    f"Meanwhile you cannot act as {one.office.short} yourself.",
                    f"You can again from {date_words(one.ends_on)} on.",
                    done,
                ],
                at=at,
            )


def _beside(one: Appointment) -> list[Appointment]:
    """Holders of the Office on any day of an acting appointment."""
    found = (
        Appointment.objects.counting()
        .filter(office=one.office, acting=False, starts_on__lt=one.ends_on)
        .exclude(ends_on__lte=one.starts_on)
        .select_related("person", "office")
    )
    return _each(found)


def _about(
    one: Appointment, to: Person, kind: str, subject: str, paragraphs: list[str], *, at: datetime
) -> None:
    tell(
        to,
        kind=f"appointment-{kind.partition('-')[0] if kind.startswith('succeeded') else kind}",
        key=f"appointment-{kind}:{one.pk}:{to.pk}",
        subject=subject,
        paragraphs=paragraphs,
        action_label=f"See the Office of the {one.office.short}",
        action_path=_office_path(one),
        reason=f"It concerns your place in the Office of the {one.office.short}.",
        at=at,
    )


def answered(one: Appointment, *, confirmed: bool, reason: str, at: datetime) -> None:
    """Tell who recorded it what became of it."""
    if one.recorded_by is None:
        return
    done = "confirmed" if confirmed else "refused"
    who = one.confirmed_by_name if confirmed else one.voided_by_name
    said = (
        f"It counts {_days(one)}."
        if confirmed
        else f"“{reason}” It never counted. Record another one if it is still needed."
    )
    tell(
        one.recorded_by,
        kind=f"appointment-{done}",
        key=f"appointment-{done}:{one.pk}",
        subject=f"{one.person.name} as {one.title}: {done}",
        paragraphs=[f"{who}, {done} what you recorded. {said}"],
        action_label=f"See the Office of the {one.office.short}",
        action_path=_office_path(one),
        reason="You recorded this appointment.",
        at=at,
    )


def taken_back(one: Appointment, *, reason: str, at: datetime) -> None:
    """It counted and will not begin: tell who was to hold the Office, and the CEO."""
    ceo = who_acts_for([CEO], on=company_date(at)).get(CEO)
    told = {one.person.pk: one.person}
    if ceo is not None and one.office.co_signing:
        told.setdefault(ceo.person_id, ceo.person)
    for person in told.values():
        tell(
            person,
            kind="appointment-taken-back",
            key=f"appointment-taken-back:{one.pk}:{person.pk}",
            subject=f"{one.person.name} as {one.title} was taken back",
            paragraphs=[
                f"It was to begin on {date_words(one.starts_on)}. {one.voided_by_name}: “{reason}”"
            ],
            action_label=f"See the Office of the {one.office.short}",
            action_path=_office_path(one),
            reason="You were told of this appointment, or confirmed it.",
            at=at,
        )


def ended(one: Appointment, *, reason: str, at: datetime) -> None:
    """Tell whose it was and who can act again; of an Office that co-signs also the CEO."""
    assert one.ends_on is not None  # noqa: S101 - it was just given one
    last = last_day_words(one.ends_on)
    _about(
        one,
        one.person,
        "ended",
        f"Your last day as {one.title} is {last}",
        [f"{one.end_recorded_by_name}: “{reason}” What you signed stays as it is."],
        at=at,
    )
    ceo = who_acts_for([CEO], on=company_date(at)).get(CEO)
    if one.office.co_signing and ceo is not None and not same_human(ceo.person, one.person):
        tell(
            ceo.person,
            kind="appointment-ended",
            key=f"appointment-ended:{one.pk}:{ceo.person_id}",
            subject=f"{one.person.name}’s last day as {one.title} is {last}",
            paragraphs=[
                f"{one.end_recorded_by_name}: “{reason}”",
                "An end needs no confirmation. Who follows does.",
            ],
            action_label=f"See the Office of the {one.office.short}",
            action_path=_office_path(one),
            reason="You confirm who holds an Office that co-signs.",
            at=at,
        )
    if one.acting:
        for holder in _beside(one):
            _about(
                one,
                holder.person,
                "acts-again",
                f"You can act as {one.office.short} again from {date_words(one.ends_on)}",
                [
                    f"{one.person.name} acts for you to {last}.",
                    f"Recorded by {one.end_recorded_by_name}.",
                ],
                at=at,
            )


# --- What the calendar asks for ---------------------------------------------------------------


def remind(*, at: datetime) -> None:
    """Ask again for confirmations, and say where a last day comes near and nobody follows."""
    today, country = company_date(at), company_country()
    waiting = Appointment.objects.unconfirmed().select_related("person", "office")
    for one in waiting:
        recorded = company_date(one.recorded_at)
        due = [
            n for n in ASK_AGAIN_AFTER if add_business_days(recorded, n, country=country) <= today
        ]
        # Colliding steps (a worker that stood still) send the latest only.
        ask_for_confirmation(one, at=at, after=due[-1] if due else 0)
    for one in _ending(today):
        assert one.ends_on is not None  # noqa: S101 - the query asks for it
        before = WARN_STAND_IN_BEFORE if one.acting else WARN_HOLDER_BEFORE
        last = one.ends_on - timedelta(days=1)
        if add_business_days(today, before, country=country) >= last:
            _warn(one, last, on=today, at=at)


def _ending(today: date) -> list[Appointment]:
    """What ends within a month, after which nobody is recorded for its Office."""
    soon = list(
        Appointment.objects.on(today)
        .filter(ends_on__lte=today + timedelta(days=31), exclusive=True, office__established=True)
        .select_related("person", "office")
    )
    after = {one.office_id: one.ends_on for one in soon}
    found = []
    for one in soon:
        follows = (
            Appointment.objects.on(after[one.office_id] or today)
            .filter(office=one.office)
            .exclude(pk=one.pk)
        )
        # A stand-in ends and the holder is back: that is worth a word as well.
        if one.acting or not follows.filter(acting=False).exists():
            found.append(one)
    return found


def _warn(one: Appointment, last: date, *, on: date, at: datetime) -> None:
    seats = who_acts_for([CORPORATE_SECRETARY, ADMINISTRATOR, CEO], on=on)
    keeper = seats.get(CORPORATE_SECRETARY) or seats.get(ADMINISTRATOR)
    holder = (
        Appointment.objects.on(one.ends_on or on)
        .filter(office=one.office, acting=False)
        .select_related("person")
        .first()
    )
    if holder is not None:
        after = f"From then on {holder.person.name} acts as {one.office.short} again."
    else:
        after = f"Nobody is recorded to follow: from then on the Office of the {one.office.short} "
        after += "is vacant, and what needs it waits."
    for told in _each([keeper, seats.get(CEO)]):
        tell(
            told.person,
            kind="appointment-ends",
            key=f"appointment-ends:{one.pk}:{one.ends_on}:{told.person_id}",
            subject=f"{one.person.name}’s last day as {one.title} is {date_words(last)}",
            paragraphs=[after],
            action_label=f"See the Office of the {one.office.short}",
            action_path=_office_path(one),
            reason=f"You are {told.title}.",
            at=at,
        )
