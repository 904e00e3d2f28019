"""The Celery app. The database is the truth; Celery only carries what it says is owed."""

import os

from celery import Celery

from .broker import use_for_filesystem_urls

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "revops_registry.settings")

use_for_filesystem_urls()
app = Celery("revops_registry")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
