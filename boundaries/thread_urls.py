"""Addresses of threads and proposals, below the address of a Revision."""

from django.urls import path

from .views import threads

urlpatterns = [
    path("rows/<int:position>/thread/", threads.row, name="row_thread"),
    path("rows/<int:position>/propose/", threads.propose_row, name="propose_row"),
    path("articles/<int:article_number>/thread/", threads.article, name="article_thread"),
    path("articles/<int:article_number>/propose/", threads.propose_article, name="propose_article"),
    path("thread/resolve/", threads.resolve, name="resolve_thread"),
    path("thread/reopen/", threads.reopen, name="reopen_thread"),
    path("proposals/<int:entry>/accept/", threads.accept, name="accept_proposal"),
    path("proposals/<int:entry>/decline/", threads.decline, name="decline_proposal"),
    path("proposals/<int:entry>/take-back/", threads.take_back, name="take_back_proposal"),
    path("proposals/<int:entry>/edit/", threads.edit_with, name="edit_with_proposal"),
]
