"""What the CFO writes to veto a row or to lift a veto, and the CEO to order what goes in."""

from django import forms

from .form_fields import PlainText
from .vetoes import MAX_LENGTH


class VetoForm(forms.Form):
    reason = PlainText(
        max_length=MAX_LENGTH,
        rows=4,
        required=True,
        label="Why this row cannot stand",
        help_text="The parties and the CEO read it, and it stays in the record.",
        error_messages={"required": "Say why this row cannot stand."},
    )


class LiftForm(forms.Form):
    word = PlainText(
        max_length=MAX_LENGTH,
        rows=2,
        label="A word to all",
        help_text="Optional: what settled it. It stays in the record.",
    )


class OrderForm(forms.Form):
    rationale = PlainText(
        max_length=MAX_LENGTH,
        rows=5,
        required=True,
        label="Your rationale",
        help_text="All parties read it, and it stays in the record.",
        error_messages={"required": "Say why you order it now."},
    )
