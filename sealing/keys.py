"""The company's keys: one self-signed authority, the organisation seal, the timestamp authority,
the audit log's.

The authority (EC P-384) signs every certificate itself; an intermediate would have been tidier,
but its revocation lists are not found when a signature is judged in the past. The seal is EC
P-256; the timestamp authority is RSA-3072, the kind every reader accepts for RFC 3161; the log's
is Ed25519, as checkpoints want it.

A directory of keys holds `root`, `seal`, `tsa` and `log`, each as `.pem` (certificate) and
`.key.pem` (encrypted PKCS#8), and `root.sha256`, the fingerprint to publish. Roots of an outside
timestamp authority (TSA_URL) may be added as `timestamp-roots.pem`.
"""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from sealing.checkpoint import LOG_UNIT, LogKey, LogVerifier
from sealing.errors import CheckpointInvalid, KeysExist, KeysUnusable

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

ROOT_YEARS = 20
LEAF_YEARS = 10
NEAR_EXPIRY = timedelta(days=60)
CRL_LIFE = timedelta(days=30)
ONE_SHOT_LIFE = timedelta(hours=1)

# The organisational unit tells what a certificate is for; the verifier insists on it.
SEAL_UNIT = "Organisation seal"
TSA_UNIT = "Timestamp authority"

_DOCUMENT_SIGNING = ObjectIdentifier("1.3.6.1.5.5.7.3.36")  # RFC 9336
_NAMES = ("root", "seal", "tsa")  # `log` has a kind of key and a loader of its own
_TIMESTAMP_ROOTS = "timestamp-roots.pem"
_USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
    "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip


@dataclass(frozen=True)
class KeyPair:
    """A loaded private key with its certificate."""

    key: PrivateKey = field(repr=False)
    certificate: x509.Certificate


@dataclass(frozen=True)
class CompanyKeys:
    """All that sealing needs, loaded once: unlocking and checking an RSA key costs 200 ms."""

    organisation: str
    country: str
    root: KeyPair
    seal: KeyPair
    tsa: KeyPair
    log: LogKey
    timestamp_roots: tuple[x509.Certificate, ...] = ()

    @property
    def root_certificate(self) -> x509.Certificate:
        """The certificate that verifiers start from."""
        return self.root.certificate

    @property
    def outside_roots(self) -> list[bytes]:
        """The roots of outside timestamp authorities in DER, as `verify` takes them."""
        return [one.public_bytes(Encoding.DER) for one in self.timestamp_roots]

    @functools.cached_property
    def root_fingerprint(self) -> str:
        """SHA-256 of the root certificate (DER), 64 lower-case hexadecimal digits."""
        return fingerprint(self.root.certificate)


def fingerprint(certificate: x509.Certificate) -> str:
    """Give the SHA-256 of a certificate's DER form in lower-case hexadecimal."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def create_keys(
    directory: Path, *, secret: str, organisation: str, country: str, now: datetime
) -> None:
    """Make the company's keys in `directory`, encrypted by `secret`, files readable by the owner.

    `country` is a two-letter code. Raises KeysExist rather than replace anything, and
    KeysUnusable for an empty secret or a name that certificates cannot hold.
    """
    if len(secret) < 16:
        raise KeysUnusable("The secret of the keys needs at least 16 characters.")
    if not organisation.strip():
        raise KeysUnusable("The organisation needs a name.")
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    if any(path.exists() for path in _paths(directory)):
        raise KeysExist(f"There are keys in {directory.name} already; they are not replaced.")
    try:
        start = _whole_second(now) - timedelta(minutes=5)  # clocks of readers differ
        root_key = ec.generate_private_key(ec.SECP384R1())
        root_name = _name(country, organisation, "Company authority", f"{organisation} root")
        root = _certificate(
            root_name, root_key, None, root_key, start, timedelta(days=365 * ROOT_YEARS + 5),
            usages=("key_cert_sign", "crl_sign"),
        )  # fmt: skip
        seal_key = ec.generate_private_key(ec.SECP256R1())
        seal = _certificate(
            _name(country, organisation, SEAL_UNIT, f"{organisation} document seal"),
            seal_key, root, root_key, start, timedelta(days=365 * LEAF_YEARS),
            usages=("digital_signature", "content_commitment"), purposes=(_DOCUMENT_SIGNING,),
        )  # fmt: skip
        tsa_key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
        tsa = _certificate(
            _name(country, organisation, TSA_UNIT, f"{organisation} timestamps"),
            tsa_key, root, root_key, start, timedelta(days=365 * LEAF_YEARS),
            usages=("digital_signature",), purposes=(ExtendedKeyUsageOID.TIME_STAMPING,),
        )  # fmt: skip
    except ValueError as error:
        raise KeysUnusable(f"No certificate can carry these names: {error}.") from error
    made: dict[str, tuple[PrivateKey, x509.Certificate]] = {
        "root": (root_key, root),
        "seal": (seal_key, seal),
        "tsa": (tsa_key, tsa),
    }
    lock = serialization.BestAvailableEncryption(secret.encode())
    for name, (key, certificate) in made.items():
        _write(
            directory / f"{name}.key.pem",
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock),
        )
        _write(directory / f"{name}.pem", certificate.public_bytes(Encoding.PEM))
    _write(directory / "root.sha256", f"{fingerprint(root)}\n".encode())
    _add_log_key(directory, root_key, root, lock, start)


def add_missing_keys(directory: Path, secret: str, *, now: datetime) -> list[str]:
    """Add what a directory made by an earlier version lacks; give the names of what was added.

    Nothing is replaced. Raises KeysUnusable where the authority itself does not open, and
    KeysExist where one half of a pair is there.
    """
    present = [path for path in _pair(directory, "log") if path.exists()]
    if len(present) == 2:
        return []
    if present:
        raise KeysExist(f"There is a {present[0].name} without its other half; restore that.")
    root = _load_pair(directory, "root", secret)
    lock = serialization.BestAvailableEncryption(secret.encode())
    start = _whole_second(now) - timedelta(minutes=5)
    _add_log_key(directory, root.key, root.certificate, lock, start)
    return ["log"]


def _add_log_key(
    directory: Path,
    root_key: PrivateKey,
    root: x509.Certificate,
    lock: serialization.KeySerializationEncryption,
    start: datetime,
) -> None:
    """Make the log's key; its origin names the authority, so that no other company's is alike."""
    made = issue_log_key(
        root_key, root, origin=f"revops-registry/log/{fingerprint(root)[:16]}", start=start
    )
    key_path, certificate_path = _pair(directory, "log")
    _write(key_path, made.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))
    _write(certificate_path, made.certificate.public_bytes(Encoding.PEM))


def issue_log_key(
    root_key: PrivateKey, root: x509.Certificate, *, origin: str, start: datetime
) -> LogKey:
    """Make an Ed25519 key for the log's checkpoints, certified by the company's authority.

    A key that replaces another takes over its `origin` (`LogKey.origin`): the log is the same.
    """
    key = ed25519.Ed25519PrivateKey.generate()
    certificate = _certificate(
        _name(_attribute(root, NameOID.COUNTRY_NAME),
              _attribute(root, NameOID.ORGANIZATION_NAME), LOG_UNIT, origin),
        key, root, root_key, start, timedelta(days=365 * LEAF_YEARS),
        usages=("digital_signature",),
    )  # fmt: skip
    return LogKey(key, certificate)


def load_keys(directory: Path, secret: str) -> CompanyKeys:
    """Load the keys and check that they fit together; KeysUnusable says what is wrong.

    Takes about 0.3 s: callers keep the result. Dates are not judged here; see `key_problems`.
    """
    pairs = {name: _load_pair(directory, name, secret) for name in _NAMES}
    root = pairs["root"].certificate
    for name in _NAMES:
        try:
            pairs[name].certificate.verify_directly_issued_by(root)
        except (ValueError, TypeError, InvalidSignature) as error:
            raise KeysUnusable(f"The {name} certificate is not issued by this root.") from error
    if not isinstance(pairs["tsa"].key, rsa.RSAPrivateKey):
        raise KeysUnusable("The tsa key is not an RSA key.")
    return CompanyKeys(
        organisation=_attribute(root, NameOID.ORGANIZATION_NAME),
        country=_attribute(root, NameOID.COUNTRY_NAME),
        root=pairs["root"],
        seal=pairs["seal"],
        tsa=pairs["tsa"],
        log=_load_log_key(directory, secret, root),
        timestamp_roots=_timestamp_roots(directory),
    )


def load_log_key(directory: Path, secret: str) -> LogKey:
    """Load the log's key alone, which takes no time; KeysUnusable says what is wrong."""
    return _load_log_key(directory, secret, read_root(directory))


def read_root(directory: Path) -> x509.Certificate:
    """Read the authority's certificate, for which no secret is needed; KeysUnusable without it."""
    try:
        return x509.load_pem_x509_certificate((directory / "root.pem").read_bytes())
    except (OSError, ValueError) as error:
        raise KeysUnusable("The root certificate is missing or cannot be read.") from error


def read_timestamp_roots(directory: Path) -> list[bytes]:
    """Read the roots of outside timestamp authorities in DER, as `verify` takes them."""
    return [one.public_bytes(Encoding.DER) for one in _timestamp_roots(directory)]


def _load_pair(directory: Path, name: str, secret: str) -> KeyPair:
    key, certificate = _load(directory, name, secret)
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise KeysUnusable(f"The {name} key is of an unexpected kind.")
    return KeyPair(key, certificate)


def _load_log_key(directory: Path, secret: str, root: x509.Certificate) -> LogKey:
    key, certificate = _load(directory, "log", secret)
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise KeysUnusable("The log key is of an unexpected kind.")
    try:
        LogVerifier.from_certificate(certificate, root)
    except CheckpointInvalid as error:
        raise KeysUnusable("The log certificate is not issued by this root for a log.") from error
    return LogKey(key, certificate)


def _load(directory: Path, name: str, secret: str) -> tuple[object, x509.Certificate]:
    try:
        certificate = x509.load_pem_x509_certificate((directory / f"{name}.pem").read_bytes())
        locked = (directory / f"{name}.key.pem").read_bytes()
    except OSError as error:
        raise KeysUnusable(f"The {name} key or certificate is missing.") from error
    except ValueError as error:
        raise KeysUnusable(f"The {name} certificate cannot be read.") from error
    try:
        key = serialization.load_pem_private_key(locked, secret.encode())
    except (ValueError, TypeError) as error:
        raise KeysUnusable(f"The {name} key does not open with this secret.") from error
    if _public(key.public_key()) != _public(certificate.public_key()):
        raise KeysUnusable(f"The {name} key and certificate do not belong together.")
    return key, certificate


def key_problems(directory: Path, secret: str, now: datetime) -> list[str]:
    """Give what is wrong with the keys, in sentences; an empty list means that they work.

    For start-up checks and /readyz: missing files, wrong secret, mismatch, validity and expiry
    within NEAR_EXPIRY.
    """
    missing = [path.name for path in _paths(directory) if not path.is_file()]
    if missing:
        return [f"Missing from the keys directory: {', '.join(sorted(missing))}."]
    try:
        keys = load_keys(directory, secret)
    except KeysUnusable as error:
        return [str(error)]
    problems = []
    published = (directory / "root.sha256").read_text(encoding="ascii", errors="replace").split()
    if published != [keys.root_fingerprint]:
        problems.append("The fingerprint in root.sha256 is not that of the root certificate.")
    pairs: list[tuple[str, KeyPair | LogKey]] = [
        ("root", keys.root), ("seal", keys.seal), ("tsa", keys.tsa), ("log", keys.log),
    ]  # fmt: skip
    for name, pair in pairs:
        ends = pair.certificate.not_valid_after_utc
        if now >= ends:
            problems.append(f"The {name} certificate expired on {ends:%d %b %Y}.")
        elif now + NEAR_EXPIRY >= ends:
            problems.append(f"The {name} certificate expires on {ends:%d %b %Y}.")
        elif now < pair.certificate.not_valid_before_utc:
            problems.append(f"The {name} certificate is not valid yet.")
    return problems


def issue_one_shot(
    keys: CompanyKeys, *, name: str, office_short: str, office_title: str, now: datetime
) -> KeyPair:
    """Make a key for one signature, certified for an hour in the signer's name and Office.

    The caller lets go of the pair after signing: nothing is stored that could be stolen.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    start = _whole_second(now) - timedelta(minutes=1)
    certificate = _certificate(
        _name(keys.country, keys.organisation, office_short, name, title=office_title),
        key, keys.root.certificate, keys.root.key, start, ONE_SHOT_LIFE,
        usages=("digital_signature", "content_commitment"), purposes=(_DOCUMENT_SIGNING,),
    )  # fmt: skip
    return KeyPair(key, certificate)


def issue_crl(keys: CompanyKeys, *, now: datetime) -> bytes:
    """Give a fresh, empty revocation list (DER), dated a few seconds before the signature.

    A list newer than the signature does not count when the signature is judged at its own time.
    """
    at = _whole_second(now) - timedelta(seconds=5)
    root = keys.root
    listed = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(root.certificate.subject)
        .last_update(at)
        .next_update(at + CRL_LIFE)
        .add_extension(x509.CRLNumber(int(now.timestamp() * 1000)), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root.key.public_key()),
            critical=False,
        )
        .sign(root.key, hashes.SHA256())
    )
    return listed.public_bytes(Encoding.DER)


def _paths(directory: Path) -> list[Path]:
    return [
        *(path for name in (*_NAMES, "log") for path in _pair(directory, name)),
        directory / "root.sha256",
    ]


def _pair(directory: Path, name: str) -> tuple[Path, Path]:
    return directory / f"{name}.key.pem", directory / f"{name}.pem"


def _timestamp_roots(directory: Path) -> tuple[x509.Certificate, ...]:
    path = directory / _TIMESTAMP_ROOTS
    if not path.exists():
        return ()
    try:
        return tuple(x509.load_pem_x509_certificates(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise KeysUnusable(f"{_TIMESTAMP_ROOTS} cannot be read.") from error


def _name(country: str, organisation: str, unit: str, common: str, title: str = "") -> x509.Name:
    attributes = [
        x509.NameAttribute(NameOID.COUNTRY_NAME, country),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, _short(organisation)),
        x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, _short(unit)),
    ]
    if title:
        attributes.append(x509.NameAttribute(NameOID.TITLE, _short(title)))
    return x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, _short(common))])


def _short(text: str) -> str:
    """Fit a name into the 64 bytes that certificates allow; the stamp has it whole."""
    if len(text.encode()) <= 64:
        return text
    return text.encode()[:61].decode(errors="ignore") + "…"


def _certificate(
    subject: x509.Name,
    key: PrivateKey | ed25519.Ed25519PrivateKey,
    issuer: x509.Certificate | None,
    issuer_key: PrivateKey,
    start: datetime,
    life: timedelta,
    *,
    usages: tuple[str, ...],
    purposes: tuple[ObjectIdentifier, ...] = (),
) -> x509.Certificate:
    authority = issuer is None
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key(key.public_key())
        .serial_number(secrets.randbits(150) | 1)
        .not_valid_before(start)
        .not_valid_after(start + life)
        .add_extension(x509.BasicConstraints(authority, 0 if authority else None), critical=True)
        .add_extension(
            x509.KeyUsage(**{usage: usage in usages for usage in _USAGES}), critical=True
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    if purposes:
        # RFC 3161 wants the timestamping purpose alone and critical
        builder = builder.add_extension(
            x509.ExtendedKeyUsage(purposes),
            critical=ExtendedKeyUsageOID.TIME_STAMPING in purposes,
        )
    return builder.sign(issuer_key, hashes.SHA256())


def _public(key: object) -> bytes:
    return key.public_bytes(  # type: ignore[attr-defined,no-any-return]  # any key kind
        Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _attribute(certificate: x509.Certificate, oid: ObjectIdentifier) -> str:
    values = certificate.subject.get_attributes_for_oid(oid)
    return str(values[0].value) if values else ""


def _whole_second(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(microsecond=0)


def _write(path: Path, data: bytes) -> None:
    """Write a new file that only its owner can read, whole or not at all."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        with contextlib.suppress(OSError):
            path.unlink()
        raise
