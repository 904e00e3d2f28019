"""How pages show what changed in a text: struck and underlined in one, or side by side."""

from collections.abc import Iterable

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from ..comparing import Field
from ..words import GAP, Piece

register = template.Library()


@register.filter
def redline(field: Field, whole: bool = False) -> SafeString:
    """Both texts in one: removed words struck, added words underlined."""
    return _words(field.pieces if whole else field.short_pieces, without="")


@register.filter
def was(field: Field, whole: bool = False) -> SafeString:
    """The earlier text, with the words that were removed from it struck."""
    return _words(field.pieces if whole else field.short_pieces, without="added")


@register.filter
def now(field: Field, whole: bool = False) -> SafeString:
    """The later text, with the words that were added to it underlined."""
    return _words(field.pieces if whole else field.short_pieces, without="removed")


def _words(pieces: Iterable[Piece], *, without: str) -> SafeString:
    shown: list[str] = []
    former = Piece("same", "")
    for piece in (one for one in pieces if one.kind != without):
        if {former.kind, piece.kind} == {"removed", "added"}:
            # "24" struck and "12" added would read 2412.
            touch = not former.text[-1:].isspace() and not piece.text[:1].isspace()
            shown.append(" " if touch else "")
        shown.append(_piece(piece))
        former = piece
    return mark_safe("".join(shown))  # noqa: S308 - every piece is escaped


def _piece(piece: Piece) -> str:
    if piece == GAP:
        return format_html(
            '<span class="gap"><span aria-hidden="true">{}</span>'
            '<span class="visually-hidden">Unchanged text is left out here.</span></span>\n',
            piece.text,
        )
    tag = {"removed": "del", "added": "ins"}.get(piece.kind)
    text = piece.text.strip()
    if tag is None or not text:
        return format_html("{}", piece.text)
    # Spaces around the words are neither struck nor underlined.
    start = piece.text.index(text[0])
    end = start + len(text)
    marked = format_html("<{0}>{1}</{0}>", tag, text)
    return format_html("{}{}{}", piece.text[:start], marked, piece.text[end:])
