"""Who may not: one human being for two, the CEO for a party, the holder beside a stand-in."""

from datetime import date, timedelta

import pytest
import time_machine
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from audit.models import Event
from boundaries import agreeing, drafting, queries, signing, workflow
from boundaries.blockers import blockers
from boundaries.errors import (
    IntentNotValid,
    NotASeparatePerson,
    NotReadyToFreeze,
)
from boundaries.models import Signature
from boundaries.parties import party_offices
from boundaries.states import Role, State
from notifications.models import OutgoingMail
from people.errors import CeoIsNoParty, NotYourOffice, SomebodyActsForYou
from people.models import Appointment, Office, Person
from people.offices import CEO
from people.permissions import MATRIX, PARTY_ACTS, Act, entitling_appointments, may
from people.queries import accounts_of, is_appointed, same_human
from tests.boundaries import factories
from tests.boundaries.factories import (
    NOW,
    REASON,
    SESSION,
    TODAY,
    authenticated_intent,
    cosigned,
    forged_intent,
    intent_for,
    live_signatures,
    row_of,
)
from tests.people.factories import PersonFactory


def linked(person, to):
    """Both accounts are one human being, as the Administrator records it."""
    Person.objects.filter(pk=person.pk).update(same_person_as=to)
    person.refresh_from_db()
    return person


def cosign(revision, intent, person, *, at=NOW):
    return workflow.cosign(
        revision=revision, intent=intent, session_key=SESSION, acting_user=person, at=at
    )


def approve(revision, intent, person, *, at=NOW):
    return workflow.approve(
        revision=revision, intent=intent, session_key=SESSION, acting_user=person, at=at
    )


def begin(revision, person, *, role=Role.COSIGNER, at=NOW):
    return signing.open_intent(
        revision=revision,
        role=role,
        meaning_accepted=True,
        session_key=SESSION,
        acting_user=person,
        at=at,
    )


def refused(error, act, *, match=None):
    """``act`` raises exactly ``error`` and leaves no signature, event or mail behind."""

    def left():
        return Event.objects.count(), Signature.objects.count(), OutgoingMail.objects.count()

    before = left()
    with pytest.raises(error, match=match) as caught:
        act()
    assert type(caught.value) is error
    assert left() == before


def codes(revision):
    revision = factories.fresh(revision)
    return [one.code for one in blockers(revision, parties=party_offices(), today=TODAY)]


# --- One human being --------------------------------------------------------------------------


def test_linked_accounts_are_one_human_being(people):
    second = linked(PersonFactory(name="Daniel Osei (board)"), people["coo"])
    third = linked(PersonFactory(name="Daniel Osei (old)"), people["coo"])
    all_three = sorted([people["coo"].pk, second.pk, third.pk])
    assert accounts_of(second) == accounts_of(people["coo"]) == all_three
    assert accounts_of(people["cro"]) == [people["cro"].pk]
    assert same_human(second, third)
    assert same_human(people["coo"], second)
    assert not same_human(second, people["cro"])
    assert is_appointed(third, "coo", on=TODAY)


def test_two_accounts_of_one_person_are_no_two_cosigners(frozen, people):
    """CRO and COO are one person's two accounts, and the third Office is theirs as well."""
    linked(people["coo"], people["cro"])
    factories.acting(people["cro"], "cfo")
    revision = cosigned(frozen.revision, people, "cro")
    intent = authenticated_intent(revision, people["coo"])
    refused(
        NotASeparatePerson,
        lambda: cosign(revision, intent, people["coo"]),
        match="two distinct people",
    )
    assert factories.fresh(revision).state == State.COSIGNING
    # Another human being in one of the Offices is enough.
    stand_in = PersonFactory(name="Robin Hale")
    factories.handed_over(stand_in, "coo")
    assert cosigned(revision, {"coo": stand_in}, "coo").state == State.AWAITING_APPROVAL


def test_two_accounts_beside_a_second_person_may_cosign(frozen, people):
    linked(people["coo"], people["cro"])
    assert cosigned(frozen.revision, people).state == State.AWAITING_APPROVAL


def test_who_cosigned_in_another_account_cannot_approve(frozen, people):
    revision = cosigned(frozen.revision, people)
    other = linked(PersonFactory(name="Maya Lindqvist (2)"), people["cro"])
    factories.acting(other, "ceo")
    intent = forged_intent(revision, other, role=Role.APPROVER)
    refused(
        NotASeparatePerson,
        lambda: approve(revision, intent, other),
        match="name another person Acting CEO",
    )
    refused(NotASeparatePerson, lambda: begin(revision, other, role=Role.APPROVER))
    offered = queries.what_may(
        other,
        revision,
        on=TODAY,
        signatures=list(revision.signatures.all()),
        unfinished_exists=False,
        acknowledged=False,
    )
    assert (offered.approve, offered.return_, offered.withdraw) == (False, True, True)


def test_accounts_linked_after_signing_are_one_cosigner_at_the_approval(frozen, people):
    factories.acting(people["cro"], "cfo")
    revision = cosigned(frozen.revision, people, "cro", "coo")
    assert revision.state == State.AWAITING_APPROVAL
    intent = authenticated_intent(revision, people["ceo"], role=Role.APPROVER)
    linked(people["coo"], people["cro"])
    refused(
        NotASeparatePerson,
        lambda: approve(revision, intent, people["ceo"]),
        match="One person alone co-signed",
    )
    refused(NotASeparatePerson, lambda: begin(revision, people["ceo"], role=Role.APPROVER))
    assert factories.fresh(revision).state == State.AWAITING_APPROVAL


def test_one_person_with_two_offices_signs_once_for_both(frozen, people):
    factories.acting(people["cro"], "coo")
    intent = authenticated_intent(frozen.revision, people["cro"])
    assert "the Office of the CRO and the Office of the COO (acting)" in intent.meaning
    made = cosign(frozen.revision, intent, people["cro"])
    assert [(one.office, one.acting, one.intent_id) for one in made] == [
        ("cro", False, intent.pk),
        ("coo", True, intent.pk),
    ]
    assert {one.meaning for one in made} == {intent.meaning}  # what is printed beside each


# --- CRO and acting CEO -----------------------------------------------------------------------


def test_acting_ceo_cannot_cosign_and_cannot_approve_what_they_cosigned(frozen, people):
    """One day as CRO, the next as Acting CEO: each part closes the other."""
    revision = frozen.revision
    factories.acting(people["cro"], "ceo", starts_on=TODAY, ends_on=TODAY + timedelta(days=1))
    forged = forged_intent(revision, people["cro"])
    refused(
        CeoIsNoParty,
        lambda: cosign(revision, forged, people["cro"]),
        match="name another person Acting CRO",
    )
    signing.record_reading(freeze=frozen, acting_user=people["cro"], at=NOW)
    refused(CeoIsNoParty, lambda: begin(revision, people["cro"]))
    # The next day they are the CRO alone, and sign.
    tomorrow = NOW + timedelta(days=1)
    assert cosigned(revision, people, at=tomorrow).state == State.AWAITING_APPROVAL
    # And the day after, Acting CEO again.
    factories.acting(
        people["cro"],
        "ceo",
        starts_on=TODAY + timedelta(days=2),
        ends_on=TODAY + timedelta(days=3),
    )
    later = NOW + timedelta(days=2)
    intent = forged_intent(revision, people["cro"], role=Role.APPROVER, at=later)
    refused(
        NotASeparatePerson,
        lambda: approve(revision, intent, people["cro"], at=later),
        match="you cannot approve it as well",
    )
    assert factories.fresh(revision).state == State.AWAITING_APPROVAL


# --- The CEO in a party's Office --------------------------------------------------------------


def _as_holder(people):
    factories.handed_over(people["ceo"], "coo")
    return people["ceo"]


def _while_another_is_acting_ceo(people):
    factories.handed_over(people["ceo"], "coo")
    factories.acting(people["revops_lead"], "ceo")
    return people["ceo"]


def _in_another_account(people):
    other = linked(PersonFactory(name="Helen Marsh (operations)"), people["ceo"])
    factories.handed_over(other, "coo")
    return other


def _as_acting_ceo(people):
    factories.acting(people["coo"], "ceo")
    return people["coo"]


def _as_acting_coo(people):
    factories.acting(people["ceo"], "coo")
    return people["ceo"]


WAYS_TO_BE_BOTH = [
    _as_holder,
    _while_another_is_acting_ceo,
    _in_another_account,
    _as_acting_ceo,
    _as_acting_coo,
]


def party_verbs(revision, person):
    """Everything that a party does to a draft, as one call each."""
    row, article = row_of(revision), revision.articles.get(key="purpose")
    control = revision.articles.get(key="control")
    by = {"acting_user": person, "at": NOW}
    return {
        "edit_row": lambda: drafting.edit_row(
            row=row, expected_version=row.version, text=drafting.row_text(row), **by
        ),
        "edit_article": lambda: drafting.edit_article(
            article=article,
            expected_version=article.version,
            text=drafting.ArticleText(text="Another purpose.", data=article.data),
            **by,
        ),
        "edit_control": lambda: drafting.edit_control(
            revision=revision,
            expected_version=control.version,
            text=control.text,
            effective_date=TODAY,
            sunset_date=None,
            **by,
        ),
        "agree": lambda: agreeing.agree(clause=row, expected_version=row.version, **by),
        "agree_to_all_read": lambda: agreeing.agree_to_all_read(
            revision=revision, read=factories.everything_read(revision), **by
        ),
        "contest": lambda: agreeing.contest(clause=row, reason=REASON, **by),
        "freeze": lambda: workflow.freeze(revision=revision, **by),
    }


@pytest.mark.parametrize("both", WAYS_TO_BE_BOTH)
def test_ceo_reads_and_does_no_partys_act_on_a_draft(ready, people, both):
    person = both(people)
    for act in party_verbs(ready, person).values():
        refused(CeoIsNoParty, act, match="name another person Acting COO")
    assert may(person, Act.LOOK_UP, on=TODAY)
    assert may(person, Act.READ_IN_FORCE, on=TODAY)
    assert may(person, Act.READ_DRAFT, on=TODAY)
    offered = queries.what_may(
        person, ready, on=TODAY, signatures=[], unfinished_exists=True, acknowledged=False
    )
    assert offered.read_draft
    assert not (offered.edit or offered.agree or offered.contest or offered.freeze)
    board = queries.board(ready, person, on=TODAY)
    assert not board.can_agree_all
    assert not any(
        item.can_agree or item.can_contest for group in board.groups for item in group.rows
    )


@pytest.mark.parametrize("both", WAYS_TO_BE_BOTH)
def test_ceo_does_no_partys_act_on_what_is_frozen(frozen, people, both):
    person = both(people)
    intent = forged_intent(frozen.revision, person)
    for act in (
        lambda: cosign(frozen.revision, intent, person),
        lambda: workflow.decline(
            revision=frozen.revision, reason=REASON, acting_user=person, at=NOW
        ),
    ):
        refused(CeoIsNoParty, act, match="name another person Acting COO")
    offered = queries.what_may(
        person, frozen.revision, on=TODAY, signatures=[], unfinished_exists=True, acknowledged=False
    )
    assert not (offered.sign or offered.decline)


@pytest.mark.parametrize("act", sorted(PARTY_ACTS))
def test_ceo_in_a_partys_office_may_no_act_of_a_party(people, act):
    person = _as_holder(people)
    if act == Act.VETO:
        factories.handed_over(person, "cfo")
    # As the CEO they answer exceptions too, in the place of whoever asked; for no party's Office.
    own = {"ceo"} if CEO in MATRIX[act] else set()
    assert {one.office.key for one in entitling_appointments(person, act, on=TODAY)} == own
    assert may(person, act, on=TODAY) == bool(own)
    # And again as soon as they are no longer the CEO.
    Appointment.objects.filter(office__key="ceo").update(ends_on=TODAY)
    entitled = entitling_appointments(person, act, on=TODAY)
    assert {one.office.key for one in entitled} & {"coo", "cfo"}


def test_only_exceptions_are_answered_by_a_ceo_and_by_parties():
    assert {act for act in PARTY_ACTS if CEO in MATRIX[act]} == {Act.ANSWER_EXCEPTION}


def test_pages_tell_the_ceo_to_name_another(ready, people):
    person = _as_holder(people)
    browser = Client()
    browser.force_login(person)
    with time_machine.travel(NOW, tick=False):
        board = browser.get("/boundaries/NC-RB/1/").content.decode()
        assert "Agree to all I have read" not in board
        assert "name another person Acting COO" in board  # what blocks freezing says so
        answer = browser.post("/boundaries/NC-RB/1/freeze/")
        assert answer.status_code == 403
        assert "name another person Acting COO" in answer.content.decode()


def test_pages_of_the_ceremony_tell_the_ceo_to_name_another(frozen, people):
    person = _as_holder(people)
    browser = Client()
    browser.force_login(person)
    with time_machine.travel(NOW, tick=False):
        for page in ("sign/", "decline/"):
            answer = browser.get(f"/boundaries/NC-RB/1/{page}")
            assert answer.status_code == 403
            assert "name another person Acting COO" in answer.content.decode()


# --- The holder beside a stand-in -------------------------------------------------------------


def test_holder_does_nothing_while_a_stand_in_acts(ready, people):
    stand_in = PersonFactory(name="Robin Hale")
    factories.acting(stand_in, "coo")
    for act in party_verbs(ready, people["coo"]).values():
        refused(SomebodyActsForYou, act)
    factories.all_agree(ready, {**people, "coo": stand_in})
    frozen = factories.frozen(ready, people)
    intent = forged_intent(ready, people["coo"])
    refused(SomebodyActsForYou, lambda: cosign(ready, intent, people["coo"]))
    refused(
        SomebodyActsForYou,
        lambda: workflow.decline(
            revision=frozen.revision, reason=REASON, acting_user=people["coo"], at=NOW
        ),
    )
    (signature,) = cosign(ready, authenticated_intent(ready, stand_in), stand_in)
    assert (signature.acting, signature.appointment.title) == (True, "Acting COO")


def test_nobody_acts_where_the_stand_ins_account_is_closed(frozen, people):
    stand_in = PersonFactory(name="Robin Hale")
    factories.acting(stand_in, "coo")
    Person.objects.filter(pk=stand_in.pk).update(is_active=False)
    intent = forged_intent(frozen.revision, people["coo"])
    refused(SomebodyActsForYou, lambda: cosign(frozen.revision, intent, people["coo"]))
    everyone = queries.signers(
        frozen.revision, reader=people["cro"], on=TODAY, parties=party_offices(), signatures=[]
    )
    assert {one.office: one.holder_name for one in everyone}["coo"] == "Vacant"


# --- During the ceremony ----------------------------------------------------------------------


def test_acting_appointment_that_ends_at_midnight_stops_the_ceremony(frozen, people):
    """23:58 in New York: opened and confirmed; 00:01: the stand-in is nobody any more."""
    stand_in = PersonFactory(name="Robin Hale")
    factories.acting(stand_in, "coo", ends_on=TODAY + timedelta(days=1))
    browser = Client()
    evening, night = NOW.replace(day=21, hour=4, minute=58), NOW.replace(day=21, hour=5, minute=1)
    with time_machine.travel(evening, tick=False) as clock:
        browser.force_login(stand_in)
        browser.get("/boundaries/NC-RB/1/signing-copy.pdf")
        confirm = browser.post(
            "/boundaries/NC-RB/1/sign/", {"understood": "on", "conflict": "none"}
        )["Location"]
        intent = authenticated_intent(
            frozen.revision, stand_in, at=NOW.replace(day=21, hour=4, minute=58)
        )
        clock.move_to(NOW.replace(day=21, hour=5, minute=1))
        refused(
            NotYourOffice,
            lambda: cosign(frozen.revision, intent, stand_in, at=night),
        )
        before = Event.objects.count()
        answer = browser.post(confirm, {"password": "boundary-demo"})
        # Whoever holds no Office any more does not even know of the draft.
        assert answer.status_code == 404
        assert Event.objects.count() == before
    assert live_signatures(frozen.revision) == []
    assert factories.fresh(frozen.revision).state == State.COSIGNING
    intent.refresh_from_db()
    assert intent.consumed_at is None


def test_corrected_appointment_stops_the_ceremony(frozen, people):
    """The record was wrong and another says what is right: the intent names the wrong one."""
    intent = authenticated_intent(frozen.revision, people["coo"])
    Appointment.objects.filter(person=people["coo"]).update(
        voided_at=NOW, voided_as=Appointment.VoidedAs.CORRECTED, void_reason="Another start."
    )
    refused(NotYourOffice, lambda: cosign(frozen.revision, intent, people["coo"]))
    factories.appointed(people["coo"], "coo", starts_on=date(2026, 2, 1))
    refused(
        IntentNotValid,
        lambda: cosign(frozen.revision, intent, people["coo"]),
        match="Your Offices changed",
    )
    assert cosign(
        frozen.revision, authenticated_intent(frozen.revision, people["coo"]), people["coo"]
    )


def test_unconfirmed_appointment_signs_nothing(frozen, people):
    successor = PersonFactory(name="Robin Hale")
    Appointment.objects.filter(person=people["coo"]).update(ends_on=TODAY)
    Appointment.objects.create(
        person=successor,
        office=Office.objects.get(key="coo"),
        starts_on=TODAY,
        recorded_at=NOW,
        needs_confirmation=True,
    )
    forged = forged_intent(frozen.revision, successor)
    refused(NotYourOffice, lambda: cosign(frozen.revision, forged, successor))


# --- Before freezing --------------------------------------------------------------------------


def test_vacant_party_blocks_freezing(ready, people):
    Appointment.objects.filter(person=people["coo"]).update(ends_on=TODAY)
    found = blockers(factories.fresh(ready), parties=party_offices(), today=TODAY)
    vacant = next(one for one in found if one.code == "party_vacant")
    assert (vacant.title, vacant.url) == ("Office of the COO", "/offices/coo/")
    assert "name an Acting COO" in vacant.detail
    refused(
        NotReadyToFreeze,
        lambda: workflow.freeze(revision=ready, acting_user=people["cro"], at=NOW),
    )


@pytest.mark.parametrize("both", WAYS_TO_BE_BOTH)
def test_party_held_by_the_ceo_alone_blocks_freezing(ready, people, both):
    both(people)
    assert "party_held_by_ceo" in codes(ready)
    factories.all_agree(ready, people, parties=["cro", "cfo"])
    refused(
        NotReadyToFreeze,
        lambda: workflow.freeze(revision=ready, acting_user=people["cro"], at=NOW),
    )


def test_another_acting_for_the_ceos_office_unblocks_freezing(ready, people):
    factories.handed_over(people["ceo"], "coo")
    stand_in = PersonFactory(name="Robin Hale")
    factories.acting(stand_in, "coo")
    assert set(codes(ready)) == {"clause_proposed"}
    later = NOW + timedelta(minutes=1)
    factories.all_agree(ready, {"coo": stand_in}, parties=["coo"], at=later)
    assert codes(ready) == []


def test_single_human_being_for_all_parties_blocks_freezing(ready, people):
    """Three Offices, two accounts, one human being."""
    linked(people["coo"], people["cro"])
    factories.acting(people["cro"], "cfo")
    factories.all_agree(ready, {**people, "cfo": people["cro"]})
    assert codes(ready) == ["single_cosigner"]
    stand_in = PersonFactory(name="Robin Hale")
    factories.acting(stand_in, "coo")
    factories.all_agree(ready, {"coo": stand_in}, parties=["coo"])
    assert codes(ready) == []


def test_number_of_queries_does_not_grow_with_what_blocks(ready, people):
    def queries_of():
        revision = factories.fresh(ready)
        with CaptureQueriesContext(connection) as used:
            blockers(revision, parties=party_offices(), today=TODAY)
        return len(used)

    before = queries_of()
    Appointment.objects.filter(office__key__in=["cro", "coo", "cfo"]).update(ends_on=TODAY)
    assert queries_of() == before


# --- No way around ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "flags", [{"is_superuser": True}, {"is_superuser": True, "is_staff": True}]
)
def test_superuser_agrees_signs_and_approves_no_more_than_a_member(ready, people, flags):
    root = PersonFactory(name="Root", **flags)
    for act in party_verbs(ready, root).values():
        refused(NotYourOffice, act)
    frozen = factories.frozen(ready, people)
    forged = forged_intent(ready, root)
    refused(NotYourOffice, lambda: cosign(ready, forged, root))
    refused(
        NotYourOffice,
        lambda: signing.record_reading(freeze=frozen, acting_user=root, at=NOW),
    )
    cosigned(ready, people)
    forged = forged_intent(ready, root, role=Role.APPROVER)
    refused(NotYourOffice, lambda: approve(ready, forged, root))
    for verb in (workflow.decline, workflow.return_to_draft, workflow.withdraw):
        refused(
            NotYourOffice,
            lambda verb=verb: verb(revision=ready, reason=REASON, acting_user=root, at=NOW),
        )
    for act in (Act.READ_LOG, Act.READ_SECURITY_EVENTS, Act.READ_DRAFT):
        assert not may(root, act, on=TODAY)


def test_superusers_office_gives_them_what_it_gives_anybody(frozen, people):
    Person.objects.filter(pk=people["coo"].pk).update(is_superuser=True, is_staff=True)
    people["coo"].refresh_from_db()
    intent = intent_for(frozen.revision, people["coo"])
    refused(
        IntentNotValid,
        lambda: cosign(frozen.revision, intent, people["coo"]),
        match="Confirm that it is you",
    )
    intent = forged_intent(frozen.revision, people["coo"], role=Role.APPROVER)
    assert cosigned(frozen.revision, people).state == State.AWAITING_APPROVAL
    refused(NotYourOffice, lambda: approve(frozen.revision, intent, people["coo"]))


def test_message_of_a_cosigner_who_would_approve_leads_back(frozen, people):
    revision = cosigned(frozen.revision, people)
    factories.acting(people["cro"], "ceo")
    browser = Client()
    with time_machine.travel(NOW, tick=False):
        browser.force_login(people["cro"])
        answer = browser.get("/boundaries/NC-RB/1/approve/")
    assert answer.status_code == 302
    told = " ".join(str(one) for one in get_messages(answer.wsgi_request))
    assert "you cannot approve it as well" in told
    assert factories.fresh(revision).state == State.AWAITING_APPROVAL
