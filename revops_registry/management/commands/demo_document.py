"""Drive a document from template to in force with the demo people, and write the sealed PDF."""

import json
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from boundaries import pdf, walk
from boundaries.files import files
from boundaries.models import Freeze, Revision
from people.calendar import company_date
from people.demo import DEMO_PASSWORD
from people.errors import Refused
from people.models import Company, Person
from people.offices import CEO, CFO, COO, CRO
from people.queries import who_acts_for

from ...health import worker_is_alive


class Command(BaseCommand):
    help = (
        "Take the demo company's boundary from the template (or from what is in force, or from "
        "the open draft) through agreement, three co-signatures and the CEO's approval, wait for "
        "the sealed PDF, write it to --out and print one line of JSON. Where no worker is "
        "running, this process does the worker's part itself and says so ('worker': false)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", required=True, type=Path, help="where to write the PDF")
        parser.add_argument("--timeout", type=float, default=120.0, help="seconds to wait (120)")

    def handle(self, *args: Any, **options: Any) -> None:
        company = Company.objects.first()
        if company is None or not company.is_demo:
            raise CommandError("This is not a demo company, so nobody's signature is made up here.")
        started = time.monotonic()
        self.deadline = started + options["timeout"]
        self.worker = worker_is_alive()
        try:
            revision, freeze, approved = self.drive()
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        sealed = self.wait_for(freeze, "sealed_sha256")
        ended = time.monotonic()
        out: Path = options["out"]
        out.write_bytes(files.get(sealed))
        revision.refresh_from_db()
        self.stdout.write(
            json.dumps(
                {
                    "document": revision.document.number,
                    "revision": revision.reference,
                    "state": revision.state,
                    "content_sha256": freeze.content_sha256,
                    "pdf_sha256": sealed,
                    "seconds": round(ended - started, 2),
                    "seconds_from_approval_to_sealed": round(ended - approved, 2),
                    "worker": self.worker,
                    "out": str(out),
                }
            )
        )

    def drive(self) -> tuple[Revision, Freeze, float]:
        holders = who_acts_for([CRO, COO, CFO, CEO], on=company_date(timezone.now()))
        people: dict[str, Person] = {key: one.person for key, one in holders.items()}
        revision = walk.draft_to_work_on(people=people, clock=timezone.now)
        freeze = walk.agree_and_freeze(revision, people=people, clock=timezone.now)
        self.wait_for(freeze, "signing_copy_sha256")
        walk.sign_and_approve(revision, people=people, password=DEMO_PASSWORD, clock=timezone.now)
        return revision, freeze, time.monotonic()

    def wait_for(self, freeze: Freeze, field: str) -> str:
        """Wait until the worker has filled ``field`` (or fill it), and return it."""
        if not self.worker:
            pdf.advance(freeze.pk)
        while True:
            freeze.refresh_from_db(fields=[field, "pdf_last_failure"])
            value: str = getattr(freeze, field)
            if value:
                return value
            if time.monotonic() > self.deadline:
                why = freeze.pdf_last_failure or "the worker did not get to it"
                raise CommandError(f"The PDF was not ready in time: {why}.")
            time.sleep(0.05)
