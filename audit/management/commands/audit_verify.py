"""The whole log against all that is known of it, also outside the database."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from audit import checking, outside
from audit.models import LogCheck
from audit.verify import verify_log
from sealing.errors import SealingError


class Command(BaseCommand):
    help = (
        "Recompute the whole audit log and compare it with its head, with every stored checkpoint "
        "and with what --against gives: sealed PDFs, checkpoints saved from mails, whole mails. "
        "Exit status 1 on any fault."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--against",
            type=Path,
            nargs="+",
            action="extend",
            default=[],
            metavar="FILE",
            help="a sealed PDF or a checkpoint that was kept outside the database",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        held = [self.read(path) for path in options["against"]]
        verdict = verify_log(mark for one in held for mark in one.marks)
        if not held:
            # What is compared with files is an answer to who holds them, not the log's own state.
            checking.keep(verdict, why=LogCheck.Why.HAND, at=timezone.now())
        faults = [
            *(fault for one in held for fault in one.faults),
            *verdict.faults,
            *checking.protection_faults(),
        ]
        self.stdout.write(f"{verdict.size} events, root {verdict.root}")
        self.stdout.write(f"{verdict.checkpoints} stored checkpoints agree with them.")
        for one in held:
            for note in one.notes:
                self.stdout.write(note)
        for mark in verdict.agreed:
            self.stdout.write(f"{mark.name} agrees: the first {mark.size} events are unchanged.")
        if faults:
            raise CommandError("\n".join(["The log is not sound.", *faults]))
        self.stdout.write("The log is sound.")

    def read(self, path: Path) -> outside.Held:
        try:
            return outside.read(path.name, path.read_bytes())
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
        except SealingError as error:
            raise CommandError(str(error)) from error
