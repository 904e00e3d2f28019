"""The verifier's verdict joined with the registry's record, for each way a file can stand."""

from types import SimpleNamespace

import pytest

from boundaries import verification
from boundaries.states import State
from boundaries.verification import Standing, judge
from tests.boundaries import sealed_files

pytestmark = pytest.mark.django_db


@pytest.fixture
def walk(django_db_blocker, django_db_setup, signing_keys, db):
    return sealed_files.walked(django_db_blocker)


@pytest.fixture(autouse=True)
def _a_child_for_each_file_only_once(monkeypatch):
    monkeypatch.setattr(verification, "verify_in_child", sealed_files.judged_once)


@pytest.fixture
def cro(executives):
    return executives["cro"]


def test_a_file_in_force_is_genuine_and_good(walk, cro):
    revision = sealed_files.recorded(walk, cro)

    found = judge(walk.sealed)

    assert (found.standing, found.genuine, found.good) == (Standing.IN_FORCE, True, True)
    assert found.headline == "Genuine, and in force today"
    assert found.revision == revision
    assert found.exit_status == 0


@pytest.mark.parametrize(
    ("state", "standing", "headline"),
    [
        (State.APPROVED, Standing.NOT_YET_IN_FORCE, "Genuine and approved, not yet in force"),
        (State.SUPERSEDED, Standing.SUPERSEDED, "Genuine, but superseded by version 2"),
        (State.EXPIRED_UNRENEWED, Standing.EXPIRED, "Genuine, but expired and not renewed"),
    ],
)
def test_a_genuine_file_that_does_not_rule_says_so(walk, cro, state, standing, headline):
    sealed_files.recorded(walk, cro, state=state)

    found = judge(walk.sealed)

    assert (found.standing, found.genuine, found.good) == (standing, True, False)
    assert found.headline == headline
    assert found.exit_status == 0


@pytest.mark.parametrize(
    ("state", "voided", "standing"),
    [
        (State.WITHDRAWN, True, Standing.WITHDRAWN),
        (State.DRAFT, True, Standing.VOIDED),
        # Frozen anew since: the same Revision is being signed, but not this text.
        (State.COSIGNING, True, Standing.VOIDED),
        (State.IN_FORCE, True, Standing.VOIDED),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_a_file_whose_signatures_are_void_is_not_to_be_relied_on(
    walk, cro, state, voided, standing, whole
):
    sealed_files.recorded(walk, cro, state=state, voided=voided)

    found = judge(walk.sealed if whole else walk.two_signed)

    assert (found.standing, found.genuine, found.good) == (standing, False, False)
    assert found.headline == "Do not rely on this file"
    assert found.exit_status == 1


def test_a_signing_copy_with_two_signatures_is_incomplete(walk, cro):
    sealed_files.recorded(walk, cro, state=State.COSIGNING, sealed=False)

    found = judge(walk.two_signed)

    assert (found.verdict.kind, found.standing) == ("incomplete", Standing.INCOMPLETE)
    assert (found.genuine, found.good, found.exit_status) == (False, False, 1)
    assert "still waits" in " ".join(found.sentences)


def test_an_incomplete_copy_of_a_sealed_file_leads_to_the_whole_one(walk, cro):
    sealed_files.recorded(walk, cro)

    found = judge(walk.all_signed)

    assert (found.standing, found.genuine) == (Standing.INCOMPLETE, False)
    assert "ask for that one" in " ".join(found.sentences)


@pytest.mark.parametrize("where", [0.2, 0.6, 0.95])
def test_one_flipped_byte_is_an_alteration(walk, cro, where):
    sealed_files.recorded(walk, cro)

    found = judge(sealed_files.flipped(walk.sealed, at=where))

    assert (found.verdict.kind, found.standing) == ("altered", Standing.UNKNOWN)
    assert (found.genuine, found.good, found.exit_status) == (False, False, 1)
    assert found.revision is None


def test_appended_bytes_are_an_alteration(walk, cro):
    sealed_files.recorded(walk, cro)

    found = judge(walk.sealed + b"\n%one more line\n")

    assert found.verdict.kind == "altered"
    assert found.exit_status == 1


def test_a_file_signed_with_other_keys_is_not_ours(walk, cro, monkeypatch):
    sealed_files.recorded(walk, cro)
    others = SimpleNamespace(trust={"root_fingerprint": "0" * 64})
    monkeypatch.setattr(verification, "company_keys", lambda: others)

    found = judge(walk.sealed)

    assert (found.verdict.kind, found.standing) == ("not_ours", Standing.UNKNOWN)
    assert (found.genuine, found.exit_status) == (False, 2)


def test_a_file_is_judged_by_the_roots_of_outside_timestamps_too(walk, cro, monkeypatch):
    given = []
    trust = {"root_fingerprint": "0" * 64, "root_certificates": [b"their root"]}
    keys = SimpleNamespace(trust=trust)
    monkeypatch.setattr(verification, "company_keys", lambda: keys)
    judged = verification.verify_in_child

    def asked(content, *, root_fingerprint, root_certificates):
        given.extend(root_certificates)
        return judged(content, root_fingerprint=root_fingerprint)

    monkeypatch.setattr(verification, "verify_in_child", asked)
    judge(walk.sealed)

    assert given == [b"their root"]


def test_a_genuine_file_that_the_registry_never_made_raises_the_alarm(walk, cro):
    found = judge(walk.sealed)

    assert (found.standing, found.genuine, found.exit_status) == (Standing.NOT_RECORDED, False, 1)
    assert "Administrator" in found.sentences[0]


@pytest.mark.parametrize("content", [b"", b"Hello", b"%PDF-1.7\nbut nothing more"])
def test_what_is_no_pdf_cannot_be_verified(signing_keys, content):
    found = judge(content)

    assert (found.verdict.kind, found.standing) == ("unverifiable", Standing.UNKNOWN)
    assert found.exit_status == 2
