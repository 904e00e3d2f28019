"""Where signing copies and sealed PDFs lie: one small class, so that object storage can follow."""

import hashlib

from people.calendar import company_date, date_words

from .errors import FileDisposed
from .models import StoredFile


class FileStore:
    """Content-addressed files in the database: few, small, one transaction, one backup."""

    def put(self, content: bytes, *, media_type: str = "application/pdf") -> str:
        """Keep ``content`` and return its SHA-256 (hex). Putting the same bytes twice is one."""
        sha256 = hashlib.sha256(content).hexdigest()
        # Asked first: on SQLite the trigger that forbids replacing refuses even to ignore.
        if StoredFile.objects.filter(pk=sha256).exists():
            return sha256
        StoredFile.objects.bulk_create(
            [StoredFile(sha256=sha256, media_type=media_type, size=len(content), content=content)],
            ignore_conflicts=True,
        )
        return sha256

    def get(self, sha256: str) -> bytes:
        """The bytes; raises ``FileDisposed`` where they were disposed of.

        ``StoredFile.DoesNotExist`` where there never were any, ``ValueError`` where they rotted.
        """
        found = StoredFile.objects.select_related("disposal").get(pk=sha256)
        if found.disposal is not None and found.disposal.answered_at is not None:
            on = date_words(company_date(found.disposal.answered_at))
            raise FileDisposed(
                f"This file was disposed of on {on}, after its retention had ended. Its SHA-256 is "
                "kept: whoever has a copy can still have it verified."
            )
        content = bytes(found.content)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ValueError(f"The stored file {sha256} no longer has that SHA-256.")
        return content


files = FileStore()
