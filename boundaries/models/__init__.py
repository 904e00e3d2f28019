"""The models by noun: the document and its text, agreement to it, freezing and signing, files."""

from .agreement import Agreement
from .document import Article, Document, Revision, Row, RowSubScope, StateChange
from .files import StoredFile
from .plan import Acknowledgement, Milestone, Succession
from .signing import Freeze, Reading, Signature, SigningIntent

__all__ = [
    "Acknowledgement",
    "Agreement",
    "Article",
    "Document",
    "Freeze",
    "Milestone",
    "Reading",
    "Revision",
    "Row",
    "RowSubScope",
    "Signature",
    "SigningIntent",
    "StateChange",
    "StoredFile",
    "Succession",
]
