"""What every test shares: a database in a file, and triggers that survive a flush."""

import pytest
from django.db import connections
from django.test import TransactionTestCase


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings, tmp_path_factory):
    """Keep SQLite's test database in a file: threads and child processes cannot share memory."""
    for connection in connections.all(initialized_only=False):
        if connection.vendor == "sqlite":
            folder = tmp_path_factory.mktemp("database")
            connection.settings_dict["TEST"]["NAME"] = str(folder / "test.sqlite3")


@pytest.fixture(autouse=True, scope="session")
def _triggers_survive_a_flush():
    """Flushing between transactional tests deletes what the triggers protect: lift them for it."""
    from audit import protection

    flush = TransactionTestCase._fixture_teardown

    def lift_flush_and_restore(self):
        protection.drop_all()
        try:
            flush(self)
        finally:
            protection.install_all()

    TransactionTestCase._fixture_teardown = lift_flush_and_restore
    yield
    TransactionTestCase._fixture_teardown = flush
