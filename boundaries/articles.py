"""The shapes of the articles that are structured data: one place for lists, fields and words.

``SHAPES`` says which article holds which list of entries and texts; ``clean`` puts data in order
and refuses what cannot stand, ``lacking`` names what is still missing before freezing, and
``spoken`` puts everything into words that people compare.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.text import slugify

from functions_catalog.models import Function
from people.offices import office_short

from .errors import InvalidText

MAX_ENTRIES = 60
MAX_FUNCTIONS = 20  # an entry is about at most
MAX_KEY = 60

LINE, PROSE, OFFICE, OFFICES, FUNCTION, FUNCTIONS = (
    "line",
    "prose",
    "office",
    "offices",
    "function",
    "functions",
)

_UNIT = r"(?:minutes?|hours?|days?|weeks?|months?|quarters?|years?)"
_LIMIT = re.compile(
    rf"\d\s*(?:(?:business|calendar|working|selling)[\s-]+)?{_UNIT}\b", re.IGNORECASE
)
GIVE_A_LIMIT = "Give a number and a unit, such as 2 business days."


@dataclass(frozen=True)
class Field:
    """One value of an entry.

    ``needed``: freezing waits for it, unless the entry says that none is needed. ``limit``: it
    must hold a number and a unit of time.
    """

    name: str
    label: str
    kind: str = LINE
    hint: str = ""
    max_length: int = 200
    needed: bool = False
    limit: bool = False

    @property
    def is_long(self) -> bool:
        """Whether a form gives it the whole width."""
        return self.kind in (PROSE, OFFICES) or self.max_length > 200


@dataclass(frozen=True)
class EntryList:
    """The list of one article. ``named_by`` is the field that names an entry."""

    name: str
    one: str
    many: str
    named_by: str
    fields: tuple[Field, ...]
    # Two entries may not have the same name.
    unique: bool = True
    # An entry may say why none is needed: of the whole entry, or of this one field.
    unneeded: str = ""

    @property
    def may_be_unneeded(self) -> bool:
        return bool(self.unneeded)

    @property
    def keyed(self) -> bool:
        return self.named_by != "function"

    def field(self, name: str) -> Field:
        return next(one for one in self.fields if one.name == name)


@dataclass(frozen=True)
class Shape:
    """The data of one article: a list, and texts beside it."""

    entries: EntryList | None = None
    texts: tuple[Field, ...] = ()


WHOLE = "entry"

_GROUP = Field("group", "Group", hint="A heading that this stands under, if any.", max_length=80)
_FUNCTIONS = Field("functions", "About", FUNCTIONS)

SHAPES: dict[str, Shape] = {
    "decision_rights": Shape(
        EntryList(
            name="rights",
            one="decision right",
            many="decision rights",
            named_by="matter",
            unique=False,
            unneeded="threshold",
            fields=(
                Field("matter", "Matter", hint="What is decided, such as Discount."),
                _GROUP,
                _FUNCTIONS,
                Field(
                    "threshold",
                    "Threshold",
                    hint="Such as above 10% and up to 20%.",
                    needed=True,
                ),
                Field("recommends", "Recommends", hint="Who prepares it with its facts."),
                Field("agrees", "Agrees", hint="Who must say yes first."),
                Field("consulted", "Asked", hint="Who is heard first, without a veto."),
                Field(
                    "decides",
                    "Decides",
                    hint="Who takes the decision and answers for it.",
                    needed=True,
                ),
            ),
        )
    ),
    "veto_list": Shape(
        EntryList(
            name="grounds",
            one="ground",
            many="grounds",
            named_by="function",
            fields=(
                Field("function", "Function", FUNCTION),
                Field("ground", "Ground", PROSE, max_length=400, needed=True),
            ),
        )
    ),
    "interfaces": Shape(
        EntryList(
            name="handoffs",
            one="hand-off",
            many="hand-offs",
            named_by="name",
            unneeded=WHOLE,
            fields=(
                Field(
                    "name",
                    "Hand-off",
                    hint="What is handed over, such as New customer.",
                    max_length=240,
                ),
                _FUNCTIONS,
                Field("giver", "From", hint="Who hands over.", needed=True),
                Field("receiver", "To", hint="Who takes over.", needed=True),
                Field("what", "What is handed over", PROSE, max_length=600, needed=True),
                Field(
                    "service_level",
                    "Hand-off time",
                    hint="A number and a unit, such as 2 business days after signature.",
                    max_length=300,
                    needed=True,
                    limit=True,
                ),
                Field(
                    "acceptance_test",
                    "Acceptance test",
                    PROSE,
                    hint="What the receiver checks; each part is met or not.",
                    max_length=600,
                    needed=True,
                ),
                Field(
                    "rejection_path",
                    "If rejected",
                    PROSE,
                    hint="Back to whom, and by when it is put right.",
                    max_length=600,
                    needed=True,
                ),
            ),
        )
    ),
    "conflict_scenarios": Shape(
        EntryList(
            name="scenarios",
            one="scenario",
            many="scenarios",
            named_by="name",
            unneeded=WHOLE,
            fields=(
                Field(
                    "name",
                    "Scenario",
                    hint="Such as Two reps claim an account.",
                    max_length=240,
                ),
                _FUNCTIONS,
                Field(
                    "decider",
                    "Who decides",
                    hint="Name Offices or roles, never persons.",
                    max_length=400,
                    needed=True,
                ),
                Field(
                    "limit",
                    "Limit",
                    hint="A number and a unit, such as 2 business days.",
                    needed=True,
                    limit=True,
                ),
                Field(
                    "until_then",
                    "Until then",
                    PROSE,
                    hint="What holds while nothing is decided.",
                    max_length=600,
                    needed=True,
                ),
            ),
        )
    ),
    "measures": Shape(
        EntryList(
            name="measures",
            one="measure",
            many="measures",
            named_by="name",
            fields=(
                Field("name", "Measure", hint="Such as Forecast accuracy."),
                _GROUP,
                _FUNCTIONS,
                Field("definition", "What is measured", PROSE, max_length=400, needed=True),
                Field("target", "Target", hint="A number, such as at most 10%.", needed=True),
                Field(
                    "primary_owner",
                    "Primary owner",
                    OFFICE,
                    hint="The one Office that answers for it.",
                    needed=True,
                ),
                Field(
                    "through",
                    "Through",
                    hint="The role that carries it for the owner, if any.",
                    max_length=120,
                ),
                Field("also_measured", "Also measured on it", OFFICES),
            ),
        )
    ),
    "definitions": Shape(
        EntryList(
            name="terms",
            one="term",
            many="terms",
            named_by="term",
            fields=(
                Field("term", "Term", max_length=120),
                _GROUP,
                Field("meaning", "Meaning", PROSE, max_length=800, needed=True),
            ),
        ),
        texts=(
            Field(
                "attribution_targets",
                "Attribution model for targets",
                PROSE,
                hint="The one model that targets, pay and board figures use.",
                max_length=1000,
                needed=True,
            ),
            Field(
                "attribution_learning",
                "Attribution model for learning",
                PROSE,
                hint="The model that guides budget and campaigns.",
                max_length=1000,
                needed=True,
            ),
        ),
    ),
}

NONE_NEEDED = Field(
    "none_needed",
    "None needed, because",
    hint="Only where none is needed: say why, and leave the rest empty.",
    max_length=400,
)
NO_THRESHOLD = Field(
    "none_needed",
    "No threshold needed, because",
    hint="Only where none is needed: say why, and leave the threshold empty.",
    max_length=400,
)


def unneeded_field(entries: EntryList) -> Field:
    """The field in which an entry says why none is needed."""
    return NONE_NEEDED if entries.unneeded == WHOLE else NO_THRESHOLD


def all_fields(entries: EntryList) -> tuple[Field, ...]:
    """The fields of an entry, the reason why none is needed last."""
    return (*entries.fields, unneeded_field(entries)) if entries.unneeded else entries.fields


def is_structured(key: str) -> bool:
    """Whether the article is a list of entries (the others keep what they always had)."""
    return key in SHAPES


def key_of(data: Mapping[str, Any]) -> str:
    """The article whose data this is, told by its list; "" for the articles without one."""
    return next(
        (key for key, one in SHAPES.items() if one.entries and one.entries.name in data), ""
    )


# --- Putting in order -------------------------------------------------------------------------


@dataclass(frozen=True)
class Problem:
    """What cannot stand: the entry's place (None: beside the list), the field, what to write."""

    place: int | None
    field: str
    says: str


def _line(value: Any) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


def _prose(value: Any) -> str:
    text = value if isinstance(value, str) else ""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip()


def _keys(value: Any) -> list[str]:
    given = value if isinstance(value, (list, tuple)) else []
    return list(dict.fromkeys(one for one in given if isinstance(one, str) and one))


def _value(field: Field, value: Any) -> Any:
    if field.kind in (OFFICES, FUNCTIONS):
        return _keys(value)
    return _prose(value) if field.kind == PROSE else _line(value)


def is_empty(entries: EntryList, entry: Mapping[str, Any]) -> bool:
    """Whether nothing was written in an entry."""
    return not any(entry.get(field.name) for field in all_fields(entries))


def slug(name: str, taken: Iterable[str] = ()) -> str:
    """A key of its own for a name: "New customer" becomes new_customer, or new_customer_2."""
    stem = slugify(name).replace("-", "_")[: MAX_KEY - 4].strip("_") or "entry"
    key, count, taken = stem, 1, set(taken)
    while key in taken:
        count += 1
        key = f"{stem}_{count}"
    return key


_KEY = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")


def normalise(key: str, data: Any) -> dict[str, Any]:
    """The data of an article in the one order and form in which it is kept; nothing is judged.

    Entries keep their keys; an entry without one gets one of its own, made from its name. Entries
    in which nothing is written go. Data of an article without a shape stays as it is.
    """
    shape = SHAPES.get(key)
    given = dict(data) if isinstance(data, Mapping) else {}
    if shape is None:
        return given
    found: dict[str, Any] = {}
    if shape.entries is not None:
        found[shape.entries.name] = _entries(shape.entries, given.get(shape.entries.name))
    for field in shape.texts:
        found[field.name] = _value(field, given.get(field.name))
    return found


def _entries(entries: EntryList, given: Any) -> list[dict[str, Any]]:
    listed = [one for one in given if isinstance(one, Mapping)] if isinstance(given, list) else []
    kept: list[dict[str, Any]] = []
    keys: list[str] = []
    taken: set[str] = set()
    for one in listed:
        entry = {field.name: _value(field, one.get(field.name)) for field in all_fields(entries)}
        if is_empty(entries, entry):
            continue
        old = one.get("key")
        good = isinstance(old, str) and len(old) <= MAX_KEY and _KEY.fullmatch(old)
        own = str(old) if good and old not in taken else ""
        taken.add(own)
        keys.append(own)
        kept.append(entry)
    if not entries.keyed:
        return kept
    # Only now: a new entry never takes the key of one that comes later in the list.
    for place, entry in enumerate(kept):
        if not keys[place]:
            keys[place] = slug(entry[entries.named_by], taken)
            taken.add(keys[place])
    return [{"key": key, **entry} for key, entry in zip(keys, kept, strict=True)]


# --- Judging ----------------------------------------------------------------------------------


def problems(key: str, data: Mapping[str, Any], *, offices: Iterable[str]) -> list[Problem]:
    """What cannot be saved, each with what to write. ``data`` is normalised.

    ``offices`` are the keys that may be named. What is merely missing is no problem yet.
    """
    shape = SHAPES.get(key)
    if shape is None:
        return []
    found = [
        Problem(None, field.name, _too_long(field))
        for field in shape.texts
        if len(data.get(field.name, "")) > field.max_length
    ]
    if shape.entries is not None:
        found += _list_problems(shape.entries, data.get(shape.entries.name, []), set(offices))
    return found


def _too_long(field: Field) -> str:
    return f"Write at most {field.max_length:,} characters."


def _list_problems(
    entries: EntryList, listed: Sequence[Mapping[str, Any]], offices: set[str]
) -> list[Problem]:
    found: list[Problem] = []
    if len(listed) > MAX_ENTRIES:
        says = f"Keep at most {MAX_ENTRIES} {entries.many}: these are {len(listed)}."
        found.append(Problem(None, entries.name, says))
    named: dict[str, int] = {}
    for place, entry in enumerate(listed):
        name = entry[entries.named_by]
        if not name:
            found.append(Problem(place, entries.named_by, f"Name this {entries.one}."))
        elif entries.unique and named.setdefault(name.casefold(), place) != place:
            says = f"Two {entries.many} are called “{name}”. Give each its own name."
            found.append(Problem(place, entries.named_by, says))
        for field in all_fields(entries):
            says = _field_problem(field, entry[field.name], offices)
            if says:
                found.append(Problem(place, field.name, says))
        found += [Problem(place, *one) for one in _contradictions(entries, entry)]
    return found


def _field_problem(field: Field, value: Any, offices: set[str]) -> str:
    if field.kind == OFFICES:
        unknown = [one for one in value if one not in offices]
        return f"There is no Office “{unknown[0]}” to name here." if unknown else ""
    if field.kind == FUNCTIONS:
        many = len(value) > MAX_FUNCTIONS
        return f"Name at most {MAX_FUNCTIONS} functions." if many else ""
    if field.kind == OFFICE:
        strange = value and value not in offices
        return f"There is no Office “{value}”. Choose exactly one Office." if strange else ""
    if len(value) > field.max_length:
        return _too_long(field)
    return GIVE_A_LIMIT if field.limit and value and not _LIMIT.search(value) else ""


def _contradictions(entries: EntryList, entry: Mapping[str, Any]) -> list[tuple[str, str]]:
    if not entry.get("none_needed"):
        return []
    if entries.unneeded != WHOLE:
        field = entries.field(entries.unneeded)
        if not entry[field.name]:
            return []
        return [
            ("none_needed", f"Give a {field.label.lower()} or say why none is needed, not both.")
        ]
    filled = [
        field.label.lower()
        for field in entries.fields
        if field.needed and field.name != entries.named_by and entry[field.name]
    ]
    if not filled:
        return []
    return [
        (
            "none_needed",
            f"It says that none is needed, and yet gives {filled[0]}. Clear one of them.",
        )
    ]


def clean(key: str, data: Any, *, offices: Iterable[str]) -> dict[str, Any]:
    """The data in order. Raises ``InvalidText`` that says of which entry and what to write."""
    found = normalise(key, data)
    wrong = problems(key, found, offices=offices)
    if wrong:
        raise InvalidText(" ".join(_told(key, found, one) for one in wrong[:3]))
    return found


def _told(key: str, data: Mapping[str, Any], problem: Problem) -> str:
    shape = SHAPES[key]
    if problem.place is None or shape.entries is None:
        label = next((one.label for one in shape.texts if one.name == problem.field), "")
        return f"{label}: {problem.says}" if label else problem.says
    entry = data[shape.entries.name][problem.place]
    field = next(one for one in all_fields(shape.entries) if one.name == problem.field)
    name = entry[shape.entries.named_by] or f"{shape.entries.one} {problem.place + 1}"
    return f"“{name}”, {field.label.lower()}: {problem.says}"


# --- What is still missing --------------------------------------------------------------------


@dataclass(frozen=True)
class Lack:
    """What keeps an article from freezing, and what to do."""

    code: str
    says: str


def lacking(
    key: str,
    data: Any,
    *,
    functions: Mapping[str, str],
    touching: Iterable[str],
    left_out: Iterable[str] = (),
) -> list[Lack]:
    """What must still be written before this article can be frozen.

    ``functions`` are the names of the draft's functions by key; ``touching`` those that touch
    financial reporting and so need a ground; of ``left_out`` ones nothing is asked.
    """
    shape = SHAPES.get(key)
    if shape is None:
        return []
    data = normalise(key, data)
    found: list[Lack] = []
    if shape.entries is not None:
        listed = data[shape.entries.name]
        if key == "veto_list":
            return _grounds_lacking(listed, functions, list(touching), set(left_out))
        if key == "conflict_scenarios" and not listed:
            says = "Name at least one conflict that comes up, with who decides it and by when."
            found.append(Lack("no_conflict_scenario", says))
        for entry in listed:
            found += _entry_lacking(shape.entries, entry, functions)
    missing = [field for field in shape.texts if field.needed and not data[field.name]]
    if missing:
        named = " and ".join(field.label.lower() for field in missing)
        found.append(Lack("attribution_missing", f"Write the {named}."))
    return found


def _grounds_lacking(
    listed: Sequence[Mapping[str, Any]],
    functions: Mapping[str, str],
    touching: Sequence[str],
    left_out: set[str],
) -> list[Lack]:
    given = {one["function"] for one in listed if one["ground"]}
    found = [
        Lack(
            "veto_ground_missing",
            f"{functions[one]} touches financial reporting. Write the ground on which the CFO may "
            "veto its row.",
        )
        for one in touching
        if one not in given and one not in left_out
    ]
    for one in dict.fromkeys(entry["function"] for entry in listed):
        if one not in functions:
            says = f"It names a function that this draft does not have ({one}). Remove it."
            found.append(Lack("function_not_in_draft", says))
        elif one not in touching:
            says = (
                f"{functions[one]} does not touch financial reporting, so there is nothing to "
                "veto. Remove its ground."
            )
            found.append(Lack("veto_ground_beside_the_point", says))
    return found


def _entry_lacking(
    entries: EntryList, entry: Mapping[str, Any], functions: Mapping[str, str]
) -> list[Lack]:
    name = entry[entries.named_by] or f"A {entries.one} without a name"
    found = []
    unneeded = bool(entry.get("none_needed"))
    missing = [
        field for field in entries.fields if field.needed and not entry[field.name] and not unneeded
    ]
    owner_missing = [one for one in missing if one.kind == OFFICE]
    others = [one for one in missing if one.kind != OFFICE]
    if owner_missing:
        says = f"“{name}” has no primary owner. Choose exactly one Office."
        found.append(Lack("measure_without_owner", says))
    if others:
        named = _and([field.label.lower() for field in others])
        else_ = ", or say why none is needed" if entries.unneeded else ""
        it = "them" if len(others) > 1 else "it"
        found.append(Lack("entry_incomplete", f"“{name}” lacks {named}. Add {it}{else_}."))
    for field in entries.fields:
        if field.kind == FUNCTIONS:
            gone = [one for one in entry[field.name] if one not in functions]
            if gone:
                says = (
                    f"“{name}” names a function that this draft does not have "
                    f"({_and(gone)}). Untick it."
                )
                found.append(Lack("function_not_in_draft", says))
    return found


def _and(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


# --- In words ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Said:
    """A part of an article's data in words: ``id`` stays the same while its words change."""

    id: str
    label: str
    text: str


def function_names() -> dict[str, str]:
    """The names of all functions by key, for words and pages."""
    return dict(Function.objects.values_list("key", "name"))


def spoken(key: str, data: Any, names: Mapping[str, str]) -> list[Said]:
    """The data of an article as words to compare: one part for each entry and each text.

    ``names`` are the functions' names by key (``function_names``). Works for every article.
    """
    if not isinstance(data, Mapping):
        return []
    shape = SHAPES.get(key)
    if shape is None:
        return _spoken_plainly(data)
    given = normalise(key, data)
    found = [
        Said(field.name, field.label, given[field.name])
        for field in shape.texts
        if given[field.name]
    ]
    if shape.entries is None:
        return found
    entries = shape.entries
    listed = []
    for entry in given[entries.name]:
        name = entry[entries.named_by]
        said = names.get(name, name) if entries.named_by == "function" else name
        id_ = entry["key"] if entries.keyed else name
        label = f"{entries.one.capitalize()}: {said}"
        listed.append(Said(f"{entries.name}.{id_}", label, entry_words(entries, entry, names)))
    return [*listed, *found]


def entry_words(entries: EntryList, entry: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """An entry's values, a line each: "Hand-off time: 2 business days"."""
    lines = []
    for field in all_fields(entries):
        value = entry.get(field.name)
        if not value or field.kind == FUNCTION:
            continue
        if field.kind == OFFICE:
            value = office_short(value)
        elif field.kind == OFFICES:
            value = ", ".join(office_short(one) for one in value)
        elif field.kind == FUNCTIONS:
            value = ", ".join(names.get(one, one) for one in value)
        lines.append(f"{field.label}: {value}")
    return "\n".join(lines)


_LABELS = {
    "solid_lines": "Solid line",
    "solid_line": "Solid line",
    "dotted_line": "Dotted line",
    "dotted_line_scope": "What the dotted line covers",
    "team_shape": "Team",
    "marketing": "Marketing",
    "rationale": "Why",
    "leads_business_days": "Leads, in business days",
    "executives_business_days": "Executives, in business days",
    "interim_decider": "Interim decider",
    "one_to_one": "One to one",
}
_OFFICE_VALUES = frozenset({"solid_lines", "solid_line", "dotted_line"})


def _spoken_plainly(data: Mapping[str, Any]) -> list[Said]:
    found = []
    for name, value in data.items():
        if name == "layers":
            found += [
                Said(
                    f"layers.{layer.get('layer', '')}",
                    f"{str(layer.get('layer', '')).capitalize()} layer",
                    "\n".join(
                        [
                            f"Owner: {office_short(layer.get('owner', ''))}",
                            f"Decides: {layer.get('mandate', '')}",
                            f"Escalates: {layer.get('escalation', '')}",
                        ]
                    ),
                )
                for layer in value
                if isinstance(layer, Mapping)
            ]
            continue
        label = _LABELS.get(name, name.replace("_", " ").capitalize())
        given = value if isinstance(value, list) else [value]
        if name in _OFFICE_VALUES:
            given = [office_short(str(one)) for one in given if one]
        text = ", ".join(str(one) for one in given if one not in ("", None))
        if text:
            found.append(Said(name, label, text.replace("_", " ") if name == "marketing" else text))
    return found
