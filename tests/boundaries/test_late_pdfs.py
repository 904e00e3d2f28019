"""PDFs that are overdue or refused: who hears of it, once, and how they are made after all."""

import logging
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit.models import Event
from boundaries import late, pdf, tasks, workflow
from boundaries.files import files
from boundaries.models import Freeze, StoredFile
from notifications.models import OutgoingMail
from revops_registry import health
from sealing.errors import TimestampUnavailable
from tests.boundaries import stages
from tests.boundaries.factories import everybody as everybody_of_northwind
from tests.boundaries.fake_sealing import ALL_FIELDS, FakeSealing, lines_of

pytestmark = pytest.mark.django_db
ALARMS = ("pdf-late", "pdf-quarantined", "pdf-made-good")


@pytest.fixture
def people(company):
    return everybody_of_northwind()


@pytest.fixture
def sealing(monkeypatch):
    return FakeSealing().install(monkeypatch)


@pytest.fixture
def approved(people, sealing):
    """Approved at stages.NOW, the copy made, no signature applied."""
    revision = stages.ready_to_freeze(people)
    freeze = workflow.freeze(revision=revision, acting_user=people["cro"], at=stages.NOW)
    pdf.advance(freeze.pk)
    revision = stages.signed_by(freeze.revision, people, *stages.PARTIES)
    stages.to_approve(revision, people["ceo"]).finish()
    return Freeze.objects.get(pk=freeze.pk)


def fail(error):
    def failing():
        raise error

    return failing


def approved_at(freeze):
    return freeze.signatures.get(role="approver").signed_at


def mails():
    found = OutgoingMail.objects.filter(kind__in=ALARMS).order_by("pk")
    return [(mail.kind, mail.person.email.split("@")[0]) for mail in found]


def told(people, *kinds):
    return [
        (kind, people[office].email.split("@")[0])
        for kind in kinds
        for office in ("corporate_secretary", "administrator")
    ]


def tried(freeze, error=TimestampUnavailable):
    with pytest.raises(error):
        pdf.advance(freeze.pk)


def test_what_is_owed_is_told_after_ten_minutes_once_and_again_when_made_good(
    approved, people, sealing, caplog
):
    sealing.before["timestamp"] = fail(TimestampUnavailable("The authority answered 503."))
    tried(approved)
    since = approved_at(approved)
    late.look_after(at=since + timedelta(minutes=9, seconds=59))
    assert mails() == []

    with caplog.at_level(logging.ERROR, "boundaries.late"):
        for minutes in (10, 11, 60):
            late.look_after(at=since + timedelta(minutes=minutes))

    assert sorted(mails()) == sorted(told(people, "pdf-late"))
    assert caplog.text.count("is owed since") == 1
    text = OutgoingMail.objects.filter(kind="pdf-late").first().text
    assert "the closing timestamp and publication" in text
    assert "It failed once, the last time because: The authority answered 503." in " ".join(
        text.split()
    )

    sealing.before.clear()
    pdf.advance(approved.pk)
    for minutes in (61, 62):
        late.look_after(at=since + timedelta(minutes=minutes))

    assert sorted(mails()) == sorted(told(people, "pdf-late", "pdf-made-good"))
    assert stages.events_of("pdf.alarm_raised", "pdf.alarm_ended") == {
        "pdf.alarm_raised": 1,
        "pdf.alarm_ended": 1,
    }


def test_an_alarm_that_comes_again_is_told_again(approved, people, sealing):
    since = approved_at(approved)
    for minutes in (20, 40):
        late.look_after(at=since + timedelta(minutes=minutes))
        Freeze.objects.update(pdf_alarmed_at=None)

    assert len(mails()) == 4


def test_a_copy_that_goes_back_to_draft_ends_its_alarm(people, sealing):
    sealing.before["render"] = fail(OSError("The disk is full."))
    revision = stages.ready_to_freeze(people)
    freeze = workflow.freeze(revision=revision, acting_user=people["cro"], at=stages.NOW)
    tried(freeze, OSError)
    late.look_after(at=stages.NOW + timedelta(minutes=10))
    workflow.decline(revision=revision, reason="Row 4.1", acting_user=people["coo"], at=stages.NOW)

    late.look_after(at=stages.NOW + timedelta(minutes=11))

    mail = OutgoingMail.objects.filter(kind="pdf-made-good").first()
    assert "no longer owed" in mail.text
    assert Freeze.objects.get().pdf_alarmed_at is None


def test_a_file_that_our_verifier_refuses_is_told_at_once_kept_and_never_offered(
    approved, people, sealing, client
):
    sealing.verdict = "altered"
    for _ in range(3):
        tried(approved, pdf.Quarantined)
        late.look_after(at=approved_at(approved) + timedelta(seconds=5))

    approved.refresh_from_db()
    assert (approved.sealed_sha256, approved.pdf_failures) == ("", 3)
    (owed,) = late.owed_files()
    specimen = files.get(owed.quarantined)
    assert lines_of(specimen) == ALL_FIELDS
    assert sorted(mails()) == sorted(told(people, "pdf-quarantined"))
    assert owed.quarantined in OutgoingMail.objects.first().text
    client.force_login(people["ceo"])
    for page in ("", "pdf/"):
        answer = client.get(approved.revision.get_absolute_url() + page)
        assert owed.quarantined not in str(answer.headers)
        assert getattr(answer, "content", b"") != specimen

    sealing.verdict = "genuine"
    pdf.advance(approved.pk)
    late.look_after(at=approved_at(approved) + timedelta(minutes=1))

    assert sorted(mails()) == sorted(told(people, "pdf-quarantined", "pdf-made-good"))


def test_nobody_to_tell_is_an_error_in_the_log(executives, sealing, caplog):
    revision = stages.ready_to_freeze(executives)
    workflow.freeze(revision=revision, acting_user=executives["cro"], at=stages.NOW)

    with caplog.at_level(logging.ERROR, "boundaries.late"):
        late.look_after(at=stages.NOW + timedelta(minutes=10))

    assert "Nobody holds the Office of the Administrator" in caplog.text


def test_the_sweep_tells_and_still_hands_over_where_telling_fails(approved, monkeypatch, caplog):
    sent = []
    monkeypatch.setattr(tasks.advance_pdf, "delay", sent.append)
    monkeypatch.setattr(late, "look_after", lambda *, at: fail(OSError("no mail table"))())

    with caplog.at_level(logging.ERROR, "boundaries.tasks"):
        tasks.sweep_owed()

    assert sent == [approved.pk]
    assert "could not be told of" in caplog.text


def test_readiness_counts_what_is_overdue_without_naming_it(approved, sealing, monkeypatch):
    said = []
    for minutes in (9, 10):
        now = approved_at(approved) + timedelta(minutes=minutes)
        monkeypatch.setattr(health.timezone, "now", lambda now=now: now)
        said.append(health._seals())

    assert said == ["none overdue", "1 overdue for more than 10 minutes; see manage reseal"]


# --- Trying again -----------------------------------------------------------------------------


def test_what_fails_again_and_again_is_tried_less_often_and_never_given_up(approved):
    at = timezone.now()
    waited = []
    for times in (0, 1, 5, 6, 7, 8, 9, 10, 1000):
        Freeze.objects.update(pdf_failures_in_a_row=times, pdf_failed_at=at)
        waited.append(
            next(
                minutes
                for minutes in range(17)
                if pdf.due(at=at + timedelta(minutes=minutes)) == [approved.pk]
            )
        )

    assert waited == [0, 0, 0, 2, 4, 8, 15, 15, 15]


def test_a_success_begins_the_count_anew(approved, sealing):
    sealing.before["apply"] = fail(TimestampUnavailable("No answer."))
    for _ in range(3):
        tried(approved)
    assert Freeze.objects.get().pdf_failures_in_a_row == 3
    sealing.before = {"timestamp": fail(TimestampUnavailable("No answer."))}
    tried(approved)

    found = Freeze.objects.get()
    assert (found.pdf_failures, found.pdf_failures_in_a_row) == (4, 1)


@pytest.mark.parametrize("step", ["certify", "apply", "timestamp"])
def test_a_failing_timestamp_authority_never_lowers_the_level(people, sealing, settings, step):
    """Every step waits for the authority; none goes on without it or with another."""
    settings.TSA_URL = "http://tsa.example/"
    revision = stages.ready_to_freeze(people)
    freeze = workflow.freeze(revision=revision, acting_user=people["cro"], at=stages.NOW)
    if step != "certify":
        pdf.advance(freeze.pk)
        revision = stages.signed_by(revision, people, *stages.PARTIES)
        stages.to_approve(revision, people["ceo"]).finish()
    sealing.before[step] = fail(TimestampUnavailable("No answer from the authority."))
    before = Freeze.objects.get().pdf_sha256
    for _ in range(3):
        tried(freeze)

    kept = Freeze.objects.get()
    if step != "timestamp":
        assert kept.pdf_sha256 == before
    assert (kept.sealed_sha256, kept.pdf_failures_in_a_row) == ("", 3)
    assert "No answer from the authority." in late.owed_files()[0].why
    sealing.before.clear()
    pdf.advance(freeze.pk)
    assert set(sealing.asked_to_date) <= {"http://tsa.example/"}


# --- manage reseal ----------------------------------------------------------------------------


def reseal(*options):
    said = StringIO()
    try:
        call_command("reseal", *options, stdout=said)
    except CommandError as error:
        return error.returncode, said.getvalue() + str(error)
    return 0, said.getvalue()


def test_reseal_lists_what_is_owed_does_it_and_then_nothing(approved, sealing):
    sealing.before["apply"] = fail(OSError("The disk is full."))
    tried(approved, OSError)
    sealing.before.clear()

    status, said = reseal()

    reference = approved.revision.reference
    assert status == 0
    assert f"{reference}, freeze 1: the signature of the CRO, owed since 20" in said
    assert "It failed once, the last time because: The disk is full." in said
    approved.refresh_from_db()
    assert f"Done: {approved.sealed_sha256}" in said
    events = Event.objects.count()
    assert reseal(reference) == (0, "Nothing is owed.\n")
    assert Event.objects.count() == events


def test_reseal_says_what_stays_owed(approved, sealing):
    sealing.before["timestamp"] = fail(TimestampUnavailable("The authority answered 503."))

    status, said = reseal(approved.revision.reference)

    assert status == 1
    assert "Failed: The authority answered 503." in said
    assert "1 of 1 stay owed." in said


def test_reseal_leaves_quarantined_files_alone_unless_told(approved, sealing):
    sealing.verdict = "altered"
    tried(approved, pdf.Quarantined)
    sealing.verdict = "genuine"
    before = len(sealing.calls)

    assert reseal()[0] == 1
    assert len(sealing.calls) == before
    assert reseal("--quarantined")[0] == 0

    approved.refresh_from_db()
    assert approved.sealed_sha256
    assert StoredFile.objects.filter(pk=approved.sealed_sha256).exists()


def test_reseal_of_an_unknown_document_says_so(approved):
    assert reseal("NC-RB-99") == (1, "There is no NC-RB-99.")
