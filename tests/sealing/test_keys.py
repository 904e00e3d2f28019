import shutil
import stat
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sealing import keys as company_keys
from sealing.checkpoint import LogVerifier
from sealing.errors import CheckpointInvalid, KeysExist, KeysUnusable

from .conftest import SECRET


@pytest.fixture
def changed(keys_directory, tmp_path):
    """A copy of the keys to break."""
    return shutil.copytree(keys_directory, tmp_path / "keys")


def test_keys_are_readable_by_their_owner_only_and_locked(keys_directory):
    files = sorted(path.name for path in keys_directory.iterdir())
    assert files == [
        "log.key.pem", "log.pem", "root.key.pem", "root.pem", "root.sha256", "seal.key.pem",
        "seal.pem", "tsa.key.pem", "tsa.pem",
    ]  # fmt: skip
    for path in keys_directory.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(TypeError):
        serialization.load_pem_private_key((keys_directory / "seal.key.pem").read_bytes(), None)


def test_keys_are_never_overwritten(keys_directory):
    before = {path.name: path.read_bytes() for path in keys_directory.iterdir()}
    with pytest.raises(KeysExist):
        company_keys.create_keys(
            keys_directory, secret=SECRET, organisation="X", country="US", now=datetime.now(UTC)
        )
    assert {path.name: path.read_bytes() for path in keys_directory.iterdir()} == before


@pytest.mark.parametrize(
    "wrong", [{"secret": ""}, {"secret": "short"}, {"country": "USA"}, {"organisation": ""}]
)
def test_keys_are_not_made_from_bad_input(tmp_path, wrong):
    given = {"secret": SECRET, "organisation": "X", "country": "US"} | wrong
    with pytest.raises(KeysUnusable):
        company_keys.create_keys(tmp_path / "keys", **given, now=datetime.now(UTC))
    assert not list((tmp_path / "keys").glob("*"))


def test_root_issues_everything_directly_and_its_fingerprint_is_published(keys, keys_directory):
    published = (keys_directory / "root.sha256").read_text().strip()
    assert keys.root_fingerprint == published
    for pair in (keys.seal, keys.tsa, keys.log):
        pair.certificate.verify_directly_issued_by(keys.root_certificate)
    purposes = keys.tsa.certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert purposes.critical
    assert list(purposes.value) == [ExtendedKeyUsageOID.TIME_STAMPING]
    assert keys.organisation == "Northwind Cloud"


def test_loaded_keys_do_not_print_their_secrets(keys):
    assert "key=" not in repr(keys)


def test_working_keys_have_no_problems(keys_directory):
    assert company_keys.key_problems(keys_directory, SECRET, datetime.now(UTC)) == []


def test_missing_files_are_named(changed):
    (changed / "tsa.key.pem").unlink()
    problems = company_keys.key_problems(changed, SECRET, datetime.now(UTC))
    assert problems == ["Missing from the keys directory: tsa.key.pem."]
    with pytest.raises(KeysUnusable, match="tsa"):
        company_keys.load_keys(changed, SECRET)


def test_a_wrong_secret_is_told(keys_directory):
    problems = company_keys.key_problems(keys_directory, "not that secret!", datetime.now(UTC))
    assert problems == ["The root key does not open with this secret."]


def test_a_key_of_another_certificate_is_told(changed):
    shutil.copy(changed / "seal.key.pem", changed / "root.key.pem")
    problems = company_keys.key_problems(changed, SECRET, datetime.now(UTC))
    assert problems == ["The root key and certificate do not belong together."]


def test_a_certificate_of_another_root_is_told(changed, other_keys, tmp_path):
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    lock = serialization.BestAvailableEncryption(SECRET.encode())
    (changed / "seal.pem").write_bytes(other_keys.seal.certificate.public_bytes(pem))
    (changed / "seal.key.pem").write_bytes(other_keys.seal.key.private_bytes(pem, pkcs8, lock))
    problems = company_keys.key_problems(changed, SECRET, datetime.now(UTC))
    assert problems == ["The seal certificate is not issued by this root."]


def test_a_wrong_published_fingerprint_is_told(changed):
    (changed / "root.sha256").write_text("00" * 32)
    problems = company_keys.key_problems(changed, SECRET, datetime.now(UTC))
    assert len(problems) == 1
    assert "root.sha256" in problems[0]


@pytest.mark.parametrize(
    ("days", "words"),
    [(365 * 10 - 30, "expires on"), (365 * 10 + 1, "expired on"), (-2, "is not valid yet")],
)
def test_expiry_is_told_before_and_after(keys_directory, days, words):
    at = datetime.now(UTC) + timedelta(days=days)
    problems = company_keys.key_problems(keys_directory, SECRET, at)
    assert any(words in problem and "tsa" in problem for problem in problems)


def test_a_one_shot_certificate_names_the_office_and_lasts_an_hour(keys):
    now = datetime.now(UTC)
    pair = company_keys.issue_one_shot(
        keys, name="Ñ" * 80, office_short="CFO", office_title="Chief Financial Officer", now=now
    )
    certificate = pair.certificate
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert life == timedelta(hours=1)
    assert certificate.not_valid_before_utc < now < certificate.not_valid_after_utc
    units = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    assert [unit.value for unit in units] == ["CFO"]
    common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    assert common == "Ñ" * 30 + "…"  # 64 bytes at most


def test_a_revocation_list_is_older_than_the_signature_it_is_for(keys):
    now = datetime.now(UTC)
    listed = x509.load_der_x509_crl(company_keys.issue_crl(keys, now=now))
    assert listed.last_update_utc < now
    assert listed.is_signature_valid(keys.root_certificate.public_key())


def test_the_log_key_is_certified_for_the_log_and_named_after_the_authority(keys):
    verifier = LogVerifier.from_certificate(keys.log.certificate, keys.root_certificate)
    assert verifier.text == keys.log.verifier.text
    assert verifier.name == f"revops-registry/log/{keys.root_fingerprint[:16]}"


def test_keys_of_an_earlier_version_get_the_log_key_added_and_nothing_replaced(changed):
    for name in ("log.pem", "log.key.pem"):
        (changed / name).unlink()
    before = {path.name: path.read_bytes() for path in changed.iterdir()}
    problems = company_keys.key_problems(changed, SECRET, datetime.now(UTC))
    assert problems == ["Missing from the keys directory: log.key.pem, log.pem."]

    assert company_keys.add_missing_keys(changed, SECRET, now=datetime.now(UTC)) == ["log"]
    assert company_keys.key_problems(changed, SECRET, datetime.now(UTC)) == []
    made = (changed / "log.pem").read_bytes()
    assert company_keys.add_missing_keys(changed, SECRET, now=datetime.now(UTC)) == []
    assert (changed / "log.pem").read_bytes() == made
    assert {name: (changed / name).read_bytes() for name in before} == before
    assert stat.S_IMODE((changed / "log.key.pem").stat().st_mode) == 0o600


def test_half_a_log_key_is_told_and_not_made_anew(changed):
    (changed / "log.pem").unlink()
    with pytest.raises(KeysExist, match=r"log\.key\.pem without its other half"):
        company_keys.add_missing_keys(changed, SECRET, now=datetime.now(UTC))


def test_a_log_key_that_this_root_did_not_certify_is_told(changed, other_keys):
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    lock = serialization.BestAvailableEncryption(SECRET.encode())
    (changed / "log.pem").write_bytes(other_keys.log.certificate.public_bytes(pem))
    (changed / "log.key.pem").write_bytes(other_keys.log.key.private_bytes(pem, pkcs8, lock))
    problems = company_keys.key_problems(changed, SECRET, datetime.now(UTC))
    assert problems == ["The log certificate is not issued by this root for a log."]


def test_a_seal_cannot_pass_for_a_log(keys):
    with pytest.raises(CheckpointInvalid, match="not that of a log"):
        LogVerifier.from_certificate(keys.seal.certificate, keys.root_certificate)


def test_a_log_key_that_replaces_another_goes_on_under_its_name(keys):
    next_key = company_keys.issue_log_key(
        keys.root.key, keys.root_certificate, origin=keys.log.origin, start=datetime.now(UTC)
    )
    assert next_key.origin == keys.log.origin
    assert next_key.verifier.key_id != keys.log.verifier.key_id
