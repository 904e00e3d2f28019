"""The matrix of who may do what: column by column as the product describes it."""

from datetime import date

import pytest

from people.errors import NotYourOffice, SomebodyActsForYou
from people.models import Person
from people.offices import STANDARD_OFFICES
from people.permissions import EVERYBODY, MATRIX, Act, entitling_appointments, may, require
from tests.boundaries.factories import acting

TODAY = date(2026, 11, 20)
COLUMNS = (
    *("cro", "coo", "cfo", "ceo", "revops_lead"),
    *("corporate_secretary", "member", "auditor", "administrator"),
)

#                           CRO COO CFO CEO Lead Secretary Member Auditor Administrator
TABLE = {
    Act.LOOK_UP:           "yes yes yes yes yes yes yes yes yes",
    Act.READ_IN_FORCE:     "yes yes yes yes yes yes yes yes yes",
    Act.READ_DRAFT:        "yes yes yes yes yes yes no yes no",
    Act.OPEN:              "yes yes yes no no yes no no no",
    Act.EDIT:              "yes yes yes no no yes no no no",
    Act.AGREE:             "yes yes yes no no no no no no",
    Act.CONTEST:           "yes yes yes no no no no no no",
    Act.COMMENT:           "yes yes yes yes yes yes no no no",
    Act.PROPOSE:           "yes yes yes no yes yes no no no",
    Act.ESCALATE:          "yes yes yes no no no no no no",
    Act.RULE:              "no no no yes no no no no no",
    Act.ORDER:             "no no no yes no no no no no",
    Act.SIGN:              "yes yes yes no no no no no no",
    Act.DECLINE:           "yes yes yes no no no no no no",
    Act.VETO:              "no no yes no no no no no no",
    Act.FREEZE:            "yes yes yes no no yes no no no",
    # A party only what it opened itself, before any signature (tests/boundaries/test_matrix.py).
    Act.WITHDRAW:          "yes yes yes yes no no no no no",
    Act.APPROVE:           "no no no yes no no no no no",
    Act.RETURN:            "no no no yes no no no no no",
    Act.ACKNOWLEDGE:       "no no no no yes no no no no",
    Act.REQUEST_EXCEPTION: "yes yes yes no yes yes no no no",
    # Each what it owns, the CEO in somebody's place (tests/boundaries/test_exceptions.py).
    Act.ANSWER_EXCEPTION:  "yes yes yes yes no no no no no",
    Act.REMIND:            "yes yes yes no yes yes no no no",
    Act.READ_LOG:          "yes yes yes yes no yes no yes no",
    Act.READ_SECURITY_EVENTS: "no no no yes no yes no yes yes",
    Act.CHANGE_CATALOG:    "yes yes yes no yes yes no no no",
    # The Administrator only the first ones (tests/people/test_appointments.py).
    Act.RECORD_APPOINTMENT: "no no no no no yes no no yes",
    Act.PROPOSE_STAND_IN:  "yes yes yes no no no no no no",
    Act.CONFIRM_APPOINTMENT: "no no no yes no no no no no",
    Act.INVITE:            "no no no no no no no no yes",
    Act.MANAGE_ACCOUNTS:   "no no no no no no no no yes",
    Act.CHANGE_COMPANY:    "no no no no no yes no no yes",
    Act.READ_PERMISSIONS:  "no no no yes no yes no yes yes",
    Act.READ_ARCHIVE:      "no no no yes no yes no yes no",
    Act.SET_RETENTION:     "no no no no no yes no no no",
    Act.HOLD:              "no no no yes no yes no no no",
    Act.DISPOSE:           "no no no no no yes no no no",
    Act.CONFIRM_ARCHIVE:   "no no no yes no no no no no",
    Act.ASK_ERASURE:       "no no no no no no no no yes",
    Act.AGREE_ERASURE:     "no no no yes no yes no no no",
}  # fmt: skip


def test_table_has_every_act():
    assert set(TABLE) == set(Act) == set(MATRIX)


def test_matrix_names_only_offices_that_exist():
    known = {office.key for office in STANDARD_OFFICES} | {EVERYBODY}
    assert set().union(*MATRIX.values()) <= known


@pytest.mark.parametrize("act", list(Act))
def test_act_is_allowed_as_the_table_says(everybody, act):
    allowed = {
        column: answer == "yes" for column, answer in zip(COLUMNS, TABLE[act].split(), strict=True)
    }
    assert {column: may(everybody[column], act, on=TODAY) for column in COLUMNS} == allowed
    for column, yes in allowed.items():
        if yes:
            held = require(everybody[column], act, on=TODAY)
            # Whoever acts by an Office is told which; a Member acts by none.
            assert bool(held) == (column in MATRIX[act])
            continue
        with pytest.raises(NotYourOffice, match=f"may {act.value}"):
            require(everybody[column], act, on=TODAY)


@pytest.mark.parametrize("act", list(Act))
def test_deactivated_person_may_nothing(everybody, act):
    for person in everybody.values():
        person.is_active = False
        assert may(person, act, on=TODAY) is False
        with pytest.raises(NotYourOffice):
            require(person, act, on=TODAY)


@pytest.mark.parametrize("act", list(Act))
def test_superuser_may_no_more_than_a_member(company, act):
    superuser = Person.objects.create_superuser("root@northwind.example", "Root", "x")
    assert may(superuser, act, on=TODAY) is (EVERYBODY in MATRIX[act])


def test_visitor_may_not_even_look_up(db):
    from django.contrib.auth.models import AnonymousUser

    assert may(AnonymousUser(), Act.LOOK_UP, on=TODAY) is False


def test_refusal_names_the_offices_that_may(everybody):
    with pytest.raises(NotYourOffice) as refused:
        require(everybody["member"], Act.FREEZE, on=TODAY)
    assert str(refused.value) == (
        "Only the holder of one of these Offices may freeze: CFO, COO, CRO, Corporate Secretary."
    )


def test_office_counts_only_on_its_days(everybody):
    person = everybody["member"]
    acting(person, "coo", starts_on=date(2026, 11, 10), ends_on=date(2026, 11, 20))
    assert not may(person, Act.AGREE, on=date(2026, 11, 9))
    assert may(person, Act.AGREE, on=date(2026, 11, 10))
    assert may(person, Act.AGREE, on=date(2026, 11, 19))
    assert not may(person, Act.AGREE, on=date(2026, 11, 20))  # the end is exclusive


def test_holder_may_not_act_while_a_stand_in_does(everybody):
    acting(everybody["member"], "coo", starts_on=date(2026, 11, 10), ends_on=date(2026, 11, 20))
    assert may(everybody["coo"], Act.AGREE, on=date(2026, 11, 9))
    assert not may(everybody["coo"], Act.AGREE, on=date(2026, 11, 10))
    assert may(everybody["coo"], Act.AGREE, on=date(2026, 11, 20))


def test_stand_in_for_one_office_leaves_the_holders_other_office(everybody):
    acting(everybody["coo"], "cfo")
    acting(everybody["member"], "coo")
    held = entitling_appointments(everybody["coo"], Act.AGREE, on=TODAY)
    assert [one.title for one in held] == ["Acting CFO"]


def test_person_with_two_offices_acts_by_both(everybody):
    acting(everybody["cro"], "cfo")
    held = entitling_appointments(everybody["cro"], Act.SIGN, on=TODAY)
    assert [one.title for one in held] == ["CRO", "Acting CFO"]


# --- While somebody acts in the holder's place -------------------------------------------------


def test_holder_reads_while_somebody_acts_in_their_place(everybody):
    acting(everybody["member"], "cfo")
    for act in Act:
        reads = act in (Act.LOOK_UP, Act.READ_IN_FORCE, Act.READ_DRAFT, Act.READ_LOG)
        assert may(everybody["cfo"], act, on=TODAY) is reads, act


def test_refusal_says_who_acts_and_from_when_the_holder_acts_again(everybody):
    acting(everybody["member"], "cfo")
    words = "Ana Brandt acts as CFO; the last day is 30 Nov 2026.*act again from 1 Dec 2026"
    with pytest.raises(SomebodyActsForYou, match=words):
        require(everybody["cfo"], Act.AGREE, on=TODAY)
