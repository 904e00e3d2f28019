"""Proofs that an event is in the log that a checkpoint was signed for."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from sealing import merkle
from sealing.errors import SealingError

from . import checkpoints
from .leaf import leaf_of
from .models import Checkpoint, Event


@dataclass(frozen=True)
class Inclusion:
    """An event's leaf, hashed anew, and the way from it to a checkpoint's root.

    ``problem`` says in a sentence why it does not hold; "" where it does. ``checkpoint`` is None,
    and nothing is proved yet, for an event that is newer than the checkpoint.
    """

    event: Event
    leaf: bytes
    checkpoint: Checkpoint | None
    proof: Sequence[bytes] = ()
    problem: str = ""

    @property
    def holds(self) -> bool:
        return self.checkpoint is not None and not self.problem

    def as_data(self) -> dict[str, object] | None:
        """What a stranger needs beside event and checkpoint, hashes in hexadecimal; or None."""
        if self.checkpoint is None:
            return None
        return {
            "index": self.event.sequence - 1,
            "size": self.checkpoint.size,
            "proof": [one.hex() for one in self.proof],
        }


class _Trees:
    """This process's tree of the log: it follows the log as it grows.

    It only helps to make proofs; that they hold is checked against a signed root every time. A
    tree that does not give the root is read anew once, in case another log was there before.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tree = merkle.Tree()

    def up_to(self, size: int, root: bytes) -> merkle.Tree:
        """A tree of ``size`` leaves or more, as far as the events are there."""
        with self._lock:
            self._extend(size)
            if self._tree.size < size or self._tree.root(size) != root:
                self._tree = merkle.Tree()
                self._extend(size)
            return self._tree

    def _extend(self, size: int) -> None:
        if self._tree.size < size:
            found = Event.objects.filter(sequence__gt=self._tree.size, sequence__lte=size)
            hashes = found.order_by("sequence").values_list("leaf_hash", flat=True)
            self._tree.extend([bytes.fromhex(one) for one in hashes.iterator(5000)])


_trees = _Trees()


def prove(events: Sequence[Event], checkpoint: Checkpoint | None) -> list[Inclusion]:
    """Prove each event's place in the log of ``checkpoint``, and check each proof.

    The first proof in a process reads the hashes of the whole log (0.6 s for 200,000 events);
    after that a proof takes microseconds.
    """
    if checkpoint is None:
        return [Inclusion(one, leaf_of(one), None) for one in events]
    try:
        root = checkpoints.signed_by(checkpoint).root
    except (SealingError, ValueError) as error:
        return [Inclusion(one, leaf_of(one), checkpoint, (), str(error)) for one in events]
    within = [one for one in events if one.sequence <= checkpoint.size]
    tree = _trees.up_to(checkpoint.size, root) if within else merkle.Tree()
    return [_inclusion(one, checkpoint, tree, root) for one in events]


def root_at(size: int, known: Checkpoint) -> bytes | None:
    """The root over the first ``size`` events by their stored hashes; None beyond ``known``."""
    if size > known.size:
        return None
    tree = _trees.up_to(known.size, bytes.fromhex(known.root))
    return tree.root(size) if size <= tree.size else None


def _inclusion(event: Event, checkpoint: Checkpoint, tree: merkle.Tree, root: bytes) -> Inclusion:
    leaf = leaf_of(event)
    if event.sequence > checkpoint.size:
        return Inclusion(event, leaf, None)
    index = event.sequence - 1
    if tree.size < checkpoint.size:
        return Inclusion(event, leaf, checkpoint, (), "Events of the log are missing.")
    proof = tree.inclusion_proof(index, checkpoint.size)
    holds = merkle.verify_inclusion(leaf, index, checkpoint.size, proof, root)
    problem = "" if holds else "This event is not what was signed: it or the log was changed."
    return Inclusion(event, leaf, checkpoint, proof, problem)
