"""List the PDFs that are owed and why, and make them now."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from boundaries import late, pdf
from boundaries.models import Freeze, Revision


class Command(BaseCommand):
    help = (
        "List which signing copies, signatures and seals are owed, since when and why, and make "
        "them now. Does nothing twice: run it as often as you like, beside running workers. Files "
        "that the registry's own verifier refused are only tried again with --quarantined. Exit "
        "status 1 where something stays owed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("reference", nargs="?", default="", help="only this one (NC-RB-4)")
        parser.add_argument(
            "--quarantined", action="store_true", help="try refused files again, too"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = options["reference"]
        if wanted and wanted not in {one.reference for one in _revisions()}:
            raise CommandError(f"There is no {wanted}.")
        found = [one for one in late.owed_files() if wanted in ("", one.freeze.revision.reference)]
        if not found:
            self.stdout.write("Nothing is owed.")
        left = [one for one in found if not self.make(one, quarantined=options["quarantined"])]
        late.look_after(at=timezone.now())
        if left:
            raise CommandError(f"{len(left)} of {len(found)} stay owed.", returncode=1)

    def make(self, one: late.Owed, *, quarantined: bool) -> bool:
        self.stdout.write(f"{one.freeze}: {one.what}, owed since {one.since:%Y-%m-%d %H:%M:%S} UTC")
        self.stdout.write(f"  {one.why}")
        if one.quarantined and not quarantined:
            self.stdout.write("  Left alone: it is quarantined. Add --quarantined to try again.")
            return False
        try:
            pdf.advance(one.freeze.pk)
        except Exception as failure:
            # Whatever failed is kept with the freeze; the others must not wait for it.
            self.stdout.write(f"  Failed: {failure}")
            return False
        if one.freeze.pk in pdf.owed():
            self.stdout.write("  A worker is at it just now.")
            return False
        made = Freeze.objects.get(pk=one.freeze.pk)
        self.stdout.write(f"  Done: {made.pdf_sha256}")
        return True


def _revisions() -> list[Revision]:
    return list(Revision.objects.select_related("document"))
