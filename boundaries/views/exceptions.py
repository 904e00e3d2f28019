"""Exceptions: the list, asking for one, one with its approvals."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from people.errors import NotYourOffice, Refused
from people.offices import office_short
from people.permissions import Act, may
from people.queries import same_human

from .. import exception_lists, exceptions
from ..exception_forms import ExceptionAnswerForm, ExceptionForm
from ..models import BoundaryException, Revision, Row
from ..states import ANSWERING
from .frame import find, reader_of, signed_in_verb, today

PAGE_SIZE = 20


@login_required
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """Every exception that the reader may know of, by where it stands."""
    reader, on = reader_of(request), today()
    waiting = len(exception_lists.waiting_for(reader, on=on))
    wanted = request.GET.get("show", "")
    if wanted not in exception_lists.FILTERS:
        wanted = "mine" if waiting and "show" not in request.GET else "running"
    page = Paginator(exception_lists.listed(reader, wanted=wanted, on=on), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    takes_part = may(reader, Act.READ_DRAFT, on=on)
    context = {
        "section": "boundaries",
        "page_obj": page,
        "lines": exception_lists.lines(page.object_list, on=on),
        "wanted": wanted,
        "filters": [
            (value, words, waiting if value == "mine" else None)
            for value, words in exception_lists.FILTERS.items()
            if takes_part or value in ("running", "ended")
        ],
        "to_ask": _in_force() if may(reader, Act.REQUEST_EXCEPTION, on=on) else [],
    }
    return render(request, "boundaries/exceptions.html", context)


def _in_force() -> list[Revision]:
    return list(Revision.objects.in_force().select_related("document").order_by("document"))


def _refuse_unless_may_ask(request: HttpRequest, revision: Revision) -> None:
    if not may(reader_of(request), Act.REQUEST_EXCEPTION, on=today()):
        raise PermissionDenied(
            "A party, the RevOps Lead or the Corporate Secretary asks for an exception. Tell one "
            "of them what you need."
        )
    if revision.state not in ANSWERING:
        raise Refused(
            f"{revision.reference} is not in force. An exception departs from what is in force."
        )


@signed_in_verb
@require_safe
def choose(request: HttpRequest, number: str, n: int) -> HttpResponse:
    """Choose the row that an exception is to be asked for."""
    revision = find(request, number, n)
    _refuse_unless_may_ask(request, revision)
    chosen = request.GET.get("row", "")
    if chosen.isdecimal() and len(chosen) < 6:
        return redirect("boundaries:request_exception", number, n, int(chosen))
    context = {
        "section": "boundaries",
        "revision": revision,
        "document": revision.document,
        "rows": revision.rows.filter(left_out_reason="").select_related("function"),
    }
    return render(request, "boundaries/exception_choose.html", context)


@signed_in_verb
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest, number: str, n: int, position: int) -> HttpResponse:
    """Ask for an exception to one row in force."""
    revision = find(request, number, n)
    _refuse_unless_may_ask(request, revision)
    rows = revision.rows.select_related("function").prefetch_related("sub_scopes")
    row = get_object_or_404(rows, position=position, left_out_reason="")
    row.revision = revision
    form = ExceptionForm(request.POST or None, row=row, today=today())
    refusal = ""
    if request.method == "POST" and form.is_valid():
        try:
            made = _request(request, row, form)
        except NotYourOffice as not_yours:
            raise PermissionDenied(str(not_yours)) from not_yours
        except Refused as refused:
            if refused.field in form.fields:
                form.add_error(refused.field, str(refused))
            else:
                refusal = str(refused)
        else:
            named = " and ".join(f"the {office_short(key)}" for key in made.approvers)
            messages.success(
                request, f"You asked for an exception. It holds once {named} approved it."
            )
            return redirect(made)
    context = {
        "section": "boundaries",
        "revision": revision,
        "document": revision.document,
        "row": row,
        "form": form,
        "refusal": refusal,
        "approvals": _approvals(request, row),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "boundaries/exception_ask.html", context, status=status)


def _request(request: HttpRequest, row: Row, form: ExceptionForm) -> BoundaryException:
    return exceptions.request(
        row=row,
        part=form.cleaned_data.get("part", ""),
        what=form.cleaned_data["what"],
        reason=form.cleaned_data["reason"],
        expires_on=form.cleaned_data["last_day"] + timedelta(days=1),
        acting_user=reader_of(request),
        at=timezone.now(),
    )


def _approvals(request: HttpRequest, row: Row) -> list[str]:
    """Who will have to approve, in sentences, part by part where the row is split."""
    parts = exceptions.part_names(row) or {"": ""}
    found = []
    for key, name in parts.items():
        try:
            who = exceptions.approvers_of(row, key, requester=reader_of(request), on=today())
        except Refused as refused:
            found.append(f"{name}: {refused}" if name else str(refused))
            continue
        named = " and ".join(f"the {office_short(one)}" for one in who.offices)
        words = f"{name}: {named}" if name else f"{named[0].upper()}{named[1:]}"
        if who.replaced:
            own = " and ".join(office_short(one) for one in who.replaced)
            words += f", in place of the {own}: nobody approves their own request"
        found.append(f"{words}.")
    return found


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, pk: int) -> HttpResponse:
    """One exception: what, why, until when, and its approvals; the answer of who approves."""
    reader, on = reader_of(request), today()
    found: BoundaryException = get_object_or_404(exception_lists.readable(reader, on=on), pk=pk)
    form = ExceptionAnswerForm(request.POST if request.method == "POST" else None)
    refusal = ""
    if request.method == "POST" and form.is_valid():
        try:
            _answer(request, found, form)
        except NotYourOffice as not_yours:
            raise PermissionDenied(str(not_yours)) from not_yours
        except Refused as refused:
            refusal = str(refused)
            found = get_object_or_404(exception_lists.readable(reader, on=on), pk=pk)
        else:
            return redirect(found)
    status = 422 if request.method == "POST" else 200
    context = _shown(request, found) | {"form": form, "refusal": refusal}
    return render(request, "boundaries/exception.html", context, status=status)


def _shown(request: HttpRequest, found: BoundaryException) -> dict[str, Any]:
    reader, on = reader_of(request), today()
    line = exception_lists.lines([found], on=on)[0]
    mine = {}
    if line.is_open and may(reader, Act.ANSWER_EXCEPTION, on=on):
        mine = exceptions.answers_for(found, reader, on=on)
    return {
        "section": "boundaries",
        "line": line,
        "one": found,
        "revision": found.revision,
        "document": found.revision.document,
        "my_answer": list(mine),
        "may_take_back": line.is_open
        and same_human(reader, found.requested_by)
        and may(reader, Act.REQUEST_EXCEPTION, on=on),
        "may_amend": may(reader, Act.OPEN, on=on),
    }


def _answer(request: HttpRequest, found: BoundaryException, form: ExceptionAnswerForm) -> None:
    approves = form.cleaned_data["answer"] == "approve"
    done = exceptions.answer(
        exception=found,
        approves=approves,
        word=form.cleaned_data["word"],
        acting_user=reader_of(request),
        at=timezone.now(),
    )
    if not approves:
        messages.success(request, "You refused it. Who asked is told, with your word.")
    elif done.state == BoundaryException.State.GRANTED:
        messages.success(request, "You approved it, and it is granted. Look-ups show it at once.")
    else:
        messages.success(request, "You approved it. It holds once the others approved it too.")


@login_required
@require_POST
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """The requester needs it no more."""
    reader, on = reader_of(request), today()
    found: BoundaryException = get_object_or_404(exception_lists.readable(reader, on=on), pk=pk)
    try:
        exceptions.take_back(exception=found, acting_user=reader, at=timezone.now())
    except NotYourOffice as not_yours:
        raise PermissionDenied(str(not_yours)) from not_yours
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, "You took it back. It waits for nobody any more.")
    return redirect(found)
