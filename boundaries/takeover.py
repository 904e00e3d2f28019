"""What the page of a change of hands shows: what the successor owns, what was signed, what is open.

Read from the frozen text and what stands today, in a number of queries that does not grow with the
rows of the document.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import BooleanField, Case, Q, QuerySet, Value, When

from people.models import Appointment, Office, Person
from people.offices import CEO, COO, CRO, REVOPS_LEAD, office_short
from people.permissions import Act, entitling_appointments, may
from people.queries import accounts_of, who_acts_for
from people.templatetags.speech import day_words

from . import content as contents
from .agreeing import to_confirm
from .clock import Clock, clock
from .holders import Holders, ceos
from .models import Acknowledgement, Agreement, Milestone, Revision, Row, Signature, Succession
from .parties import parties_of
from .standing import is_predecessors
from .states import ANSWERING, Stance, State
from .succession import ANSWER_WITHIN, Standing, signature_taken_over, standing_of, why_ended

SHOWN = 5  # milestones, contests: the pages behind the links have them all


# --- Which there are --------------------------------------------------------------------------


def readable(reader: Person, *, on: date) -> QuerySet[Succession]:
    """The Successions that ``reader`` may read: who reads drafts reads all, others their own.

    A wish is the beginning of a draft, so the same readers see it.
    """
    found = Succession.objects.select_related(
        "revision__document", "appointment__person", "appointment__office", "amendment__document"
    )
    if may(reader, Act.READ_DRAFT, on=on):
        return found
    return found.filter(appointment__person__in=accounts_of(reader))


def listed(reader: Person, *, on: date) -> QuerySet[Succession]:
    """The same in order: what waits for an answer first, by its due date; then the newest."""
    waiting = When(
        answer="",
        revision__state__in=ANSWERING,
        appointment__in=Appointment.objects.on(on),
        then=Value(True),
    )
    return (
        readable(reader, on=on)
        .annotate(is_open=Case(waiting, default=Value(False), output_field=BooleanField()))
        .order_by(
            "-is_open",
            Case(When(is_open=True, then="due_date")),
            "-began_at",
            "-pk",
        )
    )


def waiting_for(reader: Person, *, on: date) -> list[Succession]:
    """What waits for the answer of ``reader``, as successor or as their stand-in."""
    held = {one.office.key: one for one in entitling_appointments(reader, Act.AGREE, on=on)}
    if not held:
        return []
    return [
        one
        for one in Succession.objects.waiting(on).filter(office__in=held)
        if held[one.office].acting
        or held[one.office].person.human_id == one.appointment.person.human_id
    ]


def answer_words(succession: Succession, *, today: date) -> str:
    """What became of it, for everybody who reads what is in force: never the wish itself."""
    name = succession.appointment.person.name
    match standing_of(succession, today=today):
        case Standing.OPEN:
            return f"{name} answers for it by {day_words(succession.due_date)}."
        case Standing.ENDED:
            return ""
        case answered:
            assert succession.answered_at is not None  # noqa: S101 - the check constraint says so
            what = (
                "acknowledged it" if answered == Standing.ACKNOWLEDGED else "asked for an amendment"
            )
            return f"{succession.answered_by_name} {what}."


def answers_by_office(revision: Revision, *, today: date) -> Mapping[str, str]:
    """The words beside each signature of a Revision that a predecessor gave."""
    found = revision.successions.select_related("appointment__person", "appointment__office")
    words: dict[str, str] = {}
    for one in found.order_by("began_at", "pk"):
        one.revision = revision
        words[one.office] = answer_words(one, today=today)
    return words


# --- One of them ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Owned:
    """A function that is the Office's alone."""

    reference: str
    name: str
    scope_in: str
    scope_out: str


@dataclass(frozen=True)
class OwnedPart:
    """A part of a split function; ``others`` are the parts that are not the Office's."""

    reference: str
    name: str
    parts: Sequence[str]
    others: Sequence[tuple[str, str]]  # name, Office key


@dataclass(frozen=True)
class ToConfirm:
    """The agreements in one draft that wait for the successor."""

    draft: Revision
    given_by: str
    given_at: datetime
    clauses: Sequence[str]
    tokens: Sequence[str]

    @property
    def count(self) -> int:
        return len(self.clauses)


@dataclass(frozen=True)
class OpenItem:
    """One thing that is open: what, until when, and where it is."""

    text: str
    url: str
    aside: str = ""
    note: str = ""
    icon: str = "clock"


@dataclass(frozen=True)
class Takeover:
    """Everything that the page shows of one Succession."""

    succession: Succession
    office: Office
    standing: Standing
    ended_because: str
    mine: bool  # the reader may answer it now, or is the successor
    may_answer: bool
    # The reader holds the Office and is the CEO, who answers for no party.
    needs_stand_in: bool
    may_confirm: bool
    clock: Clock | None
    owned: Sequence[Owned]
    parts: Sequence[OwnedPart]
    signature: Signature | None
    confirmations: Sequence[ToConfirm]
    open_items: Sequence[OpenItem]
    people: Sequence[tuple[str, str]]
    others: Sequence[Succession] = field(default_factory=list)

    @property
    def short(self) -> str:
        return self.office.short

    @property
    def heading(self) -> str:
        name = self.succession.appointment.person.name
        who = "you take" if self.mine else f"{name} takes"
        return f"What {who} over as {self.short}"

    @property
    def whose(self) -> str:
        return "your Office" if self.mine else "the Office"


def takeover(succession: Succession, reader: Person, *, today: date, country: str) -> Takeover:
    """Read everything for the page of ``succession``."""
    revision = succession.revision
    freeze = contents.published_freeze(revision)
    content = contents.content_of(freeze) if freeze else None
    standing = standing_of(succession, today=today)
    held = entitling_appointments(reader, Act.AGREE, on=today)
    by = next((one for one in held if one.office.key == succession.office), None)
    human = succession.appointment.person.human_id
    signature = signature_taken_over(succession)
    signed_it = signature is not None and signature.person.human_id == reader.human_id
    acts = by is not None and (by.acting or by.person.human_id == human)
    answers = acts and not signed_it
    mine = answers or reader.human_id == human
    return Takeover(
        succession=succession,
        office=succession.appointment.office,
        standing=standing,
        ended_because=why_ended(succession, today=today),
        mine=mine,
        may_answer=answers and standing == Standing.OPEN,
        needs_stand_in=mine and not answers and human in ceos(today),
        may_confirm=acts,
        clock=(
            clock(succession.due_date, days=ANSWER_WITHIN, today=today, country=country)
            if standing == Standing.OPEN
            else None
        ),
        owned=_owned(content, succession.office),
        parts=_parts(content, succession.office),
        signature=signature,
        confirmations=_confirmations(succession.office, today=today),
        open_items=[
            *_contests(succession.office, today=today),
            *_frozen(succession.office),
            *_plan(revision, today=today),
        ],
        people=_people(content, succession.office, today=today),
        others=[
            one
            for one in Succession.objects.waiting(today).filter(
                appointment=succession.appointment_id
            )
            if one.pk != succession.pk
        ],
    )


def _rows(content: contents.Content | None) -> Sequence[contents.Content]:
    return list(contents.rows_of(content).values()) if content else []


def _owned(content: contents.Content | None, office: str) -> list[Owned]:
    return [
        Owned(row["reference"], row["name"], row["scope_in"], row["scope_out"])
        for row in _rows(content)
        if row["owner"] == office
    ]


def _parts(content: contents.Content | None, office: str) -> list[OwnedPart]:
    return [
        OwnedPart(
            row["reference"],
            row["name"],
            [part["name"] for part in row["sub_scopes"] if part["owner"] == office],
            [
                (part["name"], part["owner"])
                for part in row["sub_scopes"]
                if part["owner"] != office
            ],
        )
        for row in _rows(content)
        if any(part["owner"] == office for part in row["sub_scopes"])
    ]


def _drafts() -> QuerySet[Revision]:
    return Revision.objects.filter(state=State.DRAFT).select_related("document")


def _confirmations(office: str, *, today: date) -> list[ToConfirm]:
    """Agreements of the predecessor in any draft; a draft is read only where there are some."""
    found = []
    for draft in confirmable_drafts(office, today=today):
        waiting = to_confirm(draft, [office], today=today)
        if not waiting:
            continue
        first = (
            draft.agreements.filter(withdrawn_at__isnull=True, stance=Stance.AGREED, office=office)
            .order_by("given_at")
            .first()
        )
        assert first is not None  # noqa: S101 - there are some to confirm
        found.append(
            ToConfirm(
                draft=draft,
                given_by=first.person_name,
                given_at=first.given_at,
                clauses=[str(clause) for clause in waiting],
                tokens=[f"{clause.anchor}:{clause.version}" for clause in waiting],
            )
        )
    return found


def confirmable_drafts(office: str, *, today: date) -> list[Revision]:
    """The drafts in which a former holder of ``office`` left agreements. Three queries."""
    holders = Holders([office], today=today)
    live = Agreement.objects.filter(
        revision__state=State.DRAFT,
        withdrawn_at__isnull=True,
        stance=Stance.AGREED,
        office=office,
    ).select_related("person", "appointment")
    ids = {one.revision_id for one in live if is_predecessors(one, holders)}
    return list(_drafts().filter(pk__in=ids)) if ids else []


def _contests(office: str, *, today: date) -> list[OpenItem]:
    live = Agreement.objects.filter(
        Q(row__isnull=True) | Q(row__removed_at__isnull=True),
        revision__state=State.DRAFT,
        withdrawn_at__isnull=True,
        stance=Stance.CONTESTED,
    ).select_related("revision__document", "row__function", "article")
    items = []
    for one in live.order_by("-given_at")[: 4 * SHOWN]:
        clause: Row | object = one.row or one.article
        anchor = one.row.anchor if one.row else one.article.anchor if one.article else ""
        own = one.office == office
        items.append(
            (
                not own,
                OpenItem(
                    text=f"{clause}, draft v{one.revision.number}",
                    url=f"{one.revision.get_absolute_url()}#{anchor}",
                    aside="ends when you agree" if own else "",
                    note=f"Contested by {one.person_name}, {office_short(one.office)}, "
                    f"on {day_words(one.given_at.date())}",
                    icon="circle-alert",
                ),
            )
        )
    return [item for _, item in sorted(items, key=lambda pair: pair[0])[:SHOWN]]


def _frozen(office: str) -> list[OpenItem]:
    items = []
    frozen = Revision.objects.filter(
        state__in=[State.COSIGNING, State.AWAITING_APPROVAL]
    ).select_related("document")
    for revision in frozen:
        if revision.state == State.AWAITING_APPROVAL:
            items.append(
                OpenItem(
                    f"{revision.document.title}, v{revision.number}",
                    revision.get_absolute_url(),
                    aside="waits for the CEO’s approval",
                    note="All parties have signed",
                )
            )
        elif office in parties_of(revision):
            signed = revision.signatures.filter(voided_at__isnull=True, office=office).first()
            items.append(
                OpenItem(
                    f"{revision.document.title}, v{revision.number}",
                    revision.get_absolute_url() + ("" if signed else "sign/"),
                    aside=(
                        f"signed by {signed.person_name}"
                        if signed
                        else f"waits for the {office_short(office)}’s signature"
                    ),
                    note=f"Frozen, signing since {day_words(revision.state_since.date())}",
                    icon="pen-line",
                )
            )
    return items


def _plan(revision: Revision, *, today: date) -> list[OpenItem]:
    """The execution plan of what is in force: owed, or its next milestones."""
    plan = Acknowledgement.objects.filter(revision=revision).first()
    if plan is None:
        if revision.acknowledgement_due_date is None or revision.state not in ANSWERING:
            return []
        return [
            OpenItem(
                f"Execution plan of v{revision.number}",
                f"{revision.get_absolute_url()}#plan",
                aside=f"by {day_words(revision.acknowledgement_due_date)}",
                note="The RevOps Lead owes it",
                icon="clipboard-list",
            )
        ]
    ahead = Milestone.objects.filter(acknowledgement=plan, due_date__gte=today)[:SHOWN]
    return [
        OpenItem(
            f"Execution plan: {one.text}",
            f"{revision.get_absolute_url()}#plan",
            aside=f"by {day_words(one.due_date)}",
            note=f"{one.responsible}, milestone of days {one.period.replace('-', '–')}",
        )
        for one in ahead
    ]


def _people(content: contents.Content | None, office: str, *, today: date) -> list[tuple[str, str]]:
    """Who shares the document: the other parties, the CEO, the RevOps Lead and their line."""
    if content is None:
        return []
    keys = [party["office"] for party in content["parties"] if party["office"] != office]
    holders = who_acts_for([*keys, CEO, REVOPS_LEAD], on=today)
    facts = [
        (holders[key].title, holders[key].person.name) for key in [*keys, CEO] if key in holders
    ]
    lead = holders.get(REVOPS_LEAD)
    if lead is not None:
        line = contents.article(content, "reporting_line")["data"]["solid_line"]
        facts.append((lead.title, f"{lead.person.name}, solid line to the {office_short(line)}"))
    one_to_one = contents.article(content, "cadence").get("data", {}).get("one_to_one", "")
    if one_to_one and office in (CRO, COO):
        # The first sentence says when; the rest is in article 11.
        facts.append(("CRO–COO 1:1", one_to_one.strip().split(". ")[0].rstrip(".") + "."))
    return facts
