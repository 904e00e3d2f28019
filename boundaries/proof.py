"""How a person proves, inside the ceremony, that it is them: by what they have.

A passkey signs the intent itself: its challenge is the SHA-256 of what is about to be signed, so
that the stored assertion proves later, offline, what its holder meant. Otherwise password and the
code of the code generator, both at that moment; or, for people of single sign-on without a
passkey, a new sign-in at the issuer, whose signed answer repeats that SHA-256. A password alone
counts only where nobody asks for a second factor and the person has none. Recovery codes, mailed
codes, trusted browsers and API tokens never come here.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, cast

from allauth.mfa.models import Authenticator
from fido2 import cbor
from fido2.server import Fido2Server
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorData,
    PublicKeyCredentialRpEntity,
    RegistrationResponse,
    UserVerificationRequirement,
)

from people import factors, step_up
from people.models import Person
from sealing.canonical import canonical_json
from sealing.id_tokens import NONCE_DOMAIN
from sealing.passkeys import CHALLENGE_DOMAIN

from .consent import consent_sha256
from .content import utc_text
from .errors import FactorMissing
from .models import SigningIntent

# Honest to the letter: the record says how the person proved who they are, and no more.
PASSKEY = "passkey"
PASSWORD_AND_CODE = "password and code"  # noqa: S105 - the name of a method, not a password
PASSWORD_ONLY = "password only"  # noqa: S105 - the name of a method, not a password
SINGLE_SIGN_ON = "single sign-on, confirmed anew"


@dataclass(frozen=True)
class PasskeyAnswer:
    """What the browser's passkey answered, and where the page was that asked it."""

    response: Mapping[str, Any]
    rp_id: str
    origin: str


@dataclass(frozen=True)
class Ways:
    """By what a person can prove who they are when they sign."""

    passkey: bool
    code: bool
    password_only: bool
    single_sign_on: bool = False
    missing: str = ""

    @property
    def method(self) -> str:
        """The way that is offered first; "" when there is none."""
        if self.passkey:
            return PASSKEY
        if self.code:
            return PASSWORD_AND_CODE
        if self.single_sign_on:
            return SINGLE_SIGN_ON
        return PASSWORD_ONLY if self.password_only else ""


@dataclass(frozen=True)
class Attempt:
    """How one try ended: ``refusal`` says what was wrong, and is empty for a proof."""

    method: str
    proof: Mapping[str, Any] = field(default_factory=dict)
    refusal: str = ""


def ways_of(person: Person, *, on: date) -> Ways:
    """What ``person`` has on the company's date ``on``; ``missing`` says what to get."""
    kinds = set(factors.factors_of(person).values_list("type", flat=True))
    password = person.has_usable_password()
    passkey = factors.PASSKEY in kinds
    code = password and factors.CODE_GENERATOR in kinds
    alone = password and not kinds and not factors.needs_second_factor(person, on=on)
    issuer = not passkey and step_up.offered() and step_up.is_linked(person)
    missing = ""
    if not (passkey or code or alone or issuer):
        missing = (
            "Add a passkey or a code generator to your account first: your password alone does not "
            "sign. Nothing was signed."
            if password
            else "Add a passkey to your account first: you have no password here that could "
            "confirm a signature. Nothing was signed."
        )
    return Ways(
        passkey=passkey, code=code, password_only=alone, single_sign_on=issuer, missing=missing
    )


def require_a_way(person: Person, *, on: date) -> Ways:
    """Refuse, before the ceremony begins, somebody who could not end it."""
    ways = ways_of(person, on=on)
    if ways.missing:
        raise FactorMissing(ways.missing)
    return ways


# --- Password and code ------------------------------------------------------------------------


def by_password(person: Person, *, password: str, code: str, ways: Ways, at: datetime) -> Attempt:
    """Try password and code, or the password alone where that is enough."""
    right = person.check_password(password)
    if not ways.code:
        return Attempt(PASSWORD_ONLY, refusal="" if right else "That is not your password.")
    code = "".join(code.split())
    if not right:
        # Not which of both: a code says nothing to whoever does not know the password.
        return Attempt(PASSWORD_AND_CODE, refusal="Password and code do not both fit.")
    if factors.use_code(person, code, at=at):
        return Attempt(PASSWORD_AND_CODE)
    used = factors.code_time_step(person, code, at=at) is not None
    return Attempt(
        PASSWORD_AND_CODE,
        refusal=(
            "That code was used already: each works once. Wait for the next one."
            if used
            else "The password is right, and that is not the code your generator shows now."
        ),
    )


# --- Single sign-on ---------------------------------------------------------------------------


def nonce_of(text: bytes) -> str:
    """What the issuer's ID token must repeat for the canonical JSON ``text`` of an intent."""
    return hashlib.sha256(NONCE_DOMAIN + text).hexdigest()


def by_single_sign_on(
    intent: SigningIntent, person: Person, answer: step_up.Answer | str, *, at: datetime
) -> Attempt:
    """Judge the issuer's answer to this intent; a sentence in its place is why there is none."""
    if isinstance(answer, str):
        return Attempt(SINGLE_SIGN_ON, refusal=answer)
    text = challenge_text(intent)
    if answer.claims.get("nonce") != nonce_of(text):
        return Attempt(SINGLE_SIGN_ON, refusal="That answer belongs to another signing.")
    if refusal := step_up.why_not(answer, person, since=intent.created_at, at=at):
        return Attempt(SINGLE_SIGN_ON, refusal=refusal)
    return Attempt(
        SINGLE_SIGN_ON,
        proof={
            "nonce_domain": NONCE_DOMAIN.decode(),
            "challenge_text": text.decode(),
            **step_up.evidence(answer),
        },
    )


# --- Passkeys ---------------------------------------------------------------------------------


def challenge_text(intent: SigningIntent) -> bytes:
    """The canonical JSON of what is about to be signed: every field that binds the intent."""
    return canonical_json(
        {
            "appointment_ids": intent.appointment_ids,
            "conflict_declared": intent.conflict_declared,
            "consent_sha256": consent_sha256(intent.consent_version),
            "consent_version": intent.consent_version,
            "content_sha256": intent.content_sha256,
            "created_at": utc_text(intent.created_at),
            "meaning": intent.meaning,
            "nonce": intent.nonce,
            "person_id": intent.person_id,
            "reservation": intent.reservation,
            "role": intent.role,
            "signing_copy_sha256": intent.signing_copy_sha256,
        }
    )


def challenge_of(text: bytes) -> bytes:
    """What a passkey is asked to sign for the canonical JSON ``text``: 32 bytes."""
    return hashlib.sha256(CHALLENGE_DOMAIN + text).digest()


def passkeys_at(person: Person, rp_id: str) -> list[Authenticator]:
    """The passkeys that were made at this address: a browser finds no others here."""
    here = hashlib.sha256(rp_id.encode()).digest()
    return [one for one in factors.passkeys_of(person) if _registered(one).rp_id_hash == here]


def made_at(person: Person) -> str:
    """Where the eldest passkey of ``person`` was made, as an address: the browser has it there."""
    passkeys = factors.passkeys_of(person)
    if not passkeys:
        return ""
    response = RegistrationResponse.from_dict(passkeys[0].data["credential"])
    return str(response.response.client_data.origin)


def request_options(
    intent: SigningIntent, passkeys: Sequence[Authenticator], *, rp_id: str, at: datetime
) -> dict[str, Any]:
    """What the page hands to the browser, binary values in base64url (WebAuthn's JSON form)."""
    left = max(0, int((intent.expires_at - at).total_seconds()))
    return {
        "challenge": websafe_encode(challenge_of(challenge_text(intent))),
        "rpId": rp_id,
        "timeout": left * 1000,
        "userVerification": "required",
        "allowCredentials": [
            {"type": "public-key", "id": websafe_encode(_credential(one).credential_id)}
            for one in passkeys
        ],
    }


def by_passkey(intent: SigningIntent, answer: PasskeyAnswer, *, at: datetime) -> Attempt:
    """Judge a passkey's answer to this intent; inside the transaction that locks the person.

    A counter that does not go up comes from a copied key and is refused; keys that are kept in
    step across devices always say 0 and may.
    """
    passkeys = list(
        Authenticator.objects.select_for_update().filter(
            user=intent.person_id, type=factors.PASSKEY
        )
    )
    text = challenge_text(intent)
    server = Fido2Server(
        PublicKeyCredentialRpEntity(id=answer.rp_id, name="Boundary Registry"),
        verify_origin=lambda origin: origin == answer.origin,
    )
    state = {
        "challenge": websafe_encode(challenge_of(text)),
        "user_verification": UserVerificationRequirement.REQUIRED,
    }
    try:
        response = AuthenticationResponse.from_dict(answer.response)
        used = server.authenticate_complete(state, [_credential(one) for one in passkeys], response)
    # Whatever a browser (or somebody in its place) sends that is no answer to this challenge.
    except factors.MADE_UP:
        return Attempt(PASSKEY, refusal="That passkey did not confirm this signing.")
    if response.response.client_data.cross_origin:
        return Attempt(PASSKEY, refusal="That passkey was asked by a page within another page.")
    passkey = next(one for one in passkeys if _credential(one) == used)
    data = response.response.authenticator_data
    before = max(_registered(passkey).counter, int(passkey.data.get("sign_count", 0)))
    if (before or data.counter) and data.counter <= before:
        return Attempt(
            PASSKEY,
            refusal=(
                "This passkey's counter went back, as a copied one's would. Use another one, and "
                "tell your company's Administrator."
            ),
        )
    passkey.data["sign_count"], passkey.last_used_at = data.counter, at
    passkey.save(update_fields=["data", "last_used_at"])
    return Attempt(
        PASSKEY,
        proof={
            "challenge_domain": CHALLENGE_DOMAIN.decode(),
            "challenge_text": text.decode(),
            "rp_id": answer.rp_id,
            "origin": answer.origin,
            "credential_id": websafe_encode(used.credential_id),
            # COSE_Key, as the authenticator made it.
            "public_key": websafe_encode(cbor.encode(dict(used.public_key))),
            "authenticator_data": websafe_encode(data),
            "client_data_json": websafe_encode(response.response.client_data),
            "signature": websafe_encode(response.response.signature),
            "sign_count": data.counter,
        },
    )


def _registered(passkey: Authenticator) -> AuthenticatorData:
    return cast(AuthenticatorData, passkey.wrap().authenticator_data)


def _credential(passkey: Authenticator) -> AttestedCredentialData:
    credential = _registered(passkey).credential_data
    assert credential is not None  # noqa: S101 - what was registered has one
    return credential
