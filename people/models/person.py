"""Who there is: accounts, invitations to one, and the codes that were used up."""

from typing import ClassVar
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone


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


class NewsByMail(models.TextChoices):
    """How soon somebody hears by mail what happens in drafts."""

    IMMEDIATE = "immediate", "At once, each on its own"
    HOURLY = "hourly", "Every hour, together"
    DAILY = "daily", "Every business day in the morning, together"
    OFF = "off", "Never"


class Person(AbstractBaseUser, PermissionsMixin):
    """A user account. By invitation only; people with a past here are deactivated, not deleted."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    # What the person does where no Office says it: "Sales manager".
    job_title = models.CharField(max_length=120, blank=True)
    # Empty: the company's zone.
    time_zone = models.CharField(max_length=64, blank=True, validators=[check_time_zone])
    # How dates are written for this person, a locale such as "de"; empty: "21 Nov 2026".
    date_language = models.CharField(max_length=10, blank=True)
    # How soon news of drafts is mailed. What waits for the person's own act is always mailed.
    news_by_mail = models.CharField(
        max_length=10, choices=NewsByMail.choices, default=NewsByMail.HOURLY
    )
    # Two accounts of one human being: this one names the other, which names none.
    same_person_as = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="linked_accounts"
    )
    password_changed_at = models.DateTimeField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    deactivated_at = models.DateTimeField(null=True, blank=True)
    deactivated_by = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    is_staff = models.BooleanField(default=False)
    date_joined = models.DateTimeField(default=timezone.now)

    objects: ClassVar[PersonManager] = PersonManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        verbose_name_plural = "people"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(same_person_as__isnull=True) | ~Q(same_person_as=F("id")),
                name="person_is_not_linked_to_itself",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def human_id(self) -> int:
        """Whom this account belongs to: equal for all accounts of one human being."""
        return self.same_person_as_id or self.pk

    @property
    def initials(self) -> str:
        words = [word for word in self.name.split() if word]
        return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.split(" ")[0]


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self) -> "InvitationQuerySet":
        """Neither accepted nor revoked; it may have run out."""
        return self.filter(accepted_at__isnull=True, revoked_at__isnull=True)


class Invitation(models.Model):
    """A single-use way to an account, mailed to one address. Never deleted.

    The link's secret is kept only as SHA-256: the mail alone carries it. Sending again gives a
    new secret, and the former link is dead.
    """

    email = models.EmailField()
    name = models.CharField(max_length=120)
    job_title = models.CharField(max_length=120, blank=True)
    token_sha256 = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    invited_by_name = models.CharField(max_length=120)
    created_at = models.DateTimeField()
    # The mail that counts; times sent in all, the first included.
    sent_at = models.DateTimeField()
    times_sent = models.PositiveSmallIntegerField(default=1)
    expires_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    person = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="invitation",
    )
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by_name = models.CharField(max_length=120, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["email"],
                condition=Q(accepted_at__isnull=True, revoked_at__isnull=True),
                name="one_open_invitation_per_address",
            ),
            models.CheckConstraint(
                condition=Q(accepted_at__isnull=True) | Q(revoked_at__isnull=True),
                name="invitation_accepted_or_revoked",
            ),
            models.CheckConstraint(
                condition=Q(accepted_at__isnull=True, person__isnull=True)
                | Q(accepted_at__isnull=False, person__isnull=False),
                name="accepted_invitation_names_the_person",
            ),
        ]

    def __str__(self) -> str:
        return f"Invitation of {self.name} ({self.email})"


class UsedCode(models.Model):
    """A code of a code generator that was used up: it works once, in every process.

    The unique row is what makes it so; a mark in a cache would not be atomic.
    """

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="used_codes"
    )
    # Which code it was: its time step, whole periods since 1970 (RFC 6238).
    time_step = models.BigIntegerField()
    used_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "time_step"], name="code_once")]

    def __str__(self) -> str:
        return f"Code {self.time_step} of {self.person}"
