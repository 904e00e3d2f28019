"""Give the role that web, worker and beat connect as what it needs, and of the log no more."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

EVERYTHING = "SELECT, INSERT, UPDATE, DELETE"
# Where less than everything is granted. The triggers refuse the rest too; but a role that does
# not own the tables cannot drop the triggers.
LESS = {
    "audit_event": "SELECT, INSERT",
    "audit_loghead": "SELECT, UPDATE",
    "audit_personaltext": "SELECT, INSERT, DELETE",  # deleting is how a person's text is erased
    "audit_erasedtext": "SELECT, INSERT",
    "audit_checkpoint": "SELECT, INSERT",
    "audit_logcheck": "SELECT, INSERT",
    "django_migrations": "SELECT",
}


class Command(BaseCommand):
    help = (
        "Grant a PostgreSQL role what the running product needs. Run it as the owner of the "
        "tables after each migration; it may be run again at any time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("role", help="name of the role, which must exist")

    def handle(self, *args: Any, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError("Roles are PostgreSQL's: DATABASE_URL names another database.")
        role = connection.ops.quote_name(options["role"])
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [options["role"]])
            if cursor.fetchone() is None:
                raise CommandError(f"There is no role {options['role']}; create it first.")
            cursor.execute(f"GRANT USAGE ON SCHEMA public TO {role}")
            cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}")
            tables = connection.introspection.table_names(cursor)
            for name in tables:
                table = connection.ops.quote_name(name)
                cursor.execute(f"REVOKE ALL ON {table} FROM {role}")
                cursor.execute(f"GRANT {LESS.get(name, EVERYTHING)} ON {table} TO {role}")
        self.stdout.write(f"{options['role']} may use {len(tables)} tables.")
