import pytest


@pytest.fixture
def people(transactional_db, executives):
    """Northwind's executives, committed: threads have connections of their own."""
    return executives
