"""Events of the catalog in plain language."""

from audit.models import Event
from people.security_words import Known, Words, tell


def _named(words: str) -> Words:
    def told(event: Event, known: Known) -> str:
        data = event.data
        return words.format(
            function=data.get("name") or event.object_id,
            former=data.get("from"),
            name=data.get("to"),
            alias=data.get("alias"),
        )

    return told


def _loaded(event: Event, known: Known) -> str:
    added, updated = event.data.get("added") or [], event.data.get("updated") or []
    return f"loaded the standard catalog: {len(added)} added, {len(updated)} changed"


def register() -> None:
    """Called once the apps are loaded."""
    for name, words in {
        "catalog.loaded": _loaded,
        "function.added": _named("added the function {function}"),
        "function.renamed": _named("renamed the function {former} to {name}"),
        "function.retired": _named("retired the function {function}"),
        "function.alias_added": _named("added the alias “{alias}” to {function}"),
        "function.alias_removed": _named("removed the alias “{alias}” of {function}"),
    }.items():
        tell(name, words)
