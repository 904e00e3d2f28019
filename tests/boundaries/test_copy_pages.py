"""The pages of the signing copy in the ceremony: what is shown, to whom, and what is recorded."""

import io
import re
import threading
from datetime import timedelta

import pytest
import time_machine
from django.core.cache import caches
from django.test import Client
from django.utils import timezone
from PIL import Image

from audit.models import Event
from boundaries import copy_pages, opening, pdf, signing, workflow
from boundaries.errors import NotRead
from boundaries.files import files
from boundaries.models import Freeze, Reading, Signature, SigningIntent, StoredFile
from sealing import pages
from sealing.errors import PagesNotDrawn
from sealing.render import weasyprint_problem
from tests.boundaries import factories, stages
from tests.boundaries.factories import NOW, REASON, SESSION
from tests.boundaries.fake_pages import COUNT
from tests.people.factories import PASSWORD, PersonFactory

BASE = "/boundaries/NC-RB/1/"
BEGIN = {"understood": "on", "conflict": "none"}


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


def browser_of(person):
    client = Client()
    client.force_login(person)
    return client


def back_in_draft(revision, people):
    workflow.decline(revision=revision, reason=REASON, acting_user=people["cfo"], at=NOW)


@pytest.fixture
def browser(clock, frozen, people):
    return browser_of(people["coo"])


def images_on(page):
    return re.findall(r'<img src="([^"]+\.png)"', page.content.decode())


def address(person, freeze, number, suffix=""):
    token = copy_pages.token_of(person, freeze.signing_copy_sha256)
    return f"{BASE}copy/{token}/{number}{suffix}.png"


def opened_events():
    return [one.data for one in Event.objects.filter(event="signing_copy.opened")]


# --- What is shown ----------------------------------------------------------------------------


def test_ceremony_shows_every_page_with_its_text(browser, frozen, people):
    page = browser.get(f"{BASE}sign/")

    text = page.content.decode()
    assert images_on(page) == [address(people["coo"], frozen, n) for n in (1, 2)]
    for number in (1, 2):
        assert f'alt="Page {number} of 2 of NC-RB-1; its text follows"' in text
        assert f"Text of page {number}" in text
    assert text.count('loading="lazy"') == COUNT
    assert "0 of 2 opened" in text
    # The HTML text of the same content, and the PDF, are there as well.
    assert 'class="paper"' in text
    assert f"{BASE}signing-copy.pdf" in text


def test_opening_the_page_of_the_ceremony_is_no_reading(browser, frozen):
    browser.get(f"{BASE}sign/")
    browser.head(f"{BASE}sign/")
    assert not Reading.objects.exists()


def test_approver_sees_the_pages_too(clock, frozen, people):
    factories.cosigned(frozen.revision, people)
    page = browser_of(people["ceo"]).get(f"{BASE}approve/")
    assert images_on(page) == [address(people["ceo"], frozen, n) for n in (1, 2)]


def test_pages_stay_in_view_until_the_moment_of_signing(browser, frozen, people):
    browser.get(f"{BASE}signing-copy.pdf")
    page = browser.post(f"{BASE}sign/", BEGIN, follow=True)
    assert images_on(page) == [address(people["coo"], frozen, n) for n in (1, 2)]
    shown = " ".join(frozen.content_sha256[i : i + 4] for i in range(0, 64, 4))
    assert f'<span class="hash">{shown}</span>' in page.content.decode()


def test_image_is_drawn_once_and_kept_by_this_browser_only(browser, frozen, people, drawn_pages):
    answer = browser.get(address(people["coo"], frozen, 1))

    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    assert Image.open(io.BytesIO(answer.content)).size == (4, 5)
    assert answer["Cache-Control"] == "private, max-age=86400, immutable"
    again = browser.get(
        address(people["coo"], frozen, 1), headers={"if-none-match": answer["ETag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == answer["ETag"]
    assert browser.get(address(people["coo"], frozen, 2))["ETag"] != answer["ETag"]
    browser_of(people["cro"]).get(address(people["cro"], frozen, 1))
    # The first request drew its neighbour along; nothing was drawn twice.
    assert drawn_pages.drawn == [([1, 2], copy_pages.NORMAL)]


def test_large_image_is_drawn_alone(browser, frozen, people, drawn_pages):
    assert browser.get(address(people["coo"], frozen, 2, "-large")).status_code == 200
    assert drawn_pages.drawn == [([2], copy_pages.LARGE)]


def test_many_requests_at_once_draw_once(frozen, drawn_pages):
    sha256, got, content = frozen.signing_copy_sha256, [], files.get(frozen.signing_copy_sha256)
    caches["pages"].set(copy_pages._key(sha256, 9, 1), b"")  # the cache's directory is there
    copy_pages.shapes_of(sha256)
    barrier = threading.Barrier(4)

    class Store:
        def get(self, _sha256):
            return content

    def ask():
        barrier.wait()
        got.append(copy_pages.image_of(sha256, 1).png)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(copy_pages, "files", Store())  # threads see no rows of this transaction
        threads = [threading.Thread(target=ask) for _ in range(4)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    assert (len(got), len(set(got))) == (4, 1)
    assert len(drawn_pages.drawn) == 1


@pytest.mark.parametrize("page", ["0", "3", "99999999999999999999", "-1", "1.5", "a"])
def test_page_that_there_is_not_is_not_found(browser, frozen, people, page):
    token = copy_pages.token_of(people["coo"], frozen.signing_copy_sha256)
    for path in (f"copy/{token}/{page}.png", f"copy/{token}/{page}-large.png", f"copy/{page}/"):
        assert browser.get(f"{BASE}{path}").status_code == 404
    assert not Reading.objects.exists()


def test_address_is_of_one_person_and_one_text(browser, frozen, people):
    theirs = address(people["cro"], frozen, 1)
    assert browser.get(theirs).status_code == 404
    assert browser.get(f"{BASE}copy/made-up/1.png").status_code == 404
    assert browser.get(f"{BASE}copy/ü/1.png").status_code == 404
    earlier = address(people["coo"], frozen, 1)
    back_in_draft(frozen.revision, people)
    assert browser.get(earlier).status_code == 404  # nothing is frozen
    factories.frozen(frozen.revision, people, at=NOW + timedelta(hours=1))
    assert browser.get(earlier).status_code == 404
    assert not Reading.objects.exists()


def test_pages_are_for_those_who_read_drafts(clock, frozen, people):
    member = people["member"]
    for client in (browser_of(member), browser_of(PersonFactory()), Client()):
        for path in (address(member, frozen, 1), f"{BASE}copy/1/"):
            assert client.get(path).status_code in (302, 403, 404)
    assert not Reading.objects.exists()


def test_nothing_is_shown_before_the_copy_is_made(clock, ready, people):
    frozen = workflow.freeze(revision=ready, acting_user=people["cro"], at=NOW)
    browser = browser_of(people["coo"])
    page = browser.get(f"{BASE}sign/")
    assert images_on(page) == []
    assert "The signing copy is being made" in page.content.decode()
    assert browser.get(address(people["coo"], frozen, 1)).status_code == 404
    assert browser.get(f"{BASE}copy/1/").status_code == 302


def test_copy_that_cannot_be_drawn_is_read_as_pdf_and_text(
    browser, frozen, people, monkeypatch, caplog
):
    def fail(*_args, **_how):
        raise PagesNotDrawn("The pages could not be drawn: it took longer than 20 s.")

    monkeypatch.setattr("sealing.pages.shapes", fail)
    page = browser.get(f"{BASE}sign/").content.decode()
    assert "Open the signing copy as a PDF: those are the same bytes" in page
    assert 'class="paper"' in page
    assert "longer than 20 s" in caplog.text
    assert browser.get(address(people["coo"], frozen, 1)).status_code == 404
    browser.get(f"{BASE}signing-copy.pdf")
    assert browser.post(f"{BASE}sign/", BEGIN).status_code == 302


def test_page_in_large_scrolls_by_itself_and_shows_its_text(browser, frozen, people):
    page = browser.get(f"{BASE}copy/1/?zoom=200")

    text = page.content.decode()
    assert images_on(page) == []
    assert address(people["coo"], frozen, 1, "-large") in text
    assert 'data-zoom="200"' in text
    assert "Text of page 1" in text
    assert f'rel="next" href="{BASE}copy/2/?zoom=200"' in text
    assert 'rel="prev"' not in text
    for made_up in ("", "7", "x", "200%"):
        assert (
            'data-zoom="100"' in browser.get(f"{BASE}copy/2/", {"zoom": made_up}).content.decode()
        )
    assert not Reading.objects.exists()  # the image is what hands the page over


# --- What is recorded -------------------------------------------------------------------------


def test_each_page_is_recorded_once_with_what_was_opened(browser, frozen, people, clock):
    browser.get(address(people["coo"], frozen, 2))
    clock.shift(60)
    browser.get(address(people["coo"], frozen, 2))
    browser.get(address(people["coo"], frozen, 1, "-large"))

    kept = Reading.objects.order_by("opened_at").values_list("page", "pages", "opened_at")
    assert list(kept) == [(2, 2, NOW), (1, 2, NOW + timedelta(minutes=1))]
    assert opened_events() == [
        {"opened": "page", "page": 2, "pages": 2},
        {"opened": "page", "page": 1, "pages": 2},
    ]
    event = Event.objects.filter(event="signing_copy.opened").first()
    assert event.object_sha256 == frozen.signing_copy_sha256
    assert (event.actor_id, event.office) == (people["coo"].pk, "coo")


def test_head_hands_nothing_over(browser, frozen, people):
    assert browser.head(address(people["coo"], frozen, 1)).status_code == 405
    assert not Reading.objects.exists()


def test_signing_goes_on_once_every_page_was_opened(browser, frozen, people):
    browser.get(address(people["coo"], frozen, 1))
    page = browser.get(f"{BASE}sign/")
    assert "1 of 2 opened" in page.content.decode()
    refused = browser.post(f"{BASE}sign/", BEGIN)
    assert refused.status_code == 422
    assert "page 2 was not opened yet. Nothing was signed." in refused.content.decode()
    assert not SigningIntent.objects.exists()

    browser.get(address(people["coo"], frozen, 2))
    assert "You opened all 2 pages on" in browser.get(f"{BASE}sign/").content.decode()
    confirm = browser.post(f"{BASE}sign/", BEGIN)
    assert confirm.status_code == 302
    browser.post(confirm["Location"], {"password": PASSWORD})
    signature = Signature.objects.get()
    assert signature.evidence["opened"] == {
        "pdf": None,
        "pages": 2,
        "page_images": {"1": "2026-11-20T15:00:00Z", "2": "2026-11-20T15:00:00Z"},
    }


def test_record_of_the_pdf_says_so(frozen, people):
    intent = factories.authenticated_intent(frozen.revision, people["coo"])
    (signature,) = workflow.cosign(
        revision=frozen.revision,
        intent=intent,
        session_key=SESSION,
        acting_user=people["coo"],
        at=NOW,
    )
    assert signature.evidence["opened"] == {
        "pdf": "2026-11-20T15:00:00Z",
        "pages": 0,
        "page_images": {},
    }
    assert opened_events() == [{"opened": "pdf"}]


@pytest.mark.parametrize(
    ("missing", "words"),
    [([2], "page 2 was"), ([1, 3], "pages 1 and 3 were"), ([1, 2, 5], "pages 1, 2 and 5 were")],
)
def test_words_of_what_is_missing(missing, words):
    assert signing.missing_words(missing) == words


def test_pages_of_an_earlier_freeze_do_not_count(frozen, people):
    for page in (1, 2):
        signing.record_reading(freeze=frozen, page=page, pages=2, acting_user=people["coo"], at=NOW)
    assert opening.opened_by(people["coo"], frozen).whole
    back_in_draft(frozen.revision, people)
    anew = factories.frozen(frozen.revision, people, at=NOW + timedelta(hours=1))
    assert not opening.opened_by(people["coo"], anew).whole
    with pytest.raises(NotRead):
        signing.open_intent(
            revision=anew.revision,
            role="cosigner",
            meaning_accepted=True,
            session_key=SESSION,
            acting_user=people["coo"],
            at=NOW + timedelta(hours=1),
        )


# --- Exactly the bytes that are signed --------------------------------------------------------


@pytest.mark.skipif(bool(weasyprint_problem()), reason="WeasyPrint cannot draw here")
def test_what_is_shown_is_drawn_from_the_bytes_whose_hash_is_signed(
    people, drawn_pages, signing_keys
):
    """The real copy, certified as the worker does it: its pages carry the hash that is signed."""
    now = timezone.now()  # certificates count from when they were made
    draft = stages.ready_to_freeze(people, at=now)
    frozen = workflow.freeze(revision=draft, acting_user=people["cro"], at=now)
    pdf.advance(frozen.pk)
    frozen.refresh_from_db()
    stored = files.get(frozen.signing_copy_sha256)
    browser = browser_of(people["coo"])
    page = browser.get(f"{BASE}sign/")
    shown = images_on(page)
    shapes = copy_pages.shapes_of(frozen.signing_copy_sha256)
    assert len(shown) == len(shapes) >= 3

    for number, url in enumerate(shown[:2], start=1):
        (drawn,) = drawn_pages.real[1](stored, [number], width=pages.WIDTHS[0])
        assert browser.get(url).content == drawn
    grouped = " ".join(frozen.content_sha256[i : i + 4] for i in range(0, 64, 4))
    for number, shape in enumerate(shapes, start=1):
        assert grouped in shape.text
        assert f"NC-RB-1, page {number} of {len(shapes)}" in shape.text
    assert grouped in page.content.decode()

    for url in shown:
        browser.get(url)
    confirm = browser.post(f"{BASE}sign/", BEGIN)["Location"]
    browser.post(confirm, {"password": PASSWORD})
    signature = Signature.objects.get()
    assert signature.content_sha256 == frozen.content_sha256
    assert signature.signing_copy_sha256 == frozen.signing_copy_sha256


def test_rotten_bytes_are_not_drawn(browser, frozen, people, drawn_pages, monkeypatch, caplog):
    def rotten(_sha256):
        raise ValueError("The stored file no longer has that SHA-256.")

    monkeypatch.setattr(files, "get", rotten)
    page = browser.get(f"{BASE}sign/")
    assert images_on(page) == []
    assert "no longer has that SHA-256" in caplog.text
    assert drawn_pages.drawn == []


def test_readings_cannot_be_changed(frozen, people):
    from django.db import DatabaseError, transaction

    reading = signing.record_reading(
        freeze=frozen, page=1, pages=2, acting_user=people["coo"], at=NOW
    )
    with pytest.raises(DatabaseError), transaction.atomic():
        Reading.objects.filter(pk=reading.pk).update(page=0)
    assert Freeze.objects.get().readings.get().page == 1
    assert StoredFile.objects.filter(pk=frozen.signing_copy_sha256).exists()
