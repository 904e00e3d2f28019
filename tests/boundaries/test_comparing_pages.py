"""Comparing two versions: as a page, a PDF, by API and in mails, and who may."""

import io
import subprocess
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from knox.models import AuthToken
from pyhanko.pdf_utils.reader import PdfFileReader

from boundaries import comparison_pdf, content, versions, workflow
from boundaries.models import Revision
from notifications.models import OutgoingMail
from sealing import comparison, render
from sealing.errors import RenderFailed
from tests.boundaries import factories
from tests.boundaries.factories import NOW, article_of, edit, edit_data, in_force, row_of

pytestmark = pytest.mark.django_db

NEXT_WEEK = NOW + timedelta(days=7)
PAGE = "/boundaries/NC-RB/compare/"
PDF = "/boundaries/NC-RB/compare.pdf"


@pytest.fixture
def first(people, functions):
    """Version 1, in force."""
    return in_force(people)


@pytest.fixture
def amendment(first, people):
    """Version 2, a draft: another owner, a function left out, other words, one article."""
    draft = workflow.amend(revision=first, acting_user=people["cro"], at=NEXT_WEEK)
    edit(row_of(draft), people, owner="coo", at=NEXT_WEEK)
    edit(row_of(draft, "vendor_management"), people, owner="", left_out_reason="Gone.")
    edit(row_of(draft, "territory_planning"), people, scope_out="Nothing above $25,000.")
    edit_data(article_of(draft, "escalation"), people, leads_business_days=3, at=NEXT_WEEK)
    return Revision.objects.get(pk=draft.pk)


@pytest.fixture
def read(client):
    """Open an address as a person."""

    def reading(person, address=PAGE, **query):
        client.force_login(person)
        return client.get(address, query)

    return reading


def words(response):
    return " ".join(response.content.decode().split())


def test_the_page_says_who_took_what_and_which_words_moved(read, people, amendment):
    response = read(people["coo"])

    assert response.status_code == 200
    text = words(response)
    assert "1 owner changed" in text
    assert 'The <em data-owner="coo">COO</em> took <a href="#changed-4-1">Deal desk</a>' in text
    assert "No function was added, none retired, 1 left out" in text
    assert "2 of 5 rows did not change" in text
    assert "<ins>Nothing above $25,000.</ins>" in text
    assert "Within <del>2</del> <ins>3</ins> business days" in text
    assert "v1, signed by the CRO, the COO and the CFO and approved by the CEO" in text
    assert "v2 is a draft" in text
    assert response.context["counts"].changed == 4


FILTERS = [
    ("all", {"Escalation path", "Deal desk", "Vendor management", "Territory planning"}),
    ("owner", {"Deal desk"}),
    ("added", {"Vendor management"}),
    ("text", {"Escalation path", "Territory planning"}),
    ("nonsense", {"Escalation path", "Deal desk", "Vendor management", "Territory planning"}),
]


def test_filters_show_as_many_as_they_count(read, people, amendment):
    for show, expected in FILTERS:
        response = read(people["coo"], show=show)
        shown = {one.title for group in response.context["groups"] for one in group.changes}
        assert shown == expected, show
        (count,) = [count for _, count, _, current in response.context["filters"] if current]
        assert count == len(expected), show


def test_everything_shows_what_did_not_change_too(read, people, amendment):
    response = read(people["coo"], show="everything")
    shown = [one for group in response.context["groups"] for one in group.changes]
    assert len(shown) == response.context["counts"].everything
    assert "Billing and collections" in {one.title for one in shown}


def test_a_sentence_leads_to_its_row_where_the_filter_left_it_out(read, people, amendment):
    assert 'show=all#changed-4-1">Deal desk</a>' in words(read(people["coo"], show="text"))


def test_side_by_side_shows_both_texts(read, people, amendment):
    text = words(read(people["coo"], view="side"))
    assert "Within <del>2</del> business days" in text
    assert "Within <ins>3</ins> business days" in text


def test_one_version_twice_and_a_single_version(read, people, amendment):
    twice = read(people["coo"], **{"from": 2, "to": 2})
    assert twice.status_code == 200
    assert "That is v2 twice" in words(twice)
    alone = read(people["member"])
    assert alone.status_code == 200
    assert "There is only v1 to read" in words(alone)


def test_backwards_is_a_comparison_too(read, people, amendment):
    text = words(read(people["coo"], **{"from": 2, "to": 1}))
    assert "What changed from v2 to v1" in text
    assert 'The <em data-owner="cro">CRO</em> took <a href="#changed-4-1">Deal desk</a>' in text


def test_two_versions_that_read_alike(read, people, first):
    workflow.amend(revision=first, acting_user=people["cro"], at=NEXT_WEEK)
    assert "v2 reads word for word as v1" in words(read(people["coo"]))


# --- Who may ----------------------------------------------------------------------------------


def test_nobody_compares_without_signing_in(client, amendment):
    for address in (PAGE, PDF):
        response = client.get(address)
        assert response.status_code == 302, address
        assert "/sign-in" in response["Location"] or "login" in response["Location"], address


def test_a_draft_is_compared_only_by_who_may_read_it(read, people, amendment):
    refused = read(people["member"], **{"from": 1, "to": 2})
    assert refused.status_code == 404
    assert "There is no such version that you may read" in words(refused)
    assert "$25,000" not in words(refused)
    assert read(people["member"], PDF, **{"from": 1, "to": 2}).status_code == 404
    assert read(people["auditor"], **{"from": 1, "to": 2}).status_code == 200


def test_published_versions_are_compared_by_everybody(read, people, amendment):
    factories.brought_into_force(amendment, people, at=NEXT_WEEK)
    response = read(people["member"])
    assert response.status_code == 200
    assert "v1 was in force from 20 Nov 2026 to 27 Nov 2026." in words(response)


def test_what_is_not_there_is_said(read, people, amendment):
    for query in ({"from": "9"}, {"to": "x"}, {"from": "1", "to": "-1"}):
        response = read(people["coo"], **query)
        assert response.status_code == 404, query
        assert "Choose two of the versions above" in words(response), query


def test_an_unknown_document(read, people, amendment):
    assert read(people["coo"], "/boundaries/NO-SUCH/compare/").status_code == 404
    assert read(people["coo"], "/boundaries/NO-SUCH/compare.pdf").status_code == 404


# --- Versions ---------------------------------------------------------------------------------


def test_a_draft_that_lacks_much_can_be_compared(read, people, amendment):
    Revision.objects.filter(pk=amendment.pk).update(effective_date=None, sunset_date=None)
    amendment.rows.update(owner="", left_out_reason="")
    line = article_of(amendment, "reporting_line")
    for solid, shown in (([], "<del>CRO</del>"), (["cro", "coo"], "<ins>and COO</ins>")):
        line.data |= {"solid_lines": solid}
        line.save()
        response = read(people["coo"])
        assert response.status_code == 200
        assert shown in words(response)
    assert "Nobody yet" in words(response)


def test_a_frozen_version_reads_as_it_was_frozen(people, amendment):
    draft = content.draft_content(amendment)
    factories.all_agree(amendment, people, at=NEXT_WEEK)
    workflow.freeze(revision=amendment, acting_user=people["cro"], at=NEXT_WEEK)
    amendment.refresh_from_db()
    frozen = content.version_content(amendment)
    assert frozen["freeze"]["number"] == 1
    assert {"articles", "freeze"} == {key for key in frozen if frozen[key] != draft.get(key)}
    assert frozen["articles"][:-1] == draft["articles"]


def test_a_withdrawn_version_keeps_what_it_said(people, amendment):
    workflow.withdraw(revision=amendment, reason="No.", acting_user=people["ceo"], at=NEXT_WEEK)
    amendment.refresh_from_db()
    assert content.rows_of(content.version_content(amendment))["deal_desk"]["owner"] == "coo"
    assert versions.label(amendment) == "v2, withdrawn"


def test_the_usual_pair_is_what_is_on_its_way(people, first, amendment):
    found = list(first.document.revisions.order_by("number"))
    assert [one.number for one in versions.usual_pair(found)] == [1, 2]
    assert [one.number for one in versions.usual_pair(found[:1])] == [1, 1]


def test_queries_do_not_grow_with_the_rows(read, people, amendment):
    read(people["coo"])  # fills what is remembered in the process
    with CaptureQueriesContext(
        connection,
    ) as few:
        read(people["coo"])
    for n in range(20):
        function = factories.another_function(f"more_{n}")
        amendment.rows.create(function=function, position=50 + n, place=50 + n, owner="coo")
    with CaptureQueriesContext(connection) as many:
        response = read(people["coo"])
    assert response.context["counts"].added == 20
    assert len(many) == len(few)


def test_the_board_and_what_is_in_force_lead_here(client, people, amendment, first):
    for who in ("cro", "ceo", "auditor"):
        client.force_login(people[who])
        board = client.get(amendment.get_absolute_url()).content.decode()
        assert "/boundaries/NC-RB/compare/?from=1&amp;to=2" in board, who
        in_force = client.get(first.get_absolute_url()).content.decode()
        assert "/boundaries/NC-RB/compare/" in in_force, who


# --- PDF --------------------------------------------------------------------------------------


@pytest.fixture
def pdfs(settings):
    """PDFs can be asked for anew in each test."""
    cache.clear()


def text_of(pdf, directory):
    """The text of each page; skips where poppler is not installed."""
    path = directory / "redline.pdf"
    path.write_bytes(pdf)
    try:
        done = subprocess.run(
            ["pdftotext", "-layout", path, "-"], capture_output=True, check=True, text=True
        )
    except FileNotFoundError:
        pytest.skip("pdftotext (poppler-utils) is not installed")
    return done.stdout.rstrip("\f").split("\f")


@pytest.mark.skipif(render.weasyprint_problem() is not None, reason="WeasyPrint's Pango is missing")
def test_the_redline_as_a_pdf(read, people, amendment, pdfs, tmp_path):
    edit(row_of(amendment, "billing_and_collections"), people, rationale="Paid in \u2705 time <b>.")

    response = read(people["coo"], PDF, **{"from": 1, "to": 2})

    assert response.status_code == 200
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"] == ('attachment; filename="NC-RB-changes-v1-to-v2.pdf"')
    pdf = PdfFileReader(io.BytesIO(response.content))
    assert "/AcroForm" not in pdf.root  # nothing in it to sign
    box = pdf.root["/Pages"]["/Kids"][0]["/MediaBox"]
    assert [round(float(one)) for one in box] == [0, 0, 595, 842]
    pages = text_of(response.content, tmp_path)
    text = " ".join(" ".join(pages).split())
    assert "What changed from v1 to v2" in text
    assert "The COO took Deal desk from the CRO." in text
    assert all("Not a signed document" in page for page in pages)
    assert f"Page 1 of {len(pages)}" in text
    assert "[U+2705] time <b>." in text
    assert "It may have changed since." in text


def test_a_pdf_that_cannot_be_made_is_said(read, people, amendment, pdfs, monkeypatch, caplog):
    def fails(data):
        raise RenderFailed("The PDF could not be made: it took longer than 45 s.")

    monkeypatch.setattr(comparison, "render_comparison", fails)
    response = read(people["coo"], PDF, **{"from": 1, "to": 2})
    assert response.status_code == 503
    assert "it took longer than 45 s" in words(response)
    assert "/boundaries/NC-RB/compare/?from=1&amp;to=2" in words(response)
    assert "No redline of NC-RB-1 and NC-RB-2" in caplog.text


def test_too_much_for_a_pdf_is_refused(people, amendment, monkeypatch):
    monkeypatch.setattr(comparison, "MAX_REQUEST_BYTES", 1000)
    found = list(amendment.document.revisions.order_by("number"))
    with pytest.raises(comparison_pdf.CannotBeMade, match="too large"):
        comparison_pdf.make(versions.compared(*found), at=NEXT_WEEK)


def test_many_pdfs_in_a_minute_are_refused(read, people, amendment, pdfs, monkeypatch):
    monkeypatch.setattr(comparison, "render_comparison", lambda data: b"%PDF-1.7")
    answers = [read(people["coo"], PDF, **{"from": 1, "to": 2}).status_code for _ in range(11)]
    assert answers == [200] * 10 + [429]


def test_a_pdf_of_one_version_twice_is_not_there(read, people, amendment):
    assert read(people["coo"], PDF, **{"from": 1, "to": 1}).status_code == 404


def test_nothing_typed_is_read_as_html():
    data = {
        "organisation": "A & <i>B</i>",
        "document": "NC-RB",
        "title": "<script>",
        "before": "v1",
        "after": "v2",
        "sentences": ["<u>"],
        "made": "today",
        "draft": False,
        "names": {},
        "counts": {"unchanged_rows": 0, "unchanged_articles": 1},
        "summary": [{"heading": "<h9>", "sentences": ["<q>"], "note": ""}],
        "control": [],
        "groups": [
            {
                "key": "cro",
                "title": "<x1>",
                "changes": [
                    {
                        "what": "row",
                        "kind": "text",
                        "reference": "<x2>",
                        "title": "<x3>",
                        "words": "<x4>",
                        "owner_before": "cro",
                        "owner_after": "cro",
                        "entries": [
                            {
                                "name": "<x5>",
                                "change": "changed",
                                "fields": [
                                    {
                                        "label": "<x6>",
                                        "pieces": [
                                            {"kind": "removed", "text": "<x7>"},
                                            {"kind": "added", "text": "<x8>"},
                                        ],
                                    }
                                ],
                            }
                        ],
                    }
                ],
            }
        ],
    }
    html = comparison.page(data)
    for tag in ("<i>", "<script>", "<u>", "<h9>", "<q>", *(f"<x{n}>" for n in range(1, 9))):
        assert tag not in html
    assert "<del>&lt;x7&gt;</del> <ins>&lt;x8&gt;</ins>" in html


# --- API and mails ----------------------------------------------------------------------------


@pytest.fixture
def ask(client):
    def asking(person, **query):
        _, token = AuthToken.objects.create(person)
        answered = client.get(
            "/api/v1/documents/NC-RB/compare/",
            query,
            headers={"authorization": f"Bearer {token}"},
        )
        return answered.status_code, answered.json()

    return asking


def test_the_api_answers_what_the_page_shows(ask, read, people, amendment):
    page = read(people["coo"]).context
    status, data = ask(people["coo"], **{"from": 1, "to": 2})

    assert status == 200
    assert data["after"] == {
        "number": 2,
        "reference": "NC-RB-2",
        "state": "draft",
        "frozen": False,
    }
    assert data["counts"]["changed"] == page["counts"].changed == 4
    assert [one["heading"] for one in data["summary"]] == [one.heading for one in page["summary"]]
    assert [
        (group["title"], [one["title"] for one in group["changes"]]) for group in data["groups"]
    ] == [(group.title, [one.title for one in group.changes]) for group in page["groups"]]
    (deal_desk,) = [
        one for group in data["groups"] for one in group["changes"] if one["key"] == "deal_desk"
    ]
    assert (deal_desk["kind"], deal_desk["owner_before"], deal_desk["owner_after"]) == (
        "owner",
        "cro",
        "coo",
    )
    assert deal_desk["entries"][0]["fields"][0]["pieces"] == [
        {"kind": "removed", "text": "CRO"},
        {"kind": "added", "text": "COO"},
    ]


INCOMPLETE = [
    ({"from": "1"}, 400),
    ({"from": "1", "to": "two"}, 400),
    ({"from": "1", "to": "9"}, 404),
    ({"from": "1", "to": "2", "show": "some"}, 400),
]


def test_the_api_says_what_is_missing(ask, people, amendment):
    for query, status in INCOMPLETE:
        assert ask(people["coo"], **query)[0] == status, query


def test_the_api_shows_drafts_only_to_who_may_read_them(ask, people, amendment):
    assert ask(people["member"], **{"from": 1, "to": 2})[0] == 404


def test_mails_that_ask_to_sign_say_what_changed(people, amendment):
    factories.all_agree(amendment, people, at=NEXT_WEEK)
    workflow.freeze(revision=amendment, acting_user=people["cro"], at=NEXT_WEEK)
    mails = OutgoingMail.objects.filter(kind="signature-asked", key__contains="NC-RB-2")
    assert len(mails) == 3
    said = "3 of 5 rows and 1 article changed since v1; 1 row has another owner"
    assert all(said in one.text for one in mails)
    first = OutgoingMail.objects.filter(kind="signature-asked", key__contains="NC-RB-1").first()
    assert first is not None and "changed since" not in first.text


def test_who_signs_sees_above_the_text_what_changed(client, people, amendment):
    factories.all_agree(amendment, people, at=NEXT_WEEK)
    factories.with_signing_copy(
        workflow.freeze(revision=amendment, acting_user=people["cro"], at=NEXT_WEEK)
    )
    client.force_login(people["cfo"])
    text = words(client.get(f"{amendment.get_absolute_url()}sign/"))
    assert "What changed since v1" in text
    assert "/boundaries/NC-RB/compare/?from=1&amp;to=2#changed-4-1" in text
