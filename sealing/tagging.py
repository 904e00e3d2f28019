"""A structure tree without idle elements: half the objects of a file, and nothing less to read.

WeasyPrint gives every run of text an element of its own below the paragraph or cell that it
belongs to. Such an element says nothing (a Span without a single property), yet there are thousands
of them, and every signature and every judgement reads them all. Here the content moves up
into the paragraph, in its order, and the elements are taken out of the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pydyf

from sealing.errors import RenderFailed

_IDLE = {"/Span", "/NonStruct"}
# Elements that may hold content themselves (PDF 1.7, 14.8.4: block and inline level).
_HOLDERS = {
    "/P", "/H1", "/H2", "/H3", "/H4", "/H5", "/H6", "/TD", "/TH", "/LBody", "/Lbl", "/Span",
    "/Link", "/Caption",
}  # fmt: skip
_PLAIN = {"Type", "S", "K", "Pg", "P"}
_REFERENCE = re.compile(rb"(\d+) 0 R")


def simplify(pdf: Any) -> None:
    """Take idle elements out of a document that is about to be written.

    Raises RenderFailed where the document is not built as this function knows it.
    """
    tree = _at(pdf, pdf.catalog["StructTreeRoot"])
    moved: dict[bytes, bytes] = {}
    for reference in list(tree["K"]):
        _lift(pdf, reference, moved)
    if not moved:
        return
    for entry in _at(pdf, tree["ParentTree"])["Nums"]:
        if isinstance(entry, list):
            entry[:] = [_last(moved, reference) for reference in entry]
    _take_out(pdf, {_number(reference) for reference in moved})


def _lift(pdf: Any, reference: bytes, moved: dict[bytes, bytes]) -> None:
    """Go through an element's children, deepest first; an idle one gives its content to it."""
    element = _at(pdf, reference)
    children: list[Any] = []
    for child in element["K"]:
        kid = _at(pdf, child) if isinstance(child, bytes) else None
        if not isinstance(kid, dict) or kid.get("Type") != "/StructElem":
            children.append(child)
            continue
        if not isinstance(kid["K"], list):
            children.append(child)
            continue
        _lift(pdf, child, moved)
        if (
            kid["S"] in _IDLE
            and element["S"] in _HOLDERS
            and set(kid) <= _PLAIN
            # numbers of marked content count within one page
            and kid.get("Pg") == element.get("Pg")
            and all(isinstance(part, int) for part in kid["K"])
        ):
            children.extend(kid["K"])
            moved[child] = reference
        else:
            children.append(child)
    element["K"][:] = children


def _last(moved: dict[bytes, bytes], reference: Any) -> Any:
    while reference in moved:
        reference = moved[reference]
    return reference


def _take_out(pdf: Any, numbers: set[int]) -> None:
    """Remove objects and close the gaps: numbers run on without one, as in a fresh file."""
    kept = [one for one in pdf.objects if one.number not in numbers]
    new = {one.number: index for index, one in enumerate(kept)}

    def renumbered(reference: bytes) -> bytes:
        number = _number(reference)
        if number not in new:
            raise RenderFailed("Something still refers to an element that was taken out.")
        return b"%d 0 R" % new[number]

    for one in kept:
        if isinstance(one, pydyf.Stream):
            _rewrite(one.extra, renumbered)
        elif isinstance(one, dict | list):
            _rewrite(one, renumbered)
    for index, one in enumerate(kept):
        one.number = index
    pdf.objects[:] = kept


def _rewrite(container: Any, renumbered: Callable[[bytes], bytes]) -> None:
    pairs = container.items() if isinstance(container, dict) else enumerate(container)
    for key, value in list(pairs):
        if isinstance(value, pydyf.String):
            continue
        if isinstance(value, dict | list):
            _rewrite(value, renumbered)
        elif isinstance(value, bytes | str):
            raw = value.encode() if isinstance(value, str) else value
            if _REFERENCE.fullmatch(raw):
                container[key] = renumbered(raw)
            elif _REFERENCE.search(raw):
                raise RenderFailed("A reference stands in an unexpected place.")
            elif raw == b"R" and isinstance(container, list):
                # pydyf writes the pages as three entries each: number, 0, R
                container[key - 2] = _number(renumbered(b"%d 0 R" % container[key - 2]))


def _number(reference: bytes) -> int:
    return int(reference.split()[0])


def _at(pdf: Any, reference: bytes) -> Any:
    return pdf.objects[_number(reference)]
