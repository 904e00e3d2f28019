"""Signing, declining, approving and withdrawing at the same moment lose and double nothing."""

import time

import pytest

import audit
from audit.models import Event
from audit.verify import verify_log
from boundaries import drafting, plan, workflow
from boundaries.errors import (
    AlreadySigned,
    ContentChanged,
    IntentNotValid,
    NotADraft,
    NotReadyToFreeze,
    NotYetEffective,
    TransitionNotAllowed,
    UnfinishedRevisionExists,
)
from boundaries.models import Acknowledgement, Freeze, Revision, Signature, SigningIntent
from boundaries.states import Period, State
from functions_catalog import catalog
from functions_catalog.models import Function, Ownership
from people.errors import Refused
from reviews import workflow as reviews
from reviews.models import Review
from tests.boundaries import stages
from tests.boundaries.races.together import at_once, refusals

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


def test_the_last_two_cosigners_at_once_both_sign_and_one_is_last(people):
    revision = stages.signed_by(stages.frozen(people), people, "cro")
    coo = stages.to_sign(revision, people["coo"])
    cfo = stages.to_sign(revision, people["cfo"])

    outcomes = at_once(coo.finish, cfo.finish)

    assert refusals(outcomes) == []
    revision.refresh_from_db()
    assert revision.state == State.AWAITING_APPROVAL
    assert stages.signatures_of(revision) == {"live": ["cfo", "coo", "cro"], "void": []}
    assert stages.verbs_of(revision) == {"open": 1, "freeze": 1, "cosign": 1}
    cosigned = Event.objects.filter(event="revision.cosigned")
    assert sorted(one.data["last"] for one in cosigned) == [False, False, True]
    assert stages.mails_of("signature-asked", "approval-asked") == {
        "signature-asked": 3,
        "approval-asked": 1,
    }
    assert SigningIntent.objects.filter(consumed_at__isnull=False).count() == 3
    assert verify_log().sound


def test_all_three_cosigners_at_once_all_sign(people):
    revision = stages.frozen(people)
    ceremonies = [stages.to_sign(revision, people[office]) for office in stages.PARTIES]

    outcomes = at_once(*(one.finish for one in ceremonies))

    assert refusals(outcomes) == []
    revision.refresh_from_db()
    assert revision.state == State.AWAITING_APPROVAL
    assert stages.signatures_of(revision)["live"] == ["cfo", "coo", "cro"]
    assert stages.verbs_of(revision)["cosign"] == 1
    assert stages.mails_of("approval-asked") == {"approval-asked": 1}


def test_a_double_click_signs_once(people):
    revision = stages.frozen(people)
    ceremony = stages.to_sign(revision, people["cro"])

    outcomes = at_once(ceremony.finish, ceremony.finish)

    assert refusals(outcomes) == [AlreadySigned]
    assert stages.signatures_of(revision) == {"live": ["cro"], "void": []}
    assert stages.events_of("revision.cosigned") == {"revision.cosigned": 1}


def test_two_browsers_of_one_party_sign_once(people):
    revision = stages.frozen(people)
    first, second = (stages.to_sign(revision, people["cro"]) for _ in range(2))

    outcomes = at_once(first.finish, second.finish)

    assert refusals(outcomes) == [AlreadySigned]
    assert stages.signatures_of(revision) == {"live": ["cro"], "void": []}
    assert SigningIntent.objects.filter(consumed_at__isnull=False).count() == 1


def test_signing_while_another_declines_leaves_no_live_signature_on_a_draft(people):
    """Whoever is first: it is a draft again, and a signature given before is void, not gone."""
    revision = stages.signed_by(stages.frozen(people), people, "cro")
    ceremony = stages.to_sign(revision, people["coo"])

    signed, declined = at_once(
        ceremony.finish,
        lambda: workflow.decline(
            revision=revision, reason="Row 4.2", acting_user=people["cfo"], at=stages.NOW
        ),
    )

    assert isinstance(declined, Revision)
    revision.refresh_from_db()
    assert revision.state == State.DRAFT
    if isinstance(signed, Exception):
        assert isinstance(signed, TransitionNotAllowed)
        expected = ["cro"]
    else:
        expected = ["coo", "cro"]
    assert stages.signatures_of(revision) == {"live": [], "void": expected}
    assert stages.events_of("revision.cosigned", "revision.declined") == {
        "revision.cosigned": len(expected),
        "revision.declined": 1,
    }
    consumed = SigningIntent.objects.filter(consumed_at__isnull=False).count()
    assert consumed == len(expected)
    assert stages.mails_of("revision-decline") == {"revision-decline": 4}
    assert not Freeze.objects.filter(voided_at__isnull=True).exists()


def test_the_last_signature_while_another_declines_never_asks_for_approval_of_a_draft(people):
    revision = stages.signed_by(stages.frozen(people), people, "cro", "coo")
    ceremony = stages.to_sign(revision, people["cfo"])

    signed, declined = at_once(
        ceremony.finish,
        lambda: workflow.decline(
            revision=revision, reason="Row 4.2", acting_user=people["coo"], at=stages.NOW
        ),
    )

    assert isinstance(declined, Revision)
    revision.refresh_from_db()
    assert revision.state == State.DRAFT
    last = not isinstance(signed, Exception)
    assert last or isinstance(signed, TransitionNotAllowed)
    assert stages.signatures_of(revision)["live"] == []
    assert len(stages.signatures_of(revision)["void"]) == 2 + last
    assert stages.verbs_of(revision).get("cosign", 0) == last
    assert stages.mails_of("approval-asked") == {"approval-asked": last}


def test_signing_while_the_text_is_edited_signs_only_what_stands(people):
    """Decline, edit and freeze anew, while somebody signs what was opened before."""
    revision = stages.signed_by(stages.frozen(people), people, "cro")
    ceremony = stages.to_sign(revision, people["coo"])
    row = revision.rows.get(position=1)
    text = drafting.row_text(row)
    changed = drafting.RowText(**{**text.__dict__, "scope_in": "Something else altogether."})

    def decline_and_edit():
        workflow.decline(
            revision=revision, reason="Row 4.1", acting_user=people["cfo"], at=stages.NOW
        )
        return drafting.edit_row(
            row=row,
            expected_version=row.version,
            text=changed,
            acting_user=people["cfo"],
            at=stages.NOW,
        )

    signed, edited = at_once(ceremony.finish, decline_and_edit)

    assert not isinstance(edited, Exception)
    assert not isinstance(signed, Exception) or isinstance(signed, TransitionNotAllowed)
    row.refresh_from_db()
    assert (row.scope_in, row.version) == ("Something else altogether.", 2)
    assert Signature.objects.filter(voided_at__isnull=True).count() == 0
    assert stages.events_of("row.edited") == {"row.edited": 1}

    # The old permission is worth nothing for the new text.
    stages.all_agree(revision, people)
    stages.give_signing_copy(
        workflow.freeze(revision=revision, acting_user=people["cro"], at=stages.NOW)
    )
    with pytest.raises((ContentChanged, IntentNotValid)):
        ceremony.finish()
    assert Signature.objects.filter(voided_at__isnull=True).count() == 0


def test_editing_while_freezing_lets_one_win(people):
    revision = stages.ready_to_freeze(people)
    row = revision.rows.get(position=1)
    changed = drafting.RowText(**{**drafting.row_text(row).__dict__, "rationale": "Because."})

    edited, frozen = at_once(
        lambda: drafting.edit_row(
            row=row,
            expected_version=row.version,
            text=changed,
            acting_user=people["coo"],
            at=stages.NOW,
        ),
        lambda: workflow.freeze(revision=revision, acting_user=people["cro"], at=stages.NOW),
    )

    revision.refresh_from_db()
    row.refresh_from_db()
    if isinstance(frozen, Freeze):
        assert isinstance(edited, NotADraft)
        assert (revision.state, row.version) == (State.COSIGNING, 1)
        assert b"Because." not in bytes(frozen.content)
        assert stages.mails_of("signature-asked") == {"signature-asked": 3}
        assert stages.events_of("row.edited", "revision.frozen") == {
            "row.edited": 0,
            "revision.frozen": 1,
        }
    else:
        assert isinstance(frozen, NotReadyToFreeze)
        assert (revision.state, row.version, row.rationale) == (State.DRAFT, 2, "Because.")
        assert not Freeze.objects.exists()
        assert stages.mails_of("signature-asked") == {"signature-asked": 0}
        assert stages.events_of("row.edited", "revision.frozen") == {
            "row.edited": 1,
            "revision.frozen": 0,
        }


def test_freezing_twice_at_once_freezes_once(people):
    revision = stages.ready_to_freeze(people)

    outcomes = at_once(
        *(
            lambda office=office: workflow.freeze(
                revision=revision, acting_user=people[office], at=stages.NOW
            )
            for office in ("cro", "coo")
        )
    )

    assert refusals(outcomes) == [TransitionNotAllowed]
    assert Freeze.objects.count() == 1
    assert stages.verbs_of(revision) == {"open": 1, "freeze": 1}
    assert stages.events_of("revision.frozen") == {"revision.frozen": 1}
    assert stages.mails_of("signature-asked") == {"signature-asked": 3}


# --- Approving --------------------------------------------------------------------------------


def test_approving_twice_at_once_approves_once_and_gives_ownership_once(people):
    revision = stages.awaiting_approval(people)
    first, second = (stages.to_approve(revision, people["ceo"]) for _ in range(2))

    outcomes = at_once(first.finish, second.finish)

    assert refusals(outcomes) == [TransitionNotAllowed]
    revision.refresh_from_db()
    assert revision.state == State.IN_FORCE
    assert stages.signatures_of(revision) == {"live": ["ceo", "cfo", "coo", "cro"], "void": []}
    assert stages.verbs_of(revision) == {
        "open": 1,
        "freeze": 1,
        "cosign": 1,
        "approve": 1,
        "bring_into_force": 1,
    }
    assert stages.events_of("revision.approved", "revision.in_force") == {
        "revision.approved": 1,
        "revision.in_force": 1,
    }
    # Every Office with a function hears once what it gained; the RevOps Lead is asked once.
    assert stages.mails_of("in-force", "acknowledgement-asked") == {
        "in-force": 3,
        "acknowledgement-asked": 1,
    }
    functions = Ownership.objects.values_list("function__key", flat=True)
    assert sorted(functions) == sorted(key for key, *_ in stages.FUNCTIONS)
    reviews = sorted(Review.objects.values_list("kind", flat=True))
    assert reviews == ["full", "quarterly", "quarterly", "quarterly"]
    assert SigningIntent.objects.filter(role="approver", consumed_at__isnull=False).count() == 1
    assert verify_log().sound


def test_approving_while_returning_lets_one_win(people):
    revision = stages.awaiting_approval(people)
    ceremony = stages.to_approve(revision, people["ceo"])

    approved, returned = at_once(
        ceremony.finish,
        lambda: workflow.return_to_draft(
            revision=revision, reason="Row 4.1", acting_user=people["ceo"], at=stages.NOW
        ),
    )

    revision.refresh_from_db()
    if isinstance(approved, Signature):
        assert isinstance(returned, TransitionNotAllowed)
        assert revision.state == State.IN_FORCE
        assert len(stages.signatures_of(revision)["live"]) == 4
        assert Ownership.objects.count() == 3
        assert stages.mails_of("revision-return-to-draft") == {"revision-return-to-draft": 0}
    else:
        assert isinstance(approved, TransitionNotAllowed)
        assert revision.state == State.DRAFT
        assert stages.signatures_of(revision) == {"live": [], "void": ["cfo", "coo", "cro"]}
        assert Ownership.objects.count() == 0
        assert stages.mails_of("in-force") == {"in-force": 0}
    assert stages.events_of("revision.approved")["revision.approved"] == isinstance(
        approved, Signature
    )


def test_approving_while_a_party_declines_lets_one_win(people):
    revision = stages.awaiting_approval(people)
    ceremony = stages.to_approve(revision, people["ceo"])

    approved, declined = at_once(
        ceremony.finish,
        lambda: workflow.decline(
            revision=revision, reason="Row 4.1", acting_user=people["cfo"], at=stages.NOW
        ),
    )

    assert refusals([approved, declined]) == [TransitionNotAllowed]
    revision.refresh_from_db()
    in_force = isinstance(approved, Signature)
    assert revision.state == (State.IN_FORCE if in_force else State.DRAFT)
    assert len(stages.signatures_of(revision)["live"]) == (4 if in_force else 0)
    assert Ownership.objects.count() == (3 if in_force else 0)


def test_approving_while_withdrawing_never_leaves_half_of_both(people):
    """A Revision approved for later can still be withdrawn; one withdrawn is never approved."""
    later = stages.NOW.date().replace(month=12)
    revision = stages.awaiting_approval(people, effective=later)
    ceremony = stages.to_approve(revision, people["ceo"])

    approved, withdrawn = at_once(
        ceremony.finish,
        lambda: workflow.withdraw(
            revision=revision, reason="No longer needed", acting_user=people["ceo"], at=stages.NOW
        ),
    )

    assert isinstance(withdrawn, Revision)
    revision.refresh_from_db()
    assert revision.state == State.WITHDRAWN
    was_approved = isinstance(approved, Signature)
    assert was_approved or isinstance(approved, TransitionNotAllowed)
    void = ["ceo", "cfo", "coo", "cro"] if was_approved else ["cfo", "coo", "cro"]
    assert stages.signatures_of(revision) == {"live": [], "void": void}
    assert stages.events_of("revision.approved", "revision.withdrawn") == {
        "revision.approved": was_approved,
        "revision.withdrawn": 1,
    }
    assert Ownership.objects.count() == 0


# --- In force, amending -----------------------------------------------------------------------


def test_two_sweeps_bring_into_force_once(people):
    later = stages.NOW.date().replace(month=12)
    revision = stages.approved(people, effective=later)
    then = stages.NOW.replace(month=12)

    outcomes = at_once(*([lambda: workflow.bring_into_force(revision=revision, at=then)] * 3))

    assert refusals(outcomes) == [TransitionNotAllowed, TransitionNotAllowed]
    revision.refresh_from_db()
    assert (revision.state, revision.in_force_from) == (State.IN_FORCE, then)
    assert stages.events_of("revision.in_force") == {"revision.in_force": 1}
    assert stages.mails_of("in-force", "acknowledgement-asked") == {
        "in-force": 3,
        "acknowledgement-asked": 1,
    }
    assert Ownership.objects.count() == 3


def test_withdrawing_while_it_comes_in_force_lets_one_win(people):
    later = stages.NOW.date().replace(month=12)
    revision = stages.approved(people, effective=later)
    then = stages.NOW.replace(month=12)

    brought, withdrawn = at_once(
        lambda: workflow.bring_into_force(revision=revision, at=then),
        lambda: workflow.withdraw(
            revision=revision, reason="Too late?", acting_user=people["ceo"], at=then
        ),
    )

    assert refusals([brought, withdrawn]) == [TransitionNotAllowed]
    revision.refresh_from_db()
    if isinstance(brought, Revision):
        assert (revision.state, Ownership.objects.count()) == (State.IN_FORCE, 3)
        assert len(stages.signatures_of(revision)["live"]) == 4
    else:
        assert (revision.state, Ownership.objects.count()) == (State.WITHDRAWN, 0)
        assert len(stages.signatures_of(revision)["live"]) == 0


def test_amending_twice_at_once_opens_one_draft(people):
    revision = stages.approved(people)

    outcomes = at_once(
        *(
            lambda office=office: workflow.amend(
                revision=revision, acting_user=people[office], at=stages.NOW
            )
            for office in stages.PARTIES
        )
    )

    assert refusals(outcomes) == [UnfinishedRevisionExists, UnfinishedRevisionExists]
    drafts = Revision.objects.filter(state=State.DRAFT)
    assert [one.number for one in drafts] == [2]
    assert drafts[0].rows.count() == 3
    assert stages.events_of("revision.amendment_opened") == {"revision.amendment_opened": 1}


def test_opening_the_company_boundary_twice_at_once_opens_one(people):
    stages.small_catalog()

    outcomes = at_once(
        *(
            lambda office=office, number=number: workflow.open_document(
                number=number,
                title="Northwind Cloud RevOps boundary",
                company_boundary=True,
                acting_user=people[office],
                at=stages.NOW,
            )
            for office, number in (("cro", "NC-RB"), ("coo", "NC-RB"), ("cfo", "NC-OTHER"))
        )
    )

    assert [one.code for one in outcomes if isinstance(one, Exception)] == [
        "document_exists",
        "document_exists",
    ]
    assert Revision.objects.count() == 1
    assert stages.events_of("document.opened") == {"document.opened": 1}


def test_two_documents_approved_at_once_never_allocate_one_function_twice(people):
    """Each document has a lock of its own; who owns what must still have one answer."""
    revisions = []
    for number in ("NC-A", "NC-B"):
        draft = stages.part_document(people, number=number, function_keys=["deal_desk"])
        revisions.append(stages.awaiting_approval(people, revision=draft))
    ceremonies = [stages.to_approve(one, people["ceo"]) for one in revisions]

    outcomes = at_once(*(one.finish for one in ceremonies))

    assert [one.code for one in outcomes if isinstance(one, Exception)] == ["allocated_elsewhere"]
    states = sorted(Revision.objects.values_list("state", flat=True))
    assert states == [State.AWAITING_APPROVAL, State.IN_FORCE]
    assert Ownership.objects.filter(function__key="deal_desk").count() == 1
    assert Signature.objects.filter(role="approver").count() == 1


def test_coming_in_force_waits_for_no_verb_that_waits_for_it(people, monkeypatch):
    """Each of these holds a row that coming in force needs while it waits for the log's head."""
    first = stages.approved(people)
    second = stages.awaiting_approval(people, revision=stages.amended(first, people))
    ceremony = stages.to_approve(second, people["ceo"])
    review = Review.objects.open().first()
    record = audit.record

    def record_late(event, **more):
        if event in ("revision.approved", "function.renamed", "review.reminded"):
            time.sleep(0.2)
        return record(event, **more)

    monkeypatch.setattr(audit, "record", record_late, raising=False)
    outcomes = at_once(
        ceremony.finish,
        lambda: catalog.rename_function(
            key="deal_desk", name="Deals desk", acting_user=people["cro"], at=stages.NOW
        ),
        lambda: reviews.remind_now(review=review, acting_user=people["cro"], at=stages.NOW),
        lambda: workflow.expire(revision=first, at=stages.NOW),
    )

    assert [one for one in refusals(outcomes) if not issubclass(one, Refused)] == []
    assert Revision.objects.get(state=State.IN_FORCE).number == 2
    assert Function.objects.get(key="deal_desk").name == "Deals desk"
    assert verify_log().sound


def test_acknowledging_twice_at_once_is_once(people):
    revision = stages.approved(people)
    milestones = [
        plan.PlannedMilestone(
            period=period, text="Do it", responsible="Tomas Vega", due_date=stages.NOW.date()
        )
        for period in Period
    ]

    outcomes = at_once(
        *(
            [
                lambda: plan.acknowledge(
                    revision=revision,
                    milestones=milestones,
                    acting_user=people["revops_lead"],
                    at=stages.NOW,
                )
            ]
            * 2
        )
    )

    assert [one.code for one in outcomes if isinstance(one, Exception)] == ["already_acknowledged"]
    assert Acknowledgement.objects.get().milestones.count() == 3


def test_a_sweep_before_the_day_is_refused_in_every_thread(people):
    later = stages.NOW.date().replace(month=12)
    revision = stages.approved(people, effective=later)

    outcomes = at_once(*([lambda: workflow.bring_into_force(revision=revision, at=stages.NOW)] * 2))

    assert refusals(outcomes) == [NotYetEffective, NotYetEffective]
    revision.refresh_from_db()
    assert revision.state == State.APPROVED
