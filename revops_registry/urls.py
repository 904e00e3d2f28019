"""Every address of the product; each app names its own below its prefix."""

from importlib.util import find_spec

from csp.constants import SELF
from csp.decorators import csp_update
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from . import health

# Swagger UI draws its icons from data: addresses; no other page may.
_docs = csp_update({"img-src": [SELF, "data:"]})(
    SpectacularSwaggerSplitView.as_view(url_name="api-schema", template_name="api/docs.html")
)


def _closed(request: HttpRequest) -> HttpResponse:
    """Accounts come by invitation and keep the address that they were invited by."""
    raise Http404


urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    # allauth names these pages and asks for their addresses, so they stay in its list below.
    path("accounts/signup/", _closed),
    path("accounts/email/", _closed),
    path("accounts/confirm-email/", _closed),
    path("accounts/", include("allauth.account.urls")),
    path("admin/", admin.site.urls),
    *[
        path(prefix, include(module))
        for prefix, module in [
            ("reviews/", "reviews.urls"),
            ("mailbox/", "notifications.urls"),
            ("api/v1/", "functions_catalog.api_urls"),
            ("api/v1/", "boundaries.api_urls"),
            ("", "functions_catalog.urls"),
            ("", "boundaries.urls"),
        ]
        if find_spec(module)  # until each room has landed
    ],
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs/", _docs, name="api-docs"),
]
