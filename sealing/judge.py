"""The judgement behind `sealing.verify`: every rule of EVIDENCE 5, on one file.

A file is ours if our root certificate stands in it (it does in every signature and in the
validation data). From there on anything unexpected, a file that no longer parses included, means
that it was altered.

The last signature or timestamp of a file covers every byte but its own container. That container
is checked to the byte too: for the registry's own timestamps by building it again from the parts
that are signed, so that no byte of a complete file can change unseen.
"""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from asn1crypto import cms, pem
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.decode_limits import (
    DecodeLimits,
    DocumentDecodeBudget,
    StreamDecodeLimits,
)
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import DiffResult
from pyhanko.sign.fields import MDPPerm, enumerate_sig_fields
from pyhanko.sign.validation import (
    EmbeddedPdfSignature,
    validate_pdf_signature,
    validate_pdf_timestamp,
)
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from sealing import content as canonical_content
from sealing import (
    hexadecimal,  # noqa: F401 - its quicker way comes into force by importing it
    usages,  # noqa: F401 - its quicker way comes into force by importing it
)
from sealing.alterations import alterations, step_words
from sealing.canonical import canonical_json, sha256_hex
from sealing.compromise import CompromisedKey, why_not_accepted
from sealing.content import SEAL_FIELD, TIMESTAMP_FIELD, Signatory
from sealing.errors import CheckpointInvalid, ContentInvalid
from sealing.keys import SEAL_UNIT
from sealing.log_statement import LogStatement
from sealing.timestamps import build_token, signer_info
from sealing.verdict import HEADLINES, OWN_AUTHORITY, Kind, SignatureFinding, Verdict

logger = logging.getLogger(__name__)

LEVEL = "PAdES B-LT, closed by a document timestamp"
_MIB = 1024 * 1024
_LIMITS = DecodeLimits(
    per_stream=StreamDecodeLimits(max_output_size=32 * _MIB),
    document_budget=DocumentDecodeBudget(base_allowance=128 * _MIB, max_ratio=50),
)
_MAX_CERTIFICATE = 8192
_MAX_CANDIDATES = 20_000
_CLOCKS = timedelta(minutes=10)  # by which honest clocks may differ
_HEX = re.compile(rb"<([0-9A-Fa-f]{400,})>")


class _Altered(Exception):
    """Something is not as our registry makes it; the message is a sentence for the reader."""


@dataclass(frozen=True)
class _Trust:
    root: asn1_x509.Certificate
    timestamp_roots: list[asn1_x509.Certificate]
    at: datetime
    compromised: Sequence[CompromisedKey]


def judge(
    pdf: bytes,
    root_fingerprints: Sequence[str],
    root_certificates: Sequence[bytes],
    at: datetime,
    compromised: Sequence[CompromisedKey] = (),
) -> Verdict:
    """Give the verdict; each of `root_fingerprints` is normal (64 lower-case digits).

    The present root comes first; a file of former times starts from a retired one. See `verify`.
    """
    checked = at.isoformat(timespec="seconds")
    root = _find_root(pdf, root_fingerprints)
    if root is None:
        return _without_our_marks(pdf, checked)
    try:
        roots = [_certificate(data) for data in root_certificates]
        verdict = _judge_ours(pdf, _Trust(root, roots, at, compromised))
    except _Altered as error:
        verdict = _verdict("altered", pdf, checked, [str(error), _DO_NOT_RELY])
    except MemoryError:
        raise  # the limits speak, not the file
    except Exception as error:  # a parser that trips over our own file: it was damaged
        logger.info("Damaged file of ours: %r", error)
        sentence = "The file is damaged and can no longer be read as it was written."
        verdict = _verdict("altered", pdf, checked, [sentence, _DO_NOT_RELY])
    if verdict.kind != "altered":
        return verdict
    if not _has_an_end(pdf):
        return verdict
    return replace(verdict, changes=alterations(pdf, _LIMITS, _digest_matches))


_ENCRYPTED = "The file is encrypted; this registry never encrypts what it seals."
_UNTRUSTED_TIME = "Its timestamp is by an authority that is not trusted here."
_COMPROMISED = "The company reports a key behind it as compromised"
_CHANGED = "What it covers was changed after signing."
_DO_NOT_RELY = "Do not rely on it: ask for the original file."


def _has_an_end(pdf: bytes) -> bool:
    """Whether a PDF ends as one does. Readers look for it byte by byte from the back: ten
    megabytes without it take them ten seconds.
    """
    return b"startxref" in pdf[-4096:]


# Ours or not


def _find_root(pdf: bytes, fingerprints: Sequence[str]) -> asn1_x509.Certificate | None:
    """Find a certificate with one of these fingerprints anywhere in the file's bytes.

    Bytes, not structure, so that a damaged file still tells whose it is.
    """
    places = [pdf]
    places += [bytes.fromhex(m.group(1)[: len(m.group(1)) // 2 * 2].decode())
               for m in _HEX.finditer(pdf)]  # fmt: skip
    tried = 0
    for place in places:
        start = place.find(b"\x30\x82")
        while start != -1 and tried < _MAX_CANDIDATES:
            length = int.from_bytes(place[start + 2 : start + 4], "big") + 4
            if 200 < length <= _MAX_CERTIFICATE:
                tried += 1
                candidate = place[start : start + length]
                if sha256_hex(candidate) in fingerprints:
                    return asn1_x509.Certificate.load(candidate)
            start = place.find(b"\x30\x82", start + 1)
    return None


def _without_our_marks(pdf: bytes, checked: str) -> Verdict:
    if b"%PDF-" not in pdf[:1024]:
        return _verdict("unverifiable", pdf, checked, ["This file is not a PDF."])
    if not _has_an_end(pdf):
        return _verdict("unverifiable", pdf, checked, ["The file is cut off, or is not a PDF."])
    try:
        reader = PdfFileReader(io.BytesIO(pdf), strict=True, decode_limits=_LIMITS)
        if reader.encrypted:
            return _verdict("unverifiable", pdf, checked, [_ENCRYPTED])
        signed = sum(1 for _ in enumerate_sig_fields(reader, filled_status=True))
        pages = int(reader.root["/Pages"]["/Count"])
    except MemoryError:
        raise
    except Exception:  # any parser error: nothing can be said
        return _verdict(
            "unverifiable", pdf, checked, ["The file cannot be read and carries no mark of ours."]
        )
    if pages < 1:
        return _verdict("unverifiable", pdf, checked, ["The file has no pages."])
    what = "It is signed with other keys." if signed else "It carries no signature at all."
    return _verdict(
        "not_ours", pdf, checked, ["This file does not carry this company's seal.", what]
    )


# A file of ours


def _judge_ours(pdf: bytes, trust: _Trust) -> Verdict:
    if not _has_an_end(pdf):
        raise _Altered("The end of the file is missing, or lies behind something added to it.")
    reader = PdfFileReader(io.BytesIO(pdf), strict=True, decode_limits=_LIMITS)
    if reader.encrypted:
        raise _Altered("The file was encrypted after it was sealed.")
    signatures: list[EmbeddedPdfSignature] = reader.embedded_signatures
    filled = [name for name, _, _ in enumerate_sig_fields(reader, filled_status=True)]
    names = [str(s.field_name) for s in signatures]
    if sorted(filled) != sorted(names) or len(set(names)) != len(names):
        raise _Altered("The file carries a signature of a kind that the registry never makes.")
    if not signatures:
        raise _Altered("The signatures were taken out of the file.")
    _seal_first(signatures)
    attached = _attachment(reader, signatures[0].signed_revision)
    content = _read_content(*attached)
    signatories = canonical_content.signatories(content)
    digest = sha256_hex(attached[1])
    _metadata_agrees(reader, content, digest)
    _order(names, signatories)
    _whole_file(signatures, pdf)

    dss = DocumentSecurityStore.read_dss(reader)
    known = {certificate.dump() for certificate in dss.load_certs()}
    problems = [
        _container_problem(signature, pdf, known, trust, last=signature is signatures[-1])
        or _identity_problem(signature, signatories)
        or _checkpoint_problem(signature, trust)
        for signature in signatures
    ]
    findings, authorities, later = [], set(), False
    for signature, problem in zip(signatures, problems, strict=True):
        finding, authority, stamped = _examine(
            signature,
            problem,
            dss,
            trust,
            last=signature is signatures[-1],
            # one broken part settles the verdict; comparing revisions would only take time
            compare=not any(problems),
        )
        findings.append(finding)
        authorities.add(authority)
        later = later or stamped > trust.at + _CLOCKS

    expected = [SEAL_FIELD, *(s.field for s in signatories), TIMESTAMP_FIELD]
    missing = [name for name in expected if name not in names]
    facts: dict[str, Any] = {
        "content_sha256": digest,
        "reference": canonical_content.reference(content),
        "document_number": canonical_content.document_number(content),
        "revision_number": canonical_content.revision_number(content),
        "signatures": findings,
        "missing_fields": missing,
    }
    checked = trust.at.isoformat(timespec="seconds")
    broken = [finding for finding in findings if not finding.ok]
    if broken and all(finding.problem == _UNTRUSTED_TIME for finding in broken):
        named = ", ".join(sorted(authorities))
        sentences = [
            f"The signatures are dated by {named}, whose root certificate was not given.",
            "Give that root too, or ask the company's own verification page.",
        ]
        return _verdict("unverifiable", pdf, checked, sentences, **facts)
    if broken and all(finding.problem.startswith(_COMPROMISED) for finding in broken):
        sentences = [
            _broken_sentence(findings),
            broken[0].problem,
            "Whether the company or somebody else made it cannot be told: ask the company.",
        ]
        return _verdict("unverifiable", pdf, checked, sentences, **facts)
    if broken:
        sentences = [_broken_sentence(findings), broken[0].problem, _DO_NOT_RELY]
        return _verdict("altered", pdf, checked, sentences, **facts)
    if later:
        return _verdict(
            "unverifiable",
            pdf,
            checked,
            ["A timestamp in the file lies after the time of this check: one clock is wrong."],
            **facts,
        )
    facts |= _checkpoint(signatures, signatories)
    facts |= {"content": content, "timestamp_authority": ", ".join(sorted(authorities - {""}))}
    title = canonical_content.title(content)
    if missing:
        return _verdict(
            "incomplete", pdf, checked, [f"{title}: {_progress(names, signatories)}"], **facts
        )
    parties = _words([s.short for s in signatories if not s.approver])
    approver = next(s.short for s in signatories if s.approver)
    closed = datetime.fromisoformat(findings[-1].timestamp_at).astimezone(UTC)
    when = f"{closed.day} {closed:%b %Y at %H:%M:%S} UTC"
    sentences = [
        f"{title}, is exactly as it was signed by {parties} and approved by the {approver}.",
        f"It was closed on {when}, and nothing was changed since.",
    ]
    return _verdict("genuine", pdf, checked, sentences, level=LEVEL, **facts)


def _seal_first(signatures: Sequence[EmbeddedPdfSignature]) -> None:
    seal = signatures[0]
    if seal.field_name != SEAL_FIELD or seal.docmdp_level != MDPPerm.FILL_FORMS:
        raise _Altered("The organisation's seal is not the first signature of the file.")
    permissions = seal.reader.root.get("/Perms")
    if permissions is None or permissions["/DocMDP"] != seal.sig_object:
        raise _Altered("The seal no longer certifies the file.")


def _attachment(reader: PdfFileReader, sealed_revision: int) -> tuple[str, bytes]:
    """Give name and bytes of the one attached file, the same when sealed and now."""
    now = _attachments(reader.root)
    sealed = _attachments(reader.get_historical_root(sealed_revision))
    if now != sealed or len(now) != 1:
        raise _Altered("The attached content is not the one that was sealed.")
    return now[0]


def _attachments(root: Any) -> list[tuple[str, bytes]]:
    names = root["/Names"]["/EmbeddedFiles"]["/Names"]
    found = []
    for index in range(0, len(names), 2):
        specification = names[index + 1]
        found.append((str(specification["/UF"]), bytes(specification["/EF"]["/F"].data)))
    return found


def _read_content(name: str, data: bytes) -> dict[str, Any]:
    try:
        content = json.loads(data)
        if not isinstance(content, dict) or canonical_json(content) != data:
            raise _Altered("The attached content is not in its canonical form.")
        if name != f"{canonical_content.reference(content)}.json":
            raise _Altered("The attached content is named after another version.")
    except (ValueError, ContentInvalid, RecursionError) as error:
        raise _Altered("The attached content cannot be read.") from error
    return content


def _metadata_agrees(reader: PdfFileReader, content: dict[str, Any], digest: str) -> None:
    """Hold the number and version that readers display against the attached content.

    The pages themselves are under the seal, made from this content in one go.
    """
    info = reader.trailer["/Info"]
    title, subject = str(info["/Title"]), str(info["/Subject"])
    identifier = reader.trailer["/ID"][0].original_bytes
    if (
        title != canonical_content.title(content)
        or subject != canonical_content.subject(content)
        or identifier != digest[:32].encode()
    ):
        raise _Altered("The file's title, number or version is not that of its content.")


def _order(names: Sequence[str], signatories: Sequence[Signatory]) -> None:
    expected = {SEAL_FIELD, TIMESTAMP_FIELD, *(s.field for s in signatories)}
    strangers = [name for name in names if name not in expected]
    if strangers:
        raise _Altered(f"The file carries a signature that does not belong: {strangers[0]}.")
    parties = {s.field for s in signatories if not s.approver}
    approver = next(s.field for s in signatories if s.approver)
    if approver in names and parties - set(names[: names.index(approver)]):
        raise _Altered("The approval stands before a co-signature.")
    if TIMESTAMP_FIELD in names and (names[-1] != TIMESTAMP_FIELD or approver not in names):
        raise _Altered("The closing timestamp is not the last signature of the file.")


def _whole_file(signatures: Sequence[EmbeddedPdfSignature], pdf: bytes) -> None:
    start, length, resume, rest = (int(n) for n in signatures[-1].byte_range)
    if start != 0 or not 0 < length < resume or rest < 0 or resume + rest != len(pdf):
        raise _Altered(
            "Something was added to or cut from the file after its last step,"
            f" {step_words(str(signatures[-1].field_name))}."
        )


# One signature


def _examine(
    signature: EmbeddedPdfSignature,
    problem: str,
    dss: DocumentSecurityStore,
    trust: _Trust,
    *,
    last: bool,
    compare: bool,
) -> tuple[SignatureFinding, str, datetime]:
    """Judge one signature at its own time; also give its timestamp authority and time."""
    token = _token(signature)
    stamped = _stamped_at(token)
    subject = signature.signer_cert.subject.native
    problem = (
        problem
        or _validity_problem(signature, dss, stamped, trust, last=last, compare=compare)
        or _compromise_problem(signature, token, stamped, trust)
    )
    claimed = signature.self_reported_timestamp
    is_person = signature.field_name not in {SEAL_FIELD, TIMESTAMP_FIELD}
    finding = SignatureFinding(
        field=str(signature.field_name),  # plain text: pyHanko's drags the whole file along
        name=str(subject.get("common_name", "")),
        office=str(subject.get("title", "")) if is_person else "",
        signed_at=_iso(claimed) if claimed is not None else _iso(stamped),
        timestamp_at=_iso(stamped),
        ok=not problem,
        problem=problem,
    )
    authority = (
        OWN_AUTHORITY
        if _is_own(token, trust)
        else str(_token_signer(token).subject.native.get("common_name", "an outside authority"))
    )
    return finding, authority, stamped


def _compromise_problem(
    signature: EmbeddedPdfSignature, token: cms.ContentInfo, stamped: datetime, trust: _Trust
) -> str:
    """Refuse what was stamped when a key behind it was in other hands already."""
    behind = (trust.root, signature.signer_cert, _token_signer(token))
    return why_not_accepted(
        trust.compromised, [sha256_hex(certificate.dump()) for certificate in behind], stamped
    )


def _digest_matches(signature: EmbeddedPdfSignature) -> bool:
    """Tell whether the bytes that a signature covers are those that it signed."""
    if signature.sig_object_type == "/DocTimeStamp":
        info = signature.signed_data["encap_content_info"]["content"].parsed
        signed = info["message_imprint"]["hashed_message"].native
    else:
        found = [
            attribute["values"][0].native
            for attribute in signature.signer_info["signed_attrs"]
            if attribute["type"].native == "message_digest"
        ]
        signed = found[0] if len(found) == 1 else None
    return bool(signature.compute_digest() == signed)


def _token(signature: EmbeddedPdfSignature) -> cms.ContentInfo:
    """Give the RFC 3161 token that dates a signature: its own, or the document timestamp itself."""
    if signature.sig_object_type == "/DocTimeStamp":
        return cms.ContentInfo.load(_der(signature.pkcs7_content))
    values = [
        value
        for attribute in signature.signer_info["unsigned_attrs"]
        if attribute["type"].native == "signature_time_stamp_token"
        for value in attribute["values"]
    ]
    if len(values) != 1:
        raise _Altered(f"The signature in {signature.field_name} has no timestamp of its own.")
    return values[0]


def _stamped_at(token: cms.ContentInfo) -> datetime:
    info = token["content"]["encap_content_info"]["content"].parsed
    at: datetime = info["gen_time"].native
    return at.astimezone(UTC)


def _token_signer(token: cms.ContentInfo) -> asn1_x509.Certificate:
    sid = token["content"]["signer_infos"][0]["sid"].chosen
    for choice in token["content"]["certificates"]:
        certificate: asn1_x509.Certificate = choice.chosen
        if isinstance(sid, cms.IssuerAndSerialNumber):
            if (
                certificate.issuer == sid["issuer"]
                and certificate.serial_number == sid["serial_number"].native
            ):
                return certificate
        elif certificate.key_identifier == sid.native:
            return certificate
    raise _Altered("A timestamp does not name its authority.")


def _der(padded: bytes) -> bytes:
    """Give the signature container without the zeros that fill its place in the file."""
    if padded[:1] != b"\x30" or padded[1] != 0x82:
        raise _Altered("A signature's container is damaged.")
    length = int.from_bytes(padded[2:4], "big") + 4
    if length > len(padded) or any(padded[length:]):
        raise _Altered("A signature's container is damaged.")
    return padded[:length]


def _is_own(token: cms.ContentInfo, trust: _Trust) -> bool:
    return bool(_token_signer(token).issuer == trust.root.subject)


def _container_problem(
    signature: EmbeddedPdfSignature,
    pdf: bytes,
    known: set[bytes],
    trust: _Trust,
    *,
    last: bool,
) -> str:
    """Find a covered byte, or one of the container, that is not as it was written.

    Later signatures cover the containers of earlier ones; only the last needs all of it. What an
    outside authority leaves unsigned in its token (spare certificates, say) cannot be told apart.
    """
    damaged = "Its container in the file was changed."
    if not _digest_matches(signature):
        return _CHANGED
    _, length, resume, _ = (int(n) for n in signature.byte_range)
    if pdf[length:resume] != b"<" + signature.pkcs7_content.hex().upper().encode() + b">":
        return damaged
    if not last:
        return ""
    der = _der(signature.pkcs7_content)
    token = _token(signature)
    own = _is_own(token, trust)
    again = _token_again(token, trust.root.dump()) if own else bytes(token.dump())
    if own and again != token.dump():
        return damaged
    if signature.sig_object_type != "/DocTimeStamp":
        listed = [choice.chosen.dump() for choice in signature.signed_data["certificates"]]
        if any(certificate not in known for certificate in listed):
            return damaged
        again = _container_again(signature, again)
    return "" if again == der else damaged


def _token_again(token: cms.ContentInfo, root: bytes) -> bytes:
    data = token["content"]
    signer = data["signer_infos"][0]
    return build_token(
        bytes(data["encap_content_info"]["content"]),
        signer["signed_attrs"].untag().dump(),  # as signed: under the tag of a SET
        signer["signature"].native,
        _token_signer(token).dump(),
        root,
    )


def _container_again(signature: EmbeddedPdfSignature, token: bytes) -> bytes:
    """Build the container of a seal or an approval again from the parts that are signed."""
    signer = signature.signer_info
    info = signer_info(
        signature.signer_cert,
        signed_attributes=signer["signed_attrs"].untag().dump(),
        signature=signer["signature"].native,
        algorithm="sha256_ecdsa",
        unsigned_attrs=cms.CMSAttributes(
            [
                cms.CMSAttribute(
                    {
                        "type": "signature_time_stamp_token",
                        "values": [cms.ContentInfo.load(token)],
                    }
                )
            ]
        ),
    )
    data = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": cms.DigestAlgorithms([info["digest_algorithm"]]),
            "encap_content_info": {"content_type": "data"},
            "certificates": list(signature.signed_data["certificates"]),
            "signer_infos": [info],
        }
    )
    return bytes(cms.ContentInfo({"content_type": "signed_data", "content": data}).dump())


def _identity_problem(signature: EmbeddedPdfSignature, signatories: Sequence[Signatory]) -> str:
    """Hold the certificate's Office against the field: a CRO's certificate signs as CRO only."""
    name = signature.field_name
    wanted = {SEAL_FIELD: SEAL_UNIT} | {s.field: s.short for s in signatories}
    if name == TIMESTAMP_FIELD:
        return "" if signature.sig_object_type == "/DocTimeStamp" else "It is not a timestamp."
    if signature.sig_object_type != "/Sig":
        return "It is not a signature."
    unit = signature.signer_cert.subject.native.get("organizational_unit_name")
    if unit != wanted[name]:
        return "It was made by another Office."
    approver = next(s.field for s in signatories if s.approver)
    if name == approver and signature.docmdp_level != MDPPerm.NO_CHANGES:
        return "It does not lock the document."
    return ""


def _log_statement(signature: EmbeddedPdfSignature) -> LogStatement | None:
    if signature.sig_object_type != "/Sig":
        return None
    return LogStatement.from_attributes(signature.signer_info["signed_attrs"])


def _checkpoint_problem(signature: EmbeddedPdfSignature, trust: _Trust) -> str:
    """Hold a checkpoint that the signature carries against the company's root."""
    try:
        statement = _log_statement(signature)
        if statement is not None:
            statement.checked(x509.load_der_x509_certificate(trust.root.dump()))
    except CheckpointInvalid as error:
        return str(error)
    return ""


def _checkpoint(
    signatures: Sequence[EmbeddedPdfSignature], signatories: Sequence[Signatory]
) -> dict[str, Any]:
    """The checkpoint in the approver's signature, as facts of the verdict."""
    approver = next(s.field for s in signatories if s.approver)
    for signature in signatures:
        statement = _log_statement(signature) if signature.field_name == approver else None
        if statement is not None:
            certificate = statement.certificate.public_bytes(Encoding.PEM).decode()
            return {"checkpoint": statement.note, "log_certificate": certificate}
    return {}


def _validity_problem(
    signature: EmbeddedPdfSignature,
    dss: DocumentSecurityStore,
    stamped: datetime,
    trust: _Trust,
    *,
    last: bool,
    compare: bool,
) -> str:
    """Give what is wrong with a signature at the time of its timestamp, or nothing."""
    company = _context(dss, [trust.root], stamped)
    authority = company
    if trust.timestamp_roots:
        authority = _context(dss, [trust.root, *trust.timestamp_roots], stamped)
    if signature.sig_object_type == "/DocTimeStamp":
        closing = validate_pdf_timestamp(signature, authority, skip_diff=not compare)
        sound, trusted = closing.intact and closing.valid, closing.trusted
        allowed = True
    else:
        status = validate_pdf_signature(
            signature, company, ts_validation_context=authority, skip_diff=not compare
        )
        stamp = status.timestamp_validity
        if stamp is None or not (stamp.intact and stamp.valid):
            return "Its timestamp does not hold."
        if not stamp.trusted:
            return _UNTRUSTED_TIME
        sound, trusted = status.intact and status.valid, status.trusted
        allowed = bool(status.docmdp_ok) and status.bottom_line
    if not sound:
        return _CHANGED
    if not trusted:
        is_timestamp = signature.sig_object_type == "/DocTimeStamp"
        return _UNTRUSTED_TIME if is_timestamp else "It was not made with this company's keys."
    if not compare:
        return ""
    found: Any = signature  # its results are typed as what they are before validation
    if not allowed or not isinstance(found.diff_result, DiffResult):
        return "The file was changed after it in a way that it does not allow."
    wanted = SignatureCoverageLevel.ENTIRE_FILE if last else SignatureCoverageLevel.ENTIRE_REVISION
    if found.coverage != wanted:
        return "It does not cover all that stood in the file when it was made."
    return ""


def _context(
    dss: DocumentSecurityStore, roots: list[asn1_x509.Certificate], at: datetime
) -> ValidationContext:
    return dss.as_validation_context(
        {
            "trust_roots": roots,
            "allow_fetching": False,
            "revocation_mode": "hard-fail",
            "moment": at,
        }
    )


# Words


def _broken_sentence(findings: Sequence[SignatureFinding]) -> str:
    if not findings[0].ok:
        return "The file is not the one that the organisation sealed."
    first = next(finding for finding in findings if not finding.ok)
    who = first.office or first.name or first.field
    return (
        f"The signature of the {who} does not hold."
        if first.office
        else (
            "The closing timestamp does not hold."
            if first.field == TIMESTAMP_FIELD
            else f"The signature in {first.field} does not hold."
        )
    )


def _progress(names: Sequence[str], signatories: Sequence[Signatory]) -> str:
    signed = [s.short for s in signatories if s.field in names]
    waiting = [s.short for s in signatories if s.field not in names]
    if not signed:
        return f"issued for signature; nobody has signed, {_words(waiting)} still have to."
    if not waiting:
        return f"signed by {_words(signed)}; only the closing timestamp is missing."
    have = "has" if len(waiting) == 1 else "have"
    return f"signed by {_words(signed)} only; {_words(waiting)} still {have} to sign."


def _words(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")


def _certificate(data: bytes) -> asn1_x509.Certificate:
    if pem.detect(data):
        _, _, data = pem.unarmor(data)
    return asn1_x509.Certificate.load(data)


def _verdict(kind: Kind, pdf: bytes, checked: str, sentences: list[str], **facts: Any) -> Verdict:
    return Verdict(
        kind=kind,
        headline=HEADLINES[kind],
        sentences=sentences,
        file_sha256=sha256_hex(pdf),
        checked_at=checked,
        **facts,
    )
