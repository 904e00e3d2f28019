"""My signatures: every one that the reader gave, each in full, with its evidence to take away."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from .. import my_signatures
from ..files import files
from ..models import Signature, StoredFile
from ..states import PUBLISHED
from .frame import reader_of
from .signing import pdf_response

PAGE_SIZE = 20


def _mine(request: HttpRequest, pk: int) -> Signature:
    """The reader's own signature, or 404: nobody else's evidence is shown to anybody."""
    return get_object_or_404(my_signatures.given_by(reader_of(request)), pk=pk)


@login_required
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """Every signature that the reader gave, the void ones too."""
    page = Paginator(my_signatures.given_by(reader_of(request)), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    context = {
        "page_obj": page,
        "lines": [my_signatures.line_of(one) for one in page.object_list],
    }
    return render(request, "boundaries/my_signatures.html", context)


@never_cache
@login_required
@require_safe
def one(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them in full, and whether it holds now."""
    signature = _mine(request, pk)
    context = {
        "signature": signature,
        "record": my_signatures.record_of(signature),
        "strength": my_signatures.strength_of(signature),
    }
    return render(request, "boundaries/my_signature.html", context)


@never_cache
@login_required
@require_safe
def evidence(request: HttpRequest, pk: int) -> HttpResponse:
    """The evidence as JSON, to keep and to have checked elsewhere."""
    signature = _mine(request, pk)
    name = f"{signature.revision.reference}-{signature.office}-evidence.json"
    return JsonResponse(
        my_signatures.as_json(signature),
        json_dumps_params={"indent": 2, "ensure_ascii": False},
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@login_required
@require_safe
def copy(request: HttpRequest, pk: int) -> HttpResponse:
    """The bytes that the reader signed, also when the text went back to draft since."""
    signature = _mine(request, pk)
    name = f"{signature.revision.reference}-signing-copy.pdf"
    return _file(signature.signing_copy_sha256, name)


@login_required
@require_safe
def sealed(request: HttpRequest, pk: int) -> HttpResponse:
    """The sealed PDF that carries the reader's signature, once there is one."""
    signature = _mine(request, pk)
    sha256 = signature.freeze.sealed_sha256
    if not sha256 or signature.revision.state not in PUBLISHED:
        raise Http404("There is no sealed PDF with this signature.")
    return _file(sha256, f"{signature.revision.reference}.pdf", download=True)


def _file(sha256: str, name: str, *, download: bool = False) -> HttpResponse:
    try:
        content = files.get(sha256)
    except StoredFile.DoesNotExist as gone:
        raise Http404("That file is no longer kept here.") from gone
    return pdf_response(content, name, download=download)
