"""Reading disputes by API. A token never files, withdraws or rules."""

from typing import Any

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from notifications.mail import absolute
from people.calendar import company_date

from . import dispute_page
from .api import reader_of
from .models import Dispute


class DisputeSerializer(serializers.Serializer[Any]):
    """A row that a party brought to the CEO."""

    id = serializers.IntegerField(source="pk")
    document = serializers.CharField(source="document.number")
    revision = serializers.CharField(source="revision.reference")
    row = serializers.CharField(source="row.reference")
    function = serializers.CharField(source="function.key")
    in_force = serializers.BooleanField(help_text="About what is in force; else about a draft.")
    question = serializers.CharField()
    parties = serializers.ListField(child=serializers.CharField())
    interim_decider = serializers.CharField(
        allow_blank=True, help_text='Office that decides until the ruling, "hybrid", or empty.'
    )
    opened_by = serializers.CharField(source="opened_by_name")
    opened_by_office = serializers.CharField()
    opened_at = serializers.DateTimeField()
    pages_due_at = serializers.DateTimeField()
    pages_opened_at = serializers.DateTimeField(allow_null=True)
    ruling_due_at = serializers.DateTimeField(allow_null=True)
    outcome = serializers.ChoiceField(choices=["", "ruled", "withdrawn", "lapsed"])
    ended_at = serializers.DateTimeField(allow_null=True)
    url = serializers.SerializerMethodField()

    def get_url(self, dispute: Any) -> str:
        return absolute(dispute.get_absolute_url())


class PageSerializer(serializers.Serializer[Any]):
    """A party's page; its text only once the pages are open."""

    office = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    filed_at = serializers.DateTimeField(allow_null=True)
    waived_at = serializers.DateTimeField(allow_null=True)
    text = serializers.CharField(allow_null=True, help_text="Null while the pages are sealed.")


class RulingSerializer(serializers.Serializer[Any]):
    """What the CEO decided."""

    terms = serializers.JSONField(help_text="Owner or parts with owners, scope in, scope out.")
    rationale = serializers.CharField()
    name = serializers.CharField(source="person_name")
    person_office = serializers.CharField()
    ruled_at = serializers.DateTimeField()
    interim_from = serializers.DateTimeField(allow_null=True)
    interim_until = serializers.DateTimeField(allow_null=True)


class DisputeDetailSerializer(DisputeSerializer):
    """One dispute with its pages, once they are open, and the ruling."""

    reason = serializers.CharField(allow_blank=True)
    pages = PageSerializer(many=True)
    ruling = RulingSerializer(allow_null=True)


class DisputeList(ListAPIView[Dispute]):
    """Every dispute that you may read, the newest first."""

    serializer_class = DisputeSerializer

    def get_queryset(self) -> Any:
        on = company_date(timezone.now())
        return dispute_page.readable(reader_of(self.request), on=on).order_by("-pk")

    @extend_schema(
        operation_id="disputes_list",
        summary="List disputes: what a party brought to the CEO, and what became of it",
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        page = self.paginate_queryset(self.get_queryset()) or []
        return self.get_paginated_response(DisputeSerializer(page, many=True).data)


class DisputeDetail(APIView):
    """One dispute with its pages, once they are open, and the ruling."""

    @extend_schema(
        operation_id="disputes_retrieve",
        summary="Read one dispute: its clock, its pages once they are open, its ruling",
        responses=DisputeDetailSerializer,
    )
    def get(self, request: Request, pk: int) -> Response:
        at = timezone.now()
        found = dispute_page.readable(reader_of(request), on=company_date(at))
        dispute = found.prefetch_related("pages").filter(pk=pk).first()
        if dispute is None:
            raise Http404
        data = {
            **DisputeSerializer(dispute).data,
            "reason": dispute.reason,
            "pages": PageSerializer(_pages(dispute, at), many=True).data,
            "ruling": (
                RulingSerializer(dispute.ruling).data
                if dispute.outcome == Dispute.Outcome.RULED
                else None
            ),
        }
        return Response(data)


def _pages(dispute: Dispute, at: Any) -> list[dict[str, Any]]:
    """One entry per party. A program's reader sees no sealed text, its own neither."""
    opened = dispute.shows_pages(at)
    pages = {one.office: one for one in dispute.pages.all()}
    found = []
    for office in dispute.parties:
        page = pages.get(office)
        filed = page is not None and page.filed_at is not None
        done = page is not None and (filed or page.waived_at is not None)
        found.append(
            {
                "office": office,
                "name": page.person_name if page is not None and done else "",
                "filed_at": page.filed_at if page is not None else None,
                "waived_at": page.waived_at if page is not None else None,
                "text": page.text if page is not None and filed and opened else None,
            }
        )
    return found
