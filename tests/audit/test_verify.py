"""Whether tampering behind the triggers' back is found."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F

from audit import protection
from audit.leaf import leaf_of
from audit.models import Event, LogHead, PersonalText
from audit.verify import readiness_faults, verify_log
from tests.audit.test_log import record


@pytest.fixture
def log(db):
    """Nine events and no triggers: the database's owner can do as they like."""
    for number in range(9):
        record(data={"number": number}, personal_text="words" if number == 4 else "")
    protection.drop_all()


def test_untouched_log_is_sound(log):
    protection.install_all()
    verdict = verify_log()

    assert verdict.sound
    assert verdict.size == 9
    assert verdict.root == LogHead.objects.get().root
    assert readiness_faults() == []


def test_empty_log_is_sound(db):
    assert verify_log().sound
    assert readiness_faults() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"event": "revision.declined"},
        {"actor_name": "Daniel Osei"},
        {"actor_id": 8},
        {"office": "coo"},
        {"object_sha256": "00" * 32},
        {"data": {"number": 40}},
        {"personal_commitment": ""},
    ],
)
def test_changed_event_is_found(log, changes):
    Event.objects.filter(sequence=5).update(**changes)

    verdict = verify_log()

    assert "Event 5 does not match its own hash." in verdict.faults
    assert "The root of the events differs from the head's root." in verdict.faults


def test_changed_event_with_its_hash_recomputed_is_found_by_the_root(log):
    event = Event.objects.get(sequence=5)
    event.actor_name = "Daniel Osei"
    event.leaf_hash = leaf_of(event).hex()
    event.save()

    assert verify_log().faults == ["The root of the events differs from the head's root."]


def test_removed_event_is_found(log):
    Event.objects.filter(sequence=5).delete()

    assert "Events 5 to 5 are missing." in verify_log().faults


def test_cut_tail_is_found(log):
    Event.objects.filter(sequence__gt=7).delete()

    assert "The head counts 9 events; 7 are there." in verify_log().faults
    assert any("counts 9 events, the last one is 7" in fault for fault in readiness_faults())


def test_event_beyond_the_head_is_found(log):
    Event.objects.create(
        sequence=10, at=Event.objects.get(sequence=9).at, event="x", leaf_hash="00" * 32
    )

    assert any("lies beyond the head" in fault for fault in verify_log().faults)


def test_changed_head_is_found(log):
    LogHead.objects.update(root="00" * 32)

    assert not verify_log().sound
    assert "the head's root does not follow from its frontier" in readiness_faults()


def test_head_of_another_size_is_found(log):
    LogHead.objects.update(size=F("size") + 2)

    assert not verify_log().sound
    assert any("contradicts itself" in fault for fault in readiness_faults())


def test_changed_personal_text_is_found_and_erased_text_is_not_a_fault(log):
    PersonalText.objects.update(text="other words")
    assert verify_log().faults == ["The personal text of event 5 was changed."]

    PersonalText.objects.all().delete()
    assert verify_log().sound


def test_thoroughly_broken_log_does_not_list_every_row(log):
    for _ in range(40):
        protection.install_all()
        record()
    protection.drop_all()
    Event.objects.update(office="cfo")

    assert len(verify_log().faults) < 30


def test_check_log_says_sound_and_fails_on_a_fault(log):
    protection.install_all()
    out = StringIO()
    call_command("check_log", stdout=out)
    assert "9 events" in out.getvalue()

    protection.drop_all()
    Event.objects.filter(sequence=3).update(office="cfo")
    with pytest.raises(CommandError, match="Event 3 does not match"):
        call_command("check_log")


def test_readiness_looks_in_a_fixed_number_of_queries(log, django_assert_max_num_queries):
    protection.install_all()
    with django_assert_max_num_queries(8):
        readiness_faults()
