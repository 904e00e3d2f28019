"""What is typed into a draft, a signature, a plan: read and checked before any verb is called."""

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms

from functions_catalog.models import Function
from people.factor_forms import AnswerField
from people.offices import HYBRID, office_short
from sealing.verify import MAX_FILE_BYTES

from . import proof, signing, template
from .drafting import RowText, SubScopeText, row_text
from .form_fields import PlainText, asked_choices, input_attrs
from .models import Document, Row, Succession
from .parties import possible_owners
from .plan import PlannedMilestone
from .states import Period

MAX_PARTS, MOST_PARTS = 8, 40


def _owner_choices() -> list[tuple[str, str]]:
    return [(key, office_short(key)) for key in possible_owners()]


class OpenForm(forms.Form):
    """Open the company boundary, or a document about some functions only."""

    kind = forms.ChoiceField(
        choices=[
            ("company", "Company boundary: covers the whole catalog"),
            ("part", "A part: only the functions chosen below"),
        ],
        widget=forms.RadioSelect,
        label="What does it cover",
    )
    title = forms.CharField(max_length=160, widget=forms.TextInput(attrs=input_attrs()))
    number = forms.RegexField(
        r"^[A-Z0-9]+(-[A-Z0-9]+)*$",
        max_length=20,
        help_text="Capitals, digits and hyphens, such as NC-RB. Revisions add theirs: NC-RB-4.",
        widget=forms.TextInput(attrs=input_attrs()),
        error_messages={"invalid": "Write capital letters, digits and hyphens, such as NC-RB."},
    )
    functions = forms.ModelMultipleChoiceField(
        Function.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        to_field_name="key",
        label="Functions, where it covers a part",
    )
    template = forms.ChoiceField(
        required=False,
        choices=list(template.TEMPLATES.items()),
        widget=forms.RadioSelect,
        label="Which text does it start with",
        help_text="Every row and article can be edited afterwards.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["functions"]
        assert isinstance(field, forms.ModelMultipleChoiceField)  # noqa: S101 - tells the type checker
        field.queryset = Function.objects.active()

    def clean_template(self) -> str:
        return self.cleaned_data["template"] or template.suited()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("kind") == "part" and not data.get("functions"):
            self.add_error("functions", "Choose at least one function.")
        if data.get("kind") == "company" and (
            Document.objects.filter(is_company_boundary=True).exists()
        ):
            self.add_error("kind", "The company boundary exists already. Open a part instead.")
        return data


class RowForm(forms.Form):
    """A row of article 4: owner or named sub-scopes, lines in and out, who is asked and told.

    For a row with one owner the parts that the catalog knows are filled in, for whoever splits it.
    """

    version = forms.IntegerField(widget=forms.HiddenInput)
    owner = forms.ChoiceField(
        required=False,
        help_text="Exactly one Office. Where two do the work, split it into parts.",
        widget=forms.Select(attrs=input_attrs()),
        error_messages={
            "invalid_choice": "“%(value)s” cannot own a function here. Choose one Office of the "
            "list, or split the function into parts."
        },
    )
    scope_in = PlainText(
        max_length=2000, help_text="What this owner does. Start each line with a verb."
    )
    scope_out = PlainText(
        max_length=2000, help_text="What it does not do, and where that belongs instead."
    )
    consulted = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Consulted: who is asked before a decision",
    )
    informed = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Informed: who is told afterwards",
    )
    rationale = PlainText(
        max_length=2000,
        rows=3,
        label="Why it sits here",
        help_text="The rationale: what speaks for this owner and this line.",
    )
    left_out_reason = PlainText(
        max_length=1000,
        rows=2,
        label="Leave it out of the boundary, because",
        help_text="Only when nobody is to own it here. Choose “Nobody yet” as its owner too.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owners = _owner_choices()
        asked = asked_choices()
        self._choices("owner", [("", "Nobody yet"), *owners, (HYBRID, "Hybrid: split into parts")])
        self._choices("consulted", asked)
        self._choices("informed", asked)
        self.part_count = self._count_parts()
        for index in range(self.part_count):
            self.fields[f"part_name_{index}"] = forms.CharField(
                required=False,
                max_length=120,
                label=f"Part {index + 1}",
                widget=forms.TextInput(attrs=input_attrs(placeholder="Name of the part")),
            )
            self.fields[f"part_owner_{index}"] = forms.ChoiceField(
                required=False,
                choices=[("", "Nobody yet"), *owners],
                label=f"Owner of part {index + 1}",
                widget=forms.Select(attrs=input_attrs()),
            )

    def _count_parts(self) -> int:
        """Room for every part that there is, and more; no part is cut off by the form."""
        given = self.data if self.is_bound else self.initial
        used = [
            int(index)
            for name in given
            if (index := name.removeprefix("part_name_")) != name and index.isdecimal()
            if len(index) < 4
        ]
        return max(MAX_PARTS, min(max(used, default=-1) + 3, MOST_PARTS))

    def _choices(self, name: str, choices: Sequence[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - tells the type checker
        field.choices = list(choices)

    @classmethod
    def initial_of(cls, row: Row) -> dict[str, Any]:
        return cls.initial_of_text(row_text(row), row.version, row.function)

    @classmethod
    def initial_of_text(
        cls, text: RowText, version: int, function: Function | None = None
    ) -> dict[str, Any]:
        # An Office that is no longer established is no choice: who takes its part is proposed.
        heirs = template.heirs()
        initial: dict[str, Any] = {
            "version": version,
            "owner": heirs.get(text.owner, text.owner),
            "scope_in": text.scope_in,
            "scope_out": text.scope_out,
            "consulted": template.in_their_place(text.consulted, heirs, but=""),
            "informed": template.in_their_place(text.informed, heirs, but=""),
            "rationale": text.rationale,
            "left_out_reason": text.left_out_reason,
        }
        parts = [(part.name, part.owner) for part in text.sub_scopes]
        if function is not None and text.owner != HYBRID:
            known = function.sub_scopes.values_list("name", "natural_owner")
            owners = set(possible_owners())
            parts = [
                (name, own if (own := heirs.get(owner, owner)) in owners else "")
                for name, owner in known
            ]
        for index, (name, owner) in enumerate(parts):
            initial[f"part_name_{index}"] = name
            initial[f"part_owner_{index}"] = heirs.get(owner, owner)
        return initial

    @property
    def parts(self) -> Iterator[tuple[forms.BoundField, forms.BoundField]]:
        """The pairs of sub-scope fields that are worth showing: the used ones and two more."""
        used = 0
        for index in range(self.part_count):
            if self[f"part_name_{index}"].value() or self[f"part_owner_{index}"].value():
                used = index + 1
        for index in range(min(self.part_count, max(used + 2, 3))):
            yield self[f"part_name_{index}"], self[f"part_owner_{index}"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        named: set[str] = set()
        for index in range(self.part_count) if data.get("owner") == HYBRID else ():
            name = (data.get(f"part_name_{index}") or "").strip()
            if data.get(f"part_owner_{index}") and not name:
                self.add_error(f"part_name_{index}", "Name this part, or choose “Nobody yet”.")
            if name and name.casefold() in named:
                self.add_error(
                    f"part_name_{index}",
                    f"Another part is called “{name}” already. Give each its own name.",
                )
            named.add(name.casefold())
        if data.get("left_out_reason") and data.get("owner"):
            self.add_error(
                "left_out_reason",
                "A function left out has no owner. Choose “Nobody yet”, or clear this reason.",
            )
        return data

    def text(self, row: Row) -> RowText:
        """The row as typed; a part that kept its name, or has one of the catalog, has that key."""
        data = self.cleaned_data
        keys = dict(row.function.sub_scopes.values_list("name", "key"))
        keys |= {part.name: part.key for part in row.sub_scopes.all()}
        names = [data[f"part_name_{index}"].strip() for index in range(self.part_count)]
        parts = tuple(
            SubScopeText(name=name, owner=data[f"part_owner_{index}"], key=keys.get(name, ""))
            for index, name in enumerate(names)
            if name
        )
        return RowText(
            owner=data["owner"],
            sub_scopes=parts if data["owner"] == HYBRID else (),
            scope_in=data["scope_in"],
            scope_out=data["scope_out"],
            consulted=tuple(data["consulted"]),
            informed=tuple(data["informed"]),
            rationale=data["rationale"],
            left_out_reason=data["left_out_reason"],
        )


class ReasonForm(forms.Form):
    """A written reason."""

    reason = PlainText(max_length=2000, rows=4, required=True)


class LeaveOutForm(forms.Form):
    """Why a function belongs to nobody here; the verb asks for one where there is none."""

    reason = PlainText(max_length=1000)


class BeginSigningForm(forms.Form):
    """Steps 3 and 4 of the ceremony: the meaning, and conflicts of interest."""

    understood = forms.BooleanField(
        required=False, error_messages={"required": "Tick what signing means."}
    )
    conflict = forms.ChoiceField(
        choices=[
            ("none", "I have no conflict of interest to declare"),
            ("declared", "I declare one"),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": "Say whether you have a conflict of interest."},
    )
    conflict_text = PlainText(
        max_length=1000,
        rows=2,
        label="Which conflict of interest",
        help_text="Whoever else signs, and the CEO, read it. It stays in the record.",
    )
    reservation = PlainText(
        max_length=signing.MAX_RESERVATION,
        rows=2,
        label="Reservation",
        help_text="Printed beside your signature. It does not change the text.",
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("conflict") == "declared" and not data.get("conflict_text"):
            self.add_error("conflict_text", "Say which conflict of interest you declare.")
        return data


class _SecretInput(forms.PasswordInput):
    """Readable while it is typed; never sent back with a page."""

    input_type = "text"


class ConfirmForm(forms.Form):
    """Step 5: who signs proves that it is them at that moment, by ``method`` (``proof``)."""

    passkey = AnswerField()
    password = forms.CharField(
        strip=False,
        label="Your password",
        widget=forms.PasswordInput(
            attrs=input_attrs(autocomplete="current-password", autofocus=True)
        ),
        error_messages={"required": "Type your password to confirm that it is you."},
    )
    code = forms.CharField(
        max_length=20,
        label="Code of your code generator",
        help_text="Six digits. One that you have used already, to sign in for instance, does not "
        "work again.",
        widget=_SecretInput(
            attrs=input_attrs(autocomplete="one-time-code", inputmode="numeric", maxlength=20)
        ),
        error_messages={"required": "Type the code that your generator shows now."},
    )

    def __init__(self, *args: Any, method: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        asked = {
            proof.PASSKEY: {"passkey"},
            proof.PASSWORD_AND_CODE: {"password", "code"},
            proof.PASSWORD_ONLY: {"password"},
        }.get(method, set())
        for name in set(self.fields) - asked:
            del self.fields[name]


MILESTONES_PER_PERIOD = 3


class PlanForm(forms.Form):
    """The execution plan: at least one milestone for each third of the first ninety days."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for period in Period:
            for index in range(MILESTONES_PER_PERIOD):
                stem = f"{period.name.lower()}_{index}"
                self.fields[f"{stem}_text"] = forms.CharField(
                    required=False,
                    max_length=300,
                    label="What changes",
                    widget=forms.TextInput(attrs=input_attrs()),
                )
                self.fields[f"{stem}_responsible"] = forms.CharField(
                    required=False,
                    max_length=120,
                    label="Who",
                    widget=forms.TextInput(attrs=input_attrs()),
                )
                self.fields[f"{stem}_due_date"] = forms.DateField(
                    required=False,
                    label="By",
                    widget=forms.DateInput(attrs=input_attrs(type="date")),
                )

    @property
    def periods(self) -> Iterator[dict[str, Any]]:
        for period in Period:
            stems = [f"{period.name.lower()}_{index}" for index in range(MILESTONES_PER_PERIOD)]
            yield {
                "period": period,
                "label": period.label,
                "rows": [
                    {name: self[f"{stem}_{name}"] for name in ("text", "responsible", "due_date")}
                    for stem in stems
                ],
            }

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name, value in list(data.items()):
            stem, _, part = name.rpartition("_")
            if part == "text" and value:
                if not data.get(f"{stem}_responsible"):
                    self.add_error(f"{stem}_responsible", "Name who carries it out.")
                if not data.get(f"{stem}_due_date") and f"{stem}_due_date" not in self.errors:
                    self.add_error(f"{stem}_due_date", "Give the day by which it is done.")
        for period in Period:
            stem = f"{period.name.lower()}_0"
            if not any(
                data.get(f"{period.name.lower()}_{index}_text")
                for index in range(MILESTONES_PER_PERIOD)
            ):
                self.add_error(f"{stem}_text", f"Give at least one milestone for {period.label}.")
        return data

    def milestones(self) -> list[PlannedMilestone]:
        data = self.cleaned_data
        return [
            PlannedMilestone(
                period=period,
                text=data[f"{stem}_text"],
                responsible=data[f"{stem}_responsible"],
                due_date=data[f"{stem}_due_date"],
            )
            for period in Period
            for stem in (f"{period.name.lower()}_{index}" for index in range(MILESTONES_PER_PERIOD))
            if data[f"{stem}_text"]
        ]


class VerifyForm(forms.Form):
    """A PDF to be judged; at most 10 MB."""

    file = forms.FileField(
        label="PDF file",
        widget=forms.FileInput(
            attrs={
                "class": "input",
                "accept": "application/pdf",
                "data-most-bytes": MAX_FILE_BYTES,
                "data-too-large": "That file is larger than 10 MB. Sealed PDFs are smaller.",
            }
        ),
        error_messages={"required": "Choose a PDF file.", "empty": "That file is empty."},
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MAX_FILE_BYTES:
            raise forms.ValidationError("That file is larger than 10 MB. Sealed PDFs are smaller.")
        return file


class AnswerForm(forms.Form):
    """A successor's answer on what the predecessor signed."""

    answer = forms.ChoiceField(
        choices=Succession.Answer.choices,
        initial=Succession.Answer.ACKNOWLEDGED,
        label="Your answer",
        error_messages={
            "required": "Choose one of the two answers.",
            "invalid_choice": "Choose one of the two answers.",
        },
    )
    wish = PlainText(
        max_length=3000,
        rows=5,
        label="What should change, and why",
        help_text="The other parties, the CEO and the RevOps Lead read it. At most 3,000 "
        "characters.",
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        asks = data.get("answer") == Succession.Answer.AMENDMENT
        if asks and "wish" not in self.errors and not data.get("wish", "").strip():
            self.add_error("wish", "Say what should change, so that the others can answer it.")
        return data
