"""What is owed, retried, left alone or quarantined on the way to a sealed PDF.

Sealing is faked: test_pdf_sealed.py has the real one.
"""

import logging

import pytest
from celery import current_app
from kombu.exceptions import OperationalError

from audit import checkpoints, log_keys, protection
from audit.models import Checkpoint, Event
from boundaries import pdf, tasks, workflow
from boundaries.files import files
from boundaries.models import Freeze, Signature, StoredFile
from boundaries.states import State
from notifications.models import OutgoingMail
from sealing import checkpoint
from tests.audit.test_checkpoints import rewrite_head, tampered
from tests.boundaries import stages
from tests.boundaries.fake_sealing import ALL_FIELDS, OUTSIDE_ROOTS, FakeSealing, lines_of
from tests.people.factories import appointed_at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(executives):
    return executives


@pytest.fixture
def sealing(monkeypatch):
    return FakeSealing().install(monkeypatch)


@pytest.fixture
def freeze(people, sealing):
    """Frozen, and nothing made yet."""
    revision = stages.ready_to_freeze(people)
    return workflow.freeze(revision=revision, acting_user=people["cro"], at=stages.NOW)


@pytest.fixture
def approved(freeze, people):
    """Approved, the copy made, no signature applied."""
    pdf.advance(freeze.pk)
    revision = stages.signed_by(freeze.revision, people, *stages.PARTIES)
    stages.to_approve(revision, people["ceo"]).finish()
    return Freeze.objects.get(pk=freeze.pk)


def fail(message="The disk is full."):
    def failing():
        raise OSError(message)

    return failing


def test_a_frozen_text_is_owed_its_signing_copy_and_then_nothing(freeze):
    assert pdf.owed() == [freeze.pk]

    pdf.advance(freeze.pk)

    freeze.refresh_from_db()
    assert lines_of(files.get(freeze.signing_copy_sha256)) == ["Sig_SEAL"]
    assert (freeze.pdf_sha256, freeze.sealed_sha256) == (freeze.signing_copy_sha256, "")
    assert pdf.owed() == []


def test_signatures_are_applied_in_the_order_given_and_the_approvers_last(approved, people):
    pdf.advance(approved.pk)

    approved.refresh_from_db()
    sealed = files.get(approved.sealed_sha256)
    assert sealed.decode().splitlines()[2:] == [
        "Sig_SEAL",
        "Sig_CRO Maya Lindqvist",
        "Sig_COO Daniel Osei",
        "Sig_CFO Priya Raman",
        "Sig_CEO Helen Marsh last",
        "DocTimeStamp1 1",
    ]
    assert sealed.startswith(files.get(approved.signing_copy_sha256))
    assert stages.events_of("signing_copy.made", "signature.applied", "revision.sealed") == {
        "signing_copy.made": 1,
        "signature.applied": 4,
        "revision.sealed": 1,
    }


def test_the_approvers_signature_takes_the_log_along_and_no_other(approved, sealing):
    pdf.advance(approved.pk)

    *others, statement = sealing.statements
    assert others == [None, None, None]
    said = checkpoint.verify(statement.note, log_keys.log_key().verifier)
    approval = Event.objects.get(event="revision.approved")
    last_applied = Event.objects.filter(event="signature.applied").order_by("sequence")[2]
    assert said.size >= max(approval.sequence, last_applied.sequence)
    assert said.size == Checkpoint.objects.order_by("size").first().size
    sealed = Event.objects.get(event="revision.sealed")
    assert Checkpoint.objects.order_by("size").last().size == sealed.sequence


def test_signers_and_auditors_are_mailed_what_the_log_signed(approved, people):
    auditor = people["member"]
    appointed_at_once({"auditor": auditor})

    pdf.advance(approved.pk)

    mails = OutgoingMail.objects.filter(kind="sealed")
    assert sorted(mails.values_list("person__name", flat=True)) == sorted(
        one.name for one in (*(people[key] for key in ("cro", "coo", "cfo", "ceo")), auditor)
    )
    approved.refresh_from_db()
    newest = Checkpoint.objects.order_by("size").last()
    for mail in mails:
        assert checkpoint.find_notes(mail.text) == [newest.note]
        assert approved.sealed_sha256 in mail.text
        assert f"it had {newest.size} events" in mail.text
    assert mails.get(person=auditor).text.count("You hold the Office of the Auditor.") == 1


def test_a_log_that_does_not_continue_lets_nothing_be_sealed_and_is_told(approved, sealing):
    checkpoints.issue(why=Checkpoint.Why.HAND, at=stages.NOW)
    protection.drop_all()
    tampered(1, actor_name="Somebody Else")
    rewrite_head()

    with pytest.raises(checkpoints.CheckpointRefused):
        pdf.advance(approved.pk)

    approved.refresh_from_db()
    assert "does not continue" in approved.pdf_last_failure
    assert (approved.sealed_sha256, len(sealing.statements)) == ("", 3)
    assert pdf.owed() == [approved.pk]


def test_a_task_run_twice_does_nothing_the_second_time(approved, sealing):
    tasks.advance_pdf(approved.pk)
    before = (len(sealing.calls), Freeze.objects.values().get(pk=approved.pk), stages.everything())

    tasks.advance_pdf(approved.pk)

    assert before == (
        len(sealing.calls),
        Freeze.objects.values().get(pk=approved.pk),
        stages.everything(),
    )


@pytest.mark.parametrize("step", ["render", "certify"])
def test_a_failed_copy_is_told_kept_owed_and_made_good(freeze, sealing, step):
    sealing.before[step] = fail()
    for times in (1, 2):
        with pytest.raises(OSError, match="disk is full"):
            pdf.advance(freeze.pk)
        freeze.refresh_from_db()
        assert (freeze.pdf_failures, freeze.pdf_last_failure) == (times, "The disk is full.")
    assert (freeze.revision.state, freeze.signing_copy_sha256) == (State.COSIGNING, "")
    assert pdf.owed() == [freeze.pk]

    sealing.before.clear()
    pdf.advance(freeze.pk)

    freeze.refresh_from_db()
    assert freeze.signing_copy_sha256
    assert (freeze.pdf_failures, freeze.pdf_last_failure) == (2, "")


@pytest.mark.parametrize("step", ["apply", "timestamp", "verify"])
def test_a_failure_after_approval_keeps_state_and_signatures_and_is_picked_up(
    approved, sealing, step, tasks_at_once
):
    sealing.before[step] = fail("The timestamp authority is away.")
    with pytest.raises(OSError, match="authority is away"):
        tasks.sweep_owed()
    approved.refresh_from_db()
    approved.revision.refresh_from_db()
    assert approved.revision.state == State.IN_FORCE
    assert len(stages.signatures_of(approved.revision)["live"]) == 4
    assert approved.sealed_sha256 == ""
    assert pdf.owed() == [approved.pk]

    sealing.before.clear()
    tasks.sweep_owed()

    approved.refresh_from_db()
    assert approved.sealed_sha256
    assert pdf.owed() == []
    assert stages.events_of("signature.applied", "revision.sealed") == {
        "signature.applied": 4,
        "revision.sealed": 1,
    }


def test_what_was_applied_before_a_failure_is_not_applied_again(approved, sealing):
    count = []

    def fail_at_third():
        count.append(1)
        if len(count) == 3:
            raise OSError("Killed.")

    sealing.before["apply"] = fail_at_third
    with pytest.raises(OSError, match="Killed"):
        pdf.advance(approved.pk)
    assert Signature.objects.exclude(applied_sha256="").count() == 2

    pdf.advance(approved.pk)

    assert sealing.calls.count("apply") == 5
    approved.refresh_from_db()
    assert len(lines_of(files.get(approved.sealed_sha256))) == 6


def test_a_worker_that_read_the_file_before_the_last_signature_publishes_the_whole_one(
    approved, sealing
):
    read_before = Freeze.objects.select_related("revision__document").get(pk=approved.pk)
    sealing.before["timestamp"] = fail()
    with pytest.raises(OSError, match="disk is full"):
        pdf.advance(approved.pk)
    sealing.before.clear()

    pdf._step(read_before)

    approved.refresh_from_db()
    assert lines_of(files.get(approved.sealed_sha256)) == ALL_FIELDS


def test_the_sweep_hands_over_each_owed_freeze_once(approved, monkeypatch):
    sent = []
    monkeypatch.setattr(tasks.advance_pdf, "delay", sent.append)

    tasks.sweep_owed()

    assert sent == [approved.pk]


# --- Nothing to do ----------------------------------------------------------------------------


def test_a_voided_freeze_is_left_alone(freeze, people, sealing):
    workflow.decline(
        revision=freeze.revision, reason="Row 4.1", acting_user=people["coo"], at=stages.NOW
    )

    assert pdf.owed() == []
    pdf.advance(freeze.pk)

    assert sealing.calls == []
    assert StoredFile.objects.count() == 0


def test_a_withdrawn_revision_is_owed_nothing(freeze, people, sealing):
    workflow.withdraw(
        revision=freeze.revision, reason="Not now", acting_user=people["ceo"], at=stages.NOW
    )

    assert pdf.owed() == []
    pdf.advance(freeze.pk)
    assert sealing.calls == []


def test_freezing_anew_makes_a_new_signing_copy_without_the_old_signature(freeze, people):
    pdf.advance(freeze.pk)
    revision = stages.signed_by(freeze.revision, people, "cro")
    pdf.advance(freeze.pk)
    workflow.decline(revision=revision, reason="Row 4.1", acting_user=people["coo"], at=stages.NOW)

    second = workflow.freeze(revision=revision, acting_user=people["cro"], at=stages.NOW)
    assert pdf.owed() == [second.pk]
    pdf.advance(second.pk)

    freeze.refresh_from_db()
    second.refresh_from_db()
    assert second.number == 2
    assert second.content_sha256 != freeze.content_sha256
    assert second.signing_copy_sha256 != freeze.signing_copy_sha256
    assert lines_of(files.get(second.pdf_sha256)) == ["Sig_SEAL"]
    # What was signed before is kept as it was.
    assert lines_of(files.get(freeze.pdf_sha256)) == ["Sig_SEAL", "Sig_CRO"]
    assert stages.signatures_of(revision) == {"live": [], "void": ["cro"]}


# --- Broker and quarantine --------------------------------------------------------------------


@pytest.mark.parametrize("error", [OperationalError("refused"), FileNotFoundError("no queue")])
def test_a_broker_that_is_down_loses_nothing(
    people, sealing, monkeypatch, caplog, error, django_capture_on_commit_callbacks
):
    def refuse(*args, **kwargs):
        raise error

    monkeypatch.setattr(current_app, "send_task", refuse)
    revision = stages.ready_to_freeze(people)
    with (
        caplog.at_level(logging.WARNING, "boundaries.pdf"),
        django_capture_on_commit_callbacks(execute=True),
    ):
        freeze = workflow.freeze(revision=revision, acting_user=people["cro"], at=stages.NOW)

    assert "the sweep will make the PDF" in caplog.text
    revision.refresh_from_db()
    assert revision.state == State.COSIGNING
    assert pdf.owed() == [freeze.pk]


def test_each_signature_hands_the_freeze_over_on_commit(
    freeze, people, monkeypatch, django_capture_on_commit_callbacks
):
    sent = []
    monkeypatch.setattr(
        current_app, "send_task", lambda name, args, **more: sent.append((name, args))
    )
    pdf.advance(freeze.pk)
    ceremony = stages.to_sign(freeze.revision, people["cro"])

    with django_capture_on_commit_callbacks(execute=False) as callbacks:
        ceremony.finish()
    assert sent == []
    for callback in callbacks:
        callback()

    assert sent == [("boundaries.tasks.advance_pdf", [freeze.pk])]


def test_a_file_that_our_verifier_doubts_is_quarantined_and_never_published(approved, sealing):
    sealing.verdict = "altered"
    for _ in range(3):
        with pytest.raises(pdf.Quarantined):
            pdf.advance(approved.pk)

    approved.refresh_from_db()
    assert (approved.sealed_sha256, approved.pdf_failures) == ("", 3)
    assert stages.events_of("revision.sealed") == {"revision.sealed": 0}
    assert pdf.owed() == [approved.pk]
    # One specimen for the operator, named in what the operator reads, however often it is tried.
    specimens = StoredFile.objects.exclude(
        sha256__in=[
            approved.signing_copy_sha256,
            *Signature.objects.values_list("applied_sha256", flat=True),
        ]
    )
    specimen = specimens.get().sha256
    assert specimen in approved.pdf_last_failure
    assert "Altered" in approved.pdf_last_failure

    sealing.verdict = "genuine"
    pdf.advance(approved.pk)

    approved.refresh_from_db()
    assert approved.sealed_sha256
    assert approved.sealed_sha256 != specimen


def test_an_outside_authority_dates_every_step_and_is_trusted_when_it_is_judged(
    freeze, people, sealing, settings
):
    """Without its root our own verifier would doubt, and quarantine, every file that it dated."""
    settings.TSA_URL = "http://tsa.example/"
    pdf.advance(freeze.pk)
    stages.signed_by(freeze.revision, people, *stages.PARTIES)
    stages.to_approve(freeze.revision, people["ceo"]).finish()
    pdf.advance(freeze.pk)

    assert sealing.asked_to_date == ["http://tsa.example/"] * 6
    assert sealing.roots == OUTSIDE_ROOTS
    freeze.refresh_from_db()
    assert freeze.sealed_sha256


def test_a_genuine_file_of_another_text_is_quarantined(approved, sealing, monkeypatch):
    import sealing as package

    def verify_another(pdf_bytes, **given):
        from dataclasses import replace

        real = sealing.verify(pdf_bytes, **given)
        return replace(real, content_sha256="0" * 64)

    monkeypatch.setattr(package.verify, "verify", verify_another)

    with pytest.raises(pdf.Quarantined):
        pdf.advance(approved.pk)

    approved.refresh_from_db()
    assert approved.sealed_sha256 == ""


def test_a_stored_file_that_rotted_is_never_signed_or_given_out(db):
    sha256 = "0" * 64
    StoredFile.objects.create(
        sha256=sha256, media_type="application/pdf", size=17, content=b"%PDF-1.7 as it is"
    )

    with pytest.raises(ValueError, match="no longer has that SHA-256"):
        files.get(sha256)


def test_the_same_bytes_are_kept_once(db):
    assert files.put(b"the same") == files.put(b"the same")
    assert StoredFile.objects.get().size == 8
