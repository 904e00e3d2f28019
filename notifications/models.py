"""Outgoing mail: the database says what is owed, a task only carries it."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse


class State(models.TextChoices):
    """A mail is owed until it is sent; it never gives up."""

    QUEUED = "queued", "Waiting"
    SENDING = "sending", "Being sent"
    SENT = "sent", "Sent"


class OutgoingMail(models.Model):
    """One mail to one address, rendered when it was queued."""

    # What this mail is, such as "review-12:7-days:34": a second mail of the same key is refused.
    key = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=60)
    # Empty for somebody who has no account (yet): an invitation.
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="outgoing_mails",
    )
    # As they were when the mail was queued.
    name = models.CharField(max_length=120)
    address = models.EmailField()
    subject = models.CharField(max_length=200)
    text = models.TextField()
    html = models.TextField()
    # It carries a secret, such as a link that opens an account: wiped once it was sent.
    sensitive = models.BooleanField(default=False)
    # Follows from the key, so that a mail sent twice after a crash is shown once.
    message_id = models.CharField(max_length=200, unique=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    created_at = models.DateTimeField()
    # Not tried before: after a failure each next attempt waits longer.
    not_before = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name = "outgoing mail"
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(
                fields=["not_before"], condition=~Q(state="sent"), name="mails_owed_by_time"
            ),
            models.Index(fields=["-created_at", "-id"], name="mails_newest_first"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="sent") | Q(sent_at__isnull=False),
                name="sent_mail_says_when",
            ),
            models.CheckConstraint(
                condition=~Q(state="sending") | Q(claimed_at__isnull=False),
                name="mail_being_sent_says_since_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} ({self.address})"

    def get_absolute_url(self) -> str:
        return reverse("notifications:mail", args=[self.pk])


class Notice(models.Model):
    """A piece of news for one person: shown in the registry, mailed as they chose."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="notices"
    )
    # What this news is, such as "thread-812": the same is never told twice.
    key = models.CharField(max_length=200)
    kind = models.CharField(max_length=60)
    title = models.CharField(max_length=200)
    text = models.TextField(max_length=4000, blank=True)
    # Where it happened: a path of the registry, "/boundaries/NC-RB/4/#row-3".
    path = models.CharField(max_length=300)
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    # In which mail it went out; for who wants none, when that was settled.
    mailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["person", "key"], name="one_notice_per_person_and_key")
        ]
        indexes = [
            models.Index(fields=["person", "-at"], name="notices_of_person_newest_first"),
            models.Index(
                fields=["at"], condition=Q(mailed_at__isnull=True), name="notices_to_be_mailed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.person})"
