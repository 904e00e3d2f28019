"""What a change of holder does to documents, said before it is recorded; and what a person signed.

Both are shown on pages of people, which know nothing of documents: ``people.registry``.
"""

from collections.abc import Sequence
from datetime import datetime

from django.urls import reverse
from django.utils import timezone

from people import registry
from people.calendar import add_business_days, company_country, company_date
from people.models import Appointment, Person
from people.offices import CEO
from people.queries import accounts_of
from people.registry import Effect, Fact, PlannedHolder
from people.templatetags.speech import day_words

from .agreeing import would_wait_for
from .clock import holiday_words
from .holders import Holders
from .models import Revision, Signature
from .parties import parties_of
from .states import ANSWERING, Role, State
from .succession import ANSWER_WITHIN

SIGNED_SHOWN = 5


def effects(planned: PlannedHolder) -> Sequence[Effect]:
    """What stays in force, who answers for it by when, and what waits for whom."""
    now = timezone.now()
    found: list[Effect] = []
    if not planned.acting:
        found += [*_in_force(planned, now), *_drafts(planned, now)]
    return [*found, *_frozen(planned, now)]


def _in_force(planned: PlannedHolder, now: datetime) -> list[Effect]:
    office = planned.office.key
    holders = Holders([office], today=company_date(now))
    signatures = Signature.objects.filter(
        role=Role.COSIGNER,
        voided_at__isnull=True,
        office=office,
        revision__state__in=ANSWERING,
    ).select_related("revision__document", "person")
    taken_over = [one for one in signatures if _would_be_new(planned, one, holders)]
    if not taken_over:
        return []
    country = company_country()
    first = max(planned.starts_on, company_date(now))
    due = add_business_days(first, ANSWER_WITHIN, country=country)
    named = " and ".join(one.revision.reference for one in taken_over)
    one_only = len(taken_over) == 1
    note = "; ".join(
        [
            f"{ANSWER_WITHIN} business days, {day_words(first)} counts as 0",
            *holiday_words(first, due, country=country),
        ]
    )
    return [
        Effect(
            f"{named} {'stays' if one_only else 'stay'} in force and "
            f"{'shows' if one_only else 'show'} “signed by the predecessor”"
        ),
        Effect(
            f"{planned.person.name} has until {day_words(due)} to acknowledge "
            f"{'it' if one_only else 'them'} or ask for an amendment",
            note=note,
        ),
    ]


def _would_be_new(planned: PlannedHolder, signature: Signature, holders: Holders) -> bool:
    return holders.is_new(
        _as_recorded(planned),
        given_by=signature.person.human_id,
        given_at=signature.signed_at,
    )


def _as_recorded(planned: PlannedHolder) -> Appointment:
    """The appointment as it would be: only asked about, never saved."""
    return Appointment(
        person=planned.person,
        office=planned.office,
        starts_on=planned.starts_on,
        ends_on=planned.ends_on,
        acting=planned.acting,
    )


def _drafts(planned: PlannedHolder, now: datetime) -> list[Effect]:
    found, today, successor = [], company_date(now), _as_recorded(planned)
    for draft in Revision.objects.filter(state=State.DRAFT).select_related("document"):
        for name, count in would_wait_for(draft, successor, today=today).items():
            agreements = "1 agreement" if count == 1 else f"{count} agreements"
            found.append(
                Effect(
                    f"{agreements} of {name} in draft v{draft.number} of {draft.document.title} "
                    f"{'waits' if count == 1 else 'wait'} for {planned.person.name}",
                    note=f"Marked as {name}’s, and not counted, until confirmed",
                    of_drafts=True,
                )
            )
    return found


def _frozen(planned: PlannedHolder, now: datetime) -> list[Effect]:
    """What is being signed goes on with whoever acts for the Office on that day."""
    office, today = planned.office, company_date(now)
    if planned.ends_on is not None and planned.ends_on <= today:
        return []
    found = []
    frozen = Revision.objects.filter(
        state__in=[State.COSIGNING, State.AWAITING_APPROVAL]
    ).select_related("document")
    title = f"Acting {office.short}" if planned.acting else f"the {office.short}"
    from_day = "" if planned.starts_on <= today else f" from {day_words(planned.starts_on)}"
    for revision in frozen:
        signed = revision.signatures.filter(voided_at__isnull=True, office=office.key)
        if office.key in parties_of(revision):
            if signed.exists():
                continue
            what = "signature"
        elif office.key == CEO:
            what = "approval"
        else:
            continue
        found.append(
            Effect(
                f"{revision.reference} waits for the {what} of {planned.person.name} as {title}"
                f"{from_day}",
                note="Signatures that were given stay valid",
                of_drafts=True,
            )
        )
    return found


def signed_by(person: Person) -> Sequence[Fact]:
    """The versions that a person signed, in whichever of their accounts, newest first."""
    signatures = (
        Signature.objects.filter(voided_at__isnull=True, person__in=accounts_of(person))
        .select_related("revision__document", "appointment__office")
        .order_by("-signed_at")
    )
    by_revision: dict[int, list[Signature]] = {}
    for one in signatures:
        by_revision.setdefault(one.revision_id, []).append(one)
    facts = []
    for some in list(by_revision.values())[:SIGNED_SHOWN]:
        revision = some[0].revision
        titles = " and ".join(one.appointment.title for one in some)
        facts.append(
            Fact(
                "You signed",
                f"{revision.reference} as {titles}, {day_words(company_date(some[0].signed_at))}",
                reverse("boundaries:revision", args=[revision.document.number, revision.number]),
            )
        )
    return facts


def signed_at(appointment: Appointment) -> Sequence[datetime]:
    """When signatures were given by an appointment; also those that were voided later."""
    given = Signature.objects.filter(appointment=appointment)
    return list(given.values_list("signed_at", flat=True))


def register() -> None:
    registry.register_acts(signed_at)
    registry.register_effects(effects)
    registry.register_account_facts(signed_by)
