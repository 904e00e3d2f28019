"""The digest: what is new, gathered in one mail for each person as they chose.

A sweep that may run at any time and twice at once. Who gets what is decided under a lock on the
person's account, and each notice is claimed by one update: it goes out in exactly one mail, or is
settled without one because it was read meanwhile or the person wants none.
"""

import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.urls import Resolver404, resolve

from people.calendar import MORNING, company_country, in_working_hours, written_for, zone_of
from people.models import NewsByMail, Person

from .mail import absolute, queue
from .models import Notice, OutgoingMail

logger = logging.getLogger(__name__)

KIND = "news-digest"
HOURLY = timedelta(hours=1)
# A mail shows so many; the rest stands in the registry.
MOST_SHOWN = 40

WHY = {
    NewsByMail.IMMEDIATE: "You asked for news by mail at once.",
    NewsByMail.HOURLY: "You get news by mail every hour in which there is any.",
    NewsByMail.DAILY: "You get news by mail every business day in the morning.",
}


def send_due(*, at: datetime) -> int:
    """Queue every digest that is due at ``at``; returns how many mails were queued."""
    owed = Notice.objects.filter(person=OuterRef("pk"), mailed_at__isnull=True, at__lte=at)
    sent = 0
    for person_id in Person.objects.filter(Exists(owed)).values_list("pk", flat=True):
        try:
            sent += send_one(person_id, at=at)
        except Exception:
            # One person's trouble keeps nobody else waiting; the next sweep tries again.
            logger.exception("no digest was written for person %s", person_id)
    return sent


@transaction.atomic
def send_one(person_id: int, *, at: datetime) -> bool:
    """Queue the digest of one person if it is due. Whether this call queued a mail."""
    person = Person.objects.select_for_update(no_key=True).get(pk=person_id)
    owed = Notice.objects.filter(person=person, mailed_at__isnull=True, at__lte=at)
    if not person.is_active or person.news_by_mail == NewsByMail.OFF:
        owed.update(mailed_at=at)
        return False
    # Read in the registry meanwhile: nothing is new about it.
    owed.filter(read_at__isnull=False).update(mailed_at=at)
    before = _until(person, at=at)
    if before is None:
        return False
    waiting = list(owed.filter(at__lte=before).order_by("at", "pk"))
    claimed = owed.filter(pk__in=[one.pk for one in waiting]).update(mailed_at=at)
    if not waiting:
        return False
    if claimed != len(waiting):
        # Another sweep was faster, against the lock: take nothing rather than tell twice.
        raise RuntimeError("notices were claimed by another digest")
    return _queue(person, waiting, at=at)


def _until(person: Person, *, at: datetime) -> datetime | None:
    """Up to when news goes into the digest that is due at ``at``; None where none is due."""
    if person.news_by_mail == NewsByMail.DAILY:
        zone = zone_of(person)
        if not in_working_hours(at, zone=zone, country=company_country()):
            return None
        morning = datetime.combine(at.astimezone(zone).date(), MORNING, tzinfo=zone)
        return None if _sent_since(person, morning) else morning
    return None if _sent_since(person, at - HOURLY, but_not_at=True) else at


def _sent_since(person: Person, moment: datetime, *, but_not_at: bool = False) -> bool:
    since = {"created_at__gt": moment} if but_not_at else {"created_at__gte": moment}
    return OutgoingMail.objects.filter(person=person, kind=KIND, **since).exists()


# --- The mail ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """What happened at one place, with the one link to it."""

    url: str
    notices: Sequence[Notice]


@dataclass(frozen=True)
class Group:
    """What happened in one document: "NC-RB-4"; without a name, elsewhere."""

    name: str
    places: Sequence[Place]


def document_of(path: str) -> str:
    """ "NC-RB-4" for a path about a Revision; "" where the address names none."""
    try:
        named = resolve(path.partition("#")[0]).kwargs
    except Resolver404:
        return ""
    if "number" not in named:
        return ""
    return f"{named['number']}-{named['n']}" if "n" in named else str(named["number"])


# "rows/3/thread/" and "#row-3": one place, its thread and its text.
_CLAUSE = re.compile(r"(row|article)(?:s/|-)(\d+)")


def place_of(path: str) -> str:
    found = _CLAUSE.search(path)
    return f"{found[1]}-{found[2]}" if found else path


def grouped(notices: Iterable[Notice]) -> list[Group]:
    """By document and, within it, by place; both in the order in which they were first heard of."""
    by_document: dict[str, dict[str, list[Notice]]] = {}
    for one in notices:
        places = by_document.setdefault(document_of(one.path), {})
        places.setdefault(place_of(one.path), []).append(one)
    return [
        # The link leads by way of the news, which are read by that.
        Group(name, [Place(absolute(f"/news/{told[0].pk}/"), told) for told in places.values()])
        for name, places in by_document.items()
    ]


def _queue(person: Person, notices: Sequence[Notice], *, at: datetime) -> bool:
    count = len(notices)
    mentions = sum(one.kind == "mention" for one in notices)
    subject = notices[0].title if count == 1 else f"{count} pieces of news"
    if count > 1 and mentions:
        subject += ", 1 mentions you" if mentions == 1 else f", {mentions} mention you"
    shown = notices[:MOST_SHOWN]
    with written_for(person):
        mail = queue(
            to=person,
            kind=KIND,
            # The oldest notice in it was claimed by this mail and by no other.
            key=f"{KIND}-{person.pk}-{notices[0].pk}",
            subject=subject,
            template="digest",
            context={
                "preheader": notices[0].title if count > 1 else notices[0].text,
                "groups": grouped(shown),
                "left_out": count - len(shown),
                "several": count > 1,
                "action_label": "Read the news",
                "action_path": "/news/",
                "reason": WHY[NewsByMail(person.news_by_mail)],
                "settings_url": absolute("/account/#news"),
            },
            at=at,
        )
    return mail is not None
