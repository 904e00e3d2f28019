"""Recording, confirming, ending, correcting: who may, what follows and what refuses."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from audit.models import Event
from people import absences, appointment_mails, appointments, recording, tasks
from people.errors import (
    AlreadyEnded,
    AppointmentClash,
    InvalidAppointment,
    NothingToConfirm,
    NotYourOffice,
    NotYoursToConfirm,
    OfficeNotEstablished,
    OwnAppointment,
    SomebodyActsForYou,
    SubDelegation,
)
from people.models import Appointment, Office, Person
from people.queries import appointments_of, holder_of
from people.recording import effects_of, months_after
from people.signals import appointment_changed
from tests.people.factories import PersonFactory
from tests.people.offices import (
    BOARD,
    NOW,
    TODAY,
    TOMORROW,
    confirmed,
    everyone,
    everything,
    last_event,
    mails,
    of,
    recorded,
    stand_in,
)


@pytest.fixture
def people(company):
    return everyone()


@pytest.fixture
def changed():
    """The appointments that upper apps were told of."""
    heard = []

    def hear(appointment, at, **_):
        heard.append(appointment.pk)

    appointment_changed.connect(hear)
    yield heard
    appointment_changed.disconnect(hear)


def refuses(error, act, match=None):
    """It refuses by that name and leaves everything as it was."""
    before = everything()
    with pytest.raises(error, match=match) as caught:
        act()
    assert caught.type is error
    assert everything() == before
    return str(caught.value)


# --- Who may ----------------------------------------------------------------------------------

ROLES = (
    *("cro", "coo", "cfo", "ceo", "revops_lead"),
    *("corporate_secretary", "member", "auditor", "administrator"),
)
#                          CRO COO CFO CEO Lead Secretary Member Auditor Administrator
WHO_MAY = {
    "record":              "no no no no no yes no no no",
    "record the first":    "no no no no no yes no no yes",
    "record a stand-in":   "no no no no no yes no no no",
    "propose for the CRO": "yes no no no no no no no no",
    "confirm":             "no no no yes no no no no no",
    "refuse":              "no no no yes no no no no no",
    "take back":           "no no no no no yes no no no",
    "end":                 "no no no no no yes no no no",
    "correct":             "no no no no no yes no no no",
    "not established":     "no no no no no yes no no no",
    "establish":           "no no no no no yes no no no",
    "add an Office":       "no no no no no yes no no no",
}  # fmt: skip


def _attempt(people, verb, role):
    """The act of ``role``, with what it needs laid ready by others."""
    by = {"acting_user": people[role], "at": NOW}
    cmo = {"title": "Chief Marketing Officer", "short": "CMO", "co_signing": True}
    secretary = {"acting_user": people["corporate_secretary"], "at": NOW}
    if verb == "record":
        return lambda: recorded(people, "nadia", "revops_lead", by=role)
    if verb == "record the first":
        absences.add_office(**cmo, **secretary)
        return lambda: recorded(people, "nadia", "cmo", by=role)
    if verb == "record a stand-in":
        return lambda: stand_in(people, "nadia", "coo", by=role)
    if verb == "propose for the CRO":
        return lambda: appointments.propose_stand_in(
            person=people["nadia"],
            office_key="cro",
            starts_on=TOMORROW,
            ends_on=TOMORROW + timedelta(days=5),
            instrument="Memo 7",
            **by,
        )
    if verb in ("confirm", "refuse", "take back"):
        waiting = stand_in(people, "nadia", "cro")
        return {
            "confirm": lambda: appointments.confirm(appointment=waiting, **by),
            "refuse": lambda: appointments.refuse(appointment=waiting, reason="No", **by),
            "take back": lambda: appointments.take_back(appointment=waiting, **by),
        }[verb]
    if verb == "end":
        return lambda: appointments.end(
            appointment=of("auditor"), last_day=TODAY, reason="Moves on", **by
        )
    if verb == "correct":
        return lambda: appointments.correct(
            appointment=of("revops_lead"),
            person=people["nadia"],
            starts_on=date(2026, 1, 1),
            ends_on=None,
            reason="It was Nadia.",
            **by,
        )
    if verb == "add an Office":
        return lambda: absences.add_office(**cmo, **by)
    made = absences.add_office(**cmo, **secretary)
    away = {"office": made, "part_goes_to": Office.objects.get(key="cro"), "reason": "CRO does."}
    if verb == "not established":
        return lambda: absences.not_established(**away, **by)
    absences.not_established(**away, **secretary)
    return lambda: absences.establish(office=made, **by)


@pytest.mark.parametrize("verb", WHO_MAY)
@pytest.mark.parametrize(("place", "role"), list(enumerate(ROLES)))
def test_who_may(people, verb, place, role):
    act = _attempt(people, verb, role)
    events = Event.objects.count()
    if WHO_MAY[verb].split()[place] == "yes":
        act()
        assert Event.objects.count() == events + 1
        # What was recorded by Office is taken back by the person.
        assert last_event()[1:] == (people[role].pk, "" if verb == "take back" else role)
    elif verb == "take back":
        refuses(NotYoursToConfirm, act, "Iris Novak, Corporate Secretary recorded it")
    else:
        refuses(NotYourOffice, act)


def test_administrator_records_the_first_ones_until_there_is_a_secretary(company):
    administrator, *others = [PersonFactory() for _ in range(5)]
    appointments.appoint(
        person=administrator, office_key="administrator", starts_on=TODAY, acting_user=None, at=NOW
    )
    by = {"acting_user": administrator, "at": NOW}

    def record(person, office, **more):
        return appointments.record(
            person=person, office_key=office, **{"starts_on": TODAY, **more}, **by
        )

    record(others[0], "ceo", instrument=BOARD)
    record(others[1], "revops_lead")
    # Nobody was ever Secretary: a second one as well.
    record(others[2], "revops_lead", starts_on=TOMORROW)
    record(others[3], "corporate_secretary")
    message = refuses(
        NotYourOffice, lambda: record(others[0], "revops_lead", starts_on=date(2026, 12, 1))
    )
    assert "The Administrator records the first appointment of each Office" in message
    # The first of an Office, still; and the Secretary's seat whenever it is vacant.
    record(others[0], "auditor")
    refuses(NotYourOffice, lambda: record(others[1], "corporate_secretary", starts_on=TOMORROW))
    appointments.end(
        appointment=of("corporate_secretary"),
        last_day=TODAY,
        reason="Leaves",
        acting_user=others[3],
        at=NOW,
    )
    later = {"acting_user": administrator, "at": NOW + timedelta(days=1)}
    appointments.record(
        person=others[1], office_key="corporate_secretary", starts_on=TOMORROW, **later
    )
    assert holder_of("corporate_secretary", on=TOMORROW).person == others[1]


def test_nobody_records_their_own(people):
    refuses(OwnAppointment, lambda: recorded(people, "corporate_secretary", "revops_lead"))
    refuses(OwnAppointment, lambda: recorded(people, "corporate_secretary", "coo"))


def test_nobody_records_that_of_a_linked_account(people):
    Person.objects.filter(pk=people["nadia"].pk).update(
        same_person_as=people["corporate_secretary"]
    )
    people["nadia"].refresh_from_db()
    refuses(OwnAppointment, lambda: recorded(people, "nadia", "revops_lead"))


def test_nobody_corrects_their_own(people):
    refuses(
        OwnAppointment,
        lambda: appointments.correct(
            appointment=of("corporate_secretary"),
            person=people["nadia"],
            starts_on=date(2026, 1, 1),
            ends_on=None,
            reason="It was Nadia.",
            acting_user=people["corporate_secretary"],
            at=NOW,
        ),
    )


# --- Recording what counts at once ------------------------------------------------------------


def test_recording_a_successor_ends_the_former(people, changed):
    former = of("revops_lead")
    made = recorded(people, "nadia", "revops_lead", instrument="Letter of 1 Nov")

    former.refresh_from_db()
    assert (former.ends_on, former.end_reason) == (TOMORROW, "Succeeded by Nadia Haddad")
    assert former.end_recorded_by_name == "Iris Novak, Corporate Secretary"
    assert holder_of("revops_lead", on=TODAY).person == people["revops_lead"]
    assert holder_of("revops_lead", on=TOMORROW).person == people["nadia"]
    assert (made.needs_confirmation, made.counts) == (False, True)
    assert made.recorded_by_name == "Iris Novak, Corporate Secretary"
    assert changed == [made.pk, former.pk]
    event = Event.objects.latest("sequence")
    assert event.event == "appointment.recorded"
    assert event.data["succeeds"] == former.pk
    assert event.personal_commitment  # the instrument is personal text
    assert "Letter" not in str(event.data)
    assert mails() == ["appointment-counts", "appointment-succeeded"]
    assert mails("appointment-succeeded") == ["Tomas Vega"]


def test_former_with_a_known_end_clashes_with_an_earlier_successor(people):
    appointments.end(
        appointment=of("revops_lead"),
        last_day=date(2026, 12, 31),
        reason="Leaves",
        acting_user=people["corporate_secretary"],
        at=NOW,
    )
    message = refuses(
        AppointmentClash,
        lambda: recorded(people, "nadia", "revops_lead", starts_on=date(2026, 12, 15)),
    )
    assert message == (
        "Tomas Vega holds the Office of the RevOps Lead from 1 Jan 2026 to 31 Dec 2026. Begin on "
        "1 Jan 2027, or end that appointment first."
    )
    assert recorded(people, "nadia", "revops_lead", starts_on=date(2027, 1, 1)).counts


def test_two_holders_of_one_office_on_one_day(people):
    recorded(people, "nadia", "revops_lead", starts_on=date(2026, 12, 1))
    refuses(
        AppointmentClash,
        lambda: recorded(people, "ingrid", "revops_lead", starts_on=date(2026, 11, 25)),
        "Tomas Vega",
    )
    refuses(
        AppointmentClash,
        lambda: recorded(people, "ingrid", "revops_lead", starts_on=date(2026, 12, 1)),
        "Nadia Haddad is recorded as RevOps Lead from 1 Dec 2026. Take that record back, or give "
        "2 Dec 2026 or later as the first day",
    )


def test_who_begins_today_is_followed_tomorrow_or_corrected(people):
    recorded(people, "nadia", "revops_lead", starts_on=TODAY)
    words = refuses(
        AppointmentClash, lambda: recorded(people, "ingrid", "revops_lead", starts_on=TODAY)
    )
    assert words == (
        "Nadia Haddad holds the Office of the RevOps Lead from today, 20 Nov 2026. Correct that "
        "record if it is wrong, or give 21 Nov 2026 or later as the first day."
    )
    # Both ways work.
    _correct(people, of("revops_lead"), starts_on=TOMORROW)
    assert recorded(people, "ingrid", "revops_lead", starts_on=TOMORROW + timedelta(days=1)).counts


def test_the_same_person_twice_clashes(people):
    refuses(
        AppointmentClash,
        lambda: recorded(people, "revops_lead", "revops_lead"),
        "Tomas Vega holds the Office",
    )
    refuses(AppointmentClash, lambda: recorded(people, "auditor", "auditor"), "Samuel Adeyemi")


def test_auditors_may_be_several(people):
    recorded(people, "nadia", "auditor")
    assert appointments_of(people["auditor"], on=TOMORROW)
    assert appointments_of(people["nadia"], on=TOMORROW)
    refuses(InvalidAppointment, lambda: stand_in(people, "ingrid", "auditor"), "needs no stand-in")


def test_ceo_needs_a_board_reference_and_no_confirmation(people):
    refuses(InvalidAppointment, lambda: recorded(people, "nadia", "ceo"), "board’s decision")
    refuses(InvalidAppointment, lambda: recorded(people, "nadia", "ceo", instrument="  "), "board")
    assert recorded(people, "nadia", "ceo", instrument=BOARD).counts
    assert stand_in(people, "ingrid", "ceo", instrument=BOARD).counts


def test_appointee_has_an_open_account(people):
    Person.objects.filter(pk=people["nadia"].pk).update(is_active=False)
    people["nadia"].refresh_from_db()
    refuses(
        InvalidAppointment, lambda: recorded(people, "nadia", "revops_lead"), "account of Nadia"
    )


@pytest.mark.parametrize(
    ("days", "says"),
    [
        ({"starts_on": date(2028, 6, 1)}, "more than 18 months ahead"),
        ({"ends_on": TOMORROW}, "not before the first"),
        ({"ends_on": TODAY}, "not before the first"),
        ({"starts_on": date(2026, 11, 19)}, "It can begin today, 20 Nov 2026, or later"),
        ({"starts_on": date.min}, "Give days between 1 Jan 1900 and 31 Dec 2199"),
        ({"ends_on": date.max}, "Give days between 1 Jan 1900 and 31 Dec 2199"),
    ],
)
def test_days_that_cannot_be(people, days, says):
    refuses(InvalidAppointment, lambda: recorded(people, "nadia", "revops_lead", **days), says)


def test_first_appointment_of_an_office_and_history_may_lie_in_the_past(people):
    absences.add_office(
        title="Head of Data",
        short="Head of Data",
        co_signing=False,
        acting_user=people["corporate_secretary"],
        at=NOW,
    )
    first = recorded(people, "nadia", "head_of_data", starts_on=date(2024, 5, 1))
    assert first.counts
    # Before the registry was there: told afterwards. Since then: not.
    earlier = {"starts_on": date(2024, 1, 1), "ends_on": date(2024, 5, 1)}
    assert recorded(people, "ingrid", "head_of_data", **earlier).counts
    refuses(
        AppointmentClash,
        lambda: recorded(
            people, "ingrid", "head_of_data", starts_on=date(2025, 1, 1), ends_on=date(2025, 5, 1)
        ),
    )


def test_office_that_is_not_established_has_no_holder(people):
    made = absences.add_office(
        title="Legal",
        short="Legal",
        co_signing=False,
        acting_user=people["corporate_secretary"],
        at=NOW,
    )
    absences.not_established(
        office=made,
        part_goes_to=Office.objects.get(key="cfo"),
        reason="Outside counsel",
        acting_user=people["corporate_secretary"],
        at=NOW,
    )
    refuses(OfficeNotEstablished, lambda: recorded(people, "nadia", "legal"), "Establish")


def test_recording_turns_what_the_database_refuses_into_a_clash(people, monkeypatch):
    monkeypatch.setattr(recording, "former_of", lambda *_, **__: None)
    refuses(AppointmentClash, lambda: recorded(people, "nadia", "revops_lead"), "recorded just now")


# --- Stand-ins --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"instrument": ""}, "needs its last day and the written instrument"),
        ({"instrument": "   "}, "needs its last day and the written instrument"),
        ({"ends_on": None}, "needs its last day"),
        ({"ends_on": date(2027, 11, 22)}, "at most 12 months: until 20 Nov 2027"),
        ({"starts_on": TODAY - timedelta(days=1)}, "It can begin today"),
    ],
)
def test_stand_in_is_bounded_and_written(people, wrong, says):
    refuses(InvalidAppointment, lambda: stand_in(people, "nadia", "cro", **wrong), says)


def test_stand_in_of_twelve_months_is_the_longest(people):
    assert stand_in(people, "nadia", "cro", ends_on=date(2027, 11, 21)).pk


def test_while_a_stand_in_acts_the_holder_cannot(people):
    made = confirmed(people, stand_in(people, "ingrid", "cfo", scope="All but vetoes"))
    assert (made.title, made.scope) == ("Acting CFO", "All but vetoes")
    assert holder_of("cfo", on=TOMORROW).person == people["ingrid"]
    assert appointments_of(people["cfo"], on=TOMORROW) == []
    back = TOMORROW + timedelta(days=30)
    assert holder_of("cfo", on=back).person == people["cfo"]
    assert mails("appointment-stood-in-for") == ["Priya Raman"]


def test_nobody_acts_for_themselves(people):
    refuses(SubDelegation, lambda: stand_in(people, "cfo", "cfo"), "nobody acts for themselves")
    Person.objects.filter(pk=people["nadia"].pk).update(same_person_as=people["cfo"])
    people["nadia"].refresh_from_db()
    refuses(SubDelegation, lambda: stand_in(people, "nadia", "cfo"))


def test_stand_in_becomes_holder_only_after_acting(people):
    stand_in(people, "ingrid", "ceo", instrument=BOARD)
    refuses(
        AppointmentClash,
        lambda: recorded(people, "ingrid", "ceo", starts_on=date(2026, 12, 1), instrument=BOARD),
        "nobody acts for themselves",
    )
    assert recorded(
        people, "ingrid", "ceo", starts_on=TOMORROW + timedelta(days=30), instrument=BOARD
    ).counts


def test_two_stand_ins_at_once_clash(people):
    confirmed(people, stand_in(people, "ingrid", "cfo"))
    refuses(
        AppointmentClash,
        lambda: stand_in(people, "nadia", "cfo", starts_on=date(2026, 12, 1)),
        "Ingrid Sole acts as CFO from 21 Nov 2026 to 20 Dec 2026",
    )


def _proposed(people, *, by="cro", person="nadia", office="cro"):
    return appointments.propose_stand_in(
        person=people[person],
        office_key=office,
        starts_on=TOMORROW,
        ends_on=TOMORROW + timedelta(days=10),
        instrument="Memo of the CRO",
        acting_user=people[by],
        at=NOW,
    )


def test_holder_proposes_who_stands_in(people):
    made = _proposed(people)
    assert made.acting
    assert not made.counts
    assert made.recorded_by_name == "Maya Lindqvist, CRO"
    assert last_event() == ("appointment.proposed", people["cro"].pk, "cro")
    assert mails("appointment-confirmation") == ["Helen Marsh"]
    assert holder_of("cro", on=TOMORROW).person == people["cro"]
    confirmed(people, made)
    assert holder_of("cro", on=TOMORROW).person == people["nadia"]


def test_only_for_the_own_office_and_not_oneself(people):
    refuses(NotYourOffice, lambda: _proposed(people, office="cfo"), "your own Office")
    refuses(
        OwnAppointment,
        lambda: _proposed(people, person="cro"),
        "Choose somebody else: you are the one who is stood in for",
    )


def test_the_ceo_acts_for_no_office_that_co_signs(people):
    says = "Helen Marsh is CEO in that time, and who is the CEO names another person Acting COO"
    refuses(InvalidAppointment, lambda: stand_in(people, "ceo", "coo"), says)
    refuses(InvalidAppointment, lambda: _proposed(people, person="ceo"), "is CEO in that time")
    # As well who becomes CEO while it waits, and an account linked with the CEO's.
    waits = stand_in(people, "nadia", "coo")
    Person.objects.filter(pk=people["nadia"].pk).update(same_person_as=people["ceo"])
    people["nadia"].refresh_from_db()
    waits = Appointment.objects.select_related("person").get(pk=waits.pk)
    with pytest.raises(InvalidAppointment, match="names another person Acting COO"):
        recording.plan_confirmation(waits, at=NOW)
    # To hold one is possible: the CEO then answers for it, and another is named Acting to sign.
    assert recorded(people, "ceo", "cro").pk


def test_a_stand_in_proposes_and_appoints_no_stand_in(people):
    confirmed(people, stand_in(people, "ingrid", "cro", starts_on=TODAY))
    refuses(SubDelegation, lambda: _proposed(people, by="ingrid"), "names no stand-in")
    # The holder cannot either while somebody stands in: they do not act.
    refuses(SomebodyActsForYou, lambda: _proposed(people))
    stand_in(people, "nadia", "corporate_secretary", starts_on=TODAY)
    refuses(
        SubDelegation,
        lambda: stand_in(people, "member", "coo", by="nadia"),
        "a stand-in appoints no stand-in",
    )
    # A holder, the Acting Secretary may record.
    assert recorded(people, "member", "revops_lead", by="nadia").counts


# --- Confirming -------------------------------------------------------------------------------


def test_unconfirmed_does_not_count(people, changed):
    former = of("coo")
    made = recorded(people, "nadia", "coo")
    former.refresh_from_db()
    assert former.ends_on is None
    assert (made.needs_confirmation, made.counts) == (True, False)
    assert appointments_of(people["nadia"], on=TOMORROW) == []
    assert holder_of("coo", on=TOMORROW).person == people["coo"]
    assert changed == []
    assert mails() == ["appointment-confirmation"]
    assert mails("appointment-confirmation") == ["Helen Marsh"]


def test_confirming_lets_it_count_and_ends_the_former(people, changed):
    former = of("coo")
    made = confirmed(people, recorded(people, "nadia", "coo"))
    former.refresh_from_db()
    assert former.ends_on == TOMORROW
    assert (made.confirmed_by, made.confirmed_at) == (people["ceo"], NOW)
    assert made.confirmed_by_name == "Helen Marsh, CEO"
    assert holder_of("coo", on=TOMORROW).person == people["nadia"]
    assert changed == [made.pk, former.pk]
    assert last_event() == ("appointment.confirmed", people["ceo"].pk, "ceo")
    assert mails()[1:] == [
        "appointment-counts",
        "appointment-succeeded",
        "appointment-confirmed",
    ]
    assert mails("appointment-confirmed") == ["Iris Novak"]


def test_confirmed_late_it_begins_that_day_and_the_past_stays(people):
    made = recorded(people, "nadia", "coo")
    late = datetime(2026, 11, 25, 15, tzinfo=UTC)
    confirmed(people, made, at=late)
    made.refresh_from_db()
    assert made.starts_on == date(2026, 11, 25)
    assert holder_of("coo", on=date(2026, 11, 24)).person == people["coo"]
    assert holder_of("coo", on=date(2026, 11, 25)).person == people["nadia"]


def test_confirmed_after_its_last_day_it_is_refused(people):
    made = stand_in(people, "nadia", "coo")
    late = datetime(2026, 12, 21, 15, tzinfo=UTC)
    refuses(InvalidAppointment, lambda: confirmed(people, made, at=late), "20 Dec 2026, is over")


def test_first_appointment_confirmed_late_keeps_its_past(people):
    absences.add_office(
        title="Chief Marketing Officer",
        short="CMO",
        co_signing=True,
        acting_user=people["corporate_secretary"],
        at=NOW,
    )
    made = confirmed(people, recorded(people, "nadia", "cmo", starts_on=date(2025, 3, 1)))
    assert made.starts_on == date(2025, 3, 1)


def test_appointee_does_not_confirm(people):
    made = recorded(people, "ceo", "coo")
    refuses(NotYoursToConfirm, lambda: confirmed(people, made), "Nobody confirms their own")
    refuses(
        NotYoursToConfirm,
        lambda: appointments.refuse(
            appointment=made, reason="No", acting_user=people["ceo"], at=NOW
        ),
    )


def test_linked_account_of_the_appointee_does_not_confirm(people):
    made = recorded(people, "nadia", "coo")
    Person.objects.filter(pk=people["nadia"].pk).update(same_person_as=people["ceo"])
    refuses(NotYoursToConfirm, lambda: confirmed(people, made))


def test_what_somebody_recorded_for_an_account_linked_since_is_not_confirmed(people):
    made = recorded(people, "nadia", "coo")
    Person.objects.filter(pk=people["nadia"].pk).update(
        same_person_as=people["corporate_secretary"]
    )
    refuses(OwnAppointment, lambda: confirmed(people, made), "the accounts are linked")
    # The way on: the CEO refuses it, and another records it.
    appointments.refuse(appointment=made, reason="Own", acting_user=people["ceo"], at=NOW)
    assert not Appointment.objects.unconfirmed().exists()


def test_recorder_does_not_confirm(people):
    made = recorded(people, "nadia", "coo")
    recorded(people, "ingrid", "corporate_secretary", starts_on=TODAY + timedelta(days=9))
    appointments.appoint(
        person=people["corporate_secretary"],
        office_key="ceo",
        starts_on=TODAY,
        ends_on=TODAY + timedelta(days=9),
        acting=True,
        instrument=BOARD,
        acting_user=None,
        at=NOW,
    )
    refuses(
        NotYoursToConfirm, lambda: confirmed(people, made, by="corporate_secretary"), "two people"
    )


def test_acting_ceo_confirms_while_the_ceo_cannot(people):
    made = recorded(people, "nadia", "coo")
    stand_in(people, "ingrid", "ceo", instrument=BOARD, starts_on=TODAY)
    refuses(SomebodyActsForYou, lambda: confirmed(people, made))
    assert confirmed(people, made, by="ingrid").confirmed_by_name == "Ingrid Sole, Acting CEO"


def test_confirmed_refused_or_taken_back_only_once(people):
    made = confirmed(people, recorded(people, "nadia", "coo"))
    message = refuses(NothingToConfirm, lambda: confirmed(people, made))
    assert "confirmed by Helen Marsh, CEO" in message
    again = stand_in(people, "ingrid", "cro")
    appointments.refuse(appointment=again, reason="No", acting_user=people["ceo"], at=NOW)
    message = refuses(NothingToConfirm, lambda: confirmed(people, again))
    assert "refused by Helen Marsh, CEO" in message
    refuses(
        NothingToConfirm,
        lambda: appointments.take_back(
            appointment=again, acting_user=people["corporate_secretary"], at=NOW
        ),
    )


def test_what_was_free_when_recorded_is_judged_again_when_confirmed(people):
    made = stand_in(people, "nadia", "cro")
    Person.objects.filter(pk=people["nadia"].pk).update(is_active=False)
    refuses(InvalidAppointment, lambda: confirmed(people, made), "account of Nadia Haddad")


def test_a_second_one_waits_for_the_first(people):
    recorded(people, "nadia", "coo")
    refuses(
        AppointmentClash,
        lambda: recorded(people, "ingrid", "coo", starts_on=date(2026, 12, 1)),
        "Nadia Haddad was recorded as COO from 21 Nov 2026 and waits",
    )


def test_refusing_says_why_and_it_never_counts(people, changed):
    made = recorded(people, "nadia", "coo")
    refuses(
        InvalidAppointment,
        lambda: appointments.refuse(
            appointment=made, reason=" ", acting_user=people["ceo"], at=NOW
        ),
    )
    appointments.refuse(
        appointment=made, reason="The board has not met.", acting_user=people["ceo"], at=NOW
    )
    made.refresh_from_db()
    assert (made.voided_as, made.void_reason) == ("refused", "The board has not met.")
    assert made.voided_by_name == "Helen Marsh, CEO"
    assert changed == []
    assert Event.objects.latest("sequence").event == "appointment.refused"
    assert "board" not in str(Event.objects.latest("sequence").data)
    assert mails("appointment-refused") == ["Iris Novak"]
    assert recorded(people, "nadia", "coo").pk  # the way is free again


def test_taking_back(people, changed):
    made = _proposed(people)
    appointments.take_back(appointment=made, acting_user=people["cro"], at=NOW)
    made.refresh_from_db()
    assert (made.voided_as, made.counts) == ("taken_back", False)
    assert last_event()[0] == "appointment.taken_back"
    assert changed == []


def test_what_counts_is_taken_back_before_it_begins(people, changed):
    made = recorded(people, "nadia", "revops_lead", starts_on=date(2027, 2, 1))
    changed.clear()

    def take_back(reason="She declined.", by="corporate_secretary", at=NOW):
        return appointments.take_back(
            appointment=made, reason=reason, acting_user=people[by], at=at
        )

    refuses(InvalidAppointment, lambda: take_back(reason=""), "Say why")
    refuses(NotYourOffice, lambda: take_back(by="ceo"))
    refuses(NothingToConfirm, lambda: take_back(at=datetime(2027, 2, 1, 15, tzinfo=UTC)))
    take_back()
    assert holder_of("revops_lead", on=date(2027, 2, 1)) is None  # what it ended stays ended
    assert changed == [made.pk]
    assert mails("appointment-taken-back") == ["Nadia Haddad"]


# --- Ending -----------------------------------------------------------------------------------


def _end(people, one, last_day, *, by="corporate_secretary", reason="Leaves", at=NOW):
    return appointments.end(
        appointment=one, last_day=last_day, reason=reason, acting_user=people[by], at=at
    )


def test_ending_gives_a_last_day_once(people, changed):
    one = of("coo")
    _end(people, one, date(2027, 1, 31), reason="Leaves the company")
    one.refresh_from_db()
    assert (one.ends_on, one.last_day) == (date(2027, 2, 1), date(2027, 1, 31))
    assert (one.end_reason, one.end_recorded_at) == ("Leaves the company", NOW)
    assert holder_of("coo", on=date(2027, 1, 31)).person == people["coo"]
    assert holder_of("coo", on=date(2027, 2, 1)) is None
    assert changed == [one.pk]
    assert last_event() == (
        "appointment.ended",
        people["corporate_secretary"].pk,
        "corporate_secretary",
    )
    # The CEO confirms no end, and hears of it.
    assert mails("appointment-ended") == ["Daniel Osei", "Helen Marsh"]
    for day in (date(2026, 12, 31), date(2027, 3, 31)):
        refuses(AlreadyEnded, lambda day=day: _end(people, one, day), "31 Jan 2027")


def test_stand_in_ends_earlier_than_recorded_once_and_at_once(people):
    one = confirmed(people, stand_in(people, "ingrid", "cfo", starts_on=TODAY))
    later = NOW + timedelta(days=3)
    refuses(AlreadyEnded, lambda: _end(people, one, date(2027, 1, 31), at=later))
    _end(people, one, date(2026, 11, 22), at=later)  # yesterday: it ends at once
    assert holder_of("cfo", on=date(2026, 11, 23)).person == people["cfo"]
    assert holder_of("cfo", on=date(2026, 11, 22)).person == people["ingrid"]
    assert mails("appointment-acts-again") == ["Priya Raman"]
    refuses(AlreadyEnded, lambda: _end(people, one, date(2026, 11, 22), at=later))


@pytest.mark.parametrize(
    ("last_day", "reason", "says"),
    [
        (date(2026, 11, 18), "Leaves", "ends yesterday at the earliest, 19 Nov 2026"),
        (TODAY, " ", "Say why it ends"),
    ],
)
def test_ends_that_cannot_be(people, last_day, reason, says):
    refuses(InvalidAppointment, lambda: _end(people, of("coo"), last_day, reason=reason), says)


def test_what_has_not_begun_is_taken_back_rather_than_ended(people):
    made = recorded(people, "nadia", "revops_lead", starts_on=date(2026, 12, 1))
    refuses(InvalidAppointment, lambda: _end(people, made, TODAY), "Take it back")
    today = recorded(people, "nadia", "auditor", starts_on=TODAY)
    refuses(
        InvalidAppointment, lambda: _end(people, today, TODAY - timedelta(days=1)), "began today"
    )


def test_what_does_not_count_has_no_end(people):
    waiting = recorded(people, "nadia", "coo")
    refuses(AlreadyEnded, lambda: _end(people, waiting, TOMORROW))


def test_somebody_may_end_their_own(people):
    _end(people, of("corporate_secretary"), TODAY)
    assert holder_of("corporate_secretary", on=TOMORROW) is None


def test_somebody_stays_who_can_record(people):
    _end(people, of("administrator"), TODAY)
    refuses(
        InvalidAppointment,
        lambda: _end(people, of("corporate_secretary"), TODAY),
        "nobody could record appointments any more",
    )


@pytest.fixture
def signed_today(people, monkeypatch):
    """The COO signed this morning and yesterday evening; nobody else did."""
    coo = of("coo")
    times = [NOW, NOW - timedelta(hours=20)]
    monkeypatch.setattr("people.registry._acts", [lambda one: times if one.pk == coo.pk else []])
    return coo


def test_no_last_day_before_a_signature(people, signed_today):
    words = refuses(InvalidAppointment, lambda: _end(people, signed_today, TODAY - timedelta(1)))
    assert words == (
        "Daniel Osei signed as COO on 20 Nov 2026: the last day is 20 Nov 2026 at the earliest."
    )
    _end(people, signed_today, TODAY)
    assert holder_of("coo", on=TODAY).person == people["coo"]


def test_no_successor_from_the_day_of_a_signature(people, signed_today):
    says = "signed as COO on 20 Nov 2026: a successor begins on 21 Nov 2026 at the earliest"
    refuses(AppointmentClash, lambda: recorded(people, "nadia", "coo", starts_on=TODAY), says)
    assert confirmed(people, recorded(people, "nadia", "coo", starts_on=TOMORROW)).counts


def test_what_was_signed_while_a_successor_waited_puts_the_confirmation_off(people, monkeypatch):
    waits = recorded(people, "nadia", "coo", starts_on=TODAY)
    monkeypatch.setattr(
        "people.registry._acts", [lambda one: [NOW] if one.person == people["coo"] else []]
    )
    refuses(AppointmentClash, lambda: confirmed(people, waits), "begins on 21 Nov 2026")
    made = confirmed(people, waits, at=NOW + timedelta(days=1))
    assert made.starts_on == TOMORROW


def test_correction_names_the_signatures_that_rest_on_the_record(people, signed_today):
    planned, _by = _planned_correction(people, signed_today, ends_on=date(2026, 3, 1))
    found = [one.text for one in effects_of(planned)]
    assert (
        "2 signatures of 19 Nov 2026 to 20 Nov 2026 rest on this record; they stay, and the record "
        "stays readable"
    ) in found


# --- Correcting -------------------------------------------------------------------------------


def _correct(people, one, *, by="corporate_secretary", at=NOW, **changes):
    said = {
        "person": one.person,
        "starts_on": one.starts_on,
        "ends_on": one.ends_on,
        "instrument": one.instrument,
        "scope": one.scope,
        "reason": "The letter says otherwise.",
    } | changes
    return appointments.correct(appointment=one, **said, acting_user=people[by], at=at)


def test_correcting_strikes_the_wrong_record_and_says_what_is_right(people, changed):
    wrong = of("revops_lead")
    right = _correct(people, wrong, person=people["nadia"], starts_on=date(2026, 3, 1))
    wrong.refresh_from_db()
    assert (wrong.voided_as, wrong.void_reason) == ("corrected", "The letter says otherwise.")
    assert (wrong.starts_on, wrong.ends_on) == (date(2026, 1, 1), None)  # not edited
    assert (right.corrects, right.correction_reason) == (wrong, "The letter says otherwise.")
    assert holder_of("revops_lead", on=date(2026, 2, 1)) is None
    assert holder_of("revops_lead", on=date(2026, 3, 1)).person == people["nadia"]
    assert changed == [right.pk, wrong.pk]
    event = Event.objects.latest("sequence")
    assert (event.event, event.data["corrects"]) == ("appointment.corrected", wrong.pk)
    assert event.personal_commitment
    assert mails() == ["appointment-counts", "appointment-corrected"]


def test_correction_of_a_co_signing_office_waits_and_the_wrong_one_stands_till_then(people):
    wrong = of("coo")
    right = _correct(people, wrong, person=people["nadia"], starts_on=date(2026, 3, 1))
    wrong.refresh_from_db()
    assert wrong.counts
    assert holder_of("coo", on=TODAY).person == people["coo"]
    confirmed(people, right)
    wrong.refresh_from_db()
    right.refresh_from_db()
    assert (wrong.voided_as, wrong.void_reason) == ("corrected", "The letter says otherwise.")
    assert right.starts_on == date(2026, 3, 1)  # the past is what it corrects
    assert holder_of("coo", on=date(2026, 3, 1)).person == people["nadia"]


def _planned_correction(people, wrong, **changes):
    said = {"person": wrong.person, "starts_on": wrong.starts_on, "ends_on": None} | changes
    return appointments.plan_correction(
        appointment=wrong,
        **said,
        reason="The letter says otherwise.",
        acting_user=people["corporate_secretary"],
        at=NOW,
    )


@pytest.mark.parametrize(
    ("changes", "gaps"),
    [
        ({"ends_on": TOMORROW}, ["From 21 Nov 2026 the COO is vacant"]),
        ({"starts_on": TODAY}, ["From 1 Jan 2026 to 19 Nov 2026 the COO is vacant"]),
        (
            {"starts_on": date(2026, 3, 1), "ends_on": TODAY},
            [
                "From 1 Jan 2026 to 28 Feb 2026 the COO is vacant",
                "From 20 Nov 2026 the COO is vacant",
            ],
        ),
        ({"starts_on": date(2025, 3, 1)}, []),
    ],
)
def test_correction_says_when_the_office_becomes_vacant(people, changes, gaps):
    planned, _by = _planned_correction(people, of("coo"), **changes)
    found = [one.text for one in effects_of(planned)]
    assert [one for one in found if "vacant" in one] == gaps


def test_gap_that_others_fill_is_none(people):
    wrong = of("revops_lead")
    recorded(people, "nadia", "revops_lead", starts_on=date(2026, 12, 1))
    wrong.refresh_from_db()
    planned, _by = _planned_correction(people, wrong, ends_on=TODAY)
    found = [one.text for one in effects_of(planned)]
    assert "From 20 Nov 2026 to 30 Nov 2026 the RevOps Lead is vacant" in found


def test_correction_says_whose_reason_it_is(people):
    planned, _by = _planned_correction(people, of("coo"), person=people["nadia"])
    assert "with your reason" in effects_of(planned)[0].note
    assert "with Iris Novak’s reason" in effects_of(planned, whose_reason="Iris Novak’s")[0].note


def test_refused_correction_leaves_the_record(people):
    wrong = of("coo")
    right = _correct(people, wrong, person=people["nadia"])
    appointments.refuse(appointment=right, reason="No", acting_user=people["ceo"], at=NOW)
    wrong.refresh_from_db()
    assert wrong.counts
    assert _correct(people, wrong, person=people["ingrid"]).pk


def test_corrections_that_cannot_be(people):
    wrong = of("revops_lead")
    refuses(InvalidAppointment, lambda: _correct(people, wrong), "on record already")
    refuses(
        InvalidAppointment,
        lambda: _correct(people, wrong, person=people["nadia"], reason=" "),
        "what was wrong",
    )
    waiting = recorded(people, "nadia", "coo")
    refuses(
        InvalidAppointment,
        lambda: _correct(people, waiting, starts_on=TODAY),
        "Only what counts",
    )
    ceo = of("ceo")
    refuses(
        InvalidAppointment,
        lambda: _correct(people, ceo, starts_on=date(2026, 2, 1)),
        "board’s decision",
    )


def test_correction_does_not_end_others(people):
    former = of("revops_lead")
    second = recorded(people, "nadia", "revops_lead", starts_on=date(2026, 12, 1))
    later = datetime(2026, 12, 10, 15, tzinfo=UTC)
    refuses(
        AppointmentClash,
        lambda: _correct(people, second, starts_on=date(2026, 11, 25), at=later),
        "Tomas Vega holds the Office of the RevOps Lead",
    )
    _correct(people, former, ends_on=date(2026, 11, 25), at=later)
    assert _correct(people, second, starts_on=date(2026, 11, 25), at=later).counts


def test_a_waiting_correction_is_overtaken_by_another(people):
    wrong = of("coo")
    right = _correct(people, wrong, person=people["nadia"], ends_on=date(2026, 3, 1))
    Appointment.objects.filter(pk=wrong.pk).update(
        voided_as="corrected", voided_at=NOW, voided_by_name="x"
    )
    refuses(InvalidAppointment, lambda: confirmed(people, right), "corrected already")


# --- What it does, said before ----------------------------------------------------------------


def _effects(people, person, office, **more):
    planned, _by = appointments.plan_record(
        person=people[person],
        office=Office.objects.get(key=office),
        **{"starts_on": TOMORROW, **more},
        acting_user=people["corporate_secretary"],
        at=NOW,
    )
    return [(one.text, one.note) for one in effects_of(planned)]


def test_effects_name_the_former_and_the_first_day(people):
    found = dict(_effects(people, "nadia", "coo"))
    assert "Daniel Osei’s appointment ends on 20 Nov 2026" in found
    assert "From 21 Nov 2026 the COO is Nadia Haddad" in found


def test_effects_of_a_stand_in_name_who_cannot_act(people):
    acting = {"acting": True, "ends_on": date(2026, 12, 21), "instrument": "Memo"}
    found = dict(_effects(people, "ingrid", "cfo", **acting))
    assert "From 21 Nov 2026 to 20 Dec 2026 Ingrid Sole acts as CFO" in found
    assert "Priya Raman cannot act as CFO until 21 Dec 2026" in found


def test_cro_as_acting_ceo_is_recorded_with_a_warning(people):
    acting = {"acting": True, "ends_on": date(2026, 12, 21), "instrument": BOARD}
    found = dict(_effects(people, "cro", "ceo", **acting))
    assert found["Maya Lindqvist is CRO as well"] == (
        "While Maya Lindqvist is Acting CEO, somebody else must be named Acting CRO to sign"
    )
    assert stand_in(people, "cro", "ceo", instrument=BOARD).counts


def test_ceo_as_coo_is_recorded_with_a_warning(people):
    found = dict(_effects(people, "ceo", "coo"))
    note = found["Helen Marsh is CEO as well, and the CEO co-signs nothing"]
    assert note == "Somebody else must be named Acting COO to sign"


def test_linked_account_with_another_co_signing_office_is_warned_of(people):
    Person.objects.filter(pk=people["nadia"].pk).update(same_person_as=people["cro"])
    people["nadia"].refresh_from_db()
    found = dict(_effects(people, "nadia", "coo"))
    assert "Nadia Haddad is CRO as well and signs once for both" in found


def test_successor_while_somebody_acts_is_told_who_acts_until_when(people):
    stand_in(people, "ingrid", "revops_lead")
    found = dict(_effects(people, "nadia", "revops_lead", starts_on=date(2026, 12, 1)))
    assert "Ingrid Sole acts as RevOps Lead to 20 Dec 2026" in found


# --- Reminders --------------------------------------------------------------------------------


def remind(*, on):
    appointment_mails.remind(at=datetime.combine(on, NOW.timetz()))


def test_ceo_is_asked_again_after_two_and_five_business_days(people):
    recorded(people, "nadia", "coo", starts_on=date(2027, 2, 1))
    counts = {}
    # Friday the 20th; the 26th is Thanksgiving, so the fifth business day is the 30th.
    for day in (20, 21, 23, 24, 25, 27, 30):
        on = date(2026, 11, day)
        remind(on=on)
        remind(on=on)
        counts[day] = len(mails("appointment-confirmation"))
    assert counts == {20: 1, 21: 1, 23: 1, 24: 2, 25: 2, 27: 2, 30: 3}
    appointments.confirm(appointment=of("coo"), acting_user=people["ceo"], at=NOW)
    remind(on=date(2026, 12, 20))
    assert len(mails("appointment-confirmation")) == 3


def test_ceo_who_comes_later_is_asked_then(people):
    Appointment.objects.filter(office__key="ceo").update(ends_on=TODAY)
    recorded(people, "nadia", "coo")
    assert mails("appointment-confirmation") == []
    recorded(people, "ingrid", "ceo", starts_on=TODAY, instrument=BOARD)
    remind(on=TODAY)
    assert mails("appointment-confirmation") == ["Ingrid Sole"]


def test_last_day_without_a_successor_is_warned_of_ten_business_days_before(people):
    _end(people, of("coo"), date(2026, 12, 31))
    remind(on=date(2026, 12, 15))
    assert mails("appointment-ends") == []
    remind(on=date(2026, 12, 16))  # Christmas is in between
    remind(on=date(2026, 12, 17))
    assert sorted(mails("appointment-ends")) == ["Helen Marsh", "Iris Novak"]


def test_last_day_with_a_successor_is_not_warned_of(people):
    recorded(people, "nadia", "revops_lead", starts_on=date(2026, 12, 1))
    remind(on=date(2026, 11, 30))
    assert mails("appointment-ends") == []


def test_administrator_is_warned_where_there_is_no_secretary(people):
    _end(people, of("coo"), date(2026, 11, 30))
    _end(people, of("corporate_secretary"), TODAY)
    remind(on=date(2026, 11, 23))
    assert sorted(mails("appointment-ends")) == ["Helen Marsh", "Joan Petit"]


def test_stand_in_s_last_day_is_warned_of_three_business_days_before(people):
    confirmed(people, stand_in(people, "ingrid", "cfo", ends_on=date(2026, 12, 19)))
    remind(on=date(2026, 12, 14))
    assert mails("appointment-ends") == []
    remind(on=date(2026, 12, 15))
    assert sorted(mails("appointment-ends")) == ["Helen Marsh", "Iris Novak"]


def test_the_worker_is_asked_hourly(people, settings):
    recorded(people, "nadia", "coo", starts_on=date(2027, 2, 1))
    beat = settings.CELERY_BEAT_SCHEDULE["appointment-reminders"]
    assert (beat["task"], beat["schedule"]) == (tasks.remind_of_appointments.name, 3600.0)
    with time_machine.travel(datetime(2026, 11, 24, 15, tzinfo=UTC), tick=False):
        tasks.remind_of_appointments()
    assert mails("appointment-confirmation") == ["Helen Marsh", "Helen Marsh"]


# --- Small things -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 11, 20), 12, date(2027, 11, 20)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
    ],
)
def test_months_after(day, months, expected):
    assert months_after(day, months) == expected


def test_set_up_is_not_for_people(people):
    with pytest.raises(InvalidAppointment, match="sets up a company"):
        appointments.appoint(
            person=people["nadia"],
            office_key="auditor",
            starts_on=TODAY,
            acting_user=people["ceo"],
            at=NOW,
        )
