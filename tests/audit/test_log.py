"""What ``audit.record`` writes, and when it refuses."""

from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from types import SimpleNamespace

import pytest
import rfc8785
from django.db import transaction
from django.db.transaction import TransactionManagementError

import audit
from audit.leaf import personal_commitment
from audit.log import LogDamaged
from audit.models import Event, LogHead, PersonalText
from sealing import merkle

AT = datetime(2026, 12, 3, 15, 2, 11, 250, tzinfo=UTC)
MAYA = SimpleNamespace(pk=7, name="Maya Lindqvist")


def record(event="revision.cosigned", **changes):
    values = {"at": AT, "actor": MAYA, "object_type": "revision", "object_id": "NC-RB-4"}
    return audit.record(event, **values | changes)


def test_record_outside_a_transaction_is_refused(transactional_db):
    with pytest.raises(TransactionManagementError, match="transaction of the change"):
        record()

    assert not Event.objects.exists()


def test_record_with_a_naive_time_is_refused(db):
    with pytest.raises(ValueError, match="aware"):
        record(at=datetime(2026, 12, 3, 15, 2))

    assert not Event.objects.exists()


def test_leaf_is_the_hash_of_everything_said(db):
    event = record(
        office="cro",
        appointment_id=3,
        object_version="4",
        object_sha256="ab" * 32,
        authentication_sha256="cd" * 32,
        data={"reservation": True, "b": [1, 2.5, None]},
    )

    said = {
        "schema": "revops-log/1",
        "sequence": 1,
        "at": "2026-12-03T15:02:11.000250Z",
        "event": "revision.cosigned",
        "actor_id": 7,
        "actor_name": "Maya Lindqvist",
        "office": "cro",
        "appointment_id": 3,
        "object_type": "revision",
        "object_id": "NC-RB-4",
        "object_version": "4",
        "object_sha256": "ab" * 32,
        "ip_hash": "",
        "authentication_sha256": "cd" * 32,
        "data_sha256": sha256(b'{"b":[1,2.5,null],"reservation":true}').hexdigest(),
        "personal_commitment": "",
    }
    assert event.leaf_hash == sha256(b"\x00" + rfc8785.dumps(said)).hexdigest()
    assert Event.objects.get().leaf_hash == event.leaf_hash


def test_head_follows_every_event(db):
    leaves = [bytes.fromhex(record(data={"number": number}).leaf_hash) for number in range(11)]

    head = LogHead.objects.get()
    assert head.size == 11
    assert head.root == merkle.root_of_leaves(leaves).hex()
    assert list(Event.objects.values_list("sequence", flat=True)) == list(range(1, 12))


def test_time_is_kept_in_utc(db):
    event = record(at=AT.astimezone(timezone(timedelta(hours=-5))))

    assert event.at == AT
    assert event.at.utcoffset() == timedelta(0)


def test_event_of_the_system_has_no_actor(db):
    event = record(actor=None)

    assert (event.actor_id, event.actor_name) == (None, "")


def test_address_is_kept_as_a_keyed_hash_only(db, settings):
    first, second = record(ip="203.0.113.9"), record(ip="203.0.113.9")
    other = record(ip="203.0.113.10")
    settings.SECRET_KEY = "another" * 8
    rekeyed = record(ip="203.0.113.9")

    assert first.ip_hash == second.ip_hash
    assert len({first.ip_hash, other.ip_hash, rekeyed.ip_hash}) == 3
    assert first.ip_hash != sha256(b"203.0.113.9").hexdigest()


def test_personal_text_stands_outside_the_event_and_is_only_committed_to(db):
    one = record(personal_text="I was on leave.")
    other = record(personal_text="I was on leave.")

    kept = PersonalText.objects.get(sequence=one.sequence)
    assert kept.text == "I was on leave."
    assert one.personal_commitment == personal_commitment(kept.text, kept.salt)
    assert one.personal_commitment != other.personal_commitment, "each has its own salt"


def test_refused_change_leaves_no_event(db):
    with pytest.raises(RuntimeError), transaction.atomic():
        record()
        raise RuntimeError("the business change failed")

    assert not Event.objects.exists()
    assert LogHead.objects.get().size == 0


def test_record_without_a_head_is_refused(db):
    from audit import protection

    protection.drop_all()
    LogHead.objects.all().delete()

    with pytest.raises(LogDamaged, match="audit_verify"):
        record()


def test_record_is_reachable_before_apps_load():
    with pytest.raises(AttributeError, match="no attribute 'recrod'"):
        audit.recrod  # noqa: B018 - the access is the test
    assert audit.record.__module__ == "audit.log"
