"""Fields and choices that the forms of a draft share."""

from typing import Any

from django import forms

from people.models import Office
from people.offices import ADMINISTRATOR, AUDITOR, office_short


class PlainText(forms.CharField):
    """A text of lines: browsers send CRLF, the document keeps LF."""

    def __init__(self, *, rows: int = 4, **kwargs: Any) -> None:
        widget = forms.Textarea(attrs={"class": "input", "rows": rows})
        super().__init__(widget=widget, **{"required": False, **kwargs})

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        return "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").split("\n"))


class RefusableForm(forms.Form):
    """An answer in the fields `answer` and `word`: refusing needs a word."""

    word_missing: str  # what is said where it was not given

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        refuses = data.get("answer") == "refuse"
        if refuses and "word" not in self.errors and not data.get("word"):
            self.add_error("word", self.word_missing)
        return data


# Posted by a page that brings unsaved text back: the form comes with it and nothing is saved.
AGAIN = "again"


def kept_hidden() -> forms.HiddenInput:
    """A hidden field that is kept with unsaved text: which entry stands where, how many there are.

    Elsewhere somebody may have added or removed one meanwhile.
    """
    return forms.HiddenInput(attrs={"data-kept": True})


def typed_in(form: forms.BaseForm) -> dict[str, Any]:
    """What a form holds as it was sent, right or wrong: the start of another one."""
    return {name: form[name].value() for name in form.fields}


def input_attrs(**attrs: Any) -> dict[str, Any]:
    return {"class": "input", **attrs}


def asked_choices() -> list[tuple[str, str]]:
    keys = Office.objects.filter(established=True).exclude(key__in=[AUDITOR, ADMINISTRATOR])
    return [(key, office_short(key)) for key in keys.values_list("key", flat=True)]
