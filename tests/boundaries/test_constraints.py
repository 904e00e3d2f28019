"""What the database holds of drafts, of what is in force and of files; and what there is one of."""

import hashlib
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from audit import protection
from boundaries import plan, workflow
from boundaries.files import files
from boundaries.models import Acknowledgement, Agreement, Document, Milestone, Revision, StoredFile
from boundaries.states import State
from tests.boundaries import factories
from tests.boundaries.factories import NOW

LATER = NOW + timedelta(days=1)


def refused(act):
    with pytest.raises(IntegrityError), transaction.atomic():
        act()


def sql(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_every_guard_is_in_place(db):
    assert protection.missing() == []


@pytest.mark.parametrize("state", [State.APPROVED, State.IN_FORCE, State.SUPERSEDED])
def test_text_stays_frozen_for_good(people, functions, state):
    revision = factories.in_state(state, people)
    refused(lambda: revision.rows.update(owner="coo"))
    refused(lambda: revision.articles.update(text="Other"))


def test_draft_text_may_change(draft):
    assert draft.rows.update(rationale="Because.") == 5
    assert draft.articles.filter(key="purpose").update(text="Grow.") == 1


def test_dates_of_being_in_force_are_written_once(people, functions):
    revision = factories.in_state(State.SUPERSEDED, people)
    mine = Revision.objects.filter(pk=revision.pk)
    refused(lambda: mine.update(in_force_from=LATER))
    refused(lambda: mine.update(in_force_until=None))


def test_document_is_never_deleted(draft):
    refused(lambda: sql("DELETE FROM boundaries_document WHERE id = %s", draft.document_id))
    assert Document.objects.count() == 1


def test_acknowledgement_and_plan_are_fixed(people, functions):
    revision = factories.in_force(people)
    plan.acknowledge(
        revision=revision,
        milestones=factories.execution_plan(),
        acting_user=people["revops_lead"],
        at=NOW,
    )
    refused(lambda: Acknowledgement.objects.update(person_name="X"))
    refused(lambda: Milestone.objects.update(text="X"))
    refused(lambda: sql("DELETE FROM boundaries_milestone"))
    refused(lambda: Acknowledgement.objects.all()._raw_delete("default"))


def test_agreements_of_a_draft_are_withdrawn_once_and_never_rewritten(ready, people):
    one = Agreement.objects.filter(row__isnull=False).first()
    mine = Agreement.objects.filter(pk=one.pk)
    refused(lambda: mine.update(clause_version=2))
    refused(lambda: mine.update(office="ceo"))
    refused(lambda: mine.update(person=people["ceo"]))
    refused(lambda: mine._raw_delete("default"))
    assert mine.update(withdrawn_at=NOW, withdrawn_because="Changed.") == 1
    refused(lambda: mine.update(withdrawn_at=None))
    refused(lambda: mine.update(withdrawn_because="Something else."))


def test_stored_file_is_found_by_its_content(db):
    sha256 = files.put(b"a signing copy")
    assert sha256 == hashlib.sha256(b"a signing copy").hexdigest()
    assert files.put(b"a signing copy") == sha256
    assert files.get(sha256) == b"a signing copy"
    assert StoredFile.objects.get().size == 14
    with pytest.raises(StoredFile.DoesNotExist):
        files.get("0" * 64)


def test_stored_file_that_rotted_is_told(db):
    StoredFile.objects.create(sha256="0" * 64, media_type="application/pdf", size=1, content=b"x")
    with pytest.raises(ValueError, match="no longer has that SHA-256"):
        files.get("0" * 64)


def test_one_revision_of_a_document_is_unfinished_and_one_in_force(people, functions):
    revision = factories.in_force(people)
    draft = workflow.amend(revision=revision, acting_user=people["cro"], at=LATER)
    refused(
        lambda: Revision.objects.filter(pk=draft.pk).update(
            state=State.IN_FORCE, in_force_from=LATER
        )
    )
    refused(
        lambda: Revision.objects.create(
            document=draft.document,
            number=3,
            opened_by=people["cro"],
            opened_by_name="X",
            opened_by_office="CRO",
        )
    )
    refused(lambda: Revision.objects.filter(pk=draft.pk).update(state="unheard_of"))


def test_one_company_boundary(draft, people):
    refused(
        lambda: Document.objects.create(
            number="NC-2", title="Second", is_company_boundary=True, opened_by=people["cro"]
        )
    )


def test_row_left_out_has_no_owner_in_the_database_either(draft):
    refused(lambda: draft.rows.update(left_out_reason="Gone."))
