"""What still blocks freezing. The page lists it; the verb refuses while any of it stands."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from django.urls import reverse

from functions_catalog.models import Function, Ownership
from people.models import Appointment
from people.offices import CEO, HYBRID, office_short
from people.queries import who_acts_for
from sealing.fonts import undrawable

from .articles import lacking
from .disputes import open_disputes
from .models import Article, Revision, Row
from .standing import ClauseStanding, standings
from .states import ANSWERING, ClauseState, State
from .vetoes import standing_vetoes, why_it_blocks


@dataclass(frozen=True)
class Blocker:
    """One thing that blocks: ``anchor`` is the id of its place on the drafting board."""

    code: str
    anchor: str
    title: str
    detail: str
    # Something is wrong (red) rather than merely not done yet.
    wrong: bool = False
    # Where it is put right, when that is not on the board.
    url: str = ""
    # The Revision of another document that has it already: "NC-DD-2".
    document: str = ""


def _text_of(clause: Row | Article) -> str:
    if isinstance(clause, Row):
        parts = [sub.name for sub in clause.sub_scopes.all()]
        return "\n".join(
            [
                clause.scope_in,
                clause.scope_out,
                clause.rationale,
                clause.left_out_reason,
                clause.function.name,
                *parts,
            ]
        )
    return "\n".join([clause.title, clause.text, *_strings(clause.data)])


def _strings(value: object) -> Iterator[str]:
    """Every text within an article's data, as it is: ``repr`` would hide invisible characters."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)


def _agreement_blockers(every: Sequence[ClauseStanding]) -> list[Blocker]:
    found = []
    for one in every:
        if one.state == ClauseState.AGREED:
            continue
        detail = one.waits_for
        if one.is_vetoed:
            # The veto is said on its own; what another party contests has to be answered as well.
            detail = one.contested_by
            if not detail:
                continue
        found.append(
            Blocker(
                code=f"clause_{one.state}",
                anchor=one.clause.anchor,
                title=str(one.clause),
                detail=detail,
                wrong=one.state == ClauseState.CONTESTED,
            )
        )
    return found


def _veto_blockers(revision: Revision, rows: Sequence[Row], today: date) -> list[Blocker]:
    standing = standing_vetoes(revision)
    return [
        Blocker(
            "vetoed",
            row.anchor,
            str(row),
            why_it_blocks(standing[row.pk], today=today),
            wrong=True,
        )
        for row in rows
        if row.pk in standing
    ]


def _dispute_blockers(revision: Revision, rows: Sequence[Row]) -> list[Blocker]:
    """The open disputes of this draft; those about what is in force block nothing."""
    disputed = open_disputes(revision)
    return [
        Blocker(
            "in_dispute",
            row.anchor,
            str(row),
            f"Dispute {disputed[row.pk].pk} is open. It ends when the CEO has ruled, or when all "
            "parties withdraw it.",
            wrong=True,
            url=disputed[row.pk].get_absolute_url(),
        )
        for row in rows
        if row.pk in disputed
    ]


def _row_blockers(rows: Sequence[Row]) -> list[Blocker]:
    found = []
    for row in rows:
        if row.left_out_reason:
            continue
        if not row.owner:
            detail = "Nobody owns it. Choose an owner, or leave it out with a reason."
            found.append(Blocker("row_unassigned", row.anchor, str(row), detail, wrong=True))
        if not row.scope_in.strip():
            detail = "It does not say what its owner does. Write the scope in."
            found.append(Blocker("row_without_scope", row.anchor, str(row), detail, wrong=True))
        if row.owner == HYBRID:
            parts = list(row.sub_scopes.all())
            if len(parts) < 2:
                detail = "A hybrid function needs at least two named sub-scopes."
                found.append(Blocker("row_not_split", row.anchor, str(row), detail, wrong=True))
            for part in parts:
                if not part.owner:
                    detail = f"The sub-scope “{part.name}” has no owner."
                    found.append(
                        Blocker("sub_scope_unassigned", row.anchor, str(row), detail, wrong=True)
                    )
        if row.function.status != Function.Status.ACTIVE:
            detail = "The catalog has retired this function. Leave it out with a reason."
            found.append(Blocker("function_retired", row.anchor, str(row), detail, wrong=True))
    return found


def _coverage_blockers(revision: Revision, rows: Sequence[Row]) -> list[Blocker]:
    found = []
    if revision.document.is_company_boundary:
        missing = Function.objects.filter(status=Function.Status.ACTIVE).exclude(
            pk__in=[row.function_id for row in rows]
        )
        found += [
            Blocker(
                "function_missing",
                "missing-functions",
                function.name,
                "The company boundary covers the whole catalog. Add its row.",
                wrong=True,
            )
            for function in missing
        ]
    return found + allocated_elsewhere(revision, rows)


def allocated_elsewhere(revision: Revision, rows: Sequence[Row]) -> list[Blocker]:
    """Functions of this Revision that another document allocates, in force or approved for it.

    By its text, or by an interim decision that binds on beside a text that leaves the function out.
    """
    anchors = {row.function_id: row.anchor for row in rows if not row.left_out_reason}
    others = (
        Row.objects.filter(
            function__in=list(anchors),
            left_out_reason="",
            revision__state__in=[*ANSWERING, State.APPROVED],
        )
        .exclude(revision__document=revision.document_id)
        .select_related("revision__document", "function")
    )
    found = [
        Blocker(
            "allocated_elsewhere",
            anchors[other.function_id],
            other.function.name,
            f"It is already {other.revision.get_state_display().lower()} in "
            f"{other.revision.reference}, row {other.reference}. Leave it out here, or amend that "
            "document first.",
            wrong=True,
            document=other.revision.reference,
        )
        for other in others
    ]
    said = {(other.function_id, other.revision.document.number) for other in others}
    bound = (
        Ownership.objects.open()
        .filter(function__in=list(anchors))
        .exclude(document_number=revision.document.number)
        .select_related("function")
    )
    found += [
        Blocker(
            "allocated_elsewhere",
            anchors[one.function_id],
            one.function.name,
            f"The interim decision of {one.decision.replace('-', ' ')} allocates it beside "
            f"{one.document_number}-{one.revision_number}, and enters the next version of that "
            "document. Leave it out here."
            if one.decision
            else f"{one.document_number}-{one.revision_number} allocates it, row "
            f"{one.article_reference}. Leave it out here, or amend that document first.",
            wrong=True,
            document=f"{one.document_number}-{one.revision_number}",
        )
        for one in bound
        if (one.function_id, one.document_number) not in said
    ]
    return found


def _article_blockers(articles: Sequence[Article]) -> list[Blocker]:
    by_key = {article.key: article for article in articles}
    found: list[Blocker] = []

    def block(key: str, code: str, detail: str) -> None:
        article = by_key[key]
        found.append(Blocker(code, article.anchor, str(article), detail, wrong=True))

    line = by_key["reporting_line"].data
    # "Nowhere" (an empty key) is there to compare with; it is no line.
    solid = [key for key in line.get("solid_lines", []) if key]
    if not solid:
        block("reporting_line", "no_solid_line", "Choose exactly one solid reporting line.")
    elif len(solid) > 1:
        named = " and ".join(office_short(key) for key in solid)
        block(
            "reporting_line",
            "two_solid_lines",
            f"There are {len(solid)} solid lines ({named}). Keep exactly one; make the other "
            "dotted, with its scope.",
        )
    if line.get("dotted_line") and not line.get("dotted_line_scope"):
        block("reporting_line", "dotted_without_scope", "Say what the dotted line covers.")
    if line.get("dotted_line") and line.get("dotted_line") in solid:
        block("reporting_line", "line_twice", "One Office cannot be solid and dotted line at once.")
    escalation = by_key["escalation"].data
    if not (
        escalation.get("leads_business_days")
        and escalation.get("executives_business_days")
        and escalation.get("interim_decider")
    ):
        block(
            "escalation",
            "no_escalation_path",
            "Give the leads' and the executives' business days, and name the interim decider.",
        )
    layers = by_key["cadence"].data.get("layers", [])
    if not any(layer.get("layer") == "quarterly" and layer.get("owner") for layer in layers):
        block(
            "cadence",
            "no_review_cadence",
            "Name an owner for the quarterly layer: it reviews this.",
        )
    return found


def _lacking_blockers(rows: Sequence[Row], articles: Sequence[Article]) -> list[Blocker]:
    """What the lists of the articles still lack, in the articles' order."""
    functions = {row.function.key: row.function.name for row in rows}
    touching = [row.function.key for row in rows if row.function.touches_financial_reporting]
    left_out = [row.function.key for row in rows if row.left_out_reason]
    return [
        Blocker(lack.code, article.anchor, str(article), lack.says, wrong=True)
        for article in articles
        for lack in lacking(
            article.key, article.data, functions=functions, touching=touching, left_out=left_out
        )
    ]


def _date_blockers(revision: Revision, today: date) -> list[Blocker]:
    def block(code: str, detail: str) -> Blocker:
        return Blocker(code, "article-1", "Article 1, Control", detail, wrong=True)

    if revision.effective_date is None:
        return [block("no_effective_date", "Set the effective date.")]
    if revision.effective_date < today:
        return [block("effective_date_past", "The effective date has passed. Set a later one.")]
    if revision.sunset_date is not None and revision.sunset_date <= revision.effective_date:
        return [block("sunset_too_early", "The sunset date must be later than the effective date.")]
    return []


def _party_blockers(parties: Sequence[str], today: date) -> list[Blocker]:
    """What would keep the parties from signing: the same that ``workflow.cosign`` would refuse."""
    acting = who_acts_for(parties, on=today)
    ceos = {
        one.person.human_id
        for one in Appointment.objects.on(today).filter(office__key=CEO).select_related("person")
    }
    found = []

    def block(key: str, code: str, detail: str) -> None:
        url = reverse("people:office", args=[key])
        title = f"Office of the {office_short(key)}"
        found.append(Blocker(code, "article-1", title, detail, wrong=True, url=url))

    cosigners = {}
    for key in parties:
        short = office_short(key)
        if key not in acting:
            block(
                key,
                "party_vacant",
                "It is vacant, so nobody can sign for it. Have the Corporate Secretary record its "
                f"holder, or name an Acting {short}.",
            )
        elif acting[key].person.human_id in ceos:
            block(
                key,
                "party_held_by_ceo",
                f"Only {acting[key].person.name} holds it, who approves as CEO and so never "
                f"co-signs. Have the Corporate Secretary name another person Acting {short}.",
            )
        else:
            cosigners[acting[key].person.human_id] = acting[key].person.name
    if not found and len(cosigners) == 1:
        (name,) = cosigners.values()
        block(
            parties[-1],
            "single_cosigner",
            f"{name} alone would sign for every party. At least two distinct people must co-sign: "
            "have the Corporate Secretary name another person Acting for one of these Offices.",
        )
    return found


def blockers(
    revision: Revision,
    *,
    parties: Sequence[str],
    today: date,
    rows: Sequence[Row] | None = None,
    articles: Sequence[Article] | None = None,
    every: Sequence[ClauseStanding] | None = None,
) -> list[Blocker]:
    """Everything that still blocks freezing; what is wrong first. Empty: it can be frozen.

    ``today`` is the company's date. Give rows, articles and standings where they are loaded.
    """
    if rows is None:
        rows = list(revision.rows.select_related("function").prefetch_related("sub_scopes"))
    if articles is None:
        articles = list(revision.articles.all())
    if every is None:
        every = standings(revision, parties=parties, today=today, rows=rows, articles=articles)
    found = [
        *_veto_blockers(revision, rows, today),
        *_dispute_blockers(revision, rows),
        *_party_blockers(parties, today),
        *_date_blockers(revision, today),
        *_article_blockers(articles),
        *_row_blockers(rows),
        *_coverage_blockers(revision, rows),
    ]
    clauses: list[Row | Article] = [*articles, *rows]
    for clause in clauses:
        strange = undrawable(_text_of(clause))
        if strange:
            shown = " ".join(strange[:5])
            found.append(
                Blocker(
                    "undrawable",
                    clause.anchor,
                    str(clause),
                    f"The document's fonts cannot draw: {shown}. Write it in other characters.",
                    wrong=True,
                )
            )
    found += _lacking_blockers(rows, articles)
    found += _agreement_blockers(every)
    return sorted(found, key=lambda one: not one.wrong)
