"""Who may act for which Office, today and on any day; and the Offices themselves."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from .. import absences, recording
from ..appointments import refusal_to_decide
from ..errors import NotYourOffice, Refused
from ..models import Appointment, Office, OfficeAbsence, Person
from ..office_forms import AbsenceForm, AddOfficeForm
from ..offices import FURTHER
from ..permissions import Act, powers_of
from ..queries import same_human
from ..seats import Register, SeatState, sum_up
from .appointments import ways_to_settle
from .frame import reader_of, signed_in, today

LINES_PER_PAGE = 25


@dataclass(frozen=True)
class TimelineLine:
    """One record in the life of an Office or a person: an appointment, or an Office's absence."""

    since: date
    appointment: Appointment | None = None
    absence: OfficeAbsence | None = None


@dataclass(frozen=True)
class Waiting:
    """What waits for the CEO's confirmation, and whether the reader decides it."""

    appointment: Appointment
    yours: bool


def may_keep(reader: Person) -> bool:
    """Whether pages offer to record: the Secretary's task, the Administrator's only at first."""
    try:
        recording.keeper(reader, at=timezone.now())
    except NotYourOffice:
        return False
    return True


def _records(appointments: QuerySet[Appointment]) -> QuerySet[Appointment]:
    return (
        appointments.select_related("office", "person", "corrects__person")
        .prefetch_related(
            Prefetch("corrections", Appointment.objects.counting(), to_attr="corrected_by")
        )
        .order_by("-starts_on", "-pk")
    )


@signed_in
@require_safe
def offices(request: HttpRequest) -> HttpResponse:
    """Every Office today, what waits for the CEO, and who held them."""
    reader, on = reader_of(request), today()
    register, powers = Register(), powers_of(reader, on=on)
    may_confirm = powers.may(Act.CONFIRM_APPOINTMENT)
    waiting = [
        Waiting(one, may_confirm and refusal_to_decide(one, reader) is None)
        for one in register.waiting
    ]
    seats = register.seats(on=on, today=on)
    context = {
        "section": "offices",
        "today": on,
        "seats": seats,
        "lead": sum_up(seats),
        "waiting": waiting,
        "first_to_decide": next((one.appointment.pk for one in waiting if one.yours), None),
        "lines": register.lines(today=on),
        "as_list": request.GET.get("as") == "list",
        "may_record": bool(recording.recordable(reader, at=timezone.now())),
        "may_propose": any(not one.acting for one in powers.by(Act.PROPOSE_STAND_IN)),
        "may_invite": powers.may(Act.INVITE),
        "may_read_permissions": powers.may(Act.READ_PERMISSIONS),
        "keeps": powers.may(Act.RECORD_APPOINTMENT) and may_keep(reader),
    }
    return render(request, "people/offices.html", context)


@signed_in
@require_safe
def office(request: HttpRequest, key: str) -> HttpResponse:
    """One Office: who holds it, and everything that was ever recorded of it."""
    reader, on = reader_of(request), today()
    one = get_object_or_404(Office.objects.select_related("part_goes_to"), key=key)
    lines = [TimelineLine(found.starts_on, found) for found in _records(one.appointments.all())]
    lines += [
        TimelineLine(found.starts_on, absence=found)
        for found in one.absences.select_related("part_goes_to")
    ]
    lines.sort(key=lambda line: line.since, reverse=True)
    keeps = may_keep(reader)
    context = {
        "section": "offices",
        "today": on,
        "office": one,
        "seat": Register().seat(one, on=on, today=on),
        "page": Paginator(lines, LINES_PER_PAGE).get_page(request.GET.get("page")),
        "may_record": recording.may_record_to(reader, one, at=timezone.now()),
        "keeps": keeps,
        "needed": one.key in absences.NEEDED,
        "not_established": SeatState.NOT_ESTABLISHED,
    }
    return render(request, "people/office.html", context)


@signed_in
@require_safe
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """One person: which Offices they hold and held."""
    reader, on = reader_of(request), today()
    one = get_object_or_404(Person, pk=pk)
    records = _records(one.appointments.all())
    powers = powers_of(reader, on=on)
    context = {
        "section": "offices",
        "today": on,
        "person": one,
        "held": [found for found in records if found.counts and _runs(found, on)],
        "page": Paginator(
            [TimelineLine(found.starts_on, found) for found in records], LINES_PER_PAGE
        ).get_page(request.GET.get("page")),
        "keeps": may_keep(reader),
        "may_manage": powers.may(Act.MANAGE_ACCOUNTS),
        "may_record": one.is_active
        and not same_human(one, reader)
        and bool(recording.recordable(reader, at=timezone.now())),
    }
    return render(request, "people/person.html", context)


def _runs(one: Appointment, on: date) -> bool:
    return one.starts_on <= on and (one.ends_on is None or on < one.ends_on)


# --- The Offices themselves -------------------------------------------------------------------


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def add_office(request: HttpRequest) -> HttpResponse:
    """Add the CMO, the CCO, Legal, or an Office of the company's own."""
    reader = reader_of(request)
    recording.keeper(reader, at=timezone.now())
    form = AddOfficeForm(request.POST or None, initial=_known_office(request.GET.get("key", "")))
    if request.method == "POST" and form.is_valid():
        try:
            made = absences.add_office(**form.cleaned_data, acting_user=reader, at=timezone.now())
        except NotYourOffice:
            raise
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"The company has the Office of the {made.short} now.")
            return redirect("people:office", made.key)
    existing = set(Office.objects.values_list("key", flat=True))
    suggested = [(key, *names) for key, names in FURTHER.items() if key not in existing]
    context = {"section": "offices", "form": form, "suggested": suggested}
    status = 422 if request.method == "POST" else 200
    return render(request, "people/office_add.html", context, status=status)


def _known_office(key: str) -> dict[str, Any]:
    if key not in FURTHER:
        return {}
    title, short = FURTHER[key]
    return {"title": title, "short": short, "co_signing": True}


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def not_established(request: HttpRequest, key: str) -> HttpResponse:
    """The company has no such Office: where its part goes, and why."""
    reader, at = reader_of(request), timezone.now()
    recording.keeper(reader, at=at)
    one = get_object_or_404(Office, key=key, established=True)
    refusal = absences.refusal_to_do_without(one, at=at)
    form = AbsenceForm(request.POST or None, takers=absences.may_take_part_of(one))
    if request.method == "POST" and form.is_valid():
        try:
            absences.not_established(
                office=one, **form.cleaned_data, acting_user=reader, at=timezone.now()
            )
        except NotYourOffice:
            raise
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"Recorded: the company has no {one.short}.")
            return redirect("people:office", one.key)
    context = {
        "section": "offices",
        "office": one,
        "form": form,
        "refusal": refusal,
        "ways": ways_to_settle(refusal, reader) if refusal else [],
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "people/office_absence.html", context, status=status)


@signed_in
@require_POST
def establish(request: HttpRequest, key: str) -> HttpResponse:
    """The company has the Office again."""
    one = get_object_or_404(Office, key=key)
    try:
        absences.establish(office=one, acting_user=reader_of(request), at=timezone.now())
    except NotYourOffice as refused:
        raise PermissionDenied(str(refused)) from refused
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(
            request,
            f"The Office of the {one.short} is established. It is vacant until you record "
            "who holds it.",
        )
    return redirect("people:office", one.key)
