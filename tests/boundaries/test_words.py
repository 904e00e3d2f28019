"""Redlines: whole words and numbers only, and both texts can be read out of them again."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boundaries.words import GAP, compare_words, only_spaces_differ, without_unchanged_lines

MARKS = {"same": "{}", "removed": "[-{}-]", "added": "{{+{}+}}", "gap": "{}"}


def shown(before, after):
    return "".join(MARKS[one.kind].format(one.text) for one in compare_words(before, after))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("", "", ""),
        ("One two", "One two", "One two"),
        ("", "One", "{+One+}"),
        ("One", "", "[-One-]"),
        ("within 10 days", "within 5 days", "within[- 10-]{+ 5+} days"),
        ("above $50,000 a year", "above $25,000 a year", "above[- $50,000-]{+ $25,000+} a year"),
        ("up to 10%", "up to 10.5%", "up to[- 10%-]{+ 10.5%+}"),
        ("CRO-COO 1:1", "CRO-CFO 1:1", "[-CRO-COO-]{+CRO-CFO+} 1:1"),
        ("go to Comp design.", "go to Payouts.", "go to[- Comp design-]{+ Payouts+}."),
        ("a lone word", "a\nlone word", "a[- -]{+\n+}lone word"),
    ],
)
def test_words_and_numbers_stay_whole(before, after, expected):
    assert shown(before, after) == expected


def test_a_lone_word_between_two_long_changes_joins_them():
    before = "Finance publishes quotas to the managers every January without fail"
    after = "The CRO hands out targets to whoever asks on the first Monday"
    kinds = [one.kind for one in compare_words(before, after)]
    assert kinds == ["removed", "added"]


TEXT = st.text(alphabet="ab1, .\n$%-é", max_size=60)


@given(TEXT, TEXT)
def test_both_texts_can_be_read_out_of_the_pieces(before, after):
    pieces = list(compare_words(before, after))
    assert "".join(one.text for one in pieces if one.kind != "added") == before
    assert "".join(one.text for one in pieces if one.kind != "removed") == after
    assert all(one.text for one in pieces)


@given(TEXT)
def test_a_text_does_not_differ_from_itself(text):
    assert [one.kind for one in compare_words(text, text)] in ([], ["same"])


@given(TEXT, TEXT)
def test_no_word_or_number_is_split(before, after):
    """Where a change begins or ends, no letter or digit stands on both sides of the line."""
    for wanted in ("added", "removed"):
        pieces = [one for one in compare_words(before, after) if one.kind != wanted]
        for left, right in pairwise(pieces):
            assert not (left.text[-1].isalnum() and right.text[0].isalnum())


def test_only_spaces_differ():
    assert only_spaces_differ(list(compare_words("One two", "One  two")))
    assert not only_spaces_differ(list(compare_words("One two", "One three")))


def test_long_texts_are_compared_in_time():
    """What a party could write to keep the page busy: thousands of equal words in another order."""
    started = time.perf_counter()
    for before, after in (("a b " * 1500, "b c a " * 1000), ("x\n" * 3000, "y\nx\n" * 1500)):
        assert list(compare_words(before, after))
    assert time.perf_counter() - started < 5


def test_long_stretches_of_unchanged_lines_are_left_out():
    lines = [f"Line {number} of the rules." for number in range(20)]
    changed = [*lines[:10], "Line 10 of the new rules.", *lines[11:]]
    pieces = list(compare_words("\n".join(lines), "\n".join(changed)))

    short = without_unchanged_lines(pieces)

    text = "".join(one.text for one in short)
    assert [one for one in short if one == GAP] == [GAP, GAP]
    assert "Line 9" in text and "Line 11" in text
    assert "Line 8" not in text and "Line 12" not in text


def test_short_and_unchanged_texts_stay_whole():
    for before, after in (("One\nTwo\nThree", "One\nTwo\nFour"), ("A\n" * 20, "A\n" * 20)):
        pieces = list(compare_words(before, after))
        assert without_unchanged_lines(pieces) == pieces


@given(st.lists(st.sampled_from(["a", "b b", "", "c"]), max_size=30), st.integers(0, 29))
def test_leaving_lines_out_never_hides_a_change(lines, place):
    changed = [*lines]
    changed.insert(min(place, len(lines)), "Something else")
    pieces = list(compare_words("\n".join(lines), "\n".join(changed)))
    short = without_unchanged_lines(pieces)
    for kind in ("removed", "added"):
        assert "".join(one.text for one in short if one.kind == kind) == "".join(
            one.text for one in pieces if one.kind == kind
        )
