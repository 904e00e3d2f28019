"""What the worker does for boundaries. Each task loads by id and makes one call."""

import logging
from collections.abc import Callable
from typing import Any

from celery import shared_task
from celery.signals import worker_init, worker_process_init
from django.conf import settings
from django.utils import timezone

from people.calendar import END_OF_DAY, MORNING, company_date, company_zone
from people.errors import Refused
from sealing import render

from . import (
    dispute_mails,
    disputes,
    exceptions,
    key_expiry,
    late,
    notices,
    pdf,
    reminders,
    succession,
    vetoes,
    workflow,
)
from .archive import due
from .models import Dispute, Revision
from .states import State

log = logging.getLogger(__name__)


@worker_init.connect
def load_libraries(**_: Any) -> None:
    """Load what signing and judging need before the worker divides itself into processes.

    Each process would else spend 2 s of a core on it, while somebody waits for a first seal.
    Only loaded, nothing is drawn here: Pango starts threads, which do not survive a division.
    """
    from sealing import judge, sign  # noqa: F401 - loaded for the processes to come

    if render.weasyprint_problem() is None:
        render.load_weasyprint()


@worker_process_init.connect
def warm_up(**_: Any) -> None:
    """Load what rendering needs ahead, so that nobody waits for it between freeze and signing."""
    if render.weasyprint_problem() is None:
        render.child.warm_up()


@shared_task
def advance_pdf(freeze_id: int) -> None:
    """Do what is owed for one freeze's PDF."""
    pdf.advance(freeze_id)


@shared_task
def sweep_owed() -> None:
    """Make up for lost tasks: hand over every freeze whose PDF is owed, and tell of late ones."""
    now = timezone.now()
    try:
        late.look_after(at=now)
    except Exception:
        # Telling must not keep from doing.
        log.exception("Late PDFs could not be told of")
    for freeze_id in pdf.due(at=now):
        advance_pdf.delay(freeze_id)


@shared_task
def bring_due_into_force() -> None:
    """Bring approved Revisions in force on their day, and let lapsed ones expire."""
    now = timezone.now()
    today = company_date(now)
    due = Revision.objects.filter(state=State.APPROVED, effective_date__lte=today)
    lapsed = Revision.objects.filter(state=State.IN_FORCE, sunset_date__lte=today)
    for verb, revisions in ((workflow.bring_into_force, due), (workflow.expire, lapsed)):
        for revision in revisions.select_related("document"):
            try:
                verb(revision=revision, at=now)
            except Refused as refusal:
                # One that must wait keeps no other waiting; the next sweep asks again.
                log.error("%s is due and was refused: %s", revision, refusal)
            except Exception:
                log.exception("%s is due and failed", revision)


def _each(*sweeps: Callable[..., object]) -> None:
    """Run every sweep, also after one that failed; the task then fails with the first failure."""
    now, failures = timezone.now(), []
    for sweep in sweeps:
        try:
            sweep(at=now)
        except Exception as failure:
            log.exception("%s failed", sweep)
            failures.append(failure)
    if failures:
        raise failures[0]


@shared_task
def remind_waiting() -> None:
    """Remind whoever a document waits for, tell the CEO of what stalls and of possible orders."""
    _each(reminders.remind_waiting, vetoes.tell_ceo_of_possible_orders)


@shared_task
def look_after_successions() -> None:
    """Begin what a change of holder brings, remind successors, tell the CEO of overdue answers."""
    _each(succession.begin_due, notices.ask_whoever_signs_today, succession.remind)


@shared_task
def look_after_exceptions() -> None:
    """Ask whoever approves today, and tell of exceptions that end; by day, as reminders go."""
    now = timezone.now()
    if MORNING <= now.astimezone(company_zone()).time() < END_OF_DAY:
        exceptions.look_after(at=now)


@shared_task
def look_after_archive() -> None:
    """Tell the Corporate Secretary what becomes due for disposal, on the company's day."""
    now = timezone.now()
    if MORNING <= now.astimezone(company_zone()).time() < END_OF_DAY:
        due.remind(at=now)


@shared_task
def open_due_pages() -> None:
    """Open the pages of every dispute whose time for them is up."""
    now = timezone.now()
    due = Dispute.objects.filter(
        outcome=Dispute.Outcome.OPEN, pages_opened_at__isnull=True, pages_due_at__lte=now
    )
    for dispute in due.select_related("revision__document"):
        try:
            disputes.open_pages(dispute=dispute, at=now)
        except Refused as refusal:
            # It ended meanwhile; the others are opened all the same.
            log.info("%s was not opened: %s", dispute, refusal)
        except Exception:
            log.exception("%s was not opened", dispute)


@shared_task
def remind_of_disputes() -> None:
    """Remind of pages due today, and chase overdue rulings."""
    dispute_mails.remind(at=timezone.now())


@shared_task
def warn_of_expiring_keys() -> None:
    """Tell the Administrator of certificates that expire; each of three warnings once."""
    if (settings.KEYS_DIR / "root.pem").is_file():  # a new registry has no company, and no keys
        key_expiry.warn(at=timezone.now())
