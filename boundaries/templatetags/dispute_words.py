"""How pages speak of disputes and of the decisions that stand beside a sealed text."""

from collections.abc import Mapping
from typing import Any

from django import template

from ..dispute_mails import decider_words
from ..models import Dispute
from ..standing import ClauseStanding

register = template.Library()


@register.filter
def decider(dispute: Dispute) -> str:
    """Who decides until the ruling, as a sentence."""
    return decider_words(dispute)


@register.filter
def is_contested(standing: ClauseStanding) -> bool:
    """Whether a party contests it by its own word; a CFO veto is no contest."""
    return any(one.state == "contested" for one in standing.stances)


@register.filter
def of_function(beside: Mapping[str, Any], key: str) -> Any:
    """What stands beside the sealed row of a function, or nothing."""
    return beside.get(key) if beside else None
