"""A boundary document, its numbered Revisions, and the text of each."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from functions_catalog.models import Function

from ..states import ANSWERING, UNFINISHED, State


class Document(models.Model):
    """A boundary document; the company boundary covers the whole catalog, others only a part."""

    number = models.CharField(max_length=24, unique=True)
    title = models.CharField(max_length=160)
    is_company_boundary = models.BooleanField(default=False)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    opened_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-is_company_boundary", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_company_boundary"],
                condition=Q(is_company_boundary=True),
                name="one_company_boundary",
            )
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("boundaries:document", args=[self.number])


class RevisionQuerySet(models.QuerySet["Revision"]):
    def in_force(self) -> "RevisionQuerySet":
        """Those that answer look-ups today; an expired one still does, flagged."""
        return self.filter(state__in=ANSWERING)

    def unfinished(self) -> "RevisionQuerySet":
        return self.filter(state__in=UNFINISHED)


class Revision(models.Model):
    """One numbered version of a document. Only boundaries.workflow assigns ``state``."""

    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=20, choices=State.choices, default=State.DRAFT)
    supersedes = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="successors"
    )
    effective_date = models.DateField(null=True, blank=True)
    # Twelve months after the last full review unless set; an amendment inherits it.
    sunset_date = models.DateField(null=True, blank=True)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    opened_by_name = models.CharField(max_length=120)
    opened_by_office = models.CharField(max_length=40)
    opened_at = models.DateTimeField(default=timezone.now)
    state_since = models.DateTimeField(default=timezone.now)
    in_force_from = models.DateTimeField(null=True, blank=True)
    in_force_until = models.DateTimeField(null=True, blank=True)
    # Goes up with everything that is said or done about the draft: open boards ask for more.
    activity = models.PositiveIntegerField(default=0)
    # Whether anybody's ownership changed: then the RevOps Lead owes an acknowledgement.
    acknowledgement_due_date = models.DateField(null=True, blank=True)

    objects = RevisionQuerySet.as_manager()

    class Meta:
        ordering = ["document", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["document", "number"], name="revision_number_once"),
            models.UniqueConstraint(
                fields=["document"],
                condition=Q(state__in=[state.value for state in ANSWERING]),
                name="one_revision_in_force_per_document",
            ),
            models.UniqueConstraint(
                fields=["document"],
                condition=Q(state__in=[state.value for state in UNFINISHED]),
                name="one_unfinished_revision_per_document",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in State]),
                name="revision_state_is_known",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[state.value for state in ANSWERING])
                | Q(in_force_from__isnull=False, effective_date__isnull=False),
                name="revision_in_force_has_its_dates",
            ),
            models.CheckConstraint(
                condition=Q(in_force_until__isnull=True)
                | Q(in_force_until__gte=models.F("in_force_from")),
                name="revision_period_runs_forward",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    def get_absolute_url(self) -> str:
        return reverse("boundaries:revision", args=[self.document.number, self.number])

    @property
    def reference(self) -> str:
        """ "NC-RB-4": how mails, PDFs and look-ups cite this Revision."""
        return f"{self.document.number}-{self.number}"

    @property
    def is_draft(self) -> bool:
        return self.state == State.DRAFT

    @property
    def state_words(self) -> str:
        """ "in force", "waiting for the CEO's approval": where it stands, inside a sentence."""
        return {
            State.COSIGNING: "waiting for co-signatures",
            State.AWAITING_APPROVAL: "waiting for the CEO's approval",
        }.get(State(self.state), self.get_state_display().lower())


class Clause(models.Model):
    """What can be agreed on its own: a row or an article. ``version`` moves with every edit."""

    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField(null=True, blank=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    changed_by_name = models.CharField(max_length=120, blank=True)
    changed_by_office = models.CharField(max_length=40, blank=True)
    # The Revision's ``activity`` when something was last said or done about this clause.
    activity = models.PositiveIntegerField(default=0)
    # The same, of what there is to read: agreements, given or confirmed, do not count.
    news = models.PositiveIntegerField(default=0)
    # Taken over word for word from what is in force: a party agrees to all of these in one act.
    carried = models.BooleanField(default=False)

    class Meta:
        abstract = True


class Article(Clause):
    """One of the articles 1-12; article 13, the change log, is generated when freezing."""

    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="articles")
    number = models.PositiveSmallIntegerField()
    key = models.SlugField(max_length=40)
    title = models.CharField(max_length=120)
    text = models.TextField(blank=True, max_length=12_000)
    data: "models.JSONField[Any]" = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["revision", "number"], name="article_number_once"),
            models.UniqueConstraint(fields=["revision", "key"], name="article_key_once"),
        ]

    def __str__(self) -> str:
        return f"Article {self.number}, {self.title}"

    @property
    def anchor(self) -> str:
        return f"article-{self.number}"


class RowManager(models.Manager["Row"]):
    """The rows that a Revision has; ``Row.every`` also has those removed from a draft."""

    def get_queryset(self) -> "models.QuerySet[Row]":
        return super().get_queryset().filter(removed_at__isnull=True)


class Row(Clause):
    """Article 4 has one row per function: who owns it, and within which lines."""

    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="rows")
    function = models.ForeignKey(Function, on_delete=models.PROTECT, related_name="+")
    # The row's number for good: "4.12". Where it is listed is ``place``.
    position = models.PositiveSmallIntegerField()
    place = models.PositiveSmallIntegerField(default=0)
    # An Office key, "hybrid" when the sub-scopes have owners, or empty: nobody yet.
    owner = models.CharField(max_length=40, blank=True)
    scope_in = models.TextField(blank=True, max_length=2000)
    scope_out = models.TextField(blank=True, max_length=2000)
    consulted: "models.JSONField[Any]" = models.JSONField(default=list, blank=True)
    informed: "models.JSONField[Any]" = models.JSONField(default=list, blank=True)
    rationale = models.TextField(blank=True, max_length=2000)
    # A function may be left out of the boundary, but only with a reason.
    left_out_reason = models.TextField(blank=True, max_length=1000)
    # Settled by the CEO: the text is locked to a ruling, or to the order after a veto.
    ruling = models.ForeignKey(
        "Ruling", null=True, blank=True, on_delete=models.PROTECT, related_name="rows"
    )
    order = models.ForeignKey(
        "Veto", null=True, blank=True, on_delete=models.PROTECT, related_name="ordered_rows"
    )
    # A row removed from a draft stays here with all that was said about it, and is left out of
    # every list; adding its function again brings it back under its number.
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = RowManager()
    every = models.Manager["Row"]()

    class Meta:
        ordering = ["place", "position"]
        constraints = [
            models.UniqueConstraint(fields=["revision", "function"], name="row_function_once"),
            models.UniqueConstraint(fields=["revision", "position"], name="row_position_once"),
            models.CheckConstraint(
                condition=Q(left_out_reason="") | Q(owner=""), name="row_left_out_has_no_owner"
            ),
            models.CheckConstraint(
                condition=Q(ruling__isnull=True) | Q(order__isnull=True), name="row_settled_one_way"
            ),
        ]

    def __str__(self) -> str:
        return f"Row {self.reference}, {self.function.name}"

    @property
    def reference(self) -> str:
        """ "4.12": article 4, row 12. It stays with the function from Revision to Revision."""
        return f"4.{self.position}"

    @property
    def anchor(self) -> str:
        return f"row-{self.position}"

    @property
    def group(self) -> str:
        """Under which heading it is listed: its owner's key, "none" or "left_out"."""
        return "left_out" if self.left_out_reason else self.owner or "none"

    @property
    def is_settled(self) -> bool:
        """Locked to the CEO's ruling or order: it counts as agreed by all."""
        return self.ruling_id is not None or self.order_id is not None


class RowSubScope(models.Model):
    """A named part of a hybrid function with one owner; "shared" is not an owner."""

    row = models.ForeignKey(Row, on_delete=models.PROTECT, related_name="sub_scopes")
    key = models.SlugField(max_length=60)
    name = models.CharField(max_length=120)
    owner = models.CharField(max_length=40, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["row", "key"], name="row_sub_scope_key_once")
        ]

    def __str__(self) -> str:
        return self.name


class StateChange(models.Model):
    """The life of a Revision as its pages tell it: who did what, when and why."""

    # How the reason begins where nobody wrote one to all and the marks have theirs.
    MARKED = "Marked with a reason: "

    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="changes")
    verb = models.CharField(max_length=24)
    from_state = models.CharField(max_length=20, blank=True)
    to_state = models.CharField(max_length=20)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    by_name = models.CharField(max_length=120, blank=True)
    by_office = models.CharField(max_length=60, blank=True)
    at = models.DateTimeField()
    reason = models.TextField(blank=True, max_length=4000)

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.verb}: {self.from_state} to {self.to_state}"

    @property
    def reason_words(self) -> str:
        """The reason in quotation marks; without them where nobody said it in these words."""
        return self.reason if self.reason.startswith(self.MARKED) else f"“{self.reason}”"
