"""Drive a document through its whole life by the same verbs as the pages.

The demo command and tests use it; it takes no short cut: every verb, guard and signature is real.
"""

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime

from people.calendar import company_date
from people.models import Company, Person
from people.offices import CEO

from . import agreeing, drafting, signing, workflow
from .models import Document, Freeze, Revision
from .parties import party_offices
from .states import Role, State

Clock = Callable[[], datetime]
Opened = Callable[[Freeze], None]


def draft_to_work_on(*, people: Mapping[str, Person], clock: Clock) -> Revision:
    """The company boundary's open draft; opened from the template or as an amendment if needed.

    ``people`` maps Office keys to who holds them. Raises ``Refused`` where the company boundary
    waits for signatures.
    """
    author = people[party_offices()[0]]
    document = Document.objects.filter(is_company_boundary=True).first()
    if document is None:
        company = Company.objects.get()
        return workflow.open_document(
            number=f"{company.code}-RB",
            title=f"{company.name} RevOps boundary",
            company_boundary=True,
            acting_user=author,
            at=clock(),
        )
    draft = document.revisions.filter(state=State.DRAFT).select_related("document").first()
    if draft is not None:
        return draft
    ruling = document.revisions.in_force().select_related("document").first()
    newest = ruling or document.revisions.select_related("document").order_by("-number")[0]
    return workflow.amend(revision=newest, acting_user=author, at=clock())


def agree_and_freeze(revision: Revision, *, people: Mapping[str, Person], clock: Clock) -> Freeze:
    """Make it effective today, let every party agree to all it has read, and freeze."""
    parties = party_offices(revision)
    author = people[parties[0]]
    control = revision.articles.get(key="control")
    drafting.edit_control(
        revision=revision,
        expected_version=control.version,
        text=control.text,
        effective_date=company_date(clock()),
        sunset_date=None,
        acting_user=author,
        at=clock(),
    )
    read = {("article", one.pk): one.version for one in revision.articles.all()} | {
        ("row", one.pk): one.version for one in revision.rows.all()
    }
    for key in parties:
        agreeing.agree_to_all_read(
            revision=revision, read=read, acting_user=people[key], at=clock()
        )
    return workflow.freeze(revision=revision, acting_user=author, at=clock())


def sign(revision: Revision, *, role: Role, person: Person, password: str, clock: Clock) -> None:
    """Go through the whole ceremony for one person: open, mean, confirm, sign."""
    session_key = secrets.token_hex(16)
    freeze = revision.freezes.get(voided_at__isnull=True)
    signing.record_reading(freeze=freeze, acting_user=person, at=clock())
    intent = signing.open_intent(
        revision=revision,
        role=role,
        meaning_accepted=True,
        session_key=session_key,
        acting_user=person,
        at=clock(),
    )
    signing.authenticate(
        intent=intent, password=password, session_key=session_key, acting_user=person, at=clock()
    )
    verb = workflow.cosign if role == Role.COSIGNER else workflow.approve
    verb(revision=revision, intent=intent, session_key=session_key, acting_user=person, at=clock())


def sign_and_approve(
    revision: Revision, *, people: Mapping[str, Person], password: str, clock: Clock
) -> None:
    """All co-signatures in the parties' order, then the CEO's approval."""
    for key in party_offices(revision):
        sign(revision, role=Role.COSIGNER, person=people[key], password=password, clock=clock)
    sign(revision, role=Role.APPROVER, person=people[CEO], password=password, clock=clock)
