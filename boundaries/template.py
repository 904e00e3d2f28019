"""The templates that give a new document all its articles and rows with sensible text.

The standard one is whole; another says only what it has otherwise (``data/template_*.yaml``).
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from functions_catalog.models import Function
from people.offices import COO, HYBRID

from .articles import SHAPES, normalise
from .drafting import RowText, SubScopeText
from .models import Article, Revision, Row, RowSubScope
from .parties import absences

_DATA = Path(__file__).parent / "data"

STANDARD, CRO_CFO = "standard", "cro_cfo"
TEMPLATES = {
    STANDARD: "CRO, COO and CFO. Shared services sit with the COO.",
    CRO_CFO: "CRO and CFO, where there is no COO. Shared services sit with the CFO.",
}
# Where a function touches financial reporting and no template names its ground.
USUAL_GROUND = "An error here reaches the books, or figures given outside the company."

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


# Which Office takes the part of another that is not there, by key.
Heirs = Mapping[str, str]


def _read(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((_DATA / name).read_text(encoding="utf-8"))
    return loaded


@lru_cache(maxsize=len(TEMPLATES))
def _template(name: str) -> dict[str, Any]:
    """A whole template: Offices in their places, and what it says otherwise put in."""
    whole = _read("template.yaml")
    if name == STANDARD:
        return whole
    other = _read(f"template_{name}.yaml")
    instead: Heirs = other["instead"]
    for one in whole["articles"]:
        one["data"] = proposed_data(one.get("data", {}), heirs=instead)
        differs = other["articles"].get(one["key"], {})
        one["text"] = differs.get("text", one["text"])
        _put_in(one["data"], differs.get("data", {}))
    for row in whole["rows"]:
        _put_in_place(row, instead)
        row.update(other["rows"].get(row["function"], {}))
    return whole


def _put_in(data: dict[str, Any], differs: Mapping[str, Any]) -> None:
    """Replace values; of a list of entries the fields of those that ``differs`` names by key."""
    for name, value in differs.items():
        if isinstance(value, Mapping):
            by_key = {one.get("key") or one["layer"]: one for one in data[name]}
            for key, fields in value.items():
                by_key[key].update(fields)
        else:
            data[name] = value


def _put_in_place(row: dict[str, Any], instead: Heirs) -> None:
    row["owner"] = instead.get(row["owner"], row["owner"])
    for part in row.get("sub_scopes", ()):
        part["owner"] = instead.get(part["owner"], part["owner"])
    owner = row["owner"]
    asked = [instead.get(key, key) for key in row.get("consulted", ())]
    told = [instead.get(key, key) for key in row.get("informed", ())]
    row["consulted"] = [key for key in dict.fromkeys(asked) if key != owner]
    row["informed"] = [key for key in dict.fromkeys(told) if key not in (owner, *asked)]


@lru_cache(maxsize=len(TEMPLATES))
def _row_templates(name: str) -> dict[str, dict[str, Any]]:
    return {row["function"]: row for row in _template(name)["rows"]}


def articles(name: str = STANDARD) -> list[dict[str, Any]]:
    """The template's articles: number, key, title, text and, for structured ones, data."""
    found: list[dict[str, Any]] = _template(name)["articles"]
    return found


def suited(heirs_now: Heirs | None = None) -> str:
    """The template that suits the company: without a COO, the one for CRO and CFO."""
    return CRO_CFO if COO in (heirs() if heirs_now is None else heirs_now) else STANDARD


def heirs() -> Heirs:
    """Which Office takes the part of each Office that is not established; empty where all are."""
    return {one.office.key: one.part_goes_to.key for one in absences()}


def proposed_row(function: Function, *, heirs: Heirs, name: str = STANDARD) -> RowText:
    """What a template proposes for a function; its natural owner where it has no text.

    Where an Office is not established, the one that its part goes to stands in its place.
    """
    given = _row_templates(name).get(function.key)
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
    if "measures" in found:
        found["measures"] = [_measured_by(one, heirs) for one in found["measures"]]
    return found


def _measured_by(measure: Mapping[str, Any], heirs: Heirs) -> dict[str, Any]:
    found = dict(measure)
    owner = measure.get("primary_owner", "")
    found["primary_owner"] = heirs.get(owner, owner)
    also = dict.fromkeys(heirs.get(key, key) for key in measure.get("also_measured", ()))
    found["also_measured"] = [key for key in also if key != found["primary_owner"]]
    return found


def fitting(key: str, data: Mapping[str, Any], functions: Sequence[Function]) -> dict[str, Any]:
    """An article's data for a document of ``functions``: what is about none of them goes.

    Every function that touches financial reporting has a ground.
    """
    shape = SHAPES.get(key)
    if shape is None or shape.entries is None:
        return deepcopy(dict(data))
    keys = {one.key for one in functions}
    found = {name: value for name, value in data.items() if name != "otherwise"}
    listed = found[shape.entries.name]
    if key == "veto_list":
        grounds = {one["function"]: one["ground"] for one in listed}
        found["grounds"] = [
            {"function": one.key, "ground": grounds.get(one.key, USUAL_GROUND)}
            for one in functions
            if one.touches_financial_reporting
        ]
        return found
    kept = []
    for one in listed:
        about = one.get("functions", [])
        mine = [function for function in about if function in keys]
        if mine or not about:
            kept.append({**one, "functions": mine} if "functions" in one else dict(one))
    found[shape.entries.name] = kept or data.get("otherwise", [])
    return normalise(key, found)


def new_row(
    revision: Revision,
    function: Function,
    *,
    position: int,
    heirs_now: Heirs | None = None,
    name: str | None = None,
) -> Row:
    """Make the row of ``function`` with a template's text, saved with its sub-scopes."""
    missing = heirs() if heirs_now is None else heirs_now
    text = proposed_row(function, heirs=missing, name=name or suited(missing))
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


def fill(revision: Revision, functions: list[Function], name: str = STANDARD) -> None:
    """Give a new Revision every article and a row per function, from the template ``name``."""
    instead = heirs()
    Article.objects.bulk_create(
        Article(
            revision=revision,
            number=one["number"],
            key=one["key"],
            title=one["title"],
            text=one.get("text", "").strip(),
            data=fitting(one["key"], proposed_data(one.get("data", {}), heirs=instead), functions),
        )
        for one in articles(name)
    )
    for position, function in enumerate(functions, start=1):
        new_row(revision, function, position=position, heirs_now=instead, name=name)
