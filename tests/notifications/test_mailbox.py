"""The demo's mailbox page."""

import pytest
from django.urls import reverse

from tests.notifications.test_delivery import owed
from tests.people.factories import CompanyFactory, PersonFactory

HTML = "<!doctype html><html><head><title>x</title></head><body>Words</body></html>"


@pytest.fixture
def newcomer(client, db):
    CompanyFactory(is_demo=True)
    person = PersonFactory(name="Maya Lindqvist")
    client.force_login(person)
    return person


def pages(mail):
    return [
        reverse("notifications:mailbox"),
        reverse("notifications:mail", args=[mail.pk]),
        reverse("notifications:mail_html", args=[mail.pk]),
    ]


def test_mailbox_is_for_the_demo_only(client, db):
    CompanyFactory(is_demo=False)
    client.force_login(PersonFactory(name="Maya Lindqvist"))

    assert [client.get(url).status_code for url in pages(owed())] == [404, 404, 404]


def test_mailbox_asks_who_is_there(client, db):
    CompanyFactory(is_demo=True)

    for url in pages(owed()):
        answer = client.get(url)
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("account_login"))


def test_mailbox_without_mails_says_what_will_appear(client, newcomer):
    page = client.get(reverse("notifications:mailbox")).content.decode()

    assert "No mail yet" in page
    assert "<table" not in page


def test_mailbox_lists_newest_first(client, newcomer):
    owed("first")
    owed("second")

    page = client.get(reverse("notifications:mailbox")).content.decode()
    assert page.index("About second") < page.index("About first")
    assert "Waiting" in page


def test_mail_page_shows_both_parts(client, newcomer):
    mail = owed(html=HTML, text="First line\nSecond <line>")

    page = client.get(mail.get_absolute_url()).content.decode()
    assert reverse("notifications:mail_html", args=[mail.pk]) in page
    assert "First line<br>Second &lt;line&gt;" in page
    assert mail.address.replace("@", "@<wbr>") in page


def test_mail_that_does_not_exist_is_not_found(client, newcomer):
    assert client.get(reverse("notifications:mail", args=[404])).status_code == 404


def test_html_part_is_shown_in_a_sandbox(client, newcomer):
    answer = client.get(reverse("notifications:mail_html", args=[owed(html=HTML).pk]))

    policy = answer["Content-Security-Policy"]
    assert "sandbox allow-top-navigation-by-user-activation;" in policy
    assert "default-src 'none'" in policy
    assert "script-src" not in policy, "none: default-src rules"
    assert "allow-scripts" not in policy
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert '<base target="_top">' in answer.content.decode()


def test_mailbox_takes_the_same_queries_for_one_and_fifty_mails(
    client, newcomer, django_assert_num_queries
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    owed("mail 0")
    with CaptureQueriesContext(connection) as one:
        client.get(reverse("notifications:mailbox"))
    for number in range(1, 50):
        owed(f"mail {number}", person=newcomer)
    with django_assert_num_queries(len(one)):
        page = client.get(reverse("notifications:mailbox")).content.decode()

    assert page.count("<tr>") == 26, "a head and 25 mails"
    assert "Page 1 of 2" in page
