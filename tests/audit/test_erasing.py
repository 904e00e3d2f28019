"""Erasing personal text: what goes, what stays, and that the log verifies all the same."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.transaction import TransactionManagementError

from audit.erasing import erase
from audit.leaf import personal_commitment
from audit.models import ERASING_EVENT, ErasedText, Event, PersonalText
from audit.verify import verify_log
from tests.audit.test_log import AT, record
from tests.audit.test_protection import refused


@pytest.fixture
def spoken(db):
    """Three events, two of them with a text."""
    return [record(personal_text=words) for words in ("on leave", "", "her address")]


def told():
    return record(ERASING_EVENT, object_type="person", object_id="7")


def test_erased_text_is_gone_with_its_salt_and_the_log_verifies(spoken):
    before = verify_log()
    salt = PersonalText.objects.get(sequence=1).salt
    by = told()
    assert erase([1, 2], by=by, at=AT) == 1

    assert list(PersonalText.objects.values_list("sequence", flat=True)) == [3]
    assert ErasedText.objects.get().sequence == 1
    assert ErasedText.objects.get().erased_by == by.sequence
    after = verify_log()
    assert before.sound
    assert after.sound
    assert (before.size, after.size) == (3, 4)
    kept = Event.objects.get(sequence=1)
    assert kept.leaf_hash == spoken[0].leaf_hash
    assert kept.personal_commitment == spoken[0].personal_commitment
    # Whoever guesses the text cannot tell whether it is right without the salt that went with it.
    assert personal_commitment("on leave", salt) == kept.personal_commitment
    assert personal_commitment("on leave", "00" * 32) != kept.personal_commitment


def test_erasing_twice_erases_once(spoken):
    erase([1], by=told(), at=AT)
    assert erase([1], by=told(), at=AT) == 0
    assert ErasedText.objects.count() == 1


def test_another_event_tells_of_no_erasure(spoken):
    with pytest.raises(ValueError, match="erasure"):
        erase([1], by=record("person.deactivated"), at=AT)
    assert PersonalText.objects.count() == 2


def test_erasing_outside_a_transaction_is_refused(transactional_db):
    with transaction.atomic():
        record(personal_text="on leave")
        by = told()
    with pytest.raises(TransactionManagementError):
        erase([1], by=by, at=AT)
    assert PersonalText.objects.exists()


ERASED = "INSERT INTO audit_erasedtext (sequence, erased_at, erased_by) VALUES"
BACK = "INTO audit_personaltext (sequence, salt, text) VALUES (1, '', 'at work')"


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_personaltext WHERE sequence = 3",
        "DELETE FROM audit_erasedtext",
        "UPDATE audit_erasedtext SET erased_at = '2020-01-01'",
        # No event, another event, and an event from before the text.
        f"{ERASED} (3, '2026-12-03', 99)",
        f"{ERASED} (3, '2026-12-03', 2)",
        f"{ERASED} (5, '2026-12-03', 4)",
        f"INSERT {BACK}",
        f"INSERT OR REPLACE {BACK}",
        "TRUNCATE audit_personaltext",
        "TRUNCATE audit_erasedtext",
    ],
)
def test_database_refuses(spoken, statement):
    if statement.startswith({"sqlite": "TRUNCATE", "postgresql": "INSERT OR"}[connection.vendor]):
        pytest.skip("a statement of the other database")
    by = told()
    assert by.sequence == 4
    erase([1], by=by, at=AT)
    assert record(personal_text="later").sequence == 5
    assert refused(statement)
    assert sorted(PersonalText.objects.values_list("sequence", flat=True)) == [3, 5]


def test_orm_deletes_no_text(spoken):
    with pytest.raises(IntegrityError, match="only by an erasure"), transaction.atomic():
        PersonalText.objects.all().delete()
    assert PersonalText.objects.count() == 2
