"""The reviews page."""

from datetime import UTC, date, datetime

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from notifications import tasks as mail_tasks
from notifications.models import OutgoingMail
from people.models import Appointment
from reviews import queries, workflow
from reviews.models import Review
from tests.reviews.factories import document, revision_in_force

NOW = datetime(2026, 4, 1, 15, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr(mail_tasks.deliver, "delay", lambda mail_id: None)
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def in_force(executives):
    revision = revision_in_force(document(executives["cro"]), executives)
    workflow.schedule(revision=revision, at=datetime(2026, 3, 2, 14, tzinfo=UTC))
    return revision


def page_of(client, person, **query):
    client.force_login(person)
    answer = client.get(reverse("reviews:list"), query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_page_asks_who_is_there(client, db):
    answer = client.get(reverse("reviews:list"))

    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))


def test_without_a_document_in_force_the_page_says_what_will_appear(client, executives):
    page = page_of(client, executives["cro"])

    assert "No document is in force yet" in page
    assert "<table" not in page
    assert page.count("<b>") >= 12, "the twelve months stand there all the same"


def test_page_shows_what_is_due_by_when_and_who_takes_part(client, executives, in_force):
    page = page_of(client, executives["member"])

    assert "Q2 2026 review" in page
    assert "2 Jun 2026" in page
    assert "in 62 days" in page
    assert "2027 full review" in page
    for name in ("Maya Lindqvist", "Daniel Osei", "Priya Raman", "Tomas Vega"):
        assert name in page
    assert 'data-state="overdue"' not in page
    assert "Nothing is late. The next review is due on 2 Jun 2026." in page


def test_late_review_is_flagged(client, executives, in_force):
    with time_machine.travel(datetime(2026, 6, 10, 15, tzinfo=UTC), tick=False):
        page = page_of(client, executives["member"])

    assert '<span class="tag" data-state="overdue">8 days late</span>' in page
    assert "1 of 4 open reviews is late." in page
    assert "Q2 2026 review, late" in page


def test_vacant_office_is_named(client, executives, in_force):
    Appointment.objects.filter(office__key="coo").update(ends_on=date(2026, 3, 20))

    assert "Chief Operating Officer: vacant" in page_of(client, executives["cro"])


@pytest.mark.parametrize(
    ("office", "offered"),
    [("cro", True), ("revops_lead", True), ("ceo", False), ("member", False)],
)
def test_reminding_is_offered_to_whom_it_is_allowed(client, executives, in_force, office, offered):
    assert ("Remind the others" in page_of(client, executives[office])) is offered


def test_reminding_is_offered_for_the_review_that_comes_next(client, executives, in_force):
    many_documents(executives, 2)

    page = page_of(client, executives["cro"])

    assert page.count('<tr id="review-') == 12
    assert page.count("Remind the others<") == 3, "one a document"


def test_reminding_from_the_page_queues_the_mails(client, executives, in_force):
    client.force_login(executives["cro"])
    review = Review.objects.order_by("due_date").first()
    answer = client.post(reverse("reviews:remind", args=[review.pk]), follow=True)

    assert "3 people reminded of the Q2 2026 review of NC-RB." in answer.content.decode()
    assert OutgoingMail.objects.count() == 3


def test_refusal_is_shown_as_a_sentence(client, executives, in_force):
    client.force_login(executives["ceo"])
    review = Review.objects.order_by("due_date").first()
    answer = client.post(reverse("reviews:remind", args=[review.pk]), follow=True)

    assert "Only the holder of one of these Offices may" in answer.content.decode()
    assert not OutgoingMail.objects.exists()


def test_looking_reminds_nobody(client, executives, in_force):
    client.force_login(executives["cro"])
    answer = client.get(reverse("reviews:remind", args=[Review.objects.first().pk]))

    assert answer.status_code == 405
    assert not OutgoingMail.objects.exists()


def test_unknown_review_is_not_found(client, executives):
    client.force_login(executives["cro"])

    assert client.post(reverse("reviews:remind", args=[404])).status_code == 404


def test_year_strip_begins_this_month_and_keeps_late_ones_in_it(in_force):
    months = queries.next_twelve_months(today=date(2026, 6, 10))

    assert [month.first for month in months][::11] == [date(2026, 6, 1), date(2027, 5, 1)]
    assert months[0].current
    assert [(mark.review.title, mark.late) for mark in months[0].marks] == [
        ("Q2 2026 review", True)
    ]
    assert [mark.full for mark in months[8].marks] == [True]
    later = queries.next_twelve_months(today=date(2026, 7, 1))
    assert [mark.late for mark in later[0].marks] == [True]


def test_crowded_month_counts_what_it_cannot_show(executives, in_force):
    many_documents(executives, 4)

    june = queries.next_twelve_months(today=date(2026, 6, 1))[0]
    assert (len(june.marks), june.more) == (3, 2)


def many_documents(executives, count):
    for number in range(count):
        revision = revision_in_force(
            document(executives["cro"], number=f"NC-{number}", company_boundary=False), executives
        )
        workflow.schedule(revision=revision, at=datetime(2026, 3, 2, 14, tzinfo=UTC))


def test_page_takes_the_same_queries_for_few_and_many_reviews(client, executives, in_force):
    page_of(client, executives["cro"])
    with CaptureQueriesContext(connection) as few:
        page_of(client, executives["cro"])
    many_documents(executives, 12)
    with CaptureQueriesContext(connection) as many:
        page = page_of(client, executives["cro"])

    assert len(many) == len(few)
    assert page.count('<tr id="review-') == 20
    assert "Page 1 of 3" in page
    assert page_of(client, executives["cro"], page=3).count('<tr id="review-') == 12
