"""What a successor takes over, as pages, notices and the API show it."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.models import Event
from boundaries import succession, verification, workflow
from boundaries.models import Revision, Signature, Succession
from boundaries.states import State
from people import registry
from people.models import Appointment, Office
from people.registry import PlannedHolder
from tests.boundaries import factories
from tests.boundaries.factories import handed_over
from tests.people.factories import PersonFactory

pytestmark = pytest.mark.django_db

FIRST = date(2027, 2, 1)
NOW = datetime(2027, 2, 2, 15, tzinfo=UTC)  # Tuesday, 10:00 in New York
WISH = "Row 4.3 needs one more person on my team.\n\n- from March"
RESERVATION = "First contact within 3 business days needs one more person on my team."


@pytest.fixture(autouse=True)
def _today():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def in_force(people, functions):
    """Signed by Daniel with a reservation; in force since 20 Nov 2026."""
    revision = factories.effective(factories.draft(people), people, factories.TODAY)
    factories.all_agree(revision, people)
    factories.frozen(revision, people)
    for office in ("cro", "coo", "cfo"):
        reservation = RESERVATION if office == "coo" else ""
        workflow.cosign(
            revision=revision,
            intent=factories.authenticated_intent(
                revision, people[office], reservation=reservation
            ),
            session_key=factories.SESSION,
            acting_user=people[office],
            at=factories.NOW,
        )
    factories.approved(revision, people)
    return factories.fresh(revision)


@pytest.fixture
def nadia(in_force):
    person = PersonFactory(name="Nadia Haddad")
    handed_over(person, "coo", on=FIRST)
    return person


@pytest.fixture
def taken_over(nadia):
    succession.begin_due(at=datetime(2027, 2, 1, 14, tzinfo=UTC))
    return Succession.objects.get()


def browser(person):
    client = Client()
    client.force_login(person)
    return client


def path(one):
    return reverse("boundaries:succession", args=[one.pk])


def text(answer):
    return answer.content.decode()


def told(answer):
    return " ".join(str(one) for one in get_messages(answer.wsgi_request))


# --- Who gets which page ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("cro", 200),
        ("ceo", 200),
        ("revops_lead", 200),
        ("corporate_secretary", 200),
        ("auditor", 200),
        ("coo", 404),  # Daniel has left
        ("member", 404),
        ("administrator", 404),
    ],
)
def test_readers_of_drafts_read_it(taken_over, people, who, status):
    client = browser(people[who])
    assert client.get(path(taken_over)).status_code == status
    listed = text(client.get(reverse("boundaries:successions")))
    assert ("Nadia Haddad" in listed) is (status == 200)


def test_nobody_reads_it_unseen(taken_over):
    answer = Client().get(path(taken_over))
    assert answer.status_code == 302
    assert "login" in answer["Location"]


def test_the_successor_reads_it_after_leaving_too(taken_over, nadia):
    handed_over(PersonFactory(name="Robin Hale"), "coo", on=date(2027, 2, 2))
    page = text(browser(nadia).get(path(taken_over)))
    assert "Nothing to answer any more." in page
    assert "Nadia Haddad no longer holds the Office of the COO." in page
    assert "<form" not in page[page.index('id="answer"') :]


# --- What it shows ----------------------------------------------------------------------------


def test_page_shows_what_is_taken_over(taken_over, nadia, people):
    page = text(browser(nadia).get(path(taken_over)))
    assert "What you take over as COO" in page
    assert "1 function, and parts of 1 other." in page
    assert "Daniel Osei signed v1 for your Office" in page
    assert "Acknowledge it or ask for an amendment by 16 Feb 2027" in page
    assert "9 business days left" in page
    assert "15 Feb 2027 is Washington&#x27;s Birthday" in page
    assert "Vendor management" in page
    assert "Products and employees" in page
    assert "Territory planning" not in page
    assert "With reservation" in page
    assert RESERVATION in page
    assert "Execution plan of v1" in page
    assert "Reviews that come" in page
    assert "People you meet first" in page
    assert page.count('data-kind="primary"') == 1


def test_page_says_so_without_a_reservation(taken_over, people):
    handed_over(PersonFactory(name="Robin Hale"), "cfo", on=FIRST)
    succession.begin_due(at=NOW)
    page = text(browser(people["ceo"]).get(path(Succession.objects.get(office="cfo"))))
    assert "Without reservation" in page
    assert "What Robin Hale takes over as CFO" in page
    assert "has not answered yet" in page
    assert 'data-kind="primary"' not in page


def test_what_is_open_is_listed_and_confirmed_with_one_action(taken_over, nadia, people, in_force):
    early = NOW - timedelta(days=10)
    draft = workflow.amend(revision=in_force, acting_user=people["cro"], at=early)
    factories.all_agree(draft, people, parties=["coo"], at=early)
    factories.agreeing.contest(
        clause=factories.row_of(draft), reason="Not ours.", acting_user=people["coo"], at=early
    )
    client = browser(nadia)
    answer = client.get(path(taken_over))
    page = text(answer)
    assert "16 agreements in Northwind Cloud RevOps boundary, draft v2" in page
    assert "Confirm the 16 agreements" in page
    assert "ends when you agree" in page
    (waiting,) = answer.context["takeover"].confirmations
    posted = client.post(
        reverse("boundaries:confirm_predecessors", args=["NC-RB", 2]),
        {"read": waiting.tokens, "takeover": taken_over.pk},
    )
    assert posted["Location"] == path(taken_over)
    assert told(posted) == "You confirmed 16 agreements in NC-RB-2."
    assert "Confirm the" not in text(client.get(path(taken_over)))
    # Others see that it waits, and cannot act on it.
    assert "Confirm the" not in text(browser(people["cro"]).get(path(taken_over)))


def test_a_signature_that_is_owed_is_open(taken_over, nadia, people, in_force):
    draft = workflow.amend(revision=in_force, acting_user=people["cro"], at=NOW)
    draft = factories.effective(draft, people, date(2027, 4, 1), at=NOW)
    factories.all_agree(draft, {**people, "coo": nadia}, at=NOW)
    factories.frozen(draft, people, at=NOW)
    page = text(browser(nadia).get(path(taken_over)))
    assert "waits for the COO’s signature" in page
    assert "/boundaries/NC-RB/2/sign/" in page


# --- Answering --------------------------------------------------------------------------------


def test_successor_acknowledges(taken_over, nadia):
    client = browser(nadia)
    answer = client.post(path(taken_over), {"answer": "acknowledged", "wish": ""})
    assert answer["Location"] == path(taken_over)
    assert told(answer) == "You acknowledged NC-RB-1."
    page = text(client.get(path(taken_over)))
    assert "acknowledged v1" in page
    assert "10:00 EST" in page
    assert 'data-kind="primary"' not in page
    again = client.post(path(taken_over), {"answer": "acknowledged"})
    assert again.status_code == 422
    assert "has answered for the COO already" in text(again)


def test_successor_asks_for_an_amendment(taken_over, nadia, people):
    client = browser(nadia)
    answer = client.post(path(taken_over), {"answer": "amendment", "wish": WISH})
    draft = Revision.objects.get(state=State.DRAFT)
    assert "it is negotiated in NC-RB-2" in told(answer)
    page = text(client.get(path(taken_over)))
    assert "Row 4.3 needs one more person" in page
    assert draft.get_absolute_url() in page
    board = text(browser(people["cro"]).get(draft.get_absolute_url()))
    assert "Nadia Haddad asked for this amendment" in board
    assert "Row 4.3 needs one more person" in board


def test_a_queued_wish_says_that_it_waits(taken_over, nadia, people, in_force):
    draft = workflow.amend(revision=in_force, acting_user=people["cro"], at=NOW)
    draft = factories.effective(draft, people, date(2027, 4, 1), at=NOW)
    factories.all_agree(draft, {**people, "coo": nadia}, at=NOW)
    factories.frozen(draft, people, at=NOW)
    client = browser(nadia)
    answer = client.post(path(taken_over), {"answer": "amendment", "wish": WISH})
    assert "the wish enters the next draft" in told(answer)
    assert "enters the next draft" in text(client.get(path(taken_over)))


@pytest.mark.parametrize(
    ("posted", "words"),
    [
        ({"answer": "amendment", "wish": " "}, "Say what should change"),
        ({"answer": "amendment", "wish": "x" * 3001}, "3000"),
        ({"answer": "perhaps", "wish": "typed already"}, "Choose one of the two answers."),
        ({}, "Choose one of the two answers."),
    ],
)
def test_what_was_typed_is_kept(taken_over, nadia, posted, words):
    events = Event.objects.count()
    answer = browser(nadia).post(path(taken_over), posted)
    assert answer.status_code == 422
    assert words in text(answer)
    assert posted.get("wish", "").strip() in text(answer)
    assert Succession.objects.get().answer == ""
    assert Event.objects.count() == events


def test_a_ceo_is_told_to_have_a_stand_in_named(in_force, people):
    handed_over(people["ceo"], "coo", on=FIRST)
    succession.begin_due(at=NOW)
    page = text(browser(people["ceo"]).get(path(Succession.objects.get())))
    assert "name another person Acting COO, who then answers" in page
    assert 'value="acknowledged"' not in page


@pytest.mark.parametrize("who", ["cro", "ceo", "corporate_secretary"])
def test_others_cannot_answer(taken_over, people, who):
    answer = browser(people[who]).post(path(taken_over), {"answer": "acknowledged"})
    assert answer.status_code == 403
    assert Succession.objects.get().answer == ""


# --- The list ---------------------------------------------------------------------------------


def test_list_is_empty_before_anything_was_handed_over(people, functions):
    page = text(browser(people["ceo"]).get(reverse("boundaries:successions")))
    assert "Nothing was handed over yet" in page


def many(revision, count, *, answered=False):
    """Successions of people who held the Office for a day each, long ago."""
    office, first = Office.objects.get(key="coo"), date(2020, 1, 1)
    start = Appointment.objects.count()
    for number in range(start, start + count):
        person = PersonFactory()
        day = first + timedelta(days=2 * number)
        appointment = Appointment.objects.create(
            person=person, office=office, starts_on=day, ends_on=day + timedelta(days=1)
        )
        Succession.objects.create(
            revision=revision,
            office="coo",
            appointment=appointment,
            predecessor_name="Daniel Osei",
            began_at=NOW - timedelta(days=number),
            due_date=day,
            **(
                {"answer": "acknowledged", "answered_at": NOW, "answered_by_name": person.name}
                if answered
                else {}
            ),
        )


def test_list_costs_the_same_queries_for_one_and_three_hundred(taken_over, people, in_force):
    client, url = browser(people["ceo"]), reverse("boundaries:successions")
    client.get(url)

    def cost():
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(url)
        return len(captured), answer

    few, _ = cost()
    many(in_force, 150)
    many(in_force, 150, answered=True)
    queries, answer = cost()
    assert queries == few
    assert "Page 1 of 16" in text(answer)
    # What waits stands first.
    assert answer.context["lines"][0] == (taken_over, "open")
    assert {standing for _, standing in answer.context["lines"][1:]} <= {"ended", "acknowledged"}


def test_page_costs_the_same_queries_however_many_rows(taken_over, nadia, people, in_force):
    client = browser(nadia)
    client.get(path(taken_over))

    def cost():
        with CaptureQueriesContext(connection) as captured:
            client.get(path(taken_over))
        return len(captured)

    few = cost()
    many(in_force, 50)
    assert cost() == few


# --- Elsewhere --------------------------------------------------------------------------------


def test_in_force_page_shows_the_predecessor_and_leads_the_successor_on(
    taken_over, nadia, people, in_force
):
    page = text(browser(nadia).get(in_force.get_absolute_url()))
    assert "You took over what Daniel Osei signed as COO" in page
    assert path(taken_over) in page
    member = text(browser(people["member"]).get(in_force.get_absolute_url()))
    assert member.count("Signed by the predecessor.") == 1
    assert "Nadia Haddad answers for it by 16 Feb 2027." in member
    assert path(taken_over) not in member
    succession.ask_for_amendment(succession=taken_over, wish=WISH, acting_user=nadia, at=NOW)
    member = text(browser(people["member"]).get(in_force.get_absolute_url()))
    assert "Nadia Haddad asked for an amendment." in member
    assert "one more person on my team.\n" not in member


def test_in_force_page_names_nobody_where_nothing_changed(people, in_force):
    assert "predecessor" not in text(browser(people["member"]).get(in_force.get_absolute_url()))


def test_look_up_page_tells_the_successor(taken_over, nadia, people):
    page = text(browser(nadia).get("/"))
    assert "Daniel Osei signed NC-RB-1 for the Office of the COO" in page
    assert path(taken_over) in page
    assert path(taken_over) not in text(browser(people["cro"]).get("/"))


def test_api_says_who_signed_as_predecessor_and_what_the_successor_answered(
    taken_over, nadia, people, in_force
):
    def read():
        return browser(people["member"]).get("/api/v1/documents/NC-RB/revisions/1/").json()

    data = read()
    assert {one["office"]: one["by_predecessor"] for one in data["signatures"]} == {
        "cro": False,
        "coo": True,
        "cfo": False,
        "ceo": False,
    }
    assert data["successions"] == [
        {
            "office": "coo",
            "predecessor": "Daniel Osei",
            "successor": "Nadia Haddad",
            "due_date": "2027-02-16",
            "standing": "open",
            "answered_at": None,
        }
    ]
    succession.ask_for_amendment(succession=taken_over, wish=WISH, acting_user=nadia, at=NOW)
    data = read()
    assert data["successions"][0]["standing"] == "amendment"
    assert "one more person on my team" not in str(data["successions"])


def test_public_page_says_which_office_changed_hands_and_no_name(taken_over, in_force):
    (words,) = verification._handed_over(in_force)
    assert words == (
        "Signed by the predecessor for the COO: the Office has changed hands since. The signature "
        "stays valid."
    )


# --- What recording it will do, and what a person signed -----------------------------------------


def effects(person, office, **more):
    planned = PlannedHolder(
        **{
            "person": person,
            "office": Office.objects.get(key=office),
            "starts_on": date(2027, 2, 8),
            "ends_on": None,
            "acting": False,
            **more,
        }
    )
    return [(one.text, one.note) for one in registry.effects(planned)]


def test_signatures_are_acts_by_an_appointment_also_when_voided(in_force, people):
    coo = Appointment.objects.get(person=people["coo"])
    given = Signature.objects.get(appointment=coo)
    assert registry.acts_by(coo) == [given.signed_at]
    Signature.objects.filter(pk=given.pk).update(voided_at=NOW, void_reason="Returned")
    assert registry.acts_by(coo) == [given.signed_at]
    assert registry.acts_by(Appointment.objects.get(person=people["revops_lead"])) == []


def test_effects_of_a_new_holder(in_force, people):
    early = NOW - timedelta(days=1)
    draft = workflow.amend(revision=in_force, acting_user=people["cro"], at=early)
    factories.all_agree(draft, people, parties=["coo"], at=early)
    nadia = PersonFactory(name="Nadia Haddad")
    found = effects(nadia, "coo")
    assert found == [
        ("NC-RB-1 stays in force and shows “signed by the predecessor”", ""),
        (
            "Nadia Haddad has until 23 Feb 2027 to acknowledge it or ask for an amendment",
            ("10 business days, 8 Feb 2027 counts as 0; 15 Feb 2027 is Washington's Birthday"),
        ),
        (
            (
                "17 agreements of Daniel Osei in draft v2 of Northwind Cloud RevOps boundary wait "
                "for Nadia Haddad"
            ),
            "Marked as Daniel Osei’s, and not counted, until confirmed",
        ),
    ]
    # For the same human being, and for an Office that signs nothing, there is nothing of it.
    assert effects(people["coo"], "coo") == []
    assert effects(nadia, "auditor") == []


def test_effects_while_a_text_is_signed(people, functions):
    factories.in_state(State.COSIGNING, people)
    nadia = PersonFactory(name="Nadia Haddad")
    assert effects(nadia, "cfo") == [
        (
            "NC-RB-1 waits for the signature of Nadia Haddad as the CFO from 8 Feb 2027",
            "Signatures that were given stay valid",
        )
    ]
    stand_in = effects(
        nadia, "cfo", acting=True, starts_on=date(2027, 2, 2), ends_on=date(2027, 3, 1)
    )
    assert stand_in == [
        (
            "NC-RB-1 waits for the signature of Nadia Haddad as Acting CFO",
            "Signatures that were given stay valid",
        )
    ]
    assert effects(nadia, "coo") == []  # it has signed, and nothing is in force


def test_account_shows_what_a_person_signed(in_force, people):
    facts = registry.account_facts(people["coo"])
    assert [(one.term, one.words, one.url) for one in facts] == [
        ("You signed", "NC-RB-1 as COO, 20 Nov 2026", "/boundaries/NC-RB/1/"),
        ("Your signatures", "All 1, with their evidence", "/signatures/"),
    ]
    assert [(one.term, one.words) for one in registry.account_facts(people["member"])] == [
        ("Your signatures", "None given yet")
    ]
