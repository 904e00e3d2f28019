"""Second factors: kept encrypted, used once, changed by their owner only, and never the last."""

import json
import threading

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from audit.models import Event, PersonalText
from notifications.models import OutgoingMail
from people import factors
from people.errors import NotYourOffice
from people.lost_factors import OwnFactors, remove_lost
from people.models import Person, UsedCode
from tests.people.factories import PASSWORD, PersonFactory
from tests.people.signing_in import (
    AT,
    add_generator,
    add_passkey,
    code_at,
    confirm,
    give_password,
    options_on,
    recovery_codes,
    sign_in_by_passkey,
)
from tests.people.soft_passkey import SoftPasskey


@pytest.fixture
def now(time_machine):
    time_machine.move_to(AT, tick=False)
    return time_machine


@pytest.fixture
def person(company):
    return PersonFactory(name="Maya Lindqvist")


def signed_in_as(client):
    return client.session.get("_auth_user_id")


def last_event():
    return Event.objects.order_by("-sequence").first()


def mails_to(person):
    return list(OutgoingMail.objects.filter(person=person).order_by("pk"))


# --- Secrets at rest ------------------------------------------------------------------------


def test_database_never_sees_a_secret(person):
    secret = add_generator(person)
    seed = factors.decrypt(
        Authenticator.objects.get(user=person, type=factors.RECOVERY_CODES).data["seed"]
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT data FROM mfa_authenticator")
        stored = " ".join(str(row[0]) for row in cursor.fetchall())
    assert secret not in stored
    assert seed not in stored
    assert all(code not in stored for code in recovery_codes(person))
    told = " ".join(one.text + one.html for one in mails_to(person))
    assert secret not in told and all(code not in told for code in recovery_codes(person))


def test_session_never_sees_the_secret_of_a_new_code_generator(client, person):
    client.force_login(person)
    confirm(client)
    page = client.get(reverse("mfa_activate_totp"))
    secret = page.context["secret"].replace(" ", "")
    assert len(secret) == 32
    assert secret not in json.dumps(dict(client.session.items()))


def test_changed_secret_of_the_keys_is_told_loudly(person, settings):
    add_generator(person)
    settings.KEYS_SECRET = "another one"
    with pytest.raises(factors.FactorsUnreadable, match="Set KEYS_SECRET to what it was"):
        factors.code_time_step(person, "123456", at=AT)
    with pytest.raises(factors.FactorsUnreadable):
        recovery_codes(person)
    # What needs no secret still answers.
    assert factors.recovery_codes_of(person).left == 10


def test_key_comes_from_the_secret_of_the_keys_and_else_from_the_secret_key(settings):
    written = factors.encrypt("a")
    settings.SECRET_KEY = "another " * 8
    assert factors.decrypt(written) == "a"
    settings.KEYS_SECRET = ""
    with pytest.raises(factors.FactorsUnreadable):
        factors.decrypt(written)
    assert factors.decrypt(factors.encrypt("b")) == "b"


# --- What counts as a factor ----------------------------------------------------------------


def test_recovery_codes_are_no_factor(person):
    assert not factors.has_second_factor(person)
    add_generator(person)
    assert factors.has_second_factor(person)
    Authenticator.objects.filter(user=person, type=factors.CODE_GENERATOR).delete()
    assert factors.recovery_codes_of(person).left == 10
    assert not factors.has_second_factor(person)


# --- Codes ----------------------------------------------------------------------------------


def test_code_of_now_and_of_one_step_back_are_right(person):
    secret = add_generator(person)
    step = int(AT.timestamp()) // 30
    assert factors.code_time_step(person, code_at(secret, AT), at=AT) == step
    assert factors.code_time_step(person, code_at(secret, AT, steps=-1), at=AT) == step - 1
    for wrong in (-2, 1):
        assert factors.code_time_step(person, code_at(secret, AT, steps=wrong), at=AT) is None


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12345a", "١٢٣٤٥٦", " 12345", "-12345"])
def test_only_six_digits_are_a_code(person, code):
    add_generator(person)
    assert factors.code_time_step(person, code, at=AT) is None


def test_code_works_once(person):
    secret = add_generator(person)
    code = code_at(secret, AT)
    assert factors.use_code(person, code, at=AT)
    assert not factors.use_code(person, code, at=AT)
    assert factors.code_generator_of(person).last_used_at == AT
    assert UsedCode.objects.filter(person=person, used_at=AT).exclude(time_step=0).count() == 2


def test_code_of_somebody_without_a_code_generator_is_wrong(person):
    assert not factors.use_code(person, "123456", at=AT)


def test_code_stays_unused_when_what_it_was_for_is_rolled_back(person):
    secret = add_generator(person)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        assert factors.use_code(person, code_at(secret, AT), at=AT)
        _ = 1 / 0
    assert factors.use_code(person, code_at(secret, AT), at=AT)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_of_two_who_use_one_code_at_once_one_succeeds(company):
    """Both find the code right and unused; the unique row decides."""
    person = PersonFactory()
    secret = add_generator(person)
    code, ready, outcome = code_at(secret, AT), threading.Barrier(2), []
    asked = factors.code_time_step

    def both_have_looked(*args, **kwargs):
        step = asked(*args, **kwargs)
        ready.wait(timeout=20)
        return step

    def use():
        try:
            outcome.append(factors.use_code(person, code, at=AT))
        finally:
            connection.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(factors, "code_time_step", both_have_looked)
        threads = [threading.Thread(target=use) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(outcome) == [False, True]


# --- Signing in -----------------------------------------------------------------------------


def test_password_alone_does_not_sign_in_whoever_has_a_code_generator(client, person, now):
    add_generator(person)
    answer = give_password(client, person)
    assert answer["Location"] == reverse("mfa_authenticate")
    assert signed_in_as(client) is None
    page = client.get(reverse("mfa_authenticate"))
    assert "6 digits from your code generator" in page.content.decode()
    assert "data-passkey=" not in page.content.decode()
    assert client.get(reverse("functions_catalog:lookup")).status_code == 302


def test_code_signs_in_once(client, person, now):
    secret = add_generator(person)
    code = code_at(secret, AT)
    give_password(client, person)
    answer = client.post(reverse("mfa_authenticate"), {"code": f"{code[:3]} {code[3:]}"})
    assert answer.status_code == 302
    assert signed_in_as(client) == str(person.pk)

    client.logout()
    give_password(client, person)
    again = client.post(reverse("mfa_authenticate"), {"code": code})
    assert again.status_code == 422
    assert "That code was used before" in again.content.decode()
    assert signed_in_as(client) is None

    now.move_to(AT.replace(minute=1), tick=False)
    client.post(reverse("mfa_authenticate"), {"code": code_at(secret, timezone.now())})
    assert signed_in_as(client) == str(person.pk)


def test_code_that_signed_something_signs_nobody_in(client, person, now):
    secret = add_generator(person)
    assert factors.use_code(person, code_at(secret, AT), at=AT)
    give_password(client, person)
    answer = client.post(reverse("mfa_authenticate"), {"code": code_at(secret, AT)})
    assert answer.status_code == 422
    assert signed_in_as(client) is None


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("41820", "The code has 5 digits."),
        ("4182o4", "A code has only digits."),
        ("000000", "That code is wrong, too old or used before."),
        ("", "This field is required."),
    ],
)
def test_wrong_code_is_told_and_signs_nobody_in(client, person, now, code, words):
    add_generator(person)
    give_password(client, person)
    answer = client.post(reverse("mfa_authenticate"), {"code": code})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert signed_in_as(client) is None


def test_guessing_codes_is_stopped(client, person, now):
    secret = add_generator(person)
    give_password(client, person)
    for _ in range(5):
        wrong = client.post(reverse("mfa_authenticate"), {"code": "000000"})
        assert "That code is wrong" in wrong.content.decode()
    answer = client.post(reverse("mfa_authenticate"), {"code": code_at(secret, AT)})
    assert "Too many failed tries" in answer.content.decode()
    assert signed_in_as(client) is None


def test_recovery_code_signs_in_once_and_is_told(client, person, now):
    add_generator(person)
    code = recovery_codes(person)[3]
    OutgoingMail.objects.all().delete()
    give_password(client, person)
    assert client.post(reverse("mfa_authenticate"), {"code": code}).status_code == 302
    assert signed_in_as(client) == str(person.pk)

    used = Event.objects.get(event="factor.recovery_code_used")
    assert used.actor_id == person.pk and used.object_id == str(person.pk)
    assert used.data == {"type": "recovery_codes", "left": 9}
    mail = OutgoingMail.objects.get(kind="factor-recovery-code-used")
    assert mail.person == person and "9 of 10 are left" in mail.text
    assert code not in mail.text and code not in mail.html
    assert factors.recovery_codes_of(person).left == 9

    client.logout()
    give_password(client, person)
    events = Event.objects.filter(event__startswith="factor.").count()
    assert client.post(reverse("mfa_authenticate"), {"code": code}).status_code == 422
    assert signed_in_as(client) is None
    assert Event.objects.filter(event__startswith="factor.").count() == events


def test_after_a_recovery_code_the_page_says_how_many_are_left(client, person, now):
    add_generator(person)
    code = recovery_codes(person)[0]
    give_password(client, person)
    page = client.post(reverse("mfa_authenticate"), {"code": code}, follow=True).content.decode()
    assert "You signed in with a recovery code. 9 of 10 are left." in page
    assert f'<a href="{reverse("people:account")}">Add a new passkey or code generator</a>' in page
    # A found sheet of paper changes nothing: the password is asked for again.
    answer = client.get(reverse("mfa_activate_totp"))
    assert answer["Location"].startswith(reverse("account_reauthenticate"))


def test_recovery_code_alone_signs_nobody_in(client, person, now):
    add_generator(person)
    answer = client.post(reverse("mfa_authenticate"), {"code": recovery_codes(person)[0]})
    assert answer.status_code == 302 and signed_in_as(client) is None
    assert factors.recovery_codes_of(person).left == 10


# --- Passkeys -------------------------------------------------------------------------------


def test_passkey_is_added_and_signs_in_alone(client, person):
    client.force_login(person)
    confirm(client)
    passkey = add_passkey(client, "MacBook, Touch ID")
    kept = factors.passkeys_of(person)
    assert [one.wrap().name for one in kept] == ["MacBook, Touch ID"]
    assert kept[0].wrap().is_passwordless
    added = Event.objects.get(event="factor.added")
    assert added.data == {
        "type": "webauthn",
        "factor_id": kept[0].pk,
        "replaced": False,
        "recovery_codes_made": True,
    }
    assert PersonalText.objects.get(sequence=added.sequence).text == "MacBook, Touch ID"
    assert added.ip_hash
    (mail,) = [one for one in mails_to(person) if one.kind == "factor-added"]
    assert mail.subject == "A passkey was added to your account"

    client.logout()
    answer = sign_in_by_passkey(client, passkey, next="/reviews/")
    assert answer["Location"] == "/reviews/"
    assert signed_in_as(client) == str(person.pk)
    assert factors.passkeys_of(person)[0].last_used_at


def test_sign_in_by_passkey_leads_nowhere_else(client, person):
    client.force_login(person)
    confirm(client)
    passkey = add_passkey(client)
    client.logout()
    answer = sign_in_by_passkey(client, passkey, next="https://evil.example/")
    assert answer["Location"] == reverse("functions_catalog:lookup")


def test_passkey_page_asks_for_a_key_that_signs_in_by_itself(client, person):
    client.force_login(person)
    confirm(client)
    asked = options_on(client.get(reverse("mfa_add_webauthn"), headers={"host": "localhost"}))
    selection = asked["publicKey"]["authenticatorSelection"]
    assert selection["residentKey"] == "required"
    assert selection["userVerification"] == "required"
    assert asked["publicKey"]["rp"] == {"id": "localhost", "name": "Northwind Cloud"}
    assert asked["publicKey"]["user"]["name"] == person.email
    assert asked["publicKey"]["user"]["displayName"] == "Maya Lindqvist"


@pytest.mark.parametrize(
    ("passkey", "resident", "words"),
    [
        (SoftPasskey(verifies=False), True, "did not ask for a PIN"),
        (SoftPasskey(), False, "keeps no passkey that signs in by itself"),
        (SoftPasskey(rp_id="evil.example"), True, "was not added"),
        (SoftPasskey(origin="https://evil.example"), True, "was not added"),
        (SoftPasskey(origin="http://registry.example"), True, "was not added"),
    ],
)
def test_passkey_that_proves_too_little_is_not_added(client, person, passkey, resident, words):
    client.force_login(person)
    confirm(client)
    page = client.get(reverse("mfa_add_webauthn"), headers={"host": "localhost"})
    events = Event.objects.count()
    made = passkey.create(options_on(page), resident=resident)
    answer = client.post(
        reverse("mfa_add_webauthn"),
        {"name": "A", "credential": json.dumps(made)},
        headers={"host": "localhost"},
    )
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert 'value="A"' in answer.content.decode()
    assert not factors.passkeys_of(person)
    assert Event.objects.count() == events


@pytest.mark.parametrize("credential", ["", "x", "[]", "{}", '{"id":"AA","rawId":"AA"}', "null"])
def test_what_no_browser_sends_is_refused(client, person, credential):
    client.force_login(person)
    confirm(client)
    client.get(reverse("mfa_add_webauthn"))
    answer = client.post(reverse("mfa_add_webauthn"), {"name": "A", "credential": credential})
    assert answer.status_code == 422
    client.logout()
    answer = client.post(reverse("mfa_login_webauthn"), {"credential": credential})
    assert answer["Location"] == reverse("account_login")
    assert signed_in_as(client) is None


def test_answer_to_an_old_challenge_signs_nobody_in(client, person):
    client.force_login(person)
    confirm(client)
    passkey = add_passkey(client)
    client.logout()
    old = client.get(
        reverse("mfa_login_webauthn"),
        headers={"accept": "application/json", "host": "localhost"},
    ).json()["request_options"]
    answer = passkey.get(old)
    assert sign_in_by_passkey(client, passkey).status_code == 302
    client.logout()
    client.get(reverse("mfa_login_webauthn"), headers={"accept": "application/json"})
    client.post(
        reverse("mfa_login_webauthn"),
        {"credential": json.dumps(answer)},
        headers={"host": "localhost"},
    )
    assert signed_in_as(client) is None


def test_passkey_is_the_second_step_too(client, person):
    client.force_login(person)
    confirm(client)
    passkey = add_passkey(client)
    client.logout()
    give_password(client, person)
    page = client.get(reverse("mfa_authenticate"), headers={"host": "localhost"})
    assert "Or with a recovery code" in " ".join(page.content.decode().split())
    answer = client.post(
        reverse("mfa_authenticate"),
        {"credential": json.dumps(passkey.get(options_on(page)))},
        headers={"host": "localhost"},
    )
    assert answer.status_code == 302
    assert signed_in_as(client) == str(person.pk)


def test_another_passkey_is_not_the_second_step(client, person):
    client.force_login(person)
    confirm(client)
    add_passkey(client)
    client.logout()
    give_password(client, person)
    page = client.get(reverse("mfa_authenticate"), headers={"host": "localhost"})
    answer = client.post(
        reverse("mfa_authenticate"),
        {"credential": json.dumps(SoftPasskey().get(options_on(page)))},
        headers={"host": "localhost"},
    )
    assert answer.status_code == 422
    assert "That passkey was not accepted" in answer.content.decode()
    assert signed_in_as(client) is None


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("127.0.0.1:8000", "such as http://localhost:8000"),
        ("[::1]:8000", "such as http://localhost:8000"),
        ("localhost:8000", ""),
        ("registry.northwind.example", "begins with https"),
    ],
)
def test_address_where_no_passkey_works_is_told(client, company, settings, host, words):
    settings.ALLOWED_HOSTS = ["*"]
    page = client.get(reverse("account_login"), headers={"host": host}).content.decode()
    assert ("data-passkey=" in page) is (words == "")
    assert words in page
    assert ("Passkeys need an address" in page) is (words != "")


def test_passkey_gets_another_name(client, person):
    client.force_login(person)
    confirm(client)
    add_passkey(client, "A")
    (passkey,) = factors.passkeys_of(person)
    edit = reverse("mfa_edit_webauthn", args=[passkey.pk])
    assert client.post(edit, {"name": " "}).status_code == 422
    assert client.post(edit, {"name": "Security  key, blue "}).status_code == 302
    assert factors.passkeys_of(person)[0].wrap().name == "Security key, blue"
    assert last_event().event == "factor.renamed"


def test_passkeys_are_counted(person):
    for number in range(factors.MOST_PASSKEYS):
        passkey = SoftPasskey()
        made = passkey.create({"publicKey": {"user": {"id": "MQ"}, "challenge": "AA"}})
        factors.add_passkey(name="", credential=made, acting_user=person, at=AT)
        assert factors.passkeys_of(person)[-1].wrap().name == f"Passkey {number + 1}"
    events = Event.objects.count()
    with pytest.raises(factors.TooManyPasskeys, match="Remove one that you no longer use"):
        factors.add_passkey(name="", credential=made, acting_user=person, at=AT)
    assert len(factors.passkeys_of(person)) == factors.MOST_PASSKEYS
    assert Event.objects.count() == events


# --- The code generator ---------------------------------------------------------------------


def test_code_generator_is_added(client, person, now):
    client.force_login(person)
    confirm(client)
    page = client.get(reverse("mfa_activate_totp"))
    words = page.content.decode()
    assert "<svg" in words and "data:image" not in words
    assert "issuer=Northwind%20Cloud" in words
    assert "no-store" in page["Cache-Control"]
    secret = page.context["secret"].replace(" ", "")
    assert client.get(reverse("mfa_activate_totp")).context["secret"] == page.context["secret"]

    answer = client.post(reverse("mfa_activate_totp"), {"code": code_at(secret, AT)})
    assert answer["Location"] == reverse("mfa_view_recovery_codes")
    assert factors.has_second_factor(person)
    assert last_event().event == "factor.added"
    assert last_event().data["type"] == "totp"
    assert Event.objects.filter(event__startswith="factor.").count() == 1
    # What proved it is used up.
    assert not factors.use_code(person, code_at(secret, AT), at=AT)


def test_wrong_first_code_adds_nothing(client, person, now):
    client.force_login(person)
    confirm(client)
    secret = client.get(reverse("mfa_activate_totp")).context["secret"]
    answer = client.post(reverse("mfa_activate_totp"), {"code": "000000"})
    assert answer.status_code == 422
    assert "That code does not fit" in answer.content.decode()
    assert answer.context["secret"] == secret
    assert not factors.has_second_factor(person)
    assert not Event.objects.filter(event__startswith="factor.").exists()


def test_code_generator_moves_to_a_new_phone(client, person, now):
    former = add_generator(person)
    client.force_login(person)
    confirm(client)
    page = client.get(reverse("mfa_activate_totp"))
    assert "Move your code generator" in page.content.decode()
    secret = page.context["secret"].replace(" ", "")
    left = recovery_codes(person)
    # The code of the same half minute may have confirmed that it is still them.
    assert factors.use_code(person, code_at(former, AT), at=AT)
    answer = client.post(reverse("mfa_activate_totp"), {"code": code_at(secret, AT)})
    assert answer["Location"] == reverse("people:account")
    later = AT.replace(minute=5)
    assert not factors.use_code(person, code_at(former, later), at=later)
    assert factors.use_code(person, code_at(secret, later), at=later)
    assert recovery_codes(person) == left
    assert last_event().data["replaced"] is True
    assert mails_to(person)[-1].subject == "The code generator of your account was replaced"


# --- Removing -------------------------------------------------------------------------------


def test_last_factor_of_somebody_who_needs_none_goes_with_its_recovery_codes(client, person):
    add_generator(person)
    client.force_login(person)
    confirm(client)
    page = client.get(reverse("mfa_deactivate_totp")).content.decode()
    assert "It is your last second factor" in page
    answer = client.post(reverse("mfa_deactivate_totp"))
    assert answer["Location"] == reverse("people:account")
    assert not Authenticator.objects.filter(user=person).exists()
    assert last_event().event == "factor.removed"
    assert last_event().data["type"] == "totp"
    assert last_event().data["recovery_codes_removed"] is True
    mail = mails_to(person)[-1]
    assert mail.subject == "A code generator was removed from your account"


def test_last_factor_of_somebody_who_needs_one_stays(client, executives, settings):
    settings.REQUIRE_SECOND_FACTOR = "offices"
    person = executives["cro"]
    add_generator(person)
    client.force_login(person)
    confirm(client)
    page = client.get(reverse("mfa_deactivate_totp"))
    assert "Whoever holds an Office needs a second factor. Add a passkey first" in (
        page.content.decode()
    )
    events, mails = Event.objects.count(), OutgoingMail.objects.count()
    answer = client.post(reverse("mfa_deactivate_totp"))
    assert answer.status_code == 422
    assert factors.has_second_factor(person)
    assert (Event.objects.count(), OutgoingMail.objects.count()) == (events, mails)

    # With another one it goes.
    add_passkey(client)
    assert client.post(reverse("mfa_deactivate_totp")).status_code == 302
    (passkey,) = factors.passkeys_of(person)
    with pytest.raises(factors.LastFactor):
        factors.remove_factor(factor_id=passkey.pk, acting_user=person, at=AT)


def test_last_passkey_of_somebody_without_a_password_stays(client, person):
    client.force_login(person)
    confirm(client)
    add_passkey(client)
    (passkey,) = factors.passkeys_of(person)
    Person.objects.filter(pk=person.pk).update(password="!")
    person.refresh_from_db()
    # A code generator is no way in without a password.
    add_generator(person)
    with pytest.raises(factors.LastFactor, match="Set a password or add another passkey first"):
        factors.remove_factor(factor_id=passkey.pk, acting_user=person, at=AT)
    assert factors.passkeys_of(person)
    person.set_password(PASSWORD)
    person.save()
    factors.remove_factor(factor_id=passkey.pk, acting_user=person, at=AT)
    assert not factors.passkeys_of(person)


def test_factor_of_somebody_else_cannot_be_touched(client, person):
    other = PersonFactory()
    client.force_login(other)
    confirm(client)
    add_passkey(client)
    client.force_login(person)
    confirm(client)
    (passkey,) = factors.passkeys_of(other)
    for page in ("mfa_edit_webauthn", "mfa_remove_webauthn"):
        assert client.post(reverse(page, args=[passkey.pk]), {"name": "B"}).status_code == 404
    with pytest.raises(factors.NoSuchFactor):
        factors.remove_factor(factor_id=passkey.pk, acting_user=person, at=AT)
    assert factors.passkeys_of(other)[0].wrap().name == "MacBook"


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_of_two_removals_at_once_one_factor_stays(company, settings):
    settings.REQUIRE_SECOND_FACTOR = "everybody"
    person = PersonFactory()
    for _ in range(2):
        made = SoftPasskey().create({"publicKey": {"user": {"id": "MQ"}, "challenge": "AA"}})
        factors.add_passkey(name="", credential=made, acting_user=person, at=AT)
    begin, refused = threading.Barrier(2), []

    def remove(pk):
        try:
            begin.wait(timeout=20)
            factors.remove_factor(factor_id=pk, acting_user=person, at=AT)
        except factors.LastFactor as refusal:
            refused.append(refusal)
        finally:
            connection.close()

    threads = [
        threading.Thread(target=remove, args=[one.pk]) for one in factors.passkeys_of(person)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert len(factors.passkeys_of(person)) == 1


# --- Recovery codes -------------------------------------------------------------------------


def test_recovery_codes_are_shown_once(client, person):
    add_generator(person)
    client.force_login(person)
    confirm(client)
    codes = recovery_codes(person)
    first = client.get(reverse("mfa_view_recovery_codes"))
    shown = first.content.decode()
    assert all(f"{code[:4]} {code[4:]}" in shown for code in codes)
    assert "no-store" in first["Cache-Control"]
    second = client.get(reverse("mfa_view_recovery_codes")).content.decode()
    assert "10 of 10 are left" in second
    assert not any(f"{code[:4]} {code[4:]}" in second or code in second for code in codes)
    assert client.get(reverse("mfa_download_recovery_codes")).status_code == 302


def test_new_recovery_codes_end_the_former_ones(client, person, now):
    add_generator(person)
    former = recovery_codes(person)
    client.force_login(person)
    confirm(client)
    answer = client.post(reverse("mfa_generate_recovery_codes"))
    assert answer["Location"] == reverse("mfa_view_recovery_codes")
    assert set(recovery_codes(person)).isdisjoint(former)
    assert not factors.use_recovery_code(person, former[0], at=AT)
    assert last_event().event == "factor.recovery_codes_made"
    assert last_event().data == {"type": "recovery_codes", "made": 10}
    assert mails_to(person)[-1].subject == "New recovery codes were made for your account"


def test_recovery_codes_come_with_the_first_password(client, person):
    """Without one they would follow nothing: a passkey signs in by itself."""
    Person.objects.filter(pk=person.pk).update(password="!")
    person.refresh_from_db()
    client.force_login(person)
    passkey = add_passkey(client)
    assert factors.recovery_codes_of(person) is None
    client.logout()
    sign_in_by_passkey(client, passkey)
    page = client.get(reverse("mfa_generate_recovery_codes")).content.decode()
    assert "A recovery code follows a password, and you have none." in page
    events = Event.objects.count()
    assert client.post(reverse("mfa_generate_recovery_codes")).status_code == 422
    assert factors.recovery_codes_of(person) is None and Event.objects.count() == events

    words = "four unrelated words here"
    answer = client.post(reverse("account_set_password"), {"password1": words, "password2": words})

    assert answer["Location"] == reverse("mfa_view_recovery_codes")
    assert factors.recovery_codes_of(person).left == 10
    assert client.get(answer["Location"]).status_code == 200
    names = list(Event.objects.order_by("sequence").values_list("event", flat=True))
    assert names[-2:] == ["password.changed", "factor.recovery_codes_made"]


def test_recovery_codes_need_a_factor(client, person):
    client.force_login(person)
    confirm(client)
    answer = client.post(reverse("mfa_generate_recovery_codes"))
    assert answer.status_code == 422
    assert "Add one of these first" in answer.content.decode()
    assert not Authenticator.objects.filter(user=person).exists()


# --- Confirming that it is still you --------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "mfa_add_webauthn",
        "mfa_activate_totp",
        "mfa_deactivate_totp",
        "mfa_view_recovery_codes",
        "mfa_generate_recovery_codes",
    ],
)
def test_factors_are_changed_only_by_who_has_just_confirmed(client, person, now, name):
    add_generator(person)
    client.force_login(person)
    answer = client.get(reverse(name))
    assert answer["Location"].startswith(reverse("account_reauthenticate"))
    confirm(client)
    assert client.get(reverse(name)).status_code == 200
    now.move_to(AT.replace(minute=6), tick=False)
    assert client.get(reverse(name)).status_code == 302
    events = Event.objects.count()
    assert client.post(reverse(name), {"code": "123456"}).status_code == 302
    assert Event.objects.count() == events
    assert factors.has_second_factor(person)


def test_signing_in_confirms_for_five_minutes(client, person, now):
    give_password(client, person)
    assert client.get(reverse("mfa_activate_totp")).status_code == 200
    now.move_to(AT.replace(minute=4, second=59), tick=False)
    assert client.get(reverse("mfa_activate_totp")).status_code == 200
    now.move_to(AT.replace(minute=5), tick=False)
    assert client.get(reverse("mfa_activate_totp")).status_code == 302


def test_password_alone_confirms_nothing_before_the_second_step(client, person, now):
    secret = add_generator(person)
    give_password(client, person)
    assert client.get(reverse("mfa_activate_totp")).status_code == 302
    client.post(reverse("mfa_authenticate"), {"code": code_at(secret, AT)})
    assert client.get(reverse("mfa_activate_totp")).status_code == 200


@pytest.mark.parametrize(
    ("steps", "confirms"),
    [
        ([], False),
        ([{"method": "password"}], True),
        ([{"method": "password"}, {"method": "mfa", "type": "totp"}], True),
        ([{"method": "password"}, {"method": "mfa", "type": "recovery_codes"}], False),
        ([{"method": "mfa", "type": "webauthn", "passwordless": True}], True),
        ([{"method": "socialaccount"}], False),
    ],
)
def test_what_of_a_sign_in_shows_who_it_is(client, person, now, steps, confirms):
    client.force_login(person)
    session = client.session
    session["account_authentication_methods"] = [{**one, "at": AT.timestamp()} for one in steps]
    session["account_authentication_methods_user"] = str(person.pk)
    session.save()
    answer = client.get(reverse("mfa_activate_totp"))
    assert (answer.status_code == 200) is confirms


@pytest.mark.parametrize("name", ["mfa_edit_webauthn", "mfa_remove_webauthn"])
def test_passkeys_are_changed_only_by_who_has_just_confirmed(client, person, time_machine, name):
    time_machine.move_to(AT, tick=False)
    client.force_login(person)
    confirm(client)
    add_passkey(client)
    (passkey,) = factors.passkeys_of(person)
    time_machine.move_to(AT.replace(minute=6), tick=False)
    answer = client.post(reverse(name, args=[passkey.pk]), {"name": "B"})
    assert answer["Location"].startswith(reverse("account_reauthenticate"))
    assert factors.passkeys_of(person)[0].wrap().name == "MacBook"


@pytest.mark.parametrize("name", ["mfa_add_webauthn", "mfa_activate_totp", "people:protect"])
def test_strangers_are_led_to_sign_in(client, company, name):
    answer = client.get(reverse(name))
    assert answer["Location"].startswith(reverse("account_login"))


def test_code_confirms_once(client, person, now):
    secret = add_generator(person)
    client.force_login(person)
    address = f"{reverse('mfa_reauthenticate')}?next={reverse('mfa_generate_recovery_codes')}"
    page = client.get(address).content.decode()
    assert "Use your password instead" in page
    code = code_at(secret, AT)
    answer = client.post(address, {"code": code})
    assert answer["Location"] == reverse("mfa_generate_recovery_codes")
    assert client.post(address, {"code": code}).status_code == 422


def test_passkey_confirms(client, person):
    client.force_login(person)
    confirm(client)
    passkey = add_passkey(client)
    client.force_login(person)
    address = f"{reverse('mfa_reauthenticate_webauthn')}?next={reverse('mfa_activate_totp')}"
    page = client.get(address, headers={"host": "localhost"})
    wrong = client.post(
        address,
        {"credential": json.dumps(SoftPasskey().get(options_on(page)))},
        headers={"host": "localhost"},
    )
    assert wrong.status_code == 422
    assert "That passkey was not accepted" in wrong.content.decode()
    answer = client.post(
        address,
        {"credential": json.dumps(passkey.get(options_on(wrong)))},
        headers={"host": "localhost"},
    )
    assert answer["Location"] == reverse("mfa_activate_totp")


def test_wrong_password_confirms_nothing(client, person):
    client.force_login(person)
    answer = client.post(reverse("account_reauthenticate"), {"password": "wrong"})
    assert answer.status_code == 422
    assert client.get(reverse("mfa_add_webauthn")).status_code == 302


def test_first_password_is_set_by_who_has_just_confirmed(client, person):
    client.force_login(person)
    confirm(client)
    add_passkey(client)
    Person.objects.filter(pk=person.pk).update(password="!")
    person.refresh_from_db()
    client.force_login(person)
    words = "four unrelated words here"
    new = {"password1": words, "password2": words}
    answer = client.post(reverse("account_set_password"), new)
    assert answer["Location"].startswith(reverse("mfa_reauthenticate"))
    person.refresh_from_db()
    assert not person.has_usable_password()


# --- Lost ones ------------------------------------------------------------------------------


@pytest.fixture
def administrator(everybody):
    return everybody["administrator"]


def test_administrator_removes_lost_factors(client, everybody, administrator, settings):
    person = everybody["cfo"]
    add_generator(person)
    client.force_login(person)
    client.get(reverse("people:account"))
    theirs = client.session.session_key
    other = type(client)()
    other.force_login(administrator)
    page = other.get(reverse("people:person_account", args=[person.pk])).content.decode()
    act = reverse("people:account_act", args=[person.pk, "factors"])
    assert act in page
    assert "call back on a number that you know" in other.get(act).content.decode()
    assert other.post(act, {"reason": " "}).status_code == 422
    assert factors.has_second_factor(person)

    events = Event.objects.count()
    answer = other.post(act, {"reason": "Phone stolen, called back"})
    assert answer["Location"] == reverse("people:person_account", args=[person.pk])
    assert not Authenticator.objects.filter(user=person).exists()
    event = last_event()
    assert Event.objects.count() == events + 1
    assert event.event == "factor.reset" and event.object_id == str(person.pk)
    assert (event.actor_id, event.office) == (administrator.pk, "administrator")
    assert event.data == {"factors": 1, "sessions": 1}
    assert PersonalText.objects.get(sequence=event.sequence).text == "Phone stolen, called back"
    assert mails_to(person)[-1].subject == "Your second factors were removed"
    assert not client.session.exists(theirs)
    # The password signs in; where a second factor is needed, the way leads there.
    settings.REQUIRE_SECOND_FACTOR = "offices"
    fresh = type(client)()
    give_password(fresh, person)
    answer = fresh.get(reverse("people:account"))
    assert answer["Location"] == reverse("people:protect")


@pytest.mark.parametrize("who", ["cro", "ceo", "corporate_secretary", "auditor", "member"])
def test_nobody_else_removes_lost_factors(client, everybody, who):
    person = everybody["cfo"]
    add_generator(person)
    with pytest.raises(NotYourOffice):
        remove_lost(person=person, reason="Lost", acting_user=everybody[who], at=AT)
    client.force_login(everybody[who])
    act = reverse("people:account_act", args=[person.pk, "factors"])
    assert client.post(act, {"reason": "Lost"}).status_code == 403
    assert factors.has_second_factor(person)
    assert not Event.objects.filter(event="factor.reset").exists()


def test_administrator_removes_neither_own_factors_nor_none(everybody, administrator):
    add_generator(administrator)
    with pytest.raises(OwnFactors, match="ask another Administrator"):
        remove_lost(person=administrator, reason="Lost", acting_user=administrator, at=AT)
    linked = PersonFactory(same_person_as=administrator)
    add_generator(linked)
    events, mails = Event.objects.count(), OutgoingMail.objects.count()
    with pytest.raises(OwnFactors):
        remove_lost(person=linked, reason="Lost", acting_user=administrator, at=AT)
    with pytest.raises(factors.NoSuchFactor):
        remove_lost(person=everybody["cfo"], reason="Lost", acting_user=administrator, at=AT)
    assert factors.has_second_factor(administrator) and factors.has_second_factor(linked)
    assert (Event.objects.count(), OutgoingMail.objects.count()) == (events, mails)


# --- A first step that no longer counts -------------------------------------------------------


@pytest.mark.parametrize("how", ["deactivated", "password changed"])
def test_second_step_ends_with_what_the_first_was_worth(client, now, person, how):
    secret = add_generator(person)
    give_password(client, person)
    now.shift(60)
    meanwhile = {"is_active": False}
    if how == "password changed":
        meanwhile = {"password_changed_at": timezone.now()}
    Person.objects.filter(pk=person.pk).update(**meanwhile)
    events, used = Event.objects.count(), UsedCode.objects.count()
    code = code_at(secret, timezone.now())
    answer = client.post(reverse("mfa_authenticate"), {"code": code})
    assert answer["Location"] == reverse("account_login")
    assert signed_in_as(client) is None
    assert (Event.objects.count(), UsedCode.objects.count()) == (events, used)


def test_passkey_removed_in_another_window_is_not_renamed(client, person, monkeypatch):
    client.force_login(person)
    confirm(client)
    add_passkey(client)
    (passkey,) = factors.passkeys_of(person)
    Authenticator.objects.all().delete()
    # The page had found it a moment ago.
    monkeypatch.setattr("people.views.factors._passkey_or_404", lambda *_: passkey)
    events = Event.objects.count()
    answer = client.post(reverse("mfa_edit_webauthn", args=[passkey.pk]), {"name": "Phone"})
    assert answer.status_code == 422
    assert "It is removed already." in answer.content.decode()
    assert Event.objects.count() == events


def test_asking_for_the_head_shows_no_recovery_codes(client, person):
    client.force_login(person)
    confirm(client)
    add_passkey(client)
    assert client.head(reverse("mfa_view_recovery_codes")).status_code == 405
    assert len(client.get(reverse("mfa_view_recovery_codes")).context["codes"]) == 10


def test_setting_up_begins_anew_where_the_waiting_secret_cannot_be_read(client, person, settings):
    client.force_login(person)
    confirm(client)
    before = client.get(reverse("mfa_activate_totp")).context["secret"]
    settings.KEYS_SECRET = "another"
    page = client.get(reverse("mfa_activate_totp"))
    assert page.status_code == 200 and page.context["secret"] != before
