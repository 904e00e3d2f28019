"""Structured articles as they are read: which entries, under which headings, in which order.

The signing copy and the pages show the same; this is the one place that says how. Content that was
frozen before an article had data, and data that is not as it should be, give nothing to show.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

TEXT, OFFICE, OFFICES = "text", "office", "offices"


@dataclass(frozen=True)
class Column:
    """A heading, and what stands under it: a text, or Offices (with a text after the first)."""

    name: str
    label: str
    kind: str = TEXT
    then: str = ""


@dataclass(frozen=True)
class Layout:
    """How the list of one article is read."""

    list_name: str
    name: str
    name_label: str
    columns: tuple[Column, ...]
    note: str = ""
    # What is not needed where "none needed" is said beside a name: the entry, or this part of it.
    unneeded: str = ""
    # Short values: they read as one sentence rather than one below the other.
    inline: bool = False


LAYOUTS: dict[str, Layout] = {
    "decision_rights": Layout(
        list_name="rights",
        name="matter",
        name_label="Matter",
        note="threshold",
        unneeded="threshold",
        inline=True,
        columns=(
            Column("recommends", "Recommends"),
            Column("agrees", "Agrees"),
            Column("consulted", "Asked"),
            Column("decides", "Decides"),
        ),
    ),
    "veto_list": Layout(
        list_name="grounds",
        name="function",
        name_label="Function",
        columns=(Column("ground", "Ground"),),
    ),
    "interfaces": Layout(
        list_name="handoffs",
        name="name",
        name_label="Hand-off",
        columns=(
            Column("giver", "From"),
            Column("receiver", "To"),
            Column("what", "What"),
            Column("service_level", "Hand-off time"),
            Column("acceptance_test", "Acceptance test"),
            Column("rejection_path", "If rejected"),
        ),
    ),
    "conflict_scenarios": Layout(
        list_name="scenarios",
        name="name",
        name_label="Scenario",
        columns=(
            Column("decider", "Decides"),
            Column("limit", "Limit"),
            Column("until_then", "Until then"),
        ),
    ),
    "measures": Layout(
        list_name="measures",
        name="name",
        name_label="Measure",
        note="definition",
        columns=(
            Column("target", "Target"),
            Column("primary_owner", "Primary owner", OFFICE, then="through"),
            Column("also_measured", "Also measured", OFFICES),
        ),
    ),
    "definitions": Layout(
        list_name="terms",
        name="term",
        name_label="Term",
        columns=(Column("meaning", "Meaning"),),
    ),
}

ATTRIBUTION = (
    ("attribution_targets", "Attribution for targets"),
    ("attribution_learning", "Attribution for learning"),
)


@dataclass(frozen=True)
class Cell:
    """One value of an entry: its heading, the Offices it names, its text."""

    name: str
    label: str
    offices: tuple[str, ...] = ()
    text: str = ""

    @property
    def is_empty(self) -> bool:
        return not self.offices and not self.text


@dataclass(frozen=True)
class Entry:
    """One entry of a list; ``about`` are the names of the functions it is about."""

    key: str
    name: str
    about: tuple[str, ...]
    note: str
    cells: tuple[Cell, ...]
    none_needed: str
    # Nothing but the reason why none is needed stands there.
    only_unneeded: bool

    @property
    def filled(self) -> tuple[Cell, ...]:
        return tuple(cell for cell in self.cells if not cell.is_empty)


@dataclass(frozen=True)
class Group:
    """Entries that stand together under a title; the title may be empty."""

    title: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Listing:
    """Everything that an article's list shows, and the texts that stand below it."""

    layout: Layout
    groups: tuple[Group, ...]
    texts: tuple[tuple[str, str], ...] = ()


def listing(article: str, data: Any, names: Mapping[str, str]) -> Listing | None:
    """Give what the list of ``article`` shows, or None where it has none.

    ``names`` are the functions' names by key; a key without a name is shown as it is.
    """
    layout = LAYOUTS.get(article)
    if layout is None or not isinstance(data, Mapping):
        return None
    found = data.get(layout.list_name)
    given = [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
    texts = tuple(_attribution(data)) if article == "definitions" else ()
    if not given and not texts:
        return None
    order: dict[str, int] = {}
    for one in given:
        order.setdefault(_text(one.get("group")), len(order))
    given.sort(key=lambda one: order[_text(one.get("group"))])
    groups = tuple(
        Group(title, tuple(_entry(layout, one, names) for one in run))
        for title, run in groupby(given, lambda one: _text(one.get("group")))
    )
    return Listing(layout, groups, texts)


def _attribution(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Give the two attribution models as term and text; none that is not written."""
    pairs = [(label, _text(data.get(name))) for name, label in ATTRIBUTION]
    return [(label, text) for label, text in pairs if text]


def _entry(layout: Layout, one: Mapping[str, Any], names: Mapping[str, str]) -> Entry:
    name = _text(one.get(layout.name))
    about = [] if layout.name == "function" else _texts(one.get("functions"))
    cells = tuple(_cell(column, one) for column in layout.columns)
    none_needed = _text(one.get("none_needed"))
    note = _text(one.get(layout.note)) if layout.note else ""
    return Entry(
        key=_text(one.get("key")) or name,
        name=names.get(name, name) if layout.name == "function" else name,
        about=tuple(names.get(key, key) for key in about),
        note=note,
        cells=cells,
        none_needed=none_needed,
        only_unneeded=bool(none_needed) and not note and all(cell.is_empty for cell in cells),
    )


def _cell(column: Column, one: Mapping[str, Any]) -> Cell:
    value = one.get(column.name)
    if column.kind == OFFICES:
        return Cell(column.name, column.label, offices=tuple(_texts(value)))
    if column.kind == OFFICE:
        offices = (_text(value),) if _text(value) else ()
        return Cell(column.name, column.label, offices=offices, text=_text(one.get(column.then)))
    return Cell(column.name, column.label, text=_text(value))


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _texts(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str) and one] if isinstance(value, list) else []
