"""How pages and mails say dates, times and Offices: "21 Nov 2026", "16:42 EST", "CRO"."""

from datetime import date, datetime

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from people.calendar import date_words
from people.offices import office_short, office_title

register = template.Library()
register.filter("office_short", office_short)
register.filter("office_title", office_title)


def day_words(day: date) -> str:
    """ "3 Mar 2026", or as the reader of the page chose to read dates."""
    return date_words(day)


def moment_words(at: datetime) -> str:
    """ "3 Mar 2026, 16:42 EST" in the current (the reader's) zone."""
    local = timezone.localtime(at)
    return f"{day_words(local.date())}, {local:%H:%M} {local.tzname()}"


@register.filter
def day(value: date | datetime | None) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = timezone.localtime(value).date()
    return day_words(value)


@register.filter
def moment(value: datetime | None) -> str | SafeString:
    if value is None:
        return ""
    return format_html(
        '<time datetime="{}">{}</time>', value.isoformat(timespec="seconds"), moment_words(value)
    )


@register.filter
def owner_attribute(key: str) -> str:
    """The value of ``data-owner``: five Offices have a colour, every other is "further"."""
    if not key:
        return "none"
    return key if key in {"cro", "coo", "cfo", "ceo", "hybrid"} else "further"


@register.filter
def fingerprint(value: str) -> str:
    """A SHA-256 in groups of four, so that two people can compare it by voice."""
    return " ".join(value[i : i + 4] for i in range(0, len(value), 4))
