"""What changed since a reader's Office agreed, or since the reader last looked."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from boundaries import agreeing
from boundaries.changes_since import Since, changes_since, text_at
from boundaries.models import Look
from tests.boundaries import factories
from tests.boundaries.factories import NOW, article_of, row_of

pytestmark = pytest.mark.django_db

BASE = "/boundaries/NC-RB/1/"


def told(found):
    return [(one.label, one.theirs, one.yours) for one in found.differences]


def since_agreed(clause, person, *offices):
    return changes_since(clause, Since.AGREED, reader=person, offices=offices)


def test_since_an_office_agreed(draft, people):
    row = factories.edit(row_of(draft), people, scope_in="Prices")
    agreeing.agree(clause=row, expected_version=2, acting_user=people["cfo"], at=NOW)
    for hours, words in ((1, "Prices and quotes"), (2, "Prices and discounts")):
        row = factories.edit(row, people, by="coo", at=NOW + timedelta(hours=hours), scope_in=words)

    found = since_agreed(row, people["cfo"], "cfo")

    assert told(found) == [("Scope in", "Prices", "Prices and discounts")]
    assert (found.office, found.at) == ("cfo", NOW)
    assert [one.by_name for one in found.edits] == ["Daniel Osei", "Daniel Osei"]
    assert [one.text for one in found.differences[0].pieces if one.kind == "added"] == [
        " and discounts"
    ]


def test_what_was_never_agreed_has_nothing_to_compare_with(draft, people):
    row = factories.edit(row_of(draft), people, scope_in="Prices")
    assert since_agreed(row, people["cfo"], "cfo").at is None
    contest = {"clause": row, "reason": "No.", "acting_user": people["cfo"], "at": NOW}
    agreeing.contest(**contest)
    assert since_agreed(row, people["cfo"], "cfo").at is None
    assert since_agreed(row, people["member"]).at is None


def test_what_did_not_change_says_so(ready, people):
    row = row_of(ready)
    assert told(since_agreed(row, people["cfo"], "cfo")) == []


def test_since_the_reader_last_looked(draft, people):
    row = row_of(draft)
    Look.objects.create(
        revision=draft, row=row, person=people["ceo"], version=1, activity=0, looked_at=NOW
    )
    row = factories.edit(row, people, owner="coo", consulted=["ceo"])
    found = changes_since(row, Since.LOOKED, reader=people["ceo"], offices=())
    assert {label for label, _, _ in told(found)} == {"Owner", "Consulted"}
    assert changes_since(row, Since.LOOKED, reader=people["auditor"], offices=()).at is None


def test_of_an_article_its_entries_are_told(ready, people):
    article = article_of(ready, "escalation")
    article = factories.edit_data(article, people, leads_business_days=4)
    assert told(since_agreed(article, people["cfo"], "cfo")) == [
        ("Leads, in business days", "2", "4")
    ]


def test_of_article_1_its_dates_are_told(ready, people):
    factories.effective(ready, people, factories.TODAY)
    control = article_of(ready, "control")
    labels = [label for label, _, _ in told(since_agreed(control, people["cfo"], "cfo"))]
    assert labels == ["Effective date", "Sunset date"]


def test_a_text_that_was_not_kept_is_said_to_be_unknown(draft, people):
    row = row_of(draft)
    assert text_at(row, 9) is None
    Look.objects.create(
        revision=draft, row=row, person=people["ceo"], version=9, activity=0, looked_at=NOW
    )
    assert changes_since(row, Since.LOOKED, reader=people["ceo"], offices=()).unknown


def test_the_board_leads_to_what_changed_since_the_reader_looked(ready, people):
    """Showing the row is a look of its own: the link keeps the version looked at before."""
    Look.objects.update_or_create(
        revision=ready,
        row=row_of(ready),
        person=people["ceo"],
        defaults={"version": 1, "activity": 0, "looked_at": NOW},
    )
    factories.edit(row_of(ready), people, scope_in="Prices and quotes")
    client = Client()
    client.force_login(people["ceo"])
    with time_machine.travel(NOW, tick=False):
        board = client.get(f"{BASE}?open=all").content.decode()
        Look.objects.update(version=2)
        page = client.get(f"{BASE}row-1/changes/?since=looked&version=1").content.decode()
    assert "row-1/changes/?since=looked&amp;version=1" in board
    assert "Prices and quotes" in page
    assert "Beside what you last saw." in page


@pytest.mark.parametrize("since", ["agreed", "looked", "nonsense"])
def test_the_page_shows_it_and_the_row_leads_there(ready, people, since):
    factories.edit(row_of(ready), people, by="coo", scope_in="Prices and quotes")
    client = Client()
    client.force_login(people["cfo"])
    with time_machine.travel(NOW, tick=False):
        page = client.get(f"{BASE}row-1/changes/", {"since": since})
        part = client.get(f"{BASE}row-1/changes/", headers={"HX-Request": "true"})
        board = client.get(f"{BASE}?open=all").content.decode()
        empty = client.get(f"{BASE}article-2/changes/").content.decode()
        missing = client.get(f"{BASE}row-99/changes/")
    assert page.status_code == 200
    assert "<html" not in part.content.decode()
    assert "Prices and quotes" in part.content.decode()
    assert "Changed since the CFO agreed" in board
    assert "row-1/changes/?since=agreed" in board
    assert "Nothing changed" in empty
    assert missing.status_code == 404
