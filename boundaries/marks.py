"""Rows and articles that a decline or return means, each with its reason."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from people.models import Appointment, Person

from .agreeing import refuse_settled, withdraw_agreements
from .errors import InvalidText, ReasonMissing
from .models import Article, Mark, Revision, Row, StateChange
from .standing import ClauseStanding
from .states import ClauseState, Verb

MAX_LENGTH = 2000

# A row or article, and what is wrong with it.
Given = tuple[Row | Article, str]


def open_marks(
    revision: Revision, every: Sequence[ClauseStanding]
) -> Mapping[Row | Article, Sequence[Mark]]:
    """The marks that still ask for something: of clauses that not all parties have agreed to since.

    Marking withdraws the agreements, so an agreed clause has been answered, and so has whatever
    was marked before the text was frozen again. One query.
    """
    by_place = {
        ("row" if isinstance(one.clause, Row) else "article", one.clause.pk): one.clause
        for one in every
        if one.state != ClauseState.AGREED
    }
    # In a draft, the last time that it went back is newer than its last freeze.
    back = (
        StateChange.objects.filter(revision=revision, verb__in=[Verb.DECLINE, Verb.RETURN])
        .order_by("-at", "-pk")
        .values("pk")[:1]
    )
    found: dict[Row | Article, list[Mark]] = {}
    for mark in Mark.objects.filter(revision=revision, change__in=back):
        place = ("row", mark.row_id) if mark.row_id else ("article", mark.article_id)
        if place in by_place:
            found.setdefault(by_place[place], []).append(mark)
    return found


def checked(marks: Iterable[Given], revision: Revision) -> list[Given]:
    """The marks as they can be made: each clause once, with a reason; a settled row has none."""
    found: list[Given] = []
    for clause, reason in marks:
        reason = reason.strip()
        if clause.revision_id != revision.pk:
            raise InvalidText(f"{clause} is in another version. Mark what is in this one.")
        if any(clause == other for other, _ in found):
            raise InvalidText(f"{clause} is marked twice. Give it one reason.")
        refuse_settled(clause)
        if not reason:
            raise ReasonMissing(f"{clause} is marked. Say why, or clear the mark.")
        if len(reason) > MAX_LENGTH:
            raise InvalidText(f"{clause}: use at most {MAX_LENGTH} characters for the reason.")
        found.append((clause, reason))
    return found


def summary(marks: Sequence[Given]) -> str:
    """ "Marked with a reason: Row 4.3, Deal desk": what is said where no word to all was given."""
    return f"{StateChange.MARKED}{'; '.join(str(clause) for clause, _ in marks)}."


def make(
    marks: Sequence[Given],
    change: StateChange,
    *,
    acting_user: Person,
    held: Sequence[Appointment],
    because: str,
    at: datetime,
) -> list[Mark]:
    """Mark the clauses of a text that is a draft again; the agreements to them end.

    For the verbs of the workflow, which record what was done.
    """
    made = Mark.objects.bulk_create(
        Mark(
            revision_id=clause.revision_id,
            row=clause if isinstance(clause, Row) else None,
            article=clause if isinstance(clause, Article) else None,
            change=change,
            reason=reason,
            by_name=acting_user.name,
            by_office=held[0].title,
            at=at,
        )
        for clause, reason in marks
    )
    for clause, _ in marks:
        withdraw_agreements(clause, because=because, at=at)
        if clause.carried:
            # No longer a matter of confirming what is in force, whatever its text.
            clause.carried = False
            clause.save(update_fields=["carried"])
    return made
