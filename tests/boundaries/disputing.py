"""Disputes at every stage, made by the product's own verbs, for the tests about them."""

from datetime import UTC, datetime

from boundaries import agreeing, disputes, rulings
from boundaries.drafting import RowText, SubScopeText
from boundaries.models import Dispute
from people.calendar import closing_time
from tests.boundaries import factories
from tests.boundaries.factories import NOW, row_of

QUESTION = "Who approves discounts?"
PAGES = {
    "cro": "I ask that discounts stay near the field.",
    "coo": "I ask for one desk for all of them.",
    "cfo": "I ask that margin decides.",
}
RATIONALE = "One desk ends the forwarding."
# Friday 20 November 2026 at 10:00 in New York: pages until Tuesday, 17:00; Thursday is a holiday.
PAGES_DUE = datetime(2026, 11, 24, 22, tzinfo=UTC)
TERMS = RowText(owner="coo", scope_in="Approve discounts above 20%.", scope_out="Price lists.")
SPLIT = RowText(
    owner="hybrid",
    sub_scopes=(SubScopeText("First contact", "coo"), SubScopeText("Deciding", "cfo")),
    scope_in="The COO answers within 3 business days.",
)


def contested(draft, people, *, key="deal_desk", by="coo", at=NOW):
    row = row_of(draft, key)
    agreeing.contest(clause=row, reason="The desk is ours.", acting_user=people[by], at=at)
    return row_of(draft, key)


def escalated(draft, people, *, key="deal_desk", by="coo", at=NOW):
    """An open dispute about a contested row of a draft."""
    row = contested(draft, people, key=key, by=by, at=at)
    return disputes.escalate(row=row, question=QUESTION, acting_user=people[by], at=at)


def in_force_disputed(revision, people, *, key="deal_desk", by="coo", at=NOW):
    return disputes.escalate_in_force(
        row=row_of(revision, key),
        question=QUESTION,
        reason="It takes ten days.",
        acting_user=people[by],
        at=at,
    )


def filed(dispute, people, *offices, at=NOW):
    for office in offices or dispute.parties:
        disputes.file_page(
            dispute=dispute,
            office=office,
            text=PAGES.get(office, "I ask to be heard."),
            acting_user=people[office],
            at=at,
        )
    return fresh(dispute)


def ruled(dispute, people, *, terms=TERMS, at=NOW):
    """File every page and rule."""
    filed(dispute, people, at=at)
    return rulings.rule(
        dispute=dispute, terms=terms, rationale=RATIONALE, acting_user=people["ceo"], at=at
    )


def fresh(dispute):
    return Dispute.objects.select_related("row__function", "revision__document").get(pk=dispute.pk)


def closing(day):
    return closing_time(day)


def agree_on_the_rest(draft, people, *, at=NOW):
    return factories.all_agree(draft, people, at=at)
