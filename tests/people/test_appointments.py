"""Offices and who holds them from when until when."""

from datetime import UTC, date, datetime

import pytest
from django.db import IntegrityError, transaction

from audit.models import Event
from notifications.models import OutgoingMail
from people import appointments
from people.appointments import appoint, establish_standard_offices
from people.errors import AppointmentClash, InvalidAppointment, NothingToConfirm
from people.models import Appointment, Office, Person
from people.offices import STANDARD_OFFICES, office_short, office_title
from people.queries import appointments_of, holder_of, is_appointed, who_acts_for
from people.signals import appointment_changed
from tests.boundaries.races.together import at_once, refusals
from tests.people.factories import PersonFactory
from tests.people.offices import BOARD, NOW, TODAY, TOMORROW, everyone

AT = datetime(2026, 11, 20, 15, tzinfo=UTC)


def appointed(person, office, starts_on, ends_on=None, *, acting=False):
    return appoint(
        person=person,
        office_key=office,
        starts_on=starts_on,
        ends_on=ends_on,
        acting=acting,
        instrument="Memo" if acting else "",
        acting_user=None,
        at=AT,
    )


def test_standard_offices_are_there(company):
    assert list(Office.objects.values_list("key", flat=True)) == [
        one.key for one in STANDARD_OFFICES
    ]
    assert set(Office.objects.filter(co_signing=True).values_list("key", flat=True)) == {
        "cro",
        "coo",
        "cfo",
    }


def test_establishing_again_leaves_what_the_company_changed(company):
    Office.objects.filter(key="cro").update(title="Chief Growth Officer")
    establish_standard_offices()
    assert Office.objects.get(key="cro").title == "Chief Growth Officer"
    assert Office.objects.count() == len(STANDARD_OFFICES)


def test_appointment_of_a_set_up_counts_at_once_and_is_logged(company):
    person, heard = PersonFactory(), []

    def hear(appointment, at, **_):
        heard.append(appointment)

    appointment_changed.connect(hear)
    made = appoint(
        person=person, office_key="cro", starts_on=date(2026, 1, 1), acting_user=None, at=AT
    )
    assert (made.title, made.recorded_by, made.recorded_at) == ("CRO", None, AT)
    assert (made.needs_confirmation, made.counts) == (False, True)
    assert heard == [made]
    assert not OutgoingMail.objects.exists()
    event = Event.objects.latest("sequence")
    assert (event.event, event.actor_id) == ("appointment.recorded", None)
    assert event.data == {
        "person_id": person.pk,
        "office": "cro",
        "starts_on": "2026-01-01",
        "ends_on": None,
        "acting": False,
    }


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "clashes"),
    [
        (date(2026, 1, 1), date(2026, 3, 1), False),  # ends as the other begins
        (date(2026, 1, 1), date(2026, 3, 2), True),
        (date(2026, 4, 1), date(2026, 5, 1), True),  # within
        (date(2026, 1, 1), None, True),  # around
        (date(2026, 5, 31), date(2026, 7, 1), True),
        (date(2026, 6, 1), None, False),  # begins as the other ends
    ],
)
def test_two_holders_on_one_day_clash(company, starts_on, ends_on, clashes):
    appointed(PersonFactory(name="First Holder"), "cro", date(2026, 3, 1), date(2026, 6, 1))
    second, events = PersonFactory(), Event.objects.count()
    if clashes:
        with pytest.raises(AppointmentClash, match="First Holder holds the Office of the CRO"):
            appointed(second, "cro", starts_on, ends_on)
        assert Appointment.objects.count() == 1
        assert Event.objects.count() == events
    else:
        assert appointed(second, "cro", starts_on, ends_on).pk


def test_open_ended_holder_clashes_with_every_later_one(company):
    appointed(PersonFactory(), "cro", date(2026, 1, 1))
    with pytest.raises(AppointmentClash):
        appointed(PersonFactory(), "cro", date(2030, 1, 1))


def test_database_refuses_a_second_open_ended_holder(company):
    first = appointed(PersonFactory(), "cro", date(2026, 1, 1))
    with pytest.raises(IntegrityError), transaction.atomic():
        Appointment.objects.create(
            person=PersonFactory(), office=first.office, starts_on=date(2027, 1, 1)
        )


def test_auditors_may_be_several(company):
    for _ in range(2):
        appointed(PersonFactory(), "auditor", date(2026, 1, 1))
    assert Appointment.objects.filter(office__key="auditor").count() == 2


def test_acting_appointment_runs_beside_the_holders(company):
    holder, stand_in = PersonFactory(), PersonFactory()
    appointed(holder, "cro", date(2026, 1, 1))
    made = appointed(stand_in, "cro", date(2026, 3, 1), date(2026, 4, 1), acting=True)
    assert made.title == "Acting CRO"
    assert str(made) == f"{stand_in.name}, Acting CRO"
    with pytest.raises(AppointmentClash):
        appointed(PersonFactory(), "cro", date(2026, 3, 15), date(2026, 5, 1), acting=True)


@pytest.mark.parametrize("wrong", [{"ends_on": None}, {"instrument": ""}])
def test_acting_appointment_is_bounded_and_written(company, wrong):
    given = {"ends_on": date(2026, 4, 1), "instrument": "Memo", **wrong}
    with pytest.raises(InvalidAppointment):
        appoint(
            person=PersonFactory(),
            office_key="cro",
            starts_on=date(2026, 3, 1),
            acting=True,
            acting_user=None,
            at=AT,
            **given,
        )


@pytest.mark.parametrize("ends_on", [date(2026, 3, 1), date(2026, 2, 28)])
def test_appointment_ends_after_it_starts(company, ends_on):
    with pytest.raises(InvalidAppointment):
        appointed(PersonFactory(), "cro", date(2026, 3, 1), ends_on)


def test_the_database_refuses_such_appointments_as_well(company):
    cro = Office.objects.get(key="cro")
    for wrong in ({"acting": True}, {"ends_on": date(2026, 3, 1)}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Appointment.objects.create(
                person=PersonFactory(), office=cro, starts_on=date(2026, 3, 1), **wrong
            )


def test_who_acts_on_which_day(company):
    holder, stand_in, successor = (PersonFactory(name=name) for name in ("H", "S", "N"))
    appointed(holder, "cro", date(2026, 1, 1), date(2026, 6, 1))
    appointed(stand_in, "cro", date(2026, 3, 1), date(2026, 4, 1), acting=True)
    appointed(successor, "cro", date(2026, 6, 1))
    days = {
        date(2025, 12, 31): None,
        date(2026, 1, 1): holder,
        date(2026, 2, 28): holder,
        date(2026, 3, 1): stand_in,
        date(2026, 3, 31): stand_in,
        date(2026, 4, 1): holder,
        date(2026, 5, 31): holder,
        date(2026, 6, 1): successor,
    }
    for day, expected in days.items():
        found = holder_of("cro", on=day)
        assert (found.person if found else None) == expected, day
        for person in (holder, stand_in, successor):
            assert bool(appointments_of(person, on=day)) == (person == expected), day
    assert is_appointed(holder, "cro", on=date(2026, 3, 15))  # though somebody acts for them
    assert not is_appointed(successor, "cro", on=date(2026, 3, 15))


def test_office_of_a_deactivated_person_is_vacant(company):
    person = PersonFactory()
    appointed(person, "cro", date(2026, 1, 1))
    Person.objects.filter(pk=person.pk).update(is_active=False)
    assert holder_of("cro", on=date(2026, 2, 1)) is None


def test_who_acts_for_takes_one_query(executives, django_assert_num_queries):
    with django_assert_num_queries(1):
        found = who_acts_for(["cro", "coo", "cfo", "auditor"], on=date(2026, 2, 1))
    assert set(found) == {"cro", "coo", "cfo"}


def test_office_not_established_says_why_and_who(company):
    with pytest.raises(IntegrityError), transaction.atomic():
        Office.objects.filter(key="coo").update(established=False)


@pytest.mark.parametrize(
    ("key", "short", "title"),
    [
        ("cro", "CRO", "Chief Revenue Officer"),
        ("revops_lead", "RevOps Lead", "RevOps Lead"),
        ("cmo", "CMO", "Chief Marketing Officer"),
        ("hybrid", "Hybrid", "Hybrid"),
        ("", "Unassigned", "Unassigned"),
        ("cpo", "CPO", "CPO"),
        ("head_of_data", "Head Of Data", "Head Of Data"),
    ],
)
def test_office_words(db, key, short, title):
    assert (office_short(key), office_title(key)) == (short, title)


def test_history_is_never_rewritten_by_whatever_code(company):
    made = appointed(PersonFactory(), "cro", date(2026, 1, 1))
    other = PersonFactory()
    rows = Appointment.objects.filter(pk=made.pk)
    for change in ({"person": other}, {"starts_on": date(2025, 1, 1)}, {"acting": True}):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        rows._raw_delete("default")
    rows.update(ends_on=date(2026, 6, 1))  # its end, once
    for wrong in (date(2026, 12, 1), date(2026, 5, 1), None):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(ends_on=wrong)


def test_a_known_end_comes_forward_once_and_says_who_recorded_that(company):
    made = appointed(PersonFactory(), "cro", date(2026, 1, 1), date(2026, 12, 1))
    rows = Appointment.objects.filter(pk=made.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.update(ends_on=date(2027, 1, 1), end_recorded_at=AT)
    rows.update(ends_on=date(2026, 6, 1), end_recorded_at=AT)
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.update(ends_on=date(2026, 5, 1))


def test_the_first_day_moves_only_later_and_only_with_the_confirmation(company):
    waiting = Appointment.objects.create(
        person=PersonFactory(),
        office=Office.objects.get(key="cro"),
        starts_on=date(2026, 3, 1),
        needs_confirmation=True,
    )
    rows = Appointment.objects.filter(pk=waiting.pk)
    for wrong in (
        {"starts_on": date(2026, 4, 1)},
        {"starts_on": date(2026, 2, 1), "confirmed_at": AT},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**wrong)
    rows.update(starts_on=date(2026, 4, 1), confirmed_at=AT)
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.update(starts_on=date(2026, 5, 1))


@pytest.mark.parametrize("acting", [False, True])
def test_no_code_records_two_holders_of_one_day(company, acting):
    cro = Office.objects.get(key="cro")
    first = {"office": cro, "acting": acting, "instrument": "Memo"}
    Appointment.objects.create(
        **first, person=PersonFactory(), starts_on=date(2026, 1, 1), ends_on=date(2026, 3, 1)
    )
    overlapping = [
        Appointment(
            **first, person=PersonFactory(), starts_on=date(2026, 2, 28), ends_on=date(2026, 5, 1)
        )
    ]
    with pytest.raises(IntegrityError), transaction.atomic():
        Appointment.objects.bulk_create(overlapping)
    with pytest.raises(IntegrityError), transaction.atomic():
        overlapping[0].save()
    later = Appointment.objects.create(
        **first, person=PersonFactory(), starts_on=date(2026, 3, 1), ends_on=date(2026, 4, 1)
    )
    # Nor by confirming, or by taking a voiding back.
    waiting = Appointment.objects.create(
        **first,
        person=PersonFactory(),
        starts_on=date(2026, 3, 15),
        ends_on=date(2026, 3, 20),
        needs_confirmation=True,
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        Appointment.objects.filter(pk=waiting.pk).update(confirmed_at=AT)
    Appointment.objects.filter(pk=later.pk).update(voided_as="corrected", voided_at=AT)
    Appointment.objects.filter(pk=waiting.pk).update(confirmed_at=AT)
    with pytest.raises(IntegrityError), transaction.atomic():
        Appointment.objects.filter(pk=later.pk).update(voided_as="", voided_at=None)


# --- At once ----------------------------------------------------------------------------------


@pytest.fixture
def people(transactional_db, company):
    """Committed: threads have connections of their own."""
    return everyone()


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_rows_written_at_once_do_not_overlap(people):
    """Each thread's trigger sees only what is committed: PostgreSQL's constraint sees both."""
    office = Office.objects.get(key="cro")
    Appointment.objects.filter(office=office).update(ends_on=TODAY)

    def write(name):
        def act():
            with transaction.atomic():
                return Appointment.objects.create(
                    person=people[name], office=office, starts_on=TOMORROW
                )

        return act

    outcomes = at_once(write("nadia"), write("ingrid"), write("member"))
    assert refusals(outcomes) == [IntegrityError, IntegrityError]
    assert Appointment.objects.counting().filter(office=office, starts_on=TOMORROW).count() == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_successors_recorded_at_once(people):
    def record(name):
        return lambda: appointments.record(
            person=people[name],
            office_key="revops_lead",
            starts_on=TOMORROW,
            acting_user=people["corporate_secretary"],
            at=NOW,
        )

    outcomes = at_once(record("nadia"), record("ingrid"))
    assert refusals(outcomes) == [AppointmentClash]
    assert Event.objects.filter(event="appointment.recorded", actor_id__isnull=False).count() == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_confirmed_and_refused_at_once(people):
    waiting = appointments.record(
        person=people["nadia"],
        office_key="coo",
        starts_on=TOMORROW,
        instrument=BOARD,
        acting_user=people["corporate_secretary"],
        at=NOW,
    )
    by = {"acting_user": people["ceo"], "at": NOW}
    outcomes = at_once(
        lambda: appointments.confirm(appointment=waiting, **by),
        lambda: appointments.refuse(appointment=waiting, reason="No", **by),
    )
    assert refusals(outcomes) == [NothingToConfirm]
    waiting.refresh_from_db()
    assert bool(waiting.confirmed_at) != bool(waiting.voided_at)
