"""Every change of a Revision's state. Nothing else assigns ``state``.

::

    DRAFT --freeze--> COSIGNING --last co-signature--> AWAITING_APPROVAL --approve--> APPROVED
      ^                  | decline (reason)                 | return (reason)            |
      +------------------+----------------------------------+                     effective date
                                                                                         |
    SUPERSEDED <--supersede-- IN_FORCE, EXPIRED_UNRENEWED <--expire-- IN_FORCE <---------+

    DRAFT, COSIGNING, AWAITING_APPROVAL, APPROVED --withdraw (reason)--> WITHDRAWN

``amend`` opens the next Revision as a copy of the one that answers; of a withdrawn one where
none does, or the document could never be taken up again.

Each verb goes the same way: one transaction; the Revision re-read under a lock; source state,
then Office, then guards, each refused by a named error; facts written; one audit event; what
leaves the process (mail, PDF) on commit. ``at`` is an aware instant, ``acting_user`` None only
where the clock itself acts.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

import audit
from functions_catalog import ownership
from functions_catalog.errors import AllocatedElsewhere
from functions_catalog.models import Function
from people.calendar import add_business_days, company_country, company_date
from people.errors import NotYourOffice
from people.models import Appointment, Company, Person
from people.offices import CEO
from people.permissions import Act, require
from people.queries import accounts_of, offices_stay
from sealing.canonical import canonical_json, sha256_hex
from sealing.errors import SealingError
from sealing.fonts import undrawable
from sealing.render import check_content

from . import content as contents
from . import disputes, draft_news, notices, rulings, signals
from . import marks as marking
from .activity import touch
from .blockers import Blocker, allocated_elsewhere, blockers
from .drafting import row_text, twelve_months_after
from .errors import (
    AlreadySigned,
    DocumentExists,
    InvalidText,
    NotASeparatePerson,
    NotReadyToFreeze,
    NotYetEffective,
    ReasonMissing,
    TransitionNotAllowed,
    UnfinishedRevisionExists,
)
from .locking import locked_revision
from .models import (
    Article,
    Document,
    Freeze,
    Revision,
    Signature,
    SigningIntent,
    StateChange,
    Succession,
)
from .parties import (
    parties_of,
    party_offices,
    refuse_what_nobody_can_sign,
    require_party,
)
from .pdf import hand_over_on_commit
from .signing import consume, refuse_own_approval
from .states import ANSWERING, TRANSITIONS, Role, State, Verb
from .template import STANDARD, add_row_with_text, fill

# A new draft proposes this, so that there is time to negotiate.
DAYS_TO_NEGOTIATE = 30
ACKNOWLEDGE_WITHIN = 10  # business days


# --- What every verb does ---------------------------------------------------------------------


def _locked(revision: Revision, verb: Verb) -> Revision:
    """Re-read under lock, and refuse unless the state is one ``verb`` may start from."""
    revision = locked_revision(revision)
    if revision.state not in TRANSITIONS[verb]:
        raise TransitionNotAllowed(revision, verb)
    return revision


def _move(
    revision: Revision,
    verb: Verb,
    to: State,
    *,
    acting_user: Person | None,
    held: Sequence[Appointment] = (),
    at: datetime,
    reason: str = "",
    also: Sequence[str] = (),
) -> StateChange:
    """Assign the state and tell it in the Revision's history."""
    came_from, revision.state, revision.state_since = revision.state, to, at
    revision.save(update_fields=["state", "state_since", *also])
    return StateChange.objects.create(
        revision=revision,
        verb=verb,
        from_state=came_from,
        to_state=to,
        by=acting_user,
        by_name=acting_user.name if acting_user else "",
        by_office=", ".join(one.title for one in held),
        at=at,
        reason=reason,
    )


def _record(
    event: str,
    revision: Revision,
    *,
    acting_user: Person | None,
    held: Sequence[Appointment] = (),
    at: datetime,
    sha256: str = "",
    authentication_sha256: str = "",
    reason: str = "",
    **data: Any,
) -> None:
    audit.record(
        event,
        at=at,
        actor=acting_user,
        office=held[0].office.key if held else "",
        appointment_id=held[0].pk if held else None,
        object_type="revision",
        object_id=str(revision.pk),
        object_version=revision.reference,
        object_sha256=sha256,
        authentication_sha256=authentication_sha256,
        data={"state": revision.state, **data},
        personal_text=reason,
    )


def _reason(reason: str, ask: str) -> str:
    reason = reason.strip()
    if not reason:
        raise ReasonMissing(ask)
    return reason


def _live_freeze(revision: Revision) -> Freeze:
    return revision.freezes.get(voided_at__isnull=True)


def _void(revision: Revision, *, reason: str, at: datetime) -> int:
    """Void the live freeze and its signatures; they are kept, with the reason."""
    voided = revision.signatures.filter(voided_at__isnull=True).update(
        voided_at=at, void_reason=reason
    )
    revision.freezes.filter(voided_at__isnull=True).update(voided_at=at, void_reason=reason)
    return voided


# --- Opening and amending ---------------------------------------------------------------------


@transaction.atomic
def open_document(
    *,
    number: str,
    title: str,
    company_boundary: bool,
    functions: Sequence[Function] = (),
    template: str = STANDARD,
    acting_user: Person,
    at: datetime,
) -> Revision:
    """Open a boundary document; its first Revision is a draft filled from ``template``.

    The company boundary takes every active function, whatever ``functions`` says.
    """
    today = company_date(at)
    held = require(acting_user, Act.OPEN, on=today)
    strange = undrawable(title)
    if strange:
        raise InvalidText(
            f"The document's fonts cannot draw: {' '.join(strange[:5])}. Give it another title."
        )
    # One lock for opening: two company boundaries at once would break on the constraint.
    Company.objects.select_for_update().get()
    if Document.objects.filter(number=number).exists():
        raise DocumentExists(f"A document with the number {number} exists. Choose another number.")
    if company_boundary and Document.objects.filter(is_company_boundary=True).exists():
        raise DocumentExists("The company boundary exists already. Amend it instead.")
    document = Document.objects.create(
        number=number,
        title=title,
        is_company_boundary=company_boundary,
        opened_by=acting_user,
        opened_at=at,
    )
    effective = today + timedelta(days=DAYS_TO_NEGOTIATE)
    revision = Revision.objects.create(
        document=document,
        number=1,
        effective_date=effective,
        sunset_date=twelve_months_after(effective),
        opened_by=acting_user,
        opened_by_name=acting_user.name,
        opened_by_office=held[0].title,
        opened_at=at,
        state_since=at,
    )
    chosen = list(Function.objects.active()) if company_boundary else list(functions)
    fill(revision, chosen, template)
    _opened(revision, Verb.OPEN, acting_user=acting_user, held=held, at=at)
    return revision


def _opened(
    revision: Revision,
    verb: Verb,
    *,
    acting_user: Person,
    held: Sequence[Appointment],
    at: datetime,
) -> None:
    StateChange.objects.create(
        revision=revision,
        verb=verb,
        to_state=State.DRAFT,
        by=acting_user,
        by_name=acting_user.name,
        by_office=", ".join(one.title for one in held),
        at=at,
    )
    event = "document.opened" if verb == Verb.OPEN else "revision.amendment_opened"
    _record(event, revision, acting_user=acting_user, held=held, at=at)
    draft_news.draft_opened(revision, acting_user=acting_user, held=held, at=at)


@transaction.atomic
def amend(*, revision: Revision, acting_user: Person, at: datetime) -> Revision:
    """Open the next Revision as a copy of the one in force, to be negotiated anew."""
    revision = _locked(revision, Verb.AMEND)
    withdrawn = revision.state == State.WITHDRAWN
    if withdrawn and revision.document.revisions.in_force().exists():
        raise TransitionNotAllowed(revision, Verb.AMEND)
    today = company_date(at)
    held = require_party(revision, acting_user, Act.OPEN, at=at)
    unfinished = Revision.objects.unfinished().filter(document=revision.document).first()
    if unfinished is not None:
        raise UnfinishedRevisionExists(
            f"{unfinished.reference} is unfinished. Finish or withdraw it first."
        )
    effective = today + timedelta(days=DAYS_TO_NEGOTIATE)
    inherited = None if withdrawn else revision.sunset_date
    newest = revision.document.revisions.order_by("-number").values_list("number", flat=True)[0]
    draft = Revision.objects.create(
        document=revision.document,
        number=newest + 1,
        supersedes=None if withdrawn else revision,
        effective_date=effective,
        sunset_date=(
            inherited if inherited and inherited > effective else twelve_months_after(effective)
        ),
        opened_by=acting_user,
        opened_by_name=acting_user.name,
        opened_by_office=held[0].title,
        opened_at=at,
        state_since=at,
    )
    Article.objects.bulk_create(
        Article(
            revision=draft,
            number=one.number,
            key=one.key,
            title=one.title,
            text=one.text,
            data=one.data,
            # Article 1 names this version and its dates, so it is never the same.
            carried=not withdrawn and one.key != "control",
        )
        for one in revision.articles.all()
    )
    rows = revision.rows.select_related("function").prefetch_related("sub_scopes")
    for place, row in enumerate(rows, start=1):
        add_row_with_text(
            draft,
            row.function,
            row_text(row),
            position=row.position,
            place=place,
            carried=not withdrawn,
        )
    _opened(draft, Verb.AMEND, acting_user=acting_user, held=held, at=at)
    _take_up_wishes(draft)
    rulings.enter_draft(draft, at=at)
    return draft


def _take_up_wishes(draft: Revision) -> None:
    """Successors who asked for an amendment while a text was frozen: now there is a draft again."""
    Succession.objects.filter(
        revision__document=draft.document_id,
        answer=Succession.Answer.AMENDMENT,
        amendment__isnull=True,
    ).update(amendment=draft)


# --- Freezing ---------------------------------------------------------------------------------


@transaction.atomic
def freeze(*, revision: Revision, acting_user: Person, at: datetime) -> Freeze:
    """Fix the text: canonical JSON now, the PDF made from it by the worker.

    Raises ``NotReadyToFreeze`` with everything that still blocks.
    """
    revision = _locked(revision, Verb.FREEZE)
    today = company_date(at)
    parties = party_offices(revision)
    held = require_party(revision, acting_user, Act.FREEZE, at=at, parties=parties)
    found = blockers(revision, parties=parties, today=today)
    if found:
        raise NotReadyToFreeze(found)
    number = revision.freezes.count() + 1
    content = contents.build(
        revision,
        parties=parties,
        freeze_number=number,
        frozen_at=at,
        frozen_by_office=held[0].office.key,
    )
    _refuse_unprintable(content)
    canonical = canonical_json(content)
    frozen = Freeze.objects.create(
        revision=revision,
        number=number,
        content=canonical,
        content_sha256=sha256_hex(canonical),
        frozen_at=at,
        frozen_by=acting_user,
        frozen_by_name=acting_user.name,
        frozen_by_office=held[0].title,
    )
    _move(revision, Verb.FREEZE, State.COSIGNING, acting_user=acting_user, held=held, at=at)
    _record(
        "revision.frozen",
        revision,
        acting_user=acting_user,
        held=held,
        at=at,
        sha256=frozen.content_sha256,
        freeze=number,
    )
    notices.signature_asked(revision, parties=parties, at=at)
    hand_over_on_commit(frozen)
    return frozen


def _refuse_unprintable(content: contents.Content) -> None:
    """What the worker could never print must not be frozen: it would wait for ever."""
    try:
        check_content(content)
    except SealingError as problem:
        raise NotReadyToFreeze(
            [Blocker("unprintable", "article-1", "The document", str(problem), wrong=True)]
        ) from problem


# --- Signing and approving --------------------------------------------------------------------


@transaction.atomic
def cosign(
    *,
    revision: Revision,
    intent: SigningIntent,
    session_key: str,
    acting_user: Person,
    at: datetime,
) -> list[Signature]:
    """Sign for every co-signing Office held, once; the last signature asks the CEO to approve.

    ``intent`` is authenticated (``signing.authenticate``) and is consumed here.
    """
    revision = _locked(revision, Verb.COSIGN)
    parties = parties_of(revision)
    offices_stay([*parties, CEO])
    held = require_party(revision, acting_user, Act.SIGN, at=at, parties=parties)
    refuse_what_nobody_can_sign(revision, parties=parties)
    frozen = _live_freeze(revision)
    signed = set(
        revision.signatures.filter(voided_at__isnull=True).values_list("office", flat=True)
    )
    due = [one for one in held if one.office.key in parties and one.office.key not in signed]
    if not due:
        raise AlreadySigned(
            f"You have signed {revision.reference} for every Office you hold. Nothing was signed "
            "twice."
        )
    signed |= {one.office.key for one in due}
    complete = signed >= set(parties)
    if complete:
        _refuse_a_single_cosigner(revision, acting_user)
    made = _sign(revision, frozen, due, intent, session_key, Role.COSIGNER, acting_user, at)
    if complete:
        _move(
            revision,
            Verb.COSIGN,
            State.AWAITING_APPROVAL,
            acting_user=acting_user,
            held=due,
            at=at,
        )
        notices.approval_asked(revision, at=at)
    _record(
        "revision.cosigned",
        revision,
        acting_user=acting_user,
        held=due,
        at=at,
        sha256=frozen.content_sha256,
        authentication_sha256=made[0].evidence_sha256,
        offices=[one.office.key for one in due],
        method=made[0].method,
        last=complete,
    )
    hand_over_on_commit(frozen)
    return made


def _sign(
    revision: Revision,
    frozen: Freeze,
    held: Sequence[Appointment],
    intent: SigningIntent,
    session_key: str,
    role: Role,
    acting_user: Person,
    at: datetime,
) -> list[Signature]:
    evidence = consume(
        intent=intent,
        frozen=frozen,
        role=role,
        appointments=held,
        session_key=session_key,
        acting_user=acting_user,
        at=at,
    )
    return [
        Signature.objects.create(
            freeze=frozen,
            revision=revision,
            role=role,
            office=one.office.key,
            acting=one.acting,
            person=acting_user,
            person_name=acting_user.name,
            appointment=one,
            intent=intent,
            content_sha256=frozen.content_sha256,
            signing_copy_sha256=frozen.signing_copy_sha256,
            meaning=intent.meaning,
            reservation=intent.reservation,
            method=evidence["method"],
            evidence=evidence,
            evidence_sha256=sha256_hex(canonical_json(evidence)),
            signed_at=at,
        )
        for one in held
    ]


def _refuse_a_single_cosigner(revision: Revision, last: Person) -> None:
    """At least two human beings co-sign, whatever accounts and Offices they have."""
    others = revision.signatures.filter(voided_at__isnull=True)
    if not others.exclude(person__in=accounts_of(last)).exists():
        raise NotASeparatePerson(
            "At least two distinct people must co-sign. Name another person Acting for one of "
            "these Offices."
        )


@transaction.atomic
def approve(
    *,
    revision: Revision,
    intent: SigningIntent,
    session_key: str,
    acting_user: Person,
    at: datetime,
) -> Signature:
    """The CEO's approval: a signature that locks the document. In force now or when effective."""
    revision = _locked(revision, Verb.APPROVE)
    offices_stay([CEO])
    held = require(acting_user, Act.APPROVE, on=company_date(at))
    frozen = _live_freeze(revision)
    refuse_own_approval(revision, acting_user)
    rows = list(revision.rows.select_related("function"))
    # Before the first event, and before looking: two documents cannot both get one function.
    ownership.locked_functions(row.function.key for row in rows)
    clash = allocated_elsewhere(revision, rows)
    if clash:
        raise AllocatedElsewhere(f"{clash[0].title}: {clash[0].detail}")
    signature = _sign(
        revision, frozen, held[:1], intent, session_key, Role.APPROVER, acting_user, at
    )[0]
    _move(revision, Verb.APPROVE, State.APPROVED, acting_user=acting_user, held=held, at=at)
    _record(
        "revision.approved",
        revision,
        acting_user=acting_user,
        held=held,
        at=at,
        sha256=frozen.content_sha256,
        authentication_sha256=signature.evidence_sha256,
        method=signature.method,
    )
    if is_due(revision, at=at):
        bring_into_force(revision=revision, at=at)
    else:
        notices.approved(revision, at=at)
    hand_over_on_commit(frozen)
    return signature


# --- Going back -------------------------------------------------------------------------------


@transaction.atomic
def decline(
    *,
    revision: Revision,
    reason: str = "",
    marks: Sequence[marking.Given] = (),
    acting_user: Person,
    at: datetime,
) -> Revision:
    """A party cannot sign this text: back to draft, signatures void, with the reasons.

    ``marks`` are the rows and articles it means, each with its reason; ``reason`` is a word to all.
    One of the two is needed. Agreements to what is marked end, all others stand.
    """
    revision = _locked(revision, Verb.DECLINE)
    held = require_party(revision, acting_user, Act.DECLINE, at=at)
    return _back_to_draft(
        revision,
        Verb.DECLINE,
        "revision.declined",
        reason=reason,
        ask="Say what you cannot sign, or mark rows with a reason, so that the others can answer.",
        marks=marks,
        acting_user=acting_user,
        held=held,
        at=at,
    )


@transaction.atomic
def return_to_draft(
    *,
    revision: Revision,
    reason: str = "",
    marks: Sequence[marking.Given] = (),
    acting_user: Person,
    at: datetime,
) -> Revision:
    """The CEO does not approve this text: back to draft, signatures void, with the reasons.

    ``reason`` and ``marks`` as for ``decline``.
    """
    revision = _locked(revision, Verb.RETURN)
    held = require(acting_user, Act.RETURN, on=company_date(at))
    return _back_to_draft(
        revision,
        Verb.RETURN,
        "revision.returned",
        reason=reason,
        ask="Say what must change before you can approve, or mark rows with a reason.",
        marks=marks,
        acting_user=acting_user,
        held=held,
        at=at,
    )


def _back_to_draft(
    revision: Revision,
    verb: Verb,
    event: str,
    *,
    reason: str,
    ask: str,
    marks: Sequence[marking.Given],
    acting_user: Person,
    held: Sequence[Appointment],
    at: datetime,
) -> Revision:
    marks = marking.checked(marks, revision)
    word = _word(reason, marks, ask)
    # What stands in the history and beside the void signatures, also where there is no such word.
    because = word or marking.summary(marks)
    frozen = _live_freeze(revision)
    if verb == Verb.DECLINE:
        rulings.bind_declined(revision, at=at)
    voided = _void(revision, reason=because, at=at)
    change = _move(
        revision, verb, State.DRAFT, acting_user=acting_user, held=held, at=at, reason=because
    )
    done = "Declined" if verb == Verb.DECLINE else "Returned"
    marking.make(
        marks,
        change,
        acting_user=acting_user,
        held=held,
        because=f"{done} with a reason.",
        at=at,
    )
    touch(revision, *(clause for clause, _ in marks))
    _take_up_wishes(revision)
    rulings.enter_draft(revision, at=at)
    _record(
        event,
        revision,
        acting_user=acting_user,
        held=held,
        at=at,
        sha256=frozen.content_sha256,
        reason="\n\n".join([word, *(f"{clause}: {why}" for clause, why in marks)]).strip(),
        signatures_voided=voided,
        marked=[str(clause) for clause, _ in marks],
    )
    notices.back_to_draft(revision, by=held[0], reason=word, verb=verb, marks=marks, at=at)
    return revision


def _word(reason: str, marks: Sequence[marking.Given], ask: str) -> str:
    """The word to all: it may be left out only where something is marked with a reason."""
    return reason.strip() if marks else _reason(reason, ask)


@transaction.atomic
def withdraw(*, revision: Revision, reason: str, acting_user: Person, at: datetime) -> Revision:
    """End an unfinished Revision: the CEO always, who opened it before any signature."""
    revision = _locked(revision, Verb.WITHDRAW)
    held = require(acting_user, Act.WITHDRAW, on=company_date(at))
    is_ceo = any(one.office.key == CEO for one in held)
    if not is_ceo:
        signed = revision.signatures.filter(voided_at__isnull=True).exists()
        if acting_user.pk != revision.opened_by_id or signed:
            raise NotYourOffice(
                "Only the CEO, or who opened it while nobody has signed, may withdraw "
                f"{revision.reference}."
            )
    reason = _reason(reason, "Say why it is withdrawn: everybody who took part is told.")
    voided = _void(revision, reason=reason, at=at)
    _move(
        revision,
        Verb.WITHDRAW,
        State.WITHDRAWN,
        acting_user=acting_user,
        held=held,
        at=at,
        reason=reason,
    )
    _record(
        "revision.withdrawn",
        revision,
        acting_user=acting_user,
        held=held,
        at=at,
        reason=reason,
        signatures_voided=voided,
    )
    disputes.lapse(revision, at=at)
    notices.back_to_draft(revision, by=held[0], reason=reason, verb=Verb.WITHDRAW, at=at)
    return revision


# --- Coming in force and ending ---------------------------------------------------------------


def is_due(revision: Revision, *, at: datetime) -> bool:
    """Whether the effective date has begun in the company's time zone."""
    return revision.effective_date is not None and revision.effective_date <= company_date(at)


@transaction.atomic
def bring_into_force(*, revision: Revision, at: datetime) -> Revision:
    """The clock's verb: the effective date has come (or approval came later).

    Supersedes the former Revision, says who owns what from today, tells everyone who gained or
    lost ownership, and asks the RevOps Lead to acknowledge when an owner changed.
    """
    revision = _locked(revision, Verb.BRING_INTO_FORCE)
    if not is_due(revision, at=at):
        raise NotYetEffective(f"{revision.reference} takes effect on {revision.effective_date}.")
    today = company_date(at)
    frozen = _live_freeze(revision)
    answers = contents.answers(contents.content_of(frozen))
    bound = rulings.interim_functions(revision.document)
    ownership.locked_functions([*(one.function_key for one in answers), *bound])
    former = (
        Revision.objects.filter(document=revision.document, state__in=ANSWERING)
        .select_related("document")
        .first()
    )
    if former is not None:
        _supersede(former, by=revision, at=at)
    change = ownership.bring_into_force(
        answers=answers,
        from_date=today,
        document_number=revision.document.number,
        revision_number=revision.number,
        at=at,
    )
    change = rulings.come_in_force(revision, change, at=at)
    disputes.owners_changed([one.function_key for one in change.changes], at=at)
    revision.in_force_from = at
    if change.owner_changed:
        revision.acknowledgement_due_date = add_business_days(
            today, ACKNOWLEDGE_WITHIN, country=company_country()
        )
    _move(
        revision,
        Verb.BRING_INTO_FORCE,
        State.IN_FORCE,
        acting_user=None,
        at=at,
        also=["in_force_from", "acknowledgement_due_date"],
    )
    _record(
        "revision.in_force",
        revision,
        acting_user=None,
        at=at,
        sha256=frozen.content_sha256,
        superseded=former.reference if former else None,
        owners_changed=change.owner_changed,
    )
    notices.in_force(revision, change=change, at=at)
    signals.revision_in_force.send(sender=Revision, revision=revision, at=at)
    return revision


def _supersede(former: Revision, *, by: Revision, at: datetime) -> None:
    former.in_force_until = at
    _move(
        former, Verb.SUPERSEDE, State.SUPERSEDED, acting_user=None, at=at, also=["in_force_until"]
    )
    _record("revision.superseded", former, acting_user=None, at=at, by=by.reference)


@transaction.atomic
def expire(*, revision: Revision, at: datetime) -> Revision:
    """The clock's verb: the sunset passed without a renewal. It still answers, flagged."""
    revision = _locked(revision, Verb.EXPIRE)
    if revision.sunset_date is None or revision.sunset_date > company_date(at):
        raise NotYetEffective(f"{revision.reference} runs until {revision.sunset_date}.")
    _move(revision, Verb.EXPIRE, State.EXPIRED_UNRENEWED, acting_user=None, at=at)
    _record("revision.expired", revision, acting_user=None, at=at)
    return revision
