from typing import TYPE_CHECKING, Any

from django.contrib import admin

from .models import Freeze
from .pdf import owed

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


@admin.register(Freeze)
class FreezeAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    """PDFs that are owed, and why: for the Administrator, whom the texts are not for."""

    shows_each = False
    list_display = [
        "__str__",
        "frozen_at",
        "pdf_failures",
        "pdf_failures_in_a_row",
        "pdf_failed_at",
        "pdf_last_failure",
        "pdf_alarmed_at",
    ]
    list_display_links = None
    list_select_related = ["revision__document"]

    def get_queryset(self, request: "HttpRequest") -> "QuerySet[Any]":
        """Only what is owed; what is sealed has a page of its own."""
        return super().get_queryset(request).filter(pk__in=owed())
