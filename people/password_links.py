"""A link that sets a new password, handed over by the Administrator.

The way back for somebody whom no mail reaches, or who lost the passkey that was their only way in.
It is the link of "Forgotten password": it works once, within its hour, and ends nothing by itself.
Second factors stay as they are: the new password is a first step only.
"""

from dataclasses import dataclass
from datetime import datetime

from allauth.account import app_settings
from allauth.account.utils import user_pk_to_url_str
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.db import transaction
from django.urls import reverse

from . import account_events
from .accounts import given_reason
from .calendar import company_date
from .errors import Refused
from .models import Person
from .permissions import Act, require
from .telling import mail_goes_out, tell


class OwnPassword(Refused):
    """One's own is changed on the page of the own account, or by another Administrator's link."""

    code = "own_password"


class NoPasswordHere(Refused):
    """Nobody could sign in with it: the account is closed, or the person comes another way."""

    code = "no_password_here"


@dataclass(frozen=True)
class PasswordLink:
    """What was made. ``shown`` is the whole address where no mail goes out, else ""."""

    person: Person
    shown: str


def comes_by_single_sign_on(person: Person) -> bool:
    """Whether the issuer alone lets ``person`` in: a password here would pass it by."""
    if person.has_usable_password() or not settings.OIDC_ISSUER:
        return False
    return bool(SocialAccount.objects.filter(user=person).exists())


def within() -> str:
    """How long a link works: "1 hour"."""
    hours = int(settings.PASSWORD_RESET_TIMEOUT // 3600)
    return "1 hour" if hours == 1 else f"{hours} hours"


@transaction.atomic
def make_password_link(
    *, person: Person, reason: str, acting_user: Person, at: datetime
) -> PasswordLink:
    """Make a link that sets a new password of ``person``, and mail it to them.

    Where no mail goes out the link comes back instead, to be shown once: it is kept nowhere. Raises
    ``OwnPassword``, ``NoPasswordHere``, ``accounts.ReasonMissing`` or ``NotYourOffice``.
    """
    held = require(acting_user, Act.MANAGE_ACCOUNTS, on=company_date(at))
    if person.human_id == acting_user.human_id:
        raise OwnPassword(
            "You cannot do that for yourself. Change your password on the page of your account, or "
            "ask another Administrator."
        )
    reason = given_reason(reason)
    found = Person.objects.select_for_update(no_key=True).get(pk=person.pk)
    if not found.is_active:
        raise NoPasswordHere(
            f"The account of {found.name} is deactivated. Reactivate it first, then hand over a "
            "link."
        )
    if comes_by_single_sign_on(found):
        raise NoPasswordHere(
            f"{found.name} comes by single sign-on and has no password here. Whoever runs that "
            "lets them in again."
        )
    mailed = mail_goes_out()
    event = account_events.record(
        "password.link_made",
        found,
        actor=acting_user,
        held=held,
        at=at,
        data={"mailed": mailed},
        personal_text=reason,
    )
    path = _path(found)
    if mailed:
        how = f"The button opens a page that sets it, once, within {within()}."
    else:
        how = f"{acting_user.name} hands it to you. It works once, within {within()}."
    tell(
        found,
        kind="password-link",
        key=f"password-link:{event.sequence}",
        subject="A link for a new password was made for you",
        paragraphs=[
            f"{acting_user.name} has made a link that sets a new password of your account. {how}",
            "Until then your password, passkeys and code generator stay as they are.",
        ],
        closing=[f"If you did not ask for that, tell {acting_user.name} at once."],
        reason="It is your account.",
        sensitive=mailed,
        action_label="Set a new password" if mailed else "",
        action_path=path if mailed else "",
        at=at,
    )
    return PasswordLink(found, "" if mailed else f"{settings.PUBLIC_URL}{path}")


def _path(person: Person) -> str:
    """The path that allauth's page for a forgotten password answers."""
    token = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(person)
    return reverse(
        "account_reset_password_from_key",
        kwargs={"uidb36": user_pk_to_url_str(person), "key": token},
    )
