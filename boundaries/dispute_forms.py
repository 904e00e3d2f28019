"""What is typed into a dispute: the question, a page, the CEO's ruling."""

from collections.abc import Mapping
from typing import Any

from django import forms

from functions_catalog.models import Function
from people.offices import HYBRID, office_short

from .drafting import RowText, SubScopeText
from .form_fields import PlainText, input_attrs
from .forms import RowForm
from .models import DisputePage
from .parties import possible_owners
from .rulings import MAX_RATIONALE


class EscalateForm(forms.Form):
    """A neutral question for the CEO; about what is in force also the reason."""

    question = forms.CharField(
        max_length=200,
        label="The question for the CEO",
        help_text="Neutral, so that every party can answer it: “Who answers sellers’ disputes?”",
        widget=forms.TextInput(attrs=input_attrs()),
        error_messages={"required": "Ask one neutral question, such as “Who approves discounts?”"},
    )
    reason = PlainText(
        max_length=2000,
        rows=4,
        label="Why it cannot stay as it is",
        help_text="All parties and the CEO read it.",
    )

    def __init__(self, *args: Any, in_force: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if in_force:
            self.fields["reason"].required = True
            self.fields["reason"].error_messages["required"] = (
                "Say in a sentence or two why the row in force cannot stay so."
            )
        else:
            del self.fields["reason"]


class PageForm(forms.Form):
    """A party's page. Its length is the verb's to refuse: what was typed is shown again."""

    office = forms.CharField(max_length=40, widget=forms.HiddenInput)
    text = PlainText(
        rows=16,
        strip=False,
        label="Your page",
        max_length=4 * DisputePage.MAX_CHARACTERS,
    )


class DeciderForm(forms.Form):
    """Who decides until the ruling, where nobody owns the function."""

    office = forms.ChoiceField(
        label="Who decides until you rule", widget=forms.Select(attrs=input_attrs())
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["office"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - tells the type checker
        field.choices = [(key, office_short(key)) for key in possible_owners()]


class RulingForm(RowForm):
    """The CEO's ruling: owner and terms as a row has them, and the rationale."""

    ruling_rationale = PlainText(
        max_length=MAX_RATIONALE,
        rows=4,
        required=True,
        label="Your rationale",
        help_text="All parties read it. It stays with the row for as long as these terms do.",
        error_messages={"required": "Write why: all parties read it, and it stays."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["version"], self.fields["left_out_reason"]
        owners = [(key, office_short(key)) for key in possible_owners()]
        self._choices("owner", [("", "Choose"), *owners, (HYBRID, "Parts, each with one owner")])
        self.fields["owner"].label = "Who owns it"
        self.fields["scope_in"].label = "Terms: what its owner does"
        self.fields[
            "scope_in"
        ].help_text = "What the row will say. Numbers need a unit, such as 3 business days."
        self.fields["scope_out"].label = "What it does not do"
        self.fields["rationale"].label = "Why it sits here, as the row says it"
        for name in ("owner", "scope_in"):
            self.fields[name].required = True
        self.fields["owner"].error_messages["required"] = (
            "Say who owns it: one Office, or parts with one owner each."
        )
        self.fields["scope_in"].error_messages["required"] = "Write what its owner does."

    @classmethod
    def opens_with(cls, text: RowText, function: Function) -> dict[str, Any]:
        """The form opens with the text in force, never with a party's proposal."""
        return cls.initial_of_text(text, 0, function)

    def terms(self, keys: Mapping[str, str]) -> RowText:
        """The terms as typed; a part that kept its name keeps its key."""
        data = self.cleaned_data
        names = [data[f"part_name_{index}"].strip() for index in range(self.part_count)]
        split = data["owner"] == HYBRID
        return RowText(
            owner=data["owner"],
            sub_scopes=tuple(
                SubScopeText(name=name, owner=data[f"part_owner_{index}"], key=keys.get(name, ""))
                for index, name in enumerate(names)
                if name and split
            ),
            scope_in=data["scope_in"],
            scope_out=data["scope_out"],
            consulted=tuple(data["consulted"]),
            informed=tuple(data["informed"]),
            rationale=data["rationale"],
        )
