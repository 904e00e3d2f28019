"""The company's keys: one self-signed authority, the organisation seal, the timestamp authority,
the audit log's.

The authority (EC P-384) signs every certificate itself; an intermediate would have been tidier,
but its revocation lists are not found when a signature is judged in the past. The seal is EC
P-256; the timestamp authority is RSA-3072, the kind every reader accepts for RFC 3161; the log's
is Ed25519, as checkpoints want it.

A directory of keys holds `root`, `seal`, `tsa` and `log`, each as `.pem` (certificate) and
`.key.pem` (encrypted PKCS#8), and `root.sha256`, the fingerprint to publish. Roots of an outside
timestamp authority (TSA_URL) may be added as `timestamp-roots.pem`. `sealing.rotation` keeps
former certificates and their last revocation lists under `retired/`, and `compromised.json`
(`sealing.compromise`).
"""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypedDict

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from sealing.checkpoint import LOG_UNIT, LogKey, LogVerifier
from sealing.compromise import CompromisedKey, read_compromised
from sealing.errors import CheckpointInvalid, KeysExist, KeysUnusable
from sealing.token import Token, TokenKey

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
_UNIT = NameOID.ORGANIZATIONAL_UNIT_NAME
_TIMESTAMP_ROOTS = "timestamp-roots.pem"
RETIRED = "retired"
_USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
    "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip


@dataclass(frozen=True)
class KeyPair:
    """A loaded private key with its certificate."""

    key: PrivateKey = field(repr=False)
    certificate: x509.Certificate


class Trust(TypedDict):
    """What a verifier is told of the company: the arguments of `verify` by name."""

    root_fingerprint: str
    root_certificates: list[bytes]
    retired_fingerprints: tuple[str, ...]
    compromised: tuple[CompromisedKey, ...]


@dataclass(frozen=True)
class TokenPair:
    """A key that stays in a hardware token, with its certificate."""

    key: TokenKey
    certificate: x509.Certificate


@dataclass(frozen=True)
class CompanyKeys:
    """All that sealing needs, loaded once: unlocking and checking an RSA key costs 200 ms."""

    organisation: str
    country: str
    root: KeyPair
    seal: KeyPair | TokenPair
    tsa: KeyPair
    log: LogKey
    timestamp_roots: tuple[x509.Certificate, ...] = ()
    retired: tuple[x509.Certificate, ...] = ()
    compromised: tuple[CompromisedKey, ...] = ()

    @property
    def retired_roots(self) -> tuple[x509.Certificate, ...]:
        """The roots that former files start from, the oldest first."""
        return tuple(one for one in self.retired if one.subject == one.issuer)

    @property
    def retired_fingerprints(self) -> tuple[str, ...]:
        """Their fingerprints, as `verify` takes them."""
        return tuple(fingerprint(one) for one in self.retired_roots)

    @property
    def root_certificate(self) -> x509.Certificate:
        """The certificate that verifiers start from."""
        return self.root.certificate

    @property
    def outside_roots(self) -> list[bytes]:
        """The roots of outside timestamp authorities in DER, as `verify` takes them."""
        return [one.public_bytes(Encoding.DER) for one in self.timestamp_roots]

    @property
    def log_certificates(self) -> tuple[x509.Certificate, ...]:
        """The log's certificates, the present key's first, then those before it."""
        former = [one for one in self.retired if _attribute(one, _UNIT) == LOG_UNIT]
        return (self.log.certificate, *reversed(former))

    @property
    def trust(self) -> Trust:
        """What this company's files are judged by, present and past."""
        return Trust(
            root_fingerprint=self.root_fingerprint,
            root_certificates=self.outside_roots,
            retired_fingerprints=self.retired_fingerprints,
            compromised=self.compromised,
        )

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
        start = whole_second(now) - timedelta(minutes=5)  # clocks of readers differ
        authority = issue_root(country, organisation, start=start)
        root_key, root = authority.key, authority.certificate
        seal = issue_seal(root_key, root, start=start)
        tsa = issue_tsa(root_key, root, start=start)
    except ValueError as error:
        raise KeysUnusable(f"No certificate can carry these names: {error}.") from error
    made: dict[str, tuple[PrivateKey, x509.Certificate]] = {
        "root": (root_key, root),
        "seal": (seal.key, seal.certificate),
        "tsa": (tsa.key, tsa.certificate),
    }
    lock = serialization.BestAvailableEncryption(secret.encode())
    for name, (key, certificate) in made.items():
        write_key_file(
            directory / f"{name}.key.pem",
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock),
        )
        write_key_file(directory / f"{name}.pem", certificate.public_bytes(Encoding.PEM))
    write_key_file(directory / "root.sha256", f"{fingerprint(root)}\n".encode())
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
    start = whole_second(now) - timedelta(minutes=5)
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
    write_key_file(key_path, made.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))
    write_key_file(certificate_path, made.certificate.public_bytes(Encoding.PEM))


def issue_root(country: str, organisation: str, *, start: datetime) -> KeyPair:
    """Make the company's self-signed authority."""
    key = ec.generate_private_key(ec.SECP384R1())
    name = _name(country, organisation, "Company authority", f"{organisation} root")
    certificate = _certificate(
        name, key.public_key(), None, key, start, timedelta(days=365 * ROOT_YEARS + 5),
        usages=("key_cert_sign", "crl_sign"),
    )  # fmt: skip
    return KeyPair(key, certificate)


def issue_seal(root_key: PrivateKey, root: x509.Certificate, *, start: datetime) -> KeyPair:
    """Make the key of the organisation's seal, certified by the company's authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    return KeyPair(key, certify_seal(key.public_key(), root_key, root, start=start))


def certify_seal(
    public_key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
    root_key: PrivateKey,
    root: x509.Certificate,
    *,
    start: datetime,
) -> x509.Certificate:
    """Certify a key of the organisation's seal, wherever its private half is."""
    country, organisation = _country(root), _attribute(root, NameOID.ORGANIZATION_NAME)
    return _certificate(
        _name(country, organisation, SEAL_UNIT, f"{organisation} document seal"),
        public_key, root, root_key, start, timedelta(days=365 * LEAF_YEARS),
        usages=("digital_signature", "content_commitment"), purposes=(_DOCUMENT_SIGNING,),
    )  # fmt: skip


def issue_tsa(root_key: PrivateKey, root: x509.Certificate, *, start: datetime) -> KeyPair:
    """Make the key of the timestamp authority, certified by the company's authority."""
    country, organisation = _country(root), _attribute(root, NameOID.ORGANIZATION_NAME)
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    certificate = _certificate(
        _name(country, organisation, TSA_UNIT, f"{organisation} timestamps"),
        key.public_key(), root, root_key, start, timedelta(days=365 * LEAF_YEARS),
        usages=("digital_signature",), purposes=(ExtendedKeyUsageOID.TIME_STAMPING,),
    )  # fmt: skip
    return KeyPair(key, certificate)


def _country(root: x509.Certificate) -> str:
    return _attribute(root, NameOID.COUNTRY_NAME)


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
        key.public_key(), root, root_key, start, timedelta(days=365 * LEAF_YEARS),
        usages=("digital_signature",),
    )  # fmt: skip
    return LogKey(key, certificate)


def load_keys(
    directory: Path, secret: str, *, token: Token | None = None, ask_token: bool = True
) -> CompanyKeys:
    """Load the keys and check that they fit together; KeysUnusable says what is wrong.

    Where `seal.key.pem` is missing, the seal's key is in `token`. `ask_token` can be left out by
    whoever does not seal.

    Takes about 0.3 s: callers keep the result. Dates are not judged here; see `key_problems`.
    """
    pairs = {name: _load_pair(directory, name, secret) for name in ("root", "tsa")}
    seal: KeyPair | TokenPair
    if token is not None and not _pair(directory, "seal")[0].exists():
        seal = _load_token_pair(directory, token, ask=ask_token)
    else:
        seal = _load_pair(directory, "seal", secret)
    root = pairs["root"].certificate
    certificates = {name: pair.certificate for name, pair in pairs.items()}
    for name, certificate in (certificates | {"seal": seal.certificate}).items():
        try:
            certificate.verify_directly_issued_by(root)
        except (ValueError, TypeError, InvalidSignature) as error:
            raise KeysUnusable(f"The {name} certificate is not issued by this root.") from error
    if not isinstance(pairs["tsa"].key, rsa.RSAPrivateKey):
        raise KeysUnusable("The tsa key is not an RSA key.")
    return CompanyKeys(
        organisation=_attribute(root, NameOID.ORGANIZATION_NAME),
        country=_attribute(root, NameOID.COUNTRY_NAME),
        root=pairs["root"],
        seal=seal,
        tsa=pairs["tsa"],
        log=_load_log_key(directory, secret, root),
        timestamp_roots=_timestamp_roots(directory),
        retired=_retired(directory),
        compromised=read_compromised(directory),
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


def read_roots(directory: Path) -> list[x509.Certificate]:
    """Read the present authority's certificate and the former ones', the latest first."""
    former = [one for one in _retired(directory) if one.subject == one.issuer]
    return [read_root(directory), *reversed(former)]


def read_trust(directory: Path) -> Trust:
    """Give `CompanyKeys.trust` from the certificates alone, for which no secret is needed."""
    present, *former = read_roots(directory)
    return Trust(
        root_fingerprint=fingerprint(present),
        root_certificates=[one.public_bytes(Encoding.DER) for one in _timestamp_roots(directory)],
        retired_fingerprints=tuple(fingerprint(one) for one in former),
        compromised=read_compromised(directory),
    )


def _load_pair(directory: Path, name: str, secret: str) -> KeyPair:
    key, certificate = _load(directory, name, secret)
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise KeysUnusable(f"The {name} key is of an unexpected kind.")
    return KeyPair(key, certificate)


def _load_token_pair(directory: Path, token: Token, *, ask: bool) -> TokenPair:
    certificate = _load_certificate(directory, "seal")
    key = TokenKey(token)
    if ask and _public(key.public_key()) != _public(certificate.public_key()):
        raise KeysUnusable("The seal certificate is not that of the key in the token.")
    return TokenPair(key, certificate)


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
    certificate = _load_certificate(directory, name)
    try:
        locked = (directory / f"{name}.key.pem").read_bytes()
    except OSError as error:
        raise KeysUnusable(f"The {name} key or certificate is missing.") from error
    try:
        key = serialization.load_pem_private_key(locked, secret.encode())
    except (ValueError, TypeError) as error:
        raise KeysUnusable(f"The {name} key does not open with this secret.") from error
    if _public(key.public_key()) != _public(certificate.public_key()):
        raise KeysUnusable(f"The {name} key and certificate do not belong together.")
    return key, certificate


def _load_certificate(directory: Path, name: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate((directory / f"{name}.pem").read_bytes())
    except OSError as error:
        raise KeysUnusable(f"The {name} key or certificate is missing.") from error
    except ValueError as error:
        raise KeysUnusable(f"The {name} certificate cannot be read.") from error


def key_problems(
    directory: Path, secret: str, now: datetime, *, token: Token | None = None
) -> list[str]:
    """Give what is wrong with the keys, in sentences; an empty list means that they work.

    For start-up checks and /readyz: missing files, wrong secret, mismatch, validity and expiry
    within NEAR_EXPIRY.
    """
    missing = [path.name for path in _paths(directory) if not path.is_file()]
    if token is not None:
        missing = [name for name in missing if name != "seal.key.pem"]
    if missing:
        return [f"Missing from the keys directory: {', '.join(sorted(missing))}."]
    try:
        keys = load_keys(directory, secret, token=token)
    except KeysUnusable as error:
        return [str(error)]
    problems = []
    published = (directory / "root.sha256").read_text(encoding="ascii", errors="replace").split()
    if published != [keys.root_fingerprint]:
        problems.append("The fingerprint in root.sha256 is not that of the root certificate.")
    for name, certificate in expiries(keys):
        ends = certificate.not_valid_after_utc
        if now >= ends:
            problems.append(f"The {name} certificate expired on {ends:%d %b %Y}.")
        elif now + NEAR_EXPIRY >= ends:
            problems.append(f"The {name} certificate expires on {ends:%d %b %Y}.")
        elif now < certificate.not_valid_before_utc:
            problems.append(f"The {name} certificate is not valid yet.")
        if fingerprint(certificate) in {one.certificate_sha256 for one in keys.compromised}:
            problems.append(f"The {name} key is listed as compromised: replace it.")
    return problems


def expiries(keys: CompanyKeys) -> list[tuple[str, x509.Certificate]]:
    """Give the certificates in use by the names that `sealing.rotation` takes."""
    return [
        ("root", keys.root.certificate),
        ("seal", keys.seal.certificate),
        ("tsa", keys.tsa.certificate),
        ("log", keys.log.certificate),
    ]


def issue_one_shot(
    keys: CompanyKeys, *, name: str, office_short: str, office_title: str, now: datetime
) -> KeyPair:
    """Make a key for one signature, certified for an hour in the signer's name and Office.

    The caller lets go of the pair after signing: nothing is stored that could be stolen.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    start = whole_second(now) - timedelta(minutes=1)
    certificate = _certificate(
        _name(keys.country, keys.organisation, office_short, name, title=office_title),
        key.public_key(), keys.root.certificate, keys.root.key, start, ONE_SHOT_LIFE,
        usages=("digital_signature", "content_commitment"), purposes=(_DOCUMENT_SIGNING,),
    )  # fmt: skip
    return KeyPair(key, certificate)


def issue_crl(keys: CompanyKeys, *, now: datetime) -> bytes:
    """Give a fresh revocation list (DER), dated a few seconds before the signature.

    A list newer than the signature does not count when the signature is judged at its own time.
    It revokes what this authority issued and `compromised` lists.
    """
    at = whole_second(now) - timedelta(seconds=5)
    root = keys.root
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(root.certificate.subject)
        .last_update(at)
        .next_update(at + CRL_LIFE)
        .add_extension(x509.CRLNumber(int(now.timestamp() * 1000)), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root.key.public_key()),
            critical=False,
        )
    )
    for certificate, since in _revoked(keys):
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder()
            .serial_number(certificate.serial_number)
            .revocation_date(min(whole_second(since), at))
            .add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
            .build()
        )
    return builder.sign(root.key, hashes.SHA256()).public_bytes(Encoding.DER)


def _revoked(keys: CompanyKeys) -> list[tuple[x509.Certificate, datetime]]:
    since = {one.certificate_sha256: one.since for one in keys.compromised}
    present = (keys.seal.certificate, keys.tsa.certificate, keys.log.certificate)
    return [
        (certificate, since[fingerprint(certificate)])
        for certificate in (*present, *keys.retired)
        if fingerprint(certificate) in since and _is_issued_by(certificate, keys.root.certificate)
    ]


def _is_issued_by(certificate: x509.Certificate, root: x509.Certificate) -> bool:
    if certificate == root:
        return False  # an authority does not revoke itself
    try:
        certificate.verify_directly_issued_by(root)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


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


def _retired(directory: Path) -> tuple[x509.Certificate, ...]:
    """Give the former certificates, the oldest first: their files begin with a time."""
    found = []
    for path in sorted((directory / RETIRED).glob("*.pem")):
        try:
            found.append(x509.load_pem_x509_certificate(path.read_bytes()))
        except (OSError, ValueError) as error:
            raise KeysUnusable(f"{RETIRED}/{path.name} cannot be read.") from error
    return tuple(found)


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
    public_key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey,
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
        .public_key(public_key)
        .serial_number(secrets.randbits(150) | 1)
        .not_valid_before(start)
        .not_valid_after(start + life)
        .add_extension(x509.BasicConstraints(authority, 0 if authority else None), critical=True)
        .add_extension(
            x509.KeyUsage(**{usage: usage in usages for usage in _USAGES}), critical=True
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
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


def whole_second(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(microsecond=0)


def write_key_file(path: Path, data: bytes) -> None:
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
