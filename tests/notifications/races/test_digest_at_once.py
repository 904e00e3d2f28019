"""Two workers write digests at the same moment: each piece of news is in exactly one mail."""

from datetime import UTC, datetime, timedelta

import pytest

from notifications import digest
from notifications.models import Notice, OutgoingMail
from notifications.news import tell
from tests.boundaries.races.together import at_once, refusals
from tests.people.factories import CompanyFactory, PersonFactory

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

AT = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)


def news(person, key, at=AT):
    tell([person], kind="comment", key=key, title=f"About {key}", text="", path="/news/", at=at)


def test_three_sweeps_at_once_mail_once():
    CompanyFactory()
    person = PersonFactory()
    for number in range(5):
        news(person, f"number {number}")

    outcomes = at_once(*[lambda: digest.send_due(at=AT)] * 3)

    assert refusals(outcomes) == []
    assert sorted(outcomes) == [0, 0, 1]
    mail = OutgoingMail.objects.get()
    for number in range(5):
        assert mail.text.count(f"About number {number}") == 1
    assert not Notice.objects.filter(mailed_at__isnull=True).exists()


def test_news_that_comes_during_a_sweep_is_in_this_mail_or_the_next():
    CompanyFactory()
    person = PersonFactory()
    news(person, "before")

    outcomes = at_once(lambda: digest.send_due(at=AT), lambda: news(person, "meanwhile"))
    assert refusals(outcomes) == []
    digest.send_due(at=AT + timedelta(hours=1))

    words = "".join(OutgoingMail.objects.values_list("text", flat=True))
    assert words.count("- About meanwhile") == 1
    assert words.count("- About before") == 1


def test_the_same_news_told_twice_at_once_is_one_notice():
    CompanyFactory()
    person = PersonFactory(news_by_mail="immediate")
    outcomes = at_once(lambda: news(person, "once"), lambda: news(person, "once"))
    assert refusals(outcomes) == []
    assert Notice.objects.count() == OutgoingMail.objects.count() == 1
