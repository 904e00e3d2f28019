"""Disputes: opening, sealed pages, clocks, withdrawing. Who may what, in which phase."""

import itertools
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
from django.db import IntegrityError, transaction

from audit.models import Event, PersonalText
from boundaries import disputes, rulings, workflow
from boundaries.dispute_errors import (
    AlreadyDisputed,
    DeciderIsNamed,
    DisputeEnded,
    NoDispute,
    NotAPartyToIt,
    NotSettled,
    OwnCause,
    PageIsFinal,
    PagesAreClosed,
    PagesStaySealed,
)
from boundaries.errors import InvalidText, NotReadyToFreeze, ReasonMissing, RowIsSettled
from boundaries.models import Dispute, DisputePage, DisputeSettlement, Ruling
from boundaries.states import State
from functions_catalog.models import Function
from notifications.models import Notice, OutgoingMail
from people.errors import NotYourOffice, Refused
from people.models import Company
from tests.boundaries import factories
from tests.boundaries.disputing import (
    PAGES,
    PAGES_DUE,
    QUESTION,
    RATIONALE,
    TERMS,
    contested,
    escalated,
    filed,
    fresh,
    in_force_disputed,
    ruled,
)
from tests.boundaries.factories import NOW, row_of
from tests.people.factories import PersonFactory

pytestmark = pytest.mark.django_db

PARTIES = ("cro", "coo", "cfo")
OTHERS = ("ceo", "revops_lead", "corporate_secretary", "auditor", "administrator", "member")


def events():
    return list(Event.objects.order_by("sequence").values_list("event", flat=True))


def mails(kind):
    found = OutgoingMail.objects.filter(kind=kind).order_by("person__name")
    return list(found.values_list("person__name", flat=True))


def everything():
    """All that a refused verb could have changed."""
    return (
        Event.objects.count(),
        OutgoingMail.objects.count(),
        Notice.objects.count(),
        list(Dispute.objects.order_by("pk").values()),
        list(DisputePage.objects.order_by("pk").values()),
        list(DisputeSettlement.objects.order_by("pk").values()),
        list(Ruling.objects.order_by("pk").values()),
    )


def refused(error, call):
    """``call`` is refused with ``error``, with a sentence, and leaves everything as it was."""
    before = everything()
    with pytest.raises(error) as caught:
        call()
    assert everything() == before
    assert len(str(caught.value)) > 20
    return str(caught.value)


# --- Opening ----------------------------------------------------------------------------------


def test_a_party_escalates_a_contested_row(draft, people):
    dispute = escalated(draft, people)

    assert (dispute.in_force, dispute.parties) == (False, list(PARTIES))
    assert (dispute.opened_by_name, dispute.opened_by_office) == (people["coo"].name, "COO")
    assert dispute.pages_due_at == PAGES_DUE
    assert dispute.pages_opened_at is None and dispute.ruling_due_at is None
    assert events()[-1] == "dispute.opened"
    assert mails("dispute-page-asked") == sorted(people[key].name for key in PARTIES)
    told = Notice.objects.filter(kind="dispute").values_list("person__name", flat=True)
    assert set(told) == {people["ceo"].name, people["revops_lead"].name}
    assert "24 Nov 2026, 17:00 EST" in OutgoingMail.objects.first().text


def test_only_a_party_escalates(draft, people):
    row = contested(draft, people)
    for who in OTHERS:
        refused(
            NotYourOffice,
            partial(disputes.escalate, row=row, question=QUESTION, acting_user=people[who], at=NOW),
        )


def test_an_uncontested_row_is_not_escalated(draft, people):
    row = row_of(draft)
    refused(
        NoDispute,
        lambda: disputes.escalate(row=row, question=QUESTION, acting_user=people["cro"], at=NOW),
    )


@pytest.mark.parametrize(("question", "error"), [("  ", ReasonMissing), ("Who " * 60, InvalidText)])
def test_the_question_is_one_short_sentence(draft, people, question, error):
    row = contested(draft, people)
    refused(
        error,
        lambda: disputes.escalate(row=row, question=question, acting_user=people["cro"], at=NOW),
    )


def test_one_dispute_about_a_function_at_a_time(draft, people):
    dispute = escalated(draft, people)
    row = row_of(draft)
    words = refused(
        AlreadyDisputed,
        lambda: disputes.escalate(row=row, question=QUESTION, acting_user=people["cro"], at=NOW),
    )
    assert f"Dispute {dispute.pk}" in words


def test_no_dispute_opens_on_a_frozen_revision(frozen, people):
    row = row_of(frozen.revision)
    refused(
        NoDispute,
        lambda: disputes.escalate(row=row, question=QUESTION, acting_user=people["cro"], at=NOW),
    )
    refused(
        NoDispute,
        lambda: disputes.escalate_in_force(
            row=row, question=QUESTION, reason="Slow.", acting_user=people["cro"], at=NOW
        ),
    )


def test_a_ruled_row_is_not_escalated_again(draft, people):
    ruled(escalated(draft, people), people)
    row = row_of(draft)
    refused(
        RowIsSettled,
        lambda: disputes.escalate(row=row, question=QUESTION, acting_user=people["cro"], at=NOW),
    )


def test_an_open_dispute_of_the_draft_blocks_freezing(draft, people):
    escalated(draft, people)
    row = row_of(draft)
    from boundaries import agreeing

    agreeing.agree(clause=row, expected_version=row.version, acting_user=people["coo"], at=NOW)
    factories.all_agree(draft, people)
    with pytest.raises(NotReadyToFreeze) as caught:
        workflow.freeze(revision=draft, acting_user=people["cro"], at=NOW)
    assert [one.code for one in caught.value.blockers] == ["in_dispute"]


def test_a_dispute_about_what_is_in_force_blocks_no_draft(people, functions):
    revision = factories.in_state(State.IN_FORCE, people)
    amendment = workflow.amend(revision=revision, acting_user=people["cro"], at=NOW)
    dispute = in_force_disputed(revision, people)
    assert dispute.in_force
    factories.all_agree(amendment, people)
    workflow.freeze(revision=amendment, acting_user=people["cro"], at=NOW)
    # And one may be opened while a draft is frozen.
    in_force_disputed(revision, people, key="vendor_management")


def test_what_is_in_force_is_disputed_with_a_reason(people, functions):
    revision = factories.in_state(State.IN_FORCE, people)
    refused(
        ReasonMissing,
        lambda: disputes.escalate_in_force(
            row=row_of(revision), question=QUESTION, reason=" ", acting_user=people["cro"], at=NOW
        ),
    )


# --- Who decides until the ruling -------------------------------------------------------------


def test_the_owner_in_force_decides_until_the_ruling(people, functions):
    revision = factories.in_state(State.IN_FORCE, people)
    dispute = in_force_disputed(revision, people)
    assert (dispute.interim_decider, dispute.interim_because) == ("cro", "in_force")
    split = in_force_disputed(revision, people, key="master_data_management")
    assert (split.interim_decider, split.interim_because) == ("hybrid", "in_force")


def test_else_the_natural_owner_decides(draft, people):
    dispute = escalated(draft, people)
    assert (dispute.interim_decider, dispute.interim_because) == ("cro", "natural")


def test_else_the_ceo_names_an_office(draft, people):
    Function.objects.filter(key="deal_desk").update(natural_owner="hybrid")
    dispute = escalated(draft, people)
    assert dispute.interim_decider == ""
    assert mails("dispute-decider-asked") == [people["ceo"].name]
    for who in (*PARTIES, "revops_lead", "corporate_secretary", "member"):
        refused(
            NotYourOffice,
            lambda who=who: disputes.name_interim_decider(
                dispute=dispute, office="cfo", acting_user=people[who], at=NOW
            ),
        )
    refused(
        InvalidText,
        lambda: disputes.name_interim_decider(
            dispute=dispute, office="ceo", acting_user=people["ceo"], at=NOW
        ),
    )
    disputes.name_interim_decider(dispute=dispute, office="cfo", acting_user=people["ceo"], at=NOW)
    assert (fresh(dispute).interim_decider, fresh(dispute).interim_because) == ("cfo", "named")
    assert events()[-1] == "dispute.interim_decider_named"


def test_the_ceo_names_nobody_beside_an_owner(draft, people):
    dispute = escalated(draft, people)
    refused(
        DeciderIsNamed,
        lambda: disputes.name_interim_decider(
            dispute=dispute, office="cfo", acting_user=people["ceo"], at=NOW
        ),
    )


# --- Pages ------------------------------------------------------------------------------------


def save(dispute, people, office, text="A first thought.", at=NOW):
    return disputes.save_page(
        dispute=dispute, office=office, text=text, acting_user=people[office], at=at
    )


def test_a_page_is_saved_as_often_as_wanted_and_leaves_no_event(draft, people):
    dispute = escalated(draft, people)
    before = Event.objects.count(), OutgoingMail.objects.count()
    save(dispute, people, "cfo")
    save(dispute, people, "cfo", "A second thought.")
    page = DisputePage.objects.get()
    assert (page.office, page.text, page.filed_at) == ("cfo", "A second thought.", None)
    assert (Event.objects.count(), OutgoingMail.objects.count()) == before


def test_a_filed_page_is_final(draft, people):
    dispute = escalated(draft, people)
    filed(dispute, people, "cfo")
    for verb in (disputes.save_page, disputes.file_page):
        refused(
            PageIsFinal,
            lambda verb=verb: verb(
                dispute=dispute, office="cfo", text="No.", acting_user=people["cfo"], at=NOW
            ),
        )
    refused(
        PageIsFinal,
        lambda: disputes.waive_page(
            dispute=dispute, office="cfo", acting_user=people["cfo"], at=NOW
        ),
    )


def test_the_database_keeps_a_filed_page_as_it_is(draft, people):
    dispute = escalated(draft, people)
    filed(dispute, people, "cfo")
    with pytest.raises(IntegrityError), transaction.atomic():
        DisputePage.objects.update(text="Something else.")
    with pytest.raises(IntegrityError), transaction.atomic():
        DisputePage.objects.all().delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        Dispute.objects.update(pages_due_at=NOW)


def test_a_page_has_one_to_three_thousand_characters(draft, people):
    dispute = escalated(draft, people)
    by_cfo = {"dispute": dispute, "office": "cfo", "acting_user": people["cfo"], "at": NOW}
    for text in ("", "   \n", "x" * 3001):
        refused(Refused, partial(disputes.file_page, text=text, **by_cfo))


def test_three_thousand_characters_fit_however_lines_end(draft, people):
    dispute = escalated(draft, people)
    text = "a\r\n" * 1499 + "bb"
    page = disputes.file_page(
        dispute=dispute, office="cfo", text=text, acting_user=people["cfo"], at=NOW
    )
    assert len(page.text) == 3000


def test_nobody_writes_for_another_office(draft, people):
    dispute = escalated(draft, people)
    for who in ("cro", "coo", *OTHERS):
        refused(
            NotYourOffice,
            lambda who=who: disputes.file_page(
                dispute=dispute, office="cfo", text="Mine.", acting_user=people[who], at=NOW
            ),
        )


def test_who_acts_for_an_office_files_its_page_and_the_holder_does_not(draft, people):
    dispute = escalated(draft, people)
    stand_in = PersonFactory(name="Sam Ortiz")
    factories.acting(stand_in, "cfo")
    refused(
        NotYourOffice,
        lambda: disputes.file_page(
            dispute=dispute, office="cfo", text="Mine.", acting_user=people["cfo"], at=NOW
        ),
    )
    page = disputes.file_page(
        dispute=dispute, office="cfo", text="Mine.", acting_user=stand_in, at=NOW
    )
    assert page.person_office == "Acting CFO"


def test_an_office_that_is_no_party_files_nothing(draft, people):
    dispute = escalated(draft, people)
    from people.models import Office

    Office.objects.create(
        key="cmo", title="Chief Marketing Officer", short="CMO", co_signing=True, position=9
    )
    marketing = PersonFactory(name="Ada Boyle")
    factories.appointed(marketing, "cmo")
    refused(
        NotAPartyToIt,
        lambda: disputes.file_page(
            dispute=dispute, office="cmo", text="Me too.", acting_user=marketing, at=NOW
        ),
    )


def test_the_last_page_opens_all_of_them_at_once(draft, people):
    dispute = escalated(draft, people)
    filed(dispute, people, "cro", "coo")
    assert fresh(dispute).pages_opened_at is None
    later = NOW + timedelta(hours=2)
    filed(dispute, people, "cfo", at=later)

    dispute = fresh(dispute)
    assert dispute.pages_opened_at == later
    # Friday; Thursday is Thanksgiving: five business days end on Monday, 30 November.
    assert dispute.ruling_due_at == datetime(2026, 11, 30, 22, tzinfo=UTC)
    assert events()[-2:] == ["dispute.page_filed", "dispute.pages_opened"]
    assert mails("dispute-ruling-asked") == [people["ceo"].name]


def test_a_waived_page_counts_as_in(draft, people):
    dispute = escalated(draft, people)
    save(dispute, people, "cfo", "What I thought of writing.")
    filed(dispute, people, "cro", "coo")
    disputes.waive_page(dispute=dispute, office="cfo", acting_user=people["cfo"], at=NOW)
    assert fresh(dispute).pages_opened_at == NOW
    assert DisputePage.objects.get(office="cfo").text == ""


def test_the_time_opens_them_however_late_the_clock_comes(draft, people):
    dispute = escalated(draft, people)
    filed(dispute, people, "cro")
    just_before = PAGES_DUE - timedelta(seconds=1)
    refused(PagesStaySealed, lambda: disputes.open_pages(dispute=dispute, at=just_before))
    disputes.open_pages(dispute=dispute, at=PAGES_DUE + timedelta(hours=30))
    dispute = fresh(dispute)
    assert dispute.pages_opened_at == PAGES_DUE
    assert dispute.ruling_due_at == datetime(2026, 12, 2, 22, tzinfo=UTC)
    before = everything()
    disputes.open_pages(dispute=dispute, at=PAGES_DUE + timedelta(hours=31))
    assert everything() == before


def test_a_page_that_comes_late_counts_as_waived(draft, people):
    dispute = escalated(draft, people)
    words = refused(
        PagesAreClosed,
        lambda: disputes.file_page(
            dispute=dispute, office="cfo", text="Late.", acting_user=people["cfo"], at=PAGES_DUE
        ),
    )
    assert "waived" in words
    in_time = PAGES_DUE - timedelta(seconds=1)
    filed(dispute, people, "cfo", at=in_time)


# --- Sealed -----------------------------------------------------------------------------------


def test_no_page_is_anywhere_before_the_pages_open(draft, people):
    dispute = escalated(draft, people)
    filed(dispute, people, "cro", "coo")
    save(dispute, people, "cfo", "A secret thought.")
    written = [PAGES["cro"], PAGES["coo"], "A secret thought."]
    said = [
        *map(str, Event.objects.values_list("data", flat=True)),
        *PersonalText.objects.values_list("text", flat=True),
        *OutgoingMail.objects.values_list("text", flat=True),
        *Notice.objects.values_list("text", flat=True),
    ]
    assert not [text for text, word in itertools.product(said, written) if word in text]


def test_once_open_the_log_commits_to_what_was_filed(draft, people):
    filed(escalated(draft, people), people)
    opened = Event.objects.get(event="dispute.pages_opened")
    text = PersonalText.objects.get(sequence=opened.sequence).text
    assert all(page in text for page in PAGES.values())


def test_only_its_writer_reads_a_page_before(draft, people):
    dispute = escalated(draft, people)
    filed(dispute, people, "cro")
    page = DisputePage.objects.get()
    readers = {
        who
        for who, person in people.items()
        if disputes.may_read(page, person, dispute=fresh(dispute), at=NOW)
    }
    assert readers == {"cro"}
    filed(dispute, people, "coo", "cfo")
    assert all(
        disputes.may_read(page, person, dispute=fresh(dispute), at=NOW)
        for person in people.values()
    )


def test_a_page_saved_and_never_filed_stays_its_writers(draft, people):
    dispute = escalated(draft, people)
    save(dispute, people, "cfo", "A secret thought.")
    disputes.open_pages(dispute=dispute, at=PAGES_DUE)
    page = DisputePage.objects.get()
    assert not disputes.may_read(page, people["ceo"], dispute=fresh(dispute), at=PAGES_DUE)
    assert disputes.may_read(page, people["cfo"], dispute=fresh(dispute), at=PAGES_DUE)


def test_pages_of_a_dispute_that_ended_before_stay_sealed_for_good(draft, people):
    dispute = escalated(draft, people)
    filed(dispute, people, "cro")
    for office in PARTIES:
        disputes.settle(dispute=dispute, acting_user=people[office], at=NOW)
    page = DisputePage.objects.get()
    later = PAGES_DUE + timedelta(days=30)
    assert not disputes.may_read(page, people["ceo"], dispute=fresh(dispute), at=later)


def test_the_successor_does_not_read_what_the_predecessor_saved(draft, people):
    dispute = escalated(draft, people)
    save(dispute, people, "cfo", "A secret thought.")
    successor = PersonFactory(name="Robin Hale")
    factories.handed_over(successor, "cfo")
    page = DisputePage.objects.get()
    assert not disputes.may_read(page, successor, dispute=dispute, at=NOW)
    save(dispute, {"cfo": successor}, "cfo", "My own.")
    page.refresh_from_db()
    assert (page.person, page.text) == (successor, "My own.")


def test_the_models_of_disputes_are_not_in_the_admin():
    from django.contrib import admin

    shown = {model._meta.label_lower for model in admin.site._registry}
    assert not {one for one in shown if "dispute" in one or "ruling" in one}


# --- Withdrawing ------------------------------------------------------------------------------


def test_once_every_party_says_so_the_dispute_is_withdrawn(draft, people):
    dispute = escalated(draft, people)
    disputes.settle(dispute=dispute, acting_user=people["cro"], at=NOW)
    disputes.settle(dispute=dispute, acting_user=people["cro"], at=NOW)
    disputes.settle(dispute=dispute, acting_user=people["coo"], at=NOW)
    assert fresh(dispute).is_open
    disputes.settle(dispute=dispute, acting_user=people["cfo"], at=NOW)

    dispute = fresh(dispute)
    assert (dispute.outcome, dispute.ended_at) == (Dispute.Outcome.WITHDRAWN, NOW)
    assert events()[-3:] == ["dispute.settled", "dispute.settled", "dispute.withdrawn"]
    assert set(mails("dispute-withdrawn")) == {
        people[key].name for key in ("cro", "coo", "ceo", "revops_lead")
    }
    # The row is negotiated on, and may be escalated anew.
    disputes.escalate(row=row_of(draft), question=QUESTION, acting_user=people["cro"], at=NOW)


def test_a_party_takes_its_word_back(draft, people):
    dispute = escalated(draft, people)
    refused(
        NotSettled,
        lambda: disputes.take_back_settlement(dispute=dispute, acting_user=people["cro"], at=NOW),
    )
    disputes.settle(dispute=dispute, acting_user=people["cro"], at=NOW)
    disputes.take_back_settlement(dispute=dispute, acting_user=people["cro"], at=NOW)
    disputes.settle(dispute=dispute, acting_user=people["coo"], at=NOW)
    disputes.settle(dispute=dispute, acting_user=people["cfo"], at=NOW)
    assert fresh(dispute).is_open
    disputes.settle(dispute=dispute, acting_user=people["cro"], at=NOW)
    assert not fresh(dispute).is_open


def test_only_parties_settle(draft, people):
    dispute = escalated(draft, people)
    for who in OTHERS:
        refused(
            NotYourOffice,
            partial(disputes.settle, dispute=dispute, acting_user=people[who], at=NOW),
        )


def test_a_dispute_lapses_with_its_draft(draft, people):
    dispute = escalated(draft, people)
    workflow.withdraw(revision=draft, reason="No need.", acting_user=people["cro"], at=NOW)
    assert fresh(dispute).outcome == Dispute.Outcome.LAPSED
    assert "dispute.lapsed" in events()
    assert people["ceo"].name in mails("dispute-lapsed")


def test_nothing_is_done_in_a_dispute_that_is_over(draft, people):
    dispute = escalated(draft, people)
    ruled(dispute, people)
    calls = [
        lambda: disputes.settle(dispute=dispute, acting_user=people["cro"], at=NOW),
        lambda: disputes.take_back_settlement(dispute=dispute, acting_user=people["cro"], at=NOW),
        lambda: disputes.waive_page(
            dispute=dispute, office="cro", acting_user=people["cro"], at=NOW
        ),
        lambda: disputes.name_interim_decider(
            dispute=dispute, office="cro", acting_user=people["ceo"], at=NOW
        ),
        lambda: disputes.open_pages(dispute=dispute, at=NOW),
        lambda: rulings.rule(
            dispute=dispute, terms=TERMS, rationale=RATIONALE, acting_user=people["ceo"], at=NOW
        ),
    ]
    for call in calls:
        refused(DisputeEnded, call)


# --- Clocks -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("opened", "pages_due"),
    [
        # Wednesday before Thanksgiving, 16:59 in New York: Friday and Monday are the two days.
        (datetime(2026, 11, 25, 21, 59, tzinfo=UTC), datetime(2026, 11, 30, 22, tzinfo=UTC)),
        # 22:00 on Friday in New York is Saturday in UTC: the company's date counts.
        (datetime(2026, 11, 21, 3, tzinfo=UTC), datetime(2026, 11, 24, 22, tzinfo=UTC)),
        # A weekend: Monday is the first day.
        (datetime(2026, 11, 21, 15, tzinfo=UTC), datetime(2026, 11, 24, 22, tzinfo=UTC)),
        # Over the change to summer time on 14 March 2027: 17:00 stays 17:00.
        (datetime(2027, 3, 12, 15, tzinfo=UTC), datetime(2027, 3, 16, 21, tzinfo=UTC)),
    ],
)
def test_pages_are_due_at_five_on_the_second_business_day(draft, people, opened, pages_due):
    assert escalated(draft, people, at=opened).pages_due_at == pages_due


def test_the_companys_country_says_what_a_holiday_is(draft, people):
    Company.objects.update(country="AT", subdivision="")
    wednesday = datetime(2026, 11, 25, 15, tzinfo=UTC)
    dispute = escalated(draft, people, at=wednesday)
    assert dispute.pages_due_at == datetime(2026, 11, 27, 22, tzinfo=UTC)


def remind_at(*moments):
    from boundaries import dispute_mails

    for at in moments:
        dispute_mails.remind(at=at)


def morning(day):
    return datetime(day.year, day.month, day.day, 14, tzinfo=UTC)  # 9:00 in New York


def test_parties_that_owe_a_page_are_reminded_on_its_day(draft, people):
    dispute = escalated(draft, people)
    filed(dispute, people, "cro")
    remind_at(morning(date(2026, 11, 23)))
    assert mails("dispute-page-reminder") == []
    night = datetime(2026, 11, 24, 9, tzinfo=UTC)
    remind_at(night)
    assert mails("dispute-page-reminder") == []
    remind_at(morning(date(2026, 11, 24)), morning(date(2026, 11, 24)) + timedelta(hours=1))
    assert mails("dispute-page-reminder") == sorted(people[key].name for key in ("coo", "cfo"))


def test_a_successor_is_asked_for_the_page_that_is_owed(draft, people):
    escalated(draft, people)
    successor = PersonFactory(name="Robin Hale")
    factories.handed_over(successor, "cfo", on=date(2026, 11, 23))
    remind_at(morning(date(2026, 11, 23)), morning(date(2026, 11, 24)))
    assert "Robin Hale" in mails("dispute-page-asked")


def test_the_ceo_is_chased_on_the_day_and_after_two_five_and_ten(draft, people):
    dispute = escalated(draft, people)
    filed(dispute, people)  # opened on Friday 20: due on Monday 30 November
    day, told = date(2026, 11, 23), {}
    while day < date(2027, 1, 10):
        before = len(mails("dispute-ruling-reminder"))
        remind_at(morning(day), morning(day) + timedelta(hours=3))
        if len(mails("dispute-ruling-reminder")) > before:
            told[day] = len(mails("dispute-ruling-reminder")) - before
        day += timedelta(days=1)
    assert told == {
        date(2026, 11, 30): 1,
        date(2026, 12, 2): 1,
        date(2026, 12, 7): 1,
        date(2026, 12, 14): 1,
    }
    assert set(mails("dispute-ruling-reminder")) == {people["ceo"].name}


def test_reminders_end_with_the_ruling(draft, people):
    ruled(escalated(draft, people), people)
    remind_at(morning(date(2026, 12, 2)))
    assert mails("dispute-ruling-reminder") == []


# --- What the database keeps ------------------------------------------------------------------


def test_the_database_holds_one_open_dispute_per_row(draft, people):
    dispute = escalated(draft, people)
    dispute.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        dispute.save(force_insert=True)


def test_the_database_holds_one_page_and_one_word_per_party(draft, people):
    dispute = escalated(draft, people)
    page = save(dispute, people, "cro")
    page.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        page.save(force_insert=True)
    disputes.settle(dispute=dispute, acting_user=people["cro"], at=NOW)
    word = DisputeSettlement.objects.get()
    word.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        word.save(force_insert=True)


# --- Who rules --------------------------------------------------------------------------------


def rule(dispute, person, *, terms=TERMS, rationale=RATIONALE, at=NOW):
    return rulings.rule(
        dispute=dispute, terms=terms, rationale=rationale, acting_user=person, at=at
    )


def test_only_the_ceo_rules(draft, people):
    dispute = filed(escalated(draft, people), people)
    for who in (*PARTIES, *OTHERS[1:]):
        refused(NotYourOffice, partial(rule, dispute, people[who]))


def test_nobody_rules_before_the_pages_are_open(draft, people):
    dispute = escalated(draft, people)
    filed(dispute, people, "cro", "coo")
    refused(PagesStaySealed, lambda: rule(dispute, people["ceo"]))
    # The time is up, and the clock has not come by yet.
    rule(dispute, people["ceo"], at=PAGES_DUE)
    assert fresh(dispute).pages_opened_at == PAGES_DUE


def test_who_wrote_a_page_does_not_rule_on_it(draft, people):
    dispute = filed(escalated(draft, people), people)
    factories.handed_over(people["cfo"], "ceo")
    factories.handed_over(PersonFactory(name="Robin Hale"), "cfo")
    refused(OwnCause, lambda: rule(dispute, people["cfo"]))
