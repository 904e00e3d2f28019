"""Offices that a company adds, does without, and has again."""

from datetime import date, timedelta

import pytest

from audit.models import Event
from people import absences, appointments
from people.errors import OfficeExists, OfficeNotEstablished, OfficeStays
from people.models import Appointment, Office, OfficeAbsence
from people.offices import office_short, office_title
from tests.people.offices import (
    NOW,
    TODAY,
    TOMORROW,
    everyone,
    everything,
    last_event,
    of,
    recorded,
    stand_in,
)


@pytest.fixture
def people(company):
    return everyone()


def office(key):
    return Office.objects.get(key=key)


def add(people, title="Chief Marketing Officer", short="CMO", *, co_signing=True):
    return absences.add_office(
        title=title,
        short=short,
        co_signing=co_signing,
        acting_user=people["corporate_secretary"],
        at=NOW,
    )


def do_without(people, key, part_goes_to, *, reason="Too small for one.", at=NOW):
    return absences.not_established(
        office=office(key),
        part_goes_to=office(part_goes_to),
        reason=reason,
        acting_user=people["corporate_secretary"],
        at=at,
    )


def establish(people, key, *, at=NOW):
    return absences.establish(office=office(key), acting_user=people["corporate_secretary"], at=at)


def emptied(key):
    """The Office's holder is gone since yesterday."""
    Appointment.objects.filter(office__key=key).update(ends_on=TODAY)


def refuses(error, act, match):
    before = everything()
    with pytest.raises(error, match=match):
        act()
    assert everything() == before


# --- Not established --------------------------------------------------------------------------


def test_office_is_declared_not_established(people):
    emptied("coo")
    absence = do_without(people, "coo", "cfo", reason="We are forty people.")
    coo = office("coo")
    assert (coo.established, coo.part_goes_to.key) == (False, "cfo")
    assert coo.not_established_reason == "We are forty people."
    assert (absence.starts_on, absence.ends_on) == (TODAY, None)
    assert (absence.part_goes_to.key, absence.reason) == ("cfo", "We are forty people.")
    assert absence.recorded_by_name == "Iris Novak"
    assert last_event() == (
        "office.not_established",
        people["corporate_secretary"].pk,
        "corporate_secretary",
    )
    event = Event.objects.latest("sequence")
    assert event.data == {"office": "coo", "part_goes_to": "cfo"}
    assert event.personal_commitment


@pytest.mark.parametrize("key", ["ceo", "corporate_secretary", "administrator"])
def test_a_registry_needs_some_offices(people, key):
    refuses(OfficeStays, lambda: do_without(people, key, "cfo"), "A registry needs a")


def test_held_office_stays(people):
    refuses(
        OfficeStays,
        lambda: do_without(people, "coo", "cfo"),
        "Daniel Osei is recorded as COO. End that appointment first",
    )


@pytest.mark.parametrize("kind", ["waiting", "later", "last day"])
def test_office_with_somebody_to_come_stays(people, kind):
    emptied("revops_lead" if kind != "waiting" else "coo")
    if kind == "waiting":
        stand_in(people, "nadia", "coo")
        refuses(OfficeStays, lambda: do_without(people, "coo", "cfo"), "Nadia Haddad is recorded")
    elif kind == "later":
        recorded(people, "nadia", "revops_lead", starts_on=date(2027, 1, 1))
        refuses(OfficeStays, lambda: do_without(people, "revops_lead", "cro"), "Nadia Haddad")
    else:
        appointments.end(
            appointment=of("auditor"),
            last_day=TODAY,
            reason="Leaves",
            acting_user=people["corporate_secretary"],
            at=NOW,
        )
        refuses(OfficeStays, lambda: do_without(people, "auditor", "cfo"), "Samuel Adeyemi")
        assert do_without(people, "auditor", "cfo", at=NOW + timedelta(days=1)).pk


def test_two_co_signing_offices_stay(people):
    for key in ("cro", "coo", "cfo"):
        emptied(key)
    do_without(people, "coo", "cfo")
    refuses(OfficeStays, lambda: do_without(people, "cro", "cfo"), "at least two co-signing")


@pytest.mark.parametrize("to", ["coo", "ceo", "revops_lead", "auditor", "cmo"])
def test_part_goes_to_an_office_that_can_take_it(people, to):
    emptied("coo")
    add(people)
    if to == "cmo":
        do_without(people, "cmo", "cro")
    refuses(OfficeStays, lambda: do_without(people, "coo", to), "that co-signs")


def test_part_of_an_office_that_does_not_co_sign_goes_to_any_that_owns(people):
    emptied("revops_lead")
    refuses(OfficeStays, lambda: do_without(people, "revops_lead", "auditor"), "owns functions")
    assert do_without(people, "revops_lead", "ceo").pk


def test_parts_are_not_passed_on_and_on(people):
    add(people)
    do_without(people, "cmo", "coo")
    emptied("coo")
    refuses(
        OfficeStays,
        lambda: do_without(people, "coo", "cfo"),
        "The CMO’s part goes to the COO. Give it to another Office first",
    )


def test_reason_is_needed_and_once_is_enough(people):
    emptied("coo")
    refuses(OfficeStays, lambda: do_without(people, "coo", "cfo", reason=" "), "Say why")
    do_without(people, "coo", "cfo")
    refuses(OfficeNotEstablished, lambda: do_without(people, "coo", "cro"), "has no COO")


def test_who_waits_for_the_office_is_refused_or_taken_back_first(people):
    emptied("coo")
    recorded(people, "nadia", "coo")
    refuses(
        OfficeStays,
        lambda: do_without(people, "coo", "cfo"),
        "Nadia Haddad is recorded as COO. Have that one taken back or refused first",
    )


def test_who_began_today_is_ended_today_and_the_office_goes_tomorrow(people):
    recorded(people, "nadia", "revops_lead", starts_on=TODAY)
    refuses(
        OfficeStays,
        lambda: do_without(people, "revops_lead", "cfo"),
        "It began today: end it with today as its last day, and come back on 21 Nov 2026",
    )


# --- Established again ------------------------------------------------------------------------


def test_office_is_established_again_and_the_absence_stays_on_record(people):
    emptied("coo")
    do_without(people, "coo", "cfo")
    establish(people, "coo", at=NOW + timedelta(days=10))
    coo = office("coo")
    assert (coo.established, coo.part_goes_to, coo.not_established_reason) == (True, None, "")
    absence = OfficeAbsence.objects.get()
    assert (absence.starts_on, absence.ends_on) == (TODAY, TODAY + timedelta(days=10))
    assert absence.reason == "Too small for one."
    assert last_event()[0] == "office.established"
    refuses(OfficeNotEstablished, lambda: establish(people, "coo"), "established already")


# --- Added ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "short", "key"),
    [
        ("Chief Marketing Officer", "CMO", "cmo"),
        ("Legal", "Legal", "legal"),
        ("Chief People Officer", "CPO", "chief_people_officer"),
        ("Chief Marketing Officer", "Marketing", "chief_marketing_officer"),
        ("Head of  R&D", "R&D", "head_of_r_d"),
        ("Record", "Records", "record_2"),
        ("営業本部長", "Sales Japan", "office"),
    ],
)
def test_office_is_added_with_a_key_of_its_own(people, title, short, key):
    made = add(people, title, short)
    assert made.key == key
    assert (made.established, made.several_holders) == (True, False)
    assert made.position > office("administrator").position
    assert last_event()[0] == "office.added"
    assert (office_short(key), office_title(key)) == (short, " ".join(title.split()))


def test_co_signing_office_needs_confirmation_and_others_do_not(people):
    add(people)
    assert recorded(people, "nadia", "cmo").needs_confirmation
    add(people, "Head of Data", "Data", co_signing=False)
    assert not recorded(people, "nadia", "head_of_data").needs_confirmation


@pytest.mark.parametrize(("title", "short"), [("Something", "cro"), ("chief revenue officer", "X")])
def test_name_that_is_taken_is_refused(people, title, short):
    refuses(OfficeExists, lambda: add(people, title, short), "There is an Office called")


def test_office_added_is_held_from_tomorrow(people):
    add(people, "Head of Data", "Data", co_signing=False)
    assert recorded(people, "nadia", "head_of_data", starts_on=TOMORROW).counts
