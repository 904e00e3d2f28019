"""Django's admin shows and changes nothing, and shows no more than the reader's Office may read."""

from datetime import date

import pytest
from django.apps import apps
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from audit.models import Event
from notifications.models import OutgoingMail
from people.models import Person
from revops_registry.admin_site import READ_BY, ByOffice, ReadingSite
from tests.boundaries.factories import appointed
from tests.boundaries.factories import everybody as everybody_of_northwind

pytestmark = pytest.mark.django_db

REGISTERED = sorted(admin.site._registry, key=lambda model: model._meta.label_lower)
EACH = pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label_lower)
SECRET_OR_POWERFUL = [
    "account.emailaddress",
    "account.emailconfirmation",
    "audit.personaltext",
    "auth.group",
    "auth.permission",
    "knox.authtoken",
    "mfa.authenticator",
    "people.invitation",
    "people.person",
    "sessions.session",
    "socialaccount.socialaccount",
    "socialaccount.socialapp",
    "socialaccount.socialtoken",
    "usersessions.usersession",
]
WHO_READS = {
    "boundaries.freeze": "administrator",
    "functions_catalog.function": "all",
    "functions_catalog.ownership": "all",
    "functions_catalog.missedsearch": "cro coo cfo revops_lead corporate_secretary",
    "notifications.outgoingmail": "administrator",
    "audit.event": "ceo corporate_secretary auditor",
}


@pytest.fixture
def staff(company):
    """Everybody of Northwind, and a superuser without an Office, all let into the admin."""
    people = everybody_of_northwind()
    Person.objects.update(is_staff=True)
    superuser = Person.objects.create_superuser("root@northwind.example", "Root", "x")
    return {key: Person.objects.get(pk=one.pk) for key, one in people.items()} | {
        "superuser": superuser
    }


@pytest.fixture
def mail(staff):
    return OutgoingMail.objects.create(
        key="one",
        kind="password-reset",
        name="Maya Lindqvist",
        address="maya@northwind.example",
        subject="Set a new password",
        text="http://127.0.0.1:8000/accounts/password/reset/key/secret/",
        html="<p>secret</p>",
        sensitive=True,
        message_id="<one@localhost>",
        created_at=timezone.now(),
        not_before=timezone.now(),
    )


def path(model, page="changelist", *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def test_site_is_the_one_that_only_shows():
    assert isinstance(admin.site, ReadingSite)
    assert {model._meta.label_lower for model in REGISTERED} == set(READ_BY) == set(WHO_READS)
    assert all(isinstance(one, ByOffice) for one in admin.site._registry.values())


@pytest.mark.parametrize("label", SECRET_OR_POWERFUL)
def test_secrets_and_powers_are_not_shown_at_all(label):
    assert not admin.site.is_registered(apps.get_model(label))


def test_what_an_app_registers_unasked_is_not_shown():
    site = ReadingSite()
    site.register(apps.get_model("auth.group"))
    site.register([apps.get_model("people.person"), apps.get_model("audit.event")])
    assert [model._meta.label_lower for model in site._registry] == ["audit.event"]


@EACH
def test_nobody_may_change_anything_not_even_a_superuser(model, staff, rf):
    pages = admin.site._registry[model]
    for person in staff.values():
        request = rf.get("/")
        request.user = person
        assert not pages.has_add_permission(request)
        assert not pages.has_change_permission(request)
        assert not pages.has_delete_permission(request)
        assert pages.get_actions(request) == {}


@EACH
def test_every_way_to_change_is_refused(model, staff, mail, client):
    row = model._default_manager.first()
    key = row.pk if row else 1
    rows, before = model._default_manager.count(), Event.objects.count()
    for who in ("superuser", "administrator", "ceo", "corporate_secretary"):
        client.force_login(staff[who])
        for page, args in (("add", ()), ("change", (key,)), ("delete", (key,))):
            answer = client.post(path(model, page, *args), {"_save": "1", "post": "yes"})
            assert answer.status_code in ((403,) if row else (403, 302)), (who, page)
        acted = client.post(
            path(model), {"action": "delete_selected", "_selected_action": [str(key)]}
        )
        assert acted.status_code in (200, 302, 403)
    assert model._default_manager.count() == rows
    assert Event.objects.count() == before


@EACH
def test_each_reads_what_their_office_may_read_and_superusers_no_more(model, staff, client):
    readers = WHO_READS[model._meta.label_lower].split()
    for who, person in staff.items():
        client.force_login(person)
        may = readers == ["all"] or who in readers
        answer = client.get(path(model))
        assert answer.status_code == (200 if may else 403), who
        index = client.get(reverse("admin:index")).content.decode()
        assert (path(model) in index) == may, who


def test_those_who_are_no_staff_do_not_come_in(staff, client):
    Person.objects.update(is_staff=False, is_superuser=False)
    client.force_login(staff["ceo"])
    assert client.get(reverse("admin:index")).status_code == 302
    client.logout()
    assert client.get(reverse("admin:index")).status_code == 302


def test_deactivated_staff_do_not_come_in(staff, client):
    client.force_login(staff["ceo"])
    Person.objects.filter(pk=staff["ceo"].pk).update(is_active=False)
    assert client.get(reverse("admin:index")).status_code == 302


def test_office_that_ended_shows_nothing_more(staff, client):
    from datetime import date

    from people.models import Appointment

    client.force_login(staff["auditor"])
    events = apps.get_model("audit.event")
    assert client.get(path(events)).status_code == 200
    Appointment.objects.filter(person=staff["auditor"]).update(ends_on=date(2026, 1, 2))
    assert client.get(path(events)).status_code == 403


def test_rows_open_read_only_for_those_who_read_them(staff, client):
    appointed(staff["auditor"], "auditor", starts_on=date(2025, 1, 1), ends_on=date(2025, 6, 1))
    client.force_login(staff["auditor"])
    event = Event.objects.first()
    page = client.get(path(Event, "change", event.pk)).content.decode()
    assert event.event in page
    for writing in ("_save", "Delete", 'type="submit"'):
        assert f'name="{writing}"' not in page
    assert client.get(path(Event, "history", event.pk)).status_code == 200


def test_text_of_a_mail_is_nowhere(staff, mail, client):
    client.force_login(staff["administrator"])
    page = client.get(path(OutgoingMail)).content.decode()
    assert "maya@northwind.example" in page
    assert "secret" not in page
    for other in ("change", "delete", "history"):
        assert client.get(path(OutgoingMail, other, mail.pk)).status_code == 403


@pytest.mark.parametrize("column", ["text", "html", "subject", "message_id", "key"])
def test_columns_that_are_not_shown_cannot_be_guessed_at(column, staff, mail, client):
    """Django's lists can be filtered by any column: one letter after the other."""
    client.force_login(staff["administrator"])
    for lookup in (f"{column}__contains", f"{column}__startswith", column):
        answer = client.get(path(OutgoingMail), {lookup: "x"})
        assert answer.status_code == 400, lookup
    assert client.get(path(OutgoingMail), {"state__exact": "queued"}).status_code == 200


def test_superuser_without_an_office_does_nothing_else_either(staff, client):
    client.force_login(staff["superuser"])
    for name in ("people:security", "people:invitations"):
        assert client.get(reverse(name)).status_code == 403, name


@pytest.mark.parametrize(
    ("name", "leads_to"),
    [("admin:logout", "account_logout"), ("admin:password_change", "account_change_password")],
)
def test_admin_has_no_ways_of_its_own_that_nobody_records(name, leads_to, staff, client):
    client.force_login(staff["ceo"])
    for method in (client.get, client.post):
        assert method(reverse(name))["Location"] == reverse(leads_to)
    assert "_auth_user_id" in client.session
