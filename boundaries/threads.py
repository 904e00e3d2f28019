"""Threads: comments and proposed changes about one row or article, resolved and reopened.

Whoever takes part in a draft may write; a proposed change is answered by somebody else who may
edit: accepting it is an edit of exactly that text. Threads only grow, and freezing closes them:
what was said stays readable beside what was signed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from notifications.models import Notice
from people.calendar import company_date
from people.errors import NotYourOffice, Refused
from people.models import Appointment, Person
from people.offices import CFO
from people.permissions import Act, entitling_appointments, require
from people.queries import same_human

from . import draft_news
from .agreeing import about, record_event, record_stance, refuse_settled, withdraw_agreements
from .articles import normalise
from .drafting import (
    ArticleText,
    RowText,
    article_json,
    clean_article,
    clean_row,
    row_json,
    row_text,
    row_text_from_json,
    write_article,
    write_row,
)
from .errors import ChangedMeanwhile, InvalidText, ReasonMissing
from .locking import locked_draft
from .mentions import mentionable, mentions_in
from .models import Article, Look, Proposal, Revision, Row, ThreadEntry
from .parties import require_party
from .states import Stance

MAX_CHARACTERS = 4000
MAX_ANSWER = 2000

Clause = Row | Article
Kind = ThreadEntry.Kind


class ProposalAnswered(Refused):
    """A proposed change is answered once."""

    code = "proposal_answered"

    def __init__(self, proposal: Proposal) -> None:
        super().__init__(
            f"{proposal.answered_by_name}, {proposal.answered_by_office}, answered this proposed "
            "change already. Nothing was changed: reload the page to read the answer."
        )


class ProposalOutdated(ChangedMeanwhile):
    """The text is no longer the one that the change was proposed to; ``proposal`` is kept."""

    code = "proposal_outdated"

    def __init__(self, proposal: Proposal, clause: Clause) -> None:
        self.proposal, self.clause = proposal, clause
        Refused.__init__(
            self,
            f"{clause} was changed after this was proposed, so accepting could undo that. Nothing "
            "was changed: edit the row or article with the proposed text in view, or decline it.",
        )


class NotYourProposal(NotYourOffice):
    """Whoever proposed a change may take it back; somebody else accepts or declines it."""

    code = "not_your_proposal"


class ThreadAlreadySo(Refused):
    """The thread is resolved already, open already, or has nothing in it to resolve."""

    code = "thread_already_so"


# --- Writing ----------------------------------------------------------------------------------


@transaction.atomic
def comment(*, clause: Clause, text: str, acting_user: Person, at: datetime) -> ThreadEntry:
    """Say something about a row or article. Writing in a resolved thread reopens it."""
    clause, held = _open_thread(clause, Act.COMMENT, acting_user=acting_user, at=at)
    text = _checked(text)
    if not text:
        raise InvalidText("Write your comment first. Nothing was sent.")
    entry = _write(clause, Kind.COMMENT, text, acting_user=acting_user, held=held, at=at)
    _record("commented", clause, entry, text, acting_user=acting_user, held=held, at=at)
    draft_news.written(entry, clause)
    return entry


@transaction.atomic
def propose(
    *,
    clause: Clause,
    text: RowText | ArticleText,
    base_version: int,
    word: str = "",
    acting_user: Person,
    at: datetime,
) -> Proposal:
    """Propose another text for a row or article, written against its ``base_version``.

    Raises ``ChangedMeanwhile`` where that version is old, ``InvalidText`` where nothing differs.
    """
    clause, held = _open_thread(clause, Act.PROPOSE, acting_user=acting_user, at=at)
    refuse_settled(clause)
    word = _checked(word)
    if isinstance(clause, Article) and clause.key == "control":
        raise InvalidText(
            "Article 1 holds the dates and is edited by a party or the Corporate Secretary. Say in "
            "a comment what should change."
        )
    if clause.version != base_version:
        raise ChangedMeanwhile(clause)
    if isinstance(clause, Row) and isinstance(text, RowText):
        text = clean_row(text, clause.revision)
        same, as_json = text == row_text(clause), row_json(text)
    elif isinstance(clause, Article) and isinstance(text, ArticleText):
        text = clean_article(clause, text)
        as_json = {"text": text.text, "data": dict(text.data)}
        same = as_json == {"text": clause.text, "data": normalise(clause.key, clause.data)}
    else:
        raise InvalidText("This is the text of another kind of place. Nothing was proposed.")
    if same:
        raise InvalidText(
            "This is the text as it stands. Change it first, then propose the change."
        )
    entry = _write(clause, Kind.PROPOSAL, word, acting_user=acting_user, held=held, at=at)
    proposal = Proposal.objects.create(entry=entry, base_version=base_version, text=as_json)
    _record("change_proposed", clause, entry, word, acting_user=acting_user, held=held, at=at)
    draft_news.written(entry, clause)
    return proposal


# --- Answering --------------------------------------------------------------------------------


@transaction.atomic
def accept(*, proposal: Proposal, acting_user: Person, at: datetime) -> Clause:
    """Put the proposed text in place, as an edit of whoever accepts it.

    Every agreement to the former text is withdrawn. Whoever accepts agrees; so does whoever
    proposed exactly this text, as long as the same person holds the same Office and vetoes nothing.
    Raises ``ProposalOutdated`` where the text is another than it was proposed against.
    """
    proposal, clause = _open_proposal(proposal)
    held = require_party(clause.revision, acting_user, Act.EDIT, at=at)
    _refuse_own(proposal, acting_user, "accepts")
    refuse_settled(clause)
    if clause.version != proposal.base_version:
        raise ProposalOutdated(proposal, clause)
    exactly = _apply(proposal, clause, acting_user=acting_user, held=held, at=at)
    withdrawn = withdraw_agreements(
        clause, because=f"{acting_user.name} accepted a proposed change.", at=at
    )
    agreed = record_stance(clause, stance=Stance.AGREED, held=held, at=at)
    # Whoever vetoes lifts the veto first, and then agrees: what they proposed before is no answer.
    but = [*agreed, *([CFO] if is_vetoed(clause) else [])]
    proposers = _still_held(proposal, but=but, at=at) if exactly else []
    agreed_by_proposer = record_stance(clause, stance=Stance.AGREED, held=proposers, at=at)
    _answer(proposal, Proposal.Answer.ACCEPTED, "", acting_user=acting_user, held=held, at=at)
    _record(
        "proposal_accepted",
        clause,
        proposal.entry,
        "",
        acting_user=acting_user,
        held=held,
        at=at,
        proposed_by=proposal.entry.person_name,
        agreements_withdrawn=withdrawn,
        agreed_by_editor=agreed,
        agreed_by_proposer=agreed_by_proposer,
    )
    draft_news.answered(proposal, clause, acting_user=acting_user, at=at)
    return clause


@transaction.atomic
def decline(*, proposal: Proposal, word: str, acting_user: Person, at: datetime) -> Clause:
    """Decline a proposed change, with a word why. The text stays as it is."""
    proposal, clause = _open_proposal(proposal)
    held = require_party(clause.revision, acting_user, Act.EDIT, at=at)
    _refuse_own(proposal, acting_user, "declines")
    word = word.strip()
    if not word:
        raise ReasonMissing("Say in a word or two why you decline this change.")
    if len(word) > MAX_ANSWER:
        raise InvalidText(
            f"Your answer has {len(word)} characters; {MAX_ANSWER} fit. Shorten it. Nothing was "
            "declined."
        )
    _answer(proposal, Proposal.Answer.DECLINED, word, acting_user=acting_user, held=held, at=at)
    _record(
        "proposal_declined",
        clause,
        proposal.entry,
        word,
        acting_user=acting_user,
        held=held,
        at=at,
        proposed_by=proposal.entry.person_name,
    )
    draft_news.answered(proposal, clause, acting_user=acting_user, at=at)
    return clause


@transaction.atomic
def take_back(*, proposal: Proposal, acting_user: Person, at: datetime) -> Clause:
    """Take an own proposed change back before anybody answered it."""
    proposal, clause = _open_proposal(proposal)
    held = require(acting_user, Act.PROPOSE, on=company_date(at))
    if not same_human(acting_user, proposal.entry.person):
        raise NotYourProposal(
            f"Only {proposal.entry.person_name}, who proposed this change, takes it back. You may "
            "decline it."
        )
    _answer(proposal, Proposal.Answer.TAKEN_BACK, "", acting_user=acting_user, held=held, at=at)
    _record(
        "proposal_taken_back",
        clause,
        proposal.entry,
        "",
        acting_user=acting_user,
        held=held,
        at=at,
    )
    draft_news.answered(proposal, clause, acting_user=acting_user, at=at)
    return clause


# --- Resolving --------------------------------------------------------------------------------


@transaction.atomic
def resolve(*, clause: Clause, acting_user: Person, at: datetime) -> ThreadEntry:
    """Say that a thread is settled. Its words stay; writing in it reopens it."""
    clause, held = _open_thread(clause, Act.COMMENT, acting_user=acting_user, at=at)
    last = ThreadEntry.objects.filter(**about(clause)).last()
    if last is None or last.kind == Kind.RESOLVED:
        raise ThreadAlreadySo(f"Nothing is open in the thread about {clause}.")
    if Proposal.objects.filter(answer=Proposal.Answer.OPEN, **_entry_about(clause)).exists():
        raise ThreadAlreadySo(
            f"A proposed change to {clause} is still open. Accept it, decline it or have it taken "
            "back, then resolve the thread."
        )
    entry = _write(clause, Kind.RESOLVED, "", acting_user=acting_user, held=held, at=at)
    _record("thread_resolved", clause, entry, "", acting_user=acting_user, held=held, at=at)
    return entry


@transaction.atomic
def reopen(*, clause: Clause, acting_user: Person, at: datetime) -> ThreadEntry:
    """Take a resolved thread up again."""
    clause, held = _open_thread(clause, Act.COMMENT, acting_user=acting_user, at=at)
    last = ThreadEntry.objects.filter(**about(clause)).last()
    if last is None or last.kind != Kind.RESOLVED:
        raise ThreadAlreadySo(f"The thread about {clause} is open: just write in it.")
    entry = _write(clause, Kind.REOPENED, "", acting_user=acting_user, held=held, at=at)
    _record("thread_reopened", clause, entry, "", acting_user=acting_user, held=held, at=at)
    return entry


# --- What the verbs share ---------------------------------------------------------------------


def _fresh(clause: Clause, revision: Revision) -> Clause:
    """The clause as it stands under the lock that ``revision`` was read with."""
    found: Clause
    if isinstance(clause, Row):
        found = Row.every.select_related("function").get(pk=clause.pk)
        _refuse_removed(found)
    else:
        found = Article.objects.get(pk=clause.pk)
    found.revision = revision
    return found


def _refuse_removed(clause: Clause) -> None:
    if isinstance(clause, Row) and clause.removed_at is not None:
        raise InvalidText(
            f"{clause} was removed from this draft, so its thread is closed. Add its function "
            "again to take it up."
        )


def _open_thread(
    clause: Clause, act: Act, *, acting_user: Person, at: datetime
) -> tuple[Clause, Sequence[Appointment]]:
    revision = locked_draft(clause.revision)
    held = require(acting_user, act, on=company_date(at))
    return _fresh(clause, revision), held


def _entry_about(clause: Clause) -> dict[str, Clause]:
    return {f"entry__{name}": value for name, value in about(clause).items()}


def _checked(text: str) -> str:
    text = text.replace("\r\n", "\n").strip()
    if len(text) > MAX_CHARACTERS:
        raise InvalidText(
            f"This has {len(text)} characters; {MAX_CHARACTERS} fit. Shorten it, or split it in "
            "two. Nothing was sent."
        )
    return text


def _write(
    clause: Clause,
    kind: Kind,
    text: str,
    *,
    acting_user: Person,
    held: Sequence[Appointment],
    at: datetime,
) -> ThreadEntry:
    return ThreadEntry.objects.create(
        revision=clause.revision,
        **about(clause),
        kind=kind,
        text=text,
        mentions=mentions_in(text, mentionable()) if "@" in text else [],
        person=acting_user,
        person_name=acting_user.name,
        person_office=held[0].title,
        office=held[0].office.key,
        written_at=at,
    )


def _record(
    done: str,
    clause: Clause,
    entry: ThreadEntry,
    text: str,
    *,
    acting_user: Person,
    held: Sequence[Appointment],
    at: datetime,
    **data: object,
) -> None:
    kind = "row" if isinstance(clause, Row) else "article"
    record_event(
        f"{kind}.{done}",
        clause,
        acting_user=acting_user,
        held=held,
        at=at,
        reason=text,
        entry=entry.pk,
        **data,
    )


def _open_proposal(proposal: Proposal) -> tuple[Proposal, Clause]:
    """The proposal, not yet answered, and its clause as it stands, under the draft's lock."""
    revision = locked_draft(proposal.entry.revision)
    proposal = Proposal.objects.select_related(
        "entry__row__function", "entry__article", "entry__person"
    ).get(pk=proposal.pk)
    if proposal.answer != Proposal.Answer.OPEN:
        raise ProposalAnswered(proposal)
    clause = proposal.entry.row or proposal.entry.article
    assert clause is not None  # noqa: S101 - the check constraint says one of them is set
    clause.revision = revision
    _refuse_removed(clause)
    return proposal, clause


def _refuse_own(proposal: Proposal, acting_user: Person, verb: str) -> None:
    if same_human(acting_user, proposal.entry.person):
        raise NotYourProposal(
            f"Whoever proposes a change takes it back; one of the others {verb} it."
        )


def is_vetoed(clause: Clause) -> bool:
    return (
        isinstance(clause, Row)
        and clause.vetoes.filter(lifted_at__isnull=True, ordered_at__isnull=True).exists()
    )


def proposed_text(proposal: Proposal, clause: Clause) -> RowText | ArticleText:
    if isinstance(clause, Row):
        return row_text_from_json(proposal.text)
    return ArticleText(text=proposal.text["text"], data=proposal.text["data"])


def _apply(
    proposal: Proposal,
    clause: Clause,
    *,
    acting_user: Person,
    held: Sequence[Appointment],
    at: datetime,
) -> bool:
    """Write the proposed text; whether what stands now is exactly what was proposed."""
    text = proposed_text(proposal, clause)
    if isinstance(clause, Row) and isinstance(text, RowText):
        write_row(clause, text, acting_user=acting_user, held=held, at=at)
        return row_json(row_text(clause)) == row_json(row_text_from_json(proposal.text))
    assert isinstance(clause, Article) and isinstance(text, ArticleText)  # noqa: S101 - tells the type checker
    write_article(clause, text, acting_user=acting_user, held=held, at=at)
    return bool(article_json(clause) == proposal.text)


def _still_held(proposal: Proposal, *, but: Sequence[str], at: datetime) -> list[Appointment]:
    """The Office for which a change was proposed, where the same person still acts for it."""
    entry = proposal.entry
    return [
        one
        for one in entitling_appointments(entry.person, Act.AGREE, on=company_date(at))
        if one.office.key == entry.office and one.office.key not in but
    ]


def _answer(
    proposal: Proposal,
    answer: Proposal.Answer,
    word: str,
    *,
    acting_user: Person,
    held: Sequence[Appointment],
    at: datetime,
) -> None:
    proposal.answer = answer
    proposal.answered_by = acting_user
    proposal.answered_by_name = acting_user.name
    proposal.answered_by_office = held[0].title
    proposal.answered_at = at
    proposal.answer_word = word
    proposal.save(
        update_fields=[
            "answer",
            "answered_by",
            "answered_by_name",
            "answered_by_office",
            "answered_at",
            "answer_word",
        ]
    )


# --- In short ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class ThreadSummary:
    """What the board shows of a thread before it is opened."""

    comments: int = 0
    unread: int = 0
    open_proposals: int = 0
    resolved: bool = False


def unheard_entries(reader: Person) -> set[int]:
    """The thread entries of which the reader has unread news."""
    keys = Notice.objects.filter(
        person=reader, read_at__isnull=True, kind__in=["comment", "proposal", "mention"]
    ).values_list("key", flat=True)
    numbers = (key.rpartition("-")[2] for key in keys)
    return {int(number) for number in numbers if number.isdecimal()}


def thread_summaries(revision: Revision, reader: Person) -> Mapping[Row | Article, ThreadSummary]:
    """The threads of a draft that have entries, by clause.

    New is what others wrote since the reader last looked, and what news of it they did not read:
    a look at the row alone does not open its thread. Three queries, however long the threads are.
    """
    unheard = unheard_entries(reader)
    looked = {
        (row, article): at
        for row, article, at in Look.objects.filter(revision=revision, person=reader).values_list(
            "row_id", "article_id", "looked_at"
        )
    }
    found: dict[tuple[int | None, int | None], ThreadSummary] = {}
    entries = ThreadEntry.objects.filter(revision=revision).order_by("written_at", "pk")
    for pk, row, article, kind, person, at, answer in entries.values_list(
        "pk", "row_id", "article_id", "kind", "person_id", "written_at", "proposal__answer"
    ):
        before = found.get((row, article), ThreadSummary())
        seen = looked.get((row, article))
        words = kind in (Kind.COMMENT, Kind.PROPOSAL)
        found[row, article] = ThreadSummary(
            comments=before.comments + words,
            unread=before.unread
            + (words and person != reader.pk and (seen is None or at > seen or pk in unheard)),
            open_proposals=before.open_proposals + (answer == Proposal.Answer.OPEN),
            # Whatever is written later takes it up again.
            resolved=kind == Kind.RESOLVED,
        )
    return {
        (Row(pk=row) if row is not None else Article(pk=article)): one
        for (row, article), one in found.items()
    }
