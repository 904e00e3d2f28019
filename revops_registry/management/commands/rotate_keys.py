"""Replace a key of the company; say since when a former one was in other hands."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

import audit
from boundaries import pdf
from sealing import rotation
from sealing.errors import SealingError
from sealing.keys import CompanyKeys, fingerprint


class Command(BaseCommand):
    help = (
        "Replace the seal, tsa, log or root key in KEYS_DIR by a new one. Former certificates and "
        "revocation lists stay under retired/, so that former files are judged as before. With "
        "--compromised-since the former key is also listed in compromised.json: what was signed "
        "with it from that time on is no longer accepted."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", choices=rotation.ROTATED, help="root replaces all of them")
        parser.add_argument(
            "--compromised-since",
            type=_moment,
            help="when the key may have come into other hands (ISO 8601, with time zone)",
        )
        parser.add_argument("--reason", default="", help="why it counts as compromised")
        parser.add_argument(
            "--although-unfinished",
            action="store_true",
            help="replace the root although documents wait for signatures under the present one",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        name, since = options["name"], options["compromised_since"]
        if bool(since) != bool(options["reason"].strip()):
            raise CommandError("Give --compromised-since and --reason together.")
        now = timezone.now()
        if since is not None and since > now:
            raise CommandError("--compromised-since lies in the future.")
        if name == "root":
            self.look_for_unfinished(anyway=options["although_unfinished"])
        try:
            if since is not None:
                listed = rotation.report_compromised(
                    settings.KEYS_DIR,
                    settings.KEYS_SECRET,
                    name,
                    since=since,
                    reason=options["reason"],
                    token=settings.SEAL_TOKEN,
                )
                self.record("key.compromised", name, listed.certificate_sha256, now)
            keys = rotation.rotate(
                settings.KEYS_DIR, settings.KEYS_SECRET, name, now=now, token=settings.SEAL_TOKEN
            )
        except SealingError as error:
            raise CommandError(str(error)) from error
        self.record("key.rotated", name, _fingerprint_of(keys, name), now)
        self.say(keys, name, compromised=since is not None)

    def look_for_unfinished(self, *, anyway: bool) -> None:
        """One root for a file: what was begun under this one cannot end under another."""
        begun = pdf.begun()
        if not begun:
            return
        named = ", ".join(freeze.revision.reference for freeze in begun)
        if not anyway:
            raise CommandError(
                f"Begun under the present root and not sealed yet: {named}. Finish them or take "
                "them back to draft first. If the root is compromised, add --although-unfinished: "
                "they must then go back to draft and be frozen anew."
            )
        self.stderr.write(f"These must go back to draft and be frozen anew: {named}.")

    def record(self, event: str, name: str, sha256: str, at: datetime) -> None:
        audit.record(
            event,
            at=at,
            actor=None,
            object_type="key",
            object_id=name,
            object_version="",
            object_sha256=sha256,
        )

    def say(self, keys: CompanyKeys, name: str, *, compromised: bool) -> None:
        self.stdout.write(f"The {name} key is replaced. The former certificate is in retired/.")
        if name == "root":
            former = fingerprint(keys.retired_roots[-1])
            self.stdout.write(
                "Publish the new root's SHA-256 fingerprint, and keep the former one published for "
                f"the files made before:\n{keys.root_fingerprint}  from now on\n{former}  before"
            )
        if compromised:
            self.stdout.write(
                "compromised.json lists the former key: give it to everybody who verifies files "
                "without this registry."
            )


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no time zone")
    return moment


def _fingerprint_of(keys: CompanyKeys, name: str) -> str:
    pairs = {"root": keys.root, "seal": keys.seal, "tsa": keys.tsa, "log": keys.log}
    return fingerprint(pairs[name].certificate)
