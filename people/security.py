"""Security events: what of the log says who could get in, and who let them.

The Administrator reads these events and no others of the log.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

import audit
from audit.leaf import JSON, time_words
from audit.models import Event

from .calendar import company_date
from .models import Person
from .permissions import Act, require
from .security_words import Line, lines

# The first word of an event's name, and what the filter calls the kind.
KINDS = {
    "session": "Signing in and out",
    "factor": "Passkeys, codes and recovery codes",
    "password": "Passwords",
    "invitation": "Invitations",
    "person": "Accounts",
    "appointment": "Appointments",
    "office": "Offices",
    "token": "API tokens",
    "export": "Exports",
}
CSV_HEAD = ("event", "time_utc", "name", "who", "office", "what_happened", "said", "place")
# A program for tables would take a text that begins so for a formula, and run it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_AT_ONCE = 500


@dataclass(frozen=True)
class Filter:
    """Which security events: of one person, of one kind, on days in the reader's zone."""

    person: Person | None = None
    kind: str = ""
    first_day: date | None = None
    last_day: date | None = None

    def as_data(self) -> dict[str, JSON]:
        """What the log keeps of a filter that was exported."""
        return {
            "person_id": self.person.pk if self.person else None,
            "kind": self.kind,
            "first_day": self.first_day.isoformat() if self.first_day else None,
            "last_day": self.last_day.isoformat() if self.last_day else None,
            "zone": timezone.get_current_timezone_name(),
        }


def is_security_event(name: str) -> bool:
    return name.partition(".")[0] in KINDS


def events(wanted: Filter) -> QuerySet[Event]:
    """The security events that ``wanted`` asks for, newest first."""
    of_kind = Q()
    for kind in [wanted.kind] if wanted.kind in KINDS else KINDS:
        of_kind |= Q(event__startswith=f"{kind}.")
    found = Event.objects.filter(of_kind)
    if wanted.person is not None:
        found = found.filter(_concerning(wanted.person))
    if wanted.first_day:
        found = found.filter(at__gte=_midnight(wanted.first_day))
    if wanted.last_day:
        found = found.filter(at__lt=_midnight(wanted.last_day + timedelta(days=1)))
    return found.order_by("-sequence")


def nothing() -> QuerySet[Event]:
    """No event: what a filter that cannot be read lets through."""
    return Event.objects.none()


def _concerning(person: Person) -> Q:
    """What they did, what was done to their account, and what was recorded of them."""
    return (
        Q(actor_id=person.pk)
        | Q(object_type="person", object_id=str(person.pk))
        | Q(data__person_id=person.pk)
    )


def _midnight(day: date) -> datetime:
    """The instant at which ``day`` begins for the reader, in whose zone the page shows times."""
    return datetime.combine(day, time.min, tzinfo=timezone.get_current_timezone())


def lately(person: Person, limit: int = 3) -> list[Line]:
    """The last security events that concern the person, for the page of their own account."""
    return lines(list(events(Filter(person=person))[:limit]), with_said=False)


@transaction.atomic
def export(*, wanted: Filter, acting_user: Person, at: datetime) -> Iterator[tuple[str, ...]]:
    """The events that ``wanted`` asks for as rows of a CSV, its head first.

    That somebody took them away is an event too: it says which and how many, and is not among
    them. The rows come one chunk at a time, and are read outside this transaction.
    """
    held = require(acting_user, Act.READ_SECURITY_EVENTS, on=company_date(at))
    found = events(wanted)
    newest = found.first()
    upto = newest.sequence if newest else 0
    found = found.filter(sequence__lte=upto)
    audit.record(
        "export.made",
        at=at,
        actor=acting_user,
        office=held[0].office.key,
        appointment_id=held[0].pk,
        object_type="log",
        object_id="security",
        data={"what": "security events", "rows": found.count(), "filter": wanted.as_data()},
    )
    return _rows(found)


def _rows(found: QuerySet[Event]) -> Iterator[tuple[str, ...]]:
    yield CSV_HEAD
    last: int | None = None
    while True:
        # Page by page over the key: a cursor left open would hold SQLite's log back.
        page = list((found if last is None else found.filter(sequence__lt=last))[:_AT_ONCE])
        if not page:
            return
        for line in lines(page):
            yield tuple(_harmless(cell) for cell in _cells(line))
        last = page[-1].sequence


def _cells(line: Line) -> tuple[str, ...]:
    event = line.event
    return (
        str(event.sequence),
        time_words(event.at),
        event.event,
        line.who,
        event.office,
        line.words,
        f"erased on {line.erased_at:%Y-%m-%d} UTC" if line.erased_at else line.said,
        line.place,
    )


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
