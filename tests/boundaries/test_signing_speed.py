"""The request that signs: 300 ms of the server at most, but for the slow hash of a password.

Committed for real, on whichever database the suite runs:

    python3 start.py test tests/boundaries/test_signing_speed.py -n 0 -s
"""

import statistics
import time
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from boundaries.models import Signature
from people.calendar import company_date
from tests.boundaries import factories, stages
from tests.people.factories import PASSWORD
from tests.people.second_factors import CodeGenerator, SigningPasskey

pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = 0.3
DOCUMENTS = 7  # with three signatures each
BEGIN = {"understood": "on", "conflict": "none", "reservation": "Until the price book is signed."}
NOON = datetime(2026, 11, 20, 17, tzinfo=UTC)


@pytest.fixture
def texts(executives):
    """Frozen documents of one function each; the parties have a passkey or a code generator."""
    frozen = []
    for number in range(DOCUMENTS):
        function = factories.another_function(f"function_{number}")
        revision = stages.part_document(
            executives, number=f"NC-{number}", function_keys=[function.key], at=NOON
        )
        revision.rows.update(scope_in="Sets the price bands.", scope_out="Collecting what is owed.")
        frozen.append(
            stages.frozen(executives, at=NOON, revision=revision, effective=company_date(NOON))
        )
    return frozen


def sign_all(texts, people, answer):
    """Every party signs every text by the pages; gives (processor's, wall) seconds of each POST."""
    clients = {office: Client(SERVER_NAME="localhost") for office in stages.PARTIES}
    for office, client in clients.items():
        client.force_login(people[office])
    taken = []
    with time_machine.travel(NOON, tick=False) as clock:
        for revision in texts:
            base = revision.get_absolute_url()
            for office, client in clients.items():
                client.get(f"{base}signing-copy.pdf")
                confirm = client.post(f"{base}sign/", BEGIN)["Location"]
                given = answer(office, client.get(confirm))
                processor, wall = time.process_time(), time.perf_counter()
                signed = client.post(confirm, given)
                taken.append((time.process_time() - processor, time.perf_counter() - wall))
                assert signed["Location"] == base
            clock.shift(timedelta(seconds=30))  # a code works once
    assert Signature.objects.count() == len(texts) * len(stages.PARTIES)
    return taken


def judge(taken, how, capsys, *, hashing=0.0):
    """The processor's seconds count: others may be busy on the same machine."""
    processor, wall = zip(*taken, strict=True)
    with capsys.disabled():
        print(  # noqa: T201 - the figures for whoever asks with -s
            f"\nsigning by {how}, {len(taken)} requests: processor median "
            f"{statistics.median(processor):.3f} s, worst {max(processor):.3f} s; wall median "
            f"{statistics.median(wall):.3f} s, worst {max(wall):.3f} s; of it one hash "
            f"{hashing:.3f} s"
        )
    assert statistics.median(processor) - hashing < SECONDS


def test_signing_by_passkey_is_quick(texts, executives, capsys):
    keys = {office: SigningPasskey() for office in stages.PARTIES}
    for office, key in keys.items():
        key.made_for(executives[office])

    def answer(office, page):
        return {"passkey": keys[office].answer_to_page(page)}

    judge(sign_all(texts, executives, answer), "passkey", capsys)


def test_signing_by_password_and_code_is_quick_but_for_the_hash(
    texts, executives, settings, capsys
):
    """Production's hash of a password is slow on purpose, and by far the most of it."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    generators = {office: CodeGenerator() for office in stages.PARTIES}
    for office, generator in generators.items():
        generator.made_for(executives[office])
        executives[office].set_password(PASSWORD)
        executives[office].save()

    def answer(office, _page):
        return {"password": PASSWORD, "code": generators[office].code(datetime.now(UTC))}

    taken = sign_all(texts[:3], executives, answer)
    before = time.process_time()
    assert executives["cro"].check_password(PASSWORD)
    hashing = time.process_time() - before
    judge(taken, "password and code", capsys, hashing=hashing)
