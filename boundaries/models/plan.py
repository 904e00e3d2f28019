"""The RevOps Lead acknowledges a Revision with an execution plan."""

from django.conf import settings
from django.db import models

from people.models import Appointment

from ..states import Period
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
