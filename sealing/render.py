"""Canonical content to signing copy: PDF/A-3a and PDF/UA-1 at once, the same bytes every time.

`render_signing_copy` is what callers use; it works in a child process with limits. Visible stamps
(`render_stamp`) are short, capped texts and are made in the calling process.
"""

from __future__ import annotations

import ctypes
import functools
import io
import json
import threading
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sealing import content as canonical_content
from sealing import document, fonts
from sealing.canonical import canonical_json, sha256_hex
from sealing.content import SEAL_FIELD
from sealing.errors import ChildFailed, ContentInvalid, RenderFailed, Undrawable
from sealing.limits import Child

if TYPE_CHECKING:
    from weasyprint import CSS, Document
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import URLFetcher

MAX_CONTENT_BYTES = 2_000_000
MAX_TEXT_LENGTH = 20_000
_CPU_SECONDS = 60
_MEMORY_BYTES = 1_500_000_000
_PT_PER_PX = 0.75

_PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"

child = Child(
    "sealing.render_child",
    cpu_seconds=_CPU_SECONDS,
    memory_bytes=_MEMORY_BYTES,
    environment={"FONTCONFIG_FILE": str(Path(__file__).with_name("fonts.conf"))},
)


@functools.cache
def weasyprint_problem() -> str | None:
    """Give None where PDFs can be made, else the sentence that says what to install.

    Answered once for each process, without loading WeasyPrint: only its libraries are tried.
    """
    wanted = {
        "Pango": ("libpango-1.0.so.0", "libpango-1.0-0", "pango-1.0", "libpango-1.0.dylib"),
        "PangoFT2": (
            "libpangoft2-1.0.so.0", "libpangoft2-1.0-0", "pangoft2-1.0", "libpangoft2-1.0.dylib",
        ),
        "HarfBuzz-subset": (
            "libharfbuzz-subset.so.0", "libharfbuzz-subset-0", "harfbuzz-subset",
            "libharfbuzz-subset.0.dylib",
        ),
    }  # fmt: skip
    missing = [name for name, files in wanted.items() if not _loads(files)]
    if not missing:
        return None
    return (
        f"PDFs cannot be made here because {', '.join(missing)} cannot be loaded;"
        f" install the Debian packages {_PACKAGES}."
    )


def _loads(files: tuple[str, ...]) -> bool:
    for file in files:
        try:
            ctypes.CDLL(file)
        except OSError:
            continue
        return True
    return False


def render_signing_copy(
    content: Mapping[str, Any], *, verification_url: str, timeout_seconds: float = 60
) -> bytes:
    """Give the unsigned signing copy of frozen content as PDF bytes.

    The same content and address give the same bytes. The canonical JSON is attached as
    `<reference>.json`; the signature fields are named in `sealing.content`. Raises RenderFailed
    (Undrawable, ContentInvalid for the content's own faults) and never returns half a document.
    """
    problem = weasyprint_problem()
    if problem:
        raise RenderFailed(problem)
    check_content(content)
    request = canonical_json({"content": content, "verification_url": verification_url})
    try:
        return child.ask(request, wall_seconds=timeout_seconds)
    except ChildFailed as error:
        raise RenderFailed(f"The signing copy could not be rendered: {error}.") from error


def check_content(content: Mapping[str, Any]) -> None:
    """Refuse content that cannot be printed: characters, lengths, missing parts.

    Cheap enough to be asked before freezing. Raises Undrawable, ContentInvalid or RenderFailed.
    """
    found: dict[str, None] = {}
    for text in document.texts(content):
        if len(text) > MAX_TEXT_LENGTH:
            raise RenderFailed(f"A text is longer than {MAX_TEXT_LENGTH} characters.")
        found.update(dict.fromkeys(fonts.undrawable(text)))
    if found:
        raise Undrawable(list(found))
    try:
        size = len(canonical_json(content))
        document.signing_html(content, content_sha256="0" * 64, verification_url="")
        canonical_content.reference(content)
    except ContentInvalid:
        raise
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ContentInvalid(f"The content cannot be read ({error!r}).") from error
    if size > MAX_CONTENT_BYTES:
        raise RenderFailed(f"The content is larger than {MAX_CONTENT_BYTES // 1_000_000} MB.")


# Inside the child


def answer(request: bytes) -> bytes:
    """Render one request of `render_signing_copy`; runs in the child process."""
    asked = json.loads(request)
    return render_here(asked["content"], verification_url=asked["verification_url"])


def render_here(content: Mapping[str, Any], *, verification_url: str) -> bytes:
    """Render in this process, without limits: for the child, and for profiling."""
    load_weasyprint()
    from weasyprint import HTML, Attachment

    attached = canonical_json(content)
    digest = sha256_hex(attached)
    fixed = document.moment(canonical_content.text_at(content, "freeze", "frozen_at"))
    fetcher = locked_fetcher({"qr.svg": (_qr_code(verification_url), "image/svg+xml")})
    serif = any(fonts.needs_serif(text) for text in document.texts(content))
    faces, font_config = _faces(fetcher, serif=serif)
    style = _css(
        document.style_sheet() + document.running_css(content, digest), fetcher, font_config
    )
    rendered = HTML(
        string=document.signing_html(
            content, content_sha256=digest, verification_url=verification_url
        ),
        url_fetcher=fetcher,
        base_url="asset:",
    ).render(stylesheets=[faces, style], font_config=font_config, pdf_variant="pdf/a-3a")
    _claim_pdf_ua(rendered)
    attachment = Attachment(
        string=attached.decode(),
        name=f"{canonical_content.reference(content)}.json",
        description="Canonical content of this Revision (RFC 8785 JSON)",
        relationship="Source",
        created=fixed,
        modified=fixed,
        url_fetcher=fetcher,
    )
    pdf = rendered.write_pdf(
        pdf_variant="pdf/a-3a",
        pdf_tags=True,
        pdf_identifier=bytes.fromhex(digest)[:16].hex().encode(),
        attachments=[attachment],
        finisher=_place_fields(_field_labels(content), _lock_field(content)),
    )
    if not isinstance(pdf, bytes):
        raise RenderFailed("The renderer gave no file.")
    return pdf


def render_plain(html: str, css: str) -> bytes:
    """Give HTML of ours as an accessible PDF (PDF/UA-1) without seal, attachment or fields.

    For the child process of what is only read (`sealing.comparison`).
    """
    load_weasyprint()
    from weasyprint import HTML

    fetcher = locked_fetcher({})
    faces, font_config = _faces(fetcher, serif=fonts.needs_serif(html))
    pdf = (
        HTML(string=html, url_fetcher=fetcher, base_url="asset:")
        .render(
            stylesheets=[faces, _css(css, fetcher, font_config)],
            font_config=font_config,
            pdf_variant="pdf/ua-1",
        )
        .write_pdf(pdf_variant="pdf/ua-1", pdf_tags=True)
    )
    if not isinstance(pdf, bytes):
        raise RenderFailed("The renderer gave no file.")
    return pdf


def render_stamp(html_body: str, css: str, *, width_pt: float, height_pt: float) -> bytes | None:
    """Give a one-page PDF of the given size for a visible stamp, or None if it does not fit.

    `html_body` is escaped by the caller (`sealing.stamp`), which tries smaller type on None.
    """
    load_weasyprint()
    from weasyprint import HTML

    with _stamp_lock:
        fetcher, faces, font_config = _stamp_fonts(fonts.needs_serif(html_body))
        size = f"@page {{ size: {width_pt}pt {height_pt}pt; margin: 0 }}"
        rendered = HTML(
            string=f'<html lang="en"><title>Signature</title><body>{html_body}</body></html>',
            url_fetcher=fetcher,
            base_url="asset:",
        ).render(
            stylesheets=[faces, _css(size + css, fetcher, font_config)], font_config=font_config
        )
        if len(rendered.pages) != 1:
            return None
        pdf = rendered.write_pdf()
    return pdf if isinstance(pdf, bytes) else None


def load_weasyprint() -> None:
    """Load WeasyPrint quietly on machines that have no fonts of their own: we bring ours."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "No fonts configured in FontConfig", UserWarning)
        import weasyprint  # noqa: F401 - loaded for what follows


_stamp_lock = threading.Lock()  # a font map serves one thread at a time


@functools.lru_cache(maxsize=2)
def _stamp_fonts(serif: bool) -> tuple[URLFetcher, CSS, FontConfiguration]:
    """Give the fonts of stamps, set up once: looking through a machine's fonts can cost 0.5 s."""
    fetcher = locked_fetcher({})
    return fetcher, *_faces(fetcher, serif=serif)


def locked_fetcher(extra: Mapping[str, tuple[bytes, str]]) -> URLFetcher:
    """Give a fetcher that serves `asset:` names from a closed set and refuses all else.

    WeasyPrint's own would read local files and the network. Redirects are off, and an unknown
    name or protocol stops the rendering instead of leaving a hole in the page.
    """
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    assets = {name: (data, "font/otf") for name, data in fonts.font_assets().items()} | dict(extra)

    class LockedFetcher(URLFetcher):  # type: ignore[misc]  # WeasyPrint has no types
        def __init__(self) -> None:
            super().__init__(
                allowed_protocols=("asset",), allow_redirects=False, fail_on_errors=True
            )

        def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
            name = url.removeprefix("asset:")
            if name == url or name not in assets:
                raise ValueError(f"The document may not reach {url[:80]!r}.")
            data, mime_type = assets[name]
            return URLFetcherResponse(url, data, {"Content-Type": mime_type})

    return LockedFetcher()


def _faces(fetcher: URLFetcher, *, serif: bool) -> tuple[CSS, FontConfiguration]:
    from weasyprint.text.fonts import FontConfiguration

    faces = "".join(
        f'@font-face {{ font-family: "{family}"; font-weight: {weight}; src: url(asset:{file}) }}'
        for family, weight, _, file in fonts.FACES
        if serif or "Sans" in family
    )
    font_config = FontConfiguration()
    return _css(faces, fetcher, font_config), font_config


def _css(text: str, fetcher: URLFetcher, font_config: FontConfiguration) -> CSS:
    from weasyprint import CSS

    return CSS(string=text, font_config=font_config, url_fetcher=fetcher, base_url="asset:")


def _qr_code(url: str) -> bytes:
    import segno

    out = io.BytesIO()
    segno.make(url, error="m", micro=False).save(
        out, kind="svg", scale=4, dark="#12161b", border=0, xmldecl=False
    )
    return out.getvalue()


_UA_XMP = b"""<rdf:Description rdf:about="" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">
<pdfuaid:part>1</pdfuaid:part></rdf:Description>
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
 xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#"
 xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#"><pdfaExtension:schemas><rdf:Bag>
<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>PDF/UA identification</pdfaSchema:schema>
<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix><pdfaSchema:property><rdf:Seq>
<rdf:li rdf:parseType="Resource"><pdfaProperty:name>part</pdfaProperty:name>
<pdfaProperty:valueType>Integer</pdfaProperty:valueType>
<pdfaProperty:category>internal</pdfaProperty:category>
<pdfaProperty:description>Part of ISO 14289 that the file conforms to</pdfaProperty:description>
</rdf:li></rdf:Seq></pdfaSchema:property></rdf:li></rdf:Bag></pdfaExtension:schemas>
</rdf:Description></rdf:RDF>"""


def _claim_pdf_ua(rendered: Document) -> None:
    """Add PDF/UA-1 to the metadata: WeasyPrint writes one variant's claim at a time.

    PDF/A wants the foreign property described by an extension schema beside it.
    """
    metadata: Any = rendered.metadata
    original = metadata.generate_rdf_metadata

    def with_ua(*args: Any) -> bytes:
        found = bytes(original(*args))
        if b"</rdf:RDF>" not in found:
            raise RenderFailed("The metadata has an unexpected form.")
        return found.replace(b"</rdf:RDF>", _UA_XMP)

    metadata.generate_rdf_metadata = with_ua


def _field_labels(content: Mapping[str, Any]) -> dict[str, str]:
    organisation = canonical_content.text_at(content, "organisation")
    labels = {SEAL_FIELD: f"Organisation seal of {organisation}"}
    for who in canonical_content.signatories(content):
        labels[who.field] = f"Signature of the {who.title}"
    return labels


def _lock_field(content: Mapping[str, Any]) -> str:
    return next(s.field for s in canonical_content.signatories(content) if s.approver)


def _boxes(rendered: Any, wanted: Mapping[str, str]) -> dict[str, tuple[int, list[float]]]:
    """Give page index and PDF rectangle (points, from the bottom left) of each field's box."""
    found: dict[str, tuple[int, list[float]]] = {}
    for index, page in enumerate(rendered.pages):
        height = page.height * _PT_PER_PX
        for box in page._page_box.descendants():
            element = getattr(box, "element", None)
            name = str(element.get("id")) if element is not None else ""
            if name in wanted and name not in found and box.width and box.height:
                x, y = box.border_box_x(), box.border_box_y()
                right, bottom = x + box.border_width(), y + box.border_height()
                edges = (x, height / _PT_PER_PX - bottom, right, height / _PT_PER_PX - y)
                found[name] = (index, [round(edge * _PT_PER_PX, 2) for edge in edges])
    missing = [name for name in wanted if name not in found]
    if missing:
        raise RenderFailed(f"The page has no box for {', '.join(missing)}.")
    return found


def _place_fields(labels: Mapping[str, str], lock_field: str) -> Any:
    """Make the finisher that puts a tagged, empty signature field on each box."""
    import pydyf

    from sealing import tagging

    def finish(rendered: Any, pdf: Any) -> None:
        tagging.simplify(pdf)
        boxes = _boxes(rendered, labels)
        pages: list[Any] = [
            o for o in pdf.objects if isinstance(o, dict) and o.get("Type") == "/Page"
        ]

        def at(reference: bytes) -> Any:
            return pdf.objects[int(reference.split()[0])]

        tree = at(pdf.catalog["StructTreeRoot"])
        parents = at(tree["ParentTree"])
        top = at(tree["K"][0])
        fields = pydyf.Array()
        for name, label in labels.items():
            index, rectangle = boxes[name]
            page = pages[index]
            width, height = rectangle[2] - rectangle[0], rectangle[3] - rectangle[1]
            appearance = pydyf.Stream(
                [b""],
                {
                    "Type": "/XObject",
                    "Subtype": "/Form",
                    "BBox": pydyf.Array([0, 0, round(width, 2), round(height, 2)]),
                    "Resources": pydyf.Dictionary(),
                },
            )
            pdf.add_object(appearance)
            key = max([*parents["Nums"][0::2], -1]) + 1
            widget = pydyf.Dictionary(
                {
                    "Type": "/Annot",
                    "Subtype": "/Widget",
                    "FT": "/Sig",
                    "T": pydyf.String(name),
                    "TU": pydyf.String(label),
                    "F": 132,  # printed, and locked in place
                    "Rect": pydyf.Array(rectangle),
                    "P": page.reference,
                    "AP": pydyf.Dictionary({"N": appearance.reference}),
                    "StructParent": key,
                }
            )
            if name == lock_field:
                widget["Lock"] = pydyf.Dictionary(
                    {"Type": "/SigFieldLock", "Action": "/All", "P": 1}
                )
            pdf.add_object(widget)
            fields.append(widget.reference)
            page.setdefault("Annots", pydyf.Array()).append(widget.reference)
            element = pydyf.Dictionary(
                {
                    "Type": "/StructElem",
                    "S": "/Form",
                    "P": top.reference,
                    "Pg": page.reference,
                    "Alt": pydyf.String(label),
                    # The dictionary itself, not an array of one: pyHanko rewrites an array when
                    # it signs and then reads its own file as modified.
                    "K": pydyf.Dictionary(
                        {"Type": "/OBJR", "Obj": widget.reference, "Pg": page.reference}
                    ),
                }
            )
            pdf.add_object(element)
            top["K"].append(element.reference)
            parents["Nums"].extend([key, element.reference])
            tree["ParentTreeNextKey"] = key + 1
        pdf.catalog["AcroForm"] = pydyf.Dictionary({"Fields": fields, "SigFlags": 3})
        _write_plainly(pdf)

    return finish


def _write_plainly(pdf: Any) -> None:
    """Write objects one by one under a plain cross-reference table.

    One object stream of thousands of objects makes the file a third of the size, but readers
    that look objects up one at a time (pyHanko is one) then need minutes to compare revisions.
    Page contents, fonts and the attachment stay compressed.
    """
    write = pdf.write

    def plainly(output: Any, version: Any, identifier: Any, compress: bool) -> None:
        write(output, version, identifier, compress=False)

    pdf.write = plainly
