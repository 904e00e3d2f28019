"""``queue``: say something to somebody, once."""

import logging
from collections.abc import Mapping
from datetime import datetime
from email.utils import formataddr
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.utils import timezone
from kombu.exceptions import OperationalError

from people.calendar import company_date, company_zone, zone_of
from people.models import Company, Person
from people.queries import appointments_of
from people.telling import Stranger

from .models import OutgoingMail

logger = logging.getLogger(__name__)


def absolute(path: str) -> str:
    """The address of ``path`` ("/reviews/") as somebody outside reads it."""
    return f"{settings.PUBLIC_URL}{path}"


def queue(
    *,
    to: Person | Stranger,
    kind: str,
    key: str,
    subject: str,
    template: str,
    context: Mapping[str, Any],
    at: datetime,
    sensitive: bool = False,
) -> OutgoingMail | None:
    """Owe ``to`` one mail: written now, in the caller's transaction, and sent after its commit.

    ``key`` (up to 200 characters) names the mail for ever: where a mail of that key exists already,
    also one that another process is queuing, nothing happens and None comes back. None also for
    people who have been deactivated.

    ``template`` names ``notifications/mail/<template>.txt`` and ``.html``; the plain "notice" suits
    most mails. Both are rendered in the recipient's time zone. Besides ``context`` they see
    ``person``, ``heading`` (the subject unless given), ``company_name``, ``at`` and ``sent_to``;
    ``action_path`` becomes the absolute ``action_url``. See ``notifications/mail/base.html`` for
    what "notice" understands. A ``sensitive`` mail loses its text once it was sent.
    """
    person = to if isinstance(to, Person) else None
    if person is not None and not person.is_active:
        return None
    if OutgoingMail.objects.filter(key=key).exists():
        return None
    subject = " ".join(subject.split())[:200]
    text, html = _render(to=to, subject=subject, template=template, context=context, at=at)
    mail = OutgoingMail(
        key=key,
        kind=kind,
        person=person,
        name=to.name,
        address=to.email,
        subject=subject,
        text=text,
        html=html,
        sensitive=sensitive,
        message_id=message_id(key),
        created_at=at,
        not_before=at,
    )
    try:
        with transaction.atomic():
            mail.save(force_insert=True)
    except IntegrityError:
        # Only the key's race is expected; anything else must still be heard of.
        if not OutgoingMail.objects.filter(key=key).exists():
            raise
        return None
    transaction.on_commit(lambda: _hand_over(mail.pk))
    return mail


def on_mail_due(
    *,
    to: Person | Stranger,
    kind: str,
    key: str,
    subject: str,
    context: Mapping[str, Any],
    sensitive: bool,
    at: datetime,
    **_: Any,
) -> None:
    """What ``people.telling.tell`` asks for from below."""
    queue(
        to=to,
        kind=kind,
        key=key,
        subject=subject,
        template="notice",
        context=context,
        sensitive=sensitive,
        at=at,
    )


def message_id(key: str) -> str:
    """The Message-ID of the mail ``key``, the same however often it is sent."""
    host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    return f"<{sha256(key.encode()).hexdigest()[:40]}@{host}>"


def _render(
    *, to: Person | Stranger, subject: str, template: str, context: Mapping[str, Any], at: datetime
) -> tuple[str, str]:
    company = Company.objects.first()
    titles, zone = "", company_zone()
    if isinstance(to, Person):
        titles = " and ".join(one.title for one in appointments_of(to, on=company_date(at)))
        zone = zone_of(to)
    seen = {
        "person": to,
        "company_name": company.name if company else "",
        "subject": subject,
        "heading": subject,
        "sent_to": f"{to.name}, {titles}" if titles else to.name,
        "at": at,
        **context,
    }
    if "action_path" in seen:
        seen["action_url"] = absolute(seen["action_path"])
    with timezone.override(zone):
        text = render_to_string(f"notifications/mail/{template}.txt", seen)
        html = render_to_string(f"notifications/mail/{template}.html", seen)
    return _without_gaps(text), html


def _without_gaps(text: str) -> str:
    """Template tags leave empty lines behind: keep at most one between paragraphs."""
    lines: list[str] = []
    for line in (raw.rstrip() for raw in text.strip().splitlines()):
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines) + "\n"


def _hand_over(mail_id: int) -> None:
    """Ask a worker to send it now. Where no broker answers, the sweep sends it later."""
    from .tasks import deliver  # the task imports what this module defines

    try:
        deliver.delay(mail_id)
    except (OperationalError, OSError) as error:
        logger.warning("mail %s waits for the next sweep: no broker (%s)", mail_id, error)


def addressee(mail: OutgoingMail) -> str:
    """ "Maya Lindqvist <maya@northwind.example>", quoted as needed."""
    return formataddr((mail.name, mail.address))
