"""The pages of Offices, people and appointments."""

from datetime import date, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from people import absences, appointments
from people.models import Appointment, Office, Person
from people.registry import Effect
from people.seats import UNITS, Register, sum_up
from tests.people.factories import PersonFactory
from tests.people.offices import (
    BOARD,
    NOW,
    TODAY,
    TOMORROW,
    confirmed,
    everyone,
    everything,
    of,
    recorded,
    stand_in,
)


@pytest.fixture
def people(company):
    with time_machine.travel(NOW, tick=False):
        yield everyone()


@pytest.fixture
def page(client, people):
    """Read (or, with ``data``, send) a page as somebody; gives the response with its words."""

    def read(who, name, *args, data=None, query=None):
        client.force_login(people[who])
        address = reverse(f"people:{name}", args=args)
        answered = client.get(address, query) if data is None else client.post(address, data)
        # Comparable words: what tags and line breaks part is joined by one space.
        answered.text_shown = " ".join(answered.content.decode().split())
        return answered

    return read


def cmo(people):
    return absences.add_office(
        title="Chief Marketing Officer",
        short="CMO",
        co_signing=True,
        acting_user=people["corporate_secretary"],
        at=NOW,
    )


# --- Reading ----------------------------------------------------------------------------------

READABLE = ("offices", "office", "person", "confirm_appointment")


def _args(name, people):
    if name == "office":
        return ["coo"]
    if name == "person":
        return [people["coo"].pk]
    if name == "confirm_appointment":
        return [recorded(people, "nadia", "coo").pk]
    return []


@pytest.mark.parametrize("name", READABLE)
def test_nobody_reads_without_signing_in(client, people, name):
    answered = client.get(reverse(f"people:{name}", args=_args(name, people)))
    assert answered.status_code == 302
    assert answered["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("name", READABLE)
@pytest.mark.parametrize("who", ["member", "corporate_secretary", "ceo", "auditor", "cro"])
def test_everybody_signed_in_reads(page, people, name, who):
    assert page(who, name, *_args(name, people)).status_code == 200


def test_states_in_words(page, people):
    confirmed(people, stand_in(people, "ingrid", "cfo", starts_on=TODAY, ends_on=date(2027, 1, 5)))
    appointments.end(
        appointment=of("coo"),
        last_day=date(2027, 1, 31),
        reason="Leaves",
        acting_user=people["corporate_secretary"],
        at=NOW,
    )
    absences.not_established(
        office=cmo(people),
        part_goes_to=Office.objects.get(key="cro"),
        reason="Marketing reports to the CRO.",
        acting_user=people["corporate_secretary"],
        at=NOW,
    )
    Appointment.objects.filter(office__key="revops_lead").update(ends_on=TODAY)

    shown = page("member", "offices").text_shown

    for words in (
        "Ingrid Sole acts as CFO; the last day is 4 Jan 2027.",
        "One Office is vacant, one is not established.",
        "Leaves. Last day 31 Jan 2027, no successor recorded yet",
        "Acts. Last day 4 Jan 2027. Priya cannot act until 5 Jan 2027",
        "for Priya Raman, CFO since 1 Jan 2026",
        "No holder and no stand-in. What needs the Office waits",
        '<em data-owner="cro">CRO</em>: “Marketing reports to the CRO.” Printed on the document',
        "May have several holders",
    ):
        assert words in shown, words


def test_successor_and_what_waits_are_named(page, people):
    confirmed(people, recorded(people, "nadia", "coo", starts_on=date(2027, 2, 1)))
    recorded(people, "ingrid", "cfo", starts_on=date(2027, 3, 1))
    shown = page("member", "offices").text_shown
    assert "Leaves. Last day 31 Jan 2027; Nadia Haddad follows on 1 Feb 2027" in shown
    assert "Ingrid Sole, CFO from 1 Mar 2027, waits for confirmation" in shown
    assert "Waits for the CEO’s confirmation" in shown
    assert "Waits for your confirmation" in page("ceo", "offices").text_shown


def test_closed_account_of_a_holder_is_said(page, people):
    Person.objects.filter(pk=people["coo"].pk).update(is_active=False)
    shown = page("member", "offices").text_shown
    assert "The account is closed, so nobody can act." in shown
    assert "Account closed" in shown


def test_no_office_held_says_so(client, company):
    client.force_login(PersonFactory())
    shown = client.get(reverse("people:offices")).content.decode()
    assert "Eight Offices are vacant" in shown
    assert "Who holds which Office appears here once it is recorded." in shown


@pytest.mark.parametrize(
    ("who", "offered"),
    [
        ("corporate_secretary", {"record_appointment", "add_office"}),
        ("administrator", {"invite"}),
        ("cro", {"propose_stand_in"}),
        ("ceo", set()),
        ("member", set()),
    ],
)
def test_acts_are_offered_to_who_may(page, who, offered):
    answered = page(who, "offices")
    for name in ("record_appointment", "add_office", "propose_stand_in", "invite"):
        shown = f'href="{reverse(f"people:{name}")}"' in answered.text_shown
        assert shown == (name in offered), name


def test_the_same_as_a_list(page, people):
    confirmed(people, stand_in(people, "ingrid", "cfo"))
    shown = page("member", "offices", query={"as": "list"}).text_shown
    assert "The same as lines" in shown
    assert 'class="tenure"' not in shown
    assert "Acting, Ingrid Sole" in shown
    assert 'data-label="To">20 Dec 2026<' in shown


def test_one_filled_button(page, people):
    recorded(people, "nadia", "coo")
    for who in ("corporate_secretary", "ceo", "member"):
        assert page(who, "offices").text_shown.count('data-kind="primary"') <= 1


def test_offices_ask_as_often_for_one_appointment_as_for_fifty(page, people):
    def queries():
        with CaptureQueriesContext(
            connection,
        ) as asked:
            page("member", "offices")
        return len(asked)

    queries()
    few = queries()
    for _ in range(50):
        appointments.appoint(
            person=PersonFactory(),
            office_key="auditor",
            starts_on=date(2024, 1, 1),
            acting_user=None,
            at=NOW,
        )
    assert queries() == few


# --- One Office, one person -------------------------------------------------------------------


def test_office_shows_every_record_and_who_made_it(page, people):
    made = recorded(people, "nadia", "coo")
    appointments.refuse(
        appointment=made, reason="The board has not met.", acting_user=people["ceo"], at=NOW
    )
    confirmed(people, recorded(people, "ingrid", "coo", instrument="Letter 12"))
    shown = page("member", "office", "coo").text_shown
    assert "<del>" in shown
    assert "Refused by Helen Marsh, CEO on" in shown
    assert "“The board has not met.”" in shown
    assert "Recorded by Iris Novak, Corporate Secretary on" in shown
    assert "confirmed by Helen Marsh, CEO on" in shown
    assert "“Succeeded by Ingrid Sole”" in shown
    assert "Rests on: Letter 12" in shown
    assert "Recorded at set-up" in shown
    assert ">End<" not in shown  # a Member ends nothing


def test_office_offers_to_end_and_correct_to_the_secretary(page, people):
    shown = page("corporate_secretary", "office", "coo").text_shown
    assert reverse("people:end_appointment", args=[of("coo").pk]) in shown
    assert reverse("people:correct_appointment", args=[of("coo").pk]) in shown


def test_office_not_established_and_its_absence(page, people):
    made = cmo(people)
    absences.not_established(
        office=made,
        part_goes_to=Office.objects.get(key="cro"),
        reason="Too small.",
        acting_user=people["corporate_secretary"],
        at=NOW,
    )
    shown = page("corporate_secretary", "office", "cmo").text_shown
    assert "The company has no CMO since 20 Nov 2026." in shown
    assert "Its part goes to the CRO: “Too small.”" in shown
    assert "Establish the Office" in shown
    assert "Establish the Office" not in page("member", "office", "cmo").text_shown


def test_timeline_pages(page, people):
    for number in range(30):
        start = date(2024, 1, 1) + timedelta(days=10 * number)
        appointments.appoint(
            person=people["nadia"],
            office_key="coo",
            starts_on=start,
            ends_on=start + timedelta(days=5),
            acting_user=None,
            at=NOW,
        )
    assert "Page 1 of 2" in page("member", "office", "coo").text_shown
    assert "Page 1 of 2" in page("member", "person", people["nadia"].pk).text_shown


def test_timeline_asks_as_often_for_one_record_as_for_many(page, people):
    def queries(name, arg):
        with CaptureQueriesContext(connection) as asked:
            page("corporate_secretary", name, arg)
        return len(asked)

    person = people["revops_lead"].pk
    before = queries("office", "revops_lead"), queries("person", person)
    before = queries("office", "revops_lead"), queries("person", person)
    for number in range(20):
        start = date(2024, 1, 1) + timedelta(days=10 * number)
        appointments.appoint(
            person=people["revops_lead"],
            office_key="revops_lead",
            starts_on=start,
            ends_on=start + timedelta(days=5),
            acting_user=None,
            at=NOW,
        )
    assert (queries("office", "revops_lead"), queries("person", person)) == before


def test_person_shows_offices_held(page, people):
    shown = page("member", "person", people["cro"].pk).text_shown
    assert "CRO since 1 Jan 2026" in shown
    assert "No Office so far" in page("member", "person", people["nadia"].pk).text_shown
    assert page("member", "person", 999_999).status_code == 404
    assert page("member", "office", "nothing").status_code == 404


# --- To scale ---------------------------------------------------------------------------------


def test_lines_are_to_scale_and_none_vanishes(people):
    confirmed(people, stand_in(people, "ingrid", "cfo", starts_on=TODAY, ends_on=TOMORROW))
    lines = Register().lines(today=TODAY)
    assert (lines.since, lines.until) == (date(2026, 1, 1), date(2026, 12, 1))
    for line in lines.lines:
        assert sum(one.share for one in line.stretches) == UNITS
        assert all(one.share >= 1 for one in line.stretches)
        assert line.stretches[0].since == lines.since
        assert line.stretches[-1].until == lines.until
    cfo = next(one for one in lines.lines if one.office.key == "cfo")
    assert [one.state for one in cfo.stretches] == ["held", "acting", "held"]
    assert [one.share for one in cfo.stretches] == [58, 1, 1]
    assert sum(share for _, share in lines.years) == UNITS


def test_office_with_several_holders_has_a_line_that_counts_them(people):
    recorded(people, "nadia", "auditor", starts_on=date(2026, 12, 1))
    lines = Register().lines(today=TODAY)
    auditor = next(one for one in lines.lines if one.office.key == "auditor")
    assert [(one.words, one.since) for one in auditor.stretches] == [
        ("1 holder", date(2026, 1, 1)),
        ("2 holders", date(2026, 12, 1)),
    ]


def test_lines_of_a_young_company_begin_with_it(company):
    for office, name, starts_on in (
        ("ceo", "Helen Marsh", date(2026, 11, 18)),
        ("coo", "Daniel Osei", TODAY),
    ):
        appointments.appoint(
            person=PersonFactory(name=name),
            office_key=office,
            starts_on=starts_on,
            acting_user=None,
            at=NOW,
        )
    lines = Register().lines(today=TODAY)
    assert (lines.since, lines.until) == (date(2026, 11, 18), date(2027, 1, 1))
    coo = next(one for one in lines.lines if one.office.key == "coo")
    assert [(one.words, one.tiny) for one in coo.stretches] == [
        ("Nobody recorded", True),
        ("Daniel Osei", False),
    ]
    # On a phone a stretch needs more of the line for its words.
    assert [one.cramped for one in coo.stretches] == [True, False]


def test_lines_begin_two_years_back_and_show_what_is_to_come(people):
    appointments.appoint(
        person=people["nadia"],
        office_key="coo",
        starts_on=date(2019, 5, 1),
        ends_on=date(2020, 1, 1),
        acting_user=None,
        at=NOW,
    )
    recorded(people, "nadia", "revops_lead", starts_on=date(2027, 3, 5))
    lines = Register().lines(today=TODAY)
    assert (lines.since, lines.until) == (date(2024, 1, 1), date(2027, 4, 1))
    lead = next(one for one in lines.lines if one.office.key == "revops_lead")
    assert [one.words for one in lead.stretches] == [
        "Nobody recorded",
        "Tomas Vega",
        "Nadia Haddad",
    ]
    coo = next(one for one in lines.lines if one.office.key == "coo")
    assert [one.state for one in coo.stretches] == ["vacant", "held"]


def test_sentence_where_all_is_well(people):
    assert sum_up(Register().seats(on=TODAY, today=TODAY)) == "All eight Offices are held."


# --- Recording, in two steps ------------------------------------------------------------------

FILLED = {
    "kind": "appointment",
    "office": "coo",
    "starts_on": "2026-12-01",
    "last_day": "",
    "instrument": "",
    "scope": "",
}


def filled(people, person="nadia", **more):
    return {**FILLED, "person": people[person].pk, **more}


def test_recording_is_checked_first_and_then_done(page, people):
    checked = page(
        "corporate_secretary",
        "record_appointment",
        data=filled(people, step="check"),
    )
    assert checked.status_code == 200
    assert "Daniel Osei’s appointment ends on 30 Nov 2026" in checked.text_shown
    assert "From 1 Dec 2026 the COO is Nadia Haddad" in checked.text_shown
    assert "Helen Marsh, CEO, confirms" in checked.text_shown
    assert Appointment.objects.filter(person=people["nadia"]).count() == 0

    mark = checked.context["planned"].mark
    done = page(
        "corporate_secretary",
        "record_appointment",
        data=filled(people, step="record", checked=mark),
    )
    assert done.status_code == 302
    made = Appointment.objects.get(person=people["nadia"])
    assert (made.office.key, made.starts_on, made.counts) == ("coo", date(2026, 12, 1), False)


def test_what_was_not_checked_is_not_recorded(page, people):
    checked = page("corporate_secretary", "record_appointment", data=filled(people, step="check"))
    mark = checked.context["planned"].mark
    again = page(
        "corporate_secretary",
        "record_appointment",
        data=filled(people, starts_on="2026-12-02", step="record", checked=mark),
    )
    assert again.status_code == 200
    assert "Not recorded yet" in again.text_shown
    assert "Daniel Osei’s appointment ends on 1 Dec 2026" in again.text_shown
    assert not Appointment.objects.filter(person=people["nadia"]).exists()


def test_what_changed_meanwhile_is_shown_before_it_is_recorded(page, people):
    data = filled(people, office="revops_lead")
    checked = page("corporate_secretary", "record_appointment", data=data | {"step": "check"})
    recorded(people, "ingrid", "revops_lead", starts_on=TOMORROW)
    mark = checked.context["planned"].mark
    again = page(
        "corporate_secretary",
        "record_appointment",
        data=data | {"step": "record", "checked": mark},
    )
    assert "Ingrid Sole’s appointment ends on 30 Nov 2026" in again.text_shown
    assert not Appointment.objects.filter(person=people["nadia"]).exists()


def test_last_day_is_inclusive_on_the_page_and_exclusive_on_record(page, people):
    data = filled(
        people, kind="acting", office="revops_lead", last_day="2026-12-10", instrument="Memo 7"
    )
    checked = page("corporate_secretary", "record_appointment", data=data | {"step": "check"})
    assert "From 1 Dec 2026 to 10 Dec 2026 Nadia Haddad acts as RevOps Lead" in checked.text_shown
    mark = checked.context["planned"].mark
    page(
        "corporate_secretary",
        "record_appointment",
        data=data | {"step": "record", "checked": mark},
    )
    assert of("revops_lead", acting=True).ends_on == date(2026, 12, 11)


def test_effects_of_upper_apps_are_shown(page, people, monkeypatch):
    planned = []

    def provider(holder):
        planned.append((holder.person, holder.office.key, holder.starts_on, holder.acting))
        return [Effect("3 agreements wait for Nadia", "Marked until they are confirmed")]

    monkeypatch.setattr("people.registry._effects", [provider])
    checked = page("corporate_secretary", "record_appointment", data=filled(people, step="check"))
    assert "3 agreements wait for Nadia" in checked.text_shown
    assert planned == [(people["nadia"], "coo", date(2026, 12, 1), False)]


def test_effects_on_drafts_are_shown_to_who_reads_drafts(page, people, monkeypatch):
    monkeypatch.setattr(
        "people.recording.effects",
        lambda planned: [Effect("NC-RB-1 stays"), Effect("Draft v2 waits", of_drafts=True)],
    )
    waits = recorded(people, "nadia", "coo")
    for who, told in (("ceo", True), ("auditor", True), ("member", False), ("nadia", False)):
        shown = page(who, "confirm_appointment", waits.pk).text_shown
        assert ("Draft v2 waits" in shown, "NC-RB-1 stays" in shown) == (told, True), who


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"person": ""}, "Choose who it is."),
        ({"starts_on": "1 Dec"}, "Give a date, such as 2026-11-21."),
        ({"last_day": "2026-11-30"}, "Give a day not before 1 Dec 2026."),
        ({"kind": "acting", "instrument": "Memo"}, "Give the last day: a stand-in acts for a time"),
        ({"kind": "acting", "last_day": "2026-12-30"}, "Name the written decision it rests"),
        ({"starts_on": "2026-11-02"}, "It can begin today, 20 Nov 2026, or later"),
        ({"office": "ceo"}, "rests on the board’s decision"),
        ({"last_day": "9999-12-31"}, "Give a day between 1 Jan 1900 and 31 Dec 2199."),
        ({"starts_on": "0001-01-01"}, "Give a day between 1 Jan 1900 and 31 Dec 2199."),
        ({"office": "9" * 400}, "Choose an Office that the company has and that you may record."),
    ],
)
def test_wrong_form_is_answered_by_422_and_keeps_what_was_typed(page, people, wrong, says):
    before = everything()
    answered = page(
        "corporate_secretary",
        "record_appointment",
        data=filled(people, scope="All but vetoes", step="record") | wrong,
    )
    assert answered.status_code == 422
    assert says in answered.text_shown
    assert "All but vetoes" in answered.text_shown
    assert everything() == before


def test_own_appointment_is_refused_on_the_page(page, people):
    answered = page(
        "corporate_secretary",
        "record_appointment",
        data=filled(people, "corporate_secretary", step="check"),
    )
    assert answered.status_code == 422
    assert "Nobody records their own appointment" in answered.text_shown


def test_page_is_filled_in_from_its_link(page, people):
    answered = page(
        "corporate_secretary",
        "record_appointment",
        query={"office": "cfo", "person": people["nadia"].pk},
    )
    assert 'value="cfo" selected' in answered.text_shown
    assert f'value="{people["nadia"].pk}" selected' in answered.text_shown
    assert "COO, held by Daniel Osei" in answered.text_shown
    page("corporate_secretary", "record_appointment")
    again = page("corporate_secretary", "record_appointment")
    assert ">Maya Lindqvist, CRO</option>" in again.text_shown


@pytest.mark.parametrize("who", ["ceo", "cro", "member", "auditor"])
def test_who_may_not_record_is_told_so(page, who):
    answered = page(who, "record_appointment")
    assert answered.status_code == 403
    assert "may record appointments: Administrator, Corporate Secretary." in answered.text_shown


def test_administrator_is_told_by_name_what_they_may(page, people):
    answered = page(
        "administrator",
        "record_appointment",
        data=filled(people, office="revops_lead", step="check"),
    )
    assert answered.status_code == 403
    assert "The Administrator records the first appointment of each Office" in answered.text_shown


def test_administrator_is_offered_only_what_they_may_record(page, people):
    for name, args in (("offices", []), ("office", ["coo"]), ("person", [people["coo"].pk])):
        assert "/offices/record/" not in page("administrator", name, *args).text_shown, name
    assert page("administrator", "record_appointment").status_code == 403
    cmo(people)
    Appointment.objects.filter(office__key="corporate_secretary").update(ends_on=TODAY)
    assert "/offices/record/" in page("administrator", "offices").text_shown
    assert "/offices/record/" in page("administrator", "office", "cmo").text_shown
    assert "/offices/record/" not in page("administrator", "office", "coo").text_shown
    offered = page("administrator", "record_appointment").context["form"].fields["office"].queryset
    assert [one.key for one in offered] == ["corporate_secretary", "cmo"]
    wrong = page("administrator", "record_appointment", data=filled(people, step="check"))
    assert wrong.status_code == 422
    assert "Choose an Office that the company has and that you may record." in wrong.text_shown


def test_own_record_is_not_offered_to_correct(page, people):
    shown = page("corporate_secretary", "office", "corporate_secretary").text_shown
    assert reverse("people:end_appointment", args=[of("corporate_secretary").pk]) in shown
    assert "/correct/" not in shown


def test_who_has_no_account_is_invited_first(page):
    secretary = page("corporate_secretary", "record_appointment").text_shown
    assert "Only people with an account. Ask the Administrator to invite others first." in secretary
    assert f'href="{reverse("people:invite")}"' not in secretary


@pytest.mark.parametrize(
    ("missing", "says"),
    [
        ("office", "Choose the Office."),
        ("person", "Choose who it is."),
        ("starts_on", "Give the first day, such as today."),
    ],
)
def test_each_missing_field_says_what_to_write(page, people, missing, says):
    answered = page(
        "corporate_secretary", "record_appointment", data=filled(people) | {missing: ""}
    )
    assert answered.context["form"].errors == {missing: [says]}


def test_each_missing_field_of_a_stand_in_says_what_to_write(page):
    answered = page("cfo", "propose_stand_in", data={"step": "check"})
    assert answered.status_code == 422
    assert answered.context["form"].errors == {
        "office": ["Choose for which of your Offices."],
        "person": ["Choose who it is."],
        "starts_on": ["Give the first day, such as today."],
        "last_day": ["Give the last day: a stand-in acts for a time."],
        "instrument": ["Name the written decision it rests on, such as “Memo of 21 Nov 2026”."],
    }
    assert "This field is required" not in answered.text_shown


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"office": "ceo"}, "instrument"),
        ({"starts_on": "2026-11-02"}, "starts_on"),
        ({"starts_on": "2028-11-02"}, "starts_on"),
        ({"kind": "acting", "last_day": "2028-01-02", "instrument": "Memo"}, "last_day"),
        (
            {
                "kind": "acting",
                "office": "auditor",
                "last_day": "2026-12-24",
                "instrument": "Memo",
            },
            "kind",
        ),
    ],
)
def test_refusal_stands_beside_the_field_it_is_about(page, people, wrong, field):
    answered = page(
        "corporate_secretary", "record_appointment", data=filled(people, step="check") | wrong
    )
    assert answered.status_code == 422
    assert list(answered.context["form"].errors) == [field]


def test_clash_links_what_settles_it(page, people):
    recorded(people, "nadia", "revops_lead", starts_on=TODAY)
    clash = filled(people, "ingrid", office="revops_lead", starts_on=TODAY.isoformat())
    shown = page("corporate_secretary", "record_appointment", data=clash).text_shown
    one = of("revops_lead")
    for name, args in (
        ("correct_appointment", [one.pk]),
        ("end_appointment", [one.pk]),
        ("office", ["revops_lead"]),
    ):
        assert f'href="{reverse(f"people:{name}", args=args)}"' in shown, name
    absent = page("corporate_secretary", "not_established", "revops_lead").text_shown
    assert "It began today: end it with today as its last day" in absent
    assert f'href="{reverse("people:end_appointment", args=[one.pk])}"' in absent


def test_stand_in_is_neither_oneself_nor_the_ceo(page, people):
    form = page("cfo", "propose_stand_in").context["form"]
    offered = set(form.fields["person"].queryset)
    assert people["nadia"] in offered
    assert not {people["cfo"], people["ceo"]} & offered
    answered = page("cfo", "propose_stand_in", data={"person": people["cfo"].pk})
    (says,) = answered.context["form"].errors["person"]
    assert says.startswith("Choose somebody else: you are the one who is stood in for")


def test_account_page_leads_to_the_stand_in(page):
    assert "/offices/stand-in/" in page("cfo", "account").text_shown
    assert "/offices/stand-in/" not in page("corporate_secretary", "account").text_shown


def test_own_stand_in_is_proposed(page, people):
    assert page("ceo", "propose_stand_in").status_code == 403
    first = page("cro", "propose_stand_in")
    assert "COO, held by" not in first.text_shown
    data = {
        "office": "cro",
        "person": people["nadia"].pk,
        "starts_on": "2026-12-01",
        "last_day": "2026-12-10",
        "instrument": "Memo of the CRO",
        "scope": "",
    }
    checked = page("cro", "propose_stand_in", data=data | {"step": "check"})
    assert "Maya Lindqvist cannot act as CRO until 11 Dec 2026" in checked.text_shown
    mark = checked.context["planned"].mark
    done = page("cro", "propose_stand_in", data=data | {"step": "record", "checked": mark})
    assert done.status_code == 302
    assert of("cro", acting=True).recorded_by == people["cro"]


# --- Confirming -------------------------------------------------------------------------------


def test_ceo_confirms_what_was_shown(page, people):
    made = recorded(people, "nadia", "coo")
    shown = page("ceo", "confirm_appointment", made.pk)
    assert "Daniel Osei’s appointment ends on 20 Nov 2026" in shown.text_shown
    mark = shown.context["planned"].mark
    done = page("ceo", "confirm_appointment", made.pk, data={"checked": mark})
    assert done.status_code == 302
    made.refresh_from_db()
    assert made.confirmed_by == people["ceo"]


def test_ceo_confirms_nothing_else_than_was_shown(page, people):
    made = recorded(people, "nadia", "coo")
    before = everything()
    answered = page("ceo", "confirm_appointment", made.pk, data={"checked": "something else"})
    assert answered.status_code == 422
    assert "Something changed meanwhile" in answered.text_shown
    assert everything() == before


def test_late_confirmation_says_from_when_it_counts(page, people):
    made = recorded(people, "nadia", "coo")
    with time_machine.travel(NOW + timedelta(days=4), tick=False):
        shown = page("ceo", "confirm_appointment", made.pk).text_shown
    assert "It counts from today on" in shown
    assert "From 24 Nov 2026 the COO is Nadia Haddad" in shown


def test_only_the_ceo_confirms_or_refuses(page, people):
    made = recorded(people, "nadia", "coo")
    before = everything()
    for name, data in (("confirm_appointment", {}), ("refuse_appointment", {"reason": "No"})):
        assert page("corporate_secretary", name, made.pk, data=data).status_code == 403
    assert everything() == before
    shown = page("corporate_secretary", "confirm_appointment", made.pk).text_shown
    assert "Refuse this appointment" not in shown
    assert "Take the record back" in shown


def test_refusing_needs_a_reason(page, people):
    made = recorded(people, "nadia", "coo")
    assert page("ceo", "refuse_appointment", made.pk, data={"reason": ""}).status_code == 422
    done = page("ceo", "refuse_appointment", made.pk, data={"reason": "Not yet"})
    assert done.status_code == 302
    made.refresh_from_db()
    assert made.void_reason == "Not yet"
    assert (
        "Refused by Helen Marsh, CEO." in page("member", "confirm_appointment", made.pk).text_shown
    )


def test_appointee_is_told_why_they_cannot_confirm(page, people):
    made = recorded(people, "ceo", "coo")
    shown = page("ceo", "confirm_appointment", made.pk)
    assert "Have the Corporate Secretary record who acts as CEO" in shown.text_shown
    assert "Confirm Helen Marsh as COO" not in shown.text_shown
    assert "Refuse this appointment" not in shown.text_shown
    assert "Confirm or refuse" not in page("ceo", "offices").text_shown
    mark = shown.context["planned"].mark
    answered = page("ceo", "confirm_appointment", made.pk, data={"checked": mark})
    assert answered.status_code == 422
    assert "Nobody confirms their own appointment" in answered.text_shown
    refused = page("ceo", "refuse_appointment", made.pk, data={"reason": "No"})
    assert refused.status_code == 422


def test_after_one_the_next_that_waits_is_shown(page, people):
    own = recorded(people, "ceo", "cfo")
    first, second = recorded(people, "nadia", "coo"), recorded(people, "ingrid", "cro")

    def decide(one):
        mark = page("ceo", "confirm_appointment", one.pk).context["planned"].mark
        return page("ceo", "confirm_appointment", one.pk, data={"checked": mark})["Location"]

    assert decide(first) == reverse("people:confirm_appointment", args=[second.pk])
    # The CEO's own waits for another: nothing is left to decide.
    assert decide(second) == reverse("people:office", args=["cro"])
    assert not own.counts


def test_correction_says_whose_reason_and_who_confirmed(page, people):
    wrong = of("coo")
    right = appointments.correct(
        appointment=wrong,
        person=people["nadia"],
        starts_on=wrong.starts_on,
        ends_on=None,
        reason="The letter names Nadia.",
        acting_user=people["corporate_secretary"],
        at=NOW,
    )
    shown = page("ceo", "confirm_appointment", right.pk).text_shown
    assert "with Iris Novak’s reason: “The letter names Nadia.”" in shown
    assert "It stays readable, with Iris Novak’s reason" in shown
    confirmed(people, right)
    shown = page("member", "office", "coo").text_shown
    assert (
        "Struck: asked for by Iris Novak, Corporate Secretary, confirmed by Helen Marsh, CEO on"
    ) in shown


def test_end_page_names_the_day_of_the_last_signature(page, people, monkeypatch):
    monkeypatch.setattr("people.registry._acts", [lambda one: [NOW]])
    one = of("coo")
    shown = page("corporate_secretary", "end_appointment", one.pk).text_shown
    assert "20 Nov 2026 at the earliest: Daniel Osei signed on that day." in shown
    data = {"last_day": "2026-11-19", "reason": "Leaves"}
    answered = page("corporate_secretary", "end_appointment", one.pk, data=data)
    assert list(answered.context["form"].errors) == ["last_day"]


def test_record_is_taken_back(page, people):
    made = recorded(people, "nadia", "coo")
    assert page("ceo", "take_back_appointment", made.pk, data={"reason": ""}).status_code == 422
    done = page("corporate_secretary", "take_back_appointment", made.pk, data={"reason": ""})
    assert done.status_code == 302
    made.refresh_from_db()
    assert made.voided_as == "taken_back"


# --- Ending and correcting --------------------------------------------------------------------


def test_appointment_is_ended_on_the_page(page, people):
    one = of("coo")
    assert page("member", "end_appointment", one.pk).status_code == 403
    assert "the Office of the COO is vacant" in (
        page("corporate_secretary", "end_appointment", one.pk).text_shown
    )
    wrong = page("corporate_secretary", "end_appointment", one.pk, data={"last_day": "2026-01-31"})
    assert wrong.status_code == 422
    early = {"last_day": "2026-01-31", "reason": "Leaves"}
    answered = page("corporate_secretary", "end_appointment", one.pk, data=early)
    assert answered.status_code == 422
    assert "It ends yesterday at the earliest" in answered.text_shown
    data = {"last_day": "2027-01-31", "reason": "Leaves"}
    assert page("corporate_secretary", "end_appointment", one.pk, data=data).status_code == 302
    one.refresh_from_db()
    assert one.ends_on == date(2027, 2, 1)


@pytest.mark.parametrize("last_day", ["9999-12-31", "0001-01-01", "21 Nov", "\0"])
def test_last_day_that_is_none_is_answered_by_422(page, people, last_day):
    made, before = of("revops_lead"), everything()
    answered = page(
        "corporate_secretary",
        "end_appointment",
        made.pk,
        data={"last_day": last_day, "reason": "Leaves the company"},
    )
    assert answered.status_code == 422
    assert "Give a da" in answered.text_shown
    assert everything() == before


def test_record_is_corrected_on_the_page(page, people):
    wrong = of("revops_lead")
    assert page("member", "correct_appointment", wrong.pk).status_code == 403
    data = {
        "person": wrong.person_id,
        "starts_on": "2026-02-01",
        "last_day": "",
        "instrument": "",
        "reason": "The letter says February.",
    }
    checked = page(
        "corporate_secretary", "correct_appointment", wrong.pk, data=data | {"step": "check"}
    )
    assert "is struck as wrong" in checked.text_shown
    mark = checked.context["planned"].mark
    done = page(
        "corporate_secretary",
        "correct_appointment",
        wrong.pk,
        data=data | {"step": "record", "checked": mark},
    )
    assert done.status_code == 302
    shown = page("member", "office", "revops_lead").text_shown
    assert "Struck as wrong" in shown
    assert "“The letter says February.”" in shown


# --- The Offices themselves -------------------------------------------------------------------


def test_office_is_added_on_the_page(page, people):
    assert page("ceo", "add_office").status_code == 403
    shown = page("corporate_secretary", "add_office", query={"key": "cmo"}).text_shown
    assert 'value="Chief Marketing Officer"' in shown
    taken = {"title": "Chief Revenue Officer", "short": "CRO", "co_signing": "on"}
    assert page("corporate_secretary", "add_office", data=taken).status_code == 422
    data = {"title": "Chief Customer Officer", "short": "CCO", "co_signing": "on"}
    assert page("corporate_secretary", "add_office", data=data).status_code == 302
    assert Office.objects.get(key="cco").co_signing


def test_office_is_declared_not_established_and_established_on_the_page(page, people):
    cmo(people)
    assert page("ceo", "not_established", "cmo").status_code == 403
    assert page("ceo", "establish_office", "cmo", data={}).status_code == 403
    held = page("corporate_secretary", "not_established", "coo").text_shown
    assert "Daniel Osei is recorded as COO. End that appointment first." in held
    data = {"part_goes_to": "cro", "reason": ""}
    assert page("corporate_secretary", "not_established", "cmo", data=data).status_code == 422
    data["reason"] = "Marketing reports to the CRO."
    assert page("corporate_secretary", "not_established", "cmo", data=data).status_code == 302
    assert not Office.objects.get(key="cmo").established
    assert page("corporate_secretary", "establish_office", "cmo", data={}).status_code == 302
    assert Office.objects.get(key="cmo").established


def test_board_reference_is_shown_with_the_ceo(page, people):
    stand_in(people, "ingrid", "ceo", instrument=BOARD)
    assert f"Rests on: {BOARD}" in page("member", "office", "ceo").text_shown
