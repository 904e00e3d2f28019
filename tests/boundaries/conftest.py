"""Northwind with every Office held, five functions, and the company boundary as a draft."""

# The factories import models: pytest reads this file before Django is ready.

import pytest


@pytest.fixture
def people(company):
    """Everybody by Office key; ``member`` holds none."""
    from tests.boundaries.factories import everybody

    return everybody()


@pytest.fixture
def functions(db):
    """Five functions of the catalog, by key."""
    from tests.boundaries.factories import small_catalog

    return small_catalog()


@pytest.fixture
def draft(people, functions):
    """The company boundary, opened from the template by the CRO; nobody has agreed to anything."""
    from tests.boundaries import factories

    return factories.draft(people)


@pytest.fixture
def ready(draft, people):
    """The same, agreed by all: nothing blocks freezing."""
    from tests.boundaries.factories import all_agree

    return all_agree(draft, people)


@pytest.fixture
def frozen(ready, people):
    """Frozen, with its signing copy; nobody has signed. A Freeze."""
    from tests.boundaries import factories

    return factories.frozen(ready, people)


@pytest.fixture(autouse=True)
def drawn_pages(monkeypatch, tmp_path, settings):
    """Two pages of white for the few bytes that stand for a signing copy; a real PDF is drawn.

    Each test draws for itself.
    """
    from sealing import pages
    from tests.boundaries.fake_pages import FakePages

    settings.CACHES = {
        **settings.CACHES,
        "pages": {**settings.CACHES["pages"], "LOCATION": tmp_path / "pages"},
    }
    return FakePages(pages).install(monkeypatch)
