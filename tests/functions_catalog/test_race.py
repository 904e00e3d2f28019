"""Two documents, one function, one moment."""

import threading
from datetime import UTC, date, datetime

import pytest
from django.db import connection

from functions_catalog.catalog import load_standard_catalog
from functions_catalog.errors import AllocatedElsewhere
from functions_catalog.models import MissedSearch, Ownership
from functions_catalog.search import record_miss

from .builders import answer, in_force

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


def at_once(*acts):
    """Run the acts in threads that start together; what each returned or raised, in order."""
    barrier = threading.Barrier(len(acts))
    outcomes = [None] * len(acts)

    def run(index, act):
        try:
            barrier.wait(10)
            outcomes[index] = act()
        except Exception as refusal:
            outcomes[index] = refusal
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=one) for one in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return outcomes


def test_only_one_of_two_documents_gets_a_function():
    load_standard_catalog(at=AT)
    keys = ["deal_desk", "territory_planning", "sales_enablement"]
    # In opposite orders: locks taken in the order of the answers would deadlock.
    mine = [answer(key, "cro") for key in keys]
    theirs = [answer(key, "coo", number="NC-IT") for key in reversed(keys)]
    outcomes = at_once(
        lambda: in_force(mine, date(2026, 6, 1)),
        lambda: in_force(theirs, date(2026, 6, 1), number="NC-IT"),
    )
    refused = [one for one in outcomes if isinstance(one, Exception)]
    assert len(refused) == 1 and isinstance(refused[0], AllocatedElsewhere), outcomes
    assert Ownership.objects.open().count() == 3
    assert len(set(Ownership.objects.values_list("document_number", flat=True))) == 1


def test_searches_missed_together_are_all_counted():
    outcomes = at_once(*[lambda: record_miss("zebra leasing", at=AT)] * 6)
    assert outcomes == [None] * 6
    assert MissedSearch.objects.values_list("text", "count").get() == ("zebra leasing", 6)
