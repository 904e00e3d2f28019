"""What became of each row and article, and how that is counted, grouped and filtered."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from people.offices import HYBRID, office_short

from ..words import Piece, compare_words, only_spaces_differ, without_unchanged_lines

OWNER_LABEL = "Owner"
# That the CEO settled a row in this version; it says nothing of its text.
SETTLED_LABEL = "Settled"


class Kind(StrEnum):
    """What became of a row or article. An owner that changed outranks words that did."""

    OWNER = "owner"
    ADDED = "added"
    RETIRED = "retired"
    LEFT_OUT = "left_out"
    TEXT = "text"
    UNCHANGED = "unchanged"


class Show(StrEnum):
    """The filters; "added" also shows what was retired or left out."""

    ALL = "all"
    OWNER = "owner"
    ADDED = "added"
    TEXT = "text"
    EVERYTHING = "everything"


_SHOWN_BY = {
    Show.ALL: frozenset(Kind) - {Kind.UNCHANGED},
    Show.OWNER: frozenset({Kind.OWNER}),
    Show.ADDED: frozenset({Kind.ADDED, Kind.RETIRED, Kind.LEFT_OUT}),
    Show.TEXT: frozenset({Kind.TEXT}),
    Show.EVERYTHING: frozenset(Kind),
}


@dataclass(frozen=True)
class Field:
    """One field of a row or article, before and after."""

    label: str
    before: str
    after: str

    @property
    def changed(self) -> bool:
        return self.before != self.after

    @cached_property
    def pieces(self) -> Sequence[Piece]:
        return list(compare_words(self.before, self.after))

    @property
    def short_pieces(self) -> Sequence[Piece]:
        """The same without long stretches of lines that did not change."""
        return without_unchanged_lines(self.pieces)

    @property
    def only_spaces(self) -> bool:
        return self.changed and only_spaces_differ(self.pieces)


@dataclass(frozen=True)
class Entry:
    """Fields that belong together: of the row or article itself (no name), or of a named entry."""

    name: str
    change: str  # "added", "removed", "changed" or "unchanged"
    fields: tuple[Field, ...]

    @property
    def changed_fields(self) -> tuple[Field, ...]:
        return tuple(one for one in self.fields if one.changed)


@dataclass(frozen=True)
class Move:
    """What passed from one Office to another: a whole function, or named parts of it.

    An empty ``taker`` or ``giver`` is nobody.
    """

    taker: str
    giver: str
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """One row or article, and what became of it."""

    what: str  # "row" or "article"
    key: str  # of the function, or of the article
    reference: str  # "4.12", or "8"
    title: str
    kind: Kind
    all_entries: tuple[Entry, ...]
    owner_before: str = ""
    owner_after: str = ""
    moves: tuple[Move, ...] = ()

    @property
    def is_row(self) -> bool:
        return self.what == "row"

    @property
    def anchor(self) -> str:
        return f"changed-{self.reference.replace('.', '-')}"

    @property
    def changed(self) -> bool:
        return self.kind != Kind.UNCHANGED

    @property
    def counted_as(self) -> Kind:
        """Its kind for the filters, which go by rows: an article that came or went is text."""
        return self.kind if self.is_row or not self.changed else Kind.TEXT

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The entries that changed, each with the fields that did; all of them where none did."""
        if not self.changed:
            return self.all_entries
        return tuple(
            Entry(entry.name, entry.change, entry.changed_fields)
            for entry in self.all_entries
            if entry.change != "unchanged"
        )

    @property
    def owners_differ(self) -> bool:
        """Whether two badges say it; else the parts of a hybrid row have moved."""
        return self.kind == Kind.OWNER and self.owner_before != self.owner_after

    @property
    def words(self) -> str:
        """ "Text changed", "Function added", "COO gains a part, CRO gives one up"."""
        if self.kind == Kind.OWNER:
            return self._part_words() or "Owner changed"
        if self.kind == Kind.TEXT and self._only_settled:
            return "Settled, text as before"
        return {
            Kind.ADDED: "Function added" if self.is_row else "Article added",
            Kind.RETIRED: "No longer allocated" if self.is_row else "Article dropped",
            Kind.LEFT_OUT: "Left out",
            Kind.TEXT: "Text changed",
            Kind.UNCHANGED: "Unchanged",
        }[self.kind]

    @property
    def _only_settled(self) -> bool:
        changed = [one for entry in self.all_entries for one in entry.changed_fields]
        return all(one.label == SETTLED_LABEL for one in changed)

    def _part_words(self) -> str:
        if self.owners_differ:
            return ""
        gains = listed([office_short(key) for key in each(m.taker for m in self.moves if m.taker)])
        losses = listed([office_short(key) for key in each(m.giver for m in self.moves if m.giver)])
        words = [f"{gains} gains a part"] if gains else []
        words += [f"{losses} gives one up"] if losses else []
        return ", ".join(words)

    @property
    def group(self) -> str:
        """Whose row it is now: an Office key, "hybrid", "" for nobody, "gone", or "articles"."""
        if not self.is_row:
            return "articles"
        if self.kind in (Kind.RETIRED, Kind.LEFT_OUT) or not self._is_allocated:
            return "gone"
        return self.owner_after

    @property
    def _is_allocated(self) -> bool:
        return any(one.label == OWNER_LABEL for entry in self.all_entries for one in entry.fields)


@dataclass(frozen=True)
class Group:
    """The changes that stand together on the page: the articles, or the rows of one owner."""

    key: str
    title: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Counts:
    """Summary and filters both read these: they cannot disagree."""

    owner: int
    added: int
    retired: int
    left_out: int
    text_rows: int
    text_articles: int
    unchanged_rows: int
    unchanged_articles: int

    @property
    def text(self) -> int:
        return self.text_rows + self.text_articles

    @property
    def coming_and_going(self) -> int:
        return self.added + self.retired + self.left_out

    @property
    def changed_rows(self) -> int:
        return self.owner + self.coming_and_going + self.text_rows

    @property
    def changed(self) -> int:
        return self.changed_rows + self.text_articles

    @property
    def rows(self) -> int:
        return self.changed_rows + self.unchanged_rows

    @property
    def articles(self) -> int:
        return self.text_articles + self.unchanged_articles

    @property
    def everything(self) -> int:
        return self.rows + self.articles

    def shown_by(self, show: Show) -> int:
        return {
            Show.ALL: self.changed,
            Show.OWNER: self.owner,
            Show.ADDED: self.coming_and_going,
            Show.TEXT: self.text,
            Show.EVERYTHING: self.everything,
        }[show]


@dataclass(frozen=True)
class Comparison:
    before: str  # "v3"
    after: str
    rows: tuple[Change, ...]
    articles: tuple[Change, ...]
    # Dates, title and parties where they differ; not counted.
    control: tuple[Field, ...] = ()

    @cached_property
    def counts(self) -> Counts:
        def of_rows(kind: Kind) -> int:
            return sum(one.kind == kind for one in self.rows)

        unchanged = sum(not one.changed for one in self.articles)
        return Counts(
            owner=of_rows(Kind.OWNER),
            added=of_rows(Kind.ADDED),
            retired=of_rows(Kind.RETIRED),
            left_out=of_rows(Kind.LEFT_OUT),
            text_rows=of_rows(Kind.TEXT),
            text_articles=len(self.articles) - unchanged,
            unchanged_rows=of_rows(Kind.UNCHANGED),
            unchanged_articles=unchanged,
        )

    @property
    def is_empty(self) -> bool:
        """Whether every row and article reads the same."""
        return not self.counts.changed

    def shown(self, show: Show = Show.ALL) -> list[Change]:
        kinds = _SHOWN_BY[show]
        return [one for one in (*self.articles, *self.rows) if one.counted_as in kinds]

    def groups(self, show: Show = Show.ALL) -> list[Group]:
        """Articles first, then the rows by their present owner, what is gone last."""
        changes = self.shown(show)
        found = {one.group for one in changes}
        known = ["articles", "cro", HYBRID, "coo", "cfo"]
        order = [*known, *sorted(found - {*known, "", "gone"}), "", "gone"]
        return [
            Group(key, _group_title(key), tuple(one for one in changes if one.group == key))
            for key in order
            if key in found
        ]


def _group_title(key: str) -> str:
    special = {
        "articles": "Articles",
        HYBRID: "Hybrid",
        "": "Nobody yet",
        "gone": "Retired or left out",
    }
    return special.get(key) or f"{office_short(key)}-owned"


def make_entry(name: str, fields: Iterable[Field], *, change: str = "") -> Entry:
    fields = tuple(fields)
    if not change:
        change = "changed" if any(one.changed for one in fields) else "unchanged"
    return Entry(name, change, fields)


def each(keys: Iterable[str]) -> list[str]:
    """Every key once, in order."""
    return list(dict.fromkeys(keys))


def listed(items: Sequence[str]) -> str:
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def lowered(label: str) -> str:
    """A label inside a sentence: "hand-off time", but "CRO-COO 1:1"."""
    return label if label[:2].isupper() else label[:1].lower() + label[1:]
