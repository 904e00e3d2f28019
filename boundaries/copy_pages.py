"""The pages of a signing copy, drawn once from its stored bytes and kept for a while.

The cache is addressed by the SHA-256 of the file, so that nothing in it can be of other bytes; the
store checks that hash whenever a page is drawn. It is bounded, and losing it costs a second.
"""

import hashlib
import logging
import threading
from dataclasses import dataclass

from django.core.cache import caches
from django.utils.crypto import constant_time_compare, salted_hmac

from people.models import Person
from sealing import pages
from sealing.errors import PagesNotDrawn
from sealing.pages import PageShape

from .files import files
from .models import StoredFile

log = logging.getLogger(__name__)

NORMAL, LARGE = pages.WIDTHS
# Drawn together: a process for each page would cost more than the drawing.
TOGETHER = 4

# Several pages are asked for at once: one request draws, the others find what it drew.
_drawing = [threading.Lock() for _ in range(16)]


@dataclass(frozen=True)
class PageImage:
    """A page as PNG."""

    png: bytes
    etag: str


def shapes_of(sha256: str) -> list[PageShape]:
    """Size and text of the pages of the stored file; [] where they cannot be told (logged).

    The PDF itself is then the way to read it, and signing goes on.
    """
    key = f"shapes:{sha256}:{pages.DRAWN_BY}"
    found: list[PageShape] | None = caches["pages"].get(key)
    if found is None:
        try:
            found = pages.shapes(files.get(sha256))
        except (PagesNotDrawn, StoredFile.DoesNotExist, ValueError) as failure:
            log.error("No page images of the signing copy %s: %s", sha256, failure)
            return []
        caches["pages"].set(key, found)
    return found


def image_of(sha256: str, number: int, *, width: int = NORMAL) -> PageImage:
    """Page ``number`` of the stored file; raises ``PagesNotDrawn``."""
    png = _kept(sha256, number, width)
    if png is None:
        first = (number - 1) // TOGETHER * TOGETHER + 1
        last = min(first + TOGETHER - 1, len(shapes_of(sha256)))
        if not first <= number <= last:
            raise PagesNotDrawn(f"There is no page {number}.")
        # A large image takes four times as long: alone.
        wanted = list(range(first, last + 1)) if width == NORMAL else [number]
        with _drawing[hash((sha256, first, width)) % len(_drawing)]:
            png = _kept(sha256, number, width)
            if png is None:
                drawn = pages.draw(files.get(sha256), wanted, width=width)
                for one, image in zip(wanted, drawn, strict=True):
                    caches["pages"].set(_key(sha256, one, width), image)
                png = drawn[wanted.index(number)]
    return PageImage(png, etag=f'"{hashlib.sha256(png).hexdigest()[:32]}"')


def _kept(sha256: str, number: int, width: int) -> bytes | None:
    kept: bytes | None = caches["pages"].get(_key(sha256, number, width))
    return kept


def _key(sha256: str, number: int, width: int) -> str:
    return f"page:{sha256}:{pages.DRAWN_BY}:{width}:{number}"


# --- Addresses ------------------------------------------------------------------------------------


def token_of(person: Person, sha256: str) -> str:
    """Part of the address of a page: of this person and these bytes alone.

    A browser may keep such an image; the next who signs in there has another address for it.
    """
    made = salted_hmac("boundaries.copy_pages", f"{person.pk}:{sha256}", algorithm="sha256")
    return made.hexdigest()[:32]


def is_token_of(token: str, person: Person, sha256: str) -> bool:
    return constant_time_compare(token, token_of(person, sha256))
