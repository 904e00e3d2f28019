"""Where apps above the catalog add what only they know.

Look-ups never import boundaries or reviews. Those register, in ``AppConfig.ready``, providers
of answers that are approved for a future date, of standings ("Contested in draft v4"), of
panels for the function page and of links to documents.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from people.models import Person

    from .models import Function
    from .ownership import Answer


@dataclass(frozen=True)
class Standing:
    """A word on where a function stands, shown beside its answer.

    ``state`` picks the tag's look: "contested", "overdue" or "" (neutral).
    """

    label: str
    state: str = ""
    note: str = ""
    url: str = ""
    url_words: str = ""


@dataclass(frozen=True)
class Panel:
    """A panel beside the function page: a template and what it shows."""

    template: str
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Notice:
    """Something that waits for the reader, said on top of the look-up page."""

    title: str
    text: str
    url: str
    url_words: str


Outlook = Callable[[date], "Mapping[str, Answer]"]
Standings = Callable[["Sequence[str]", "Person", date], "Mapping[str, Sequence[Standing]]"]
Panels = Callable[["Function", "Person", date], "Sequence[Panel]"]
DocumentLink = Callable[[str, int, str], str]
Notices = Callable[["Person", date], "Sequence[Notice]"]

_outlooks: list[Outlook] = []
_standings: list[Standings] = []
_panels: list[Panels] = []
_document_links: list[DocumentLink] = []
_notices: list[Notices] = []


def _register(kind: list[Any], provider: Any) -> None:
    # ready() may run twice in one process (tests do it): registering again changes nothing.
    if provider not in kind:
        kind.append(provider)


def register_outlook(provider: Outlook) -> None:
    """Add a provider of the answers that approved text will bring in force.

    It is called with a date later than today and returns, by function key, the whole answer set
    of each document whose approved Revision takes effect on or before that date. A function of
    such a document that is not in the answers will have no owner then.
    """
    _register(_outlooks, provider)


def register_standings(provider: Standings) -> None:
    """Add a provider of standings by function key: called once for all keys of a page.

    It gets the keys, the reader and the as-of date. What the reader may not read is left out; that
    is settled by the Offices held today, never by those held on the as-of date.
    """
    _register(_standings, provider)


def register_panels(provider: Panels) -> None:
    """Add a provider of panels for the function page (function, reader, as-of date)."""
    _register(_panels, provider)


def register_document_link(provider: DocumentLink) -> None:
    """Add a provider of the address of a Revision, or of one of its rows, or "".

    It is called with the document's number, the revision's, and the row's reference or "".
    """
    _register(_document_links, provider)


def register_notices(provider: Notices) -> None:
    """Add a provider of what waits for a reader (the reader, the company's date today)."""
    _register(_notices, provider)


def notices(person: "Person", today: date) -> list[Notice]:
    """All that waits for the reader, in order of registration."""
    return [notice for provider in _notices for notice in provider(person, today)]


def expected_answers(day: date) -> "dict[str, Answer]":
    """What the registered outlooks expect to be in force on the future date ``day``."""
    answers: dict[str, Answer] = {}
    for provider in _outlooks:
        answers.update(provider(day))
    return answers


def standings(keys: Sequence[str], person: "Person", day: date) -> dict[str, list[Standing]]:
    """All registered standings, by function key."""
    found: dict[str, list[Standing]] = {}
    for provider in _standings:
        for key, some in provider(keys, person, day).items():
            found.setdefault(key, []).extend(some)
    return found


def panels(function: "Function", person: "Person", day: date) -> list[Panel]:
    """All registered panels for one function's page, in order of registration."""
    return [panel for provider in _panels for panel in provider(function, person, day)]


def document_url(document_number: str, revision_number: int, row: str = "") -> str:
    """The address of a Revision, or of its row "4.3", or "" where nobody knows one."""
    for provider in _document_links:
        url = provider(document_number, revision_number, row)
        if url:
            return url
    return ""
