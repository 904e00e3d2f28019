"""The log: what happened, in what order, and is the record whole?"""

from collections.abc import Iterator
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from audit import log_keys
from audit.checkpoints import newest
from audit.leaf import time_words
from audit.models import Event
from people.calendar import company_date
from people.views.frame import reader_of, signed_in
from sealing.errors import SealingError

from .. import log_compare, log_reading
from ..errors import CheckAsked
from ..log_forms import CompareForm, LogFilterForm

PER_PAGE = 50


def _scope(request: HttpRequest) -> log_reading.Scope:
    return log_reading.scope_of(reader_of(request), on=company_date(timezone.now()))


def _page(
    request: HttpRequest,
    scope: log_reading.Scope,
    *,
    comparing: CompareForm | None = None,
    compared: log_compare.Compared | None = None,
) -> HttpResponse:
    form = LogFilterForm(request.GET, scope=scope)
    valid = form.is_valid()
    found = log_reading.events(scope, form.wanted()) if valid else Event.objects.none()
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    wrong = not valid or bool(comparing and comparing.errors)
    context = {
        "section": "log",
        "scope": scope,
        "form": form,
        "page": page,
        "days": log_reading.by_day(log_reading.told(list(page.object_list))),
        "filtered": valid and any(form.cleaned_data.values()),
        "narrowed": valid and any(form.cleaned_data[name] for name in _BY_LINK),
        "log": log_reading.wholeness(),
        "comparing": comparing or CompareForm(),
        "compared": compared,
    }
    return render(request, "boundaries/log.html", context, status=422 if wrong else 200)


_BY_LINK = ("event", "object_type", "object_id")


@require_safe
@signed_in
def events(request: HttpRequest) -> HttpResponse:
    """The events that the reader may read and the filter lets through, newest first."""
    return _page(request, _scope(request))


@require_safe
@signed_in
def event(request: HttpRequest, sequence: int) -> HttpResponse:
    """One event: all that it says, and the proof that it is in what the log signed."""
    scope = _scope(request)
    found = _event(scope, sequence)
    inclusion = log_reading.proof_of(found)
    around = scope.events()
    context = {
        "section": "log",
        "told": log_reading.told([found])[0],
        "event": found,
        "data": log_reading.data_words(found),
        "utc": time_words(found.at),
        "inclusion": inclusion,
        "leaf": inclusion.leaf.hex(),
        "proof": [one.hex() for one in inclusion.proof],
        "newest": newest(),
        "earlier": around.filter(sequence__lt=sequence).first(),
        "later": around.filter(sequence__gt=sequence).last(),
    }
    return render(request, "boundaries/log_event.html", context)


def _event(scope: log_reading.Scope, sequence: int) -> Event:
    found = scope.events().filter(sequence=sequence).first()
    if found is None:
        raise Http404("The log has no event of this number that you may read.")
    return found


@require_safe
@signed_in
def proof(request: HttpRequest, sequence: int) -> HttpResponse:
    """The same for a program: the event, the checkpoint and the proof between them."""
    data = log_reading.proof_data(_event(_scope(request), sequence))
    response = JsonResponse(data, json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="event-{sequence}.json"'
    response["Cache-Control"] = "private, no-store"
    return response


@require_POST
@signed_in
def export(request: HttpRequest) -> HttpResponse:
    """The filtered events as CSV or JSON lines, streamed; that they were taken is an event."""
    scope = _scope(request)
    form = LogFilterForm(request.POST, scope=scope)
    wanted = request.POST.get("form", "csv")
    if not form.is_valid() or wanted not in ("csv", "jsonl"):
        return HttpResponse("The filter is not one of the page's.", status=422)
    at = timezone.now()
    body: Iterator[str] = log_reading.export(
        wanted=form.wanted(), form=wanted, acting_user=reader_of(request), at=at
    )
    kind = "text/csv" if wanted == "csv" else "application/x-ndjson"
    response = StreamingHttpResponse(body, content_type=f"{kind}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="log-{at:%Y%m%dT%H%M%SZ}.{wanted}"'
    response["Cache-Control"] = "private, no-store"
    return cast(HttpResponse, response)  # a page's guard knows no other kind


@require_POST
@signed_in
def check(request: HttpRequest) -> HttpResponse:
    """Have the worker check the whole log."""
    try:
        log_reading.ask_for_check(acting_user=reader_of(request), at=timezone.now())
    except CheckAsked as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request, "The whole log is being checked. Load this page again to see what was found."
        )
    return redirect("boundaries:log")


@require_POST
@signed_in
def compare(request: HttpRequest) -> HttpResponse:
    """Hold a file that the reader brings against the log. It is read in memory and not kept."""
    scope = _scope(request)
    if not scope.whole:
        raise PermissionDenied("Whoever reads the whole log compares with it; ask the Auditor.")
    form = CompareForm(request.POST, request.FILES)
    compared = None
    if form.is_valid():
        file = form.cleaned_data["file"]
        compared = log_compare.compare(file.name, file.read())
    return _page(request, scope, comparing=form, compared=compared)


# --- For everybody ----------------------------------------------------------------------------


@require_safe
def checkpoint(request: HttpRequest) -> HttpResponse:
    """The newest checkpoint, to be kept elsewhere. It says how many events, and nothing of them."""
    row = newest()
    if row is None:
        return _plain("The log has signed no checkpoint yet.\n", status=404)
    return _plain(row.note)


@require_safe
def key(request: HttpRequest) -> HttpResponse:
    """The log's verifier key, as tools for checkpoints take it."""
    return _of_key(lambda: log_keys.log_verifier().text + "\n")


@require_safe
def certificate(request: HttpRequest) -> HttpResponse:
    """The certificate of the log's key, issued by the company's authority (PEM)."""
    return _of_key(log_keys.log_certificate)


def _of_key(said: Any) -> HttpResponse:
    try:
        return _plain(said())
    except SealingError:
        return _plain("The registry has no signing keys yet.\n", status=404)


def _plain(text: str, *, status: int = 200) -> HttpResponse:
    response = HttpResponse(text, content_type="text/plain; charset=utf-8", status=status)
    response["Cache-Control"] = "no-cache"
    return response
