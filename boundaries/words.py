"""What differs between two texts, by whole words and numbers: for redlines, conflicts, proposals.

Pure: no models, so that whatever compares texts can use it.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import chain

# A word, or a number with its currency, separators and percent sign, is one piece: "$50,000",
# "CRO-COO", "10.5%". What punctuation is left stands by itself, so that "days." and "days," show
# as one word that stayed.
_TOKEN = re.compile(r"(\s*)((?:[$€£¥+−-]?\w+(?:[.,:'’/&–-]\w+)*%?)|[^\w\s]|$)")

# How many pairs of equal words may be looked at. Ordinary articles of 2,000 words stay far below;
# past it, lines are compared instead, and past that too the text is shown as replaced.
_MOST_PAIRS = 100_000

Token = tuple[str, str]  # the space before a word, and the word


@dataclass(frozen=True)
class Piece:
    """A run of words: "same", "removed" (only before) or "added" (only after)."""

    kind: str
    text: str


@dataclass(frozen=True)
class _Run:
    """Words that stayed (both alike but for spaces), or that were replaced by others."""

    same: bool
    before: tuple[Token, ...]
    after: tuple[Token, ...]

    @property
    def size(self) -> int:
        return max(_weight(self.before), _weight(self.after))


def compare_words(before: str, after: str) -> Iterator[Piece]:
    """Compare by whole words; a word or number is never split.

    The "same" and "removed" pieces together are ``before``, "same" and "added" are ``after``, to
    the last space.
    """
    pieces: list[Piece] = []
    for run in _joined(_runs(_tokens(before), _tokens(after))):
        if not run.same:
            pieces += [Piece("removed", _text(run.before)), Piece("added", _text(run.after))]
            continue
        for (old_space, word), (new_space, _) in zip(run.before, run.after, strict=True):
            if old_space == new_space:
                pieces.append(Piece("same", old_space + word))
            else:
                pieces += [Piece("removed", old_space), Piece("added", new_space)]
                pieces.append(Piece("same", word))
    return iter(_gathered(pieces))


def only_spaces_differ(pieces: Sequence[Piece]) -> bool:
    """Whether nothing that can be read was removed or added: line breaks moved."""
    return not any(one.text.strip() for one in pieces if one.kind != "same")


GAP = Piece("gap", "…")


def without_unchanged_lines(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces with long stretches of unchanged lines left out, ``GAP`` in their place.

    One unchanged line before and after each change stays. Texts of few lines stay whole.
    """
    lines = _by_line(pieces)
    touched = [any(one.kind != "same" for one in line) for line in lines]
    near = [any(touched[max(0, i - 1) : i + 2]) for i in range(len(lines))]
    if len(lines) < _LONG or all(near) or not any(near):
        return list(pieces)
    result: list[Piece] = []
    for line, kept in zip(lines, near, strict=True):
        if kept:
            result += line
        elif not result or result[-1] != GAP:
            result.append(GAP)
    return _gathered(result)


_LONG = 8  # a text of fewer lines is shown whole


def _by_line(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """The pieces line by line; blank lines go with the line above them."""
    lines: list[list[Piece]] = [[]]
    ended = False
    for piece in pieces:
        for part in re.findall(r"[^\n]*\n+|[^\n]+", piece.text):
            if ended and part.strip():
                lines.append([])
                ended = False
            lines[-1].append(Piece(piece.kind, part))
            ended = ended or part.endswith("\n")
    return lines


def _tokens(text: str) -> list[Token]:
    """The words, each with the space before it; the space at the end goes with an empty word."""
    found = [(match[1], match[2]) for match in _TOKEN.finditer(text)]
    return [one for one in found if one != ("", "")]


def _text(tokens: Sequence[Token]) -> str:
    return "".join(space + word for space, word in tokens)


def _weight(tokens: Sequence[Token]) -> int:
    """How many words, punctuation not counted."""
    return sum(any(c.isalnum() for c in word) for _, word in tokens)


def _runs(old: list[Token], new: list[Token]) -> list[_Run]:
    start = 0
    while start < min(len(old), len(new)) and old[start][1] == new[start][1]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end][1] == new[-1 - end][1]:
        end += 1
    return [
        run
        for run in (
            _Run(True, tuple(old[:start]), tuple(new[:start])),
            *_middle(old[start : len(old) - end], new[start : len(new) - end]),
            _Run(True, tuple(old[len(old) - end :]), tuple(new[len(new) - end :])),
        )
        if run.before or run.after
    ]


def _middle(old: list[Token], new: list[Token]) -> list[_Run]:
    """What lies between the words with which both texts begin and end."""
    by_word = _opcodes([word for _, word in old], [word for _, word in new])
    if by_word is not None:
        return [
            _Run(kind == "equal", tuple(old[i1:i2]), tuple(new[j1:j2]))
            for kind, i1, i2, j1, j2 in by_word
        ]
    old_lines, new_lines = _lines(old), _lines(new)
    by_line = _opcodes([_key(line) for line in old_lines], [_key(line) for line in new_lines])
    if by_line is None:
        return [_Run(False, tuple(old), tuple(new))]
    return [
        _Run(
            kind == "equal",
            tuple(chain.from_iterable(old_lines[i1:i2])),
            tuple(chain.from_iterable(new_lines[j1:j2])),
        )
        for kind, i1, i2, j1, j2 in by_line
    ]


def _opcodes(old: Sequence[str], new: Sequence[str]) -> list[tuple[str, int, int, int, int]] | None:
    """How to get from one to the other; None where finding out would take too long."""
    counts = Counter(new)
    if sum(counts[one] for one in old) > _MOST_PAIRS:
        return None
    return list(SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes())


def _lines(tokens: list[Token]) -> list[list[Token]]:
    lines: list[list[Token]] = []
    for token in tokens:
        if not lines or "\n" in token[0]:
            lines.append([])
        lines[-1].append(token)
    return lines


def _key(line: list[Token]) -> str:
    return " ".join(word for _, word in line)


def _joined(runs: list[_Run]) -> list[_Run]:
    """Runs as a reader wants them: a lone word or comma between two long changes joins them."""
    result: list[_Run] = []
    for index, run in enumerate(runs):
        between = 0 < index < len(runs) - 1
        island = run.same and between and _is_island(run, runs[index - 1], runs[index + 1])
        changed = not run.same or island
        if changed and result and not result[-1].same:
            last = result.pop()
            run = _Run(False, last.before + run.before, last.after + run.after)
        elif island:
            run = _Run(False, run.before, run.after)
        result.append(run)
    return result


def _is_island(run: _Run, before: _Run, after: _Run) -> bool:
    words = run.size
    return words == 0 or (words <= 2 and 2 * words < min(before.size, after.size))


def _gathered(pieces: Sequence[Piece]) -> list[Piece]:
    """Neighbours of one kind as one piece, the empty ones left out."""
    result: list[Piece] = []
    for piece in pieces:
        if not piece.text:
            continue
        if result and result[-1].kind == piece.kind:
            piece = Piece(piece.kind, result.pop().text + piece.text)
        result.append(piece)
    return result
