"""What a person has looked at on a board, and what is new to them since."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from notifications.news import read_at_place
from people.models import Person

from .draft_news import place_path
from .models import Article, Look, Revision, Row


@dataclass(frozen=True)
class Looks:
    """A reader's looks at the clauses of one draft, by ("row" | "article", id)."""

    by_clause: Mapping[tuple[str, int], Look]

    def at(self, clause: Row | Article) -> Look | None:
        return self.by_clause.get(("row" if isinstance(clause, Row) else "article", clause.pk))

    def version_of(self, clause: Row | Article) -> int:
        """The version last looked at; 0 where there is none."""
        look = self.at(clause)
        return look.version if look is not None else 0


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
    """Whether there is something to read about the clause since the reader last looked at it."""
    look = looks.at(clause)
    return clause.news > (look.activity if look else 0)


@transaction.atomic
def look(clauses: Collection[Row | Article], *, person: Person, at: datetime) -> None:
    """Note that ``person`` has seen these clauses of one draft as they are given.

    A page that showed an earlier version, or less of what was said, gives clauses with the
    ``version`` and ``activity`` that it showed. What was seen is never unseen. It is no change of
    the document's state and leaves no event: nobody is watched reading. News of what was seen as
    it stands is read by that; what is said in its thread is read there. A few queries for any
    number of clauses.
    """
    up_to_date: list[str] = []
    for field in ("row", "article"):
        seen = {one.pk: one for one in clauses if isinstance(one, Row) == (field == "row")}
        if not seen:
            continue
        stands = (Row.every if field == "row" else Article.objects).filter(pk__in=seen)
        for pk, newest in stands.values_list("pk", "news"):
            if seen[pk].activity >= newest:
                up_to_date.append(place_path(seen[pk]))
        known = {
            getattr(one, f"{field}_id"): one
            for one in Look.objects.filter(person=person, **{f"{field}__in": seen})
        }
        changed = []
        for pk, one in known.items():
            clause = seen[pk]
            if (clause.activity, clause.version) > (one.activity, one.version):
                one.activity, one.version, one.looked_at = clause.activity, clause.version, at
                changed.append(one)
        Look.objects.bulk_update(changed, ["activity", "version", "looked_at"])
        Look.objects.bulk_create(
            [
                Look(
                    revision_id=clause.revision_id,
                    person=person,
                    version=clause.version,
                    activity=clause.activity,
                    looked_at=at,
                    **{field: clause},
                )
                for pk, clause in seen.items()
                if pk not in known
            ],
            # Two windows of one person may look at the same moment.
            ignore_conflicts=True,
        )
    if up_to_date:
        read_at_place(person, up_to_date, at=at)
