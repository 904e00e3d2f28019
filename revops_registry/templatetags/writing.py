"""How pages write the text of a boundary: prose, what changed in it, dates of frozen content."""

import re
from datetime import date, datetime
from difflib import SequenceMatcher
from itertools import groupby

from django import template
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from people.templatetags.speech import day_words, moment

register = template.Library()

_WORDS = re.compile(r"(\S+)(\s*)")


@register.filter
def prose(text: object) -> SafeString:
    """Plain text as paragraphs: a blank line parts them, "- " begins a list item.

    The PDF reads texts by the same rules, so that page and paper agree.
    """
    blocks = re.split(r"\n\s*\n", str(text or "").replace("\r\n", "\n").strip())
    parts: list[SafeString] = []
    for block in blocks:
        for is_list, run in groupby(block.split("\n"), lambda line: line.startswith("- ")):
            lines = [line.strip() for line in run if line.strip()]
            if lines and is_list:
                items = format_html_join("", "<li>{}</li>", ((line[2:],) for line in lines))
                parts.append(format_html("<ul>{}</ul>", items))
            elif lines:
                text_lines = mark_safe("<br>".join(escape(line) for line in lines))  # noqa: S308 - each line is escaped
                parts.append(format_html("<p>{}</p>", text_lines))
    return mark_safe("".join(parts))  # noqa: S308 - made of escaped parts


@register.filter
def word_diff(before: object, after: object) -> SafeString:
    """What changed from ``before`` to ``after``: words struck through and underlined.

    Whole words only: a part of a word or number is never struck. Line breaks are kept; a change
    of white space alone is not shown.
    """
    old, new = _WORDS.findall(str(before or "")), _WORDS.findall(str(after or ""))
    same = SequenceMatcher(None, [one[0] for one in old], [one[0] for one in new], autojunk=False)
    html = ""
    for kind, a, b, c, d in same.get_opcodes():
        if kind == "equal":
            html += _run("{}{}", new[c:d])
            continue
        html += _run("<del>{}</del>{}", old[a:b])
        html += _run("<ins>{}</ins>{}", new[c:d])
    return mark_safe(html.strip().replace("\n", "<br>"))  # noqa: S308 - made of escaped parts


def _run(shape: str, words: list[tuple[str, str]]) -> str:
    """Words with the white space between them inside ``shape``, and that after them behind it."""
    if not words:
        return ""
    text = "".join(word + space for word, space in words[:-1]) + words[-1][0]
    return format_html(shape, text, words[-1][1] or " ")


@register.filter
def iso_day(value: str | None) -> str:
    """ "2026-12-12" as "12 Dec 2026"; empty stays empty."""
    return day_words(date.fromisoformat(value)) if value else ""


@register.filter
def iso_moment(value: str | None) -> str | SafeString:
    """ "2026-12-03T15:02:11Z" in the reader's zone: "3 Dec 2026, 10:02 EST"."""
    return moment(datetime.fromisoformat(value)) if value else ""
