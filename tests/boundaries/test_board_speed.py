"""The drafting board of a big document: one second of the server, and no query more."""

import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from functions_catalog.models import Function
from tests.boundaries import factories

ROWS = 300
SECONDS = 1.0


def many_functions(count):
    return Function.objects.bulk_create(
        Function(
            key=f"function_{number}",
            name=f"Function number {number}",
            category="commercial",
            natural_owner=("cro", "coo", "cfo")[number % 3],
            touches_financial_reporting=number % 3 == 2,
            position=1000 + number,
        )
        for number in range(count)
    )


def negotiated(people, count, number="NC-BIG"):
    """A draft of ``count`` rows with text, to which the CRO and the COO have agreed."""
    revision = factories.draft(people, functions=many_functions(count), number=number)
    revision.rows.update(
        scope_in="Sets the price bands and their approvers.\n\n- Keeps the list\n- Publishes it",
        scope_out="Collecting what is owed (row 4.3). Setting quota (row 4.2).",
        rationale="It sits with those who answer for the number.",
        consulted=["coo"],
        informed=["cfo"],
    )
    return factories.all_agree(revision, people, parties=["cro", "coo"])


def read(client, revision):
    with CaptureQueriesContext(connection, ) as queries:
        started = time.perf_counter()
        response = client.get(revision.get_absolute_url())
        seconds = time.perf_counter() - started
    assert response.status_code == 200
    return response, len(queries), seconds


def test_a_document_of_300_rows_opens_within_a_second(client, people, capsys):
    revision = negotiated(people, ROWS)
    client.force_login(people["cfo"])
    read(client, revision)  # templates are compiled once per process
    seconds = min(read(client, revision)[2] for _ in range(3))
    response, queries, _ = read(client, revision)
    with capsys.disabled():
        print(f"\n{ROWS} rows: {seconds:.2f} s, {queries} queries, {len(response.content)} bytes")
    assert seconds < SECONDS
