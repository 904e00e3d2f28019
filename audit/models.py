"""The log's events, its head, and the erasable text beside it.

Plain ids, no foreign keys: an event outlives whatever it speaks of. Triggers
(``audit.protection``) keep the tables as they are written.
"""

from django.db import models
from django.db.models import Q

from sealing.merkle import EMPTY_ROOT

# The one kind of event that tells of erased texts: without it nothing is erased.
ERASING_EVENT = "person.texts_erased"


class Event(models.Model):
    """One thing that happened. Written by ``audit.record`` only, and never changed."""

    # 1 for the first event; its leaf has the index sequence - 1 in the tree.
    sequence = models.PositiveBigIntegerField(primary_key=True)
    at = models.DateTimeField()
    event = models.CharField(max_length=80)
    # Nobody (None, "") where the system itself acted.
    actor_id = models.BigIntegerField(null=True, blank=True)
    actor_name = models.CharField(max_length=120, blank=True)
    office = models.CharField(max_length=40, blank=True)
    appointment_id = models.BigIntegerField(null=True, blank=True)
    object_type = models.CharField(max_length=40)
    object_id = models.CharField(max_length=80)
    object_version = models.CharField(max_length=80, blank=True)
    # All hashes are SHA-256 in lower-case hexadecimal, "" where there is nothing to hash.
    object_sha256 = models.CharField(max_length=64, blank=True)
    ip_hash = models.CharField(max_length=64, blank=True)
    authentication_sha256 = models.CharField(max_length=64, blank=True)
    data = models.JSONField(default=dict, blank=True)
    personal_commitment = models.CharField(max_length=64, blank=True)
    leaf_hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["sequence"]
        indexes = [
            models.Index(fields=["object_type", "object_id"], name="audit_by_object"),
            models.Index(fields=["event"], name="audit_by_event"),
            models.Index(fields=["actor_id"], name="audit_by_actor"),
            models.Index(fields=["at"], name="audit_by_time"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(sequence__gte=1), name="audit_counts_from_one")
        ]

    def __str__(self) -> str:
        return f"{self.sequence} {self.event}"


class LogHead(models.Model):
    """The log's end: its size, and what is needed to append the next leaf. One row, the lock."""

    size = models.PositiveBigIntegerField(default=0)
    # Roots of the perfect subtrees, largest first, in hexadecimal (sealing.merkle).
    frontier = models.JSONField(default=list)
    root = models.CharField(max_length=64, default=EMPTY_ROOT.hex())

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="only_one_log_head")]

    def __str__(self) -> str:
        return f"{self.size} events, root {self.root}"


class PersonalText(models.Model):
    """Words about a person that may have to be erased: the leaf holds only their commitment.

    Erasing is deleting the row, salt included: without the salt the commitment says nothing,
    and the log still verifies.
    """

    sequence = models.PositiveBigIntegerField(primary_key=True)
    salt = models.CharField(max_length=64)
    text = models.TextField()

    def __str__(self) -> str:
        return f"personal text of event {self.sequence}"


class ErasedText(models.Model):
    """That a personal text was erased, and when: it says nothing of what the text said."""

    sequence = models.PositiveBigIntegerField(primary_key=True)
    erased_at = models.DateTimeField()
    # The event that tells of the erasure.
    erased_by = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return f"personal text of event {self.sequence}, erased"


class Checkpoint(models.Model):
    """What the log said of itself at one size, signed. Written by ``audit.checkpoints.issue``."""

    class Why(models.TextChoices):
        DAILY = "daily", "the daily check"
        SEAL = "seal", "a Revision was sealed"
        HAND = "hand", "asked for by hand"

    size = models.PositiveBigIntegerField(primary_key=True)
    root = models.CharField(max_length=64)
    # The signed note (sealing.checkpoint), and the certificate (PEM) of the key that signed it:
    # a key that was replaced since is still there to check it by.
    note = models.TextField()
    key_id = models.CharField(max_length=8)
    certificate = models.TextField()
    made_at = models.DateTimeField()
    why = models.CharField(max_length=8, choices=Why)
    # That the log of the checkpoint before (0: none) is the beginning of this one.
    previous_size = models.PositiveBigIntegerField(default=0)
    consistency = models.JSONField(default=list)
    # What is needed to go on from here without reading the events before; its root is ``root``.
    frontier = models.JSONField(default=list)

    class Meta:
        ordering = ["size"]
        constraints = [
            models.CheckConstraint(
                condition=Q(size__gt=models.F("previous_size")), name="checkpoint_grows"
            )
        ]

    def __str__(self) -> str:
        return f"checkpoint of {self.size} events"


class LogCheck(models.Model):
    """One recomputation of the whole log, and what it found."""

    class Why(models.TextChoices):
        DAILY = "daily", "every day"
        HAND = "hand", "asked for by hand"

    made_at = models.DateTimeField()
    # The day, in UTC, that a daily one is for: there is one.
    day = models.DateField(null=True, unique=True)
    why = models.CharField(max_length=8, choices=Why)
    size = models.PositiveBigIntegerField()
    root = models.CharField(max_length=64)
    checkpoints = models.PositiveIntegerField()
    faults = models.JSONField(default=list)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        found = "sound" if self.sound else f"{len(self.faults)} faults"
        return f"{self.size} events checked: {found}"

    @property
    def sound(self) -> bool:
        return not self.faults
