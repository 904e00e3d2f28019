"""Django's admin, for looking at rows: it changes none, whoever asks.

What there is to change has verbs, which check who may and record it. To be staff opens the door,
and to be a superuser opens nothing more: what somebody sees follows from the Office they hold. A
model that this module does not name is not shown at all.
"""

from collections.abc import Sequence
from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.db.models import Model
from django.db.models.base import ModelBase
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from people.calendar import company_date
from people.models import Person
from people.offices import AUDITOR, CEO, CORPORATE_SECRETARY
from people.permissions import Act, entitling_appointments, may

# The parties read the log of their own documents, on pages that know which those are.
_WHOLE_LOG = frozenset({CEO, CORPORATE_SECRETARY, AUDITOR})
# The act of the matrix that reading a model's rows needs.
READ_BY = {
    "boundaries.freeze": Act.MANAGE_ACCOUNTS,
    "functions_catalog.function": Act.LOOK_UP,
    "functions_catalog.ownership": Act.LOOK_UP,
    "functions_catalog.missedsearch": Act.CHANGE_CATALOG,
    "notifications.outgoingmail": Act.MANAGE_ACCOUNTS,
    "audit.event": Act.READ_LOG,
}


def may_read(person: Any, model: type[Model]) -> bool:
    """Whether the matrix lets ``person`` read the rows of ``model``."""
    act = READ_BY.get(model._meta.label_lower)
    if act is None or not isinstance(person, Person) or not (person.is_active and person.is_staff):
        return False
    today = company_date(timezone.now())
    if act == Act.READ_LOG:
        held = entitling_appointments(person, act, on=today)
        return any(one.office.key in _WHOLE_LOG for one in held)
    return may(person, act, on=today)


class ByOffice:
    """Goes before the class of a model's pages: reading follows the matrix, writing is refused."""

    model: type[Model]
    list_filter: Sequence[Any]
    date_hierarchy: str | None
    shows_each: bool  # also a page for each row, not only the list

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may_read(request.user, self.model)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_read(request.user, self.model) and (obj is None or self.shows_each)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only what the page offers: Django lets anybody ask of any column, hidden ones too."""
        offered = [one for one in (*self.list_filter, self.date_hierarchy) if isinstance(one, str)]
        return lookup.partition("__")[0] in offered

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}


class ReadingSite(admin.AdminSite):
    """The admin's site: one way in, the registry's own, and nothing to change."""

    site_header = site_title = "Boundary Registry"
    index_title = "What is in the tables"
    enable_nav_sidebar = False

    def register(
        self,
        model_or_iterable: Any,
        admin_class: "type[admin.ModelAdmin[Any]] | None" = None,
        **options: Any,
    ) -> None:
        """Show what ``READ_BY`` names; keep to oneself what apps of others would show."""
        one = isinstance(model_or_iterable, ModelBase)
        models: list[type[Model]] = [model_or_iterable] if one else list(model_or_iterable)
        shown = [model for model in models if model._meta.label_lower in READ_BY]
        if shown:
            base = admin_class or admin.ModelAdmin
            each = {"shows_each": getattr(base, "shows_each", True)}
            reading = type(f"Reading{base.__name__}", (ByOffice, base), each)
            super().register(shown, reading, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_staff)

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The admin's own form would know nothing of rate limits and further factors."""
        answer: HttpResponse = secure_admin_login(super().login)(request, extra_context)
        return answer

    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """By the page that records it."""
        return redirect("account_logout")

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """By the page that records it, ends other sessions and tells the person."""
        return redirect("account_change_password")
