"""Addresses below /archive/: the list, records/NC-RB/4/, holds/, retention/, erasures/."""

from django.urls import path

from .views import archive, erasures

urlpatterns = [
    path("", archive.listed, name="archive"),
    path("retention/", archive.retention_page, name="retention"),
    path("holds/", archive.hold_list, name="holds"),
    path("holds/<int:pk>/", archive.hold, name="hold"),
    path("erasures/", erasures.listed, name="erasures"),
    path("erasures/ask/", erasures.ask, name="ask_erasure"),
    path("erasures/<int:pk>/", erasures.one, name="erasure"),
    path("records/<slug:number>/<int:n>/", archive.record, name="record"),
]
