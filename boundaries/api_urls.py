from django.urls import path

from .api import DocumentList, RevisionDetail

urlpatterns = [
    path("documents/", DocumentList.as_view(), name="api-documents"),
    path(
        "documents/<slug:number>/revisions/<int:n>/", RevisionDetail.as_view(), name="api-revision"
    ),
]
