"""Telling an Office that an edit made it a party to a draft, or that it is none any more."""

from collections.abc import Sequence
from datetime import datetime

from notifications.news import tell
from people.calendar import company_date
from people.offices import office_short
from people.queries import who_acts_for

from .models import Row
from .parties import party_offices


def tell_parties(
    row: Row,
    before: Sequence[str],
    *,
    by_name: str,
    by_office: str,
    but: int,
    at: datetime,
    now: Sequence[str] | None = None,
) -> None:
    """Tell the Offices that joined or left the parties when ``row`` was written.

    ``before`` are the parties until then, ``now`` those since, where the caller knows them;
    ``but`` is the id of who wrote it, who knows.
    """
    revision = row.revision
    if now is None:
        now = party_offices(revision)
    changed = [key for key in (*now, *before) if (key in now) != (key in before)]
    holders = who_acts_for(changed, on=company_date(at)) if changed else {}
    for key in changed:
        joined, short = key in now, office_short(key)
        tell(
            [
                one.person
                for office, one in holders.items()
                if office == key and one.person_id != but
            ],
            kind="party",
            key=f"party-{row.pk}-{row.version}-{key}-{'joined' if joined else 'left'}",
            title=f"The {short} is {'now' if joined else 'no longer'} a party to "
            f"{revision.reference}",
            text=(
                f"{by_name}, {by_office}, gave the {short} {row}, or a part of it. Read the whole "
                "draft: its rows and articles need your agreement now, and your signature once it "
                "is frozen."
                if joined
                else f"{by_name}, {by_office}, gave the last function of the {short}, {row}, to "
                "another Office. Your agreements to the draft no longer count, and you will not be "
                "asked to sign it. You may still read and comment on it."
            ),
            path=f"{revision.get_absolute_url()}#{row.anchor}",
            at=at,
        )
