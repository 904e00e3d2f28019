"""What the database itself refuses about people and Offices, whatever code (or SQL) asks."""

from audit import protection

# The rows compared: both count, both of one Office and kind, and their days overlap.
_COUNTS = (
    "{row}.voided_at IS NULL AND (NOT {row}.needs_confirmation OR {row}.confirmed_at IS NOT NULL)"
)
_OVERLAPS = (  # no input goes in: all names are ours
    "NEW.exclusive AND " + _COUNTS.format(row="NEW") + " AND EXISTS ("  # noqa: S608
    "SELECT 1 FROM people_appointment o WHERE o.office_id = NEW.office_id"
    " AND o.acting = NEW.acting AND o.exclusive AND " + _COUNTS.format(row="o") + "{other}"
    " AND o.starts_on < COALESCE(NEW.ends_on, '9999-12-31')"
    " AND COALESCE(o.ends_on, '9999-12-31') > NEW.starts_on)"
)
_ONE_HOLDER = "an Office has one holder (and one stand-in) on any day"


def register() -> None:
    """Name the rules; ``audit.protection`` puts them in place after every migrate."""
    # History is never rewritten: an appointment gets its confirmation, its end and, where it was
    # wrong, its voiding, each once.
    protection.never_deleted("people_appointment")
    protection.frozen_columns(
        "people_appointment",
        [
            "person_id",
            "office_id",
            "acting",
            "instrument",
            "scope",
            "exclusive",
            "recorded_by_id",
            "recorded_by_name",
            "recorded_at",
            "needs_confirmation",
            "corrects_id",
            "correction_reason",
        ],
        write_once=[
            "end_reason",
            "end_recorded_by_name",
            "end_recorded_at",
            "confirmed_at",
            "confirmed_by_id",
            "confirmed_by_name",
            "voided_as",
            "voided_at",
            "voided_by_name",
            "void_reason",
        ],
    )
    # What was to begin while it waited begins on the day it is confirmed: until then it was no
    # history but a proposal.
    protection.refuse(
        "people_appointment",
        name="first_day",
        on=("UPDATE",),
        when=(
            "NEW.starts_on <> OLD.starts_on AND NOT (OLD.confirmed_at IS NULL"
            " AND NEW.confirmed_at IS NOT NULL AND NEW.starts_on > OLD.starts_on)"
        ),
        message="the first day is fixed",
    )
    # One that was recorded with its last day may end earlier, once, and says who recorded that.
    protection.refuse(
        "people_appointment",
        name="end",
        on=("UPDATE",),
        when=(
            "OLD.ends_on IS NOT NULL AND (NEW.ends_on IS NULL OR NEW.ends_on > OLD.ends_on"
            " OR (NEW.ends_on < OLD.ends_on"
            " AND (OLD.end_recorded_at IS NOT NULL OR NEW.end_recorded_at IS NULL)))"
        ),
        message="an appointment gets its end once, or an earlier one once",
    )
    # SQLite knows the id of a new row only after the INSERT: there it is compared with all rows.
    others: dict[protection.Operation, str] = {"INSERT": "", "UPDATE": " AND o.id <> NEW.id"}
    for operation, other in others.items():
        protection.refuse(
            "people_appointment",
            name="one_holder",
            on=(operation,),
            when=_OVERLAPS.format(other=other),
            message=_ONE_HOLDER,
        )
    # Whoever left is deactivated: what they signed, and the log, name them.
    protection.never_deleted("people_person")
    protection.never_deleted("people_officeabsence")
    protection.frozen_columns(
        "people_officeabsence",
        ["office_id", "part_goes_to_id", "reason", "starts_on", "recorded_by_id", "recorded_at"],
        write_once=["ends_on"],
    )
    protection.never_deleted("people_invitation")
    protection.frozen_columns(
        "people_invitation",
        ["email", "invited_by_id", "invited_by_name", "created_at"],
        write_once=["accepted_at", "person_id", "revoked_at", "revoked_by_name"],
    )
    protection.append_only("people_usedcode")
