"""Negotiating a draft: who agrees to what, and what an edit does to it."""

from datetime import date, timedelta

import pytest

from audit.models import Event
from boundaries import agreeing, drafting, workflow
from boundaries.drafting import ArticleText, RowText, SubScopeText
from boundaries.errors import ChangedMeanwhile, InvalidText, NotADraft, ReasonMissing
from boundaries.models import Agreement
from boundaries.parties import party_offices
from boundaries.standing import standings
from boundaries.states import ClauseState
from people.errors import NotYourOffice
from tests.boundaries import factories
from tests.boundaries.factories import NOW, TODAY, article_of, edit, live_stances, row_of
from tests.people.factories import PersonFactory

LATER = NOW + timedelta(minutes=5)


def agree(clause, person, *, version=None, at=NOW):
    return agreeing.agree(
        clause=clause,
        expected_version=clause.version if version is None else version,
        acting_user=person,
        at=at,
    )


def contest(clause, person, *, reason="The threshold is wrong.", at=NOW):
    return agreeing.contest(clause=clause, reason=reason, acting_user=person, at=at)


def standing_of(clause, *, today=TODAY):
    every = standings(clause.revision, parties=party_offices(), today=today)
    return next(one for one in every if one.clause == clause)


def stances(clause, *, today=TODAY):
    return {one.office: one.state for one in standing_of(clause, today=today).stances}


def logged():
    return list(Event.objects.order_by("sequence").values_list("event", flat=True))


# --- Opening ----------------------------------------------------------------------------------


def test_draft_starts_with_every_article_and_function(draft, people):
    assert [one.number for one in draft.articles.all()] == list(range(1, 13))
    assert [one.function.key for one in draft.rows.select_related("function")] == [
        key for key, *_ in factories.CATALOG
    ]
    assert (draft.number, draft.reference, draft.state) == (1, "NC-RB-1", "draft")
    assert draft.effective_date == TODAY + timedelta(days=30)
    assert draft.sunset_date == date(2027, 12, 20)
    assert draft.opened_by_office == "CRO"
    assert not draft.agreements.exists()
    assert logged()[-1] == "document.opened"
    split = row_of(draft, "master_data_management")
    assert [(one.key, one.owner) for one in split.sub_scopes.all()] == [
        ("accounts_and_contacts", "cro"),
        ("products_and_employees", "coo"),
    ]


@pytest.mark.parametrize("who", ["ceo", "revops_lead", "auditor", "administrator", "member"])
def test_open_document_is_for_parties_and_secretary(people, functions, who):
    with pytest.raises(NotYourOffice):
        factories.draft(people, opener=who)


def test_open_document_refuses_a_taken_number_and_a_second_company_boundary(draft, people):
    from boundaries.errors import DocumentExists
    from boundaries.models import Document

    with pytest.raises(DocumentExists, match="Choose another number"):
        factories.draft(people, number="NC-RB", functions=[])
    with pytest.raises(DocumentExists, match="Amend it instead"):
        factories.draft(people, number="NC-RB2")
    assert Document.objects.count() == 1


# --- Agreeing ---------------------------------------------------------------------------------


@pytest.mark.parametrize("clause_of", [row_of, lambda draft: article_of(draft, "purpose")])
def test_agree_is_recorded_with_version_and_office(draft, people, clause_of):
    clause = clause_of(draft)
    assert agree(clause, people["coo"]) == ["coo"]
    given = Agreement.objects.get()
    assert (given.office, given.stance, given.clause_version) == ("coo", "agreed", 1)
    assert (given.person, given.person_name) == (people["coo"], "Daniel Osei")
    assert given.appointment.office.key == "coo"
    assert stances(clause) == {"cro": "waiting", "coo": "agreed", "cfo": "waiting"}
    assert standing_of(clause).state == ClauseState.PROPOSED
    assert Event.objects.latest("sequence").data["offices"] == ["coo"]


def test_clause_is_agreed_when_every_party_agrees(draft, people):
    row = row_of(draft)
    for office in ("cro", "coo"):
        agree(row, people[office])
    assert standing_of(row).waits_for == "CFO to agree"
    agree(row, people["cfo"])
    assert standing_of(row).state == ClauseState.AGREED
    assert standing_of(row).waits_for == ""


def test_agreeing_twice_is_once(draft, people):
    row = row_of(draft)
    agree(row, people["coo"])
    events = Event.objects.count()
    assert agree(row, people["coo"]) == []
    assert Agreement.objects.count() == 1
    assert Event.objects.count() == events


def test_agree_to_an_old_text_is_refused(draft, people):
    row = row_of(draft)
    edit(row, people, scope_in="Approve every discount")
    events = Event.objects.count()
    with pytest.raises(ChangedMeanwhile) as refused:
        agree(row, people["coo"], version=1)
    assert refused.value.clause.scope_in == "Approve every discount"
    assert "coo" not in live_stances(refused.value.clause)
    assert Event.objects.count() == events


@pytest.mark.parametrize(
    "who", ["ceo", "revops_lead", "corporate_secretary", "auditor", "administrator", "member"]
)
def test_agree_and_contest_are_for_parties(draft, people, who):
    row = row_of(draft)
    events = Event.objects.count()
    with pytest.raises(NotYourOffice):
        agree(row, people[who])
    with pytest.raises(NotYourOffice):
        contest(row, people[who])
    with pytest.raises(NotYourOffice):
        agreeing.agree_to_all_read(
            revision=draft,
            read=factories.everything_read(draft),
            acting_user=people[who],
            at=NOW,
        )
    assert not Agreement.objects.exists()
    assert Event.objects.count() == events


def test_how_to_read_the_allocations_is_agreed_beside_their_rows(draft, people):
    article = article_of(draft, "allocations")
    assert agree(article, people["coo"]) == ["coo"]
    assert standing_of(article).state == ClauseState.PROPOSED
    assert live_stances(row_of(draft)) == {}


def test_one_person_with_two_offices_agrees_for_both(draft, people):
    factories.acting(people["cro"], "coo")
    row = row_of(draft)
    assert agree(row, people["cro"]) == ["cro", "coo"]
    assert live_stances(row) == {"cro": "agreed", "coo": "agreed"}


def test_holder_cannot_agree_while_somebody_acts_for_them(draft, people):
    factories.acting(PersonFactory(name="Robin Hale"), "coo")
    with pytest.raises(NotYourOffice):
        agree(row_of(draft), people["coo"])


# --- Editing ----------------------------------------------------------------------------------


def test_edit_withdraws_agreements_and_records_the_editors_own(ready, people):
    row = row_of(ready)
    edit(row, people, by="coo", scope_in="Approve every discount", at=LATER)
    row = row_of(ready)
    assert row.version == 2
    assert (row.changed_by, row.changed_by_name, row.changed_by_office) == (
        people["coo"],
        "Daniel Osei",
        "COO",
    )
    assert row.changed_at == LATER
    assert stances(row) == {"cro": "voided", "coo": "agreed", "cfo": "voided"}
    assert standing_of(row).waits_for == "CRO, CFO to agree again after a change"
    withdrawn = row.agreements.filter(withdrawn_at__isnull=False)
    assert withdrawn.count() == 3  # kept, not deleted
    assert {one.withdrawn_because for one in withdrawn} == {"Daniel Osei changed the text."}
    event = Event.objects.latest("sequence")
    assert (event.event, event.office) == ("row.edited", "coo")
    assert event.data["agreements_withdrawn"] == 3
    assert event.data["agreed_by_editor"] == ["coo"]


def test_edit_leaves_other_clauses_agreed(ready, people):
    edit(row_of(ready), people, scope_in="Approve every discount")
    assert standing_of(row_of(ready, "territory_planning")).state == ClauseState.AGREED
    assert standing_of(article_of(ready, "purpose")).state == ClauseState.AGREED


def test_secretarys_edit_records_no_agreement(ready, people):
    edit(row_of(ready), people, by="corporate_secretary", scope_in="Approve every discount")
    row = row_of(ready)
    assert live_stances(row) == {}
    assert row.changed_by_office == "Corporate Secretary"
    assert stances(row) == {"cro": "voided", "coo": "voided", "cfo": "voided"}


@pytest.mark.parametrize("who", ["ceo", "revops_lead", "auditor", "administrator", "member"])
def test_edit_is_for_parties_and_secretary(ready, people, who):
    row = row_of(ready)
    events = Event.objects.count()
    with pytest.raises(NotYourOffice):
        edit(row, people, by=who, scope_in="Approve every discount")
    with pytest.raises(NotYourOffice):
        factories.edit_data(article_of(ready, "escalation"), people, by=who, leads_business_days=3)
    with pytest.raises(NotYourOffice):
        drafting.edit_control(
            revision=ready,
            expected_version=1,
            text="",
            effective_date=TODAY,
            sunset_date=None,
            acting_user=people[who],
            at=NOW,
        )
    assert row_of(ready).version == 1
    assert Event.objects.count() == events


@pytest.mark.parametrize("version", [1, 99])
def test_saving_what_stands_changes_nothing(ready, people, version):
    """Not even with an old version: what was wanted is what stands."""
    row = row_of(ready)
    events, agreements = Event.objects.count(), list(Agreement.objects.values())
    edit(row, people, by="coo", version=version)
    purpose = article_of(ready, "purpose")
    drafting.edit_article(
        article=purpose,
        expected_version=version,
        text=ArticleText(text=purpose.text, data=purpose.data),
        acting_user=people["coo"],
        at=LATER,
    )
    control = article_of(ready, "control")
    drafting.edit_control(
        revision=ready,
        expected_version=version,
        text=control.text,
        effective_date=ready.effective_date,
        sunset_date=ready.sunset_date,
        acting_user=people["coo"],
        at=LATER,
    )
    assert (row_of(ready).version, article_of(ready, "control").version) == (1, 1)
    assert Event.objects.count() == events
    assert list(Agreement.objects.values()) == agreements


def test_second_writer_is_shown_the_first_text_and_nothing_is_lost(draft, people):
    opened = row_of(draft)
    edit(opened, people, by="cro", scope_in="First text")
    events = Event.objects.count()
    with pytest.raises(ChangedMeanwhile, match=r"Maya Lindqvist changed Row 4\.1") as refused:
        edit(opened, people, by="coo", scope_in="Second text")
    current = refused.value.clause
    assert (current.version, current.scope_in) == (2, "First text")
    assert row_of(draft).scope_in == "First text"
    assert live_stances(row_of(draft)) == {"cro": "agreed"}
    assert Event.objects.count() == events
    # Having seen it, the second writer saves upon the first's version.
    edit(current, people, by="coo", scope_in="First text, second text")
    assert row_of(draft).version == 3
    assert live_stances(row_of(draft)) == {"coo": "agreed"}


def test_second_writer_of_an_article_and_of_the_dates_is_refused_too(draft, people):
    opened = article_of(draft, "escalation")
    factories.edit_data(opened, people, by="cro", leads_business_days=3)
    with pytest.raises(ChangedMeanwhile) as refused:
        factories.edit_data(opened, people, by="coo", leads_business_days=4)
    assert refused.value.clause.data["leads_business_days"] == 3
    factories.effective(draft, people, TODAY + timedelta(days=60))
    with pytest.raises(ChangedMeanwhile):
        drafting.edit_control(
            revision=draft,
            expected_version=1,
            text="",
            effective_date=TODAY + timedelta(days=90),
            sunset_date=None,
            acting_user=people["coo"],
            at=NOW,
        )
    assert factories.fresh(draft).effective_date == TODAY + timedelta(days=60)


def test_editing_dates_withdraws_agreement_to_article_1(ready, people):
    revision = factories.effective(ready, people, TODAY)
    assert revision.effective_date == TODAY
    assert revision.sunset_date == date(2027, 11, 20)  # twelve months later
    assert live_stances(article_of(revision, "control")) == {"cro": "agreed"}


def test_sunset_may_be_set(draft, people):
    revision = factories.effective(draft, people, TODAY, sunset=date(2027, 6, 30))
    assert revision.sunset_date == date(2027, 6, 30)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 12, 12), date(2027, 12, 12)),
        (date(2028, 2, 29), date(2029, 3, 1)),
        (date(2027, 2, 28), date(2028, 2, 28)),
    ],
)
def test_twelve_months_after(day, expected):
    assert drafting.twelve_months_after(day) == expected


def test_row_can_be_split_and_joined_again(draft, people):
    row = edit(
        row_of(draft),
        people,
        owner="hybrid",
        sub_scopes=(
            SubScopeText(name="New business", owner="cro"),
            SubScopeText(name="New-business", owner="coo"),
        ),
    )
    assert [(one.key, one.name) for one in row.sub_scopes.all()] == [
        ("new_business", "New business"),
        ("new_business_2", "New-business"),
    ]
    row = edit(row_of(draft), people, owner="coo")
    assert row.owner == "coo"
    assert not row.sub_scopes.exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (RowText(owner="shared"), "not an owner"),
        (
            RowText(owner="hybrid", sub_scopes=(SubScopeText(name="A", owner="shared"),)),
            "not an owner",
        ),
        (
            RowText(owner="hybrid", sub_scopes=(SubScopeText(name="A", owner="hybrid"),)),
            "not an owner",
        ),
        (
            RowText(
                owner="hybrid",
                sub_scopes=(
                    SubScopeText(name="Deals", owner="cro"),
                    SubScopeText(name="deals", owner="coo"),
                ),
            ),
            "same name",
        ),
        (RowText(owner="cro", left_out_reason="Another document has it."), "has no owner"),
    ],
)
def test_row_text_that_cannot_stand_is_refused(ready, people, text, says):
    row = row_of(ready)
    events = Event.objects.count()
    with pytest.raises(InvalidText, match=says):
        drafting.edit_row(row=row, expected_version=1, text=text, acting_user=people["cro"], at=NOW)
    assert row_of(ready).version == 1
    assert standing_of(row).state == ClauseState.AGREED
    assert Event.objects.count() == events


def test_row_for_a_new_function_is_added_once_at_the_end(draft, people):
    function = factories.another_function()
    row = drafting.add_row(revision=draft, function=function, acting_user=people["coo"], at=NOW)
    assert (row.reference, row.owner) == ("4.6", "cro")
    assert live_stances(row_of(draft, function.key)) == {"coo": "agreed"}
    assert logged()[-1] == "row.added"
    events = Event.objects.count()
    again = drafting.add_row(revision=draft, function=function, acting_user=people["cfo"], at=NOW)
    assert again == row
    assert Event.objects.count() == events


# --- Contesting -------------------------------------------------------------------------------


def test_contest_replaces_an_agreement_and_says_why(ready, people):
    row = row_of(ready)
    assert contest(row, people["cfo"], reason=" The term is mine. ") == ["cfo"]
    assert stances(row) == {"cro": "agreed", "coo": "agreed", "cfo": "contested"}
    assert standing_of(row).state == ClauseState.CONTESTED
    assert standing_of(row).waits_for == "Contested by CFO: The term is mine."
    assert logged()[-1] == "row.contested"


@pytest.mark.parametrize("reason", ["", "  \n "])
def test_contest_needs_a_reason(ready, people, reason):
    events = Event.objects.count()
    with pytest.raises(ReasonMissing):
        contest(row_of(ready), people["cfo"], reason=reason)
    assert standing_of(row_of(ready)).state == ClauseState.AGREED
    assert Event.objects.count() == events


def test_contest_survives_an_edit_and_ends_by_agreeing(ready, people):
    row = row_of(ready)
    contest(row, people["cfo"])
    edit(row, people, by="cro", scope_in="Approve every discount")
    row = row_of(ready)
    assert stances(row) == {"cro": "agreed", "coo": "voided", "cfo": "contested"}
    agree(row, people["coo"])
    assert standing_of(row).state == ClauseState.CONTESTED
    agree(row, people["cfo"])
    assert standing_of(row).state == ClauseState.AGREED


def test_contest_is_ended_only_by_its_own_party(ready, people):
    row = row_of(ready)
    contest(row, people["cfo"])
    contest(row, people["coo"], reason="So do I.")
    agree(row, people["coo"])
    assert standing_of(row).state == ClauseState.CONTESTED
    assert stances(row)["cfo"] == "contested"


def test_article_can_be_contested(ready, people):
    article = article_of(ready, "escalation")
    contest(article, people["coo"])
    assert standing_of(article).state == ClauseState.CONTESTED
    agree(article, people["coo"])
    assert standing_of(article).state == ClauseState.AGREED


# --- Agreeing to all --------------------------------------------------------------------------


def test_agree_to_all_read_is_one_event(draft, people):
    events = Event.objects.count()
    done = agreeing.agree_to_all_read(
        revision=draft,
        read=factories.everything_read(draft),
        acting_user=people["coo"],
        at=NOW,
    )
    assert (done.agreed, list(done.changed_meanwhile), done.own_contests) == (17, [], 0)
    assert Agreement.objects.filter(office="coo", withdrawn_at__isnull=True).count() == 17
    assert Event.objects.count() == events + 1
    event = Event.objects.latest("sequence")
    assert event.event == "draft.agreed_to_all_read"
    assert "Row 4.1, Deal desk (version 1)" in event.data["agreed"]


def test_agree_to_all_read_skips_what_changed_and_own_contests(draft, people):
    read = factories.everything_read(draft)
    edit(row_of(draft), people, scope_in="Approve every discount")
    contest(row_of(draft, "vendor_management"), people["coo"])
    contest(row_of(draft, "territory_planning"), people["cfo"])
    done = agreeing.agree_to_all_read(revision=draft, read=read, acting_user=people["coo"], at=NOW)
    assert (done.agreed, done.own_contests) == (15, 1)
    assert [one.function.key for one in done.changed_meanwhile] == ["deal_desk"]
    assert live_stances(row_of(draft)) == {"cro": "agreed"}
    assert live_stances(row_of(draft, "vendor_management")) == {"coo": "contested"}
    # Another's contest keeps nobody from agreeing.
    assert live_stances(row_of(draft, "territory_planning")) == {
        "cfo": "contested",
        "coo": "agreed",
    }


def test_agree_to_all_read_leaves_what_was_not_read(draft, people):
    row = row_of(draft)
    done = agreeing.agree_to_all_read(
        revision=draft, read={("row", row.pk): 1}, acting_user=people["coo"], at=NOW
    )
    assert done.agreed == 1
    assert Agreement.objects.get().row == row


def test_agree_to_all_read_twice_changes_nothing(ready, people):
    events, given = Event.objects.count(), list(Agreement.objects.values())
    done = agreeing.agree_to_all_read(
        revision=ready,
        read=factories.everything_read(ready),
        acting_user=people["coo"],
        at=LATER,
    )
    assert done.agreed == 0
    assert Event.objects.count() == events
    assert list(Agreement.objects.values()) == given


def test_agree_to_all_read_takes_no_more_queries_for_more_rows(draft, people):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def agreed_by(office):
        read = factories.everything_read(draft)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            agreeing.agree_to_all_read(
                revision=draft, read=read, acting_user=people[office], at=NOW
            )
        return len(queries)

    few = agreed_by("coo")
    for number in range(20):
        function = factories.another_function(key=f"function_{number}")
        drafting.add_row(revision=draft, function=function, acting_user=people["cro"], at=NOW)
    assert agreed_by("cfo") == few


# --- Handing over -----------------------------------------------------------------------------


def test_predecessors_agreement_must_be_confirmed(ready, people):
    successor = PersonFactory(name="Robin Hale")
    factories.handed_over(successor, "coo")
    row = row_of(ready)
    assert stances(row, today=TODAY - timedelta(days=1))["coo"] == "agreed"
    assert stances(row) == {"cro": "agreed", "coo": "predecessor", "cfo": "agreed"}
    assert standing_of(row).state == ClauseState.PROPOSED
    with pytest.raises(NotYourOffice):
        agree(row, people["coo"])  # holds it no longer
    assert agree(row, successor) == ["coo"]
    assert standing_of(row).state == ClauseState.AGREED
    # One action confirms the rest.
    done = agreeing.agree_to_all_read(
        revision=ready, read=factories.everything_read(ready), acting_user=successor, at=NOW
    )
    assert done.agreed == 16
    every = standings(ready, parties=party_offices(), today=TODAY)
    assert {one.state for one in every} == {ClauseState.AGREED}


def test_stand_ins_agreement_outlasts_the_stand_in(draft, people):
    stand_in = PersonFactory(name="Robin Hale")
    factories.acting(stand_in, "coo")
    row = row_of(draft)
    assert agree(row, stand_in) == ["coo"]
    assert stances(row, today=date(2027, 1, 4))["coo"] == "agreed"


# --- Frozen -----------------------------------------------------------------------------------


def test_frozen_text_is_neither_edited_nor_agreed(frozen, people):
    revision = frozen.revision
    row, purpose = row_of(revision), article_of(revision, "purpose")
    events, given = Event.objects.count(), list(Agreement.objects.values())
    attempts = [
        lambda: edit(row, people, scope_in="Approve every discount"),
        lambda: factories.edit_data(purpose, people, note="new"),
        lambda: factories.effective(revision, people, TODAY),
        lambda: agree(row, people["coo"]),
        lambda: contest(row, people["coo"]),
        lambda: factories.all_agree(revision, people),
        lambda: drafting.add_row(
            revision=revision,
            function=factories.another_function(),
            acting_user=people["cro"],
            at=NOW,
        ),
    ]
    for attempt in attempts:
        with pytest.raises(NotADraft, match="no longer a draft"):
            attempt()
    assert Event.objects.count() == events
    assert list(Agreement.objects.values()) == given


def test_declined_text_can_be_edited_again_and_keeps_its_agreements(frozen, people):
    revision = frozen.revision
    workflow.decline(revision=revision, reason="Not yet.", acting_user=people["cfo"], at=NOW)
    every = standings(revision, parties=party_offices(), today=TODAY)
    assert {one.state for one in every} == {ClauseState.AGREED}
    edit(row_of(revision), people, scope_in="Approve every discount")
    assert standing_of(row_of(revision)).state == ClauseState.PROPOSED
