"""The thread of a row or article as it is read: what was said, and what happened between.

Words come from the thread; edits, agreements, contests, vetoes, disputes and marks from their own
records, so that nothing has to be written twice. A constant number of queries.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

from people.models import Person
from people.offices import CFO
from people.permissions import Act, powers_of
from people.queries import accounts_of, who_acts_for

from .agreeing import about
from .differences import Difference, article_text_differences, row_text_differences
from .drafting import ArticleText, RowText, row_text, row_text_from_json
from .mentions import Words, mentionable, words_of
from .models import (
    Agreement,
    Article,
    Dispute,
    EarlierText,
    Look,
    Mark,
    Proposal,
    Row,
    ThreadEntry,
    Veto,
)
from .parties import parties_of, with_a_part
from .states import Stance
from .threads import Clause, is_vetoed, proposed_text, unheard_entries

PER_PAGE = 50
MOST = 2000


@dataclass(frozen=True)
class Said:
    """A comment or a proposed change."""

    at: datetime
    entry: ThreadEntry
    words: Sequence[Words]
    unread: bool
    proposal: Proposal | None = None
    differences: Sequence[Difference] = ()
    outdated: bool = False
    may_answer: bool = False
    may_take_back: bool = False
    # Whoever proposed agrees by it as well, for this Office: said beside the button.
    agrees_too: str = ""

    is_event = False


@dataclass(frozen=True)
class Happened:
    """What the registry noted: "Maya Lindqvist, CRO, changed the text"."""

    at: datetime
    words: str
    icon: str
    reason: str = ""
    url: str = ""

    is_event = True


@dataclass(frozen=True)
class Conversation:
    """One thread, the latest at the end."""

    clause: Clause
    items: Sequence[Said | Happened]
    # How many earlier ones are not shown, and how many to ask for to see more of them.
    older: int
    show_next: int
    resolved: bool
    has_words: bool
    unread: int
    may_comment: bool
    may_propose: bool
    may_edit: bool
    # Why nobody writes here now; empty where the reader's Office decides.
    closed_because: str
    # Why no change is proposed here though comments are welcome.
    no_proposals_because: str
    names: Sequence[str] = field(default_factory=list)


def conversation(
    clause: Clause, reader: Person, *, on: date, show: int = PER_PAGE, looked: Look | None = None
) -> Conversation:
    """Read the thread of ``clause`` for ``reader``; ``looked`` is their look before this one."""
    revision = clause.revision
    show = max(PER_PAGE, min(show, MOST))
    mine = set(accounts_of(reader))
    powers = powers_of(reader, on=on)
    parties = parties_of(revision)
    may_edit = revision.is_draft and bool(
        with_a_part(powers.by(Act.EDIT), Act.EDIT, revision, parties=parties)
    )
    closed, no_proposals = _closed(clause), _no_proposals(clause)
    names, unheard = mentionable(), unheard_entries(reader)
    entries = list(
        ThreadEntry.objects.filter(**about(clause))
        .select_related("proposal", "person")
        .order_by("written_at", "pk")
    )
    earlier = {one.version: one for one in EarlierText.objects.filter(**about(clause))}
    texts = _Texts(clause, earlier)
    agreeing_too = _agree_by_proposing(clause, entries, parties, on=on)
    items: list[Said | Happened] = []
    unread = 0
    for entry in entries:
        if entry.kind in (ThreadEntry.Kind.RESOLVED, ThreadEntry.Kind.REOPENED):
            resolved_it = entry.kind == ThreadEntry.Kind.RESOLVED
            act = "resolved the thread" if resolved_it else "reopened the thread"
            icon = "circle-check" if resolved_it else "rotate-ccw"
            who = f"{entry.person_name}, {entry.person_office},"
            items.append(Happened(entry.written_at, f"{who} {act}", icon))
            continue
        new = entry.person_id not in mine and (
            looked is None or entry.written_at > looked.looked_at or entry.pk in unheard
        )
        unread += new
        items.append(
            _said(
                entry,
                clause,
                texts=texts,
                names=names,
                unread=new,
                own=entry.person_id in mine,
                may_edit=may_edit and not closed,
                may_propose=powers.may(Act.PROPOSE) and not closed,
                agrees_too=entry.office if entry.pk in agreeing_too else "",
            )
        )
    edits = _edits(clause, earlier.values())
    events = [
        *edits,
        *_stances(clause, {one.at for one in edits}),
        *_vetoes(clause),
        *_disputes(clause),
        *_marks(clause),
    ]
    items += _together(sorted(events, key=lambda one: one.at))
    items.sort(key=lambda one: one.at)
    shown = items[-show:]
    return Conversation(
        clause=clause,
        items=shown,
        older=len(items) - len(shown),
        show_next=show + PER_PAGE,
        resolved=bool(entries) and entries[-1].kind == ThreadEntry.Kind.RESOLVED,
        has_words=any(not one.is_event for one in items),
        unread=unread,
        may_comment=not closed and powers.may(Act.COMMENT),
        may_propose=not (closed or no_proposals) and powers.may(Act.PROPOSE),
        may_edit=may_edit,
        closed_because=closed,
        no_proposals_because=no_proposals,
        names=list(names),
    )


def look_before(clause: Clause, reader: Person) -> Look | None:
    return Look.objects.filter(person=reader, **about(clause)).first()


def _closed(clause: Clause) -> str:
    revision = clause.revision
    if revision.is_draft:
        return ""
    return (
        f"{revision.reference} is no longer a draft: this thread can be read, not written. "
        "What should change goes into the next draft."
    )


def _no_proposals(clause: Clause) -> str:
    if isinstance(clause, Row) and clause.is_settled:
        how = "ruling" if clause.ruling_id is not None else "order after a veto"
        return f"This row is locked to the CEO's {how}. You can comment; its text stays."
    if isinstance(clause, Article) and clause.key == "control":
        return "Its dates are set in the form by a party or the Corporate Secretary."
    return ""


class _Texts:
    """The text of a clause at each version."""

    def __init__(self, clause: Clause, earlier: Mapping[int, EarlierText]) -> None:
        self.clause, self.earlier = clause, earlier

    @cached_property
    def present(self) -> RowText | ArticleText:
        if isinstance(self.clause, Row):
            return row_text(self.clause)
        return ArticleText(text=self.clause.text, data=self.clause.data)

    def at(self, version: int) -> RowText | ArticleText | None:
        clause = self.clause
        if version == clause.version:
            return self.present
        if version not in self.earlier:
            return None
        found = self.earlier[version].text
        if isinstance(clause, Row):
            return row_text_from_json(found)
        return ArticleText(text=found["text"], data=found["data"])


def changes(before: RowText | ArticleText | None, after: RowText | ArticleText) -> list[Difference]:
    if isinstance(before, RowText) and isinstance(after, RowText):
        return row_text_differences(before, after)
    if isinstance(before, ArticleText) and isinstance(after, ArticleText):
        return article_text_differences(before, after)
    return []


def _said(
    entry: ThreadEntry,
    clause: Clause,
    *,
    texts: _Texts,
    names: Mapping[str, str],
    unread: bool,
    own: bool,
    may_edit: bool,
    may_propose: bool,
    agrees_too: str,
) -> Said:
    words = words_of(entry.text, names) if entry.text else []
    if entry.kind != ThreadEntry.Kind.PROPOSAL:
        return Said(entry.written_at, entry, words, unread)
    proposal = entry.proposal
    is_open = proposal.answer == Proposal.Answer.OPEN
    return Said(
        entry.written_at,
        entry,
        words,
        unread,
        proposal=proposal,
        differences=changes(texts.at(proposal.base_version), proposed_text(proposal, clause)),
        outdated=is_open and proposal.base_version != clause.version,
        may_answer=is_open and may_edit and not own,
        may_take_back=is_open and may_propose and own,
        agrees_too=agrees_too,
    )


def _agree_by_proposing(
    clause: Clause, entries: Sequence[ThreadEntry], parties: Sequence[str], *, on: date
) -> set[int]:
    """The entries whose proposer still acts for the party they proposed for, and vetoes nothing."""
    proposing = [one for one in entries if one.kind == ThreadEntry.Kind.PROPOSAL]
    offices = {one.office for one in proposing} & set(parties)
    if CFO in offices and is_vetoed(clause):
        offices.discard(CFO)
    holders = who_acts_for(offices, on=on) if offices else {}
    return {
        one.pk
        for one in proposing
        if one.office in holders and holders[one.office].person_id == one.person_id
    }


# --- What happened ----------------------------------------------------------------------------


def _edits(clause: Clause, earlier: Iterable[EarlierText]) -> list[Happened]:
    written = [
        (one.written_at, one.written_by_name, one.written_by_office)
        for one in earlier
        if one.written_at is not None
    ]
    if clause.changed_at is not None:
        written.append((clause.changed_at, clause.changed_by_name, clause.changed_by_office))
    return [
        Happened(at, f"{name}, {office}, changed the text", "pencil")
        for at, name, office in written
    ]


def _stances(clause: Clause, edited_at: Collection[datetime]) -> list[Happened]:
    found = []
    given = (
        Agreement.objects.filter(**about(clause))
        .select_related("appointment__office")
        .order_by("given_at", "pk")
    )
    for one in given:
        who = f"{one.person_name}, {one.appointment.title},"
        if one.stance == Stance.CONTESTED:
            found.append(Happened(one.given_at, f"{who} contested it", "circle-alert", one.reason))
        elif one.given_at not in edited_at:  # whoever changes the text agrees by it
            found.append(Happened(one.given_at, f"{who} agreed", "check"))
    return found


def _vetoes(clause: Clause) -> list[Happened]:
    if not isinstance(clause, Row):
        return []
    found = []
    for one in Veto.objects.filter(row=clause):
        who = f"{one.person_name}, {one.person_office},"
        found.append(Happened(one.given_at, f"{who} vetoed it", "ban", one.reason))
        if one.lifted_at is not None:
            who = f"{one.lifted_by_name}, {one.lifted_by_office},"
            words = f"{who} lifted the veto"
            found.append(Happened(one.lifted_at, words, "lock-open", one.lifted_word))
        if one.ordered_at is not None:
            who = f"{one.ordered_by_name}, {one.ordered_by_office},"
            words = f"{who} ordered what goes in, after the veto"
            found.append(Happened(one.ordered_at, words, "gavel", one.order_rationale))
    return found


def _disputes(clause: Clause) -> list[Happened]:
    if not isinstance(clause, Row):
        return []
    found = []
    disputes = Dispute.objects.filter(row=clause).select_related("function", "ruling")
    for one in disputes:
        url = one.get_absolute_url()
        who = f"{one.opened_by_name}, {one.opened_by_office},"
        words = f"{who} escalated it to the CEO"
        found.append(Happened(one.opened_at, words, "scale", one.question, url))
        if one.outcome == Dispute.Outcome.RULED:
            ruling = one.ruling
            who = f"{ruling.person_name}, {ruling.person_office},"
            found.append(
                Happened(ruling.ruled_at, f"{who} ruled on it", "gavel", ruling.rationale, url)
            )
        elif one.ended_at is not None:
            words = {
                Dispute.Outcome.WITHDRAWN: "The parties withdrew the dispute",
                Dispute.Outcome.LAPSED: "The dispute lapsed with its draft",
            }.get(Dispute.Outcome(one.outcome), "The dispute ended")
            found.append(Happened(one.ended_at, words, "scale", "", url))
    return found


def _marks(clause: Clause) -> list[Happened]:
    return [
        Happened(
            one.at, f"{one.by_name}, {one.by_office}, sent it back", "corner-up-left", one.reason
        )
        for one in Mark.objects.filter(**about(clause))
    ]


def _together(events: Sequence[Happened]) -> list[Happened]:
    """What happened in one moment by the same words is told once."""
    found: list[Happened] = []
    for one in events:
        if one not in found[-4:]:
            found.append(one)
    return found
