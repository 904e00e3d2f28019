from celery import shared_task
from django.utils import timezone

from . import delivery, digest


@shared_task
def deliver(mail_id: int) -> None:
    """Send one mail, asked for right after it was queued."""
    delivery.deliver(mail_id, at=timezone.now())


@shared_task
def deliver_owed() -> None:
    """Send what is still owed: what the broker lost, what failed before."""
    delivery.deliver_owed(at=timezone.now())


@shared_task
def send_digests() -> None:
    """Gather news into the mails that are due: hourly, daily, as each person chose."""
    digest.send_due(at=timezone.now())
