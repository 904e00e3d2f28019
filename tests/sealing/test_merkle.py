"""The tree arithmetic, against the definition in RFC 6962 section 2.1 and its known values."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealing import merkle

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


# --- Proofs -----------------------------------------------------------------------------------

# The proofs that certificate-transparency implementations share for the tree above.
A, B, C = (
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
)
D, E = (
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
)
KNOWN_INCLUSIONS = {
    (0, 1): [],
    (0, 8): [A, B, C],
    (5, 8): [D, E, KNOWN_ROOTS[3]],
    (2, 3): [KNOWN_ROOTS[1]],
    (1, 5): [KNOWN_ROOTS[0], B, D],
}
KNOWN_CONSISTENCIES = {
    (1, 1): [],
    (1, 8): [A, B, C],
    (6, 8): ["0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a", E, KNOWN_ROOTS[3]],
    (2, 5): [B, D],
}
KNOWN_TREE = merkle.Tree(merkle.leaf_hash(bytes.fromhex(entry)) for entry in KNOWN_ENTRIES)
EXHAUSTIVE = 34  # two sizes beyond a power of two


def numbered(count):
    return [merkle.leaf_hash(str(number).encode()) for number in range(count)]


@pytest.mark.parametrize(("index", "size"), KNOWN_INCLUSIONS)
def test_inclusion_proof_agrees_with_known_ones(index, size):
    proof = KNOWN_TREE.inclusion_proof(index, size)

    assert [step.hex() for step in proof] == KNOWN_INCLUSIONS[index, size]
    leaf = merkle.leaf_hash(bytes.fromhex(KNOWN_ENTRIES[index]))
    root = bytes.fromhex(KNOWN_ROOTS[size - 1])
    assert merkle.verify_inclusion(leaf, index, size, proof, root)


@pytest.mark.parametrize(("old", "new"), KNOWN_CONSISTENCIES)
def test_consistency_proof_agrees_with_known_ones(old, new):
    proof = KNOWN_TREE.consistency_proof(old, new)

    assert [step.hex() for step in proof] == KNOWN_CONSISTENCIES[old, new]
    roots = [bytes.fromhex(KNOWN_ROOTS[size - 1]) for size in (old, new)]
    assert merkle.verify_consistency(old, roots[0], new, roots[1], proof)


def test_every_inclusion_proof_of_small_trees_holds_for_its_leaf_and_place_alone():
    leaves = numbered(EXHAUSTIVE)
    tree = merkle.Tree(leaves)
    for size in range(1, EXHAUSTIVE + 1):
        root = defined_root(leaves[:size])
        assert tree.root(size) == root
        for index in range(size):
            proof = tree.inclusion_proof(index, size)
            held = [
                place
                for place in range(-1, size + 1)
                if merkle.verify_inclusion(leaves[index], place, size, proof, root)
            ]
            assert held == [index]
            assert not merkle.verify_inclusion(leaves[index - 1], index, size, proof, root) or (
                size == 1
            )
            assert not merkle.verify_inclusion(leaves[index], index, size, [*proof, root], root)
            if proof:
                assert not merkle.verify_inclusion(leaves[index], index, size, proof[1:], root)


def test_every_consistency_proof_of_small_trees_holds_for_its_sizes_alone():
    leaves = numbered(EXHAUSTIVE)
    tree = merkle.Tree(leaves)
    other = merkle.Tree([merkle.leaf_hash(b"rewritten"), *leaves[1:]])
    for new in range(EXHAUSTIVE + 1):
        for old in range(new + 1):
            proof = tree.consistency_proof(old, new)
            roots = tree.root(old), tree.root(new)
            assert merkle.verify_consistency(old, roots[0], new, roots[1], proof)
            assert proof == merkle.consistency_from_frontier(
                tree.frontier(old), old, leaves[old:new]
            )
            assert not merkle.verify_consistency(old, roots[0], new, roots[1], [*proof, leaves[0]])
            if 0 < old < new:
                assert not merkle.verify_consistency(old, other.root(old), new, roots[1], proof)
                assert not merkle.verify_consistency(old, roots[0], new, other.root(new), proof)
                assert not merkle.verify_consistency(new, roots[1], old, roots[0], proof)
                assert not merkle.verify_consistency(old, roots[0], new, roots[1], proof[:-1])
                forged = other.consistency_proof(old, new)
                assert not merkle.verify_consistency(old, roots[0], new, other.root(new), forged)


@given(st.data())
def test_a_rewritten_leaf_breaks_every_proof_over_it(data):
    size = data.draw(st.integers(min_value=2, max_value=400))
    changed = data.draw(st.integers(min_value=0, max_value=size - 1))
    asked = data.draw(st.integers(min_value=0, max_value=size - 1))
    leaves = numbered(size)
    honest = merkle.Tree(leaves)
    leaves[changed] = merkle.leaf_hash(b"rewritten")
    rewritten = merkle.Tree(leaves)

    proof = rewritten.inclusion_proof(asked)
    assert merkle.verify_inclusion(leaves[asked], asked, size, proof, rewritten.root())
    assert not merkle.verify_inclusion(leaves[asked], asked, size, proof, honest.root())
    old = data.draw(st.integers(min_value=1, max_value=size - 1))
    proof = rewritten.consistency_proof(old)
    kept = merkle.verify_consistency(old, honest.root(old), size, rewritten.root(), proof)
    assert kept == (changed >= old)


@given(st.integers(0, 80), st.integers(0, 80), st.lists(st.binary(min_size=0, max_size=33)))
def test_no_nonsense_is_a_proof_and_none_raises(first, second, proof):
    leaf, root = b"l" * 32, b"r" * 32

    assert not merkle.verify_inclusion(leaf, first, second, proof, root)
    assert not merkle.verify_consistency(first, leaf, second, root, proof)


def test_a_tree_grows_piece_by_piece_like_at_once():
    leaves = numbered(77)
    tree = merkle.Tree()
    for start in range(0, 77, 5):
        tree.extend(leaves[start : start + 5])

    assert tree.size == 77
    assert tree.root() == merkle.root_of_leaves(leaves)
    assert tree.frontier() == merkle.frontier_of_leaves(leaves)[1]
    assert tree.inclusion_proof(40) == merkle.Tree(leaves).inclusion_proof(40)


def test_an_empty_tree_begins_every_other():
    assert merkle.verify_consistency(0, merkle.EMPTY_ROOT, 8, KNOWN_TREE.root(), [])
    assert merkle.verify_consistency(0, merkle.EMPTY_ROOT, 0, merkle.EMPTY_ROOT, [])
    assert not merkle.verify_consistency(0, b"x" * 32, 8, KNOWN_TREE.root(), [])
    assert not merkle.verify_consistency(0, merkle.EMPTY_ROOT, 0, b"x" * 32, [])


def test_what_a_tree_does_not_have_is_refused():
    for wrong in (
        lambda: KNOWN_TREE.inclusion_proof(8),
        lambda: KNOWN_TREE.inclusion_proof(-1),
        lambda: KNOWN_TREE.inclusion_proof(3, 3),
        lambda: KNOWN_TREE.inclusion_proof(0, 9),
        lambda: KNOWN_TREE.consistency_proof(5, 4),
        lambda: KNOWN_TREE.consistency_proof(-1, 4),
        lambda: KNOWN_TREE.root(9),
        lambda: merkle.consistency_from_frontier([], 1, []),
    ):
        with pytest.raises(ValueError, match="tree of"):
            wrong()
