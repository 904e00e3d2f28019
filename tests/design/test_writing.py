"""Prose and dates as pages write them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from revops_registry.templatetags.writing import iso_day, iso_moment, prose


def test_prose_parts_paragraphs_and_lists():
    assert prose("One\ntwo\n\nThree:\n- a\n- b") == (
        "<p>One<br>two</p><p>Three:</p><ul><li>a</li><li>b</li></ul>"
    )


def test_prose_escapes():
    assert prose("<b>\n- <i>") == "<p>&lt;b&gt;</p><ul><li>&lt;i&gt;</li></ul>"


@pytest.mark.parametrize("nothing", ["", None, "  \n "])
def test_prose_of_nothing_is_nothing(nothing):
    assert prose(nothing) == ""


def test_dates_of_frozen_content():
    assert iso_day("2026-12-02") == "2 Dec 2026"
    assert iso_day("") == ""
    with timezone.override(ZoneInfo("America/New_York")):
        assert "3 Dec 2026, 10:02 EST" in iso_moment("2026-12-03T15:02:11Z")
    assert iso_moment(None) == ""


def test_moments_follow_the_readers_zone():
    with timezone.override(UTC):
        assert "15:02 UTC" in iso_moment(datetime(2026, 12, 3, 15, 2, tzinfo=UTC).isoformat())
