"""The people of Northwind Cloud, as the pages of the demo know them."""

from datetime import UTC, date, datetime

import factory

from people.appointments import establish_standard_offices
from people.models import Appointment, Company, Office, Person

PASSWORD = "boundary-demo"
SINCE = date(2026, 1, 1)

# Office key (or "member"), name, what they do where no Office says it
NORTHWIND = (
    ("cro", "Maya Lindqvist", ""),
    ("coo", "Daniel Osei", ""),
    ("cfo", "Priya Raman", ""),
    ("ceo", "Helen Marsh", ""),
    ("revops_lead", "Tomas Vega", ""),
    ("member", "Ana Brandt", "Sales manager"),
)


class CompanyFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Company
        skip_postgeneration_save = True
        django_get_or_create = ("id",)

    id = 1
    name = "Northwind Cloud"
    code = "NC"
    country = "US"

    @factory.post_generation
    def offices(self, create, extracted, **kwargs):
        establish_standard_offices()


class PersonFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Person
        skip_postgeneration_save = True

    name = factory.Sequence(lambda number: f"Person {number}")
    email = factory.LazyAttribute(
        lambda person: f"{person.name.lower().replace(' ', '.')}@northwind.example"
    )
    password = factory.django.Password(PASSWORD)


def northwind_people():
    """Make and appoint them (the Offices exist); return ``{"cro": Person, ..., "member": ...}``."""
    people = {
        office: PersonFactory(name=name, job_title=job_title)
        for office, name, job_title in NORTHWIND
    }
    appointed_at_once({office: who for office, who in people.items() if office != "member"})
    return people


def appointed_at_once(people):
    """What set-up would record of each Office's holder, in one INSERT: many tests begin here."""
    offices = {office.key: office for office in Office.objects.filter(key__in=people)}
    Appointment.objects.bulk_create(
        Appointment(
            person=person,
            office=offices[key],
            starts_on=SINCE,
            exclusive=not offices[key].several_holders,
            recorded_at=datetime(2026, 1, 1, 14, tzinfo=UTC),
        )
        for key, person in people.items()
    )
