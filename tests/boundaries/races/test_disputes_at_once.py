"""Pages filed at once, two rulings at once, filing while the time runs out: each happens once."""

import pytest

from boundaries import agreeing, disputes, rulings
from boundaries.dispute_errors import AlreadyDisputed, DisputeEnded, PagesAreClosed
from boundaries.drafting import RowText
from boundaries.models import Dispute, Ruling
from tests.boundaries import stages
from tests.boundaries.races.together import at_once, refusals

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

NOW = stages.NOW


def contested(people):
    row = stages.drafted(people).rows.get(position=1)
    agreeing.contest(clause=row, reason="Ours.", acting_user=people["coo"], at=NOW)
    return row


def escalate(row, person):
    return lambda: disputes.escalate(row=row, question="Who answers?", acting_user=person, at=NOW)


def file_page(dispute, people, office, *, at=NOW):
    return lambda: disputes.file_page(
        dispute=dispute, office=office, text="I ask.", acting_user=people[office], at=at
    )


def rule(dispute, people):
    return lambda: rulings.rule(
        dispute=dispute,
        terms=RowText(owner="coo", scope_in="Answer within 2 days."),
        rationale="One desk.",
        acting_user=people["ceo"],
        at=NOW,
    )


def test_two_parties_that_escalate_at_once_open_one_dispute(people):
    row = contested(people)
    outcomes = at_once(escalate(row, people["cro"]), escalate(row, people["coo"]))
    assert refusals(outcomes) == [AlreadyDisputed]
    assert Dispute.objects.count() == 1
    assert stages.events_of("dispute.opened") == {"dispute.opened": 1}


def test_the_last_pages_filed_at_once_open_the_set_exactly_once(people):
    dispute = escalate(contested(people), people["cro"])()
    outcomes = at_once(*(file_page(dispute, people, office) for office in stages.PARTIES))
    assert refusals(outcomes) == []
    dispute.refresh_from_db()
    assert dispute.pages_opened_at == NOW
    assert stages.events_of("dispute.page_filed", "dispute.pages_opened") == {
        "dispute.page_filed": 3,
        "dispute.pages_opened": 1,
    }
    assert stages.mails_of("dispute-ruling-asked") == {"dispute-ruling-asked": 1}


def test_a_page_at_the_last_moment_is_filed_or_waived_and_never_half(people):
    dispute = escalate(contested(people), people["cro"])()
    due = dispute.pages_due_at
    outcomes = at_once(
        file_page(dispute, people, "cfo", at=due),
        lambda: disputes.open_pages(dispute=dispute, at=due),
        lambda: disputes.open_pages(dispute=dispute, at=due),
    )
    assert refusals(outcomes) == [PagesAreClosed]
    assert not dispute.pages.exists()
    assert stages.events_of("dispute.pages_opened") == {"dispute.pages_opened": 1}


def test_two_rulings_at_once_are_one(people):
    dispute = escalate(contested(people), people["cro"])()
    for office in stages.PARTIES:
        file_page(dispute, people, office)()
    outcomes = at_once(rule(dispute, people), rule(dispute, people))
    assert refusals(outcomes) == [DisputeEnded]
    assert Ruling.objects.count() == 1
    assert stages.events_of("dispute.ruled") == {"dispute.ruled": 1}


def test_a_ruling_and_the_last_word_to_withdraw_end_it_one_way(people):
    dispute = escalate(contested(people), people["cro"])()
    for office in stages.PARTIES:
        file_page(dispute, people, office)()
    for office in ("cro", "coo"):
        disputes.settle(dispute=dispute, acting_user=people[office], at=NOW)
    outcomes = at_once(
        rule(dispute, people),
        lambda: disputes.settle(dispute=dispute, acting_user=people["cfo"], at=NOW),
    )
    assert refusals(outcomes) == [DisputeEnded]
    dispute.refresh_from_db()
    assert (dispute.outcome == "ruled") is Ruling.objects.exists()
