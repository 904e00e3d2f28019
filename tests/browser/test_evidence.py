"""Evidence through the pages: the log, the archive, what is verified and taken along.

axe looks at each page, in light and dark, and at a phone's width.
"""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser import steps

pytestmark = pytest.mark.browser

SECRETARY, CRO = "Ruth Adler", "Maya Lindqvist"
ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def sealed(registry, tmp_path):
    """The sealed PDF of the next version of the demo's boundary, in force, and its page."""
    pdf = tmp_path / "boundary.pdf"
    status, words = registry.manage("demo_document", "--out", str(pdf))
    assert status == 0, words
    (number,) = set(re.findall(r"NC-RB-(\d+)", words))
    return pdf, f"/boundaries/NC-RB/{number}/"


@pytest.mark.timeout(300)
def test_stranger_verifies_what_a_member_took_along(registry, open_page, audit, sealed, tmp_path):
    pdf, address = sealed
    reader = open_page("/")
    steps.sign_in(reader, CRO)
    reader.goto(address)
    with reader.expect_download() as begun:
        reader.get_by_role("link", name="Download the evidence bundle").click()
    bundle = tmp_path / "evidence.zip"
    begun.value.save_as(bundle)
    names = zipfile.ZipFile(bundle).namelist()
    assert "README.txt" in names

    stranger = open_page("/verify/")
    audit(stranger, "verify")
    stranger.set_input_files("input[type=file]", str(pdf))
    stranger.get_by_role("button", name=re.compile("Check|Verify")).first.click()
    expect(stranger.get_by_text("Genuine, and in force today").first).to_be_visible()
    audit(stranger, "genuine and in force")
    fingerprint = (registry.state / "keys" / "root.sha256").read_text().strip()
    stranger.goto("/verify/")
    assert fingerprint in re.sub(r"\s", "", stranger.locator("main").text_content())

    # Offline: no settings, no database; only what the page published and the member handed over.
    asked = [sys.executable, "-m", "sealing.verify", str(pdf), "--bundle", str(bundle)]
    done = subprocess.run(
        [*asked, "--root", fingerprint], cwd=ROOT, capture_output=True, text=True, env={}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    other = subprocess.run(
        [*asked, "--root", "0" * 64], cwd=ROOT, capture_output=True, text=True, env={}
    )
    assert other.returncode == 2, other.stdout + other.stderr


@pytest.mark.timeout(300)
def test_log_is_read_filtered_and_proven(registry, open_page, audit, sealed):
    secretary = open_page("/")
    steps.sign_in(secretary, SECRETARY)
    secretary.goto("/log/")
    audit(secretary, "log")
    expect(secretary.get_by_text(re.compile("sealed the PDF of NC-RB")).first).to_be_visible()
    secretary.locator("main a[href^='/log/events/']").first.click()
    expect(secretary.get_by_role("heading", level=1)).to_be_visible()
    audit(secretary, "event")
    secretary.goto("/log/?event=nothing.such")
    audit(secretary, "log, nothing found")


@pytest.mark.timeout(300)
def test_record_is_held_and_released(registry, open_page, audit, sealed):
    secretary = open_page("/")
    steps.sign_in(secretary, SECRETARY)
    for path, name in (
        ("/archive/", "archive"),
        ("/archive/retention/", "retention"),
        ("/archive/holds/", "holds"),
        ("/archive/erasures/", "erasures"),
    ):
        secretary.goto(path)
        audit(secretary, name)
    secretary.goto("/archive/holds/")
    secretary.get_by_label("Matter").fill("Case 2026-17")
    secretary.get_by_label(re.compile("^Reason|^Why")).first.fill("The sellers dispute a payout.")
    secretary.get_by_role("button", name=re.compile("^Place")).click()
    steps.told(secretary, re.compile("hold", re.IGNORECASE))
    audit(secretary, "a hold")
    secretary.goto("/archive/")
    secretary.locator("main a[href^='/archive/records/']").first.click()
    expect(secretary.get_by_text("Case 2026-17").first).to_be_visible()
    audit(secretary, "a record under hold")


@pytest.mark.timeout(300)
def test_signer_reads_what_they_signed(registry, open_page, audit, sealed):
    signer = open_page("/")
    steps.sign_in(signer, CRO)
    signer.goto("/account/")
    signer.get_by_role("link", name=re.compile("with their evidence")).click()
    expect(signer.get_by_text(re.compile("NC-RB")).first).to_be_visible()
    audit(signer, "my signatures")
    signer.locator("main a[href*='signatures/']").first.click()
    expect(signer.get_by_role("heading", level=1)).to_be_visible()
    audit(signer, "one of my signatures")
