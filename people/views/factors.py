"""The pages of second factors. allauth's views lead the way; what changes a factor is our verb.

They stand before allauth's own at the same addresses (``people.factor_urls``).
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Concatenate, ParamSpec, cast

import segno
from allauth.account.decorators import reauthentication_required
from allauth.account.internal.stagekit import get_pending_stage
from allauth.account.views import PasswordSetView
from allauth.account.views import ReauthenticateView as PasswordReauthenticateView
from allauth.mfa.base.views import AuthenticateView, ReauthenticateView
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView, ViewRecoveryCodesView
from allauth.mfa.webauthn.internal.auth import begin_registration
from allauth.mfa.webauthn.views import AddWebAuthnView, ReauthenticateWebAuthnView
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.safestring import mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from django.views.generic.edit import FormView

from .. import factors
from ..errors import Refused
from ..factor_forms import (
    AddPasskeyForm,
    ConfirmPasswordForm,
    NamePasskeyForm,
    NewCodeGeneratorForm,
)
from ..factor_policy import ON_THE_WAY_TO, way_on, why_needed
from ..origin import address_of
from .frame import reader_of, today

_fresh = reauthentication_required(app="allauth.mfa")
P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def fresh(view: "View[P]") -> "View[P]":
    """Only for whoever confirmed within the last 5 minutes who they are; others do so first."""
    return cast("View[P]", _fresh(view))


class Unprocessable:
    """A form that does not hold is shown again with 422, as everywhere in the product."""

    def form_invalid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_invalid(form)  # type: ignore[misc]  # of the view beside it
        if response.status_code == 200:
            response.status_code = 422
        return response


# --- Signing in, and confirming that it is still you ------------------------------------------


@method_decorator(never_cache, name="dispatch")
class SecondStep(Unprocessable, AuthenticateView):  # type: ignore[misc]  # allauth is untyped
    """After the password: a passkey, a code, or a recovery code."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Begin anew where the first step no longer counts, before a code is used up for it."""
        stage = get_pending_stage(request)
        if stage is not None:
            person = stage.login.user
            since = datetime.fromtimestamp(stage.login.initiated_at, UTC)
            changed = person.password_changed_at is not None and person.password_changed_at > since
            if changed or not person.is_active:
                return stage.abort()  # type: ignore[no-any-return]
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        person = self.stage.login.user
        return context | {
            "has_passkey": bool(factors.passkeys_of(person)),
            "has_generator": factors.code_generator_of(person) is not None,
            "options": json.dumps(context["js_data"]["request_options"]),
            "obstacle": factors.passkey_obstacle(self.request),
        }


class ConfirmByPassword(Unprocessable, PasswordReauthenticateView):  # type: ignore[misc]  # untyped
    """It is still you: by password."""

    def get_form_class(self) -> type[ConfirmPasswordForm]:
        return ConfirmPasswordForm


class ConfirmByCode(Unprocessable, ReauthenticateView):  # type: ignore[misc]  # allauth is untyped
    """It is still you: by a code."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        generator = factors.code_generator_of(reader_of(self.request))
        return context | {"has_generator": generator is not None}


class ConfirmByPasskey(ReauthenticateWebAuthnView):  # type: ignore[misc]  # allauth is untyped
    """It is still you: by a passkey."""

    def form_invalid(self, form: Any) -> HttpResponse:
        context = self.get_context_data() | {"form": form}
        return self.render_to_response(context, status=422)  # type: ignore[no-any-return]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {
            "options": json.dumps(context["js_data"]["request_options"]),
            "obstacle": factors.passkey_obstacle(self.request),
        }


@method_decorator(_fresh, name="dispatch")
class SetPassword(Unprocessable, PasswordSetView):  # type: ignore[misc]  # allauth is untyped
    """A first password for an account that has none."""

    success_url = reverse_lazy("people:account")

    def form_valid(self, form: Any) -> HttpResponse:
        """Recovery codes follow a password: whoever has a factor gets theirs with the first one."""
        response: HttpResponse = super().form_valid(form)
        person, request = reader_of(self.request), self.request
        if factors.recovery_codes_of(person) is None and factors.has_second_factor(person):
            factors.make_recovery_codes(
                acting_user=person, at=timezone.now(), ip=address_of(request)
            )
            return redirect("mfa_view_recovery_codes")
        return response


# --- Passkeys ---------------------------------------------------------------------------------


@method_decorator(never_cache, name="dispatch")
class AddPasskey(AddWebAuthnView):  # type: ignore[misc]  # allauth is untyped
    """Add a passkey: one that signs in by itself, and asks for a PIN, finger or face."""

    def get_form_class(self) -> type[AddPasskeyForm]:
        return AddPasskeyForm

    def form_valid(self, form: AddPasskeyForm) -> HttpResponse:
        try:
            made_codes = factors.add_passkey(
                name=form.cleaned_data["name"],
                credential=form.cleaned_data["credential"],
                acting_user=reader_of(self.request),
                at=timezone.now(),
                ip=address_of(self.request),
            )
        except Refused as refused:
            form.add_error(None, str(refused))
            return self.form_invalid(form)
        messages.success(self.request, "The passkey is added.")
        return _on(self.request, made_codes=made_codes)

    def form_invalid(self, form: AddPasskeyForm) -> HttpResponse:
        return self.render_to_response(  # type: ignore[no-any-return]
            self.get_context_data() | {"form": form}, status=422
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = FormView.get_context_data(self, **kwargs)
        options = begin_registration(reader_of(self.request), passwordless=True)
        return context | {
            "options": json.dumps(options),
            "obstacle": factors.passkey_obstacle(self.request),
        }


def _on(request: HttpRequest, *, made_codes: bool) -> HttpResponse:
    """After a factor: its recovery codes first, then on to where the person was going."""
    if made_codes:
        return redirect("mfa_view_recovery_codes")
    waits = ON_THE_WAY_TO in request.session
    return redirect(way_on(request) if waits else "people:account")


def _passkey_or_404(request: HttpRequest, pk: int) -> Any:
    found = next((one for one in factors.passkeys_of(reader_of(request)) if one.pk == pk), None)
    if found is None:
        raise Http404("You have no such passkey.")
    return found


@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def rename_passkey(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a passkey another name."""
    passkey = _passkey_or_404(request, pk)
    form = NamePasskeyForm(request.POST or None, initial={"name": passkey.wrap().name})
    if request.method == "POST" and form.is_valid():
        name = form.cleaned_data["name"]
        try:
            factors.rename_passkey(
                factor_id=pk, name=name, acting_user=reader_of(request), at=timezone.now()
            )
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"The passkey is called “{name}” now.")
            return redirect("people:account")
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "passkey": passkey}
    return render(request, "mfa/webauthn/edit_form.html", context, status=status)


def _remove(request: HttpRequest, factor: Any, template: str, done: str) -> HttpResponse:
    factor.user = reader_of(request)
    kept = factors.why_kept(factor, on=today())
    if request.method == "POST":
        try:
            factors.remove_factor(
                factor_id=factor.pk,
                acting_user=reader_of(request),
                at=timezone.now(),
                ip=address_of(request),
            )
        except Refused as refused:
            kept = str(refused)
        else:
            messages.success(request, done)
            return redirect("people:account")
    context = {"factor": factor, "kept": kept, "is_last": _is_last(request)}
    return render(request, template, context, status=422 if request.method == "POST" else 200)


def _is_last(request: HttpRequest) -> bool:
    return factors.factors_of(reader_of(request)).count() == 1


@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def remove_passkey(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a passkey, or say why it must stay."""
    passkey = _passkey_or_404(request, pk)
    template = "mfa/webauthn/authenticator_confirm_delete.html"
    return _remove(request, passkey, template, "The passkey is removed.")


# --- The code generator -----------------------------------------------------------------------


@fresh
@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def add_code_generator(request: HttpRequest) -> HttpResponse:
    """Set up a code generator, or move it to a new phone."""
    person = reader_of(request)
    form = NewCodeGeneratorForm(request.POST or None, user=person)
    if request.method == "POST" and form.is_valid():
        made_codes = factors.add_code_generator(
            secret=form.secret,
            time_step=form.time_step,
            acting_user=person,
            at=timezone.now(),
            ip=address_of(request),
        )
        form.forget_secret()
        messages.success(request, "The code generator is on.")
        return _on(request, made_codes=made_codes)
    url = factors.FactorAdapter().build_totp_url(person, form.secret)
    context = {
        "form": form,
        "qr": qr(url),
        "url": url,
        "secret": " ".join(form.secret[i : i + 4] for i in range(0, len(form.secret), 4)),
        "moves": factors.code_generator_of(person) is not None,
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "mfa/totp/activate_form.html", context, status=status)


def qr(text: str) -> str:
    """``text`` as a QR code: SVG that stands in the page, dark on light in both themes.

    The Content-Security-Policy lets no image come from a data: address.
    """
    svg: str = segno.make(text, micro=False, error="m").svg_inline(
        border=4, dark="black", light="white", omitsize=True, svgclass=None, lineclass=None
    )
    return mark_safe(svg)  # noqa: S308 - segno draws paths; no text goes in


@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def remove_code_generator(request: HttpRequest) -> HttpResponse:
    """Turn the code generator off, or say why it must stay."""
    generator = factors.code_generator_of(reader_of(request))
    if generator is None:
        return redirect("people:account")
    template = "mfa/totp/deactivate_form.html"
    return _remove(request, generator, template, "The code generator is off.")


# --- Recovery codes ---------------------------------------------------------------------------


@method_decorator(_fresh, name="dispatch")
@method_decorator(never_cache, name="dispatch")
class RecoveryCodes(ViewRecoveryCodesView):  # type: ignore[misc]  # allauth is untyped
    """The recovery codes, shown once; then on to where the person was going."""

    http_method_names = ("get", "options")  # HEAD would count as shown, and show nothing

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {
            "codes": context["unused_codes"] if context["can_view_codes"] else [],
            "left": factors.recovery_codes_of(reader_of(self.request)),
            "go_on": way_on(self.request),
        }


class MakeRecoveryCodes(Unprocessable, GenerateRecoveryCodesView):  # type: ignore[misc]  # untyped
    """Make new recovery codes in place of the former ones."""

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            factors.make_recovery_codes(
                acting_user=reader_of(self.request), at=timezone.now(), ip=address_of(self.request)
            )
        except Refused as refused:
            form.add_error(None, str(refused))
            return self.form_invalid(form)
        return redirect("mfa_view_recovery_codes")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = FormView.get_context_data(self, **kwargs)
        person = reader_of(self.request)
        return context | {
            "left": factors.recovery_codes_of(person),
            "first_step": factors.has_first_step(person),
        }


# --- Protect your account ---------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD"])
def protect(request: HttpRequest) -> HttpResponse:
    """Where whoever needs a second factor is led until there is one."""
    if factors.has_second_factor(reader_of(request)):
        return redirect("people:account")
    context = {
        "obstacle": factors.passkey_obstacle(request),
        "why": why_needed(reader_of(request)),
    }
    return render(request, "people/protect.html", context)


def to_account(request: HttpRequest) -> HttpResponse:
    """allauth's lists of factors: the page of the own account shows them."""
    return redirect("people:account")
