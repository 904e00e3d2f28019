"""The page of the own account: what protects it, where it is signed in, how it reads."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, cast
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from .. import factors, tokens
from ..calendar import DATE_LANGUAGES, company_zone, zone_of
from ..errors import Refused
from ..models import Appointment, NewsByMail, Person
from ..origin import address_of
from ..permissions import Act, entitling_appointments
from ..registry import account_facts
from ..security import lately
from ..sessions import sessions_of
from ..settings_of_person import save_news_by_mail, save_reading
from .frame import reader_of, signed_in, today

_NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")


class ReadingForm(forms.Form):
    """In which zone and how somebody reads times and dates."""

    time_zone = forms.ChoiceField(
        label="Time zone",
        required=False,
        widget=forms.Select(attrs={"class": "input"}),
    )
    date_language = forms.ChoiceField(
        label="Dates are written",
        required=False,
        choices=DATE_LANGUAGES,
        widget=forms.Select(attrs={"class": "input"}),
    )

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {"time_zone": person.time_zone, "date_language": person.date_language}
        zone = cast(forms.ChoiceField, self.fields["time_zone"])
        of_the_company = ("", f"The company’s: {spoken(company_zone())}")
        zone.choices = [of_the_company, *zones(kept=person.time_zone)]


class NewsForm(forms.Form):
    """How soon somebody's news is mailed."""

    news_by_mail = forms.ChoiceField(
        label="News by mail",
        choices=NewsByMail.choices,
        widget=forms.RadioSelect,
        help_text=(
            "Comments, mentions, proposed changes, edits, contests and vetoes in drafts that you "
            "take part in. What waits for your own act, such as a signature, is always mailed."
        ),
    )

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {"news_by_mail": person.news_by_mail}


def spoken(zone: ZoneInfo) -> str:
    """ "America/New York": a zone as people read it."""
    return zone.key.replace("_", " ")


def zones(kept: str) -> list[tuple[str, str]]:
    """The zones to choose from: UTC, those named by a place, and the one that is set."""
    named = sorted(_places() | ({kept} - {"", "UTC"}))
    return [("UTC", "UTC"), *((one, one.replace("_", " ")) for one in named)]


@cache
def _places() -> frozenset[str]:
    """The names in use, one for each place: ``zone.tab`` lists no former ones."""
    table = (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return frozenset(row[2] for row in rows) & available_timezones()


@dataclass(frozen=True)
class StandIn:
    """A stand-in for one of the reader's Offices, now or to come."""

    appointment: Appointment
    runs: bool


def _stand_ins(person: Person, *, on: date) -> list[StandIn]:
    """Acting appointments of others for the Offices that ``person`` holds: now and coming."""
    held = Appointment.objects.on(on).filter(person=person, acting=False).values("office")
    found = (
        Appointment.objects.counting()
        .filter(Q(ends_on__gt=on), office__in=held, acting=True)
        .exclude(person=person)
        .select_related("person", "office")
        .order_by("starts_on", "pk")
    )
    return [StandIn(one, one.starts_on <= on) for one in found]


def counted(number: int, one: str, many: str) -> str:
    """ "Two passkeys", "A code generator": a number in words, as a sentence begins."""
    if number == 1:
        return f"{'An' if one[0] in 'aeiou' else 'A'} {one}"
    return f"{_NUMBERS[number] if number < len(_NUMBERS) else number} {many}"


def protected_by(person: Person, *, passkeys: int, generator: bool, signed_in_on: int) -> str:
    """What protects the account and where it is signed in, in a sentence."""
    kinds = []
    if passkeys:
        kinds.append(counted(passkeys, "passkey", "passkeys"))
    if generator:
        kinds.append("a code generator" if passkeys else "A code generator")
    if kinds:
        verb = "protects" if len(kinds) == 1 and passkeys <= 1 else "protect"
        protects = f"{' and '.join(kinds)} {verb} it."
    elif person.has_usable_password():
        protects = "Only your password protects it."
    else:
        protects = "Your company’s single sign-on protects it."
    devices = (
        "this device"
        if signed_in_on <= 1
        else f"{_NUMBERS[signed_in_on].lower()} devices"
        if signed_in_on < len(_NUMBERS)
        else f"{signed_in_on} devices"
    )
    return f"{protects} You are signed in on {devices}."


def _context(
    request: HttpRequest, form: ReadingForm | None = None, news_form: NewsForm | None = None
) -> dict[str, Any]:
    person, on, now = reader_of(request), today(), timezone.now()
    passkeys = factors.passkeys_of(person)
    generator = factors.code_generator_of(person)
    sessions = sessions_of(request)
    offices = list(
        Appointment.objects.on(on)
        .filter(person=person)
        .select_related("office")
        .order_by("office__position", "pk")
    )
    return {
        "section": "account",
        "lead": protected_by(
            person,
            passkeys=len(passkeys),
            generator=generator is not None,
            signed_in_on=len(sessions),
        ),
        "passkeys": passkeys,
        "generator": generator,
        "recovery_codes": factors.recovery_codes_of(person),
        "first_step": factors.has_first_step(person),
        # Accepting an invitation sets it in the moment that makes the account.
        "password_changed": person.password_changed_at not in (None, person.date_joined),
        "needs": not (passkeys or generator) and factors.needs_second_factor(person, on=on),
        "offices": offices,
        "stand_ins": _stand_ins(person, on=on) if any(not one.acting for one in offices) else [],
        "holds": [one for one in offices if not one.acting],
        "may_propose_stand_in": any(
            not one.acting for one in entitling_appointments(person, Act.PROPOSE_STAND_IN, on=on)
        ),
        "sessions": sessions,
        "tokens": tokens.tokens_of(person, at=now),
        "lately": lately(person, limit=3),
        "facts": account_facts(person),
        "address": person.email.split("@", 1),
        "zone": spoken(zone_of(person)),
        "form": form or ReadingForm(person=person),
        "news_form": news_form or NewsForm(person=person),
    }


@signed_in
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """What protects the account, where it is signed in, how it reads, who stands in."""
    return render(request, "people/account.html", _context(request))


@signed_in
@require_POST
def reading(request: HttpRequest) -> HttpResponse:
    """Save the own time zone and language of dates."""
    form = ReadingForm(request.POST, person=reader_of(request))
    if form.is_valid():
        try:
            save_reading(
                person=reader_of(request),
                **form.cleaned_data,
                acting_user=reader_of(request),
                at=timezone.now(),
            )
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, "Times and dates are shown this way from now on.")
            return redirect("people:account")
    return render(request, "people/account.html", _context(request, form), status=422)


@signed_in
@require_POST
def news_by_mail(request: HttpRequest) -> HttpResponse:
    """Save how soon the own news is mailed."""
    form = NewsForm(request.POST, person=reader_of(request))
    if not form.is_valid():
        return render(request, "people/account.html", _context(request, news_form=form), status=422)
    save_news_by_mail(
        person=reader_of(request),
        **form.cleaned_data,
        acting_user=reader_of(request),
        at=timezone.now(),
    )
    messages.success(request, "News is mailed this way from now on.")
    return redirect("people:account")


@signed_in
@require_POST
def revoke_token(request: HttpRequest) -> HttpResponse:
    """End one of the own API tokens."""
    try:
        known_as = tokens.revoke_token(
            digest=request.POST.get("token", ""),
            acting_user=reader_of(request),
            at=timezone.now(),
            ip=address_of(request),
        )
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, f"The token {known_as}… is revoked: it reads nothing any more.")
    return redirect("people:account")
