"""What a document tells to whom: asked to sign, asked to approve, back to draft, in force.

Every mail has a key made of the Revision, its freeze and the person, so that whatever runs twice
says it once.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from functions_catalog.ownership import Answer, FunctionChange, OwnershipChange
from notifications.mail import queue
from people.calendar import business_days_between, company_country, company_date
from people.models import Appointment, Person
from people.offices import CEO, REVOPS_LEAD, office_short
from people.queries import holder_of, who_acts_for
from people.templatetags.speech import day_words

from .holders import came_to_count_at, ceos
from .models import Freeze, Revision
from .parties import Absence, absences, parties_of, party_offices
from .states import State, Verb

# A signature is asked for again after this many business days, and escalated to the CEO later.
REMIND_EVERY = 2
ESCALATE_AFTER = 5


def _path(revision: Revision, page: str = "") -> str:
    return revision.get_absolute_url() + page


def _tell(
    appointments: Iterable[Appointment],
    revision: Revision,
    *,
    kind: str,
    subject: str,
    paragraphs: Sequence[str],
    action_label: str,
    action_path: str,
    reason: str,
    at: datetime,
    rows: Sequence[Mapping[str, str]] = (),
    occasion: str = "",
) -> None:
    """Queue one mail to each distinct person behind ``appointments``."""
    people: dict[int, Person] = {one.person_id: one.person for one in appointments}
    for person in people.values():
        queue(
            to=person,
            kind=kind,
            key=f"{kind}:{revision.reference}:{occasion}:{person.pk}",
            subject=subject,
            template="notice",
            context={
                "paragraphs": paragraphs,
                "action_label": action_label,
                "action_path": action_path,
                "rows": rows,
                "reason": reason,
            },
            at=at,
        )


def _occasion(revision: Revision) -> str:
    """Which freeze it is about: declined and frozen again is asked again."""
    return f"freeze-{revision.freezes.count()}"


def signature_asked(revision: Revision, *, parties: Sequence[str], at: datetime) -> None:
    """The text is frozen: ask every party to sign it."""
    today = company_date(at)
    asked = who_acts_for(parties, on=today).values()
    approving = ceos(today)
    _ask_to_sign(
        [one for one in asked if one.person.human_id not in approving],
        revision,
        occasion=_occasion(revision),
        at=at,
    )
    _ask_for_stand_ins([one for one in asked if one.person.human_id in approving], revision, at=at)


def _ask_to_sign(
    asked: Iterable[Appointment], revision: Revision, *, occasion: str, at: datetime
) -> None:
    _tell(
        asked,
        revision,
        kind="signature-asked",
        subject=f"{revision.reference} waits for your signature",
        paragraphs=[
            (
                f"The text of {revision.document.title}, version {revision.number}, is frozen. "
                "Open it, check the fingerprint, and sign it or say why you cannot."
            )
        ],
        action_label=f"Read and sign version {revision.number}",
        action_path=_path(revision, "sign/"),
        reason=f"You are a party to {revision.document.number}.",
        at=at,
        occasion=occasion,
    )


def _ask_for_stand_ins(held: Sequence[Appointment], revision: Revision, *, at: datetime) -> None:
    """The CEO holds a party's Office and cannot sign for it: ask for a stand-in, not to sign."""
    for one in held:
        _tell(
            [one],
            revision,
            kind="stand-in-needed",
            subject=f"{revision.reference} needs an Acting {one.office.short} to sign it",
            paragraphs=[
                (
                    f"{revision.document.title}, version {revision.number}, is frozen. You approve "
                    f"it as CEO, so you cannot sign it for the Office of the {one.office.short}. "
                    f"Have another person named Acting {one.office.short}."
                )
            ],
            action_label=f"Read version {revision.number}",
            action_path=_path(revision),
            reason=f"You hold the Office of the {one.office.short}.",
            at=at,
            occasion=f"{_occasion(revision)}:{one.office.key}",
        )


def ask_whoever_signs_today(*, at: datetime) -> None:
    """Ask those who act today for an Office that owes a signature and were not asked before.

    An Office that changes hands between freezing and signing is signed by its holder of that day.
    Idempotent: each person is asked once in a freeze, and once more for an Office that came to them
    after they had signed for another.
    """
    waiting = Revision.objects.filter(
        state__in=[State.COSIGNING, State.AWAITING_APPROVAL]
    ).select_related("document")
    for revision in waiting:
        if revision.state == State.AWAITING_APPROVAL:
            approval_asked(revision, at=at)
        else:
            _ask_parties_of_today(revision, at=at)


def _ask_parties_of_today(revision: Revision, *, at: datetime) -> None:
    signatures = list(revision.signatures.filter(voided_at__isnull=True).select_related("person"))
    signed = {one.office for one in signatures}
    owing = [key for key in parties_of(revision) if key not in signed]
    again = {one.person.human_id for one in signatures}
    asked = who_acts_for(owing, on=company_date(at))
    approving = ceos(company_date(at))
    for one in asked.values():
        if one.person.human_id in approving:
            _ask_for_stand_ins([one], revision, at=at)
        else:
            more = f":{one.office.key}" if one.person.human_id in again else ""
            _ask_to_sign([one], revision, occasion=f"{_occasion(revision)}{more}", at=at)


def approval_asked(revision: Revision, *, at: datetime) -> None:
    """All parties have signed: ask the CEO."""
    ceo = holder_of(CEO, on=company_date(at))
    _tell(
        [ceo] if ceo else [],
        revision,
        kind="approval-asked",
        subject=f"{revision.reference} waits for your approval",
        paragraphs=[
            (
                f"All parties have signed {revision.document.title}, version {revision.number}. "
                "Approve exactly what they signed, or return it with your reasons."
            )
        ],
        action_label=f"Read and approve version {revision.number}",
        action_path=_path(revision, "approve/"),
        reason=f"You approve {revision.document.number}.",
        at=at,
        occasion=_occasion(revision),
    )


def approved(revision: Revision, *, at: datetime) -> None:
    """Approved, but not yet effective: tell the parties and the RevOps Lead from when it rules."""
    assert revision.effective_date is not None  # noqa: S101 - frozen text has one
    told = who_acts_for([*parties_of(revision), REVOPS_LEAD], on=company_date(at))
    _tell(
        told.values(),
        revision,
        kind="approved",
        subject=f"{revision.reference} is approved",
        paragraphs=[
            (
                f"The CEO approved {revision.document.title}, version {revision.number}. "
                f"It comes in force on {day_words(revision.effective_date)}; until then what is "
                "in force stands."
            )
        ],
        action_label="Read it",
        action_path=_path(revision),
        reason=f"You take part in {revision.document.number}.",
        at=at,
    )


def back_to_draft(
    revision: Revision, *, by: Appointment, reason: str, verb: Verb, at: datetime
) -> None:
    """Declined, returned or withdrawn: tell everybody who had a part in it, with the reason."""
    done = {
        Verb.DECLINE: ("declined to sign", "It is a draft again; signatures given are void."),
        Verb.RETURN: ("returned", "It is a draft again; signatures given are void."),
        Verb.WITHDRAW: ("withdrew", "It goes no further; what is in force stands."),
    }
    act, effect = done[verb]
    told = who_acts_for([*party_offices(revision), CEO, REVOPS_LEAD], on=company_date(at))
    others = [one for one in told.values() if one.person_id != by.person_id]
    _tell(
        others,
        revision,
        kind=f"revision-{verb.value.replace('_', '-')}",
        subject=f"{by.person.name}, {by.title}, {act} {revision.reference}",
        paragraphs=[
            f"{by.person.name}, {by.title}, {act} {revision.reference}: “{reason}”",
            effect,
        ],
        action_label="Open it",
        action_path=_path(revision),
        reason=f"You take part in {revision.document.number}.",
        at=at,
        occasion=f"{_occasion(revision)}:{at.isoformat()}",
    )


def in_force(revision: Revision, *, change: OwnershipChange, at: datetime) -> None:
    """Tell each Office what it gained or lost, and ask the RevOps Lead to acknowledge."""
    gained, lost = change.gained(), change.lost()
    offices = {*gained, *lost}
    holders = who_acts_for([*offices, REVOPS_LEAD], on=company_date(at))
    by_person: dict[int, list[Appointment]] = {}
    for key in sorted(offices & set(holders)):
        by_person.setdefault(holders[key].person_id, []).append(holders[key])
    for held in by_person.values():
        rows = [
            *_rows("Gained", held, gained),
            *_rows("Given up", held, lost),
        ]
        titles = " and ".join(one.title for one in held)
        _tell(
            held[:1],
            revision,
            kind="in-force",
            subject=f"{revision.reference} is in force: what changed for the {titles}",
            paragraphs=[
                (
                    f"{revision.document.title}, version {revision.number}, came in force today. "
                    "These are the functions that came to you or left you."
                )
            ],
            rows=rows,
            action_label="Read what is in force",
            action_path=_path(revision),
            reason=f"You hold the Office of the {titles}.",
            at=at,
        )
    lead = holders.get(REVOPS_LEAD)
    if lead is not None and revision.acknowledgement_due_date is not None:
        _tell(
            [lead],
            revision,
            kind="acknowledgement-asked",
            subject=f"Acknowledge {revision.reference} with your execution plan",
            paragraphs=[
                (
                    f"{revision.document.title}, version {revision.number}, is in force and "
                    "changed who owns what. Acknowledge it with milestones for days 1-30, 31-60 "
                    f"and 61-90, by {day_words(revision.acknowledgement_due_date)}."
                )
            ],
            action_label="Write the execution plan",
            action_path=_path(revision, "acknowledge/"),
            reason="You are the RevOps Lead.",
            at=at,
        )


def _rows(
    word: str, held: Sequence[Appointment], by_office: Mapping[str, Sequence[FunctionChange]]
) -> list[dict[str, str]]:
    """One line per function: its name, from whom to whom."""
    rows = []
    for one in held:
        for change in by_office.get(one.office.key, ()):
            before = _owner_words(change.before)
            after = _owner_words(change.after)
            note = f"from {before} to {after}" if change.before else f"now with {after}"
            rows.append({"title": change.name, "note": note, "aside": word})
    return rows


def _owner_words(answer: Answer | None) -> str:
    """ "the CFO", "the CRO and the COO", "nobody"."""
    if answer is None:
        return "nobody"
    return " and ".join(f"the {office_short(key)}" for key in answer.owners)


def remind_waiting(*, at: datetime) -> None:
    """Remind whoever a frozen Revision waits for; tell the CEO of one that stalls.

    Every second business day since it began to wait, once each; from the fifth business day on
    the CEO hears which signatures are missing.
    """
    waiting = Freeze.objects.filter(
        voided_at__isnull=True, revision__state__in=[State.COSIGNING, State.AWAITING_APPROVAL]
    ).select_related("revision__document")
    for freeze in waiting:
        _remind(freeze, at=at)


def _remind(freeze: Freeze, *, at: datetime) -> None:
    revision, today = freeze.revision, company_date(at)
    since, country = company_date(revision.state_since), company_country()
    days = business_days_between(since, today, country=country)
    if days < REMIND_EVERY:
        return
    step = days - days % REMIND_EVERY
    if revision.state == State.AWAITING_APPROVAL:
        offices, page, what = [CEO], "approve/", "approval"
    else:
        signed = set(
            revision.signatures.filter(voided_at__isnull=True).values_list("office", flat=True)
        )
        offices = [key for key in parties_of(revision) if key not in signed]
        page, what = "sign/", "signature"
    holders = who_acts_for([*offices, CEO], on=today)
    occasion = f"freeze-{freeze.number}:{revision.state}:{step}"
    waited = (
        f"{revision.document.title}, version {revision.number}, has waited {days} business days, "
        f"since {day_words(since)}."
    )
    missing_parties = [one for one in absences() if one.office.key in offices]
    if missing_parties:
        _say_that_nobody_can_sign(
            freeze, missing_parties, waited=waited, occasion=occasion, today=today, at=at
        )
        return
    approving = ceos(today) if revision.state == State.COSIGNING else set()
    _tell(
        [
            one
            for key, one in holders.items()
            if key in offices
            and one.person.human_id not in approving
            and _has_owed_it_long_enough(one, today=today, country=country)
        ],
        revision,
        kind="waiting-reminder",
        subject=f"{revision.reference} still waits for your {what}",
        paragraphs=[waited],
        action_label=f"Read version {revision.number}",
        action_path=_path(revision, page),
        reason=f"{revision.reference} cannot go on without your {what}.",
        at=at,
        occasion=occasion,
    )
    if revision.state == State.COSIGNING and days >= ESCALATE_AFTER and CEO in holders:
        missing = ", ".join(office_short(key) for key in offices)
        _tell(
            [holders[CEO]],
            revision,
            kind="signature-stalled",
            subject=f"{revision.reference} stalls: {missing} not signed",
            paragraphs=[
                (
                    f"{revision.document.title}, version {revision.number}, has waited {days} "
                    f"business days for these signatures: {missing}. They were reminded."
                )
            ],
            action_label="See where it stands",
            action_path=_path(revision),
            reason="A stalled signature comes to the CEO.",
            at=at,
            occasion=occasion,
        )


def _has_owed_it_long_enough(appointment: Appointment, *, today: date, country: str) -> bool:
    """Who took the Office over was asked then: the first reminder leaves them the same time."""
    since = company_date(came_to_count_at(appointment))
    return business_days_between(since, today, country=country) >= REMIND_EVERY


def _say_that_nobody_can_sign(
    freeze: Freeze,
    missing: Sequence[Absence],
    *,
    waited: str,
    occasion: str,
    today: date,
    at: datetime,
) -> None:
    """The company no longer has a party that owes its signature: ask a party to return it."""
    revision = freeze.revision
    _tell(
        who_acts_for(party_offices(revision), on=today).values(),
        revision,
        kind="cannot-be-signed",
        subject=f"{revision.reference} cannot be signed as it is frozen",
        paragraphs=[
            waited,
            (
                f"{' '.join(f'{one.words}.' for one in missing)} Nobody can sign for it. Decline "
                "to send the text back to draft: frozen anew, it names the parties of that day."
            ),
        ],
        action_label="Send it back to draft",
        action_path=_path(revision, "decline/"),
        reason=f"You are a party to {revision.document.number}.",
        at=at,
        occasion=occasion,
    )
