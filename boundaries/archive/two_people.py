"""What all acts that take two people have in common: one asks, another answers, once."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

import audit
from audit.leaf import JSON
from audit.models import Event
from people.models import Appointment, Company, Person
from people.queries import same_human

from ..errors import ReasonMissing
from ..models import Answer, Disposal, ErasureRequest, RetentionRule
from .errors import AlreadyAnswered, TakesAnotherPerson

ANSWERED = (
    "answer",
    "answered_by",
    "answered_by_name",
    "answered_by_office",
    "answered_at",
    "word",
)
T = TypeVar("T", RetentionRule, Disposal, ErasureRequest)


def stand_in_line() -> None:
    """The one lock of the archive: a hold that is being placed and a disposal never cross."""
    Company.objects.select_for_update().get()


def required(text: str, ask: str) -> str:
    text = text.strip()
    if not text:
        raise ReasonMissing(ask)
    return text


def reread(one: T) -> T:
    """Read it again in line; refuse unless it still waits for its answer."""
    stand_in_line()
    found = type(one).objects.select_for_update(of=("self",)).select_related("asked_by")
    fresh = found.get(pk=one.pk)
    if not fresh.waits:
        raise AlreadyAnswered(
            f"{fresh} is {fresh.get_answer_display().lower()} already, by {fresh.answered_by_name}."
            " Nothing was changed. Reload the page."
        )
    return fresh


def refuse_own(one: T, acting_user: Person) -> None:
    if same_human(one.asked_by, acting_user):
        raise TakesAnotherPerson(
            "This takes two people, and you asked for it, in this account or in a linked one. "
            "Another person has to confirm it, such as somebody named Acting for the Office."
        )


def asked_values(
    acting_user: Person, held: Sequence[Appointment], *, reason: str, at: datetime
) -> dict[str, object]:
    """The fields that say who asked for it, when and why."""
    return {
        "asked_by": acting_user,
        "asked_by_name": acting_user.name,
        "asked_by_office": held[0].title,
        "asked_at": at,
        "reason": reason,
    }


def write_answer(
    one: T,
    answer: Answer,
    *,
    acting_user: Person,
    held: Sequence[Appointment],
    at: datetime,
    word: str = "",
    also: Sequence[str] = (),
) -> None:
    one.answer = answer
    one.answered_by = acting_user
    one.answered_by_name = acting_user.name
    one.answered_by_office, one.answered_at, one.word = held[0].title, at, word
    fields: list[str] = [
        "answer",
        "answered_by",
        "answered_by_name",
        "answered_by_office",
        "answered_at",
    ]
    one.save(update_fields=[*fields, "word", *also])


def record(
    event: str,
    *,
    object_type: str,
    object_id: int,
    acting_user: Person,
    held: Sequence[Appointment],
    at: datetime,
    version: str = "",
    words: str = "",
    data: dict[str, JSON] | None = None,
) -> Event:
    """One event of the archive; ``words`` are personal text."""
    return audit.record(
        event,
        at=at,
        actor=acting_user,
        office=held[0].office.key,
        appointment_id=held[0].pk,
        object_type=object_type,
        object_id=str(object_id),
        object_version=version,
        data=data,
        personal_text=words,
    )
