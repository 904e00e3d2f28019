"""What pages ask about second factors."""

from typing import Any

from django import template

from people import factors

register = template.Library()


@register.simple_tag(takes_context=True)
def passkey_obstacle(context: dict[str, Any]) -> str:
    """Why no passkey can work at the address that the reader is at; "" when it can."""
    return factors.passkey_obstacle(context["request"])
