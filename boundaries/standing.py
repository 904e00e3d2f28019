"""What the parties say of each row and article of a draft, and what follows from it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from people.offices import CFO, office_short

from .holders import Holders
from .models import Agreement, Article, Revision, Row, Signature, Veto
from .states import ClauseState, Role, Stance


@dataclass(frozen=True)
class PartyStance:
    """What one party says of a row or article.

    ``state`` is "agreed", "waiting", "voided" (agreed to an earlier text), "contested", "veto",
    "predecessor" (agreed by a predecessor, to be confirmed), "carried" (agreed in what is in force,
    to be confirmed) or "bound" (by the CEO's ruling or order: counts as agreed).
    """

    office: str
    state: str
    by_name: str = ""
    reason: str = ""

    @property
    def words(self) -> str:
        return {
            "agreed": "agreed",
            "waiting": "not yet agreed",
            "voided": "agreed to an earlier text",
            "contested": "contests this",
            "veto": "vetoes this",
            "carried": "agreed in what is in force, to be confirmed",
            "bound": "is bound by the CEO",
            "predecessor": "agreed by the predecessor, to be confirmed",
        }[self.state]


@dataclass(frozen=True)
class ClauseStanding:
    """A row or article with every party's stance, in the parties' order."""

    clause: Row | Article
    stances: Sequence[PartyStance]

    @property
    def state(self) -> ClauseState:
        if any(one.state in ("contested", "veto") for one in self.stances):
            return ClauseState.CONTESTED
        if self.stances and all(one.state in ("agreed", "bound") for one in self.stances):
            return ClauseState.AGREED
        return ClauseState.PROPOSED

    @property
    def is_vetoed(self) -> bool:
        return any(one.state == "veto" for one in self.stances)

    @property
    def contested_by(self) -> str:
        """ "Contested by COO: ..."; empty where nobody contests it."""
        contesting = [one for one in self.stances if one.state == "contested"]
        if not contesting:
            return ""
        who = ", ".join(office_short(one.office) for one in contesting)
        return f"Contested by {who}: {contesting[0].reason}"

    @property
    def waits_for(self) -> str:
        """ "COO, CFO to agree", or whose contest stands; empty when agreed."""
        vetoing = [one for one in self.stances if one.state == "veto"]
        if vetoing:
            return f"CFO veto: {vetoing[0].reason}"
        if self.contested_by:
            return self.contested_by
        again = [office_short(one.office) for one in self.stances if one.state == "voided"]
        fresh = [office_short(one.office) for one in self.stances if one.state == "waiting"]
        former = [office_short(one.office) for one in self.stances if one.state == "predecessor"]
        carried = [office_short(one.office) for one in self.stances if one.state == "carried"]
        parts = []
        if carried:
            parts.append(f"{', '.join(carried)} to confirm what is in force")
        if again:
            parts.append(f"{', '.join(again)} to agree again after a change")
        if fresh:
            parts.append(f"{', '.join(fresh)} to agree")
        if former:
            parts.append(f"{', '.join(former)} to confirm what the predecessor agreed to")
        return "; ".join(parts)

    def stance_of(self, office: str) -> PartyStance | None:
        return next((one for one in self.stances if one.office == office), None)


def _stance(
    office: str,
    clause: Row | Article,
    live: Agreement | None,
    agreed_before: int | None,
    holders: Holders,
    veto: Veto | None,
    signed: Collection[str],
) -> PartyStance:
    if veto is not None and office == CFO:
        return PartyStance(office, "veto", veto.person_name, veto.reason)
    if isinstance(clause, Row) and clause.is_settled:
        return PartyStance(office, "bound")
    if live is None:
        if clause.carried and agreed_before is None and office in signed:
            return PartyStance(office, "carried")
        # Who took an agreement to this very text back, or marked it, has agreed to nothing else.
        voided = agreed_before is not None and agreed_before != clause.version
        return PartyStance(office, "voided" if voided else "waiting")
    if live.stance == Stance.CONTESTED:
        return PartyStance(office, "contested", live.person_name, live.reason)
    if live.clause_version != clause.version:
        return PartyStance(office, "voided", live.person_name)
    if is_predecessors(live, holders):
        return PartyStance(office, "predecessor", live.person_name)
    return PartyStance(office, "agreed", live.person_name)


def is_predecessors(agreement: Agreement, holders: Holders) -> bool:
    """Whether the agreement was given before the Office changed hands, and must be confirmed."""
    return holders.gave_way(
        agreement.office,
        given_by=agreement.person.human_id,
        acting=agreement.appointment.acting,
        given_at=agreement.given_at,
    )


def standings(
    revision: Revision,
    *,
    parties: Sequence[str],
    today: date,
    rows: Iterable[Row] | None = None,
    articles: Iterable[Article] | None = None,
) -> list[ClauseStanding]:
    """Every article, then every row, with what each party says of it.

    Five queries, six for an amendment, whatever the number of clauses; give ``rows``/``articles``
    to save two.
    """
    if rows is None:
        rows = revision.rows.select_related("function")
    if articles is None:
        articles = revision.articles.all()
    vetoes = revision.vetoes.filter(lifted_at__isnull=True, ordered_at__isnull=True)
    return assembled(
        [*articles, *rows],
        parties=parties,
        holders=Holders(parties, today=today),
        agreements=revision.agreements.select_related("appointment", "person"),
        vetoes={one.row_id: one for one in vetoes},
        signed=signed_in_force([revision]).get(revision.pk, ()),
    )


def signed_in_force(revisions: Iterable[Revision]) -> Mapping[int, Collection[str]]:
    """By the id of each amendment: the Offices that co-signed what it supersedes.

    Only they agreed to what was carried over; a party that came later reads it like any other
    text. One query at most.
    """
    former = {one.supersedes_id: one.pk for one in revisions if one.supersedes_id is not None}
    if not former:
        return {}
    found: dict[int, set[str]] = {}
    signatures = Signature.objects.filter(
        revision__in=former, role=Role.COSIGNER, voided_at__isnull=True
    )
    for revision_id, office in signatures.values_list("revision_id", "office"):
        found.setdefault(former[revision_id], set()).add(office)
    return found


def assembled(
    clauses: Iterable[Row | Article],
    *,
    parties: Sequence[str],
    holders: Holders,
    agreements: Iterable[Agreement],
    vetoes: Mapping[int, Veto],
    signed: Collection[str],
) -> list[ClauseStanding]:
    """The same from what is loaded: for whoever looks at many drafts at once."""
    live: dict[tuple[str, int, str], Agreement] = {}
    # The newest version to which a party once agreed, and does not any more.
    before: dict[tuple[str, int, str], int] = {}
    for one in agreements:
        key = (
            ("row", one.row_id, one.office)
            if one.row_id
            else ("article", one.article_id, one.office)
        )
        if one.withdrawn_at is None:
            live[key] = one  # type: ignore[index]  # the check constraint says one id is set
        elif one.stance == Stance.AGREED:
            before[key] = max(one.clause_version, before.get(key, 0))  # type: ignore[index, arg-type]
    result = []
    for clause in clauses:
        kind = "row" if isinstance(clause, Row) else "article"
        stances = [
            _stance(
                office,
                clause,
                live.get((kind, clause.pk, office)),
                before.get((kind, clause.pk, office)),
                holders,
                vetoes.get(clause.pk) if kind == "row" else None,
                signed,
            )
            for office in parties
        ]
        result.append(ClauseStanding(clause, stances))
    return result


def agreed_counts(all_standings: Sequence[ClauseStanding]) -> Mapping[str, int]:
    """How many rows and articles each party has agreed to, and ``all`` for all parties at once."""
    counts: dict[str, int] = {"all": 0}
    for one in all_standings:
        counts["all"] += one.state == ClauseState.AGREED
        for stance in one.stances:
            counts[stance.office] = counts.get(stance.office, 0) + (
                stance.state in ("agreed", "bound")
            )
    return counts
