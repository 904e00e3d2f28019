"""A hold placed while files are disposed of; one disposal confirmed twice."""

import pytest
from django.utils import timezone

from audit.verify import verify_log
from boundaries.archive import disposal, holds
from boundaries.archive.errors import AlreadyAnswered, UnderHold
from boundaries.models import Disposal, LegalHold
from tests.boundaries import archived, factories
from tests.boundaries.races.together import at_once, refusals

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def people(transactional_db, company, monkeypatch):
    return archived.everybody(monkeypatch)


@pytest.fixture
def old(people):
    factories.small_catalog()
    return archived.withdrawn(people)


def test_hold_while_disposing(people, old):
    """Whichever comes first: never a disposal that began after the hold stood."""
    now = timezone.now()
    one = archived.proposed(old, people, at=now)
    outcomes = at_once(
        lambda: disposal.confirm(disposal=one, acting_user=people["ceo"], at=now),
        lambda: holds.place(
            document=old.document,
            matter="Case 26-114",
            reason="A claim may come.",
            acting_user=people["corporate_secretary"],
            at=now,
        ),
    )
    assert LegalHold.objects.count() == 1
    one.refresh_from_db()
    if refusals(outcomes):
        assert refusals(outcomes) == [UnderHold]
        assert (one.answer, archived.whole(old)) == ("", 1)
    else:
        assert (one.answer, archived.whole(old)) == ("confirmed", 0)
    assert verify_log().sound


def test_confirmed_twice_at_once(people, old):
    now = timezone.now()
    one = archived.proposed(old, people, at=now)

    def confirm():
        return disposal.confirm(disposal=one, acting_user=people["ceo"], at=now)

    assert refusals(at_once(confirm, confirm)) == [AlreadyAnswered]
    assert Disposal.objects.get().answer == "confirmed"
    assert archived.whole(old) == 0
    assert verify_log().sound
