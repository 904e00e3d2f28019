"""How pages write the text of a boundary: prose and dates of frozen content."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe

from people.templatetags.speech import day_words, moment
from sealing.entries import Listing, listing
from sealing.prose import to_html

register = template.Library()


@register.filter
def prose(text: object) -> SafeString:
    """Limited Markdown, by the rules of the signing copy, so that page and paper agree."""
    # One below the headings of articles and panels.
    return mark_safe(to_html(text, heading=4))  # noqa: S308 - the renderer escapes every text


@register.filter
def listed(article: Mapping[str, Any], content: Mapping[str, Any]) -> Listing | None:
    """The list of an article of frozen content: ``{% with listing=article|listed:content %}``."""
    names = {
        row.get("function", ""): row.get("name", "")
        for one in content.get("articles", ())
        for row in (*one.get("rows", ()), *one.get("left_out", ()))
    }
    return listing(article.get("key", ""), article.get("data"), names)


@register.filter
def iso_day(value: str | None) -> str:
    """ "2026-12-12" as "12 Dec 2026"; empty stays empty."""
    return day_words(date.fromisoformat(value)) if value else ""


@register.filter
def iso_moment(value: str | None) -> str | SafeString:
    """ "2026-12-03T15:02:11Z" in the reader's zone: "3 Dec 2026, 10:02 EST"."""
    return moment(datetime.fromisoformat(value)) if value else ""
