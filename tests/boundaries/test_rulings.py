"""Rulings: applied and locked in a draft, binding as interim decisions, carried into versions."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from django.db import IntegrityError, transaction

from audit.models import Event, PersonalText
from boundaries import agreeing, drafting, rulings, vetoes, workflow
from boundaries import content as contents
from boundaries.drafting import SubScopeText, row_text
from boundaries.errors import InvalidText, NotReadyToFreeze, ReasonMissing, RowIsSettled
from boundaries.models import Dispute, EarlierText, Ruling
from boundaries.parties import party_offices
from boundaries.standing import standings
from boundaries.states import ClauseState, State
from functions_catalog.models import Function, Ownership
from functions_catalog.ownership import answer_on, answers_on, history
from notifications.models import OutgoingMail
from people.models import Office
from tests.boundaries import factories
from tests.boundaries.disputing import (
    RATIONALE,
    SPLIT,
    TERMS,
    escalated,
    filed,
    fresh,
    in_force_disputed,
    ruled,
)
from tests.boundaries.factories import NOW, TODAY, row_of
from tests.boundaries.test_disputes import refused
from tests.people.factories import PersonFactory

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def mailed(kind):
    return set(OutgoingMail.objects.filter(kind=kind).values_list("person__name", flat=True))


def standing_of(revision, key="deal_desk"):
    row = row_of(revision, key)
    every = standings(revision, parties=party_offices(revision), today=TODAY, rows=[row])
    return next(one for one in every if one.clause == row)


def deal_desk():
    return Function.objects.get(key="deal_desk")


def frozen_with_ruling(draft, people, *, terms=TERMS, at=NOW):
    """The draft with a ruling on deal desk, all else agreed, frozen; nobody has signed."""
    ruling = ruled(escalated(draft, people), people, terms=terms, at=at)
    factories.all_agree(draft, people, at=at)
    factories.frozen(draft, people, at=at)
    return ruling, factories.fresh(draft)


# --- In a draft -------------------------------------------------------------------------------


def test_a_ruling_is_applied_locked_and_counts_as_agreed_by_all(draft, people):
    dispute = escalated(draft, people)
    version = row_of(draft).version
    ruling = ruled(dispute, people)

    row = row_of(draft)
    assert replace(row_text(row), rationale="") == TERMS
    assert (row.ruling, row.is_settled, row.version) == (ruling, True, version + 1)
    assert EarlierText.objects.filter(row=row, version=version).exists()
    assert (row.changed_by_name, row.changed_by_office) == (people["ceo"].name, "CEO")
    assert {one.state for one in standing_of(draft).stances} == {"bound"}
    assert standing_of(draft).state == ClauseState.AGREED
    assert fresh(dispute).outcome == Dispute.Outcome.RULED
    event = Event.objects.get(event="dispute.ruled")
    assert event.data["terms"]["owner"] == "coo"
    assert RATIONALE not in str(event.data)
    assert PersonalText.objects.get(sequence=event.sequence).text == RATIONALE
    assert mailed("dispute-ruled") == {
        people[key].name for key in ("cro", "coo", "cfo", "revops_lead")
    }
    # Nothing is in force: nothing binds yet.
    assert ruling.interim_from is None
    assert not Ownership.objects.exists()


def test_a_ruled_row_is_locked(draft, people):
    ruled(escalated(draft, people), people)
    row = row_of(draft)
    for call in (
        lambda: factories.edit(row, people, scope_in="Something else."),
        lambda: agreeing.contest(clause=row, reason="No.", acting_user=people["cfo"], at=NOW),
        lambda: agreeing.agree(
            clause=row, expected_version=row.version, acting_user=people["cfo"], at=NOW
        ),
    ):
        refused(RowIsSettled, call)


def test_what_stands_already_is_ruled_without_a_new_version(draft, people):
    dispute = escalated(draft, people)
    row = row_of(draft)
    ruled(dispute, people, terms=row_text(row))
    assert row_of(draft).version == row.version
    assert row_of(draft).is_settled


def test_nothing_but_the_rest_blocks_freezing_then(draft, people):
    _ruling, revision = frozen_with_ruling(draft, people)
    assert revision.state == State.COSIGNING
    content = contents.content_of(revision.freezes.get())
    row = contents.rows_of(content)["deal_desk"]
    assert row["owner"] == "coo"


NEVER_FROZEN = [
    replace(TERMS, owner=""),
    replace(TERMS, owner="shared"),
    replace(TERMS, scope_in="  "),
    replace(TERMS, owner="", left_out_reason="Nobody needs it."),
    replace(SPLIT, sub_scopes=SPLIT.sub_scopes[:1]),
    replace(SPLIT, sub_scopes=(SubScopeText("One", "cro"), SubScopeText("Two", ""))),
    replace(SPLIT, sub_scopes=(SubScopeText("One", "cro"), SubScopeText("one", "coo"))),
    replace(TERMS, scope_in="Ask \U0001f9ff first."),
]


def test_terms_that_could_never_be_frozen_are_refused(draft, people):
    dispute = filed(escalated(draft, people), people)
    by_ceo = {"rationale": RATIONALE, "acting_user": people["ceo"], "at": NOW}
    for terms in NEVER_FROZEN:
        refused(InvalidText, partial(rulings.rule, dispute=dispute, terms=terms, **by_ceo))


@pytest.mark.parametrize(
    ("rationale", "error"), [(" \n", ReasonMissing), ("x" * 4001, InvalidText)]
)
def test_a_ruling_has_a_rationale(draft, people, rationale, error):
    dispute = filed(escalated(draft, people), people)
    refused(
        error,
        lambda: rulings.rule(
            dispute=dispute, terms=TERMS, rationale=rationale, acting_user=people["ceo"], at=NOW
        ),
    )


def test_a_ruling_lifts_no_veto(draft, people):
    dispute = escalated(draft, people)
    vetoes.veto(row=row_of(draft), reason="Margin.", acting_user=people["cfo"], at=NOW)
    ruled(dispute, people)
    factories.all_agree(draft, people)
    assert standing_of(draft).is_vetoed
    with pytest.raises(NotReadyToFreeze):
        workflow.freeze(revision=draft, acting_user=people["cro"], at=NOW)


def test_the_database_keeps_a_ruling_as_it_is(draft, people):
    ruled(escalated(draft, people), people)
    with pytest.raises(IntegrityError), transaction.atomic():
        Ruling.objects.update(rationale="Something else.")
    with pytest.raises(IntegrityError), transaction.atomic():
        Ruling.objects.all().delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        Ruling.objects.update(interim_until=NOW)


# --- In force ---------------------------------------------------------------------------------


@pytest.fixture
def in_force(people, functions):
    return factories.in_state(State.IN_FORCE, people)


def test_a_ruling_about_what_is_in_force_binds_at_once(in_force, people):
    sealed = row_text(row_of(in_force))
    later = NOW + 3 * DAY
    ruling = ruled(in_force_disputed(in_force, people, at=NOW), people, at=later)

    assert ruling.is_interim and ruling.interim_from == later
    # The sealed text stays as it is.
    assert row_text(row_of(in_force)) == sealed
    before, on, after = (answer_on(deal_desk(), TODAY + n * DAY) for n in (2, 3, 4))
    assert (before.owner, before.decision) == ("cro", "")
    assert before.in_force_until == TODAY + 3 * DAY
    for answer in (on, after):
        assert (answer.owner, answer.scope_in) == ("coo", TERMS.scope_in)
        assert answer.decision == f"dispute-{ruling.dispute_id}"
        assert (answer.revision_reference, answer.article_reference) == ("NC-RB-1", "4.1")
        assert answer.in_force_from == TODAY + 3 * DAY
    # Who gained and who lost are told, with what.
    assert mailed("dispute-ruled") >= {people["coo"].name, people["cro"].name}
    text = OutgoingMail.objects.filter(kind="dispute-ruled").first().text
    assert "from the CRO to the COO" in text


def test_ruled_on_the_day_it_came_in_force_it_replaces_the_text_of_that_day(in_force, people):
    ruled(in_force_disputed(in_force, people), people)
    assert answer_on(deal_desk(), TODAY).owner == "coo"
    assert [one.decision != "" for one in history(deal_desk())] == [False, True]


def test_it_enters_the_open_draft_locked(in_force, people):
    draft = workflow.amend(revision=in_force, acting_user=people["cro"], at=NOW)
    ruling = ruled(in_force_disputed(in_force, people), people)
    row = row_of(draft)
    assert (row.owner, row.ruling, row.carried) == ("coo", ruling, False)
    assert "ruling.entered_draft" in Event.objects.values_list("event", flat=True)


def test_it_enters_the_next_draft_when_none_is_open(in_force, people):
    ruling = ruled(in_force_disputed(in_force, people, at=NOW), people)
    draft = workflow.amend(revision=in_force, acting_user=people["cro"], at=NOW)
    assert (row_of(draft).owner, row_of(draft).ruling) == ("coo", ruling)
    # The other rows are carried over as ever.
    assert row_of(draft, "territory_planning").ruling is None


def test_it_enters_a_frozen_one_only_when_that_is_a_draft_again(in_force, people):
    draft = workflow.amend(revision=in_force, acting_user=people["cro"], at=NOW)
    draft = factories.effective(draft, people, TODAY)
    factories.all_agree(draft, people)
    factories.frozen(draft, people)
    ruling = ruled(in_force_disputed(in_force, people), people)
    assert row_of(draft).ruling is None
    workflow.return_to_draft(
        revision=draft, reason="Take the ruling in.", acting_user=people["ceo"], at=NOW
    ) if factories.fresh(draft).state == State.AWAITING_APPROVAL else workflow.decline(
        revision=draft, reason="Take the ruling in.", acting_user=people["coo"], at=NOW
    )
    assert row_of(draft).ruling == ruling


def bring_into_force(draft, people, *, at):
    return factories.brought_into_force(draft, people, at=at)


def test_it_ends_as_an_interim_decision_once_a_version_holds_it(in_force, people):
    ruling = ruled(in_force_disputed(in_force, people), people, at=NOW + DAY)
    draft = workflow.amend(revision=in_force, acting_user=people["cro"], at=NOW + DAY)
    at = NOW + 4 * DAY
    bring_into_force(draft, people, at=at)

    ruling.refresh_from_db()
    assert (ruling.interim_until, ruling.is_interim) == (at, False)
    answer = answer_on(deal_desk(), TODAY + 4 * DAY)
    assert (answer.owner, answer.decision, answer.revision_number) == ("coo", "", 2)
    assert answer_on(deal_desk(), TODAY + 3 * DAY).decision == f"dispute-{ruling.dispute_id}"
    # And it locks nothing in the version after that.
    third = workflow.amend(revision=factories.fresh(draft), acting_user=people["cro"], at=at)
    assert (row_of(third).owner, row_of(third).ruling) == ("coo", None)


def test_text_frozen_before_a_ruling_does_not_undo_it(in_force, people):
    draft = workflow.amend(revision=in_force, acting_user=people["cro"], at=NOW)
    draft = factories.effective(draft, people, TODAY)
    factories.all_agree(draft, people)
    factories.frozen(draft, people)
    ruling = ruled(in_force_disputed(in_force, people), people)
    mails = OutgoingMail.objects.filter(kind="in-force", text__contains="Deal desk").count()
    factories.cosigned(draft, people)
    factories.approved(draft, people)

    ruling.refresh_from_db()
    assert ruling.is_interim
    answer = answer_on(deal_desk(), TODAY)
    assert (answer.owner, answer.decision) == ("coo", f"dispute-{ruling.dispute_id}")
    assert answer.revision_number == 2
    # Nobody is told that they gained or lost what they did not.
    now = OutgoingMail.objects.filter(kind="in-force", text__contains="Deal desk").count()
    assert now == mails
    third = workflow.amend(revision=factories.fresh(draft), acting_user=people["cro"], at=NOW)
    assert row_of(third).ruling == ruling


def test_a_decision_about_a_retired_function_ends_with_the_next_version(in_force, people):
    ruling = ruled(in_force_disputed(in_force, people), people)
    draft = workflow.amend(revision=in_force, acting_user=people["cro"], at=NOW)
    Function.objects.filter(key="deal_desk").update(status=Function.Status.RETIRED)
    row = row_of(draft)
    drafting.leave_out(
        row=row,
        expected_version=row.version,
        reason="The catalog has retired it.",
        acting_user=people["cro"],
        at=NOW,
    )
    assert answer_on(deal_desk(), TODAY).decision
    factories.brought_into_force(draft, people, at=NOW + DAY)
    ruling.refresh_from_db()
    assert not ruling.is_interim
    assert answer_on(deal_desk(), TODAY + DAY) is None


def test_look_ups_of_a_day_to_come_know_that_it_binds_on(in_force, people):
    draft = workflow.amend(revision=in_force, acting_user=people["cro"], at=NOW)
    draft = factories.effective(draft, people, TODAY + 10 * DAY)
    factories.all_agree(draft, people)
    factories.frozen(draft, people)
    ruling = ruled(in_force_disputed(in_force, people), people)
    factories.cosigned(draft, people)
    factories.approved(draft, people)
    import time_machine

    with time_machine.travel(NOW, tick=False):
        answer = answers_on(TODAY + 12 * DAY)["deal_desk"]
    assert (answer.owner, answer.decision) == ("coo", f"dispute-{ruling.dispute_id}")


def test_a_second_ruling_takes_the_place_of_the_first(in_force, people):
    first = ruled(in_force_disputed(in_force, people), people)
    draft = workflow.amend(revision=in_force, acting_user=people["cro"], at=NOW)
    later = NOW + DAY
    second = ruled(in_force_disputed(in_force, people, at=later), people, terms=SPLIT, at=later)
    first.refresh_from_db()
    assert (first.interim_until, second.is_interim) == (later, True)
    assert answer_on(deal_desk(), TODAY + DAY).owner == "hybrid"
    assert row_of(draft).ruling == second


def test_an_office_that_is_gone_keeps_a_ruling_out_of_the_draft(in_force, people):
    ruled(in_force_disputed(in_force, people), people)
    coo = Office.objects.get(key="coo")
    coo.established, coo.part_goes_to = False, Office.objects.get(key="cfo")
    coo.not_established_reason = "Saved."
    coo.save()
    draft = workflow.amend(revision=in_force, acting_user=people["cro"], at=NOW)
    assert row_of(draft).ruling is None


# --- Declined ---------------------------------------------------------------------------------


def test_a_ruling_binds_once_a_party_declines_the_draft_that_holds_it(draft, people):
    ruling, revision = frozen_with_ruling(draft, people)
    later = NOW + DAY
    workflow.decline(revision=revision, reason="Not this.", acting_user=people["cro"], at=later)

    ruling.refresh_from_db()
    assert ruling.interim_from == later
    answer = answer_on(deal_desk(), TODAY + DAY)
    assert (answer.owner, answer.decision) == ("coo", f"dispute-{ruling.dispute_id}")
    assert answer_on(deal_desk(), TODAY) is None
    # It stays locked in the draft; nothing came in force.
    assert row_of(draft).ruling == ruling
    assert factories.fresh(draft).state == State.DRAFT
    assert not type(draft).objects.in_force().exists()
    assert people["cfo"].name in mailed("dispute-bound")
    # A second decline binds nothing twice.
    factories.all_agree(draft, people, at=later)
    factories.frozen(draft, people, at=later)
    workflow.decline(revision=draft, reason="Still.", acting_user=people["cro"], at=later + DAY)
    assert Ownership.objects.filter(function=deal_desk()).count() == 1


def test_declining_says_first_which_rulings_it_binds(draft, people, client):
    ruling, revision = frozen_with_ruling(draft, people)
    url = f"{revision.get_absolute_url()}decline/"
    words = f"The ruling in dispute {ruling.dispute_id} binds from today as an interim decision"
    client.force_login(people["cro"])
    assert words in client.get(url).content.decode()
    client.force_login(people["ceo"])
    factories.cosigned(revision, people)
    returning = client.get(f"{revision.get_absolute_url()}return/").content.decode()
    assert "What this will do" in returning
    assert "binds from today" not in returning
    # Bound once, a second decline says it no more.
    workflow.decline(
        revision=factories.fresh(revision), reason="No.", acting_user=people["cro"], at=NOW
    )
    factories.all_agree(draft, people)
    factories.frozen(factories.fresh(draft), people)
    client.force_login(people["cro"])
    assert "binds from today" not in client.get(url).content.decode()


def test_a_decline_does_not_undo_what_the_ceo_decided_since(in_force, people):
    draft = workflow.amend(revision=in_force, acting_user=people["cro"], at=NOW)
    older = ruled(escalated(draft, people), people)
    factories.all_agree(draft, people)
    revision = factories.frozen(draft, people).revision
    terms = replace(TERMS, owner="cfo")
    newer = ruled(in_force_disputed(in_force, people), people, terms=terms, at=NOW + DAY)
    assert rulings.would_bind_declined(revision) == []

    workflow.decline(revision=revision, reason="No.", acting_user=people["cro"], at=NOW + 2 * DAY)
    for ruling in (older, newer):
        ruling.refresh_from_db()
    assert (older.interim_from, newer.is_interim) == (None, True)
    answer = answer_on(deal_desk(), TODAY + 2 * DAY)
    assert (answer.owner, answer.decision) == ("cfo", f"dispute-{newer.dispute_id}")
    assert (row_of(draft).owner, row_of(draft).ruling) == ("cfo", newer)


def test_a_return_by_the_ceo_binds_nothing(draft, people):
    ruling, revision = frozen_with_ruling(draft, people)
    factories.cosigned(revision, people)
    workflow.return_to_draft(
        revision=revision, reason="One more thing.", acting_user=people["ceo"], at=NOW
    )
    ruling.refresh_from_db()
    assert ruling.interim_from is None
    assert not Ownership.objects.exists()


def test_a_ruling_that_bound_on_a_decline_ends_when_its_draft_is_in_force(draft, people):
    ruling, revision = frozen_with_ruling(draft, people)
    workflow.decline(revision=revision, reason="Not this.", acting_user=people["cro"], at=NOW)
    bring_into_force(draft, people, at=NOW + DAY)
    ruling.refresh_from_db()
    assert ruling.interim_until == NOW + DAY
    assert answer_on(deal_desk(), TODAY + DAY).decision == ""


def test_a_decline_without_rulings_binds_nothing(frozen, people):
    workflow.decline(
        revision=frozen.revision, reason="Not this.", acting_user=people["cro"], at=NOW
    )
    assert not Ownership.objects.exists()


def test_the_clock_of_a_successor_does_not_matter_to_a_ruling(draft, people):
    """Who is CEO on that day rules, whoever was when the dispute was opened."""
    dispute = filed(escalated(draft, people), people)
    successor = PersonFactory(name="Robin Hale")
    factories.handed_over(successor, "ceo")
    refused(
        Exception,
        lambda: rulings.rule(
            dispute=dispute, terms=TERMS, rationale=RATIONALE, acting_user=people["ceo"], at=NOW
        ),
    )
    ruling = rulings.rule(
        dispute=dispute, terms=TERMS, rationale=RATIONALE, acting_user=successor, at=NOW
    )
    assert ruling.person_name == "Robin Hale"


def test_no_token_rules_or_files(settings):
    """Disputes have addresses to read by API, and none to act."""
    from django.urls import get_resolver

    def walk(patterns, prefix=""):
        for one in patterns:
            if hasattr(one, "url_patterns"):
                yield from walk(one.url_patterns, prefix + str(one.pattern))
            else:
                yield prefix + str(one.pattern), one.callback

    api = [
        (path, view)
        for path, view in walk(get_resolver().url_patterns)
        if path.startswith("api/v1/") and "dispute" in path
    ]
    assert api
    for _path, view in api:
        assert not {"post", "put", "patch", "delete"} & set(dir(view.view_class))
