"""Security events: read, filtered, taken away as CSV."""

import csv
from collections.abc import Iterator
from datetime import date
from typing import Any, cast

from django import forms
from django.core.paginator import Paginator
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from .. import security
from ..models import Person
from ..permissions import Act, require
from ..security_words import lines
from .frame import reader_of, signed_in, today
from .people import PersonChoiceField

PER_PAGE = 50


def _day(label: str) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        error_messages={"invalid": "Give a day, such as 2026-11-20."},
        # Midnight of a day near the first or last that Python knows is none in another zone.
        validators=[
            MinValueValidator(date(1900, 1, 1), "Give a day from 1900 on."),
            MaxValueValidator(date(2999, 12, 31), "Give a day before the year 3000."),
        ],
        widget=forms.DateInput(attrs={"class": "input", "type": "date"}),
    )


class FilterForm(forms.Form):
    person = PersonChoiceField(
        label="Who",
        queryset=Person.objects.order_by("name", "pk"),
        required=False,
        empty_label="Anyone",
        widget=forms.Select(attrs={"class": "input"}),
    )
    kind = forms.ChoiceField(
        label="What",
        choices=[("", "Everything"), *security.KINDS.items()],
        required=False,
        widget=forms.Select(attrs={"class": "input"}),
    )
    first_day = _day("From")
    last_day = _day("To")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, last = cleaned.get("first_day"), cleaned.get("last_day")
        if first and last and first > last:
            self.add_error("last_day", "That is before the first day. Choose a later one.")
        return cleaned

    def wanted(self) -> security.Filter:
        return security.Filter(**self.cleaned_data)


@require_safe
@signed_in
def events(request: HttpRequest) -> HttpResponse:
    """The security events that the filter lets through, newest first."""
    require(reader_of(request), Act.READ_SECURITY_EVENTS, on=today())
    form = FilterForm(request.GET)
    valid = form.is_valid()
    found = security.events(form.wanted()) if valid else security.nothing()
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "section": "offices",
        "form": form,
        "page": page,
        "lines": lines(list(page.object_list)),
        "filtered": valid and any(form.cleaned_data.values()),
    }
    return render(request, "people/security.html", context, status=200 if valid else 422)


class _Echo:
    """A file that hands back what is written: csv makes one line at a time."""

    def write(self, text: str) -> str:
        return text


@require_POST
@signed_in
def export(request: HttpRequest) -> HttpResponse:
    """The same events as CSV, streamed; that it was taken is an event itself."""
    form = FilterForm(request.POST)
    if not form.is_valid():
        return HttpResponse("The filter is not one of the page's.", status=422)
    at = timezone.now()
    rows = security.export(wanted=form.wanted(), acting_user=reader_of(request), at=at)
    writer = csv.writer(_Echo())
    body: Iterator[str] = (writer.writerow(row) for row in rows)
    response = StreamingHttpResponse(body, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = (
        f'attachment; filename="security-events-{at:%Y%m%dT%H%M%SZ}.csv"'
    )
    response["Cache-Control"] = "no-store"
    return cast(HttpResponse, response)  # a page's guard knows no other kind
