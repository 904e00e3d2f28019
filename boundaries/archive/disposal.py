"""Disposal: the one way by which anything of a retained record ever goes.

What goes are the bytes of a Revision's files: its signing copies, the steps of signing, the sealed
PDF. What stays: the Revision with its frozen text, the hashes and sizes of the files, every
signature with its evidence, the log, and who owned what. It takes the Corporate Secretary, who
proposes it, and the CEO, who confirms it: two human beings. ``protections`` refuses it to anybody
else, to raw SQL too, before the retention has ended and while a legal hold stands.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db import IntegrityError, transaction

from people.calendar import company_date, date_words
from people.models import Appointment, Person
from people.permissions import Act, require

from .. import pdf
from ..locking import locked_revision
from ..models import Answer, Disposal, Freeze, Revision, Signature, StoredFile
from . import holds, mails, retention
from .errors import AlreadyAnswered, NothingToDo, StillKept, UnderHold
from .two_people import (
    asked_values,
    record,
    refuse_own,
    required,
    reread,
    stand_in_line,
    write_answer,
)


def file_names(revisions: Iterable[int]) -> Mapping[int, set[str]]:
    """By Revision id: the SHA-256 of every file of its freezes, voided ones included.

    Two queries. A freeze names its signing copy, its present and its sealed file; each signature
    the first file that carried it.
    """
    ids = list(revisions)
    found: dict[int, set[str]] = {pk: set() for pk in ids}
    freezes = Freeze.objects.filter(revision__in=ids)
    for revision, *names in freezes.values_list(
        "revision_id", "signing_copy_sha256", "pdf_sha256", "sealed_sha256"
    ):
        found[revision].update(name for name in names if name)
    signed = Signature.objects.filter(revision__in=ids).exclude(applied_sha256="")
    for revision, name in signed.values_list("revision_id", "applied_sha256"):
        found[revision].add(name)
    return found


def of_revision(revision: Revision) -> Disposal | None:
    """The disposal that emptied its files, or None while they are there."""
    return Disposal.objects.filter(revision=revision, answer=Answer.CONFIRMED).first()


def _files(revision: Revision) -> dict[str, int]:
    """The files that still have their bytes: SHA-256 and size."""
    names = file_names([revision.pk])[revision.pk]
    there = StoredFile.objects.filter(pk__in=names, disposal=None).order_by("sha256")
    return dict(there.values_list("sha256", "size"))


def refusal(revision: Revision, *, at: datetime) -> str:
    """Why its files cannot be disposed of now; "" where nothing stands in the way."""
    try:
        _require_due(revision, at=at)
    except (StillKept, UnderHold, NothingToDo) as refused:
        return str(refused)
    return ""


def _require_due(revision: Revision, *, at: datetime) -> tuple[datetime, dict[str, int]]:
    """Until when it was kept, and its files; or the refusal that says what stands in the way."""
    if of_revision(revision) is not None:
        raise NothingToDo(f"The files of {revision.reference} were disposed of already.")
    until = retention.terms().kept_until(revision)
    if until is None:
        raise StillKept(
            f"{revision.reference} is in force or on its way, so its record is kept. The retention "
            "begins on the day on which it is superseded or withdrawn."
        )
    if at < until:
        on = date_words(company_date(until))
        raise StillKept(
            f"The record of {revision.reference} is kept until {on}. Nothing of it is disposed of "
            "before."
        )
    standing = list(holds.on_document(revision.document_id))
    if standing:
        verb = "stands" if len(standing) == 1 else "stand"
        raise UnderHold(
            f"{holds.named(standing)} {verb}, so nothing of {revision.reference} is disposed of. "
            "It has to be lifted first, with a reason."
        )
    if set(revision.freezes.values_list("pk", flat=True)) & set(pdf.owed()):
        raise StillKept(
            f"A file of {revision.reference} is still being made. Wait until it is sealed."
        )
    files = _files(revision)
    if not files:
        raise NothingToDo(f"{revision.reference} has no file: nothing is to be disposed of.")
    return until, files


# --- The verbs --------------------------------------------------------------------------------


@transaction.atomic
def propose(*, revision: Revision, reason: str, acting_user: Person, at: datetime) -> Disposal:
    """Propose to dispose of a Revision's files. Nothing goes until the CEO confirms it."""
    stand_in_line()
    revision = locked_revision(revision)
    held = require(acting_user, Act.DISPOSE, on=company_date(at))
    reason = required(reason, "Say why the files are no longer needed.")
    until, files = _require_due(revision, at=at)
    if Disposal.objects.filter(revision=revision, answer=Answer.WAITING).exists():
        raise AlreadyAnswered(f"A disposal of the files of {revision.reference} waits already.")
    one = Disposal(
        revision=revision,
        kept_until=until,
        files=len(files),
        size=sum(files.values()),
        **asked_values(acting_user, held, reason=reason, at=at),
    )
    one.save(force_insert=True)
    _tell("disposal.proposed", one, acting_user, held, at=at, words=reason)
    mails.asked(
        one,
        about=str(one),
        words=(
            f"asks to dispose of the {len(files)} files of {revision.reference}. Its record was "
            f"to be kept until {date_words(company_date(until))}. Its text, its hashes, its "
            "signatures and the log stay."
        ),
        path=mails.record_path(revision),
        act=Act.CONFIRM_ARCHIVE,
        at=at,
    )
    return one


@transaction.atomic
def confirm(*, disposal: Disposal, acting_user: Person, at: datetime) -> Disposal:
    """The CEO confirms: the bytes of the Revision's files go, in this transaction."""
    one = reread(disposal)
    revision = one.revision = locked_revision(one.revision)
    held = require(acting_user, Act.CONFIRM_ARCHIVE, on=company_date(at))
    refuse_own(one, acting_user)
    _, files = _require_due(revision, at=at)
    one.files, one.size = len(files), sum(files.values())
    write_answer(
        one,
        Answer.CONFIRMED,
        acting_user=acting_user,
        held=held,
        at=at,
        also=["files", "size"],
    )
    # The event comes first: the database empties no file of whose disposal the log does not tell.
    record(
        "revision.files_disposed",
        object_type="revision",
        object_id=revision.pk,
        version=revision.reference,
        acting_user=acting_user,
        held=held,
        at=at,
        data={
            "disposal": one.pk,
            "proposed_by": one.asked_by_name,
            "files": sorted(files),
            "bytes": one.size,
        },
    )
    try:
        with transaction.atomic():
            emptied = StoredFile.objects.filter(pk__in=list(files), disposal=None)
            emptied.update(content=b"", disposal=one)
    except IntegrityError as kept:
        raise StillKept(
            f"The database keeps the files of {revision.reference}: by its own clock the retention "
            "has not ended. Nothing was changed. Ask whoever runs the registry about that clock."
        ) from kept
    mails.answered(one, about=str(one), path=mails.record_path(revision), at=at)
    return one


@transaction.atomic
def refuse(*, disposal: Disposal, word: str, acting_user: Person, at: datetime) -> Disposal:
    """The CEO refuses, with a word; the files stay."""
    one = reread(disposal)
    held = require(acting_user, Act.CONFIRM_ARCHIVE, on=company_date(at))
    word = required(word, "Say in a sentence why you refuse it.")
    write_answer(one, Answer.REFUSED, acting_user=acting_user, held=held, at=at, word=word)
    _tell("disposal.refused", one, acting_user, held, at=at, words=word)
    mails.answered(one, about=str(one), path=mails.record_path(one.revision), at=at)
    return one


@transaction.atomic
def take_back(*, disposal: Disposal, acting_user: Person, at: datetime) -> Disposal:
    """The Corporate Secretary takes the proposal back; the files stay."""
    one = reread(disposal)
    held = require(acting_user, Act.DISPOSE, on=company_date(at))
    write_answer(one, Answer.TAKEN_BACK, acting_user=acting_user, held=held, at=at)
    _tell("disposal.taken_back", one, acting_user, held, at=at)
    return one


def _tell(
    event: str,
    one: Disposal,
    acting_user: Person,
    held: Sequence[Appointment],
    *,
    at: datetime,
    words: str = "",
) -> None:
    record(
        event,
        object_type="disposal",
        object_id=one.pk,
        version=one.revision.reference,
        acting_user=acting_user,
        held=held,
        at=at,
        words=words,
        data={"files": one.files, "bytes": one.size},
    )
