"""The Administrator sees whether mails go out, and not what they say."""

import pytest
from django.utils import timezone

from notifications.models import OutgoingMail
from people.models import Person
from tests.boundaries.factories import everybody
from tests.people.factories import PersonFactory

pytestmark = pytest.mark.django_db

LIST = "/admin/notifications/outgoingmail/"


@pytest.fixture
def administrator(company):
    person = everybody()["administrator"]
    Person.objects.filter(pk=person.pk).update(is_staff=True)
    return person


@pytest.fixture
def mail(company):
    return OutgoingMail.objects.create(
        key="one",
        kind="revision-decline",
        person=PersonFactory(),
        name="Maya Lindqvist",
        address="maya@northwind.example",
        subject="Daniel Osei, COO, declined to sign NC-RB-4",
        text="“Row 4.2 is ours.”",
        html="<p>Row 4.2 is ours.</p>",
        message_id="<one@localhost>",
        created_at=timezone.now(),
        not_before=timezone.now(),
        last_error="ConnectionRefusedError: [Errno 111]",
    )


def test_the_administrator_sees_what_does_not_go_out_but_not_what_it_says(
    client, mail, administrator
):
    client.force_login(administrator)

    page = client.get(LIST).content.decode()

    assert "ConnectionRefusedError" in page
    assert "declined to sign" not in page
    for address in (f"{LIST}{mail.pk}/change/", f"{LIST}{mail.pk}/delete/", f"{LIST}add/"):
        assert client.get(address).status_code == 403, address
    assert client.get("/admin/audit/event/").status_code == 403


def test_others_do_not_come_in(client, mail):
    client.force_login(mail.person)
    assert client.get(LIST).status_code == 302
