"""What the parties say of a draft: agree, contest, agree to all that was read, confirm.

Each is one transaction and one audit event, under the lock of ``locked_draft``. A party agrees to
exactly one version of a row or article; a contest stands until its party agrees.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction

import audit
from people.calendar import company_date
from people.errors import NotYourOffice
from people.models import Appointment, Person
from people.offices import CFO
from people.permissions import Act

from . import draft_news
from .activity import touch
from .errors import (
    ChangedMeanwhile,
    NothingToConfirm,
    NothingToWithdraw,
    ReasonMissing,
    RowIsSettled,
    VetoStands,
)
from .holders import Holders
from .locking import locked_draft, reread
from .looking import look
from .models import Agreement, Article, Revision, Row
from .parties import party_offices, require_party
from .standing import is_predecessors, standings
from .states import Stance


def about(clause: Row | Article) -> dict[str, Row | Article]:
    return {"row": clause} if isinstance(clause, Row) else {"article": clause}


def refuse_settled(clause: Row | Article) -> None:
    """Nobody edits, agrees to or contests a row that is locked to the CEO's ruling or order."""
    if isinstance(clause, Row) and clause.is_settled:
        raise RowIsSettled(clause)


def withdraw_agreements(clause: Row | Article, *, because: str, at: datetime) -> int:
    return Agreement.objects.filter(
        **about(clause), withdrawn_at__isnull=True, stance=Stance.AGREED
    ).update(withdrawn_at=at, withdrawn_because=because)


def withdraw_all_agreements(
    clauses: Collection[Row | Article], *, because: str, at: datetime
) -> Counter[Row | Article]:
    """The same for many clauses of one draft in a few queries; how many there were of each."""
    counts: Counter[Row | Article] = Counter()
    for field_name in ("row", "article"):
        by_id = {one.pk: one for one in clauses if field_name in about(one)}
        if not by_id:
            continue
        live = Agreement.objects.filter(
            **{f"{field_name}__in": by_id}, withdrawn_at__isnull=True, stance=Stance.AGREED
        )
        counts.update(by_id[pk] for pk in live.values_list(f"{field_name}_id", flat=True))
        live.update(withdrawn_at=at, withdrawn_because=because)
    return counts


def record_all_agreed(
    revision: Revision,
    agreed: Mapping[Row | Article, Sequence[Appointment]],
    *,
    at: datetime,
) -> None:
    """``record_stance`` of agreement to many clauses of one draft, in a few queries.

    ``agreed`` has the appointments of party Offices that agree to each.
    """
    _replace_live(
        revision,
        [
            _agreement(revision, clause, appointment, at=at)
            for clause, appointments in agreed.items()
            for appointment in appointments
        ],
        at=at,
    )


def _agreement(
    revision: Revision, clause: Row | Article, appointment: Appointment, *, at: datetime
) -> Agreement:
    return Agreement(
        revision=revision,
        **about(clause),
        clause_version=clause.version,
        office=appointment.office.key,
        person=appointment.person,
        person_name=appointment.person.name,
        appointment=appointment,
        given_at=at,
    )


def record_stance(
    clause: Row | Article,
    *,
    stance: Stance,
    held: Sequence[Appointment],
    at: datetime,
    reason: str = "",
) -> list[str]:
    """Replace the live stance of each party Office in ``held``; returns the Offices."""
    parties = party_offices(clause.revision)
    offices = [one for one in held if one.office.key in parties]
    for appointment in offices:
        Agreement.objects.filter(
            **about(clause), office=appointment.office.key, withdrawn_at__isnull=True
        ).update(withdrawn_at=at, withdrawn_because="Replaced by a later answer.")
        Agreement.objects.create(
            revision_id=clause.revision_id,
            **about(clause),
            clause_version=clause.version,
            office=appointment.office.key,
            stance=stance,
            reason=reason,
            person=appointment.person,
            person_name=appointment.person.name,
            appointment=appointment,
            given_at=at,
        )
    return [one.office.key for one in offices]


def record_event(
    event: str,
    clause: Row | Article,
    *,
    acting_user: Person,
    held: Sequence[Appointment],
    at: datetime,
    reason: str = "",
    **data: Any,
) -> None:
    """The one audit event of a verb on a clause; boards that are open hear of it."""
    touch(clause.revision, clause, is_news=not event.endswith(".agreed"))
    look([clause], person=acting_user, at=at)
    record_event_only(
        event, clause, acting_user=acting_user, held=held, at=at, reason=reason, **data
    )


def record_event_only(
    event: str,
    clause: Row | Article,
    *,
    acting_user: Person,
    held: Sequence[Appointment],
    at: datetime,
    reason: str = "",
    **data: Any,
) -> None:
    """``record_event`` for a verb on many clauses, which tells the boards once at its end."""
    audit.record(
        event,
        at=at,
        actor=acting_user,
        office=held[0].office.key,
        appointment_id=held[0].pk,
        object_type="row" if isinstance(clause, Row) else "article",
        object_id=str(clause.pk),
        object_version=str(clause.version),
        data={"revision": str(clause.revision), "place": str(clause), **data},
        personal_text=reason,
    )


@transaction.atomic
def agree(
    *, clause: Row | Article, expected_version: int, acting_user: Person, at: datetime
) -> list[str]:
    """Agree, for each party Office held, to exactly the text that was read.

    Ends an own contest. Agreeing twice is once. Returns the Offices that now newly agree.
    """
    revision = locked_draft(clause.revision)
    held = require_party(revision, acting_user, Act.AGREE, at=at)
    return _agree(revision, clause, expected_version, acting_user=acting_user, held=held, at=at)


def _agree(
    revision: Revision,
    clause: Row | Article,
    expected_version: int,
    *,
    acting_user: Person,
    held: Sequence[Appointment],
    at: datetime,
) -> list[str]:
    clause = reread(clause, revision)
    if clause.version != expected_version:
        raise ChangedMeanwhile(clause, agreeing=True)
    refuse_settled(clause)
    held = _but_who_vetoes(clause, held)
    already = set(
        Agreement.objects.filter(
            **about(clause),
            clause_version=clause.version,
            stance=Stance.AGREED,
            withdrawn_at__isnull=True,
            appointment__in=[one.pk for one in held],
        ).values_list("office", flat=True)
    )
    fresh = [one for one in held if one.office.key not in already]
    agreed = record_stance(clause, stance=Stance.AGREED, held=fresh, at=at)
    if agreed:
        kind = "row" if isinstance(clause, Row) else "article"
        record_event(
            f"{kind}.agreed", clause, acting_user=acting_user, held=held, at=at, offices=agreed
        )
    return agreed


def _vetoed(revision: Revision) -> set[int]:
    """The ids of the rows on which a veto stands."""
    standing = revision.vetoes.filter(lifted_at__isnull=True, ordered_at__isnull=True)
    return set(standing.values_list("row_id", flat=True))


def _but_who_vetoes(clause: Row | Article, held: Sequence[Appointment]) -> Sequence[Appointment]:
    """Agreeing lifts no veto: while it stands, the CFO has to lift it first."""
    if not isinstance(clause, Row) or clause.pk not in _vetoed(clause.revision):
        return held
    others = [one for one in held if one.office.key != CFO]
    if not others:
        raise VetoStands(
            f"The veto of {clause} stands, and agreeing does not lift it. Lift the veto first, "
            "then agree."
        )
    return others


@dataclass(frozen=True)
class AgreedToAll:
    """What agreeing to many at once did: counts, and what had changed since it was read."""

    agreed: int
    changed_meanwhile: Sequence[Row | Article]
    own_contests: int = 0
    own_vetoes: int = 0


@transaction.atomic
def agree_to_all_read(
    *, revision: Revision, read: Mapping[tuple[str, int], int], acting_user: Person, at: datetime
) -> AgreedToAll:
    """Agree to every clause whose version the reader had before their eyes.

    ``read`` maps ("row" | "article", id) to the version shown. What changed since is left for
    another reading; what the reader contests stays contested: that ends by agreeing to it alone.
    """
    revision = locked_draft(revision)
    held = require_party(revision, acting_user, Act.AGREE, at=at)
    offices = [one.office.key for one in held]
    live = revision.agreements.filter(withdrawn_at__isnull=True, office__in=offices)
    contested = {
        ("row", one.row_id) if one.row_id else ("article", one.article_id)
        for one in live.filter(stance=Stance.CONTESTED)
    }
    done: dict[tuple[str, int | None], set[str]] = {}
    versions: dict[tuple[str, int | None], int] = {}
    for one in live.filter(stance=Stance.AGREED, appointment__in=[one.pk for one in held]):
        key = ("row", one.row_id) if one.row_id else ("article", one.article_id)
        done.setdefault(key, set()).add(one.office)
        versions[key] = one.clause_version
    clauses: list[tuple[str, Row | Article]] = [
        *(("article", one) for one in revision.articles.all()),
        *(("row", one) for one in revision.rows.select_related("function")),
    ]
    agreed, changed, own_contests, own_vetoes = [], [], 0, 0
    fresh: list[Agreement] = []
    parties, vetoed = party_offices(revision), _vetoed(revision)
    for kind, clause in clauses:
        clause.revision = revision
        key = (kind, clause.pk)
        if key not in read:
            continue
        if isinstance(clause, Row) and clause.is_settled:
            continue
        if key in contested:
            own_contests += 1
        elif clause.version != read[key]:
            changed.append(clause)
        else:
            mine = done.get(key, set()) if versions.get(key) == clause.version else set()
            if isinstance(clause, Row) and clause.pk in vetoed and CFO in offices:
                mine, own_vetoes = mine | {CFO}, own_vetoes + 1
            missing = [
                one for one in held if one.office.key in parties and one.office.key not in mine
            ]
            if missing:
                agreed.append(clause)
            fresh += [_agreement(revision, clause, one, at=at) for one in missing]
    _replace_live(revision, fresh, at=at)
    if agreed:
        touch(revision, *agreed, is_news=False)
        look(agreed, person=acting_user, at=at)
        audit.record(
            "draft.agreed_to_all_read",
            at=at,
            actor=acting_user,
            office=held[0].office.key,
            appointment_id=held[0].pk,
            object_type="revision",
            object_id=str(revision.pk),
            object_version=str(revision.number),
            data={
                "revision": revision.reference,
                "agreed": [f"{clause} (version {clause.version})" for clause in agreed],
            },
        )
    return AgreedToAll(len(agreed), changed, own_contests, own_vetoes)


@transaction.atomic
def confirm_carried(
    *, revision: Revision, read: Mapping[tuple[str, int], int], acting_user: Person, at: datetime
) -> AgreedToAll:
    """Agree, in one act, to what an amendment took over unchanged and was on the page.

    ``read`` maps ("row" | "article", id) to the version shown. What changed since is left for
    another reading; what the party has said anything of (agreed, contested, vetoed) is left as it
    is.
    """
    revision = locked_draft(revision)
    held = require_party(revision, acting_user, Act.AGREE, at=at)
    by_office = {one.office.key: one for one in held}
    mine = [key for key in party_offices(revision) if key in by_office]
    waiting: dict[Row | Article, list[str]] = {}
    changed: list[Row | Article] = []
    for one in standings(revision, parties=mine, today=company_date(at)):
        clause, kind = one.clause, "row" if isinstance(one.clause, Row) else "article"
        clause.revision = revision
        shown = read.get((kind, clause.pk))
        offices = [stance.office for stance in one.stances if stance.state == "carried"]
        if shown is not None and shown != clause.version:
            changed.append(clause)
        elif shown is not None and offices:
            waiting[clause] = offices
    if not waiting:
        raise NothingToConfirm(
            f"Nothing that {revision.reference} took over unchanged waits for you any more. "
            "Nothing was confirmed."
        )
    _replace_live(
        revision,
        [
            _agreement(revision, clause, by_office[office], at=at)
            for clause, offices in waiting.items()
            for office in offices
        ],
        at=at,
    )
    touch(revision, *waiting, is_news=False)
    look(list(waiting), person=acting_user, at=at)
    first = by_office[next(iter(waiting.values()))[0]]
    audit.record(
        "draft.carried_confirmed",
        at=at,
        actor=acting_user,
        office=first.office.key,
        appointment_id=first.pk,
        object_type="revision",
        object_id=str(revision.pk),
        object_version=str(revision.number),
        data={
            "revision": revision.reference,
            "offices": [key for key in mine if any(key in its for its in waiting.values())],
            "confirmed": [f"{clause} (version {clause.version})" for clause in waiting],
        },
    )
    return AgreedToAll(len(waiting), changed)


def to_confirm(
    revision: Revision, offices: Sequence[str], *, today: date
) -> dict[Row | Article, list[str]]:
    """The clauses that a predecessor in these Offices agreed to as they stand, articles first.

    Each with the Offices whose agreement waits to be confirmed. A few queries, however many.
    """
    holders = Holders(offices, today=today)
    live = (
        revision.agreements.filter(
            withdrawn_at__isnull=True, stance=Stance.AGREED, office__in=offices
        )
        .select_related("appointment", "person", "article", "row__function")
        .order_by("article__number", "row__position", "pk")
    )
    found: dict[Row | Article, list[str]] = {}
    for one in live:
        clause = one.row or one.article
        assert clause is not None  # noqa: S101 - the check constraint says one of them is set
        if one.clause_version == clause.version and is_predecessors(one, holders):
            clause.revision = revision
            found.setdefault(clause, []).append(one.office)
    return dict(sorted(found.items(), key=lambda pair: isinstance(pair[0], Row)))


def would_wait_for(revision: Revision, successor: Appointment, *, today: date) -> dict[str, int]:
    """How many agreements each person gave that would wait for ``successor``, not yet recorded."""
    office = successor.office.key
    holders = Holders([office], today=today)
    live = revision.agreements.filter(
        withdrawn_at__isnull=True, stance=Stance.AGREED, office=office
    ).select_related("person", "row", "article")
    counts: dict[str, int] = {}
    for one in live:
        clause = one.row or one.article
        assert clause is not None  # noqa: S101 - the check constraint says one of them is set
        if one.clause_version == clause.version and holders.is_new(
            successor, given_by=one.person.human_id, given_at=one.given_at
        ):
            counts[one.person_name] = counts.get(one.person_name, 0) + 1
    return counts


@transaction.atomic
def confirm_predecessors(
    *, revision: Revision, read: Mapping[tuple[str, int], int], acting_user: Person, at: datetime
) -> int:
    """Confirm, in one act, what the predecessor in an own Office agreed to; returns how many.

    ``read`` maps ("row" | "article", id) to the version shown. Whoever confirms takes exactly those
    texts over: if one of them changed, or waits for nobody any more, nothing is confirmed.
    """
    revision = locked_draft(revision)
    held = require_party(revision, acting_user, Act.AGREE, at=at)
    by_office = {one.office.key: one for one in held}
    waiting = to_confirm(revision, list(by_office), today=company_date(at))
    if not waiting or not read:
        raise NothingToConfirm(
            f"No agreement of a predecessor waits for you in {revision.reference}. Nothing was "
            "confirmed."
        )
    by_key = {("row" if isinstance(one, Row) else "article", one.pk): one for one in waiting}
    if any(key not in by_key or by_key[key].version != shown for key, shown in read.items()):
        raise NothingToConfirm(
            f"What waits for you in {revision.reference} changed while you read it. Nothing was "
            "confirmed: read it again as it stands now."
        )
    confirmed = [by_key[key] for key in by_key if key in read]
    _replace_live(
        revision,
        [
            _agreement(revision, clause, by_office[office], at=at)
            for clause in confirmed
            for office in waiting[clause]
        ],
        at=at,
        because="Confirmed by the successor.",
    )
    touch(revision, *confirmed, is_news=False)
    look(confirmed, person=acting_user, at=at)
    offices = [key for key in by_office if any(key in waiting[clause] for clause in confirmed)]
    audit.record(
        "draft.predecessors_confirmed",
        at=at,
        actor=acting_user,
        office=offices[0],
        appointment_id=by_office[offices[0]].pk,
        object_type="revision",
        object_id=str(revision.pk),
        object_version=str(revision.number),
        data={
            "revision": revision.reference,
            "offices": offices,
            "confirmed": [f"{clause} (version {clause.version})" for clause in confirmed],
        },
    )
    return len(confirmed)


def _replace_live(
    revision: Revision,
    fresh: Sequence[Agreement],
    *,
    at: datetime,
    because: str = "Replaced by a later answer.",
) -> None:
    """Put new agreements in place of the same Offices' live ones: a few queries for any number."""
    for office in {one.office for one in fresh}:
        mine = [one for one in fresh if one.office == office]
        for field_name in ("row_id", "article_id"):
            ids = [getattr(one, field_name) for one in mine if getattr(one, field_name)]
            revision.agreements.filter(
                office=office, withdrawn_at__isnull=True, **{f"{field_name}__in": ids}
            ).update(withdrawn_at=at, withdrawn_because=because)
    Agreement.objects.bulk_create(fresh)


@transaction.atomic
def withdraw_agreement(*, clause: Row | Article, acting_user: Person, at: datetime) -> list[str]:
    """Take back the agreement of each party Office held; nobody else's is touched.

    Returns the Offices that no longer agree. Raises ``NothingToWithdraw`` where none did.
    """
    revision = locked_draft(clause.revision)
    held = require_party(revision, acting_user, Act.AGREE, at=at)
    clause = reread(clause, revision)
    refuse_settled(clause)
    mine = Agreement.objects.filter(
        **about(clause),
        office__in=[one.office.key for one in held],
        stance=Stance.AGREED,
        withdrawn_at__isnull=True,
    )
    offices = list(mine.order_by("office").values_list("office", flat=True))
    if not offices:
        raise NothingToWithdraw(clause)
    mine.update(withdrawn_at=at, withdrawn_because=f"{acting_user.name} took it back.")
    kind = "row" if isinstance(clause, Row) else "article"
    record_event(
        f"{kind}.agreement_withdrawn",
        clause,
        acting_user=acting_user,
        held=held,
        at=at,
        offices=offices,
    )
    return offices


@transaction.atomic
def contest(*, clause: Row | Article, reason: str, acting_user: Person, at: datetime) -> list[str]:
    """Contest a row or article, for each party Office held, with a written reason."""
    revision = locked_draft(clause.revision)
    held = require_party(revision, acting_user, Act.CONTEST, at=at)
    reason = reason.strip()
    if not reason:
        raise ReasonMissing("Say in a sentence or two what is wrong with this text.")
    clause = reread(clause, revision)
    refuse_settled(clause)
    offices = record_stance(clause, stance=Stance.CONTESTED, held=held, at=at, reason=reason)
    if not offices:
        raise NotYourOffice("Only a party to this document contests it.")
    kind = "row" if isinstance(clause, Row) else "article"
    record_event(
        f"{kind}.contested",
        clause,
        acting_user=acting_user,
        held=held,
        at=at,
        reason=reason,
        offices=offices,
    )
    draft_news.contested(clause, reason=reason, acting_user=acting_user, held=held, at=at)
    return offices
