from django.contrib import admin

from audit.admin import ReadingOnly

from .models import Function, MissedSearch, Ownership


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
