"""Addresses of accounts, people and Offices."""

from django.urls import URLPattern, path

from .views import account, company, factors, invitations, people, security, sessions

app_name = "people"

urlpatterns: list[URLPattern] = [
    # --- The own account
    path("account/", account.account, name="account"),
    path("account/reading/", account.reading, name="reading"),
    path("account/tokens/revoke/", account.revoke_token, name="revoke_token"),
    path("account/protect/", factors.protect, name="protect"),
    path("account/sessions/end-others/", sessions.end_others, name="sessions_end_others"),
    path("account/sessions/<int:pk>/end/", sessions.end, name="session_end"),
    # --- Invitations and accounts
    path("people/", people.people, name="people"),
    path("people/invite/", invitations.invite, name="invite"),
    path("people/invitations/", invitations.invitation_list, name="invitations"),
    path(
        "people/invitations/<int:pk>/again/",
        invitations.send_again,
        name="send_invitation_again",
    ),
    path("people/invitations/<int:pk>/revoke/", invitations.revoke, name="revoke_invitation"),
    path("people/<int:pk>/account/", people.person_account, name="person_account"),
    path("people/<int:pk>/account/<slug:name>/", people.account_act, name="account_act"),
    path("invitation/", invitations.accept, name="accept"),
    path("invitation/<str:token>/", invitations.link, name="invitation_link"),
    # --- Offices and appointments
    # --- Permissions
    # --- Security events
    path("security/", security.events, name="security"),
    path("security/export/", security.export, name="security_export"),
    # --- The company
    path("company/", company.company, name="company"),
]
