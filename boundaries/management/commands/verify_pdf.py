"""Judge a PDF against this registry's keys and record."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from boundaries.verification import judge
from sealing.errors import SealingError


class Command(BaseCommand):
    help = (
        "Say whether a PDF is genuine and in force. Exit status: 0 genuine, 1 altered, incomplete "
        "or void, 2 not ours or not verifiable."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--json", action="store_true", help="print one line of JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            judgement = judge(path.read_bytes())
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.", returncode=2) from error
        except SealingError as error:
            raise CommandError(str(error), returncode=2) from error
        if options["json"]:
            about = {
                key: value for key, value in judgement.verdict.as_dict().items() if key != "content"
            }
            self.stdout.write(
                json.dumps(
                    about
                    | {
                        "standing": judgement.standing,
                        "genuine": judgement.genuine,
                        "headline": judgement.headline,
                        "sentences": judgement.sentences,
                    }
                )
            )
        else:
            self.stdout.write(judgement.headline)
            for sentence in judgement.sentences:
                self.stdout.write(f"  {sentence}")
            for one in judgement.verdict.signatures:
                self.stdout.write(f"  {one.field}: {'valid' if one.ok else one.problem}")
        if judgement.exit_status:
            raise SystemExit(judgement.exit_status)
