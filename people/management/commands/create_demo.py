"""Make the demo company."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from people.demo import DEMO_PASSWORD, create_demo_company
from people.models import Company


class Command(BaseCommand):
    help = "Make the demo company Northwind Cloud with its people."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--if-empty", action="store_true", help="do nothing where there is a company"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if Company.objects.exists():
            if options["if_empty"]:
                return
            raise CommandError(
                "This registry has a company already. Use an empty database for a demo."
            )
        company = create_demo_company(at=timezone.now())
        self.stdout.write(
            f"The demo company {company.name} is ready. Everybody's password: {DEMO_PASSWORD}"
        )
