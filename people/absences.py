"""The verbs on Offices: one more, one that the company does not have, one that it has again."""

import re
from datetime import datetime

from django.db import transaction
from django.db.models import Q

import audit

from .calendar import company_date
from .errors import OfficeExists, OfficeNotEstablished, OfficeStays
from .models import Appointment, Office, OfficeAbsence, Person
from .offices import ADMINISTRATOR, AUDITOR, CEO, CORPORATE_SECRETARY, FURTHER, RESERVED_KEYS
from .recording import keeper, settle_words

# No boundary is approved, no appointment recorded or confirmed without them.
NEEDED = frozenset({CEO, CORPORATE_SECRETARY, ADMINISTRATOR})
# They own nothing and decide nothing: another's part cannot go to them.
WITHOUT_PART = frozenset({AUDITOR, ADMINISTRATOR})
FEWEST_CO_SIGNING = 2


def may_take_part_of(office: Office) -> list[Office]:
    """The Offices that the part of ``office`` can go to, in their order."""
    others = Office.objects.filter(established=True).exclude(pk=office.pk)
    if office.co_signing:
        others = others.filter(co_signing=True)
    return list(others.exclude(key__in=WITHOUT_PART))


def refusal_to_do_without(office: Office, *, at: datetime) -> OfficeStays | None:
    """Why the company cannot declare ``office`` not established now; None where it can."""
    if office.key in NEEDED:
        return OfficeStays(
            f"A registry needs a {office.short}. Where nobody holds the Office, name a stand-in."
        )
    today = company_date(at)
    held = (
        Appointment.objects.filter(office=office, voided_at__isnull=True)
        .filter(Q(ends_on__isnull=True) | Q(ends_on__gt=today))
        .select_related("person", "office")
        .first()
    )
    if held is not None:
        return OfficeStays(
            f"{held.person.name} is recorded as {held.title}. {settle_words(held, today=today)}",
            about=held,
        )
    remaining = Office.objects.filter(co_signing=True, established=True).exclude(pk=office.pk)
    if office.co_signing and remaining.count() < FEWEST_CO_SIGNING:
        return OfficeStays(
            "At least two people co-sign a boundary, so at least two co-signing Offices stay. "
            "Establish another one first."
        )
    passed_on = Office.objects.filter(part_goes_to=office, established=False).first()
    if passed_on is not None:
        return OfficeStays(
            f"The {passed_on.short}’s part goes to the {office.short}. Give it to another Office "
            f"first: establish the {passed_on.short}, then say anew where its part goes."
        )
    return None


@transaction.atomic
def not_established(
    *, office: Office, part_goes_to: Office, reason: str, acting_user: Person, at: datetime
) -> OfficeAbsence:
    """The company has no such Office from today on: its part goes to another, with the reason.

    Both are printed on the boundary. An Office that co-signs gives its part to one that co-signs.
    """
    by = keeper(acting_user, at=at)
    offices = {one.pk: one for one in Office.objects.select_for_update().order_by("pk")}
    office, part_goes_to, reason = offices[office.pk], offices[part_goes_to.pk], reason.strip()
    if not office.established:
        raise OfficeNotEstablished(f"The company has no {office.short} as it is.")
    if refused := refusal_to_do_without(office, at=at):
        raise refused
    if part_goes_to.pk not in {one.pk for one in may_take_part_of(office)}:
        raise OfficeStays(
            f"The {part_goes_to.short} cannot take the {office.short}’s part. Choose an Office "
            "that the company has"
            + (" and that co-signs." if office.co_signing else " and that owns functions.")
        )
    if not reason:
        raise OfficeStays(
            "Say why the company does without it: the reason is printed on every boundary."
        )
    office.established = False
    office.part_goes_to = part_goes_to
    office.not_established_reason = reason
    office.save(update_fields=["established", "part_goes_to", "not_established_reason"])
    absence = OfficeAbsence.objects.create(
        office=office,
        part_goes_to=part_goes_to,
        reason=reason,
        starts_on=company_date(at),
        recorded_by=acting_user,
        recorded_by_name=acting_user.name,
        recorded_at=at,
    )
    _log(
        "office.not_established",
        office,
        acting_user,
        by,
        at,
        {"part_goes_to": part_goes_to.key},
        reason,
    )
    return absence


@transaction.atomic
def establish(*, office: Office, acting_user: Person, at: datetime) -> Office:
    """The company has the Office from today on; it is vacant until somebody is recorded."""
    by = keeper(acting_user, at=at)
    office = Office.objects.select_for_update().get(pk=office.pk)
    if office.established:
        raise OfficeNotEstablished(f"The Office of the {office.short} is established already.")
    office.established = True
    office.part_goes_to = None
    office.not_established_reason = ""
    office.save(update_fields=["established", "part_goes_to", "not_established_reason"])
    office.absences.filter(ends_on__isnull=True).update(ends_on=company_date(at))
    _log("office.established", office, acting_user, by, at, {}, "")
    return office


@transaction.atomic
def add_office(
    *, title: str, short: str, co_signing: bool, acting_user: Person, at: datetime
) -> Office:
    """Add a further Office: CMO, CCO, Legal, or one of the company's own.

    Its key is made from its title and stays for ever: documents name Offices by key.
    """
    by = keeper(acting_user, at=at)
    title, short = " ".join(title.split()), " ".join(short.split())
    existing = list(Office.objects.select_for_update().order_by("pk"))
    names = {words.casefold() for one in existing for words in (one.title, one.short)}
    taken = next((words for words in (title, short) if words.casefold() in names), "")
    if taken:
        raise OfficeExists(f"There is an Office called {taken}. Choose another name, or use it.")
    office = Office.objects.create(
        key=_key_for(title, short, {one.key for one in existing}),
        title=title,
        short=short,
        co_signing=co_signing,
        position=max((one.position for one in existing), default=0) + 1,
    )
    _log(
        "office.added",
        office,
        acting_user,
        by,
        at,
        {"title": title, "short": short, "co_signing": co_signing},
        "",
    )
    return office


def _key_for(title: str, short: str, taken: set[str]) -> str:
    """ "cmo" for what the product knows; otherwise the title in snake_case, made unique."""
    for key, names in FURTHER.items():
        if (title, short) == names and key not in taken:
            return key
    stem = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")[:36] or "office"
    key, number = stem, 1
    while key in taken or key in RESERVED_KEYS:
        number += 1
        key = f"{stem}_{number}"
    return key


def _log(
    event: str,
    office: Office,
    acting_user: Person,
    by: Appointment,
    at: datetime,
    data: dict[str, str | bool],
    personal: str,
) -> None:
    audit.record(
        event,
        at=at,
        actor=acting_user,
        office=by.office.key,
        appointment_id=by.pk,
        object_type="office",
        object_id=office.key,
        data={"office": office.key, **data},
        personal_text=personal,
    )
