"""The public page: is this PDF genuine, and does it rule today?"""

from django.conf import settings
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from sealing.errors import SealingError
from sealing.verifier import NEEDS, verifier_archive
from sealing.verify import MAX_FILE_BYTES

from .. import pdf
from ..forms import VerifyForm
from ..verification import WITHIN, Judgement, Scanned, judge, too_many_files

# What a browser wraps around the file it sends.
MOST_SENT = MAX_FILE_BYTES + 100_000

TOO_MANY = "Too many files from your address. Try again in ten minutes."
TOO_LARGE = "That file is larger than 10 MB. Sealed PDFs are smaller. It was not read."
NO_KEYS = (
    "The registry has no signing keys at hand, so it cannot judge any file now. Ask its "
    "Administrator."
)


def address_of(request: HttpRequest) -> str:
    """Who asks: behind a proxy it is the address that the proxy itself added last."""
    forwarded: str = request.META.get("HTTP_X_FORWARDED_FOR", "")
    if settings.BEHIND_PROXY and forwarded:
        return forwarded.rpartition(",")[2].strip()[:64]
    return str(request.META.get("REMOTE_ADDR", ""))


def sent_bytes(request: HttpRequest) -> int:
    """How much the request says that it sends."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


@csrf_exempt  # asked for below: the token lies in the body, which must not be read before this
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """No sign-in; the file is judged in memory and not kept."""
    if sent_bytes(request) > MOST_SENT:
        return _page(request, VerifyForm(), refusal=TOO_LARGE, status=413)
    # Whatever the settings say of large files: this one never touches the disk.
    request.upload_handlers = [MemoryFileUploadHandler(request)]
    return _verify(request)


@csrf_protect
def _verify(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request, VerifyForm())
    form = VerifyForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, form, status=422)
    if too_many_files(address_of(request)):
        answer = _page(request, form, refusal=TOO_MANY, status=429)
        answer["Retry-After"] = str(int(WITHIN.total_seconds()))
        return answer
    try:
        judgement = judge(form.cleaned_data["file"].read())
    except (SealingError, OSError):
        return _page(request, form, refusal=NO_KEYS, status=503)
    return _page(request, form, judgement=judgement)


def _page(
    request: HttpRequest,
    form: VerifyForm,
    *,
    judgement: Judgement | None = None,
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    try:
        fingerprint = pdf.company_keys().root_fingerprint
    except (SealingError, OSError):
        fingerprint = ""
    scanned = Scanned.from_query(request.GET)
    context = {
        "section": "verify",
        "form": form,
        "judgement": judgement,
        "refusal": refusal,
        "scanned": scanned,
        "differs": scanned.differs_from(judgement.verdict) if scanned and judgement else "",
        "root_fingerprint": fingerprint,
        "public_url": settings.PUBLIC_URL,
        "verifier_needs": " ".join(NEEDS),
    }
    answer = render(request, "boundaries/verify.html", context, status=status)
    answer["Cache-Control"] = "no-store"
    return answer


@require_safe
def verifier(request: HttpRequest) -> HttpResponse:
    """The verifier as one file, for whoever would rather not ask this server."""
    return HttpResponse(
        verifier_archive(),
        content_type="application/zip",
        headers={"Content-Disposition": 'attachment; filename="verifier.pyz"'},
    )
