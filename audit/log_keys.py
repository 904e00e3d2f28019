"""The key that signs checkpoints, and the root that their signatures are checked by."""

from functools import lru_cache
from pathlib import Path

from cryptography import x509
from django.conf import settings

from sealing.checkpoint import LogKey, LogVerifier
from sealing.errors import KeysUnusable
from sealing.keys import load_log_key, read_root


@lru_cache(maxsize=2)
def _key(directory: Path, secret: str, changed_at: float) -> LogKey:
    return load_log_key(directory, secret)


@lru_cache(maxsize=2)
def _root(directory: Path, changed_at: float) -> x509.Certificate:
    return read_root(directory)


@lru_cache(maxsize=32)
def _verifier(certificate: str, root: x509.Certificate) -> LogVerifier:
    return LogVerifier.from_certificate(x509.load_pem_x509_certificate(certificate.encode()), root)


def are_there() -> bool:
    """Whether the company has keys: before it is set up there is nothing to sign by."""
    return (settings.KEYS_DIR / "root.pem").is_file()


def log_key() -> LogKey:
    """The log's key, read again only when the keys changed; KeysUnusable says what is wrong."""
    return _key(settings.KEYS_DIR, settings.KEYS_SECRET, _changed_at())


def log_verifier() -> LogVerifier:
    """The half of the log's key to publish; no secret is needed. KeysUnusable without it."""
    return verifier_of(log_certificate())


def log_certificate() -> str:
    """The certificate of the log's key (PEM); KeysUnusable without it."""
    try:
        return (settings.KEYS_DIR / "log.pem").read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        raise KeysUnusable("The log certificate is missing.") from error


def root_certificate() -> x509.Certificate:
    """The company's root; KeysUnusable where there is none."""
    return _root(settings.KEYS_DIR, _changed_at())


def verifier_of(certificate: str) -> LogVerifier:
    """The verifier in a log certificate (PEM) of this company's; CheckpointInvalid for others."""
    return _verifier(certificate, root_certificate())


def _changed_at() -> float:
    directory = settings.KEYS_DIR
    return directory.stat().st_mtime if directory.is_dir() else 0.0
