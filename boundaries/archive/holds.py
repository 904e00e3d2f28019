"""Legal holds: while one stands, nothing under it is disposed of, whatever the retention says.

A hold is never edited. Who wants to change its words lifts it, with a reason, and places another.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from people.calendar import company_date
from people.models import Person
from people.permissions import Act, require

from ..models import Document, LegalHold
from .errors import NothingToDo
from .two_people import record, required, stand_in_line


def standing() -> QuerySet[LegalHold]:
    return LegalHold.objects.filter(lifted_at__isnull=True).select_related("document")


def on_document(document_id: int) -> QuerySet[LegalHold]:
    """The holds that stand on a document, those on everything included."""
    return standing().filter(Q(document=None) | Q(document=document_id))


def named(holds: Sequence[LegalHold]) -> str:
    """ "Legal hold 3 on everything" or "Legal holds 3 and 5"."""
    if len(holds) == 1:
        return f"Legal hold {holds[0].pk} on {holds[0].what}"
    numbers = [str(one.pk) for one in holds]
    return f"Legal holds {', '.join(numbers[:-1])} and {numbers[-1]}"


@transaction.atomic
def place(
    *, document: Document | None, matter: str, reason: str, acting_user: Person, at: datetime
) -> LegalHold:
    """Place a hold on a document, or with None on everything. It counts from this moment on."""
    stand_in_line()
    held = require(acting_user, Act.HOLD, on=company_date(at))
    reason = required(reason, "Say why nothing may be disposed of.")
    matter = required(matter, "Name the matter: the case, audit or inquiry it is kept for.")
    hold = LegalHold.objects.create(
        document=document,
        matter=matter,
        reason=reason,
        placed_by=acting_user,
        placed_by_name=acting_user.name,
        placed_by_office=held[0].title,
        placed_at=at,
    )
    record(
        "hold.placed",
        object_type="hold",
        object_id=hold.pk,
        acting_user=acting_user,
        held=held,
        at=at,
        words=f"{matter}\n\n{reason}",
        data={"document": document.number if document else ""},
    )
    return hold


@transaction.atomic
def lift(*, hold: LegalHold, reason: str, acting_user: Person, at: datetime) -> LegalHold:
    """Lift a hold, with a reason. Other holds on the same document go on standing."""
    stand_in_line()
    held = require(acting_user, Act.HOLD, on=company_date(at))
    hold = (
        LegalHold.objects.select_for_update(of=("self",)).select_related("document").get(pk=hold.pk)
    )
    reason = required(reason, "Say why it is no longer needed.")
    if hold.lifted_at is not None:
        raise NothingToDo(f"{hold} was lifted already, by {hold.lifted_by_name}.")
    hold.lifted_at, hold.lifted_by, hold.lifted_by_name = at, acting_user, acting_user.name
    hold.lifted_by_office, hold.lift_reason = held[0].title, reason
    hold.save(
        update_fields=[
            "lifted_at",
            "lifted_by",
            "lifted_by_name",
            "lifted_by_office",
            "lift_reason",
        ]
    )
    record(
        "hold.lifted",
        object_type="hold",
        object_id=hold.pk,
        acting_user=acting_user,
        held=held,
        at=at,
        words=reason,
        data={"document": hold.document.number if hold.document else ""},
    )
    return hold
