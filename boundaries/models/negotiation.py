"""What happens around a draft's text: earlier texts, vetoes, threads, marks, what was looked at."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from people.models import Appointment

from .document import Article, Revision, Row, StateChange

_ONE_CLAUSE = Q(row__isnull=False, article__isnull=True) | Q(
    row__isnull=True, article__isnull=False
)


class AboutAClause(models.Model):
    """Belongs to one row or one article of one Revision."""

    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="+")
    row = models.ForeignKey(
        Row, null=True, blank=True, on_delete=models.PROTECT, related_name="%(class)ss"
    )
    article = models.ForeignKey(
        Article, null=True, blank=True, on_delete=models.PROTECT, related_name="%(class)ss"
    )

    class Meta:
        abstract = True


class EarlierText(AboutAClause):
    """A text that an edit replaced, kept word for word: what agreements of then were given to."""

    version = models.PositiveIntegerField()
    # RowText or ArticleText as JSON; article 1 also has its two dates.
    text: "models.JSONField[Any]" = models.JSONField()
    written_by_name = models.CharField(max_length=120, blank=True)
    written_by_office = models.CharField(max_length=60, blank=True)
    written_at = models.DateTimeField(null=True, blank=True)
    replaced_at = models.DateTimeField()

    class Meta:
        ordering = ["version"]
        constraints = [
            models.CheckConstraint(condition=_ONE_CLAUSE, name="earlier_text_of_one_clause"),
            models.UniqueConstraint(
                fields=["row", "version"],
                condition=Q(row__isnull=False),
                name="earlier_text_of_row_once",
            ),
            models.UniqueConstraint(
                fields=["article", "version"],
                condition=Q(article__isnull=False),
                name="earlier_text_of_article_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.row or self.article}, version {self.version}"


class Veto(models.Model):
    """The CFO's veto of a row. Lifted by the CFO, or cleared by the CEO's order; never deleted."""

    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="vetoes")
    row = models.ForeignKey(Row, on_delete=models.PROTECT, related_name="vetoes")
    reason = models.TextField(max_length=2000)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    person_name = models.CharField(max_length=120)
    # "CFO" or "Acting CFO".
    person_office = models.CharField(max_length=60)
    appointment = models.ForeignKey(Appointment, on_delete=models.PROTECT, related_name="+")
    given_at = models.DateTimeField()
    # From the start of this day on the CEO may order what goes in.
    order_from = models.DateField()
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    lifted_by_name = models.CharField(max_length=120, blank=True)
    lifted_by_office = models.CharField(max_length=60, blank=True)
    lifted_word = models.TextField(max_length=2000, blank=True)
    ordered_at = models.DateTimeField(null=True, blank=True)
    ordered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    ordered_by_name = models.CharField(max_length=120, blank=True)
    ordered_by_office = models.CharField(max_length=60, blank=True)
    order_rationale = models.TextField(max_length=2000, blank=True)

    class Meta:
        ordering = ["given_at", "pk"]
        verbose_name_plural = "vetoes"
        constraints = [
            models.UniqueConstraint(
                fields=["row"],
                condition=Q(lifted_at__isnull=True, ordered_at__isnull=True),
                name="one_standing_veto_per_row",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="veto_has_a_reason"),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True) | Q(ordered_at__isnull=True),
                name="veto_ends_one_way",
            ),
        ]

    def __str__(self) -> str:
        return f"Veto of {self.row}"

    @property
    def stands(self) -> bool:
        return self.lifted_at is None and self.ordered_at is None


class ThreadEntry(AboutAClause):
    """A word in the thread of a row or article. Threads only grow."""

    class Kind(models.TextChoices):
        COMMENT = "comment", "Comment"
        PROPOSAL = "proposal", "Proposed change"
        RESOLVED = "resolved", "Resolved"
        REOPENED = "reopened", "Reopened"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    text = models.TextField(max_length=4000, blank=True)
    # Office keys that the text mentions as "@CFO".
    mentions: "models.JSONField[Any]" = models.JSONField(default=list, blank=True)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    person_name = models.CharField(max_length=120)
    person_office = models.CharField(max_length=60)
    office = models.CharField(max_length=40)
    written_at = models.DateTimeField()

    class Meta:
        ordering = ["written_at", "pk"]
        constraints = [
            models.CheckConstraint(condition=_ONE_CLAUSE, name="thread_entry_about_one_clause"),
            models.CheckConstraint(
                condition=~Q(kind="comment") | ~Q(text=""), name="comment_has_a_text"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_name} on {self.row or self.article}"


class Proposal(models.Model):
    """A changed text that a thread entry proposes; answered once."""

    class Answer(models.TextChoices):
        OPEN = "", "Open"
        ACCEPTED = "accepted", "Accepted"
        DECLINED = "declined", "Declined"
        TAKEN_BACK = "taken_back", "Taken back"

    entry = models.OneToOneField(ThreadEntry, on_delete=models.PROTECT, related_name="proposal")
    # The version of the clause that the proposal was written against, and its text as JSON.
    base_version = models.PositiveIntegerField()
    text: "models.JSONField[Any]" = models.JSONField()
    answer = models.CharField(max_length=12, choices=Answer.choices, blank=True, default="")
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    answered_by_name = models.CharField(max_length=120, blank=True)
    answered_by_office = models.CharField(max_length=60, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answer_word = models.TextField(max_length=2000, blank=True)

    def __str__(self) -> str:
        return f"Proposal on {self.entry.row or self.entry.article}"


class Look(AboutAClause):
    """How far a person has seen a clause and its thread. Overwritten at each look."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    version = models.PositiveIntegerField()
    # The Revision's activity at that moment: what came later is new.
    activity = models.PositiveIntegerField()
    looked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "row"], condition=Q(row__isnull=False), name="one_look_per_row"
            ),
            models.UniqueConstraint(
                fields=["person", "article"],
                condition=Q(article__isnull=False),
                name="one_look_per_article",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} at {self.row or self.article}"


class Mark(AboutAClause):
    """A row or article that a decline or return means, with the reason. Kept for ever."""

    change = models.ForeignKey(StateChange, on_delete=models.PROTECT, related_name="marks")
    reason = models.TextField(max_length=2000)
    by_name = models.CharField(max_length=120)
    by_office = models.CharField(max_length=60)
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "pk"]
        constraints = [
            models.CheckConstraint(condition=_ONE_CLAUSE, name="mark_on_one_clause"),
            models.CheckConstraint(condition=~Q(reason=""), name="mark_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"Mark on {self.row or self.article}"
