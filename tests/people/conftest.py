"""Every Office of Northwind held by somebody."""

# The factories import models: pytest reads this file before Django is ready.

import pytest


@pytest.fixture
def everybody(company):
    """Who holds each Office, by key; ``member`` holds none."""
    from tests.boundaries.factories import everybody

    return everybody()
