"""Rows of article 4 as lines of a table: columns, cells, and what the words in them mean."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from functions_catalog.models import Function
from people.models import Office
from people.offices import HYBRID, office_short

from ..drafting import RowText
from ..parties import possible_owners

MAX_PARTS = 8
MAX_NAME = 120
HYBRID_WORD = "Hybrid"
LIMITS = {"scope_in": 2000, "scope_out": 2000, "rationale": 2000, "left_out_reason": 1000}

# Column: its heading, what it holds, and in words what may stand in it.
COLUMNS: dict[str, tuple[str, str]] = {
    "reference": ("Row", "The row's number in article 4. For reading; changing it does nothing."),
    "name": ("Function", "The function's name. For reading, where the key is given."),
    "function": ("Function key", "Which function the line is about. Keep it as it is."),
    "owner": (
        "Owner",
        "Exactly one Office, or Hybrid where the parts have owners. Empty: nobody yet.",
    ),
    "sub_scopes": (
        "Parts and their owners",
        "Only for Hybrid: one part per line, such as “Accounts and contacts: CRO”.",
    ),
    "scope_in": ("Scope in", "What this owner does. At most 2,000 characters."),
    "scope_out": ("Scope out", "What it does not do. At most 2,000 characters."),
    "consulted": ("Who is asked", "Offices, with commas between them, such as “CFO, COO”."),
    "informed": ("Who is told", "Offices, with commas between them."),
    "rationale": ("Rationale", "Why it sits here. At most 2,000 characters."),
    "left_out_reason": (
        "Left out because",
        "Only where the function is left out of the boundary; then the owner stays empty.",
    ),
    "version": ("Version", "Which text the line was taken from. Keep it as it is."),
    "draft": ("Draft", "Which draft the line was taken from. Keep it as it is."),
}


@dataclass(frozen=True)
class Problem:
    """What cannot be taken over, where it stands in the file, and what to write instead."""

    place: str  # "Row 12, column Owner"
    words: str


class Names:
    """The Offices and functions of the company by every word that a file may name them by."""

    def __init__(self) -> None:
        self.offices = {one.key: one.short for one in Office.objects.order_by("position")}
        self.owners = possible_owners()
        functions = list(Function.objects.all())
        self.functions = {one.key: one for one in functions}
        self._offices: dict[str, str] = {}
        for one in Office.objects.all():
            for word in (one.title, one.short, one.key):
                self._offices[word.casefold()] = one.key
        self._functions = {one.name.casefold(): one.key for one in functions}

    def office(self, word: str) -> str | None:
        """The key of an Office by key, short name or title."""
        return self._offices.get(" ".join(word.split()).casefold())

    def function(self, word: str) -> str | None:
        """The key of a function by key or name."""
        word = " ".join(word.split())
        return word if word in self.functions else self._functions.get(word.casefold())

    def owner_words(self) -> str:
        return ", ".join(office_short(key) for key in self.owners)


# --- Out --------------------------------------------------------------------------------------


def offices_cell(keys: Iterable[str]) -> str:
    # An Office whose short name has a comma in it goes by its key.
    return ", ".join(key if "," in office_short(key) else office_short(key) for key in keys)


def owner_cell(key: str) -> str:
    return office_short(key) if key else ""


def parts_cell(parts: Iterable[Mapping[str, str]]) -> str:
    return "\n".join(f"{part['name']}: {owner_cell(part['owner'])}".rstrip() for part in parts)


def line_of(row: Mapping[str, Any], draft: str) -> dict[str, str]:
    """The cells of one row of the export, by column."""
    return {
        "reference": row["reference"],
        "name": row["name"],
        "function": row["function"],
        "owner": owner_cell(row["owner"]),
        "sub_scopes": parts_cell(row["sub_scopes"]),
        "scope_in": row["scope_in"],
        "scope_out": row["scope_out"],
        "consulted": offices_cell(row["consulted"]),
        "informed": offices_cell(row["informed"]),
        "rationale": row["rationale"],
        "left_out_reason": row["left_out_reason"],
        "version": str(row["version"]),
        "draft": draft,
    }


# --- In ---------------------------------------------------------------------------------------

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def tidy(text: str) -> str:
    """A text as the forms keep it: lines ended by LF, nothing at their ends, no control signs."""
    text = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "\n".join(line.rstrip() for line in text.split("\n")).strip()


def tabular(text: str) -> str:
    """What is left of a text after a table program kept it: two texts that agree are the same."""
    return tidy(text).replace("x005F_", "")  # openpyxl takes these signs out on reading


def offices_in(cell: str, names: Names) -> tuple[list[str], list[str]]:
    """The keys of the Offices that a cell names, and the words that name none."""
    words = [word.strip() for word in re.split(r"[,;\n]", cell) if word.strip()]
    found = [(word, names.office(word)) for word in words]
    keys = dict.fromkeys(key for _word, key in found if key)
    return list(keys), [word for word, key in found if key is None]


def fields_in(
    cells: Mapping[str, str], place: str, names: Names
) -> tuple[dict[str, Any], list[Problem]]:
    """The fields of a row as a line of a table has them; columns that it lacks are left out."""
    fields: dict[str, Any] = {}
    problems: list[Problem] = []

    def wrong(column: str, words: str) -> None:
        problems.append(Problem(f"{place}, column {COLUMNS[column][0]}", words))

    if "owner" in cells:
        word = cells["owner"].strip()
        key = HYBRID if word.casefold() == HYBRID_WORD.casefold() else names.office(word)
        if word.casefold() in ("", "nobody", "nobody yet", "unassigned"):
            key = ""
        if key is None:
            key = word
        fields["owner"] = key
    if "sub_scopes" in cells:
        parts = []
        for line in filter(None, (one.strip() for one in tidy(cells["sub_scopes"]).split("\n"))):
            name, colon, owner = line.rpartition(":")
            if not colon:
                wrong("sub_scopes", f"“{line}” names no owner. Write it as “{line}: CRO”.")
                continue
            word = owner.strip()
            parts.append(
                {"name": name.strip(), "owner": names.office(word) or word if word else ""}
            )
        fields["sub_scopes"] = parts
    for column in ("consulted", "informed"):
        if column in cells:
            keys, unknown = offices_in(cells[column], names)
            if unknown:
                wrong(
                    column,
                    f"There is no Office “{unknown[0]}”. Choose from: "
                    f"{', '.join(names.offices.values())}.",
                )
            fields[column] = keys
    for column in LIMITS:
        if column in cells:
            fields[column] = cells[column]
    return fields, problems


def check_fields(fields: Mapping[str, Any], place: str, names: Names) -> list[Problem]:
    """What cannot stand in a row, whichever file it came from."""
    problems: list[Problem] = []

    def wrong(column: str, words: str) -> None:
        problems.append(Problem(f"{place}, column {COLUMNS[column][0]}", words))

    def may_own(column: str, key: str) -> None:
        if key and key not in names.owners:
            shared = " “Shared” is not an owner." if key.casefold() == "shared" else ""
            wrong(
                column,
                f"“{names.offices.get(key, key)}” is not an Office that may own a function."
                f"{shared} Choose one of: {names.owner_words()}, or {HYBRID_WORD} with parts.",
            )

    owner = fields.get("owner", "")
    if owner != HYBRID:
        may_own("owner", owner)
    parts: Sequence[Mapping[str, str]] = fields.get("sub_scopes", ())
    if len(parts) > MAX_PARTS:
        wrong("sub_scopes", f"A function has at most {MAX_PARTS} parts. Join some of them.")
    for part in parts:
        may_own("sub_scopes", part["owner"])
        if not part["name"] or len(part["name"]) > MAX_NAME:
            wrong("sub_scopes", f"Give each part a name of at most {MAX_NAME} characters.")
    folded = [part["name"].casefold() for part in parts]
    if len(folded) != len(set(folded)):
        wrong("sub_scopes", "Two parts have the same name. Give each its own.")
    for column in ("consulted", "informed"):
        for key in fields.get(column, ()):
            if key not in names.offices:
                wrong(column, f"There is no Office “{key}”. Write its short name, such as CFO.")
    for column, limit in LIMITS.items():
        length = len(fields.get(column, ""))
        if length > limit:
            wrong(column, f"It has {length:,} characters. Write at most {limit:,}.")
    if fields.get("left_out_reason") and owner:
        wrong(
            "left_out_reason",
            "A function left out of the boundary has no owner. Clear the owner or the reason.",
        )
    return problems


def row_json_fields(text: RowText) -> dict[str, Any]:
    """A row's text as the fields of a file."""
    return {
        "owner": text.owner,
        "sub_scopes": [
            {"key": part.key, "name": part.name, "owner": part.owner} for part in text.sub_scopes
        ],
        "scope_in": text.scope_in,
        "scope_out": text.scope_out,
        "consulted": list(text.consulted),
        "informed": list(text.informed),
        "rationale": text.rationale,
        "left_out_reason": text.left_out_reason,
    }
