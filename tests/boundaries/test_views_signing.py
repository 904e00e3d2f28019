"""The ceremony in the browser, the ways not to sign, and the public verify page."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from boundaries import verification, workflow
from boundaries.models import Signature, SigningIntent
from boundaries.states import State
from boundaries.views import verify as verify_page
from sealing.errors import KeysUnusable
from tests.boundaries import factories, sealed_files, stages
from tests.people.factories import PASSWORD

pytestmark = pytest.mark.django_db

BASE = "/boundaries/NC-RB/1/"
BEGIN = {"understood": "on", "conflict": "none"}


@pytest.fixture
def clock():
    with time_machine.travel(factories.NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def sign_in(people):
    def signing_in(office):
        client = Client()
        client.force_login(people[office])
        return client

    return signing_in


@pytest.fixture
def frozen_revision(clock, ready, people):
    return factories.frozen(ready, people).revision


def told(answer):
    return " ".join(str(one) for one in get_messages(answer.wsgi_request))


def begun(browser, page="sign", **more):
    """Open the copy and go through steps 1 to 4; gives the address of the confirmation."""
    browser.get(f"{BASE}signing-copy.pdf")
    answer = browser.post(f"{BASE}{page}/", BEGIN | more)
    assert answer.status_code == 302, answer.content.decode()
    return answer["Location"]


def test_the_whole_ceremony_signs_once(sign_in, frozen_revision):
    browser = sign_in("cro")
    assert 'aria-disabled="true"' in browser.get(f"{BASE}sign/").content.decode()
    confirm = begun(browser, reservation="Row 4.2 is to be looked at in spring.")
    assert frozen_revision.signatures.count() == 0

    page = browser.get(confirm).content.decode()
    assert "Row 4.2 is to be looked at in spring." in page
    answer = browser.post(confirm, {"password": PASSWORD})

    assert (answer.status_code, answer["Location"]) == (302, BASE)
    assert told(answer) == "You signed NC-RB-1."
    signature = Signature.objects.get()
    assert (signature.office, signature.method) == ("cro", "password only")
    assert signature.reservation == "Row 4.2 is to be looked at in spring."
    # The way back in the browser leads nowhere.
    again = browser.post(confirm, {"password": PASSWORD})
    assert (again.status_code, again["Location"]) == (302, BASE)
    assert "You have signed NC-RB-1 already." in told(again)
    assert Signature.objects.count() == 1


def test_the_confirmation_is_never_cached(sign_in, frozen_revision):
    browser = sign_in("cro")
    assert "no-store" in browser.get(begun(browser))["Cache-Control"]


def test_the_ceo_approves_what_all_signed_and_it_is_in_force(sign_in, frozen_revision, people):
    factories.cosigned(frozen_revision, people)
    browser = sign_in("ceo")

    answer = browser.post(begun(browser, "approve"), {"password": PASSWORD})

    assert told(answer) == "You approved NC-RB-1."
    frozen_revision.refresh_from_db()
    assert frozen_revision.state == State.APPROVED  # effective in a month
    assert factories.live_signatures(frozen_revision)[0] == ("ceo", "approver")


def test_going_on_without_having_opened_the_copy_is_refused(sign_in, frozen_revision):
    answer = sign_in("cro").post(f"{BASE}sign/", BEGIN | {"reservation": "As I typed it"})

    assert answer.status_code == 422
    assert "Open the exact text first" in answer.content.decode()
    assert "As I typed it" in answer.content.decode()
    assert not SigningIntent.objects.exists()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"conflict": "none"}, "Tick"),
        ({"understood": "on", "conflict": "declared"}, "conflict"),
        ({"understood": "on", "conflict": "none", "reservation": "x" * 401}, "at most 400"),
    ],
)
def test_an_incomplete_beginning_says_what_is_missing(sign_in, frozen_revision, data, words):
    browser = sign_in("cro")
    browser.get(f"{BASE}signing-copy.pdf")
    answer = browser.post(f"{BASE}sign/", data)

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not SigningIntent.objects.exists()


def test_a_wrong_password_signs_nothing_and_says_how_many_tries_are_left(sign_in, frozen_revision):
    browser = sign_in("cro")
    confirm = begun(browser)

    answer = browser.post(confirm, {"password": "wrong"})
    assert answer.status_code == 422
    assert "That is not your password. 4 tries are left." in answer.content.decode()
    assert "wrong" not in answer.content.decode().split('name="password"')[1].split(">")[0]

    for _ in range(3):
        browser.post(confirm, {"password": "wrong"})
    fifth = browser.post(confirm, {"password": "wrong"})
    assert "That was the fifth failed try." in told(fifth)
    sixth = browser.post(confirm, {"password": PASSWORD})
    assert sixth.status_code == 302
    assert "Too many failed tries." in told(sixth)
    assert not Signature.objects.exists()
    assert stages.events_of("signing.authentication_failed") == {"signing.authentication_failed": 5}


def test_an_empty_password_asks_for_one(sign_in, frozen_revision):
    browser = sign_in("cro")
    answer = browser.post(begun(browser), {"password": ""})

    assert answer.status_code == 422
    assert "Type your password to confirm that it is you." in answer.content.decode()
    assert SigningIntent.objects.get().failed_attempts == 0


def test_after_five_minutes_the_ceremony_begins_again(sign_in, frozen_revision, clock):
    browser = sign_in("cro")
    confirm = begun(browser)
    clock.move_to(factories.NOW + timedelta(minutes=5))

    for answer in (browser.get(confirm), browser.post(confirm, {"password": PASSWORD})):
        assert (answer.status_code, answer["Location"]) == (302, f"{BASE}sign/")
        assert "The five minutes to sign are over." in told(answer)
    assert not Signature.objects.exists()


def test_what_was_written_comes_back_after_the_time_ran_out(sign_in, frozen_revision, clock):
    browser = sign_in("cro")
    confirm = begun(browser, reservation="As I typed it", conflict="declared", conflict_text="Mine")
    clock.shift(timedelta(minutes=5))
    page = browser.get(confirm, follow=True).content.decode()
    assert "The five minutes to sign are over" in page
    assert "As I typed it" in page
    assert "Mine" in page
    assert 'id="id_understood" required>' in page  # the meaning is accepted anew
    # In another session nothing is shown of it.
    assert "As I typed it" not in sign_in("cro").get(f"{BASE}sign/").content.decode()


def test_another_five_minutes_lose_nothing_and_confirm_anew(sign_in, frozen_revision, clock):
    browser = sign_in("cro")
    confirm = begun(browser, reservation="As I typed it", conflict="declared", conflict_text="Mine")
    first = SigningIntent.objects.get()
    renew = f"{BASE}ceremony/{first.pk}/renew/"
    assert renew in browser.get(confirm).content.decode()
    assert browser.get(renew).status_code == 405
    clock.shift(timedelta(minutes=4))

    answer = browser.post(renew)

    second = SigningIntent.objects.latest("pk")
    assert answer["Location"] == f"{BASE}sign/{second.pk}/"
    assert (second.reservation, second.conflict_declared) == ("As I typed it", "Mine")
    assert second.expires_at - first.expires_at == timedelta(minutes=4)
    assert second.nonce != first.nonce
    assert second.authenticated_at is None
    # The first one is over, and renews no more.
    assert "You took another five minutes." in told(browser.get(confirm))
    assert "You took another five minutes." in told(browser.post(renew))
    clock.shift(timedelta(minutes=6))  # too late to sign, not to take another five minutes
    third = browser.post(f"{BASE}ceremony/{second.pk}/renew/")["Location"]
    browser.post(third, {"password": PASSWORD})
    assert Signature.objects.get().reservation == "As I typed it"


def test_nothing_is_renewed_once_the_text_or_the_person_changed(sign_in, frozen_revision, people):
    browser = sign_in("cro")
    begun(browser)
    renew = f"{BASE}ceremony/{SigningIntent.objects.get().pk}/renew/"
    assert sign_in("coo").post(renew).status_code == 404
    assert "another browser session" in told(sign_in("cro").post(renew))
    workflow.decline(
        revision=frozen_revision, reason="No.", acting_user=people["cfo"], at=factories.NOW
    )
    answer = browser.post(renew)
    assert 'is in the state "Draft"' in told(answer)
    frozen_revision.refresh_from_db()
    factories.frozen(frozen_revision, people, at=factories.NOW + timedelta(seconds=1))
    browser.get(f"{BASE}signing-copy.pdf")
    assert "changed since you began" in told(browser.post(renew))
    assert SigningIntent.objects.filter(consumed_at__isnull=True).count() == 1


def test_an_intent_is_of_no_use_to_anybody_else(sign_in, frozen_revision):
    confirm = begun(sign_in("cro"))

    assert sign_in("coo").get(confirm).status_code == 404
    assert sign_in("coo").post(confirm, {"password": PASSWORD}).status_code == 404
    # The same person in another browser session has to begin there.
    elsewhere = sign_in("cro").post(confirm, {"password": PASSWORD})
    assert elsewhere.status_code == 302
    assert "another browser session" in told(elsewhere)
    assert not Signature.objects.exists()


def test_an_intent_to_sign_does_not_approve(sign_in, frozen_revision):
    confirm = begun(sign_in("cro"))
    intent = SigningIntent.objects.get()

    assert confirm.endswith(f"/sign/{intent.pk}/")
    answer = sign_in("cro").post(f"{BASE}approve/{intent.pk}/", {"password": PASSWORD})
    assert answer.status_code == 302
    assert not Signature.objects.exists()


def test_signing_what_was_declined_meanwhile_is_refused_in_words(sign_in, frozen_revision, people):
    browser = sign_in("cro")
    confirm = begun(browser)
    workflow.decline(
        revision=frozen_revision,
        reason=factories.REASON,
        acting_user=people["coo"],
        at=factories.NOW,
    )

    answer = browser.post(confirm, {"password": PASSWORD})

    assert (answer.status_code, answer["Location"]) == (302, BASE)
    assert "is in the state “Draft”" in told(answer) or 'the state "Draft"' in told(answer)
    assert not Signature.objects.exists()


def test_an_old_confirmation_is_not_found_after_freezing_anew(sign_in, frozen_revision, people):
    browser = sign_in("cro")
    confirm = begun(browser)
    workflow.decline(
        revision=frozen_revision,
        reason=factories.REASON,
        acting_user=people["coo"],
        at=factories.NOW,
    )
    factories.frozen(frozen_revision, people)

    assert browser.post(confirm, {"password": PASSWORD}).status_code == 404
    assert not Signature.objects.exists()


def test_posting_a_signature_needs_the_pages_token(frozen_revision, people):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(people["cro"])

    assert strict.post(f"{BASE}sign/", BEGIN).status_code == 403
    assert strict.post(f"{BASE}decline/", {"reason": "x"}).status_code == 403


# --- Not signing ------------------------------------------------------------------------------


def test_declining_needs_a_reason_and_keeps_the_page(sign_in, frozen_revision):
    answer = sign_in("coo").post(f"{BASE}decline/", {"reason": "  "})

    assert answer.status_code == 422
    frozen_revision.refresh_from_db()
    assert frozen_revision.state == State.COSIGNING


def test_the_ceo_returns_with_a_reason(sign_in, frozen_revision, people):
    factories.cosigned(frozen_revision, people)

    answer = sign_in("ceo").post(f"{BASE}return/", {"reason": "Name the interim decider."})

    assert told(answer) == "NC-RB-1 went back to draft."
    frozen_revision.refresh_from_db()
    assert frozen_revision.state == State.DRAFT
    assert stages.signatures_of(frozen_revision)["void"] == ["cfo", "coo", "cro"]


def test_withdrawing_ends_it_and_its_page_stays_readable(sign_in, frozen_revision):
    answer = sign_in("ceo").post(f"{BASE}withdraw/", {"reason": "The companies merge."})

    assert told(answer) == "NC-RB-1 is withdrawn."
    page = sign_in("cro").get(BASE)
    assert page.status_code == 200
    assert "Withdrawn" in page.content.decode()


# --- The verify page --------------------------------------------------------------------------


@pytest.fixture
def upload(client, monkeypatch):
    """Judge these bytes on the public page, without signing in."""
    monkeypatch.setattr(verification, "verify_in_child", sealed_files.judged_once)

    def uploading(content, name="file.pdf", **more):
        file = SimpleUploadedFile(name, content, "application/pdf")
        return client.post("/verify/", {"file": file}, **more)

    return uploading


@pytest.fixture
def walk(django_db_blocker, django_db_setup, signing_keys, db):
    return sealed_files.walked(django_db_blocker)


@pytest.fixture
def recorded(walk, people):
    return sealed_files.recorded(walk, people["cro"])


def test_the_verify_page_needs_no_sign_in_and_names_what_the_code_asked_for(
    client, company, signing_keys
):
    answer = client.get("/verify/", {"document": "NC-RB-1", "content": "0" * 16})

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "NC-RB-1" in page
    assert answer.context["root_fingerprint"]
    strange = client.get("/verify/", {"document": "<script>" + "x" * 100}).content.decode()
    assert "<script>x" not in strange


def test_a_genuine_file_is_told_with_offices_and_dates_but_not_its_text(upload, walk, recorded):
    answer = upload(walk.sealed)

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Genuine, and in force today" in page
    assert "Chief Revenue Officer" in page
    assert walk.content_sha256 in page
    assert stages.FUNCTIONS[0][1] not in page
    assert "Maya Lindqvist" not in page


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda walk: sealed_files.flipped(walk.sealed), "Altered"),
        (lambda walk: walk.two_signed, "not complete"),
        (lambda walk: b"Hello, this is no PDF.", "Cannot be verified"),
    ],
)
def test_a_file_that_is_not_good_is_told_in_words(upload, walk, recorded, change, words):
    answer = upload(change(walk))

    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert not answer.context["judgement"].good


@pytest.mark.parametrize(
    ("content", "words"), [(None, "Choose a PDF file."), (b"", "That file is empty.")]
)
def test_no_file_or_an_empty_one_asks_for_one(client, upload, company, content, words):
    nothing = {"csrfmiddlewaretoken": "as a browser sends it"}
    answer = client.post("/verify/", nothing) if content is None else upload(content)

    assert answer.status_code == 422
    assert words in answer.content.decode()


def test_a_file_over_ten_megabytes_is_refused_unread(upload, company, monkeypatch):
    monkeypatch.setattr(verification, "verify_in_child", None)

    answer = upload(b"%PDF-1.7" + bytes(10 * 1024 * 1024))

    assert answer.status_code == 413
    assert "larger than 10 MB" in answer.content.decode()


def test_too_many_files_from_one_address_are_refused_and_others_go_on(
    upload, company, signing_keys, monkeypatch
):
    monkeypatch.setattr(verification, "FILES_PER_ADDRESS", 2)
    statuses = [upload(b"no PDF", REMOTE_ADDR="192.0.2.7").status_code for _ in range(4)]
    assert statuses == [200, 200, 429, 429]
    assert upload(b"no PDF", REMOTE_ADDR="192.0.2.8").status_code == 200


def test_without_keys_the_page_says_that_nothing_can_be_judged(
    upload, client, company, monkeypatch
):
    def no_keys():
        raise KeysUnusable("missing")

    monkeypatch.setattr(verification, "company_keys", no_keys)
    monkeypatch.setattr("boundaries.pdf.company_keys", no_keys)

    assert client.get("/verify/").status_code == 200
    answer = upload(b"%PDF-1.7")
    assert answer.status_code == 503
    assert "no signing keys at hand" in answer.content.decode()


@pytest.mark.parametrize(("behind_proxy", "third"), [(True, 200), (False, 429)])
def test_behind_a_proxy_each_of_its_readers_has_a_limit_of_their_own(
    client, db, settings, monkeypatch, behind_proxy, third
):
    settings.BEHIND_PROXY = behind_proxy
    monkeypatch.setattr(verification, "FILES_PER_ADDRESS", 2)
    monkeypatch.setattr(verify_page, "judge", lambda _pdf: None)

    def send(address):
        file = SimpleUploadedFile("a.pdf", b"%PDF-1.7", content_type="application/pdf")
        # What a visitor claims comes first, what the proxy saw comes last.
        forwarded = f"10.0.0.1, {address}"
        return client.post("/verify/", {"file": file}, headers={"x-forwarded-for": forwarded})

    assert [send("203.0.113.7").status_code for _ in range(2)] == [200, 200]
    assert send("203.0.113.8").status_code == third
