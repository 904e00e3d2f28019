"""A review brings a document in force back to its parties."""

from typing import Any

from django.db import models
from django.db.models import Q

from boundaries.models import Document, Revision

from .states import Kind, State


class ReviewQuerySet(models.QuerySet["Review"]):
    def open(self) -> "ReviewQuerySet":
        return self.filter(state=State.OPEN)


class Review(models.Model):
    """One review of one document, due on a business day. Only reviews.workflow changes it."""

    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="reviews")
    # The text that is reviewed; an amendment takes over the full review with its due date.
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="reviews")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    due_date = models.DateField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    # Keys of the Offices that signed the text, in the order that pages show them.
    offices: "models.JSONField[Any]" = models.JSONField(default=list)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    # Why it is no longer open: "Replaced by NC-RB-5."
    closed_reason = models.CharField(max_length=300, blank=True)

    objects = ReviewQuerySet.as_manager()

    class Meta:
        ordering = ["due_date", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["document", "due_date"],
                condition=Q(state="open"),
                name="one_open_review_per_document_and_day",
            ),
            models.UniqueConstraint(
                fields=["document"],
                condition=Q(state="open", kind="full"),
                name="one_open_full_review_per_document",
            ),
            models.CheckConstraint(
                condition=Q(state="open", closed_at__isnull=True)
                | (~Q(state="open") & Q(closed_at__isnull=False) & ~Q(closed_reason="")),
                name="closed_review_says_when_and_why",
            ),
        ]
        indexes = [models.Index(fields=["state", "due_date"], name="reviews_by_due_date")]

    def __str__(self) -> str:
        return f"{self.title} of {self.document.number}"

    @property
    def title(self) -> str:
        """ "Q1 2027 review" by the calendar quarter of its due date, or "2027 full review"."""
        if self.kind == Kind.FULL:
            return f"{self.due_date.year} full review"
        return f"Q{(self.due_date.month + 2) // 3} {self.due_date.year} review"

    @property
    def anchor(self) -> str:
        return f"review-{self.pk}"
