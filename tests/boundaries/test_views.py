"""The pages of a boundary document: who gets which, and what a reader is told."""

from functools import partial

import pytest
import time_machine
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from boundaries import workflow
from boundaries.models import Acknowledgement, Document, Reading, Revision
from boundaries.states import State
from functions_catalog.models import Function
from tests.boundaries import factories, stages

pytestmark = pytest.mark.django_db

BASE = "/boundaries/NC-RB/1/"
ROLES = ("cro", "coo", "ceo", "revops_lead", "corporate_secretary", "auditor", "member")
NOBODY_READS = dict.fromkeys(ROLES, 404)


@pytest.fixture(autouse=True)
def _today():
    with time_machine.travel(factories.NOW, tick=False):
        yield


@pytest.fixture
def sign_in(people):
    """A browser in which this person has signed in."""

    def signing_in(office):
        client = Client()
        client.force_login(people[office])
        return client

    return signing_in


@pytest.fixture
def cosigning(people, functions):
    """Frozen; the COO has signed."""
    return factories.in_state(State.COSIGNING, people)


@pytest.fixture
def in_force(people, functions):
    return factories.in_force(people)


def told(answer):
    """The messages that an answer leaves for the next page."""
    return " ".join(str(one) for one in get_messages(answer.wsgi_request))


def text_of(answer):
    return answer.content.decode()


def statuses(sign_in, pages):
    """page -> role -> status of a GET."""
    browsers = {role: sign_in(role) for role in ROLES}
    return {
        page: {role: browsers[role].get(BASE + page).status_code for role in ROLES}
        for page in pages
    }


def each(**of):
    """role -> status: ``others`` for those not named."""
    others = of.pop("others")
    return {role: of.get(role, others) for role in ROLES}


# --- Who gets which page ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "page",
    [
        "/boundaries/",
        "/boundaries/open/",
        "/boundaries/NC-RB/",
        BASE,
        *(
            BASE + page
            for page in (
                "rows/1/",
                "articles/2/",
                "add-row/",
                "sign/",
                "sign/1/",
                "approve/",
                "decline/",
                "return/",
                "withdraw/",
                "acknowledge/",
                "text/",
                "signing-copy.pdf",
                "sealed.pdf",
                "qr.svg",
            )
        ),
    ],
)
def test_without_signing_in_every_page_leads_to_sign_in(client, in_force, page):
    answer = client.get(page)

    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/?next=")


@pytest.mark.parametrize("page", ["agree", "contest", "agree-all", "freeze", "confirm-carried"])
def test_buttons_are_posts_and_need_sign_in(client, sign_in, draft, page):
    assert client.post(f"{BASE}{page}/").status_code == 302
    assert sign_in("cro").get(f"{BASE}{page}/").status_code == 405


def test_pages_of_a_draft_by_role(sign_in, draft):
    editors = each(cro=200, coo=200, corporate_secretary=200, member=404, others=403)
    waits = each(member=404, others=302)
    assert statuses(
        sign_in,
        [
            "",
            "rows/1/",
            "articles/2/",
            "articles/4/",
            "add-row/",
            "sign/",
            "withdraw/",
            "text/",
            "qr.svg",
        ],
    ) == {
        "": each(member=404, others=200),
        "rows/1/": editors,
        "articles/2/": editors,
        "articles/4/": editors,
        "add-row/": editors,
        "sign/": waits,  # back to the board, which says what it waits for
        "withdraw/": each(cro=200, ceo=200, member=404, others=403),
        "text/": NOBODY_READS,  # nothing is frozen
        "qr.svg": NOBODY_READS,
    }


def test_pages_of_a_document_in_cosigning_by_role(sign_in, cosigning):
    assert statuses(
        sign_in,
        [
            *("", "text/", "rows/1/", "sign/", "approve/", "decline/", "return/", "withdraw/"),
            *("signing-copy.pdf", "sealed.pdf"),
        ],
    ) == {
        "": each(member=404, others=200),
        "text/": each(member=404, others=200),
        "rows/1/": each(member=404, others=302),
        "sign/": each(cro=200, coo=302, member=404, others=403),  # the COO has signed
        "approve/": each(member=404, others=302),
        "decline/": each(cro=200, coo=200, member=404, others=403),
        "return/": each(member=404, others=302),
        "withdraw/": each(ceo=200, member=404, others=403),  # somebody has signed
        "signing-copy.pdf": each(member=404, others=200),
        "sealed.pdf": NOBODY_READS,
    }


def test_pages_of_a_document_that_waits_for_approval_by_role(sign_in, people, functions):
    factories.in_state(State.AWAITING_APPROVAL, people)
    assert statuses(sign_in, ["", "sign/", "approve/", "decline/", "return/", "withdraw/"]) == {
        "": each(member=404, others=200),
        "sign/": each(member=404, others=302),
        "approve/": each(ceo=200, member=404, others=403),
        "decline/": each(cro=200, coo=200, member=404, others=403),
        "return/": each(ceo=200, member=404, others=403),
        "withdraw/": each(ceo=200, member=404, others=403),
    }


def test_pages_of_what_is_in_force_by_role(sign_in, in_force):
    stages.give_sealed_file(in_force)
    assert statuses(
        sign_in, ["", "text/", "sealed.pdf", "qr.svg", "acknowledge/", "rows/1/", "sign/"]
    ) == {
        "": each(others=200),
        "text/": each(others=200),
        "sealed.pdf": each(others=200),
        "qr.svg": each(others=200),
        "acknowledge/": each(revops_lead=200, others=403),
        "rows/1/": each(others=302),
        "sign/": each(others=302),
    }


@pytest.mark.parametrize(
    "state", [State.APPROVED, State.SUPERSEDED, State.EXPIRED_UNRENEWED, State.WITHDRAWN]
)
def test_every_other_state_has_its_page(sign_in, people, functions, state):
    factories.in_state(state, people)

    assert sign_in("cro").get(BASE).status_code == 200
    expected = 404 if state == State.WITHDRAWN else 200
    assert sign_in("member").get(BASE).status_code == expected


def test_how_long_it_is_in_force_is_counted_in_the_companys_days(sign_in, people, in_force):
    people["cro"].time_zone = "Asia/Tokyo"  # where it is tomorrow already
    people["cro"].save(update_fields=["time_zone"])

    assert sign_in("cro").get(BASE).context["days"] == 0


def test_why_a_draft_was_declined_is_for_those_who_read_drafts(sign_in, people, functions):
    revision = factories.in_state(State.COSIGNING, people)
    workflow.decline(
        revision=revision, reason="Row 4.2 is ours.", acting_user=people["cfo"], at=factories.NOW
    )
    stages.frozen(people, revision=revision, at=factories.NOW)
    stages.signed_by(revision, people, *stages.PARTIES, at=factories.NOW)
    stages.to_approve(revision, people["ceo"], at=factories.NOW).finish()

    assert "Row 4.2 is ours." in text_of(sign_in("auditor").get(BASE))
    told_to_member = text_of(sign_in("member").get(BASE))
    assert "declined to sign" in told_to_member
    assert "Row 4.2 is ours." not in told_to_member


def test_what_went_wrong_inside_is_for_those_who_take_part(sign_in, in_force):
    in_force.freezes.update(pdf_last_failure="/srv/keys is not there")

    assert "/srv/keys" in text_of(sign_in("cro").get(BASE))
    told_to_member = text_of(sign_in("member").get(BASE))
    assert "Making it failed." in told_to_member
    assert "/srv/keys" not in told_to_member


@pytest.mark.parametrize(
    "page",
    [
        "/boundaries/%00/",
        "/boundaries/%00/1/",
        "/functions/%00/",
        "/api/v1/documents/%00/revisions/1/",
        "/api/v1/functions/%00/ownership/",
        "/boundaries/NC-RB/99999999999999999999999/",
        f"/boundaries/NC-RB/{'9' * 5000}/",
        f"{BASE}rows/99999999999999999999999/",
        f"{BASE}sign/99999999999999999999999/",
    ],
)
def test_addresses_that_nobody_could_have_made_are_not_found(sign_in, draft, page):
    """PostgreSQL refuses a NUL in any text, and every number beyond its own."""
    assert sign_in("cro").get(page).status_code in (302, 404)


def test_a_function_that_nobody_could_have_named_is_not_found(sign_in, draft):
    answer = sign_in("cro").post(f"{BASE}add-row/", {"function": "deal_desk\0\0x"})
    assert answer.status_code == 404


def test_every_page_carries_the_content_security_policy(sign_in, draft, client):
    for answer in (
        sign_in("cro").get(BASE),
        sign_in("cro").get("/boundaries/"),
        client.get("/verify/"),
        sign_in("member").get(BASE),
    ):
        policy = answer["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy


# --- The list, opening, and where an address leads --------------------------------------------


def test_the_list_shows_each_reader_what_they_may_know_of(sign_in, people, in_force):
    workflow.amend(revision=in_force, acting_user=people["cro"], at=factories.NOW)

    assert "/boundaries/NC-RB/2/" in text_of(sign_in("coo").get("/boundaries/"))
    page = text_of(sign_in("member").get("/boundaries/"))
    assert "/boundaries/NC-RB/1/" in page
    assert "/boundaries/NC-RB/2/" not in page


def test_an_empty_list_offers_a_beginning_to_those_who_may(sign_in, functions):
    assert "/boundaries/open/" in text_of(sign_in("cro").get("/boundaries/"))
    assert "/boundaries/open/" not in text_of(sign_in("member").get("/boundaries/"))
    assert sign_in("member").get("/boundaries/open/").status_code == 403


def test_opening_the_company_boundary_leads_to_its_board(sign_in, functions):
    browser = sign_in("cro")
    assert browser.get("/boundaries/open/").status_code == 200
    answer = browser.post(
        "/boundaries/open/",
        {"kind": "company", "title": "Northwind Cloud RevOps boundary", "number": "NC-RB"},
    )

    assert (answer.status_code, answer["Location"]) == (302, BASE)
    assert Revision.objects.get().rows.count() == len(functions)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"kind": "company", "title": "Again", "number": "NC-TWO"}, "Open a part instead"),
        ({"kind": "part", "title": "A part", "number": "nc rb"}, "capital letters"),
        ({"kind": "part", "title": "A part", "number": "NC-P"}, "Choose at least one function."),
        (
            {"kind": "part", "title": "A part", "number": "NC-RB", "functions": ["deal_desk"]},
            "A document with the number NC-RB exists.",
        ),
    ],
)
def test_opening_refused_says_why_and_keeps_what_was_typed(sign_in, draft, data, words):
    answer = sign_in("cro").post("/boundaries/open/", data)

    assert answer.status_code == 422
    page = text_of(answer)
    assert words in page
    assert f'value="{data["title"]}"' in page
    assert Document.objects.count() == 1


def test_a_documents_address_leads_to_what_rules_else_to_the_newest(sign_in, people, in_force):
    assert sign_in("cro").get("/boundaries/NC-RB/")["Location"] == BASE
    workflow.amend(revision=in_force, acting_user=people["cro"], at=factories.NOW)
    assert sign_in("cro").get("/boundaries/NC-RB/")["Location"] == BASE
    assert sign_in("cro").get("/boundaries/NC-XX/").status_code == 404


def test_a_draft_is_not_found_by_a_member(sign_in, draft):
    assert sign_in("member").get("/boundaries/NC-RB/").status_code == 404
    for page in ("agree", "freeze", "agree-all"):
        assert sign_in("member").post(f"{BASE}{page}/").status_code == 404


@pytest.mark.parametrize("clause", ["row-99", "row-x", "table-1", "article-0", "row-1 OR 1", ""])
def test_a_clause_that_is_not_there_is_404(sign_in, draft, clause):
    answer = sign_in("cro").post(f"{BASE}agree/", {"clause": clause, "version": "1"})
    assert answer.status_code == 404


def test_only_editors_of_a_part_are_led_to_the_catalog(sign_in, people, functions, draft):
    factories.draft(people, number="NC-P", functions=[functions["deal_desk"]])
    words = "Add a function from the catalog"
    assert words in text_of(sign_in("cro").get("/boundaries/NC-P/1/"))
    assert words not in text_of(sign_in("auditor").get("/boundaries/NC-P/1/"))
    assert words not in text_of(sign_in("cro").get("/boundaries/NC-P/1/", {"show": "mine"}))
    assert words not in text_of(sign_in("cro").get(BASE))  # it has every function already


# --- Constant numbers of queries --------------------------------------------------------------


def queries_of(browser, page):
    browser.get(page)  # the first one reads the session and the cached company
    with CaptureQueriesContext(connection) as captured:
        assert browser.get(page).status_code == 200
    return len(captured)


def test_the_boards_queries_do_not_grow_with_rows(sign_in, people, draft):
    browser = sign_in("cro")
    few = queries_of(browser, BASE)
    for number in range(30):
        added = factories.another_function(key=f"own_function_{number}")
        factories.drafting.add_row(
            revision=draft, function=added, acting_user=people["cro"], at=factories.NOW
        )

    assert queries_of(browser, BASE) == few


def test_the_lists_queries_do_not_grow_with_documents(sign_in, people, functions):
    factories.in_force(people)
    browser = sign_in("cro")
    draft_of = partial(factories.draft, people, functions=[functions["deal_desk"]])
    # How far drafts are is read at once for all of them, and not at all where there is none.
    draft_of(number="NC-00")
    few = queries_of(browser, "/boundaries/")
    for number in range(1, 6):
        one = draft_of(number=f"NC-{number:02}")
        factories.all_agree(one, people)
    for number in range(6, 25):
        document = Document.objects.create(
            number=f"NC-{number:02}", title=f"Part {number}", opened_by=people["cro"]
        )
        Revision.objects.create(
            document=document,
            number=1,
            opened_by=people["cro"],
            opened_by_name="Maya Lindqvist",
            opened_by_office="CRO",
        )

    assert queries_of(browser, "/boundaries/") == few
    second = text_of(browser.get("/boundaries/", {"page": 2}))
    assert "/boundaries/NC-24/1/" in second
    assert browser.get("/boundaries/", {"page": "nonsense"}).status_code == 200


@pytest.mark.parametrize("state", [State.COSIGNING, State.IN_FORCE])
def test_a_frozen_texts_queries_do_not_grow_with_rows(sign_in, people, functions, state):
    factories.in_state(state, people)
    browser = sign_in("ceo")
    many = queries_of(browser, BASE)

    Function.objects.update(status=Function.Status.ACTIVE)
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM boundaries_row")
        assert cursor.fetchone()[0] == 5
    other = factories.draft(people, number="NC-ONE", functions=[factories.another_function()])
    other = factories.effective(other, people, factories.TODAY)
    factories.all_agree(other, people)
    factories.frozen(other, people)
    factories.cosigned(other, people, *(["coo"] if state == State.COSIGNING else []))
    if state == State.IN_FORCE:
        factories.approved(other, people)

    assert queries_of(browser, "/boundaries/NC-ONE/1/") == many


# --- In force ---------------------------------------------------------------------------------


def test_the_sealed_pdf_is_404_until_it_is_made(sign_in, in_force):
    browser = sign_in("member")
    assert browser.get(f"{BASE}sealed.pdf").status_code == 404
    assert "sealed.pdf" not in text_of(browser.get(BASE))

    content = stages.give_sealed_file(in_force)

    answer = browser.get(f"{BASE}sealed.pdf")
    assert (answer.status_code, answer.content) == (200, content)
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == 'attachment; filename="NC-RB-1.pdf"'
    assert answer["Cache-Control"] == "private, no-store"
    assert f"{BASE}sealed.pdf" in text_of(browser.get(BASE))


def test_opening_the_signing_copy_is_recorded_once_for_each_person(sign_in, cosigning, people):
    Reading.objects.filter(person=people["cro"]).delete()
    answer = sign_in("cro").get(f"{BASE}signing-copy.pdf")
    sign_in("cro").get(f"{BASE}signing-copy.pdf")

    assert answer.status_code == 200
    assert answer.content.startswith(b"signing copy of")
    assert "inline" in answer["Content-Disposition"]
    assert Reading.objects.filter(person=people["cro"]).count() == 1


def test_asking_for_the_headers_of_the_signing_copy_is_not_reading_it(sign_in, cosigning, people):
    Reading.objects.filter(person=people["cro"]).delete()

    assert sign_in("cro").head(f"{BASE}signing-copy.pdf").status_code == 405
    assert not Reading.objects.filter(person=people["cro"]).exists()


def test_the_signing_copy_that_is_still_being_made_is_told(sign_in, people, ready):
    workflow.freeze(revision=ready, acting_user=people["cro"], at=factories.NOW)

    answer = sign_in("cro").get(f"{BASE}signing-copy.pdf")
    assert (answer.status_code, answer["Location"]) == (302, BASE)
    assert "still being made" in told(answer)
    assert sign_in("cro").get(BASE).status_code == 200
    assert sign_in("cro").get(f"{BASE}sign/").status_code == 200


ASKS_AGAIN = {"HX-Request": "true"}


@pytest.mark.parametrize("page", [BASE, f"{BASE}sign/"])
def test_a_page_asks_again_until_the_signing_copy_is_made(sign_in, people, ready, page):
    freeze = workflow.freeze(revision=ready, acting_user=people["coo"], at=factories.NOW)
    browser = sign_in("cro")

    assert 'hx-trigger="every 2s"' in text_of(browser.get(page))
    nothing_new = browser.get(page, headers=ASKS_AGAIN)
    assert (nothing_new.status_code, nothing_new.content) == (204, b"")

    stages.give_signing_copy(freeze)

    made = text_of(browser.get(page, headers=ASKS_AGAIN))
    assert f"{BASE}signing-copy.pdf" in made
    assert "hx-trigger" not in made


def test_a_page_asks_again_until_the_sealed_pdf_is_made_or_fails(sign_in, in_force):
    browser = sign_in("member")
    assert 'hx-trigger="every 2s"' in text_of(browser.get(BASE))
    assert browser.get(BASE, headers=ASKS_AGAIN).status_code == 204

    in_force.freezes.update(pdf_last_failure="/srv/keys is not there")
    failed = text_of(browser.get(BASE, headers=ASKS_AGAIN))
    assert "Making it failed." in failed
    assert "hx-trigger" not in failed

    stages.give_sealed_file(in_force)
    made = text_of(browser.get(BASE, headers=ASKS_AGAIN))
    assert 'id="sealed-pdf"' in made
    assert "hx-trigger" not in made


def test_who_has_signed_is_offered_to_take_the_signature_back(sign_in, cosigning):
    for page in (BASE, f"{BASE}decline/"):
        unsigned = text_of(sign_in("cro").get(page))
        assert "I cannot sign this text" in unsigned
        assert "Take back my signature" not in unsigned

        signed = text_of(sign_in("coo").get(page))
        assert "Take back my signature" in signed
        assert "I cannot sign this text" not in signed


def test_those_it_waits_for_are_named_with_their_offices(sign_in, people, cosigning):
    cro, cfo = people["cro"].name, people["cfo"].name
    words = f"It waits for the signature of {cro} (CRO) and {cfo} (CFO)."
    assert words in text_of(sign_in("cro").get(BASE))


def test_amending_opens_the_next_version(sign_in, in_force):
    answer = sign_in("coo").post(f"{BASE}amend/")

    assert (answer.status_code, answer["Location"]) == (302, "/boundaries/NC-RB/2/")
    again = sign_in("cfo").post(f"{BASE}amend/")
    assert (again.status_code, again["Location"]) == (302, BASE)
    assert "NC-RB-2 is unfinished" in told(again)
    assert sign_in("member").post(f"{BASE}amend/").status_code == 403


def milestones():
    return {
        f"{period}_0_{part}": value
        for period in ("first", "second", "third")
        for part, value in (
            ("text", f"Do the {period}"),
            ("responsible", "Tomas Vega"),
            ("due_date", "2026-12-15"),
        )
    }


def test_the_revops_lead_acknowledges_with_a_plan(sign_in, in_force):
    browser = sign_in("revops_lead")
    answer = browser.post(f"{BASE}acknowledge/", milestones())

    assert (answer.status_code, answer["Location"]) == (302, f"{BASE}#plan")
    assert Acknowledgement.objects.get().milestones.count() == 3
    assert "Do the second" in text_of(browser.get(BASE))
    # Asking again leads to the plan.
    assert browser.get(f"{BASE}acknowledge/")["Location"] == f"{BASE}#plan"


def test_an_incomplete_plan_keeps_what_was_typed(sign_in, in_force):
    data = milestones() | {"second_0_text": "", "third_0_responsible": ""}
    answer = sign_in("revops_lead").post(f"{BASE}acknowledge/", data)

    assert answer.status_code == 422
    page = text_of(answer)
    assert 'value="Do the first"' in page
    assert "Give at least one milestone for Days 31-60." in page
    assert "Name who carries it out." in page
    assert not Acknowledgement.objects.exists()
