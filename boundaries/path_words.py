"""How a place within a row or article is called, and how what stands there is said."""

from collections.abc import Mapping
from typing import Any

from people.offices import HYBRID, office_short

from . import articles
from .merging import MISSING, Path, Tree, identity
from .models import Article, Row

_ROW = {
    "ownership": "Owner",
    "scope_in": "Scope in",
    "scope_out": "Scope out",
    "consulted": "Consulted",
    "informed": "Informed",
    "rationale": "Rationale",
}
_FIELDS = {
    "text": "Text",
    "owner": "Owner",
    "name": "Name",
    "layers": "Layers",
    "mandate": "What it decides",
    "escalation": "Where it goes when it cannot",
    "effective_date": "Effective date",
    "sunset_date": "Sunset date",
}
_OFFICES = frozenset(
    {"owner", "consulted", "informed", "solid_lines", "dotted_line", "primary_owner"}
    | {"also_measured"}
)


def label_of(clause: Row | Article, path: Path, *trees: Tree) -> str:
    """What a path of ``merging`` is called: "Scope in", "Discount, Threshold"."""
    if isinstance(clause, Row):
        if len(path) == 1:
            return _ROW[path[0]]
        part = _entry_name(path[:2], trees) or path[1]
        return f"Part “{part}”" + (f", {_FIELDS[path[2]].lower()}" if len(path) > 2 else "")
    shape = articles.SHAPES.get(clause.key)
    entries = shape.entries if shape else None
    names = [_field(clause.key, name) for name in path[1:2] or path]
    if entries is not None and path[1:2] == (entries.name,):
        names = [entries.many.capitalize()]
    if len(path) > 2:
        names = [_entry_name(path[:3], trees) or path[2].replace("_", " ").capitalize()]
    if len(path) > 3:
        names.append(_field(clause.key, path[3]))
    return ", ".join(names)


def _field(article: str, name: str) -> str:
    """What a field of an article's data is called."""
    shape = articles.SHAPES.get(article)
    if shape is not None:
        known = [*shape.texts, *(articles.all_fields(shape.entries) if shape.entries else ())]
        label = next((one.label for one in known if one.name == name), "")
        if label:
            return label
    return _FIELDS.get(name) or name.replace("_", " ").capitalize()


def _entry_name(path: Path, trees: tuple[Tree, ...]) -> str:
    for tree in trees:
        entry = value_at(tree, path)
        if isinstance(entry, Mapping):
            named = entry.get("name") or entry.get("matter") or entry.get("term")
            if named:
                return str(named)
            if entry.get("layer"):
                return f"{str(entry['layer']).capitalize()} layer"
    return ""


def value_at(tree: Tree, path: Path) -> Tree:
    """What stands at a path; ``MISSING`` where nothing does."""
    for name in path:
        if isinstance(tree, Mapping):
            tree = tree.get(name, MISSING)
        elif isinstance(tree, list):
            tree = next((one for one in tree if identity(one) == name), MISSING)
        else:
            return MISSING
    return tree


def said(path: Path, value: Tree) -> str:
    """What stands at a path, in words."""
    if value is MISSING:
        return ""
    name = path[-1] if path else ""
    if path == ("ownership",):
        return _ownership(value)
    if isinstance(value, Mapping):
        lines = [
            f"{_FIELDS.get(key) or key.replace('_', ' ').capitalize()}: {said((key,), one)}"
            for key, one in value.items()
            if one and key not in ("key", "layer")
        ]
        return "\n".join(lines)
    if isinstance(value, list):
        lines = [said((name,), one) for one in value]
        return ("\n" if any("\n" in one for one in lines) else ", ").join(lines)
    if name in _OFFICES:
        return office_short(str(value))
    return str(value)


def _ownership(value: Any) -> str:
    if isinstance(value, list):
        parts = [f"{part['name']}: {office_short(part['owner'])}" for part in value]
        return "\n".join([office_short(HYBRID), *parts])
    owner, reason = value
    return f"Left out: {reason}" if reason else office_short(owner)
