"""What the look-up page, the function page and the API say: one reading for all of them.

Each function here asks the database a fixed number of questions, whatever the size of the
catalog. Answers name Offices; the persons who hold them now are added on reading.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import Prefetch

from people.calendar import company_date
from people.models import Appointment, Office, Person
from people.offices import CEO, CFO, COO, CRO, HYBRID, REVOPS_LEAD, office_short
from people.queries import who_acts_for
from people.templatetags.speech import day_words

from . import registry
from .models import Alias, Function
from .ownership import Answer, answer_on, answers_on, first_in_force_date, history
from .search import Hit, search

NOBODY = ""
# The order in which owners stand wherever all of them are shown.
OWNER_ORDER = (CRO, HYBRID, COO, CFO, CEO)
# What one can filter by; "none" is the word for nobody in addresses.
FILTERS = (CRO, COO, CFO, HYBRID, "none")


def the_office(key: str) -> str:
    """ "the CRO": an Office inside a sentence."""
    return office_short(key) if key == "legal" else f"the {office_short(key)}"


def and_list(words: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def holders_of(offices: Iterable[str], *, on: date) -> dict[str, Appointment]:
    """Who acts for each Office on ``on``; for one that is not established, who holds its part.

    That appointment is to another Office than the key says: readers tell it by that. Three queries
    at most, whatever the number of Offices.
    """
    wanted = set(offices)
    heirs: dict[str, str] = dict(
        Office.objects.filter(established=False).values_list("key", "part_goes_to__key")
    )
    ends = {key: _heir(key, heirs) for key in wanted & set(heirs)}
    acting = who_acts_for((wanted - set(heirs)) | set(ends.values()), on=on)
    return {key: one for key, one in acting.items() if key in wanted} | {
        key: acting[heir] for key, heir in ends.items() if heir in acting
    }


def _heir(key: str, heirs: Mapping[str, str]) -> str:
    """The established Office that the part of ``key`` goes to in the end."""
    seen: set[str] = set()
    while key in heirs and key not in seen:
        seen.add(key)
        key = heirs[key]
    return key


@dataclass(frozen=True)
class Piece:
    """A piece of a sentence; ``office`` where it names an owner, ``is_function`` the function."""

    text: str
    office: str = ""
    is_function: bool = False


@dataclass(frozen=True)
class Entry:
    """One function as it stood on a date: its answer, and how a search came to it."""

    function: Function
    answer: Answer | None
    on: date
    today: date
    hit: Hit | None = None
    standings: Sequence[registry.Standing] = ()

    @property
    def owner(self) -> str:
        """An Office key, "hybrid", or "" for nobody."""
        return self.answer.owner if self.answer else NOBODY

    @property
    def owners(self) -> tuple[str, ...]:
        return self.answer.owners if self.answer else ()

    @property
    def pieces(self) -> list[Piece]:
        """The answer in a sentence: who owns, owned or will own it."""
        name = Piece(self.function.name, is_function=True)
        if not self.answer:
            if self.on < self.today:
                return [Piece("Nobody owned "), name, Piece(f" on {day_words(self.on)}.")]
            return [Piece("Nobody owns "), name, Piece(" yet.")]
        offices = self.answer.owners
        verb = self._verb(plural=len(offices) > 1)
        pieces: list[Piece] = []
        for number, office in enumerate(offices):
            joint = "" if number == 0 else " and " if number == len(offices) - 1 else ", "
            words = the_office(office)
            article = words.removesuffix(office_short(office))
            lead = joint + (article.capitalize() if number == 0 else article)
            if lead:
                pieces.append(Piece(lead))
            pieces.append(Piece(office_short(office), office=office))
        parts = " parts of " if len(offices) > 1 else " "
        then = "." if self.on == self.today else f" on {day_words(self.on)}."
        return [*pieces, Piece(f" {verb}{parts}"), name, Piece(then)]

    def _verb(self, *, plural: bool) -> str:
        if self.on < self.today:
            return "owned"
        if self.on > self.today:
            return "will own"
        return "own" if plural else "owns"

    @property
    def sentence(self) -> str:
        return "".join(piece.text for piece in self.pieces)

    @property
    def document_url(self) -> str:
        if not self.answer:
            return ""
        return registry.document_url(self.answer.document_number, self.answer.revision_number)


@dataclass(frozen=True)
class MapColumn:
    """All functions of one owner."""

    owner: str
    entries: list[Entry]


@dataclass(frozen=True)
class Lookup:
    """Everything the look-up page shows for a query and a date."""

    query: str
    on: date
    today: date
    owner_filter: str
    entries: list[Entry]  # the catalog on that date, in its order
    found: list[Entry]  # what the query found, best first, whoever owns it
    results: list[Entry]  # the same, of the owner asked for
    holders: Mapping[str, Appointment]
    first_date: date | None
    columns: list[MapColumn] = field(default_factory=list)

    @property
    def anything_in_force(self) -> bool:
        return any(entry.answer for entry in self.entries)

    @property
    def owned(self) -> int:
        return sum(1 for entry in self.entries if entry.answer)

    @property
    def unowned(self) -> int:
        return len(self.entries) - self.owned

    @property
    def sources(self) -> list[Answer]:
        """One answer for each Revision that the answers rest on, the most used first."""
        counted: dict[str, list[Answer]] = {}
        for entry in self.entries:
            if entry.answer:
                counted.setdefault(entry.answer.revision_reference, []).append(entry.answer)
        return [some[0] for some in sorted(counted.values(), key=len, reverse=True)]

    @property
    def shown(self) -> int:
        """How many functions the map shows: all, or those of the owner asked for."""
        return sum(len(column.entries) for column in self.columns)

    @property
    def hit_keys(self) -> frozenset[str]:
        return frozenset(entry.function.key for entry in self.results)


def look_up(
    *, query: str, on: date, reader: Person, at: datetime, owner_filter: str = ""
) -> Lookup:
    """Who owns what on the date ``on``, and what ``query`` finds.

    ``owner_filter`` is one of ``FILTERS`` or "": functions of which that Office owns all or a
    part, split ones, or those nobody owns. ``at`` is the instant of asking (aware).
    """
    today = company_date(at)
    answers = answers_on(on)
    hits = {hit.function.key: hit for hit in search(query, answers=answers)}
    functions = list(Function.objects.all())
    # Retired functions answer for the time when they were in use, and when they are asked for.
    shown = [one for one in functions if one.is_active or one.key in answers or one.key in hits]
    said = registry.standings([one.key for one in shown], reader, on)
    entries = [
        Entry(
            function=one,
            answer=answers.get(one.key),
            on=on,
            today=today,
            hit=hits.get(one.key),
            standings=said.get(one.key, ()),
        )
        for one in shown
    ]
    by_key = {entry.function.key: entry for entry in entries}
    found = [by_key[key] for key in hits]
    catalog = [one for one in entries if one.function.is_active or one.answer]
    offices = {office for one in answers.values() for office in one.offices} | {REVOPS_LEAD}
    return Lookup(
        query=query,
        on=on,
        today=today,
        owner_filter=owner_filter,
        entries=catalog,
        found=found,
        results=[entry for entry in found if _belongs(entry, owner_filter)],
        holders=holders_of(offices, on=today),
        first_date=None if answers else first_in_force_date(),
        columns=_columns([one for one in catalog if _belongs(one, owner_filter)]),
    )


def _belongs(entry: Entry, owner_filter: str) -> bool:
    if not owner_filter:
        return True
    if owner_filter == "none":
        return entry.answer is None
    return entry.owner == owner_filter or owner_filter in entry.owners


def _columns(entries: Iterable[Entry]) -> list[MapColumn]:
    by_owner: dict[str, list[Entry]] = {}
    for entry in entries:
        by_owner.setdefault(entry.owner, []).append(entry)
    further = sorted(set(by_owner) - {*OWNER_ORDER, NOBODY})
    return [
        MapColumn(owner, sorted(by_owner[owner], key=lambda entry: entry.function.name.lower()))
        for owner in (*OWNER_ORDER, *further, NOBODY)
        if owner in by_owner
    ]


@dataclass(frozen=True)
class NaturalColumn:
    """Functions that tend to sit with one owner: a proposal, while nothing is in force."""

    owner: str
    functions: list[Function]


def natural_columns(entries: Iterable[Entry]) -> list[NaturalColumn]:
    """The catalog by natural owner, for the time before the first boundary."""
    by_owner: dict[str, list[Function]] = {}
    for entry in entries:
        by_owner.setdefault(entry.function.natural_owner, []).append(entry.function)
    order = [*OWNER_ORDER, *sorted(set(by_owner) - set(OWNER_ORDER))]
    return [NaturalColumn(owner, by_owner[owner]) for owner in order if owner in by_owner]


# --- One function ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Tenure:
    """A stretch of time with the same owner; ``owner`` is "" where nobody had it."""

    owner: str
    since: date
    until: date | None  # exclusive; None: still so
    days: int
    share: int  # 1 to 40, for the bar

    @property
    def ongoing(self) -> bool:
        return self.until is None


@dataclass(frozen=True)
class HistoryLine:
    """One step in who held a function; ``sentence`` goes on after the Revision's name."""

    owner: str
    since: date
    answer: Answer | None
    sentence: str
    replaced_same_day: bool = False


@dataclass(frozen=True)
class FunctionReport:
    """Everything the function page and the API say about one function on one date."""

    entry: Entry
    holders: Mapping[str, Appointment]
    aliases: list[str]
    tenures: list[Tenure]
    lines: list[HistoryLine]  # newest first
    first_date: date | None

    @property
    def function(self) -> Function:
        return self.entry.function

    @property
    def answer(self) -> Answer | None:
        return self.entry.answer


def report_on(function: Function, *, on: date, reader: Person, at: datetime) -> FunctionReport:
    """One function on the date ``on``: its answer, who holds the Offices now, and its past."""
    today = company_date(at)
    answer = answer_on(function, on)
    past = history(function)
    offices = (answer.offices if answer else frozenset()) | {REVOPS_LEAD}
    return FunctionReport(
        entry=Entry(
            function=function,
            answer=answer,
            on=on,
            today=today,
            standings=registry.standings([function.key], reader, on).get(function.key, ()),
        ),
        holders=holders_of(offices, on=today),
        aliases=[alias.text for alias in function.aliases.all()],
        tenures=tenures_of(past, today=today),
        lines=history_lines(past, today=today),
        first_date=None if answer else first_in_force_date(),
    )


def function_by_key(key: str) -> Function:
    """The function with its aliases, sub-scopes and successor. Raises ``DoesNotExist``."""
    return (
        Function.objects.select_related("successor")
        .prefetch_related(Prefetch("aliases", Alias.objects.order_by("pk")), "sub_scopes")
        .get(key=key)
    )


def tenures_of(past: Sequence[Answer], *, today: date) -> list[Tenure]:
    """Who held it to scale, oldest first: neighbours with the same owner are one stretch."""
    stretches: list[tuple[str, date, date | None]] = []
    for answer in past:
        since, until = answer.in_force_from, answer.in_force_until
        if since is None or since == until or since > today:
            continue
        if stretches:
            owner, began, ended = stretches[-1]
            if ended is not None and ended < since:
                stretches.append((NOBODY, ended, since))
            elif owner == answer.owner:
                stretches[-1] = (owner, began, until)
                continue
        stretches.append((answer.owner, since, until))
    if stretches and stretches[-1][2] is not None and stretches[-1][2] <= today:
        stretches.append((NOBODY, stretches[-1][2], None))
    lengths = [max(1, ((until or today) - since).days) for _owner, since, until in stretches]
    whole = sum(lengths)
    return [
        Tenure(owner, since, until, days, share=max(1, min(40, round(40 * days / whole))))
        for (owner, since, until), days in zip(stretches, lengths, strict=True)
    ]


def history_lines(past: Sequence[Answer], *, today: date) -> list[HistoryLine]:
    """What each Revision did to the function, newest first."""
    lines: list[HistoryLine] = []
    before: Answer | None = None
    for answer in past:
        if answer.in_force_from is None:
            continue
        ended = before.in_force_until if before else None
        if ended is not None and ended < answer.in_force_from:
            lines.append(_nobody_line(ended))
            before = None
        lines.append(
            HistoryLine(
                owner=answer.owner,
                since=answer.in_force_from,
                answer=answer,
                sentence=_step(before, answer),
                replaced_same_day=answer.in_force_from == answer.in_force_until,
            )
        )
        before = answer
    last_end = past[-1].in_force_until if past else None
    if last_end is not None and last_end <= today:
        lines.append(_nobody_line(last_end))
    return lines[::-1]


def _nobody_line(since: date) -> HistoryLine:
    return HistoryLine(NOBODY, since, None, "allocated it any more.")


def _step(before: Answer | None, after: Answer) -> str:
    if before is not None and before.holdings() == after.holdings():
        return f"kept it with {and_list([the_office(office) for office in after.owners])}."
    if after.is_hybrid:
        parts = [f"{part.name} to {the_office(part.owner)}" for part in after.sub_scopes]
        return f"split it: {', '.join(parts)}."
    to = the_office(after.owner)
    if before is None:
        return f"gave it to {to}."
    former = and_list([the_office(office) for office in before.owners])
    return f"moved it from {former} to {to}."
