"""What reviews add to the pages of what is in force, and of who takes it over: which are due."""

from collections.abc import Sequence

from django.utils import timezone

from boundaries import registry
from boundaries.models import Revision
from boundaries.registry import Panel
from boundaries.states import ANSWERING
from people.calendar import company_date
from people.models import Person

from .queries import lines, open_reviews

SHOWN = 4  # a year of them, the full review included


def reviews_due(revision: Revision, reader: Person) -> Sequence[Panel]:
    """The next reviews of a Revision in force; nothing for any other."""
    if revision.state not in ANSWERING:
        return []
    due = open_reviews().filter(document=revision.document_id)[:SHOWN]
    today = company_date(timezone.now())
    return [Panel("reviews/_due_panel.html", {"lines": lines(due, today=today)})]


def reviews_that_come(revision: Revision, reader: Person) -> Sequence[Panel]:
    """The same reviews, as a successor meets them on the page of what they take over."""
    return [
        Panel(one.template, {**one.context, "title": "Reviews that come"})
        for one in reviews_due(revision, reader)
    ]


def register() -> None:
    registry.register_panels(reviews_due)
    registry.register_takeover_panels(reviews_that_come)
