"""What others did about rows and articles, in words: from the audit log, which knows all of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from audit.models import Event
from people.models import Person

from .models import Article, Revision, Row

# What a reader is told, by the end of an event's name; one that is not here is told as "changed".
_WORDS = {
    "agreed": "agreed to",
    "agreement_withdrawn": "no longer agrees to",
    "contested": "contests",
    "added": "added",
    "left_out": "left out",
    "vetoed": "vetoed",
    "veto_lifted": "lifted the veto of",
    "commented": "wrote about",
    "change_proposed": "proposed a change of",
    "proposal_accepted": "accepted a change of",
    "proposal_declined": "declined a change of",
    "proposal_taken_back": "took back a change proposed of",
    "thread_resolved": "resolved the thread about",
    "thread_reopened": "reopened the thread about",
    "moved": "moved",
    "removed": "removed",
    "taken_back_in": "took back in",
    "veto_ordered": "ordered what goes in as",
}
_TO_ALL = "draft.agreed_to_all_read"
# A verb begins a little before boards can see what it did.
_SLACK = timedelta(seconds=15)
# A sentence about more clauses than these counts them instead.
NAMED = 3

Clause = Row | Article


@dataclass(frozen=True)
class Happening:
    """The newest thing done about a clause; by ``who`` where the log says it of the clause."""

    clause: Clause
    who: str
    did: str  # "agreed to"
    at: str  # "11:02 ET"
    mine: bool

    @property
    def sentence(self) -> str:
        """ "Daniel Osei agreed to row 4.12." """
        if not self.who:
            words = place(self.clause)
            return f"{words[0].upper()}{words[1:]} changed."
        return f"{self.who} {self.did} {place(self.clause)}."

    @property
    def here(self) -> str:
        """ "Priya Raman changed this row at 11:02 EST": said in the row itself."""
        kind = _kind(self.clause)
        if not self.who:
            return f"Something was done about this {kind} meanwhile"
        return f"{self.who} {self.did} this {kind} at {self.at}"


def place(clause: Clause) -> str:
    """ "row 4.12": in the middle of a sentence."""
    return f"row {clause.reference}" if isinstance(clause, Row) else f"article {clause.number}"


def _kind(clause: Clause) -> str:
    return "row" if isinstance(clause, Row) else "article"


def newest(
    revision: Revision, clauses: Sequence[Clause], reader: Person, *, since: datetime | None = None
) -> Mapping[tuple[str, int], Happening]:
    """The newest event about each clause, by ("row" | "article", id). One query.

    ``since``: when the reader's board was last told. What was done about a clause later and left
    an event about something else (a dispute) is told without a name.
    """
    about = Q(object_type="revision", object_id=str(revision.pk), event=_TO_ALL)
    for kind in ("row", "article"):
        ids = [str(one.pk) for one in clauses if _kind(one) == kind]
        if ids:
            about |= Q(object_type=kind, object_id__in=ids)
    by_place: dict[tuple[str, str], Event] = {}
    to_all: list[Event] = []
    events = Event.objects.filter(about)
    if since is not None:
        events = events.filter(at__gte=since - _SLACK)
    for event in events.order_by("sequence"):
        if event.event == _TO_ALL:
            to_all.append(event)
        else:
            by_place[event.object_type, event.object_id] = event
    found = {}
    for clause in clauses:
        latest = by_place.get((_kind(clause), str(clause.pk)))
        for event in to_all:
            agreed = any(one.startswith(f"{clause} (") for one in event.data.get("agreed", ()))
            if agreed and (latest is None or event.sequence > latest.sequence):
                latest = event
        found[_kind(clause), clause.pk] = (
            _happening(clause, latest, reader)
            if latest
            else Happening(clause, who="", did="", at="", mine=False)
        )
    return found


def _happening(clause: Clause, event: Event, reader: Person) -> Happening:
    did = "agreed" if event.event == _TO_ALL else event.event.partition(".")[2]
    local = timezone.localtime(event.at)
    return Happening(
        clause=clause,
        who=event.actor_name or "The registry",
        did=_WORDS.get(did, "changed"),
        at=f"{local:%H:%M} {local.tzname()}",
        mine=event.actor_id == reader.pk,
    )


def told(happenings: Sequence[Happening]) -> str:
    """One sentence for everybody else's acts, short enough to be read aloud; "" for none."""
    others = [one for one in happenings if not one.mine]
    if len(others) > NAMED:
        who = " and ".join(sorted({one.who for one in others if one.who})) or "Others"
        did = {one.did for one in others}
        what = did.pop() if len(did) == 1 else ""
        return f"{who} {what or 'did something about'} {len(others)} rows and articles."
    return " ".join(one.sentence for one in others)
