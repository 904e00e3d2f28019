"""The list of documents, opening one, and where its address leads."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from people.errors import NotYourOffice, Refused
from people.models import Company
from people.permissions import Act, may

from .. import queries, workflow
from ..forms import OpenForm
from ..models import Document
from ..states import ANSWERING
from ..template import suited
from .frame import reader_of, today

PAGE_SIZE = 20


@login_required
@require_safe
def documents(request: HttpRequest) -> HttpResponse:
    """Every document that the reader may know of."""
    reader, on = reader_of(request), today()
    page = Paginator(queries.readable_documents(reader, on=on), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    context = {
        "section": "boundaries",
        "page_obj": page,
        "cards": queries.document_cards(page.object_list, reader, on=on),
        "may_open": may(reader, Act.OPEN, on=on),
        "company_exists": Document.objects.filter(is_company_boundary=True).exists(),
    }
    return render(request, "boundaries/documents.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def open_document(request: HttpRequest) -> HttpResponse:
    """Open a document: its first Revision is a draft filled from the template."""
    reader = reader_of(request)
    if not may(reader, Act.OPEN, on=today()):
        raise PermissionDenied("Only the CRO, COO, CFO or Corporate Secretary opens a document.")
    company = Company.objects.get()
    exists = Document.objects.filter(is_company_boundary=True).exists()
    initial = (
        {"kind": "part"}
        if exists
        else {
            "kind": "company",
            "title": f"{company.name} RevOps boundary",
            "number": f"{company.code}-RB",
        }
    )
    form = OpenForm(request.POST or None, initial={**initial, "template": suited()})
    refusal = ""
    if request.method == "POST" and form.is_valid():
        try:
            revision = workflow.open_document(
                number=form.cleaned_data["number"],
                title=form.cleaned_data["title"],
                company_boundary=form.cleaned_data["kind"] == "company",
                functions=list(form.cleaned_data["functions"]),
                template=form.cleaned_data["template"],
                acting_user=reader,
                at=timezone.now(),
            )
        except NotYourOffice as not_yours:
            raise PermissionDenied(str(not_yours)) from not_yours
        except Refused as refused:
            refusal = str(refused)
        else:
            messages.success(
                request, f"{revision.reference} is open. Every row has a proposal: edit or agree."
            )
            return redirect(revision)
    context = {
        "section": "boundaries",
        "form": form,
        "company_exists": exists,
        "refusal": refusal,
    }
    status = 200 if request.method in ("GET", "HEAD") else 422
    return render(request, "boundaries/open.html", context, status=status)


@login_required
@require_safe
def document(request: HttpRequest, number: str) -> HttpResponse:
    """A document's own address leads to what rules, else to its newest Revision."""
    revisions = list(
        queries.readable(reader_of(request), on=today())
        .filter(document__number=number)
        .order_by("-number")
    )
    if not revisions:
        raise Http404("No such boundary document, or none that you may read.")
    return redirect(next((one for one in revisions if one.state in ANSWERING), revisions[0]))
