"""The functions of the catalog that a draft may still take up, for people to choose from."""

from collections.abc import Iterable, Mapping

from django.db.models import Q, QuerySet

from functions_catalog.models import Function

from .models import Revision, Row
from .states import ANSWERING, State


def addable(revision: Revision, asked: str) -> QuerySet[Function]:
    """The active functions without a row in the draft whose words hold every word of ``asked``."""
    found = Function.objects.active().exclude(pk__in=revision.rows.values("function_id"))
    for word in asked.split():
        found = found.filter(
            Q(name__icontains=word)
            | Q(covers__icontains=word)
            | Q(pk__in=Function.objects.filter(aliases__text__icontains=word))
        )
    return found.order_by("position", "name")


def allocated_by_others(revision: Revision, functions: Iterable[int]) -> Mapping[int, Row]:
    """The row of another document that allocates each function, in force or approved. One query.

    Such a function may be negotiated here, but its row blocks freezing.
    """
    rows = Row.objects.filter(
        function__in=list(functions),
        left_out_reason="",
        revision__state__in=[*ANSWERING, State.APPROVED],
    ).exclude(revision__document=revision.document_id)
    return {row.function_id: row for row in rows.select_related("revision__document")}
