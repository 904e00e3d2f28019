"""Writers at once: every event its own number, none lost."""

import threading

import pytest
from django.db import connection, transaction

from audit.models import Event
from audit.verify import verify_log
from tests.audit.test_log import record

WRITERS, EACH = 3, 40


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_writers_at_once_lose_and_double_nothing():
    """On PostgreSQL and on a file of SQLite alike (tests/conftest.py gives tests a file)."""
    barrier = threading.Barrier(WRITERS)
    failures = []

    def write(writer):
        try:
            barrier.wait()
            for number in range(EACH):
                with transaction.atomic():
                    record(data={"writer": writer, "number": number})
        except Exception as failure:  # a thread's failure must reach the test
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert list(Event.objects.order_by("sequence").values_list("sequence", flat=True)) == list(
        range(1, WRITERS * EACH + 1)
    )
    assert verify_log().sound
