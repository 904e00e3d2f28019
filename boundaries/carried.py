"""What a Revision took over from the one it supersedes, and where it differs from it.

The former text is read from its frozen content; a first Revision has none and differs in nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from people.offices import HYBRID, office_short

from . import content as contents
from .drafting import RowText, row_text, row_text_from_json
from .models import Article, Revision, Row
from .words import Piece, compare_words


@dataclass(frozen=True)
class Change:
    """One field of a row or article that reads otherwise than in what is superseded."""

    label: str
    before: str
    after: str

    @property
    def pieces(self) -> Sequence[Piece]:
        return list(compare_words(self.before, self.after))


@dataclass(frozen=True)
class ChangedClause:
    """A row or article beside the text it replaces; no ``changes``: it reads as it did."""

    clause: Row | Article
    changes: Sequence[Change] = ()
    is_new: bool = False
    # The owner before and after, where they are not the same.
    owners: tuple[str, str] | None = None

    @property
    def is_changed(self) -> bool:
        return self.is_new or bool(self.changes)


def former_content(revision: Revision) -> contents.Content | None:
    """The frozen text that ``revision`` is to replace; None for a first one."""
    freeze = contents.published_freeze(revision.supersedes)
    return contents.content_of(freeze) if freeze else None


def former_rows(content: Mapping[str, Any]) -> dict[str, RowText]:
    """The rows of frozen content as texts, by function; those left out with their reason."""
    found = {
        key: row_text_from_json(
            {
                **{name: row.get(name) for name in _FIELDS if row.get(name)},
                "sub_scopes": row.get("sub_scopes", ()),
            }
        )
        for key, row in contents.rows_of(content).items()
    }
    for row in contents.article(content, "allocations").get("left_out", ()):
        found[row["function"]] = RowText(left_out_reason=row["reason"])
    return found


_FIELDS = ("owner", "scope_in", "scope_out", "consulted", "informed", "rationale")


def _as_read(row: Row) -> RowText:
    """A row as its frozen content would have it: of one that is left out only the reason."""
    text = row_text(row)
    return RowText(left_out_reason=text.left_out_reason) if text.left_out_reason else text


def _same(one: RowText, other: RowText) -> bool:
    return _lines(one) == _lines(other)


def differs_from_force(revision: Revision, rows: Iterable[Row] | None = None) -> set[int]:
    """The ids of the rows that read otherwise than what is superseded, new ones included.

    Two queries with ``rows`` given (with their sub-scopes); none for a first Revision.
    """
    content = former_content(revision) if revision.supersedes_id else None
    if content is None:
        return set()
    former = former_rows(content)
    if rows is None:
        rows = revision.rows.select_related("function").prefetch_related("sub_scopes")
    return {
        row.pk
        for row in rows
        if row.function.key not in former or not _same(_as_read(row), former[row.function.key])
    }


def compared_with_force(
    revision: Revision, *, rows: Iterable[Row], articles: Iterable[Article]
) -> list[ChangedClause]:
    """Every row, then every article, beside the text it replaces, in the document's order.

    Of a first Revision nothing is changed: there is no text to compare with. Article 1 names
    versions and dates, so it is never compared.
    """
    content = former_content(revision) if revision.supersedes_id else None
    if content is None:
        return [*(ChangedClause(row) for row in rows), *(ChangedClause(one) for one in articles)]
    former, written = former_rows(content), {one["key"]: one for one in content["articles"]}
    return [
        *(_row_beside(row, former.get(row.function.key)) for row in rows),
        *(_article_beside(one, written.get(one.key)) for one in articles),
    ]


def _row_beside(row: Row, before: RowText | None) -> ChangedClause:
    if before is None:
        return ChangedClause(row, is_new=True)
    old, new = _lines(before), _lines(_as_read(row))
    changes = [Change(label, old[label], new[label]) for label in new if old[label] != new[label]]
    same_owner = before.owner == row.owner
    return ChangedClause(row, changes, owners=None if same_owner else (before.owner, row.owner))


def _article_beside(article: Article, before: Mapping[str, Any] | None) -> ChangedClause:
    if article.key == "control":
        return ChangedClause(article)
    if before is None:
        return ChangedClause(article, is_new=True)
    changes = []
    if article.text != before["text"]:
        changes.append(Change("Text", before["text"], article.text))
    old, new = _words_of(before.get("data", {})), _words_of(_frozen_data(article))
    for name in dict.fromkeys((*old, *new)):
        was, now = old.get(name, ""), new.get(name, "")
        if was != now:
            changes.append(Change(name.replace("_", " ").capitalize(), was, now))
    return ChangedClause(article, changes)


def _frozen_data(article: Article) -> Mapping[str, Any]:
    """An article's data as its frozen content names it."""
    data = dict(article.data)
    if "solid_lines" in data:
        data["solid_line"] = " ".join(key for key in data.pop("solid_lines") if key)
    return data


def _words_of(data: Mapping[str, Any]) -> dict[str, str]:
    return {name: _plain(value) for name, value in data.items() if value not in ("", [], {}, None)}


def _plain(value: object) -> str:
    if isinstance(value, list):
        return "\n".join(_plain(one) for one in value)
    if isinstance(value, dict):
        return "; ".join(_plain(one) for name, one in value.items() if one and name != "key")
    return str(value)


def _lines(text: RowText) -> dict[str, str]:
    parts = [f"{part.name}: {office_short(part.owner)}" for part in text.sub_scopes]
    if text.left_out_reason:
        return dict.fromkeys(_LABELS, "") | {"Left out because": text.left_out_reason}
    return dict(
        zip(
            _LABELS,
            (
                office_short(text.owner),
                "\n".join(parts) if text.owner == HYBRID else "",
                text.scope_in,
                text.scope_out,
                ", ".join(office_short(key) for key in text.consulted),
                ", ".join(office_short(key) for key in text.informed),
                text.rationale,
                "",
            ),
            strict=True,
        )
    )


_LABELS = (
    "Owner",
    "Parts",
    "Inside",
    "Outside",
    "Asked first",
    "Told after",
    "Why here",
    "Left out because",
)
