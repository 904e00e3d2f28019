"""Who owned what on which date."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from functions_catalog import registry
from functions_catalog.errors import AllocatedElsewhere, InForceOutOfOrder, NotAFunction
from functions_catalog.models import Function, Ownership
from functions_catalog.ownership import (
    Answer,
    answer_on,
    answers_on,
    bind,
    bring_into_force,
    first_in_force_date,
    history,
)

from .builders import AT, MDM_PARTS, answer, in_force
from .conftest import TODAY

MARCH, AUGUST = date(2026, 3, 3), date(2026, 8, 11)

pytestmark = pytest.mark.usefixtures("catalog", "now")


def deal_desk():
    return Function.objects.get(key="deal_desk")


def owner_on(day, key="deal_desk"):
    found = answer_on(Function.objects.get(key=key), day)
    return found.owner if found else None


def test_answer_survives_its_snapshot():
    whole = answer(
        "master_data_management",
        parts=MDM_PARTS,
        scope_in="- Fields\n- Duplicates",
        scope_out="Ledger codes",
        consulted=("cfo",),
        informed=("revops_lead", "coo"),
        rationale="Each keeps what it feels first.",
    )
    assert Answer.from_json(whole.to_json()) == whole
    assert Answer.from_json({**whole.to_json(), "of_a_later_version": 1}) == whole
    assert whole.owners == ("cro", "coo")
    assert whole.offices == {"cro", "coo", "cfo", "revops_lead"}


def test_period_begins_on_its_date_and_ends_before_the_next():
    in_force([answer("deal_desk", "cro")], MARCH)
    in_force([answer("deal_desk", "cfo", revision=2)], AUGUST, revision=2)
    day = timedelta(days=1)
    assert owner_on(MARCH - day) is None
    assert owner_on(MARCH) == "cro"
    assert owner_on(AUGUST - day) == "cro"
    assert owner_on(AUGUST) == "cfo"
    assert owner_on(date(2026, 11, 20)) == "cfo"
    first, second = history(deal_desk())
    assert (first.in_force_from, first.in_force_until) == (MARCH, AUGUST)
    assert (second.in_force_from, second.in_force_until) == (AUGUST, None)
    assert first_in_force_date() == MARCH


def test_revision_replaced_on_its_first_day_never_answers_but_stays_in_history():
    in_force([answer("deal_desk", "cro")], MARCH)
    in_force([answer("deal_desk", "coo", revision=2)], AUGUST, revision=2)
    in_force([answer("deal_desk", "cfo", revision=3)], AUGUST, revision=3)
    assert owner_on(AUGUST - timedelta(days=1)) == "cro"
    assert owner_on(AUGUST) == "cfo"
    assert [(one.revision_number, one.in_force_until) for one in history(deal_desk())] == [
        (1, AUGUST),
        (2, AUGUST),
        (3, None),
    ]


def test_function_left_out_of_the_next_revision_has_no_owner_from_then_on():
    in_force([answer("deal_desk"), answer("territory_planning")], MARCH)
    change = in_force([answer("deal_desk", revision=2)], AUGUST, revision=2)
    assert owner_on(AUGUST, "territory_planning") is None
    assert owner_on(AUGUST - timedelta(days=1), "territory_planning") == "cro"
    lost = change.lost()["cro"]
    assert [(one.name, one.after) for one in lost] == [("Territory planning", None)]
    assert change.gained() == {}


def test_gained_and_lost_are_told_by_office_parts_included():
    in_force(
        [
            answer("deal_desk", "cro"),
            answer("master_data_management", "cro"),
            answer("billing_and_collections", "cfo"),
        ],
        MARCH,
    )
    change = in_force(
        [
            answer("deal_desk", "cro", revision=2),
            answer("master_data_management", parts=MDM_PARTS, revision=2),
            answer("billing_and_collections", "coo", revision=2),
            answer("sales_enablement", "cro", revision=2),
        ],
        AUGUST,
        revision=2,
    )
    names = {
        office: {one.function_key for one in changes} for office, changes in change.gained().items()
    }
    assert names == {
        "coo": {"master_data_management", "billing_and_collections"},
        "cro": {"master_data_management", "sales_enablement"},
    }
    assert {office: len(changes) for office, changes in change.lost().items()} == {
        "cro": 1,
        "cfo": 1,
    }
    assert change.owner_changed
    (kept,) = [one for one in change.changes if one.function_key == "deal_desk"]
    assert not kept.owner_changed
    assert (kept.before.revision_number, kept.after.revision_number) == (1, 2)


def test_revision_that_changes_no_owner_says_so():
    in_force([answer("deal_desk", scope_in="Old")], MARCH)
    change = in_force([answer("deal_desk", scope_in="New", revision=2)], AUGUST, revision=2)
    assert not change.owner_changed
    assert (change.gained(), change.lost()) == ({}, {})
    assert answer_on(deal_desk(), AUGUST).scope_in == "New"


def test_two_documents_stand_side_by_side():
    in_force([answer("deal_desk", "cro")], MARCH)
    in_force([answer("vendor_management", "coo", number="NC-IT")], MARCH, number="NC-IT")
    in_force([answer("deal_desk", "cfo", revision=2)], AUGUST, revision=2)
    assert {key: one.owner for key, one in answers_on(AUGUST).items()} == {
        "deal_desk": "cfo",
        "vendor_management": "coo",
    }


def test_function_allocated_by_another_document_is_refused_and_nothing_changes():
    in_force([answer("deal_desk")], MARCH)
    before = list(Ownership.objects.values())
    with pytest.raises(AllocatedElsewhere, match="Deal desk is already allocated by NC-RB-1"):
        in_force([answer("deal_desk", number="NC-IT")], AUGUST, number="NC-IT")
    assert list(Ownership.objects.values()) == before


def test_revision_older_than_what_it_replaces_is_refused():
    in_force([answer("deal_desk")], AUGUST)
    with pytest.raises(InForceOutOfOrder, match="NC-RB-1 began on 2026-08-11"):
        in_force([answer("deal_desk", revision=2)], MARCH, revision=2)


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        (lambda: [answer("deal_desk"), answer("deal_desk", "cfo")], "twice"),
        (lambda: [replace(answer("deal_desk"), function_key="no_such")], "no function no_such"),
        (lambda: [answer("deal_desk", "")], "one Office"),
        (lambda: [replace(answer("deal_desk"), owner="hybrid")], "one Office"),
        (lambda: [answer("deal_desk", parts=(("a", "A", "hybrid"),))], "one Office"),
        (lambda: [answer("deal_desk", revision=7)], "rests on NC-RB-7"),
    ],
)
def test_answers_that_do_not_fit_are_refused(answers, says):
    with pytest.raises(NotAFunction, match=says):
        in_force(answers(), MARCH)
    assert not Ownership.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_bringing_into_force_belongs_in_a_transaction():
    with pytest.raises(RuntimeError, match="transaction"):
        bring_into_force(
            answers=[], from_date=MARCH, document_number="NC-RB", revision_number=1, at=AT
        )


def test_answer_keeps_the_name_that_the_text_gave():
    in_force([answer("deal_desk")], MARCH)
    Function.objects.filter(key="deal_desk").update(name="Deal room")
    assert answer_on(deal_desk(), MARCH).name == "Deal desk"


# --- What the database refuses --------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"owner": "coo"},
        {"in_force_from": MARCH - timedelta(days=1)},
        {"answer": {}},
        {"article_reference": "4.99"},
        {"revision_number": 9},
        {"document_number": "NC-XX"},
        {"in_force_until": AUGUST + timedelta(days=30)},
        {"in_force_until": None},
    ],
    ids=lambda change: next(iter(change)),
)
def test_snapshot_never_changes_and_an_end_is_written_once(change):
    in_force([answer("deal_desk")], MARCH)
    in_force([], AUGUST, revision=2)
    with pytest.raises(IntegrityError), transaction.atomic():
        Ownership.objects.update(**change)
    assert owner_on(MARCH) == "cro"


def test_ownership_is_never_deleted():
    in_force([answer("deal_desk")], MARCH)
    with pytest.raises(IntegrityError), transaction.atomic():
        Ownership.objects.all().delete()
    assert Ownership.objects.count() == 1


def test_two_open_rows_for_one_function_are_impossible():
    in_force([answer("deal_desk")], MARCH)
    row = Ownership.objects.get()
    row.pk, row.document_number = None, "NC-IT"
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_period_cannot_end_before_it_begins():
    in_force([answer("deal_desk")], MARCH)
    with pytest.raises(IntegrityError), transaction.atomic():
        Ownership.objects.update(in_force_until=MARCH - timedelta(days=1))


# --- The future -----------------------------------------------------------------------------


def approved(*answers, from_date):
    """An outlook as boundaries gives it: approved answers from a date on."""

    def outlook(day):
        if day < from_date:
            return {}
        return {one.function_key: replace(one, in_force_from=from_date) for one in answers}

    registry.register_outlook(outlook)


def test_future_date_is_answered_from_what_is_approved_for_it():
    in_force([answer("deal_desk", "cro"), answer("territory_planning")], MARCH)
    in_force([answer("vendor_management", "coo", number="NC-IT")], MARCH, number="NC-IT")
    starts = TODAY + timedelta(days=20)
    approved(answer("deal_desk", "cfo", revision=2), from_date=starts)

    assert owner_on(starts - timedelta(days=1)) == "cro"
    assert owner_on(TODAY) == "cro"
    coming = answer_on(deal_desk(), starts)
    assert (coming.owner, coming.expected, coming.in_force_from) == ("cfo", True, starts)
    # Its document's other functions end with the former Revision; other documents stand.
    assert set(answers_on(starts)) == {"deal_desk", "vendor_management"}
    assert owner_on(starts, "territory_planning") is None
    assert not answers_on(starts)["vendor_management"].expected


def test_outlook_is_not_asked_about_today_or_the_past():
    asked = []
    registry.register_outlook(lambda day: asked.append(day) or {})
    answers_on(TODAY)
    answers_on(MARCH)
    assert asked == []
    answers_on(TODAY + timedelta(days=1))
    assert asked == [TODAY + timedelta(days=1)]


def test_today_is_the_company_s_and_not_that_of_utc(time_machine_at):
    # 02:00 UTC on the 21st is still the evening of the 20th in New York.
    asked = []
    registry.register_outlook(lambda day: asked.append(day) or {})
    time_machine_at.move_to("2026-11-21T02:00:00Z")
    answers_on(date(2026, 11, 21))
    assert asked == [date(2026, 11, 21)]


def test_provider_registered_twice_counts_once():
    def outlook(day):
        return {}

    registry.register_outlook(outlook)
    registry.register_outlook(outlook)
    assert registry._outlooks == [outlook]


def test_answers_of_all_functions_cost_one_query(django_assert_num_queries):
    in_force([answer("deal_desk")], MARCH)
    with django_assert_num_queries(1):
        assert len(answers_on(TODAY)) == 1
    in_force(
        [answer(one.key, "cro", revision=2) for one in Function.objects.all()], AUGUST, revision=2
    )
    with django_assert_num_queries(1):
        assert len(answers_on(TODAY)) == 35


# --- Interim decisions ------------------------------------------------------------------------


def decided(day, *, revision=1, number="NC-RB", key="deal_desk", decision="dispute-12"):
    with transaction.atomic():
        return bind(
            answer=answer(key, "coo", number=number, revision=revision, decision=decision),
            from_date=day,
            at=AT,
        )


def test_an_interim_decision_answers_from_its_day_on():
    in_force([answer("deal_desk"), answer("vendor_management", "coo")], MARCH)
    change = decided(AUGUST)
    assert [owner_on(AUGUST + timedelta(days=n)) for n in (-1, 0, 1)] == ["cro", "coo", "coo"]
    found = answer_on(deal_desk(), AUGUST)
    assert (found.decision, found.decision_words) == ("dispute-12", "dispute 12")
    assert Answer.from_json(found.to_json()).decision == "dispute-12"
    assert (list(change.gained()), list(change.lost())) == (["coo"], ["cro"])
    # What the text says of other functions stays.
    assert answer_on(Function.objects.get(key="vendor_management"), AUGUST).decision == ""


def test_the_next_revision_ends_an_interim_decision():
    in_force([answer("deal_desk")], MARCH)
    decided(AUGUST)
    in_force([answer("deal_desk", revision=2)], AUGUST + timedelta(days=9), revision=2)
    assert owner_on(AUGUST + timedelta(days=8)) == "coo"
    assert owner_on(AUGUST + timedelta(days=9)) == "cro"


def test_a_decision_belongs_to_the_document_that_has_the_function():
    in_force([answer("deal_desk")], MARCH)
    with pytest.raises(AllocatedElsewhere):
        decided(AUGUST, number="NC-PART")
    with pytest.raises(InForceOutOfOrder):
        decided(MARCH - timedelta(days=1))
    with pytest.raises(NotAFunction), transaction.atomic():
        bind(answer=answer("deal_desk", "", decision="dispute-12"), from_date=AUGUST, at=AT)
    with pytest.raises(ValueError, match="name"):
        decided(AUGUST, decision="")
    assert owner_on(AUGUST) == "cro"
