"""The drafting board's edits and answers."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from functions_catalog.models import Function
from people.errors import NotYourOffice, Refused
from people.offices import office_short
from people.permissions import Act

from .. import drafting, workflow
from ..differences import Difference, article_differences, row_differences
from ..errors import ChangedMeanwhile
from ..forms import ArticleForm, ControlForm, RowForm, article_form
from ..models import Article, Revision, Row
from ..parties import party_offices, require_party
from ..template import REPORTING_LINES
from .frame import find, frame, reader_of, signed_in_verb, to_revision

C = TypeVar("C", Row, Article)


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
    return f"{' and '.join(others)} to agree again." if others else ""


def _conflict(changed: ChangedMeanwhile, differences: list[Difference]) -> dict[str, Any]:
    clause = changed.clause
    return {
        "by_name": clause.changed_by_name,
        "by_office": clause.changed_by_office,
        "at": clause.changed_at,
        "differences": differences,
        "clause": clause,
    }


def _with_version(form: RowForm | ArticleForm, posted: QueryDict, version: int) -> None:
    """Saving again is then a choice made with both texts in view."""
    data = posted.copy()
    data["version"] = str(version)
    form.data = data


@signed_in_verb
@require_http_methods(["GET", "HEAD", "POST"])
def row(request: HttpRequest, number: str, n: int, position: int) -> HttpResponse:
    """Edit a row. A second editor gets the first's change beside their own text, kept."""
    revision = find(request, number, n)
    found = clause_of(revision, f"row-{position}")
    assert isinstance(found, Row)  # noqa: S101 - asked for a row; tells the type checker
    _refuse_unless_editable(request, revision)
    form = RowForm(request.POST or None, initial=RowForm.initial_of(found))

    def save() -> Row:
        return drafting.edit_row(
            row=found,
            expected_version=form.cleaned_data["version"],
            text=form.text(found),
            acting_user=reader_of(request),
            at=timezone.now(),
        )

    def differences(stands: Row) -> list[Difference]:
        return row_differences(stands, form.text(found))

    return _edit(request, found, form, {"row": found}, save=save, differences=differences)


@signed_in_verb
@require_http_methods(["GET", "HEAD", "POST"])
def article(request: HttpRequest, number: str, n: int, article_number: int) -> HttpResponse:
    """Edit an article; the same rules as for a row."""
    revision = find(request, number, n)
    found = clause_of(revision, f"article-{article_number}")
    assert isinstance(found, Article)  # noqa: S101 - asked for an article; tells the type checker
    _refuse_unless_editable(request, revision)
    form = article_form(found, revision, request.POST or None)
    context: dict[str, Any] = {"article": found}
    if found.key == "reporting_line":
        context["reporting"] = reporting_lines(found)

    def save() -> Article:
        return _save_article(request, revision, found, form)

    def differences(stands: Article) -> list[Difference]:
        return [
            *article_differences(stands, form.article_text()),
            *date_differences(find(request, number, n), form),
        ]

    return _edit(request, found, form, context, save=save, differences=differences)


def _edit(
    request: HttpRequest,
    found: C,
    form: RowForm | ArticleForm,
    context: dict[str, Any],
    *,
    save: Callable[[], C],
    differences: Callable[[C], list[Difference]],
) -> HttpResponse:
    """Show the form, or save what was typed; whatever stands in the way, it stays in the form."""
    revision = found.revision
    form.auto_id = f"{found.anchor}-%s"  # several forms can be open on one board
    context |= {"form": form, "conflict": None, "refusal": ""}
    if request.method == "POST" and form.is_valid():
        try:
            saved = save()
        except ChangedMeanwhile as changed:
            stands = cast(C, changed.clause)  # the verb was about this kind of clause
            context["conflict"] = _conflict(changed, differences(stands))
            _with_version(form, request.POST, stands.version)
        except NotYourOffice:
            raise
        except Refused as refused:
            context["refusal"] = str(refused)
        else:
            messages.success(
                request, f"{saved} saved. {_who_agrees_again(request, revision)}".strip()
            )
            return to_revision(revision, saved.anchor)
    return _edit_page(request, revision, context, "row" if "row" in context else "article")


def date_differences(revision: Revision, form: ArticleForm) -> list[Difference]:
    """The dates of article 1 that were typed and are not what stands now."""
    if not isinstance(form, ControlForm):
        return []
    pairs = [
        ("Effective date", revision.effective_date, form.cleaned_data["effective_date"]),
        ("Sunset date", revision.sunset_date, form.cleaned_data["sunset_date"]),
    ]
    return [
        Difference(label, stands.isoformat() if stands else "", typed.isoformat())
        for label, stands, typed in pairs
        if typed and typed != stands
    ]


def _save_article(
    request: HttpRequest, revision: Revision, found: Article, form: ArticleForm
) -> Article:
    who_and_when: dict[str, Any] = {"acting_user": reader_of(request), "at": timezone.now()}
    expected = form.cleaned_data["version"]
    if isinstance(form, ControlForm):
        return drafting.edit_control(
            revision=revision,
            expected_version=expected,
            text=form.cleaned_data["text"],
            effective_date=form.cleaned_data["effective_date"],
            sunset_date=form.cleaned_data["sunset_date"],
            **who_and_when,
        )
    return drafting.edit_article(
        article=found, expected_version=expected, text=form.article_text(), **who_and_when
    )


def reporting_lines(found: Article) -> list[dict[str, Any]]:
    """What each reporting line tends to give and cost, and whether it is chosen."""
    chosen = found.data.get("solid_lines", [])
    return [
        {
            "office": key,
            "label": office_short(key) if key else "Nowhere",
            "gives": gives,
            "costs": costs,
            "chosen": key in chosen,
        }
        for key, (gives, costs) in REPORTING_LINES.items()
    ]


def _refuse_unless_editable(request: HttpRequest, revision: Revision) -> None:
    context, _ = frame(revision, reader_of(request))
    if revision.is_draft and not context["may"].edit:
        # A further Office that is no party here is told what to do.
        require_party(revision, reader_of(request), Act.EDIT, at=timezone.now())
        raise PermissionDenied(
            "Only the CRO, COO, CFO or Corporate Secretary edits a draft. Tell one of them what "
            "should change."
        )
    if not revision.is_draft:
        raise Refused(f"{revision.reference} is no longer a draft, so its text cannot change.")


def _edit_page(
    request: HttpRequest, revision: Revision, context: dict[str, Any], kind: str
) -> HttpResponse:
    shared, _ = frame(revision, reader_of(request))
    status = 422 if request.method == "POST" else 200
    # htmx opens the form in its place on the board; without it the form has its own page.
    part = f"boundaries/_{kind}_form.html"
    whole = f"boundaries/{kind}_edit.html"
    in_place = bool(getattr(request, "htmx", False)) and request.method == "GET"
    return render(request, part if in_place else whole, shared | context, status=status)


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
def add_row(request: HttpRequest, number: str, n: int) -> HttpResponse:
    """Add the row of a function that the draft does not have yet."""
    revision = find(request, number, n)
    # PostgreSQL takes no NUL in a text, not even to look for it.
    key = request.POST.get("function", "").replace("\0", "")
    function = get_object_or_404(Function, key=key)
    added = drafting.add_row(
        revision=revision, function=function, acting_user=reader_of(request), at=timezone.now()
    )
    messages.success(request, f"{added} is added with a proposal.")
    return to_revision(revision, added.anchor)


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


@signed_in_verb
@require_POST
def amend(request: HttpRequest, number: str, n: int) -> HttpResponse:
    """Open the next Revision as a copy of the one in force."""
    revision = find(request, number, n)
    draft = workflow.amend(revision=revision, acting_user=reader_of(request), at=timezone.now())
    messages.success(request, f"{draft.reference} is open as a copy of what is in force.")
    return redirect(draft)
