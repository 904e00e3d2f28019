"""Signing copy to sealed PDF, one incremental step at a time (EVIDENCE 3).

`certify` puts the organisation's seal on the rendered copy: what it returns is what everybody
reads and signs. `apply_signature` adds one person's approval signature, the CEO's locking the
document; `timestamp_document` closes it. The input of each step is a byte-exact prefix of its
output, and every signature carries its own timestamp and validation data (PAdES B-LT).
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from asn1crypto import cms
from asn1crypto import crl as asn1_crl
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from pyhanko.pdf_utils import layout
from pyhanko.pdf_utils.content import ImportedPdfPage
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import (
    InvisSigSettings,
    MDPPerm,
    SigSeedSubFilter,
    enumerate_sig_fields,
)
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers.pdf_cms import Signer
from pyhanko.sign.signers.pdf_signer import (
    DSSContentSettings,
    PdfSignatureMetadata,
    PdfSigner,
    PdfTimeStamper,
    SigDSSPlacementPreference,
    TimestampDSSContentSettings,
)
from pyhanko.sign.timestamps import TimeStamper, TimestampRequestError
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.errors import PathError
from pyhanko_certvalidator.registry import SimpleCertificateStore

from sealing import stamp
from sealing.content import SEAL_FIELD, TIMESTAMP_FIELD, signature_field
from sealing.errors import SignatureRefused, TimestampUnavailable
from sealing.keys import CompanyKeys, KeyPair, TokenPair, issue_crl, issue_one_shot
from sealing.log_statement import LogStatement
from sealing.timestamps import OutsideTimeStamper, RegistryTimeStamper, as_asn1
from sealing.token import TokenKey

# It warns at each signature that nothing will be fetched: the list it needs is made here.
logging.getLogger("pyhanko.sign.signers.pdf_signer").addFilter(
    lambda record: "fetching is not allowed" not in record.getMessage()
)

# Room for the signature container, in hexadecimal digits; estimating costs a second signature.
_ROOM = 16_000
_ROOM_OUTSIDE = 48_000  # an outside authority brings a chain of its own


@dataclass(frozen=True)
class ApprovalSignature:
    """What a person did, as it will stand in the file.

    `field` is `content.signature_field(office_short)`; `signed_at` is when the person signed, in
    any time zone (the file's own timestamp says when it was sealed); `method` is honest words for
    how the person was authenticated ("password only", "passkey").
    """

    field: str
    name: str
    office_title: str
    office_short: str
    acting: bool
    meaning: str
    method: str
    signed_at: datetime
    reservation: str = ""


def certify(
    pdf: bytes, keys: CompanyKeys, *, at: datetime | None = None, tsa_url: str = ""
) -> bytes:
    """Seal the rendered copy as the organisation: the first signature, allowing only signatures.

    `at` is the time printed in the seal's stamp (default now). Raises SignatureRefused where the
    file has no empty seal field or is signed already, TimestampUnavailable as its name says.
    """
    if signed_fields(pdf):
        raise SignatureRefused("The seal must be the first signature of a file.")
    size = _field_size(pdf, SEAL_FIELD)
    picture = stamp.seal_stamp(keys.organisation, at or datetime.now(UTC), **size)
    meta: dict[str, Any] = {
        "field_name": SEAL_FIELD,
        "name": keys.organisation,
        "reason": "This text is fixed and issued for signature",
        "certify": True,
        "docmdp_permissions": MDPPerm.FILL_FORMS,
    }
    return _sign(pdf, keys, keys.seal, picture, meta, tsa_url)


def apply_signature(
    pdf: bytes,
    keys: CompanyKeys,
    signature: ApprovalSignature,
    *,
    last: bool = False,
    log: LogStatement | None = None,
    tsa_url: str = "",
) -> bytes:
    """Add one person's signature, made with a key that lives for this call only.

    `last` is the approver's: it locks the document against everything but a timestamp. `log` is
    the checkpoint of the audit log that the signature takes along, signed by it too. Raises
    SignatureRefused (no such empty field, not sealed, text that does not fit), Undrawable,
    TimestampUnavailable (try again later; nothing was changed).
    """
    if signature.field != signature_field(signature.office_short):
        raise SignatureRefused(f"{signature.office_short} does not sign in {signature.field}.")
    filled = signed_fields(pdf)
    if SEAL_FIELD not in filled:
        raise SignatureRefused("The file does not carry the organisation's seal yet.")
    if signature.field in filled:
        raise SignatureRefused(f"{signature.field} is signed already.")
    size = _field_size(pdf, signature.field)
    picture = stamp.signer_stamp(signature, **size)
    title = f"{'Acting ' if signature.acting else ''}{signature.office_title}"
    reason = f"{signature.meaning} ({signature.method}, {stamp.when(signature.signed_at)})"
    if signature.reservation.strip():
        reason += f". With reservation: {' '.join(signature.reservation.split())}"
    pair = issue_one_shot(
        keys,
        name=signature.name,
        office_short=signature.office_short,
        office_title=title,
        now=datetime.now(UTC),
    )
    meta: dict[str, Any] = {
        "field_name": signature.field,
        "name": signature.name,
        "reason": reason,
        "docmdp_permissions": MDPPerm.NO_CHANGES if last else MDPPerm.FILL_FORMS,
    }
    return _sign(pdf, keys, pair, picture, meta, tsa_url, log=log)


def timestamp_document(pdf: bytes, keys: CompanyKeys, *, tsa_url: str = "") -> bytes:
    """Close the file with a document timestamp over everything before it."""
    if TIMESTAMP_FIELD in signed_fields(pdf):
        raise SignatureRefused("The file carries its closing timestamp already.")
    stamper = PdfTimeStamper(
        _timestamper(keys, tsa_url),
        field_name=TIMESTAMP_FIELD,
        # printable and outside the page: the only form that PDF/A and PDF/UA both accept
        invis_settings=InvisSigSettings(set_print_flag=True, box_out_of_bounds=True),
    )

    def work() -> Any:
        return stamper.timestamp_pdf(
            IncrementalPdfFileWriter(io.BytesIO(pdf)),
            "sha256",
            validation_context=_context(keys, outside=bool(tsa_url)),
            bytes_reserved=_ROOM_OUTSIDE if tsa_url else _ROOM,
            dss_settings=TimestampDSSContentSettings(include_vri=False, update_before_ts=True),
        )

    return _run(pdf, work, outside=bool(tsa_url))


def signed_fields(pdf: bytes) -> list[str]:
    """Give the names of the signature fields that are signed, timestamps included.

    A task that was interrupted asks this before it signs again.
    """
    return [name for name, value, _ in _fields(pdf) if value is not None]


class _HeldSigner(Signer):
    """A signer with its key in memory; pyHanko's own reads an RSA key twice for each signature."""

    def __init__(self, pair: KeyPair | TokenPair, root: Any, log: LogStatement | None) -> None:
        registry = SimpleCertificateStore()  # type: ignore[no-untyped-call]  # partly untyped
        registry.register(root)
        super().__init__(signing_cert=as_asn1(pair.certificate), cert_registry=registry)
        self._key = pair.key
        self._log = log

    async def signed_attrs(self, *args: Any, **options: Any) -> cms.CMSAttributes:
        attributes = await super().signed_attrs(*args, **options)
        if self._log is not None:
            attributes.append(self._log.attribute())
        return attributes

    async def async_sign_raw(
        self, data: bytes, digest_algorithm: str, dry_run: bool = False
    ) -> bytes:
        if digest_algorithm.lower() != "sha256":
            raise SigningError("Only SHA-256 is used.")
        if isinstance(self._key, ec.EllipticCurvePrivateKey | TokenKey):
            return bytes(72) if dry_run else self._key.sign(data, ec.ECDSA(hashes.SHA256()))
        return self._key.sign(data, padding.PKCS1v15(), hashes.SHA256())


class _Picture(ImportedPdfPage):
    """A stamp held in memory: pyHanko reads stamps by file name and passes it to `open`."""

    def __init__(self, pdf: bytes) -> None:
        super().__init__("")  # type: ignore[no-untyped-call]  # partly untyped library
        self._pdf = pdf

    def render(self) -> bytes:
        writer = self._ensure_writer
        page = writer.import_page_as_xobject(PdfFileReader(io.BytesIO(self._pdf)))
        self.resources.xobject["/Stamp"] = page
        left, bottom, right, top = page.get_object()["/BBox"]
        self.box = layout.BoxConstraints(width=abs(right - left), height=abs(top - bottom))
        return b"/Stamp Do"


def _sign(
    pdf: bytes,
    keys: CompanyKeys,
    pair: KeyPair | TokenPair,
    picture: bytes,
    meta: dict[str, Any],
    tsa_url: str,
    *,
    log: LogStatement | None = None,
) -> bytes:
    signer = PdfSigner(
        PdfSignatureMetadata(
            md_algorithm="sha256",
            subfilter=SigSeedSubFilter.PADES,
            embed_validation_info=True,
            validation_context=_context(keys, outside=bool(tsa_url)),
            dss_settings=DSSContentSettings(
                include_vri=False, placement=SigDSSPlacementPreference.TOGETHER_WITH_SIGNATURE
            ),
            **meta,
        ),
        _HeldSigner(pair, as_asn1(keys.root_certificate), log),
        timestamper=_timestamper(keys, tsa_url),
        stamp_style=StaticStampStyle(
            background=_Picture(picture),
            background_opacity=1.0,
            border_width=0,
            background_layout=layout.SimpleBoxLayoutRule(
                x_align=layout.AxisAlignment.ALIGN_MIN,
                y_align=layout.AxisAlignment.ALIGN_MIN,
                margins=layout.Margins(0, 0, 0, 0),
            ),
        ),
    )

    def work() -> Any:
        return signer.sign_pdf(
            IncrementalPdfFileWriter(io.BytesIO(pdf)),
            existing_fields_only=True,
            bytes_reserved=_ROOM_OUTSIDE if tsa_url else _ROOM,
        )

    return _run(pdf, work, outside=bool(tsa_url))


def _run(pdf: bytes, work: Callable[[], Any], *, outside: bool) -> bytes:
    try:
        result = bytes(work().getvalue())
    except TimestampRequestError as error:
        raise TimestampUnavailable(f"The timestamp authority failed: {error}") from error
    except (SigningError, PathError) as error:
        if outside:
            raise TimestampUnavailable(
                f"The outside timestamp cannot be validated: {error}"
            ) from error
        raise SignatureRefused(f"The file cannot be signed: {error}") from error
    if not result.startswith(pdf):
        raise SignatureRefused("Signing changed what was signed before; nothing is kept.")
    return result


def _timestamper(keys: CompanyKeys, tsa_url: str) -> TimeStamper:
    if not tsa_url:
        return RegistryTimeStamper(keys)
    if not keys.timestamp_roots:
        raise TimestampUnavailable(
            "TSA_URL is set, but timestamp-roots.pem with that authority's root is missing."
        )
    try:
        return OutsideTimeStamper(tsa_url)
    except TimestampRequestError as error:
        raise TimestampUnavailable(str(error)) from error


def _context(keys: CompanyKeys, *, outside: bool) -> ValidationContext:
    """Give the data to validate by and to embed: our root, a fresh list, and no other trust."""
    roots = [as_asn1(keys.root_certificate)]
    if outside:
        roots += [as_asn1(certificate) for certificate in keys.timestamp_roots]
    return ValidationContext(
        trust_roots=roots,
        crls=[asn1_crl.CertificateList.load(issue_crl(keys, now=datetime.now(UTC)))],
        allow_fetching=outside,  # the outside authority's own revocation lists
        revocation_mode="hard-fail",
    )


def _fields(pdf: bytes) -> list[tuple[str, Any, Any]]:
    try:
        return list(enumerate_sig_fields(PdfFileReader(io.BytesIO(pdf))))
    except PdfReadError as error:
        raise SignatureRefused(f"The file cannot be read: {error}") from error


def _field_size(pdf: bytes, name: str) -> dict[str, float]:
    for found, _, reference in _fields(pdf):
        if found == name:
            left, bottom, right, top = (float(n) for n in reference.get_object()["/Rect"])
            return {"width_pt": round(right - left, 2), "height_pt": round(top - bottom, 2)}
    raise SignatureRefused(f"The file has no signature field {name}.")
