"""The verbs on accounts: closing and opening them, and linking those of one human being.

An account with a past here is never deleted. Deactivating ends at once what it had open;
reactivating brings none of that back.
"""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.urls import reverse

from audit.leaf import JSON

from . import account_events, sessions
from .calendar import company_date
from .errors import Refused
from .models import Appointment, Office, Person
from .offices import ADMINISTRATOR
from .permissions import Act, require
from .signals import person_deactivated
from .telling import Stranger, tell

LONGEST_REASON = 500


class OwnAccount(Refused):
    """Nobody does this to their own account."""

    code = "own_account"


class LastAdministrator(Refused):
    """Without this person nobody would administer the registry."""

    code = "last_administrator"


class AlreadyDeactivated(Refused):
    """The account is deactivated already."""

    code = "already_deactivated"


class NotDeactivated(Refused):
    """The account is active already."""

    code = "not_deactivated"


class AlreadyLinked(Refused):
    """Both accounts count as one person already, or are the same account."""

    code = "already_linked"


class NotLinked(Refused):
    """The account is linked to no other."""

    code = "not_linked"


class ReasonMissing(Refused):
    """The act needs a reason that fits into the record."""

    code = "reason_missing"


# --- Closing and opening ----------------------------------------------------------------------


@transaction.atomic
def deactivate(*, person: Person, reason: str, acting_user: Person, at: datetime) -> Person:
    """Close the account: its sessions, tokens and begun signatures end in this transaction.

    Its Offices stay recorded and are vacant until somebody acts for them. Raises ``OwnAccount``,
    ``LastAdministrator``, ``AlreadyDeactivated``, ``ReasonMissing`` or ``NotYourOffice``.
    """
    held = require(acting_user, Act.MANAGE_ACCOUNTS, on=company_date(at))
    reason = given_reason(reason)
    # The Office is a lock too: two Administrators cannot close each other's account at once.
    Office.objects.select_for_update().filter(key=ADMINISTRATOR).first()
    found = Person.objects.select_for_update(no_key=True).get(pk=person.pk)
    if found.pk == acting_user.pk:
        raise OwnAccount(
            "You cannot deactivate your own account. Another Administrator has to do it."
        )
    if not found.is_active:
        raise AlreadyDeactivated(f"The account of {found.name} is deactivated already.")
    _refuse_the_last_administrator(found, at=at)
    # Told before, as a stranger: whoever is deactivated gets no further mail.
    tell(
        Stranger(found.name, found.email),
        kind="account-deactivated",
        key=f"person-{found.pk}:deactivated:{at.isoformat()}",
        subject="Your account of the boundary registry was deactivated",
        paragraphs=[
            f"{acting_user.name} has deactivated your account.",
            "You are signed out everywhere, and cannot sign in. What you signed stays valid.",
        ],
        closing=[f"If that is a mistake, ask {acting_user.name}."],
        reason="You are told because it was your account.",
        at=at,
    )
    found.is_active, found.deactivated_at, found.deactivated_by = False, at, acting_user
    found.save(update_fields=["is_active", "deactivated_at", "deactivated_by"])
    ended = {"sessions": sessions.end_all(found), "tokens": sessions.end_tokens(found)}
    person_deactivated.send(sender=Person, person=found, at=at)
    account_events.record(
        "person.deactivated",
        found,
        actor=acting_user,
        held=held,
        at=at,
        data=ended,
        personal_text=reason,
    )
    return found


@transaction.atomic
def reactivate(*, person: Person, reason: str, acting_user: Person, at: datetime) -> Person:
    """Open the account again. Sessions, tokens and begun signatures do not come back.

    Also none that was begun just when the account was closed.
    """
    held = require(acting_user, Act.MANAGE_ACCOUNTS, on=company_date(at))
    reason = given_reason(reason)
    found = Person.objects.select_for_update(no_key=True).get(pk=person.pk)
    if found.is_active:
        raise NotDeactivated(f"The account of {found.name} is active.")
    found.is_active, found.deactivated_at, found.deactivated_by = True, None, None
    found.save(update_fields=["is_active", "deactivated_at", "deactivated_by"])
    sessions.end_all(found)
    sessions.end_tokens(found)
    tell(
        found,
        kind="account-reactivated",
        key=f"person-{found.pk}:reactivated:{at.isoformat()}",
        subject="Your account of the boundary registry is active again",
        paragraphs=[
            (
                f"{acting_user.name} has reactivated your account. Sign in with the password or "
                "passkey you had. Tokens for the API did not come back."
            )
        ],
        action_label="Sign in",
        action_path=reverse(settings.LOGIN_URL),
        reason="You are told because it is your account.",
        at=at,
    )
    account_events.record(
        "person.reactivated",
        found,
        actor=acting_user,
        held=held,
        at=at,
        personal_text=reason,
    )
    return found


# --- Linking ----------------------------------------------------------------------------------


@transaction.atomic
def link(*, person: Person, to: Person, reason: str, acting_user: Person, at: datetime) -> Person:
    """Say that two accounts belong to one human being, who then signs and approves as one.

    All accounts linked to ``person`` come along. ``to`` leads them, or whoever led it before.
    Raises ``AlreadyLinked``, ``ReasonMissing`` or ``NotYourOffice``.
    """
    held = require(acting_user, Act.MANAGE_ACCOUNTS, on=company_date(at))
    reason = given_reason(reason)
    person, to = _locked(person, to)
    if person.pk == to.pk:
        raise AlreadyLinked("Choose another account: one account needs no link to itself.")
    if person.human_id == to.human_id:
        raise AlreadyLinked(f"{person.name} and {to.name} count as one person already.")
    leading = to.human_id
    moved = Person.objects.filter(Q(pk=person.human_id) | Q(same_person_as=person.human_id))
    moved.update(same_person_as=leading)
    person.refresh_from_db()
    for one, other in ((person, to), (to, person)):
        _tell_linking(
            one,
            f"{acting_user.name} has recorded that your account and {_named(other)} belong to "
            "one person. Together they sign, confirm and approve once.",
            event="linked",
            acting_user=acting_user,
            at=at,
        )
    data = {"to_person_id": to.pk, "human_id": leading}
    account_events.record(
        "person.linked",
        person,
        actor=acting_user,
        held=held,
        at=at,
        data=data,
        personal_text=reason,
    )
    return person


@transaction.atomic
def unlink(*, person: Person, reason: str, acting_user: Person, at: datetime) -> Person:
    """Say that the account belongs to a human being of its own; the others stay linked.

    Nobody unlinks an account of their own: it would let them count twice. Raises ``OwnAccount``,
    ``NotLinked``, ``ReasonMissing`` or ``NotYourOffice``.
    """
    held = require(acting_user, Act.MANAGE_ACCOUNTS, on=company_date(at))
    reason = given_reason(reason)
    (person,) = _locked(person)
    if person.human_id == acting_user.human_id:
        raise OwnAccount(
            "You cannot unlink an account of your own. Another Administrator has to do it."
        )
    rest = list(
        Person.objects.filter(Q(pk=person.human_id) | Q(same_person_as=person.human_id))
        .exclude(pk=person.pk)
        .order_by("pk")
    )
    if not rest:
        raise NotLinked(f"{person.name} ({person.email}) is linked to no other account.")
    former = person.human_id
    if person.same_person_as_id is None:
        # It led the others: the oldest of them does so now.
        leading = rest[0]
        Person.objects.filter(pk=leading.pk).update(same_person_as=None)
        Person.objects.filter(pk__in=[one.pk for one in rest[1:]]).update(same_person_as=leading)
    person.same_person_as = None
    person.save(update_fields=["same_person_as"])
    for one, other in ((person, rest[0]), (rest[0], person)):
        _tell_linking(
            one,
            f"{acting_user.name} has recorded that your account and {_named(other)} belong to "
            "two people. Each signs, confirms and approves for itself.",
            event="unlinked",
            acting_user=acting_user,
            at=at,
        )
    data: dict[str, JSON] = {"former_human_id": former, "from_person_ids": [one.pk for one in rest]}
    account_events.record(
        "person.unlinked",
        person,
        actor=acting_user,
        held=held,
        at=at,
        data=data,
        personal_text=reason,
    )
    return person


# --- What the verbs share ---------------------------------------------------------------------


def given_reason(reason: str) -> str:
    """``reason`` as it is kept; raises ``ReasonMissing`` where it says nothing or too much."""
    reason = reason.strip()
    if not reason:
        raise ReasonMissing("Give a reason. It stays in the record of security events.")
    if len(reason) > LONGEST_REASON:
        raise ReasonMissing(f"Shorten the reason to {LONGEST_REASON} characters.")
    return reason


def _refuse_the_last_administrator(person: Person, *, at: datetime) -> None:
    """A stand-in ends by itself: only holders count."""
    holders = Appointment.objects.on(company_date(at)).filter(
        office__key=ADMINISTRATOR, acting=False
    )
    if not holders.filter(person=person).exists():
        return
    if not holders.filter(person__is_active=True).exclude(person=person).exists():
        raise LastAdministrator(
            f"{person.name} is the only holder of the Administrator's Office. Have a successor "
            "recorded first."
        )


def _locked(*people: Person) -> list[Person]:
    """The accounts as they are now, locked with all that they are linked to; in the order given.

    Locked in the order of their ids, so that two links at once never wait for each other.
    """
    asked = [one.pk for one in people]
    humans = {
        one.human_id for one in Person.objects.filter(pk__in=asked).only("pk", "same_person_as")
    }
    locked = Person.objects.select_for_update(no_key=True).filter(
        Q(pk__in=[*asked, *humans]) | Q(same_person_as__in=humans)
    )
    found = {one.pk: one for one in locked.order_by("pk")}
    return [found[key] for key in asked]


def _named(person: Person) -> str:
    return f"the account of {person.name} ({person.email})"


def _tell_linking(
    person: Person, sentence: str, *, event: str, acting_user: Person, at: datetime
) -> None:
    tell(
        person,
        kind=f"account-{event}",
        key=f"person-{person.pk}:{event}:{at.isoformat()}",
        subject=f"Your account was {event}",
        paragraphs=[sentence],
        closing=[f"If that is wrong, ask {acting_user.name}."],
        reason="You are told because it is your account.",
        at=at,
    )
