"""Offices change hands, and accounts are closed, while their holders sign."""

import threading

import pytest

from audit.models import Event
from audit.verify import verify_log
from boundaries import workflow
from people import appointments
from people.errors import Refused
from people.models import Appointment
from tests.boundaries import stages
from tests.boundaries.factories import appointed
from tests.boundaries.races.together import at_once
from tests.people.factories import PersonFactory

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def secretary(people):
    person = PersonFactory(name="Iris Novak")
    appointed(person, "corporate_secretary", at=stages.NOW)
    return person


def only_failures(outcomes):
    """What failed was refused by a sentence: no deadlock, no clash in the database."""
    return [one for one in outcomes if isinstance(one, Exception) and not isinstance(one, Refused)]


def test_ending_an_appointment_while_its_holder_signs(people, secretary):
    """Whoever is first: the signature was given by the holder, or none was given."""
    revision = stages.frozen(people)
    ceremony = stages.to_sign(revision, people["cro"])
    held = Appointment.objects.get(office__key="cro")
    today = stages.company_date(stages.NOW)

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
    assert events in (["appointment.ended"], ["revision.cosigned", "appointment.ended"])
    assert verify_log().sound


def test_a_stand_in_begins_while_the_holder_signs(people, secretary, monkeypatch):
    """The holder signs first, or not at all: never once the stand-in acts."""
    revision = stages.frozen(people)
    ceremony = stages.to_sign(revision, people["cro"])
    today = stages.company_date(stages.NOW)
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
