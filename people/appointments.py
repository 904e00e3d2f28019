"""The verbs on Offices and Appointments."""

from datetime import date, datetime

from django.db import transaction
from django.db.models import Q

import audit

from .errors import AppointmentClash, InvalidAppointment
from .models import Appointment, Office, Person
from .offices import STANDARD_OFFICES


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
    """Record that ``person`` holds the Office from ``starts_on`` until ``ends_on`` (exclusive).

    ``acting_user`` is None only where a command sets up the company. Raises ``AppointmentClash``
    when another appointment of the same kind overlaps, ``InvalidAppointment`` for one that could
    not stand on its own.
    """
    if acting and (ends_on is None or not instrument):
        raise InvalidAppointment(
            "An acting appointment needs its last day and the written instrument it rests on."
        )
    if ends_on is not None and ends_on <= starts_on:
        raise InvalidAppointment("An appointment ends after the day it starts.")
    # The Office row is the lock: two clashing appointments cannot both pass the check below.
    office = Office.objects.select_for_update().get(key=office_key)
    overlapping = Appointment.objects.filter(office=office, acting=acting).filter(
        Q(ends_on__isnull=True) | Q(ends_on__gt=starts_on)
    )
    if ends_on is not None:
        overlapping = overlapping.filter(starts_on__lt=ends_on)
    clash = None if office.several_holders else overlapping.select_related("person").first()
    if clash is not None:
        raise AppointmentClash(
            f"{clash.person.name} holds the Office of the {office.short} from "
            f"{clash.starts_on:%d %b %Y}. End that appointment first."
        )
    appointment = Appointment.objects.create(
        person=person,
        office=office,
        starts_on=starts_on,
        ends_on=ends_on,
        acting=acting,
        instrument=instrument,
        exclusive=not office.several_holders,
        recorded_by=acting_user,
        recorded_at=at,
    )
    audit.record(
        "appointment.recorded",
        at=at,
        actor=acting_user,
        object_type="appointment",
        object_id=str(appointment.pk),
        data={
            "person_id": person.pk,
            "office": office.key,
            "starts_on": starts_on.isoformat(),
            "ends_on": ends_on.isoformat() if ends_on else None,
            "acting": acting,
        },
    )
    return appointment
