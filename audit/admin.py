from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from .models import Event


class ReadingOnly(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    """What is here has verbs of its own, in other places: the admin pages only show it."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Event)
class EventAdmin(ReadingOnly):
    """For those with Django's own permission: staff alone is no reason to read the whole log."""

    list_display = ["sequence", "at", "event", "actor_name", "office", "object_type", "object_id"]
    list_filter = ["event", "object_type"]
    search_fields = ["actor_name", "object_id"]
