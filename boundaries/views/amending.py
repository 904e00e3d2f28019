"""Opening an amendment of what is in force, and confirming what it took over unchanged."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from people.permissions import Act, require

from .. import agreeing, amending, workflow
from ..errors import UnfinishedRevisionExists
from ..states import State
from .drafting import read_tokens
from .frame import find, frame, reader_of, signed_in_verb, to_revision, today


@signed_in_verb
@require_http_methods(["GET", "HEAD", "POST"])
def amend(request: HttpRequest, number: str, n: int) -> HttpResponse:
    """What an amendment opens and leaves as it is; then the next Revision as a copy."""
    revision = find(request, number, n)
    if request.method == "POST":
        draft = workflow.amend(revision=revision, acting_user=reader_of(request), at=timezone.now())
        messages.success(
            request,
            f"{draft.reference} is open as a copy of the withdrawn text."
            if revision.state == State.WITHDRAWN
            else f"{draft.reference} is open as a copy of what is in force.",
        )
        return redirect(draft)
    context, _ = frame(revision, reader_of(request))
    if not context["may"].amend:
        require(reader_of(request), Act.OPEN, on=today())
        if context["successor"] is not None:
            raise UnfinishedRevisionExists(
                f"{context['successor'].reference} is unfinished. Finish or withdraw it first."
            )
        raise PermissionDenied("Only what is in force is amended, by one of its parties.")
    context |= {"opening": amending.what_amending_opens(revision, today=today())}
    return render(request, "boundaries/amend.html", context)


@signed_in_verb
@require_POST
def confirm_carried(request: HttpRequest, number: str, n: int) -> HttpResponse:
    """Agree in one act to what was taken over unchanged and was on the page."""
    revision = find(request, number, n)
    done = agreeing.confirm_carried(
        revision=revision,
        read=read_tokens(request, revision),
        acting_user=reader_of(request),
        at=timezone.now(),
    )
    count = "1 row or article" if done.agreed == 1 else f"{done.agreed} rows and articles"
    words = [f"You confirmed {count} as in what is in force."]
    if done.changed_meanwhile:
        names = ", ".join(str(one) for one in done.changed_meanwhile)
        words.append(f"Changed while you read, so not confirmed: {names}.")
    messages.success(request, " ".join(words))
    return to_revision(revision)
