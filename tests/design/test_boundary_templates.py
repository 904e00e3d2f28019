"""What the pages of boundaries make of the contexts that their views give them."""

from types import SimpleNamespace

import pytest
from django.template.loader import render_to_string

CONTENT = {
    "organisation": "Northwind Cloud",
    "document": {"number": "NC-RB", "title": "Northwind Cloud RevOps boundary"},
    "revision": {
        "number": 4,
        "reference": "NC-RB-4",
        "supersedes": 3,
        "effective_date": "2026-12-12",
        "sunset_date": "2027-12-12",
    },
    "parties": [
        {"office": "cro", "title": "Chief Revenue Officer", "short": "CRO"},
        {"office": "coo", "title": "Chief Operating Officer", "short": "COO"},
        {"office": "cfo", "title": "Chief Financial Officer", "short": "CFO"},
    ],
    "approver": {"office": "ceo", "title": "Chief Executive Officer", "short": "CEO"},
    "articles": [
        {"number": 1, "key": "control", "title": "Control", "text": "One\n\nTwo <b>"},
        {
            "number": 4,
            "key": "allocations",
            "title": "Allocations",
            "text": "",
            "rows": [
                {
                    "reference": "4.1",
                    "name": "Master data management",
                    "owner": "hybrid",
                    "touches_financial_reporting": True,
                    "sub_scopes": [{"name": "Accounts and contacts", "owner": "cro"}],
                    "scope_in": "- Merge duplicates",
                    "scope_out": "",
                    "consulted": ["cfo"],
                    "informed": [],
                    "rationale": "Both need it.",
                }
            ],
            "left_out": [{"reference": "4.2", "name": "Referral fees", "reason": "Not yet."}],
        },
    ],
}


def test_paper_shows_the_whole_text():
    page = render_to_string(
        "boundaries/_paper.html", {"content": CONTENT, "sha256": "ab12" * 16, "signers": []}
    )
    words = " ".join(page.split())
    assert (
        "Between the Chief Revenue Officer, the Chief Operating Officer and the Chief Financial "
        "Officer, for approval by the Chief Executive Officer." in words
    )
    assert "Replaces version 3" in words
    assert "<p>One</p><p>Two &lt;b&gt;</p>" in page
    assert "12 Dec 2026" in page
    assert "<li>Merge duplicates</li>" in page
    assert "Touches financial reporting" in page
    assert "Accounts and contacts" in page
    assert "Asked first: CFO." in words
    assert "Told after" not in words
    assert "Not yet." in page
    assert "ab12 ab12" in page


def verdict_page(**judgement):
    fields = {"good": False, "genuine": False, "standing": "unknown", "revision": None}
    verdict = SimpleNamespace(
        kind="altered",
        reference="NC-RB-4",
        signatures=[],
        timestamp_authority="",
        content_sha256="",
        file_sha256="",
    )
    context = {
        "judgement": SimpleNamespace(
            headline="The verdict", sentences=["Why."], verdict=verdict, **(fields | judgement)
        ),
        "company": SimpleNamespace(name="Northwind Cloud", is_demo=False),
    }
    return render_to_string("boundaries/verify.html", context)


@pytest.mark.parametrize(
    ("judgement", "looks"),
    [
        ({"good": True, "genuine": True, "standing": "in_force"}, '<div class="verdict" role'),
        ({"genuine": True, "standing": "superseded"}, 'data-kind="note"'),
        ({"standing": "incomplete"}, 'data-kind="note"'),
        ({"standing": "unknown"}, 'data-kind="bad"'),
        ({"standing": "voided"}, 'data-kind="bad"'),
    ],
)
def test_verdict_looks_as_it_says(judgement, looks):
    assert looks in verdict_page(**judgement)


def test_verdict_says_what_to_do():
    page = verdict_page(advice="Ask the company for the original <file>.")
    assert "<dt>What to do</dt><dd>Ask the company for the original &lt;file&gt;.</dd>" in page
