"""A sealed file with the log and the evidence that its bundle is made of."""

import base64
import hashlib
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from fido2 import cbor
from fido2.cose import ES256

from sealing import checkpoint, log_entry, merkle, passkeys, sign, verify
from sealing.bundling import Evidence, LoggedEvent, SignatureRecord, make_bundle
from sealing.canonical import canonical_json, sha256_hex
from sealing.evidence import judge
from sealing.log_statement import LogStatement

from .conftest import NAMES, approval

ORIGIN, RP = "https://registry.example", "registry.example"


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def evidence_of(short, number, content_sha256, copy_sha256, *, passkey=True):
    """What the registry would keep of a signature."""
    evidence: dict[str, Any] = {
        "intent": f"{number:064x}",
        "person_id": number,
        "person_name": NAMES[short][0],
        "email": f"{short.lower()}@example.com",
        "offices": [short.lower()],
        "appointment_ids": [number],
        "acting": [],
        "content_sha256": content_sha256,
        "signing_copy_sha256": copy_sha256,
        "opened_at": "2026-12-04T14:20:00Z",
        "meaning": "I agree",
        "consent_version": "2026-11",
        "conflict_declared": "",
        "reservation": "",
        "method": "passkey" if passkey else "password and code",
        "proof": {},
        "authenticated_at": "2026-12-04T14:30:00Z",
        "signed_at": "2026-12-04T14:31:05Z",
        "session_sha256": "0" * 64,
    }
    if passkey:
        role = "approver" if short == "CEO" else "cosigner"
        evidence["proof"] = asserted(evidence, role=role)
    return evidence


def asserted(evidence, *, role, key=None, origin=ORIGIN, rp=RP, flags=0x05, **client):
    """What a passkey answers to the intent that `evidence` tells of."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    said = {ours: evidence[theirs] for ours, theirs in passkeys._BOUND.items()}
    text = canonical_json({**said, "role": role, "created_at": "2026-12-04T14:29:00Z"})
    challenge = hashlib.sha256(passkeys.CHALLENGE_DOMAIN + text).digest()
    data = hashlib.sha256(rp.encode()).digest() + bytes([flags]) + (7).to_bytes(4, "big")
    raw = json.dumps(
        {"type": "webauthn.get", "challenge": encoded(challenge), "origin": origin,
         "crossOrigin": False, **client}
    ).encode()  # fmt: skip
    signature = key.sign(data + hashlib.sha256(raw).digest(), ec.ECDSA(hashes.SHA256()))
    return {
        "challenge_domain": passkeys.CHALLENGE_DOMAIN.decode(),
        "challenge_text": text.decode(),
        "rp_id": rp,
        "origin": origin,
        "credential_id": encoded(b"credential"),
        "public_key": encoded(cbor.encode(dict(ES256.from_cryptography_key(key.public_key())))),
        "authenticator_data": encoded(data),
        "client_data_json": encoded(raw),
        "signature": encoded(signature),
        "sign_count": 7,
    }


def event(sequence, name, **said):
    """One exported event of the log."""
    return {
        "schema": log_entry.SCHEMA,
        "sequence": sequence,
        "at": log_entry.time_words(datetime(2026, 12, 4, 14, 0, sequence % 60, tzinfo=UTC)),
        "event": name,
        "actor_id": None,
        "actor_name": "",
        "office": "",
        "appointment_id": None,
        "object_type": "revision",
        "object_id": "4",
        "object_version": "NC-RB-4",
        "object_sha256": "",
        "ip_hash": "",
        "authentication_sha256": "",
        "personal_commitment": "",
        "data": {},
        **said,
    }


@dataclass(frozen=True)
class Sealed:
    """The file, what its bundle is made of, and the bundle."""

    pdf: bytes
    evidence: Evidence
    keys: Any
    root: str

    def bundle(self, **changed):
        return make_bundle(replace(self.evidence, **changed), self.keys.log)

    def judged(self, bundle):
        """As `verify_bundle` does in its child; the file's own verdict is known."""
        return judge(self.pdf, bundle, self.evidence.verdict, [self.root])


def sealed_with_evidence(stages, content, keys):
    """Approve, close and bundle the file that three Offices signed."""
    digest, copy = sha256_hex(canonical_json(content)), sha256_hex(stages["SEAL"])
    records, events = [], [event(1, "account.opened", object_version="")]
    events.append(event(2, "revision.frozen", object_sha256=digest))
    for number, short in enumerate(("COO", "CRO", "CFO", "CEO"), start=3):
        kept = evidence_of(short, number, digest, copy, passkey=short != "CRO")
        role = "approver" if short == "CEO" else "cosigner"
        records.append(SignatureRecord(f"Sig_{short}", short, short.lower(), role, kept))
        events.append(
            event(
                number,
                "revision.approved" if short == "CEO" else "revision.cosigned",
                actor_id=number,
                object_sha256=digest,
                authentication_sha256=sha256_hex(canonical_json(kept)),
            )
        )
    events.append(event(7, "signature.applied"))
    tree = merkle.Tree(log_entry.leaf_of(one) for one in events)
    anchored = LogStatement(checkpoint.make(keys.log, 7, tree.root()), keys.log.certificate)
    pdf = sign.apply_signature(stages["CFO"], keys, approval("CEO"), last=True, log=anchored)
    pdf = sign.timestamp_document(pdf, keys)
    events.append(event(8, "revision.sealed", object_sha256=sha256_hex(pdf)))
    events += [event(number, "account.opened", object_version="") for number in range(9, 40)]
    tree.extend(log_entry.leaf_of(one) for one in events[7:])
    root = keys.root_fingerprint
    evidence = Evidence(
        company="Northwind Cloud",
        pdf=pdf,
        content=canonical_json(content),
        verdict=verify.verify(pdf, root_fingerprint=root),
        standing={"standing": "in_force"},
        signatures=records,
        events=[LoggedEvent(one, tree.inclusion_proof(one["sequence"] - 1)) for one in events[1:8]],
        checkpoint=checkpoint.make(keys.log, tree.size, tree.root()),
        consistency=tree.consistency_proof(7),
        root=keys.root_certificate.public_bytes(Encoding.PEM),
        root_fingerprint=root,
        log_certificates=[keys.log.certificate.public_bytes(Encoding.PEM)],
    )
    return Sealed(pdf, evidence, keys, root)
