"""Approved, in force, superseded, expired: who owns what, who is told, what is owed."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from audit.models import Event
from boundaries import blockers, plan, signals, tasks, workflow
from boundaries.content import article, content_of
from boundaries.errors import (
    AlreadyAcknowledged,
    InvalidText,
    NotInForce,
    NotReadyToFreeze,
    TransitionNotAllowed,
    UnfinishedRevisionExists,
)
from boundaries.models import Acknowledgement, Milestone, Revision
from boundaries.states import Role, State
from functions_catalog.errors import AllocatedElsewhere
from functions_catalog.models import Ownership
from functions_catalog.ownership import answer_on, answers_on
from notifications.models import OutgoingMail
from people.errors import NotYourOffice
from people.models import Office
from tests.boundaries import factories
from tests.boundaries.factories import (
    NOW,
    REASON,
    SESSION,
    TODAY,
    all_agree,
    brought_into_force,
    cosigned,
    edit,
    effective,
    fresh,
    in_force,
    row_of,
)

NEXT_WEEK = NOW + timedelta(days=7)


def owners(day=TODAY):
    return {key: answer.owner for key, answer in answers_on(day).items()}


def mailed(kind):
    return {one.person.name: one for one in OutgoingMail.objects.filter(kind=kind)}


def amended(revision, people, *, at=NEXT_WEEK, **changes):
    """An amendment that changes deal desk, in force at once."""
    draft = workflow.amend(revision=revision, acting_user=people["cro"], at=at)
    edit(row_of(draft), people, at=at, **changes)
    return brought_into_force(draft, people, at=at)


# --- Coming in force --------------------------------------------------------------------------


def test_approval_on_the_effective_date_brings_it_into_force(people, functions):
    revision = in_force(people)
    assert revision.state == State.IN_FORCE
    assert revision.in_force_from == NOW
    assert [one.verb for one in revision.changes.order_by("pk")] == [
        "open",
        "freeze",
        "cosign",
        "approve",
        "bring_into_force",
    ]
    assert owners() == {
        "deal_desk": "cro",
        "territory_planning": "cro",
        "vendor_management": "coo",
        "billing_and_collections": "cfo",
        "master_data_management": "hybrid",
    }
    answer = answer_on(functions["master_data_management"], TODAY)
    assert [(part.key, part.owner) for part in answer.sub_scopes] == [
        ("accounts_and_contacts", "cro"),
        ("products_and_employees", "coo"),
    ]
    assert (answer.revision_reference, answer.article_reference) == ("NC-RB-1", "4.5")
    assert answer_on(functions["billing_and_collections"], TODAY).veto is True
    names = list(Event.objects.order_by("sequence").values_list("event", flat=True))
    assert names[names.index("revision.approved") :][:2] == [
        "revision.approved",
        "revision.in_force",
    ]


def test_ownership_equals_the_frozen_content(people, functions):
    revision = in_force(people)
    rows = article(content_of(revision.freezes.get()), "allocations")["rows"]
    found = answers_on(TODAY)
    assert set(found) == {row["function"] for row in rows}
    for row in rows:
        answer = found[row["function"]]
        for field in ("owner", "scope_in", "scope_out", "rationale"):
            assert getattr(answer, field) == row[field]
        assert list(answer.consulted) == row["consulted"]


def test_left_out_function_is_owned_by_nobody(people, functions):
    draft = factories.draft(people)
    edit(row_of(draft), people, owner="", left_out_reason="The group does it.")
    revision = brought_into_force(draft, people)
    assert "deal_desk" not in owners()
    left_out = article(content_of(revision.freezes.get()), "allocations")["left_out"]
    assert [(one["function"], one["reason"]) for one in left_out] == [
        ("deal_desk", "The group does it.")
    ]


def test_signal_is_sent_within_the_transaction(people, functions):
    seen = []

    def listen(sender, revision, at, **kwargs):
        seen.append((revision.reference, revision.state, at, Ownership.objects.count()))

    signals.revision_in_force.connect(listen)
    try:
        in_force(people)
    finally:
        signals.revision_in_force.disconnect(listen)
    assert seen == [("NC-RB-1", State.IN_FORCE, NOW, 5)]


def test_listener_that_fails_undoes_all(people, functions):
    def fail(sender, **kwargs):
        raise RuntimeError("reviews are broken")

    revision = effective(factories.draft(people), people, TODAY)
    all_agree(revision, people)
    factories.frozen(revision, people)
    cosigned(revision, people)
    intent = factories.authenticated_intent(revision, people["ceo"], role=Role.APPROVER)
    events, mails = Event.objects.count(), OutgoingMail.objects.count()
    signals.revision_in_force.connect(fail)
    try:
        with pytest.raises(RuntimeError):
            workflow.approve(
                revision=revision,
                intent=intent,
                session_key=SESSION,
                acting_user=people["ceo"],
                at=NOW,
            )
    finally:
        signals.revision_in_force.disconnect(fail)
    assert fresh(revision).state == State.AWAITING_APPROVAL
    assert not Ownership.objects.exists()
    assert (Event.objects.count(), OutgoingMail.objects.count()) == (events, mails)
    intent.refresh_from_db()
    assert intent.consumed_at is None


# --- Who is told ------------------------------------------------------------------------------


def test_each_office_is_told_what_it_gained(people, functions):
    in_force(people)
    told = mailed("in-force")
    assert set(told) == {"Maya Lindqvist", "Daniel Osei", "Priya Raman"}
    assert "Deal desk" in told["Maya Lindqvist"].text
    assert "now with the CRO" in told["Maya Lindqvist"].text
    assert "Vendor management" not in told["Maya Lindqvist"].text
    assert "Vendor management" in told["Daniel Osei"].text


def test_offices_that_gained_and_lost_are_told(people, functions):
    revision = in_force(people)
    OutgoingMail.objects.all().delete()
    amended(revision, people, owner="cfo")
    told = mailed("in-force")
    assert set(told) == {"Maya Lindqvist", "Priya Raman"}
    assert "Given up" in told["Maya Lindqvist"].text
    assert "Gained" in told["Priya Raman"].text
    for one in told.values():
        assert "Deal desk" in one.text
        assert "from the CRO to the CFO" in one.text
        assert "Vendor management" not in one.text


def test_change_of_a_part_tells_its_old_and_new_owner(people, functions):
    from boundaries.drafting import SubScopeText

    revision = in_force(people)
    OutgoingMail.objects.all().delete()
    draft = workflow.amend(revision=revision, acting_user=people["cro"], at=NEXT_WEEK)
    edit(
        row_of(draft, "master_data_management"),
        people,
        at=NEXT_WEEK,
        sub_scopes=(
            SubScopeText("Accounts and contacts", "cfo", "accounts_and_contacts"),
            SubScopeText("Products and employees", "coo", "products_and_employees"),
        ),
    )
    brought_into_force(draft, people, at=NEXT_WEEK)
    assert set(mailed("in-force")) == {"Maya Lindqvist", "Priya Raman"}
    assert owners(NEXT_WEEK.date())["master_data_management"] == "hybrid"


def test_mails_go_to_whoever_acts(people, functions):
    revision = in_force(people)
    factories.acting(people["member"], "cfo", ends_on=date(2026, 12, 24))
    OutgoingMail.objects.all().delete()
    draft = workflow.amend(revision=revision, acting_user=people["cro"], at=NEXT_WEEK)
    edit(row_of(draft), people, at=NEXT_WEEK, owner="cfo")
    brought_into_force(draft, {**people, "cfo": people["member"]}, at=NEXT_WEEK)
    assert set(mailed("in-force")) == {"Maya Lindqvist", "Ana Brandt"}


def test_acknowledgement_is_due_after_ten_business_days(people, functions):
    revision = in_force(people)
    # From Friday 20 November; Thursday 26 is Thanksgiving.
    assert revision.acknowledgement_due_date == date(2026, 12, 7)
    asked = mailed("acknowledgement-asked")
    assert set(asked) == {"Tomas Vega"}
    assert "7 Dec 2026" in asked["Tomas Vega"].text


def test_amendment_that_moves_no_owner_asks_for_no_plan(people, functions):
    revision = in_force(people)
    OutgoingMail.objects.all().delete()
    second = amended(revision, people, scope_in="Approve every discount")
    assert second.acknowledgement_due_date is None
    assert mailed("acknowledgement-asked") == {}
    assert mailed("in-force") == {}


# --- Superseding ------------------------------------------------------------------------------


def test_amendment_supersedes_and_moves_ownership(people, functions):
    first = in_force(people)
    second = amended(first, people, owner="coo")
    first = fresh(first)
    assert (first.state, first.in_force_until) == (State.SUPERSEDED, NEXT_WEEK)
    assert (second.state, second.supersedes, second.number) == (State.IN_FORCE, first, 2)
    assert owners(TODAY)["deal_desk"] == "cro"
    assert owners(NEXT_WEEK.date())["deal_desk"] == "coo"
    assert answers_on(NEXT_WEEK.date())["territory_planning"].revision_number == 2
    superseded = Event.objects.get(event="revision.superseded")
    assert superseded.data["by"] == "NC-RB-2"
    assert Event.objects.filter(event="revision.in_force").last().data["superseded"] == "NC-RB-1"
    change = first.changes.order_by("pk").last()
    assert (change.verb, change.to_state, change.by) == ("supersede", "superseded", None)


def test_amendment_copies_text_and_asks_everybody_anew(people, functions):
    first = in_force(people)
    draft = workflow.amend(revision=first, acting_user=people["coo"], at=NEXT_WEEK)
    assert not draft.agreements.exists()
    assert [one.data for one in draft.articles.all()] == [one.data for one in first.articles.all()]
    assert [one.text for one in draft.articles.all()] == [one.text for one in first.articles.all()]
    fields = ("function_id", "position", "owner", "scope_in", "scope_out", "consulted", "rationale")
    assert list(draft.rows.values_list(*fields)) == list(first.rows.values_list(*fields))
    parts = row_of(draft, "master_data_management").sub_scopes.values_list("key", "name", "owner")
    assert list(parts) == list(
        row_of(first, "master_data_management").sub_scopes.values_list("key", "name", "owner")
    )
    assert (draft.supersedes, draft.opened_by) == (first, people["coo"])


def test_what_is_in_force_answers_while_its_amendment_is_written(people, functions):
    first = in_force(people)
    draft = workflow.amend(revision=first, acting_user=people["cro"], at=NEXT_WEEK)
    edit(row_of(draft), people, owner="coo")
    assert owners(NEXT_WEEK.date())["deal_desk"] == "cro"
    workflow.withdraw(revision=draft, reason=REASON, acting_user=people["cro"], at=NEXT_WEEK)
    assert fresh(first).state == State.IN_FORCE
    assert owners(NEXT_WEEK.date())["deal_desk"] == "cro"
    again = workflow.amend(revision=first, acting_user=people["cro"], at=NEXT_WEEK)
    assert again.number == 3  # numbers are never used twice


def test_amendment_inherits_the_sunset_and_never_postpones_it(people, functions):
    first = in_force(people)
    assert first.sunset_date == date(2027, 11, 20)
    draft = workflow.amend(revision=first, acting_user=people["cro"], at=NEXT_WEEK)
    assert draft.sunset_date == first.sunset_date
    draft = effective(draft, people, date(2027, 3, 1), at=NEXT_WEEK, sunset=date(2028, 3, 1))
    assert (draft.effective_date, draft.sunset_date) == (date(2027, 3, 1), first.sunset_date)


def test_amendment_after_the_sunset_starts_a_new_year(people, functions):
    first = in_force(people)
    late = NOW + timedelta(days=370)
    draft = workflow.amend(revision=first, acting_user=people["cro"], at=late)
    assert draft.sunset_date == draft.effective_date.replace(year=draft.effective_date.year + 1)


# --- The change log ---------------------------------------------------------------------------


def change_log(revision):
    content = content_of(revision.freezes.get(voided_at__isnull=True))
    return article(content, "change_log")["text"]


def test_change_log_of_the_first_version(people, functions):
    assert change_log(in_force(people)) == "Version 1 is the first version of this document."


def test_change_log_says_what_changed(people, functions):
    first = in_force(people)
    draft = workflow.amend(revision=first, acting_user=people["cro"], at=NEXT_WEEK)
    edit(row_of(draft), people, owner="coo", scope_in="New", at=NEXT_WEEK)
    edit(
        row_of(draft, "vendor_management"), people, owner="", left_out_reason="Gone.", at=NEXT_WEEK
    )
    factories.edit_data(
        factories.article_of(draft, "escalation"), people, leads_business_days=3, at=NEXT_WEEK
    )
    second = brought_into_force(draft, people, at=NEXT_WEEK)
    assert change_log(second).splitlines() == [
        "Changes since version 1:",
        "- Row 4.1, Deal desk: from the CRO to the COO.",
        "- Row 4.1, Deal desk: scope in changed.",
        "- Row 4.3, Vendor management: left out. Reason: Gone.",
        "- Article 8, Escalation path: leads changed.",
        "- Effective date: from 2026-11-20 to 2026-11-27.",
        "",
        "3 of 5 rows did not change.",
    ]
    third = workflow.amend(
        revision=second, acting_user=people["cro"], at=NEXT_WEEK + timedelta(days=1)
    )
    edit(row_of(third, "vendor_management"), people, owner="cfo", left_out_reason="")
    third = brought_into_force(third, people, at=NEXT_WEEK + timedelta(days=1))
    assert "- Row 4.3, Vendor management: added, the CFO." in change_log(third).splitlines()


# --- Waiting for the date ---------------------------------------------------------------------


def test_future_effective_date_waits(ready, people, functions):
    factories.frozen(ready, people)
    cosigned(ready, people)
    revision = factories.approved(ready, people)
    assert (revision.state, revision.in_force_from) == (State.APPROVED, None)
    assert not Ownership.objects.exists()
    told = mailed("approved")
    assert set(told) == {"Maya Lindqvist", "Daniel Osei", "Priya Raman", "Tomas Vega"}
    assert "20 Dec 2026" in told["Tomas Vega"].text
    # Look-ups of a later date already say what is expected, marked so.
    with time_machine.travel(NOW, tick=False):
        assert answer_on(functions["deal_desk"], date(2026, 12, 19)) is None
        expected = answer_on(functions["deal_desk"], date(2026, 12, 20))
    assert (expected.owner, expected.expected) == ("cro", True)


def test_sweep_brings_it_into_force_at_the_start_of_its_day(ready, people):
    factories.frozen(ready, people)
    cosigned(ready, people)
    revision = factories.approved(ready, people)
    midnight = datetime(2026, 12, 20, 5, tzinfo=UTC)  # 00:00 in New York
    with time_machine.travel(midnight - timedelta(seconds=1), tick=False):
        tasks.bring_due_into_force()
    assert fresh(revision).state == State.APPROVED
    with time_machine.travel(midnight, tick=False):
        tasks.bring_due_into_force()
        tasks.bring_due_into_force()  # twice is once
    revision = fresh(revision)
    assert (revision.state, revision.in_force_from) == (State.IN_FORCE, midnight)
    assert set(Ownership.objects.values_list("in_force_from", flat=True)) == {date(2026, 12, 20)}
    assert Event.objects.filter(event="revision.in_force").count() == 1


def test_approval_after_the_effective_date_rules_from_approval(ready, people):
    factories.frozen(ready, people)
    cosigned(ready, people)
    late = datetime(2026, 12, 23, 15, tzinfo=UTC)
    revision = factories.approved(ready, people, at=late)
    assert (revision.state, revision.in_force_from) == (State.IN_FORCE, late)
    assert set(Ownership.objects.values_list("in_force_from", flat=True)) == {date(2026, 12, 23)}


def test_sweep_goes_on_after_one_that_is_refused(people, functions, monkeypatch):
    """One document waits for ever; the next one must not.

    Approving refuses such a pair, but two approvals at the same moment do not see each other.
    """
    monkeypatch.setattr(blockers, "allocated_elsewhere", lambda *_: [])
    monkeypatch.setattr(workflow, "allocated_elsewhere", lambda *_: [])
    one = factories.draft(people, number="NC-A", functions=[functions["deal_desk"]])
    two = factories.draft(people, number="NC-B", functions=[functions["deal_desk"]])
    three = factories.draft(people, number="NC-C", functions=[functions["vendor_management"]])
    for revision in (one, two, three):
        all_agree(revision, people)
        factories.frozen(revision, people)
        cosigned(revision, people)
        assert factories.approved(revision, people).state == State.APPROVED
    with time_machine.travel(datetime(2026, 12, 20, 6, tzinfo=UTC), tick=False):
        tasks.bring_due_into_force()
    states = [fresh(revision).state for revision in (one, two, three)]
    assert states == [State.IN_FORCE, State.APPROVED, State.IN_FORCE]
    assert Ownership.objects.open().filter(function__key="deal_desk").count() == 1


def test_approval_is_refused_when_another_document_took_the_function(people, functions):
    slow = factories.draft(people, number="NC-A", functions=[functions["deal_desk"]])
    all_agree(slow, people)
    factories.frozen(slow, people)
    cosigned(slow, people)
    in_force(people, number="NC-B", functions=[functions["deal_desk"]])
    intent = factories.authenticated_intent(slow, people["ceo"], role=Role.APPROVER)
    events = Event.objects.count()
    with pytest.raises(AllocatedElsewhere, match="NC-B-1"):
        workflow.approve(
            revision=slow, intent=intent, session_key=SESSION, acting_user=people["ceo"], at=NOW
        )
    assert fresh(slow).state == State.AWAITING_APPROVAL
    assert Event.objects.count() == events


def test_freezing_is_blocked_when_another_document_is_approved_for_the_function(people, functions):
    first = factories.draft(people, number="NC-A", functions=[functions["deal_desk"]])
    second = factories.draft(people, number="NC-B", functions=[functions["deal_desk"]])
    all_agree(first, people)
    factories.frozen(first, people)
    cosigned(first, people)
    factories.approved(first, people)
    all_agree(second, people)
    with pytest.raises(NotReadyToFreeze) as refused:
        workflow.freeze(revision=second, acting_user=people["cro"], at=NOW)
    assert [one.code for one in refused.value.blockers] == ["allocated_elsewhere"]
    assert "approved in NC-A-1" in refused.value.blockers[0].detail


def test_ceo_withdraws_what_is_approved(ready, people, functions):
    factories.frozen(ready, people)
    cosigned(ready, people)
    revision = factories.approved(ready, people)
    with pytest.raises(NotYourOffice):
        workflow.withdraw(revision=revision, reason=REASON, acting_user=people["cro"], at=NOW)
    workflow.withdraw(revision=revision, reason=REASON, acting_user=people["ceo"], at=NOW)
    revision = fresh(revision)
    assert revision.state == State.WITHDRAWN
    assert {one.void_reason for one in revision.signatures.all()} == {REASON}
    with time_machine.travel(datetime(2026, 12, 21, tzinfo=UTC), tick=False):
        tasks.bring_due_into_force()
    assert fresh(revision).state == State.WITHDRAWN
    assert not Ownership.objects.exists()


# --- Expiring ---------------------------------------------------------------------------------


def test_sweep_lets_it_expire_on_its_sunset_and_it_still_answers(people, functions):
    revision = in_force(people)
    with time_machine.travel(datetime(2027, 11, 20, 4, 59, tzinfo=UTC), tick=False):
        tasks.bring_due_into_force()
    assert fresh(revision).state == State.IN_FORCE
    with time_machine.travel(datetime(2027, 11, 20, 5, tzinfo=UTC), tick=False):
        tasks.bring_due_into_force()
        assert fresh(revision).state == State.EXPIRED_UNRENEWED
        assert owners(date(2027, 12, 1))["deal_desk"] == "cro"
    assert Event.objects.latest("sequence").event == "revision.expired"


def test_look_ups_flag_what_answers_after_its_sunset(people, functions, client):
    revision = in_force(people)
    late = datetime(2027, 11, 20, 17, tzinfo=UTC)
    with time_machine.travel(late, tick=False):
        client.force_login(people["member"])
        pages = ("/?q=deal+desk", "/functions/deal_desk/")
        for page in pages:
            assert "Expired, not renewed" not in client.get(page).content.decode(), page
        workflow.expire(revision=revision, at=late)
        for page in pages:
            assert "Expired, not renewed" in client.get(page).content.decode(), page
        before = client.get("/functions/deal_desk/?on=2027-11-19").content.decode()
        assert "Expired, not renewed" not in before


def test_expired_one_may_be_superseded(people, functions):
    revision = in_force(people)
    late = NOW + timedelta(days=400)
    workflow.expire(revision=revision, at=late)
    second = amended(revision, people, at=late, owner="coo")
    assert second.state == State.IN_FORCE
    assert fresh(revision).state == State.SUPERSEDED
    assert owners(late.date())["deal_desk"] == "coo"


# --- A document whose only Revision was withdrawn ---------------------------------------------


def test_withdrawn_first_version_can_be_taken_up_again(ready, people):
    """Otherwise no company boundary could ever be opened again."""
    edit(row_of(ready), people, scope_in="Approve every discount")
    workflow.withdraw(revision=ready, reason=REASON, acting_user=people["cro"], at=NOW)
    again = workflow.amend(revision=ready, acting_user=people["coo"], at=NOW)
    assert (again.number, again.state, again.supersedes) == (2, State.DRAFT, None)
    assert row_of(again).scope_in == "Approve every discount"
    with pytest.raises(UnfinishedRevisionExists):
        workflow.amend(revision=ready, acting_user=people["cro"], at=NOW)
    second = brought_into_force(again, people, at=NEXT_WEEK)
    assert second.state == State.IN_FORCE
    assert change_log(second) == "Version 2 is the first version of this document."


def test_withdrawn_one_is_not_taken_up_beside_one_in_force(people, functions):
    first = in_force(people)
    draft = workflow.amend(revision=first, acting_user=people["cro"], at=NEXT_WEEK)
    workflow.withdraw(revision=draft, reason=REASON, acting_user=people["cro"], at=NEXT_WEEK)
    with pytest.raises(TransitionNotAllowed):
        workflow.amend(revision=draft, acting_user=people["cro"], at=NEXT_WEEK)
    assert Revision.objects.count() == 2


# --- Acknowledging ----------------------------------------------------------------------------


def acknowledge(revision, person, *, milestones=None, at=NOW):
    return plan.acknowledge(
        revision=revision,
        milestones=factories.execution_plan() if milestones is None else milestones,
        acting_user=person,
        at=at,
    )


def test_revops_lead_acknowledges_with_a_plan(people, functions):
    revision = in_force(people)
    made = acknowledge(revision, people["revops_lead"])
    assert (made.person_name, made.acknowledged_at) == ("Tomas Vega", NOW)
    assert [one.period for one in made.milestones.all()] == ["1-30", "31-60", "61-90"]
    event = Event.objects.latest("sequence")
    assert (event.event, event.office, event.data) == (
        "revision.acknowledged",
        "revops_lead",
        {"milestones": 3},
    )
    with pytest.raises(AlreadyAcknowledged):
        acknowledge(revision, people["revops_lead"])
    assert Milestone.objects.count() == 3


@pytest.mark.parametrize("who", ["cro", "coo", "cfo", "ceo", "corporate_secretary", "member"])
def test_acknowledging_is_for_the_revops_lead(people, functions, who):
    revision = in_force(people)
    events = Event.objects.count()
    with pytest.raises(NotYourOffice):
        acknowledge(revision, people[who])
    assert not Acknowledgement.objects.exists()
    assert Event.objects.count() == events


def test_plan_needs_a_milestone_for_each_period(people, functions):
    revision = in_force(people)
    with pytest.raises(InvalidText, match="Days 31-60, Days 61-90"):
        acknowledge(revision, people["revops_lead"], milestones=factories.execution_plan()[:1])
    assert not Acknowledgement.objects.exists()


@pytest.mark.parametrize("state", [State.DRAFT, State.APPROVED, State.SUPERSEDED, State.WITHDRAWN])
def test_only_what_is_in_force_is_acknowledged(people, functions, state):
    revision = factories.in_state(state, people)
    with pytest.raises(NotInForce):
        acknowledge(revision, people["revops_lead"])


# --- The frozen content -----------------------------------------------------------------------


def test_content_is_canonical_and_complete(frozen):
    raw = bytes(frozen.content)
    content = json.loads(raw)
    assert (
        raw
        == json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    )
    assert content["schema"] == "revops-boundary/1"
    assert content["organisation"] == "Northwind Cloud"
    assert content["document"] == {
        "number": "NC-RB",
        "title": "Northwind Cloud RevOps boundary",
        "company_boundary": True,
    }
    assert content["revision"] == {
        "number": 1,
        "reference": "NC-RB-1",
        "supersedes": None,
        "effective_date": "2026-12-20",
        "sunset_date": "2027-12-20",
    }
    assert [one["office"] for one in content["parties"]] == ["cro", "coo", "cfo"]
    assert content["approver"] == {
        "office": "ceo",
        "title": "Chief Executive Officer",
        "short": "CEO",
    }
    assert content["freeze"] == {
        "number": 1,
        "frozen_at": "2026-11-20T15:00:00Z",
        "frozen_by_office": "cro",
    }
    assert [one["number"] for one in content["articles"]] == list(range(1, 14))
    line = article(content, "reporting_line")["data"]
    assert (line["solid_line"], line["dotted_line"]) == ("cro", "cfo")
    assert "solid_lines" not in line
    rows = article(content, "allocations")["rows"]
    assert [row["reference"] for row in rows] == ["4.1", "4.2", "4.3", "4.4", "4.5"]


def test_frozen_text_names_offices_not_people(frozen, people):
    text = bytes(frozen.content).decode()
    assert not [person.name for person in people.values() if person.name in text]


def test_content_names_no_office_that_is_not_established(draft, people):
    Office.objects.filter(key="coo").update(
        established=False,
        part_goes_to=Office.objects.get(key="cfo"),
        not_established_reason="The company has no COO.",
    )
    all_agree(draft, people)
    content = content_of(factories.frozen(draft, people))
    assert [one["office"] for one in content["parties"]] == ["cro", "cfo"]
