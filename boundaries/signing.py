"""The ceremony: open the exact bytes, state the meaning, prove who you are, sign once.

An *intent* is a single-use permission of five minutes, bound to person, session, appointments,
Revision, content hash and meaning. ``workflow.cosign`` and ``workflow.approve`` consume it in the
transaction that writes the Signature.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils.crypto import constant_time_compare

import audit
from people import step_up
from people.calendar import company_date
from people.models import Appointment, Person
from people.offices import office_short
from people.permissions import Act, entitling_appointments, require
from sealing.fonts import undrawable

from .consent import CURRENT, consent_sha256
from .content import utc_text
from .errors import (
    ContentChanged,
    IntentNotValid,
    InvalidText,
    MeaningNotAccepted,
    NotASeparatePerson,
    NotConfirmed,
    NotRead,
    SigningCopyNotReady,
    TransitionNotAllowed,
)
from .locking import locked_revision
from .models import Freeze, Reading, Revision, SigningIntent
from .opening import opened_by
from .parties import parties_of, refuse_what_nobody_can_sign, require_party
from .proof import PasskeyAnswer, by_passkey, by_password, by_single_sign_on, require_a_way
from .states import TRANSITIONS, Role, Verb

INTENT_LIVES = timedelta(minutes=5)
MAX_ATTEMPTS = 5
# And over all intents of a person: whoever took over a session does not get to guess on.
MAX_FAILED = 10
FAILED_COUNT_FOR = timedelta(hours=1)
# What fits, whole, beside a signature with a meaning and a name of usual length.
MAX_RESERVATION = 400
FEWEST_COSIGNERS = 2  # human beings, not accounts

ACT_OF_ROLE = {Role.COSIGNER: Act.SIGN, Role.APPROVER: Act.APPROVE}
VERB_OF_ROLE = {Role.COSIGNER: Verb.COSIGN, Role.APPROVER: Verb.APPROVE}


def meaning_of(role: Role, appointments: Sequence[Appointment]) -> str:
    """The sentence a signature stands for, with every Office it is given for."""
    offices = " and ".join(
        f"the Office of the {one.office.short}" + (" (acting)" if one.acting else "")
        for one in appointments
    )
    if role == Role.APPROVER:
        return f"I approve this boundary on behalf of {offices}."
    return (
        f"I agree to every row and article on behalf of {offices}, and will run its functions "
        "within these lines."
    )


def signing_appointments(
    revision: Revision, role: Role, person: Person, *, at: datetime
) -> list[Appointment]:
    """For which Offices ``person`` still owes a signature on ``revision`` (may be none)."""
    held = entitling_appointments(person, ACT_OF_ROLE[role], on=company_date(at))
    signed = set(
        revision.signatures.filter(voided_at__isnull=True, role=role).values_list(
            "office", flat=True
        )
    )
    if role == Role.COSIGNER:
        parties = parties_of(revision)
        held = [one for one in held if one.office.key in parties]
    return [one for one in held if one.office.key not in signed]


def refuse_own_approval(revision: Revision, person: Person) -> None:
    """Who co-signed does not approve, and what one human being alone co-signed nobody does.

    In whichever accounts and Offices; accounts may have been linked since they signed.
    """
    signed = revision.signatures.filter(voided_at__isnull=True, role=Role.COSIGNER)
    cosigners = {one.person.human_id for one in signed.select_related("person")}
    if person.human_id in cosigners:
        raise NotASeparatePerson(
            f"You co-signed {revision.reference}, so you cannot approve it as well. Have the "
            "Corporate Secretary name another person Acting CEO. Nothing was signed."
        )
    if len(cosigners) < FEWEST_COSIGNERS:
        raise NotASeparatePerson(
            f"One person alone co-signed {revision.reference}: the accounts are linked. Return it, "
            "and have the Corporate Secretary name another person Acting. Nothing was signed."
        )


def session_sha256(session_key: str) -> str:
    """What is kept of a session: enough to compare, nothing to take over."""
    return hashlib.sha256(f"signing session:{session_key}".encode()).hexdigest()


@transaction.atomic
def record_reading(
    *, freeze: Freeze, page: int = 0, pages: int = 0, acting_user: Person, at: datetime
) -> Reading:
    """A person opens the exact bytes to be signed; the first time is kept as evidence.

    ``page`` (of ``pages``) for the image of one page; 0 for the PDF itself.
    """
    locked_revision(freeze.revision)
    freeze = Freeze.objects.select_related("revision__document").get(pk=freeze.pk)
    held = require(acting_user, Act.READ_DRAFT, on=company_date(at))
    if not freeze.signing_copy_sha256:
        raise SigningCopyNotReady(
            "The signing copy is still being made. It takes a few seconds; reload the page."
        )
    reading, first = Reading.objects.get_or_create(
        freeze=freeze,
        person=acting_user,
        page=page,
        defaults={
            "file_sha256": freeze.signing_copy_sha256,
            "pages": pages,
            "opened_at": at,
        },
    )
    if first:
        audit.record(
            "signing_copy.opened",
            at=at,
            actor=acting_user,
            office=held[0].office.key if held else "",
            appointment_id=held[0].pk if held else None,
            object_type="freeze",
            object_id=str(freeze.pk),
            object_version=freeze.revision.reference,
            object_sha256=freeze.signing_copy_sha256,
            data={"opened": "page", "page": page, "pages": pages} if page else {"opened": "pdf"},
        )
    return reading


def refuse_unread(freeze: Freeze, person: Person) -> None:
    """Refuse who has not opened all of the signing copy, and say what is missing."""
    opened = opened_by(person, freeze)
    if opened.whole:
        return
    if opened.missing:
        raise NotRead(
            f"Look at every page first, or open the PDF: {missing_words(opened.missing)} not "
            "opened yet. Nothing was signed."
        )
    raise NotRead(
        "Open the exact text first: look at every page, or open the PDF at step 1. Nothing was "
        "signed."
    )


def missing_words(numbers: Sequence[int]) -> str:
    """ "page 3 was", "pages 3, 4 and 7 were": the pages of a copy, before "not opened"."""
    if len(numbers) == 1:
        return f"page {numbers[0]} was"
    first = ", ".join(str(one) for one in numbers[:-1])
    return f"pages {first} and {numbers[-1]} were"


@transaction.atomic
def open_intent(
    *,
    revision: Revision,
    role: Role,
    meaning_accepted: bool,
    conflict_declared: str = "",
    reservation: str = "",
    session_key: str,
    acting_user: Person,
    at: datetime,
    renews: SigningIntent | None = None,
) -> SigningIntent:
    """Begin to sign: bind person, session, Offices, text and meaning for five minutes.

    ``renews`` is the intent that this one takes the place of: its meaning must still be the same.
    """
    revision = locked_revision(revision)
    if revision.state not in TRANSITIONS[VERB_OF_ROLE[role]]:
        raise TransitionNotAllowed(revision, VERB_OF_ROLE[role])
    if role == Role.APPROVER:
        require(acting_user, Act.APPROVE, on=company_date(at))
        refuse_own_approval(revision, acting_user)
    else:
        parties = parties_of(revision)
        require_party(revision, acting_user, Act.SIGN, at=at, parties=parties)
        refuse_what_nobody_can_sign(revision, parties=parties)
    appointments = signing_appointments(revision, role, acting_user, at=at)
    if not appointments:
        raise IntentNotValid(f"You have signed {revision.reference} already.")
    freeze = revision.freezes.get(voided_at__isnull=True)
    if not freeze.signing_copy_sha256:
        raise SigningCopyNotReady(
            "The signing copy is still being made. It takes a few seconds; reload the page."
        )
    refuse_unread(freeze, acting_user)
    meaning = meaning_of(role, appointments)
    if renews is not None and (renews.meaning, renews.freeze_id, renews.consent_version) != (
        meaning,
        freeze.pk,
        CURRENT.version,
    ):
        raise IntentNotValid(
            "What you would sign changed since you began. Begin again; nothing was signed."
        )
    if not meaning_accepted:
        raise MeaningNotAccepted("Tick what signing means before you go on. Nothing was signed.")
    # Both are printed beside the signature: what cannot be would keep the PDF waiting for ever.
    if len(reservation.strip()) > MAX_RESERVATION:
        raise InvalidText(
            f"Shorten the reservation to {MAX_RESERVATION} characters: it is printed beside your "
            "signature. Nothing was signed."
        )
    strange = undrawable(f"{acting_user.name} {reservation}")
    if strange:
        raise InvalidText(
            f"The document's fonts cannot draw: {' '.join(strange[:5])}. Write your name and "
            "reservation in other characters. Nothing was signed."
        )
    require_a_way(acting_user, on=company_date(at))
    _refuse_guessing(acting_user, at=at)
    intent = SigningIntent.objects.create(
        freeze=freeze,
        role=role,
        person=acting_user,
        appointment_ids=[one.pk for one in appointments],
        session_sha256=session_sha256(session_key),
        content_sha256=freeze.content_sha256,
        signing_copy_sha256=freeze.signing_copy_sha256,
        meaning=meaning,
        consent_version=CURRENT.version,
        conflict_declared=conflict_declared.strip(),
        reservation=reservation.strip(),
        nonce=secrets.token_hex(32),
        created_at=at,
        expires_at=at + INTENT_LIVES,
    )
    audit.record(
        "signing.begun",
        at=at,
        actor=acting_user,
        office=appointments[0].office.key,
        appointment_id=appointments[0].pk,
        object_type="intent",
        object_id=str(intent.pk),
        object_version=revision.reference,
        object_sha256=freeze.content_sha256,
        data={"renews": str(renews.pk)} if renews else {},
    )
    return intent


@transaction.atomic
def renew_intent(
    *, intent: SigningIntent, session_key: str, acting_user: Person, at: datetime
) -> SigningIntent:
    """Another five minutes for a ceremony that was begun, its words kept; confirming starts anew.

    The old intent ends. Also when its time is over, as long as nothing it was bound to changed.
    """
    locked_revision(intent.freeze.revision)
    person, intent = _locked(intent, acting_user)
    _check_whose(intent, session_key=session_key, person=person)
    if over := why_ended(intent):
        raise IntentNotValid(over)
    intent.revoked_at, intent.revoked_because = at, "You took another five minutes."
    intent.save(update_fields=["revoked_at", "revoked_because"])
    return open_intent(
        revision=intent.freeze.revision,
        role=Role(intent.role),
        meaning_accepted=True,
        conflict_declared=intent.conflict_declared,
        reservation=intent.reservation,
        session_key=session_key,
        acting_user=acting_user,
        at=at,
        renews=intent,
    )


def _refuse_guessing(person: Person, *, at: datetime) -> None:
    """Refuse a person's every signing for an hour after too many failed confirmations."""
    failed = SigningIntent.objects.filter(
        person=person, created_at__gt=at - FAILED_COUNT_FOR
    ).aggregate(count=Sum("failed_attempts"))["count"]
    if (failed or 0) >= MAX_FAILED:
        raise IntentNotValid(
            "Too many failed confirmations in the last hour. Wait before you begin again; change "
            "your password if it was not you. Nothing was signed."
        )


def authenticate(
    *,
    intent: SigningIntent,
    password: str = "",
    code: str = "",
    passkey: PasskeyAnswer | None = None,
    single_sign_on: step_up.Answer | str | None = None,
    session_key: str,
    acting_user: Person,
    at: datetime,
) -> SigningIntent:
    """Prove, inside the ceremony, that it is still the same person, by what they have.

    A passkey where one is given, or the issuer's answer (a sentence says why there is none that
    counts); otherwise the password, with the code of the code generator
    unless ``proof.ways_of`` lets the password do alone. A failed try is counted and logged; after
    five the intent is dead. Raises ``NotConfirmed``, ``FactorMissing`` or ``IntentNotValid``;
    either way nothing is signed.
    """
    # The count must stay when the refusal is raised: the refusal comes after the transaction.
    with transaction.atomic():
        person, intent = _locked(intent, acting_user)
        _check_bound(intent, session_key=session_key, person=person, at=at)
        # Asked here too: intents opened ahead of the guessing would each give five tries more.
        _refuse_guessing(person, at=at)
        if passkey is not None:
            attempt = by_passkey(intent, passkey, at=at)
        elif single_sign_on is not None:
            if not require_a_way(person, on=company_date(at)).single_sign_on:
                raise NotConfirmed("Single sign-on does not sign for you here. Nothing was signed.")
            attempt = by_single_sign_on(intent, person, single_sign_on, at=at)
        else:
            ways = require_a_way(person, on=company_date(at))
            if not (ways.code or ways.password_only):
                raise NotConfirmed("Confirm with your passkey. Nothing was signed.")
            attempt = by_password(person, password=password, code=code, ways=ways, at=at)
        if attempt.refusal:
            intent.failed_attempts += 1
            intent.save(update_fields=["failed_attempts"])
        else:
            intent.authenticated_at, intent.method = at, attempt.method
            intent.proof = dict(attempt.proof)
            intent.save(update_fields=["authenticated_at", "method", "proof"])
        audit.record(
            "signing.authentication_failed" if attempt.refusal else "signing.authenticated",
            at=at,
            actor=person,
            object_type="intent",
            object_id=str(intent.pk),
            object_version=intent.freeze.revision.reference,
            data={"method": attempt.method, "failed_attempts": intent.failed_attempts},
        )
    if attempt.refusal:
        left = MAX_ATTEMPTS - intent.failed_attempts
        if left <= 0:
            raise IntentNotValid(
                f"{attempt.refusal} That was the fifth failed try. Begin the signing again. "
                "Nothing was signed."
            )
        tries = "1 try is" if left == 1 else f"{left} tries are"
        raise NotConfirmed(f"{attempt.refusal} {tries} left. Nothing was signed.")
    return intent


def _locked(intent: SigningIntent, acting_user: Person) -> tuple[Person, SigningIntent]:
    """Re-read who signs, then the intent, under locks: a deactivation takes them in that order."""
    person = Person.objects.select_for_update(no_key=True).get(pk=acting_user.pk)
    intent = (
        SigningIntent.objects.select_for_update(of=("self",))
        .select_related("freeze__revision__document")
        .get(pk=intent.pk)
    )
    return person, intent


def _check_bound(intent: SigningIntent, *, session_key: str, person: Person, at: datetime) -> None:
    """Refuse an intent that is another's, ended, used up, expired or worn out."""
    _check_whose(intent, session_key=session_key, person=person)
    if over := why_over(intent, at=at):
        raise IntentNotValid(over)


def _check_whose(intent: SigningIntent, *, session_key: str, person: Person) -> None:
    if not person.is_active:
        raise IntentNotValid("This account was closed. Nothing was signed.")
    if intent.person_id != person.pk or not constant_time_compare(
        intent.session_sha256, session_sha256(session_key)
    ):
        raise IntentNotValid(
            "This signing was begun by somebody else or in another browser session. Begin again."
        )


def why_ended(intent: SigningIntent) -> str:
    """Why no time helps this intent any more, as a sentence; "" while it might."""
    if intent.consumed_at is not None:
        return "This signing was finished already. Nothing was signed twice."
    if intent.revoked_at is not None:
        return f"{intent.revoked_because} Begin again; nothing was signed."
    if intent.failed_attempts >= MAX_ATTEMPTS:
        return "Too many failed tries. Begin the signing again."
    return ""


def why_over(intent: SigningIntent, *, at: datetime) -> str:
    """Why nothing can be signed with this intent any more, as a sentence; "" while it can."""
    if ended := why_ended(intent):
        return ended
    if at >= intent.expires_at:
        return "The five minutes to sign are over. Begin again; nothing was signed."
    return ""


# --- Ending what was begun --------------------------------------------------------------------


def revoke_open_intents(person: Person, *, because: str, at: datetime) -> int:
    """End every ceremony that ``person`` has begun and not finished; returns how many.

    Part of the transaction that changes who the person is or may be: it has the audit event.
    """
    return SigningIntent.objects.filter(
        person=person, consumed_at__isnull=True, revoked_at__isnull=True, expires_at__gt=at
    ).update(revoked_at=at, revoked_because=because)


def end_with_the_account(*, person: Person, at: datetime, **_: object) -> None:
    """Hear ``people.signals.person_deactivated``."""
    revoke_open_intents(person, because="This account was closed.", at=at)


def end_with_the_appointment(*, appointment: Appointment, at: datetime, **_: object) -> None:
    """Hear ``people.signals.appointment_changed``: who signs must know as what."""
    revoke_open_intents(
        appointment.person, because="Your Offices changed since you began to sign.", at=at
    )


def consume(
    *,
    intent: SigningIntent,
    frozen: Freeze,
    role: Role,
    appointments: Sequence[Appointment],
    session_key: str,
    acting_user: Person,
    at: datetime,
) -> dict[str, Any]:
    """Use up an authenticated intent, in the caller's transaction; returns the evidence.

    Everything it was bound to is checked again under the lock. Raises ``ContentChanged`` when
    the text is no longer what was opened, ``IntentNotValid`` for anything else.
    """
    person, intent = _locked(intent, acting_user)
    _check_bound(intent, session_key=session_key, person=person, at=at)
    if intent.freeze_id != frozen.pk or (
        intent.content_sha256,
        intent.signing_copy_sha256,
    ) != (frozen.content_sha256, frozen.signing_copy_sha256):
        raise ContentChanged(
            "The text was frozen anew after you opened it. Read it again; nothing was signed."
        )
    if intent.role != role:
        raise IntentNotValid("This signing was begun for another act. Begin again.")
    if intent.appointment_ids != [one.pk for one in appointments]:
        raise IntentNotValid(
            "Your Offices changed since you began to sign. Begin again; nothing was signed."
        )
    if intent.authenticated_at is None:
        raise IntentNotValid("Confirm that it is you first. Nothing was signed.")
    opened = opened_by(acting_user, frozen)
    if opened.first_at is None:
        raise NotRead("Open the exact text first. Nothing was signed.")
    intent.consumed_at = at
    intent.save(update_fields=["consumed_at"])
    return {
        "intent": intent.nonce,
        "person_id": acting_user.pk,
        "person_name": acting_user.name,
        "email": acting_user.email,
        "offices": [one.office.key for one in appointments],
        "appointment_ids": [one.pk for one in appointments],
        "acting": [office_short(one.office.key) for one in appointments if one.acting],
        "content_sha256": frozen.content_sha256,
        "signing_copy_sha256": frozen.signing_copy_sha256,
        "opened_at": utc_text(opened.first_at),
        "opened": opened.evidence(),
        "begun_at": utc_text(intent.created_at),
        "meaning": intent.meaning,
        "consent_version": intent.consent_version,
        "consent_sha256": consent_sha256(intent.consent_version),
        "conflict_declared": intent.conflict_declared,
        "reservation": intent.reservation,
        "method": intent.method,
        "proof": intent.proof,
        "authenticated_at": utc_text(intent.authenticated_at),
        "signed_at": utc_text(at),
        "session_sha256": intent.session_sha256,
    }
