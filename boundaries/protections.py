"""What the database itself refuses about documents, whatever code (or admin, or SQL) asks."""

from audit import protection

from .archive import protections as archive

_STATE_OF_REVISION = (
    "(SELECT r.state FROM boundaries_revision r WHERE r.id = {row}.revision_id) <> 'draft'"
)
_STATE_OF_PART = (
    "(SELECT r.state FROM boundaries_revision r JOIN boundaries_row w ON w.revision_id = r.id"
    " WHERE w.id = {row}.row_id) <> 'draft'"
)


def register() -> None:
    """Name the rules; ``audit.protection`` puts them in place after every migrate."""
    for table in ("boundaries_row", "boundaries_article", "boundaries_agreement"):
        protection.refuse(
            table,
            name="only_in_draft",
            on=("INSERT", "UPDATE", "DELETE"),
            when=_STATE_OF_REVISION,
            message="it changes only while its Revision is a draft",
        )
    protection.refuse(
        "boundaries_rowsubscope",
        name="only_in_draft",
        on=("INSERT", "UPDATE", "DELETE"),
        when=_STATE_OF_PART,
        message="it changes only while its Revision is a draft",
    )
    for table in ("boundaries_row", "boundaries_article", "boundaries_rowsubscope"):
        # TRUNCATE and INSERT OR REPLACE ask no row whether its Revision is a draft.
        protection.refuse(
            table, name="kept", on=("TRUNCATE",), message="rows are deleted one by one"
        )
        protection.no_replacing(table)
    protection.never_deleted("boundaries_agreement")
    protection.frozen_columns(
        "boundaries_agreement",
        [
            "revision_id",
            "row_id",
            "article_id",
            "clause_version",
            "office",
            "stance",
            "reason",
            "person_id",
            "person_name",
            "appointment_id",
            "given_at",
        ],
        write_once=["withdrawn_at", "withdrawn_because"],
    )
    protection.never_deleted("boundaries_document", keys=("id", "number"))
    protection.never_deleted("boundaries_revision")
    protection.frozen_columns(
        "boundaries_revision",
        ["document_id", "number", "supersedes_id", "opened_by_id", "opened_at"],
        write_once=["in_force_from", "in_force_until"],
    )
    protection.frozen_columns(
        "boundaries_revision",
        ["effective_date", "sunset_date"],
        name="dates_after_draft",
        when="OLD.state <> 'draft'",
    )
    protection.never_deleted("boundaries_freeze", keys=("id", "content_sha256"))
    protection.frozen_columns(
        "boundaries_freeze",
        [
            "revision_id",
            "number",
            "content",
            "content_sha256",
            "frozen_at",
            "frozen_by_id",
            "frozen_by_name",
            "frozen_by_office",
        ],
        write_once=[
            "signing_copy_sha256",
            "sealed_sha256",
            "sealed_at",
            "voided_at",
            "void_reason",
        ],
        keys=("id", "content_sha256"),
    )
    protection.never_deleted("boundaries_signature")
    protection.frozen_columns(
        "boundaries_signature",
        [
            "freeze_id",
            "revision_id",
            "role",
            "office",
            "acting",
            "person_id",
            "person_name",
            "appointment_id",
            "intent_id",
            "content_sha256",
            "signing_copy_sha256",
            "meaning",
            "reservation",
            "method",
            "evidence",
            "evidence_sha256",
            "signed_at",
        ],
        write_once=["applied_sha256", "voided_at", "void_reason"],
    )
    protection.append_only("boundaries_earliertext")
    protection.append_only("boundaries_threadentry")
    protection.append_only("boundaries_mark")
    protection.never_deleted("boundaries_veto")
    protection.frozen_columns(
        "boundaries_veto",
        [
            "revision_id",
            "row_id",
            "reason",
            "person_id",
            "person_name",
            "person_office",
            "appointment_id",
            "given_at",
            "order_from",
        ],
        write_once=[
            "lifted_at",
            "lifted_by_id",
            "lifted_by_name",
            "lifted_by_office",
            "lifted_word",
            "ordered_at",
            "ordered_by_id",
            "ordered_by_name",
            "ordered_by_office",
            "order_rationale",
        ],
    )
    protection.refuse(
        "boundaries_veto",
        name="only_in_draft",
        on=("INSERT", "UPDATE"),
        when=_STATE_OF_REVISION,
        message="it changes only while its Revision is a draft",
    )
    protection.never_deleted("boundaries_proposal")
    protection.frozen_columns(
        "boundaries_proposal",
        ["entry_id", "base_version", "text"],
        write_once=[
            "answer",
            "answered_by_id",
            "answered_by_name",
            "answered_by_office",
            "answered_at",
            "answer_word",
        ],
    )
    protection.never_deleted("boundaries_dispute")
    protection.frozen_columns(
        "boundaries_dispute",
        [
            "document_id",
            "revision_id",
            "row_id",
            "function_id",
            "in_force",
            "question",
            "reason",
            "parties",
            "opened_by_id",
            "opened_by_name",
            "opened_by_office",
            "opened_at",
            "pages_due_at",
        ],
        write_once=["pages_opened_at", "ruling_due_at", "outcome", "ended_at"],
    )
    protection.never_deleted("boundaries_disputepage")
    protection.frozen_columns(
        "boundaries_disputepage",
        [
            "dispute_id",
            "office",
            "text",
            "person_id",
            "person_name",
            "person_office",
            "appointment_id",
            "saved_at",
            "filed_at",
            "waived_at",
        ],
        name="after_filing",
        when="OLD.filed_at IS NOT NULL OR OLD.waived_at IS NOT NULL",
    )
    protection.never_deleted("boundaries_disputesettlement")
    protection.frozen_columns(
        "boundaries_disputesettlement",
        ["dispute_id", "office", "person_id", "person_name", "person_office", "given_at"],
        write_once=["taken_back_at"],
    )
    protection.never_deleted("boundaries_ruling")
    protection.frozen_columns(
        "boundaries_ruling",
        [
            "dispute_id",
            "terms",
            "rationale",
            "person_id",
            "person_name",
            "person_office",
            "appointment_id",
            "ruled_at",
        ],
        write_once=["interim_from", "interim_until"],
    )
    protection.never_deleted("boundaries_boundaryexception")
    protection.frozen_columns(
        "boundaries_boundaryexception",
        [
            "revision_id",
            "row_id",
            "part",
            "what",
            "reason",
            "expires_on",
            "approvers",
            "requested_by_id",
            "requested_by_name",
            "requested_by_office",
            "requested_at",
        ],
        write_once=["settled_at"],
    )
    protection.append_only("boundaries_exceptionanswer")
    archive.register()
    protection.append_only("boundaries_statechange")
    protection.append_only("boundaries_reading")
    protection.append_only("boundaries_acknowledgement")
    protection.append_only("boundaries_milestone")
    protection.never_deleted("boundaries_signingintent", keys=("id", "nonce"))
    protection.frozen_columns(
        "boundaries_signingintent",
        [
            "freeze_id",
            "role",
            "person_id",
            "appointment_ids",
            "session_sha256",
            "content_sha256",
            "signing_copy_sha256",
            "meaning",
            "consent_version",
            "conflict_declared",
            "reservation",
            "nonce",
            "created_at",
            "expires_at",
        ],
        write_once=["consumed_at", "revoked_at", "revoked_because"],
        keys=("id", "nonce"),
    )
    protection.never_deleted("boundaries_succession")
    protection.frozen_columns(
        "boundaries_succession",
        ["revision_id", "office", "appointment_id", "predecessor_name", "began_at", "due_date"],
        write_once=["answer", "answered_at", "answered_by_id", "answered_by_name", "wish"],
    )
