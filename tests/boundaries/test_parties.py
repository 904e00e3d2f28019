"""Parties of a draft are today's, of frozen text those it names; Offices not established."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from audit.models import Event
from boundaries import content as contents
from boundaries import reminders, workflow
from boundaries.errors import PartyNotEstablished
from boundaries.forms import RowForm
from boundaries.models import Freeze, SigningIntent
from boundaries.parties import absences, parties_of, party_offices, possible_owners
from boundaries.states import State
from notifications.models import OutgoingMail
from people.models import Appointment, Office
from reviews.models import Review
from sealing.document import signing_html
from tests.boundaries import factories
from tests.boundaries.factories import NOW, SESSION, TODAY, row_of
from tests.people.factories import PersonFactory

pytestmark = pytest.mark.django_db

REASON = "The company has 140 people and no COO."


def abolish(key="coo", *, to="cfo", reason=REASON):
    """The company declares that it has no such Office; its holder's appointment ends."""
    Office.objects.filter(key=key).update(
        established=False,
        part_goes_to=Office.objects.get(key=to),
        not_established_reason=reason,
    )
    Appointment.objects.filter(office__key=key, ends_on__isnull=True).update(ends_on=TODAY)


def sign(revision, person, *, at=NOW):
    return workflow.cosign(
        revision=revision,
        intent=factories.authenticated_intent(revision, person, at=at),
        session_key=SESSION,
        acting_user=person,
        at=at,
    )


@pytest.fixture
def unsigned(ready, people):
    """Frozen with the CRO, COO and CFO as parties; nobody has signed."""
    factories.frozen(ready, people)
    return factories.fresh(ready)


# --- Parties ----------------------------------------------------------------------------------


def test_a_drafts_parties_are_todays(draft):
    assert parties_of(draft) == ["cro", "coo", "cfo"]
    abolish()
    assert parties_of(draft) == party_offices() == ["cro", "cfo"]


def test_frozen_text_keeps_the_parties_it_names(unsigned):
    abolish()
    Office.objects.create(key="cco", title="Chief Customer Officer", short="CCO", co_signing=True)
    assert parties_of(unsigned) == ["cro", "coo", "cfo"]
    assert "cco" in possible_owners()


def test_back_in_draft_the_parties_are_todays_again(unsigned, people):
    abolish()
    workflow.decline(revision=unsigned, reason="No COO.", acting_user=people["cro"], at=NOW)
    assert parties_of(factories.fresh(unsigned)) == ["cro", "cfo"]


def test_withdrawn_text_keeps_the_parties_it_was_frozen_with(unsigned, people):
    workflow.withdraw(revision=unsigned, reason="No.", acting_user=people["ceo"], at=NOW)
    abolish()
    assert parties_of(factories.fresh(unsigned)) == ["cro", "coo", "cfo"]


def test_reviews_are_held_by_the_parties_that_the_text_names(people, functions):
    revision = factories.in_force(people)
    assert {tuple(one.offices) for one in Review.objects.filter(revision=revision)} == {
        ("cro", "coo", "cfo")
    }
    abolish()
    assert parties_of(factories.fresh(revision)) == ["cro", "coo", "cfo"]


# --- Not established while it is being signed ---------------------------------------------------


def refused(act):
    before = (
        Event.objects.count(),
        SigningIntent.objects.filter(consumed_at__isnull=False).count(),
    )
    with pytest.raises(PartyNotEstablished, match="its part goes to the CFO") as refusal:
        act()
    assert before == (
        Event.objects.count(),
        SigningIntent.objects.filter(consumed_at__isnull=False).count(),
    )
    return str(refusal.value)


def test_nobody_signs_for_an_office_that_is_no_longer_established(unsigned, people):
    """Neither who takes its part, nor anybody for another: the text could never be completed."""
    intent = factories.authenticated_intent(unsigned, people["cfo"])
    abolish()
    words = refused(
        lambda: workflow.cosign(
            revision=unsigned,
            intent=intent,
            session_key=SESSION,
            acting_user=people["cfo"],
            at=NOW,
        )
    )
    assert "A party sends it back to draft by declining" in words
    factories.signing.record_reading(
        freeze=unsigned.freezes.get(voided_at__isnull=True), acting_user=people["cro"], at=NOW
    )
    refused(lambda: factories.intent_for(unsigned, people["cro"]))
    assert factories.live_signatures(unsigned) == []


def test_declined_and_frozen_anew_it_is_signed_without_it(unsigned, people):
    abolish()
    workflow.decline(revision=unsigned, reason="No COO.", acting_user=people["cfo"], at=NOW)
    factories.all_agree(unsigned, people, parties=["cro", "cfo"])
    factories.frozen(factories.fresh(unsigned), people)
    for office in ("cro", "cfo"):
        sign(factories.fresh(unsigned), people[office])
    assert factories.fresh(unsigned).state == State.AWAITING_APPROVAL


def test_a_signature_given_before_stays_valid(unsigned, people):
    sign(unsigned, people["coo"])
    abolish()
    for office in ("cro", "cfo"):
        sign(unsigned, people[office])
    revision = factories.fresh(unsigned)
    assert revision.state == State.AWAITING_APPROVAL
    assert ("coo", "cosigner") in factories.live_signatures(revision)


def test_reminders_ask_to_send_it_back(unsigned, people):
    abolish()
    reminders.remind_waiting(at=NOW + timedelta(days=7))
    assert not OutgoingMail.objects.filter(kind="waiting-reminder").exists()
    found = OutgoingMail.objects.filter(kind="cannot-be-signed")
    assert {one.person for one in found} == {people["cro"], people["cfo"]}
    assert "cannot be signed as it is frozen" in found[0].subject
    assert "/decline/" in found[0].text


def test_progress_page_says_what_to_do(unsigned, people):
    abolish()
    client = Client()
    client.force_login(people["cro"])
    with time_machine.travel(NOW, tick=False):
        page = client.get(unsigned.get_absolute_url()).content.decode()
    assert "Nobody can sign this for the COO" in page
    assert "Send it back to draft" in page
    assert "Read and sign v1" not in page


# --- What is frozen and printed ------------------------------------------------------------------


def test_frozen_content_says_which_office_is_not_established_and_why(draft, people):
    abolish()
    factories.all_agree(draft, people, parties=["cro", "cfo"])
    factories.frozen(draft, people)
    content = contents.content_of(Freeze.objects.get())
    assert [one["office"] for one in content["parties"]] == ["cro", "cfo"]
    assert content["not_established"] == [
        {
            "office": "coo",
            "title": "Chief Operating Officer",
            "short": "COO",
            "part_goes_to": "cfo",
            "reason": REASON,
        }
    ]
    page = signing_html(content, content_sha256="0" * 64, verification_url="https://x.example/")
    assert "Not established" in page
    assert REASON in page


def test_content_has_nothing_of_it_where_all_are_established(unsigned):
    content = contents.content_of(Freeze.objects.get())
    assert "not_established" not in content
    page = signing_html(content, content_sha256="0" * 64, verification_url="https://x.example/")
    assert "Not established" not in page


def test_the_paper_and_the_change_log_say_it(people, functions):
    revision = factories.in_force(people)
    abolish()
    amendment = workflow.amend(
        revision=revision, acting_user=people["cro"], at=NOW + timedelta(days=1)
    )
    later = NOW + timedelta(days=1)
    factories.all_agree(amendment, people, parties=["cro", "cfo"], at=later)
    factories.frozen(amendment, people, at=later)
    content = contents.content_of(amendment.freezes.get())
    assert (
        "The Office of the COO is not established; its part goes to the CFO."
        in (contents.article(content, "change_log")["text"])
    )
    client = Client()
    client.force_login(people["cro"])
    with time_machine.travel(later, tick=False):
        page = client.get(amendment.get_absolute_url()).content.decode()
    assert "Not established" in page
    assert REASON in page


# --- New text, forms, look-ups -------------------------------------------------------------------


def test_a_new_document_gives_its_rows_to_who_takes_its_part(people, functions):
    abolish()
    draft = factories.draft(people)
    assert row_of(draft, "vendor_management").owner == "cfo"
    parts = row_of(draft, "master_data_management").sub_scopes.values_list("key", "owner")
    assert dict(parts) == {"accounts_and_contacts": "cro", "products_and_employees": "cfo"}
    for row in draft.rows.all():
        assert "coo" not in [row.owner, *row.consulted, *row.informed]
        assert len(row.informed) == len(set(row.informed))
    layers = draft.articles.get(key="cadence").data["layers"]
    assert "coo" not in [layer["owner"] for layer in layers]


def test_a_part_passes_on_until_an_office_is_established(people):
    abolish("coo", to="cfo")
    abolish("cfo", to="cro")
    assert [(one.office.key, one.part_goes_to.key) for one in absences()] == [
        ("coo", "cro"),
        ("cfo", "cro"),
    ]


def test_forms_leave_it_out_and_propose_who_takes_its_part(draft):
    abolish()
    row = row_of(draft, "vendor_management")
    form = RowForm(initial=RowForm.initial_of(row))
    assert "coo" not in dict(form.fields["owner"].choices)
    assert "coo" not in dict(form.fields["consulted"].choices)
    assert form["owner"].value() == "cfo"


def test_look_ups_answer_with_who_holds_its_part(people, functions):
    factories.in_force(people)
    abolish()
    client = Client()
    client.force_login(people["member"])
    with time_machine.travel(NOW + timedelta(days=1), tick=False):
        answer = client.get("/?q=vendor+management").content.decode()
        page = client.get("/functions/vendor_management/").content.decode()
        data = client.get(reverse("api-function-ownership", args=["vendor_management"])).json()
        split = client.get(
            reverse("api-function-ownership", args=["master_data_management"])
        ).json()
    words = "The COO’s part is held by the CFO, Priya Raman"
    assert words in answer
    assert words in page
    assert data["owner"] == "coo"
    assert data["owners"][0] | {"acting": False} == {
        "key": "coo",
        "name": "COO",
        "holder": "Priya Raman",
        "acting": False,
        "part_held_by": "cfo",
    }
    assert [one["owner"]["part_held_by"] for one in split["sub_scopes"]] == [None, "cfo"]


def test_look_ups_name_a_stand_in_who_holds_the_part(people, functions):
    factories.in_force(people)
    abolish()
    factories.acting(PersonFactory(name="Wen Hao"), "cfo")
    client = Client()
    client.force_login(people["member"])
    with time_machine.travel(NOW + timedelta(days=1), tick=False):
        page = client.get("/functions/vendor_management/").content.decode()
    assert "The COO’s part is held by the Acting CFO, Wen Hao" in page
