"""Filters for mails and the pages that show them."""

from datetime import datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from people.templatetags.speech import moment_words

register = template.Library()


@register.filter
def plain_moment(value: datetime | None) -> str:
    """ "3 Mar 2026, 16:42 EST" without the markup that `moment` adds for pages."""
    return "" if value is None else moment_words(value)


@register.filter
def breakable(address: str) -> SafeString:
    """An e-mail address that may break after the @, so that a narrow column can hold it."""
    local, _, domain = address.rpartition("@")
    return format_html("{}@<wbr>{}", local, domain)
