"""Revisions that ended long ago, played by the product's own verbs at that time.

The database judges retention by its own clock, so the past has to lie in the past: a company
boundary opened on 20 November 2018, superseded a day later, long before any year the tests run in.
"""

from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

import audit
from audit.models import Event
from boundaries import workflow
from boundaries.archive import disposal, retention
from boundaries.files import files
from boundaries.models import Answer, Disposal, Freeze, Revision, StoredFile
from boundaries.states import State
from tests.boundaries import factories
from tests.people import factories as people_factories

LONG_AGO = datetime(2018, 11, 20, 15, tzinfo=UTC)
# Until when version 1 of ``superseded`` is kept.
UNTIL = datetime(2025, 11, 21, 15, tzinfo=UTC)
WHY = "Nobody needs the files any more."


def everybody(monkeypatch):
    """Northwind, with everybody in their Office already then; by Office key."""
    monkeypatch.setattr(people_factories, "SINCE", LONG_AGO.date())
    return factories.everybody()


def superseded(people):
    """Version 1, superseded on 21 November 2018: kept until 21 November 2025."""
    revision = factories.in_state(State.SUPERSEDED, people, at=LONG_AGO)
    # The factories name a signing copy only: a sealed file as well, as after the worker's part.
    return sealed(revision)


def sealed(revision):
    sha256 = files.put(b"sealed " + revision.reference.encode())
    Freeze.objects.filter(revision=revision, voided_at=None).update(
        pdf_sha256=sha256, sealed_sha256=sha256, sealed_at=revision.in_force_from
    )
    revision.signatures.update(applied_sha256=sha256)
    return factories.fresh(revision)


def withdrawn(people):
    """Frozen and withdrawn on 20 November 2018, by the CEO."""
    revision = factories.in_state(State.COSIGNING, people, at=LONG_AGO)
    workflow.withdraw(revision=revision, reason="Not now.", acting_user=people["ceo"], at=LONG_AGO)
    return factories.fresh(revision)


def proposed(revision, people, *, at):
    return disposal.propose(
        revision=revision, reason=WHY, acting_user=people["corporate_secretary"], at=at
    )


def disposed(revision, people, *, at):
    return disposal.confirm(
        disposal=proposed(revision, people, at=at), acting_user=people["ceo"], at=at
    )


def lengthened(years, people, *, at):
    """Another term, confirmed by the CEO a moment later."""
    rule = retention.propose(
        years=years, reason="Counsel asks.", acting_user=people["corporate_secretary"], at=at
    )
    return retention.confirm(
        rule=rule, acting_user=people["ceo"], at=at + timedelta(milliseconds=1)
    )


def whole(revision):
    """How many files of the Revision still have their bytes."""
    names = disposal.file_names([revision.pk])[revision.pk]
    return sum(
        len(bytes(content)) > 0
        for content in StoredFile.objects.filter(pk__in=names).values_list("content", flat=True)
    )


def state_of_things(revision):
    """What a refusal must leave as it was."""
    return whole(revision), Event.objects.count(), Revision.objects.get(pk=revision.pk).state


def emptying(name, one):
    """The statement that empties a file by a disposal."""
    empty = {"sqlite": "x''", "postgresql": "''::bytea"}[connection.vendor]
    return (
        f"UPDATE boundaries_storedfile SET content = {empty}, disposal_id = {one.pk}"
        f" WHERE sha256 = '{name}'"
    )


def confirmed_by_sql(one, ceo, at):
    """As the product's own role could write it, past every verb."""
    Disposal.objects.filter(pk=one.pk).update(
        answer=Answer.CONFIRMED,
        answered_by=ceo,
        answered_by_name=ceo.name,
        answered_by_office="CEO",
        answered_at=at,
    )


def logged(revision, people, at):
    """The event without which no file is emptied."""
    with transaction.atomic():
        audit.record(
            "revision.files_disposed",
            at=at,
            actor=people["ceo"],
            object_type="revision",
            object_id=str(revision.pk),
        )


def one_of(revision):
    """The SHA-256 of one of its files."""
    return sorted(disposal.file_names([revision.pk])[revision.pk])[0]
