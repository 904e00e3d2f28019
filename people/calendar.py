"""The company's calendar: its dates, its business days, and how a reader sees both.

Times are stored in UTC. A *date* is always one in the company's zone (``TIME_ZONE``). Business
days follow the public holidays of the company's country and, where it has one, its state.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
from babel.dates import format_date
from django.conf import settings
from django.utils import timezone

from .models import Company, Person


def company_zone() -> ZoneInfo:
    return ZoneInfo(settings.TIME_ZONE)


def company_date(at: datetime) -> date:
    """The company's date at the instant ``at`` (aware)."""
    return at.astimezone(company_zone()).date()


def start_of_day(day: date) -> datetime:
    """The instant (UTC) at which ``day`` begins where the company is."""
    return datetime.combine(day, time.min, tzinfo=company_zone()).astimezone(UTC)


def closing_time(day: date) -> datetime:
    """The instant (UTC) at which a limit in days ends on ``day``: 17:00 where the company is."""
    return datetime.combine(day, CLOSING, tzinfo=company_zone()).astimezone(UTC)


def zone_of(person: Person) -> ZoneInfo:
    return ZoneInfo(person.time_zone) if person.time_zone else company_zone()


# --- How dates are written for a reader -------------------------------------------------------

# code (Person.date_language): what the list of languages says, and the pattern of the locale.
_WRITTEN = {
    "": ("21 Nov 2026", "d MMM y"),
    "en-US": ("Nov 21, 2026", "MMM d, y"),
    "iso": ("2026-11-21", "y-MM-dd"),
    "de": ("Deutsch: 21. Nov. 2026", "d. MMM y"),
    "fr": ("Français : 21 nov. 2026", "d MMM y"),
    "es": ("Español: 21 nov 2026", "d MMM y"),
    "it": ("Italiano: 21 nov 2026", "d MMM y"),
    "nl": ("Nederlands: 21 nov 2026", "d MMM y"),
    "pl": ("Polski: 21 lis 2026", "d MMM y"),
    "pt": ("Português: 21 de nov. de 2026", "d 'de' MMM 'de' y"),
    "sv": ("Svenska: 21 nov. 2026", "d MMM y"),
}
DATE_LANGUAGES = [(code, label) for code, (label, _pattern) in _WRITTEN.items()]

_language: ContextVar[str] = ContextVar("date_language", default="")


def date_words(day: date) -> str:
    """``day`` as the present reader writes dates: "3 Mar 2026" unless they chose otherwise.

    The month is in letters (or the year first), so that nobody reads it backwards.
    """
    code = _language.get()
    locale = "en" if code in ("", "iso") else code.replace("-", "_")
    written: str = format_date(day, format=_WRITTEN[code][1], locale=locale)
    return written


@contextmanager
def written_for(person: Person) -> Iterator[None]:
    """Show times in the person's zone and dates in their language, until the block ends."""
    chosen = person.date_language if person.date_language in _WRITTEN else ""
    before = _language.set(chosen)
    try:
        with timezone.override(zone_of(person)):
            yield
    finally:
        _language.reset(before)


# --- Business days ----------------------------------------------------------------------------

# Reminders go out in working hours: a sweep that was down in the morning makes up for it until
# the end of the day, later on the next morning.
MORNING, END_OF_DAY = time(8), time(18)
CLOSING = time(17)  # when a limit in days ends


@lru_cache(maxsize=8)
def _holidays(place: str) -> holidays.HolidayBase:
    country, _, subdivision = place.partition("-")
    return holidays.country_holidays(country, subdiv=subdivision or None)


def company_country() -> str:
    """Whose calendar counts: "US", or with the state where one was chosen, "US-NY"."""
    company = Company.objects.first()
    if company is None:
        return "US"
    return f"{company.country}-{company.subdivision}" if company.subdivision else company.country


def holiday_name(day: date, *, country: str) -> str:
    """The name of the public holiday on ``day``; "" when it is none."""
    found: str | None = _holidays(country).get(day)
    return found or ""


def holidays_between(first: date, last: date, *, country: str) -> list[tuple[date, str]]:
    """The public holidays on weekdays from ``first`` to ``last``, both included."""
    days = (first + timedelta(days=count) for count in range((last - first).days + 1))
    named = ((day, holiday_name(day, country=country)) for day in days if day.weekday() < 5)
    return [(day, name) for day, name in named if name]


def is_business_day(day: date, *, country: str) -> bool:
    """Whether people work on ``day``: no weekend, no public holiday.

    ``country`` is an ISO 3166 code, with its subdivision where holidays differ ("DE", "DE-BY").
    """
    return day.weekday() < 5 and day not in _holidays(country)


def preceding_business_day(day: date, *, country: str) -> date:
    """``day`` itself when it is a business day, else the last one before it."""
    while not is_business_day(day, country=country):
        day -= timedelta(days=1)
    return day


def following_business_day(day: date, *, country: str) -> date:
    """``day`` itself when it is a business day, else the first one after it."""
    while not is_business_day(day, country=country):
        day += timedelta(days=1)
    return day


def add_business_days(day: date, days: int, *, country: str) -> date:
    """The date ``days`` business days after ``day``, which itself counts as 0."""
    for _ in range(days):
        day = following_business_day(day + timedelta(days=1), country=country)
    return day


def business_days_between(since: date, until: date, *, country: str) -> int:
    """How many business days lie after ``since`` up to ``until``; ``since`` itself counts as 0."""
    return sum(
        is_business_day(since + timedelta(days=count), country=country)
        for count in range(1, (until - since).days + 1)
    )


def in_working_hours(at: datetime, *, zone: ZoneInfo, country: str) -> bool:
    """Whether clocks in ``zone`` show 08:00 to 18:00 of a business day of ``country``."""
    local = at.astimezone(zone)
    return MORNING <= local.time() < END_OF_DAY and is_business_day(local.date(), country=country)
