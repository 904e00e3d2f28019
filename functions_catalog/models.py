"""The functions a company divides among its Offices, and who owned each from when until when."""

from datetime import date

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone

KEY_PATTERN = r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$"
check_key = RegexValidator(
    KEY_PATTERN, "Write the key in lower case with underscores, such as deal_desk."
)


class FunctionQuerySet(models.QuerySet["Function"]):
    def active(self) -> "FunctionQuerySet":
        return self.filter(status=Function.Status.ACTIVE)


class Function(models.Model):
    """One piece of revenue operations work that somebody owns. Retired, never deleted."""

    class Category(models.TextChoices):
        COMMERCIAL = "commercial", "Commercial"
        SHARED_SERVICES = "shared_services", "Shared services"
        HYBRID = "hybrid", "Hybrid"
        FINANCE_AND_GO_TO_MARKET = (
            "finance_and_go_to_market",
            "Finance integrity and go-to-market",
        )

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        RETIRED = "retired", "Retired"

    # Stands in sealed documents and in URLs: it never changes.
    key = models.CharField(max_length=60, unique=True, validators=[check_key])
    name = models.CharField(max_length=120)
    category = models.CharField(max_length=30, choices=Category)
    # One sentence: what the function covers.
    covers = models.TextField(max_length=500)
    # Why it tends to sit where it does.
    rationale = models.TextField(max_length=500, blank=True)
    # An Office key, or "hybrid" where the owner is negotiated or split in sub-scopes.
    natural_owner = models.CharField(max_length=40)
    # For hybrids: how others tend to settle it. A proposal, not a rule.
    usual_outcome = models.TextField(max_length=500, blank=True)
    # Then the CFO holds a veto on its row.
    touches_financial_reporting = models.BooleanField(default=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    successor = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="predecessors"
    )
    position = models.PositiveSmallIntegerField(default=0)
    # What the standard catalog last gave for each field (empty: the company's own function).
    # A field that still equals it was left alone, so an upgraded catalog may update it.
    standard_values = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = FunctionQuerySet.as_manager()

    class Meta:
        ordering = ["position", "name"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"), condition=Q(status="active"), name="active_function_name_is_unique"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["active", "retired"]), name="function_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(successor__isnull=True) | Q(status="retired"),
                name="only_a_retired_function_has_a_successor",
            ),
            models.CheckConstraint(
                condition=Q(successor__isnull=True) | ~Q(successor=F("id")),
                name="function_does_not_succeed_itself",
            ),
            models.CheckConstraint(
                condition=~Q(key="") & ~Q(name="") & ~Q(natural_owner=""),
                name="function_has_key_name_and_natural_owner",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        return self.status == self.Status.ACTIVE


class SubScope(models.Model):
    """A named part of a hybrid function; in a boundary each part has exactly one owner."""

    function = models.ForeignKey(Function, on_delete=models.PROTECT, related_name="sub_scopes")
    key = models.CharField(max_length=60, validators=[check_key])
    name = models.CharField(max_length=120)
    natural_owner = models.CharField(max_length=40)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["function", "key"], name="sub_scope_key_is_unique"),
            models.CheckConstraint(
                condition=~Q(natural_owner__in=["", "hybrid"]), name="sub_scope_has_one_office"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Alias(models.Model):
    """What people type when they mean a function."""

    class Source(models.TextChoices):
        STANDARD = "standard", "Standard catalog"
        COMPANY = "company", "Company"

    function = models.ForeignKey(Function, on_delete=models.PROTECT, related_name="aliases")
    text = models.CharField(max_length=80)
    source = models.CharField(max_length=10, choices=Source, default=Source.COMPANY)

    class Meta:
        verbose_name_plural = "aliases"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint("function", Lower("text"), name="alias_is_unique_per_function"),
            models.CheckConstraint(condition=~Q(text=""), name="alias_is_not_empty"),
        ]

    def __str__(self) -> str:
        return self.text


class OwnershipQuerySet(models.QuerySet["Ownership"]):
    def open(self) -> "OwnershipQuerySet":
        return self.filter(in_force_until__isnull=True)

    def on(self, day: date) -> "OwnershipQuerySet":
        """Rows in force on ``day``, a company-local date (the end is exclusive)."""
        return self.filter(
            Q(in_force_until__isnull=True) | Q(in_force_until__gt=day), in_force_from__lte=day
        )


class Ownership(models.Model):
    """The whole answer to "who owns it?" from a date until a date (end exclusive).

    Written only by ``ownership.bring_into_force`` and ``ownership.bind``. A row never changes but
    for its end, which is set once. A row that was replaced on the day it began has an empty period
    (until = from).
    """

    function = models.ForeignKey(Function, on_delete=models.PROTECT, related_name="ownerships")
    # An Office key, or "hybrid": then the answer's sub-scopes name the owners.
    owner = models.CharField(max_length=40)
    in_force_from = models.DateField()
    in_force_until = models.DateField(null=True, blank=True)
    document_number = models.CharField(max_length=40)
    revision_number = models.PositiveIntegerField()
    article_reference = models.CharField(max_length=20)
    # An interim decision that binds beside the sealed text: "dispute-12"; empty: the text itself.
    decision = models.CharField(max_length=40, blank=True)
    # ownership.Answer.to_json(): a snapshot, so that look-ups never read boundaries.
    answer = models.JSONField()
    written_at = models.DateTimeField()

    objects = OwnershipQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "ownership"
        ordering = ["in_force_from", "pk"]
        indexes = [
            models.Index(fields=["in_force_from", "in_force_until"], name="ownership_period"),
            models.Index(fields=["document_number", "in_force_until"], name="ownership_document"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["function"],
                condition=Q(in_force_until__isnull=True),
                name="one_owner_in_force_per_function",
            ),
            models.UniqueConstraint(
                fields=["function", "document_number", "revision_number", "decision"],
                name="function_once_per_revision",
            ),
            models.CheckConstraint(
                condition=Q(in_force_until__isnull=True)
                | Q(in_force_until__gte=F("in_force_from")),
                name="ownership_ends_not_before_it_begins",
            ),
            models.CheckConstraint(condition=~Q(owner=""), name="ownership_has_an_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.function_id}: {self.owner} from {self.in_force_from}"


class MissedSearch(models.Model):
    """A search that found nothing: a candidate function or alias."""

    text = models.CharField(max_length=80, unique=True)
    count = models.PositiveIntegerField(default=1)
    first_searched_at = models.DateTimeField()
    last_searched_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "missed searches"
        ordering = ["-count", "-last_searched_at"]

    def __str__(self) -> str:
        return self.text
