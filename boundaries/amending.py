"""What amending opens and what it leaves as it is: for whoever is about to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from people.templatetags.speech import day_words

from . import rulings
from .models import Revision
from .states import State


@dataclass(frozen=True)
class Opening:
    """What amending opens, what it leaves as it is, and who is told."""

    number: int
    opens: Sequence[str]
    stays: Sequence[str]


def what_amending_opens(revision: Revision, *, today: date) -> Opening:
    """What ``workflow.amend`` does with ``revision``, in sentences for whoever is about to."""
    newest = revision.document.revisions.order_by("-number").values_list("number", flat=True)[0]
    number, former = newest + 1, f"v{revision.number}"
    rows, articles = revision.rows.count(), revision.articles.count()
    copied = f"{rows} row{'' if rows == 1 else 's'} and {articles} articles"
    one_at_a_time = "Until it is in force or withdrawn, no other version can be opened."
    if revision.state == State.WITHDRAWN:
        return Opening(
            number,
            [
                f"Draft v{number} opens with the text of the withdrawn {former}: {copied}.",
                "All parties agree to each row and article anew.",
                one_at_a_time,
            ],
            [f"{former} stays withdrawn, with all that was said about it."],
        )
    opens = [
        f"Draft v{number} opens with everything that {former} says, word for word: {copied}.",
        "What stays as it is, each party confirms in one act; what is edited is agreed anew.",
    ]
    decided = rulings.standing_decisions(revision.document)
    if decided:
        which = ", ".join(f"dispute {one.dispute_id}" for one in decided)
        opens.append(
            f"What the CEO decided meanwhile enters the draft, locked to its terms: {which}."
        )
    opens += [
        "The parties and the RevOps Lead are told, and read it from the first moment.",
        one_at_a_time,
    ]
    stays = [
        f"{former} stays in force and answers look-ups until v{number} is signed and approved.",
        "Who owns what does not change by a draft; one that is withdrawn leaves no trace in it.",
    ]
    if revision.sunset_date is not None and revision.sunset_date > today:
        stays.append(
            f"The sunset stays {day_words(revision.sunset_date)}: only a full review starts a new "
            "year."
        )
    return Opening(number, opens, stays)
