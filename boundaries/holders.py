"""Who held an Office then, and who holds it now: whether an act is a predecessor's.

A signature or an agreement is given for an Office by whoever acts for it that day. It becomes a
*predecessor's* when today's holder is another human being who did not hold the Office then. What a
stand-in gave is the Office's: it stays while the holder of that day holds it.
"""

from collections.abc import Iterable
from datetime import date, datetime

from people.calendar import company_date, start_of_day
from people.models import Appointment
from people.offices import CEO


def came_to_count_at(appointment: Appointment) -> datetime:
    """When the appointment began to count: its first day, or its confirmation if that was later.

    One that corrects an earlier record of the same human being counts since that one did.
    """
    if appointment.needs_confirmation and appointment.confirmed_at is not None:
        known = appointment.confirmed_at
    else:
        known = appointment.recorded_at
    began = max(known, start_of_day(appointment.starts_on))
    former = appointment.corrects
    if former is not None and former.person.human_id == appointment.person.human_id:
        began = min(began, max(came_to_count_at(former), start_of_day(appointment.starts_on)))
    return began


def ceos(today: date) -> set[int]:
    """The human beings who are CEO, or act as CEO: they approve, and so answer for no party."""
    offices = Holders([CEO], today=today)
    return {
        one.person.human_id
        for one in (offices.now(CEO), offices.acting_now(CEO))
        if one is not None
    }


class Holders:
    """The history of some Offices: read in one query, asked about any number of acts."""

    def __init__(self, offices: Iterable[str], *, today: date) -> None:
        self.today = today
        self._by_office: dict[str, list[Appointment]] = {}
        found = (
            Appointment.objects.filter(office__key__in=set(offices))
            .select_related("office", "person", "corrects__person")
            .order_by("starts_on", "pk")
        )
        for one in found:
            self._by_office.setdefault(one.office.key, []).append(one)

    def now(self, office: str) -> Appointment | None:
        """Who holds the Office today, also while another acts for them; None: it is vacant."""
        return next((one for one in self._on(office, self.today) if not one.acting), None)

    def acting_now(self, office: str) -> Appointment | None:
        """Who stands in for the holder of the Office today."""
        return next((one for one in self._on(office, self.today) if one.acting), None)

    def is_new(self, holder: Appointment, *, given_by: int, given_at: datetime) -> bool:
        """Whether ``holder`` came after an act of the human being ``given_by`` at ``given_at``."""
        human = holder.person.human_id
        return human != given_by and human not in self._held_at(holder.office.key, given_at)

    def gave_way(self, office: str, *, given_by: int, acting: bool, given_at: datetime) -> bool:
        """Whether what ``given_by`` gave for the Office at ``given_at`` is a predecessor's.

        In a vacant Office what the former holder gave is; what a stand-in gave stays.
        """
        holder = self.now(office)
        if holder is not None:
            return self.is_new(holder, given_by=given_by, given_at=given_at)
        if acting:
            return False
        return all(one.person.human_id != given_by for one in self._on(office, self.today))

    def _on(self, office: str, day: date) -> list[Appointment]:
        return [
            one
            for one in self._by_office.get(office, [])
            if one.counts and one.starts_on <= day and (one.ends_on is None or one.ends_on > day)
        ]

    def _held_at(self, office: str, at: datetime) -> set[int]:
        """The human beings who held the Office at ``at`` by what was recorded then.

        One who came to count at that very moment came after it.
        """
        day = company_date(at)
        return {
            one.person.human_id
            for one in self._by_office.get(office, [])
            if not one.acting
            and (one.voided_at is None or one.voided_at > at)
            and not (one.needs_confirmation and one.confirmed_at is None)
            and came_to_count_at(one) < at
            and (one.ends_on is None or one.ends_on > day)
        }
