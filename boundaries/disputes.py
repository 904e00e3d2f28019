"""Disputes: a party escalates a row, each files one page, the CEO rules."""

from collections.abc import Mapping

from .models import Dispute, Revision


def open_disputes(revision: Revision) -> Mapping[int, Dispute]:
    """The open disputes about rows of ``revision``, by the row's id. One query."""
    found = revision.disputes.filter(outcome=Dispute.Outcome.OPEN)
    return {one.row_id: one for one in found}
