"""Two write at once: the second gets both edits in one form, and loses nothing silently."""

from datetime import date

import pytest
import time_machine
from django.test import Client

from boundaries import drafting
from boundaries.models import Agreement
from tests.boundaries import factories
from tests.boundaries.factories import NOW, article_of, row_of
from tests.boundaries.test_views_drafting import row_data

pytestmark = pytest.mark.django_db

BASE = "/boundaries/NC-RB/1/"
ROW = f"{BASE}rows/1/"


@pytest.fixture
def client_of(people):
    def signed_in(office):
        client = Client()
        client.force_login(people[office])
        return client

    with time_machine.travel(NOW, tick=False):
        yield signed_in


@pytest.fixture
def row(draft):
    return row_of(draft)


def sent_back(form, conflict, **changes):
    """What the browser posts from the page that came back: its form and its answers."""
    data = {
        name: form[name].value() for name in form.fields if form[name].value() not in (None, "")
    }
    asked = [one.id for one in conflict.choices] if conflict else []
    return {**data, "base": conflict.base if conflict else "", "asked": asked, **changes}


def test_different_fields_come_back_merged_and_are_saved_at_once(client_of, row, people):
    mine = row_data(row, scope_out="Contracts, as the COO wrote.")
    factories.edit(row, people, by="cro", scope_in="Prices, as the CRO wrote.")

    answer = client_of("coo").post(ROW, mine)

    form, conflict = answer.context["form"], answer.context["conflict"]
    assert answer.status_code == 422
    assert not conflict.choices
    assert [one.label for one in conflict.differences] == ["Scope in"]
    assert list(conflict.kept) == ["Scope out"]
    assert form["scope_in"].value() == "Prices, as the CRO wrote."
    assert form["scope_out"].value() == "Contracts, as the COO wrote."
    page = answer.content.decode()
    assert "Maya Lindqvist, CRO, changed this while you had it open" in page
    row.refresh_from_db()
    assert row.version == 2

    again = client_of("coo").post(ROW, sent_back(form, conflict))
    assert again.status_code == 302
    row.refresh_from_db()
    assert (row.scope_in, row.scope_out, row.version) == (
        "Prices, as the CRO wrote.",
        "Contracts, as the COO wrote.",
        3,
    )


@pytest.mark.parametrize(("answer", "stands"), [("theirs", "Discounts"), ("mine", "Quotes")])
def test_a_field_that_both_changed_is_chosen(client_of, row, people, answer, stands):
    mine = row_data(row, scope_in="Quotes")
    factories.edit(row, people, scope_in="Discounts")
    back = client_of("coo").post(ROW, mine)
    form, conflict = back.context["form"], back.context["conflict"]
    (choice,) = conflict.choices
    assert (choice.label, choice.theirs, choice.mine) == ("Scope in", "Discounts", "Quotes")

    # Without a choice nothing is saved, and the question is asked again.
    silent = client_of("coo").post(ROW, sent_back(form, conflict))
    assert silent.status_code == 422
    assert "Choose whose text stands. Nothing is saved yet." in silent.content.decode()
    row.refresh_from_db()
    assert row.scope_in == "Discounts"

    form, conflict = silent.context["form"], silent.context["conflict"]
    done = client_of("coo").post(ROW, sent_back(form, conflict, **{choice.name: answer}))
    assert done.status_code == 302
    row.refresh_from_db()
    assert row.scope_in == stands


def test_mine_can_still_be_edited_in_the_form(client_of, row, people):
    mine = row_data(row, scope_in="Quotes")
    factories.edit(row, people, scope_in="Discounts")
    back = client_of("coo").post(ROW, mine)
    form, conflict = back.context["form"], back.context["conflict"]
    both = {"scope_in": "Quotes and discounts", conflict.choices[0].name: "mine"}
    client_of("coo").post(ROW, sent_back(form, conflict, **both))
    row.refresh_from_db()
    assert row.scope_in == "Quotes and discounts"


def test_a_third_edit_in_between_is_merged_again(client_of, row, people):
    mine = row_data(row, scope_out="Contracts")
    factories.edit(row, people, scope_in="Prices")
    back = client_of("coo").post(ROW, mine)
    row = factories.edit(row_of(row.revision), people, by="cfo", rationale="It is audited.")

    again = client_of("coo").post(ROW, sent_back(back.context["form"], back.context["conflict"]))

    assert again.status_code == 422
    form, conflict = again.context["form"], again.context["conflict"]
    assert conflict.by_name == "Priya Raman"
    assert [one.label for one in conflict.differences] == ["Why it sits here"]
    done = client_of("coo").post(ROW, sent_back(form, conflict))
    assert done.status_code == 302
    row.refresh_from_db()
    assert (row.scope_in, row.scope_out, row.rationale) == ("Prices", "Contracts", "It is audited.")


def test_what_cannot_be_saved_keeps_the_question(client_of, row, people):
    mine = row_data(row, scope_in="Quotes")
    factories.edit(row, people, scope_in="Discounts")
    back = client_of("coo").post(ROW, mine)
    form, conflict = back.context["form"], back.context["conflict"]
    answer = client_of("coo").post(
        ROW,
        sent_back(form, conflict, left_out_reason="No.", **{conflict.choices[0].name: "theirs"}),
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "A function left out has no owner." in page
    assert answer.context["conflict"].choices[0].chosen == "theirs"


def test_an_unknown_version_asks_about_every_difference(client_of, row):
    answer = client_of("coo").post(ROW, row_data(row, version="77", scope_in="Mine"))
    assert answer.status_code == 422
    assert [one.label for one in answer.context["conflict"].choices] == ["Scope in"]


def test_agreements_of_the_others_are_withdrawn_by_the_merged_text(client_of, row, people):
    factories.all_agree(row.revision, people)
    mine = row_data(row, scope_out="Contracts")
    factories.edit(row, people, scope_in="Prices")
    back = client_of("coo").post(ROW, mine)
    client_of("coo").post(ROW, sent_back(back.context["form"], back.context["conflict"]))
    live = Agreement.objects.filter(row=row, withdrawn_at__isnull=True)
    assert set(live.values_list("office", flat=True)) == {"coo"}


# --- Articles -----------------------------------------------------------------------------------


def article_data(client, page, **changes):
    """What the article's form posts when only ``changes`` were typed."""
    form = client.get(page).context["form"]
    data = {}
    for name in form.fields:
        value = form[name].value()
        if value not in (None, "", False):
            data[name] = value
    return {**data, **changes}


def test_the_fields_of_an_article_are_merged(client_of, draft, people):
    page, client = f"{BASE}articles/8/", client_of("coo")
    mine = article_data(client, page, leads_business_days="3")
    factories.edit_data(article_of(draft, "escalation"), people, interim_decider="The COO.")

    answer = client.post(page, mine)

    form, conflict = answer.context["form"], answer.context["conflict"]
    assert answer.status_code == 422
    assert not conflict.choices
    assert form["interim_decider"].value() == "The COO."
    done = client.post(page, sent_back(form, conflict))
    assert done.status_code == 302
    data = article_of(draft, "escalation").data
    assert (data["leads_business_days"], data["interim_decider"]) == (3, "The COO.")


def test_entries_of_an_article_are_merged_and_asked_about(client_of, draft, people):
    article = article_of(draft, "conflict_scenarios")
    first, second = article.data["scenarios"][:2]
    page, client = f"{BASE}articles/9/", client_of("coo")
    mine = article_data(client, page, entry_0_limit="9 days", entry_1_limit="8 days")
    theirs = [{**one} for one in article.data["scenarios"]]
    theirs[0]["limit"], theirs[2]["limit"] = "7 days", "6 days"
    factories.edit_data(article, people, scenarios=theirs)

    answer = client.post(page, mine)

    form, conflict = answer.context["form"], answer.context["conflict"]
    (choice,) = conflict.choices
    assert (choice.theirs, choice.mine) == ("7 days", "9 days")
    assert first["name"] in choice.label
    done = client.post(page, sent_back(form, conflict, **{choice.name: "theirs"}))
    assert done.status_code == 302
    now = {
        one["key"]: one["limit"]
        for one in article_of(draft, "conflict_scenarios").data["scenarios"]
    }
    assert now[first["key"]] == "7 days"
    assert now[second["key"]] == "8 days"
    assert now[theirs[2]["key"]] == "6 days"


def test_dates_of_article_1_are_merged(client_of, draft, people):
    page, client = f"{BASE}articles/1/", client_of("coo")
    mine = article_data(client, page, text="Mine.")
    control = article_of(draft, "control")
    drafting.edit_control(
        revision=draft,
        expected_version=control.version,
        text=control.text,
        effective_date=date(2027, 1, 15),
        sunset_date=None,
        acting_user=people["cro"],
        at=NOW,
    )
    answer = client.post(page, mine)
    form, conflict = answer.context["form"], answer.context["conflict"]
    assert not conflict.choices
    assert f"{form['effective_date'].value()}" == "2027-01-15"
    assert client.post(page, sent_back(form, conflict)).status_code == 302
    draft.refresh_from_db()
    assert draft.effective_date.isoformat() == "2027-01-15"
    assert draft.sunset_date.isoformat() == "2028-01-15"
    assert article_of(draft, "control").text == "Mine."
