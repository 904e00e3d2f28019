"""Comparing two versions of a document: the page, and the redline as a PDF."""

from typing import Any
from urllib.parse import urlencode

from allauth.core.internal import ratelimit
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from .. import comparing, comparison_pdf, versions
from ..comparing import Show
from ..models import Revision
from .frame import reader_of, today
from .signing import pdf_response

VIEWS = {"redline": "Redline", "side": "Side by side"}
_SHOW_WORDS = {
    Show.ALL: "Only changes",
    Show.OWNER: "Owner",
    Show.ADDED: "Added or gone",
    Show.TEXT: "Text",
    Show.EVERYTHING: "Everything",
}
# Each PDF costs a process of its own for a second or two.
_PDF_RATE = {"comparison_pdf": "10/m/user"}


@login_required
@require_safe
def compare(request: HttpRequest, number: str) -> HttpResponse:
    """Who gained, who lost, which words moved between two versions."""
    found = _versions(request, number)
    before, after, missing = _picked(request, found)
    context: dict[str, Any] = {
        "section": "boundaries",
        "document": found[0].document,
        "versions": [(one, versions.label(one)) for one in found],
        "before": before,
        "after": after,
        "missing": missing,
    }
    if missing or before.pk == after.pk:
        return render(request, "boundaries/compare.html", context, status=404 if missing else 200)
    context |= _compared(request, before, after)
    return render(request, "boundaries/compare.html", context)


def _versions(request: HttpRequest, number: str) -> list[Revision]:
    found = versions.readable_versions(number, reader_of(request), on=today())
    if not found:
        raise Http404("No such boundary document, or none that you may read.")
    return found


def _picked(request: HttpRequest, found: list[Revision]) -> tuple[Revision, Revision, list[str]]:
    """The two versions asked for, and what was asked for and is not there."""
    usual_before, usual_after = versions.usual_pair(found)
    by_number = {str(one.number): one for one in found}
    asked = {name: request.GET.get(name, "").strip()[:12] for name in ("from", "to")}
    missing = [text for text in asked.values() if text and text not in by_number]
    after = by_number.get(asked["to"], usual_after)
    if asked["to"] and not asked["from"]:
        usual_before = versions.former_of(after, found) or after
    return by_number.get(asked["from"], usual_before), after, missing


def _compared(request: HttpRequest, before: Revision, after: Revision) -> dict[str, Any]:
    compared = versions.compared(before, after)
    view = request.GET.get("view", "")
    view = view if view in VIEWS else "redline"
    wanted = request.GET.get("show", "")
    show = Show(wanted) if wanted in set(Show) else Show.ALL

    def address(**more: str) -> str:
        picked = {"from": str(before.number), "to": str(after.number)}
        return "?" + urlencode(picked | {"view": view, "show": show.value} | more)

    result = compared.result
    shows_changes = show in (Show.ALL, Show.EVERYTHING)
    return {
        "comparison": result,
        "counts": result.counts,
        "sentences": compared.sentences,
        "summary": comparing.summary(result),
        "groups": result.groups(show),
        "view": view,
        "show": show.value,
        "whole": show == Show.EVERYTHING,
        "filters": [
            (words, result.counts.shown_by(one), address(show=one.value), one == show)
            for one, words in _SHOW_WORDS.items()
        ],
        "views": [(words, address(view=one), one == view) for one, words in VIEWS.items()],
        # A sentence leads to its row, which the filter may have left out.
        "anchors_at": "" if shows_changes else address(show=Show.ALL.value),
        "pdf_url": _pdf_address(before, after),
    }


def _pdf_address(before: Revision, after: Revision) -> str:
    page = reverse("boundaries:compare_pdf", args=[after.document.number])
    return f"{page}?{urlencode({'from': before.number, 'to': after.number})}"


@login_required
@require_safe
def compare_pdf(request: HttpRequest, number: str) -> HttpResponse:
    """The redline of two versions, to print or to send: not a signed document."""
    found = _versions(request, number)
    before, after, missing = _picked(request, found)
    if missing or before.pk == after.pk:
        raise Http404("Choose two different versions that you may read.")
    context = {"section": "boundaries", "before": before, "after": after}
    if request.method == "GET" and not ratelimit.consume(
        request,
        app="boundaries",
        action="comparison_pdf",
        config=_PDF_RATE,
        user=request.user,
        limit_get=True,
    ):
        context["problem"] = (
            "You asked for many PDFs in a short time. Wait a minute, then try again."
        )
        return render(request, "boundaries/compare_no_pdf.html", context, status=429)
    try:
        made = comparison_pdf.make(versions.compared(before, after), at=timezone.now())
    except comparison_pdf.CannotBeMade as problem:
        context["problem"] = str(problem)
        return render(request, "boundaries/compare_no_pdf.html", context, status=503)
    name = f"{number}-changes-v{before.number}-to-v{after.number}.pdf"
    return pdf_response(made, name, download=True)
