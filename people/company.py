"""The verb on the company: which public holidays its business days follow."""

from datetime import datetime

import holidays
from django.db import transaction

import audit

from .calendar import company_date
from .errors import Refused
from .models import Company, Person
from .permissions import Act, require


class NoSuchCalendar(Refused):
    """There are no public holidays known for the country or state."""

    code = "no_such_calendar"


def subdivisions_of(country: str) -> list[str]:
    """The states or provinces of ``country`` whose holidays differ ("NY", "BY"); may be empty."""
    return list(holidays.list_supported_countries().get(country, []))


@transaction.atomic
def change_calendar(
    *, country: str, subdivision: str, acting_user: Person, at: datetime
) -> Company:
    """Let business days follow another country or state. Limits already set keep their dates."""
    company = Company.objects.select_for_update().get()
    held = require(acting_user, Act.CHANGE_COMPANY, on=company_date(at))
    country, subdivision = country.strip().upper(), subdivision.strip().upper()
    if country not in holidays.list_supported_countries():
        raise NoSuchCalendar(
            f"There is no calendar for the country {country}. Give its ISO 3166 code, such as US "
            "or DE."
        )
    if subdivision and subdivision not in subdivisions_of(country):
        known = ", ".join(subdivisions_of(country)) or "none"
        raise NoSuchCalendar(
            f"{country} has no calendar for {subdivision}. Known are: {known}. Leave it empty for "
            "the holidays of the whole country."
        )
    if (company.country, company.subdivision) == (country, subdivision):
        return company
    before = "-".join(filter(None, [company.country, company.subdivision]))
    company.country, company.subdivision = country, subdivision
    company.save(update_fields=["country", "subdivision"])
    audit.record(
        "company.calendar_changed",
        at=at,
        actor=acting_user,
        office=held[0].office.key,
        appointment_id=held[0].pk,
        object_type="company",
        object_id=str(company.pk),
        data={"before": before, "after": "-".join(filter(None, [country, subdivision]))},
    )
    return company
