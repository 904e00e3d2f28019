"""Prose, differences and dates as pages write them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from revops_registry.templatetags.writing import iso_day, iso_moment, prose, word_diff


def test_prose_parts_paragraphs_and_lists():
    assert prose("One\ntwo\n\nThree:\n- a\n- b") == (
        "<p>One<br>two</p><p>Three:</p><ul><li>a</li><li>b</li></ul>"
    )


def test_prose_escapes():
    assert prose("<b>\n- <i>") == "<p>&lt;b&gt;</p><ul><li>&lt;i&gt;</li></ul>"


@pytest.mark.parametrize("nothing", ["", None, "  \n "])
def test_prose_of_nothing_is_nothing(nothing):
    assert prose(nothing) == ""


def test_difference_strikes_and_underlines_whole_words():
    assert word_diff("within 3 business days", "within 12 business days") == (
        "within <del>3</del> <ins>12</ins> business days"
    )


def test_difference_of_added_and_removed_words():
    assert word_diff("a c", "a b c") == "a <ins>b</ins> c"
    assert word_diff("a b c", "a c") == "a <del>b</del> c"
    assert word_diff("", "new text") == "<ins>new text</ins>"


def test_difference_escapes():
    assert word_diff("<b>", "<i>") == "<del>&lt;b&gt;</del> <ins>&lt;i&gt;</ins>"


@given(st.text("ab \n", max_size=30), st.text("ab \n", max_size=30))
def test_difference_keeps_every_word_of_both_texts(before, after):
    html = str(word_diff(before, after)).replace("<br>", " ")
    new = html
    while "<del>" in new:
        start, end = new.index("<del>"), new.index("</del>") + len("</del>")
        new = new[:start] + new[end:]
    old = html
    while "<ins>" in old:
        start, end = old.index("<ins>"), old.index("</ins>") + len("</ins>")
        old = old[:start] + old[end:]
    assert new.replace("<ins>", "").replace("</ins>", "").split() == after.split()
    assert old.replace("<del>", "").replace("</del>", "").split() == before.split()


def test_dates_of_frozen_content():
    assert iso_day("2026-12-02") == "2 Dec 2026"
    assert iso_day("") == ""
    with timezone.override(ZoneInfo("America/New_York")):
        assert "3 Dec 2026, 10:02 EST" in iso_moment("2026-12-03T15:02:11Z")
    assert iso_moment(None) == ""


def test_moments_follow_the_readers_zone():
    with timezone.override(UTC):
        assert "15:02 UTC" in iso_moment(datetime(2026, 12, 3, 15, 2, tzinfo=UTC).isoformat())
