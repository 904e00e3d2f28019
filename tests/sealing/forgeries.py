"""Ways to forge a sealed file, each a function of the honest ones; see test_forgeries.py.

A forger has the file, any tool for PDFs, and keys of their own. `Honest` is what there is to
start from. Each function gives the bytes of one forged file.
"""

import io
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer
from pyhanko.sign.fields import SigFieldSpec, append_signature_field

from sealing import sign

from .conftest import approval


@dataclass(frozen=True)
class Honest:
    """The files of one document by stage, its signing copy, and keys: ours and two forgers'."""

    stages: dict[str, bytes]
    copy: bytes
    keys: Any
    look_alike: Any  # the same names, another root
    other_keys: Any
    folder: Path

    @property
    def closed(self) -> bytes:
        return self.stages["closed"]


# By name: the function, the verdict's kind, and words that it says.
FORGERIES: dict[str, tuple[Any, str, tuple[str, ...]]] = {}


def forged(kind, *words):
    """Register a forgery: the verdict's kind, and words of its sentences or changes."""

    def register(function):
        FORGERIES[function.__name__] = (function, kind, words)
        return function

    return register


def updated(pdf, change):
    """Give `pdf` with one more incremental update."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    change(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def kids(writer):
    return writer.root["/Pages"]["/Kids"]


def field_of(writer, name):
    return reference_of(writer, name).get_object()


def reference_of(writer, name):
    fields = writer.root["/AcroForm"]["/Fields"]
    for index in range(len(fields)):
        if fields[index]["/T"] == name:
            return fields.raw_get(index)
    raise LookupError(name)


def rewrite_stream(writer, reference, data):
    stream = reference.get_object()
    fresh = generic.StreamObject(
        {key: stream.raw_get(key) for key in stream if key not in ("/Filter", "/Length")},
        stream_data=data,
    )
    writer.objects[(reference.generation, reference.idnum)] = fresh


# --- Updates after the last signature ---------------------------------------------------------


@forged("altered", "after the closing timestamp", "what page 1 draws")
def page_content_changed(honest):
    def change(writer):
        contents = kids(writer)[0].raw_get("/Contents")
        first = contents.raw_get(0) if isinstance(contents, generic.ArrayObject) else contents
        rewrite_stream(writer, first, b"BT /F1 12 Tf (The CRO owns everything) Tj ET")

    return updated(honest.closed, change)


@forged("altered", "after the closing timestamp", "changed page 2")
def page_replaced(honest):
    def change(writer):
        kids(writer)[1][pdf_name("/Contents")] = writer.add_object(
            generic.StreamObject(stream_data=b"q Q")
        )
        writer.mark_update(kids(writer).raw_get(1))

    return updated(honest.closed, change)


@forged("altered", "the list of pages")
def page_taken_out(honest):
    def change(writer):
        pages = writer.root["/Pages"]
        pages[pdf_name("/Kids")] = generic.ArrayObject([kids(writer).raw_get(0)])
        pages[pdf_name("/Count")] = generic.NumberObject(1)
        writer.mark_update(writer.root.raw_get("/Pages"))

    return updated(honest.closed, change)


def _note(writer, subtype="/FreeText", **more):
    return writer.add_object(
        generic.DictionaryObject(
            {
                pdf_name("/Type"): pdf_name("/Annot"),
                pdf_name("/Subtype"): pdf_name(subtype),
                pdf_name("/Rect"): generic.ArrayObject(
                    [generic.NumberObject(n) for n in (50, 50, 550, 800)]
                ),
                pdf_name("/Contents"): generic.pdf_string("The CFO owns everything"),
                **{pdf_name(f"/{key}"): value for key, value in more.items()},
            }
        )
    )


def _annotate(writer, page_index, note):
    page = kids(writer)[page_index]
    annotations = page.get("/Annots", generic.ArrayObject())
    page[pdf_name("/Annots")] = generic.ArrayObject([*annotations, note])
    writer.mark_update(kids(writer).raw_get(page_index))


@forged("altered", "added a note on page 1")
def annotation_added(honest):
    return updated(honest.closed, lambda w: _annotate(w, 0, _note(w)))


@forged("altered", "added a note on page 1")
def shadow_hide(honest):
    """A white square laid over the text: the "hide" of the shadow attacks."""
    return updated(
        honest.closed,
        lambda w: _annotate(
            w,
            0,
            _note(w, "/Square", IC=generic.ArrayObject([generic.NumberObject(1)] * 3)),
        ),
    )


@forged("altered", "what page 1 draws with")
def shadow_replace(honest):
    """Another font under the same name, so that the same text reads otherwise: "replace"."""

    def change(writer):
        fonts = kids(writer)[0]["/Resources"]["/Font"]
        name = next(iter(fonts))
        reference = fonts.raw_get(name)
        font = reference.get_object()
        font[pdf_name("/Encoding")] = pdf_name("/MacExpertEncoding")
        writer.mark_update(reference)

    return updated(honest.closed, change)


@forged("altered", "the closing timestamp")
def shadow_hide_and_replace(honest):
    """A second catalog with pages of its own, swapped in by a new trailer."""

    def change(writer):
        page = generic.DictionaryObject(
            {
                pdf_name("/Type"): pdf_name("/Page"),
                pdf_name("/MediaBox"): generic.ArrayObject(
                    [generic.NumberObject(n) for n in (0, 0, 595, 842)]
                ),
            }
        )
        reference = writer.add_object(page)
        pages = writer.add_object(
            generic.DictionaryObject(
                {
                    pdf_name("/Type"): pdf_name("/Pages"),
                    pdf_name("/Kids"): generic.ArrayObject([reference]),
                    pdf_name("/Count"): generic.NumberObject(1),
                }
            )
        )
        page[pdf_name("/Parent")] = pages
        writer.root[pdf_name("/Pages")] = pages
        writer.update_root()

    return updated(honest.closed, change)


@forged("altered", "the picture of the signature of the CFO")
def appearance_of_a_signature_changed(honest):
    def change(writer):
        reference = field_of(writer, "Sig_CFO")["/AP"].raw_get("/N")
        rewrite_stream(writer, reference, b"q Q")

    return updated(honest.closed, change)


@forged("altered", "the bytes of an attached file")
def attachment_changed(honest):
    def change(writer):
        names = writer.root["/Names"]["/EmbeddedFiles"]["/Names"]
        rewrite_stream(writer, names[1]["/EF"].raw_get("/F"), b"{}")

    return updated(honest.closed, change)


@forged("altered", "an attached file")
def attachment_added(honest):
    def change(writer):
        stream = generic.StreamObject(stream_data=b"{}")
        embedded = writer.add_object(stream)
        specification = generic.DictionaryObject(
            {
                pdf_name("/Type"): pdf_name("/Filespec"),
                pdf_name("/F"): generic.pdf_string("NC-RB-4.json"),
                pdf_name("/UF"): generic.pdf_string("NC-RB-4.json"),
                pdf_name("/EF"): generic.DictionaryObject({pdf_name("/F"): embedded}),
            }
        )
        tree = writer.root["/Names"]["/EmbeddedFiles"]
        old = tree["/Names"]
        tree[pdf_name("/Names")] = generic.ArrayObject(
            [*(old.raw_get(i) for i in range(len(old))), generic.pdf_string("z"),
             writer.add_object(specification)]
        )  # fmt: skip
        writer.update_container(tree)

    return updated(honest.closed, change)


@forged("altered", "the title and other metadata")
def title_changed(honest):
    def change(writer):
        writer.trailer["/Info"][pdf_name("/Title")] = generic.pdf_string("Another title")
        writer.mark_update(writer.trailer.raw_get("/Info"))

    return updated(honest.closed, change)


@forged("altered", "the metadata (XMP)")
def xmp_changed(honest):
    def change(writer):
        rewrite_stream(writer, writer.root.raw_get("/Metadata"), b"<x:xmpmeta/>")

    return updated(honest.closed, change)


@forged("altered", "the signature of the CFO")
def signature_removed(honest):
    def change(writer):
        field = field_of(writer, "Sig_CFO")
        del field["/V"]
        writer.mark_update(reference_of(writer, "Sig_CFO"))

    return updated(honest.closed, change)


@forged("altered")
def every_signature_removed(honest):
    def change(writer):
        writer.root["/AcroForm"][pdf_name("/Fields")] = generic.ArrayObject()
        writer.update_container(writer.root["/AcroForm"])

    return updated(honest.closed, change)


@forged("altered")
def signatures_swapped(honest):
    """What the COO signed shown as the CRO's."""

    def change(writer):
        one, two = field_of(writer, "Sig_CRO"), field_of(writer, "Sig_COO")
        first, second = one.raw_get("/V"), two.raw_get("/V")
        one[pdf_name("/V")], two[pdf_name("/V")] = second, first
        for name in ("Sig_CRO", "Sig_COO"):
            writer.mark_update(reference_of(writer, name))

    return updated(honest.closed, change)


@forged("altered")
def script_added(honest):
    def change(writer):
        writer.root[pdf_name("/OpenAction")] = generic.DictionaryObject(
            {
                pdf_name("/S"): pdf_name("/JavaScript"),
                pdf_name("/JS"): generic.pdf_string("app.alert(1)"),
            }
        )
        writer.update_root()

    return updated(honest.closed, change)


# --- Signatures of the forger's own -----------------------------------------------------------


def _with_field(pdf, name):
    return updated(
        pdf,
        lambda w: append_signature_field(
            w, SigFieldSpec(sig_field_name=name, box=(60, 60, 260, 120), on_page=0)
        ),
    )


@forged("altered", "does not belong: Sig_CMO", "added the field of the signature of the CMO")
def signature_added_by_our_own_keys(honest):
    """Even the company cannot let one more Office sign what is not its to sign."""
    from dataclasses import replace

    pdf = _with_field(honest.stages["CFO"], "Sig_CMO")
    more = replace(approval("CFO"), field="Sig_CMO", office_short="CMO")
    return sign.apply_signature(pdf, honest.keys, more)


@forged("altered")
def signature_added_by_other_keys(honest):
    from dataclasses import replace

    pdf = _with_field(honest.closed, "Sig_CMO")
    more = replace(approval("CFO"), field="Sig_CMO", office_short="CMO")
    try:
        return sign.apply_signature(pdf, honest.other_keys, more)
    except sign.SignatureRefused:  # the tool obeys the lock: only the empty field is added
        return pdf


@forged("altered", "The signature of the Chief Revenue Officer does not hold.")
def signed_by_look_alike_keys(honest):
    return sign.apply_signature(honest.stages["COO"], honest.look_alike, approval("CRO"))


@forged("not_ours", "It is signed with other keys.")
def signed_anew_under_a_look_alike_chain(honest):
    pdf = sign.certify(honest.copy, honest.look_alike)
    for short in ("CRO", "COO", "CFO"):
        pdf = sign.apply_signature(pdf, honest.look_alike, approval(short))
    pdf = sign.apply_signature(pdf, honest.look_alike, approval("CEO"), last=True)
    return sign.timestamp_document(pdf, honest.look_alike)


@forged("altered")
def look_alike_chain_that_carries_our_root(honest):
    """Our root certificate in a comment makes a file claim to be ours; it is judged as ours."""
    from cryptography.hazmat.primitives.serialization import Encoding

    root = honest.keys.root_certificate.public_bytes(Encoding.DER)
    head, rest = honest.copy.split(b"\n", 1)
    marked = b"%PDF-1.7\n%" + root.hex().encode() + b"\n%<" + root.hex().encode() + b">\n"
    # offsets move: as a tool would, write it anew
    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(head + b"\n" + rest)))
    out = io.BytesIO()
    writer.write(out)
    pdf = sign.certify(out.getvalue(), honest.look_alike)
    pdf = sign.apply_signature(pdf, honest.look_alike, approval("CRO"))
    return pdf + marked


@forged("not_ours")
def another_companys_genuine_file(honest):
    pdf = sign.certify(honest.copy, honest.other_keys)
    return sign.apply_signature(pdf, honest.other_keys, approval("CRO"))


@forged("unverifiable", "whose root certificate was not given")
def closed_by_a_foreign_timestamp_authority(honest):
    return sign.timestamp_document(honest.stages["CEO"], honest.other_keys)


@forged("altered")
def closed_by_a_look_alike_timestamp_authority(honest):
    return sign.timestamp_document(honest.stages["CEO"], honest.look_alike)


@forged("altered", "does not belong: DocTimeStamp2", "added a note on page 1")
def second_closing_timestamp(honest):
    """One more timestamp by our own authority, over an annotation."""
    from pyhanko.sign.signers.pdf_signer import PdfTimeStamper

    from sealing.timestamps import RegistryTimeStamper

    noted = updated(honest.closed, lambda w: _annotate(w, 0, _note(w)))
    stamper = PdfTimeStamper(RegistryTimeStamper(honest.keys), field_name="DocTimeStamp2")
    out = stamper.timestamp_pdf(
        IncrementalPdfFileWriter(io.BytesIO(noted)), "sha256", bytes_reserved=16_000
    )
    return out.getvalue()


# --- Rewritten by a tool ----------------------------------------------------------------------


def _qpdf(honest, *arguments, source=None):
    if shutil.which("qpdf") is None:
        pytest.skip("qpdf is not installed")
    before, after = honest.folder / "before.pdf", honest.folder / "after.pdf"
    before.write_bytes(source or honest.closed)
    done = subprocess.run(
        ["qpdf", *arguments, str(before), str(after)], capture_output=True, check=False
    )
    assert done.returncode in (0, 3), done.stderr  # 3: warnings
    return after.read_bytes()


@forged("altered")
def rewritten_by_qpdf(honest):
    return _qpdf(honest)


@forged("altered")
def linearised(honest):
    return _qpdf(honest, "--linearize")


@forged("altered")
def packed_into_object_streams(honest):
    return _qpdf(honest, "--object-streams=generate")


@forged("altered")
def uncompressed(honest):
    return _qpdf(honest, "--qdf")


@forged("altered")
def encrypted_by_qpdf(honest):
    return _qpdf(honest, "--encrypt", "", "owner", "256", "--")


@forged("altered")
def rewritten_by_pyhanko(honest):
    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(honest.closed)))
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@forged("unverifiable", "encrypted")
def encrypted_by_pyhanko(honest):
    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(honest.closed)))
    writer.encrypt(owner_pass="owner", user_pass="")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


# --- Tricks with cross-references, trailers and byte ranges -------------------------------------


def _last_xref(pdf):
    return int(re.findall(rb"startxref\s+(\d+)", pdf)[-1])


def _trailer_of(pdf):
    return PdfFileReader(io.BytesIO(pdf)).trailer


def _appended(pdf, body, *, entries, prev, extra=b""):
    """Append objects with a cross-reference table of the forger's own making."""
    root = _trailer_of(pdf).raw_get("/Root")
    size = int(_trailer_of(pdf)["/Size"]) + 10
    at = len(pdf) + len(body)
    table = b"xref\n" + b"".join(
        b"%d 1\n%010d 00000 n\r\n" % (number, len(pdf) + offset) for number, offset in entries
    )
    trailer = b"trailer\n<</Size %d /Root %d 0 R /Prev %d %s>>\n" % (
        size, root.idnum, prev, extra,
    )  # fmt: skip
    return pdf + body + table + trailer + b"startxref\n%d\n%%%%EOF\n" % at


@forged("altered")
def object_duplicated(honest):
    """A second page 1 under the same number, reached by a new cross-reference table."""
    number = PdfFileReader(io.BytesIO(honest.closed)).root["/Pages"]["/Kids"].raw_get(0).idnum
    body = b"%d 0 obj\n<</Type/Page/MediaBox[0 0 595 842]>>\nendobj\n" % number
    return _appended(honest.closed, body, entries=[(number, 0)], prev=_last_xref(honest.closed))


@forged("altered")
def xref_without_its_past(honest):
    """A new table that forgets all before it."""
    root = _trailer_of(honest.closed).raw_get("/Root")
    at = len(honest.closed)
    table = b"xref\n0 1\n0000000000 65535 f\r\ntrailer\n<</Size 1 /Root %d 0 R>>\n" % root.idnum
    return honest.closed + table + b"startxref\n%d\n%%%%EOF\n" % at


@forged("altered")
def prev_that_points_to_itself(honest):
    return _appended(honest.closed, b"", entries=[], prev=len(honest.closed))


@forged("altered")
def prev_that_skips_the_last_signatures(honest):
    return _appended(honest.closed, b"", entries=[], prev=_last_xref(honest.stages["CRO"]))


@forged("altered")
def hybrid_cross_reference(honest):
    """A table and a stream side by side: readers differ in which they believe."""
    number = PdfFileReader(io.BytesIO(honest.closed)).root["/Pages"]["/Kids"].raw_get(0).idnum
    at = len(honest.closed)
    body = (
        b"%d 0 obj\n<</Type/XRef/Size %d/W[1 4 1]/Index[%d 1]/Root %d 0 R/Length 6>>stream\n"
        % (900, 901, number, _trailer_of(honest.closed).raw_get("/Root").idnum)
        + b"\x01" + at.to_bytes(4, "big") + b"\x00"
        + b"\nendstream\nendobj\n"
    )  # fmt: skip
    return _appended(
        honest.closed,
        body,
        entries=[(900, 0)],
        prev=_last_xref(honest.closed),
        extra=b"/XRefStm %d" % at,
    )


@forged("altered")
def startxref_of_an_earlier_step(honest):
    return honest.closed + b"startxref\n%d\n%%%%EOF\n" % _last_xref(honest.stages["CRO"])


@forged("altered")
def two_files_one_after_the_other(honest):
    return honest.closed + honest.stages["CRO"]


@forged("altered")
def header_pushed_down(honest):
    return b"% a remark before the header\n" + honest.closed


def _last_range(pdf):
    return list(re.finditer(rb"/ByteRange\s*\[[^\]]*\]", pdf))[-1]


def _ranged(pdf, value):
    found = _last_range(pdf)
    room = found.end() - found.start()
    value = b"/ByteRange [" + value + b"]"
    assert len(value) <= room
    return pdf[: found.start()] + value.ljust(room) + pdf[found.end() :]


@forged("altered")
def byte_range_of_nothing(honest):
    return _ranged(honest.closed, b"0 0 0 0")


@forged("altered")
def byte_range_negative(honest):
    return _ranged(honest.closed, b"0 9 -9 9")


@forged("altered")
def byte_range_beyond_the_end(honest):
    return _ranged(honest.closed, b"0 99 999999 9")


@forged("altered")
def byte_range_missing(honest):
    return honest.closed.replace(
        _last_range(honest.closed).group(), b" " * len(_last_range(honest.closed).group())
    )


@forged("altered")
def byte_range_with_a_wider_gap(honest):
    """Room for an annotation beside the container, left out of what is hashed."""
    pdf = honest.closed
    start, length, resume, rest = (int(n) for n in re.findall(rb"\d+", _last_range(pdf).group()))
    extra = b"/Annots [1 0 R] "
    at = resume
    widened = pdf[:at] + extra + pdf[at:]
    return _ranged(widened, b"%d %d %d %d" % (start, length, resume + len(extra), rest))


@forged("altered")
def container_emptied(honest):
    spans = [match.span() for match in re.finditer(rb"<[0-9A-F]{1000,}>", honest.closed)]
    start, end = spans[-1]
    return honest.closed[: start + 1] + b"0" * (end - start - 2) + honest.closed[end - 1 :]


@forged("altered")
def container_of_an_earlier_signature(honest):
    """The seal's container pasted over the last: universal signature forgery by replay."""
    spans = [match.span() for match in re.finditer(rb"<[0-9A-F]{1000,}>", honest.closed)]
    seal = honest.closed[spans[0][0] + 1 : spans[0][1] - 1]
    start, end = spans[-1]
    room = end - start - 2
    return honest.closed[: start + 1] + seal[:room].ljust(room, b"0") + honest.closed[end - 1 :]


# --- Rolled back and put together anew --------------------------------------------------------


@forged("incomplete", "issued for signature")
def rolled_back_to_the_seal(honest):
    return honest.stages["SEAL"]


@forged("incomplete", "CFO and CEO still have to sign")
def rolled_back_to_two_signatures(honest):
    return honest.stages["CRO"]


@forged("incomplete", "only the closing timestamp is missing")
def rolled_back_to_the_approval(honest):
    return honest.stages["CEO"]


@forged("altered")
def rolled_back_and_noted(honest):
    return updated(honest.stages["CRO"], lambda w: _annotate(w, 0, _note(w)))


@forged("altered")
def a_middle_step_cut_out(honest):
    """The CFO's part taken out of the middle, all else in its place."""
    start, end = len(honest.stages["CRO"]), len(honest.stages["CFO"])
    return honest.closed[:start] + honest.closed[end:]
