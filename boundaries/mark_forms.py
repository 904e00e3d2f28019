"""Declining or returning: a word to all, and marks on rows and articles, each with its reason."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms.boundfield import BoundField

from .form_fields import PlainText
from .mark_lists import Markable, MarkList
from .marks import MAX_LENGTH, Given


@dataclass(frozen=True)
class MarkItem:
    """A clause of the list with its two fields; None where it is locked."""

    markable: Markable
    mark: BoundField | None
    why: BoundField | None

    @property
    def is_marked(self) -> bool:
        return self.mark is not None and bool(self.mark.value())


class MarksForm(forms.Form):
    """Either a word to all or a mark with its reason is needed; a ticked mark needs its reason.

    What was written beside a mark that is not ticked is left out: the tick decides.
    """

    reason = PlainText(
        max_length=2000,
        rows=3,
        label="A word to all",
        help_text="Optional once something is marked. It opens the draft, and stays in the record.",
    )

    def __init__(self, marks: MarkList, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data)
        self.marks = marks
        for one in marks.every:
            if one.locked:
                continue
            self.fields[f"mark-{one.anchor}"] = forms.BooleanField(
                required=False, label=f"Return this {one.kind}"
            )
            self.fields[f"why-{one.anchor}"] = PlainText(
                max_length=MAX_LENGTH, rows=2, label=str(one.clause)
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        marked = [one for one in self.marks.every if cleaned.get(f"mark-{one.anchor}")]
        for one in marked:
            name = f"why-{one.anchor}"
            if not cleaned.get(name, "").strip() and name not in self.errors:
                self.add_error(name, "It is marked: say why, or clear the mark.")
        if not marked and not cleaned.get("reason", "").strip() and "reason" not in self.errors:
            self.add_error("reason", "Say why, or mark a row or article with a reason.")
        return cleaned

    def given(self) -> list[Given]:
        """The marks as the verbs take them."""
        return [
            (one.clause, self.cleaned_data[f"why-{one.anchor}"])
            for one in self.marks.every
            if self.cleaned_data.get(f"mark-{one.anchor}")
        ]

    def _items(self, some: Iterator[Markable]) -> list[MarkItem]:
        return [
            MarkItem(one, None, None)
            if one.locked
            else MarkItem(one, self[f"mark-{one.anchor}"], self[f"why-{one.anchor}"])
            for one in some
        ]

    @property
    def changed(self) -> list[MarkItem]:
        return self._items(iter(self.marks.changed))

    @property
    def others(self) -> list[MarkItem]:
        return self._items(iter(self.marks.others))

    @property
    def any_other_marked(self) -> bool:
        """Whether the fold has to be open: something in it is marked."""
        return any(one.is_marked for one in self.others)
