"""The CFO's veto by its rules, and the CEO's order after ten business days."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from audit.models import Event
from boundaries import agreeing, drafting, outlook, vetoes, workflow
from boundaries.blockers import blockers
from boundaries.errors import (
    InvalidText,
    NotADraft,
    NotReadyToFreeze,
    OrderTooEarly,
    ReasonMissing,
    RowIsSettled,
    VetoEnded,
    VetoStands,
)
from boundaries.models import EarlierText, Veto
from boundaries.parties import party_offices
from boundaries.standing import standings
from boundaries.states import ClauseState
from functions_catalog.catalog import retire_function
from notifications.models import Notice, OutgoingMail
from people.errors import NotYourOffice
from people.models import Appointment
from tests.boundaries import factories
from tests.boundaries.factories import NOW, TODAY, all_agree, edit, fresh, live_stances, row_of
from tests.people.factories import PersonFactory

pytestmark = pytest.mark.django_db
REASON = "Whoever calculates an accrued liability must sit under financial close."
WHY = "The quarter ends; it stays as it is until the audit is over."
# 20 November 2026 is a Friday; Thanksgiving is the 26th: the tenth business day is 7 December.
LIMIT, ORDER_FROM = date(2026, 12, 7), date(2026, 12, 8)
POSSIBLE = datetime(2026, 12, 8, 15, tzinfo=UTC)


@pytest.fixture
def vetoed(draft, people):
    row = edit(row_of(draft), people, by="coo", owner="coo")
    return give(row, people)


def give(row, people, *, by="cfo", at=NOW, reason=REASON):
    return vetoes.veto(row=row, reason=reason, acting_user=people[by], at=at)


def lift(veto, person, *, at=NOW, word=""):
    return vetoes.lift(veto=veto, word=word, acting_user=person, at=at)


def order(veto, people, *, at=POSSIBLE, by="ceo", rationale=WHY):
    return vetoes.order(veto=veto, rationale=rationale, acting_user=people[by], at=at)


def stances_of(row, *, today=TODAY):
    parties = party_offices(row.revision)
    every = standings(row.revision, parties=parties, today=today)
    (found,) = [one for one in every if one.clause == row]
    return found


def everything():
    return (
        Event.objects.count(),
        OutgoingMail.objects.count(),
        Notice.objects.count(),
        list(Veto.objects.values_list("pk", "lifted_at", "ordered_at")),
    )


def refused(error, act, *words):
    before = everything()
    with pytest.raises(error) as refusal, transaction.atomic():
        act()
    assert everything() == before
    for word in words:
        assert word in str(refusal.value)


def told(kind):
    return set(Notice.objects.filter(kind=kind).values_list("person__name", flat=True))


# --- Vetoing ----------------------------------------------------------------------------------


def test_a_veto_keeps_who_why_and_until_when(vetoed, people):
    assert (vetoed.person_name, vetoed.person_office) == ("Priya Raman", "CFO")
    assert vetoed.reason == REASON
    assert vetoed.order_from == ORDER_FROM
    event = Event.objects.get(event="row.vetoed")
    assert (event.actor_id, event.office) == (people["cfo"].pk, "cfo")
    assert event.data["order_from"] == "2026-12-08"
    assert told("veto") == {"Maya Lindqvist", "Daniel Osei", "Helen Marsh", "Tomas Vega"}
    assert not OutgoingMail.objects.filter(kind="order-possible").exists()


def test_a_veto_is_said_first_among_what_blocks_with_who_can_do_what(vetoed, draft, people):
    found = blockers(draft, parties=party_offices(draft), today=TODAY)
    assert found[0].code == "vetoed"
    assert found[0].anchor == vetoed.row.anchor
    assert REASON in found[0].detail
    assert "Only the CFO lifts it" in found[0].detail
    assert "8 Dec 2026" in found[0].detail
    assert "clause_contested" not in {one.code for one in found}
    later = blockers(draft, parties=party_offices(draft), today=ORDER_FROM)
    assert "the CEO may order now" in later[0].detail
    agreeing.contest(clause=vetoed.row, reason="Not mine.", acting_user=people["cro"], at=NOW)
    codes = [one.code for one in blockers(draft, parties=party_offices(draft), today=TODAY)]
    assert codes[:2] == ["vetoed", "clause_contested"]


def test_nobody_freezes_while_it_stands(ready, people):
    give(row_of(ready), people)
    with pytest.raises(NotReadyToFreeze) as refusal:
        workflow.freeze(revision=ready, acting_user=people["cro"], at=NOW)
    # It took the CFO's own agreement with it.
    assert [one.code for one in refusal.value.blockers] == ["vetoed"]


def test_only_the_cfo_vetoes_and_only_what_touches_financial_reporting(draft, people):
    row = row_of(draft)
    for office in ("cro", "coo", "ceo", "revops_lead", "corporate_secretary", "auditor", "member"):
        refused(NotYourOffice, lambda office=office: give(row, people, by=office))
    other = row_of(draft, "territory_planning")
    refused(InvalidText, lambda: give(other, people), "does not touch financial reporting")


def test_whoever_acts_as_cfo_vetoes_and_the_holder_only_reads(draft, people):
    wen = PersonFactory(name="Wen Hao")
    factories.acting(wen, "cfo")
    refused(NotYourOffice, lambda: give(row_of(draft), people))
    made = vetoes.veto(row=row_of(draft), reason=REASON, acting_user=wen, at=NOW)
    assert made.person_office == "Acting CFO"
    # Back from leave, the CFO lifts what the stand-in vetoed.
    back = datetime(2026, 12, 2, 15, tzinfo=UTC)
    refused(NotYourOffice, lambda: lift(made, wen, at=back))
    assert lift(made, people["cfo"], at=back).lifted_by_office == "CFO"


def test_a_reason_is_needed_and_has_its_limit(draft, people):
    row = row_of(draft)
    refused(ReasonMissing, lambda: give(row, people, reason=" \n"))
    refused(InvalidText, lambda: give(row, people, reason="x" * 2001), "2000")
    assert give(row, people, reason="x" * 2000).reason == "x" * 2000


def test_a_row_has_one_standing_veto(vetoed, people):
    refused(VetoStands, lambda: give(vetoed.row, people), "Lift that veto first")
    with pytest.raises(IntegrityError), transaction.atomic():
        Veto.objects.create(
            revision=vetoed.revision,
            row=vetoed.row,
            reason="Twice.",
            person=people["cfo"],
            person_name="Priya Raman",
            person_office="CFO",
            appointment=vetoed.appointment,
            given_at=NOW,
            order_from=ORDER_FROM,
        )
    lift(vetoed, people["cfo"])
    assert give(vetoed.row, people).pk != vetoed.pk


def test_frozen_text_is_neither_vetoed_nor_lifted(vetoed, draft, people):
    lift(vetoed, people["cfo"])
    all_agree(draft, people)
    factories.frozen(draft, people)
    refused(NotADraft, lambda: give(row_of(draft), people))
    refused(NotADraft, lambda: lift(vetoed, people["cfo"]))


# --- What does not lift it, and what does -------------------------------------------------------


def test_an_edit_does_not_lift_it(vetoed, people):
    edit(row_of(vetoed.revision), people, by="cro", owner="cfo")
    row = edit(row_of(vetoed.revision), people, by="cfo", scope_in="Prices.")
    assert Veto.objects.get().stands
    assert stances_of(row).is_vetoed
    assert stances_of(row).state == ClauseState.CONTESTED


def test_agreeing_does_not_lift_it(vetoed, draft, people):
    row = row_of(draft)

    def agree():
        agreeing.agree(clause=row, expected_version=row.version, acting_user=people["cfo"], at=NOW)

    refused(VetoStands, agree, "Lift the veto first")
    done = agreeing.agree_to_all_read(
        revision=draft,
        read=factories.everything_read(draft),
        acting_user=people["cfo"],
        at=NOW,
    )
    assert done.own_vetoes == 1
    assert "cfo" not in live_stances(row)
    assert Veto.objects.get().stands


def test_the_cfo_lifts_it_with_a_word_and_has_yet_to_agree(vetoed, draft, people):
    all_agree(draft, people, parties=["cro", "coo"])
    lifted = lift(vetoed, people["cfo"], word="The COO withdrew it.")
    assert (lifted.lifted_by_name, lifted.lifted_by_office) == ("Priya Raman", "CFO")
    event = Event.objects.get(event="row.veto_lifted")
    assert event.actor_id == people["cfo"].pk
    assert told("veto-lifted") == told("veto")
    found = stances_of(row_of(draft))
    assert [one.state for one in found.stances] == ["agreed", "agreed", "waiting"]
    all_agree(draft, people)
    workflow.freeze(revision=draft, acting_user=people["cro"], at=NOW)


def test_nobody_else_lifts_it_and_it_ends_once(vetoed, people):
    for office in ("cro", "coo", "ceo", "corporate_secretary"):
        refused(NotYourOffice, lambda office=office: lift(vetoed, people[office]))
    refused(InvalidText, lambda: lift(vetoed, people["cfo"], word="x" * 2001))
    lift(vetoed, people["cfo"])
    refused(VetoEnded, lambda: lift(vetoed, people["cfo"]), "lifted by Priya Raman, CFO")
    refused(VetoEnded, lambda: order(vetoed, people))


def test_a_successor_lifts_what_the_predecessor_vetoed(vetoed, people):
    ines = PersonFactory(name="Ines Roy")
    later = NOW + timedelta(days=3)
    factories.handed_over(ines, "cfo", on=later.date())
    refused(NotYourOffice, lambda: lift(vetoed, people["cfo"], at=later + timedelta(hours=1)))
    assert lift(vetoed, ines, at=later + timedelta(hours=1)).lifted_by_name == "Ines Roy"


# --- The CEO's order ----------------------------------------------------------------------------


def test_the_order_is_refused_until_its_day_and_names_it(vetoed, people):
    for day in (TODAY, LIMIT):
        at = datetime(day.year, day.month, day.day, 22, tzinfo=UTC)
        refused(OrderTooEarly, lambda at=at: order(vetoed, people, at=at), "8 Dec 2026")
    for office in ("cro", "coo", "cfo", "corporate_secretary"):
        refused(NotYourOffice, lambda office=office: order(vetoed, people, by=office))
    refused(ReasonMissing, lambda: order(vetoed, people, rationale=" "))
    order(vetoed, people)


def test_where_nothing_is_in_force_the_order_makes_it_the_cfos_for_the_time_being(
    vetoed, draft, people
):
    agreeing.contest(clause=row_of(draft), reason="No.", acting_user=people["cro"], at=NOW)
    before = row_of(draft)
    row = order(vetoed, people)
    assert (row.owner, row.order, row.ruling) == ("cfo", vetoed, None)
    assert row.rationale.startswith("CFO, interim")
    assert row.scope_in == before.scope_in
    assert row.version == before.version + 1
    assert EarlierText.objects.get(row=row, version=before.version).text["owner"] == "coo"
    assert live_stances(row) == {}
    found = stances_of(row)
    assert found.state == ClauseState.AGREED
    assert {one.state for one in found.stances} == {"bound"}
    veto = Veto.objects.get()
    assert (veto.ordered_by_name, veto.ordered_by_office) == ("Helen Marsh", "CEO")
    assert veto.order_rationale == WHY
    event = Event.objects.get(event="row.veto_ordered")
    assert (event.actor_id, event.office, event.data["in_force"]) == (people["ceo"].pk, "ceo", "")
    mail = OutgoingMail.objects.get(kind="veto-ordered")
    assert mail.person == people["cfo"]
    assert WHY in mail.text
    assert told("veto-ordered") == {"Maya Lindqvist", "Daniel Osei", "Tomas Vega"}


def test_the_order_puts_in_what_is_in_force_word_for_word(people, functions):
    ruling = factories.in_force(people)
    draft = workflow.amend(revision=ruling, acting_user=people["cro"], at=NOW)
    was = row_of(ruling)
    row = edit(row_of(draft), people, by="coo", owner="coo", scope_in="Else.", consulted=())
    ordered = order(give(row, people), people)
    same = ("owner", "scope_in", "scope_out", "consulted", "informed", "rationale")
    assert [getattr(ordered, name) for name in same] == [getattr(was, name) for name in same]
    assert Event.objects.get(event="row.veto_ordered").data["in_force"] == "NC-RB-1"
    everything_else = all_agree(draft, people, at=POSSIBLE)
    frozen = workflow.freeze(revision=everything_else, acting_user=people["cro"], at=POSSIBLE)
    assert frozen.revision_id == draft.pk


def test_a_row_ordered_is_locked_in_this_draft_and_open_in_the_next(vetoed, draft, people):
    row = order(vetoed, people)
    refused(RowIsSettled, lambda: edit(row, people, by="cro", at=POSSIBLE, owner="cro"))
    refused(
        RowIsSettled,
        lambda: agreeing.contest(clause=row, reason="No.", acting_user=people["cro"], at=POSSIBLE),
    )
    refused(RowIsSettled, lambda: give(row, people, at=POSSIBLE))
    revision = factories.brought_into_force(fresh(draft), people, at=POSSIBLE)
    amended = workflow.amend(revision=revision, acting_user=people["cro"], at=POSSIBLE)
    assert not row_of(amended).is_settled
    give(row_of(amended), people, at=POSSIBLE)


def test_a_function_in_force_elsewhere_stays_there_by_the_order(people, functions):
    factories.in_force(people, number="NC-DEAL", functions=[functions["deal_desk"]])
    other = factories.draft(
        people, number="NC-2", functions=[functions["deal_desk"], functions["territory_planning"]]
    )
    row = order(give(row_of(other), people), people)
    assert row.owner == ""
    assert "NC-DEAL-1, row 4.1" in row.left_out_reason


def test_an_office_not_established_is_taken_by_its_heir(vetoed, people):
    from people import absences
    from people.models import Office

    Appointment.objects.filter(office__key="cfo").update(ends_on=TODAY + timedelta(days=1))
    absences.not_established(
        office=Office.objects.get(key="cfo"),
        part_goes_to=Office.objects.get(key="coo"),
        reason="A company without a CFO.",
        acting_user=people["corporate_secretary"],
        at=NOW + timedelta(days=2),
    )
    row = order(vetoed, people)
    assert row.owner == "coo"
    assert row.rationale.startswith("COO, interim")


def test_the_ceo_is_asked_once_when_an_order_becomes_possible(vetoed, people):
    def sweep(at):
        return vetoes.tell_ceo_of_possible_orders(at=at)

    assert sweep(datetime(2026, 12, 7, 20, tzinfo=UTC)) == 0
    assert sweep(datetime(2026, 12, 8, 6, tzinfo=UTC)) == 0  # at night
    assert sweep(POSSIBLE) == 1
    assert sweep(POSSIBLE + timedelta(hours=1)) == 0
    mail = OutgoingMail.objects.get(kind="order-possible")
    assert mail.person == people["ceo"]
    assert "/rows/1/veto/order/" in mail.text
    assert "ruling" not in mail.text
    ines = PersonFactory(name="Ines Roy")
    factories.handed_over(ines, "ceo", on=date(2026, 12, 9))
    assert sweep(datetime(2026, 12, 9, 15, tzinfo=UTC)) == 1


def test_what_was_lifted_or_withdrawn_asks_nobody(vetoed, draft, people):
    workflow.withdraw(revision=draft, reason="Later.", acting_user=people["ceo"], at=NOW)
    assert vetoes.tell_ceo_of_possible_orders(at=POSSIBLE) == 0
    refused(NotADraft, lambda: order(vetoed, people))


# --- What pages and look-ups say ----------------------------------------------------------------


def test_history_tells_every_veto_and_its_end_newest_first(vetoed, draft, people):
    lift(vetoed, people["cfo"], at=NOW + timedelta(hours=1), word="Fine.")
    again = give(row_of(draft), people, at=NOW + timedelta(hours=2))
    order(again, people)
    assert [(one.kind, one.by_name) for one in vetoes.history(draft)] == [
        ("ordered", "Helen Marsh"),
        ("vetoed", "Priya Raman"),
        ("lifted", "Priya Raman"),
        ("vetoed", "Priya Raman"),
    ]


def test_look_ups_say_it_to_readers_of_drafts_only(vetoed, draft, people):
    def labels(who):
        found = outlook.standings(["deal_desk"], people[who], TODAY)
        return [one.label for one in found.get("deal_desk", [])]

    assert labels("cro") == ["Vetoed in draft v1"]
    assert labels("member") == []
    agreeing.contest(clause=row_of(draft), reason="No.", acting_user=people["cro"], at=NOW)
    assert labels("ceo") == ["Vetoed in draft v1", "Contested in draft v1"]
    workflow.withdraw(revision=draft, reason="Later.", acting_user=people["ceo"], at=NOW)
    assert labels("ceo") == []


def test_the_ceo_sees_open_orders_on_the_first_page(vetoed, people):
    (notice,) = outlook.notices(people["ceo"], ORDER_FROM)
    assert "may order" in notice.text
    assert outlook.notices(people["ceo"], LIMIT) == []
    assert outlook.notices(people["cfo"], ORDER_FROM) == []


def test_what_is_locked_and_then_retired_is_left_out_by_agreement(draft, people):
    row = row_of(draft)
    vetoes.order(veto=give(row, people), rationale=WHY, acting_user=people["ceo"], at=POSSIBLE)
    row = row_of(draft)
    with pytest.raises(RowIsSettled):
        drafting.leave_out(
            row=row,
            expected_version=row.version,
            reason="No.",
            acting_user=people["cro"],
            at=POSSIBLE,
        )
    retire_function(key="deal_desk", acting_user=people["revops_lead"], at=POSSIBLE)

    drafting.leave_out(
        row=row,
        expected_version=row.version,
        reason="It is retired.",
        acting_user=people["cro"],
        at=POSSIBLE,
    )

    row = row_of(draft)
    assert (row.is_settled, row.left_out_reason) == (False, "It is retired.")
    assert live_stances(row) == {"cro": "agreed"}
