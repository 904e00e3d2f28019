"""Which rows and articles of a board are shown: by the address, so that a view can be shared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.db.models import TextChoices

from people.offices import HYBRID, office_short

from .models import Row
from .queries import ArticleItem, Board, Group, RowItem
from .states import ClauseState

Item = RowItem | ArticleItem


class Show(TextChoices):
    """A kind of rows and articles to look at."""

    ALL = "", "All"
    MINE = "mine", "Mine to agree"
    CONTESTED = "contested", "Contested"
    BLOCKED = "blocked", "Veto or dispute"
    NEW = "new", "Changed since I looked"
    OPEN = "open", "Not agreed"


# The empty state of each says what it is empty of.
_NOTHING = {
    Show.MINE: "Nothing here waits for you to agree",
    Show.CONTESTED: "Nobody contests anything here",
    Show.BLOCKED: "No veto and no dispute stands here",
    Show.NEW: "Nothing here changed since you looked",
    Show.OPEN: "All of it is agreed",
}


@dataclass(frozen=True)
class Filter:
    """What the reader asked to see; nothing asked shows all."""

    show: str = Show.ALL
    owner: str = ""
    words: str = ""
    # All that is shown is open, with its text, however much it is.
    whole: bool = False

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> "Filter":
        """From an address; what is not known asks for nothing."""
        show = asked.get("show", "")
        return cls(
            show=show if show in Show.values else Show.ALL,
            owner=asked.get("owner", "")[:40],
            words=" ".join(asked.get("q", "")[:100].split()),
            whole=asked.get("open") == "all",
        )

    @property
    def asks(self) -> bool:
        return bool(self.show or self.owner or self.words)

    @property
    def query(self) -> str:
        """ "?show=mine&owner=cro", or nothing."""
        whole = "all" if self.whole else ""
        given = {"show": self.show, "owner": self.owner, "q": self.words, "open": whole}
        written = urlencode({name: value for name, value in given.items() if value})
        return f"?{written}" if written else ""

    @property
    def nothing(self) -> str:
        if self.words:
            return f"Nothing here has the words “{self.words}”"
        return _NOTHING.get(Show(self.show), "Nothing here")

    def shows(self, item: Item) -> bool:
        return (
            _is(item, self.show)
            and (not self.owner or self.owner in owners(item))
            and all(word in _text(item) for word in self.words.casefold().split())
        )


def _is(item: Item, show: str) -> bool:
    if show == Show.MINE:
        return item.mine_to_agree
    if show == Show.CONTESTED:
        return item.standing.state == ClauseState.CONTESTED
    if show == Show.BLOCKED:
        return isinstance(item, RowItem) and bool(item.veto or item.dispute)
    if show == Show.NEW:
        return item.is_new
    if show == Show.OPEN:
        return item.standing.state != ClauseState.AGREED
    return True


def owners(item: Item) -> set[str]:
    """Whose it is: of a split row every owner of a part, and "hybrid"; of an article, nobody's."""
    if not isinstance(item, RowItem):
        return set()
    if item.row.owner == HYBRID:
        return {HYBRID, *(part.owner for part in item.sub_scopes)}
    return {item.row.owner}


def _text(item: Item) -> str:
    """All that can be searched in a row or article, without capitals."""
    clause = item.standing.clause
    if isinstance(clause, Row):
        parts = [clause.reference, clause.function.name, clause.scope_in, clause.scope_out]
        parts += [clause.rationale, clause.left_out_reason]
        parts += [part.name for part in clause.sub_scopes.all()]
    else:
        parts = [f"article {clause.number}", clause.title, clause.text, *_strings(clause.data)]
    return "\n".join(parts).casefold()


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for one in value.values() for text in _strings(one)]
    if isinstance(value, Sequence):
        return [text for one in value for text in _strings(one)]
    return []


@dataclass(frozen=True)
class Choice:
    """One kind that can be chosen, with how many there are of it."""

    key: str
    label: str
    count: int
    query: str
    current: bool


@dataclass(frozen=True)
class Shown:
    """The part of a board that is shown, and what else could be."""

    filter: Filter
    groups: Sequence[Group]
    articles: Sequence[ArticleItem]
    kinds: Sequence[Choice]
    owners: Sequence[Choice]
    count: int
    total: int
    # Without the choice of an owner: where the chosen one's link leads.
    any_owner: str
    # The same with every text open, and with all folded up.
    whole: str
    folded: str
    # What is shown and waits for an Office of the reader.
    to_agree: int
    # "row-3:2": which clauses are shown, and at which version.
    read_tokens: Sequence[str]
    # "row-3:2:57": those with news, with the version and activity that are shown.
    new_tokens: Sequence[str]


def shown(board: Board, chosen: Filter) -> Shown:
    """Filter what was loaded. Each kind counts what it would show with the rest of the choice."""
    rows = [item for group in board.groups for item in group.rows]
    items: list[Item] = [*rows, *board.articles]

    def count(one: Filter) -> int:
        return sum(one.shows(item) for item in items)

    groups = [
        replace(group, rows=kept)
        for group in board.groups
        if (kept := [item for item in group.rows if chosen.shows(item)])
    ]
    articles = [item for item in board.articles if chosen.shows(item)]
    kinds = [
        replace(chosen, show=kind) for kind in Show.values if board.my_offices or kind != Show.MINE
    ]
    visible: list[Item] = [*(item for group in groups for item in group.rows), *articles]
    clauses = [item.standing.clause for item in visible]
    owned = [group for group in board.groups if group.owner not in ("none", "left_out")]
    return Shown(
        filter=chosen,
        groups=groups,
        articles=articles,
        kinds=[
            Choice(one.show, Show(one.show).label, count(one), one.query, one == chosen)
            for one in kinds
        ],
        owners=[
            Choice(
                group.owner,
                office_short(group.owner),
                count(replace(chosen, owner=group.owner)),
                replace(chosen, owner=group.owner).query,
                group.owner == chosen.owner,
            )
            for group in owned
        ],
        count=len(visible),
        total=len(items),
        any_owner=replace(chosen, owner="").query,
        whole=replace(chosen, whole=True).query,
        folded=replace(chosen, whole=False).query,
        to_agree=sum(item.mine_to_agree for item in visible),
        read_tokens=[f"{one.anchor}:{one.version}" for one in clauses],
        new_tokens=[
            f"{one.anchor}:{one.version}:{one.activity}"
            for one, item in zip(clauses, visible, strict=True)
            if item.is_new
        ],
    )
