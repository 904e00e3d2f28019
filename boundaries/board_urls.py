"""Addresses of the drafting board of one Revision."""

from django.urls import path

from .views import board

urlpatterns = [
    path("agree/", board.agree, name="agree"),
    path("take-back-agreement/", board.withdraw_agreement, name="withdraw_agreement"),
    path("contest/", board.contest, name="contest"),
    path("agree-all/", board.agree_all, name="agree_all"),
    path("changes/", board.changes, name="changes"),
    path("print/", board.print_view, name="print"),
    path("look/", board.look, name="look"),
    path("show/<slug:anchor>/", board.clause, name="clause"),
]
