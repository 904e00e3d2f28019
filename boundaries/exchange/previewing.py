"""What an import would do to a draft: changes, conflicts, what stays, what cannot be taken over."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from ..articles import SHAPES, normalise, problems
from ..differences import (
    Difference,
    article_differences,
    row_differences,
    row_text_differences,
)
from ..drafting import (
    ArticleText,
    RowText,
    SubScopeText,
    row_text,
    row_text_from_json,
    sunset_is_inherited,
    with_keys,
)
from ..errors import InvalidText
from ..merging import merge_article, merge_row, row_tree
from ..models import Article, EarlierText, Revision, Row
from ..template import MARKETING, TEAM_SHAPES, proposed_row
from .reading import ArticleIn, Incoming, RowIn
from .table import Names, Problem, check_fields, row_json_fields, tabular, tidy

MAX_ARTICLE = 12_000
MAX_FACT = 4000
LAYERS = ("weekly", "monthly", "quarterly")
_DATES = ("effective_date", "sunset_date")


@dataclass(frozen=True)
class Change:
    """One row or article that the import would write."""

    anchor: str  # "row-3", "article-2", "add-deal_desk"
    title: str
    place: str  # where it stands in the file
    differences: Sequence[Difference]
    text: RowText | ArticleText
    clause: Row | Article | None  # None: the row is added
    version: int  # of the draft's text that it was compared with; 0 for a row to be added
    function: str = ""
    dates: Mapping[str, date | None] = field(default_factory=dict)
    # Changed in the draft since the file was taken from it: taken over only where ticked.
    conflict: bool = False

    @property
    def is_new(self) -> bool:
        return self.clause is None


@dataclass
class Preview:
    """What would change, and what would not and why."""

    changes: list[Change] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unchanged: int = 0
    # Changed in the draft since the export, but not in the file: the draft's text stays.
    kept: list[str] = field(default_factory=list)
    # Locked to the CEO's ruling or order.
    settled: list[str] = field(default_factory=list)
    # Rows of the draft that the file does not have.
    absent: int = 0
    # The file was taken from another draft, so versions say nothing.
    other: str = ""

    @property
    def sound(self) -> list[Change]:
        return [one for one in self.changes if not one.conflict]

    @property
    def conflicts(self) -> list[Change]:
        return [one for one in self.changes if one.conflict]


def preview(revision: Revision, incoming: Incoming, names: Names) -> Preview:
    """Compare a file with the draft as it stands. As many queries for any number of rows."""
    found = Preview(problems=list(incoming.problems))
    if incoming.reference and incoming.reference != revision.reference:
        found.other = incoming.reference
    rows = {
        row.function.key: row
        for row in revision.rows.select_related("function").prefetch_related("sub_scopes")
    }
    articles = {one.key: one for one in revision.articles.all()}
    earlier = _earlier(revision)
    for given in incoming.rows:
        row = rows.get(given.function)
        if row is None:
            _new_row(given, names, found)
        else:
            row.revision = revision
            _row(given, row, incoming, earlier, names, found)
    for one in incoming.articles:
        article = articles.get(one.key)
        if article is None:
            found.problems.append(
                Problem(one.place, f"The draft has no article “{one.key[:60]}”. Leave it out.")
            )
        else:
            article.revision = revision
            _article(one, article, incoming, earlier, names, found)
    if incoming.named:
        found.absent = len(set(rows) - incoming.named)
    found.problems.sort(key=_in_order)
    return found


def _in_order(problem: Problem) -> tuple[str, int]:
    """By the words before the first number of the place, then by that number."""
    match = re.match(r"(\D*)(\d{0,9})", problem.place)
    words, number = match.groups() if match else ("", "")
    return words, int(number or 0)


def _earlier(revision: Revision) -> dict[tuple[str, int, int], Any]:
    """The texts that edits of this draft replaced, by kind, id and version."""
    found = {}
    for one in EarlierText.objects.filter(revision=revision):
        kind, pk = ("row", one.row_id) if one.row_id else ("article", one.article_id)
        found[kind, pk or 0, one.version] = one.text
    return found


def _same(a: str, b: str, *, in_table: bool) -> bool:
    return a == b or tidy(a) == tidy(b) or (in_table and tabular(a) == tabular(b))


def _meant(given: str, *stand: str, in_table: bool) -> str:
    """The text that was meant: one that stands, where only signs differ that files do not keep."""
    return next((one for one in stand if _same(given, one, in_table=in_table)), tidy(given))


def _left(title: str, *, kept: bool, found: Preview) -> None:
    """Nothing to write: the draft moved on and the file did not, or both say the same."""
    if kept:
        found.kept.append(title)
    else:
        found.unchanged += 1


# --- Rows -------------------------------------------------------------------------------------


def _typed(given: RowIn, base: RowText, now: RowText, *, in_table: bool) -> RowText:
    """The row as the file wants it: fields that it lacks are those that it was taken from."""
    changed: dict[str, Any] = {}
    for name, value in given.fields.items():
        if name == "sub_scopes":
            changed[name] = _parts(value, base, now)
        elif name in ("consulted", "informed"):
            # The order says nothing; what stands keeps its own.
            stands = tuple(getattr(base, name))
            same = set(value) == set(stands)
            changed[name] = stands if same else tuple(dict.fromkeys(value))
        elif name == "owner":
            changed[name] = value
        else:
            changed[name] = _meant(
                value, getattr(base, name), getattr(now, name), in_table=in_table
            )
    return replace(base, **changed)


def _parts(
    value: Sequence[Mapping[str, str]], base: RowText, now: RowText
) -> tuple[SubScopeText, ...]:
    keys = {part.name.casefold(): part.key for part in (*now.sub_scopes, *base.sub_scopes)}
    return with_keys(
        [
            SubScopeText(
                name=tidy(part["name"]),
                owner=part["owner"],
                key=part.get("key") or keys.get(part["name"].casefold(), ""),
            )
            for part in value
        ]
    )


def _row(
    given: RowIn,
    row: Row,
    incoming: Incoming,
    earlier: Mapping[tuple[str, int, int], Any],
    names: Names,
    found: Preview,
) -> None:
    now = row_text(row)
    version = None if found.other else given.version
    known = version is None or version == row.version
    kept = earlier.get(("row", row.pk, version or 0))
    base = now if known else row_text_from_json(kept) if kept is not None else None
    mine = _typed(given, base or now, now, in_table=incoming.tabular)
    merged = merge_row(base, now, mine)
    if row_tree(merged.text) == row_tree(now):
        untouched = base is not None and not known and row_tree(mine) == row_tree(base)
        _left(str(row), kept=untouched, found=found)
        return
    if row.is_settled:
        found.settled.append(str(row))
        return
    if wrong := check_fields(row_json_fields(merged.text), given.place, names):
        found.problems += wrong
        return
    found.changes.append(
        Change(
            anchor=row.anchor,
            title=str(row),
            place=given.place,
            differences=row_differences(row, merged.text),
            text=merged.text,
            clause=row,
            version=row.version,
            function=row.function.key,
            conflict=bool(merged.conflicts),
        )
    )


def _new_row(given: RowIn, names: Names, found: Preview) -> None:
    function = names.functions[given.function]
    if not function.is_active:
        found.problems.append(
            Problem(given.place, f"The catalog has retired {function.name}. Leave the line out.")
        )
        return
    proposed = proposed_row(function, heirs={})
    if given.fields.get("left_out_reason"):
        proposed = RowText()
    text = _typed(given, proposed, proposed, in_table=False)
    if text.owner != "hybrid":
        text = replace(text, sub_scopes=())
    if wrong := check_fields(row_json_fields(text), given.place, names):
        found.problems += wrong
        return
    found.changes.append(
        Change(
            anchor=f"add-{function.key}",
            title=f"New row, {function.name}",
            place=given.place,
            differences=row_text_differences(RowText(), text),
            text=text,
            clause=None,
            version=0,
            function=function.key,
        )
    )


# --- Articles ---------------------------------------------------------------------------------


def _article(
    given: ArticleIn,
    article: Article,
    incoming: Incoming,
    earlier: Mapping[tuple[str, int, int], Any],
    names: Names,
    found: Preview,
) -> None:
    now = ArticleText(text=article.text, data=article.data)
    version = None if found.other else given.version
    known = version is None or version == article.version
    kept = earlier.get(("article", article.pk, version or 0))
    base = now if known else None
    if not known and kept is not None:
        base = ArticleText(text=kept.get("text", ""), data=kept.get("data", {}))
    try:
        mine = _typed_article(given, article.key, base or now, now, names, incoming.tabular)
    except InvalidText as refused:
        found.problems.append(Problem(f"{given.place} ({article})", str(refused)))
        return
    merged = merge_article(base, now, mine)
    dates = _dates(given, article, found)
    if dates is None:
        return
    if merged.text == now and not dates:
        _left(str(article), kept=not known and mine == base, found=found)
        return
    text = merged.text
    found.changes.append(
        Change(
            anchor=article.anchor,
            title=str(article),
            place=given.place,
            differences=[
                *article_differences(article, text),
                *(
                    Difference(
                        name.replace("_", " ").capitalize(),
                        _day(getattr(article.revision, name)),
                        _day(day),
                    )
                    for name, day in dates.items()
                ),
            ],
            text=text,
            clause=article,
            version=article.version,
            dates=dates,
            conflict=bool(merged.conflicts) or (bool(dates) and not known),
        )
    )


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _dates(given: ArticleIn, article: Article, found: Preview) -> dict[str, date | None] | None:
    """The dates of article 1 that the file changes; None where one of them cannot be."""
    if article.key != "control":
        return {}
    revision = article.revision
    changed: dict[str, date | None] = {}
    for name in _DATES:
        if name not in given.fields:
            continue
        day = date.fromisoformat(given.fields[name]) if given.fields[name] else None
        if day != getattr(revision, name):
            changed[name] = day
    if "sunset_date" in changed and sunset_is_inherited(revision):
        del changed["sunset_date"]
    effective = changed.get("effective_date", revision.effective_date)
    sunset = changed.get("sunset_date", revision.sunset_date)
    if changed and effective and sunset and sunset <= effective:
        found.problems.append(
            Problem(given.place, "The sunset date has to come after the effective date.")
        )
        return None
    return changed


def _typed_article(
    given: ArticleIn, key: str, base: ArticleText, now: ArticleText, names: Names, in_table: bool
) -> ArticleText:
    text = base.text
    if "text" in given.fields:
        text = _meant(given.fields["text"], base.text, now.text, in_table=in_table)
        if len(text) > MAX_ARTICLE and text != base.text:
            raise InvalidText(
                f"The text has {len(text):,} characters. Write at most {MAX_ARTICLE:,}."
            )
    data = dict(base.data)
    if "data" in given.fields:
        data = _typed_data(given.fields["data"], key, base.data, names, in_table)
    return ArticleText(text=text, data=data)


def _typed_data(
    given: Mapping[str, Any], key: str, base: Mapping[str, Any], names: Names, in_table: bool
) -> dict[str, Any]:
    if key in SHAPES:
        data = normalise(key, {**base, **given})
        stands = normalise(key, base)
        if data == stands or (in_table and _plain(data) == _plain(stands)):
            return dict(base)
        wrong = problems(key, data, offices=names.offices)
        if wrong:
            raise InvalidText(f"{wrong[0].field.replace('_', ' ').capitalize()}: {wrong[0].says}")
        return data
    data = {**base, **{name: _fact(name, value, base, names) for name, value in given.items()}}
    return dict(base) if _plain(data) == _plain(base) else data


def _plain(value: Any) -> Any:
    """Data without the signs that a table program does not keep."""
    if isinstance(value, str):
        return tabular(value)
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value


_MORE_FACTS = frozenset({"rationale"})
_CHOICES: dict[str, Mapping[str, str]] = {"team_shape": TEAM_SHAPES, "marketing": MARKETING}


def _fact(name: str, value: Any, base: Mapping[str, Any], names: Names) -> Any:
    """A field of an article without a list: of the kind that it has in the draft."""
    label = name.replace("_", " ").capitalize()[:60]
    stands = base.get(name, "")
    if name not in base and name not in _MORE_FACTS:
        raise InvalidText(f"This article has no field “{name[:60]}”. Leave it out.")
    if name == "layers":
        return _layers(value, stands, names)
    if name == "solid_lines":
        keys = value if isinstance(value, list) else None
        if keys is None or len(keys) > 5 or any(key not in names.offices for key in keys if key):
            raise InvalidText(f"{label}: name one Office.")
        return stands if [key for key in stands if key] == keys else keys
    if name == "dotted_line" and (not isinstance(value, str) or value not in {"", *names.offices}):
        raise InvalidText(f"{label}: name one Office, or leave it empty.")
    if isinstance(stands, int) and not isinstance(stands, bool):
        text = str(value).strip() if isinstance(value, int | str) else ""
        if not (text.isascii() and text.isdigit() and 0 < len(text) < 4):
            raise InvalidText(f"{label}: give a whole number.")
        return int(text)
    if not isinstance(value, str) or len(value) > MAX_FACT:
        raise InvalidText(f"{label}: write a text of at most {MAX_FACT:,} characters.")
    if name in _CHOICES and value not in {"", *_CHOICES[name]}:
        raise InvalidText(f"{label}: choose one of {', '.join(_CHOICES[name])}.")
    return _meant(value, stands, in_table=True) if isinstance(stands, str) else tidy(value)


def _layers(value: Any, stands: Any, names: Names) -> list[dict[str, Any]]:
    """The layers of the cadence: a list as the draft has it, or parts of it by layer."""
    by_layer = {one["layer"]: dict(one) for one in stands}
    given = value
    if isinstance(value, list):
        given = {one.get("layer"): one for one in value if isinstance(one, dict)}
        if len(given) != len(value):
            raise InvalidText("Layers: keep the form that the export has.")
    if not isinstance(given, dict):
        raise InvalidText("Layers: keep the form that the export has.")
    for layer, parts in given.items():
        if layer not in LAYERS or not isinstance(parts, dict):
            raise InvalidText(f"Layers: choose from {', '.join(LAYERS)}.")
        kept = by_layer.setdefault(layer, {"layer": layer})
        for part, text in parts.items():
            if part not in ("layer", "owner", "mandate", "escalation") or not isinstance(text, str):
                raise InvalidText("Layers: keep the form that the export has.")
            if part == "owner" and text not in {"", *names.offices}:
                raise InvalidText(f"{layer.capitalize()} layer: there is no Office “{text[:60]}”.")
            if len(text) > MAX_FACT:
                raise InvalidText(
                    f"{layer.capitalize()} layer: write at most {MAX_FACT:,} characters."
                )
            kept[part] = _meant(text, str(kept.get(part, "")), in_table=True)
    return list(by_layer.values())
