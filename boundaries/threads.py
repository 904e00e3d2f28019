"""Threads: comments and proposed changes about one row or article, resolved and reopened."""

from collections.abc import Mapping
from dataclasses import dataclass

from people.models import Person

from .models import Article, Revision, Row


@dataclass(frozen=True)
class ThreadSummary:
    """What the board shows of a thread before it is opened."""

    comments: int = 0
    unread: int = 0
    open_proposals: int = 0
    resolved: bool = False


def thread_summaries(revision: Revision, reader: Person) -> Mapping[Row | Article, ThreadSummary]:
    """The threads of a draft that have entries, by clause."""
    return {}
