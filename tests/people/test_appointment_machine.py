"""Whatever people record in whatever order: one holder a day, and past days stay as they were."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import ClassVar

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from people import appointments
from people.errors import Refused
from people.models import Appointment
from people.queries import holder_of
from tests.people.offices import everyone

BEGIN = date(2026, 11, 20)
OFFICES = ("coo", "revops_lead")
NAMES = ("nadia", "ingrid", "member", "coo", "revops_lead")

offices = st.sampled_from(OFFICES)
names = st.sampled_from(NAMES)
kinds = st.booleans()
soon = st.integers(min_value=-1, max_value=5)
some = st.integers(min_value=1, max_value=12)
lengths = st.none() | some


class Recording(RuleBasedStateMachine):
    """The Secretary, the CEO and the days that go by; ``people`` is given by the test."""

    people: ClassVar[dict] = {}
    done: ClassVar[set] = set()

    @initialize(vacant=st.sets(offices))
    def begin(self, vacant):
        self.savepoint = transaction.savepoint()
        Appointment.objects.filter(office__key__in=vacant).update(ends_on=BEGIN)
        self.today = BEGIN
        # (Office, day): who acted for it when that day was over
        self.past = {}

    def teardown(self):
        if hasattr(self, "savepoint"):
            transaction.savepoint_rollback(self.savepoint)

    def attempt(self, verb, by, **asked):
        at = datetime(self.today.year, self.today.month, self.today.day, 15, tzinfo=UTC)
        try:
            made = verb(**asked, acting_user=self.people[by], at=at)
        except Refused:
            return
        self.done.add(verb.__name__)
        if made.corrects is not None and made.counts:
            self.forget(made.corrects, made)

    def forget(self, *spans):
        """A correction names what it corrects: the days of both are said anew."""
        wrong, right = spans
        wrong.refresh_from_db()
        assert (wrong.voided_as, right.corrects_id) == ("corrected", wrong.pk)
        for one in spans:
            ends = one.ends_on or date.max
            for office, day in list(self.past):
                if office == one.office.key and one.starts_on <= day < ends:
                    del self.past[office, day]

    def days(self, first, length):
        starts_on = self.today + timedelta(days=first)
        return {
            "starts_on": starts_on,
            "ends_on": starts_on + timedelta(days=length) if length else None,
        }

    @rule(office=offices, name=names, first=soon, length=lengths)
    def record_holder(self, office, name, first, length):
        self.record(office, name, first, length, acting=False)

    @rule(office=offices, name=names, first=soon, length=some)
    def record_stand_in(self, office, name, first, length):
        self.record(office, name, first, length, acting=True)

    def record(self, office, name, first, length, *, acting):
        self.attempt(
            appointments.record,
            "corporate_secretary",
            person=self.people[name],
            office_key=office,
            **self.days(first, length),
            acting=acting,
            instrument="Memo",
        )

    @rule(answer=st.sampled_from(["confirm", "confirm", "refuse", "take back"]))
    def settle_what_waits(self, answer):
        waiting = Appointment.objects.unconfirmed().first()
        if waiting is None:
            return
        if answer == "confirm":
            self.attempt(appointments.confirm, "ceo", appointment=waiting)
        elif answer == "refuse":
            self.attempt(appointments.refuse, "ceo", appointment=waiting, reason="No")
        else:
            self.attempt(appointments.take_back, "corporate_secretary", appointment=waiting)

    @rule(office=offices)
    def take_back_what_has_not_begun(self, office):
        later = Appointment.objects.counting().filter(office__key=office, starts_on__gt=self.today)
        if one := later.first():
            self.attempt(
                appointments.take_back, "corporate_secretary", appointment=one, reason="No"
            )

    @rule(office=offices, acting=kinds, last=soon)
    def end(self, office, acting, last):
        found = Appointment.objects.counting().filter(office__key=office, acting=acting)
        if one := found.last():
            self.attempt(
                appointments.end,
                "corporate_secretary",
                appointment=one,
                last_day=self.today + timedelta(days=last),
                reason="Leaves",
            )

    @rule(office=offices, acting=kinds, name=names, first=soon, length=lengths)
    def correct(self, office, acting, name, first, length):
        found = Appointment.objects.counting().filter(office__key=office, acting=acting)
        if wrong := found.last():
            self.attempt(
                appointments.correct,
                "corporate_secretary",
                appointment=wrong,
                person=self.people[name],
                **self.days(first, length),
                instrument="Memo",
                reason="It was wrong.",
            )

    @rule(days=st.integers(min_value=1, max_value=4))
    def days_go_by(self, days):
        for _ in range(days):
            for office in OFFICES:
                found = holder_of(office, on=self.today)
                self.past[office, self.today] = (found.person_id, found.acting) if found else None
            self.today += timedelta(days=1)

    @invariant()
    def one_holder_and_one_stand_in_a_day_and_the_past_stays(self):
        acts = dict.fromkeys(self.past)
        spans = {}
        for one in (
            Appointment.objects.counting().filter(office__key__in=OFFICES).order_by("acting")
        ):
            ends = one.ends_on or date.max
            spans.setdefault((one.office_id, one.acting), []).append((one.starts_on, ends))
            for office, day in acts:
                if office == one.office.key and one.starts_on <= day < ends:
                    acts[office, day] = (one.person_id, one.acting)  # the stand-in comes last
        for several in spans.values():
            for (_, ends), (starts, _) in pairwise(sorted(several)):
                assert ends <= starts, several
        assert acts == self.past


@pytest.mark.timeout(120)
def test_random_sequences_never_give_an_office_two_holders(company):
    Recording.people, Recording.done = everyone(), set()
    run_state_machine_as_test(
        Recording,
        settings=settings(
            derandomize=True,
            database=None,
            deadline=None,
            max_examples=40,
            stateful_step_count=25,
            suppress_health_check=list(HealthCheck),
        ),
    )
    # The walk came by every verb, so that what holds was put to the test.
    assert Recording.done == {"record", "confirm", "refuse", "take_back", "end", "correct"}
