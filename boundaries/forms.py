"""What is typed into a draft, a signature, a plan: read and checked before any verb is called."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.datastructures import MultiValueDict

from functions_catalog.models import Function
from people.calendar import company_date
from people.factor_forms import AnswerField
from people.models import Office
from people.offices import ADMINISTRATOR, AUDITOR, HYBRID, office_short
from sealing.verify import MAX_FILE_BYTES

from . import proof, signing, template
from .drafting import (
    ArticleText,
    RowText,
    SubScopeText,
    sunset_is_inherited,
    twelve_months_after,
)
from .models import Article, Document, Revision, Row, Succession
from .parties import possible_owners
from .plan import PlannedMilestone
from .states import Period
from .template import MARKETING, TEAM_SHAPES

MAX_PARTS = 8
# A text is agreed for twelve months: an effective date further off is a slip of the keyboard.
FURTHEST_EFFECTIVE = timedelta(days=2 * 366)


class PlainText(forms.CharField):
    """A text of lines: browsers send CRLF, the document keeps LF."""

    def __init__(self, *, rows: int = 4, **kwargs: Any) -> None:
        widget = forms.Textarea(attrs={"class": "input", "rows": rows})
        super().__init__(widget=widget, **{"required": False, **kwargs})

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        return "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").split("\n"))


def _input(**attrs: Any) -> dict[str, Any]:
    return {"class": "input", **attrs}


def _owner_choices() -> list[tuple[str, str]]:
    return [(key, office_short(key)) for key in possible_owners()]


def _asked_choices() -> list[tuple[str, str]]:
    keys = Office.objects.filter(established=True).exclude(key__in=[AUDITOR, ADMINISTRATOR])
    return [(key, office_short(key)) for key in keys.values_list("key", flat=True)]


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
    title = forms.CharField(max_length=160, widget=forms.TextInput(attrs=_input()))
    number = forms.RegexField(
        r"^[A-Z0-9]+(-[A-Z0-9]+)*$",
        max_length=20,
        help_text="Capitals, digits and hyphens, such as NC-RB. Revisions add theirs: NC-RB-4.",
        widget=forms.TextInput(attrs=_input()),
        error_messages={"invalid": "Write capital letters, digits and hyphens, such as NC-RB."},
    )
    functions = forms.ModelMultipleChoiceField(
        Function.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        to_field_name="key",
        label="Functions, where it covers a part",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["functions"]
        assert isinstance(field, forms.ModelMultipleChoiceField)  # noqa: S101 - tells the type checker
        field.queryset = Function.objects.active()

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
    """A row of article 4: owner or named sub-scopes, lines in and out, who is asked and told."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    owner = forms.ChoiceField(
        required=False,
        help_text="Exactly one. “Shared” is not an owner: choose hybrid and name the parts.",
        widget=forms.Select(attrs=_input()),
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
    rationale = PlainText(max_length=2000, rows=3, help_text="Why it sits here.")
    left_out_reason = PlainText(
        max_length=1000,
        rows=2,
        label="Leave it out of the boundary, because",
        help_text="Only when nobody is to own it here. Choose “Nobody yet” as its owner too.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owners = _owner_choices()
        asked = _asked_choices()
        self._choices("owner", [("", "Nobody yet"), *owners, (HYBRID, "Hybrid: parts below")])
        self._choices("consulted", asked)
        self._choices("informed", asked)
        for index in range(MAX_PARTS):
            self.fields[f"part_name_{index}"] = forms.CharField(
                required=False,
                max_length=120,
                label=f"Sub-scope {index + 1}",
                widget=forms.TextInput(attrs=_input()),
            )
            self.fields[f"part_owner_{index}"] = forms.ChoiceField(
                required=False,
                choices=[("", "Nobody yet"), *owners],
                label=f"Owner of sub-scope {index + 1}",
                widget=forms.Select(attrs=_input()),
            )

    def _choices(self, name: str, choices: Sequence[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - tells the type checker
        field.choices = list(choices)

    @classmethod
    def initial_of(cls, row: Row) -> dict[str, Any]:
        # An Office that is no longer established is no choice: who takes its part is proposed.
        heirs = template.heirs()
        initial: dict[str, Any] = {
            "version": row.version,
            "owner": heirs.get(row.owner, row.owner),
            "scope_in": row.scope_in,
            "scope_out": row.scope_out,
            "consulted": template.in_their_place(row.consulted, heirs, but=""),
            "informed": template.in_their_place(row.informed, heirs, but=""),
            "rationale": row.rationale,
            "left_out_reason": row.left_out_reason,
        }
        for index, part in enumerate(row.sub_scopes.all()):
            initial[f"part_name_{index}"] = part.name
            initial[f"part_owner_{index}"] = heirs.get(part.owner, part.owner)
        return initial

    @property
    def parts(self) -> Iterator[tuple[forms.BoundField, forms.BoundField]]:
        """The pairs of sub-scope fields that are worth showing: the used ones and two more."""
        used = 0
        for index in range(MAX_PARTS):
            if self[f"part_name_{index}"].value() or self[f"part_owner_{index}"].value():
                used = index + 1
        for index in range(min(MAX_PARTS, used + 2)):
            yield self[f"part_name_{index}"], self[f"part_owner_{index}"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for index in range(MAX_PARTS):
            if data.get(f"part_owner_{index}") and not data.get(f"part_name_{index}"):
                self.add_error(f"part_name_{index}", "Name this sub-scope, or clear its owner.")
        if data.get("left_out_reason") and data.get("owner"):
            self.add_error(
                "left_out_reason",
                "A function left out has no owner. Choose “Nobody yet”, or clear this reason.",
            )
        return data

    def text(self, row: Row) -> RowText:
        """The row as typed; a sub-scope that kept its name keeps its key."""
        data = self.cleaned_data
        keys = {part.name: part.key for part in row.sub_scopes.all()}
        names = [data[f"part_name_{index}"].strip() for index in range(MAX_PARTS)]
        return RowText(
            owner=data["owner"],
            sub_scopes=tuple(
                SubScopeText(name=name, owner=data[f"part_owner_{index}"], key=keys.get(name, ""))
                for index, name in enumerate(names)
                if name
            ),
            scope_in=data["scope_in"],
            scope_out=data["scope_out"],
            consulted=tuple(data["consulted"]),
            informed=tuple(data["informed"]),
            rationale=data["rationale"],
            left_out_reason=data["left_out_reason"],
        )


class ArticleForm(forms.Form):
    """An article that is plain text."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    text = PlainText(max_length=12_000, rows=16, required=True)

    @classmethod
    def initial_of(cls, article: Article) -> dict[str, Any]:
        return {"version": article.version, "text": article.text, **article.data}

    def article_text(self) -> ArticleText:
        return ArticleText(text=self.cleaned_data["text"], data=self.data_of_article())

    def data_of_article(self) -> dict[str, Any]:
        return {}


class ControlForm(ArticleForm):
    """Article 1: from when the Revision rules, and until when at most."""

    effective_date = forms.DateField(
        required=False,
        widget=forms.DateInput(attrs=_input(type="date")),
        help_text="It comes in force at the start of this day in the company's time zone.",
    )
    sunset_date = forms.DateField(
        required=False,
        widget=forms.DateInput(attrs=_input(type="date")),
        help_text="Empty: twelve months after the effective date.",
    )

    def __init__(self, *args: Any, revision: Revision, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if sunset_is_inherited(revision):
            self.fields["sunset_date"].disabled = True
            self.fields[
                "sunset_date"
            ].help_text = "An amendment keeps it: only a full review starts a new year."

    def clean_effective_date(self) -> date | None:
        effective: date | None = self.cleaned_data["effective_date"]
        if effective and effective > company_date(timezone.now()) + FURTHEST_EFFECTIVE:
            raise forms.ValidationError("That is more than two years away. Check the year.")
        return effective

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        effective, sunset = data.get("effective_date"), data.get("sunset_date")
        if effective and sunset and sunset <= effective:
            self.add_error("sunset_date", "Give a date after the effective date.")
        if effective and sunset and sunset > effective + timedelta(days=366):
            self.add_error(
                "sunset_date", "A boundary stands twelve months at most before a full review."
            )
        return data


class ReportingLineForm(ArticleForm):
    """Article 3: to whom the RevOps Lead reports."""

    solid_lines = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Solid line",
        help_text="Exactly one before freezing.",
    )
    dotted_line = forms.ChoiceField(required=False, widget=forms.Select(attrs=_input()))
    dotted_line_scope = PlainText(
        max_length=600, rows=2, help_text="What the dotted line covers, such as forecast accuracy."
    )
    team_shape = forms.ChoiceField(
        choices=[(key, f"{key.capitalize()}. {words}") for key, words in TEAM_SHAPES.items()],
        widget=forms.RadioSelect,
    )
    marketing = forms.ChoiceField(choices=list(MARKETING.items()), widget=forms.RadioSelect)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        missing = template.heirs()
        lines = [
            (key, office_short(key)) for key in ("ceo", "cro", "coo", "cfo") if key not in missing
        ]
        for name, choices in (("solid_lines", lines), ("dotted_line", [("", "None"), *lines])):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101 - tells the type checker
            field.choices = choices

    def data_of_article(self) -> dict[str, Any]:
        names = ("solid_lines", "dotted_line", "dotted_line_scope", "team_shape", "marketing")
        return {name: self.cleaned_data[name] for name in names}


class EscalationForm(ArticleForm):
    """Article 8: who decides when the leads cannot, and how soon."""

    leads_business_days = forms.IntegerField(
        min_value=1,
        max_value=30,
        label="Leads settle within, in business days",
        widget=forms.NumberInput(attrs=_input()),
    )
    executives_business_days = forms.IntegerField(
        min_value=1,
        max_value=60,
        label="Executives settle within, in business days",
        widget=forms.NumberInput(attrs=_input()),
    )
    interim_decider = PlainText(
        max_length=600, rows=2, help_text="Who decides until it is settled. Name Offices."
    )

    def data_of_article(self) -> dict[str, Any]:
        names = ("leads_business_days", "executives_business_days", "interim_decider")
        return {name: self.cleaned_data[name] for name in names}


LAYERS = ("weekly", "monthly", "quarterly")


class CadenceForm(ArticleForm):
    """Article 11: which layer decides what, and the CRO-COO 1:1."""

    one_to_one = PlainText(max_length=1000, rows=3, label="CRO-COO 1:1")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "Nobody yet"), *_asked_choices()]
        for layer in LAYERS:
            self.fields[f"{layer}_owner"] = forms.ChoiceField(
                choices=choices,
                required=False,
                label=f"{layer.capitalize()} layer: owner",
                widget=forms.Select(attrs=_input()),
            )
            self.fields[f"{layer}_mandate"] = PlainText(
                max_length=1000, rows=2, label=f"{layer.capitalize()} layer: what it decides"
            )
            self.fields[f"{layer}_escalation"] = PlainText(
                max_length=600, rows=2, label=f"{layer.capitalize()} layer: where it escalates"
            )

    @classmethod
    def initial_of(cls, article: Article) -> dict[str, Any]:
        initial = {
            "version": article.version,
            "text": article.text,
            "one_to_one": article.data.get("one_to_one", ""),
        }
        for layer in template.proposed_data(article.data, heirs=template.heirs()).get("layers", []):
            for name in ("owner", "mandate", "escalation"):
                initial[f"{layer['layer']}_{name}"] = layer.get(name, "")
        return initial

    @property
    def layers(self) -> Iterator[dict[str, Any]]:
        for layer in LAYERS:
            yield {
                "layer": layer,
                "label": f"{layer.capitalize()} layer",
                **{name: self[f"{layer}_{name}"] for name in ("owner", "mandate", "escalation")},
            }

    def data_of_article(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {
            "layers": [
                {
                    "layer": layer,
                    **{
                        name: data[f"{layer}_{name}"] for name in ("owner", "mandate", "escalation")
                    },
                }
                for layer in LAYERS
            ],
            "one_to_one": data["one_to_one"],
        }


_FORMS: dict[str, type[ArticleForm]] = {
    "reporting_line": ReportingLineForm,
    "escalation": EscalationForm,
    "cadence": CadenceForm,
}


def article_form(
    article: Article, revision: Revision, data: MultiValueDict[str, str] | None = None
) -> ArticleForm:
    """The form that fits the article, unbound or bound to what was posted."""
    if article.key == "control":
        initial = {
            "version": article.version,
            "text": article.text,
            "effective_date": revision.effective_date,
            "sunset_date": _sunset_set_by_hand(revision),
        }
        return ControlForm(data, initial=initial, revision=revision)
    form = _FORMS.get(article.key, ArticleForm)
    return form(data, initial=form.initial_of(article))


def _sunset_set_by_hand(revision: Revision) -> date | None:
    """None for the usual twelve months: a sunset left alone moves with the effective date."""
    effective, sunset = revision.effective_date, revision.sunset_date
    if sunset_is_inherited(revision) or effective is None:
        return sunset
    return None if sunset == twelve_months_after(effective) else sunset


class ReasonForm(forms.Form):
    """A written reason."""

    reason = PlainText(max_length=2000, rows=4, required=True)


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
        widget=forms.PasswordInput(attrs=_input(autocomplete="current-password", autofocus=True)),
        error_messages={"required": "Type your password to confirm that it is you."},
    )
    code = forms.CharField(
        max_length=20,
        label="Code of your code generator",
        help_text="Six digits. One that you have used already, to sign in for instance, does not "
        "work again.",
        widget=_SecretInput(
            attrs=_input(autocomplete="one-time-code", inputmode="numeric", maxlength=20)
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
                    widget=forms.TextInput(attrs=_input()),
                )
                self.fields[f"{stem}_responsible"] = forms.CharField(
                    required=False,
                    max_length=120,
                    label="Who",
                    widget=forms.TextInput(attrs=_input()),
                )
                self.fields[f"{stem}_due_date"] = forms.DateField(
                    required=False, label="By", widget=forms.DateInput(attrs=_input(type="date"))
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
        widget=forms.FileInput(attrs={"class": "input", "accept": "application/pdf"}),
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
