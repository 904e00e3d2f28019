"""The drafting board: its page, acting in place, what changed meanwhile, what was looked at."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from people.errors import Refused

from .. import agreeing, happened, looking, queries, takeover
from ..content import version_content
from ..errors import InvalidText
from ..filters import Filter, Item, shown
from ..forms import ReasonForm
from ..models import Article, Revision, Row
from ..states import State
from .drafting import clause_of, clause_version, read_tokens, reporting_lines
from .frame import find, frame, lead_to, reader_of, signed_in_verb, to_revision, today

# A board that shows more rows and articles than these loads each text when it is opened.
LIGHT = 60


def board_context(
    request: HttpRequest, revision: Revision, asked: QueryDict
) -> tuple[dict[str, Any], list[Item]]:
    """What every part of a board needs, and its rows and articles whether shown or not."""
    reader = reader_of(request)
    board = queries.board(revision, reader, on=today())
    context, _ = frame(revision, reader, draft_note=f"{board.agreed} of {board.total} agreed")
    line = next(one.article for one in board.articles if one.article.key == "reporting_line")
    chosen = shown(board, Filter.of(asked))
    all_open = chosen.filter.whole
    context |= {
        "board": board,
        "shown": chosen,
        "reporting": reporting_lines(line),
        "at": timezone.now(),
        "all_open": all_open,
        "opened": all_open,
        "lazy": chosen.count > LIGHT and not all_open,
    }
    return context, [*(one for group in board.groups for one in group.rows), *board.articles]


def draft(request: HttpRequest, revision: Revision) -> HttpResponse:
    """The whole page."""
    context, _ = board_context(request, revision, request.GET)
    return render(request, "boundaries/draft.html", context)


@login_required
@require_safe
def clause(request: HttpRequest, number: str, n: int, anchor: str) -> HttpResponse:
    """One row or article with its text: a page, or (by htmx) for its place on the board."""
    revision = find(request, number, n)
    found = clause_of(revision, anchor)
    if not revision.is_draft:
        return lead_to(request, to_revision(revision))
    context, items = board_context(request, revision, request.GET)
    item = next(one for one in items if one.standing.clause == found)
    is_row = isinstance(found, Row)
    context |= {
        "item": item,
        "clause": found,
        "name": found.function.name if isinstance(found, Row) else found.title,
        "lazy": False,
        "opened": True,
    }
    part = "boundaries/_row.html" if is_row else "boundaries/_article.html"
    in_place = bool(getattr(request, "htmx", False))
    return render(request, part if in_place else "boundaries/clause.html", context)


@login_required
@require_safe
def print_view(request: HttpRequest, number: str, n: int) -> HttpResponse:
    """A draft as it stands, or what is frozen, to print."""
    revision = find(request, number, n)
    reader = reader_of(request)
    freeze = queries.live_freeze(revision)
    context, signatures = frame(revision, reader)
    context |= {"content": version_content(revision), "freeze": freeze, "at": timezone.now()}
    if revision.is_draft:
        context |= {"board": queries.board(revision, reader, on=today()), "freeze": None}
    else:
        context["signers"] = queries.signers(
            revision,
            reader=reader,
            on=today(),
            parties=context["parties"],
            signatures=signatures,
            answers=takeover.answers_by_office(revision, today=today()),
        )
    return render(request, "boundaries/print.html", context)


# --- What changed meanwhile -------------------------------------------------------------------


@login_required
@require_safe
def changes(request: HttpRequest, number: str, n: int) -> HttpResponse:
    """What was said and done since the page was loaded; 204 and a few queries while nothing was."""
    revision = find(request, number, n)
    seen = _number(request.GET.get("seen", ""))
    if revision.is_draft and seen is not None and revision.activity <= seen:
        return HttpResponse(status=204)
    return _news(request, revision, request.GET)


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 10 else None


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    # The edges of the calendar cannot be told in another zone.
    return at if at.tzinfo and 1 < at.year < 9999 else None


def _news(
    request: HttpRequest,
    revision: Revision,
    asked: QueryDict,
    *,
    said: str = "",
    refusal: str = "",
    did: str = "",
) -> HttpResponse:
    """Every part of the board that is not as the page has it, for htmx to put in its place.

    ``did``: the anchor of what the reader has just acted on, which is always among them.
    """
    if not revision.is_draft:
        gone = {"revision": revision, "change": revision.changes.order_by("pk").last()}
        response = render(request, "boundaries/_changes_over.html", gone)
        response["X-Board-Seen"] = "over"
        return response
    at = timezone.now()
    context, items = board_context(request, revision, asked)
    board = context["board"]
    seen = _number(asked.get("seen", ""))
    known = board.activity if seen is None else seen
    changed = [
        one
        for one in items
        if one.standing.clause.activity > known or one.standing.clause.anchor == did
    ]
    clauses = [one.standing.clause for one in changed]
    since = _moment(asked.get("since", ""))
    found = happened.newest(revision, clauses, reader_of(request), since=since)

    def with_news(kind: type[Row] | type[Article]) -> list[tuple[Item, happened.Happening | None]]:
        name = "row" if kind is Row else "article"
        return [
            (one, found.get((name, one.standing.clause.pk)))
            for one in changed
            if isinstance(one.standing.clause, kind)
        ]

    context |= {
        "oob": True,
        "rows": with_news(Row),
        "articles": with_news(Article),
        "told": said or happened.told(list(found.values())),
        "refusal": refusal,
        "reshaped": asked.get("shape", board.shape) != board.shape,
    }
    response = render(request, "boundaries/_changes.html", context, status=422 if refusal else 200)
    response["X-Board-Seen"] = str(board.activity)
    response["X-Board-At"] = at.isoformat()
    if did:
        response["X-Board-Did"] = did
    return response


# --- Acting in place --------------------------------------------------------------------------


def _back(request: HttpRequest) -> str:
    """The choice of rows that the page showed, as it is written in its forms."""
    return Filter.of(QueryDict(request.POST.get("back", "").lstrip("?"))).query


def _act(
    request: HttpRequest, number: str, n: int, verb: Callable[[Row | Article], str], said: str = ""
) -> HttpResponse:
    """Call ``verb`` on the clause that was posted, and answer with what then changed.

    ``verb`` returns the words for the top of a page; ``said`` is read aloud in place.
    """
    revision = find(request, number, n)
    about = clause_of(revision, request.POST.get("clause", ""))
    if not getattr(request, "htmx", False):
        if words := verb(about):
            messages.success(request, words)
        url = f"{revision.get_absolute_url()}{_back(request)}#{about.anchor}"
        return HttpResponseRedirect(url)
    try:
        words = verb(about)
    except Refused as refused:
        return _news(request, find(request, number, n), request.POST, refusal=str(refused))
    return _news(
        request,
        find(request, number, n),
        request.POST,
        said=words or said.format(happened.place(about)),
        did=about.anchor,
    )


@signed_in_verb
@require_POST
def agree(request: HttpRequest, number: str, n: int) -> HttpResponse:
    """Agree to exactly the text that was on the page."""

    def verb(about: Row | Article) -> str:
        agreeing.agree(
            clause=about,
            expected_version=clause_version(request.POST.get("version", "")),
            acting_user=reader_of(request),
            at=timezone.now(),
        )
        return ""

    return _act(request, number, n, verb, said="You agreed to {}.")


@signed_in_verb
@require_POST
def withdraw_agreement(request: HttpRequest, number: str, n: int) -> HttpResponse:
    """Take back the agreement of the reader's Offices."""

    def verb(about: Row | Article) -> str:
        agreeing.withdraw_agreement(clause=about, acting_user=reader_of(request), at=timezone.now())
        return f"You no longer agree to {about}."

    return _act(request, number, n, verb)


@signed_in_verb
@require_POST
def contest(request: HttpRequest, number: str, n: int) -> HttpResponse:
    """Contest a row or article with a reason."""

    def verb(about: Row | Article) -> str:
        form = ReasonForm(request.POST)
        if not form.is_valid() and request.POST.get("reason", "").strip():
            # Whole or not at all: a reason cut off in the middle may say something else.
            raise InvalidText(
                f"{about} is not contested. {' '.join(map(str, form.errors['reason']))}"
            )
        agreeing.contest(
            clause=about,
            reason=form.cleaned_data.get("reason", ""),
            acting_user=reader_of(request),
            at=timezone.now(),
        )
        return f"{about} is contested. Agreeing to it later ends that."

    return _act(request, number, n, verb)


@signed_in_verb
@require_POST
def agree_all(request: HttpRequest, number: str, n: int) -> HttpResponse:
    """Agree to every text that was on the page and still stands."""
    revision = find(request, number, n)
    done = agreeing.agree_to_all_read(
        revision=revision,
        read=read_tokens(request, revision),
        acting_user=reader_of(request),
        at=timezone.now(),
    )
    count = "1 row or article" if done.agreed == 1 else f"{done.agreed} rows and articles"
    words = [f"You agreed to {count}."]
    if done.changed_meanwhile:
        names = ", ".join(str(one) for one in done.changed_meanwhile)
        words.append(f"Changed while you read, so not agreed: {names}.")
    if done.own_contests:
        stays = "stays" if done.own_contests == 1 else "stay"
        words.append(f"{done.own_contests} that you contest {stays} contested.")
    if done.own_vetoes:
        words.append(f"Not to what you veto ({done.own_vetoes}): lift the veto first.")
    messages.success(request, " ".join(words))
    return HttpResponseRedirect(revision.get_absolute_url() + _back(request))


# --- Looking ----------------------------------------------------------------------------------


@login_required
@require_POST
def look(request: HttpRequest, number: str, n: int) -> HttpResponse:
    """The reader has seen these clauses as the page showed them: "row-3:2:57"."""
    revision = find(request, number, n)
    if revision.state == State.DRAFT:
        clauses = _looked_at(request, revision)
        looking.look(clauses, person=reader_of(request), at=timezone.now())
    if getattr(request, "htmx", False):
        return HttpResponse(status=204)
    return HttpResponseRedirect(revision.get_absolute_url() + _back(request))


def _looked_at(request: HttpRequest, revision: Revision) -> list[Row | Article]:
    by_anchor: dict[str, Row | Article] = {one.anchor: one for one in revision.rows.all()}
    by_anchor |= {one.anchor: one for one in revision.articles.all()}
    found = []
    for token in request.POST.getlist("clause"):
        anchor, _, rest = token.partition(":")
        version, activity = map(_number, rest.partition(":")[::2])
        clause = by_anchor.get(anchor)
        if clause is not None and version is not None and activity is not None:
            # As it was shown; never more than there is.
            clause.version = min(version, clause.version)
            clause.activity = min(activity, clause.activity)
            found.append(clause)
    return found
