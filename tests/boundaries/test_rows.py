"""Which rows a draft has, in which order: left out, taken back in, moved, removed, added."""

import pytest
import time_machine
from django.contrib.messages import get_messages
from django.test import Client

from audit.models import Event
from boundaries import agreeing, content, drafting, vetoes, workflow
from boundaries.errors import (
    ChangedMeanwhile,
    InvalidText,
    NotADraft,
    ReasonMissing,
    RowCannotGo,
    RowIsSettled,
    RowRemoved,
)
from boundaries.forms import RowForm
from boundaries.models import EarlierText, Row, Veto
from people.errors import Refused
from tests.boundaries import factories
from tests.boundaries.factories import NOW, fresh, live_stances, row_of

pytestmark = pytest.mark.django_db

BASE = "/boundaries/NC-RB/1/"


def by(people, office="cro"):
    return {"acting_user": people[office], "at": NOW}


def refused(error, act, *, match=None):
    events = Event.objects.count()
    rows = list(Row.every.order_by("pk").values())
    with pytest.raises(error, match=match) as refusal:
        act()
    assert Event.objects.count() == events
    assert list(Row.every.order_by("pk").values()) == rows
    return str(refusal.value)


def last_event():
    return Event.objects.order_by("pk").last()


@pytest.fixture
def row(ready):
    return row_of(ready)


@pytest.fixture
def part(people, functions):
    """A document about two functions, agreed by all."""
    chosen = [functions["deal_desk"], functions["vendor_management"]]
    revision = factories.draft(people, number="NC-P", functions=chosen)
    return factories.all_agree(revision, people)


# --- Left out and back in -----------------------------------------------------------------------


def test_left_out_with_a_reason_the_others_agree_again(row, people):
    left_out = drafting.leave_out(
        row=row, expected_version=row.version, reason=" A supplier does it. ", **by(people)
    )

    assert (left_out.owner, left_out.left_out_reason) == ("", "A supplier does it.")
    assert left_out.scope_in == row.scope_in
    assert live_stances(left_out) == {"cro": "agreed"}
    assert last_event().event == "row.left_out"
    assert EarlierText.objects.get(row=row).text["owner"] == row.owner


def test_leaving_out_needs_a_reason_and_the_text_that_was_read(row, people):
    refused(
        ReasonMissing,
        lambda: drafting.leave_out(row=row, expected_version=1, reason=" ", **by(people)),
        match="belongs to nobody here",
    )
    factories.edit(row, people, scope_in="Prices")
    refused(
        ChangedMeanwhile,
        lambda: drafting.leave_out(row=row, expected_version=1, reason="No.", **by(people)),
    )


def test_taken_back_in_it_has_the_owner_it_had(ready, people):
    row = row_of(ready, "master_data_management")
    parts = list(row.sub_scopes.values_list("key", "owner"))
    left_out = drafting.leave_out(row=row, expected_version=1, reason="No.", **by(people))

    back = drafting.take_back_in(row=left_out, expected_version=left_out.version, **by(people))

    assert (back.owner, back.left_out_reason) == ("hybrid", "")
    assert list(back.sub_scopes.values_list("key", "owner")) == parts
    assert live_stances(back) == {"cro": "agreed"}
    assert last_event().event == "row.taken_back_in"
    again = drafting.take_back_in(row=back, expected_version=back.version, **by(people))
    assert again.version == back.version


def test_what_the_ceo_settled_stays(row, people):
    veto = Veto.objects.create(
        revision=row.revision,
        row=row,
        reason="No.",
        person=people["cfo"],
        person_name="Priya Raman",
        person_office="CFO",
        appointment=people["cfo"].appointments.get(),
        given_at=NOW,
        order_from=NOW.date(),
        ordered_at=NOW,
    )
    Row.objects.filter(pk=row.pk).update(order=veto)
    for act in (
        lambda: drafting.leave_out(row=row, expected_version=1, reason="No.", **by(people)),
        lambda: drafting.remove_row(row=row, expected_version=1, **by(people)),
        lambda: drafting.take_back_in(row=row, expected_version=1, **by(people)),
    ):
        refused(RowIsSettled, act)
    frozen = factories.frozen(fresh(row.revision), people)
    article = content.article(content.content_of(frozen), "allocations")
    assert article["rows"][0]["settled"] == {
        "by": "order",
        "reference": "Veto order",
        "on": "2026-11-20",
    }


# --- Moved --------------------------------------------------------------------------------------


def order_of(revision):
    return [row.reference for row in revision.rows.all()]


def test_a_row_is_listed_elsewhere_and_keeps_all_else(ready, people):
    first, last = ready.rows.get(position=1), ready.rows.get(position=5)
    before = {one.pk: (one.position, one.version) for one in ready.rows.all()}

    drafting.move_row(row=last, before=first, **by(people))

    assert order_of(ready) == ["4.5", "4.1", "4.2", "4.3", "4.4"]
    assert {one.pk: (one.position, one.version) for one in ready.rows.all()} == before
    assert set(live_stances(last)) == {"cro", "coo", "cfo"}
    assert last_event().event == "row.moved"
    assert last_event().data["before"] == "4.1"
    drafting.move_row(row=last, after=ready.rows.get(position=2), **by(people))
    assert order_of(ready) == ["4.1", "4.2", "4.5", "4.3", "4.4"]


def test_moving_to_where_it_is_leaves_no_trace(ready, people):
    events = Event.objects.count()
    drafting.move_row(
        row=ready.rows.get(position=2), after=ready.rows.get(position=1), **by(people)
    )
    assert Event.objects.count() == events


def test_a_row_is_moved_beside_a_row_of_its_own_draft_only(ready, part, people):
    row = row_of(ready)
    for beside in ({"before": row}, {"after": part.rows.first()}, {}):
        refused(InvalidText, lambda b=beside: drafting.move_row(row=row, **b, **by(people)))


def test_frozen_text_lists_rows_in_their_order(ready, people):
    drafting.move_row(
        row=ready.rows.get(position=5), before=ready.rows.get(position=1), **by(people)
    )
    frozen = factories.frozen(fresh(ready), people)
    article = content.article(content.content_of(frozen), "allocations")
    assert [row["reference"] for row in article["rows"]] == ["4.5", "4.1", "4.2", "4.3", "4.4"]
    refused(
        NotADraft,
        lambda: drafting.move_row(
            row=ready.rows.get(position=1), before=ready.rows.get(position=2), **by(people)
        ),
    )


def test_an_amendment_keeps_the_order_and_the_numbers(people, functions):
    revision = factories.draft(people)
    drafting.move_row(
        row=revision.rows.get(position=5), before=revision.rows.get(position=1), **by(people)
    )
    factories.brought_into_force(revision, people)
    amendment = workflow.amend(revision=fresh(revision), **by(people))
    assert order_of(amendment) == ["4.5", "4.1", "4.2", "4.3", "4.4"]


# --- Removed and added --------------------------------------------------------------------------


def test_a_row_of_a_part_is_removed_and_comes_back_as_it_was(part, people):
    row = factories.edit(row_of(part), people, scope_in="Prices.")
    version = row.version

    drafting.remove_row(row=row, expected_version=version, reason="Not ours.", **by(people))

    assert order_of(part) == ["4.2"]
    assert live_stances(row) == {}
    assert last_event().event == "row.removed"
    back = drafting.add_row(revision=part, function=row.function, **by(people, "coo"))
    assert (back.pk, back.reference, back.scope_in) == (row.pk, "4.1", "Prices.")
    assert order_of(part) == ["4.2", "4.1"]
    assert live_stances(back) == {"coo": "agreed"}


def test_nothing_is_done_to_a_row_that_was_removed(part, people):
    row = row_of(part)
    text = drafting.row_text(row)
    drafting.remove_row(row=row, expected_version=1, **by(people))
    for act in (
        lambda: drafting.edit_row(row=row, expected_version=1, text=text, **by(people)),
        lambda: drafting.leave_out(row=row, expected_version=1, reason="No.", **by(people)),
        lambda: agreeing.agree(clause=row, expected_version=1, **by(people)),
        lambda: agreeing.contest(clause=row, reason="No.", **by(people)),
        lambda: vetoes.veto(row=row, reason="No.", **by(people, "cfo")),
    ):
        words = refused(RowRemoved, act)
        assert "Add it again from the catalog" in words


def test_the_company_boundary_leaves_out_instead_of_removing(row, people):
    words = refused(
        RowCannotGo, lambda: drafting.remove_row(row=row, expected_version=1, **by(people))
    )
    assert "Leave the function out with a reason instead" in words


def test_the_last_row_and_a_vetoed_one_stay(part, people):
    row, other = row_of(part), row_of(part, "vendor_management")
    Veto.objects.create(
        revision=part,
        row=row,
        reason="No.",
        person=people["cfo"],
        person_name="Priya Raman",
        person_office="CFO",
        appointment=people["cfo"].appointments.get(),
        given_at=NOW,
        order_from=NOW.date(),
    )
    remove = drafting.remove_row
    refused(RowCannotGo, lambda: remove(row=row, expected_version=1, **by(people)), match="veto")
    remove(row=other, expected_version=1, **by(people))
    Veto.objects.update(lifted_at=NOW)
    refused(
        RowCannotGo, lambda: remove(row=row, expected_version=1, **by(people)), match="only row"
    )


def test_a_part_takes_up_any_active_function_with_a_number_nothing_ever_had(part, people):
    removed = row_of(part, "vendor_management")
    drafting.remove_row(row=removed, expected_version=1, **by(people))
    function = factories.another_function()

    added = drafting.add_row(revision=part, function=function, **by(people))

    assert added.reference == "4.3"
    assert order_of(part) == ["4.1", "4.3"]
    function.status = "retired"
    refused(
        InvalidText,
        lambda: drafting.add_row(
            revision=part,
            function=factories.another_function("lead_routing", status="retired"),
            **by(people),
        ),
        match="retired",
    )


# --- On pages -----------------------------------------------------------------------------------


@pytest.fixture
def client_of(people):
    def signed_in(office):
        client = Client()
        client.force_login(people[office])
        return client

    with time_machine.travel(NOW, tick=False):
        yield signed_in


def told(answer):
    return " ".join(str(one) for one in get_messages(answer.wsgi_request))


def test_rows_are_moved_among_those_under_the_same_heading(ready, client_of):
    # Rows 4.1 and 4.2 are the CRO's.
    answer = client_of("coo").post(f"{BASE}rows/2/move/", {"direction": "up"})
    assert (answer.status_code, answer["Location"]) == (302, f"{BASE}#row-2")
    assert order_of(ready)[:2] == ["4.2", "4.1"]
    answer = client_of("coo").post(f"{BASE}rows/2/move/", {"direction": "up"})
    assert "is the first under its heading already" in told(answer)
    client_of("coo").post(f"{BASE}rows/2/move/", {"direction": "down"})
    assert order_of(ready)[:2] == ["4.1", "4.2"]


def test_leaving_out_and_taking_back_in_by_buttons(ready, client_of):
    client = client_of("cro")
    page = client.get(f"{BASE}?open=all").content.decode()
    assert "Leave it out of this boundary, because" in page
    assert "Remove row 4.1" not in page
    client.post(f"{BASE}rows/1/leave-out/", {"version": "1", "reason": "No need."})
    assert row_of(ready).left_out_reason == "No need."
    client.post(f"{BASE}rows/1/take-back-in/", {"version": "2"})
    assert (row_of(ready).left_out_reason, row_of(ready).owner) == ("", "cro")
    answer = client.post(f"{BASE}rows/1/remove/", {"version": "3"})
    assert "covers the whole catalog" in told(answer)


def test_a_function_is_chosen_from_the_catalog(part, people, client_of, django_assert_num_queries):
    client, page = client_of("cro"), "/boundaries/NC-P/1/add-row/"
    shown = client.get(page).content.decode()
    assert "Territory planning" in shown
    assert "Deal desk" not in shown
    assert "Nothing in the catalog matches" in client.get(page, {"q": "zebra"}).content.decode()
    found = client.get(page, {"q": "billing coll"}).context["functions"]
    assert [one.key for one, _ in found] == ["billing_and_collections"]
    answer = client.post(page, {"function": "territory_planning"})
    assert answer["Location"] == "/boundaries/NC-P/1/#row-3"
    assert client_of("auditor").get(page).status_code == 403


def test_choosing_names_what_another_document_allocates(people, functions, client_of):
    factories.in_force(people, number="NC-D", functions=[functions["deal_desk"]])
    factories.draft(people, number="NC-P", functions=[functions["vendor_management"]])
    shown = client_of("cro").get("/boundaries/NC-P/1/add-row/").content.decode()
    assert "NC-D-1" in shown
    assert "Amend that first, or this cannot be frozen." in shown


def test_choosing_costs_the_same_for_many_functions(part, people, client_of):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client, counts = client_of("cro"), []
    for number in range(2):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get("/boundaries/NC-P/1/add-row/")
        counts.append(len(queries))
        for index in range(20):
            factories.another_function(f"function_{number}_{index}")
    assert counts[0] == counts[1]


def test_splitting_proposes_the_parts_that_the_catalog_knows(ready, people, client_of):
    factories.edit(row_of(ready, "master_data_management"), people, owner="cro", sub_scopes=())
    form = client_of("cro").get(f"{BASE}rows/5/?split=1").context["form"]
    assert form["owner"].value() == "hybrid"
    assert [(name.value(), owner.value()) for name, owner in form.parts][:2] == [
        ("Accounts and contacts", "cro"),
        ("Products and employees", "coo"),
    ]


def test_no_part_is_cut_off_by_the_form(ready, people):
    parts = tuple(drafting.SubScopeText(f"Part {n}", "cro") for n in range(12))
    row = factories.edit(row_of(ready), people, owner="hybrid", sub_scopes=parts)
    initial = RowForm.initial_of(row)
    form = RowForm(initial | {"version": row.version})
    assert form.is_valid(), form.errors
    assert len(form.text(row).sub_scopes) == 12


@pytest.mark.parametrize("office", ["ceo", "revops_lead", "auditor", "administrator", "member"])
def test_others_change_no_rows(ready, part, people, office):
    row = row_of(part)
    for act in (
        lambda: drafting.leave_out(row=row, expected_version=1, reason="No.", **by(people, office)),
        lambda: drafting.take_back_in(row=row, expected_version=1, **by(people, office)),
        lambda: drafting.move_row(row=row, after=part.rows.last(), **by(people, office)),
        lambda: drafting.remove_row(row=row, expected_version=1, **by(people, office)),
    ):
        refused(Refused, act)


def test_a_reason_that_no_text_can_hold_leaves_nothing_out(ready, people, client):
    client.force_login(people["cro"])
    for reason in ("x" * 1001, "No\0need."):
        answer = client.post(
            f"{BASE}rows/1/leave-out/", {"version": "1", "reason": reason}, follow=True
        )
        assert "Row 4.1, Deal desk is not left out." in answer.content.decode()
    assert row_of(ready).version == 1
