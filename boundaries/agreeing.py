"""What the parties say of a draft: agree, contest, agree to all that was read, confirm.

Each is one transaction and one audit event, under the lock of ``locked_draft``. A party agrees to
exactly one version of a row or article; a contest stands until its party agrees.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction

import audit
from people.calendar import company_date
from people.errors import NotYourOffice
from people.models import Appointment, Person
from people.permissions import Act

from .activity import touch
from .errors import ChangedMeanwhile, NothingToConfirm, ReasonMissing, RowIsSettled
from .holders import Holders
from .locking import locked_draft
from .models import Agreement, Article, Revision, Row
from .parties import party_offices, require_party
from .standing import is_predecessors
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
    touch(clause.revision, clause)
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
    clause = type(clause)._default_manager.get(pk=clause.pk)
    clause.revision = revision
    if clause.version != expected_version:
        raise ChangedMeanwhile(clause, agreeing=True)
    refuse_settled(clause)
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


@dataclass(frozen=True)
class AgreedToAll:
    """What "agree to all I have read" did: counts, and what had changed since it was read."""

    agreed: int
    changed_meanwhile: Sequence[Row | Article]
    own_contests: int


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
    agreed, changed, own_contests = [], [], 0
    fresh: list[Agreement] = []
    parties = party_offices(revision)
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
            missing = [
                one for one in held if one.office.key in parties and one.office.key not in mine
            ]
            if missing:
                agreed.append(clause)
            fresh += [
                Agreement(
                    revision=revision,
                    **about(clause),
                    clause_version=clause.version,
                    office=one.office.key,
                    person=one.person,
                    person_name=one.person.name,
                    appointment=one,
                    given_at=at,
                )
                for one in missing
            ]
    _replace_live(revision, fresh, at=at)
    if agreed:
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
    return AgreedToAll(len(agreed), changed, own_contests)


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
            Agreement(
                revision=revision,
                **about(clause),
                clause_version=clause.version,
                office=office,
                person=by_office[office].person,
                person_name=by_office[office].person.name,
                appointment=by_office[office],
                given_at=at,
            )
            for clause in confirmed
            for office in waiting[clause]
        ],
        at=at,
        because="Confirmed by the successor.",
    )
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
def contest(*, clause: Row | Article, reason: str, acting_user: Person, at: datetime) -> list[str]:
    """Contest a row or article, for each party Office held, with a written reason."""
    revision = locked_draft(clause.revision)
    held = require_party(revision, acting_user, Act.CONTEST, at=at)
    reason = reason.strip()
    if not reason:
        raise ReasonMissing("Say in a sentence or two what is wrong with this text.")
    clause = type(clause)._default_manager.get(pk=clause.pk)
    clause.revision = revision
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
    return offices
