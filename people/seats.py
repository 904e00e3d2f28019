"""Every Office as a page and the API speak of it: who holds it on a day, who held it, to scale.

``Register`` reads all Offices, appointments and absences once (three queries, whatever their
number); the rest is arithmetic on dates.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property

from .calendar import date_words
from .models import Appointment, Office, OfficeAbsence
from .recording import last_day_words, months_after

# The lines show this many calendar years before the present one; each Office's page shows all.
YEARS_SHOWN = 2
UNITS = 60  # a stretch is so many sixtieths of its line: data-n in the stylesheet


class SeatState(StrEnum):
    HELD = "held"
    ACTING = "acting"
    VACANT = "vacant"
    NOT_ESTABLISHED = "not_established"


@dataclass(frozen=True)
class Seat:
    """One Office on one day."""

    office: Office
    on: date
    state: SeatState
    # Who may act: the stand-in, the holder, or every holder of an Office that may have several.
    acting_now: Sequence[Appointment] = ()
    # Who holds it, also while somebody stands in.
    holders: Sequence[Appointment] = ()
    # Counts already and begins later.
    next: Appointment | None = None
    waiting: Sequence[Appointment] = ()
    absence: OfficeAbsence | None = None
    since: date | None = None

    @property
    def held_by(self) -> Appointment | None:
        return self.holders[0] if self.holders else None

    @property
    def part_goes_to(self) -> Office | None:
        return self.absence.part_goes_to if self.absence else self.office.part_goes_to

    @property
    def reason(self) -> str:
        return self.absence.reason if self.absence else self.office.not_established_reason

    @property
    def last_day(self) -> date | None:
        """Until when who acts now acts; None while that is open, or several do."""
        return self.acting_now[0].last_day if len(self.acting_now) == 1 else None

    @cached_property
    def words(self) -> str:
        """The state in a sentence or two."""
        if self.state == SeatState.ACTING:
            return self._acting_words()
        if self.state == SeatState.VACANT:
            return f"No holder and no stand-in. What needs the Office waits{self._next_words()}"
        if self.state == SeatState.NOT_ESTABLISHED or not self.holders:
            return ""
        if self.office.several_holders:
            return "May have several holders"
        one = self.holders[0]
        if not one.person.is_active:
            return "The account is closed, so nobody can act. Record a successor or a stand-in"
        if one.ends_on is None:
            return f"Holds the Office{self._next_words()}"
        return (
            f"Leaves. Last day {last_day_words(one.ends_on)}"
            f"{self._next_words() or ', no successor recorded yet'}"
        )

    def _acting_words(self) -> str:
        one = self.acting_now[0]
        assert one.ends_on is not None  # noqa: S101 - acting ones have an end
        words = f"Acts. Last day {last_day_words(one.ends_on)}."
        if not one.person.is_active:
            words = f"The stand-in’s account is closed, so nobody can act. {words}"
        holder = self.held_by
        if holder is None:
            return f"{words} The Office has no holder{self._next_words()}"
        back = date_words(one.ends_on)
        return f"{words} {holder.person.get_short_name()} cannot act until {back}"

    def _next_words(self) -> str:
        if self.next is None:
            return ""
        return f"; {self.next.person.name} follows on {date_words(self.next.starts_on)}"


@dataclass(frozen=True)
class Stretch:
    """A time in which one Office was held in one way."""

    state: str  # "held", "acting", "vacant", "none" (not established) or "unknown"
    since: date
    until: date  # exclusive; where it goes on, the end of what is shown
    ongoing: bool
    words: str
    person_id: int | None = None
    share: int = 1

    @property
    def last_day(self) -> date:
        return self.until - timedelta(days=1)

    @property
    def tiny(self) -> bool:
        """Too narrow for its words; the list has them."""
        return self.share * 1.6 < len(self.words) * 0.75

    @property
    def cramped(self) -> bool:
        """Too narrow for its words on a phone, where a line is some 48 characters wide."""
        return self.share * 0.8 < len(self.words) + 3

    @property
    def known(self) -> bool:
        return self.state != "unknown"


@dataclass(frozen=True)
class Line:
    """Who held one Office, oldest first; shares add up to ``UNITS``."""

    office: Office
    stretches: list[Stretch]


@dataclass(frozen=True)
class Lines:
    since: date
    until: date  # exclusive
    lines: list[Line]
    years: list[tuple[int, int]] = field(default_factory=list)  # year, share

    @property
    def last_month(self) -> date:
        return self.until - timedelta(days=1)


class Register:
    """All Offices with everything that was ever recorded of them."""

    def __init__(self) -> None:
        self.offices = list(Office.objects.select_related("part_goes_to"))
        appointments = Appointment.objects.filter(voided_at__isnull=True).select_related(
            "office", "person"
        )
        self._counting: dict[int, list[Appointment]] = {}
        self._waiting: dict[int, list[Appointment]] = {}
        for one in appointments:
            which = self._counting if one.counts else self._waiting
            which.setdefault(one.office_id, []).append(one)
        self._absences: dict[int, list[OfficeAbsence]] = {}
        for absence in OfficeAbsence.objects.select_related("part_goes_to"):
            self._absences.setdefault(absence.office_id, []).append(absence)

    @property
    def waiting(self) -> list[Appointment]:
        """What waits for the CEO's confirmation, the longest first."""
        found = (one for several in self._waiting.values() for one in several)
        return sorted(found, key=lambda one: (one.recorded_at, one.pk))

    # --- On one day ---------------------------------------------------------------------------

    def seats(self, *, on: date, today: date) -> list[Seat]:
        return [self.seat(office, on=on, today=today) for office in self.offices]

    def seat(self, office: Office, *, on: date, today: date) -> Seat:
        counting = self._counting.get(office.pk, [])
        running = [one for one in counting if _runs(one.starts_on, one.ends_on, on)]
        holders = [one for one in running if not one.acting]
        stand_ins = [one for one in running if one.acting]
        later = [one for one in counting if one.starts_on > on and not one.acting]
        common = {
            "office": office,
            "on": on,
            "holders": holders,
            "next": min(later, key=lambda one: one.starts_on, default=None),
            "waiting": self._waiting.get(office.pk, []) if on == today else [],
        }
        absence = self._absence(office, on)
        if absence is not None or (on == today and not office.established):
            since = absence.starts_on if absence else None
            return Seat(
                state=SeatState.NOT_ESTABLISHED,
                absence=absence,
                since=since,
                **common,  # type: ignore[arg-type]  # a dict of mixed values
            )
        acts = stand_ins or holders
        if acts:
            state = SeatState.ACTING if stand_ins else SeatState.HELD
            since = min(one.starts_on for one in acts)
        else:
            state = SeatState.VACANT
            ends = [one.ends_on for one in counting if one.ends_on and one.ends_on <= on]
            since = max(ends, default=None)
        return Seat(state=state, acting_now=acts, since=since, **common)  # type: ignore[arg-type]

    def _absence(self, office: Office, on: date) -> OfficeAbsence | None:
        found = (
            one
            for one in self._absences.get(office.pk, [])
            if _runs(one.starts_on, one.ends_on, on)
        )
        return next(found, None)

    # --- Over time ----------------------------------------------------------------------------

    def lines(self, *, today: date) -> Lines | None:
        """Who held each Office, on one scale; None where nobody ever did."""
        counting = [one for several in self._counting.values() for one in several]
        if not counting:
            return None
        first = min(one.starts_on for one in counting)
        since = max(first, date(today.year - YEARS_SHOWN, 1, 1))
        known = [day for one in counting for day in (one.starts_on, one.ends_on) if day]
        furthest = min(max([today, *known]), months_after(today, 12))
        until = max(months_after(furthest.replace(day=1), 1), months_after(since.replace(day=1), 2))
        lines = [
            Line(office, _to_scale(self.stretches(office, since=since, until=until), since, until))
            for office in self.offices
        ]
        return Lines(since, until, lines, _years(since, until))

    def stretches(self, office: Office, *, since: date, until: date) -> list[Stretch]:
        """The Office's time from ``since`` until ``until`` (exclusive), cut where it changed."""
        counting = self._counting.get(office.pk, [])
        absences = self._absences.get(office.pk, [])
        spans = [(one.starts_on, one.ends_on) for one in counting]
        spans += [(one.starts_on, one.ends_on) for one in absences]
        cuts = sorted(
            {day for span in spans for day in span if day and since < day < until} | {since}
        )
        begun = min((span[0] for span in spans), default=None)
        found: list[Stretch] = []
        for day, after in zip(cuts, [*cuts[1:], until], strict=True):
            state, words, person_id = self._on(office, day, begun)
            if found and (found[-1].state, found[-1].words) == (state, words):
                day = found.pop().since
            found.append(Stretch(state, day, after, after == until, words, person_id))
        return found

    def _on(self, office: Office, day: date, begun: date | None) -> tuple[str, str, int | None]:
        absence = self._absence(office, day)
        if absence is not None:
            words = f"Not established, its part goes to the {absence.part_goes_to.short}"
            return "none", words, None
        running = [
            one
            for one in self._counting.get(office.pk, [])
            if _runs(one.starts_on, one.ends_on, day)
        ]
        if running and office.several_holders:
            count = len({one.person_id for one in running})
            words = "1 holder" if count == 1 else f"{count} holders"
            return "held", words, running[0].person_id
        for one in sorted(running, key=lambda one: not one.acting):
            words = f"Acting, {one.person.name}" if one.acting else one.person.name
            return ("acting" if one.acting else "held"), words, one.person_id
        if begun is None or day < begun:
            return "unknown", "Nobody recorded", None
        return "vacant", "Vacant", None


def _runs(starts_on: date, ends_on: date | None, on: date) -> bool:
    return starts_on <= on and (ends_on is None or on < ends_on)


def _to_scale(stretches: Sequence[Stretch], since: date, until: date) -> list[Stretch]:
    """Give each its share of the line; none vanishes, and all lines end at the same place."""
    whole = (until - since).days
    edges = [round(UNITS * (one.until - since).days / whole) for one in stretches]
    left = len(edges)
    before, shares = 0, []
    for edge in edges:
        left -= 1
        # Room for at least one unit here and for each that still comes.
        edge = min(max(edge, before + 1), UNITS - left)
        shares.append(edge - before)
        before = edge
    return [
        Stretch(one.state, one.since, one.until, one.ongoing, one.words, one.person_id, share)
        for one, share in zip(stretches, shares, strict=True)
    ]


def _years(since: date, until: date) -> list[tuple[int, int]]:
    whole = (until - since).days
    found = []
    before = 0
    for year in range(since.year, (until - timedelta(days=1)).year + 1):
        edge = round(UNITS * (min(date(year + 1, 1, 1), until) - since).days / whole)
        if edge > before:
            found.append((year, edge - before))
        before = edge
    return found


def sum_up(seats: Iterable[Seat]) -> str:
    """The page's first sentence: who acts and leaves, what is vacant or not established."""
    seats = list(seats)
    parts = [
        f"{one.acting_now[0].person.name} acts as {one.office.short}; the last day is "
        f"{date_words(one.last_day)}."
        for one in seats
        if one.state == SeatState.ACTING and one.last_day
    ]
    vacant = sum(one.state == SeatState.VACANT for one in seats)
    absent = sum(one.state == SeatState.NOT_ESTABLISHED for one in seats)
    missing = []
    if vacant:
        missing.append(f"{_number(vacant)} {'is' if vacant == 1 else 'are'} vacant")
    if absent:
        missing.append(f"{_number(absent)} {'is' if absent == 1 else 'are'} not established")
    if missing:
        first = missing[0].split(" ", 1)
        noun = "Office" if (vacant or absent) == 1 else "Offices"
        missing[0] = f"{first[0].capitalize()} {noun} {first[1]}"
        parts.append(", ".join(missing) + ".")
    if not parts:
        return f"All {_number(len(seats))} Offices are held."
    return " ".join(parts)


def _number(count: int) -> str:
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    return words[count] if count < len(words) else str(count)
