"""Legal holds: placed and lifted once, each with a reason, and never edited."""

import pytest

from audit.models import Event, PersonalText
from boundaries.archive import due, holds
from boundaries.archive.errors import NothingToDo
from boundaries.errors import ReasonMissing
from boundaries.models import LegalHold
from people.errors import NotYourOffice
from tests.audit.test_protection import refused
from tests.boundaries.factories import NOW

MATTER, REASON = "Case 26-114", "A claim about the split may come."


def placed(people, document=None, *, by="corporate_secretary", matter=MATTER, reason=REASON):
    return holds.place(
        document=document, matter=matter, reason=reason, acting_user=people[by], at=NOW
    )


def test_hold_is_told_in_the_log_its_words_beside_it(people, draft):
    hold = placed(people, draft.document)
    event = Event.objects.order_by("sequence").last()
    assert (event.event, event.object_id, event.data) == (
        "hold.placed",
        str(hold.pk),
        {"document": "NC-RB"},
    )
    assert PersonalText.objects.get(sequence=event.sequence).text == f"{MATTER}\n\n{REASON}"
    holds.lift(hold=hold, reason="Settled.", acting_user=people["ceo"], at=NOW)
    event = Event.objects.order_by("sequence").last()
    assert (event.event, event.actor_name) == ("hold.lifted", "Helen Marsh")
    assert PersonalText.objects.get(sequence=event.sequence).text == "Settled."


def test_holds_on_a_document_and_on_everything_both_stand(people, draft):
    on_all, on_it = placed(people), placed(people, draft.document, by="ceo")
    assert set(holds.on_document(draft.document_id)) == {on_all, on_it}
    assert set(holds.on_document(draft.document_id + 1)) == {on_all}
    holds.lift(hold=on_all, reason="Over.", acting_user=people["ceo"], at=NOW)
    assert set(holds.on_document(draft.document_id)) == {on_it}
    assert holds.named([on_it]) == f"Legal hold {on_it.pk} on NC-RB"
    assert holds.named([on_it, on_all]) == f"Legal holds {on_it.pk} and {on_all.pk}"


@pytest.mark.parametrize(("matter", "reason"), [("", REASON), (MATTER, " \n")])
def test_hold_without_matter_or_reason_is_refused(people, matter, reason):
    with pytest.raises(ReasonMissing):
        placed(people, matter=matter, reason=reason)
    assert not LegalHold.objects.exists()
    assert not Event.objects.exists()


@pytest.mark.parametrize("office", ["cro", "revops_lead", "auditor", "administrator", "member"])
def test_others_place_and_lift_no_hold(people, office):
    with pytest.raises(NotYourOffice):
        placed(people, by=office)
    hold = placed(people)
    events = Event.objects.count()
    with pytest.raises(NotYourOffice):
        holds.lift(hold=hold, reason="Over.", acting_user=people[office], at=NOW)
    hold.refresh_from_db()
    assert hold.lifted_at is None
    assert Event.objects.count() == events


def test_hold_is_lifted_once_and_with_a_reason(people):
    hold = placed(people)
    with pytest.raises(ReasonMissing):
        holds.lift(hold=hold, reason="", acting_user=people["ceo"], at=NOW)
    holds.lift(hold=hold, reason="Over.", acting_user=people["ceo"], at=NOW)
    with pytest.raises(NothingToDo, match="lifted already, by Helen Marsh"):
        holds.lift(hold=hold, reason="Over.", acting_user=people["ceo"], at=NOW)


def test_database_edits_no_hold(people, draft):
    hold = placed(people, draft.document)
    for statement in (
        "DELETE FROM boundaries_legalhold",
        "UPDATE boundaries_legalhold SET reason = 'x'",
        "UPDATE boundaries_legalhold SET matter = 'x'",
        "UPDATE boundaries_legalhold SET document_id = NULL",
        # Lifted without a reason, or by nobody.
        "UPDATE boundaries_legalhold SET lifted_at = '2026-11-30'",
    ):
        assert refused(statement), statement
    holds.lift(hold=hold, reason="Over.", acting_user=people["ceo"], at=NOW)
    for statement in (
        "UPDATE boundaries_legalhold SET lifted_at = NULL",
        "UPDATE boundaries_legalhold SET lift_reason = 'x'",
    ):
        assert refused(statement), statement


def test_what_is_held_is_told_of_as_due_only_once_it_is_free(people, draft):
    placed(people)
    assert due.remind(at=NOW) == 0
