"""The demo company of the mock pages: made-up people whom anybody may sign in as."""

from datetime import date, datetime

from django.db import transaction

import audit

from .appointments import appoint, establish_standard_offices
from .models import Company, Person
from .offices import CEO, CFO, COO, CRO, REVOPS_LEAD

DEMO_PASSWORD = "boundary-demo"  # noqa: S105 - shown on the demo's sign-in page, opens nothing real
_SINCE = date(2026, 1, 1)


class DemoPerson:
    """A person of the demo: who they are and which Office, if any, they hold."""

    def __init__(self, name: str, office: str = "", job_title: str = "") -> None:
        self.name, self.office, self.job_title = name, office, job_title
        self.email = f"{name.lower().replace(' ', '.')}@northwind.example"


DEMO_PEOPLE = (
    DemoPerson("Maya Lindqvist", CRO),
    DemoPerson("Daniel Osei", COO),
    DemoPerson("Priya Raman", CFO),
    DemoPerson("Helen Marsh", CEO),
    DemoPerson("Tomas Vega", REVOPS_LEAD),
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
        if one.job_title:
            person.job_title = one.job_title
            person.save(update_fields=["job_title"])
        if one.office:
            appoint(person=person, office_key=one.office, starts_on=_SINCE, acting_user=None, at=at)
    audit.record(
        "company.created",
        at=at,
        actor=None,
        object_type="company",
        object_id=str(company.pk),
        data={"demo": True},
    )
    return company
