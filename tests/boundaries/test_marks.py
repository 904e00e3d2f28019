"""Declining and returning with reasons on the rows and articles that are meant."""

import pytest
from django.db import transaction
from django.urls import reverse

from audit.models import Event
from boundaries import agreeing, vetoes, workflow
from boundaries.errors import InvalidText, ReasonMissing, RowIsSettled, TransitionNotAllowed
from boundaries.mark_lists import mark_list
from boundaries.models import Agreement, Mark, Revision, StateChange
from boundaries.queries import board
from boundaries.states import State
from notifications.models import OutgoingMail
from tests.boundaries import factories
from tests.boundaries.factories import NOW, TODAY, article_of, fresh, live_stances, row_of

pytestmark = pytest.mark.django_db
WHY = "Say who decides when both reports differ."


@pytest.fixture
def awaiting(frozen, people):
    return factories.cosigned(frozen.revision, people)


def return_(revision, people, *, marks=(), reason="", by="ceo"):
    return workflow.return_to_draft(
        revision=revision, reason=reason, marks=marks, acting_user=people[by], at=NOW
    )


def everything():
    return (
        Event.objects.count(),
        OutgoingMail.objects.count(),
        Mark.objects.count(),
        StateChange.objects.count(),
        list(Revision.objects.values_list("state", flat=True)),
        Agreement.objects.filter(withdrawn_at__isnull=True).count(),
    )


def refused(error, act, words=""):
    before = everything()
    with pytest.raises(error) as refusal, transaction.atomic():
        act()
    assert everything() == before
    assert words in str(refusal.value)


def test_a_mark_ends_the_agreements_it_means_and_leaves_all_others(awaiting, people):
    row, article = row_of(awaiting), article_of(awaiting, "cadence")
    draft = return_(awaiting, people, marks=[(row, WHY), (article, " Too rare. ")], reason="Close.")
    assert draft.state == State.DRAFT
    assert live_stances(row_of(draft)) == live_stances(article_of(draft, "cadence")) == {}
    assert len(live_stances(row_of(draft, "territory_planning"))) == 3
    ended = Agreement.objects.filter(row=row).values_list("withdrawn_because", flat=True)
    assert set(ended) == {"Returned with a reason."}
    marks = Mark.objects.order_by("pk")
    assert [(one.row, one.article, one.reason) for one in marks] == [
        (row, None, WHY),
        (None, article, "Too rare."),
    ]
    assert {(one.by_name, one.by_office, one.change.reason) for one in marks} == {
        ("Helen Marsh", "CEO", "Close.")
    }
    event = Event.objects.get(event="revision.returned")
    assert event.data["marked"] == ["Row 4.1, Deal desk", "Article 11, Cadence"]
    mail = OutgoingMail.objects.get(kind="revision-return-to-draft", person=people["coo"])
    for words in (WHY, "Too rare.", "“Close.”", "Row 4.1, Deal desk"):
        assert words in mail.text


def test_a_party_declines_with_marks_alone(awaiting, people):
    row = row_of(awaiting)
    draft = workflow.decline(
        revision=awaiting, marks=[(row, WHY)], acting_user=people["coo"], at=NOW
    )
    change = draft.changes.last()
    assert change.reason == "Marked with a reason: Row 4.1, Deal desk."
    # It names what is marked; nobody is quoted with it.
    assert change.reason_words == change.reason
    assert {one.void_reason for one in draft.signatures.all()} == {change.reason}
    assert live_stances(row_of(draft)) == {}
    mail = OutgoingMail.objects.get(kind="revision-decline", person=people["ceo"])
    assert WHY in mail.text


def test_one_of_the_two_is_needed_and_each_mark_its_reason(awaiting, people, functions):
    row = row_of(awaiting)
    refused(ReasonMissing, lambda: return_(awaiting, people))
    refused(ReasonMissing, lambda: return_(awaiting, people, marks=[(row, " ")], reason="Well."))
    refused(InvalidText, lambda: return_(awaiting, people, marks=[(row, "x" * 2001)]), "2000")
    refused(InvalidText, lambda: return_(awaiting, people, marks=[(row, WHY)] * 2), "twice")
    other = factories.draft(
        people, number="NC-2", functions=[factories.another_function("partner_programs")]
    )
    elsewhere = other.rows.get()
    refused(InvalidText, lambda: return_(awaiting, people, marks=[(elsewhere, WHY)]))
    refused(TransitionNotAllowed, lambda: return_(other, people, marks=[(elsewhere, WHY)]))


def test_a_row_that_the_ceo_settled_has_no_mark(draft, people):
    from datetime import timedelta

    later = NOW + timedelta(days=18)
    veto = vetoes.veto(row=row_of(draft), reason="No.", acting_user=people["cfo"], at=NOW)
    vetoes.order(veto=veto, rationale="So be it.", acting_user=people["ceo"], at=later)
    factories.all_agree(draft, people, at=later)
    frozen = factories.frozen(draft, people, at=later)
    awaiting = factories.cosigned(frozen.revision, people, at=later)
    refused(RowIsSettled, lambda: return_(awaiting, people, marks=[(row_of(awaiting), WHY)]))
    (locked,) = [one for one in mark_list(awaiting).every if one.locked]
    assert locked.reference == "4.1"
    assert "order after a veto" in locked.locked


def test_open_marks_stand_on_the_board_until_all_agree_again(awaiting, people):
    draft = return_(awaiting, people, marks=[(row_of(awaiting), WHY)])
    found = board(fresh(draft), people["cro"], on=TODAY)
    assert [(str(clause), mark.reason) for clause, mark in found.marks] == [
        ("Row 4.1, Deal desk", WHY)
    ]
    assert found.last_refusal.by_name == "Helen Marsh"
    row = row_of(draft)
    for office in ("cro", "coo", "cfo"):
        agreeing.agree(clause=row, expected_version=1, acting_user=people[office], at=NOW)
    assert board(fresh(draft), people["cro"], on=TODAY).marks == []
    # Frozen and returned again without it, an answered mark does not come back.
    factories.frozen(fresh(draft), people)
    again = return_(factories.cosigned(fresh(draft), people), people, reason="The dates.")
    factories.edit(row_of(again), people, scope_in="Else.")
    assert board(fresh(again), people["cro"], on=TODAY).marks == []


def test_what_was_carried_and_is_marked_is_no_longer_just_confirmed(people, functions):
    first = factories.in_force(people)
    draft = workflow.amend(revision=first, acting_user=people["cro"], at=NOW)
    factories.all_agree(draft, people)
    factories.frozen(draft, people)
    draft = return_(
        factories.cosigned(draft, people), people, marks=[(row_of(draft, "deal_desk"), WHY)]
    )
    assert not row_of(draft).carried
    assert board(fresh(draft), people["cro"], on=TODAY).carried_tokens == []


# --- The list of what may be marked -------------------------------------------------------------


def test_what_changed_comes_first_and_the_rest_behind_a_fold(people, functions):
    first = factories.in_force(people)
    draft = workflow.amend(revision=first, acting_user=people["cro"], at=NOW)
    factories.edit(row_of(draft), people, owner="coo")
    factories.all_agree(draft, people)
    factories.frozen(fresh(draft), people)
    found = mark_list(fresh(draft))
    assert found.since == "v1"
    assert [one.reference for one in found.changed] == ["4.1"]
    assert len(found.others) == 4 + 12
    assert found.counted == "1 of 5 rows changed since v1"


def test_a_first_version_lists_all_without_a_comparison(awaiting):
    found = mark_list(awaiting)
    assert (found.since, found.changed) == ("", [])
    assert len(found.others) == 5 + 12


# --- Pages --------------------------------------------------------------------------------------


def page(name, revision):
    return reverse(f"boundaries:{name}", args=[revision.document.number, revision.number])


def test_the_ceo_returns_with_a_marked_row(client, awaiting, people):
    client.force_login(people["ceo"])
    url = page("return", awaiting)
    assert b'name="mark-row-1"' in client.get(url).content
    shown = client.post(url, {"mark-row-1": "on", "why-row-1": "", "reason": "Kept words."})
    assert shown.status_code == 422
    assert "say why, or clear the mark" in shown.content.decode()
    assert "Kept words." in shown.content.decode()
    assert fresh(awaiting).state == State.AWAITING_APPROVAL
    empty = client.post(url, {"why-row-1": "Written, but not ticked."})
    assert empty.status_code == 422
    done = client.post(
        url, {"mark-row-1": "on", "why-row-1": WHY, "why-row-2": "Not ticked.", "reason": ""}
    )
    assert done.status_code == 302
    assert [one.reason for one in Mark.objects.all()] == [WHY]
    draft = client.get(done["Location"]).content.decode()
    assert "Helen Marsh, CEO, returned v1" in draft
    assert WHY in draft


def test_a_party_declines_with_a_mark(client, awaiting, people):
    client.force_login(people["coo"])
    url = page("decline", awaiting)
    assert client.get(url).status_code == 200
    client.post(url, {"mark-article-11": "on", "why-article-11": WHY})
    assert [(one.article.key, one.by_office) for one in Mark.objects.all()] == [("cadence", "COO")]


def test_the_page_of_the_approval_shows_what_changed_reservations_and_vetoes(client, draft, people):
    veto = vetoes.veto(row=row_of(draft), reason="Not yet.", acting_user=people["cfo"], at=NOW)
    vetoes.lift(veto=veto, word="Settled.", acting_user=people["cfo"], at=NOW)
    factories.all_agree(draft, people)
    frozen = factories.frozen(draft, people)
    factories.cosigned(frozen.revision, people)
    client.force_login(people["ceo"])
    shown = client.get(page("approve", draft)).content.decode()
    for words in ("Vetoes on the way to v1", "Not yet.", "Settled.", "Without reservation"):
        assert words in shown
    assert "ruling lifts" not in shown
    assert 'data-marks-button="Return v1"' in shown
