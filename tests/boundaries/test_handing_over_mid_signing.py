"""An Office changes hands between freezing and signing: signed by its holder of that day."""

from datetime import timedelta

import pytest
import time_machine

from audit.models import Event
from boundaries import content as contents
from boundaries import notices, queries, reminders, signing, workflow
from boundaries.errors import IntentNotValid
from boundaries.models import Freeze, Signature
from boundaries.parties import parties_of
from boundaries.states import Role, State
from notifications.models import OutgoingMail
from people.calendar import company_date
from people.errors import NotYourOffice, Refused
from people.models import Appointment
from tests.boundaries import factories
from tests.boundaries.factories import NOW, SESSION, TODAY, handed_over
from tests.people.factories import PersonFactory

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def cosigning(people, functions):
    """Frozen on Friday, 20 Nov; the COO has signed."""
    return factories.in_state(State.COSIGNING, people)


@pytest.fixture
def awaiting(people, functions):
    return factories.in_state(State.AWAITING_APPROVAL, people)


def asked(kind="signature-asked"):
    return list(
        OutgoingMail.objects.filter(kind=kind).order_by("pk").values_list("person__name", flat=True)
    )


def sign(revision, person, *, at):
    return workflow.cosign(
        revision=revision,
        intent=factories.authenticated_intent(revision, person, at=at),
        session_key=SESSION,
        acting_user=person,
        at=at,
    )


def who_signs(revision, reader, *, on):
    signatures = list(revision.signatures.filter(voided_at__isnull=True))
    return queries.signers(
        revision, reader=reader, on=on, parties=parties_of(revision), signatures=signatures
    )


# --- Who is asked -----------------------------------------------------------------------------


def test_the_new_holder_is_asked_once_and_the_former_no_more(cosigning, people):
    later, ines = NOW + DAY, PersonFactory(name="Ines Roy")
    handed_over(ines, "cfo", on=company_date(later))
    before = asked()
    for hours in (0, 1, 2, 48):
        notices.ask_whoever_signs_today(at=later + timedelta(hours=hours))
    assert asked() == [*before, "Ines Roy"]
    mail = OutgoingMail.objects.filter(kind="signature-asked").latest("pk")
    assert mail.subject == "NC-RB-1 waits for your signature"
    # A week on: only those who hold the Offices are reminded.
    reminders.remind_waiting(at=NOW + 7 * DAY)
    assert set(asked("waiting-reminder")) == {"Maya Lindqvist", "Ines Roy"}


def test_a_stand_in_is_asked_once(cosigning, people):
    wen = PersonFactory(name="Wen Hao")
    factories.acting(wen, "cfo")
    before = asked()
    notices.ask_whoever_signs_today(at=NOW)
    notices.ask_whoever_signs_today(at=NOW + DAY)
    assert asked() == [*before, "Wen Hao"]


def test_who_has_signed_is_asked_again_for_an_office_that_came_later(cosigning, people):
    """The COO signed, and then stands in for the CRO: that signature is owed as well."""
    factories.acting(people["coo"], "cro")
    before = asked()
    notices.ask_whoever_signs_today(at=NOW + DAY)
    notices.ask_whoever_signs_today(at=NOW + 2 * DAY)
    assert asked() == [*before, "Daniel Osei"]


def test_a_new_ceo_is_asked_to_approve(awaiting, people):
    handed_over(PersonFactory(name="Ines Roy"), "ceo", on=company_date(NOW + DAY))
    notices.ask_whoever_signs_today(at=NOW)
    assert asked("approval-asked") == ["Helen Marsh"]
    notices.ask_whoever_signs_today(at=NOW + DAY)
    notices.ask_whoever_signs_today(at=NOW + 2 * DAY)
    assert asked("approval-asked") == ["Helen Marsh", "Ines Roy"]
    reminders.remind_waiting(at=NOW + 7 * DAY)
    assert asked("waiting-reminder") == ["Ines Roy"]


def test_a_ceo_who_takes_a_party_over_is_asked_for_a_stand_in(cosigning, people):
    handed_over(people["ceo"], "cfo", on=company_date(NOW + DAY))
    before = asked()
    for days in (1, 2):
        notices.ask_whoever_signs_today(at=NOW + days * DAY)
    assert asked() == before
    assert asked("stand-in-needed") == ["Helen Marsh"]
    mail = OutgoingMail.objects.get(kind="stand-in-needed")
    assert "Have another person named Acting CFO" in mail.text
    reminders.remind_waiting(at=NOW + 7 * DAY)
    assert asked("waiting-reminder") == ["Maya Lindqvist"]


def test_a_reminder_leaves_the_new_holder_the_same_time(cosigning, people):
    """Asked on the sixth day, nobody hears an hour later that they let it wait."""
    at = NOW + 7 * DAY  # Friday, 27 Nov
    handed_over(PersonFactory(name="Ines Roy"), "cfo", on=company_date(at))
    notices.ask_whoever_signs_today(at=at)
    reminders.remind_waiting(at=at + timedelta(hours=1))
    assert asked("waiting-reminder") == ["Maya Lindqvist"]
    reminders.remind_waiting(at=at + 4 * DAY)
    assert asked("waiting-reminder").count("Ines Roy") == 1


def test_a_vacant_office_asks_nobody_and_says_so(cosigning, people):
    Appointment.objects.filter(office__key="cfo").update(ends_on=company_date(NOW + DAY))
    before = asked()
    notices.ask_whoever_signs_today(at=NOW + DAY)
    assert asked() == before
    everyone = who_signs(cosigning, people["ceo"], on=company_date(NOW + DAY))
    words = queries.waits_for(cosigning, everyone)
    assert words == (
        "It waits for the signature of Maya Lindqvist (CRO) and the CFO (the Office is vacant)."
    )


def test_appointment_changed_asks_after_its_transaction(
    cosigning, people, django_capture_on_commit_callbacks
):
    from people.signals import appointment_changed

    made = handed_over(PersonFactory(name="Ines Roy"), "cfo", on=TODAY)
    before = asked()
    with django_capture_on_commit_callbacks(execute=True):
        appointment_changed.send(sender=Appointment, appointment=made, at=NOW)
    assert asked() == [*before, "Ines Roy"]


# --- Who signs --------------------------------------------------------------------------------


def test_the_holder_of_that_day_signs_and_what_was_signed_stays(cosigning, people):
    later, ines = NOW + DAY, PersonFactory(name="Ines Roy")
    nadia = PersonFactory(name="Nadia Haddad")
    handed_over(ines, "cfo", on=company_date(later))
    handed_over(nadia, "coo", on=company_date(later))
    before = Signature.objects.get(office="coo")
    everyone = who_signs(cosigning, ines, on=company_date(later))
    assert [(one.holder_name, one.state, one.by_predecessor) for one in everyone] == [
        ("Maya Lindqvist", "waiting", False),
        ("Nadia Haddad", "signed", True),
        ("Ines Roy", "waiting", False),
        ("Helen Marsh", "later", False),
    ]
    assert queries.waits_for(cosigning, everyone) == (
        "It waits for the signature of Maya Lindqvist (CRO) and Ines Roy (CFO)."
    )
    with pytest.raises(NotYourOffice):
        factories.intent_for(cosigning, people["cfo"], at=later)
    sign(cosigning, people["cro"], at=later)
    sign(cosigning, ines, at=later)
    revision = factories.fresh(cosigning)
    assert revision.state == State.AWAITING_APPROVAL
    assert Signature.objects.get(office="coo").person == people["coo"] == before.person
    assert Signature.objects.get(office="cfo").person_name == "Ines Roy"


@pytest.mark.parametrize("authenticated", [False, True])
def test_an_intent_dies_with_the_office(cosigning, people, authenticated):
    """Begun at 23:58 on the last day, confirmed at 00:01 on the first day of the successor."""
    with time_machine.travel(NOW, tick=False):
        make = factories.authenticated_intent if authenticated else factories.intent_for
        intent = make(cosigning, people["cfo"], at=NOW)
    handed_over(PersonFactory(name="Ines Roy"), "cfo", on=TODAY)
    events, at = Event.objects.count(), NOW + timedelta(minutes=1)
    with pytest.raises(Refused):
        workflow.cosign(
            revision=cosigning,
            intent=intent,
            session_key=SESSION,
            acting_user=people["cfo"],
            at=at,
        )
    assert Event.objects.count() == events
    assert factories.live_signatures(cosigning) == [("coo", "cosigner")]


def test_the_successors_own_intent_is_bound_to_what_they_held(cosigning, people):
    """Held as stand-in when it began, as holder when it ends: begin again."""
    ines = PersonFactory(name="Ines Roy")
    factories.acting(ines, "cfo", ends_on=TODAY + DAY)
    intent = factories.authenticated_intent(cosigning, ines, at=NOW)
    handed_over(ines, "cfo", on=TODAY + DAY)
    with pytest.raises((IntentNotValid, NotYourOffice)):
        workflow.cosign(
            revision=cosigning,
            intent=intent,
            session_key=SESSION,
            acting_user=ines,
            at=NOW + DAY,
        )


def test_acting_cfo_signs_and_it_says_so_everywhere(cosigning, people, client):
    """Wen Hao signs as Acting CFO; the next day Priya is back, and the words stay."""
    wen = PersonFactory(name="Wen Hao")
    factories.acting(wen, "cfo", starts_on=TODAY, ends_on=TODAY + DAY)
    assert "Wen Hao (Acting CFO)" in queries.waits_for(
        cosigning, who_signs(cosigning, wen, on=TODAY)
    )
    with pytest.raises(NotYourOffice):  # the holder cannot act meanwhile
        factories.intent_for(cosigning, people["cfo"], at=NOW)
    sign(cosigning, people["cro"], at=NOW)
    (signature,) = sign(cosigning, wen, at=NOW)
    assert signature.acting is True
    assert "(acting)" in signature.meaning
    assert signature.evidence["acting"] == ["CFO"]
    factories.approved(factories.fresh(cosigning), people)
    revision = factories.fresh(cosigning)
    assert revision.state == State.APPROVED
    with time_machine.travel(NOW + DAY, tick=False):
        everyone = who_signs(revision, people["cfo"], on=TODAY + DAY)
        cfo = next(one for one in everyone if one.office == "cfo")
        assert (cfo.title, cfo.label) == ("Acting Chief Financial Officer", "Acting CFO")
        assert cfo.holder_name == "Priya Raman"
        assert cfo.by_predecessor is False
        client.force_login(people["member"])
        page = client.get(revision.get_absolute_url()).content.decode()
    assert "Acting Chief Financial Officer" in page
    assert "Wen Hao" in page
    assert "predecessor" not in page


# --- What stands in the text -------------------------------------------------------------------


def test_frozen_text_names_offices_and_no_person(cosigning, people):
    frozen = bytes(Freeze.objects.get().content).decode()
    for person in people.values():
        assert person.name not in frozen
    assert [one["office"] for one in contents.content_of(Freeze.objects.get())["parties"]] == [
        "cro",
        "coo",
        "cfo",
    ]


def test_the_role_of_the_approver_passes_on_too(awaiting, people):
    ines = PersonFactory(name="Ines Roy")
    handed_over(ines, "ceo", on=company_date(NOW + DAY))
    with pytest.raises(NotYourOffice):
        factories.intent_for(awaiting, people["ceo"], role=Role.APPROVER, at=NOW + DAY)
    signing.record_reading(
        freeze=awaiting.freezes.get(voided_at__isnull=True), acting_user=ines, at=NOW + DAY
    )
    factories.approved(awaiting, {**people, "ceo": ines}, at=NOW + DAY)
    assert Signature.objects.get(role=Role.APPROVER).person == ines
