"""Disputes: a party escalates a row, each party files one page, the CEO rules.

::

    escalate, escalate_in_force
        |  pages: saved, filed or waived by each party within 2 business days, sealed from all
        v
    pages open (the last is in, or the time is up)  --rulings.rule, within 5 business days-->  RULED
        |
        +-- settle: every party gives its word -->  WITHDRAWN
        +-- the draft is withdrawn             -->  LAPSED

An open dispute about a row of a draft blocks freezing it; one about what is in force blocks none.
Each verb is one transaction under the lock of the document, with one audit event. The text of a
page stands in no event before the pages open.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction

import audit
from functions_catalog.models import Function
from functions_catalog.ownership import answer_on
from people.calendar import add_business_days, closing_time, company_country, company_date
from people.models import Appointment, Person
from people.offices import HYBRID, office_short
from people.permissions import Act, entitling_appointments, require
from people.queries import accounts_of

from . import dispute_mails as mails
from .activity import touch
from .agreeing import about, refuse_settled
from .dispute_errors import (
    AlreadyDisputed,
    DeciderIsNamed,
    DisputeEnded,
    NoDispute,
    NotAPartyToIt,
    NotSettled,
    PageIsFinal,
    PagesAreClosed,
    PagesStaySealed,
)
from .errors import InvalidText, ReasonMissing
from .locking import locked_revision, reread
from .models import Agreement, Dispute, DisputePage, DisputeSettlement, Revision, Row
from .parties import absences, parties_of, party_offices, possible_owners, require_party
from .states import ANSWERING, Stance, State

PAGES_WITHIN = 2  # business days
RULE_WITHIN = 5
IN_FORCE, NATURAL, NAMED = "in_force", "natural", "named"


def open_disputes(revision: Revision) -> Mapping[int, Dispute]:
    """The open disputes about rows of ``revision``, by the row's id. One query."""
    found = revision.disputes.filter(outcome=Dispute.Outcome.OPEN).select_related("function")
    return {one.row_id: one for one in found}


# --- What every verb does ---------------------------------------------------------------------


def locked(dispute: Dispute) -> Dispute:
    """Re-read a dispute under the lock of its document; refuse one that is over."""
    revision = locked_revision(dispute.revision)
    found = Dispute.objects.select_for_update(of=("self",)).select_related(
        "function", "row__function", "document"
    )
    dispute = found.get(pk=dispute.pk)
    dispute.revision = revision
    dispute.row.revision = revision
    if not dispute.is_open:
        raise DisputeEnded(dispute)
    return dispute


def record(
    event: str,
    dispute: Dispute,
    *,
    acting_user: Person | None,
    held: Sequence[Appointment] = (),
    at: datetime,
    personal_text: str = "",
    **data: Any,
) -> None:
    """The one audit event of a verb on a dispute; boards that are open hear of it."""
    if dispute.revision.state == State.DRAFT:
        touch(dispute.revision, dispute.row)
    audit.record(
        event,
        at=at,
        actor=acting_user,
        office=held[0].office.key if held else "",
        appointment_id=held[0].pk if held else None,
        object_type="dispute",
        object_id=str(dispute.pk),
        object_version=dispute.revision.reference,
        data={"revision": dispute.revision.reference, "row": str(dispute.row), **data},
        personal_text=personal_text,
    )


def parties_held(dispute: Dispute, person: Person, *, at: datetime) -> list[Appointment]:
    """The appointments by which ``person`` speaks for a party of the dispute (may be none)."""
    held = entitling_appointments(person, Act.ESCALATE, on=company_date(at))
    return [one for one in held if one.office.key in dispute.parties]


def needed_parties(dispute: Dispute) -> set[str]:
    """The parties whose page and word count today: nobody speaks for an Office that is gone."""
    return set(dispute.parties) - {one.office.key for one in absences()}


def _require_party(dispute: Dispute, person: Person, *, at: datetime) -> list[Appointment]:
    require(person, Act.ESCALATE, on=company_date(at))
    held = parties_held(dispute, person, at=at)
    if not held:
        offices = ", ".join(office_short(key) for key in dispute.parties)
        raise NotAPartyToIt(f"Only a party speaks in this dispute: {offices}.")
    return held


# --- Opening ----------------------------------------------------------------------------------


@transaction.atomic
def escalate(*, row: Row, question: str, acting_user: Person, at: datetime) -> Dispute:
    """Bring a contested row of a draft to the CEO, with a neutral question."""
    revision = locked_revision(row.revision)
    parties = party_offices(revision)
    held = require_party(revision, acting_user, Act.ESCALATE, at=at, parties=parties)
    if revision.state != State.DRAFT:
        raise NoDispute(
            f"{revision.reference} is no draft: no dispute opens on it. A party that cannot sign "
            "it declines with a reason; what is in force is disputed on its own page."
        )
    row = reread(row, revision)
    refuse_settled(row)
    contests = Agreement.objects.filter(row=row, withdrawn_at__isnull=True, stance=Stance.CONTESTED)
    if not contests.exists():
        raise NoDispute(
            f"Nobody contests {row}. Contest it with a reason first. A CFO veto is no dispute: no "
            "ruling lifts it."
        )
    return _begin(
        row, parties, question=question, reason="", acting_user=acting_user, held=held, at=at
    )


@transaction.atomic
def escalate_in_force(
    *, row: Row, question: str, reason: str, acting_user: Person, at: datetime
) -> Dispute:
    """Dispute a row of what is in force, with the reason; it blocks no draft."""
    revision = locked_revision(row.revision)
    parties = parties_of(revision)
    held = require_party(revision, acting_user, Act.ESCALATE, at=at, parties=parties)
    if revision.state not in ANSWERING:
        raise NoDispute(
            f"{revision.reference} is not in force. Dispute a contested row of the draft, or the "
            "version that is in force."
        )
    reason = reason.strip()
    if not reason:
        raise ReasonMissing("Say in a sentence or two why the row in force cannot stay so.")
    row = reread(row, revision)
    if row.left_out_reason:
        raise NoDispute(f"{row} is left out of what is in force. Ask for an amendment instead.")
    return _begin(
        row, parties, question=question, reason=reason, acting_user=acting_user, held=held, at=at
    )


def _begin(
    row: Row,
    parties: Sequence[str],
    *,
    question: str,
    reason: str,
    acting_user: Person,
    held: Sequence[Appointment],
    at: datetime,
) -> Dispute:
    question = " ".join(question.split())
    if not question:
        raise ReasonMissing("Ask the CEO one neutral question, such as “Who answers disputes?”")
    if len(question) > 200:
        raise InvalidText(f"The question has {len(question)} characters; 200 fit.")
    revision, today, country = row.revision, company_date(at), company_country()
    standing = Dispute.objects.filter(
        document=revision.document_id, function=row.function, outcome=Dispute.Outcome.OPEN
    ).first()
    if standing is not None:
        raise AlreadyDisputed(standing)
    missing = {one.office.key for one in absences()}
    decider, because = interim_decider(row.function, today=today)
    dispute = Dispute.objects.create(
        document=revision.document,
        revision=revision,
        row=row,
        function=row.function,
        in_force=revision.state != State.DRAFT,
        question=question,
        reason=reason,
        # Nobody speaks for an Office that the company does not have.
        parties=[key for key in parties if key not in missing],
        interim_decider=decider,
        interim_because=because,
        opened_by=acting_user,
        opened_by_name=acting_user.name,
        opened_by_office=held[0].title,
        opened_at=at,
        pages_due_at=closing_time(add_business_days(today, PAGES_WITHIN, country=country)),
    )
    record(
        "dispute.opened",
        dispute,
        acting_user=acting_user,
        held=held,
        at=at,
        personal_text="\n\n".join(filter(None, [question, reason])),
        in_force=dispute.in_force,
        parties=dispute.parties,
        interim_decider=decider,
        pages_due_at=dispute.pages_due_at.isoformat(),
    )
    mails.opened(dispute, at=at)
    return dispute


def interim_decider(function: Function, *, today: date) -> tuple[str, str]:
    """Who decides until a ruling, and because of what: an Office, "hybrid" or nobody, and a word.

    The owner in force; else the natural owner; else the CEO has to name one. Of an Office that is
    not established, the one that takes its part. "hybrid": each owner decides its own part.
    """
    answer = answer_on(function, today)
    heirs = {one.office.key: one.part_goes_to.key for one in absences()}
    if answer is not None:
        return heirs.get(answer.owner, answer.owner), IN_FORCE
    owner = heirs.get(function.natural_owner, function.natural_owner)
    if owner == HYBRID:
        return (HYBRID, NATURAL) if function.sub_scopes.exists() else ("", "")
    return (owner, NATURAL) if owner else ("", "")


def owners_changed(keys: Collection[str], *, at: datetime) -> None:
    """Let the owner of today decide in the open disputes about these functions.

    For the verb that changed who owns them, in its transaction: the owner in force comes before the
    natural owner and before whom the CEO named.
    """
    today = company_date(at)
    open_ones = Dispute.objects.filter(outcome=Dispute.Outcome.OPEN, function__key__in=keys)
    for dispute in open_ones.select_related("function", "row__function", "revision"):
        decider, because = interim_decider(dispute.function, today=today)
        if because != IN_FORCE or (decider, because) == (
            dispute.interim_decider,
            dispute.interim_because,
        ):
            continue
        dispute.interim_decider, dispute.interim_because = decider, because
        dispute.save(update_fields=["interim_decider", "interim_because"])
        dispute.row.revision = dispute.revision
        record(
            "dispute.interim_decider_changed",
            dispute,
            acting_user=None,
            at=at,
            interim_decider=decider,
        )
        mails.decider_changed(dispute, at=at)


@transaction.atomic
def name_interim_decider(
    *, dispute: Dispute, office: str, acting_user: Person, at: datetime
) -> Dispute:
    """The CEO names who decides until the ruling, where neither text nor catalog has an owner."""
    dispute = locked(dispute)
    held = require(acting_user, Act.RULE, on=company_date(at))
    if dispute.interim_because not in ("", NAMED):
        raise DeciderIsNamed(
            f"Until the ruling the {office_short(dispute.interim_decider)} decides, as the owner. "
            "You name somebody only where nobody owns the function."
        )
    if office not in possible_owners():
        raise InvalidText("Choose an Office that may own a function.")
    dispute.interim_decider, dispute.interim_because = office, NAMED
    dispute.save(update_fields=["interim_decider", "interim_because"])
    record(
        "dispute.interim_decider_named",
        dispute,
        acting_user=acting_user,
        held=held,
        at=at,
        interim_decider=office,
    )
    mails.decider_named(dispute, at=at)
    return dispute


# --- Pages ------------------------------------------------------------------------------------


def _own_page(
    dispute: Dispute, office: str, acting_user: Person, *, at: datetime
) -> tuple[DisputePage, Appointment]:
    """The page of an own Office, still to be filed: as saved, or a new one."""
    held = _require_party(dispute, acting_user, at=at)
    by = next((one for one in held if one.office.key == office), None)
    if by is None:
        raise NotAPartyToIt(
            f"You do not act for the {office_short(office)}, so its page is not yours."
        )
    page = dispute.pages.filter(office=office).first()
    if page is not None and (page.filed_at or page.waived_at):
        what = "filed" if page.filed_at else "waived"
        raise PageIsFinal(f"The {office_short(office)} has {what} its page. That is final.")
    if dispute.shows_pages(at):
        raise PagesAreClosed(
            "The time for pages is over and all of them are open. The page counts as waived; "
            "nothing was filed."
        )
    if page is None:
        page = DisputePage(dispute=dispute, office=office)
    page.person, page.person_name = acting_user, acting_user.name
    page.person_office, page.appointment = by.title, by
    page.saved_at = at
    return page, by


def _page_text(text: str) -> str:
    text = text.replace("\r\n", "\n").strip()
    if len(text) > DisputePage.MAX_CHARACTERS:
        raise InvalidText(
            f"Your page has {len(text):,} characters; {DisputePage.MAX_CHARACTERS:,} fit. "
            "Nothing was saved: shorten it and save again."
        )
    return text


@transaction.atomic
def save_page(
    *, dispute: Dispute, office: str, text: str, acting_user: Person, at: datetime
) -> DisputePage:
    """Keep what is written of a page; only its writer sees it. No event: nothing has happened."""
    dispute = locked(dispute)
    page, _by = _own_page(dispute, office, acting_user, at=at)
    page.text = _page_text(text)
    page.save()
    return page


@transaction.atomic
def file_page(
    *, dispute: Dispute, office: str, text: str, acting_user: Person, at: datetime
) -> DisputePage:
    """File a party's page: final. The last one opens all of them."""
    dispute = locked(dispute)
    page, by = _own_page(dispute, office, acting_user, at=at)
    page.text = _page_text(text)
    if not page.text:
        raise ReasonMissing("Your page is empty. Write what you ask for, or waive it.")
    page.filed_at = at
    page.save()
    record(
        "dispute.page_filed", dispute, acting_user=acting_user, held=[by], at=at, office_of=office
    )
    _open_if_all_in(dispute, at=at)
    return page


@transaction.atomic
def waive_page(*, dispute: Dispute, office: str, acting_user: Person, at: datetime) -> DisputePage:
    """A party files no page: final. What it had saved is gone."""
    dispute = locked(dispute)
    page, by = _own_page(dispute, office, acting_user, at=at)
    page.text, page.waived_at = "", at
    page.save()
    record(
        "dispute.page_waived", dispute, acting_user=acting_user, held=[by], at=at, office_of=office
    )
    _open_if_all_in(dispute, at=at)
    return page


def may_read(page: DisputePage, reader: Person, *, dispute: Dispute, at: datetime) -> bool:
    """Whether ``reader`` may see the text: its writer always, others once the pages are open.

    A page that nobody filed is its writer's alone for ever.
    """
    if page.filed_at is not None and dispute.shows_pages(at):
        return True
    return page.person_id in accounts_of(reader)


def _all_in(dispute: Dispute) -> bool:
    done = dispute.pages.exclude(filed_at__isnull=True, waived_at__isnull=True)
    return needed_parties(dispute) <= set(done.values_list("office", flat=True))


def _open_if_all_in(dispute: Dispute, *, at: datetime) -> None:
    if _all_in(dispute):
        _open(dispute, at=at)


@transaction.atomic
def open_pages(*, dispute: Dispute, at: datetime) -> Dispute:
    """The clock's verb: the time is up. Whatever was not filed is waived."""
    dispute = locked(dispute)
    if dispute.pages_opened_at is None:
        if not (dispute.shows_pages(at) or _all_in(dispute)):
            raise PagesStaySealed("Not all pages are in and there is time left: they stay sealed.")
        _open(dispute, at=at)
    return dispute


def open_if_due(dispute: Dispute, *, at: datetime) -> None:
    """For verbs that come before the clock's next round: the time is up since a moment."""
    if dispute.pages_opened_at is None and dispute.shows_pages(at):
        _open(dispute, at=at)


def _open(dispute: Dispute, *, at: datetime) -> None:
    # However late the clock comes: they have been open to readers since the time was up.
    dispute.pages_opened_at = min(at, dispute.pages_due_at)
    day = add_business_days(
        company_date(dispute.pages_opened_at), RULE_WITHIN, country=company_country()
    )
    dispute.ruling_due_at = closing_time(day)
    dispute.save(update_fields=["pages_opened_at", "ruling_due_at"])
    filed = {one.office: one for one in dispute.pages.filter(filed_at__isnull=False)}
    texts = [
        f"{office_short(key)}, {filed[key].person_name}:\n{filed[key].text}"
        for key in dispute.parties
        if key in filed
    ]
    record(
        "dispute.pages_opened",
        dispute,
        acting_user=None,
        at=at,
        personal_text="\n\n".join(texts),
        filed=[key for key in dispute.parties if key in filed],
        ruling_due_at=dispute.ruling_due_at.isoformat(),
    )
    mails.pages_opened(dispute, at=at)


# --- Ending without a ruling ------------------------------------------------------------------


@transaction.atomic
def settle(*, dispute: Dispute, acting_user: Person, at: datetime) -> Dispute:
    """A party's word that the dispute be withdrawn; once every party has given it, it is.

    Said again it ends a dispute in which the only word missing was that of an Office now gone.
    """
    dispute = locked(dispute)
    held = _require_party(dispute, acting_user, at=at)
    open_if_due(dispute, at=at)
    live = dispute.settlements.filter(taken_back_at__isnull=True)
    given = set(live.values_list("office", flat=True))
    fresh = [one for one in held if one.office.key not in given]
    given |= {one.office.key for one in fresh}
    ends = given >= needed_parties(dispute)
    if not fresh and not ends:
        return dispute
    DisputeSettlement.objects.bulk_create(
        DisputeSettlement(
            dispute=dispute,
            office=one.office.key,
            person=acting_user,
            person_name=acting_user.name,
            person_office=one.title,
            given_at=at,
        )
        for one in fresh
    )
    if ends:
        end(dispute, Dispute.Outcome.WITHDRAWN, at=at)
    record(
        "dispute.withdrawn" if ends else "dispute.settled",
        dispute,
        acting_user=acting_user,
        held=fresh or held,
        at=at,
        offices=[one.office.key for one in fresh],
    )
    if ends:
        mails.withdrawn(dispute, by=(fresh or held)[0], at=at)
    else:
        mails.settlement_offered(dispute, by=fresh[0], given=given, at=at)
    return dispute


@transaction.atomic
def take_back_settlement(*, dispute: Dispute, acting_user: Person, at: datetime) -> Dispute:
    """Take back the own Office's word that the dispute be withdrawn, while it stands open."""
    dispute = locked(dispute)
    held = _require_party(dispute, acting_user, at=at)
    mine = [one.office.key for one in held]
    live = dispute.settlements.filter(taken_back_at__isnull=True, office__in=mine)
    offices = sorted(live.values_list("office", flat=True))
    if not offices:
        raise NotSettled("Your Office has not agreed to withdraw this dispute. Nothing to undo.")
    live.update(taken_back_at=at)
    record(
        "dispute.settlement_taken_back",
        dispute,
        acting_user=acting_user,
        held=held,
        at=at,
        offices=offices,
    )
    return dispute


def end(dispute: Dispute, outcome: Dispute.Outcome, *, at: datetime) -> None:
    """Close a dispute, in the transaction of the verb that ends it."""
    dispute.outcome, dispute.ended_at = outcome, at
    dispute.save(update_fields=["outcome", "ended_at"])


def lapse(revision: Revision, *, at: datetime) -> None:
    """End the disputes of a draft that is withdrawn: there is nothing left to rule on.

    Called by ``workflow.withdraw`` under its lock and in its transaction.
    """
    open_ones = revision.disputes.filter(outcome=Dispute.Outcome.OPEN, in_force=False)
    for dispute in open_ones.select_related("function", "row__function", "document"):
        dispute.revision = dispute.row.revision = revision
        end(dispute, Dispute.Outcome.LAPSED, at=at)
        record("dispute.lapsed", dispute, acting_user=None, at=at)
        mails.lapsed(dispute, at=at)


def contests_of(row: Row) -> list[Agreement]:
    """The contests of a row that stand, in the order given."""
    live = Agreement.objects.filter(
        **about(row), withdrawn_at__isnull=True, stance=Stance.CONTESTED
    )
    return list(live.order_by("given_at", "pk"))
