"""Erasure of texts about a person, outside the retained record.

Erased are texts beside the log (with their salts), what mails to the person said and whereto, and
the words of their news. Kept is what belongs to the record of a Revision or says who held an
Office, what others did to the account within the last year, and whatever a legal hold may mean.
The Administrator asks for it; the Corporate Secretary or the CEO agrees, who is neither the
Administrator nor the person.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from audit.erasing import erase
from audit.models import ERASING_EVENT, Event, PersonalText
from notifications.models import Notice, OutgoingMail
from notifications.models import State as MailState
from people.calendar import company_date, date_words
from people.models import Appointment, Invitation, Person
from people.permissions import Act, require
from people.queries import accounts_of, same_human

from ..models import Answer, ErasureRequest
from . import holds, mails
from .errors import AlreadyAnswered, NothingToDo, TakesAnotherPerson
from .retention import years_later
from .two_people import (
    asked_values,
    record,
    refuse_own,
    required,
    reread,
    stand_in_line,
    write_answer,
)

# For so long claims may rest on what somebody did to another's account.
LIMITATION_YEARS = 1
OF_AN_ACCOUNT = frozenset({"session", "factor", "password", "invitation", "person", "token"})
OF_AN_OFFICE = frozenset({"appointment", "office"})
ERASED_ADDRESS = "erased@invalid"


@dataclass(frozen=True)
class Kept:
    """Texts that stay, and why."""

    why: str
    texts: int


@dataclass(frozen=True)
class Outlook:
    """What an erasure for a person would take away now, and what would stay."""

    texts: Sequence[Event] = ()
    mails: Sequence[int] = ()
    news: Sequence[int] = ()
    kept: Sequence[Kept] = field(default_factory=tuple)

    @property
    def is_empty(self) -> bool:
        return not (self.texts or self.mails or self.news)

    @property
    def counts(self) -> dict[str, int]:
        return {"texts": len(self.texts), "mails": len(self.mails), "news": len(self.news)}


def outlook(person: Person, *, at: datetime) -> Outlook:
    """Worked out anew each time: a hold, or a year gone by, changes it."""
    accounts = accounts_of(person)
    standing = list(holds.standing())
    on_all = [one for one in standing if one.document_id is None]
    erasable: list[Event] = []
    kept: dict[str, int] = {}
    for event in _with_text(accounts):
        why = _why_kept(event, accounts, at=at)
        if not why and on_all:
            why = f"{holds.named(on_all)} stands"
        if why:
            kept[why] = kept.get(why, 0) + 1
        else:
            erasable.append(event)
    sent = _mails(accounts).values_list("pk", flat=True)
    news = _news(accounts).values_list("pk", flat=True)
    if standing:
        # They may speak of what is held: nobody reads them all to find out.
        why = f"Mails and news may speak of what is held: {holds.named(standing)}"
        kept |= {why: len(sent) + len(news)} if sent or news else {}
        sent, news = sent.none(), news.none()
    return Outlook(
        texts=erasable,
        mails=list(sent),
        news=list(news),
        kept=[Kept(why, count) for why, count in sorted(kept.items())],
    )


def _with_text(accounts: Sequence[int]) -> QuerySet[Event]:
    """The events about the person, or by them, whose text is still there."""
    addresses = Person.objects.filter(pk__in=accounts).values_list("email", flat=True)
    invited = Invitation.objects.filter(Q(person__in=accounts) | Q(email__in=list(addresses)))
    about = Q(actor_id__in=accounts)
    about |= Q(object_type="person", object_id__in=[str(pk) for pk in accounts])
    about |= Q(
        object_type="invitation",
        object_id__in=[str(pk) for pk in invited.values_list("pk", flat=True)],
    )
    for pk in accounts:
        about |= Q(data__person_id=pk)
    text = PersonalText.objects.filter(sequence=OuterRef("sequence"))
    return Event.objects.filter(about, Exists(text)).order_by("sequence")


def _mails(accounts: Sequence[int]) -> QuerySet[OutgoingMail]:
    addresses = Person.objects.filter(pk__in=accounts).values("email")
    sent = OutgoingMail.objects.filter(Q(person__in=accounts) | Q(address__in=addresses))
    return sent.filter(state=MailState.SENT).exclude(address=ERASED_ADDRESS).order_by("pk")


def _news(accounts: Sequence[int]) -> QuerySet[Notice]:
    return Notice.objects.filter(person__in=accounts).exclude(kind="erased").order_by("pk")


def _why_kept(event: Event, accounts: Sequence[int], *, at: datetime) -> str:
    kind = event.event.partition(".")[0]
    if kind in OF_AN_OFFICE:
        return "It says who held an Office, on which signatures rest"
    if kind not in OF_AN_ACCOUNT:
        of = f" of {event.object_version}" if event.object_version else ""
        return f"It belongs to the retained record{of}"
    until = years_later(event.at, LIMITATION_YEARS)
    if event.actor_id is not None and event.actor_id not in accounts and at < until:
        return (
            "Somebody else acted on the account less than a year ago: it may be needed to judge "
            "that"
        )
    return ""


# --- The verbs --------------------------------------------------------------------------------


@transaction.atomic
def ask(*, person: Person, reason: str, acting_user: Person, at: datetime) -> ErasureRequest:
    """Ask for an erasure on behalf of ``person``; ``reason`` names the request, not the texts."""
    stand_in_line()
    held = require(acting_user, Act.ASK_ERASURE, on=company_date(at))
    reason = required(reason, "Name the request: how and when the person asked for it.")
    if ErasureRequest.objects.filter(person=person, answer=Answer.WAITING).exists():
        raise AlreadyAnswered(f"An erasure for {person.name} waits already.")
    if outlook(person, at=at).is_empty:
        raise NothingToDo(f"Nothing about {person.name} can be erased now.")
    one = ErasureRequest(person=person, **asked_values(acting_user, held, reason=reason, at=at))
    one.save(force_insert=True)
    _tell("erasure.asked", one, acting_user, held, at)
    mails.asked(
        one,
        about=str(one),
        words=f"asks to erase texts about {person.name}. Its page says which, and what stays.",
        path=one.get_absolute_url(),
        act=Act.AGREE_ERASURE,
        at=at,
    )
    return one


@transaction.atomic
def agree(*, request: ErasureRequest, acting_user: Person, at: datetime) -> ErasureRequest:
    """Agree: what may be erased now is erased, in this transaction. It cannot be taken back."""
    one = reread(request)
    held = require(acting_user, Act.AGREE_ERASURE, on=company_date(at))
    refuse_own(one, acting_user)
    if same_human(one.person, acting_user):
        raise TakesAnotherPerson(
            "It is about you, so another person has to agree to it: the Corporate Secretary or the "
            "CEO, whichever you are not."
        )
    found = outlook(one.person, at=at)
    if found.is_empty:
        raise NothingToDo(
            f"Nothing about {one.person.name} can be erased now. Refuse it, with the reason."
        )
    one.erased = found.counts
    write_answer(one, Answer.CONFIRMED, acting_user=acting_user, held=held, at=at, also=["erased"])
    by = record(
        ERASING_EVENT,
        object_type="person",
        object_id=one.person_id,
        acting_user=acting_user,
        held=held,
        at=at,
        data={
            "request": one.pk,
            "asked_by": one.asked_by_name,
            **found.counts,
            "events": [event.sequence for event in found.texts],
        },
    )
    erase([event.sequence for event in found.texts], by=by, at=at)
    _wipe(found, at=at)
    mails.answered(one, about=str(one), path=one.get_absolute_url(), at=at)
    mails.erased(one, one.person, words=erased_words(one), kept=_kept_words(found), at=at)
    return one


def _wipe(found: Outlook, *, at: datetime) -> None:
    on = date_words(company_date(at))
    OutgoingMail.objects.filter(pk__in=found.mails).update(
        subject=f"Erased on {on}",
        text=f"What this mail said was erased on {on}.\n",
        html=f"<p>What this mail said was erased on {on}.</p>",
        address=ERASED_ADDRESS,
        last_error="",
    )
    Notice.objects.filter(pk__in=found.news).update(title=f"Erased on {on}", text="", kind="erased")


def erased_words(one: ErasureRequest) -> str:
    """ "Erased were 3 texts beside the log, what 12 mails said, and 5 pieces of news." """
    texts, sent, news = (one.erased.get(key, 0) for key in ("texts", "mails", "news"))
    return (
        f"Erased were {texts} text{'' if texts == 1 else 's'} beside the log, what {sent} "
        f"mail{'' if sent == 1 else 's'} said, and {news} piece{'' if news == 1 else 's'} of news."
    )


def _kept_words(found: Outlook) -> str:
    if not found.kept:
        return "Your account's name and address stay: signatures and the log name the account."
    why = "; ".join(f"{one.why} ({one.texts})" for one in found.kept)
    return f"Kept, and why: {why}. Your account's name and address stay too."


@transaction.atomic
def refuse(
    *, request: ErasureRequest, word: str, acting_user: Person, at: datetime
) -> ErasureRequest:
    """Refuse the erasure, with a word."""
    one = reread(request)
    held = require(acting_user, Act.AGREE_ERASURE, on=company_date(at))
    word = required(word, "Say in a sentence why you refuse it.")
    write_answer(one, Answer.REFUSED, acting_user=acting_user, held=held, at=at, word=word)
    _tell("erasure.refused", one, acting_user, held, at)
    mails.answered(one, about=str(one), path=one.get_absolute_url(), at=at)
    return one


@transaction.atomic
def take_back(*, request: ErasureRequest, acting_user: Person, at: datetime) -> ErasureRequest:
    """The Administrator takes the request back; nothing is erased."""
    one = reread(request)
    held = require(acting_user, Act.ASK_ERASURE, on=company_date(at))
    write_answer(one, Answer.TAKEN_BACK, acting_user=acting_user, held=held, at=at)
    _tell("erasure.taken_back", one, acting_user, held, at)
    return one


def _tell(
    event: str,
    one: ErasureRequest,
    acting_user: Person,
    held: Sequence[Appointment],
    at: datetime,
) -> None:
    record(
        event,
        object_type="erasure",
        object_id=one.pk,
        acting_user=acting_user,
        held=held,
        at=at,
        data={"person_id": one.person_id},
    )
