"""The demo company of the mock pages: made-up people whom anybody may sign in as."""

from datetime import date, datetime

from django.db import transaction

import audit

from .appointments import appoint, establish_standard_offices
from .models import Company, Person
from .offices import (
    ADMINISTRATOR,
    AUDITOR,
    CEO,
    CFO,
    COO,
    CORPORATE_SECRETARY,
    CRO,
    REVOPS_LEAD,
)

DEMO_PASSWORD = "boundary-demo"  # noqa: S105 - shown on the demo's sign-in page, opens nothing real


class DemoPerson:
    """A person of the demo: who they are and which Office, if any, they hold or held."""

    def __init__(
        self,
        name: str,
        office: str = "",
        since: date | None = None,
        until: date | None = None,
        job_title: str = "",
    ) -> None:
        self.name, self.office, self.job_title = name, office, job_title
        self.since, self.until = since, until
        self.email = f"{name.lower().replace(' ', '.')}@northwind.example"


DEMO_PEOPLE = (
    DemoPerson("Erik Stahl", CRO, date(2024, 9, 2), date(2025, 6, 1)),
    DemoPerson("Maya Lindqvist", CRO, date(2025, 6, 1)),
    DemoPerson("Daniel Osei", COO, date(2025, 1, 6)),
    DemoPerson("Priya Raman", CFO, date(2024, 6, 3)),
    DemoPerson("Helen Marsh", CEO, date(2024, 1, 15)),
    DemoPerson("Tomas Vega", REVOPS_LEAD, date(2025, 9, 1)),
    DemoPerson("Ruth Adler", CORPORATE_SECRETARY, date(2025, 1, 6)),
    DemoPerson("Kenji Mori", AUDITOR, date(2025, 3, 3)),
    DemoPerson("Sam Okafor", ADMINISTRATOR, date(2024, 1, 15)),
    DemoPerson("Ingrid Sole", job_title="Controller"),
    DemoPerson("Nadia Haddad", job_title="Operations director"),
    DemoPerson("Ana Brandt", job_title="Sales manager"),
)


@transaction.atomic
def create_demo_company(*, at: datetime) -> Company:
    """Make Northwind Cloud with its people and Offices. Only in a registry without a company."""
    if Company.objects.exists():
        raise ValueError("This registry has a company already.")
    company = Company.objects.create(
        name="Northwind Cloud", code="NC", country="US", is_demo=True, created_at=at
    )
    establish_standard_offices()
    for one in DEMO_PEOPLE:
        person = Person.objects.create_user(one.email, one.name, DEMO_PASSWORD)
        person.job_title = one.job_title
        if one.until is not None:
            # Who left has a past here and no account any more.
            person.is_active, person.deactivated_at = False, at
        person.save(update_fields=["job_title", "is_active", "deactivated_at"])
        if one.since is not None:
            appoint(
                person=person,
                office_key=one.office,
                starts_on=one.since,
                ends_on=one.until,
                acting_user=None,
                at=at,
            )
    audit.record(
        "company.created",
        at=at,
        actor=None,
        object_type="company",
        object_id=str(company.pk),
        data={"demo": True},
    )
    return company
