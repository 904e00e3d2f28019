"""Which rows of a draft read otherwise than in the version that it is to replace."""

from collections.abc import Iterable, Mapping
from typing import Any

from people.offices import HYBRID

from . import content as contents
from .drafting import RowText, row_text, row_text_from_json
from .models import Revision, Row

_FIELDS = ("owner", "scope_in", "scope_out", "consulted", "informed", "rationale")


def former_rows(content: Mapping[str, Any]) -> dict[str, RowText]:
    """The rows of frozen content as texts, by function; those left out with their reason."""
    found = {
        key: row_text_from_json(
            {name: row.get(name) or "" for name in _FIELDS}
            | {"sub_scopes": row.get("sub_scopes", ())}
        )
        for key, row in contents.rows_of(content).items()
    }
    for row in contents.article(content, "allocations").get("left_out", ()):
        found[row["function"]] = RowText(left_out_reason=row["reason"])
    return found


def _as_frozen(row: Row) -> RowText:
    """A row as frozen content has it: of one left out only the reason, parts where it is split."""
    text = row_text(row)
    if text.left_out_reason:
        return RowText(left_out_reason=text.left_out_reason)
    if text.owner == HYBRID:
        return text
    return row_text_from_json({**vars(text), "sub_scopes": ()})


def differs_from_force(revision: Revision, rows: Iterable[Row] | None = None) -> set[int]:
    """The ids of the rows that read otherwise than in what is superseded, new ones included.

    A first Revision replaces nothing, so none differs. One query with ``rows`` given (with their
    functions and sub-scopes).
    """
    freeze = contents.published_freeze(revision.supersedes) if revision.supersedes_id else None
    if freeze is None:
        return set()
    former = former_rows(contents.content_of(freeze))
    if rows is None:
        rows = revision.rows.select_related("function").prefetch_related("sub_scopes")
    return {row.pk for row in rows if former.get(row.function.key) != _as_frozen(row)}
