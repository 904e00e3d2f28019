"""Every address of the product; each app names its own below its prefix."""

from csp.constants import SELF
from csp.decorators import csp_update
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from people.views import single_sign_on

from . import health

# Swagger UI draws its icons from data: addresses; no other page may.
_docs = csp_update({"img-src": [SELF, "data:"]})(
    SpectacularSwaggerSplitView.as_view(url_name="api-schema", template_name="api/docs.html")
)


def _closed(request: HttpRequest, **_: str) -> HttpResponse:
    """Accounts come by invitation and keep the address that they were invited by."""
    raise Http404


handler500 = "revops_registry.failures.server_error"

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    # allauth names these pages and asks for their addresses, so they stay in its list below.
    path("accounts/signup/", _closed),
    path("accounts/email/", _closed),
    path("accounts/confirm-email/", _closed),
    path("accounts/confirm-email/<path:key>", _closed),
    # People see and end their sessions on the page of their account.
    path("accounts/sessions/", _closed),
    # Accounts of the issuer are known by their `sub`: nobody joins or parts them here.
    path("accounts/3rdparty/", _closed),
    path("accounts/3rdparty/signup/", _closed),
    path("accounts/", include("people.factor_urls")),
    # Ours check more than allauth's own views; those are reachable under no name.
    path("accounts/oidc/sso/login/", single_sign_on.begin),
    path("accounts/oidc/sso/login/callback/", single_sign_on.callback),
    path("accounts/oidc/<path:other>", _closed),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("reviews/", include("reviews.urls")),
    path("mailbox/", include("notifications.urls")),
    path("news/", include("notifications.news_urls")),
    path("api/v1/", include("functions_catalog.api_urls")),
    path("api/v1/", include("boundaries.api_urls")),
    path("api/v1/", include("people.api_urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs/", _docs, name="api-docs"),
    path("", include("people.urls")),
    path("", include("functions_catalog.urls")),
    path("", include("boundaries.urls")),
]
