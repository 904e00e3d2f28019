"""What differs between two texts of a row or article, word by word, for people to compare."""

from dataclasses import dataclass

from people.offices import office_short

from . import articles
from .drafting import ArticleText, RowText, row_text
from .models import Article, Row
from .words import Piece, compare_words


@dataclass(frozen=True)
class Difference:
    """One field that differs: what stands now, what you typed, and the words between them."""

    label: str
    theirs: str
    yours: str

    @property
    def pieces(self) -> list[Piece]:
        return list(compare_words(self.theirs, self.yours))


def _lines(text: RowText) -> dict[str, str]:
    parts = [f"{part.name}: {office_short(part.owner)}" for part in text.sub_scopes]
    return {
        "Owner": office_short(text.owner),
        "Sub-scopes": "\n".join(parts),
        "Scope in": text.scope_in,
        "Scope out": text.scope_out,
        "Consulted": ", ".join(office_short(key) for key in text.consulted),
        "Informed": ", ".join(office_short(key) for key in text.informed),
        "Why it sits here": text.rationale,
        "Left out because": text.left_out_reason,
    }


def row_differences(stands: Row, typed: RowText) -> list[Difference]:
    """The fields in which what was typed differs from what stands now."""
    return row_text_differences(row_text(stands), typed)


def row_text_differences(before: RowText, after: RowText) -> list[Difference]:
    """The same for two texts that need not stand anywhere."""
    theirs, yours = _lines(before), _lines(after)
    return [
        Difference(label, theirs[label], yours[label])
        for label in theirs
        if theirs[label] != yours[label]
    ]


def article_differences(stands: Article, typed: ArticleText) -> list[Difference]:
    """The same for an article: its text, and each of its data."""
    return article_text_differences(ArticleText(text=stands.text, data=stands.data), typed)


def article_text_differences(before: ArticleText, after: ArticleText) -> list[Difference]:
    """The same for two texts of one article; entries of a list are compared one by one."""
    found = []
    if before.text != after.text:
        found.append(Difference("Text", before.text, after.text))
    if before.data == after.data:
        return found
    key = articles.key_of(after.data) or articles.key_of(before.data)
    names = articles.function_names() if key else {}
    theirs = {one.id: one for one in articles.spoken(key, before.data, names)}
    yours = {one.id: one for one in articles.spoken(key, after.data, names)}
    for id_ in dict.fromkeys((*yours, *theirs)):
        old, new = theirs.get(id_), yours.get(id_)
        if old != new:
            label = new.label if new else old.label if old else ""
            renamed = bool(old and new and old.label != new.label)
            found.append(Difference(label, _said(old, renamed), _said(new, renamed)))
    return found


def _said(part: articles.Said | None, renamed: bool) -> str:
    if part is None:
        return ""
    return f"{part.label}\n{part.text}" if renamed else part.text
