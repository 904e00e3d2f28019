"""Security events in plain language: one sentence for each kind of event.

A sentence reads after whoever acted: "Maya Lindqvist signed in with a passkey". An event that has
no sentence here is told by its name, so that nothing is left out.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Min, Q

from audit.models import Event, PersonalText

from .calendar import date_words
from .models import Appointment, Invitation, Office, Person
from .offices import office_short


@dataclass(frozen=True)
class Line:
    """One event as a person reads it."""

    event: Event
    who: str  # "Maya Lindqvist", or "The registry" where nobody was signed in
    words: str  # "signed in with a passkey"
    said: str  # a reason or an address, as it was given; "" where it was erased
    place: str  # "new place", "same place as event 12", or "" where none was kept
    person_id: int | None  # whose account to lead to

    @property
    def sentence(self) -> str:
        return f"{self.who} {self.words}"


@dataclass(frozen=True)
class Known:
    """Names of what some events speak of, each kind fetched once."""

    people: dict[int, str]
    invited: dict[int, str]
    appointments: dict[int, Appointment]
    offices: dict[str, str]
    said: dict[int, str]
    first_from: dict[tuple[int | None, str], int]

    def person(self, key: Any) -> str:
        return self.people.get(_int(key) or 0, "somebody")

    def office(self, key: str) -> str:
        return self.offices.get(key) or office_short(key)


def lines(page: Sequence[Event], *, with_said: bool = True) -> list[Line]:
    """Each event in words, in the order given; always the same number of queries."""
    known = _known(page, with_said=with_said)
    return [_line(one, known) for one in page]


def _line(event: Event, known: Known) -> Line:
    words = _WORDS.get(event.event, _by_name)(event, known)
    first = known.first_from.get((event.actor_id, event.ip_hash), event.sequence)
    place = ""
    if event.ip_hash:
        place = "new place" if first == event.sequence else f"same place as event {first}"
    about = _int(event.object_id) if event.object_type == "person" else event.actor_id
    return Line(
        event=event,
        who=event.actor_name or "The registry",
        words=words,
        said=known.said.get(event.sequence, ""),
        place=place,
        person_id=about if about in known.people else None,
    )


def _known(page: Sequence[Event], *, with_said: bool) -> Known:
    people: set[int | None] = {one.actor_id for one in page}
    people |= set(_ids(page, "person"))
    for one in page:
        people |= {_int(value) for key, value in one.data.items() if key.endswith("person_id")}
    keys = {one for one in people if one is not None}
    # Who has been where before is asked of the same people only: that much an index can tell.
    seen = Event.objects.filter(
        Q(actor_id__in=keys) | Q(actor_id__isnull=True),
        ip_hash__in={one.ip_hash for one in page if one.ip_hash},
    )
    first = seen.order_by().values_list("actor_id", "ip_hash").annotate(first=Min("sequence"))
    said = PersonalText.objects.filter(sequence__in=[one.sequence for one in page])
    return Known(
        people=dict(Person.objects.filter(pk__in=keys).values_list("pk", "name")),
        invited=dict(
            Invitation.objects.filter(pk__in=_ids(page, "invitation")).values_list("pk", "name")
        ),
        appointments=Appointment.objects.select_related("person", "office").in_bulk(
            _ids(page, "appointment")
        ),
        offices=dict(Office.objects.values_list("key", "short")),
        said=dict(said.values_list("sequence", "text")) if with_said else {},
        first_from={(actor, place): sequence for actor, place, sequence in first},
    )


def _ids(page: Iterable[Event], object_type: str) -> list[int]:
    found = (_int(one.object_id) for one in page if one.object_type == object_type)
    return [one for one in found if one is not None]


def _int(value: Any) -> int | None:
    return int(value) if str(value).isdecimal() else None


# --- The sentences ----------------------------------------------------------------------------

Words = Callable[[Event, Known], str]

_METHODS = {
    "password": "a password",
    "passkey": "a passkey",
    "webauthn": "a passkey",
    "totp": "a code",
    "code": "a code",
    "recovery_codes": "a recovery code",
    "recovery_code": "a recovery code",
    "recovery": "a recovery code",
    "single_sign_on": "single sign-on",
    "socialaccount": "single sign-on",
}
_FACTORS = {
    "webauthn": "a passkey",
    "passkey": "a passkey",
    "totp": "a code generator",
    "code_generator": "a code generator",
    "recovery_codes": "recovery codes",
}


def _by_name(event: Event, known: Known) -> str:
    """For an event without a sentence: its name reads well enough to be looked up."""
    kind, _, what = event.event.partition(".")
    return f"{what.replace('_', ' ')} ({kind})"


def _fixed(words: str) -> Words:
    return lambda event, known: words


def _invitee(words: str) -> Words:
    return lambda event, known: words.format(
        known.invited.get(_int(event.object_id) or 0, "somebody")
    )


def _account(words: str) -> Words:
    return lambda event, known: words.format(known.person(event.object_id))


def _linked(event: Event, known: Known) -> str:
    person, to = known.person(event.object_id), known.person(event.data.get("to_person_id"))
    return f"linked the account of {person} to that of {to}: they count as one person"


def _appointment(words: str) -> Words:
    """Who holds which Office, from the appointment itself: events need not repeat it."""

    def told(event: Event, known: Known) -> str:
        found = known.appointments.get(_int(event.object_id) or 0)
        if found is None:
            return words.format(known.person(event.data.get("person_id"))) + _of_office(
                event, known
            )
        return f"{words.format(found.person.name)} as {found.title}" + _days(found)

    return told


def _of_office(event: Event, known: Known) -> str:
    key = event.data.get("office") or event.office
    return f" as {known.office(str(key))}" if key else ""


def _days(found: Appointment) -> str:
    words = f", from {date_words(found.starts_on)}"
    last: date | None = found.last_day
    return f"{words} to {date_words(last)}" if last else words


def _token(event: Event, known: Known) -> str:
    days = event.data.get("days")
    return f"got a token for the API{f' that lasts {days} days' if days else ''}"


def _exported(event: Event, known: Known) -> str:
    rows, what = event.data.get("rows"), event.data.get("what", "security events")
    return f"exported {rows} {what}" if rows is not None else f"exported {what}"


_WORDS: dict[str, Words] = {
    "invitation.sent": _invitee("invited {}"),
    "invitation.sent_again": _invitee("sent {} the invitation again"),
    "invitation.revoked": _invitee("revoked the invitation of {}"),
    "invitation.accepted": lambda event, known: (
        "accepted the invitation and chose "
        f"{_METHODS.get(str(event.data.get('with')), 'a way to sign in')}"
    ),
    "person.deactivated": _account("deactivated the account of {}"),
    "person.reactivated": _account("reactivated the account of {}"),
    "person.linked": _linked,
    "person.unlinked": _account("unlinked the account of {}: it counts as a person of its own"),
    "appointment.recorded": _appointment("recorded {}"),
    "token.issued": _token,
    "export.made": _exported,
}
