"""Signing in and out: what is recorded, who gets which answer, and how often one may try."""

import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.auth import hashers
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from audit.leaf import ip_hash
from audit.models import Event
from notifications.models import OutgoingMail
from people import factors
from people.models import Person
from tests.people.factories import PASSWORD, PersonFactory
from tests.people.signing_in import START
from tests.people.test_sessions import CHROMIUM, FIREFOX, IPHONE, said

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]
SIGN_IN = "/accounts/login/"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def browser(agent=FIREFOX, address="203.0.113.7", **kwargs):
    return Client(headers={"user-agent": agent}, REMOTE_ADDR=address, **kwargs)


def try_in(client, email, password=PASSWORD, **more):
    return client.post(SIGN_IN, {"login": email, "password": password, **more})


def is_in(client):
    return "_auth_user_id" in client.session


def events(name):
    return list(Event.objects.filter(event=name).order_by("sequence"))


# --- What is recorded ---------------------------------------------------------------------------


def test_signing_in_by_password_is_recorded(maya, now):
    client = browser()
    answer = try_in(client, maya.email)
    assert (answer.status_code, answer["Location"]) == (302, reverse("functions_catalog:lookup"))
    (event,) = events("session.signed_in")
    assert (event.actor_id, event.object_type, event.object_id) == (maya.pk, "person", str(maya.pk))
    assert event.ip_hash == ip_hash("203.0.113.7")
    assert event.data == {
        "method": "password",
        "device": "Firefox on Windows",
        "network": ip_hash("203.0.113.0/24"),
    }
    assert "203.0.113" not in str(event.data)


def test_signing_in_by_password_and_code_is_recorded_as_that(maya, now):
    Authenticator.objects.create(
        user=maya, type=Authenticator.Type.TOTP, data={"secret": factors.encrypt(SECRET)}
    )
    client = browser()
    assert try_in(client, maya.email)["Location"] == reverse("mfa_authenticate")
    assert not is_in(client)
    assert events("session.signed_in") == []

    client.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert not is_in(client)
    (failed,) = events("session.sign_in_failed")
    assert (failed.object_id, failed.data["stage"]) == (str(maya.pk), "code")

    code = format_hotp_value(hotp_value(SECRET, int(START.timestamp()) // 30))
    client.post(reverse("mfa_authenticate"), {"code": code})
    assert is_in(client)
    assert [one.data["method"] for one in events("session.signed_in")] == ["password and code"]


def test_signing_in_with_a_recovery_code_is_recorded_as_that(maya, now):
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

    Authenticator.objects.create(
        user=maya, type=Authenticator.Type.TOTP, data={"secret": factors.encrypt(SECRET)}
    )
    code = RecoveryCodes.activate(maya).get_unused_codes()[0]
    client = browser()
    try_in(client, maya.email)
    client.post(reverse("mfa_authenticate"), {"code": code})
    assert is_in(client)
    assert [one.data["method"] for one in events("session.signed_in")] == ["recovery code"]


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ([{"method": "mfa", "type": "webauthn", "passwordless": True}], "passkey"),
        (
            [{"method": "password"}, {"method": "mfa", "type": "webauthn"}],
            "password and passkey",
        ),
        ([{"method": "socialaccount"}], "single sign-on"),
        ([{"method": "socialaccount"}, {"method": "mfa", "type": "totp"}], "single sign-on"),
        ([{"method": "password"}, {"method": "password", "reauthenticated": True}], "password"),
        ([], "invitation"),
    ],
)
def test_method_in_words(records, words, maya, rf):
    from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY

    from people.sign_in_events import method_of

    request = rf.get("/")
    request.session = {
        AUTHENTICATION_METHODS_SESSION_KEY: records,
        "account_authentication_methods_user": str(maya.pk),
    }
    assert method_of(request, maya) == words


def test_a_session_without_its_event_does_not_begin(maya, monkeypatch):
    import audit

    def refuse(*args, **kwargs):
        raise audit.log.LogDamaged("no head")

    client = browser()
    monkeypatch.setattr(audit, "record", refuse)
    with pytest.raises(audit.log.LogDamaged):
        try_in(client, maya.email)
    assert Session.objects.count() == 0
    assert not is_in(client)


def test_signing_out_is_recorded_and_leaves_nothing(maya, now):
    client = browser()
    try_in(client, maya.email)
    key = client.session.session_key
    answer = client.post(reverse("account_logout"))
    assert answer.status_code == 302
    assert not Session.objects.filter(session_key=key).exists()
    (event,) = events("session.signed_out")
    assert event.actor_id == maya.pk


def test_wrong_password_of_a_known_person_is_recorded_with_them(maya):
    try_in(browser(), maya.email, "wrong")
    (event,) = events("session.sign_in_failed")
    assert (event.actor_id, event.object_id) == (None, str(maya.pk))
    assert event.data == {"stage": "password", "deactivated": False}
    assert event.ip_hash == ip_hash("203.0.113.7")


def test_unknown_address_is_recorded_without_it(company):
    from audit.models import PersonalText

    try_in(browser(), "my.password.by.mistake@northwind.example", "wrong")
    (event,) = events("session.sign_in_failed")
    assert (event.actor_id, event.object_id) == (None, "")
    assert "mistake" not in str(event.data)
    assert not PersonalText.objects.exists()


def test_wrong_password_when_asked_again_is_recorded_apart(maya, now):
    client = browser()
    try_in(client, maya.email)
    client.post(reverse("account_reauthenticate"), {"password": "wrong"})
    assert events("session.sign_in_failed") == []
    (event,) = events("session.confirmation_failed")
    assert (event.actor_id, event.data) == (maya.pk, {"stage": "password"})


# --- New device or network ----------------------------------------------------------------------


def mails():
    return list(OutgoingMail.objects.filter(kind="new-sign-in"))


def test_first_sign_in_is_no_news(maya, now):
    try_in(browser(), maya.email)
    assert mails() == []


@pytest.mark.parametrize(
    ("agent", "address", "told"),
    [
        (FIREFOX, "203.0.113.7", False),
        (FIREFOX, "203.0.113.200", False),  # the same network
        (FIREFOX, "198.51.100.60", True),
        (IPHONE, "203.0.113.7", True),
    ],
)
def test_new_device_or_network_is_told_by_mail(agent, address, told, maya, now):
    Person.objects.filter(pk=maya.pk).update(time_zone="Europe/Vienna")
    try_in(browser(), maya.email)
    now.shift(timedelta(days=1))
    try_in(browser(agent, address), maya.email)
    assert len(mails()) == told
    if told:
        (mail,) = mails()
        assert (mail.person_id, mail.address, mail.sensitive) == (maya.pk, maya.email, False)
        assert mail.subject == "New sign-in to your account"
        device = "Safari on iPhone" if agent == IPHONE else "Firefox on Windows"
        for words in (device, address, "24 Nov 2026, 15:00 CET", "change your password"):
            assert words in mail.text, words
            assert words in mail.html, words


def test_device_is_forgotten_after_90_days(maya, now):
    try_in(browser(), maya.email)
    now.shift(timedelta(days=60))
    try_in(browser(), maya.email)
    now.shift(timedelta(days=60))
    try_in(browser(), maya.email)
    assert mails() == []
    now.shift(timedelta(days=91))
    try_in(browser(), maya.email)
    assert len(mails()) == 1


def test_what_somebody_else_used_is_news_for_me(maya, now):
    daniel = PersonFactory(name="Daniel Osei")
    try_in(browser(), daniel.email)
    try_in(browser(IPHONE), maya.email)
    try_in(browser(), maya.email)
    assert [mail.person_id for mail in mails()] == [maya.pk]


# --- The same answer for all --------------------------------------------------------------------


def whose(kind, maya):
    if kind == "unknown":
        return "nobody@northwind.example", PASSWORD
    if kind == "deactivated":
        gone = PersonFactory(name="Gone Person")
        Person.objects.filter(pk=gone.pk).update(is_active=False)
        return gone.email, PASSWORD
    if kind == "without password":
        passkey_only = PersonFactory(name="Passkey Only")
        passkey_only.set_unusable_password()
        passkey_only.save()
        return passkey_only.email, PASSWORD
    return maya.email, "wrong"


KINDS = ["wrong password", "unknown", "deactivated", "without password"]


def anonymised(answer, email):
    """The page without what differs from request to request."""
    import re

    html = answer.content.decode().replace(email, "EMAIL")
    return re.sub(r'(csrfmiddlewaretoken" value="|x-csrftoken": ")[^"]+', r"\1", html)


def test_sign_in_answers_alike_whoever_it_is(maya):
    pages, statuses = set(), set()
    for kind in KINDS:
        email, password = whose(kind, maya)
        client = browser()
        answer = try_in(client, email, password)
        assert "E-mail and password do not belong together. Check both." in said(answer)
        assert not is_in(client)
        statuses.add((answer.status_code, tuple(sorted(answer.headers))))
        pages.add(anonymised(answer, email))
    assert len(statuses) == 1
    assert len(pages) == 1


class CountingHasher(MD5PasswordHasher):
    """Counts what costs the time: a password made into a hash."""

    algorithm = "counting"
    hashed = 0

    def encode(self, password, salt):
        type(self).hashed += 1
        return super().encode(password, salt).replace("md5", "counting", 1)


@pytest.mark.parametrize("kind", KINDS)
def test_sign_in_hashes_one_password_whoever_it_is(kind, company, settings):
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    hashers.get_hashers.cache_clear()
    hashers.get_hashers_by_algorithm.cache_clear()
    email, password = whose(kind, PersonFactory(name="Maya Lindqvist"))
    counting = hashers.get_hasher("counting")
    type(counting).hashed = 0
    before = Event.objects.count()

    try_in(browser(), email, password)

    assert type(counting).hashed == 1
    assert Event.objects.count() == before + 1


def test_password_reset_answers_alike_whoever_it_is(maya):
    answers = set()
    for kind in KINDS:
        email, _ = whose(kind, maya)
        began = time.monotonic()
        answer = browser().post(reverse("account_reset_password"), {"email": email}, follow=True)
        # The mail that is written for some, and not for others, hides in this time.
        assert time.monotonic() - began >= 0.3
        assert answer.redirect_chain == [(reverse("account_reset_password_done"), 302)]
        answers.add(anonymised(answer, email))
    assert len(answers) == 1
    asked = events("password.reset_asked")
    assert len(asked) == len(KINDS)


# --- How often one may try ----------------------------------------------------------------------


def test_after_five_wrong_tries_even_the_right_password_waits(maya, now):
    client = browser()
    for _ in range(5):
        assert "do not belong together" in said(try_in(client, maya.email, "wrong"))
    before = Event.objects.count()

    refused = try_in(client, maya.email)

    assert "Too many failed tries. Wait five minutes, then try again." in said(refused)
    assert not is_in(client)
    assert Event.objects.count() == before + 1
    assert len(events("session.sign_in_limited")) == 1
    try_in(client, maya.email)
    assert Event.objects.count() == before + 1  # a flood does not flood the log

    now.shift(timedelta(minutes=5, seconds=1))
    try_in(client, maya.email)
    assert is_in(client)


def test_guessing_elsewhere_does_not_lock_somebody_out(maya, now):
    for _ in range(6):
        try_in(browser(address="198.51.100.60"), maya.email, "wrong")
    client = browser()
    try_in(client, maya.email)
    assert is_in(client)


def test_one_account_bears_so_many_tries_from_anywhere(maya, now):
    for number in range(50):
        try_in(browser(address=f"198.51.100.{number}"), maya.email, "wrong")
        now.shift(timedelta(seconds=20))
    client = browser()
    assert "Too many failed tries" in said(try_in(client, maya.email))
    now.shift(timedelta(hours=1))
    try_in(client, maya.email)
    assert is_in(client)


def test_one_address_may_guess_only_so_often_at_different_accounts(maya, now):
    client = browser()
    for number in range(10):
        try_in(client, f"guess{number}@northwind.example", "wrong")
    assert "Too many failed tries" in said(try_in(client, maya.email))
    assert not is_in(client)


def test_own_sign_ins_do_not_count_and_do_not_clear_what_counts(maya, now):
    daniel = PersonFactory(name="Daniel Osei")
    for _ in range(4):
        try_in(browser(), daniel.email, "wrong")
        client = browser()
        try_in(client, maya.email)
        assert is_in(client)
    assert "do not belong together" in said(try_in(browser(), daniel.email, "wrong"))
    assert "Too many failed tries" in said(try_in(browser(), daniel.email, "wrong"))


def test_flood_is_refused_with_the_page_for_it(maya, now):
    client = browser()
    for number in range(30):
        try_in(client, f"guess{number}@northwind.example", "wrong")
    answer = try_in(client, maya.email)
    assert answer.status_code == 429
    assert "Too many tries in a short time" in said(answer)
    assert client.get(SIGN_IN).status_code == 200  # the page itself still shows
    now.shift(timedelta(minutes=1, seconds=1))
    assert try_in(client, maya.email).status_code == 302


def test_codes_can_be_tried_only_so_often(maya, now):
    Authenticator.objects.create(
        user=maya, type=Authenticator.Type.TOTP, data={"secret": factors.encrypt(SECRET)}
    )
    client = browser()
    try_in(client, maya.email)
    for _ in range(5):
        client.post(reverse("mfa_authenticate"), {"code": "000000"})
    code = format_hotp_value(hotp_value(SECRET, int(START.timestamp()) // 30))
    answer = client.post(reverse("mfa_authenticate"), {"code": code})
    assert "Too many failed tries" in said(answer)
    assert not is_in(client)


def test_passkeys_can_be_tried_only_so_often(company, now):
    client = browser()
    for _ in range(60):
        assert client.post(reverse("mfa_login_webauthn"), {"credential": "{}"}).status_code == 302
    assert client.post(reverse("mfa_login_webauthn"), {"credential": "{}"}).status_code == 429


def test_links_for_forgotten_passwords_can_be_asked_for_only_so_often(maya, now):
    answers = [
        browser().post(reverse("account_reset_password"), {"email": maya.email}).status_code
        for _ in range(6)
    ]
    assert answers == [302] * 5 + [429]


def test_behind_a_proxy_each_reader_is_counted_alone(maya, now, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    guesser = browser(address="10.0.0.1")
    for _ in range(6):
        guesser.post(
            SIGN_IN,
            {"login": maya.email, "password": "wrong"},
            # What a client says of itself stands before what the proxy adds.
            headers={"x-forwarded-for": "203.0.113.7, 198.51.100.60"},
        )
    client = browser(address="10.0.0.1")
    client.post(
        SIGN_IN,
        {"login": maya.email, "password": PASSWORD},
        headers={"x-forwarded-for": "203.0.113.7"},
    )
    assert is_in(client)


@pytest.mark.django_db(transaction=True)
def test_another_process_counts_along(company, settings):
    """Five wrong tries in one process: the next one, in another, is refused."""
    from tests.conftest import _url_of_test_database

    maya = PersonFactory(name="Maya Lindqvist")
    program = (
        "import django; django.setup()\n"
        "from django.conf import settings\n"
        "settings.ALLOWED_HOSTS = ['testserver']\n"
        f"settings.STORAGES = {settings.STORAGES!r}\n"
        f"settings.PASSWORD_HASHERS = {settings.PASSWORD_HASHERS!r}\n"
        "from django.test import Client\n"
        "for _ in range(5):\n"
        f"    Client(REMOTE_ADDR='203.0.113.7').post({SIGN_IN!r},"
        f" {{'login': {maya.email!r}, 'password': 'wrong'}})\n"
    )
    cache = settings.CACHES["default"]
    if settings.REDIS_URL:
        program = program.replace(
            "settings.ALLOWED_HOSTS",
            f"settings.CACHES['default']['KEY_PREFIX'] = {cache['KEY_PREFIX']!r}\n"
            "settings.ALLOWED_HOSTS",
            1,
        )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": _url_of_test_database(),
            "SECRET_KEY": settings.SECRET_KEY,
            "CELERY_BROKER_URL": "memory://",
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert len(events("session.sign_in_failed")) == 5
    client = browser()
    assert "Too many failed tries" in said(try_in(client, maya.email))
    assert not is_in(client)


# --- Where it leads -----------------------------------------------------------------------------

ELSEWHERE = [
    "https://evil.example/",
    "http://testserver.evil.example/",
    "//evil.example/",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    " //evil.example",
    "\t//evil.example",
    "http://localhost:9000/",
    "http://127.0.0.1/steal",
    "http://testserver/reviews/",
    "%2F%2Fevil.example",
    "evil.example",
]


@pytest.mark.parametrize("target", ELSEWHERE)
def test_sign_in_leads_nowhere_else(target, maya):
    client = browser()
    answer = try_in(client, maya.email, next=target)
    assert answer["Location"] == reverse("functions_catalog:lookup")
    already = client.get(SIGN_IN, {"next": target})
    assert already["Location"] == reverse("functions_catalog:lookup")


@pytest.mark.parametrize("target", ELSEWHERE)
def test_sign_out_leads_nowhere_else(target, maya):
    client = browser()
    try_in(client, maya.email)
    answer = client.post(reverse("account_logout"), {"next": target})
    assert answer["Location"] == "/"


def test_twice_encoded_address_stays_a_path_of_ours(maya):
    answer = try_in(browser(), maya.email, next="/%2F%2Fevil.example")
    assert answer["Location"] == "/%2F%2Fevil.example"


def test_sign_in_leads_on_where_somebody_was_going(maya):
    assert try_in(browser(), maya.email, next="/reviews/?page=2")["Location"] == "/reviews/?page=2"


def test_session_key_is_a_new_one_after_sign_in(maya):
    client = browser()
    planted = client.session
    planted["planted"] = True
    planted.save()
    client.cookies["sessionid"] = planted.session_key
    try_in(client, maya.email)
    assert is_in(client)
    assert client.session.session_key != planted.session_key
    assert not Session.objects.filter(session_key=planted.session_key).exists()


def test_nothing_of_one_person_is_left_for_the_next_in_the_same_browser(maya):
    client = browser()
    try_in(client, maya.email)
    session = client.session
    session["of maya"] = "hers"
    session.save()
    client.post(reverse("account_logout"))
    try_in(client, PersonFactory(name="Daniel Osei").email)
    assert "of maya" not in client.session


def test_session_cookie_is_out_of_the_reach_of_scripts_and_other_sites(maya, settings):
    settings.SESSION_COOKIE_SECURE = True
    client = browser()
    cookie = try_in(client, maya.email).cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["secure"]
    assert cookie["samesite"] == "Lax"
    assert cookie["expires"] == ""  # gone with the browser


def test_sign_in_needs_the_token_of_the_form(maya):
    strict = browser(enforce_csrf_checks=True)
    assert try_in(strict, maya.email).status_code == 403
    assert not is_in(strict)


def test_device_words_of_the_browser_of_tests():
    from people.origin import device_words

    assert device_words(CHROMIUM) == "Chromium on Linux"
