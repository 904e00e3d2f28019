"""RFC 3161 timestamps: the registry's own authority, or an outside one by URL."""

from __future__ import annotations

import asyncio
import functools
import secrets
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from asn1crypto import algos, cms, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.sign.general import as_signing_certificate_v2
from pyhanko.sign.timestamps import TimeStamper, TimestampRequestError

from sealing import der  # noqa: F401 - its remedy comes into force by importing it
from sealing.keys import CompanyKeys

# Our policy: time of this machine's clock, to the second. An OID under 2.25 needs no registrar.
POLICY = "2.25.220604184735291673904526138872513347120"
_MAX_ANSWER = 1_000_000
_TIMEOUT_SECONDS = 15


def as_asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    """Give a certificate as pyHanko's kind of object."""
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))


def signer_info(
    certificate: asn1_x509.Certificate,
    *,
    signed_attributes: bytes,
    signature: bytes,
    algorithm: str,
    **more: Any,
) -> cms.SignerInfo:
    """Give the SignerInfo of one signature of ours, of any kind, as a function of its parts."""
    return cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                {
                    "issuer_and_serial_number": cms.IssuerAndSerialNumber(
                        {
                            "issuer": certificate.issuer,
                            "serial_number": certificate.serial_number,
                        }
                    )
                }
            ),
            "digest_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}),
            "signed_attrs": cms.CMSAttributes.load(signed_attributes),
            "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": algorithm}),
            "signature": signature,
            **more,
        }
    )


def build_token(
    tst_info: bytes, signed_attributes: bytes, signature: bytes, tsa: bytes, root: bytes
) -> bytes:
    """Give a timestamp token (DER) as a pure function of its parts.

    Nothing in a token of ours is left to chance: the verifier builds it again from the parts that
    are signed and compares, so that no byte of the outermost timestamp, which nothing else
    covers, can be changed unseen. `tsa` and `root` are certificates in DER.
    """
    certificate = asn1_x509.Certificate.load(tsa)
    signer = signer_info(
        certificate,
        signed_attributes=signed_attributes,
        signature=signature,
        algorithm="sha256_rsa",
    )
    signed_data = cms.SignedData(
        {
            "version": "v3",
            "digest_algorithms": cms.DigestAlgorithms([signer["digest_algorithm"]]),
            "encap_content_info": {
                "content_type": "tst_info",
                "content": cms.ParsableOctetString(tst_info),
            },
            "certificates": [certificate, asn1_x509.Certificate.load(root)],
            "signer_infos": [signer],
        }
    )
    token = cms.ContentInfo({"content_type": "signed_data", "content": signed_data})
    return bytes(token.dump())


class RegistryTimeStamper(TimeStamper):
    """The registry's own timestamp authority, with its key held in memory."""

    def __init__(self, keys: CompanyKeys) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # partly untyped library
        self._key = keys.tsa.key
        self._tsa = keys.tsa.certificate.public_bytes(Encoding.DER)
        self._root = keys.root_certificate.public_bytes(Encoding.DER)

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        imprint = req["message_imprint"]
        if imprint["hash_algorithm"]["algorithm"].native != "sha256":
            raise TimestampRequestError("The registry stamps SHA-256 only.")
        certificate = asn1_x509.Certificate.load(self._tsa)
        info = {
            "version": "v1",
            "policy": POLICY,
            "message_imprint": imprint,
            "serial_number": secrets.randbits(63) | 1,
            "gen_time": datetime.now(UTC).replace(microsecond=0),
            "tsa": asn1_x509.GeneralName("directory_name", certificate.subject),
        }
        if req["nonce"].native is not None:
            info["nonce"] = req["nonce"]
        tst_info = tsp.TSTInfo(info).dump()
        digest = hashes.Hash(hashes.SHA256())
        digest.update(tst_info)
        attributes = cms.CMSAttributes(
            [
                _attribute("content_type", "tst_info"),
                _attribute("signing_certificate_v2", as_signing_certificate_v2(certificate)),
                _attribute("message_digest", digest.finalize()),
            ]
        ).dump()
        if not isinstance(self._key, rsa.RSAPrivateKey):
            raise TimestampRequestError("The timestamp key is not an RSA key.")
        signature = self._key.sign(attributes, padding.PKCS1v15(), hashes.SHA256())
        token = build_token(tst_info, attributes, signature, self._tsa, self._root)
        return tsp.TimeStampResp(
            {"status": {"status": "granted"}, "time_stamp_token": cms.ContentInfo.load(token)}
        )


def _attribute(kind: str, value: Any) -> cms.CMSAttribute:
    return cms.CMSAttribute({"type": cms.CMSAttributeType(kind), "values": (value,)})


class OutsideTimeStamper(TimeStamper):
    """An outside authority, asked over HTTP(S); every failure is a TimestampRequestError."""

    def __init__(self, url: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # partly untyped library
        if urlsplit(url).scheme not in {"http", "https"}:
            raise TimestampRequestError("TSA_URL must begin with http:// or https://.")
        self._url = url

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        answer = await asyncio.to_thread(functools.partial(_post, self._url, req.dump()))
        try:
            response = tsp.TimeStampResp.load(answer, strict=True)
            if response["status"]["status"].native == "granted":
                info = response["time_stamp_token"]["content"]["encap_content_info"]["content"]
                stamped = info.parsed["message_imprint"].dump()
                nonce = info.parsed["nonce"].native
                if stamped != req["message_imprint"].dump():
                    raise TimestampRequestError("The authority stamped something else.")
                if nonce != req["nonce"].native:
                    raise TimestampRequestError("The authority's answer is to another request.")
        except (ValueError, TypeError, KeyError) as error:
            raise TimestampRequestError("The authority's answer cannot be read.") from error
        return response


def _post(url: str, body: bytes) -> bytes:
    request = urllib.request.Request(  # noqa: S310 - the scheme was checked
        url,
        data=body,
        headers={
            "Content-Type": "application/timestamp-query",
            "Accept": "application/timestamp-reply",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310
            kind = response.headers.get_content_type()
            answer = _read(response, time.monotonic() + _TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        error.close()  # it is the response, with its socket
        raise TimestampRequestError(f"The authority answered {error.code}.") from error
    except (OSError, ValueError) as error:
        raise TimestampRequestError(f"No answer from the authority: {error}") from error
    if kind != "application/timestamp-reply" or len(answer) > _MAX_ANSWER:
        raise TimestampRequestError("The authority did not answer with a timestamp.")
    return answer


def _read(response: Any, deadline: float) -> bytes:
    """Read an answer piece by piece: the time-out counts for each piece, the deadline for all."""
    answer = b""
    while len(answer) <= _MAX_ANSWER and (piece := response.read1(65_536)):
        answer += piece
        if time.monotonic() > deadline:
            raise TimestampRequestError("The authority answers too slowly.")
    return answer
