"""From frozen text to sealed PDF, step by step, each owed by the database and done by the worker.

The steps of one freeze, in this order:

1. render the canonical content and put the organisation's certification on it: the signing copy;
2. apply each Signature, in the order given, the CEO's last (it locks the document);
3. add the document timestamp, verify the result by our own verifier, publish it.

Files are made outside any transaction; then one short transaction stores the file only if the
freeze still has the file it was made from. Whoever comes second starts again from what stands.
"""

import logging
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from celery import current_app
from cryptography import x509
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError

import audit
from audit import checkpoints
from audit.models import Checkpoint
from people.offices import office_short, office_title
from sealing.keys import CompanyKeys, load_keys

from . import notices
from .content import content_of
from .files import files
from .locking import locked_revision
from .models import Freeze, Signature
from .states import Role, State

if TYPE_CHECKING:
    from sealing.log_statement import LogStatement

log = logging.getLogger(__name__)

# A worker that died lets go after this; the next sweep then finds the freeze unclaimed.
CLAIM_SECONDS = 60
# The sweep comes every minute. What failed so often in a row waits longer, and ever longer.
FAILURES_WITHOUT_PAUSE = 5
LONGEST_PAUSE = timedelta(minutes=15)
# More steps than any freeze has: seal, a signature per Office, timestamp.
MOST_STEPS = 30


class Quarantined(Exception):
    """Our own verifier does not call the finished file genuine, so it is not published."""

    OPENING = "Quarantined as"


@lru_cache(maxsize=2)
def _loaded(directory: Path, secret: str, changed_at: float) -> CompanyKeys:
    return load_keys(directory, secret, token=settings.SEAL_TOKEN)


def company_keys() -> CompanyKeys:
    """The signing keys; read again only when their directory changed."""
    directory = settings.KEYS_DIR
    return _loaded(directory, settings.KEYS_SECRET, directory.stat().st_mtime)


def verification_url(reference: str, content_sha256: str) -> str:
    """Where the QR code leads: the public page, told which document it is about to check."""
    return f"{settings.PUBLIC_URL}/verify/?document={reference}&content={content_sha256[:16]}"


def hand_over_on_commit(freeze: Freeze) -> None:
    """Tell the worker, once the business is committed. A deaf broker loses nothing: see sweep."""
    freeze_id = freeze.pk

    def send() -> None:
        try:
            current_app.send_task("boundaries.tasks.advance_pdf", args=[freeze_id])
        except (OperationalError, OSError) as error:
            log.warning("No broker (%s): the sweep will make the PDF of %s", error, freeze)

    transaction.on_commit(send)


def _owed() -> QuerySet[Freeze]:
    """The freezes whose file is not what the database says it should be; some more than once."""
    live = Freeze.objects.filter(voided_at__isnull=True).exclude(revision__state=State.WITHDRAWN)
    without_copy = live.filter(signing_copy_sha256="")
    unapplied = live.filter(signatures__applied_sha256="", signatures__voided_at__isnull=True)
    unsealed = live.filter(
        sealed_sha256="", signatures__role=Role.APPROVER, signatures__voided_at__isnull=True
    )
    return without_copy | unapplied | unsealed


def begun() -> list[Freeze]:
    """The freezes whose file carries our seal and is neither finished nor given up."""
    live = Freeze.objects.filter(voided_at__isnull=True, sealed_sha256="")
    live = live.exclude(signing_copy_sha256="").exclude(revision__state=State.WITHDRAWN)
    return list(live.select_related("revision__document"))


def owed() -> list[int]:
    """Ids of the freezes for which the worker has something to do."""
    return sorted(set(_owed().values_list("pk", flat=True)))


def due(*, at: datetime) -> list[int]:
    """Those of ``owed`` whose turn it is: what fails again and again is tried less often."""
    return [
        freeze.pk
        for freeze in Freeze.objects.filter(pk__in=owed()).order_by("pk")
        if freeze.pdf_failed_at is None or at - freeze.pdf_failed_at >= _pause(freeze)
    ]


def _pause(freeze: Freeze) -> timedelta:
    """None for the first failures, then 2, 4, 8 and at most 15 minutes; there is no last try."""
    more = freeze.pdf_failures_in_a_row - FAILURES_WITHOUT_PAUSE
    return min(timedelta(minutes=2 ** min(more, 4)), LONGEST_PAUSE) if more > 0 else timedelta(0)


def advance(freeze_id: int) -> None:
    """Do every step that is owed for one freeze. Safe to run twice, late, or at the same time.

    Two workers on one freeze would each make the same file, and one throw it away. So one works,
    and looks once more after letting go: what came meanwhile was turned away with a short answer.
    The claim only saves work; that nothing is doubled is the database's doing, in ``_store``.
    """
    claim = f"pdf-of-freeze-{freeze_id}"
    while cache.add(claim, "taken", timeout=CLAIM_SECONDS):
        try:
            _do_all_steps(freeze_id)
        finally:
            cache.delete(claim)
        if not _owed().filter(pk=freeze_id).exists():
            return


def _do_all_steps(freeze_id: int) -> None:
    for _ in range(MOST_STEPS):
        freeze = Freeze.objects.select_related("revision__document").get(pk=freeze_id)
        if freeze.voided_at is not None:
            return
        try:
            if not _step(freeze):
                return
        except Exception as failure:
            # Kept for the operator and raised on: Celery logs it, the sweep tries again.
            Freeze.objects.filter(pk=freeze_id).update(
                pdf_failures=F("pdf_failures") + 1,
                pdf_failures_in_a_row=F("pdf_failures_in_a_row") + 1,
                pdf_failed_at=timezone.now(),
                pdf_last_failure=(str(failure) or type(failure).__name__)[:500],
            )
            log.error("The PDF of %s is owed and failed: %s", freeze, failure)
            raise
    raise RuntimeError(f"{freeze} did not finish in {MOST_STEPS} steps.")


def _step(freeze: Freeze) -> bool:
    """Do the next step that is owed; False when there is none."""
    if not freeze.signing_copy_sha256:
        _make_signing_copy(freeze)
        return True
    unapplied = freeze.signatures.filter(voided_at__isnull=True, applied_sha256="").first()
    if unapplied is not None:
        _apply(freeze, unapplied)
        return True
    approved = freeze.signatures.filter(voided_at__isnull=True, role=Role.APPROVER).exists()
    if not approved:
        return False
    # Read again, now that every signature is known to be applied: another worker may have applied
    # the last one since, and the file that was read before would lack it.
    freeze.refresh_from_db(fields=["pdf_sha256", "sealed_sha256"])
    if freeze.sealed_sha256:
        return False
    _publish(freeze)
    return True


def _make_signing_copy(freeze: Freeze) -> None:
    from sealing.render import render_signing_copy
    from sealing.sign import certify

    content = content_of(freeze)
    reference = content["revision"]["reference"]
    unsigned = render_signing_copy(
        content, verification_url=verification_url(reference, freeze.content_sha256)
    )
    copy = certify(unsigned, company_keys(), tsa_url=settings.TSA_URL)
    _store(freeze, copy, "signing_copy.made", signing_copy=True)


def _apply(freeze: Freeze, signature: Signature) -> None:
    from sealing.sign import ApprovalSignature, apply_signature

    signed = apply_signature(
        files.get(freeze.pdf_sha256),
        company_keys(),
        ApprovalSignature(
            field=signature.field,
            name=signature.person_name,
            office_title=office_title(signature.office),
            office_short=office_short(signature.office),
            acting=signature.acting,
            meaning=signature.meaning,
            method=signature.method,
            signed_at=signature.signed_at,
            reservation=signature.reservation,
        ),
        last=signature.role == Role.APPROVER,
        log=_log_statement() if signature.role == Role.APPROVER else None,
        tsa_url=settings.TSA_URL,
    )
    _store(freeze, signed, "signature.applied", signature=signature)


def _log_statement() -> "LogStatement":
    """What the log says now, every co-signature and the approval included, for the file to keep.

    A log that does not continue what it signed before raises CheckpointRefused: the file waits.
    """
    from sealing.log_statement import LogStatement

    made = checkpoints.issue(why=Checkpoint.Why.SEAL, at=timezone.now())
    assert made is not None  # noqa: S101 - what is approved has events
    return LogStatement(made.note, x509.load_pem_x509_certificate(made.certificate.encode()))


def _publish(freeze: Freeze) -> None:
    from sealing.sign import timestamp_document
    from sealing.verify import verify

    keys = company_keys()
    sealed = timestamp_document(files.get(freeze.pdf_sha256), keys, tsa_url=settings.TSA_URL)
    verdict = verify(sealed, **keys.trust)
    if verdict.kind != "genuine" or verdict.content_sha256 != freeze.content_sha256:
        # Kept for the operator, but no page offers it. One specimen is enough: the sweep comes
        # here every minute until somebody has found out why.
        if freeze.pdf_last_failure.startswith(Quarantined.OPENING):
            raise Quarantined(freeze.pdf_last_failure)
        why = " ".join([verdict.headline, *verdict.sentences])
        raise Quarantined(f"{Quarantined.OPENING} {files.put(sealed)}: {why}")
    _store(freeze, sealed, "revision.sealed", sealed=True)


@transaction.atomic
def _store(
    freeze: Freeze,
    pdf: bytes,
    event: str,
    *,
    signing_copy: bool = False,
    signature: Signature | None = None,
    sealed: bool = False,
) -> None:
    """Store a file made from ``freeze.pdf_sha256``, unless somebody stored another meanwhile."""
    # In the document's line, like every verb: going back to draft locks in another order.
    locked_revision(freeze.revision)
    at: datetime = timezone.now().astimezone(UTC)
    unchanged = Freeze.objects.select_for_update().filter(
        pk=freeze.pk, pdf_sha256=freeze.pdf_sha256, voided_at__isnull=True, sealed_sha256=""
    )
    if not unchanged.exists():
        return
    sha256 = files.put(pdf)
    # What failed before is made good: pages must not go on telling of it.
    values: dict[str, object] = {
        "pdf_sha256": sha256,
        "pdf_last_failure": "",
        "pdf_failures_in_a_row": 0,
    }
    if signing_copy:
        values["signing_copy_sha256"] = sha256
    if sealed:
        values |= {"sealed_sha256": sha256, "sealed_at": at}
    Freeze.objects.filter(pk=freeze.pk).update(**values)
    if signature is not None:
        Signature.objects.filter(pk=signature.pk).update(applied_sha256=sha256)
    audit.record(
        event,
        at=at,
        actor=None,
        office=signature.office if signature else "",
        object_type="freeze",
        object_id=str(freeze.pk),
        object_version=freeze.revision.reference,
        object_sha256=sha256,
    )
    if sealed:
        made = checkpoints.issue(why=Checkpoint.Why.SEAL, at=at)
        assert made is not None  # noqa: S101 - it was just recorded that the file is sealed
        notices.sealed(freeze, file_sha256=sha256, checkpoint=made, at=at)
