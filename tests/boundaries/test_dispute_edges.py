"""Disputes and rulings where the company or another document has changed meanwhile."""

from datetime import timedelta

import pytest

from boundaries import rulings, vetoes, workflow
from boundaries.errors import NotReadyToFreeze
from boundaries.models import Dispute
from boundaries.states import State
from functions_catalog.errors import AllocatedElsewhere
from functions_catalog.models import Ownership
from functions_catalog.ownership import answer_on
from tests.boundaries import factories
from tests.boundaries.disputing import (
    RATIONALE,
    TERMS,
    filed,
    in_force_disputed,
    ruled,
)
from tests.boundaries.factories import NOW, TODAY, edit, row_of
from tests.boundaries.test_blockers import wrong
from tests.boundaries.test_disputes import refused

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
