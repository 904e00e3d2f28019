"""What is typed in the archive: terms, holds, reasons and words."""

from django import forms

from people.models import Person

from .form_fields import PlainText, RefusableForm
from .models import Document
from .models.archive import FEWEST_YEARS, MOST_YEARS


class RetentionForm(forms.Form):
    """Another term, with its reason."""

    years = forms.IntegerField(
        label="Years after a version ended",
        min_value=FEWEST_YEARS,
        max_value=MOST_YEARS,
        help_text=f"A whole number from {FEWEST_YEARS} to {MOST_YEARS}.",
        error_messages={
            "required": "Give a number of years.",
            "invalid": "Give a whole number of years, such as 7.",
            "min_value": f"Give at least {FEWEST_YEARS} year.",
            "max_value": f"Give at most {MOST_YEARS} years.",
        },
        widget=forms.NumberInput(attrs={"class": "input", "inputmode": "numeric"}),
    )
    reason = PlainText(
        required=True,
        max_length=2000,
        rows=3,
        label="Why",
        help_text="The law, contract or policy that asks for it.",
        error_messages={"required": "Say why records are to be kept for so long."},
    )


class ReasonForm(forms.Form):
    """A reason alone: for a disposal, for lifting a hold."""

    reason = PlainText(
        required=True,
        max_length=2000,
        rows=3,
        label="Why",
        error_messages={"required": "Say why. It stays in the record."},
    )


class AnswerForm(RefusableForm):
    """The second person's answer; refusing needs a word."""

    answer = forms.ChoiceField(
        choices=[("confirm", "Confirm"), ("refuse", "Refuse")],
        error_messages={
            "required": "Choose whether you confirm or refuse.",
            "invalid_choice": "Choose whether you confirm or refuse.",
        },
    )
    word = PlainText(
        max_length=2000,
        rows=2,
        label="Your word on it",
        help_text="Needed where you refuse. It stays in the record.",
    )
    word_missing = "Say in a sentence why you refuse it."


class HoldForm(forms.Form):
    """A hold on one document or on everything."""

    document = forms.ModelChoiceField(
        label="What is held",
        queryset=Document.objects.order_by("number"),
        required=False,
        empty_label="Everything",
        error_messages={"invalid_choice": "Choose a document of the list, or everything."},
        widget=forms.Select(attrs={"class": "input"}),
    )
    matter = forms.CharField(
        label="Matter",
        max_length=120,
        help_text="The case, audit or inquiry that it is kept for: Case 26-114.",
        error_messages={"required": "Name the matter that it is kept for."},
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )
    reason = PlainText(
        required=True,
        max_length=2000,
        rows=3,
        label="Why",
        help_text="CEO, Corporate Secretary and Auditor read it.",
        error_messages={"required": "Say why nothing may be disposed of."},
    )


class PersonForm(forms.Form):
    """For whom an erasure is asked."""

    person = forms.ModelChoiceField(
        label="Person",
        queryset=Person.objects.order_by("name", "pk"),
        error_messages={
            "required": "Choose the person.",
            "invalid_choice": "Choose a person of the list.",
        },
        widget=forms.Select(attrs={"class": "input"}),
    )


class ErasureForm(PersonForm):
    """The same, with the request that it rests on."""

    reason = PlainText(
        required=True,
        max_length=500,
        rows=2,
        label="The request",
        help_text="How and when it was asked for: Letter of 3 November. Repeat no text here.",
        error_messages={"required": "Name the request: how and when the person asked for it."},
    )
