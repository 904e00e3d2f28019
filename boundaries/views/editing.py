"""Editing one row or article: saving what was typed, and merging it with what another saved first.

A form carries the version that it was opened at. When another version stands by then, nothing is
saved: the page comes back with both edits in one text. What only one of them changed is taken from
that one; where both changed the same thing, the writer says whose stands. Works without a script.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Generic, TypeVar

from django.http import HttpRequest, QueryDict
from django.utils import timezone

from people.errors import NotYourOffice, Refused
from people.offices import HYBRID

from .. import articles, drafting, merging
from ..article_forms import ArticleForm, ControlForm, article_form
from ..changes_since import article_text_at, differences, row_text_at, text_at, text_now
from ..differences import Difference
from ..drafting import ArticleText, RowText
from ..errors import ChangedMeanwhile
from ..form_fields import AGAIN, typed_in
from ..forms import RowForm
from ..merging import Path
from ..models import Article, Revision, Row
from ..path_words import label_of, said, value_at
from .frame import reader_of

T = TypeVar("T", RowText, ArticleText)
Form = RowForm | ArticleForm

THEIRS, MINE = "theirs", "mine"


@dataclass(frozen=True)
class Choice:
    """One thing that both changed: the writer takes theirs, or keeps what the form says."""

    id: str
    label: str
    theirs: str
    mine: str | None
    chosen: str
    is_missing: bool

    @property
    def name(self) -> str:
        return f"choice:{self.id}"


@dataclass(frozen=True)
class Conflict:
    """What the page says when somebody saved first."""

    by_name: str
    by_office: str
    at: datetime | None
    # From the text that the writer began with to what the other saved.
    differences: Sequence[Difference]
    choices: Sequence[Choice]
    # The version that the writer began with.
    base: int
    # What the writer changed and the other did not: it is in the form.
    kept: Sequence[str] = ()

    @property
    def undecided(self) -> bool:
        return any(one.is_missing for one in self.choices)


@dataclass
class Outcome:
    """What became of a form that was sent: saved, or shown again with what stands in the way."""

    form: Form
    saved: Row | Article | None = None
    conflict: Conflict | None = None
    refusal: str = ""


class Editing(Generic[T]):
    """How a row, or an article, is read from its form, merged, and saved."""

    clause: Row | Article

    def stands(self, clause: Row | Article) -> None:
        """Go on with the row or article as it stands by now."""
        self.clause = clause

    def bound(self, data: QueryDict | None) -> Form:
        raise NotImplementedError

    def filled(self, text: T, version: int) -> Form:
        """A form that holds ``text`` and will be saved against ``version``."""
        raise NotImplementedError

    def typed(self, form: Form) -> T:
        raise NotImplementedError

    def at_version(self, version: int) -> T | None:
        raise NotImplementedError

    def tree(self, text: T) -> Mapping[str, Any]:
        raise NotImplementedError

    def merge(self, base: T | None, theirs: T, mine: T) -> merging.Merged[T]:
        raise NotImplementedError

    def choose(self, mine: T, theirs: T, paths: Sequence[Path]) -> T:
        raise NotImplementedError

    def save(self, text: T, *, expected_version: int, **who_and_when: Any) -> Row | Article:
        raise NotImplementedError


def row_form(row: Row, data: QueryDict | None, *, split: bool = False) -> RowForm:
    """The form of a row; unbound as well, with what was typed, where ``AGAIN`` was posted."""
    initial = RowForm.initial_of(row)
    if split:
        initial["owner"] = HYBRID
    form = RowForm(data, initial=initial)
    return RowForm(initial=typed_in(form)) if data is not None and AGAIN in data else form


class RowEditing(Editing[RowText]):
    """``split`` opens the form with the parts that the catalog knows, for one owner each."""

    def __init__(self, row: Row, *, split: bool = False) -> None:
        self.clause = self.row = row
        self.split = split

    def stands(self, clause: Row | Article) -> None:
        assert isinstance(clause, Row)  # noqa: S101 - the verb was about it; tells the type checker
        self.clause = self.row = clause

    def bound(self, data: QueryDict | None) -> RowForm:
        return row_form(self.row, data, split=self.split)

    def filled(self, text: RowText, version: int) -> RowForm:
        return RowForm(initial=RowForm.initial_of_text(text, version, self.row.function))

    def typed(self, form: Form) -> RowText:
        assert isinstance(form, RowForm)  # noqa: S101 - it made the form; tells the type checker
        return form.text(self.row)

    def at_version(self, version: int) -> RowText | None:
        return row_text_at(self.row, version)

    def tree(self, text: RowText) -> Mapping[str, Any]:
        return merging.row_tree(text)

    def merge(
        self, base: RowText | None, theirs: RowText, mine: RowText
    ) -> merging.Merged[RowText]:
        return merging.merge_row(base, theirs, mine)

    def choose(self, mine: RowText, theirs: RowText, paths: Sequence[Path]) -> RowText:
        return merging.choose_in_row(mine, theirs, paths)

    def save(self, text: RowText, *, expected_version: int, **who_and_when: Any) -> Row:
        return drafting.edit_row(
            row=self.row, expected_version=expected_version, text=text, **who_and_when
        )


class ArticleEditing(Editing[ArticleText]):
    """The two dates of article 1 are merged like its data."""

    def __init__(self, article: Article, revision: Revision) -> None:
        self.clause = self.article = article
        self.revision = revision

    def stands(self, clause: Row | Article) -> None:
        assert isinstance(clause, Article)  # noqa: S101 - the verb was about it; tells the type checker
        self.clause = self.article = clause
        self.revision = clause.revision

    def bound(self, data: QueryDict | None) -> ArticleForm:
        return article_form(self.article, self.revision, data)

    def filled(self, text: ArticleText, version: int) -> ArticleForm:
        text, dates = _without_dates(text)
        shown = Article(
            pk=self.article.pk,
            revision=self.revision,
            number=self.article.number,
            key=self.article.key,
            title=self.article.title,
            text=text.text,
            data=dict(text.data),
            version=version,
        )
        form = article_form(shown, self.revision)
        if isinstance(form, ControlForm):
            effective, sunset = dates["effective_date"], dates["sunset_date"]
            if effective and sunset == drafting.twelve_months_after(effective):
                dates["sunset_date"] = None  # the usual one moves with the effective date
            form.initial.update(dates)
        return form

    def typed(self, form: Form) -> ArticleText:
        assert not isinstance(form, RowForm)  # noqa: S101 - it made the form; tells the type checker
        text = self._in_order(form.article_text())
        if not isinstance(form, ControlForm):
            return text
        effective, sunset = drafting.dates_of(
            self.revision, form.cleaned_data["effective_date"], form.cleaned_data["sunset_date"]
        )
        dates = {"effective_date": effective, "sunset_date": sunset}
        return replace(
            text,
            data={**text.data, **{name: day and day.isoformat() for name, day in dates.items()}},
        )

    def at_version(self, version: int) -> ArticleText | None:
        text = article_text_at(self.article, version)
        return None if text is None else self._in_order(text)

    def _in_order(self, text: ArticleText) -> ArticleText:
        return replace(text, data=articles.normalise(self.article.key, text.data))

    def tree(self, text: ArticleText) -> Mapping[str, Any]:
        return merging.article_tree(text)

    def merge(
        self, base: ArticleText | None, theirs: ArticleText, mine: ArticleText
    ) -> merging.Merged[ArticleText]:
        return merging.merge_article(base, theirs, mine)

    def choose(self, mine: ArticleText, theirs: ArticleText, paths: Sequence[Path]) -> ArticleText:
        return merging.choose_in_article(mine, theirs, paths)

    def save(self, text: ArticleText, *, expected_version: int, **who_and_when: Any) -> Article:
        if self.article.key == "control":
            text, dates = _without_dates(text)
            return drafting.edit_control(
                revision=self.revision,
                expected_version=expected_version,
                text=text.text,
                effective_date=dates["effective_date"],
                sunset_date=dates["sunset_date"],
                **who_and_when,
            )
        return drafting.edit_article(
            article=self.article, expected_version=expected_version, text=text, **who_and_when
        )


def _without_dates(text: ArticleText) -> tuple[ArticleText, dict[str, date | None]]:
    data = dict(text.data)
    dates = {
        name: date.fromisoformat(day) if (day := data.pop(name, None)) else None
        for name in ("effective_date", "sunset_date")
    }
    return replace(text, data=data), dates


# --- Saving and merging -----------------------------------------------------------------------


def send(request: HttpRequest, editing: Editing[T]) -> Outcome:
    """Save what was posted, or say what stands in the way; what was typed stays in the form."""
    form = editing.bound(request.POST)
    if AGAIN in request.POST:
        return Outcome(form)
    base, version = (_number(request.POST.get(name, "")) for name in ("base", "version"))
    asked = [tuple(one.split("/")) for one in request.POST.getlist("asked")]
    answers = {path: request.POST.get(f"choice:{'/'.join(path)}", "") for path in asked}
    theirs = editing.at_version(version) if asked else None
    mine = editing.typed(form) if form.is_valid() else None
    again = None
    if theirs is not None:
        again = _asked_again(editing, base=base, theirs=theirs, mine=mine, answers=answers)
    if mine is None:
        return Outcome(form, conflict=again)
    if theirs is not None:
        if not all(one in (THEIRS, MINE) for one in answers.values()):
            return Outcome(form, conflict=again)
        mine = editing.choose(
            mine, theirs, [path for path, one in answers.items() if one == THEIRS]
        )
    try:
        saved = editing.save(
            mine, expected_version=version, acting_user=reader_of(request), at=timezone.now()
        )
    except ChangedMeanwhile as changed:
        return _merged(editing, changed.clause, version, mine)
    except NotYourOffice:
        raise
    except Refused as refused:
        return Outcome(form, conflict=again, refusal=str(refused))
    return Outcome(form, saved=saved)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def _merged(editing: Editing[T], stands: Row | Article, version: int, mine: T) -> Outcome:
    """Somebody saved first: both edits in one form, to be saved against what stands now."""
    editing.stands(stands)
    theirs = editing.at_version(stands.version)
    assert theirs is not None  # noqa: S101 - what stands now is always known
    merged = editing.merge(editing.at_version(version), theirs, mine)
    tree = editing.tree(mine)
    conflict = _conflict(
        editing,
        base=version,
        choices=[_choice(editing, one.path, theirs, mine) for one in merged.conflicts],
        kept=[label_of(stands, path, tree) for path in merged.from_mine],
    )
    return Outcome(editing.filled(merged.text, stands.version), conflict=conflict)


def _asked_again(
    editing: Editing[T], *, base: int, theirs: T, mine: T | None, answers: Mapping[Path, str]
) -> Conflict:
    """The same questions once more: the form was sent, and cannot be saved yet."""
    choices = [
        _choice(editing, path, theirs, mine, chosen=answer, asked=mine is not None)
        for path, answer in answers.items()
    ]
    return _conflict(editing, base=base, choices=choices)


def _conflict(
    editing: Editing[T], *, base: int, choices: Sequence[Choice], kept: Sequence[str] = ()
) -> Conflict:
    clause = editing.clause
    before = text_at(clause, base)
    return Conflict(
        by_name=clause.changed_by_name,
        by_office=clause.changed_by_office,
        at=clause.changed_at,
        differences=differences(clause, before, text_now(clause)) if before is not None else (),
        choices=choices,
        base=base,
        kept=kept,
    )


def _choice(
    editing: Editing[T],
    path: Path,
    theirs: T,
    mine: T | None,
    *,
    chosen: str = "",
    asked: bool = False,
) -> Choice:
    """One question. Without ``mine`` the form says it, and something in it cannot stand yet."""
    trees = [editing.tree(one) for one in (mine, theirs) if one is not None]
    return Choice(
        id="/".join(path),
        label=label_of(editing.clause, path, *trees),
        theirs=said(path, value_at(trees[-1], path)),
        mine=said(path, value_at(trees[0], path)) if mine is not None else None,
        chosen=chosen,
        is_missing=asked and chosen not in (THEIRS, MINE),
    )
