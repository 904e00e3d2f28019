"""Addresses of accounts, people and Offices."""

from django.urls import URLPattern, path

from .views import company

app_name = "people"

urlpatterns: list[URLPattern] = [
    # --- The own account
    # --- Invitations and accounts
    # --- Offices and appointments
    # --- Permissions
    # --- Security events
    # --- The company
    path("company/", company.company, name="company"),
]
