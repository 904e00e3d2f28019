"""People, the one company, and signing in: accounts come by invitation only."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from people.adapter import InvitationOnlyAdapter
from people.models import Company, Person
from tests.people.factories import PASSWORD, PersonFactory


def test_addresses_are_compared_without_regard_to_case(db):
    person = Person.objects.create_user("Maya.L@Northwind.Example", "Maya Lindqvist", PASSWORD)
    assert person.email == "maya.l@northwind.example"
    assert Person.objects.get_by_natural_key("MAYA.L@northwind.example") == person
    with pytest.raises(IntegrityError), transaction.atomic():
        Person.objects.create_user("MAYA.l@northwind.example", "Another")


def test_person_without_a_password_cannot_sign_in(db):
    assert not Person.objects.create_user("a@northwind.example", "A").has_usable_password()


@pytest.mark.parametrize(
    ("name", "initials"),
    [("Maya Lindqvist", "ML"), ("Maya", "M"), ("Ana Maria de Brandt", "AB"), ("", "")],
)
def test_initials(name, initials):
    assert Person(name=name).initials == initials


def test_there_is_one_company(company):
    Company(name="Second", code="SE").save()
    assert Company.objects.get().name == "Second"  # the same row, changed
    with pytest.raises(IntegrityError), transaction.atomic():
        Company.objects.bulk_create([Company(pk=2, name="Third", code="TH")])


def test_sign_up_is_closed(client, company, rf):
    assert InvitationOnlyAdapter().is_open_for_signup(rf.get("/")) is False
    for method in (client.get, client.post):
        response = method(
            "/accounts/signup/",
            {"email": "new@northwind.example", "password1": "a long password 1"},
        )
        assert response.status_code in (302, 404, 410)
    assert not Person.objects.filter(email="new@northwind.example").exists()


def test_sign_in_by_address_in_any_case(client, company):
    PersonFactory(name="Maya Lindqvist")
    response = client.post(
        reverse("account_login"),
        {"login": "Maya.Lindqvist@northwind.example", "password": PASSWORD},
    )
    assert response.status_code == 302
    assert client.session["_auth_user_id"] == str(Person.objects.get().pk)


@pytest.mark.parametrize("wrong", ["password", "address", "deactivated"])
def test_sign_in_is_refused(client, company, wrong):
    person = PersonFactory(name="Maya Lindqvist")
    Person.objects.filter(pk=person.pk).update(is_active=wrong != "deactivated")
    client.post(
        reverse("account_login"),
        {
            "login": "nobody@northwind.example" if wrong == "address" else person.email,
            "password": "wrong" if wrong == "password" else PASSWORD,
        },
    )
    assert "_auth_user_id" not in client.session
