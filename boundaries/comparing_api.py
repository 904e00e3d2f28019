"""What changed between two versions, for programs: the same as the page shows."""

from typing import Any, cast

from django.http import Http404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from people.calendar import company_date
from people.models import Person

from . import comparing, versions
from .comparing import Kind, Show
from .models import Revision


class PieceSerializer(serializers.Serializer[Any]):
    """A run of words; same and removed together are the earlier text, same and added the later."""

    kind = serializers.ChoiceField(choices=["same", "removed", "added"])
    text = serializers.CharField(trim_whitespace=False)


class ComparedFieldSerializer(serializers.Serializer[Any]):
    """One field of a row or article in both versions; empty where it is not there."""

    label = serializers.CharField()  # type: ignore[assignment]  # the metaclass takes declared fields out of the class
    before = serializers.CharField(allow_blank=True)
    after = serializers.CharField(allow_blank=True)
    pieces = PieceSerializer(many=True)


class ComparedEntrySerializer(serializers.Serializer[Any]):
    """Fields that belong together; a name where they are an entry of an article."""

    name = serializers.CharField(allow_blank=True)
    change = serializers.ChoiceField(choices=["added", "removed", "changed", "unchanged"])
    fields = ComparedFieldSerializer(many=True)  # type: ignore[assignment]  # the same


class ChangeSerializer(serializers.Serializer[Any]):
    """A row or article, and what became of it. An owner that changed outranks text that did."""

    what = serializers.ChoiceField(choices=["row", "article"])
    key = serializers.CharField(help_text="Of the function, or of the article.")
    reference = serializers.CharField()
    title = serializers.CharField()
    kind = serializers.ChoiceField(choices=[one.value for one in Kind])
    words = serializers.CharField()
    owner_before = serializers.CharField(allow_blank=True)
    owner_after = serializers.CharField(allow_blank=True)
    entries = ComparedEntrySerializer(many=True)


class ChangeGroupSerializer(serializers.Serializer[Any]):
    """The articles, the rows of one present owner, or what is gone."""

    key = serializers.CharField(allow_blank=True)
    title = serializers.CharField()
    changes = ChangeSerializer(many=True)


class SummaryLineSerializer(serializers.Serializer[Any]):
    """A line of the summary: its count in words, and who and what."""

    heading = serializers.CharField()
    sentences = serializers.ListField(child=serializers.CharField())
    note = serializers.CharField(allow_blank=True)


class ChangeCountsSerializer(serializers.Serializer[Any]):
    """Every row and article is counted once; the change log, dates and parties are not."""

    changed = serializers.IntegerField(help_text="Rows and articles that changed.")
    owner = serializers.IntegerField(help_text="Rows with another owner, or another of a part.")
    added = serializers.IntegerField()
    retired = serializers.IntegerField()
    left_out = serializers.IntegerField()
    text_rows = serializers.IntegerField(help_text="Rows in which only text changed.")
    text_articles = serializers.IntegerField()
    unchanged_rows = serializers.IntegerField()
    unchanged_articles = serializers.IntegerField()
    rows = serializers.IntegerField()
    articles = serializers.IntegerField()


class ComparedVersionSerializer(serializers.Serializer[Revision]):
    """One of the two versions."""

    number = serializers.IntegerField()
    reference = serializers.CharField()
    state = serializers.CharField()
    frozen = serializers.BooleanField(help_text="Whether its text can no longer change.")


class ComparisonSerializer(serializers.Serializer[Any]):
    """What changed from one version of a document to another."""

    document = serializers.CharField()
    before = ComparedVersionSerializer()
    after = ComparedVersionSerializer()
    in_one_sentence = serializers.CharField()
    counts = ChangeCountsSerializer()
    summary = SummaryLineSerializer(many=True)
    control = ComparedFieldSerializer(many=True, help_text="Dates, title and parties; not counted.")
    groups = ChangeGroupSerializer(many=True)


class Compare(APIView):
    """What changed between two versions, drafts included for those who may read them."""

    @extend_schema(
        operation_id="documents_compare",
        summary="Compare two versions: who gained, who lost, which words changed",
        parameters=[
            OpenApiParameter(
                "from", OpenApiTypes.INT, required=True, description="Earlier number."
            ),
            OpenApiParameter("to", OpenApiTypes.INT, required=True, description="Later number."),
            OpenApiParameter(
                "show",
                OpenApiTypes.STR,
                enum=[one.value for one in Show],
                description='Which changes to list; "all" leaves out what did not change.',
            ),
        ],
        responses=ComparisonSerializer,
    )
    def get(self, request: Request, number: str) -> Response:
        reader = cast(Person, request.user)
        on = company_date(timezone.now())
        found = {str(one.number): one for one in versions.readable_versions(number, reader, on=on)}
        if not found:
            raise Http404
        picked = {}
        for name in ("from", "to"):
            asked = request.query_params.get(name, "")
            if not asked.isdecimal():
                raise ValidationError({name: "Give the number of a version, such as 3."})
            if asked not in found:
                raise Http404
            picked[name] = found[asked]
        show = request.query_params.get("show", Show.ALL.value)
        if show not in set(Show):
            raise ValidationError({"show": f"Choose one of {', '.join(Show)}."})
        compared = versions.compared(picked["from"], picked["to"])
        data = comparing.as_data(compared.result, Show(show)) | {
            "document": number,
            "before": _version(compared.before),
            "after": _version(compared.after),
        }
        return Response(ComparisonSerializer(data).data)


def _version(revision: Revision) -> dict[str, Any]:
    return {
        "number": revision.number,
        "reference": revision.reference,
        "state": revision.state,
        "frozen": versions.is_frozen(revision),
    }
