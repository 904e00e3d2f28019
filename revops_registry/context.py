"""What every page knows: the company, the reader and the Offices that the reader holds.

All of it is lazy, so that a page which shows none of it pays no query; a page which shows all
of it pays three, whatever there is in the database.
"""

from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from people.calendar import company_date
from people.models import Appointment, Company, Person
from people.queries import appointments_of
from people.templatetags.speech import owner_attribute


class Reader:
    """The person who reads the page, as the page speaks of them."""

    def __init__(self, person: Person) -> None:
        self.person = person

    @cached_property
    def appointments(self) -> list[Appointment]:
        """The appointments that count today, in the order of the Offices."""
        return appointments_of(self.person, on=company_date(timezone.now()))

    @cached_property
    def offices(self) -> list[str]:
        """Keys of the Offices held today: ``["cro"]``; empty for a Member."""
        return [one.office.key for one in self.appointments]

    @cached_property
    def label(self) -> str:
        """ "Maya Lindqvist, CRO", "Ingrid Sole, Acting CFO" or "Ana Brandt, Sales manager"."""
        titles = " and ".join(one.title for one in self.appointments) or self.person.job_title
        return f"{self.person.name}, {titles}" if titles else self.person.name

    @cached_property
    def owner(self) -> str:
        """The value of ``data-owner`` that colours the reader's mark."""
        return owner_attribute(self.offices[0]) if self.offices else "none"


def company(request: HttpRequest) -> dict[str, Any]:
    """``company`` (false before one is made) and ``reader`` (only for who has signed in)."""
    # Error pages of requests refused early come here before anyone was asked who they are.
    person = getattr(request, "user", None)
    return {
        "company": SimpleLazyObject(Company.objects.first),
        "reader": SimpleLazyObject(lambda: Reader(person)) if person is not None else None,
    }
