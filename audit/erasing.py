"""Erasing personal text beside the log. The leaf keeps a commitment, so the log still verifies."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from .models import ERASING_EVENT, ErasedText, Event, PersonalText


def erase(sequences: Sequence[int], *, by: Event, at: datetime) -> int:
    """Delete text and salt of these events, and keep when and by which event; returns how many.

    ``by`` is the event that tells of it, just recorded in the same transaction: the database
    refuses to erase what no event tells of. Events without a text are passed over. Raises
    ``ValueError`` for another kind of event, ``TransactionManagementError`` outside a transaction.
    """
    connection = transaction.get_connection()
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(
            "Erasing belongs into the transaction of the event that tells of it."
        )
    if by.event != ERASING_EVENT:
        raise ValueError(f"{by} does not tell of an erasure.")
    there = PersonalText.objects.filter(sequence__in=sequences).order_by("sequence")
    found = list(there.values_list("sequence", flat=True))
    ErasedText.objects.bulk_create(
        ErasedText(sequence=one, erased_at=at, erased_by=by.sequence) for one in found
    )
    PersonalText.objects.filter(sequence__in=found).delete()
    return len(found)
