"""What every page knows: the company, the reader and the Offices that the reader holds.

All of it is lazy, so that a page which shows none of it pays no query; a page which shows all
of it pays three, whatever there is in the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from django.db.models import Prefetch
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from notifications.models import Notice
from people.calendar import company_date
from people.demo import DEMO_PASSWORD
from people.models import Appointment, Company, Person
from people.offices import ADMINISTRATOR, AUDITOR, CEO, CORPORATE_SECRETARY
from people.permissions import MATRIX, Act, Powers, resting_words
from people.queries import Held, held_by
from people.telling import mail_goes_out
from people.templatetags.speech import owner_attribute
from sealing.render import weasyprint_problem

KEEPERS = frozenset({CEO, CORPORATE_SECRETARY, AUDITOR, ADMINISTRATOR})
LOG_KEEPERS = frozenset({CORPORATE_SECRETARY, AUDITOR})
# Address, words, and which of the keepers may open it.
KEEPING = (
    ("people:offices", "Offices", KEEPERS),
    ("people:people", "People", MATRIX[Act.INVITE] | {CORPORATE_SECRETARY}),
    ("boundaries:successions", "Handing over", KEEPERS - {ADMINISTRATOR}),
    ("boundaries:archive", "Archive", MATRIX[Act.READ_ARCHIVE]),
    ("boundaries:erasures", "Erasure", MATRIX[Act.ASK_ERASURE] | MATRIX[Act.AGREE_ERASURE]),
    ("people:security", "Security events", MATRIX[Act.READ_SECURITY_EVENTS]),
    ("people:matrix", "Who may do what", KEEPERS),
    ("people:company", "Calendar", KEEPERS),
)
MAX_POSITION = 1 << 16  # after every Office: who holds none comes last


@dataclass(frozen=True)
class Link:
    url: str
    words: str


class Reader:
    """The person who reads the page, as the page speaks of them."""

    def __init__(self, person: Person) -> None:
        self.person = person

    @cached_property
    def held(self) -> Held:
        return held_by(self.person, on=company_date(timezone.now()))

    @cached_property
    def appointments(self) -> Sequence[Appointment]:
        """The appointments by which the reader acts today, in the order of the Offices."""
        return self.held.active

    @property
    def who_acts_instead(self) -> list[str]:
        """A sentence for each Office of the reader's in which somebody else acts today."""
        return [resting_words(mine, acting) for mine, acting in self.held.resting]

    @cached_property
    def to_confirm(self) -> int:
        """How many appointments wait for the CEO's confirmation; 0 for everybody else."""
        if MATRIX[Act.CONFIRM_APPOINTMENT].isdisjoint(self.offices):
            return 0
        return Appointment.objects.unconfirmed().count()

    @cached_property
    def unread_news(self) -> int:
        """How many pieces of news the reader has not read; one query."""
        return Notice.objects.filter(person=self.person, read_at__isnull=True).count()

    @cached_property
    def offices(self) -> list[str]:
        """Keys of the Offices held today: ``["cro"]``; empty for a Member."""
        return [one.office.key for one in self.appointments]

    @property
    def keeps_offices(self) -> bool:
        """Whether Offices and who holds them are daily work: then they are in the bar."""
        return not KEEPERS.isdisjoint(self.offices)

    @property
    def reads_log(self) -> bool:
        """Whether the log, or a part of it, is there for the reader: the footer leads to it."""
        return Powers(self.appointments, False, self.held.resting).may(Act.READ_LOG)

    @property
    def keeps_log(self) -> bool:
        """Whether the log is daily work: then it is in the bar."""
        return not LOG_KEEPERS.isdisjoint(self.offices)

    @property
    def keeping(self) -> list[Link]:
        """The pages beside Offices that the reader's own Offices may open."""
        held = set(self.offices)
        return [
            Link(reverse(name), words)
            for name, words, offices in KEEPING
            if not held.isdisjoint(offices)
        ]

    @cached_property
    def label(self) -> str:
        """ "Maya Lindqvist, CRO", "Ingrid Sole, Acting CFO" or "Ana Brandt, Sales manager"."""
        titles = " and ".join(one.title for one in self.appointments)
        if not titles and self.held.resting:
            titles = f"{self.held.resting[0][0].title}, not acting today"
        titles = titles or self.person.job_title
        return f"{self.person.name}, {titles}" if titles else self.person.name

    @cached_property
    def owner(self) -> str:
        """The value of ``data-owner`` that colours the reader's mark."""
        return owner_attribute(self.offices[0]) if self.offices else "none"


def demo_people() -> list[Reader]:
    """The people of the demo company, Office holders first; two queries."""
    holders = Appointment.objects.on(company_date(timezone.now())).select_related("office")
    readers = []
    for person in Person.objects.filter(is_active=True, is_superuser=False).prefetch_related(
        Prefetch("appointments", queryset=holders.order_by("office__position"), to_attr="today")
    ):
        reader = Reader(person)
        reader.held = Held(person.today, ())
        readers.append(reader)
    return sorted(
        readers,
        key=lambda one: one.appointments[0].office.position if one.appointments else MAX_POSITION,
    )


def company(request: HttpRequest) -> dict[str, Any]:
    """Name what the frame of every page shows.

    ``company`` (false before one is made); ``reader`` (of a signed-in person); on the sign-in
    page of the demo ``demo_people`` and ``demo_password``; ``mail_goes_out``, whether mails reach
    anybody; ``pdf_unavailable``, a sentence where PDFs cannot be made.
    """
    # Error pages of requests refused early come here before anyone was asked who they are.
    person = getattr(request, "user", None)
    company = SimpleLazyObject(Company.objects.first)
    return {
        "company": company,
        "mail_goes_out": lambda: mail_goes_out(cast("Company | None", company)),
        "reader": SimpleLazyObject(lambda: Reader(person)) if person is not None else None,
        "demo_people": demo_people,
        "demo_password": DEMO_PASSWORD,
        "pdf_unavailable": weasyprint_problem,
    }
