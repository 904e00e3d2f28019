"""Export and import of a draft: three downloads, an upload, a preview, and taking it over."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from people.errors import NotYourOffice, Refused
from people.permissions import Act, may

from ..exchange import importing, previewing, reading, writing
from ..exchange.errors import ImportOutdated
from ..exchange.reading import MAX_BYTES, Incoming
from ..exchange.table import Names, Problem
from ..models import Revision
from .frame import find, frame, reader_of, signed_in_verb, to_revision, today

# Django takes 1,000 fields of a form; each change is one.
MAX_CHANGES = 900

_FILES: dict[str, tuple[Callable[..., bytes], str]] = {
    "json": (writing.as_json, "application/json"),
    "xlsx": (
        writing.as_xlsx,
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    "csv": (writing.as_csv, "text/csv; charset=utf-8"),
}


class UploadForm(forms.Form):
    """The file that was filled in."""

    file = forms.FileField(
        label="File",
        help_text="A .json, .xlsx or .csv file of at most 2 MB.",
        widget=forms.FileInput(attrs={"class": "input", "accept": ".json,.xlsx,.csv"}),
        error_messages={
            "required": "Choose the file that you filled in.",
            "empty": "The file is empty. Choose the one that you filled in.",
        },
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError("The file is larger than 2 MB. Import it in parts.")
        return file


@signed_in_verb
@require_safe
def download(request: HttpRequest, number: str, n: int, ending: str) -> HttpResponse:
    """The text of a Revision as a file."""
    revision = find(request, number, n)
    write, content_type = _FILES[ending]
    answer = HttpResponse(write(revision, at=timezone.now()), content_type=content_type)
    answer["Content-Disposition"] = f'attachment; filename="{revision.reference}.{ending}"'
    return answer


def _way(request: HttpRequest, revision: Revision) -> str:
    """How this reader brings a file back: "edit", "propose" or "" for not at all."""
    context, _ = frame(revision, reader_of(request))
    if not revision.is_draft:
        return ""
    if context["may"].edit:
        return "edit"
    return "propose" if may(reader_of(request), Act.PROPOSE, on=today()) else ""


def _shown(request: HttpRequest, revision: Revision, form: UploadForm, **more: Any) -> HttpResponse:
    context, _ = frame(revision, reader_of(request))
    context |= {"form": form, "way": _way(request, revision), "refusal": "", **more}
    status = 422 if form.errors or context["refusal"] else 200
    return render(request, "boundaries/exchange.html", context, status=status)


def _refuse_unless_way(request: HttpRequest, revision: Revision) -> str:
    way = _way(request, revision)
    if not revision.is_draft:
        raise Refused(f"{revision.reference} is no longer a draft, so its text cannot change.")
    if not way:
        raise PermissionDenied(
            "A party or the Corporate Secretary imports into a draft, and the RevOps Lead as "
            "proposed changes. Send your file to one of them."
        )
    return way


@signed_in_verb
@require_http_methods(["GET", "HEAD", "POST"])
def exchange(request: HttpRequest, number: str, n: int) -> HttpResponse:
    """The three downloads and the upload; an upload is answered by its preview."""
    revision = find(request, number, n)
    if request.method != "POST":
        return _shown(request, revision, UploadForm())
    _refuse_unless_way(request, revision)
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _shown(request, revision, form)
    file = form.cleaned_data["file"]
    names = Names()
    try:
        incoming = reading.read(file.read(), file.name or "", names)
    except Refused as refused:
        form.add_error("file", str(refused))
        return _shown(request, revision, form)
    return _preview(request, revision, incoming, names)


def _preview(
    request: HttpRequest, revision: Revision, incoming: Incoming, names: Names, refusal: str = ""
) -> HttpResponse:
    way = _way(request, revision)
    found = previewing.preview(revision, incoming, names)
    if way == "propose":
        for one in found.changes:
            if not importing.may_be_proposed(one):
                found.problems.append(
                    Problem(
                        one.place, f"{one.title}: only those who edit the draft take this over."
                    )
                )
        found.changes = [one for one in found.changes if importing.may_be_proposed(one)]
    too_many = len(found.changes) > MAX_CHANGES
    found.changes = found.changes[:MAX_CHANGES]
    context, _ = frame(revision, reader_of(request))
    context |= {
        "preview": found,
        "way": way,
        "too_many": too_many,
        "refusal": refusal,
        "signed": importing.signed(revision, incoming, found.changes, reader_of(request)),
    }
    status = 422 if refusal else 200
    return render(request, "boundaries/exchange_preview.html", context, status=status)


@signed_in_verb
@require_POST
def confirm(request: HttpRequest, number: str, n: int) -> HttpResponse:
    """Take over what was ticked, exactly as the preview showed it."""
    revision = find(request, number, n)
    way = _refuse_unless_way(request, revision)
    reader = reader_of(request)
    try:
        incoming = importing.unsigned(request.POST.get("preview", ""), revision, reader)
    except ImportOutdated as outdated:
        return _shown(request, revision, UploadForm(), refusal=str(outdated))
    verb = importing.import_draft if way == "edit" else importing.propose_imported
    try:
        done = verb(
            revision=revision,
            incoming=incoming,
            chosen=_ticked(request),
            acting_user=reader,
            at=timezone.now(),
        )
    except NotYourOffice:
        raise
    except Refused as refused:
        return _preview(request, revision, incoming, Names(), refusal=str(refused))
    if way == "edit":
        messages.success(request, f"You imported {done.words}. The others agree to them again.")
    else:
        messages.success(request, f"You proposed changes to {done.words}. The parties are told.")
    return to_revision(revision)


def _ticked(request: HttpRequest) -> dict[str, int]:
    """ "row-3:2" for each ticked change: its anchor, and the version it was compared with."""
    chosen = {}
    for token in request.POST.getlist("take"):
        anchor, _, version = token.rpartition(":")
        if anchor and version.isascii() and version.isdigit() and len(version) < 9:
            chosen[anchor] = int(version)
    return chosen
