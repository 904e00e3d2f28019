from django.urls import path

from .api import DocumentList, RevisionDetail
from .comparing_api import Compare
from .exceptions_api import ExceptionList

urlpatterns = [
    path("exceptions/", ExceptionList.as_view(), name="api-exceptions"),
    path("documents/<slug:number>/compare/", Compare.as_view(), name="api-compare"),
    path("documents/", DocumentList.as_view(), name="api-documents"),
    path(
        "documents/<slug:number>/revisions/<int:n>/", RevisionDetail.as_view(), name="api-revision"
    ),
]
