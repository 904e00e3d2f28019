"""What the worker does for people. Each task makes one call."""

from celery import shared_task
from django.utils import timezone

from . import appointment_mails


@shared_task
def remind_of_appointments() -> None:
    """Ask again for confirmations; say where a last day comes near."""
    appointment_mails.remind(at=timezone.now())
