"""The standard catalog in a company with people, and short ways to bring text in force."""

from datetime import UTC, date, datetime

import pytest

# The instant at which these tests take place, unless they travel: noon in New York.
NOW = datetime(2026, 11, 20, 17, tzinfo=UTC)
TODAY = date(2026, 11, 20)


@pytest.fixture
def now(time_machine_at):
    return NOW


@pytest.fixture
def time_machine_at():
    import time_machine

    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def catalog(db):
    """The standard catalog, loaded before any boundary."""
    from functions_catalog.catalog import load_standard_catalog

    load_standard_catalog(at=datetime(2025, 1, 2, tzinfo=UTC))


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch):
    """What a test registers ends with it, and what the apps above register stays outside."""
    from functions_catalog import registry

    for kind in ("_outlooks", "_standings", "_panels", "_document_links"):
        monkeypatch.setattr(registry, kind, [])
