"""Make the company's signing keys, or those of them that are missing."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from people.models import Company
from sealing.errors import SealingError
from sealing.keys import add_missing_keys, create_keys, key_problems, load_keys


class Command(BaseCommand):
    help = (
        "Make the company's CA, seal, timestamp and log keys in KEYS_DIR, encrypted with "
        "KEYS_SECRET, and print the root fingerprint to publish. Where there are keys, those that "
        "an earlier version did not make are added; nothing is replaced."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--if-missing",
            action="store_true",
            help="say nothing where all is there, and do nothing where there is no company",
        )
        parser.add_argument("--organisation", default="", help="default: the company's name")
        parser.add_argument("--country", default="", help="default: the company's country")

    def handle(self, *args: Any, **options: Any) -> None:
        directory = settings.KEYS_DIR
        if (directory / "root.pem").is_file():
            self.add_missing(quiet=options["if_missing"])
            return
        if options["if_missing"] and directory.is_dir() and any(directory.iterdir()):
            return
        company = Company.objects.first()
        organisation = options["organisation"] or (company.name if company else "")
        if not organisation:
            if options["if_missing"]:
                return
            raise CommandError("Set up the company first, or give --organisation.")
        if not settings.KEYS_SECRET:
            raise CommandError("Set KEYS_SECRET (or KEYS_SECRET_FILE): it encrypts the keys.")
        try:
            create_keys(
                directory,
                secret=settings.KEYS_SECRET,
                organisation=organisation,
                country=options["country"] or (company.country if company else "US"),
                now=timezone.now(),
            )
        except SealingError as error:
            raise CommandError(str(error)) from error
        problems = key_problems(directory, settings.KEYS_SECRET, timezone.now())
        if problems:
            raise CommandError(" ".join(problems))
        keys = load_keys(directory, settings.KEYS_SECRET)
        self.stdout.write(
            f"Keys of {organisation} are made. Publish the root's SHA-256 fingerprint:\n"
            f"{keys.root_fingerprint}"
        )

    def add_missing(self, *, quiet: bool) -> None:
        try:
            added = add_missing_keys(settings.KEYS_DIR, settings.KEYS_SECRET, now=timezone.now())
        except SealingError as error:
            raise CommandError(str(error)) from error
        if added:
            self.stdout.write(f"Added to the keys: {', '.join(added)}. Nothing was replaced.")
        elif not quiet:
            self.stdout.write("All keys are there already. Nothing was replaced.")
