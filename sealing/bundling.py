"""Putting an evidence bundle together: which file holds what, and the words that go with them.

A bundle is a function of what it is made of: the same facts give the same bytes.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from asn1crypto import pem
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation.dss import DocumentSecurityStore

from sealing import bundle
from sealing.canonical import canonical_json, grouped
from sealing.checkpoint import LogKey
from sealing.verdict import Verdict

EVENTS_SCHEMA = "revops-log-extract/1"
SIGNATURE_SCHEMA = "revops-signature/1"


@dataclass(frozen=True)
class SignatureRecord:
    """One signature: its field, Office key and role ("cosigner", "approver"), and its evidence.

    `evidence` is what the registry keeps of it; the log has the SHA-256 of its canonical JSON.
    """

    field: str
    short: str
    office: str
    role: str
    evidence: Mapping[str, Any]


@dataclass(frozen=True)
class LoggedEvent:
    """An exported event (`sealing.log_entry`) and the hashes that prove it to stand in the log."""

    event: Mapping[str, Any]
    proof: Sequence[bytes]


@dataclass(frozen=True)
class Evidence:
    """All that a bundle is made of.

    `content` is the canonical content, `checkpoint` the note that the proofs of `events` lead to,
    `consistency` the proof from the checkpoint in the file to that one. Certificates are PEM: the
    company's `root`, the log's (the present key's first), and the roots of outside timestamp
    authorities. `verdict` is that of the file, `standing` what the registry says of it on that day.
    """

    company: str
    pdf: bytes
    content: bytes
    verdict: Verdict
    standing: Mapping[str, Any]
    signatures: Sequence[SignatureRecord]
    events: Sequence[LoggedEvent]
    checkpoint: str
    consistency: Sequence[bytes]
    root: bytes
    root_fingerprint: str
    log_certificates: Sequence[bytes]
    timestamp_roots: Sequence[bytes] = ()
    retired_roots: Sequence[bytes] = ()
    compromised: Sequence[Mapping[str, Any]] = field(default_factory=tuple)


def make_bundle(evidence: Evidence, key: LogKey) -> bytes:
    """Give the bundle's bytes (ZIP), its list of files signed by the log's `key`."""
    return bundle.pack(evidence.verdict.reference, _members(evidence), key)


def _members(evidence: Evidence) -> dict[str, bytes]:
    reference = evidence.verdict.reference
    judged = {
        key: value for key, value in evidence.verdict.as_dict().items() if key != "content"
    } | {"standing": dict(evidence.standing)}
    members = {
        bundle.README: _readme(evidence).encode(),
        f"{reference}.pdf": evidence.pdf,
        bundle.CONTENT: evidence.content,
        bundle.VERDICT: _readable(judged),
    }
    for number, one in enumerate(evidence.signatures, start=1):
        members[f"{bundle.SIGNATURES}{number:02}-{one.field}.json"] = _readable(
            {
                "schema": SIGNATURE_SCHEMA,
                "field": one.field,
                "office": one.office,
                "role": one.role,
                "evidence": dict(one.evidence),
            }
        )
    members[bundle.EVENTS] = _readable(
        {
            "schema": EVENTS_SCHEMA,
            "events": [
                {"event": dict(one.event), "proof": [step.hex() for step in one.proof]}
                for one in evidence.events
            ],
        }
    )
    members[bundle.CHECKPOINT] = evidence.checkpoint.encode()
    members[bundle.CONSISTENCY] = _readable({"proof": [one.hex() for one in evidence.consistency]})
    if evidence.verdict.checkpoint:
        members["log/checkpoint-in-the-file.txt"] = evidence.verdict.checkpoint.encode()
    return members | _certificates(evidence)


def _certificates(evidence: Evidence) -> dict[str, bytes]:
    place = bundle.CERTIFICATES
    members = {f"{place}root.pem": evidence.root}
    for name, several in (
        ("log", evidence.log_certificates),
        ("timestamp-root", evidence.timestamp_roots),
        ("retired-root", evidence.retired_roots),
    ):
        for number, data in enumerate(several, start=1):
            members[f"{place}{name}-{number:02}.pem"] = data
    store = DocumentSecurityStore.read_dss(PdfFileReader(io.BytesIO(evidence.pdf)))
    for number, certificate in enumerate(store.load_certs(), start=1):
        data = pem.armor("CERTIFICATE", certificate.dump())
        members[f"{place}in-the-file-{number:02}.pem"] = data
    for number, reference in enumerate(store.crls, start=1):
        members[f"{place}in-the-file-{number:02}.crl"] = bytes(reference.get_object().data)
    members[bundle.COMPROMISED] = _readable(list(evidence.compromised))
    return members


def _readable(value: Any) -> bytes:
    """JSON for people, in one spelling; what is hashed is its canonical form."""
    canonical_json(value)  # refuses what JSON cannot hold exactly
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _readme(evidence: Evidence) -> str:
    reference = evidence.verdict.reference
    return _README.format(
        company=evidence.company,
        reference=reference,
        file_sha256=evidence.verdict.file_sha256,
        content_sha256=evidence.verdict.content_sha256,
        root=evidence.root_fingerprint,
        root_grouped=grouped(evidence.root_fingerprint),
        underline="=" * (len(reference) + 12),
    )


_README = """\
Evidence of {reference}
{underline}

{company} sealed {reference}.pdf. This folder holds what a stranger needs to check, without asking
the registry, who signed it, how they proved who they were, and that the registry's log tells of it.
It holds names, Offices, e-mail addresses and declared conflicts of those who signed: pass it on to
whoever has to check, and to nobody else.

Trust starts from one number, the SHA-256 fingerprint of the company's root certificate:

    {root_grouped}

Do not take it from here: compare it with the one that the company publishes elsewhere (its website,
its annual report, its auditor).


Check everything with the verifier
----------------------------------

It needs Python 3.11 or newer and four libraries, and neither network nor registry once they are
installed. The registry hands it out as one file (verifier.pyz, linked on its page /verify/); so
does anybody who has the registry's source, of which it is the package "sealing".

    python3 -m venv check && check/bin/pip install pyhanko cryptography fido2 rfc8785
    check/bin/python verifier.pyz {reference}.pdf \\
        --root {root} \\
        --bundle {reference}-evidence.zip

Where certificates/ holds a retired-root, give its fingerprint too, with a second --root, from a
source of your own. Exit status 0: genuine; 1: altered or incomplete; 2: not of this company, or not
verifiable.


Check by hand
-------------

    sha256sum {reference}.pdf            {file_sha256}
    sha256sum content.json               {content_sha256}
    pdfdetach -saveall {reference}.pdf   gives the content once more, out of the PDF
    pdfsig {reference}.pdf               lists the signatures (it does not see every change)
    openssl x509 -in certificates/root.pem -noout -fingerprint -sha256
    openssl verify -CAfile certificates/root.pem certificates/log-01.pem


What is what
------------

{reference}.pdf            the sealed document
content.json               its text as data, in the canonical form (RFC 8785) that was signed; the
                           same bytes are attached to the PDF
verdict.json               what the registry's own verifier said of the PDF, and where the document
                           stood by the registry's record. Words of the registry, no proof
signatures/                for each signature what was kept of it. "evidence" is what the log's
                           event names by authentication_sha256: the SHA-256 of its canonical form.
                           Signed by passkey: "proof" holds the assertion (authenticator_data,
                           client_data_json, signature), the public key (COSE) and challenge_text.
                           The challenge is the SHA-256 of challenge_domain and challenge_text, so
                           the signature speaks of this text and Office. Nobody but the holder of
                           that key could have made it. Signed by password and code: the record is
                           the registry's word, and the log shows that it was not changed since
log/events.json            the log's events about this version. An event's leaf is
                           SHA-256(0x00, canonical JSON of its fields, with data_sha256 in the place
                           of data); "proof" leads from the leaf to the checkpoint's root (RFC 9162,
                           2.1.3). Texts about people stand in it as commitments only
log/checkpoint.txt         size and root of the whole log, signed by its key (C2SP signed note)
log/checkpoint-in-the-file.txt
                           the checkpoint that the approver's signature in the PDF carries, out of
                           everybody's reach since; absent where the PDF has none
log/consistency.json       the proof (RFC 9162, 2.1.4) that the log of the first is the beginning of
                           the log of the second: nothing was changed or taken out between
certificates/root.pem      the company's root certificate
certificates/log-*.pem     the log's key, certified by the root
certificates/timestamp-root-*.pem
                           roots of outside timestamp authorities, where there are any
certificates/retired-root-*.pem
                           former roots of the company, where there are any
certificates/in-the-file-* certificates and revocation lists that the PDF carries
certificates/compromised.json
                           keys that the company knows to be compromised, and since when
manifest.txt               every file with its SHA-256, signed by the log's key


What this cannot say
--------------------

- Whether the document is in force today: ask the registry's page /verify/.
- Whether an event was never written to the log.
- That a passkey belongs to the person it was registered for, or that a password was typed by them:
  that is the registry's word.
"""
