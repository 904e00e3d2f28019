"""Single sign-on with OpenID Connect, when the operator names an issuer.

Who somebody is follows from issuer and ``sub`` together, never from an address: addresses change,
and pass on to others. Only at the first sign-in does the address that the issuer vouches for lead
to an account.

allauth speaks the protocol: state (random, bound to the browser's session, used once), PKCE and the
exchange of the code. It leaves out the nonce, takes the ID token's signature on trust from the
connection, prefers what /userinfo says without comparing ``sub``, and does not hold the discovery
document to its issuer. All of that is checked here.
"""

import logging
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, ClassVar

import jwt
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import render
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from . import account_events, sign_in_events
from .errors import Refused
from .invitations import LONGEST_NAME, InvalidInvitee, accept_by_single_sign_on, plain_name
from .models import Person
from .origin import address_of
from .telling import tell

logger = logging.getLogger(__name__)

PROVIDER = "sso"  # in the callback's address, and beside each account
_SIGNED_BY = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
_CLOCKS_DIFFER = 60  # seconds
_LONGEST_CAUSE = 300
_NEEDED = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")


class NotLetIn(Refused):
    """The issuer knows them, and the registry does not let them in."""

    code = "not_let_in"

    def __init__(self, sentence: str, person: Person | None = None) -> None:
        super().__init__(sentence)
        self.person = person


# --- Who somebody is --------------------------------------------------------------------------


def configured() -> bool:
    return bool(settings.OIDC_ISSUER)


def identity_of(issuer: str, sub: str) -> str:
    """One identity: the same ``sub`` at another issuer is somebody else. Fits any length."""
    return sha256(f"{issuer.rstrip('/')}\n{sub}".encode()).hexdigest()


@transaction.atomic
def person_for(*, claims: Mapping[str, Any], at: datetime, ip: str = "") -> Person:
    """The account that the issuer's ``claims`` (checked before) let in, linked if it is the first.

    Raises ``NotLetIn`` with the sentence that the page shows.
    """
    uid = identity_of(claims["iss"], claims["sub"])
    known = SocialAccount.objects.filter(provider=PROVIDER, uid=uid).select_related("user").first()
    if known is not None:
        return _active(known.user)
    email = _vouched_for(claims)
    person = Person.objects.select_for_update(no_key=True).filter(email__iexact=email).first()
    if person is not None:
        _active(person)
        _refuse_second_identity(person, claims["iss"])
    else:
        person = accept_by_single_sign_on(email=email, at=at, ip=ip)
    if person is None and settings.OIDC_PROVISION:
        person = _provisioned(email, claims, at=at, ip=ip)
    if person is None:
        raise NotLetIn(
            f"There is no account of {email} here, and accounts come by invitation. Ask your "
            "company’s Administrator for one."
        )
    SocialAccount.objects.create(
        user=person, provider=PROVIDER, uid=uid, extra_data=_what_is_kept(claims)
    )
    _record("person.single_sign_on_linked", person, claims, at=at, ip=ip)
    vouched = (
        f"Somebody signed in by {settings.OIDC_NAME} with your address, and it vouches for them. "
        "From now on it knows your account by itself, whatever address you have there."
    )
    tell(
        person,
        kind="single-sign-on-linked",
        key=f"single-sign-on-linked:{person.pk}:{uid}",
        subject=f"{settings.OIDC_NAME} opens your account now",
        paragraphs=[vouched, "If that was not you, tell your company’s Administrator at once."],
        reason="It is your account.",
        at=at,
    )
    return person


def _active(person: Person) -> Person:
    if not person.is_active:
        raise NotLetIn(
            "Your account here was deactivated. Ask your company’s Administrator to open it again.",
            person,
        )
    return person


def _vouched_for(claims: Mapping[str, Any]) -> str:
    """The address that the issuer has verified, of a domain that may come in."""
    email = claims.get("email")
    if not isinstance(email, str) or "@" not in email:
        raise NotLetIn(
            f"{settings.OIDC_NAME} did not say your e-mail address. Ask whoever runs it to share "
            "it with the boundary registry."
        )
    email = email.strip().lower()
    if claims.get("email_verified") is not True:
        raise NotLetIn(
            f"{settings.OIDC_NAME} has not verified that {email} is yours. Verify it there, then "
            "sign in again."
        )
    domain = email.rpartition("@")[2]
    if settings.OIDC_DOMAINS and domain not in settings.OIDC_DOMAINS:
        raise NotLetIn(
            f"Addresses at {domain} are not let in here. Sign in with your work account."
        )
    return email


def _refuse_second_identity(person: Person, issuer: str) -> None:
    """An address that passed on to somebody else must not take the account along."""
    for other in SocialAccount.objects.filter(user=person, provider=PROVIDER):
        if other.extra_data.get("iss") == issuer:
            raise NotLetIn(
                f"The account of {person.email} belongs to somebody else at {settings.OIDC_NAME}. "
                "Ask your company’s Administrator.",
                person,
            )


def _provisioned(email: str, claims: Mapping[str, Any], *, at: datetime, ip: str) -> Person:
    """A new account of a Member, without a password."""
    name = str(claims.get("name") or "").strip()
    if not name:
        parts = (claims.get("given_name"), claims.get("family_name"))
        name = " ".join(str(part).strip() for part in parts if part)
    try:
        name = plain_name("name", name[:LONGEST_NAME])
    except InvalidInvitee:
        name = ""  # better the address than a name that reads otherwise than it looks
    person = Person.objects.create_user(email, name or email.partition("@")[0])
    _record("person.provisioned", person, claims, at=at, ip=ip)
    return person


def _what_is_kept(claims: Mapping[str, Any]) -> dict[str, str]:
    return {"iss": str(claims["iss"]), "sub": str(claims["sub"])}


def _record(name: str, person: Person, claims: Mapping[str, Any], *, at: datetime, ip: str) -> None:
    account_events.record(
        name,
        person,
        actor=person,
        at=at,
        ip=ip,
        data={"issuer": str(claims["iss"])},
        personal_text=str(claims["sub"]),
    )


# --- The protocol -----------------------------------------------------------------------------


def nonce_for(state: str) -> str:
    """What the ID token must repeat: bound to the state, which is bound to the session."""
    return salted_hmac("people.single_sign_on.nonce", state, algorithm="sha256").hexdigest()


class Issuer(OpenIDConnectProvider):  # type: ignore[misc]  # allauth is untyped
    """The one issuer that the settings name."""

    def get_oauth2_adapter(self, request: HttpRequest) -> "Exchange":
        return Exchange(request)

    def extract_uid(self, data: dict[str, Any]) -> str:
        return identity_of(data["iss"], data["sub"])

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, str]:
        return _what_is_kept(data)

    def extract_common_fields(self, data: dict[str, Any]) -> dict[str, Any]:
        return {}

    def extract_email_addresses(self, data: dict[str, Any]) -> list[Any]:
        return []  # people.models.Person holds the address, and the issuer does not change it


class Exchange(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]  # allauth is untyped
    """Turns the code that came back into claims that were checked."""

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request, PROVIDER)

    def get_provider(self) -> Issuer:
        return Issuer(self.request, app=application())

    @property
    def openid_config(self) -> dict[str, Any]:
        """The discovery document; it must be the configured issuer's own."""
        if not hasattr(self, "_openid_config"):
            config = self._fetch(self.get_provider().server_url)
            missing = [name for name in _NEEDED if not isinstance(config.get(name), str)]
            if missing:
                raise OAuth2Error(f"The discovery document lacks {', '.join(missing)}.")
            if config["issuer"].rstrip("/") != settings.OIDC_ISSUER:
                raise OAuth2Error(f"The discovery document is of {config['issuer']}.")
            self._openid_config = config
        return self._openid_config

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        """As it is registered at the issuer, whatever name the browser came by."""
        return f"{settings.PUBLIC_URL}{self.get_provider().get_callback_url()}"

    def complete_login(
        self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any
    ) -> SocialLogin:
        id_token = kwargs["response"].get("id_token")
        if not isinstance(id_token, str):
            raise OAuth2Error("The issuer sent no ID token.")
        claims, _ = self.checked(id_token, nonce=nonce_for(request.GET["state"]))
        if "userinfo_endpoint" in self.openid_config:
            told = self._fetch(
                self.openid_config["userinfo_endpoint"],
                headers={"Authorization": f"Bearer {token.token}"},
            )
            if told.get("sub") != claims["sub"]:
                raise OAuth2Error("ID token and /userinfo speak of different people.")
            if "email" in claims:
                told.pop("email_verified", None)  # it speaks of the address beside it
            claims = {**told, **claims}
        login: SocialLogin = self.get_provider().sociallogin_from_response(request, claims)
        login.claims = claims
        return login

    def checked(self, id_token: str, *, nonce: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """The ID token's claims (OpenID Connect Core 1.0, 3.1.3.7), and the key (a JWK)."""
        try:
            key, jwk = self._key_of(id_token)
            claims: dict[str, Any] = jwt.decode(
                id_token,
                key=key,
                algorithms=list(_SIGNED_BY),
                audience=settings.OIDC_CLIENT_ID,
                issuer=self.openid_config["issuer"],
                leeway=_CLOCKS_DIFFER,
                options={"require": ["iss", "sub", "aud", "exp", "iat", "nonce"]},
            )
        except (jwt.PyJWTError, KeyError, ValueError) as error:
            raise OAuth2Error(f"The ID token does not hold: {error}") from error
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if several and claims.get("azp") != settings.OIDC_CLIENT_ID:
            raise OAuth2Error("The ID token is for another application.")
        if not constant_time_compare(str(claims["nonce"]), nonce):
            raise OAuth2Error("The ID token answers another question (nonce).")
        return claims, jwk

    def _key_of(self, id_token: str) -> tuple[Any, dict[str, Any]]:
        """The issuer's key that the token names; the only one where it names none.

        As a key to verify with, and as the issuer published it.
        """
        named = jwt.get_unverified_header(id_token).get("kid")
        published = self._fetch(self.openid_config["jwks_uri"])
        keys = jwt.PyJWKSet.from_dict(published).keys
        fitting = [key for key in keys if named is None or key.key_id == named]
        if len(fitting) != 1:
            raise OAuth2Error("The issuer has no key that the ID token was signed with.")
        as_published = [
            one
            for one in published["keys"]
            if isinstance(one, dict) and one.get("kid") == fitting[0].key_id
        ]
        return fitting[0].key, as_published[0]

    def _fetch(self, url: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        with SingleSignOnAdapter().get_requests_session() as session:
            answer = session.get(url, headers=headers)
            answer.raise_for_status()
            found = answer.json()
        if not isinstance(found, dict):
            raise OAuth2Error(f"{url} answered with something else than an object.")
        return found


def application() -> SocialApp:
    """This registry at the issuer, as allauth wants it told."""
    if not configured():
        raise SocialApp.DoesNotExist
    return SocialApp(
        provider="openid_connect",
        provider_id=PROVIDER,
        name=settings.OIDC_NAME,
        client_id=settings.OIDC_CLIENT_ID,
        secret=settings.OIDC_CLIENT_SECRET,
        settings={"server_url": settings.OIDC_ISSUER, "oauth_pkce_enabled": True},
    )


class SingleSignOnAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    """allauth's single sign-on by the product's rules."""

    error_messages: ClassVar[dict[str, str]] = DefaultSocialAccountAdapter.error_messages

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """The environment alone says who may vouch for people, never a row of the database."""
        found = [application()] if configured() else []
        return [
            one
            for one in found
            if provider in (None, one.provider, one.provider_id)
            and client_id in (None, one.client_id)
        ]

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False  # ``person_for`` makes the accounts that are made

    def populate_user(
        self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]
    ) -> Any:
        return sociallogin.user  # never saved

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: Any = None,
    ) -> None:
        """The page says what to do; whoever runs the registry finds the cause in its log."""
        logger.warning(
            "single sign-on failed (%s): %s",
            request.GET.get("error", error),
            # An issuer may answer with a whole page.
            str(exception or "no state of this session, or no code")[:_LONGEST_CAUSE],
        )

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Put the account in place that the claims let in, or answer why there is none."""
        claims, at = sociallogin.claims, timezone.now()
        try:
            person = person_for(claims=claims, at=at, ip=address_of(request))
        except NotLetIn as refusal:
            sign_in_events.sign_in_failed(
                request=request, person=refusal.person, stage="single sign-on", at=at
            )
            raise ImmediateHttpResponse(
                render(request, "socialaccount/refused.html", {"refusal": refusal}, status=403)
            ) from refusal
        sociallogin.account = SocialAccount.objects.get(
            provider=PROVIDER, uid=identity_of(claims["iss"], claims["sub"])
        )
        sociallogin.user = person
