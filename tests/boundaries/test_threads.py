"""Threads: words, mentions, proposed changes and their answers, who hears of it."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Event
from boundaries import agreeing, drafting, threads, vetoes
from boundaries.conversation import conversation
from boundaries.errors import (
    ChangedMeanwhile,
    InvalidText,
    NotADraft,
    ReasonMissing,
    RowIsSettled,
)
from boundaries.looking import look
from boundaries.mentions import mentions_in, words_of
from boundaries.models import EarlierText, Proposal, Row, ThreadEntry, Veto
from boundaries.states import Stance
from notifications.models import Notice, OutgoingMail
from people.errors import NotYourOffice
from people.models import Appointment
from tests.boundaries import factories
from tests.boundaries.factories import NOW, TODAY

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(minutes=5)
PARTIES = ("cro", "coo", "cfo")


@pytest.fixture
def row(draft):
    return factories.row_of(draft)


@pytest.fixture
def purpose(draft):
    return factories.article_of(draft, "purpose")


@pytest.fixture(autouse=True)
def _only_news_of_the_test(draft):
    Notice.objects.all().delete()


def say(clause, person, text="Who answers after two days?", at=NOW):
    return threads.comment(clause=clause, text=text, acting_user=person, at=at)


def propose(row, person, *, at=NOW, word="", version=None, **changes):
    changes = changes or {"scope_in": "Answers within two business days."}
    return threads.propose(
        clause=row,
        text=replace(drafting.row_text(row), **changes),
        base_version=row.version if version is None else version,
        word=word,
        acting_user=person,
        at=at,
    )


def accept(proposal, person, at=LATER):
    return threads.accept(proposal=proposal, acting_user=person, at=at)


def decline(proposal, person, word="It takes three.", at=LATER):
    return threads.decline(proposal=proposal, word=word, acting_user=person, at=at)


def refused(error, act, match=None):
    before = (Event.objects.count(), Notice.objects.count(), ThreadEntry.objects.count())
    with pytest.raises(error, match=match) as refusal:
        act()
    assert before == (Event.objects.count(), Notice.objects.count(), ThreadEntry.objects.count())
    return refusal.value


def told(kind):
    """Whom notices of a kind went to, by Office."""
    people = Notice.objects.filter(kind=kind).values_list("person_id", flat=True)
    held = Appointment.objects.filter(person__in=people).values_list("office__key", flat=True)
    return sorted(held)


def last_event():
    return Event.objects.order_by("-sequence").first()


# --- Comments ---------------------------------------------------------------------------------


def test_a_comment_is_kept_recorded_and_told(row, people):
    before = row.activity
    entry = say(row, people["coo"], " Who answers?\r\nAnd when? ")

    assert (entry.kind, entry.text) == ("comment", "Who answers?\nAnd when?")
    assert (entry.person_name, entry.person_office, entry.office) == ("Daniel Osei", "COO", "coo")
    event = last_event()
    assert (event.event, event.data["entry"]) == ("row.commented", entry.pk)
    row.refresh_from_db()
    assert row.activity > before
    assert row.version == 1
    assert told("comment") == ["cfo", "cro", "revops_lead"]
    notice = Notice.objects.filter(kind="comment").first()
    assert notice.title == f"Daniel Osei, COO, commented on {row}"
    assert notice.path == "/boundaries/NC-RB/1/rows/1/thread/"
    assert not OutgoingMail.objects.filter(kind="comment").exists()  # hourly, together


@pytest.mark.parametrize("office", [*PARTIES, "ceo", "revops_lead", "corporate_secretary"])
def test_whoever_takes_part_comments(purpose, people, office):
    assert say(purpose, people[office]).office == office


@pytest.mark.parametrize("office", ["auditor", "administrator", "member"])
def test_others_do_not(row, people, office):
    refused(NotYourOffice, lambda: say(row, people[office]))


def test_a_comment_says_something_of_ordinary_length(row, people):
    refused(InvalidText, lambda: say(row, people["cro"], " \n "), "Write your comment first")
    refused(InvalidText, lambda: say(row, people["cro"], "x" * 4001), "has 4001 characters; 4000")
    assert len(say(row, people["cro"], "x" * 4000).text) == 4000


def test_frozen_text_has_a_thread_to_read_only(frozen, people):
    row = factories.row_of(frozen.revision)
    error = refused(NotADraft, lambda: say(row, people["cro"]))
    assert "no longer a draft" in str(error)
    seen = conversation(row, people["cro"], on=TODAY)
    assert "can be read, not written" in seen.closed_because
    assert not (seen.may_comment or seen.may_propose)


def test_a_removed_row_has_a_closed_thread(row, people):
    Row.every.filter(pk=row.pk).update(removed_at=NOW)
    refused(InvalidText, lambda: say(row, people["cro"]), "was removed from this draft")


def test_whoever_wrote_hears_the_answer(row, people):
    say(row, people["corporate_secretary"])
    Notice.objects.all().delete()
    say(row, people["coo"], "I do.", at=LATER)
    assert told("comment") == ["cfo", "corporate_secretary", "cro", "revops_lead"]


def test_the_ceo_is_told_only_where_mentioned(row, people):
    say(row, people["ceo"])
    say(row, people["coo"], "As the CEO wrote.", at=LATER)
    assert "ceo" not in told("comment")
    say(row, people["coo"], "What does the @CEO say?", at=LATER)
    assert told("mention") == ["ceo"]


# --- Mentions ---------------------------------------------------------------------------------

NAMES = {"CRO": "cro", "CFO": "cfo", "RevOps Lead": "revops_lead", "RevOps": "other"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@CRO and @cfo, please", ["cro", "cfo"]),
        ("Ask the @RevOps Lead.", ["revops_lead"]),
        ("@CRO @CRO", ["cro"]),
        ("maya@CRO.example is an address", []),
        ("@CROs are many, @@CRO too", []),
        ("(@CFO)", ["cfo"]),
        ("nobody", []),
    ],
)
def test_mentions_are_found(text, found):
    assert mentions_in(text, NAMES) == found
    assert "".join(run.text for run in words_of(text, NAMES)) == text


def test_a_mention_is_told_as_such_and_once(row, people):
    entry = say(row, people["coo"], "@CFO and @COO, what of the accrual?")

    assert entry.mentions == ["cfo", "coo"]
    assert told("mention") == ["cfo"]  # never whoever wrote it
    assert told("comment") == ["cro", "revops_lead"]
    assert "mentioned you" in Notice.objects.get(kind="mention").title


# --- Proposed changes -------------------------------------------------------------------------


def test_a_proposal_changes_nothing_yet(row, people):
    factories.all_agree(row.revision, people)
    proposal = propose(row, people["revops_lead"], word="So that sellers know.")

    row.refresh_from_db()
    assert row.version == 1
    assert len(factories.live_stances(row)) == 3
    assert (proposal.base_version, proposal.answer) == (1, "")
    assert proposal.text["scope_in"] == "Answers within two business days."
    assert last_event().event == "row.change_proposed"
    assert told("proposal") == ["cfo", "coo", "cro"]


@pytest.mark.parametrize("office", [*PARTIES, "revops_lead", "corporate_secretary"])
def test_who_proposes(row, people, office):
    assert propose(row, people[office]).entry.office == office


@pytest.mark.parametrize("office", ["ceo", "auditor", "administrator", "member"])
def test_who_does_not_propose(row, people, office):
    refused(NotYourOffice, lambda: propose(row, people[office]))


def test_a_proposal_is_against_the_text_that_stands(row, people):
    factories.edit(row, people, scope_in="Another.")
    refused(ChangedMeanwhile, lambda: propose(row, people["coo"], version=1))


def test_a_proposal_to_an_article_is_put_in_order_and_changes_something(draft, people):
    article = factories.article_of(draft, "interfaces")
    given = {"clause": article, "base_version": 1, "acting_user": people["cro"], "at": NOW}
    data = article.data
    # The same in another writing: entries with an empty one behind them, spaces at the ends.
    loosely = {
        "handoffs": [*({**one, "giver": f" {one['giver']} "} for one in data["handoffs"]), {}]
    }
    with pytest.raises(InvalidText, match="This is the text as it stands"):
        threads.propose(text=drafting.ArticleText(text=article.text, data=loosely), **given)
    loosely["handoffs"][0]["service_level"] = "soon"
    with pytest.raises(InvalidText, match="Give a number and a unit"):
        threads.propose(text=drafting.ArticleText(text=article.text, data=loosely), **given)
    loosely["handoffs"][0]["service_level"] = "3 business days"
    proposal = threads.propose(text=drafting.ArticleText(text=article.text, data=loosely), **given)
    assert [one["key"] for one in proposal.text["data"]["handoffs"]] == [
        one["key"] for one in data["handoffs"]
    ]


def test_a_proposal_changes_something(row, people):
    text = drafting.row_text(row).scope_in
    refused(InvalidText, lambda: propose(row, people["coo"], scope_in=text), "text as it stands")


def test_a_settled_row_takes_comments_only(row, people):
    held = Appointment.objects.get(person=people["cfo"])
    veto = Veto.objects.create(
        revision=row.revision,
        row=row,
        reason="An accrued liability.",
        person=people["cfo"],
        person_name="Priya Raman",
        person_office="CFO",
        appointment=held,
        given_at=NOW,
        order_from=TODAY,
        ordered_at=NOW,
        ordered_by=people["ceo"],
        ordered_by_name="Helen Marsh",
        ordered_by_office="CEO",
        order_rationale="As it is in force.",
    )
    Row.objects.filter(pk=row.pk).update(order=veto)
    row.refresh_from_db()

    refused(RowIsSettled, lambda: propose(row, people["coo"]))
    assert say(row, people["coo"]).pk
    seen = conversation(row, people["coo"], on=TODAY)
    assert seen.may_comment
    assert not seen.may_propose
    assert "locked to the CEO's order" in seen.no_proposals_because


def test_article_1_is_edited_by_its_form(draft, people):
    control = factories.article_of(draft, "control")
    text = drafting.ArticleText(text="Other", data=control.data)
    refused(
        InvalidText,
        lambda: threads.propose(
            clause=control, text=text, base_version=1, acting_user=people["coo"], at=NOW
        ),
        "Say in a comment",
    )


# --- Accepting --------------------------------------------------------------------------------


def test_accepting_edits_the_row_and_both_agree(row, people):
    factories.all_agree(row.revision, people)
    proposal = propose(row, people["coo"])
    Notice.objects.all().delete()

    accept(proposal, people["cfo"])

    row.refresh_from_db()
    assert (row.scope_in, row.version) == ("Answers within two business days.", 2)
    assert (row.changed_by_name, row.changed_by_office) == ("Priya Raman", "CFO")
    assert factories.live_stances(row) == {"cfo": Stance.AGREED, "coo": Stance.AGREED}
    assert EarlierText.objects.get(row=row).version == 1
    proposal.refresh_from_db()
    assert (proposal.answer, proposal.answered_by, proposal.answered_at) == (
        "accepted",
        people["cfo"],
        LATER,
    )
    event = last_event()
    assert event.event == "row.proposal_accepted"
    assert event.data["agreed_by_editor"] == ["cfo"]
    assert event.data["agreed_by_proposer"] == ["coo"]
    assert event.data["agreements_withdrawn"] == 3
    assert told("proposal-accepted") == ["coo", "cro", "revops_lead"]


def test_accepting_what_the_cfo_proposed_before_a_veto_is_no_agreement_of_the_cfo(row, people):
    proposal = propose(row, people["cfo"])
    veto = vetoes.veto(row=row, reason="Not yet.", acting_user=people["cfo"], at=NOW)

    said = conversation(row, people["coo"], on=TODAY).items
    accept(proposal, people["coo"])
    vetoes.lift(veto=veto, acting_user=people["cfo"], at=LATER)

    row.refresh_from_db()
    assert factories.live_stances(row) == {"coo": Stance.AGREED}
    assert [one.agrees_too for one in said if not one.is_event] == [""]


def test_accepting_edits_an_article_too(purpose, people):
    text = drafting.ArticleText(text="Another purpose.", data=purpose.data)
    proposal = threads.propose(
        clause=purpose, text=text, base_version=1, acting_user=people["cro"], at=NOW
    )
    accept(proposal, people["coo"])
    purpose.refresh_from_db()
    assert (purpose.text, purpose.version) == ("Another purpose.", 2)
    assert factories.live_stances(purpose) == {"coo": Stance.AGREED, "cro": Stance.AGREED}


def test_a_proposer_without_a_vote_agrees_to_nothing(row, people):
    accept(propose(row, people["revops_lead"]), people["coo"])
    row.refresh_from_db()
    assert factories.live_stances(row) == {"coo": Stance.AGREED}


def test_a_proposer_who_left_the_office_agrees_to_nothing(row, people):
    proposal = propose(row, people["coo"])
    factories.handed_over(people["member"], "coo")
    accept(proposal, people["cro"])
    row.refresh_from_db()
    assert factories.live_stances(row) == {"cro": Stance.AGREED}


def test_nobody_accepts_or_declines_their_own(row, people):
    proposal = propose(row, people["coo"])
    refused(NotYourOffice, lambda: accept(proposal, people["coo"]), "takes it back")
    refused(NotYourOffice, lambda: decline(proposal, people["coo"]), "takes it back")
    # Nor in another account of the same human being.
    other = people["corporate_secretary"]
    other.same_person_as = people["coo"]
    other.save()
    refused(NotYourOffice, lambda: accept(proposal, other), "takes it back")
    row.refresh_from_db()
    assert row.version == 1


@pytest.mark.parametrize("office", ["ceo", "revops_lead", "auditor", "member"])
def test_only_who_may_edit_answers(row, people, office):
    proposal = propose(row, people["coo"])
    refused(NotYourOffice, lambda: accept(proposal, people[office]))
    refused(NotYourOffice, lambda: decline(proposal, people[office]))


def test_a_changed_text_is_not_overwritten(row, people):
    proposal = propose(row, people["coo"])
    factories.edit(row, people, by="cfo", scope_in="What the CFO wrote meanwhile.")

    error = refused(threads.ProposalOutdated, lambda: accept(proposal, people["cro"]))

    assert error.clause.scope_in == "What the CFO wrote meanwhile."
    assert "Nothing was changed" in str(error)
    row.refresh_from_db()
    assert (row.scope_in, row.version) == ("What the CFO wrote meanwhile.", 2)
    assert Proposal.objects.get().answer == ""


def test_a_proposal_is_answered_once(row, people):
    proposal = propose(row, people["coo"])
    accept(proposal, people["cro"])
    for again in (accept, decline):
        error = refused(threads.ProposalAnswered, partial(again, proposal, people["cfo"]))
        assert "Maya Lindqvist, CRO" in str(error)
    refused(
        threads.ProposalAnswered,
        lambda: threads.take_back(proposal=proposal, acting_user=people["coo"], at=LATER),
    )


def test_declining_needs_a_word_and_leaves_the_text(row, people):
    proposal = propose(row, people["coo"])
    refused(ReasonMissing, lambda: decline(proposal, people["cfo"], "  "))
    refused(InvalidText, lambda: decline(proposal, people["cfo"], "x" * 2001), "2000 fit")

    decline(proposal, people["cfo"])

    row.refresh_from_db()
    proposal.refresh_from_db()
    assert row.version == 1
    assert (proposal.answer, proposal.answer_word) == ("declined", "It takes three.")
    assert last_event().event == "row.proposal_declined"
    assert told("proposal-declined") == ["coo", "cro", "revops_lead"]


def test_an_own_proposal_is_taken_back(row, people):
    proposal = propose(row, people["coo"])
    refused(
        NotYourOffice,
        lambda: threads.take_back(proposal=proposal, acting_user=people["cro"], at=LATER),
        "Only Daniel Osei",
    )
    threads.take_back(proposal=proposal, acting_user=people["coo"], at=LATER)
    proposal.refresh_from_db()
    assert proposal.answer == "taken_back"
    assert last_event().event == "row.proposal_taken_back"


def test_what_was_proposed_to_a_draft_is_not_accepted_once_it_is_frozen(ready, people):
    row = factories.row_of(ready)
    proposal = propose(row, people["coo"])
    factories.frozen(ready, people)
    refused(NotADraft, lambda: accept(proposal, people["cro"]))


# --- Resolving --------------------------------------------------------------------------------


def test_a_thread_is_resolved_and_reopened(row, people):
    already = threads.ThreadAlreadySo
    resolve, reopen = (
        lambda verb=verb: verb(clause=row, acting_user=people["cro"], at=LATER)
        for verb in (threads.resolve, threads.reopen)
    )
    refused(already, resolve, "Nothing is open")
    say(row, people["coo"])
    refused(already, reopen, "just write in it")
    resolve()
    assert last_event().event == "row.thread_resolved"
    assert conversation(row, people["coo"], on=TODAY).resolved
    refused(already, resolve)
    reopen()
    assert last_event().event == "row.thread_reopened"
    assert not conversation(row, people["coo"], on=TODAY).resolved


def test_writing_in_a_resolved_thread_reopens_it(row, people):
    say(row, people["coo"])
    threads.resolve(clause=row, acting_user=people["cro"], at=LATER)
    say(row, people["cfo"], "One more thing.", at=LATER)
    assert not conversation(row, people["coo"], on=TODAY).resolved
    assert not threads.thread_summaries(row.revision, people["coo"])[row].resolved


def test_an_open_proposal_is_answered_first(row, people):
    propose(row, people["coo"])
    refused(
        threads.ThreadAlreadySo,
        lambda: threads.resolve(clause=row, acting_user=people["cro"], at=LATER),
        "still open",
    )


# --- In short ---------------------------------------------------------------------------------


def test_summaries_count_what_is_new_to_the_reader(row, purpose, people):
    say(row, people["coo"], at=NOW)
    row.refresh_from_db()
    look([row], person=people["cro"], at=NOW + timedelta(minutes=1))
    Notice.objects.update(read_at=NOW)
    say(row, people["cfo"], at=LATER)
    propose(row, people["cfo"], at=LATER)
    say(purpose, people["cro"], at=LATER)

    found = threads.thread_summaries(row.revision, people["cro"])

    assert found[row] == threads.ThreadSummary(comments=3, unread=2, open_proposals=1)
    assert found[purpose] == threads.ThreadSummary(comments=1, unread=0)
    assert threads.thread_summaries(row.revision, people["cfo"])[purpose].unread == 1
    assert factories.row_of(row.revision, "territory_planning") not in found


def test_summaries_take_as_many_queries_for_many(draft, people, django_assert_num_queries):
    for row in draft.rows.all():
        row.revision = draft
        for _ in range(3):
            say(row, people["coo"])
    with django_assert_num_queries(3):
        assert len(threads.thread_summaries(draft, people["cro"])) == 5


# --- As it is read ----------------------------------------------------------------------------


def words_in(row, person):
    seen = conversation(row, person, on=TODAY)
    return [
        one.words if one.is_event else "".join(run.text for run in one.words) for one in seen.items
    ]


def test_what_happened_stands_between_what_was_said(row, people):
    minute = timedelta(minutes=1)
    say(row, people["coo"], "First.", at=NOW)
    factories.edit(row, people, by="cro", at=NOW + minute, scope_in="Another.")
    row.refresh_from_db()
    agreeing.agree(clause=row, expected_version=2, acting_user=people["coo"], at=NOW + 2 * minute)
    agreeing.contest(clause=row, reason="No.", acting_user=people["cfo"], at=NOW + 3 * minute)
    say(row, people["cfo"], "Last.", at=NOW + 4 * minute)
    row.refresh_from_db()

    assert words_in(row, people["cro"]) == [
        "First.",
        "Maya Lindqvist, CRO, changed the text",
        "Daniel Osei, COO, agreed",
        "Priya Raman, CFO, contested it",
        "Last.",
    ]


def test_a_proposal_shows_the_change_word_by_word(row, people):
    proposal = propose(row, people["coo"], scope_in=f"{row.scope_in} Daily.")
    item = next(one for one in conversation(row, people["cro"], on=TODAY).items if not one.is_event)
    (difference,) = item.differences
    assert difference.label == "Scope in"
    assert [one.text.strip() for one in difference.pieces if one.kind == "added"] == ["Daily."]
    assert item.may_answer
    assert item.agrees_too == "coo"

    # Once it is accepted it still shows what it changed.
    accept(proposal, people["cro"])
    row.refresh_from_db()
    item = next(one for one in conversation(row, people["cfo"], on=TODAY).items if not one.is_event)
    assert [one.label for one in item.differences] == ["Scope in"]
    assert not item.may_answer


def test_long_threads_show_the_latest_first(row, people):
    for number in range(60):
        say(row, people["coo"], f"Word {number}", at=NOW + timedelta(seconds=number))
    seen = conversation(row, people["cro"], on=TODAY)
    assert (len(seen.items), seen.older, seen.show_next) == (50, 10, 100)
    assert seen.items[-1].entry.text == "Word 59"
    assert conversation(row, people["cro"], on=TODAY, show=100).older == 0


def test_reading_takes_as_many_queries_for_a_long_thread(row, people):
    def queries():
        found = factories.row_of(row.revision)
        with CaptureQueriesContext(connection) as counted:
            conversation(found, people["cro"], on=TODAY)
        return len(counted)

    propose(row, people["coo"])
    say(row, people["cfo"])
    few = queries()
    for number in range(5):
        say(row, people["cfo"])
        propose(row, people["coo"], scope_in=f"Text {number}")
    assert queries() == few


# --- News of the text -------------------------------------------------------------------------


def test_ten_edits_in_an_hour_are_told_once(row, people):
    for number in range(10):
        row.refresh_from_db()
        at = NOW + timedelta(minutes=number)
        factories.edit(row, people, at=at, scope_in=f"Text {number}")
    assert told("edit") == ["cfo", "coo", "revops_lead"]
    factories.edit(
        factories.row_of(row.revision), people, at=NOW + timedelta(hours=1), scope_in="X"
    )
    assert Notice.objects.filter(kind="edit").count() == 6


def test_a_contest_is_told_with_its_reason(row, people):
    agreeing.contest(clause=row, reason="It is ours.", acting_user=people["cfo"], at=NOW)
    assert told("contest") == ["coo", "cro", "revops_lead"]
    notice = Notice.objects.filter(kind="contest").first()
    assert notice.text == "“It is ours.”"
    assert notice.path == "/boundaries/NC-RB/1/#row-1"


def test_an_opened_draft_is_told(people, functions, draft):
    Notice.objects.all().delete()
    factories.draft(
        people, number="NC-PART", opener="coo", functions=[factories.another_function()]
    )
    assert told("draft-opened") == ["cfo", "cro", "revops_lead"]
