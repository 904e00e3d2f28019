"""The drafting board: what is shown, acting in its place, what changed meanwhile, what was seen."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.models import Event
from boundaries import agreeing, drafting, filters, looking, queries, threads, workflow
from boundaries.errors import NothingToWithdraw
from boundaries.models import Agreement, Look
from boundaries.states import ClauseState
from notifications.models import Notice
from tests.boundaries import factories
from tests.boundaries.factories import NOW, REASON, TODAY, row_of

HTMX = {"HX-Request": "true"}


@pytest.fixture
def sign_in(client, people):
    def by(office):
        client.force_login(people[office])
        return client

    return by


def url(revision, name, *more):
    return reverse(f"boundaries:{name}", args=[revision.document.number, revision.number, *more])


def anchors(html):
    """The rows and articles that a page or an answer holds, in their order."""
    return re.findall(r'<details class="function-row" id="([\w-]+)"', html)


def page(client, revision, asked=""):
    response = client.get(revision.get_absolute_url() + asked)
    assert response.status_code == 200
    return response.content.decode()


def agree(clause, person):
    return agreeing.agree(
        clause=clause, expected_version=clause.version, acting_user=person, at=NOW
    )


def said_to(client, revision):
    return changes(client, revision, 0).content.decode()


# --- Filters ----------------------------------------------------------------------------------


def test_the_whole_draft_is_shown_when_nothing_is_asked(sign_in, draft):
    html = page(sign_in("cro"), draft)
    assert len(anchors(html)) == draft.rows.count() + draft.articles.count()


def test_each_filter_shows_what_it_counts(sign_in, draft, people):
    factories.all_agree(draft, people, parties=["cfo"])
    row = factories.row_of(draft)
    agreeing.contest(clause=row, reason=REASON, acting_user=people["coo"], at=NOW)
    client = sign_in("cfo")
    board = queries.board(factories.fresh(draft), people["cfo"], on=TODAY)
    counts = {one.key: one.count for one in filters.shown(board, filters.Filter()).kinds}
    everything = len(anchors(page(client, draft)))
    assert counts == {
        "": everything,
        "mine": 0,
        "contested": 1,
        "blocked": 0,
        "new": 1,
        "open": everything,
    }
    for key, count in counts.items():
        assert len(anchors(page(client, draft, f"?show={key}"))) == count, key


def test_mine_to_agree_leaves_out_what_i_contest(sign_in, draft, people):
    row = factories.row_of(draft)
    agreeing.contest(clause=row, reason=REASON, acting_user=people["coo"], at=NOW)
    shown = anchors(page(sign_in("coo"), draft, "?show=mine"))
    assert row.anchor not in shown
    assert len(shown) == draft.rows.count() + draft.articles.count() - 1


def test_who_is_no_party_is_offered_nothing_to_agree(sign_in, draft):
    assert "Mine to agree" not in page(sign_in("corporate_secretary"), draft)


def test_an_owner_and_words_narrow_what_is_shown(sign_in, draft):
    client = sign_in("cro")
    by_cfo = anchors(page(client, draft, "?owner=cfo"))
    row = factories.row_of(draft, "billing_and_collections")
    assert by_cfo == [row.anchor]
    # A part of a split row counts for its owner too.
    split = factories.row_of(draft, "master_data_management")
    assert split.anchor in anchors(page(client, draft, "?owner=coo"))
    assert anchors(page(client, draft, "?q=billing+AND+collections&owner=cfo")) == by_cfo


def test_an_empty_view_says_so_and_offers_all(sign_in, draft):
    html = page(sign_in("cro"), draft, "?show=blocked")
    assert "No veto and no dispute stands here" in html
    assert "Show all" in html
    assert anchors(html) == []
    assert "Nothing here has the words “zebra”" in page(sign_in("cro"), draft, "?q=zebra")


def test_what_an_address_asks_for_wrongly_is_not_asked(sign_in, draft):
    everything = len(anchors(page(sign_in("cro"), draft)))
    assert len(anchors(page(sign_in("cro"), draft, "?show=all-of-it"))) == everything


def test_agreeing_to_all_agrees_to_what_the_filter_shows(sign_in, draft, people):
    client = sign_in("cro")
    html = page(client, draft, "?owner=cfo")
    tokens = re.findall(r'name="read" value="([^"]+)"', html)
    assert [token.split(":")[0] for token in tokens] == anchors(html)
    answer = client.post(url(draft, "agree_all"), {"read": tokens, "back": "?owner=cfo"})
    assert answer.url == f"{draft.get_absolute_url()}?owner=cfo"
    agreed = Agreement.objects.filter(office="cro", withdrawn_at__isnull=True)
    assert [one.row.anchor for one in agreed] == anchors(html)


# --- Acting in place --------------------------------------------------------------------------


def test_agreeing_in_place_answers_with_the_row_and_what_goes_with_it(sign_in, draft, people):
    row = factories.row_of(draft)
    answer = sign_in("cro").post(
        url(draft, "agree"),
        {"clause": row.anchor, "version": row.version, "seen": 0},
        headers=HTMX,
    )
    html = answer.content.decode()
    assert answer.status_code == 200
    assert anchors(html) == [row.anchor]
    assert "CRO" in html and "You agreed to row 4." in html
    assert answer["X-Board-Did"] == row.anchor
    assert answer["X-Board-Seen"] == str(factories.fresh(draft).activity) == "1"
    for part in ("board-line", "board-filters", "board-progress", "blocks", "board-steps"):
        assert f'id="{part}"' in html
    assert Agreement.objects.get(row=row).office == "cro"


def test_without_a_script_the_page_comes_back_at_the_row(sign_in, draft):
    row = factories.row_of(draft)
    answer = sign_in("cro").post(
        url(draft, "agree"),
        {"clause": row.anchor, "version": row.version, "back": "?show=mine&evil=1"},
    )
    assert answer.url == f"{draft.get_absolute_url()}?show=mine#{row.anchor}"


def test_a_refusal_in_place_says_why_and_changes_nothing(sign_in, draft, people):
    row = factories.row_of(draft)
    factories.edit(row, people, by="coo", scope_in="Something else.")
    events = Event.objects.count()
    answer = sign_in("cro").post(
        url(draft, "agree"),
        {"clause": row.anchor, "version": row.version, "seen": 1},
        headers=HTMX,
    )
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "changed Row 4." in html and "read it as it stands now" in html
    assert "X-Board-Did" not in answer
    assert Event.objects.count() == events
    assert not Agreement.objects.filter(office="cro").exists()


def test_contesting_in_place_needs_a_reason(sign_in, draft):
    row = factories.row_of(draft)
    client = sign_in("coo")
    answer = client.post(
        url(draft, "contest"), {"clause": row.anchor, "reason": " ", "seen": 0}, headers=HTMX
    )
    assert answer.status_code == 422
    assert "Say in a sentence or two" in answer.content.decode()
    answer = client.post(
        url(draft, "contest"), {"clause": row.anchor, "reason": REASON, "seen": 0}, headers=HTMX
    )
    assert answer["X-Board-Did"] == row.anchor
    assert "is contested" in answer.content.decode()


def test_taking_an_agreement_back(sign_in, draft, people):
    factories.all_agree(draft, people)
    row = factories.row_of(draft)
    events = Event.objects.count()
    answer = sign_in("cro").post(
        url(draft, "withdraw_agreement"), {"clause": row.anchor, "seen": 3}, headers=HTMX
    )
    assert answer["X-Board-Did"] == row.anchor
    taken = Agreement.objects.get(row=row, office="cro")
    assert taken.withdrawn_at is not None
    assert taken.withdrawn_because == "Maya Lindqvist took it back."
    assert Agreement.objects.filter(row=row, withdrawn_at__isnull=True).count() == 2
    event = Event.objects.order_by("-sequence").first()
    assert (Event.objects.count(), event.event) == (events + 1, "row.agreement_withdrawn")
    assert event.data["offices"] == ["cro"]
    # It waits for the CRO again, who has agreed to no other text.
    board = queries.board(factories.fresh(draft), people["cro"], on=TODAY)
    item = next(one for group in board.groups for one in group.rows if one.row == row)
    assert item.standing.state == ClauseState.PROPOSED
    assert item.standing.waits_for == "CRO to agree"
    assert item.can_agree and not item.can_withdraw and item.mine_to_agree


def test_nothing_is_taken_back_where_nothing_was_given(draft, people):
    row = factories.row_of(draft)
    events = Event.objects.count()
    with pytest.raises(NothingToWithdraw, match="nothing to take back"):
        agreeing.withdraw_agreement(clause=row, acting_user=people["cro"], at=NOW)
    assert Event.objects.count() == events


# --- What changed meanwhile -------------------------------------------------------------------


def changes(client, revision, seen, **more):
    return client.get(url(revision, "changes"), {"seen": seen, **more}, headers=HTMX)


def test_nothing_new_is_no_content_and_few_queries(sign_in, draft):
    client = sign_in("cro")
    changes(client, draft, 0)
    with CaptureQueriesContext(connection) as few:
        answer = changes(client, draft, 0)
    assert answer.status_code == 204
    factories.all_agree(draft, {"cro": draft.opened_by}, parties=["cro"])
    at = factories.fresh(draft).activity
    with CaptureQueriesContext(connection) as again:
        assert changes(client, draft, at).status_code == 204
    assert len(few) == len(again) <= 12


def test_what_others_did_comes_with_a_sentence(sign_in, draft, people):
    row = factories.row_of(draft)
    factories.edit(row, people, by="coo", scope_in="Something else.")
    client = sign_in("cro")
    answer = changes(client, draft, 0, shape="the-same")
    html = answer.content.decode()
    assert anchors(html) == [row.anchor]
    assert "Something else." in html
    assert f"Daniel Osei changed row {row.reference}." in html
    assert re.search(r'data-news="Daniel Osei changed this row at \d\d:\d\d E[SD]T"', html)
    assert changes(client, draft, answer["X-Board-Seen"]).status_code == 204


def test_what_is_done_in_a_thread_is_told_as_what_it_is(sign_in, draft, people):
    """A proposed change changes nothing yet: nobody is told that the text did."""
    row, coo, cro = factories.row_of(draft), people["coo"], people["cro"]
    text = replace(drafting.row_text(row), scope_in="Answers in two days.")
    proposal = threads.propose(
        clause=row, text=text, base_version=row.version, acting_user=coo, at=NOW
    )
    assert "Daniel Osei proposed a change of row 4.1." in said_to(sign_in("cfo"), draft)
    threads.decline(proposal=proposal, word="No.", acting_user=cro, at=NOW)
    assert "Maya Lindqvist declined a change of row 4.1." in said_to(sign_in("cfo"), draft)
    threads.resolve(clause=row, acting_user=coo, at=NOW)
    assert "Daniel Osei resolved the thread about row 4.1." in said_to(sign_in("cfo"), draft)


def test_agreeing_to_all_is_told_as_agreeing(sign_in, draft, people):
    factories.all_agree(draft, people, parties=["coo"])
    count = draft.rows.count() + draft.articles.count()
    expected = f"Daniel Osei agreed to {count} rows and articles."
    assert expected in said_to(sign_in("cro"), draft)


def test_my_own_acts_are_not_told_to_me(sign_in, draft, people):
    row = factories.row_of(draft)
    agree(row, people["cro"])
    html = changes(sign_in("cro"), draft, 0).content.decode()
    assert anchors(html) == [row.anchor]
    assert "Maya Lindqvist agreed" not in re.search(r'id="board-said".*?</p>', html).group()


def test_agreeing_to_all_reaches_every_open_board(sign_in, draft, people):
    factories.all_agree(draft, people, parties=["coo"])
    html = changes(sign_in("cro"), draft, 0).content.decode()
    assert len(anchors(html)) == draft.rows.count() + draft.articles.count()
    assert "Daniel Osei agreed to 17 rows and articles." in html


def test_rows_that_came_ask_for_the_whole_page(sign_in, draft, people):
    client = sign_in("cro")
    shape = re.search(r'data-shape="(\w+)"', page(client, draft)).group(1)
    agree(factories.row_of(draft), people["coo"])
    assert "Rows were added" not in changes(client, draft, 0, shape=shape).content.decode()
    from boundaries import drafting

    drafting.add_row(
        revision=draft,
        function=factories.another_function(),
        acting_user=people["coo"],
        at=NOW,
    )
    html = changes(client, draft, 1, shape=shape).content.decode()
    assert "Rows were added, moved or left out" in html


def test_a_frozen_draft_ends_the_board(sign_in, ready, people):
    factories.frozen(ready, people, by="coo")
    answer = changes(sign_in("cro"), ready, 0)
    assert answer["X-Board-Seen"] == "over"
    html = answer.content.decode()
    assert "is no longer a draft" in html
    assert "Daniel Osei, Chief Operating Officer" in html or "Daniel Osei, COO" in html


def test_who_may_not_read_drafts_learns_nothing(sign_in, draft):
    client = sign_in("member")
    assert changes(client, draft, 0).status_code == 404
    assert client.get(url(draft, "clause", "row-1")).status_code == 404
    assert client.get(url(draft, "print")).status_code == 404
    assert client.post(url(draft, "look"), {"clause": "row-1:1:1"}).status_code == 404


def test_asking_again_uses_no_session(sign_in, draft, settings):
    """The page says that it asks by itself: board.js sends X-Poll."""
    script = (settings.BASE_DIR / "static/js/board.js").read_text()
    assert '"X-Poll": "1"' in script


# --- Looking ----------------------------------------------------------------------------------


def news_of(revision, person):
    board = queries.board(factories.fresh(revision), person, on=TODAY)
    items = [one for group in board.groups for one in group.rows]
    return {one.standing.clause.anchor for one in (*items, *board.articles) if one.is_new}


def contest(clause, person):
    agreeing.contest(clause=clause, reason=REASON, acting_user=person, at=NOW)


def test_what_others_do_is_new_until_it_is_looked_at(draft, people):
    row = factories.row_of(draft)
    contest(row, people["coo"])
    assert news_of(draft, people["cro"]) == {row.anchor}
    assert news_of(draft, people["coo"]) == set()  # who acts has seen it
    looking.look([factories.row_of(draft)], person=people["cro"], at=NOW)
    assert news_of(draft, people["cro"]) == set()
    factories.edit(factories.row_of(draft), people, by="cfo", scope_in="New words.")
    assert news_of(draft, people["cro"]) == {row.anchor} == news_of(draft, people["coo"])


def test_agreements_are_nothing_new_to_read(draft, people):
    """Else everything would be new whenever somebody agrees to all."""
    factories.all_agree(draft, people, parties=["coo"])
    assert news_of(draft, people["cro"]) == set()
    row = factories.row_of(draft)
    agreeing.withdraw_agreement(clause=row, acting_user=people["coo"], at=NOW)
    assert news_of(draft, people["cro"]) == {row.anchor}


def test_looking_again_moves_on_and_never_back(draft, people):
    row = factories.row_of(draft)
    agree(row, people["coo"])
    row = factories.row_of(draft)
    looking.look([row], person=people["cro"], at=NOW)
    row.activity = 0
    looking.look([row], person=people["cro"], at=NOW + timedelta(hours=1))
    seen = Look.objects.get(person=people["cro"])
    assert (seen.activity, seen.version, seen.looked_at) == (1, 1, NOW)


def test_looking_leaves_no_event(draft, people):
    events = Event.objects.count()
    looking.look(list(draft.rows.all()), person=people["cro"], at=NOW)
    assert Event.objects.count() == events


def test_only_what_the_page_showed_counts_as_seen(sign_in, draft, people):
    row = factories.row_of(draft)
    contest(row, people["coo"])
    client = sign_in("cro")
    token = re.search(r'data-look="([^"]+)"', page(client, draft)).group(1)
    factories.edit(factories.row_of(draft), people, by="coo", scope_in="Meanwhile.")
    answer = client.post(url(draft, "look"), {"clause": [token, "row-1:x:y", "row-9999:1:1"]})
    assert answer.status_code == 302
    assert news_of(draft, people["cro"]) == {row.anchor}
    seen = Look.objects.get(person=people["cro"], row=row)
    assert (seen.version, seen.activity) == (1, 1)


def test_news_of_a_text_is_read_where_the_text_is(sign_in, draft, people):
    row, other = factories.row_of(draft), factories.row_of(draft, "territory_planning")
    factories.edit(row, people, by="coo", scope_in="Answers in two days.")
    factories.edit(other, people, by="coo", scope_in="Answers in three days.")
    unread = Notice.objects.filter(person=people["cro"], read_at=None, kind="edit")
    assert unread.count() == 2
    client = sign_in("cro")
    token = re.search(rf'data-look="({row.anchor}:[^"]+)"', page(client, draft)).group(1)
    # What changed after the page was loaded has not been read on it.
    factories.edit(factories.row_of(draft), people, by="cfo", scope_in="Answers in a day.")
    client.post(url(draft, "look"), {"clause": [token]}, headers=HTMX)
    assert unread.count() == 3
    token = re.search(rf'data-look="({row.anchor}:[^"]+)"', page(client, draft)).group(1)
    client.post(url(draft, "look"), {"clause": [token]}, headers=HTMX)
    assert [one.path for one in unread.all()] == [f"{draft.get_absolute_url()}#{other.anchor}"]
    # Agreeing to it is reading it as well.
    agree(factories.row_of(draft, "territory_planning"), people["cro"])
    assert not unread.exists()


def test_all_can_be_marked_as_seen(sign_in, draft, people):
    for clause in (*draft.rows.all(), *draft.articles.all()):
        contest(clause, people["coo"])
    client = sign_in("cro")
    tokens = re.findall(r'name="clause" value="([\w-]+:\d+:\d+)"', page(client, draft))
    assert len(tokens) == draft.rows.count() + draft.articles.count()
    assert client.post(url(draft, "look"), {"clause": tokens}, headers=HTMX).status_code == 204
    assert news_of(draft, people["cro"]) == set()


def test_looking_takes_few_queries_however_many(draft, people, django_assert_max_num_queries):
    rows, articles = list(draft.rows.all()), list(draft.articles.all())
    with django_assert_max_num_queries(10):
        looking.look([*rows, *articles], person=people["cro"], at=NOW)


# --- One row, and printing --------------------------------------------------------------------


def test_a_row_has_a_page_of_its_own_and_a_place_on_the_board(sign_in, draft):
    client = sign_in("cro")
    alone = client.get(url(draft, "clause", "row-1")).content.decode()
    assert "<h1" in alone and anchors(alone) == ["row-1"]
    part = client.get(url(draft, "clause", "article-5"), headers=HTMX).content.decode()
    assert "<h1" not in part and anchors(part) == ["article-5"]
    assert client.get(url(draft, "clause", "row-77")).status_code == 404


def test_a_draft_is_printed_as_a_draft(sign_in, draft):
    html = sign_in("cro").get(url(draft, "print")).content.decode()
    assert f"Draft of {draft.reference}, as it stood" in html
    assert "It binds nobody." in html
    assert "What still blocks signing" in html
    assert 'class="app-bar"' not in html


def test_a_draft_without_a_line_or_dates_can_be_printed(sign_in, draft, people):
    factories.edit_data(factories.article_of(draft, "reporting_line"), people, solid_lines=[])
    assert sign_in("cro").get(url(draft, "print")).status_code == 200


def test_what_is_frozen_is_printed_with_its_signatures(sign_in, frozen):
    html = sign_in("cro").get(url(frozen.revision, "print")).content.decode()
    assert "Draft of" not in html
    assert "Signatures" in html
    assert "waiting for co-signatures, printed" in html
    # Nothing is sealed before the CEO has approved it.
    assert "sealed PDF" not in html


def test_what_is_in_force_or_withdrawn_says_so_in_print(sign_in, people, functions):
    revision = factories.in_force(people)
    html = sign_in("cro").get(url(revision, "print")).content.decode()
    assert "in force, printed" in html
    assert "The sealed PDF is the original" in html
    draft = workflow.amend(revision=revision, acting_user=people["cro"], at=NOW)
    workflow.withdraw(revision=draft, reason=REASON, acting_user=people["ceo"], at=NOW)
    html = sign_in("cro").get(url(draft, "print")).content.decode()
    assert "withdrawn, printed" in html
    assert "It binds nobody." in html


# --- The list of documents --------------------------------------------------------------------


def test_the_list_says_how_far_each_draft_is(sign_in, draft, people):
    factories.all_agree(draft, people, parties=["cro", "coo"])
    row = factories.row_of(draft)
    agreeing.contest(clause=row, reason=REASON, acting_user=people["cfo"], at=NOW)
    html = sign_in("cro").get(reverse("boundaries:documents")).content.decode()
    total = draft.rows.count() + draft.articles.count()
    assert f"0 of {total} agreed" in html
    assert "1 contested" in html
    assert f"Waits for CFO ({total}) to agree" in html


def test_the_list_says_whose_signature_is_missing(sign_in, frozen):
    html = sign_in("cro").get(reverse("boundaries:documents")).content.decode()
    assert "Waits for CRO, COO and CFO to sign" in html


def test_the_lists_queries_do_not_grow_with_documents(sign_in, draft, people):
    client = sign_in("cro")

    def count():
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("boundaries:documents"))
        return len(queries)

    count()
    before = count()
    for number in range(4):
        function = factories.another_function(key=f"more_{number}")
        part = factories.draft(people, functions=[function], number=f"NC-P{number}")
        factories.all_agree(part, people, parties=["cro"])
    assert count() == before


def test_what_was_told_before_is_not_told_again(sign_in, draft, people):
    """What leaves no event about the row itself (a dispute) is told without a name."""
    from boundaries import activity

    row = factories.row_of(draft)
    agree(row, people["coo"])
    activity.touch(factories.fresh(draft), factories.row_of(draft))
    client = sign_in("cro")
    later = (NOW + timedelta(minutes=1)).isoformat()
    html = changes(client, draft, 1, since=later).content.decode()
    assert f"Row {row.reference} changed." in html
    assert "Daniel Osei agreed to row" not in html
    assert "Something was done about this row meanwhile" in html
    html = changes(client, draft, 0, since="yesterday").content.decode()
    assert "Daniel Osei agreed to row" in html


@pytest.mark.parametrize("since", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_at_the_edge_of_the_calendar_is_no_moment(client, draft, people, since):
    client.force_login(people["cro"])
    factories.edit(row_of(draft), people, scope_in="Prices.")
    assert changes(client, draft, 0, since=since).status_code == 200
