"""When reviews are due and when somebody is reminded of them: pure functions on dates.

All dates are the company's; ``country`` (ISO 3166) says whose business days count.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from people.calendar import (
    MORNING,
    following_business_day,
    in_working_hours,
    preceding_business_day,
)

from .states import Kind

MONTHS_BETWEEN_REVIEWS = 3
FULL_REVIEW_BEFORE_SUNSET = timedelta(days=30)

# Days before (negative) or after the due date; after the last one every further week.
BEFORE_AND_ON_THE_DAY = (-14, -7, -1, 0)
OVERDUE_EVERY = 7
CEO_FROM_OVERDUE = 14


def add_months(day: date, months: int) -> date:
    """The same day of the month ``months`` later, or that month's last day: 30 Nov to 28 Feb."""
    years, month = divmod(day.month - 1 + months, 12)
    first = date(day.year + years, month + 1, 1)
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return min(first + timedelta(days=day.day - 1), following - timedelta(days=1))


# --- Due dates --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Planned:
    """A review that is to take place."""

    kind: Kind
    due_date: date


def full_review_due(effective_date: date, sunset_date: date, *, country: str) -> date:
    """30 days before sunset, never before the text takes effect, on a business day."""
    due = max(sunset_date - FULL_REVIEW_BEFORE_SUNSET, effective_date)
    return following_business_day(due, country=country)


def plan(effective_date: date, sunset_date: date, *, after: date, country: str) -> list[Planned]:
    """The reviews of a Revision from its effective date to its sunset, in order.

    A quarterly review falls due every three months from the effective date. The full review
    replaces that of the quarter in which it falls, and is the last. Quarterly reviews that would
    have been due up to ``after`` (the day on which the Revision came in force late) are left out.
    """
    full = full_review_due(effective_date, sunset_date, country=country)
    planned = []
    end_of_quarter = add_months(effective_date, MONTHS_BETWEEN_REVIEWS)
    quarters = 1
    while end_of_quarter < full:
        due = following_business_day(end_of_quarter, country=country)
        # Moved to its business day it may meet the full review: that one stands for both.
        if after < due < full:
            planned.append(Planned(Kind.QUARTERLY, due))
        quarters += 1
        end_of_quarter = add_months(effective_date, MONTHS_BETWEEN_REVIEWS * quarters)
    return [*planned, Planned(Kind.FULL, full)]


# --- Reminders --------------------------------------------------------------------------------


@dataclass(frozen=True, order=True)
class Step:
    """One reminder of a review, ``offset`` days after its due date (before it: negative)."""

    offset: int

    @property
    def key(self) -> str:
        """Part of the mail's key for ever: "before-14", "due", "overdue-7"."""
        if self.offset == 0:
            return "due"
        return f"before-{-self.offset}" if self.offset < 0 else f"overdue-{self.offset}"

    @property
    def goes_to_ceo(self) -> bool:
        return self.offset >= CEO_FROM_OVERDUE


def step_day(due_date: date, step: Step, *, country: str) -> date:
    """The business day of a step: its own day, or the last business day before it."""
    return preceding_business_day(due_date + timedelta(days=step.offset), country=country)


def steps(due_date: date, *, until: date) -> list[Step]:
    """All steps whose own day (before it is moved) lies on or before ``until``, in order."""
    offsets = list(BEFORE_AND_ON_THE_DAY)
    overdue = (until - due_date).days
    offsets += range(OVERDUE_EVERY, overdue + 1, OVERDUE_EVERY)
    return [Step(offset) for offset in offsets if offset <= overdue]


def latest_step(due_date: date, *, on: date, country: str) -> Step | None:
    """The last step whose business day is ``on`` or earlier; None before the first.

    Where two steps were moved to one day this is the later of them: only that one is sent.
    """
    # A step is moved back by holidays, never by more than a few weeks.
    ahead = steps(due_date, until=on + timedelta(days=30))
    past = [step for step in ahead if step_day(due_date, step, country=country) <= on]
    return past[-1] if past else None


def next_step_day(due_date: date, *, after: date, country: str) -> date:
    """The first business day later than ``after`` on which a reminder goes out."""
    horizon = max(after, due_date) + timedelta(days=60)
    days = (step_day(due_date, step, country=country) for step in steps(due_date, until=horizon))
    return next(day for day in days if day > after)


def step_now(
    due_date: date, *, now: datetime, zone: ZoneInfo, country: str, since: datetime
) -> Step | None:
    """The step that a person whose clock shows ``zone`` is to be sent at ``now``, or None.

    From 08:00 to 18:00 of a business day, and only steps whose morning came after ``since`` (when
    the review was made): nobody is sent yesterday's steps of a review that is new. Whether it was
    sent already is not asked here.
    """
    if not in_working_hours(now, zone=zone, country=country):
        return None
    step = latest_step(due_date, on=now.astimezone(zone).date(), country=country)
    if step is None:
        return None
    morning = datetime.combine(step_day(due_date, step, country=country), MORNING, tzinfo=zone)
    return step if morning >= since else None
