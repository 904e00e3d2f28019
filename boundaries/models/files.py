"""Signing copies and sealed PDFs, content-addressed."""

from django.db import models
from django.utils import timezone


class StoredFile(models.Model):
    """A file under the SHA-256 of its bytes. Written once; boundaries.files is the only writer."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    media_type = models.CharField(max_length=80)
    size = models.PositiveIntegerField()
    content = models.BinaryField()
    stored_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.sha256[:12]} ({self.media_type})"
