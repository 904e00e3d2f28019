"""The frame of every page: who reads, the demo, sign-in, and pages for what went wrong."""

from datetime import timedelta

import pytest
from django.template.loader import get_template, render_to_string
from django.test import Client
from django.utils import timezone

from people import appointments
from people.calendar import company_date
from people.demo import DEMO_PASSWORD
from people.models import Company, Person
from revops_registry.context import Reader
from tests.people.factories import CompanyFactory, northwind_people

SIGN_IN = "/accounts/login/"


@pytest.fixture
def northwind(db):
    company = CompanyFactory(is_demo=True)
    return company, northwind_people()


@pytest.mark.parametrize(
    ("office", "label", "owner"),
    [
        ("cro", "Maya Lindqvist, CRO", "cro"),
        ("revops_lead", "Tomas Vega, RevOps Lead", "further"),
        ("member", "Ana Brandt, Sales manager", "none"),
    ],
)
def test_reader_is_named_with_the_office(northwind, office, label, owner):
    reader = Reader(northwind[1][office])
    assert (reader.label, reader.owner) == (label, owner)


def test_demo_sign_in_offers_its_people(northwind, client):
    page = client.get(SIGN_IN).content.decode()
    for label in ("Maya Lindqvist, CRO", "Helen Marsh, CEO", "Ana Brandt, Sales manager"):
        assert f"<b>{label}</b>" in page
    assert page.index("Maya Lindqvist") < page.index("Tomas Vega") < page.index("Ana Brandt")
    assert DEMO_PASSWORD in page
    assert "This is a demo of Northwind Cloud, a made-up company." in page


def test_sign_in_of_a_real_company_offers_nobody(northwind, client):
    Company.objects.update(is_demo=False)
    page = client.get(SIGN_IN).content.decode()
    assert "Maya Lindqvist" not in page
    assert DEMO_PASSWORD not in page
    assert "demo" not in page.lower()
    assert "by invitation only" in page


def test_one_click_signs_in_as_a_demo_person(northwind):
    client = Client(enforce_csrf_checks=True)
    page = client.get(f"{SIGN_IN}?next=/reviews/")
    token = page.context["csrf_token"]
    answer = client.post(
        SIGN_IN,
        {
            "csrfmiddlewaretoken": str(token),
            "login": "maya.lindqvist@northwind.example",
            "password": DEMO_PASSWORD,
            "next": "/reviews/",
        },
    )
    assert (answer.status_code, answer["Location"]) == (302, "/reviews/")
    assert client.session["_auth_user_id"] == str(northwind[1]["cro"].pk)


def test_sign_in_page_asks_the_database_a_constant_number_of_times(
    northwind, client, django_assert_max_num_queries
):
    with django_assert_max_num_queries(4):
        client.get(SIGN_IN)
    for number in range(5):
        Person.objects.create_user(f"more{number}@northwind.example", f"More {number}", "x" * 12)
    with django_assert_max_num_queries(4):
        client.get(SIGN_IN)


def test_wrong_password_is_told_once_and_the_address_kept(northwind, client):
    page = client.post(
        SIGN_IN, {"login": "maya.lindqvist@northwind.example", "password": "wrong"}
    ).content.decode()
    assert "You are not signed in" in page
    assert page.count('class="error-summary"') == 1
    assert "E-mail and password do not belong together. Check both." in page
    assert 'value="maya.lindqvist@northwind.example"' in page


def test_sign_in_sends_a_strict_content_security_policy(northwind, client):
    policy = client.get(SIGN_IN)["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "style-src 'self'" in policy
    assert "unsafe" not in policy


def test_unknown_address_is_told_in_the_frame(northwind, client):
    answer = client.get("/there-is-nothing-here/")
    assert answer.status_code == 404
    assert "There is nothing at this address" in answer.content.decode()


@pytest.mark.parametrize("name", ["500.html", "400.html", "429.html", "403_csrf.html"])
def test_page_for_a_failure_needs_no_context_and_no_database(name):
    # No `db` fixture: a query would fail the test.
    page = get_template(name).render()
    assert '<main id="main"' in page
    assert "<h1>" in page


def test_failure_quotes_its_reference_when_it_has_one():
    assert "7f3a-11c2" in render_to_string("500.html", {"reference": "7f3a-11c2"})
    assert "reference" not in render_to_string("500.html")


def test_refused_form_is_explained(northwind):
    answer = Client(enforce_csrf_checks=True).post(SIGN_IN, {"login": "x"})
    assert answer.status_code == 403
    assert "This form is too old" in answer.content.decode()


def test_refusal_shows_its_own_sentence(rf, northwind):
    from django.contrib.auth.models import AnonymousUser

    request = rf.get("/")
    request.user = AnonymousUser()
    page = render_to_string("403.html", {"exception": "Only the CEO may approve."}, request)
    assert "Only the CEO may approve." in page


@pytest.mark.parametrize(
    ("office", "words"),
    [
        (
            "ceo",
            [
                *("Offices", "Handing over", "Archive", "Erasure"),
                *("Security events", "Who may do what", "Calendar"),
            ],
        ),
        (
            "administrator",
            ["Offices", "People", "Erasure", "Security events", "Who may do what", "Calendar"],
        ),
        ("cro", []),
        ("member", []),
    ],
)
def test_keepers_of_offices_find_the_pages_beside_it(client, company, office, words):
    from tests.boundaries.factories import everybody

    people = everybody()
    client.force_login(people[office])
    page = client.get("/offices/")
    assert ("Offices and people" in page.content.decode()) is bool(words)
    assert [link.words for link in page.context["reader"].keeping] == words
    for link in page.context["reader"].keeping:
        assert client.get(link.url).status_code == 200


def test_holder_is_told_who_acts_in_their_place(client, company):
    from tests.boundaries.factories import acting, everybody

    people = everybody()
    today = company_date(timezone.now())
    acting(people["member"], "cfo", starts_on=today, ends_on=today + timedelta(days=14))
    client.force_login(people["cfo"])
    page = client.get("/boundaries/").content.decode()
    assert "Ana Brandt acts as CFO; the last day is" in page
    assert "Priya Raman, CFO, not acting today" in page
    client.force_login(people["member"])
    page = client.get("/boundaries/").content.decode()
    assert "Ana Brandt, Acting CFO" in page
    assert "Somebody acts in your place" not in page


def test_ceo_sees_in_the_bar_how_many_appointments_wait(client, company):
    from tests.boundaries.factories import everybody

    people = everybody()
    today = company_date(timezone.now())
    appointments.propose_stand_in(
        person=people["member"],
        office_key="cfo",
        starts_on=today,
        ends_on=today + timedelta(days=14),
        instrument="Memo",
        acting_user=people["cfo"],
        at=timezone.now(),
    )
    for office, shown in (("ceo", True), ("corporate_secretary", False)):
        client.force_login(people[office])
        page = client.get("/reviews/").content.decode()
        assert ('1<span class="visually-hidden"> to confirm' in page) is shown
