"""The models by noun: the document and its text, negotiating it, freezing and signing, files."""

from .agreement import Agreement
from .archive import Answer, Disposal, ErasureRequest, LegalHold, RetentionRule
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
    "Answer",
    "Article",
    "BoundaryException",
    "Disposal",
    "Dispute",
    "DisputePage",
    "DisputeSettlement",
    "Document",
    "EarlierText",
    "ErasureRequest",
    "ExceptionAnswer",
    "Freeze",
    "LegalHold",
    "Look",
    "Mark",
    "Milestone",
    "Proposal",
    "Reading",
    "RetentionRule",
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
