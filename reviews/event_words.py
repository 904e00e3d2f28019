"""Events of reviews in plain language."""

from audit.models import Event
from people.security_words import Known, Words, tell


def _review(words: str) -> Words:
    return lambda event, known: words.format(it=event.object_version)


def _reminded(event: Event, known: Known) -> str:
    told = event.data.get("person_ids") or []
    people = "person" if len(told) == 1 else "people"
    return f"reminded {len(told)} {people} of the review of {event.object_version}"


def register() -> None:
    """Called once the apps are loaded."""
    for name, words in {
        "review.scheduled": _review("scheduled the review of {it}"),
        "review.taken_over": _review("carried an open review over to {it}"),
        "review.replaced": _review("replaced the review of {it}: a later version came in force"),
        "review.reminded": _reminded,
    }.items():
        tell(name, words)
