"""What the pages of a Revision share: finding it, its frame, and how refusals are shown."""

from collections.abc import Callable
from datetime import date
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseRedirectBase
from django.shortcuts import redirect
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect

from people.calendar import company_date
from people.errors import NotYourOffice, Refused
from people.models import Person
from people.offices import CEO
from people.queries import holder_of

from .. import queries
from ..models import Acknowledgement, Revision, Signature
from ..parties import parties_of
from ..states import Role, State

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, str, int, P], HttpResponse]


def reader_of(request: HttpRequest) -> Person:
    return cast(Person, request.user)


def today() -> date:
    """The company's date now."""
    return company_date(timezone.now())


def find(request: HttpRequest, number: str, n: int) -> Revision:
    """The Revision, or 404 where there is none, or none that this reader may know of."""
    revision = (
        queries.readable(reader_of(request), on=today())
        .filter(document__number=number, number=n)
        .first()
    )
    if revision is None:
        raise Http404("No such version of a boundary document, or not one that you may read.")
    return revision


def signed_in_verb(view: "View[P]") -> "View[P]":
    """For views that call a verb: sign-in needed, and a refusal is told on the Revision's page.

    Pages that keep what was typed catch their own refusals; this is for buttons.
    """

    @wraps(view)
    def wrapped(
        request: HttpRequest, number: str, n: int, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponse:
        try:
            return view(request, number, n, *args, **kwargs)
        except NotYourOffice as refusal:
            raise PermissionDenied(str(refusal)) from refusal
        except Refused as refusal:
            messages.error(request, str(refusal))
            return lead_to(request, redirect("boundaries:revision", number, n))

    return cast("View[P]", login_required(wrapped))


def lead_to(request: HttpRequest, there: HttpResponseRedirectBase) -> HttpResponse:
    """Go ``there`` with the whole page: htmx would put that page into a part of this one."""
    in_place = bool(getattr(request, "htmx", False))
    return HttpResponseClientRedirect(there.url) if in_place else there


def to_revision(revision: Revision, anchor: str = "") -> HttpResponseRedirect:
    """Back to the Revision's page, at the place that was worked on."""
    return HttpResponseRedirect(revision.get_absolute_url() + (f"#{anchor}" if anchor else ""))


def nothing_new(request: HttpRequest, *, made: bool, problem: str = "") -> HttpResponse | None:
    """The answer to a page that asks again (by htmx) for its PDF, while there is still none.

    204: htmx then changes nothing, so that no words are read aloud every two seconds.
    """
    if getattr(request, "htmx", False) and not (made or problem):
        return HttpResponse(status=204)
    return None


def frame(
    revision: Revision, reader: Person, *, draft_note: str = ""
) -> tuple[dict[str, Any], list[Signature]]:
    """The context that every page of a Revision has, and the signatures that it rests on."""
    on = today()
    signatures = list(revision.signatures.filter(voided_at__isnull=True).select_related("person"))
    parties = parties_of(revision)
    changes = list(revision.changes.all())
    unfinished = (
        Revision.objects.unfinished()
        .filter(document=revision.document)
        .exclude(pk=revision.pk)
        .select_related("document")
        .first()
    )
    acknowledged = Acknowledgement.objects.filter(revision=revision).exists()
    ceo = holder_of(CEO, on=on) if revision.state != State.IN_FORCE else None
    context = {
        "section": "boundaries",
        "revision": revision,
        "document": revision.document,
        "parties": parties,
        "changes": changes,
        "successor": unfinished,
        "i_signed": any(
            one.person_id == reader.pk and one.role == Role.COSIGNER for one in signatures
        ),
        "may": queries.what_may(
            reader,
            revision,
            on=on,
            parties=parties,
            signatures=signatures,
            unfinished_exists=unfinished is not None,
            acknowledged=acknowledged,
        ),
        "steps": queries.steps(
            revision,
            parties=parties,
            changes=changes,
            signatures=signatures,
            draft_note=draft_note,
            approver_name=ceo.person.name if ceo else "",
        ),
    }
    return context, signatures
