"""What the reviews page shows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Min

from .models import Review, ReviewQuerySet
from .participants import Participation, participations
from .reminders import when_words
from .schedule import add_months
from .states import Kind

MONTHS_SHOWN = 12
MARKS_PER_MONTH = 3


def open_reviews() -> ReviewQuerySet:
    """Every open review, the one that is due first at the top."""
    return Review.objects.open().select_related("document", "revision__document")


@dataclass(frozen=True)
class Line:
    """One review as a line of the list."""

    review: Review
    when: str  # "in 14 days", "3 days late"
    late: bool
    participation: Participation
    # Of the open reviews of its document this is the one that is due first.
    is_next: bool


def lines(reviews: Iterable[Review], *, today: date) -> list[Line]:
    """The reviews with who takes part as of ``today``. Two queries, however many."""
    reviews = list(reviews)
    first_due = dict(
        Review.objects.open()
        .filter(document__in={review.document_id for review in reviews})
        .values_list("document")
        .annotate(first=Min("due_date"))
    )
    taking_part = participations(reviews, on=today)
    return [
        Line(
            review,
            when_words(review.due_date, today),
            review.due_date < today,
            taking_part[review.pk],
            is_next=review.due_date == first_due.get(review.document_id),
        )
        for review in reviews
    ]


@dataclass(frozen=True)
class Mark:
    """One review in the year strip."""

    review: Review
    full: bool
    late: bool


@dataclass
class Month:
    """One month of the year strip; ``more`` counts the marks there was no room for."""

    first: date
    current: bool
    marks: list[Mark] = field(default_factory=list)
    more: int = 0


def next_twelve_months(*, today: date) -> Sequence[Month]:
    """The months from this one on with the reviews due in them; late ones stand in this month."""
    first = today.replace(day=1)
    months = [Month(add_months(first, n), current=n == 0) for n in range(MONTHS_SHOWN)]
    by_first = {month.first: month for month in months}
    end = add_months(first, MONTHS_SHOWN)
    for review in open_reviews().filter(due_date__lt=end):
        month = by_first[max(review.due_date.replace(day=1), first)]
        if len(month.marks) < MARKS_PER_MONTH:
            month.marks.append(
                Mark(review, full=review.kind == Kind.FULL, late=review.due_date < today)
            )
        else:
            month.more += 1
    return months
