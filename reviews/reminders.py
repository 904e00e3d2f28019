"""The words of the reminder mails."""

from datetime import date, datetime

from django.urls import reverse

from boundaries.models import Row
from notifications.mail import queue
from notifications.models import OutgoingMail
from people.calendar import company_date, zone_of
from people.models import Appointment
from people.offices import CEO, HYBRID, REVOPS_LEAD, office_short
from people.templatetags.speech import day_words

from .models import Review
from .participants import Participant
from .schedule import Step, next_step_day
from .states import Kind

KIND = "review-reminder"
ROWS_TOLD = 8


def by_the_clock(
    review: Review, to: Participant, step: Step, *, country: str, at: datetime
) -> OutgoingMail | None:
    """The reminder of one step; None when this person has it already."""
    return _queue(
        review,
        to,
        key=f"{KIND}:{review.pk}:{step.key}:{to.person.pk}",
        opening="",
        reason=_reason(review, to, step),
        country=country,
        at=at,
    )


def asked_for(
    review: Review, to: Participant, *, by: Appointment, country: str, at: datetime
) -> OutgoingMail | None:
    """The reminder that ``by`` asked for; one a day and person, None when there was one today."""
    return _queue(
        review,
        to,
        key=f"{KIND}:{review.pk}:asked-{company_date(at).isoformat()}:{to.person.pk}",
        opening=f"{by.person.name}, {by.title}, reminds you. ",
        reason=_reason(review, to, None),
        country=country,
        at=at,
    )


def when_words(due_date: date, today: date) -> str:
    """ "in 14 days", "tomorrow", "today", "1 day late"; always said beside the date itself."""
    days = (due_date - today).days
    if days == 0:
        return "today"
    if days == 1:
        return "tomorrow"
    if days > 0:
        return f"in {days} days"
    return f"{-days} {'day' if days == -1 else 'days'} late"


def _queue(
    review: Review,
    to: Participant,
    *,
    key: str,
    opening: str,
    reason: str,
    country: str,
    at: datetime,
) -> OutgoingMail | None:
    # The reader's own date: their morning may be another day than the company's.
    today = at.astimezone(zone_of(to.person)).date()
    rows, left = _owned_rows(review, to)
    following = next_step_day(review.due_date, after=today, country=country)
    return queue(
        to=to.person,
        kind=KIND,
        key=key,
        subject=_subject(review, today),
        template="review_reminder",
        context={
            "review": review,
            "opening": opening,
            "is_full": review.kind == Kind.FULL,
            "due_date": day_words(review.due_date),
            "when": when_words(review.due_date, today),
            "late": review.due_date < today,
            "rows": rows,
            "rows_left": left,
            "next_reminder": day_words(following),
            "preheader": "Is each function still owned as written?",
            "action_label": "Open the reviews",
            "action_path": f"{reverse('reviews:list')}#{review.anchor}",
            "reason": reason,
        },
        at=at,
    )


def _subject(review: Review, today: date) -> str:
    when = when_words(review.due_date, today)
    due = day_words(review.due_date)
    if review.due_date < today:
        return f"{review.document.number}: {review.title} is {when}, due {due}"
    return f"{review.document.number}: {review.title} is due {when}, {due}"


def _reason(review: Review, to: Participant, step: Step | None) -> str:
    offices = set(to.offices)
    if step and step.goes_to_ceo and offices == {CEO}:
        return "A review that is two weeks late comes to the CEO."
    if offices == {REVOPS_LEAD}:
        return "The RevOps Lead takes part in every review."
    return f"You are a party to {review.document.number}."


def _owned_rows(review: Review, to: Participant) -> tuple[list[dict[str, str]], int]:
    """What the recipient's Offices own in the text, up to eight rows, and how many more."""
    mine = set(to.offices)
    owned = []
    rows = Row.objects.filter(revision=review.revision).select_related("function")
    for row in rows.prefetch_related("sub_scopes"):
        if row.owner in mine:
            owned.append((row, row.owner, ""))
        elif row.owner == HYBRID:
            owned += [
                (row, scope.owner, f": {scope.name}")
                for scope in row.sub_scopes.all()
                if scope.owner in mine
            ]
    told = [
        {
            "title": f"{row.function.name}{scope}",
            "note": f"Row {row.reference}",
            "aside": office_short(owner),
        }
        for row, owner, scope in owned
    ]
    return told[:ROWS_TOLD], max(0, len(told) - ROWS_TOLD)
