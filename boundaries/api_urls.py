from django.urls import path

from .api import DocumentList, RevisionDetail
from .archive_api import ArchiveList
from .comparing_api import Compare
from .disputes_api import DisputeDetail, DisputeList
from .evidence_api import EvidenceBundle
from .exceptions_api import ExceptionList
from .exchange_api import DraftText
from .log_api import LogCheckpoint, LogEvent, LogEvents
from .verify_api import VerifyFile

urlpatterns = [
    path("archive/", ArchiveList.as_view(), name="api-archive"),
    path("log/events/", LogEvents.as_view(), name="api-log-events"),
    path("log/events/<int:sequence>/", LogEvent.as_view(), name="api-log-event"),
    path("log/checkpoint/", LogCheckpoint.as_view(), name="api-log-checkpoint"),
    path("verify/", VerifyFile.as_view(), name="api-verify"),
    path("disputes/", DisputeList.as_view(), name="api-disputes"),
    path("disputes/<int:pk>/", DisputeDetail.as_view(), name="api-dispute"),
    path("exceptions/", ExceptionList.as_view(), name="api-exceptions"),
    path("documents/<slug:number>/compare/", Compare.as_view(), name="api-compare"),
    path("documents/", DocumentList.as_view(), name="api-documents"),
    path(
        "documents/<slug:number>/revisions/<int:n>/", RevisionDetail.as_view(), name="api-revision"
    ),
    path(
        "documents/<slug:number>/revisions/<int:n>/evidence/",
        EvidenceBundle.as_view(),
        name="api-evidence",
    ),
    path(
        "documents/<slug:number>/revisions/<int:n>/draft/",
        DraftText.as_view(),
        name="api-draft-text",
    ),
]
