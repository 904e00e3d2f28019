"""Events in plain language: one sentence for each kind of event, here those of people.

A sentence reads after whoever acted: "Maya Lindqvist signed in with a passkey". An event that has
no sentence here is told by its name, so that nothing is left out.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Min, Q

from audit.models import ERASING_EVENT, ErasedText, Event, PersonalText

from .calendar import date_words
from .models import Invitation, Office, Person
from .offices import office_short


@dataclass(frozen=True)
class Line:
    """One event as a person reads it."""

    event: Event
    who: str  # "Maya Lindqvist", "Somebody" or "The registry"
    words: str  # "signed in with a passkey"
    said: str  # a reason or an address, as it was given; "" where none was, or it was erased
    erased_at: datetime | None  # when it was erased
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
    offices: dict[str, str]
    said: dict[int, str]
    erased: dict[int, datetime]
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
        who=_who(event),
        words=words,
        said=known.said.get(event.sequence, ""),
        erased_at=known.erased.get(event.sequence),
        place=place,
        person_id=about if about in known.people else None,
    )


def _who(event: Event) -> str:
    """Nobody was signed in: a stranger tried something, or the registry itself acted."""
    if event.actor_name:
        return event.actor_name
    return "Somebody" if event.event.startswith(("session.", "password.")) else "The registry"


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
    with_text = [one.sequence for one in page if one.personal_commitment]
    said = PersonalText.objects.filter(sequence__in=with_text)
    erased = ErasedText.objects.filter(sequence__in=with_text)
    return Known(
        people=dict(Person.objects.filter(pk__in=keys).values_list("pk", "name")),
        invited=dict(
            Invitation.objects.filter(pk__in=_ids(page, "invitation")).values_list("pk", "name")
        ),
        offices=dict(Office.objects.values_list("key", "short")),
        said=dict(said.values_list("sequence", "text")) if with_said else {},
        erased=dict(erased.values_list("sequence", "erased_at")) if with_said else {},
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
    "code": "a wrong code",
    "passkey": "a passkey that does not fit",
    "password": "a wrong password",
}
_FACTORS = {
    "webauthn": "a passkey",
    "totp": "a code generator",
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


def _signed_in(event: Event, known: Known) -> str:
    method, device = event.data.get("method"), event.data.get("device")
    words = f"signed in with {_a(method)}" if method else "signed in"
    return f"{words}, {device}" if device else words


_SINGLE_SIGN_ON = ("single sign-on", "single_sign_on")


def _a(method: object) -> str:
    """ "a passkey", "a password and code", "single sign-on"."""
    if method == "invitation":
        return "an invitation"
    return "single sign-on" if method in _SINGLE_SIGN_ON else f"a {method}"


def _failed(words: str) -> Words:
    def told(event: Event, known: Known) -> str:
        gave = _METHODS.get(str(event.data.get("stage")), "a wrong answer")
        return words.format(gave)

    return told


def _sign_in_failed(event: Event, known: Known) -> str:
    gave = _METHODS.get(str(event.data.get("stage")), "a wrong answer")
    if not event.object_id and event.data.get("stage") == "passkey":
        return "tried to sign in with a passkey that opens no account"
    if not event.object_id:
        return f"tried to sign in with {gave}, to an account that does not exist"
    closed = ", which is deactivated" if event.data.get("deactivated") else ""
    return f"tried {gave} for the account of {known.person(event.object_id)}{closed}"


def _concerning_account(words: str, nobody: str) -> Words:
    def told(event: Event, known: Known) -> str:
        return words.format(known.person(event.object_id)) if event.object_id else nobody

    return told


def _expired(event: Event, known: Known) -> str:
    too = "it lasted as long as one may" if event.data.get("why") == "age" else "it was not used"
    return f"was signed out: {too}"


def _ended(event: Event, known: Known) -> str:
    ended, device = event.data.get("sessions"), event.data.get("device")
    if event.data.get("all_others"):
        return f"signed out everywhere else ({ended} ended)"
    return f"ended a session of their own{f', {device}' if device else ''}"


def _factor(words: str) -> Words:
    return lambda event, known: words.format(
        _FACTORS.get(str(event.data.get("type")), "a second factor")
    )


def _recovery_code(event: Event, known: Known) -> str:
    return f"used a recovery code ({event.data.get('left', 'some')} are left)"


def _accepted(event: Event, known: Known) -> str:
    return f"accepted the invitation and chose {_a(event.data.get('with'))}"


def _linked(event: Event, known: Known) -> str:
    person, to = known.person(event.object_id), known.person(event.data.get("to_person_id"))
    return f"linked the accounts of {person} and {to}: they count as one person"


def _appointment(words: str) -> Words:
    """Who, as what, from when to when: the event itself says it, whatever came later."""

    def told(event: Event, known: Known) -> str:
        data = event.data
        acting = "Acting " if data.get("acting") else ""
        return (
            words.format(known.person(data.get("person_id")))
            + f" as {acting}{known.office(str(data.get('office', '')))}"
            + _days(data.get("starts_on"), data.get("ends_on"))
        )

    return told


def _days(starts_on: object, ends_on: object) -> str:
    words = ""
    if starts_on:
        words += f", from {date_words(date.fromisoformat(str(starts_on)))}"
    if ends_on:
        last = date.fromisoformat(str(ends_on)) - timedelta(days=1)
        words += f", last day {date_words(last)}"
    return words


def _office(words: str) -> Words:
    return lambda event, known: words.format(
        known.office(event.object_id), known.office(str(event.data.get("part_goes_to", "")))
    )


def _token(event: Event, known: Known) -> str:
    days = event.data.get("days")
    return f"got a token for the API{f' that lasts {days} days' if days else ''}"


def _exported(event: Event, known: Known) -> str:
    rows, what = event.data.get("rows"), event.data.get("what", "events")
    return f"exported {what}" if rows is None else f"exported {what}: {rows} in all"


def tell(name: str, words: Words) -> None:
    """Give the events ``name`` a sentence: for rooms above, whose events stand in the log too."""
    _WORDS[name] = words


_WORDS: dict[str, Words] = {
    "session.signed_in": _signed_in,
    "session.sign_in_failed": _sign_in_failed,
    "session.confirmation_failed": _failed("was asked who they are, and gave {}"),
    "session.sign_in_limited": _concerning_account(
        "tried too often for the account of {}, and is refused for a while",
        "tried too often, and is refused for a while",
    ),
    "session.signed_out": _fixed("signed out"),
    "session.expired": _expired,
    "session.ended": _ended,
    "factor.added": _factor("added {}"),
    "factor.removed": _factor("removed {}"),
    "factor.renamed": _factor("renamed {}"),
    "factor.recovery_codes_made": _fixed("made new recovery codes"),
    "factor.recovery_code_used": _recovery_code,
    "factor.reset": _account("removed the lost second factors of {}"),
    "password.changed": _fixed("changed their password"),
    "password.reset": _fixed("set a new password by a link"),
    "password.link_made": _account("made a link that sets a new password of {}"),
    "password.reset_asked": _concerning_account(
        "asked for a new password of the account of {}",
        "asked for a new password of an account that does not exist",
    ),
    "invitation.sent": _invitee("invited {}"),
    "invitation.sent_again": _invitee("sent {} the invitation again"),
    "invitation.revoked": _invitee("revoked the invitation of {}"),
    "invitation.accepted": _accepted,
    "person.deactivated": _account("deactivated the account of {}"),
    "person.reactivated": _account("reactivated the account of {}"),
    "person.linked": _linked,
    "person.unlinked": _account("unlinked the account of {}: it counts as a person of its own"),
    "person.provisioned": _fixed("got an account by single sign-on"),
    "person.single_sign_on_linked": _fixed(
        "signed in by single sign-on for the first time: it knows the account from now on"
    ),
    "person.reading_changed": _fixed("changed in which zone and language they read times"),
    "person.news_by_mail_changed": _fixed("changed how soon news is mailed to them"),
    ERASING_EVENT: _account("erased texts about {} beside the log, and mails and news to them"),
    "appointment.recorded": _appointment("recorded {}"),
    "appointment.proposed": _appointment("proposed {}"),
    "appointment.corrected": _appointment("corrected a record: {}"),
    "appointment.confirmed": _appointment("confirmed {}"),
    "appointment.refused": _appointment("refused {}"),
    "appointment.taken_back": _appointment("took back the record of {}"),
    "appointment.ended": _appointment("ended the appointment of {}"),
    "office.added": _office("added the Office of the {}"),
    "office.established": _office("established the Office of the {}"),
    "office.not_established": _office(
        "declared the Office of the {} not established: its part goes to the {}"
    ),
    "token.issued": _token,
    "token.revoked": _fixed("ended a token for the API"),
    "company.created": _fixed("set up the company"),
    "company.calendar_changed": _fixed("changed the company’s calendar"),
    "export.made": _exported,
}
