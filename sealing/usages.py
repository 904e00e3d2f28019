"""Where each object of a revision is used: pyHanko's own answer, found without so much reading.

To compare revisions pyHanko asks by which paths an object was reachable from the trailer. It
copies every object of the file for each revision and walks over every value in them: nine tenths
of the time that judging a file takes. Here the references in an object are listed once for each
version of it, and revisions share the lists. The answer is the same, path by path, which tests
hold against pyHanko's own method. Importing this module puts the quicker way in place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary

from pyhanko.pdf_utils import generic, misc
from pyhanko.pdf_utils.generic import Reference
from pyhanko.pdf_utils.reader import HistoricalResolver, PdfFileReader, RawPdfPath

Path = tuple[str | int, ...]
Links = list[tuple[Path, Reference]]

_STRUCTURE: Path = ("/Root", "/StructTreeRoot", "/K")  # pyHanko's canonical way into that tree
_MOST_HOPS = 50  # from a reference to a reference, and so on

_Resolver: Any = HistoricalResolver  # as it is, not as its types say: two methods are replaced
_original_load = _Resolver._load_reverse_xref_cache
_original_usages = _Resolver._get_usages_of_ref


class _Shared:
    """What the revisions of one file have in common."""

    def __init__(self) -> None:
        self.last_changes: dict[Reference, int | None] = {}
        self.links: dict[Reference, Links] = {}


_shared: WeakKeyDictionary[PdfFileReader, _Shared] = WeakKeyDictionary()


def links_in(obj: Any) -> Links:
    """List the references that stand in an object, each with its path inside the object.

    What lies behind `/Parent` is left out, as pyHanko does.
    """
    found: Links = []

    def look(value: Any, path: Path) -> None:
        if isinstance(value, generic.IndirectObject):
            found.append((path, value.reference))
        elif isinstance(value, generic.DictionaryObject):
            for key, item in value.items():
                if key != "/Parent":
                    look(item, (*path, key))
        elif isinstance(value, generic.ArrayObject):
            for index, item in enumerate(value):
                look(item, (*path, index))

    if not isinstance(obj, generic.IndirectObject):  # pyHanko follows no chain of references
        look(obj, ())
    return found


class _Walk:
    """One revision, walked from its trailer."""

    def __init__(self, resolver: HistoricalResolver) -> None:
        self._resolver = resolver
        self._reader: Any = resolver.reader  # partly untyped library
        self._shared = _shared.setdefault(resolver.reader, _Shared())
        self._own_links: dict[Reference, Links] = {}
        self._own_objects: dict[Reference, Any] = {}
        self._pages: dict[Reference, Path] = {}
        self._structure: set[Reference] = set()
        self._on_the_way: set[Reference] = set()
        self.collected: defaultdict[Reference, list[Path]] = defaultdict(list)

    def run(self) -> None:
        self._map_pages()
        self._map_structure()
        self._walk(links_in(self._resolver.trailer_view), (), inside=False)

    def _walk(self, links: Links, path: Path, *, inside: bool) -> None:
        """Follow each reference; `inside` the structure tree, reached by its canonical way."""
        for relative, reference in links:
            whole = path + relative
            inside_now = inside or whole[:3] == _STRUCTURE
            if inside_now and "/P" in (relative if inside else whole[3:]):
                continue  # back to the parent element
            if reference in self._on_the_way:
                continue
            self.collected[reference].append(whole)
            # read in any case: what cannot be read must come to light
            further = self._links_of(reference)
            if self._pages.get(reference, whole) != whole:
                continue  # a page is entered by its place in the page tree alone
            if not inside_now and reference in self._structure:
                continue
            self._on_the_way.add(reference)
            self._walk(further, whole, inside=inside_now)
            self._on_the_way.remove(reference)

    def _links_of(self, reference: Reference) -> Links:
        links = self._shared.links if self._is_current(reference) else self._own_links
        found = links.get(reference)
        if found is None:
            found = links[reference] = links_in(self._read(reference))
        return found

    def _is_current(self, reference: Reference) -> bool:
        """Tell whether an object still is what it was in this revision."""
        known = self._shared.last_changes
        if reference not in known:
            try:
                known[reference] = self._reader.xrefs.get_last_change(reference)
            except KeyError:
                known[reference] = None
        last = known[reference]
        return last is not None and last <= self._resolver.revision

    def _read(self, reference: Reference) -> Any:
        """Give an object as it is in this revision; its references belong to the newest one."""
        if self._is_current(reference):
            return self._reader.get_object(reference, transparent_decrypt=False)
        if reference not in self._own_objects:
            self._own_objects[reference] = self._reader.get_object(
                reference, self._resolver.revision, transparent_decrypt=False
            )
        return self._own_objects[reference]

    def _follow(self, value: Any) -> Any:
        for _ in range(_MOST_HOPS):
            if not isinstance(value, generic.IndirectObject):
                return value
            value = self._read(value.reference)
        raise misc.PdfReadError("References lead round in a circle.")

    def _map_pages(self) -> None:
        pages = self._resolver.root.raw_get("/Pages")
        path: Path = ("/Root", "/Pages")
        if isinstance(pages, generic.IndirectObject):
            self._pages[pages.reference] = path
        for reference, place in self._page_tree(pages.get_object(), path):
            if reference in self._pages:
                raise misc.PdfReadError("The page tree goes round in a circle.")
            self._pages[reference] = place

    def _page_tree(self, node: Any, path: Path) -> Iterator[tuple[Reference, Path]]:
        for index, kid in enumerate(node["/Kids"]):
            place: Path = (*path, "/Kids", index)
            if isinstance(kid, generic.IndirectObject):
                yield kid.reference, place
            kid = kid.get_object()
            if kid.get("/Type", None) == "/Pages":
                yield from self._page_tree(kid, place)

    def _map_structure(self) -> None:
        try:
            root = self._resolver.root.raw_get("/StructTreeRoot")
            for reference in self._structure_tree(self._follow(root)):
                if reference in self._structure:
                    raise misc.PdfReadError("The structure tree goes round in a circle.")
                self._structure.add(reference)
        except KeyError:
            pass

    def _structure_tree(self, element: Any) -> Iterator[Reference]:
        children = self._follow(dict.get(element, "/K"))
        if not isinstance(children, generic.ArrayObject):
            children = (children,)
        for child in children:
            element = self._follow(child)
            if not isinstance(element, generic.DictionaryObject):
                continue  # a piece of content
            kind = self._follow(dict.get(element, "/Type"))
            if not (kind is None or isinstance(kind, generic.NullObject) or kind == "/StructElem"):
                continue
            if isinstance(child, generic.IndirectObject):
                yield child.reference
            yield from self._structure_tree(element)


def _load(self: Any) -> None:
    if self.reader.encrypted:
        _original_load(self)
    elif self._indirect_object_access_cache is None:
        walk = _Walk(self)
        walk.run()
        # made into pyHanko's paths when asked for: that is for few of thousands
        self._collected_paths = walk.collected
        self._indirect_object_access_cache = {}


def _usages(self: Any, ref: Reference) -> set[RawPdfPath]:
    if self.reader.encrypted:
        theirs: set[RawPdfPath] = _original_usages(self, ref)
        return theirs
    known: dict[Reference, set[RawPdfPath]] | None = self._indirect_object_access_cache
    if known is None:
        return set()
    if ref not in known:
        known[ref] = {RawPdfPath(*path) for path in self._collected_paths.get(ref, ())}
    return known[ref]


_Resolver._load_reverse_xref_cache = _load
_Resolver._get_usages_of_ref = _usages
