from django.urls import path

from . import views

app_name = "functions_catalog"

urlpatterns = [
    path("", views.lookup, name="lookup"),
    path("functions/<slug:key>/", views.function, name="function"),
]
