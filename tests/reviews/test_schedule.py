"""When reviews are due and when somebody is reminded: dates alone."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from people.calendar import is_business_day, preceding_business_day
from reviews.schedule import (
    Planned,
    Step,
    add_months,
    full_review_due,
    latest_step,
    next_step_day,
    plan,
    step_day,
    step_now,
    steps,
)
from reviews.states import Kind

NEW_YORK = ZoneInfo("America/New_York")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)

days = st.dates(date(2024, 1, 1), date(2034, 12, 31))
countries = st.sampled_from(["US", "AT", "GB", "JP", "CN"])
zones = st.sampled_from(["America/New_York", "Europe/Vienna", "Asia/Tokyo", "Pacific/Auckland"])


# --- Months -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 3, 2), 3, date(2026, 6, 2)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2027, 11, 30), 3, date(2028, 2, 29)),
        (date(2026, 12, 31), 0, date(2026, 12, 31)),
        (date(2026, 12, 31), 12, date(2027, 12, 31)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 10, 31), 2, date(2026, 12, 31)),
    ],
)
def test_add_months_keeps_the_day_or_ends_with_the_month(day, months, expected):
    assert add_months(day, months) == expected


# --- Due dates --------------------------------------------------------------------------------


def test_year_has_three_quarterly_reviews_and_the_full_one():
    assert plan(date(2026, 3, 2), date(2027, 3, 2), after=date(2026, 3, 2), country="US") == [
        Planned(Kind.QUARTERLY, date(2026, 6, 2)),
        Planned(Kind.QUARTERLY, date(2026, 9, 2)),
        Planned(Kind.QUARTERLY, date(2026, 12, 2)),
        # 31 Jan 2027 is a Sunday; the quarter that ends on 2 Mar 2027 has no other review
        Planned(Kind.FULL, date(2027, 2, 1)),
    ]


def test_due_date_on_a_holiday_moves_to_the_next_business_day():
    # 4 Jul 2026 is a Saturday, kept on Friday the 3rd
    planned = plan(date(2026, 4, 3), date(2027, 4, 3), after=date(2026, 4, 3), country="US")

    assert planned[0] == Planned(Kind.QUARTERLY, date(2026, 7, 6))


def test_amendment_late_in_the_year_has_only_the_quarters_before_the_full_review():
    planned = plan(date(2026, 9, 15), date(2027, 3, 2), after=date(2026, 9, 15), country="US")

    assert planned == [
        Planned(Kind.QUARTERLY, date(2026, 12, 15)),
        Planned(Kind.FULL, date(2027, 2, 1)),
    ]


def test_sunset_soon_after_taking_effect_still_has_a_full_review():
    planned = plan(date(2026, 3, 2), date(2026, 3, 12), after=date(2026, 3, 2), country="US")

    assert planned == [Planned(Kind.FULL, date(2026, 3, 2))]


def test_quarter_that_was_over_before_the_text_came_in_force_is_left_out():
    planned = plan(date(2026, 3, 2), date(2027, 3, 2), after=date(2026, 6, 10), country="US")

    assert [one.due_date for one in planned] == [
        date(2026, 9, 2),
        date(2026, 12, 2),
        date(2027, 2, 1),
    ]


@given(days, st.integers(1, 900), countries)
def test_plan_holds_its_promises(effective, length, country):
    sunset = effective + timedelta(days=length)
    planned = plan(effective, sunset, after=effective, country=country)
    due = [one.due_date for one in planned]

    assert all(is_business_day(day, country=country) for day in due)
    assert due == sorted(set(due)), "one review a day, in order"
    assert [one.kind for one in planned].count(Kind.FULL) == 1
    assert planned[-1].kind == Kind.FULL
    full = planned[-1].due_date
    assert full == full_review_due(effective, sunset, country=country)
    for number, one in enumerate(planned[:-1], start=1):
        nominal = add_months(effective, 3 * number)
        assert nominal <= one.due_date <= nominal + timedelta(days=14)
    # the quarter of the full review has no other: the next quarterly would come on it or later
    missing = add_months(effective, 3 * len(planned))
    assert missing + timedelta(days=14) >= full


# --- Steps ------------------------------------------------------------------------------------


def test_steps_are_those_of_the_product():
    assert [step.offset for step in steps(date(2026, 6, 2), until=date(2026, 6, 25))] == [
        -14,
        -7,
        -1,
        0,
        7,
        14,
        21,
    ]
    assert [step.offset for step in steps(date(2026, 6, 2), until=date(2026, 5, 26))] == [-14, -7]
    assert steps(date(2026, 6, 2), until=date(2026, 5, 1)) == []


def test_step_names_are_fixed_for_ever():
    assert [Step(offset).key for offset in (-14, -1, 0, 7, 21)] == [
        "before-14",
        "before-1",
        "due",
        "overdue-7",
        "overdue-21",
    ]


@pytest.mark.parametrize(("offset", "told"), [(-14, False), (0, False), (7, False), (14, True)])
def test_ceo_is_told_from_two_weeks_late_on(offset, told):
    assert Step(offset).goes_to_ceo is told


def test_step_on_a_weekend_moves_to_the_business_day_before():
    # due Tuesday 1 Dec 2026: a day before is Monday; due Monday 30 Nov: a day before is Sunday
    assert step_day(date(2026, 12, 1), Step(-1), country="US") == date(2026, 11, 30)
    assert step_day(date(2026, 11, 30), Step(-1), country="US") == date(2026, 11, 27)


def test_step_on_a_holiday_moves_before_it():
    # a week before 3 Dec 2026 is Thanksgiving
    assert step_day(date(2026, 12, 3), Step(-7), country="US") == date(2026, 11, 25)


def test_colliding_steps_leave_only_the_latest(monkeypatch):
    # Ten days of holidays before a due date push "7 days before" and "1 day before" to one day.
    closed = {date(2026, 10, 1) + timedelta(days=n) for n in range(10)}

    def works(day):
        return day.weekday() < 5 and day not in closed

    def before(day, *, country):
        while not works(day):
            day -= timedelta(days=1)
        return day

    monkeypatch.setattr("reviews.schedule.preceding_business_day", before)
    due = date(2026, 10, 12)
    assert step_day(due, Step(-7), country="XX") == step_day(due, Step(-1), country="XX")

    assert latest_step(due, on=date(2026, 9, 30), country="XX") == Step(-1)
    assert latest_step(due, on=date(2026, 9, 29), country="XX") == Step(-14)


def test_no_step_before_the_first():
    assert latest_step(date(2026, 6, 2), on=date(2026, 5, 18), country="US") is None
    assert latest_step(date(2026, 6, 2), on=date(2026, 5, 19), country="US") == Step(-14)


@given(days, days, countries)
def test_latest_step_is_the_last_whose_day_has_come(due, on, country):
    found = latest_step(due, on=on, country=country)
    everything = steps(due, until=max(due, on) + timedelta(days=60))
    come = [step for step in everything if step_day(due, step, country=country) <= on]

    assert found == (come[-1] if come else None)


@given(days, st.integers(-60, 400), countries)
def test_next_step_day_is_a_business_day_still_to_come(due, distance, country):
    due = preceding_business_day(due, country=country)
    after = due + timedelta(days=distance)

    day = next_step_day(due, after=after, country=country)

    assert day > after
    assert is_business_day(day, country=country)
    step = latest_step(due, on=day, country=country)
    assert step_day(due, step, country=country) == day


# --- What is sent now -------------------------------------------------------------------------


def now_step(at, *, due=date(2026, 6, 2), zone=NEW_YORK, since=LONG_AGO):
    return step_now(due, now=at, zone=zone, country="US", since=since)


@pytest.mark.parametrize(
    ("hour", "minute", "expected"),
    [(7, 59, None), (8, 0, Step(-14)), (17, 59, Step(-14)), (18, 0, None), (3, 0, None)],
)
def test_mail_goes_between_the_readers_morning_and_evening(hour, minute, expected):
    assert now_step(datetime(2026, 5, 19, hour, minute, tzinfo=NEW_YORK)) == expected


def test_morning_is_that_of_the_recipient():
    at = datetime(2026, 5, 19, 6, 30, tzinfo=UTC)  # 08:30 in Vienna, 02:30 in New York

    assert now_step(at, zone=ZoneInfo("Europe/Vienna")) == Step(-14)
    assert now_step(at, zone=NEW_YORK) is None


def test_mail_waits_for_a_business_day():
    # Memorial Day, Monday 25 May 2026: the step of the 26th has not come, that of the 19th is old
    assert now_step(datetime(2026, 5, 25, 9, tzinfo=NEW_YORK)) is None
    assert now_step(datetime(2026, 5, 23, 9, tzinfo=NEW_YORK)) is None


def test_sweep_that_was_down_sends_the_latest_step_only():
    assert now_step(datetime(2026, 5, 28, 9, tzinfo=NEW_YORK)) == Step(-7)


def test_steps_before_the_review_was_made_are_not_sent():
    made = datetime(2026, 5, 20, 15, tzinfo=UTC)

    assert now_step(datetime(2026, 5, 20, 12, tzinfo=NEW_YORK), since=made) is None
    assert now_step(datetime(2026, 5, 26, 8, tzinfo=NEW_YORK), since=made) == Step(-7)


@given(
    days,
    st.datetimes(datetime(2024, 1, 1), datetime(2034, 12, 31), timezones=st.just(UTC)),
    countries,
    zones,
)
def test_nothing_is_ever_sent_at_night_on_a_holiday_or_too_early(due, at, country, zone):
    zone = ZoneInfo(zone)
    step = step_now(due, now=at, zone=zone, country=country, since=LONG_AGO)
    if step is None:
        return
    local = at.astimezone(zone)
    assert time(8) <= local.time() < time(18)
    assert is_business_day(local.date(), country=country)
    assert step_day(due, step, country=country) <= local.date()


@settings(max_examples=40)
@given(days, countries, zones)
def test_sweep_sends_every_step_but_those_that_collide(due, country, zone):
    """The steps that a sweep meets from four weeks before to six weeks after the due date."""
    zone = ZoneInfo(zone)
    first, last = due - timedelta(days=28), due + timedelta(days=42)
    at = datetime.combine(first, time(0, 30), tzinfo=zone).astimezone(UTC)
    met = set()
    while at.astimezone(zone).date() <= last:
        met.add(step_now(due, now=at, zone=zone, country=country, since=LONG_AGO))
        at += timedelta(hours=3)
    # Of steps moved to one day the dictionary keeps the later.
    by_day = {
        step_day(due, step, country=country): step
        for step in steps(due, until=last + timedelta(days=30))
    }

    assert met - {None} == {step for day, step in by_day.items() if day <= last}
