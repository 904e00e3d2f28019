"""Two answers to one proposed change, or an edit meanwhile: one counts, nothing is lost."""

from dataclasses import replace

import pytest

from boundaries import drafting, threads
from boundaries.errors import ChangedMeanwhile
from boundaries.models import EarlierText, Proposal, Row, ThreadEntry
from tests.boundaries import stages
from tests.boundaries.races.together import at_once, refusals

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def row(people):
    return stages.drafted(people).rows.get(position=1)


def proposed(row, person, scope_in="What the COO proposed."):
    return threads.propose(
        clause=row,
        text=replace(drafting.row_text(row), scope_in=scope_in),
        base_version=row.version,
        acting_user=person,
        at=stages.NOW,
    )


def accept(proposal, person):
    return lambda: threads.accept(proposal=proposal, acting_user=person, at=stages.NOW)


def test_two_answers_at_once(people, row):
    proposal = proposed(row, people["coo"])
    outcomes = at_once(
        accept(proposal, people["cro"]),
        lambda: threads.decline(
            proposal=proposal, word="No.", acting_user=people["cfo"], at=stages.NOW
        ),
    )
    assert refusals(outcomes) == [threads.ProposalAnswered]
    proposal.refresh_from_db()
    row.refresh_from_db()
    accepted = proposal.answer == Proposal.Answer.ACCEPTED
    assert row.version == (2 if accepted else 1)
    assert EarlierText.objects.count() == accepted


def test_two_proposals_accepted_at_once(people, row):
    first = proposed(row, people["coo"])
    second = proposed(row, people["cfo"], "What the CFO proposed.")
    outcomes = at_once(accept(first, people["cro"]), accept(second, people["cro"]))
    assert refusals(outcomes) == [threads.ProposalOutdated]
    row.refresh_from_db()
    assert row.version == 2
    assert Proposal.objects.filter(answer="accepted").count() == 1


def test_accepting_while_the_row_is_edited(people, row):
    proposal = proposed(row, people["coo"])
    outcomes = at_once(
        accept(proposal, people["cro"]),
        lambda: drafting.edit_row(
            row=row,
            expected_version=1,
            text=replace(drafting.row_text(row), rationale="What the CFO wrote."),
            acting_user=people["cfo"],
            at=stages.NOW,
        ),
    )
    (refusal,) = refusals(outcomes)
    assert issubclass(refusal, ChangedMeanwhile)
    assert Row.objects.get(pk=row.pk).version == 2


def test_comments_at_once_are_all_kept(people, row):
    outcomes = at_once(
        *[
            lambda office=office: threads.comment(
                clause=row, text=f"The {office}.", acting_user=people[office], at=stages.NOW
            )
            for office in ("cro", "coo", "cfo")
        ]
    )
    assert refusals(outcomes) == []
    assert ThreadEntry.objects.count() == 3
