"""Signing copies and sealed PDFs, content-addressed."""

from django.db import models
from django.utils import timezone

from .archive import Disposal


class StoredFile(models.Model):
    """A file under the SHA-256 of its bytes. Written once by boundaries.files.

    A disposal empties it at most: hash, size and dates stay (boundaries.archive.disposal).
    """

    sha256 = models.CharField(max_length=64, primary_key=True)
    media_type = models.CharField(max_length=80)
    size = models.PositiveIntegerField()
    content = models.BinaryField()
    stored_at = models.DateTimeField(default=timezone.now)
    # By which disposal its content was emptied.
    disposal = models.ForeignKey(
        Disposal, null=True, blank=True, on_delete=models.PROTECT, related_name="emptied"
    )

    def __str__(self) -> str:
        return f"{self.sha256[:12]} ({self.media_type})"
