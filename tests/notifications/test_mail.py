"""Queuing: one mail per key, written for its reader, handed over after the commit."""

import threading
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction
from kombu.exceptions import OperationalError

from notifications import mail as mail_module
from notifications import tasks
from notifications.mail import message_id, queue
from notifications.models import OutgoingMail
from tests.people.factories import CompanyFactory, PersonFactory

AT = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)


@pytest.fixture
def handed_over(monkeypatch):
    """Ids that reached the worker's queue."""
    ids = []
    monkeypatch.setattr(tasks.deliver, "delay", ids.append)
    return ids


def say(to, key="review-1:7-days:1", **changes):
    values = {
        "kind": "review.reminder",
        "subject": "The review is due on 30 Nov 2026",
        "template": "notice",
        "context": {
            "paragraphs": ["Is each row still right?"],
            "action_label": "Open the review",
            "action_path": "/reviews/",
            "rows": [{"title": "Billing & collections", "note": "Row 4.1", "aside": "CFO"}],
            "closing": ["It stays due until somebody answers."],
            "reason": "You are a party to NC-RB.",
        },
        "at": AT,
    }
    return queue(to=to, key=key, **values | changes)


def test_mail_says_the_same_in_both_parts(executives, handed_over, settings):
    settings.PUBLIC_URL = "https://boundary.northwind.example"
    mail = say(executives["cfo"])

    for part in (mail.text, mail.html.replace("&amp;", "&")):
        assert "The review is due on 30 Nov 2026" in part
        assert "Is each row still right?" in part
        assert "Open the review" in part
        assert "https://boundary.northwind.example/reviews/" in part
        assert "Billing & collections" in part
        assert "Row 4.1" in part
        assert "It stays due until somebody answers." in part
        assert "Northwind Cloud" in part
        assert "Sent to Priya Raman, CFO, on 23 Nov 2026, 08:00 EST." in part
        assert "You are a party to NC-RB." in part
    assert "<" not in mail.text
    assert "\n\n\n" not in mail.text
    assert mail.text.startswith("The review is due")


def test_mail_keeps_who_it_went_to(executives, handed_over):
    mail = say(executives["cfo"])
    executives["cfo"].name = "Priya Raman-Lund"
    executives["cfo"].save()

    mail.refresh_from_db()
    assert (mail.name, mail.address) == ("Priya Raman", "priya.raman@northwind.example")
    assert (mail.state, mail.attempts, mail.created_at) == ("queued", 0, AT)


def test_times_are_told_in_the_recipients_zone(company, handed_over):
    mail = say(PersonFactory(name="Ana Brandt", time_zone="Europe/Vienna"))

    assert "Sent to Ana Brandt, on 23 Nov 2026, 14:00 CET." in mail.text


def test_what_people_typed_is_escaped_in_html_only(company, handed_over):
    mail = say(
        PersonFactory(name="Bo O'Neil"),
        context={"paragraphs": ["<script>alert(1)</script> & more"]},
    )

    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in mail.html
    assert "<script>alert(1)</script> & more" in mail.text
    assert "Bo O'Neil" in mail.text


def test_subject_is_one_line(company, handed_over):
    mail = say(PersonFactory(), subject="Due\r\nBcc: everybody@example.org " + "x" * 300)

    assert mail.subject.startswith("Due Bcc: everybody@example.org")
    assert len(mail.subject) == 200


def test_second_mail_of_a_key_is_not_written(
    company, handed_over, django_capture_on_commit_callbacks
):
    person = PersonFactory()
    with django_capture_on_commit_callbacks(execute=True):
        first = say(person)
        second = say(person, subject="Something else")

    assert second is None
    assert OutgoingMail.objects.get() == first
    assert handed_over == [first.pk]


def test_other_key_is_another_mail(company, handed_over):
    person = PersonFactory()

    assert say(person, key="review-1:7-days:1")
    assert say(person, key="review-1:1-days:1")


def test_deactivated_person_gets_no_mail(company, handed_over):
    assert say(PersonFactory(is_active=False)) is None
    assert not OutgoingMail.objects.exists()


def test_mail_is_handed_over_only_after_the_commit(
    company, handed_over, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks() as callbacks:
        say(PersonFactory())
        assert handed_over == []
    assert len(callbacks) == 1


@pytest.mark.django_db(transaction=True)
def test_refused_change_owes_no_mail(handed_over):
    CompanyFactory()
    person = PersonFactory()
    with pytest.raises(RuntimeError), transaction.atomic():
        say(person)
        raise RuntimeError("the business change failed")

    assert not OutgoingMail.objects.exists()
    assert handed_over == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("failure", [OperationalError("down"), OSError("no such directory")])
def test_broker_that_is_down_costs_nothing_but_time(monkeypatch, caplog, failure):
    CompanyFactory()

    def refuse(mail_id):
        raise failure

    monkeypatch.setattr(tasks.deliver, "delay", refuse)
    mail = say(PersonFactory())

    assert mail.state == "queued"
    assert "waits for the next sweep" in caplog.text


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_processes_queuing_one_key_write_one_mail(monkeypatch, handed_over):
    CompanyFactory()
    person = PersonFactory()
    barrier = threading.Barrier(2)
    render = mail_module._render
    results = []

    def render_together(**values):
        written = render(**values)
        barrier.wait()  # both have seen that there is no such mail yet
        return written

    monkeypatch.setattr(mail_module, "_render", render_together)

    def write():
        try:
            results.append(say(person))
        except Exception as failure:
            results.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    mail = OutgoingMail.objects.get()
    assert sorted(results, key=lambda one: one is None) == [mail, None]
    assert handed_over == [mail.pk]


def test_other_faults_of_the_database_are_not_taken_for_a_double(company, handed_over, monkeypatch):
    def fail(self, **options):
        raise IntegrityError("something else")

    monkeypatch.setattr(OutgoingMail, "save", fail)
    with pytest.raises(IntegrityError, match="something else"):
        say(PersonFactory())


def test_message_id_follows_from_the_key(settings):
    settings.PUBLIC_URL = "https://boundary.northwind.example"

    assert message_id("a") == message_id("a") != message_id("b")
    assert message_id("a").endswith("@boundary.northwind.example>")
