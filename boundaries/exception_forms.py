"""What is typed to ask for an exception, and to answer one."""

from datetime import date, timedelta
from typing import Any

from django import forms

from people.templatetags.speech import day_words

from .exceptions import MAX_DAYS, part_names
from .form_fields import PlainText, RefusableForm
from .models import Row


class ExceptionForm(forms.Form):
    """What is to be done otherwise, why, and until when."""

    part = forms.ChoiceField(
        label="Part",
        widget=forms.Select(attrs={"class": "input"}),
        help_text="The owner of this part approves.",
        error_messages={"required": "Choose the part that it is about."},
    )
    what = PlainText(
        required=True,
        max_length=1000,
        rows=3,
        label="What is to be done otherwise",
        help_text="Everybody who looks the function up reads it.",
        error_messages={"required": "Say what is to be done otherwise than the row says."},
    )
    reason = PlainText(
        required=True,
        max_length=2000,
        rows=3,
        label="Why",
        help_text="Why it cannot wait for an amendment.",
        error_messages={"required": "Say why, so that the approvers can judge it."},
    )
    last_day = forms.DateField(
        label="Last day",
        widget=forms.DateInput(attrs={"class": "input", "type": "date"}),
        error_messages={
            "required": "Give the last day on which it holds.",
            "invalid": "Give a date, such as 2026-12-18.",
        },
    )

    def __init__(self, *args: Any, row: Row, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        parts = part_names(row)
        if parts:
            chosen = self.fields["part"]
            assert isinstance(chosen, forms.ChoiceField)  # noqa: S101 - tells the type checker
            chosen.choices = [("", "Choose a part"), *parts.items()]
        else:
            del self.fields["part"]
        last = today + timedelta(days=MAX_DAYS - 1)
        day = self.fields["last_day"]
        day.widget.attrs |= {"min": today.isoformat(), "max": last.isoformat()}
        day.help_text = f"At most {MAX_DAYS} days: {day_words(last)} at the latest. Not extended."

    def clean_last_day(self) -> date:
        day: date = self.cleaned_data["last_day"]
        if day.year > 9000:
            raise forms.ValidationError("Give a date within the next 90 days.")
        return day


class ExceptionAnswerForm(RefusableForm):
    """An approver's answer; refusing needs a word, which the verb asks for."""

    answer = forms.ChoiceField(
        choices=[("approve", "Approve"), ("refuse", "Refuse")],
        error_messages={
            "required": "Choose whether you approve or refuse.",
            "invalid_choice": "Choose whether you approve or refuse.",
        },
    )
    word = PlainText(
        max_length=2000,
        rows=3,
        label="Your word on it",
        help_text="Needed where you refuse. It stays in the record.",
    )
    word_missing = "Say in a sentence or two why you refuse it."
