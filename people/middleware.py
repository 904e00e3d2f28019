"""What holds for every request of a signed-in person."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import resolve_url
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect

from . import sessions, sign_in_events
from .calendar import written_for, zone_of
from .factor_policy import lead_to_protection, may_go_on
from .models import Person

_ENDED_ELSEWHERE = "You were signed out. Nothing you had begun was signed or saved."


class ReadersTimeZoneMiddleware:
    """Show the signed-in reader's own zone and way to write dates, for the length of a request.

    What a request changes is told to others by mail, in sentences that it makes: those keep one
    way to write dates. So the reader's own applies to pages that are read, not to acts.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return self.get_response(request)
        if request.method in ("GET", "HEAD"):
            with written_for(request.user):
                return self.get_response(request)
        with timezone.override(zone_of(request.user)):
            return self.get_response(request)


class SessionLimitsMiddleware:
    """End a session that was idle for too long, or that is too old, and keep when one was used.

    Whoever comes back is told so where they sign in, and goes on where they were. A page that asks
    by itself whether something is done says ``X-Poll: 1``: nobody need sit before it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            at = timezone.now()
            row = sessions.row_of(request)
            over = sessions.why_over(request, row, at=at)
            if over:
                refused = _end_session(request, over, at=at)
                if refused is not None:
                    return refused
            elif request.headers.get("X-Poll") != "1":
                sessions.note_use(request, row, person=request.user, at=at)
        elif _held_a_session(request):
            messages.info(request, _ENDED_ELSEWHERE)
        return _whole_page(request, self.get_response(request))


def _held_a_session(request: HttpRequest) -> bool:
    """Whether the browser still shows a session that has ended: closed elsewhere, or too old.

    Signing out takes the key away from the browser, and so does the answer to this request.
    """
    acts = request.method not in ("GET", "HEAD")
    if request.path.startswith("/api/") or (
        acts and request.path == resolve_url(settings.LOGIN_URL)
    ):
        return False
    shown = bool(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    return shown and request.session.session_key is None


def _end_session(request: HttpRequest, why: str, *, at: datetime) -> HttpResponse | None:
    """Sign the reader out; return an answer where going on as a visitor makes no sense."""
    person = request.user
    if not isinstance(person, Person):
        raise TypeError("Only a signed-in person has a session that ends.")
    sign_in_events.expired(request=request, person=person, why=why, at=at)
    logout(request)
    words = f"You were signed out after {sessions.idle_words()} without activity."
    if why == "age":
        after = sessions.longest_words()
        words = f"You were signed out after {after}, the longest that a session lasts."
    if request.path.startswith("/api/"):
        if "Authorization" in request.headers:
            return None  # its token speaks for itself
        return JsonResponse({"code": "session_expired", "detail": words}, status=401)
    acts = request.method not in ("GET", "HEAD", "OPTIONS")
    sign_in = resolve_url(settings.LOGIN_URL)
    if not acts or request.path == sign_in:
        messages.info(request, words)
        return None
    messages.info(request, f"{words} What you sent last was not saved.")
    return _whole_page(request, redirect_to_login(_page_of(request), sign_in))


def _whole_page(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Lead the page itself to sign-in where htmx would put that into a part of it."""
    if response.status_code != 302 or request.headers.get("HX-Request") != "true":
        return response
    sign_in = resolve_url(settings.LOGIN_URL)
    if urlsplit(response["Location"]).path != sign_in:
        return response
    there = redirect_to_login(_page_of(request), sign_in)["Location"]
    led = HttpResponseClientRedirect(there)
    led.cookies = response.cookies
    return led


def _page_of(request: HttpRequest) -> str:
    """The path of the page that the reader looks at; "/" where it is not one of ours."""
    told = request.headers.get("HX-Current-URL") or request.headers.get("Referer") or ""
    page = urlsplit(told)
    if page.netloc != request.get_host() or not page.path.startswith("/"):
        return "/"
    return urlunsplit(("", "", page.path, page.query, ""))


class SecondFactorMiddleware:
    """Let nobody who must have a second factor go on without one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Ask once the page is known: some stay open, or nobody could get a second factor."""
        if may_go_on(request):
            return None
        return lead_to_protection(request)
