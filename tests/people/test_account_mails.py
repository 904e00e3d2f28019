"""What people are mailed about their account, and the link for a forgotten password."""

import re
from datetime import timedelta

import pytest
from allauth.account.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount
from django.core import mail as outbox
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from knox.models import AuthToken

from audit.models import Event
from notifications.delivery import deliver
from notifications.models import OutgoingMail
from people.models import Person
from tests.people.factories import PASSWORD, PersonFactory
from tests.people.signing_in import START
from tests.people.test_sessions import FIREFOX, IPHONE, is_in, said, signed_in

pytestmark = pytest.mark.django_db

NEW = "four unrelated words here"


def ask(email, client=None):
    client = client or Client(REMOTE_ADDR="203.0.113.7")
    return client.post(reverse("account_reset_password"), {"email": email}, follow=True)


def link_in(mail):
    (link,) = set(re.findall(r"http://127\.0\.0\.1:8000(/accounts/password/reset/\S+)", mail.text))
    return link


def set_by(link, client=None, password=NEW):
    """Open the link and give a new password; the answer after all redirects."""
    client = client or Client(headers={"user-agent": FIREFOX}, REMOTE_ADDR="203.0.113.7")
    page = client.get(link, follow=True)
    if page.status_code != 200 or "no longer works" in said(page):
        return page
    where = page.redirect_chain[-1][0]
    return client.post(where, {"password1": password, "password2": password}, follow=True)


def mails(kind):
    return list(OutgoingMail.objects.filter(kind=kind).order_by("pk"))


def test_link_goes_out_by_the_registrys_own_mail_and_its_secret_is_wiped(maya, now):
    ask(maya.email.upper())
    (mail,) = mails("password-reset")
    assert (mail.person_id, mail.address, mail.sensitive) == (maya.pk, maya.email, True)
    assert mail.subject == "Set a new password"
    assert "within 1 hour" in mail.text
    assert link_in(mail) in mail.html
    assert outbox.outbox == []  # sent by the worker, and again if that fails
    (event,) = Event.objects.filter(event="password.reset_asked")
    assert (event.actor_id, event.object_id) == (None, str(maya.pk))

    deliver(mail.pk, at=timezone.now())
    mail.refresh_from_db()
    assert "/password/reset/" not in mail.text + mail.html


@pytest.mark.parametrize("kind", ["unknown", "deactivated"])
def test_nothing_is_sent_where_there_is_no_account_to_open(kind, maya, now):
    email = "nobody@northwind.example"
    if kind == "deactivated":
        Person.objects.filter(pk=maya.pk).update(is_active=False)
        email = maya.email
    ask(email)
    assert OutgoingMail.objects.count() == 0
    (event,) = Event.objects.filter(event="password.reset_asked")
    assert event.object_id == ""


def test_new_password_ends_every_session_and_token_and_is_told(maya, now):
    here, there = signed_in(maya), signed_in(maya, agent=IPHONE)
    AuthToken.objects.create(maya)
    ask(maya.email)

    answer = set_by(link_in(mails("password-reset")[0]))

    assert "Your password is changed" in said(answer)
    assert [is_in(one) for one in (here, there)] == [False, False]
    assert not AuthToken.objects.exists()
    maya.refresh_from_db()
    assert maya.check_password(NEW)
    assert maya.password_changed_at == START
    (event,) = Event.objects.filter(event="password.reset")
    assert (event.actor_id, event.data) == (maya.pk, {"sessions": 2, "tokens": 1})
    (told,) = mails("password-changed")
    assert told.person_id == maya.pk
    assert "by a link for a new password" in told.text
    assert "API tokens no longer work" in told.text
    # Nobody is signed in by the link: a second factor is asked for as always.
    assert not Event.objects.filter(event="session.signed_in", at__gt=START).exists()


def test_link_works_once(maya, now):
    ask(maya.email)
    link = link_in(mails("password-reset")[0])
    set_by(link)
    again = set_by(link, password="another long password")
    assert "This link no longer works" in said(again)
    maya.refresh_from_db()
    assert maya.check_password(NEW)


def test_link_of_before_is_dead_once_a_newer_one_was_used(maya, now):
    ask(maya.email)
    ask(maya.email)
    first, second = (link_in(mail) for mail in mails("password-reset"))
    set_by(second)
    assert "This link no longer works" in said(set_by(first, password="another long password"))


def test_link_is_dead_after_a_sign_in(maya, now):
    ask(maya.email)
    now.shift(timedelta(minutes=1))
    signed_in(maya)
    assert "This link no longer works" in said(set_by(link_in(mails("password-reset")[0])))


def test_link_is_dead_after_an_hour(maya, now):
    ask(maya.email)
    link = link_in(mails("password-reset")[0])
    now.shift(timedelta(minutes=59))
    assert "New password" in said(Client().get(link, follow=True))
    now.shift(timedelta(minutes=1, seconds=1))
    assert "This link no longer works" in said(set_by(link))


def test_link_is_dead_for_a_deactivated_account(maya, now):
    ask(maya.email)
    Person.objects.filter(pk=maya.pk).update(is_active=False)
    before = Event.objects.count()
    assert "This link no longer works" in said(set_by(link_in(mails("password-reset")[0])))
    maya.refresh_from_db()
    assert maya.check_password(PASSWORD)
    assert Event.objects.count() == before


def test_link_of_somebody_else_opens_nothing(maya, now):
    daniel = PersonFactory(name="Daniel Osei")
    ask(maya.email)
    own = link_in(mails("password-reset")[0])
    key = own.rsplit("/", 2)[1].split("-", 1)[1]
    ask(daniel.email)
    his = link_in(mails("password-reset")[1])
    forged = his.replace(his.rsplit("/", 2)[1].split("-", 1)[1], key)
    assert "This link no longer works" in said(set_by(forged))


def test_secret_of_the_link_leaves_the_address_at_once(maya, now):
    ask(maya.email)
    link = link_in(mails("password-reset")[0])
    client = Client()
    page = client.get(link, follow=True)
    ((where, status),) = page.redirect_chain
    assert status == 302
    assert where.endswith("-set-password/")
    assert page["Referrer-Policy"] == "same-origin"
    key = link.rsplit("/", 2)[1].split("-", 1)[1]
    assert key not in page.content.decode()


def test_weak_password_is_refused_and_nothing_recorded(maya, now):
    ask(maya.email)
    before = Event.objects.count()
    answer = set_by(link_in(mails("password-reset")[0]), password="password1234")
    assert "The password is not changed" in said(answer)
    maya.refresh_from_db()
    assert maya.check_password(PASSWORD)
    assert Event.objects.count() == before


def test_people_of_single_sign_on_are_told_where_to_ask(maya, now):
    maya.set_unusable_password()
    maya.save()
    SocialAccount.objects.create(user=maya, provider="sso", uid="x")
    ask(maya.email)
    (mail,) = mails("password-reset")
    assert mail.subject == "You have no password here"
    assert "single sign-on" in mail.text
    assert "/password/reset/" not in mail.text


def test_people_with_a_passkey_only_can_get_a_password(maya, now):
    maya.set_unusable_password()
    maya.save()
    ask(maya.email)
    set_by(link_in(mails("password-reset")[0]))
    maya.refresh_from_db()
    assert maya.check_password(NEW)


def change(client, old=PASSWORD, new=NEW):
    return client.post(
        reverse("account_change_password"),
        {"oldpassword": old, "password1": new, "password2": new},
        follow=True,
    )


def test_password_change_is_recorded_and_told(maya, now):
    client = signed_in(maya)
    answer = change(client)
    assert answer.redirect_chain[-1][0] == reverse("people:account")
    maya.refresh_from_db()
    assert maya.check_password(NEW)
    assert maya.password_changed_at == START
    (event,) = Event.objects.filter(event="password.changed")
    assert (event.actor_id, event.object_id, event.data) == (
        maya.pk,
        str(maya.pk),
        {"sessions": 0},
    )
    assert event.ip_hash
    (told,) = mails("password-changed")
    assert (told.subject, told.person_id) == ("Your password was changed", maya.pk)
    for words in ("Firefox on Windows", "203.0.113.7", "signed out everywhere else"):
        assert words in told.text


def test_password_change_with_a_wrong_one_changes_nothing(maya, now):
    client = signed_in(maya)
    before = Event.objects.count()
    answer = change(client, old="wrong")
    assert "That is not your current password." in said(answer)
    maya.refresh_from_db()
    assert maya.check_password(PASSWORD)
    assert maya.password_changed_at is None
    assert Event.objects.count() == before
    assert OutgoingMail.objects.count() == 0


def test_password_is_not_changed_without_its_event(maya, now, monkeypatch):
    import audit

    def refuse(*args, **kwargs):
        raise audit.log.LogDamaged("no head")

    client = signed_in(maya)
    monkeypatch.setattr(audit, "record", refuse)
    with pytest.raises(audit.log.LogDamaged):
        change(client)
    maya.refresh_from_db()
    assert maya.check_password(PASSWORD)


def test_allauth_sends_no_mail_of_its_own(maya, rf):
    get_adapter().send_notification_mail("account/email/password_changed", maya)
    assert OutgoingMail.objects.count() == 0
    with pytest.raises(NotImplementedError):
        get_adapter().send_mail("account/email/unknown_account", maya.email, {})
