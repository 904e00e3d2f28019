"""Sessions: where somebody is signed in, how long that lasts, and how it ends.

A session ends after ``SESSION_IDLE_MINUTES`` without a request of the person's own and, whatever
they do, ``SESSION_HOURS`` after they signed in. Both are counted here, not by the cookie. Beside
each of Django's sessions stands a row (``UserSession``) that says whose it is, from where, and when
it was last used: Django's own rows cannot be searched by person.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from knox.models import AuthToken

from audit.leaf import JSON

from . import account_events
from .errors import Refused
from .models import Person
from .origin import address_of, device_words

SIGNED_IN_AT = "signed_in_at"  # in the session: seconds since 1970
_NOTED_EVERY = timedelta(minutes=1)
_NOWHERE = "::"  # the column wants an address, also where nobody knows one


class NoSuchSession(Refused):
    """The session has ended, or is somebody else's."""

    code = "no_such_session"


class SessionInUse(Refused):
    """It is the one from which this was asked."""

    code = "session_in_use"


@dataclass(frozen=True)
class SessionLine:
    """One place where a person is signed in, as their account page tells it."""

    pk: int
    device: str  # "Chromium on Linux"
    address: str  # "" when nobody knows it
    signed_in_at: datetime
    last_seen_at: datetime
    is_current: bool


# --- How long a session lasts -----------------------------------------------------------------


def begin(sender: object, request: HttpRequest, user: Person, **_: Any) -> None:
    """Note when somebody signed in, and from where (a receiver of Django's ``user_logged_in``)."""
    at = timezone.now()
    request.session[SIGNED_IN_AT] = at.timestamp()
    if request.session.session_key:
        note_use(request, row_of(request), person=user, at=at)


def row_of(request: HttpRequest) -> UserSession | None:
    """What is kept beside the request's session; None before its first request."""
    return UserSession.objects.filter(session_key=request.session.session_key).first()


def why_over(request: HttpRequest, row: UserSession | None, *, at: datetime) -> str:
    """ "age" or "idle" when the request's session lasted long enough, else ""."""
    began = request.session.get(SIGNED_IN_AT)
    if began is None or at - datetime.fromtimestamp(began, UTC) >= longest():
        return "age"
    if row is not None and at - row.last_seen_at >= longest_idle():
        return "idle"
    return ""


def longest() -> timedelta:
    return timedelta(hours=settings.SESSION_HOURS)


def longest_idle() -> timedelta:
    return timedelta(minutes=settings.SESSION_IDLE_MINUTES)


def idle_words() -> str:
    """ "30 minutes"."""
    return _counted(settings.SESSION_IDLE_MINUTES, "minute")


def longest_words() -> str:
    """ "12 hours"."""
    return _counted(settings.SESSION_HOURS, "hour")


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def note_use(
    request: HttpRequest, row: UserSession | None, *, person: Person, at: datetime
) -> None:
    """Keep that the session is in use, from where and by what. Writes at most once a minute."""
    if row is not None and at - row.last_seen_at < _NOTED_EVERY:
        return
    most_letters = UserSession._meta.get_field("user_agent").max_length
    seen = {
        "user": person,
        "ip": address_of(request) or _NOWHERE,
        "user_agent": request.headers.get("User-Agent", "")[:most_letters],
        "last_seen_at": at,
    }
    if row is not None:
        UserSession.objects.filter(pk=row.pk).update(**seen)
        return
    UserSession.objects.get_or_create(
        session_key=request.session.session_key, defaults={**seen, "created_at": at}
    )


def forget(request: HttpRequest) -> bool:
    """Delete the request's session and its row; whether it was still there."""
    key = request.session.session_key
    UserSession.objects.filter(session_key=key).delete()
    ended, _ = Session.objects.filter(session_key=key).delete()
    return bool(ended)


@transaction.atomic
def forget_dead(person: Person, *, at: datetime) -> None:
    """Clear away what is left of the person's sessions that nobody signed out of."""
    dead = UserSession.objects.filter(user=person, last_seen_at__lt=at - longest_idle())
    keys = list(dead.values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    dead.delete()


# --- Where somebody is signed in --------------------------------------------------------------


def sessions_of(request: HttpRequest) -> list[SessionLine]:
    """The reader's sessions, the one in use first, then by when each was last used. Two queries."""
    rows = UserSession.objects.filter(
        user_id=request.user.pk, last_seen_at__gt=timezone.now() - longest_idle()
    ).order_by("-last_seen_at", "-pk")
    alive = set(
        Session.objects.filter(session_key__in=rows.values("session_key")).values_list(
            "session_key", flat=True
        )
    )
    current = request.session.session_key
    lines = [
        SessionLine(
            pk=row.pk,
            device=device_words(row.user_agent),
            address="" if row.ip == _NOWHERE else row.ip,
            signed_in_at=row.created_at,
            last_seen_at=row.last_seen_at,
            is_current=row.session_key == current,
        )
        for row in rows
        if row.session_key in alive
    ]
    return sorted(lines, key=lambda line: not line.is_current)


# --- Ending -----------------------------------------------------------------------------------


@transaction.atomic
def end_all(person: Person, *, but: str = "") -> int:
    """End the person's sessions, except the one whose key is ``but``; return how many there were.

    For verbs that have a reason of their own, and record it.
    """
    rows = UserSession.objects.filter(user=person).exclude(session_key=but)
    keys = list(rows.values_list("session_key", flat=True))
    ended, _ = Session.objects.filter(session_key__in=keys).delete()
    rows.delete()
    return ended


@transaction.atomic
def end_tokens(person: Person) -> int:
    """End the person's API tokens; return how many there were."""
    ended: int = AuthToken.objects.filter(user=person).delete()[0]
    return ended


@transaction.atomic
def sign_out_everywhere_else(
    *, person: Person, session_key: str, acting_user: Person, at: datetime, ip: str = ""
) -> int:
    """End the person's sessions but the one in use; return how many ended. None: no event."""
    _require_own(person, acting_user)
    ended = end_all(person, but=session_key)
    if ended:
        data: dict[str, JSON] = {"sessions": ended, "all_others": True}
        account_events.record("session.ended", person, actor=person, at=at, ip=ip, data=data)
    return ended


@transaction.atomic
def end_one(
    *, person: Person, pk: int, session_key: str, acting_user: Person, at: datetime, ip: str = ""
) -> str:
    """End one other session of the person; return its device in words.

    ``session_key`` is the one in use. Raises ``NoSuchSession`` or ``SessionInUse``.
    """
    _require_own(person, acting_user)
    row = UserSession.objects.select_for_update().filter(pk=pk, user=person).first()
    if row is None:
        raise NoSuchSession("That session has ended already.")
    if row.session_key == session_key:
        raise SessionInUse("You use that session now. To end it, sign out.")
    device = device_words(row.user_agent)
    Session.objects.filter(session_key=row.session_key).delete()
    row.delete()
    data: dict[str, JSON] = {"sessions": 1, "device": device}
    account_events.record("session.ended", person, actor=person, at=at, ip=ip, data=data)
    return device


def _require_own(person: Person, acting_user: Person) -> None:
    if person.pk != acting_user.pk:
        raise NoSuchSession(
            "People end their own sessions only. To close an account, deactivate it."
        )
