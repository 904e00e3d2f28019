"""The demo's mailbox: every mail that the registry wrote, for whoever looks around in it."""

from collections.abc import Callable
from functools import wraps

from csp.constants import HEADER
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from people.models import Company

from .models import OutgoingMail

PER_PAGE = 25

# A mail brings its own style, and nothing else: no script, no form, nothing from elsewhere.
# Shown only inside our own page; its links may lead that page on.
_MAIL_POLICY = (
    "sandbox allow-top-navigation-by-user-activation; default-src 'none'; "
    "style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'self'"
)

View = Callable[..., HttpResponse]


def demo_only(view: View) -> View:
    """404 outside the demo: in a real company a mail is nobody's but its recipient's."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not Company.objects.filter(is_demo=True).exists():
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


@require_safe
@login_required
@demo_only
def mailbox(request: HttpRequest) -> HttpResponse:
    """All mails, newest first."""
    mails = OutgoingMail.objects.defer("text", "html")
    page = Paginator(mails, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "notifications/mailbox.html", {"page": page, "section": "mailbox"})


@require_safe
@login_required
@demo_only
def mail(request: HttpRequest, pk: int) -> HttpResponse:
    """One mail, both its parts."""
    found = get_object_or_404(OutgoingMail, pk=pk)
    return render(request, "notifications/mail.html", {"mail": found, "section": "mailbox"})


@require_safe
@login_required
@demo_only
@xframe_options_sameorigin
def mail_html(request: HttpRequest, pk: int) -> HttpResponse:
    """The HTML part as it was sent, in a sandbox."""
    found = get_object_or_404(OutgoingMail, pk=pk)
    # Links open the page they name, not a page inside the frame.
    html = found.html.replace("<head>", '<head><base target="_top">', 1)
    response = HttpResponse(html)
    response[HEADER] = _MAIL_POLICY
    return response
