"""Filters for mails: words without markup."""

from datetime import datetime

from django import template

from people.templatetags.speech import moment_words

register = template.Library()


@register.filter
def plain_moment(value: datetime | None) -> str:
    """ "3 Mar 2026, 16:42 EST" without the markup that `moment` adds for pages."""
    return "" if value is None else moment_words(value)
