"""Two workers at one freeze, and workers beside people: one seal, each signature once."""

import threading
from types import SimpleNamespace

import pytest

from audit.models import Event
from boundaries import pdf, workflow
from boundaries.files import files
from boundaries.models import Freeze, Revision, Signature, StoredFile
from boundaries.states import State
from tests.boundaries import stages
from tests.boundaries.fake_sealing import ALL_FIELDS, FakeSealing, lines_of
from tests.boundaries.races.together import at_once, refusals

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def sealing(monkeypatch):
    return FakeSealing().install(monkeypatch)


@pytest.fixture
def no_claims(monkeypatch):
    """The claim only saves work (and may be lost): whatever it would hold back happens here."""
    nothing_held = SimpleNamespace(add=lambda *_, **__: True, delete=lambda *_: None)
    monkeypatch.setattr(pdf, "cache", nothing_held)


def frozen_without_copy(people):
    revision = stages.ready_to_freeze(people)
    return workflow.freeze(revision=revision, acting_user=people["cro"], at=stages.NOW)


def approved_unapplied(people):
    """Approved, and not one signature is in the file yet."""
    freeze = frozen_without_copy(people)
    pdf.advance(freeze.pk)
    revision = stages.signed_by(freeze.revision, people, *stages.PARTIES)
    stages.to_approve(revision, people["ceo"]).finish()
    freeze.refresh_from_db()
    return freeze


def test_a_second_worker_leaves_a_claimed_freeze_to_the_first(people, sealing):
    """And the first looks again: what the second was sent for is done all the same."""
    freeze = frozen_without_copy(people)
    second_left = []

    def meanwhile():
        if not second_left:
            second_left.append(sealing.calls.count("render"))
            pdf.advance(freeze.pk)  # another worker, in the midst of the first one's step
            second_left.append(sealing.calls.count("render"))

    sealing.before["certify"] = meanwhile

    pdf.advance(freeze.pk)

    assert second_left[0] == second_left[1]
    freeze.refresh_from_db()
    assert lines_of(files.get(freeze.signing_copy_sha256)) == ["Sig_SEAL"]
    assert sealing.calls.count("certify") == 1
    assert pdf.owed() == []


def test_two_workers_at_one_freeze_make_one_signing_copy(people, sealing, no_claims):
    freeze = frozen_without_copy(people)
    both = threading.Barrier(2)
    sealing.before["certify"] = lambda: both.wait(20)  # each has rendered before either stores

    outcomes = at_once(*([lambda: pdf.advance(freeze.pk)] * 2))

    assert refusals(outcomes) == []
    freeze.refresh_from_db()
    assert freeze.signing_copy_sha256 == freeze.pdf_sha256
    assert lines_of(files.get(freeze.signing_copy_sha256)) == ["Sig_SEAL"]
    assert stages.events_of("signing_copy.made") == {"signing_copy.made": 1}
    assert StoredFile.objects.count() == 1


def test_two_workers_apply_each_signature_once_and_seal_once(people, sealing, no_claims):
    freeze = approved_unapplied(people)

    outcomes = at_once(*([lambda: pdf.advance(freeze.pk)] * 3))

    assert refusals(outcomes) == []
    freeze.refresh_from_db()
    assert lines_of(files.get(freeze.sealed_sha256)) == ALL_FIELDS
    assert freeze.sealed_sha256 == freeze.pdf_sha256
    assert not Signature.objects.filter(applied_sha256="").exists()
    assert Signature.objects.values("applied_sha256").distinct().count() == 4
    assert stages.events_of("signature.applied", "revision.sealed") == {
        "signature.applied": 4,
        "revision.sealed": 1,
    }
    # The copy, four signatures, the seal: what a slower worker made was thrown away.
    assert StoredFile.objects.count() == 6
    assert freeze.pdf_failures == 0
    assert pdf.owed() == []


def test_a_worker_that_was_overtaken_starts_again_from_what_stands(people, sealing, no_claims):
    """Both hold the same file; the slower one's work is dropped, and nobody's signature lost."""
    freeze = approved_unapplied(people)
    both = threading.Barrier(2)
    met = []

    def meet_once():
        if len(met) < 2:
            met.append(1)
            both.wait(20)

    sealing.before["apply"] = meet_once

    outcomes = at_once(*([lambda: pdf.advance(freeze.pk)] * 2))

    assert refusals(outcomes) == []
    freeze.refresh_from_db()
    assert lines_of(files.get(freeze.sealed_sha256)) == ALL_FIELDS
    assert sealing.calls.count("apply") >= 5  # one was made twice
    assert stages.events_of("signature.applied") == {"signature.applied": 4}


def test_two_workers_publish_one_sealed_file(people, sealing, no_claims):
    freeze = approved_unapplied(people)
    both = threading.Barrier(2)
    waiting = iter(range(2))
    sealing.before["timestamp"] = lambda: next(waiting, None) is not None and both.wait(20)

    outcomes = at_once(*([lambda: pdf.advance(freeze.pk)] * 2))

    assert refusals(outcomes) == []
    freeze.refresh_from_db()
    assert sealing.calls.count("timestamp") >= 2
    assert stages.events_of("revision.sealed") == {"revision.sealed": 1}
    sealed = Event.objects.get(event="revision.sealed")
    assert sealed.object_sha256 == freeze.sealed_sha256
    assert StoredFile.objects.count() == 6


def test_signing_while_the_worker_applies_an_earlier_signature_keeps_both(people, sealing):
    freeze = frozen_without_copy(people)
    pdf.advance(freeze.pk)
    revision = stages.signed_by(freeze.revision, people, "cro")
    ceremony = stages.to_sign(revision, people["coo"])

    outcomes = at_once(lambda: pdf.advance(freeze.pk), ceremony.finish)
    pdf.advance(freeze.pk)  # the task that the second signature sent

    assert refusals(outcomes) == []
    freeze.refresh_from_db()
    assert lines_of(files.get(freeze.pdf_sha256)) == ["Sig_SEAL", "Sig_CRO", "Sig_COO"]
    assert stages.events_of("signature.applied") == {"signature.applied": 2}


def test_declining_while_the_worker_applies_a_signature_ends_both(people, sealing, monkeypatch):
    """The worker stores under its lock while the decline voids: neither may wait for the other."""
    freeze = frozen_without_copy(people)
    pdf.advance(freeze.pk)
    revision = stages.signed_by(freeze.revision, people, "cro")
    storing, declining = threading.Event(), threading.Event()
    put, void = files.put, workflow._void

    def put_slowly(content, **more):
        storing.set()
        declining.wait(0.5)  # on SQLite the decline cannot begin before this ends
        return put(content, **more)

    def void_and_tell(revision, **more):
        voided = Signature.objects.filter(revision=revision).select_for_update()
        list(voided)
        declining.set()
        return void(revision, **more)

    monkeypatch.setattr(files, "put", put_slowly)
    monkeypatch.setattr(workflow, "_void", void_and_tell)

    def decline():
        storing.wait(20)
        return workflow.decline(
            revision=revision, reason="Row 4.1", acting_user=people["cfo"], at=stages.NOW
        )

    applied, declined = at_once(lambda: pdf.advance(freeze.pk), decline)

    assert refusals([applied, declined]) == []
    freeze.refresh_from_db()
    revision.refresh_from_db()
    assert (revision.state, freeze.pdf_failures) == (State.DRAFT, 0)
    assert freeze.voided_at is not None
    assert stages.signatures_of(revision) == {"live": [], "void": ["cro"]}
    assert stages.events_of("signature.applied", "revision.declined") == {
        "signature.applied": 1,
        "revision.declined": 1,
    }


def test_declining_before_the_worker_stores_leaves_the_voided_freeze_alone(people, sealing):
    freeze = frozen_without_copy(people)
    pdf.advance(freeze.pk)
    before = Freeze.objects.get(pk=freeze.pk).pdf_sha256
    revision = stages.signed_by(freeze.revision, people, "cro")

    def decline_meanwhile():
        sealing.before.clear()
        at_once(
            lambda: workflow.decline(
                revision=revision, reason="Row 4.1", acting_user=people["cfo"], at=stages.NOW
            )
        )

    sealing.before["apply"] = decline_meanwhile
    pdf.advance(freeze.pk)

    freeze.refresh_from_db()
    assert freeze.pdf_sha256 == before
    assert Signature.objects.get().applied_sha256 == ""
    assert stages.events_of("signature.applied") == {"signature.applied": 0}
    assert StoredFile.objects.count() == 1
    assert pdf.owed() == []
    assert Revision.objects.get(pk=revision.pk).state == State.DRAFT
