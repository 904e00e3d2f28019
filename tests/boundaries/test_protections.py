"""What the database itself refuses about documents, whoever asks: SQL, bulk update, the admin."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F

from boundaries import workflow
from boundaries.files import files
from boundaries.models import (
    Agreement,
    Article,
    Document,
    Freeze,
    Reading,
    Revision,
    Row,
    RowSubScope,
    Signature,
    SigningIntent,
    StateChange,
    StoredFile,
)
from boundaries.states import State
from tests.boundaries import factories
from tests.boundaries.factories import NOW, REASON, row_of

LATER = NOW + timedelta(days=1)


@pytest.fixture(scope="module")
def db(django_db_setup, django_db_blocker):
    """Instead of pytest-django's: one transaction for the whole module, rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def stage(db):
    """(people, functions, a Revision that waits for approval), made once for all tests here."""
    from tests.people.factories import CompanyFactory

    CompanyFactory()
    people, functions = factories.everybody(), factories.small_catalog()
    return people, functions, factories.in_state(State.AWAITING_APPROVAL, people)


@pytest.fixture
def signed(stage):
    """The Revision: every kind of row is there but plan and milestones. Undone after each test."""
    savepoint = transaction.savepoint()
    yield factories.fresh(stage[2])
    transaction.savepoint_rollback(savepoint)


@pytest.fixture
def people(stage):
    return stage[0]


@pytest.fixture
def functions(stage):
    return stage[1]


def refused(act):
    with pytest.raises(IntegrityError), transaction.atomic():
        act()


def sql(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


# --- Frozen text ------------------------------------------------------------------------------


def frozen_text(revision):
    return {
        "row": Row.objects.filter(revision=revision).first(),
        "article": Article.objects.filter(revision=revision).first(),
        "sub_scope": RowSubScope.objects.filter(row__revision=revision).first(),
        "agreement": Agreement.objects.filter(revision=revision).first(),
    }


COLUMNS = {"row": "owner", "article": "text", "sub_scope": "owner", "agreement": "office"}


@pytest.mark.parametrize("kind", list(COLUMNS))
def test_frozen_text_is_not_updated(signed, kind):
    one, column = frozen_text(signed)[kind], COLUMNS[kind]
    model, table = type(one), type(one)._meta.db_table
    refused(lambda: sql(f'UPDATE "{table}" SET "{column}" = %s WHERE id = %s', "coo", one.pk))
    refused(lambda: model.objects.filter(pk=one.pk).update(**{column: "coo"}))
    setattr(one, column, "coo")
    refused(lambda: model.objects.bulk_update([one], [column]))
    refused(one.save)
    assert getattr(model.objects.get(pk=one.pk), column) != "coo"


@pytest.mark.parametrize("kind", list(COLUMNS))
def test_frozen_text_is_not_deleted(signed, kind):
    one = frozen_text(signed)[kind]
    table = type(one)._meta.db_table
    refused(lambda: sql(f'DELETE FROM "{table}" WHERE id = %s', one.pk))
    refused(lambda: type(one).objects.filter(pk=one.pk)._raw_delete("default"))
    assert type(one).objects.filter(pk=one.pk).exists()


def test_nothing_is_added_to_frozen_text(signed):
    function = factories.another_function()
    refused(lambda: Row.objects.create(revision=signed, function=function, position=9, owner="cro"))
    refused(lambda: Article.objects.create(revision=signed, number=14, key="new", title="New"))
    row = row_of(signed)
    refused(lambda: RowSubScope.objects.create(row=row, key="new", name="New", owner="coo"))
    refused(lambda: RowSubScope.objects.bulk_create([RowSubScope(row=row, key="a", name="A")]))


def test_frozen_text_is_not_moved_to_a_draft_nor_from_one(signed, people, functions):
    draft = factories.draft(people, number="NC-DD", functions=[factories.another_function()])
    refused(lambda: Row.objects.filter(pk=row_of(signed).pk).update(revision=draft, position=9))
    refused(lambda: draft.rows.update(revision=signed, position=9))
    part = RowSubScope.objects.filter(row__revision=signed).first()
    refused(lambda: RowSubScope.objects.filter(pk=part.pk).update(row=draft.rows.get()))


def test_dates_and_identity_of_a_revision_are_fixed(signed, people):
    mine = Revision.objects.filter(pk=signed.pk)
    refused(lambda: mine.update(effective_date=F("sunset_date")))
    refused(lambda: mine.update(sunset_date=None))
    refused(lambda: mine.update(number=7))
    refused(lambda: mine.update(opened_by=people["coo"]))
    refused(lambda: mine.update(opened_at=LATER))
    refused(lambda: sql("DELETE FROM boundaries_revision WHERE id = %s", signed.pk))


# --- What was signed --------------------------------------------------------------------------

FIXED = {
    Freeze: {
        "content": b"{}",
        "content_sha256": "0" * 64,
        "number": 9,
        "frozen_by_name": "X",
        "signing_copy_sha256": "0" * 64,
        "frozen_at": LATER,
    },
    Signature: {
        "office": "ceo",
        "role": "approver",
        "acting": True,
        "person_name": "X",
        "content_sha256": "0" * 64,
        "signing_copy_sha256": "0" * 64,
        "meaning": "X",
        "reservation": "X",
        "method": "passkey",
        "evidence": {"method": "passkey"},
        "evidence_sha256": "0" * 64,
        "signed_at": LATER,
    },
    SigningIntent: {
        "role": "approver",
        "content_sha256": "0" * 64,
        "signing_copy_sha256": "0" * 64,
        "session_sha256": "0" * 64,
        "appointment_ids": [1, 2, 3, 4],
        "meaning": "X",
        "reservation": "X",
        "conflict_declared": "X",
        "expires_at": LATER,
        "nonce": "0" * 64,
        "consumed_at": LATER,
    },
    StateChange: {"to_state": "approved", "by_name": "X", "reason": "X", "at": LATER},
    Reading: {"file_sha256": "0" * 64, "opened_at": LATER},
    StoredFile: {"content": b"another", "size": 7, "media_type": "text/plain"},
}


@pytest.mark.parametrize(
    ("model", "field", "value"),
    [(model, field, value) for model, fields in FIXED.items() for field, value in fields.items()],
    ids=lambda value: getattr(value, "__name__", None) if isinstance(value, type) else None,
)
def test_what_was_signed_is_fixed(signed, model, field, value):
    one = model.objects.order_by("pk").first()
    assert getattr(one, field) != value
    refused(lambda: model.objects.filter(pk=one.pk).update(**{field: value}))
    setattr(one, field, value)
    refused(lambda: model.objects.bulk_update([one], [field]))
    refused(lambda: one.save(update_fields=[field]))


@pytest.mark.parametrize("model", list(FIXED))
def test_what_was_signed_is_never_deleted(signed, model):
    table, key = model._meta.db_table, model._meta.pk.column
    one = model.objects.order_by("pk").first()
    refused(lambda: sql(f'DELETE FROM "{table}" WHERE "{key}" = %s', one.pk))
    refused(lambda: model.objects.filter(pk=one.pk)._raw_delete("default"))
    assert model.objects.filter(pk=one.pk).exists()


# --- Voiding ----------------------------------------------------------------------------------


def test_signature_and_freeze_are_voided_once(signed, people):
    workflow.decline(revision=signed, reason=REASON, acting_user=people["cfo"], at=NOW)
    for model in (Signature, Freeze):
        assert not model.objects.filter(voided_at__isnull=True).exists()
        refused(lambda model=model: model.objects.update(voided_at=None))
        refused(lambda model=model: model.objects.update(voided_at=LATER))
        refused(lambda model=model: model.objects.update(void_reason="Something else."))


def test_worker_writes_each_file_once(signed):
    freeze = Freeze.objects.get()
    sha256 = files.put(b"sealed")
    Freeze.objects.filter(pk=freeze.pk).update(
        pdf_sha256=sha256, sealed_sha256=sha256, sealed_at=NOW
    )
    Signature.objects.update(applied_sha256=sha256)
    refused(lambda: Freeze.objects.update(sealed_sha256="0" * 64))
    refused(lambda: Freeze.objects.update(sealed_at=LATER))
    refused(lambda: Signature.objects.update(applied_sha256="0" * 64))


# --- Ways around ------------------------------------------------------------------------------

GUARDED = (
    *(Row, Article, RowSubScope, Agreement, Document, Revision, Freeze, Signature, SigningIntent),
    *(StateChange, Reading, StoredFile),
)


def insert_of_the_same(model, verb):
    """INSERT a copy of the first row, key and all."""
    columns = [field.column for field in model._meta.concrete_fields]
    named = ", ".join(f'"{column}"' for column in columns)
    table, key = model._meta.db_table, model._meta.pk.column
    pk = model.objects.order_by("pk").values_list("pk", flat=True).first()
    return lambda: sql(
        f'{verb} INTO "{table}" ({named}) SELECT {named} FROM "{table}" WHERE "{key}" = %s', pk
    )


@pytest.mark.parametrize("model", GUARDED)
def test_rows_are_not_replaced(signed, model):
    """INSERT OR REPLACE deletes first, and fires no DELETE trigger unless asked to."""
    if connection.vendor == "sqlite":
        sql("PRAGMA recursive_triggers = OFF")
    try:
        verb = "INSERT OR REPLACE" if connection.vendor == "sqlite" else "INSERT"
        refused(insert_of_the_same(model, verb))
    finally:
        if connection.vendor == "sqlite":
            sql("PRAGMA recursive_triggers = ON")


def test_frozen_row_is_not_replaced_by_one_of_a_draft(signed, people, functions):
    draft = factories.draft(people, number="NC-DD", functions=[factories.another_function()])
    mine, frozen = draft.rows.get(), row_of(signed)
    copy = Row(
        pk=frozen.pk, revision=draft, function=functions["deal_desk"], position=9, owner="coo"
    )
    refused(lambda: copy.save(force_insert=True))
    assert row_of(signed) == frozen
    assert mine.revision == draft


@pytest.mark.parametrize("model", GUARDED)
def test_tables_are_not_truncated(signed, model):
    if connection.vendor != "postgresql":
        # SQLite has no TRUNCATE; a DELETE without WHERE still asks every row.
        refused(lambda: sql(f'DELETE FROM "{model._meta.db_table}"'))
        return
    # Not by IntegrityError alone: rows that wait for their foreign keys' check stop it as well.
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    refused(lambda: sql(f'TRUNCATE "{model._meta.db_table}" CASCADE'))


def test_people_with_a_past_are_not_deleted(signed, people):
    from django.db.models import ProtectedError

    with pytest.raises(ProtectedError):
        people["coo"].delete()
