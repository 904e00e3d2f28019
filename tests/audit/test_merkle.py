"""The tree arithmetic, against the definition in RFC 6962 section 2.1 and its known values."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import merkle

# Inputs and roots of the test tree that certificate-transparency implementations share.
KNOWN_ENTRIES = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
KNOWN_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def defined_root(leaves):
    """MTH as the RFC writes it: split at the largest power of two below n, recursively."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return merkle.node_hash(defined_root(leaves[:split]), defined_root(leaves[split:]))


@pytest.mark.parametrize("size", range(1, 9))
def test_root_agrees_with_known_trees(size):
    leaves = [merkle.leaf_hash(bytes.fromhex(entry)) for entry in KNOWN_ENTRIES[:size]]

    assert merkle.root_of_leaves(leaves).hex() == KNOWN_ROOTS[size - 1]


def test_empty_tree_has_the_root_of_nothing():
    assert merkle.root_of_leaves([]) == merkle.EMPTY_ROOT == sha256(b"").digest()


@given(st.integers(min_value=0, max_value=140))
def test_appending_gives_the_defined_root_at_every_size(size):
    leaves = [merkle.leaf_hash(str(number).encode()) for number in range(size)]

    counted, frontier = merkle.frontier_of_leaves(leaves)

    assert counted == size
    assert len(frontier) == size.bit_count()
    assert merkle.root_from_frontier(frontier) == defined_root(leaves)


def test_leaf_cannot_pass_for_a_node():
    left, right = merkle.leaf_hash(b"a"), merkle.leaf_hash(b"b")

    assert merkle.leaf_hash(left + right) != merkle.node_hash(left, right)


@pytest.mark.parametrize(
    ("frontier", "size"), [([], 1), ([b"x" * 32], 3), ([b"x" * 32], 0), ([b"short"], 1), ([], -1)]
)
def test_frontier_of_another_size_is_refused(frontier, size):
    with pytest.raises(ValueError, match=r"subtrees|32 bytes"):
        merkle.appended(frontier, size, b"y" * 32)
