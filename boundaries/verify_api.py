"""Judging a PDF by API, for anybody: what the public page says, as data."""

from typing import Any, cast

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, Throttled, ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sealing.errors import SealingError
from sealing.verdict import EXIT_STATUS
from sealing.verify import MAX_FILE_BYTES

from .pdf import company_keys
from .verification import WITHIN, Judgement, Standing, judge, too_many_files
from .views.verify import NO_KEYS, TOO_LARGE, TOO_MANY, address_of, sent_bytes


class TooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = TOO_LARGE


class KeysMissing(APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = NO_KEYS


class PdfParser(BaseParser):
    """The body is the file."""

    media_type = "application/pdf"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        return stream.read(MAX_FILE_BYTES + 1)


class FoundSignatureSerializer(serializers.Serializer[Any]):
    """One signature or timestamp of the file: Offices and times, no names."""

    field = serializers.CharField()
    office = serializers.CharField()
    signed_at = serializers.CharField()
    timestamp_at = serializers.CharField()
    ok = serializers.BooleanField()
    problem = serializers.CharField(allow_blank=True)


class JudgementSerializer(serializers.Serializer[Judgement]):
    """What the registry says of a PDF. Act on it only if it is genuine and stands in force."""

    kind = serializers.ChoiceField(choices=list(EXIT_STATUS), source="verdict.kind")
    standing = serializers.ChoiceField(choices=[one.value for one in Standing])
    genuine = serializers.BooleanField(
        help_text="Complete, unaltered, of this company, recorded here and not void."
    )
    headline = serializers.CharField()
    sentences = serializers.ListField(child=serializers.CharField())
    changes = serializers.ListField(child=serializers.CharField(), source="verdict.changes")
    advice = serializers.CharField()
    reference = serializers.CharField(allow_blank=True, source="verdict.reference")
    content_sha256 = serializers.CharField(allow_blank=True, source="verdict.content_sha256")
    file_sha256 = serializers.CharField(source="verdict.file_sha256")
    in_force_from = serializers.DateTimeField(allow_null=True)
    in_force_until = serializers.DateTimeField(allow_null=True)
    signatures = FoundSignatureSerializer(many=True, source="verdict.signatures")
    missing_fields = serializers.ListField(
        child=serializers.CharField(), source="verdict.missing_fields"
    )
    timestamp_authority = serializers.CharField(
        allow_blank=True, source="verdict.timestamp_authority"
    )
    level = serializers.CharField(allow_blank=True, source="verdict.level")
    checked_at = serializers.CharField(source="verdict.checked_at")
    root_fingerprint = serializers.CharField()


class VerifyFile(APIView):
    """Judge a PDF. Needs no token; the file is judged in memory and not kept."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    parser_classes = (PdfParser,)

    @extend_schema(
        operation_id="verify_create",
        summary="Judge a PDF: is it genuine, and does it rule today? Needs no token",
        request={"application/pdf": OpenApiTypes.BINARY},
        responses=JudgementSerializer,
    )
    def post(self, request: Request) -> Response:
        if sent_bytes(request._request) > MAX_FILE_BYTES:
            raise TooLarge
        content = cast(object, request.data)
        if not isinstance(content, bytes) or not content:
            raise ValidationError({"detail": "Send the PDF as the body, as application/pdf."})
        if too_many_files(address_of(request._request)):
            raise Throttled(WITHIN.total_seconds(), TOO_MANY)
        try:
            judgement = judge(content)
            fingerprint = company_keys().root_fingerprint
        except (SealingError, OSError) as error:
            raise KeysMissing from error
        ruled = judgement.ruled
        found: Any = {name: getattr(judgement, name) for name in (
            "verdict", "standing", "genuine", "headline", "sentences", "advice",
        )}  # fmt: skip
        found |= {
            "in_force_from": ruled.in_force_from if ruled else None,
            "in_force_until": ruled.in_force_until if ruled else None,
            "root_fingerprint": fingerprint,
        }
        return Response(JudgementSerializer(found).data)
