from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit import protection
from audit.verify import verify_log


class Command(BaseCommand):
    help = "Recompute the whole audit log and compare it with its head. Exit status 1 on any fault."

    def handle(self, *args: Any, **options: Any) -> None:
        verdict = verify_log()
        faults = verdict.faults + [f"Missing: {name}." for name in protection.missing()]
        if faults:
            raise CommandError("\n".join(["The log is not sound.", *faults]))
        self.stdout.write(f"The log is sound: {verdict.size} events, root {verdict.root}")
