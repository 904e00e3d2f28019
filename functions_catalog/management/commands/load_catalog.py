"""``manage load_catalog``: bring the standard catalog in, leaving the company's changes alone."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from functions_catalog.catalog import load_standard_catalog


class Command(BaseCommand):
    help = "Load the standard catalog of functions. Run again, it changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        result = load_standard_catalog(at=timezone.now())
        self.stdout.write(
            f"{len(result.added)} functions added, {len(result.updated)} updated, "
            f"{len(result.skipped)} left to the company's own."
        )
