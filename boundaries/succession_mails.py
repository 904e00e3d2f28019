"""What a change of hands says to whom: the successor, who stands in for them, the CEO."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.urls import reverse

from notifications.mail import queue
from people.calendar import company_date, written_for
from people.models import Appointment
from people.offices import CEO, REVOPS_LEAD, office_short
from people.queries import who_acts_for
from people.templatetags.speech import day_words

from . import content as contents
from .clock import left_words
from .holders import ceos
from .models import Revision, Succession
from .parties import party_offices

ROWS_TOLD = 8


def page(succession: Succession) -> str:
    return reverse("boundaries:succession", args=[succession.pk])


def _key(kind: str, succession: Succession, to: Appointment) -> str:
    return f"{kind}:{succession.pk}:{to.person.pk}"


def _named(revision: Revision) -> str:
    return f"{revision.document.title}, version {revision.number}"


def _reason(to: Appointment) -> str:
    return f"You hold the Office as {to.title}." if to.acting else f"You are the {to.title}."


def began(succession: Succession, told: Sequence[Appointment], *, at: datetime) -> None:
    """What is taken over, and by when it wants an answer."""
    revision, short = succession.revision, office_short(succession.office)
    approving = ceos(company_date(at))
    rows, left = owned_rows(revision, succession.office)
    for to in told:
        with written_for(to.person):
            due = day_words(succession.due_date)
            queue(
                to=to.person,
                kind="takeover-began",
                key=_key("takeover-began", succession, to),
                subject=f"{_opening(to, short)}: answer for {revision.reference} by {due}",
                template="notice",
                context={
                    "paragraphs": [
                        (
                            f"{succession.predecessor_name} signed {_named(revision)}, for the "
                            f"Office of the {short}. It stays in force and binds the Office until "
                            "it is changed."
                        ),
                        (
                            f"{_to_whom(succession, to)} {_ask(to, short, approving)}, by {due}: "
                            "10 business days."
                        ),
                    ],
                    "rows": rows[:ROWS_TOLD],
                    "closing": [f"And {left} more."] if left else [],
                    "action_label": "See what you take over",
                    "action_path": page(succession),
                    "reason": _reason(to),
                },
                at=at,
            )


def _opening(to: Appointment, short: str) -> str:
    return f"What you act for as {to.title}" if to.acting else f"What you take over as {short}"


def _to_whom(succession: Succession, to: Appointment) -> str:
    if to.acting:
        return f"You act for {succession.appointment.person.name}, and may answer."
    return "You took the Office over."


def _ask(to: Appointment, short: str, approving: Collection[int]) -> str:
    """What is asked of ``to``; the CEO answers for no party, whichever Office they hold."""
    if to.person.human_id in approving:
        return (
            f"As you approve boundaries, you do not answer for the {short}: have another person "
            f"named Acting {short}, who acknowledges it or asks for an amendment"
        )
    return "Acknowledge it, or ask for an amendment"


def owned_rows(revision: Revision, office: str) -> tuple[list[dict[str, str]], int]:
    """What the Office owns in the frozen text, a line each, and how many are not shown."""
    freeze = contents.published_freeze(revision)
    if freeze is None:
        return [], 0
    rows = []
    for row in contents.rows_of(contents.content_of(freeze)).values():
        note = f"Row {row['reference']}"
        if row["owner"] == office:
            rows.append({"title": row["name"], "note": note, "aside": office_short(office)})
        rows += [
            {"title": f"{row['name']}: {part['name']}", "note": note, "aside": office_short(office)}
            for part in row["sub_scopes"]
            if part["owner"] == office
        ]
    return rows, max(0, len(rows) - ROWS_TOLD)


def reminder(
    succession: Succession, to: Appointment, *, step: int, country: str, at: datetime
) -> int:
    """The answer is still owed; 1 when it was queued, 0 when this person has this step already."""
    revision, short = succession.revision, office_short(succession.office)
    with written_for(to.person):
        due = day_words(succession.due_date)
        left = left_words(succession.due_date, today=company_date(at), country=country)
        mail = queue(
            to=to.person,
            kind="takeover-reminder",
            key=f"takeover-reminder:{succession.pk}:{step}:{to.person.pk}",
            subject=f"{revision.reference}: the {short}’s answer is due {due}",
            template="notice",
            context={
                "paragraphs": [
                    (
                        f"{_named(revision)}, waits for the answer of the Office of the {short}: "
                        f"{left[0].lower()}{left[1:]}. "
                        f"{_ask(to, short, ceos(company_date(at)))}."
                    ),
                    "Without an answer it stays in force, and the CEO is told.",
                ],
                "action_label": "See what is taken over",
                "action_path": page(succession),
                "reason": _reason(to),
            },
            at=at,
        )
    return int(mail is not None)


def overdue(succession: Succession, ceo: Appointment, *, at: datetime) -> int:
    """Tell the CEO, once, whoever holds that Office then."""
    revision, short = succession.revision, office_short(succession.office)
    name = succession.appointment.person.name
    with written_for(ceo.person):
        due = day_words(succession.due_date)
        mail = queue(
            to=ceo.person,
            kind="takeover-overdue",
            key=f"takeover-overdue:{succession.pk}",
            subject=f"{name}, {short}, has not answered for {revision.reference}",
            template="notice",
            context={
                "paragraphs": [
                    (
                        f"{name} took over the Office of the {short}, for which "
                        f"{succession.predecessor_name} signed {_named(revision)}. The answer was "
                        f"due {due}. The version stays in force all the same."
                    )
                ],
                "action_label": "See where it stands",
                "action_path": page(succession),
                "reason": "An answer that is overdue comes to the CEO, once.",
            },
            at=at,
        )
    return int(mail is not None)


def amendment_asked(
    succession: Succession, *, by: Appointment, unfinished: Revision, at: datetime
) -> None:
    """Tell the other parties, the CEO and the RevOps Lead what the successor wants changed."""
    revision = succession.revision
    queued = not unfinished.is_draft
    goes_on = (
        f"{unfinished.reference} is frozen now. The wish waits for the next draft."
        if queued
        else f"It is negotiated in {unfinished.reference}; {revision.reference} rules meanwhile."
    )
    told = who_acts_for([*party_offices(unfinished), CEO, REVOPS_LEAD], on=company_date(at))
    others = {
        one.person_id: one for one in told.values() if one.person.human_id != by.person.human_id
    }
    for to in others.values():
        queue(
            to=to.person,
            kind="takeover-amendment",
            key=_key("takeover-amendment", succession, to),
            subject=f"{by.person.name}, {by.title}, asks for an amendment of {revision.reference}",
            template="notice",
            context={
                "paragraphs": [
                    (
                        f"{by.person.name}, {by.title}, answers for what "
                        f"{succession.predecessor_name} signed: “{succession.wish}”"
                    ),
                    goes_on,
                ],
                "action_label": "Open the draft" if not queued else "Open it",
                "action_path": unfinished.get_absolute_url(),
                "reason": f"You take part in {revision.document.number}.",
            },
            at=at,
        )
