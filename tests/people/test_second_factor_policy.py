"""Who must have a second factor is led to get one, and goes nowhere else before."""

from datetime import date

import pytest
from django.urls import reverse
from knox.models import AuthToken

from people import factors
from people.appointments import appoint
from tests.people.factories import PersonFactory, appointed_at_once
from tests.people.signing_in import AT, add_generator, add_passkey, code_at, confirm

ON = date(2026, 11, 23)
PAGE, API, PART = "page", "API", "part of a page"

# policy, who, has a factor: whether they may go on
MATRIX = [
    ("nobody", "cro", False, True),
    ("nobody", "member", False, True),
    ("offices", "cro", False, False),
    ("offices", "cro", True, True),
    ("offices", "member", False, True),
    ("offices", "member", True, True),
    ("everybody", "cro", False, False),
    ("everybody", "cro", True, True),
    ("everybody", "member", False, False),
    ("everybody", "member", True, True),
]


@pytest.fixture(autouse=True)
def _now(time_machine):
    time_machine.move_to(AT, tick=False)


def ask(client, kind):
    if kind == API:
        return client.get("/api/v1/functions/")
    headers = {"hx-request": "true"} if kind == PART else {}
    return client.get(reverse("functions_catalog:lookup"), headers=headers)


@pytest.mark.parametrize("kind", [PAGE, API, PART])
@pytest.mark.parametrize(("policy", "who", "protected", "goes_on"), MATRIX)
def test_matrix(client, executives, settings, policy, who, protected, goes_on, kind):
    settings.REQUIRE_SECOND_FACTOR = policy
    person = executives[who]
    if protected:
        add_generator(person)
    client.force_login(person)
    answer = ask(client, kind)
    if goes_on:
        assert answer.status_code == 200
        assert "HX-Redirect" not in answer
    elif kind == API:
        assert answer.status_code == 403
        assert answer.json() == {
            "detail": "Your account needs a second factor first. Add one at /account/protect/."
        }
    elif kind == PART:
        assert answer["HX-Redirect"] == reverse("people:protect")
        assert not answer.content
    else:
        assert answer.status_code == 302
        assert answer["Location"] == reverse("people:protect")


@pytest.mark.parametrize("policy", ["nobody", "offices", "everybody"])
@pytest.mark.parametrize("who", ["cro", "member"])
def test_who_needs_one(executives, settings, django_assert_num_queries, policy, who):
    settings.REQUIRE_SECOND_FACTOR = policy
    needs = policy == "everybody" or (policy == "offices" and who == "cro")
    with django_assert_num_queries(1 if policy == "offices" else 0):
        assert factors.needs_second_factor(executives[who], on=ON) is needs


def test_office_counts_from_its_first_to_its_last_day(company, settings):
    settings.REQUIRE_SECOND_FACTOR = "offices"
    person = PersonFactory()
    appoint(
        person=person,
        office_key="cro",
        starts_on=ON,
        ends_on=date(2026, 11, 25),
        acting_user=None,
        at=AT,
    )
    needs = [
        factors.needs_second_factor(person, on=date(2026, 11, day)) for day in (22, 23, 24, 25)
    ]
    assert needs == [False, True, True, False]


def test_holder_needs_one_also_while_a_stand_in_acts(executives, settings):
    settings.REQUIRE_SECOND_FACTOR = "offices"
    appoint(
        person=executives["member"],
        office_key="cro",
        starts_on=ON,
        ends_on=date(2026, 12, 1),
        acting=True,
        instrument="Letter of 20 Nov 2026",
        acting_user=None,
        at=AT,
    )
    assert factors.needs_second_factor(executives["cro"], on=ON)
    assert factors.needs_second_factor(executives["member"], on=ON)


@pytest.mark.parametrize(
    "name",
    [
        "people:protect",
        "account_change_password",
        "boundaries:verify",
        "healthz",
        "account_logout",
        "account_reauthenticate",
    ],
)
def test_what_leads_to_a_factor_stays_open(client, executives, settings, name):
    settings.REQUIRE_SECOND_FACTOR = "offices"
    client.force_login(executives["cro"])
    assert client.get(reverse(name)).status_code == 200


@pytest.mark.parametrize(
    "path", ["/account/", "/boundaries/", "/reviews/", "/admin/", "/mailbox/", "/api/docs/"]
)
def test_everything_else_waits(client, executives, settings, path):
    settings.REQUIRE_SECOND_FACTOR = "offices"
    client.force_login(executives["cro"])
    for method in (client.get, client.post):
        assert method(path)["Location"] == reverse("people:protect")


def test_static_files_need_no_factor(client, executives, settings):
    settings.REQUIRE_SECOND_FACTOR = "everybody"
    client.force_login(executives["cro"])
    # No view answers there: WhiteNoise does, before anybody is asked who they are.
    assert client.get("/static/none.css").status_code == 404


def test_acts_wait_too(client, executives, settings):
    settings.REQUIRE_SECOND_FACTOR = "offices"
    client.force_login(executives["cro"])
    answer = client.post(reverse("people:reading"), {"time_zone": "UTC", "date_language": ""})
    assert answer["Location"] == reverse("people:protect")
    executives["cro"].refresh_from_db()
    assert executives["cro"].time_zone == ""


def test_page_offers_both_ways(client, executives, settings):
    settings.REQUIRE_SECOND_FACTOR = "offices"
    client.force_login(executives["cro"])
    words = client.get(reverse("people:protect"), headers={"host": "localhost"}).content.decode()
    assert reverse("mfa_add_webauthn") in words and reverse("mfa_activate_totp") in words
    words = client.get(reverse("people:protect"), headers={"host": "127.0.0.1"}).content.decode()
    assert reverse("mfa_add_webauthn") not in words
    assert "such as http://localhost" in words


@pytest.mark.parametrize(
    ("policy", "says"),
    [("offices", "because you hold an Office: CRO."), ("everybody", "because everybody here")],
)
def test_page_says_why(client, executives, settings, policy, says):
    settings.REQUIRE_SECOND_FACTOR = policy
    client.force_login(executives["cro"])
    assert says in client.get(reverse("people:protect")).content.decode()


def test_page_asks_nobody_who_needs_none(client, executives, settings):
    settings.REQUIRE_SECOND_FACTOR = "offices"
    client.force_login(executives["member"])
    words = client.get(reverse("people:protect")).content.decode()
    assert "needs a second factor" not in words and "Add one of the two" in words


def test_first_administrator_is_led_to_inviting(client, company, settings):
    settings.REQUIRE_SECOND_FACTOR = "offices"
    person = PersonFactory()
    appointed_at_once({"administrator": person})
    client.force_login(person)
    client.get("/")
    confirm(client)
    add_passkey(client)
    words = client.get(reverse("mfa_view_recovery_codes")).content.decode()
    assert f'href="{reverse("people:people")}">I have kept them' in words
    hint = "Invite people, then record who holds which Office"
    assert hint in client.get(reverse("people:people")).content.decode()
    appointed_at_once({"ceo": PersonFactory()})
    assert hint not in client.get(reverse("people:people")).content.decode()


def test_factor_leads_on_to_where_the_person_was_going(client, executives, settings):
    settings.REQUIRE_SECOND_FACTOR = "offices"
    client.force_login(executives["cro"])
    client.get("/reviews/?page=1")
    confirm(client)
    page = client.get(reverse("mfa_activate_totp"))
    code = code_at(page.context["secret"].replace(" ", ""), AT)
    answer = client.post(reverse("mfa_activate_totp"), {"code": code}, follow=True)
    assert answer.redirect_chain == [(reverse("mfa_view_recovery_codes"), 302)]
    assert 'href="/reviews/?page=1"' in answer.content.decode()
    assert client.get("/reviews/?page=1").status_code == 200


def test_address_somewhere_else_is_never_where_it_leads(client, executives, settings):
    settings.REQUIRE_SECOND_FACTOR = "offices"
    client.force_login(executives["cro"])
    client.get("//evil.example/", headers={"host": "localhost"})
    confirm(client)
    add_passkey(client)
    words = client.get(reverse("mfa_view_recovery_codes")).content.decode()
    assert "evil.example" not in words or 'href="/%2Fevil.example' in words


def test_people_of_single_sign_on_go_on(client, executives, settings):
    """The issuer's second factor is trusted for reading."""
    settings.REQUIRE_SECOND_FACTOR = "everybody"
    client.force_login(executives["cro"])
    session = client.session
    session["account_authentication_methods_user"] = str(executives["cro"].pk)
    session["account_authentication_methods"] = [
        {"method": "socialaccount", "at": AT.timestamp(), "provider": "oidc", "uid": "1"}
    ]
    session.save()
    assert ask(client, PAGE).status_code == 200
    # Somebody else's record in the session is worth nothing.
    session["account_authentication_methods_user"] = str(executives["coo"].pk)
    session.save()
    assert ask(client, PAGE).status_code == 302


def test_tokens_are_not_asked(client, executives, settings):
    """A token only reads, and was issued on the server: no session, no second factor."""
    settings.REQUIRE_SECOND_FACTOR = "everybody"
    _, token = AuthToken.objects.create(user=executives["cro"])
    answer = client.get("/api/v1/functions/", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 200


def test_policy_costs_at_most_two_queries(
    client, executives, settings, django_assert_max_num_queries
):
    def queries(person):
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        client.force_login(person)
        ask(client, PAGE)  # the session's own first writes are over
        with CaptureQueriesContext(connection) as caught:
            assert ask(client, PAGE).status_code == 200
        return len(caught)

    without = queries(executives["member"])
    settings.REQUIRE_SECOND_FACTOR = "offices"
    assert queries(executives["member"]) == without + 2
    add_generator(executives["member"])
    assert queries(executives["member"]) == without + 1
