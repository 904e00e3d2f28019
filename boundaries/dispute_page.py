"""What the page of a dispute shows to each side: the same room for every party, and no page early.

Read in a number of queries that does not grow with the parties or with what was said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from functions_catalog.ownership import Answer, answer_on
from people.calendar import business_days_between, company_date, preceding_business_day
from people.models import Appointment, Person
from people.offices import CEO
from people.permissions import Act, Powers, may, powers_of
from people.queries import accounts_of, who_acts_for

from .clock import Segment, counted_days, holiday_words, labelled, left_words
from .differences import Difference, row_text_differences
from .dispute_mails import decider_because, decider_words
from .disputes import NAMED, PAGES_WITHIN, RULE_WITHIN, needed_parties
from .drafting import RowText, SubScopeText, row_text, row_text_from_json
from .models import (
    Agreement,
    Dispute,
    DisputePage,
    DisputeSettlement,
    Proposal,
    Revision,
    Ruling,
    ThreadEntry,
)
from .parties import parties_of, with_a_part
from .registry import Panel
from .states import ANSWERING, Stance
from .template import heirs, proposed_row


def readable(reader: Person, *, on: date) -> QuerySet[Dispute]:
    """The disputes that ``reader`` may read: who reads drafts reads all, others none."""
    found = Dispute.objects.select_related(
        "function", "row__function", "revision__document", "document", "opened_by", "ruling"
    )
    return found if may(reader, Act.READ_DRAFT, on=on) else found.none()


# --- The pages --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Slot:
    """One party's page as this reader sees it; ``text`` is empty while it is sealed from them."""

    office: str
    name: str  # who filed it, else who acts for the Office today
    # "filed" (open to read), "sealed" (filed, closed), "empty" (not filed yet), "editor" (the
    # reader's own, to be written), "own" (the reader's own, filed and closed), "waived"
    state: str
    text: str = ""
    filed_at: datetime | None = None
    waived_at: datetime | None = None
    saved_at: datetime | None = None

    @property
    def characters(self) -> str:
        return f"{len(self.text):,}"


def _slots(
    dispute: Dispute,
    reader: Person,
    *,
    mine: Sequence[str],
    acting: Mapping[str, Appointment],
    at: datetime,
) -> list[Slot]:
    pages = {one.office: one for one in dispute.pages.all()}
    accounts = set(accounts_of(reader)) if pages else set()
    return [
        _slot(
            dispute,
            office,
            pages.get(office),
            writes=office in mine,
            accounts=accounts,
            acting=acting,
            at=at,
        )
        for office in dispute.parties
    ]


def _slot(
    dispute: Dispute,
    office: str,
    page: DisputePage | None,
    *,
    writes: bool,
    accounts: set[int],
    acting: Mapping[str, Appointment],
    at: datetime,
) -> Slot:
    name = acting[office].person.name if office in acting else "Vacant"
    opened, filed = dispute.shows_pages(at), page is not None and page.filed_at is not None
    own = page is not None and page.person_id in accounts
    if page is not None and filed:
        text = page.text if opened or own else ""
        state = "filed" if opened else "own" if own else "sealed"
        return Slot(office, page.person_name, state, text, filed_at=page.filed_at)
    if page is not None and page.waived_at is not None:
        return Slot(office, page.person_name, "waived", waived_at=page.waived_at)
    if opened or not dispute.is_open:
        return Slot(office, name, "waived")
    if writes:
        saved = page if page is not None and own else None
        return Slot(
            office,
            name,
            "editor",
            saved.text if saved else "",
            saved_at=saved.saved_at if saved else None,
        )
    return Slot(office, name, "empty")


# --- The clock --------------------------------------------------------------------------------


@dataclass(frozen=True)
class DisputeClock:
    """The days for the pages and for the ruling, in one line."""

    segments: Sequence[Segment]
    left: str
    holidays: Sequence[str]


def dispute_clock(dispute: Dispute, *, today: date, country: str) -> DisputeClock:
    """The business days up to the ruling; projected while the pages are still to come."""
    due_pages = company_date(dispute.pages_due_at)
    pages = counted_days(due_pages, PAGES_WITHIN, country=country)
    opened = company_date(dispute.pages_opened_at) if dispute.pages_opened_at else None
    if opened is not None:
        pages = [day for day in pages if day <= opened]
    since = opened or due_pages
    ruling: list[date] = []
    day = since
    while len(ruling) < RULE_WITHIN:
        day += timedelta(days=1)
        if preceding_business_day(day, country=country) == day:
            ruling.append(day)
    last_page = "all in" if opened is not None else "pages due"
    days = [(one, last_page if one == since else "pages") for one in pages]
    days += [
        (one, f"CEO, day 1 of {RULE_WITHIN}" if number == 1 else f"day {number}")
        for number, one in enumerate(ruling, start=1)
    ]
    due = ruling[-1] if opened is not None else due_pages
    return DisputeClock(
        segments=labelled(
            days, due=due, began=company_date(dispute.opened_at), today=today, country=country
        ),
        left=left_words(due, today=today, country=country),
        holidays=holiday_words(company_date(dispute.opened_at), ruling[-1], country=country),
    )


# --- The row ----------------------------------------------------------------------------------


def text_of_answer(answer: Answer) -> RowText:
    """What look-ups answer, as a row's text."""
    return RowText(
        owner=answer.owner,
        sub_scopes=tuple(SubScopeText(one.name, one.owner, one.key) for one in answer.sub_scopes),
        scope_in=answer.scope_in,
        scope_out=answer.scope_out,
        consulted=answer.consulted,
        informed=answer.informed,
        rationale=answer.rationale,
    )


def opens_with(dispute: Dispute, *, today: date) -> tuple[RowText, Answer | None]:
    """What a ruling starts from: what is in force, else what the catalog proposes."""
    answer = answer_on(dispute.function, today)
    if answer is not None:
        return text_of_answer(answer), answer
    return proposed_row(dispute.function, heirs=heirs()), None


# --- One dispute ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Effect:
    words: str
    note: str = ""
    icon: str = "arrow-right"


@dataclass(frozen=True)
class PageOfDispute:
    """Everything that the page shows of one dispute to one reader."""

    dispute: Dispute
    phase: str  # pages, ruling, ruled, withdrawn, lapsed
    heading: str
    slots: Sequence[Slot]
    filed: int
    clock: DisputeClock | None
    took: str
    decider: str
    ceo_name: str
    in_force: Answer | None
    before: RowText
    terms: RowText | None
    differences: Sequence[Difference]
    contests: Sequence[Agreement]
    proposals: Sequence[Proposal]
    comments: int
    mine: Sequence[str]
    joined: Sequence[str]  # the reader's Offices that became a party once it was open
    may_rule: bool
    own_cause: bool
    may_name: bool
    may_settle: bool
    may_take_back: bool
    settled: Sequence[DisputeSettlement]
    all_agree: bool
    vetoed: bool
    ruling: Ruling | None = None
    effects: Sequence[Effect] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.dispute.is_open

    @property
    def decider_because(self) -> str:
        return decider_because(self.dispute)

    @property
    def sealed(self) -> RowText | None:
        """Of a dispute about what is in force that is over: the sealed text it was about."""
        if not self.dispute.in_force or self.is_open:
            return None
        return row_text(self.dispute.row)

    @property
    def opened(self) -> bool:
        return self.phase in ("ruling", "ruled") or self.dispute.pages_opened_at is not None

    @property
    def editor(self) -> bool:
        return any(one.state == "editor" for one in self.slots)

    @property
    def count_words(self) -> str:
        words = {1: "One page", 2: "Two pages", 3: "Three pages", 4: "Four pages", 5: "Five pages"}
        return words.get(len(self.slots), f"{len(self.slots)} pages")


def _phase(dispute: Dispute, at: datetime) -> str:
    if not dispute.is_open:
        return str(dispute.outcome)
    return "ruling" if dispute.shows_pages(at) else "pages"


def page_of(dispute: Dispute, reader: Person, *, at: datetime, country: str) -> PageOfDispute:
    """Read everything for the page of ``dispute`` as ``reader`` may see it at ``at``."""
    today, phase = company_date(at), _phase(dispute, at)
    powers = powers_of(reader, on=today)
    mine = [one.office.key for one in powers.by(Act.ESCALATE) if one.office.key in dispute.parties]
    acting = who_acts_for([*dispute.parties, CEO], on=today)
    slots = _slots(dispute, reader, mine=mine, acting=acting, at=at)
    ruling = dispute.ruling if dispute.outcome == Dispute.Outcome.RULED else None
    before, answer = opens_with(dispute, today=today)
    settled = list(dispute.settlements.filter(taken_back_at__isnull=True).order_by("given_at"))
    given = {one.office for one in settled}
    needed = needed_parties(dispute) if dispute.is_open else set(dispute.parties)
    is_ceo = powers.may(Act.RULE)
    name = dispute.function.name
    drafted = row_text(dispute.row)
    ceo = acting.get(CEO)
    page = PageOfDispute(
        dispute=dispute,
        phase=phase,
        heading=f"Dispute about {name}",
        slots=slots,
        filed=sum(one.filed_at is not None for one in slots),
        clock=dispute_clock(dispute, today=today, country=country) if dispute.is_open else None,
        took=_took(dispute, country=country),
        decider=decider_words(dispute),
        ceo_name=ceo.person.name if ceo else "",
        in_force=answer,
        before=before,
        terms=row_text_from_json(ruling.terms) if ruling else None,
        differences=[] if dispute.in_force else row_text_differences(before, drafted),
        contests=_contests(dispute),
        proposals=_proposals(dispute),
        comments=_comments(dispute),
        mine=mine,
        joined=_joined(dispute, powers),
        may_rule=is_ceo and phase == "ruling",
        own_cause=is_ceo and _took_part(dispute, reader),
        may_name=is_ceo and dispute.is_open and dispute.interim_because in ("", NAMED),
        may_settle=dispute.is_open and bool(mine) and (bool(set(mine) - given) or given >= needed),
        may_take_back=dispute.is_open and bool(set(mine) & given),
        settled=settled,
        all_agree=_all_agree(dispute, needed),
        vetoed=not dispute.in_force
        and dispute.row.vetoes.filter(lifted_at__isnull=True, ordered_at__isnull=True).exists(),
        ruling=ruling,
    )
    return _worded(page)


def _worded(page: PageOfDispute) -> PageOfDispute:
    name = page.dispute.function.name
    if page.may_rule and not page.own_cause:
        return replace(page, heading=f"Rule on {name}", effects=effects(page))
    if page.editor:
        return replace(page, heading=f"Write your page on {name}")
    return page


def _joined(dispute: Dispute, powers: Powers) -> list[str]:
    """The reader's Offices that are a party to the draft today and none of the dispute."""
    others = [
        one.office.key for one in powers.by(Act.ESCALATE) if one.office.key not in dispute.parties
    ]
    if not others or not dispute.is_open:
        return []
    parties = parties_of(dispute.revision)
    return [key for key in others if key in parties]


def _took_part(dispute: Dispute, reader: Person) -> bool:
    accounts = set(accounts_of(reader))
    writers = {one.person_id for one in dispute.pages.all()}
    return bool(accounts & (writers | {dispute.opened_by_id}))


def _took(dispute: Dispute, *, country: str) -> str:
    """ "7 business days from raised to decided": what a stopped clock says."""
    if dispute.ended_at is None:
        return ""
    days = business_days_between(
        company_date(dispute.opened_at), company_date(dispute.ended_at), country=country
    )
    ended = "decided" if dispute.outcome == Dispute.Outcome.RULED else "ended"
    return f"{days} business day{'' if days == 1 else 's'} from raised to {ended}"


def _contests(dispute: Dispute) -> list[Agreement]:
    """What was said against the row when it was escalated."""
    if dispute.in_force:
        return []
    stood = Q(withdrawn_at__isnull=True) | Q(withdrawn_at__gte=dispute.opened_at)
    found = Agreement.objects.filter(
        stood, row=dispute.row_id, stance=Stance.CONTESTED, given_at__lte=dispute.opened_at
    )
    order = {key: place for place, key in enumerate(dispute.parties)}
    return sorted(found, key=lambda one: order.get(one.office, 99))


def _proposals(dispute: Dispute) -> list[Proposal]:
    if dispute.in_force:
        return []
    found = Proposal.objects.filter(
        entry__row=dispute.row_id, entry__written_at__lte=dispute.opened_at
    )
    return list(found.select_related("entry").order_by("entry__written_at"))


def _comments(dispute: Dispute) -> int:
    return ThreadEntry.objects.filter(
        row=dispute.row_id, kind=ThreadEntry.Kind.COMMENT, written_at__lte=dispute.opened_at
    ).count()


def _all_agree(dispute: Dispute, needed: set[str]) -> bool:
    """Whether every party has agreed to the draft's row as it stands: then they may withdraw."""
    if dispute.in_force or not dispute.is_open:
        return False
    agreed = Agreement.objects.filter(
        row=dispute.row_id,
        clause_version=dispute.row.version,
        stance=Stance.AGREED,
        withdrawn_at__isnull=True,
    )
    return needed <= set(agreed.values_list("office", flat=True))


def effects(page: PageOfDispute) -> list[Effect]:
    """What the ruling will do, as it stands beside the button."""
    dispute, row = page.dispute, page.dispute.row
    told = Effect("All parties and the RevOps Lead are told by mail", icon="mail")
    kept = Effect(
        "The ruling and the pages stay as they are",
        "Nobody edits them later; the audit log commits to them",
        icon="lock",
    )
    if dispute.in_force:
        return [
            Effect(
                "It binds from today as an interim decision",
                f"Look-ups answer by it, beside the sealed text of {dispute.revision.reference}",
            ),
            Effect(
                f"Row {row.reference} of the next draft takes these terms",
                "Counts as agreed by all and is locked to them",
            ),
            Effect(
                "Who gains gets the function today, who loses gives it up",
                "The sealed text itself does not change",
            ),
            kept,
            told,
        ]
    number = dispute.revision.number
    rules = f"v{page.in_force.revision_number} rules" if page.in_force else "Nothing rules it"
    return [
        Effect(
            f"Row {row.reference} of draft v{number} takes these terms",
            "Counts as agreed by all and is locked to them",
        ),
        Effect(
            f"Its owner changes on the day v{number} comes into force",
            f"{rules} until then",
        ),
        Effect(
            f"This dispute no longer blocks freezing draft v{number}",
            "A CFO veto, or another open row, still does",
        ),
        kept,
        told,
    ]


# --- Lists and panels -------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """A dispute in the list: where it stands, and by when what is due."""

    dispute: Dispute
    words: str
    due_at: datetime | None
    late: bool


def line(dispute: Dispute, *, at: datetime) -> Line:
    match _phase(dispute, at):
        case "pages":
            return Line(dispute, "Pages", dispute.pages_due_at, late=False)
        case "ruling":
            due = dispute.ruling_due_at
            return Line(dispute, "CEO rules", due, late=due is not None and at > due)
        case _:
            return Line(dispute, dispute.get_outcome_display(), None, late=False)


def interim_decisions(revision: Revision) -> list[Ruling]:
    """The interim decisions that stand beside a Revision in force, in the order of its rows."""
    if revision.state not in ANSWERING:
        return []
    found = Ruling.objects.filter(
        dispute__document=revision.document_id,
        interim_from__isnull=False,
        interim_until__isnull=True,
    )
    return list(
        found.select_related("dispute__function", "dispute__row").order_by("dispute__row__position")
    )


def disputes_in_force(revision: Revision) -> list[Dispute]:
    """The open disputes about what is in force, of the document of ``revision``."""
    found = Dispute.objects.filter(
        document=revision.document_id, in_force=True, outcome=Dispute.Outcome.OPEN
    )
    return list(found.select_related("function", "row").order_by("row__position"))


def panel(revision: Revision, reader: Person) -> Sequence[Panel]:
    """Beside what is in force: interim decisions and open disputes about it."""
    if revision.state not in ANSWERING:
        return []
    context = {
        "rulings": interim_decisions(revision),
        "disputes": disputes_in_force(revision),
        "revision": revision,
        **_readers_part(revision, reader),
    }
    return [Panel("boundaries/_disputes_panel.html", context)]


def _readers_part(revision: Revision, reader: Person) -> dict[str, bool]:
    powers = powers_of(reader, on=company_date(timezone.now()))
    held = with_a_part(
        powers.by(Act.ESCALATE), Act.ESCALATE, revision, parties=parties_of(revision)
    )
    return {"reads": powers.may(Act.READ_DRAFT), "may_escalate": bool(held)}


def beside_the_text(revision: Revision, reader: Person) -> dict[str, Any]:
    """For the page of the sealed text: what stands beside its rows, by function key."""
    if revision.state not in ANSWERING:
        return {}
    beside: dict[str, dict[str, Any]] = {}
    for ruling in interim_decisions(revision):
        beside[ruling.dispute.function.key] = {
            "ruling": ruling,
            "terms": row_text_from_json(ruling.terms),
        }
    for dispute in disputes_in_force(revision):
        beside.setdefault(dispute.function.key, {})["dispute"] = dispute
    part = _readers_part(revision, reader)
    return {
        "beside": beside,
        "reads_disputes": part["reads"],
        "may_escalate": part["may_escalate"],
    }
