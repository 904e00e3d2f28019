"""How long records are kept, what must be kept longer, what was disposed of and erased."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from .document import Document, Revision

# Until a company sets another: years after a Revision ended.
DEFAULT_YEARS = 7
FEWEST_YEARS, MOST_YEARS = 1, 30


class Answer(models.TextChoices):
    """How an act that takes two people ended."""

    WAITING = "", "Waits for confirmation"
    CONFIRMED = "confirmed", "Confirmed"
    REFUSED = "refused", "Refused"
    TAKEN_BACK = "taken_back", "Taken back"


class ByTwo(models.Model):
    """An act that takes two people: one asks for it, another confirms it. Answered once."""

    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    asked_by_name = models.CharField(max_length=120)
    asked_by_office = models.CharField(max_length=60)
    asked_at = models.DateTimeField()
    reason = models.TextField(max_length=2000)
    answer = models.CharField(max_length=12, choices=Answer.choices, blank=True, default="")
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    answered_by_name = models.CharField(max_length=120, blank=True)
    answered_by_office = models.CharField(max_length=60, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    word = models.TextField(max_length=2000, blank=True)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(answer="", answered_at__isnull=True, answered_by__isnull=True)
                | ~Q(answer="") & Q(answered_at__isnull=False, answered_by__isnull=False),
                name="%(class)s_answer_says_who_and_when",
            ),
            models.CheckConstraint(
                condition=~Q(answer="confirmed") | ~Q(answered_by=models.F("asked_by")),
                name="%(class)s_confirmed_by_another",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="%(class)s_has_a_reason"),
        ]

    @property
    def waits(self) -> bool:
        return self.answer == Answer.WAITING


class RetentionRule(ByTwo):
    """For how many years after its end a Revision's record is kept, from its confirmation on."""

    years = models.PositiveSmallIntegerField()

    class Meta(ByTwo.Meta):
        ordering = ["-asked_at", "-pk"]
        constraints = [
            *ByTwo.Meta.constraints,
            models.CheckConstraint(
                condition=Q(years__gte=FEWEST_YEARS, years__lte=MOST_YEARS),
                name="retention_years_are_sensible",
            ),
            models.UniqueConstraint(
                fields=["answer"], condition=Q(answer=""), name="one_retention_rule_waits"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.years} year{'' if self.years == 1 else 's'}"


class LegalHold(models.Model):
    """Nothing of a document, or of all, is disposed of while it stands. Placed and lifted once."""

    # None: everything that the registry keeps.
    document = models.ForeignKey(
        Document, null=True, blank=True, on_delete=models.PROTECT, related_name="holds"
    )
    # What the matter is called elsewhere: "Case 26-114", "Audit 2026".
    matter = models.CharField(max_length=120)
    reason = models.TextField(max_length=2000)
    placed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    placed_by_name = models.CharField(max_length=120)
    placed_by_office = models.CharField(max_length=60)
    placed_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    lifted_by_name = models.CharField(max_length=120, blank=True)
    lifted_by_office = models.CharField(max_length=60, blank=True)
    lift_reason = models.TextField(max_length=2000, blank=True)

    class Meta:
        ordering = ["-placed_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(reason="") & ~Q(matter=""), name="hold_says_why_and_for_what"
            ),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True, lifted_by__isnull=True, lift_reason="")
                | Q(lifted_at__isnull=False, lifted_by__isnull=False) & ~Q(lift_reason=""),
                name="hold_lifted_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"Legal hold {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("boundaries:hold", args=[self.pk])

    @property
    def what(self) -> str:
        """ "NC-RB", or "everything"."""
        return self.document.number if self.document else "everything"


class Disposal(ByTwo):
    """The files of one Revision are emptied, once it was confirmed; everything else stays."""

    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="disposals")
    # When the retention had ended, as it was worked out when the disposal was proposed.
    kept_until = models.DateTimeField()
    files = models.PositiveIntegerField()
    size = models.PositiveBigIntegerField()

    class Meta(ByTwo.Meta):
        ordering = ["-asked_at", "-pk"]
        constraints = [
            *ByTwo.Meta.constraints,
            models.UniqueConstraint(
                fields=["revision"],
                condition=Q(answer__in=["", "confirmed"]),
                name="one_disposal_per_revision",
            ),
        ]

    def __str__(self) -> str:
        return f"Disposal of the files of {self.revision}"


class ErasureRequest(ByTwo):
    """A person asked that what the registry holds about them be erased, as far as it may be."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    # What went, in numbers: {"texts": 3, "mails": 12, "news": 5}.
    erased: "models.JSONField[Any]" = models.JSONField(default=dict, blank=True)

    class Meta(ByTwo.Meta):
        ordering = ["-asked_at", "-pk"]
        constraints = [
            *ByTwo.Meta.constraints,
            models.UniqueConstraint(
                fields=["person"], condition=Q(answer=""), name="one_erasure_waits_per_person"
            ),
        ]

    def __str__(self) -> str:
        return f"Erasure for {self.person}"

    def get_absolute_url(self) -> str:
        return reverse("boundaries:erasure", args=[self.pk])
