"""Addresses of vetoes, of confirming what was carried over, and of amending, below a Revision."""

from django.urls import path

from .views import amending, vetoes

urlpatterns = [
    path("rows/<int:position>/veto/", vetoes.veto, name="veto"),
    path("rows/<int:position>/veto/lift/", vetoes.lift, name="lift_veto"),
    path("rows/<int:position>/veto/order/", vetoes.order, name="order"),
    path("confirm-carried/", amending.confirm_carried, name="confirm_carried"),
    path("amend/", amending.amend, name="amend"),
]
