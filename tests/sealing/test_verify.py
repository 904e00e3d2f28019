import dataclasses
import io
import json
import random
import re
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from sealing import sign, verify
from sealing.canonical import canonical_json, sha256_hex

from .conftest import URL, approval, seal_all
from .samples import boundary

ROOT = Path(__file__).resolve().parents[2]


def judged(pdf, root, **more):
    return verify.verify(pdf, root_fingerprint=root, **more)


@pytest.fixture(scope="module")
def verdict(closed, root):
    return judged(closed, root)


def test_a_complete_file_is_genuine(verdict, closed, content):
    assert verdict.kind == "genuine"
    assert verdict.exit_status == 0
    assert verdict.reference == "NC-RB-4"
    assert (verdict.document_number, verdict.revision_number) == ("NC-RB", 4)
    assert verdict.content_sha256 == sha256_hex(canonical_json(content))
    assert verdict.content == content
    assert verdict.file_sha256 == sha256_hex(closed)
    assert verdict.missing_fields == []
    assert verdict.timestamp_authority == "registry's own"
    assert verdict.level.startswith("PAdES B-LT")
    assert [s.field for s in verdict.signatures] == [
        "Sig_SEAL", "Sig_COO", "Sig_CRO", "Sig_CFO", "Sig_CEO", "DocTimeStamp1",
    ]  # fmt: skip
    assert all(s.ok and not s.problem for s in verdict.signatures)
    coo = verdict.signatures[1]
    assert (coo.name, coo.office) == ("Daniel Osei", "Acting Chief Operating Officer")
    assert "signed by CRO, COO and CFO and approved by the CEO" in verdict.sentences[0]


def test_the_verdict_survives_json(verdict):
    assert verify.Verdict.from_dict(json.loads(json.dumps(verdict.as_dict()))) == verdict
    with pytest.raises(ValueError, match="no verdict"):
        verify.Verdict.from_dict({"kind": "splendid"})


def test_a_verdict_cannot_be_changed(verdict):
    with pytest.raises(dataclasses.FrozenInstanceError):
        verdict.kind = "altered"


@pytest.mark.parametrize(
    ("stage", "missing", "words"),
    [
        ("SEAL", 5, "nobody has signed, CRO, COO, CFO and CEO still have to"),
        ("CRO", 3, "signed by CRO and COO only; CFO and CEO still have to sign"),
        ("CFO", 2, "signed by CRO, COO and CFO only; CEO still has to sign"),
        ("CEO", 1, "only the closing timestamp is missing"),
    ],
)
def test_a_file_cut_back_to_an_earlier_signature_is_incomplete(stages, root, stage, missing, words):
    verdict = judged(stages[stage], root)
    assert verdict.kind == "incomplete"
    assert verdict.exit_status == 1
    assert len(verdict.missing_fields) == missing
    assert words in verdict.sentences[0]


@pytest.mark.parametrize("years", [1, 20])
def test_a_genuine_file_stays_genuine(closed, stages, root, years):
    with time_machine.travel(datetime.now(UTC) + timedelta(days=365 * years), tick=False):
        assert judged(closed, root).kind == "genuine"
        assert judged(stages["SEAL"], root).kind == "incomplete"


def test_a_timestamp_from_the_future_is_not_believed(closed, root):
    verdict = judged(closed, root, at=datetime.now(UTC) - timedelta(days=1))
    assert verdict.kind == "unverifiable"
    assert "clock" in verdict.sentences[0]


# Flipped bytes


def flipped(pdf, position, mask):
    changed = bytearray(pdf)
    changed[position] ^= mask
    return bytes(changed)


def containers(pdf):
    return [match.span() for match in re.finditer(rb"<[0-9A-F]{1000,}>", pdf)]


def test_one_flipped_byte_anywhere_means_altered(closed, root):
    sample = random.Random(20261204)
    for _ in range(24):
        position, mask = sample.randrange(len(closed)), 1 << sample.randrange(8)
        verdict = judged(flipped(closed, position, mask), root)
        assert (verdict.kind, verdict.exit_status) == ("altered", 1), (position, mask)


def regions(pdf, stages):
    last = containers(pdf)[-1]
    der = int(pdf[last[0] + 5 : last[0] + 9], 16) * 2 + 8  # in hexadecimal digits
    return {
        "first byte": 0,
        "header version": 7,
        "page content": pdf.index(b"stream") + 40,
        "first cross-reference table": pdf.index(b"\nxref\n") + 60,
        "first trailer": pdf.index(b"trailer") + 12,
        "first startxref": pdf.index(b"startxref") + 11,
        "attached content": pdf.index(b"/EmbeddedFile") + 300,
        "seal": containers(pdf)[0][0] + 3000,
        "padding of the seal": containers(pdf)[0][1] - 10,
        "approval": containers(pdf)[2][0] + 3000,
        "validation data": pdf.index(b"/DSS"),
        "lock": pdf.index(b"/SigFieldLock") + 3,
        "last container, bracket": last[0],
        "last container, first digit": last[0] + 1,
        "last container, case of a digit": last[0]
        + re.search(rb"[A-F]", pdf[last[0] : last[1]]).start(),
        "last container, half way": last[0] + der // 2,
        "last container, signature": last[0] + der - 100,
        "last container, last digit": last[0] + der,
        "padding of the last container": last[1] - 200,
        "last container, end": last[1] - 1,
        "byte range": pdf.rindex(b"/ByteRange") + 14,
        "last cross-reference": pdf.rindex(b"xref\n", 0, pdf.rindex(b"startxref")) + 20,
        "last trailer": pdf.rindex(b"trailer") + 14,
        "last startxref": pdf.rindex(b"startxref") + 11,
        "last byte": len(pdf) - 1,
    }


def test_one_flipped_byte_in_each_region_means_altered(closed, stages, root):
    for name, position in regions(closed, stages).items():
        mask = 0x20 if "case" in name else 1
        verdict = judged(flipped(closed, position, mask), root)
        assert verdict.kind == "altered", name
        assert verdict.content is None, name


def test_every_kind_of_byte_of_the_last_container_counts(closed, root):
    start, end = containers(closed)[-1]
    sample = random.Random(7)
    for _ in range(16):
        position = sample.randrange(start, end)
        verdict = judged(flipped(closed, position, 1 << sample.randrange(7)), root)
        assert verdict.kind == "altered", position


def test_a_flipped_byte_in_an_incomplete_file_means_altered(stages, root):
    pdf = stages["COO"]
    start, end = containers(pdf)[-1]
    sample = random.Random(11)
    positions = [sample.randrange(start, end) for _ in range(6)]
    positions += [sample.randrange(len(pdf)) for _ in range(4)]
    for position in positions:
        assert judged(flipped(pdf, position, 1), root).kind == "altered", position


# Other changes


@pytest.mark.parametrize("tail", [b"\n", b"%", b"\n% a remark\n", b"\x00" * 100])
def test_bytes_appended_mean_altered(closed, stages, root, tail):
    assert judged(closed + tail, root).kind == "altered"
    assert judged(stages["CRO"] + tail, root).kind == "altered"


def test_bytes_cut_off_mean_altered(closed, stages, root):
    before = len(stages["CEO"])
    for length in (len(closed) - 1, len(closed) - 500, before + 100, before - 1, before // 2):
        assert judged(closed[:length], root).kind == "altered", length


def incremental(pdf, change):
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    change(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def change_page(writer):
    page = writer.root["/Pages"]["/Kids"][0]
    page[generic.pdf_name("/Rotate")] = generic.NumberObject(90)
    writer.mark_update(writer.root["/Pages"]["/Kids"].raw_get(0))


def change_title(writer):
    writer.trailer["/Info"][generic.pdf_name("/Title")] = generic.pdf_string("Another title")
    writer.mark_update(writer.trailer.raw_get("/Info"))


def change_attachment(writer):
    names = writer.root["/Names"]["/EmbeddedFiles"]["/Names"]
    reference = names[1]["/EF"].raw_get("/F")
    stream = reference.get_object()
    stream._data = b"{}"
    stream._encoded_data = None
    writer.mark_update(reference)


def change_stamp(writer):
    fields = writer.root["/AcroForm"]["/Fields"]
    widget = fields[1]
    reference = widget["/AP"].raw_get("/N")
    reference.get_object()._data = b"q Q"
    reference.get_object()._encoded_data = None
    writer.mark_update(reference)


def add_annotation(writer):
    page = writer.root["/Pages"]["/Kids"][0]
    note = generic.DictionaryObject(
        {
            generic.pdf_name("/Type"): generic.pdf_name("/Annot"),
            generic.pdf_name("/Subtype"): generic.pdf_name("/FreeText"),
            generic.pdf_name("/Rect"): generic.ArrayObject(
                [generic.NumberObject(n) for n in (50, 50, 300, 100)]
            ),
            generic.pdf_name("/Contents"): generic.pdf_string("The CFO owns everything"),
        }
    )
    page[generic.pdf_name("/Annots")] = generic.ArrayObject([writer.add_object(note)])
    writer.mark_update(writer.root["/Pages"]["/Kids"].raw_get(0))


CHANGES = [change_page, change_title, change_attachment, change_stamp, add_annotation]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_an_incremental_change_means_altered(closed, root, change):
    assert judged(incremental(closed, change), root).kind == "altered"


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_that_later_people_sign_means_altered(stages, keys, root, change):
    """Slipped in between two signatures, where the last one covers it."""
    try:
        pdf = sign.apply_signature(incremental(stages["COO"], change), keys, approval("CRO"))
    except Exception as error:  # a writer that refuses the change is as good
        pytest.skip(f"not signable: {error}")
    assert judged(pdf, root).kind == "altered"


def test_a_signature_by_the_wrong_office_means_altered(stages, keys, root, monkeypatch):
    real = sign.issue_one_shot
    monkeypatch.setattr(
        sign, "issue_one_shot", lambda keys, **given: real(keys, **{**given, "office_short": "CFO"})
    )
    verdict = judged(sign.apply_signature(stages["SEAL"], keys, approval("CRO")), root)
    assert verdict.kind == "altered"
    assert verdict.signatures[-1].problem == "It was made by another Office."


def test_a_signature_with_look_alike_keys_means_altered(stages, tmp_path, root):
    from .conftest import make_keys

    look_alike = make_keys(tmp_path / "keys")  # the same names, other keys
    verdict = judged(sign.apply_signature(stages["SEAL"], look_alike, approval("CRO")), root)
    assert verdict.kind == "altered"
    assert not verdict.signatures[-1].ok


def test_an_approval_before_the_co_signatures_means_altered(stages, keys, root):
    early = sign.apply_signature(stages["COO"], keys, approval("CEO"), last=True)
    assert judged(early, root).kind == "altered"


def test_an_approval_that_does_not_lock_means_altered(copy, keys, root):
    pdf = sign.certify(copy.replace(b"/Lock <<", b"/Lick <<"), keys)
    for short in ("CRO", "COO", "CFO", "CEO"):
        pdf = sign.apply_signature(pdf, keys, approval(short), last=False)
    verdict = judged(pdf, root)
    assert verdict.kind == "altered"
    assert verdict.signatures[-1].problem == "It does not lock the document."


def test_a_seal_over_other_metadata_means_altered(copy, keys, root):
    # our own keys, but title and attached content disagree
    other = copy.replace(b"version 4, reference NC-RB-4", b"version 5, reference NC-RB-5")
    assert other != copy
    verdict = judged(sign.certify(other, keys), root)
    assert verdict.kind == "altered"
    assert "title, number or version" in verdict.sentences[0]


# Not ours, not readable


def test_another_companys_file_is_not_ours(copy, other_keys, root):
    theirs = seal_all(copy, other_keys)["closed"]
    verdict = judged(theirs, root)
    assert (verdict.kind, verdict.exit_status) == ("not_ours", 2)
    assert judged(theirs, other_keys.root_fingerprint).kind == "genuine"


def test_a_signing_copy_without_signatures_is_not_ours(copy, root):
    verdict = judged(copy, root)
    assert verdict.kind == "not_ours"
    assert "no signature" in verdict.sentences[1]


def test_any_other_pdf_is_not_ours(pango, root):
    from weasyprint import HTML

    pdf = HTML(string="<title>x</title><p>Invoice").write_pdf()
    assert judged(pdf, root).kind == "not_ours"


@pytest.mark.parametrize(
    "data",
    [b"", b"PK\x03\x04", b"%PDF-1.7\n%%EOF", b"%PDF-1.7" + bytes(range(256)) * 20, b"<html>"],
)
def test_what_cannot_be_read_is_unverifiable(data, root):
    verdict = judged(data, root)
    assert (verdict.kind, verdict.exit_status) == ("unverifiable", 2)


def test_random_files_are_never_genuine(root):
    sample = random.Random(3)
    for _ in range(50):
        data = sample.randbytes(sample.randrange(4000))
        assert judged(data, root).kind == "unverifiable"
        assert judged(b"%PDF-1.7\n" + data, root).kind == "unverifiable"


def test_a_file_that_is_too_large_is_not_opened(root):
    verdict = judged(b"%PDF-" + b" " * verify.MAX_FILE_BYTES, root)
    assert verdict.kind == "unverifiable"
    assert "10 MB" in verdict.sentences[0]


def test_ten_megabytes_without_an_end_cost_no_time(closed, root):
    long = b"x" * (verify.MAX_FILE_BYTES - len(closed) - 1000)
    started = time.process_time()
    assert judged(b"%PDF-1.7 " + long, root).kind == "unverifiable"
    assert judged(closed + long, root).kind == "altered"
    assert time.process_time() - started < 2


@pytest.mark.parametrize("text", ["", "abc", "0" * 63, "g" * 64])
def test_a_fingerprint_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match="64 hexadecimal"):
        judged(b"", text)


def test_fingerprints_may_be_written_with_colons_and_capitals(closed, root):
    pairs = ":".join(root[i : i + 2] for i in range(0, 64, 2)).upper()
    assert judged(closed, pairs).kind == "genuine"


# The child and the command


def test_the_child_gives_the_same_verdict(closed, root):
    at = datetime.now(UTC)
    inside = verify.verify_in_child(closed, root_fingerprint=root, at=at)
    assert inside == judged(closed, root, at=at)


def test_a_child_that_takes_too_long_gives_unverifiable(closed, root):
    verdict = verify.verify_in_child(closed, root_fingerprint=root, timeout_seconds=0.05)
    assert verdict.kind == "unverifiable"
    assert "took longer" in verdict.sentences[0]


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "sealing.verify", *arguments],
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip


def test_the_command_prints_the_verdict_and_exits_by_it(closed, root, tmp_path):
    file = tmp_path / "sealed.pdf"
    file.write_bytes(closed)
    done = command(str(file), "--root", root, "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 0
    assert (found["kind"], found["standing"]) == ("genuine", "unknown")
    file.write_bytes(closed + b"\n")
    done = command(str(file), "--root", root)
    assert done.returncode == 1
    assert done.stdout.startswith("Altered\n")


def test_the_command_refuses_what_it_cannot_open(root, tmp_path):
    done = command(str(tmp_path / "none.pdf"), "--root", root)
    assert done.returncode == 2
    assert "none.pdf" in done.stderr


def test_a_larger_document_is_judged_within_seconds(pango, keys, root):
    from sealing import render

    copy = render.render_signing_copy(boundary(), verification_url=URL)
    pdf = sign.certify(copy, keys)
    assert judged(pdf, root).kind == "incomplete"
