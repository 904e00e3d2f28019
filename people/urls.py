"""Addresses of accounts, people and Offices."""

from django.urls import URLPattern, path

from .views import (
    account,
    appointments,
    company,
    factors,
    invitations,
    matrix,
    offices,
    people,
    security,
    sessions,
)

app_name = "people"

urlpatterns: list[URLPattern] = [
    # --- The own account
    path("account/", account.account, name="account"),
    path("account/reading/", account.reading, name="reading"),
    path("account/news/", account.news_by_mail, name="news_by_mail"),
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
    path("offices/", offices.offices, name="offices"),
    path("offices/record/", appointments.record, name="record_appointment"),
    path("offices/stand-in/", appointments.propose_stand_in, name="propose_stand_in"),
    path("offices/add/", offices.add_office, name="add_office"),
    path(
        "offices/appointments/<int:pk>/confirm/", appointments.confirm, name="confirm_appointment"
    ),
    path("offices/appointments/<int:pk>/refuse/", appointments.refuse, name="refuse_appointment"),
    path(
        "offices/appointments/<int:pk>/take-back/",
        appointments.take_back,
        name="take_back_appointment",
    ),
    path("offices/appointments/<int:pk>/end/", appointments.end, name="end_appointment"),
    path(
        "offices/appointments/<int:pk>/correct/", appointments.correct, name="correct_appointment"
    ),
    path("people/<int:pk>/", offices.person, name="person"),
    # --- Permissions
    path("offices/permissions/", matrix.matrix, name="matrix"),
    # --- Security events
    path("security/", security.events, name="security"),
    path("security/export/", security.export, name="security_export"),
    # --- The company
    path("company/", company.company, name="company"),
    # --- One Office: last, for its key could be any word
    path("offices/<slug:key>/", offices.office, name="office"),
    path("offices/<slug:key>/not-established/", offices.not_established, name="not_established"),
    path("offices/<slug:key>/establish/", offices.establish, name="establish_office"),
]
