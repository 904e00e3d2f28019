"""Where upper apps add to the pages of people and Offices what only they know."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from .models import Appointment, Office, Person


@dataclass(frozen=True)
class Effect:
    """One thing that a change of holder will do: said before it is recorded."""

    text: str
    note: str = ""
    # It tells of text that is not in force yet: only for those who read drafts.
    of_drafts: bool = False


@dataclass(frozen=True)
class Fact:
    """A term and its words (with a link, where there is more), beside somebody's account."""

    term: str
    words: str
    url: str = ""


@dataclass(frozen=True)
class PlannedHolder:
    """A change of holder before it is recorded: who, which Office, when, as a stand-in or not."""

    person: Person
    office: Office
    starts_on: date
    ends_on: date | None
    acting: bool


Effects = Callable[[PlannedHolder], Sequence[Effect]]
Facts = Callable[[Person], Sequence[Fact]]
# When somebody acted by an appointment in a way that rests on it for good.
Acts = Callable[[Appointment], Sequence[datetime]]

_effects: list[Effects] = []
_facts: list[Facts] = []
_acts: list[Acts] = []


def register_effects(provider: Effects) -> None:
    """Add what a change of holder does elsewhere; registering again changes nothing."""
    if provider not in _effects:
        _effects.append(provider)


def register_account_facts(provider: Facts) -> None:
    """Add to what a person's account page says of them; registering again changes nothing."""
    if provider not in _facts:
        _facts.append(provider)


def register_acts(provider: Acts) -> None:
    """Add when somebody signed by an appointment; registering again changes nothing."""
    if provider not in _acts:
        _acts.append(provider)


def effects(planned: PlannedHolder) -> list[Effect]:
    return [effect for provider in _effects for effect in provider(planned)]


def account_facts(person: Person) -> list[Fact]:
    return [fact for provider in _facts for fact in provider(person)]


def acts_by(appointment: Appointment) -> list[datetime]:
    """When somebody signed by the appointment, the earliest first."""
    return sorted(at for provider in _acts for at in provider(appointment))
