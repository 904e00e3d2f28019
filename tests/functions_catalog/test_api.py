"""The look-up for programs."""

import re
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from knox.models import AuthToken

from functions_catalog.models import Function, MissedSearch

from .builders import MDM_PARTS, answer, in_force

pytestmark = pytest.mark.usefixtures("catalog", "now")

FUNCTIONS = "/api/v1/functions/"


@pytest.fixture
def api(executives, client):
    """Ana Brandt's token: asks an address and gives status and JSON."""
    _, token = AuthToken.objects.create(executives["member"])

    def ask(address, **query):
        answered = client.get(address, query, headers={"authorization": f"Bearer {token}"})
        return answered.status_code, answered.json()

    return ask


@pytest.fixture
def boundary(executives):
    in_force([answer("deal_desk", "coo")], date(2025, 3, 3))
    in_force(
        [
            answer("deal_desk", "cro", revision=2, scope_in="Structure", consulted=("cfo",)),
            answer("master_data_management", parts=MDM_PARTS, revision=2),
        ],
        date(2026, 2, 12),
        revision=2,
    )


def ownership(key):
    return f"{FUNCTIONS}{key}/ownership/"


@pytest.mark.parametrize("address", [FUNCTIONS, ownership("deal_desk")])
def test_nobody_reads_without_a_token(client, company, address):
    answered = client.get(address)
    assert answered.status_code == 401
    assert "deal_desk" not in answered.content.decode()


def test_ownership_says_the_whole_answer(api, boundary):
    status, data = api(ownership("deal_desk"))
    assert status == 200
    assert data == {
        "function": "deal_desk",
        "name": "Deal desk",
        "status": "active",
        "successor": None,
        "on": "2026-11-20",
        "sentence": "The CRO owns Deal desk.",
        "standing": "in_force",
        "owner": "cro",
        "owners": [
            {
                "key": "cro",
                "name": "CRO",
                "holder": "Maya Lindqvist",
                "acting": False,
                "part_held_by": None,
            }
        ],
        "sub_scopes": [],
        "scope_in": "Structure",
        "scope_out": "",
        "consulted": [
            {
                "key": "cfo",
                "name": "CFO",
                "holder": "Priya Raman",
                "acting": False,
                "part_held_by": None,
            }
        ],
        "informed": [],
        "rationale": "",
        "veto": True,
        "in_force_from": "2026-02-12",
        "in_force_until": None,
        "written_in": {
            "document_number": "NC-RB",
            "document_title": "Northwind Cloud RevOps boundary",
            "revision_number": 2,
            "reference": "NC-RB-2",
            "article_reference": "4.2",
            "decision": "",
            "url": "",
        },
        "standings": [],
    }


def test_ownership_of_a_split_function_names_each_part_s_owner(api, boundary):
    _, data = api(ownership("master_data_management"))
    assert data["owner"] == "hybrid"
    assert [(part["name"], part["owner"]["holder"]) for part in data["sub_scopes"]] == [
        ("Accounts and contacts", "Maya Lindqvist"),
        ("Products and employees", "Daniel Osei"),
    ]


def test_ownership_of_what_nobody_owns_is_an_answer_too(api, boundary):
    status, data = api(ownership("sales_enablement"))
    assert status == 200
    assert (data["standing"], data["owner"], data["written_in"]) == ("unassigned", None, None)
    assert data["sentence"] == "Nobody owns Sales enablement yet."


@pytest.mark.parametrize(
    ("on", "says"),
    [
        ("20 Nov 2026", "Write the date as YYYY-MM-DD, such as 2026-11-20."),
        ("2026-13-01", "There is no 2026-13-01 in the calendar."),
        ("2026-1-1", "Write the date as YYYY-MM-DD"),
        ("tomorrow", "Write the date as YYYY-MM-DD"),
        ("٢٠٢٦-٠١-٠١", "Write the date as YYYY-MM-DD"),
    ],
)
def test_bad_date_is_refused_with_a_sentence(api, boundary, on, says):
    status, data = api(ownership("deal_desk"), on=on)
    assert status == 400
    assert says in str(data["detail"])


def test_unknown_function_is_not_found(api, boundary):
    status, data = api(ownership("no_such"))
    assert status == 404
    assert data["detail"] == "The catalog has no function no_such."


@pytest.mark.parametrize("key", ["deal_desk", "master_data_management", "sales_enablement"])
@pytest.mark.parametrize("on", ["2025-01-01", "2025-06-01", "2026-02-12", "2027-01-01"])
def test_page_and_api_agree(api, boundary, client, executives, key, on):
    _, data = api(ownership(key), on=on)
    client.force_login(executives["member"])
    html = client.get(f"/functions/{key}/", {"on": on}).content.decode()
    heading = re.search(r'<h2 id="own"[^>]*>(.*?)</h2>', html, re.S)
    assert heading is not None
    assert re.sub(r"<[^>]+>", "", heading.group(1)) == data["sentence"]
    if data["written_in"]:
        assert f"{data['written_in']['reference']}, row" in html


def test_list_is_the_catalog_in_its_order(api, boundary):
    status, data = api(FUNCTIONS)
    assert status == 200
    assert data["count"] == 35
    first, second = data["results"][:2]
    assert first["key"] == "sales_operations_strategy" and first["owner"] is None
    assert (second["key"], second["owner"]) == ("deal_desk", "cro")
    assert second["ownership_url"] == ownership("deal_desk")
    assert second["url"] == "/functions/deal_desk/"
    assert second["matched"] is None


def test_list_comes_in_pages_of_fifty(api, boundary):
    Function.objects.bulk_create(
        Function(
            key=f"extra_{number}",
            name=f"Extra {number}",
            category="commercial",
            covers="More.",
            natural_owner="cro",
            position=100 + number,
        )
        for number in range(30)
    )
    _, data = api(FUNCTIONS)
    assert (data["count"], len(data["results"])) == (65, 50)
    _, rest = api(FUNCTIONS, page=2)
    assert len(rest["results"]) == 15
    assert api(FUNCTIONS, page=3)[0] == 404


def test_search_finds_the_same_as_the_page(api, boundary):
    _, data = api(FUNCTIONS, q="duplicats")
    (hit,) = data["results"]
    assert hit["key"] == "master_data_management"
    assert hit["matched"] == "Matched the alias duplicates."
    assert hit["sentence"] == "The CRO and the COO own parts of Master data management."


def test_search_that_finds_nothing_is_kept(api, boundary):
    _, data = api(FUNCTIONS, q="zebra leasing")
    assert data["results"] == []
    assert MissedSearch.objects.get().text == "zebra leasing"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_token_only_reads(client, executives, boundary, method):
    _, token = AuthToken.objects.create(executives["cro"])
    for address in (FUNCTIONS, ownership("deal_desk")):
        answered = getattr(client, method)(address, headers={"authorization": f"Bearer {token}"})
        assert answered.status_code == 405


def test_list_costs_the_same_queries_for_few_and_many(api, boundary):
    def cost():
        with CaptureQueriesContext(connection) as captured:
            assert api(FUNCTIONS)[0] == 200
        return len(captured)

    few = cost()
    in_force(
        [answer(one.key, "cro", revision=3) for one in Function.objects.all()],
        date(2026, 3, 1),
        revision=3,
    )
    assert cost() == few


def test_schema_documents_both_addresses():
    from drf_spectacular.generators import SchemaGenerator

    schema = SchemaGenerator().get_schema(request=None, public=True)
    listed = schema["paths"]["/api/v1/functions/"]["get"]
    assert {one["name"] for one in listed["parameters"]} == {"q", "page"}
    owned = schema["paths"]["/api/v1/functions/{key}/ownership/"]["get"]
    assert {one["name"] for one in owned["parameters"]} == {"key", "on"}
    assert set(owned["responses"]) == {"200", "400", "404"}
    assert "standing" in schema["components"]["schemas"]["Ownership"]["properties"]
