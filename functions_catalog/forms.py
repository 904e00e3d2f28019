"""What a reader asks: a name, a date, an owner."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from people.offices import office_short

from .as_of import read_date
from .errors import BadDate
from .queries import FILTERS
from .search import MAX_QUERY


class AsOfField(forms.CharField):
    """A date as people write it; empty means today."""

    def __init__(self, *, today: date, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=40, **kwargs)
        self.today = today

    def clean(self, value: Any) -> date:
        try:
            return read_date(super().clean(value), today=self.today)
        except BadDate as refusal:
            raise ValidationError(str(refusal)) from refusal


class AsOfForm(forms.Form):
    """The as-of date of a function page."""

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["on"] = AsOfField(today=today, label="As-of date")


class LookupForm(AsOfForm):
    """The search sentence "Who owns ... as of ...?" with its filter."""

    q = forms.CharField(required=False, label="Who owns")
    owner = forms.ChoiceField(
        required=False,
        label="Owner",
        choices=[("", "Any owner")]
        + [(key, "Unassigned" if key == "none" else office_short(key)) for key in FILTERS],
    )

    def clean_q(self) -> str:
        # Longer than any name: what was pasted too much is left off, not refused.
        return " ".join(str(self.cleaned_data["q"]).split())[:MAX_QUERY]
