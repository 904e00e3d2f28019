"""What an exception says to whom: its approvers, who asked for it, and the owner at its end."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.urls import reverse

from notifications.mail import queue
from notifications.news import tell
from people.calendar import company_date, written_for
from people.models import Appointment, Person
from people.queries import who_acts_for
from people.templatetags.speech import day_words

from .models import BoundaryException


def page(one: BoundaryException) -> str:
    return reverse("boundaries:exception", args=[one.pk])


def last_day_words(one: BoundaryException) -> str:
    """ "2 Mar 2027": the last day on which it holds, as the present reader writes dates."""
    return day_words(one.expires_on - timedelta(days=1))


def about(one: BoundaryException) -> str:
    """ "Deal desk", or "Master data management, Accounts and contacts"."""
    part = next((part.name for part in one.row.sub_scopes.all() if part.key == one.part), one.part)
    return f"{one.row.function.name}, {part}" if part else one.row.function.name


def _facts(one: BoundaryException) -> list[dict[str, str]]:
    return [
        {"title": "What", "note": one.what},
        {"title": "Why", "note": one.reason},
        {"title": "Last day", "note": last_day_words(one)},
        {"title": "Departs from", "note": f"{one.revision.reference}, row {one.row.reference}"},
    ]


def asked(one: BoundaryException, approvers: Iterable[Appointment], *, at: datetime) -> None:
    """A duty: each approver is asked once."""
    for to in approvers:
        with written_for(to.person):
            queue(
                to=to.person,
                kind="exception-asked",
                key=f"exception-asked:{one.pk}:{to.person_id}",
                subject=f"{one.requested_by_name} asks for an exception to {about(one)}",
                template="notice",
                context={
                    "paragraphs": [
                        (
                            f"{one.requested_by_name}, {one.requested_by_office}, asks to depart "
                            f"from {one.revision.document.title}, version {one.revision.number}, "
                            f"until {last_day_words(one)}. It holds only once you approve it. "
                            "Refusing needs a word."
                        )
                    ],
                    "rows": _facts(one),
                    "action_label": "Approve or refuse it",
                    "action_path": page(one),
                    "reason": f"You act for the Office that approves it, as {to.title}.",
                },
                at=at,
            )


def reminded(
    one: BoundaryException, to: Appointment, *, step: int, asked: date, at: datetime
) -> None:
    """An approver has not answered ``step`` business days after being asked."""
    with written_for(to.person):
        queue(
            to=to.person,
            kind="exception-reminder",
            key=f"exception-reminder:{one.pk}:{step}:{to.person_id}",
            subject=f"The exception to {about(one)} still waits for your answer",
            template="notice",
            context={
                "paragraphs": [
                    (
                        f"{one.requested_by_name}, {one.requested_by_office}, has waited for it "
                        f"since {day_words(asked)}. Approve it, or refuse it with a word. One that "
                        f"nobody answers by {last_day_words(one)} lapses and never held."
                    )
                ],
                "rows": _facts(one),
                "action_label": "Approve or refuse it",
                "action_path": page(one),
                "reason": f"You act for the Office that approves it, as {to.title}.",
            },
            at=at,
        )


def answered(
    one: BoundaryException, by: Person, *, approves: bool, word: str, at: datetime
) -> None:
    """News for who asked: approved by one, granted, or refused."""
    if one.state == BoundaryException.State.GRANTED:
        kind, title = "exception-granted", f"Your exception to {about(one)} is granted"
        text = f"It holds until {last_day_words(one)}."
    elif one.state == BoundaryException.State.REFUSED:
        kind, title = "exception-refused", f"Your exception to {about(one)} is refused"
        text = f"{by.name}: {word}"
    else:
        kind, title = "exception-answered", f"{by.name} approves your exception to {about(one)}"
        text = "It holds once every approver has approved it."
    if approves and word:
        text = f"{text} {by.name}: {word}"
    tell(
        [one.requested_by],
        kind=kind,
        key=f"{kind}:{one.pk}:{by.pk}",
        title=title,
        text=text,
        path=page(one),
        at=at,
    )


def taken_back(one: BoundaryException, *, at: datetime) -> None:
    """News for those who were asked, that nothing waits for them any more."""
    asked_today = who_acts_for(one.approvers, on=company_date(at)).values()
    tell(
        [held.person for held in asked_today if held.person_id != one.requested_by_id],
        kind="exception-taken-back",
        key=f"exception-taken-back:{one.pk}",
        title=f"{one.requested_by_name} took back the exception to {about(one)}",
        text="It waits for nobody any more.",
        path=page(one),
        at=at,
    )


def lapsed(one: BoundaryException, *, at: datetime) -> None:
    """Nobody answered in time: say so to who asked."""
    with written_for(one.requested_by):
        _end_mail(
            one,
            one.requested_by,
            kind="exception-lapsed",
            subject=f"Your exception to {about(one)} was not answered in time",
            words=(
                "It was not answered before it would have ended, so it never held. What is in "
                "force applies."
            ),
            at=at,
        )


def ends_soon(one: BoundaryException, *, told: Iterable[Person], at: datetime) -> None:
    """A week before its end."""
    for person in told:
        with written_for(person):
            _end_mail(
                one,
                person,
                kind="exception-ends-soon",
                subject=f"The exception to {about(one)} ends after {last_day_words(one)}",
                words=(
                    f"From the day after {last_day_words(one)} on "
                    f"{one.revision.document.title} applies again as it is written."
                ),
                at=at,
            )


def ended(one: BoundaryException, *, told: Iterable[Person], at: datetime) -> None:
    """On the day on which it holds no more."""
    until = one.revision.in_force_until
    with_it = until is not None and company_date(until) < one.expires_on
    for person in told:
        with written_for(person):
            _end_mail(
                one,
                person,
                kind="exception-ended",
                subject=f"The exception to {about(one)} has ended",
                words=(
                    f"{one.revision.reference} is no longer in force, and the exception ended "
                    "with it. The version that replaced it applies as it is written."
                    if with_it
                    else f"{one.revision.document.title} applies again as it is written."
                ),
                at=at,
            )


def _end_mail(
    one: BoundaryException, to: Person, *, kind: str, subject: str, words: str, at: datetime
) -> None:
    mine = to.pk == one.requested_by_id
    queue(
        to=to,
        kind=kind,
        key=f"{kind}:{one.pk}:{to.pk}",
        subject=subject,
        template="notice",
        context={
            "paragraphs": [
                words,
                "An exception is never extended. Whoever still needs it proposes an amendment.",
            ],
            "rows": _facts(one),
            "action_label": "Read the exception",
            "action_path": page(one),
            "reason": "You asked for it." if mine else "You act for the Office that owns it.",
        },
        at=at,
    )
