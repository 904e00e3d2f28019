"""Reading exceptions by API."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from people.calendar import company_date

from . import exception_lists
from .api import reader_of
from .exceptions import Standing
from .models import BoundaryException


class ExceptionAnswerSerializer(serializers.Serializer[Any]):
    """One approver's answer."""

    office = serializers.CharField()
    approves = serializers.BooleanField()
    word = serializers.CharField()
    name = serializers.CharField(source="person_name")
    person_office = serializers.CharField()
    at = serializers.DateTimeField()


class ExceptionSerializer(serializers.Serializer[Any]):
    """Leave to depart from a row in force, with its approvals."""

    id = serializers.IntegerField(source="exception.pk")
    document = serializers.CharField(source="exception.revision.document.number")
    revision = serializers.CharField(source="exception.revision.reference")
    row = serializers.CharField(source="exception.row.reference")
    function = serializers.CharField(source="exception.row.function.key")
    part = serializers.CharField(source="exception.part")
    what = serializers.CharField(source="exception.what")
    reason = serializers.CharField(source="exception.reason")
    last_day = serializers.DateField(help_text="The last day on which it holds.")
    standing = serializers.ChoiceField(choices=[one.value for one in Standing])
    requested_by = serializers.CharField(source="exception.requested_by_name")
    requested_by_office = serializers.CharField(source="exception.requested_by_office")
    requested_at = serializers.DateTimeField(source="exception.requested_at")
    approvers = serializers.ListField(child=serializers.CharField(), source="exception.approvers")
    answers = ExceptionAnswerSerializer(many=True, source="exception.answers.all")


class ExceptionList(ListAPIView[BoundaryException]):
    """Every exception that you may read: granted ones everybody, requests who takes part."""

    serializer_class = ExceptionSerializer

    def get_queryset(self) -> Any:
        return exception_lists.listed(
            reader_of(self.request),
            wanted=self.request.query_params.get("standing", ""),
            on=company_date(timezone.now()),
        )

    @extend_schema(
        operation_id="exceptions_list",
        summary="List exceptions: what departs from what is in force, until when, by whose leave",
        parameters=[
            OpenApiParameter(
                "standing",
                enum=list(exception_lists.FILTERS),
                description="Only those that run, wait for approval, wait for you, or ended.",
            )
        ],
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        page = self.paginate_queryset(self.get_queryset()) or []
        lines = exception_lists.lines(page, on=company_date(timezone.now()))
        return self.get_paginated_response(ExceptionSerializer(lines, many=True).data)
