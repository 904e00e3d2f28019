"""The pages of disputes: escalating, the parties' pages, the CEO's ruling, withdrawing."""

from typing import Any

from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Case, F, Value, When
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from people.calendar import company_country, company_date
from people.errors import NotYourOffice, Refused
from people.permissions import Act, may, require

from .. import dispute_page, disputes, rulings
from ..dispute_errors import AlreadyDisputed
from ..dispute_forms import DeciderForm, EscalateForm, PageForm, RulingForm
from ..dispute_mails import decider_words
from ..drafting import row_text
from ..models import Dispute, Row
from ..parties import parties_of
from ..states import ANSWERING
from .drafting import clause_of
from .frame import find, frame, reader_of, signed_in_verb, today

PAGE_SIZE = 20


@login_required
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """Every dispute that the reader may know of; what is open comes first."""
    reader, at = reader_of(request), timezone.now()
    is_open = When(outcome=Dispute.Outcome.OPEN, then=Value(0))
    found = dispute_page.readable(reader, on=today()).order_by(
        Case(is_open, default=Value(1)), F("ended_at").desc(nulls_first=True), "pages_due_at", "-pk"
    )
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "section": "boundaries",
        "page_obj": page,
        "lines": [dispute_page.line(one, at=at) for one in page.object_list],
        "reads": may(reader, Act.READ_DRAFT, on=today()),
    }
    return render(request, "boundaries/disputes.html", context)


def _found(request: HttpRequest, pk: int) -> Dispute:
    found = dispute_page.readable(reader_of(request), on=today())
    return get_object_or_404(found.prefetch_related("pages"), pk=pk)


def _shown(
    request: HttpRequest,
    dispute: Dispute,
    *,
    ruling_form: RulingForm | None = None,
    typed: dict[str, str] | None = None,
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    """The page of a dispute, with what was typed where a verb refused it."""
    at = timezone.now()
    page = dispute_page.page_of(dispute, reader_of(request), at=at, country=company_country())
    if page.may_rule and not page.own_cause and ruling_form is None:
        ruling_form = RulingForm(initial=RulingForm.opens_with(page.before, dispute.function))
    context = {
        "section": "boundaries",
        "page": page,
        "dispute": dispute,
        "document": dispute.document,
        "revision": dispute.revision,
        "row": dispute.row,
        "form": ruling_form,
        "decider_form": DeciderForm() if page.may_name else None,
        "typed": typed or {},
        "refusal": refusal,
    }
    return render(request, "boundaries/dispute.html", context, status=status)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD"])
def one(request: HttpRequest, pk: int) -> HttpResponse:
    """The dispute, fair to all sides: each sees what it may see at this moment."""
    return _shown(request, _found(request, pk))


_DONE = {
    "save": "Your page is saved. It is not filed yet: only you see it.",
    "file": "Your page is filed. It opens to everyone at once with the others.",
    "waive": "You waived your page.",
}


@login_required
@never_cache
@require_POST
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """Save, file or waive an own page."""
    dispute, act = _found(request, pk), request.POST.get("act", "save")
    form = PageForm(request.POST)
    if act not in _DONE:
        raise Http404("No such act.")
    if not form.is_valid():
        words = " ".join(map(str, form.errors.get("text", ["Nothing was saved."])))
        return _shown(request, dispute, refusal=words, typed=_typed(request), status=422)
    given: dict[str, Any] = {
        "dispute": dispute,
        "office": form.cleaned_data["office"],
        "acting_user": reader_of(request),
        "at": timezone.now(),
    }
    try:
        if act == "waive":
            disputes.waive_page(**given)
        else:
            verb = disputes.file_page if act == "file" else disputes.save_page
            verb(text=form.cleaned_data["text"], **given)
    except NotYourOffice as not_yours:
        raise PermissionDenied(str(not_yours)) from not_yours
    except Refused as refused:
        found = _found(request, pk)
        return _shown(request, found, refusal=str(refused), typed=_typed(request), status=422)
    messages.success(request, _DONE[act])
    return redirect("boundaries:dispute", pk)


def _typed(request: HttpRequest) -> dict[str, str]:
    return {
        "office": request.POST.get("office", ""),
        "text": request.POST.get("text", "").replace("\0", ""),
    }


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@reauthentication_required(app="allauth.mfa", allow_get=True)  # type: ignore[untyped-decorator]  # allauth is untyped
def rule(request: HttpRequest, pk: int) -> HttpResponse:
    """The CEO rules, having confirmed within the last 5 minutes who they are."""
    if request.method != "POST":
        return redirect("boundaries:dispute", pk)
    dispute = _found(request, pk)
    form, refusal = RulingForm(request.POST), ""
    if form.is_valid():
        text, _answer = dispute_page.opens_with(dispute, today=today())
        known = [*row_text(dispute.row).sub_scopes, *text.sub_scopes]
        try:
            rulings.rule(
                dispute=dispute,
                terms=form.terms({one.name: one.key for one in known}),
                rationale=form.cleaned_data["ruling_rationale"],
                acting_user=reader_of(request),
                at=timezone.now(),
            )
        except NotYourOffice as not_yours:
            raise PermissionDenied(str(not_yours)) from not_yours
        except Refused as refused:
            refusal, dispute = str(refused), _found(request, pk)
        else:
            messages.success(request, f"You ruled on {dispute.function.name}. Everybody is told.")
            return redirect("boundaries:dispute", pk)
    else:
        require_ceo(request)
    return _shown(request, dispute, ruling_form=form, refusal=refusal, status=422)


def require_ceo(request: HttpRequest) -> None:
    """Whoever may not rule is told so, and not that a field is missing."""
    try:
        require(reader_of(request), Act.RULE, on=today())
    except NotYourOffice as not_yours:
        raise PermissionDenied(str(not_yours)) from not_yours


def _button(request: HttpRequest, pk: int, act: Any, words: str) -> HttpResponse:
    """A button of the dispute's page: one verb, and a word on what it did."""
    dispute = _found(request, pk)
    try:
        done = act(dispute)
    except NotYourOffice as not_yours:
        raise PermissionDenied(str(not_yours)) from not_yours
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        over = isinstance(done, Dispute) and not done.is_open
        messages.success(request, "The dispute is withdrawn." if over else words)
    return redirect("boundaries:dispute", pk)


@login_required
@require_POST
def settle(request: HttpRequest, pk: int) -> HttpResponse:
    """Agree to withdraw the dispute."""
    who_and_when: dict[str, Any] = {"acting_user": reader_of(request), "at": timezone.now()}
    words = "You agreed to withdraw the dispute. It ends once every party has."
    return _button(request, pk, lambda one: disputes.settle(dispute=one, **who_and_when), words)


@login_required
@require_POST
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Take that word back."""
    who_and_when: dict[str, Any] = {"acting_user": reader_of(request), "at": timezone.now()}
    return _button(
        request,
        pk,
        lambda one: disputes.take_back_settlement(dispute=one, **who_and_when),
        "You took your word back: the dispute goes on.",
    )


@login_required
@require_POST
def decider(request: HttpRequest, pk: int) -> HttpResponse:
    """The CEO names who decides until the ruling."""
    form = DeciderForm(request.POST)
    office = form.cleaned_data["office"] if form.is_valid() else ""
    return _button(
        request,
        pk,
        lambda one: disputes.name_interim_decider(
            dispute=one, office=office, acting_user=reader_of(request), at=timezone.now()
        ),
        "You named who decides until you rule.",
    )


@signed_in_verb
@require_http_methods(["GET", "HEAD", "POST"])
def escalate(request: HttpRequest, number: str, n: int, position: int) -> HttpResponse:
    """Bring a contested row of a draft, or a row in force, to the CEO."""
    revision = find(request, number, n)
    row = clause_of(revision, f"row-{position}")
    assert isinstance(row, Row)  # noqa: S101 - asked for a row; tells the type checker
    require(reader_of(request), Act.ESCALATE, on=today())
    in_force = revision.state in ANSWERING
    form = EscalateForm(request.POST or None, in_force=in_force)
    refusal = ""
    if request.method == "POST" and form.is_valid():
        try:
            opened = _open(request, row, form, in_force=in_force)
        except AlreadyDisputed as standing:
            messages.error(request, str(standing))
            return redirect(standing.dispute)
        except NotYourOffice:
            raise
        except Refused as refused:
            refusal = str(refused)
        else:
            messages.success(
                request, "The row is escalated. All parties were asked by mail for their page."
            )
            return redirect(opened)
    context, _ = frame(revision, reader_of(request))
    context |= {
        "row": row,
        "form": form,
        "refusal": refusal,
        "in_force": in_force,
        "parties": parties_of(revision),
        "effects": _effects(row, in_force=in_force),
        "contests": disputes.contests_of(row) if not in_force else [],
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "boundaries/dispute_escalate.html", context, status=status)


def _open(request: HttpRequest, row: Row, form: forms.Form, *, in_force: bool) -> Dispute:
    given: dict[str, Any] = {
        "row": row,
        "question": form.cleaned_data["question"],
        "acting_user": reader_of(request),
        "at": timezone.now(),
    }
    if in_force:
        return disputes.escalate_in_force(reason=form.cleaned_data["reason"], **given)
    return disputes.escalate(**given)


def _effects(row: Row, *, in_force: bool) -> list[str]:
    office, because = disputes.interim_decider(row.function, today=company_date(timezone.now()))
    standing = Dispute(interim_decider=office, interim_because=because)
    blocks = (
        "It blocks no draft: the parties go on negotiating, signing and approving."
        if in_force
        else f"Nobody can freeze v{row.revision.number} until the CEO has ruled or all parties "
        "withdraw it."
    )
    pages = (
        "Every party may file one page of at most 3,000 characters within 2 business days. Nobody "
        "reads one before all are in or the time is up."
    )
    return [
        pages,
        "The CEO rules within 5 business days after that, naming owner and terms.",
        decider_words(standing),
        blocks,
    ]
