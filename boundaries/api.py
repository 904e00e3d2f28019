"""Reading documents by API. A token never agrees, signs, approves or rules."""

from typing import Any, cast

from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from notifications.mail import absolute
from people.calendar import company_date
from people.models import Person
from people.offices import office_short

from . import content as contents
from . import queries, succession
from .archive import disposal
from .holders import Holders
from .models import Document, Revision, Signature, Succession
from .states import PUBLISHED, State


def reader_of(request: Request) -> Person:
    """Who asks; the permission classes let nobody in who is not signed in."""
    return cast(Person, request.user)


class RevisionInListSerializer(serializers.Serializer[Revision]):
    """A Revision where a document is listed."""

    number = serializers.IntegerField()
    reference = serializers.CharField()
    state = serializers.ChoiceField(choices=State.choices)
    effective_date = serializers.DateField(allow_null=True)
    sunset_date = serializers.DateField(allow_null=True)
    in_force_from = serializers.DateTimeField(allow_null=True)
    in_force_until = serializers.DateTimeField(allow_null=True)


class DocumentSerializer(serializers.Serializer[Any]):
    """A boundary document with what rules and what is being written, as far as you may read."""

    number = serializers.CharField(source="document.number")
    title = serializers.CharField(source="document.title")
    is_company_boundary = serializers.BooleanField(source="document.is_company_boundary")
    in_force = RevisionInListSerializer(allow_null=True)
    unfinished = RevisionInListSerializer(allow_null=True)
    latest = RevisionInListSerializer()


class SignatureSerializer(serializers.Serializer[Any]):
    """A signature that stands."""

    office = serializers.CharField()
    office_name = serializers.SerializerMethodField()
    role = serializers.CharField()
    name = serializers.CharField(source="person_name")
    acting = serializers.BooleanField()
    method = serializers.CharField()
    reservation = serializers.CharField()
    signed_at = serializers.DateTimeField()
    by_predecessor = serializers.BooleanField(
        help_text="Whether the Office has another holder since; the signature stays valid."
    )

    def get_office_name(self, signature: Any) -> str:
        return office_short(signature.office)


class SuccessionSerializer(serializers.Serializer[Any]):
    """The successor in an Office that signed, and their answer; what they wish stays inside."""

    office = serializers.CharField()
    predecessor = serializers.CharField(source="predecessor_name")
    successor = serializers.CharField(source="appointment.person.name")
    due_date = serializers.DateField()
    standing = serializers.ChoiceField(choices=[one.value for one in succession.Standing])
    answered_at = serializers.DateTimeField(allow_null=True)


class RevisionSerializer(RevisionInListSerializer):
    """One Revision: its state, its frozen content and where the sealed PDF is."""

    document = serializers.CharField(source="document.number")
    title = serializers.CharField(source="document.title")
    content_sha256 = serializers.CharField(allow_blank=True)
    content = serializers.JSONField(allow_null=True)
    signatures = SignatureSerializer(many=True)
    successions = SuccessionSerializer(many=True)
    pdf = serializers.URLField(
        allow_null=True, help_text="The sealed PDF; null while none is, and once it is disposed of."
    )
    pdf_sha256 = serializers.CharField(allow_blank=True)
    disposed_at = serializers.DateTimeField(
        allow_null=True, help_text="When its files were disposed of; hashes and text are kept."
    )


class DocumentList(ListAPIView[Document]):
    """Every boundary document that you may read."""

    serializer_class = DocumentSerializer

    def get_queryset(self) -> Any:
        return queries.readable_documents(
            reader_of(self.request),
            on=company_date(timezone.now()),
        )

    @extend_schema(
        operation_id="documents_list",
        summary="List boundary documents: what is in force, and what is on its way",
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        page = self.paginate_queryset(self.get_queryset()) or []
        cards = queries.document_cards(
            page,
            reader_of(request),
            on=company_date(timezone.now()),
        )
        return self.get_paginated_response(DocumentSerializer(cards, many=True).data)


class RevisionDetail(APIView):
    """One Revision with its frozen content and the link to its sealed PDF."""

    @extend_schema(
        operation_id="revisions_retrieve",
        summary="Read one version: its text, its signatures and its sealed PDF",
        responses=RevisionSerializer,
    )
    def get(self, request: Request, number: str, n: int) -> Response:
        revision = (
            queries.readable(reader_of(request), on=company_date(timezone.now()))
            .filter(document__number=number, number=n)
            .first()
        )
        if revision is None:
            raise Http404
        freeze = revision.freezes.filter(voided_at__isnull=True).first()
        sealed = freeze.sealed_sha256 if freeze and revision.state in PUBLISHED else ""
        disposed = disposal.of_revision(revision)
        there = sealed and disposed is None
        link = absolute(reverse("boundaries:sealed_pdf", args=[number, n])) if there else None
        data = {
            **RevisionInListSerializer(revision).data,
            "document": revision.document.number,
            "title": revision.document.title,
            "content_sha256": freeze.content_sha256 if freeze else "",
            "content": contents.content_of(freeze) if freeze else None,
            "signatures": SignatureSerializer(_signatures(revision), many=True).data,
            "successions": SuccessionSerializer(_successions(revision), many=True).data,
            "pdf": link,
            "pdf_sha256": sealed,
            "disposed_at": disposed.answered_at if disposed else None,
        }
        return Response(data)


def _signatures(revision: Revision) -> list[Signature]:
    """The signatures that stand, each with whether its Office has changed hands since."""
    found = list(revision.signatures.filter(voided_at__isnull=True).select_related("person"))
    history = Holders({one.office for one in found}, today=company_date(timezone.now()))
    for one in found:
        one.by_predecessor = queries.is_by_predecessor(one, history)  # type: ignore[attr-defined]  # read by the serializer
    return found


def _successions(revision: Revision) -> list[Succession]:
    today = company_date(timezone.now())
    found = list(revision.successions.select_related("appointment__person", "appointment__office"))
    for one in found:
        one.revision = revision
        one.standing = succession.standing_of(one, today=today).value  # type: ignore[attr-defined]  # read by the serializer
    return found
