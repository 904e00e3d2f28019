"""The Offices for programs: who holds what on a day, as the page says it."""

import re
from datetime import date
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from .calendar import company_date
from .seats import Register, Seat, SeatState

# The day that a question is about, wherever the API takes one.
AS_OF = OpenApiParameter(
    "on", date, description="As-of date, YYYY-MM-DD in the company's zone; today if left out."
)
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class HolderSerializer(serializers.Serializer[Any]):
    """A person in an Office."""

    name = serializers.CharField()
    title = serializers.CharField(help_text="CRO, or Acting CRO for a stand-in.")
    since = serializers.DateField()
    last_day = serializers.DateField(
        allow_null=True, help_text="Included; null while the appointment is open."
    )
    active = serializers.BooleanField(help_text="False: the account is closed and cannot act.")


class SeatSerializer(serializers.Serializer[Any]):
    """An Office on the date asked for."""

    key = serializers.CharField(help_text="Stable for ever, such as cro.")
    title = serializers.CharField()
    short = serializers.CharField()
    co_signing = serializers.BooleanField()
    several_holders = serializers.BooleanField()
    state = serializers.ChoiceField(choices=[one.value for one in SeatState])
    since = serializers.DateField(allow_null=True)
    acting_now = HolderSerializer(
        many=True,
        help_text="Who may act: the stand-in while one acts, otherwise who holds the Office.",
    )
    holders = HolderSerializer(many=True, help_text="Who holds it, also while somebody stands in.")
    part_goes_to = serializers.CharField(
        allow_null=True, help_text="Key of the Office that has its part while not established."
    )
    reason = serializers.CharField(help_text="Why it is not established; otherwise empty.")
    words = serializers.CharField(help_text="The state in words.")


class OfficesSerializer(serializers.Serializer[Any]):
    on = serializers.DateField()
    offices = SeatSerializer(many=True)


class BadDateSerializer(serializers.Serializer[Any]):
    detail = serializers.CharField(help_text="A sentence that says what to write instead.")


def _seat(seat: Seat) -> dict[str, Any]:
    absent = seat.state == SeatState.NOT_ESTABLISHED
    part = seat.part_goes_to if absent else None
    office = seat.office
    return {
        "key": office.key,
        "title": office.title,
        "short": office.short,
        "co_signing": office.co_signing,
        "several_holders": office.several_holders,
        "state": seat.state.value,
        "since": seat.since,
        "acting_now": [_holder(one) for one in seat.acting_now],
        "holders": [_holder(one) for one in seat.holders],
        "part_goes_to": part.key if part else None,
        "reason": seat.reason if absent else "",
        "words": seat.words,
    }


def _holder(one: Any) -> dict[str, Any]:
    return {
        "name": one.person.name,
        "title": one.title,
        "since": one.starts_on,
        "last_day": one.last_day,
        "active": one.person.is_active,
    }


def _as_of(request: Request, today: date) -> date:
    text = request.query_params.get("on", "")
    if not text:
        return today
    try:
        if not _ISO.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise ValidationError(
            {"detail": f"Write the date as YYYY-MM-DD, such as {today.isoformat()}."}
        ) from None


class OfficeList(APIView):
    """Who holds which Office on a day."""

    @extend_schema(
        operation_id="offices_list",
        summary="Who holds which Office on a date",
        description=(
            "Every Office in its order, with who holds it and who may act for it. An appointment "
            "counts from its confirmation on; what was corrected since is shown as corrected."
        ),
        parameters=[AS_OF],
        responses={
            200: OfficesSerializer,
            400: OpenApiResponse(BadDateSerializer, description="The date cannot be read."),
        },
    )
    def get(self, request: Request) -> Response:
        today = company_date(timezone.now())
        on = _as_of(request, today)
        seats = Register().seats(on=on, today=today)
        data = {"on": on, "offices": [_seat(one) for one in seats]}
        return Response(OfficesSerializer(data).data)
