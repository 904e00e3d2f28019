"""Boundary documents for programs: read only, and no more than the person may read."""

import json

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from knox.models import AuthToken

from boundaries import workflow
from boundaries.models import Document, Freeze, Revision
from boundaries.states import State
from tests.boundaries import factories, stages

pytestmark = pytest.mark.django_db

DOCUMENTS = "/api/v1/documents/"


def revision_at(number="NC-RB", n=1):
    return f"{DOCUMENTS}{number}/revisions/{n}/"


@pytest.fixture
def ask(client):
    """Ask an address with a person's token; gives status and JSON."""

    def asking(person, address, **query):
        _, token = AuthToken.objects.create(person)
        answered = client.get(address, query, headers={"authorization": f"Bearer {token}"})
        return answered.status_code, answered.json()

    return asking


@pytest.fixture
def in_force(people, functions):
    """The company boundary in force, with its sealed file."""
    revision = factories.in_force(people)
    stages.give_sealed_file(revision)
    return revision


def test_nobody_reads_without_a_token(client, in_force):
    for address in (DOCUMENTS, revision_at()):
        assert client.get(address).status_code == 401
        answered = client.get(address, headers={"authorization": "Bearer 0123456789abcdef"})
        assert answered.status_code == 401
        assert "NC-RB" not in answered.content.decode()


def test_issue_token_prints_a_token_that_reads(client, people, in_force, capsys):
    call_command("issue_token", people["member"].email)
    token = capsys.readouterr().out.strip()

    answered = client.get(DOCUMENTS, headers={"authorization": f"Bearer {token}"})

    assert answered.status_code == 200
    assert stages.events_of("token.issued") == {"token.issued": 1}


def test_documents_lists_what_rules_and_what_is_being_written(ask, people, in_force):
    amendment = workflow.amend(revision=in_force, acting_user=people["cro"], at=factories.NOW)

    status, data = ask(people["coo"], DOCUMENTS)

    assert status == 200
    (card,) = data["results"]
    assert (card["number"], card["is_company_boundary"]) == ("NC-RB", True)
    assert card["in_force"] == {
        "number": 1,
        "reference": "NC-RB-1",
        "state": "in_force",
        "effective_date": "2026-11-20",
        "sunset_date": "2027-11-20",
        "in_force_from": "2026-11-20T10:00:00-05:00",
        "in_force_until": None,
    }
    assert card["unfinished"]["reference"] == amendment.reference
    assert card["latest"]["number"] == 2


def test_a_member_sees_neither_draft_nor_that_there_is_one(ask, people, in_force):
    workflow.amend(revision=in_force, acting_user=people["cro"], at=factories.NOW)

    status, data = ask(people["member"], DOCUMENTS)
    assert status == 200
    assert data["results"][0]["unfinished"] is None
    assert data["results"][0]["latest"]["number"] == 1
    assert ask(people["member"], revision_at(n=2))[0] == 404
    assert ask(people["coo"], revision_at(n=2))[0] == 200


def test_a_document_that_is_only_a_draft_is_hidden_from_members(ask, people, draft):
    assert ask(people["member"], DOCUMENTS)[1]["results"] == []
    assert ask(people["member"], revision_at())[0] == 404
    assert ask(people["auditor"], DOCUMENTS)[1]["count"] == 1


def test_a_revision_is_given_whole_with_its_signatures_and_pdf(ask, people, in_force):
    status, data = ask(people["member"], revision_at())

    freeze = Freeze.objects.get()
    assert status == 200
    assert data["content"] == json.loads(bytes(freeze.content))
    assert data["content_sha256"] == freeze.content_sha256
    assert data["pdf"].endswith("/boundaries/NC-RB/1/sealed.pdf")
    assert data["pdf_sha256"] == freeze.sealed_sha256
    assert [(one["office"], one["office_name"], one["role"]) for one in data["signatures"]] == [
        ("cro", "CRO", "cosigner"),
        ("coo", "COO", "cosigner"),
        ("cfo", "CFO", "cosigner"),
        ("ceo", "CEO", "approver"),
    ]
    assert data["signatures"][0]["name"] == "Maya Lindqvist"
    assert data["signatures"][0]["method"] == "password only"


def test_a_draft_has_neither_content_nor_pdf(ask, people, draft):
    status, data = ask(people["coo"], revision_at())

    assert status == 200
    assert (data["state"], data["content"], data["pdf"]) == ("draft", None, None)
    assert (data["content_sha256"], data["pdf_sha256"], data["signatures"]) == ("", "", [])


def test_the_pdf_link_comes_only_once_there_is_a_sealed_file(ask, people, functions):
    factories.in_force(people)

    status, data = ask(people["member"], revision_at())

    assert (status, data["state"]) == (200, "in_force")
    assert (data["pdf"], data["pdf_sha256"]) == (None, "")


def test_void_signatures_are_not_given_out(ask, people, ready):
    revision = factories.frozen(ready, people).revision
    factories.cosigned(revision, people, "coo")
    workflow.decline(
        revision=revision, reason=factories.REASON, acting_user=people["cfo"], at=factories.NOW
    )

    assert ask(people["coo"], revision_at())[1]["signatures"] == []


@pytest.mark.parametrize("address", [revision_at("NC-XX"), revision_at(n=9)])
def test_what_is_not_there_is_404(ask, people, in_force, address):
    assert ask(people["cro"], address)[0] == 404


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize("address", [DOCUMENTS, revision_at()])
def test_nothing_is_written_by_api(client, people, in_force, method, address):
    _, token = AuthToken.objects.create(people["ceo"])
    before = stages.everything()

    answered = getattr(client, method)(
        address, {}, "application/json", headers={"authorization": f"Bearer {token}"}
    )

    assert answered.status_code == 405
    assert stages.everything() == before


@pytest.mark.parametrize("page", ["sign", "approve", "decline", "freeze", "agree-all", "amend"])
def test_a_token_opens_no_page_and_signs_nothing(people, ready, page):
    """Pages know sessions only: a token does not sign in, agree or sign."""
    factories.frozen(ready, people)
    _, token = AuthToken.objects.create(people["cro"])
    before = stages.everything()
    strict = Client(enforce_csrf_checks=True, headers={"authorization": f"Bearer {token}"})

    answered = strict.post(f"/boundaries/NC-RB/1/{page}/", {"reason": "Because"})
    assert answered.status_code == 403

    relaxed = Client(headers={"authorization": f"Bearer {token}"})
    answered = relaxed.post(f"/boundaries/NC-RB/1/{page}/", {"reason": "Because"})
    assert answered.status_code == 302
    assert answered["Location"].startswith("/accounts/login/")
    assert stages.everything() == before


def test_documents_come_by_pages_in_a_number_of_queries_that_does_not_grow(
    ask, people, in_force, settings
):
    def queries():
        _, token = AuthToken.objects.create(people["member"])
        client = Client(headers={"authorization": f"Bearer {token}"})
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert client.get(DOCUMENTS).status_code == 200
        return len(captured)

    one = queries()
    for number in range(60):
        document = Document.objects.create(
            number=f"NC-{number:02}", title=f"Part {number}", opened_by=people["cro"]
        )
        Revision.objects.create(
            document=document,
            number=1,
            state=State.WITHDRAWN if number == 0 else State.IN_FORCE,
            effective_date=factories.TODAY,
            in_force_from=factories.NOW,
            opened_by=people["cro"],
            opened_by_name="Maya Lindqvist",
            opened_by_office="CRO",
        )
    assert queries() == one

    status, first = ask(people["member"], DOCUMENTS)
    assert (status, first["count"], len(first["results"])) == (200, 60, 50)
    _, second = ask(people["member"], DOCUMENTS, page=2)
    assert len(second["results"]) == 10
    numbers = [one["number"] for one in first["results"] + second["results"]]
    assert numbers[0] == "NC-RB"
    assert len(set(numbers)) == 60
    assert ask(people["member"], DOCUMENTS, page=9)[0] == 404


def test_a_revisions_queries_do_not_grow_with_its_rows(people, functions, client):
    def queries(number, functions):
        factories.in_force(people, number=number, functions=functions)
        _, token = AuthToken.objects.create(people["member"])
        with CaptureQueriesContext(connection) as captured:
            answered = client.get(revision_at(number), headers={"authorization": f"Bearer {token}"})
        assert len(answered.json()["content"]["articles"][3]["rows"]) == len(functions)
        return len(captured)

    few, many = (
        [functions["deal_desk"]],
        [one for key, one in functions.items() if key != "deal_desk"],
    )
    assert queries("NC-FEW", few) == queries("NC-MANY", many)


def test_the_schema_is_generated_without_a_warning(db, tmp_path):
    out = tmp_path / "schema.yaml"

    call_command("spectacular", "--fail-on-warn", "--validate", "--file", str(out))

    schema = out.read_text()
    assert "/api/v1/documents/{number}/revisions/{n}/" in schema
    assert "content_sha256" in schema
