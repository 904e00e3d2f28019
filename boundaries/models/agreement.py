"""What each party says of each row and article."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from people.models import Appointment

from ..states import Stance
from .document import Article, Revision, Row


class Agreement(models.Model):
    """A party's stance on exactly one version of one clause. Withdrawn, never deleted."""

    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="agreements")
    row = models.ForeignKey(
        Row, null=True, blank=True, on_delete=models.PROTECT, related_name="agreements"
    )
    article = models.ForeignKey(
        Article, null=True, blank=True, on_delete=models.PROTECT, related_name="agreements"
    )
    clause_version = models.PositiveIntegerField()
    office = models.CharField(max_length=40)
    stance = models.CharField(max_length=12, choices=Stance.choices, default=Stance.AGREED)
    reason = models.TextField(blank=True, max_length=2000)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    person_name = models.CharField(max_length=120)
    appointment = models.ForeignKey(Appointment, on_delete=models.PROTECT, related_name="+")
    given_at = models.DateTimeField(default=timezone.now)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_because = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["given_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(row__isnull=False, article__isnull=True)
                | Q(row__isnull=True, article__isnull=False),
                name="agreement_is_about_one_clause",
            ),
            models.CheckConstraint(
                condition=Q(stance=Stance.AGREED.value) | ~Q(reason=""),
                name="contested_has_a_reason",
            ),
            models.UniqueConstraint(
                fields=["row", "office"],
                condition=Q(withdrawn_at__isnull=True, row__isnull=False),
                name="one_live_stance_per_row_and_office",
            ),
            models.UniqueConstraint(
                fields=["article", "office"],
                condition=Q(withdrawn_at__isnull=True, article__isnull=False),
                name="one_live_stance_per_article_and_office",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.office} {self.stance} {self.row or self.article}"
