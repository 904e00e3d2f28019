"""``tell``: owe somebody a mail. The words are ours; notifications, above, writes and sends it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from .models import Company, Person
from .signals import mail_due


@dataclass(frozen=True)
class Stranger:
    """Somebody without an account: a mail can still be owed to their address."""

    name: str
    email: str


def mail_goes_out(company: Company | None = None) -> bool:
    """Whether mails reach people: by a server, or on the demo's mailbox page.

    ``company`` saves a query to whoever has it.
    """
    if settings.EMAIL_BACKEND != "django.core.mail.backends.dummy.EmailBackend":
        return True
    company = company or Company.objects.first()
    return bool(company and company.is_demo)


def tell(
    to: Person | Stranger,
    *,
    kind: str,
    key: str,
    subject: str,
    paragraphs: Sequence[str],
    reason: str,
    at: datetime,
    action_label: str = "",
    action_path: str = "",
    rows: Sequence[Mapping[str, str]] = (),
    closing: Sequence[str] = (),
    sensitive: bool = False,
) -> None:
    """Owe ``to`` one mail of the template "notice", in the caller's transaction.

    ``key`` (up to 200 characters) names the mail for ever: a second one of the same key is not
    written. ``sensitive`` marks a mail with a secret in it (a link that opens an account): its
    text is wiped once it was sent. ``reason`` says why this person gets it.
    """
    context = {"paragraphs": paragraphs, "reason": reason, "rows": rows, "closing": closing}
    if action_path:
        context |= {"action_label": action_label, "action_path": action_path}
    mail_due.send(
        sender=None,
        to=to,
        kind=kind,
        key=key,
        subject=subject,
        context=context,
        sensitive=sensitive,
        at=at,
    )
