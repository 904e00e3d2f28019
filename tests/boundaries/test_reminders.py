"""Reminders after 2, 5 and 10 business days, then the CEO; nobody twice for one thing."""

import itertools
from datetime import UTC, date, datetime, timedelta

import pytest

from boundaries import agreeing, disputes, plan, reminders, vetoes, workflow
from notifications.models import OutgoingMail
from people.models import Appointment, Office
from tests.boundaries import disputing, factories
from tests.boundaries.factories import NOW, all_agree, edit, fresh, row_of
from tests.people.factories import PersonFactory

pytestmark = pytest.mark.django_db
# NOW is Friday, 20 November 2026; Thanksgiving is Thursday, the 26th.
SECOND, FIFTH, TENTH = date(2026, 11, 24), date(2026, 11, 30), date(2026, 12, 7)
ELEVENTH = date(2026, 12, 8)


def sweep(*days, hour=15):
    """The hourly sweep at ``hour`` UTC of each day; 15 is mid-morning in New York."""
    for day in days:
        reminders.remind_waiting(at=datetime(day.year, day.month, day.day, hour, tzinfo=UTC))


def every_day(first, last):
    """A sweep at night, in the morning, again in the morning, and in the evening of each day."""
    for day in range((last - first).days + 1):
        for hour in (4, 14, 15, 23):
            sweep(first + timedelta(days=day), hour=hour)


def mails(kind):
    """(name, day) of each mail of this kind, in order."""
    found = OutgoingMail.objects.filter(kind=kind).order_by("pk")
    return [(one.name, one.created_at.date()) for one in found]


@pytest.fixture
def cosigning(frozen, people):
    """The CRO and the COO have signed; the CFO's signature is missing."""
    return factories.cosigned(frozen.revision, people, "cro", "coo")


# --- Signatures ---------------------------------------------------------------------------------


def test_a_missing_signature_is_asked_for_after_2_5_and_10_business_days(cosigning, people):
    every_day(NOW.date(), date(2026, 12, 20))
    assert mails("waiting-reminder") == [
        ("Priya Raman", SECOND),
        ("Priya Raman", FIFTH),
        ("Priya Raman", TENTH),
    ]
    # And then the CEO hears of it, once.
    assert mails("signature-stalled") == [("Helen Marsh", ELEVENTH)]
    stalled = OutgoingMail.objects.get(kind="signature-stalled")
    assert stalled.subject == "NC-RB-1 stalls: CFO not signed"
    assert "Priya Raman" in stalled.text


def test_a_sweep_that_was_down_sends_the_latest_step_only(cosigning, people):
    sweep(date(2026, 12, 1))
    assert mails("waiting-reminder") == [("Priya Raman", date(2026, 12, 1))]
    sweep(TENTH)
    assert len(mails("waiting-reminder")) == 2


def test_only_in_the_readers_working_hours(cosigning, people):
    people["cfo"].time_zone = "Europe/Vienna"
    people["cfo"].save(update_fields=["time_zone"])
    for hour in (3, 6, 18, 22):
        sweep(SECOND, hour=hour)
    assert mails("waiting-reminder") == []
    sweep(SECOND, hour=8)  # 09:00 in Vienna, 03:00 in New York
    assert len(mails("waiting-reminder")) == 1
    sweep(date(2026, 11, 28), date(2026, 11, 29))  # a weekend
    assert len(mails("waiting-reminder")) == 1


def test_the_new_holder_has_the_full_time_and_so_has_the_ceos_patience(cosigning, people):
    sweep(SECOND, FIFTH)
    ines = PersonFactory(name="Ines Roy")
    factories.handed_over(ines, "cfo", on=date(2026, 12, 4))
    every_day(date(2026, 12, 4), date(2026, 12, 21))
    assert mails("waiting-reminder")[2:] == [
        ("Ines Roy", date(2026, 12, 8)),
        ("Ines Roy", date(2026, 12, 11)),
        ("Ines Roy", date(2026, 12, 18)),
    ]
    assert mails("signature-stalled") == [("Helen Marsh", date(2026, 12, 21))]


def test_the_ceo_hears_of_each_office_once(frozen, people):
    ines = PersonFactory(name="Ines Roy")
    factories.cosigned(frozen.revision, people, "coo")
    factories.handed_over(ines, "cfo", on=date(2026, 12, 1))
    every_day(ELEVENTH, ELEVENTH)
    assert [one.subject for one in OutgoingMail.objects.filter(kind="signature-stalled")] == [
        "NC-RB-1 stalls: CRO not signed"
    ]
    every_day(date(2026, 12, 9), date(2026, 12, 20))
    found = OutgoingMail.objects.filter(kind="signature-stalled").order_by("pk")
    assert [one.subject for one in found] == [
        "NC-RB-1 stalls: CRO not signed",
        "NC-RB-1 stalls: CFO not signed",
    ]


def test_a_vacant_office_is_told_to_the_ceo_in_time(cosigning, people):
    Appointment.objects.filter(office__key="cfo").update(ends_on=date(2026, 11, 23))
    every_day(SECOND, ELEVENTH)
    assert mails("waiting-reminder") == []
    assert mails("signature-stalled") == [("Helen Marsh", ELEVENTH)]
    assert "vacant" in OutgoingMail.objects.get(kind="signature-stalled").text


def test_frozen_anew_it_begins_anew(cosigning, people):
    sweep(SECOND)
    at = datetime(2026, 12, 1, 15, tzinfo=UTC)
    workflow.decline(revision=cosigning, reason="No.", acting_user=people["coo"], at=at)
    factories.frozen(fresh(cosigning), people, at=at)
    every_day(date(2026, 12, 2), date(2026, 12, 3))
    assert len(mails("waiting-reminder")) == 1 + 3


# --- The approval -------------------------------------------------------------------------------


def test_the_ceo_is_reminded_of_the_approval_and_nobody_else_hears(frozen, people):
    factories.cosigned(frozen.revision, people)
    every_day(NOW.date(), date(2026, 12, 20))
    assert mails("waiting-reminder") == [
        ("Helen Marsh", SECOND),
        ("Helen Marsh", FIFTH),
        ("Helen Marsh", TENTH),
    ]
    assert mails("signature-stalled") == []


# --- Drafts -------------------------------------------------------------------------------------


def test_a_party_with_something_to_agree_is_reminded_with_the_number_of_rows(draft, people):
    all_agree(draft, people, parties=["cro", "coo"])
    every_day(NOW.date(), date(2026, 12, 20))
    assert mails("draft-reminder") == [
        ("Priya Raman", SECOND),
        ("Priya Raman", FIFTH),
        ("Priya Raman", TENTH),
    ]
    mail = OutgoingMail.objects.filter(kind="draft-reminder").first()
    assert mail.subject == "NC-RB-1: 5 rows and 12 articles wait for you"
    assert "And 5 more" in mail.text
    assert mails("draft-stalled") == [("Helen Marsh", ELEVENTH)]
    stalled = OutgoingMail.objects.get(kind="draft-stalled")
    assert "it waits for the CFO" in stalled.subject
    assert "Priya Raman" in stalled.text


def test_who_has_agreed_to_all_hears_nothing_until_a_row_waits_again(ready, people):
    every_day(NOW.date(), FIFTH)
    assert mails("draft-reminder") == []
    edit(row_of(ready), people, by="cro", at=datetime(2026, 12, 1, 15, tzinfo=UTC), scope_in="X.")
    every_day(date(2026, 12, 1), date(2026, 12, 3))
    assert mails("draft-reminder") == [
        ("Daniel Osei", date(2026, 12, 3)),
        ("Priya Raman", date(2026, 12, 3)),
    ]
    assert (
        OutgoingMail.objects.filter(
            subject="NC-RB-1: 1 row waits for you", kind="draft-reminder"
        ).count()
        == 2
    )


def test_a_row_a_day_does_not_bring_a_mail_a_day(ready, people):
    keys = ["deal_desk", "territory_planning", "vendor_management", "billing_and_collections"]
    for number, key in enumerate(keys):
        at = datetime(2026, 11, 30, 15, tzinfo=UTC) + timedelta(days=number)
        edit(row_of(ready, key), people, by="cro", at=at, scope_in="X.")
    for day in range(1, 12):
        at = datetime(2026, 12, day, 15, tzinfo=UTC)
        reminders.remind_waiting(at=at)
        # The COO agrees each day to what is oldest.
        waiting = [row_of(ready, key) for key in keys if row_of(ready, key).changed_at <= at]
        for row in waiting[: max(0, day - 1)]:
            agreeing.agree(
                clause=row, expected_version=row.version, acting_user=people["coo"], at=at
            )
    days = [day for name, day in mails("draft-reminder") if name == "Daniel Osei"]
    assert all(later - earlier >= timedelta(days=2) for earlier, later in itertools.pairwise(days))


def test_what_is_vetoed_or_bound_waits_for_nobody(ready, people):
    row = row_of(ready)
    vetoes.veto(row=row, reason="No.", acting_user=people["cfo"], at=NOW)
    edit(row, people, by="corporate_secretary", scope_in="X.")
    every_day(NOW.date(), date(2026, 12, 12))
    assert mails("draft-reminder") == []
    assert mails("draft-stalled") == []


def test_what_an_amendment_carries_is_asked_for_too(people, functions):
    first = factories.in_force(people)
    workflow.amend(revision=first, acting_user=people["cro"], at=NOW)
    sweep(SECOND)
    assert [name for name, _ in mails("draft-reminder")] == [
        "Maya Lindqvist",
        "Daniel Osei",
        "Priya Raman",
    ]


def test_a_successor_hears_of_the_predecessors_agreements_after_the_full_time(ready, people):
    ines = PersonFactory(name="Ines Roy")
    factories.handed_over(ines, "coo", on=date(2026, 12, 1))
    every_day(date(2026, 12, 1), date(2026, 12, 4))
    assert mails("draft-reminder") == [("Ines Roy", date(2026, 12, 3))]


def test_withdrawn_drafts_remind_nobody(draft, people):
    workflow.withdraw(revision=draft, reason="Later.", acting_user=people["ceo"], at=NOW)
    every_day(SECOND, ELEVENTH)
    assert mails("draft-reminder") == mails("draft-stalled") == []


def test_an_office_that_becomes_a_party_later_has_the_full_time(ready, people):
    Office.objects.create(
        key="cmo", title="Chief Marketing Officer", short="CMO", co_signing=True, position=20
    )
    noor = people["cmo"] = PersonFactory(name="Noor Haddad")
    factories.appointed(noor, "cmo")
    joined = datetime(2026, 12, 8, 15, tzinfo=UTC)
    row = edit(row_of(ready), people, by="cro", at=joined, owner="cmo")
    edit(row, people, by="cro", at=joined + timedelta(days=1), rationale="It knows the market.")

    every_day(joined.date(), date(2026, 12, 9))
    assert [one for one in mails("draft-reminder") if one[0] == noor.name] == []
    assert mails("draft-stalled") == []
    every_day(date(2026, 12, 10), date(2026, 12, 11))
    assert (noor.name, date(2026, 12, 10)) in mails("draft-reminder")


def test_a_contested_row_waits_for_all_parties_and_then_comes_to_the_ceo(ready, people):
    agreeing.contest(
        clause=row_of(ready), reason="The desk is ours.", acting_user=people["coo"], at=NOW
    )
    every_day(NOW.date(), date(2026, 12, 20))
    assert mails("draft-reminder") == [
        (name, day)
        for day in (SECOND, FIFTH, TENTH)
        for name in ("Maya Lindqvist", "Daniel Osei", "Priya Raman")
    ]
    mail = OutgoingMail.objects.filter(kind="draft-reminder").first()
    assert mail.subject == "NC-RB-1: 1 row waits for you"
    assert "contested" in mail.text
    assert "escalate a contested row" in mail.text
    assert mails("draft-stalled") == [("Helen Marsh", ELEVENTH)]
    # Nobody is told of it as agreed by all meanwhile.
    assert mails("freeze-reminder") == []


def test_a_row_in_dispute_has_the_clock_of_the_dispute_alone(ready, people):
    dispute = disputing.escalated(ready, people)
    every_day(NOW.date(), ELEVENTH)
    assert mails("draft-reminder") == mails("draft-stalled") == mails("freeze-reminder") == []
    at = datetime(2026, 12, 9, 15, tzinfo=UTC)
    for office in ("cro", "coo", "cfo"):
        disputes.settle(dispute=dispute, acting_user=people[office], at=at)
    # The contest still stands, since it was made; one mail of its last step, and the CEO's.
    sweep(date(2026, 12, 10))
    assert len(mails("draft-reminder")) == 3
    assert mails("draft-stalled") == [("Helen Marsh", date(2026, 12, 10))]


# --- Agreed and not frozen ----------------------------------------------------------------------


def test_a_draft_agreed_by_all_waits_for_whoever_may_freeze_it(ready, people):
    every_day(NOW.date(), date(2026, 12, 20))
    freezing = ("Maya Lindqvist", "Daniel Osei", "Priya Raman", people["corporate_secretary"].name)
    assert mails("freeze-reminder") == [
        (name, day) for day in (SECOND, FIFTH, TENTH) for name in freezing
    ]
    mail = OutgoingMail.objects.filter(kind="freeze-reminder").first()
    assert "Nothing blocks it: freeze it" in mail.text
    assert mails("freeze-stalled") == [("Helen Marsh", ELEVENTH)]


def test_what_blocks_a_draft_agreed_by_all_is_named(draft, people):
    # Effective on the day on which it was agreed: that has passed when the mail goes out.
    factories.effective(draft, people, NOW.date())
    factories.all_agree(draft, people)
    sweep(SECOND)
    mail = OutgoingMail.objects.filter(kind="freeze-reminder").first()
    assert "1 thing must be settled first" in mail.text
    assert "The effective date has passed" in mail.text


def test_once_frozen_nobody_is_asked_to_freeze(ready, people):
    sweep(SECOND)
    at = datetime(2026, 11, 25, 15, tzinfo=UTC)
    workflow.freeze(revision=ready, acting_user=people["cro"], at=at)
    sweep(FIFTH, TENTH, ELEVENTH)
    assert {day for _, day in mails("freeze-reminder")} == {SECOND}
    assert mails("freeze-stalled") == []


def test_a_veto_that_stands_asks_nobody_to_freeze(ready, people):
    vetoes.veto(row=row_of(ready), reason="No.", acting_user=people["cfo"], at=NOW)
    every_day(SECOND, ELEVENTH)
    assert mails("freeze-reminder") == mails("freeze-stalled") == []


# --- In force and not acknowledged --------------------------------------------------------------


def test_the_revops_lead_is_reminded_of_the_acknowledgement(people, functions):
    revision = factories.in_force(people)
    lead = people["revops_lead"].name
    every_day(NOW.date(), date(2026, 12, 20))
    assert mails("acknowledgement-reminder") == [(lead, SECOND), (lead, FIFTH), (lead, TENTH)]
    assert mails("acknowledgement-overdue") == [("Helen Marsh", ELEVENTH)]
    overdue = OutgoingMail.objects.get(kind="acknowledgement-overdue")
    assert overdue.subject == f"{revision.reference} is in force and not acknowledged"
    assert lead in overdue.text


def test_what_is_acknowledged_waits_for_nobody(people, functions):
    revision = factories.in_force(people)
    sweep(SECOND)
    plan.acknowledge(
        revision=revision,
        milestones=factories.execution_plan(),
        acting_user=people["revops_lead"],
        at=datetime(2026, 11, 25, 15, tzinfo=UTC),
    )
    every_day(date(2026, 11, 25), date(2026, 12, 12))
    assert len(mails("acknowledgement-reminder")) == 1
    assert mails("acknowledgement-overdue") == []


def test_where_the_lead_is_vacant_the_ceo_hears_that_nobody_acknowledges(people, functions):
    factories.in_force(people)
    Appointment.objects.filter(office__key="revops_lead").update(ends_on=date(2026, 11, 23))
    every_day(SECOND, ELEVENTH)
    assert mails("acknowledgement-reminder") == []
    assert "vacant" in OutgoingMail.objects.get(kind="acknowledgement-overdue").text
