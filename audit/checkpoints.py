"""Checkpoints: the log signs what it has said, so that it cannot say something else later.

``issue`` is their only writer. Each continues the one before: it is signed only where the log that
the last one was signed for is the beginning of the log as it is now. What does not fit is refused
and alarmed, never signed: /readyz and the operator's log tell of it until it is made good.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.serialization import Encoding
from django.db import transaction

from sealing import checkpoint, merkle
from sealing.errors import CheckpointInvalid, KeysUnusable

from . import log_keys
from .leaf import leaf_of
from .models import Checkpoint, Event, LogHead

log = logging.getLogger(__name__)

# How long events may wait for a checkpoint before somebody should look: two daily ones missed.
LONGEST_WAIT = timedelta(hours=50)
# Readiness is asked all the time; a log that grew by more is left to the daily check.
_MOST_LOOKED_AT = 20_000


class CheckpointRefused(Exception):
    """The log does not continue what was signed before, or cannot sign; the words say why."""


def newest() -> Checkpoint | None:
    """The checkpoint of the largest size."""
    return Checkpoint.objects.order_by("-size").first()


def issue(*, why: Checkpoint.Why, at: datetime) -> Checkpoint | None:
    """Sign the log as it is; None while it is empty. Where nothing came since, give the last one.

    Costs what came since the last checkpoint, not what the log holds. Inside a transaction its own
    events count. Raises ``CheckpointRefused``, after saying so in the operator's log.
    """
    try:
        return _issue(why=why, at=at)
    except (CheckpointRefused, CheckpointInvalid, KeysUnusable) as refusal:
        log.error("No checkpoint of the audit log was made: %s", refusal)
        raise CheckpointRefused(str(refusal)) from refusal


def _issue(*, why: Checkpoint.Why, at: datetime) -> Checkpoint | None:
    while True:
        last = newest()
        head = LogHead.objects.filter(pk=1).first()
        if head is None:
            raise CheckpointRefused("The log has no head row.")
        if head.size == 0 and last is None:
            return None
        frontier, proof = _grown(last, head)
        if last is not None and last.size == head.size:
            return last
        key = log_keys.log_key()
        made = Checkpoint(
            size=head.size,
            root=head.root,
            note=checkpoint.make(key, head.size, bytes.fromhex(head.root)),
            key_id=key.verifier.key_id,
            certificate=key.certificate.public_bytes(Encoding.PEM).decode(),
            made_at=at,
            why=why,
            previous_size=last.size if last else 0,
            consistency=[one.hex() for one in proof],
            frontier=[one.hex() for one in frontier],
        )
        with transaction.atomic():
            # In the log's own line: two workers issue one per size, each from the one before.
            LogHead.objects.select_for_update().get(pk=1)
            now_last = newest()
            if (now_last.size if now_last else 0) == made.previous_size:
                made.save(force_insert=True)
                return made


def signed_by(row: Checkpoint) -> checkpoint.Checkpoint:
    """What a stored checkpoint's note says; ``CheckpointInvalid`` unless our log's key signed it.

    Also where the note says something else than the row's columns.
    """
    said = checkpoint.verify(row.note, log_keys.verifier_of(row.certificate))
    if (said.size, said.root.hex()) != (row.size, row.root):
        raise CheckpointInvalid("The stored checkpoint is not what its signed note says.")
    return said


def frontier_of(row: Checkpoint) -> list[bytes]:
    """A checkpoint's frontier; ``CheckpointInvalid`` where it does not give the signed root."""
    try:
        frontier = [bytes.fromhex(one) for one in row.frontier]
        merkle.check_frontier(frontier, row.size)
    except (ValueError, TypeError) as error:
        raise CheckpointInvalid("The stored checkpoint's frontier is damaged.") from error
    if merkle.root_from_frontier(frontier) != signed_by(row).root:
        raise CheckpointInvalid("The stored checkpoint's frontier does not give its root.")
    return frontier


def _grown(last: Checkpoint | None, head: LogHead) -> tuple[list[bytes], list[bytes]]:
    """The head's frontier and the proof that ``last`` is the beginning; refuses what is not.

    Every event since ``last`` is hashed anew: its stored hash proves nothing.
    """
    start = last.size if last else 0
    events = Event.objects.filter(sequence__gt=start, sequence__lte=head.size)
    leaves = []
    for number, event in enumerate(events.order_by("sequence").iterator(2000), start + 1):
        leaf = leaf_of(event)
        if event.sequence != number or event.leaf_hash != leaf.hex():
            raise CheckpointRefused(f"Event {number} is missing or was changed.")
        leaves.append(leaf)
    return _continued(last, head, leaves)


def _continued(
    last: Checkpoint | None, head: LogHead, leaves: Sequence[bytes]
) -> tuple[list[bytes], list[bytes]]:
    size, old_root = 0, merkle.EMPTY_ROOT
    frontier = list[bytes]()
    if last is not None:
        frontier, size, old_root = frontier_of(last), last.size, bytes.fromhex(last.root)
    if head.size < size:
        raise CheckpointRefused(
            f"The log has {head.size} events; {size} were signed for: its end was cut."
        )
    proof = merkle.consistency_from_frontier(frontier, size, leaves)
    for count, leaf in enumerate(leaves, size):
        frontier = merkle.appended(frontier, count, leaf)
    new_size, new_root = size + len(leaves), merkle.root_from_frontier(frontier)
    if (new_size, new_root.hex()) != (head.size, head.root):
        raise CheckpointRefused(
            f"The log does not continue the {size} events that were last signed for: "
            "an event was changed, removed or put in after that."
        )
    if not merkle.verify_consistency(size, old_root, new_size, new_root, proof):
        raise CheckpointRefused("The proof that the log only grew does not hold.")
    return frontier, proof


def readiness_faults(*, at: datetime) -> list[str]:
    """What is wrong with the newest checkpoint at a glance. A handful of queries."""
    head = LogHead.objects.filter(pk=1).first()
    if head is None or not log_keys.are_there():
        return []  # told by the parts `log` and `keys`
    last = newest()
    since = Event.objects.filter(sequence=(last.size if last else 0) + 1).first()
    faults = []
    if since is not None and at - since.at > LONGEST_WAIT:
        faults.append(f"event {since.sequence} waits for a checkpoint since {since.at:%d %b %Y}")
    if last is None or head.size - last.size > _MOST_LOOKED_AT:
        return faults
    stored = Event.objects.filter(sequence__gt=last.size, sequence__lte=head.size)
    try:
        leaves = [bytes.fromhex(one) for one in
                  stored.order_by("sequence").values_list("leaf_hash", flat=True)]  # fmt: skip
        _continued(last, head, leaves)
    except (CheckpointRefused, CheckpointInvalid, KeysUnusable) as refusal:
        faults.append(str(refusal))
    except ValueError:
        faults.append("an event's hash cannot be read")
    return faults
