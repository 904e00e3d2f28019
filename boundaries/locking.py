"""The one lock that all verbs on a document stand in line for."""

from .errors import NotADraft
from .models import Document, Revision
from .states import State


def locked_revision(revision: Revision) -> Revision:
    """Re-read a Revision under a lock on its document and on itself, in that order.

    The document's lock puts all verbs on one document in a line, whichever Revision they are
    about. It comes first: who brings a Revision in force also writes the former one, so a verb
    that held its Revision while it waits for the document would wait for ever. SQLite has no row
    locks: its immediate transactions already stand in a line.
    """
    document = Document.objects.select_for_update().get(pk=revision.document_id)
    locked = Revision.objects.select_for_update().get(pk=revision.pk)
    locked.document = document
    return locked


def locked_draft(revision: Revision) -> Revision:
    revision = locked_revision(revision)
    if revision.state != State.DRAFT:
        raise NotADraft(revision)
    return revision
