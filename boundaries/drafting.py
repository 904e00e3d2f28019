"""The verbs that change a draft's text and what the parties say of it.

Each is one transaction and one audit event, under the lock of ``locked_revision``. Saving an
edit withdraws every agreement to the text and records the editor's own; a contest stands until
its party agrees.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.text import slugify

import audit
from functions_catalog.models import Function
from people.calendar import company_date
from people.models import Appointment, Person
from people.offices import HYBRID
from people.permissions import Act, require

from .errors import ChangedMeanwhile, InvalidText, NotADraft, ReasonMissing
from .models import Agreement, Article, Revision, Row, RowSubScope
from .parties import party_offices
from .standing import agreeable
from .states import Stance, State


def locked_revision(revision: Revision) -> Revision:
    """Re-read a Revision under a lock on it and its document.

    The document's lock puts all verbs on one document in a line, whichever Revision they are
    about. SQLite has no row locks: its immediate transactions already stand in a line.
    """
    return (
        Revision.objects.select_for_update(of=("self", "document"))
        .select_related("document")
        .get(pk=revision.pk)
    )


def _locked_draft(revision: Revision) -> Revision:
    revision = locked_revision(revision)
    if revision.state != State.DRAFT:
        raise NotADraft(revision)
    return revision


@dataclass(frozen=True)
class SubScopeText:
    """A named part of a row as it was typed; an empty key is made from the name."""

    name: str
    owner: str
    key: str = ""


@dataclass(frozen=True)
class RowText:
    """Everything about a row that an editor can change."""

    owner: str = ""
    sub_scopes: Sequence[SubScopeText] = ()
    scope_in: str = ""
    scope_out: str = ""
    consulted: Sequence[str] = ()
    informed: Sequence[str] = ()
    rationale: str = ""
    left_out_reason: str = ""


@dataclass(frozen=True)
class ArticleText:
    """Everything about an article that an editor can change."""

    text: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


def row_text(row: Row) -> RowText:
    """What stands in a row now."""
    return RowText(
        owner=row.owner,
        sub_scopes=tuple(
            SubScopeText(name=part.name, owner=part.owner, key=part.key)
            for part in row.sub_scopes.all()
        ),
        scope_in=row.scope_in,
        scope_out=row.scope_out,
        consulted=tuple(row.consulted),
        informed=tuple(row.informed),
        rationale=row.rationale,
        left_out_reason=row.left_out_reason,
    )


def _with_keys(parts: Sequence[SubScopeText]) -> tuple[SubScopeText, ...]:
    """Give every sub-scope a key that is its own within the row."""
    result: list[SubScopeText] = []
    taken: set[str] = set()
    for part in parts:
        stem = part.key or slugify(part.name).replace("-", "_")[:50] or "part"
        key, count = stem, 1
        while key in taken:
            count += 1
            key = f"{stem}_{count}"
        taken.add(key)
        result.append(SubScopeText(name=part.name, owner=part.owner, key=key))
    return tuple(result)


def _clean_row(text: RowText) -> RowText:
    if text.left_out_reason and text.owner:
        raise InvalidText(
            "A function left out of the boundary has no owner. Clear the owner or the reason."
        )
    names = [part.name.casefold() for part in text.sub_scopes]
    if len(names) != len(set(names)):
        raise InvalidText("Two sub-scopes have the same name. Give each its own name.")
    owners = {text.owner, *(part.owner for part in text.sub_scopes)}
    if "shared" in owners or HYBRID in {part.owner for part in text.sub_scopes}:
        raise InvalidText("“Shared” is not an owner. Name sub-scopes and give each one owner.")
    return RowText(
        owner=text.owner,
        sub_scopes=_with_keys(text.sub_scopes) if text.owner == HYBRID else (),
        scope_in=text.scope_in,
        scope_out=text.scope_out,
        consulted=tuple(text.consulted),
        informed=tuple(text.informed),
        rationale=text.rationale,
        left_out_reason=text.left_out_reason,
    )


def _mark_changed(
    clause: Row | Article, *, acting_user: Person, held: Sequence[Appointment], at: datetime
) -> list[str]:
    clause.version += 1
    clause.changed_at = at
    clause.changed_by = acting_user
    clause.changed_by_name = acting_user.name
    clause.changed_by_office = held[0].title
    return ["version", "changed_at", "changed_by", "changed_by_name", "changed_by_office"]


def _about(clause: Row | Article) -> dict[str, Row | Article]:
    return {"row": clause} if isinstance(clause, Row) else {"article": clause}


def _withdraw_agreements(clause: Row | Article, *, because: str, at: datetime) -> int:
    return Agreement.objects.filter(
        **_about(clause), withdrawn_at__isnull=True, stance=Stance.AGREED
    ).update(withdrawn_at=at, withdrawn_because=because)


def _record_stance(
    clause: Row | Article,
    *,
    stance: Stance,
    held: Sequence[Appointment],
    at: datetime,
    reason: str = "",
) -> list[str]:
    """Replace the live stance of each party Office in ``held``; returns the Offices."""
    parties = party_offices()
    offices = [one for one in held if one.office.key in parties]
    for appointment in offices:
        Agreement.objects.filter(
            **_about(clause), office=appointment.office.key, withdrawn_at__isnull=True
        ).update(withdrawn_at=at, withdrawn_because="Replaced by a later answer.")
        Agreement.objects.create(
            revision_id=clause.revision_id,
            **_about(clause),
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


def _record_event(
    event: str,
    clause: Row | Article,
    *,
    acting_user: Person,
    held: Sequence[Appointment],
    at: datetime,
    **data: Any,
) -> None:
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
    )


def _after_edit(
    clause: Row | Article,
    *,
    event: str,
    acting_user: Person,
    held: Sequence[Appointment],
    at: datetime,
) -> None:
    withdrawn = _withdraw_agreements(clause, because=f"{acting_user.name} changed the text.", at=at)
    agreed = _record_stance(clause, stance=Stance.AGREED, held=held, at=at)
    _record_event(
        event,
        clause,
        acting_user=acting_user,
        held=held,
        at=at,
        agreements_withdrawn=withdrawn,
        agreed_by_editor=agreed,
    )


@transaction.atomic
def edit_row(
    *, row: Row, expected_version: int, text: RowText, acting_user: Person, at: datetime
) -> Row:
    """Save a row's text. Saving what already stands changes nothing and asks nobody again.

    Raises ``ChangedMeanwhile`` (carrying the row as it is now) when ``expected_version`` is old.
    """
    revision = _locked_draft(row.revision)
    held = require(acting_user, Act.EDIT, on=company_date(at))
    row = Row.objects.select_related("function").get(pk=row.pk)
    row.revision = revision
    text = _clean_row(text)
    if row_text(row) == text:
        return row
    if row.version != expected_version:
        raise ChangedMeanwhile(row)
    row.owner = text.owner
    row.scope_in, row.scope_out, row.rationale = text.scope_in, text.scope_out, text.rationale
    row.consulted, row.informed = list(text.consulted), list(text.informed)
    row.left_out_reason = text.left_out_reason
    _replace_sub_scopes(row, text.sub_scopes)
    changed = _mark_changed(row, acting_user=acting_user, held=held, at=at)
    row.save(
        update_fields=[
            "owner",
            "scope_in",
            "scope_out",
            "rationale",
            "consulted",
            "informed",
            "left_out_reason",
            *changed,
        ]
    )
    _after_edit(row, event="row.edited", acting_user=acting_user, held=held, at=at)
    return row


def _replace_sub_scopes(row: Row, parts: Sequence[SubScopeText]) -> None:
    row.sub_scopes.all().delete()
    RowSubScope.objects.bulk_create(
        RowSubScope(row=row, key=part.key, name=part.name, owner=part.owner, position=position)
        for position, part in enumerate(parts, start=1)
    )


@transaction.atomic
def edit_article(
    *, article: Article, expected_version: int, text: ArticleText, acting_user: Person, at: datetime
) -> Article:
    """Save an article's text and data; the same rules as ``edit_row``."""
    revision = _locked_draft(article.revision)
    held = require(acting_user, Act.EDIT, on=company_date(at))
    article = Article.objects.get(pk=article.pk)
    article.revision = revision
    if not agreeable(article):
        raise InvalidText(f"{article} is not edited as a whole.")
    if (article.text, article.data) == (text.text, dict(text.data)):
        return article
    if article.version != expected_version:
        raise ChangedMeanwhile(article)
    article.text, article.data = text.text, dict(text.data)
    changed = _mark_changed(article, acting_user=acting_user, held=held, at=at)
    article.save(update_fields=["text", "data", *changed])
    _after_edit(article, event="article.edited", acting_user=acting_user, held=held, at=at)
    return article


def sunset_is_inherited(revision: Revision) -> bool:
    """An amendment never postpones the sunset, as long as the inherited one can still stand."""
    former = revision.supersedes
    return bool(
        former
        and former.sunset_date
        and revision.effective_date
        and former.sunset_date > revision.effective_date
    )


@transaction.atomic
def edit_control(
    *,
    revision: Revision,
    expected_version: int,
    text: str,
    effective_date: date | None,
    sunset_date: date | None,
    acting_user: Person,
    at: datetime,
) -> Article:
    """Save article 1: its text, the effective date and the sunset date.

    Without a sunset date it becomes twelve months after the effective date. An amendment keeps
    the date it inherits: only a full review starts a new year.
    """
    revision = _locked_draft(revision)
    held = require(acting_user, Act.EDIT, on=company_date(at))
    article = revision.articles.get(key="control")
    article.revision = revision
    before = (article.text, revision.effective_date, revision.sunset_date)
    revision.effective_date = effective_date
    if sunset_is_inherited(revision) and revision.supersedes:
        sunset_date = revision.supersedes.sunset_date
    elif sunset_date is None and effective_date is not None:
        sunset_date = twelve_months_after(effective_date)
    revision.sunset_date = sunset_date
    if before == (text, effective_date, sunset_date):
        return article
    if article.version != expected_version:
        raise ChangedMeanwhile(article)
    revision.save(update_fields=["effective_date", "sunset_date"])
    article.text = text
    changed = _mark_changed(article, acting_user=acting_user, held=held, at=at)
    article.save(update_fields=["text", *changed])
    _after_edit(article, event="article.edited", acting_user=acting_user, held=held, at=at)
    return article


def twelve_months_after(day: date) -> date:
    """The same day next year; 29 February becomes 1 March."""
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return date(day.year + 1, 3, 1)


@transaction.atomic
def add_row(*, revision: Revision, function: Function, acting_user: Person, at: datetime) -> Row:
    """Add a row for a function that came into the catalog after the draft was opened."""
    from .template import new_row  # the template builds rows; it imports this module's texts

    revision = _locked_draft(revision)
    held = require(acting_user, Act.EDIT, on=company_date(at))
    existing = revision.rows.filter(function=function).first()
    if existing is not None:
        return existing
    last = revision.rows.order_by("-position").values_list("position", flat=True).first() or 0
    row = new_row(revision, function, position=last + 1)
    _mark_changed(row, acting_user=acting_user, held=held, at=at)
    row.save()
    _after_edit(row, event="row.added", acting_user=acting_user, held=held, at=at)
    return row


@transaction.atomic
def agree(
    *, clause: Row | Article, expected_version: int, acting_user: Person, at: datetime
) -> list[str]:
    """Agree, for each party Office held, to exactly the text that was read.

    Ends an own contest. Agreeing twice is once. Returns the Offices that now newly agree.
    """
    revision = _locked_draft(clause.revision)
    held = require(acting_user, Act.AGREE, on=company_date(at))
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
    if isinstance(clause, Article) and not agreeable(clause):
        raise InvalidText(f"{clause} is not agreed to as a whole.")
    if clause.version != expected_version:
        raise ChangedMeanwhile(clause)
    already = set(
        Agreement.objects.filter(
            **_about(clause),
            clause_version=clause.version,
            stance=Stance.AGREED,
            withdrawn_at__isnull=True,
            appointment__in=[one.pk for one in held],
        ).values_list("office", flat=True)
    )
    fresh = [one for one in held if one.office.key not in already]
    agreed = _record_stance(clause, stance=Stance.AGREED, held=fresh, at=at)
    if agreed:
        kind = "row" if isinstance(clause, Row) else "article"
        _record_event(
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
    revision = _locked_draft(revision)
    held = require(acting_user, Act.AGREE, on=company_date(at))
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
        *(("article", one) for one in revision.articles.all() if agreeable(one)),
        *(("row", one) for one in revision.rows.select_related("function")),
    ]
    agreed, changed, own_contests = [], [], 0
    fresh: list[Agreement] = []
    parties = party_offices()
    for kind, clause in clauses:
        clause.revision = revision
        key = (kind, clause.pk)
        if key not in read:
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
                    **_about(clause),
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


def _replace_live(revision: Revision, fresh: Sequence[Agreement], *, at: datetime) -> None:
    """Put new agreements in place of the same Offices' live ones: a few queries for any number."""
    for office in {one.office for one in fresh}:
        mine = [one for one in fresh if one.office == office]
        for field_name in ("row_id", "article_id"):
            ids = [getattr(one, field_name) for one in mine if getattr(one, field_name)]
            revision.agreements.filter(
                office=office, withdrawn_at__isnull=True, **{f"{field_name}__in": ids}
            ).update(withdrawn_at=at, withdrawn_because="Replaced by a later answer.")
    Agreement.objects.bulk_create(fresh)


@transaction.atomic
def contest(*, clause: Row | Article, reason: str, acting_user: Person, at: datetime) -> list[str]:
    """Contest a row or article, for each party Office held, with a written reason."""
    revision = _locked_draft(clause.revision)
    held = require(acting_user, Act.CONTEST, on=company_date(at))
    reason = reason.strip()
    if not reason:
        raise ReasonMissing("Say in a sentence or two what is wrong with this text.")
    clause = type(clause)._default_manager.get(pk=clause.pk)
    clause.revision = revision
    if isinstance(clause, Article) and not agreeable(clause):
        raise InvalidText(f"{clause} is contested row by row.")
    offices = _record_stance(clause, stance=Stance.CONTESTED, held=held, at=at, reason=reason)
    kind = "row" if isinstance(clause, Row) else "article"
    _record_event(
        f"{kind}.contested", clause, acting_user=acting_user, held=held, at=at, offices=offices
    )
    return offices
