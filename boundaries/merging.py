"""Merging two edits of one text that began from the same version, field by field.

What only one side changed is taken from that side. What both changed differently is a *conflict*:
it is never decided here, the second writer chooses. Nothing here reads or writes the database.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, TypeVar

from people.offices import HYBRID

from .drafting import ArticleText, RowText, SubScopeText, with_keys

T = TypeVar("T")
Path = tuple[str, ...]
# A text as nested mappings, lists and values. A list of entries with keys is merged by key.
Tree = Any


class _Mark:
    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


MISSING: Final = _Mark("MISSING")  # one side has no such field or entry
UNKNOWN: Final = _Mark("UNKNOWN")  # the version that an edit began from was not kept

# Fields whose order means nothing: each member is in or out.
_SETS = frozenset({"consulted", "informed", "functions", "also_measured"})


@dataclass(frozen=True)
class Conflict:
    """A field that both changed, differently. ``MISSING`` where a side took it out."""

    path: Path
    base: Tree
    theirs: Tree
    mine: Tree


@dataclass(frozen=True)
class Merged(Generic[T]):
    """Both edits in one text; it has mine where they conflict, for the writer to decide."""

    text: T
    conflicts: Sequence[Conflict]
    # What was taken from one side alone.
    from_theirs: Sequence[Path]
    from_mine: Sequence[Path]


@dataclass
class _Notes:
    conflicts: list[Conflict]
    theirs: list[Path]
    mine: list[Path]


def merge_trees(base: Tree, theirs: Tree, mine: Tree) -> Merged[Tree]:
    """Merge two trees that grew from ``base``; ``UNKNOWN`` makes every difference a conflict."""
    notes = _Notes([], [], [])
    text = _merge(base, theirs, mine, (), notes)
    return Merged(text, notes.conflicts, notes.theirs, notes.mine)


def _merge(base: Tree, theirs: Tree, mine: Tree, path: Path, notes: _Notes) -> Tree:
    if theirs == mine:
        return theirs
    if base == theirs:
        notes.mine.append(path)
        return mine
    if base == mine:
        notes.theirs.append(path)
        return theirs
    if isinstance(theirs, Mapping) and isinstance(mine, Mapping):
        merged = {
            name: _merge(_in(base, name), _in(theirs, name), _in(mine, name), (*path, name), notes)
            for name in dict.fromkeys((*theirs, *mine))
        }
        return {name: value for name, value in merged.items() if value is not MISSING}
    if path and path[-1] in _SETS and all(isinstance(one, list) for one in (base, theirs, mine)):
        return _merge_sets(base, theirs, mine)
    if _is_keyed(theirs) and _is_keyed(mine) and (_is_keyed(base) or base in (MISSING, UNKNOWN)):
        order = _order(base, theirs, mine)
        if order is not None:
            entries = [
                _merge(
                    _entry(base, key), _entry(theirs, key), _entry(mine, key), (*path, key), notes
                )
                for key in order
            ]
            return [one for one in entries if one is not MISSING]
    notes.conflicts.append(Conflict(path, base, theirs, mine))
    return mine


def _in(tree: Tree, name: str) -> Tree:
    if tree is UNKNOWN:
        return UNKNOWN
    return tree.get(name, MISSING) if isinstance(tree, Mapping) else MISSING


def identity(entry: Tree) -> str:
    """What names an entry of a list for good; "" where nothing does."""
    if not isinstance(entry, Mapping):
        return ""
    return str(entry.get("key") or entry.get("layer") or entry.get("function") or "")


def _is_keyed(tree: Tree) -> bool:
    if not isinstance(tree, list):
        return False
    names = [identity(one) for one in tree]
    return all(names) and len(set(names)) == len(names)


def _entry(tree: Tree, key: str) -> Tree:
    if not isinstance(tree, list):
        return tree  # MISSING or UNKNOWN
    return next((one for one in tree if identity(one) == key), MISSING)


def _merge_sets(base: list[str], theirs: list[str], mine: list[str]) -> list[str]:
    """Whoever was put in by either side is in, whoever was taken out by either side is out."""
    gone = {one for one in base if one not in theirs or one not in mine}
    return [one for one in dict.fromkeys((*theirs, *mine)) if one not in gone]


def _order(base: Tree, theirs: list[Tree], mine: list[Tree]) -> list[str] | None:
    """The order of all entries of both sides; None where each side put them in its own order."""
    ours = [[identity(one) for one in side] for side in (theirs, mine)]
    former = [identity(one) for one in base] if isinstance(base, list) else []
    common = set(ours[0]) & set(ours[1]) & (set(former) or set(ours[0]))
    before, by_them, by_me = ([key for key in side if key in common] for side in (former, *ours))
    if by_them == by_me or by_me == before:
        leading, other = ours
    elif by_them == before:
        other, leading = ours
    else:
        return None
    result = list(leading)
    for index, key in enumerate(other):
        if key not in result:
            # Where it stood on its own side: after the entry that it followed there.
            place = result.index(other[index - 1]) + 1 if index else 0
            result.insert(place, key)
    return result


def choose(tree: Tree, theirs: Tree, path: Path) -> Tree:
    """``tree`` with what stands in ``theirs`` at ``path``; nothing else changes."""
    if not path:
        return theirs
    name, rest = path[0], path[1:]
    if isinstance(tree, Mapping) and isinstance(theirs, Mapping):
        changed = dict(tree)
        changed[name] = (
            choose(tree[name], _in(theirs, name), rest) if name in tree else _in(theirs, name)
        )
        return {key: value for key, value in changed.items() if value is not MISSING}
    if _is_keyed(tree) and _is_keyed(theirs):
        if _entry(tree, name) is MISSING:
            return _insert(tree, theirs, name)
        entries = [
            choose(one, _entry(theirs, name), rest) if identity(one) == name else one
            for one in tree
        ]
        return [one for one in entries if one is not MISSING]
    return theirs


def _insert(tree: list[Tree], theirs: list[Tree], key: str) -> list[Tree]:
    entry = _entry(theirs, key)
    if entry is MISSING:
        return tree
    before = [identity(one) for one in theirs[: theirs.index(entry)]]
    places = [at for at, one in enumerate(tree, start=1) if identity(one) in before]
    place = max(places, default=0)
    return [*tree[:place], entry, *tree[place:]]


# --- Rows -------------------------------------------------------------------------------------


def row_tree(text: RowText) -> dict[str, Tree]:
    """A row as a tree. Who owns it is one field: owner, parts and being left out go together."""
    ownership: Tree
    if text.owner == HYBRID:
        ownership = [
            {"key": part.key, "name": part.name, "owner": part.owner}
            for part in with_keys(text.sub_scopes)
        ]
    else:
        ownership = (text.owner, text.left_out_reason.strip())
    return {
        "ownership": ownership,
        "scope_in": text.scope_in,
        "scope_out": text.scope_out,
        "consulted": list(text.consulted),
        "informed": list(text.informed),
        "rationale": text.rationale,
    }


def row_of_tree(tree: Mapping[str, Tree]) -> RowText:
    ownership = tree["ownership"]
    parts = ownership if isinstance(ownership, list) else ()
    owner, reason = (HYBRID, "") if isinstance(ownership, list) else ownership
    return RowText(
        owner=owner,
        sub_scopes=tuple(SubScopeText(**part) for part in parts),
        scope_in=tree["scope_in"],
        scope_out=tree["scope_out"],
        consulted=tuple(tree["consulted"]),
        informed=tuple(tree["informed"]),
        rationale=tree["rationale"],
        left_out_reason=reason,
    )


def merge_row(base: RowText | None, theirs: RowText, mine: RowText) -> Merged[RowText]:
    """Merge two edits of a row; ``base`` is None where it is not known."""
    start = UNKNOWN if base is None else row_tree(base)
    merged = merge_trees(start, row_tree(theirs), row_tree(mine))
    return replace(merged, text=row_of_tree(merged.text))


def choose_in_row(mine: RowText, theirs: RowText, paths: Iterable[Path]) -> RowText:
    """``mine`` with their text at each of ``paths``."""
    tree = row_tree(mine)
    for path in paths:
        tree = choose(tree, row_tree(theirs), path)
    return row_of_tree(tree)


# --- Articles ---------------------------------------------------------------------------------


def article_tree(text: ArticleText) -> dict[str, Tree]:
    return {"text": text.text, "data": dict(text.data)}


def article_of_tree(tree: Mapping[str, Tree]) -> ArticleText:
    return ArticleText(text=tree["text"], data=tree["data"])


def merge_article(
    base: ArticleText | None, theirs: ArticleText, mine: ArticleText
) -> Merged[ArticleText]:
    """Merge two edits of an article: its prose as a whole, its data field by field and by entry."""
    start = UNKNOWN if base is None else article_tree(base)
    merged = merge_trees(start, article_tree(theirs), article_tree(mine))
    return replace(merged, text=article_of_tree(merged.text))


def choose_in_article(mine: ArticleText, theirs: ArticleText, paths: Iterable[Path]) -> ArticleText:
    tree = article_tree(mine)
    for path in paths:
        tree = choose(tree, article_tree(theirs), path)
    return article_of_tree(tree)
