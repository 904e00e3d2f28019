from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from .models import Function, MissedSearch, Ownership


class ReadingOnly(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    """The catalog has its verbs, and ownership is written by boundaries alone."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Function)
class FunctionAdmin(ReadingOnly):
    list_display = ["key", "name", "category", "natural_owner", "status"]
    list_filter = ["category", "status"]
    search_fields = ["key", "name"]


@admin.register(Ownership)
class OwnershipAdmin(ReadingOnly):
    list_display = ["function", "owner", "in_force_from", "in_force_until", "document_number"]
    list_select_related = ["function"]
    date_hierarchy = "in_force_from"


@admin.register(MissedSearch)
class MissedSearchAdmin(ReadingOnly):
    list_display = ["text", "count", "last_searched_at"]
