"""Disputes and rulings where the company or another document has changed meanwhile."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from audit.models import Event
from boundaries import (
    dispute_mails,
    dispute_outlook,
    dispute_page,
    disputes,
    exceptions,
    reminders,
    rulings,
    tasks,
    vetoes,
    workflow,
)
from boundaries.dispute_errors import DisputeEnded
from boundaries.errors import NotReadyToFreeze
from boundaries.models import Dispute
from boundaries.states import State
from functions_catalog.errors import AllocatedElsewhere
from functions_catalog.models import Function, Ownership
from functions_catalog.ownership import answer_on
from notifications.models import Notice, OutgoingMail
from people.models import Office
from tests.boundaries import factories
from tests.boundaries.disputing import (
    RATIONALE,
    TERMS,
    escalated,
    filed,
    fresh,
    in_force_disputed,
    ruled,
)
from tests.boundaries.factories import NOW, TODAY, edit, row_of
from tests.boundaries.test_blockers import wrong
from tests.boundaries.test_disputes import refused
from tests.boundaries.test_parties import abolish
from tests.people.factories import PersonFactory

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def left_out_and_frozen(in_force, people):
    """The next version of what is in force leaves deal desk out; all agree, it is frozen."""
    draft = workflow.amend(revision=in_force, acting_user=people["cro"], at=NOW)
    edit(row_of(draft), people, owner="", left_out_reason="It gets a document of its own.")
    draft = factories.effective(draft, people, TODAY)
    factories.all_agree(draft, people)
    return factories.frozen(draft, people)


def in_force_without_it(in_force, people):
    draft = factories.fresh(in_force.document.revisions.order_by("-number").first())
    factories.cosigned(draft, people)
    factories.approved(draft, people)
    return factories.fresh(draft)


# --- A function of another document -----------------------------------------------------------


def test_an_interim_decision_beside_another_text_keeps_its_function(people, functions):
    in_force = factories.in_state(State.IN_FORCE, people)
    left_out_and_frozen(in_force, people)
    ruling = ruled(in_force_disputed(in_force, people), people)
    second = in_force_without_it(in_force, people)
    assert Ownership.objects.open().get(function__key="deal_desk").decision

    other = factories.draft(people, number="NC-DD", functions=[functions["deal_desk"]])
    assert wrong(other) == [("allocated_elsewhere", row_of(other).anchor)]
    factories.all_agree(other, people)
    other = factories.effective(other, people, TODAY)
    factories.all_agree(other, people)
    with pytest.raises(NotReadyToFreeze) as caught:
        workflow.freeze(revision=other, acting_user=people["cro"], at=NOW)
    (blocking,) = caught.value.blockers
    assert f"dispute {ruling.dispute_id} allocates it beside {second.reference}" in blocking.detail
    assert "Leave it out here" in blocking.detail


def test_what_another_document_has_by_its_text_is_said_once(people, functions):
    factories.in_force(people, number="NC-DD", functions=[functions["deal_desk"]])
    assert [code for code, _ in wrong(factories.draft(people))] == ["allocated_elsewhere"]


@pytest.mark.parametrize("effective", [TODAY, TODAY + 10 * DAY])
def test_no_ruling_takes_a_function_from_another_document(people, functions, effective):
    """In force there, or approved for a day to come: that document could never come in force."""
    in_force = factories.in_state(State.IN_FORCE, people)
    left_out_and_frozen(in_force, people)
    dispute = in_force_disputed(in_force, people)
    in_force_without_it(in_force, people)
    other = factories.draft(people, number="NC-DD", functions=[functions["deal_desk"]])
    other = factories.effective(other, people, effective)
    factories.all_agree(other, people)
    factories.frozen(other, people)
    factories.cosigned(other, people)
    factories.approved(other, people)
    dispute = filed(dispute, people)

    said = refused(
        AllocatedElsewhere,
        lambda: rulings.rule(
            dispute=dispute, terms=TERMS, rationale=RATIONALE, acting_user=people["ceo"], at=NOW
        ),
    )
    assert "NC-DD-1" in said
    assert "Have the parties withdraw the dispute and open it on that document" in said
    assert Dispute.objects.get(pk=dispute.pk).is_open
    if effective > TODAY:
        later = NOW + 10 * DAY
        workflow.bring_into_force(revision=factories.fresh(other), at=later)
    answer = answer_on(functions["deal_desk"], TODAY)
    assert effective > TODAY or answer.revision_reference == "NC-DD-1"


# --- Who is CEO at that instant ---------------------------------------------------------------


def test_no_change_of_ceo_comes_between_an_order_and_its_permission(draft, people, monkeypatch):
    row = row_of(draft, "billing_and_collections")
    veto = vetoes.veto(row=row, reason="ASC 606.", acting_user=people["cfo"], at=NOW)
    called = []
    monkeypatch.setattr(vetoes, "offices_stay", lambda keys: called.append(list(keys)))
    asked = vetoes.require
    monkeypatch.setattr(
        vetoes, "require", lambda *a, **k: called.append("require") or asked(*a, **k)
    )
    vetoes.order(
        veto=veto, rationale="We sign on Friday.", acting_user=people["ceo"], at=NOW + 30 * DAY
    )
    assert called == [["ceo"], "require"]


# --- An Office that is gone, and one that came ------------------------------------------------


def test_a_dispute_is_withdrawn_without_an_office_that_is_gone(draft, people):
    dispute = escalated(draft, people)
    abolish("coo", to="cfo")
    disputes.settle(dispute=dispute, acting_user=people["cro"], at=NOW)
    assert fresh(dispute).is_open
    disputes.settle(dispute=dispute, acting_user=people["cfo"], at=NOW)
    assert fresh(dispute).outcome == Dispute.Outcome.WITHDRAWN


def test_a_word_said_again_ends_it_where_the_missing_office_went_last(draft, people):
    dispute = escalated(draft, people)
    for who in ("cro", "cfo", "cro"):
        disputes.settle(dispute=dispute, acting_user=people[who], at=NOW)
    assert fresh(dispute).is_open
    abolish("coo", to="cfo")
    with time_machine.travel(NOW, tick=False):
        page = dispute_page.page_of(fresh(dispute), people["cro"], at=NOW, country="US")
    assert page.may_settle
    disputes.settle(dispute=dispute, acting_user=people["cro"], at=NOW)
    assert fresh(dispute).outcome == Dispute.Outcome.WITHDRAWN


def test_pages_open_without_an_office_that_is_gone(draft, people):
    dispute = escalated(draft, people)
    abolish("coo", to="cfo")
    filed(dispute, people, "cro", "cfo")
    assert fresh(dispute).pages_opened_at == NOW


def test_an_office_that_became_a_party_later_is_told_why_it_files_nothing(draft, people, client):
    dispute = escalated(draft, people)
    Office.objects.create(
        key="cmo", title="Chief Marketing Officer", short="CMO", co_signing=True, position=9
    )
    marketing = PersonFactory(name="Ada Boyle")
    factories.appointed(marketing, "cmo")
    client.force_login(marketing)
    said = "The CMO files no page here"
    with time_machine.travel(NOW, tick=False):
        assert said not in client.get(dispute.get_absolute_url()).content.decode()
        edit(row_of(draft, "vendor_management"), people, owner="cmo")
        assert said in client.get(dispute.get_absolute_url()).content.decode()
    client.force_login(people["cro"])
    with time_machine.travel(NOW, tick=False):
        assert said not in client.get(dispute.get_absolute_url()).content.decode()


# --- What is said -----------------------------------------------------------------------------


def test_an_office_that_is_named_again_is_told_again(draft, people):
    Function.objects.filter(key="deal_desk").update(natural_owner="hybrid")
    dispute = escalated(draft, people)
    for hour, office in enumerate(("coo", "cfo", "coo")):
        disputes.name_interim_decider(
            dispute=dispute,
            office=office,
            acting_user=people["ceo"],
            at=NOW + timedelta(hours=hour),
        )
    told = Notice.objects.filter(person=people["cro"], key__contains="-decider-")
    assert told.count() == 3


@pytest.mark.parametrize(
    ("ended", "then"), [("ruled", "dispute the row anew"), ("withdrawn", "escalate the row anew")]
)
def test_whoever_comes_too_late_is_told_what_to_do(draft, people, ended, then):
    dispute = escalated(draft, people)
    if ended == "ruled":
        ruled(dispute, people)
    else:
        for who in ("cro", "coo", "cfo"):
            disputes.settle(dispute=dispute, acting_user=people[who], at=NOW)
    said = refused(
        DisputeEnded, lambda: disputes.settle(dispute=dispute, acting_user=people["cro"], at=NOW)
    )
    assert then in said


# --- One that fails keeps no other waiting ----------------------------------------------------

# Tuesday 24 November 2026, 9:00 in New York, the day on which the pages are due.
MORNING = datetime(2026, 11, 24, 14, tzinfo=UTC)


def fails_for(call, unlucky, monkeypatch, module, name):
    def wrapped(one, *args, **kwargs):
        if one.pk == unlucky.pk:
            raise RuntimeError("broken")
        return call(one, *args, **kwargs)

    monkeypatch.setattr(module, name, wrapped)


def test_a_dispute_that_fails_keeps_no_other_from_its_reminders(draft, people, monkeypatch, caplog):
    first = escalated(draft, people)
    second = escalated(draft, people, key="vendor_management")
    for unlucky, other in ((first, second), (second, first)):
        OutgoingMail.objects.filter(kind="dispute-page-reminder").delete()
        with monkeypatch.context() as patch:
            real = dispute_mails._remind_of_page
            fails_for(real, unlucky, patch, dispute_mails, "_remind_of_page")
            dispute_mails.remind(at=MORNING)
        found = OutgoingMail.objects.filter(kind="dispute-page-reminder")
        assert found.count() == 3
        assert all(f":{other.pk}:" in one.key for one in found)
        assert f"{unlucky}: its reminders failed" in caplog.text


def test_a_draft_that_fails_keeps_no_other_from_its_reminders(
    draft, people, functions, monkeypatch, caplog
):
    other = factories.draft(people, number="NC-DD", functions=[functions["deal_desk"]])
    fails_for(reminders._remind_of_draft, draft, monkeypatch, reminders, "_remind_of_draft")
    reminders.remind_waiting(at=MORNING)
    found = OutgoingMail.objects.filter(kind="draft-reminder")
    assert found.exists()
    assert all(other.reference in one.key for one in found)
    assert f"{draft}: its reminders failed" in caplog.text


def test_a_veto_that_fails_keeps_no_other_from_the_ceo(draft, people, monkeypatch, caplog):
    broken, fine = (
        vetoes.veto(row=row_of(draft, key), reason="ASC 606.", acting_user=people["cfo"], at=NOW)
        for key in ("deal_desk", "billing_and_collections")
    )
    fails_for(vetoes._ask_ceo, broken, monkeypatch, vetoes, "_ask_ceo")
    assert vetoes.tell_ceo_of_possible_orders(at=MORNING + 21 * DAY) == 1
    (mail,) = OutgoingMail.objects.filter(kind="order-possible")
    assert f":{fine.pk}:" in mail.key
    assert "was not told" in caplog.text


def test_a_task_runs_every_sweep_and_then_fails(monkeypatch):
    ran = []

    def broken(*, at):
        ran.append("broken")
        raise RuntimeError("broken")

    monkeypatch.setattr(reminders, "remind_waiting", broken)
    monkeypatch.setattr(vetoes, "tell_ceo_of_possible_orders", lambda *, at: ran.append("fine"))
    with pytest.raises(RuntimeError, match="broken"):
        tasks.remind_waiting()
    assert ran == ["broken", "fine"]


def test_an_exception_that_fails_keeps_no_other_waiting(people, functions, monkeypatch, caplog):
    in_force = factories.in_force(people)
    broken, fine = (
        exceptions.request(
            row=row_of(in_force, key),
            what="The field sells to one bank.",
            reason="It is the year's end.",
            expires_on=TODAY + 20 * DAY,
            acting_user=people["revops_lead"],
            at=NOW,
        )
        for key in ("deal_desk", "vendor_management")
    )
    OutgoingMail.objects.filter(kind="exception-asked").delete()
    fails_for(exceptions._look_after, broken, monkeypatch, exceptions, "_look_after")
    exceptions.look_after(at=MORNING)
    (mail,) = OutgoingMail.objects.filter(kind="exception-asked")
    assert f":{fine.pk}:" in mail.key
    assert f"{broken} was not looked after" in caplog.text


# --- Who decides until the ruling, as the company changes ---------------------------------------


def test_the_heir_of_an_owner_that_is_gone_decides(people, functions):
    in_force = factories.in_force(people)
    abolish("coo", to="cfo")
    dispute = in_force_disputed(in_force, people, key="vendor_management", by="cro")
    assert (dispute.interim_decider, dispute.interim_because) == ("cfo", "in_force")


def test_the_owner_of_a_version_that_comes_in_force_meanwhile_decides(people, functions):
    in_force = factories.in_force(people)
    draft = workflow.amend(revision=in_force, acting_user=people["cro"], at=NOW)
    edit(row_of(draft), people, owner="cfo")
    draft = factories.effective(draft, people, TODAY)
    factories.all_agree(draft, people)
    factories.frozen(draft, people)
    moved = in_force_disputed(in_force, people)
    stays = in_force_disputed(in_force, people, key="vendor_management")
    factories.cosigned(factories.fresh(draft), people)
    factories.approved(factories.fresh(draft), people)

    assert (fresh(moved).interim_decider, fresh(moved).interim_because) == ("cfo", "in_force")
    assert fresh(stays).interim_decider == "coo"
    changed = Event.objects.filter(event="dispute.interim_decider_changed")
    assert [one.object_id for one in changed] == [str(moved.pk)]
    told = Notice.objects.filter(key__startswith=f"dispute-{moved.pk}-decider-")
    assert people["coo"] in {one.person for one in told}


# --- Nobody is mailed twice for one thing -------------------------------------------------------


def test_whoever_comes_on_the_last_day_gets_one_mail_about_the_page(draft, people):
    escalated(draft, people)
    robin = PersonFactory(name="Robin Hale")
    factories.handed_over(robin, "cfo", on=date(2026, 11, 24))
    for hours in range(3):
        dispute_mails.remind(at=MORNING + timedelta(hours=hours))
    assert [one.kind for one in OutgoingMail.objects.filter(person=robin)] == ["dispute-page-asked"]
    reminded = OutgoingMail.objects.filter(kind="dispute-page-reminder")
    assert {one.person for one in reminded} == {people["cro"], people["coo"]}


def test_a_new_ceo_gets_one_mail_a_day_about_the_ruling(draft, people):
    filed(escalated(draft, people), people)  # due on Monday, 30 November
    robin = PersonFactory(name="Robin Hale")
    factories.handed_over(robin, "ceo", on=date(2026, 11, 30))
    day = datetime(2026, 11, 30, 15, tzinfo=UTC)
    for hours in range(3):
        dispute_mails.remind(at=day + timedelta(hours=hours))
    mine = OutgoingMail.objects.filter(person=robin).order_by("pk")
    assert [one.kind for one in mine] == ["dispute-ruling-asked"]
    dispute_mails.remind(at=day + DAY)
    assert [one.kind for one in mine.all()] == ["dispute-ruling-asked", "dispute-ruling-reminder"]


# --- A draft that was withdrawn -----------------------------------------------------------------


def test_the_dispute_of_a_withdrawn_draft_leaves_no_trace_on_any_date(draft, people):
    escalated(draft, people)

    def standing(day):
        return dispute_outlook.standings(["deal_desk"], people["ceo"], day)

    assert standing(TODAY)
    workflow.withdraw(revision=draft, reason="Later.", acting_user=people["ceo"], at=NOW + DAY)
    assert standing(TODAY) == standing(TODAY + DAY) == {}
