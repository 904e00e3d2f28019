import hashlib
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import enumerate_sig_fields

from sealing import document, render
from sealing.canonical import canonical_json, grouped, sha256_hex
from sealing.errors import ContentInvalid, RenderFailed, Undrawable

from .conftest import URL
from .samples import boundary

ROOT = Path(__file__).resolve().parents[2]


def reader(pdf):
    return PdfFileReader(io.BytesIO(pdf))


def test_rendering_twice_gives_the_same_bytes(copy, content):
    again = render.render_signing_copy(json.loads(json.dumps(content)), verification_url=URL)
    assert hashlib.sha256(again).hexdigest() == hashlib.sha256(copy).hexdigest()


def test_other_content_gives_another_file(copy):
    other = boundary(functions=2)
    other["articles"][1]["text"] += "."
    assert render.render_signing_copy(other, verification_url=URL) != copy


def test_the_canonical_json_is_attached_as_source(copy, content):
    names = reader(copy).root["/Names"]["/EmbeddedFiles"]["/Names"]
    assert len(names) == 2
    attached = names[1]
    assert attached["/UF"] == "NC-RB-4.json"
    assert attached["/AFRelationship"] == "/Source"
    assert attached["/EF"]["/F"].data == canonical_json(content)


def test_every_signatory_and_the_seal_has_a_tagged_field_and_the_approver_locks(copy):
    pdf = reader(copy)
    fields = {name: ref.get_object() for name, _, ref in enumerate_sig_fields(pdf)}
    assert list(fields) == ["Sig_SEAL", "Sig_CRO", "Sig_COO", "Sig_CFO", "Sig_CEO"]
    for field in fields.values():
        left, bottom, right, top = (float(n) for n in field["/Rect"])
        assert right - left > 300
        assert top - bottom > 70
        assert 0 < left < right < 596  # on the page
        assert 0 < bottom < top < 842
        assert "/StructParent" in field
        assert field["/TU"]
    assert [name for name, field in fields.items() if "/Lock" in field] == ["Sig_CEO"]


def test_the_file_claims_both_standards_and_names_document_and_version(copy):
    pdf = reader(copy)
    metadata = pdf.root["/Metadata"].data
    assert b"pdfuaid:part>1<" in metadata
    assert b'pdfaid:part="3"' in metadata
    assert b'pdfaid:conformance="A"' in metadata
    assert pdf.root["/Lang"] == "en"
    assert pdf.trailer["/Info"]["/Subject"].endswith("reference NC-RB-4")


def test_every_page_shows_number_reference_and_fingerprint(copy, content, tmp_path):
    path = tmp_path / "copy.pdf"
    path.write_bytes(copy)
    try:
        shown = subprocess.run(
            ["pdftotext", "-layout", path, "-"], capture_output=True, check=True, text=True
        ).stdout
    except FileNotFoundError:
        pytest.skip("pdftotext (poppler-utils) is not installed")
    pages = shown.rstrip("\f").split("\f")
    digest = sha256_hex(canonical_json(content))
    for number, page in enumerate(pages, 1):
        assert f"NC-RB-4, page {number} of {len(pages)}" in page
        assert grouped(digest) in re.sub(r" +", " ", page)
    for article in content["articles"]:
        assert article["title"] in shown


def test_typed_text_is_never_read_as_html(content):
    content = {**content, "organisation": "<img src=file:///etc/passwd>&"}
    html = document.signing_html(content, content_sha256="0" * 64, verification_url='"><b>')
    assert "<img src=file" not in html
    assert "&lt;img src=file:///etc/passwd&gt;&amp;" in html
    assert "<b>" not in html


def test_running_header_cannot_leave_its_css_string(content):
    content = {**content, "organisation": '"; } @import url(http://x) ; {"'}
    css = document.running_css(content, "0" * 64)
    assert "@import" not in css
    assert "http:" not in css


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "http://127.0.0.1/", "data:text/plain,x", "asset:../keys", "ASSET:x"],
)
def test_the_fetcher_serves_nothing_but_its_assets(pango, url):
    fetcher = render.locked_fetcher({"one.svg": (b"<svg/>", "image/svg+xml")})
    with pytest.raises(ValueError):
        fetcher(url)


def test_the_fetcher_serves_its_assets(pango):
    fetcher = render.locked_fetcher({"one.svg": (b"<svg/>", "image/svg+xml")})
    assert fetcher("asset:one.svg").read() == b"<svg/>"


def test_a_document_that_reaches_out_is_not_rendered(pango):
    from weasyprint import HTML
    from weasyprint.urls import FatalURLFetchingError

    fetcher = render.locked_fetcher({})
    with pytest.raises(FatalURLFetchingError):
        HTML(string="<img src='file:///etc/passwd'>", url_fetcher=fetcher).render()


def test_characters_without_a_glyph_are_refused_before_rendering(content):
    bad = {**content, "organisation": "王"}
    with pytest.raises(Undrawable) as raised:
        render.check_content(bad)
    assert raised.value.characters == ["王"]


def without(content, *path):
    changed = json.loads(json.dumps(content))
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    return changed


@pytest.mark.parametrize(
    "path",
    [
        ("organisation",),
        ("articles",),
        ("freeze", "frozen_at"),
        ("revision", "effective_date"),
        ("revision", "reference"),
        ("parties",),
        ("approver", "title"),
        ("articles", 0, "title"),
    ],
    ids=lambda path: ".".join(str(step) for step in path),
)
def test_content_that_lacks_something_is_refused(content, path):
    with pytest.raises(ContentInvalid):
        render.check_content(without(content, *path))


def test_content_that_json_cannot_hold_is_refused(content):
    with pytest.raises(ContentInvalid):
        render.check_content({**content, "more": float("nan")})
    with pytest.raises(Undrawable):
        render.check_content({**content, "organisation": "\ud800"})


def test_a_text_without_end_is_refused(content):
    with pytest.raises(RenderFailed, match="longer than"):
        render.check_content({**content, "organisation": "a" * 20_001})


def test_the_child_is_ended_when_time_is_up(pango, content):
    with pytest.raises(RenderFailed, match="took longer than"):
        render.render_signing_copy(content, verification_url=URL, timeout_seconds=0.05)


def test_light_modules_do_not_load_the_heavy_libraries():
    code = (
        "import sys\n"
        "from sealing import canonical, content, errors, fonts, keys, render, verify\n"
        "render.weasyprint_problem()\n"
        "print(sorted({'weasyprint', 'pyhanko', 'django', 'fontTools'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"


def test_a_missing_library_is_told_in_one_sentence(monkeypatch):
    monkeypatch.setattr(render, "_loads", lambda files: "pango" not in files[0])
    render.weasyprint_problem.cache_clear()
    try:
        problem = render.weasyprint_problem()
    finally:
        render.weasyprint_problem.cache_clear()
    assert "Pango, PangoFT2 cannot be loaded" in problem
    assert "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0" in problem


def test_rendering_says_so_where_libraries_are_missing(monkeypatch, content):
    monkeypatch.setattr(render, "weasyprint_problem", lambda: "Install this.")
    with pytest.raises(RenderFailed, match=r"Install this\."):
        render.render_signing_copy(content, verification_url=URL)
