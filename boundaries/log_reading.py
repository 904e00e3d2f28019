"""The log as people read it: who may read which events, filtered, proved, taken away.

CEO, Corporate Secretary and Auditor read all of it; a party its own documents' events. (Security
events alone are ``people.security``'s, for the Administrator too.)
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone

import audit
from audit import checkpoints, proofs
from audit.leaf import JSON, said_by, time_words
from audit.models import Checkpoint, Event, LogCheck, PersonalText
from people.calendar import company_date
from people.models import Appointment, Person
from people.offices import AUDITOR, CEO, CORPORATE_SECRETARY
from people.permissions import PARTIES, Act, require
from people.security_words import Line, lines

from .errors import CheckAsked
from .log_words import Where, reference_of, where
from .models import Document, Revision

WHOLE_LOG = frozenset({CEO, CORPORATE_SECRETARY, AUDITOR})

# What the filter calls a kind, by the first words of its events' names.
KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "texts": ("Rows and articles", ("row", "article", "draft", "document")),
    "signing": ("Signing", ("revision", "signing", "signing_copy", "signature")),
    "disputes": ("Disputes", ("dispute", "ruling", "exception")),
    "reviews": ("Reviews", ("review", "succession")),
    "catalog": ("Catalog", ("function", "catalog")),
    "offices": ("Offices", ("appointment", "office", "company")),
    "security": (
        "Security",
        ("session", "factor", "password", "invitation", "person", "token", "export", "log", "key"),
    ),
}
# Those that a party's own documents have events of.
KINDS_OF_DOCUMENTS = ("texts", "signing", "disputes", "reviews")

CSV_HEAD = (
    "event", "time_utc", "name", "who", "office", "what_happened", "said", "about", "version",
    "leaf_sha256",
)  # fmt: skip
# A program for tables would take a text that begins so for a formula, and run it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_AT_ONCE = 500
_BETWEEN_CHECKS = timedelta(minutes=1)


@dataclass(frozen=True)
class Scope:
    """What one reader may read on one day: all of it, or the events of some documents."""

    held: Sequence[Appointment]
    whole: bool
    documents: Sequence[Document]

    @property
    def kinds(self) -> Sequence[str]:
        return tuple(KINDS) if self.whole else KINDS_OF_DOCUMENTS

    def events(self) -> QuerySet[Event]:
        """Every event that the reader may read, newest first."""
        found = Event.objects.order_by("-sequence")
        return found if self.whole else found.filter(_about(self.documents))


def scope_of(person: Person, *, on: date) -> Scope:
    """What ``person`` may read; refuses with ``NotYourOffice`` who may read nothing of the log."""
    held = require(person, Act.READ_LOG, on=on)
    offices = {one.office.key for one in held}
    documents = Document.objects.order_by("number")
    if WHOLE_LOG.isdisjoint(offices) and PARTIES.isdisjoint(offices):
        # A further Office is a party where it owns a row, or a part of one.
        owns = Q(revisions__rows__owner__in=offices)
        owns |= Q(revisions__rows__sub_scopes__owner__in=offices)
        documents = documents.filter(owns).distinct()
    return Scope(held, not WHOLE_LOG.isdisjoint(offices), list(documents))


@dataclass(frozen=True)
class Filter:
    """Which events; everything that is empty lets all through. Days are in the reader's zone."""

    words: str = ""
    document: Document | None = None
    person: Person | None = None
    kind: str = ""
    event: str = ""
    object_type: str = ""
    object_id: str = ""
    first_day: date | None = None
    last_day: date | None = None

    def as_data(self) -> dict[str, JSON]:
        """What the log keeps of a filter that was exported."""
        return {
            "words": self.words,
            "document": self.document.number if self.document else None,
            "person_id": self.person.pk if self.person else None,
            "kind": self.kind,
            "event": self.event,
            "object_type": self.object_type,
            "object_id": self.object_id,
            "first_day": self.first_day.isoformat() if self.first_day else None,
            "last_day": self.last_day.isoformat() if self.last_day else None,
            "zone": timezone.get_current_timezone_name(),
        }


def events(scope: Scope, wanted: Filter) -> QuerySet[Event]:
    """The events of ``scope`` that ``wanted`` asks for, newest first."""
    found = scope.events()
    if wanted.document is not None:
        found = found.filter(_about([wanted.document]))
    if wanted.person is not None:
        found = found.filter(_concerning(wanted.person))
    if wanted.kind in KINDS:
        of_kind = Q()
        for first in KINDS[wanted.kind][1]:
            of_kind |= Q(event__startswith=f"{first}.")
        found = found.filter(of_kind)
    if wanted.event:
        found = found.filter(event=wanted.event)
    if wanted.object_type:
        found = found.filter(object_type=wanted.object_type)
    if wanted.object_id:
        found = found.filter(object_id=wanted.object_id)
    if wanted.first_day:
        found = found.filter(at__gte=_midnight(wanted.first_day))
    if wanted.last_day:
        found = found.filter(at__lt=_midnight(wanted.last_day + timedelta(days=1)))
    for word in wanted.words.split():
        found = found.alias(said=Cast("data", TextField())).filter(
            Q(actor_name__icontains=word)
            | Q(event__icontains=word)
            | Q(object_version__icontains=word)
            | Q(said__icontains=word)
        )
    return found


def _about(documents: Sequence[Document]) -> Q:
    """The events of these documents, whichever of their versions, rows or disputes they are of."""
    numbers = Revision.objects.filter(document__in=documents).select_related("document")
    references = [one.reference for one in numbers]
    # A row's own object_version counts its texts; its Revision stands in its data.
    of_version = ("revision", "freeze", "intent", "succession", "review", "dispute", "exception")
    return Q(object_type__in=of_version, object_version__in=references) | Q(
        data__revision__in=references
    )


def _concerning(person: Person) -> Q:
    """What they did, and what was done to their account or recorded of them."""
    return (
        Q(actor_id=person.pk)
        | Q(object_type="person", object_id=str(person.pk))
        | Q(data__person_id=person.pk)
    )


def _midnight(day: date) -> datetime:
    """The instant at which ``day`` begins for the reader, in whose zone the page shows times."""
    return datetime.combine(day, time.min, tzinfo=timezone.get_current_timezone())


# --- As the page shows them -------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """One event in words, and where to look for what it is about."""

    line: Line
    where: Where

    @property
    def event(self) -> Event:
        return self.line.event

    @property
    def day(self) -> date:
        """The reader's day."""
        return timezone.localtime(self.event.at).date()


def told(page: Sequence[Event]) -> list[Told]:
    """Each event in words, in the order given; always the same number of queries."""
    return [Told(line, where(line.event)) for line in lines(page)]


def data_words(event: Event) -> str:
    """The event's own data, written so that people can read it; "" where there is none."""
    return json.dumps(event.data, indent=2, ensure_ascii=False) if event.data else ""


def by_day(page: Sequence[Told]) -> list[tuple[date, list[Told]]]:
    """The events under the reader's day, both in the order given."""
    days: list[tuple[date, list[Told]]] = []
    for one in page:
        if not days or days[-1][0] != one.day:
            days.append((one.day, []))
        days[-1][1].append(one)
    return days


@dataclass(frozen=True)
class Wholeness:
    """What is known of whether the log is whole."""

    size: int
    first_at: datetime | None
    newest: Checkpoint | None
    checkpoints: int
    check: LogCheck | None

    @property
    def waiting(self) -> int:
        """How many events wait for the next checkpoint."""
        return self.size - (self.newest.size if self.newest else 0)


def wholeness() -> Wholeness:
    """Five queries, whatever the log holds."""
    first, last = Event.objects.order_by("sequence").first(), Event.objects.last()
    return Wholeness(
        size=last.sequence if last else 0,
        first_at=first.at if first else None,
        newest=checkpoints.newest(),
        checkpoints=Checkpoint.objects.count(),
        check=LogCheck.objects.order_by("-pk").first(),
    )


# --- Having it checked ------------------------------------------------------------------------


@transaction.atomic
def ask_for_check(*, acting_user: Person, at: datetime) -> None:
    """Have a worker recompute the whole log now; ``CheckAsked`` where somebody just did."""
    scope = scope_of(acting_user, on=company_date(at))
    if not scope.whole:
        # Refused like anybody who may not read all of it: the matrix names who may.
        raise CheckAsked("Whoever reads the whole log has it checked; ask the Auditor.")
    lately = Event.objects.filter(event="log.check_asked", at__gt=at - _BETWEEN_CHECKS)
    if lately.exists():
        raise CheckAsked("The log is being checked already. Load this page again in a moment.")
    by = _by_which_it_reads_all(scope)
    audit.record(
        "log.check_asked",
        at=at,
        actor=acting_user,
        office=by.office.key,
        appointment_id=by.pk,
        object_type="log",
        object_id="all",
    )
    from audit.tasks import check_now  # a task imports what this module imports

    transaction.on_commit(lambda: check_now.delay())


def _by_which_it_reads_all(scope: Scope) -> Appointment:
    return next((one for one in scope.held if one.office.key in WHOLE_LOG), scope.held[0])


# --- Taking it away ---------------------------------------------------------------------------


@transaction.atomic
def export(*, wanted: Filter, form: str, acting_user: Person, at: datetime) -> Iterator[str]:
    """The events that ``wanted`` asks for, oldest first, as lines of text: ``csv`` or ``jsonl``.

    That somebody took them away is an event too: it says which and how many, and is not among
    them. The lines come one chunk at a time, and are read outside this transaction.
    """
    scope = scope_of(acting_user, on=company_date(at))
    found = events(scope, wanted)
    newest = found.first()
    found = found.filter(sequence__lte=newest.sequence if newest else 0).order_by("sequence")
    by = _by_which_it_reads_all(scope)
    audit.record(
        "export.made",
        at=at,
        actor=acting_user,
        office=by.office.key,
        appointment_id=by.pk,
        object_type="log",
        object_id="events",
        data={
            "what": "events of the log",
            "rows": found.count(),
            "form": form,
            "filter": wanted.as_data(),
        },
    )
    return _csv(found) if form == "csv" else _json_lines(found, wanted, at=at)


def _chunks(found: QuerySet[Event]) -> Iterator[list[Event]]:
    """Page by page over the key: a cursor left open would hold SQLite's log back."""
    last = 0
    while True:
        page = list(found.filter(sequence__gt=last)[:_AT_ONCE])
        if not page:
            return
        yield page
        last = page[-1].sequence


class _Echo:
    """A file that hands back what is written: csv makes one line at a time."""

    def write(self, text: str) -> str:
        return text


def _csv(found: QuerySet[Event]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(CSV_HEAD)
    for page in _chunks(found):
        for one in told(page):
            yield writer.writerow([_harmless(cell) for cell in _cells(one)])


def _cells(one: Told) -> Iterable[str]:
    line, event = one.line, one.event
    return (
        str(event.sequence),
        time_words(event.at),
        event.event,
        line.who,
        event.office,
        line.words,
        f"erased on {line.erased_at:%Y-%m-%d} UTC" if line.erased_at else line.said,
        one.where.words,
        reference_of(event) or event.object_version,
        event.leaf_hash,
    )


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _json_lines(found: QuerySet[Event], wanted: Filter, *, at: datetime) -> Iterator[str]:
    """A head with the checkpoint, then one object an event, with its proof against it."""
    newest = checkpoints.newest()
    head = {
        "schema": "revops-log-export/1",
        "exported_at": time_words(at),
        "filter": wanted.as_data(),
        **checkpoint_data(newest),
    }
    yield _line(head)
    for page in _chunks(found):
        kept = {one.sequence: one for one in _personal(page)}
        proved = proofs.prove(page, newest)
        for one, inclusion in zip(told(page), proved, strict=True):
            yield _line(_event_data(one, inclusion, kept.get(one.event.sequence)))


def _personal(page: Sequence[Event]) -> Iterable[PersonalText]:
    with_text = [one.sequence for one in page if one.personal_commitment]
    return PersonalText.objects.filter(sequence__in=with_text)


def _line(data: Mapping[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False) + "\n"


def checkpoint_data(row: Checkpoint | None) -> dict[str, object]:
    """A checkpoint as an export gives it; nulls where there is none yet."""
    return {
        "checkpoint": row.note if row else None,
        "log_certificate": row.certificate if row else None,
    }


def _event_data(
    one: Told, inclusion: proofs.Inclusion, kept: PersonalText | None
) -> dict[str, object]:
    """All that the leaf is made of (``sealing.log_entry.leaf_of`` takes it), and its proof."""
    return {
        **said_by(one.event),
        "leaf_hash": one.event.leaf_hash,
        "in_words": one.line.sentence,
        "personal": {"text": kept.text, "salt": kept.salt} if kept else None,
        "inclusion": inclusion.as_data(),
    }


def proof_of(event: Event, *, against: Checkpoint | None = None) -> proofs.Inclusion:
    """The event's place in the log of the newest checkpoint, checked."""
    return proofs.prove([event], against or checkpoints.newest())[0]


def proof_data(event: Event) -> dict[str, object]:
    """One event with all that a stranger needs to check it, as JSON-ready data."""
    inclusion = proof_of(event)
    kept = PersonalText.objects.filter(sequence=event.sequence).first()
    return {
        "schema": "revops-log-proof/1",
        **checkpoint_data(inclusion.checkpoint or checkpoints.newest()),
        "event": _event_data(told([event])[0], inclusion, kept),
    }
