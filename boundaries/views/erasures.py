"""Erasure of texts about a person: the list, asking for one, one with its answer."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from people.permissions import Act, may
from people.security_words import lines

from ..archive import erasure
from ..archive_forms import AnswerForm, ErasureForm, PersonForm
from ..models import ErasureRequest
from .archive import done, require_reader, status_of
from .frame import reader_of, today

PAGE_SIZE = 20
TEXTS_SHOWN = 50


def _require_keeper(request: HttpRequest) -> None:
    reader, on = reader_of(request), today()
    if not (may(reader, Act.ASK_ERASURE, on=on) or may(reader, Act.AGREE_ERASURE, on=on)):
        raise PermissionDenied(
            "The Administrator asks for an erasure, and the Corporate Secretary or the CEO agrees "
            "to it. Tell one of them whose texts are to be erased."
        )


@login_required
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """Every erasure that was asked for, those that wait first."""
    _require_keeper(request)
    found = ErasureRequest.objects.select_related("person").order_by("answer", "-asked_at", "-pk")
    context = {
        "section": "offices",
        "page_obj": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
        "may_ask": may(reader_of(request), Act.ASK_ERASURE, on=today()),
    }
    return render(request, "boundaries/erasures.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Choose the person, see what can be erased and what stays, then ask for it."""
    require_reader(request, Act.ASK_ERASURE)
    at = timezone.now()
    chosen = PersonForm(request.GET or None)
    form = ErasureForm(request.POST if request.method == "POST" else None)
    person, refusal = None, ""
    if request.method == "POST" and form.is_valid():
        person = form.cleaned_data["person"]
        said = done(
            request,
            form,
            lambda: erasure.ask(**form.cleaned_data, acting_user=reader_of(request), at=at),
            "You asked for it. Nothing is erased until the Corporate Secretary or the CEO agrees.",
        )
        if said is None:
            return redirect("boundaries:erasures")
        refusal = said
    elif request.method == "POST":
        person = form.cleaned_data.get("person")
    elif request.GET and chosen.is_valid():
        person = chosen.cleaned_data["person"]
    if person is not None and request.method != "POST":
        form = ErasureForm(initial={"person": person})
    outlook = erasure.outlook(person, at=at) if person else None
    context = {
        "section": "offices",
        "chosen": chosen,
        "form": form,
        "person": person,
        "refusal": refusal,
        "outlook": outlook,
        "texts": lines(outlook.texts[:TEXTS_SHOWN]) if outlook else [],
    }
    return render(request, "boundaries/erasure_ask.html", context, status=status_of(request))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, pk: int) -> HttpResponse:
    """One erasure: what goes, what stays and why; the answer of the second person."""
    _require_keeper(request)
    at, reader = timezone.now(), reader_of(request)
    found = get_object_or_404(ErasureRequest.objects.select_related("person", "asked_by"), pk=pk)
    form = AnswerForm(request.POST if request.method == "POST" else None)
    refusal: str | None = ""
    by: dict[str, Any] = {"request": found, "acting_user": reader, "at": at}
    if request.method == "POST" and "take_back" in request.POST:
        refusal = done(
            request, form, lambda: erasure.take_back(**by), "You took it back. Nothing is erased."
        )
    elif request.method == "POST" and form.is_valid():
        if form.cleaned_data["answer"] == "confirm":
            refusal = done(
                request,
                form,
                lambda: erasure.agree(**by),
                "It is erased. The log still verifies, and says that it was done, not what it was.",
            )
        else:
            word = form.cleaned_data["word"]
            refusal = done(
                request,
                form,
                lambda: erasure.refuse(word=word, **by),
                "You refused it. Who asked for it is told, with your word.",
            )
    if refusal is None:
        return redirect(found)
    found.refresh_from_db()
    outlook = erasure.outlook(found.person, at=at) if found.waits else None
    context = {
        "section": "offices",
        "one": found,
        "form": form,
        "refusal": refusal,
        "outlook": outlook,
        "texts": lines(outlook.texts[:TEXTS_SHOWN]) if outlook else [],
        "erased_words": erasure.erased_words(found),
        "may_answer": may(reader, Act.AGREE_ERASURE, on=today()),
        "may_take_back": may(reader, Act.ASK_ERASURE, on=today()),
    }
    return render(request, "boundaries/erasure.html", context, status=status_of(request))
