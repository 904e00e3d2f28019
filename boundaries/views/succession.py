"""What a successor takes over, and the answer; the list of all changes of hands."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from people.calendar import company_country
from people.errors import NotYourOffice, Refused
from people.permissions import Act, may

from .. import agreeing, registry, succession, takeover
from ..forms import AnswerForm
from ..models import Succession
from ..succession import standing_of
from .drafting import read_tokens
from .frame import find, reader_of, signed_in_verb, to_revision, today

PAGE_SIZE = 20


@login_required
@require_safe
def successions(request: HttpRequest) -> HttpResponse:
    """Every change of hands that the reader may know of; what waits comes first."""
    reader, on = reader_of(request), today()
    page = Paginator(takeover.listed(reader, on=on), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "section": "boundaries",
        "page_obj": page,
        "lines": [(one, standing_of(one, today=on).value) for one in page.object_list],
        "all": may(reader, Act.READ_DRAFT, on=on),
        "today": on,
    }
    return render(request, "boundaries/takeovers.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, pk: int) -> HttpResponse:
    """What the successor takes over; their answer once."""
    reader, on = reader_of(request), today()
    found: Succession = get_object_or_404(takeover.readable(reader, on=on), pk=pk)
    form = AnswerForm(request.POST if request.method == "POST" else None)
    refusal = ""
    if request.method == "POST" and form.is_valid():
        try:
            _answer(request, found, form)
        except NotYourOffice as not_yours:
            raise PermissionDenied(str(not_yours)) from not_yours
        except Refused as refused:
            refusal = str(refused)
            found = get_object_or_404(takeover.readable(reader, on=on), pk=pk)
        else:
            return redirect("boundaries:succession", pk)
    context = {
        "section": "boundaries",
        "takeover": takeover.takeover(found, reader, today=on, country=company_country()),
        "revision": found.revision,
        "document": found.revision.document,
        "form": form,
        "refusal": refusal,
        "extra_panels": registry.takeover_panels(found.revision, reader),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "boundaries/takeover.html", context, status=status)


def _answer(request: HttpRequest, found: Succession, form: AnswerForm) -> None:
    reader, at, reference = reader_of(request), timezone.now(), found.revision.reference
    if form.cleaned_data["answer"] == Succession.Answer.ACKNOWLEDGED:
        succession.acknowledge(succession=found, acting_user=reader, at=at)
        messages.success(request, f"You acknowledged {reference}.")
        return
    answered = succession.ask_for_amendment(
        succession=found, wish=form.cleaned_data["wish"], acting_user=reader, at=at
    )
    if answered.amendment is None:
        messages.success(
            request,
            f"Your wish is kept. A version of {found.revision.document.title} is frozen now; the "
            "wish enters the next draft.",
        )
    else:
        messages.success(
            request,
            f"You asked for an amendment: it is negotiated in {answered.amendment.reference}. "
            f"{reference} rules meanwhile.",
        )


@signed_in_verb
@require_POST
def confirm_predecessors(request: HttpRequest, number: str, n: int) -> HttpResponse:
    """Confirm what the predecessor agreed to, exactly as it stood on the page."""
    revision = find(request, number, n)
    count = agreeing.confirm_predecessors(
        revision=revision,
        read=read_tokens(request, revision),
        acting_user=reader_of(request),
        at=timezone.now(),
    )
    agreements = "1 agreement" if count == 1 else f"{count} agreements"
    messages.success(request, f"You confirmed {agreements} in {revision.reference}.")
    back = request.POST.get("takeover", "")
    if back.isdecimal() and len(back) < 10:
        return redirect("boundaries:succession", int(back))
    return to_revision(revision)
