"""Who holds what, on which date."""

from collections.abc import Iterable
from datetime import date

from .models import Appointment, Person


def appointments_of(person: Person, *, on: date) -> list[Appointment]:
    """The appointments of ``person`` that count on ``on``.

    While an acting appointment for an Office runs, its holder cannot act: theirs is left out.
    """
    mine = list(
        Appointment.objects.on(on)
        .filter(person=person)
        .select_related("office", "person")
        .order_by("office__position")
    )
    if not mine:
        return []
    stood_in_for = set(
        Appointment.objects.on(on)
        .filter(acting=True, office__in=[one.office_id for one in mine])
        .exclude(person=person)
        .values_list("office_id", flat=True)
    )
    return [one for one in mine if one.acting or one.office_id not in stood_in_for]


def is_appointed(person: Person, office_key: str, *, on: date) -> bool:
    """Whether ``person`` is appointed to the Office on ``on``, also while another acts for it."""
    return Appointment.objects.on(on).filter(person=person, office__key=office_key).exists()


def who_acts_for(office_keys: Iterable[str], *, on: date) -> dict[str, Appointment]:
    """Map each Office key to the appointment that acts for it on ``on`` (vacant ones left out).

    One query, whatever the number of Offices. An acting appointment goes before the holder's.
    """
    acting: dict[str, Appointment] = {}
    found = (
        Appointment.objects.on(on)
        .filter(office__key__in=list(office_keys), person__is_active=True)
        .select_related("office", "person")
        .order_by("acting", "starts_on", "pk")
    )
    for one in found:
        acting[one.office.key] = one  # the acting one comes last and wins
    return acting


def holder_of(office_key: str, *, on: date) -> Appointment | None:
    """The appointment that acts for the Office on ``on``, or None when it is vacant."""
    return who_acts_for([office_key], on=on).get(office_key)
