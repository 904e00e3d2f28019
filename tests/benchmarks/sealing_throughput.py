"""How fast documents are sealed on one core, beside bare WeasyPrint and pyHanko.

    python -m tests.benchmarks.sealing_throughput [DOCUMENTS] [--content FILE.json]

Both do the same work for each document: render the same HTML and attach the same JSON as tagged
PDF/A-3a with signature fields, certify it, add four approval signatures with visible text, each
B-LT with a timestamp of the registry's own kind, and a document timestamp. The bare way is the
libraries' documented one: `SimpleSigner` with keys made once, `DummyTimeStamper`, `TextStampStyle`,
no key of its own for each signature. CPU seconds of this process are counted, so that what else
runs on the machine matters little; what is loaded once is left out of both.
"""

import argparse
import io
import json
import os
import statistics
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from asn1crypto import crl
from asn1crypto import keys as asn1_keys
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.signers.pdf_signer import (
    PdfSignatureMetadata,
    PdfSigner,
    PdfTimeStamper,
)
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko.stamp import TextStampStyle
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from sealing import keys as company_keys
from sealing import render, sign, tagging
from sealing.timestamps import as_asn1
from sealing.verify import verify
from tests.sealing.conftest import URL, approval, make_keys
from tests.sealing.samples import boundary

ROOT = Path(__file__).resolve().parent.parent.parent
OFFICES = ("COO", "CRO", "CFO", "CEO")


def ours(content, keys):
    """One document our way: (seconds for rendering, seconds for signing, the file)."""
    began = time.process_time()
    pdf = render.render_here(content, verification_url=URL)
    rendered = time.process_time()
    pdf = sign.certify(pdf, keys)
    for office in OFFICES:
        pdf = sign.apply_signature(pdf, keys, approval(office), last=office == "CEO")
    pdf = sign.timestamp_document(pdf, keys)
    return rendered - began, time.process_time() - rendered, pdf


class Bare:
    """The same by the libraries' documented ways."""

    def __init__(self, keys):
        self._keys = keys
        root = as_asn1(keys.root_certificate)
        self._store = SimpleCertificateStore.from_certs([root])
        self._stamper = DummyTimeStamper(
            as_asn1(keys.tsa.certificate), plain(keys.tsa), certs_to_embed=self._store
        )
        people = {
            office: company_keys.issue_one_shot(
                keys, name=office, office_short=office, office_title=office, now=datetime.now(UTC)
            )
            for office in OFFICES
        }
        self._signers = {
            name: signers.SimpleSigner(
                signing_cert=as_asn1(pair.certificate),
                signing_key=plain(pair),
                cert_registry=self._store,
            )
            for name, pair in (people | {"SEAL": keys.seal}).items()
        }

    def __call__(self, content):
        began = time.process_time()
        simplify, tagging.simplify = tagging.simplify, lambda pdf: None
        try:
            pdf = render.render_here(content, verification_url=URL)
        finally:
            tagging.simplify = simplify
        rendered = time.process_time()
        for name in ("SEAL", *OFFICES):
            pdf = self._sign(pdf, name)
        out = PdfTimeStamper(self._stamper, field_name="DocTimeStamp1").timestamp_pdf(
            IncrementalPdfFileWriter(io.BytesIO(pdf)), "sha256", validation_context=self._trust()
        )
        return rendered - began, time.process_time() - rendered, out.getvalue()

    def _sign(self, pdf, name):
        meta = PdfSignatureMetadata(
            field_name=f"Sig_{name}",
            md_algorithm="sha256",
            subfilter=SigSeedSubFilter.PADES,
            certify=name == "SEAL",
            docmdp_permissions=MDPPerm.NO_CHANGES if name == "CEO" else MDPPerm.FILL_FORMS,
            embed_validation_info=True,
            validation_context=self._trust(),
        )
        signer = PdfSigner(
            meta,
            self._signers[name],
            timestamper=self._stamper,
            stamp_style=TextStampStyle(stamp_text="%(signer)s\n%(ts)s"),
        )
        writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
        return signer.sign_pdf(writer, existing_fields_only=True).getvalue()

    def _trust(self):
        fresh = company_keys.issue_crl(self._keys, now=datetime.now(UTC))
        return ValidationContext(
            trust_roots=[as_asn1(self._keys.root_certificate)],
            crls=[crl.CertificateList.load(fresh)],
            allow_fetching=False,
            revocation_mode="hard-fail",
        )


def plain(pair):
    """A key as pyHanko's signers take it."""
    data = pair.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return asn1_keys.PrivateKeyInfo.load(data)


def measure(way, documents):
    """The median seconds of rendering and signing, and the last file; the first is not counted."""
    found = [way() for _ in range(documents + 1)][1:]
    return *(statistics.median(one[part] for one in found) for part in (0, 1)), found[-1][2]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("documents", type=int, nargs="?", default=5)
    parser.add_argument("--content", type=Path, help="canonical JSON; default: a sample of 7 pages")
    chosen = parser.parse_args()
    content = json.loads(chosen.content.read_bytes()) if chosen.content else boundary()
    os.environ["FONTCONFIG_FILE"] = str(ROOT / "sealing" / "fonts.conf")
    render.load_weasyprint()
    with TemporaryDirectory() as folder:
        keys = make_keys(Path(folder) / "keys")
    bare = Bare(keys)
    rows = {
        "bare": measure(lambda: bare(content), chosen.documents),
        "ours": measure(lambda: ours(content, keys), chosen.documents),
    }
    say = sys.stdout.write
    for name, (rendering, signing, pdf) in rows.items():
        total = rendering + signing
        say(f"{name}: rendering {rendering:.2f} s, five signatures and timestamp {signing:.2f} s,")
        say(f" {3600 / total:.0f} documents an hour and core, {len(pdf)} bytes\n")
    began = time.process_time()
    verdict = verify(rows["ours"][2], **keys.trust)
    say(f"our verification: {time.process_time() - began:.2f} s ({verdict.kind})\n")
    signing = rows["bare"][1] / rows["ours"][1]
    whole = sum(rows["bare"][:2]) / sum(rows["ours"][:2])
    say(f"throughput against bare: {whole:.2f} in all, {signing:.2f} for signing alone\n")


if __name__ == "__main__":
    main()
