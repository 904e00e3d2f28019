"""Is the log what it was? The whole recomputation, and the short look for readiness."""

from dataclasses import dataclass, field

from django.db.models import Max, OuterRef, Subquery

from sealing import merkle

from . import protection
from .leaf import leaf_of, personal_commitment
from .models import Event, LogHead, PersonalText

# A log with a million broken rows need not be told a million times.
MOST_FAULTS_TOLD = 20


@dataclass
class LogVerdict:
    """What a recomputation found. ``root`` and ``size`` are what the events give."""

    size: int = 0
    root: str = merkle.EMPTY_ROOT.hex()
    faults: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return not self.faults


def verify_log() -> LogVerdict:
    """Recompute every leaf and the root from the events and compare them with the log's head.

    Reads the whole log once, in constant memory. This finds events that were changed, removed,
    added or renumbered; a log rewritten together with its head is found only by a checkpoint kept
    elsewhere.
    """
    verdict = LogVerdict()
    # Read the end first: a head read later can only be longer, unless something is wrong.
    last = Event.objects.aggregate(last=Max("sequence"))["last"] or 0
    head = LogHead.objects.filter(pk=1).first()
    if head is None:
        verdict.faults.append("The log has no head row.")
    elif last > head.size:
        verdict.faults.append(f"Event {last} lies beyond the head, which counts {head.size}.")

    kept = PersonalText.objects.filter(sequence=OuterRef("sequence"))
    events = Event.objects.annotate(
        kept_text=Subquery(kept.values("text")), kept_salt=Subquery(kept.values("salt"))
    )
    frontier: list[bytes] = []
    expected = 1
    upto = max(last, head.size if head else 0)
    for event in events.filter(sequence__lte=upto).order_by("sequence").iterator(2000):
        if len(verdict.faults) >= MOST_FAULTS_TOLD:
            verdict.faults.append("There may be more; the recomputation stopped here.")
            return verdict
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
        frontier = merkle.appended(frontier, verdict.size, leaf)
        verdict.size += 1
    verdict.root = merkle.root_from_frontier(frontier).hex()
    if head is not None:
        if verdict.size != head.size:
            verdict.faults.append(f"The head counts {head.size} events; {verdict.size} are there.")
        if verdict.root != head.root:
            verdict.faults.append("The root of the events differs from the head's root.")
    return verdict


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
