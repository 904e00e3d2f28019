"""The log signs what it said: when it does, when it refuses, and who hears of it."""

import logging
import shutil
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from audit import checking, checkpoints, log_keys, outside
from audit.checkpoints import CheckpointRefused
from audit.leaf import leaf_of
from audit.models import Checkpoint, Event, LogCheck, LogHead
from audit.verify import verify_log
from sealing import checkpoint, merkle, rotation
from tests.audit.test_log import AT, record

WHY = Checkpoint.Why.HAND


def issue(at=AT):
    return checkpoints.issue(why=WHY, at=at)


def test_a_checkpoint_says_size_and_root_and_is_signed_by_the_logs_key(nine_events):
    made = issue()

    said = checkpoint.verify(made.note, log_keys.log_key().verifier)
    assert (said.size, said.root.hex()) == (9, LogHead.objects.get().root)
    assert (made.size, made.root, made.previous_size) == (9, LogHead.objects.get().root, 0)
    assert made.key_id == log_keys.log_key().verifier.key_id
    assert checkpoints.signed_by(Checkpoint.objects.get()) == said


def test_the_next_one_proves_that_the_log_only_grew(nine_events):
    first = issue()
    for _ in range(5):
        record()
    second = issue()

    proof = [bytes.fromhex(one) for one in second.consistency]
    assert (second.previous_size, second.size) == (9, 14)
    assert merkle.verify_consistency(
        9, bytes.fromhex(first.root), 14, bytes.fromhex(second.root), proof
    )
    leaves = [leaf_of(event) for event in Event.objects.order_by("sequence")]
    assert proof == merkle.Tree(leaves).consistency_proof(9)
    assert verify_log().checkpoints == 2


def test_of_one_size_there_is_one(nine_events):
    assert issue() == issue(at=AT + timedelta(days=1))
    assert Checkpoint.objects.count() == 1


def test_an_empty_log_signs_nothing(db, signing_keys):
    assert issue() is None


def test_only_what_came_since_is_read(nine_events, django_assert_max_num_queries):
    issue()
    record()
    with django_assert_max_num_queries(10) as queries:
        issue()
    read = [one["sql"] for one in queries if 'FROM "audit_event"' in one["sql"]]
    assert len(read) == 1
    assert '"sequence" > 9' in read[0]


def tampered(sequence, **changes):
    """An event changed together with its own hash."""
    event = Event.objects.get(sequence=sequence)
    for name, value in changes.items():
        setattr(event, name, value)
    event.leaf_hash = leaf_of(event).hex()
    event.save()


def rewrite_head(upto=None):
    """Make every hash of the log and its head anew, as somebody with the whole database can."""
    events = Event.objects.order_by("sequence")
    leaves = [leaf_of(event) for event in (events[:upto] if upto else events)]
    size, frontier = merkle.frontier_of_leaves(leaves)
    LogHead.objects.update(
        size=size,
        frontier=[one.hex() for one in frontier],
        root=merkle.root_from_frontier(frontier).hex(),
    )


def test_an_event_since_the_last_one_that_was_changed_is_not_signed(owner, caplog):
    issue()
    record()
    Event.objects.filter(sequence=10).update(office="cfo")

    with pytest.raises(CheckpointRefused, match="Event 10 is missing or was changed"):
        issue()
    assert Checkpoint.objects.count() == 1
    assert "No checkpoint of the audit log was made: Event 10" in caplog.text
    assert caplog.records[0].levelno == logging.ERROR


def test_a_log_rewritten_since_the_last_one_is_not_signed(owner):
    issue()
    record()
    tampered(3, actor_name="Somebody Else")
    rewrite_head()

    with pytest.raises(CheckpointRefused, match="does not continue the 9 events"):
        issue()
    assert any("does not continue" in fault for fault in checking.readiness_faults(at=AT))


def test_a_log_whose_end_was_cut_is_not_signed(owner):
    issue()
    Event.objects.filter(sequence__gt=7).delete()
    rewrite_head()

    with pytest.raises(CheckpointRefused, match=r"has 7 events; 9 were signed for"):
        issue()
    assert any("its end was cut" in fault for fault in checking.readiness_faults(at=AT))


def test_a_head_that_says_another_root_is_not_signed(owner):
    LogHead.objects.update(root="00" * 32)

    with pytest.raises(CheckpointRefused, match="does not continue"):
        issue()


@pytest.mark.parametrize("column", ["root", "note", "frontier", "certificate"])
def test_a_stored_checkpoint_that_was_changed_is_not_built_upon(owner, column, tmp_path):
    made = issue()
    record()
    changed = {
        "root": "00" * 32,
        "note": made.note.replace("\n9\n", "\n8\n"),
        "frontier": ["00" * 32] * 2,
        "certificate": (log_keys.settings.KEYS_DIR / "seal.pem").read_text(),
    }[column]
    Checkpoint.objects.update(**{column: changed})

    with pytest.raises(CheckpointRefused):
        issue()
    assert checking.readiness_faults(at=AT) != []


def test_without_a_key_nothing_is_signed_and_it_is_told(nine_events, settings, tmp_path):
    settings.KEYS_DIR = tmp_path / "none"
    with pytest.raises(CheckpointRefused, match="root certificate is missing"):
        issue()


@pytest.mark.parametrize("name", ["log", "root"])
def test_keys_that_were_replaced_leave_their_checkpoints_valid(
    nine_events, signing_keys, settings, tmp_path, name
):
    settings.KEYS_DIR = shutil.copytree(signing_keys, tmp_path / "keys-to-replace")
    first = issue()
    rotation.rotate(settings.KEYS_DIR, settings.KEYS_SECRET, name, now=datetime.now(UTC))
    record()
    second = issue()

    assert first.key_id != second.key_id
    assert checkpoints.signed_by(second).origin == checkpoints.signed_by(first).origin
    assert verify_log().sound
    assert verify_log().checkpoints == 2
    held = outside.read("note.txt", first.note.encode())
    assert [mark.size for mark in held.marks] == [9]


# --- The day's check --------------------------------------------------------------------------


def test_the_log_is_checked_and_signed_once_a_day(nine_events):
    made = checking.check_of_the_day(at=AT)

    assert (made.size, made.sound, made.checkpoints) == (9, True, 0)
    assert Checkpoint.objects.get().why == Checkpoint.Why.DAILY
    assert checking.check_of_the_day(at=AT + timedelta(hours=5)) is None
    record()
    again = checking.check_of_the_day(at=AT + timedelta(days=1))
    assert (again.size, again.checkpoints) == (10, 1)
    assert Checkpoint.objects.count() == 2


def test_a_log_that_is_not_sound_is_told_and_not_signed(owner, caplog):
    Event.objects.filter(sequence=5).update(office="cfo")

    made = checking.check_of_the_day(at=AT)

    assert "Event 5 does not match its own hash." in made.faults
    assert not Checkpoint.objects.exists()
    assert "The audit log is not sound: Event 5" in caplog.text
    assert any("found: Event 5" in fault for fault in checking.readiness_faults(at=AT))


def test_before_there_are_keys_the_log_is_checked_and_not_signed(db, settings, tmp_path):
    settings.KEYS_DIR = tmp_path / "none"
    record()

    assert checking.check_of_the_day(at=AT).sound
    assert not Checkpoint.objects.exists()
    assert checking.readiness_faults(at=AT) == []


def test_events_that_wait_too_long_for_a_checkpoint_are_told(nine_events):
    assert checking.readiness_faults(at=AT + timedelta(hours=49)) == []
    faults = checking.readiness_faults(at=AT + timedelta(hours=51))
    assert faults == ["event 1 waits for a checkpoint since 03 Dec 2026"]
    issue()
    assert checking.readiness_faults(at=AT + timedelta(days=30)) == []


def test_readiness_asks_a_fixed_number_of_questions(nine_events, django_assert_max_num_queries):
    issue()
    record()
    with django_assert_max_num_queries(5):
        checking.readiness_faults(at=AT)


# --- Never changed ----------------------------------------------------------------------------


@pytest.mark.parametrize("model", [Checkpoint, LogCheck])
def test_checkpoints_and_checks_are_never_changed_or_deleted(nine_events, model):
    checking.check_of_the_day(at=AT)
    for act in (
        lambda: model.objects.update(root="00" * 32),
        lambda: model.objects.all().delete(),
        lambda: model.objects.get().delete(),
        lambda: model.objects.get().save(),
        lambda: model.objects.bulk_create([model.objects.get()]),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            act()


def test_a_checkpoint_is_not_replaced(nine_events):
    if connection.vendor != "sqlite":
        pytest.skip("SQLite's own statement")
    issue()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT OR REPLACE INTO audit_checkpoint SELECT * FROM audit_checkpoint WHERE size = 9"
        )


def test_checkpoints_are_not_truncated(nine_events):
    if connection.vendor != "postgresql":
        pytest.skip("PostgreSQL's own statement")
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE audit_checkpoint")


# --- At once ----------------------------------------------------------------------------------


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_issue_one_per_size_each_from_the_one_before(signing_keys):
    """While others append: every checkpoint proves the one before it, none is doubled."""
    barrier, failures = threading.Barrier(3), []

    def run(act):
        try:
            barrier.wait()
            for _ in range(8):
                act()
        except Exception as failure:  # a thread's failure must reach the test
            failures.append(failure)
        finally:
            connection.close()

    def append():
        with transaction.atomic():
            record()

    threads = [threading.Thread(target=run, args=(act,)) for act in (append, issue, issue)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    issue()

    assert failures == []
    rows = list(Checkpoint.objects.order_by("size"))
    assert [row.previous_size for row in rows] == [0, *(row.size for row in rows[:-1])]
    assert verify_log().sound
