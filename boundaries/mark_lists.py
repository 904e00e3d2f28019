"""What may be marked in a frozen text by who declines or returns it: what changed comes first."""

from collections.abc import Sequence
from dataclasses import dataclass

from people.calendar import company_date
from people.templatetags.speech import day_words

from . import content as contents
from . import versions
from .comparing import Change
from .models import Article, Revision, Row


@dataclass(frozen=True)
class Markable:
    """A row or article that may be marked, beside what became of it since the former version."""

    clause: Row | Article
    change: Change | None

    @property
    def anchor(self) -> str:
        return self.clause.anchor

    @property
    def reference(self) -> str:
        one = self.clause
        return one.reference if isinstance(one, Row) else str(one.number)

    @property
    def kind(self) -> str:
        """ "row" or "article", for "Return this row"."""
        return "row" if isinstance(self.clause, Row) else "article"

    @property
    def name(self) -> str:
        one = self.clause
        return one.function.name if isinstance(one, Row) else one.title

    @property
    def owner(self) -> str:
        return self.clause.owner if isinstance(self.clause, Row) else ""

    @property
    def locked(self) -> str:
        """Why it has no mark: what the CEO settled it by; empty for all others."""
        row = self.clause
        if not isinstance(row, Row) or not row.is_settled:
            return ""
        if row.ruling is not None:
            on = day_words(company_date(row.ruling.ruled_at))
            return (
                f"The CEO's ruling in dispute {row.ruling.dispute_id}, {on}. Locked to its terms."
            )
        assert row.order is not None and row.order.ordered_at is not None  # noqa: S101 - settled one way or the other
        on = day_words(company_date(row.order.ordered_at))
        return f"The CEO's order after a veto, {on}. Locked to its text."


@dataclass(frozen=True)
class MarkList:
    """The clauses of a frozen text, and how it differs from the version it replaces."""

    changed: Sequence[Markable]
    others: Sequence[Markable]
    # "v3", or "" where there is no former text.
    since: str
    # What is no longer allocated, or was dropped: nothing of this version that could be marked.
    gone: Sequence[Change] = ()

    @property
    def every(self) -> Sequence[Markable]:
        return [*self.changed, *self.others]

    @property
    def counted(self) -> str:
        """ "7 of 25 rows changed since v3": for the lead of the page."""
        rows = [one for one in self.every if one.kind == "row"]
        changed = sum(one.kind == "row" for one in self.changed)
        words = f"{changed} of {len(rows)} row{'' if len(rows) == 1 else 's'}"
        return f"{words} changed since {self.since}"

    @property
    def unchanged(self) -> str:
        """ "18 rows and 11 articles read word for word as in v3"."""
        rows = sum(one.kind == "row" for one in self.others)
        articles = len(self.others) - rows
        words = f"{rows} row{'' if rows == 1 else 's'} and {articles} article"
        return f"{words}{'' if articles == 1 else 's'}"


def mark_list(revision: Revision) -> MarkList:
    """What may be marked in a frozen text, in the document's order. A few queries."""
    rows = list(revision.rows.select_related("function", "ruling", "order"))
    articles = list(revision.articles.all())
    for row in rows:
        row.revision = revision
    for article in articles:
        article.revision = revision
    clauses: list[Row | Article] = [*rows, *articles]
    freeze = revision.freezes.get(voided_at__isnull=True)
    compared = versions.changed_since_former(revision, contents.content_of(freeze))
    if compared is None or revision.supersedes is None:
        return MarkList([], [Markable(one, None) for one in clauses], "")
    changes = {
        (one.what, one.key): one for one in (*compared.rows, *compared.articles) if one.changed
    }
    found = [Markable(one, changes.pop(_key(one), None)) for one in clauses]
    return MarkList(
        changed=[one for one in found if one.change is not None],
        others=[one for one in found if one.change is None],
        since=f"v{revision.supersedes.number}",
        gone=[one for one in changes.values() if one.is_row],
    )


def _key(clause: Row | Article) -> tuple[str, str]:
    if isinstance(clause, Row):
        return ("row", clause.function.key)
    return ("article", clause.key)
