"""What the database refuses, whoever asks."""

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from audit import protection
from audit.models import Event, LogHead
from tests.audit.test_log import record

SQLITE_ONLY = pytest.mark.skipif("connection.vendor != 'sqlite'", reason="SQLite's own statement")
POSTGRESQL_ONLY = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="PostgreSQL's own statement"
)


@pytest.fixture
def event(db):
    return record(personal_text="on leave")


def refused(statement):
    """Whether the database refuses the SQL; a savepoint keeps the test's transaction usable."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    except IntegrityError:
        return True
    return False


COPIED = (
    "SELECT sequence, at, 'revision.forged', actor_id, actor_name, office, appointment_id,"
    " object_type, object_id, object_version, object_sha256, ip_hash, authentication_sha256,"
    " data, personal_commitment, leaf_hash FROM audit_event"
)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET event = 'revision.declined'",
        "DELETE FROM audit_event",
        f"INSERT INTO audit_event {COPIED}",
        "UPDATE audit_loghead SET size = 0",
        "UPDATE audit_loghead SET size = size",
        "DELETE FROM audit_loghead",
        "UPDATE audit_personaltext SET text = 'at work'",
        "UPDATE audit_personaltext SET salt = ''",
        pytest.param(f"INSERT OR REPLACE INTO audit_event {COPIED}", marks=SQLITE_ONLY),
        pytest.param(f"REPLACE INTO audit_event {COPIED}", marks=SQLITE_ONLY),
        pytest.param("TRUNCATE audit_event", marks=POSTGRESQL_ONLY),
        pytest.param("TRUNCATE audit_loghead", marks=POSTGRESQL_ONLY),
        pytest.param(
            f"INSERT INTO audit_event {COPIED} ON CONFLICT (sequence)"
            " DO UPDATE SET event = 'revision.forged'",
            marks=POSTGRESQL_ONLY,
        ),
    ],
)
def test_log_refuses(event, statement):
    assert refused(statement)
    assert Event.objects.get().event == "revision.cosigned"
    assert LogHead.objects.get().size == 1


def test_log_refuses_replacing_without_the_pragma(event):
    if connection.vendor != "sqlite":
        pytest.skip("a pragma of SQLite")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA recursive_triggers=OFF")
    try:
        assert refused(f"INSERT OR REPLACE INTO audit_event {COPIED}")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA recursive_triggers=ON")


def test_log_refuses_the_orm(event):
    for act in (
        lambda: Event.objects.update(event="x"),
        lambda: Event.objects.all().delete(),
        lambda: event.delete(),
        lambda: Event.objects.bulk_update([event], ["event"]),
        lambda: event.save(),
    ):
        with pytest.raises(IntegrityError, match="audit_event"), transaction.atomic():
            act()


def test_nothing_is_missing_after_migrate(db):
    assert protection.missing() == []


def test_missing_tells_what_was_dropped_and_installing_brings_it_back(db):
    protection.drop_all()
    gone = protection.missing()
    protection.install_all()

    assert "guard_audit_event_kept_delete" in gone
    assert "guard_audit_event_fixed_update" in gone
    assert "guard_audit_loghead_only_grows_update" in gone
    assert protection.missing() == []
    record()
    assert refused("DELETE FROM audit_event")


def test_missing_tells_a_trigger_that_was_made_harmless(db):
    name = "guard_audit_event_kept_delete"
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"DROP TRIGGER {name}")
            cursor.execute(
                f"CREATE TRIGGER {name} BEFORE DELETE ON audit_event BEGIN SELECT 1; END"
            )
        else:
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql"
                " AS 'BEGIN RETURN OLD; END'"
            )

    assert protection.missing() == [name]
    protection.install_all()
    assert protection.missing() == []


@POSTGRESQL_ONLY
def test_missing_tells_a_disabled_trigger(db):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_event DISABLE TRIGGER guard_audit_event_kept_delete")

    assert protection.missing() == ["guard_audit_event_kept_delete"]


def test_installing_twice_changes_nothing(db, django_assert_max_num_queries):
    before = protection._present(connection)
    with django_assert_max_num_queries(8):
        protection.install_all()

    assert protection._present(connection) == before


def test_trigger_of_a_rule_that_nobody_registers_is_removed(db, monkeypatch):
    monkeypatch.setattr(protection, "_guards", dict(protection._guards))
    protection.never_deleted("audit_personaltext", keys=["sequence"])
    protection.install_all()
    assert "guard_audit_personaltext_kept_delete" in protection._present(connection)

    monkeypatch.undo()
    protection.install_all()

    assert "guard_audit_personaltext_kept_delete" not in protection._present(connection)
    assert protection.missing() == []


def test_rule_for_a_table_not_made_yet_waits_for_it(db, monkeypatch):
    monkeypatch.setattr(protection, "_guards", dict(protection._guards))
    protection.append_only("audit_later")

    protection.install_all()

    assert all("audit_later" in name for name in protection.missing())
    assert protection.missing()


def test_lost_head_is_not_made_anew_over_a_log_with_events(event):
    protection.drop_all()
    LogHead.objects.all().delete()
    protection.install_all()

    assert protection.missing() == ["log head"]


@pytest.mark.django_db(transaction=True)
def test_migrate_brings_everything_back():
    protection.drop_all()

    call_command("migrate", "audit", verbosity=0)

    assert protection.missing() == []


@SQLITE_ONLY
def test_table_read_by_anothers_trigger_can_be_remade_by_a_migration(sandbox):
    protection.refuse(
        "line",
        name="only_in_draft",
        on=("DELETE",),
        when="(SELECT state FROM sheet s WHERE s.id = {row}.sheet_id) <> 'draft'",
        message="no",
    )
    sandbox()
    protection.before_migrating(using="default", plan=["remake sheet"])

    with connection.cursor() as cursor:  # what Django does for AlterField
        cursor.execute("CREATE TABLE new__sheet (id integer PRIMARY KEY, state text NOT NULL)")
        cursor.execute("INSERT INTO new__sheet SELECT * FROM sheet")
        cursor.execute("DROP TABLE sheet")
        cursor.execute("ALTER TABLE new__sheet RENAME TO sheet")
    protection.after_migrating(using="default")

    assert protection.missing() == []


# --- Rules that other apps use, tried on a table of their own --------------------------------


@pytest.fixture
def sandbox(db, monkeypatch):
    """Two tables and a copy of the registry; ``install`` puts the rules in place."""
    monkeypatch.setattr(protection, "_guards", dict(protection._guards))
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE sheet (id integer PRIMARY KEY, state text)")
        cursor.execute(
            "CREATE TABLE line (id integer PRIMARY KEY, sheet_id integer, words text,"
            " voided_at text NULL, note text)"
        )
        cursor.execute("INSERT INTO sheet VALUES (1, 'draft'), (2, 'frozen')")
        cursor.execute(
            "INSERT INTO line VALUES (1, 1, 'one', NULL, ''), (2, 1, NULL, NULL, 'said')"
        )
    return protection.install_all


def test_frozen_columns_keep_their_value_and_null(sandbox):
    protection.frozen_columns("line", ["words", "sheet_id"])
    sandbox()

    assert refused("UPDATE line SET words = 'two' WHERE id = 1")
    assert refused("UPDATE line SET words = NULL WHERE id = 1")
    assert refused("UPDATE line SET words = 'two' WHERE id = 2")
    assert not refused("UPDATE line SET words = words, note = 'free'")


def test_frozen_columns_are_not_changed_by_replacing_the_row(sandbox):
    protection.frozen_columns("line", ["words"])
    sandbox()

    verb = "INSERT OR REPLACE" if connection.vendor == "sqlite" else "INSERT"
    assert refused(f"{verb} INTO line VALUES (1, 1, 'two', NULL, '')")
    assert not refused("INSERT INTO line VALUES (3, 1, 'two', NULL, '')")


@pytest.mark.parametrize("column", ["voided_at", "note"])
def test_write_once_column_goes_from_nothing_to_a_value_once(sandbox, column):
    protection.frozen_columns("line", ["words"], write_once=[column])
    sandbox()

    assert not refused(f"UPDATE line SET {column} = '2026' WHERE id = 1")
    assert not refused(f"UPDATE line SET {column} = '2026' WHERE id = 1")
    assert refused(f"UPDATE line SET {column} = '2027' WHERE id = 1")
    assert refused(f"UPDATE line SET {column} = NULL WHERE id = 1")


def test_frozen_columns_hold_only_under_their_condition(sandbox):
    protection.frozen_columns("sheet", ["state"], when="OLD.state = 'frozen'")
    sandbox()

    assert not refused("UPDATE sheet SET state = 'sent' WHERE id = 1")
    assert refused("UPDATE sheet SET state = 'sent' WHERE id = 2")


def test_never_deleted_keeps_rows_but_lets_them_change(sandbox):
    protection.never_deleted("sheet")
    sandbox()

    assert refused("DELETE FROM sheet WHERE id = 1")
    assert not refused("UPDATE sheet SET state = 'sent' WHERE id = 1")


def test_condition_looks_at_the_row_as_it_was_and_as_it_would_be(sandbox):
    protection.refuse(
        "line",
        name="only_in_draft",
        on=("INSERT", "UPDATE", "DELETE"),
        when="(SELECT state FROM sheet s WHERE s.id = {row}.sheet_id) <> 'draft'",
        message="a line changes only while its sheet's \"state\" isn't frozen",
    )
    sandbox()

    assert not refused("INSERT INTO line VALUES (3, 1, '', NULL, '')")
    assert refused("INSERT INTO line VALUES (4, 2, '', NULL, '')")
    assert refused("UPDATE line SET sheet_id = 2 WHERE id = 1"), "moved into a frozen sheet"
    assert not refused("DELETE FROM line WHERE id = 1")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE sheet SET state = 'frozen'")
    assert refused("UPDATE line SET sheet_id = 1 WHERE id = 2")
    assert refused("DELETE FROM line WHERE id = 2")


def test_long_names_stay_within_what_postgresql_keeps(sandbox):
    for table in ("line", "sheet"):
        for name in ("a" * 60 + "b", "a" * 60 + "c"):
            protection.refuse(table, name=name, on=("DELETE",), message="no")

    names = [name for name in protection._guards if "aaaaaaaa" in name]
    assert len(names) == 4
    assert max(map(len, names)) <= 63
