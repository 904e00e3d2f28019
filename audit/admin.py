from django.contrib import admin

from .models import Event


@admin.register(Event)
class EventAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    """Shown to whom the log is for; the site sees to that, and that nothing is changed."""

    list_display = ["sequence", "at", "event", "actor_name", "office", "object_type", "object_id"]
    list_filter = ["event", "object_type"]
    search_fields = ["actor_name", "object_id"]
