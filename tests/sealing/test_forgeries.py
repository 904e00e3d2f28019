"""Forged files, each with the verdict that it deserves and the words that say why."""

import pytest

from sealing import verify

from .conftest import make_keys
from .forgeries import FORGERIES, Honest


@pytest.fixture(scope="module")
def honest(stages, copy, keys, other_keys, tmp_path_factory):
    folder = tmp_path_factory.mktemp("forgeries")
    return Honest(stages, copy, keys, make_keys(folder / "keys"), other_keys, folder)


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_file_gets_the_verdict_it_deserves(honest, root, name):
    forge, kind, words = FORGERIES[name]
    pdf = forge(honest)
    assert pdf != honest.closed
    verdict = verify.verify(pdf, root_fingerprint=root)
    told = " ".join([*verdict.sentences, *verdict.changes])
    assert verdict.kind == kind, told
    assert verdict.content is None or kind == "incomplete"
    for said in words:
        assert said in told, told


@pytest.mark.parametrize(
    ("earlier", "step", "words"),
    [
        ("unsigned", "SEAL", "the organisation's seal covers"),
        ("SEAL", "COO", "the signature of the COO (step 2 of 6)"),
        ("CFO", "CEO", "the signature of the CEO (step 5 of 6)"),
    ],
)
def test_a_flipped_byte_is_traced_to_the_step_that_wrote_it(honest, root, earlier, step, words):
    added = honest.stages[step][len(honest.stages[earlier]) :]
    # in the zeros that fill the container up: whatever parses them, nothing fails but the hashes
    place = len(honest.stages[earlier]) + added.index(b"0" * 500)
    changed = bytearray(honest.closed)
    changed[place] ^= 1
    verdict = verify.verify(bytes(changed), root_fingerprint=root)
    # the container of a step is covered by the step after it
    following = {"SEAL": "COO", "COO": "CRO", "CEO": "closing timestamp"}[step]
    assert verdict.kind == "altered"
    assert following in verdict.changes[0], verdict.changes
    assert words.split(" (")[0] in verdict.changes[0]
