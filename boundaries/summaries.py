"""How far unfinished Revisions are, for the list of documents: a few queries for a page of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from people.offices import CEO, HYBRID, office_short
from people.permissions import PARTIES

from .content import content_of
from .holders import Holders
from .models import (
    Agreement,
    Article,
    Dispute,
    Freeze,
    Revision,
    Row,
    RowSubScope,
    Signature,
    Veto,
)
from .parties import possible_owners
from .standing import ClauseStanding, agreed_counts, assembled, signed_in_force
from .states import ClauseState, Role, State

T = TypeVar("T", Row, Article, Agreement, Veto)


@dataclass(frozen=True)
class Summary:
    """What the list says of one unfinished Revision."""

    agreed: int = 0
    total: int = 0
    contested: int = 0
    vetoes: int = 0
    disputes: int = 0
    # "COO (2) and CFO (5) to agree"; whose signature is missing; "" where nobody is waited for.
    waits_for: str = ""


def summaries(revisions: Sequence[Revision], *, on: date) -> Mapping[int, Summary]:
    """By the Revision's id; those that are approved wait for nobody and have none."""
    drafts = [one for one in revisions if one.state == State.DRAFT]
    signing = [one for one in revisions if one.state == State.COSIGNING]
    found = _drafts(drafts, on=on) if drafts else {}
    if signing:
        found |= _signing(signing)
    approving = [one for one in revisions if one.state == State.AWAITING_APPROVAL]
    found |= {one.pk: Summary(waits_for=f"{office_short(CEO)} to approve") for one in approving}
    return found


def _drafts(drafts: Sequence[Revision], *, on: date) -> dict[int, Summary]:
    may_own = possible_owners()
    rows = _by_revision(Row.objects.filter(revision__in=drafts).select_related("function"))
    articles = _by_revision(Article.objects.filter(revision__in=drafts))
    agreements = _by_revision(
        Agreement.objects.filter(revision__in=drafts).select_related("appointment", "person")
    )
    vetoes = _by_revision(
        Veto.objects.filter(revision__in=drafts, lifted_at__isnull=True, ordered_at__isnull=True)
    )
    disputes = Dispute.objects.filter(revision__in=drafts, outcome=Dispute.Outcome.OPEN)
    disputed = list(disputes.values_list("revision_id", flat=True))
    owning: dict[int, set[str]] = {one.pk: set() for one in drafts}
    for pk, its in rows.items():
        owning[pk].update(row.owner for row in its)
    parts = RowSubScope.objects.filter(
        row__revision__in=drafts, row__owner=HYBRID, row__removed_at__isnull=True
    )
    for pk, owner in parts.values_list("row__revision_id", "owner"):
        owning[pk].add(owner)
    holders, signed = Holders(may_own, today=on), signed_in_force(drafts)
    found = {}
    for draft in drafts:
        parties = [key for key in may_own if key in PARTIES or key in owning[draft.pk]]
        standing = {one.row_id: one for one in vetoes.get(draft.pk, [])}
        every = assembled(
            [*articles.get(draft.pk, []), *rows.get(draft.pk, [])],
            parties=parties,
            holders=holders,
            agreements=agreements.get(draft.pk, []),
            vetoes=standing,
            signed=signed.get(draft.pk, ()),
        )
        found[draft.pk] = Summary(
            agreed=agreed_counts(every)["all"],
            total=len(every),
            contested=sum(
                one.state == ClauseState.CONTESTED and not one.is_vetoed for one in every
            ),
            vetoes=len(standing),
            disputes=disputed.count(draft.pk),
            waits_for=_who_agrees(every, parties),
        )
    return found


def _by_revision(things: Iterable[T]) -> dict[int, list[T]]:
    found: dict[int, list[T]] = {}
    for one in things:
        found.setdefault(one.revision_id, []).append(one)
    return found


def _who_agrees(every: Sequence[ClauseStanding], parties: Sequence[str]) -> str:
    counts = {
        key: sum(
            stance.state not in ("agreed", "bound")
            for one in every
            for stance in one.stances
            if stance.office == key
        )
        for key in parties
    }
    named = [f"{office_short(key)} ({count})" for key, count in counts.items() if count]
    return f"{_joined(named)} to agree" if named else "a party or the Secretary to freeze it"


def _signing(revisions: Sequence[Revision]) -> dict[int, Summary]:
    frozen = Freeze.objects.filter(revision__in=revisions, voided_at__isnull=True)
    signed = set(
        Signature.objects.filter(
            revision__in=revisions, voided_at__isnull=True, role=Role.COSIGNER
        ).values_list("revision_id", "office")
    )
    found = {}
    for freeze in frozen:
        parties = [party["office"] for party in content_of(freeze)["parties"]]
        missing = [key for key in parties if (freeze.revision_id, key) not in signed]
        named = _joined([office_short(key) for key in missing])
        found[freeze.revision_id] = Summary(waits_for=f"{named} to sign" if named else "")
    return found


def _joined(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
