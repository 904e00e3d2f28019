"""A boundary walked to its real sealed PDF, once for each test process.

The walk is rolled back; its files stay. ``recorded`` then puts what the registry would know of
them into the database of a test.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from audit.models import Event
from boundaries import drafting, pdf, workflow
from boundaries.files import files
from boundaries.models import Document, Freeze, Revision
from boundaries.states import State
from people.calendar import company_date
from sealing.render import weasyprint_problem
from sealing.verify import verify_in_child
from tests.boundaries import stages
from tests.people.factories import CompanyFactory, northwind_people


@dataclass(frozen=True)
class Walked:
    """The files of one walk, and its canonical content. Seconds: the worker's part at the end."""

    content: bytes
    content_sha256: str
    signing_copy: bytes
    two_signed: bytes
    all_signed: bytes
    sealed: bytes
    seconds_to_seal: float
    frozen_at: datetime
    events_at_approval: int
    events_at_seal: int


_made: list[Walked] = []


def walked(blocker):
    """Give the files; ``blocker`` is pytest-django's ``django_db_blocker``. Needs signing keys."""
    problem = weasyprint_problem()
    if problem:
        pytest.skip(problem)
    if not _made:
        with blocker.unblock(), transaction.atomic():
            _made.append(_walk())
            transaction.set_rollback(True)
    return _made[0]


def _walk():
    CompanyFactory()
    people = northwind_people()
    now = timezone.now()
    revision = stages.ready_to_freeze(people, at=now)
    freeze = workflow.freeze(revision=revision, acting_user=people["cro"], at=now)
    pdf.advance(freeze.pk)
    revision = stages.signed_by(revision, people, "cro", "coo", at=now)
    pdf.advance(freeze.pk)
    freeze.refresh_from_db()
    two_signed = files.get(freeze.pdf_sha256)
    revision = stages.signed_by(revision, people, "cfo", at=now)
    pdf.advance(freeze.pk)
    freeze.refresh_from_db()
    all_signed = files.get(freeze.pdf_sha256)
    stages.to_approve(revision, people["ceo"], at=now).finish()
    events_at_approval = Event.objects.count()
    started = time.monotonic()
    pdf.advance(freeze.pk)
    seconds = time.monotonic() - started
    freeze.refresh_from_db()
    return Walked(
        content=bytes(freeze.content),
        content_sha256=freeze.content_sha256,
        signing_copy=files.get(freeze.signing_copy_sha256),
        two_signed=two_signed,
        all_signed=all_signed,
        sealed=files.get(freeze.sealed_sha256),
        seconds_to_seal=seconds,
        frozen_at=now,
        events_at_approval=events_at_approval,
        events_at_seal=Event.objects.count(),
    )


def recorded(walk, opened_by, *, state=State.IN_FORCE, voided=False, sealed=True):
    """What the registry knows of the walk's files, with its Revision in ``state``."""
    today = company_date(timezone.now())
    document = Document.objects.create(
        number="NC-RB",
        title="Northwind Cloud RevOps boundary",
        is_company_boundary=True,
        opened_by=opened_by,
    )
    since = timezone.now() - timedelta(days=10)
    ruled = state in (State.IN_FORCE, State.SUPERSEDED, State.EXPIRED_UNRENEWED)
    revision = Revision.objects.create(
        document=document,
        number=1,
        state=state,
        effective_date=today + timedelta(days=0 if ruled else 30),
        sunset_date=drafting.twelve_months_after(today),
        opened_by=opened_by,
        opened_by_name=opened_by.name,
        opened_by_office="CRO",
        in_force_from=since if ruled else None,
        in_force_until=since + timedelta(days=5) if state == State.SUPERSEDED else None,
    )
    if state == State.SUPERSEDED:
        Revision.objects.create(
            document=document,
            number=2,
            state=State.IN_FORCE,
            supersedes=revision,
            effective_date=today,
            opened_by=opened_by,
            opened_by_name=opened_by.name,
            opened_by_office="CRO",
            in_force_from=revision.in_force_until,
        )
    copy, whole = files.put(walk.signing_copy), files.put(walk.sealed) if sealed else ""
    Freeze.objects.create(
        revision=revision,
        number=1,
        content=walk.content,
        content_sha256=walk.content_sha256,
        frozen_at=walk.frozen_at,
        frozen_by=opened_by,
        frozen_by_name=opened_by.name,
        frozen_by_office="CRO",
        signing_copy_sha256=copy,
        pdf_sha256=whole or copy,
        sealed_sha256=whole,
        sealed_at=datetime.now(UTC) if whole else None,
        voided_at=timezone.now() if voided or state == State.WITHDRAWN else None,
        void_reason="Row 4.1" if voided or state == State.WITHDRAWN else "",
    )
    return revision


def flipped(content, *, at=0.5):
    """One bit of one byte changed, at this part of the file."""
    place = int(len(content) * at)
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


class JudgedOnce:
    """The verifier's child process, asked once for the same bytes: a child costs a second."""

    def __init__(self, verify):
        self.verify, self.known = verify, {}

    def __call__(self, content, *, root_fingerprint, **more):
        key = (content, root_fingerprint)
        if key not in self.known:
            self.known[key] = self.verify(content, root_fingerprint=root_fingerprint, **more)
        return self.known[key]


judged_once = JudgedOnce(verify_in_child)
