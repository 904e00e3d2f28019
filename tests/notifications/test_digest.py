"""The digest: who gets which news when, each piece in exactly one mail."""

from datetime import UTC, datetime, timedelta

import pytest

from notifications import digest
from notifications.models import Notice, OutgoingMail
from notifications.news import tell
from people.models import NewsByMail, Person
from tests.people.factories import PersonFactory

pytestmark = pytest.mark.django_db

# Monday, 08:00 in New York.
AT = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ROW, OTHER = "/boundaries/NC-RB/4/rows/3/thread/", "/boundaries/NC-RB/4/#row-5"


def news(*people, at=AT, key="one", path=ROW, **changes):
    values = {
        "kind": "comment",
        "title": f"Daniel Osei, COO, commented on {key}",
        "text": f"Who answers {key} after two days?",
    }
    tell(people, key=key, path=path, at=at, **values | changes)


def mails():
    return list(OutgoingMail.objects.order_by("created_at", "pk"))


@pytest.fixture
def maya(company):
    return PersonFactory(name="Maya Lindqvist")


def test_one_mail_gathers_what_is_new(maya):
    news(maya, key="Row 3")
    news(maya, key="Row 5", path=OTHER)
    news(maya, key="Row 3 again", kind="mention", path="/boundaries/NC-RB/4/#row-3")

    assert digest.send_due(at=AT + MINUTE) == 1

    mail = OutgoingMail.objects.get()
    assert (mail.person, mail.kind) == (maya, "news-digest")
    assert mail.subject == "3 pieces of news, 1 mentions you"
    for part in (mail.text, mail.html):
        for words in ("Row 3 again", "after two days?", "NC-RB-4", "News by mail"):
            assert words in part
        # Both words about row 3 stand together, above one link.
        assert part.index("on Row 3<" if "<" in part else "on Row 3\n") < part.index("Row 3 again")
        assert part.index("Row 3 again") < part.index("on Row 5")
    first = Notice.objects.order_by("pk").first()
    assert f"/news/{first.pk}/" in mail.text
    assert mail.text.count("/news/") == 3  # two places, and the button
    assert set(Notice.objects.values_list("mailed_at", flat=True)) == {AT + MINUTE}


def test_one_piece_of_news_is_named_in_the_subject(maya):
    news(maya, key="Row 3")
    digest.send_due(at=AT)
    assert OutgoingMail.objects.get().subject == "Daniel Osei, COO, commented on Row 3"


def test_a_sweep_that_runs_twice_mails_once(maya):
    news(maya)
    assert [digest.send_due(at=AT), digest.send_due(at=AT)] == [1, 0]
    assert len(mails()) == 1


def test_hourly_comes_at_most_once_an_hour(maya):
    news(maya, key="one")
    digest.send_due(at=AT)
    news(maya, key="two", at=AT + 5 * MINUTE)

    assert digest.send_due(at=AT + 59 * MINUTE) == 0
    assert digest.send_due(at=AT + HOUR) == 1
    assert "two" in mails()[1].text
    assert "commented on one" not in mails()[1].text


def test_news_that_was_read_is_not_mailed(maya):
    news(maya, key="one")
    news(maya, key="two")
    Notice.objects.filter(key="one").update(read_at=AT)

    digest.send_due(at=AT)

    assert "commented on one" not in OutgoingMail.objects.get().text
    assert not Notice.objects.filter(mailed_at__isnull=True).exists()


def test_nothing_is_mailed_where_all_was_read(maya):
    news(maya)
    Notice.objects.update(read_at=AT)
    assert digest.send_due(at=AT) == 0
    assert Notice.objects.get().mailed_at == AT


@pytest.mark.parametrize(
    ("moment", "sent"),
    [
        (datetime(2026, 11, 24, 12, 59, tzinfo=UTC), 0),  # Tuesday, 07:59 in New York
        (datetime(2026, 11, 24, 13, 0, tzinfo=UTC), 1),
        (datetime(2026, 11, 24, 22, 59, tzinfo=UTC), 1),  # a sweep that was down all day
        (datetime(2026, 11, 24, 23, 0, tzinfo=UTC), 0),
        (datetime(2026, 11, 26, 14, 0, tzinfo=UTC), 0),  # Thanksgiving
        (datetime(2026, 11, 28, 14, 0, tzinfo=UTC), 0),  # Saturday
    ],
)
def test_daily_comes_in_the_morning_of_a_business_day(maya, moment, sent):
    Person.objects.update(news_by_mail=NewsByMail.DAILY)
    maya.refresh_from_db()
    news(maya, at=AT + HOUR)
    assert digest.send_due(at=moment) == sent


def test_daily_follows_the_readers_own_morning(maya):
    Person.objects.update(news_by_mail=NewsByMail.DAILY, time_zone="Europe/Vienna")
    maya.refresh_from_db()
    news(maya, at=AT)
    assert digest.send_due(at=datetime(2026, 11, 24, 7, 0, tzinfo=UTC)) == 1


def test_daily_leaves_what_came_after_the_morning_for_the_next(maya):
    Person.objects.update(news_by_mail=NewsByMail.DAILY)
    maya.refresh_from_db()
    news(maya, key="early", at=AT - HOUR)
    news(maya, key="late", at=AT + HOUR)

    assert digest.send_due(at=AT + 2 * HOUR) == 1
    assert "late" not in mails()[0].text
    assert digest.send_due(at=AT + 3 * HOUR) == 0
    assert digest.send_due(at=AT + timedelta(days=1)) == 1
    assert "late" in mails()[1].text


def test_who_turned_news_off_meanwhile_gets_none(maya):
    news(maya)
    Person.objects.update(news_by_mail=NewsByMail.OFF)

    assert digest.send_due(at=AT) == 0
    assert Notice.objects.get().mailed_at == AT
    # Turned on again, only what comes then is mailed.
    Person.objects.update(news_by_mail=NewsByMail.HOURLY)
    assert digest.send_due(at=AT + HOUR) == 0


def test_who_left_gets_none(maya):
    news(maya)
    Person.objects.update(is_active=False)
    assert digest.send_due(at=AT) == 0
    assert not OutgoingMail.objects.exists()


def test_a_long_digest_says_how_much_is_left_out(maya):
    for number in range(45):
        news(maya, key=f"number {number:02}")
    digest.send_due(at=AT)

    text = OutgoingMail.objects.get().text
    assert "number 39" in text
    assert "number 40" not in text
    assert "And 5 more, in the registry." in text
    assert not Notice.objects.filter(mailed_at__isnull=True).exists()


def test_one_persons_trouble_keeps_nobody_else_waiting(maya, monkeypatch, caplog):
    priya = PersonFactory(name="Priya Raman")
    news(maya, priya)
    really = digest._queue

    def failing(person, *args, **more):
        if person == maya:
            raise ZeroDivisionError
        return really(person, *args, **more)

    monkeypatch.setattr(digest, "_queue", failing)
    assert digest.send_due(at=AT) == 1
    assert "no digest was written" in caplog.text
    # Nothing of the one that failed is lost.
    assert Notice.objects.get(person=maya).mailed_at is None
