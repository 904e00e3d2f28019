"""What people hold outside the database: sealed PDFs and checkpoints, read for comparing."""

from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from hashlib import sha256

from django.conf import settings

from sealing import checkpoint
from sealing.errors import CheckpointInvalid, SealingError
from sealing.keys import read_trust
from sealing.verify import verify_in_child

from . import log_keys
from .models import Checkpoint, Event
from .verify import Mark


@dataclass
class Held:
    """What one file holds: marks that the log must agree with, and what is wrong with the file."""

    name: str
    marks: list[Mark] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read(name: str, data: bytes) -> Held:
    """Read a sealed PDF, or a text or mail with checkpoints in it.

    Only what the company's own keys signed counts; anything else is a fault of the file.
    """
    held = Held(name)
    if b"%PDF-" in data[:1024]:
        _read_pdf(held, data)
    else:
        _read_notes(held, data)
    return held


def _read_pdf(held: Held, data: bytes) -> None:
    verdict = verify_in_child(data, **read_trust(settings.KEYS_DIR))
    if verdict.kind not in ("genuine", "incomplete"):
        why = " ".join(verdict.sentences)
        held.faults.append(f"{held.name} proves nothing: {verdict.headline}. {why}")
        return
    # A file that was sealed here left its fingerprint in the log, whatever it carries itself.
    digest = sha256(data).hexdigest()
    event = Event.objects.filter(object_sha256=digest).order_by("-sequence").first()
    if event is None:
        held.faults.append(
            f"{held.name} is genuine ({verdict.reference}), and no event of the log tells of it: "
            "the log's end was cut, or an earlier copy was put in its place."
        )
    else:
        held.notes.append(f"{held.name} is the file of event {event.sequence} ({event.event}).")
    if verdict.checkpoint:
        said = checkpoint.verify(verdict.checkpoint, log_keys.verifier_of(verdict.log_certificate))
        held.marks.append(Mark(said.size, said.root, f"The checkpoint in {held.name}"))
    else:
        held.notes.append(f"{held.name} carries no checkpoint of the log.")


def _read_notes(held: Held, data: bytes) -> None:
    notes = checkpoint.find_notes(_text(data))
    if not notes:
        held.faults.append(f"{held.name} holds neither a sealed PDF nor a checkpoint.")
    verifiers = _verifiers()
    for note in notes:
        try:
            said = checkpoint.verify(note, verifiers)
        except CheckpointInvalid as error:
            held.faults.append(f"A checkpoint in {held.name} proves nothing. {error}")
            continue
        name = f"The checkpoint of {said.size} events in {held.name}"
        held.marks.append(Mark(said.size, said.root, name))


def _verifiers() -> list[checkpoint.LogVerifier]:
    """The present key's, and those that signed the stored checkpoints: keys are replaced."""
    present = log_keys.log_verifier()
    found = {present.text: present}
    stored = Checkpoint.objects.order_by().values_list("certificate", flat=True).distinct()
    for certificate in stored:
        try:
            verifier = log_keys.verifier_of(certificate)
        except (SealingError, ValueError):
            continue  # a row that was tampered with is told of by the check of the rows
        found[verifier.text] = verifier
    return list(found.values())


def _text(data: bytes) -> str:
    """A text file as it is, of a mail (.eml) its parts, decoded."""
    plain = data.decode("utf-8", errors="replace")
    message = message_from_bytes(data, policy=policy.default)
    if not isinstance(message, EmailMessage) or "from" not in message:
        return plain
    parts = [
        str(part.get_content()) for part in message.walk() if part.get_content_maintype() == "text"
    ]
    return "\n".join([plain, *parts])
