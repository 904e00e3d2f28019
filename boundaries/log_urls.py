"""Addresses below /log/. What names a file is for everybody: it holds nothing of the log."""

from django.urls import path

from .views import log

urlpatterns = [
    path("", log.events, name="log"),
    path("export/", log.export, name="log_export"),
    path("check/", log.check, name="log_check"),
    path("compare/", log.compare, name="log_compare"),
    path("events/<int:sequence>/", log.event, name="log_event"),
    path("events/<int:sequence>/proof.json", log.proof, name="log_proof"),
    path("checkpoint", log.checkpoint, name="log_checkpoint"),
    path("key", log.key, name="log_key"),
    path("key.pem", log.certificate, name="log_certificate"),
]
