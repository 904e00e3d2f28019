"""The forms of the articles: each fits what its article holds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.datastructures import MultiValueDict

from people.calendar import company_date
from people.offices import office_short

from . import articles, template
from .articles import FUNCTIONS, OFFICE, OFFICES, PROSE, EntryList, Shape
from .drafting import ArticleText, sunset_is_inherited, twelve_months_after
from .form_fields import AGAIN, PlainText, asked_choices, input_attrs, kept_hidden, typed_in
from .models import Article, Revision
from .template import MARKETING, TEAM_SHAPES

# A text is agreed for twelve months: an effective date further off is a slip of the keyboard.
FURTHEST_EFFECTIVE = timedelta(days=2 * 366)
EMPTY_SLOTS = 2  # entries that may be added before asking for more room


class ArticleForm(forms.Form):
    """An article that is prose alone."""

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
        widget=forms.DateInput(attrs=input_attrs(type="date")),
        help_text="It comes in force at the start of this day in the company's time zone.",
    )
    sunset_date = forms.DateField(
        required=False,
        widget=forms.DateInput(attrs=input_attrs(type="date")),
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
        help_text="Tick exactly one before freezing; two can stand while you disagree.",
    )
    dotted_line = forms.ChoiceField(required=False, widget=forms.Select(attrs=input_attrs()))
    dotted_line_scope = PlainText(
        max_length=600, rows=2, help_text="What the dotted line covers, such as forecast accuracy."
    )
    team_shape = forms.ChoiceField(
        choices=[(key, f"{key.capitalize()}. {words}") for key, words in TEAM_SHAPES.items()],
        widget=forms.RadioSelect,
    )
    marketing = forms.ChoiceField(choices=list(MARKETING.items()), widget=forms.RadioSelect)
    rationale = PlainText(
        max_length=1000,
        rows=2,
        label="Why this line",
        help_text="What it gives here, and how its cost is met.",
    )

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
        data = {name: self.cleaned_data[name] for name in names}
        rationale = self.cleaned_data["rationale"].strip()
        return data | {"rationale": rationale} if rationale else data


class EscalationForm(ArticleForm):
    """Article 8: who decides when the leads cannot, and how soon."""

    leads_business_days = forms.IntegerField(
        min_value=1,
        max_value=30,
        label="Leads settle within, in business days",
        widget=forms.NumberInput(attrs=input_attrs()),
    )
    executives_business_days = forms.IntegerField(
        min_value=1,
        max_value=60,
        label="Executives settle within, in business days",
        widget=forms.NumberInput(attrs=input_attrs()),
    )
    interim_decider = PlainText(
        max_length=600, rows=2, help_text="Who decides until it is settled. Name Offices."
    )

    def data_of_article(self) -> dict[str, Any]:
        names = ("leads_business_days", "executives_business_days", "interim_decider")
        return {name: self.cleaned_data[name] for name in names}


LAYERS = ("weekly", "monthly", "quarterly")


class CadenceForm(ArticleForm):
    """Article 11: which layer decides what, and the executives' one to one."""

    one_to_one = PlainText(max_length=1000, rows=3, label="One to one")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "Nobody yet"), *asked_choices()]
        for layer in LAYERS:
            self.fields[f"{layer}_owner"] = forms.ChoiceField(
                choices=choices,
                required=False,
                label=f"{layer.capitalize()} layer: owner",
                widget=forms.Select(attrs=input_attrs()),
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


@dataclass
class SlotField:
    """A field of an entry under its short label: the whole one names the entry as well."""

    label: str
    bound: forms.BoundField
    is_wide: bool


@dataclass
class Slot:
    """The fields of one entry, as a page shows them."""

    index: int
    name: str
    group: str
    is_new: bool
    fields: list[SlotField]
    key: forms.BoundField
    # The functions that it is about, with a field to name more; None where it has none.
    about: forms.BoundField | None = None
    more: forms.BoundField | None = None
    remove: forms.BoundField | None = None

    @property
    def bound_fields(self) -> Iterator[forms.BoundField]:
        yield from (one.bound for one in self.fields)
        for one in (self.about, self.more, self.remove):
            if one is not None:
                yield one

    @property
    def is_open(self) -> bool:
        """Whether something is wrong in it, or new, so that it must be in view."""
        wrong = self.remove is not None and self.remove.form.is_bound
        return (self.is_new and bool(self.name)) or (
            wrong and any(one.errors for one in self.bound_fields)
        )


class Ticks(forms.MultipleChoiceField):
    """Boxes to tick; none ticked is no mistake."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)

    def to_python(self, value: Any) -> list[str]:
        return [one for one in super().to_python(value) if one]


class EntriesForm(ArticleForm):
    """An article that is a list of entries, with texts beside it where it has some.

    Every entry has a fieldset; two empty ones wait for more. Nothing needs a script.
    """

    count = forms.IntegerField(widget=kept_hidden(), required=False)
    text = PlainText(max_length=12_000, rows=6, required=True)

    def __init__(
        self,
        *args: Any,
        key: str,
        functions: Mapping[str, str],
        slots: int,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.key = key
        self.shape: Shape = articles.SHAPES[key]
        assert self.shape.entries is not None  # noqa: S101 - every shape has a list
        self.entries: EntryList = self.shape.entries
        # The functions of the draft by key: what an entry may be about.
        self.functions = functions
        self.slot_count = slots
        self.initial["count"] = slots
        # What stands may stay, though the draft or the company has it no more.
        self.known_functions = {*functions, *self._standing("_functions")}
        self.known_offices = self._standing("_primary_owner") | self._standing("_also_measured")
        self.offices = asked_choices()
        for index in range(slots):
            self._add_slot(index)
        for one in self.shape.texts:
            self.fields[one.name] = PlainText(
                label=one.label, help_text=one.hint, rows=3, required=False
            )

    def _add_slot(self, index: int) -> None:
        stem = f"entry_{index}"
        self.fields[f"{stem}_key"] = forms.CharField(
            required=False, widget=kept_hidden(), max_length=articles.MAX_KEY
        )
        for one in articles.all_fields(self.entries):
            name = f"{stem}_{one.name}"
            label = f"{self.entries.one.capitalize()} {index + 1}, {one.label}"
            if one.kind == FUNCTIONS:
                chosen = [key for key in self._chosen(name) if key in self.known_functions]
                self.fields[name] = Ticks(
                    label=label, choices=[(key, self._function_name(key)) for key in chosen]
                )
                self.fields[f"{stem}_more"] = forms.CharField(
                    required=False,
                    max_length=2000,
                    label=f"{label}: add",
                    widget=forms.TextInput(
                        attrs=input_attrs(list=self.list_id, autocomplete="off")
                    ),
                )
            elif one.kind == OFFICES:
                self.fields[name] = Ticks(label=label, choices=self._with_gone(self._chosen(name)))
            elif one.kind == OFFICE:
                self.fields[name] = forms.ChoiceField(
                    required=False,
                    label=label,
                    help_text=one.hint,
                    choices=[("", "Nobody yet"), *self._with_gone(self._chosen(name))],
                    widget=forms.Select(attrs=input_attrs()),
                    error_messages={"invalid_choice": "Choose exactly one Office."},
                )
            elif one.kind == PROSE:
                self.fields[name] = PlainText(label=label, help_text=one.hint, rows=2)
            else:
                self.fields[name] = forms.CharField(
                    required=False,
                    label=label,
                    help_text=one.hint,
                    widget=forms.TextInput(attrs=input_attrs()),
                )
        self.fields[f"{stem}_remove"] = forms.BooleanField(
            required=False, label=f"Remove this {self.entries.one}"
        )

    def _chosen(self, name: str) -> list[str]:
        """What is ticked now: as it was posted, else as it stands."""
        if isinstance(self.data, MultiValueDict) and self.is_bound:
            return [str(one) for one in self.data.getlist(self.add_prefix(name)) if one]
        found = (self.data if self.is_bound else self.initial).get(name) or []
        return [found] if isinstance(found, str) else [str(one) for one in found]

    def _with_gone(self, chosen: list[str]) -> list[tuple[str, str]]:
        """The Offices to choose from, and one that is no longer there where it still stands."""
        offered = dict(self.offices)
        gone = [key for key in chosen if key not in offered and key in self.known_offices]
        return [*self.offices, *((key, f"{office_short(key)}, not established") for key in gone)]

    def _standing(self, ending: str) -> set[str]:
        """What the fields with this ending hold as the article stands."""
        values = [value for name, value in self.initial.items() if name.endswith(ending)]
        return {
            key for value in values for key in ([value] if isinstance(value, str) else value or ())
        }

    def _function_name(self, key: str) -> str:
        return self.functions.get(key, f"{key}, not in this draft")

    @property
    def list_id(self) -> str:
        return f"functions-for-{self.key.replace('_', '-')}"

    @property
    def function_names(self) -> list[str]:
        """What the fields for further functions offer."""
        return sorted(self.functions.values(), key=str.casefold)

    @property
    def offers_functions(self) -> bool:
        return any(one.kind == FUNCTIONS for one in self.entries.fields)

    @classmethod
    def initial_of(cls, article: Article) -> dict[str, Any]:
        shape = articles.SHAPES[article.key]
        assert shape.entries is not None  # noqa: S101 - every shape has a list
        data = template.proposed_data(
            articles.normalise(article.key, article.data), heirs=template.heirs()
        )
        initial: dict[str, Any] = {"version": article.version, "text": article.text}
        for index, entry in enumerate(data[shape.entries.name]):
            initial |= {f"entry_{index}_{name}": value for name, value in entry.items()}
        return initial | {one.name: data[one.name] for one in shape.texts}

    @property
    def slots(self) -> Iterator[Slot]:
        for index in range(self.slot_count):
            stem = f"entry_{index}"
            has_functions = f"{stem}_functions" in self.fields
            key = self[f"{stem}_key"]
            name = self[f"{stem}_{self.entries.named_by}"].value() or ""
            note = self._value(f"{stem}_threshold")
            yield Slot(
                index=index,
                name=f"{name}, {note}" if name and note else str(name),
                group=self._value(f"{stem}_group"),
                is_new=not key.value(),
                fields=[
                    SlotField(one.label, self[f"{stem}_{one.name}"], one.is_long)
                    for one in articles.all_fields(self.entries)
                    if one.kind != FUNCTIONS
                ],
                key=key,
                about=self[f"{stem}_functions"] if has_functions else None,
                more=self[f"{stem}_more"] if has_functions else None,
                remove=self[f"{stem}_remove"],
            )

    def _value(self, name: str) -> str:
        return str(self[name].value() or "") if name in self.fields else ""

    @property
    def text_fields(self) -> Iterator[forms.BoundField]:
        for one in self.shape.texts:
            yield self[one.name]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        places: list[int] = []
        listed: list[dict[str, Any]] = []
        for index in range(self.slot_count):
            stem = f"entry_{index}"
            if data.get(f"{stem}_remove"):
                continue
            entry = {
                one.name: data.get(f"{stem}_{one.name}")
                for one in articles.all_fields(self.entries)
            }
            if f"{stem}_more" in self.fields:
                entry["functions"] = [
                    *(entry["functions"] or ()),
                    *self._named_functions(index, data.get(f"{stem}_more", "")),
                ]
            wrong = any(name.startswith(f"{stem}_") for name in self.errors)
            if wrong or not articles.is_empty(self.entries, entry):
                places.append(index)
                listed.append({"key": data.get(f"{stem}_key"), **entry})
        given = {self.entries.name: listed} | {
            one.name: data.get(one.name) for one in self.shape.texts
        }
        found = articles.normalise(self.key, given)
        if len(found[self.entries.name]) == len(places):
            offices = {key for key, _ in self.offices} | self.known_offices
            for problem in articles.problems(self.key, found, offices=offices):
                self._tell(problem, places)
        data["article_data"] = found
        return data

    def _named_functions(self, index: int, typed: str) -> list[str]:
        """The keys of the functions that were typed, parted by semicolons."""
        keys = {name.casefold(): key for key, name in self.functions.items()}
        found = []
        for name in (part.strip() for part in typed.split(";")):
            if name and name.casefold() not in keys:
                self.add_error(
                    f"entry_{index}_more",
                    f"This draft has no function “{name[:80]}”. Choose one from the list.",
                )
            elif name:
                found.append(keys[name.casefold()])
        return found

    def _tell(self, problem: articles.Problem, places: list[int]) -> None:
        if problem.place is None:
            self.add_error(problem.field if problem.field in self.fields else None, problem.says)
            return
        stem = f"entry_{places[problem.place]}"
        name = "more" if problem.field == "functions" else problem.field
        self.add_error(f"{stem}_{name}", problem.says)

    def data_of_article(self) -> dict[str, Any]:
        found: dict[str, Any] = self.cleaned_data["article_data"]
        return found


class VetoListForm(ArticleForm):
    """Article 6: the ground for each function that touches financial reporting."""

    text = PlainText(max_length=12_000, rows=12, required=True)

    def __init__(
        self,
        *args: Any,
        touching: Mapping[str, str],
        stale: list[str],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.touching = touching
        # Grounds of functions that the list no longer names: they go when it is saved.
        self.stale = stale
        for key, name in touching.items():
            self.fields[f"ground_{key}"] = PlainText(
                label=name, rows=2, max_length=self._field.max_length
            )

    @property
    def _field(self) -> articles.Field:
        entries = articles.SHAPES["veto_list"].entries
        assert entries is not None  # noqa: S101 - its list is the grounds
        return entries.field("ground")

    @classmethod
    def initial_of(cls, article: Article) -> dict[str, Any]:
        data = articles.normalise(article.key, article.data)
        grounds = {f"ground_{one['function']}": one["ground"] for one in data["grounds"]}
        return {"version": article.version, "text": article.text, **grounds}

    @property
    def grounds(self) -> Iterator[forms.BoundField]:
        for key in self.touching:
            yield self[f"ground_{key}"]

    def data_of_article(self) -> dict[str, Any]:
        given = [
            {"function": key, "ground": self.cleaned_data[f"ground_{key}"]} for key in self.touching
        ]
        return {"grounds": [one for one in given if one["ground"].strip()]}


def _veto_list_form(
    article: Article, revision: Revision, data: MultiValueDict[str, str] | None
) -> VetoListForm:
    rows = list(revision.rows.select_related("function"))
    touching = {
        row.function.key: row.function.name
        for row in rows
        if row.function.touches_financial_reporting and not row.left_out_reason
    }
    names = {row.function.key: row.function.name for row in rows}
    given = articles.normalise(article.key, article.data)["grounds"]
    return VetoListForm(
        data,
        initial=VetoListForm.initial_of(article),
        touching=touching,
        stale=[
            names.get(one["function"], one["function"])
            for one in given
            if one["function"] not in touching
        ],
    )


def _entries_form(
    article: Article, revision: Revision, data: MultiValueDict[str, str] | None
) -> EntriesForm:
    rows = revision.rows.select_related("function")
    functions = {row.function.key: row.function.name for row in rows}
    shape = articles.SHAPES[article.key]
    assert shape.entries is not None  # noqa: S101 - every shape has a list
    most = articles.MAX_ENTRIES + EMPTY_SLOTS

    def form(given: Any, initial: dict[str, Any], slots: int) -> EntriesForm:
        return EntriesForm(
            given,
            initial=initial,
            key=article.key,
            functions=functions,
            slots=min(slots, most),
        )

    initial = EntriesForm.initial_of(article)
    stands = len(articles.normalise(article.key, article.data)[shape.entries.name])
    if data is None:
        return form(None, initial, stands + EMPTY_SLOTS)
    counted = data.get("count", "")
    slots = int(counted) if counted.isdecimal() and len(counted) < 4 else stands + EMPTY_SLOTS
    posted = form(data, initial, slots)
    if "more" not in data and AGAIN not in data:
        return posted
    # More room was asked for, or the form as it was left: nothing is judged yet.
    return form(None, typed_in(posted), slots + (EMPTY_SLOTS if "more" in data else 0))


_FORMS: dict[str, type[ArticleForm]] = {
    "reporting_line": ReportingLineForm,
    "escalation": EscalationForm,
    "cadence": CadenceForm,
}


def article_form(
    article: Article, revision: Revision, data: MultiValueDict[str, str] | None = None
) -> ArticleForm:
    """The form that fits the article, unbound or bound to what was posted.

    Unbound as well where "more" or ``AGAIN`` was posted to a list: it then has what was typed, and
    room for it.
    """
    if article.key == "control":
        initial = {
            "version": article.version,
            "text": article.text,
            "effective_date": revision.effective_date,
            "sunset_date": _sunset_set_by_hand(revision),
        }
        return ControlForm(data, initial=initial, revision=revision)
    if article.key == "veto_list":
        return _veto_list_form(article, revision, data)
    if articles.is_structured(article.key):
        return _entries_form(article, revision, data)
    form = _FORMS.get(article.key, ArticleForm)
    return form(data, initial=form.initial_of(article))


def _sunset_set_by_hand(revision: Revision) -> date | None:
    """None for the usual twelve months: a sunset left alone moves with the effective date."""
    effective, sunset = revision.effective_date, revision.sunset_date
    if sunset_is_inherited(revision) or effective is None:
        return sunset
    return None if sunset == twelve_months_after(effective) else sunset
