"""What changed in a row or article since a reader agreed to it, or last looked at it.

Every text that an edit replaced is kept (``EarlierText``), so the text of then can be laid beside
the text of now, word by word.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import TextChoices

from people.models import Person
from people.templatetags.speech import day_words

from . import articles
from .agreeing import about
from .differences import Difference, row_text_differences
from .drafting import ArticleText, RowText, article_json, row_json, row_text, row_text_from_json
from .models import Agreement, Article, EarlierText, Look, Row
from .states import Stance

Text = Mapping[str, Any]


class Since(TextChoices):
    AGREED = "agreed", "you agreed"
    LOOKED = "looked", "you last looked"


def text_now(clause: Row | Article) -> Text:
    """What stands in a row or article, in the shape in which earlier texts are kept."""
    if isinstance(clause, Row):
        return row_json(row_text(clause))
    if clause.key != "control":
        return article_json(clause)
    dates = {
        "effective_date": clause.revision.effective_date,
        "sunset_date": clause.revision.sunset_date,
    }
    return article_json(clause) | {name: day and day.isoformat() for name, day in dates.items()}


def text_at(clause: Row | Article, version: int) -> Text | None:
    """The text of one version of a row or article; None where none was kept. One query at most."""
    if version == clause.version:
        return text_now(clause)
    found = EarlierText.objects.filter(**about(clause), version=version)
    return found.values_list("text", flat=True).first()


def row_text_at(row: Row, version: int) -> RowText | None:
    text = text_at(row, version)
    return None if text is None else row_text_from_json(text)


def article_text_at(article: Article, version: int) -> ArticleText | None:
    """The same of an article; the two dates of article 1 are in its data."""
    text = text_at(article, version)
    return None if text is None else article_text_of(text)


def article_text_of(text: Text) -> ArticleText:
    dates = {name: text[name] for name in ("effective_date", "sunset_date") if name in text}
    return ArticleText(text=text.get("text", ""), data={**text.get("data", {}), **dates})


def differences(clause: Row | Article, before: Text, after: Text) -> list[Difference]:
    """What differs between two texts of one row or article, field by field, in words."""
    if isinstance(clause, Row):
        return row_text_differences(row_text_from_json(before), row_text_from_json(after))
    names = articles.function_names()
    then = _spoken(clause, article_text_of(before), names)
    now = _spoken(clause, article_text_of(after), names)
    return [
        Difference(label, then.get(id_, ("", ""))[1], now.get(id_, ("", ""))[1])
        for id_, label in {id_: label for id_, (label, _) in (*then.items(), *now.items())}.items()
        if then.get(id_, ("", ""))[1] != now.get(id_, ("", ""))[1]
    ]


_DATES = {"effective_date": "Effective date", "sunset_date": "Sunset date"}


def _spoken(
    article: Article, text: ArticleText, names: Mapping[str, str]
) -> dict[str, tuple[str, str]]:
    """Each part of an article by its id: how it is called, and what it says."""
    data = {name: value for name, value in text.data.items() if name not in _DATES}
    found = {"text": ("Text", text.text)}
    found |= {one.id: (one.label, one.text) for one in articles.spoken(article.key, data, names)}
    for name, label in _DATES.items():
        if text.data.get(name):
            found[name] = (label, day_words(date.fromisoformat(text.data[name])))
    return found


@dataclass(frozen=True)
class Edit:
    """Who wrote a version, and when."""

    by_name: str
    by_office: str
    at: datetime | None


@dataclass(frozen=True)
class Changes:
    """A clause as it was when the reader agreed or looked, against what stands now."""

    since: Since
    # When that was; None where it never was, or is not known.
    at: datetime | None
    office: str = ""
    differences: Sequence[Difference] = ()
    # The versions written since then, the oldest first.
    edits: Sequence[Edit] = ()
    # The text of then was not kept.
    unknown: bool = False
    # The reader's Office never agreed, or the reader never looked.
    never: bool = False


def changes_since(
    clause: Row | Article,
    since: Since,
    *,
    reader: Person,
    offices: Sequence[str],
    version: int = 0,
) -> Changes:
    """What changed since one of ``offices`` last agreed, or since ``reader`` last looked.

    ``offices`` are those the reader answers for in this draft. ``version`` is the one that a page
    knew as looked at when it was made: showing a row is a look of its own. A few queries.
    """
    if since == Since.AGREED:
        agreed = (
            Agreement.objects.filter(**about(clause), stance=Stance.AGREED, office__in=offices)
            .order_by("given_at", "pk")
            .last()
        )
        if agreed is None:
            return Changes(since, None, never=True)
        return _changes(clause, since, agreed.clause_version, agreed.given_at, agreed.office)
    if version:
        return _changes(clause, since, version, None)
    look = Look.objects.filter(**about(clause), person=reader).first()
    if look is None:
        return Changes(since, None, never=True)
    return _changes(clause, since, look.version, look.looked_at)


def _changes(
    clause: Row | Article, since: Since, version: int, at: datetime | None, office: str = ""
) -> Changes:
    before = text_at(clause, version)
    if before is None:
        return Changes(since, at, office, unknown=True)
    between = EarlierText.objects.filter(**about(clause), version__gt=version).order_by("version")
    edits = [Edit(one.written_by_name, one.written_by_office, one.written_at) for one in between]
    if clause.version > version:
        edits.append(Edit(clause.changed_by_name, clause.changed_by_office, clause.changed_at))
    return Changes(since, at, office, differences(clause, before, text_now(clause)), edits)
