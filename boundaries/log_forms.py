"""What readers of the log ask for."""

from datetime import date
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator

from people.models import Person
from people.views.people import PersonChoiceField

from .log_reading import KINDS, Filter, Scope
from .models import Document

MAX_FILE_BYTES = 10_000_000


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


def _text(label: str, length: int) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        max_length=length,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )


def _hidden(length: int) -> forms.CharField:
    return forms.CharField(required=False, max_length=length, widget=forms.HiddenInput)


class LogFilterForm(forms.Form):
    """The filter of the log's page; what it offers is what the reader may read."""

    words = _text("Words", 100)
    document = forms.ModelChoiceField(
        label="Document",
        queryset=Document.objects.none(),
        required=False,
        to_field_name="number",
        empty_label="Any or none",
        widget=forms.Select(attrs={"class": "input"}),
    )
    person = PersonChoiceField(
        label="Who",
        queryset=Person.objects.order_by("name", "pk"),
        required=False,
        empty_label="Anyone",
        widget=forms.Select(attrs={"class": "input"}),
    )
    first_day = _day("From")
    last_day = _day("To")
    kind = forms.ChoiceField(
        label="Kind", required=False, widget=forms.RadioSelect(attrs={"class": "visually-hidden"})
    )
    # By links only: one event's object, or events of one name.
    event = _hidden(80)
    object_type = _hidden(40)
    object_id = _hidden(80)

    def __init__(self, *args: Any, scope: Scope, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        numbers = [one.pk for one in scope.documents]
        self.fields["document"].queryset = Document.objects.filter(  # type: ignore[attr-defined]
            pk__in=numbers
        ).order_by("number")
        self.fields["kind"].choices = [  # type: ignore[attr-defined]  # a choice field's
            ("", "Everything"),
            *((key, KINDS[key][0]) for key in scope.kinds),
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, last = cleaned.get("first_day"), cleaned.get("last_day")
        if first and last and first > last:
            self.add_error("last_day", "That is before the first day. Choose a later one.")
        return cleaned

    def wanted(self) -> Filter:
        return Filter(**self.cleaned_data)


class CompareForm(forms.Form):
    """A sealed PDF, or a checkpoint saved as text or mail."""

    file = forms.FileField(
        label="Sealed PDF, or a saved checkpoint or mail",
        error_messages={
            "required": "Choose a file first.",
            "empty": "This file is empty. Choose the one you hold.",
        },
        widget=forms.ClearableFileInput(attrs={"class": "input"}),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MAX_FILE_BYTES:
            raise forms.ValidationError("The file is larger than 10 MB.")
        return file
