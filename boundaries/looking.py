"""What a person has looked at on a board, and what is new to them since."""

from collections.abc import Mapping
from dataclasses import dataclass

from people.models import Person

from .models import Article, Look, Revision, Row


@dataclass(frozen=True)
class Looks:
    """A reader's looks at the clauses of one draft, by ("row" | "article", id)."""

    by_clause: Mapping[tuple[str, int], Look]

    def at(self, clause: Row | Article) -> Look | None:
        return self.by_clause.get(("row" if isinstance(clause, Row) else "article", clause.pk))


def looks_of(revision: Revision, reader: Person) -> Looks:
    """One query."""
    found: dict[tuple[str, int], Look] = {}
    for one in Look.objects.filter(revision=revision, person=reader):
        if one.row_id is not None:
            found["row", one.row_id] = one
        elif one.article_id is not None:
            found["article", one.article_id] = one
    return Looks(found)


def is_new(clause: Row | Article, looks: Looks) -> bool:
    """Whether something was said or done about the clause since the reader last looked at it."""
    look = looks.at(clause)
    return clause.activity > (look.activity if look else 0)
