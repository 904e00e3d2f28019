"""A Dispute that the CEO rules on: one page from each party, then the ruling."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from functions_catalog.models import Function
from people.models import Appointment

from .document import Document, Revision, Row


class Dispute(models.Model):
    """A contested row of a draft, or a row in force, that a party escalated to the CEO."""

    class Outcome(models.TextChoices):
        OPEN = "", "Open"
        RULED = "ruled", "Ruled"
        WITHDRAWN = "withdrawn", "Withdrawn"
        # Its draft was withdrawn: there is nothing left to rule on.
        LAPSED = "lapsed", "Lapsed with its draft"

    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="disputes")
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="disputes")
    row = models.ForeignKey(Row, on_delete=models.PROTECT, related_name="disputes")
    function = models.ForeignKey(Function, on_delete=models.PROTECT, related_name="+")
    # About text in force; otherwise about a draft, which then cannot be frozen.
    in_force = models.BooleanField()
    # Neutral, for all to answer: "Who answers sellers' disputes?"
    question = models.CharField(max_length=200)
    # Why what is in force cannot stay so; a contested row of a draft has the contests' reasons.
    reason = models.TextField(max_length=2000, blank=True, default="")
    # The Offices that may each file one page, as they were when it was opened.
    parties: "models.JSONField[Any]" = models.JSONField()
    # Who decides until the ruling; empty: the CEO has to name the Office.
    interim_decider = models.CharField(max_length=40, blank=True)
    interim_because = models.CharField(max_length=40, blank=True)  # in_force, natural, named
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    opened_by_name = models.CharField(max_length=120)
    opened_by_office = models.CharField(max_length=60)
    opened_at = models.DateTimeField()
    pages_due_at = models.DateTimeField()
    # All at the same moment: the last was filed or waived, or the time was up.
    pages_opened_at = models.DateTimeField(null=True, blank=True)
    ruling_due_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True, default="")
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["row"], condition=Q(outcome=""), name="one_open_dispute_per_row"
            ),
            models.CheckConstraint(
                condition=Q(outcome="") | Q(ended_at__isnull=False), name="ended_dispute_says_when"
            ),
        ]

    def __str__(self) -> str:
        return f"Dispute {self.pk}, {self.function.name}"

    def get_absolute_url(self) -> str:
        return reverse("boundaries:dispute", args=[self.pk])

    @property
    def is_open(self) -> bool:
        return self.outcome == self.Outcome.OPEN

    def shows_pages(self, at: datetime) -> bool:
        """Whether the pages may be read at ``at``; until then they are sealed from everybody.

        Those of a dispute that ended before are sealed for good: nobody needed them.
        """
        return self.pages_opened_at is not None or (self.is_open and at >= self.pages_due_at)


class DisputePage(models.Model):
    """One party's page. Saved as often as its writer wants; filed once; then final."""

    MAX_CHARACTERS = 3000

    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="pages")
    office = models.CharField(max_length=40)
    text = models.TextField(max_length=MAX_CHARACTERS, blank=True)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    person_name = models.CharField(max_length=120)
    person_office = models.CharField(max_length=60)
    appointment = models.ForeignKey(Appointment, on_delete=models.PROTECT, related_name="+")
    saved_at = models.DateTimeField()
    filed_at = models.DateTimeField(null=True, blank=True)
    # By their own word; one that is not filed in time is waived without a row here.
    waived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dispute", "office"], name="one_page_per_party"),
            models.CheckConstraint(
                condition=Q(filed_at__isnull=True) | ~Q(text=""), name="filed_page_has_a_text"
            ),
            models.CheckConstraint(
                condition=Q(filed_at__isnull=True) | Q(waived_at__isnull=True),
                name="page_filed_or_waived",
            ),
        ]

    def __str__(self) -> str:
        return f"Page of {self.office} in {self.dispute}"


class DisputeSettlement(models.Model):
    """A party's word that the dispute be withdrawn; once all have given it, it is."""

    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="settlements")
    office = models.CharField(max_length=40)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    person_name = models.CharField(max_length=120)
    person_office = models.CharField(max_length=60)
    given_at = models.DateTimeField()
    taken_back_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dispute", "office"],
                condition=Q(taken_back_at__isnull=True),
                name="one_live_settlement_per_party",
            )
        ]

    def __str__(self) -> str:
        return f"{self.office} settles {self.dispute}"


class Ruling(models.Model):
    """What the CEO decided: owner and terms of the row, and why. Never changed.

    It is applied to the row of a draft, which is then locked to it. As an *interim decision* it
    binds at once: about text in force from the start, about a draft once a party declines to sign.
    """

    dispute = models.OneToOneField(Dispute, on_delete=models.PROTECT, related_name="ruling")
    # drafting.RowText as JSON.
    terms: "models.JSONField[Any]" = models.JSONField()
    rationale = models.TextField(max_length=4000)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    person_name = models.CharField(max_length=120)
    person_office = models.CharField(max_length=60)
    appointment = models.ForeignKey(Appointment, on_delete=models.PROTECT, related_name="+")
    ruled_at = models.DateTimeField()
    # As an interim decision: from when, and until a Revision that carries it came in force.
    interim_from = models.DateTimeField(null=True, blank=True)
    interim_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["ruled_at"]
        constraints = [
            models.CheckConstraint(condition=~Q(rationale=""), name="ruling_has_a_rationale"),
            models.CheckConstraint(
                condition=Q(interim_until__isnull=True) | Q(interim_from__isnull=False),
                name="interim_decision_began_before_it_ended",
            ),
        ]

    def __str__(self) -> str:
        return f"Ruling in dispute {self.dispute_id}"

    @property
    def is_interim(self) -> bool:
        return self.interim_from is not None and self.interim_until is None
