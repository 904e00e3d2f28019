"""Signing by confirming anew at the issuer of single sign-on, against a real OpenID provider."""

import hashlib
import html
import json
import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import time_machine
from allauth.socialaccount.models import SocialAccount
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from audit.models import Event
from boundaries import proof, signing
from boundaries.errors import FactorMissing, NotConfirmed
from boundaries.models import Signature, SigningIntent
from people import step_up
from people.single_sign_on import PROVIDER, identity_of
from sealing.attestation import findings
from tests.boundaries import factories, stages
from tests.people.factories import PASSWORD
from tests.people.second_factors import CodeGenerator, SigningPasskey
from tests.people.test_single_sign_on import running_provider

pytestmark = [
    pytest.mark.django_db,
    # The provider runs in a thread of this process, and warns of what its own library will drop.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:authlib"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:oidc_provider_mock"),
]

BASE = "/boundaries/NC-RB/1/"
BACK = "/signing/confirmed/"
BEGIN = {"understood": "on", "conflict": "declared", "conflict_text": "My sister works there."}
METHOD = "single sign-on, confirmed anew"


@pytest.fixture(scope="module")
def provider():
    with running_provider() as one:
        yield one


@pytest.fixture
def sso(settings, provider, company):
    settings.OIDC_ISSUER = provider.url
    settings.OIDC_CLIENT_ID = "boundary-registry"
    settings.OIDC_CLIENT_SECRET = "a secret"
    settings.OIDC_NAME = "Northwind login"
    settings.REQUIRE_SECOND_FACTOR = "offices"
    provider.knows("u-coo")
    return provider


def link(person, issuer, sub):
    SocialAccount.objects.create(
        user=person,
        provider=PROVIDER,
        uid=identity_of(issuer, sub),
        extra_data={"iss": issuer, "sub": sub},
    )
    person.set_unusable_password()
    person.save()


@pytest.fixture
def coo(sso, people):
    """Comes by single sign-on: no password, no passkey."""
    link(people["coo"], sso.url, "u-coo")
    return people["coo"]


@pytest.fixture
def frozen(people):
    """By the clock of the day: the provider's tokens say the time that it really is."""
    return stages.live_freeze(stages.frozen(people, at=timezone.now()))


def browser_of(person):
    """Signed in as somebody who came by the issuer: they are not led to add a factor first."""
    client = Client()
    client.force_login(person)
    session = client.session
    session["account_authentication_methods_user"] = str(person.pk)
    session["account_authentication_methods"] = [{"method": "socialaccount", "at": 0}]
    session.save()
    return client


@pytest.fixture
def browser(coo, frozen):
    return browser_of(coo)


def begun(browser, **more):
    browser.get(f"{BASE}signing-copy.pdf")
    answer = browser.post(f"{BASE}sign/", BEGIN | more)
    assert answer.status_code == 302, answer.content.decode()
    assert answer["Location"].startswith(f"{BASE}sign/"), said(answer) + answer["Location"]
    return SigningIntent.objects.latest("pk")


def set_out(browser, intent):
    """Press the button; the address at the issuer that the page leads on to."""
    page = browser.post(f"{BASE}ceremony/{intent.pk}/confirm/")
    assert page.status_code == 200, page
    (address,) = set(re.findall(r'content="0;url=([^"]+)"', page.content.decode()))
    return html.unescape(address)


def consent(address, sub="u-coo", action="authorize"):
    answer = requests.post(
        address, data={"sub": sub, "action": action}, allow_redirects=False, timeout=10
    )
    back = answer.headers["Location"]
    assert back.startswith(f"http://127.0.0.1:8000{BACK}?")
    return back.removeprefix("http://127.0.0.1:8000")


def said(answer):
    return " ".join(str(one) for one in get_messages(answer.wsgi_request))


def refused(browser, intent, back, words, *, tries=1):
    """Coming back leaves nothing authenticated or signed, says why, and keeps the ceremony."""
    answer = browser.get(back)
    intent.refresh_from_db()
    assert words in said(answer)
    assert "Nothing was signed" in said(answer)
    assert answer["Location"] == f"{BASE}sign/{intent.pk}/"
    assert (intent.authenticated_at, intent.proof, intent.failed_attempts) == (None, {}, tries)
    assert not Signature.objects.exists()


def test_signing_by_stepping_up(browser, sso, frozen, coo):
    page = browser.get(f"{BASE}sign/").content.decode()
    assert "You sign in once more at Northwind login, from the next page." in page
    intent = begun(browser, reservation="Until May.")
    confirm = f"{BASE}sign/{intent.pk}/"
    page = browser.get(confirm).content.decode()
    assert "Confirm at Northwind login" in page
    # The last click alone signs nothing.
    assert browser.post(confirm).status_code == 422
    assert not Signature.objects.exists()

    back = browser.get(consent(set_out(browser, intent)))

    assert (back.status_code, back["Location"]) == (302, confirm)
    page = browser.get(confirm).content.decode()
    assert "Northwind login confirmed you at" in page
    assert "Until May." in page and "My sister works there." in page
    assert not Signature.objects.exists()  # coming back signs nothing
    assert browser.post(confirm).status_code == 302
    signature = Signature.objects.get()
    assert (signature.method, signature.reservation) == (METHOD, "Until May.")
    assert signature.evidence["conflict_declared"] == "My sister works there."
    kept = signature.evidence["proof"]
    assert (kept["issuer"], kept["subject"]) == (sso.url, "u-coo")
    assert kept["jwk"]["kty"] == "RSA" and "d" not in kept["jwk"]
    assert kept["jwks_uri"].startswith(sso.url)
    found = findings(json.loads(json.dumps(signature.evidence)), role="cosigner")
    assert len(found) == 2 and all(one.holds for one in found)
    event = Event.objects.filter(event="signing.authenticated").get()
    assert event.data == {"method": METHOD, "failed_attempts": 0}
    assert browser.post(confirm, follow=True).status_code == 200
    assert Signature.objects.count() == 1


def test_issuer_is_asked_to_ask_anew_for_this_intent(browser, sso):
    intent = begun(browser)
    browser.get(consent(set_out(browser, intent)))

    query, _ = sso.asked("/oauth2/authorize")
    _, body = sso.asked("/oauth2/token")
    assert (query["max_age"], query["prompt"]) == (["0"], ["login"])
    assert query["scope"] == ["openid"]
    assert query["redirect_uri"] == body["redirect_uri"] == [f"http://127.0.0.1:8000{BACK}"]
    text = proof.challenge_text(intent)
    assert query["nonce"] == [hashlib.sha256(proof.NONCE_DOMAIN + text).hexdigest()]
    assert query["code_challenge_method"] == ["S256"]
    assert step_up.CLOCKS_DIFFER == 10
    first = query["state"], query["code_challenge"]
    again = begun(browser)
    second = parse_qs(urlsplit(set_out(browser, again)).query)
    assert second["nonce"] != query["nonce"]
    assert (second["state"], second["code_challenge"]) != first


def test_ceo_approves_by_stepping_up(sso, people, settings):
    settings.REQUIRE_SECOND_FACTOR = "nobody"  # the others sign with a password alone
    revision = stages.awaiting_approval(people, at=timezone.now())
    link(people["ceo"], sso.url, "u-ceo")
    sso.knows("u-ceo")
    client = Client()
    client.force_login(people["ceo"])
    client.get(f"{BASE}signing-copy.pdf")
    confirm = client.post(f"{BASE}approve/", {"understood": "on", "conflict": "none"})["Location"]
    intent = SigningIntent.objects.latest("pk")
    back = client.get(consent(set_out(client, intent), "u-ceo"))
    assert back["Location"] == confirm
    client.post(confirm)
    assert revision.signatures.get(role="approver").method == METHOD


# --- Whose, how fresh -------------------------------------------------------------------------


def test_somebody_else_at_the_issuer_confirms_nothing(browser, sso):
    sso.knows("u-thief")
    intent = begun(browser)
    refused(browser, intent, consent(set_out(browser, intent), "u-thief"), "Somebody else signed")


def test_answer_without_a_right_auth_time_confirms_nothing(browser, sso):
    for claims, words in (
        ({"auth_time": None}, "did not say when you signed in there"),
        ({"auth_time": "now"}, "did not say when you signed in there"),
        ({"auth_time": True}, "did not say when you signed in there"),
        ({"auth_time": -1}, "without asking who you are"),
        ({"auth_time": 1e300}, "is ahead of the registry’s"),
    ):
        sso.knows("u-coo", **claims)
        intent = begun(browser)
        refused(browser, intent, consent(set_out(browser, intent)), words)


def test_auth_time_is_at_or_after_the_intent(browser, sso):
    """But for ten seconds by which two clocks may differ, and not in a future of so much."""
    for seconds, confirms in ((-11, False), (-9, True), (0, True), (600, False)):
        intent = begun(browser)
        sso.knows("u-coo", auth_time=int(intent.created_at.timestamp()) + seconds)
        browser.get(consent(set_out(browser, intent)))
        intent.refresh_from_db()
        assert (intent.authenticated_at is not None) is confirms, seconds
        assert intent.failed_attempts == (0 if confirms else 1)


def test_fifth_refusal_ends_the_intent(browser, sso):
    sso.knows("u-coo", auth_time=1)
    intent = begun(browser)
    for _ in range(4):
        browser.get(consent(set_out(browser, intent)))
    last = browser.get(consent(set_out(browser, intent)))
    assert "That was the fifth failed try." in said(last)
    assert last["Location"] == f"{BASE}sign/"
    assert browser.post(f"{BASE}sign/{intent.pk}/")["Location"] == f"{BASE}sign/"
    assert Event.objects.filter(event="signing.authentication_failed").count() == 5
    assert not Signature.objects.exists()


# --- The way out and back ---------------------------------------------------------------------


def test_state_works_once_and_only_where_it_was_asked(browser, sso):
    intent = begun(browser)
    back = consent(set_out(browser, intent))
    browser.get(back)
    intent.refresh_from_db()
    assert intent.authenticated_at is not None
    first = intent.authenticated_at
    again = browser.get(back)
    assert "answered a question that is over" in said(again)
    intent.refresh_from_db()
    assert intent.authenticated_at == first

    other = begun(browser)
    back = consent(set_out(browser, other))
    answer = browser_of(other.person).get(back)
    assert "asked in another browser" in said(answer)
    other.refresh_from_db()
    assert other.authenticated_at is None


def test_made_up_answers_are_told_in_words(browser, sso):
    for query in ("", "?state=x&code=y", "?state=%FF&code=%00", "?error=x"):
        assert browser.get(f"{BACK}{query}", follow=True).status_code == 200
        intent = begun(browser)
        set_out(browser, intent)
        answer = browser.get(f"{BACK}{query}")
        assert answer.status_code == 302
        assert "Nothing was signed" in said(answer)
        intent.refresh_from_db()
        assert (intent.authenticated_at, intent.failed_attempts) == (None, 0)


def test_answer_of_one_intent_confirms_no_other(browser, sso):
    """Its state leads to it; its nonce would fit no other either."""
    first = begun(browser)
    back = consent(set_out(browser, first))
    second = begun(browser)
    set_out(browser, second)
    answer = browser.get(back)
    assert "answered a question that is over" in said(answer)
    for one in (first, second):
        one.refresh_from_db()
        assert one.authenticated_at is None


def test_cancelling_keeps_the_ceremony(browser, sso):
    for error, words in (
        ("access_denied", "You cancelled at Northwind login."),
        ("login_required", "Northwind login did not confirm you (login_required)."),
    ):
        intent = begun(browser)
        state = parse_qs(urlsplit(set_out(browser, intent)).query)["state"][0]
        refused(browser, intent, f"{BACK}?error={error}&state={state}", words, tries=0)


def test_issuer_that_fails_is_told_and_logged(browser, sso, settings, caplog):
    intent = begun(browser)
    back = consent(set_out(browser, intent))
    refused(browser, intent, re.sub("code=[^&]+", "code=x", back), "did not come to terms")
    assert "single sign-on did not confirm a signing" in caplog.text
    settings.OIDC_ISSUER = "http://localhost:9"
    SocialAccount.objects.update(extra_data={"iss": "http://localhost:9", "sub": "u-coo"})
    answer = browser.post(f"{BASE}ceremony/{intent.pk}/confirm/")
    assert answer["Location"] == f"{BASE}sign/{intent.pk}/"
    assert "did not come to terms" in said(answer)


def test_intent_that_ran_out_meanwhile_signs_nothing(browser, sso):
    intent = begun(browser)
    back = consent(set_out(browser, intent))
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        answer = browser.get(back)
        assert "The five minutes to sign are over" in said(answer)
        assert answer["Location"] == f"{BASE}sign/"
        # Nothing that was written is lost.
        page = browser.get(f"{BASE}sign/").content.decode()
        assert "My sister works there." in page
    assert not Signature.objects.exists()


def test_confirmed_intent_is_used_within_its_five_minutes(browser, sso):
    intent = begun(browser)
    browser.get(consent(set_out(browser, intent)))
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        answer = browser.post(f"{BASE}sign/{intent.pk}/")
        assert "The five minutes to sign are over" in said(answer)
    assert not Signature.objects.exists()


def test_others_intents_lead_nowhere(browser, sso, people, frozen):
    CodeGenerator().made_for(people["cro"])
    theirs = factories.intent_for(
        frozen.revision, people["cro"], at=timezone.now(), session_key="x"
    )
    assert browser.post(f"{BASE}ceremony/{theirs.pk}/confirm/").status_code == 404
    assert browser.post(f"{BASE}ceremony/{theirs.pk}/renew/").status_code == 404
    assert browser.get(f"{BASE}ceremony/{theirs.pk}/confirm/").status_code == 405
    assert Client().get(BACK).status_code == 302


# --- For whom ---------------------------------------------------------------------------------


def test_who_has_a_passkey_signs_with_that(coo, sso, frozen):
    SigningPasskey().made_for(coo)
    ways = proof.ways_of(coo, on=factories.TODAY)
    assert (ways.method, ways.single_sign_on) == ("passkey", False)
    intent = factories.intent_for(frozen.revision, coo, at=timezone.now())
    with pytest.raises(NotConfirmed, match="does not sign for you"):
        signing.authenticate(
            intent=intent,
            single_sign_on="whatever it was",
            session_key=factories.SESSION,
            acting_user=coo,
            at=timezone.now(),
        )


def test_password_and_code_come_first_and_the_issuer_is_the_other_way(browser, coo, sso):
    coo.set_password(PASSWORD)
    coo.save()
    browser.force_login(coo)
    CodeGenerator().made_for(coo)
    intent = begun(browser)
    page = browser.get(f"{BASE}sign/{intent.pk}/").content.decode()
    assert "Code of your code generator" in page
    assert "Confirm at Northwind login instead" in page
    page = browser.get(f"{BASE}sign/{intent.pk}/?with=single-sign-on").content.decode()
    assert "Use password and code instead" in page
    browser.get(consent(set_out(browser, intent)))
    browser.post(f"{BASE}sign/{intent.pk}/")
    assert Signature.objects.get().method == METHOD


def test_without_it_a_passkey_is_asked_for(coo, sso, frozen, settings):
    def refused_without():
        with pytest.raises(FactorMissing, match="Add a passkey"):
            factories.intent_for(frozen.revision, coo, at=timezone.now())

    settings.OIDC_MAY_SIGN = False
    refused_without()
    settings.OIDC_MAY_SIGN, settings.OIDC_ISSUER = True, "https://other.example"
    refused_without()
    settings.OIDC_ISSUER = sso.url
    SocialAccount.objects.all().delete()
    refused_without()


def test_switched_off_in_between_signs_nothing(browser, sso, settings):
    intent = begun(browser)
    back = consent(set_out(browser, intent))
    settings.OIDC_MAY_SIGN = False
    answer = browser.get(back)
    assert "Add a passkey to your account first" in said(answer)
    assert browser.post(f"{BASE}ceremony/{intent.pk}/confirm/").status_code == 404
    intent.refresh_from_db()
    assert intent.authenticated_at is None


def test_forged_evidence_does_not_hold(browser, sso):
    intent = begun(browser)
    browser.get(consent(set_out(browser, intent)))
    browser.post(f"{BASE}sign/{intent.pk}/")
    evidence = Signature.objects.get().evidence

    def forged(**changes):
        return {**evidence, "proof": {**evidence["proof"], **changes}}

    head, body, signature = evidence["proof"]["id_token"].split(".")
    for made in (
        forged(id_token=f"{head}.{body}.{signature[:-8]}AAAAAAAA"),
        forged(id_token="no token"),
        forged(challenge_text=evidence["proof"]["challenge_text"].replace("agree", "object")),
        forged(auth_time="2020-01-01T00:00:00Z"),
        forged(subject="u-thief"),
        forged(jwk={"kty": "RSA"}),
        {**evidence, "meaning": "I agree to nothing."},
        {**evidence, "content_sha256": "0" * 64},
        forged(nonce_domain="another"),
    ):
        assert not all(one.holds for one in findings(made, role="cosigner"))
