"""A log with keys to sign by, and without its triggers where a test tampers."""

import pytest


@pytest.fixture
def nine_events(db, signing_keys):
    """Nine events, and keys to sign by."""
    from tests.audit.test_log import record

    for number in range(9):
        record(data={"number": number}, personal_text="words" if number == 4 else "")


@pytest.fixture
def owner(nine_events):
    """The database's owner can do as they like: no triggers."""
    from audit import protection

    protection.drop_all()
