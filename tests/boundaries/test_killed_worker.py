"""A worker killed by SIGKILL at each step of sealing: one seal, one mail, nothing missing.

Real processes on the test's own database; what they make is faked, as it is of no matter here.
"""

import os
import signal

import pytest
from django.core.cache import cache
from django.db import connections

from audit import verify as log_check
from boundaries import pdf, tasks, workflow
from boundaries.files import files
from boundaries.models import Freeze, Signature
from notifications.models import OutgoingMail
from tests.boundaries import stages
from tests.boundaries.fake_sealing import ALL_FIELDS, FakeSealing, lines_of

pytestmark = pytest.mark.django_db(transaction=True)


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def killed(freeze, arrange):
    """Advance in a process of its own, which `arrange` makes kill itself; tell that it did."""
    child = os.fork()
    if child == 0:
        kept = [one.connection for one in connections.all()]  # the parent's: not to be closed
        for one in connections.all():
            one.connection = None
        try:
            arrange()
            pdf.advance(freeze.pk)
        finally:
            os._exit(len(kept) and 3)  # it did not die where it should
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def before(sealing, step):
    return lambda: sealing.before.update({step: die})


def at(name, *, after=False):
    """Die as `boundaries.pdf` calls `name`, or when that has returned."""

    def arrange():
        original = getattr(pdf, name)

        def replaced(*given, **named):
            if not after:
                die()
            original(*given, **named)
            die()

        setattr(pdf, name, replaced)

    return arrange


def as_it_is_stored(monkeypatch_target):
    """Die inside the transaction of ``_store``, with the file put and the event not recorded."""

    def arrange():
        monkeypatch_target.record = lambda *_, **__: die()

    return arrange


def ways(sealing):
    """Name and arrangement of every place to die at."""
    return {
        "after rendering": before(sealing, "certify"),
        "after certifying, before it is stored": at("_store"),
        "as the copy is stored, before the commit": as_it_is_stored(pdf.audit),
        "after the copy is stored": at("_store", after=True),
        "before a signature": before(sealing, "apply"),
        "at the timestamp": before(sealing, "timestamp"),
        "at our own verification": before(sealing, "verify"),
    }


@pytest.fixture
def people(executives):
    return executives


@pytest.fixture
def sealing(monkeypatch):
    return FakeSealing().install(monkeypatch)


def test_a_worker_killed_anywhere_leaves_one_seal_one_mail_and_nothing_missing(people, sealing):
    revision = stages.ready_to_freeze(people)
    freeze = workflow.freeze(revision=revision, acting_user=people["cro"], at=stages.NOW)
    places = ways(sealing)
    for place in ("after rendering", "after certifying, before it is stored",
                  "as the copy is stored, before the commit"):  # fmt: skip
        assert killed(freeze, places[place]), place
        assert unclaimed(freeze) == [freeze.pk]
        assert Freeze.objects.get().signing_copy_sha256 == "", place
    assert killed(freeze, places["after the copy is stored"])
    assert unclaimed(freeze) == []

    revision = stages.signed_by(revision, people, *stages.PARTIES)
    stages.to_approve(revision, people["ceo"]).finish()
    applied = []
    for place in ("before a signature", "after certifying, before it is stored",
                  "as the copy is stored, before the commit", "after the copy is stored",
                  "after the copy is stored", "after the copy is stored",
                  "after the copy is stored", "at the timestamp", "at our own verification",
                  "after certifying, before it is stored",
                  "as the copy is stored, before the commit"):  # fmt: skip
        assert killed(freeze, places[place]), place
        assert unclaimed(freeze) == [freeze.pk], place
        assert Freeze.objects.get().sealed_sha256 == "", place
        applied.append(Signature.objects.exclude(applied_sha256="").count())
    assert applied == [0, 0, 0, 1, 2, 3, 4, 4, 4, 4, 4]
    assert killed(freeze, places["after the copy is stored"])  # sealed, and its task never ended

    assert unclaimed(freeze) == []
    tasks.sweep_owed()
    done = Freeze.objects.get()
    assert lines_of(files.get(done.sealed_sha256)) == ALL_FIELDS
    assert done.pdf_sha256 == done.sealed_sha256
    assert stages.events_of("signing_copy.made", "signature.applied", "revision.sealed") == {
        "signing_copy.made": 1,
        "signature.applied": 4,
        "revision.sealed": 1,
    }
    mails = OutgoingMail.objects.filter(kind="sealed")
    assert mails.count() == mails.values("person").distinct().count() == 4
    assert log_check.readiness_faults() == []


def unclaimed(freeze):
    """What is owed once the claim of the dead worker has run out."""
    cache.delete(f"pdf-of-freeze-{freeze.pk}")
    return pdf.owed()
