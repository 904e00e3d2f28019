"""Who holds what, on which date."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Q

from .models import Appointment, Office, Person


def accounts_of(person: Person) -> list[int]:
    """The ids of all accounts of the human being behind ``person``, the own one included."""
    human = person.human_id
    return list(
        Person.objects.filter(Q(pk=human) | Q(same_person_as=human))
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def same_human(a: Person, b: Person) -> bool:
    """Whether two accounts belong to one human being."""
    return a.human_id == b.human_id


def offices_stay(office_keys: Iterable[str]) -> None:
    """Until this transaction ends no change of who acts for these Offices comes to count.

    For acts that must be their holder's at that instant: who holds an Office is read after this.
    Every verb on appointments holds its Office's row.
    """
    offices = Office.objects.select_for_update(no_key=True).filter(key__in=list(office_keys))
    list(offices.order_by("pk").values_list("pk"))


@dataclass(frozen=True)
class Held:
    """What somebody is appointed to on a day: what they act by, and what rests meanwhile."""

    active: Sequence[Appointment]
    # An appointment in whose place another acts, and the one that does: its holder only reads.
    resting: Sequence[tuple[Appointment, Appointment]]


def held_by(person: Person, *, on: date) -> Held:
    """The appointments of ``person`` that count on ``on``; two queries at most."""
    mine = list(
        Appointment.objects.on(on)
        .filter(person=person)
        .select_related("office", "person")
        .order_by("office__position")
    )
    if not mine:
        return Held((), ())
    stand_ins = {
        one.office_id: one
        for one in Appointment.objects.on(on)
        .filter(acting=True, office__in=[one.office_id for one in mine])
        .select_related("office", "person")
    }
    return Held(
        active=[one for one in mine if one.acting or one.office_id not in stand_ins],
        resting=[
            (one, stand_ins[one.office_id])
            for one in mine
            if not one.acting and one.office_id in stand_ins
        ],
    )


def appointments_of(person: Person, *, on: date) -> list[Appointment]:
    """The appointments by which ``person`` acts on ``on``.

    While an acting appointment for an Office runs, its holder cannot act: theirs is left out.
    """
    return list(held_by(person, on=on).active)


def is_appointed(person: Person, office_key: str, *, on: date) -> bool:
    """Whether the human being behind ``person`` is appointed to the Office on ``on``.

    In whichever of their accounts, as holder or Acting, and also while another acts for it.
    """
    human = person.human_id
    return (
        Appointment.objects.on(on)
        .filter(Q(person=human) | Q(person__same_person_as=human), office__key=office_key)
        .exists()
    )


def who_acts_for(office_keys: Iterable[str], *, on: date) -> dict[str, Appointment]:
    """Map each Office key to the appointment that acts for it on ``on`` (vacant ones left out).

    One query, whatever the number of Offices. An acting appointment goes before the holder's, who
    cannot act while it runs: where the stand-in's account is closed, nobody acts.
    """
    acting: dict[str, Appointment] = {}
    found = (
        Appointment.objects.on(on)
        .filter(office__key__in=list(office_keys))
        .select_related("office", "person")
        .order_by("acting", "starts_on", "pk")
    )
    for one in found:
        if one.person.is_active:
            acting[one.office.key] = one  # the acting one comes last and wins
        elif one.acting:
            acting.pop(one.office.key, None)
    return acting


def holder_of(office_key: str, *, on: date) -> Appointment | None:
    """The appointment that acts for the Office on ``on``, or None when it is vacant."""
    return who_acts_for([office_key], on=on).get(office_key)
