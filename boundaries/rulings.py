"""Rulings of the CEO: applied to a row of a draft, or binding as an interim decision.

A ruling about a draft settles the row, which is then locked to it. One about what is in force binds
at once, beside the sealed text: look-ups answer by it from that day. It enters the open draft, or
the next one, and ends as an interim decision when a Revision that carries it comes in force. A
ruling about a draft binds in the same way once a party declines to sign that draft.

No ruling lifts a CFO veto: a vetoed row stays blocked, whatever terms it has.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.db.models import Max, QuerySet

from functions_catalog import ownership
from functions_catalog.errors import AllocatedElsewhere
from functions_catalog.ownership import Answer, AnswerPart, OwnershipChange
from people.calendar import company_date
from people.models import Person
from people.offices import CEO, HYBRID
from people.permissions import Act, require
from people.queries import offices_stay
from sealing.fonts import undrawable

from . import dispute_mails as mails
from . import disputes
from .activity import touch
from .agreeing import about, refuse_settled
from .blockers import allocated_elsewhere
from .dispute_errors import OwnCause, PagesStaySealed
from .drafting import RowText, clean_row, row_json, row_text, row_text_from_json, write_row
from .errors import InvalidText, ReasonMissing
from .models import Agreement, Dispute, Document, Revision, Row, Ruling
from .states import ANSWERING, State
from .template import add_row_with_text

MAX_RATIONALE = 4000

log = logging.getLogger(__name__)


@transaction.atomic
def rule(
    *, dispute: Dispute, terms: RowText, rationale: str, acting_user: Person, at: datetime
) -> Ruling:
    """The CEO decides owner and terms of the row, with a rationale, once the pages are open."""
    dispute = disputes.locked(dispute)
    offices_stay([CEO])
    held = require(acting_user, Act.RULE, on=company_date(at))
    _refuse_own_cause(dispute, acting_user)
    if not dispute.shows_pages(at):
        raise PagesStaySealed(
            "The pages are still sealed. They open when the last one is filed or waived, or when "
            "the time is up; rule after that."
        )
    rationale = rationale.replace("\r\n", "\n").strip()
    if not rationale:
        raise ReasonMissing("Write your rationale: all parties read it, and it stays.")
    if len(rationale) > MAX_RATIONALE:
        raise InvalidText(f"The rationale has {len(rationale):,} characters; 4,000 fit.")
    terms = checked(terms, dispute)
    # Before the first event: who owns a function is written under its lock.
    ownership.locked_functions([dispute.function.key])
    if dispute.in_force:
        _refuse_allocated_elsewhere(dispute)
    disputes.open_if_due(dispute, at=at)
    ruling = Ruling.objects.create(
        dispute=dispute,
        terms=row_json(terms),
        rationale=rationale,
        person=acting_user,
        person_name=acting_user.name,
        person_office=held[0].title,
        appointment=held[0],
        ruled_at=at,
        interim_from=at if dispute.in_force else None,
    )
    disputes.end(dispute, Dispute.Outcome.RULED, at=at)
    change = None
    if dispute.in_force:
        change = _bind(ruling, at=at)
        draft = dispute.document.revisions.filter(state=State.DRAFT).first()
        if draft is not None:
            draft.document = dispute.document
            enter_draft(draft, at=at)
    else:
        refuse_settled(dispute.row)
        _apply(ruling, dispute.row, at=at)
    disputes.record(
        "dispute.ruled",
        dispute,
        acting_user=acting_user,
        held=held,
        at=at,
        personal_text=rationale,
        terms=row_json(terms),
        interim=dispute.in_force,
    )
    mails.ruled(ruling, change=change, at=at)
    return ruling


def _refuse_own_cause(dispute: Dispute, person: Person) -> None:
    """Whoever opened it or wrote a page as a party, in whichever account, rules on no page."""
    parties = {one.person.human_id for one in dispute.pages.select_related("person")}
    if person.human_id in parties | {dispute.opened_by.human_id}:
        raise OwnCause(
            f"You took part in {dispute} as a party, so you do not rule on it. Have the Corporate "
            "Secretary name another person Acting CEO."
        )


def _refuse_allocated_elsewhere(dispute: Dispute) -> None:
    """A decision must not take a function from another document, in force or approved.

    For callers that have locked the function.
    """
    clash = allocated_elsewhere(dispute.revision, [dispute.row])
    if clash:
        raise AllocatedElsewhere(
            f"{dispute.function.name} belongs to {clash[0].document} by now, so no decision beside "
            f"{dispute.revision.reference} binds. Have the parties withdraw the dispute and open "
            "it on that document. Nothing was ruled."
        )


def checked(terms: RowText, dispute: Dispute) -> RowText:
    """The terms as a row keeps them. Raises ``InvalidText``: what is locked must be freezable."""
    terms = clean_row(terms, dispute.revision)
    if terms.left_out_reason:
        raise InvalidText("A ruling names an owner; it leaves no function out.")
    if not terms.owner:
        raise InvalidText("Say who owns it: one Office, or parts with one owner each.")
    if terms.owner == HYBRID:
        if len(terms.sub_scopes) < 2:
            raise InvalidText("Name at least two parts, or one owner for the whole function.")
        if unowned := next((one.name for one in terms.sub_scopes if not one.owner), ""):
            raise InvalidText(f"The part “{unowned}” has no owner. “Shared” is not an owner.")
    if not terms.scope_in.strip():
        raise InvalidText("Write the scope in: what its owner does.")
    texts = [terms.scope_in, terms.scope_out, terms.rationale]
    strange = undrawable("\n".join([*texts, *(one.name for one in terms.sub_scopes)]))
    if strange:
        raise InvalidText(
            f"The document's fonts cannot draw: {' '.join(strange[:5])}. Write it in other "
            "characters."
        )
    if not dispute.function.is_active:
        raise InvalidText(
            f"The catalog has retired {dispute.function.name}: it goes out of the boundary with a "
            "reason. Have the parties withdraw the dispute."
        )
    return terms


# --- In a draft -------------------------------------------------------------------------------


def _apply(ruling: Ruling, row: Row, *, at: datetime) -> None:
    """Put the terms in a draft's row and lock it to the ruling; contests and agreements end."""
    terms = row_text_from_json(ruling.terms)
    if row_text(row) != terms:
        write_row(row, terms, acting_user=ruling.person, held=[ruling.appointment], at=at)
    row.ruling, row.order, row.carried = ruling, None, False
    row.save(update_fields=["ruling", "order", "carried"])
    Agreement.objects.filter(**about(row), withdrawn_at__isnull=True).update(
        withdrawn_at=at,
        withdrawn_because=f"Settled by the CEO's ruling in dispute {ruling.dispute_id}.",
    )
    touch(row.revision, row)


def enter_draft(draft: Revision, *, at: datetime) -> list[Ruling]:
    """Put every interim decision of the document into its draft, each locked; returns those put.

    For verbs that hold the document's lock: when a ruling binds while a draft is open, when an
    amendment is opened, and when a frozen text is a draft again. Doing it twice is once.
    """
    entered = []
    for ruling in _interim(draft.document).order_by("ruled_at", "pk"):
        row = (
            Row.every.select_related("function", "ruling", "order")
            .filter(revision=draft, function=ruling.dispute.function_id)
            .first()
        )
        if row is not None and row.removed_at is None and not _is_later(ruling, row):
            continue
        try:
            terms = clean_row(row_text_from_json(ruling.terms), draft)
        except InvalidText as problem:
            # An Office of the terms is no longer established: the parties negotiate the row.
            log.warning("%s does not enter %s: %s", ruling, draft, problem)
            continue
        if not ruling.dispute.function.is_active:
            continue
        if row is None:
            row = _added_row(draft, ruling.dispute, terms)
        row.revision = draft
        if row.removed_at is not None:
            row.removed_at = None
            row.save(update_fields=["removed_at"])
        _apply(ruling, row, at=at)
        disputes.record(
            "ruling.entered_draft", ruling.dispute, acting_user=None, at=at, draft=draft.reference
        )
        entered.append(ruling)
    return entered


def _is_later(ruling: Ruling, row: Row) -> bool:
    """Whether the ruling is newer than what the CEO settled the row by, if by anything."""
    if row.ruling is not None:
        return row.ruling.ruled_at < ruling.ruled_at and row.ruling_id != ruling.pk
    if row.order is not None and row.order.ordered_at is not None:
        return row.order.ordered_at < ruling.ruled_at
    return True


def _added_row(draft: Revision, dispute: Dispute, terms: RowText) -> Row:
    every = Row.every.filter(revision=draft)
    last = every.aggregate(position=Max("position"), place=Max("place"))
    taken = every.filter(position=dispute.row.position).exists()
    position = (last["position"] or 0) + 1 if taken else dispute.row.position
    return add_row_with_text(
        draft, dispute.function, terms, position=position, place=(last["place"] or 0) + 1
    )


# --- As an interim decision -------------------------------------------------------------------


def _interim(document: Document) -> "QuerySet[Ruling]":
    return Ruling.objects.filter(
        dispute__document=document, interim_from__isnull=False, interim_until__isnull=True
    ).select_related("dispute__function", "dispute__row", "dispute__document", "person")


def answer_of(ruling: Ruling, beside: Revision | None) -> Answer:
    """What look-ups say by the ruling, citing the Revision in force that it stands beside."""
    dispute, terms = ruling.dispute, row_text_from_json(ruling.terms)
    row = None
    if beside is not None:
        row = beside.rows.filter(function=dispute.function_id).first()
    revision = beside or dispute.revision
    return Answer(
        function_key=dispute.function.key,
        name=dispute.function.name,
        owner=terms.owner,
        sub_scopes=tuple(AnswerPart(one.key, one.name, one.owner) for one in terms.sub_scopes),
        scope_in=terms.scope_in,
        scope_out=terms.scope_out,
        consulted=tuple(terms.consulted),
        informed=tuple(terms.informed),
        rationale=terms.rationale,
        veto=dispute.function.touches_financial_reporting,
        document_number=dispute.document.number,
        document_title=dispute.document.title,
        revision_number=revision.number,
        article_reference=(row or dispute.row).reference,
        decision=f"dispute-{dispute.pk}",
    )


def _bind(ruling: Ruling, *, at: datetime) -> OwnershipChange:
    """Let look-ups answer by the ruling from today; an earlier interim decision ends."""
    dispute = ruling.dispute
    beside = dispute.document.revisions.filter(state__in=ANSWERING).first()
    change = ownership.bind(answer=answer_of(ruling, beside), from_date=company_date(at), at=at)
    former = _interim(dispute.document).filter(dispute__function=dispute.function_id)
    for one in former.exclude(pk=ruling.pk):
        Ruling.objects.filter(pk=one.pk).update(interim_until=at)
    return change


def would_bind_declined(revision: Revision) -> list[Ruling]:
    """The rulings in a frozen text that bind as interim decisions once a party declines it.

    None about a function of which the CEO has decided anew since: that binds already.
    """
    waiting = (
        Ruling.objects.filter(rows__revision=revision, interim_from__isnull=True)
        .select_related("dispute__function", "dispute__row", "dispute__document", "person")
        .order_by("pk")
    )
    newest = {
        one.dispute.function_id: one.ruled_at for one in standing_decisions(revision.document)
    }
    return [
        one for one in waiting if one.ruled_at >= newest.get(one.dispute.function_id, one.ruled_at)
    ]


def bind_declined(revision: Revision, *, at: datetime) -> None:
    """A party declines the text that holds rulings: those bind now, as interim decisions.

    For ``workflow.decline``, before it records anything and before the text is a draft again.
    """
    waiting = would_bind_declined(revision)
    ownership.locked_functions(one.dispute.function.key for one in waiting)
    for ruling in waiting:
        ruling.dispute.revision = revision
        try:
            _refuse_allocated_elsewhere(ruling.dispute)
            change = _bind(ruling, at=at)
        except AllocatedElsewhere as clash:
            # Nothing can be frozen or come in force with it either: the parties are told there.
            log.warning("%s does not bind: %s", ruling, clash)
            continue
        ruling.interim_from = at
        ruling.save(update_fields=["interim_from"])
        disputes.record("ruling.bound", ruling.dispute, acting_user=None, at=at)
        mails.bound(ruling, change=change, at=at)


def interim_functions(document: Document) -> list[str]:
    """The keys of the functions for which an interim decision of the document stands."""
    return list(_interim(document).values_list("dispute__function__key", flat=True))


def _not_carried(revision: Revision) -> list[Ruling]:
    """The interim decisions that bind on beside ``revision``, whose text does not hold them.

    About a function that the catalog has retired none does: it goes out of every boundary.
    """
    rows = {
        one.function_id: one
        for one in revision.rows.select_related("function").prefetch_related("sub_scopes")
    }
    return [
        one
        for one in _interim(revision.document)
        if one.dispute.function.is_active and not _holds(rows.get(one.dispute.function_id), one)
    ]


def _holds(row: Row | None, ruling: Ruling) -> bool:
    if row is None:
        return False
    return row.ruling_id == ruling.pk or row_text(row) == row_text_from_json(ruling.terms)


def come_in_force(revision: Revision, change: OwnershipChange, *, at: datetime) -> OwnershipChange:
    """After a Revision came in force: what it carries is text now; what it does not binds on.

    A text that was frozen before a ruling does not undo it: the ruling stands beside the new text
    until a Revision holds it. Returns what changed for the owners in the end. For
    ``workflow.bring_into_force``, with the functions of ``interim_functions`` locked.
    """
    left = {one.pk: one for one in _not_carried(revision)}
    for ruling in _interim(revision.document):
        if ruling.pk not in left:
            ruling.interim_until = at
            ruling.save(update_fields=["interim_until"])
            disputes.record(
                "ruling.in_boundary",
                ruling.dispute,
                acting_user=None,
                at=at,
                boundary=revision.reference,
            )
    bound: dict[str, Answer] = {}
    for ruling in left.values():
        answer = answer_of(ruling, revision)
        ownership.bind(answer=answer, from_date=company_date(at), at=at)
        bound[answer.function_key] = answer
    if not bound:
        return change
    changes = {one.function_key: one for one in change.changes}
    return OwnershipChange(
        tuple(
            replace(one, after=bound[key]) if key in bound else one for key, one in changes.items()
        )
    )


def expected_beside(revision: Revision) -> Mapping[str, Answer]:
    """The interim decisions that will still bind when an approved Revision comes in force."""
    return {one.dispute.function.key: answer_of(one, revision) for one in _not_carried(revision)}


def standing_decisions(document: Document) -> list[Ruling]:
    """The interim decisions of a document that stand today, in the order of its rows."""
    return list(_interim(document).order_by("dispute__row__position"))
