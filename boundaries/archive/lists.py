"""What the archive's pages and API show."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from people.calendar import company_date
from people.models import Person
from people.permissions import Act, may

from ..models import Answer, Disposal, LegalHold, Revision, StoredFile
from ..registry import Panel
from ..states import ANSWERING, State
from . import disposal, holds, retention
from .due import SOON

# The words of the list's filter, by its value in the address.
FILTERS = {
    "all": "All",
    "due": "May be disposed of",
    "soon": "Within 90 days",
    "held": "Under a hold",
    "disposed": "Disposed of",
}


@dataclass(frozen=True)
class Line:
    """The record of one Revision."""

    revision: Revision
    ended_at: datetime | None
    kept_until: datetime | None
    holds: Sequence[LegalHold]
    disposal: Disposal | None  # that waits or was confirmed
    files: int = 0
    size: int = 0
    at: datetime | None = None

    @property
    def disposed_at(self) -> datetime | None:
        done = self.disposal
        return done.answered_at if done is not None and not done.waits else None

    @property
    def waits(self) -> bool:
        return self.disposal is not None and self.disposal.waits

    @property
    def in_time(self) -> bool:
        """The retention has ended, and its files are still there."""
        ended = self.kept_until is not None and self.at is not None and self.kept_until <= self.at
        return ended and self.disposed_at is None

    @property
    def is_due(self) -> bool:
        return self.in_time and not self.holds

    @property
    def is_soon(self) -> bool:
        return (
            self.kept_until is not None
            and self.at is not None
            and self.at < self.kept_until <= self.at + SOON
            and self.disposed_at is None
        )

    @property
    def rules(self) -> bool:
        return self.revision.state in ANSWERING


def recorded() -> QuerySet[Revision]:
    """Every Revision that was ever frozen: before that there is no record to keep."""
    return (
        Revision.objects.filter(freezes__isnull=False)
        .exclude(state=State.DRAFT)
        .select_related("document")
        .distinct()
        .order_by("document__number", "-number")
    )


def lines(found: Iterable[Revision], *, at: datetime) -> list[Line]:
    """The lines of Revisions whose document is read; always six queries."""
    return [_sized(line, sizes) for line, sizes in _with_sizes(_plain(list(found), at=at))]


def _plain(found: Sequence[Revision], *, at: datetime) -> list[Line]:
    """Without files and sizes; three queries."""
    counted = retention.terms()
    standing = list(holds.standing().order_by("pk"))
    decided = {
        one.revision_id: one
        for one in Disposal.objects.filter(answer__in=[Answer.WAITING, Answer.CONFIRMED])
    }
    return [
        Line(
            revision=one,
            ended_at=retention.ended_at(one),
            kept_until=counted.kept_until(one),
            holds=[hold for hold in standing if hold.document_id in (None, one.document_id)],
            disposal=decided.get(one.pk),
            at=at,
        )
        for one in found
    ]


def _with_sizes(found: Sequence[Line]) -> list[tuple[Line, Sequence[int]]]:
    names = disposal.file_names([line.revision.pk for line in found])
    every = {name for some in names.values() for name in some}
    sizes: Mapping[str, int] = dict(
        StoredFile.objects.filter(pk__in=every).values_list("sha256", "size")
    )
    return [
        (line, [sizes[name] for name in names[line.revision.pk] if name in sizes]) for line in found
    ]


def _sized(line: Line, sizes: Sequence[int]) -> Line:
    return replace(line, files=len(sizes), size=sum(sizes))


def wanted(show: str, *, at: datetime) -> list[int]:
    """Ids of the Revisions that the filter lets through, in order; four queries."""
    return [line.revision.pk for line in _plain(list(recorded()), at=at) if _passes(line, show)]


def _passes(line: Line, show: str) -> bool:
    if show == "due":
        return line.is_due
    if show == "soon":
        return line.is_soon
    if show == "held":
        return bool(line.holds)
    return show != "disposed" or line.disposed_at is not None


def of_ids(ids: Sequence[int], *, at: datetime) -> list[Line]:
    """The lines of these Revisions, in the order of ``ids``."""
    found = Revision.objects.filter(pk__in=ids).select_related("document")
    by_id = {one.pk: one for one in found}
    return lines([by_id[pk] for pk in ids], at=at)


def panel(revision: Revision, reader: Person) -> Sequence[Panel]:
    """Beside a Revision, for whoever reads the archive: until when it is kept, what holds it."""
    at = timezone.now()
    if revision.state == State.DRAFT or not may(reader, Act.READ_ARCHIVE, on=company_date(at)):
        return []
    (line,) = _plain([revision], at=at)
    return [Panel("boundaries/_archive_panel.html", {"line": line, "revision": revision})]
