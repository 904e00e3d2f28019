"""The ceremony: what an intent is bound to, who may sign for what, and what is kept of it."""

import json
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from audit.models import Event
from boundaries import queries, signing, workflow
from boundaries.errors import (
    AlreadySigned,
    ContentChanged,
    IntentNotValid,
    InvalidText,
    MeaningNotAccepted,
    NotASeparatePerson,
    NotConfirmed,
    NotRead,
    ReasonMissing,
    SigningCopyNotReady,
    TransitionNotAllowed,
)
from boundaries.models import Freeze, Reading, Signature, SigningIntent
from boundaries.states import Role, State, Verb
from notifications.models import OutgoingMail
from people.errors import CeoIsNoParty, NotYourOffice, SomebodyActsForYou
from people.models import Office, Person
from sealing.canonical import canonical_json, sha256_hex
from tests.boundaries import factories
from tests.boundaries.factories import (
    NOW,
    REASON,
    SESSION,
    TODAY,
    authenticated_intent,
    cosigned,
    intent_for,
    live_signatures,
)
from tests.people.factories import PASSWORD, PersonFactory


def cosign(revision, intent, person, *, at=NOW, session_key=SESSION):
    return workflow.cosign(
        revision=revision, intent=intent, session_key=session_key, acting_user=person, at=at
    )


def approve(revision, intent, person, *, at=NOW, session_key=SESSION):
    return workflow.approve(
        revision=revision, intent=intent, session_key=session_key, acting_user=person, at=at
    )


def authenticate(intent, person, *, password=PASSWORD, at=NOW, session_key=SESSION):
    return signing.authenticate(
        intent=intent, password=password, session_key=session_key, acting_user=person, at=at
    )


def refused(error, act, *, match=None):
    """``act`` raises exactly ``error`` and leaves no signature, state or event behind."""
    before = (Event.objects.count(), Signature.objects.count())
    with pytest.raises(error, match=match) as caught:
        act()
    assert type(caught.value) is error
    assert (Event.objects.count(), Signature.objects.count()) == before


# --- Reading ----------------------------------------------------------------------------------


def test_reading_is_kept_once(frozen, people):
    first = signing.record_reading(freeze=frozen, acting_user=people["coo"], at=NOW)
    again = signing.record_reading(
        freeze=frozen, acting_user=people["coo"], at=NOW + timedelta(hours=1)
    )
    assert again == first
    assert again.opened_at == NOW
    assert first.file_sha256 == frozen.signing_copy_sha256
    events = Event.objects.filter(event="signing_copy.opened")
    assert [one.object_sha256 for one in events] == [frozen.signing_copy_sha256]


def test_reading_is_for_those_who_may_read_drafts(frozen, people):
    refused(
        NotYourOffice,
        lambda: signing.record_reading(freeze=frozen, acting_user=people["member"], at=NOW),
    )
    assert not Reading.objects.exists()


def test_nothing_to_read_or_sign_before_the_signing_copy_is_made(ready, people):
    freeze = workflow.freeze(revision=ready, acting_user=people["cro"], at=NOW)
    refused(
        SigningCopyNotReady,
        lambda: signing.record_reading(freeze=freeze, acting_user=people["coo"], at=NOW),
    )
    refused(
        SigningCopyNotReady,
        lambda: signing.open_intent(
            revision=ready,
            role=Role.COSIGNER,
            meaning_accepted=True,
            session_key=SESSION,
            acting_user=people["coo"],
            at=NOW,
        ),
    )


# --- Beginning --------------------------------------------------------------------------------


def begin(revision, person, *, role=Role.COSIGNER, meaning_accepted=True):
    return signing.open_intent(
        revision=revision,
        role=role,
        meaning_accepted=meaning_accepted,
        session_key=SESSION,
        acting_user=person,
        at=NOW,
    )


def test_signing_needs_reading_first(frozen, people):
    # That another opened it does not help.
    signing.record_reading(freeze=frozen, acting_user=people["cro"], at=NOW)
    refused(NotRead, lambda: begin(frozen.revision, people["coo"]))


def test_reading_an_earlier_freeze_does_not_count(frozen, people):
    signing.record_reading(freeze=frozen, acting_user=people["coo"], at=NOW)
    workflow.decline(revision=frozen.revision, reason=REASON, acting_user=people["cfo"], at=NOW)
    factories.frozen(frozen.revision, people, at=NOW + timedelta(minutes=1))
    refused(NotRead, lambda: begin(frozen.revision, people["coo"]))


def test_signing_needs_its_meaning_accepted(frozen, people):
    signing.record_reading(freeze=frozen, acting_user=people["coo"], at=NOW)
    refused(
        MeaningNotAccepted,
        lambda: begin(frozen.revision, people["coo"], meaning_accepted=False),
    )


def test_intent_is_bound_to_person_session_text_and_meaning(frozen, people):
    intent = intent_for(
        frozen.revision, people["coo"], conflict_declared=" None ", reservation=" Until May. "
    )
    assert intent.person == people["coo"]
    assert intent.appointment_ids == [people["coo"].appointments.get().pk]
    assert (intent.content_sha256, intent.signing_copy_sha256) == (
        frozen.content_sha256,
        frozen.signing_copy_sha256,
    )
    assert SESSION not in intent.session_sha256
    assert len(intent.session_sha256) == 64
    assert "the Office of the COO" in intent.meaning
    assert (intent.conflict_declared, intent.reservation) == ("None", "Until May.")
    assert intent.expires_at == NOW + timedelta(minutes=5)
    assert (intent.authenticated_at, intent.consumed_at, intent.failed_attempts) == (None, None, 0)
    assert len(intent.nonce) == 64
    assert Event.objects.latest("sequence").event == "signing.begun"


@pytest.mark.parametrize("who", ["ceo", "revops_lead", "corporate_secretary", "auditor", "member"])
def test_cosigning_is_begun_by_parties_only(frozen, people, who):
    refused(NotYourOffice, lambda: begin(frozen.revision, people[who]))


def test_approval_is_begun_by_the_ceo_after_the_last_signature(frozen, people):
    revision = frozen.revision
    refused(TransitionNotAllowed, lambda: begin(revision, people["ceo"], role=Role.APPROVER))
    cosigned(revision, people)
    refused(NotYourOffice, lambda: begin(revision, people["cro"], role=Role.APPROVER))
    refused(TransitionNotAllowed, lambda: begin(revision, people["cro"]))


def test_nobody_begins_to_sign_twice(frozen, people):
    cosigned(frozen.revision, people, "coo")
    refused(IntentNotValid, lambda: begin(frozen.revision, people["coo"]), match="already")


@pytest.mark.parametrize(
    "reservation", ["Until May \N{ROCKET}", "Until\u202eMay", "x" * (signing.MAX_RESERVATION + 1)]
)
def test_reservation_that_cannot_be_printed_is_refused(frozen, people, reservation):
    signing.record_reading(freeze=frozen, acting_user=people["coo"], at=NOW)
    refused(
        InvalidText,
        lambda: intent_for(frozen.revision, people["coo"], reservation=reservation),
    )


# --- Authenticating ---------------------------------------------------------------------------


def test_right_password_is_recorded_as_password_only(frozen, people):
    intent = authenticate(intent_for(frozen.revision, people["coo"]), people["coo"])
    assert (intent.authenticated_at, intent.method) == (NOW, "password only")
    assert Event.objects.latest("sequence").event == "signing.authenticated"


def test_wrong_password_is_counted_and_logged(frozen, people):
    intent = intent_for(frozen.revision, people["coo"])
    with pytest.raises(NotConfirmed, match="4 tries are left"):
        authenticate(intent, people["coo"], password="guess")
    intent.refresh_from_db()
    assert (intent.failed_attempts, intent.authenticated_at) == (1, None)
    event = Event.objects.latest("sequence")
    assert event.event == "signing.authentication_failed"
    assert event.actor_id == people["coo"].pk
    assert event.data == {"method": "password only", "failed_attempts": 1}
    authenticate(intent, people["coo"])  # a later right one still counts
    assert cosign(frozen.revision, intent, people["coo"])


def test_fifth_wrong_password_kills_the_intent(frozen, people):
    intent = intent_for(frozen.revision, people["coo"])
    for left in ("4 tries are", "3 tries are", "2 tries are", "1 try is"):
        with pytest.raises(NotConfirmed, match=left):
            authenticate(intent, people["coo"], password="guess")
    with pytest.raises(IntentNotValid, match="fifth failed try"):
        authenticate(intent, people["coo"], password="guess")
    assert Event.objects.filter(event="signing.authentication_failed").count() == 5
    refused(
        IntentNotValid, lambda: authenticate(intent, people["coo"]), match="Too many failed tries"
    )
    refused(IntentNotValid, lambda: cosign(frozen.revision, intent, people["coo"]))
    assert not live_signatures(frozen.revision)


def test_intents_opened_ahead_give_no_further_guesses(frozen, people):
    ahead = [intent_for(frozen.revision, people["coo"]) for _ in range(3)]
    for intent in ahead[:2]:
        for _ in range(5):
            with pytest.raises((NotConfirmed, IntentNotValid)):
                authenticate(intent, people["coo"], password="guess")
    # Not even the right password: whoever guesses must not learn that this was it.
    refused(
        IntentNotValid,
        lambda: authenticate(ahead[2], people["coo"]),
        match="Too many failed confirmations in the last hour",
    )
    ahead[2].refresh_from_db()
    assert (ahead[2].failed_attempts, ahead[2].authenticated_at) == (0, None)


def test_another_persons_or_sessions_intent_is_refused(frozen, people):
    intent = intent_for(frozen.revision, people["coo"])
    refused(IntentNotValid, lambda: authenticate(intent, people["cro"]))
    refused(IntentNotValid, lambda: authenticate(intent, people["coo"], session_key="another"))
    authenticate(intent, people["coo"])
    refused(IntentNotValid, lambda: cosign(frozen.revision, intent, people["cro"]))
    refused(
        IntentNotValid,
        lambda: cosign(frozen.revision, intent, people["coo"], session_key="another"),
    )
    assert SigningIntent.objects.get().consumed_at is None


def test_intent_lives_five_minutes(frozen, people):
    intent = intent_for(frozen.revision, people["coo"])
    late = NOW + timedelta(minutes=5)
    refused(
        IntentNotValid, lambda: authenticate(intent, people["coo"], at=late), match="five minutes"
    )
    authenticate(intent, people["coo"], at=late - timedelta(seconds=1))
    refused(
        IntentNotValid,
        lambda: cosign(frozen.revision, intent, people["coo"], at=late),
        match="five minutes",
    )
    assert cosign(frozen.revision, intent, people["coo"], at=late - timedelta(seconds=1))


def test_unauthenticated_intent_signs_nothing(frozen, people):
    intent = intent_for(frozen.revision, people["coo"])
    refused(
        IntentNotValid,
        lambda: cosign(frozen.revision, intent, people["coo"]),
        match="Confirm that it is you",
    )


def test_deactivated_person_is_not_authenticated(frozen, people):
    intent = intent_for(frozen.revision, people["coo"])
    Person.objects.filter(pk=people["coo"].pk).update(is_active=False)
    gone = Person.objects.get(pk=people["coo"].pk)
    refused(IntentNotValid, lambda: authenticate(intent, gone), match="account was closed")
    refused(NotYourOffice, lambda: cosign(frozen.revision, intent, gone))


# --- Signing ----------------------------------------------------------------------------------


def test_signature_binds_person_office_text_and_evidence(frozen, people):
    intent = authenticated_intent(frozen.revision, people["coo"], reservation="Until May.")
    (made,) = cosign(frozen.revision, intent, people["coo"])
    made.refresh_from_db()
    assert (made.role, made.office, made.acting) == ("cosigner", "coo", False)
    assert (made.person, made.person_name) == (people["coo"], "Daniel Osei")
    assert made.appointment == people["coo"].appointments.get()
    assert (made.content_sha256, made.signing_copy_sha256) == (
        frozen.content_sha256,
        frozen.signing_copy_sha256,
    )
    assert (made.meaning, made.reservation) == (intent.meaning, "Until May.")
    assert (made.method, made.signed_at) == ("password only", NOW)
    assert made.applied_sha256 == ""  # the worker owes it
    assert made.evidence_sha256 == sha256_hex(canonical_json(made.evidence))
    assert made.evidence["intent"] == intent.nonce
    assert made.evidence["email"] == "daniel.osei@northwind.example"
    assert made.evidence["opened_at"] == "2026-11-20T15:00:00Z"
    assert PASSWORD not in json.dumps(made.evidence)
    intent.refresh_from_db()
    assert intent.consumed_at == NOW


def test_intent_signs_once(frozen, people):
    intent = authenticated_intent(frozen.revision, people["coo"])
    cosign(frozen.revision, intent, people["coo"])
    refused(AlreadySigned, lambda: cosign(frozen.revision, intent, people["coo"]))
    # Nor again after its signature was voided.
    workflow.decline(revision=frozen.revision, reason=REASON, acting_user=people["cfo"], at=NOW)
    factories.frozen(frozen.revision, people, at=NOW + timedelta(seconds=5))
    refused(
        IntentNotValid,
        lambda: cosign(frozen.revision, intent, people["coo"]),
        match="finished already",
    )
    refused(IntentNotValid, lambda: authenticate(intent, people["coo"]), match="finished already")


def test_intent_for_an_earlier_freeze_is_refused(frozen, people):
    revision = frozen.revision
    intent = authenticated_intent(revision, people["coo"])
    workflow.decline(revision=revision, reason=REASON, acting_user=people["cfo"], at=NOW)
    refused(TransitionNotAllowed, lambda: cosign(revision, intent, people["coo"]))
    again = factories.frozen(revision, people, at=NOW + timedelta(seconds=5))
    assert again.content_sha256 != frozen.content_sha256
    refused(ContentChanged, lambda: cosign(revision, intent, people["coo"]), match="frozen anew")


def test_intent_is_for_one_role(frozen, people):
    """The CRO becomes Acting CEO: what was begun as a co-signature never approves."""
    revision = frozen.revision
    cosigned(revision, people)
    factories.acting(people["revops_lead"], "ceo")
    intent = factories.forged_intent(revision, people["revops_lead"], role=Role.COSIGNER)
    refused(
        IntentNotValid,
        lambda: approve(revision, intent, people["revops_lead"]),
        match="another act",
    )


def test_offices_that_changed_since_the_beginning_are_refused(frozen, people):
    intent = authenticated_intent(frozen.revision, people["cro"])
    factories.acting(people["cro"], "coo")
    refused(
        IntentNotValid,
        lambda: cosign(frozen.revision, intent, people["cro"]),
        match="Your Offices changed",
    )


def test_appointment_that_ended_stops_the_ceremony(frozen, people):
    intent = authenticated_intent(frozen.revision, people["coo"])
    factories.handed_over(PersonFactory(name="Robin Hale"), "coo")
    refused(NotYourOffice, lambda: cosign(frozen.revision, intent, people["coo"]))


def test_successor_signs_for_an_office_that_has_not_signed(frozen, people):
    cosigned(frozen.revision, people, "cro")
    successor = PersonFactory(name="Robin Hale")
    factories.handed_over(successor, "coo")
    cosigned(frozen.revision, {**people, "coo": successor}, "coo")
    assert frozen.revision.signatures.get(office="coo").person_name == "Robin Hale"


def test_signature_of_a_predecessor_stays_valid(frozen, people):
    cosigned(frozen.revision, people, "coo")
    successor = PersonFactory(name="Robin Hale")
    factories.handed_over(successor, "coo")
    refused(
        IntentNotValid,
        lambda: intent_for_after_reading(frozen, successor),
        match="signed NC-RB-1 already",
    )
    assert live_signatures(frozen.revision) == [("coo", "cosigner")]


def intent_for_after_reading(freeze, person):
    Reading.objects.get_or_create(
        freeze=freeze,
        person=person,
        defaults={"file_sha256": freeze.signing_copy_sha256, "opened_at": NOW},
    )
    return begin(freeze.revision, person)


@pytest.mark.parametrize("order", [("cro", "coo", "cfo"), ("cfo", "coo", "cro")])
def test_parties_sign_in_any_order_and_the_last_asks_the_ceo(frozen, people, order):
    revision = cosigned(frozen.revision, people, *order[:2])
    assert revision.state == State.COSIGNING
    assert not OutgoingMail.objects.filter(kind="approval-asked").exists()
    revision = cosigned(revision, people, order[2])
    assert revision.state == State.AWAITING_APPROVAL
    change = revision.changes.order_by("pk").last()
    assert (change.verb, change.by) == (Verb.COSIGN, people[order[2]])
    asked = OutgoingMail.objects.get(kind="approval-asked")
    assert asked.person == people["ceo"]
    assert Event.objects.filter(event="revision.cosigned").latest("sequence").data["last"] is True


def test_database_refuses_a_second_live_signature_of_an_office(frozen, people):
    cosigned(frozen.revision, people, "coo")
    copy = Signature.objects.get()
    copy.pk, copy.intent = None, factories.forged_intent(frozen.revision, people["coo"])
    with pytest.raises(IntegrityError), transaction.atomic():
        copy.save(force_insert=True)


# --- Separate people --------------------------------------------------------------------------


def test_one_person_with_two_offices_signs_once_for_both(frozen, people):
    factories.acting(people["cro"], "coo")
    intent = authenticated_intent(frozen.revision, people["cro"])
    assert "the Office of the CRO and the Office of the COO (acting)" in intent.meaning
    made = cosign(frozen.revision, intent, people["cro"])
    assert [(one.office, one.acting) for one in made] == [("cro", False), ("coo", True)]
    assert {one.intent_id for one in made} == {intent.pk}
    assert len({one.evidence_sha256 for one in made}) == 1
    event = Event.objects.latest("sequence")
    assert event.event == "revision.cosigned"
    assert event.data["offices"] == ["cro", "coo"]
    assert cosigned(frozen.revision, people, "cfo").state == State.AWAITING_APPROVAL


def test_two_distinct_people_must_cosign(frozen, people):
    factories.acting(people["cro"], "coo")
    factories.acting(people["cro"], "cfo")
    intent = authenticated_intent(frozen.revision, people["cro"])
    refused(
        NotASeparatePerson,
        lambda: cosign(frozen.revision, intent, people["cro"]),
        match="two distinct people",
    )
    assert factories.fresh(frozen.revision).state == State.COSIGNING
    intent.refresh_from_db()
    assert intent.consumed_at is None


def test_holder_and_stand_in_are_two_people(frozen, people):
    """CRO signs for two Offices, a third person stands in for the CFO."""
    factories.acting(people["cro"], "coo")
    stand_in = PersonFactory(name="Robin Hale")
    factories.acting(stand_in, "cfo")
    cosigned(frozen.revision, people, "cro")
    revision = cosigned(frozen.revision, {"cfo": stand_in}, "cfo")
    assert revision.state == State.AWAITING_APPROVAL
    signature = revision.signatures.get(office="cfo")
    assert (signature.acting, signature.person_name) == (True, "Robin Hale")
    assert signature.appointment.title == "Acting CFO"
    assert signature.evidence["acting"] == ["CFO"]
    assert revision.changes.order_by("pk").last().by_office == "Acting CFO"


def test_holder_cannot_sign_while_somebody_acts_for_them(frozen, people):
    factories.acting(PersonFactory(name="Robin Hale"), "coo")
    refused(SomebodyActsForYou, lambda: begin(frozen.revision, people["coo"]))
    # The day the stand-in ends, the holder is back.
    after = NOW.replace(month=12, day=1)
    assert intent_for(frozen.revision, people["coo"], at=after)


def test_stand_in_who_ends_during_the_ceremony_is_stopped(frozen, people):
    stand_in = PersonFactory(name="Robin Hale")
    factories.acting(stand_in, "coo", ends_on=TODAY + timedelta(days=1))
    last_minute = NOW.replace(day=21, hour=4, minute=58)  # 23:58 in New York
    intent = authenticated_intent(frozen.revision, stand_in, at=last_minute)
    refused(
        NotYourOffice,
        lambda: cosign(frozen.revision, intent, stand_in, at=last_minute + timedelta(minutes=3)),
    )


@pytest.mark.parametrize("stood_in_for", [False, True])
def test_ceo_who_holds_a_cosigning_office_never_cosigns(frozen, people, stood_in_for):
    """Not even while somebody acts as CEO: the CEO is the same person."""
    factories.handed_over(people["ceo"], "coo")
    if stood_in_for:
        factories.acting(people["revops_lead"], "ceo")
    intent = factories.forged_intent(frozen.revision, people["ceo"])
    refused(
        CeoIsNoParty,
        lambda: cosign(frozen.revision, intent, people["ceo"]),
        match="name another person Acting COO",
    )
    signing.record_reading(freeze=frozen, acting_user=people["ceo"], at=NOW)
    refused(CeoIsNoParty, lambda: begin(frozen.revision, people["ceo"]))
    may = queries.what_may(
        people["ceo"],
        frozen.revision,
        on=TODAY,
        signatures=[],
        unfinished_exists=True,
        acknowledged=False,
    )
    assert may.sign is False


def test_acting_ceo_never_cosigns(frozen, people):
    factories.acting(people["coo"], "ceo")
    intent = factories.forged_intent(frozen.revision, people["coo"])
    refused(CeoIsNoParty, lambda: cosign(frozen.revision, intent, people["coo"]))


def test_another_acts_for_the_office_of_the_ceo(frozen, people):
    """How a CEO who holds the COO's Office gets the document signed."""
    factories.handed_over(people["ceo"], "coo")
    stand_in = PersonFactory(name="Robin Hale")
    factories.acting(stand_in, "coo")
    revision = cosigned(frozen.revision, {**people, "coo": stand_in})
    assert revision.state == State.AWAITING_APPROVAL
    assert factories.approved(revision, people).state == State.APPROVED


def test_who_cosigned_cannot_approve(frozen, people):
    revision = cosigned(frozen.revision, people)
    factories.acting(people["cro"], "ceo")
    intent = factories.forged_intent(revision, people["cro"], role=Role.APPROVER)
    refused(
        NotASeparatePerson,
        lambda: approve(revision, intent, people["cro"]),
        match="cannot approve it as well",
    )
    refused(NotASeparatePerson, lambda: begin(revision, people["cro"], role=Role.APPROVER))
    assert factories.fresh(revision).state == State.AWAITING_APPROVAL


def test_acting_ceo_approves_as_acting(frozen, people):
    revision = cosigned(frozen.revision, people)
    factories.acting(people["revops_lead"], "ceo")
    refused(SomebodyActsForYou, lambda: begin(revision, people["ceo"], role=Role.APPROVER))
    revision = factories.approved(revision, {"ceo": people["revops_lead"]})
    signature = revision.signatures.get(role=Role.APPROVER)
    assert (signature.office, signature.acting) == ("ceo", True)
    assert "the Office of the CEO (acting)" in signature.meaning
    assert revision.changes.get(verb=Verb.APPROVE).by_office == "Acting CEO"


def test_office_that_is_not_established_does_not_sign(draft, people):
    """Even while somebody is still appointed to it, together with another Office."""
    factories.acting(people["cro"], "coo")
    Office.objects.filter(key="coo").update(
        established=False,
        part_goes_to=Office.objects.get(key="cfo"),
        not_established_reason="The company has no COO.",
    )
    factories.all_agree(draft, people)
    factories.frozen(draft, people)
    revision = cosigned(draft, people, "cro", "cfo")
    assert revision.state == State.AWAITING_APPROVAL
    assert live_signatures(revision) == [("cfo", "cosigner"), ("cro", "cosigner")]


# --- Going back and ending --------------------------------------------------------------------


def test_declined_after_the_last_signature_voids_all_with_the_reason(frozen, people):
    revision = cosigned(frozen.revision, people)
    workflow.decline(revision=revision, reason=f"  {REASON}\n", acting_user=people["coo"], at=NOW)
    revision = factories.fresh(revision)
    assert revision.state == State.DRAFT
    assert live_signatures(revision) == []
    assert [one.void_reason for one in revision.signatures.all()] == [REASON] * 3
    assert Freeze.objects.get().void_reason == REASON


def test_frozen_again_is_another_freeze_to_be_signed_from_the_start(frozen, people):
    revision = cosigned(frozen.revision, people, "cro", "coo")
    workflow.decline(revision=revision, reason=REASON, acting_user=people["cfo"], at=NOW)
    asked = OutgoingMail.objects.filter(kind="signature-asked").count()
    again = factories.frozen(revision, people, at=NOW + timedelta(minutes=1))
    assert (again.number, again.voided_at) == (2, None)
    assert live_signatures(revision) == []
    assert OutgoingMail.objects.filter(kind="signature-asked").count() == asked + 3
    assert cosigned(revision, people).state == State.AWAITING_APPROVAL
    assert revision.signatures.count() == 5


@pytest.mark.parametrize("reason", ["", " \n\t"])
def test_going_back_and_withdrawing_need_a_reason(frozen, people, reason):
    revision = cosigned(frozen.revision, people)
    for verb, who in (("decline", "cro"), ("return_to_draft", "ceo"), ("withdraw", "ceo")):
        refused(
            ReasonMissing,
            lambda verb=verb, who=who: getattr(workflow, verb)(
                revision=revision, reason=reason, acting_user=people[who], at=NOW
            ),
        )
    assert factories.fresh(revision).state == State.AWAITING_APPROVAL


def test_opener_withdraws_until_somebody_signs(frozen, people):
    revision = frozen.revision
    for who in ("coo", "corporate_secretary"):
        refused(
            NotYourOffice,
            lambda who=who: workflow.withdraw(
                revision=revision, reason=REASON, acting_user=people[who], at=NOW
            ),
        )
    with transaction.atomic():
        savepoint = transaction.savepoint()
        workflow.withdraw(revision=revision, reason=REASON, acting_user=people["cro"], at=NOW)
        assert factories.fresh(revision).state == State.WITHDRAWN
        transaction.savepoint_rollback(savepoint)
    cosigned(revision, people, "coo")
    refused(
        NotYourOffice,
        lambda: workflow.withdraw(
            revision=revision, reason=REASON, acting_user=people["cro"], at=NOW
        ),
    )


def test_opener_without_the_office_withdraws_no_more(frozen, people):
    factories.handed_over(PersonFactory(name="Robin Hale"), "cro", on=date(2026, 11, 19))
    refused(
        NotYourOffice,
        lambda: workflow.withdraw(
            revision=frozen.revision, reason=REASON, acting_user=people["cro"], at=NOW
        ),
    )
