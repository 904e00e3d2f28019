"""What the pages and the API show: read once, in a constant number of queries."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Prefetch, QuerySet

from functions_catalog.models import Function
from functions_catalog.ownership import FunctionChange, OwnershipChange, answers_on
from people.models import Office, Person
from people.offices import CEO, HYBRID, office_short, office_title
from people.permissions import Act, entitling_appointments, may, powers_of
from people.queries import accounts_of, who_acts_for
from people.templatetags.speech import day, day_words
from sealing.entries import Listing, listing

from . import content as contents
from .blockers import Blocker, blockers
from .carried import differs_from_force
from .disputes import open_disputes
from .holders import Holders
from .looking import is_new, looks_of
from .marks import open_marks
from .models import (
    Article,
    Dispute,
    Document,
    Freeze,
    Mark,
    Revision,
    Row,
    RowSubScope,
    Signature,
    StateChange,
    Succession,
    Veto,
)
from .parties import parties_of, party_offices, with_a_part
from .standing import ClauseStanding, agreed_counts, standings
from .states import ANSWERING, PUBLISHED, UNFINISHED, ClauseState, Role, State, Verb
from .summaries import Summary, summaries
from .threads import ThreadSummary, thread_summaries
from .vetoes import standing_vetoes

# A sentence about who gains what names this many functions and counts the rest.
NAMED = 4


def readable(reader: Person, *, on: date) -> QuerySet[Revision]:
    """The Revisions that ``reader`` may read: everybody what rules or ruled, some the drafts."""
    found = Revision.objects.select_related("document", "supersedes")
    if may(reader, Act.READ_DRAFT, on=on):
        return found
    return found.filter(state__in=PUBLISHED)


@dataclass(frozen=True)
class DocumentCard:
    """A document in the list: what rules, and what is being written."""

    document: Document
    in_force: Revision | None
    unfinished: Revision | None
    latest: Revision
    # How far what is unfinished is, and whom it waits for.
    summary: Summary | None = None


def document_cards(
    documents: Iterable[Document], reader: Person, *, on: date
) -> list[DocumentCard]:
    """The cards for ``documents`` (a page of them), in a number of queries that does not grow."""
    documents = list(documents)
    by_document: dict[int, list[Revision]] = {}
    revisions = readable(reader, on=on).filter(document__in=documents).order_by("-number")
    for revision in revisions:
        by_document.setdefault(revision.document_id, []).append(revision)
    unfinished = {
        one.document_id: one
        for its in by_document.values()
        for one in its
        if one.state in UNFINISHED
    }
    how_far = summaries(list(unfinished.values()), on=on)
    return [
        DocumentCard(
            document=document,
            in_force=next((one for one in mine if one.state in ANSWERING), None),
            unfinished=(open_one := unfinished.get(document.pk)),
            latest=mine[0],
            summary=how_far.get(open_one.pk) if open_one else None,
        )
        for document in documents
        if (mine := by_document.get(document.pk))
    ]


def readable_documents(reader: Person, *, on: date) -> QuerySet[Document]:
    return Document.objects.filter(pk__in=readable(reader, on=on).values("document_id"))


# --- Permissions as the pages need them -------------------------------------------------------


@dataclass(frozen=True)
class May:
    """What the reader may do with one Revision as it is now; the verbs decide in the end."""

    read_draft: bool = False
    edit: bool = False
    agree: bool = False
    contest: bool = False
    freeze: bool = False
    sign: bool = False
    decline: bool = False
    approve: bool = False
    return_: bool = False
    withdraw: bool = False
    amend: bool = False
    acknowledge: bool = False
    veto: bool = False
    order: bool = False
    escalate: bool = False


def what_may(
    reader: Person,
    revision: Revision,
    *,
    on: date,
    signatures: Sequence[Signature],
    unfinished_exists: bool,
    acknowledged: bool,
    parties: Sequence[str] | None = None,
) -> May:
    """Work out ``May``; ``signatures`` are the live ones. Give ``parties`` where they are read."""
    if parties is None:
        parties = parties_of(revision)
    powers = powers_of(reader, on=on)
    to_sign = {one.office.key for one in powers.by(Act.SIGN)}
    signed = {one.office for one in signatures if one.role == Role.COSIGNER}
    draft = revision.state == State.DRAFT
    awaiting = revision.state == State.AWAITING_APPROVAL
    cosigning = revision.state == State.COSIGNING
    opened_unsigned = reader.pk == revision.opened_by_id and not signatures
    allowed = powers.may

    def here(act: Act) -> bool:
        return bool(with_a_part(powers.by(act), act, revision, parties=parties))

    # Who co-signed does not approve, in whichever of their accounts.
    approve = awaiting and allowed(Act.APPROVE)
    if approve:
        mine = accounts_of(reader)
        approve = not any(one.person_id in mine for one in signatures if one.role == Role.COSIGNER)

    return May(
        read_draft=allowed(Act.READ_DRAFT),
        edit=draft and here(Act.EDIT),
        agree=draft and here(Act.AGREE),
        contest=draft and here(Act.CONTEST),
        freeze=draft and here(Act.FREEZE),
        sign=cosigning and bool((to_sign & set(parties)) - signed),
        decline=(cosigning or awaiting) and here(Act.DECLINE),
        approve=approve,
        return_=awaiting and allowed(Act.RETURN),
        withdraw=revision.state in UNFINISHED
        and (allowed(Act.APPROVE) or (allowed(Act.WITHDRAW) and opened_unsigned)),
        amend=here(Act.OPEN) and not unfinished_exists and _amendable(revision),
        acknowledge=revision.state in ANSWERING and not acknowledged and allowed(Act.ACKNOWLEDGE),
        veto=draft and allowed(Act.VETO),
        order=draft and allowed(Act.ORDER),
        escalate=draft and here(Act.ESCALATE),
    )


def _amendable(revision: Revision) -> bool:
    """What answers; or what was withdrawn, where the document has nothing that answers."""
    if revision.state == State.WITHDRAWN:
        return not revision.document.revisions.in_force().exists()
    return revision.state in ANSWERING


# --- The stepper ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    label: str
    note: str
    state: str  # done, current, later


def steps(
    revision: Revision,
    *,
    parties: Sequence[str],
    changes: Sequence[StateChange],
    signatures: Sequence[Signature],
    draft_note: str = "",
    approver_name: str = "",
) -> list[Step]:
    """Draft, Co-signing, CEO approval, In force: where the Revision is on its way."""
    place = {
        State.DRAFT: 0,
        State.COSIGNING: 1,
        State.AWAITING_APPROVAL: 2,
        State.APPROVED: 3,
        State.IN_FORCE: 3,
        State.SUPERSEDED: 4,
        State.EXPIRED_UNRENEWED: 4,
        State.WITHDRAWN: -1,
    }[State(revision.state)]
    on = {change.verb: change.at for change in changes}
    signed = sum(one.role == Role.COSIGNER for one in signatures)
    frozen = on.get(Verb.FREEZE)
    approved = on.get(Verb.APPROVE)
    notes = [
        draft_note or (f"Frozen {day(frozen)}" if frozen and place > 0 else "All agree row by row"),
        f"{signed} of {len(parties)} signed" if place > 0 else _named(parties),
        day(approved) if approved and place > 2 else approver_name or "CEO",
        _in_force_note(revision),
    ]
    labels = ["Draft", "Co-signing", "CEO approval", "In force"]
    return [
        Step(label, note, "done" if index < place else "current" if index == place else "later")
        for index, (label, note) in enumerate(zip(labels, notes, strict=True))
    ]


def _named(offices: Sequence[str]) -> str:
    return ", ".join(office_short(key) for key in offices)


def _in_force_note(revision: Revision) -> str:
    if revision.in_force_from is not None:
        return f"Since {day(revision.in_force_from)}"
    if revision.effective_date is not None:
        return f"Planned {day_words(revision.effective_date)}"
    return "No effective date yet"


# --- The drafting board -----------------------------------------------------------------------


@dataclass(frozen=True)
class RowItem:
    row: Row
    standing: ClauseStanding
    sub_scopes: Sequence[RowSubScope]
    can_agree: bool
    can_contest: bool
    # The standing veto, the open dispute, what a decline or return says, the thread in short.
    veto: Veto | None
    dispute: Dispute | None
    marks: Sequence[Mark]
    thread: ThreadSummary
    # Said or done by others since the reader last looked.
    is_new: bool
    # The version that the reader last looked at; 0: none yet.
    looked: int
    # An Office of the reader agrees to it as it stands, and may take that back.
    can_withdraw: bool
    # It waits for an Office of the reader, who does not contest or veto it.
    mine_to_agree: bool


@dataclass(frozen=True)
class ArticleItem:
    article: Article
    standing: ClauseStanding
    facts: Sequence[tuple[str, str]]
    listing: Listing | None
    can_agree: bool
    can_contest: bool
    marks: Sequence[Mark]
    thread: ThreadSummary
    is_new: bool
    looked: int
    can_withdraw: bool
    mine_to_agree: bool

    @property
    def number(self) -> int:
        return self.article.number


@dataclass(frozen=True)
class Group:
    owner: str
    title: str
    rows: Sequence[RowItem]
    # Of all its rows, also where only some of them are shown.
    total: int
    agreed: int


@dataclass(frozen=True)
class PartyTally:
    office: str
    holder: str
    agreed: int


@dataclass(frozen=True)
class Share:
    owner: str
    label: str
    count: int


@dataclass(frozen=True)
class Board:
    """Everything that the drafting board shows of one draft."""

    groups: Sequence[Group]
    articles: Sequence[ArticleItem]
    agreed: int
    total: int
    tally: Sequence[PartyTally]
    blockers: Sequence[Blocker]
    shares: Sequence[Share]
    missing: Sequence[Function]
    read_tokens: Sequence[str]
    my_offices: Sequence[str]
    # Up to where the Revision's activity is in it, and which rows stand where.
    activity: int
    shape: str
    last_refusal: StateChange | None = None
    can_agree_all: bool = field(default=False)
    # What the predecessor in the reader's own Office agreed to, still to be confirmed.
    confirm_tokens: Sequence[str] = ()
    # What an amendment took over unchanged, and the reader's Office has yet to confirm.
    carried_tokens: Sequence[str] = ()
    # Rows that read otherwise than in what is to be replaced, new ones included; by id.
    differing: Collection[int] = ()
    # Successors who asked for this amendment, with their words.
    wishes: Sequence[Succession] = ()

    @property
    def marks(self) -> Sequence[tuple[Row | Article, Mark]]:
        """What the last decline or return means and is not answered yet, in the board's order."""
        return [
            *(
                (item.row, mark)
                for group in self.groups
                for item in group.rows
                for mark in item.marks
            ),
            *((item.article, mark) for item in self.articles for mark in item.marks),
        ]

    @property
    def percent(self) -> int:
        return self.agreed * 100 // self.total if self.total else 0

    @property
    def ready(self) -> bool:
        return not self.blockers


_GROUP_ORDER = ("cro", HYBRID, "coo", "cfo")


def _group_key(row: Row) -> str:
    if row.left_out_reason:
        return "left_out"
    return row.owner or "none"


def _group_title(key: str) -> str:
    special = {HYBRID: "Hybrid", "none": "Nobody yet", "left_out": "Left out"}
    return special.get(key) or f"{office_short(key)}-owned"


def _can(standing: ClauseStanding, mine: Sequence[str], wanted: str) -> bool:
    if isinstance(standing.clause, Row) and standing.clause.is_settled:
        return False
    return any(
        (stance := standing.stance_of(office)) is not None and stance.state not in (wanted, "veto")
        for office in mine
    )


def _tokens(every: Sequence[ClauseStanding], state: str, mine: Sequence[str]) -> list[str]:
    """ "row-3:2": the clauses of which one of ``mine`` says ``state``, at the version shown."""
    return [
        f"{one.clause.anchor}:{one.clause.version}"
        for one in every
        if any(stance.state == state and stance.office in mine for stance in one.stances)
    ]


def _agrees(standing: ClauseStanding, mine: Sequence[str]) -> bool:
    if isinstance(standing.clause, Row) and standing.clause.is_settled:
        return False
    return any(one.state == "agreed" and one.office in mine for one in standing.stances)


def _is_mine_to_agree(standing: ClauseStanding, mine: Sequence[str]) -> bool:
    said = [one.state for one in standing.stances if one.office in mine]
    if any(state in ("contested", "veto") for state in said):
        return False
    return any(state not in ("agreed", "bound") for state in said)


def _group(key: str, rows: Sequence[RowItem]) -> Group:
    agreed = sum(item.standing.state == ClauseState.AGREED for item in rows)
    return Group(key, _group_title(key), rows, total=len(rows), agreed=agreed)


def _shape(keys: Iterable[tuple[Row, str]]) -> str:
    """Which rows stand where: what differs needs the whole page again."""
    places = " ".join(f"{row.position}{key}" for row, key in keys)
    return hashlib.sha256(places.encode()).hexdigest()[:12]


def board(revision: Revision, reader: Person, *, on: date) -> Board:
    """Load the drafting board. The number of queries does not grow with the rows."""
    parties = party_offices(revision)
    rows = list(
        revision.rows.select_related("function", "order", "ruling").prefetch_related(
            Prefetch("sub_scopes", queryset=RowSubScope.objects.order_by("position"))
        )
    )
    articles = list(revision.articles.all())
    every = standings(revision, parties=parties, today=on, rows=rows, articles=articles)
    by_clause = {(type(one.clause), one.clause.pk): one for one in every}
    held = [one.office.key for one in entitling_appointments(reader, Act.AGREE, on=on)]
    mine = [key for key in held if key in parties]
    vetoed, disputed = standing_vetoes(revision), open_disputes(revision)
    marked = open_marks(revision, every)
    spoken, looks = thread_summaries(revision, reader), looks_of(revision, reader)
    items = [
        RowItem(
            row=row,
            standing=(standing := by_clause[Row, row.pk]),
            sub_scopes=list(row.sub_scopes.all()),
            can_agree=_can(standing, mine, "agreed"),
            can_contest=_can(standing, mine, "contested"),
            veto=vetoed.get(row.pk),
            dispute=disputed.get(row.pk),
            marks=marked.get(row, ()),
            thread=spoken.get(row, ThreadSummary()),
            is_new=is_new(row, looks),
            looked=looks.version_of(row),
            can_withdraw=_agrees(standing, mine),
            mine_to_agree=_is_mine_to_agree(standing, mine),
        )
        for row in rows
    ]
    keys = [_group_key(row) for row in rows]
    names = {row.function.key: row.function.name for row in rows}
    # Further Offices in the order of the parties; one that is no longer any comes last.
    further = set(keys) - {*_GROUP_ORDER, "none", "left_out"}
    others = [*(key for key in parties if key in further), *sorted(further - set(parties))]
    order = ["none", *_GROUP_ORDER, *others, "left_out"]
    counts = agreed_counts(every)
    holders = who_acts_for(parties, on=on)
    found = blockers(revision, parties=parties, today=on, rows=rows, articles=articles, every=every)
    missing = [one.title for one in found if one.code == "function_missing"]
    # In a draft the newest refusal is always newer than the newest freeze: it voided it.
    refusal = revision.changes.filter(verb__in=[Verb.DECLINE, Verb.RETURN]).last()
    return Board(
        groups=[
            _group(key, [item for item, its in zip(items, keys, strict=True) if its == key])
            for key in order
            if key in keys
        ],
        articles=[
            ArticleItem(
                article=article,
                standing=(standing := by_clause[Article, article.pk]),
                facts=article_facts(article, revision),
                listing=listing(article.key, article.data, names),
                can_agree=_can(standing, mine, "agreed"),
                can_contest=_can(standing, mine, "contested"),
                marks=marked.get(article, ()),
                thread=spoken.get(article, ThreadSummary()),
                is_new=is_new(article, looks),
                looked=looks.version_of(article),
                can_withdraw=_agrees(standing, mine),
                mine_to_agree=_is_mine_to_agree(standing, mine),
            )
            for article in articles
        ],
        agreed=counts["all"],
        total=len(every),
        tally=[
            PartyTally(
                key, holders[key].person.name if key in holders else "Vacant", counts.get(key, 0)
            )
            for key in parties
        ],
        blockers=found,
        shares=[
            Share(key, office_short("" if key == "none" else key), keys.count(key))
            for key in order
            if key in keys and key != "left_out"
        ],
        missing=list(Function.objects.active().filter(name__in=missing)) if missing else [],
        read_tokens=[f"{one.clause.anchor}:{one.clause.version}" for one in every],
        my_offices=mine,
        activity=revision.activity,
        shape=_shape(zip(rows, keys, strict=True)),
        last_refusal=refusal,
        can_agree_all=any(_can(one, mine, "agreed") for one in every),
        confirm_tokens=_tokens(every, "predecessor", mine),
        carried_tokens=_tokens(every, "carried", mine),
        differing=differs_from_force(revision, rows),
        wishes=list(
            Succession.objects.filter(amendment=revision).select_related(
                "appointment__person", "appointment__office", "revision__document"
            )
        ),
    )


def article_facts(article: Article, revision: Revision) -> list[tuple[str, str]]:
    """An article's structured data as term and description."""
    data = article.data
    if article.key == "control":
        return [
            ("Document", revision.reference),
            (
                "Supersedes",
                f"Version {revision.supersedes.number}" if revision.supersedes else "Nothing yet",
            ),
            (
                "Effective date",
                day_words(revision.effective_date) if revision.effective_date else "Not set",
            ),
            ("Sunset date", day_words(revision.sunset_date) if revision.sunset_date else "Not set"),
        ]
    if article.key == "reporting_line":
        solid = " and ".join(office_short(key) for key in data.get("solid_lines", []))
        dotted = data.get("dotted_line", "")
        scope = data.get("dotted_line_scope", "")
        return [
            ("Solid line", solid or "None"),
            ("Dotted line", f"{office_short(dotted)}: {scope}" if dotted else "None"),
            ("Team", str(data.get("team_shape", "")).capitalize() or "Not chosen"),
            (
                "Marketing",
                "A CMO as peer of the CRO"
                if data.get("marketing") == "cmo_peer"
                else "Under the CRO",
            ),
            *([("Why", data["rationale"])] if data.get("rationale") else []),
        ]
    if article.key == "escalation":
        return [
            ("Leads", f"within {data.get('leads_business_days', '?')} business days"),
            ("Executives", f"within {data.get('executives_business_days', '?')} business days"),
            ("Then", "the CEO decides"),
            ("Interim decider", data.get("interim_decider", "") or "Not named"),
        ]
    if article.key == "cadence":
        layers = [
            (
                f"{layer['layer'].capitalize()} layer",
                f"{office_short(layer['owner'])}: {layer['mandate']}",
            )
            for layer in data.get("layers", [])
        ]
        return [*layers, ("One to one", data.get("one_to_one", "") or "Not set")]
    return []


# --- Signing and reading ----------------------------------------------------------------------


@dataclass(frozen=True)
class Signer:
    """An Office whose signature the document needs, and what became of it."""

    office: str
    title: str  # "Chief Financial Officer"; "Acting ..." of whoever signed or would sign so
    label: str  # "CFO", "Acting CFO"
    holder_name: str
    state: str  # signed, waiting, later
    signature: Signature | None
    is_me: bool
    # The Office has changed hands since it was signed; ``holder_name`` is who acts for it today.
    by_predecessor: bool = False
    # What the successor answered or owes, where it is known.
    answer: str = ""

    @property
    def handed_over(self) -> str:
        """What is said beside a signature that the predecessor gave; empty for any other."""
        if not self.by_predecessor:
            return ""
        if self.answer:
            return self.answer
        if self.holder_name == VACANT:
            return "The Office is vacant now."
        return f"{self.holder_name} acts for the Office now."


VACANT = "Vacant"


def signers(
    revision: Revision,
    *,
    reader: Person,
    on: date,
    parties: Sequence[str],
    signatures: Sequence[Signature],
    answers: Mapping[str, str] | None = None,
) -> list[Signer]:
    """The parties in their order, then the CEO; ``answers`` of successors by Office."""
    keys = [*parties, CEO]
    history = Holders(keys, today=on)
    titles = dict(Office.objects.filter(key__in=keys).values_list("key", "title"))
    holders = who_acts_for(keys, on=on)
    by_office = {(one.office, one.role): one for one in signatures}
    result = []
    for key in keys:
        role = Role.APPROVER if key == CEO else Role.COSIGNER
        signature = by_office.get((key, role))
        waiting = revision.state == (State.AWAITING_APPROVAL if key == CEO else State.COSIGNING)
        holder = holders.get(key)
        acting = signature.acting if signature else holder is not None and holder.acting
        prefix = "Acting " if acting else ""
        result.append(
            Signer(
                office=key,
                title=f"{prefix}{titles.get(key, office_title(key))}",
                label=f"{prefix}{office_short(key)}",
                holder_name=holder.person.name if holder else VACANT,
                state="signed" if signature else "waiting" if waiting else "later",
                signature=signature,
                is_me=holder is not None and holder.person_id == reader.pk,
                by_predecessor=signature is not None and is_by_predecessor(signature, history),
                answer=(answers or {}).get(key, ""),
            )
        )
    return result


def is_by_predecessor(signature: Signature, history: Holders) -> bool:
    """Whether the Office has changed hands since it signed; the signature stays valid."""
    return history.gave_way(
        signature.office,
        given_by=signature.person.human_id,
        acting=signature.acting,
        given_at=signature.signed_at,
    )


def waits_for(revision: Revision, all_signers: Sequence[Signer]) -> str:
    """A sentence that says whom a frozen Revision waits for."""
    waiting = [one for one in all_signers if one.state == "waiting"]
    if not waiting:
        return ""
    named = [
        f"the {one.label} (the Office is vacant)"
        if one.holder_name == VACANT
        else f"{one.holder_name} ({one.label})"
        for one in waiting
    ]
    words = " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)
    act = "approval" if revision.state == State.AWAITING_APPROVAL else "signature"
    return f"It waits for the {act} of {words}."


def effects_of_approval(revision: Revision, content: contents.Content, *, on: date) -> list[str]:
    """What the CEO's approval will do, in sentences: when it rules, who gains, who gives up."""
    assert revision.effective_date is not None  # noqa: S101 - frozen text has one
    at_once = revision.effective_date <= on
    when = "at once" if at_once else f"on {day_words(revision.effective_date)}"
    effects = [f"{revision.reference} comes in force {when}, and nobody can change it any more."]
    if revision.supersedes is not None:
        effects.append(f"It supersedes version {revision.supersedes.number} then.")
    change = expected_change(revision, content, on=on)
    for words, by_office in (("gains", change.gained()), ("gives up", change.lost())):
        for key, functions in by_office.items():
            names = ", ".join(one.name for one in functions[:NAMED])
            more = f" and {len(functions) - NAMED} more" if len(functions) > NAMED else ""
            effects.append(f"The {office_short(key)} {words} {names}{more}.")
    if change.owner_changed:
        effects.append("Everybody who gains or gives up a function is told by mail.")
        effects.append("The RevOps Lead has 10 business days to acknowledge it with a plan.")
    else:
        effects.append("No function changes its owner.")
    return effects


def expected_change(revision: Revision, content: contents.Content, *, on: date) -> OwnershipChange:
    """Who would gain and lose what if this content came in force on ``on``."""
    number = revision.document.number
    before = {
        key: answer for key, answer in answers_on(on).items() if answer.document_number == number
    }
    after = {answer.function_key: answer for answer in contents.answers(content)}
    return OwnershipChange(
        changes=tuple(
            FunctionChange(function_key=key, before=before.get(key), after=after.get(key))
            for key in dict.fromkeys((*after, *before))
        )
    )


def live_freeze(revision: Revision) -> Freeze | None:
    """The freeze that stands; for a withdrawn Revision, its last."""
    return (
        revision.freezes.defer("content").filter(voided_at__isnull=True).first()
        or revision.freezes.defer("content").order_by("-number").first()
    )
