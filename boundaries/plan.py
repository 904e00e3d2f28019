"""The verb of the RevOps Lead: acknowledge what is in force, with an execution plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

import audit
from people.calendar import company_date
from people.models import Person
from people.permissions import Act, require

from .errors import AlreadyAcknowledged, InvalidText, NotInForce
from .locking import locked_revision
from .models import Acknowledgement, Milestone, Revision
from .states import ANSWERING, Period


@dataclass(frozen=True)
class PlannedMilestone:
    """One step of the plan as it was typed."""

    period: Period
    text: str
    responsible: str
    due_date: date


@transaction.atomic
def acknowledge(
    *,
    revision: Revision,
    milestones: Sequence[PlannedMilestone],
    acting_user: Person,
    at: datetime,
) -> Acknowledgement:
    """Acknowledge a Revision in force, with at least one milestone for each period, once."""
    revision = locked_revision(revision)
    if revision.state not in ANSWERING:
        raise NotInForce(f"{revision.reference} is not in force, so there is nothing to carry out.")
    held = require(acting_user, Act.ACKNOWLEDGE, on=company_date(at))
    if Acknowledgement.objects.filter(revision=revision).exists():
        raise AlreadyAcknowledged(f"{revision.reference} is acknowledged already.")
    missing = [period.label for period in Period if period not in {m.period for m in milestones}]
    if missing:
        raise InvalidText(f"The plan has no milestone for {', '.join(missing)}.")
    made = Acknowledgement.objects.create(
        revision=revision,
        person=acting_user,
        person_name=acting_user.name,
        appointment=held[0],
        acknowledged_at=at,
    )
    Milestone.objects.bulk_create(
        Milestone(
            acknowledgement=made,
            period=one.period,
            text=one.text,
            responsible=one.responsible,
            due_date=one.due_date,
        )
        for one in milestones
    )
    audit.record(
        "revision.acknowledged",
        at=at,
        actor=acting_user,
        office=held[0].office.key,
        appointment_id=held[0].pk,
        object_type="revision",
        object_id=str(revision.pk),
        object_version=revision.reference,
        data={"milestones": len(milestones)},
    )
    return made
