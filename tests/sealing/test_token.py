"""The seal's key in a token: SoftHSM stands in for a hardware security module."""

import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sealing import keys as company_keys
from sealing import rotation, sign
from sealing.errors import KeysUnusable
from sealing.token import Token, TokenKey, make_token_key
from sealing.verify import verify

from .conftest import SECRET, approval

PLACES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")
PIN = "1234"


@pytest.fixture(scope="module")
def softhsm(tmp_path_factory):
    """An empty token of this module's own; gives the library."""
    library = next((place for place in PLACES if Path(place).exists()), None)
    if library is None or shutil.which("softhsm2-util") is None:
        pytest.skip("softhsm2 is not installed")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {folder}/tokens\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(configuration))
        subprocess.run(
            ["softhsm2-util", "--init-token", "--free", "--label", "registry",
             "--so-pin", "5678", "--pin", PIN],
            check=True, capture_output=True, env=dict(os.environ),
        )  # fmt: skip
        yield library


@pytest.fixture
def token(softhsm, request):
    return Token(softhsm, "registry", PIN, f"seal of {request.node.name}"[:60])


@pytest.fixture
def directory(keys_directory, tmp_path):
    return shutil.copytree(keys_directory, tmp_path / "keys")


def test_a_file_certified_by_the_token_is_finished_and_genuine(directory, token, copy):
    keys = rotation.rotate(directory, SECRET, "seal", now=datetime.now(UTC), token=token)

    assert isinstance(keys.seal.key, TokenKey)
    assert not (directory / "seal.key.pem").exists()
    assert company_keys.key_problems(directory, SECRET, datetime.now(UTC), token=token) == []
    pdf = sign.certify(copy, keys)
    for office in ("COO", "CRO", "CFO", "CEO"):
        pdf = sign.apply_signature(pdf, keys, approval(office), last=office == "CEO")
    verdict = verify(sign.timestamp_document(pdf, keys), **keys.trust)
    assert verdict.kind == "genuine", verdict


def test_another_label_replaces_the_key_in_the_token(directory, token):
    first = rotation.rotate(directory, SECRET, "seal", now=datetime.now(UTC), token=token)
    other = Token(token.module, token.token_label, token.pin, f"{token.key_label} 2")

    second = rotation.rotate(directory, SECRET, "seal", now=datetime.now(UTC), token=other)

    assert second.seal.certificate != first.seal.certificate
    assert first.seal.certificate in second.retired


def test_the_key_cannot_be_read_out_of_the_token(token):
    import pkcs11

    make_token_key(token)
    found = pkcs11.lib(token.module).get_token(token_label="registry")
    with found.open(user_pin=PIN) as session:
        key = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=token.key_label)
        with pytest.raises(pkcs11.exceptions.AttributeSensitive):
            key[pkcs11.Attribute.VALUE]


def test_a_key_in_the_token_is_never_made_twice(token):
    make_token_key(token)
    with pytest.raises(KeysUnusable, match=r"has a key .* already"):
        make_token_key(token)


def test_a_certificate_of_another_key_is_told(directory, token):
    (directory / "seal.key.pem").unlink()
    make_token_key(token)

    problems = company_keys.key_problems(directory, SECRET, datetime.now(UTC), token=token)

    assert problems == ["The seal certificate is not that of the key in the token."]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pin": "0000"}, "does not open"),
        ({"token_label": "nowhere"}, "does not open"),
        ({"module": "/nowhere/lib.so"}, "does not open"),
        ({"key_label": "nothing"}, "has no key 'nothing'"),
    ],
)
def test_what_is_wrong_with_a_token_is_told_without_its_pin(directory, token, change, words):
    (directory / "seal.key.pem").unlink()
    wrong = Token(**{**vars(token), **change})

    (problem,) = company_keys.key_problems(directory, SECRET, datetime.now(UTC), token=wrong)

    assert words in problem
    assert wrong.pin not in problem
    assert wrong.pin not in repr(wrong)


def test_a_key_file_goes_before_the_token(directory, token):
    keys = company_keys.load_keys(directory, SECRET, token=token)
    assert isinstance(keys.seal, company_keys.KeyPair)
