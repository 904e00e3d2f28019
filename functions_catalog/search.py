"""Finding a function by what people call it: name, alias, what it covers, misspelt or not.

A catalog has 35 to 500 functions, so every search scores all of them in memory after three
queries. Scores only rank; they mean nothing outside this module.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import IntegrityError, transaction
from django.db.models import F
from rapidfuzz.distance import OSA

from .models import Function, MissedSearch
from .ownership import Answer

MAX_QUERY = 80  # characters; what comes after is not read
MAX_WORDS = 10

# Said around what is meant: "who owns the deal desk?"
_QUESTION = frozenset(
    {"who", "what", "which", "is", "are", "do", "does", "has", "own", "owns", "owned", "owner"}
    | {"decide", "decides", "responsible", "runs"}
    | {"a", "an", "the", "of", "for", "to", "in", "on", "and", "or"}
)
_POSSESSIVE = frozenset({"my", "our", "your"})
_ENDINGS = ("ing", "ed", "es", "s", "e")


class Matched(StrEnum):
    """What a search hit on, in words that follow "Matched"."""

    NAME = "the function’s name"
    ALIAS = "the alias"
    PART = "its part"
    COVERS = "what it covers"
    SCOPE_IN = "its scope in"
    SCOPE_OUT = "its scope out"


# What a hit is worth by what it hit on: (the same, begins with it, holds all its words, close).
_WORTH: dict[Matched, tuple[float, float, float, float]] = {
    Matched.NAME: (100, 93, 85, 72),
    Matched.ALIAS: (98, 90, 82, 70),
    Matched.PART: (92, 86, 78, 60),
    Matched.COVERS: (50, 50, 50, 0),
    Matched.SCOPE_IN: (46, 46, 46, 0),
    Matched.SCOPE_OUT: (40, 40, 40, 0),
}
_PARTLY = 0.5  # a hit on only some of the words is worth this much of its share
_RETIRED = 0.8
_SURE = 78  # with a hit as good as this, those that are only close are noise
_LEAST = 25


@dataclass(frozen=True)
class Hit:
    """One function that a search found, and why."""

    function: Function
    score: float
    matched: Matched
    # What it hit on, in pieces: (text, whether it is what was searched for).
    text: tuple[tuple[str, bool], ...]
    close: bool = False  # misspelt, or only some of the words

    @property
    def why(self) -> str:
        """ "Matched the alias commission plan." """
        return "".join(text for text, _marked in self.why_parts)

    @property
    def why_parts(self) -> list[tuple[str, bool]]:
        """``why`` in pieces: (text, whether to mark it)."""
        verb = "Close to" if self.close else "Matched"
        if self.matched in (Matched.ALIAS, Matched.PART):
            whole = "".join(text for text, _marked in self.text)
            return [(f"{verb} {self.matched.value} ", False), (whole, True), (".", False)]
        if self.matched in (Matched.SCOPE_IN, Matched.SCOPE_OUT):
            return [(f"{verb} {self.matched.value}: “", False), *self.text, ("”", False)]
        return [(f"{verb} {self.matched.value}.", False)]


def search(query: str, *, answers: Mapping[str, Answer] | None = None) -> list[Hit]:
    """Find functions for what somebody typed, best first; retired ones come lower.

    ``answers`` (by function key) lets the text in force be searched too: scope in and scope out.
    An empty or unreadable query finds nothing.
    """
    variants = _variants(query)
    if not variants:
        return []
    hits: list[Hit] = []
    functions = Function.objects.prefetch_related("aliases", "sub_scopes")
    for function in functions:
        best: Hit | None = None
        for matched, text in _texts(function, (answers or {}).get(function.key)):
            score, close = max(_score(words, matched, text) for words in variants)
            if not function.is_active:
                score *= _RETIRED
            if score >= _LEAST and (best is None or score > best.score):
                best = Hit(function, score, matched, _excerpt(text, variants), close)
        if best is not None:
            hits.append(best)
    if any(hit.score >= _SURE for hit in hits):
        hits = [hit for hit in hits if not hit.close]
    return sorted(hits, key=lambda hit: (-hit.score, hit.function.position, hit.function.name))


def record_miss(query: str, *, at: datetime) -> None:
    """Keep a search that found nothing as a candidate function or alias. ``at`` is aware."""
    text = " ".join(words_of(query[:MAX_QUERY]))
    if len(text) < 3:  # not yet a word
        return
    missed = MissedSearch.objects.filter(text=text)
    if missed.update(count=F("count") + 1, last_searched_at=at):
        return
    try:
        with transaction.atomic():
            MissedSearch.objects.create(text=text, first_searched_at=at, last_searched_at=at)
    except IntegrityError:  # somebody else missed it in the same moment
        missed.update(count=F("count") + 1, last_searched_at=at)


# --- Words ----------------------------------------------------------------------------------


def words_of(text: str) -> list[str]:
    """The words of a text for comparing: no case, accents or punctuation."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return re.findall(r"[^\W_]+", plain)


def _variants(query: str) -> list[list[str]]:
    """The query's words as typed, without the question around them, and without "my"."""
    typed = words_of(query[:MAX_QUERY])[:MAX_WORDS]
    asked = [word for word in typed if word not in _QUESTION]
    meant = [word for word in asked if word not in _POSSESSIVE]
    variants: list[list[str]] = []
    for words in (typed, asked, meant):
        if words and words not in variants:
            variants.append(words)
    return variants


def _texts(function: Function, answer: Answer | None) -> Iterable[tuple[Matched, str]]:
    yield Matched.NAME, function.name
    for alias in function.aliases.all():
        yield Matched.ALIAS, alias.text
    for part in function.sub_scopes.all():
        yield Matched.PART, part.name
    yield Matched.COVERS, function.covers
    if answer is not None:
        for part_in_force in answer.sub_scopes:
            yield Matched.PART, part_in_force.name
        if answer.name != function.name:
            yield Matched.ALIAS, answer.name
        yield Matched.SCOPE_IN, answer.scope_in
        yield Matched.SCOPE_OUT, answer.scope_out


def _score(words: list[str], matched: Matched, text: str) -> tuple[float, bool]:
    """How well the words fit the text (0: not at all), and whether only nearly."""
    same, begins, holds, near = _WORTH[matched]
    theirs = words_of(text)
    if not theirs:
        return 0, False
    if "".join(words) == "".join(theirs):  # "dealdesk" and "deal-desk" are the deal desk
        return same, False
    if " ".join(theirs).startswith(" ".join(words)) and len("".join(words)) >= 2:
        return begins, False
    likeness = [max(_alike(word, other) for other in theirs) for word in words]
    found = [one for one in likeness if one > 0]
    if len(found) == len(words):
        if min(found) >= _SURE_WORD:
            # Of two texts that hold all the words, the shorter says less besides.
            return holds - min(3.0, 0.5 * (len(theirs) - len(words))), False
        return near * sum(found) / len(found), True
    if near and found and max(found) >= _SURE_WORD:
        longest = max(len(word) for word, one in zip(words, likeness, strict=True) if one > 0)
        if longest >= 4:
            return holds * _PARTLY * (0.5 + 0.5 * sum(found) / len(words)), True
    return 0, False


_SURE_WORD = 0.9


def _alike(word: str, other: str) -> float:
    """0 to 1: the same word, its beginning, another form of it, or a misspelling."""
    if word == other:
        return 1
    if len(word) >= 2 and other.startswith(word):
        return 0.96
    if len(word) >= 4 and _stem(word) == _stem(other):
        return 0.95
    if len(word) < 4 or len(other) < 4:
        return 0
    allowed = 1 if len(word) < 7 else 2
    # Also against its beginning only: people search while they still type.
    distance = min(
        OSA.distance(word, shown, score_cutoff=allowed)
        for shown in {other, other[: len(word)], other[: len(word) + 1]}
    )
    return 0 if distance > allowed else 0.88 - 0.6 * distance / len(word)


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word.removesuffix(ending)
    return word


def _excerpt(
    text: str, variants: list[list[str]], *, length: int = 90
) -> tuple[tuple[str, bool], ...]:
    """The part of a text around the first word that was hit, with the words hit marked."""
    pieces = re.split(r"([^\W_]+)", " ".join(text.split()))
    marks = [
        index % 2 == 1
        and any(_alike(one, "".join(words_of(piece))) >= _SURE_WORD for one in variants[-1])
        for index, piece in enumerate(pieces)
    ]
    first, room = marks.index(True) if True in marks else 0, length // 3
    start = first
    while start > 0 and len(pieces[start - 1]) <= room:
        start -= 1
        room -= len(pieces[start])
    end, room = start, length
    while end < len(pieces) and len(pieces[end]) <= room:
        room -= len(pieces[end])
        end += 1
    shown = list(zip(pieces[start:end], marks[start:end], strict=True))
    if start > 0:
        shown.insert(0, ("… ", False))
    if end < len(pieces):
        shown.append((" …", False))
    return tuple((piece, marked) for piece, marked in shown if piece)
