"""A further Office that owns a function in a draft is a party to it: all the way into force."""

import pytest
import time_machine
from django.test import Client

from audit.models import Event
from boundaries import agreeing, drafting, signing, standing, workflow
from boundaries import content as contents
from boundaries.errors import NotAParty, NotReadyToFreeze
from boundaries.models import Article, Freeze
from boundaries.parties import parties_of, party_offices
from boundaries.states import State
from notifications.models import Notice, OutgoingMail
from people.models import Office
from sealing.document import signing_html
from tests.boundaries import factories
from tests.boundaries.factories import NOW, REASON, TODAY, fresh, row_of
from tests.people.factories import PersonFactory

pytestmark = pytest.mark.django_db

BASE = "/boundaries/NC-RB/1/"
ALL_FOUR = ["cro", "coo", "cfo", "cmo"]


@pytest.fixture
def people(company):
    everybody = factories.everybody()
    Office.objects.create(
        key="cmo", title="Chief Marketing Officer", short="CMO", co_signing=True, position=20
    )
    Office.objects.create(key="people", title="People Office", short="People", position=21)
    everybody["cmo"] = PersonFactory(name="Noor Haddad")
    factories.appointed(everybody["cmo"], "cmo")
    return everybody


@pytest.fixture
def shared(draft, people):
    """The CMO owns territory planning; everybody has agreed to everything else."""
    factories.edit(row_of(draft, "territory_planning"), people, owner="cmo", informed=["people"])
    return draft


def by(people, office):
    return {"acting_user": people[office], "at": NOW}


def refused(act):
    events = Event.objects.count()
    with pytest.raises(NotAParty) as refusal:
        act()
    assert Event.objects.count() == events
    return str(refusal.value)


@pytest.fixture
def page_of(people):
    def get(office, path):
        client = Client()
        client.force_login(people[office])
        return client.get(path)

    with time_machine.travel(NOW, tick=False):
        yield get


# --- Becoming a party, and being none any more --------------------------------------------------


def test_owning_a_row_or_a_part_makes_a_party(draft, people):
    assert party_offices(draft) == ["cro", "coo", "cfo"]
    row = row_of(draft, "master_data_management")
    parts = (
        drafting.SubScopeText("Accounts", "cmo"),
        drafting.SubScopeText("Products", "coo"),
    )
    row = factories.edit(row, people, sub_scopes=parts)
    assert party_offices(draft) == ALL_FOUR
    assert Notice.objects.get(person=people["cmo"], kind="party").title == (
        "The CMO is now a party to NC-RB-1"
    )
    factories.edit(row, people, owner="coo")
    assert party_offices(draft) == ["cro", "coo", "cfo"]
    titles = Notice.objects.filter(person=people["cmo"]).values_list("title", flat=True)
    assert "The CMO is no longer a party to NC-RB-1" in titles


def test_who_takes_the_part_of_an_owner_becomes_a_party(shared, people):
    cmo = Office.objects.get(key="cmo")
    cco = Office.objects.create(
        key="cco", title="Chief Customer Officer", short="CCO", co_signing=True, position=22
    )
    cmo.established, cmo.part_goes_to, cmo.not_established_reason = False, cco, "Forty people."
    cmo.save()
    assert party_offices(shared) == ["cro", "coo", "cfo", "cco"]


def test_its_agreements_no_longer_count_when_its_last_row_goes(shared, people):
    factories.all_agree(shared, people, parties=ALL_FOUR)
    factories.edit(row_of(shared, "territory_planning"), people, owner="cro")
    for office in ("coo", "cfo"):
        row = row_of(shared, "territory_planning")
        agreeing.agree(clause=row, expected_version=row.version, **by(people, office))
    every = standing.standings(shared, parties=party_offices(shared), today=TODAY)
    assert {one.office for each in every for one in each.stances} == {"cro", "coo", "cfo"}
    assert all(each.state == "agreed" for each in every)
    factories.frozen(fresh(shared), people)
    assert parties_of(fresh(shared)) == ["cro", "coo", "cfo"]


def test_without_its_agreement_nothing_is_frozen(shared, people):
    factories.all_agree(shared, people)
    with pytest.raises(NotReadyToFreeze) as refusal:
        workflow.freeze(revision=shared, **by(people, "cro"))
    assert any("CMO" in one.detail for one in refusal.value.blockers)


def test_a_removed_row_makes_nobody_a_party(people, functions):
    chosen = [functions["deal_desk"], functions["vendor_management"]]
    revision = factories.draft(people, number="NC-P", functions=chosen)
    row = factories.edit(row_of(revision), people, owner="cmo")
    assert party_offices(revision) == ALL_FOUR
    drafting.remove_row(row=row, expected_version=row.version, **by(people, "cro"))
    assert party_offices(revision) == ["cro", "coo", "cfo"]
    assert Notice.objects.filter(person=people["cmo"], kind="party").count() == 2


# --- Acting only where it is a party ------------------------------------------------------------


def test_elsewhere_it_reads_and_does_nothing(ready, people, page_of):
    row, person = row_of(ready), by(people, "cmo")
    text = drafting.row_text(row)
    purpose = Article.objects.get(revision=ready, key="purpose")
    words = refused(
        lambda: drafting.edit_row(row=row, expected_version=row.version, text=text, **person)
    )
    assert "The CMO owns no row of NC-RB-1" in words
    assert "give you a function or a part of one in article 4" in words
    for act in (
        lambda: drafting.edit_article(
            article=purpose,
            expected_version=1,
            text=drafting.ArticleText("Ours.", purpose.data),
            **person,
        ),
        lambda: drafting.leave_out(row=row, expected_version=1, reason="No.", **person),
        lambda: drafting.move_row(row=row, after=ready.rows.last(), **person),
        lambda: agreeing.agree(clause=row, expected_version=1, **person),
        lambda: agreeing.contest(clause=row, reason=REASON, **person),
        lambda: agreeing.agree_to_all_read(revision=ready, read={}, **person),
        lambda: workflow.freeze(revision=ready, **person),
    ):
        refused(act)
    board = page_of("cmo", BASE)
    assert board.status_code == 200
    may = board.context["may"]
    assert not (may.edit or may.agree or may.contest or may.freeze)
    assert page_of("cmo", f"{BASE}rows/1/").status_code == 403


def test_frozen_text_of_others_it_neither_signs_nor_declines(ready, people):
    factories.frozen(ready, people)
    revision, person = fresh(ready), by(people, "cmo")
    signing.record_reading(freeze=Freeze.objects.get(), **person)
    refused(lambda: factories.intent_for(revision, people["cmo"]))
    refused(lambda: workflow.decline(revision=revision, reason=REASON, **person))
    refused(
        lambda: workflow.cosign(
            revision=revision,
            intent=factories.forged_intent(revision, people["cmo"]),
            session_key=factories.SESSION,
            **person,
        )
    )


def test_it_amends_only_what_it_is_a_party_to(people, functions):
    revision = factories.in_force(people)
    refused(lambda: workflow.amend(revision=revision, **by(people, "cmo")))


def test_it_edits_a_draft_that_it_opened_and_so_becomes_a_party(people, functions):
    revision = factories.draft(
        people, opener="cmo", number="NC-M", functions=[functions["deal_desk"]]
    )
    refused(lambda: agreeing.contest(clause=row_of(revision), reason=REASON, **by(people, "cmo")))
    row = factories.edit(row_of(revision), people, by="cmo", owner="cmo")
    assert party_offices(revision) == ALL_FOUR
    assert factories.live_stances(row) == {"cmo": "agreed"}


def test_a_person_of_two_offices_acts_for_the_one_that_is_a_party(ready, people):
    factories.acting(people["coo"], "cmo")
    row = factories.edit(row_of(ready), people, by="coo", scope_in="Prices")
    assert factories.live_stances(row) == {"coo": "agreed"}


# --- The whole way ------------------------------------------------------------------------------


def test_four_parties_from_draft_into_force(shared, people, page_of):
    factories.effective(shared, people, TODAY)
    factories.all_agree(shared, people, parties=ALL_FOUR)
    board = page_of("cmo", BASE)
    assert [one.office for one in board.context["board"].tally] == ALL_FOUR
    assert "CMO-owned" in board.content.decode()

    freeze = factories.frozen(fresh(shared), people, by="cmo")

    frozen = contents.content_of(freeze)
    assert [one["office"] for one in frozen["parties"]] == ALL_FOUR
    assert frozen["offices"] == [{"office": "people", "title": "People Office", "short": "People"}]
    paper = signing_html(frozen, content_sha256="0" * 64, verification_url="https://x.example/")
    assert 'id="Sig_CMO"' in paper
    assert "and the Chief Marketing Officer, for approval by" in paper
    assert "the Chief Marketing Officer" in page_of("cmo", BASE).content.decode()
    asked = OutgoingMail.objects.filter(kind="signature-asked")
    assert people["cmo"] in {one.person for one in asked}
    revision = factories.cosigned(fresh(shared), people, "cro", "coo", "cfo")
    assert revision.state == State.COSIGNING
    assert "3 of 4 signed" in page_of("cmo", BASE).content.decode()
    assert page_of("cmo", f"{BASE}sign/").status_code == 200
    revision = factories.cosigned(revision, people, "cmo")
    assert revision.state == State.AWAITING_APPROVAL
    revision = factories.approved(revision, people)
    assert revision.state == State.IN_FORCE
    answer = page_of("member", "/functions/territory_planning/").content.decode()
    assert "Noor Haddad" in answer
    assert "CMO" in answer
    assert workflow.amend(revision=revision, **by(people, "cmo")).state == State.DRAFT


def test_it_may_decline(shared, people):
    factories.all_agree(shared, people, parties=ALL_FOUR)
    factories.frozen(fresh(shared), people)
    workflow.decline(revision=fresh(shared), reason=REASON, **by(people, "cmo"))
    assert fresh(shared).state == State.DRAFT
    assert "cmo" in party_offices(fresh(shared))
