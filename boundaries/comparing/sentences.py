"""A comparison in sentences to read aloud: who took what from whom, and how much stayed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from people.offices import HYBRID, office_short

from .changes import Change, Comparison, Kind, counted, listed, lowered
from .log import what_changed

NAMED = 8  # a sentence that lists what changed names this many, and counts the rest


@dataclass(frozen=True)
class Bit:
    """A few words of a sentence; some name an Office, some lead to a row."""

    text: str
    office: str = ""
    anchor: str = ""


@dataclass(frozen=True)
class Sentence:
    bits: tuple[Bit, ...]

    def __str__(self) -> str:
        return "".join(bit.text for bit in self.bits)


@dataclass(frozen=True)
class Summary:
    """One line of what changed in short: the count, then who and what."""

    heading: str
    sentences: tuple[Sentence, ...] = ()
    note: str = ""


def summary(comparison: Comparison) -> list[Summary]:
    """Owners first, then what came and went, the text, and what stayed."""
    return [
        one
        for one in (
            _owners(comparison),
            _coming_and_going(comparison),
            _text(comparison),
            _unchanged(comparison),
        )
        if one is not None
    ]


def _owners(comparison: Comparison) -> Summary:
    counts = comparison.counts
    if not counts.owner:
        return Summary("No owner changed", note="Every function stays with its owner.")
    moved = [one for one in comparison.rows if one.kind == Kind.OWNER]
    return Summary(
        f"{counted(counts.owner, 'owner')} changed",
        tuple(sentence for one in moved for sentence in _move_sentences(one)),
    )


def _coming_and_going(comparison: Comparison) -> Summary:
    counts = comparison.counts
    if not counts.coming_and_going:
        return Summary("No function was added or retired", note="The same functions are allocated.")
    added = [one for one in comparison.rows if one.kind == Kind.ADDED]
    gone = [one for one in comparison.rows if one.kind in (Kind.RETIRED, Kind.LEFT_OUT)]
    were = "was" if counts.added < 2 else "were"
    parts = [f"{counted(counts.added, 'function') if counts.added else 'No function'} {were} added"]
    parts += [f"{counts.retired or 'none'} retired"]
    parts += [f"{counts.left_out} left out"] if counts.left_out else []
    by_owner = groupby(sorted(added, key=lambda one: one.owner_after), lambda o: o.owner_after)
    sentences = [_added_sentence(owner, list(changes)) for owner, changes in by_owner]
    return Summary(", ".join(parts), (*sentences, *(_gone_sentence(one) for one in gone)))


def _text(comparison: Comparison) -> Summary | None:
    counts = comparison.counts
    if not counts.text:
        return None
    things = [counted(counts.text_rows, "row")] if counts.text_rows else []
    things += [counted(counts.text_articles, "article")] if counts.text_articles else []
    changed = [
        one
        for one in (*comparison.articles, *comparison.rows)
        if one.changed and (not one.is_row or one.kind == Kind.TEXT)
    ]
    sentences = [_text_sentence(one) for one in changed[:NAMED]]
    if len(changed) > NAMED:
        sentences.append(Sentence((Bit(f"And {len(changed) - NAMED} more, listed below."),)))
    return Summary(f"{listed(things)} changed in text only", tuple(sentences))


def _unchanged(comparison: Comparison) -> Summary:
    counts = comparison.counts
    did = (
        "Every row stayed"
        if not counts.changed_rows
        else (f"{counts.unchanged_rows} of {counted(counts.rows, 'row')} did not change")
    )
    articles = (
        f"So {'does' if counts.unchanged_articles == 1 else 'do'} {counts.unchanged_articles} "
        f"of {counted(counts.articles, 'article')}."
    )
    if not counts.unchanged_rows:
        return Summary(did, note=articles.replace("So do", "As before read"))
    they = "It reads" if counts.unchanged_rows == 1 else "They read"
    return Summary(did, note=f"{they} word for word as in {comparison.before}. {articles}")


def in_one_sentence(comparison: Comparison) -> str:
    """ "7 of 25 rows and 2 articles changed since v3; 4 rows have another owner."."""
    counts = comparison.counts
    if comparison.is_empty:
        return f"No row and no article changed since {comparison.before}."
    things = []
    if counts.changed_rows:
        things.append(f"{counts.changed_rows} of {counted(counts.rows, 'row')}")
    if counts.text_articles:
        things.append(counted(counts.text_articles, "article"))
    more = []
    if counts.owner:
        have = "has another owner" if counts.owner == 1 else "have another owner"
        more.append(f"{counted(counts.owner, 'row')} {have}")
    if counts.added:
        more.append(f"{counted(counts.added, 'function')} came in")
    if gone := counts.retired + counts.left_out:
        more.append(f"{counted(gone, 'function')} went out")
    after = f"; {listed(more)}" if more else "; every owner stays"
    return f"{listed(things)} changed since {comparison.before}{after}."


def _move_sentences(change: Change) -> Iterator[Sentence]:
    """ "The COO took products and employees in Master data management from the CRO."."""
    title = Bit(change.title, anchor=change.anchor)
    if not change.moves:  # divided or put together, and everything stays with one Office
        owner = change.owner_before if change.owner_before != HYBRID else change.owner_after
        how = "is divided into parts" if change.owner_after == HYBRID else "is one again"
        yield Sentence((title, Bit(f" {how}; the "), _office(owner), Bit(" keeps all of it.")))
    for move in change.moves:
        parts = listed([lowered(one) for one in move.parts])
        inside = (Bit(f"{parts} in "), title) if parts else (title,)
        if move.taker and move.giver:
            yield Sentence(
                (
                    Bit("The "),
                    _office(move.taker),
                    Bit(" took "),
                    *inside,
                    Bit(" from the "),
                    _office(move.giver),
                    Bit("."),
                )
            )
        elif move.taker:
            yield Sentence((Bit("The "), _office(move.taker), Bit(" gained "), *inside, Bit(".")))
        elif move.giver:
            does = " gave up " if parts else " no longer has "
            end = "." if parts else ", which nobody owns now."
            yield Sentence((Bit("The "), _office(move.giver), Bit(does), *inside, Bit(end)))


def _added_sentence(owner: str, changes: Sequence[Change]) -> Sentence:
    """ "Customer health data and RevOps project intake, owned by the COO."."""
    titles = _joined([(Bit(one.title, anchor=one.anchor),) for one in changes])
    if owner == HYBRID:
        return Sentence((*titles, Bit(", in parts.")))
    if not owner:
        return Sentence((*titles, Bit(", without an owner yet.")))
    return Sentence((*titles, Bit(", owned by the "), _office(owner), Bit(".")))


def _gone_sentence(change: Change) -> Sentence:
    was: tuple[Bit, ...] = ()
    if change.owner_before == HYBRID:
        was = (Bit(", which was owned in parts,"),)
    elif change.owner_before:
        was = (Bit(", which the "), _office(change.owner_before), Bit(" owned,"))
    how = (
        " is left out, with a reason."
        if change.kind == Kind.LEFT_OUT
        else " is not there any more."
    )
    return Sentence((Bit(change.title, anchor=change.anchor), *was, Bit(how)))


def _text_sentence(change: Change) -> Sentence:
    """ "Deal desk: scope out and rationale."."""
    number = "" if change.is_row else f"Article {change.reference}, "
    title = (Bit(number), Bit(change.title, anchor=change.anchor))
    return Sentence((*title, Bit(f": {what_changed(change, most=4)}.")))


def _office(key: str) -> Bit:
    return Bit(office_short(key), office=key)


def _joined(items: Sequence[tuple[Bit, ...]]) -> list[Bit]:
    result: list[Bit] = []
    for index, item in enumerate(items):
        if index:
            result.append(Bit(" and " if index == len(items) - 1 else ", "))
        result += item
    return result
