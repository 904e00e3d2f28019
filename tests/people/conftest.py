"""Every Office of Northwind held by somebody; one person without any; and when it is."""

# The factories import models: pytest reads this file before Django is ready.

import pytest
import time_machine


@pytest.fixture
def now():
    """The clock stands at ``START`` until a test moves it."""
    from tests.people.signing_in import START

    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def maya(company):
    """Somebody without an Office."""
    from tests.people.factories import PersonFactory

    return PersonFactory(name="Maya Lindqvist")


@pytest.fixture
def everybody(company):
    """Who holds each Office, by key; ``member`` holds none."""
    from tests.boundaries.factories import everybody

    return everybody()
