"""A Revision's page in each of its states, its sealed PDF, and the RevOps Lead's plan."""

import io
from typing import Any

import segno
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from people.calendar import company_date
from people.errors import NotYourOffice, Refused
from sealing.canonical import sha256_hex
from sealing.errors import KeysUnusable, SealingError

from .. import content as contents
from .. import dispute_page, evidence, pdf, plan, queries, registry, takeover
from ..archive import disposal
from ..errors import EvidenceNotReady
from ..files import files
from ..forms import PlanForm
from ..models import Acknowledgement, Freeze, Revision
from ..parties import stands_in_the_way
from ..states import PUBLISHED, State
from . import board
from .frame import find, frame, nothing_new, reader_of, signed_in_verb, to_revision, today
from .signing import pdf_response


@signed_in_verb
@require_safe
def revision(request: HttpRequest, number: str, n: int) -> HttpResponse:
    """The drafting board, the way through signatures, or what rules: by the state."""
    found = find(request, number, n)
    if found.state == State.DRAFT:
        return board.draft(request, found)
    if found.state in (State.COSIGNING, State.AWAITING_APPROVAL):
        return _progress(request, found)
    return _in_force(request, found)


def _frozen(
    request: HttpRequest, found: Revision, freeze: Freeze | None
) -> tuple[dict[str, Any], Freeze | None]:
    reader = reader_of(request)
    context, signatures = frame(found, reader)
    everyone = queries.signers(
        found,
        reader=reader,
        on=today(),
        parties=context["parties"],
        signatures=signatures,
        answers=takeover.answers_by_office(found, today=today()),
    )
    context |= {
        "freeze": freeze,
        "content": contents.content_of(freeze) if freeze else None,
        "signers": everyone,
        "waits_for": queries.waits_for(found, everyone),
        "pdf_problem": _pdf_problem(freeze, in_detail=context["may"].read_draft),
    }
    return context, freeze


def _pdf_problem(freeze: Freeze | None, *, in_detail: bool) -> str:
    """Why there is no PDF yet; in detail only for those who take part: it may name the inside."""
    if freeze is None or not freeze.pdf_last_failure:
        return ""
    return freeze.pdf_last_failure if in_detail else "Making it failed."


def _progress(request: HttpRequest, found: Revision) -> HttpResponse:
    context, freeze = _frozen(request, found, queries.live_freeze(found))
    ready = bool(freeze and freeze.signing_copy_sha256)
    context["pdf_ready"] = ready
    context["cannot_be_signed"] = stands_in_the_way(
        found,
        parties=context["parties"],
        signed=[one.office for one in context["signers"] if one.signature],
    )
    waiting = nothing_new(request, made=ready, problem=context["pdf_problem"])
    return waiting or render(request, "boundaries/progress.html", context)


def _in_force(request: HttpRequest, found: Revision) -> HttpResponse:
    context, freeze = _frozen(request, found, queries.live_freeze(found))
    ready = bool(freeze and freeze.sealed_sha256)
    disposed = disposal.of_revision(found)
    context |= {
        "state_words": State(found.state).label,
        "sealed_ready": ready and disposed is None,
        "disposed": disposed,
        "verify_facts": _verify_facts(freeze) if freeze and ready else None,
        "plan": Acknowledgement.objects.filter(revision=found)
        .prefetch_related("milestones")
        .first(),
        "versions": list(
            queries.readable(reader_of(request), on=today())
            .filter(document=found.document)
            .order_by("-number")
        ),
        "extra_panels": registry.panels(found, reader_of(request)),
        "to_answer": [
            one
            for one in takeover.waiting_for(reader_of(request), on=today())
            if one.revision_id == found.pk
        ],
        "days": (today() - company_date(found.in_force_from)).days if found.in_force_from else None,
        "published": found.state in PUBLISHED,
    }
    waiting = nothing_new(request, made=ready, problem=context["pdf_problem"])
    return waiting or render(request, "boundaries/inforce.html", context)


def _verify_facts(freeze: Freeze) -> dict[str, Any]:
    try:
        fingerprint = pdf.company_keys().root_fingerprint
    except (KeysUnusable, OSError):
        fingerprint = ""  # the page then leaves it out; /readyz says what is wrong with the keys
    return {
        "sealed_at": freeze.sealed_at,
        "sha256": freeze.sealed_sha256,
        "content_sha256": freeze.content_sha256,
        "root_fingerprint": fingerprint,
        "timestamp": settings.TSA_URL or "the registry's own authority",
    }


@signed_in_verb
@require_safe
def text(request: HttpRequest, number: str, n: int) -> HttpResponse:
    """The frozen text to read online."""
    found = find(request, number, n)
    context, freeze = _frozen(request, found, queries.live_freeze(found))
    if freeze is None:
        raise Http404("Nothing is frozen yet: read the draft.")
    context["disposed"] = disposed = disposal.of_revision(found)
    context["sealed_ready"] = (
        bool(freeze.sealed_sha256) and found.state in PUBLISHED and disposed is None
    )
    context |= dispute_page.beside_the_text(found, reader_of(request))
    return render(request, "boundaries/text.html", context)


@signed_in_verb
@require_safe
def sealed_pdf(request: HttpRequest, number: str, n: int) -> HttpResponse:
    """The sealed PDF of what is approved; 404 while it is still being made."""
    found = find(request, number, n)
    freeze = queries.live_freeze(found) if found.state in PUBLISHED else None
    if freeze is None or not freeze.sealed_sha256:
        raise Http404("There is no sealed PDF of this version yet. It is made within seconds.")
    return pdf_response(files.get(freeze.sealed_sha256), f"{found.reference}.pdf", download=True)


@signed_in_verb
@require_safe
def evidence_bundle(request: HttpRequest, number: str, n: int) -> HttpResponse:
    """The evidence bundle of what is sealed; taking it is an event of the log."""
    found = find(request, number, n)
    try:
        bundle = evidence.bundle_of(found)
    except (SealingError, OSError) as problem:
        raise EvidenceNotReady(
            "The registry has no signing keys at hand, so it cannot make the evidence bundle now. "
            "Ask its Administrator."
        ) from problem
    evidence.record_taken(
        revision=found,
        sha256=sha256_hex(bundle),
        acting_user=reader_of(request),
        at=timezone.now(),
    )
    return HttpResponse(
        bundle,
        content_type="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="{evidence.bundle_name(found)}"',
            "Cache-Control": "private, no-store",
        },
    )


@signed_in_verb
@require_safe
def qr(request: HttpRequest, number: str, n: int) -> HttpResponse:
    """The QR code that is printed on page 1."""
    freeze = queries.live_freeze(find(request, number, n))
    if freeze is None:
        raise Http404("Nothing is frozen yet.")
    url = pdf.verification_url(freeze.revision.reference, freeze.content_sha256)
    image = io.BytesIO()
    segno.make(url, error="m").save(image, kind="svg", scale=4, border=2, light="#fff")
    return HttpResponse(image.getvalue(), content_type="image/svg+xml")


@signed_in_verb
@require_http_methods(["GET", "HEAD", "POST"])
def acknowledge(request: HttpRequest, number: str, n: int) -> HttpResponse:
    """The RevOps Lead acknowledges with an execution plan."""
    found = find(request, number, n)
    context, _ = frame(found, reader_of(request))
    if not context["may"].acknowledge:
        if Acknowledgement.objects.filter(revision=found).exists():
            return to_revision(found, "plan")
        raise PermissionDenied("Only the RevOps Lead acknowledges what is in force.")
    form = PlanForm(request.POST or None)
    refusal = ""
    if request.method == "POST" and form.is_valid():
        try:
            plan.acknowledge(
                revision=found,
                milestones=form.milestones(),
                acting_user=reader_of(request),
                at=timezone.now(),
            )
        except NotYourOffice:
            raise
        except Refused as refused:
            refusal = str(refused)
        else:
            messages.success(request, f"You acknowledged {found.reference} with your plan.")
            return to_revision(found, "plan")
    context |= {"form": form, "refusal": refusal, "due": found.acknowledgement_due_date}
    status = 422 if request.method == "POST" else 200
    return render(request, "boundaries/acknowledge.html", context, status=status)
