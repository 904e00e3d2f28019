"""Take the pictures of the README from the running demo:

    python3 start.py test tests/browser/screenshots.py

They go to docs/screenshots/, with no more colours than a flat page needs. Not a test by its name,
so that a run of the tests leaves the pictures alone.
"""

import io
import re
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser import steps

pytestmark = pytest.mark.browser

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
MOST_BYTES = 250_000
COO_PAGE = (
    "I ask that operations plan the selling days.\n\nTwo of three kick-offs last year fell into a "
    "system release, because sales planned the day alone. We see releases, holidays and room "
    "bookings first.\n\nI can live with a plan that the CRO confirms once a quarter."
)
CRO_PAGE = (
    "I ask that planning stay with the CRO.\n\nSelling days follow the customers' quarter, not our "
    "releases. My managers answer for the number, so they choose the days.\n\nI can live with a "
    "calendar that operations keeps and everybody sees."
)
CFO_PAGE = (
    "I ask for one calendar, whoever keeps it.\n\nThe close needs five quiet days. I do not mind "
    "who plans, as long as these stand.\n\nI can live with either, from the next quarter on."
)
PLAN = (
    ("Commission close moves to finance, with one written calendar", "Priya Raman", 20),
    ("One golden record for accounts; the duplicates queue is empty", "Tomas Vega", 50),
    ("Hand-off rejections are reviewed in the weekly layer", "Maya Lindqvist", 80),
)


def take(page, name):
    """Save what the window shows as a PNG of at most 256 colours."""
    page.wait_for_load_state("networkidle")
    page.mouse.move(0, 0)  # nothing looks touched
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    file = FOLDER / f"{name}.png"
    picture.quantize(256, dither=Image.Dither.NONE).save(file, optimize=True)
    assert file.stat().st_size < MOST_BYTES


@pytest.mark.timeout(600)
def test_pictures_of_the_readme(registry, open_page, tmp_path):
    FOLDER.mkdir(parents=True, exist_ok=True)
    status, said = registry.manage("demo_document", "--out", str(tmp_path / "sealed.pdf"))
    assert status == 0, said
    cro, coo, cfo, lead, member = (open_page("/") for _ in range(5))
    for page, name in (
        *((cro, "Maya Lindqvist"), (coo, "Daniel Osei"), (cfo, "Priya Raman")),
        *((lead, "Tomas Vega"), (member, "Ana Brandt")),
    ):
        steps.sign_in(page, name)

    member.goto("/?q=my+commission")
    take(member, "lookup")
    member.set_viewport_size({"width": 390, "height": 844})
    take(member, "lookup-phone")

    secretary = open_page("/")
    steps.sign_in(secretary, "Ruth Adler")
    secretary.goto("/offices/")
    take(secretary, "offices")
    secretary.goto("/account/")
    take(secretary, "account")

    lead.goto("/boundaries/NC-RB/1/acknowledge/")
    thirds = lead.get_by_role("group").filter(has=lead.get_by_role("group"))
    for third, (words, who, days) in zip(thirds.all(), PLAN, strict=True):
        third.get_by_label("What changes").first.fill(words)
        third.get_by_label("Who").first.fill(who)
        due = steps.company_today() + timedelta(days=days)
        third.get_by_label("By").first.fill(due.isoformat())
    lead.get_by_role("button", name="Acknowledge and file the plan").click()
    steps.told(lead, "You acknowledged")
    lead.goto("/boundaries/NC-RB/1/")
    take(lead, "inforce")
    lead.emulate_media(color_scheme="dark")
    take(lead, "inforce-dark")

    cro.goto("/boundaries/NC-RB/1/")
    cro.get_by_role("link", name="Amend").click()
    cro.get_by_role("button", name="Open draft v2").click()
    steps.told(cro, "NC-RB-2 is open")
    board = cro.url
    for page in (cro, coo, cfo):
        page.goto(board)
        page.get_by_role("button", name="Confirm what is unchanged").click()
        steps.told(page, "onfirmed")
    cro.goto(f"{board}rows/6/")
    cro.get_by_label("Owner", exact=True).select_option(label="COO")
    cro.get_by_role("button", name="Save row 4.6").click()
    steps.told(cro, "saved")
    row = steps.open_row(coo, board, 1)
    row.get_by_text("Contest row 4.1").first.click()
    row.get_by_label("Why row 4.1").fill("Selling days are planned with operations beforehand.")
    row.get_by_role("button", name="Contest row 4.1").click()
    expect(coo.locator("#board-said")).to_contain_text("is contested")
    steps.open_row(cfo, board, 1)
    take(cfo, "draft")
    cfo.goto("/boundaries/NC-RB/compare/?from=1&to=2")
    take(cfo, "compare")

    row = steps.open_row(coo, board, 1)
    row.get_by_text("Escalate row 4.1 to the CEO").click()
    row.get_by_label("The question for the CEO").fill("Who plans the sellers' days?")
    row.get_by_role("button", name="Escalate row 4.1").click()
    row = steps.open_row(coo, board, 1)
    row.get_by_role("link", name=re.compile("^Open dispute")).click()
    dispute = coo.url
    for page, words in ((coo, COO_PAGE), (cro, CRO_PAGE), (cfo, CFO_PAGE)):
        page.goto(dispute)
        page.get_by_role("textbox", name="Your page for the").fill(words)
        page.get_by_role("button", name="File your page").click()
    ceo = open_page("/")
    steps.sign_in(ceo, "Helen Marsh")
    ceo.goto(dispute)
    take(ceo, "dispute")
    for page in (cro, coo, cfo):
        page.goto(dispute)
        page.get_by_role("button", name="Agree to withdraw the dispute").click()
    row = steps.open_row(coo, board, 1)
    row.get_by_role("button", name="Agree to row 4.1").click()
    expect(row.get_by_text("COO agreed").first).to_be_visible()
    steps.set_effective_date(cro, board, steps.company_today())
    for page in (coo, cfo):
        steps.agree_to_all(page, board)
    steps.freeze(cro, board)
    steps.reload_until(cfo, cfo.get_by_role("link", name="Read and sign v2"))
    cfo.get_by_role("link", name="Read and sign v2").click()
    steps.reload_until(cfo, cfo.get_by_role("link", name="Open the signing copy"))
    steps.read_signing_copy(cfo)
    take(cfo, "sign")
