from django.contrib import admin

from .models import OutgoingMail


@admin.register(OutgoingMail)
class OutgoingMailAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    """Whether mails go out, and why not: for the Administrator, whom what they say is not for."""

    shows_each = False
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
