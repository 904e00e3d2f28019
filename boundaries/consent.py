"""What a signer consents to by signing electronically, in versions that never change.

The text can be read in the ceremony; its version and SHA-256 are part of what a passkey signs. A
word that changes makes a new version: every earlier one stays, for the signatures that name it.
"""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Consent:
    """One version of the text, in paragraphs."""

    version: str
    paragraphs: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """Of the paragraphs, joined by an empty line, in UTF-8 (hex)."""
        return hashlib.sha256("\n\n".join(self.paragraphs).encode()).hexdigest()


_VERSIONS = (
    Consent(
        version="2026-12",
        paragraphs=(
            (
                "You sign electronically. Your signature binds the Office you sign for to "
                "exactly the text with the fingerprint that is shown to you, and to no other "
                "or later text."
            ),
            (
                "The registry records who you are, for which Office you sign and whether you "
                "act for it, what you opened and when, the meaning you accepted, your "
                "reservation and your declared conflict of interest, how you confirmed that "
                "it is you, and the times."
            ),
            (
                "Whoever may read the document sees your name, your Office, the way you "
                "confirmed, the time, your reservation and your declared conflict. The sealed "
                "PDF prints them, except the conflict. The proof of your confirmation (what "
                "your passkey signed, for instance) is kept, so that others can check it "
                "without this registry."
            ),
            (
                "Until the CEO has approved you can take your signature back, with a reason. "
                "It is void from then on and stays in the record; no signature is ever "
                "deleted."
            ),
            (
                "You do not have to sign. You can decline with a reason, sign with a "
                "reservation, or ask whoever sent you the document for a copy to read "
                "elsewhere first. The PDF that you sign is yours to download now and later."
            ),
            (
                "The registry claims no legal level for this signature, such as advanced or "
                "qualified."
            ),
        ),
    ),
)

CURRENT = _VERSIONS[-1]


def consent_of(version: str) -> Consent | None:
    """The text of a version; None for one that had no text beside the meaning ("2026-11")."""
    return next((one for one in _VERSIONS if one.version == version), None)


def consent_sha256(version: str) -> str:
    """The SHA-256 of a version's text; "" where there was none."""
    consent = consent_of(version)
    return consent.sha256 if consent else ""
