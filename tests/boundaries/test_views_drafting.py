"""The drafting board's forms and buttons: what is saved, kept, compared and refused."""

import pytest
import time_machine
from django.contrib.messages import get_messages
from django.test import Client

from boundaries.models import Agreement
from boundaries.states import Stance, State
from tests.boundaries import factories, stages

pytestmark = pytest.mark.django_db

BASE = "/boundaries/NC-RB/1/"
ROW = f"{BASE}rows/1/"


@pytest.fixture(autouse=True)
def _today():
    with time_machine.travel(factories.NOW, tick=False):
        yield


@pytest.fixture
def sign_in(people):
    def signing_in(office):
        client = Client()
        client.force_login(people[office])
        return client

    return signing_in


def told(answer):
    return " ".join(str(one) for one in get_messages(answer.wsgi_request))


def row_data(row, **changes):
    """What the row's form posts when only ``changes`` were typed."""
    return {
        "version": row.version,
        "owner": row.owner,
        "scope_in": row.scope_in,
        "scope_out": row.scope_out,
        "consulted": row.consulted,
        "informed": row.informed,
        "rationale": row.rationale,
        "left_out_reason": row.left_out_reason,
        **changes,
    }


@pytest.fixture
def row(draft):
    return draft.rows.get(position=1)


# --- Rows -------------------------------------------------------------------------------------


def test_a_row_left_with_many_parts_comes_back_with_room_for_all(sign_in, row):
    """Typed, refused, typed on and left: the browser asks for the form as it was."""
    parts = {f"part_name_{index}": f"Part {index}" for index in range(6)}
    data = row_data(row, owner="hybrid", version=0, **parts)
    for address in (ROW, f"{BASE}rows/1/propose/"):
        answer = sign_in("coo").post(address, data | {"again": "1"})
        assert answer.status_code == 200
        form = answer.context["form"]
        shown = [name.value() for name, _ in form.parts]
        assert shown == [*parts.values(), None, None]
        assert not form.is_bound
    row.refresh_from_db()
    assert row.version == 1


def test_who_may_not_edit_is_told_what_to_do_instead(sign_in, draft):
    propose = "Propose the change instead, in the discussion of the row or article."
    assert propose in sign_in("revops_lead").get(ROW).content.decode()
    say = "Say what should change in the discussion of the row or article."
    assert say in sign_in("ceo").get(ROW).content.decode()


def test_a_form_asked_for_in_place_leads_the_page_where_the_draft_was_frozen(sign_in, frozen):
    """The whole page would otherwise be put into the row."""
    for address in (ROW, f"{BASE}show/row-1/"):
        answer = sign_in("coo").get(address, headers={"hx-request": "true"})
        assert (answer.status_code, answer["HX-Redirect"]) == (200, BASE)


def test_saving_a_row_saves_it_and_says_who_agrees_again(sign_in, row):
    answer = sign_in("cro").post(ROW, row_data(row, scope_in="One line.\r\nAnother. "))

    assert (answer.status_code, answer["Location"]) == (302, f"{BASE}#row-1")
    row.refresh_from_db()
    assert (row.scope_in, row.version) == ("One line.\nAnother.", 2)
    assert "Row 4.1, Deal desk saved. COO and CFO to agree again." in told(answer)
    assert factories.live_stances(row) == {"cro": Stance.AGREED}


def test_the_form_comes_alone_where_htmx_asks_for_it(sign_in, row):
    whole = sign_in("cro").get(ROW).content.decode()
    alone = sign_in("cro").get(ROW, headers={"hx-request": "true"}).content.decode()

    assert "<html" in whole
    assert "<html" not in alone
    assert 'name="scope_in"' in alone


def test_the_second_editor_sees_both_texts_and_keeps_their_own(sign_in, row, people):
    form = row_data(row)
    factories.edit(row, people, by="cro", scope_in="What the CRO wrote.")

    answer = sign_in("coo").post(ROW, form | {"scope_in": "What the COO wrote."})

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Maya Lindqvist, CRO, changed this while you had it open" in page
    assert "<del>" in page
    assert "<ins>" in page
    textarea = page.split('name="scope_in"')[1].split("</textarea>")[0]
    assert "What the COO wrote." in textarea
    assert 'name="version" value="2"' in page
    row.refresh_from_db()
    assert (row.scope_in, row.version) == ("What the CRO wrote.", 2)

    # Saving again is a choice made with both texts in view.
    again = sign_in("coo").post(ROW, form | {"scope_in": "What the COO wrote.", "version": "2"})
    assert again.status_code == 302
    row.refresh_from_db()
    assert (row.scope_in, row.version) == ("What the COO wrote.", 3)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"owner": "hybrid", "part_owner_0": "cro"}, "Name this part, or choose “Nobody yet”."),
        ({"left_out_reason": "Not ours"}, "A function left out has no owner."),
        ({"owner": "shared"}, "“shared” cannot own a function here."),
        ({"scope_in": "x" * 2001}, "at most 2000 characters"),
        (
            {
                "owner": "hybrid",
                "part_name_0": "Accounts",
                "part_owner_0": "cro",
                "part_name_1": "accounts",
                "part_owner_1": "coo",
            },
            "Another part is called “accounts” already.",
        ),
    ],
)
def test_a_row_that_cannot_be_saved_says_why_and_keeps_what_was_typed(sign_in, row, changes, words):
    typed = {"rationale": "Typed with care.", **changes}
    answer = sign_in("cro").post(ROW, row_data(row, **typed))

    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert "Typed with care." in page
    row.refresh_from_db()
    assert row.version == 1


def test_a_row_is_split_into_parts_with_owners(sign_in, row):
    parts = {
        "owner": "hybrid",
        "part_name_0": "New business",
        "part_owner_0": "cro",
        "part_name_1": "Renewals",
        "part_owner_1": "coo",
    }
    answer = sign_in("cfo").post(ROW, row_data(row, **parts))

    assert answer.status_code == 302
    assert list(row.sub_scopes.values_list("key", "name", "owner")) == [
        ("new_business", "New business", "cro"),
        ("renewals", "Renewals", "coo"),
    ]


def test_a_row_that_is_not_there_is_404(sign_in, draft):
    assert sign_in("cro").get(f"{BASE}rows/99/").status_code == 404
    assert sign_in("cro").get(f"{BASE}articles/14/").status_code == 404


def test_editing_what_was_frozen_meanwhile_is_refused_in_words(sign_in, row, ready, people):
    form = row_data(row, scope_in="Too late.")
    factories.frozen(ready, people)
    before = stages.everything()

    answer = sign_in("cro").post(ROW, form)

    assert (answer.status_code, answer["Location"]) == (302, BASE)
    assert "is no longer a draft" in told(answer)
    assert stages.everything() == before
    row.refresh_from_db()
    assert row.version == 1


@pytest.mark.parametrize("office", ["ceo", "revops_lead", "auditor"])
def test_readers_of_a_draft_do_not_edit_it(sign_in, row, office):
    answer = sign_in(office).post(ROW, row_data(row, scope_in="Mine."))

    assert answer.status_code == 403
    row.refresh_from_db()
    assert row.version == 1


# --- Articles ---------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12])
def test_every_article_has_a_form_whose_content_can_be_saved_as_it_is(sign_in, draft, number):
    """What the form shows is what it takes: saving without a change changes nothing."""
    page = f"{BASE}articles/{number}/"
    shown = sign_in("cro").get(page)
    form = shown.context["form"]
    data = {}
    for field in form:
        value = field.value()
        data[field.name] = "" if value is None else value

    answer = sign_in("cro").post(page, data)

    assert answer.status_code == 302, form.errors
    article = draft.articles.get(number=number)
    assert article.version == 1


def test_the_second_editor_of_an_article_sees_both_texts(sign_in, draft, people):
    article = draft.articles.get(key="purpose")
    factories.drafting.edit_article(
        article=article,
        expected_version=1,
        text=factories.drafting.ArticleText(text="By the CRO.", data=article.data),
        acting_user=people["cro"],
        at=factories.NOW,
    )

    answer = sign_in("cfo").post(f"{BASE}articles/2/", {"version": "1", "text": "By the CFO."})

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Maya Lindqvist, CRO, changed this while you had it open" in page
    assert "By the CFO." in page.split('name="text"')[1].split("</textarea>")[0]
    article.refresh_from_db()
    assert (article.text, article.version) == ("By the CRO.", 2)


def test_the_dates_are_saved_with_article_1(sign_in, draft):
    answer = sign_in("cro").post(
        f"{BASE}articles/1/",
        {"version": "1", "text": "Text.", "effective_date": "2027-01-04", "sunset_date": ""},
    )

    assert answer.status_code == 302
    draft.refresh_from_db()
    assert (str(draft.effective_date), str(draft.sunset_date)) == ("2027-01-04", "2028-01-04")


@pytest.mark.parametrize("sunset", ["", "9999-12-31"])
@pytest.mark.parametrize("effective", ["9999-12-31", "9999-06-01", "2062-01-04"])
def test_a_mistyped_year_is_told_and_changes_nothing(sign_in, draft, effective, sunset):
    answer = sign_in("cro").post(
        f"{BASE}articles/1/",
        {"version": "1", "text": "Text.", "effective_date": effective, "sunset_date": sunset},
    )

    assert answer.status_code == 422
    assert "more than two years away" in answer.content.decode()
    before = draft.effective_date
    draft.refresh_from_db()
    assert draft.effective_date == before


# --- Agreeing, contesting, freezing -----------------------------------------------------------


def test_agreeing_to_the_text_on_the_page_counts(sign_in, row):
    answer = sign_in("coo").post(f"{BASE}agree/", {"clause": "row-1", "version": "1"})

    assert (answer.status_code, answer["Location"]) == (302, f"{BASE}#row-1")
    assert factories.live_stances(row) == {"coo": Stance.AGREED}


@pytest.mark.parametrize("version", ["1", "", "x", "²", "99999999999999999999"])
def test_agreeing_to_a_text_that_changed_is_refused_in_words(sign_in, row, people, version):
    factories.edit(row, people, by="cro", scope_in="Changed.")

    answer = sign_in("coo").post(f"{BASE}agree/", {"clause": "row-1", "version": version})

    assert (answer.status_code, answer["Location"]) == (302, BASE)
    assert "Maya Lindqvist changed Row 4.1, Deal desk" in told(answer)
    assert "coo" not in factories.live_stances(row)


def test_contesting_needs_a_reason_and_agreeing_ends_it(sign_in, row):
    browser = sign_in("cfo")
    refused = browser.post(f"{BASE}contest/", {"clause": "row-1", "reason": " "})
    assert "Say in a sentence or two" in told(refused)
    assert not Agreement.objects.exists()

    browser.post(f"{BASE}contest/", {"clause": "row-1", "reason": "Discounts are ours."})
    assert factories.live_stances(row) == {"cfo": Stance.CONTESTED}
    assert "Discounts are ours." in browser.get(BASE).content.decode()

    browser.post(f"{BASE}agree/", {"clause": "row-1", "version": "1"})
    assert factories.live_stances(row) == {"cfo": Stance.AGREED}


def test_look_ups_say_contested_to_those_who_read_drafts_only(sign_in, row):
    sign_in("cfo").post(f"{BASE}contest/", {"clause": "row-1", "reason": "Discounts are ours."})

    pages = ("/?q=deal+desk", "/functions/deal_desk/", "/api/v1/functions/deal_desk/ownership/")
    for page in pages:
        assert "Contested in draft v1" in sign_in("auditor").get(page).content.decode(), page
        assert "Contested" not in sign_in("member").get(page).content.decode(), page


def test_a_reason_is_kept_whole_or_refused(sign_in, row):
    browser = sign_in("cfo")
    lines = "\r\n".join(["x" * 99] * 20)  # 1,999 characters as typed, more as browsers send them
    browser.post(f"{BASE}contest/", {"clause": "row-1", "reason": lines})
    assert Agreement.objects.get().reason == lines.replace("\r\n", "\n")

    for reason in ("x" * 2001, "No\0"):
        refused = browser.post(f"{BASE}contest/", {"clause": "row-2", "reason": reason})
        assert "Row 4.2" in told(refused)
        assert "is not contested" in told(refused)
    assert Agreement.objects.count() == 1


def test_agreeing_to_all_leaves_out_what_changed_while_reading(sign_in, draft, row, people):
    browser = sign_in("coo")
    tokens = browser.get(BASE).context["board"].read_tokens
    factories.edit(row, people, by="cro", scope_in="Changed.")

    answer = browser.post(f"{BASE}agree-all/", {"read": [*tokens, "nonsense", "row-99:1"]})

    words = told(answer)
    assert f"You agreed to {len(tokens) - 1} rows and articles." in words
    assert "Changed while you read, so not agreed: Row 4.1, Deal desk." in words
    assert "coo" not in factories.live_stances(row)


def test_freezing_too_early_names_what_blocks(sign_in, draft):
    answer = sign_in("cro").post(f"{BASE}freeze/")

    assert (answer.status_code, answer["Location"]) == (302, BASE)
    assert "still block freezing. First: " in told(answer)
    draft.refresh_from_db()
    assert draft.state == State.DRAFT


def test_freezing_what_all_agree_to_asks_for_signatures(sign_in, ready):
    answer = sign_in("coo").post(f"{BASE}freeze/")

    assert "NC-RB-1 is frozen." in told(answer)
    ready.refresh_from_db()
    assert ready.state == State.COSIGNING
    assert stages.mails_of("signature-asked") == {"signature-asked": 3}


def test_the_ceo_neither_agrees_nor_freezes(sign_in, ready):
    before = stages.everything()
    for page, data in (
        ("agree", {"clause": "row-1", "version": "1"}),
        ("contest", {"clause": "row-1", "reason": "No"}),
        ("agree-all", {"read": "row-1:1"}),
        ("freeze", {}),
        ("add-row", {"function": "deal_desk"}),
    ):
        assert sign_in("ceo").post(f"{BASE}{page}/", data).status_code == 403, page
    assert stages.everything() == before


def test_a_function_that_came_later_is_added_with_a_proposal(sign_in, draft):
    factories.another_function()
    browser = sign_in("corporate_secretary")
    assert "quota_and_capacity_setting" in browser.get(BASE).content.decode()

    answer = browser.post(f"{BASE}add-row/", {"function": "quota_and_capacity_setting"})

    assert answer["Location"] == f"{BASE}#row-6"
    assert draft.rows.get(position=6).owner
    assert browser.post(f"{BASE}add-row/", {"function": "nothing"}).status_code == 404


def test_the_board_shows_the_reason_that_sent_it_back(sign_in, ready, people):
    revision = factories.frozen(ready, people).revision
    answer = sign_in("cfo").post(f"{BASE}decline/", {"reason": "Row 4.4 is not what we said."})

    assert (answer.status_code, answer["Location"]) == (302, BASE)
    revision.refresh_from_db()
    assert revision.state == State.DRAFT
    page = sign_in("cro").get(BASE).content.decode()
    assert "Row 4.4 is not what we said." in page
    assert "Priya Raman" in page


def test_the_second_editor_of_the_dates_sees_which_stand(sign_in, draft):
    page = f"{BASE}articles/1/"
    text = draft.articles.get(key="control").text
    stale = {"version": "1", "text": text, "effective_date": "2027-02-01", "sunset_date": ""}
    sign_in("coo").post(page, stale | {"effective_date": "2027-01-15"})

    answer = sign_in("cro").post(page, stale)

    assert answer.status_code == 422
    conflict = answer.context["conflict"]
    dates = {one.label: (one.theirs, one.mine) for one in conflict.choices}
    assert dates["Effective date"] == ("2027-01-15", "2027-02-01")
    draft.refresh_from_db()
    assert draft.effective_date.isoformat() == "2027-01-15"
