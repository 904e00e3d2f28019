"""Who is led to protect their account first, and what stays open until they have."""

from typing import cast

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect

from . import factors
from .calendar import company_date
from .models import Appointment, Person
from .offices import ADMINISTRATOR
from .queries import appointments_of

# Where somebody was going when they were led to protect their account first (session).
ON_THE_WAY_TO = "people.on_the_way_to"

_OPEN = {
    "people:protect",
    "mfa_add_webauthn",
    "mfa_activate_totp",
    "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes",
    "account_reauthenticate",
    "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn",
    "account_change_password",
    "account_set_password",
    "account_login",
    "account_logout",
    "boundaries:verify",
    "healthz",
    "readyz",
}
_FOR_PROGRAMS = ("/api/v1/", "/api/schema/")


def came_by_single_sign_on(request: HttpRequest) -> bool:
    """Whether this session began at the issuer: its second factor is trusted for reading."""
    records = get_authentication_records(request, request.user)
    return any(one.get("method") == "socialaccount" for one in records)


def may_go_on(request: HttpRequest) -> bool:
    """Whether the request may be answered: at most two small queries, none where nobody must."""
    person = request.user
    if settings.REQUIRE_SECOND_FACTOR == "nobody" or not person.is_authenticated:
        return True
    match = request.resolver_match
    if match is not None and match.view_name in _OPEN:
        return True
    return (
        came_by_single_sign_on(request)
        or factors.has_second_factor(person)
        or not factors.needs_second_factor(person, on=company_date(timezone.now()))
    )


def why_needed(person: Person) -> str:
    """Why ``person`` must have a second factor, as the end of a sentence; "" where nobody asks."""
    on = company_date(timezone.now())
    if not factors.needs_second_factor(person, on=on):
        return ""
    if settings.REQUIRE_SECOND_FACTOR == "everybody":
        return "because everybody here needs one"
    held = " and ".join(one.title for one in appointments_of(person, on=on))
    return f"because you hold an Office: {held}" if held else "because you hold an Office"


def way_on(request: HttpRequest) -> str:
    """Where to go once the account is protected: on, or to what is to be done first."""
    going = request.session.pop(ON_THE_WAY_TO, "")
    first = reverse(settings.LOGIN_REDIRECT_URL)
    if going in ("", "/", first) and is_alone(cast(Person, request.user)):
        return reverse("people:people")
    return str(going) or reverse("people:account")


def is_alone(person: Person) -> bool:
    """Whether ``person`` is the Administrator of a company in which no other Office is held."""
    counts = Appointment.objects.on(company_date(timezone.now()))
    if counts.exclude(office__key=ADMINISTRATOR).exists():
        return False
    return bool(counts.filter(office__key=ADMINISTRATOR, person=person).exists())


def lead_to_protection(request: HttpRequest) -> HttpResponse:
    """Answer in the asker's own way: a page, a part of one, or a program."""
    page = reverse("people:protect")
    if request.path.startswith(_FOR_PROGRAMS):
        sentence = f"Your account needs a second factor first. Add one at {page}."
        return JsonResponse({"detail": sentence}, status=403)
    if request.headers.get("HX-Request") == "true":
        return HttpResponseClientRedirect(page)
    if request.method in ("GET", "HEAD"):
        request.session[ON_THE_WAY_TO] = request.get_full_path()
    return redirect(page)
