"""Print a bearer token for the API."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone
from knox.models import AuthToken

import audit
from people.models import Person


class Command(BaseCommand):
    help = (
        "Print a new bearer token for a person. It reads what the person may read and never "
        "agrees, signs, approves or rules. It is shown this once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--days", type=int, default=90, help="how long it lasts (90)")

    def handle(self, *args: Any, **options: Any) -> None:
        person = Person.objects.filter(email__iexact=options["email"], is_active=True).first()
        if person is None:
            raise CommandError(f"There is no active person with the e-mail {options['email']}.")
        if options["days"] < 1:
            raise CommandError("A token lasts at least one day.")
        with transaction.atomic():
            made, token = AuthToken.objects.create(
                user=person, expiry=timedelta(days=options["days"])
            )
            audit.record(
                "token.issued",
                at=timezone.now(),
                actor=person,
                object_type="token",
                object_id=made.token_key,
                data={"days": options["days"]},
            )
        self.stdout.write(token)
