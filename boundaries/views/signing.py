"""The ceremony for the parties and for the CEO, and the ways not to sign."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from people.errors import NotYourOffice, Refused
from people.factors import passkey_obstacle
from people.offices import office_short
from people.permissions import Act, require

from .. import (
    comparing,
    consent,
    proof,
    queries,
    rulings,
    signing,
    versions,
    vetoes,
    workflow,
)
from .. import content as contents
from ..errors import IntentNotValid, TransitionNotAllowed
from ..files import files
from ..forms import BeginSigningForm, ConfirmForm, ReasonForm
from ..mark_forms import MarksForm
from ..mark_lists import mark_list
from ..models import Freeze, Revision, SigningIntent
from ..states import TRANSITIONS, Role, Verb
from .copy import copy_of
from .frame import find, frame, nothing_new, reader_of, signed_in_verb, to_revision, today

PAGE_OF_ROLE = {Role.COSIGNER: "sign", Role.APPROVER: "approve"}


def session_key_of(request: HttpRequest) -> str:
    """The key of the session that the ceremony is bound to."""
    if not request.session.session_key:
        request.session.save()
    return request.session.session_key or ""


def _act_words(role: Role, revision: Revision) -> str:
    act = "Sign" if role == Role.COSIGNER else "Approve"
    return f"{act} boundary v{revision.number}"


def _ceremony(request: HttpRequest, revision: Revision, role: Role) -> dict[str, Any]:
    """What every page of the ceremony shows; refuses whoever has nothing to sign."""
    reader, on = reader_of(request), today()
    if revision.state not in TRANSITIONS[signing.VERB_OF_ROLE[role]]:
        raise TransitionNotAllowed(revision, signing.VERB_OF_ROLE[role])
    context, signatures = frame(revision, reader)
    appointments = signing.signing_appointments(revision, role, reader, at=timezone.now())
    may = context["may"]
    if not (may.sign if role == Role.COSIGNER else may.approve):
        if any(one.person_id == reader.pk and one.role == role for one in signatures):
            raise IntentNotValid(f"You have signed {revision.reference} already.")
        require(reader, signing.ACT_OF_ROLE[role], on=on)
        if role == Role.APPROVER:
            signing.refuse_own_approval(revision, reader)
        who = "a party to it" if role == Role.COSIGNER else "the CEO"
        raise PermissionDenied(f"Only {who} can do that. Nothing was signed.")
    freeze = revision.freezes.get(voided_at__isnull=True)
    content = contents.content_of(freeze)
    return context | {
        "role": role.value,
        "verb_words": _act_words(role, revision),
        "freeze": freeze,
        "content": content,
        "signers": queries.signers(
            revision, reader=reader, on=on, parties=context["parties"], signatures=signatures
        ),
        "meaning": signing.meaning_of(role, appointments),
        "copy": lambda: copy_of(revision, freeze, reader),
        "consent": consent.CURRENT,
        "appointments": [one.title for one in appointments],
        "offices": [one.office.key for one in appointments],
        "my_office": office_short(appointments[0].office.key),
        "effects": queries.effects_of_approval(revision, content, on=on)
        if role == Role.APPROVER
        else [],
        "refusal": "",
        **(_returning(revision) if role == Role.APPROVER else _changed(revision, content)),
        **_confirming(request),
    }


def _changed(revision: Revision, content: contents.Content) -> dict[str, Any]:
    """What a party sees above the text: what changed since the version that it replaces."""
    compared = versions.changed_since_former(revision, content)
    if compared is None or revision.supersedes is None:
        return {}
    page = reverse("boundaries:compare", args=[revision.document.number])
    picked = {"from": revision.supersedes.number, "to": revision.number}
    return {
        "changed": {
            "summary": comparing.summary(compared),
            "url": f"{page}?{urlencode(picked)}",
        }
    }


def _returning(revision: Revision) -> dict[str, Any]:
    """What the CEO sees beside the text: what changed, marks to return it by, vetoes on the way."""
    marks = mark_list(revision)
    return {
        "marks": marks,
        "marks_form": MarksForm(marks),
        "return_effects": _REFUSALS["return"]["effects"],
        "moments": vetoes.history(revision),
    }


def _confirming(request: HttpRequest) -> dict[str, Any]:
    """By what this reader confirms at this address; ``method`` is the way that is shown."""
    reader = reader_of(request)
    ways = proof.ways_of(reader, on=today())
    rp_id, _port = split_domain_port(request.get_host())
    obstacle = passkey_obstacle(request) if ways.passkey else ""
    passkeys = proof.passkeys_at(reader, rp_id) if ways.passkey and not obstacle else []
    here = replace(ways, passkey=bool(passkeys))
    asked = request.GET.get("with")
    if here.code and asked == "code":
        here = replace(here, passkey=False)
    elif here.single_sign_on and asked == "single-sign-on":
        here = replace(here, code=False)
    if ways.passkey and not here.method and not obstacle:
        obstacle = f"Your passkey works at {proof.made_at(reader)} only. Open the registry there."
    return {
        "ways": ways,
        "method": here.method,
        "passkeys": passkeys,
        "rp_id": rp_id,
        "obstacle": obstacle,
        "issuer": settings.OIDC_NAME,
    }


def _begin(request: HttpRequest, number: str, n: int, role: Role) -> HttpResponse:
    revision = find(request, number, n)
    context = _ceremony(request, revision, role)
    form = BeginSigningForm(request.POST or None, initial=_begun_before(request, context["freeze"]))
    if request.method == "POST" and form.is_valid():
        try:
            intent = signing.open_intent(
                revision=revision,
                role=role,
                meaning_accepted=form.cleaned_data["understood"],
                conflict_declared=form.cleaned_data["conflict_text"]
                if form.cleaned_data["conflict"] == "declared"
                else "",
                reservation=form.cleaned_data["reservation"] if role == Role.COSIGNER else "",
                session_key=session_key_of(request),
                acting_user=reader_of(request),
                at=timezone.now(),
            )
        except NotYourOffice:
            raise
        except Refused as refused:
            context["refusal"] = str(refused)
        else:
            page = f"boundaries:{PAGE_OF_ROLE[role]}_confirm"
            return redirect(page, number, n, intent.pk)
    if waiting := nothing_new(request, made=bool(context["freeze"].signing_copy_sha256)):
        return waiting
    context["form"] = form
    status = 422 if request.method == "POST" else 200
    return render(request, "boundaries/sign.html", context, status=status)


def _begun_before(request: HttpRequest, freeze: Freeze) -> dict[str, str]:
    """What was written in a ceremony of this text that came to no end: nobody writes it twice."""
    before = SigningIntent.objects.filter(
        freeze=freeze,
        person=reader_of(request),
        session_sha256=signing.session_sha256(session_key_of(request)),
        consumed_at__isnull=True,
    ).first()
    if before is None:
        return {}
    return {
        "reservation": before.reservation,
        "conflict": "declared" if before.conflict_declared else "none",
        "conflict_text": before.conflict_declared,
    }


@signed_in_verb
@require_http_methods(["GET", "HEAD", "POST"])
def sign(request: HttpRequest, number: str, n: int) -> HttpResponse:
    """Steps 1 to 4 for a party."""
    return _begin(request, number, n, Role.COSIGNER)


@signed_in_verb
@require_http_methods(["GET", "HEAD", "POST"])
def approve(request: HttpRequest, number: str, n: int) -> HttpResponse:
    """Steps 1 to 4 for the CEO."""
    return _begin(request, number, n, Role.APPROVER)


def _confirm(request: HttpRequest, number: str, n: int, intent_id: int, role: Role) -> HttpResponse:
    revision = find(request, number, n)
    context = _ceremony(request, revision, role)
    intent: SigningIntent = get_object_or_404(
        SigningIntent, pk=intent_id, person=reader_of(request), role=role, freeze=context["freeze"]
    )
    now = timezone.now()
    if over := signing.why_over(intent, at=now):
        messages.error(request, over)
        return redirect(f"boundaries:{PAGE_OF_ROLE[role]}", number, n)
    # The issuer's answer came on a way of its own: its address is where it was confirmed.
    confirmed = intent.authenticated_at is not None and intent.method == proof.SINGLE_SIGN_ON
    if confirmed:
        context["method"] = proof.SINGLE_SIGN_ON
    form = ConfirmForm(request.POST or None, method=context["method"])
    if request.method == "POST" and (confirmed or (form.fields and form.is_valid())):
        try:
            if not confirmed:
                _authenticate(request, intent, form.cleaned_data)
            _sign(request, revision, intent, role)
        except (NotYourOffice, IntentNotValid):
            raise
        except Refused as refused:
            context["refusal"] = str(refused)
        else:
            done = "signed" if role == Role.COSIGNER else "approved"
            messages.success(request, f"You {done} {revision.reference}.")
            return to_revision(revision)
    context |= {
        "form": form,
        "intent": intent,
        "confirmed": confirmed,
        "consent": consent.consent_of(intent.consent_version),
        "options": json.dumps(
            proof.request_options(intent, context["passkeys"], rp_id=context["rp_id"], at=now)
        ),
        "seconds_left": max(0, int((intent.expires_at - now).total_seconds())),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "boundaries/sign_confirm.html", context, status=status)


def _authenticate(request: HttpRequest, intent: SigningIntent, given: dict[str, Any]) -> None:
    passkey = None
    if "passkey" in given:
        passkey = proof.PasskeyAnswer(
            response=given["passkey"],
            rp_id=split_domain_port(request.get_host())[0],
            origin=f"{request.scheme}://{request.get_host()}",
        )
    signing.authenticate(
        intent=intent,
        password=given.get("password", ""),
        code=given.get("code", ""),
        passkey=passkey,
        session_key=session_key_of(request),
        acting_user=reader_of(request),
        at=timezone.now(),
    )


def _sign(request: HttpRequest, revision: Revision, intent: SigningIntent, role: Role) -> None:
    verb = workflow.cosign if role == Role.COSIGNER else workflow.approve
    verb(
        revision=revision,
        intent=intent,
        session_key=session_key_of(request),
        acting_user=reader_of(request),
        at=timezone.now(),
    )


@never_cache
@sensitive_post_parameters("password", "code", "passkey")
@signed_in_verb
@require_http_methods(["GET", "HEAD", "POST"])
def sign_confirm(request: HttpRequest, number: str, n: int, intent_id: int) -> HttpResponse:
    """Steps 5 and 6 for a party: confirm that it is you, and sign."""
    return _confirm(request, number, n, intent_id, Role.COSIGNER)


@never_cache
@sensitive_post_parameters("password", "code", "passkey")
@signed_in_verb
@require_http_methods(["GET", "HEAD", "POST"])
def approve_confirm(request: HttpRequest, number: str, n: int, intent_id: int) -> HttpResponse:
    """Steps 5 and 6 for the CEO: confirm that it is you, and approve."""
    return _confirm(request, number, n, intent_id, Role.APPROVER)


@signed_in_verb
@require_POST
def renew(request: HttpRequest, number: str, n: int, intent_id: int) -> HttpResponse:
    """Another five minutes: back to the confirmation, with everything as it was written."""
    revision = find(request, number, n)
    intent = get_object_or_404(
        SigningIntent, pk=intent_id, person=reader_of(request), freeze__revision=revision
    )
    page = PAGE_OF_ROLE[Role(intent.role)]
    try:
        renewed = signing.renew_intent(
            intent=intent,
            session_key=session_key_of(request),
            acting_user=reader_of(request),
            at=timezone.now(),
        )
    except NotYourOffice:
        raise
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect(f"boundaries:{page}", number, n)
    messages.success(request, "You have another 5 minutes. Nothing is signed yet.")
    return redirect(f"boundaries:{page}_confirm", number, n, renewed.pk)


@signed_in_verb
@require_GET  # a HEAD would be recorded as read, and hand over nothing to read
def signing_copy(request: HttpRequest, number: str, n: int) -> HttpResponse:
    """Open the exact bytes to be signed; that they were opened is recorded."""
    revision = find(request, number, n)
    freeze = get_object_or_404(
        Freeze.objects.select_related("revision__document"),
        revision=revision,
        voided_at__isnull=True,
    )
    # In one transaction: nobody has read what the store could not hand over.
    with transaction.atomic():
        reading = signing.record_reading(
            freeze=freeze, acting_user=reader_of(request), at=timezone.now()
        )
        content = files.get(reading.file_sha256)
    return pdf_response(content, f"{revision.reference}-signing-copy.pdf")


def pdf_response(content: bytes, name: str, *, download: bool = False) -> HttpResponse:
    """A PDF to show, or to keep."""
    way = "attachment" if download else "inline"
    return HttpResponse(
        content,
        content_type="application/pdf",
        headers={
            "Content-Disposition": f'{way}; filename="{name}"',
            "Cache-Control": "private, no-store",
        },
    )


# --- Not signing ------------------------------------------------------------------------------

_REFUSALS: dict[str, dict[str, Any]] = {
    "decline": {
        "verb": workflow.decline,
        "may": "decline",
        "act": Act.DECLINE,
        "heading": "I cannot sign this text",
        "effects": [
            "The text goes back to draft; everybody can change it again.",
            "Signatures given so far are void. They are kept, with your reason.",
            "All parties, the CEO and the RevOps Lead are told by mail, with your reasons.",
            "Agreements to what you mark end; all others stand until somebody changes the text.",
        ],
        "button_words": "Decline to sign",
        "done": "went back to draft.",
    },
    "return": {
        "verb": workflow.return_to_draft,
        "may": "return_",
        "act": Act.RETURN,
        "heading": "Return it to the parties",
        "effects": [
            "The text goes back to draft; the parties can change it again.",
            "All co-signatures are void. They are kept, with your reasons.",
            "Agreements to what you mark end; all others stand until somebody changes the text.",
            "The parties and the RevOps Lead are told by mail, with your reasons.",
            "It does not change who owns what: what is in force stands.",
        ],
        "button_words": "Return to draft",
        "done": "went back to draft.",
    },
    "withdraw": {
        "verb": workflow.withdraw,
        "may": "withdraw",
        "act": Act.WITHDRAW,
        "heading": "Withdraw it",
        "effects": [
            "This version ends here and never comes in force.",
            "Signatures given so far are void. They are kept, with your reason.",
            "Everybody who took part is told by mail, with your reason.",
            "What is in force stands. A new version can be opened at any time.",
        ],
        "button_words": "Withdraw this version",
        "done": "is withdrawn.",
    },
}

# The same verb, for a party who has signed already.
_TAKING_BACK = {"heading": "Take back my signature", "button_words": "Take back my signature"}


def _refuse(request: HttpRequest, number: str, n: int, kind: str) -> HttpResponse:
    revision = find(request, number, n)
    how = _REFUSALS[kind]
    context, _ = frame(revision, reader_of(request))
    if revision.state not in TRANSITIONS[_VERBS[kind]]:
        raise TransitionNotAllowed(revision, _VERBS[kind])
    if not getattr(context["may"], how["may"]):
        require(reader_of(request), how["act"], on=today())
        raise PermissionDenied("Your Office cannot do that to this version.")
    marks = None if kind == "withdraw" else mark_list(revision)
    form = MarksForm(marks, request.POST or None) if marks else ReasonForm(request.POST or None)
    refusal = ""
    if request.method == "POST" and form.is_valid():
        more = {"marks": form.given()} if isinstance(form, MarksForm) else {}
        try:
            how["verb"](
                revision=revision,
                reason=form.cleaned_data["reason"],
                acting_user=reader_of(request),
                at=timezone.now(),
                **more,
            )
        except NotYourOffice:
            raise
        except Refused as refused:
            refusal = str(refused)
        else:
            messages.success(request, f"{revision.reference} {how['done']}")
            return to_revision(revision)
    effects = list(how["effects"])
    if kind == "decline":
        if context["i_signed"]:
            how = how | _TAKING_BACK
        effects += [
            f"The ruling in dispute {one.dispute_id} binds from today as an interim decision: "
            f"look-ups answer by it who owns {one.dispute.function.name}."
            for one in rulings.would_bind_declined(revision)
        ]
    context |= {
        "kind": kind,
        "heading": f"{how['heading']}: {revision.reference}",
        "effects": effects,
        "button_words": how["button_words"],
        "form": form,
        "marks": marks,
        "refusal": refusal,
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "boundaries/refuse.html", context, status=status)


_VERBS = {"decline": Verb.DECLINE, "return": Verb.RETURN, "withdraw": Verb.WITHDRAW}


@signed_in_verb
@require_http_methods(["GET", "HEAD", "POST"])
def decline(request: HttpRequest, number: str, n: int) -> HttpResponse:
    """A party cannot sign this text."""
    return _refuse(request, number, n, "decline")


@signed_in_verb
@require_http_methods(["GET", "HEAD", "POST"])
def return_(request: HttpRequest, number: str, n: int) -> HttpResponse:
    """The CEO returns it."""
    return _refuse(request, number, n, "return")


@signed_in_verb
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, number: str, n: int) -> HttpResponse:
    """End an unfinished Revision."""
    return _refuse(request, number, n, "withdraw")
