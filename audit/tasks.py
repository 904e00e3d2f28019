"""What the worker does for the log. Each task makes one call."""

from celery import shared_task
from django.utils import timezone

from . import checking
from .models import LogCheck


@shared_task
def check_of_the_day() -> None:
    """Check the whole log and sign it, once a day."""
    checking.check_of_the_day(at=timezone.now())


@shared_task
def check_now() -> None:
    """Check the whole log because somebody asked."""
    checking.check(why=LogCheck.Why.HAND, at=timezone.now())
