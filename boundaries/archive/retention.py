"""For how long a Revision's record is kept after the Revision ended.

A promise once given is never shortened: of all terms that counted at any time since a Revision was
opened, the longest one holds for it. So a longer term counts at once for everything that is
there, and a shorter one only for Revisions that are opened after it was confirmed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from people.calendar import company_date
from people.models import Appointment, Person
from people.permissions import Act, require

from ..models import Answer, RetentionRule, Revision
from ..models.archive import DEFAULT_YEARS, FEWEST_YEARS, MOST_YEARS
from ..states import State
from . import mails
from .errors import AlreadyAnswered, NothingToDo, YearsOutOfBounds
from .two_people import (
    asked_values,
    record,
    refuse_own,
    required,
    reread,
    stand_in_line,
    write_answer,
)


def years_later(moment: datetime, years: int) -> datetime:
    """The same moment ``years`` later; of 29 February the first moment of 1 March."""
    try:
        return moment.replace(year=moment.year + years)
    except ValueError:
        first = moment.replace(year=moment.year + years, month=3, day=1)
        return first.replace(hour=0, minute=0, second=0, microsecond=0)


def ended_at(revision: Revision) -> datetime | None:
    """When it was superseded or withdrawn; None while it rules, answers or is on its way."""
    if revision.state == State.SUPERSEDED:
        return revision.in_force_until
    return revision.state_since if revision.state == State.WITHDRAWN else None


@dataclass(frozen=True)
class Terms:
    """The terms confirmed so far, each with its moment, oldest first."""

    confirmed: Sequence[tuple[datetime, int]]

    @property
    def years(self) -> int:
        """What counts for Revisions opened now."""
        return self.confirmed[-1][1] if self.confirmed else DEFAULT_YEARS

    def years_for(self, opened_at: datetime) -> int:
        """The longest of the terms that counted at any time since ``opened_at``."""
        counted = DEFAULT_YEARS
        for since, years in self.confirmed:
            counted = years if since < opened_at else max(counted, years)
        return counted

    def kept_until(self, revision: Revision) -> datetime | None:
        """Before this moment nothing of it is disposed of; None while it has not ended."""
        ended = ended_at(revision)
        return None if ended is None else years_later(ended, self.years_for(revision.opened_at))


def terms() -> Terms:
    """One query."""
    found = RetentionRule.objects.filter(answer=Answer.CONFIRMED).order_by("answered_at", "pk")
    return Terms([(at, years) for at, years in found.values_list("answered_at", "years") if at])


def waiting() -> RetentionRule | None:
    return RetentionRule.objects.filter(answer=Answer.WAITING).first()


# --- The verbs --------------------------------------------------------------------------------


@transaction.atomic
def propose(*, years: int, reason: str, acting_user: Person, at: datetime) -> RetentionRule:
    """Ask for another term. It counts once the CEO confirms it: it cannot be taken back then."""
    stand_in_line()
    held = require(acting_user, Act.SET_RETENTION, on=company_date(at))
    if not FEWEST_YEARS <= years <= MOST_YEARS:
        raise YearsOutOfBounds(
            f"Records are kept for {FEWEST_YEARS} to {MOST_YEARS} years. Give a whole number of "
            "years between them.",
            field="years",
        )
    reason = required(reason, "Say why records are to be kept for so long.")
    if waiting() is not None:
        raise AlreadyAnswered(
            "Another term waits for the CEO's confirmation. Take it back first, or wait."
        )
    before = terms().years
    if years == before:
        raise NothingToDo(f"Records are kept for {years} years already.", field="years")
    rule = RetentionRule(years=years, **asked_values(acting_user, held, reason=reason, at=at))
    rule.save(force_insert=True)
    _tell(rule, "retention.proposed", acting_user, held, at, reason, before=before)
    mails.asked(
        rule,
        about=f"Records kept for {rule}",
        words=f"asks to keep records for {rule} after a version has ended. Today it is {before}.",
        path="boundaries:retention",
        act=Act.CONFIRM_ARCHIVE,
        at=at,
    )
    return rule


def _tell(
    rule: RetentionRule,
    event: str,
    acting_user: Person,
    held: Sequence[Appointment],
    at: datetime,
    words: str = "",
    **data: int,
) -> None:
    record(
        event,
        object_type="retention",
        object_id=rule.pk,
        acting_user=acting_user,
        held=held,
        at=at,
        words=words,
        data={"years": rule.years, **data},
    )


@transaction.atomic
def confirm(*, rule: RetentionRule, acting_user: Person, at: datetime) -> RetentionRule:
    """The CEO confirms the term: it counts from now on, for what is there at least as long."""
    rule = reread(rule)
    held = require(acting_user, Act.CONFIRM_ARCHIVE, on=company_date(at))
    refuse_own(rule, acting_user)
    before = terms().years
    write_answer(rule, Answer.CONFIRMED, acting_user=acting_user, held=held, at=at)
    _tell(rule, "retention.confirmed", acting_user, held, at, before=before)
    mails.answered(rule, about=f"Records kept for {rule}", path="boundaries:retention", at=at)
    return rule


@transaction.atomic
def refuse(*, rule: RetentionRule, word: str, acting_user: Person, at: datetime) -> RetentionRule:
    """The CEO refuses the term, with a word."""
    rule = reread(rule)
    held = require(acting_user, Act.CONFIRM_ARCHIVE, on=company_date(at))
    word = required(word, "Say in a sentence why you refuse it.")
    write_answer(rule, Answer.REFUSED, acting_user=acting_user, held=held, at=at, word=word)
    _tell(rule, "retention.refused", acting_user, held, at, word)
    mails.answered(rule, about=f"Records kept for {rule}", path="boundaries:retention", at=at)
    return rule


@transaction.atomic
def take_back(*, rule: RetentionRule, acting_user: Person, at: datetime) -> RetentionRule:
    """The Corporate Secretary takes the question back."""
    rule = reread(rule)
    held = require(acting_user, Act.SET_RETENTION, on=company_date(at))
    write_answer(rule, Answer.TAKEN_BACK, acting_user=acting_user, held=held, at=at)
    _tell(rule, "retention.taken_back", acting_user, held, at)
    return rule
