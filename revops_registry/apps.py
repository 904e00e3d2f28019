"""The project as an app: its commands, and what is checked before anything runs."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin.apps import AdminConfig
from django.core import checks
from django.utils import timezone


class ReadingAdminConfig(AdminConfig):
    """Django's admin on a site that only shows (``admin_site``)."""

    default_site = "revops_registry.admin_site.ReadingSite"


class RegistryConfig(AppConfig):
    name = "revops_registry"
    verbose_name = "RevOps Boundary Registry"

    def ready(self) -> None:
        checks.register(check_pdf_rendering)
        checks.register(check_keys)


def check_pdf_rendering(**_: Any) -> Sequence[checks.CheckMessage]:
    """Without Pango everything works but the PDF, and no import says so."""
    from sealing.render import weasyprint_problem

    problem = weasyprint_problem()
    return [checks.Warning(problem, id="revops_registry.W001")] if problem else []


def check_keys(**_: Any) -> Sequence[checks.CheckMessage]:
    """Signing keys are there, open with KEYS_SECRET and are not about to expire."""
    if not settings.KEYS_DIR.is_dir() or not any(settings.KEYS_DIR.iterdir()):
        return [
            checks.Info(
                f"There are no signing keys in {settings.KEYS_DIR} yet.",
                hint="`manage create_keys` makes them.",
                id="revops_registry.I001",
            )
        ]
    from sealing.keys import key_problems

    problems = key_problems(
        settings.KEYS_DIR, settings.KEYS_SECRET, timezone.now(), token=settings.SEAL_TOKEN
    )
    return [checks.Warning(problem, id="revops_registry.W002") for problem in problems]
