"""What the database refuses about the archive, to raw SQL of the product's own role too.

A stored file is emptied, once, by a confirmed disposal of the Revision that it belongs to, of which
the log tells; never while any Revision that names it rules or is on its way, before its retention
has ended by the database's own clock, or while a legal hold stands.
"""

from audit import protection

from ..models.archive import DEFAULT_YEARS
from ..states import State

_BY_TWO = ["asked_by_id", "asked_by_name", "asked_by_office", "asked_at", "reason"]
_ANSWERED = [
    "answer",
    "answered_by_id",
    "answered_by_name",
    "answered_by_office",
    "answered_at",
    "word",
]

# Every freeze f, with its Revision r, that names the file.
_OWNERS = (
    "SELECT 1 FROM boundaries_freeze f JOIN boundaries_revision r ON r.id = f.revision_id"
    " WHERE (OLD.sha256 IN (f.signing_copy_sha256, f.pdf_sha256, f.sealed_sha256)"
    " OR EXISTS (SELECT 1 FROM boundaries_signature s"
    " WHERE s.freeze_id = f.id AND s.applied_sha256 = OLD.sha256))"
)
# retention.Terms.years_for, in SQL.
_YEARS = (  # no input goes in: all names are ours
    "(SELECT MAX(y) FROM (SELECT COALESCE((SELECT k.years FROM boundaries_retentionrule k"  # noqa: S608
    " WHERE k.answer = 'confirmed' AND k.answered_at < r.opened_at"
    f" ORDER BY k.answered_at DESC, k.id DESC LIMIT 1), {DEFAULT_YEARS}) AS y"
    " UNION ALL SELECT k.years FROM boundaries_retentionrule k"
    " WHERE k.answer = 'confirmed' AND k.answered_at >= r.opened_at) counted)"
)


def _not_elapsed(moment: str) -> str:
    """SQL: ``moment`` plus the years lies in the future; a missing moment counts as now.

    Both databases write a time as "2026-11-30 02:26:00...": the year is compared as a number, the
    rest as text. The 29th of February thus ends with 1 March, as ``years_later`` has it.
    """
    then, now = f"COALESCE({moment}, CURRENT_TIMESTAMP)", "CURRENT_TIMESTAMP"

    def year(what: str) -> str:
        return f"CAST(substr(CAST({what} AS text), 1, 4) AS integer)"

    def rest(what: str) -> str:
        return f"substr(CAST({what} AS text), 5, 15)"

    ends = f"{year(then)} + {_YEARS}"
    return f"({ends} > {year(now)} OR ({ends} = {year(now)} AND {rest(then)} > {rest(now)}))"


def register() -> None:
    """Name the rules; ``audit.protection`` puts them in place after every migrate."""
    for table, columns in (
        ("boundaries_retentionrule", ["years"]),
        ("boundaries_disposal", ["revision_id", "kept_until"]),
        ("boundaries_erasurerequest", ["person_id"]),
    ):
        protection.never_deleted(table)
        protection.frozen_columns(table, [*_BY_TWO, *columns], write_once=_ANSWERED)
        protection.frozen_columns(table, [*_ANSWERED], name="answered", when="OLD.answer <> ''")
        protection.refuse(
            table,
            name="waits_first",
            on=("INSERT",),
            when="NEW.answer <> ''",
            message="it waits for another person's answer first",
        )
    protection.frozen_columns(
        "boundaries_disposal", ["files", "size"], name="counted", when="OLD.answer <> ''"
    )
    protection.frozen_columns(
        "boundaries_erasurerequest", ["erased"], name="counted", when="OLD.answer <> ''"
    )
    # A term that had counted in the past would shorten what was promised since.
    protection.refuse(
        "boundaries_retentionrule",
        name="from_now_on",
        on=("UPDATE",),
        when="NEW.answer = 'confirmed' AND OLD.answer = '' AND NEW.answered_at < {yesterday}",
        message="a term counts from its confirmation on, not before",
    )
    protection.never_deleted("boundaries_legalhold")
    protection.frozen_columns(
        "boundaries_legalhold",
        [
            "document_id",
            "matter",
            "reason",
            "placed_by_id",
            "placed_by_name",
            "placed_by_office",
            "placed_at",
        ],
        write_once=[
            "lifted_at",
            "lifted_by_id",
            "lifted_by_name",
            "lifted_by_office",
            "lift_reason",
        ],
    )
    # From when on a record's retention runs is as fixed as the record.
    protection.frozen_columns(
        "boundaries_revision",
        ["state", "state_since"],
        name="after_its_end",
        when=f"OLD.state IN ('{State.SUPERSEDED.value}', '{State.WITHDRAWN.value}')",
    )
    _stored_files()


def _stored_files() -> None:
    table = "boundaries_storedfile"
    protection.never_deleted(table, keys=("sha256",))
    protection.frozen_columns(
        table,
        ["sha256", "media_type", "size", "stored_at"],
        write_once=["disposal_id"],
        keys=("sha256",),
    )
    protection.refuse(
        table,
        name="born_whole",
        on=("INSERT",),
        when="NEW.disposal_id IS NOT NULL",
        message="a file is stored before it is disposed of",
    )
    protection.refuse(
        table,
        name="emptied_once",
        on=("UPDATE",),
        when="OLD.disposal_id IS NOT NULL OR NEW.disposal_id IS NULL OR length(NEW.content) <> 0",
        message="a file never changes; a disposal empties it, once",
    )
    protection.refuse(
        table,
        name="disposal",
        on=("UPDATE",),
        when=(
            f"NOT EXISTS ({_OWNERS} AND EXISTS (SELECT 1 FROM boundaries_disposal d"  # noqa: S608
            " WHERE d.id = NEW.disposal_id AND d.revision_id = r.id"
            " AND d.answer = 'confirmed' AND d.answered_by_id <> d.asked_by_id)"
            " AND EXISTS (SELECT 1 FROM audit_event e WHERE e.object_type = 'revision'"
            " AND e.object_id = CAST(r.id AS text) AND e.event = 'revision.files_disposed'))"
        ),
        message="two people dispose of a Revision's files, and the log tells of it",
    )
    protection.refuse(
        table,
        name="under_hold",
        on=("UPDATE",),
        when=(
            f"EXISTS ({_OWNERS} AND EXISTS (SELECT 1 FROM boundaries_legalhold h"  # noqa: S608
            " WHERE h.lifted_at IS NULL"
            " AND (h.document_id IS NULL OR h.document_id = r.document_id)))"
        ),
        message="a legal hold stands",
    )
    ended = (
        f"CASE r.state WHEN '{State.SUPERSEDED.value}' THEN r.in_force_until"
        f" WHEN '{State.WITHDRAWN.value}' THEN r.state_since END"
    )
    protection.refuse(
        table,
        name="retained",
        on=("UPDATE",),
        when=(
            f"EXISTS ({_OWNERS} AND ({_not_elapsed(ended)}"
            # What cannot be rewritten bounds it too: a file is at least as young as its freeze.
            f" OR {_not_elapsed('COALESCE(f.voided_at, f.frozen_at)')}))"
        ),
        message="its retention has not ended",
    )
