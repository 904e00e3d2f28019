"""The look-up for programs: the same questions and answers as the pages."""

import re
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotAuthenticated, NotFound, ValidationError
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from people.api import AS_OF
from people.calendar import company_date
from people.models import Appointment, Person
from people.offices import office_short

from .as_of import read_date
from .errors import BadDate
from .models import Function
from .queries import Entry, FunctionReport, function_by_key, look_up, report_on
from .search import MAX_QUERY, record_miss


class OfficeSerializer(serializers.Serializer[Any]):
    """An Office, and the person who holds it now (null while it is vacant)."""

    key = serializers.CharField(help_text="Office key, such as cro.")
    name = serializers.CharField(help_text="Its short name, such as CRO.")
    holder = serializers.CharField(
        allow_null=True, help_text="Who holds it now, or its part where it is not established."
    )
    part_held_by = serializers.CharField(
        allow_null=True,
        help_text="The Office that its part goes to, where it is not established; else null.",
    )
    acting = serializers.BooleanField(help_text="Whether that person stands in for the holder.")


class PartSerializer(serializers.Serializer[Any]):
    """A sub-scope of a hybrid function, with its one owner."""

    key = serializers.CharField()
    name = serializers.CharField()
    owner = OfficeSerializer()


class SourceSerializer(serializers.Serializer[Any]):
    """Where the answer is written."""

    document_number = serializers.CharField()
    document_title = serializers.CharField()
    revision_number = serializers.IntegerField()
    reference = serializers.CharField(help_text="Document and Revision, such as NC-RB-4.")
    article_reference = serializers.CharField(help_text="The row, such as 4.3.")
    decision = serializers.CharField(
        help_text="An interim decision of the CEO beside the text, such as dispute-12; or empty."
    )
    url = serializers.CharField(help_text="Page of the Revision; empty where there is none.")


class StandingSerializer(serializers.Serializer[Any]):
    """A word on where the function stands, such as "Contested in draft v4"."""

    words = serializers.CharField()
    state = serializers.CharField()
    url = serializers.CharField()


class SuccessorSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    name = serializers.CharField()


class FunctionSerializer(serializers.Serializer[Any]):
    """A function of the catalog and who owns it today."""

    key = serializers.CharField(help_text="Stable for ever.")
    name = serializers.CharField()
    category = serializers.CharField()
    covers = serializers.CharField()
    rationale = serializers.CharField(help_text="Why it tends to sit where it does.")
    natural_owner = serializers.CharField()
    touches_financial_reporting = serializers.BooleanField(
        help_text="Then the CFO holds a veto on its row."
    )
    status = serializers.ChoiceField(choices=Function.Status.choices)
    owner = serializers.CharField(
        allow_null=True, help_text='Office key, "hybrid", or null while nobody owns it.'
    )
    sentence = serializers.CharField(help_text="The answer in words.")
    matched = serializers.CharField(
        allow_null=True, help_text="Why a search found it; null without one."
    )
    url = serializers.CharField(help_text="Page of the function.")
    ownership_url = serializers.CharField()


class OwnershipSerializer(serializers.Serializer[Any]):
    """Who owns a function on a date, and where that is written."""

    function = serializers.CharField(help_text="The function's key.")
    name = serializers.CharField()
    status = serializers.ChoiceField(choices=Function.Status.choices)
    successor = SuccessorSerializer(allow_null=True)
    on = serializers.DateField()
    sentence = serializers.CharField(help_text="The answer in words.")
    standing = serializers.ChoiceField(
        choices=["in_force", "expected", "unassigned"],
        help_text=(
            "in_force: a Revision in force on that date says so. expected: a Revision that is "
            "approved for a date until then will say so. unassigned: nobody owns it on that date."
        ),
    )
    owner = serializers.CharField(
        allow_null=True, help_text='Office key, "hybrid" where parts have owners, or null.'
    )
    owners = OfficeSerializer(many=True)
    sub_scopes = PartSerializer(many=True)
    scope_in = serializers.CharField()
    scope_out = serializers.CharField()
    consulted = OfficeSerializer(many=True)
    informed = OfficeSerializer(many=True)
    rationale = serializers.CharField()
    veto = serializers.BooleanField(help_text="Whether the CFO holds a veto on the row.")
    in_force_from = serializers.DateField(allow_null=True)
    in_force_until = serializers.DateField(allow_null=True, help_text="End, exclusive.")
    written_in = SourceSerializer(allow_null=True)
    standings = StandingSerializer(many=True)


class RefusalSerializer(serializers.Serializer[Any]):
    detail = serializers.CharField(help_text="A sentence that says what to write instead.")


def _office(key: str, holders: Any) -> dict[str, Any]:
    held: Appointment | None = holders.get(key)
    return {
        "key": key,
        "name": office_short(key),
        "holder": held.person.name if held else None,
        "part_held_by": held.office.key if held and held.office.key != key else None,
        "acting": held.acting if held else False,
    }


def _function(entry: Entry) -> dict[str, Any]:
    one = entry.function
    return {
        "key": one.key,
        "name": one.name,
        "category": one.category,
        "covers": one.covers,
        "rationale": one.rationale,
        "natural_owner": one.natural_owner,
        "touches_financial_reporting": one.touches_financial_reporting,
        "status": one.status,
        "owner": entry.owner or None,
        "sentence": entry.sentence,
        "matched": entry.hit.why if entry.hit else None,
        "url": reverse("functions_catalog:function", args=[one.key]),
        "ownership_url": reverse("api-function-ownership", args=[one.key]),
    }


def _ownership(report: FunctionReport) -> dict[str, Any]:
    entry, function, answer = report.entry, report.function, report.answer
    successor = function.successor
    data: dict[str, Any] = {
        "function": function.key,
        "name": function.name,
        "status": function.status,
        "successor": {"key": successor.key, "name": successor.name} if successor else None,
        "on": entry.on,
        "sentence": entry.sentence,
        "standing": "unassigned",
        "owner": None,
        "owners": [],
        "sub_scopes": [],
        "scope_in": "",
        "scope_out": "",
        "consulted": [],
        "informed": [],
        "rationale": "",
        "veto": function.touches_financial_reporting,
        "in_force_from": None,
        "in_force_until": None,
        "written_in": None,
        "standings": [
            {"words": one.label, "state": one.state, "url": one.url} for one in entry.standings
        ],
    }
    if answer is None:
        return data
    return data | {
        "standing": "expected" if answer.expected else "in_force",
        "owner": answer.owner,
        "owners": [_office(key, report.holders) for key in answer.owners],
        "sub_scopes": [
            {"key": part.key, "name": part.name, "owner": _office(part.owner, report.holders)}
            for part in answer.sub_scopes
        ],
        "scope_in": answer.scope_in,
        "scope_out": answer.scope_out,
        "consulted": [_office(key, report.holders) for key in answer.consulted],
        "informed": [_office(key, report.holders) for key in answer.informed],
        "rationale": answer.rationale,
        "veto": answer.veto,
        "in_force_from": answer.in_force_from,
        "in_force_until": answer.in_force_until,
        "written_in": {
            "document_number": answer.document_number,
            "document_title": answer.document_title,
            "revision_number": answer.revision_number,
            "reference": answer.revision_reference,
            "article_reference": answer.article_reference,
            "decision": answer.decision,
            "url": entry.document_url,
        },
    }


def _reader(request: Request) -> Person:
    if not isinstance(request.user, Person):
        raise NotAuthenticated  # the permission class has refused already; this tells the types
    return request.user


def _as_of(request: Request, today: date) -> date:
    """The date of ``?on=``. Programs write YYYY-MM-DD; a person's spelling is refused."""
    text = request.query_params.get("on", "")
    try:
        if text and not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise BadDate(f"Write the date as YYYY-MM-DD, such as {today.isoformat()}.")
        return read_date(text, today=today)
    except BadDate as refusal:
        raise ValidationError({"detail": str(refusal)}, code=refusal.code) from refusal


class FunctionList(APIView):
    """The catalog, or what a search finds in it."""

    @extend_schema(
        operation_id="functions_list",
        summary="List functions, or search them by name and alias",
        description=(
            "Without q: the whole catalog in its order. With q: what the search finds, best "
            "first, misspellings included. 50 to a page."
        ),
        parameters=[
            OpenApiParameter("q", str, description="What people call the function."),
            OpenApiParameter("page", int, description="Page number, from 1."),
        ],
        responses=FunctionSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        at = timezone.now()
        query = " ".join(request.query_params.get("q", "").split())[:MAX_QUERY]
        found = look_up(query=query, on=company_date(at), reader=_reader(request), at=at)
        if query and not found.found:
            record_miss(query, at=at)
        paginator = PageNumberPagination()
        entries = found.found if query else found.entries
        page: list[Entry] = paginator.paginate_queryset(entries, request, view=self) or []
        return paginator.get_paginated_response(
            FunctionSerializer([_function(entry) for entry in page], many=True).data
        )


class FunctionOwnership(APIView):
    """Who owns one function, today or on any date."""

    @extend_schema(
        operation_id="function_ownership",
        summary="Who owns a function on a date",
        parameters=[AS_OF],
        responses={
            200: OwnershipSerializer,
            400: OpenApiResponse(RefusalSerializer, description="The date cannot be read."),
            404: OpenApiResponse(RefusalSerializer, description="No function has this key."),
        },
    )
    def get(self, request: Request, key: str) -> Response:
        at = timezone.now()
        on = _as_of(request, company_date(at))
        try:
            function = function_by_key(key)
        except Function.DoesNotExist:
            raise NotFound(f"The catalog has no function {key}.") from None
        report = report_on(function, on=on, reader=_reader(request), at=at)
        return Response(OwnershipSerializer(_ownership(report)).data)
