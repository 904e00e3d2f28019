"""The CFO's veto of a row that touches financial reporting, and the CEO's order that clears it.

Only the CFO lifts a veto: no edit, ruling or approval does. After ten business days the CEO may
order that the row go in as it is in force today, or, where nothing is, as "CFO, interim". A veto
belongs to its draft and ends with it.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.urls import reverse

from functions_catalog.models import Function
from functions_catalog.ownership import Answer, answers_on
from notifications.mail import queue
from notifications.news import tell
from people.calendar import (
    add_business_days,
    company_country,
    company_date,
    in_working_hours,
    zone_of,
)
from people.models import Appointment, Person
from people.offices import CEO, CFO, REVOPS_LEAD, office_short
from people.permissions import Act, require
from people.queries import holder_of, offices_stay, who_acts_for
from people.templatetags.speech import day_words

from .agreeing import about, record_event
from .drafting import RowText, SubScopeText, row_text, write_row
from .errors import InvalidText, OrderTooEarly, ReasonMissing, RowIsSettled, VetoEnded, VetoStands
from .locking import locked_draft, reread
from .models import Agreement, Revision, Row, Veto
from .parties import absences, party_offices
from .states import Stance, State

# business days: after them the CEO may order what goes in
ORDER_AFTER = 10
MAX_LENGTH = 2000

log = logging.getLogger(__name__)


def standing_vetoes(revision: Revision) -> Mapping[int, Veto]:
    """The vetoes that stand on a draft, by the row's id. One query."""
    standing = revision.vetoes.filter(lifted_at__isnull=True, ordered_at__isnull=True)
    return {one.row_id: one for one in standing}


def order_from(given_on: date, *, country: str) -> date:
    """The first day on which the CEO may order: the day after the tenth business day."""
    return add_business_days(given_on, ORDER_AFTER, country=country) + timedelta(days=1)


def limit_of(veto: Veto) -> date:
    """The last day on which only the CFO can end it: the tenth business day."""
    return veto.order_from - timedelta(days=1)


def can_be_vetoed(row: Row) -> bool:
    """Whether a veto of the row is possible at all: whom it belongs to says ``require``."""
    return row.function.touches_financial_reporting and row.order_id is None


# --- Vetoing and lifting ----------------------------------------------------------------------


@transaction.atomic
def veto(*, row: Row, reason: str, acting_user: Person, at: datetime) -> Veto:
    """The CFO's veto: until it is lifted or cleared by the CEO's order, nobody can freeze.

    It withdraws the CFO's own agreement; what the others said of the row stays.
    """
    revision = locked_draft(row.revision)
    held = require(acting_user, Act.VETO, on=company_date(at))
    row = reread(row, revision)
    if not row.function.touches_financial_reporting:
        raise InvalidText(
            f"{row} does not touch financial reporting, so it cannot be vetoed. Contest it with a "
            "reason instead."
        )
    if row.order_id is not None:
        raise RowIsSettled(row)
    reason = _written(
        reason, "Say why this row cannot stand: the parties and the CEO read it, and answer it."
    )
    standing = row.vetoes.filter(lifted_at__isnull=True, ordered_at__isnull=True).first()
    if standing is not None:
        raise VetoStands(
            f"{standing.person_name}, {standing.person_office}, has vetoed {row} already. Lift "
            "that veto first to give another reason."
        )
    made = Veto.objects.create(
        revision=revision,
        row=row,
        reason=reason,
        person=acting_user,
        person_name=acting_user.name,
        person_office=held[0].title,
        appointment=held[0],
        given_at=at,
        order_from=order_from(company_date(at), country=company_country()),
    )
    Agreement.objects.filter(
        row=row, office=CFO, stance=Stance.AGREED, withdrawn_at__isnull=True
    ).update(withdrawn_at=at, withdrawn_because="The CFO vetoed the row.")
    record_event(
        "row.vetoed",
        row,
        acting_user=acting_user,
        held=held,
        at=at,
        reason=reason,
        veto=made.pk,
        order_from=made.order_from.isoformat(),
    )
    _tell(
        made,
        [*party_offices(revision), CEO, REVOPS_LEAD],
        but=acting_user,
        what="veto",
        title=f"{acting_user.name}, {held[0].title}, vetoes row {row.reference} of "
        f"{revision.reference}",
        text=f"{row.function.name}: “{reason}” While the veto stands, nobody can freeze "
        f"{revision.reference}. Only the CFO lifts it; from {day_words(made.order_from)} on the "
        "CEO may order what goes in.",
        at=at,
    )
    return made


@transaction.atomic
def lift(*, veto: Veto, word: str = "", acting_user: Person, at: datetime) -> Veto:
    """The CFO lifts a veto, also a predecessor's, with a word if there is one to say.

    Whoever acts as CFO that day. It is no agreement: the row waits for the CFO's like any other.
    """
    revision = locked_draft(veto.revision)
    held = require(acting_user, Act.VETO, on=company_date(at))
    veto = _standing(veto, revision)
    word = word.strip()
    if len(word) > MAX_LENGTH:
        raise InvalidText(f"Use at most {MAX_LENGTH} characters. The veto still stands.")
    veto.lifted_at, veto.lifted_by, veto.lifted_by_name = at, acting_user, acting_user.name
    veto.lifted_by_office, veto.lifted_word = held[0].title, word
    veto.save(
        update_fields=[
            "lifted_at",
            "lifted_by",
            "lifted_by_name",
            "lifted_by_office",
            "lifted_word",
        ]
    )
    record_event(
        "row.veto_lifted",
        veto.row,
        acting_user=acting_user,
        held=held,
        at=at,
        reason=word,
        veto=veto.pk,
    )
    _tell(
        veto,
        [*party_offices(revision), CEO, REVOPS_LEAD],
        but=acting_user,
        what="veto-lifted",
        title=f"{acting_user.name}, {held[0].title}, lifted the veto of row {veto.row.reference} "
        f"of {revision.reference}",
        text=f"{veto.row.function.name}: " + (f"“{word}” " if word else "") + "The row waits for "
        "the agreements that are still missing.",
        at=at,
    )
    return veto


# --- The CEO's order --------------------------------------------------------------------------


@dataclass(frozen=True)
class Ordered:
    """What an order puts into a row, and where it comes from."""

    text: RowText
    # What is in force today; None: nothing is, and the CFO owns it for the time being.
    answer: Answer | None

    @property
    def elsewhere(self) -> bool:
        """It is in force in another document: here the row is left out."""
        return self.answer is not None and bool(self.text.left_out_reason)


def would_order(row: Row, *, today: date) -> Ordered:
    """What an order on ``today`` puts into the row: its text in force, or "CFO, interim".

    What is in force is what look-ups answer: the sealed text, or an interim decision that binds.
    Where an Office is not established, the one that its part goes to stands in its place.
    """
    answer = answers_on(today).get(row.function.key)
    heirs = {one.office.key: one.part_goes_to.key for one in absences()}
    if answer is None:
        owner = heirs.get(CFO, CFO)
        scope = row.scope_in.strip() or row.function.covers.strip()
        stands = row_text(row)
        return Ordered(
            RowText(
                owner=owner,
                scope_in=scope or f"What belongs to {row.function.name}.",
                scope_out=row.scope_out,
                consulted=tuple(one for one in stands.consulted if one != owner),
                informed=tuple(one for one in stands.informed if one != owner),
                rationale=f"{office_short(owner)}, interim: by the CEO's order after a veto of the "
                "CFO, as nothing is in force. It stands until a later version says otherwise.",
            ),
            None,
        )
    if answer.document_number != row.revision.document.number:
        reason = (
            f"It is in force in {answer.revision_reference}, row {answer.article_reference}, and "
            "stays there by the CEO's order after a veto of the CFO."
        )
        return Ordered(RowText(left_out_reason=reason), answer)
    return Ordered(in_force_text(answer, heirs), answer)


def in_force_text(answer: Answer, heirs: Mapping[str, str] | None = None) -> RowText:
    """The text of an answer in force; ``heirs`` take the places of Offices not established."""
    now = heirs or {}

    def each(keys: Sequence[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(now.get(key, key) for key in keys))

    return RowText(
        owner=now.get(answer.owner, answer.owner),
        sub_scopes=tuple(
            SubScopeText(name=one.name, owner=now.get(one.owner, one.owner), key=one.key)
            for one in answer.sub_scopes
        ),
        scope_in=answer.scope_in,
        scope_out=answer.scope_out,
        consulted=each(answer.consulted),
        informed=each(answer.informed),
        rationale=answer.rationale,
    )


def is_open(veto: Veto, *, today: date) -> bool:
    """Whether the CEO may order today."""
    return veto.stands and veto.order_from <= today


@transaction.atomic
def order(*, veto: Veto, rationale: str, acting_user: Person, at: datetime) -> Row:
    """The CEO's order: the row goes in as it is in force today, and the veto is cleared.

    Nobody edits, agrees to or contests the row in this draft any more: it counts as agreed by all.
    An interim ruling that binds keeps the row locked to it: that is what is in force.
    """
    revision = locked_draft(veto.revision)
    today = company_date(at)
    offices_stay([CEO])
    held = require(acting_user, Act.ORDER, on=today)
    veto = _standing(veto, revision)
    row = veto.row
    if not is_open(veto, today=today):
        raise OrderTooEarly(
            f"{veto.person_name}, {veto.person_office}, vetoed {row} on "
            f"{day_words(company_date(veto.given_at))}. You may order what goes in from "
            f"{day_words(veto.order_from)} on; until then only the CFO ends it. Nothing was "
            "ordered."
        )
    rationale = _written(
        rationale, "Say why you order it now: all parties read it, and it stays in the record."
    )
    dispute = row.disputes.filter(outcome="").first()
    if dispute is not None:
        raise VetoStands(
            f"Dispute {dispute.pk} about {row} is open. Rule on it first, or let the parties "
            "withdraw it: a ruling leaves the veto as it is. Nothing was ordered."
        )
    ordered = would_order(row, today=today)
    veto.ordered_at, veto.ordered_by, veto.ordered_by_name = at, acting_user, acting_user.name
    veto.ordered_by_office, veto.order_rationale = held[0].title, rationale
    veto.save(
        update_fields=[
            "ordered_at",
            "ordered_by",
            "ordered_by_name",
            "ordered_by_office",
            "order_rationale",
        ]
    )
    if row.ruling is None or not row.ruling.is_interim:
        write_row(row, ordered.text, acting_user=acting_user, held=held, at=at)
        row.ruling, row.order = None, veto
        row.save(update_fields=["ruling", "order"])
    ended = Agreement.objects.filter(**about(row), withdrawn_at__isnull=True).update(
        withdrawn_at=at, withdrawn_because="The CEO ordered what goes in."
    )
    record_event(
        "row.veto_ordered",
        row,
        acting_user=acting_user,
        held=held,
        at=at,
        reason=rationale,
        veto=veto.pk,
        in_force=ordered.answer.revision_reference if ordered.answer else "",
        owner=row.owner,
        stances_ended=ended,
    )
    _tell_of_order(veto, ordered, acting_user=acting_user, held=held, at=at)
    return row


def effects_of_order(row: Row, ordered: Ordered) -> list[str]:
    """What the order will do, in sentences."""
    if ordered.answer is None:
        text = (
            f"Row {row.reference} goes in as “{office_short(ordered.text.owner)}, interim”, since "
            "nothing is in force."
        )
    elif ordered.elsewhere:
        text = (
            f"Row {row.reference} is left out here: {row.function.name} stays in "
            f"{ordered.answer.revision_reference}, where it is in force."
        )
    else:
        text = (
            f"Row {row.reference} goes in as it is in force today, in "
            f"{ordered.answer.revision_reference}, row {ordered.answer.article_reference}."
        )
    return [
        text,
        "It is locked to that in this version and counts as agreed by all; contests of it end.",
        "The veto is cleared, and stays on record with its reason and your rationale.",
        "The CFO is told by mail, the other parties and the RevOps Lead hear of it.",
    ]


LIMITS_OF_ORDER = (
    "It puts in no other text than that: neither the row as it is drafted nor a wording of yours.",
    "It does not change who owns what today, and signs or approves nothing.",
    "It does not bind a later version: there the row is open again, to a veto too.",
)


# --- What happened, as the pages tell it ------------------------------------------------------


@dataclass(frozen=True)
class Moment:
    """Something that happened to a veto."""

    veto: Veto
    kind: str  # vetoed, lifted, ordered
    at: datetime
    by_name: str
    by_office: str
    words: str

    @property
    def owner(self) -> str:
        return CEO if self.kind == "ordered" else CFO


def history(revision: Revision, row: Row | None = None) -> list[Moment]:
    """Every veto on the way of a Revision (or of one row), and how it ended; newest first."""
    found = []
    given = revision.vetoes.select_related("row__function")
    for one in given if row is None else given.filter(row=row):
        found.append(
            Moment(one, "vetoed", one.given_at, one.person_name, one.person_office, one.reason)
        )
        if one.lifted_at is not None:
            by = (one.lifted_by_name, one.lifted_by_office)
            found.append(Moment(one, "lifted", one.lifted_at, *by, one.lifted_word))
        if one.ordered_at is not None:
            by = (one.ordered_by_name, one.ordered_by_office)
            found.append(Moment(one, "ordered", one.ordered_at, *by, one.order_rationale))
    return sorted(found, key=lambda moment: (moment.at, moment.kind != "vetoed"), reverse=True)


def why_it_blocks(veto: Veto, *, today: date) -> str:
    """What a standing veto blocks and why, who can do what, and by when: one paragraph."""
    words = f"{veto.person_name}, {veto.person_office}, vetoes it: “{veto.reason}” "
    if is_open(veto, today=today):
        return words + "The CFO may lift it; the CEO may order now what goes in."
    return words + (
        "Only the CFO lifts it; no edit or ruling does. From "
        f"{day_words(veto.order_from)} on the CEO may order what goes in."
    )


# --- Telling ----------------------------------------------------------------------------------


def path_of(row: Row) -> str:
    """The page about the veto of a row."""
    revision = row.revision
    return reverse(
        "boundaries:veto", args=[revision.document.number, revision.number, row.position]
    )


def order_path_of(row: Row) -> str:
    """The page on which the CEO orders what goes in."""
    revision = row.revision
    return reverse(
        "boundaries:order", args=[revision.document.number, revision.number, row.position]
    )


def _tell(
    veto: Veto,
    offices: Sequence[str],
    *,
    but: Person,
    what: str,
    title: str,
    text: str,
    at: datetime,
) -> None:
    told = who_acts_for(offices, on=company_date(at))
    people = {one.person_id: one.person for one in told.values() if one.person_id != but.pk}
    tell(
        people.values(),
        kind=what,
        key=f"{what}-{veto.pk}",
        title=title,
        text=text,
        path=path_of(veto.row),
        at=at,
    )


def _tell_of_order(
    veto: Veto,
    ordered: Ordered,
    *,
    acting_user: Person,
    held: Sequence[Appointment],
    at: datetime,
) -> None:
    row, revision = veto.row, veto.revision
    title = (
        f"{acting_user.name}, {held[0].title}, ordered what goes in: row {row.reference} of "
        f"{revision.reference}"
    )
    first = effects_of_order(row, ordered)[0]
    cfo = holder_of(CFO, on=company_date(at))
    offices = [key for key in (*party_offices(revision), REVOPS_LEAD) if key != CFO]
    told = who_acts_for(offices, on=company_date(at))
    kept = {acting_user.pk} | ({cfo.person_id} if cfo else set())
    tell(
        {one.person_id: one.person for one in told.values() if one.person_id not in kept}.values(),
        kind="veto-ordered",
        key=f"veto-ordered-{veto.pk}",
        title=title,
        text=f"{first} “{veto.order_rationale}” The row is locked to that and counts as agreed by "
        "all.",
        path=path_of(row),
        at=at,
    )
    if cfo is not None:
        queue(
            to=cfo.person,
            kind="veto-ordered",
            key=f"veto-ordered:{veto.pk}:{cfo.person_id}",
            subject=title,
            template="notice",
            context={
                "paragraphs": [
                    (
                        f"The veto of {row}, given on {day_words(company_date(veto.given_at))}, "
                        f"stood for more than {ORDER_AFTER} business days. So the CEO ordered what "
                        f"goes in: “{veto.order_rationale}”"
                    ),
                    (
                        f"{first} The veto is cleared and stays on record. The row is locked to "
                        "that in this version and counts as agreed by all."
                    ),
                ],
                "action_label": "Read the row",
                "action_path": path_of(row),
                "reason": "You are the CFO.",
            },
            at=at,
        )


def tell_ceo_of_possible_orders(*, at: datetime) -> int:
    """Tell the CEO, once per veto, that an order has become possible. Part of the hourly sweep.

    A new CEO hears of it as well. In their working hours; returns how many mails were queued. One
    veto that fails keeps no other waiting.
    """
    today = company_date(at)
    ceo = holder_of(CEO, on=today)
    if ceo is None or not in_working_hours(at, zone=zone_of(ceo.person), country=company_country()):
        return 0
    queued = 0
    for one in waiting_for_order(today=today):
        try:
            with transaction.atomic():
                queued += _ask_ceo(one, ceo, at=at)
        except Exception:
            # The next sweep tries again; somebody has to see why.
            log.exception("veto %s: the CEO was not told of the possible order", one.pk)
    return queued


def waiting_for_order(*, today: date) -> list[Veto]:
    """The vetoes on drafts that the CEO may clear by an order today, the oldest first."""
    return list(
        Veto.objects.filter(
            lifted_at__isnull=True,
            ordered_at__isnull=True,
            order_from__lte=today,
            revision__state=State.DRAFT,
        ).select_related("row__function", "row__revision__document", "revision__document")
    )


def _ask_ceo(veto: Veto, ceo: Appointment, *, at: datetime) -> bool:
    row, revision = veto.row, veto.revision
    mail = queue(
        to=ceo.person,
        kind="order-possible",
        key=f"order-possible:{veto.pk}:{ceo.person_id}",
        subject=f"You may order what goes in: row {row.reference} of {revision.reference}",
        template="notice",
        context={
            "paragraphs": [
                (
                    f"{veto.person_name}, {veto.person_office}, vetoed {row} on "
                    f"{day_words(company_date(veto.given_at))}: “{veto.reason}”"
                ),
                (
                    f"The veto has stood for {ORDER_AFTER} business days. You may order that the "
                    "row go in as it is in force today, or, where nothing is, as “CFO, interim”. "
                    "Nobody has to: the CFO may still lift it. Until one of the two, "
                    f"{revision.reference} cannot be frozen."
                ),
            ],
            "action_label": "See what the order would do",
            "action_path": order_path_of(row),
            "reason": "Only the CEO may order it.",
        },
        at=at,
    )
    return mail is not None


# --- Parts ------------------------------------------------------------------------------------


def _fresh(row: Row, revision: Revision) -> Row:
    found = Row.objects.select_related("function", "ruling").get(pk=row.pk)
    found.revision = revision
    return found


def _standing(veto: Veto, revision: Revision) -> Veto:
    found = Veto.objects.get(pk=veto.pk)
    found.revision = revision
    found.row = _fresh(found.row, revision)
    if not found.stands:
        ended, by = (
            ("lifted", f"{found.lifted_by_name}, {found.lifted_by_office}")
            if found.lifted_at
            else ("cleared by an order", f"{found.ordered_by_name}, {found.ordered_by_office}")
        )
        raise VetoEnded(
            f"The veto of {found.row} was {ended} by {by} meanwhile. Nothing more is to be done "
            "about it."
        )
    return found


def _written(text: str, ask: str) -> str:
    text = text.strip()
    if not text:
        raise ReasonMissing(ask)
    if len(text) > MAX_LENGTH:
        raise InvalidText(f"Use at most {MAX_LENGTH} characters. Nothing was changed.")
    return text


def functions_vetoed(keys: Sequence[str]) -> list[tuple[Function, Veto]]:
    """The standing vetoes on drafts about these functions, for look-ups. One query."""
    found = Veto.objects.filter(
        lifted_at__isnull=True,
        ordered_at__isnull=True,
        row__function__key__in=keys,
        revision__state=State.DRAFT,
    ).select_related("row__function", "row__revision__document", "revision__document")
    return [(one.row.function, one) for one in found]
