"""Closing an account beside an act that mails its person: neither waits for the other for ever."""

import pytest
from django.db import connection

from audit.models import Event
from boundaries import workflow
from notifications.models import OutgoingMail
from people import accounts
from people.models import Person
from tests.boundaries import stages
from tests.boundaries.factories import everybody
from tests.boundaries.races.together import at_once
from tests.people.factories import CompanyFactory

pytestmark = pytest.mark.race


@pytest.mark.parametrize("_time", range(5))
def test_closing_an_account_while_a_text_is_frozen(transactional_db, _time):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    CompanyFactory()
    people = everybody()
    revision = stages.ready_to_freeze(people)
    outcomes = at_once(
        lambda: accounts.deactivate(
            person=people["coo"], reason="Left", acting_user=people["administrator"], at=stages.NOW
        ),
        lambda: workflow.freeze(revision=revision, acting_user=people["cro"], at=stages.NOW),
    )
    # The text may have lost a party just before: a refusal is an answer, a deadlock is none.
    assert not [one for one in outcomes if "deadlock" in str(one)]
    assert not Person.objects.get(pk=people["coo"].pk).is_active
    assert Event.objects.filter(event="person.deactivated").count() == 1
    assert OutgoingMail.objects.filter(kind="signature-asked", person=people["cro"]).count() <= 1
