"""Confirming a signing at the issuer of single sign-on: out, and back to the ceremony.

Nothing of the ceremony travels: it waits in its intent. The browser's session keeps what the answer
is checked by, once: state, PKCE verifier and the intent that the question belongs to.
"""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from people import step_up
from people.errors import Refused

from .. import proof, signing
from ..models import SigningIntent
from ..states import Role
from .frame import find, reader_of, signed_in_verb
from .signing import PAGE_OF_ROLE, session_key_of

ASKED = "boundaries.step_up"  # in the session: what was asked of the issuer last


def callback_address() -> str:
    """As it is registered at the issuer, whatever name the browser came by."""
    return f"{settings.PUBLIC_URL}{reverse('boundaries:step_up_back')}"


def _to_ceremony(intent: SigningIntent) -> HttpResponse:
    revision = intent.freeze.revision
    page = PAGE_OF_ROLE[Role(intent.role)]
    where = (revision.document.number, revision.number)
    if signing.why_over(intent, at=timezone.now()):
        return redirect(f"boundaries:{page}", *where)
    return redirect(f"boundaries:{page}_confirm", *where, intent.pk)


@never_cache
@signed_in_verb
@require_POST
def step_up_out(request: HttpRequest, number: str, n: int, intent_id: int) -> HttpResponse:
    """On to the issuer, to sign in there anew for this intent."""
    revision, reader = find(request, number, n), reader_of(request)
    intent = get_object_or_404(
        SigningIntent.objects.select_related("freeze__revision__document"),
        pk=intent_id,
        person=reader,
        freeze__revision=revision,
    )
    if over := signing.why_over(intent, at=timezone.now()):
        messages.error(request, over)
        return _to_ceremony(intent)
    if not (step_up.offered() and step_up.is_linked(reader)):
        raise Http404("Nobody signs by single sign-on here, or not you.")
    try:
        asked = step_up.ask(
            request,
            nonce=proof.nonce_of(proof.challenge_text(intent)),
            callback=callback_address(),
        )
    except step_up.NotSteppedUp as failure:
        messages.error(request, f"{failure} Nothing was signed.")
        return _to_ceremony(intent)
    request.session[ASKED] = {
        "state": asked.state,
        "verifier": asked.verifier,
        "intent": intent.pk,
    }
    return render(request, "boundaries/step_up.html", {"address": asked.url, "intent": intent})


@never_cache
@login_required
@require_GET
def step_up_back(request: HttpRequest) -> HttpResponse:
    """Back from the issuer, with its answer or its refusal; nothing is signed by coming back."""
    asked: dict[str, Any] = request.session.pop(ASKED, None) or {}
    intent = (
        SigningIntent.objects.select_related("freeze__revision__document")
        .filter(pk=asked.get("intent", 0), person=reader_of(request))
        .first()
    )
    given = request.GET.get("state", "")
    if intent is None or not constant_time_compare(given, str(asked["state"])):
        messages.error(
            request,
            f"{settings.OIDC_NAME} answered a question that is over or was asked in another "
            "browser. Open the document and confirm again. Nothing was signed.",
        )
        return _to_ceremony(intent) if intent else redirect("boundaries:documents")
    if error := request.GET.get("error"):
        what = (
            f"You cancelled at {settings.OIDC_NAME}."
            if error == "access_denied"
            else f"{settings.OIDC_NAME} did not confirm you ({error[:60]})."
        )
        messages.error(request, f"{what} Confirm again, or go back. Nothing was signed.")
        return _to_ceremony(intent)
    answer: step_up.Answer | str
    try:
        answer = step_up.answer(
            request,
            code=request.GET.get("code", ""),
            verifier=str(asked["verifier"]),
            nonce=proof.nonce_of(proof.challenge_text(intent)),
            callback=callback_address(),
        )
    except step_up.NotSteppedUp as failure:
        answer = str(failure)
    try:
        signing.authenticate(
            intent=intent,
            single_sign_on=answer,
            session_key=session_key_of(request),
            acting_user=reader_of(request),
            at=timezone.now(),
        )
    except Refused as refused:
        messages.error(request, str(refused))
    intent.refresh_from_db()
    return _to_ceremony(intent)
