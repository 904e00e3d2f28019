"""Reminding whoever a document waits for: after 2, 5 and 10 business days, then the CEO.

A party owes its signature on frozen text, and its answer to what stands in a draft; the CEO owes
the approval, the RevOps Lead the acknowledgement. A draft that all have agreed to waits for
whoever may freeze it. Each is reminded in their own working hours, on their own clock: who takes
an Office over gets the full time. A step that was missed is not made up for once a later one has
come, and the keys of the mails see to it that nobody hears the same twice, however often the sweep
runs.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial

from django.db import transaction

from notifications.mail import queue
from notifications.models import OutgoingMail
from people.calendar import (
    business_days_between,
    company_country,
    company_date,
    in_working_hours,
    zone_of,
)
from people.models import Appointment, Office, Person
from people.offices import CEO, HYBRID, REVOPS_LEAD, office_short
from people.permissions import MATRIX, PARTIES, Act
from people.queries import who_acts_for
from people.templatetags.speech import day_words

from .blockers import Blocker, blockers
from .disputes import open_disputes
from .drafting import RowText, row_text, row_text_from_json
from .holders import came_to_count_at, ceos
from .models import Agreement, Article, EarlierText, Freeze, Revision, Row
from .parties import Absence, absences, parties_of, party_offices
from .standing import ClauseStanding, standings
from .states import ANSWERING, ClauseState, Stance, State

# business days after which whoever it waits for is reminded; after the last, the CEO hears of it
STEPS = (2, 5, 10)
# A mail names this many rows and counts the rest.
NAMED = 12
_HOW_CONTESTS_END = (
    "What is contested ends when whoever contests it agrees, to the text as it stands or to "
    "another. A party may also escalate a contested row: then the CEO rules."
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Sweep:
    """One run: when it is, and what every reminder of it asks."""

    at: datetime
    today: date
    country: str

    def days_since(self, since: date) -> int:
        return business_days_between(since, self.today, country=self.country)

    def step(self, since: date) -> int | None:
        """The latest step that has come; None before the first."""
        past = [step for step in STEPS if step <= self.days_since(since)]
        return past[-1] if past else None

    def is_stalled(self, since: date) -> bool:
        """Whether the day after the last step has come: then the CEO hears of it."""
        return self.days_since(since) > STEPS[-1]

    def reaches(self, person: Person) -> bool:
        return in_working_hours(self.at, zone=zone_of(person), country=self.country)


def remind_waiting(*, at: datetime) -> None:
    """Queue every reminder whose time has come, whatever a document waits for. The sweep.

    One document that fails keeps no other waiting.
    """
    sweep = _Sweep(at, company_date(at), company_country())
    frozen = Freeze.objects.filter(
        voided_at__isnull=True, revision__state__in=[State.COSIGNING, State.AWAITING_APPROVAL]
    ).select_related("revision__document")
    for freeze in frozen:
        awaits = freeze.revision.state == State.AWAITING_APPROVAL
        remind = _remind_of_approval if awaits else _remind_of_signatures
        _alone(freeze.revision, partial(remind, freeze, sweep))
    for draft in Revision.objects.filter(state=State.DRAFT).select_related("document"):
        _alone(draft, partial(_remind_of_draft, draft, sweep))
    unread = Revision.objects.filter(
        state__in=ANSWERING,
        acknowledgement_due_date__isnull=False,
        in_force_from__isnull=False,
        acknowledgement__isnull=True,
    )
    for revision in unread.select_related("document"):
        _alone(revision, partial(_remind_of_acknowledgement, revision, sweep))


def _alone(revision: Revision, remind: Callable[[], None]) -> None:
    try:
        with transaction.atomic():
            remind()
    except Exception:
        # The next sweep tries again; somebody has to see why.
        log.exception("%s: its reminders failed", revision)


def _owed_since(appointment: Appointment | None, since: date) -> date:
    """Who took the Office over has owed it since then; a vacant Office owes it all along."""
    if appointment is None:
        return since
    return max(since, company_date(came_to_count_at(appointment)))


def _waited(revision: Revision, since: date, sweep: _Sweep) -> str:
    days = sweep.days_since(since)
    return (
        f"{revision.document.title}, version {revision.number}, has waited {days} business days, "
        f"since {day_words(since)}."
    )


def _queue(
    to: Person,
    revision: Revision,
    sweep: _Sweep,
    *,
    kind: str,
    occasion: str,
    subject: str,
    paragraphs: Sequence[str],
    action: tuple[str, str],
    reason: str,
    rows: Sequence[Mapping[str, str]] = (),
) -> None:
    label, page = action
    queue(
        to=to,
        kind=kind,
        key=f"{kind}:{revision.reference}:{occasion}:{to.pk}",
        subject=subject,
        template="notice",
        context={
            "paragraphs": paragraphs,
            "rows": rows,
            "action_label": label,
            "action_path": revision.get_absolute_url() + page,
            "reason": reason,
        },
        at=sweep.at,
    )


# --- The CEO hears of each thing once -----------------------------------------------------------


def _news_to_ceo(
    ceo: Person, kind: str, revision: Revision, things: Iterable[str], *, before: str = ""
) -> list[str]:
    """Those of ``things`` (short names without "+") that this CEO was not told of yet.

    They stand in the keys of the mails: "signature-stalled:NC-RB-4:freeze-1:7+9:34".
    """
    prefix = f"{kind}:{revision.reference}:{before}"
    told = {
        thing
        for key in OutgoingMail.objects.filter(
            kind=kind, person=ceo, key__startswith=prefix
        ).values_list("key", flat=True)
        for thing in key.removeprefix(prefix).rpartition(":")[0].split("+")
    }
    return [thing for thing in things if thing not in told]


# --- Frozen text --------------------------------------------------------------------------------


def _remind_of_approval(freeze: Freeze, sweep: _Sweep) -> None:
    revision = freeze.revision
    ceo = who_acts_for([CEO], on=sweep.today).get(CEO)
    if ceo is None or not sweep.reaches(ceo.person):
        return
    asked = company_date(revision.state_since)
    since = _owed_since(ceo, asked)
    step = sweep.step(since)
    if step is not None:
        _queue(
            ceo.person,
            revision,
            sweep,
            kind="waiting-reminder",
            occasion=f"freeze-{freeze.number}:approval:{step}",
            subject=f"{revision.reference} still waits for your approval",
            paragraphs=[_waited(revision, asked, sweep), "All parties have signed it."],
            action=(f"Read version {revision.number}", "approve/"),
            reason=f"{revision.reference} cannot go on without your approval.",
        )


def _remind_of_signatures(freeze: Freeze, sweep: _Sweep) -> None:
    revision = freeze.revision
    asked = company_date(revision.state_since)
    signed = set(
        revision.signatures.filter(voided_at__isnull=True).values_list("office", flat=True)
    )
    owing = [key for key in parties_of(revision) if key not in signed]
    missing = [one for one in absences() if one.office.key in owing]
    if missing:
        _say_that_nobody_can_sign(freeze, missing, asked, sweep)
        return
    holders = who_acts_for([*owing, CEO], on=sweep.today)
    since = {key: _owed_since(holders.get(key), asked) for key in owing}
    approving = ceos(sweep.today)
    for person, offices in _by_person(holders, owing):
        if person.human_id in approving:
            continue  # was asked for a stand-in; who approves signs for no party
        step = sweep.step(min(since[key] for key in offices))
        if step is None or not sweep.reaches(person):
            continue
        _queue(
            person,
            revision,
            sweep,
            kind="waiting-reminder",
            occasion=f"freeze-{freeze.number}:cosigning:{step}",
            subject=f"{revision.reference} still waits for your signature",
            paragraphs=[
                _waited(revision, asked, sweep),
                "Sign it, or say why you cannot: it then goes back to draft with your reason.",
            ],
            action=(f"Read version {revision.number}", "sign/"),
            reason=f"{revision.reference} cannot go on without your signature.",
        )
    _tell_ceo_of_signatures(freeze, [key for key in owing if sweep.is_stalled(since[key])], sweep)


def _tell_ceo_of_signatures(freeze: Freeze, stalled: Sequence[str], sweep: _Sweep) -> None:
    revision, holders = freeze.revision, who_acts_for([*stalled, CEO], on=sweep.today)
    ceo = holders.get(CEO)
    if not stalled or ceo is None or not sweep.reaches(ceo.person):
        return
    ids = dict(Office.objects.filter(key__in=stalled).values_list("key", "pk"))
    by_id = {str(ids[key]): key for key in stalled}
    before = f"freeze-{freeze.number}:"
    new = _news_to_ceo(ceo.person, "signature-stalled", revision, by_id, before=before)
    if not new:
        return
    short = ", ".join(office_short(by_id[one]) for one in new)
    _queue(
        ceo.person,
        revision,
        sweep,
        kind="signature-stalled",
        occasion=f"{before}{'+'.join(new)}",
        subject=f"{revision.reference} stalls: {short} not signed",
        paragraphs=[
            (
                f"{_waited(revision, company_date(revision.state_since), sweep)} These signatures "
                f"are missing: {short}. Whoever holds the Office was reminded after {STEPS[0]}, "
                f"{STEPS[1]} and {STEPS[2]} business days."
            ),
        ],
        rows=[
            {
                "title": f"The {office_short(by_id[one])}",
                "note": holders[by_id[one]].person.name
                if by_id[one] in holders
                else "The Office is vacant: have the Corporate Secretary record its holder",
                "aside": "not signed",
            }
            for one in new
        ],
        action=("See where it stands", ""),
        reason="A stalled signature comes to the CEO.",
    )


def _say_that_nobody_can_sign(
    freeze: Freeze, missing: Sequence[Absence], asked: date, sweep: _Sweep
) -> None:
    """The company no longer has a party that owes its signature: ask a party to return it."""
    revision = freeze.revision
    parties = party_offices(revision)
    holders = who_acts_for(parties, on=sweep.today)
    for person, offices in _by_person(holders, parties):
        step = sweep.step(min(_owed_since(holders[key], asked) for key in offices))
        if step is None or not sweep.reaches(person):
            continue
        _queue(
            person,
            revision,
            sweep,
            kind="cannot-be-signed",
            occasion=f"freeze-{freeze.number}:{step}",
            subject=f"{revision.reference} cannot be signed as it is frozen",
            paragraphs=[
                _waited(revision, asked, sweep),
                (
                    f"{' '.join(f'{one.words}.' for one in missing)} Nobody can sign for it. "
                    "Decline to send the text back to draft: frozen anew, it names the parties of "
                    "that day."
                ),
            ],
            action=("Send it back to draft", "decline/"),
            reason=f"You are a party to {revision.document.number}.",
        )


def _by_person(
    holders: Mapping[str, Appointment], offices: Sequence[str]
) -> list[tuple[Person, list[str]]]:
    """Each person who acts for some of ``offices``, with these Offices; vacant ones left out."""
    found: dict[int, tuple[Person, list[str]]] = {}
    for key in offices:
        if key in holders:
            person = holders[key].person
            found.setdefault(person.pk, (person, []))[1].append(key)
    return list(found.values())


# --- Drafts -------------------------------------------------------------------------------------

# What asks a party for its agreement.
_WAITING = ("waiting", "voided", "carried", "predecessor")


@dataclass
class _Owed:
    """What one Office owes to a draft, the oldest first, on the clock of who acts for it."""

    office: str
    clauses: list[tuple[date, ClauseStanding]] = field(default_factory=list)

    @property
    def since(self) -> date:
        return self.clauses[0][0]


def _owed_in_draft(
    draft: Revision, parties: Sequence[str], every: Sequence[ClauseStanding], sweep: _Sweep
) -> list[_Owed]:
    """What each party has to agree to, to confirm or to settle, and since when. A few queries.

    A contest waits for all parties: whoever contests may agree, the others edit, each escalate. A
    veto and a dispute have clocks and mails of their own.
    """
    holders = who_acts_for(parties, on=sweep.today)
    ended, contested = _agreements_ended(draft), _contested_since(draft)
    became = _became_parties(draft, parties)
    disputed = open_disputes(draft)
    open_ones = [
        one
        for one in every
        if not one.is_vetoed and not (isinstance(one.clause, Row) and one.clause.pk in disputed)
    ]
    found = []
    for office in parties:
        party_since = company_date(became.get(office, draft.opened_at))
        mine = []
        for one in open_ones:
            stance = one.stance_of(office)
            if stance is not None and stance.state in _WAITING:
                began = _waits_since(one, office, party_since, ended)
            elif one.contested_by:
                began = max(party_since, company_date(contested[_key(one.clause, "")]))
            else:
                continue
            mine.append((_owed_since(holders.get(office), began), one))
        if mine:
            found.append(_Owed(office, sorted(mine, key=lambda pair: pair[0])))
    return found


def _became_parties(draft: Revision, parties: Sequence[str]) -> dict[str, datetime]:
    """Since when each further Office has owned something of the draft: before, it owed nothing."""
    further = {key for key in parties if key not in PARTIES}
    found: dict[str, datetime] = {}
    if not further:
        return found
    earlier: dict[int | None, list[EarlierText]] = {}
    texts = EarlierText.objects.filter(revision=draft, row__isnull=False)
    for one in texts.order_by("-version"):
        earlier.setdefault(one.row_id, []).append(one)
    for row in draft.rows.prefetch_related("sub_scopes"):
        for office in further & _owners(row_text(row)):
            since = row.changed_at or draft.opened_at
            for one in earlier.get(row.pk, ()):
                if office not in _owners(row_text_from_json(one.text)):
                    break
                since = one.written_at or draft.opened_at
            found[office] = min(found.get(office, since), since)
    return found


def _owners(text: RowText) -> set[str]:
    return {one.owner for one in text.sub_scopes} if text.owner == HYBRID else {text.owner}


Key = tuple[str, int, str]  # "row" | "article", its id, the Office


def _key(clause: Row | Article, office: str) -> Key:
    return ("row" if isinstance(clause, Row) else "article", clause.pk, office)


def _agreements_ended(draft: Revision) -> dict[Key, datetime]:
    """When each Office's last agreement to a clause ended: from then on it waits for another."""
    found: dict[Key, datetime] = {}
    ended = Agreement.objects.filter(
        revision=draft, stance=Stance.AGREED, withdrawn_at__isnull=False
    ).values_list("row_id", "article_id", "office", "withdrawn_at")
    for row_id, article_id, office, at in ended:
        key = ("row", row_id, office) if row_id else ("article", article_id, office)
        assert key[1] is not None and at is not None  # noqa: S101 - one is set; filtered on at
        found[key] = max(found.get(key, at), at)
    return found


def _contested_since(draft: Revision) -> dict[Key, datetime]:
    """When each contested clause was last contested, by ``_key`` of no Office in particular."""
    found: dict[Key, datetime] = {}
    standing = Agreement.objects.filter(
        revision=draft, stance=Stance.CONTESTED, withdrawn_at__isnull=True
    ).values_list("row_id", "article_id", "given_at")
    for row_id, article_id, at in standing:
        key = ("row", row_id, "") if row_id else ("article", article_id, "")
        assert key[1] is not None  # noqa: S101 - the check constraint says one of them is set
        found[key] = max(found.get(key, at), at)
    return found


def _waits_since(
    one: ClauseStanding, office: str, party_since: date, ended: Mapping[Key, datetime]
) -> date:
    """The day since which this text waits for this Office, whoever holds it."""
    moments = [one.clause.changed_at, ended.get(_key(one.clause, office))]
    return max([party_since, *(company_date(at) for at in moments if at is not None)])


def _remind_of_draft(draft: Revision, sweep: _Sweep) -> None:
    if sweep.days_since(company_date(draft.opened_at)) < STEPS[0]:
        return
    parties = party_offices(draft)
    every = standings(draft, parties=parties, today=sweep.today)
    owed = _owed_in_draft(draft, parties, every, sweep)
    if not owed:
        if all(one.state == ClauseState.AGREED for one in every):
            _remind_to_freeze(draft, parties, every, sweep)
        return
    by_office = {one.office: one for one in owed}
    holders = who_acts_for([*by_office, CEO], on=sweep.today)
    approving = ceos(sweep.today)
    for person, offices in _by_person(holders, list(by_office)):
        if person.human_id not in approving and sweep.reaches(person):
            _remind_party(draft, person, [by_office[key] for key in offices], sweep)
    stalled = [one for one in owed if sweep.is_stalled(one.since)]
    if stalled and CEO in holders and sweep.reaches(holders[CEO].person):
        _tell_ceo_of_draft(draft, holders[CEO].person, stalled, holders, sweep)


def _remind_party(draft: Revision, person: Person, owed: Sequence[_Owed], sweep: _Sweep) -> None:
    since = min(one.since for one in owed)
    step = sweep.step(since)
    if step is None or _reminded_lately(draft, person, sweep):
        return
    waiting = {one.clause: (day, one) for its in owed for day, one in reversed(its.clauses)}
    clauses = list(waiting)
    what = _counted(clauses)
    _queue(
        person,
        draft,
        sweep,
        kind="draft-reminder",
        occasion=f"{since:%Y%m%d}:{step}",
        subject=f"{draft.reference}: {what} {'waits' if len(clauses) == 1 else 'wait'} for you",
        paragraphs=[
            (
                f"In the draft of {draft.document.title}, version {draft.number}, {what} "
                f"{'waits' if len(clauses) == 1 else 'wait'} for you, the oldest since "
                f"{day_words(since)}. Agree, edit, or contest with a reason: until all parties "
                "have agreed, nobody can freeze it."
            ),
            *([_HOW_CONTESTS_END] if any(one.contested_by for _, one in waiting.values()) else []),
        ],
        rows=_lines([(day, one, "") for day, one in waiting.values()]),
        action=("Open the draft", ""),
        reason=f"You are a party to {draft.document.number}.",
    )


def _reminded_lately(draft: Revision, person: Person, sweep: _Sweep) -> bool:
    """Whether this person heard of this draft less than two business days ago.

    Each row has its own clock: without this, rows of five days would bring five mails.
    """
    last = (
        OutgoingMail.objects.filter(
            kind="draft-reminder",
            person=person,
            key__startswith=f"draft-reminder:{draft.reference}:",
        )
        .order_by("-created_at")
        .values_list("created_at", flat=True)
        .first()
    )
    return last is not None and sweep.days_since(company_date(last)) < STEPS[0]


def _tell_ceo_of_draft(
    draft: Revision,
    ceo: Person,
    stalled: Sequence[_Owed],
    holders: Mapping[str, Appointment],
    sweep: _Sweep,
) -> None:
    """The CEO hears once per Office and stall which rows wait, and for whom."""
    ids = dict(
        Office.objects.filter(key__in=[one.office for one in stalled]).values_list("key", "pk")
    )
    things = {f"{ids[one.office]}@{one.since:%Y%m%d}": one for one in stalled}
    new = _news_to_ceo(ceo, "draft-stalled", draft, things)
    if not new:
        return
    told = [things[one] for one in new]
    short = ", ".join(office_short(one.office) for one in told)
    waiting = [
        (day, standing, f"{office_short(one.office)}, {_name(holders.get(one.office))}")
        for one in told
        for day, standing in one.clauses
        if sweep.is_stalled(day)
    ]
    what = _counted(list(dict.fromkeys(standing.clause for _, standing, _ in waiting)))
    _queue(
        ceo,
        draft,
        sweep,
        kind="draft-stalled",
        occasion="+".join(new),
        subject=f"{draft.reference} stalls in draft: it waits for the {short}",
        paragraphs=[
            (
                f"{draft.document.title}, version {draft.number}: {what} "
                f"{'has' if what.startswith('1 ') and ' and ' not in what else 'have'} waited for "
                f"more than {STEPS[-1]} business days. The parties were reminded after "
                f"{STEPS[0]}, {STEPS[1]} and {STEPS[2]}."
            )
        ],
        rows=_lines(waiting),
        action=("See what still blocks it", ""),
        reason="A stalled draft comes to the CEO.",
    )


def _name(holder: Appointment | None) -> str:
    return holder.person.name if holder else "vacant"


def _counted(clauses: Sequence[Row | Article]) -> str:
    """ "3 rows and 1 article"."""
    rows = sum(isinstance(one, Row) for one in clauses)
    articles = len(clauses) - rows
    parts = [
        f"{count} {word}{'' if count == 1 else 's'}"
        for count, word in ((rows, "row"), (articles, "article"))
        if count
    ]
    return " and ".join(parts)


def _lines(waiting: Iterable[tuple[date, ClauseStanding, str]]) -> list[dict[str, str]]:
    """One line each, the oldest first; those beyond ``NAMED`` are counted."""
    waiting = sorted(waiting, key=lambda one: one[0])
    lines = [
        {
            "title": str(one.clause),
            "note": f"since {day_words(day)}" + (f", for the {whom}" if whom else ""),
            "aside": "contested" if one.contested_by else "",
        }
        for day, one, whom in waiting[:NAMED]
    ]
    if len(waiting) > NAMED:
        lines.append({"title": f"And {len(waiting) - NAMED} more", "note": "", "aside": ""})
    return lines


# --- Agreed and not frozen ----------------------------------------------------------------------


def _agreed_since(draft: Revision, every: Sequence[ClauseStanding]) -> date:
    """The day on which the last thing happened that kept the draft from being agreed by all."""
    moments = [draft.state_since, *(one.clause.changed_at for one in every)]
    moments += draft.agreements.values_list("given_at", flat=True)
    for ended in draft.vetoes.values_list("lifted_at", "ordered_at"):
        moments += ended
    moments += draft.disputes.values_list("ended_at", flat=True)
    return company_date(max(at for at in moments if at is not None))


def _remind_to_freeze(
    draft: Revision, parties: Sequence[str], every: Sequence[ClauseStanding], sweep: _Sweep
) -> None:
    """All have agreed: it waits for whoever may freeze it, or may settle what still blocks that."""
    asked = _agreed_since(draft, every)
    if sweep.days_since(asked) < STEPS[0]:
        return
    found = blockers(draft, parties=parties, today=sweep.today, every=every)
    freezing = [*parties, *sorted(MATRIX[Act.FREEZE] - PARTIES)]
    holders = who_acts_for([*freezing, CEO], on=sweep.today)
    approving = ceos(sweep.today)
    for person, offices in _by_person(holders, freezing):
        since = min(_owed_since(holders[key], asked) for key in offices)
        step = sweep.step(since)
        if step is None or person.human_id in approving or not sweep.reaches(person):
            continue
        _queue(
            person,
            draft,
            sweep,
            kind="freeze-reminder",
            occasion=f"{since:%Y%m%d}:{step}",
            subject=f"{draft.reference} is agreed by all and waits to be frozen",
            paragraphs=[_agreed_words(draft, asked), _freeze_words(found)],
            rows=_blocker_lines(found),
            action=("Open the draft", ""),
            reason="You may freeze it.",
        )
    if sweep.is_stalled(asked) and CEO in holders and sweep.reaches(holders[CEO].person):
        _queue(
            holders[CEO].person,
            draft,
            sweep,
            kind="freeze-stalled",
            occasion=f"{asked:%Y%m%d}",
            subject=f"{draft.reference} stalls: agreed by all and not frozen",
            paragraphs=[
                (
                    f"{_agreed_words(draft, asked)} Nobody has frozen it for more than {STEPS[-1]} "
                    "business days, so nobody can sign it. Its parties and the Corporate Secretary "
                    "may freeze it."
                )
            ],
            rows=_blocker_lines(found),
            action=("See what still blocks it", ""),
            reason="A stalled draft comes to the CEO.",
        )


def _agreed_words(draft: Revision, since: date) -> str:
    return (
        f"All parties have agreed to all of {draft.document.title}, version {draft.number}, since "
        f"{day_words(since)}."
    )


def _freeze_words(found: Sequence[Blocker]) -> str:
    if not found:
        return "Nothing blocks it: freeze it, and the parties are asked for their signatures."
    count = f"{len(found)} thing{'' if len(found) == 1 else 's'}"
    return f"{count} must be settled first; then it can be frozen and signed."


def _blocker_lines(found: Sequence[Blocker]) -> list[dict[str, str]]:
    lines = [{"title": one.title, "note": one.detail, "aside": ""} for one in found[:NAMED]]
    if len(found) > NAMED:
        lines.append({"title": f"And {len(found) - NAMED} more", "note": "", "aside": ""})
    return lines


# --- In force and not acknowledged --------------------------------------------------------------


def _remind_of_acknowledgement(revision: Revision, sweep: _Sweep) -> None:
    """The RevOps Lead owes the acknowledgement with the plan; then the CEO hears that none came."""
    assert revision.in_force_from is not None  # noqa: S101 - filtered on it
    assert revision.acknowledgement_due_date is not None  # noqa: S101 - filtered on it
    asked, due = company_date(revision.in_force_from), revision.acknowledgement_due_date
    holders = who_acts_for([REVOPS_LEAD, CEO], on=sweep.today)
    lead, ceo = holders.get(REVOPS_LEAD), holders.get(CEO)
    since = _owed_since(lead, asked)
    step = sweep.step(since)
    what = f"{revision.document.title}, version {revision.number},"
    if lead is not None and step is not None and sweep.reaches(lead.person):
        _queue(
            lead.person,
            revision,
            sweep,
            kind="acknowledgement-reminder",
            occasion=f"{since:%Y%m%d}:{step}",
            subject=f"{revision.reference} waits for your acknowledgement",
            paragraphs=[
                (
                    f"{what} has been in force since {day_words(asked)} and changed who owns "
                    "what. Acknowledge it with your execution plan: it was asked for by "
                    f"{day_words(due)}."
                )
            ],
            action=("Write the execution plan", "acknowledge/"),
            reason="You are the RevOps Lead.",
        )
    if sweep.is_stalled(since) and ceo is not None and sweep.reaches(ceo.person):
        who = (
            f"{lead.person.name}, {lead.title}, has not acknowledged it"
            if lead is not None
            else "The Office of the RevOps Lead is vacant, so nobody acknowledges it"
        )
        _queue(
            ceo.person,
            revision,
            sweep,
            kind="acknowledgement-overdue",
            occasion=f"{since:%Y%m%d}",
            subject=f"{revision.reference} is in force and not acknowledged",
            paragraphs=[
                (
                    f"{what} changed who owns what on {day_words(asked)}. {who}: the execution "
                    f"plan was asked for by {day_words(due)}."
                )
            ],
            action=("Read what is in force", ""),
            reason="What is not acknowledged in time comes to the CEO.",
        )
