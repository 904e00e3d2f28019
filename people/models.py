"""Who there is and who holds which Office from when until when."""

from datetime import date
from typing import Any, ClassVar
from zoneinfo import available_timezones

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
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


class PersonManager(BaseUserManager["Person"]):
    """Makes accounts; e-mail addresses are compared without regard to case."""

    def get_by_natural_key(self, username: str | None) -> "Person":
        return self.get(email__iexact=username)

    def create_user(self, email: str, name: str, password: str | None = None) -> "Person":
        person = self.model(email=self.normalize_email(email).lower(), name=name)
        person.set_password(password)
        person.save(using=self._db)
        return person

    def create_superuser(self, email: str, name: str, password: str | None = None) -> "Person":
        person = self.create_user(email, name, password)
        person.is_staff = person.is_superuser = True
        person.save(using=self._db, update_fields=["is_staff", "is_superuser"])
        return person


def check_time_zone(value: str) -> None:
    if value and value not in available_timezones():
        raise ValidationError(
            "Give a time zone by its tz name, such as Europe/Vienna or America/New_York."
        )


class Person(AbstractBaseUser, PermissionsMixin):
    """A user account. By invitation only; people with a past here are deactivated, not deleted."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    # What the person does where no Office says it: "Sales manager".
    job_title = models.CharField(max_length=120, blank=True)
    # Empty: the company's zone.
    time_zone = models.CharField(max_length=64, blank=True, validators=[check_time_zone])
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    date_joined = models.DateTimeField(default=timezone.now)

    objects: ClassVar[PersonManager] = PersonManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        verbose_name_plural = "people"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def initials(self) -> str:
        words = [word for word in self.name.split() if word]
        return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.split(" ")[0]


class Office(models.Model):
    """A seat that owns functions or keeps the process: CRO, COO, CFO, CEO, RevOps Lead ..."""

    key = models.SlugField(max_length=40, unique=True)
    title = models.CharField(max_length=120)
    short = models.CharField(max_length=40)
    co_signing = models.BooleanField(default=False)
    several_holders = models.BooleanField(default=False)
    # "Not established": the company has no such Office and its part goes to another.
    established = models.BooleanField(default=True)
    part_goes_to = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="stands_in_for"
    )
    not_established_reason = models.TextField(blank=True, max_length=1000)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "key"]
        constraints = [
            models.CheckConstraint(
                condition=Q(established=True)
                | (Q(part_goes_to__isnull=False) & ~Q(not_established_reason="")),
                name="office_not_established_says_why_and_who",
            )
        ]

    def __str__(self) -> str:
        return self.short


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    def on(self, day: date) -> "AppointmentQuerySet":
        """Appointments that run on ``day`` (a company-local date; the end is exclusive)."""
        return self.filter(Q(ends_on__isnull=True) | Q(ends_on__gt=day), starts_on__lte=day)


class Appointment(models.Model):
    """A Person holds an Office from a date until a date (end exclusive). Never rewritten."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="appointments")
    office = models.ForeignKey(Office, on_delete=models.PROTECT, related_name="appointments")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    acting = models.BooleanField(default=False)
    # The written instrument of an acting appointment, or the board reference of a CEO's.
    instrument = models.CharField(max_length=300, blank=True)
    # Copied from the Office so that the database can refuse a second open-ended holder.
    exclusive = models.BooleanField(default=True, editable=False)
    recorded_by = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField(default=timezone.now)

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        ordering = ["starts_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gt=models.F("starts_on")),
                name="appointment_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(acting=False) | (Q(ends_on__isnull=False) & ~Q(instrument="")),
                name="acting_appointment_is_bounded_and_written",
            ),
            models.UniqueConstraint(
                fields=["office"],
                condition=Q(ends_on__isnull=True, acting=False, exclusive=True),
                name="one_open_ended_holder_per_office",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person.name}, {self.title}"

    @property
    def title(self) -> str:
        """ "CRO" or "Acting CRO": how everything this appointment does is labelled."""
        return f"Acting {self.office.short}" if self.acting else self.office.short
