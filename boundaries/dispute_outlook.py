"""What disputes and rulings add to look-ups: who decides meanwhile, and what the CEO decided."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from functions_catalog import registry
from functions_catalog.ownership import Answer
from functions_catalog.registry import Notice, Standing
from people.calendar import company_date, start_of_day
from people.models import Person
from people.permissions import Act, may, powers_of
from people.templatetags.speech import day_words

from . import rulings
from .dispute_mails import company_moment, decider_words
from .models import Dispute, DisputePage, Revision, Ruling
from .states import State


def expected(day: date) -> Mapping[str, Answer]:
    """The interim decisions that what is approved and effective by ``day`` does not hold."""
    approved = Revision.objects.filter(state=State.APPROVED, effective_date__lte=day)
    found: dict[str, Answer] = {}
    for revision in approved.select_related("document"):
        found |= rulings.expected_beside(revision)
    return found


def _url(dispute: Dispute, reads: bool) -> dict[str, str]:
    """The dispute's page is for readers of drafts; what follows from it is for everybody."""
    if not reads:
        return {}
    return {"url": dispute.get_absolute_url(), "url_words": "Read the dispute"}


def standings(keys: Sequence[str], reader: Person, on: date) -> Mapping[str, Sequence[Standing]]:
    """ "In dispute: the CFO decides until the ruling", "Interim decision of 2 Dec 2026"."""
    reads = may(reader, Act.READ_DRAFT, on=company_date(timezone.now()))
    found: dict[str, list[Standing]] = {}
    for ruling in _binding(keys, on):
        assert ruling.interim_from is not None  # noqa: S101 - filtered on it
        since = day_words(company_date(ruling.interim_from))
        found.setdefault(ruling.dispute.function.key, []).append(
            Standing(
                label="Interim decision",
                note=f"The CEO’s ruling of {since} binds beside the sealed text until a version "
                "that holds it comes in force.",
                **_url(ruling.dispute, reads),
            )
        )
    for dispute in _disputed(keys, on, drafts=reads):
        label = (
            "In dispute" if dispute.in_force else f"In dispute, draft v{dispute.revision.number}"
        )
        found.setdefault(dispute.function.key, []).append(
            Standing(
                label=label,
                state="contested",
                note=decider_words(dispute),
                **_url(dispute, reads),
            )
        )
    return found


def _end_of(on: date) -> datetime:
    return start_of_day(date.fromordinal(on.toordinal() + 1))


def _binding(keys: Sequence[str], on: date) -> list[Ruling]:
    """The interim decisions that bound on ``on``. One query."""
    end = _end_of(on)
    found = Ruling.objects.filter(
        Q(interim_until__isnull=True) | Q(interim_until__gte=end),
        dispute__function__key__in=keys,
        interim_from__lt=end,
    )
    return list(found.select_related("dispute__function"))


def _disputed(keys: Sequence[str], on: date, *, drafts: bool) -> list[Dispute]:
    """The disputes that were open at the end of ``on``; of drafts for their readers. One query.

    A draft that was withdrawn leaves no trace, on no date.
    """
    end = _end_of(on)
    found = Dispute.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gte=end),
        Q(in_force=True) | ~Q(revision__state=State.WITHDRAWN),
        function__key__in=keys,
        opened_at__lt=end,
    )
    if not drafts:
        found = found.filter(in_force=True)
    return list(found.select_related("function", "revision__document").order_by("pk"))


def notices(reader: Person, today: date) -> Sequence[Notice]:
    """The pages, rulings and names that the reader owes."""
    open_ones = list(
        Dispute.objects.filter(outcome=Dispute.Outcome.OPEN)
        .select_related("function")
        .order_by("pages_due_at", "pk")
    )
    if not open_ones:
        return []
    done = DisputePage.objects.filter(dispute__in=open_ones).exclude(
        filed_at__isnull=True, waived_at__isnull=True
    )
    in_already = set(done.values_list("dispute_id", "office"))
    powers, at = powers_of(reader, on=today), timezone.now()
    mine = {one.office.key for one in powers.by(Act.ESCALATE)}
    found = []
    for dispute in open_ones:
        owing = {key for key in dispute.parties if (dispute.pk, key) not in in_already}
        name = dispute.function.name
        url = reverse("boundaries:dispute", args=[dispute.pk])
        if dispute.shows_pages(at):
            if powers.may(Act.RULE):
                due = dispute.ruling_due_at
                until = f"Rule by {company_moment(due)}." if due else "The pages are open."
                found.append(Notice(f"Rule on {name}", until, url, "Read the pages and rule"))
        elif mine & owing:
            until = f"By {company_moment(dispute.pages_due_at)}. A page not filed counts as waived."
            found.append(Notice(f"File your page on {name}", until, url, "Write your page"))
        elif powers.may(Act.RULE) and not dispute.interim_decider:
            found.append(
                Notice(
                    f"Name who decides {name} until you rule",
                    "Nobody owns it, so nobody decides meanwhile.",
                    url,
                    "Name an Office",
                )
            )
    return found


def register() -> None:
    registry.register_outlook(expected)
    registry.register_standings(standings)
    registry.register_notices(notices)
