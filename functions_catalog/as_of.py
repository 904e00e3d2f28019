"""Reading the as-of date that people type and programs send."""

import re
from datetime import date, datetime

from .errors import BadDate

_ISO = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}")
# "20 Nov 2026", "20 November 2026", "Nov 20, 2026"
_IN_WORDS = ("%d %b %Y", "%d %B %Y", "%b %d %Y", "%B %d %Y")


def read_date(text: str, *, today: date) -> date:
    """The date that ``text`` means; empty and "today" mean ``today``. Raises ``BadDate``.

    "03/04/2026" is refused: half of the readers take it for April, the others for March.
    """
    text = " ".join(text.replace(",", " ").replace(".", " ").split())
    if not text or text.lower() == "today":
        return today
    if _ISO.fullmatch(text):
        year, month, day = (int(part) for part in text.split("-"))
        try:
            return date(year, month, day)
        except ValueError:
            raise BadDate(f"There is no {text} in the calendar.") from None
    for pattern in _IN_WORDS:
        try:
            return datetime.strptime(text, pattern).date()  # noqa: DTZ007 - a date has no zone
        except ValueError:
            continue
    example = f"{today.day} {today:%b %Y}"
    raise BadDate(f"Write the date as {today.isoformat()} or {example}.")
