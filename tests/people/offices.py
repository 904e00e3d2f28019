"""Who is at hand where appointments are recorded, and what a refusal leaves as it was."""

from datetime import UTC, date, datetime, timedelta

from audit.models import Event
from notifications.models import OutgoingMail
from people import appointments
from people.models import Appointment, Company, Office, OfficeAbsence
from tests.boundaries.factories import everybody
from tests.people.factories import PersonFactory

# Friday, 20 November 2026, 10:00 in New York.
NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
TODAY = date(2026, 11, 20)
TOMORROW = TODAY + timedelta(days=1)
BOARD = "Board consent 2026-31"


def everyone():
    """Northwind's Office holders since 2026, and two Members who may be appointed."""
    Company.objects.update(created_at=datetime(2026, 1, 1, 14, tzinfo=UTC))
    people = everybody()
    people["ingrid"] = PersonFactory(name="Ingrid Sole")
    people["nadia"] = PersonFactory(name="Nadia Haddad")
    return people


def of(office, *, acting=False):
    """The newest record of the Office."""
    return Appointment.objects.filter(office__key=office, acting=acting).latest("pk")


def recorded(people, person, office, *, by="corporate_secretary", at=NOW, **more):
    """Record as the Secretary does, from tomorrow on unless it says otherwise."""
    return appointments.record(
        person=people[person],
        office_key=office,
        **{"starts_on": TOMORROW, **more},
        acting_user=people[by],
        at=at,
    )


def stand_in(people, person, office, *, by="corporate_secretary", at=NOW, **more):
    """Record who acts for the Office from tomorrow for 30 days."""
    days = {"starts_on": TOMORROW, "ends_on": TOMORROW + timedelta(days=30)}
    return recorded(
        people,
        person,
        office,
        by=by,
        at=at,
        **{**days, "instrument": "Memo 7", **more},
        acting=True,
    )


def confirmed(people, appointment, *, by="ceo", at=NOW):
    return appointments.confirm(appointment=appointment, acting_user=people[by], at=at)


def everything():
    """What no refusal may change: records, Offices, events and mails."""
    return (
        list(Appointment.objects.order_by("pk").values()),
        list(Office.objects.order_by("pk").values()),
        list(OfficeAbsence.objects.order_by("pk").values()),
        Event.objects.count(),
        OutgoingMail.objects.count(),
    )


def mails(kind=""):
    """Kinds (or, of one kind, addressees) of the mails owed, in order."""
    owed = OutgoingMail.objects.order_by("pk")
    if kind:
        return [one.name for one in owed.filter(kind=kind)]
    return [one.kind for one in owed]


def last_event():
    event = Event.objects.latest("sequence")
    return event.event, event.actor_id, event.office
