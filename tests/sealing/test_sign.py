import asyncio
import contextlib
import dataclasses
import http.server
import io
import itertools
import threading
import time
from datetime import UTC, datetime

import pytest
from asn1crypto import tsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from pyhanko.pdf_utils.reader import PdfFileReader

from sealing import keys as company_keys
from sealing import sign, timestamps
from sealing.errors import SignatureRefused, TimestampUnavailable, Undrawable
from sealing.stamp import MAX_RESERVATION, when
from sealing.timestamps import RegistryTimeStamper
from sealing.verify import verify

from .conftest import approval


def test_every_stage_is_a_byte_exact_prefix_of_the_next(stages):
    pdfs = list(stages.values())
    for before, after in itertools.pairwise(pdfs):
        assert after.startswith(before)
        assert len(after) > len(before)


def test_signed_fields_grow_by_one_at_each_stage(stages):
    found = [set(sign.signed_fields(pdf)) for pdf in stages.values()]
    assert found[0] == set()
    assert [len(fields) for fields in found] == [0, 1, 2, 3, 4, 5, 6]
    assert found[-1] == {
        "Sig_SEAL", "Sig_CRO", "Sig_COO", "Sig_CFO", "Sig_CEO", "DocTimeStamp1",
    }  # fmt: skip


def test_the_seal_certifies_and_the_approver_locks(closed):
    by_name = {s.field_name: s for s in PdfFileReader(io.BytesIO(closed)).embedded_signatures}
    assert by_name["Sig_SEAL"].docmdp_level.name == "FILL_FORMS"
    assert by_name["Sig_CEO"].docmdp_level.name == "NO_CHANGES"


def test_each_signature_has_a_key_and_certificate_of_its_own(closed):
    signatures = PdfFileReader(io.BytesIO(closed)).embedded_signatures
    people = [s for s in signatures if s.field_name not in {"Sig_SEAL", "DocTimeStamp1"}]
    assert len({s.signer_cert.public_key.dump() for s in people}) == 4
    subjects = {s.field_name: s.signer_cert.subject.native for s in people}
    assert subjects["Sig_COO"]["title"] == "Acting Chief Operating Officer"
    assert subjects["Sig_COO"]["common_name"] == "Daniel Osei"
    assert subjects["Sig_COO"]["organizational_unit_name"] == "COO"


def test_meaning_method_time_and_reservation_are_signed_as_text(closed):
    signatures = PdfFileReader(io.BytesIO(closed)).embedded_signatures
    reason = next(s.sig_object["/Reason"] for s in signatures if s.field_name == "Sig_CFO")
    assert reason == (
        "I agree on behalf of the Office of the CFO (Password only, 4 Dec 2026, 14:31:05 UTC)."
        " With reservation: Row 4.2 only until the price book is signed."
    )


def test_times_are_printed_in_utc():
    at = datetime.fromisoformat("2026-12-04T09:31:05-05:00")
    assert when(at) == "4 Dec 2026, 14:31:05 UTC"


@pytest.mark.parametrize(
    ("stage", "signature", "words"),
    [
        ("unsigned", approval("CRO"), "does not carry the organisation's seal"),
        ("COO", approval("COO"), "signed already"),
        ("SEAL", approval("CRO", reservation="x" * (MAX_RESERVATION + 1)), "at most 500"),
        ("SEAL", approval("CRO", name="n" * 201), "at most 200"),
    ],
    ids=["before the seal", "twice", "long reservation", "long name"],
)
def test_signatures_out_of_place_are_refused(stages, keys, stage, signature, words):
    with pytest.raises(SignatureRefused, match=words):
        sign.apply_signature(stages[stage], keys, signature)


def test_an_office_signs_in_its_own_field_only(stages, keys):
    wrong = sign.ApprovalSignature(**{**vars(approval("CRO")), "field": "Sig_CFO"})
    with pytest.raises(SignatureRefused, match="CRO does not sign in Sig_CFO"):
        sign.apply_signature(stages["SEAL"], keys, wrong)


def test_an_office_without_a_field_cannot_sign(stages, keys):
    stranger = sign.ApprovalSignature(
        **{**vars(approval("CRO")), "field": "Sig_CMO", "office_short": "CMO"}
    )
    with pytest.raises(SignatureRefused, match="no signature field Sig_CMO"):
        sign.apply_signature(stages["SEAL"], keys, stranger)


def test_a_name_that_cannot_be_drawn_is_refused(stages, keys):
    with pytest.raises(Undrawable):
        sign.apply_signature(stages["SEAL"], keys, approval("CRO", name="王小明"))


def test_the_longest_reservation_fits_whole(stages, keys):
    reservation = ("Only for the sales reporting rows, word by word. " * 12)[:MAX_RESERVATION]
    pdf = sign.apply_signature(stages["SEAL"], keys, approval("CRO", reservation=reservation))
    assert "Sig_CRO" in sign.signed_fields(pdf)


def test_nothing_is_sealed_or_closed_twice(stages, keys):
    with pytest.raises(SignatureRefused):
        sign.certify(stages["SEAL"], keys)
    with pytest.raises(SignatureRefused):
        sign.timestamp_document(stages["closed"], keys)


@pytest.mark.parametrize("pdf", [b"", b"not a pdf", b"%PDF-1.7\n%%EOF"])
def test_a_file_that_cannot_be_read_is_refused(keys, pdf):
    with pytest.raises(SignatureRefused):
        sign.certify(pdf, keys)


# An outside timestamp authority


class _Authority(http.server.BaseHTTPRequestHandler):
    """Answers timestamp requests by `server.answer(request)` and serves `server.crl`."""

    def do_POST(self):
        self._send(*self.server.answer(self.rfile.read(int(self.headers["Content-Length"]))))

    def do_GET(self):
        self._send(200, "application/pkix-crl", self.server.crl)

    def _send(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        pieces, pause = self.server.slowly
        step = max(1, len(body) // pieces)
        with contextlib.suppress(OSError):  # a client that lost its patience is gone
            for begin in range(0, len(body), step):
                time.sleep(pause)
                self.wfile.write(body[begin : begin + step])

    def log_message(self, *args):
        pass


@pytest.fixture
def authority():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Authority)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    server.slowly = (1, 0)
    server.url = f"http://127.0.0.1:{server.server_port}/"
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def trusting(keys, root):
    """Our keys, trusting another root for timestamps."""
    return dataclasses.replace(keys, timestamp_roots=(root,))


def outside_company(other_keys, authority):
    """Another company's authority, whose certificate says where its revocation list is."""
    old = other_keys.tsa.certificate
    builder = x509.CertificateBuilder(
        issuer_name=old.issuer,
        subject_name=old.subject,
        public_key=old.public_key(),
        serial_number=old.serial_number + 1,
        not_valid_before=old.not_valid_before_utc,
        not_valid_after=old.not_valid_after_utc,
        extensions=list(old.extensions),
    )
    place = x509.UniformResourceIdentifier(f"{authority.url}list.crl")
    points = x509.CRLDistributionPoints([x509.DistributionPoint([place], None, None, None)])
    certificate = builder.add_extension(points, critical=False).sign(
        other_keys.root.key, hashes.SHA256()
    )
    return dataclasses.replace(
        other_keys, tsa=company_keys.KeyPair(other_keys.tsa.key, certificate)
    )


def test_an_outside_authority_dates_the_signatures_and_the_verdict_names_it(
    copy, keys, other_keys, authority, root
):
    outside = outside_company(other_keys, authority)
    authority.crl = company_keys.issue_crl(outside, now=datetime.now(UTC))

    def answer(request):
        response = asyncio.run(
            RegistryTimeStamper(outside).async_request_tsa_response(tsp.TimeStampReq.load(request))
        )
        return 200, "application/timestamp-reply", response.dump()

    authority.answer = answer
    ours = trusting(keys, outside.root_certificate)
    pdf = sign.certify(copy, ours, tsa_url=authority.url)
    for office in ("COO", "CRO", "CFO", "CEO"):
        pdf = sign.apply_signature(
            pdf, ours, approval(office), last=office == "CEO", tsa_url=authority.url
        )
    pdf = sign.timestamp_document(pdf, ours, tsa_url=authority.url)

    their_root = outside.root_certificate.public_bytes(serialization.Encoding.PEM)
    verdict = verify(pdf, root_fingerprint=root, root_certificates=[their_root])
    assert verdict.kind == "genuine", verdict
    assert "Another Company timestamps" in verdict.timestamp_authority
    # without that root nothing can be said about when, but nothing was altered either
    assert verify(pdf, root_fingerprint=root).kind == "unverifiable"
    assert verify(pdf + b"\n", root_fingerprint=root).kind == "altered"


REFUSAL = bytes.fromhex("30053003020102")  # a TimeStampResp whose status is "rejection"


@pytest.mark.parametrize(
    "answer",
    [
        (500, "text/plain", b"no"),
        (200, "text/html", b"<html>"),
        (200, "application/timestamp-reply", b"\x30\x03nop"),
        (200, "application/timestamp-reply", REFUSAL),
    ],
    ids=["error", "page", "garbage", "rejection"],
)
def test_a_failing_authority_leaves_the_file_unsigned(stages, keys, other_keys, authority, answer):
    authority.answer = lambda request: answer
    ours = trusting(keys, other_keys.root_certificate)
    with pytest.raises(TimestampUnavailable):
        sign.apply_signature(stages["SEAL"], ours, approval("CRO"), tsa_url=authority.url)


@pytest.mark.parametrize("pieces", [1, 20], ids=["silent", "in drops"])
def test_a_slow_authority_leaves_the_file_unsigned(
    stages, keys, other_keys, authority, monkeypatch, pieces
):
    monkeypatch.setattr(timestamps, "_TIMEOUT_SECONDS", 0.3)
    authority.slowly = (pieces, 0.1 if pieces > 1 else 0.8)
    authority.answer = lambda request: (200, "application/timestamp-reply", b"0" * pieces)
    ours = trusting(keys, other_keys.root_certificate)
    began = time.monotonic()
    with pytest.raises(TimestampUnavailable, match=r"No answer|too slowly"):
        sign.apply_signature(stages["SEAL"], ours, approval("CRO"), tsa_url=authority.url)
    assert time.monotonic() - began < 20


def test_an_authority_that_stamps_something_else_is_not_believed(
    stages, keys, other_keys, authority
):
    def answer(request):
        asked = tsp.TimeStampReq.load(request)
        asked["message_imprint"]["hashed_message"] = bytes(32)
        response = asyncio.run(RegistryTimeStamper(other_keys).async_request_tsa_response(asked))
        return 200, "application/timestamp-reply", response.dump()

    authority.answer = answer
    ours = trusting(keys, other_keys.root_certificate)
    with pytest.raises(TimestampUnavailable, match="something else"):
        sign.apply_signature(stages["SEAL"], ours, approval("CRO"), tsa_url=authority.url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "ftp://127.0.0.1/", "nonsense"])
def test_an_unreachable_authority_is_told(stages, keys, other_keys, url):
    ours = trusting(keys, other_keys.root_certificate)
    with pytest.raises(TimestampUnavailable):
        sign.timestamp_document(stages["CEO"], ours, tsa_url=url)


def test_an_authority_needs_a_root_to_be_trusted_by(stages, keys):
    with pytest.raises(TimestampUnavailable, match=r"timestamp-roots\.pem"):
        sign.timestamp_document(stages["CEO"], keys, tsa_url="http://127.0.0.1:9/")


def test_signing_late_shows_when_the_person_signed(stages, keys):
    # the task may run long after: the stamp has the person's time, the token the machine's
    pdf = sign.apply_signature(stages["SEAL"], keys, approval("CRO"))
    last = PdfFileReader(io.BytesIO(pdf)).embedded_signatures[-1]
    assert "4 Dec 2026, 14:31:05 UTC" in last.sig_object["/Reason"]
    assert abs((last.self_reported_timestamp - datetime.now(UTC)).total_seconds()) < 60
