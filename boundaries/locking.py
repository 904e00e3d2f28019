"""The one lock that all verbs on a document stand in line for."""

from typing import TypeVar, cast

from .errors import NotADraft, RowRemoved
from .models import Article, Document, Revision, Row
from .states import State

C = TypeVar("C", bound=Row | Article)


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


def reread(clause: C, revision: Revision) -> C:
    """The row or article as it stands under the lock; ``RowRemoved`` where it no longer does."""
    if isinstance(clause, Row):
        row = Row.every.select_related("function").get(pk=clause.pk)
        row.revision = revision
        if row.removed_at is not None:
            raise RowRemoved(row)
        return cast(C, row)
    article = Article.objects.get(pk=clause.pk)
    article.revision = revision
    return cast(C, article)
