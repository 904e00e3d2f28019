"""Offices change hands, and accounts are closed, while their holders sign."""

import threading
from datetime import UTC, datetime, time, timedelta

import pytest

from audit.models import Event
from audit.verify import verify_log
from boundaries import succession, workflow
from boundaries.models import Succession
from notifications.models import OutgoingMail
from people import appointments
from people.calendar import company_date
from people.errors import AppointmentClash, Refused
from people.models import Appointment
from tests.boundaries import stages
from tests.boundaries.factories import appointed
from tests.boundaries.races.together import at_once, refusals
from tests.people.factories import PersonFactory

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

TOMORROW = company_date(stages.NOW) + timedelta(days=1)


@pytest.fixture
def secretary(people):
    person = PersonFactory(name="Iris Novak")
    appointed(person, "corporate_secretary", at=stages.NOW)
    return person


def only_failures(outcomes):
    """What failed was refused by a sentence: no deadlock, no clash in the database."""
    return [one for one in outcomes if isinstance(one, Exception) and not isinstance(one, Refused)]


def test_ending_an_appointment_while_its_holder_signs(people, secretary):
    """Whoever is first: the end, and nothing is signed; or the signature, and it ends later."""
    revision = stages.frozen(people)
    ceremony = stages.to_sign(revision, people["cro"])
    held = Appointment.objects.get(office__key="cro")
    today = company_date(stages.NOW)

    outcomes = at_once(
        ceremony.finish,
        lambda: appointments.end(
            appointment=held,
            last_day=today.fromordinal(today.toordinal() - 1),
            reason="Leaves",
            acting_user=secretary,
            at=stages.NOW,
        ),
    )

    assert only_failures(outcomes) == []
    events = list(
        Event.objects.filter(event__in=["revision.cosigned", "appointment.ended"])
        .order_by("sequence")
        .values_list("event", flat=True)
    )
    assert events in (["appointment.ended"], ["revision.cosigned"])
    assert verify_log().sound


def test_a_stand_in_begins_while_the_holder_signs(people, secretary, monkeypatch):
    """The holder signs first, or not at all: never once the stand-in acts."""
    revision = stages.frozen(people)
    ceremony = stages.to_sign(revision, people["cro"])
    today = company_date(stages.NOW)
    waits = appointments.record(
        person=people["member"],
        office_key="cro",
        starts_on=today,
        ends_on=today.replace(month=today.month + 1),
        acting=True,
        instrument="Memo 7",
        acting_user=secretary,
        at=stages.NOW,
    )
    asked, confirmed = threading.Event(), threading.Event()
    judged = workflow.refuse_what_nobody_can_sign

    def dawdle(*args, **more):
        judged(*args, **more)
        asked.set()
        confirmed.wait(1)

    monkeypatch.setattr(workflow, "refuse_what_nobody_can_sign", dawdle)

    def confirm():
        asked.wait(20)
        made = appointments.confirm(appointment=waits, acting_user=people["ceo"], at=stages.NOW)
        confirmed.set()
        return made

    assert only_failures(at_once(ceremony.finish, confirm)) == []
    log = Event.objects.filter(event__in=["revision.cosigned", "appointment.confirmed"])
    told = list(log.order_by("sequence").values_list("event", flat=True))
    assert told == ["revision.cosigned", "appointment.confirmed"]


def waiting(people, secretary, *, person="member", office="coo"):
    return appointments.record(
        person=people[person],
        office_key=office,
        starts_on=TOMORROW,
        acting_user=secretary,
        at=stages.NOW,
    )


def test_confirmed_and_taken_back_at_once_is_one_of_both(people, secretary):
    made = waiting(people, secretary)

    outcomes = at_once(
        lambda: appointments.confirm(appointment=made, acting_user=people["ceo"], at=stages.NOW),
        lambda: appointments.take_back(appointment=made, acting_user=secretary, at=stages.NOW),
        lambda: appointments.confirm(appointment=made, acting_user=people["ceo"], at=stages.NOW),
    )

    assert only_failures(outcomes) == []
    assert len(refusals(outcomes)) == 2
    made.refresh_from_db()
    assert (made.confirmed_at is None) != (made.voided_at is None)
    settled = ["appointment.confirmed", "appointment.taken_back"]
    assert Event.objects.filter(event__in=settled).count() == 1


def test_two_successors_recorded_at_once_make_one(people, secretary):
    one, other = PersonFactory(name="Nadia Haddad"), PersonFactory(name="Ingrid Sole")

    outcomes = at_once(
        *(
            lambda person=person: appointments.record(
                person=person,
                office_key="revops_lead",
                starts_on=TOMORROW,
                acting_user=secretary,
                at=stages.NOW,
            )
            for person in (one, other)
        )
    )

    assert refusals(outcomes) == [AppointmentClash]
    later = Appointment.objects.on(TOMORROW).filter(office__key="revops_lead")
    assert later.count() == 1
    assert Event.objects.filter(event="appointment.recorded", actor_id=secretary.pk).count() == 1


def test_successions_begin_and_remind_once_under_two_workers(people, secretary):
    revision = stages.approved(people)
    made = waiting(people, secretary, person="member")
    appointments.confirm(appointment=made, acting_user=people["ceo"], at=stages.NOW)
    begins = stages.NOW + timedelta(days=1)

    outcomes = at_once(*([lambda: succession.look_after(at=begins)] * 3))

    assert refusals(outcomes) == []
    begun = Succession.objects.get(revision=revision)
    assert (begun.office, begun.appointment) == ("coo", made)
    assert stages.mails_of("takeover-began") == {"takeover-began": 1}
    assert stages.events_of("succession.began") == {"succession.began": 1}

    late = datetime.combine(begun.due_date + timedelta(days=1), time(16), tzinfo=UTC)
    outcomes = at_once(*([lambda: succession.remind(at=late)] * 3))

    assert refusals(outcomes) == []
    assert sum(outcomes) == OutgoingMail.objects.filter(kind__startswith="takeover-re").count() + 1
    assert stages.mails_of("takeover-overdue") == {"takeover-overdue": 1}
