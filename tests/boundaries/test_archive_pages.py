"""The archive's pages: who sees them, what they say, paging, and what a disposed Revision shows."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.models import Event
from boundaries.archive import holds, retention
from boundaries.models import Disposal, Document, ErasureRequest, Freeze, LegalHold, Revision
from boundaries.states import State
from notifications.models import Notice
from tests.boundaries import archived
from tests.boundaries.archived import LONG_AGO, WHY
from tests.people.factories import PersonFactory

LIST, HOLDS, TERM = "boundaries:archive", "boundaries:holds", "boundaries:retention"
KEEPERS = ("ceo", "corporate_secretary", "auditor")
REASON = "A claim may come."


@pytest.fixture
def people(company, monkeypatch):
    return archived.everybody(monkeypatch)


@pytest.fixture
def page(client, people):
    """The words of a page, as the holder of an Office reads it."""

    def get(name, *args, by="corporate_secretary", status=200, **query):
        client.force_login(people[by])
        response = client.get(reverse(name, args=args), query)
        assert response.status_code == status
        return response.content.decode()

    return get


@pytest.fixture
def post(client, people):
    def send(name, *args, by="corporate_secretary", **data):
        client.force_login(people[by])
        return client.post(reverse(name, args=args), data, follow=True)

    return send


def recorded(people, number, *, ended=LONG_AGO, state=State.SUPERSEDED):
    """A record without the long way there: a Revision with one freeze."""
    document, _ = Document.objects.get_or_create(
        number="NC-MANY", defaults={"title": "Many", "opened_by": people["cro"]}
    )
    revision = Revision.objects.create(
        document=document,
        number=number,
        state=state,
        effective_date=ended.date(),
        opened_by=people["cro"],
        opened_by_name="Maya Lindqvist",
        opened_by_office="CRO",
        opened_at=ended - timedelta(days=2),
        in_force_from=ended - timedelta(days=1),
        in_force_until=ended,
    )
    Freeze.objects.create(
        revision=revision,
        number=1,
        content=b"{}",
        content_sha256=f"{number:064}",
        frozen_at=ended - timedelta(days=2),
        frozen_by=people["cro"],
        frozen_by_name="Maya Lindqvist",
        frozen_by_office="CRO",
    )
    return revision


def test_only_keepers_read_the_archive(page, people):
    for office in people:
        status = 200 if office in KEEPERS else 403
        for name in (LIST, HOLDS, TERM):
            page(name, by=office, status=status)
    for office in people:
        status = 200 if office in ("administrator", "ceo", "corporate_secretary") else 403
        page("boundaries:erasures", by=office, status=status)
        page("boundaries:ask_erasure", by=office, status=200 if office == "administrator" else 403)


def test_empty_lists_say_what_will_stand_there(page):
    for show, words in (
        ("all", "No record yet"),
        ("due", "Nothing may be disposed of"),
        ("soon", "No retention ends within 90 days"),
        ("held", "No record is under a legal hold"),
        ("disposed", "Nothing was disposed of yet"),
        ("what?", "No record yet"),
    ):
        assert words in page(LIST, show=show)
    assert "No legal hold stands" in page(HOLDS)
    assert "No hold was lifted yet" in page(HOLDS, show="lifted")
    assert "No erasure was asked for yet" in page("boundaries:erasures")


def test_filters_let_through_what_they_say(page, people):
    now = timezone.now()
    recorded(people, 1)
    recorded(people, 2, ended=now - timedelta(days=7 * 365 - 30))
    recorded(people, 3, ended=now - timedelta(days=100))

    def shown(show):
        words = page(LIST, show=show)
        return [number for number in (1, 2, 3) if f"NC-MANY-{number}<" in words]

    assert [shown(show) for show in ("all", "due", "soon", "held")] == [[1, 2, 3], [1], [2], []]
    assert "Kept until" in page(LIST)
    holds.place(document=None, matter="Case 1", reason=REASON, acting_user=people["ceo"], at=now)
    assert [shown(show) for show in ("due", "held")] == [[], [1, 2, 3]]


def queries_of(client, url):
    with CaptureQueriesContext(connection) as caught:
        assert client.get(url).status_code == 200
    return len(caught)


def test_lists_page_and_ask_the_same_number_of_queries(client, people):
    now = timezone.now()
    client.force_login(people["corporate_secretary"])

    def many(first, last):
        for number in range(first, last):
            revision = recorded(people, number)
            holds.place(
                document=revision.document if number % 2 else None,
                matter=f"Case {number}",
                reason=REASON,
                acting_user=people["ceo"],
                at=now,
            )
            other = PersonFactory(name=f"Person {number}")
            ErasureRequest.objects.create(
                person=other,
                reason="Letter",
                asked_by=people["administrator"],
                asked_by_name="Joan Petit",
                asked_by_office="Administrator",
                asked_at=now,
            )

    urls = [reverse(name) for name in (LIST, HOLDS, "boundaries:erasures")]
    many(1, 2)
    for url in urls:
        client.get(url)  # what is looked up once per process
    few = [queries_of(client, url) for url in urls]
    many(2, 26)
    assert [queries_of(client, url) for url in urls] == few
    assert few[0] <= 24
    for url in urls:
        assert "Page 2 of 2" in client.get(url, {"page": 2}).content.decode()


# --- The term, holds --------------------------------------------------------------------------


def test_term_is_asked_for_and_confirmed_on_its_page(page, post):
    assert "It has been 7 years from the beginning." in page(TERM)
    response = post(TERM, years=10, reason="Tax law.")
    assert "You asked for another term." in response.content.decode()
    assert "Iris Novak asks for 10 years" in page(TERM, by="ceo")
    assert "It waits for another person’s answer." in page(TERM, by="auditor")
    assert 'name="answer"' not in page(TERM)
    response = post(TERM, by="ceo", answer="confirm")
    assert "10 years after a version was superseded" in response.content.decode()
    assert retention.terms().years == 10


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"years": "0", "reason": "x"}, "Give at least 1 year."),
        ({"years": "seven", "reason": "x"}, "Give a whole number of years, such as 7."),
        ({"years": "7.5", "reason": "x"}, "Give a whole number of years, such as 7."),
        ({"years": "99", "reason": "x"}, "Give at most 30 years."),
        ({"years": "7", "reason": "x"}, "Records are kept for 7 years already."),
        ({"years": "8", "reason": ""}, "Say why records are to be kept for so long."),
    ],
)
def test_bad_term_is_told_and_kept_in_the_form(post, data, words):
    response = post(TERM, **data)
    assert response.status_code == 422
    text = response.content.decode()
    assert words in text
    assert f'value="{data["years"]}"' in text
    assert not Event.objects.exists()


def test_refusing_needs_a_word(people, post):
    post(TERM, years=10, reason="Tax law.")
    response = post(TERM, by="ceo", answer="refuse")
    assert response.status_code == 422
    assert "Say in a sentence why you refuse it." in response.content.decode()
    post(TERM, by="ceo", answer="refuse", word="Too long.")
    assert retention.waiting() is None
    assert "Too long." in post(TERM, years=11, reason="Tax law.").content.decode()
    post(TERM, take_back="1")
    assert retention.waiting() is None


def test_who_may_not_act_is_refused_by_the_page(post, people):
    for by, data in (
        ("auditor", {"years": 10, "reason": "x"}),
        ("ceo", {"years": 10, "reason": "x"}),
    ):
        assert post(TERM, by=by, **data).status_code == 403
    assert post(HOLDS, by="auditor", matter="M", reason="R").status_code == 403
    assert not LegalHold.objects.exists()
    assert not Event.objects.exists()


def test_hold_is_placed_seen_and_lifted_on_its_pages(page, post, people, draft):
    response = post(HOLDS, document=draft.document_id, matter="Case 26-114", reason="")
    assert response.status_code == 422
    assert "Say why nothing may be disposed of." in response.content.decode()
    post(HOLDS, document=draft.document_id, matter="Case 26-114", reason=REASON)
    hold = LegalHold.objects.get()
    assert "Case 26-114" in page(HOLDS, by="auditor")
    shown = page("boundaries:hold", hold.pk, by="auditor")
    assert REASON in shown
    assert "Lift the hold" not in shown
    response = post("boundaries:hold", hold.pk, by="ceo", reason="Settled.")
    assert "Settled." in response.content.decode()
    assert "Case 26-114" in page(HOLDS, show="lifted")
    assert post("boundaries:hold", hold.pk, reason="Again.").status_code == 422


# --- A record and its disposal ----------------------------------------------------------------


@pytest.fixture
def old(people, functions):
    return archived.superseded(people)


def test_disposal_goes_through_the_pages(page, post, old, client, people):
    record = ("boundaries:record", "NC-RB", 1)
    assert "Propose the disposal" in page(*record)
    assert "is in force or on its way" in page("boundaries:record", "NC-RB", 2)
    assert post(*record, reason=" ").status_code == 422
    post(*record, reason=WHY)
    assert WHY in page(*record, by="auditor")
    assert "It waits for another person’s answer." in page(*record, by="auditor")
    assert "Waits for the CEO" in page(LIST)
    assert post(*record, by="auditor", answer="confirm").status_code == 403
    assert archived.whole(old) == 2
    response = post(*record, by="ceo", answer="confirm")
    assert "Its files were disposed of on" in response.content.decode()
    assert archived.whole(old) == 0
    assert "none, 2 disposed of" in page(LIST, show="disposed")

    # Everybody reads in words what is gone; nothing breaks.
    for by in ("member", "cro"):
        shown = page("boundaries:revision", "NC-RB", 1, by=by)
        assert "The files of this version were disposed of on" in shown
        assert "Iris Novak, Corporate Secretary, proposed it" in shown
        assert "sealed.pdf" not in shown
        assert "is being made" not in shown
        assert "Its PDF was disposed of on" in page("boundaries:text", "NC-RB", 1, by=by)
        page("boundaries:compare", "NC-RB", by=by, **{"from": 1, "to": 2})
        for name in ("sealed_pdf", "signing_copy"):
            client.force_login(people["cro"])
            response = client.get(reverse(f"boundaries:{name}", args=["NC-RB", 1]), follow=True)
            assert response.status_code == 200
            assert "This file was disposed of on" in response.content.decode()
    answer = client.get(reverse("api-revision", args=["NC-RB", 1])).json()
    assert answer["pdf"] is None
    assert answer["disposed_at"]
    assert answer["pdf_sha256"]
    assert answer["content"]["revision"]["reference"] == "NC-RB-1"


def test_record_says_what_stands_in_the_way(page, post, old, people):
    holds.place(
        document=old.document,
        matter="Case 26-114",
        reason=REASON,
        acting_user=people["ceo"],
        at=timezone.now(),
    )
    shown = page("boundaries:record", "NC-RB", 1)
    assert "so nothing of NC-RB-1 is disposed of" in shown
    assert REASON in shown
    response = post("boundaries:record", "NC-RB", 1, reason=WHY)
    assert response.status_code == 422
    assert not Disposal.objects.exists()
    # Whoever reads the archive sees the hold beside the document; nobody else does.
    for by, seen in (("auditor", True), ("ceo", True), ("cro", False), ("member", False)):
        assert ("Case 26-114" in page("boundaries:revision", "NC-RB", 1, by=by)) == seen


def test_record_that_was_never_frozen_is_none(page, draft):
    page("boundaries:record", "NC-RB", 1, status=404)
    page("boundaries:record", "NC-RB", 9, status=404)


def test_api_lists_what_the_page_lists(client, people, old):
    client.force_login(people["auditor"])
    url = reverse("api-archive")
    first, second = client.get(url).json()["results"]
    assert (first["revision"], first["kept_until"]) == ("NC-RB-2", None)
    assert second["revision"] == "NC-RB-1"
    assert second["kept_until"].startswith("2025-11-21T")
    assert (second["may_be_disposed_of"], second["files"]) == (True, 2)
    assert [one["revision"] for one in client.get(url, {"show": "due"}).json()["results"]] == [
        "NC-RB-1"
    ]
    client.force_login(people["cro"])
    assert client.get(url).status_code == 403


# --- Erasure ----------------------------------------------------------------------------------


def test_erasure_goes_through_the_pages(page, post, people):
    robin = PersonFactory(name="Robin Hale")
    Notice.objects.create(
        person=robin, key="n", kind="thread", title="Secret", path="/", at=timezone.now()
    )
    asking = ("boundaries:ask_erasure",)
    shown = page(*asking, by="administrator", person=robin.pk)
    assert "1 piece of news" in shown
    assert "The account’s name and address" in shown
    response = post(*asking, by="administrator", person=robin.pk, reason="")
    assert response.status_code == 422
    assert "Name the request" in response.content.decode()
    assert "1 piece of news" in response.content.decode()
    post(*asking, by="administrator", person=robin.pk, reason="Letter of 3 November")
    one = ErasureRequest.objects.get()
    assert 'name="answer"' not in page("boundaries:erasure", one.pk, by="administrator")
    assert post("boundaries:erasure", one.pk, by="administrator", answer="confirm").status_code == (
        403
    )
    response = post("boundaries:erasure", one.pk, by="ceo", answer="confirm")
    assert "Erased were 0 texts beside the log, what 0 mails said, and 1 piece of news." in (
        response.content.decode()
    )
    assert Notice.objects.get(key="n").title.startswith("Erased on")
    assert "Erased" in page("boundaries:erasures")


def test_nothing_to_erase_is_said(page, people):
    robin = PersonFactory(name="Robin Hale")
    shown = page("boundaries:ask_erasure", by="administrator", person=robin.pk)
    assert "Nothing that may be erased now." in shown
    assert "Ask for it" not in shown
    assert "Choose a person" in page("boundaries:ask_erasure", by="administrator", person="x")
