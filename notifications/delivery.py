"""Sending what is owed: claimed by one worker at a time, tried until it succeeds."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import F
from django.utils import timezone

from people.models import Company

from .mail import addressee
from .models import OutgoingMail, State

logger = logging.getLogger(__name__)

# A worker that has held a mail for so long is taken for dead.
RECLAIMED_AFTER = timedelta(hours=1)
# From this attempt on a failure is an alarm: somebody has to look at mail server or address.
ALARM_FROM_ATTEMPT = 5
LONGEST_WAIT = timedelta(hours=1)
# Each failing attempt may take EMAIL_TIMEOUT: with the server down a sweep stops early.
FAILURES_THAT_END_A_SWEEP = 3
PER_SWEEP = 500
WIPED = "This mail carried a link that only its recipient may have. It was sent, and wiped here.\n"


class NotSent(Exception):
    """The mail server took the connection but not the mail."""


def deliver(mail_id: int, *, at: datetime) -> bool:
    """Send the mail if it is owed and nobody else is sending it. Whether this call sent it.

    Safe to call at any time and any number of times. A failure puts the mail back, to be tried
    again after 1, 2, 4 ... up to 60 minutes, without end.
    """
    claimed = OutgoingMail.objects.filter(
        pk=mail_id, state=State.QUEUED, not_before__lte=at
    ).update(state=State.SENDING, claimed_at=at, attempts=F("attempts") + 1)
    if claimed != 1:
        return False
    mail = OutgoingMail.objects.get(pk=mail_id)
    try:
        _send(mail)
    except Exception as error:
        # Whatever went wrong (server, address, network), the mail stays owed.
        _put_back(mail, error, at=at)
        return False
    OutgoingMail.objects.filter(pk=mail_id).update(
        state=State.SENT, sent_at=timezone.now(), last_error="", **_what_is_kept(mail)
    )
    return True


def _what_is_kept(mail: OutgoingMail) -> dict[str, str]:
    """A secret does not stay behind, except in the demo: there the table is the mailbox."""
    if not mail.sensitive or _is_the_mailbox():
        return {}
    return {"text": WIPED, "html": WIPED}


def _is_the_mailbox() -> bool:
    no_server = settings.EMAIL_BACKEND == "django.core.mail.backends.dummy.EmailBackend"
    return no_server and Company.objects.filter(is_demo=True).exists()


def deliver_owed(*, at: datetime) -> int:
    """Send everything that is owed and due; return how many. The sweep behind ``queue``."""
    OutgoingMail.objects.filter(state=State.SENDING, claimed_at__lt=at - RECLAIMED_AFTER).update(
        state=State.QUEUED, not_before=at
    )
    owed = OutgoingMail.objects.filter(state=State.QUEUED, not_before__lte=at)
    sent = failed = 0
    for mail_id in list(owed.order_by("not_before", "pk").values_list("pk", flat=True)[:PER_SWEEP]):
        if deliver(mail_id, at=at):
            sent, failed = sent + 1, 0
        elif OutgoingMail.objects.filter(pk=mail_id, state=State.QUEUED).exists():
            failed += 1
            if failed == FAILURES_THAT_END_A_SWEEP:
                break
    return sent


def _send(mail: OutgoingMail) -> None:
    message = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text,
        to=[addressee(mail)],
        headers={
            "Message-ID": mail.message_id,
            # Out-of-office answers would come back to a machine.
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
        },
    )
    message.attach_alternative(mail.html, "text/html")
    if message.send() != 1:
        raise NotSent("the mail server took the connection, but not the mail")


def _put_back(mail: OutgoingMail, error: Exception, *, at: datetime) -> None:
    wait = min(timedelta(minutes=2 ** min(mail.attempts - 1, 10)), LONGEST_WAIT)
    OutgoingMail.objects.filter(pk=mail.pk, state=State.SENDING).update(
        state=State.QUEUED,
        not_before=at + wait,
        last_error=f"{type(error).__name__}: {error}"[:500],
    )
    level = logging.ERROR if mail.attempts >= ALARM_FROM_ATTEMPT else logging.WARNING
    logger.log(
        level,
        "mail %s (%s) was not sent in %s attempts; the next one in %s",
        mail.pk,
        mail.kind,
        mail.attempts,
        wait,
        exc_info=error,
    )
