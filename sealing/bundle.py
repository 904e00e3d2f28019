"""The evidence bundle as a file: one ZIP of named members and a signed list of them.

`manifest.txt` names every other member with its SHA-256, and is a signed note of the log's key
(see `sealing.checkpoint`), which the company's root certifies:

    revops-evidence/1
    NC-RB-4
    <SHA-256 of the member> <name of the member>
    ...

    — revops-registry/log/7c1e4f0935aa1b02 kMmS...

Its first line keeps it from passing for a checkpoint. Members are stored as they are, in the order
of the list, under one date: the same members give the same bytes. `unpack` is for files from
strangers: nothing is written anywhere, and sizes are counted before anything is read.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Mapping

from sealing.canonical import sha256_hex
from sealing.checkpoint import LogKey, signed_note
from sealing.errors import BundleInvalid

SCHEMA = "revops-evidence/1"
MANIFEST = "manifest.txt"
README = "README.txt"
CONTENT = "content.json"
VERDICT = "verdict.json"
COMPROMISED = "certificates/compromised.json"
EVENTS = "log/events.json"
CHECKPOINT = "log/checkpoint.txt"
CONSISTENCY = "log/consistency.json"
CERTIFICATES = "certificates/"
SIGNATURES = "signatures/"

MAX_BUNDLE_BYTES = 20_000_000
_MAX_UNPACKED = 40_000_000
_MAX_MEMBERS = 400
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,79})?")
_LISTED = re.compile(r"([0-9a-f]{64}) ([^\s]+)")
_DATE = (1980, 1, 1, 0, 0, 0)  # the first that a ZIP can hold
_WAYS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


def pack(reference: str, members: Mapping[str, bytes], key: LogKey) -> bytes:
    """Give the ZIP of `members` (name to bytes, in their order) and their signed list.

    Raises ValueError for a name that a bundle cannot hold.
    """
    listed = "".join(f"{sha256_hex(data)} {name}\n" for name, data in members.items())
    note = signed_note(f"{SCHEMA}\n{reference}\n{listed}", key.verifier.name, key.key)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, data in {**members, MANIFEST: note.encode()}.items():
            if not _NAME.fullmatch(name) or (name == MANIFEST and data != note.encode()):
                raise ValueError(f"A bundle has no member {name!r}.")
            entry = zipfile.ZipInfo(name, _DATE)
            entry.create_system = 3  # whichever machine makes it
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, data)
    return out.getvalue()


def unpack(data: bytes) -> dict[str, bytes]:
    """Give the members of a bundle by name; BundleInvalid says why it is none.

    Refused are names that lead elsewhere, names that come twice, encrypted members, and what
    unpacks to more than 40 MB.
    """
    if len(data) > MAX_BUNDLE_BYTES:
        raise BundleInvalid("The bundle is larger than 20 MB.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _members(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError,
            RuntimeError) as error:  # fmt: skip
        raise BundleInvalid("The bundle is not a ZIP file that can be read.") from error


def _members(archive: zipfile.ZipFile) -> dict[str, bytes]:
    entries = archive.infolist()
    if len(entries) > _MAX_MEMBERS or sum(one.file_size for one in entries) > _MAX_UNPACKED:
        raise BundleInvalid("The bundle unpacks to more than any bundle holds.")
    found: dict[str, bytes] = {}
    left = _MAX_UNPACKED
    for entry in entries:
        name = entry.orig_filename
        if not _NAME.fullmatch(name) or entry.is_dir():
            raise BundleInvalid("The bundle holds a file under a name that no bundle has.")
        if name in found:
            raise BundleInvalid(f"The bundle holds {name} twice.")
        if entry.flag_bits & 1 or entry.compress_type not in _WAYS:
            raise BundleInvalid("The bundle holds a file that is encrypted or packed strangely.")
        try:
            with archive.open(entry) as source:
                # what a header says of the size is not believed
                found[name] = source.read(left + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise BundleInvalid(f"The bundle's {name} is damaged.", altered=True) from error
        left -= len(found[name])
        if left < 0:
            raise BundleInvalid("The bundle unpacks to more than any bundle holds.")
    return found


def listed_members(text: str) -> tuple[str, dict[str, str]]:
    """Read a manifest's signed text: the Revision's reference, and SHA-256 by name."""
    first, reference, *lines = text.rstrip("\n").split("\n")
    found = {}
    for line in lines:
        match = _LISTED.fullmatch(line)
        if match is None or match[2] in found:
            raise BundleInvalid("The bundle's list of files cannot be read.")
        found[match[2]] = match[1]
    if first != SCHEMA:
        raise BundleInvalid("The bundle's list of files is of another kind.")
    return reference, found
