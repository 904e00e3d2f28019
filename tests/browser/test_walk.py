"""The main job through the pages, as the people of the demo company: from template to sealed PDF.

Each page of the product is looked at on the way by axe, in light and dark, and at a phone's width.
"""

import re
import sys
import time
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.browser import steps

pytestmark = pytest.mark.browser

CRO, COO, CFO = "Maya Lindqvist", "Daniel Osei", "Priya Raman"
CEO, REVOPS_LEAD, MEMBER = "Helen Marsh", "Tomas Vega", "Ana Brandt"
# Looked at once.
CLOSED_ROWS, PAPER = ".function-row:not([open])", ".paper"
PARTIES = {"CRO": CRO, "COO": COO, "CFO": CFO}


@pytest.mark.timeout(600)
def test_boundary_from_template_to_sealed_pdf(registry, open_page, audit, tmp_path, capsys):
    today = steps.company_today()
    desks = {}

    # The CRO signs in and opens the company boundary from the template.
    cro = desks[CRO] = open_page("/")
    expect(cro.get_by_role("heading", name="Sign in", level=1)).to_be_visible()
    audit(cro, "sign in")
    steps.sign_in(cro, CRO)
    audit(cro, "look-up before any boundary")
    cro.get_by_role("link", name="Boundaries").click()
    audit(cro, "no documents yet")
    cro.get_by_role("link", name="Open the company boundary").click()
    audit(cro, "open a document")
    cro.get_by_role("button", name="Open the document").click()
    steps.told(cro, "NC-RB-1 is open.")
    board = cro.url

    for name in (COO, CFO, CEO, REVOPS_LEAD, MEMBER):
        desks[name] = open_page("/")
        steps.sign_in(desks[name], name)
    coo, cfo, ceo, lead, member = (desks[name] for name in (COO, CFO, CEO, REVOPS_LEAD, MEMBER))

    # What a Member may not know of does not exist for them.
    assert member.goto(board).status == 404
    audit(member, "404")

    draft_the_text(cro, coo, board, today, audit)
    agree_and_contest(cro, coo, cfo, board, audit)
    sign_and_approve(desks, board, audit)

    # Approved: in force at once, and sealed as soon as the worker is done.
    approved_at = time.monotonic()
    sealed = ceo.get_by_role("link", name="Sealed PDF")
    steps.reload_until(ceo, sealed)
    seconds = time.monotonic() - approved_at
    with capsys.disabled():
        sys.stdout.write(f"\n[{seconds:.1f} s from the CEO's approval to the sealed PDF]\n")
    expect(ceo.locator(".kicker").get_by_text("In force", exact=True)).to_be_visible()
    expect(ceo.locator(".signature[data-state=signed]")).to_have_count(4)
    expect(ceo.get_by_role("region", name="Reviews due")).to_contain_text("full review")
    audit(ceo, "in force")

    file = tmp_path / "NC-RB-1.pdf"
    with ceo.expect_download() as download:
        sealed.click()
    assert download.value.suggested_filename == "NC-RB-1.pdf"
    download.value.save_as(file)
    check_the_file(registry, open_page, file, audit)

    look_up(member, audit)
    acknowledge(lead, board, today, audit)
    review(lead, audit)

    for page, address in (
        (member, "/accounts/password/change/"),
        (member, "/accounts/logout/"),
        (open_page("/"), "/accounts/password/reset/"),
    ):
        page.goto(address)
        audit(page, address)


def draft_the_text(cro, coo, board, today, audit):
    """Article 1 rules from today on; a row changes, and the others have to agree again."""
    steps.set_effective_date(cro, board, today)
    steps.agree_to_all(coo, board)
    row = coo.locator("#row-6")
    expect(row.get_by_text("COO agreed")).to_be_visible()

    # In place, on the board.
    row = steps.open_row(cro, board, 6)
    audit(cro, "draft, a row open")
    row.get_by_role("link", name="Edit row 4.6").click()
    form = cro.get_by_role("form", name="Row 4.6, Territory planning")
    expect(form).to_be_visible()
    audit(cro, "draft, a row being edited", but=CLOSED_ROWS)

    # A bad edit: a part with an owner and no name. What was typed is kept.
    form.get_by_label("Owner", exact=True).select_option(label="Hybrid: split into parts")
    form.get_by_label("Owner of part 1").select_option(label="CRO")
    form.get_by_label("Scope in").fill("Draw the yearly map of territories")
    form.get_by_role("button", name="Save row 4.6").click()
    expect(cro.get_by_role("alert")).to_contain_text("Name this part, or choose “Nobody yet”.")
    expect(cro.get_by_role("alert")).to_be_focused()
    expect(cro.get_by_label("Scope in")).to_have_value("Draw the yearly map of territories")
    expect(cro.get_by_label("Owner", exact=True)).to_have_value("hybrid")
    audit(cro, "row with an error")

    cro.get_by_label("Owner of part 1").select_option(label="Nobody yet")
    cro.get_by_label("Owner", exact=True).select_option(label="COO")
    cro.get_by_role("button", name="Save row 4.6").click()
    steps.told(cro, "Row 4.6, Territory planning saved. COO and CFO to agree again.")
    row = cro.locator("#row-6")
    expect(row).to_contain_text("Draw the yearly map of territories")
    expect(row.get_by_text("CRO agreed")).to_be_visible()
    expect(row.get_by_text("COO agreement voided by a change")).to_be_visible()

    for number in (1, 2, 3, 7, 8, 10, 11):
        cro.goto(f"{board}articles/{number}/")
        audit(cro, f"edit article {number}")


def agree_and_contest(cro, coo, cfo, board, audit):
    """The COO contests the row, then agrees after all; each agrees to all; nothing blocks."""
    row = steps.open_row(coo, board, 6)
    expect(row).to_contain_text("Draw the yearly map of territories")
    row.get_by_text("Contest row 4.6").first.click()
    row.get_by_label("Why row 4.6 cannot stay as it is").fill("We have nobody for the field.")
    row.get_by_role("button", name="Contest row 4.6").click()
    steps.told(coo, "Row 4.6, Territory planning is contested.")
    audit(coo, "draft, a row contested", but=CLOSED_ROWS)

    for page in (cro, cfo):
        steps.agree_to_all(page, board)
    # The COO has agreed to all the rest: what one contests is nothing to agree to in passing.
    coo.goto(board)
    expect(coo.get_by_role("button", name="Agree to all I have read")).to_have_count(0)
    cro.goto(board)
    expect(cro.get_by_role("heading", name="What still blocks signing")).to_be_visible()
    expect(cro.locator("#blocks li")).to_have_count(1)
    expect(cro.locator("#blocks")).to_contain_text("Territory planning")

    steps.open_row(coo, board, 6).get_by_role("button", name="Agree to row 4.6").click()
    expect(coo.get_by_role("heading", name="Nothing blocks signing")).to_be_visible()
    expect(coo.locator("#blocks li")).to_have_count(0)
    audit(coo, "draft, ready", but=CLOSED_ROWS)
    steps.freeze(cro, board)


def sign_and_approve(desks, board, audit):
    """Three sign the exact text, the CEO approves it; a wrong password does neither."""
    cro, coo, ceo = desks[CRO], desks[COO], desks[CEO]
    steps.reload_until(cro, cro.get_by_role("link", name="Open the signing copy"))
    audit(cro, "co-signing")
    cro.get_by_role("link", name="I cannot sign this text").click()
    audit(cro, "decline")

    assert ceo.goto(f"{board}sign/").status == 403
    audit(ceo, "403")

    for office, name in PARTIES.items():
        page = desks[name]
        page.goto(board)
        page.get_by_role("link", name="Read and sign v1").click()
        if name == CRO:
            audit(page, "sign", but=PAPER)
        steps.go_on_to_password(page)
        if name == COO:
            steps.confirm(page, "Sign", "not-my-password")
            expect(page.get_by_role("alert")).to_contain_text("Nothing was signed")
            audit(page, "confirm, after a wrong password", but=PAPER)
            signers = steps.signers(desks[CFO], board)
            expect(signers.filter(has_text=COO)).to_contain_text("Not yet")
        steps.confirm(page, "Sign")
        steps.told(page, "You signed NC-RB-1.")
        signed = steps.signers(page, board).filter(has_text=name)
        expect(signed).to_contain_text(office)
        expect(signed).to_contain_text("Signed")
    audit(coo, "awaiting approval", but=PAPER)

    ceo.goto(board)
    ceo.get_by_role("link", name="Read and approve v1").click()
    audit(ceo, "approve", but=PAPER)
    steps.go_on_to_password(ceo)
    steps.confirm(ceo, "Approve")
    steps.told(ceo, "You approved NC-RB-1.")


def check_the_file(registry, open_page, file, audit):
    """The sealed PDF is genuine to the command and to the page; with one byte flipped it is not."""
    altered = file.with_name("altered.pdf")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    altered.write_bytes(content)

    status, said = registry.manage("verify_pdf", str(file))
    assert (status, "Genuine, and in force today" in said) == (0, True), said
    status, said = registry.manage("verify_pdf", str(altered))
    assert (status, "Altered" in said) == (1, True), said

    anyone = open_page("/verify/")  # without an account
    audit(anyone, "verify")
    for path, verdict in ((file, "Genuine, and in force today"), (altered, "Altered")):
        anyone.get_by_label(re.compile("PDF, at most 10 MB")).set_input_files(path)
        anyone.get_by_role("button", name="Check the file").click()
        expect(anyone.get_by_role("heading", name=verdict)).to_be_visible()
        audit(anyone, f"verify: {verdict}")


def look_up(member, audit):
    """The Member types what they call it, and learns who owns it and where that is written."""
    member.goto("/")
    audit(member, "look-up, in force")
    question = member.get_by_role("textbox", name="Who owns")
    question.press_sequentially("my commission")
    result = member.locator("#answers").get_by_role("listitem").filter(has_text=CFO).first
    expect(result).to_contain_text("Commission calculation and payout")
    expect(result).to_contain_text("CFO")
    audit(member, "look-up, found")
    question.press("Enter")
    expect(
        member.get_by_role("heading", name="Commission calculation and payout", level=1)
    ).to_be_visible()
    expect(member.locator("main")).to_contain_text(CFO)
    audit(member, "function")
    member.get_by_role("link", name="NC-RB-1, row 4.21").first.click()
    expect(
        member.get_by_role("heading", name="Commission calculation and payout")
    ).to_be_in_viewport()
    audit(member, "text online", but=PAPER)

    member.goto("/?q=zzzzzz")
    expect(member.get_by_text("No function goes by that name")).to_be_visible()
    audit(member, "look-up, nothing found")
    member.goto("/boundaries/")
    audit(member, "documents")


def acknowledge(lead, board, today, audit):
    """The RevOps Lead files the execution plan that a change of owners asks for."""
    lead.goto(board)
    lead.get_by_role("link", name="Write the execution plan").click()
    lead.get_by_role("button", name="Acknowledge and file the plan").click()
    expect(lead.get_by_role("alert")).to_contain_text("The plan is not filed yet")
    audit(lead, "plan with errors")
    for number, days in enumerate((30, 60, 90), start=1):
        third = lead.get_by_role("group", name=re.compile(rf"^Days \d+.{days}$"))
        third.get_by_label("What changes").first.fill(f"Milestone {number}")
        third.get_by_label("Who").first.fill("Sales operations")
        third.get_by_label("By").first.fill((today + timedelta(days=days)).isoformat())
    lead.get_by_role("button", name="Acknowledge and file the plan").click()
    steps.told(lead, "You acknowledged NC-RB-1 with your plan.")
    expect(lead.locator("#plan")).to_contain_text("Milestone 3")
    audit(lead, "in force, with a plan")


def review(lead, audit):
    """Both reviews are planned; a reminder reaches the others' mailboxes in text and HTML."""
    lead.get_by_role("link", name="Reviews", exact=True).click()
    reviews = lead.get_by_role("region", name="Open reviews")
    quarterly = reviews.get_by_role("row").filter(has_text=re.compile(r"Q\d \d{4} review"))
    expect(quarterly).to_have_count(3)
    expect(reviews.get_by_role("row").filter(has_text="full review")).to_have_count(1)
    audit(lead, "reviews")
    quarterly.get_by_role("button", name="Remind the others").click()
    steps.told(lead, "3 people reminded of the")

    lead.get_by_role("link", name="Mailbox").click()
    audit(lead, "mailbox")
    lead.get_by_role("row").filter(has_text=CFO).get_by_role(
        "link", name=re.compile("review", re.IGNORECASE)
    ).first.click()
    words = "Is each function still owned as written?"
    expect(lead.frame_locator("iframe").locator("body")).to_contain_text(words)
    plain = lead.locator("section").filter(has=lead.get_by_role("heading", name="plain text"))
    expect(plain).to_contain_text(words)
    steps.reload_until(lead, lead.get_by_text(re.compile("^Sent, ")))
    audit(lead, "mail")


def test_browser_refuses_inline_script(chromium, registry):
    """Were the policy off, or the browser mute, the walk's silence would prove nothing."""
    context = chromium.new_context(base_url=registry.url)
    page, words = context.new_page(), []
    page.on("console", lambda message: words.append(message.text))
    page.goto("/verify/")
    with page.expect_console_message(lambda one: "Content Security Policy" in one.text):
        page.evaluate(
            """() => {
                const script = document.createElement('script');
                script.textContent = 'window.ran = true';
                document.body.append(script);
            }"""
        )
    assert page.evaluate("window.ran") is None
    context.close()


def test_api_docs_draw_without_breaking_the_policy(open_page):
    page = open_page("/api/docs/")
    expect(page.get_by_text("/api/v1/functions/", exact=True).first).to_be_visible()


def test_unknown_address_is_answered_by_our_page(open_page):
    page = open_page("/")
    assert page.goto("/no/such/page").status == 404
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_auditor_finds_what_is_wrong(chromium, audit):
    page = chromium.new_page()
    page.set_content(
        "<html lang='en'><title>Wrong</title><main><h1>Wrong</h1><img src='/none.png'>"
        "<p style='width: 900px; color: #eee; background: #fff'>Pale and wide</p></main>"
    )
    audit(page, "wrong")
    page.close()
    found, audit.found[:] = "\n".join(audit.found), []

    assert "wrong, light: image-alt" in found
    assert "wrong, light: color-contrast" in found
    assert "wrong, dark: color-contrast" in found
    assert "wrong, phone: scrolls sideways" in found
