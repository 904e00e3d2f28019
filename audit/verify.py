"""Is the log what it was? The whole recomputation, and the short look for readiness."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Max, OuterRef, Subquery

from sealing import merkle
from sealing.errors import CheckpointInvalid, KeysUnusable

from . import checkpoints, protection
from .leaf import leaf_of, personal_commitment
from .models import Checkpoint, Event, LogHead, PersonalText

# A log with a million broken rows need not be told a million times.
MOST_FAULTS_TOLD = 20


@dataclass(frozen=True)
class Mark:
    """A root that the log had at one size, known from a signature: what it must still have."""

    size: int
    root: bytes
    name: str  # "The checkpoint in NC-RB-3.pdf"


@dataclass
class LogVerdict:
    """What a recomputation found. ``root`` and ``size`` are what the events give.

    ``agreed`` are the marks that the events agree with, ``checkpoints`` how many stored ones do.
    """

    size: int = 0
    root: str = merkle.EMPTY_ROOT.hex()
    faults: list[str] = field(default_factory=list)
    agreed: list[Mark] = field(default_factory=list)
    checkpoints: int = 0

    @property
    def sound(self) -> bool:
        return not self.faults


def verify_log(marks: Iterable[Mark] = ()) -> LogVerdict:
    """Recompute every leaf and every root from the events, and compare with all that is known.

    That is the log's head, the stored checkpoints, and ``marks`` kept elsewhere. Reads the whole
    log once; memory goes with the number of marks and checkpoints only. Events that were changed,
    removed, added or renumbered are found by the head; a log rewritten together with its head by
    the checkpoints, which nobody can sign anew without the key; checkpoints that were removed, or
    a whole database put back to an earlier day, only by a mark kept elsewhere.
    """
    verdict = LogVerdict()
    stored = _stored_marks(verdict)
    given = list(marks)
    wanted = defaultdict[int, list[Mark]](list)
    for mark in [*stored, *given]:
        wanted[mark.size].append(mark)
    # Read the end first: a head read later can only be longer, unless something is wrong.
    last = Event.objects.aggregate(last=Max("sequence"))["last"] or 0
    head = LogHead.objects.filter(pk=1).first()
    if head is None:
        verdict.faults.append("The log has no head row.")
    elif last > head.size:
        verdict.faults.append(f"Event {last} lies beyond the head, which counts {head.size}.")

    roots: dict[int, bytes] = {0: merkle.EMPTY_ROOT}
    frontier: list[bytes] = []
    for leaf in _leaves(verdict, upto=max(last, head.size if head else 0)):
        frontier = merkle.appended(frontier, verdict.size, leaf)
        verdict.size += 1
        if verdict.size in wanted:
            roots[verdict.size] = merkle.root_from_frontier(frontier)
    verdict.root = merkle.root_from_frontier(frontier).hex()
    if len(verdict.faults) >= MOST_FAULTS_TOLD:
        verdict.faults.append("There may be more; the recomputation stopped here.")
        return verdict
    if head is not None:
        if verdict.size != head.size:
            verdict.faults.append(f"The head counts {head.size} events; {verdict.size} are there.")
        if verdict.root != head.root:
            verdict.faults.append("The root of the events differs from the head's root.")
    verdict.checkpoints = len(_compare(verdict, stored, roots))
    verdict.agreed = _compare(verdict, given, roots)
    return verdict


def _leaves(verdict: LogVerdict, *, upto: int) -> Iterable[bytes]:
    """Each event's leaf, hashed anew; what is wrong with an event goes into the verdict."""
    kept = PersonalText.objects.filter(sequence=OuterRef("sequence"))
    events = Event.objects.annotate(
        kept_text=Subquery(kept.values("text")), kept_salt=Subquery(kept.values("salt"))
    )
    expected = 1
    for event in events.filter(sequence__lte=upto).order_by("sequence").iterator(2000):
        if len(verdict.faults) >= MOST_FAULTS_TOLD:
            return
        if event.sequence != expected:
            verdict.faults.append(f"Events {expected} to {event.sequence - 1} are missing.")
        expected = event.sequence + 1
        leaf = leaf_of(event)
        if leaf.hex() != event.leaf_hash:
            verdict.faults.append(f"Event {event.sequence} does not match its own hash.")
        if event.kept_text is not None and (
            personal_commitment(event.kept_text, event.kept_salt) != event.personal_commitment
        ):
            verdict.faults.append(f"The personal text of event {event.sequence} was changed.")
        yield leaf


def _stored_marks(verdict: LogVerdict) -> list[Mark]:
    """The roots of the stored checkpoints whose signatures hold; faults of the others."""
    marks: list[Mark] = []
    roots = {0: merkle.EMPTY_ROOT}
    for row in Checkpoint.objects.order_by("size").iterator(500):
        name = f"The stored checkpoint of {row.size} events, made on {row.made_at:%d %b %Y},"
        try:
            said = checkpoints.signed_by(row)
            checkpoints.frontier_of(row)
            proof = [bytes.fromhex(one) for one in row.consistency]
        except (CheckpointInvalid, KeysUnusable, ValueError, TypeError) as error:
            verdict.faults.append(f"{name} is not as it was signed. {error}")
            continue
        before = roots.get(row.previous_size)
        if before is None:
            verdict.faults.append(
                f"The stored checkpoint of {row.previous_size} events is missing: the one of "
                f"{row.size} was made from it."
            )
        elif not merkle.verify_consistency(row.previous_size, before, row.size, said.root, proof):
            verdict.faults.append(f"{name} does not continue the one before it.")
        roots[row.size] = said.root
        marks.append(Mark(row.size, said.root, name))
        if len(verdict.faults) >= MOST_FAULTS_TOLD:
            break
    return marks


def _compare(verdict: LogVerdict, marks: Sequence[Mark], roots: dict[int, bytes]) -> list[Mark]:
    """The marks that the events agree with; the first that they do not, and how many, as faults."""
    agreed, differing, beyond = list[Mark](), list[Mark](), list[Mark]()
    for mark in sorted(marks, key=lambda one: one.size):
        if mark.size > verdict.size:
            beyond.append(mark)
        elif roots[mark.size] == mark.root:
            agreed.append(mark)
        else:
            differing.append(mark)
    if differing:
        first = differing[0]
        since = max((one.size for one in agreed if one.size < first.size), default=0)
        words = (
            f"{first.name} was signed for other events: what the log now says of events "
            f"{since + 1} to {first.size} is not what it said then."
        )
        verdict.faults.append(words + _and_more(len(differing) - 1))
    if beyond:
        first = beyond[0]
        verdict.faults.append(
            f"{first.name} counts {first.size} events, and the log has only {verdict.size}: its "
            "end was cut, or an earlier copy was put in its place." + _and_more(len(beyond) - 1)
        )
    return agreed


def _and_more(count: int) -> str:
    return f" So it is with {count} more." if count else ""


def readiness_faults() -> list[str]:
    """What is wrong with the log at a glance: triggers, head, size. A handful of queries."""
    faults = [f"missing: {name}" for name in protection.missing()]
    before = Event.objects.aggregate(last=Max("sequence"))["last"] or 0
    head = LogHead.objects.filter(pk=1).first()
    if head is None:
        return faults
    after = Event.objects.aggregate(last=Max("sequence"))["last"] or 0
    # Others append while this reads: the head must lie between the two looks.
    if not before <= head.size <= after:
        faults.append(f"the head counts {head.size} events, the last one is {after}")
    frontier = [bytes.fromhex(one) for one in head.frontier]
    try:
        merkle.check_frontier(frontier, head.size)
    except ValueError as fault:
        faults.append(f"the head contradicts itself: {fault}")
    else:
        if merkle.root_from_frontier(frontier).hex() != head.root:
            faults.append("the head's root does not follow from its frontier")
    return faults
