"""Exceptions: who asks, who approves, when they hold, and what is said about them."""

from datetime import date, timedelta

import pytest
import time_machine
from django.test import Client

from audit.models import Event
from boundaries import exception_lists, exceptions, workflow
from boundaries.errors import (
    ExceptionNotPossible,
    ExceptionSettled,
    NotYourOwnException,
    ReasonMissing,
)
from boundaries.exceptions import Standing
from boundaries.models import BoundaryException, ExceptionAnswer
from functions_catalog import registry
from notifications.models import Notice, OutgoingMail
from people.errors import CeoIsNoParty, NotYourOffice
from people.models import Appointment
from tests.boundaries import factories
from tests.boundaries.factories import NOW, TODAY
from tests.people.factories import PersonFactory

pytestmark = pytest.mark.django_db

WHAT = "Sales managers approve discounts up to 25% themselves."
WHY = "The deal desk moves offices."
LAST = date(2026, 12, 18)


@pytest.fixture(autouse=True)
def _today():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def in_force(people, functions):
    return factories.in_force(people)


def asked(revision, people, *, by="revops_lead", key="territory_planning", at=NOW, **more):
    given = {"what": WHAT, "reason": WHY, "expires_on": LAST + timedelta(days=1), **more}
    return exceptions.request(
        row=factories.row_of(revision, key), acting_user=people[by], at=at, **given
    )


def answered(one, people, *offices, approves=True, word="", at=NOW):
    for office in offices:
        one = exceptions.answer(
            exception=one, approves=approves, word=word, acting_user=people[office], at=at
        )
    return one


def fresh(one):
    return BoundaryException.objects.select_related(
        "row__function", "revision__document", "requested_by"
    ).get(pk=one.pk)


def standing(one, on=TODAY):
    return exceptions.standing_of(fresh(one), today=on)


def kinds():
    return sorted(
        OutgoingMail.objects.filter(kind__startswith="exception").values_list(
            "kind", "person__name"
        )
    )


def everything():
    return (
        Event.objects.count(),
        OutgoingMail.objects.count(),
        Notice.objects.count(),
        list(BoundaryException.objects.order_by("pk").values_list("pk", "state", "settled_at")),
        ExceptionAnswer.objects.count(),
    )


# --- Asking -----------------------------------------------------------------------------------


def test_the_owner_is_asked_and_grants_it(in_force, people):
    one = asked(in_force, people)

    assert one.approvers == ["cro"]
    assert standing(one) == Standing.REQUESTED
    assert ("exception-asked", "Maya Lindqvist") in kinds()
    event = Event.objects.get(event="exception.requested")
    assert (event.office, event.data["approvers"]) == ("revops_lead", ["cro"])

    answered(one, people, "cro")
    assert standing(one) == Standing.RUNNING
    assert Event.objects.filter(event="exception.granted", office="cro").count() == 1
    assert Notice.objects.filter(kind="exception-granted", person=people["revops_lead"]).exists()


@pytest.mark.parametrize(
    ("key", "by", "part", "approvers"),
    [
        ("territory_planning", "revops_lead", "", ["cro"]),
        ("deal_desk", "revops_lead", "", ["cro", "cfo"]),  # touches financial reporting
        ("billing_and_collections", "coo", "", ["cfo"]),  # the owner's and the CFO's, once
        ("territory_planning", "cro", "", ["ceo"]),  # nobody approves their own
        ("deal_desk", "cro", "", ["ceo", "cfo"]),
        ("deal_desk", "cfo", "", ["cro", "ceo"]),
        ("master_data_management", "cro", "products_and_employees", ["coo"]),
        ("master_data_management", "cro", "accounts_and_contacts", ["ceo"]),
    ],
)
def test_who_approves(in_force, people, key, by, part, approvers):
    assert asked(in_force, people, by=by, key=key, part=part).approvers == approvers


def test_who_acts_for_the_owner_does_not_approve_what_they_ask(in_force, people):
    factories.acting(people["corporate_secretary"], "cro")
    one = asked(in_force, people, by="corporate_secretary")
    assert one.approvers == ["ceo"]

    # Nor does the holder in whose place another acts.
    factories.handed_over(people["cro"], "revops_lead")
    assert asked(in_force, people, by="cro").approvers == ["ceo"]


NOT_ASKED = [
    ({"what": " "}, ReasonMissing, "what is to be done"),
    ({"reason": ""}, ReasonMissing, "why"),
    ({"expires_on": TODAY}, ExceptionNotPossible, "past"),
    ({"expires_on": TODAY + timedelta(days=91)}, ExceptionNotPossible, "amendment"),
    ({"part": "no_such_part"}, ExceptionNotPossible, "no such part"),
    ({"key": "master_data_management"}, ExceptionNotPossible, "Choose the part"),
    ({"key": "master_data_management", "part": "x"}, ExceptionNotPossible, "Choose the part"),
    ({"by": "member"}, NotYourOffice, "may ask for an exception"),
    ({"by": "ceo"}, NotYourOffice, "may ask for an exception"),
    ({"by": "auditor"}, NotYourOffice, "may ask for an exception"),
]


def test_what_cannot_be_asked_leaves_nothing(in_force, people):
    before = everything()
    for more, refusal, words in NOT_ASKED:
        with pytest.raises(refusal, match=words):
            asked(in_force, people, **more)
        assert everything() == before, more


def test_ninety_days_are_allowed(in_force, people):
    assert asked(in_force, people, expires_on=TODAY + timedelta(days=90))


def test_a_draft_has_no_exceptions(draft, people):
    with pytest.raises(ExceptionNotPossible, match="not in force"):
        asked(draft, people)


def test_nobody_approves_alone_in_two_offices(in_force, people):
    Appointment.objects.filter(office__key="ceo").update(ends_on=TODAY)
    factories.appointed(people["revops_lead"], "ceo", starts_on=TODAY)
    factories.acting(people["revops_lead"], "cro")
    before = everything()
    with pytest.raises(NotYourOwnException, match="another person"):
        asked(in_force, people)
    assert everything() == before


# --- Answering --------------------------------------------------------------------------------


def test_it_holds_once_all_approved(in_force, people):
    one = asked(in_force, people, key="deal_desk")
    answered(one, people, "cfo", word="Only this quarter.")
    assert standing(one) == Standing.REQUESTED
    assert Event.objects.filter(event="exception.answered").count() == 1

    answered(one, people, "cro")
    assert standing(one) == Standing.RUNNING


def test_the_first_refusal_ends_it(in_force, people):
    one = asked(in_force, people, key="deal_desk")
    answered(one, people, "cro", approves=False, word="Not at the year's end.")

    assert standing(one) == Standing.REFUSED
    notice = Notice.objects.get(kind="exception-refused")
    assert notice.person == people["revops_lead"]
    assert "Not at the year's end." in notice.text
    assert Event.objects.get(event="exception.refused").office == "cro"
    before = everything()
    with pytest.raises(ExceptionSettled, match="was refused already"):
        answered(one, people, "cfo")
    assert everything() == before


def test_refusing_needs_a_word(in_force, people):
    one = asked(in_force, people)
    before = everything()
    with pytest.raises(ReasonMissing):
        answered(one, people, "cro", approves=False, word="  ")
    assert everything() == before


def test_others_do_not_answer(in_force, people):
    one = asked(in_force, people)
    before = everything()
    for office in ("coo", "cfo", "ceo", "revops_lead", "member", "auditor"):
        with pytest.raises((NotYourOffice, NotYourOwnException)):
            answered(one, people, office)
        assert everything() == before, office


def test_an_approver_answers_once(in_force, people):
    one = asked(in_force, people, key="deal_desk")
    answered(one, people, "cro")
    with pytest.raises(NotYourOffice):
        answered(one, people, "cro")


def test_the_holder_of_the_day_answers(in_force, people):
    one = asked(in_force, people)
    successor = PersonFactory(name="Robin Hale")
    factories.handed_over(successor, "cro")
    with pytest.raises(NotYourOffice):
        answered(one, people, "cro")
    exceptions.look_after(at=NOW)
    assert ("exception-asked", "Robin Hale") in kinds()

    answered(one, {"cro": successor}, "cro")
    assert standing(one) == Standing.RUNNING


def test_the_ceo_answers_where_the_requester_came_to_act_for_the_approver(in_force, people):
    one = asked(in_force, people)
    factories.acting(people["revops_lead"], "cro")
    with pytest.raises(NotYourOwnException):
        answered(one, people, "revops_lead")

    answered(one, people, "ceo")
    assert standing(one) == Standing.RUNNING
    given = ExceptionAnswer.objects.get()
    assert (given.office, given.person_office) == ("cro", "CEO")


def test_the_ceo_does_not_answer_in_the_office_of_a_party(in_force, people, client):
    one = asked(in_force, people)
    factories.handed_over(people["ceo"], "cro")
    assert exception_lists.waiting_for(people["ceo"], on=TODAY) == []
    client.force_login(people["ceo"])
    assert client.get(one.get_absolute_url()).context["my_answer"] == []
    before = everything()
    with pytest.raises(CeoIsNoParty, match="name another person Acting CRO"):
        answered(one, people, "ceo")
    assert everything() == before

    factories.acting(people["coo"], "cro")
    assert exception_lists.waiting_for(people["coo"], on=TODAY) == [one]
    answered(one, people, "coo")
    assert standing(one) == Standing.RUNNING


def test_another_account_of_the_requester_does_not_answer(in_force, people):
    one = asked(in_force, people)
    second = PersonFactory(name="Tomas Vega (2)", same_person_as=people["revops_lead"])
    factories.handed_over(second, "cro")
    with pytest.raises(NotYourOwnException):
        answered(one, {"cro": second}, "cro")


def test_taking_back(in_force, people):
    one = asked(in_force, people)
    with pytest.raises(NotYourOffice, match="who asked for it"):
        exceptions.take_back(exception=one, acting_user=people["coo"], at=NOW)
    exceptions.take_back(exception=one, acting_user=people["revops_lead"], at=NOW)

    assert standing(one) == Standing.TAKEN_BACK
    assert Notice.objects.filter(kind="exception-taken-back", person=people["cro"]).exists()
    with pytest.raises(ExceptionSettled):
        answered(one, people, "cro")


# --- What dates do ----------------------------------------------------------------------------


def test_it_runs_out_by_itself(in_force, people):
    one = answered(asked(in_force, people), people, "cro")
    assert standing(one, LAST) == Standing.RUNNING
    assert standing(one, LAST + timedelta(days=1)) == Standing.OVER


def test_an_unanswered_request_lapses(in_force, people):
    one = asked(in_force, people)
    later = NOW + timedelta(days=29)
    with pytest.raises(ExceptionSettled, match="not answered before"):
        answered(one, people, "cro", at=later)
    exceptions.look_after(at=later)
    assert ("exception-lapsed", "Tomas Vega") in kinds()


def test_whoever_has_not_answered_is_reminded_after_2_5_and_10_business_days(in_force, people):
    asked(in_force, people)  # on Friday, 20 November; Thanksgiving is the 26th
    told = {}
    for day in range(28):
        before = OutgoingMail.objects.filter(kind="exception-reminder").count()
        for _twice in range(2):
            exceptions.look_after(at=NOW + timedelta(days=day))
        found = OutgoingMail.objects.filter(kind="exception-reminder")
        if found.count() > before:
            told[TODAY + timedelta(days=day)] = found.count() - before
    assert told == {date(2026, 11, 24): 1, date(2026, 11, 30): 1, date(2026, 12, 7): 1}
    assert {one.person for one in found} == {people["cro"]}
    assert "lapses and never held" in found.first().text


def test_who_has_answered_is_reminded_of_nothing(in_force, people):
    answered(asked(in_force, people), people, "cro")
    for day in (4, 10, 17):
        exceptions.look_after(at=NOW + timedelta(days=day))
    assert not OutgoingMail.objects.filter(kind="exception-reminder").exists()


def test_it_ends_with_its_version(in_force, people):
    one = answered(asked(in_force, people), people, "cro")
    later = NOW + timedelta(days=1)
    amendment = workflow.amend(revision=in_force, acting_user=people["cro"], at=later)
    factories.brought_into_force(amendment, people, at=later)

    assert standing(one, TODAY + timedelta(days=1)) == Standing.OVER
    assert exceptions.ended_with_revision(fresh(one))
    exceptions.look_after(at=later)
    mail = OutgoingMail.objects.get(kind="exception-ended", person=people["revops_lead"])
    assert "ended with it" in mail.text


def test_mails_a_week_before_and_at_the_end_once_each(in_force, people):
    one = answered(asked(in_force, people), people, "cro")
    before_warning = kinds()
    exceptions.look_after(at=NOW + timedelta(days=20))  # 10 December
    assert kinds() == before_warning

    told = [("Maya Lindqvist",), ("Tomas Vega",)]
    for day, kind in ((22, "exception-ends-soon"), (29, "exception-ended")):
        for _twice in range(2):
            exceptions.look_after(at=NOW + timedelta(days=day))
        mails = OutgoingMail.objects.filter(kind=kind)
        assert sorted(mails.values_list("person__name")) == told
    assert standing(one, date(2026, 12, 19)) == Standing.OVER


def test_a_short_one_is_not_warned_of(in_force, people):
    answered(asked(in_force, people, expires_on=TODAY + timedelta(days=4)), people, "cro")
    exceptions.look_after(at=NOW)
    assert not OutgoingMail.objects.filter(kind="exception-ends-soon").exists()


# --- Look-ups, lists, pages -------------------------------------------------------------------


def test_look_ups_show_what_runs_on_the_day(in_force, people):
    one = answered(asked(in_force, people), people, "cro")
    asked(in_force, people, key="vendor_management")  # not granted

    def shown(on):
        found = registry.standings(
            ["territory_planning", "vendor_management"], people["member"], on
        )
        return {key: [each.label for each in some] for key, some in found.items()}

    assert shown(TODAY) == {"territory_planning": ["Exception until 18 Dec 2026"]}
    assert shown(LAST) == shown(TODAY)
    assert shown(LAST + timedelta(days=1)) == {}
    assert shown(TODAY - timedelta(days=1)) == {}
    assert (
        one.get_absolute_url()
        in Client_of(people["member"]).get("/functions/territory_planning/").content.decode()
    )


def Client_of(person):
    client = Client()
    client.force_login(person)
    return client


def test_members_read_what_was_granted_and_no_requests(in_force, people):
    open_one = asked(in_force, people, key="vendor_management")
    granted = answered(asked(in_force, people), people, "cro")
    client = Client_of(people["member"])

    assert client.get(granted.get_absolute_url()).status_code == 200
    assert client.get(open_one.get_absolute_url()).status_code == 404
    page = client.get("/exceptions/").content.decode()
    assert "Territory planning" in page
    assert "Vendor management" not in page


def test_the_list_by_where_they_stand(in_force, people):
    client = Client_of(people["cro"])
    for show, title in (
        ("running", "No exception runs"),
        ("requested", "No exception waits for approval"),
        ("mine", "No exception waits for you"),
        ("ended", "No exception has ended yet"),
    ):
        assert title in client.get(f"/exceptions/?show={show}").content.decode()

    waiting = asked(in_force, people)
    granted = answered(asked(in_force, people, key="vendor_management"), people, "coo")
    refused = asked(in_force, people, key="vendor_management")
    answered(refused, people, "coo", approves=False, word="No.")
    shown = {
        show: [
            line.exception.pk for line in client.get(f"/exceptions/?show={show}").context["lines"]
        ]
        for show in ("running", "requested", "mine", "ended")
    }
    assert shown == {
        "running": [granted.pk],
        "requested": [waiting.pk],
        "mine": [waiting.pk],
        "ended": [refused.pk],
    }
    # What waits for the reader comes first, and stands on the page where they begin.
    assert client.get("/exceptions/").context["wanted"] == "mine"
    assert "asks for an exception to Territory planning" in client.get("/").content.decode()


def test_the_list_asks_as_much_for_many(in_force, people, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = Client_of(people["cro"])
    client.get("/exceptions/?show=requested")
    asked(in_force, people)
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get("/exceptions/?show=requested")
    for _ in range(6):
        asked(in_force, people, key="vendor_management")
        asked(in_force, people, key="master_data_management", part="products_and_employees")
    with CaptureQueriesContext(connection) as many:
        client.get("/exceptions/?show=requested")
    assert len(many) == len(few)


def test_asking_by_the_page(in_force, people):
    client = Client_of(people["revops_lead"])
    base = "/boundaries/NC-RB/1/exception/"
    assert "Territory planning" in client.get(base).content.decode()
    position = factories.row_of(in_force).position
    assert client.get(f"{base}?row={position}")["Location"] == f"{base}{position}/"
    page = client.get(f"{base}{position}/").content.decode()
    assert "The CRO and the CFO." in page

    too_long = {"what": WHAT, "reason": WHY, "last_day": "2027-05-01"}
    answer = client.post(f"{base}{position}/", too_long)
    assert answer.status_code == 422
    assert "at most 90 days" in answer.content.decode()
    assert WHAT in answer.content.decode()

    answer = client.post(f"{base}{position}/", too_long | {"last_day": "2026-12-18"})
    one = BoundaryException.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, one.get_absolute_url())
    assert one.expires_on == date(2026, 12, 19)
    assert Client_of(people["member"]).get(base).status_code == 403


def test_answering_by_the_page(in_force, people):
    one = asked(in_force, people)
    path = one.get_absolute_url()
    client = Client_of(people["cro"])
    assert "Your answer as CRO" in client.get(path).content.decode()
    assert "Your answer" not in Client_of(people["coo"]).get(path).content.decode()
    assert Client_of(people["coo"]).post(path, {"answer": "approve"}).status_code == 403

    wordless = client.post(path, {"answer": "refuse"})
    assert wordless.status_code == 422
    assert "why you refuse it" in wordless.content.decode()
    assert client.post(path, {"answer": "approve"}).status_code == 302
    page = client.get(path).content.decode()
    assert "It holds until 18 Dec 2026." in page
    assert "never extended" in page
    assert client.post(path, {"answer": "approve"}).status_code in (403, 422)


def test_taking_back_by_the_page(in_force, people):
    one = asked(in_force, people)
    path = f"{one.get_absolute_url()}take-back/"
    assert Client_of(people["cro"]).post(path).status_code == 403
    assert Client_of(people["revops_lead"]).post(path).status_code == 302
    assert standing(one) == Standing.TAKEN_BACK


def test_the_page_in_force_shows_them(in_force, people):
    answered(asked(in_force, people), people, "cro")
    page = Client_of(people["member"]).get("/boundaries/NC-RB/1/").content.decode()
    assert "until 18 Dec 2026" in page
    assert "Ask for an exception" not in page
    page = Client_of(people["coo"]).get("/boundaries/NC-RB/1/").content.decode()
    assert "Ask for an exception" in page


def test_the_api_lists_them(in_force, people):
    asked(in_force, people, key="vendor_management")
    one = answered(asked(in_force, people, key="deal_desk"), people, "cro", "cfo")
    found = Client_of(people["member"]).get("/api/v1/exceptions/").json()["results"]

    assert [each["id"] for each in found] == [one.pk]
    assert found[0] | {"answers": None} == {
        "id": one.pk,
        "document": "NC-RB",
        "revision": "NC-RB-1",
        "row": "4.1",
        "function": "deal_desk",
        "part": "",
        "what": WHAT,
        "reason": WHY,
        "last_day": "2026-12-18",
        "standing": "running",
        "requested_by": "Tomas Vega",
        "requested_by_office": "RevOps Lead",
        "requested_at": found[0]["requested_at"],
        "approvers": ["cro", "cfo"],
        "answers": None,
    }
    assert [each["office"] for each in found[0]["answers"]] == ["cro", "cfo"]
    of_cro = Client_of(people["cro"]).get("/api/v1/exceptions/?standing=requested").json()
    assert of_cro["count"] == 1


def test_words_for_every_standing():
    assert set(exception_lists.WORDS) == set(Standing)
