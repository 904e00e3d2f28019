"""An Office changes hands while what it signed is in force: the successor answers, once."""

from datetime import UTC, date, datetime, timedelta

import pytest

from audit.models import Event
from boundaries import succession, takeover, workflow
from boundaries.clock import clock
from boundaries.errors import (
    InvalidText,
    ReasonMissing,
    SuccessionAnswered,
    SuccessionEnded,
)
from boundaries.models import Revision, Succession
from boundaries.states import State
from boundaries.succession import Standing, standing_of
from notifications.models import OutgoingMail
from people import appointments
from people.calendar import company_date, start_of_day
from people.errors import NotYourOffice, Refused
from people.models import Appointment, Office
from tests.boundaries import factories
from tests.boundaries.factories import NOW, handed_over
from tests.people.factories import PersonFactory

pytestmark = pytest.mark.django_db

# The mock's days: Nadia Haddad is COO from Monday, 1 Feb 2027; 15 Feb is a holiday in the US.
FIRST = date(2027, 2, 1)
MORNING = datetime(2027, 2, 1, 14, 5, tzinfo=UTC)  # 09:05 in New York
DUE = date(2027, 2, 16)
WISH = "Row 4.3 needs one more person on my team."


def at(day, hour=14, minute=5):
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


@pytest.fixture
def in_force(people, functions):
    return factories.in_force(people)


@pytest.fixture
def nadia(in_force):
    """The COO from 1 Feb 2027, recorded in January."""
    person = PersonFactory(name="Nadia Haddad")
    Appointment.objects.filter(office__key="coo").update(ends_on=FIRST)
    factories.appointed(person, "coo", starts_on=FIRST, at=at(date(2027, 1, 20)))
    return person


@pytest.fixture
def taken_over(in_force, nadia):
    assert succession.begin_due(at=MORNING) == 1
    return Succession.objects.get()


def mails(kind, *to):
    found = OutgoingMail.objects.filter(kind=kind).order_by("pk")
    return [(one.name, one.subject) for one in found if not to or one.person in to]


def everything():
    return (
        Event.objects.count(),
        OutgoingMail.objects.count(),
        list(Succession.objects.values()),
        list(Revision.objects.order_by("pk").values_list("pk", "state")),
    )


def refused(error, act, match=None):
    before = everything()
    with pytest.raises(error, match=match):
        act()
    assert everything() == before


def recorded(person, office, *, starts_on=FIRST, known=None, **more):
    """An appointment as the verbs of people write it, the former one ended."""
    Appointment.objects.filter(office__key=office, ends_on__isnull=True).update(ends_on=starts_on)
    return Appointment.objects.create(
        person=person,
        office=Office.objects.get(key=office),
        starts_on=starts_on,
        recorded_at=known or at(date(2027, 1, 20)),
        **more,
    )


# --- Beginning --------------------------------------------------------------------------------


def test_begins_on_the_first_day_of_the_successor(in_force, nadia):
    assert succession.begin_due(at=start_of_day(FIRST) - timedelta(minutes=1)) == 0
    events = Event.objects.count()
    assert succession.begin_due(at=start_of_day(FIRST)) == 1
    one = Succession.objects.get()
    assert (one.revision, one.office, one.appointment.person) == (in_force, "coo", nadia)
    assert one.predecessor_name == "Daniel Osei"
    assert one.due_date == DUE
    assert standing_of(one, today=FIRST) == Standing.OPEN
    event = Event.objects.latest("sequence")
    assert Event.objects.count() == events + 1
    assert (event.event, event.office, event.actor_id) == ("succession.began", "coo", None)
    assert event.data["due_date"] == "2027-02-16"
    (mail,) = OutgoingMail.objects.filter(kind="takeover-began")
    assert mail.person == nadia
    assert mail.subject == "What you take over as COO: answer for NC-RB-1 by 16 Feb 2027"
    assert "Vendor management" in mail.text
    assert "Products and employees" in mail.text
    assert f"/takeovers/{one.pk}/" in mail.text


def test_begins_once_however_often_the_sweep_runs(taken_over):
    before = everything()
    for hours in (0, 1, 24, 24 * 30):
        assert succession.begin_due(at=MORNING + timedelta(hours=hours)) == 0
    assert everything() == before


def test_one_that_cannot_begin_keeps_no_other_from_it(in_force, nadia, monkeypatch, caplog):
    handed_over(PersonFactory(name="Ines Roy"), "cfo", on=FIRST)
    began = succession.mails.began

    def broken(found, *args, **more):
        if found.office == "cfo":
            raise RuntimeError("no template")
        return began(found, *args, **more)

    monkeypatch.setattr(succession.mails, "began", broken)
    assert succession.begin_due(at=MORNING) == 1
    assert Succession.objects.get().office == "coo"
    assert "the succession of Ines Roy, CFO failed" in caplog.text
    monkeypatch.undo()
    assert succession.begin_due(at=MORNING) == 1


def test_nothing_begins_while_the_signer_holds_the_office(in_force):
    assert succession.begin_due(at=MORNING) == 0
    assert not Succession.objects.exists()


def test_the_same_human_being_is_no_successor(in_force, people):
    """Re-appointed, or under a linked account: who signed is who holds it."""
    second = PersonFactory(name="D. Osei", same_person_as=people["coo"])
    handed_over(second, "coo", on=FIRST)
    assert succession.begin_due(at=MORNING) == 0


def test_a_stand_in_takes_nothing_over_and_leaves_nothing(in_force, people):
    """Neither while a stand-in acts, nor when the holder comes back to what a stand-in signed."""
    factories.acting(PersonFactory(), "coo", starts_on=FIRST, ends_on=date(2027, 3, 1))
    assert succession.begin_due(at=MORNING) == 0


def test_a_stand_ins_signature_is_no_predecessors_for_the_holder(people, functions):
    stand_in = PersonFactory(name="Wen Hao")
    factories.acting(stand_in, "coo")
    signers = {**people, "coo": stand_in}
    revision = factories.draft(people)
    revision = factories.effective(revision, people, factories.TODAY)
    factories.all_agree(revision, signers)
    factories.frozen(revision, people)
    factories.cosigned(revision, signers)
    factories.approved(revision, people)
    later = NOW + timedelta(days=60)
    assert succession.begin_due(at=later) == 0
    nadia = PersonFactory(name="Nadia Haddad")
    handed_over(nadia, "coo", on=company_date(later))
    assert succession.begin_due(at=later + timedelta(hours=1)) == 1
    assert Succession.objects.get().predecessor_name == "Wen Hao"


def test_recorded_late_the_days_count_from_when_it_came_to_count(in_force, people):
    """Confirmed on Wednesday 3 Feb for 1 Feb: nobody loses days to somebody else's delay."""
    made = recorded(PersonFactory(name="Nadia Haddad"), "coo", needs_confirmation=True)
    assert succession.begin_due(at=MORNING) == 0
    Appointment.objects.filter(pk=made.pk).update(confirmed_at=at(date(2027, 2, 3)))
    assert succession.begin_due(at=at(date(2027, 2, 3))) == 1
    assert Succession.objects.get().due_date == date(2027, 2, 18)


def test_begins_for_each_document_and_office(in_force, people, nadia):
    revision = factories.fresh(in_force)
    handed_over(PersonFactory(name="Robin Hale"), "cfo", on=FIRST)
    assert succession.begin_due(at=MORNING) == 2
    assert set(revision.successions.values_list("office", flat=True)) == {"coo", "cfo"}


def test_whoever_left_before_it_came_in_force_was_the_predecessor(people, functions):
    """Daniel signs on 20 Nov, leaves on 1 Dec; the text comes in force on 10 Dec."""
    effective = date(2026, 12, 10)
    revision = factories.effective(factories.draft(people), people, effective)
    factories.all_agree(revision, people)
    factories.frozen(revision, people)
    factories.cosigned(revision, people)
    factories.approved(revision, people)
    nadia = PersonFactory(name="Nadia Haddad")
    handed_over(nadia, "coo", on=date(2026, 12, 1))
    assert succession.begin_due(at=at(date(2026, 12, 2))) == 0
    workflow.bring_into_force(revision=factories.fresh(revision), at=at(effective))
    one = Succession.objects.get()
    assert one.appointment.person == nadia
    # 10 Dec counts as 0, Christmas (Friday, 25 Dec) does not count.
    assert one.due_date == date(2026, 12, 24)


def test_appointment_changed_begins_it_after_the_transaction(
    in_force, people, django_capture_on_commit_callbacks
):
    from people.signals import appointment_changed

    made = handed_over(PersonFactory(name="Nadia Haddad"), "coo", on=FIRST)
    with django_capture_on_commit_callbacks(execute=True):
        appointment_changed.send(sender=Appointment, appointment=made, at=MORNING)
        assert not Succession.objects.exists()
    assert Succession.objects.count() == 1


# --- Answering --------------------------------------------------------------------------------


def test_successor_acknowledges_once(taken_over, nadia):
    events = Event.objects.count()
    answered = succession.acknowledge(succession=taken_over, acting_user=nadia, at=MORNING)
    assert answered.answer == Succession.Answer.ACKNOWLEDGED
    assert (answered.answered_by, answered.answered_at) == (nadia, MORNING)
    assert Event.objects.count() == events + 1
    event = Event.objects.latest("sequence")
    assert (event.event, event.office, event.actor_id) == (
        "succession.acknowledged",
        "coo",
        nadia.pk,
    )
    assert taken_over.revision.state == State.IN_FORCE
    for again in (
        lambda: succession.acknowledge(succession=taken_over, acting_user=nadia, at=MORNING),
        lambda: succession.ask_for_amendment(
            succession=taken_over, wish=WISH, acting_user=nadia, at=MORNING
        ),
    ):
        refused(SuccessionAnswered, again, match="answered for the COO already")


def test_successor_may_answer_after_the_limit(taken_over, nadia):
    late = at(DUE + timedelta(days=30))
    answered = succession.acknowledge(succession=taken_over, acting_user=nadia, at=late)
    assert answered.answered_at == late


@pytest.mark.parametrize("who", ["cro", "ceo", "coo", "corporate_secretary", "member"])
def test_nobody_else_answers(taken_over, people, who):
    refused(
        NotYourOffice,
        lambda: succession.acknowledge(succession=taken_over, acting_user=people[who], at=MORNING),
    )


def test_stand_in_answers_for_the_absent_successor(taken_over, nadia):
    wen = PersonFactory(name="Wen Hao")
    factories.acting(wen, "coo", starts_on=FIRST, ends_on=date(2027, 3, 1))
    refused(
        NotYourOffice,  # the holder cannot act while somebody acts for her
        lambda: succession.acknowledge(succession=taken_over, acting_user=nadia, at=MORNING),
    )
    answered = succession.acknowledge(succession=taken_over, acting_user=wen, at=MORNING)
    assert answered.answered_by_name == "Wen Hao"
    assert standing_of(answered, today=FIRST) == Standing.ACKNOWLEDGED


def test_a_ceo_who_takes_an_office_over_is_asked_to_name_a_stand_in(in_force, people):
    factories.handed_over(people["ceo"], "coo", on=FIRST)
    assert succession.begin_due(at=MORNING) == 1
    found = Succession.objects.get()
    refused(
        NotYourOffice,
        lambda: succession.acknowledge(
            succession=found, acting_user=people["ceo"], at=at(date(2027, 2, 2))
        ),
        "name another person Acting COO",
    )
    succession.remind(at=at(date(2027, 2, 8)))
    for kind in ("takeover-began", "takeover-reminder"):
        (mail,) = OutgoingMail.objects.filter(kind=kind, person=people["ceo"])
        assert "have another person named Acting COO, who acknowledges it or asks" in " ".join(
            mail.text.split()
        )
    factories.appointed(
        people["member"], "coo", starts_on=FIRST, ends_on=date(2027, 3, 1), acting=True
    )
    succession.acknowledge(succession=found, acting_user=people["member"], at=at(date(2027, 2, 9)))
    found.refresh_from_db()
    assert found.answered_by_name == "Ana Brandt"


def test_predecessor_never_answers_for_the_successor(taken_over, people):
    factories.acting(people["coo"], "coo", starts_on=FIRST, ends_on=date(2027, 3, 1))
    refused(
        NotYourOffice,
        lambda: succession.acknowledge(
            succession=taken_over, acting_user=people["coo"], at=MORNING
        ),
        match="You signed NC-RB-1 yourself",
    )


def test_asking_for_an_amendment_opens_a_draft(taken_over, nadia, in_force):
    events = Event.objects.count()
    answered = succession.ask_for_amendment(
        succession=taken_over, wish=f"  {WISH} ", acting_user=nadia, at=MORNING
    )
    draft = Revision.objects.get(state=State.DRAFT)
    assert (answered.answer, answered.wish, answered.amendment) == ("amendment", WISH, draft)
    assert draft.supersedes == in_force
    assert list(Event.objects.order_by("sequence").values_list("event", flat=True))[events:] == [
        "revision.amendment_opened",
        "succession.amendment_asked",
    ]
    # The words can be erased: they are not in what is hashed.
    event = Event.objects.latest("sequence")
    assert WISH not in str(event.data)
    assert event.data["queued"] is False
    assert factories.fresh(in_force).state == State.IN_FORCE
    told = {name for name, _ in mails("takeover-amendment")}
    assert told == {"Maya Lindqvist", "Priya Raman", "Helen Marsh", "Tomas Vega"}


def test_asking_joins_the_draft_that_is_open(taken_over, nadia, people, in_force):
    draft = workflow.amend(revision=in_force, acting_user=people["cro"], at=MORNING)
    answered = succession.ask_for_amendment(
        succession=taken_over, wish=WISH, acting_user=nadia, at=MORNING
    )
    assert answered.amendment == draft
    assert Revision.objects.filter(state=State.DRAFT).count() == 1


def test_asking_while_a_text_is_frozen_queues_the_wish(taken_over, nadia, people, in_force):
    draft = workflow.amend(revision=in_force, acting_user=people["cro"], at=MORNING)
    signers = {**people, "coo": nadia}
    draft = factories.effective(draft, people, date(2027, 4, 1), at=MORNING)
    factories.all_agree(draft, signers, at=MORNING)
    factories.frozen(draft, people, at=MORNING)
    answered = succession.ask_for_amendment(
        succession=taken_over, wish=WISH, acting_user=nadia, at=MORNING
    )
    assert (answered.answer, answered.wish, answered.amendment) == ("amendment", WISH, None)
    assert Event.objects.latest("sequence").data["queued"] is True
    # Declined, it is a draft again: the wish is taken up there.
    workflow.decline(
        revision=factories.fresh(draft), reason="Not yet.", acting_user=nadia, at=MORNING
    )
    assert Succession.objects.get().amendment == draft


def test_a_queued_wish_enters_the_draft_after_the_next(taken_over, nadia, people, in_force):
    draft = workflow.amend(revision=in_force, acting_user=people["cro"], at=MORNING)
    signers = {**people, "coo": nadia}
    draft = factories.effective(draft, people, FIRST, at=MORNING)
    factories.all_agree(draft, signers, at=MORNING)
    factories.frozen(draft, people, at=MORNING)
    succession.ask_for_amendment(succession=taken_over, wish=WISH, acting_user=nadia, at=MORNING)
    factories.cosigned(draft, signers, at=MORNING)
    factories.approved(draft, people, at=MORNING)
    later = MORNING + timedelta(days=3)
    third = workflow.amend(revision=factories.fresh(draft), acting_user=people["cro"], at=later)
    assert Succession.objects.get().amendment == third


def test_a_wish_needs_words_and_not_too_many(taken_over, nadia):
    for error, wish in ((ReasonMissing, "  "), (InvalidText, "x" * 3001)):
        refused(
            error,
            lambda wish=wish: succession.ask_for_amendment(
                succession=taken_over, wish=wish, acting_user=nadia, at=MORNING
            ),
        )


# --- Ending by itself -------------------------------------------------------------------------


def test_ends_when_the_revision_is_superseded(taken_over, nadia, people, in_force):
    amendment = workflow.amend(revision=in_force, acting_user=people["cro"], at=MORNING)
    signers = {**people, "coo": nadia}
    factories.brought_into_force(amendment, signers, at=MORNING)
    one = Succession.objects.select_related("revision", "appointment__person").get()
    assert standing_of(one, today=FIRST) == Standing.ENDED
    assert succession.why_ended(one, today=FIRST) == "NC-RB-1 is no longer in force."
    assert not Succession.objects.waiting(FIRST).exists()
    refused(
        SuccessionEnded,
        lambda: succession.acknowledge(succession=taken_over, acting_user=nadia, at=MORNING),
        match="no longer in force",
    )
    # She signed the next version herself: nothing begins for that.
    assert succession.begin_due(at=MORNING + timedelta(days=1)) == 0


def test_an_expired_revision_still_waits_for_the_answer(taken_over, nadia, in_force):
    later = at(date(2028, 1, 3))
    workflow.expire(revision=in_force, at=later)
    answered = succession.acknowledge(succession=taken_over, acting_user=nadia, at=later)
    assert answered.answer == "acknowledged"


def test_ends_with_the_appointment_and_begins_for_the_next(taken_over, nadia):
    robin, day = PersonFactory(name="Robin Hale"), date(2027, 2, 10)
    handed_over(robin, "coo", on=day)
    one = Succession.objects.select_related("revision", "appointment__person").get()
    assert standing_of(one, today=day) == Standing.ENDED
    assert "Nadia Haddad no longer holds the Office" in succession.why_ended(one, today=day)
    assert succession.begin_due(at=at(day)) == 1
    second = Succession.objects.latest("pk")
    assert second.appointment.person == robin
    # Robin acts for the Office now, but the first is not his to answer.
    refused(
        Refused,
        lambda: succession.acknowledge(succession=taken_over, acting_user=robin, at=at(day)),
    )


def test_answered_by_a_human_being_it_does_not_begin_again(taken_over, nadia):
    """A corrected record of the same appointment asks nobody twice."""
    succession.acknowledge(succession=taken_over, acting_user=nadia, at=MORNING)
    wrong = taken_over.appointment
    Appointment.objects.filter(pk=wrong.pk).update(
        voided_at=at(date(2027, 2, 5)), voided_as="corrected", void_reason="It was the 2nd."
    )
    right = recorded(
        nadia, "coo", starts_on=date(2027, 2, 2), known=at(date(2027, 2, 5)), corrects=wrong
    )
    assert succession.begin_due(at=at(date(2027, 2, 5), 15)) == 0
    assert right.counts


def test_a_corrected_record_keeps_the_days_that_have_run(taken_over, nadia):
    """Unanswered, it begins for the record that is right: with the limit it had."""
    wrong = taken_over.appointment
    Appointment.objects.filter(pk=wrong.pk).update(
        voided_at=at(date(2027, 2, 5)), voided_as="corrected", void_reason="It was the 2nd."
    )
    recorded(nadia, "coo", starts_on=date(2027, 2, 2), known=at(date(2027, 2, 5)), corrects=wrong)
    assert succession.begin_due(at=at(date(2027, 2, 5), 15)) == 1
    assert Succession.objects.latest("pk").due_date == date(2027, 2, 17)
    assert Succession.objects.waiting(date(2027, 2, 5)).count() == 1


def test_a_corrected_record_of_the_signer_begins_nothing(in_force, people):
    """Daniel's record was wrong by a day and was corrected after he signed: still Daniel."""
    held = Appointment.objects.get(office__key="coo", acting=False)
    Appointment.objects.filter(pk=held.pk).update(
        voided_at=at(date(2027, 1, 5)), voided_as="corrected", void_reason="Wrong day."
    )
    factories.appointed(people["coo"], "coo", starts_on=date(2026, 1, 2), at=at(date(2027, 1, 5)))
    assert succession.begin_due(at=MORNING) == 0


def test_a_record_that_was_wrong_begins_when_it_is_known(in_force, people):
    """Recorded on 20 Jan that Nadia has held it since before Daniel signed: she takes it over."""
    known = at(date(2027, 1, 20))
    Appointment.objects.filter(office__key="coo").update(ends_on=date(2026, 11, 1))
    factories.appointed(
        PersonFactory(name="Nadia Haddad"), "coo", starts_on=date(2026, 11, 1), at=known
    )
    assert succession.begin_due(at=known + timedelta(minutes=1)) == 1
    assert Succession.objects.get().due_date == date(2027, 2, 3)


# --- Reminding --------------------------------------------------------------------------------


def sweep(start, days):
    """The hourly sweep, for as many days."""
    for hours in range(24 * days):
        succession.remind(at=start + timedelta(hours=hours))


def test_successor_is_reminded_after_five_and_eight_days_and_on_the_due_day(taken_over, nadia):
    sweep(MORNING, 15)
    found = OutgoingMail.objects.filter(kind="takeover-reminder").order_by("pk")
    assert [one.key.split(":")[2] for one in found] == ["5", "8", "10"]
    assert [company_date(one.created_at) for one in found] == [
        date(2027, 2, 8),
        date(2027, 2, 11),
        DUE,
    ]
    assert {one.person for one in found} == {nadia}
    assert "due today" in found[2].text
    assert not mails("takeover-overdue")


def test_a_reminder_comes_in_the_readers_morning(taken_over, nadia):
    nadia.time_zone = "Asia/Tokyo"
    nadia.save(update_fields=["time_zone"])
    sweep(MORNING, 10)
    first = OutgoingMail.objects.filter(kind="takeover-reminder").earliest("pk")
    # 23:05 UTC on Sunday is 08:05 on Monday, 8 Feb in Tokyo.
    assert first.created_at == datetime(2027, 2, 7, 23, 5, tzinfo=UTC)


def test_the_ceo_hears_once_of_an_overdue_answer(taken_over, people):
    sweep(at(DUE), 30)
    assert mails("takeover-overdue") == [
        ("Helen Marsh", "Nadia Haddad, COO, has not answered for NC-RB-1")
    ]
    told = OutgoingMail.objects.get(kind="takeover-overdue")
    assert company_date(told.created_at) == DUE + timedelta(days=1)
    # A new CEO is not told again.
    handed_over(PersonFactory(name="Ines Roy"), "ceo", on=date(2027, 4, 1))
    sweep(at(date(2027, 4, 1)), 3)
    assert len(mails("takeover-overdue")) == 1


def test_who_has_answered_is_not_reminded(taken_over, nadia):
    succession.acknowledge(succession=taken_over, acting_user=nadia, at=MORNING)
    sweep(MORNING, 20)
    assert mails("takeover-reminder") == mails("takeover-overdue") == []


def test_a_stand_in_is_reminded_beside_the_successor(taken_over, nadia, people):
    wen = PersonFactory(name="Wen Hao")
    factories.acting(wen, "coo", starts_on=FIRST, ends_on=date(2027, 3, 1))
    succession.remind(at=at(date(2027, 2, 8)))
    assert {name for name, _ in mails("takeover-reminder")} == {"Nadia Haddad", "Wen Hao"}


def test_one_that_fails_keeps_no_other_waiting(taken_over, monkeypatch, caplog, people):
    handed_over(PersonFactory(name="Robin Hale"), "cfo", on=FIRST)
    succession.begin_due(at=MORNING)
    real, failing = succession._remind_of, taken_over.pk

    def sometimes(pk, *, at):
        if pk == failing:
            raise RuntimeError("the mail cannot be written")
        return real(pk, at=at)

    monkeypatch.setattr(succession, "_remind_of", sometimes)
    assert succession.remind(at=at(date(2027, 2, 8))) == 1
    assert "its reminders failed" in caplog.text


# --- The clock --------------------------------------------------------------------------------


def test_clock_names_weekends_and_holidays_and_counts_what_is_left():
    """The mock's clock, on Tuesday, 2 Feb 2027."""
    shown = clock(DUE, days=10, today=date(2027, 2, 2), country="US")
    assert shown.left == "9 business days left"
    assert [(one.words, one.note) for one in shown.segments] == [
        ("Tue 2 Feb", "day 1, today"),
        ("Wed 3", "2"),
        ("Thu 4", "3"),
        ("Fri 5", "4"),
        ("6–7", ""),
        ("Mon 8", "5"),
        ("Tue 9", "6"),
        ("Wed 10", "7"),
        ("Thu 11", "8"),
        ("Fri 12", "9"),
        ("13–15", "holiday"),
        ("Tue 16 Feb", "10, due"),
    ]
    assert [one.state for one in shown.segments if one.state != "later"] == [
        "off",
        "off",
        "due",
    ]
    assert shown.holidays == ["15 Feb 2027 is Washington's Birthday"]


@pytest.mark.parametrize(
    ("today", "left", "current"),
    [
        (date(2027, 2, 1), "10 business days left", ("Mon 1 Feb", "day 0, today")),
        (date(2027, 2, 6), "6 business days left", ("6–7", "today")),
        (date(2027, 2, 15), "1 business day left", ("13–15", "holiday, today")),
        (DUE, "Due today", ("Tue 16 Feb", "10, due today")),
    ],
)
def test_clock_on_its_days(today, left, current):
    shown = clock(DUE, days=10, today=today, country="US")
    assert shown.left == left
    assert [(one.words, one.note) for one in shown.segments if one.is_today] == [current]


def test_clock_that_is_late_counts_days():
    shown = clock(DUE, days=10, today=DUE + timedelta(days=3), country="US")
    assert shown.left == "3 days late"
    assert shown.segments[-1].state == "late"


# --- Who reads it -----------------------------------------------------------------------------


def test_readers_of_drafts_and_the_successor_read_it(taken_over, nadia, people):
    readers = ["cro", "cfo", "ceo", "revops_lead", "corporate_secretary", "auditor"]
    for who in readers:
        assert taken_over in takeover.readable(people[who], on=FIRST)
    assert taken_over in takeover.readable(nadia, on=FIRST)
    for who in ("member", "administrator", "coo"):  # Daniel has left
        assert taken_over not in takeover.readable(people[who], on=FIRST)


# --- From the record to the answer ------------------------------------------------------------


def test_recorded_and_confirmed_it_begins_and_what_is_signed_is_asked_for(
    in_force, people, django_capture_on_commit_callbacks
):
    """The Secretary records, the CEO confirms on the day itself: nobody waits for the sweep."""
    nadia = PersonFactory(name="Nadia Haddad")
    draft = workflow.amend(revision=in_force, acting_user=people["cro"], at=MORNING)
    factories.all_agree(draft, people, at=MORNING)
    draft = factories.effective(factories.fresh(draft), people, date(2027, 4, 1), at=MORNING)
    factories.all_agree(draft, people, at=MORNING)
    factories.frozen(draft, people, at=MORNING)
    with django_capture_on_commit_callbacks(execute=True):
        made = appointments.record(
            person=nadia,
            office_key="coo",
            starts_on=FIRST + timedelta(days=1),
            acting_user=people["corporate_secretary"],
            at=MORNING,
        )
    later = at(FIRST + timedelta(days=1))
    assert not Succession.objects.exists()
    with django_capture_on_commit_callbacks(execute=True):
        appointments.confirm(appointment=made, acting_user=people["ceo"], at=later)
    one = Succession.objects.get()
    assert (one.appointment.person, one.began_at) == (nadia, later)
    assert one.due_date == date(2027, 2, 17)
    asked = OutgoingMail.objects.filter(kind="signature-asked", person=nadia)
    assert [mail.subject for mail in asked] == ["NC-RB-2 waits for your signature"]
    assert len(mails("takeover-began")) == 1
