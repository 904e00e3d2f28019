"""What the database itself refuses: triggers on SQLite and PostgreSQL.

An app names its rules in ``AppConfig.ready()``::

    protection.append_only("boundaries_signature")
    protection.never_deleted("boundaries_revision")
    protection.frozen_columns("boundaries_freeze", ["content_sha256"], write_once=["voided_at"])
    protection.refuse(
        "boundaries_row",
        name="only_in_draft",
        on=("INSERT", "UPDATE", "DELETE"),
        when="(SELECT state FROM boundaries_revision r WHERE r.id = {row}.revision_id) <> 'draft'",
        message="a row changes only while its Revision is a draft",
    )

Nothing is created then. Every ``migrate`` ends in ``install_all``, because Django remakes SQLite
tables and drops their triggers without a word; ``missing`` tells what is not as it should be. A
refused statement raises ``django.db.IntegrityError`` on both databases.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from .models import Event, LogHead

Operation = Literal["INSERT", "UPDATE", "DELETE", "TRUNCATE"]

# Every trigger of ours begins so: those no longer registered can be told and removed.
PREFIX = "guard_"
_LONGEST_NAME = 63  # PostgreSQL cuts longer identifiers

# What "{yesterday}" in a condition stands for: 24 hours ago by the database's own clock, written as
# each database writes a time column.
_YESTERDAY = {
    "sqlite": "datetime('now', '-1 day')",
    "postgresql": "(CURRENT_TIMESTAMP - INTERVAL '1 day')",
}

# pg_trigger.tgtype: what a trigger fires on, as bits
_TYPE_BITS = {"INSERT": 4, "DELETE": 8, "UPDATE": 16, "TRUNCATE": 32}
_ROW_BIT, _BEFORE_BIT = 1, 2


@dataclass(frozen=True)
class Guard:
    """One trigger: refuse ``operation`` on ``table`` where ``when`` holds (empty: always)."""

    name: str
    table: str
    operation: Operation
    when: str
    message: str

    def sqlite(self) -> str:
        """The CREATE TRIGGER statement; "" where SQLite has no such operation."""
        if self.operation == "TRUNCATE":
            return ""
        when = f" WHEN {self._when('sqlite')}" if self.when else ""
        return (
            f'CREATE TRIGGER "{self.name}" BEFORE {self.operation} ON "{self.table}" '
            f"FOR EACH ROW{when} BEGIN SELECT RAISE(ABORT, {_quoted(self.message)}); END"
        )

    def postgresql_body(self) -> str:
        """The trigger function's body. The condition stands here: WHEN takes no subquery."""
        refusal = (
            f"RAISE EXCEPTION USING MESSAGE = {_quoted(self.message)}, "
            "ERRCODE = 'restrict_violation';"
        )
        if self.when:
            refusal = f"IF {self._when('postgresql')} THEN {refusal} END IF;"
        returned = {"TRUNCATE": "NULL", "DELETE": "OLD"}.get(self.operation, "NEW")
        return f"BEGIN {refusal} RETURN {returned}; END"

    def postgresql(self) -> str:
        each = "STATEMENT" if self.operation == "TRUNCATE" else "ROW"
        return (
            f'CREATE OR REPLACE FUNCTION "{self.name}"() RETURNS trigger LANGUAGE plpgsql '
            f"AS $guard${self.postgresql_body()}$guard$;\n"
            f'DROP TRIGGER IF EXISTS "{self.name}" ON "{self.table}";\n'
            f'CREATE TRIGGER "{self.name}" BEFORE {self.operation} ON "{self.table}" '
            f'FOR EACH {each} EXECUTE FUNCTION "{self.name}"();'
        )

    def _when(self, vendor: str) -> str:
        return self.when.replace("{yesterday}", _YESTERDAY[vendor])

    def postgresql_type(self) -> int:
        each = 0 if self.operation == "TRUNCATE" else _ROW_BIT
        return _BEFORE_BIT | each | _TYPE_BITS[self.operation]


_guards: dict[str, Guard] = {}


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _register(table: str, name: str, operation: Operation, when: str, message: str) -> None:
    full = f"{PREFIX}{table}_{name}_{operation.lower()}"
    if len(full) > _LONGEST_NAME:
        full = f"{full[: _LONGEST_NAME - 9]}_{sha256(full.encode()).hexdigest()[:8]}"
    _guards[full] = Guard(full, table, operation, when, f"{table}: {message}")


def _changed(column: str) -> str:
    """SQL: the UPDATE gives ``column`` another value; NULLs compare like values."""
    # CASE-free and portable: IS DISTINCT FROM came to SQLite only with 3.39.
    old, new = f'OLD."{column}"', f'NEW."{column}"'
    return (
        f"({old} <> {new} OR ({old} IS NULL AND {new} IS NOT NULL) "
        f"OR ({old} IS NOT NULL AND {new} IS NULL))"
    )


# --- The rules --------------------------------------------------------------------------------


def refuse(table: str, *, name: str, on: Sequence[Operation], message: str, when: str = "") -> None:
    """Refuse the operations ``on`` ``table`` where the SQL condition ``when`` holds.

    In ``when`` write ``{row}.column``: it stands for the new row of an INSERT, the old row of a
    DELETE, and an UPDATE is refused when either its old or its new row meets the condition. OLD
    and NEW may be written too where they exist; ``{yesterday}`` is the instant 24 hours ago by the
    database's clock. Subqueries are allowed. Otherwise the SQL must mean the same to SQLite and
    PostgreSQL. ``message`` reads after the table's name.
    """
    for operation in on:
        condition = when
        if "{row}" in when:
            rows = {"INSERT": ("NEW",), "DELETE": ("OLD",), "UPDATE": ("OLD", "NEW")}[operation]
            condition = " OR ".join(f"({when.replace('{row}', row)})" for row in rows)
        _register(table, name, operation, condition, message)


def no_replacing(table: str, *, keys: Sequence[str] = ("id",)) -> None:
    """Refuse an INSERT whose value of any unique column of ``keys`` is already there.

    This stops INSERT OR REPLACE, which deletes the former row and fires no DELETE trigger unless
    the connection asked for it.
    """
    for key in keys:
        _register(
            table,
            f"replaced_{key}",
            "INSERT",
            f'EXISTS (SELECT 1 FROM "{table}" present '  # noqa: S608 - names from code, no input
            f'WHERE present."{key}" = NEW."{key}")',
            f"a row with this {key} exists and is not replaced",
        )


def never_deleted(table: str, *, keys: Sequence[str] = ("id",)) -> None:
    """Refuse DELETE and TRUNCATE, and replacing a row by its unique ``keys``."""
    refuse(table, name="kept", on=("DELETE", "TRUNCATE"), message="rows are never deleted")
    no_replacing(table, keys=keys)


def append_only(table: str, *, keys: Sequence[str] = ("id",)) -> None:
    """Refuse every change but INSERT; ``keys`` are the table's unique columns."""
    never_deleted(table, keys=keys)
    refuse(table, name="fixed", on=("UPDATE",), message="rows are never changed")


def frozen_columns(
    table: str,
    columns: Sequence[str],
    *,
    write_once: Sequence[str] = (),
    keys: Sequence[str] = ("id",),
    name: str = "frozen",
    when: str = "",
) -> None:
    """Refuse an UPDATE that gives any of ``columns`` another value, and replacing a row.

    Columns of ``write_once`` may go from NULL or '' to a value, once. With ``when`` (SQL over OLD
    and NEW) the rule counts only where it holds; give each further rule of a table its ``name``.
    """
    changes = [_changed(column) for column in columns]
    changes += [
        f"(COALESCE(CAST(OLD.\"{column}\" AS text), '') <> '' AND {_changed(column)})"
        for column in write_once
    ]
    condition = " OR ".join(changes)
    if when:
        condition = f"({when}) AND ({condition})"
    _register(
        table,
        name,
        "UPDATE",
        condition,
        f"these columns are fixed: {', '.join([*columns, *write_once])}",
    )
    no_replacing(table, keys=keys)


# --- Putting them in place --------------------------------------------------------------------


def _present(connection: BaseDatabaseWrapper) -> dict[str, tuple[object, ...]]:
    """Our triggers as the database has them: name to (what defines it)."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name GLOB %s",
                [f"{PREFIX}*"],
            )
        else:
            cursor.execute(
                "SELECT t.tgname, c.relname, p.prosrc, t.tgtype, t.tgenabled IN ('O', 'A'),"
                " t.tgqual IS NULL"
                " FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
                " JOIN pg_proc p ON p.oid = t.tgfoid"
                " WHERE starts_with(t.tgname, %s) AND pg_table_is_visible(c.oid)",
                [PREFIX],
            )
        return {row[0]: tuple(row[1:]) for row in cursor.fetchall()}


def _wanted(connection: BaseDatabaseWrapper) -> dict[str, tuple[object, ...]]:
    if connection.vendor == "sqlite":
        statements = {guard.name: guard.sqlite() for guard in _guards.values()}
        return {name: (sql,) for name, sql in statements.items() if sql}
    return {
        guard.name: (guard.table, guard.postgresql_body(), guard.postgresql_type(), True, True)
        for guard in _guards.values()
    }


def _not_as_wanted(connection: BaseDatabaseWrapper) -> list[str]:
    present = _present(connection)
    return sorted(
        name for name, wanted in _wanted(connection).items() if present.get(name) != wanted
    )


def missing(using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """Names of the triggers (and "log head") that are absent, disabled or not as registered."""
    connection = connections[using]
    found = _not_as_wanted(connection)
    tables = connection.introspection.table_names()
    if LogHead._meta.db_table not in tables or not LogHead.objects.using(using).exists():
        found.append("log head")
    return found


def _drop(connection: BaseDatabaseWrapper, names: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        for name in names:
            if connection.vendor == "sqlite":
                cursor.execute(f'DROP TRIGGER IF EXISTS "{name}"')
            else:
                # The function is the trigger's only owner: what calls it goes with it.
                cursor.execute(f'DROP FUNCTION IF EXISTS "{name}"() CASCADE')


def drop_all(using: str = DEFAULT_DB_ALIAS) -> None:
    """Take all our triggers away: around a migration that remakes tables, and a test's flush."""
    connection = connections[using]
    with transaction.atomic(using=using):
        _drop(connection, _present(connection))


def install_all(using: str = DEFAULT_DB_ALIAS) -> None:
    """Make every registered trigger and the head row be there, exactly as registered.

    Idempotent: what is right is left alone. Tables that do not exist yet are passed over (their
    app's own migrate comes back here); triggers that nobody registers any more are removed.
    """
    connection = connections[using]
    with transaction.atomic(using=using):
        tables = set(connection.introspection.table_names())
        stale = set(_present(connection)) - set(_guards)
        wrong = [_guards[name] for name in _not_as_wanted(connection)]
        ready = [guard for guard in wrong if guard.table in tables]
        if connection.vendor == "sqlite":
            _drop(connection, [*stale, *(guard.name for guard in ready)])
            with connection.cursor() as cursor:
                for guard in ready:
                    cursor.execute(guard.sqlite())
        else:
            _drop(connection, stale)
            if ready:
                with connection.cursor() as cursor:
                    cursor.execute("\n".join(guard.postgresql() for guard in ready))
        # A lost head is never made anew over a log that has events: that would hide the loss.
        if {LogHead._meta.db_table, Event._meta.db_table} <= tables and not (
            Event.objects.using(using).exists()
        ):
            LogHead.objects.using(using).get_or_create(pk=1)


def before_migrating(*, using: str, plan: Sequence[Any] = (), **_: object) -> None:
    """SQLite remakes a table under another's trigger and then cannot rename it: drop them first."""
    if plan and connections[using].vendor == "sqlite":
        drop_all(using)


def after_migrating(*, using: str, **_: object) -> None:
    """The one ``post_migrate`` function."""
    install_all(using)
