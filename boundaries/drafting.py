"""The verbs that change a draft's text.

Each is one transaction and one audit event, under the lock of ``locked_draft``. Saving an edit
withdraws every agreement to the text and records the editor's own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.text import slugify

from functions_catalog.models import Function
from people.models import Appointment, Office, Person
from people.offices import HYBRID
from people.permissions import Act

from .agreeing import about, record_event, record_stance, refuse_settled, withdraw_agreements
from .errors import ChangedMeanwhile, InvalidText
from .locking import locked_draft
from .models import Article, EarlierText, Revision, Row, RowSubScope
from .parties import possible_owners, require_party
from .states import Stance


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


def row_json(text: RowText) -> dict[str, Any]:
    """A row's text as JSON; ``row_text_from_json`` reads it back."""
    return asdict(text)


def row_text_from_json(data: Mapping[str, Any]) -> RowText:
    parts = tuple(SubScopeText(**part) for part in data.get("sub_scopes", ()))
    return RowText(
        owner=data.get("owner", ""),
        sub_scopes=parts,
        scope_in=data.get("scope_in", ""),
        scope_out=data.get("scope_out", ""),
        consulted=tuple(data.get("consulted", ())),
        informed=tuple(data.get("informed", ())),
        rationale=data.get("rationale", ""),
        left_out_reason=data.get("left_out_reason", ""),
    )


def article_json(article: Article) -> dict[str, Any]:
    """An article's text and data as JSON."""
    return {"text": article.text, "data": article.data}


def _dates_json(effective: date | None, sunset: date | None) -> dict[str, Any]:
    dates = {"effective_date": effective, "sunset_date": sunset}
    return {name: day.isoformat() if day else None for name, day in dates.items()}


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


def clean_row(text: RowText, revision: Revision) -> RowText:
    """The text with its keys and lists in order. Raises ``InvalidText``, saying what to write."""
    left_out_reason = text.left_out_reason.strip()
    if left_out_reason and text.owner:
        raise InvalidText(
            "A function left out of the boundary has no owner. Clear the owner or the reason."
        )
    names = [part.name.casefold() for part in text.sub_scopes]
    if len(names) != len(set(names)):
        raise InvalidText("Two sub-scopes have the same name. Give each its own name.")
    owners = {part.owner for part in text.sub_scopes} | {text.owner} - {HYBRID}
    if unknown := owners - {"", *possible_owners()}:
        raise InvalidText(
            f"“{unknown.pop()}” cannot own a function. Choose a party's Office; “shared” is not an "
            "owner: name sub-scopes and give each one owner."
        )
    told = {*text.consulted, *text.informed}
    if unknown := told - set(Office.objects.values_list("key", flat=True)):
        raise InvalidText(f"There is no Office “{unknown.pop()}” to ask or to tell.")
    return RowText(
        owner=text.owner,
        sub_scopes=_with_keys(text.sub_scopes) if text.owner == HYBRID else (),
        scope_in=text.scope_in,
        scope_out=text.scope_out,
        consulted=tuple(text.consulted),
        informed=tuple(text.informed),
        rationale=text.rationale,
        left_out_reason=left_out_reason,
    )


def _mark_changed(
    clause: Row | Article, *, acting_user: Person, held: Sequence[Appointment], at: datetime
) -> list[str]:
    clause.version += 1
    clause.carried = False
    clause.changed_at = at
    clause.changed_by = acting_user
    clause.changed_by_name = acting_user.name
    clause.changed_by_office = held[0].title
    return [
        "version",
        "carried",
        "changed_at",
        "changed_by",
        "changed_by_name",
        "changed_by_office",
    ]


def _after_edit(
    clause: Row | Article,
    *,
    event: str,
    acting_user: Person,
    held: Sequence[Appointment],
    at: datetime,
) -> None:
    withdrawn = withdraw_agreements(clause, because=f"{acting_user.name} changed the text.", at=at)
    agreed = record_stance(clause, stance=Stance.AGREED, held=held, at=at)
    record_event(
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
    revision = locked_draft(row.revision)
    held = require_party(revision, acting_user, Act.EDIT, at=at)
    row = Row.objects.select_related("function").get(pk=row.pk)
    row.revision = revision
    refuse_settled(row)
    text = clean_row(text, revision)
    if row_text(row) == text:
        return row
    if row.version != expected_version:
        raise ChangedMeanwhile(row)
    write_row(row, text, acting_user=acting_user, held=held, at=at)
    _after_edit(row, event="row.edited", acting_user=acting_user, held=held, at=at)
    return row


def write_row(
    row: Row, text: RowText, *, acting_user: Person, held: Sequence[Appointment], at: datetime
) -> None:
    """Put ``text`` in a row, as the next version, and keep the text it replaces.

    For verbs that hold the draft's lock and record what was done. Raises ``InvalidText``.
    """
    text = clean_row(text, row.revision)
    _keep_earlier_text(row, row_json(row_text(row)), at=at)
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


def write_article(
    article: Article,
    text: ArticleText,
    *,
    acting_user: Person,
    held: Sequence[Appointment],
    at: datetime,
) -> None:
    """The same for an article."""
    _keep_earlier_text(article, article_json(article), at=at)
    article.text, article.data = text.text, dict(text.data)
    changed = _mark_changed(article, acting_user=acting_user, held=held, at=at)
    article.save(update_fields=["text", "data", *changed])


def _keep_earlier_text(clause: Row | Article, text: Mapping[str, Any], *, at: datetime) -> None:
    EarlierText.objects.create(
        revision_id=clause.revision_id,
        **about(clause),
        version=clause.version,
        text=dict(text),
        written_by_name=clause.changed_by_name,
        written_by_office=clause.changed_by_office,
        written_at=clause.changed_at,
        replaced_at=at,
    )


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
    revision = locked_draft(article.revision)
    held = require_party(revision, acting_user, Act.EDIT, at=at)
    article = Article.objects.get(pk=article.pk)
    article.revision = revision
    if (article.text, article.data) == (text.text, dict(text.data)):
        return article
    if article.version != expected_version:
        raise ChangedMeanwhile(article)
    write_article(article, text, acting_user=acting_user, held=held, at=at)
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
    revision = locked_draft(revision)
    held = require_party(revision, acting_user, Act.EDIT, at=at)
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
    _keep_earlier_text(article, article_json(article) | _dates_json(*before[1:]), at=at)
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

    revision = locked_draft(revision)
    held = require_party(revision, acting_user, Act.EDIT, at=at)
    existing = revision.rows.filter(function=function).first()
    if existing is not None:
        return existing
    last = revision.rows.order_by("-position").values_list("position", flat=True).first() or 0
    row = new_row(revision, function, position=last + 1)
    _mark_changed(row, acting_user=acting_user, held=held, at=at)
    row.save()
    _after_edit(row, event="row.added", acting_user=acting_user, held=held, at=at)
    return row
