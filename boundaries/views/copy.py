"""The pages of a signing copy as images, and one page at a time in large."""

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_safe

from people.models import Person
from sealing.errors import PagesNotDrawn
from sealing.pages import PageShape

from .. import copy_pages, opening, signing
from ..errors import SigningCopyNotReady
from ..models import Freeze, Revision
from .frame import find, frame, reader_of, signed_in_verb

# A day: signing takes no longer, and a borrowed browser forgets.
KEPT_BY_THE_BROWSER = "private, max-age=86400, immutable"
ZOOMS = (100, 150, 200, 300)


@dataclass(frozen=True)
class CopyPage:
    """One page of the signing copy as a template shows it."""

    number: int
    shape: PageShape
    url: str
    large_url: str
    view_url: str
    opened: bool

    @property
    def height(self) -> int:
        """In pixels, beside a width of ``copy_pages.NORMAL``: a page keeps its place."""
        return round(copy_pages.NORMAL * self.shape.height / self.shape.width)


def copy_of(revision: Revision, freeze: Freeze, reader: Person) -> dict[str, Any]:
    """What a page needs to show the copy: its pages ([] where there are none) and what was opened.

    ``width`` is that of the images, in pixels.
    """
    sha256 = freeze.signing_copy_sha256
    opened = opening.opened_by(reader, freeze)
    where = [revision.document.number, revision.number]
    pages = []
    for number, shape in enumerate(copy_pages.shapes_of(sha256) if sha256 else [], start=1):
        token = copy_pages.token_of(reader, sha256)
        pages.append(
            CopyPage(
                number=number,
                shape=shape,
                url=reverse("boundaries:copy_image", args=[*where, token, number]),
                large_url=reverse("boundaries:copy_image_large", args=[*where, token, number]),
                view_url=reverse("boundaries:copy_page", args=[*where, number]),
                opened=number in opened.page_at,
            )
        )
    return {
        "pages": pages,
        "width": copy_pages.NORMAL,
        "large": copy_pages.LARGE,
        "opened": opened,
        "pages_opened": len(opened.page_at),
    }


def _live(request: HttpRequest, number: str, n: int) -> tuple[Revision, Freeze]:
    revision = find(request, number, n)
    freeze = get_object_or_404(
        Freeze.objects.select_related("revision__document"),
        revision=revision,
        voided_at__isnull=True,
    )
    return revision, freeze


def _image(
    request: HttpRequest, number: str, n: int, token: str, page: int, width: int
) -> HttpResponse:
    _, freeze = _live(request, number, n)
    sha256, reader = freeze.signing_copy_sha256, reader_of(request)
    if not sha256 or not copy_pages.is_token_of(token, reader, sha256):
        raise Http404("There is no such page of this text, or it was frozen anew.")
    pages = len(copy_pages.shapes_of(sha256))
    if not 1 <= page <= pages:
        raise Http404(f"This text has {pages} pages.")
    try:
        image = copy_pages.image_of(sha256, page, width=width)
    except PagesNotDrawn as failure:
        raise Http404(f"{failure} Open the PDF instead.") from failure
    # After drawing: nobody has opened what could not be handed over.
    signing.record_reading(
        freeze=freeze, page=page, pages=pages, acting_user=reader, at=timezone.now()
    )
    headers = {"Cache-Control": KEPT_BY_THE_BROWSER, "ETag": image.etag}
    if request.headers.get("If-None-Match") == image.etag:
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(image.png, content_type="image/png", headers=headers)


@signed_in_verb
@require_GET  # a HEAD would be recorded as read, and hand over nothing to read
def copy_image(request: HttpRequest, number: str, n: int, token: str, page: int) -> HttpResponse:
    """One page of the exact bytes as an image; that it was opened is recorded."""
    return _image(request, number, n, token, page, copy_pages.NORMAL)


@signed_in_verb
@require_GET
def copy_image_large(
    request: HttpRequest, number: str, n: int, token: str, page: int
) -> HttpResponse:
    """The same at twice the size, to be enlarged."""
    return _image(request, number, n, token, page, copy_pages.LARGE)


@signed_in_verb
@require_safe
def copy_page(request: HttpRequest, number: str, n: int, page: int) -> HttpResponse:
    """One page in large, in a frame that scrolls by itself, with its text below."""
    revision, freeze = _live(request, number, n)
    reader = reader_of(request)
    context, _ = frame(revision, reader)
    if not context["may"].read_draft:
        raise Http404("Only who reads drafts looks at a text before it is published.")
    if not freeze.signing_copy_sha256:
        raise SigningCopyNotReady(
            "The signing copy is still being made. It takes a few seconds; reload the page."
        )
    copy = copy_of(revision, freeze, reader)
    if not 1 <= page <= len(copy["pages"]):
        raise Http404(f"This text has {len(copy['pages'])} pages.")
    asked = request.GET.get("zoom", "")
    zoom = int(asked) if asked in {str(one) for one in ZOOMS} else ZOOMS[0]
    context |= {
        "freeze": freeze,
        "copy": copy,
        "page": copy["pages"][page - 1],
        "before": copy["pages"][page - 2] if page > 1 else None,
        "after": copy["pages"][page] if page < len(copy["pages"]) else None,
        "zoom": zoom,
        "zooms": ZOOMS,
    }
    return render(request, "boundaries/copy_page.html", context)
