"""`manage rotate_keys` replaces one key, keeps what former files need and says what to publish."""

import shutil
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from audit.models import Event
from boundaries import pdf, workflow
from boundaries.models import Freeze
from sealing import rotation
from tests.boundaries import stages
from tests.boundaries.fake_sealing import FakeSealing

pytestmark = pytest.mark.django_db


@pytest.fixture
def directory(signing_keys, settings, tmp_path):
    """Keys of its own: the fixture's are those of every other test."""
    settings.KEYS_DIR = shutil.copytree(signing_keys, tmp_path / "keys-to-replace")
    return settings.KEYS_DIR


def rotate(*options):
    said = StringIO()
    call_command("rotate_keys", *options, stdout=said, stderr=said)
    return said.getvalue()


def test_a_replaced_seal_is_kept_recorded_and_used_at_once(directory):
    before = pdf.company_keys()

    said = rotate("seal")

    after = pdf.company_keys()
    assert "The seal key is replaced" in said
    assert after.seal.certificate != before.seal.certificate
    assert after.retired == (before.seal.certificate,)
    assert after.root_fingerprint == before.root_fingerprint
    event = Event.objects.get(event="key.rotated")
    assert event.object_id == "seal"


def test_a_new_root_says_both_fingerprints(directory):
    before = pdf.company_keys()

    said = rotate("root")

    assert f"{pdf.company_keys().root_fingerprint}  from now on" in said
    assert f"{before.root_fingerprint}  before" in said


def test_a_compromised_key_is_listed_replaced_and_recorded(directory):
    said = rotate(
        "log", "--compromised-since", "2026-03-01T09:00:00+00:00", "--reason", "A disk was sold."
    )

    (listed,) = pdf.company_keys().compromised
    assert (listed.since.isoformat(), listed.reason) == (
        "2026-03-01T09:00:00+00:00",
        "A disk was sold.",
    )
    assert "give it to everybody who verifies" in said
    names = Event.objects.filter(event__startswith="key.").values_list("event", flat=True)
    assert list(names) == ["key.compromised", "key.rotated"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["seal", "--compromised-since", "2026-03-01T09:00:00+00:00"], "together"),
        (["seal", "--reason", "Stolen."], "together"),
        (["seal", "--compromised-since", "yesterday", "--reason", "x"], "compromised-since"),
        (["seal", "--compromised-since", "2026-03-01T09:00:00", "--reason", "x"], "compromised-s"),
        (["seal", "--compromised-since", "2999-01-01T00:00:00Z", "--reason", "x"], "future"),
        (["key"], "invalid choice"),
    ],
)
def test_bad_input_replaces_nothing(directory, options, words):
    before = pdf.company_keys()

    with pytest.raises(CommandError, match=words):
        rotate(*options)

    assert pdf.company_keys() is before
    assert not Event.objects.filter(event__startswith="key.").exists()


def test_the_root_waits_for_documents_that_were_begun_under_it(directory, executives, monkeypatch):
    with monkeypatch.context() as patch:
        FakeSealing().install(patch)
        revision = stages.ready_to_freeze(executives)
        freeze = workflow.freeze(revision=revision, acting_user=executives["cro"], at=stages.NOW)
        pdf.advance(freeze.pk)
    monkeypatch.setattr(rotation, "rotate", lambda *_, **__: pytest.fail("replaced"))

    with pytest.raises(CommandError, match=f"not sealed yet: {revision.reference}"):
        rotate("root")

    monkeypatch.undo()
    assert "frozen anew" in rotate("root", "--although-unfinished")
    assert Freeze.objects.get().signing_copy_sha256
