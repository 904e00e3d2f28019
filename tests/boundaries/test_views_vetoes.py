"""The pages of a veto: vetoing, lifting, and the CEO's order."""

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from boundaries import vetoes
from boundaries.models import Veto
from people.calendar import company_date
from tests.boundaries import factories
from tests.boundaries.factories import row_of

pytestmark = pytest.mark.django_db
REASON = "It must sit under financial close."


@pytest.fixture
def draft(people, functions):
    return factories.draft(people, at=timezone.now() - timedelta(days=40))


def page(name, row):
    revision = row.revision
    return reverse(
        f"boundaries:{name}", args=[revision.document.number, revision.number, row.position]
    )


def vetoed(draft, people, *, days):
    at = timezone.now() - timedelta(days=days)
    return vetoes.veto(row=row_of(draft), reason=REASON, acting_user=people["cfo"], at=at)


def test_the_cfo_vetoes_and_lifts_by_the_page(client, draft, people):
    row = row_of(draft)
    client.force_login(people["cfo"])
    assert "Veto row 4.1" in client.get(page("veto", row)).content.decode()
    empty = client.post(page("veto", row), {"reason": " "})
    assert empty.status_code == 422
    assert "Say why this row cannot stand." in empty.content.decode()
    done = client.post(page("veto", row), {"reason": REASON})
    assert done["Location"].endswith("#row-1")
    shown = client.get(page("veto", row)).content.decode()
    assert REASON in shown
    assert "10 business days" in shown
    client.post(page("lift_veto", row), {"word": "Settled."})
    assert Veto.objects.get().lifted_word == "Settled."
    again = client.post(page("lift_veto", row), {"word": ""}, follow=True)
    assert "No veto of Row 4.1, Deal desk stands any more" in again.content.decode()


def test_others_read_it_and_may_not(client, draft, people):
    veto = vetoed(draft, people, days=1)
    for office in ("cro", "ceo", "revops_lead", "auditor"):
        client.force_login(people[office])
        shown = client.get(page("veto", veto.row))
        assert shown.status_code == 200
        assert "Lift the veto of" not in shown.content.decode()
        assert client.post(page("lift_veto", veto.row), {}).status_code == 403
    client.force_login(people["member"])
    assert client.get(page("veto", veto.row)).status_code == 404
    client.force_login(people["coo"])
    assert client.get(page("order", veto.row)).status_code == 403


def test_the_order_is_shown_early_without_its_button(client, draft, people):
    veto = vetoed(draft, people, days=1)
    client.force_login(people["ceo"])
    shown = client.get(page("order", veto.row)).content.decode()
    assert "Nothing is in force today" in shown
    assert "CFO, interim" in shown
    assert 'name="rationale"' not in shown
    early = client.post(page("order", veto.row), {"rationale": "Now."})
    assert early.status_code == 422
    assert "Nothing was ordered" in early.content.decode()
    assert Veto.objects.get().stands


def test_the_ceo_orders_by_the_page(client, draft, people):
    veto = vetoed(draft, people, days=30)
    assert veto.order_from <= company_date(timezone.now())
    client.force_login(people["ceo"])
    board = client.get(draft.get_absolute_url()).content.decode()
    assert "the CEO may order now what goes in" in board
    assert client.post(page("order", veto.row), {"rationale": ""}).status_code == 422
    done = client.post(page("order", veto.row), {"rationale": "The quarter ends."}, follow=True)
    assert "Ordered: Row 4.1, Deal desk" in done.content.decode()
    row = row_of(draft)
    assert (row.owner, row.order_id) == ("cfo", veto.pk)
    shown = client.get(page("veto", row)).content.decode()
    assert "ordered what goes in" in shown
    assert isinstance(veto.order_from, date)
