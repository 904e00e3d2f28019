"""Addresses of disputes: /disputes/12/..."""

from django.urls import path

from .views import disputes

urlpatterns = [
    path("", disputes.listed, name="disputes"),
    path("<int:pk>/", disputes.one, name="dispute"),
    path("<int:pk>/page/", disputes.page, name="dispute_page"),
    path("<int:pk>/rule/", disputes.rule, name="rule"),
    path("<int:pk>/withdraw/", disputes.settle, name="settle_dispute"),
    path("<int:pk>/go-on/", disputes.take_back, name="take_back_settlement"),
    path("<int:pk>/decider/", disputes.decider, name="name_decider"),
]
