"""The list of people: who is in it, who reads it, and that it stays fast."""

import re
from datetime import UTC, date, datetime

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from time_machine import travel

from people import accounts, invitations
from people.models import Invitation, Person
from tests.boundaries.factories import acting, appointed
from tests.people.factories import PersonFactory

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
LIST = "people:people"


@pytest.fixture
def administrator(everybody):
    return everybody["administrator"]


@pytest.fixture
def reader(client, administrator):
    with travel(NOW, tick=True):
        client.force_login(administrator)
        yield client


def rows_of(response):
    """The table's rows as words."""
    body = response.content.decode().split("<tbody>")[1].split("</tbody>")[0]
    rows = (" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in body.split("</tr>"))
    return [row for row in rows if row]


def row_of(response, name):
    return next(row for row in rows_of(response) if row.startswith(name))


def test_the_list_says_what_protects_whom(reader, everybody):
    TOTP.activate(everybody["cro"], "JBSWY3DPEHPK3PXP")
    Person.objects.filter(pk=everybody["cro"].pk).update(
        last_login=datetime(2026, 11, 19, 15, tzinfo=UTC)
    )
    page = reader.get(reverse(LIST))
    assert row_of(page, "Maya") == (
        "Maya Lindqvist maya.lindqvist@northwind.example CRO Yes 19 Nov 2026"
    )
    assert row_of(page, "Ana") == "Ana Brandt ana.brandt@northwind.example Sales manager No Never"
    assert len(rows_of(page)) == Person.objects.count()


def test_recovery_codes_alone_are_no_second_factor(reader, everybody):
    Authenticator.objects.create(
        user=everybody["cro"], type=Authenticator.Type.RECOVERY_CODES, data={}
    )
    assert " No " in row_of(reader.get(reverse(LIST)), "Maya")


def test_stand_ins_and_linked_accounts_are_marked(reader, everybody, administrator):
    ingrid = PersonFactory(name="Ingrid Sole")
    acting(ingrid, "cfo")
    accounts.link(
        person=ingrid, to=everybody["coo"], reason="One", acting_user=administrator, at=NOW
    )
    row = row_of(reader.get(reverse(LIST)), "Ingrid")
    assert "Linked to another account" in row and "Acting CFO" in row


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("maya", ["Maya Lindqvist"]),
        ("LINDQVIST", ["Maya Lindqvist"]),
        ("ana.brandt@", ["Ana Brandt"]),
        ("  priya   raman ", ["Priya Raman"]),
        ("marsh", ["Helen Marsh"]),
    ],
)
def test_search_by_name_or_address(reader, asked, names):
    page = reader.get(reverse(LIST), {"q": asked})
    assert [row.split(" ")[:2] for row in rows_of(page)] == [name.split() for name in names]


@pytest.mark.parametrize("asked", ["%", "z\0zz", "zzz", "<script>alert(1)</script>", "' OR 1=1"])
def test_a_search_that_finds_nobody_says_so(reader, asked):
    page = reader.get(reverse(LIST), {"q": asked})
    assert page.status_code == 200
    words = page.content.decode()
    assert "Nobody here is called" in words and "<tbody>" not in words
    assert "<script>alert" not in words


def test_states_have_lists_of_their_own(reader, everybody, administrator):
    accounts.deactivate(
        person=everybody["member"], reason="Left", acting_user=administrator, at=NOW
    )
    invitations.invite(
        name="Nadia Haddad", email="nadia@northwind.example", acting_user=administrator, at=NOW
    )
    assert "Ana Brandt" not in reader.get(reverse(LIST)).content.decode()
    deactivated = reader.get(reverse(LIST), {"state": "deactivated"})
    assert rows_of(deactivated) == [
        "Ana Brandt ana.brandt@northwind.example Sales manager No Deactivated 20 Nov 2026"
    ]
    invited = reader.get(reverse(LIST), {"state": "invited"})
    assert (
        rows_of(invited) == ["Nadia Haddad nadia@northwind.example 20 Nov 2026 4 Dec 2026 Not yet"]
        or "Ended" in rows_of(invited)[0]
    )
    words = reader.get(reverse(LIST)).content.decode()
    for label, count in (("Active", 8), ("Invited", 1), ("Deactivated", 1)):
        assert re.search(rf'{label} <span class="count-of">{count}</span>', words)


@pytest.mark.parametrize(
    ("state", "says"),
    [("invited", "No invitation is open"), ("deactivated", "No account is deactivated")],
)
def test_empty_states_say_what_will_appear(reader, state, says):
    assert says in reader.get(reverse(LIST), {"state": state}).content.decode()


def test_an_unknown_state_shows_the_active(reader):
    page = reader.get(reverse(LIST), {"state": "everybody", "page": "x"})
    assert len(rows_of(page)) == Person.objects.count()


@pytest.mark.parametrize("state", ["active", "deactivated", "invited"])
def test_the_list_asks_the_same_number_of_questions_for_many(
    reader, administrator, django_assert_num_queries, state
):
    def add(number):
        if state == "invited":
            Invitation.objects.create(
                email=f"kim{number}@northwind.example",
                name=f"Kim {number}",
                token_sha256=f"{number:064}",
                invited_by=administrator,
                invited_by_name=administrator.name,
                created_at=NOW,
                sent_at=NOW,
                expires_at=NOW,
            )
            return
        person = PersonFactory(name=f"Kim {number}", is_active=state == "active")
        appointed(person, "auditor", starts_on=date(2026, 2, 1))

    add(0)
    address = reverse(LIST)
    reader.get(address, {"state": state})
    with CaptureQueriesContext(connection) as one:
        reader.get(address, {"state": state})
    for number in range(1, 50):
        add(number)
    with django_assert_num_queries(len(one)):
        page = reader.get(address, {"state": state})
    assert len(rows_of(page)) == 25
    assert "Page 1 of" in page.content.decode()
    second = reader.get(address, {"state": state, "page": 2})
    assert set(rows_of(second)).isdisjoint(rows_of(page))
    assert f"state={state}" in second.content.decode()  # paging keeps the filter


def test_the_secretary_reads_the_list_and_changes_nothing(client, everybody):
    client.force_login(everybody["corporate_secretary"])
    page = client.get(reverse(LIST))
    words = page.content.decode()
    assert page.status_code == 200 and len(rows_of(page)) == Person.objects.count()
    assert "Ask the Administrator to invite" in words
    assert reverse("people:invite") not in words
    assert reverse("people:person_account", args=[everybody["cro"].pk]) not in words


@pytest.mark.parametrize("office", ["cro", "cfo", "ceo", "revops_lead", "auditor", "member"])
def test_the_list_is_for_those_who_keep_people(client, everybody, office):
    client.force_login(everybody[office])
    page = client.get(reverse(LIST))
    assert page.status_code == 403
    assert "Only the holder of one of these Offices may invite people" in page.content.decode()
    assert "maya.lindqvist@" not in page.content.decode().replace(everybody[office].email, "")


def test_the_list_asks_for_sign_in(client, everybody):
    answer = client.get(reverse(LIST))
    assert answer.status_code == 302 and reverse("account_login") in answer["Location"]


def test_the_account_page_says_how_it_is_protected(reader, everybody, administrator):
    invitation, _link = invitations.invite(
        name="Nadia Haddad", email="nadia@northwind.example", acting_user=administrator, at=NOW
    )
    person = invitations.accept(invitation=invitation, password="a quiet harbour in spring", at=NOW)
    page = reader.get(reverse("people:person_account", args=[person.pk]))
    words = " ".join(re.sub(r"<[^>]+>", " ", page.content.decode()).split())
    assert "Invitation of Joan Petit, accepted 20 Nov 2026" in words
    assert "Second factor No" in words and "Signed in now Nowhere" in words
    assert "API tokens None" in words and "Last sign-in Never" in words
