"""A sample of the campaign of `tests/campaigns/damage.py`, which is run whole by hand."""

import time

import pytest

from sealing import verify
from tests.campaigns import damage
from tests.campaigns.damage import Outcome

SEED = 20261201


def judged_here(number, how, pdf, root):
    started = time.monotonic()
    verdict = verify.verify(pdf, root_fingerprint=root)
    said = verdict.sentences[0]
    return Outcome(number, how, verdict.kind, said, time.monotonic() - started, 0)


def test_no_damaged_file_passes_for_genuine(closed, stages, root):
    files = damage.damaged(closed, 100, SEED)
    assert damage.campaign("damaged", files, root, set(stages.values()), judged_here) == []


def test_what_is_no_pdf_of_ours_gets_a_verdict_in_words(root):
    # what takes seconds, or memory that only a process of its own may be denied, is left to the
    # campaign itself
    heavy = (damage.bomb, damage.bomb_of_cross_references, damage.certificate_lookalikes)
    files = damage.others(120, SEED, leave_out=heavy)
    assert damage.campaign("others", files, root, set(), judged_here) == []


def test_each_way_of_damage_changes_the_file(closed):
    ways = {}
    for _, how, pdf in damage.damaged(closed, 100, SEED):
        ways.setdefault(how, []).append(pdf != closed)
    assert set(ways) == {way.__name__ for way in damage.DAMAGES}
    assert all(any(changed) for changed in ways.values())


def test_the_same_seed_gives_the_same_files(closed):
    assert list(damage.damaged(closed, 5, 1)) == list(damage.damaged(closed, 5, 1))
    assert list(damage.damaged(closed, 5, 1)) != list(damage.damaged(closed, 5, 2))


@pytest.mark.parametrize(
    ("kind", "pdf", "wrong"),
    [
        ("genuine", b"as made", False),
        ("genuine", b"as made.", True),
        ("incomplete", b"as made.", True),
        ("altered", b"as made.", False),
        ("no answer", b"as made.", True),
    ],
)
def test_a_campaign_finds_what_no_damaged_file_may_be_called(kind, pdf, wrong, capsys):
    def judge(number, how, pdf, root):
        return Outcome(number, how, kind, "said", 0.1, 1)

    found = damage.campaign("one", iter([(7, "way", pdf)]), "root", {b"as made"}, judge)
    assert bool(found) is wrong
    assert f"wrong     {int(wrong)}" in capsys.readouterr().out


@pytest.mark.filterwarnings(
    # the test process has threads of its own; the child only judges and leaves
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)
def test_a_file_is_judged_in_a_process_of_its_own(root):
    outcome = damage.judged_apart(1, "none", b"no PDF", root)
    assert (outcome.kind, outcome.said) == ("unverifiable", "This file is not a PDF.")
    assert outcome.peak > 1_000_000
