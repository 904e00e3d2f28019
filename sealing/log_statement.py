"""A checkpoint of the audit log inside the approver's signature: where no database reaches.

It is a signed attribute, so that it is covered by the signature and by everything after it:

    LogStatement ::= SEQUENCE { note UTF8String, certificate Certificate }

`certificate` is that of the log's key, by which a stranger who knows only the root can check the
note's own signature.
"""

from __future__ import annotations

from dataclasses import dataclass

from asn1crypto import cms, core
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sealing.checkpoint import Checkpoint, LogVerifier, verify
from sealing.errors import CheckpointInvalid
from sealing.timestamps import POLICY

ATTRIBUTE = f"{POLICY}.1"  # below the policy's own arc


class _LogStatement(core.Sequence):  # type: ignore[misc]  # asn1crypto ships no types
    _fields = [("note", core.UTF8String), ("certificate", asn1_x509.Certificate)]


@dataclass(frozen=True)
class LogStatement:
    """A checkpoint's note, with the certificate of the key that signed it."""

    note: str
    certificate: x509.Certificate

    def checked(self, root: x509.Certificate) -> Checkpoint:
        """Give what the checkpoint says; CheckpointInvalid unless this company's log signed it."""
        return verify(self.note, LogVerifier.from_certificate(self.certificate, root))

    def attribute(self) -> cms.CMSAttribute:
        """Give the signed attribute that carries it."""
        certificate = self.certificate.public_bytes(Encoding.DER)
        value = _LogStatement(
            {"note": self.note, "certificate": asn1_x509.Certificate.load(certificate)}
        )
        return cms.CMSAttribute({"type": cms.CMSAttributeType(ATTRIBUTE), "values": [value]})

    @classmethod
    def from_attributes(cls, attributes: cms.CMSAttributes) -> LogStatement | None:
        """Find it among a signature's signed attributes; None where there is none.

        Raises CheckpointInvalid where there are several, or one that cannot be read.
        """
        found = [
            value
            for attribute in attributes
            if attribute["type"].dotted == ATTRIBUTE
            for value in attribute["values"]
        ]
        if not found:
            return None
        if len(found) > 1:
            raise CheckpointInvalid("The signature carries several checkpoints.")
        try:
            value = _LogStatement.load(found[0].dump(), strict=True)
            note: str = value["note"].native
            certificate = x509.load_der_x509_certificate(value["certificate"].dump())
        except (ValueError, TypeError) as error:
            raise CheckpointInvalid("The signature's checkpoint cannot be read.") from error
        return cls(note, certificate)
