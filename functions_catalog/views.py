"""The two pages of the look-up: search and map, and one function."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe
from django_htmx.middleware import HtmxDetails

from people.calendar import company_date
from people.models import Person

from . import registry
from .forms import AsOfForm, LookupForm
from .models import Function
from .queries import function_by_key, look_up, natural_columns, report_on
from .search import record_miss


class SignedInRequest(HttpRequest):
    """What ``login_required`` lets through."""

    user: Person
    htmx: HtmxDetails


SHOWN = 25  # results; more of them means that the search said too little


@login_required
@require_safe
def lookup(request: SignedInRequest) -> HttpResponse:
    """Who owns it, on which date, and where is it written? With the whole boundary below."""
    at = timezone.now()
    today = company_date(at)
    form = LookupForm(request.GET, today=today)
    context = {"section": "lookup", "form": form, "today": today}
    if not request.htmx:
        context["notices"] = registry.notices(request.user, today)
    if form.is_valid():
        query = form.cleaned_data["q"]
        found = look_up(
            query=query,
            on=form.cleaned_data["on"],
            owner_filter=form.cleaned_data["owner"],
            reader=request.user,
            at=at,
        )
        # What htmx asks while somebody types is not yet a search.
        if query and not found.found and not request.htmx:
            record_miss(query, at=at)
        context |= {"lookup": found, "results": found.results[:SHOWN]}
        if not found.anything_in_force:
            context["natural_columns"] = natural_columns(found.entries)
    return render(request, "functions_catalog/lookup.html", context)


@login_required
@require_safe
def function(request: SignedInRequest, key: str) -> HttpResponse:
    """What exactly is inside this boundary, and who held it before?"""
    at = timezone.now()
    today = company_date(at)
    try:
        one = function_by_key(key)
    except Function.DoesNotExist:
        raise Http404("The catalog has no such function.") from None
    form = AsOfForm(request.GET, today=today)
    context = {"section": "lookup", "form": form, "today": today, "function": one}
    if form.is_valid():
        on = form.cleaned_data["on"]
        context |= {
            "report": report_on(one, on=on, reader=request.user, at=at),
            "panels": registry.panels(one, request.user, on),
        }
    return render(request, "functions_catalog/function.html", context)
