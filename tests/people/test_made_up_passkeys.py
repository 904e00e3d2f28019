"""Answers that no browser makes, where a page waits for a passkey: refused, never a failure."""

import copy
import json

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal.auth import STATE_SESSION_KEY
from django.urls import reverse
from django.utils import timezone
from fido2 import cbor
from fido2.utils import websafe_encode

from audit.models import Event
from people import factors, invitations
from people.models import Person
from tests.people.signing_in import (
    add_passkey,
    confirm,
    give_password,
    options_on,
    sign_in_by_passkey,
)
from tests.people.soft_passkey import SoftPasskey

HERE = {"host": "localhost"}
NO_JSON = ["", "nonsense", "NaN", "null", "1", "[]", '"x"', "{}", '{"id": 1}', '{"response": []}']
TOO_DEEP = '{"a":' * 3000
TOO_LONG = json.dumps({"id": "A" * 30_000})
WRONG: list[object] = [
    None,
    1,
    1e300,
    True,
    [],
    ["a"],
    {},
    "",
    "x",
    "!!!!",
    "AAAA",
    "\u00e9\0",
    "\ud800",
]
NEEDED = ["id", "rawId", "response"]
EXTRA = {"extra": "\0", "type": "\ud800", "clientExtensionResults": {"credProps": {"rk": "\0"}}}


@pytest.fixture(autouse=True)
def _unlimited(settings):
    settings.ACCOUNT_RATE_LIMITS = False
    settings.MFA_RATE_LIMITS = False


def made_up(good):
    """``good`` broken at each of its places, in each way."""
    yield from [*NO_JSON, TOO_DEEP, TOO_LONG]
    for place in NEEDED:
        yield json.dumps({name: said for name, said in good.items() if name != place})
        for wrong in WRONG:
            yield json.dumps(good | {place: wrong})
    for place in good["response"]:
        if place == "userHandle":
            continue  # who is asked by name needs none
        for wrong in WRONG:
            broken = copy.deepcopy(good)
            broken["response"][place] = wrong
            yield json.dumps(broken)


def assert_refused(client, url, good, *, status, **data):
    asked = client.session[STATE_SESSION_KEY]
    for sent in made_up(good):
        session = client.session
        session[STATE_SESSION_KEY] = asked
        session.save()
        answer = client.post(url, {"credential": sent, **data}, headers=HERE)
        assert answer.status_code == status, sent[:200]


def test_added(client, executives):
    client.force_login(executives["cro"])
    confirm(client)
    url = reverse("mfa_add_webauthn")
    good = SoftPasskey().create(options_on(client.get(url, headers=HERE)))
    assert_refused(client, url, good, status=422, name="Laptop")
    assert not Authenticator.objects.exists()


def test_what_is_kept_is_what_is_read(client, executives):
    client.force_login(executives["cro"])
    confirm(client)
    url = reverse("mfa_add_webauthn")
    good = SoftPasskey().create(options_on(client.get(url, headers=HERE)))
    answer = client.post(url, {"credential": json.dumps(good | EXTRA)}, headers=HERE)
    assert answer.status_code == 302
    (kept,) = factors.passkeys_of(executives["cro"])
    assert kept.data["credential"] == {
        "type": "public-key",
        "id": good["id"],
        "rawId": good["rawId"],
        "response": good["response"],
        "clientExtensionResults": {},
    }


def test_key_of_an_unknown_kind_is_not_added(client, executives):
    client.force_login(executives["cro"])
    confirm(client)
    url = reverse("mfa_add_webauthn")
    passkey = SoftPasskey()
    good = passkey.create(options_on(client.get(url, headers=HERE)))
    data = bytes(passkey._data()) + b"\0" * 16 + (16).to_bytes(2, "big") + passkey.credential_id
    data = data[:32] + bytes([data[32] | 0x40]) + data[33:] + cbor.encode({1: 99, 3: -9999})
    attested = {"fmt": "none", "attStmt": {}, "authData": data}
    good["response"]["attestationObject"] = websafe_encode(cbor.encode(attested))
    answer = client.post(url, {"credential": json.dumps(good)}, headers=HERE)
    assert answer.status_code == 422
    assert "cannot check that device" in answer.content.decode()
    assert not Authenticator.objects.exists()


def test_passkey_is_not_added_twice(client, executives):
    client.force_login(executives["cro"])
    confirm(client)
    passkey = add_passkey(client)
    url = reverse("mfa_add_webauthn")
    again = passkey.create(options_on(client.get(url, headers=HERE)))
    events = Event.objects.count()
    answer = client.post(url, {"credential": json.dumps(again)}, headers=HERE)
    assert answer.status_code == 422
    assert "on your account already" in answer.content.decode()
    assert len(factors.passkeys_of(executives["cro"])) == 1
    assert Event.objects.count() == events


def test_signing_in(client, executives):
    client.force_login(executives["cro"])
    confirm(client)
    passkey = add_passkey(client)
    client.logout()
    url = reverse("mfa_login_webauthn")
    headers = {"accept": "application/json", **HERE}
    good = passkey.get(client.get(url, headers=headers).json()["request_options"])
    assert_refused(client, url, good, status=302)
    assert "_auth_user_id" not in client.session


def test_second_step(client, executives):
    client.force_login(executives["cro"])
    confirm(client)
    passkey = add_passkey(client)
    client.logout()
    give_password(client, executives["cro"])
    url = reverse("mfa_authenticate")
    good = passkey.get(options_on(client.get(url, headers=HERE)))
    assert_refused(client, url, good, status=422)
    assert "_auth_user_id" not in client.session


def test_confirming(client, executives):
    client.force_login(executives["cro"])
    confirm(client)
    passkey = add_passkey(client)
    url = reverse("mfa_reauthenticate_webauthn")
    good = passkey.get(options_on(client.get(url, headers=HERE)))
    assert_refused(client, url, good, status=422)


def test_accepting(client, everybody):
    _, link = invitations.invite(
        name="Nadia Haddad",
        email="nadia.haddad@northwind.example",
        acting_user=everybody["administrator"],
        at=timezone.now(),
    )
    client.get(reverse("people:invitation_link", args=[link.rstrip("/").rsplit("/", 1)[1]]))
    url = reverse("people:accept")
    good = SoftPasskey().create(options_on(client.get(url, headers=HERE)))
    assert_refused(client, url, good, status=422)
    assert not Person.objects.filter(name="Nadia Haddad").exists()


# --- What the log hears of it ------------------------------------------------------------------


def newest():
    event = Event.objects.latest("sequence")
    return event.event, event.object_id, event.data


def test_refused_passkey_is_a_sign_in_that_failed(client, executives):
    client.post(reverse("mfa_login_webauthn"), {"credential": "{}"}, headers=HERE)
    assert newest() == ("session.sign_in_failed", "", {"stage": "passkey", "deactivated": False})


def test_right_passkey_of_a_closed_account_is_answered_like_a_wrong_one(client, executives):
    person = executives["cro"]
    client.force_login(person)
    confirm(client)
    passkey = add_passkey(client)
    client.logout()
    Person.objects.filter(pk=person.pk).update(is_active=False)
    closed = sign_in_by_passkey(client, passkey)
    assert newest() == (
        "session.sign_in_failed",
        str(person.pk),
        {"stage": "passkey", "deactivated": True},
    )
    wrong = client.post(reverse("mfa_login_webauthn"), {"credential": "{}"}, headers=HERE)
    assert (closed.status_code, closed["Location"]) == (wrong.status_code, wrong["Location"])
    assert "_auth_user_id" not in client.session


def test_refused_passkey_of_somebody_signed_in_is_a_confirmation_that_failed(client, executives):
    person = executives["cro"]
    client.force_login(person)
    confirm(client)
    add_passkey(client)
    client.post(reverse("mfa_reauthenticate_webauthn"), {"credential": "{}"}, headers=HERE)
    assert newest() == ("session.confirmation_failed", str(person.pk), {"stage": "passkey"})
