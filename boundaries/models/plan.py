"""What follows a Revision in force: the RevOps Lead's plan, and the answers of successors."""

from datetime import date

from django.conf import settings
from django.db import models

from people.models import Appointment

from ..states import ANSWERING, Period
from .document import Revision


class Acknowledgement(models.Model):
    """The RevOps Lead has read what is in force and says how it will be carried out."""

    revision = models.OneToOneField(
        Revision, on_delete=models.PROTECT, related_name="acknowledgement"
    )
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    person_name = models.CharField(max_length=120)
    appointment = models.ForeignKey(Appointment, on_delete=models.PROTECT, related_name="+")
    acknowledged_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.person_name} acknowledged {self.revision}"


class Milestone(models.Model):
    """One step of the execution plan."""

    acknowledgement = models.ForeignKey(
        Acknowledgement, on_delete=models.PROTECT, related_name="milestones"
    )
    period = models.CharField(max_length=6, choices=Period.choices)
    text = models.CharField(max_length=300)
    responsible = models.CharField(max_length=120)
    due_date = models.DateField()

    class Meta:
        ordering = ["due_date", "pk"]

    def __str__(self) -> str:
        return self.text


class SuccessionQuerySet(models.QuerySet["Succession"]):
    def waiting(self, day: date) -> "SuccessionQuerySet":
        """Those that wait for an answer on ``day``: what has ended by itself waits no more."""
        return self.filter(
            answer="",
            revision__state__in=ANSWERING,
            appointment__in=Appointment.objects.on(day),
        ).select_related("revision__document", "appointment__person", "appointment__office")


class Succession(models.Model):
    """An Office changed hands while a Revision that it had signed is in force.

    The Revision stays in force and shows "signed by the predecessor"; the successor acknowledges
    it or asks for an amendment within 10 business days.
    """

    class Answer(models.TextChoices):
        ACKNOWLEDGED = "acknowledged", "Acknowledged"
        AMENDMENT = "amendment", "Asked for an amendment"

    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="successions")
    office = models.CharField(max_length=40)
    appointment = models.ForeignKey(Appointment, on_delete=models.PROTECT, related_name="+")
    predecessor_name = models.CharField(max_length=120)
    began_at = models.DateTimeField()
    due_date = models.DateField()
    answer = models.CharField(max_length=12, choices=Answer.choices, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    answered_by_name = models.CharField(max_length=120, blank=True)
    # What should change, in the successor's words; and the draft in which it is negotiated.
    wish = models.TextField(max_length=3000, blank=True)
    amendment = models.ForeignKey(
        Revision, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = SuccessionQuerySet.as_manager()

    class Meta:
        ordering = ["due_date", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["revision", "appointment"], name="one_succession_per_appointment"
            ),
            models.CheckConstraint(
                condition=models.Q(answer="", answered_at__isnull=True)
                | ~models.Q(answer="") & models.Q(answered_at__isnull=False),
                name="succession_answered_says_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.appointment} takes over {self.revision}"
