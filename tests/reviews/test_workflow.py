"""Reviews come with a Revision in force, move with it, and remind each person once."""

import threading
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction

from audit.models import Event
from boundaries.models import Revision
from boundaries.signals import revision_in_force as came_in_force
from notifications import tasks as mail_tasks
from notifications.models import OutgoingMail
from people.appointments import appoint
from people.errors import NotYourOffice
from people.models import Appointment
from reviews import tasks, workflow
from reviews.errors import NobodyToRemind, ReviewNotOpen
from reviews.models import Review
from tests.people.factories import PersonFactory, northwind_people
from tests.reviews.factories import document, revision_in_force

NEW_YORK = ZoneInfo("America/New_York")
IN_FORCE_AT = datetime(2026, 3, 2, 14, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _mail_goes_nowhere(monkeypatch):
    monkeypatch.setattr(mail_tasks.deliver, "delay", lambda mail_id: None)


@pytest.fixture
def boundary(executives):
    return document(executives["cro"])


@pytest.fixture
def revision(boundary, executives):
    return revision_in_force(
        boundary,
        executives,
        rows=[
            ("billing_and_collections", "cfo"),
            ("deal_desk", "cro"),
            ("master_data", {"accounts": "cro", "products": "coo"}),
        ],
    )


def tell_in_force(revision, at=IN_FORCE_AT):
    with transaction.atomic():
        came_in_force.send(sender=Revision, revision=revision, at=at)


def open_dates():
    return {(review.kind, review.due_date) for review in Review.objects.filter(state="open")}


def at_new_york(year, month, day, hour=8, minute=10):
    return datetime(year, month, day, hour, minute, tzinfo=NEW_YORK).astimezone(UTC)


# --- Scheduling -------------------------------------------------------------------------------


def test_coming_in_force_makes_the_years_reviews(revision):
    tell_in_force(revision)

    assert open_dates() == {
        ("quarterly", date(2026, 6, 2)),
        ("quarterly", date(2026, 9, 2)),
        ("quarterly", date(2026, 12, 2)),
        ("full", date(2027, 2, 1)),
    }
    review = Review.objects.get(due_date=date(2026, 6, 2))
    assert review.revision == revision
    assert review.offices == ["cro", "coo", "cfo"]
    assert review.title == "Q2 2026 review"
    assert Review.objects.get(kind="full").title == "2027 full review"
    events = Event.objects.filter(event="review.scheduled")
    assert {one.object_id for one in events} == {str(one.pk) for one in Review.objects.all()}
    assert {one.data["due_date"] for one in events} >= {"2026-06-02", "2027-02-01"}


def test_telling_twice_makes_no_second_review(revision):
    tell_in_force(revision)
    before = open_dates()
    events = Event.objects.count()
    tell_in_force(revision, at=IN_FORCE_AT + timedelta(days=1))

    assert Review.objects.count() == 4
    assert open_dates() == before
    assert Event.objects.count() == events


def test_refused_coming_in_force_leaves_no_review(revision):
    with pytest.raises(RuntimeError), transaction.atomic():
        came_in_force.send(sender=Revision, revision=revision, at=IN_FORCE_AT)
        raise RuntimeError("something else of that transaction failed")

    assert not Review.objects.exists()


def test_only_who_signed_is_a_party(boundary, executives):
    revision = revision_in_force(boundary, executives, parties=["cfo", "cro"])
    tell_in_force(revision)

    assert Review.objects.first().offices == ["cro", "cfo"]


def test_amendment_takes_over_the_full_review_and_counts_quarters_anew(
    revision, boundary, executives
):
    tell_in_force(revision)
    full = Review.objects.get(kind="full")
    amendment = revision_in_force(
        boundary, executives, number=2, effective=date(2026, 9, 15), parties=["cro", "cfo"]
    )
    tell_in_force(amendment, at=datetime(2026, 9, 15, 14, tzinfo=UTC))

    assert open_dates() == {("quarterly", date(2026, 12, 15)), ("full", date(2027, 2, 1))}
    full.refresh_from_db()
    assert full.revision == amendment
    assert full.offices == ["cro", "cfo"]
    replaced = Review.objects.filter(state="replaced")
    assert {one.due_date for one in replaced} == {
        date(2026, 6, 2),
        date(2026, 9, 2),
        date(2026, 12, 2),
    }
    assert {one.closed_reason for one in replaced} == {"Replaced when NC-RB-2 came in force."}
    assert Event.objects.filter(event="review.replaced").count() == 3
    taken_over = Event.objects.get(event="review.taken_over")
    assert taken_over.object_version == "NC-RB-2"
    assert taken_over.data["former_revision"] == "NC-RB-1"


def test_overdue_full_review_is_not_escaped_by_an_amendment(revision, boundary, executives):
    tell_in_force(revision)
    amendment = revision_in_force(boundary, executives, number=2, effective=date(2027, 2, 15))
    tell_in_force(amendment, at=datetime(2027, 2, 15, 14, tzinfo=UTC))

    assert open_dates() == {("full", date(2027, 2, 1))}


def test_new_sunset_begins_a_new_cycle(revision, boundary, executives):
    tell_in_force(revision)
    renewed = revision_in_force(
        boundary, executives, number=2, effective=date(2027, 2, 10), sunset=date(2028, 2, 10)
    )
    tell_in_force(renewed, at=datetime(2027, 2, 10, 14, tzinfo=UTC))

    assert open_dates() == {
        ("quarterly", date(2027, 5, 10)),
        ("quarterly", date(2027, 8, 10)),
        ("quarterly", date(2027, 11, 10)),
        ("full", date(2028, 1, 11)),
    }
    assert Review.objects.filter(state="replaced", kind="full").count() == 1


def test_other_documents_keep_their_reviews(revision, executives):
    tell_in_force(revision)
    other = revision_in_force(
        document(executives["cro"], number="NC-RB-EU", company_boundary=False), executives
    )
    tell_in_force(other)

    assert Review.objects.filter(state="open").count() == 8


def test_database_refuses_a_second_open_full_review_and_deleting_any(revision):
    tell_in_force(revision)
    full = Review.objects.get(kind="full")
    with pytest.raises(IntegrityError), transaction.atomic():
        Review.objects.create(
            document=full.document,
            revision=revision,
            kind="full",
            due_date=date(2027, 3, 1),
            created_at=IN_FORCE_AT,
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        full.delete()


# --- The sweep --------------------------------------------------------------------------------


def recipients(**fields):
    return sorted(OutgoingMail.objects.filter(**fields).values_list("name", flat=True))


def test_first_step_reaches_the_parties_and_the_revops_lead(revision):
    tell_in_force(revision)

    assert workflow.remind_due(at=at_new_york(2026, 5, 19, 7, 30)) == 0
    assert workflow.remind_due(at=at_new_york(2026, 5, 19)) == 4

    assert recipients() == ["Daniel Osei", "Maya Lindqvist", "Priya Raman", "Tomas Vega"]
    mail = OutgoingMail.objects.get(name="Priya Raman")
    assert mail.subject == "NC-RB: Q2 2026 review is due in 14 days, 2 Jun 2026"
    for part in (mail.text, mail.html):
        assert "version 1, is due on 2 Jun 2026, in 14 days." in part
        assert "Billing and collections" in part
        assert "Deal desk" not in part
        assert "The next reminder is on 26 May 2026." in part
        assert "/reviews/#review-" in part
        assert "You are a party to NC-RB." in part
    sub_scope = OutgoingMail.objects.get(name="Daniel Osei").text
    assert "Master data: Products (COO)" in sub_scope
    assert "The RevOps Lead takes part" in OutgoingMail.objects.get(name="Tomas Vega").text


def test_sweep_runs_twice_and_every_hour_without_a_second_mail(revision):
    tell_in_force(revision)
    for hour in range(6, 22):
        workflow.remind_due(at=at_new_york(2026, 5, 19, hour))
        workflow.remind_due(at=at_new_york(2026, 5, 19, hour))

    assert OutgoingMail.objects.count() == 4


def test_a_year_of_hourly_sweeps_sends_each_step_once_to_each(revision):
    """Only hours in which something can happen: each morning and each afternoon."""
    tell_in_force(revision)
    day = date(2026, 5, 1)
    while day < date(2026, 7, 10):
        for hour in (5, 8, 15):
            workflow.remind_due(at=at_new_york(day.year, day.month, day.day, hour))
        day += timedelta(days=1)

    sent = [
        (mail.key.split(":")[2], mail.created_at.astimezone(NEW_YORK).date())
        for mail in OutgoingMail.objects.filter(name="Maya Lindqvist").order_by("created_at")
    ]
    assert sent == [
        ("before-14", date(2026, 5, 19)),
        ("before-7", date(2026, 5, 26)),
        ("before-1", date(2026, 6, 1)),
        ("due", date(2026, 6, 2)),
        ("overdue-7", date(2026, 6, 9)),
        ("overdue-14", date(2026, 6, 16)),
        ("overdue-21", date(2026, 6, 23)),
        ("overdue-28", date(2026, 6, 30)),
        ("overdue-35", date(2026, 7, 7)),
    ]
    to_ceo = OutgoingMail.objects.filter(name="Helen Marsh").order_by("created_at")
    assert [mail.key.split(":")[2] for mail in to_ceo] == [
        "overdue-14",
        "overdue-21",
        "overdue-28",
        "overdue-35",
    ]
    first = to_ceo[0]
    assert first.subject == "NC-RB: Q2 2026 review is 14 days late, due 2 Jun 2026"
    assert "A review that is two weeks late comes to the CEO." in first.text
    keys = list(OutgoingMail.objects.values_list("key", flat=True))
    assert len(keys) == len(set(keys)) == 4 * 9 + 4


def test_each_is_reminded_in_their_own_morning(revision, executives):
    executives["coo"].time_zone = "Europe/Vienna"
    executives["coo"].save()
    tell_in_force(revision)

    workflow.remind_due(at=datetime(2026, 5, 19, 6, 10, tzinfo=UTC))
    assert recipients() == ["Daniel Osei"]
    assert "on 19 May 2026, 08:10 CEST" in OutgoingMail.objects.get().text

    workflow.remind_due(at=at_new_york(2026, 5, 19))
    assert len(recipients()) == 4


def test_replaced_review_reminds_nobody(revision, boundary, executives):
    tell_in_force(revision)
    amendment = revision_in_force(boundary, executives, number=2, effective=date(2026, 5, 4))
    tell_in_force(amendment, at=datetime(2026, 5, 4, 14, tzinfo=UTC))

    assert workflow.remind_due(at=at_new_york(2026, 5, 19)) == 0


def test_stand_in_is_reminded_instead_of_the_holder(revision, executives):
    stand_in = PersonFactory(name="Ingrid Sole")
    appoint(
        person=stand_in,
        office_key="cfo",
        starts_on=date(2026, 5, 1),
        ends_on=date(2026, 6, 1),
        acting=True,
        instrument="Letter of 20 Apr 2026",
        acting_user=None,
        at=IN_FORCE_AT,
    )
    tell_in_force(revision)
    workflow.remind_due(at=at_new_york(2026, 5, 19))

    assert "Ingrid Sole" in recipients()
    assert "Priya Raman" not in recipients()


def test_person_with_two_offices_gets_one_mail(company):
    people = northwind_people()
    appoint(
        person=PersonFactory(name="Lee Park"),
        office_key="administrator",
        starts_on=date(2026, 1, 1),
        acting_user=None,
        at=IN_FORCE_AT,
    )
    appoint(
        person=people["cfo"],
        office_key="coo",
        starts_on=date(2026, 1, 1),
        ends_on=date(2027, 1, 1),
        acting=True,
        instrument="Letter of 30 Dec 2025",
        acting_user=None,
        at=IN_FORCE_AT,
    )
    revision = revision_in_force(document(people["cro"]), people)
    tell_in_force(revision)
    workflow.remind_due(at=at_new_york(2026, 5, 19))

    assert recipients() == ["Maya Lindqvist", "Priya Raman", "Tomas Vega"]


def test_vacant_office_is_nobody_to_remind(revision, executives):
    tell_in_force(revision)
    Appointment.objects.filter(office__key="coo").update(ends_on=date(2026, 5, 1))
    workflow.remind_due(at=at_new_york(2026, 5, 19))

    assert recipients() == ["Maya Lindqvist", "Priya Raman", "Tomas Vega"]


def test_one_broken_review_does_not_hold_up_the_others(revision, executives, monkeypatch, caplog):
    tell_in_force(revision)
    other = revision_in_force(
        document(executives["cro"], number="NC-RB-EU", company_boundary=False), executives
    )
    tell_in_force(other)
    broken = Review.objects.get(document__number="NC-RB", due_date=date(2026, 6, 2))
    real = workflow._remind_of

    def fail(review_id, *, at):
        if review_id == broken.pk:
            raise RuntimeError("broken")
        return real(review_id, at=at)

    monkeypatch.setattr(workflow, "_remind_of", fail)

    assert workflow.remind_due(at=at_new_york(2026, 5, 19)) == 4
    assert f"review {broken.pk}: its reminders failed" in caplog.text


def test_long_list_of_rows_is_cut_and_counted(boundary, executives):
    revision = revision_in_force(
        boundary, executives, rows=[(f"function_{number}", "cfo") for number in range(11)]
    )
    tell_in_force(revision)
    workflow.remind_due(at=at_new_york(2026, 5, 19))

    text = OutgoingMail.objects.get(name="Priya Raman").text
    assert text.count("- Function ") == 8
    assert "And 3 more rows of yours." in text


def test_full_review_says_what_it_ends_in(revision):
    tell_in_force(revision)
    workflow.remind_due(at=at_new_york(2027, 1, 18, 9))  # a holiday
    full = Review.objects.get(kind="full")
    assert not OutgoingMail.objects.filter(key__startswith=f"review-reminder:{full.pk}:").exists()
    workflow.remind_due(at=at_new_york(2027, 1, 19, 9))

    mail = OutgoingMail.objects.get(
        key__startswith=f"review-reminder:{full.pk}:", name="Tomas Vega"
    )
    assert mail.subject == "NC-RB: 2027 full review is due in 13 days, 1 Feb 2027"
    assert "a new version that all parties sign" in mail.text


def test_task_sweeps_as_of_now(revision, monkeypatch):
    asked = []
    monkeypatch.setattr(workflow, "remind_due", lambda *, at: asked.append(at))
    tasks.remind()

    assert asked[0].tzinfo is not None


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_sweeps_at_once_mail_each_person_once():
    from tests.people.factories import CompanyFactory

    CompanyFactory()
    people = northwind_people()
    tell_in_force(revision_in_force(document(people["cro"]), people))
    barrier = threading.Barrier(3)
    failures = []

    def sweep():
        try:
            barrier.wait()
            workflow.remind_due(at=at_new_york(2026, 5, 19))
        except Exception as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=sweep) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert recipients() == ["Daniel Osei", "Maya Lindqvist", "Priya Raman", "Tomas Vega"]


# --- Asked for by a person --------------------------------------------------------------------

ASKED_AT = datetime(2026, 4, 1, 15, tzinfo=UTC)


@pytest.fixture
def review(revision):
    tell_in_force(revision)
    return Review.objects.get(due_date=date(2026, 6, 2))


def remind(review, by, at=ASKED_AT):
    return workflow.remind_now(review=review, acting_user=by, at=at)


@pytest.mark.parametrize(
    ("office", "others"),
    [
        ("cro", ["Daniel Osei", "Priya Raman", "Tomas Vega"]),
        ("revops_lead", ["Daniel Osei", "Maya Lindqvist", "Priya Raman"]),
    ],
)
def test_remind_now_mails_the_others(review, executives, office, others):
    assert remind(review, executives[office]) == 3

    assert recipients() == others
    mail = OutgoingMail.objects.filter(name="Priya Raman").get()
    assert f"{executives[office].name}, " in mail.text
    assert "reminds you. The Q2 2026 review" in mail.text
    event = Event.objects.get(event="review.reminded")
    assert event.actor_name == executives[office].name
    assert event.office == office
    assert event.object_id == str(review.pk)
    assert len(event.data["person_ids"]) == 3


def test_secretary_may_remind_and_reaches_all_participants(review, executives):
    secretary = PersonFactory(name="Sara Blum")
    appoint(
        person=secretary,
        office_key="corporate_secretary",
        starts_on=date(2026, 1, 1),
        acting_user=None,
        at=IN_FORCE_AT,
    )

    assert remind(review, secretary) == 4


@pytest.mark.parametrize("office", ["ceo", "member"])
def test_others_may_not_remind(review, executives, office):
    events = Event.objects.count()
    with pytest.raises(NotYourOffice):
        remind(review, executives[office])

    assert not OutgoingMail.objects.exists()
    assert Event.objects.count() == events


def test_remind_now_mails_each_person_once_a_day(review, executives):
    remind(review, executives["cro"])
    events = Event.objects.count()

    # The COO's request reaches only the CRO: the others were reminded today.
    assert remind(review, executives["coo"], ASKED_AT + timedelta(hours=1)) == 1
    assert recipients() == ["Daniel Osei", "Maya Lindqvist", "Priya Raman", "Tomas Vega"]
    with pytest.raises(NobodyToRemind, match="already reminded"):
        remind(review, executives["cro"], ASKED_AT + timedelta(hours=2))
    assert OutgoingMail.objects.count() == 4
    assert Event.objects.count() == events + 1
    assert remind(review, executives["cro"], ASKED_AT + timedelta(days=1)) == 3


def test_replaced_review_cannot_be_reminded_of(review, boundary, executives):
    amendment = revision_in_force(boundary, executives, number=2, effective=date(2026, 5, 4))
    tell_in_force(amendment, at=datetime(2026, 5, 4, 14, tzinfo=UTC))

    with pytest.raises(ReviewNotOpen, match="Replaced when NC-RB-2"):
        remind(review, executives["cro"], datetime(2026, 5, 5, 14, tzinfo=UTC))
    assert not OutgoingMail.objects.exists()


def test_alone_there_is_nobody_to_remind(review, executives):
    Appointment.objects.exclude(office__key="cro").update(ends_on=date(2026, 3, 10))

    with pytest.raises(NobodyToRemind, match="vacant"):
        remind(review, executives["cro"])


def test_clock_still_reminds_whoever_was_asked_the_same_day(review, executives):
    morning = at_new_york(2026, 5, 19)
    remind(review, executives["cro"], morning)

    assert workflow.remind_due(at=morning) == 4
