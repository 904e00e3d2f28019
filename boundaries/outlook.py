"""What this app adds to look-ups: approved text of a future date, standings, document links."""

from collections.abc import Mapping, Sequence
from datetime import date

from django.urls import reverse
from django.utils import timezone

from functions_catalog import registry
from functions_catalog.ownership import Answer
from functions_catalog.registry import Notice, Standing
from people.calendar import company_date
from people.models import Person
from people.offices import office_short
from people.permissions import Act, may
from people.templatetags.speech import day_words

from . import content as contents
from . import exception_lists, vetoes
from .models import Agreement, Freeze, Revision, Row
from .states import Stance, State
from .takeover import waiting_for


def expected(day: date) -> Mapping[str, Answer]:
    """The answers of every Revision that is approved and effective by ``day``."""
    found: dict[str, Answer] = {}
    frozen = Freeze.objects.filter(
        voided_at__isnull=True,
        revision__state=State.APPROVED,
        revision__effective_date__lte=day,
    )
    for one in frozen:
        for answer in contents.answers(contents.content_of(one)):
            found[answer.function_key] = answer
    return found


def standings(keys: Sequence[str], reader: Person, on: date) -> Mapping[str, Sequence[Standing]]:
    """ "Expired, not renewed" for everybody; "Vetoed", "Contested in draft v4" for some.

    Drafts are known to their readers only; one that was withdrawn leaves no trace.
    """
    found: dict[str, list[Standing]] = {}
    of_all = [_lapsed(keys, on)]
    # What a reader may read is settled today, whatever date was asked for.
    if may(reader, Act.READ_DRAFT, on=company_date(timezone.now())):
        of_all += [_vetoed(keys), _contested(keys)]
    for some in of_all:
        for key, standing in some.items():
            found.setdefault(key, []).append(standing)
    return found


def _lapsed(keys: Sequence[str], on: date) -> Mapping[str, Standing]:
    """What answers although its sunset had passed by ``on``, and nothing is to replace it."""
    rows = (
        Row.objects.filter(
            function__key__in=keys,
            left_out_reason="",
            revision__state=State.EXPIRED_UNRENEWED,
            revision__sunset_date__lte=on,
        )
        .exclude(
            revision__document__in=Revision.objects.filter(
                state=State.APPROVED, effective_date__lte=on
            ).values("document")
        )
        .select_related("function", "revision__document")
    )
    found = {}
    for row in rows:
        assert row.revision.sunset_date is not None  # noqa: S101 - filtered on it
        found[row.function.key] = Standing(
            label="Expired, not renewed",
            state="overdue",
            note=f"Its sunset was {day_words(row.revision.sunset_date)}. It answers until a new "
            "version is in force.",
            url=row.revision.get_absolute_url(),
            url_words="Read the version",
        )
    return found


def _vetoed(keys: Sequence[str]) -> Mapping[str, Standing]:
    return {
        function.key: Standing(
            label=f"Vetoed in draft v{veto.revision.number}",
            state="veto",
            note=f"{veto.person_name}, {veto.person_office}, vetoes the row. What is in force "
            "stands until then.",
            url=vetoes.path_of(veto.row),
            url_words="Read the veto",
        )
        for function, veto in vetoes.functions_vetoed(keys)
    }


def _contested(keys: Sequence[str]) -> Mapping[str, Standing]:
    contested = Agreement.objects.filter(
        stance=Stance.CONTESTED,
        withdrawn_at__isnull=True,
        row__function__key__in=keys,
        revision__state=State.DRAFT,
    ).select_related("row__function", "revision__document")
    found: dict[str, Standing] = {}
    for one in contested:
        assert one.row is not None  # noqa: S101 - filtered on it; this tells the type checker
        revision = one.revision
        standing = Standing(
            label=f"Contested in draft v{revision.number}",
            state="contested",
            note="What is in force stands until then.",
            url=f"{revision.get_absolute_url()}#{one.row.anchor}",
            url_words="Read the row",
        )
        found.setdefault(one.row.function.key, standing)
    return found


def document_link(document_number: str, revision_number: int, row: str) -> str:
    """The Revision's page, or the row in its frozen text."""
    page = "boundaries:text" if row else "boundaries:revision"
    url = reverse(page, args=[document_number, revision_number])
    return f"{url}#text-{row}" if row else url


def notices(reader: Person, today: date) -> Sequence[Notice]:
    """What the reader took over and has not answered yet; for the CEO, orders that are open."""
    orders = []
    if may(reader, Act.ORDER, on=today):
        orders = [
            Notice(
                title=f"The veto of row {one.row.reference} of {one.revision.reference} has stood "
                f"for {vetoes.ORDER_AFTER} business days",
                text=f"You may order that {one.row.function.name} go in as it is in force today.",
                url=vetoes.order_path_of(one.row),
                url_words="See what the order would do",
            )
            for one in vetoes.waiting_for_order(today=today)
        ]
    return [
        *orders,
        *(
            Notice(
                title=f"{one.predecessor_name} signed {one.revision.reference} for the Office of "
                f"the {office_short(one.office)}",
                text=f"Acknowledge it or ask for an amendment by {day_words(one.due_date)}.",
                url=reverse("boundaries:succession", args=[one.pk]),
                url_words="See what you take over",
            )
            for one in waiting_for(reader, on=today)
        ),
    ]


def register() -> None:
    registry.register_outlook(expected)
    registry.register_standings(standings)
    registry.register_document_link(document_link)
    registry.register_notices(notices)
    registry.register_standings(exception_lists.standings)
    registry.register_notices(exception_lists.notices)
