"""Freezing a Revision and signing exactly what was frozen."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from people.models import Appointment
from people.offices import office_short
from sealing.content import signature_field

from ..states import Role
from .document import Revision


class Freeze(models.Model):
    """One fixing of a Revision's text: canonical JSON, the PDF made from it, and their SHA-256.

    Going back to draft voids it; the next freeze is another row. The three ``..._sha256`` of
    files name StoredFiles: what signers open, the file with the signatures applied so far, and
    the finished, time-stamped one. Empty means: still owed by the worker.
    """

    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="freezes")
    number = models.PositiveSmallIntegerField()
    content = models.BinaryField()
    content_sha256 = models.CharField(max_length=64, unique=True)
    frozen_at = models.DateTimeField()
    frozen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    frozen_by_name = models.CharField(max_length=120)
    frozen_by_office = models.CharField(max_length=60)
    signing_copy_sha256 = models.CharField(max_length=64, blank=True)
    pdf_sha256 = models.CharField(max_length=64, blank=True)
    sealed_sha256 = models.CharField(max_length=64, blank=True)
    sealed_at = models.DateTimeField(null=True, blank=True)
    voided_at = models.DateTimeField(null=True, blank=True)
    void_reason = models.TextField(blank=True, max_length=4000)
    # For the operator: how often the worker failed on this file, and why the last time.
    pdf_failures = models.PositiveIntegerField(default=0)
    pdf_last_failure = models.CharField(max_length=500, blank=True)
    pdf_failures_in_a_row = models.PositiveIntegerField(default=0)
    pdf_failed_at = models.DateTimeField(null=True, blank=True)
    # When those who look after it were told that it is overdue; empty again once made good.
    pdf_alarmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["revision", "number"]
        constraints = [
            models.UniqueConstraint(fields=["revision", "number"], name="freeze_number_once"),
            models.UniqueConstraint(
                fields=["revision"],
                condition=Q(voided_at__isnull=True),
                name="one_live_freeze_per_revision",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.revision.reference}, freeze {self.number}"


class Reading(models.Model):
    """A person opened the exact bytes that they are asked to sign: the whole PDF, or one page.

    ``page`` 0 is the PDF itself; otherwise the image of that page, out of ``pages``.
    """

    freeze = models.ForeignKey(Freeze, on_delete=models.PROTECT, related_name="readings")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    file_sha256 = models.CharField(max_length=64)
    page = models.PositiveSmallIntegerField(default=0)
    pages = models.PositiveSmallIntegerField(default=0)
    opened_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["freeze", "person", "page"], name="first_reading_of_a_page_counts"
            )
        ]

    def __str__(self) -> str:
        what = f"page {self.page} of {self.pages} of " if self.page else ""
        return f"{self.person} opened {what}{self.freeze}"


class SigningIntent(models.Model):
    """A single-use, five-minute permission to sign one text in one capacity.

    Bound to person, session, appointments, Revision, content hash, meaning and nonce.
    """

    freeze = models.ForeignKey(Freeze, on_delete=models.PROTECT, related_name="intents")
    role = models.CharField(max_length=10, choices=Role.choices)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    # One person may hold two co-signing Offices and signs once for both.
    appointment_ids: "models.JSONField[Any]" = models.JSONField(default=list)
    session_sha256 = models.CharField(max_length=64)
    content_sha256 = models.CharField(max_length=64)
    signing_copy_sha256 = models.CharField(max_length=64)
    meaning = models.TextField(max_length=1000)
    consent_version = models.CharField(max_length=20)
    conflict_declared = models.TextField(blank=True, max_length=1000)
    reservation = models.TextField(blank=True, max_length=600)
    nonce = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    failed_attempts = models.PositiveSmallIntegerField(default=0)
    authenticated_at = models.DateTimeField(null=True, blank=True)
    method = models.CharField(max_length=40, blank=True)
    # What a passkey signed, its public key and what was asked: enough to judge it offline.
    proof: "models.JSONField[Any]" = models.JSONField(default=dict, blank=True)
    consumed_at = models.DateTimeField(null=True, blank=True)
    # Ended before it was used: its person was deactivated, for instance.
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_because = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"Intent of {self.person} to sign {self.freeze}"


class Signature(models.Model):
    """A person signed one frozen text for one Office. Voided at most, never deleted."""

    freeze = models.ForeignKey(Freeze, on_delete=models.PROTECT, related_name="signatures")
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="signatures")
    role = models.CharField(max_length=10, choices=Role.choices)
    office = models.CharField(max_length=40)
    acting = models.BooleanField(default=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    person_name = models.CharField(max_length=120)
    appointment = models.ForeignKey(Appointment, on_delete=models.PROTECT, related_name="+")
    intent = models.ForeignKey(SigningIntent, on_delete=models.PROTECT, related_name="signatures")
    content_sha256 = models.CharField(max_length=64)
    signing_copy_sha256 = models.CharField(max_length=64)
    meaning = models.TextField(max_length=1000)
    reservation = models.TextField(blank=True, max_length=600)
    method = models.CharField(max_length=40)
    evidence: "models.JSONField[Any]" = models.JSONField(default=dict)
    evidence_sha256 = models.CharField(max_length=64)
    signed_at = models.DateTimeField(default=timezone.now)
    # The SHA-256 of the first file that carries it; empty: still owed by the worker.
    applied_sha256 = models.CharField(max_length=64, blank=True)
    voided_at = models.DateTimeField(null=True, blank=True)
    void_reason = models.TextField(blank=True, max_length=4000)

    class Meta:
        ordering = ["signed_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["revision", "office", "role"],
                condition=Q(voided_at__isnull=True),
                name="one_live_signature_per_revision_and_office",
            ),
            models.UniqueConstraint(
                fields=["intent", "office"], name="an_intent_signs_once_per_office"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_name} for {self.office}"

    @property
    def field(self) -> str:
        """The signature's field in the PDF."""
        return signature_field(office_short(self.office))
