"""What becomes due: told to the Corporate Secretary, and never done by itself."""

from datetime import datetime, timedelta

from people.calendar import company_date
from people.offices import CORPORATE_SECRETARY
from people.queries import who_acts_for

from ..models import Answer, Disposal, LegalHold, Revision
from ..states import State
from . import mails, retention

SOON = timedelta(days=90)


def remind(*, at: datetime) -> int:
    """Mail the Corporate Secretary once per Revision and step; returns how many are due or soon.

    What is under a hold is passed over: it is told of once the hold is lifted.
    """
    told = list(who_acts_for([CORPORATE_SECRETARY], on=company_date(at)).values())
    held = set(
        LegalHold.objects.filter(lifted_at__isnull=True).values_list("document_id", flat=True)
    )
    if not told or None in held:
        return 0
    counted = retention.terms()
    done = Disposal.objects.filter(answer__in=[Answer.CONFIRMED, Answer.WAITING])
    ended = (
        Revision.objects.filter(
            state__in=[State.SUPERSEDED, State.WITHDRAWN], freezes__isnull=False
        )
        .exclude(pk__in=done.values("revision"))
        .exclude(document__in=[pk for pk in held if pk is not None])
        .select_related("document")
        .distinct()
        .order_by("pk")
    )
    found = 0
    for revision in ended:
        until = counted.kept_until(revision)
        if until is None or until > at + SOON:
            continue
        step = "due" if until <= at else "soon"
        mails.becomes_due(revision, until, step=step, told=told, at=at)
        found += 1
    return found
