"""An exception to what is in force: asked for, approved, and over on its day."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from people.models import Appointment

from .document import Revision, Row


class BoundaryException(models.Model):
    """Leave to depart from a row in force, for at most 90 days. Never extended, never deleted."""

    class State(models.TextChoices):
        REQUESTED = "requested", "Requested"
        GRANTED = "granted", "Granted"
        REFUSED = "refused", "Refused"
        TAKEN_BACK = "taken_back", "Taken back"

    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="exceptions")
    row = models.ForeignKey(Row, on_delete=models.PROTECT, related_name="exceptions")
    # Of a hybrid function: the part that it is about.
    part = models.CharField(max_length=60, blank=True)
    what = models.TextField(max_length=1000)
    reason = models.TextField(max_length=2000)
    expires_on = models.DateField()  # exclusive: the first day on which it holds no more
    # The Offices that must approve, worked out when it was asked for.
    approvers: "models.JSONField[Any]" = models.JSONField()
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    requested_by_name = models.CharField(max_length=120)
    requested_by_office = models.CharField(max_length=60, blank=True)
    requested_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.REQUESTED)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-requested_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(what="") & ~Q(reason=""), name="exception_says_what_and_why"
            ),
            models.CheckConstraint(
                condition=Q(state="requested") | Q(settled_at__isnull=False),
                name="settled_exception_says_when",
            ),
            models.CheckConstraint(
                condition=Q(settled_at__isnull=True) | Q(settled_at__gte=F("requested_at")),
                name="exception_settled_after_request",
            ),
        ]

    def __str__(self) -> str:
        return f"Exception {self.pk} to {self.row}"

    def get_absolute_url(self) -> str:
        return reverse("boundaries:exception", args=[self.pk])


class ExceptionAnswer(models.Model):
    """One approver's answer to a requested exception."""

    exception = models.ForeignKey(
        BoundaryException, on_delete=models.PROTECT, related_name="answers"
    )
    office = models.CharField(max_length=40)
    approves = models.BooleanField()
    word = models.TextField(max_length=2000, blank=True)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    person_name = models.CharField(max_length=120)
    person_office = models.CharField(max_length=60)
    appointment = models.ForeignKey(Appointment, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["exception", "office"], name="one_answer_per_approver"),
            models.CheckConstraint(
                condition=Q(approves=True) | ~Q(word=""), name="refusing_needs_a_word"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.office} on {self.exception}"
