"""Second factors: passkeys, the code generator, and the recovery codes that stand in for them.

A factor is a passkey or a code generator. Recovery codes are none: they let somebody in once who
lost theirs, and they sign nothing. allauth keeps the rows and speaks WebAuthn; what changes a
factor is a verb here, so that the log's event stands or falls with the change.
"""

import base64
import struct
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from secrets import compare_digest
from typing import Any, ClassVar

from allauth.core import context
from allauth.mfa import app_settings
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from allauth.mfa.webauthn.internal.auth import (
    WebAuthn,
    get_authenticator_by_credential_id,
    parse_registration_response,
)
from allauth.socialaccount.models import SocialAccount
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.request import split_domain_port
from django.urls import reverse
from django.utils import timezone
from fido2.cose import UnsupportedKey

from audit.models import Event

from . import account_events
from .calendar import company_date
from .errors import Refused
from .models import Appointment, Company, Person, UsedCode
from .telling import tell

PASSKEY = Authenticator.Type.WEBAUTHN
CODE_GENERATOR = Authenticator.Type.TOTP
RECOVERY_CODES = Authenticator.Type.RECOVERY_CODES
FACTORS = (PASSKEY, CODE_GENERATOR)

CODE_DIGITS = 6
CODE_SECONDS = 30
RECOVERY_CODE_DIGITS = 8
MOST_PASSKEYS = 20
NAME_LENGTH = 60

# What fido2 and its parsers of CBOR, JSON and keys stumble over when a passkey's answer is made up:
# cut short, of another kind, or nested too deep.
MADE_UP = (
    *(ValueError, TypeError, LookupError, AttributeError, AssertionError, RecursionError),
    *(NotImplementedError, struct.error, UnsupportedAlgorithm),
)

_IF_NOT_YOU = (
    "If that was you, nothing is left to do. If not, change your password, sign out everywhere, "
    "and tell your company’s Administrator at once."
)
_WORDS = {PASSKEY: "passkey", CODE_GENERATOR: "code generator"}


class LastFactor(Refused):
    """Without this factor the person could not sign in, or not as they must."""

    code = "last_factor"


class NoSuchFactor(Refused):
    """The person has no such factor (any more)."""

    code = "no_such_factor"


class NoFirstStep(Refused):
    """A recovery code is a second step: without a first one it opens nothing."""

    code = "no_first_step"


class TooManyPasskeys(Refused):
    """One person keeps so many passkeys at most."""

    code = "too_many_passkeys"


class NotAPasskey(Refused):
    """What the browser made cannot sign anybody in by itself."""

    code = "not_a_passkey"


class FactorsUnreadable(Exception):
    """The secrets of second factors were written with another key than the one there is."""


# --- Secrets at rest ------------------------------------------------------------------------


@lru_cache(maxsize=4)
def _cipher(secret: str) -> Fernet:
    derived = HKDF(SHA256(), length=32, salt=None, info=b"people.second-factors")
    return Fernet(base64.urlsafe_b64encode(derived.derive(secret.encode())))


def encrypt(text: str) -> str:
    """Encrypt a secret of a second factor for the database.

    The key comes from KEYS_SECRET; from SECRET_KEY only where KEYS_SECRET is empty, which
    production never is: changing the one that was used makes every code generator and recovery
    code unreadable.
    """
    return _cipher(settings.KEYS_SECRET or settings.SECRET_KEY).encrypt(text.encode()).decode()


def decrypt(encrypted: str) -> str:
    """Counterpart of ``encrypt``. Raises ``FactorsUnreadable`` when the key is another one."""
    try:
        cipher = _cipher(settings.KEYS_SECRET or settings.SECRET_KEY)
        return cipher.decrypt(encrypted.encode()).decode()
    except InvalidToken:
        raise FactorsUnreadable(
            "The secret of a second factor cannot be read: KEYS_SECRET is not the one that it was "
            "written with. Set KEYS_SECRET to what it was."
        ) from None


# --- What allauth asks ----------------------------------------------------------------------


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth is untyped
    """allauth's factors by the product's rules, in its words."""

    error_messages: ClassVar[dict[str, str]] = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "That was not accepted. Check it, then try again.",
        "cannot_delete_authenticator": (
            "You need a second factor. Add another one first, then remove this one."
        ),
        "cannot_generate_recovery_codes": (
            "Recovery codes stand in for a passkey or a code generator. Add one of these first."
        ),
    }

    def encrypt(self, text: str) -> str:
        return encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return decrypt(encrypted_text)

    def get_totp_issuer(self) -> str:
        return _company_name()

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        return not why_kept(authenticator, on=company_date(timezone.now()))

    def generate_authenticator_name(self, user: Person, _type: Authenticator.Type) -> str:
        return f"Passkey {len(passkeys_of(user)) + 1}"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        host, _port = split_domain_port(context.request.get_host())
        return {"id": host, "name": _company_name()}

    def get_public_key_credential_user_entity(self, user: Person) -> dict[str, Any]:
        entity: dict[str, Any] = super().get_public_key_credential_user_entity(user)
        return entity | {"name": user.email, "display_name": user.name}


def _company_name() -> str:
    company = Company.objects.first()
    return company.name if company else "Boundary Registry"


def passkey_obstacle(request: HttpRequest) -> str:
    """Why no passkey can work at the address that the reader is at; "" when it can.

    Browsers know passkeys only for names, and only over TLS or on the machine itself.
    """
    host, port = split_domain_port(request.get_host())
    if host.startswith("[") or host.replace(".", "").isdigit():
        here = f"http://localhost:{port}" if port else "http://localhost"
        named = here if host in ("127.0.0.1", "[::1]") else settings.PUBLIC_URL
        return f"Passkeys need an address with a name, such as {named}."
    local = host == "localhost" or host.endswith(".localhost")
    if not (local or request.is_secure() or settings.HTTPS):
        return "Passkeys need an address that begins with https."
    return ""


def best_first(ways: list[dict[str, Any]], request: HttpRequest) -> list[dict[str, Any]]:
    """Order allauth's ways to confirm who one is: a passkey first, where one works."""
    passkey = "mfa_reauthenticate:webauthn"
    if passkey_obstacle(request):
        return [one for one in ways if one["id"] != passkey] or ways
    return sorted(ways, key=lambda one: one["id"] != passkey)


# --- Who has one, who needs one -------------------------------------------------------------


def factors_of(person: Person) -> "QuerySet[Authenticator]":
    """Passkeys and code generator of ``person``: recovery codes never count as a factor."""
    found: QuerySet[Authenticator] = Authenticator.objects.filter(user=person, type__in=FACTORS)
    return found


def has_second_factor(person: Person) -> bool:
    return factors_of(person).exists()


def needs_second_factor(person: Person, *, on: date) -> bool:
    """Whether REQUIRE_SECOND_FACTOR asks one of ``person`` on the company's date ``on``.

    "offices" means whoever is appointed to one, also while a stand-in acts for it.
    """
    if settings.REQUIRE_SECOND_FACTOR == "nobody":
        return False
    if settings.REQUIRE_SECOND_FACTOR == "everybody":
        return True
    return Appointment.objects.on(on).filter(person=person).exists()


def passkeys_of(person: Person) -> list[Authenticator]:
    """The passkeys of ``person``, the eldest first."""
    return list(Authenticator.objects.filter(user=person, type=PASSKEY).order_by("pk"))


def code_generator_of(person: Person) -> Authenticator | None:
    return Authenticator.objects.filter(user=person, type=CODE_GENERATOR).first()


@dataclass(frozen=True)
class RecoveryCodesLeft:
    """How many recovery codes still work, out of how many, made when."""

    left: int
    made: int
    made_at: datetime


def has_first_step(person: Person) -> bool:
    """Whether something but a passkey begins a sign-in: only then a recovery code can end one."""
    return bool(person.has_usable_password() or SocialAccount.objects.filter(user=person).exists())


def recovery_codes_of(person: Person) -> RecoveryCodesLeft | None:
    codes = Authenticator.objects.filter(user=person, type=RECOVERY_CODES).first()
    return codes and _left(codes)


def _left(codes: Authenticator) -> RecoveryCodesLeft:
    made = _codes_made()
    return RecoveryCodesLeft(
        left=made - int(codes.data["used_mask"]).bit_count(), made=made, made_at=codes.created_at
    )


def _codes_made() -> int:
    return int(app_settings.RECOVERY_CODE_COUNT)


def why_kept(factor: Authenticator, *, on: date) -> str:
    """Why ``factor`` cannot be removed, as a sentence that says what to do; "" when it can."""
    person: Person = factor.user
    others = factors_of(person).exclude(pk=factor.pk)
    if (
        factor.type == PASSKEY
        and not has_first_step(person)
        and not any(one.type == PASSKEY for one in others)
    ):
        return (
            "This passkey is your only way to sign in. Set a password or add another passkey "
            "first, then remove this one."
        )
    if not others and needs_second_factor(person, on=on):
        whom = (
            "Whoever holds an Office"
            if settings.REQUIRE_SECOND_FACTOR == "offices"
            else "Everybody here"
        )
        other = "another passkey or a code generator" if factor.type == PASSKEY else "a passkey"
        return f"{whom} needs a second factor. Add {other} first, then remove this one."
    return ""


# --- Codes ----------------------------------------------------------------------------------


def time_step_of(secret: str, code: str, *, at: datetime) -> int | None:
    """The RFC 6238 time step at which ``secret`` (base32) shows ``code``: now or one step back."""
    if not (code.isascii() and code.isdigit() and len(code) == CODE_DIGITS):
        return None
    now = int(at.timestamp()) // CODE_SECONDS
    for step in (now, now - 1):
        if compare_digest(format_hotp_value(hotp_value(secret, step)), code):
            return step
    return None


def code_time_step(person: Person, code: str, *, at: datetime) -> int | None:
    """The time step that ``code`` of the person's code generator belongs to.

    None when it is wrong or older than one step, and where there is no code generator. Whether it
    was used before is not asked here: that is ``use_code``.
    """
    generator = code_generator_of(person)
    if generator is None:
        return None
    return time_step_of(decrypt(generator.data["secret"]), code, at=at)


def use_code(person: Person, code: str, *, at: datetime) -> bool:
    """Use ``code`` up. True once, in whichever process; False when wrong or used before.

    The unique row decides, not a look beforehand. In a caller's transaction that is rolled back
    the code stays unused.
    """
    step = code_time_step(person, code, at=at)
    if step is None:
        return False
    try:
        with transaction.atomic():
            UsedCode.objects.create(person=person, time_step=step, used_at=at)
    except IntegrityError:
        return False
    Authenticator.objects.filter(user=person, type=CODE_GENERATOR).update(last_used_at=at)
    return True


@transaction.atomic
def use_recovery_code(person: Person, code: str, *, at: datetime, ip: str = "") -> bool:
    """Use a recovery code up, and tell its owner. True once; False when wrong or used before."""
    person = Person.objects.select_for_update(no_key=True).get(pk=person.pk)
    codes = Authenticator.objects.filter(user=person, type=RECOVERY_CODES).first()
    if codes is None:
        return False
    wrapped = RecoveryCodes(codes)
    if not wrapped.validate_code(code):
        return False
    left = _left(wrapped.instance)
    event = account_events.record(
        "factor.recovery_code_used",
        person,
        actor=person,
        at=at,
        ip=ip,
        data={"type": RECOVERY_CODES.value, "left": left.left},
    )
    remain = "Make new ones now." if not left.left else "Make new ones before they run out."
    _tell(
        event,
        person,
        "A recovery code of your account was used",
        f"It stood in for your passkey or code generator. {left.left} of {left.made} are left. "
        f"{remain}",
    )
    return True


# --- Verbs ----------------------------------------------------------------------------------


@transaction.atomic
def add_passkey(
    *, name: str, credential: dict[str, Any], acting_user: Person, at: datetime, ip: str = ""
) -> bool:
    """Add a passkey that the browser made (``credential``, checked against its challenge before).

    Returns whether recovery codes were made with it: the first factor of whoever has a password
    brings them. Refuses one that could not sign in by itself, is there already, or whose signatures
    nobody here can check.
    """
    person = _locked(acting_user)
    made_by_the_browser = credential.get("clientExtensionResults", {}).get("credProps", {})
    made = parse_registration_response(credential).response.attestation_object.auth_data
    if isinstance(made.credential_data.public_key, UnsupportedKey):
        raise NotAPasskey("The registry cannot check that device’s keys. Use another device.")
    if made_by_the_browser.get("rk") is False:
        raise NotAPasskey(
            "That device keeps no passkey that signs in by itself. Use another device, or a code "
            "generator."
        )
    if len(passkeys_of(person)) >= MOST_PASSKEYS:
        raise TooManyPasskeys(
            f"You have {MOST_PASSKEYS} passkeys. Remove one that you no longer use first."
        )
    if get_authenticator_by_credential_id(person, made.credential_data.credential_id) is not None:
        raise NotAPasskey("That passkey is on your account already. Use another device.")
    named = _name(name) or FactorAdapter().generate_authenticator_name(person, PASSKEY)
    added = WebAuthn.add(person, named, credential).instance
    return _added(person, added, called=named, at=at, ip=ip)


@transaction.atomic
def add_code_generator(
    *, secret: str, time_step: int, acting_user: Person, at: datetime, ip: str = ""
) -> bool:
    """Let the code generator that knows ``secret`` (base32) make this person's codes.

    It takes the place of the one there was: that is how it moves to a new phone. ``time_step`` is
    that of the code which proved it; that code is used up. Returns whether recovery codes were
    made with it.
    """
    person = _locked(acting_user)
    former = code_generator_of(person)
    if former is not None:
        former.data = {"secret": encrypt(secret)}
        former.created_at, former.last_used_at = at, None
        former.save(update_fields=["data", "created_at", "last_used_at"])
        added = former
    else:
        added = TOTP.activate(person, secret).instance
    UsedCode.objects.get_or_create(person=person, time_step=time_step, defaults={"used_at": at})
    return _added(person, added, replaced=former is not None, at=at, ip=ip)


def _added(
    person: Person,
    factor: Authenticator,
    *,
    called: str = "",
    replaced: bool = False,
    at: datetime,
    ip: str,
) -> bool:
    made_codes = recovery_codes_of(person) is None and has_first_step(person)
    if made_codes:
        RecoveryCodes.activate(person)
    event = account_events.record(
        "factor.added",
        person,
        actor=person,
        at=at,
        ip=ip,
        data={
            "type": str(factor.type),
            "factor_id": factor.pk,
            "replaced": replaced,
            "recovery_codes_made": made_codes,
        },
        personal_text=called,
    )
    word = _WORDS[factor.type]
    subject = f"A {word} was added to your account"
    what = "It signs in, and signs documents."
    if called:
        what = f"It is called “{called}”. {what}"
    if replaced:
        subject = "The code generator of your account was replaced"
        what = "Codes of the former one no longer work."
    _tell(event, person, subject, what)
    return made_codes


@transaction.atomic
def remove_factor(*, factor_id: int, acting_user: Person, at: datetime, ip: str = "") -> None:
    """Remove one's passkey or code generator; with the last one the recovery codes go.

    Refuses the last factor of somebody who needs one, and the last way to sign in.
    """
    person = _locked(acting_user)
    factor = factors_of(person).filter(pk=factor_id).first()
    if factor is None:
        raise NoSuchFactor("It is removed already.")
    if reason := why_kept(factor, on=company_date(at)):
        raise LastFactor(reason)
    called = factor.wrap().name if factor.type == PASSKEY else ""
    factor.delete()
    was_last = not has_second_factor(person)
    if was_last:
        Authenticator.objects.filter(user=person, type=RECOVERY_CODES).delete()
    event = account_events.record(
        "factor.removed",
        person,
        actor=person,
        at=at,
        ip=ip,
        data={"type": str(factor.type), "factor_id": factor_id, "recovery_codes_removed": was_last},
        personal_text=called,
    )
    word = _WORDS[factor.type]
    what = f"It was called “{called}”. " if called else ""
    if was_last:
        what += "It was the last one: no second factor protects your account now."
    else:
        what += "It no longer signs in."
    _tell(event, person, f"A {word} was removed from your account", what)


@transaction.atomic
def rename_passkey(*, factor_id: int, name: str, acting_user: Person, at: datetime) -> None:
    """Give one's passkey a name that says which device it is on."""
    person = _locked(acting_user)
    passkey = factors_of(person).filter(pk=factor_id, type=PASSKEY).first()
    if passkey is None:
        raise NoSuchFactor("It is removed already.")
    passkey.data["name"] = _name(name)
    passkey.save(update_fields=["data"])
    account_events.record(
        "factor.renamed",
        person,
        actor=person,
        at=at,
        data={"type": PASSKEY.value, "factor_id": factor_id},
        personal_text=_name(name),
    )


@transaction.atomic
def make_recovery_codes(*, acting_user: Person, at: datetime, ip: str = "") -> None:
    """Make new recovery codes; the former ones no longer work."""
    person = _locked(acting_user)
    if not has_second_factor(person):
        raise NoSuchFactor(FactorAdapter.error_messages["cannot_generate_recovery_codes"])
    if not has_first_step(person):
        raise NoFirstStep(
            "A recovery code follows a password, and you have none. Add a second passkey, or set a "
            "password."
        )
    Authenticator.objects.filter(user=person, type=RECOVERY_CODES).delete()
    RecoveryCodes.activate(person)
    event = account_events.record(
        "factor.recovery_codes_made",
        person,
        actor=person,
        at=at,
        ip=ip,
        data={"type": RECOVERY_CODES.value, "made": _codes_made()},
    )
    _tell(
        event,
        person,
        "New recovery codes were made for your account",
        "The former ones no longer work.",
    )


def _locked(person: Person) -> Person:
    """The row is the lock: of two removals at once only one may leave the last factor."""
    person = Person.objects.select_for_update(no_key=True).get(pk=person.pk)
    if not person.is_active:
        raise Refused("This account is not active. Ask your company’s Administrator.")
    return person


def _name(name: str) -> str:
    return " ".join(name.split())[:NAME_LENGTH]


def _tell(event: Event, person: Person, subject: str, what: str) -> None:
    """Mail what ``event`` has recorded to whom it concerns, with what to do if it was not them."""
    kind = event.event.replace(".", "-").replace("_", "-")
    tell(
        person,
        kind=kind,
        key=f"{kind}:{event.sequence}",
        subject=subject,
        paragraphs=[
            what,
            _IF_NOT_YOU,
        ],
        reason="It is your account.",
        action_label="Look at your account",
        action_path=reverse("people:account"),
        at=event.at,
    )
