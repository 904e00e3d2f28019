"""Reading the archive by API. A token never proposes, confirms, holds or erases."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from people.calendar import company_date
from people.errors import NotYourOffice
from people.permissions import Act, require

from .api import reader_of
from .archive import lists
from .models import Revision
from .states import State


class HoldSerializer(serializers.Serializer[Any]):
    """A legal hold that stands on it."""

    id = serializers.IntegerField(source="pk")
    on = serializers.CharField(source="what")
    matter = serializers.CharField()
    placed_at = serializers.DateTimeField()


class RecordSerializer(serializers.Serializer[Any]):
    """The record of one version: until when it is kept, and what holds it."""

    revision = serializers.CharField(source="revision.reference")
    document = serializers.CharField(source="revision.document.number")
    state = serializers.ChoiceField(source="revision.state", choices=State.choices)
    ended_at = serializers.DateTimeField(
        allow_null=True, help_text="When it was superseded or withdrawn; null while it has not."
    )
    kept_until = serializers.DateTimeField(allow_null=True)
    holds = HoldSerializer(many=True)
    may_be_disposed_of = serializers.BooleanField(source="is_due")
    disposal_waits = serializers.BooleanField(source="waits")
    disposed_at = serializers.DateTimeField(allow_null=True)
    files = serializers.IntegerField()
    bytes = serializers.IntegerField(source="size")


class ArchiveList(ListAPIView[Revision]):
    """Every record; for the CEO, the Corporate Secretary and the Auditor."""

    serializer_class = RecordSerializer

    def get_queryset(self) -> Any:
        return lists.recorded()

    @extend_schema(
        operation_id="archive_list",
        summary="List records: until when each is kept, what holds it, what was disposed of",
        parameters=[
            OpenApiParameter(
                "show",
                enum=list(lists.FILTERS),
                description="All, what may be disposed of, what may within 90 days, what is under "
                "a legal hold, or what was disposed of.",
            )
        ],
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        at = timezone.now()
        try:
            require(reader_of(request), Act.READ_ARCHIVE, on=company_date(at))
        except NotYourOffice as not_yours:
            raise PermissionDenied(str(not_yours)) from not_yours
        ids: Any = lists.wanted(request.query_params.get("show", "all"), at=at)
        page = self.paginate_queryset(ids) or []
        found: Any = page
        return self.get_paginated_response(
            RecordSerializer(lists.of_ids(found, at=at), many=True).data
        )
