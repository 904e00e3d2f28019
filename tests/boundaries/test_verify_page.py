"""The public verify page and its API: what they tell, what they keep back, what they keep."""

import io
import json
import sys
import tempfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from boundaries import verification
from boundaries.states import State
from boundaries.verification import Scanned, too_many_files
from sealing import verify as verifying
from sealing.verdict import Verdict
from tests.boundaries import sealed_files

pytestmark = pytest.mark.django_db

API = "/api/v1/verify/"


@pytest.fixture(autouse=True)
def _a_child_for_each_file_only_once(monkeypatch):
    monkeypatch.setattr(verification, "verify_in_child", sealed_files.judged_once)


@pytest.fixture
def walk(django_db_blocker, django_db_setup, signing_keys, db):
    return sealed_files.walked(django_db_blocker)


@pytest.fixture
def upload(client):
    def uploading(content, query="", **more):
        file = SimpleUploadedFile("file.pdf", content, "application/pdf")
        return client.post(f"/verify/{query}", {"file": file}, **more)

    return uploading


def send(client, content, **more):
    return client.post(API, content, content_type="application/pdf", **more)


# --- What each verdict says to do ---------------------------------------------------------------

CASES = {
    "in force": (State.IN_FORCE, False, "Rely on it today."),
    "not yet in force": (State.APPROVED, False, "Go by the version before it until then."),
    "superseded": (State.SUPERSEDED, False, "do not act on it today"),
    "expired": (State.EXPIRED_UNRENEWED, False, "Ask the company whether it still goes by"),
    "voided": (State.DRAFT, True, "Do not act on it. Ask the company which text stands."),
    "withdrawn": (State.WITHDRAWN, True, "Do not act on it. Ask the company which text stands."),
}


@pytest.mark.parametrize("case", CASES)
def test_page_and_api_say_where_it_stands_and_what_to_do(client, upload, walk, executives, case):
    state, voided, advice = CASES[case]
    sealed_files.recorded(walk, executives["cro"], state=state, voided=voided)

    page, told = upload(walk.sealed), send(client, walk.sealed)

    assert (page.status_code, told.status_code) == (200, 200)
    judgement, data = page.context["judgement"], told.json()
    assert advice in page.content.decode()
    assert (data["standing"], data["headline"]) == (judgement.standing, judgement.headline)
    assert data["sentences"] == list(judgement.sentences)
    assert advice in data["advice"]
    assert data["genuine"] is judgement.genuine


@pytest.mark.parametrize(
    ("change", "kind", "advice"),
    [
        (lambda walk: walk.two_signed, "incomplete", "the file with all signatures"),
        (lambda walk: sealed_files.flipped(walk.sealed), "altered", "keep this copy as it is"),
        (lambda walk: walk.signing_copy[:2000], "unverifiable", "A scan, a photo or a PDF"),
    ],
)
def test_what_is_not_genuine_says_what_to_do_too(
    client, upload, walk, executives, change, kind, advice
):
    sealed_files.recorded(walk, executives["cro"])
    content = change(walk)

    page, data = upload(content).content.decode(), send(client, content).json()

    assert (data["kind"], data["genuine"]) == (kind, False)
    assert advice in data["advice"]
    assert advice in page


def test_an_altered_file_is_told_with_the_step_that_was_altered(client, upload, walk, executives):
    sealed_files.recorded(walk, executives["cro"])
    altered = sealed_files.flipped(walk.sealed, at=0.2)

    data = send(client, altered).json()

    assert data["changes"], data
    assert data["changes"][0] in upload(altered).context["judgement"].verdict.changes


def test_a_file_that_the_registry_never_made_is_told(client, walk):
    data = send(client, walk.sealed).json()
    assert (data["kind"], data["standing"], data["genuine"]) == ("genuine", "not_recorded", False)


# --- What it keeps back -------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_neither_page_nor_api_tells_names_or_content(client, upload, walk, executives, case):
    state, voided, _ = CASES[case]
    sealed_files.recorded(walk, executives["cro"], state=state, voided=voided)
    content = json.loads(walk.content)

    told = upload(walk.sealed).content.decode() + send(client, walk.sealed).content.decode()

    for person in executives.values():
        assert person.name not in told
    for row in next(one for one in content["articles"] if "rows" in one)["rows"]:
        assert row["name"] not in told
    assert "void_reason" not in told
    assert "Row 4.1" not in told  # why it was voided


def test_a_text_that_was_frozen_anew_is_not_told_as_in_force(client, upload, walk, executives):
    """Its Revision rules, in another text: the period is that one's."""
    sealed_files.recorded(walk, executives["cro"], state=State.IN_FORCE, voided=True)

    page, data = upload(walk.sealed).content.decode(), send(client, walk.sealed).json()

    assert "<dt>In force</dt>" not in page
    assert (data["in_force_from"], data["standing"]) == (None, "voided")
    assert "signed by" not in " ".join(data["sentences"])


def test_a_file_of_others_asks_the_database_for_nothing(client, company, signing_keys):
    with CaptureQueriesContext(connection) as queries:
        send(client, b"%PDF-1.7\nno document of anybody's")
    assert not [one for one in queries.captured_queries if "boundaries_" in one["sql"]]


# --- The code on page 1 -------------------------------------------------------------------------


def verdict(reference="NC-RB-1", content="ab" * 32):
    return Verdict("genuine", "Genuine", [], "f" * 64, content_sha256=content, reference=reference)


@pytest.mark.parametrize(
    ("scanned", "found", "words"),
    [
        (Scanned("NC-RB-1", "ab" * 8), verdict(), ""),
        (Scanned("NC-RB-1"), verdict(), ""),
        (Scanned("NC-RB-1", "cd" * 8), verdict(), "its text is another"),
        (Scanned("NC-RB-2", "ab" * 8), verdict(), "the file is NC-RB-1"),
        (Scanned("NC-RB-1", "ab" * 8), verdict("", ""), "cannot be told"),
    ],
)
def test_a_file_other_than_the_codes_is_told(scanned, found, words):
    differs = scanned.differs_from(found)
    assert (words in differs) if words else differs == ""


@pytest.mark.parametrize(
    ("query", "scanned"),
    [
        ({"document": "NC-RB-1", "content": "0123456789abcdef"}, ("NC-RB-1", "0123456789abcdef")),
        ({"document": "NC-RB-1", "content": "0123"}, ("NC-RB-1", "")),
        ({"document": "NC-RB-1"}, ("NC-RB-1", "")),
        ({"document": "<script>"}, None),
        ({"document": "x" * 65}, None),
        ({"content": "0123456789abcdef"}, None),
        ({}, None),
    ],
)
def test_a_code_is_read_or_passed_over(query, scanned):
    found = Scanned.from_query(query)
    assert (found and (found.reference, found.content)) == scanned


def test_the_page_says_what_it_is_about_to_check_and_whether_it_did(
    client, upload, walk, executives
):
    sealed_files.recorded(walk, executives["cro"])
    code = f"?document=NC-RB-1&content={walk.content_sha256[:16]}"

    assert "You are about to check NC-RB-1" in client.get(f"/verify/{code}").content.decode()
    assert "the document whose code you scanned" in upload(walk.sealed, code).content.decode()
    other = upload(walk.sealed, f"?document=NC-RB-1&content={'0' * 16}").content.decode()
    assert "its text is another" in other
    assert "the document whose code you scanned" not in other


def test_the_code_that_is_printed_leads_to_a_document(walk):
    from urllib.parse import parse_qsl, urlsplit

    from boundaries.pdf import verification_url

    query = dict(parse_qsl(urlsplit(verification_url("NC-RB-1", walk.content_sha256)).query))
    assert Scanned.from_query(query) == Scanned("NC-RB-1", walk.content_sha256[:16])


# --- Limits -------------------------------------------------------------------------------------


def test_the_limit_of_10_mb_is_said_before_and_after(client, company, monkeypatch):
    monkeypatch.setattr(verification, "verify_in_child", None)

    assert "at most 10 MB" in client.get("/verify/").content.decode()
    just_over = SimpleUploadedFile("a.pdf", bytes(10_000_001), "application/pdf")
    answer = client.post("/verify/", {"file": just_over})
    assert (answer.status_code, "larger than 10 MB" in answer.content.decode()) == (422, True)
    answer = send(client, bytes(10_000_001))
    assert (answer.status_code, "larger than 10 MB" in answer.json()["detail"]) == (413, True)


class Unread(io.BytesIO):
    def read(self, *args):
        raise AssertionError("the body was read")


@pytest.mark.parametrize("path", ["/verify/", API])
def test_what_says_that_it_is_too_large_is_refused_unread(client, company, path):
    answer = client.generic(
        "POST",
        path,
        b"",
        content_type="application/pdf" if path == API else "multipart/form-data; boundary=x",
        **{"wsgi.input": Unread(), "CONTENT_LENGTH": "50000000"},
    )
    assert answer.status_code == 413
    assert "larger than 10 MB" in answer.content.decode()


def test_page_and_api_share_one_limit_for_each_address(client, upload, company, signing_keys,
                                                       monkeypatch):  # fmt: skip
    monkeypatch.setattr(verification, "FILES_PER_ADDRESS", 2)
    here = {"REMOTE_ADDR": "192.0.2.17"}

    assert upload(b"no PDF", **here).status_code == 200
    assert send(client, b"no PDF", **here).status_code == 200
    page, told = upload(b"no PDF", **here), send(client, b"no PDF", **here)
    assert (page.status_code, page["Retry-After"]) == (429, "600")
    assert "Too many files from your address" in page.content.decode()
    assert (told.status_code, told["Retry-After"]) == (429, "600")
    assert send(client, b"no PDF", REMOTE_ADDR="192.0.2.18").status_code == 200


def test_all_addresses_of_one_ipv6_network_count_as_one(monkeypatch):
    monkeypatch.setattr(verification, "FILES_PER_ADDRESS", 1)
    assert [too_many_files(f"2001:db8::{n}") for n in (1, 2)] == [False, True]
    assert too_many_files("2001:db8:0:1::1") is False


def test_the_api_asks_for_a_body_and_for_nothing_else(client, company, signing_keys):
    assert send(client, b"").status_code == 400
    assert client.post(API, {"file": "x"}, content_type="application/json").status_code == 415
    assert client.get(API).status_code == 405


def test_without_keys_the_api_says_so(client, company, monkeypatch):
    from sealing.errors import KeysUnusable

    def no_keys():
        raise KeysUnusable("missing")

    monkeypatch.setattr(verification, "company_keys", no_keys)
    answer = send(client, b"%PDF-1.7")
    assert (answer.status_code, "no signing keys" in answer.json()["detail"]) == (503, True)


# --- Nothing is kept ----------------------------------------------------------------------------

_written: list[tuple[str, Any]] = []
_watching: list[bool] = []


def _watch(event, arguments):
    """Note what is opened for writing while a test watches; an audit hook stays for good."""
    if not _watching or event not in {"open", "os.mkdir", "tempfile.mkstemp"}:
        return
    path, mode, flags = (*arguments, None, 0)[:3]
    if event != "open" or any(c in (mode or "") for c in "wax+") or (flags or 0) & 3:
        _written.append((event, path))


@pytest.mark.parametrize("size", [1_000, 3_000_000, 9_900_000])
def test_a_file_touches_neither_disk_nor_database(
    client, upload, company, signing_keys, monkeypatch, size
):
    def refused(*_args, **_more):
        raise AssertionError("a temporary file was asked for")

    for name in ("TemporaryFile", "NamedTemporaryFile", "SpooledTemporaryFile", "mkstemp"):
        monkeypatch.setattr(tempfile, name, refused)
    if not hasattr(test_a_file_touches_neither_disk_nor_database, "hooked"):
        sys.addaudithook(_watch)
        test_a_file_touches_neither_disk_nor_database.hooked = True
    marked = b"%PDF-1.7 SECRETMARK " + b"x" * size
    seen = []
    monkeypatch.setattr(
        verification, "verify_in_child",
        lambda pdf, **more: (seen.append(len(pdf)), verifying.verify(pdf, **more))[1],
    )  # fmt: skip

    _written.clear()
    _watching.append(True)
    try:
        with CaptureQueriesContext(connection) as queries:
            assert upload(marked).status_code == 200
            assert send(client, marked).status_code == 200
    finally:
        _watching.clear()

    assert seen == [len(marked), len(marked)]
    database = str(connection.settings_dict["NAME"])
    outside = [path for _, path in _written if not str(path).startswith((database, "/dev/null"))]
    assert outside == []
    writes = [
        one["sql"] for one in queries.captured_queries
        if one["sql"].split()[0] in {"INSERT", "UPDATE", "DELETE", "REPLACE"}
    ]  # fmt: skip
    # the count of files for each address is all that stays
    assert all("cache" in one for one in writes), writes
    assert not any("SECRETMARK" in one["sql"] for one in queries.captured_queries)


def test_the_child_writes_nothing_either(tmp_path, monkeypatch, signing_keys):
    from django.conf import settings

    from sealing.keys import load_keys
    from sealing.limits import Child

    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "def refuse(event, arguments):\n"
        "    if event == 'tempfile.mkstemp' or (\n"
        "        event == 'open' and any(c in (arguments[1] or '') for c in 'wax+')\n"
        "        and '__pycache__' not in str(arguments[0])\n"
        "        and not isinstance(arguments[0], int)\n"
        "    ):\n"
        "        raise RuntimeError(f'the child wrote {arguments}')\n"
        "sys.addaudithook(refuse)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    child = Child("sealing.verify_child", cpu_seconds=20, memory_bytes=1_000_000_000)
    monkeypatch.setattr(verifying, "child", child)
    root = load_keys(signing_keys, settings.KEYS_SECRET).root_fingerprint

    found = verifying.verify_in_child(b"Hello, this is no PDF.", root_fingerprint=root)

    assert found.sentences[0] == "This file is not a PDF."


# --- The verifier to take away ------------------------------------------------------------------


def test_the_verifier_is_handed_out_and_the_page_says_how_to_use_it(client, company, signing_keys):
    page = client.get("/verify/")
    link = reverse("boundaries:verifier")
    answer = client.get(link)

    assert link in page.content.decode()
    assert page.context["root_fingerprint"] in page.content.decode().split("--root", 1)[1]
    assert answer.status_code == 200
    assert 'filename="verifier.pyz"' in answer["Content-Disposition"]
    assert b"sealing/verify.py" in answer.content
