"""The Offices for programs say what the page says."""

from datetime import date

import pytest
import time_machine
from knox.models import AuthToken

from people import absences
from people.models import Office
from people.seats import Register
from tests.people.offices import NOW, TODAY, confirmed, everyone, recorded, stand_in

OFFICES = "/api/v1/offices/"


@pytest.fixture
def people(company):
    with time_machine.travel(NOW, tick=False):
        yield everyone()


@pytest.fixture
def ask(people, client):
    """A Member's token: gives status and JSON."""
    _, token = AuthToken.objects.create(people["member"])

    def asked(**query):
        answered = client.get(OFFICES, query, headers={"authorization": f"Bearer {token}"})
        return answered.status_code, answered.json()

    return asked


def seat(data, key):
    return next(one for one in data["offices"] if one["key"] == key)


def test_nobody_reads_without_a_token(client, company):
    assert client.get(OFFICES).status_code == 401


def test_it_only_reads(people, client):
    client.force_login(people["corporate_secretary"])
    assert client.post(OFFICES, {}, content_type="application/json").status_code == 405


def test_today_s_holder(ask):
    status, data = ask()
    assert (status, data["on"]) == (200, "2026-11-20")
    held = {
        "name": "Maya Lindqvist",
        "title": "CRO",
        "since": "2026-01-01",
        "last_day": None,
        "active": True,
    }
    assert seat(data, "cro") == {
        "key": "cro",
        "title": "Chief Revenue Officer",
        "short": "CRO",
        "co_signing": True,
        "several_holders": False,
        "state": "held",
        "since": "2026-01-01",
        "acting_now": [held],
        "holders": [held],
        "part_goes_to": None,
        "reason": "",
        "words": "Holds the Office",
    }


def test_on_any_day(ask, people):
    confirmed(people, stand_in(people, "ingrid", "cfo"))
    confirmed(people, recorded(people, "nadia", "coo", starts_on=date(2027, 1, 4)))
    _, data = ask(on="2026-12-20")
    cfo = seat(data, "cfo")
    assert (cfo["state"], cfo["acting_now"][0]["title"]) == ("acting", "Acting CFO")
    assert cfo["acting_now"][0]["last_day"] == "2026-12-20"
    assert cfo["holders"][0]["name"] == "Priya Raman"
    assert seat(data, "coo")["holders"][0]["name"] == "Daniel Osei"
    _, later = ask(on="2027-01-04")
    assert seat(later, "coo")["holders"][0]["name"] == "Nadia Haddad"
    assert seat(later, "cfo")["state"] == "held"
    _, before = ask(on="2025-12-31")
    assert {one["state"] for one in before["offices"]} == {"vacant"}


def test_unconfirmed_is_not_told(ask, people):
    recorded(people, "nadia", "coo")
    _, data = ask(on="2026-12-01")
    assert "Nadia" not in str(data)


def test_not_established(ask, people):
    made = absences.add_office(
        title="Chief Marketing Officer",
        short="CMO",
        co_signing=True,
        acting_user=people["corporate_secretary"],
        at=NOW,
    )
    absences.not_established(
        office=made,
        part_goes_to=Office.objects.get(key="cro"),
        reason="Marketing reports to the CRO.",
        acting_user=people["corporate_secretary"],
        at=NOW,
    )
    _, data = ask()
    cmo = seat(data, "cmo")
    assert (cmo["state"], cmo["since"]) == ("not_established", "2026-11-20")
    assert (cmo["part_goes_to"], cmo["reason"]) == ("cro", "Marketing reports to the CRO.")
    assert seat(ask(on="2026-11-19")[1], "cmo")["state"] == "vacant"


@pytest.mark.parametrize("on", ["20 Nov 2026", "2026-13-01", "2026-1-1", "tomorrow", "٢٠٢٦-٠١-٠١"])
def test_bad_date_is_refused_with_a_sentence(ask, on):
    status, data = ask(on=on)
    assert status == 400
    assert "Write the date as YYYY-MM-DD, such as 2026-11-20." in str(data["detail"])


def test_api_and_page_agree(ask, people):
    confirmed(people, stand_in(people, "ingrid", "cfo", starts_on=TODAY))
    _, data = ask()
    seats = Register().seats(on=TODAY, today=TODAY)
    assert [(one["key"], one["state"], one["words"]) for one in data["offices"]] == [
        (one.office.key, one.state.value, one.words) for one in seats
    ]


def test_it_is_described(client, people):
    client.force_login(people["member"])
    schema = client.get("/api/schema/", headers={"accept": "application/json"}).json()
    described = schema["paths"]["/api/v1/offices/"]["get"]
    assert described["summary"] == "Who holds which Office on a date"
    assert [one["name"] for one in described["parameters"]] == ["on"]
