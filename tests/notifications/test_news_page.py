"""The page of the reader's own news, and the count in the bar."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from notifications.models import Notice
from notifications.news import tell
from tests.people.factories import PersonFactory

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
PAGE = "/news/"


def news(person, count=1, *, path="/reviews/"):
    for number in range(count):
        tell(
            [person],
            kind="comment",
            key=f"{path}-{number}",
            title=f"Daniel Osei commented on Row {number}",
            text="A word.",
            path=path,
            at=AT + timedelta(minutes=number),
        )


@pytest.fixture
def maya(client, company):
    person = PersonFactory(name="Maya Lindqvist")
    client.force_login(person)
    return person


def test_news_are_listed_newest_first_and_marked_unread(client, maya):
    news(maya, 2)
    Notice.objects.filter(title__endswith="Row 0").update(read_at=AT)

    page = client.get(PAGE).content.decode()

    assert page.index("on Row 1") < page.index("on Row 0")
    assert page.count("data-unread") == 1
    assert '<span class="count">1<' in page


def test_only_unread_on_demand(client, maya):
    news(maya, 2)
    Notice.objects.filter(title__endswith="Row 0").update(read_at=AT)
    page = client.get(PAGE, {"show": "unread"}).content.decode()
    assert "on Row 1" in page
    assert "on Row 0" not in page


def test_empty_pages_say_what_comes(client, maya):
    assert "No news yet" in client.get(PAGE).content.decode()
    news(maya)
    Notice.objects.update(read_at=AT)
    assert "Nothing new" in client.get(PAGE, {"show": "unread"}).content.decode()


def test_news_are_paged_with_as_many_queries(client, maya):
    news(maya, 2)
    with CaptureQueriesContext(connection) as few:
        client.get(PAGE)
    news(maya, 40, path="/mailbox/")
    with CaptureQueriesContext(connection) as many:
        page = client.get(PAGE).content.decode()
    assert len(many) == len(few)
    assert "Page 1 of 2" in page
    assert client.get(PAGE, {"page": 2}).status_code == 200


def test_following_a_notice_leads_to_its_place_and_marks_what_is_there_as_read(client, maya):
    news(maya, 2)
    news(maya, 1, path="/elsewhere/")
    notice = Notice.objects.filter(path="/reviews/").first()

    answer = client.get(reverse("news:follow", args=[notice.pk]))

    assert (answer.status_code, answer["Location"]) == (302, "/reviews/")
    assert Notice.objects.filter(path="/reviews/", read_at__isnull=True).count() == 0
    assert Notice.objects.filter(path="/elsewhere/", read_at__isnull=True).count() == 1


def test_nobody_follows_or_reads_the_news_of_others(client, maya):
    other = PersonFactory()
    news(other)
    notice = Notice.objects.get()

    assert client.get(reverse("news:follow", args=[notice.pk])).status_code == 404
    assert "on Row 0" not in client.get(PAGE).content.decode()
    client.post(reverse("news:all_read"))
    notice.refresh_from_db()
    assert notice.read_at is None


def test_all_are_marked_as_read(client, maya):
    news(maya, 3)
    answer = client.post(reverse("news:all_read"), follow=True)
    assert "3 marked as read." in answer.content.decode()
    assert not Notice.objects.filter(read_at__isnull=True).exists()


def test_what_came_after_the_page_was_shown_stays_new(client, maya):
    news(maya, 2)
    until = Notice.objects.latest("pk").pk
    assert f'name="until" value="{until}"' in client.get(PAGE).content.decode()
    news(maya, 1, path="/later/")
    client.post(reverse("news:all_read"), {"until": until})
    assert Notice.objects.get(read_at__isnull=True).path == "/later/"


def test_strangers_sign_in_first(client, company):
    assert client.get(PAGE).status_code == 302
    assert client.get(reverse("news:all_read")).status_code == 405
