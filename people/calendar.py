"""The company's calendar: its dates, its business days, and a reader's own zone.

Times are stored in UTC. A *date* is always one in the company's zone (``TIME_ZONE``).
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
from django.conf import settings

from .models import Company, Person


def company_zone() -> ZoneInfo:
    return ZoneInfo(settings.TIME_ZONE)


def company_date(at: datetime) -> date:
    """The company's date at the instant ``at`` (aware)."""
    return at.astimezone(company_zone()).date()


def start_of_day(day: date) -> datetime:
    """The instant (UTC) at which ``day`` begins where the company is."""
    return datetime.combine(day, time.min, tzinfo=company_zone()).astimezone(UTC)


def zone_of(person: Person) -> ZoneInfo:
    return ZoneInfo(person.time_zone) if person.time_zone else company_zone()


@lru_cache(maxsize=8)
def _holidays(country: str) -> holidays.HolidayBase:
    return holidays.country_holidays(country)


def company_country() -> str:
    company = Company.objects.first()
    return company.country if company else "US"


def is_business_day(day: date, *, country: str) -> bool:
    """Whether people work on ``day`` in ``country`` (ISO 3166): no weekend, no public holiday."""
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
