"""The one lock that all verbs on a document stand in line for."""

from .errors import NotADraft
from .models import Revision
from .states import State


def locked_revision(revision: Revision) -> Revision:
    """Re-read a Revision under a lock on it and its document.

    The document's lock puts all verbs on one document in a line, whichever Revision they are
    about. SQLite has no row locks: its immediate transactions already stand in a line.
    """
    return (
        Revision.objects.select_for_update(of=("self", "document"))
        .select_related("document")
        .get(pk=revision.pk)
    )


def locked_draft(revision: Revision) -> Revision:
    revision = locked_revision(revision)
    if revision.state != State.DRAFT:
        raise NotADraft(revision)
    return revision
