"""To the issuer and back."""

from allauth.account.utils import get_next_redirect_url
from allauth.core.ratelimit import consume_or_429
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.crypto import get_random_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods
from requests import RequestException

from ..single_sign_on import Exchange, configured, nonce_for

_STATE_LETTERS = 43  # 256 bits


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def begin(request: HttpRequest) -> HttpResponse:
    """Send the reader to the issuer.

    By a page that leads on, not by a redirect: browsers hold the redirects that follow a form to
    ``form-action``, and whom an issuer redirects to in its turn nobody can list.
    """
    if not configured():
        raise Http404
    if request.method != "POST":
        return redirect("account_login")
    too_many: HttpResponse | None = consume_or_429(request, action="login")
    if too_many is not None:
        return too_many
    provider = Exchange(request).get_provider()
    state = get_random_string(_STATE_LETTERS)
    try:
        answer: HttpResponse = provider.redirect(
            request,
            process=AuthProcess.LOGIN,
            next_url=get_next_redirect_url(request),
            state_id=state,
            auth_params={"nonce": nonce_for(state)},
        )
    except (OAuth2Error, RequestException) as error:
        refused: HttpResponse = render_authentication_error(request, provider, exception=error)
        return refused
    return render(request, "socialaccount/leaving.html", {"address": answer["Location"]})


@never_cache
@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    """The reader comes back, with a code or with a refusal."""
    if not configured():
        raise Http404
    answer: HttpResponse = OAuth2CallbackView.adapter_view(Exchange(request))(request)
    return answer
