from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from audit.admin import ReadingOnly

from .models import OutgoingMail


@admin.register(OutgoingMail)
class OutgoingMailAdmin(ReadingOnly):
    """Whether mails go out, and why not: for the Administrator, whom what they say is not for."""

    list_display = [
        "created_at",
        "kind",
        "address",
        "state",
        "attempts",
        "not_before",
        "last_error",
    ]
    list_display_links = None
    list_filter = ["state", "kind"]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and request.user.is_active and request.user.is_staff
