"""Which rows a draft has, in which order; and what changed in one since the reader agreed."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from functions_catalog.models import Function
from people.permissions import Act, entitling_appointments

from .. import drafting
from ..catalog_choice import addable, allocated_by_others
from ..changes_since import Since, changes_since
from ..errors import InvalidText, NotADraft
from ..forms import LeaveOutForm
from ..models import Row
from ..parties import require_party
from .drafting import clause_of, clause_version
from .frame import find, frame, reader_of, signed_in_verb, to_revision, today

PER_PAGE = 40


def _row(request: HttpRequest, number: str, n: int, position: int) -> Row:
    found = clause_of(find(request, number, n), f"row-{position}")
    assert isinstance(found, Row)  # noqa: S101 - asked for a row; tells the type checker
    return found


def _who_and_when(request: HttpRequest) -> dict[str, Any]:
    return {"acting_user": reader_of(request), "at": timezone.now()}


@signed_in_verb
@require_POST
def move(request: HttpRequest, number: str, n: int, position: int) -> HttpResponse:
    """List a row one place up or down among those under the same heading."""
    row = _row(request, number, n, position)
    up = request.POST.get("direction") == "up"
    group = [one for one in row.revision.rows.all() if one.group == row.group]
    index = group.index(row) + (-1 if up else 1)
    if 0 <= index < len(group):
        beside = group[index]
        drafting.move_row(
            row=row,
            before=beside if up else None,
            after=None if up else beside,
            **_who_and_when(request),
        )
    else:
        end = "first" if up else "last"
        messages.info(request, f"{row} is the {end} under its heading already.")
    return to_revision(row.revision, row.anchor)


@signed_in_verb
@require_POST
def leave_out(request: HttpRequest, number: str, n: int, position: int) -> HttpResponse:
    row = _row(request, number, n, position)
    form = LeaveOutForm(request.POST)
    if not form.is_valid():
        # Whole or not at all: a reason cut off in the middle may say something else.
        raise InvalidText(f"{row} is not left out. {' '.join(map(str, form.errors['reason']))}")
    drafting.leave_out(
        row=row,
        expected_version=clause_version(request.POST.get("version", "")),
        reason=form.cleaned_data["reason"],
        **_who_and_when(request),
    )
    messages.success(request, f"{row} is left out, with your reason. The others agree to that.")
    return to_revision(row.revision, row.anchor)


@signed_in_verb
@require_POST
def take_back_in(request: HttpRequest, number: str, n: int, position: int) -> HttpResponse:
    row = _row(request, number, n, position)
    drafting.take_back_in(
        row=row,
        expected_version=clause_version(request.POST.get("version", "")),
        **_who_and_when(request),
    )
    messages.success(request, f"{row} is back in, with the owner it had. Read it again.")
    return to_revision(row.revision, row.anchor)


@signed_in_verb
@require_POST
def remove(request: HttpRequest, number: str, n: int, position: int) -> HttpResponse:
    row = _row(request, number, n, position)
    drafting.remove_row(
        row=row,
        expected_version=clause_version(request.POST.get("version", "")),
        **_who_and_when(request),
    )
    messages.success(
        request, f"{row} is removed. Added again from the catalog, it comes back as it was."
    )
    return to_revision(row.revision)


# --- Adding from the catalog ------------------------------------------------------------------


@signed_in_verb
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest, number: str, n: int) -> HttpResponse:
    """Choose a function of the catalog that the draft does not have yet, and add its row."""
    revision = find(request, number, n)
    # PostgreSQL takes no NUL in a text, not even to look for it.
    if request.method == "POST":
        key = request.POST.get("function", "").replace("\0", "")
        function = get_object_or_404(Function, key=key)
        added = drafting.add_row(revision=revision, function=function, **_who_and_when(request))
        messages.success(request, f"{added} is added with a proposal.")
        return to_revision(revision, added.anchor)
    if not revision.is_draft:
        raise NotADraft(revision)
    context, _ = frame(revision, reader_of(request))
    if not context["may"].edit:
        require_party(revision, reader_of(request), Act.EDIT, at=timezone.now())
        raise PermissionDenied("Only who edits this draft adds a function to it.")
    asked = request.GET.get("q", "").replace("\0", "").strip()[:100]
    page = Paginator(addable(revision, asked), PER_PAGE).get_page(request.GET.get("page"))
    elsewhere = allocated_by_others(revision, [one.pk for one in page])
    context |= {
        "q": asked,
        "page": page,
        "functions": [(one, elsewhere.get(one.pk)) for one in page],
    }
    return render(request, "boundaries/row_add.html", context)


# --- What changed since -----------------------------------------------------------------------


@signed_in_verb
@require_safe
def changes(request: HttpRequest, number: str, n: int, anchor: str) -> HttpResponse:
    """What changed in a row or article since the reader agreed to it, or last looked."""
    revision = find(request, number, n)
    clause = clause_of(revision, anchor)
    context, _ = frame(revision, reader_of(request))
    since = Since.LOOKED if request.GET.get("since") == Since.LOOKED else Since.AGREED
    held = entitling_appointments(reader_of(request), Act.AGREE, on=today())
    context |= {
        "clause": clause,
        "name": clause.function.name if isinstance(clause, Row) else clause.title,
        "since": since,
        "told": changes_since(
            clause,
            since,
            reader=reader_of(request),
            offices=[one.office.key for one in held],
            version=clause_version(request.GET.get("version", "")),
        ),
    }
    in_place = bool(getattr(request, "htmx", False))
    page = "boundaries/_changes_since.html" if in_place else "boundaries/changes_since.html"
    return render(request, page, context)
