"""The evidence bundle by API."""

from django.http import Http404, HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from people.calendar import company_date
from people.errors import Refused
from sealing.canonical import sha256_hex
from sealing.errors import SealingError

from . import evidence, queries
from .api import reader_of
from .verify_api import KeysMissing


class NotReady(APIException):
    status_code = status.HTTP_409_CONFLICT


class ZipRenderer(BaseRenderer):
    """Lets a client ask for application/zip; the answer is made by the view."""

    media_type = "application/zip"
    format = "zip"


class EvidenceBundle(APIView):
    """What a stranger needs to check a sealed version without this registry."""

    renderer_classes = (JSONRenderer, ZipRenderer)

    @extend_schema(
        operation_id="evidence_retrieve",
        summary="Download the evidence bundle of a sealed version; this is recorded",
        responses={(200, "application/zip"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, number: str, n: int) -> HttpResponse | Response:
        reader, at = reader_of(request), timezone.now()
        found = (
            queries.readable(reader, on=company_date(at))
            .filter(document__number=number, number=n)
            .first()
        )
        if found is None:
            raise Http404
        try:
            bundle = evidence.bundle_of(found)
        except Refused as refusal:
            raise NotReady(str(refusal)) from refusal
        except (SealingError, OSError) as error:
            raise KeysMissing from error
        evidence.record_taken(revision=found, sha256=sha256_hex(bundle), acting_user=reader, at=at)
        name = evidence.bundle_name(found)
        return HttpResponse(
            bundle,
            content_type="application/zip",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
