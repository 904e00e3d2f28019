"""Agreements that a predecessor gave in a draft: marked, not counted, confirmed in one act."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Event
from boundaries import agreeing, workflow
from boundaries.errors import NotADraft, NothingToConfirm, NotReadyToFreeze
from boundaries.models import Agreement
from boundaries.parties import party_offices
from boundaries.standing import standings
from boundaries.states import ClauseState
from people.errors import NotYourOffice
from people.models import Appointment, Office
from tests.boundaries import factories
from tests.boundaries.factories import NOW, TODAY, everything_read, handed_over, row_of
from tests.people.factories import PersonFactory

pytestmark = pytest.mark.django_db

LATER = datetime(2026, 11, 25, 15, tzinfo=UTC)
THEN = date(2026, 11, 25)


@pytest.fixture
def nadia():
    return PersonFactory(name="Nadia Haddad")


def stance(revision, office="coo", *, today=THEN):
    every = standings(revision, parties=party_offices(), today=today)
    return {one.stance_of(office).state for one in every}


def waiting(revision, *offices, today=THEN):
    found = agreeing.to_confirm(revision, offices or ("coo",), today=today)
    return {
        ("row" if clause.anchor.startswith("row") else "article", clause.pk): clause.version
        for clause in found
    }


def confirm(revision, person, read=None, *, at=LATER):
    return agreeing.confirm_predecessors(
        revision=revision,
        read=waiting(revision) if read is None else read,
        acting_user=person,
        at=at,
    )


def refused(error, act, match=None):
    before = (Event.objects.count(), list(Agreement.objects.values()))
    with pytest.raises(error, match=match):
        act()
    assert (Event.objects.count(), list(Agreement.objects.values())) == before


# --- What is a predecessor's ------------------------------------------------------------------


def test_what_the_former_holder_agreed_to_waits_to_be_confirmed(ready, people, nadia):
    handed_over(nadia, "coo", on=THEN)
    assert stance(ready, today=THEN - timedelta(days=1)) == {"agreed"}
    assert stance(ready) == {"predecessor"}
    assert stance(ready, "cro") == {"agreed"}
    (one, *_) = standings(ready, parties=party_offices(), today=THEN)
    assert one.state == ClauseState.PROPOSED
    assert one.waits_for == "COO to confirm what the predecessor agreed to"
    assert one.stance_of("coo").words == "agreed by the predecessor, to be confirmed"


def test_the_same_human_being_is_no_predecessor(ready, people):
    """Appointed again, or under a linked account."""
    handed_over(people["coo"], "coo", on=THEN)
    assert stance(ready) == {"agreed"}
    handed_over(
        PersonFactory(name="D. Osei", same_person_as=people["coo"]),
        "coo",
        on=THEN + timedelta(days=1),
    )
    assert stance(ready, today=THEN + timedelta(days=1)) == {"agreed"}


def test_a_voided_appointment_is_a_predecessors(ready, people, nadia):
    """Recorded wrongly: Daniel never was the COO. What he agreed to must be confirmed."""
    Appointment.objects.filter(office__key="coo").update(
        voided_at=LATER, voided_as="corrected", void_reason="It was Nadia all along."
    )
    assert stance(ready) == {"predecessor"}
    Appointment.objects.create(
        person=nadia,
        office=Office.objects.get(key="coo"),
        starts_on=date(2026, 1, 1),
        recorded_at=LATER,
    )
    assert stance(ready) == {"predecessor"}
    assert len(waiting(ready)) == 17


def test_a_corrected_record_of_the_same_human_being_is_none(ready, people):
    Appointment.objects.filter(office__key="coo").update(
        voided_at=LATER, voided_as="corrected", void_reason="The first day was wrong."
    )
    Appointment.objects.create(
        person=people["coo"],
        office=Office.objects.get(key="coo"),
        starts_on=date(2026, 2, 1),
        recorded_at=LATER,
    )
    assert stance(ready) == {"agreed"}


def test_in_a_vacant_office_the_former_holders_agreements_wait(ready, people):
    Appointment.objects.filter(office__key="coo").update(ends_on=THEN)
    assert stance(ready) == {"predecessor"}
    # Whoever acts for it then confirms them.
    wen = PersonFactory(name="Wen Hao")
    factories.acting(wen, "coo", starts_on=THEN, ends_on=date(2027, 1, 1))
    assert confirm(ready, wen) == 17
    assert stance(ready) == {"agreed"}


def test_what_a_stand_in_agreed_to_stays_the_offices(draft, people, nadia):
    wen = PersonFactory(name="Wen Hao")
    factories.acting(wen, "coo")
    factories.all_agree(draft, {**people, "coo": wen})
    after = date(2026, 12, 2)
    assert stance(draft, today=TODAY) == stance(draft, today=after) == {"agreed"}
    # It was given in Daniel's place: it goes when Daniel goes.
    handed_over(nadia, "coo", on=after)
    assert stance(draft, today=after) == {"predecessor"}


def test_what_a_stand_in_of_the_successor_confirmed_stays(ready, people, nadia):
    handed_over(nadia, "coo", on=THEN)
    wen = PersonFactory(name="Wen Hao")
    factories.acting(wen, "coo", starts_on=THEN, ends_on=date(2026, 12, 1))
    assert confirm(ready, wen, at=LATER + timedelta(hours=1)) == 17
    assert stance(ready) == stance(ready, today=date(2026, 12, 5)) == {"agreed"}


# --- Confirming -------------------------------------------------------------------------------


def test_the_successor_confirms_all_in_one_act(ready, people, nadia):
    handed_over(nadia, "coo", on=THEN)
    events = Event.objects.count()
    given = Agreement.objects.filter(office="coo", withdrawn_at__isnull=True).count()
    assert confirm(ready, nadia) == 17
    assert stance(ready) == {"agreed"}
    live = Agreement.objects.filter(office="coo", withdrawn_at__isnull=True)
    assert live.count() == given
    assert set(live.values_list("person", flat=True)) == {nadia.pk}
    gone = Agreement.objects.filter(office="coo", withdrawn_because="Confirmed by the successor.")
    assert gone.count() == given
    assert Event.objects.count() == events + 1
    event = Event.objects.latest("sequence")
    assert (event.event, event.office, event.actor_id) == (
        "draft.predecessors_confirmed",
        "coo",
        nadia.pk,
    )
    assert len(event.data["confirmed"]) == 17
    refused(NothingToConfirm, lambda: confirm(ready, nadia), match="Nothing was confirmed")


def test_freezing_waits_until_they_are_confirmed(ready, people, nadia):
    handed_over(nadia, "coo", on=THEN)
    with pytest.raises(NotReadyToFreeze) as blocked:
        workflow.freeze(revision=ready, acting_user=people["cro"], at=LATER)
    assert {one.code for one in blocked.value.blockers if not one.wrong} == {"clause_proposed"}
    confirm(ready, nadia)
    workflow.freeze(revision=factories.fresh(ready), acting_user=people["cro"], at=LATER)


def test_what_changed_since_the_page_was_read_is_not_confirmed(ready, people, nadia):
    handed_over(nadia, "coo", on=THEN)
    read = waiting(ready)
    factories.edit(row_of(ready), people, at=LATER, scope_in="Approve every discount")
    refused(
        NothingToConfirm,
        lambda: confirm(ready, nadia, read),
        match="changed while you read it",
    )
    assert confirm(ready, nadia) == 16
    assert row_of(ready).agreements.filter(withdrawn_at__isnull=True, office="coo").count() == 0


def test_only_what_was_on_the_page_is_confirmed(ready, people, nadia):
    handed_over(nadia, "coo", on=THEN)
    row = row_of(ready)
    assert confirm(ready, nadia, {("row", row.pk): row.version}) == 1
    assert stance(ready) == {"agreed", "predecessor"}
    assert len(waiting(ready)) == 16


@pytest.mark.parametrize("who", ["cro", "ceo", "coo", "corporate_secretary", "member"])
def test_nobody_else_confirms(ready, people, nadia, who):
    """The CRO may agree, but nothing of the CRO's waits; the others may not agree at all."""
    handed_over(nadia, "coo", on=THEN)
    read = waiting(ready)
    refused((NothingToConfirm, NotYourOffice), lambda: confirm(ready, people[who], read))


def test_a_frozen_text_is_not_confirmed(ready, people, nadia):
    read = everything_read(ready)
    workflow.freeze(revision=ready, acting_user=people["cro"], at=NOW)
    handed_over(nadia, "coo", on=THEN)
    refused(NotADraft, lambda: confirm(ready, nadia, read))


def test_an_own_contest_is_not_confirmed_away(ready, people, nadia):
    agreeing.contest(clause=row_of(ready), reason="Not ours.", acting_user=people["coo"], at=NOW)
    handed_over(nadia, "coo", on=THEN)
    assert confirm(ready, nadia) == 16
    (contested,) = Agreement.objects.filter(stance="contested", withdrawn_at__isnull=True)
    assert contested.person == people["coo"]


def test_who_holds_two_offices_confirms_for_both(ready, people, nadia):
    handed_over(nadia, "coo", on=THEN)
    handed_over(nadia, "cfo", on=THEN)
    assert confirm(ready, nadia, waiting(ready, "coo", "cfo")) == 17
    assert stance(ready) == stance(ready, "cfo") == {"agreed"}
    assert Event.objects.latest("sequence").data["offices"] == ["coo", "cfo"]


# --- On the board -----------------------------------------------------------------------------


def test_board_marks_them_and_offers_one_action(ready, people, nadia, client):
    handed_over(nadia, "coo", on=THEN)
    with time_machine.travel(LATER, tick=False):
        client.force_login(nadia)
        page = client.get(ready.get_absolute_url()).content.decode()
        assert "17 agreements of your predecessor to confirm" in page
        assert "agreed by a predecessor, to be confirmed" in page
        tokens = [
            f"{one.anchor}:{one.version}" for one in [*ready.rows.all(), *ready.articles.all()]
        ]
        answer = client.post(
            f"{ready.get_absolute_url()}confirm-predecessors/", {"read": tokens}, follow=True
        )
        assert "You confirmed 17 agreements in NC-RB-1." in answer.content.decode()
        client.force_login(people["cro"])
        page = client.get(ready.get_absolute_url()).content.decode()
    assert "of your predecessor to confirm" not in page
    assert stance(ready) == {"agreed"}


def test_standings_cost_the_same_queries_for_any_number_of_holders(ready, people):
    def cost():
        with CaptureQueriesContext(
            connection,
        ) as captured:
            standings(ready, parties=party_offices(), today=THEN)
        return len(captured)

    few = cost()
    day = THEN
    for number in range(10):
        handed_over(PersonFactory(), "coo", on=day + timedelta(days=number))
    assert cost() == few
