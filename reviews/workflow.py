"""The verbs on reviews: scheduled when a Revision comes in force, and reminded of.

::

    (a Revision comes in force) --schedule--> OPEN --(the next one comes in force)--> REPLACED
                                                \\-- a full review, same sunset: OPEN, moves over

Closing with an outcome (reaffirm, amend, escalate) follows with the walking of rows.
"""

import logging
from datetime import datetime, timedelta

from django.db import transaction

import audit
from boundaries.models import Document, Revision
from boundaries.parties import parties_of
from people.calendar import company_country, company_date, zone_of
from people.models import Person
from people.offices import CEO
from people.permissions import Act, require

from . import reminders
from .errors import NobodyToRemind, ReviewNotOpen
from .models import Review
from .participants import participation
from .schedule import BEFORE_AND_ON_THE_DAY, plan, step_now
from .states import Kind, State

logger = logging.getLogger(__name__)


# --- Scheduling -------------------------------------------------------------------------------


@transaction.atomic
def schedule(*, revision: Revision, at: datetime) -> list[Review]:
    """Make the reviews of a Revision that has just come in force, inside that transaction.

    Reviews still open from the former Revision are replaced, but its full review, where the
    sunset has not moved, is taken over with its due date: amending never postpones it. Calling it
    again for the same Revision changes nothing. Returns the Revision's open reviews.
    """
    if revision.effective_date is None or revision.sunset_date is None:
        raise ValueError(f"{revision.reference} came in force without its dates")
    former = list(
        Review.objects.open()
        .filter(document=revision.document_id)
        .exclude(revision=revision)
        .select_for_update(of=("self",))
        .select_related("revision", "document")
    )
    if not former and Review.objects.filter(revision=revision).exists():
        return list(Review.objects.open().filter(revision=revision))

    offices = parties_of(revision)
    kept: Review | None = None
    for review in former:
        if review.kind == Kind.FULL and review.revision.sunset_date == revision.sunset_date:
            _take_over(review, revision, offices=offices, at=at)
            kept = review
        else:
            _replace(review, revision, at=at)

    planned = plan(
        revision.effective_date,
        revision.sunset_date,
        after=company_date(at),
        country=company_country(),
    )
    for one in planned:
        if kept and (one.kind == Kind.FULL or one.due_date >= kept.due_date):
            continue
        review = Review.objects.create(
            document=revision.document,
            revision=revision,
            kind=one.kind,
            due_date=one.due_date,
            offices=offices,
            created_at=at,
        )
        _record("review.scheduled", review, at=at)
    return list(Review.objects.open().filter(revision=revision))


def _take_over(review: Review, revision: Revision, *, offices: list[str], at: datetime) -> None:
    former = review.revision
    review.revision, review.offices = revision, offices
    review.save(update_fields=["revision", "offices"])
    _record("review.taken_over", review, at=at, former_revision=former.reference)


def _replace(review: Review, revision: Revision, *, at: datetime) -> None:
    review.state = State.REPLACED
    review.closed_at = at
    review.closed_reason = f"Replaced when {revision.reference} came in force."
    review.save(update_fields=["state", "closed_at", "closed_reason"])
    _record("review.replaced", review, at=at, by_revision=revision.reference)


def _record(event: str, review: Review, *, at: datetime, **data: str) -> None:
    audit.record(
        event,
        at=at,
        actor=None,
        object_type="review",
        object_id=str(review.pk),
        object_version=review.revision.reference,
        data={"kind": review.kind, "due_date": review.due_date.isoformat(), **data},
    )


# --- Reminding --------------------------------------------------------------------------------


def remind_due(*, at: datetime) -> int:
    """Queue every reminder whose time has come; return how many. The hourly sweep.

    Runs any number of times and beside itself: a mail's key is person, review and step, so each is
    queued once. One review that fails does not keep the others waiting.
    """
    # A step can be moved forward by holidays: look somewhat further than the first one.
    horizon = company_date(at) + timedelta(days=30 - BEFORE_AND_ON_THE_DAY[0])
    queued = 0
    for review_id in (
        Review.objects.open().filter(due_date__lte=horizon).values_list("pk", flat=True)
    ):
        try:
            queued += _remind_of(review_id, at=at)
        except Exception:
            # The next sweep tries again; somebody has to see why.
            logger.exception("review %s: its reminders failed", review_id)
    return queued


@transaction.atomic
def _remind_of(review_id: int, *, at: datetime) -> int:
    review = _locked(review_id)
    if review.state != State.OPEN:
        return 0
    country = company_country()
    queued = 0
    for one in participation(review, on=company_date(at), with_ceo=True).participants:
        step = step_now(
            review.due_date,
            now=at,
            zone=zone_of(one.person),
            country=country,
            since=review.created_at,
        )
        if step is None or (one.offices == [CEO] and not step.goes_to_ceo):
            continue
        mail = reminders.by_the_clock(review, one, step, country=country, at=at)
        queued += mail is not None
    return queued


@transaction.atomic
def remind_now(*, review: Review, acting_user: Person, at: datetime) -> int:
    """Remind everybody else who takes part, at once; return how many mails were queued.

    For a party, the RevOps Lead or the Corporate Secretary. Each person gets at most one such mail
    of a review on one day. Raises ``NotYourOffice``, ``ReviewNotOpen``, ``NobodyToRemind``.
    """
    review = _locked(review.pk)
    today = company_date(at)
    entitling = require(acting_user, Act.REMIND, on=today)
    if review.state != State.OPEN:
        raise ReviewNotOpen(review)
    others = [
        one
        for one in participation(review, on=today).participants
        if one.person.pk != acting_user.pk
    ]
    if not others:
        raise NobodyToRemind("Nobody else takes part: the other Offices are vacant.")
    by = entitling[0]
    mails = [
        reminders.asked_for(review, one, by=by, country=company_country(), at=at) for one in others
    ]
    told = [one.person for one, mail in zip(others, mails, strict=True) if mail is not None]
    if not told:
        raise NobodyToRemind(
            f"Everybody else was already reminded of the {review} today. One such mail a day is "
            "enough; the registry itself also reminds them as the date comes near."
        )
    audit.record(
        "review.reminded",
        at=at,
        actor=acting_user,
        office=by.office.key,
        appointment_id=by.pk,
        object_type="review",
        object_id=str(review.pk),
        object_version=review.revision.reference,
        data={"person_ids": [person.pk for person in told]},
    )
    return len(told)


def _locked(review_id: int) -> Review:
    """Re-read a review in its document's line, like every verb on a document.

    Who brings a Revision in force records events before it comes to the reviews: a lock on the
    review itself, held while waiting to record an event, would make the two wait for each other.
    """
    document_id = Review.objects.values_list("document_id", flat=True).get(pk=review_id)
    Document.objects.select_for_update().get(pk=document_id)
    return Review.objects.select_related("document", "revision__document").get(pk=review_id)
