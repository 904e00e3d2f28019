"""By what a signer confirms: passkey, password and code, password alone; and by what never."""

import hashlib
import json
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.contrib.messages import get_messages
from django.test import Client
from fido2 import cbor
from fido2.utils import websafe_decode, websafe_encode
from knox.models import AuthToken

from audit.models import Event
from boundaries import proof, signing, workflow
from boundaries.errors import ContentChanged, FactorMissing, IntentNotValid, NotConfirmed
from boundaries.models import Signature, SigningIntent
from boundaries.states import Role
from people import factors
from people.models import Person, UsedCode
from people.signals import appointment_changed, person_deactivated
from sealing.canonical import canonical_json, sha256_hex
from tests.boundaries import factories
from tests.boundaries.factories import NOW, SESSION, TODAY, intent_for
from tests.people.factories import PASSWORD
from tests.people.second_factors import CodeGenerator, SigningPasskey

BASE = "/boundaries/NC-RB/1/"
BEGIN = {"understood": "on", "conflict": "none"}


@pytest.fixture
def passkey(people):
    made = SigningPasskey()
    made.made_for(people["coo"])
    return made


@pytest.fixture
def generator(people):
    made = CodeGenerator()
    made.made_for(people["coo"])
    return made


def by_passkey(intent, response, *, rp_id="localhost", origin="http://localhost", at=NOW):
    return signing.authenticate(
        intent=intent,
        passkey=proof.PasskeyAnswer(response=response, rp_id=rp_id, origin=origin),
        session_key=SESSION,
        acting_user=intent.person,
        at=at,
    )


def by_code(intent, code, *, password=PASSWORD, at=NOW):
    return signing.authenticate(
        intent=intent,
        password=password,
        code=code,
        session_key=SESSION,
        acting_user=intent.person,
        at=at,
    )


def cosign(intent, *, person=None, at=NOW):
    return workflow.cosign(
        revision=intent.freeze.revision,
        intent=intent,
        session_key=SESSION,
        acting_user=person or intent.person,
        at=at,
    )


def challenge_of(intent):
    return proof.challenge_of(proof.challenge_text(intent))


def failed(intent, error, act, *, match):
    """``act`` is refused, counted and logged once; nothing is authenticated or signed."""
    intent.refresh_from_db()
    tries, events = intent.failed_attempts, Event.objects.count()
    with pytest.raises(error, match=match):
        act()
    intent.refresh_from_db()
    assert (intent.failed_attempts, intent.authenticated_at, intent.proof) == (tries + 1, None, {})
    assert Event.objects.count() == events + 1
    assert Event.objects.latest("sequence").event == "signing.authentication_failed"
    assert not Signature.objects.exists()


def refused(error, act, *, match):
    """``act`` is refused and leaves nothing behind, not even an event."""
    before = (Event.objects.count(), Signature.objects.count())
    with pytest.raises(error, match=match):
        act()
    assert (Event.objects.count(), Signature.objects.count()) == before


# --- Passkey ----------------------------------------------------------------------------------


def test_passkey_signs_the_intent_itself(frozen, people, passkey):
    intent = intent_for(frozen.revision, people["coo"], reservation="Until May.")
    intent = by_passkey(intent, passkey.answer(challenge_of(intent)))
    (signature,) = cosign(intent)
    assert (signature.method, signature.evidence["method"]) == ("passkey", "passkey")
    assert Event.objects.filter(event="signing.authenticated").get().data["method"] == "passkey"
    authenticator = factors.passkeys_of(people["coo"])[0]
    assert (authenticator.data["sign_count"], authenticator.last_used_at) == (1, NOW)


def test_stored_assertion_proves_later_what_was_meant(frozen, people, passkey):
    """With the stored evidence alone: no database, no product code, no server."""
    intent = intent_for(frozen.revision, people["coo"], reservation="Until May.")
    (made,) = cosign(by_passkey(intent, passkey.answer(challenge_of(intent))))
    made.refresh_from_db()
    assert made.evidence_sha256 == sha256_hex(canonical_json(made.evidence))
    evidence = json.loads(json.dumps(made.evidence))

    kept = evidence["proof"]
    meant = json.loads(kept["challenge_text"])
    challenge = hashlib.sha256(
        kept["challenge_domain"].encode() + kept["challenge_text"].encode()
    ).digest()
    client_data_json = websafe_decode(kept["client_data_json"])
    client_data = json.loads(client_data_json)
    assert client_data["type"] == "webauthn.get"
    assert websafe_decode(client_data["challenge"]) == challenge
    assert client_data["origin"] == kept["origin"] == "http://localhost"
    data = websafe_decode(kept["authenticator_data"])
    assert data[:32] == hashlib.sha256(kept["rp_id"].encode()).digest()
    assert data[32] & 0b101 == 0b101  # present, and verified by PIN, finger or face
    key = cbor.decode(websafe_decode(kept["public_key"]))
    public = ec.EllipticCurvePublicNumbers(
        int.from_bytes(key[-2]), int.from_bytes(key[-3]), ec.SECP256R1()
    ).public_key()
    signed = data + hashlib.sha256(client_data_json).digest()
    public.verify(websafe_decode(kept["signature"]), signed, ec.ECDSA(hashes.SHA256()))

    assert meant == {
        "appointment_ids": evidence["appointment_ids"],
        "conflict_declared": "",
        "consent_sha256": evidence["consent_sha256"],
        "consent_version": evidence["consent_version"],
        "content_sha256": frozen.content_sha256,
        "created_at": "2026-11-20T15:00:00Z",
        "meaning": made.meaning,
        "nonce": evidence["intent"],
        "person_id": people["coo"].pk,
        "reservation": "Until May.",
        "role": "cosigner",
        "signing_copy_sha256": frozen.signing_copy_sha256,
    }


@pytest.mark.parametrize(
    "how",
    [
        {"origin": "https://registry.example"},
        {"origin": "http://localhost:8000"},
        {"rp_id": "registry.example"},
        {"verified": False},
        {"kind": "webauthn.create"},
    ],
)
def test_passkey_of_another_page_or_without_pin_is_refused(frozen, people, passkey, how):
    intent = intent_for(frozen.revision, people["coo"])
    answer = passkey.answer(challenge_of(intent), **how)
    failed(intent, NotConfirmed, lambda: by_passkey(intent, answer), match="did not confirm")


def test_passkey_asked_within_a_foreign_page_is_refused(frozen, people, passkey):
    intent = intent_for(frozen.revision, people["coo"])
    answer = passkey.answer(challenge_of(intent), cross_origin=True)
    failed(intent, NotConfirmed, lambda: by_passkey(intent, answer), match="within another page")


def test_answer_to_another_intent_is_refused(frozen, people, passkey):
    """Not even one's own earlier answer: the meaning, the text or the moment differ."""
    earlier = intent_for(frozen.revision, people["coo"])
    answer = passkey.answer(challenge_of(earlier))
    intent = intent_for(frozen.revision, people["coo"], reservation="Until May.")
    failed(intent, NotConfirmed, lambda: by_passkey(intent, answer), match="did not confirm")


def test_old_answer_is_refused_after_the_text_was_frozen_anew(frozen, people, passkey):
    """The draft changed and was frozen again: neither the old intent nor its answer counts."""
    old = intent_for(frozen.revision, people["coo"])
    answer = passkey.answer(challenge_of(old))
    workflow.decline(revision=frozen.revision, reason="Scope.", acting_user=people["cfo"], at=NOW)
    row = factories.row_of(frozen.revision)
    factories.edit(row, people, scope_in="Another scope than was signed for.")
    factories.all_agree(frozen.revision, people)
    anew = factories.frozen(factories.fresh(frozen.revision), people)
    assert anew.content_sha256 != frozen.content_sha256
    intent = intent_for(anew.revision, people["coo"])
    failed(intent, NotConfirmed, lambda: by_passkey(intent, answer), match="did not confirm")
    # The old intent may be confirmed with it, and signs nothing that stands.
    confirmed = by_passkey(old, answer)
    refused(
        ContentChanged,
        lambda: workflow.cosign(
            revision=anew.revision,
            intent=confirmed,
            session_key=SESSION,
            acting_user=people["coo"],
            at=NOW,
        ),
        match="frozen anew after you opened it",
    )


def test_intent_of_one_document_signs_no_other(frozen, people, passkey):
    other = factories.draft(
        people, number="NC-X", functions=[factories.another_function("price_book")]
    )
    other.rows.update(scope_in="Keeps the price book.", scope_out="Setting the prices.")
    other = factories.effective(other, people, TODAY + timedelta(days=30))
    factories.all_agree(other, people)
    another = factories.frozen(other, people)
    intent = intent_for(frozen.revision, people["coo"])
    confirmed = by_passkey(intent, passkey.answer(challenge_of(intent)))
    refused(
        ContentChanged,
        lambda: workflow.cosign(
            revision=another.revision,
            intent=confirmed,
            session_key=SESSION,
            acting_user=people["coo"],
            at=NOW,
        ),
        match="frozen anew",
    )


def test_somebody_elses_passkey_is_refused(frozen, people, passkey):
    theirs = SigningPasskey()
    theirs.made_for(people["cro"])
    intent = intent_for(frozen.revision, people["coo"])
    answer = theirs.answer(challenge_of(intent))
    failed(intent, NotConfirmed, lambda: by_passkey(intent, answer), match="did not confirm")


def test_forged_signature_is_refused(frozen, people, passkey):
    thief = SigningPasskey()
    thief.credential_id = passkey.credential_id
    intent = intent_for(frozen.revision, people["coo"])
    answer = thief.answer(challenge_of(intent))
    failed(intent, NotConfirmed, lambda: by_passkey(intent, answer), match="did not confirm")


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        "passkey",
        7,
        None,
        {"id": "x"},
        {"id": "AAAA", "rawId": "AAAA", "response": {}},
        {"id": "AAAA", "rawId": "AAAA", "response": None},
        {
            "id": "AAAA",
            "rawId": "AAAA",
            "response": {
                "clientDataJSON": "e30",
                "authenticatorData": "AAAA",
                "signature": "AAAA",
            },
        },
        {
            "id": "AAAA",
            "rawId": "AAAA",
            "response": {
                "clientDataJSON": "W10",
                "authenticatorData": "A" * 60,
                "signature": 3,
            },
        },
    ],
)
def test_what_is_no_answer_is_refused(frozen, people, passkey, answer):
    intent = intent_for(frozen.revision, people["coo"])
    failed(intent, NotConfirmed, lambda: by_passkey(intent, answer), match="did not confirm")


def test_counter_that_goes_back_is_refused(frozen, people):
    passkey = SigningPasskey(counter=7)
    passkey.made_for(people["coo"])
    copied = SigningPasskey(counter=7)
    copied.key, copied.credential_id = passkey.key, passkey.credential_id
    first = intent_for(frozen.revision, people["coo"])
    by_passkey(first, passkey.answer(challenge_of(first)))
    second = intent_for(frozen.revision, people["coo"])
    answer = copied.answer(challenge_of(second))
    failed(second, NotConfirmed, lambda: by_passkey(second, answer), match="counter went back")
    assert factors.passkeys_of(people["coo"])[0].data["sign_count"] == 8
    # The true one goes on.
    by_passkey(second, passkey.answer(challenge_of(second)))


def test_counter_of_the_registration_counts_too(frozen, people):
    passkey = SigningPasskey(counter=7)
    passkey.made_for(people["coo"])
    passkey.counter = 3
    intent = intent_for(frozen.revision, people["coo"])
    answer = passkey.answer(challenge_of(intent))
    failed(intent, NotConfirmed, lambda: by_passkey(intent, answer), match="counter went back")


def test_passkey_that_never_counts_is_allowed(frozen, people, passkey):
    """Those that are kept in step between devices always say 0."""
    for _ in range(2):
        intent = intent_for(frozen.revision, people["coo"])
        by_passkey(intent, passkey.answer(challenge_of(intent), counts=False))
    assert cosign(intent)


def test_passkey_answers_one_intent_once(frozen, people, passkey):
    intent = intent_for(frozen.revision, people["coo"])
    answer = passkey.answer(challenge_of(intent))
    cosign(by_passkey(intent, answer))
    refused(IntentNotValid, lambda: by_passkey(intent, answer), match="finished already")


def test_ceo_approves_with_a_passkey(frozen, people):
    passkey = SigningPasskey()
    passkey.made_for(people["ceo"])
    revision = factories.cosigned(frozen.revision, people)
    intent = intent_for(revision, people["ceo"], role=Role.APPROVER)
    by_passkey(intent, passkey.answer(challenge_of(intent)))
    signature = workflow.approve(
        revision=revision, intent=intent, session_key=SESSION, acting_user=people["ceo"], at=NOW
    )
    assert (signature.method, signature.role) == ("passkey", "approver")


def test_who_has_only_a_passkey_signs_with_no_password(frozen, people, passkey):
    intent = intent_for(frozen.revision, people["coo"])
    refused(NotConfirmed, lambda: by_code(intent, ""), match="Confirm with your passkey")
    intent.refresh_from_db()
    assert intent.failed_attempts == 0


# --- Password and code ------------------------------------------------------------------------


def test_password_and_code_sign_together(frozen, people, generator):
    intent = intent_for(frozen.revision, people["coo"])
    code = generator.code(NOW)
    (signature,) = cosign(by_code(intent, f"{code[:3]} {code[3:]}"))
    assert (signature.method, signature.evidence["proof"]) == ("password and code", {})
    assert code not in json.dumps(signature.evidence)
    assert UsedCode.objects.filter(person=people["coo"]).count() == 1


def test_password_alone_no_longer_does_for_who_has_a_factor(frozen, people, generator):
    intent = intent_for(frozen.revision, people["coo"])
    failed(intent, NotConfirmed, lambda: by_code(intent, ""), match="not the code")


def test_wrong_password_does_not_say_what_the_code_was_and_keeps_it(frozen, people, generator):
    intent = intent_for(frozen.revision, people["coo"])
    code = generator.code(NOW)
    for given in (code, generator.wrong_code(NOW)):
        failed(
            intent,
            NotConfirmed,
            lambda given=given: by_code(intent, given, password="guess"),
            match="Password and code do not both fit",
        )
    assert not UsedCode.objects.exists()
    assert by_code(intent, code).method == "password and code"


def test_wrong_code_is_told_to_who_knows_the_password(frozen, people, generator):
    intent = intent_for(frozen.revision, people["coo"])
    wrong = generator.wrong_code(NOW)
    failed(intent, NotConfirmed, lambda: by_code(intent, wrong), match="password is right")


def test_code_used_to_sign_in_signs_nothing(frozen, people, generator):
    code = generator.code(NOW)
    assert factors.use_code(people["coo"], code, at=NOW)  # what signing in does
    intent = intent_for(frozen.revision, people["coo"])
    failed(intent, NotConfirmed, lambda: by_code(intent, code), match="was used already")
    later = NOW + timedelta(seconds=30)
    assert by_code(intent, generator.code(later), at=later).authenticated_at == later


def test_second_signature_asks_for_another_code(frozen, people, generator):
    factories.acting(people["coo"], "cfo", starts_on=factories.TODAY + timedelta(days=1))
    first = intent_for(frozen.revision, people["coo"])
    code = generator.code(NOW)
    by_code(first, code)
    again = intent_for(frozen.revision, people["coo"])
    assert again.authenticated_at is None
    refused(IntentNotValid, lambda: cosign(again), match="Confirm that it is you")
    failed(again, NotConfirmed, lambda: by_code(again, code), match="was used already")


def test_wrong_passwords_and_wrong_codes_count_together(frozen, people, generator):
    intent = intent_for(frozen.revision, people["coo"])
    wrong = generator.wrong_code(NOW)
    for password in ("guess", PASSWORD, "guess", PASSWORD):
        with pytest.raises(NotConfirmed):
            by_code(intent, wrong, password=password)
    with pytest.raises(IntentNotValid, match="fifth failed try"):
        by_code(intent, wrong)
    another = intent_for(frozen.revision, people["coo"])
    for _ in range(5):
        with pytest.raises((NotConfirmed, IntentNotValid)):
            by_code(another, wrong, password="guess")
    refused(
        IntentNotValid,
        lambda: intent_for(frozen.revision, people["coo"]),
        match="Too many failed confirmations in the last hour",
    )


# --- What never signs -------------------------------------------------------------------------


def test_recovery_code_is_no_code(frozen, people, generator):
    codes = RecoveryCodes.activate(people["coo"]).get_unused_codes()
    intent = intent_for(frozen.revision, people["coo"])
    failed(intent, NotConfirmed, lambda: by_code(intent, codes[0]), match="not the code")
    assert RecoveryCodes.activate(people["coo"]).get_unused_codes() == codes


def test_recovery_codes_alone_are_no_factor(frozen, people, settings):
    settings.REQUIRE_SECOND_FACTOR = "offices"
    RecoveryCodes.activate(people["coo"])
    signing.record_reading(freeze=frozen, acting_user=people["coo"], at=NOW)
    refused(
        FactorMissing,
        lambda: intent_for(frozen.revision, people["coo"]),
        match="Add a passkey or a code generator to your account first",
    )


def test_recovery_code_used_to_sign_in_shortens_nothing(frozen, people, generator):
    codes = RecoveryCodes.activate(people["coo"]).get_unused_codes()
    assert factors.use_recovery_code(people["coo"], codes[0], at=NOW)
    intent = intent_for(frozen.revision, people["coo"])
    refused(IntentNotValid, lambda: cosign(intent), match="Confirm that it is you")
    failed(intent, NotConfirmed, lambda: by_code(intent, codes[1]), match="not the code")


def test_how_somebody_signed_in_a_moment_ago_shortens_nothing(clock, frozen, browser, generator):
    """Not with a passkey, a recovery code or elsewhere: the session's memory is not asked."""
    confirm = begun(browser)
    session = browser.session
    session["account_authentication_methods"] = [
        {"method": "mfa", "type": kind, "at": NOW.timestamp(), "reauthenticated": True}
        for kind in ("webauthn", "totp", "recovery_codes")
    ] + [{"method": "socialaccount", "at": NOW.timestamp(), "provider": "openid_connect"}]
    session.save()
    for data in ({}, {"password": PASSWORD}, {"code": generator.code(NOW)}):
        assert browser.post(confirm, data).status_code == 422
    assert not Signature.objects.exists()


def test_no_browser_is_trusted_and_no_code_is_mailed():
    from allauth.account import app_settings as account
    from allauth.mfa import app_settings as mfa

    assert not mfa.TRUST_ENABLED
    assert not account.LOGIN_BY_CODE_ENABLED


@pytest.mark.parametrize("policy", ["offices", "everybody"])
def test_password_alone_is_refused_at_the_beginning_where_a_factor_is_asked(
    frozen, people, settings, policy
):
    settings.REQUIRE_SECOND_FACTOR = policy
    signing.record_reading(freeze=frozen, acting_user=people["coo"], at=NOW)
    refused(
        FactorMissing,
        lambda: intent_for(frozen.revision, people["coo"]),
        match="Add a passkey or a code generator to your account first",
    )
    assert not SigningIntent.objects.exists()


def test_policy_that_comes_during_the_ceremony_is_asked_at_its_end(frozen, people, settings):
    intent = intent_for(frozen.revision, people["coo"])
    settings.REQUIRE_SECOND_FACTOR = "offices"
    refused(FactorMissing, lambda: by_code(intent, ""), match="Add a passkey")


def test_who_signs_in_elsewhere_needs_a_passkey(frozen, people):
    person = people["coo"]
    person.set_unusable_password()
    person.save()
    signing.record_reading(freeze=frozen, acting_user=person, at=NOW)
    refused(FactorMissing, lambda: intent_for(frozen.revision, person), match="no password here")
    # A code generator does not help: the password is missing.
    CodeGenerator().made_for(person)
    refused(FactorMissing, lambda: intent_for(frozen.revision, person), match="no password here")
    passkey = SigningPasskey()
    passkey.made_for(person)
    intent = intent_for(frozen.revision, person)
    assert cosign(by_passkey(intent, passkey.answer(challenge_of(intent))))


# --- Ended meanwhile --------------------------------------------------------------------------


def test_deactivation_ends_open_intents(frozen, people):
    intent = factories.authenticated_intent(frozen.revision, people["coo"])
    other = intent_for(frozen.revision, people["cro"])
    done = factories.authenticated_intent(frozen.revision, people["cfo"])
    cosign(done)
    for who in ("coo", "cfo"):
        person_deactivated.send(sender=Person, person=people[who], at=NOW)
    intent.refresh_from_db()
    assert (intent.revoked_at, intent.revoked_because) == (NOW, "This account was closed.")
    other.refresh_from_db()
    done.refresh_from_db()
    assert (other.revoked_at, done.revoked_at) == (None, None)
    refused(IntentNotValid, lambda: cosign(intent), match="account was closed")
    refused(
        IntentNotValid,
        lambda: signing.authenticate(
            intent=intent,
            password=PASSWORD,
            session_key=SESSION,
            acting_user=people["coo"],
            at=NOW,
        ),
        match="account was closed",
    )


def test_person_deactivated_between_view_and_sign_signs_nothing(frozen, people):
    """Also where the request still holds the person as they were, and no intent was revoked."""
    intent = factories.authenticated_intent(frozen.revision, people["coo"])
    Person.objects.filter(pk=people["coo"].pk).update(is_active=False)
    assert people["coo"].is_active
    refused(
        IntentNotValid, lambda: cosign(intent, person=people["coo"]), match="account was closed"
    )


def test_change_of_the_appointment_ends_the_ceremony(frozen, people):
    intent = factories.authenticated_intent(frozen.revision, people["coo"])
    appointment = people["coo"].appointments.get()
    appointment_changed.send(sender=type(appointment), appointment=appointment, at=NOW)
    refused(IntentNotValid, lambda: cosign(intent), match="Your Offices changed")
    again = factories.authenticated_intent(frozen.revision, people["coo"])
    assert cosign(again)


# --- The pages --------------------------------------------------------------------------------


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def browser(people):
    client = Client(SERVER_NAME="localhost")
    client.force_login(people["coo"])
    return client


def begun(browser):
    browser.get(f"{BASE}signing-copy.pdf")
    answer = browser.post(f"{BASE}sign/", BEGIN)
    assert answer.status_code == 302, answer.content.decode()
    return answer["Location"]


def told(answer):
    return " ".join(str(one) for one in get_messages(answer.wsgi_request))


def test_nobody_has_read_what_could_not_be_handed_over(clock, frozen, browser, monkeypatch):
    def lost(sha256):
        raise ValueError("rotted")

    monkeypatch.setattr("boundaries.views.signing.files.get", lost)
    with pytest.raises(ValueError, match="rotted"):
        browser.get(f"{BASE}signing-copy.pdf")
    assert not frozen.readings.exists()
    assert not Event.objects.filter(event="signing_copy.opened").exists()


def test_page_signs_with_a_passkey(clock, frozen, browser, passkey):
    assert "Go on to your passkey" in browser.get(f"{BASE}sign/").content.decode()
    confirm = begun(browser)
    page = browser.get(confirm)
    words = page.content.decode()
    assert "Use your passkey" in words
    assert 'name="password"' not in words
    options = json.loads(page.context["options"])
    assert (options["rpId"], options["userVerification"]) == ("localhost", "required")
    assert options["timeout"] == 300_000

    answer = browser.post(confirm, {"passkey": passkey.answer_to_page(page)})

    assert (answer.status_code, told(answer)) == (302, "You signed NC-RB-1.")
    assert Signature.objects.get().method == "passkey"


def test_page_offers_password_and_code_as_the_other_way(clock, frozen, browser, passkey, generator):
    confirm = begun(browser)
    assert "Use password and code instead" in browser.get(confirm).content.decode()
    other = browser.get(f"{confirm}?with=code").content.decode()
    assert 'name="code"' in other
    assert "Use your passkey instead" in other
    code = generator.code(NOW)
    wrong = browser.post(f"{confirm}?with=code", {"password": "guess-it", "code": code})
    assert wrong.status_code == 422
    assert "Password and code do not both fit" in wrong.content.decode()
    for secret in ("guess-it", code):
        assert f'value="{secret}"' not in wrong.content.decode()
    answer = browser.post(f"{confirm}?with=code", {"password": PASSWORD, "code": code})
    assert told(answer) == "You signed NC-RB-1."
    assert Signature.objects.get().method == "password and code"


def test_page_at_an_ip_address_says_that_no_passkey_works_there(
    clock, frozen, people, passkey, generator
):
    browser = Client(headers={"host": "127.0.0.1:8000"})
    browser.force_login(people["coo"])
    words = browser.get(begun(browser)).content.decode()
    assert 'name="code"' in words
    assert "Passkeys need an address with a name, such as http://localhost:8000." in words


def test_page_at_another_address_says_where_the_passkey_works(clock, frozen, people):
    SigningPasskey(rp_id="registry.example", origin="https://registry.example").made_for(
        people["coo"]
    )
    browser = Client(SERVER_NAME="localhost")
    browser.force_login(people["coo"])
    words = browser.get(f"{BASE}sign/").content.decode()
    assert "Your passkey works at https://registry.example only." in words
    assert "Go on to your" not in words


def test_page_leads_to_the_account_where_a_factor_is_missing(clock, frozen, browser, settings):
    # What asks for a factor at sign-in stands before every page; the ceremony asks by itself.
    settings.MIDDLEWARE = [one for one in settings.MIDDLEWARE if "SecondFactor" not in one]
    settings.REQUIRE_SECOND_FACTOR = "offices"
    words = browser.get(f"{BASE}sign/").content.decode()
    assert "Add a passkey or a code generator to your account first" in words
    assert 'href="/account/"' in words
    browser.get(f"{BASE}signing-copy.pdf")
    answer = browser.post(f"{BASE}sign/", BEGIN)
    assert answer.status_code == 422
    assert not SigningIntent.objects.exists()


def test_after_deactivation_the_ceremony_is_a_page_for_the_signed_out(clock, frozen, browser):
    confirm = begun(browser)
    Person.objects.filter(email__startswith="daniel").update(is_active=False)
    for answer in (browser.get(confirm), browser.post(confirm, {"password": PASSWORD})):
        assert answer.status_code == 302
        assert answer["Location"].startswith("/accounts/login/")
    assert not Signature.objects.exists()


def test_revoked_intent_leads_back_to_the_beginning(clock, frozen, browser, people):
    confirm = begun(browser)
    signing.revoke_open_intents(people["coo"], because="Your Offices changed.", at=NOW)
    answer = browser.post(confirm, {"password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, f"{BASE}sign/")
    assert "Your Offices changed." in told(answer)


# --- Tokens -----------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["sign/", "approve/", "decline/", "return/", "withdraw/"])
def test_token_opens_no_page_of_the_ceremony(frozen, people, page):
    _token, secret = AuthToken.objects.create(people["cro"])
    machine = Client(headers={"authorization": f"Bearer {secret}"})
    before = Event.objects.count()
    for answer in (machine.get(f"{BASE}{page}"), machine.post(f"{BASE}{page}", BEGIN)):
        assert answer.status_code == 302
        assert answer["Location"].startswith("/accounts/login/")
    assert Event.objects.count() == before


def test_api_has_no_verb(frozen, people):
    """Over the whole schema: nothing is changed by API, so no token agrees, signs or rules."""
    from drf_spectacular.generators import SchemaGenerator

    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    assert "/api/v1/documents/" in paths
    unsafe = {
        (path, method)
        for path, methods in paths.items()
        for method in methods
        if method in {"post", "put", "patch", "delete"}
    }
    judging = "/api/v1/verify/"  # a file is sent and judged; nothing is changed or kept
    assert unsafe == {(judging, "post")}
    _token, secret = AuthToken.objects.create(people["cro"])
    machine = Client(headers={"authorization": f"Bearer {secret}"})
    before = Event.objects.count()
    for path in paths:
        url = path.replace("{key}", "deal_desk").replace("{number}", "NC-RB").replace("{n}", "1")
        for method in ("post", "put", "patch", "delete"):
            allowed = {415} if (path, method) in unsafe else {404, 405}
            assert getattr(machine, method)(url).status_code in allowed, (method, url)
    assert Event.objects.count() == before


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "no JSON",
        "{}",
        "[]",
        "[" * 100_000,
        "1" * 5_000,
        '"\\ud800"',
        "null",
        '{"id": "AAAA", "rawId": "AAAA", "response": {"clientDataJSON": "\\ud800"}}',
    ],
)
def test_made_up_answer_in_the_form_is_told_and_counts_as_no_try(
    clock, frozen, browser, passkey, typed
):
    confirm = begun(browser)
    answer = browser.post(confirm, {"passkey": typed})
    assert answer.status_code == 422
    assert "Use your passkey first, then sign. Nothing was signed." in answer.content.decode()
    assert SigningIntent.objects.get().failed_attempts == 0
    assert not Signature.objects.exists()


@pytest.mark.parametrize("rest", [b"", b"\0" * 16, b"\x81" * 5_000, b"\0" * 18 + b"\x9f" * 5_000])
@pytest.mark.parametrize("flags", [0x45, 0x85, 0xC5])
def test_bytes_that_no_passkey_makes_are_a_failed_try(clock, frozen, browser, passkey, flags, rest):
    """They say that more follows than does, or nest too deep for the parsers."""
    confirm = begun(browser)
    answer = json.loads(passkey.answer_to_page(browser.get(confirm)))
    data = websafe_decode(answer["response"]["authenticatorData"])
    answer["response"]["authenticatorData"] = websafe_encode(
        data[:32] + bytes([flags]) + data[33:37] + rest
    )
    refused_page = browser.post(confirm, {"passkey": json.dumps(answer)})
    assert refused_page.status_code == 422
    assert "That passkey did not confirm this signing." in refused_page.content.decode()
    assert SigningIntent.objects.get().failed_attempts == 1
    assert not Signature.objects.exists()


def test_client_data_nested_too_deep_is_a_failed_try(clock, frozen, browser, passkey):
    confirm = begun(browser)
    answer = json.loads(passkey.answer_to_page(browser.get(confirm)))
    answer["response"]["clientDataJSON"] = websafe_encode(b"[" * 10_000)
    assert browser.post(confirm, {"passkey": json.dumps(answer)}).status_code == 422
    assert SigningIntent.objects.get().failed_attempts == 1
