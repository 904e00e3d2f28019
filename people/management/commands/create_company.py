"""Set up a real company: its name, the standard Offices and the first Administrator."""

import getpass
import sys
import warnings
from typing import Any

import holidays
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import connection, transaction
from django.utils import timezone

import audit
from people.appointments import appoint, establish_standard_offices
from people.calendar import company_date
from people.errors import Refused
from people.models import Company, Person
from people.offices import STANDARD_OFFICES


def _office_holder(value: str) -> tuple[str, str, str]:
    """Read "cro=Maya Lindqvist <maya@example.com>"."""
    office, _, who = value.partition("=")
    name, _, email = who.partition("<")
    email = email.rstrip("> ").strip()
    if office not in {one.key for one in STANDARD_OFFICES} or not name.strip() or not email:
        raise CommandError(
            f"Write an Office's holder as cro='Maya Lindqvist <maya@example.com>', not {value!r}. "
            f"Offices: {', '.join(one.key for one in STANDARD_OFFICES)}."
        )
    return office, name.strip(), email


class Command(BaseCommand):
    help = (
        "Set up a real company without demo data: name, code, country, the standard Offices, the "
        "Administrator and, if given, the first holders of other Offices. This is set-up: they "
        "count at once, without confirmation or board reference. Holders get no password "
        "yet: they set one by “Forgotten your password?” where they sign in, or by a link that the "
        "Administrator hands over. Further people come by invitation, further appointments by the "
        "Offices page. The Administrator's password is asked for, or read from standard input with "
        "--password-stdin. A new database gets its tables first."
    )
    # The tables that some checks read may not exist yet.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--name", required=True, help="the company's name")
        parser.add_argument("--code", required=True, help="two to eight letters, as in NC-RB-4")
        parser.add_argument("--country", default="US", help="ISO 3166 code for business days")
        parser.add_argument("--administrator", required=True, help="the Administrator's e-mail")
        parser.add_argument("--administrator-name", required=True)
        parser.add_argument(
            "--password-stdin",
            action="store_true",
            help="read the Administrator's password from the first line of standard input",
        )
        parser.add_argument(
            "--holder",
            action="append",
            default=[],
            metavar="OFFICE=NAME<EMAIL>",
            help=(
                "the first holder of an Office, counted as set-up; may be given several times. "
                "Later ones are recorded on the Offices page"
            ),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if Company._meta.db_table not in connection.introspection.table_names():
            call_command("migrate", interactive=False, verbosity=0)
        if Company.objects.exists():
            raise CommandError("This registry has a company already.")
        code = options["code"].upper()
        if not (2 <= len(code) <= 8 and code.isalnum() and code.isascii()):
            raise CommandError("Give a code of two to eight letters or digits, such as NC.")
        country = options["country"].upper()
        if country not in holidays.list_supported_countries():
            raise CommandError(
                f"There is no calendar for the country {country}. Give its ISO 3166 code, such as "
                "US or DE."
            )
        holders = [_office_holder(one) for one in options["holder"]]
        password = self._password(options["password_stdin"])
        try:
            validate_password(password)
            for email in [options["administrator"], *(email for _, _, email in holders)]:
                validate_email(email)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        try:
            self._create(options, code, country, holders, password)
        except Refused as refusal:
            raise CommandError(f"{refusal} Nothing was set up.") from refusal
        self.stdout.write(f"{options['name']} is set up. Sign in as {options['administrator']}.")

    def _password(self, from_stdin: bool) -> str:
        if from_stdin:
            return sys.stdin.readline().rstrip("\n")
        try:
            with warnings.catch_warnings():
                # Without a terminal getpass would read, and show, whatever stands on the input.
                warnings.simplefilter("error", getpass.GetPassWarning)
                first = getpass.getpass("Password for the Administrator: ")
                again = getpass.getpass("Again: ")
        except (EOFError, getpass.GetPassWarning):
            raise CommandError(
                "There is no terminal to ask for the password. Give it on the first line of "
                "standard input, with --password-stdin. Nothing was set up."
            ) from None
        if first != again:
            raise CommandError("The two passwords differ. Nothing was set up.")
        return first

    @transaction.atomic
    def _create(
        self,
        options: dict[str, Any],
        code: str,
        country: str,
        holders: list[tuple[str, str, str]],
        password: str,
    ) -> None:
        now = timezone.now()
        company = Company.objects.create(
            name=options["name"], code=code, country=country, created_at=now
        )
        establish_standard_offices()
        administrator = Person.objects.create_user(
            options["administrator"], options["administrator_name"], password
        )
        # The admin pages show the Administrator whether mails go out; nothing is changed there.
        administrator.is_staff = True
        administrator.save(update_fields=["is_staff"])
        seats = [("administrator", administrator)]
        for office, name, email in holders:
            person = Person.objects.filter(email__iexact=email).first()
            seats.append((office, person or Person.objects.create_user(email, name)))
        for office, person in seats:
            appoint(
                person=person,
                office_key=office,
                starts_on=company_date(now),
                acting_user=None,
                at=now,
            )
        audit.record(
            "company.created",
            at=now,
            actor=administrator,
            object_type="company",
            object_id=str(company.pk),
            data={"demo": False},
        )
