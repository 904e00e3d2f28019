"""The company's dates and business days, and a reader's own zone."""

from datetime import UTC, date, datetime
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.utils import timezone

from people.calendar import (
    DATE_LANGUAGES,
    add_business_days,
    business_days_between,
    company_country,
    company_date,
    date_words,
    following_business_day,
    holiday_name,
    holidays_between,
    in_working_hours,
    is_business_day,
    preceding_business_day,
    start_of_day,
    written_for,
    zone_of,
)
from people.middleware import ReadersTimeZoneMiddleware
from people.models import Person
from people.templatetags.speech import day, fingerprint, moment, moment_words, owner_attribute


def test_company_date_is_that_of_its_zone():
    assert company_date(datetime(2026, 11, 21, 4, 59, tzinfo=UTC)) == date(2026, 11, 20)
    assert company_date(datetime(2026, 11, 21, 5, 0, tzinfo=UTC)) == date(2026, 11, 21)


@pytest.mark.parametrize(
    ("on", "begins"),
    [
        (date(2026, 11, 20), datetime(2026, 11, 20, 5, tzinfo=UTC)),
        (date(2026, 7, 1), datetime(2026, 7, 1, 4, tzinfo=UTC)),  # daylight saving
        (date(2026, 3, 8), datetime(2026, 3, 8, 5, tzinfo=UTC)),  # the clocks go forward later
        (date(2026, 3, 9), datetime(2026, 3, 9, 4, tzinfo=UTC)),
    ],
)
def test_start_of_day_follows_daylight_saving(on, begins):
    assert start_of_day(on) == begins
    assert company_date(begins) == on


@pytest.mark.parametrize(
    ("on", "country", "expected"),
    [
        (date(2026, 11, 20), "US", True),
        (date(2026, 11, 21), "US", False),  # Saturday
        (date(2026, 11, 22), "US", False),  # Sunday
        (date(2026, 11, 26), "US", False),  # Thanksgiving
        (date(2026, 11, 26), "AT", True),
        (date(2026, 10, 26), "AT", False),  # Austria's national day, a Monday
    ],
)
def test_business_days_follow_the_country(on, country, expected):
    assert is_business_day(on, country=country) is expected


def test_neighbouring_business_days():
    thanksgiving = date(2026, 11, 26)
    assert preceding_business_day(thanksgiving, country="US") == date(2026, 11, 25)
    assert following_business_day(thanksgiving, country="US") == date(2026, 11, 27)
    friday = date(2026, 11, 20)
    assert preceding_business_day(friday, country="US") == friday
    assert following_business_day(friday, country="US") == friday


@pytest.mark.parametrize(
    ("start", "days", "expected"),
    [
        (date(2026, 11, 20), 0, date(2026, 11, 20)),
        (date(2026, 11, 20), 1, date(2026, 11, 23)),
        (date(2026, 11, 20), 10, date(2026, 12, 7)),
        (date(2026, 11, 21), 1, date(2026, 11, 23)),  # from a Saturday
        (date(2026, 12, 30), 2, date(2027, 1, 4)),  # across the year
    ],
)
def test_adding_business_days(start, days, expected):
    assert add_business_days(start, days, country="US") == expected


def test_country_is_the_companys(company):
    assert company_country() == "US"
    company.country = "AT"
    company.save()
    assert company_country() == "AT"


def test_country_without_a_company(db):
    assert company_country() == "US"


def test_zone_of_a_person():
    assert str(zone_of(Person(time_zone="Europe/Vienna"))) == "Europe/Vienna"
    assert str(zone_of(Person())) == "America/New_York"


@pytest.mark.parametrize("zone", ["Mars/Olympus", "europe/vienna", "+02:00", "../etc/passwd"])
def test_unknown_zone_is_refused(zone):
    with pytest.raises(ValidationError):
        Person(email="a@b.example", name="A", time_zone=zone).clean_fields(exclude=["password"])


def current_zone_of(user):
    """The zone that is active while a request of ``user`` is answered."""
    middleware = ReadersTimeZoneMiddleware(lambda request: timezone.get_current_timezone_name())
    return middleware(SimpleNamespace(method="GET", user=user))


def test_times_are_shown_in_the_readers_zone():
    assert current_zone_of(Person(time_zone="Europe/Vienna")) == "Europe/Vienna"
    assert current_zone_of(Person()) == "America/New_York"
    assert current_zone_of(AnonymousUser()) == "America/New_York"
    assert timezone.get_current_timezone_name() == "America/New_York"  # and not afterwards


def test_times_in_words():
    at = datetime(2026, 3, 3, 21, 42, tzinfo=UTC)
    assert moment_words(at) == "3 Mar 2026, 16:42 EST"
    with timezone.override("Europe/Vienna"):
        assert moment_words(at) == "3 Mar 2026, 22:42 CET"
        assert day(datetime(2026, 3, 3, 23, 30, tzinfo=UTC)) == "4 Mar 2026"
    assert day(date(2026, 3, 3)) == "3 Mar 2026"
    assert (day(None), moment(None)) == ("", "")
    assert 'datetime="2026-03-03T21:42:00+00:00"' in moment(at)


def test_owner_attribute_and_fingerprint():
    assert [owner_attribute(key) for key in ("cro", "hybrid", "", "cmo")] == [
        "cro",
        "hybrid",
        "none",
        "further",
    ]
    assert fingerprint("0123456789ab") == "0123 4567 89ab"


# --- How dates are written for a reader -------------------------------------------------------


@pytest.mark.parametrize(("code", "label"), DATE_LANGUAGES)
def test_the_list_of_languages_shows_what_pages_write(code, label):
    person = Person(date_language=code)
    with written_for(person):
        assert label.endswith(date_words(date(2026, 11, 21)))


def test_dates_are_written_plainly_without_a_reader():
    assert date_words(date(2026, 3, 3)) == "3 Mar 2026"
    assert date_words(date(2026, 9, 9)) == "9 Sep 2026"


def test_a_language_that_is_no_longer_offered_is_passed_over():
    with written_for(Person(date_language="tlh")):
        assert date_words(date(2026, 3, 3)) == "3 Mar 2026"


def test_reading_as_somebody_ends_with_the_block():
    with written_for(Person(date_language="de", time_zone="Europe/Vienna")):
        assert date_words(date(2026, 3, 3)) == "3. März 2026"
        assert timezone.get_current_timezone_name() == "Europe/Vienna"
    assert date_words(date(2026, 3, 3)) == "3 Mar 2026"
    assert timezone.get_current_timezone_name() == "America/New_York"


def test_pages_are_read_in_the_readers_language_and_acts_are_told_in_one(
    client, executives, rf, monkeypatch
):
    maya = executives["cro"]
    maya.date_language = "de"
    seen = []

    def view(request):
        seen.append((request.method, date_words(date(2026, 3, 3))))

    for request in (rf.get("/"), rf.post("/")):
        request.user = maya
        ReadersTimeZoneMiddleware(view)(request)
    assert seen == [("GET", "3. März 2026"), ("POST", "3 Mar 2026")]


# --- Counting, and working hours --------------------------------------------------------------


def test_business_days_between_counts_neither_the_first_day_nor_days_off():
    friday = date(2027, 2, 12)  # Monday is Washington's Birthday
    counted = {
        until: business_days_between(friday, date(2027, 2, until), country="US")
        for until in (11, 12, 15, 16, 17)
    }
    assert counted == {11: 0, 12: 0, 15: 0, 16: 1, 17: 2}


@pytest.mark.parametrize(
    ("at", "working"),
    [
        (datetime(2027, 2, 12, 12, 59, tzinfo=UTC), False),
        (datetime(2027, 2, 12, 13, 0, tzinfo=UTC), True),  # 08:00 in New York
        (datetime(2027, 2, 12, 22, 59, tzinfo=UTC), True),
        (datetime(2027, 2, 12, 23, 0, tzinfo=UTC), False),  # 18:00
        (datetime(2027, 2, 13, 15, 0, tzinfo=UTC), False),  # Saturday
        (datetime(2027, 2, 15, 15, 0, tzinfo=UTC), False),  # a holiday
    ],
)
def test_working_hours_are_those_of_a_clock_on_a_business_day(at, working):
    assert in_working_hours(at, zone=ZoneInfo("America/New_York"), country="US") is working


# --- A state's own holidays -------------------------------------------------------------------


def test_a_state_has_holidays_of_its_own():
    corpus_christi = date(2027, 5, 27)
    assert is_business_day(corpus_christi, country="DE")
    assert not is_business_day(corpus_christi, country="DE-BY")
    assert holiday_name(corpus_christi, country="DE-BY") == "Corpus Christi"
    assert holiday_name(corpus_christi, country="DE") == ""


def test_the_company_names_its_state(company):
    assert company_country() == "US"
    company.subdivision = "NY"
    company.save()
    assert company_country() == "US-NY"


def test_holidays_on_weekdays_are_named():
    found = holidays_between(date(2026, 12, 21), date(2027, 1, 4), country="US")
    assert [day for day, _ in found] == [date(2026, 12, 25), date(2027, 1, 1)]
