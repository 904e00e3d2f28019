"""Replacing a key of the company, and saying of one that it is in other hands.

What is replaced is destroyed; its certificate and the last revocation list of its authority stay
under `retired/`, so that former files are judged as before. A new authority certifies new keys
for everything, and its fingerprint must be published beside the former one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat

from sealing.checkpoint import LogKey
from sealing.compromise import FILE, CompromisedKey, read_compromised
from sealing.errors import KeysUnusable
from sealing.keys import (
    RETIRED,
    CompanyKeys,
    KeyPair,
    TokenPair,
    certify_seal,
    fingerprint,
    issue_crl,
    issue_log_key,
    issue_root,
    issue_seal,
    issue_tsa,
    load_keys,
    whole_second,
    write_key_file,
)
from sealing.token import Token, make_token_key

Pair = KeyPair | TokenPair | LogKey
ROTATED = ("seal", "tsa", "log", "root")
_NEW = ".new"


def rotate(
    directory: Path, secret: str, name: str, *, now: datetime, token: Token | None = None
) -> CompanyKeys:
    """Replace the pair `name` (of ROTATED), or for "root" all of them, and load what came of it.

    With a `token` the seal's new key is made in it, under a label that is not taken yet.
    A run that was interrupted while it changed files is ended instead. Raises KeysUnusable where
    the present keys do not load.
    """
    if name not in ROTATED:
        raise KeysUnusable(f"There is no {name} key to replace: {', '.join(ROTATED)}.")
    if _end_interrupted(directory):
        return load_keys(directory, secret, token=token)
    keys = load_keys(directory, secret, token=token, ask_token=False)
    made = _made(keys, name, whole_second(now) - timedelta(minutes=5), token)
    _retire(directory, keys, ROTATED if name == "root" else (name,), now)
    _replace(directory, secret, made)
    return load_keys(directory, secret, token=token)


def report_compromised(
    directory: Path,
    secret: str,
    name: str,
    *,
    since: datetime,
    reason: str,
    token: Token | None = None,
) -> CompromisedKey:
    """List the present certificate `name` as compromised since `since`; the earliest time counts.

    Lists issued from now on revoke it. Raises KeysUnusable without a reason or a known key.
    """
    if name not in ROTATED:
        raise KeysUnusable(f"There is no {name} key: {', '.join(ROTATED)}.")
    if not reason.strip():
        raise KeysUnusable("Say in a sentence why the key counts as compromised.")
    if since.tzinfo is None:
        raise KeysUnusable("The time of the compromise needs a time zone.")
    keys = load_keys(directory, secret, token=token, ask_token=False)
    sha256 = fingerprint(_pair_of(keys, name).certificate)
    listed = {one.certificate_sha256: one for one in read_compromised(directory)}
    found = CompromisedKey(sha256, since.astimezone(UTC), " ".join(reason.split()))
    if sha256 not in listed or found.since < listed[sha256].since:
        listed[sha256] = found
    data = json.dumps([one.as_dict() for one in listed.values()], indent=2) + "\n"
    _put(directory / FILE, data.encode())
    return listed[sha256]


def _made(keys: CompanyKeys, name: str, start: datetime, token: Token | None) -> Mapping[str, Pair]:
    """Make the new pairs. A new authority takes over the log's origin: the log stays the same."""
    root = keys.root
    made: dict[str, Pair] = {}
    if name == "root":
        root = issue_root(keys.country, keys.organisation, start=start)
        made["root"] = root
    if name in ("root", "seal"):
        if token is None:
            made["seal"] = issue_seal(root.key, root.certificate, start=start)
        else:
            key = make_token_key(token)
            public = key.public_key()
            made["seal"] = TokenPair(
                key, certify_seal(public, root.key, root.certificate, start=start)
            )
    if name in ("root", "tsa"):
        made["tsa"] = issue_tsa(root.key, root.certificate, start=start)
    if name in ("root", "log"):
        made["log"] = issue_log_key(root.key, root.certificate, origin=keys.log.origin, start=start)
    return made


def _retire(directory: Path, keys: CompanyKeys, names: tuple[str, ...], now: datetime) -> None:
    """Keep the certificates that go, and a last list by their authority."""
    kept = directory / RETIRED
    kept.mkdir(mode=0o700, exist_ok=True)
    stamp = whole_second(now).strftime("%Y%m%dT%H%M%SZ")
    for name in names:
        certificate = _pair_of(keys, name).certificate
        if fingerprint(certificate) not in {fingerprint(one) for one in keys.retired}:
            _put(kept / f"{stamp}-{name}.pem", certificate.public_bytes(Encoding.PEM))
    _put(kept / f"{stamp}-{'-'.join(names)}.crl", issue_crl(keys, now=now))


def _replace(directory: Path, secret: str, made: Mapping[str, Pair]) -> None:
    """Write every new file beside the present one, then change them over."""
    lock = serialization.BestAvailableEncryption(secret.encode())
    files: dict[str, bytes] = {}
    for name, pair in made.items():
        # an empty file stands for one that goes: the key is in the token
        files[f"{name}.key.pem"] = (
            b""
            if isinstance(pair, TokenPair)
            else pair.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
        )
        files[f"{name}.pem"] = pair.certificate.public_bytes(Encoding.PEM)
    if "root" in made:
        files["root.sha256"] = f"{fingerprint(made['root'].certificate)}\n".encode()
    for name, data in files.items():
        (directory / f"{name}{_NEW}").unlink(missing_ok=True)
        write_key_file(directory / f"{name}{_NEW}", data)
    # From here on an interrupted run can be ended: every file is there, one way or the other.
    write_key_file(directory / _READY, "\n".join(files).encode())
    _end_interrupted(directory)


_READY = "rotation.ready"


def _end_interrupted(directory: Path) -> bool:
    """Change over to the new files of a run that had written all of them, if there is one."""
    ready = directory / _READY
    if not ready.exists():
        return False
    for name in ready.read_text(encoding="ascii").split():
        new = directory / f"{name}{_NEW}"
        if not new.exists():
            continue
        if new.stat().st_size:
            new.replace(directory / name)
        else:
            (directory / name).unlink(missing_ok=True)
            new.unlink()
    ready.unlink()
    return True


def _put(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, in place of one that is there."""
    temporary = path.with_name(f"{path.name}{_NEW}")
    temporary.unlink(missing_ok=True)
    write_key_file(temporary, data)
    temporary.replace(path)


def _pair_of(keys: CompanyKeys, name: str) -> Pair:
    pairs: dict[str, Pair] = {
        "root": keys.root, "seal": keys.seal, "tsa": keys.tsa, "log": keys.log,
    }  # fmt: skip
    return pairs[name]
