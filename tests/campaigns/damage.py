"""Thousands of damaged files, none of which may crash the verifier or pass for genuine.

    python -m tests.campaigns.damage --damaged 10000 --others 1000 --seed 20261201

One sealed PDF is made, then damaged at random (bits, cuts, splices, inserted and deleted ranges,
swapped objects, several at once); the others are no PDFs at all, or hostile ones. Each is judged
in a process of its own with the limits of the public page (20 s, 1 GB), forked from one that has
the libraries loaded. A file depends on the seed and its number alone; `--part 0 --parts 2` and
`--part 1 --parts 2` share the work between two terminals.

Prints the verdicts and the time and memory that they took. Exits with 1 when a file was called
genuine or incomplete without being, byte for byte, one that the registry made, or when a process
ended otherwise than with a verdict.
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import os
import random
import re
import resource
import selectors
import signal
import struct
import sys
import tempfile
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

WALL_SECONDS, CPU_SECONDS, MEMORY_BYTES = 20.0, 20, 1_000_000_000


@dataclass(frozen=True)
class Outcome:
    """What became of one file; `peak` is the process's resident memory in bytes."""

    number: int
    how: str
    kind: str
    said: str
    seconds: float
    peak: int


# --- Damage -----------------------------------------------------------------------------------

Damage = Callable[[random.Random, bytes], bytes]


def flip_bits(chance: random.Random, pdf: bytes) -> bytes:
    changed = bytearray(pdf)
    for _ in range(chance.choice((1, 1, 1, 2, 8, 200))):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def write_over(chance: random.Random, pdf: bytes) -> bytes:
    at, length = chance.randrange(len(pdf)), chance.choice((1, 4, 64, 4096))
    filling = chance.choice((bytes(length), b"0" * length, chance.randbytes(length)))
    return pdf[:at] + filling + pdf[at + length :]


def cut_the_end(chance: random.Random, pdf: bytes) -> bytes:
    return pdf[: chance.choice((chance.randrange(len(pdf)), len(pdf) - chance.randrange(1, 60)))]


def cut_the_start(chance: random.Random, pdf: bytes) -> bytes:
    return pdf[chance.choice((chance.randrange(len(pdf)), chance.randrange(1, 60))) :]


def delete_a_range(chance: random.Random, pdf: bytes) -> bytes:
    at = chance.randrange(len(pdf))
    return pdf[:at] + pdf[at + chance.choice((1, 2, 10, 500, 20_000)) :]


def insert_a_range(chance: random.Random, pdf: bytes) -> bytes:
    at, length = chance.randrange(len(pdf) + 1), chance.choice((1, 2, 10, 500, 20_000))
    what = chance.choice((chance.randbytes(length), b" " * length, b"\n" * length))
    return pdf[:at] + what + pdf[at:]


def splice(chance: random.Random, pdf: bytes) -> bytes:
    """A range of the file written over, or put before, another place of it."""
    start, at = chance.randrange(len(pdf)), chance.randrange(len(pdf))
    piece = pdf[start : start + chance.choice((20, 1000, 40_000))]
    return pdf[:at] + piece + pdf[at + chance.choice((0, len(piece))) :]


def swap_objects(chance: random.Random, pdf: bytes) -> bytes:
    found = _objects(pdf)
    if len(found) < 2:  # little is left of it
        return flip_bits(chance, pdf)
    (a, b), (c, d) = sorted(chance.sample(found, 2))
    return pdf[:a] + pdf[c:d] + pdf[b:c] + pdf[a:b] + pdf[d:]


def renumber_an_object(chance: random.Random, pdf: bytes) -> bytes:
    found = _objects(pdf)
    if not found:
        return flip_bits(chance, pdf)
    start, _ = chance.choice(found)
    digits = pdf[start : pdf.index(b" ", start)]
    other = str(chance.randrange(1, 200)).encode().zfill(len(digits))[: len(digits)]
    return pdf[:start] + other + pdf[start + len(digits) :]


def change_a_number(chance: random.Random, pdf: bytes) -> bytes:
    """A length, offset, count or reference set to something it is not."""
    found = list(re.finditer(rb"(?<=[ \[/])\d{1,10}(?=[ \]/>\r\n])", pdf))
    one = chance.choice(found)
    other = chance.choice(
        (b"0", b"-1", b"99999999999999999999", b"4294967296", b"1", b"2147483647")
    )
    return pdf[: one.start()] + other + pdf[one.end() :]


def append(chance: random.Random, pdf: bytes) -> bytes:
    tail = pdf[-chance.randrange(1, 3000) :]
    return pdf + chance.choice((chance.randbytes(chance.randrange(1, 500)), tail, b"\n", pdf[:200]))


def repeatedly(chance: random.Random, pdf: bytes) -> bytes:
    for _ in range(chance.randrange(2, 6)):
        pdf = chance.choice(DAMAGES[:-1])(chance, pdf) or b"%"
    return pdf


def _objects(pdf: bytes) -> list[tuple[int, int]]:
    return [
        (one.start(1), one.end())
        for one in re.finditer(rb"(?:\r|\n)(\d+ 0 obj\b.*?endobj)", pdf, re.DOTALL)
    ]


DAMAGES: list[Damage] = [
    flip_bits, write_over, cut_the_end, cut_the_start, delete_a_range, insert_a_range, splice,
    swap_objects, renumber_an_object, change_a_number, append, repeatedly,
]  # fmt: skip


# --- What is no PDF, or a hostile one ---------------------------------------------------------

Other = Callable[[random.Random], bytes]


def random_bytes(chance: random.Random) -> bytes:
    return chance.randbytes(chance.randrange(100_000))


def header_and_noise(chance: random.Random) -> bytes:
    return b"%PDF-1.7\n" + chance.randbytes(chance.randrange(20_000)) + b"\n%%EOF"


def truncated_header(chance: random.Random) -> bytes:
    return b"%PDF-1.7\n%%EOF"[: chance.randrange(15)]


def archive(chance: random.Random) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a.pdf", b"%PDF-1.7\n" + bytes(chance.randrange(1_000_000)))
    return out.getvalue()


def image(chance: random.Random) -> bytes:
    def part(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    size = chance.randrange(1, 60_000)
    return (
        b"\x89PNG\r\n\x1a\n"
        + part(b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0))
        + part(b"IDAT", zlib.compress(bytes(chance.randrange(50_000))))
        + part(b"IEND", b"")
    )


def _pdf(objects: list[bytes], trailer: bytes = b"", xref: bool = True) -> bytes:
    out, offsets = b"%PDF-1.7\n", []
    for number, one in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    at = len(out)
    if xref:
        out += b"xref\n0 %d\n0000000000 65535 f\r\n" % (len(objects) + 1)
        out += b"".join(b"%010d 00000 n\r\n" % offset for offset in offsets)
    out += b"trailer\n<</Size %d/Root 1 0 R%s>>\n" % (len(objects) + 1, trailer)
    return out + b"startxref\n%d\n%%%%EOF\n" % at


_CATALOG = b"<</Type/Catalog/Pages 2 0 R%s>>"
_ONE_PAGE = [b"<</Type/Pages/Count 1/Kids[3 0 R]>>", b"<</Type/Page/Parent 2 0 R>>"]


def huge_numbers(chance: random.Random) -> bytes:
    huge = b"9" * chance.choice((20, 400, 5_000))
    pages = b"<</Type/Pages/Count %s/Kids[3 0 R]>>" % huge
    return _pdf([_CATALOG % b"", pages, _ONE_PAGE[1]], b"/Prev %s" % huge)


def deep_nesting(chance: random.Random) -> bytes:
    depth = chance.choice((500, 20_000, 200_000))
    opening, closing = chance.choice(((b"[", b"]"), (b"<</A", b">>"), (b"(", b")")))
    nested = opening * depth + b" 1 " + closing * depth
    return _pdf([_CATALOG % (b"/AcroForm " + nested), *_ONE_PAGE])


def field_loop(chance: random.Random) -> bytes:
    form = b"/AcroForm<</Fields[4 0 R]>>"
    loop = b"<</T(a)/FT/Sig/Kids[4 0 R]/Parent 4 0 R>>"
    return _pdf([_CATALOG % form, *_ONE_PAGE, loop])


def page_loop(chance: random.Random) -> bytes:
    return _pdf([_CATALOG % b"", b"<</Type/Pages/Count 1/Kids[2 0 R]/Parent 2 0 R>>"])


def reference_loop(chance: random.Random) -> bytes:
    return _pdf([_CATALOG % b"/AcroForm 4 0 R", *_ONE_PAGE, b"4 0 R"])


def bomb(chance: random.Random) -> bytes:
    """A stream that unpacks to a thousand times its size; sometimes packed twice."""
    data = zlib.compress(bytes(chance.choice((50, 300)) * 1024 * 1024), 9)
    filters = b"/FlateDecode"
    if chance.random() < 0.5:
        data, filters = zlib.compress(data, 9), b"[/FlateDecode/FlateDecode]"
    stream = b"<</Length %d/Type/ObjStm/N 1000/First 5/Filter %s>>stream\n%s\nendstream" % (
        len(data), filters, data,
    )  # fmt: skip
    return _pdf([_CATALOG % b"/AcroForm 4 0 R", *_ONE_PAGE, stream])


def bomb_of_cross_references(chance: random.Random) -> bytes:
    data = zlib.compress(bytes(chance.choice((5, 60)) * 1024 * 1024), 9)
    head = b"<</Type/XRef/W[1 4 1]/Index[0 99999999]/Size 99999999/Root 2 0 R/Filter/FlateDecode"
    body = b"1 0 obj\n%s/Length %d>>stream\n%s\nendstream\nendobj\n" % (head, len(data), data)
    return b"%PDF-1.7\n" + body + b"startxref\n9\n%%EOF\n"


def prev_loop(chance: random.Random) -> bytes:
    pdf = _pdf([_CATALOG % b"", *_ONE_PAGE], b"/Prev 0000000000")
    at = int(pdf.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    return pdf.replace(b"/Prev 0000000000", b"/Prev %010d" % at)


def certificate_lookalikes(chance: random.Random) -> bytes:
    """Ten thousand places that look like the beginning of a certificate."""
    return b"%PDF-1.7\n" + b"\x30\x82\x04\x00" * chance.choice((1_000, 100_000, 2_000_000))


OTHERS: list[Other] = [
    random_bytes, random_bytes, header_and_noise, truncated_header, archive, image, huge_numbers,
    deep_nesting, field_loop, page_loop, reference_loop, bomb, bomb_of_cross_references, prev_loop,
    certificate_lookalikes,
]  # fmt: skip


# --- Running ----------------------------------------------------------------------------------


def damaged(pdf: bytes, count: int, seed: int) -> Iterator[tuple[int, str, bytes]]:
    """Give number, way and bytes of each damaged file; the same for the same seed."""
    for number in range(count):
        chance = random.Random(f"damaged {seed} {number}")
        way = chance.choice(DAMAGES)
        yield number, way.__name__, way(chance, pdf)


def others(
    count: int, seed: int, leave_out: Collection[Other] = ()
) -> Iterator[tuple[int, str, bytes]]:
    """Give number, way and bytes of each file that is no PDF of anybody's making."""
    for number in range(count):
        chance = random.Random(f"other {seed} {number}")
        way = OTHERS[number % len(OTHERS)]
        if way in leave_out:
            continue
        yield number, way.__name__, way(chance)


def judged_apart(number: int, how: str, pdf: bytes, root: str) -> Outcome:
    """Judge one file in a forked process under the limits of the public page."""
    reading, writing = os.pipe()
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _judge_and_leave(pdf, root, writing)
    os.close(writing)
    said = bytearray()
    with selectors.DefaultSelector() as selector, os.fdopen(reading, "rb", buffering=0) as source:
        selector.register(source, selectors.EVENT_READ)
        while left := max(0.0, started + WALL_SECONDS - time.monotonic()):
            if selector.select(left):
                part = source.read(65536)
                if not part:
                    break
                said += part
        else:
            os.kill(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    seconds = time.monotonic() - started
    peak = usage.ru_maxrss * 1024
    try:
        kind, words = json.loads(said)
    except ValueError:
        kind, words = "no answer", f"the process ended with {status}"
    return Outcome(number, how, kind, words, seconds, peak)


def _judge_and_leave(pdf: bytes, root: str, writing: int) -> None:
    from sealing import verify

    status = 1
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        try:
            verdict = verify.verify(pdf, root_fingerprint=root)
            told = [verdict.kind, verdict.sentences[0]]
        except MemoryError:  # as sealing.limits says it: no verdict, and no crash
            told = ["unverifiable", "it needed more memory than allowed"]
        os.write(writing, json.dumps(told).encode()[:60_000])
        status = 0
    finally:
        os._exit(status)  # nothing of the parent's is to run again


def is_wrong(outcome: Outcome, pdf: bytes, made: set[bytes]) -> bool:
    """Tell whether a verdict is one that no damaged file may get."""
    if outcome.kind in {"genuine", "incomplete"}:
        return pdf not in made
    return outcome.kind not in {"altered", "not_ours", "unverifiable"}


def honest_files() -> tuple[dict[str, bytes], str]:
    """Make one sealed file with all its stages, and the fingerprint of its root."""
    from sealing import render
    from tests.sealing.conftest import URL, make_keys, seal_all
    from tests.sealing.samples import boundary

    with tempfile.TemporaryDirectory() as folder:
        keys = make_keys(Path(folder) / "keys")
        copy = render.render_signing_copy(boundary(functions=2), verification_url=URL)
        return seal_all(copy, keys), keys.root_fingerprint


def report(name: str, outcomes: list[Outcome], wrong: list[Outcome], seconds: float) -> str:
    """Give the figures of one campaign as lines of text."""
    times = sorted(one.seconds for one in outcomes)
    peaks = sorted(one.peak for one in outcomes)

    def at(values: list[float] | list[int], share: float) -> float:
        return values[min(len(values) - 1, int(len(values) * share))]

    lines = [f"{name}: {len(outcomes)} files in {seconds:.0f} s"]
    lines.append(f"  verdicts  {dict(Counter(one.kind for one in outcomes).most_common())}")
    lines.append(
        "  seconds   "
        + ", ".join(f"p{int(s * 100)} {at(times, s):.2f}" for s in (0.5, 0.9, 0.99))
        + f", most {times[-1]:.2f}"
    )
    lines.append(
        "  memory    "
        + ", ".join(f"p{int(s * 100)} {at(peaks, s) / 1e6:.0f} MB" for s in (0.5, 0.99))
        + f", most {peaks[-1] / 1e6:.0f} MB"
    )
    slowest = max(outcomes, key=lambda one: one.seconds)
    largest = max(outcomes, key=lambda one: one.peak)
    lines.append(
        f"  slowest   {slowest.how} {slowest.number}; largest {largest.how} {largest.number}"
    )
    lines.append(f"  wrong     {len(wrong)}")
    lines += [f"    {one.how} {one.number}: {one.kind}: {one.said}" for one in wrong[:20]]
    return "\n".join(lines)


def campaign(
    name: str,
    files: Iterator[tuple[int, str, bytes]],
    root: str,
    made: set[bytes],
    judge_one: Callable[[int, str, bytes, str], Outcome] = judged_apart,
) -> list[Outcome]:
    """Judge all files, print the figures, give the outcomes that are wrong."""
    started = time.monotonic()
    outcomes, wrong = [], []
    for number, how, pdf in files:
        outcome = judge_one(number, how, pdf, root)
        outcomes.append(outcome)
        if is_wrong(outcome, pdf, made):
            wrong.append(outcome)
    sys.stdout.write(report(name, outcomes, wrong, time.monotonic() - started) + "\n")
    sys.stdout.flush()
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.damage", description=__doc__)
    parser.add_argument("--damaged", type=int, default=10_000)
    parser.add_argument("--others", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=int(datetime.now(UTC).timestamp()))
    parser.add_argument("--part", type=int, default=0, help="which part of --parts this run takes")
    parser.add_argument("--parts", type=int, default=1)
    options = parser.parse_args()
    logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
    from sealing import judge, verify  # noqa: F401 - loaded before the forks

    stages, root = honest_files()
    made = set(stages.values())

    def mine(files: Iterator[tuple[int, str, bytes]]) -> Iterator[tuple[int, str, bytes]]:
        return (one for one in files if one[0] % options.parts == options.part)

    sys.stdout.write(f"seed {options.seed}\n")
    wrong = campaign(
        "damaged", mine(damaged(stages["closed"], options.damaged, options.seed)), root, made
    )
    wrong += campaign("others", mine(others(options.others, options.seed)), root, made)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
