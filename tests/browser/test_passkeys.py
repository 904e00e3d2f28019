"""Second factors as people meet them: a passkey of the browser, a code generator, recovery codes.

Chromium's own virtual authenticator stands in for the device; everything else is real.
"""

import re
import time
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from tests.browser import steps
from tests.people.signing_in import code_at

pytestmark = pytest.mark.browser

HALF_A_STEP = 15  # seconds


def plug_in(page):
    """Give the page's browser a device that keeps passkeys; returns how to command it."""
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    made = device.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )

    def verify(succeeds):
        """Whether the finger on the device is the right one from now on."""
        device.send(
            "WebAuthn.setUserVerified",
            {"authenticatorId": made["authenticatorId"], "isUserVerified": succeeds},
        )

    return verify


def confirm(page):
    """Show by password that it is still you."""
    expect(page.get_by_role("heading", name="Confirm that it is you", level=1)).to_be_visible()
    page.get_by_label("Your password").fill(steps.PASSWORD)
    page.get_by_role("button", name="Confirm").click()


def to_account(page):
    page.locator("details.account-menu summary").click()
    page.get_by_role("link", name="Your account").click()
    expect(page.get_by_role("heading", name="Your account", level=1)).to_be_visible()


def sign_out(page):
    page.locator("details.account-menu summary").click()
    page.locator("details.account-menu").get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()


def give_password(page, registry, address):
    page.goto(f"{registry.named_url}/accounts/login/")
    page.get_by_role("textbox", name="Work e-mail").fill(address)
    page.get_by_role("textbox", name="Password").fill(steps.PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="One more step", level=1)).to_be_visible()


def code_now(secret, *, steps_back=0):
    return code_at(secret, datetime.now(UTC), steps=-steps_back)


def early_in_a_step():
    """Wait, at most half a step, until the code before this one stays good for a while."""
    into = time.time() % (2 * HALF_A_STEP)
    if into > HALF_A_STEP:
        time.sleep(2 * HALF_A_STEP - into + 0.1)


def test_passkey_is_added_signs_in_and_is_removed(open_page, registry, audit):
    page = open_page(f"{registry.named_url}/accounts/login/")
    verify = plug_in(page)
    audit(page, "sign in")
    steps.sign_in(page, "Priya Raman")
    to_account(page)
    audit(page, "account without a factor")

    # Signing in has just confirmed it; later the page asks.
    page.goto(f"{registry.named_url}/accounts/reauthenticate/?next=/accounts/2fa/webauthn/add/")
    audit(page, "confirm by password")
    confirm(page)
    page.get_by_role("textbox", name="Name").fill("MacBook, Touch ID")
    audit(page, "add a passkey")
    verify(False)
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("No passkey was used")
    expect(page.get_by_role("button", name="Add a passkey")).to_be_focused()
    verify(True)
    page.get_by_role("button", name="Add a passkey").click()

    codes = page.get_by_role("list", name="Recovery codes").get_by_role("listitem")
    expect(codes).to_have_count(10)
    audit(page, "recovery codes")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as a file").click()
    assert saved.value.suggested_filename == "recovery-codes.txt"
    text = saved.value.path().read_text()
    assert text.startswith("Recovery codes for the Boundary Registry of Northwind Cloud")
    assert codes.all_inner_texts() == re.findall(r"^\d{4} \d{4}$", text, re.MULTILINE)
    page.get_by_role("link", name="I have kept them, go on").click()
    expect(page.get_by_text("A passkey protects it.")).to_be_visible()
    audit(page, "account with a passkey")

    sign_out(page)
    page.goto(f"{registry.named_url}/accounts/login/?next=/reviews/")
    page.get_by_role("button", name="Use your passkey").click()
    expect(page).to_have_url(f"{registry.named_url}/reviews/")
    expect(page.get_by_text("Priya Raman, CFO").first).to_be_visible()

    # The same device offers no second passkey of one account.
    to_account(page)
    add = "/accounts/2fa/webauthn/add/"
    page.goto(f"{registry.named_url}/accounts/2fa/webauthn/reauthenticate/?next={add}")
    expect(page.get_by_role("link", name="Use your password instead")).to_be_visible()
    audit(page, "confirm by passkey")
    page.get_by_role("button", name="Use your passkey").click()
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("has a passkey for this account already")

    page.goto(f"{registry.named_url}/account/")
    page.get_by_role("link", name="Rename MacBook, Touch ID").click()
    audit(page, "rename a passkey")
    page.get_by_role("textbox", name="Name").fill("MacBook")
    page.get_by_role("button", name="Save the name").click()
    steps.told(page, "The passkey is called “MacBook” now.")
    page.get_by_role("link", name="Remove MacBook").click()
    expect(page.get_by_text("It is your last second factor.")).to_be_visible()
    audit(page, "remove a passkey")
    page.get_by_role("button", name="Remove the passkey").click()
    steps.told(page, "The passkey is removed.")
    expect(page.get_by_text("Only your password protects it.")).to_be_visible()

    sign_out(page)
    page.goto(f"{registry.named_url}/accounts/login/")
    page.get_by_role("button", name="Use your passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("That passkey was not accepted")


def test_code_generator_signs_in_once_per_code(open_page, registry, audit):
    page = open_page(f"{registry.named_url}/accounts/login/")
    steps.sign_in(page, "Daniel Osei")
    page.goto(f"{registry.named_url}/account/protect/")
    audit(page, "protect your account")
    page.get_by_role("link", name="Add a code generator").click()
    audit(page, "add a code generator")
    secret = page.locator("code.secret").inner_text().replace(" ", "")
    code = page.get_by_role("textbox", name="Code")
    code.fill("418 20")
    page.get_by_role("button", name="Turn the code generator on").click()
    expect(page.get_by_role("alert")).to_contain_text("The code has 5 digits. Give all 6.")
    expect(code).to_have_value("418 20")
    audit(page, "a code that is too short")
    early_in_a_step()
    code.fill(code_now(secret, steps_back=1))
    page.get_by_role("button", name="Turn the code generator on").click()
    codes = page.get_by_role("list", name="Recovery codes").get_by_role("listitem")
    recovery = codes.first.inner_text()
    page.get_by_role("link", name="I have kept them, go on").click()
    expect(page.get_by_text("A code generator protects it.")).to_be_visible()
    page.goto(f"{registry.named_url}/accounts/2fa/recovery-codes/")
    expect(page.get_by_text("10 of 10 are left")).to_be_visible()
    audit(page, "recovery codes, not shown again")

    sign_out(page)
    give_password(page, registry, "daniel.osei@northwind.example")
    audit(page, "second step")
    used = code_now(secret)
    page.get_by_role("textbox", name="Code").fill(used)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()

    sign_out(page)
    give_password(page, registry, "daniel.osei@northwind.example")
    page.get_by_role("textbox", name="Code").fill(used)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("used before")
    page.get_by_role("textbox", name="Code").fill(recovery)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(
        page.get_by_text("You signed in with a recovery code. 9 of 10 are left.")
    ).to_be_visible()
    audit(page, "after a recovery code")
    page.get_by_role("link", name="Add a new passkey or code generator").click()
    expect(page.get_by_text("9 of 10 left")).to_be_visible()

    page.get_by_role("link", name="Make 10 new ones").click()
    confirm(page)
    audit(page, "make recovery codes")
    page.get_by_role("button", name="Make 10 new ones").click()
    expect(codes).to_have_count(10)
    page.goto(f"{registry.named_url}/account/")
    page.get_by_role("link", name="Turn off the code generator").click()
    audit(page, "turn the code generator off")
    page.get_by_role("button", name="Turn it off").click()
    steps.told(page, "The code generator is off.")


def test_address_without_a_name_says_where_passkeys_work(open_page, registry):
    page = open_page("/accounts/login/")
    expect(page.get_by_text(f"such as {registry.named_url}.")).to_be_visible()
    expect(page.get_by_role("button", name="Use your passkey")).to_have_count(0)
    steps.sign_in(page, "Helen Marsh")
    page.goto("/account/protect/")
    expect(page.get_by_text(f"such as {registry.named_url}.")).to_be_visible()
    expect(page.get_by_role("link", name="Add a passkey")).to_have_count(0)


def test_without_a_script_the_page_says_what_to_do_instead(open_page, registry):
    page = open_page(f"{registry.named_url}/accounts/login/", java_script_enabled=False)
    expect(page.get_by_role("button", name="Use your passkey")).to_be_hidden()
    expect(page.get_by_text("Passkeys need JavaScript.")).to_be_visible()
    steps.sign_in(page, "Helen Marsh")
    page.goto(f"{registry.named_url}/account/")
    page.get_by_role("link", name="Add a code generator").click()
    secret = page.locator("code.secret").inner_text().replace(" ", "")
    page.get_by_role("textbox", name="Code").fill(code_now(secret))
    page.get_by_role("button", name="Turn the code generator on").click()
    codes = page.get_by_role("list", name="Recovery codes").get_by_role("listitem")
    expect(codes).to_have_count(10)
    expect(page.get_by_role("button", name="Save as a file")).to_be_hidden()
    page.get_by_role("link", name="I have kept them, go on").click()
    page.get_by_label("Time zone").select_option("Europe/Vienna")
    page.get_by_role("button", name="Save time zone and dates").click()
    steps.told(page, "Times and dates are shown this way from now on.")
    you = page.get_by_role("region", name="You", exact=True)
    expect(you.get_by_text("Europe/Vienna", exact=True)).to_be_visible()


def test_browser_that_knows_no_passkeys_says_so(open_page, registry):
    page = open_page(f"{registry.named_url}/accounts/login/")
    page.add_init_script("delete window.PublicKeyCredential")
    page.goto(f"{registry.named_url}/accounts/login/")
    expect(page.get_by_text("This browser knows no passkeys.")).to_be_visible()
    expect(page.get_by_role("button", name="Use your passkey")).to_be_hidden()
