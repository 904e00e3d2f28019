"""Is this file genuine? The verdict of EVIDENCE 5, without server, database or network.

Trust starts from the fingerprint of the company's root certificate, which comes from outside the
file. `verify_in_child` is for files from strangers; `verify` judges in this process. With the
evidence bundle of the file, `verify_bundle` also says how each signer proved who they were and
that the log tells of it.

    python -m sealing.verify FILE --root FINGERPRINT [--bundle ZIP] [--tsa-root PEM] [--json]

`--root` comes again for each former root of the company that files start from.

Exit status: 0 genuine, 1 altered or incomplete, 2 not ours or not verifiable.
"""

from __future__ import annotations

import argparse
import base64
import gc
import json
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sealing.bundle import MAX_BUNDLE_BYTES
from sealing.canonical import sha256_hex
from sealing.compromise import CompromisedKey
from sealing.errors import ChildFailed
from sealing.evidence import EvidenceVerdict
from sealing.limits import Child
from sealing.verdict import HEADLINES, SignatureFinding, Verdict

__all__ = [
    "MAX_FILE_BYTES", "EvidenceVerdict", "SignatureFinding", "Verdict", "verify", "verify_bundle",
    "verify_in_child",
]  # fmt: skip

MAX_FILE_BYTES = 10_000_000
WALL_SECONDS = 20.0

child = Child("sealing.verify_child", cpu_seconds=20, memory_bytes=1_000_000_000)


def verify(
    pdf: bytes,
    *,
    root_fingerprint: str,
    root_certificates: Sequence[bytes] = (),
    retired_fingerprints: Sequence[str] = (),
    compromised: Sequence[CompromisedKey] = (),
    at: datetime | None = None,
) -> Verdict:
    """Judge a file in this process.

    `root_fingerprint` is the SHA-256 of the company's root certificate in hexadecimal (colons and
    spaces are ignored). `root_certificates` (DER or PEM) are the roots of outside timestamp
    authorities, trusted for timestamps only. `retired_fingerprints` are those of the company's
    former roots, `compromised` the keys that count for nothing from a time on. `at` is the time of
    checking (default now): nothing expires by it, but a timestamp after it is refused. Never
    raises for what is in the file.
    """
    fingerprints = _normal(root_fingerprint, retired_fingerprints)
    moment = (at or datetime.now(UTC)).astimezone(UTC)
    if len(pdf) > MAX_FILE_BYTES:
        return unverifiable(pdf, "The file is larger than 10 MB.", moment)
    from sealing import judge

    with _collector_paused():
        return judge.judge(pdf, fingerprints, list(root_certificates), moment, compromised)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Let no cycles be looked for meanwhile: comparing revisions makes hundreds of thousands of
    small objects that all live until the end, and walking over them took two fifths of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def verify_in_child(
    pdf: bytes,
    *,
    root_fingerprint: str,
    root_certificates: Sequence[bytes] = (),
    retired_fingerprints: Sequence[str] = (),
    compromised: Sequence[CompromisedKey] = (),
    at: datetime | None = None,
    timeout_seconds: float = WALL_SECONDS,
) -> Verdict:
    """Judge a file in a child process of at most 20 s and 1 GB; see `verify`.

    Whatever goes wrong in there, a crash included, is the verdict "cannot be verified".
    """
    fingerprints = _normal(root_fingerprint, retired_fingerprints)
    moment = (at or datetime.now(UTC)).astimezone(UTC)
    if len(pdf) > MAX_FILE_BYTES:
        return unverifiable(pdf, "The file is larger than 10 MB.", moment)
    try:
        request = _request(pdf, b"", fingerprints, root_certificates, compromised, moment)
        return Verdict.from_dict(json.loads(child.ask(request, wall_seconds=timeout_seconds)))
    except (ChildFailed, ValueError, TypeError) as error:
        return unverifiable(pdf, _failure(error), moment)


def verify_bundle(
    pdf: bytes,
    bundle: bytes,
    *,
    root_fingerprint: str,
    root_certificates: Sequence[bytes] = (),
    retired_fingerprints: Sequence[str] = (),
    compromised: Sequence[CompromisedKey] = (),
    at: datetime | None = None,
    timeout_seconds: float = WALL_SECONDS,
) -> EvidenceVerdict:
    """Judge a file together with its evidence bundle, in a child process; see `verify_in_child`."""
    fingerprints = _normal(root_fingerprint, retired_fingerprints)
    moment = (at or datetime.now(UTC)).astimezone(UTC)
    if len(pdf) > MAX_FILE_BYTES:
        return _no_evidence(unverifiable(pdf, "The file is larger than 10 MB.", moment))
    if len(bundle) > MAX_BUNDLE_BYTES:
        return _no_evidence(unverifiable(pdf, "The bundle is larger than 20 MB.", moment))
    try:
        request = _request(pdf, bundle, fingerprints, root_certificates, compromised, moment)
        answer = json.loads(child.ask(request, wall_seconds=timeout_seconds))
        return EvidenceVerdict.from_dict(answer)
    except (ChildFailed, ValueError, TypeError) as error:
        return _no_evidence(unverifiable(pdf, _failure(error), moment))


def _request(
    pdf: bytes,
    bundle: bytes,
    fingerprints: Sequence[str],
    roots: Sequence[bytes],
    compromised: Sequence[CompromisedKey],
    moment: datetime,
) -> bytes:
    asked = {
        "root_fingerprint": fingerprints[0],
        "retired_fingerprints": list(fingerprints[1:]),
        "compromised": [one.as_dict() for one in compromised],
        "root_certificates": [base64.b64encode(c).decode() for c in roots],
        "at": moment.isoformat(),
        "bundle_bytes": len(bundle),
    }
    return json.dumps(asked).encode() + b"\n" + bundle + pdf


def _failure(error: Exception) -> str:
    reason = str(error) if isinstance(error, ChildFailed) else "the answer was not readable"
    return f"Judging the file failed: {reason}."


def _no_evidence(verdict: Verdict) -> EvidenceVerdict:
    return EvidenceVerdict(verdict.kind, verdict.headline, verdict.sentences, verdict)


def unverifiable(pdf: bytes, reason: str, at: datetime) -> Verdict:
    """Give the verdict for a file that nothing can be said about."""
    return Verdict(
        kind="unverifiable",
        headline=HEADLINES["unverifiable"],
        sentences=[reason, "Ask whoever sent it for the original file."],
        file_sha256=sha256_hex(pdf),
        checked_at=at.isoformat(timespec="seconds"),
    )


def _normal(root_fingerprint: str, retired: Sequence[str]) -> list[str]:
    return [normal_fingerprint(one) for one in (root_fingerprint, *retired)]


def normal_fingerprint(text: str) -> str:
    """Give a fingerprint as 64 lower-case hexadecimal digits; ValueError if it is none."""
    found = re.sub(r"[\s:]", "", text).lower()
    if not re.fullmatch(r"[0-9a-f]{64}", found):
        raise ValueError("A root fingerprint is a SHA-256: 64 hexadecimal digits.")
    return found


def answer(request: bytes) -> bytes:
    """Judge one request of `verify_in_child`; runs in the child process."""
    head, _, body = request.partition(b"\n")
    asked = json.loads(head)
    bundle, pdf = body[: asked["bundle_bytes"]], body[asked["bundle_bytes"] :]
    listed = [CompromisedKey.from_dict(one) for one in asked["compromised"]]
    if bundle:
        from sealing import evidence

        listed += evidence.compromised_in(bundle)
    verdict = verify(
        pdf,
        root_fingerprint=asked["root_fingerprint"],
        root_certificates=[base64.b64decode(c) for c in asked["root_certificates"]],
        retired_fingerprints=asked["retired_fingerprints"],
        compromised=listed,
        at=datetime.fromisoformat(asked["at"]),
    )
    if not bundle:
        return json.dumps(verdict.as_dict()).encode()
    fingerprints = [asked["root_fingerprint"], *asked["retired_fingerprints"]]
    found = evidence.judge(pdf, bundle, verdict, fingerprints)
    return json.dumps(found.as_dict()).encode()


def describe(verdict: Verdict) -> str:
    """Give the verdict as the lines that the command prints."""
    return "\n".join([verdict.headline, "", *verdict.sentences, *_facts(verdict)])


def describe_evidence(found: EvidenceVerdict) -> str:
    """Give the judgement with a bundle as the lines that the command prints."""
    lines = [found.headline, "", *found.sentences]
    if found.checks:
        lines += ["", *(f"{'holds' if one.ok else 'FAILS':6} {one.says}" for one in found.checks)]
    if found.notes:
        lines += ["", "What this cannot prove:", *(f"  - {note}" for note in found.notes)]
    return "\n".join([*lines, *_facts(found.verdict)])


def _facts(verdict: Verdict) -> list[str]:
    lines = list(verdict.changes)
    if verdict.reference:
        lines += ["", f"Document   {verdict.reference}"]
    if verdict.content_sha256:
        lines.append(f"Content    SHA-256 {verdict.content_sha256}")
    lines.append(f"File       SHA-256 {verdict.file_sha256}")
    if verdict.signatures:
        lines.append("")
    for found in verdict.signatures:
        state = "holds" if found.ok else f"does not hold: {found.problem}"
        who = ", ".join(part for part in (found.name, found.office) if part)
        lines.append(f"{found.field:14} {found.timestamp_at}  {who}: {state}")
    if verdict.level:
        lines += ["", f"Level {verdict.level}; timestamps by {verdict.timestamp_authority}"]
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status is that of the verdict."""
    parser = argparse.ArgumentParser(prog="python -m sealing.verify", description=__doc__)
    parser.add_argument("file", type=Path, help="the PDF to judge")
    parser.add_argument(
        "--root",
        required=True,
        action="append",
        help="SHA-256 fingerprint of the company's root certificate; again for each former one",
    )
    parser.add_argument(
        "--tsa-root",
        type=Path,
        action="append",
        default=[],
        help="root certificate of an outside timestamp authority (PEM)",
    )
    parser.add_argument("--bundle", type=Path, help="the evidence bundle of the file (ZIP)")
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")
    options = parser.parse_args(arguments)
    try:
        pdf = options.file.read_bytes()
        roots = [path.read_bytes() for path in options.tsa_root]
        given: dict[str, Any] = {
            "root_fingerprint": options.root[0],
            "retired_fingerprints": options.root[1:],
            "root_certificates": roots,
        }
        verdict: Verdict | EvidenceVerdict
        if options.bundle is None:
            verdict = verify_in_child(pdf, **given)
        else:
            verdict = verify_bundle(pdf, options.bundle.read_bytes(), **given)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{parser.prog}: {error}\n")
        return 2
    if options.json:
        report = json.dumps(verdict.as_dict() | {"standing": "unknown"}, indent=2)
    elif isinstance(verdict, EvidenceVerdict):
        report = describe_evidence(verdict)
    else:
        report = describe(verdict)
        if verdict.kind == "genuine":
            report += "\n\nWhether it is in force today, only the company's registry can say."
    sys.stdout.write(f"{report}\n")
    return verdict.exit_status


if __name__ == "__main__":
    sys.exit(main())
