"""What pages, look-ups and the API show of exceptions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db.models import Q, QuerySet
from django.urls import reverse

from functions_catalog.registry import Notice, Standing
from people.calendar import company_date
from people.models import Appointment, Person
from people.offices import office_short
from people.permissions import Act, entitling_appointments, may
from people.queries import accounts_of, who_acts_for
from people.templatetags.speech import day_words

from . import exceptions
from .exception_mails import about
from .models import BoundaryException, ExceptionAnswer, Revision
from .registry import Panel
from .states import ANSWERING, State

WORDS = {
    exceptions.Standing.REQUESTED: "Waits for approval",
    exceptions.Standing.RUNNING: "Running",
    exceptions.Standing.OVER: "Ended",
    exceptions.Standing.LAPSED: "Not answered in time",
    exceptions.Standing.REFUSED: "Refused",
    exceptions.Standing.TAKEN_BACK: "Taken back",
}
# The words of a list's filter, by its value in the address.
FILTERS = {
    "running": "Running",
    "requested": "Waiting for approval",
    "mine": "Waiting for me",
    "ended": "Ended",
}
SHOWN_IN_PANEL = 5


def readable(reader: Person, *, on: date) -> QuerySet[BoundaryException]:
    """Everybody reads what was granted; requests only who takes part, and who asked."""
    found = BoundaryException.objects.select_related(
        "row__function", "row__revision__document", "revision__document", "requested_by"
    ).prefetch_related("answers", "row__sub_scopes")
    if may(reader, Act.READ_DRAFT, on=on):
        return found
    return found.filter(
        Q(state=BoundaryException.State.GRANTED) | Q(requested_by__in=accounts_of(reader))
    )


def listed(
    reader: Person, *, wanted: str, on: date, revision: Revision | None = None
) -> QuerySet[BoundaryException]:
    """Those of a filter, the next to end first where they still hold, else the newest first."""
    found = readable(reader, on=on)
    if revision is not None:
        found = found.filter(revision=revision)
    States = BoundaryException.State
    holds = Q(expires_on__gt=on, revision__state__in=ANSWERING)
    if wanted == "running":
        return found.filter(holds, state=States.GRANTED).order_by("expires_on", "pk")
    if wanted == "requested":
        return found.filter(holds, state=States.REQUESTED).order_by("requested_at", "pk")
    if wanted == "mine":
        return found.filter(pk__in=[one.pk for one in waiting_for(reader, on=on)]).order_by(
            "requested_at", "pk"
        )
    if wanted == "ended":
        over = ~holds | Q(state__in=[States.REFUSED, States.TAKEN_BACK])
        return found.filter(over).order_by("-requested_at", "-pk")
    return found.order_by("-requested_at", "-pk")


def waiting_for(reader: Person, *, on: date) -> list[BoundaryException]:
    """The requests that ``reader`` may answer today; a handful of queries, however many."""
    entitled = entitling_appointments(reader, Act.ANSWER_EXCEPTION, on=on)
    if not entitled:
        return []
    found = list(
        BoundaryException.objects.filter(
            state=BoundaryException.State.REQUESTED,
            expires_on__gt=on,
            revision__state__in=ANSWERING,
        )
        .select_related("row__function", "revision__document", "requested_by")
        .prefetch_related("answers", "row__sub_scopes")
        .order_by("requested_at", "pk")
    )
    acting = who_acts_for({key for one in found for key in one.approvers} | {"ceo"}, on=on)
    return [
        one
        for one in found
        if any(
            held in entitled for held in exceptions.who_answers(one, on=on, acting=acting).values()
        )
    ]


@dataclass(frozen=True)
class Approval:
    """One approving Office: its answer, or whom it waits for."""

    office: str
    answer: ExceptionAnswer | None
    waits_for: str = ""  # "Priya Raman, CFO"; empty: the Office is vacant


@dataclass(frozen=True)
class Line:
    """An exception as every page shows it."""

    exception: BoundaryException
    standing: exceptions.Standing
    about: str
    last_day: date
    approvals: Sequence[Approval] = field(default_factory=tuple)

    @property
    def words(self) -> str:
        if self.standing == exceptions.Standing.OVER and self.ended_with_version:
            return "Ended with its version"
        return WORDS[self.standing]

    @property
    def ended_with_version(self) -> bool:
        return exceptions.ended_with_revision(self.exception)

    @property
    def is_open(self) -> bool:
        return self.standing == exceptions.Standing.REQUESTED


def lines(found: Iterable[BoundaryException], *, on: date) -> list[Line]:
    """The lines of exceptions whose Revision, row and answers are read: one query more."""
    found = list(found)
    acting = who_acts_for({key for one in found for key in one.approvers} | {"ceo"}, on=on)
    return [_line(one, acting, on=on) for one in found]


def _line(one: BoundaryException, acting: Mapping[str, Appointment], *, on: date) -> Line:
    standing = exceptions.standing_of(one, today=on)
    given = {answer.office: answer for answer in one.answers.all()}
    open_ = standing == exceptions.Standing.REQUESTED
    waiting = exceptions.who_answers(one, on=on, acting=acting) if open_ else {}
    return Line(
        exception=one,
        standing=standing,
        about=about(one),
        last_day=exceptions.ends_on(one) - timedelta(days=1),
        approvals=[
            Approval(
                office=key,
                answer=given.get(key),
                waits_for=f"{held.person.name}, {_label(held)}"
                if (held := waiting.get(key))
                else "",
            )
            for key in one.approvers
        ],
    )


def _label(held: Appointment) -> str:
    return f"Acting {held.office.short}" if held.acting else held.office.short


def panel(revision: Revision, reader: Person) -> Sequence[Panel]:
    """Beside what is in force: what runs and what is asked for."""
    if revision.in_force_from is None:
        return []
    from django.utils import timezone

    on = company_date(timezone.now())
    some = [
        one
        for wanted in ("running", "requested")
        for one in listed(reader, wanted=wanted, on=on, revision=revision)[: SHOWN_IN_PANEL + 1]
    ]
    answering = revision.state in ANSWERING
    shown = lines(some[:SHOWN_IN_PANEL], on=on)
    context = {
        "lines": shown,
        "more": len(some) > SHOWN_IN_PANEL,
        "revision": revision,
        "answering": answering,
        "may_ask": answering and may(reader, Act.REQUEST_EXCEPTION, on=on),
        "ended": listed(reader, wanted="ended", on=on, revision=revision).exists(),
    }
    return [Panel("boundaries/_exceptions_panel.html", context)]


def standings(keys: Sequence[str], reader: Person, on: date) -> Mapping[str, Sequence[Standing]]:
    """Beside look-up answers: the exceptions that hold on the as-of date. One query or two."""
    found = (
        BoundaryException.objects.filter(
            row__function__key__in=keys,
            state=BoundaryException.State.GRANTED,
            expires_on__gt=on,
        )
        .exclude(
            # By then another version rules.
            revision__document__in=Revision.objects.filter(
                state=State.APPROVED, effective_date__lte=on
            ).values("document")
        )
        .select_related("row__function", "revision__document")
        .prefetch_related("row__sub_scopes")
        .order_by("expires_on", "pk")
    )
    result: dict[str, list[Standing]] = {}
    for one in found:
        assert one.settled_at is not None  # noqa: S101 - granted ones say when
        if not company_date(one.settled_at) <= on < exceptions.ends_on(one):
            continue
        last_day = exceptions.ends_on(one) - timedelta(days=1)
        named = dict(exceptions.part_names(one.row)).get(one.part, "")
        result.setdefault(one.row.function.key, []).append(
            Standing(
                label=f"Exception until {day_words(last_day)}",
                note=f"{named}: {one.what}" if named else one.what,
                url=one.get_absolute_url(),
                url_words="Read the exception",
            )
        )
    return result


def notices(reader: Person, today: date) -> Sequence[Notice]:
    """What waits for the reader's answer."""
    return [
        Notice(
            title=f"{one.requested_by_name} asks for an exception to {about(one)}",
            text=f"Until {day_words(one.expires_on - timedelta(days=1))}. It holds only once "
            f"{' and '.join('the ' + office_short(key) for key in one.approvers)} approved it.",
            url=reverse("boundaries:exception", args=[one.pk]),
            url_words="Approve or refuse it",
        )
        for one in waiting_for(reader, on=today)
    ]
