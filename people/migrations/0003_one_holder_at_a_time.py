"""On PostgreSQL the database itself excludes overlapping appointments, also of two at once.

The trigger of people.protections sees only what is committed; SQLite has one writer at a time, so
there it is enough. An exclusion constraint of ranges needs no extension: the office and the kind
are compared as ranges of one value.
"""

from django.db import migrations

EXCLUDE = """
ALTER TABLE people_appointment ADD CONSTRAINT one_holder_per_office_and_day EXCLUDE USING gist (
    int8range(office_id, office_id, '[]') WITH &&,
    int4range(acting::int, acting::int, '[]') WITH &&,
    daterange(starts_on, ends_on, '[)') WITH &&
) WHERE (
    exclusive AND voided_at IS NULL AND (NOT needs_confirmation OR confirmed_at IS NOT NULL)
)
"""
DROP = "ALTER TABLE people_appointment DROP CONSTRAINT one_holder_per_office_and_day"


def exclude_overlaps(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(EXCLUDE)


def allow_overlaps(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(DROP)


class Migration(migrations.Migration):
    dependencies = [("people", "0002_accounts_and_appointments")]

    operations = [migrations.RunPython(exclude_overlaps, allow_overlaps)]
