"""Reading the text of a draft by API: the same JSON as the page's export."""

from django.http import Http404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from people.calendar import company_date

from . import queries
from .api import reader_of
from .exchange.writing import bundle


class DraftText(APIView):
    """The rows and articles of one version, with the version of each."""

    @extend_schema(
        operation_id="revisions_draft_retrieve",
        summary="Read the text of a draft (or of any version you may read) as it can be imported",
        description=(
            "The same JSON as the export on the draft's page: `rows` with every field, `articles` "
            "with text and data, each with its `version`. Changed and uploaded on that page, it "
            "is previewed before anything is saved. The API itself changes nothing."
        ),
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request, number: str, n: int) -> Response:
        now = timezone.now()
        revision = (
            queries.readable(reader_of(request), on=company_date(now))
            .filter(document__number=number, number=n)
            .first()
        )
        if revision is None:
            raise Http404
        return Response(bundle(revision, at=now))
