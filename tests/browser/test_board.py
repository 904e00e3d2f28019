"""The drafting board in several browsers at once: changes arrive, keys act, unsaved text stays."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser import steps
from tests.browser.test_walk import CLOSED_ROWS

pytestmark = pytest.mark.browser

BOARD = "/boundaries/NC-RB/1/"
KEPT = "Object.keys(localStorage).filter((key) => key.startsWith('unsaved:'))"
ROW = "#row-6"  # Territory planning


@pytest.fixture(scope="module")
def at_the_board():
    """Signs somebody in and goes to the draft, which the first of them opens."""
    opened = []

    def go(page, name):
        steps.sign_in(page, name)
        if not opened:
            steps.open_company_boundary(page)
            opened.append(True)
        page.goto(BOARD)
        expect(page.get_by_role("heading", name="Draft v1", level=1)).to_be_visible()
        return page

    return go


@pytest.fixture
def two(open_page, at_the_board):
    """The CRO and the COO, each at the board in a browser of their own."""
    return (
        at_the_board(open_page("/"), "Maya Lindqvist"),
        at_the_board(open_page("/"), "Daniel Osei"),
    )


def summary(page, row=ROW):
    return page.locator(f"{row} > summary")


def until_kept(page):
    """What was typed is in the browser's storage. (The policy lets no test wait in the page.)"""
    for _ in range(100):
        if page.evaluate(KEPT):
            return
        page.wait_for_timeout(50)
    raise AssertionError("nothing was kept")


def test_what_one_does_the_other_sees_without_a_reload(two, audit):
    cro, coo = two
    summary(coo).click()
    coo.locator(f"{ROW} [data-act='contest'] > summary").click()
    coo.get_by_label("Why row 4.6 cannot stay").fill("Territories follow onboarding.")
    coo.get_by_role("button", name="Contest row 4.6").click()
    # In place: nothing was loaded again, and the reader is told.
    expect(summary(coo)).to_contain_text("contests this")
    expect(coo.locator("#board-said")).to_contain_text("is contested")
    assert "#" not in coo.url

    expect(summary(cro)).to_contain_text("Contested by COO: Territories follow onboarding.")
    expect(cro.locator("#board-said")).to_contain_text("Daniel Osei contests row 4.6.")
    expect(cro.locator("#blocks")).to_contain_text("Territories follow onboarding.")
    expect(cro.get_by_role("link", name=re.compile("^Contested 1"))).to_be_visible()
    expect(summary(cro)).to_contain_text("New")
    # Opening it is looking at it.
    with cro.expect_response(lambda one: one.url.endswith("/look/")) as told:
        summary(cro).click()
    assert told.value.status == 204
    cro.goto(f"{BOARD}?show=new")
    expect(cro.get_by_text("Nothing here changed since you looked")).to_be_visible()
    cro.goto(f"{BOARD}?show=contested")
    expect(summary(cro)).to_be_visible()
    audit(cro, "board, contested rows", but=CLOSED_ROWS)

    coo.get_by_role("button", name="Agree to row 4.6").click()
    expect(summary(coo)).to_contain_text("COO agreed")
    coo.get_by_role("button", name="Take back your agreement").click()
    expect(summary(coo)).to_contain_text("COO not yet agreed")


def test_text_that_is_being_typed_is_never_overwritten(two):
    cro, coo = two
    summary(cro).click()
    cro.locator(f"{ROW} [data-act='contest'] > summary").click()
    reason = cro.get_by_label("Why row 4.6 cannot stay")
    reason.fill("Half a senten")
    summary(coo).click()
    coo.get_by_role("button", name="Agree to row 4.6").click()
    expect(summary(coo)).to_contain_text("COO agreed")
    # The chips are new, the text is the reader's own.
    expect(summary(cro)).to_contain_text("COO agreed")
    expect(cro.locator(f"{ROW} .news-line")).to_have_text(
        re.compile(r"Daniel Osei agreed to this row at \d\d:\d\d E[SD]T; your text is kept\.")
    )
    expect(reason).to_have_value("Half a senten")
    cro.evaluate("localStorage.clear()")


def test_the_board_is_worked_by_keys(two):
    cro, _ = two
    press = cro.keyboard.press
    # Not before a row has the focus.
    press("j")
    press("a")
    expect(cro.locator("#board-rows :focus")).to_have_count(0)
    summary(cro, "#row-1").focus()
    press("j")
    expect(summary(cro, "#row-2")).to_be_focused()
    press("ArrowUp")
    expect(summary(cro, "#row-1")).to_be_focused()
    press("a")  # folded up: it is opened first
    expect(cro.locator("#row-1")).to_have_attribute("open", "")
    expect(cro.locator("#board-said")).to_contain_text("Press a again")
    press("a")
    expect(summary(cro, "#row-1")).to_contain_text("CRO agreed")
    expect(summary(cro, "#row-1")).to_be_focused()
    press("o")
    expect(cro.locator("#row-1")).not_to_have_attribute("open", "")
    press("n")
    expect(summary(cro, "#row-2")).to_be_focused()
    press("c")
    reason = cro.get_by_label("Why row 4.2 cannot stay")
    expect(reason).to_be_focused()
    cro.keyboard.type("jack and oats, n/a?")  # letters are letters in a field
    expect(reason).to_have_value("jack and oats, n/a?")
    reason.fill("")
    summary(cro, "#row-2").focus()
    press("t")
    expect(cro.locator("#row-2-thread [data-thread]")).to_be_visible()
    summary(cro, "#row-2").focus()
    press("e")
    expect(cro.locator("#row-2").get_by_label("Owner", exact=True)).to_be_focused()
    summary(cro, "#row-3").focus()
    press("/")
    expect(cro.locator("#board-search")).to_be_focused()
    summary(cro, "#row-3").focus()
    press("?")
    expect(cro.get_by_role("dialog", name="Keys")).to_be_visible()
    press("Escape")
    expect(cro.get_by_role("dialog", name="Keys")).to_be_hidden()
    cro.evaluate("localStorage.clear()")


def test_unsaved_text_comes_back_and_saving_clears_it(open_page, at_the_board):
    cro = at_the_board(open_page("/"), "Maya Lindqvist")
    edit = f"{BOARD}rows/8/"
    cro.on("dialog", lambda dialog: dialog.accept())  # "leave the page?"
    cro.goto(edit)
    text = cro.get_by_label("Scope in", exact=False).first
    text.fill("Chooses the tools, and says why.")
    until_kept(cro)
    # On the board it is said, and leads back.
    cro.goto(BOARD)
    expect(cro.locator("[data-unsaved-list]")).to_contain_text("text you had not saved")
    cro.get_by_role("link", name="Go on with it").click()
    line = cro.get_by_text(re.compile(r"Text you had not saved from \d\d:\d\d is back\."))
    expect(line).to_be_visible()
    expect(text).to_have_value("Chooses the tools, and says why.")
    cro.get_by_role("button", name=re.compile("^Save row")).click()
    steps.told(cro, "saved.")
    assert (
        cro.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('unsaved:'))") == []
    )
    # Discarding puts back what stands.
    cro.goto(edit)
    text.fill("Something else.")
    until_kept(cro)
    cro.reload()
    cro.get_by_role("button", name="Discard it").click()
    expect(text).to_have_value("Chooses the tools, and says why.")


def test_unsaved_entries_come_back_where_they_were(two):
    """Another removed one meanwhile: each stays under its own name, and there is room for new."""
    cro, coo = two
    edit = f"{BOARD}articles/9/"
    entries = cro.locator(".entry-forms > details")
    cro.on("dialog", lambda dialog: dialog.accept())
    cro.goto(edit)
    cro.get_by_role("button", name="Add another scenario").click()
    many = entries.count()
    for place, label, words in (
        (2, "Limit", "7 business days"),
        (many - 1, "Scenario", "A new one"),
    ):
        entries.nth(place).locator("summary").click()
        entries.nth(place).get_by_label(label, exact=True).fill(words)
    kept = entries.nth(2).locator("summary").inner_text()
    until_kept(cro)
    coo.goto(edit)
    gone = coo.locator(".entry-forms > details").first
    gone.locator("summary").click()
    removed = gone.locator("summary").inner_text()
    gone.get_by_label("Remove this scenario").check()
    coo.get_by_role("button", name="Save article 9").click()
    steps.told(coo, "saved.")

    cro.goto(edit)
    expect(cro.get_by_text(re.compile("The text changed meanwhile"))).to_be_visible()
    expect(entries).to_have_count(many)
    expect(entries.nth(2).locator("summary")).to_have_text(kept)
    expect(entries.nth(2).get_by_label("Limit", exact=True)).to_have_value("7 business days")
    expect(entries.nth(many - 1).get_by_label("Scenario", exact=True)).to_have_value("A new one")
    cro.get_by_role("button", name="Save article 9").click()
    expect(cro.get_by_role("alert").first).to_contain_text("Daniel Osei, COO, changed this")
    cro.get_by_role("button", name="Save article 9").click()
    steps.told(cro, "saved.")
    article = cro.locator("#article-9")
    expect(article.locator(".entry-name").filter(has_text="A new one")).to_have_count(1)
    expect(article.locator(".entry-name").filter(has_text=removed)).to_have_count(0)
    expect(article.locator("li").filter(has_text=kept)).to_contain_text("7 business days")


def test_signing_out_leaves_nothing_typed_behind(open_page, at_the_board):
    coo = at_the_board(open_page("/"), "Daniel Osei")
    coo.on("dialog", lambda dialog: dialog.accept())
    coo.goto(f"{BOARD}rows/9/")
    coo.get_by_label("Scope in", exact=False).first.fill("For my eyes only.")
    until_kept(coo)
    coo.goto(BOARD)
    coo.locator("details.account-menu summary").click()
    coo.get_by_role("button", name="Sign out").click()
    expect(coo.get_by_role("button", name="Sign in as Daniel Osei")).to_be_visible()
    assert (
        coo.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('unsaved:'))") == []
    )
