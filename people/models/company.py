"""The one company whose registry this is."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Company(models.Model):
    """The one company whose registry this is."""

    name = models.CharField(max_length=120)
    # Printed in document numbers: NC-RB-4.
    code = models.CharField(max_length=8)
    # ISO 3166 code: business days follow this country's calendar.
    country = models.CharField(max_length=2, default="US")
    # Its state or province where holidays differ within the country ("NY", "BY"); may be empty.
    subdivision = models.CharField(max_length=6, blank=True)
    is_demo = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "company"
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="only_one_company")]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.pk = 1
        super().save(*args, **kwargs)
