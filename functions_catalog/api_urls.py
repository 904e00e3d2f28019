from django.urls import path

from . import api

urlpatterns = [
    path("functions/", api.FunctionList.as_view(), name="api-functions"),
    path(
        "functions/<slug:key>/ownership/",
        api.FunctionOwnership.as_view(),
        name="api-function-ownership",
    ),
]
