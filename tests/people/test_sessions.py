"""Sessions: how long they last, where a person is signed in, and how sessions end."""

import re
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from knox.models import AuthToken

from audit.models import Event
from people import sessions
from people.origin import device_words, network_of
from tests.people.factories import PASSWORD, PersonFactory
from tests.people.signing_in import START

pytestmark = pytest.mark.django_db

SIGN_IN = "/accounts/login/"
PAGE = "/reviews/"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:131.0) Gecko/20100101 Firefox/131.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
)
CHROMIUM = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "HeadlessChrome/129.0.0.0 Safari/537.36"
)
EDGE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/129.0.0.0 Safari/537.36 Edg/129.0.0.0"
)


def signed_in(person, *, agent=FIREFOX, address="203.0.113.7"):
    """A browser in which ``person`` signed in by password."""
    client = Client(headers={"user-agent": agent}, REMOTE_ADDR=address)
    answer = client.post(SIGN_IN, {"login": person.email, "password": PASSWORD})
    assert answer.status_code == 302, answer.content.decode()
    return client


def is_in(client):
    return "_auth_user_id" in client.session


def events(name):
    return list(Event.objects.filter(event=name).order_by("sequence"))


def said(answer):
    """What the notices of a page say."""
    html = answer.content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


# --- How long they last -------------------------------------------------------------------------


def test_idle_session_ends_with_words_and_goes_on_where_it_was(maya, now):
    browser = signed_in(maya)
    now.shift(timedelta(minutes=29))
    assert browser.get(PAGE).status_code == 200
    now.shift(timedelta(minutes=30))

    answer = browser.get(f"{PAGE}?page=1", follow=True)

    assert answer.redirect_chain == [("/accounts/login/?next=/reviews/%3Fpage%3D1", 302)]
    assert "You were signed out after 30 minutes without activity." in said(answer)
    assert not is_in(browser)
    (event,) = events("session.expired")
    assert (event.actor_id, event.object_id, event.data) == (maya.pk, str(maya.pk), {"why": "idle"})
    assert event.ip_hash
    assert not UserSession.objects.exists()

    field = 'name="next" value="/reviews/?page=1"'
    assert field in answer.content.decode()
    back = browser.post(
        SIGN_IN, {"login": maya.email, "password": PASSWORD, "next": "/reviews/?page=1"}
    )
    assert back["Location"] == "/reviews/?page=1"


def test_session_ends_after_its_longest_time_however_busy_it_was(maya, now):
    browser = signed_in(maya)
    for _ in range(35):
        now.shift(timedelta(minutes=20))
        assert browser.get(PAGE).status_code == 200
    now.shift(timedelta(minutes=20))

    answer = browser.get(PAGE, follow=True)

    assert "You were signed out after 12 hours, the longest that a session lasts." in said(answer)
    assert events("session.expired")[0].data == {"why": "age"}


def test_limits_come_from_the_settings(maya, now, settings):
    settings.SESSION_IDLE_MINUTES, settings.SESSION_HOURS = 1, 1
    browser = signed_in(maya)
    now.shift(timedelta(seconds=61))
    assert "after 1 minute without" in said(browser.get(PAGE, follow=True))


def test_a_session_that_does_not_say_when_it_began_is_over(maya, now):
    browser = signed_in(maya)
    session = browser.session
    del session[sessions.SIGNED_IN_AT]
    session.save()
    assert browser.get(PAGE).status_code == 302
    assert not is_in(browser)


def test_page_that_asks_by_itself_is_no_activity(maya, now):
    browser = signed_in(maya)
    for _ in range(29):
        now.shift(timedelta(minutes=1))
        polled = browser.get(PAGE, headers={"x-poll": "1", "hx-request": "true"})
        assert polled.status_code == 200
    now.shift(timedelta(minutes=1))
    polled = browser.get(
        PAGE,
        headers={
            "x-poll": "1",
            "hx-request": "true",
            "hx-current-url": "http://testserver/boundaries/NC-RB/",
        },
    )
    assert polled["HX-Redirect"] == "/accounts/login/?next=/boundaries/NC-RB/"
    assert not is_in(browser)
    assert "after 30 minutes without activity" in said(browser.get(polled["HX-Redirect"]))


def test_every_page_that_polls_says_so():
    from pathlib import Path

    polling = [
        line
        for path in Path("templates").rglob("*.html")
        for line in path.read_text().splitlines()
        if 'hx-trigger="every' in line or 'hx-trigger="load delay' in line
    ]
    assert len(polling) >= 3
    assert [line for line in polling if '"X-Poll": "1"' not in line] == []


def test_what_is_sent_too_late_is_not_saved_and_the_page_says_so(maya, now):
    browser = signed_in(maya)
    now.shift(timedelta(minutes=31))

    answer = browser.post(
        reverse("people:sessions_end_others"),
        headers={"referer": "http://testserver/account/?tab=1"},
        follow=True,
    )

    assert answer.redirect_chain == [("/accounts/login/?next=/account/%3Ftab%3D1", 302)]
    assert "What you sent last was not saved." in said(answer)
    assert events("session.ended") == []


def test_where_to_go_back_to_is_never_another_site(maya, now):
    browser = signed_in(maya)
    now.shift(timedelta(minutes=31))
    answer = browser.post(
        reverse("people:sessions_end_others"), headers={"referer": "https://evil.example/account/"}
    )
    assert answer["Location"] == "/accounts/login/?next=/"


def test_htmx_is_led_to_the_sign_in_page_as_a_whole(maya, now):
    browser = signed_in(maya)
    browser.logout()
    answer = browser.get(
        PAGE, headers={"hx-request": "true", "hx-current-url": "http://testserver/reviews/?page=2"}
    )
    assert answer["HX-Redirect"] == "/accounts/login/?next=/reviews/%3Fpage%3D2"
    assert answer.content == b""


def test_program_with_an_old_session_gets_json(maya, now):
    browser = signed_in(maya)
    now.shift(timedelta(minutes=31))
    answer = browser.get("/api/v1/functions/")
    assert answer.status_code == 401
    assert answer.json()["code"] == "session_expired"


def test_token_beside_an_old_session_still_counts(maya, now):
    browser = signed_in(maya)
    now.shift(timedelta(minutes=31))
    _, token = AuthToken.objects.create(maya)
    answer = browser.get("/api/v1/functions/", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 200


def test_use_is_written_down_at_most_once_a_minute(maya, now):
    browser = signed_in(maya)
    (row,) = UserSession.objects.all()
    assert row.last_seen_at == START
    now.shift(timedelta(seconds=59))
    browser.get(PAGE)
    row.refresh_from_db()
    assert row.last_seen_at == START
    now.shift(timedelta(seconds=1))
    browser.get(PAGE, headers={"user-agent": IPHONE}, REMOTE_ADDR="203.0.113.9")
    row.refresh_from_db()
    assert row.last_seen_at == START + timedelta(minutes=1)
    assert (row.ip, device_words(row.user_agent)) == ("203.0.113.9", "Safari on iPhone")


def test_visitors_cost_no_query_for_sessions(client, company, django_assert_num_queries):
    client.get("/verify/")
    with django_assert_num_queries(0):
        client.get("/healthz")


# --- The list -----------------------------------------------------------------------------------


def test_list_names_device_address_and_which_one_is_in_use(maya, now):
    other = signed_in(maya, agent=IPHONE, address="203.0.113.91")
    now.shift(timedelta(minutes=5))
    here = signed_in(maya)
    signed_in(PersonFactory(name="Daniel Osei"))

    page = here.get(reverse("people:account"))

    lines = page.context["sessions"]
    assert [(one.device, one.address, one.is_current) for one in lines] == [
        ("Firefox on Windows", "203.0.113.7", True),
        ("Safari on iPhone", "203.0.113.91", False),
    ]
    assert lines[1].last_seen_at == START
    assert "Sign out everywhere else" in said(page)
    assert is_in(other)


def test_list_leaves_out_what_is_over(maya, now):
    signed_in(maya, agent=EDGE)
    deleted = signed_in(maya, agent=IPHONE)
    Session.objects.filter(session_key=deleted.session.session_key).delete()
    now.shift(timedelta(minutes=31))
    here = signed_in(maya)
    page = here.get(reverse("people:account"))
    assert [one.device for one in page.context["sessions"]] == ["Firefox on Windows"]
    assert "Sign out everywhere else" not in said(page)


def test_list_costs_two_queries_however_long(maya, now, rf, django_assert_num_queries):
    request = rf.get("/")
    request.user, request.session = maya, signed_in(maya).session
    for number in range(50):
        if number in (0, 49):
            with django_assert_num_queries(2):
                assert len(sessions.sessions_of(request)) == number + 1
        Client().force_login(maya)


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Windows"),
        (IPHONE, "Safari on iPhone"),
        (CHROMIUM, "Chromium on Linux"),
        (EDGE, "Edge on Windows"),
        ("Mozilla/5.0 (X11; CrOS x86_64) Chrome/129.0 Safari/537.36", "Chrome on ChromeOS"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X) Version/17 Safari/605", "Safari on macOS"),
        ("curl/8.5.0", "curl"),
        ("Mozilla/5.0 (Linux; Android 14)", "A browser on Android"),
        ("", "An unknown device"),
    ],
)
def test_device_words(agent, words):
    assert device_words(agent) == words


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.0/24"),
        ("2001:db8:1:2::7", "2001:db8:1::/48"),
        ("", ""),
    ],
)
def test_network_of_an_address(address, network):
    assert network_of(address) == network


# --- Ending -------------------------------------------------------------------------------------


def test_sign_out_everywhere_else_ends_the_others_and_not_this_one(maya, now):
    others = [signed_in(maya, agent=IPHONE), signed_in(maya, agent=EDGE)]
    stranger = signed_in(PersonFactory(name="Daniel Osei"))
    here = signed_in(maya)

    answer = here.post(reverse("people:sessions_end_others"), follow=True)

    assert "You are signed out on 2 other devices." in said(answer)
    assert is_in(here)
    assert is_in(stranger)
    assert [is_in(one) for one in others] == [False, False]
    assert others[0].get(PAGE).status_code == 302
    (event,) = events("session.ended")
    assert event.actor_id == maya.pk
    assert event.data == {"sessions": 2, "all_others": True}
    assert UserSession.objects.filter(user=maya).count() == 1


def test_sign_out_everywhere_else_without_others_records_nothing(maya, now):
    here = signed_in(maya)
    answer = here.post(reverse("people:sessions_end_others"), follow=True)
    assert "You are signed in nowhere else." in said(answer)
    assert events("session.ended") == []


def test_end_one_session(maya, now):
    gone, kept = signed_in(maya, agent=IPHONE), signed_in(maya, agent=EDGE)
    here = signed_in(maya)
    row = UserSession.objects.get(session_key=gone.session.session_key)

    answer = here.post(reverse("people:session_end", args=[row.pk]), follow=True)

    assert "Safari on iPhone is signed out." in said(answer)
    assert [is_in(one) for one in (here, kept, gone)] == [True, True, False]
    (event,) = events("session.ended")
    assert event.data == {"sessions": 1, "device": "Safari on iPhone"}


def test_nobody_ends_the_session_of_somebody_else(maya, now):
    other = signed_in(PersonFactory(name="Daniel Osei"))
    here = signed_in(maya)
    row = UserSession.objects.get(session_key=other.session.session_key)
    before = Event.objects.count()

    answer = here.post(reverse("people:session_end", args=[row.pk]), follow=True)

    assert "That session has ended already." in said(answer)
    assert is_in(other)
    assert Event.objects.count() == before
    with pytest.raises(sessions.NoSuchSession):
        sessions.sign_out_everywhere_else(
            person=row.user, session_key="", acting_user=maya, at=timezone.now()
        )


def test_session_in_use_is_ended_by_signing_out(maya, now):
    here = signed_in(maya)
    row = UserSession.objects.get(session_key=here.session.session_key)
    answer = here.post(reverse("people:session_end", args=[row.pk]), follow=True)
    assert "To end it, sign out." in said(answer)
    assert is_in(here)


@pytest.mark.parametrize("name", ["people:sessions_end_others", "people:session_end"])
def test_ending_needs_a_post_and_a_sign_in(client, maya, name):
    path = reverse(name, args=[1] if name.endswith("session_end") else [])
    assert client.get(path).status_code == 405
    assert client.post(path)["Location"].startswith(SIGN_IN)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(maya)
    assert strict.post(path).status_code == 403


def test_end_all_and_end_tokens_count_what_they_ended(maya, now):
    signed_in(maya)
    here = signed_in(maya)
    AuthToken.objects.create(maya)
    assert sessions.end_tokens(maya) == 1
    assert sessions.end_all(maya, but=here.session.session_key) == 1
    assert is_in(here)
    assert sessions.end_all(maya) == 1
    assert not is_in(here)
    assert (sessions.end_all(maya), sessions.end_tokens(maya)) == (0, 0)


def test_signing_in_clears_away_what_nobody_signed_out_of(maya, now):
    left = signed_in(maya)
    now.shift(timedelta(hours=2))
    signed_in(maya)
    assert not Session.objects.filter(session_key=left.session.session_key).exists()
    assert UserSession.objects.count() == 1


# --- Passwords ----------------------------------------------------------------------------------


def test_password_change_ends_every_other_session(maya, now):
    other = signed_in(maya, agent=IPHONE)
    here = signed_in(maya)
    AuthToken.objects.create(maya)
    answer = here.post(
        reverse("account_change_password"),
        {
            "oldpassword": PASSWORD,
            "password1": "four unrelated words here",
            "password2": "four unrelated words here",
        },
    )
    assert answer.status_code == 302
    assert is_in(here)
    assert here.get(PAGE).status_code == 200
    assert not Session.objects.filter(session_key=other.session.session_key).exists()
    assert other.get(PAGE).status_code == 302
    assert AuthToken.objects.count() == 1  # a token is no session; a reset link ends it, see mails
    assert [one.is_current for one in here.get(reverse("people:account")).context["sessions"]] == [
        True
    ]
    now.shift(timedelta(minutes=29))
    assert here.get(PAGE).status_code == 200


def test_session_kept_from_before_a_password_change_is_refused(maya, now):
    """Also where nobody deleted it: it is bound to the password of its time."""
    browser = signed_in(maya)
    maya.set_password("set by somebody with a shell")
    maya.save(update_fields=["password"])
    assert browser.get(PAGE)["Location"].startswith(SIGN_IN)
