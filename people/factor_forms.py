"""The forms of second factors: what is typed or signed at sign-in, and when one is added."""

import json
import re
from collections.abc import Callable
from typing import Any, ClassVar

from allauth.account.forms import ReauthenticateForm
from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as ReauthenticateCodeForm
from allauth.mfa.base.internal.flows import check_rate_limit
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY, generate_totp_secret
from allauth.mfa.webauthn.forms import (
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
    SignupWebAuthnForm,
)
from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from . import factors, sign_in_events
from .models import Person
from .origin import address_of

_CODE = {"class": "input", "autocomplete": "one-time-code", "inputmode": "numeric"}


def compact(code: str) -> str:
    """A code as it is compared: people type "418 204" and "4182-0417"."""
    return "".join(code.split()).replace("-", "")


def refuse_shape(code: str, *, recovery: bool) -> None:
    """Say at once what cannot be a code, before it counts as a wrong try."""
    lengths = {factors.CODE_DIGITS, factors.RECOVERY_CODE_DIGITS} if recovery else {6}
    if not (code.isascii() and code.isdigit()):
        raise ValidationError("A code has only digits.")
    if len(code) not in lengths:
        digits = "digit" if len(code) == 1 else "digits"
        if recovery:
            raise ValidationError(
                f"The code has {len(code)} {digits}. One of a code generator has 6, a recovery "
                "code 8."
            )
        raise ValidationError(f"The code has {len(code)} {digits}. Give all 6.")


class _EitherCode(forms.Form):
    """A code of the code generator, or a recovery code: each works once."""

    user: Person
    authenticator: Authenticator
    _emit_authentication_failed: Callable[[Authenticator], None]  # of allauth's form beside it

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = "Code"
        self.fields["code"].widget = forms.TextInput(attrs=_CODE)

    def clean_code(self) -> str:
        code = compact(self.cleaned_data["code"])
        refuse_shape(code, recovery=True)
        right = check_rate_limit(self.user)
        now = timezone.now()
        kind = self._kind_that_accepts(code)
        if kind is None:
            main = (
                Authenticator.objects.filter(user=self.user)
                .exclude(type=factors.PASSKEY)
                .order_by("-type")  # the code generator goes before recovery codes
                .first()
            )
            if main is not None:
                self._emit_authentication_failed(main)
            if factors.code_time_step(self.user, code, at=now) is not None:
                raise ValidationError(
                    "That code was used before. Wait until your code generator shows the next one."
                )
            raise ValidationError(
                "That code is wrong, too old or used before. Give the one that your code generator "
                "shows now, or a recovery code."
            )
        self.authenticator = Authenticator.objects.get(user=self.user, type=kind)
        self.authenticator.user = self.user
        right()
        return code

    def _kind_that_accepts(self, code: str) -> Authenticator.Type | None:
        now = timezone.now()
        if factors.use_code(self.user, code, at=now):
            return factors.CODE_GENERATOR
        if factors.use_recovery_code(self.user, code, at=now, ip=address_of(context.request)):
            return factors.RECOVERY_CODES
        return None


class SignInCodeForm(_EitherCode, AuthenticateForm):  # type: ignore[misc]  # allauth is untyped
    """The second step of signing in."""


class ConfirmPasswordForm(ReauthenticateForm):  # type: ignore[misc]  # allauth is untyped
    """Confirming with the password that it is still you."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        password = self.fields["password"]
        password.label = "Your password"
        password.widget.attrs = {"class": "input", "autocomplete": "current-password"}


class ConfirmCodeForm(_EitherCode, ReauthenticateCodeForm):  # type: ignore[misc]  # allauth is untyped
    """Confirming with a code that it is still you."""


_BASE64URL = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_LONGEST_ANSWER = 20_000  # characters; an attestation with its certificates takes a third


class AnswerField(forms.CharField):
    """What the browser's passkey answered, as JSON: what is read of it, each of its kind.

    Anything else is left out, for the answer that makes a passkey is kept.
    """

    widget = forms.HiddenInput

    def __init__(self) -> None:
        super().__init__(max_length=_LONGEST_ANSWER)

    def clean(self, value: Any) -> dict[str, Any]:
        text = super().clean(value)
        try:
            return _answer(json.loads(text))
        except factors.MADE_UP:
            raise ValidationError("No browser made this.", code="incorrect_code") from None


def _answer(told: dict[str, Any]) -> dict[str, Any]:
    response = {
        name: _base64url(told["response"][name])
        for name in (
            *("clientDataJSON", "attestationObject"),
            *("authenticatorData", "signature", "userHandle"),
        )
        if told["response"].get(name) is not None
    }
    answer: dict[str, Any] = {
        "type": "public-key",
        "id": _base64url(told["id"]),
        "rawId": _base64url(told["rawId"]),
        "response": response,
        "clientExtensionResults": {},
    }
    is_resident = ((told.get("clientExtensionResults") or {}).get("credProps") or {}).get("rk")
    if isinstance(is_resident, bool):
        answer["clientExtensionResults"] = {"credProps": {"rk": is_resident}}
    return answer


def _base64url(text: str) -> str:
    if not _BASE64URL.fullmatch(text):
        raise ValueError("not base64url")
    return text


class _UsedPasskey(forms.Form):
    """allauth says "incorrect code" of a passkey that was not accepted."""

    credential = AnswerField()
    user: Any  # the person, or None before anybody said who they are

    def clean_credential(self) -> Authenticator:
        try:
            return super().clean_credential()  # type: ignore[misc]  # of allauth's form beside it
        except (ValidationError, *factors.MADE_UP) as refused:
            if getattr(refused, "code", "incorrect_code") != "incorrect_code":
                raise
            raise _not_accepted() from None

    def clean(self) -> dict[str, Any]:
        if "credential" not in self.cleaned_data:
            self.failed()
        return super().clean() or {}

    def failed(self) -> None:
        """The log hears of it: allauth sends no signal for a passkey that was refused."""
        sign_in_events.sign_in_failed(
            request=context.request, person=self.user, stage="passkey", at=timezone.now()
        )


def _not_accepted() -> ValidationError:
    return ValidationError(
        "That passkey was not accepted: it is not one of this account, or it took too long. Try "
        "again."
    )


class SignInPasskeyForm(_UsedPasskey, LoginWebAuthnForm):  # type: ignore[misc]  # allauth is untyped
    """Signing in with a passkey alone."""

    def clean_credential(self) -> Authenticator:
        authenticator = super().clean_credential()
        if not authenticator.user.is_active:
            # Known by their passkey; told no more than a stranger.
            self.user = authenticator.user
            raise _not_accepted()
        return authenticator


class SecondStepPasskeyForm(_UsedPasskey, AuthenticateWebAuthnForm):  # type: ignore[misc]  # untyped
    """A passkey as the second step of signing in."""


class ConfirmPasskeyForm(_UsedPasskey, ReauthenticateWebAuthnForm):  # type: ignore[misc]  # untyped
    """Confirming with a passkey that it is still you."""

    def failed(self) -> None:
        sign_in_events.confirmation_failed(
            request=context.request, person=self.user, stage="passkey", at=timezone.now()
        )


class FirstPasskeyForm(SignupWebAuthnForm):  # type: ignore[misc]  # allauth is untyped
    """What the browser made, for an account that may not be there yet."""

    credential = AnswerField()

    def clean(self) -> dict[str, Any]:
        try:
            return super().clean() or {}
        except (ValidationError, *factors.MADE_UP) as refused:
            if getattr(refused, "code", "incorrect_code") != "incorrect_code":
                raise
            raise ValidationError(
                "The passkey was not added: it took too long, or the device did not ask for a "
                "PIN, finger or face. Try again."
            ) from None


class AddPasskeyForm(FirstPasskeyForm):
    """A name, and what the browser made. Every passkey of ours signs in by itself."""

    name = forms.CharField(
        required=False,
        max_length=factors.NAME_LENGTH,
        label="Name",
        help_text="So that you know it again: “MacBook, Touch ID”, “Security key, blue”.",
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )


class NamePasskeyForm(forms.Form):
    """Another name for a passkey."""

    name = forms.CharField(
        max_length=factors.NAME_LENGTH,
        label="Name",
        error_messages={"required": "Give a name, such as “MacBook, Touch ID”."},
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )

    def clean_name(self) -> str:
        name = " ".join(str(self.cleaned_data["name"]).split())
        if not name:
            raise ValidationError("Give a name, such as “MacBook, Touch ID”.")
        return name


class NewCodeGeneratorForm(forms.Form):
    """The first code of a new code generator proves that it knows the secret.

    The secret waits in the session, encrypted as it will be in the database, and stays the same
    while the page is loaded again.
    """

    code = forms.CharField(
        label="Code",
        help_text="The 6 digits that your code generator shows now.",
        error_messages={"required": "Give the 6 digits that your code generator shows now."},
        widget=forms.TextInput(attrs=_CODE),
    )
    time_step: int
    session_key: ClassVar[str] = SECRET_SESSION_KEY

    def __init__(self, *args: Any, user: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.secret = self._waiting() or self._new()

    def _waiting(self) -> str:
        kept = context.request.session.get(self.session_key)
        try:
            return factors.decrypt(kept) if kept else ""
        except factors.FactorsUnreadable:
            return ""  # nothing is lost: the code generator was not on yet

    def _new(self) -> str:
        secret: str = generate_totp_secret()
        context.request.session[self.session_key] = factors.encrypt(secret)
        return secret

    def clean_code(self) -> str:
        code = compact(self.cleaned_data["code"])
        refuse_shape(code, recovery=False)
        right = check_rate_limit(self.user, error_key="rate_limited")
        step = factors.time_step_of(self.secret, code, at=timezone.now())
        if step is None:
            raise ValidationError(
                "That code does not fit. Give the one shown now, and check that the clock of your "
                "phone is right."
            )
        right()
        self.time_step = step
        return code

    def forget_secret(self) -> None:
        context.request.session.pop(self.session_key, None)
