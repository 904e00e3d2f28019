"""What people do on the pages: the steps that several tests take."""

import re
import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from playwright.sync_api import TimeoutError as TooLate
from playwright.sync_api import expect

PASSWORD = "boundary-demo"
COMPANY_ZONE = ZoneInfo("America/New_York")
LONGEST_TEST = timedelta(minutes=5)
WORKER_SECONDS = 120  # how long a busy machine's worker may take for a PDF


def sign_in(page, name):
    """One click on the demo's sign-in page; leads to the page that was asked for."""
    page.get_by_role("button", name=f"Sign in as {name}").click()
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()


def open_company_boundary(page):
    """From the list of documents to the drafting board; gives the board's address."""
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Boundaries").click()
    page.get_by_role("link", name="Open the company boundary").click()
    page.get_by_role("button", name="Open the document").click()
    expect(page.get_by_role("heading", name="Draft v1", level=1)).to_be_visible()
    return page.url


def told(page, words):
    """What was done is said at the top of the page."""
    pattern = words if isinstance(words, re.Pattern) else re.compile(re.escape(words))
    expect(page.get_by_role("status").filter(has_text=pattern).first).to_be_visible()


def set_effective_date(page, board, day):
    """Article 1, as somebody who wants the draft to rule from ``day`` on."""
    page.goto(f"{board}articles/1/")
    page.get_by_label("Effective date").fill(day.isoformat())
    page.get_by_role("button", name="Save article 1").click()
    told(page, "Article 1, Control saved. COO and CFO to agree again.")


def open_row(page, board, position):
    """Unfold a row of the board as it stands now; gives the row."""
    page.goto(board)
    row = page.locator(f"#row-{position}")
    row.locator("summary").first.click()
    return row


def agree_to_all(page, board):
    page.goto(board)
    page.get_by_role("button", name="Agree to all I have read").click()
    told(page, re.compile(r"You agreed to \d+ rows and articles\."))


def freeze(page, board):
    page.goto(board)
    page.get_by_role("button", name="Freeze for signing").click()
    told(page, "is frozen. All parties were asked by mail to sign it.")


def reload_until(page, wanted):
    """What a worker makes appears after a while: look again until it is there."""
    for _ in range(WORKER_SECONDS):
        try:
            wanted.wait_for(timeout=1000)
            return
        except TooLate:
            page.reload()
    raise AssertionError(f"{wanted} did not appear on {page.url} within {WORKER_SECONDS} s")


def read_signing_copy(page):
    """Open the exact text in a tab of its own, see that it is a PDF, and close the tab."""
    context = page.context
    with (
        context.expect_event("response", lambda one: "signing-copy.pdf" in one.url) as answer,
        context.expect_page() as tab,
    ):
        page.get_by_role("link", name="Open the signing copy").first.click()
    assert answer.value.status == 200
    assert answer.value.headers["content-type"] == "application/pdf"
    tab.value.close()


def look_at_pages(page):
    """Scroll through the images of the signing copy's pages; gives how many there are."""
    images = page.locator("img[data-page]")
    images.first.wait_for()
    for image in images.all():
        image.scroll_into_view_if_needed()
        page.wait_for_function(
            "one => one.complete && one.naturalWidth > 0", arg=image.element_handle()
        )
    return images.count()


def go_on_to_password(page, *, force=False):
    """Steps 1 to 4 of the ceremony, from its page.

    ``force``: without a script nothing tells the browser that the button works now.
    """
    read_signing_copy(page)
    page.get_by_role("checkbox", name=re.compile("on behalf of the Office|approve")).check()
    page.get_by_role("radio", name="I have no conflict of interest to declare").check()
    page.get_by_role("button", name="Go on to your password").click(force=force)
    expect(page.get_by_label("Your password")).to_be_visible()


def confirm(page, act, password=PASSWORD):
    """Steps 5 and 6; ``act`` is what the button says first, "Sign" or "Approve"."""
    page.get_by_label("Your password").fill(password)
    page.get_by_role("button", name=f"{act} boundary").click()


def signers(page, board):
    """The lines of "Who signs" on the page of what is frozen."""
    page.goto(board)
    return page.get_by_role("region", name="Who signs").get_by_role("listitem")


def company_today():
    """The demo company's date; near its midnight, the new day as soon as it has begun."""
    now = datetime.now(COMPANY_ZONE)
    midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), COMPANY_ZONE)
    if midnight - now < LONGEST_TEST:
        time.sleep((midnight - now).total_seconds())
        return midnight.date()
    return now.date()
