"""What a signer has opened of the exact bytes: all of them, before anything is signed.

The PDF hands over everything at once. The page images do so one by one: whoever looks at those has
opened the document once each of its pages was handed over.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from people.models import Person

from .content import utc_text
from .models import Freeze, Reading


@dataclass(frozen=True)
class Opened:
    """What one person opened of one signing copy, and when for the first time."""

    pdf_at: datetime | None
    page_at: Mapping[int, datetime]
    pages: int  # how many the file has; 0 while no page image was opened

    @property
    def whole(self) -> bool:
        """Whether all of it was handed over: the PDF, or every page."""
        return self.pdf_at is not None or bool(self.pages and not self.missing)

    @property
    def missing(self) -> list[int]:
        """The pages that were not opened yet, where page images were."""
        return [n for n in range(1, self.pages + 1) if n not in self.page_at]

    @property
    def first_at(self) -> datetime | None:
        times = [*self.page_at.values(), *([self.pdf_at] if self.pdf_at else [])]
        return min(times, default=None)

    @property
    def whole_at(self) -> datetime | None:
        """Since when all of it had been handed over; None while something is missing."""
        ways = [self.pdf_at] if self.pdf_at else []
        if self.pages and not self.missing:
            ways.append(max(self.page_at.values()))
        return min(ways, default=None)

    def evidence(self) -> dict[str, Any]:
        """For the record: exactly what was opened, in UTC."""
        return {
            "pdf": utc_text(self.pdf_at) if self.pdf_at else None,
            "pages": self.pages,
            "page_images": {str(n): utc_text(at) for n, at in sorted(self.page_at.items())},
        }


def opened_by(person: Person, freeze: Freeze) -> Opened:
    """What ``person`` opened of the signing copy that ``freeze`` has now."""
    return opened_of(
        Reading.objects.filter(freeze=freeze, person=person, file_sha256=freeze.signing_copy_sha256)
    )


def opened_of(readings: Iterable[Reading]) -> Opened:
    """The same, from the readings of one person and file."""
    found = list(readings)
    return Opened(
        pdf_at=next((one.opened_at for one in found if not one.page), None),
        page_at={one.page: one.opened_at for one in found if one.page},
        pages=max((one.pages for one in found), default=0),
    )
