"""``tell``: a piece of news for people, once each, shown and mailed as they chose."""

from collections.abc import Iterable
from datetime import datetime

from django.db import IntegrityError, transaction

from people.models import NewsByMail, Person

from .mail import queue
from .models import Notice

WHY_AT_ONCE = (
    "You asked for news by mail at once. Under Account, News by mail, you can get it hourly, "
    "daily or not at all."
)


@transaction.atomic
def tell(
    people: Iterable[Person],
    *,
    kind: str,
    key: str,
    title: str,
    text: str,
    path: str,
    at: datetime,
) -> None:
    """Tell each active person of ``people`` what happened at ``path`` ("/boundaries/NC-RB/4/...").

    ``key`` (up to 200 characters, such as "thread-812") names the news for ever: nobody is told the
    same twice. Whoever did it is left out by the caller. In the caller's transaction: what is taken
    back was never told. News is nobody's duty: what waits for a person's own act is a mail of its
    own (``notifications.mail.queue``).
    """
    chosen = {one.pk: one for one in people if one.is_active}
    told = set(
        Notice.objects.filter(key=key, person__in=chosen).values_list("person_id", flat=True)
    )
    for pk, person in chosen.items():
        if pk not in told:
            _tell_one(person, kind=kind, key=key, title=title, text=text, path=path, at=at)


def _tell_one(
    person: Person, *, kind: str, key: str, title: str, text: str, path: str, at: datetime
) -> None:
    by_mail = NewsByMail(person.news_by_mail)
    notice = Notice(
        person=person,
        key=key,
        kind=kind,
        title=_cut(title, 200),
        text=_cut(text, 4000),
        path=path,
        at=at,
        # Mailed below, or never: the digest takes up what is neither.
        mailed_at=at if by_mail in (NewsByMail.IMMEDIATE, NewsByMail.OFF) else None,
    )
    try:
        with transaction.atomic():
            notice.save(force_insert=True)
    except IntegrityError:
        # Only the race for the key is expected; anything else must still be heard of.
        if not Notice.objects.filter(person=person, key=key).exists():
            raise
        return
    if by_mail == NewsByMail.IMMEDIATE:
        queue(
            to=person,
            kind=kind,
            key=f"news-{notice.pk}",
            subject=notice.title,
            template="notice",
            context={
                "paragraphs": [notice.text] if notice.text else [],
                "action_label": "Open it",
                "action_path": f"/news/{notice.pk}/",
                "reason": WHY_AT_ONCE,
            },
            at=at,
        )


def _cut(words: str, limit: int) -> str:
    """Whole words up to ``limit`` characters, with an ellipsis where something is left out."""
    if len(words) <= limit:
        return words
    return words[: limit - 1].rsplit(" ", 1)[0] + "…"


def read_at_place(person: Person, paths: Iterable[str], *, at: datetime) -> int:
    """The person has opened these places: what was new there is read. Returns how many."""
    return Notice.objects.filter(person=person, path__in=list(paths), read_at__isnull=True).update(
        read_at=at
    )
