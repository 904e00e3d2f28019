"""Where upper apps add to pages of documents: what is in force, and what a successor takes over."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from people.models import Person

from .models import Revision


@dataclass(frozen=True)
class Panel:
    """A panel beside the page: a template and what it shows."""

    template: str
    context: Mapping[str, Any] = field(default_factory=dict)


Panels = Callable[[Revision, Person], Sequence[Panel]]

_panels: list[Panels] = []
_takeover_panels: list[Panels] = []


def register_panels(provider: Panels) -> None:
    """Add a provider of panels; registering the same one again changes nothing."""
    if provider not in _panels:
        _panels.append(provider)


def panels(revision: Revision, reader: Person) -> list[Panel]:
    return [panel for provider in _panels for panel in provider(revision, reader)]


def register_takeover_panels(provider: Panels) -> None:
    """Add to the page on which a successor sees what they take over (reviews that come)."""
    if provider not in _takeover_panels:
        _takeover_panels.append(provider)


def takeover_panels(revision: Revision, reader: Person) -> list[Panel]:
    return [panel for provider in _takeover_panels for panel in provider(revision, reader)]
