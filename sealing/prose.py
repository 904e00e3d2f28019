"""Limited Markdown: how the texts of a boundary are read, on pages and in the signing copy.

Paragraphs, lists, emphasis, headings and the addresses of https links; no HTML, no images, nothing
that is written and not shown. Single line breaks are kept, as they were before there was Markdown.
What the parser gives is walked token by token: only the tags written here can come out, and every
text is escaped.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

LARGEST_HEADING = 3
MAX_NESTING = 20  # of lists and their items, each within the other

_PAIRS = {
    "bullet_list_open": "<ul>",
    "bullet_list_close": "</ul>",
    "ordered_list_close": "</ol>",
    "list_item_open": "<li>",
    "list_item_close": "</li>",
    "em_open": "<em>",
    "em_close": "</em>",
    "strong_open": "<strong>",
    "strong_close": "</strong>",
    "softbreak": "<br>",
    "hardbreak": "<br>",
}


class _Parser(MarkdownIt):
    def validateLink(self, url: str) -> bool:
        """Let https alone lead anywhere; another address stays as it was typed."""
        return url.lower().startswith("https://")


@cache
def _parser() -> MarkdownIt:
    parser = _Parser("zero", {"maxNesting": MAX_NESTING})
    return parser.enable(["list", "heading", "newline", "escape", "emphasis", "link"])


def to_html(text: Any, *, heading: int = LARGEST_HEADING) -> str:
    """Give `text` as HTML that is safe to print as it is.

    `heading` is the level at which the largest heading of the text begins: one below what it
    stands under.
    """
    lines = _lines(text)
    tokens = _parser().parse(lines)
    if any(token.level >= MAX_NESTING - 2 for token in tokens):
        # The parser drops what lies deeper: nothing that is signed may be left out.
        return _plain(lines)
    return _blocks(tokens, heading)


def _plain(text: str) -> str:
    """Give paragraphs and line breaks, and nothing else."""
    blocks = [block.strip("\n") for block in re.split(r"\n\s*\n", text)]
    return "".join(f"<p>{_escape(block).replace(chr(10), '<br>')}</p>" for block in blocks if block)


def _lines(text: Any) -> str:
    lines = str(text or "").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines)


def _blocks(tokens: Sequence[Token], heading: int) -> str:
    parts = []
    for token in tokens:
        if token.type == "inline":
            parts.append(_inline(token.children or ()))
        elif token.type in ("paragraph_open", "paragraph_close"):
            if not token.hidden:
                parts.append("<p>" if token.nesting == 1 else "</p>")
        elif token.type in ("heading_open", "heading_close"):
            # "#" to "###" are the largest; what is smaller is one smaller, and that is all.
            level = heading if int(token.tag[1]) <= LARGEST_HEADING else heading + 1
            parts.append(f"<{'/' if token.nesting == -1 else ''}h{min(level, 6)}>")
        elif token.type == "ordered_list_open":
            start = token.attrs.get("start")
            parts.append(f'<ol start="{int(start)}">' if start is not None else "<ol>")
        elif token.type in _PAIRS:
            parts.append(_PAIRS[token.type])
        else:
            parts.append(_escape(token.content))
    return "".join(parts)


def _inline(tokens: Iterable[Token]) -> str:
    parts: list[str] = []
    addresses: list[tuple[str, str]] = []
    for token in tokens:
        if token.type == "link_open":
            addresses.append((str(token.attrs.get("href", "")), str(token.attrs.get("title", ""))))
        elif token.type == "link_close":
            parts.append(_address(*addresses.pop()))
        elif token.type in _PAIRS:
            parts.append(_PAIRS[token.type])
        else:
            parts.append(_escape(token.content))
    return "".join(parts)


def _address(address: str, title: str) -> str:
    """Print where a link leads, and its title: nothing that is signed hides behind a word."""
    said = f", {_escape(title)}" if title else ""
    shown = _escape(address)
    return f' (<a href="{shown}" rel="noopener noreferrer nofollow">{shown}</a>{said})'


def _escape(text: str) -> str:
    return html.escape(text, quote=True)
