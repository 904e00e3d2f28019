"""The main job's key steps where the browser runs no script: forms and links carry it all."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser import steps

pytestmark = pytest.mark.browser


@pytest.mark.timeout(300)
def test_main_job_needs_no_script(open_page):
    cro, coo, cfo = desks = [open_page("/", java_script_enabled=False) for _ in range(3)]
    for page, name in zip(desks, ("Maya Lindqvist", "Daniel Osei", "Priya Raman"), strict=True):
        steps.sign_in(page, name)

    cro.get_by_role("textbox", name="Who owns").fill("my commission")
    cro.get_by_role("button", name="Look up").click()
    expect(cro.locator("#answers")).to_contain_text("Commission calculation and payout")

    board = steps.open_company_boundary(cro)
    steps.set_effective_date(cro, board, steps.company_today())

    # A row opens, its form has a page of its own, an error keeps what was typed.
    steps.open_row(cro, board, 6).get_by_role("link", name="Edit row 4.6").click()
    expect(cro.get_by_role("heading", name="Territory planning", level=1)).to_be_visible()
    cro.get_by_label("Scope in").fill("Draw the yearly map of territories")
    cro.get_by_text("Leave it out of this boundary").click()
    cro.get_by_label("Leave it out of the boundary, because").fill("Nobody does it.")
    cro.get_by_role("button", name="Save row 4.6").click()
    expect(cro.get_by_role("alert")).to_contain_text("A function left out has no owner.")
    expect(cro.get_by_label("Scope in")).to_have_value("Draw the yearly map of territories")
    cro.get_by_label("Leave it out of the boundary, because").fill("")
    cro.get_by_role("button", name="Save row 4.6").click()
    steps.told(cro, "Row 4.6, Territory planning saved. COO and CFO to agree again.")

    for page in desks:
        steps.agree_to_all(page, board)
    steps.freeze(cfo, board)

    steps.reload_until(coo, coo.get_by_role("link", name="Read and sign v1"))
    coo.get_by_role("link", name="Read and sign v1").click()
    steps.reload_until(coo, coo.get_by_role("link", name="Open the signing copy"))
    # Without a script the browser fetches every page at once, wherever it stands.
    expect(coo.get_by_role("img", name=re.compile("^Page 1 of .* of NC-RB-1"))).to_be_visible()
    # Not complete: the server says what is missing, and what was chosen stays chosen.
    coo.get_by_role("checkbox", name="on behalf of the Office of the COO").check()
    coo.get_by_role("radio", name="I declare one").check()
    coo.get_by_role("button", name="Go on to your password").click(force=True)
    expect(coo.get_by_role("alert")).to_contain_text("Say which conflict of interest")
    expect(coo.get_by_role("checkbox", name="on behalf of the Office")).to_be_checked()
    steps.go_on_to_password(coo, force=True)
    steps.confirm(coo, "Sign")
    steps.told(coo, "You signed NC-RB-1.")
    expect(steps.signers(coo, board).filter(has_text="Daniel Osei")).to_contain_text("Signed")
