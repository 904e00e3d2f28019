"""How pages write the text of a boundary: prose and dates of frozen content."""

from datetime import date, datetime

from django import template
from django.utils.safestring import SafeString, mark_safe

from people.templatetags.speech import day_words, moment
from sealing.prose import to_html

register = template.Library()


@register.filter
def prose(text: object) -> SafeString:
    """Limited Markdown, by the rules of the signing copy, so that page and paper agree."""
    # One below the headings of articles and panels.
    return mark_safe(to_html(text, heading=4))  # noqa: S308 - the renderer escapes every text


@register.filter
def iso_day(value: str | None) -> str:
    """ "2026-12-12" as "12 Dec 2026"; empty stays empty."""
    return day_words(date.fromisoformat(value)) if value else ""


@register.filter
def iso_moment(value: str | None) -> str | SafeString:
    """ "2026-12-03T15:02:11Z" in the reader's zone: "3 Dec 2026, 10:02 EST"."""
    return moment(datetime.fromisoformat(value)) if value else ""
