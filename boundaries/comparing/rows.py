"""The rows of two contents, matched by function."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from people.offices import HYBRID, office_short

from .changes import OWNER_LABEL, SETTLED_LABEL, Change, Field, Kind, Move, each, make_entry

Content = Mapping[str, Any]
Record = Mapping[str, Any]  # a row, or a function left out
_ALLOCATIONS = "allocations"


def _article(content: Content, key: str) -> Record:
    found = (one for one in content.get("articles", ()) if one.get("key") == key)
    return next(found, {})


def rows_of(content: Content) -> dict[str, Record]:
    return {row["function"]: row for row in _article(content, _ALLOCATIONS).get("rows") or ()}


def left_out(content: Content) -> dict[str, Record]:
    return {row["function"]: row for row in _article(content, _ALLOCATIONS).get("left_out") or ()}


def function_names(content: Content) -> dict[str, str]:
    every = {**left_out(content), **rows_of(content)}
    return {key: str(row.get("name", key)) for key, row in every.items()}


def row_changes(before: Content, after: Content) -> Iterator[Change]:
    old, new = rows_of(before), rows_of(after)
    old_out, new_out = left_out(before), left_out(after)
    for key in each((*new, *new_out, *old, *old_out)):
        was, now = old.get(key), new.get(key)
        was_out, now_out = old_out.get(key), new_out.get(key)
        shown = now or now_out or was or was_out or {}
        entry = make_entry("", _row_fields(was, was_out, now, now_out))
        moves = tuple(_moves(was, now)) if was and now else ()
        owner_before = str(was["owner"]) if was else ""
        owner_after = str(now["owner"]) if now else ""
        yield Change(
            what="row",
            key=key,
            reference=str(shown.get("reference", "")),
            title=str(shown.get("name", key)),
            kind=_row_kind(was, was_out, now, now_out, entry.change == "changed", moves),
            all_entries=(entry,),
            owner_before=owner_before,
            owner_after=owner_after,
            moves=moves,
        )


def _row_kind(
    was: Record | None,
    was_out: Record | None,
    now: Record | None,
    now_out: Record | None,
    text_changed: bool,
    moves: Sequence[Move],
) -> Kind:
    if now and not was:
        return Kind.ADDED
    if was and not now:
        return Kind.LEFT_OUT if now_out else Kind.RETIRED
    if not was and not now:  # left out in one of them, or in both
        if not was_out:
            return Kind.LEFT_OUT
        if not now_out:
            return Kind.RETIRED
    if was and now and (moves or was["owner"] != now["owner"]):
        return Kind.OWNER
    return Kind.TEXT if text_changed else Kind.UNCHANGED


# What a row has, as people read it. The last ones are shown only where two versions differ.
_ROW_FIELDS = {
    "scope_in": "Scope in",
    "scope_out": "Scope out",
    "consulted": "Consulted",
    "informed": "Informed",
    "rationale": "Rationale",
}
_CATALOG_FIELDS = {"reference": "Number", "name": "Function", "category": "Category"}


def _row_fields(
    was: Record | None,
    was_out: Record | None,
    now: Record | None,
    now_out: Record | None,
) -> list[Field]:
    fields = [Field(OWNER_LABEL, _owner_text(was), _owner_text(now))] if was or now else []
    for key, label in _ROW_FIELDS.items():
        fields.append(Field(label, _value(key, was), _value(key, now)))
    fields.append(
        Field(
            "Left out because",
            str((was_out or {}).get("reason", "")),
            str((now_out or {}).get("reason", "")),
        )
    )
    if now is None or now.get("settled"):
        # A lock ends with its version: that it is gone says nothing of the text.
        fields.append(Field(SETTLED_LABEL, _settled(was), _settled(now)))
    if was and now:
        fields += [
            Field(label, _catalog_value(key, was), _catalog_value(key, now))
            for key, label in _CATALOG_FIELDS.items()
            if was.get(key, "") != now.get(key, "")
        ]
        marks = [
            "Touches financial reporting" if one.get("touches_financial_reporting") else "No"
            for one in (was, now)
        ]
        fields += [Field("Reporting", *marks)] if marks[0] != marks[1] else []
    return [one for one in fields if one.before or one.after]


def _value(key: str, row: Record | None) -> str:
    value = (row or {}).get(key, "")
    if isinstance(value, list | tuple):
        return ", ".join(office_short(one) for one in value)
    return str(value or "")


def _catalog_value(key: str, row: Record) -> str:
    value = str(row.get(key, ""))
    return value.replace("_", " ").capitalize() if key == "category" else value


def _settled(row: Record | None) -> str:
    settled = (row or {}).get("settled")
    if not settled:
        return ""
    by = {"ruling": "By the CEO's ruling", "order": "By the CEO's order"}.get(
        str(settled.get("by", "")), "By the CEO"
    )
    words = [by, str(settled.get("reference", "")), day(settled.get("on"))]
    return ", ".join(one for one in words if one)


def _owner_text(row: Record | None) -> str:
    """ "CRO", or "CRO: accounts and contacts. COO: products and employees"."""
    if row is None:
        return ""
    if row["owner"] != HYBRID:
        return office_short(row["owner"])
    by_owner: dict[str, list[str]] = {}
    for part in row.get("sub_scopes") or ():
        by_owner.setdefault(part["owner"], []).append(part["name"])
    parts = [f"{office_short(owner)}: {'; '.join(names)}" for owner, names in by_owner.items()]
    return ". ".join(parts) or "Hybrid"


def _moves(was: Record, now: Record) -> Iterator[Move]:
    """Who took what from whom between two rows of one function."""
    old, new = _parts(was), _parts(now)
    if was["owner"] != HYBRID and now["owner"] != HYBRID:
        if was["owner"] != now["owner"]:
            yield Move(now["owner"], was["owner"])
        return
    found: dict[tuple[str, str], list[str]] = {}
    # A whole function is every part of it: then the other side says which parts there are.
    for key, (name, taker) in new.items():
        giver = old[key][1] if key in old else "" if was["owner"] == HYBRID else was["owner"]
        if now["owner"] == HYBRID and taker != giver:
            found.setdefault((taker, giver), []).append(name)
    for key, (name, giver) in old.items():
        if was["owner"] != HYBRID or key in new:
            continue
        taker = "" if now["owner"] == HYBRID else now["owner"]
        if taker != giver:
            found.setdefault((taker, giver), []).append(name)
    for (taker, giver), names in found.items():
        yield Move(taker, giver, tuple(names))


def _parts(row: Record) -> dict[str, tuple[str, str]]:
    if row["owner"] != HYBRID:
        return {}
    return {one["key"]: (one["name"], one["owner"]) for one in row.get("sub_scopes") or ()}


def day(text: Any) -> str:
    """ "3 Mar 2026", whoever reads: the same in the page, the PDF and the API."""
    try:
        found = date.fromisoformat(str(text or ""))
    except ValueError:
        return str(text or "")
    return f"{found.day} {found:%b %Y}"


def owner_words(row: Record) -> str:
    """ "the CRO", or "the CRO (Accounts and contacts) and the COO (Products)"."""
    if row["owner"] != HYBRID:
        return f"the {office_short(row['owner'])}"
    parts = [
        f"the {office_short(part['owner'])} ({part['name']})"
        for part in row.get("sub_scopes") or ()
    ]
    return " and ".join(parts)
