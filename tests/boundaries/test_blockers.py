"""What blocks freezing: each thing appears when it is wrong and goes when it is put right."""

from datetime import timedelta

import pytest

from audit.models import Event
from boundaries import agreeing, drafting, workflow
from boundaries.blockers import blockers
from boundaries.drafting import SubScopeText
from boundaries.errors import InvalidText, NotReadyToFreeze
from boundaries.models import Document, Freeze
from boundaries.parties import party_offices
from functions_catalog.models import Function
from people.models import Office
from tests.boundaries import factories
from tests.boundaries.factories import NOW, TODAY, article_of, edit, edit_data, row_of


def found(revision):
    """(code, anchor) of everything that blocks, what is wrong first."""
    revision = factories.fresh(revision)
    return [
        (one.code, one.anchor) for one in blockers(revision, parties=party_offices(), today=TODAY)
    ]


def wrong(revision):
    """The same without what is merely not agreed yet."""
    return [one for one in found(revision) if not one[0].startswith("clause_")]


def agreed_again(revision, people):
    factories.all_agree(revision, people)
    return found(revision)


def test_nothing_blocks_what_all_agree_to(ready):
    assert found(ready) == []


def test_every_clause_blocks_until_all_agree(draft, people):
    assert {code for code, _ in found(draft)} == {"clause_proposed"}
    assert len(found(draft)) == 17
    factories.all_agree(draft, people, parties=["cro", "coo"])
    assert len(found(draft)) == 17
    factories.all_agree(draft, people, parties=["cfo"])
    assert found(draft) == []


def test_contested_clause_blocks_until_its_party_agrees(ready, people):
    row = row_of(ready)
    agreeing.contest(clause=row, reason="No.", acting_user=people["cfo"], at=NOW)
    assert found(ready) == [("clause_contested", "row-1")]
    agreeing.agree(clause=row, expected_version=1, acting_user=people["cfo"], at=NOW)
    assert found(ready) == []


def test_row_without_an_owner_blocks(ready, people):
    edit(row_of(ready), people, owner="")
    assert wrong(ready) == [("row_unassigned", "row-1")]
    edit(row_of(ready), people, owner="coo")
    assert wrong(ready) == []
    assert agreed_again(ready, people) == []


def test_row_with_an_owner_and_no_scope_blocks(ready, people):
    edit(row_of(ready), people, scope_in="  \n ")
    assert wrong(ready) == [("row_without_scope", "row-1")]
    edit(row_of(ready), people, scope_in="- Decide on discounts")
    assert wrong(ready) == []


def test_row_left_out_with_a_reason_does_not_block(ready, people):
    edit(row_of(ready), people, owner="", left_out_reason="The group's deal desk does it.")
    assert wrong(ready) == []
    assert agreed_again(ready, people) == []


def test_hybrid_row_needs_two_parts_with_an_owner_each(ready, people):
    one = SubScopeText(name="Accounts", owner="cro")
    edit(row_of(ready), people, owner="hybrid", sub_scopes=(one,))
    assert wrong(ready) == [("row_not_split", "row-1")]
    edit(
        row_of(ready),
        people,
        owner="hybrid",
        sub_scopes=(one, SubScopeText(name="Products", owner="")),
    )
    assert wrong(ready) == [("sub_scope_unassigned", "row-1")]
    edit(
        row_of(ready),
        people,
        owner="hybrid",
        sub_scopes=(one, SubScopeText(name="Products", owner="coo")),
    )
    assert wrong(ready) == []
    assert agreed_again(ready, people) == []


@pytest.mark.parametrize(
    ("solid", "code"),
    [
        ([], "no_solid_line"),
        ([""], "no_solid_line"),
        (["cro", "coo"], "two_solid_lines"),
        (["cro", "coo", "ceo"], "two_solid_lines"),
    ],
)
def test_reporting_line_needs_exactly_one_solid_line(ready, people, solid, code):
    edit_data(article_of(ready, "reporting_line"), people, solid_lines=solid)
    assert wrong(ready) == [(code, "article-3")]
    with pytest.raises(NotReadyToFreeze):
        workflow.freeze(revision=ready, acting_user=people["cro"], at=NOW)
    edit_data(article_of(ready, "reporting_line"), people, solid_lines=["coo"])
    assert wrong(ready) == []
    assert agreed_again(ready, people) == []


def test_dotted_line_needs_its_scope_and_another_office(ready, people):
    edit_data(article_of(ready, "reporting_line"), people, dotted_line="cfo", dotted_line_scope="")
    assert wrong(ready) == [("dotted_without_scope", "article-3")]
    edit_data(
        article_of(ready, "reporting_line"), people, dotted_line="cro", dotted_line_scope="Data"
    )
    assert wrong(ready) == [("line_twice", "article-3")]
    edit_data(article_of(ready, "reporting_line"), people, dotted_line="", dotted_line_scope="")
    assert wrong(ready) == []


@pytest.mark.parametrize(
    "missing", ["leads_business_days", "executives_business_days", "interim_decider"]
)
def test_escalation_path_blocks_until_it_is_whole(ready, people, missing):
    article = article_of(ready, "escalation")
    kept = article.data[missing]
    edit_data(article, people, **{missing: ""})
    assert wrong(ready) == [("no_escalation_path", "article-8")]
    edit_data(article_of(ready, "escalation"), people, **{missing: kept})
    assert wrong(ready) == []


def test_review_cadence_blocks_without_a_quarterly_owner(ready, people):
    article = article_of(ready, "cadence")
    layers = article.data["layers"]
    without = [one for one in layers if one["layer"] != "quarterly"]
    edit_data(article, people, layers=without)
    assert wrong(ready) == [("no_review_cadence", "article-11")]
    nobodys = [{**one, "owner": ""} if one["layer"] == "quarterly" else one for one in layers]
    edit_data(article_of(ready, "cadence"), people, layers=nobodys)
    assert wrong(ready) == [("no_review_cadence", "article-11")]
    edit_data(article_of(ready, "cadence"), people, layers=layers)
    assert wrong(ready) == []


def test_effective_date_blocks_when_it_is_missing_or_past(ready, people):
    factories.effective(ready, people, None)
    assert wrong(ready) == [("no_effective_date", "article-1")]
    factories.effective(ready, people, TODAY - timedelta(days=1))
    assert wrong(ready) == [("effective_date_past", "article-1")]
    factories.effective(ready, people, TODAY)
    assert wrong(ready) == []


def test_draft_that_waited_too_long_is_blocked_by_its_date(ready):
    late = ready.effective_date + timedelta(days=1)
    codes = [one.code for one in blockers(ready, parties=party_offices(), today=late)]
    assert codes == ["effective_date_past"]


def test_sunset_must_follow_the_effective_date(ready, people):
    factories.effective(ready, people, TODAY, sunset=TODAY)
    assert wrong(ready) == [("sunset_too_early", "article-1")]
    factories.effective(ready, people, TODAY, sunset=TODAY + timedelta(days=1))
    assert wrong(ready) == []


def test_company_boundary_must_cover_the_whole_catalog(ready, people):
    function = factories.another_function()
    assert wrong(ready) == [("function_missing", "missing-functions")]
    drafting.add_row(revision=ready, function=function, acting_user=people["cro"], at=NOW)
    assert wrong(ready) == []
    assert agreed_again(ready, people) == []


def test_other_documents_list_only_their_own_functions(people, functions):
    revision = factories.draft(people, number="NC-DD", functions=[functions["deal_desk"]])
    assert wrong(revision) == []
    assert agreed_again(revision, people) == []


def test_retired_function_blocks_until_it_is_left_out(ready, people):
    Function.objects.filter(key="deal_desk").update(status=Function.Status.RETIRED)
    assert wrong(ready) == [("function_retired", "row-1")]
    edit(row_of(ready), people, owner="", left_out_reason="Retired.")
    assert wrong(ready) == []
    assert agreed_again(ready, people) == []


def test_function_in_force_elsewhere_blocks_until_it_is_left_out(people, functions):
    other = factories.in_force(people, number="NC-DD", functions=[functions["deal_desk"]])
    revision = factories.draft(people)
    assert wrong(revision) == [("allocated_elsewhere", "row-1")]
    blocking = next(
        one
        for one in blockers(revision, parties=party_offices(), today=TODAY)
        if one.code == "allocated_elsewhere"
    )
    assert f"{other.reference}, row 4.1" in blocking.detail
    edit(row_of(revision), people, owner="", left_out_reason="NC-DD has it.")
    assert wrong(revision) == []
    assert agreed_again(revision, people) == []


def test_what_one_document_leaves_out_another_may_allocate(people, functions):
    company = factories.draft(people)
    edit(row_of(company), people, owner="", left_out_reason="It gets a document of its own.")
    factories.brought_into_force(company, people)
    other = factories.draft(people, number="NC-DD", functions=[functions["deal_desk"]])
    assert wrong(other) == []


@pytest.mark.parametrize("text", ["Deals \N{ROCKET}", "Deals\u200b", "\u202eslaeD", "a\x07b"])
@pytest.mark.parametrize(
    "place", ["scope_in", "scope_out", "rationale", "sub_scope", "article text", "article data"]
)
def test_undrawable_text_blocks_wherever_it_stands(ready, people, place, text):
    """Also characters that nobody sees: a signed text must not read otherwise than it looks."""
    if place == "sub_scope":
        parts = (SubScopeText(name=text, owner="cro"), SubScopeText(name="B", owner="coo"))
        edit(row_of(ready), people, owner="hybrid", sub_scopes=parts)
        anchor = "row-1"
    elif place == "article text":
        article = article_of(ready, "purpose")
        drafting.edit_article(
            article=article,
            expected_version=1,
            text=drafting.ArticleText(text=text, data=article.data),
            acting_user=people["cro"],
            at=NOW,
        )
        anchor = "article-2"
    elif place == "article data":
        edit_data(article_of(ready, "cadence"), people, one_to_one=text)
        anchor = "article-11"
    else:
        edit(row_of(ready), people, **{place: text})
        anchor = "row-1"
    assert wrong(ready) == [("undrawable", anchor)]


def test_office_that_is_not_established_blocks_nothing(draft, people):
    Office.objects.filter(key="coo").update(
        established=False,
        part_goes_to=Office.objects.get(key="cfo"),
        not_established_reason="The company has no COO.",
    )
    assert party_offices() == ["cro", "cfo"]
    factories.all_agree(draft, people)
    assert found(draft) == []


def test_freeze_refuses_with_all_that_blocks(ready, people):
    edit(row_of(ready), people, owner="")
    edit_data(article_of(ready, "reporting_line"), people, solid_lines=["cro", "coo"])
    events = Event.objects.count()
    with pytest.raises(NotReadyToFreeze, match="4 things still block freezing") as refused:
        workflow.freeze(revision=ready, acting_user=people["cro"], at=NOW)
    assert [one.code for one in refused.value.blockers] == [
        "two_solid_lines",
        "row_unassigned",
        "clause_proposed",
        "clause_proposed",
    ]
    assert not Freeze.objects.exists()
    assert factories.fresh(ready).state == "draft"
    assert Event.objects.count() == events


def test_document_that_cannot_be_printed_is_not_frozen(people, functions):
    """Its title stands on every page, and no blocker of a clause tells of it."""
    revision = factories.draft(people, number="NC-DD", functions=[functions["deal_desk"]])
    Document.objects.filter(pk=revision.document_id).update(title="Deals \N{ROCKET}")
    factories.all_agree(revision, people)
    with pytest.raises(NotReadyToFreeze, match=r"U\+1F680"):
        workflow.freeze(revision=revision, acting_user=people["cro"], at=NOW)
    assert not Freeze.objects.exists()
    assert factories.fresh(revision).state == "draft"


def test_document_is_not_opened_with_a_title_that_cannot_be_printed(people, functions):
    with pytest.raises(InvalidText, match="another title"):
        workflow.open_document(
            number="NC-DD",
            title="Deals \N{ROCKET}",
            company_boundary=False,
            functions=[functions["deal_desk"]],
            acting_user=people["cro"],
            at=NOW,
        )
    assert not Document.objects.exists()


def test_blockers_take_no_more_queries_for_more_rows(draft, people):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def count():
        with CaptureQueriesContext(connection) as queries:
            blockers(draft, parties=["cro", "coo", "cfo"], today=TODAY)
        return len(queries)

    few = count()
    for number in range(20):
        function = factories.another_function(key=f"function_{number}")
        drafting.add_row(revision=draft, function=function, acting_user=people["cro"], at=NOW)
    assert count() == few
