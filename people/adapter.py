"""Sign-in policy: who gets in by allauth, where to, and what is said of it."""

from typing import Any, ClassVar, Protocol
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.core import context
from allauth.core.internal import ratelimit
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme

from . import factors, sign_in_events
from .models import Person
from .origin import address_of


class _Usage(Protocol):
    def rollback(self) -> None: ...


class ResetLinks(PasswordResetTokenGenerator):
    """Links that set a new password. Each works once, and none for a deactivated account."""

    def check_token(self, user: Any, token: str | None) -> bool:
        return bool(user and user.is_active and super().check_token(user, token))


class InvitationOnlyAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    """Close the sign-up that allauth would otherwise offer, and refuse in the product's words."""

    error_messages: ClassVar[dict[str, str]] = {
        **DefaultAccountAdapter.error_messages,
        # The same sentence for an unknown address, a wrong password and a deactivated account.
        "email_password_mismatch": "E-mail and password do not belong together. Check both.",
        "enter_current_password": "That is not your current password.",
        "incorrect_password": "That is not your password.",
        "too_many_login_attempts": "Too many failed tries. Wait five minutes, then try again.",
        "account_inactive": "This account is not active. Ask your company's Administrator.",
        "rate_limited": "Too many requests in a short time. Wait a minute, then try again.",
        "invalid_password_reset": "This link no longer works. Ask for a new one.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    # --- Where to

    def is_safe_url(self, url: str) -> bool:
        """Whether to go on to ``url``: only to a path of this registry, never to any host.

        allauth's own rule lets every name in ALLOWED_HOSTS pass, and so this machine's.
        """
        if not url or not url.startswith("/") or "\\" in url:
            return False
        return url_has_allowed_host_and_scheme(url, allowed_hosts=None) and not urlsplit(url).netloc

    # --- In and out

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count a try before it is looked at: a right password is refused like a wrong one."""
        self._tries: list[_Usage] = []
        try:
            super().pre_authenticate(request, **credentials)
            self._tries.append(self._login_failed_rl_usage)
            # However many addresses somebody guesses from, one account bears only so many.
            anywhere = ratelimit.consume(
                request,
                app="allauth.account",
                action="login_failed_anywhere",
                key=credentials.get("email", "").lower(),
            )
            if not anywhere:
                raise self.validation_error("too_many_login_attempts")
            self._tries.append(anywhere)
        except ValidationError:
            sign_in_events.sign_in_limited(
                request=request, person=_known(credentials), at=timezone.now()
            )
            raise

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Who tries what from where: a stranger elsewhere does not lock somebody out."""
        login = credentials.get("email", "").lower()
        return f"{login} {ratelimit.truncate_ip(address_of(request))}"

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Person | None:
        """The person whom the credentials belong to.

        allauth would lead a deactivated person with a right password to a page that says so; here
        they get the answer that a wrong password gets.
        """
        self.pre_authenticate(request, **credentials)
        person = authenticate(request, **credentials)
        AuthenticationBackend.unstash_authenticated_user()
        if isinstance(person, Person):
            # Taking back only this try keeps a guesser's own sign-ins from clearing the others.
            for usage in self._tries:
                usage.rollback()
            return person
        self.authentication_failed(request, **credentials)
        return None

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        at, person = timezone.now(), _known(credentials)
        if request.user.is_authenticated:
            sign_in_events.confirmation_failed(
                request=request, person=request.user, stage="password", at=at
            )
        else:
            sign_in_events.sign_in_failed(request=request, person=person, stage="password", at=at)

    @transaction.atomic
    def login(self, request: HttpRequest, user: Person) -> None:
        """Begin the session; without its event there is none."""
        super().login(request, user)
        sign_in_events.signed_in(request=request, person=user, at=timezone.now())
        if sign_in_events.method_of(request, user) == "recovery code":
            self._say_what_is_left(request, user)

    def _say_what_is_left(self, request: HttpRequest, user: Person) -> None:
        """A recovery code stood in for a factor that is gone: lead to a new one."""
        codes = factors.recovery_codes_of(user)
        messages.warning(
            request,
            format_html(
                "You signed in with a recovery code. {} of {} are left. "
                '<a href="{}">Add a new passkey or code generator</a> now.',
                codes.left if codes else 0,
                codes.made if codes else 0,
                reverse("people:account"),
            ),
        )

    @transaction.atomic
    def logout(self, request: HttpRequest) -> None:
        if request.user.is_authenticated:
            sign_in_events.signed_out(request=request, person=request.user, at=timezone.now())
        super().logout(request)

    def is_reauthentication_required(self, *, app: str = "", **kwargs: Any) -> bool:
        """Whoever signed in within the last 5 minutes has just shown who they are."""
        if sign_in_events.confirmed_by_signing_in(context.request, at=timezone.now()):
            return False
        return bool(super().is_reauthentication_required(app=app, **kwargs))

    def get_reauthentication_methods(self, user: Person) -> list[dict[str, Any]]:
        ways = super().get_reauthentication_methods(user)
        return factors.best_first(ways, context.request)

    # --- Passwords

    def set_password(self, user: Person, password: str) -> None:
        sign_in_events.set_password(
            request=self.request, person=user, password=password, at=timezone.now()
        )

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("people:account")

    def get_reset_password_from_key_url(self, key: str) -> str:
        """The path only: mails know the address that people type."""
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        return path.replace("UID-KEY", key)

    def send_password_reset_mail(self, user: Person, email: str, context: dict[str, Any]) -> None:
        by_single_sign_on = (
            not user.has_usable_password() and SocialAccount.objects.filter(user=user).exists()
        )
        sign_in_events.reset_asked(
            request=self.request,
            person=user,
            link_path="" if by_single_sign_on else context["password_reset_url"],
            hours=settings.PASSWORD_RESET_TIMEOUT // 3600,
            at=timezone.now(),
        )

    # --- Mails

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: each verb tells what people should know, in the transaction of the change."""

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """allauth's own mails would pass the outgoing table by; none is left that it sends."""
        raise NotImplementedError(f"The registry has no words for {template_prefix}.")


def _known(credentials: dict[str, Any]) -> Person | None:
    return Person.objects.filter(email__iexact=credentials.get("email", "")).first()
