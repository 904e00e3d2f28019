"""Offices, and who holds which from when until when."""

from datetime import date, timedelta

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from .person import Person


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


class OfficeAbsence(models.Model):
    """From when until when the company had no such Office, where its part went, and why."""

    office = models.ForeignKey(Office, on_delete=models.PROTECT, related_name="absences")
    part_goes_to = models.ForeignKey(Office, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(max_length=1000)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)  # exclusive
    recorded_by = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    recorded_by_name = models.CharField(max_length=120, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["starts_on", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["office"],
                condition=Q(ends_on__isnull=True),
                name="one_running_absence_per_office",
            )
        ]

    def __str__(self) -> str:
        return f"No {self.office.short} from {self.starts_on}"


# It counts: not voided, and confirmed where that is needed.
COUNTS = Q(voided_at__isnull=True) & (Q(needs_confirmation=False) | Q(confirmed_at__isnull=False))


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    def counting(self) -> "AppointmentQuerySet":
        """Those that are true: neither taken back, refused nor corrected, and confirmed."""
        return self.filter(COUNTS)

    def on(self, day: date) -> "AppointmentQuerySet":
        """Appointments that count on ``day`` (a company-local date; the end is exclusive)."""
        return self.counting().filter(
            Q(ends_on__isnull=True) | Q(ends_on__gt=day), starts_on__lte=day
        )

    def unconfirmed(self) -> "AppointmentQuerySet":
        """Recorded, and waiting for the CEO's confirmation."""
        return self.filter(
            voided_at__isnull=True, needs_confirmation=True, confirmed_at__isnull=True
        )


class Appointment(models.Model):
    """A Person holds an Office from a date until a date (end exclusive). Never rewritten.

    One that was wrong is voided, with the reason, and another one says what is right.
    """

    class VoidedAs(models.TextChoices):
        TAKEN_BACK = "taken_back", "Taken back"
        REFUSED = "refused", "Refused"
        CORRECTED = "corrected", "Corrected"

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="appointments")
    office = models.ForeignKey(Office, on_delete=models.PROTECT, related_name="appointments")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    acting = models.BooleanField(default=False)
    # The written instrument of an acting appointment, or the board reference of a CEO's.
    instrument = models.CharField(max_length=300, blank=True)
    # What a stand-in may do in the holder's place; empty: all of it.
    scope = models.CharField(max_length=500, blank=True)
    # Copied from the Office so that the database can refuse a second open-ended holder.
    exclusive = models.BooleanField(default=True, editable=False)
    recorded_by = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    recorded_by_name = models.CharField(max_length=160, blank=True)
    recorded_at = models.DateTimeField(default=timezone.now)
    needs_confirmation = models.BooleanField(default=False)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    confirmed_by_name = models.CharField(max_length=160, blank=True)
    # What it replaces, where it says otherwise than an earlier record that was wrong.
    corrects = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="corrections"
    )
    # Why the earlier record was wrong; it is voided with these words once this one counts.
    correction_reason = models.CharField(max_length=500, blank=True)
    # Why it ended, and who recorded that.
    end_reason = models.CharField(max_length=500, blank=True)
    end_recorded_by_name = models.CharField(max_length=160, blank=True)
    end_recorded_at = models.DateTimeField(null=True, blank=True)
    voided_as = models.CharField(max_length=12, choices=VoidedAs.choices, blank=True)
    voided_at = models.DateTimeField(null=True, blank=True)
    voided_by_name = models.CharField(max_length=160, blank=True)
    void_reason = models.CharField(max_length=500, blank=True)

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        ordering = ["starts_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gt=F("starts_on")),
                name="appointment_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(acting=False) | (Q(ends_on__isnull=False) & ~Q(instrument="")),
                name="acting_appointment_is_bounded_and_written",
            ),
            # Overlaps are refused by a trigger (people.protections), on PostgreSQL by an exclusion
            # constraint as well (migration 0003).
            models.CheckConstraint(
                condition=Q(voided_at__isnull=True, voided_as="")
                | Q(voided_at__isnull=False) & ~Q(voided_as=""),
                name="voided_appointment_says_how",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_at__isnull=True) | Q(needs_confirmation=True),
                name="only_what_needs_it_is_confirmed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person.name}, {self.title}"

    @property
    def title(self) -> str:
        """ "CRO" or "Acting CRO": how everything this appointment does is labelled."""
        return f"Acting {self.office.short}" if self.acting else self.office.short

    @property
    def counts(self) -> bool:
        """Whether it is true: not voided, and confirmed where that is needed."""
        confirmed = not self.needs_confirmation or self.confirmed_at is not None
        return self.voided_at is None and confirmed

    @property
    def last_day(self) -> date | None:
        """The last day it runs, as people read it; None while it is open."""
        return None if self.ends_on is None else self.ends_on - timedelta(days=1)
