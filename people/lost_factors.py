"""Somebody lost every second factor and all recovery codes: the Administrator lets them begin anew.

What is left is the password, or a link that sets one: mailed by "Forgotten password", or handed
over by the Administrator (``password_links``). Whoever needs a second factor is led to add one
right after signing in.
"""

from datetime import datetime

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction
from django.urls import reverse

from . import account_events, sessions
from .accounts import given_reason
from .calendar import company_date
from .errors import Refused
from .factors import FACTORS, NoSuchFactor, has_first_step
from .models import Person
from .permissions import Act, require
from .telling import tell


class OwnFactors(Refused):
    """One's own are removed on the page of the own account, which asks who one is."""

    code = "own_factors"


@transaction.atomic
def remove_lost(*, person: Person, reason: str, acting_user: Person, at: datetime) -> Person:
    """Remove all second factors and recovery codes of ``person``, and end their sessions.

    What was lost may be in other hands by now: nothing that it opened stays open. Raises
    ``OwnFactors``, ``NoSuchFactor``, ``accounts.ReasonMissing`` or ``NotYourOffice``.
    """
    held = require(acting_user, Act.MANAGE_ACCOUNTS, on=company_date(at))
    if person.human_id == acting_user.human_id:
        raise OwnFactors(
            "You cannot do that for yourself. Remove a factor on the page of your account, or "
            "ask another Administrator."
        )
    reason = given_reason(reason)
    found = Person.objects.select_for_update(no_key=True).get(pk=person.pk)
    of_the_person = Authenticator.objects.filter(user=found)
    removed = of_the_person.filter(type__in=FACTORS).count()
    if not removed:
        raise NoSuchFactor(f"{found.name} has no second factor.")
    of_the_person.delete()
    ended = sessions.end_all(found)
    event = account_events.record(
        "factor.reset",
        found,
        actor=acting_user,
        held=held,
        at=at,
        data={"factors": removed, "sessions": ended},
        personal_text=reason,
    )
    tell(
        found,
        kind="factor-reset",
        key=f"factor-reset:{event.sequence}",
        subject="Your second factors were removed",
        paragraphs=[
            f"{acting_user.name} has removed your passkeys, code generator and recovery codes.",
            (
                "You are signed out everywhere. Sign in with your password, or ask for a new one."
                if has_first_step(found)
                else f"You are signed out everywhere, and have no password: ask {acting_user.name} "
                "for a link that sets one."
            ),
            "Then add a passkey or a code generator.",
        ],
        closing=[f"If you did not ask for that, tell {acting_user.name} at once."],
        action_label="Sign in",
        action_path=reverse(settings.LOGIN_URL),
        reason="It is your account.",
        at=at,
    )
    return found
