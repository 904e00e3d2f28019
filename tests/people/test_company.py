"""The company's calendar: who may change it, and what a wrong one is told."""

from datetime import UTC, datetime

import pytest

from audit.models import Event
from people.company import NoSuchCalendar, change_calendar, subdivisions_of
from people.errors import NotYourOffice
from people.models import Company

NOW = datetime(2026, 11, 20, 17, tzinfo=UTC)


def test_business_days_follow_the_new_calendar(everybody):
    change_calendar(
        country="de", subdivision="by", acting_user=everybody["corporate_secretary"], at=NOW
    )
    company = Company.objects.get()
    assert (company.country, company.subdivision) == ("DE", "BY")
    event = Event.objects.latest("sequence")
    assert (event.event, event.office) == ("company.calendar_changed", "corporate_secretary")
    assert event.data == {"before": "US", "after": "DE-BY"}


def test_the_same_calendar_again_is_no_event(everybody):
    before = Event.objects.count()
    change_calendar(country="US", subdivision="", acting_user=everybody["administrator"], at=NOW)
    assert Event.objects.count() == before


@pytest.mark.parametrize("who", ["cro", "ceo", "revops_lead", "auditor", "member"])
def test_others_do_not_change_it(everybody, who):
    before = Event.objects.count()
    with pytest.raises(NotYourOffice, match="may change the company's calendar"):
        change_calendar(country="DE", subdivision="", acting_user=everybody[who], at=NOW)
    assert (Company.objects.get().country, Event.objects.count()) == ("US", before)


@pytest.mark.parametrize(
    ("country", "subdivision", "words"),
    [("XX", "", "no calendar for the country XX"), ("US", "BY", "US has no calendar for BY")],
)
def test_unknown_calendar_is_refused_with_what_is_known(everybody, country, subdivision, words):
    with pytest.raises(NoSuchCalendar, match=words):
        change_calendar(
            country=country,
            subdivision=subdivision,
            acting_user=everybody["administrator"],
            at=NOW,
        )
    assert Company.objects.get().subdivision == ""


def test_states_with_holidays_of_their_own():
    assert "BY" in subdivisions_of("DE")
    assert subdivisions_of("XX") == []


def test_page_shows_holidays_and_offers_the_form_to_who_may(client, everybody):
    client.force_login(everybody["member"])
    page = client.get("/company/").content.decode()
    assert "Christmas Day" in page
    assert "Save the calendar" not in page
    client.force_login(everybody["administrator"])
    assert "Save the calendar" in client.get("/company/").content.decode()


def test_page_keeps_what_was_typed_when_it_is_refused(client, everybody):
    client.force_login(everybody["administrator"])
    answer = client.post("/company/", {"country": "US", "subdivision": "BY"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "US has no calendar for BY" in page
    assert 'value="BY"' in page


def test_page_saves(client, everybody):
    client.force_login(everybody["administrator"])
    answer = client.post("/company/", {"country": "US", "subdivision": "NY"}, follow=True)
    assert "Business days follow this calendar" in answer.content.decode()
    assert Company.objects.get().subdivision == "NY"


def test_page_refuses_others(client, everybody):
    client.force_login(everybody["cro"])
    answer = client.post("/company/", {"country": "DE"})
    assert answer.status_code == 403
    assert "may change the company" in answer.content.decode()
    assert Company.objects.get().country == "US"
