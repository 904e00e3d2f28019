"""The look-up page and the function page."""

import re
from dataclasses import replace
from datetime import date

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from functions_catalog import registry
from functions_catalog.as_of import read_date
from functions_catalog.errors import BadDate
from functions_catalog.models import Function, MissedSearch
from functions_catalog.ownership import Answer
from functions_catalog.queries import look_up
from functions_catalog.templatetags.catalog_words import boundary_text
from people.appointments import appoint
from people.models import Appointment

from .builders import AT, MDM_PARTS, answer, in_force
from .conftest import TODAY

FIRST, SECOND = date(2025, 3, 3), date(2026, 2, 12)
LOOKUP = "/"

pytestmark = pytest.mark.usefixtures("catalog", "now")


@pytest.fixture
def member(executives, client):
    """Ana Brandt, a sales manager without an Office, is signed in."""
    client.force_login(executives["member"])
    return executives["member"]


@pytest.fixture
def boundary(member):
    """NC-RB-1 since 3 Mar 2025, replaced by NC-RB-2 on 12 Feb 2026."""
    in_force(
        [
            answer("deal_desk", "coo"),
            answer("master_data_management", "coo"),
            answer("commission_calculation_and_payout", "cro"),
        ],
        FIRST,
    )
    in_force(
        [
            answer("deal_desk", "cro", revision=2, scope_in="- Structure\n- Discounts"),
            answer("master_data_management", parts=MDM_PARTS, revision=2),
            answer(
                "commission_calculation_and_payout",
                "cfo",
                revision=2,
                consulted=("cro",),
                informed=("revops_lead",),
            ),
        ],
        SECOND,
        revision=2,
    )


def page(client, address, **query) -> str:
    answered: HttpResponse = client.get(address, query)
    assert answered.status_code == 200
    return answered.content.decode()


def words(html: str) -> str:
    """The text of a page without tags, spaces collapsed."""
    html = re.sub(r"<(script|style).*?</\1>", "", html, flags=re.S)
    text = re.sub(r"<[^>]+>", "", html)
    return " ".join(text.replace("&#x27;", "'").replace("&quot;", '"').split())


def function_page(key="deal_desk"):
    return reverse("functions_catalog:function", args=[key])


# --- The look-up page -----------------------------------------------------------------------


@pytest.mark.parametrize("address", [LOOKUP, "/functions/deal_desk/"])
def test_pages_need_sign_in(client, company, address):
    answered = client.get(address)
    assert answered.status_code == 302
    assert answered.url.startswith("/accounts/login/")


@pytest.mark.parametrize("address", [LOOKUP, "/functions/deal_desk/"])
def test_pages_only_read(client, member, address):
    assert client.post(address).status_code == 405


def test_function_has_a_stable_address(member):
    assert function_page("deal_desk") == "/functions/deal_desk/"


def test_search_answers_in_a_sentence_first(client, boundary):
    text = words(page(client, LOOKUP, q="my commission"))
    assert "The CFO owns Commission calculation and payout." in text
    assert "Matched the alias my commission." in text
    assert "Priya Raman" in text  # who holds the Office now
    assert "NC-RB-2, row 4.21" in text  # where it is written
    assert "2 functions match “my commission”, read from NC-RB-2, in force on 20 Nov 2026." in text


def test_split_function_is_answered_with_its_parts(client, boundary):
    text = words(page(client, LOOKUP, q="dedupe"))
    assert "The CRO and the COO own parts of Master data management." in text
    assert "CRO Accounts and contacts" in text
    assert "COO Products and employees" in text


def test_past_date_is_answered_from_the_revision_then_in_force(client, boundary):
    text = words(page(client, LOOKUP, q="deal desk", on="11 Feb 2026"))
    assert "The COO owned Deal desk on 11 Feb 2026." in text
    assert "NC-RB-1, row 4.2" in text
    assert "in force 3 Mar 2025 until 12 Feb 2026" in text
    assert "The CRO owned Deal desk on 12 Feb 2026." in words(
        page(client, LOOKUP, q="deal desk", on="2026-02-12")
    )


def test_future_date_is_answered_from_what_is_approved(client, boundary):
    starts = date(2026, 12, 12)
    coming = replace(answer("deal_desk", "cfo", revision=3), in_force_from=starts)
    registry.register_outlook(lambda day: {"deal_desk": coming} if day >= starts else {})
    text = words(page(client, LOOKUP, q="deal desk", on="2026-12-12"))
    assert "The CFO will own Deal desk on 12 Dec 2026." in text
    assert "approved, in force from 12 Dec 2026" in text
    assert "The CRO will own Deal desk on 11 Dec 2026." in words(
        page(client, LOOKUP, q="deal desk", on="2026-12-11")
    )


def test_function_without_an_owner_says_whom_to_ask(client, boundary):
    text = words(page(client, LOOKUP, q="territory planning"))
    assert "Nobody owns Territory planning yet." in text
    assert "Until it has an owner, ask Tomas Vega, RevOps Lead." in text
    assert "Elsewhere it tends to sit with the CRO: sales effectiveness." in text


def test_whole_boundary_is_shown_below_with_matches_marked(client, boundary):
    html = page(client, LOOKUP, q="deal desk")
    assert "<mark>Deal desk</mark>" in html
    assert "<mark>Territory planning</mark>" not in html
    text = words(html)
    assert "The whole boundary, 20 Nov 2026" in text
    assert "3 functions with an owner, 32 without. Matches are marked." in text
    assert "CRO 1" in text and "Hybrid 1" in text and "CFO 1" in text and "Unassigned 32" in text


@pytest.mark.parametrize(
    ("owner", "shown"),
    [
        ("cro", {"deal_desk", "master_data_management"}),  # a part counts
        ("coo", {"master_data_management"}),
        ("cfo", {"commission_calculation_and_payout"}),
        ("hybrid", {"master_data_management"}),
    ],
)
def test_filter_keeps_what_an_owner_has(boundary, client, member, owner, shown):
    found = look_up(query="", on=TODAY, reader=member, at=timezone.now(), owner_filter=owner)
    assert {one.function.key for column in found.columns for one in column.entries} == shown
    html = page(client, LOOKUP, owner=owner)
    for key in ("deal_desk", "master_data_management", "commission_calculation_and_payout"):
        assert (f'href="{function_page(key)}"' in html) == (key in shown)


def test_filter_for_unassigned_shows_what_nobody_owns(client, boundary):
    html = page(client, LOOKUP, owner="none")
    assert "Functions without an owner, 20 Nov 2026" in html
    assert function_page("territory_planning") in html
    assert function_page("deal_desk") not in html


def test_filter_that_hides_every_hit_says_so(client, boundary):
    text = words(page(client, LOOKUP, q="deal desk", owner="cfo"))
    assert "No function of this owner matches “deal desk”" in text
    assert "1 function matches “deal desk” under another owner." in text
    assert not MissedSearch.objects.exists()


@pytest.mark.parametrize("on", ["3/4/2026", "soon", "2026-02-30", "2026", "\x00"])
def test_bad_date_says_how_to_write_it_and_keeps_what_was_typed(client, boundary, on):
    html = page(client, LOOKUP, q="deal desk", on=on)
    assert 'value="deal desk"' in html
    assert "aria-invalid" in html
    text = words(html)
    assert (
        "Write the date as 2026-11-20 or 20 Nov 2026." in text
        or "There is no 2026-02-30 in the calendar." in text
        or "Null characters" in text
    )
    assert "owns Deal desk" not in text


def test_date_before_the_first_boundary_says_when_it_began(client, boundary):
    text = words(page(client, LOOKUP, q="deal desk", on="1 Jan 2025"))
    assert "No boundary was in force on 1 Jan 2025. The first began on 3 Mar 2025." in text
    assert "Nobody owned Deal desk on 1 Jan 2025." in text


def test_before_any_boundary_the_page_shows_where_functions_tend_to_sit(client, member):
    text = words(page(client, LOOKUP))
    assert "No boundary is in force yet" in text
    assert "Nobody has agreed to any of it here." in text
    assert "Negotiated 5" in text
    assert "The CRO owns" not in text


def test_search_that_finds_nothing_is_kept_as_a_candidate(client, boundary):
    text = words(page(client, LOOKUP, q="zebra leasing"))
    assert "No function goes by that name" in text
    page(client, LOOKUP, q="Zebra  Leasing")
    assert MissedSearch.objects.values_list("text", "count").get() == ("zebra leasing", 2)


def test_what_is_asked_while_typing_is_not_kept(client, boundary):
    client.get(LOOKUP, {"q": "zebra lea"}, headers={"hx-request": "true"})
    assert not MissedSearch.objects.exists()


@pytest.mark.parametrize("owner", ["ceo", "nobody", "' OR 1=1"])
def test_unknown_owner_is_refused_in_words(client, boundary, owner):
    assert "Select a valid choice" in page(client, LOOKUP, owner=owner)


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", '"><img src=x onerror=y>'])
def test_what_was_typed_is_escaped(client, boundary, hostile):
    html = page(client, LOOKUP, q=hostile, on=hostile)
    assert hostile not in html
    assert escape(hostile) in html
    html = page(client, LOOKUP, q=hostile)
    assert hostile not in html


def test_endless_query_is_cut(client, boundary):
    html = page(client, LOOKUP, q="deal desk " * 900)
    assert 'maxlength="80"' in html


def test_links_keep_to_the_date_asked_for(client, boundary):
    assert "/functions/deal_desk/?on=2025-06-01" in page(client, LOOKUP, on="1 Jun 2025")
    assert "?on=" not in page(client, LOOKUP)


def test_pages_carry_no_inline_style_or_script(client, boundary):
    for html in (page(client, LOOKUP, q="deal"), page(client, function_page())):
        assert " style=" not in html
        assert "<style" not in html
        assert "<script>" not in html
        assert " onclick=" not in html


def test_acting_holder_is_named_as_such(client, boundary, executives):
    appoint(
        person=executives["coo"],
        office_key="cfo",
        starts_on=date(2026, 11, 1),
        ends_on=date(2026, 12, 1),
        acting=True,
        instrument="Letter of 30 Oct 2026",
        acting_user=None,
        at=AT,
    )
    assert "Daniel Osei, Acting CFO" in words(page(client, LOOKUP, q="my commission"))


def test_vacant_office_says_so(client, boundary):
    Appointment.objects.filter(office__key="cfo").update(ends_on=date(2026, 11, 1))
    assert "vacant now" in words(page(client, LOOKUP, q="my commission"))


def test_standing_that_an_upper_app_gives_is_shown_once_asked_for_all(client, boundary):
    asked = []

    def standings(keys, person, day):
        asked.append((len(keys), person.name, day))
        return {"deal_desk": [registry.Standing("Contested in draft v3", state="contested")]}

    registry.register_standings(standings)
    assert 'data-state="contested">Contested in draft v3' in page(client, LOOKUP, q="deal desk")
    assert asked == [(35, "Ana Brandt", TODAY)]


def test_document_is_linked_where_its_page_is_known(client, boundary):
    registry.register_document_link(
        lambda number, revision, row: f"/boundaries/{number}/{revision}/{row and f'#{row}'}"
    )
    html = page(client, LOOKUP, q="deal desk")
    assert '<a href="/boundaries/NC-RB/2/">NC-RB-2</a>' in html
    assert '<a href="/boundaries/NC-RB/2/#4.2">NC-RB-2, row 4.2</a>' in html


# --- The function page ----------------------------------------------------------------------


def test_function_page_says_all_that_the_document_says(client, boundary):
    text = words(page(client, function_page("commission_calculation_and_payout")))
    assert "The CFO owns Commission calculation and payout." in text
    assert "consultedMaya Lindqvist, CRO" in text
    assert "Tomas Vega, RevOps Lead" in text
    assert "It touches financial reporting: the CFO may veto a change to this row." in text
    assert "Northwind Cloud RevOps boundary, NC-RB-2, row 4.21" in text
    assert "Also calledmy commission, clawback" in text


def test_function_page_lists_who_has_held_it_newest_first(client, boundary):
    text = words(page(client, function_page("master_data_management")))
    split = text.index("NC-RB-2, row 4.19 split it: Accounts and contacts to the CRO")
    gave = text.index("NC-RB-1, row 4.19 gave it to the COO.")
    assert split < gave
    assert "COO346 days" in text and "Hybrid281 days so far" in text


def test_function_page_reads_any_date(client, boundary):
    text = words(page(client, function_page(), on="2025-06-01"))
    assert "The COO owned Deal desk on 1 Jun 2025." in text
    assert "Daniel Osei, COO" in text and "holds the Office now" in text


def test_function_page_keeps_a_bad_date(client, boundary):
    html = page(client, function_page(), on="yesterday-ish")
    assert 'value="yesterday-ish"' in html
    assert "Write the date as 2026-11-20" in html
    assert "owns Deal desk" not in words(html)


def test_function_page_before_the_first_boundary(client, boundary):
    text = words(page(client, function_page(), on="1 Jan 2025"))
    assert "No boundary was in force on 1 Jan 2025. The first began on 3 Mar 2025." in text


def test_function_that_nobody_has_yet_says_what_will_appear(client, boundary):
    text = words(page(client, function_page("sales_enablement")))
    assert "Nobody owns Sales enablement yet." in text
    assert "Once a boundary comes in force, each owner and date is listed here." in text


def test_unknown_function_is_not_found(client, boundary):
    assert client.get("/functions/no_such/").status_code == 404


def test_retired_function_stays_readable_and_points_to_its_successor(client, boundary):
    Function.objects.filter(key="deal_desk").update(
        status="retired", successor=Function.objects.get(key="quote_to_cash")
    )
    text = words(page(client, function_page()))
    assert "This function is retired." in text
    assert "It is now part of Quote-to-cash / CPQ." in text
    assert "The CRO owns Deal desk." in text  # until a Revision says otherwise


def test_panel_that_an_upper_app_adds_is_shown(client, boundary):
    def panels(function, person, day):
        return [
            registry.Panel(
                "components/notice.html", {"asked": (function.key, person.name, day.isoformat())}
            )
        ]

    registry.register_panels(panels)
    assert 'class="notice"' in page(client, function_page())


def test_revision_replaced_the_same_day_is_told(client, boundary):
    again = date(2026, 3, 1)
    in_force([answer("deal_desk", "cfo", revision=3)], again, revision=3)
    in_force([answer("deal_desk", "cro", revision=4)], again, revision=4)
    text = words(page(client, function_page()))
    assert "moved it from the CRO to the CFO. It was replaced the same day." in text


# --- Costs ----------------------------------------------------------------------------------


@pytest.mark.parametrize("query", [{}, {"q": "extra"}, {"q": "extra", "on": "2025-06-01"}])
def test_lookup_costs_the_same_queries_for_one_function_and_fifty(client, boundary, query):
    def add(numbers):
        for number in numbers:
            Function.objects.create(
                key=f"extra_{number}",
                name=f"Extra {number}",
                category="commercial",
                covers="More.",
                natural_owner="cro",
                position=100 + number,
            )

    def cost():
        client.get(LOOKUP, query)  # fills caches that are not ours
        with CaptureQueriesContext(
            connection,
        ) as captured:
            page(client, LOOKUP, **query)
        return len(captured)

    # The extras stand in a document of their own.
    def answers_of(revision, count):
        return [
            replace(answer(f"extra_{number}", "cro", revision=revision), document_number="NC-X")
            for number in range(count)
        ]

    add(range(1))
    in_force(answers_of(1, 1), date(2025, 4, 1), number="NC-X", revision=1)
    few = cost()
    add(range(1, 50))
    in_force(answers_of(2, 50), date(2025, 4, 2), number="NC-X", revision=2)
    assert cost() == few
    # Among them: the session's own row, which Offices are not established, how much news is unread,
    # and whether orders, exceptions and disputes wait for the reader.
    assert few <= (17 if query else 14)


def test_function_page_costs_the_same_queries_after_fifty_revisions(client, boundary):
    def cost():
        with CaptureQueriesContext(connection) as captured:
            page(client, function_page())
        return len(captured)

    cost()  # the first request notes that the session is in use
    few = cost()
    for revision in range(3, 53):
        in_force([answer("deal_desk", "cro", revision=revision)], SECOND, revision=revision)
    assert cost() == few


# --- Dates and text -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("", TODAY),
        ("today", TODAY),
        ("2026-03-03", date(2026, 3, 3)),
        ("2026-3-3", date(2026, 3, 3)),
        (" 3 Mar 2026 ", date(2026, 3, 3)),
        ("3 march 2026", date(2026, 3, 3)),
        ("Mar 3, 2026", date(2026, 3, 3)),
    ],
)
def test_date_is_read_as_people_write_it(text, day):
    assert read_date(text, today=TODAY) == day


@pytest.mark.parametrize("text", ["03/04/2026", "20261120", "2026-W10-1", "0000-01-01", "3 Mar"])
def test_date_that_can_be_misread_is_refused(text):
    with pytest.raises(BadDate):
        read_date(text, today=TODAY)


def test_boundary_text_becomes_paragraphs_and_lists_and_is_escaped():
    assert boundary_text("One\ntwo\n\n- a\n- <b>\nAfter") == (
        "<p>One<br>two</p><ul><li>a</li><li>&lt;b&gt;</li></ul><p>After</p>"
    )
    assert boundary_text("") == ""


def test_sentence_names_three_owners_of_a_split_function(member):
    three = (("a", "A", "cro"), ("b", "B", "legal"), ("c", "C", "cfo"))
    in_force([answer("deal_desk", parts=three)], FIRST)
    found = look_up(query="deal desk", on=TODAY, reader=member, at=timezone.now())
    assert found.results[0].sentence == "The CRO, Legal and the CFO own parts of Deal desk."
    assert isinstance(found.results[0].answer, Answer)
