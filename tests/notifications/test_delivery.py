"""Sending: claimed once, tried until it works, never lost."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail as outbox
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection

from notifications import delivery, tasks
from notifications.mail import message_id
from notifications.models import OutgoingMail
from tests.people.factories import CompanyFactory, PersonFactory

AT = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)


def owed(key="one", **changes):
    person = changes.pop("person", None) or PersonFactory(name=f"Vega, {key}")
    values = {
        "key": key,
        "kind": "review.reminder",
        "person": person,
        "name": person.name,
        "address": person.email,
        "subject": f"About {key}",
        "text": "Words",
        "html": "<p>Words</p>",
        "message_id": message_id(key),
        "created_at": AT,
        "not_before": AT,
    }
    return OutgoingMail.objects.create(**values | changes)


@pytest.fixture
def server_down(monkeypatch):
    def refuse(self, messages):
        raise ConnectionRefusedError("no mail server here")

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    return monkeypatch


DUMMY = "django.core.mail.backends.dummy.EmailBackend"


@pytest.mark.parametrize(
    ("demo", "backend", "kept"),
    [(False, None, False), (True, None, False), (False, DUMMY, False), (True, DUMMY, True)],
)
def test_a_mail_with_a_secret_is_wiped_once_it_was_sent(db, settings, demo, backend, kept):
    CompanyFactory(is_demo=demo)
    if backend:
        settings.EMAIL_BACKEND = backend
    mail = owed(sensitive=True, text="A secret link", html="<p>A secret link</p>")
    assert delivery.deliver(mail.pk, at=AT)
    mail.refresh_from_db()
    assert mail.state == "sent"
    # The demo's mailbox page is the only place where anybody could read it.
    assert ("A secret link" in mail.text, "A secret link" in mail.html) == (kept, kept)


def test_mail_is_sent_with_both_parts_and_its_own_id(db):
    mail = owed()

    assert delivery.deliver(mail.pk, at=AT)

    (sent,) = outbox.outbox
    assert sent.to == [f'"Vega, one" <{mail.address}>']
    assert sent.subject == "About one"
    assert sent.body == "Words"
    assert sent.alternatives[0].content == "<p>Words</p>"
    assert sent.message()["Message-ID"] == mail.message_id
    assert sent.message()["Auto-Submitted"] == "auto-generated"
    mail.refresh_from_db()
    assert (mail.state, mail.attempts, mail.last_error) == ("sent", 1, "")
    assert mail.sent_at is not None


def test_sent_mail_is_not_sent_again(db):
    mail = owed()
    delivery.deliver(mail.pk, at=AT)

    assert not delivery.deliver(mail.pk, at=AT)
    tasks.deliver(mail.pk)
    delivery.deliver_owed(at=AT + timedelta(days=2))

    assert len(outbox.outbox) == 1


def test_mail_that_is_not_there_is_passed_over(db):
    assert not delivery.deliver(404, at=AT)


def test_failure_puts_the_mail_back_with_a_growing_wait(db, server_down, caplog):
    mail = owed()
    waits = []
    at = AT
    for _ in range(9):
        assert not delivery.deliver(mail.pk, at=at)
        mail.refresh_from_db()
        assert mail.state == "queued"
        waits.append((mail.not_before - at).total_seconds() / 60)
        at = mail.not_before

    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert mail.attempts == 9
    assert mail.last_error == "ConnectionRefusedError: no mail server here"
    alarms = [one for one in caplog.records if one.levelname == "ERROR"]
    assert len(alarms) == 5, "an alarm from the fifth attempt on"


def test_mail_put_back_waits_its_time_and_then_goes(db, server_down):
    mail = owed()
    delivery.deliver(mail.pk, at=AT)
    server_down.undo()

    assert not delivery.deliver(mail.pk, at=AT + timedelta(seconds=30))
    assert delivery.deliver_owed(at=AT + timedelta(seconds=30)) == 0
    assert delivery.deliver_owed(at=AT + timedelta(minutes=1)) == 1
    mail.refresh_from_db()
    assert (mail.state, mail.attempts, mail.last_error) == ("sent", 2, "")


def test_server_that_takes_no_mail_counts_as_failure(db, monkeypatch):
    monkeypatch.setattr(EmailBackend, "send_messages", lambda self, messages: 0)
    mail = owed()

    assert not delivery.deliver(mail.pk, at=AT)
    mail.refresh_from_db()
    assert mail.state == "queued"
    assert mail.last_error.startswith("NotSent")


def test_sweep_sends_all_that_is_owed_oldest_first(db):
    later = owed("later", not_before=AT - timedelta(minutes=1))
    first = owed("first", not_before=AT - timedelta(minutes=5))
    owed("not yet", not_before=AT + timedelta(minutes=1))

    assert delivery.deliver_owed(at=AT) == 2
    assert [one.subject for one in outbox.outbox] == [first.subject, later.subject]


def test_sweep_stops_early_when_the_server_is_down(db, server_down):
    for number in range(6):
        owed(f"mail {number}")

    assert delivery.deliver_owed(at=AT) == 0
    assert OutgoingMail.objects.filter(attempts=1).count() == 3
    assert OutgoingMail.objects.filter(state="queued").count() == 6


def test_one_bad_mail_does_not_hold_up_the_others(db):
    owed("bad", subject="two\nlines", not_before=AT - timedelta(minutes=5))
    for number in range(4):
        owed(f"good {number}")

    assert delivery.deliver_owed(at=AT) == 4
    bad = OutgoingMail.objects.get(key="bad")
    assert bad.state == "queued"
    assert bad.last_error.startswith("BadHeaderError")


def test_mail_of_a_dead_worker_is_reclaimed_after_an_hour(db):
    mail = owed(state="sending", claimed_at=AT, attempts=1)

    assert delivery.deliver_owed(at=AT + timedelta(minutes=59)) == 0
    assert delivery.deliver_owed(at=AT + timedelta(minutes=61)) == 1
    mail.refresh_from_db()
    assert (mail.state, mail.attempts) == ("sent", 2)
    assert outbox.outbox[0].message()["Message-ID"] == mail.message_id


def test_task_that_was_lost_is_made_up_for(db):
    mail = owed(not_before=datetime(2026, 1, 1, tzinfo=UTC))

    tasks.deliver_owed()

    mail.refresh_from_db()
    assert mail.state == "sent"


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_workers_at_once_send_each_mail_once():
    CompanyFactory()
    person = PersonFactory()
    mails = [owed(f"mail {number}", person=person) for number in range(10)]
    barrier = threading.Barrier(3)
    sent = []

    def work():
        try:
            barrier.wait()
            for mail in mails:
                if delivery.deliver(mail.pk, at=AT):
                    sent.append(mail.pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(sent) == [mail.pk for mail in mails]
    assert len(outbox.outbox) == 10
