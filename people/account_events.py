"""Events about somebody's account: one writer, so that each says in the same way whose it is."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import audit
from audit.leaf import JSON
from audit.models import Event

from .models import Appointment, Person


def record(
    event: str,
    person: Person | None,
    *,
    actor: Person | None,
    held: Sequence[Appointment] = (),
    at: datetime,
    ip: str = "",
    data: Mapping[str, JSON] | None = None,
    personal_text: str = "",
) -> Event:
    """Append an event about the account of ``person``; None where an address has no account.

    ``actor`` is None where nobody is signed in. ``held`` (see ``permissions.require``) is what let
    them act: the first of it names the Office in whose name they did. All else as in
    ``audit.record``.
    """
    return audit.record(
        event,
        at=at,
        actor=actor,
        office=held[0].office.key if held else "",
        appointment_id=held[0].pk if held else None,
        object_type="person",
        object_id=str(person.pk) if person else "",
        ip=ip,
        data=data,
        personal_text=personal_text,
    )
