"""RFC 6962 Merkle tree arithmetic: pure functions on bytes.

A tree of n leaves is continued from its *frontier*: the roots of the perfect subtrees that the
binary digits of n name, largest first. Appending then costs O(log n) whatever the log's length.
"""

from collections.abc import Iterable, Sequence
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
