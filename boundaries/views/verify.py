"""The public page: is this PDF genuine, and does it rule today?"""

from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from sealing.errors import SealingError

from .. import pdf
from ..forms import VerifyForm
from ..verification import judge

# Judging a file takes a process of its own for up to twenty seconds.
FILES_PER_ADDRESS = 30
WITHIN = timedelta(minutes=10)


def _too_many(request: HttpRequest) -> bool:
    """Count this address's files; honest readers never come near the limit."""
    key = f"verify:{_address(request)}"
    cache.add(key, 0, timeout=int(WITHIN.total_seconds()))
    try:
        return cache.incr(key) > FILES_PER_ADDRESS
    except ValueError:
        return False  # it ran out between the two calls


def _address(request: HttpRequest) -> str:
    """Who asks: behind a proxy it is the address that the proxy itself added last."""
    forwarded: str = request.META.get("HTTP_X_FORWARDED_FOR", "")
    if settings.BEHIND_PROXY and forwarded:
        return forwarded.rpartition(",")[2].strip()[:64]
    return str(request.META.get("REMOTE_ADDR", ""))


@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """No sign-in; the file is judged in memory and not kept."""
    form = VerifyForm(request.POST or None, request.FILES or None)
    judgement, refusal, status = None, "", 200
    if request.method == "POST" and not form.is_valid():
        status = 422
    elif request.method == "POST" and _too_many(request):
        refusal, status = "Too many files from your address. Try again in ten minutes.", 429
    elif request.method == "POST":
        try:
            judgement = judge(form.cleaned_data["file"].read())
        except (SealingError, OSError):
            refusal = (
                "The registry has no signing keys at hand, so it cannot judge any file now. Ask "
                "its Administrator."
            )
            status = 503
    try:
        fingerprint = pdf.company_keys().root_fingerprint
    except (SealingError, OSError):
        fingerprint = ""
    context = {
        "section": "verify",
        "form": form,
        "judgement": judgement,
        "refusal": refusal,
        "asked_for": request.GET.get("document", "")[:64],
        "root_fingerprint": fingerprint,
        "public_url": settings.PUBLIC_URL,
    }
    return render(request, "boundaries/verify.html", context, status=status)
