"""What a dispute tells to whom: file your page, rule, what was ruled, and the reminders.

Duties are mails with a key of their own for each person, so that nobody is mailed twice for one
thing; who only ought to know gets news. No mail quotes a page.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from functions_catalog.ownership import Answer, OwnershipChange
from notifications.mail import queue
from notifications.models import OutgoingMail
from notifications.news import tell
from people.calendar import (
    business_days_between,
    company_country,
    company_date,
    company_zone,
    in_working_hours,
)
from people.models import Appointment, Person
from people.offices import CEO, HYBRID, REVOPS_LEAD, office_short
from people.queries import holder_of, who_acts_for
from people.templatetags.speech import moment_words

from .holders import ceos
from .models import Dispute, DisputePage, Ruling

# Business days after the ruling was due on which the CEO is asked again; 0: on the day itself.
CHASE_AFTER = (0, 2, 5, 10)

log = logging.getLogger(__name__)


def company_moment(at: datetime) -> str:
    """ "24 Nov 2026, 17:00 EST": a limit, in the zone that it ends in."""
    with timezone.override(company_zone()):
        return moment_words(at)


def decider_because(dispute: Dispute) -> str:
    """Why it is that Office: "as the owner in force"."""
    if dispute.interim_decider == HYBRID and dispute.interim_because == "in_force":
        return "as in force"
    return {
        "": "",
        "in_force": "as the owner in force",
        "natural": "as the natural owner; no text in force says who owns it",
        "named": "named by the CEO",
    }[dispute.interim_because]


def decider_words(dispute: Dispute) -> str:
    """Who decides until the ruling, as a sentence; what is to do where nobody does yet."""
    if not dispute.interim_decider:
        return "Until the ruling nobody decides: the CEO has yet to name an Office."
    because = decider_because(dispute)
    if dispute.interim_decider == HYBRID:
        return f"Until the ruling each owner of a part decides that part, {because}."
    return f"Until the ruling the {office_short(dispute.interim_decider)} decides, {because}."


def _where(dispute: Dispute) -> str:
    kind = "" if dispute.in_force else "draft "
    return (
        f"row {dispute.row.reference}, {dispute.function.name}, of {kind}"
        f"{dispute.revision.reference}"
    )


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _owner_words(answer: Answer | None) -> str:
    if answer is None:
        return "nobody"
    return " and ".join(f"the {office_short(key)}" for key in answer.owners)


def _change_rows(change: OwnershipChange | None) -> list[dict[str, str]]:
    """One line per function that went to other Offices: from whom to whom."""
    return [
        {
            "title": one.name,
            "note": f"from {_owner_words(one.before)} to {_owner_words(one.after)}",
        }
        for one in (change.changes if change else ())
        if one.owner_changed
    ]


def _mail(
    people: Iterable[Person],
    dispute: Dispute,
    *,
    kind: str,
    subject: str,
    paragraphs: Sequence[str],
    action_label: str,
    reason: str,
    at: datetime,
    occasion: str = "",
    rows: Sequence[Mapping[str, str]] = (),
) -> None:
    for person in {one.pk: one for one in people}.values():
        context: dict[str, Any] = {
            "paragraphs": paragraphs,
            "rows": rows,
            "action_label": action_label,
            "action_path": dispute.get_absolute_url(),
            "reason": reason,
        }
        queue(
            to=person,
            kind=kind,
            key=f"{kind}:{dispute.pk}:{occasion}:{person.pk}",
            subject=subject,
            template="notice",
            context=context,
            at=at,
        )


def _but_asked_today(
    people: Iterable[Person], dispute: Dispute, *, kind: str, at: datetime
) -> list[Person]:
    """Those who were not asked by a mail of ``kind`` on this day already: no second for one thing.

    Whoever comes into an Office on the day itself is asked, and reminded from the next day on.
    """
    by_key = {f"{kind}:{dispute.pk}::{one.pk}": one for one in people}
    asked = OutgoingMail.objects.filter(key__in=by_key).values_list("key", "created_at")
    today = {key for key, created_at in asked if company_date(created_at) == company_date(at)}
    return [one for key, one in by_key.items() if key not in today]


def _acting(offices: Iterable[str], *, at: datetime) -> dict[str, Appointment]:
    return who_acts_for(offices, on=company_date(at))


def _party_people(dispute: Dispute, *, at: datetime) -> list[Person]:
    return [one.person for one in _acting(dispute.parties, at=at).values()]


def _news(
    people: Iterable[Person],
    dispute: Dispute,
    *,
    what: str,
    title: str,
    text: str,
    at: datetime,
) -> None:
    tell(
        people,
        kind="dispute",
        key=f"dispute-{dispute.pk}-{what}",
        title=title,
        text=text,
        path=dispute.get_absolute_url(),
        at=at,
    )


def _watching(dispute: Dispute, *, at: datetime) -> list[Person]:
    """The CEO and the RevOps Lead: they ought to know, where it is not a duty of theirs."""
    parties = {one.pk for one in _party_people(dispute, at=at)}
    told = _acting([CEO, REVOPS_LEAD], at=at).values()
    return [one.person for one in told if one.person_id not in parties]


# --- Opened, until the pages are in -----------------------------------------------------------


def opened(dispute: Dispute, *, at: datetime) -> None:
    ask_for_pages(dispute, at=at)
    ask_for_a_decider(dispute, at=at)
    _news(
        [one for one in _watching(dispute, at=at) if one.pk != dispute.opened_by_id],
        dispute,
        what="opened",
        title=f"{dispute.opened_by_name} escalated {_where(dispute)}",
        text=f"{dispute.question} The parties file one page each by "
        f"{company_moment(dispute.pages_due_at)}. {decider_words(dispute)}",
        at=at,
    )


def owing_pages(dispute: Dispute) -> list[str]:
    """The parties that have neither filed nor waived, in order."""
    done = DisputePage.objects.filter(dispute=dispute).filter(
        Q(filed_at__isnull=False) | Q(waived_at__isnull=False)
    )
    given = set(done.values_list("office", flat=True))
    return [key for key in dispute.parties if key not in given]


def _owing_people(dispute: Dispute, *, at: datetime) -> list[Person]:
    """Who acts today for a party that owes its page; the CEO speaks for none."""
    approving = ceos(company_date(at))
    acting = _acting(owing_pages(dispute), at=at).values()
    return [one.person for one in acting if one.person.human_id not in approving]


def ask_for_pages(dispute: Dispute, *, at: datetime) -> None:
    """Ask whoever acts for a party today; each person once."""
    due = company_moment(dispute.pages_due_at)
    _mail(
        _owing_people(dispute, at=at),
        dispute,
        kind="dispute-page-asked",
        subject=f"File your page on {dispute.function.name} by {due}",
        paragraphs=[
            (
                f"{dispute.opened_by_name}, {dispute.opened_by_office}, escalated "
                f"{_where(dispute)}, to the CEO: “{dispute.question}”"
            ),
            (
                f"You may file one page of at most 3,000 characters by {due}. It is final, and "
                "sealed until all are in or the time is up; then all open at once. One that is not "
                "filed counts as waived."
            ),
            decider_words(dispute),
        ],
        action_label="Write your page",
        reason="You are a party to the dispute.",
        at=at,
    )


def ask_for_a_decider(dispute: Dispute, *, at: datetime) -> None:
    """Nobody owns the function: the CEO names who decides until the ruling."""
    ceo = holder_of(CEO, on=company_date(at))
    if dispute.interim_decider or ceo is None:
        return
    _mail(
        [ceo.person],
        dispute,
        kind="dispute-decider-asked",
        subject=f"Name who decides {dispute.function.name} until you rule",
        paragraphs=[
            (
                f"{_capital(_where(dispute))} is in dispute. No text in force and no entry of "
                "the catalog says who owns it, so nobody decides meanwhile. Name an Office."
            )
        ],
        action_label="Name an Office",
        reason="You rule on the dispute.",
        at=at,
    )


def decider_named(dispute: Dispute, *, at: datetime) -> None:
    _news(
        _party_people(dispute, at=at),
        dispute,
        # An Office that is named again is told again.
        what=f"decider-{dispute.interim_decider}-{at.isoformat()}",
        title=f"The CEO named who decides {dispute.function.name} until the ruling",
        text=decider_words(dispute),
        at=at,
    )


def decider_changed(dispute: Dispute, *, at: datetime) -> None:
    """The function has an owner in force, or another one, since a version came in force."""
    _news(
        [*_party_people(dispute, at=at), *_watching(dispute, at=at)],
        dispute,
        what=f"decider-{dispute.interim_decider}-{at.isoformat()}",
        title=f"Who decides {dispute.function.name} until the ruling changed with its owner",
        text=decider_words(dispute),
        at=at,
    )


# --- From open pages to the ruling ------------------------------------------------------------


def pages_opened(dispute: Dispute, *, at: datetime) -> None:
    ask_to_rule(dispute, at=at)
    assert dispute.ruling_due_at is not None  # noqa: S101 - set with the opening
    _news(
        _party_people(dispute, at=at),
        dispute,
        what="pages-opened",
        title=f"The pages on {dispute.function.name} are open",
        text=f"Read what the others wrote. The CEO rules by "
        f"{company_moment(dispute.ruling_due_at)}.",
        at=at,
    )


def ask_to_rule(dispute: Dispute, *, at: datetime) -> None:
    """Ask whoever is CEO today; each person once."""
    ceo = holder_of(CEO, on=company_date(at))
    if ceo is None or dispute.ruling_due_at is None:
        return
    due = company_moment(dispute.ruling_due_at)
    _mail(
        [ceo.person],
        dispute,
        kind="dispute-ruling-asked",
        subject=f"Rule on {dispute.function.name} by {due}",
        paragraphs=[
            f"The parties disagree on {_where(dispute)}: “{dispute.question}”",
            f"Their pages are open. Rule by {due}, naming owner and terms, with your rationale.",
            decider_words(dispute),
        ],
        action_label="Read the pages and rule",
        reason="You rule on the dispute.",
        at=at,
    )


def ruled(ruling: Ruling, *, change: OwnershipChange | None, at: datetime) -> None:
    """Tell every party, the RevOps Lead, and who gained or lost something."""
    dispute = ruling.dispute
    gained, lost = (change.gained(), change.lost()) if change else ({}, {})
    acting = _acting([*dispute.parties, REVOPS_LEAD, *gained, *lost], at=at)
    if ruling.interim_from:
        effect = (
            "It binds from today as an interim decision, beside the text in force, and enters the "
            "next version."
        )
    else:
        effect = (
            f"Row {dispute.row.reference} of draft {dispute.revision.reference} has these terms, "
            "counts as agreed by all and is locked to them. What is in force stands until the "
            "draft comes in force."
        )
    _mail(
        [one.person for one in acting.values() if one.person_id != ruling.person_id],
        dispute,
        kind="dispute-ruled",
        subject=f"{ruling.person_name} ruled on {dispute.function.name}",
        paragraphs=[
            f"{ruling.person_name}, {ruling.person_office}, ruled on {_where(dispute)}.",
            f"“{ruling.rationale}”",
            effect,
        ],
        rows=_change_rows(change),
        action_label="Read the ruling",
        reason="You are a party to the dispute, or it changes what your Office owns.",
        at=at,
    )


def bound(ruling: Ruling, *, change: OwnershipChange, at: datetime) -> None:
    """A party declined the draft that held the ruling: it binds as an interim decision."""
    dispute = ruling.dispute
    gained, lost = change.gained(), change.lost()
    acting = _acting([*dispute.parties, REVOPS_LEAD, CEO, *gained, *lost], at=at)
    _mail(
        [one.person for one in acting.values()],
        dispute,
        kind="dispute-bound",
        subject=f"The ruling on {dispute.function.name} binds as an interim decision",
        paragraphs=[
            (
                f"A party declined to sign {dispute.revision.reference}, which holds the ruling on "
                f"{_where(dispute)}. From today the ruling binds as an interim decision, until a "
                "version that holds it comes in force."
            )
        ],
        rows=_change_rows(change),
        action_label="Read the ruling",
        reason="You are a party to the dispute, or it changes what your Office owns.",
        at=at,
    )


# --- Ended without a ruling -------------------------------------------------------------------


def settlement_offered(
    dispute: Dispute, *, by: Appointment, given: Iterable[str], at: datetime
) -> None:
    """Ask the parties that have not said so whether the dispute be withdrawn."""
    missing = [key for key in dispute.parties if key not in set(given)]
    _news(
        [one.person for one in _acting(missing, at=at).values()],
        dispute,
        what=f"settled-{by.office.key}-{at.isoformat()}",
        title=f"{by.person.name}, {by.title}, would withdraw the dispute about "
        f"{dispute.function.name}",
        text="Once every party has said so it ends without a ruling.",
        at=at,
    )


def withdrawn(dispute: Dispute, *, by: Appointment, at: datetime) -> None:
    people = [*_party_people(dispute, at=at), *_watching(dispute, at=at)]
    _mail(
        [one for one in people if one.pk != by.person_id],
        dispute,
        kind="dispute-withdrawn",
        subject=f"The dispute about {dispute.function.name} is withdrawn",
        paragraphs=[
            (
                f"Every party agreed to withdraw the dispute about {_where(dispute)}. There is no "
                "ruling; the row is agreed as any other."
            )
        ],
        action_label="Open the dispute",
        reason="You take part in the dispute.",
        at=at,
    )


def lapsed(dispute: Dispute, *, at: datetime) -> None:
    _mail(
        [*_party_people(dispute, at=at), *_watching(dispute, at=at)],
        dispute,
        kind="dispute-lapsed",
        subject=f"The dispute about {dispute.function.name} lapsed with its draft",
        paragraphs=[
            (
                f"{dispute.revision.reference} was withdrawn, so there is nothing left to rule on. "
                "What is in force stands."
            )
        ],
        action_label="Open the dispute",
        reason="You take part in the dispute.",
        at=at,
    )


# --- The clock --------------------------------------------------------------------------------


def remind(*, at: datetime) -> None:
    """Ask who came into an Office since, remind of pages due today, chase overdue rulings.

    In the company's working hours; nobody hears one thing twice. One dispute that fails keeps no
    other waiting.
    """
    country = company_country()
    if not in_working_hours(at, zone=company_zone(), country=country):
        return
    open_ones = Dispute.objects.filter(outcome=Dispute.Outcome.OPEN)
    for dispute in open_ones.select_related("function", "row", "revision__document"):
        try:
            _remind_in(dispute, at=at, country=country)
        except Exception:
            # The next sweep tries again; somebody has to see why.
            log.exception("%s: its reminders failed", dispute)


@transaction.atomic
def _remind_in(dispute: Dispute, *, at: datetime, country: str) -> None:
    ask_for_a_decider(dispute, at=at)
    if dispute.ruling_due_at is not None:
        ask_to_rule(dispute, at=at)
        _chase(dispute, dispute.ruling_due_at, at=at, country=country)
    elif at < dispute.pages_due_at:
        ask_for_pages(dispute, at=at)
        if company_date(dispute.pages_due_at) == company_date(at):
            _remind_of_page(dispute, at=at)


def _remind_of_page(dispute: Dispute, *, at: datetime) -> None:
    due = company_moment(dispute.pages_due_at)
    _mail(
        _but_asked_today(_owing_people(dispute, at=at), dispute, kind="dispute-page-asked", at=at),
        dispute,
        kind="dispute-page-reminder",
        subject=f"Your page on {dispute.function.name} is due today",
        paragraphs=[
            (
                f"You have not filed your page on {_where(dispute)}. It is due by {due}. One that "
                "is not filed counts as waived."
            )
        ],
        action_label="Write your page",
        reason="You are a party to the dispute.",
        at=at,
    )


def _chase(dispute: Dispute, due_at: datetime, *, at: datetime, country: str) -> None:
    due, today = company_date(due_at), company_date(at)
    if today < due:
        return
    late = business_days_between(due, today, country=country)
    step = max(one for one in CHASE_AFTER if one <= late)
    ceo = holder_of(CEO, on=today)
    if ceo is None:
        return
    when = "is due today" if step == 0 else f"is {late} business days overdue"
    if step == 0 and late > 0:
        when = f"was due on {company_moment(due_at)}"
    _mail(
        _but_asked_today([ceo.person], dispute, kind="dispute-ruling-asked", at=at),
        dispute,
        kind="dispute-ruling-reminder",
        occasion=f"{due_at.isoformat()}:{step}",
        subject=f"Your ruling on {dispute.function.name} {when}",
        paragraphs=[
            (
                f"{_capital(_where(dispute))} waits for your ruling since "
                f"{company_moment(dispute.pages_opened_at or dispute.pages_due_at)}. It was to "
                f"come by {company_moment(due_at)}."
            ),
            decider_words(dispute),
        ],
        action_label="Read the pages and rule",
        reason="You rule on the dispute.",
        at=at,
    )
