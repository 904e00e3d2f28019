"""Checkpoints in the form of C2SP: signed notes that outside tools read."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from sealing import checkpoint, merkle
from sealing.errors import CheckpointInvalid

ROOT = merkle.root_of_leaves([merkle.leaf_hash(b"one")])

# The example of Go's golang.org/x/mod/sumdb/note, the reference of the format.
THEIR_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
THEIR_SECRET = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
THEIR_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
THEIR_NOTE = (
    f"{THEIR_TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNX"
    "gKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


@pytest.fixture(scope="module")
def note(keys):
    return checkpoint.make(keys.log, 4711, ROOT)


def test_the_reference_example_is_read_and_made_alike():
    verifier = checkpoint.LogVerifier.from_text(THEIR_KEY)
    secret = Ed25519PrivateKey.from_private_bytes(base64.b64decode(THEIR_SECRET)[1:])

    assert verifier.text == THEIR_KEY
    assert checkpoint.verify_note(THEIR_NOTE, [verifier]) == verifier
    assert checkpoint.signed_note(THEIR_TEXT, "PeterNeumann", secret) == THEIR_NOTE
    with pytest.raises(CheckpointInvalid):
        checkpoint.verify_note(THEIR_NOTE.replace("answer", "answr"), [verifier])


def test_a_checkpoint_says_origin_size_and_root_and_is_read_back(keys, note):
    origin, size, root, empty, signature = note.split("\n")[:5]

    assert (origin, size, empty) == (keys.log.origin, "4711", "")
    assert base64.b64decode(root) == ROOT
    assert signature.startswith(f"— {origin} ")
    found = checkpoint.verify(note, keys.log.verifier)
    assert found == checkpoint.Checkpoint(origin, 4711, ROOT)
    assert checkpoint.make(keys.log, 4711, ROOT) == note, "one log, one note"


def test_extension_lines_are_signed_and_kept(keys):
    note = checkpoint.make(keys.log, 3, ROOT, ["from another program"])

    assert checkpoint.verify(note, keys.log.verifier).extensions == ("from another program",)
    with pytest.raises(CheckpointInvalid):
        checkpoint.verify(note.replace("another", "any other"), keys.log.verifier)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("4711\n", "4712\n"),
        ("4711\n", "04711\n"),
        ("4711\n", "-1\n"),
        ("4711\n", "4711\n\n"),
        ("4711\n", "\n"),
        ("4711\n", "4711\nmore\n"),
        ("\n\n", "\n"),
        ("— ", "- "),
        ("revops-registry/log/", "revops-registry/other/"),
        ("=\n\n", "\n\n"),
        ("4711\n", "4711\r\n"),
    ],
)
def test_a_changed_checkpoint_is_refused(keys, note, old, new):
    assert old in note
    with pytest.raises(CheckpointInvalid):
        checkpoint.verify(note.replace(old, new), keys.log.verifier)


def test_another_companys_checkpoint_is_refused(keys, other_keys, note):
    with pytest.raises(CheckpointInvalid, match="not signed by this log's key"):
        checkpoint.verify(note, other_keys.log.verifier)
    with pytest.raises(CheckpointInvalid, match="not of this company"):
        checkpoint.LogVerifier.from_certificate(other_keys.log.certificate, keys.root_certificate)


def test_a_witness_may_sign_below_and_counts_for_nothing(keys, other_keys, note):
    text = checkpoint.split_note(note)[0]
    theirs = checkpoint.signed_note(text, "witness.example/w1", other_keys.log.key)
    both = note + theirs.rpartition("\n\n")[2]

    assert checkpoint.verify(both, keys.log.verifier).size == 4711
    assert [one.name for one in checkpoint.parse(both)[1]][1] == "witness.example/w1"
    with pytest.raises(CheckpointInvalid, match="not signed by this log's key"):
        checkpoint.verify(theirs, keys.log.verifier)


def test_a_note_of_another_log_under_this_key_is_refused(keys):
    text = checkpoint.Checkpoint("another/log", 1, ROOT).text
    note = checkpoint.signed_note(text, keys.log.origin, keys.log.key)
    with pytest.raises(CheckpointInvalid, match="another log"):
        checkpoint.verify(note, keys.log.verifier)


def test_a_former_key_still_verifies_beside_the_present_one(keys, other_keys, note):
    verifiers = [other_keys.log.verifier, keys.log.verifier]
    assert checkpoint.verify(note, verifiers).size == 4711


@pytest.mark.parametrize(
    "text", ["", "name", "a+b", "name+00000000+AAAA", f"other{THEIR_KEY}", THEIR_KEY[:-4], "++"]
)
def test_what_is_no_verifier_key_is_refused(text):
    with pytest.raises(CheckpointInvalid, match="verifier key"):
        checkpoint.LogVerifier.from_text(text)


@pytest.mark.parametrize(
    "wrong", [{"size": -1}, {"root": b"short"}, {"extensions": [""]}, {"extensions": ["a\nb\n\nc"]}]
)
def test_what_no_checkpoint_can_say_is_not_signed(keys, wrong):
    with pytest.raises((ValueError, CheckpointInvalid)):
        checkpoint.make(keys.log, **{"size": 1, "root": ROOT} | wrong)


def test_notes_are_found_in_a_mail_however_it_was_quoted(keys, note):
    second = checkpoint.make(keys.log, 4712, ROOT, ["more"])
    quoted = "".join(f"> {line}\r\n" for line in note.splitlines())
    mail = (
        f"Dear auditor,\r\n\r\n{quoted}\r\nand\n\n    "
        + second.replace("\n", "\n    ")
        + "\nRegards"
    )

    found = checkpoint.find_notes(mail)

    assert found == [note, second]
    assert checkpoint.find_notes("nothing of the kind\n\n— me\n") == []


@given(st.text(max_size=300))
def test_no_text_makes_reading_raise_anything_else(text):
    checkpoint.find_notes(text)
    with pytest.raises(CheckpointInvalid):
        checkpoint.parse(text)
