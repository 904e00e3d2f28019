"""Importing a big file: a few queries for each row that it changes."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Event
from boundaries.exchange import importing, previewing, reading, writing
from boundaries.exchange.table import Names
from boundaries.models import Agreement, EarlierText, Look
from boundaries.states import Stance
from tests.boundaries.factories import NOW, live_stances
from tests.boundaries.test_board_speed import ROWS, negotiated

pytestmark = pytest.mark.django_db

A_ROW = 6  # text, its archived predecessor, three of the log; and the rest shared by all
ONCE = 60


def changed_file(revision, **changes):
    """The export with the same change in every row."""
    content = json.loads(writing.as_json(revision, at=NOW))
    for row in content["rows"]:
        row.update(changes)
    return reading.read(json.dumps(content).encode(), "draft.json", Names())


def imported(revision, people, incoming):
    """What the import did, in how many queries."""
    changes = previewing.preview(revision, incoming, Names()).changes
    with CaptureQueriesContext(connection) as queries:
        done = importing.import_draft(
            revision=revision,
            incoming=incoming,
            chosen={one.anchor: one.version for one in changes},
            acting_user=people["cro"],
            at=NOW,
        )
    return done, len(queries)


def test_300_changed_rows_take_a_few_queries_each(people, capsys):
    revision = negotiated(people, ROWS)
    before = Event.objects.count()
    done, queries = imported(revision, people, changed_file(revision, scope_in="All of it, anew."))
    with capsys.disabled():
        print(f"\nImporting {ROWS} rows: {queries} queries, {queries / ROWS:.1f} a row")  # noqa: T201 - measured

    assert done.rows == ROWS
    assert queries <= A_ROW * ROWS + ONCE
    # Each row is an edit like any other.
    rows = list(revision.rows.all())
    assert {(one.scope_in, one.version) for one in rows} == {("All of it, anew.", 2)}
    assert EarlierText.objects.filter(row__revision=revision, version=1).count() == ROWS
    assert live_stances(rows[0]) == live_stances(rows[-1]) == {"cro": Stance.AGREED}
    live = Agreement.objects.filter(row__revision=revision, withdrawn_at__isnull=True)
    assert live.count() == ROWS
    edits = Event.objects.filter(event="row.edited")
    assert {one.data["agreements_withdrawn"] for one in edits} == {2}
    assert {tuple(one.data["agreed_by_editor"]) for one in edits} == {("cro",)}
    assert Event.objects.count() == before + ROWS + 1
    seen = Look.objects.filter(row__revision=revision, person=people["cro"], version=2)
    assert seen.count() == ROWS
    revision.refresh_from_db()
    assert {one.activity for one in rows} <= set(range(1, revision.activity))


def test_changed_owners_take_no_query_more_while_the_parties_stay(people):
    revision = negotiated(people, 20)
    _, for_texts = imported(revision, people, changed_file(revision, scope_in="Anew."))
    _, for_owners = imported(revision, people, changed_file(revision, owner="coo"))
    assert for_owners <= for_texts
