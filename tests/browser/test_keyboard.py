"""What hands on a keyboard do: skip, search, open a row, agree; and the focus is always seen."""

import pytest
from playwright.sync_api import expect

from tests.browser import steps

pytestmark = pytest.mark.browser

# The focused element's own box, or its label's where the element itself is hidden from view.
_BOX = """() => {
  const one = document.activeElement;
  if (one === document.body) return null;
  const small = one.getBoundingClientRect().width < 4 ? one.closest('label') ?? one : one;
  small.scrollIntoView({block: 'center'});
  const {x, y, width, height} = small.getBoundingClientRect();
  return {x: x - 6, y: y - 6, width: width + 12, height: height + 12};
}"""
_BLUR = "() => { window.was = document.activeElement; window.was.blur(); }"
_NAME = "() => document.activeElement.outerHTML.slice(0, 120)"


@pytest.fixture
def cro(open_page):
    page = open_page("/")
    steps.sign_in(page, "Maya Lindqvist")
    page.wait_for_load_state()
    return page


def tab_to(page, wanted, *, at_most):
    """Press Tab until ``wanted`` has the focus."""
    for _ in range(at_most):
        page.keyboard.press("Tab")
        if wanted.evaluate("one => one === document.activeElement"):
            return
    raise AssertionError(f"{wanted} is not reached by {at_most} tabs")


def test_skip_link_leads_past_the_bar(cro):
    skip = cro.get_by_role("link", name="Skip to main content")
    cro.keyboard.press("Tab")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()

    cro.keyboard.press("Enter")
    expect(cro.locator("main")).to_be_focused()
    cro.keyboard.press("Tab")
    assert cro.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_slash_goes_to_the_search_and_arrows_to_an_answer(cro):
    question = cro.get_by_role("textbox", name="Who owns")
    cro.keyboard.press("/")
    expect(question).to_be_focused()
    cro.keyboard.type("deal/desk")  # a slash in a field is a slash
    expect(question).to_have_value("deal/desk")
    question.fill("deal desk")
    answer = cro.locator("#answers .answer a").first
    expect(answer).to_have_text("Deal desk")
    cro.keyboard.press("ArrowDown")
    expect(answer).to_be_focused()
    cro.keyboard.press("Escape")
    expect(question).to_be_focused()
    cro.keyboard.press("Enter")
    expect(cro.get_by_role("heading", name="Deal desk", level=1)).to_be_visible()

    cro.goto("/reviews/")
    quick = cro.get_by_role("searchbox", name="Who owns")
    cro.keyboard.press("/")
    expect(quick).to_be_focused()
    cro.keyboard.type("quota")
    cro.keyboard.press("Enter")
    expect(cro.get_by_role("textbox", name="Who owns")).to_have_value("quota")


def test_account_menu_opens_and_closes(cro):
    menu = cro.locator("details.account-menu")
    tab_to(cro, menu.locator("summary"), at_most=10)
    cro.keyboard.press("Enter")
    expect(cro.get_by_role("button", name="Sign out")).to_be_visible()
    cro.keyboard.press("Escape")
    expect(cro.get_by_role("button", name="Sign out")).to_be_hidden()
    expect(menu.locator("summary")).to_be_focused()


def test_row_is_opened_agreed_to_and_edited_by_keys_alone(cro):
    cro.keyboard.press("Tab")
    tab_to(cro, cro.get_by_role("link", name="Boundaries", exact=True), at_most=4)
    cro.keyboard.press("Enter")
    tab_to(cro, cro.get_by_role("link", name="Open the company boundary"), at_most=15)
    cro.keyboard.press("Enter")
    tab_to(cro, cro.get_by_role("button", name="Open the document"), at_most=20)
    cro.keyboard.press("Enter")
    steps.told(cro, "NC-RB-1 is open.")

    row = cro.locator("#row-1")
    tab_to(cro, cro.get_by_role("link", name="Skip to the rows"), at_most=20)
    cro.keyboard.press("Enter")
    tab_to(cro, row.locator("summary").first, at_most=2)
    cro.keyboard.press("Enter")
    tab_to(cro, row.get_by_role("button", name="Agree to row 4.1"), at_most=3)
    cro.keyboard.press("Enter")
    # Still at the row, which is open, with the answer on its chip.
    expect(row.locator("summary").first).to_be_focused()
    expect(row.get_by_text("CRO agreed").first).to_be_visible()
    expect(row).to_have_attribute("open", "")

    row.get_by_role("link", name="Edit row 4.1").focus()
    cro.keyboard.press("Enter")
    expect(row.get_by_label("Owner", exact=True)).to_be_focused()
    tab_to(cro, row.get_by_role("link", name="Cancel"), at_most=40)
    cro.keyboard.press("Enter")
    expect(row.get_by_role("link", name="Edit row 4.1")).to_be_visible()
    expect(row.get_by_label("Owner", exact=True)).to_have_count(0)


@pytest.mark.parametrize("colour", ["light", "dark"])
def test_focus_is_always_seen(open_page, colour):
    page = open_page("/", color_scheme=colour)
    unseen = [*look_at_focus(page, stops=12)]
    steps.sign_in(page, "Maya Lindqvist")
    page.wait_for_load_state()
    unseen += look_at_focus(page, stops=16)
    page.goto("/verify/")
    unseen += look_at_focus(page, stops=16)
    assert unseen == []


def look_at_focus(page, *, stops):
    """Tab through the page; yield each element that looks the same with the focus and without."""
    for _ in range(stops):
        page.keyboard.press("Tab")
        box = page.evaluate(_BOX)
        if box is None:
            return  # past the last element
        name = page.evaluate(_NAME)
        box |= {"x": max(0, box["x"]), "y": max(0, box["y"])}
        focused = page.screenshot(clip=box)
        page.evaluate(_BLUR)
        blurred = page.screenshot(clip=box)
        page.evaluate("() => window.was.focus()")
        if focused == blurred:
            yield name
