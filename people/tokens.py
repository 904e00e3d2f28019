"""Tokens of the API: what somebody's programs read with. They never agree, sign or approve."""

from datetime import datetime

from django.db import transaction
from knox.models import AuthToken

import audit

from .errors import Refused
from .models import Person


class NoSuchToken(Refused):
    """The person has no such token (any more)."""

    code = "no_such_token"


def tokens_of(person: Person, *, at: datetime) -> list[AuthToken]:
    """The tokens of ``person`` that still work, the newest first."""
    found = AuthToken.objects.filter(user=person).order_by("-created", "pk")
    return [one for one in found if one.expiry is None or one.expiry > at]


@transaction.atomic
def revoke_token(*, digest: str, acting_user: Person, at: datetime, ip: str = "") -> str:
    """End one of one's own tokens at once; returns the beginning by which it is known."""
    own = AuthToken.objects.select_for_update().filter(user=acting_user)
    # Compared here: what a form sends may be no text that a database takes.
    token = next((one for one in own if one.digest == digest), None)
    if token is None:
        raise NoSuchToken("That token has ended already.")
    known_as: str = token.token_key
    token.delete()
    audit.record(
        "token.revoked",
        at=at,
        actor=acting_user,
        object_type="token",
        object_id=known_as,
        ip=ip,
    )
    return known_as
