"""The worker's sign of life, read by /readyz."""

from typing import Any

from celery import current_app, shared_task
from celery.signals import worker_ready
from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

HEARTBEAT_KEY = "worker-heartbeat"


@shared_task
def heartbeat() -> None:
    """Write when a worker last took a task: every 15 s by beat, and once as a worker starts."""
    cache.set(HEARTBEAT_KEY, timezone.now().timestamp(), timeout=None)


@worker_ready.connect
def sweep_at_start(**_: Any) -> None:
    """Ask at once for all that the clock asks for later: what was owed meanwhile, and a heartbeat.

    Sent like any other task: it proves the broker too, not only that the process started.
    """
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        current_app.send_task(str(entry["task"]))
