"""What the archive says to whom: who confirms, who asked, and what becomes due."""

from collections.abc import Iterable
from datetime import datetime

from django.urls import reverse

from notifications.mail import queue
from people.calendar import company_date, written_for
from people.models import Appointment, Person
from people.permissions import MATRIX, Act
from people.queries import same_human, who_acts_for
from people.templatetags.speech import day_words

from ..models import Answer, Disposal, ErasureRequest, RetentionRule, Revision

NOTHING_BY_ITSELF = (
    "Nothing is disposed of by itself. Where a dispute, an audit or an inquiry may need it, place "
    "a legal hold. Otherwise you may propose to dispose of its files; the CEO confirms it."
)
ByTwo = RetentionRule | Disposal | ErasureRequest


def record_path(revision: Revision) -> str:
    return reverse("boundaries:record", args=[revision.document.number, revision.number])


def _path(path: str) -> str:
    return path if path.startswith("/") else reverse(path)


def who_may(act: Act, *, at: datetime) -> list[Appointment]:
    """The appointments that act for the Offices of ``act`` today."""
    return list(who_acts_for(sorted(MATRIX[act]), on=company_date(at)).values())


def asked(one: ByTwo, *, about: str, words: str, path: str, act: Act, at: datetime) -> None:
    """A duty: everybody who may answer it is asked, but not whoever asked for it."""
    kind = f"{one._meta.model_name}-asked"
    for to in who_may(act, at=at):
        if same_human(to.person, one.asked_by):
            continue
        with written_for(to.person):
            queue(
                to=to.person,
                kind=kind,
                key=f"{kind}:{one.pk}:{to.person_id}",
                subject=f"Waits for you: {about}",
                template="notice",
                context={
                    "paragraphs": [
                        f"{one.asked_by_name}, {one.asked_by_office}, {words}",
                        "It takes two people: nothing happens until you have answered.",
                    ],
                    "rows": [{"title": "Why", "note": one.reason}],
                    "action_label": "Confirm or refuse it",
                    "action_path": _path(path),
                    "reason": f"It waits for your Office: you act as {to.title}.",
                },
                at=at,
            )


def answered(one: ByTwo, *, about: str, path: str, at: datetime) -> None:
    """Who asked for it hears how it ended."""
    kind = f"{one._meta.model_name}-answered"
    done = "is confirmed" if one.answer == Answer.CONFIRMED else "is refused"
    with written_for(one.asked_by):
        queue(
            to=one.asked_by,
            kind=kind,
            key=f"{kind}:{one.pk}",
            subject=f"{about} {done}",
            template="notice",
            context={
                "paragraphs": [f"{one.answered_by_name}, {one.answered_by_office}, answered it."],
                "rows": [{"title": "Their word", "note": one.word}] if one.word else [],
                "action_label": "Open it",
                "action_path": _path(path),
                "reason": "You asked for it.",
            },
            at=at,
        )


def becomes_due(
    revision: Revision, until: datetime, *, step: str, told: Iterable[Appointment], at: datetime
) -> None:
    """The retention of a Revision ends within 90 days (``soon``), or has ended (``due``)."""
    for to in told:
        with written_for(to.person):
            on = day_words(company_date(until))
            queue(
                to=to.person,
                kind="archive-due",
                # The day belongs to the key: where the term was lengthened, it is told anew.
                key=f"archive-{step}:{revision.pk}:{company_date(until).isoformat()}",
                subject=(
                    f"The record of {revision.reference} is kept until {on}"
                    if step == "soon"
                    else f"The record of {revision.reference} may be disposed of"
                ),
                template="notice",
                context={
                    "paragraphs": [
                        (
                            f"The retention of {revision.document.title}, version "
                            f"{revision.number}, ends on {on}."
                            if step == "soon"
                            else f"The retention of {revision.document.title}, version "
                            f"{revision.number}, ended on {on}."
                        ),
                        NOTHING_BY_ITSELF,
                    ],
                    "action_label": "See the record",
                    "action_path": record_path(revision),
                    "reason": f"You keep the archive, as {to.title}.",
                },
                at=at,
            )


def erased(one: ErasureRequest, person: Person, *, words: str, kept: str, at: datetime) -> None:
    """The person hears what was erased, and what stays and why."""
    with written_for(person):
        queue(
            to=person,
            kind="erasure-done",
            key=f"erasure-done:{one.pk}",
            subject="What the registry erased about you",
            template="notice",
            context={
                "paragraphs": [words, kept],
                "reason": "An erasure of texts about you was asked for and agreed to.",
            },
            at=at,
        )
