"""Addresses of accounts, people and Offices."""

from django.urls import URLPattern

app_name = "people"

urlpatterns: list[URLPattern] = [
    # --- The own account
    # --- Invitations and accounts
    # --- Offices and appointments
    # --- Permissions
    # --- Security events
    # --- The company
]
