"""Who takes part in a review: the parties of its text and the RevOps Lead."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from people.models import Appointment, Person
from people.offices import CEO, REVOPS_LEAD
from people.queries import who_acts_for

from .models import Review


@dataclass(frozen=True)
class Participant:
    """A person, once, with every Office that brings them here."""

    person: Person
    appointments: Sequence[Appointment]

    @property
    def title(self) -> str:
        """ "CRO", "Acting CFO", "CRO and COO"."""
        return " and ".join(one.title for one in self.appointments)

    @property
    def offices(self) -> list[str]:
        return [one.office.key for one in self.appointments]


@dataclass(frozen=True)
class Participation:
    """Who takes part in one review, and which of its Offices are vacant."""

    participants: Sequence[Participant]
    vacant: Sequence[str]


def offices_of(review: Review) -> list[str]:
    return [*review.offices, REVOPS_LEAD]


def participations(reviews: Iterable[Review], *, on: date) -> dict[int, Participation]:
    """Map each review's id to who takes part as of ``on``. One query, however many reviews."""
    reviews = list(reviews)
    wanted = {key for review in reviews for key in offices_of(review)}
    acting = who_acts_for(wanted, on=on) if wanted else {}
    return {review.pk: _participation(offices_of(review), acting) for review in reviews}


def participation(review: Review, *, on: date, with_ceo: bool = False) -> Participation:
    """Who takes part in ``review`` as of ``on``; the CEO joins once it is long overdue."""
    offices = [*offices_of(review), *([CEO] if with_ceo else [])]
    return _participation(offices, who_acts_for(offices, on=on))


def _participation(offices: Sequence[str], acting: dict[str, Appointment]) -> Participation:
    held: dict[int, list[Appointment]] = {}
    for key in offices:
        if key in acting:
            held.setdefault(acting[key].person_id, []).append(acting[key])
    return Participation(
        participants=[Participant(one[0].person, one) for one in held.values()],
        vacant=[key for key in offices if key not in acting],
    )
