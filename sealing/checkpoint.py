"""Checkpoints of the audit log: its size and root, signed, in a form that fits into a mail.

The form is C2SP's: a signed note (c2sp.org/signed-note) that holds a checkpoint
(c2sp.org/tlog-checkpoint):

    revops-registry/log/7c1e4f0935aa1b02
    4711
    7L2K...rootInBase64...=

    — revops-registry/log/7c1e4f0935aa1b02 kMmS...keyHashAndEd25519SignatureInBase64...

Trust starts from the company's root certificate: it certifies the log's key, and the certificate's
common name is the log's origin. A key that is replaced has the same origin, so that its
checkpoints go on where the former ones ended.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from sealing.errors import CheckpointInvalid
from sealing.merkle import HASH_BYTES

# The organisational unit of the certificates that make checkpoints.
LOG_UNIT = "Audit log"

MOST_CHARACTERS = 20_000
_ED25519 = b"\x01"  # signed-note's number for this kind of signature
_KEY_HASH_BYTES = 4
_NAME = re.compile(r"[^\s+]+")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_SIGNATURE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
# Quoted in a mail, a note's lines begin with "> " or are moved in.
_QUOTED = re.compile(r"^[ \t>]+", re.MULTILINE)
_NOTE = re.compile(
    r"^[^\s+]+\n(?:0|[1-9][0-9]{0,18})\n[A-Za-z0-9+/]{43}=\n(?:[^\n]+\n)*\n"
    r"(?:— [^\s+]+ [A-Za-z0-9+/]+={0,2}(?:\n|\Z))+",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint says: the log `origin` had `size` events and this `root` (32 bytes).

    `extensions` are further lines, which nobody needs to understand.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The lines that are signed, each ended."""
        lines = [self.origin, str(self.size), base64.b64encode(self.root).decode()]
        return "".join(f"{line}\n" for line in [*lines, *self.extensions])


@dataclass(frozen=True)
class NoteSignature:
    """One signature line: whose, by which key (4 bytes of its hash), and the signature."""

    name: str
    key_hash: bytes
    signature: bytes


@dataclass(frozen=True)
class LogVerifier:
    """The public half of a log's key, with the name that stands in its signatures."""

    name: str
    public_key: Ed25519PublicKey

    @property
    def key_hash(self) -> bytes:
        """The first 4 bytes of SHA-256(name || newline || kind || key)."""
        return sha256(self.name.encode() + b"\n" + self._encoded).digest()[:_KEY_HASH_BYTES]

    @property
    def key_id(self) -> str:
        """The key hash in hexadecimal: 8 digits."""
        return self.key_hash.hex()

    @property
    def text(self) -> str:
        """The verifier key as tools take it: name+hash+key."""
        return f"{self.name}+{self.key_id}+{base64.b64encode(self._encoded).decode()}"

    @property
    def _encoded(self) -> bytes:
        return _ED25519 + self.public_key.public_bytes(Encoding.Raw, PublicFormat.Raw)

    @classmethod
    def from_text(cls, text: str) -> LogVerifier:
        """Read what `text` gave; CheckpointInvalid for what is no verifier key."""
        try:
            name, key_id, encoded = text.strip().split("+", 2)
            data = base64.b64decode(encoded, validate=True)
            if data[:1] != _ED25519 or not _NAME.fullmatch(name):
                raise ValueError("another kind of key")
            found = cls(name, Ed25519PublicKey.from_public_bytes(data[1:]))
        except (ValueError, binascii.Error) as error:
            raise CheckpointInvalid("This is no verifier key of a log.") from error
        if found.key_id != key_id:
            raise CheckpointInvalid("The verifier key's hash is not that of its key.")
        return found

    @classmethod
    def from_certificate(cls, certificate: x509.Certificate, root: x509.Certificate) -> LogVerifier:
        """Take the key of a certificate that the company's `root` issued for its log.

        Raises CheckpointInvalid for any other certificate. Dates are not judged: what a log said
        does not expire with its key.
        """
        try:
            certificate.verify_directly_issued_by(root)
        except (ValueError, TypeError, InvalidSignature) as error:
            raise CheckpointInvalid("The log's certificate is not of this company.") from error
        units = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
        names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        public = certificate.public_key()
        if [unit.value for unit in units] != [LOG_UNIT] or len(names) != 1:
            raise CheckpointInvalid("The certificate is not that of a log.")
        if not isinstance(public, Ed25519PublicKey):
            raise CheckpointInvalid("The log's key is of an unexpected kind.")
        return cls(str(names[0].value), public)


@dataclass(frozen=True)
class LogKey:
    """A log's loaded private key with its certificate."""

    key: Ed25519PrivateKey = field(repr=False)
    certificate: x509.Certificate

    @property
    def origin(self) -> str:
        """The log's name: the certificate's common name."""
        names = self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return str(names[0].value)

    @property
    def verifier(self) -> LogVerifier:
        """The half to publish."""
        return LogVerifier(self.origin, self.key.public_key())


def make(key: LogKey, size: int, root: bytes, extensions: Sequence[str] = ()) -> str:
    """Give the signed note that says: this log has `size` events and this `root`.

    The same log gives the same note. Raises ValueError for what no checkpoint can say.
    """
    said = Checkpoint(key.origin, size, root, tuple(extensions))
    if parse_text(said.text) != said:
        raise ValueError("These lines are no checkpoint.")
    return signed_note(said.text, key.verifier.name, key.key)


def parse(note: str) -> tuple[Checkpoint, list[NoteSignature]]:
    """Read a signed note without judging its signatures; CheckpointInvalid if it is none."""
    text, signatures = split_note(note)
    return parse_text(text), signatures


def verify(note: str, verifier: LogVerifier | Sequence[LogVerifier]) -> Checkpoint:
    """Read a checkpoint that one of the verifiers' keys signed; CheckpointInvalid if none did.

    Its origin must be that verifier's name. Signatures by other keys (witnesses) are passed over.
    """
    found = parse(note)[0]
    known = [verifier] if isinstance(verifier, LogVerifier) else list(verifier)
    signer = verify_note(note, known)
    if found.origin != signer.name:
        raise CheckpointInvalid("The checkpoint is of another log than its signature.")
    return found


def parse_text(text: str) -> Checkpoint:
    """Read the lines that are signed; CheckpointInvalid if they are no checkpoint."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
        raise CheckpointInvalid("A checkpoint has at least three lines, none of them empty.")
    origin, size, root, *extensions = lines[:-1]
    if not _SIZE.fullmatch(size):
        raise CheckpointInvalid("The checkpoint's second line is not the size of a log.")
    try:
        digest = base64.b64decode(root, validate=True)
    except (ValueError, binascii.Error) as error:
        raise CheckpointInvalid("The checkpoint's third line is not a root.") from error
    if len(digest) != HASH_BYTES or base64.b64encode(digest).decode() != root:
        raise CheckpointInvalid("The checkpoint's third line is not a root.")
    return Checkpoint(origin, int(size), digest, tuple(extensions))


def find_notes(text: str) -> list[str]:
    """Give the notes that stand in a longer text, such as a mail: quoted, moved in, with CRLF."""
    plain = _QUOTED.sub("", text.replace("\r\n", "\n"))
    plain = re.sub(r"[ \t]+$", "", plain, flags=re.MULTILINE)
    return [found.group().rstrip("\n") + "\n" for found in _NOTE.finditer(plain)]


# Signed notes, whatever they say


def signed_note(text: str, name: str, key: Ed25519PrivateKey) -> str:
    """Give `text` (lines, each ended) with the signature of `name` below."""
    verifier = LogVerifier(name, key.public_key())
    signature = base64.b64encode(verifier.key_hash + key.sign(text.encode())).decode()
    return f"{text}\n— {name} {signature}\n"


def split_note(note: str) -> tuple[str, list[NoteSignature]]:
    """Give a note's text and its signature lines; CheckpointInvalid for what is no note."""
    if len(note) > MOST_CHARACTERS or any(ord(c) < 32 and c != "\n" for c in note):
        raise CheckpointInvalid("This is no signed note.")
    text, gap, below = note.rpartition("\n\n")
    if not gap or not below.endswith("\n"):
        raise CheckpointInvalid("A signed note has an empty line before its signatures.")
    signatures = []
    for line in below[:-1].split("\n"):
        found = _SIGNATURE.fullmatch(line)
        if found is None:
            raise CheckpointInvalid("A line below the note is not a signature.")
        try:
            data = base64.b64decode(found[2], validate=True)
        except (ValueError, binascii.Error) as error:
            raise CheckpointInvalid("A line below the note is not a signature.") from error
        signatures.append(NoteSignature(found[1], data[:_KEY_HASH_BYTES], data[_KEY_HASH_BYTES:]))
    return f"{text}\n", signatures


def verify_note(note: str, verifiers: Sequence[LogVerifier]) -> LogVerifier:
    """Give the verifier whose signature the note carries; CheckpointInvalid if there is none.

    A signature that names one of the keys and does not hold condemns the note.
    """
    text, signatures = split_note(note)
    signer = None
    for signature in signatures:
        for verifier in verifiers:
            if (verifier.name, verifier.key_hash) != (signature.name, signature.key_hash):
                continue
            try:
                verifier.public_key.verify(signature.signature, text.encode())
            except InvalidSignature as error:
                raise CheckpointInvalid("The checkpoint's signature does not hold.") from error
            signer = signer or verifier
    if signer is None:
        raise CheckpointInvalid("The checkpoint is not signed by this log's key.")
    return signer
