"""The key that signs checkpoints, and the root that their signatures are checked by."""

import contextlib
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from django.conf import settings

from sealing.checkpoint import LogKey, LogVerifier
from sealing.errors import CheckpointInvalid, KeysUnusable
from sealing.keys import load_log_key, read_roots


@lru_cache(maxsize=2)
def _key(directory: Path, secret: str, changed_at: float) -> LogKey:
    return load_log_key(directory, secret)


@lru_cache(maxsize=2)
def _roots(directory: Path, changed_at: float) -> tuple[x509.Certificate, ...]:
    return tuple(read_roots(directory))


@lru_cache(maxsize=32)
def _verifier(certificate: str, roots: tuple[x509.Certificate, ...]) -> LogVerifier:
    loaded = x509.load_pem_x509_certificate(certificate.encode())
    present, *former = roots
    for root in former:
        with contextlib.suppress(CheckpointInvalid):
            return LogVerifier.from_certificate(loaded, root)
    return LogVerifier.from_certificate(loaded, present)


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


def roots() -> tuple[x509.Certificate, ...]:
    """The company's root and its former ones; KeysUnusable where there is none."""
    return _roots(settings.KEYS_DIR, _changed_at())


def verifier_of(certificate: str) -> LogVerifier:
    """The verifier in a log certificate (PEM) of this company's; CheckpointInvalid for others.

    Also of one that a former root issued: checkpoints stay valid when keys are replaced.
    """
    return _verifier(certificate, roots())


def _changed_at() -> float:
    directory = settings.KEYS_DIR
    return directory.stat().st_mtime if directory.is_dir() else 0.0
