"""The Celery app. The database is the truth; Celery only carries what it says is owed."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "revops_registry.settings")

app = Celery("revops_registry")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
