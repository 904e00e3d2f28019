"""An exported event is hashed without Django, and only as it was written."""

import json
import subprocess
import sys
from hashlib import sha256

import pytest

from sealing.log_entry import leaf_entry, leaf_of, personal_commitment

EVENT = {
    "schema": "revops-log/1",
    "sequence": 412,
    "at": "2026-12-03T15:02:11.000250Z",
    "event": "revision.cosigned",
    "actor_id": 7,
    "actor_name": "Maya Lindqvist",
    "office": "cro",
    "appointment_id": 3,
    "object_type": "revision",
    "object_id": "12",
    "object_version": "NC-RB-4",
    "object_sha256": "ab" * 32,
    "ip_hash": "",
    "authentication_sha256": "cd" * 32,
    "personal_commitment": "",
    "data": {"reservation": True, "b": [1, 2.5, None]},
}


def test_the_leaf_is_what_it_always_was():
    """Fixed for ever: a change here breaks every checkpoint there is."""
    assert (
        leaf_of(EVENT).hex() == "1b524c2a32c6dc04aa2a0e7318a996f830d3fe831a398c50addae0ecdfb265d6"
    )


def test_the_entry_holds_every_field_and_the_hash_of_the_data():
    said = {key: value for key, value in EVENT.items() if key != "data"}
    said["data_sha256"] = sha256(b'{"b":[1,2.5,null],"reservation":true}').hexdigest()

    assert json.loads(leaf_entry(EVENT)) == said
    assert leaf_of(said) == leaf_of(EVENT), "the data may be left out where its hash is given"
    assert leaf_of(EVENT) == sha256(b"\x00" + leaf_entry(EVENT)).digest()


def test_what_an_export_adds_is_no_part_of_the_leaf():
    assert leaf_of(EVENT | {"leaf_hash": "00", "words": "Maya signed"}) == leaf_of(EVENT)


@pytest.mark.parametrize("name", [name for name in EVENT if name not in ("schema", "data")])
def test_every_field_counts(name):
    assert leaf_of(EVENT | {name: "changed"}) != leaf_of(EVENT)
    with pytest.raises(ValueError, match=name):
        leaf_of({key: value for key, value in EVENT.items() if key != name})


@pytest.mark.parametrize(
    "wrong", [{"data_sha256": "00" * 32}, {"schema": "revops-log/2"}, {"data": {"n": 2**60}}]
)
def test_an_event_that_contradicts_itself_is_refused(wrong):
    with pytest.raises(ValueError):
        leaf_of(EVENT | wrong)


def test_a_commitment_opens_to_its_own_text_only():
    salt = "11" * 32
    assert personal_commitment("I was on leave.", salt) != personal_commitment("I was.", salt)
    assert personal_commitment("I was on leave.", salt) != personal_commitment(
        "I was on leave.", "22" * 32
    )


def test_a_stranger_needs_neither_django_nor_the_other_rooms():
    program = (
        "import json, sys; from sealing.log_entry import leaf_of; import sealing.merkle, "
        "sealing.checkpoint; print(leaf_of(json.load(sys.stdin)).hex()); "
        "print(sorted(m for m in sys.modules if m.split('.')[0] in "
        "{'django', 'audit', 'people', 'weasyprint', 'pyhanko'}))"
    )
    said = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(EVENT),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert said == [leaf_of(EVENT).hex(), "[]"]
