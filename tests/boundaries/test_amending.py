"""Amending: what is carried over, confirmed in one act, and leaves no trace when withdrawn."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.models import Event
from boundaries import agreeing, outlook, vetoes, workflow
from boundaries.carried import differs_from_force
from boundaries.errors import NothingToConfirm
from boundaries.models import Agreement
from boundaries.queries import board
from boundaries.states import State
from boundaries.summaries import summaries
from people.errors import NotYourOffice
from people.models import Office
from tests.boundaries import factories
from tests.boundaries.factories import (
    NOW,
    TODAY,
    edit,
    everything_read,
    fresh,
    live_stances,
    row_of,
)
from tests.people.factories import PersonFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def former(people, functions):
    return factories.in_force(people)


@pytest.fixture
def amendment(former, people):
    return workflow.amend(revision=former, acting_user=people["cro"], at=NOW)


def confirm(draft, people, *, by="coo", read=None):
    return agreeing.confirm_carried(
        revision=draft,
        read=everything_read(draft) if read is None else read,
        acting_user=people[by],
        at=NOW,
    )


def test_one_act_agrees_to_everything_that_is_unchanged(amendment, people):
    edit(row_of(amendment), people, by="cro", scope_in="Else.")
    read = board(amendment, people["coo"], on=TODAY).carried_tokens
    # Every row but the edited one, every article but article 1, which names this version.
    assert len(read) == 4 + 11
    done = confirm(amendment, people)
    assert (done.agreed, list(done.changed_meanwhile)) == (15, [])
    assert "coo" not in live_stances(row_of(amendment))
    assert live_stances(row_of(amendment, "territory_planning")) == {"coo": "agreed"}
    event = Event.objects.get(event="draft.carried_confirmed")
    assert (event.actor_id, event.office) == (people["coo"].pk, "coo")
    assert len(event.data["confirmed"]) == 15
    assert board(fresh(amendment), people["coo"], on=TODAY).carried_tokens == []
    before = Agreement.objects.count(), Event.objects.count()
    with pytest.raises(NothingToConfirm), transaction.atomic():
        confirm(amendment, people)
    assert (Agreement.objects.count(), Event.objects.count()) == before


def test_what_changed_meanwhile_is_left_for_another_reading(amendment, people):
    read = everything_read(amendment)
    edit(row_of(amendment), people, by="cro", scope_in="Else.")
    done = confirm(amendment, people, read=read)
    assert [str(one) for one in done.changed_meanwhile] == ["Row 4.1, Deal desk"]
    assert done.agreed == 15


def test_a_contest_and_a_veto_are_left_as_they_are(amendment, people):
    row = row_of(amendment)
    agreeing.contest(clause=row, reason="No.", acting_user=people["coo"], at=NOW)
    vetoes.veto(row=row, reason="No.", acting_user=people["cfo"], at=NOW)
    for office in ("coo", "cfo"):
        confirm(amendment, people, by=office)
    assert live_stances(row_of(amendment)) == {"coo": "contested"}


def test_only_a_party_confirms_and_not_in_a_first_version(amendment, draft_of_another, people):
    for office in ("ceo", "corporate_secretary", "revops_lead"):
        with pytest.raises(NotYourOffice):
            confirm(amendment, people, by=office)
    with pytest.raises(NothingToConfirm):
        confirm(draft_of_another, people)


@pytest.fixture
def draft_of_another(people, functions):
    return factories.draft(
        people, number="NC-2", functions=[factories.another_function("partner_programs")]
    )


def test_a_new_holder_confirms_as_well(amendment, people):
    ines = PersonFactory(name="Ines Roy")
    factories.handed_over(ines, "coo", on=TODAY)
    people = people | {"coo": ines}
    assert confirm(amendment, people).agreed == 16


def test_a_party_that_came_later_reads_what_the_others_have_signed(amendment, people):
    Office.objects.create(
        key="cmo", title="Chief Marketing Officer", short="CMO", co_signing=True, position=20
    )
    people["cmo"] = PersonFactory(name="Noor Haddad")
    factories.appointed(people["cmo"], "cmo")
    edit(row_of(amendment), people, by="cro", owner="cmo")

    shown = board(amendment, people["cmo"], on=TODAY)
    assert not shown.carried_tokens
    with pytest.raises(NothingToConfirm):
        confirm(amendment, people, by="cmo")
    standing = {
        stance.office: stance.state
        for group in shown.groups
        for item in group.rows
        if item.row.function.key == "territory_planning"
        for stance in item.standing.stances
    }
    assert standing == {"cro": "carried", "coo": "carried", "cfo": "carried", "cmo": "waiting"}
    # It agrees like to any other text; the list of documents counts the same.
    agreeing.agree_to_all_read(
        revision=amendment, read=everything_read(amendment), acting_user=people["cmo"], at=NOW
    )
    assert "CMO" not in summaries([fresh(amendment)], on=TODAY)[amendment.pk].waits_for


def test_rows_that_differ_from_what_is_in_force_are_known(amendment, people, functions):
    assert differs_from_force(amendment) == set()
    edited = edit(row_of(amendment), people, owner="coo")
    back = edit(row_of(amendment, "vendor_management"), people, scope_in="Else.")
    assert differs_from_force(amendment) == {edited.pk, back.pk}
    first = row_of(amendment.supersedes, "vendor_management")
    edit(row_of(amendment, "vendor_management"), people, scope_in=first.scope_in)
    assert differs_from_force(amendment) == {edited.pk}
    left = edit(row_of(amendment), people, owner="", left_out_reason="Not ours any more.")
    assert differs_from_force(fresh(amendment)) == {left.pk}


def test_a_first_version_differs_from_nothing(draft_of_another):
    assert differs_from_force(draft_of_another) == set()


def test_how_many_queries_it_takes_does_not_grow(amendment, people):
    def queries():
        with CaptureQueriesContext(connection) as caught:
            differs_from_force(fresh(amendment))
        return len(caught)

    few = queries()
    for number in range(10):
        factories.another_function(f"function_{number}")
    from boundaries import drafting
    from functions_catalog.models import Function

    for function in Function.objects.filter(key__startswith="function_"):
        drafting.add_row(revision=amendment, function=function, acting_user=people["cro"], at=NOW)
    assert queries() == few


# --- Pages --------------------------------------------------------------------------------------


def page(name, revision):
    return reverse(f"boundaries:{name}", args=[revision.document.number, revision.number])


def test_the_page_says_what_amending_does_before_it_does_it(client, former, people):
    client.force_login(people["coo"])
    shown = client.get(page("amend", former)).content.decode()
    for words in ("v1 stays in force", "in one act", "Open draft v2", "leaves no trace"):
        assert words in shown
    assert former.document.revisions.count() == 1
    assert client.post(page("amend", former)).status_code == 302
    assert former.document.revisions.get(number=2).state == State.DRAFT
    # Opened once: the page leads back with a sentence.
    again = client.get(page("amend", former), follow=True)
    assert "NC-RB-2 is unfinished" in again.content.decode()


def test_who_may_not_open_a_draft_is_told(client, former, people):
    client.force_login(people["member"])
    assert client.get(page("amend", former)).status_code == 403


def test_confirming_by_the_page(client, amendment, people):
    client.force_login(people["coo"])
    shown = client.get(amendment.get_absolute_url()).content.decode()
    assert "Confirm what is unchanged (16)" in shown
    tokens = board(amendment, people["coo"], on=TODAY).carried_tokens
    done = client.post(page("confirm_carried", amendment), {"read": tokens}, follow=True)
    assert "You confirmed 16 rows and articles" in done.content.decode()
    assert "Confirm what is unchanged" not in done.content.decode()


# --- Withdrawn ----------------------------------------------------------------------------------


def test_a_withdrawn_draft_leaves_no_trace_in_look_ups(amendment, people):
    before = outlook.standings(["deal_desk"], people["ceo"], TODAY)
    edit(row_of(amendment), people, owner="coo")
    agreeing.contest(clause=row_of(amendment), reason="No.", acting_user=people["cro"], at=NOW)
    vetoes.veto(row=row_of(amendment), reason="No.", acting_user=people["cfo"], at=NOW)
    labels = [
        one.label for one in outlook.standings(["deal_desk"], people["ceo"], TODAY)["deal_desk"]
    ]
    assert labels == ["Vetoed in draft v2", "Contested in draft v2"]
    workflow.withdraw(
        revision=amendment, reason="Later.", acting_user=people["ceo"], at=NOW + timedelta(hours=1)
    )
    assert outlook.standings(["deal_desk"], people["ceo"], TODAY) == before == {}
    assert outlook.notices(people["ceo"], TODAY + timedelta(days=90)) == []
