"""The pages of a PDF as images and text: what a signer sees of the exact bytes that are signed.

PDFium draws (the library of Chromium's own reader), in a child process with limits. Form fields
and the stamps of signatures are drawn as they are printed. The same bytes give the same pixels
with the same PDFium; ``DRAWN_BY`` names it, for keys of caches.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from sealing.errors import ChildFailed, PagesNotDrawn
from sealing.limits import Child

MOST_BYTES = 20_000_000
MOST_PAGES = 200
MOST_AT_ONCE = 8
WIDTHS = (1240, 2480)  # pixels: 150 and 300 for each inch of A4
DRAWN_BY = f"pdfium-{version('pypdfium2')}"

_COLOURS = 128  # a page of text has few; a third of the size
_TALLEST = 3  # times its width: no page of ours comes near
_LONGEST_TEXT = 40_000

_child = Child("sealing.pages_child", cpu_seconds=20, memory_bytes=1_500_000_000)


@dataclass(frozen=True)
class PageShape:
    """One page: its size in points (1/72 inch), and the text on it in the order of the file."""

    width: float
    height: float
    text: str


def shapes(pdf: bytes, *, wall_seconds: float = 20) -> list[PageShape]:
    """Size and text of every page; raises ``PagesNotDrawn``."""
    told, _ = _ask({"do": "shapes"}, pdf, wall_seconds)
    return [PageShape(**one) for one in told["pages"]]


def draw(
    pdf: bytes, numbers: Sequence[int], *, width: int, wall_seconds: float = 20
) -> list[bytes]:
    """The pages with these numbers (the first is 1) as PNG, ``width`` pixels wide each.

    At most ``MOST_AT_ONCE``; ``width`` is one of ``WIDTHS``. Raises ``PagesNotDrawn``, also for a
    page that there is not.
    """
    told, rest = _ask({"do": "draw", "numbers": list(numbers), "width": width}, pdf, wall_seconds)
    images = []
    for size in told["sizes"]:
        images.append(rest[:size])
        rest = rest[size:]
    return images


def _ask(what: dict[str, Any], pdf: bytes, wall_seconds: float) -> tuple[dict[str, Any], bytes]:
    if len(pdf) > MOST_BYTES:
        raise PagesNotDrawn(f"The file has {len(pdf)} bytes; pages are drawn of {MOST_BYTES}.")
    request = json.dumps(what).encode() + b"\n" + pdf
    try:
        head, _, rest = _child.ask(request, wall_seconds=wall_seconds).partition(b"\n")
    except ChildFailed as failure:
        raise PagesNotDrawn(f"The pages could not be drawn: {failure}.") from failure
    return json.loads(head), rest


# --- In the child ---------------------------------------------------------------------------------


def answer(request: bytes) -> bytes:
    """One request of ``shapes`` or ``draw``, answered; runs in the child."""
    import pypdfium2

    head, _, pdf = request.partition(b"\n")
    asked = json.loads(head)
    document = pypdfium2.PdfDocument(pdf)
    document.init_forms()
    if len(document) > MOST_PAGES:
        raise PagesNotDrawn(f"it has {len(document)} pages, more than {MOST_PAGES}")
    if asked["do"] == "shapes":
        pages = [_shape(document[index]) for index in range(len(document))]
        return json.dumps({"pages": pages}).encode() + b"\n"
    numbers, width = asked["numbers"], asked["width"]
    if width not in WIDTHS or len(numbers) > MOST_AT_ONCE:
        raise PagesNotDrawn("so wide, or so many at once, no pages are drawn")
    if not all(1 <= number <= len(document) for number in numbers):
        raise PagesNotDrawn(f"it has {len(document)} pages")
    images = [_image(document[number - 1], width) for number in numbers]
    sizes = [len(one) for one in images]
    return json.dumps({"sizes": sizes}).encode() + b"\n" + b"".join(images)


def _shape(page: Any) -> dict[str, Any]:
    width, height = page.get_size()
    text = page.get_textpage().get_text_bounded()
    # A line's end as PDFium gives it, and U+FFFE where it took a hyphen for a broken word.
    plain = text.replace("\r\n", "\n").replace("\ufffe", "-").replace("\0", "")
    return {"width": width, "height": height, "text": plain.strip()[:_LONGEST_TEXT]}


def _image(page: Any, width: int) -> bytes:
    across, up = page.get_size()
    if across <= 0 or up > across * _TALLEST:
        raise PagesNotDrawn(f"a page of {across:g} by {up:g} points is no page to read")
    picture = page.render(scale=width / across, may_draw_forms=True).to_pil()
    from PIL import Image

    few = picture.convert("RGB").quantize(
        _COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
    )
    out = io.BytesIO()
    few.save(out, "PNG", optimize=False, compress_level=6)
    return out.getvalue()
