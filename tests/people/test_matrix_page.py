"""The page that shows who may do what: the table of the code itself, to those who answer for it."""

import pytest
import time_machine
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from people.models import Person
from people.permissions import GROUPS, MATRIX, NOTES, Act, powers_of
from people.views.matrix import COLUMNS, table
from tests.boundaries.factories import NOW, TODAY, acting, handed_over
from tests.people.factories import PersonFactory

PAGE = "/offices/permissions/"
READERS = {"administrator", "corporate_secretary", "auditor", "ceo"}


@pytest.fixture
def open_as(everybody):
    def opening(person):
        browser = Client()
        browser.force_login(person)
        with time_machine.travel(NOW, tick=False):
            return browser.get(PAGE)

    return opening


def test_page_is_for_those_who_answer_for_it(everybody, open_as):
    statuses = {who: open_as(person).status_code for who, person in everybody.items()}
    assert statuses == {who: 200 if who in READERS else 403 for who in everybody}


def test_page_of_the_offices_leads_to_it_whoever_may_read_it(everybody):
    with time_machine.travel(NOW, tick=False):
        for who, person in everybody.items():
            browser = Client()
            browser.force_login(person)
            words = browser.get("/offices/").content.decode()
            assert (f'href="{PAGE}"' in words) == (who in READERS), who


def test_page_needs_sign_in(company, client):
    answer = client.get(PAGE)
    assert (answer.status_code, answer["Location"]) == (302, f"/accounts/login/?next={PAGE}")


def test_superuser_reads_it_no_more_than_a_member(company, open_as):
    root = Person.objects.create_superuser("root@northwind.example", "Root", "x")
    assert open_as(root).status_code == 403


def test_every_act_stands_in_exactly_one_group():
    listed = [act for _title, acts in GROUPS for act in acts]
    assert sorted(listed) == sorted(Act)
    assert len(listed) == len(set(listed))
    assert set(NOTES) <= set(Act)


def test_table_says_what_the_matrix_allows(everybody):
    """Cell by cell against what somebody in that role may in fact do."""
    who = ["cro", "ceo", "revops_lead", "corporate_secretary", "auditor", "administrator", "member"]
    assert [role for role, _ in COLUMNS] == [
        "CRO, COO, CFO",
        "CEO",
        "RevOps Lead",
        "Corporate Secretary",
        "Auditor",
        "Administrator",
        "Member",
    ]
    for _title, lines in table():
        for line in lines:
            shown = [cell.words for cell in line.cells]
            if line.act == Act.VETO:
                assert shown == ["CFO only", "No", "No", "No", "No", "No", "No"]
                continue
            assert shown == [
                "Yes" if powers_of(everybody[one], on=TODAY).may(line.act) else "No" for one in who
            ]


def test_page_shows_the_notes_and_what_a_superuser_may(everybody, open_as):
    words = open_as(everybody["auditor"]).content.decode()
    for note in NOTES.values():
        assert note in words
    assert "A superuser of the database admin may nothing more" in words
    assert words.count('scope="rowgroup"') == len(GROUPS)
    assert words.count('scope="row"') == len(MATRIX)


def test_page_asks_the_database_little(everybody):
    browser = Client()
    browser.force_login(everybody["auditor"])
    with time_machine.travel(NOW, tick=False):
        browser.get(PAGE)
        with CaptureQueriesContext(connection) as once:
            browser.get(PAGE)
        handed_over(PersonFactory(name="Robin Hale"), "revops_lead", on=TODAY)
        with CaptureQueriesContext(connection) as again:
            browser.get(PAGE)
    assert len(once) == len(again) < 20


# --- Powers: what pages ask -------------------------------------------------------------------


def test_powers_and_the_single_question_agree(everybody):
    from people.permissions import entitling_appointments, may

    acting(everybody["cro"], "cfo")
    handed_over(everybody["ceo"], "coo")
    for person in everybody.values():
        powers = powers_of(person, on=TODAY)
        for act in Act:
            assert powers.may(act) == may(person, act, on=TODAY)
            assert powers.by(act) == entitling_appointments(person, act, on=TODAY)


def test_powers_cost_three_queries_at_most(everybody, django_assert_max_num_queries):
    for person in everybody.values():
        with django_assert_max_num_queries(3):
            powers_of(person, on=TODAY)


def test_visitors_and_the_deactivated_have_no_powers(everybody):
    everybody["ceo"].is_active = False
    for person in (everybody["ceo"], AnonymousUser()):
        powers = powers_of(person, on=TODAY)
        assert powers.appointments == ()


def test_further_cosigning_office_may_what_all_parties_may(everybody):
    from people.models import Office

    Office.objects.create(key="cmo", title="Chief Marketing Officer", short="CMO", co_signing=True)
    person = everybody["member"]
    handed_over(person, "cmo")
    powers = powers_of(person, on=TODAY)
    for act in (Act.AGREE, Act.SIGN, Act.DECLINE, Act.EDIT, Act.FREEZE, Act.READ_DRAFT):
        assert powers.may(act), act
    for act in (Act.VETO, Act.APPROVE, Act.INVITE, Act.ACKNOWLEDGE):
        assert not powers.may(act), act
