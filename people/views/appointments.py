"""Recording, confirming, ending and correcting: each says what it does before it is done."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from .. import appointments, recording
from ..errors import NotYourOffice, Refused
from ..models import Appointment, Person
from ..office_forms import (
    CorrectForm,
    EndForm,
    RecordForm,
    StandInForm,
    TakeBackForm,
    WhyForm,
    exclusive,
)
from ..offices import CEO
from ..permissions import Act, may, powers_of, require
from ..queries import accounts_of, same_human
from ..recording import Plan, effects_of
from .frame import reader_of, signed_in, today


def _find(pk: int) -> Appointment:
    return get_object_or_404(
        Appointment.objects.select_related(
            "office", "person", "recorded_by", "corrects__person", "corrects__office"
        ),
        pk=pk,
    )


def _said(one: Appointment) -> str:
    """What was recorded, and what happens now."""
    if one.counts:
        return f"Recorded: {one.person.name} as {one.title}. Everybody concerned is told by mail."
    return (
        f"Recorded: {one.person.name} as {one.title}. The CEO was asked to confirm it; until then "
        "nothing changes."
    )


@dataclass(frozen=True)
class Way:
    """A page on which what stands in the way can be settled."""

    words: str
    url: str


def ways_to_settle(refused: Refused, reader: Person) -> list[Way]:
    """Where the appointment that a refusal is about is ended, corrected or taken back."""
    one = refused.about
    if one is None:
        return []
    office = Way(
        f"See the Office of the {one.office.short}", reverse("people:office", args=[one.office.key])
    )
    if one.voided_at is None and not one.counts:
        return [Way("See what waits", reverse("people:confirm_appointment", args=[one.pk])), office]
    if (
        not one.counts
        or same_human(one.person, reader)
        or not recording.may_record_to(reader, one.office, at=timezone.now())
    ):
        return [office]
    name, ways = one.person.name, []
    if one.starts_on > today():
        ways.append(
            Way(
                f"Take back the record of {name}",
                reverse("people:take_back_appointment", args=[one.pk]),
            )
        )
    elif one.end_recorded_at is None:
        ways.append(
            Way(f"End the appointment of {name}", reverse("people:end_appointment", args=[one.pk]))
        )
    ways.append(
        Way(f"Correct the record of {name}", reverse("people:correct_appointment", args=[one.pk]))
    )
    return [*ways, office]


def _put_right(form: forms.Form, refused: Refused) -> None:
    """Say it beside the field that it is about, where the form has it."""
    form.add_error(refused.field if refused.field in form.fields else None, str(refused))


def _in_two_steps(
    request: HttpRequest,
    form: Any,
    *,
    find_out: Callable[[dict[str, Any]], Plan],
    write: Callable[[dict[str, Any], Plan], Appointment],
    template: str,
    context: dict[str, Any],
) -> HttpResponse:
    """Check first, then do exactly what was checked: whatever changed meanwhile is shown anew."""
    if request.method == "POST" and form.is_valid():
        asked = form.asked()
        try:
            planned = find_out(asked)
            if request.POST.get("step") == "record":
                if request.POST.get("checked") == planned.mark:
                    made = write(asked, planned)
                    messages.success(request, _said(made))
                    return redirect("people:office", made.office.key)
                context["changed"] = True
            context |= {
                "planned": planned,
                "effects": effects_of(
                    planned, reads_drafts=may(reader_of(request), Act.READ_DRAFT, on=today())
                ),
                "confirmer": recording.ceo_name(on=today()),
            }
        except NotYourOffice:
            raise
        except Refused as refused:
            _put_right(form, refused)
            context["ways"] = ways_to_settle(refused, reader_of(request))
    context |= {
        "section": "offices",
        "form": form,
        "today": today(),
        "may_invite": may(reader_of(request), Act.INVITE, on=today()),
    }
    return render(request, template, context, status=422 if form.errors else 200)


def _for_the_planned_office(
    verb: Callable[..., Appointment], reader: Person
) -> Callable[[dict[str, Any], Plan], Appointment]:
    """How ``verb`` writes what was asked: it takes the key of the Office that was planned."""

    def write(asked: dict[str, Any], planned: Plan) -> Appointment:
        asked = {name: value for name, value in asked.items() if name != "office"}
        return verb(**asked, office_key=planned.office.key, acting_user=reader, at=timezone.now())

    return write


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def record(request: HttpRequest) -> HttpResponse:
    """Fill in, check what it will do, record."""
    reader, on = reader_of(request), today()
    offices = recording.recordable(reader, at=timezone.now())
    if not offices:
        recording.keeper(reader, at=timezone.now())  # says whose task it is
    initial = {
        name: request.GET[name] for name in ("office", "person", "kind") if name in request.GET
    }

    def find_out(asked: dict[str, Any]) -> Plan:
        return appointments.plan_record(**asked, acting_user=reader, at=timezone.now())[0]

    return _in_two_steps(
        request,
        RecordForm(
            request.POST or None,
            initial=initial,
            offices=[one.pk for one in offices],
            today=on,
        ),
        find_out=find_out,
        write=_for_the_planned_office(appointments.record, reader),
        template="people/record.html",
        context={"title": "Record an appointment", "act": "Record the appointment"},
    )


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def propose_stand_in(request: HttpRequest) -> HttpResponse:
    """Who holds an Office names who acts for it."""
    reader, on = reader_of(request), today()
    held = require(reader, Act.PROPOSE_STAND_IN, on=on)

    def find_out(asked: dict[str, Any]) -> Plan:
        return appointments.plan_stand_in(**asked, acting_user=reader, at=timezone.now())[0]

    return _in_two_steps(
        request,
        StandInForm(
            request.POST or None,
            offices=[one.office_id for one in held if not one.acting],
            without=[*accounts_of(reader), *_accounts_of_the_ceo(on)],
            today=on,
        ),
        find_out=find_out,
        write=_for_the_planned_office(appointments.propose_stand_in, reader),
        template="people/record.html",
        context={
            "title": "Propose your stand-in",
            "act": "Propose this stand-in",
            "own_stand_in": True,
        },
    )


def _accounts_of_the_ceo(on: date) -> list[int]:
    found = Appointment.objects.on(on).filter(office__key=CEO).select_related("person")
    return [account for one in found for account in accounts_of(one.person)]


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def correct(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what is right; the wrong record is struck and stays readable."""
    reader, wrong = reader_of(request), _find(pk)
    recording.recorder(reader, wrong.office, at=timezone.now())

    def find_out(asked: dict[str, Any]) -> Plan:
        return appointments.plan_correction(
            appointment=wrong, **asked, acting_user=reader, at=timezone.now()
        )[0]

    def write(asked: dict[str, Any], planned: Plan) -> Appointment:
        return appointments.correct(
            appointment=wrong, **asked, acting_user=reader, at=timezone.now()
        )

    form = CorrectForm(
        request.POST or None,
        initial=CorrectForm.initial_of(wrong),
        wrong=wrong,
        today=today(),
    )
    return _in_two_steps(
        request,
        form,
        find_out=find_out,
        write=write,
        template="people/record.html",
        context={"title": "Correct a record", "act": "Record what is right", "wrong": wrong},
    )


# --- While it waits ---------------------------------------------------------------------------


def _confirmation(request: HttpRequest, one: Appointment, form: forms.Form) -> HttpResponse:
    """The page of what waits: what it will do, and Confirm or Refuse for the CEO."""
    reader, context = reader_of(request), {"section": "offices", "one": one, "form": form}
    if one.voided_at is None and not one.counts:
        powers = powers_of(reader, on=today())
        context["may_confirm"] = powers.may(Act.CONFIRM_APPOINTMENT)
        if context["may_confirm"] and (no := appointments.refusal_to_decide(one, reader)):
            context |= {"may_confirm": False, "not_yours": str(no)}
        context["may_take_back"] = bool(
            one.recorded_by and one.recorded_by.human_id == reader.human_id
        )
        context["take_back"] = TakeBackForm()
        try:
            planned = recording.plan_confirmation(one, at=timezone.now())
        except Refused as refused:
            context |= {"refusal": str(refused), "ways": ways_to_settle(refused, reader)}
        else:
            context |= {
                "planned": planned,
                "effects": effects_of(
                    planned,
                    reads_drafts=powers.may(Act.READ_DRAFT),
                    whose_reason=_whose_reason(one, reader),
                ),
                "begins_later": planned.starts_on != one.starts_on,
            }
    return render(
        request, "people/confirm.html", context, status=422 if request.method == "POST" else 200
    )


def _whose_reason(one: Appointment, reader: Person) -> str:
    if one.recorded_by is None or same_human(one.recorded_by, reader):
        return "your"
    return f"{one.recorded_by.name}’s"


def _after_deciding(request: HttpRequest, one: Appointment) -> HttpResponse:
    """On to the next that waits for the same decision; the last leads to its Office."""
    waiting = Appointment.objects.unconfirmed().select_related("person", "recorded_by")
    for other in waiting.order_by("recorded_at", "pk"):
        if appointments.refusal_to_decide(other, reader_of(request)) is None:
            return redirect("people:confirm_appointment", other.pk)
    return redirect("people:office", one.office.key)


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm what a co-signing Office needs, after reading what it does."""
    one = _find(pk)
    if request.method == "POST":
        require(reader_of(request), Act.CONFIRM_APPOINTMENT, on=today())
        try:
            now = recording.plan_confirmation(one, at=timezone.now())
            if request.POST.get("checked") == now.mark:
                appointments.confirm(
                    appointment=one, acting_user=reader_of(request), at=timezone.now()
                )
                messages.success(
                    request, f"Confirmed: {one.person.name} as {one.title}. Everybody is told."
                )
                return _after_deciding(request, one)
            messages.error(
                request,
                "Something changed meanwhile. Read what it does now; nothing was confirmed.",
            )
        except NotYourOffice:
            raise
        except Refused as refused:
            messages.error(request, str(refused))
    return _confirmation(request, one, WhyForm())


@signed_in
@require_POST
def refuse(request: HttpRequest, pk: int) -> HttpResponse:
    """Refuse it, with a reason."""
    one, form = _find(pk), WhyForm(request.POST)
    if not form.is_valid():
        return _confirmation(request, one, form)
    try:
        appointments.refuse(
            appointment=one,
            reason=form.cleaned_data["reason"],
            acting_user=reader_of(request),
            at=timezone.now(),
        )
    except NotYourOffice:
        raise
    except Refused as refused:
        _put_right(form, refused)
        return _confirmation(request, one, form)
    messages.success(request, f"Refused: {one.person.name} as {one.title}. It never counted.")
    return _after_deciding(request, one)


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back what does not count yet, or has not begun."""
    one, form = _find(pk), TakeBackForm(request.POST or None)
    form.fields["reason"].required = one.counts
    if request.method == "POST" and form.is_valid():
        try:
            appointments.take_back(
                appointment=one,
                reason=form.cleaned_data["reason"],
                acting_user=reader_of(request),
                at=timezone.now(),
            )
        except NotYourOffice:
            raise
        except Refused as refused:
            _put_right(form, refused)
        else:
            messages.success(request, f"Taken back: {one.person.name} as {one.title}.")
            return redirect("people:office", one.office.key)
    context = {"section": "offices", "one": one, "form": form}
    status = 422 if request.method == "POST" else 200
    return render(request, "people/take_back.html", context, status=status)


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """Give an appointment its last day."""
    reader, one = reader_of(request), _find(pk)
    recording.recorder(reader, one.office, at=timezone.now())
    form = EndForm(request.POST or None, one=one, today=today())
    if request.method == "POST" and form.is_valid():
        try:
            appointments.end(
                appointment=one, **form.cleaned_data, acting_user=reader, at=timezone.now()
            )
        except NotYourOffice:
            raise
        except Refused as refused:
            _put_right(form, refused)
        else:
            ends_on = exclusive(form.cleaned_data["last_day"])
            assert ends_on is not None  # noqa: S101 - the form asks for it
            messages.success(
                request,
                f"{one.person.name}’s last day as {one.title} is "
                f"{recording.last_day_words(ends_on)}.",
            )
            return redirect("people:office", one.office.key)
    beside = Appointment.objects.counting().filter(office=one.office).exclude(pk=one.pk)
    context = {
        "section": "offices",
        "one": one,
        "form": form,
        "follows": beside.filter(starts_on__gt=today(), acting=False).exists(),
        "own": isinstance(reader, Person) and reader.pk == one.person_id,
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "people/end.html", context, status=status)
