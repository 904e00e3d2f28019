"""Who is warned of certificates that expire, when, and how often."""

from datetime import timedelta

import pytest

from boundaries import key_expiry, pdf, tasks
from notifications.models import OutgoingMail
from sealing.keys import expiries
from tests.boundaries.factories import everybody

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(company, signing_keys):
    return everybody()


def warned(*, days):
    """Warn that many days before the seal's certificate expires; the subjects of all mails."""
    ends = pdf.company_keys().seal.certificate.not_valid_after_utc
    key_expiry.warn(at=ends - timedelta(days=days))
    return list(OutgoingMail.objects.filter(kind="key-expiry").values_list("subject", flat=True))


def test_each_certificate_is_told_of_three_times_to_the_administrator(people):
    assert warned(days=61) == []
    told = [len(warned(days=days)) for days in (60, 59, 31, 30, 8, 7, 6, 0.5)]

    # the seal, timestamps and the log were made on one day; the root lives longer
    assert told == [3, 3, 3, 6, 6, 9, 9, 9]
    mails = OutgoingMail.objects.filter(kind="key-expiry")
    assert {mail.person for mail in mails} == {people["administrator"]}
    assert (
        "manage rotate_keys seal" in mails.get(subject__contains="seal", key__contains=":60:").text
    )


def test_keys_that_are_new_when_they_are_near_their_end_are_told_once(people):
    assert len(warned(days=3)) == 3
    assert len(warned(days=2)) == 3


def test_the_root_says_that_its_fingerprint_must_be_published(people):
    ends = dict(expiries(pdf.company_keys()))["root"].not_valid_after_utc
    key_expiry.warn(at=ends - timedelta(days=20))

    mail = OutgoingMail.objects.get(subject__startswith="The root certificate")
    assert "must then be published" in " ".join(mail.text.split())


def test_a_registry_without_an_administrator_says_so_in_the_log(executives, signing_keys, caplog):
    assert warned(days=5) == []
    assert "there is no Administrator" in caplog.text


def test_the_task_does_nothing_without_keys(db, settings, tmp_path):
    settings.KEYS_DIR = tmp_path / "none"
    tasks.warn_of_expiring_keys()
    assert not OutgoingMail.objects.exists()
