"""The archive: records with their retention, the term, legal holds, one record and its disposal."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from people.errors import NotYourOffice, Refused
from people.permissions import Act, may, require

from ..archive import disposal, holds, lists, retention
from ..archive_forms import AnswerForm, HoldForm, ReasonForm, RetentionForm
from ..models import Disposal, LegalHold, RetentionRule
from .frame import reader_of, today

PAGE_SIZE = 20
HOLDS_SHOWN = {"standing": "Standing", "lifted": "Lifted"}


def require_reader(request: HttpRequest, act: Act = Act.READ_ARCHIVE) -> None:
    try:
        require(reader_of(request), act, on=today())
    except NotYourOffice as not_yours:
        raise PermissionDenied(str(not_yours)) from not_yours


def done(request: HttpRequest, form: forms.Form, act: Callable[[], Any], told: str) -> str | None:
    """Do it and say so; None where that went well, else the sentence that the page shows."""
    try:
        act()
    except NotYourOffice as not_yours:
        raise PermissionDenied(str(not_yours)) from not_yours
    except Refused as refused:
        if refused.field in form.fields:
            form.add_error(refused.field, str(refused))
            return ""
        return str(refused)
    messages.success(request, told)
    return None


def status_of(request: HttpRequest) -> int:
    return 422 if request.method == "POST" else 200


@login_required
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """Every record: since when it rules or when it ended, until when it is kept, what is due."""
    require_reader(request)
    at = timezone.now()
    wanted = request.GET.get("show", "all")
    wanted = wanted if wanted in lists.FILTERS else "all"
    page = Paginator(lists.wanted(wanted, at=at), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "section": "offices",
        "page_obj": page,
        "lines": lists.of_ids(list(page.object_list), at=at),
        "wanted": wanted,
        "filters": lists.FILTERS.items(),
        "years": retention.terms().years,
        "waiting": retention.waiting(),
        "holds": holds.standing().count(),
    }
    return render(request, "boundaries/archive.html", context)


# --- The term ---------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def retention_page(request: HttpRequest) -> HttpResponse:
    """For how long records are kept, who asked for another term, and its answer."""
    require_reader(request)
    waiting = retention.waiting()
    posted = request.POST if request.method == "POST" else None
    asks = posted if posted and waiting is None else None
    form, answer = RetentionForm(asks), AnswerForm(posted if waiting else None)
    refusal: str | None = ""
    if posted is not None and waiting is None and form.is_valid():
        refusal = done(
            request,
            form,
            lambda: retention.propose(
                **form.cleaned_data, acting_user=reader_of(request), at=timezone.now()
            ),
            "You asked for another term. It counts once the CEO confirms it.",
        )
    elif posted is not None and waiting is not None and "take_back" in posted:
        refusal = done(
            request,
            answer,
            lambda: retention.take_back(
                rule=waiting, acting_user=reader_of(request), at=timezone.now()
            ),
            "You took it back. The term stays as it is.",
        )
    elif posted is not None and waiting is not None and answer.is_valid():
        refusal = _answered(
            request, waiting, answer, retention.confirm, retention.refuse, "rule", str(waiting)
        )
    if refusal is None:
        return redirect("boundaries:retention")
    on = today()
    page = Paginator(RetentionRule.objects.exclude(answer=""), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    context = {
        "section": "offices",
        "years": retention.terms().years,
        "waiting": waiting,
        "form": form,
        "answer": answer,
        "refusal": refusal,
        "page_obj": page,
        "may_ask": may(reader_of(request), Act.SET_RETENTION, on=on),
        "may_answer": may(reader_of(request), Act.CONFIRM_ARCHIVE, on=on),
    }
    return render(request, "boundaries/retention.html", context, status=status_of(request))


def _answered(
    request: HttpRequest,
    one: RetentionRule | Disposal,
    form: AnswerForm,
    confirm: Callable[..., Any],
    refuse: Callable[..., Any],
    name: str,
    words: str,
) -> str | None:
    act = {name: one, "acting_user": reader_of(request), "at": timezone.now()}
    if form.cleaned_data["answer"] == "confirm":
        return done(request, form, lambda: confirm(**act), f"You confirmed it: {words}.")
    word = form.cleaned_data["word"]
    told = "You refused it. Who asked for it is told, with your word."
    return done(request, form, lambda: refuse(word=word, **act), told)


# --- Holds ------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def hold_list(request: HttpRequest) -> HttpResponse:
    """Legal holds, those that stand first; placing one."""
    require_reader(request)
    form = HoldForm(
        request.POST if request.method == "POST" else None,
        initial={"document": request.GET.get("document", "")},
    )
    refusal: str | None = ""
    if request.method == "POST" and form.is_valid():
        refusal = done(
            request,
            form,
            lambda: holds.place(
                **form.cleaned_data, acting_user=reader_of(request), at=timezone.now()
            ),
            "The hold stands. Nothing under it is disposed of until it is lifted.",
        )
        if refusal is None:
            return redirect("boundaries:holds")
    wanted = "lifted" if request.GET.get("show") == "lifted" else "standing"
    found = LegalHold.objects.filter(lifted_at__isnull=wanted == "standing")
    page = Paginator(found.select_related("document"), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "section": "offices",
        "page_obj": page,
        "wanted": wanted,
        "filters": HOLDS_SHOWN.items(),
        "form": form,
        "refusal": refusal,
        "may_hold": may(reader_of(request), Act.HOLD, on=today()),
    }
    return render(request, "boundaries/holds.html", context, status=status_of(request))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def hold(request: HttpRequest, pk: int) -> HttpResponse:
    """One hold: what, why, for which matter; lifting it."""
    require_reader(request)
    found = get_object_or_404(LegalHold.objects.select_related("document"), pk=pk)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    refusal: str | None = ""
    if request.method == "POST" and form.is_valid():
        refusal = done(
            request,
            form,
            lambda: holds.lift(
                hold=found,
                reason=form.cleaned_data["reason"],
                acting_user=reader_of(request),
                at=timezone.now(),
            ),
            "The hold is lifted. What else holds a record, its retention or another hold, stays.",
        )
        if refusal is None:
            return redirect(found)
        found.refresh_from_db()
    context = {
        "section": "offices",
        "hold": found,
        "form": form,
        "refusal": refusal,
        "may_hold": may(reader_of(request), Act.HOLD, on=today()),
    }
    return render(request, "boundaries/hold.html", context, status=status_of(request))


# --- One record -------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def record(request: HttpRequest, number: str, n: int) -> HttpResponse:
    """The record of one Revision: what it is made of, what keeps it, and disposing of its files."""
    require_reader(request)
    found = get_object_or_404(lists.recorded(), document__number=number, number=n)
    waiting = Disposal.objects.filter(revision=found, answer="").first()
    posted = request.POST if request.method == "POST" else None
    form, answer = ReasonForm(None if waiting else posted), AnswerForm(posted if waiting else None)
    refusal: str | None = ""
    by: dict[str, Any] = {"acting_user": reader_of(request), "at": timezone.now()}
    if posted is not None and waiting is None and form.is_valid():
        refusal = done(
            request,
            form,
            lambda: disposal.propose(revision=found, **form.cleaned_data, **by),
            "You proposed it. Nothing goes until the CEO confirms it.",
        )
    elif posted is not None and waiting is not None and "take_back" in posted:
        refusal = done(
            request,
            answer,
            lambda: disposal.take_back(disposal=waiting, **by),
            "You took it back. The files stay.",
        )
    elif posted is not None and waiting is not None and answer.is_valid():
        refusal = _answered(
            request,
            waiting,
            answer,
            disposal.confirm,
            disposal.refuse,
            "disposal",
            f"the files of {found.reference} are gone, everything else is kept",
        )
    if refusal is None:
        return redirect("boundaries:record", number, n)
    context = {"form": form, "answer": answer, "refusal": refusal, "waiting": waiting}
    context |= _record_context(request, found)
    return render(request, "boundaries/record.html", context, status=status_of(request))


def _record_context(request: HttpRequest, found: Any) -> dict[str, Any]:
    at, reader = timezone.now(), reader_of(request)
    (line,) = lists.lines([found], at=at)
    return {
        "section": "offices",
        "revision": found,
        "document": found.document,
        "line": line,
        "years": retention.terms().years_for(found.opened_at),
        "in_the_way": disposal.refusal(found, at=at),
        "parts": {
            "freezes": found.freezes.count(),
            "signatures": found.signatures.count(),
        },
        "earlier": Disposal.objects.filter(revision=found).exclude(answer=""),
        "may_propose": may(reader, Act.DISPOSE, on=today()),
        "may_answer": may(reader, Act.CONFIRM_ARCHIVE, on=today()),
        "may_hold": may(reader, Act.HOLD, on=today()),
    }
