"""Invitations: the only way to an account.

An invitation is mailed to one address. Its link works once, until it ends, is revoked, or is sent
again: then only the newest link works. The secret in the link is kept nowhere, only its SHA-256.
"""

import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

import audit
from audit.models import Event

from . import factors
from .calendar import company_date, company_zone
from .errors import Refused
from .models import Appointment, Company, Invitation, Person
from .permissions import Act, require
from .telling import Stranger, tell
from .templatetags.speech import moment_words

# So many mails one Administrator sends in a day. A stolen session cannot spread more.
INVITATIONS_A_DAY = 50
_SENT = ("invitation.sent", "invitation.sent_again")
LONGEST_NAME = 120  # of a person, and of what they do
_LONGEST_ADDRESS = 254
_SECRET_BYTES = 32
# Zero-width joiners are letters' own business in Persian and Hindi names.
_JOINERS = "\u200c\u200d"
_MOST_MARKS = 4  # combining marks one after another; more of them hang whatever draws the name


class InvalidInvitee(Refused):
    """A name, job title or address that cannot be used. ``field`` says which."""

    code = "invalid_invitee"

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class AddressHasAccount(Refused):
    """The address belongs to an account already, active or not."""

    code = "address_has_account"


class InvitationIsOpen(Refused):
    """The address has an invitation that was neither accepted nor revoked."""

    code = "invitation_is_open"


class TooManyInvitations(Refused):
    """The Administrator has sent as many as one day allows."""

    code = "too_many_invitations"


class InvitationEnded(Refused):
    """The invitation was accepted or revoked: nothing more is done with it."""

    code = "invitation_ended"


class PasswordTooWeak(Refused):
    """The password does not meet the rules."""

    code = "password_too_weak"


class LinkDead(Refused):
    """The link opens nothing (any more). Its subclasses say why."""

    code = "link_dead"


class LinkUnknown(LinkDead):
    """No invitation has this link: mistyped, made up, or replaced by a newer one."""

    code = "invitation_unknown"


class LinkUsed(LinkDead):
    """The invitation was accepted."""

    code = "invitation_used"


class LinkRevoked(LinkDead):
    """The Administrator took the invitation back."""

    code = "invitation_revoked"


class LinkExpired(LinkDead):
    """The invitation ended unused."""

    code = "invitation_expired"


@dataclass(frozen=True)
class NewPasskey:
    """A passkey whose registration was verified: for the account that will have ``person_id``."""

    person_id: int
    credential: dict[str, Any]  # the browser's answer, as allauth stores it


# --- Inviting ---------------------------------------------------------------------------------


@transaction.atomic
def invite(
    *, name: str, email: str, job_title: str = "", acting_user: Person, at: datetime
) -> tuple[Invitation, str]:
    """Invite somebody to an account; return the invitation and its link, which is kept nowhere.

    Raises ``NotYourOffice``, ``InvalidInvitee``, ``AddressHasAccount``, ``InvitationIsOpen`` or
    ``TooManyInvitations``.
    """
    held = _may_send(acting_user, at=at)
    name, job_title = plain_name("name", name), plain_name("job_title", job_title)
    email = _address(email)
    if not any(letter.isalpha() for letter in name):
        raise InvalidInvitee("name", "Give the person's name, as it should stand on documents.")
    _refuse_where_there_is_an_account(email)
    former = Invitation.objects.open().filter(email=email).first()
    if former is not None:
        raise _open_already(former)
    token = secrets.token_urlsafe(_SECRET_BYTES)
    invitation = Invitation(
        email=email,
        name=name,
        job_title=job_title,
        token_sha256=sha256_of(token),
        invited_by=acting_user,
        invited_by_name=acting_user.name,
        created_at=at,
        sent_at=at,
        expires_at=_end(at),
    )
    try:
        with transaction.atomic():
            invitation.save(force_insert=True)
    except IntegrityError:
        # Somebody else invited the same address a moment ago; anything else must be heard of.
        former = Invitation.objects.open().filter(email=email).first()
        if former is None:
            raise
        raise _open_already(former) from None
    _mail(invitation, token, acting_user=acting_user, at=at)
    _record("invitation.sent", invitation, held, acting_user=acting_user, at=at)
    return invitation, _link(token)


@transaction.atomic
def send_again(
    *, invitation: Invitation, acting_user: Person, at: datetime
) -> tuple[Invitation, str]:
    """Mail an open invitation again, with a new link and a new end: the former link is dead."""
    held = _may_send(acting_user, at=at)
    found = _open_one(invitation)
    _refuse_where_there_is_an_account(found.email)
    token = secrets.token_urlsafe(_SECRET_BYTES)
    found.token_sha256 = sha256_of(token)
    found.sent_at, found.expires_at, found.opened_at = at, _end(at), None
    found.times_sent += 1
    found.save(update_fields=["token_sha256", "sent_at", "expires_at", "opened_at", "times_sent"])
    _mail(found, token, acting_user=acting_user, at=at)
    _record("invitation.sent_again", found, held, acting_user=acting_user, at=at)
    return found, _link(token)


@transaction.atomic
def revoke(*, invitation: Invitation, acting_user: Person, at: datetime) -> Invitation:
    """Take an open invitation back: its link opens nothing any more."""
    held = require(acting_user, Act.INVITE, on=company_date(at))
    found = _open_one(invitation)
    found.revoked_at, found.revoked_by_name = at, acting_user.name
    found.save(update_fields=["revoked_at", "revoked_by_name"])
    _record("invitation.revoked", found, held, acting_user=acting_user, at=at)
    return found


# --- Accepting --------------------------------------------------------------------------------


def sha256_of(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def find(token: str, *, at: datetime) -> Invitation:
    """The invitation that the link's ``token`` opens now; raises a ``LinkDead`` that says why not.

    What is compared is the token's SHA-256: how long that takes tells nothing of the token.
    """
    return find_by_sha256(sha256_of(token), at=at)


def find_by_sha256(token_sha256: str, *, at: datetime) -> Invitation:
    """``find`` for whoever has opened the link before: a session keeps only the SHA-256."""
    invitation = Invitation.objects.filter(token_sha256=token_sha256).first()
    return _usable(invitation, at=at)


def mark_opened(invitation: Invitation, *, at: datetime) -> None:
    """Note once that the link was opened, so that the Administrator knows the mail arrived."""
    Invitation.objects.filter(pk=invitation.pk, opened_at__isnull=True).update(opened_at=at)


@transaction.atomic
def accept(
    *,
    invitation: Invitation,
    password: str = "",
    passkey: NewPasskey | None = None,
    at: datetime,
    ip: str = "",
) -> Person:
    """Make the invited person's account, with a password or a passkey. It works once.

    ``invitation`` is what ``find`` gave: one sent again since then is refused. Raises a
    ``LinkDead``, ``PasswordTooWeak``, ``AddressHasAccount`` or ``factors.NotAPasskey``.
    """
    # The row is the lock: of two who accept at once the second finds it accepted.
    found = (
        Invitation.objects.select_for_update()
        .filter(pk=invitation.pk, token_sha256=invitation.token_sha256)
        .first()
    )
    found = _usable(found, at=at)
    person = Person(
        pk=passkey.person_id if passkey else None,
        email=found.email,
        name=found.name,
        job_title=found.job_title,
        date_joined=at,
    )
    if passkey is None:
        _set_password(person, password, at=at)
    else:
        person.set_unusable_password()
    _refuse_where_there_is_an_account(found.email)
    try:
        with transaction.atomic():
            person.save(force_insert=True)
    except IntegrityError:
        # Single sign-on made the account a moment ago; anything else must be heard of.
        _refuse_where_there_is_an_account(found.email)
        raise
    _accepted(found, person, by="passkey" if passkey else "password", at=at, ip=ip)
    if passkey is not None:
        factors.add_passkey(
            name="", credential=passkey.credential, acting_user=person, at=at, ip=ip
        )
    return person


@transaction.atomic
def accept_by_single_sign_on(*, email: str, at: datetime, ip: str = "") -> Person | None:
    """Make the account of whom the issuer vouches for by ``email``, where they are invited.

    None where no invitation of that address is open. Invited is whoever reads that mailbox, and
    that is what the issuer has verified.
    """
    found = Invitation.objects.select_for_update().open().filter(email__iexact=email).first()
    if found is None or found.expires_at <= at:
        return None
    person = Person(email=found.email, name=found.name, job_title=found.job_title, date_joined=at)
    person.set_unusable_password()
    person.save(force_insert=True)
    _accepted(found, person, by="single_sign_on", at=at, ip=ip)
    return person


def _accepted(found: Invitation, person: Person, *, by: str, at: datetime, ip: str) -> None:
    """Close the invitation, tell who sent it, and record how ``person`` will sign in."""
    found.accepted_at, found.person = at, person
    found.save(update_fields=["accepted_at", "person"])
    tell(
        found.invited_by,
        kind="invitation-accepted",
        key=f"invitation-{found.pk}:accepted",
        subject=f"{person.name} accepted your invitation",
        paragraphs=[
            f"{person.name} has an account now, and reads what is in force.",
            "An Office comes by an appointment only.",
        ],
        action_label="See the account",
        action_path=reverse("people:person_account", args=[person.pk]),
        reason="You are told because you invited them.",
        at=at,
    )
    audit.record(
        "invitation.accepted",
        at=at,
        actor=person,
        object_type="invitation",
        object_id=str(found.pk),
        ip=ip,
        data={"person_id": person.pk, "with": by},
        personal_text=found.email,
    )


def reserve_person_id() -> int:
    """Take the next id of a Person out of the sequence: nobody else will get it.

    A passkey names the account that it opens, and is made in the browser before there is one. The
    account is made only once the passkey was verified; an id never used is a harmless gap.
    """
    table = Person._meta.db_table
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [table])
        else:
            cursor.execute("UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = %s", [table])
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        return int(cursor.fetchone()[0])


# --- What the verbs share ---------------------------------------------------------------------


def _may_send(acting_user: Person, *, at: datetime) -> list[Appointment]:
    held = require(acting_user, Act.INVITE, on=company_date(at))
    sent = Event.objects.filter(
        event__in=_SENT, actor_id=acting_user.pk, at__gt=at - timedelta(days=1)
    ).count()
    if sent >= INVITATIONS_A_DAY:
        raise TooManyInvitations(
            f"You have sent {INVITATIONS_A_DAY} invitations within a day, and more are not sent. "
            "Go on tomorrow."
        )
    return held


def plain_name(field: str, text: str) -> str:
    """``text`` on one line; ``InvalidInvitee`` where it could read otherwise than it looks."""
    text = unicodedata.normalize("NFC", " ".join(text.split()))
    words = field.replace("_", " ")
    if len(text) > LONGEST_NAME:
        raise InvalidInvitee(field, f"Shorten the {words} to {LONGEST_NAME} characters.")
    if any(
        unicodedata.category(letter).startswith("C") and letter not in _JOINERS for letter in text
    ):
        raise InvalidInvitee(field, f"The {words} holds an invisible character. Type it anew.")
    marks = "".join("m" if unicodedata.combining(letter) else " " for letter in text)
    if "m" * (_MOST_MARKS + 1) in marks:
        raise InvalidInvitee(field, f"The {words} heaps marks on a letter. Type it anew.")
    return text


def _address(email: str) -> str:
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise InvalidInvitee("email", "Give a whole e-mail address: name@company.com.") from None
    if not email.isascii():
        # Other letters look alike, and some databases take them for the same.
        raise InvalidInvitee(
            "email",
            "Give the address in the letters a to z. A domain of other letters has a form that "
            "begins with xn--.",
        )
    if len(email) > _LONGEST_ADDRESS:
        raise InvalidInvitee("email", "That e-mail address is longer than any can be.")
    return email


def _refuse_where_there_is_an_account(email: str) -> None:
    person = Person.objects.filter(email__iexact=email).first()
    if person is None:
        return
    if person.is_active:
        raise AddressHasAccount(f"{email} has an account already: {person.name}.")
    raise AddressHasAccount(
        f"{email} belongs to the deactivated account of {person.name}. Reactivate that account "
        "instead."
    )


def _open_already(former: Invitation) -> InvitationIsOpen:
    return InvitationIsOpen(
        f"{former.name} ({former.email}) has an open invitation. Send that one again."
    )


def _open_one(invitation: Invitation) -> Invitation:
    """The invitation, locked; refused when nothing more can be done with it."""
    found = Invitation.objects.select_for_update().get(pk=invitation.pk)
    if found.accepted_at is not None:
        raise InvitationEnded(
            f"{found.name} has accepted this invitation. To close the account, deactivate it."
        )
    if found.revoked_at is not None:
        raise InvitationEnded(
            f"{found.revoked_by_name} has revoked this invitation. Invite {found.name} anew."
        )
    return found


def _usable(invitation: Invitation | None, *, at: datetime) -> Invitation:
    if invitation is None:
        raise LinkUnknown(
            "No invitation has this link. If you were mailed more than once, only the newest mail "
            "works. If not, ask your company’s Administrator."
        )
    if invitation.accepted_at is not None:
        raise LinkUsed("This invitation was used: the account is there, and you can sign in.")
    who = invitation.invited_by_name
    if invitation.revoked_at is not None:
        raise LinkRevoked(f"This invitation was revoked. Ask {who} if you still need an account.")
    if invitation.expires_at <= at:
        raise LinkExpired(
            f"This invitation ended on {_moment(invitation.expires_at)}. Ask {who} to send it "
            "again."
        )
    return invitation


def _set_password(person: Person, password: str, *, at: datetime) -> None:
    try:
        validate_password(password, user=person)
    except ValidationError as error:
        raise PasswordTooWeak(" ".join(error.messages)) from None
    person.set_password(password)
    person.password_changed_at = at


def _end(at: datetime) -> datetime:
    return at + timedelta(days=settings.INVITATION_DAYS)


def _link(token: str) -> str:
    return f"{settings.PUBLIC_URL}{reverse('people:invitation_link', args=[token])}"


def _moment(at: datetime) -> str:
    """``at`` where the company is: nobody knows the zone of somebody without an account."""
    with timezone.override(company_zone()):
        return moment_words(at)


def _mail(invitation: Invitation, token: str, *, acting_user: Person, at: datetime) -> None:
    company = Company.objects.first()
    whose = f"{company.name}'s boundary registry" if company else "the boundary registry"
    tell(
        Stranger(invitation.name, invitation.email),
        kind="invitation",
        key=f"invitation-{invitation.pk}:{invitation.times_sent}",
        subject=f"{acting_user.name} invites you to {whose}",
        paragraphs=[
            (
                f"{acting_user.name} invites you to {whose}. It says which Office owns which "
                "function of revenue operations, and keeps what the executives signed."
            ),
            (
                "The button opens a page where you choose a password or a passkey. It works once, "
                f"until {_moment(invitation.expires_at)}, and is for you alone."
            ),
        ],
        action_label="Accept the invitation",
        action_path=reverse("people:invitation_link", args=[token]),
        closing=["Not for you? Then do nothing: without you there is no account."],
        reason=f"{acting_user.name} gave this address for {invitation.name}.",
        sensitive=True,
        at=at,
    )


def _record(
    event: str,
    invitation: Invitation,
    held: list[Appointment],
    *,
    acting_user: Person,
    at: datetime,
) -> None:
    audit.record(
        event,
        at=at,
        actor=acting_user,
        office=held[0].office.key,
        appointment_id=held[0].pk,
        object_type="invitation",
        object_id=str(invitation.pk),
        data={"times_sent": invitation.times_sent},
        personal_text=invitation.email,
    )
