"""Sign the log as it is now."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audit import checkpoints
from audit.models import Checkpoint


class Command(BaseCommand):
    help = "Sign the audit log as it is and print the checkpoint, to be kept elsewhere."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = checkpoints.issue(why=Checkpoint.Why.HAND, at=timezone.now())
        except checkpoints.CheckpointRefused as refusal:
            raise CommandError(f"No checkpoint was made. {refusal}") from refusal
        if made is None:
            raise CommandError("The log is empty: there is nothing to sign.")
        self.stdout.write(made.note)
