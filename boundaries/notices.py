"""What a document tells to whom: asked to sign, asked to approve, back to draft, in force.

Every mail has a key made of the Revision, its freeze and the person, so that whatever runs twice
says it once.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from audit.models import Checkpoint
from functions_catalog.ownership import Answer, FunctionChange, OwnershipChange
from notifications.mail import queue
from people.calendar import company_date
from people.models import Appointment, Person
from people.offices import AUDITOR, CEO, REVOPS_LEAD, office_short
from people.queries import holder_of, who_acts_for
from people.templatetags.speech import day_words

from .comparing import compare, in_one_sentence
from .content import content_of, published_freeze
from .holders import ceos
from .models import Article, Freeze, Revision, Row
from .parties import parties_of, party_offices
from .states import State, Verb


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


def _since_former(revision: Revision) -> list[str]:
    """What changed in frozen text: "7 of 25 rows changed since v3; 4 rows have another owner."."""
    now, former = published_freeze(revision), published_freeze(revision.supersedes)
    if now is None or former is None:
        return []
    return [in_one_sentence(compare(content_of(former), content_of(now)))]


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
            ),
            *_since_former(revision),
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
            ),
            *_since_former(revision),
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


def sealed(freeze: Freeze, *, file_sha256: str, checkpoint: Checkpoint, at: datetime) -> None:
    """The PDF is sealed: give its signers and the Auditor what the log signed, to keep.

    A mail lies where no administrator of the database reaches: whoever has it can tell later
    whether the log still says what it said on that day.
    """
    revision = freeze.revision
    live = freeze.signatures.filter(voided_at__isnull=True).select_related("person")
    told = {one.person_id: (one.person, "You signed it.") for one in live}
    auditors = Appointment.objects.on(company_date(at)).filter(office__key=AUDITOR)
    for one in auditors.select_related("person"):
        told.setdefault(one.person_id, (one.person, "You hold the Office of the Auditor."))
    for person, reason in told.values():
        queue(
            to=person,
            kind="sealed",
            key=f"sealed:{revision.reference}:{file_sha256[:16]}:{person.pk}",
            subject=f"{revision.reference} is sealed: keep this mail",
            template="sealed",
            context={
                "paragraphs": [
                    (
                        f"{revision.document.title}, version {revision.number}, carries all its "
                        "signatures, and its PDF is sealed. The PDF’s fingerprint (SHA-256) is "
                        f"{file_sha256}."
                    ),
                    (
                        "The lines below are what the registry’s audit log signed at that moment: "
                        f"it had {checkpoint.size} events, and the third line stands for all of "
                        "them. If anybody changes or removes one of these events later, the log no "
                        "longer fits these lines."
                    ),
                ],
                "note": checkpoint.note.rstrip(),
                "closing": [
                    (
                        "Whoever runs the registry compares with: manage audit_verify --against "
                        "FILE, where FILE is this mail, saved. An auditor can do the same with "
                        "the sealed PDF, which carries such lines too."
                    )
                ],
                "action_label": f"Read version {revision.number}",
                "action_path": _path(revision),
                "reason": reason,
            },
            at=at,
        )


def back_to_draft(
    revision: Revision,
    *,
    by: Appointment,
    reason: str,
    verb: Verb,
    at: datetime,
    marks: Sequence[tuple[Row | Article, str]] = (),
) -> None:
    """Declined, returned or withdrawn: tell everybody who had a part in it, with the reasons.

    ``reason`` is the word to all, ``marks`` what is meant, each with its own reason.
    """
    done = {
        Verb.DECLINE: ("declined to sign", "It is a draft again; signatures given are void."),
        Verb.RETURN: ("returned", "It is a draft again; signatures given are void."),
        Verb.WITHDRAW: ("withdrew", "It goes no further; what is in force stands."),
    }
    act, effect = done[verb]
    told = who_acts_for([*party_offices(revision), CEO, REVOPS_LEAD], on=company_date(at))
    others = [one for one in told.values() if one.person_id != by.person_id]
    who = f"{by.person.name}, {by.title}, {act} {revision.reference}"
    paragraphs = [f"{who}: “{reason}”" if reason else f"{who}.", effect]
    if marks:
        what = "What is marked needs" if len(marks) > 1 else "What is marked below needs"
        paragraphs.append(
            f"{what} an answer and everybody's agreement again; all other agreements stand."
        )
    _tell(
        others,
        revision,
        kind=f"revision-{verb.value.replace('_', '-')}",
        subject=who,
        paragraphs=paragraphs,
        rows=[
            {"title": str(clause), "note": f"“{why}”", "aside": "marked"} for clause, why in marks
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
