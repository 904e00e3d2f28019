"""How somebody reads: their time zone, how dates are written, how soon news is mailed."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from . import account_events
from .calendar import DATE_LANGUAGES
from .errors import Refused
from .models import NewsByMail, Person, check_time_zone


class UnknownSetting(Refused):
    """No such time zone, no such way to write dates or to mail news."""

    code = "unknown_setting"


class NotYourAccount(Refused):
    """What belongs to an account is changed by its owner only."""

    code = "not_your_account"


@transaction.atomic
def save_reading(
    *, person: Person, time_zone: str, date_language: str, acting_user: Person, at: datetime
) -> bool:
    """Keep the person's own time zone ("" is the company's) and language of dates.

    Returns whether anything changed; what stays as it was leaves no event.
    """
    if person.pk != acting_user.pk:
        raise NotYourAccount("People change their own account only.")
    person = Person.objects.select_for_update(no_key=True).get(pk=person.pk)
    try:
        check_time_zone(time_zone)
    except ValidationError as fault:
        raise UnknownSetting(fault.messages[0]) from fault
    if date_language not in dict(DATE_LANGUAGES):
        raise UnknownSetting("Choose one of the ways to write dates that the list names.")
    if (person.time_zone, person.date_language) == (time_zone, date_language):
        return False
    person.time_zone, person.date_language = time_zone, date_language
    person.save(update_fields=["time_zone", "date_language"])
    account_events.record(
        "person.reading_changed",
        person,
        actor=person,
        at=at,
        data={"time_zone": time_zone, "date_language": date_language},
    )
    return True


@transaction.atomic
def save_news_by_mail(
    *, person: Person, news_by_mail: str, acting_user: Person, at: datetime
) -> bool:
    """Keep how soon the person's news is mailed. Returns whether anything changed."""
    if person.pk != acting_user.pk:
        raise NotYourAccount("People change their own account only.")
    person = Person.objects.select_for_update(no_key=True).get(pk=person.pk)
    if news_by_mail not in NewsByMail.values:
        raise UnknownSetting("Choose one of the ways in which the list offers news by mail.")
    if person.news_by_mail == news_by_mail:
        return False
    person.news_by_mail = news_by_mail
    person.save(update_fields=["news_by_mail"])
    account_events.record(
        "person.news_by_mail_changed",
        person,
        actor=person,
        at=at,
        data={"news_by_mail": news_by_mail},
    )
    return True
