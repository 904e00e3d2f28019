"""What the log, and the person, hear of signing in and out and of passwords.

Each is recorded in the transaction of what it tells of. An address that was only tried is never
kept: it may be a password typed into the wrong field.
"""

from datetime import datetime, timedelta
from typing import Any

from allauth.account import app_settings
from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from audit.leaf import ip_hash
from audit.models import Event

from . import account_events, sessions
from .calendar import zone_of
from .models import Person
from .origin import address_of, device_words, network_of
from .telling import tell
from .templatetags.speech import moment_words

# A device in a network that the person used within this time is no news.
REMEMBERED = timedelta(days=90)
REAUTHENTICATION_TIMEOUT = int(app_settings.REAUTHENTICATION_TIMEOUT)  # seconds
OWN_FACTORS = (Authenticator.Type.WEBAUTHN, Authenticator.Type.TOTP)
_REFUSALS_TOLD_EVERY = 300  # seconds: a flood must not flood the log

_NOT_YOU = (
    "If that was you, nothing is left to do. If not, change your password, sign out everywhere "
    "else, and tell your company’s Administrator at once."
)

_ASKED = "Somebody, probably you, asked for a new password of your account."
_NOT_ASKED = (
    "If it was not you, do nothing: your password stays as it is. If it happens again, tell your "
    "company’s Administrator."
)
_NEW = (
    "Somebody signed in to your account with a device, or from a network, that was not used for it "
    f"in the last {REMEMBERED.days} days."
)


# --- In and out -------------------------------------------------------------------------------


@transaction.atomic
def signed_in(*, request: HttpRequest, person: Person, at: datetime) -> None:
    """Record that ``person`` has signed in, and mail them where device and network are new.

    Not at their very first sign-in: it follows the invitation that they accepted just now.
    """
    address = address_of(request)
    device = device_words(request.headers.get("User-Agent", ""))
    network = ip_hash(network_of(address))
    method = method_of(request, person)
    former = Event.objects.filter(actor_id=person.pk, event="session.signed_in")
    familiar = former.filter(
        at__gt=at - REMEMBERED, data__device=device, data__network=network
    ).exists()
    news = not familiar and former.exists()
    sessions.forget_dead(person, at=at)
    sessions.note_use(request, sessions.row_of(request), person=person, at=at)
    event = account_events.record(
        "session.signed_in",
        person,
        actor=person,
        at=at,
        ip=address_of(request),
        data={"method": method, "device": device, "network": network},
    )
    if news:
        _tell_of_new_sign_in(person, event, device=device, address=address, method=method)


def method_of(request: HttpRequest, person: Person) -> str:
    """How ``person`` signed in: "password and code", "passkey", "single sign-on" and so on."""
    steps = [
        one for one in get_authentication_records(request, person) if not one.get("reauthenticated")
    ]
    methods = {one["method"] for one in steps}
    factors = {str(one.get("type")): bool(one.get("passwordless")) for one in steps}
    if factors.get("webauthn"):
        return "passkey"
    if "socialaccount" in methods:
        return "single sign-on"
    if "recovery_codes" in factors:
        return "recovery code"
    if "totp" in factors:
        return "password and code"
    if "webauthn" in factors:
        return "password and passkey"
    return str(steps[-1]["method"]) if steps else "invitation"


def _tell_of_new_sign_in(
    person: Person, event: Event, *, device: str, address: str, method: str
) -> None:
    with timezone.override(zone_of(person)):
        when = moment_words(event.at)
    tell(
        person,
        kind="new-sign-in",
        key=f"new-sign-in:{event.sequence}",
        subject="New sign-in to your account",
        paragraphs=[_NEW, _NOT_YOU],
        rows=[
            {"title": "When", "aside": when},
            {"title": "Device", "aside": device},
            {"title": "Address", "aside": address or "unknown"},
            {"title": "With", "aside": method},
        ],
        reason="It is your account.",
        action_label="Look at your account",
        action_path=reverse("people:account"),
        at=event.at,
    )


def confirmed_by_signing_in(request: HttpRequest, *, at: datetime) -> bool:
    """Whether signing in was so short ago that it shows who sits there.

    By a password or an own factor. Not by a recovery code, which may be a found sheet of paper,
    and not by single sign-on, whose own session may be hours old.
    """
    steps = [
        one
        for one in get_authentication_records(request, request.user)
        if not one.get("reauthenticated")
    ]
    if not steps:
        return False
    last = steps[-1]
    shows = last["method"] == "password" or (
        last["method"] == "mfa" and last.get("type") in OWN_FACTORS
    )
    return shows and 0 <= at.timestamp() - last["at"] < REAUTHENTICATION_TIMEOUT


@transaction.atomic
def sign_in_failed(
    *, request: HttpRequest, person: Person | None, stage: str, at: datetime
) -> None:
    """Record a wrong password, code or passkey. ``person`` is None for an unknown address."""
    account_events.record(
        "session.sign_in_failed",
        person,
        actor=None,
        at=at,
        ip=address_of(request),
        data={"stage": stage, "deactivated": person is not None and not person.is_active},
    )


@transaction.atomic
def confirmation_failed(*, request: HttpRequest, person: Person, stage: str, at: datetime) -> None:
    """Record that somebody signed in was asked who they are, and gave a wrong answer."""
    account_events.record(
        "session.confirmation_failed",
        person,
        actor=person,
        at=at,
        ip=address_of(request),
        data={"stage": stage},
    )


def on_factor_failed(
    sender: object,
    request: HttpRequest,
    user: Person,
    authenticator: Authenticator,
    reauthentication: bool = False,
    **_: Any,
) -> None:
    """A wrong code, at sign-in or when somebody confirms who they are (allauth's signal)."""
    stage = "passkey" if authenticator.type == Authenticator.Type.WEBAUTHN else "code"
    failed = confirmation_failed if reauthentication else sign_in_failed
    failed(request=request, person=user, stage=stage, at=timezone.now())


@transaction.atomic
def sign_in_limited(*, request: HttpRequest, person: Person | None, at: datetime) -> None:
    """Record that tries are refused for now; once in a while for each address and person."""
    whom = person.pk if person else ""
    key = f"sign-in-limited:{ip_hash(address_of(request))}:{whom}"
    if cache.add(key, True, timeout=_REFUSALS_TOLD_EVERY):
        account_events.record(
            "session.sign_in_limited", person, actor=None, at=at, ip=address_of(request)
        )


@transaction.atomic
def signed_out(*, request: HttpRequest, person: Person, at: datetime) -> None:
    """Record that ``person`` signs out; the caller ends Django's session."""
    sessions.forget(request)
    account_events.record("session.signed_out", person, actor=person, at=at, ip=address_of(request))


@transaction.atomic
def expired(*, request: HttpRequest, person: Person, why: str, at: datetime) -> None:
    """Record that a session came to its limit (``why`` is "idle" or "age"), and end it.

    Of two requests that find it so, the first one records it.
    """
    if sessions.forget(request):
        account_events.record(
            "session.expired",
            person,
            actor=person,
            at=at,
            ip=address_of(request),
            data={"why": why},
        )


# --- Passwords --------------------------------------------------------------------------------


@transaction.atomic
def set_password(*, request: HttpRequest, person: Person, password: str, at: datetime) -> None:
    """Set a new password: the one way for all who have an account.

    Their other sessions end. By a reset link, with nobody signed in, all of them end, and API
    tokens too: whoever needed the link may have lost more than a password.
    """
    by_link = not (request.user.is_authenticated and request.user.pk == person.pk)
    Person.objects.select_for_update(no_key=True).get(pk=person.pk)
    person.set_password(password)
    person.password_changed_at = at
    person.save(update_fields=["password", "password_changed_at"])
    ended = sessions.end_all(person, but="" if by_link else str(request.session.session_key))
    data: dict[str, Any] = {"sessions": ended}
    if by_link:
        data["tokens"] = sessions.end_tokens(person)
    event = account_events.record(
        "password.reset" if by_link else "password.changed",
        person,
        actor=person,
        at=at,
        ip=address_of(request),
        data=data,
    )
    how = "by a link for a new password" if by_link else "by somebody who was signed in"
    others = (
        "You are signed out everywhere, and your API tokens no longer work."
        if by_link
        else "You are signed out everywhere else."
    )
    tell(
        person,
        kind="password-changed",
        key=f"password-changed:{event.sequence}",
        subject="Your password was changed",
        paragraphs=[f"The password of your account was changed {how}. {others}", _NOT_YOU],
        rows=[
            {"title": "Device", "aside": device_words(request.headers.get("User-Agent", ""))},
            {"title": "Address", "aside": address_of(request) or "unknown"},
        ],
        reason="It is your account.",
        action_label="Sign in",
        action_path=reverse("account_login"),
        at=at,
    )


@transaction.atomic
def reset_asked(
    *, request: HttpRequest, person: Person | None, link_path: str, hours: int, at: datetime
) -> None:
    """Record that a new password was asked for, and mail the link (path ``link_path``).

    For an unknown address (``person`` is None) the same is recorded without it, and nothing sent.
    Without ``link_path`` the person is told that they have no password here.
    """
    event = account_events.record(
        "password.reset_asked", person, actor=None, at=at, ip=address_of(request)
    )
    if person is None:
        return
    if link_path:
        subject = action_label = "Set a new password"
        within = "1 hour" if hours == 1 else f"{hours} hours"
        paragraphs = [f"{_ASKED} The button opens a page that sets it, once, within {within}."]
        paragraphs.append(_NOT_ASKED)
    else:
        subject, action_label = "You have no password here", "Sign in"
        link_path = reverse("account_login")
        paragraphs = [f"{_ASKED} It has none: you come by single sign-on. Ask whoever runs that."]
    tell(
        person,
        kind="password-reset",
        key=f"password-reset:{event.sequence}",
        subject=subject,
        paragraphs=paragraphs,
        reason="Your address was given on the page for forgotten passwords.",
        action_label=action_label,
        action_path=link_path,
        sensitive=True,
        at=at,
    )
