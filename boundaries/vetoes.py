"""The CFO's veto of a row that touches financial reporting, and the CEO's order that clears it."""

from collections.abc import Mapping

from .models import Revision, Veto


def standing_vetoes(revision: Revision) -> Mapping[int, Veto]:
    """The vetoes that stand on a draft, by the row's id. One query."""
    standing = revision.vetoes.filter(lifted_at__isnull=True, ordered_at__isnull=True)
    return {one.row_id: one for one in standing}
