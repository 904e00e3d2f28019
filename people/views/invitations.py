"""Inviting somebody, the list of invitations, and what the link in the mail opens."""

import json
from typing import Any, cast

from allauth.account.internal.flows import login as sign_in_flows
from allauth.account.models import Login
from allauth.core.internal import ratelimit
from allauth.mfa.webauthn.internal import auth as webauthn
from allauth.mfa.webauthn.internal import flows as passkey_flows
from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from .. import factors, invitations
from ..errors import NotYourOffice, Refused
from ..factor_forms import FirstPasskeyForm
from ..models import Invitation, Person
from ..origin import address_of
from ..permissions import Act, may, require
from ..telling import mail_goes_out
from .frame import reader_of, signed_in, today

PER_PAGE = 25
# Links that nobody was mailed, tried from one address: a person mistypes, a program guesses.
_GUESSES = {"invitation": "20/5m/ip"}
_LINK = "invitation_sha256"  # in the session: which invitation its link opened
_PERSON_ID = "invitation_person_id"  # in the session: whom a passkey made meanwhile will open


_MADE = "Your account is made."
_WHOLE_ADDRESS = "Give a whole e-mail address: name@company.com."


class InviteForm(forms.Form):
    name = forms.CharField(
        label="Name",
        max_length=invitations.LONGEST_NAME,
        help_text="As it should stand on documents.",
        error_messages={"required": "Give the person’s name, as it should stand on documents."},
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )
    email = forms.EmailField(
        label="Work e-mail",
        help_text="The person signs in with it.",
        error_messages={"required": _WHOLE_ADDRESS, "invalid": _WHOLE_ADDRESS},
        widget=forms.EmailInput(attrs={"class": "input", "autocomplete": "off"}),
    )
    job_title = forms.CharField(
        label="What they do",
        max_length=invitations.LONGEST_NAME,
        required=False,
        help_text="Where no Office says it: Sales manager. May stay empty.",
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )


class NewPasswordForm(forms.Form):
    """The password's own rules are the verb's to check."""

    password1 = forms.CharField(
        label="Password",
        strip=False,
        help_text="At least 12 characters. A few unrelated words are easy to keep.",
        error_messages={"required": "Type a password of at least 12 characters."},
        widget=forms.PasswordInput(attrs={"class": "input", "autocomplete": "new-password"}),
    )
    password2 = forms.CharField(
        label="Password, once more",
        strip=False,
        error_messages={"required": "Type the same password again."},
        widget=forms.PasswordInput(attrs={"class": "input", "autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("password2") and cleaned.get("password1") != cleaned["password2"]:
            self.add_error("password2", "The two passwords differ. Type the same one twice.")
        return cleaned


# --- For the Administrator --------------------------------------------------------------------


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HttpRequest) -> HttpResponse:
    """Whom to invite; afterwards that it was sent, with the link where no mail goes out."""
    reader = reader_of(request)
    require(reader, Act.INVITE, on=today())
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            invitation, link = invitations.invite(
                **form.cleaned_data, acting_user=reader, at=timezone.now()
            )
        except invitations.InvalidInvitee as refused:
            form.add_error(refused.field, str(refused))
        except NotYourOffice:
            raise
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            return _sent(request, invitation, link)
    context = {"section": "offices", "form": form, "days": settings.INVITATION_DAYS}
    status = 422 if request.method == "POST" else 200
    return render(request, "people/invite.html", context, status=status)


def _sent(request: HttpRequest, invitation: Invitation, link: str) -> HttpResponse:
    """Said in the list; where no mail goes out, on a page of its own, the only one with the link.

    The link is kept nowhere, so that page is the answer to the POST and cannot be asked for again.
    """
    if not mail_goes_out():
        context = {"section": "offices", "invitation": invitation, "link": link}
        response = render(request, "people/invitation_link.html", context)
        response["Cache-Control"] = "no-store"
        return response
    messages.success(
        request, f"The invitation of {invitation.name} is on its way to {invitation.email}."
    )
    return redirect("people:invitations")


@require_safe
@signed_in
def invitation_list(request: HttpRequest) -> HttpResponse:
    """Everybody who was ever invited, newest first, and what became of it."""
    reader, on = reader_of(request), today()
    may_invite = may(reader, Act.INVITE, on=on)
    if not may_invite and not may(reader, Act.RECORD_APPOINTMENT, on=on):
        require(reader, Act.INVITE, on=on)
    found = Invitation.objects.select_related("person")
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    context = {"section": "offices", "page": page, "may_invite": may_invite, "now": timezone.now()}
    return render(request, "people/invitations.html", context)


@require_POST
@signed_in
def send_again(request: HttpRequest, pk: int) -> HttpResponse:
    require(reader_of(request), Act.INVITE, on=today())  # others learn not even which there are
    invitation = get_object_or_404(Invitation, pk=pk)
    try:
        invitation, link = invitations.send_again(
            invitation=invitation, acting_user=reader_of(request), at=timezone.now()
        )
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("people:invitations")
    return _sent(request, invitation, link)


@require_POST
@signed_in
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    require(reader_of(request), Act.INVITE, on=today())
    invitation = get_object_or_404(Invitation, pk=pk)
    try:
        invitations.revoke(invitation=invitation, acting_user=reader_of(request), at=timezone.now())
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(
            request, f"The invitation of {invitation.name} is revoked: its link opens nothing."
        )
    return redirect("people:invitations")


# --- For whoever was invited ------------------------------------------------------------------


@never_cache
@require_safe
def link(request: HttpRequest, token: str) -> HttpResponse:
    """Take the secret out of the address: it would stay in the history and in what is logged."""
    if _guesses(request, dry_run=True):
        return cast(HttpResponse, ratelimit.respond_429(request))
    try:
        invitation = invitations.find(token, at=timezone.now())
    except invitations.LinkDead as dead:
        if isinstance(dead, invitations.LinkUnknown):
            _guesses(request)
        return _nothing_to_accept(request, dead)
    if request.method == "GET":
        invitations.mark_opened(invitation, at=timezone.now())
        request.session.cycle_key()  # whoever knew the session before knows nothing of it now
        request.session[_LINK] = invitation.token_sha256
        request.session.pop(_PERSON_ID, None)
    response = redirect("people:accept")
    response["Referrer-Policy"] = "no-referrer"
    return response


@never_cache
@sensitive_post_parameters("password1", "password2", "credential")
@require_http_methods(["GET", "HEAD", "POST"])
def accept(request: HttpRequest) -> HttpResponse:
    """Choose a password or a passkey; the account is made, and its owner is signed in."""
    if request.user.is_authenticated:
        return _signed_in_already(request)
    try:
        invitation = invitations.find_by_sha256(request.session.get(_LINK, ""), at=timezone.now())
        if "credential" in request.POST:
            return _accept_with_passkey(request, invitation)
        return _accept_with_password(request, invitation)
    except (invitations.LinkDead, invitations.AddressHasAccount) as dead:
        return _nothing_to_accept(request, dead)


def _accept_with_password(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    form = NewPasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            person = invitations.accept(
                invitation=invitation,
                password=form.cleaned_data["password1"],
                at=timezone.now(),
                ip=address_of(request),
            )
        except invitations.PasswordTooWeak as refused:
            form.add_error("password1", str(refused))
        else:
            _forget(request)
            messages.success(request, _MADE)
            login = Login(user=person, email=person.email)
            credentials = {"email": person.email}
            return sign_in_flows.perform_password_login(request, credentials, login)  # type: ignore[no-any-return]  # allauth is untyped
    return _offer(request, invitation, form)


def _accept_with_passkey(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    """The account is made in the transaction that keeps its passkey, or not at all."""
    planned = _planned(request, invitation)
    form = FirstPasskeyForm(request.POST, user=planned)
    if not form.is_valid():
        return _offer(
            request,
            invitation,
            NewPasswordForm(),
            problem="The passkey was not accepted: it took too long, or the device did not ask "
            "for a PIN, finger or face. Try again.",
        )
    try:
        person = invitations.accept(
            invitation=invitation,
            passkey=invitations.NewPasskey(planned.pk, form.cleaned_data["credential"]),
            at=timezone.now(),
            ip=address_of(request),
        )
    except factors.NotAPasskey as refused:
        return _offer(request, invitation, NewPasswordForm(), problem=str(refused))
    _forget(request)
    passkey = factors.passkeys_of(person)[0]
    messages.success(
        request,
        f"{_MADE} Add a second passkey or set a password: with one passkey you could lock "
        "yourself out.",
    )
    login = Login(user=person, email=person.email, redirect_url=reverse("people:account"))
    return passkey_flows.perform_passwordless_login(request, passkey, login)  # type: ignore[no-any-return]  # allauth is untyped


def _offer(
    request: HttpRequest, invitation: Invitation, form: NewPasswordForm, *, problem: str = ""
) -> HttpResponse:
    obstacle = factors.passkey_obstacle(request)
    options = ""
    if not obstacle:
        planned = _planned(request, invitation)
        options = json.dumps(webauthn.begin_registration(planned, passwordless=True))
    context = {
        "invitation": invitation,
        "form": form,
        "problem": problem,
        "passkey_obstacle": obstacle,
        "passkey_options": options,
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "people/accept.html", context, status=status)


def _planned(request: HttpRequest, invitation: Invitation) -> Person:
    """The person as a passkey has to know them, before there is an account. Never saved."""
    if _PERSON_ID not in request.session:
        request.session[_PERSON_ID] = invitations.reserve_person_id()
    return Person(pk=request.session[_PERSON_ID], email=invitation.email, name=invitation.name)


def _forget(request: HttpRequest) -> None:
    for key in (_LINK, _PERSON_ID):
        request.session.pop(key, None)


def _nothing_to_accept(request: HttpRequest, refused: Refused) -> HttpResponse:
    """Say why the link opens nothing, and what to do."""
    _forget(request)
    if isinstance(refused, invitations.LinkUnknown):
        status = 404
    else:
        status = 410 if isinstance(refused, invitations.LinkDead) else 409
    has_account = isinstance(refused, invitations.LinkUsed | invitations.AddressHasAccount)
    context = {"why": str(refused), "code": refused.code, "has_account": has_account}
    return render(request, "people/invitation_dead.html", context, status=status)


def _signed_in_already(request: HttpRequest) -> HttpResponse:
    """An invitation opened where somebody is signed in: it would make a second account."""
    if not request.session.get(_LINK):
        return redirect(settings.LOGIN_REDIRECT_URL)
    _forget(request)
    return render(request, "people/invitation_signed_in.html", status=409)


def _guesses(request: HttpRequest, *, dry_run: bool = False) -> bool:
    """Count one link that opens nothing; whether this address has tried too many."""
    return not ratelimit.consume(
        request,
        app="people",
        action="invitation",
        config=_GUESSES,
        dry_run=dry_run,
        limit_get=True,
    )
