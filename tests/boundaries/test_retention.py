"""How long records are kept: the term, who changes it, and that no promise is ever shortened."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.models import Event
from boundaries.archive import disposal, retention
from boundaries.archive.errors import (
    AlreadyAnswered,
    NothingToDo,
    StillKept,
    TakesAnotherPerson,
    YearsOutOfBounds,
)
from boundaries.errors import ReasonMissing
from boundaries.models import Disposal, RetentionRule
from boundaries.states import State
from notifications.models import OutgoingMail
from people.models import Person
from tests.audit.test_protection import refused
from tests.boundaries import archived, factories
from tests.boundaries.archived import (
    LONG_AGO,
    WHY,
    confirmed_by_sql,
    emptying,
    logged,
    one_of,
    whole,
)


@pytest.fixture
def people(company, monkeypatch):
    return archived.everybody(monkeypatch)


@pytest.fixture
def now():
    return timezone.now()


def proposed(years, people, at):
    return retention.propose(
        years=years, reason="Counsel asks.", acting_user=people["corporate_secretary"], at=at
    )


@pytest.mark.parametrize(
    ("moment", "years", "until"),
    [
        (datetime(2024, 2, 29, 10, tzinfo=UTC), 7, datetime(2031, 3, 1, tzinfo=UTC)),
        (datetime(2024, 2, 29, 10, tzinfo=UTC), 4, datetime(2028, 2, 29, 10, tzinfo=UTC)),
        (datetime(2019, 11, 30, 2, 5, tzinfo=UTC), 7, datetime(2026, 11, 30, 2, 5, tzinfo=UTC)),
    ],
)
def test_years_later(moment, years, until):
    assert retention.years_later(moment, years) == until


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("confirmed", "years"),
    [
        ([], 7),
        ([(-DAY, 3)], 3),  # shorter before it was opened: that was the promise
        ([(-DAY, 10)], 10),
        ([(DAY, 3)], 7),  # shorter afterwards: what was promised stays
        ([(DAY, 10)], 10),  # longer counts at once
        ([(DAY, 10), (2 * DAY, 3)], 10),
        ([(-2 * DAY, 20), (-DAY, 5)], 5),
        ([(-2 * DAY, 20), (-DAY, 5), (DAY, 6), (2 * DAY, 1)], 6),
    ],
)
def test_longest_term_since_it_was_opened_counts(confirmed, years):
    terms = retention.Terms([(LONG_AGO + since, one) for since, one in confirmed])
    assert terms.years_for(LONG_AGO) == years
    assert terms.years == (confirmed[-1][1] if confirmed else 7)


def test_term_counts_once_the_ceo_confirms_it(people, now):
    rule = proposed(10, people, now)
    assert retention.terms().years == 7
    retention.confirm(rule=rule, acting_user=people["ceo"], at=now)
    assert retention.terms().years == 10
    told = Event.objects.order_by("sequence")
    assert [event.event for event in told] == ["retention.proposed", "retention.confirmed"]
    assert told.last().data == {"years": 10, "before": 7}
    assert sorted(OutgoingMail.objects.values_list("kind", "person__name")) == [
        ("retentionrule-answered", "Iris Novak"),
        ("retentionrule-asked", "Helen Marsh"),
    ]


def test_refused_or_taken_back_term_counts_for_nothing(people, now):
    retention.refuse(
        rule=proposed(10, people, now), word="Too long.", acting_user=people["ceo"], at=now
    )
    rule = proposed(12, people, now)
    retention.take_back(rule=rule, acting_user=people["corporate_secretary"], at=now)
    assert retention.terms().years == 7
    with pytest.raises(AlreadyAnswered, match="taken back already"):
        retention.confirm(rule=rule, acting_user=people["ceo"], at=now)


@pytest.mark.parametrize(
    ("years", "reason", "refusal"),
    [
        (0, "Counsel", YearsOutOfBounds),
        (31, "Counsel", YearsOutOfBounds),
        (7, "Counsel", NothingToDo),
        (8, "  ", ReasonMissing),
    ],
)
def test_term_that_makes_no_sense_is_refused(people, now, years, reason, refusal):
    with pytest.raises(refusal):
        retention.propose(
            years=years, reason=reason, acting_user=people["corporate_secretary"], at=now
        )
    assert not RetentionRule.objects.exists()
    assert not Event.objects.exists()


def test_one_term_waits_at_a_time(people, now):
    proposed(10, people, now)
    with pytest.raises(AlreadyAnswered):
        proposed(11, people, now)
    assert RetentionRule.objects.count() == 1


def test_linked_account_confirms_no_term_of_its_own(people, now):
    rule = proposed(10, people, now)
    Person.objects.filter(pk=people["ceo"].pk).update(same_person_as=people["corporate_secretary"])
    with pytest.raises(TakesAnotherPerson):
        retention.confirm(rule=rule, acting_user=Person.objects.get(pk=people["ceo"].pk), at=now)
    assert retention.terms().years == 7


def test_withdrawn_revision_is_kept_from_the_day_it_was_withdrawn(people, functions, now):
    revision = archived.withdrawn(people)
    assert retention.terms().kept_until(revision) == LONG_AGO.replace(year=2025)
    with pytest.raises(StillKept, match="until 20 Nov 2025"):
        archived.proposed(revision, people, at=LONG_AGO.replace(year=2025, day=19))
    archived.disposed(revision, people, at=now)
    assert whole(revision) == 0


def test_database_keeps_what_ended_too_lately(people, functions, now):
    revision = factories.in_state(State.SUPERSEDED, people, at=now - timedelta(days=100))
    one = Disposal.objects.create(
        revision=revision,
        kept_until=now,
        files=1,
        size=1,
        reason=WHY,
        asked_by=people["corporate_secretary"],
        asked_by_name="Iris Novak",
        asked_by_office="Corporate Secretary",
        asked_at=now,
    )
    confirmed_by_sql(one, people["ceo"], now)
    logged(revision, people, now)
    assert refused(emptying(one_of(revision), one))
    # Its end cannot be dated back.
    with pytest.raises(IntegrityError), transaction.atomic():
        type(revision).objects.filter(pk=revision.pk).update(in_force_until=LONG_AGO)


def test_clock_ahead_of_the_databases_disposes_of_nothing(people, functions, now):
    """What the product takes for due, by a clock of its own, the database still keeps."""
    revision = archived.sealed(factories.in_state(State.SUPERSEDED, people, at=now))
    ahead = now.replace(year=now.year + 8, day=1)
    one = archived.proposed(revision, people, at=ahead)
    before = archived.state_of_things(revision)
    with pytest.raises(StillKept, match="by its own clock"), transaction.atomic():
        disposal.confirm(disposal=one, acting_user=people["ceo"], at=ahead)
    assert archived.state_of_things(revision) == before


def test_term_longer_meanwhile_holds_until_it_ends(people, functions, now):
    """Lengthened for a moment, then shortened: what was promised in between stays promised."""
    revision = archived.withdrawn(people)
    archived.lengthened(20, people, at=now)
    archived.lengthened(1, people, at=now + timedelta(seconds=1))
    later = now + timedelta(seconds=2)
    assert retention.terms().years == 1
    assert retention.terms().kept_until(revision) == LONG_AGO.replace(year=2038)
    with pytest.raises(StillKept, match="20 Nov 2038"):
        archived.proposed(revision, people, at=later)
    opened_later = factories.draft(
        people, number="NC-PART", functions=[factories.another_function()], at=later
    )
    assert retention.terms().years_for(opened_later.opened_at) == 1


BORN_CONFIRMED = (
    "INSERT INTO boundaries_retentionrule (years, asked_by_id, asked_by_name, asked_by_office,"
    " asked_at, reason, answer, answered_by_id, answered_by_name, answered_by_office,"
    " answered_at, word) SELECT 1, asked_by_id, '', '', asked_at, 'x', 'confirmed',"
    " answered_by_id, '', '', asked_at, '' FROM boundaries_retentionrule"
)


def test_database_dates_no_term_back(people, now):
    rule = proposed(1, people, now)
    for answered_at in ("2010-01-01", "2026-01-01"):
        assert refused(
            "UPDATE boundaries_retentionrule SET answer = 'confirmed',"
            f" answered_by_id = {people['ceo'].pk}, answered_at = '{answered_at}'"
            f" WHERE id = {rule.pk}"
        )
    retention.confirm(rule=rule, acting_user=people["ceo"], at=now)
    for statement in (
        "UPDATE boundaries_retentionrule SET years = 2",
        "UPDATE boundaries_retentionrule SET answer = ''",
        "UPDATE boundaries_retentionrule SET answered_at = '2010-01-01'",
        "DELETE FROM boundaries_retentionrule",
        BORN_CONFIRMED,
    ):
        assert refused(statement), statement


def test_database_and_product_count_the_same_years(people, functions, now):
    """Last year, this year, next year: the database keeps what the product keeps."""
    revision = archived.withdrawn(people)
    one = archived.proposed(revision, people, at=now)
    confirmed_by_sql(one, people["ceo"], now)
    logged(revision, people, now)
    this_year = now.year - LONG_AGO.year
    for years in (this_year - 1, this_year, this_year + 1):
        at = timezone.now()
        if retention.terms().years != years:
            archived.lengthened(years, people, at=at)
        kept = retention.terms().kept_until(revision) > at
        savepoint = transaction.savepoint()
        assert refused(emptying(one_of(revision), one)) == kept, years
        transaction.savepoint_rollback(savepoint)
    assert whole(revision) == 1
