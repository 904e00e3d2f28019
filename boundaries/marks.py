"""Rows and articles that a decline or return means, each with its reason."""

from collections.abc import Mapping, Sequence

from .models import Article, Mark, Revision, Row
from .standing import ClauseStanding
from .states import ClauseState


def open_marks(
    revision: Revision, every: Sequence[ClauseStanding]
) -> Mapping[Row | Article, Sequence[Mark]]:
    """The marks that still ask for something: of clauses that not all parties have agreed to since.

    Marking withdraws the agreements, so an agreed clause has been answered. One query.
    """
    by_place = {
        ("row" if isinstance(one.clause, Row) else "article", one.clause.pk): one.clause
        for one in every
        if one.state != ClauseState.AGREED
    }
    found: dict[Row | Article, list[Mark]] = {}
    for mark in Mark.objects.filter(revision=revision):
        place = ("row", mark.row_id) if mark.row_id else ("article", mark.article_id)
        if place in by_place:
            found.setdefault(by_place[place], []).append(mark)
    return found
