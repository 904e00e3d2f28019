"""The thread of a row or article, on its own page and opened in place on the board."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from notifications import news
from people.errors import NotYourOffice, Refused
from people.permissions import Act, may

from .. import threads
from ..article_forms import ArticleForm, article_form
from ..conversation import PER_PAGE, changes, conversation, look_before
from ..draft_news import place_path, thread_path
from ..drafting import ArticleText, RowText, row_text
from ..errors import ChangedMeanwhile
from ..forms import RowForm
from ..looking import look
from ..models import Article, Proposal, Revision, Row
from ..thread_forms import CommentForm, DeclineForm, WordForm, row_initial
from ..threads import Clause
from .drafting import clause_of, reporting_lines, tried_to_save
from .editing import row_form
from .frame import find, reader_of, signed_in_verb, to_revision, today


def _in_place(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False))


def _who_and_when(request: HttpRequest) -> dict[str, Any]:
    return {"acting_user": reader_of(request), "at": timezone.now()}


def _found(request: HttpRequest, number: str, n: int, anchor: str) -> Clause:
    """The clause whose thread is asked for; threads are for those who may read drafts."""
    revision = find(request, number, n)
    if not may(reader_of(request), Act.READ_DRAFT, on=today()):
        raise PermissionDenied("What was said while a draft was negotiated is not open to you.")
    return clause_of(revision, anchor)


def _show(request: HttpRequest, clause: Clause, *, status: int = 200, **more: Any) -> HttpResponse:
    """The thread as it stands, which the reader has then looked at."""
    reader, now = reader_of(request), timezone.now()
    number = request.GET.get("show", "")
    show = int(number) if number.isdecimal() and len(number) < 6 else PER_PAGE
    thread = conversation(clause, reader, on=today(), show=show, looked=look_before(clause, reader))
    look([clause], person=reader, at=now)
    news.read_at_place(reader, [thread_path(clause), place_path(clause)], at=now)
    form = more.pop("form", None) or CommentForm()
    form.auto_id = f"{clause.anchor}-comment-%s"  # several threads can be open on one board
    context = {
        "section": "boundaries",
        "revision": clause.revision,
        "document": clause.revision.document,
        "clause": clause,
        "is_row": isinstance(clause, Row),
        "here": thread_path(clause),
        "thread": thread,
        "form": form,
        **more,
    }
    if _in_place(request):
        # htmx puts in place only what came without an error.
        return render(request, "boundaries/_thread.html", context)
    return render(request, "boundaries/thread.html", context, status=status)


def _answer(request: HttpRequest, clause: Clause, verb: Callable[[], object]) -> HttpResponse:
    """Call a verb of a button; in place the thread comes back with what it refused."""
    try:
        verb()
    except Refused as refused:
        if not _in_place(request):
            raise
        stands = clause.revision
        clause = _found(request, stands.document.number, stands.number, clause.anchor)
        return _show(request, clause, refusal=str(refused))
    return _done(request, clause)


def _done(request: HttpRequest, clause: Clause) -> HttpResponse:
    if _in_place(request):
        clause.refresh_from_db(fields=["activity", "version"])
        return _show(request, clause)
    return HttpResponseRedirect(thread_path(clause) + "#end")


# --- Reading and writing ----------------------------------------------------------------------


@signed_in_verb
@require_http_methods(["GET", "HEAD", "POST"])
def row(request: HttpRequest, number: str, n: int, position: int) -> HttpResponse:
    return _thread(request, _found(request, number, n, f"row-{position}"))


@signed_in_verb
@require_http_methods(["GET", "HEAD", "POST"])
def article(request: HttpRequest, number: str, n: int, article_number: int) -> HttpResponse:
    return _thread(request, _found(request, number, n, f"article-{article_number}"))


def _thread(request: HttpRequest, clause: Clause) -> HttpResponse:
    """Read the thread, or write a comment; what was typed stays where it is refused."""
    if request.method != "POST":
        return _show(request, clause)
    form = CommentForm(request.POST)
    if form.is_valid():
        try:
            threads.comment(
                clause=clause,
                text=form.cleaned_data["text"],
                acting_user=reader_of(request),
                at=timezone.now(),
            )
        except NotYourOffice:
            raise
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            return _done(request, clause)
    return _show(request, clause, form=form, status=422)


@signed_in_verb
@require_POST
def resolve(request: HttpRequest, number: str, n: int) -> HttpResponse:
    clause = _found(request, number, n, request.POST.get("clause", ""))
    who_and_when = _who_and_when(request)
    return _answer(request, clause, lambda: threads.resolve(clause=clause, **who_and_when))


@signed_in_verb
@require_POST
def reopen(request: HttpRequest, number: str, n: int) -> HttpResponse:
    clause = _found(request, number, n, request.POST.get("clause", ""))
    who_and_when = _who_and_when(request)
    return _answer(request, clause, lambda: threads.reopen(clause=clause, **who_and_when))


# --- Proposing --------------------------------------------------------------------------------


@signed_in_verb
@require_http_methods(["GET", "HEAD", "POST"])
def propose_row(request: HttpRequest, number: str, n: int, position: int) -> HttpResponse:
    """The form of the row, sent as a proposed change instead of saved."""
    found = _found(request, number, n, f"row-{position}")
    assert isinstance(found, Row)  # noqa: S101 - asked for a row; tells the type checker
    return _propose(request, found, row_form(found, request.POST or None))


@signed_in_verb
@require_http_methods(["GET", "HEAD", "POST"])
def propose_article(request: HttpRequest, number: str, n: int, article_number: int) -> HttpResponse:
    """The form of the article, sent as a proposed change instead of saved."""
    found = _found(request, number, n, f"article-{article_number}")
    assert isinstance(found, Article)  # noqa: S101 - asked for an article; tells the type checker
    return _propose(request, found, article_form(found, found.revision, request.POST or None))


def _text(form: RowForm | ArticleForm, clause: Clause) -> RowText | ArticleText:
    if isinstance(form, RowForm):
        assert isinstance(clause, Row)  # noqa: S101 - the form of a row
        return form.text(clause)
    return form.article_text()


def _propose(request: HttpRequest, clause: Clause, form: RowForm | ArticleForm) -> HttpResponse:
    revision = clause.revision
    if not revision.is_draft:
        raise Refused(f"{revision.reference} is no longer a draft, so nothing is proposed to it.")
    if not may(reader_of(request), Act.PROPOSE, on=today()):
        raise PermissionDenied(
            "Only a party, the RevOps Lead or the Corporate Secretary proposes a change. Say in a "
            "comment what you would change."
        )
    word = WordForm(request.POST or None)
    word.auto_id = f"{clause.anchor}-propose-%s"
    more: dict[str, Any] = {"refusal": "", "word_form": word}
    if tried_to_save(request) and form.is_valid() and word.is_valid():
        text = _text(form, clause)
        try:
            threads.propose(
                clause=clause,
                text=text,
                base_version=form.cleaned_data["version"],
                word=word.cleaned_data["word"],
                acting_user=reader_of(request),
                at=timezone.now(),
            )
        except NotYourOffice:
            raise
        except ChangedMeanwhile as changed:
            more |= _texts(changed.clause, text)
            more["refusal"] = f"{changed} Proposing again proposes your text against the new one."
            data = request.POST.copy()
            data["version"] = str(changed.clause.version)
            form.data = data
        except Refused as refused:
            more["refusal"] = str(refused)
        else:
            messages.success(
                request, f"Your change to {clause} is proposed. One of the others answers it."
            )
            return HttpResponseRedirect(thread_path(clause) + "#end")
    return _form_page(request, clause, form, proposing=request.path, **more)


def _form_page(
    request: HttpRequest, clause: Clause, form: RowForm | ArticleForm, **more: Any
) -> HttpResponse:
    """The page on which a row or article is edited, with other buttons or another text in it."""
    kind = "row" if isinstance(clause, Row) else "article"
    form.auto_id = f"{clause.anchor}-%s"
    context: dict[str, Any] = {
        "section": "boundaries",
        "revision": clause.revision,
        "document": clause.revision.document,
        kind: clause,
        "form": form,
        "conflict": None,
        **more,
    }
    if isinstance(clause, Article) and clause.key == "reporting_line":
        context["reporting"] = reporting_lines(clause)
    status = 422 if tried_to_save(request) else 200
    return render(request, f"boundaries/{kind}_edit.html", context, status=status)


def _texts(stands: Clause, proposed: RowText | ArticleText) -> dict[str, Any]:
    """What stands now and what was proposed, to be compared on the page."""
    if isinstance(stands, Row):
        return {"changed": changes(row_text(stands), proposed)}
    return {"changed": changes(ArticleText(text=stands.text, data=stands.data), proposed)}


# --- Answering --------------------------------------------------------------------------------


def _proposal(request: HttpRequest, number: str, n: int, entry: int) -> tuple[Proposal, Clause]:
    revision: Revision = find(request, number, n)
    proposal = get_object_or_404(
        Proposal.objects.select_related("entry__row", "entry__article", "entry__revision"),
        entry__revision=revision,
        entry=entry,
    )
    about = proposal.entry.row or proposal.entry.article
    assert about is not None  # noqa: S101 - the check constraint says one of them is set
    return proposal, _found(request, number, n, about.anchor)


@signed_in_verb
@require_POST
def accept(request: HttpRequest, number: str, n: int, entry: int) -> HttpResponse:
    """Put the proposed text in place; where the text changed since, show both."""
    proposal, clause = _proposal(request, number, n, entry)
    try:
        threads.accept(proposal=proposal, acting_user=reader_of(request), at=timezone.now())
    except threads.ProposalOutdated as outdated:
        stands = outdated.clause
        texts = _texts(stands, threads.proposed_text(proposal, stands))
        return _show(request, clause, refusal=str(outdated), outdated=proposal, status=409, **texts)
    messages.success(request, f"The proposed change is accepted: {clause} has that text now.")
    return to_revision(clause.revision, clause.anchor)


@signed_in_verb
@require_POST
def decline(request: HttpRequest, number: str, n: int, entry: int) -> HttpResponse:
    """Decline a proposed change with a word why."""
    proposal, clause = _proposal(request, number, n, entry)
    form = DeclineForm(request.POST)
    if form.is_valid():
        said = {"word": form.cleaned_data["word"], **_who_and_when(request)}
        return _answer(request, clause, lambda: threads.decline(proposal=proposal, **said))
    form.auto_id = f"decline-{entry}-%s"
    return _show(request, clause, declining=entry, decline_form=form, status=422)


@signed_in_verb
@require_POST
def take_back(request: HttpRequest, number: str, n: int, entry: int) -> HttpResponse:
    """Take the own proposed change back."""
    proposal, clause = _proposal(request, number, n, entry)
    who_and_when = _who_and_when(request)
    return _answer(request, clause, lambda: threads.take_back(proposal=proposal, **who_and_when))


@signed_in_verb
@require_safe
def edit_with(request: HttpRequest, number: str, n: int, entry: int) -> HttpResponse:
    """The edit form with the proposed text in it, against the version that it was written for.

    What somebody changed since is then merged on saving like any other edit, and never undone.
    """
    proposal, clause = _proposal(request, number, n, entry)
    if not may(reader_of(request), Act.EDIT, on=today()):
        raise PermissionDenied("Only a party or the Corporate Secretary edits a draft.")
    if not clause.revision.is_draft:
        return redirect(thread_path(clause))
    text = threads.proposed_text(proposal, clause)
    form: RowForm | ArticleForm
    if isinstance(clause, Row) and isinstance(text, RowText):
        form = RowForm(initial=row_initial(text, version=proposal.base_version))
    else:
        assert isinstance(clause, Article) and isinstance(text, ArticleText)  # noqa: S101 - tells the type checker
        # Never saved: the form reads it.
        clause.text, clause.data, clause.version = (
            text.text,
            dict(text.data),
            proposal.base_version,
        )
        form = article_form(clause, clause.revision, None)
    return _form_page(request, clause, form, refusal="")
