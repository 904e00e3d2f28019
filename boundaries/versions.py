"""Which versions of a document a reader may compare, and how each is spoken of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from people.models import Person
from people.templatetags.speech import day

from . import comparing, queries
from .content import Content, version_content
from .models import Revision
from .states import PUBLISHED, UNFINISHED, State


@dataclass(frozen=True)
class Compared:
    """Two versions, what they say and what changed between them."""

    before: Revision
    after: Revision
    before_content: Content
    after_content: Content
    result: comparing.Comparison

    @property
    def sentences(self) -> list[str]:
        """Where the two stand: "v2 was in force from ... to ..."."""
        return [
            standing_words(self.before, self.before_content),
            standing_words(self.after, self.after_content),
        ]


def readable_versions(document_number: str, reader: Person, *, on: date) -> list[Revision]:
    """The versions of a document that ``reader`` may read, the first one first."""
    found = queries.readable(reader, on=on).filter(document__number=document_number)
    return list(found.order_by("number"))


def usual_pair(versions: Sequence[Revision]) -> tuple[Revision, Revision]:
    """What is asked most: the version on its way, else the newest, against the one it replaces."""
    after = next((one for one in reversed(versions) if one.state in UNFINISHED), versions[-1])
    return former_of(after, versions) or after, after


def former_of(revision: Revision, versions: Sequence[Revision]) -> Revision | None:
    """The version that ``revision`` replaces; where it replaces none, the one before it."""
    earlier = [one for one in versions if one.number < revision.number]
    replaced = [one for one in earlier if one.pk == revision.supersedes_id]
    return (replaced or earlier)[-1] if earlier else None


def compared(before: Revision, after: Revision) -> Compared:
    """Compare two versions of one document. The number of queries does not grow with the rows."""
    was, now = version_content(before), version_content(after)
    return Compared(before, after, was, now, comparing.compare(was, now))


def changed_since_former(revision: Revision, content: Content) -> comparing.Comparison | None:
    """What changed since the version that ``revision`` replaces; None where it replaces none."""
    if revision.supersedes is None:
        return None
    return comparing.compare(version_content(revision.supersedes), content)


def label(revision: Revision) -> str:
    """ "v4, draft": how a version is listed."""
    word = {
        State.DRAFT: ", draft",
        State.COSIGNING: ", frozen",
        State.AWAITING_APPROVAL: ", frozen",
        State.APPROVED: ", approved",
        State.WITHDRAWN: ", withdrawn",
    }.get(State(revision.state), "")
    return f"v{revision.number}{word}"


def standing_words(revision: Revision, content: Content) -> str:
    """A sentence about where a version stands."""
    name = f"v{revision.number}"
    state = State(revision.state)
    if state == State.DRAFT:
        return f"{name} is a draft: it can still change, and nobody has signed it."
    if state == State.COSIGNING:
        return f"{name} is frozen and waits for signatures."
    if state == State.AWAITING_APPROVAL:
        return f"{name} is signed by {_parties(content)} and waits for the CEO’s approval."
    if state == State.WITHDRAWN:
        return f"{name} was withdrawn and never came in force."
    signed = f"signed by {_parties(content)} and approved by the CEO"
    if state == State.APPROVED:
        return f"{name}, {signed}, comes in force on {day(revision.effective_date)}."
    if state == State.SUPERSEDED:
        until = f"from {day(revision.in_force_from)} to {day(revision.in_force_until)}"
        return f"{name} was in force {until}."
    expired = (
        " Its sunset has passed without a renewal." if state == State.EXPIRED_UNRENEWED else ""
    )
    return f"{name}, {signed}, is in force since {day(revision.in_force_from)}.{expired}"


def is_frozen(revision: Revision) -> bool:
    """Whether its text can no longer change."""
    return revision.state in (*PUBLISHED, State.COSIGNING, State.AWAITING_APPROVAL)


def _parties(content: Content) -> str:
    shorts = [f"the {one['short']}" for one in content["parties"]]
    return " and ".join([", ".join(shorts[:-1]), shorts[-1]] if len(shorts) > 1 else shorts)
