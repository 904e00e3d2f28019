"""Certificates that expire: the Administrator hears of each 60, 30 and 7 days before."""

import logging
from datetime import datetime, timedelta

from django.db import transaction

from notifications.mail import queue
from people.calendar import company_date
from people.offices import ADMINISTRATOR
from people.queries import who_acts_for
from people.templatetags.speech import day_words
from sealing.keys import CompanyKeys, expiries, fingerprint

from .pdf import company_keys

log = logging.getLogger(__name__)

DAYS_BEFORE = (7, 30, 60)
_WHAT = {
    "root": "the company’s authority (root), which certifies all other keys",
    "seal": "the organisation’s seal",
    "tsa": "the registry’s timestamps",
    "log": "the audit log’s checkpoints",
}


@transaction.atomic
def warn(*, at: datetime) -> None:
    """Queue the mails that are due; each of them once, however often this runs."""
    keys = company_keys()
    for name, certificate in expiries(keys):
        left = certificate.not_valid_after_utc - at
        reached = [days for days in DAYS_BEFORE if left <= timedelta(days=days)]
        if reached:
            _tell(keys, name, fingerprint(certificate), certificate.not_valid_after_utc,
                  days=reached[0], at=at)  # fmt: skip


def _tell(
    keys: CompanyKeys, name: str, sha256: str, ends: datetime, *, days: int, at: datetime
) -> None:
    acting = who_acts_for([ADMINISTRATOR], on=company_date(at)).get(ADMINISTRATOR)
    day = day_words(company_date(ends))
    if acting is None:
        log.error("The %s certificate expires on %s, and there is no Administrator", name, day)
        return
    verb = "expired" if ends <= at else "expires"
    root = " Its new fingerprint must then be published beside the former one."
    queue(
        to=acting.person,
        kind="key-expiry",
        key=f"key-expiry:{sha256[:32]}:{days}:{acting.person.pk}",
        subject=f"The {name} certificate of {keys.organisation} {verb} on {day}",
        template="notice",
        context={
            "paragraphs": [
                (
                    f"The certificate of {_WHAT[name]} {verb} on {day}. Without it nothing new is "
                    "sealed. What was sealed before stays genuine."
                ),
                (
                    f"Whoever runs the registry replaces it with: manage rotate_keys {name}."
                    f"{root if name == 'root' else ''}"
                ),
            ],
            "reason": f"You hold the Office of the {acting.office.title}.",
        },
        at=at,
    )
