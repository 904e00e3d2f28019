from django.contrib import admin

from .models import Function, MissedSearch, Ownership


@admin.register(Function)
class FunctionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    list_display = ["key", "name", "category", "natural_owner", "status"]
    list_filter = ["category", "status"]
    search_fields = ["key", "name"]


@admin.register(Ownership)
class OwnershipAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    list_display = ["function", "owner", "in_force_from", "in_force_until", "document_number"]
    list_select_related = ["function"]
    date_hierarchy = "in_force_from"


@admin.register(MissedSearch)
class MissedSearchAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    list_display = ["text", "count", "last_searched_at"]
