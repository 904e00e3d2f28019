"""The drafting board's edits and answers."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from people.errors import NotYourOffice, Refused
from people.offices import office_short
from people.permissions import Act, powers_of

from .. import workflow
from ..comparing.changes import listed
from ..form_fields import AGAIN
from ..models import Article, Revision, Row
from ..parties import party_offices, require_party
from ..template import REPORTING_LINES, heirs
from .editing import ArticleEditing, Editing, Outcome, RowEditing, T, send
from .frame import find, frame, reader_of, signed_in_verb, to_revision, today


def clause_of(revision: Revision, anchor: str) -> Row | Article:
    """The row or article that "row-3" or "article-5" names; 404 where there is none."""
    kind, _, number = anchor.partition("-")
    if not number.isdecimal() or len(number) > 4:
        raise Http404("No such row or article.")
    if kind == "row":
        rows = revision.rows.select_related("function")
        row: Row = get_object_or_404(rows, position=int(number))
        row.revision = revision
        return row
    if kind == "article":
        article: Article = get_object_or_404(revision.articles, number=int(number))
        article.revision = revision
        return article
    raise Http404("No such row or article.")


def _who_agrees_again(request: HttpRequest, revision: Revision) -> str:
    """ "COO and CFO agree again": the parties but the editor's own."""
    mine = set(
        revision.agreements.filter(person=reader_of(request), withdrawn_at__isnull=True)
        .values_list("office", flat=True)
        .distinct()
    )
    others = [office_short(key) for key in party_offices(revision) if key not in mine]
    return f"{listed(others)} to agree again." if others else ""


@signed_in_verb
@require_http_methods(["GET", "HEAD", "POST"])
def row(request: HttpRequest, number: str, n: int, position: int) -> HttpResponse:
    """Edit a row. A second editor gets the first's change and their own text, merged."""
    revision = find(request, number, n)
    found = clause_of(revision, f"row-{position}")
    assert isinstance(found, Row)  # noqa: S101 - asked for a row; tells the type checker
    _refuse_unless_editable(request, revision)
    editing = RowEditing(found, split="split" in request.GET)
    return _edit(request, revision, editing, {"row": found})


@signed_in_verb
@require_http_methods(["GET", "HEAD", "POST"])
def article(request: HttpRequest, number: str, n: int, article_number: int) -> HttpResponse:
    """Edit an article; the same rules as for a row."""
    revision = find(request, number, n)
    found = clause_of(revision, f"article-{article_number}")
    assert isinstance(found, Article)  # noqa: S101 - asked for an article; tells the type checker
    _refuse_unless_editable(request, revision)
    context: dict[str, Any] = {"article": found}
    if found.key == "reporting_line":
        context["reporting"] = reporting_lines(found)
    return _edit(request, revision, ArticleEditing(found, revision), context)


def _edit(
    request: HttpRequest,
    revision: Revision,
    editing: Editing[T],
    context: dict[str, Any],
) -> HttpResponse:
    """Show the form, or save what was typed; whatever stands in the way, it stays in the form."""
    post = request.method == "POST"
    outcome = send(request, editing) if post else Outcome(editing.bound(None))
    if outcome.saved is not None:
        again = _who_agrees_again(request, revision)
        messages.success(request, f"{outcome.saved} saved. {again}".strip())
        return to_revision(revision, outcome.saved.anchor)
    outcome.form.auto_id = f"{editing.clause.anchor}-%s"  # several forms are open on one board
    context |= {
        "form": outcome.form,
        "conflict": outcome.conflict,
        "refusal": outcome.refusal,
    }
    return _edit_page(request, revision, context, "row" if "row" in context else "article")


def reporting_lines(found: Article) -> list[dict[str, Any]]:
    """What each reporting line tends to give and cost, and whether it is chosen.

    Offices that the company does not have are no choice, unless one still stands.
    """
    chosen = found.data.get("solid_lines", [])
    missing = heirs()
    return [
        {
            "office": key,
            "label": office_short(key) if key else "Nowhere",
            "gives": gives,
            "costs": costs,
            "chosen": key in chosen,
        }
        for key, (gives, costs) in REPORTING_LINES.items()
        if key not in missing or key in chosen
    ]


def _refuse_unless_editable(request: HttpRequest, revision: Revision) -> None:
    if not revision.is_draft:
        raise Refused(
            f"{revision.reference} is no longer a draft, so its text cannot change. What should "
            "change goes into the next draft."
        )
    try:
        require_party(revision, reader_of(request), Act.EDIT, at=timezone.now())
    except NotYourOffice as refused:
        powers = powers_of(reader_of(request), on=today())
        hint = ""
        if powers.may(Act.PROPOSE):
            hint = " Propose the change instead, in the discussion of the row or article."
        elif powers.may(Act.COMMENT):
            hint = " Say what should change in the discussion of the row or article."
        raise PermissionDenied(f"{refused}{hint}") from refused


def _edit_page(
    request: HttpRequest, revision: Revision, context: dict[str, Any], kind: str
) -> HttpResponse:
    shared, _ = frame(revision, reader_of(request))
    status = 422 if tried_to_save(request) else 200
    # htmx opens the form in its place on the board; without it the form has its own page.
    part = f"boundaries/_{kind}_form.html"
    whole = f"boundaries/{kind}_edit.html"
    in_place = bool(getattr(request, "htmx", False)) and request.method == "GET"
    return render(request, part if in_place else whole, shared | context, status=status)


def tried_to_save(request: HttpRequest) -> bool:
    """Asking for more room, or for the form as it was left, is no attempt to save."""
    return request.method == "POST" and not {"more", AGAIN} & request.POST.keys()


def clause_version(text: str) -> int:
    # Nothing readable matches no version: the verb then shows what stands now.
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def read_tokens(request: HttpRequest, revision: Revision) -> dict[tuple[str, int], int]:
    """Which clauses the page showed, and at which version: "row-3:2" as the verbs want it."""
    anchors = {one.anchor: ("row", one.pk) for one in revision.rows.all()} | {
        one.anchor: ("article", one.pk) for one in revision.articles.all()
    }
    read: dict[tuple[str, int], int] = {}
    for token in request.POST.getlist("read"):
        anchor, _, version = token.partition(":")
        if anchor in anchors:
            read[anchors[anchor]] = clause_version(version)
    return read


@signed_in_verb
@require_POST
def freeze(request: HttpRequest, number: str, n: int) -> HttpResponse:
    """Freeze for signing."""
    revision = find(request, number, n)
    workflow.freeze(revision=revision, acting_user=reader_of(request), at=timezone.now())
    messages.success(
        request, f"{revision.reference} is frozen. All parties were asked by mail to sign it."
    )
    return to_revision(revision)
