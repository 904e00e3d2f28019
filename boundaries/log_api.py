"""The log by API: read only, for whom the page is, and the newest checkpoint for everybody."""

from typing import Any

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.generics import ListAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit import log_keys
from audit.checkpoints import newest
from audit.models import Event
from people.calendar import company_date
from people.errors import NotYourOffice
from sealing.errors import SealingError

from . import log_reading
from .api import reader_of
from .log_forms import LogFilterForm
from .log_reading import KINDS, Scope, Told


class EventSerializer(serializers.Serializer[Any]):
    """One event: who did what, when, for which Office, to what."""

    sequence = serializers.IntegerField(source="event.sequence")
    at = serializers.DateTimeField(source="event.at")
    event = serializers.CharField(source="event.event", help_text="Such as revision.cosigned.")
    actor_id = serializers.IntegerField(source="event.actor_id", allow_null=True)
    actor_name = serializers.CharField(source="event.actor_name", help_text="Empty: the registry.")
    office = serializers.CharField(source="event.office")
    object_type = serializers.CharField(source="event.object_type")
    object_id = serializers.CharField(source="event.object_id")
    object_version = serializers.CharField(source="event.object_version")
    object_sha256 = serializers.CharField(source="event.object_sha256")
    in_words = serializers.CharField(source="line.sentence")
    said = serializers.CharField(
        source="line.said", help_text="A reason or comment as given; empty if none, or erased."
    )
    # Its name is an attribute of the serializer too, which DRF allows for.
    data = serializers.JSONField(source="event.data")  # type: ignore[assignment]
    leaf_hash = serializers.CharField(source="event.leaf_hash")


class InclusionSerializer(serializers.Serializer[Any]):
    index = serializers.IntegerField(help_text="The leaf's place in the tree, from 0.")
    size = serializers.IntegerField(help_text="Size of the tree, as the checkpoint says.")
    proof = serializers.ListField(
        child=serializers.CharField(), help_text="Hashes from the leaf to the root (RFC 9162)."
    )


class ProvenEventSerializer(serializers.Serializer[Any]):
    """Everything that the event's leaf is made of, and the way from it to a signed root."""

    schema = serializers.CharField()
    checkpoint = serializers.CharField(allow_null=True, help_text="A signed note (C2SP).")
    log_certificate = serializers.CharField(allow_null=True, help_text="PEM.")
    event = serializers.JSONField(help_text="As in an export as JSON lines.")


class CheckpointSerializer(serializers.Serializer[Any]):
    """What the log said of itself, signed. It holds nothing of what the events say."""

    checkpoint = serializers.CharField(help_text="A signed note (C2SP tlog-checkpoint).")
    size = serializers.IntegerField(help_text="How many events the log had.")
    # DRF allows for a field of this name too; it is an attribute of the serializer as well.
    root = serializers.CharField(  # type: ignore[assignment]
        help_text="The tree's root, hexadecimal."
    )
    made_at = serializers.DateTimeField()
    verifier_key = serializers.CharField(help_text="The key that signed it, name+hash+key.")
    log_certificate = serializers.CharField(help_text="Of that key, by the company's root; PEM.")


def _scope(request: Request) -> Scope:
    try:
        return log_reading.scope_of(reader_of(request), on=company_date(timezone.now()))
    except NotYourOffice as refusal:
        raise PermissionDenied(str(refusal)) from refusal


class LogEvents(ListAPIView[Event]):
    """The events that you may read, newest first."""

    serializer_class = EventSerializer
    queryset = Event.objects.none()

    @extend_schema(
        operation_id="log_events_list",
        summary="Read the audit log: all of it, or the events of your own documents",
        parameters=[
            OpenApiParameter("words", description="Each must be in the event."),
            OpenApiParameter("document", description="A document's number, such as NC-RB."),
            OpenApiParameter("person", int, description="Whose acts and account."),
            OpenApiParameter("kind", enum=list(KINDS)),
            OpenApiParameter("event", description="One name, such as revision.cosigned."),
            OpenApiParameter("object_type"),
            OpenApiParameter("object_id"),
            OpenApiParameter("first_day", description="YYYY-MM-DD in your zone."),
            OpenApiParameter("last_day", description="YYYY-MM-DD in your zone, included."),
        ],
        responses={
            200: EventSerializer(many=True),
            400: OpenApiResponse(description="The filter cannot be read; it says what to write."),
        },
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        scope = _scope(request)
        form = LogFilterForm(request.query_params, scope=scope)
        if not form.is_valid():
            raise ValidationError(form.errors.get_json_data())
        page = self.paginate_queryset(log_reading.events(scope, form.wanted())) or []
        told: list[Told] = log_reading.told(list(page))
        return self.get_paginated_response(EventSerializer(told, many=True).data)


class LogEvent(APIView):
    """One event, with what a stranger needs to check it."""

    @extend_schema(
        operation_id="log_events_retrieve",
        summary="Read one event with its proof against the newest checkpoint",
        responses={200: ProvenEventSerializer},
    )
    def get(self, request: Request, sequence: int) -> Response:
        found = _scope(request).events().filter(sequence=sequence).first()
        if found is None:
            raise Http404
        return Response(log_reading.proof_data(found))


class LogCheckpoint(APIView):
    """The newest checkpoint, for whoever keeps it elsewhere."""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="log_checkpoint_retrieve",
        summary="Read the newest checkpoint of the log; no sign-in",
        responses={200: CheckpointSerializer, 404: OpenApiResponse(description="None yet.")},
        auth=[],
    )
    def get(self, request: Request) -> Response:
        row = newest()
        if row is None:
            raise Http404
        try:
            verifier = log_keys.verifier_of(row.certificate).text
        except (SealingError, ValueError) as error:
            raise Http404 from error
        data = {
            "checkpoint": row.note,
            "size": row.size,
            "root": row.root,
            "made_at": row.made_at,
            "verifier_key": verifier,
            "log_certificate": row.certificate,
        }
        return Response(CheckpointSerializer(data).data)
