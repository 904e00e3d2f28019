"""RFC 6962 Merkle tree arithmetic (RFC 9162 section 2.1): bytes in, bytes out.

A tree of n leaves is continued from its *frontier*: the roots of the perfect subtrees that the
binary digits of n name, largest first. Appending then costs O(log n) whatever the log's length.

Proofs are made by a `Tree` of all leaves, or, for consistency alone, from the old tree's frontier
and the leaves that came since. Whoever checks one needs the roots and the proof, nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 || entry). The prefix keeps a leaf from passing for an inner node."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def appended(frontier: Sequence[bytes], size: int, leaf: bytes) -> list[bytes]:
    """Return the frontier after ``leaf`` joins a tree of ``size`` leaves.

    Raises ``ValueError`` when the frontier does not belong to a tree of that size.
    """
    check_frontier(frontier, size)
    grown = list(frontier)
    carried = leaf
    while size & 1:  # each trailing 1 is a perfect subtree that now finds its sibling
        carried = node_hash(grown.pop(), carried)
        size >>= 1
    grown.append(carried)
    return grown


def root_from_frontier(frontier: Sequence[bytes]) -> bytes:
    """The tree's root: the subtrees folded from the smallest up."""
    if not frontier:
        return EMPTY_ROOT
    root = frontier[-1]
    for subtree in reversed(frontier[:-1]):
        root = node_hash(subtree, root)
    return root


def frontier_of_leaves(leaves: Iterable[bytes]) -> tuple[int, list[bytes]]:
    """Size and frontier of the tree over ``leaves`` (leaf hashes, in order); O(log n) memory."""
    size, frontier = 0, list[bytes]()
    for leaf in leaves:
        frontier = appended(frontier, size, leaf)
        size += 1
    return size, frontier


def root_of_leaves(leaves: Iterable[bytes]) -> bytes:
    """The root over all ``leaves`` (leaf hashes, in order)."""
    return root_from_frontier(frontier_of_leaves(leaves)[1])


def check_frontier(frontier: Sequence[bytes], size: int) -> None:
    """Raise ``ValueError`` unless ``frontier`` can be that of a tree of ``size`` leaves."""
    if size < 0 or len(frontier) != size.bit_count():
        raise ValueError(f"a tree of {size} leaves has not {len(frontier)} perfect subtrees")
    if any(len(subtree) != HASH_BYTES for subtree in frontier):
        raise ValueError(f"every hash of the frontier must have {HASH_BYTES} bytes")


# Proofs


class Tree:
    """All perfect subtrees over the leaves: proofs for any size up to its own, O(log n) each.

    Takes about 64 bytes of hashes for each leaf. Appending is cheap, so that one tree can follow
    a growing log.
    """

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        # _levels[k][i] is the root over leaves i * 2**k up to (i + 1) * 2**k, end exclusive.
        self._levels: list[list[bytes]] = [[]]
        self.extend(leaves)

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return len(self._levels[0])

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Append leaves (leaf hashes, in order)."""
        self._levels[0].extend(leaves)
        level = 0
        while len(self._levels[level]) > 1:
            if len(self._levels) == level + 1:
                self._levels.append([])
            below, above = self._levels[level], self._levels[level + 1]
            for index in range(len(above), len(below) // 2):
                pair = b"\x01" + below[2 * index] + below[2 * index + 1]
                above.append(sha256(pair).digest())
            level += 1

    def root(self, size: int | None = None) -> bytes:
        """The root over the first `size` leaves (default all)."""
        return self._range(0, self._within(size))

    def inclusion_proof(self, index: int, size: int | None = None) -> list[bytes]:
        """The hashes that lead from leaf `index` (from 0) to the root over `size` leaves.

        Raises `ValueError` for a leaf or size that the tree does not have.
        """
        size = self._within(size)
        if not 0 <= index < size:
            raise ValueError(f"a tree of {size} leaves has no leaf {index}")
        proof, low, high = list[bytes](), 0, size
        while high - low > 1:
            middle = low + _split(high - low)
            if index < middle:
                proof.append(self._range(middle, high))
                high = middle
            else:
                proof.append(self._range(low, middle))
                low = middle
        return proof[::-1]

    def consistency_proof(self, old_size: int, new_size: int | None = None) -> list[bytes]:
        """The hashes that show the tree of `old_size` to be the beginning of that of `new_size`.

        Empty where there is nothing to show: equal sizes, or an empty old tree.
        """
        return _consistency(old_size, self._within(new_size), self._range)

    def frontier(self, size: int | None = None) -> list[bytes]:
        """The frontier at `size` (default all), as `appended` takes it."""
        return [self._range(*span) for span in _spans(self._within(size))]

    def _within(self, size: int | None) -> int:
        if size is None:
            return self.size
        if not 0 <= size <= self.size:
            raise ValueError(f"a tree of {self.size} leaves was never one of {size}")
        return size

    def _range(self, low: int, high: int) -> bytes:
        """The root over leaves `low` to `high`, where `low` is a multiple of the span's split."""
        count = high - low
        if count == 0:
            return EMPTY_ROOT
        if count & (count - 1) == 0:
            level = count.bit_length() - 1
            return self._levels[level][low >> level]
        middle = low + _split(count)
        return node_hash(self._range(low, middle), self._range(middle, high))


def consistency_from_frontier(
    frontier: Sequence[bytes], old_size: int, new_leaves: Sequence[bytes]
) -> list[bytes]:
    """`Tree.consistency_proof` from the old frontier and the leaves since: no old leaf is read.

    Raises `ValueError` when the frontier does not belong to a tree of `old_size` leaves.
    """
    check_frontier(frontier, old_size)
    known = dict(zip(_spans(old_size), frontier, strict=True))

    def root(low: int, high: int) -> bytes:
        if low < old_size:
            return known[low, high]
        return root_of_leaves(new_leaves[low - old_size : high - old_size])

    return _consistency(old_size, old_size + len(new_leaves), root)


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Whether `leaf` (its hash) is number `index` (from 0) of the tree of `size` with `root`.

    RFC 9162 section 2.1.3.2. Never raises for what a proof holds.
    """
    if not 0 <= index < size or not _hashes([leaf, root, *proof]):
        return False
    place, last, value = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            value = node_hash(step, value)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            value = node_hash(value, step)
        place, last = place >> 1, last >> 1
    return last == 0 and value == root


def verify_consistency(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether the tree of `old_size` leaves is the beginning of that of `new_size`.

    RFC 9162 section 2.1.4.2. Of equal sizes the roots must be equal and the proof empty; an empty
    old tree begins everything. Never raises for what a proof holds.
    """
    if not 0 <= old_size <= new_size or not _hashes([old_root, new_root, *proof]):
        return False
    if old_size == new_size or old_size == 0:
        expected = new_root if old_size else EMPTY_ROOT
        empty_is_empty = new_size > 0 or new_root == EMPTY_ROOT
        return not proof and old_root == expected and empty_is_empty
    steps = list(proof)
    if old_size & (old_size - 1) == 0:  # a whole subtree: its root is known to both
        steps.insert(0, old_root)
    if not steps:
        return False
    place, last = old_size - 1, new_size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, step)
        place, last = place >> 1, last >> 1
    return last == 0 and old == old_root and new == new_root


def _consistency(old_size: int, new_size: int, root: Callable[[int, int], bytes]) -> list[bytes]:
    """PROOF(m, D[n]) of RFC 9162 section 2.1.4.1; `root` gives that over a span of leaves."""
    if not 0 <= old_size <= new_size:
        raise ValueError(f"a tree of {new_size} leaves does not continue one of {old_size}")
    if old_size in (0, new_size):
        return []
    proof, low, high = list[bytes](), 0, new_size
    while high != old_size:
        middle = low + _split(high - low)
        if old_size <= middle:
            proof.append(root(middle, high))
            high = middle
        else:
            proof.append(root(low, middle))
            low = middle
    if low > 0:  # otherwise the span is the old tree itself, whose root the checker has
        proof.append(root(low, high))
    return proof[::-1]


def _split(count: int) -> int:
    """The largest power of two below `count` (at least 2)."""
    return 1 << (count - 1).bit_length() - 1


def _spans(size: int) -> list[tuple[int, int]]:
    """Which leaves each hash of a frontier covers, largest first."""
    spans, low = list[tuple[int, int]](), 0
    for bit in range(size.bit_length() - 1, -1, -1):
        if size >> bit & 1:
            spans.append((low, low + (1 << bit)))
            low += 1 << bit
    return spans


def _hashes(values: Iterable[bytes]) -> bool:
    return all(len(value) == HASH_BYTES for value in values)
