"""Somebody who owns the database, and does not have the log's key, changes what the log says.

Each forgery, and what finds it: the log itself, a stored checkpoint, or one kept elsewhere.
"""

import base64
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from audit import checkpoints, outside, protection
from audit.models import Checkpoint, Event, LogCheck, LogHead, PersonalText
from audit.verify import Mark, verify_log
from sealing import checkpoint
from tests.audit.test_checkpoints import issue, rewrite_head, tampered
from tests.audit.test_log import AT, record


@pytest.fixture
def forger(owner):
    """Nine events signed for, three more, signed for again; the triggers are gone."""
    issue()
    for _ in range(3):
        record()
    issue()


def verify(*held):
    said = StringIO()
    call_command("audit_verify", *(["--against", *map(str, held)] if held else []), stdout=said)
    return said.getvalue()


def faults(*held):
    with pytest.raises(CommandError) as found:
        verify(*held)
    assert found.value.returncode == 1
    return str(found.value)


def test_an_untouched_log_is_sound_and_says_so(forger):
    protection.install_all()

    said = verify()

    assert "12 events" in said
    assert "2 stored checkpoints agree" in said
    assert said.endswith("The log is sound.\n")
    assert LogCheck.objects.get().sound


def test_the_former_name_of_the_command_still_works(forger):
    protection.install_all()
    said = StringIO()
    call_command("check_log", stdout=said)
    assert "The log is sound." in said.getvalue()


def test_a_row_changed_with_its_own_hash_is_found_by_head_and_checkpoint(forger):
    tampered(5, actor_name="Somebody Else")

    found = faults()

    assert "The root of the events differs from the head's root." in found
    assert "events 1 to 9 is not what it said then" in found


def test_a_row_changed_with_all_hashes_and_the_head_is_found_by_the_checkpoints(forger):
    tampered(11, actor_name="Somebody Else")
    rewrite_head()

    protection.install_all()

    found = faults()

    assert "head" not in found
    assert "The stored checkpoint of 12 events" in found
    assert "what the log now says of events 10 to 12 is not what it said then" in found


def test_checkpoints_made_anew_by_another_key_are_found(forger, tmp_path):
    """With the head and all hashes recomputed, and checkpoints that the forger signed."""
    from datetime import UTC, datetime

    from cryptography.hazmat.primitives.serialization import Encoding

    from sealing.keys import create_keys, load_keys

    create_keys(tmp_path, secret="x" * 16, organisation="Us", country="US", now=datetime.now(UTC))
    forged = load_keys(tmp_path, "x" * 16).log
    tampered(5, actor_name="Somebody Else")
    rewrite_head()
    head = LogHead.objects.get()
    Checkpoint.objects.filter(size=9).delete()
    Checkpoint.objects.filter(size=12).update(
        root=head.root,
        frontier=head.frontier,
        previous_size=0,
        consistency=[],
        note=checkpoint.make(forged, 12, bytes.fromhex(head.root)),
        certificate=forged.certificate.public_bytes(Encoding.PEM).decode(),
    )

    assert "is not as it was signed. The log's certificate is not of this company" in faults()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"root": "00" * 32}, "not what its signed note says"),
        ({"frontier": ["00" * 32] * 2}, "frontier does not give its root"),
        ({"frontier": "none"}, "frontier is damaged"),
        ({"note": "nothing"}, "signed note"),
        ({"consistency": []}, "does not continue the one before it"),
        ({"consistency": ["zz"]}, "is not as it was signed"),
        ({"previous_size": 8}, "The stored checkpoint of 8 events is missing"),
        ({"certificate": "none"}, "is not as it was signed"),
    ],
)
def test_a_changed_checkpoint_row_is_found(forger, changes, words):
    Checkpoint.objects.filter(size=12).update(**changes)

    assert words in faults()


def test_a_removed_checkpoint_is_missed_by_the_next(forger):
    Checkpoint.objects.filter(size=9).delete()

    assert (
        "The stored checkpoint of 9 events is missing: the one of 12 was made from it" in faults()
    )


def test_a_cut_tail_is_found_by_the_checkpoint(forger):
    Event.objects.filter(sequence__gt=10).delete()
    rewrite_head()

    found = faults()

    assert "counts 12 events, and the log has only 10: its end was cut" in found


def test_an_old_copy_of_the_whole_database_is_found_by_a_checkpoint_kept_elsewhere(
    forger, tmp_path
):
    kept = tmp_path / "checkpoint.txt"
    kept.write_text(checkpoints.newest().note)
    # The earlier day: events, head and checkpoints as they were then, sound in themselves.
    Event.objects.filter(sequence__gt=9).delete()
    PersonalText.objects.filter(sequence__gt=9).delete()
    Checkpoint.objects.filter(size=12).delete()
    rewrite_head()
    protection.install_all()

    assert verify_log().sound
    found = faults(kept)
    assert "The checkpoint of 12 events in checkpoint.txt counts 12 events" in found
    assert "an earlier copy was put in its place" in found
    assert not LogCheck.objects.exists(), "what a file shows is no state of the log"


def test_a_log_rewritten_with_every_checkpoint_removed_is_found_by_one_kept_elsewhere(
    forger, tmp_path
):
    kept = tmp_path / "mail.eml"
    kept.write_bytes(
        b"From: registry@example.com\r\nTo: auditor@example.com\r\nSubject: NC-RB-4 is sealed\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.encodebytes(f"Keep this mail.\n\n{checkpoints.newest().note}\n".encode())
    )
    tampered(2, actor_name="Somebody Else")
    rewrite_head()
    Checkpoint.objects.all().delete()
    protection.install_all()

    assert verify_log().sound
    assert "events 1 to 12 is not what it said then" in faults(kept)


def test_a_checkpoint_kept_elsewhere_agrees_with_a_log_that_grew(forger, tmp_path):
    protection.install_all()
    kept = tmp_path / "checkpoint.txt"
    kept.write_text(Checkpoint.objects.get(size=9).note)
    record()

    assert "checkpoint.txt agrees: the first 9 events are unchanged" in verify(kept)


def test_what_proves_nothing_is_said(forger, tmp_path, signing_keys):
    protection.install_all()
    nothing, forged = tmp_path / "nothing.txt", tmp_path / "forged.txt"
    nothing.write_text("Dear auditor, all is well.")
    forged.write_text(checkpoints.newest().note.replace("\n12\n", "\n11\n"))
    pdf = tmp_path / "other.pdf"
    pdf.write_bytes(b"%PDF-1.7\n%%EOF\n")

    found = faults(nothing, forged, pdf)

    assert "nothing.txt holds neither a sealed PDF nor a checkpoint" in found
    assert "A checkpoint in forged.txt proves nothing. The checkpoint's signature" in found
    assert "other.pdf proves nothing: Cannot be verified" in found
    with pytest.raises(CommandError, match="cannot be read"):
        verify(tmp_path / "missing.txt")


def test_many_marks_that_differ_are_told_in_one_sentence(forger):
    protection.install_all()
    marks = [Mark(size, b"x" * 32, f"Mark {size}") for size in range(1, 13)]

    found = verify_log(marks).faults

    assert len(found) == 1
    assert found[0].startswith("Mark 1 was signed for other events")
    assert found[0].endswith("So it is with 11 more.")


# --- What the database refuses by itself -------------------------------------------------------


def refused(act):
    before = list(Event.objects.values()), LogHead.objects.values().get()
    with pytest.raises(IntegrityError), transaction.atomic():
        act()
    assert (list(Event.objects.values()), LogHead.objects.values().get()) == before


def statement(sql):
    def run():
        with connection.cursor() as cursor:
            cursor.execute(sql)

    return run


def test_events_are_neither_updated_nor_deleted_in_bulk_or_one_by_one(nine_events):
    refused(lambda: Event.objects.update(office="cfo"))
    refused(lambda: Event.objects.filter(sequence=9).delete())
    refused(lambda: Event.objects.get(sequence=4).delete())
    refused(lambda: Event.objects.get(sequence=4).save())
    refused(lambda: Event.objects.bulk_update([Event.objects.get(sequence=4)], ["office"]))
    refused(lambda: Event.objects.bulk_create([Event.objects.get(sequence=4)]))
    refused(lambda: LogHead.objects.update(size=8))
    refused(lambda: LogHead.objects.all().delete())


def test_events_are_not_replaced(nine_events):
    if connection.vendor != "sqlite":
        pytest.skip("SQLite's own statement")
    refused(
        statement("INSERT OR REPLACE INTO audit_event SELECT * FROM audit_event WHERE sequence = 4")
    )
    refused(statement("REPLACE INTO audit_loghead SELECT * FROM audit_loghead"))


def test_events_are_not_truncated(nine_events):
    if connection.vendor != "postgresql":
        pytest.skip("PostgreSQL's own statement")
    refused(statement("TRUNCATE audit_event"))
    refused(statement("TRUNCATE audit_loghead"))


def test_the_admin_changes_no_event(nine_events, client, django_user_model):
    from tests.people.factories import CompanyFactory, northwind_people

    CompanyFactory()
    reader = northwind_people()["ceo"]
    django_user_model.objects.filter(pk=reader.pk).update(is_staff=True, is_superuser=True)
    client.force_login(django_user_model.objects.get(pk=reader.pk))
    before = list(Event.objects.filter(sequence__lte=9).values())

    for path in ("4/change/", "4/delete/", "add/", ""):
        data = {"office": "cfo", "action": "delete_selected", "_selected_action": "4"}
        answer = client.post(f"/admin/audit/event/{path}", data)
        assert answer.status_code in (302, 403, 404) or not path, path
    assert list(Event.objects.filter(sequence__lte=9).values()) == before


def test_a_forged_log_is_found_when_it_is_read_from_outside_too(forger, tmp_path):
    """The same reading that the command does, without it."""
    held = outside.read("note.txt", Checkpoint.objects.get(size=12).note.encode())
    tampered(12, actor_name="Somebody Else")
    rewrite_head()

    assert [mark.size for mark in held.marks] == [12]
    assert verify_log(held.marks).agreed == []
    assert Event.objects.get(sequence=12).at == AT
