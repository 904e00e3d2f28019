"""Signing in and confirming by the real pages, with whatever factors a person has."""

import html
import json
import re
from datetime import UTC, datetime

from allauth.mfa.totp.internal.auth import format_hotp_value, generate_totp_secret, hotp_value
from django.urls import reverse

from people import factors
from tests.people.factories import PASSWORD
from tests.people.soft_passkey import SoftPasskey

START = datetime(2026, 11, 23, 14, tzinfo=UTC)  # where the fixture ``now`` stands
AT = datetime(2026, 11, 23, 15, tzinfo=UTC)


def code_at(secret, at, *, steps=0):
    """The code that a generator with ``secret`` shows at ``at`` (or some steps later)."""
    return format_hotp_value(hotp_value(secret, int(at.timestamp()) // 30 + steps))


def add_generator(person, *, at=AT):
    """A code generator; returns its secret. The code that proved it is ten minutes old."""
    secret = generate_totp_secret()
    step = int(at.timestamp()) // 30 - 20
    factors.add_code_generator(secret=secret, time_step=step, acting_user=person, at=at)
    return secret


def recovery_codes(person):
    codes = factors.Authenticator.objects.get(user=person, type=factors.RECOVERY_CODES)
    return codes.wrap().get_unused_codes()


def give_password(client, person):
    """The first step of signing in."""
    return client.post(reverse("account_login"), {"login": person.email, "password": PASSWORD})


def confirm(client):
    """It is still you: by password."""
    answer = client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    assert answer.status_code == 302, answer.content.decode()


def options_on(answer):
    """What a page asks of the browser's passkey."""
    found = re.search(r'data-options="([^"]*)"', answer.content.decode())
    return json.loads(html.unescape(found[1]))


def add_passkey(client, name="MacBook", passkey=None):
    """Add a passkey by the page, as ``client`` who has confirmed; returns it."""
    passkey = passkey or SoftPasskey()
    page = client.get(reverse("mfa_add_webauthn"), headers={"host": "localhost"})
    answer = client.post(
        reverse("mfa_add_webauthn"),
        {"name": name, "credential": json.dumps(passkey.create(options_on(page)))},
        headers={"host": "localhost"},
    )
    assert answer.status_code == 302, answer.content.decode()
    return passkey


def sign_in_by_passkey(client, passkey, **data):
    """Sign in with a passkey alone."""
    asked = client.get(
        reverse("mfa_login_webauthn"),
        headers={"accept": "application/json", "host": "localhost"},
    ).json()["request_options"]
    return client.post(
        reverse("mfa_login_webauthn"),
        {"credential": json.dumps(passkey.get(asked)), **data},
        headers={"host": "localhost"},
    )
