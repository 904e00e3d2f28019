"""The company's page: its calendar."""

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from ..calendar import company_country, company_zone, holidays_between
from ..company import NoSuchCalendar, change_calendar
from ..models import Company
from ..permissions import Act, may
from .frame import reader_of, signed_in, today


class CalendarForm(forms.Form):
    country = forms.CharField(
        label="Country",
        max_length=2,
        help_text="Its ISO 3166 code: US, DE, GB.",
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )
    subdivision = forms.CharField(
        label="State or province",
        max_length=6,
        required=False,
        help_text="Where its holidays differ: NY, BY. Empty: those of the whole country.",
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def company(request: HttpRequest) -> HttpResponse:
    """Name, code, zone, and which public holidays count; some Offices may change the last."""
    reader, on = reader_of(request), today()
    found = Company.objects.get()
    initial = {"country": found.country, "subdivision": found.subdivision}
    form = CalendarForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            change_calendar(**form.cleaned_data, acting_user=reader, at=timezone.now())
        except NoSuchCalendar as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, "Business days follow this calendar from now on.")
            return redirect("people:company")
    context = {
        "section": "offices",
        "form": form,
        "found": found,
        "zone": company_zone().key,
        "coming": holidays_between(on, on + timedelta(days=365), country=company_country()),
        "may_change": may(reader, Act.CHANGE_COMPANY, on=on),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "people/company.html", context, status=status)
