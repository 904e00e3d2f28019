"""Two people at one draft: the second is told of the first's text, and nothing is lost."""

import threading
import time
from dataclasses import replace

import pytest
from django.db import transaction

from boundaries import agreeing, drafting, workflow
from boundaries.errors import ChangedMeanwhile
from boundaries.models import Agreement, Article, Row, RowSubScope
from boundaries.states import Stance
from functions_catalog.catalog import rename_function
from functions_catalog.models import Function
from tests.boundaries import stages
from tests.boundaries.races.together import at_once, refusals

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


def edit(row, person, **changes):
    return lambda: drafting.edit_row(
        row=row,
        expected_version=row.version,
        text=replace(drafting.row_text(row), **changes),
        acting_user=person,
        at=stages.NOW,
    )


def test_two_editors_of_one_row_at_once_lose_nothing(people):
    row = stages.drafted(people).rows.get(position=1)

    outcomes = at_once(
        edit(row, people["cro"], scope_in="What the CRO wrote."),
        edit(row, people["coo"], scope_in="What the COO wrote."),
    )

    assert refusals(outcomes) == [ChangedMeanwhile]
    refused = next(one for one in outcomes if isinstance(one, ChangedMeanwhile))
    saved = next(one for one in outcomes if isinstance(one, Row))
    row.refresh_from_db()
    assert (row.version, row.scope_in) == (2, saved.scope_in)
    # The second is handed what stands, and may then save over it knowingly.
    assert (refused.clause.scope_in, refused.clause.version) == (row.scope_in, 2)
    assert refused.clause.changed_by_name == saved.changed_by_name
    assert stages.events_of("row.edited") == {"row.edited": 1}
    live = Agreement.objects.filter(row=row, withdrawn_at__isnull=True)
    assert [(one.person_id, one.clause_version) for one in live] == [(saved.changed_by_id, 2)]


def test_the_second_editor_saves_over_the_first_knowingly(people):
    row = stages.drafted(people).rows.get(position=1)
    outcomes = at_once(
        edit(row, people["cro"], scope_in="What the CRO wrote."),
        edit(row, people["coo"], scope_in="What the COO wrote."),
    )
    refused = next(one for one in outcomes if isinstance(one, ChangedMeanwhile))
    loser = "coo" if refused.clause.changed_by_name == people["cro"].name else "cro"

    edit(refused.clause, people[loser], scope_in=f"What the {loser.upper()} wrote.")()

    row.refresh_from_db()
    assert (row.version, row.scope_in) == (3, f"What the {loser.upper()} wrote.")
    assert stages.events_of("row.edited") == {"row.edited": 2}


def test_three_editors_splitting_one_row_leave_one_set_of_parts(people):
    row = stages.drafted(people).rows.get(position=1)

    outcomes = at_once(
        *(
            edit(
                row,
                people[office],
                owner="hybrid",
                sub_scopes=(
                    drafting.SubScopeText(name=f"First of {office}", owner=office),
                    drafting.SubScopeText(name=f"Second of {office}", owner="cro"),
                ),
            )
            for office in stages.PARTIES
        )
    )

    assert refusals(outcomes) == [ChangedMeanwhile, ChangedMeanwhile]
    parts = list(RowSubScope.objects.filter(row=row).values_list("name", flat=True))
    saved = next(one for one in outcomes if isinstance(one, Row))
    office = next(key for key in stages.PARTIES if people[key].pk == saved.changed_by_id)
    assert parts == [f"First of {office}", f"Second of {office}"]


def test_two_editors_of_two_rows_at_once_both_save(people):
    first, second = stages.drafted(people).rows.filter(position__lte=2)

    outcomes = at_once(
        edit(first, people["cro"], rationale="One."), edit(second, people["cro"], rationale="Two.")
    )

    assert refusals(outcomes) == []
    rationales = Row.objects.filter(position__lte=2).values_list("rationale", "version")
    assert list(rationales) == [("One.", 2), ("Two.", 2)]
    assert stages.events_of("row.edited") == {"row.edited": 2}


def test_two_editors_of_one_article_at_once_lose_nothing(people):
    article = stages.drafted(people).articles.get(key="purpose")

    outcomes = at_once(
        *(
            lambda office=office: drafting.edit_article(
                article=article,
                expected_version=article.version,
                text=drafting.ArticleText(text=f"By the {office}.", data=article.data),
                acting_user=people[office],
                at=stages.NOW,
            )
            for office in ("cro", "cfo")
        )
    )

    assert refusals(outcomes) == [ChangedMeanwhile]
    saved = next(one for one in outcomes if isinstance(one, Article))
    article.refresh_from_db()
    assert (article.version, article.text) == (2, saved.text)
    assert stages.events_of("article.edited") == {"article.edited": 1}


def test_agreeing_while_another_edits_never_agrees_to_a_text_not_read(people):
    row = stages.drafted(people).rows.get(position=1)

    agreed, edited = at_once(
        lambda: agreeing.agree(
            clause=row,
            expected_version=row.version,
            acting_user=people["coo"],
            at=stages.NOW,
        ),
        edit(row, people["cro"], scope_out="Nothing of that."),
    )

    assert isinstance(edited, Row)
    assert agreed == ["coo"] or isinstance(agreed, ChangedMeanwhile)
    live = Agreement.objects.filter(row=row, withdrawn_at__isnull=True, stance=Stance.AGREED)
    assert list(live.values_list("office", "clause_version")) == [("cro", 2)]


def test_agreeing_to_all_twice_at_once_agrees_once(people):
    revision = stages.drafted(people)

    outcomes = at_once(*([lambda: stages.all_agree(revision, people, offices=["coo"])] * 2))

    assert refusals(outcomes) == []
    live = Agreement.objects.filter(office="coo", withdrawn_at__isnull=True)
    clauses = list(live.values_list("row_id", "article_id"))
    assert len(clauses) == len(set(clauses)) == 3 + 12
    assert stages.events_of("draft.agreed_to_all_read") == {"draft.agreed_to_all_read": 1}


def test_adding_one_row_twice_at_once_adds_it_once(people):
    revision = stages.drafted(people)
    function = Function.objects.create(
        key="lead_routing_rules",
        name="Lead routing rules",
        category=Function.Category.COMMERCIAL,
        natural_owner="cro",
        position=9,
    )

    outcomes = at_once(
        *(
            lambda office=office: drafting.add_row(
                revision=revision, function=function, acting_user=people[office], at=stages.NOW
            )
            for office in ("cro", "coo")
        )
    )

    assert refusals(outcomes) == []
    assert list(revision.rows.values_list("position", flat=True)) == [1, 2, 3, 4]
    assert stages.events_of("row.added") == {"row.added": 1}


def test_an_import_adds_a_row_while_its_function_is_renamed(people):
    stages.small_catalog()
    draft = workflow.open_document(
        number="NC-P",
        title="A part",
        company_boundary=False,
        functions=Function.objects.filter(key="deal_desk"),
        acting_user=people["cro"],
        at=stages.NOW,
    )
    row, other = draft.rows.get(), Function.objects.get(key="vendor_management")
    edited = threading.Event()

    @transaction.atomic
    def edits_and_adds():
        edit(row, people["cro"], rationale="Because.")()
        edited.set()
        time.sleep(1)  # meanwhile the other holds the function and waits for the log
        return drafting.add_row(
            revision=draft, function=other, acting_user=people["cro"], at=stages.NOW
        )

    def renames():
        edited.wait(20)
        return rename_function(
            key=other.key, name="Suppliers", acting_user=people["cro"], at=stages.NOW
        )

    assert refusals(at_once(edits_and_adds, renames)) == []
    assert draft.rows.count() == 2
