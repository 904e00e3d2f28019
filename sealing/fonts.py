"""The fonts of the document, and which texts they can draw.

Both families come from packages, so every machine renders the same pages. A character that no
packaged font has would come from whatever the machine offers, or be printed as a box: it is
found here, before freezing.
"""

from __future__ import annotations

import functools
import importlib.util
import unicodedata
from pathlib import Path

from sealing.errors import RenderFailed

# (family, weight, package, file); the serif only stands in for what the sans lacks
FACES = (
    ("Source Sans Pro", 400, "font_source_sans_pro", "SourceSansPro-Regular.otf"),
    ("Source Sans Pro", 600, "font_source_sans_pro", "SourceSansPro-Semibold.otf"),
    ("Source Serif Pro", 400, "font_source_serif_pro", "SourceSerifPro-Regular.otf"),
    ("Source Serif Pro", 600, "font_source_serif_pro", "SourceSerifPro-Semibold.otf"),
)

MAX_COMBINING_MARKS = 2
"""Marks allowed on one letter; tens of thousands of them keep the text layout busy for minutes."""

_LAYOUT = frozenset("\n\r\t")  # turned into paragraphs and spaces, never drawn
_FORBIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})  # invisible or meaningless


@functools.cache
def _font_path(package: str, file: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise RenderFailed(f"The font package {package} is not installed.")
    path = Path(spec.origin).parent / "files" / file
    if not path.is_file():
        raise RenderFailed(f"The font {file} is missing from {package}.")
    return path


@functools.cache
def font_assets() -> dict[str, bytes]:
    """Give the font files by name, for the renderer's closed set of assets."""
    return {file: _font_path(package, file).read_bytes() for _, _, package, file in FACES}


@functools.cache
def _coverage(family: str) -> frozenset[int]:
    """Give the code points that every weight of `family` can draw."""
    from fontTools.ttLib import TTFont

    covered: set[int] | None = None
    for face_family, _, package, file in FACES:
        if face_family == family:
            with TTFont(_font_path(package, file), lazy=True) as font:
                points = set(font.getBestCmap())
            covered = points if covered is None else covered & points
    return frozenset(covered or ())


def needs_serif(text: str) -> bool:
    """Tell whether `text` has a drawable character that only the serif family has."""
    return any(
        ord(c) not in _coverage("Source Sans Pro") and ord(c) in _coverage("Source Serif Pro")
        for c in set(unicodedata.normalize("NFC", text)) - _LAYOUT
    )


def undrawable(text: str) -> list[str]:
    """Give the characters of `text` that cannot be printed, each once, in order of appearance.

    These are characters that no packaged font has, invisible ones (controls, zero-width and
    direction marks, which could make a signed text read otherwise than it looks), and combining
    marks beyond MAX_COMBINING_MARKS on one letter. Line breaks and tabs are layout, not drawn.
    """
    drawable = _coverage("Source Sans Pro") | _coverage("Source Serif Pro")
    bad: dict[str, None] = {}
    marks = 0
    for character in unicodedata.normalize("NFC", text):
        if character in _LAYOUT:
            marks = 0
            continue
        category = unicodedata.category(character)
        marks = marks + 1 if category in {"Mn", "Me", "Mc"} else 0
        if category in _FORBIDDEN or ord(character) not in drawable or marks > MAX_COMBINING_MARKS:
            bad[character] = None
    return list(bad)
