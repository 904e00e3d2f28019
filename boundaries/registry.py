"""Where upper apps add to the page of what is in force (reviews due, for instance)."""

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


def register_panels(provider: Panels) -> None:
    """Add a provider of panels; registering the same one again changes nothing."""
    if provider not in _panels:
        _panels.append(provider)


def panels(revision: Revision, reader: Person) -> list[Panel]:
    return [panel for provider in _panels for panel in provider(revision, reader)]
