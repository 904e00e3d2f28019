"""The pages of threads: written, answered, refused; by form alone and in place on the board."""

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.contrib.messages import get_messages
from django.test import Client

from boundaries import drafting, threads
from boundaries.models import Look, Proposal, ThreadEntry
from notifications.models import Notice
from tests.boundaries import factories
from tests.boundaries.factories import NOW
from tests.boundaries.test_views_drafting import row_data

pytestmark = pytest.mark.django_db

BASE = "/boundaries/NC-RB/1/"
THREAD = f"{BASE}rows/1/thread/"
PROPOSE = f"{BASE}rows/1/propose/"
HTMX = {"hx-request": "true"}


@pytest.fixture(autouse=True)
def _today():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def sign_in(people):
    def signing_in(office):
        client = Client()
        client.force_login(people[office])
        return client

    return signing_in


@pytest.fixture
def row(draft):
    return factories.row_of(draft)


def told(answer):
    return " ".join(str(one) for one in get_messages(answer.wsgi_request))


def proposed(row, people, by="coo", **changes):
    return threads.propose(
        clause=row,
        text=replace(drafting.row_text(row), **(changes or {"scope_in": "Answers in two days."})),
        base_version=row.version,
        acting_user=people[by],
        at=NOW,
    )


def answer_url(proposal, act):
    return f"{BASE}proposals/{proposal.pk and proposal.entry_id}/{act}/"


# --- Comments ---------------------------------------------------------------------------------


def test_a_comment_is_written_and_read(sign_in, row):
    answer = sign_in("coo").post(THREAD, {"text": "@CFO, who answers?\r\nAnd <b>when</b>?"})
    assert (answer.status_code, answer["Location"]) == (302, f"{THREAD}#end")

    page = sign_in("cfo").get(THREAD).content.decode()
    assert '<span class="mention" data-owner="cfo">@CFO</span>, who answers?' in page
    assert "&lt;b&gt;when" in page
    assert "data-unread" in page
    assert "1 new" in page
    # Opening it was a look, and its news are read.
    assert "data-unread" not in sign_in("cfo").get(THREAD).content.decode()


def test_opening_a_thread_is_a_look_and_reads_its_news(sign_in, row, people):
    threads.comment(clause=row, text="Who?", acting_user=people["coo"], at=NOW)
    sign_in("cro").get(THREAD)
    assert Look.objects.filter(person=people["cro"], row=row).exists()
    assert not Notice.objects.filter(
        person=people["cro"], kind="comment", read_at__isnull=True
    ).exists()
    assert Notice.objects.filter(person=people["cfo"], read_at__isnull=True).exists()


def test_a_look_at_the_row_leaves_its_thread_unread(sign_in, row, people):
    threads.comment(clause=row, text="Who?", acting_user=people["coo"], at=NOW)
    row.refresh_from_db()
    from boundaries.looking import look

    look([row], person=people["cro"], at=NOW + timedelta(minutes=1))
    assert threads.thread_summaries(row.revision, people["cro"])[row].unread == 1
    assert "data-unread" in sign_in("cro").get(THREAD).content.decode()


@pytest.mark.parametrize(
    ("text", "words"), [("  ", "Write your comment first."), ("x" * 4001, "has 4001 characters")]
)
def test_a_refused_comment_stays_in_its_field(sign_in, row, text, words):
    answer = sign_in("coo").post(THREAD, {"text": text})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert text.strip() in page
    assert not ThreadEntry.objects.exists()


def test_in_place_the_thread_comes_alone_and_errors_too(sign_in, row):
    cro = sign_in("cro")
    assert "<html" not in cro.get(THREAD, headers=HTMX).content.decode()
    done = cro.post(THREAD, {"text": "Who?"}, headers=HTMX)
    assert (done.status_code, "<html" in done.content.decode()) == (200, False)
    assert "Who?" in done.content.decode()
    wrong = cro.post(THREAD, {"text": "x" * 4001}, headers=HTMX)
    assert wrong.status_code == 200  # htmx puts nothing else in place
    assert "4000 fit" in wrong.content.decode()


def test_the_thread_of_an_article(sign_in, draft):
    cro = sign_in("cro")
    path = f"{BASE}articles/2/thread/"
    cro.post(path, {"text": "A word on strategy."})
    assert "A word on strategy." in cro.get(path).content.decode()


def test_those_who_only_read_get_no_form_and_are_refused(sign_in, row, people):
    threads.comment(clause=row, text="Who?", acting_user=people["coo"], at=NOW)
    auditor = sign_in("auditor")
    page = auditor.get(THREAD).content.decode()
    assert "Who?" in page
    assert "<textarea" not in page
    assert auditor.post(THREAD, {"text": "Me too."}).status_code == 403
    assert auditor.get(PROPOSE).status_code == 403
    assert ThreadEntry.objects.count() == 1


def test_members_read_no_thread_even_of_what_is_in_force(sign_in, people, functions):
    revision = factories.in_force(people)
    assert sign_in("member").get(revision.get_absolute_url()).status_code == 200
    assert sign_in("member").get(THREAD).status_code == 403
    assert sign_in("auditor").get(THREAD).status_code == 200


def test_a_frozen_thread_says_why_nobody_writes(sign_in, frozen):
    cro = sign_in("cro")
    page = cro.get(THREAD).content.decode()
    assert "can be read, not written" in page
    assert "<textarea" not in page
    assert cro.post(THREAD, {"text": "Late."}).status_code == 422


def test_a_row_that_is_not_there(sign_in, draft):
    assert sign_in("cro").get(f"{BASE}rows/99/thread/").status_code == 404


def test_earlier_words_stand_behind_a_link(sign_in, row, people):
    for number in range(55):
        threads.comment(
            clause=row,
            text=f"Word {number:02}.",
            acting_user=people["coo"],
            at=NOW - timedelta(minutes=60 - number),
        )
    cro = sign_in("cro")
    page = cro.get(THREAD).content.decode()
    assert "Show earlier: 5 more" in page
    assert "Word 04." not in page
    assert "Word 04." in cro.get(THREAD, {"show": "100"}).content.decode()
    for odd in ("", "-1", "x", "9" * 30):
        assert cro.get(THREAD, {"show": odd}).status_code == 200


# --- Proposals --------------------------------------------------------------------------------


def test_the_edit_form_offers_to_propose_instead(sign_in, row):
    assert f'formaction="{PROPOSE}"' in sign_in("cro").get(f"{BASE}rows/1/").content.decode()


def test_who_may_not_edit_proposes_by_the_same_form(sign_in, row):
    lead = sign_in("revops_lead")
    page = lead.get(PROPOSE).content.decode()
    assert f'action="{PROPOSE}"' in page
    assert "Propose this change" in page

    answer = lead.post(PROPOSE, row_data(row, scope_in="Another.", word="So that they know."))

    assert (answer.status_code, answer["Location"]) == (302, f"{THREAD}#end")
    proposal = Proposal.objects.get()
    assert (proposal.text["scope_in"], proposal.entry.text) == ("Another.", "So that they know.")
    row.refresh_from_db()
    assert row.version == 1


def test_a_refused_proposal_stays_in_the_form(sign_in, row, people):
    same = sign_in("coo").post(PROPOSE, row_data(row, word="Kept."))
    assert same.status_code == 422
    assert "This is the text as it stands" in same.content.decode()
    assert "Kept." in same.content.decode()

    typed = row_data(row, scope_in="What the COO typed.")
    factories.edit(row, people, by="cro", scope_in="What the CRO saved.")
    late = sign_in("coo").post(PROPOSE, typed)
    page = late.content.decode()
    assert late.status_code == 422
    assert "What the COO typed." in page
    assert "<del>" in page
    assert 'name="version" value="2"' in page
    assert not Proposal.objects.exists()


def test_an_article_is_proposed_by_its_form(sign_in, draft):
    purpose = factories.article_of(draft, "purpose")
    answer = sign_in("coo").post(
        f"{BASE}articles/2/propose/", {"version": purpose.version, "text": "Another purpose."}
    )
    assert answer.status_code == 302
    assert Proposal.objects.get().text["text"] == "Another purpose."


def test_accepting_leads_to_the_row(sign_in, row, people):
    proposal = proposed(row, people)
    page = sign_in("cro").get(THREAD).content.decode()
    assert "<del>" in page
    assert "so does the COO, who proposed exactly this" in page

    answer = sign_in("cro").post(answer_url(proposal, "accept"))

    assert answer["Location"] == f"{BASE}#row-1"
    row.refresh_from_db()
    assert row.scope_in == "Answers in two days."
    assert "Accepted by Maya Lindqvist, CRO" in sign_in("coo").get(THREAD).content.decode()


def test_accepting_what_is_outdated_shows_both_and_offers_the_form(sign_in, row, people):
    proposal = proposed(row, people)
    factories.edit(row, people, by="cfo", scope_in="What the CFO wrote.")
    cro = sign_in("cro")
    answer = cro.post(answer_url(proposal, "accept"))

    page = answer.content.decode()
    assert answer.status_code == 409
    assert "was changed after this was proposed" in page
    assert "<ins>" in page
    edit = answer_url(proposal, "edit")
    assert edit in page
    form = cro.get(edit).content.decode()
    assert "Answers in two days." in form
    assert 'name="version" value="1"' in form
    assert f'action="{BASE}rows/1/"' in form
    assert sign_in("revops_lead").get(edit).status_code == 403


def test_editing_with_an_outdated_proposal_undoes_nothing_silently(sign_in, row, people):
    proposal = proposed(row, people)
    factories.edit(row, people, by="cfo", scope_out="What the CFO wrote meanwhile.")
    cro = sign_in("cro")
    form = cro.get(answer_url(proposal, "edit")).context["form"]
    sent = {
        name: value
        for name in form.fields
        if (value := form[name].value()) not in (None, "", [], False)
    }

    answer = cro.post(f"{BASE}rows/1/", sent)

    assert answer.status_code == 422
    row.refresh_from_db()
    assert (row.version, row.scope_out) == (2, "What the CFO wrote meanwhile.")
    merged = answer.context["form"]
    assert merged["scope_out"].value() == "What the CFO wrote meanwhile."
    assert merged["scope_in"].value() == "Answers in two days."
    assert answer.context["conflict"].by_name == "Priya Raman"


def test_edit_with_the_proposed_text_of_an_article(sign_in, draft, people):
    purpose = factories.article_of(draft, "purpose")
    proposal = threads.propose(
        clause=purpose,
        text=drafting.ArticleText(text="Another purpose.", data=purpose.data),
        base_version=1,
        acting_user=people["coo"],
        at=NOW,
    )
    form = sign_in("cro").get(answer_url(proposal, "edit")).content.decode()
    assert "Another purpose." in form
    purpose.refresh_from_db()
    assert purpose.text != "Another purpose."


def test_declining_without_a_word_keeps_the_form_open(sign_in, row, people):
    proposal = proposed(row, people)
    cfo = sign_in("cfo")
    wrong = cfo.post(answer_url(proposal, "decline"), {"word": "x" * 2001})
    assert wrong.status_code == 422
    assert "x" * 2001 in wrong.content.decode()
    assert "Say in a word or two" in cfo.post(answer_url(proposal, "decline")).content.decode()

    done = cfo.post(answer_url(proposal, "decline"), {"word": "It takes three."})
    assert done["Location"] == f"{THREAD}#end"
    page = sign_in("coo").get(THREAD).content.decode()
    assert "Declined by Priya Raman, CFO" in page
    assert "It takes three." in page


def test_the_proposer_takes_it_back(sign_in, row, people):
    proposal = proposed(row, people)
    coo = sign_in("coo")
    page = coo.get(THREAD).content.decode()
    assert "Take it back" in page
    assert "Accept change" not in page
    assert coo.post(answer_url(proposal, "accept")).status_code == 403
    assert coo.post(answer_url(proposal, "take-back")).status_code == 302
    assert "Taken back by Daniel Osei" in coo.get(THREAD).content.decode()


def test_proposals_of_another_document_are_not_found(sign_in, row, people):
    proposal = proposed(row, people)
    factories.draft(
        people, number="NC-PART", functions=[factories.another_function()], opener="cro"
    )
    path = answer_url(proposal, "accept").replace("NC-RB", "NC-PART")
    assert sign_in("cro").post(path).status_code == 404


def test_resolving_and_reopening(sign_in, row, people):
    threads.comment(clause=row, text="Who?", acting_user=people["coo"], at=NOW)
    cro = sign_in("cro")
    assert cro.post(f"{BASE}thread/resolve/", {"clause": "row-1"})["Location"] == f"{THREAD}#end"
    assert "Write and reopen" in cro.get(THREAD).content.decode()
    again = cro.post(f"{BASE}thread/resolve/", {"clause": "row-1"})
    assert "Nothing is open" in told(again)
    in_place = cro.post(f"{BASE}thread/reopen/", {"clause": "row-1"}, headers=HTMX)
    assert "reopened the thread" in in_place.content.decode()
    assert cro.post(f"{BASE}thread/reopen/", {"clause": "nothing"}).status_code == 404


def test_what_is_refused_in_place_is_said_in_the_thread(sign_in, row, people, draft):
    """A redirect would put the whole page into the thread."""
    threads.comment(clause=row, text="Who?", acting_user=people["coo"], at=NOW)
    threads.resolve(clause=row, acting_user=people["coo"], at=NOW)
    cro = sign_in("cro")
    answer = cro.post(f"{BASE}thread/resolve/", {"clause": "row-1"}, headers=HTMX)
    html = answer.content.decode()
    assert answer.status_code == 200
    assert "Nothing is open in the thread" in html
    assert "data-thread" in html
    assert "<html" not in html
    proposal = proposed(row, people)
    threads.accept(proposal=proposal, acting_user=people["cfo"], at=NOW)
    for verb, data, by in (("decline", {"word": "No."}, cro), ("take-back", {}, sign_in("coo"))):
        html = by.post(answer_url(proposal, verb), data, headers=HTMX).content.decode()
        assert "answered this proposed change already" in html
        assert "<html" not in html
    assert Proposal.objects.get().answer == Proposal.Answer.ACCEPTED


# --- On the board -----------------------------------------------------------------------------


def test_the_board_tells_of_threads_in_short(sign_in, row, people):
    threads.comment(clause=row, text="Who?", acting_user=people["coo"], at=NOW)
    proposed(row, people)
    page = sign_in("cro").get(BASE).content.decode()
    assert "Discussion, 2 comments" in page
    assert "2 new" in page
    assert "1 proposed change" in page
    assert f'hx-get="{THREAD}"' in page
