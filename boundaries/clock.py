"""A limit in business days as pages show it: each day a segment, weekends and holidays named gaps.

Pure functions on the company's dates; ``country`` says whose holidays count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from people.calendar import business_days_between, holidays_between, preceding_business_day
from people.templatetags.speech import day_words


@dataclass(frozen=True)
class Segment:
    """One business day, or the days between two of them on which nobody works."""

    words: str  # "Wed 3", "Tue 16 Feb", "13-15"
    note: str  # "4", "day 1, today", "10, due", "holiday", "today"
    state: str  # done, later, due, late, off
    is_today: bool = False


@dataclass(frozen=True)
class Clock:
    """The business days up to ``due_date``, and how many are left, in words."""

    segments: Sequence[Segment]
    left: str
    holidays: Sequence[str]  # "15 Feb 2027 is Washington's Birthday"
    days: int


def counted_days(due_date: date, days: int, *, country: str) -> list[date]:
    """The ``days`` business days that end on ``due_date``, in order."""
    found = [due_date]
    while len(found) < days:
        found.append(preceding_business_day(found[-1] - timedelta(days=1), country=country))
    return found[::-1]


def left_words(due_date: date, *, today: date, country: str) -> str:
    """ "9 business days left", "Due today", "3 days late"; said beside the date itself."""
    if today == due_date:
        return "Due today"
    if today > due_date:
        late = (today - due_date).days
        return f"{late} day{'' if late == 1 else 's'} late"
    left = business_days_between(today, due_date, country=country)
    return f"{left} business day{'' if left == 1 else 's'} left"


def holiday_words(first: date, last: date, *, country: str) -> list[str]:
    """The weekdays that do not count between two dates: "15 Feb 2027 is Washington's Birthday"."""
    found = holidays_between(first, last, country=country)
    return [f"{day_words(day)} is {name}" for day, name in found]


def clock(due_date: date, *, days: int, today: date, country: str) -> Clock:
    """The clock of a limit of ``days`` business days; the day it began counts as 0."""
    counted = counted_days(due_date, days, country=country)
    began = preceding_business_day(counted[0] - timedelta(days=1), country=country)
    segments: list[Segment] = []
    if today < counted[0]:
        # The limit has begun and its first day is still to come.
        in_time = today == began
        words = f"{today:%a} {today.day} {today:%b}"
        segments.append(Segment(words, "day 0, today" if in_time else "today", "off", True))
    before = max(today, began) if today < counted[0] else counted[0] - timedelta(days=1)
    month = today.month if segments else 0
    for number, day in enumerate(counted, start=1):
        if (day - before).days > 1:
            segments.append(_gap(before, day, today=today, country=country))
        segments.append(_day(day, number, days=days, today=today, month=month))
        before, month = day, day.month
    return Clock(
        segments=segments,
        left=left_words(due_date, today=today, country=country),
        holidays=holiday_words(began, due_date, country=country),
        days=days,
    )


def labelled(
    days: Sequence[tuple[date, str]], *, due: date, began: date, today: date, country: str
) -> list[Segment]:
    """Business days with words of their own, such as those of two limits, one after the other.

    ``began`` is the day that counts as 0; ``due`` is the day on which something is due now.
    """
    segments: list[Segment] = []
    before = began
    month = 0
    if today < days[0][0]:
        words = f"{today:%a} {today.day} {today:%b}"
        note = "day 0, today" if today == began else "today"
        segments.append(Segment(words, note, "off", True))
        before, month = max(today, began), today.month
    for day, note in days:
        if (day - before).days > 1:
            segments.append(_gap(before, day, today=today, country=country))
        named = day.month != month or day in (today, due)
        words = f"{day:%a} {day.day}{f' {day:%b}' if named else ''}"
        if day == due:
            note = note if "due" in note else f"{note}, due"
            state = "late" if today > day else "due"
        else:
            state = "done" if day < today else "later"
        if day == today:
            note = f"{note} today" if note.endswith("due") else f"{note}, today"
        segments.append(Segment(words, note, state, is_today=day == today))
        before, month = day, day.month
    return segments


def _day(day: date, number: int, *, days: int, today: date, month: int) -> Segment:
    # The month stands where it changes, and on the two days that a phone shows.
    named = day.month != month or day == today or number == days
    words = f"{day:%a} {day.day}{f' {day:%b}' if named else ''}"
    note = str(number)
    if day == today:
        note = "day 1, today" if number == 1 else f"{number}, today"
    if number == days:
        note = f"{number}, due today" if day == today else f"{number}, due"
        state = "late" if today > day else "due"
    else:
        state = "done" if day < today else "later"
    return Segment(words, note, state, is_today=day == today)


def _gap(before: date, after: date, *, today: date, country: str) -> Segment:
    first, last = before + timedelta(days=1), after - timedelta(days=1)
    words = str(first.day) if first == last else f"{first.day}–{last.day}"
    holiday = any(True for _ in holidays_between(first, last, country=country))
    inside = first <= today <= last
    note = ", ".join(word for word, said in (("holiday", holiday), ("today", inside)) if said)
    return Segment(words, note, "off", is_today=inside)
