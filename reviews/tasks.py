from celery import shared_task
from django.utils import timezone

from . import workflow


@shared_task
def remind() -> None:
    """Queue the review reminders whose time has come."""
    workflow.remind_due(at=timezone.now())
