"""The whole log checked, every day and when somebody asks, and what came of it kept."""

import logging
from datetime import UTC, datetime

from django.db import IntegrityError, transaction

from . import checkpoints, log_keys, protection
from .models import Checkpoint, LogCheck
from .verify import LogVerdict, verify_log

log = logging.getLogger(__name__)

_MOST_NAMED = 5


def check(*, why: LogCheck.Why, at: datetime) -> LogCheck:
    """Recompute the whole log and keep what was found; faults go to the operator's log too.

    A daily check that another worker made meanwhile is the day's one: that is given back.
    """
    return keep(verify_log(), why=why, at=at)


def keep(verdict: LogVerdict, *, why: LogCheck.Why, at: datetime) -> LogCheck:
    """Keep what a recomputation found, with what is missing of the log's protection."""
    faults = [*verdict.faults, *protection_faults()]
    day = at.astimezone(UTC).date() if why == LogCheck.Why.DAILY else None
    made = LogCheck(
        made_at=at,
        day=day,
        why=why,
        size=verdict.size,
        root=verdict.root,
        checkpoints=verdict.checkpoints,
        faults=faults,
    )
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:
        # Only the day's race is expected; anything else must still be heard of.
        if day is None or not LogCheck.objects.filter(day=day).exists():
            raise
        made = LogCheck.objects.get(day=day)
    for fault in faults:
        log.error("The audit log is not sound: %s", fault)
    return made


def protection_faults() -> list[str]:
    """What is missing of the triggers and the head row, in one sentence; [] where nothing is."""
    missing = protection.missing()
    if not missing:
        return []
    named = ", ".join(missing[:_MOST_NAMED])
    more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
    return [f"The database’s own protection is not in place: {named}{more}."]


def check_of_the_day(*, at: datetime) -> LogCheck | None:
    """Check the log once a day (UTC) and sign what was found sound; None if it was done already.

    The hourly sweep: whichever hour comes first, in whichever worker.
    """
    if LogCheck.objects.filter(day=at.astimezone(UTC).date()).exists():
        return None
    made = check(why=LogCheck.Why.DAILY, at=at)
    if made.sound and log_keys.are_there():
        checkpoints.issue(why=Checkpoint.Why.DAILY, at=at)
    return made


def readiness_faults(*, at: datetime) -> list[str]:
    """What the last whole check found, and what is wrong with the newest checkpoint."""
    faults = checkpoints.readiness_faults(at=at)
    last = LogCheck.objects.order_by("-pk").first()
    if last is not None and not last.sound:
        faults.append(f"the check of {last.made_at:%d %b %Y, %H:%M} UTC found: {last.faults[0]}")
    return faults
