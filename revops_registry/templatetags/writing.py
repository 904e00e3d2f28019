"""How pages write the text of a boundary: prose and dates of frozen content."""

import re
from datetime import date, datetime
from itertools import groupby

from django import template
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from people.templatetags.speech import day_words, moment

register = template.Library()


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
def iso_day(value: str | None) -> str:
    """ "2026-12-12" as "12 Dec 2026"; empty stays empty."""
    return day_words(date.fromisoformat(value)) if value else ""


@register.filter
def iso_moment(value: str | None) -> str | SafeString:
    """ "2026-12-03T15:02:11Z" in the reader's zone: "3 Dec 2026, 10:02 EST"."""
    return moment(datetime.fromisoformat(value)) if value else ""
