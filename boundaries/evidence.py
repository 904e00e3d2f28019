"""The evidence bundle of a sealed Revision: what a stranger needs to check it without us.

It is made from what is stored, never stored itself: the same state gives the same bytes. Its log
extract ends at the first checkpoint that covers all that happened to the Revision, so that it
stays the same while the log goes on with other things.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.core.cache import cache
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

import audit
from audit import checkpoints
from audit.leaf import said_by
from audit.models import Checkpoint, Event
from people.calendar import company_date
from people.models import Company, Person
from people.offices import office_short
from people.permissions import Act, require
from sealing import log_entry, merkle
from sealing.bundling import Evidence, LoggedEvent, SignatureRecord, make_bundle
from sealing.checkpoint import parse
from sealing.keys import CompanyKeys, fingerprint
from sealing.verdict import Verdict
from sealing.verify import verify_in_child

from .content import utc_text
from .errors import EvidenceNotReady
from .files import files
from .models import Freeze, Revision
from .pdf import company_keys
from .states import PUBLISHED
from .verification import standing_of

TAKEN = "evidence.taken"
# What happened to the text; that somebody read or took it is not part of it.
_TELLS_OF_READERS = {TAKEN, "signing_copy.opened"}
# Whose own words (`data`) are known to be fit for every reader; of others the hash stands there.
_TOLD_WHOLE = {
    "revision.frozen", "revision.cosigned", "revision.approved", "revision.sealed",
    "revision.in_force", "revision.superseded", "revision.expired", "signing_copy.made",
    "signature.applied",
}  # fmt: skip
_VERDICT_KEPT = 24 * 60 * 60


def bundle_name(revision: Revision) -> str:
    """What the download is called."""
    return f"{revision.reference}-evidence.zip"


def bundle_of(revision: Revision) -> bytes:
    """The bundle of a Revision whose sealed PDF is there; raises ``EvidenceNotReady`` if not.

    ``SealingError`` and ``OSError`` where there are no keys. Reads every leaf hash of the log up
    to the checkpoint: half a second for 200,000 events.
    """
    freeze = _sealed_freeze(revision)
    keys = company_keys()
    sealed = files.get(freeze.sealed_sha256)
    verdict = _verdict(freeze, sealed, keys)
    events = _events(revision, freeze)
    row = _checkpoint(events, keys)
    events = [one for one in events if one.sequence <= row.size]
    tree = _tree(row)
    anchored = parse(verdict.checkpoint)[0].size if verdict.checkpoint else 0
    evidence = Evidence(
        company=Company.objects.get().name,
        pdf=sealed,
        content=bytes(freeze.content),
        verdict=verdict,
        standing=_standing(revision, freeze),
        signatures=[
            SignatureRecord(one.field, office_short(one.office), one.office, one.role, one.evidence)
            for one in freeze.signatures.filter(voided_at__isnull=True)
        ],
        events=[LoggedEvent(_told(one), tree.inclusion_proof(one.sequence - 1)) for one in events],
        checkpoint=row.note,
        consistency=tree.consistency_proof(anchored) if anchored else [],
        root=_pem(keys.root_certificate),
        root_fingerprint=keys.root_fingerprint,
        log_certificates=_log_certificates(keys, row, verdict),
        timestamp_roots=[_pem(one) for one in keys.timestamp_roots],
        retired_roots=[_pem(one) for one in keys.retired_roots],
        compromised=[one.as_dict() for one in keys.compromised],
    )
    return make_bundle(evidence, keys.log)


@transaction.atomic
def record_taken(*, revision: Revision, sha256: str, acting_user: Person, at: datetime) -> None:
    """Somebody takes the bundle away: names and addresses of signers are in it."""
    held = require(acting_user, Act.READ_IN_FORCE, on=company_date(at))
    if revision.state not in PUBLISHED:
        raise EvidenceNotReady("There is no evidence of a version that was not approved.")
    audit.record(
        TAKEN,
        at=at,
        actor=acting_user,
        office=held[0].office.key if held else "",
        appointment_id=held[0].pk if held else None,
        object_type="revision",
        object_id=str(revision.pk),
        object_version=revision.reference,
        object_sha256=sha256,
    )


def _sealed_freeze(revision: Revision) -> Freeze:
    freeze = revision.freezes.filter(voided_at__isnull=True).first()
    if revision.state not in PUBLISHED or freeze is None or not freeze.sealed_sha256:
        raise EvidenceNotReady("There is no sealed PDF of this version, so there is no evidence.")
    return freeze


def _verdict(freeze: Freeze, sealed: bytes, keys: CompanyKeys) -> Verdict:
    """What our verifier says of the file at the time it was sealed, which is always the same."""
    trusted = log_entry.canonical_sha256(
        {
            "roots": [keys.root_fingerprint, *keys.retired_fingerprints],
            "compromised": [one.as_dict() for one in keys.compromised],
        }
    )
    key = f"verdict:{freeze.sealed_sha256}:{trusted}"
    kept = cache.get(key)
    if kept is not None:
        return Verdict.from_dict(kept)
    verdict = verify_in_child(sealed, at=freeze.sealed_at, **keys.trust)
    if verdict.kind != "genuine":
        raise EvidenceNotReady(" ".join([verdict.headline + ".", *verdict.sentences]))
    cache.set(key, verdict.as_dict(), _VERDICT_KEPT)
    return verdict


def _events(revision: Revision, freeze: Freeze) -> list[Event]:
    """The log's events about this Revision since its text was frozen, in their order."""
    mine = Event.objects.filter(
        Q(object_type="revision", object_id=str(revision.pk))
        | Q(object_type="freeze", object_id=str(freeze.pk))
    ).order_by("sequence")
    frozen = mine.filter(event="revision.frozen", object_sha256=freeze.content_sha256).first()
    if frozen is None:
        raise EvidenceNotReady("The log does not tell of the freezing of this text.")
    return list(mine.filter(sequence__gte=frozen.sequence).exclude(event__in=_TELLS_OF_READERS))


def _checkpoint(events: Iterable[Event], keys: CompanyKeys) -> Checkpoint:
    """The first checkpoint that covers all of ``events`` that any covers.

    One that was signed by a key that others have since proves nothing: then a later one.
    """
    stolen = {one.certificate_sha256 for one in keys.compromised}
    newest = checkpoints.newest()
    sealed = max(one.sequence for one in events if one.event == "revision.sealed")
    if newest is None or newest.size < sealed or _signer(newest) in stolen:
        newest = checkpoints.issue(why=Checkpoint.Why.HAND, at=timezone.now())
    assert newest is not None  # noqa: S101 - the log has events
    last = max(one.sequence for one in events if one.sequence <= newest.size)
    for found in Checkpoint.objects.filter(size__gte=last).order_by("size").iterator():
        if _signer(found) not in stolen:
            return found
    raise EvidenceNotReady(
        "The key that signed the log's checkpoints is reported as compromised. Replace it: "
        "`rotate_keys log`."
    )


def _signer(row: Checkpoint) -> str:
    return fingerprint(x509.load_pem_x509_certificate(row.certificate.encode()))


def _tree(row: Checkpoint) -> merkle.Tree:
    """The log's tree at a checkpoint; refuses to prove anything by another log than was signed."""
    leaves = Event.objects.filter(sequence__lte=row.size).order_by("sequence")
    hashes = leaves.values_list("leaf_hash", flat=True).iterator(5000)
    tree = merkle.Tree(bytes.fromhex(one) for one in hashes)
    if tree.size != row.size or tree.root() != checkpoints.signed_by(row).root:
        raise EvidenceNotReady(
            "The log is not what its checkpoint says. Tell the Administrator: `audit_verify` says "
            "where it was changed."
        )
    return tree


def _told(event: Event) -> dict[str, Any]:
    said = said_by(event)
    if event.event not in _TOLD_WHOLE:
        said["data_sha256"] = log_entry.canonical_sha256(said.pop("data"))
    return said


def _standing(revision: Revision, freeze: Freeze) -> dict[str, Any]:
    period = {
        "in_force_from": revision.in_force_from,
        "in_force_until": revision.in_force_until,
    }
    return {
        "standing": standing_of(revision, freeze).value,
        **{name: utc_text(at) if at else None for name, at in period.items()},
    }


def _log_certificates(keys: CompanyKeys, row: Checkpoint, verdict: Verdict) -> list[bytes]:
    """The certificates of all keys that signed something in the bundle, the present one first."""
    texts = [row.certificate, verdict.log_certificate]
    others = [x509.load_pem_x509_certificate(text.encode()) for text in texts if text]
    return list(dict.fromkeys(_pem(one) for one in [keys.log.certificate, *others]))


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)
