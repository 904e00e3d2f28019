"""Sealing that appends a line instead of signing: for tests of what is owed, not of the PDF."""

import functools
import json
import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from audit import log_keys
from sealing.canonical import canonical_json, sha256_hex
from sealing.keys import issue_log_key
from sealing.verdict import HEADLINES, Verdict

FINGERPRINT = "ab" * 32
OUTSIDE_ROOTS = [b"an outside timestamp authority's root"]
ALL_FIELDS = ["Sig_SEAL", "Sig_CRO", "Sig_COO", "Sig_CFO", "Sig_CEO", "DocTimeStamp1"]


class FakeSealing:
    """Stands in for rendering, signing, time-stamping and verifying.

    ``calls`` counts what was done; ``before`` maps a step ("render", "certify", "apply",
    "timestamp", "verify") to what happens first: raise there to fail it, or wait to hold it.
    """

    def __init__(self):
        self.before = {}
        self.calls = []
        self.verdict = "genuine"
        self.asked_to_date = []  # the timestamp authority of each signature
        self.statements = []  # what of the log each signature took along
        self.roots = None  # what the verifier was given
        self._lock = threading.Lock()

    def _step(self, name):
        with self._lock:
            self.calls.append(name)
        self.before.get(name, lambda: None)()

    def render(self, content, *, verification_url):
        self._step("render")
        return f"%PDF-fake\n{json.dumps(content, sort_keys=True)}\n".encode()

    def certify(self, pdf, keys, *, at=None, tsa_url=""):
        self._step("certify")
        self.asked_to_date.append(tsa_url)
        return pdf + b"Sig_SEAL\n"

    def apply(self, pdf, keys, signature, *, last=False, log=None, tsa_url=""):
        self._step("apply")
        self.statements.append(log)
        self.asked_to_date.append(tsa_url)
        return pdf + f"{signature.field} {signature.name}{' last' if last else ''}\n".encode()

    def timestamp(self, pdf, keys, *, tsa_url=""):
        self._step("timestamp")
        self.asked_to_date.append(tsa_url)
        # Like a real one, no two timestamps are the same bytes.
        return pdf + f"DocTimeStamp1 {self.calls.count('timestamp')}\n".encode()

    def verify(self, pdf, *, root_certificates, **trust):
        self._step("verify")
        self.roots = root_certificates
        content = json.loads(pdf.split(b"\n")[1])
        kind = self.verdict if lines_of(pdf) == ALL_FIELDS else "incomplete"
        return Verdict(
            kind=kind,
            headline=HEADLINES[kind],
            sentences=[],
            file_sha256=sha256_hex(pdf),
            content_sha256=sha256_hex(canonical_json(content)),
        )

    def install(self, monkeypatch):
        import sealing.render
        import sealing.sign
        import sealing.verify
        from boundaries import pdf

        monkeypatch.setattr(sealing.render, "render_signing_copy", self.render)
        monkeypatch.setattr(sealing.sign, "certify", self.certify)
        monkeypatch.setattr(sealing.sign, "apply_signature", self.apply)
        monkeypatch.setattr(sealing.sign, "timestamp_document", self.timestamp)
        monkeypatch.setattr(sealing.verify, "verify", self.verify)
        trust = {"root_fingerprint": FINGERPRINT, "root_certificates": OUTSIDE_ROOTS}
        keys = SimpleNamespace(trust=trust)
        monkeypatch.setattr(pdf, "company_keys", lambda: keys)
        root, log = log_key()
        monkeypatch.setattr(log_keys, "log_key", lambda: log)
        monkeypatch.setattr(log_keys, "roots", lambda: (root,))
        return self


@functools.cache
def log_key():
    """A root and a log key without files: checkpoints are real here, the files are not."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Northwind Cloud"),
                      x509.NameAttribute(NameOID.COUNTRY_NAME, "US")])  # fmt: skip
    now = datetime.now(UTC)
    root = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return root, issue_log_key(key, root, origin="revops-registry/log/of-a-test", start=now)


def lines_of(sealed):
    """The fields signed in a fake PDF, in their order."""
    return [line.split()[0] for line in sealed.decode().splitlines()[2:]]
