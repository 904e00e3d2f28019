"""People through the pages: invited, appointed, confirmed, taking over. axe looks at each page."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.browser import steps
from tests.browser.test_keyboard import tab_to

pytestmark = pytest.mark.browser

ADMINISTRATOR, SECRETARY, CEO = "Sam Okafor", "Ruth Adler", "Helen Marsh"
COO, SUCCESSOR = "Daniel Osei", "Nadia Haddad"
PASSWORD = "three unrelated words 7"
# Who signed today holds the Office today: what begins on the day of a signature comes by set-up.
CFO_CHANGES_HANDS = """
from django.utils import timezone
from boundaries import succession
from people.appointments import appoint
from people.calendar import company_date
from people.models import Appointment, Person
now = timezone.now()
Appointment.objects.filter(office__key="cfo", ends_on=None).update(ends_on=company_date(now))
ingrid = Person.objects.get(name="Ingrid Sole")
appoint(person=ingrid, office_key="cfo", starts_on=company_date(now), acting_user=None, at=now)
succession.begin_due(at=now)
"""


def link_in_newest_mail(page, path):
    """The address below ``path`` that the newest mail of the demo's mailbox carries."""
    page.goto("/mailbox/")
    page.locator("main a").first.click()
    page.wait_for_load_state()
    found = re.search(rf"({re.escape(path)}[^\s<\"/]+/)", page.content())
    assert found, page.url
    return found.group(1)


@pytest.mark.timeout(300)
def test_invited_person_comes_in_without_a_script(registry, open_page, audit):
    administrator = open_page("/")
    steps.sign_in(administrator, ADMINISTRATOR)
    administrator.goto("/people/")
    audit(administrator, "people")
    administrator.get_by_role("link", name="Invite a person").click()
    audit(administrator, "invite")
    administrator.get_by_label("Name", exact=True).fill("Beatriz Lobo")
    administrator.get_by_label("Work e-mail").fill("beatriz.lobo@northwind.example")
    administrator.get_by_role("button", name="Send the invitation").click()
    steps.told(administrator, "Beatriz Lobo")
    administrator.goto("/people/invitations/")
    expect(administrator.get_by_text("beatriz.lobo@northwind.example").first).to_be_visible()
    audit(administrator, "invitations")
    link = link_in_newest_mail(administrator, "/invitation/")

    beatriz = open_page(link, java_script_enabled=False)
    expect(beatriz.get_by_role("heading", name="Welcome, Beatriz Lobo")).to_be_visible()
    assert beatriz.url.endswith("/invitation/")  # the secret does not stay in the address
    beatriz.get_by_label("Password", exact=True).fill(PASSWORD)
    beatriz.get_by_label(re.compile("once more|again", re.IGNORECASE)).fill(PASSWORD)
    beatriz.get_by_role("button", name="Accept with a password").click()
    expect(beatriz.get_by_role("navigation", name="Main")).to_be_visible()
    beatriz.goto("/account/")
    expect(beatriz.get_by_role("heading", name="Your account", level=1)).to_be_visible()
    audit_page = open_page(link)
    expect(audit_page.get_by_role("heading", level=1)).to_be_visible()
    audit(audit_page, "used invitation")


@pytest.mark.timeout(300)
def test_office_changes_hands(registry, open_page, audit, tmp_path):
    status, words = registry.manage("demo_document", "--out", str(tmp_path / "boundary.pdf"))
    assert status == 0, words
    today = steps.company_today()

    secretary = open_page("/")
    steps.sign_in(secretary, SECRETARY)
    secretary.get_by_role("link", name="Offices").first.click()
    audit(secretary, "offices")
    secretary.goto("/offices/?as=list")
    audit(secretary, "offices as a list")
    secretary.get_by_role("link", name="Record an appointment").click()
    audit(secretary, "record an appointment")
    office, person = (secretary.get_by_label(label, exact=True) for label in ("Office", "Person"))
    office.select_option(label=find_option(office, "COO"))
    person.select_option(label=find_option(person, SUCCESSOR))
    secretary.get_by_label("First day").fill((today + timedelta(days=1)).isoformat())
    secretary.get_by_label("Instrument").fill("Board consent 2026-31")
    secretary.get_by_role("button", name="Check what it will do").click()
    expect(secretary.get_by_text("signed by the predecessor").first).to_be_visible()
    audit(secretary, "what an appointment will do")
    secretary.get_by_role("button", name=re.compile("^Record")).click()
    steps.told(secretary, SUCCESSOR)

    # The CEO confirms with nothing but the keyboard.
    ceo = open_page("/")
    steps.sign_in(ceo, CEO)
    ceo.goto("/offices/")
    audit(ceo, "offices, one waits for confirmation")
    tab_to(ceo, ceo.get_by_role("link", name=re.compile("^Confirm or refuse")), at_most=25)
    ceo.keyboard.press("Enter")
    ceo.wait_for_load_state()
    audit(ceo, "confirm an appointment")
    tab_to(ceo, ceo.get_by_role("button", name=re.compile(f"^Confirm {SUCCESSOR}")), at_most=30)
    ceo.keyboard.press("Enter")
    steps.told(ceo, SUCCESSOR)
    ceo.goto("/offices/coo/")
    expect(ceo.get_by_text(COO).first).to_be_visible()
    audit(ceo, "timeline of an Office")
    ceo.get_by_role("link", name=SUCCESSOR).first.click()
    audit(ceo, "timeline of a person")
    for path, name in (("/security/", "security events"), ("/offices/permissions/", "matrix")):
        ceo.goto(path)
        audit(ceo, name)

    # A successor reads what they take over, and acknowledges it.
    status, words = registry.manage("shell", "-c", CFO_CHANGES_HANDS)
    assert status == 0, words
    successor = open_page("/")
    steps.sign_in(successor, "Ingrid Sole")
    successor.goto("/takeovers/")
    audit(successor, "handing over")
    successor.locator("main a[href^='/takeovers/']").first.click()
    expect(
        successor.get_by_role("heading", name="What you take over as CFO", level=1)
    ).to_be_visible()
    audit(successor, "what a successor takes over")
    successor.get_by_role("button", name="Acknowledge v1").click()
    expect(successor.get_by_text("acknowledged v1").first).to_be_visible()
    successor.goto("/account/")
    audit(successor, "own account")
    successor.goto("/company/")
    audit(successor, "the company's calendar")


def find_option(select, words):
    """The whole text of the option that begins with ``words``."""
    return next(one for one in select.locator("option").all_inner_texts() if one.startswith(words))
