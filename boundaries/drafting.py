"""The verbs that change a draft's text.

Each is one transaction and one audit event, under the lock of ``locked_draft``. Saving an edit
withdraws every agreement to the text and records the editor's own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.text import slugify

from functions_catalog.models import Function
from people.models import Appointment, Office, Person
from people.offices import HYBRID
from people.permissions import Act

from . import articles, draft_news
from .agreeing import about, record_event, record_stance, refuse_settled, withdraw_agreements
from .errors import ChangedMeanwhile, InvalidText, ReasonMissing, RowCannotGo
from .locking import locked_draft, reread
from .models import Article, EarlierText, Revision, Row, RowSubScope
from .parties import Offices, party_offices, possible_owners, require_party
from .party_news import tell_parties
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


def with_keys(parts: Sequence[SubScopeText]) -> tuple[SubScopeText, ...]:
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


def clean_row(text: RowText, revision: Revision, offices: Offices | None = None) -> RowText:
    """The text with its keys and lists in order. Raises ``InvalidText``, saying what to write."""
    offices = offices or Offices.of_today()
    left_out_reason = text.left_out_reason.strip()
    if left_out_reason and text.owner:
        raise InvalidText(
            "A function left out of the boundary has no owner. Clear the owner or the reason."
        )
    names = [part.name.casefold() for part in text.sub_scopes]
    if len(names) != len(set(names)):
        raise InvalidText("Two sub-scopes have the same name. Give each its own name.")
    owners = {part.owner for part in text.sub_scopes} | {text.owner} - {HYBRID}
    if unknown := owners - {"", *offices.may_own}:
        raise InvalidText(
            f"“{unknown.pop()}” cannot own a function. Choose a party's Office; “shared” is not an "
            "owner: name sub-scopes and give each one owner."
        )
    told = {*text.consulted, *text.informed}
    if unknown := told - offices.keys:
        raise InvalidText(f"There is no Office “{unknown.pop()}” to ask or to tell.")
    return RowText(
        owner=text.owner,
        sub_scopes=with_keys(text.sub_scopes) if text.owner == HYBRID else (),
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
    reason: str = "",
) -> None:
    withdrawn = withdraw_agreements(clause, because=f"{acting_user.name} changed the text.", at=at)
    agreed = record_stance(clause, stance=Stance.AGREED, held=held, at=at)
    record_event(
        event,
        clause,
        acting_user=acting_user,
        held=held,
        at=at,
        reason=reason,
        agreements_withdrawn=withdrawn,
        agreed_by_editor=agreed,
    )
    draft_news.edited(clause, acting_user=acting_user, held=held, at=at)


@transaction.atomic
def edit_row(
    *, row: Row, expected_version: int, text: RowText, acting_user: Person, at: datetime
) -> Row:
    """Save a row's text. Saving what already stands changes nothing and asks nobody again.

    Raises ``ChangedMeanwhile`` (carrying the row as it is now) when ``expected_version`` is old.
    """
    revision = locked_draft(row.revision)
    held = require_party(revision, acting_user, Act.EDIT, at=at)
    row = reread(row, revision)
    refuse_settled(row)
    text = clean_row(text, revision)
    if row_text(row) == text:
        return row
    if row.version != expected_version:
        raise ChangedMeanwhile(row)
    write_row(row, text, acting_user=acting_user, held=held, at=at)
    _after_edit(row, event="row.edited", acting_user=acting_user, held=held, at=at)
    return row


@transaction.atomic
def leave_out(
    *, row: Row, expected_version: int, reason: str, acting_user: Person, at: datetime
) -> Row:
    """Leave the row's function out of the boundary, with a reason; its lines are kept for later.

    What the CEO settled stays, unless the catalog has retired the function meanwhile: it can go
    into no boundary then, and the parties agree to leaving it out.
    """
    revision = locked_draft(row.revision)
    held = require_party(revision, acting_user, Act.EDIT, at=at)
    row = reread(row, revision)
    if row.function.is_active or row.left_out_reason:
        refuse_settled(row)
    reason = reason.strip()
    if not reason:
        raise ReasonMissing(
            f"Say why {row.function.name} belongs to nobody here. Nothing was left out."
        )
    text = replace(row_text(row), owner="", sub_scopes=(), left_out_reason=reason)
    if row_text(row) == text:
        return row
    if row.version != expected_version:
        raise ChangedMeanwhile(row)
    write_row(row, text, acting_user=acting_user, held=held, at=at)
    if row.is_settled:
        row.ruling = row.order = None
        row.save(update_fields=["ruling", "order"])
    _after_edit(row, event="row.left_out", acting_user=acting_user, held=held, at=at, reason=reason)
    return row


@transaction.atomic
def take_back_in(*, row: Row, expected_version: int, acting_user: Person, at: datetime) -> Row:
    """Take a function that was left out back in, to the owner it had, else to the proposed one."""
    revision = locked_draft(row.revision)
    held = require_party(revision, acting_user, Act.EDIT, at=at)
    row = reread(row, revision)
    refuse_settled(row)
    if not row.left_out_reason:
        return row
    if row.version != expected_version:
        raise ChangedMeanwhile(row)
    text = replace(_owned_before(row), left_out_reason="")
    write_row(row, text, acting_user=acting_user, held=held, at=at)
    _after_edit(row, event="row.taken_back_in", acting_user=acting_user, held=held, at=at)
    return row


def _owned_before(row: Row) -> RowText:
    """The row's lines with who owned it before it was left out, as far as they still may."""
    from .template import heirs, proposed_row  # the template builds on this module's texts

    now = row_text(row)
    earlier = EarlierText.objects.filter(row=row).order_by("-version")
    texts = (row_text_from_json(one.text) for one in earlier)
    before = next((one for one in texts if not one.left_out_reason), None)
    if before is not None:
        may_own = {"", HYBRID, *possible_owners()}
        if {before.owner, *(part.owner for part in before.sub_scopes)} <= may_own:
            return replace(now, owner=before.owner, sub_scopes=before.sub_scopes)
    proposed = proposed_row(row.function, heirs=heirs())
    if not (now.scope_in or now.scope_out):
        return proposed
    return replace(now, owner=proposed.owner, sub_scopes=proposed.sub_scopes)


@transaction.atomic
def move_row(
    *,
    row: Row,
    before: Row | None = None,
    after: Row | None = None,
    acting_user: Person,
    at: datetime,
) -> Row:
    """List a row directly before or after another one of the same draft.

    Its number stays, and so do text and agreements: only the order of reading changes.
    """
    revision = locked_draft(row.revision)
    held = require_party(revision, acting_user, Act.EDIT, at=at)
    row = reread(row, revision)
    beside = before or after
    order = list(revision.rows.all())
    if beside is None or beside.pk == row.pk or beside not in order:
        raise InvalidText(f"Name another row of {revision.reference} to put {row} beside.")
    others = [one for one in order if one != row]
    index = others.index(beside) + (before is None)
    wanted = [*others[:index], row, *others[index:]]
    if wanted == order:
        return row
    moved = []
    for place, one in enumerate(wanted, start=1):
        if one.place != place:
            one.place = place
            moved.append(one)
    Row.objects.bulk_update(moved, ["place"])
    record_event(
        "row.moved",
        row,
        acting_user=acting_user,
        held=held,
        at=at,
        **{"before" if before else "after": beside.reference},
    )
    return row


@transaction.atomic
def remove_row(
    *, row: Row, expected_version: int, reason: str = "", acting_user: Person, at: datetime
) -> Row:
    """Take a row out of a document about a part of the catalog; its texts and thread are kept.

    The company boundary covers the whole catalog, so there a function is left out with a reason.
    """
    revision = locked_draft(row.revision)
    held = require_party(revision, acting_user, Act.EDIT, at=at)
    row = reread(row, revision)
    refuse_settled(row)
    if revision.document.is_company_boundary:
        raise RowCannotGo(
            f"The company boundary covers the whole catalog, so {row} cannot be removed. Leave the "
            "function out with a reason instead."
        )
    if row.version != expected_version:
        raise ChangedMeanwhile(row)
    if row.vetoes.filter(lifted_at__isnull=True, ordered_at__isnull=True).exists():
        raise RowCannotGo(f"The CFO vetoes {row}. It can be removed once the veto is lifted.")
    if row.disputes.filter(outcome="").exists():
        raise RowCannotGo(
            f"{row} is in dispute. It can be removed once the dispute is withdrawn or ruled."
        )
    if revision.rows.count() == 1:
        raise RowCannotGo(
            f"{row} is the only row of {revision.reference}. Add another function first, or "
            "withdraw the draft."
        )
    parties = party_offices(revision)
    withdrawn = withdraw_agreements(row, because=f"{acting_user.name} removed the row.", at=at)
    row.removed_at = at
    row.save(update_fields=["removed_at"])
    record_event(
        "row.removed",
        row,
        acting_user=acting_user,
        held=held,
        at=at,
        reason=reason.strip(),
        agreements_withdrawn=withdrawn,
    )
    tell_parties(
        row,
        parties,
        by_name=acting_user.name,
        by_office=held[0].title,
        but=acting_user.pk,
        at=at,
    )
    return row


def write_row(
    row: Row,
    text: RowText,
    *,
    acting_user: Person,
    held: Sequence[Appointment],
    at: datetime,
    offices: Offices | None = None,
    parties: Sequence[str] | None = None,
) -> Sequence[str]:
    """Put ``text`` in a row, as the next version, and keep the text it replaces.

    For verbs that hold the draft's lock and record what was done. Returns the parties to the draft
    as they are then. A verb that writes many rows asks for ``offices`` once, and hands the
    ``parties`` on from each row to the next. Raises ``InvalidText``.
    """
    offices = offices or Offices.of_today()
    text, former = clean_row(text, row.revision, offices), row_text(row)
    if parties is None:
        parties = party_offices(row.revision, may_own=offices.may_own)
    _keep_earlier_text(row, row_json(former), at=at)
    row.owner = text.owner
    row.scope_in, row.scope_out, row.rationale = text.scope_in, text.scope_out, text.rationale
    row.consulted, row.informed = list(text.consulted), list(text.informed)
    row.left_out_reason = text.left_out_reason
    if tuple(text.sub_scopes) != tuple(former.sub_scopes):
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
    if _owners(text) == _owners(former):
        return parties
    now = party_offices(row.revision, may_own=offices.may_own)
    tell_parties(
        row,
        parties,
        by_name=acting_user.name,
        by_office=held[0].title,
        but=acting_user.pk,
        at=at,
        now=now,
    )
    return now


def _owners(text: RowText) -> set[str]:
    """Who owns the row or a part of it."""
    return {text.owner, *(part.owner for part in text.sub_scopes)}


def clean_article(article: Article, text: ArticleText) -> ArticleText:
    """The text with its data in order. Raises ``InvalidText``, saying what to write."""
    offices: Sequence[str] = ()
    if articles.is_structured(article.key):
        offices = list(Office.objects.values_list("key", flat=True))
    return ArticleText(text=text.text, data=articles.clean(article.key, text.data, offices=offices))


def write_article(
    article: Article,
    text: ArticleText,
    *,
    acting_user: Person,
    held: Sequence[Appointment],
    at: datetime,
) -> None:
    """The same for an article."""
    text = clean_article(article, text)
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
    article = reread(article, revision)
    text = clean_article(article, text)
    if (article.text, articles.normalise(article.key, article.data)) == (text.text, text.data):
        return article
    if article.version != expected_version:
        raise ChangedMeanwhile(article)
    write_article(article, text, acting_user=acting_user, held=held, at=at)
    _after_edit(article, event="article.edited", acting_user=acting_user, held=held, at=at)
    return article


def sunset_is_inherited(revision: Revision, effective: date | None = None) -> bool:
    """An amendment never postpones the sunset, as long as the inherited one can still stand.

    ``effective`` is the date asked about; without it, the one that stands.
    """
    former, effective = revision.supersedes, effective or revision.effective_date
    return bool(former and former.sunset_date and effective and former.sunset_date > effective)


def dates_of(
    revision: Revision, effective: date | None, sunset: date | None
) -> tuple[date | None, date | None]:
    """The dates that article 1 has once these are saved: the sunset date inherited or added."""
    if effective is not None and revision.supersedes and sunset_is_inherited(revision, effective):
        return effective, revision.supersedes.sunset_date
    if sunset is None and effective is not None:
        return effective, twelve_months_after(effective)
    return effective, sunset


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
    dates = dates_of(revision, effective_date, sunset_date)
    if before == (text, *dates):
        return article
    if article.version != expected_version:
        raise ChangedMeanwhile(article)
    _keep_earlier_text(article, article_json(article) | _dates_json(*before[1:]), at=at)
    revision.effective_date, revision.sunset_date = dates
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
    """Add the row of a function, as the template proposes it, at the end.

    For what came into the catalog after the draft was opened; a document about a part may take up
    any active function. One that was removed comes back with its number, texts and thread.
    """
    from .template import new_row  # the template builds rows; it imports this module's texts

    revision = locked_draft(revision)
    held = require_party(revision, acting_user, Act.EDIT, at=at)
    existing = Row.every.filter(revision=revision, function=function).first()
    if existing is not None and existing.removed_at is None:
        return existing
    if not function.is_active:
        instead = f" Add {function.successor} instead." if function.successor else ""
        raise InvalidText(f"The catalog has retired {function.name}.{instead}")
    parties = party_offices(revision)
    if existing is not None:
        row = existing
        row.removed_at = None
        _keep_earlier_text(row, row_json(row_text(row)), at=at)
    else:
        row = new_row(revision, function, position=_number_for(function, revision))
    row.revision = revision
    row.place = (revision.rows.aggregate(last=Max("place"))["last"] or 0) + 1
    _mark_changed(row, acting_user=acting_user, held=held, at=at)
    row.save()
    _after_edit(row, event="row.added", acting_user=acting_user, held=held, at=at)
    tell_parties(
        row,
        parties,
        by_name=acting_user.name,
        by_office=held[0].title,
        but=acting_user.pk,
        at=at,
    )
    return row


def _number_for(function: Function, revision: Revision) -> int:
    """The number that the function had in the document before; else one that nothing ever had."""
    ever = Row.every.filter(revision__document=revision.document_id)
    mine = ever.filter(function=function).order_by("-revision__number").first()
    if mine is not None and not Row.every.filter(revision=revision, position=mine.position):
        return mine.position
    return (ever.aggregate(last=Max("position"))["last"] or 0) + 1
