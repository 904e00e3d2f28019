"""Named refusals of the review verbs. Each sentence is shown as it is."""

from typing import TYPE_CHECKING

from people.errors import Refused

if TYPE_CHECKING:
    from .models import Review


class ReviewNotOpen(Refused):
    """The review was closed or replaced."""

    code = "review_not_open"

    def __init__(self, review: "Review") -> None:
        super().__init__(f"The {review} is no longer open. {review.closed_reason}")


class NobodyToRemind(Refused):
    """Everybody else was reminded today already, or nobody else takes part."""

    code = "nobody_to_remind"
