"""The project: settings from the environment, urls, the Celery app, health endpoints.

No domain logic lives here.
"""

from .celery import app as celery_app

__all__ = ["celery_app"]
