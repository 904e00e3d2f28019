"""Addresses below a Revision: which rows it has, and what changed in one."""

from django.urls import path

from .views import drafting, rows

urlpatterns = [
    path("rows/<int:position>/", drafting.row, name="row"),
    path("rows/<int:position>/move/", rows.move, name="move_row"),
    path("rows/<int:position>/leave-out/", rows.leave_out, name="leave_out"),
    path("rows/<int:position>/take-back-in/", rows.take_back_in, name="take_back_in"),
    path("rows/<int:position>/remove/", rows.remove, name="remove_row"),
    path("add-row/", rows.add, name="add_row"),
    path("<slug:anchor>/changes/", rows.changes, name="clause_changes"),
]
