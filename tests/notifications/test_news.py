"""Telling news: one notice per person and key, mailed at once to who wants that."""

from datetime import UTC, datetime

import pytest
from django.db import transaction

from notifications.models import Notice, OutgoingMail
from notifications.news import tell
from people.models import NewsByMail
from tests.people.factories import PersonFactory

AT = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
PATH = "/boundaries/NC-RB/4/#row-3"


def say(*people, key="thread-812", **changes):
    values = {
        "kind": "comment",
        "title": "Daniel Osei commented on Row 3, Lead routing",
        "text": "Who answers after two days?",
        "path": PATH,
        "at": AT,
    }
    tell(people, key=key, **values | changes)


@pytest.mark.django_db
def test_everybody_gets_one_notice(company):
    maya, priya = PersonFactory(), PersonFactory()
    say(maya, priya, maya)

    assert {one.person for one in Notice.objects.all()} == {maya, priya}
    notice = Notice.objects.get(person=maya)
    assert (notice.kind, notice.key, notice.path) == ("comment", "thread-812", PATH)
    assert (notice.at, notice.read_at, notice.mailed_at) == (AT, None, None)
    assert not OutgoingMail.objects.exists()


@pytest.mark.django_db
def test_telling_twice_is_telling_once(company):
    maya, priya = PersonFactory(), PersonFactory(news_by_mail="immediate")
    say(maya, priya)
    say(maya, priya, title="Something else")

    assert Notice.objects.count() == 2
    assert OutgoingMail.objects.count() == 1
    assert not Notice.objects.filter(title="Something else").exists()


@pytest.mark.django_db
def test_who_wants_it_at_once_is_mailed_at_once(company):
    maya = PersonFactory(news_by_mail=NewsByMail.IMMEDIATE)
    say(maya)

    notice, mail = Notice.objects.get(), OutgoingMail.objects.get()
    assert notice.mailed_at == AT
    assert (mail.key, mail.person, mail.subject) == (f"news-{notice.pk}", maya, notice.title)
    assert "Who answers after two days?" in mail.text
    assert "News by mail" in mail.text


@pytest.mark.django_db
def test_who_wants_no_mail_reads_it_in_the_registry(company):
    say(PersonFactory(news_by_mail=NewsByMail.OFF))

    assert Notice.objects.get().mailed_at == AT
    assert not OutgoingMail.objects.exists()


@pytest.mark.django_db
def test_deactivated_people_are_told_nothing(company):
    say(PersonFactory(is_active=False))
    assert not Notice.objects.exists()


@pytest.mark.django_db
def test_news_are_taken_back_with_what_they_tell_of(company):
    maya = PersonFactory(news_by_mail="immediate")
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        say(maya)
        raise ZeroDivisionError
    assert not Notice.objects.exists()
    assert not OutgoingMail.objects.exists()


@pytest.mark.django_db
def test_long_words_are_cut_between_words(company):
    say(PersonFactory(), title="word " * 60, text="text " * 1000)

    notice = Notice.objects.get()
    assert len(notice.title) <= 200
    assert notice.title.endswith("word…")
    assert len(notice.text) <= 4000
    assert notice.text.endswith("…")
