"""Disposal: who may, when, what goes, what stays, and what the database itself refuses."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from audit.models import Event
from audit.verify import verify_log
from boundaries import pdf
from boundaries.archive import disposal, due, holds
from boundaries.archive.errors import (
    AlreadyAnswered,
    NothingToDo,
    StillKept,
    TakesAnotherPerson,
    UnderHold,
)
from boundaries.content import content_of, version_content
from boundaries.errors import FileDisposed, ReasonMissing
from boundaries.files import files
from boundaries.models import Answer, Freeze, Signature, StoredFile
from functions_catalog.models import Function
from functions_catalog.ownership import answer_on
from notifications.models import OutgoingMail
from people.errors import NotYourOffice
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
from tests.people.factories import CompanyFactory


@pytest.fixture(scope="module")
def db(django_db_setup, django_db_blocker):
    """Instead of pytest-django's: one transaction for the whole module, rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def world(db):
    """Northwind with a Revision superseded in 2018: made once, because it takes two signings."""
    with pytest.MonkeyPatch.context() as patch:
        CompanyFactory()
        people = archived.everybody(patch)
    factories.small_catalog()
    return people, archived.superseded(people)


@pytest.fixture(autouse=True)
def undone(world):
    """Each test leaves the world as it was."""
    savepoint = transaction.savepoint()
    yield
    transaction.savepoint_rollback(savepoint)


@pytest.fixture
def people(world):
    return {office: Person.objects.get(pk=one.pk) for office, one in world[0].items()}


@pytest.fixture
def old(world):
    """Version 1, superseded in 2018."""
    return factories.fresh(world[1])


@pytest.fixture
def now():
    return timezone.now()


def test_disposal_empties_the_files_and_keeps_all_else(people, old, now):
    freeze = old.freezes.get()
    names = disposal.file_names([old.pk])[old.pk]
    before = {
        "content": bytes(freeze.content),
        "signatures": list(Signature.objects.filter(revision=old).order_by("pk").values()),
        "text": version_content(old),
        "sizes": dict(StoredFile.objects.filter(pk__in=names).values_list("pk", "size")),
    }
    assert len(names) == 2
    one = archived.disposed(old, people, at=now)

    assert whole(old) == 0
    for name in names:
        with pytest.raises(FileDisposed, match="disposed of on"):
            files.get(name)
    stored = StoredFile.objects.filter(pk__in=names)
    assert dict(stored.values_list("pk", "size")) == before["sizes"]
    assert {file.disposal_id for file in stored} == {one.pk}
    freeze.refresh_from_db()
    assert bytes(freeze.content) == before["content"]
    assert freeze.sealed_sha256 in names
    assert (
        list(Signature.objects.filter(revision=old).order_by("pk").values())
        == (before["signatures"])
    )
    assert version_content(factories.fresh(old)) == before["text"] == content_of(freeze)
    # Whoever asks as of that day is answered as ever.
    deal_desk = Function.objects.get(key="deal_desk")
    answer = answer_on(deal_desk, LONG_AGO.date())
    assert (answer.owner, answer.revision_number) == ("cro", 1)
    assert verify_log().sound


def test_disposal_is_told_in_the_log_and_by_mail(people, old, now):
    names = disposal.file_names([old.pk])[old.pk]
    one = archived.disposed(old, people, at=now)
    told = Event.objects.filter(at=now).order_by("sequence")
    assert [event.event for event in told] == ["disposal.proposed", "revision.files_disposed"]
    event = told.last()
    assert (event.actor_name, event.office) == ("Helen Marsh", "ceo")
    assert event.object_version == "NC-RB-1"
    assert event.data == {
        "disposal": one.pk,
        "proposed_by": "Iris Novak",
        "files": sorted(names),
        "bytes": one.size,
    }
    assert WHY not in str(event.data)
    mails = OutgoingMail.objects.filter(kind__startswith="disposal")
    assert sorted(mails.values_list("kind", "person__name")) == [
        ("disposal-answered", "Iris Novak"),
        ("disposal-asked", "Helen Marsh"),
    ]
    assert (one.answer, one.answered_by_name) == (Answer.CONFIRMED, "Helen Marsh")


def refused_and_nothing_changed(revision, refusal, act, *, match=None):
    before = archived.state_of_things(revision)
    with pytest.raises(refusal, match=match), transaction.atomic():
        act()
    assert archived.state_of_things(revision) == before


def test_nothing_goes_before_the_retention_has_ended(people, old):
    early = LONG_AGO.replace(year=2025)
    refused_and_nothing_changed(
        old, StillKept, lambda: archived.proposed(old, people, at=early), match="21 Nov 2025"
    )
    archived.proposed(old, people, at=early + timedelta(days=1))


def test_what_rules_or_is_on_its_way_is_kept(people, old, now):
    ruling = old.document.revisions.get(number=2)
    refused_and_nothing_changed(
        ruling, StillKept, lambda: archived.proposed(ruling, people, at=now), match="is in force"
    )


@pytest.mark.parametrize("everything", [True, False])
def test_nothing_goes_under_a_hold(people, old, now, everything):
    one = archived.proposed(old, people, at=now)
    hold = holds.place(
        document=None if everything else old.document,
        matter="Case 26-114",
        reason="A claim may come.",
        acting_user=people["ceo"],
        at=now,
    )
    refused_and_nothing_changed(
        old,
        UnderHold,
        lambda: disposal.confirm(disposal=one, acting_user=people["ceo"], at=now),
        match=f"Legal hold {hold.pk} on {'everything' if everything else 'NC-RB'} stands",
    )
    holds.lift(hold=hold, reason="Settled.", acting_user=people["corporate_secretary"], at=now)
    disposal.confirm(disposal=one, acting_user=people["ceo"], at=now)
    assert whole(old) == 0


def test_hold_on_another_document_holds_nothing_here(people, old, now):
    other = factories.draft(
        people, number="NC-PART", functions=[factories.another_function()], at=now
    )
    holds.place(
        document=other.document,
        matter="Case 26-114",
        reason="A claim may come.",
        acting_user=people["ceo"],
        at=now,
    )
    archived.disposed(old, people, at=now)
    assert whole(old) == 0


def test_two_human_beings_are_needed(people, old, now):
    one = archived.proposed(old, people, at=now)
    Person.objects.filter(pk=people["ceo"].pk).update(same_person_as=people["corporate_secretary"])
    linked = Person.objects.get(pk=people["ceo"].pk)
    refused_and_nothing_changed(
        old,
        TakesAnotherPerson,
        lambda: disposal.confirm(disposal=one, acting_user=linked, at=now),
    )


@pytest.mark.parametrize(
    "office",
    [
        *("cro", "coo", "cfo", "revops_lead", "corporate_secretary", "auditor"),
        *("administrator", "member"),
    ],
)
def test_only_the_ceo_confirms(people, old, now, office):
    one = archived.proposed(old, people, at=now)
    refused_and_nothing_changed(
        old,
        NotYourOffice,
        lambda: disposal.confirm(disposal=one, acting_user=people[office], at=now),
    )


def test_reason_and_word_are_needed(people, old, now):
    refused_and_nothing_changed(
        old,
        ReasonMissing,
        lambda: disposal.propose(
            revision=old, reason=" ", acting_user=people["corporate_secretary"], at=now
        ),
    )
    one = archived.proposed(old, people, at=now)
    refused_and_nothing_changed(
        old,
        ReasonMissing,
        lambda: disposal.refuse(disposal=one, word="", acting_user=people["ceo"], at=now),
    )


def test_refused_or_taken_back_disposal_leaves_the_files_and_may_be_proposed_again(
    people, old, now
):
    disposal.refuse(
        disposal=archived.proposed(old, people, at=now),
        word="Ask counsel first.",
        acting_user=people["ceo"],
        at=now,
    )
    one = archived.proposed(old, people, at=now)
    with pytest.raises(AlreadyAnswered):
        archived.proposed(old, people, at=now)
    disposal.take_back(disposal=one, acting_user=people["corporate_secretary"], at=now)
    with pytest.raises(AlreadyAnswered, match="taken back already"):
        disposal.confirm(disposal=one, acting_user=people["ceo"], at=now)
    assert whole(old) == 2
    archived.disposed(old, people, at=now)
    with pytest.raises(NothingToDo, match="disposed of already"):
        archived.proposed(old, people, at=now)


def test_file_that_is_still_owed_keeps_all(people, old, now, monkeypatch):
    monkeypatch.setattr(pdf, "owed", lambda: [old.freezes.get().pk])
    refused_and_nothing_changed(
        old, StillKept, lambda: archived.proposed(old, people, at=now), match="still being made"
    )


# --- What the database refuses ----------------------------------------------------------------


def test_database_empties_a_file_only_when_all_is_as_it_should_be(people, old, now):
    """One condition after another, the last of which lets it through."""
    name, one = one_of(old), archived.proposed(old, people, at=now)
    assert refused(emptying(name, one))  # not confirmed
    confirmed_by_sql(one, people["ceo"], now)
    assert refused(emptying(name, one))  # the log does not tell of it
    logged(old, people, now)
    hold = holds.place(
        document=None,
        matter="Case 26-114",
        reason="A claim may come.",
        acting_user=people["ceo"],
        at=now,
    )
    assert refused(emptying(name, one))  # under a hold
    holds.lift(hold=hold, reason="Settled.", acting_user=people["ceo"], at=now)
    archived.lengthened(30, people, at=now)
    assert refused(emptying(name, one))  # promised for longer meanwhile
    assert whole(old) == 2


def test_database_lets_a_confirmed_disposal_through(people, old, now):
    name, one = one_of(old), archived.proposed(old, people, at=now)
    confirmed_by_sql(one, people["ceo"], now)
    logged(old, people, now)
    assert not refused(emptying(name, one))
    assert whole(old) == 1


def test_database_keeps_what_rules(people, old, now):
    """A disposal that names another Revision empties no file of this one."""
    ruling = archived.sealed(old.document.revisions.get(number=2))
    one = archived.proposed(old, people, at=now)
    confirmed_by_sql(one, people["ceo"], now)
    logged(old, people, now)
    logged(ruling, people, now)
    assert refused(emptying(one_of(ruling), one))
    # Nor does pointing the old Revision's freeze at it.
    Freeze.objects.filter(revision=old).update(pdf_sha256=one_of(ruling))
    assert refused(emptying(one_of(ruling), one))
    assert whole(ruling) == 2


@pytest.mark.parametrize(
    "change",
    [
        "content = {other}, disposal_id = {disposal}",
        "content = {empty}",
        "content = {empty}, disposal_id = NULL",
        "content = {empty}, disposal_id = {disposal}, size = 0",
        "content = {empty}, disposal_id = {disposal}, stored_at = '2001-01-01'",
        "content = {empty}, disposal_id = {disposal}, sha256 = 'ab'",
    ],
)
def test_database_lets_nothing_else_of_a_file_change(people, old, now, change):
    name, one = one_of(old), archived.proposed(old, people, at=now)
    confirmed_by_sql(one, people["ceo"], now)
    logged(old, people, now)
    other = {"sqlite": "x'00'", "postgresql": "'0'::bytea"}[connection.vendor]
    words = change.format(
        other=other,
        empty={"sqlite": "x''", "postgresql": "''::bytea"}[connection.vendor],
        disposal=one.pk,
    )
    assert refused(f"UPDATE boundaries_storedfile SET {words} WHERE sha256 = '{name}'")
    assert refused(f"DELETE FROM boundaries_storedfile WHERE sha256 = '{name}'")
    assert whole(old) == 2


def test_database_fills_no_emptied_file_again(people, old, now):
    one = archived.disposed(old, people, at=now)
    name = one_of(old)
    other = {"sqlite": "x'00'", "postgresql": "'0'::bytea"}[connection.vendor]
    assert refused(f"UPDATE boundaries_storedfile SET content = {other} WHERE sha256 = '{name}'")
    assert refused(emptying(name, one))
    assert refused(f"UPDATE boundaries_storedfile SET disposal_id = NULL WHERE sha256 = '{name}'")


def test_database_keeps_disposals_and_ends_as_they_are(people, old, now):
    one = archived.disposed(old, people, at=now)
    for statement in (
        "DELETE FROM boundaries_disposal",
        "UPDATE boundaries_disposal SET answered_by_name = 'Nobody'",
        "UPDATE boundaries_disposal SET word = 'Later'",
        "UPDATE boundaries_disposal SET files = 0",
        f"UPDATE boundaries_disposal SET answer = '' WHERE id = {one.pk}",
        f"UPDATE boundaries_revision SET state = 'draft' WHERE id = {old.pk}",
        f"UPDATE boundaries_revision SET state_since = '2001-01-01' WHERE id = {old.pk}",
    ):
        assert refused(statement), statement


def test_nobody_confirms_their_own_by_sql(people, old, now):
    one = archived.proposed(old, people, at=now)
    with pytest.raises(IntegrityError), transaction.atomic():
        confirmed_by_sql(one, people["corporate_secretary"], now)


# --- What becomes due -------------------------------------------------------------------------


def due_mails():
    return sorted(
        OutgoingMail.objects.filter(kind="archive-due").values_list("subject", "person__name")
    )


def test_secretary_is_told_once_for_each_step(people, old):
    until = archived.UNTIL
    assert due.remind(at=until - timedelta(days=91)) == 0
    for at in (until - timedelta(days=90), until - timedelta(days=89)):
        due.remind(at=at)
    assert due_mails() == [("The record of NC-RB-1 is kept until 21 Nov 2025", "Iris Novak")]
    for at in (until, until + timedelta(days=1)):
        due.remind(at=at)
    assert due_mails() == [
        ("The record of NC-RB-1 is kept until 21 Nov 2025", "Iris Novak"),
        ("The record of NC-RB-1 may be disposed of", "Iris Novak"),
    ]
    assert whole(old) == 2  # nothing is ever disposed of by itself


def test_nothing_is_told_of_what_is_held_proposed_or_gone(people, old, now):
    hold = holds.place(
        document=old.document,
        matter="Case 26-114",
        reason="A claim may come.",
        acting_user=people["ceo"],
        at=now,
    )
    assert due.remind(at=now) == 0
    holds.lift(hold=hold, reason="Settled.", acting_user=people["ceo"], at=now)
    one = archived.proposed(old, people, at=now)
    assert due.remind(at=now) == 0
    disposal.confirm(disposal=one, acting_user=people["ceo"], at=now)
    assert due.remind(at=now) == 0
    assert due_mails() == []
