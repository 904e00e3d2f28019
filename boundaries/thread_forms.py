"""What is typed into a thread: a comment, a word why a change is declined or proposed."""

from typing import Any

from django import forms

from .drafting import RowText
from .form_fields import PlainText
from .threads import MAX_ANSWER, MAX_CHARACTERS

_TOO_LONG = "This has %(show_value)d characters; %(limit_value)d fit. Shorten it, or split it."


class CommentForm(forms.Form):
    """A comment: plain text, with mentions such as "@CFO"."""

    text = PlainText(
        rows=3,
        required=True,
        max_length=MAX_CHARACTERS,
        label="Your comment",
        error_messages={"required": "Write your comment first.", "max_length": _TOO_LONG},
    )


class DeclineForm(forms.Form):
    """A word why a proposed change is declined."""

    word = PlainText(
        rows=2,
        required=True,
        max_length=MAX_ANSWER,
        label="Why not",
        error_messages={
            "required": "Say in a word or two why you decline this change.",
            "max_length": _TOO_LONG,
        },
    )


class WordForm(forms.Form):
    """What is said beside a proposed change; may stay empty."""

    word = PlainText(
        rows=3,
        max_length=MAX_CHARACTERS,
        label="What you say with it",
        help_text="Shown above the change in the discussion. @CFO and the like mention an Office.",
        error_messages={"max_length": _TOO_LONG},
    )


def row_initial(text: RowText, *, version: int) -> dict[str, Any]:
    """What ``forms.RowForm`` shows to have ``text`` edited against ``version`` of its row."""
    initial: dict[str, Any] = {
        "version": version,
        "owner": text.owner,
        "scope_in": text.scope_in,
        "scope_out": text.scope_out,
        "consulted": list(text.consulted),
        "informed": list(text.informed),
        "rationale": text.rationale,
        "left_out_reason": text.left_out_reason,
    }
    for index, part in enumerate(text.sub_scopes):
        initial[f"part_name_{index}"] = part.name
        initial[f"part_owner_{index}"] = part.owner
    return initial
