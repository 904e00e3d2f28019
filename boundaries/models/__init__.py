"""The models by noun: the document and its text, negotiating it, freezing and signing, files."""

from .agreement import Agreement
from .disputes import Dispute, DisputePage, DisputeSettlement, Ruling
from .document import Article, Document, Revision, Row, RowSubScope, StateChange
from .exceptions import BoundaryException, ExceptionAnswer
from .files import StoredFile
from .negotiation import EarlierText, Look, Mark, Proposal, ThreadEntry, Veto
from .plan import Acknowledgement, Milestone, Succession
from .signing import Freeze, Reading, Signature, SigningIntent

__all__ = [
    "Acknowledgement",
    "Agreement",
    "Article",
    "BoundaryException",
    "Dispute",
    "DisputePage",
    "DisputeSettlement",
    "Document",
    "EarlierText",
    "ExceptionAnswer",
    "Freeze",
    "Look",
    "Mark",
    "Milestone",
    "Proposal",
    "Reading",
    "Revision",
    "Row",
    "RowSubScope",
    "Ruling",
    "Signature",
    "SigningIntent",
    "StateChange",
    "StoredFile",
    "Succession",
    "ThreadEntry",
    "Veto",
]
