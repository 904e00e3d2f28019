"""Keys that are replaced or lost: former files stand, what a thief makes does not."""

import json
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from sealing import compromise, rotation, sign
from sealing import keys as company_keys
from sealing.compromise import CompromisedKey
from sealing.errors import KeysUnusable
from sealing.verify import verify, verify_in_child

from .conftest import SECRET, approval

NOW = datetime.now(UTC)


@pytest.fixture
def directory(keys_directory, tmp_path):
    return shutil.copytree(keys_directory, tmp_path / "keys")


@pytest.fixture(scope="module")
def rsa_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=3072)


@pytest.fixture(autouse=True)
def one_rsa_key_is_enough(monkeypatch, rsa_key):
    """Making one takes up to a second; that it is another than the former is what counts."""
    monkeypatch.setattr(company_keys.rsa, "generate_private_key", lambda **_: rsa_key)


def fingerprints(keys):
    pairs = {"root": keys.root, "seal": keys.seal, "tsa": keys.tsa, "log": keys.log}
    return {name: company_keys.fingerprint(pair.certificate) for name, pair in pairs.items()}


def finished(copy, keys):
    pdf = sign.certify(copy, keys)
    for office in ("COO", "CRO", "CFO", "CEO"):
        pdf = sign.apply_signature(pdf, keys, approval(office), last=office == "CEO")
    return sign.timestamp_document(pdf, keys)


@pytest.mark.parametrize("name", rotation.ROTATED)
def test_a_key_is_replaced_and_its_certificate_kept(directory, keys, name):
    made = rotation.rotate(directory, SECRET, name, now=datetime.now(UTC))

    before, after = fingerprints(keys), fingerprints(made)
    changed = set(rotation.ROTATED) if name == "root" else {name}
    assert {one for one in before if before[one] != after[one]} == changed
    assert company_keys.key_problems(directory, SECRET, datetime.now(UTC)) == []
    retired = {company_keys.fingerprint(one) for one in made.retired}
    assert retired == {before[one] for one in changed}
    lists = [x509.load_der_x509_crl(path.read_bytes()) for path in directory.rglob("*.crl")]
    assert [one.issuer for one in lists] == [keys.root_certificate.subject]
    assert made.log.origin == keys.log.origin
    assert not [path for path in directory.rglob("*") if path.name.endswith((".new", ".ready"))]


def test_a_file_that_was_begun_with_a_former_seal_is_finished_with_the_new_one(
    directory, stages, keys
):
    made = keys
    for name in ("seal", "tsa"):
        made = rotation.rotate(directory, SECRET, name, now=datetime.now(UTC))
    pdf = stages["CFO"]
    pdf = sign.apply_signature(pdf, made, approval("CEO"), last=True)

    verdict = verify(sign.timestamp_document(pdf, made), **made.trust)

    assert verdict.kind == "genuine", verdict


def test_former_files_are_genuine_to_the_server_and_by_the_former_fingerprint(
    directory, closed, keys, copy
):
    made = rotation.rotate(directory, SECRET, "root", now=datetime.now(UTC))

    assert made.retired_fingerprints == (keys.root_fingerprint,)
    assert verify(closed, **made.trust).kind == "genuine"
    assert verify(closed, root_fingerprint=keys.root_fingerprint).kind == "genuine"
    assert verify(closed, root_fingerprint=made.root_fingerprint).kind == "not_ours"
    new = finished(copy, made)
    assert verify(new, **made.trust).kind == "genuine"
    assert verify(new, root_fingerprint=keys.root_fingerprint).kind == "not_ours"


def test_a_file_cannot_go_on_under_another_root(directory, stages):
    made = rotation.rotate(directory, SECRET, "root", now=datetime.now(UTC))
    pdf = sign.apply_signature(stages["CFO"], made, approval("CEO"), last=True)

    assert verify(sign.timestamp_document(pdf, made), **made.trust).kind != "genuine"


@pytest.mark.parametrize("name", ["seal", "tsa", "root"])
def test_what_was_stamped_from_the_compromise_on_is_not_accepted(directory, closed, name):
    moments = [datetime.fromisoformat(one.timestamp_at) for one in verify_all(closed, directory)]
    listed = rotation.report_compromised(
        directory, SECRET, name, since=min(moments), reason="A laptop was lost."
    )

    keys = company_keys.load_keys(directory, SECRET)
    verdict = verify(closed, **keys.trust)

    assert keys.compromised == (listed,)
    assert verdict.kind == "unverifiable"
    assert "reports a key behind it as compromised since" in verdict.sentences[1]
    broken = [one.field for one in verdict.signatures if not one.ok]
    assert broken == (["Sig_SEAL"] if name == "seal" else [one.field for one in verdict.signatures])


@pytest.mark.parametrize("name", ["seal", "tsa", "root"])
def test_what_was_stamped_before_the_compromise_stands(directory, closed, name):
    moments = [datetime.fromisoformat(one.timestamp_at) for one in verify_all(closed, directory)]
    rotation.report_compromised(
        directory, SECRET, name, since=max(moments) + timedelta(seconds=1), reason="It was stolen."
    )

    assert verify(closed, **company_keys.load_keys(directory, SECRET).trust).kind == "genuine"


def test_the_child_is_told_of_former_roots_and_lost_keys(directory, closed, keys):
    stamped = datetime.fromisoformat(verify_all(closed, directory)[-1].timestamp_at)
    rotation.report_compromised(directory, SECRET, "tsa", since=stamped, reason="It was stolen.")
    made = rotation.rotate(directory, SECRET, "root", now=datetime.now(UTC))

    verdict = verify_in_child(closed, **made.trust)

    assert verdict.kind == "unverifiable"
    assert not verdict.signatures[-1].ok
    assert verdict.signatures[0].timestamp_at <= stamped.isoformat()


def verify_all(pdf, directory):
    return verify(pdf, **company_keys.load_keys(directory, SECRET).trust).signatures


def test_new_lists_revoke_a_compromised_key_and_files_begun_before_are_finished(
    directory, stages, keys
):
    since = datetime.now(UTC) - timedelta(seconds=1)
    certified = datetime.fromisoformat(verify_all(stages["closed"], directory)[0].timestamp_at)
    since = max(since, certified + timedelta(seconds=1))
    rotation.report_compromised(directory, SECRET, "seal", since=since, reason="It was stolen.")
    made = rotation.rotate(directory, SECRET, "seal", now=datetime.now(UTC))

    listed = x509.load_der_x509_crl(company_keys.issue_crl(made, now=datetime.now(UTC)))
    revoked = listed.get_revoked_certificate_by_serial_number(keys.seal.certificate.serial_number)
    reason = revoked.extensions.get_extension_for_class(x509.CRLReason).value.reason
    assert (len(listed), reason) == (1, x509.ReasonFlags.key_compromise)
    pdf = sign.apply_signature(stages["CFO"], made, approval("CEO"), last=True)
    assert verify(sign.timestamp_document(pdf, made), **made.trust).kind == "genuine"


def test_a_compromised_key_in_use_is_told(directory):
    rotation.report_compromised(
        directory, SECRET, "tsa", since=datetime.now(UTC), reason="It was stolen."
    )

    problems = company_keys.key_problems(directory, SECRET, datetime.now(UTC))
    assert problems == ["The tsa key is listed as compromised: replace it."]


def test_the_earliest_time_of_a_compromise_counts(directory):
    early, late = NOW - timedelta(days=2), NOW - timedelta(days=1)
    for since in (late, early, late):
        rotation.report_compromised(directory, SECRET, "seal", since=since, reason="Stolen.")

    assert [one.since for one in compromise.read_compromised(directory)] == [early]


@pytest.mark.parametrize(
    ("since", "reason", "words"),
    [
        (NOW, "  ", "why the key counts as compromised"),
        (datetime(2026, 1, 1), "Stolen.", "needs a time zone"),
    ],
)
def test_a_compromise_needs_a_reason_and_a_time(directory, since, reason, words):
    with pytest.raises(KeysUnusable, match=words):
        rotation.report_compromised(directory, SECRET, "seal", since=since, reason=reason)
    assert not (directory / compromise.FILE).exists()


@pytest.mark.parametrize(
    "data",
    [
        "{}",
        "nonsense",
        '[{"since": 3}]',
        json.dumps([{"certificate_sha256": "x", "since": NOW.isoformat(), "reason": ""}]),
        json.dumps([{"certificate_sha256": "a" * 64, "since": "2026-01-01", "reason": ""}]),
    ],
    ids=["no list", "no JSON", "a number for a time", "no fingerprint", "a day for a time"],
)
def test_a_damaged_list_stops_the_keys(directory, data):
    (directory / compromise.FILE).write_text(data)
    with pytest.raises(KeysUnusable, match=r"compromised\.json"):
        company_keys.load_keys(directory, SECRET)


def test_a_compromised_key_is_read_as_it_was_written():
    one = CompromisedKey("a" * 64, NOW, "It was stolen.")
    assert CompromisedKey.from_dict(json.loads(json.dumps(one.as_dict()))) == one


@pytest.mark.parametrize("stop_at", [1, 3, 5])
def test_a_rotation_killed_in_the_middle_is_ended_by_running_it_again(
    directory, monkeypatch, stop_at
):
    done = []
    replace = type(directory).replace

    def killed(self, target):
        if target.parent == directory and not target.name.startswith("compromised"):
            done.append(target)
            if len(done) == stop_at:
                raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(type(directory), "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        rotation.rotate(directory, SECRET, "root", now=datetime.now(UTC))
    monkeypatch.undo()

    made = rotation.rotate(directory, SECRET, "root", now=datetime.now(UTC))

    assert company_keys.key_problems(directory, SECRET, datetime.now(UTC)) == []
    assert len(made.retired_roots) == 1
    assert not [path for path in directory.rglob("*") if path.name.endswith((".new", ".ready"))]
