"""The drafting board of a big document: one second of the server, and no query more."""

import time

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from functions_catalog.models import Function
from tests.boundaries import factories

ROWS = 300
SECONDS = 1.0


def many_functions(count):
    first = Function.objects.count()
    return Function.objects.bulk_create(
        Function(
            key=f"function_{number}",
            name=f"Function number {number}",
            category="commercial",
            natural_owner=("cro", "coo", "cfo")[number % 3],
            touches_financial_reporting=number % 3 == 2,
            position=1000 + number,
        )
        for number in range(first, first + count)
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


def read(client, revision, asked=""):
    """The page, how many queries it took, and the processor's seconds: others may be busy too."""
    with CaptureQueriesContext(connection) as queries:
        started = time.process_time()
        response = client.get(revision.get_absolute_url() + asked)
        seconds = time.process_time() - started
    assert response.status_code == 200
    return response, len(queries), seconds


def test_a_document_of_300_rows_opens_within_a_second(client, people, capsys):
    revision = negotiated(people, ROWS)
    client.force_login(people["cfo"])
    read(client, revision)  # templates are compiled once per process
    seconds = min(read(client, revision)[2] for _ in range(3))
    response, queries, _ = read(client, revision)
    size = len(response.content) // 1024
    started = time.process_time()
    answer = client.get(reverse("boundaries:changes", args=["NC-BIG", 1]), {"seen": 99})
    asked = time.process_time() - started
    with capsys.disabled():
        print(f"\n{ROWS} rows: {seconds:.2f} s, {queries} queries, {size} KB; asking {asked:.3f} s")  # noqa: T201 - measured
    assert answer.status_code == 204
    assert seconds < SECONDS
    # The texts come when rows are opened; all of them when all are asked for.
    assert "Sets the price bands" not in response.content.decode()
    whole, _, _ = read(client, revision, "?open=all")
    assert whole.content.decode().count("Sets the price bands") == ROWS
    # Nobody agrees to texts that were not on the page.
    agree = reverse("boundaries:agree_all", args=["NC-BIG", 1])
    for shown, offers in ((response, False), (whole, True)):
        html = shown.content.decode()
        assert (f'action="{agree}"' in html) == offers
        assert (">Open all to read<" in html.replace("</svg> ", ">")) != offers
    # A choice keeps them open, and few enough come with their texts.
    assert "?show=mine&amp;open=all" in whole.content.decode()
    few, _, _ = read(client, revision, "?q=number 12")
    assert f'action="{agree}"' in few.content.decode()


def test_300_rows_take_the_queries_of_five(client, people):
    few = negotiated(people, 5, number="NC-FEW")
    client.force_login(people["cfo"])
    read(client, few)
    _, for_few, _ = read(client, few)
    many = negotiated(people, ROWS)
    _, for_many, _ = read(client, many)
    _, for_filtered, _ = read(client, many, "?show=mine&owner=cro&q=number")
    assert for_few == for_many == for_filtered


def test_a_change_in_300_rows_is_told_in_the_queries_of_five(client, people):
    client.force_login(people["cfo"])

    def told(revision):
        address = reverse("boundaries:changes", args=[revision.document.number, 1])
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(address, {"seen": 0})
        assert answer.status_code == 200
        return len(queries)

    few = negotiated(people, 5, number="NC-FEW")
    told(few)
    assert told(few) == told(negotiated(people, ROWS))
