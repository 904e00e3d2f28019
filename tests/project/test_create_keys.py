"""`manage create_keys` makes what is missing and replaces nothing."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command


@pytest.fixture
def directory(settings, tmp_path):
    settings.KEYS_DIR = tmp_path / "keys"
    return settings.KEYS_DIR


def create(*options):
    said = StringIO()
    call_command("create_keys", *options, stdout=said)
    return said.getvalue()


def test_keys_are_made_once_and_what_is_missing_is_added(directory, company):
    assert "Publish the root's SHA-256 fingerprint" in create()
    made = {path.name: path.read_bytes() for path in directory.iterdir()}

    assert "All keys are there already" in create()
    assert create("--if-missing") == ""
    for name in ("log.pem", "log.key.pem"):
        (directory / name).unlink()
    assert "Added to the keys: log." in create("--if-missing")

    now = {path.name: path.read_bytes() for path in directory.iterdir()}
    assert set(now) == set(made)
    assert {name for name in made if now[name] != made[name]} == {"log.pem", "log.key.pem"}


def test_a_wrong_secret_adds_nothing_and_is_told(directory, company, settings):
    create()
    (directory / "log.pem").unlink()
    (directory / "log.key.pem").unlink()
    settings.KEYS_SECRET = "another secret of the tests"

    with pytest.raises(CommandError, match="does not open with this secret"):
        create("--if-missing")
    assert not (directory / "log.pem").exists()


def test_without_a_company_nothing_is_made(directory, db):
    assert create("--if-missing") == ""
    with pytest.raises(CommandError, match="Set up the company first"):
        create()
    assert not directory.exists()
