"""Headers that go with every answer and that Django and django-csp do not set."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import patch_cache_control

# What a page may ask of the device: passkeys, and nothing else.
_PERMISSIONS = {
    "publickey-credentials-get": "(self)",
    "publickey-credentials-create": "(self)",
    **dict.fromkeys(
        (
            "accelerometer",
            "autoplay",
            "browsing-topics",
            "camera",
            "display-capture",
            "encrypted-media",
            "fullscreen",
            "geolocation",
            "gyroscope",
            "magnetometer",
            "microphone",
            "midi",
            "payment",
            "picture-in-picture",
            "screen-wake-lock",
            "usb",
            "xr-spatial-tracking",
        ),
        "()",
    ),
}
PERMISSIONS_POLICY = ", ".join(f"{name}={to}" for name, to in _PERMISSIONS.items())
# Pages with secrets, or about who could get in: no copy of them stays, not even for "back".
NOT_STORED = (
    *("/account/", "/accounts/", "/admin/", "/invitation/", "/security/"),
    *("/signatures/", "/signing/"),
)


class HeadersMiddleware:
    """Say what browsers may do with a page, and who may keep it.

    A page that somebody signed in has asked for is kept by their browser alone, and asked for anew
    when it is opened again. Going back shows it as it stood, with what was half typed: so browsers
    are told on signing out to forget what they kept.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        if request.method == "POST" and request.path == reverse("account_logout"):
            response.headers["Clear-Site-Data"] = '"cache"'
        if request.path.startswith(NOT_STORED):
            patch_cache_control(response, private=True, no_store=True, no_cache=True)
        elif "Cache-Control" not in response and _is_signed_in(request):
            patch_cache_control(response, private=True, no_cache=True)
        return response


def _is_signed_in(request: HttpRequest) -> bool:
    """Asked last, and only of requests that got as far as knowing who asks."""
    user = getattr(request, "user", None)
    return bool(user is not None and user.is_authenticated)
