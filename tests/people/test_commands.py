"""Setting up a company, the demo, and tokens from the command line."""

import getpass
import io
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from knox.auth import TokenAuthentication
from knox.models import AuthToken

from audit.models import Event
from people.calendar import company_date
from people.demo import DEMO_PASSWORD
from people.models import Appointment, Company, Office, Person
from people.queries import who_acts_for
from tests.people.factories import PersonFactory

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a registry for Contoso"


@pytest.fixture
def typed(monkeypatch):
    """What is piped into the command as the Administrator's password."""

    def pipe(text=PASSWORD):
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{text}\n"))

    pipe()
    return pipe


def create_company(**changes):
    given = {
        "name": "Contoso",
        "code": "cn",
        "administrator": "joan@contoso.example",
        "administrator_name": "Joan Petit",
        "password_stdin": True,
        "stdout": io.StringIO(),
        **changes,
    }
    call_command("create_company", **given)
    return given["stdout"].getvalue()


# --- create_company ---------------------------------------------------------------------------


def test_create_company_sets_up_offices_and_the_administrator(db, typed):
    said = create_company(holder=["cro=Maya Lindqvist <maya@contoso.example>"])
    company = Company.objects.get()
    assert (company.name, company.code, company.country) == ("Contoso", "CN", "US")
    assert company.is_demo is False
    administrator = Person.objects.get(email="joan@contoso.example")
    assert administrator.check_password(PASSWORD)
    assert (administrator.is_staff, administrator.is_superuser) == (True, False)
    holder = Person.objects.get(email="maya@contoso.example")
    assert not holder.has_usable_password()
    today = company_date(timezone.now())
    held = who_acts_for(["cro", "administrator"], on=today)
    assert {key: one.person for key, one in held.items()} == {
        "cro": holder,
        "administrator": administrator,
    }
    names = list(Event.objects.order_by("sequence").values_list("event", flat=True))
    assert names == ["appointment.recorded", "appointment.recorded", "company.created"]
    assert "joan@contoso.example" in said
    assert PASSWORD not in said


def test_one_person_may_be_first_holder_of_several_offices(db, typed):
    create_company(
        holder=["coo=Sam Roy <sam@contoso.example>", "cfo=Sam Roy <SAM@contoso.example>"]
    )
    sam = Person.objects.get(email="sam@contoso.example")
    assert set(sam.appointments.values_list("office__key", flat=True)) == {"coo", "cfo"}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"code": "n"}, "two to eight"),
        ({"code": "ninechars"}, "two to eight"),
        ({"code": "N-C"}, "two to eight"),
        ({"administrator": "joan"}, "valid email"),
        ({"holder": ["cxo=Maya <maya@contoso.example>"]}, "Write an Office's holder as"),
        ({"holder": ["cro=Maya"]}, "Write an Office's holder as"),
        ({"holder": ["cro=Maya <maya>"]}, "valid email"),
        ({"country": "XX"}, "country"),
        (
            {"holder": ["cro=A <a@contoso.example>", "cro=B <b@contoso.example>"]},
            "holds the Office of the CRO",
        ),
        ({"holder": ["administrator=A <a@contoso.example>"]}, "Office of the Administrator"),
    ],
)
def test_create_company_refuses_what_it_cannot_use_and_makes_nothing(db, typed, changes, says):
    with pytest.raises(CommandError, match=says):
        create_company(**changes)
    for model in (Company, Person, Office, Appointment, Event):
        assert not model.objects.exists()


@pytest.mark.parametrize("password", ["short", "password1234", ""])
def test_create_company_refuses_a_weak_password(db, typed, password):
    typed(password)
    with pytest.raises(CommandError, match="password"):
        create_company()
    assert not Company.objects.exists()


@pytest.mark.parametrize("how", [EOFError, getpass.GetPassWarning])
def test_create_company_without_a_terminal_says_how_to_give_the_password(db, monkeypatch, how):
    def asked(prompt):
        raise how

    monkeypatch.setattr("getpass.getpass", asked)
    with pytest.raises(CommandError, match="--password-stdin"):
        create_company(password_stdin=False)
    assert not Company.objects.exists()


def test_create_company_makes_the_tables_of_an_empty_state_directory(tmp_path):
    """As docs/operations.md says it: nothing was started before."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment |= {"STATE_DIR": str(tmp_path), "SECRET_KEY": "x" * 60, "KEYS_SECRET": "y" * 20}
    command = [sys.executable, "manage.py", "create_company", "--name", "Contoso", "--code", "CN"]
    command += ["--administrator", "joan@contoso.example", "--administrator-name", "Joan Petit"]
    command += ["--password-stdin"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, input=f"{PASSWORD}\n", capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Contoso is set up. Sign in as joan@contoso.example." in done.stdout


def test_create_company_asks_twice_for_the_password(db, monkeypatch):
    answers = iter([PASSWORD, "something else"])
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(answers))
    with pytest.raises(CommandError, match="differ"):
        create_company(password_stdin=False)
    assert not Company.objects.exists()


def test_there_is_one_company_and_it_stays(company, typed):
    with pytest.raises(CommandError, match="has a company already"):
        create_company()
    assert Company.objects.get().name == "Northwind Cloud"


# --- create_demo ------------------------------------------------------------------------------


def test_create_demo_makes_northwind(db):
    out = io.StringIO()
    call_command("create_demo", stdout=out)
    company = Company.objects.get()
    assert (company.name, company.code, company.is_demo) == ("Northwind Cloud", "NC", True)
    assert DEMO_PASSWORD in out.getvalue()
    held = who_acts_for(
        ["cro", "coo", "cfo", "ceo", "revops_lead"], on=company_date(timezone.now())
    )
    assert {key: one.person.name for key, one in held.items()} == {
        "cro": "Maya Lindqvist",
        "coo": "Daniel Osei",
        "cfo": "Priya Raman",
        "ceo": "Helen Marsh",
        "revops_lead": "Tomas Vega",
    }
    member = Person.objects.get(name="Ana Brandt")
    assert member.job_title == "Sales manager"
    assert not member.appointments.exists()
    assert all(person.check_password(DEMO_PASSWORD) for person in Person.objects.all())
    assert not Person.objects.filter(is_staff=True).exists()


def test_create_demo_wants_an_empty_registry(company):
    with pytest.raises(CommandError, match="has a company already"):
        call_command("create_demo", stdout=io.StringIO())
    call_command("create_demo", if_empty=True, stdout=io.StringIO())
    assert not Person.objects.exists()


# --- issue_token ------------------------------------------------------------------------------


def issue_token(email, **more):
    out = io.StringIO()
    call_command("issue_token", email, stdout=out, **more)
    return out.getvalue().strip()


def test_issue_token_prints_one_that_opens_the_api(db):
    person = PersonFactory(name="Maya Lindqvist")
    token = issue_token("MAYA.lindqvist@northwind.example")
    found, _ = TokenAuthentication().authenticate_credentials(token.encode())
    assert found == person
    made = AuthToken.objects.get()
    assert timedelta(days=89) < made.expiry - timezone.now() <= timedelta(days=90)
    event = Event.objects.get()
    assert (event.event, event.actor_id, event.data) == (
        "token.issued",
        person.pk,
        {"days": 90},
    )
    assert token not in str(event.__dict__)  # only its public beginning is named


@pytest.mark.parametrize("who", ["nobody", "deactivated"])
def test_issue_token_wants_an_active_person(db, who):
    person = PersonFactory()
    Person.objects.filter(pk=person.pk).update(is_active=who != "deactivated")
    email = person.email if who == "deactivated" else "nobody@northwind.example"
    with pytest.raises(CommandError, match="no active person"):
        issue_token(email)
    assert not AuthToken.objects.exists()
    assert not Event.objects.exists()


def test_issue_token_lasts_at_least_a_day(db):
    with pytest.raises(CommandError, match="at least one day"):
        issue_token(PersonFactory().email, days=0)
    assert not AuthToken.objects.exists()
