"""Bring database, catalog, keys, demo and static files to where the product can be served."""

import hashlib
import json
from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from people.models import Company


class Command(BaseCommand):
    help = (
        "Migrate, make the cache table, load the standard catalog, make missing keys, make the "
        "demo company in an empty database (DEMO only) and collect static files. Each step does "
        "nothing where nothing is to do. The last line printed is JSON: "
        '{"company": "demo" | "company" | "none"}.'
    )
    # The tables that some checks read may not exist yet.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--skip-static", action="store_true", help="static files are collected elsewhere"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # One process for all of it: loading Django is what takes the time.
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
        call_command("load_catalog", stdout=StringIO())
        if settings.DEMO:
            call_command("create_demo", "--if-empty", stdout=self.stderr)
        # Keys carry the company's name: without a company there are none yet.
        call_command("create_keys", "--if-missing", stdout=self.stderr)
        if not options["skip_static"]:
            self.collect_static_when_changed()
        company = Company.objects.first()
        kind = "none" if company is None else "demo" if company.is_demo else "company"
        self.stdout.write(json.dumps({"company": kind}))

    def collect_static_when_changed(self) -> None:
        """Collect static files unless name, size and time of each are as they were last time."""
        digest = hashlib.sha256(settings.STORAGES["staticfiles"]["BACKEND"].encode())
        for finder in get_finders():
            for name, storage in sorted(finder.list([]), key=lambda found: found[0]):
                about = Path(storage.path(name)).stat()
                digest.update(f"{name} {about.st_size} {about.st_mtime_ns}\n".encode())
        stamp = settings.STATIC_ROOT / ".collected"
        if stamp.exists() and stamp.read_text() == digest.hexdigest():
            return
        call_command("collectstatic", interactive=False, verbosity=0)
        stamp.write_text(digest.hexdigest())
