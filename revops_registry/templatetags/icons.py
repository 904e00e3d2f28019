"""Icons as lucide draws them, each drawn once: a long board shows thousands of a dozen kinds."""

from functools import lru_cache

from django import template
from django.utils.safestring import SafeString, mark_safe
from lucide.templatetags.lucide import lucide as draw

register = template.Library()


@lru_cache(maxsize=512)
def _drawn(name: str, size: int | None, attributes: tuple[tuple[str, object], ...]) -> SafeString:
    return mark_safe(draw(name, size=size, **dict(attributes)))  # noqa: S308 - lucide's own markup


@register.simple_tag
def lucide(name: str, *, size: int | None = 24, **attributes: object) -> SafeString:
    """The icon ``name`` as inline SVG; ``attributes`` are the template's own words."""
    return _drawn(name, size, tuple(sorted(attributes.items())))
