"""Confirming anew at the issuer of single sign-on, for an act that asks who it is at that moment.

Not a sign-in: nobody comes in by it. The issuer is asked to have the person sign in again
(``max_age=0`` and ``prompt=login``), and its answer counts only where ``auth_time`` says that they
did. Request, callback and every check are the registry's own; allauth's re-authentication, which
lets people of single sign-on through unasked, has no part in it.
"""

import base64
import hashlib
import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.oauth2.client import OAuth2Client, OAuth2Error
from django.conf import settings
from django.http import HttpRequest
from requests import RequestException

from .models import Person
from .single_sign_on import PROVIDER, Exchange, application, configured, identity_of, logger

# An issuer's clock may be behind ours by so much, and it says whole seconds. Whoever signed in
# there longer before did not do it for this act.
CLOCKS_DIFFER = 10  # seconds
_LONGEST_CAUSE = 300


class NotSteppedUp(Exception):
    """The issuer's answer confirms nothing; the message is a sentence for the person."""


@dataclass(frozen=True)
class Asked:
    """What is kept of a question to the issuer until its answer comes."""

    url: str
    state: str
    verifier: str


@dataclass(frozen=True)
class Answer:
    """What the issuer vouched for, all of it checked but whose answer it may be, and how fresh."""

    claims: Mapping[str, Any]
    id_token: str
    jwk: Mapping[str, Any]
    jwks_uri: str


def offered() -> bool:
    """Whether signing by it is configured, and not switched off."""
    return configured() and settings.OIDC_MAY_SIGN


def is_linked(person: Person) -> bool:
    """Whether the configured issuer knows ``person``."""
    return any(
        one.extra_data.get("iss", "").rstrip("/") == settings.OIDC_ISSUER
        for one in SocialAccount.objects.filter(user=person, provider=PROVIDER)
    )


class _StepUp(Exchange):
    """The same issuer and the same checks, with a callback of its own."""

    def __init__(self, request: HttpRequest, callback: str) -> None:
        super().__init__(request)
        self._callback = callback

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        return self._callback


def ask(request: HttpRequest, *, nonce: str, callback: str) -> Asked:
    """The address at the issuer where the person signs in anew. Raises ``NotSteppedUp``."""
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode()).digest()
    exchange = _StepUp(request, callback)
    try:
        endpoint = exchange.openid_config["authorization_endpoint"]
    except (OAuth2Error, RequestException, ValueError) as error:
        raise _failed(error) from error
    query = {
        "client_id": settings.OIDC_CLIENT_ID,
        "redirect_uri": callback,
        "response_type": "code",
        "scope": "openid",
        "state": state,
        "nonce": nonce,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
        "max_age": "0",
        "prompt": "login",
    }
    return Asked(
        url=f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}",
        state=state,
        verifier=verifier,
    )


def answer(request: HttpRequest, *, code: str, verifier: str, nonce: str, callback: str) -> Answer:
    """Exchange ``code`` for an ID token and check it: signature, issuer, audience, times, nonce.

    Raises ``NotSteppedUp``; why stands in the log of the web server.
    """
    exchange = _StepUp(request, callback)
    try:
        client: OAuth2Client = exchange.get_client(request, application())
        told = client.get_access_token(code, pkce_code_verifier=verifier)
        id_token = told.get("id_token")
        if not isinstance(id_token, str):
            raise OAuth2Error("The issuer sent no ID token.")
        claims, jwk = exchange.checked(id_token, nonce=nonce)
        jwks_uri = exchange.openid_config["jwks_uri"]
    except (OAuth2Error, RequestException, ValueError) as error:
        raise _failed(error) from error
    return Answer(claims=claims, id_token=id_token, jwk=jwk, jwks_uri=jwks_uri)


def _failed(error: Exception) -> NotSteppedUp:
    logger.warning("single sign-on did not confirm a signing: %s", str(error)[:_LONGEST_CAUSE])
    return NotSteppedUp(
        f"{settings.OIDC_NAME} and the registry did not come to terms. Try once more; if it fails "
        "again, tell your company’s Administrator: the registry’s log says why."
    )


def why_not(given: Answer, person: Person, *, since: datetime, at: datetime) -> str:
    """Why the answer does not confirm ``person`` anew since ``since``, as a sentence; "" when so.

    ``auth_time`` may lie ``CLOCKS_DIFFER`` seconds before ``since``, or after ``at``.
    """
    claims, name = given.claims, settings.OIDC_NAME
    known = SocialAccount.objects.filter(
        user=person, provider=PROVIDER, uid=identity_of(claims["iss"], claims["sub"])
    )
    if not known.exists():
        return (
            f"Somebody else signed in at {name}, not the account that opens yours here. Sign out "
            "there, then confirm again."
        )
    auth_time: Any = claims.get("auth_time")
    if type(auth_time) not in (int, float) or not math.isfinite(auth_time):
        return (
            f"{name} did not say when you signed in there, so it cannot confirm a signature. Add a "
            "passkey to your account, or ask whoever runs it to send auth_time."
        )
    if auth_time < since.timestamp() - CLOCKS_DIFFER:
        return (
            f"{name} sent you back without asking who you are: you signed in there before you "
            "began to sign. Sign out there, then confirm again."
        )
    if auth_time > at.timestamp() + CLOCKS_DIFFER:
        return (
            f"The clock of {name} is ahead of the registry’s. Ask whoever runs it to set it, or "
            "add a passkey to your account."
        )
    return ""


def evidence(given: Answer) -> dict[str, Any]:
    """What is kept: the signed ID token with the issuer's key, and its claims to be read."""
    claims, amr = given.claims, given.claims.get("amr")
    return {
        "issuer": claims["iss"],
        "subject": claims["sub"],
        "client_id": settings.OIDC_CLIENT_ID,
        "issuer_name": settings.OIDC_NAME,
        "auth_time": datetime.fromtimestamp(int(claims["auth_time"]), UTC).strftime(
            "%Y-%m-%dT%H:%M:%SZ"
        ),
        "acr": str(claims["acr"]) if claims.get("acr") is not None else None,
        "amr": [str(one) for one in amr] if isinstance(amr, list) else None,
        "id_token": given.id_token,
        "jwk": dict(given.jwk),
        "jwks_uri": given.jwks_uri,
    }
