"""Three executives at three browsers bring a contested row to agreement, and merge two edits."""

import pytest
from playwright.sync_api import expect

from tests.browser import steps
from tests.browser.test_board import BOARD, summary

pytestmark = pytest.mark.browser

ROW = "#row-6"  # Territory planning
NAMES = {"cro": "Maya Lindqvist", "coo": "Daniel Osei", "cfo": "Priya Raman"}


@pytest.fixture(scope="module")
def opened():
    """Whether the draft was opened already: once for all tests."""
    return []


@pytest.fixture
def three(open_page, opened):
    """The CRO, the COO and the CFO, each at the same draft in a browser of their own."""
    pages = {}
    for office, name in NAMES.items():
        pages[office] = open_page("/")
        steps.sign_in(pages[office], name)
        if not opened:
            steps.open_company_boundary(pages[office])
            opened.append(True)
        pages[office].goto(BOARD)
    return pages["cro"], pages["coo"], pages["cfo"]


def discussion(page):
    """The thread of the row, opened in its place."""
    thread = page.locator(f"{ROW}-thread [data-thread]")
    if not thread.is_visible():
        page.locator(f"{ROW}-thread a").first.click()
    return thread


def test_three_sessions_negotiate_a_contested_row_to_agreement(three):
    cro, coo, cfo = three
    # The COO contests; the others see it where they are, without loading the page again.
    summary(coo).click()
    coo.locator(f"{ROW} [data-act='contest'] > summary").click()
    coo.get_by_label("Why row 4.6 cannot stay").fill("Onboarding needs a month's notice.")
    coo.get_by_role("button", name="Contest row 4.6").click()
    for page in (cro, cfo):
        expect(summary(page)).to_contain_text("Contested by COO: Onboarding needs")
        expect(page.locator("#blocks")).to_contain_text("Onboarding needs a month's notice.")

    # The CRO asks in the thread, and calls the COO by the Office.
    summary(cro).click()
    talk = discussion(cro)
    talk.get_by_label("Comment").fill("@COO would notice in writing do?")
    talk.get_by_role("button", name="Comment").click()
    expect(talk).to_contain_text("would notice in writing do?")
    expect(coo.locator(f"{ROW}-thread")).to_contain_text("1 new")

    # The COO answers with a changed text.
    discussion(coo).get_by_role("link", name="Propose a change").click()
    coo.get_by_label("Scope out").fill("Changes within a month, without notice to onboarding.")
    coo.get_by_label("What you say with it").fill("Then I can plan the month.")
    coo.get_by_role("button", name="Propose this change").click()
    expect(summary(cro)).to_contain_text("Contested")
    expect(cfo.locator(f"{ROW}-thread")).to_contain_text("1 proposed change")

    # The CRO reads the difference and accepts it; both have agreed to exactly this.
    cro.goto(f"{BOARD}rows/6/thread/")
    expect(cro.locator(".thread ins").first).to_contain_text("notice to onboarding")
    cro.get_by_role("button", name="Accept change").click()
    for office in ("CRO agreed", "COO agreed", "CFO not yet agreed"):
        expect(summary(cfo)).to_contain_text(office)

    # The CFO, who was there all the time, reads what changed and agrees.
    summary(cfo).click()
    expect(cfo.locator(ROW)).to_contain_text("without notice to onboarding")
    cfo.get_by_role("button", name="Agree to row 4.6").click()
    coo.goto(BOARD)
    for page in (coo, cfo):
        for office in ("CRO agreed", "COO agreed", "CFO agreed"):
            expect(summary(page)).to_contain_text(office)
    expect(coo.locator("#blocks")).not_to_contain_text("Territory planning")


def test_two_edits_of_one_row_are_merged(three):
    cro, coo, _ = three
    for page in (cro, coo):
        page.goto(f"{BOARD}rows/7/")
    coo.get_by_label("Why it sits here").fill("The field knows first.")
    coo.get_by_role("button", name="Save row 4.7").click()
    steps.told(coo, "saved.")

    cro.get_by_label("Scope out").fill("What marketing does before a lead is qualified.")
    cro.get_by_role("button", name="Save row 4.7").click()
    expect(cro.get_by_role("alert").first).to_contain_text("Daniel Osei, COO, changed this")
    expect(cro.get_by_label("Why it sits here")).to_have_value("The field knows first.")
    cro.get_by_role("button", name="Save row 4.7").click()
    steps.told(cro, "saved.")
    row = steps.open_row(coo, BOARD, 7)
    expect(row).to_contain_text("The field knows first.")
    expect(row).to_contain_text("What marketing does before a lead is qualified.")
