"""Where an altered file was altered, told in words: after which step, and what it touches.

A sealed PDF grows by one update for each step: the rendered copy, the seal, a signature for each
Office, the closing timestamp. What stands in the file and belongs to no step is an update that
somebody added; its objects are named by where they stand in the document. Where bytes changed in
place, the first signature that no longer fits tells in which step's part of the file they lie.

This explains a verdict and decides none: where a file is too damaged to say more, nothing is said.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Sequence
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.decode_limits import DecodeLimits
from pyhanko.pdf_utils.reader import PdfFileReader

from sealing.content import SEAL_FIELD, TIMESTAMP_FIELD

logger = logging.getLogger(__name__)

_MOST_OBJECTS = 5_000
_MOST_PAGES = 500
_MOST_TOLD = 6

_INFO = "the title and other metadata"
_CATALOG = "the catalog of the document"
# What most programs write anew whatever they change: told where there is nothing else to tell.
_REWRITTEN = {_INFO, _CATALOG, "the metadata (XMP)"}

Names = dict[int, str]  # what is known of an object, by its number


def alterations(pdf: bytes, limits: DecodeLimits, whole: Callable[[Any], bool]) -> list[str]:
    """Give sentences on where `pdf`, which is known to be altered, was altered; may be empty.

    `whole` tells of a signature whether the bytes that it covers are those that it signed. Raises
    nothing but MemoryError, whatever the file holds.
    """
    try:
        reader = PdfFileReader(io.BytesIO(pdf), strict=False, decode_limits=limits)
        if reader.encrypted:
            return []
        signatures = list(reader.embedded_signatures)
        return _in_place(signatures, whole) or _updates(reader, signatures)
    except MemoryError:
        raise
    except Exception as error:  # a parser that trips: the verdict stands without more words
        logger.info("Nothing more to say of an altered file: %r", error)
        return []


def step_words(field: str) -> str:
    """Name the step that signed `field`: "the signature of the CFO"."""
    if field == SEAL_FIELD:
        return "the organisation's seal"
    if field == TIMESTAMP_FIELD:
        return "the closing timestamp"
    if field.startswith("Sig_"):
        return f"the signature of the {field.removeprefix('Sig_')[:24]}"
    return f"a signature in the field {field[:40]}"


def _in_place(signatures: Sequence[Any], whole: Callable[[Any], bool]) -> list[str]:
    """Say in which step's bytes the first change lies, if some were changed where they stood."""
    before = None
    for number, signature in enumerate(signatures, start=1):
        if not whole(signature):
            step = step_words(str(signature.field_name))
            if before is None:
                where = f"Bytes that {step} covers were changed"
                return [f"{where}: the pages, the attached content or the seal itself."]
            where = f"Bytes that came into the file with {step} (step {number} of"
            return [f"{where} {len(signatures)}) were changed; what {before} covers was not."]
        before = step_words(str(signature.field_name))
    return []


def _updates(reader: PdfFileReader, signatures: Sequence[Any]) -> list[str]:
    """Name what each update that is no step of ours touches."""
    steps = {int(one.signed_revision): str(one.field_name) for one in signatures}
    count = int(reader.xrefs.total_revisions)
    if not steps:
        return []
    told = []
    for revision in range(min(steps), count):
        if revision in steps:
            continue
        after = max((step for step in steps if step < revision), default=None)
        where = f"after {step_words(steps[after])}" if after is not None else "before any signature"
        touched = _touched(reader, revision)
        what = f": {_listed(touched)}" if touched else ""
        told.append(f"Update {revision + 1} of the file, added {where}, is none of ours{what}.")
    return told[:_MOST_TOLD]


def _touched(reader: PdfFileReader, revision: int) -> list[str]:
    """Give what an update wrote, in words, each once, the telling ones first."""
    now = _names(reader.get_historical_root(revision))
    before = _names(reader.get_historical_root(revision - 1)) if revision else {}
    info = reader.trailer.raw_get("/Info") if "/Info" in reader.trailer else None
    if isinstance(info, generic.IndirectObject):
        before.setdefault(int(info.idnum), _INFO)
    telling: dict[str, None] = {}
    usual: dict[str, None] = {}
    unknown = 0
    references = sorted(reader.xrefs.explicit_refs_in_revision(revision), key=lambda r: r.idnum)
    for reference in references[:_MOST_OBJECTS]:
        number = int(reference.idnum)
        words = before.get(number) or now.get(number)
        if words is None:
            unknown += 1
            continue
        did = "changed" if number in before else "added"
        (usual if words in _REWRITTEN else telling)[f"{did} {words}"] = None
    for number in sorted(set(before) - set(now)):
        if before[number] != _INFO:
            telling.setdefault(f"took out {before[number]}", None)
    if unknown and not telling:
        usual[f"wrote {unknown} object{'s' if unknown > 1 else ''} that no page shows"] = None
    return list(telling or usual)


def _listed(items: Sequence[str]) -> str:
    more = len(items) - _MOST_TOLD
    shown = list(items[:_MOST_TOLD]) + ([f"{more} more"] if more > 0 else [])
    return "it " + (shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}")


def _names(root: Any) -> Names:
    """Name the objects of a document by where they stand, the most telling name first."""
    names: Names = {}

    def name(value: Any, words: str) -> None:
        if isinstance(value, generic.IndirectObject):
            names.setdefault(int(value.idnum), words)

    for words, key in (
        ("the list of pages", "/Pages"),
        ("the form", "/AcroForm"),
        ("the metadata (XMP)", "/Metadata"),
        ("the reading structure", "/StructTreeRoot"),
        ("the validation data", "/DSS"),
        ("the list of names", "/Names"),
    ):
        name(_raw(root, key), words)
    for field in _list(_get(_get(root, "/AcroForm"), "/Fields")):
        _name_field(name, field)
    attached = _list(_get(_get(_get(root, "/Names"), "/EmbeddedFiles"), "/Names"))
    for specification in attached[1::2]:
        name(specification, "an attached file")
        streams = _get(specification, "/EF")
        for key in ("/F", "/UF"):
            name(_raw(streams, key), "the bytes of an attached file")
    for number, (reference, page) in enumerate(_pages(_get(root, "/Pages"), []), start=1):
        name(reference, f"page {number}")
        contents = _raw(page, "/Contents")
        for content in [contents, *_list(contents)]:
            name(content, f"what page {number} draws")
        for note in _list(_get(page, "/Annots")):
            name(note, f"a note on page {number}")
            name(_raw(_get(note, "/AP"), "/N"), f"the picture of a note on page {number}")
        resources = _get(page, "/Resources")
        name(_raw(page, "/Resources"), f"what page {number} draws with")
        for key in ("/XObject", "/Font"):
            kind = _get(resources, key)
            name(_raw(resources, key), f"what page {number} draws with")
            for one in kind if isinstance(kind, generic.DictionaryObject) else ():
                name(_raw(kind, one), f"what page {number} draws with")
    held_by = getattr(root, "container_ref", None)
    if isinstance(held_by, generic.Reference):
        names.setdefault(int(held_by.idnum), _CATALOG)
    return names


def _name_field(name: Callable[[Any, str], None], field: Any) -> None:
    label = str(_get(field, "/T") or "")
    words = step_words(label) if label.startswith(("Sig_", TIMESTAMP_FIELD)) else f"field {label}"
    name(field, f"the field of {words}")
    name(_raw(field, "/V"), words)
    name(_raw(_get(field, "/AP"), "/N"), f"the picture of {words}")


def _pages(node: Any, found: list[Any], depth: int = 0) -> list[tuple[Any, Any]]:
    for kid in _list(_get(node, "/Kids")):
        if len(found) >= _MOST_PAGES or depth > 20:
            break
        page = _object(kid)
        if _get(page, "/Type") == "/Pages":
            _pages(page, found, depth + 1)
        else:
            found.append((kid, page))
    return found


def _object(value: Any) -> Any:
    if isinstance(value, generic.IndirectObject):
        return value.get_object()  # type: ignore[no-untyped-call]  # partly untyped library
    return value


def _raw(container: Any, key: str) -> Any:
    container = _object(container)
    if not isinstance(container, generic.DictionaryObject) or key not in container:
        return None
    return container.raw_get(key)


def _get(container: Any, key: str) -> Any:
    return _object(_raw(container, key))


def _list(value: Any) -> list[Any]:
    value = _object(value)
    return (
        [value.raw_get(i) for i in range(len(value))]
        if isinstance(value, generic.ArrayObject)
        else []
    )
