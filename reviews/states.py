"""The kinds of reviews and the states of one."""

from django.db.models import TextChoices


class Kind(TextChoices):
    QUARTERLY = "quarterly", "Quarterly review"
    FULL = "full", "Annual full review"


class State(TextChoices):
    # Outcomes (reaffirm, amend, escalate) and closing come with the walking of rows.
    OPEN = "open", "Open"
    REPLACED = "replaced", "Replaced"
