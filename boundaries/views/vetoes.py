"""The CFO's veto of a row, lifting it, and the CEO's order that clears it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from people.calendar import company_country, company_date
from people.errors import NotYourOffice, Refused
from people.permissions import Act, require

from .. import vetoes
from ..clock import clock
from ..drafting import row_text
from ..errors import VetoEnded
from ..models import Row, Veto
from ..veto_forms import LiftForm, OrderForm, VetoForm
from .drafting import clause_of
from .frame import find, frame, reader_of, signed_in_verb, to_revision, today


def _row(request: HttpRequest, number: str, n: int, position: int) -> Row:
    revision = find(request, number, n)
    row = clause_of(revision, f"row-{position}")
    assert isinstance(row, Row)  # noqa: S101 - asked for a row; tells the type checker
    return row


def _standing(row: Row) -> Veto | None:
    veto = row.vetoes.filter(lifted_at__isnull=True, ordered_at__isnull=True).first()
    if veto is not None:
        veto.row, veto.revision = row, row.revision
    return veto


def _context(request: HttpRequest, row: Row, veto: Veto | None) -> dict[str, Any]:
    revision, on = row.revision, today()
    context, _ = frame(revision, reader_of(request))
    if not context["may"].read_draft:
        raise Http404("No such row, or not one that you may read.")
    ticking = None
    if veto is not None and revision.is_draft and not vetoes.is_open(veto, today=on):
        ticking = clock(
            vetoes.limit_of(veto), days=vetoes.ORDER_AFTER, today=on, country=company_country()
        )
    return context | {
        "row": row,
        "drafted": row_text(row),
        "veto": veto,
        "limit": vetoes.limit_of(veto) if veto else None,
        "open": veto is not None and vetoes.is_open(veto, today=on),
        "clock": ticking,
        "days": vetoes.ORDER_AFTER,
        "moments": vetoes.history(revision, row),
        "refusal": "",
    }


def _answer(
    request: HttpRequest, template: str, context: dict[str, Any], form: forms.Form
) -> HttpResponse:
    status = 422 if request.method == "POST" else 200
    return render(request, template, context | {"form": form}, status=status)


@signed_in_verb
@require_http_methods(["GET", "HEAD", "POST"])
def veto(request: HttpRequest, number: str, n: int, position: int) -> HttpResponse:
    """What is said of the row by vetoes; the CFO vetoes it here."""
    row = _row(request, number, n, position)
    context = _context(request, row, _standing(row))
    form = VetoForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = vetoes.veto(
                row=row,
                reason=form.cleaned_data["reason"],
                acting_user=reader_of(request),
                at=timezone.now(),
            )
        except NotYourOffice:
            raise
        except Refused as refused:
            context["refusal"] = str(refused)
        else:
            messages.success(
                request,
                f"You vetoed row {made.row.reference}. The parties, the CEO and the RevOps Lead "
                "are told.",
            )
            return to_revision(row.revision, row.anchor)
    context |= {"lift_form": LiftForm(), "may_be_vetoed": vetoes.can_be_vetoed(row)}
    return _answer(request, "boundaries/veto.html", context, form)


@signed_in_verb
@require_POST
def lift(request: HttpRequest, number: str, n: int, position: int) -> HttpResponse:
    """The CFO lifts the veto of the row."""
    row = _row(request, number, n, position)
    form = LiftForm(request.POST)
    if not form.is_valid():
        raise Refused(f"The veto stands. {' '.join(map(str, form.errors['word']))}")
    found = _standing(row)
    if found is None:
        raise VetoEnded(f"No veto of {row} stands any more. Reload the page to see how it ended.")
    vetoes.lift(
        veto=found,
        word=form.cleaned_data["word"],
        acting_user=reader_of(request),
        at=timezone.now(),
    )
    messages.success(
        request, f"The veto of {row} is lifted. It is no agreement: agree to the row as well."
    )
    return to_revision(row.revision, row.anchor)


@signed_in_verb
@require_http_methods(["GET", "HEAD", "POST"])
def order(request: HttpRequest, number: str, n: int, position: int) -> HttpResponse:
    """The CEO reads what an order would put into the row, and orders it."""
    row = _row(request, number, n, position)
    require(reader_of(request), Act.ORDER, on=today())
    found = _standing(row)
    if found is None or not row.revision.is_draft:
        raise VetoEnded(f"No veto of {row} stands, so there is nothing to order.")
    context = _context(request, row, found)
    form = OrderForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            vetoes.order(
                veto=found,
                rationale=form.cleaned_data["rationale"],
                acting_user=reader_of(request),
                at=timezone.now(),
            )
        except NotYourOffice as refused:
            raise PermissionDenied(str(refused)) from refused
        except Refused as refused:
            context["refusal"] = str(refused)
        else:
            messages.success(request, f"Ordered: {row} goes in as it is in force today.")
            return to_revision(row.revision, row.anchor)
    ordered = vetoes.would_order(row, today=company_date(timezone.now()))
    context |= {
        "ordered": ordered,
        "in_force": vetoes.in_force_text(ordered.answer) if ordered.answer else None,
        "effects": vetoes.effects_of_order(row, ordered),
        "limits": vetoes.LIMITS_OF_ORDER,
    }
    return _answer(request, "boundaries/veto_order.html", context, form)
