"""Single sign-on against a real OpenID provider, run here over HTTP."""

import base64
import html
import json
import os
import re
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests
import time_machine
from allauth.socialaccount.models import SocialAccount
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from oidc_provider_mock import app as provider_app  # type: ignore[import-untyped]  # has no types
from werkzeug.serving import make_server

from audit.models import Event, PersonalText
from notifications.models import OutgoingMail
from people.models import Person
from people.single_sign_on import Exchange, identity_of
from tests.people.factories import PASSWORD, PersonFactory
from tests.people.test_sessions import FIREFOX, is_in, said

pytestmark = [
    pytest.mark.django_db,
    # The provider runs in a thread of this process, and warns of what its own library will drop.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:authlib"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:oidc_provider_mock"),
]

BEGIN = "/accounts/oidc/sso/login/"
CALLBACK = "/accounts/oidc/sso/login/callback/"


class Provider:
    """An OpenID provider on a free port, and what it was asked."""

    def __init__(self):
        self.requests = []
        inner = provider_app(require_nonce=True)

        def noting(environ, start_response):
            length = int(environ.get("CONTENT_LENGTH") or 0)
            body = environ["wsgi.input"].read(length) if length else b""
            environ["wsgi.input"] = BytesIO(body)
            self.requests.append(
                (environ["PATH_INFO"], parse_qs(environ["QUERY_STRING"]), parse_qs(body.decode()))
            )
            return inner(environ, start_response)

        self.server = make_server("localhost", 0, noting, threaded=True)
        self.url = f"http://localhost:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def knows(self, sub, **claims):
        answer = requests.put(f"{self.url}/users/{sub}", json=claims, timeout=10)
        assert answer.status_code == 204

    def asked(self, path):
        """Query and body of the last request to ``path``."""
        return next((q, b) for p, q, b in reversed(self.requests) if p == path)


@contextmanager
def running_provider():
    before = os.environ.get("AUTHLIB_INSECURE_TRANSPORT")
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    one = Provider()
    try:
        yield one
    finally:
        one.stop()
        if before is None:
            del os.environ["AUTHLIB_INSECURE_TRANSPORT"]


@pytest.fixture(scope="module")
def provider():
    with running_provider() as one:
        yield one


@pytest.fixture(scope="module")
def other_provider():
    with running_provider() as one:
        yield one


@pytest.fixture
def sso(settings, provider, company):
    settings.OIDC_ISSUER = provider.url
    settings.OIDC_CLIENT_ID = "boundary-registry"
    settings.OIDC_CLIENT_SECRET = "a secret"
    settings.OIDC_NAME = "Northwind login"
    settings.OIDC_DOMAINS = ["northwind.example"]
    settings.OIDC_PROVISION = False
    return provider


def browser():
    return Client(headers={"user-agent": FIREFOX}, REMOTE_ADDR="203.0.113.7")


def set_out(client, **more):
    """Press the button; the address at the provider that the page leads on to."""
    page = client.post(BEGIN, more)
    assert page.status_code == 200, page
    (address,) = set(re.findall(r'content="0;url=([^"]+)"', page.content.decode()))
    assert f'href="{address}"' in page.content.decode()
    return html.unescape(address)


def consent(address, sub, action="authorize"):
    """Sign in at the provider as ``sub``; the path and query that it sends the browser back to."""
    answer = requests.post(
        address, data={"sub": sub, "action": action}, allow_redirects=False, timeout=10
    )
    assert answer.status_code == 302, answer.text
    back = answer.headers["Location"]
    assert back.startswith(f"http://127.0.0.1:8000{CALLBACK}?")
    return back.removeprefix("http://127.0.0.1:8000")


def come_by(sub, client=None, **more):
    client = client or browser()
    return client, client.get(consent(set_out(client, **more), sub))


def events(name):
    return list(Event.objects.filter(event=name).order_by("sequence"))


def refused(client, answer, words, *, status=403):
    assert answer.status_code == status
    assert "You are not signed in" in said(answer)
    assert words in said(answer)
    assert not is_in(client)
    assert events("session.signed_in") == []


# --- Letting in ---------------------------------------------------------------------------------


def test_first_sign_in_links_the_account_of_the_verified_address(sso, maya):
    sso.knows("u-1", email="Maya.Lindqvist@Northwind.example", email_verified=True, name="M. L.")

    client, answer = come_by("u-1", next="/reviews/?page=2")

    assert (answer.status_code, answer["Location"]) == (302, "/reviews/?page=2")
    assert client.session["_auth_user_id"] == str(maya.pk)
    (account,) = SocialAccount.objects.all()
    assert account.user == maya
    assert account.uid == identity_of(sso.url, "u-1")
    assert account.extra_data == {"iss": sso.url, "sub": "u-1"}
    maya.refresh_from_db()
    assert (maya.name, maya.email) == ("Maya Lindqvist", "maya.lindqvist@northwind.example")
    assert maya.check_password(PASSWORD)
    (linked,) = events("person.single_sign_on_linked")
    assert (linked.actor_id, linked.data) == (maya.pk, {"issuer": sso.url})
    assert PersonalText.objects.get(sequence=linked.sequence).text == "u-1"
    (mail,) = OutgoingMail.objects.filter(kind="single-sign-on-linked")
    assert (mail.person_id, mail.subject) == (maya.pk, "Northwind login opens your account now")
    assert [one.data["method"] for one in events("session.signed_in")] == ["single sign-on"]


def test_state_nonce_and_pkce_are_sent_and_kept(sso, maya):
    sso.knows("u-1", email=maya.email, email_verified=True)
    come_by("u-1")
    query, _ = sso.asked("/oauth2/authorize")
    _, body = sso.asked("/oauth2/token")
    assert query["response_type"] == ["code"]
    assert set(query["scope"][0].split()) == {"openid", "profile", "email"}
    assert query["redirect_uri"] == body["redirect_uri"] == [f"http://127.0.0.1:8000{CALLBACK}"]
    assert query["code_challenge_method"] == ["S256"]
    digest = sha256(body["code_verifier"][0].encode()).digest()
    assert query["code_challenge"] == [base64.urlsafe_b64encode(digest).rstrip(b"=").decode()]
    assert len(query["state"][0]) >= 43
    assert len(query["nonce"][0]) == 64
    come_by("u-1")
    again, _ = sso.asked("/oauth2/authorize")
    for name in ("state", "nonce", "code_challenge"):
        assert again[name] != query[name]


def test_afterwards_sub_alone_counts_whatever_the_address_says(sso, maya):
    daniel = PersonFactory(name="Daniel Osei")
    sso.knows("u-1", email=maya.email, email_verified=True)
    come_by("u-1")
    # Renamed at the issuer, to an address that is somebody else's here, and not even verified.
    sso.knows("u-1", email=daniel.email, email_verified=False)

    client, _ = come_by("u-1")

    assert client.session["_auth_user_id"] == str(maya.pk)
    maya.refresh_from_db()
    assert maya.email == "maya.lindqvist@northwind.example"
    assert SocialAccount.objects.count() == 1
    assert len(events("person.single_sign_on_linked")) == 1


def test_session_key_is_a_new_one_after_single_sign_on(sso, maya):
    sso.knows("u-1", email=maya.email, email_verified=True)
    client = browser()
    address = set_out(client)
    before = client.session.session_key
    client.get(consent(address, "u-1"))
    assert is_in(client)
    assert client.session.session_key != before


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_single_sign_on_leads_nowhere_else(target, sso, maya):
    sso.knows("u-1", email=maya.email, email_verified=True)
    _, answer = come_by("u-1", next=target)
    assert answer["Location"] == reverse("functions_catalog:lookup")


def test_unknown_person_gets_an_account_where_that_is_wanted(sso, settings):
    settings.OIDC_PROVISION = True
    sso.knows("u-7", email="New.Hire@northwind.example", email_verified=True, name="Noor Hire")

    client, answer = come_by("u-7")

    assert answer.status_code == 302
    person = Person.objects.get(email="new.hire@northwind.example")
    assert client.session["_auth_user_id"] == str(person.pk)
    assert person.name == "Noor Hire"
    assert not person.has_usable_password()
    assert (person.is_staff, person.is_superuser) == (False, False)
    assert not person.appointments.exists()
    assert [one.actor_id for one in events("person.provisioned")] == [person.pk]
    come_by("u-7")
    assert Person.objects.filter(name="Noor Hire").count() == 1


@pytest.fixture
def invitation(everybody):
    from people.invitations import invite

    made, _link = invite(
        name="Noor Hire",
        email="new.hire@northwind.example",
        job_title="Analyst",
        acting_user=everybody["administrator"],
        at=timezone.now(),
    )
    return made


def test_invited_person_may_come_by_single_sign_on(sso, invitation):
    sso.knows("u-7", email="New.Hire@northwind.example", email_verified=True, name="N. at issuer")

    client, _ = come_by("u-7")

    invitation.refresh_from_db()
    person = invitation.person
    assert client.session["_auth_user_id"] == str(person.pk)
    assert (person.name, person.job_title) == ("Noor Hire", "Analyst")
    assert not person.has_usable_password()
    assert invitation.accepted_at is not None
    (accepted,) = events("invitation.accepted")
    assert accepted.data == {"person_id": person.pk, "with": "single_sign_on"}
    (told,) = OutgoingMail.objects.filter(kind="invitation-accepted")
    assert told.person == invitation.invited_by
    assert events("person.provisioned") == []
    come_by("u-7")
    assert len(events("invitation.accepted")) == 1


@pytest.mark.parametrize("ended", ["revoked", "expired"])
def test_invitation_that_ended_lets_nobody_in(ended, sso, invitation, everybody):
    from people.invitations import revoke

    if ended == "revoked":
        revoke(invitation=invitation, acting_user=everybody["administrator"], at=timezone.now())
    sso.knows("u-7", email=invitation.email, email_verified=True)
    later = timedelta(days=15 if ended == "expired" else 0)
    with time_machine.travel(timezone.now() + later):
        client, answer = come_by("u-7")
    refused(client, answer, "accounts come by invitation")
    assert not Person.objects.filter(email=invitation.email).exists()


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"given_name": "Noor", "family_name": "Hire"}, "Noor Hire"),
        ({}, "new.hire"),
        ({"name": "N" * 300}, "N" * 120),
        ({"name": "Noor \u202eeriH"}, "new.hire"),  # reads otherwise than it looks
        ({"name": "Noor\0Hire"}, "new.hire"),
    ],
)
def test_name_of_a_new_account(claims, name, sso, settings):
    settings.OIDC_PROVISION = True
    sso.knows("u-7", email="new.hire@northwind.example", email_verified=True, **claims)
    come_by("u-7")
    assert Person.objects.get().name == name


def test_longest_sub_fits(sso, maya):
    sub = "s" * 255
    sso.knows(sub, email=maya.email, email_verified=True)
    client, _ = come_by(sub)
    assert is_in(client)


# --- Refusing -----------------------------------------------------------------------------------


def test_unknown_person_is_refused_where_accounts_come_by_invitation(sso):
    sso.knows("u-7", email="new.hire@northwind.example", email_verified=True)
    client, answer = come_by("u-7")
    refused(client, answer, "accounts come by invitation")
    assert not Person.objects.exists()
    (event,) = events("session.sign_in_failed")
    assert (event.object_id, event.data["stage"]) == ("", "single sign-on")


@pytest.mark.parametrize("verified", [False, None, "true", 1])
@pytest.mark.parametrize("provision", [True, False])
def test_address_that_the_issuer_did_not_verify_is_refused(
    verified, provision, sso, maya, settings
):
    settings.OIDC_PROVISION = provision
    claims = {} if verified is None else {"email_verified": verified}
    sso.knows("u-1", email=maya.email, **claims)
    client, answer = come_by("u-1")
    refused(client, answer, "has not verified that maya.lindqvist@northwind.example is yours")
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize(
    "email",
    [
        "maya@elsewhere.example",
        "maya@northwind.example.evil.example",
        "maya@evil-northwind.example",
        "northwind.example@elsewhere.example",
    ],
)
def test_address_of_another_domain_is_refused(email, sso, settings):
    settings.OIDC_PROVISION = True
    PersonFactory(name="Maya Elsewhere", email=email)
    sso.knows("u-1", email=email, email_verified=True)
    client, answer = come_by("u-1")
    refused(client, answer, "are not let in here")
    assert not SocialAccount.objects.exists()


def test_any_domain_comes_in_where_none_is_named(sso, settings):
    settings.OIDC_DOMAINS = []
    person = PersonFactory(name="Maya Elsewhere", email="maya@elsewhere.example")
    sso.knows("u-1", email=person.email, email_verified=True)
    client, _ = come_by("u-1")
    assert is_in(client)


def test_person_without_an_address_is_refused(sso):
    sso.knows("u-1", name="Nobody")
    client, answer = come_by("u-1")
    refused(client, answer, "did not say your e-mail address")


@pytest.mark.parametrize("linked", [True, False])
def test_deactivated_person_is_refused(linked, sso, maya, settings):
    settings.OIDC_PROVISION = True
    sso.knows("u-1", email=maya.email, email_verified=True)
    if linked:
        SocialAccount.objects.create(
            user=maya, provider="sso", uid=identity_of(sso.url, "u-1"), extra_data={}
        )
    Person.objects.filter(pk=maya.pk).update(is_active=False)
    client, answer = come_by("u-1")
    refused(client, answer, "Your account here was deactivated.")
    assert SocialAccount.objects.count() == linked
    (event,) = events("session.sign_in_failed")
    assert (event.object_id, event.data["deactivated"]) == (str(maya.pk), True)


def test_same_sub_at_another_issuer_is_somebody_else(sso, other_provider, maya, settings):
    sso.knows("u-1", email=maya.email, email_verified=True)
    come_by("u-1")
    signed_in_before = len(events("session.signed_in"))
    settings.OIDC_ISSUER = other_provider.url
    other_provider.knows("u-1", email="stranger@northwind.example", email_verified=True)

    client, answer = come_by("u-1")

    assert answer.status_code == 403
    assert "There is no account of stranger@northwind.example here" in said(answer)
    assert not is_in(client)
    assert len(events("session.signed_in")) == signed_in_before
    assert identity_of(sso.url, "u-1") != identity_of(other_provider.url, "u-1")


def test_address_that_passed_on_to_somebody_else_does_not_take_the_account_along(sso, maya):
    sso.knows("u-1", email=maya.email, email_verified=True)
    come_by("u-1")[0].post(reverse("account_logout"))
    sso.knows("u-2", email=maya.email, email_verified=True)
    client, answer = come_by("u-2")
    assert answer.status_code == 403
    assert "belongs to somebody else at Northwind login" in said(answer)
    assert not is_in(client)
    assert SocialAccount.objects.count() == 1


def test_company_that_moves_to_another_issuer_keeps_its_accounts(
    sso, other_provider, maya, settings
):
    sso.knows("u-1", email=maya.email, email_verified=True)
    come_by("u-1")
    settings.OIDC_ISSUER = other_provider.url
    other_provider.knows("u-9", email=maya.email, email_verified=True)
    client, _ = come_by("u-9")
    assert client.session["_auth_user_id"] == str(maya.pk)
    assert SocialAccount.objects.filter(user=maya).count() == 2


# --- What may go wrong on the way ---------------------------------------------------------------


def test_tampered_state_is_refused(sso, maya):
    sso.knows("u-1", email=maya.email, email_verified=True)
    client = browser()
    back = consent(set_out(client), "u-1")
    answer = client.get(re.sub(r"state=\w", "state=_", back))
    refused(client, answer, "did not come to terms", status=401)
    assert not SocialAccount.objects.exists()


def test_answer_meant_for_another_browser_is_refused(sso, maya):
    sso.knows("u-1", email=maya.email, email_verified=True)
    back = consent(set_out(browser()), "u-1")
    victim = browser()
    set_out(victim)
    refused(victim, victim.get(back), "did not come to terms", status=401)


def test_code_of_another_sign_in_is_refused(sso, maya):
    """This provider does not hold the code to its verifier (PKCE): the nonce catches it."""
    sso.knows("u-1", email=maya.email, email_verified=True)
    stolen = parse_qs(urlsplit(consent(set_out(browser()), "u-1")).query)["code"][0]
    client = browser()
    own = parse_qs(urlsplit(consent(set_out(client), "u-1")).query)["state"][0]
    answer = client.get(CALLBACK, {"code": stolen, "state": own})
    refused(client, answer, "did not come to terms", status=401)


def test_answer_works_once(sso, maya):
    sso.knows("u-1", email=maya.email, email_verified=True)
    client = browser()
    back = consent(set_out(client), "u-1")
    client.get(back)
    client.post(reverse("account_logout"))
    assert client.get(back).status_code == 401
    assert not is_in(client)


def test_made_up_code_is_refused(sso, maya):
    client = browser()
    state = parse_qs(urlsplit(set_out(client)).query)["state"][0]
    answer = client.get(CALLBACK, {"code": "made-up", "state": state})
    refused(client, answer, "did not come to terms", status=401)


def test_cancelling_at_the_issuer_comes_to_a_page_that_says_so(sso, maya):
    client = browser()
    state = parse_qs(urlsplit(set_out(client)).query)["state"][0]
    answer = client.get(CALLBACK, {"error": "access_denied", "state": state}, follow=True)
    assert answer.status_code == 200
    assert "You cancelled at Northwind login." in said(answer)
    assert not is_in(client)


def test_error_of_the_issuer_comes_to_a_page_and_into_the_log(sso, maya, caplog):
    client = browser()
    state = parse_qs(urlsplit(set_out(client)).query)["state"][0]
    answer = client.get(CALLBACK, {"error": "server_error", "state": state})
    refused(client, answer, "Try once more.", status=401)
    assert "single sign-on failed (server_error)" in caplog.text


def test_issuer_that_does_not_answer_comes_to_the_same_page(sso, settings, caplog):
    settings.OIDC_ISSUER = "http://localhost:9"
    answer = browser().post(BEGIN)
    assert answer.status_code == 401
    assert "did not come to terms" in said(answer)
    assert "Connection refused" in caplog.text


def test_discovery_document_of_another_issuer_is_refused(sso, settings, caplog):
    """This provider calls itself by the name that it is asked by; here it is asked by another."""
    settings.OIDC_ISSUER = sso.url.replace("localhost", "LOCALHOST")
    answer = browser().post(BEGIN)
    assert answer.status_code == 401
    assert f"The discovery document is of {sso.url}" in caplog.text


def test_second_factor_of_the_account_is_asked_for_too(sso, maya):
    from allauth.mfa.models import Authenticator

    from people import factors

    Authenticator.objects.create(
        user=maya,
        type=Authenticator.Type.TOTP,
        data={"secret": factors.encrypt("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")},
    )
    sso.knows("u-1", email=maya.email, email_verified=True)
    client, answer = come_by("u-1")
    assert answer["Location"] == reverse("mfa_authenticate")
    assert not is_in(client)


# --- The ID token -------------------------------------------------------------------------------

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def jwks(key, kid="one"):
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    return {"keys": [{**public, "kid": kid, "use": "sig", "alg": "RS256"}]}


def token(key=KEY, algorithm="RS256", kid="one", leave_out="", exp_in=300, iat_in=0, **changed):
    """An ID token; times are seconds from now, which is when the test runs."""
    now = int(time.time())
    claims = {
        "iss": "https://login.example",
        "sub": "u-1",
        "aud": "boundary-registry",
        "exp": now + exp_in,
        "iat": now + iat_in,
        "nonce": "right",
        **changed,
    }
    claims.pop(leave_out, None)
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid} if kid else {})


@pytest.fixture
def exchange(settings):
    settings.OIDC_ISSUER = "https://login.example"
    settings.OIDC_CLIENT_ID = "boundary-registry"
    one = Exchange(None)
    one._fetch = lambda url, headers=None: (
        jwks(KEY)
        if url.endswith("/keys")
        else {
            "issuer": "https://login.example",
            "authorization_endpoint": "https://login.example/authorize",
            "token_endpoint": "https://login.example/token",
            "jwks_uri": "https://login.example/keys",
        }
    )
    return one


@pytest.mark.parametrize(
    "right",
    [
        {},
        {"kid": None},
        {"aud": ["boundary-registry"]},
        {"aud": ["boundary-registry", "api"], "azp": "boundary-registry"},
        {"exp_in": -5},  # clocks differ a little
    ],
)
def test_id_token_that_holds(right, exchange):
    claims, key = exchange.checked(token(**right), nonce="right")

    assert claims["sub"] == "u-1"
    assert key["kty"] in ("RSA", "EC")
    assert "d" not in key  # what is kept as evidence is the public key


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://evil.example"},
        {"aud": "another-client"},
        {"aud": ["boundary-registry", "api"]},
        {"aud": ["boundary-registry", "api"], "azp": "api"},
        {"exp_in": -120},
        {"iat_in": 600},
        {"nonce": "wrong"},
        {"leave_out": "nonce"},
        {"leave_out": "sub"},
        {"leave_out": "exp"},
        {"leave_out": "aud"},
        {"leave_out": "iss"},
        {"key": OTHER_KEY},
        {"kid": "unknown"},
        {"key": None, "algorithm": "none"},
        {"key": "a secret that the client knows, 32+", "algorithm": "HS256"},
    ],
)
def test_id_token_that_does_not_hold(wrong, exchange):
    from allauth.socialaccount.providers.oauth2.client import OAuth2Error

    with pytest.raises(OAuth2Error):
        exchange.checked(token(**wrong), nonce="right")


def test_id_token_that_is_none(exchange):
    from allauth.socialaccount.providers.oauth2.client import OAuth2Error

    for nothing in ("", "a.b.c", "not a token"):
        with pytest.raises(OAuth2Error):
            exchange.checked(nothing, nonce="right")


# --- The pages ----------------------------------------------------------------------------------


def test_sign_in_page_offers_it_only_where_it_is_configured(sso, settings):
    page = browser().get("/accounts/login/?next=/reviews/").content.decode()
    assert "Northwind login" in page
    assert f'action="{BEGIN}"' in page
    settings.OIDC_ISSUER = ""
    assert BEGIN not in browser().get("/accounts/login/").content.decode()


def test_without_an_issuer_there_is_no_such_page(client, company):
    assert client.post(BEGIN).status_code == 404
    assert client.get(CALLBACK).status_code == 404


def test_nobody_is_sent_on_their_way_by_a_link(sso):
    answer = browser().get(BEGIN)
    assert answer["Location"] == reverse("account_login")
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(BEGIN).status_code == 403


def test_the_way_out_needs_no_exception_from_the_policy(sso):
    answer = browser().post(BEGIN)
    assert "form-action 'self'" in answer["Content-Security-Policy"]
    assert sso.url not in answer["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/oidc/openid_connect/login/",
        "/accounts/oidc/openid_connect/login/callback/",
        "/accounts/oidc/other/login/",
        "/accounts/3rdparty/",
        "/accounts/3rdparty/signup/",
    ],
)
def test_allauths_own_ways_in_are_closed(path, sso, maya):
    client = browser()
    client.force_login(maya)
    assert client.get(path).status_code == 404
    assert client.post(path).status_code == 404


def test_rows_in_the_database_do_not_vouch_for_anybody(sso, settings, client):
    from allauth.socialaccount.models import SocialApp

    SocialApp.objects.create(
        provider="openid_connect", provider_id="sso", name="x", client_id="x", settings={}
    )
    assert set_out(browser()).startswith(sso.url)
    settings.OIDC_ISSUER = ""
    assert client.post(BEGIN).status_code == 404


def test_long_way_round_is_refused_after_ten_minutes(sso, maya):
    sso.knows("u-1", email=maya.email, email_verified=True)
    client = browser()
    with time_machine.travel(datetime.now(UTC) - timedelta(minutes=11)):
        address = set_out(client)
    refused(client, client.get(consent(address, "u-1")), "longer than ten minutes", status=401)
