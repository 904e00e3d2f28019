"""The template that gives a new document all its articles and rows with sensible text."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from functions_catalog.models import Function
from people.offices import HYBRID

from .drafting import RowText, SubScopeText
from .models import Article, Revision, Row, RowSubScope
from .parties import absences

_FILE = Path(__file__).parent / "data" / "template.yaml"

# The order in which article 3 compares reporting lines; "nowhere" is there only to compare.
REPORTING_LINES = {
    "ceo": (
        "Neutral between the Offices, and close to strategy.",
        "The CEO's time: small conflicts rise to the top, and decisions wait.",
    ),
    "cro": (
        "Close to the field: forecasts, territories and tools move fast.",
        "Targets and their measurement under one roof; other teams may doubt the numbers.",
    ),
    "coo": (
        "Process discipline across teams, and shared systems that stay shared.",
        "Further from the field: sales needs can wait behind company-wide programmes.",
    ),
    "cfo": (
        "Numbers that finance trusts, and strong controls.",
        "May be felt as control rather than help; field work comes second to the close.",
    ),
    "": (
        "Nothing. It is here only to compare.",
        "Two teams, two numbers: work is done twice and the RevOps Lead answers to nobody.",
    ),
}

TEAM_SHAPES = {
    "centralised": "One team serves everybody. One set of numbers; can feel far from each team.",
    "embedded": "Analysts sit in each team. Close to the work; numbers drift apart.",
    "hybrid": "A small centre sets standards, embedded people apply them. Needs clear hand-offs.",
}
MARKETING = {
    "under_cro": "Marketing reports to the CRO.",
    "cmo_peer": "A CMO leads marketing as a peer of the CRO.",
}


@lru_cache(maxsize=1)
def _template() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return loaded


@lru_cache(maxsize=1)
def _row_templates() -> dict[str, dict[str, Any]]:
    return {row["function"]: row for row in _template()["rows"]}


def articles() -> list[dict[str, Any]]:
    """The template's articles: number, key, title, text and, for structured ones, data."""
    found: list[dict[str, Any]] = _template()["articles"]
    return found


Heirs = Mapping[str, str]


def heirs() -> Heirs:
    """Which Office takes the part of each Office that is not established; empty where all are."""
    return {one.office.key: one.part_goes_to.key for one in absences()}


def proposed_row(function: Function, *, heirs: Heirs) -> RowText:
    """What the template proposes for a function; its natural owner where it has no text.

    Where an Office is not established, the one that its part goes to stands in its place.
    """
    given = _row_templates().get(function.key)
    if given is None:
        # A company's own function: its natural owner is a proposal, a split has yet to be named.
        owner = "" if function.natural_owner == HYBRID else function.natural_owner
        return RowText(owner=heirs.get(owner, owner), rationale=function.rationale)
    owner = heirs.get(given["owner"], given["owner"])
    return RowText(
        owner=owner,
        sub_scopes=tuple(
            SubScopeText(
                name=part["name"], owner=heirs.get(part["owner"], part["owner"]), key=part["key"]
            )
            for part in given.get("sub_scopes", ())
        ),
        scope_in=given.get("scope_in", "").strip(),
        scope_out=given.get("scope_out", "").strip(),
        consulted=in_their_place(given.get("consulted", ()), heirs, but=owner),
        informed=in_their_place(given.get("informed", ()), heirs, but=owner),
        rationale=given.get("rationale", "").strip(),
    )


def in_their_place(offices: Sequence[str], heirs: Heirs, *, but: str) -> tuple[str, ...]:
    """Who is asked or told, each once; the owner decides and needs neither where it inherited."""
    found = dict.fromkeys(heirs.get(key, key) for key in offices)
    return tuple(key for key in found if key != but or key in offices)


def proposed_data(data: Mapping[str, Any], *, heirs: Heirs) -> dict[str, Any]:
    """An article's structured data with the Offices of this company in their places."""
    found = dict(data)
    if "solid_lines" in found:
        found["solid_lines"] = [heirs.get(key, key) for key in found["solid_lines"]]
        dotted = found.get("dotted_line", "")
        found["dotted_line"] = heirs.get(dotted, dotted)
        if found["dotted_line"] in found["solid_lines"]:
            # One Office cannot be both: the solid line says more.
            found |= {"dotted_line": "", "dotted_line_scope": ""}
    if "layers" in found:
        found["layers"] = [
            {**layer, "owner": heirs.get(layer["owner"], layer["owner"])}
            for layer in found["layers"]
        ]
    return found


def new_row(
    revision: Revision, function: Function, *, position: int, heirs_now: Heirs | None = None
) -> Row:
    """Make the row of ``function`` with the template's text, saved with its sub-scopes."""
    text = proposed_row(function, heirs=heirs() if heirs_now is None else heirs_now)
    return add_row_with_text(revision, function, text, position=position)


def add_row_with_text(
    revision: Revision,
    function: Function,
    text: RowText,
    *,
    position: int,
    place: int | None = None,
    carried: bool = False,
) -> Row:
    row = Row.objects.create(
        revision=revision,
        function=function,
        position=position,
        place=position if place is None else place,
        carried=carried,
        owner=text.owner,
        scope_in=text.scope_in,
        scope_out=text.scope_out,
        consulted=list(text.consulted),
        informed=list(text.informed),
        rationale=text.rationale,
        left_out_reason=text.left_out_reason,
    )
    RowSubScope.objects.bulk_create(
        RowSubScope(row=row, key=part.key, name=part.name, owner=part.owner, position=place)
        for place, part in enumerate(text.sub_scopes, start=1)
    )
    return row


def fill(revision: Revision, functions: list[Function]) -> None:
    """Give a new Revision every article and a row per function."""
    instead = heirs()
    Article.objects.bulk_create(
        Article(
            revision=revision,
            number=one["number"],
            key=one["key"],
            title=one["title"],
            text=one.get("text", "").strip(),
            data=proposed_data(one.get("data", {}), heirs=instead),
        )
        for one in articles()
    )
    for position, function in enumerate(functions, start=1):
        new_row(revision, function, position=position, heirs_now=instead)
