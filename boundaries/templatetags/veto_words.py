"""What templates ask about a veto."""

from django import template
from django.utils import timezone

from people.calendar import company_date

from .. import vetoes
from ..models import Row, Veto

register = template.Library()


@register.filter
def order_is_open(veto: Veto) -> bool:
    """Whether the CEO may order today what goes in."""
    return vetoes.is_open(veto, today=company_date(timezone.now()))


@register.filter
def can_be_vetoed(row: Row) -> bool:
    return vetoes.can_be_vetoed(row)
