"""Two parties sign one boundary: one with a passkey, one with password and code.

The registry asks whoever holds an Office for a second factor, as production does. Chromium's own
virtual authenticator stands in for the device; everything else is real.
"""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from tests.browser import steps
from tests.browser.conftest import Registry
from tests.browser.test_passkeys import code_now, early_in_a_step, plug_in
from tests.people.signing_in import code_at

pytestmark = pytest.mark.browser

DOCUMENT = "/boundaries/NC-RB/1/"

# The parties have agreed and frozen: how they get there, other tests show.
FREEZE_THE_COMPANY_BOUNDARY = """
from django.utils.timezone import now
from boundaries import walk
from people.calendar import company_date
from people.queries import who_acts_for
acting = who_acts_for(["cro", "coo", "cfo", "ceo"], on=company_date(now()))
people = {key: one.person for key, one in acting.items()}
walk.agree_and_freeze(walk.draft_to_work_on(people=people, clock=now), people=people, clock=now)
"""


@pytest.fixture(scope="module")
def registry(chromium, tmp_path_factory, database_url, empty_redis):
    """A demo company in which whoever holds an Office needs a second factor."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("REQUIRE_SECOND_FACTOR", "offices")
        running = Registry(tmp_path_factory.mktemp("registry"), database_url)
    try:
        running.wait_until_ready()
        status, said = running.manage("shell", "-c", FREEZE_THE_COMPANY_BOUNDARY)
        assert status == 0, said
        yield running
    finally:
        running.stop()


def to_protect(page, registry, name):
    """Sign in; who needs a factor is asked for one before anything else."""
    page.goto(f"{registry.named_url}/accounts/login/?next={DOCUMENT}")
    steps.sign_in(page, name)
    expect(page.get_by_role("heading", name="Protect your account", level=1)).to_be_visible()


def begin(page, registry, button, *, page_name="sign", by_images=False):
    """Steps 1 to 4; the text is read as a PDF, or page by page on the spot."""
    page.goto(f"{registry.named_url}{DOCUMENT}{page_name}/")
    steps.reload_until(page, page.get_by_role("link", name="Open the signing copy").first)
    if by_images:
        count = steps.look_at_pages(page)
        expect(page.get_by_text(f"{count} of {count} opened")).to_be_visible()
    else:
        steps.read_signing_copy(page)
    page.get_by_role("checkbox", name=re.compile("on behalf of the Office")).check()
    page.get_by_role("radio", name="I have no conflict of interest to declare").check()
    page.get_by_role("button", name=button).click()
    expect(page.get_by_role("timer")).to_be_visible()


def test_one_party_signs_with_a_passkey_and_another_with_password_and_code(
    open_page, registry, audit
):
    maya = open_page(f"{registry.named_url}/accounts/login/")
    verify = plug_in(maya)
    to_protect(maya, registry, "Maya Lindqvist")
    maya.get_by_role("link", name="Add a passkey").click()
    maya.get_by_role("button", name="Add a passkey").click()
    maya.get_by_role("link", name="I have kept them, go on").click()

    begin(maya, registry, "Go on to your passkey", by_images=True)
    sign = maya.get_by_role("button", name="Sign boundary v1")
    use = maya.get_by_role("button", name="Use your passkey")
    expect(sign).to_have_attribute("aria-disabled", "true")
    audit(maya, "confirm with a passkey")
    # Pressed too early it leads to the passkey.
    sign.click(force=True)
    expect(use).to_be_focused()
    # The wrong finger: nothing is signed, and another try may follow.
    verify(False)
    use.click()
    expect(maya.get_by_role("alert")).to_contain_text("No passkey was used")
    expect(maya.get_by_role("alert")).to_contain_text("Nothing was signed.")
    expect(use).to_be_focused()
    audit(maya, "the passkey did not answer")
    verify(True)
    maya.keyboard.press("Enter")
    expect(maya.get_by_text("Confirmed with your passkey. Nothing is signed yet.")).to_be_visible()
    expect(sign).to_be_focused()
    expect(sign).not_to_have_attribute("aria-disabled", "true")
    audit(maya, "confirmed with a passkey")
    maya.keyboard.press("Enter")
    steps.told(maya, "You signed NC-RB-1.")

    daniel = open_page(f"{registry.named_url}/accounts/login/")
    to_protect(daniel, registry, "Daniel Osei")
    daniel.get_by_role("link", name="Add a code generator").click()
    secret = daniel.locator("code.secret").inner_text().replace(" ", "")
    early_in_a_step()
    proved = code_now(secret, steps_back=1)
    daniel.get_by_role("textbox", name="Code").fill(proved)
    daniel.get_by_role("button", name="Turn the code generator on").click()
    daniel.get_by_role("link", name="I have kept them, go on").click()

    begin(daniel, registry, "Go on to your password and code")
    audit(daniel, "confirm with password and code")
    sign = daniel.get_by_role("button", name="Sign boundary v1")
    password = daniel.get_by_label("Your password")
    code = daniel.get_by_label("Code of your code generator")
    # The code that turned the generator on is used up.
    password.fill(steps.PASSWORD)
    code.fill(proved)
    sign.click()
    expect(daniel.get_by_role("alert")).to_contain_text("4 tries are left. Nothing was signed.")
    expect(code).to_have_value("")
    audit(daniel, "a code that was used")
    password.fill(steps.PASSWORD)
    code.fill(code_at(secret, datetime.now(UTC)))
    sign.click()
    steps.told(daniel, "You signed NC-RB-1.")

    signed = steps.signers(daniel, f"{registry.named_url}{DOCUMENT}")
    expect(signed.filter(has_text="Maya Lindqvist")).to_contain_text("Signed")
    expect(signed.filter(has_text="Daniel Osei")).to_contain_text("Signed")
    daniel.goto(f"{registry.named_url}{DOCUMENT}text/")
    expect(daniel.get_by_text("Signed with passkey")).to_be_visible()
    expect(daniel.get_by_text("Signed with password and code")).to_be_visible()


def test_without_a_script_the_page_says_what_a_passkey_needs(open_page, registry):
    """And who has a code generator as well goes on with that."""
    priya = open_page(f"{registry.named_url}/accounts/login/")
    plug_in(priya)
    to_protect(priya, registry, "Priya Raman")
    priya.get_by_role("link", name="Add a passkey").click()
    priya.get_by_role("button", name="Add a passkey").click()
    priya.get_by_role("link", name="I have kept them, go on").click()
    priya.goto(f"{registry.named_url}/account/")
    priya.get_by_role("link", name="Add a code generator").click()
    secret = priya.locator("code.secret").inner_text().replace(" ", "")
    early_in_a_step()
    priya.get_by_role("textbox", name="Code").fill(code_now(secret, steps_back=1))
    priya.get_by_role("button", name="Turn the code generator on").click()
    begin(priya, registry, "Go on to your passkey")

    plain = open_page(
        f"{registry.named_url}/verify/",
        java_script_enabled=False,
        storage_state=priya.context.storage_state(),
    )
    plain.goto(priya.url)
    expect(plain.get_by_text("A passkey needs JavaScript")).to_be_visible()
    expect(plain.get_by_role("button", name="Use your passkey")).to_be_hidden()
    plain.get_by_role("link", name="Use password and code instead").click()
    plain.get_by_label("Your password").fill(steps.PASSWORD)
    plain.get_by_label("Code of your code generator").fill(code_at(secret, datetime.now(UTC)))
    plain.get_by_role("button", name="Sign boundary v1").click()
    steps.told(plain, "You signed NC-RB-1.")


# Whoever has not signed yet does so with a password, as where no second factor is asked for.
SIGN_FOR_THE_OTHERS = """
from django.test import override_settings
from django.utils.timezone import now
from boundaries import walk
from boundaries.models import Revision
from boundaries.states import Role
from people.calendar import company_date
from people.queries import who_acts_for
revision = Revision.objects.get(document__number="NC-RB", number=1)
signed = revision.signatures.filter(voided_at=None).values_list("office", flat=True)
missing = {"cro", "coo", "cfo"} - set(signed)
with override_settings(REQUIRE_SECOND_FACTOR="nobody"):
    for one in who_acts_for(missing, on=company_date(now())).values():
        walk.sign(
            revision, role=Role.COSIGNER, person=one.person, password="boundary-demo", clock=now
        )
"""


def test_ceo_looks_at_every_page_and_approves_with_a_passkey(open_page, registry, audit):
    """And sees afterwards what is kept of it, and that it holds."""
    helen = open_page(f"{registry.named_url}/accounts/login/")
    plug_in(helen)
    to_protect(helen, registry, "Helen Marsh")
    helen.get_by_role("link", name="Add a passkey").click()
    helen.get_by_role("button", name="Add a passkey").click()
    helen.get_by_role("link", name="I have kept them, go on").click()
    helen.goto(f"{registry.named_url}{DOCUMENT}")
    steps.reload_until(helen, helen.get_by_role("link", name="Open the signing copy").first)
    status, said = registry.manage("shell", "-c", SIGN_FOR_THE_OTHERS)
    assert status == 0, said

    helen.goto(f"{registry.named_url}{DOCUMENT}approve/")
    go_on = helen.get_by_role("button", name="Go on to your passkey")
    expect(go_on).to_have_attribute("aria-disabled", "true")
    audit(helen, "approve, the pages shown")
    helen.get_by_role("radio", name="Text").check(force=True)
    expect(helen.get_by_role("heading", name=re.compile("version 1$"))).to_be_visible()
    expect(helen.get_by_role("link", name="Enlarge page 1", exact=True)).to_be_hidden()
    helen.get_by_role("radio", name="Pages").check(force=True)
    with helen.expect_popup() as enlarged:
        helen.get_by_role("link", name="Enlarge page 2", exact=True).click()
    page = enlarged.value
    page.get_by_role("link", name="200 %").click()
    expect(page.get_by_role("region", name="Page 2, scrolls by itself")).to_be_visible()
    audit(page, "a page in large")
    page.close()
    begin(helen, registry, "Go on to your passkey", page_name="approve", by_images=True)
    # Another five minutes: nothing is lost, and the passkey is asked anew.
    helen.get_by_role("button", name="Take another 5 minutes").click()
    steps.told(helen, "You have another 5 minutes.")
    helen.get_by_role("button", name="Use your passkey").click()
    expect(helen.get_by_text("Confirmed with your passkey. Nothing is signed yet.")).to_be_visible()
    helen.get_by_role("button", name="Approve boundary v1").click()
    steps.told(helen, "You approved NC-RB-1.")

    helen.goto(f"{registry.named_url}/account/")
    helen.get_by_role("link", name="All 1, with their evidence").click()
    audit(helen, "my signatures")
    helen.get_by_role("link", name=re.compile("RevOps boundary, v1")).click()
    expect(helen.get_by_role("heading", name="It holds, and proves itself")).to_be_visible()
    expect(helen.get_by_text(re.compile(r"\d+ of \d+ pages as images"))).to_be_visible()
    helen.get_by_text("The exact words, of which").click()
    audit(helen, "one of my signatures")
