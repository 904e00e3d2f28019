"""The pages of disputes: who sees what, in which phase; what is typed is kept; look-ups and API."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.models import Event
from boundaries import disputes, workflow
from boundaries.models import Dispute, DisputePage, Ruling
from boundaries.states import State
from tests.boundaries import factories
from tests.boundaries.disputing import (
    PAGES,
    PAGES_DUE,
    QUESTION,
    RATIONALE,
    TERMS,
    contested,
    escalated,
    filed,
    fresh,
    in_force_disputed,
    ruled,
)
from tests.boundaries.factories import NOW, row_of
from tests.people.factories import PASSWORD

pytestmark = pytest.mark.django_db

READERS = ("cro", "coo", "cfo", "ceo", "revops_lead", "corporate_secretary", "auditor")
LATER = NOW + timedelta(hours=1)


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(LATER, tick=False):
        yield


def browser(person):
    client = Client()
    client.force_login(person)
    return client


def signed_in(person):
    """Signed in by the page, a moment ago: that shows who sits there."""
    client = Client()
    client.post(reverse("account_login"), {"login": person.email, "password": PASSWORD})
    return client


def text(answer):
    return answer.content.decode()


def page(dispute, name="dispute"):
    return reverse(f"boundaries:{name}", args=[dispute.pk])


def ruling_fields(**more):
    return {
        "owner": TERMS.owner,
        "scope_in": TERMS.scope_in,
        "scope_out": TERMS.scope_out,
        "ruling_rationale": RATIONALE,
        **more,
    }


def test_readers_of_drafts_read_it(draft, people):
    dispute = escalated(draft, people)
    for who in (*READERS, "member", "administrator"):
        client = browser(people[who])
        answer = client.get(page(dispute))
        assert answer.status_code == (200 if who in READERS else 404), who
        listed = text(client.get(reverse("boundaries:disputes")))
        assert (QUESTION in listed) is (who in READERS), who


def test_nobody_reads_it_unseen(draft, people):
    assert "login" in Client().get(page(escalated(draft, people)))["Location"]


def test_before_the_pages_open_everybody_sees_only_their_own(draft, people):
    dispute = escalated(draft, people)
    filed(dispute, people, "cro", "coo")
    disputes.save_page(
        dispute=dispute, office="cfo", text="A draft.", acting_user=people["cfo"], at=NOW
    )
    written = {"cro": PAGES["cro"], "coo": PAGES["coo"], "cfo": "A draft."}
    for who in READERS:
        seen = text(browser(people[who]).get(page(dispute)))
        for office, words in written.items():
            assert (words in seen) is (who == office), (who, office)


def test_once_open_everybody_reads_all_in_order_of_office(draft, people):
    dispute = filed(escalated(draft, people), people, "cfo", "coo", "cro")
    for who in READERS:
        seen = text(browser(people[who]).get(page(dispute)))
        places = [seen.index(PAGES[office]) for office in ("cro", "coo", "cfo")]
        assert places == sorted(places)
        assert ("Your ruling" in seen) is (who == "ceo")


def test_when_the_time_is_up_they_are_open_before_the_clock_comes(draft, people):
    dispute = escalated(draft, people)
    filed(dispute, people, "cro")
    with time_machine.travel(PAGES_DUE, tick=False):
        seen = text(browser(people["ceo"]).get(page(dispute)))
    assert PAGES["cro"] in seen
    assert "Not filed in time" in seen


def test_a_page_is_saved_filed_and_waived_on_the_page(draft, people):
    dispute = escalated(draft, people)
    post = {"office": "cfo", "text": "I ask for margin."}
    client = browser(people["cfo"])
    assert client.post(page(dispute, "dispute_page"), {**post, "act": "save"}).status_code == 302
    assert DisputePage.objects.get().filed_at is None
    assert "I ask for margin." in text(client.get(page(dispute)))
    client.post(page(dispute, "dispute_page"), {**post, "act": "file"})
    assert DisputePage.objects.get().filed_at == LATER
    browser(people["coo"]).post(page(dispute, "dispute_page"), {"office": "coo", "act": "waive"})
    assert DisputePage.objects.get(office="coo").waived_at == LATER


def test_what_was_typed_stays_when_it_is_refused(draft, people):
    dispute = escalated(draft, people)
    answer = browser(people["cfo"]).post(
        page(dispute, "dispute_page"), {"office": "cfo", "act": "file", "text": "word " * 700}
    )
    assert answer.status_code == 422
    assert "word " * 699 in text(answer)
    assert "3,000 fit" in text(answer)
    assert not DisputePage.objects.exists()


def test_nobody_files_for_others_by_the_page(draft, people):
    dispute = escalated(draft, people)
    for who in ("cro", "ceo", "revops_lead"):
        answer = browser(people[who]).post(
            page(dispute, "dispute_page"), {"office": "cfo", "act": "file", "text": "Mine."}
        )
        assert answer.status_code == 403
    assert not DisputePage.objects.exists()


def test_the_ruling_form_opens_with_the_text_in_force(people, functions):
    revision = factories.in_state(State.IN_FORCE, people)
    draft = workflow.amend(revision=revision, acting_user=people["cro"], at=NOW)
    factories.edit(row_of(draft), people, by="coo", owner="coo", scope_in="Ours now.")
    dispute = filed(escalated(draft, people, by="cfo"), people)
    answer = browser(people["ceo"]).get(page(dispute))
    form = answer.context["form"]
    assert form["owner"].value() == "cro"
    assert form["scope_in"].value() == row_of(revision).scope_in
    assert answer.context["page"].differences


def test_the_ceo_rules_on_the_page(draft, people):
    dispute = filed(escalated(draft, people), people)
    answer = signed_in(people["ceo"]).post(page(dispute, "rule"), ruling_fields())
    assert answer.status_code == 302, text(answer)
    assert fresh(dispute).outcome == Dispute.Outcome.RULED
    assert row_of(draft).owner == "coo"
    for who in READERS:
        assert RATIONALE in text(browser(people[who]).get(page(dispute)))


def test_ruling_asks_who_sits_there_and_keeps_what_was_typed(draft, people):
    dispute = filed(escalated(draft, people), people)
    client = browser(people["ceo"])
    answer = client.post(page(dispute, "rule"), ruling_fields())
    assert answer.status_code == 302
    assert "reauthenticate" in answer["Location"]
    assert not Ruling.objects.exists()
    answer = client.post(answer["Location"], {"password": PASSWORD})
    assert fresh(dispute).outcome == Dispute.Outcome.RULED
    assert answer["Location"] == page(dispute)


def test_an_incomplete_ruling_is_shown_again(draft, people):
    dispute = filed(escalated(draft, people), people)
    answer = signed_in(people["ceo"]).post(
        page(dispute, "rule"), ruling_fields(ruling_rationale="", scope_in="Kept words.")
    )
    assert answer.status_code == 422
    assert "Kept words." in text(answer)
    assert not Ruling.objects.exists()


def test_nobody_else_rules_on_the_page(draft, people):
    dispute = filed(escalated(draft, people), people)
    for who in ("cro", "revops_lead", "corporate_secretary", "auditor"):
        client = signed_in(people[who])
        assert client.post(page(dispute, "rule"), ruling_fields()).status_code == 403, who
        assert client.post(page(dispute, "rule"), {}).status_code == 403, who
        assert not Ruling.objects.exists(), who


def test_the_parties_withdraw_it_on_the_page(draft, people):
    dispute = escalated(draft, people)
    for who in ("cro", "coo", "cfo"):
        browser(people[who]).post(page(dispute, "settle_dispute"))
        if who == "cro":
            browser(people[who]).post(page(dispute, "take_back_settlement"))
            browser(people[who]).post(page(dispute, "settle_dispute"))
    assert fresh(dispute).outcome == Dispute.Outcome.WITHDRAWN
    assert "withdrew it" in text(browser(people["ceo"]).get(page(dispute)))
    assert browser(people["ceo"]).post(page(dispute, "settle_dispute")).status_code == 302


def test_the_ceo_names_who_decides_on_the_page(draft, people):
    type(row_of(draft).function).objects.filter(key="deal_desk").update(natural_owner="hybrid")
    dispute = escalated(draft, people)
    client = browser(people["ceo"])
    assert "Who decides until you rule" in text(client.get(page(dispute)))
    client.post(page(dispute, "name_decider"), {"office": "cfo"})
    assert fresh(dispute).interim_decider == "cfo"
    answer = browser(people["cro"]).post(page(dispute, "name_decider"), {"office": "cro"})
    assert answer.status_code == 403


def test_a_contested_row_is_escalated_from_the_board(draft, people):
    contested(draft, people)
    board = reverse("boundaries:revision", args=["NC-RB", 1])
    address = reverse("boundaries:escalate", args=["NC-RB", 1, 1])
    assert f'action="{address}"' in text(browser(people["cro"]).get(board))
    assert f'action="{address}"' not in text(browser(people["ceo"]).get(board))
    assert browser(people["ceo"]).get(address).status_code == 403
    answer = browser(people["cro"]).post(address, {"question": QUESTION})
    dispute = Dispute.objects.get()
    assert answer["Location"] == page(dispute)
    board_now = text(browser(people["cro"]).get(board))
    assert "is in dispute" in board_now
    assert browser(people["cro"]).post(address, {"question": ""}).status_code == 422


def test_a_row_in_force_is_escalated_from_its_text(people, functions):
    revision = factories.in_state(State.IN_FORCE, people)
    at = reverse("boundaries:text", args=["NC-RB", 1])
    address = reverse("boundaries:escalate", args=["NC-RB", 1, 1])
    assert address in text(browser(people["coo"]).get(at))
    assert address not in text(browser(people["member"]).get(at))
    client = browser(people["coo"])
    assert client.post(address, {"question": QUESTION, "reason": ""}).status_code == 422
    client.post(address, {"question": QUESTION, "reason": "It takes ten days."})
    assert Dispute.objects.get().in_force
    for who in ("coo", "member"):
        seen = text(browser(people[who]).get(at))
        assert "Until the ruling the CRO decides" in seen
        assert (page(Dispute.objects.get()) in seen) is (who == "coo")
    assert revision.number == 1


def test_an_interim_decision_stands_beside_the_sealed_text_for_everybody(people, functions):
    revision = factories.in_state(State.IN_FORCE, people)
    ruled(in_force_disputed(revision, people), people)
    for name in ("text", "revision"):
        seen = text(browser(people["member"]).get(reverse(f"boundaries:{name}", args=["NC-RB", 1])))
        assert "Interim decision of 20 Nov 2026" in seen
        assert PAGES["cro"] not in seen


def standings(person, key="deal_desk", on=""):
    address = reverse("functions_catalog:function", args=[key])
    return text(browser(person).get(address, {"on": on} if on else {}))


def test_look_ups_say_who_decides_and_what_was_decided(people, functions):
    revision = factories.in_state(State.IN_FORCE, people)
    dispute = in_force_disputed(revision, people)
    for who in ("member", "cfo"):
        seen = standings(people[who])
        assert "In dispute" in seen
        assert "Until the ruling the CRO decides" in seen
        assert (page(dispute) in seen) is (who == "cfo")
    ruled(dispute, people)
    seen = standings(people["member"])
    assert "binds beside the sealed text" in seen and "In dispute" not in seen
    assert "binds beside" not in standings(people["member"], on="2026-11-19")


def test_a_dispute_of_a_draft_is_for_readers_of_drafts(draft, people):
    escalated(draft, people)
    assert "In dispute, draft v1" in standings(people["cfo"])
    assert "In dispute" not in standings(people["member"])


def waiting(person):
    return text(browser(person).get("/"))


def test_who_owes_a_page_or_a_ruling_is_told_on_the_look_up_page(draft, people):
    dispute = escalated(draft, people)
    filed(dispute, people, "cro")
    assert "File your page on Deal desk" in waiting(people["cfo"])
    assert "File your page" not in waiting(people["cro"])
    assert "Deal desk" not in waiting(people["ceo"]).split("<main")[0]
    filed(dispute, people, "coo", "cfo")
    assert "Rule on Deal desk" in waiting(people["ceo"])
    assert "File your page" not in waiting(people["cfo"])


def test_the_api_reads_and_seals_like_the_page(draft, people):
    dispute = escalated(draft, people)
    filed(dispute, people, "cro")
    client = browser(people["cro"])
    one = client.get(f"/api/v1/disputes/{dispute.pk}/").json()
    assert [entry["text"] for entry in one["pages"]] == [None, None, None]
    assert one["pages"][0]["filed_at"] and one["ruling"] is None
    ruled_one = ruled_rest(dispute, people)
    one = client.get(f"/api/v1/disputes/{dispute.pk}/").json()
    assert one["pages"][0]["text"] == PAGES["cro"]
    assert one["ruling"]["rationale"] == ruled_one.rationale
    assert client.get("/api/v1/disputes/").json()["count"] == 1
    member = browser(people["member"])
    assert member.get("/api/v1/disputes/").json()["count"] == 0
    assert member.get(f"/api/v1/disputes/{dispute.pk}/").status_code == 404
    assert client.post("/api/v1/disputes/", {}).status_code == 405


def ruled_rest(dispute, people):
    from boundaries import rulings

    filed(dispute, people, "coo", "cfo")
    return rulings.rule(
        dispute=dispute, terms=TERMS, rationale=RATIONALE, acting_user=people["ceo"], at=NOW
    )


def test_an_empty_list_says_what_will_stand_there(people):
    assert "No dispute yet" in text(browser(people["cro"]).get(reverse("boundaries:disputes")))
    seen = text(browser(people["member"]).get(reverse("boundaries:disputes")))
    assert "read by those who take part" in seen


def count_queries(client, address):
    client.get(address)
    with CaptureQueriesContext(
        connection,
    ) as found:
        assert client.get(address).status_code == 200
    return len(found)


def test_lists_and_look_ups_ask_as_much_for_many_disputes_as_for_one(draft, people):
    first = escalated(draft, people)
    client = browser(people["cfo"])
    places = [reverse("boundaries:disputes"), "/", page(first)]
    one = [count_queries(client, place) for place in places]
    for key in ("territory_planning", "vendor_management", "billing_and_collections"):
        escalated(draft, people, key=key)
    assert [count_queries(client, place) for place in places] == one


def test_looking_at_a_dispute_leaves_no_event(draft, people):
    dispute = escalated(draft, people)
    client = browser(people["ceo"])
    before = Event.objects.count()
    client.get(page(dispute))
    assert Event.objects.count() == before
