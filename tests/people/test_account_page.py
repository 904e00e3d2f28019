"""The page of the own account: what it says, what it changes, and that it stays quick."""

import html
import json
import re
from datetime import date, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from knox.models import AuthToken

import audit
from audit.models import Event
from notifications.models import OutgoingMail
from people import factors, registry, tokens
from people.appointments import appoint
from people.models import Appointment, Office, Person
from people.settings_of_person import NotYourAccount, UnknownSetting, save_reading
from people.views.account import protected_by
from tests.people.factories import PASSWORD, PersonFactory
from tests.people.signing_in import AT, add_generator, add_passkey, code_at, confirm, options_on
from tests.people.soft_passkey import SoftPasskey


@pytest.fixture(autouse=True)
def _now(time_machine):
    time_machine.move_to(AT, tick=False)


def words_of(client):
    """The page's words, without markup and with single spaces."""
    answer = client.get(reverse("people:account"))
    assert answer.status_code == 200
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def add_passkeys(person, count):
    for number in range(count):
        made = SoftPasskey().create({"publicKey": {"user": {"id": "MQ"}, "challenge": "AA"}})
        name = f"Key {number}"
        factors.add_passkey(name=name, credential=made, acting_user=person, at=AT)


# --- What it says ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("passkeys", "generator", "signed_in_on", "sentence"),
    [
        (0, False, 1, "Only your password protects it. You are signed in on this device."),
        (1, False, 2, "A passkey protects it. You are signed in on two devices."),
        (0, True, 1, "A code generator protects it. You are signed in on this device."),
        (2, False, 1, "Two passkeys protect it. You are signed in on this device."),
        (
            2,
            True,
            3,
            "Two passkeys and a code generator protect it. You are signed in on three devices.",
        ),
        (
            1,
            True,
            1,
            "A passkey and a code generator protect it. You are signed in on this device.",
        ),
        (12, False, 12, "12 passkeys protect it. You are signed in on 12 devices."),
    ],
)
def test_lead_says_what_protects_the_account(passkeys, generator, signed_in_on, sentence):
    person = Person(password="usable")
    said = protected_by(person, passkeys=passkeys, generator=generator, signed_in_on=signed_in_on)
    assert said == sentence


def test_lead_of_somebody_without_password_and_factor():
    person = Person()
    person.set_unusable_password()
    said = protected_by(person, passkeys=0, generator=False, signed_in_on=1)
    assert said.startswith("Your company’s single sign-on protects it.")


def test_page_of_somebody_new(client, executives):
    client.force_login(executives["member"])
    words = words_of(client)
    assert "Ana Brandt" in words and "Sales manager" in words
    assert "None yet. A passkey signs you in" in words
    assert "They come with your first passkey or code generator" in words
    assert "America/New York, the company’s" in words
    assert "Your stand-in" not in words
    assert "API tokens" not in words
    assert "needs a second factor" not in words


def test_page_tells_of_factors(client, executives):
    person = executives["cfo"]
    secret = add_generator(person)
    factors.use_code(person, code_at(secret, AT), at=AT)
    add_passkeys(person, 2)
    passkey = factors.passkeys_of(person)[1]
    type(passkey).objects.filter(pk=passkey.pk).update(last_used_at=AT)
    client.force_login(person)
    words = words_of(client)
    assert "Two passkeys and a code generator protect it." in words
    assert "Key 0 23 Nov 2026 not yet Rename Key 0 Remove Key 0" in words
    assert "Key 1 23 Nov 2026 23 Nov 2026, 10:00 EST" in words
    assert "On since 23 Nov 2026, last used 23 Nov 2026" in words
    assert "10 of 10 left, made 23 Nov 2026" in words
    assert "Keep two" not in words
    assert words_of(client).count("CFO since 1 Jan 2026") == 1


def test_one_passkey_is_too_few(client, executives):
    add_passkeys(executives["cfo"], 1)
    client.force_login(executives["cfo"])
    assert "Keep two. With one you could lock yourself out." in words_of(client)


def test_who_has_no_password_may_set_one(client, company):
    person = PersonFactory()
    client.force_login(person)
    confirm(client)
    passkey = add_passkey(client)
    Person.objects.filter(pk=person.pk).update(password="!")
    person.refresh_from_db()
    client.force_login(person)
    assert "Password None Set a password" in words_of(client)

    page = client.get(
        reverse("mfa_reauthenticate_webauthn") + f"?next={reverse('account_set_password')}",
        headers={"host": "localhost"},
    )
    answer = client.post(
        reverse("mfa_reauthenticate_webauthn") + f"?next={reverse('account_set_password')}",
        {"credential": json.dumps(passkey.get(options_on(page)))},
        headers={"host": "localhost"},
    )
    assert answer["Location"] == reverse("account_set_password")
    page = client.get(reverse("account_set_password"))
    assert page.status_code == 200
    assert "account/password_set.html" in [one.name for one in page.templates]
    new = "four unrelated words here"
    wrong = client.post(reverse("account_set_password"), {"password1": "a", "password2": "a"})
    assert wrong.status_code == 422
    done = client.post(reverse("account_set_password"), {"password1": new, "password2": new})
    assert done["Location"] == reverse("people:account")
    person.refresh_from_db()
    assert person.check_password(new)


def test_offices_say_since_when_and_who_recorded_them(client, executives):
    Appointment.objects.create(
        person=executives["member"],
        office=Office.objects.get(key="auditor"),
        starts_on=date(2026, 6, 3),
        exclusive=False,
        recorded_by_name="Ruth Adler, Corporate Secretary",
        recorded_at=AT,
    )
    client.force_login(executives["member"])
    words = words_of(client)
    assert "Auditor since 3 Jun 2026" in words
    assert "Office Auditor, recorded by Ruth Adler, Corporate Secretary" in words


def test_facts_of_upper_rooms_stand_there(client, executives, monkeypatch):
    monkeypatch.setattr(registry, "_facts", [])
    registry.register_account_facts(
        lambda person: [registry.Fact("You signed", "v1, v2", "/boundaries/")]
    )
    client.force_login(executives["cfo"])
    assert "You signed v1, v2" in words_of(client)


# --- The stand-in ---------------------------------------------------------------------------


def stand_in(person, office, first, end):
    appoint(
        person=person,
        office_key=office,
        starts_on=first,
        ends_on=end,
        acting=True,
        instrument="Letter of 20 Nov 2026",
        acting_user=None,
        at=AT,
    )


def test_no_stand_in(client, executives):
    client.force_login(executives["cfo"])
    assert "Your stand-in None now, and none recorded for later." in words_of(client)


def test_stand_in_to_come(client, executives):
    ingrid = PersonFactory(name="Ingrid Sole", job_title="Controller")
    stand_in(ingrid, "cfo", date(2026, 12, 21), date(2027, 1, 5))
    client.force_login(executives["cfo"])
    assert (
        "None now. Ingrid Sole, Controller, acts as CFO from 21 Dec 2026 to 4 Jan 2027. "
        "In that time you can read but not agree or sign."
    ) in words_of(client)


def test_stand_in_now(client, executives):
    ingrid = PersonFactory(name="Ingrid Sole", job_title="Controller")
    stand_in(ingrid, "cfo", date(2026, 11, 20), date(2026, 11, 25))
    client.force_login(executives["cfo"])
    assert (
        "Ingrid Sole, Controller, acts as CFO until 24 Nov 2026. Until then you can read but not "
        "agree or sign."
    ) in words_of(client)
    client.force_login(ingrid)
    words = words_of(client)
    assert "Acting CFO since 20 Nov 2026, last day 24 Nov 2026" in words
    assert "Your stand-in" not in words


# --- Times and dates ------------------------------------------------------------------------


def test_reading_is_saved_with_one_event(client, executives):
    person = executives["cfo"]
    client.force_login(person)
    events = Event.objects.count()
    new = {"time_zone": "Europe/Vienna", "date_language": "de"}
    answer = client.post(reverse("people:reading"), new)
    assert answer["Location"] == reverse("people:account")
    person.refresh_from_db()
    assert (person.time_zone, person.date_language) == ("Europe/Vienna", "de")
    assert Event.objects.count() == events + 1
    event = Event.objects.order_by("-sequence").first()
    assert event.event == "person.reading_changed" and event.data == new
    assert (event.object_id, event.actor_id) == (str(person.pk), person.pk)
    assert not OutgoingMail.objects.exists()
    words = words_of(client)
    assert "CFO since 1. Jan. 2026" in words
    assert "Time zone Europe/Vienna" in words

    # The same once more is no change.
    client.post(reverse("people:reading"), new)
    assert Event.objects.count() == events + 1
    # And back to the company's.
    client.post(reverse("people:reading"), {"time_zone": "", "date_language": ""})
    person.refresh_from_db()
    assert (person.time_zone, person.date_language) == ("", "")


@pytest.mark.parametrize(
    "wrong",
    [
        {"time_zone": "Mars/Olympus", "date_language": ""},
        {"time_zone": "", "date_language": "xx"},
    ],
)
def test_unknown_zone_or_language_is_refused(client, executives, wrong):
    person = executives["cfo"]
    client.force_login(person)
    events = Event.objects.count()
    answer = client.post(reverse("people:reading"), wrong)
    assert answer.status_code == 422
    assert "Nothing is saved" in answer.content.decode()
    with pytest.raises(UnknownSetting):
        save_reading(person=person, **wrong, acting_user=person, at=AT)
    person.refresh_from_db()
    assert (person.time_zone, person.date_language) == ("", "")
    assert Event.objects.count() == events


def test_zone_under_a_former_name_stays(client, executives):
    person = executives["cfo"]
    Person.objects.filter(pk=person.pk).update(time_zone="US/Eastern")
    client.force_login(person)
    new = {"time_zone": "US/Eastern", "date_language": "iso"}
    assert client.post(reverse("people:reading"), new).status_code == 302
    assert "Time zone US/Eastern" in words_of(client)
    assert "US/Pacific" not in words_of(client)


def test_each_zone_is_offered_under_one_name(client, executives):
    client.force_login(executives["cfo"])
    page = client.get(reverse("people:account")).content.decode()
    offered = re.findall(r'<option value="([^"]*)"', page)
    assert {"Asia/Kolkata", "Europe/Kyiv", "Europe/Oslo", "America/New_York", "UTC"} <= {*offered}
    former = {"Asia/Calcutta", "Europe/Kiev", "America/Buenos_Aires", "Asia/Saigon", "US/Eastern"}
    assert former.isdisjoint(offered)


def test_password_says_when_it_was_set_and_changed(client, executives):
    person = executives["cfo"]
    person.date_joined = person.password_changed_at = AT - timedelta(days=2)
    person.save()
    client.force_login(person)
    assert "Password Set on 21 Nov 2026" in words_of(client)
    person.password_changed_at = AT - timedelta(days=1)
    person.save()
    assert "Password Changed 22 Nov 2026" in words_of(client)


def test_recovery_codes_are_promised_to_nobody_without_a_password(client, executives):
    person = executives["cfo"]
    person.set_unusable_password()
    person.save()
    add_passkeys(person, 1)
    assert factors.recovery_codes_of(person) is None
    client.force_login(person)
    said = words_of(client)
    assert "None: they follow a password. Add a second passkey, or set a password" in said
    assert "Make 10" not in said


def test_nobody_changes_how_another_reads(executives):
    with pytest.raises(NotYourAccount):
        save_reading(
            person=executives["cfo"],
            time_zone="UTC",
            date_language="",
            acting_user=executives["cro"],
            at=AT,
        )


# --- News by mail ---------------------------------------------------------------------------


def test_how_soon_news_is_mailed_is_saved_with_one_event(client, executives):
    person = executives["cfo"]
    client.force_login(person)
    assert "Every hour, together" in words_of(client)
    events = Event.objects.count()

    answer = client.post(reverse("people:news_by_mail"), {"news_by_mail": "daily"})

    assert answer["Location"] == reverse("people:account")
    person.refresh_from_db()
    assert person.news_by_mail == "daily"
    event = Event.objects.order_by("-sequence").first()
    assert (event.event, event.data) == ("person.news_by_mail_changed", {"news_by_mail": "daily"})
    # The same once more is no change.
    client.post(reverse("people:news_by_mail"), {"news_by_mail": "daily"})
    assert Event.objects.count() == events + 1


def test_unknown_way_of_mailing_news_is_refused(client, executives):
    person = executives["cfo"]
    client.force_login(person)
    events = Event.objects.count()
    answer = client.post(reverse("people:news_by_mail"), {"news_by_mail": "weekly"})
    assert answer.status_code == 422
    person.refresh_from_db()
    assert (person.news_by_mail, Event.objects.count()) == ("hourly", events)


# --- Tokens ---------------------------------------------------------------------------------


def test_token_is_listed_and_revoked(client, executives):
    person = executives["cfo"]
    token, bearer = AuthToken.objects.create(user=person, expiry=timedelta(days=90))
    AuthToken.objects.create(user=person, expiry=timedelta(days=-1))
    AuthToken.objects.create(user=executives["cro"])
    client.force_login(person)
    words = words_of(client)
    assert f"{token.token_key} 23 Nov 2026 21 Feb 2027 Revoke {token.token_key}" in words
    assert words.count("Revoke") == 1
    events = Event.objects.count()
    answer = client.post(reverse("people:revoke_token"), {"token": token.digest})
    assert answer["Location"] == reverse("people:account")
    assert not AuthToken.objects.filter(digest=token.digest).exists()
    event = Event.objects.order_by("-sequence").first()
    assert (event.event, event.object_id) == ("token.revoked", token.token_key)
    assert Event.objects.count() == events + 1
    client.logout()
    headers = {"authorization": f"Bearer {bearer}"}
    assert client.get("/api/v1/functions/", headers=headers).status_code == 401


@pytest.mark.parametrize("digest", [None, "\0", "x" * 10_000])
def test_token_of_another_is_not_revoked(client, executives, digest):
    token, _ = AuthToken.objects.create(user=executives["cro"])
    client.force_login(executives["cfo"])
    events = Event.objects.count()
    sent = {"token": token.digest if digest is None else digest}
    answer = client.post(reverse("people:revoke_token"), sent, follow=True)
    assert "That token has ended already." in answer.content.decode()
    assert AuthToken.objects.filter(digest=token.digest).exists()
    assert Event.objects.count() == events
    with pytest.raises(tokens.NoSuchToken):
        tokens.revoke_token(digest="", acting_user=executives["cfo"], at=AT)


# --- The page as a whole --------------------------------------------------------------------


def test_page_needs_a_sign_in(client, company):
    for name in ("people:account", "people:reading", "people:revoke_token"):
        answer = client.post(reverse(name)) if name != "people:account" else client.get("/account/")
        assert answer["Location"].startswith(reverse("account_login"))


def test_account_is_in_the_menu(client, executives):
    client.force_login(executives["cfo"])
    page = client.get(reverse("functions_catalog:lookup")).content.decode()
    assert f'href="{reverse("people:account")}"' in page


def test_lately_says_what_happened(client, executives):
    person = executives["cfo"]
    client.post(reverse("account_login"), {"login": person.email, "password": PASSWORD})
    words = words_of(client)
    assert "Lately on this account Signed in with a password" in words
    # What others did is told with who did it.
    other = PersonFactory(name="Ruth Adler")
    with transaction.atomic():
        audit.record(
            "person.reactivated",
            at=AT,
            actor=other,
            object_type="person",
            object_id=str(person.pk),
        )
    assert "Ruth Adler reactivated the account of Priya Raman" in words_of(client)


def test_number_of_queries_does_not_grow(client, executives):
    person = executives["cfo"]
    client.force_login(person)
    add_passkeys(person, 1)
    AuthToken.objects.create(user=person)
    words_of(client)

    def queries():
        with CaptureQueriesContext(connection) as caught:
            words_of(client)
        return len(caught)

    few = queries()
    add_passkeys(person, factors.MOST_PASSKEYS - 1)
    for _ in range(50):
        AuthToken.objects.create(user=person)
    for _ in range(10):
        other = type(client)()
        other.post(reverse("account_login"), {"login": person.email, "password": PASSWORD})
    assert queries() == few
