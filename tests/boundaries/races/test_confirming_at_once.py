"""Confirming a signature at the same moment in two places: a code works once, a key counts up."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from boundaries import proof, signing
from boundaries.errors import IntentNotValid, NotConfirmed, NotRead
from boundaries.models import Reading, SigningIntent
from boundaries.states import Role
from people.models import UsedCode
from tests.boundaries import stages
from tests.boundaries.races.together import at_once, refusals
from tests.people.factories import PASSWORD
from tests.people.second_factors import CodeGenerator, SigningPasskey

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parents[3]
SESSION = "a session"

# In a process of its own: only the database is common.
CONFIRM = """
import datetime, json, sys
import django
django.setup()
from django.conf import settings
settings.PASSWORD_HASHERS = json.loads(sys.argv[6])
from boundaries import signing
from boundaries.models import SigningIntent
from people.errors import Refused
intent = SigningIntent.objects.select_related("person").get(pk=int(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
try:
    signing.authenticate(
        intent=intent, password=sys.argv[2], code=sys.argv[3], session_key=sys.argv[4],
        acting_user=intent.person, at=datetime.datetime.fromisoformat(sys.argv[5]),
    )
except Refused as refused:
    print(json.dumps(str(refused)))
else:
    print(json.dumps("confirmed"))
"""


def intents(revision, person, count=2):
    signing.record_reading(freeze=stages.live_freeze(revision), acting_user=person, at=stages.NOW)
    return [
        signing.open_intent(
            revision=revision,
            role=Role.COSIGNER,
            meaning_accepted=True,
            session_key=SESSION,
            acting_user=person,
            at=stages.NOW,
        )
        for _ in range(count)
    ]


def test_one_code_confirms_one_of_two_ceremonies_in_two_processes(people):
    revision = stages.frozen(people)
    generator = CodeGenerator()
    generator.made_for(people["cro"])
    both = intents(revision, people["cro"])
    code = generator.code(stages.NOW)
    database = connection.settings_dict
    url = f"sqlite:///{database['NAME']}"
    if connection.vendor == "postgresql":
        url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database)
    hashers = json.dumps(settings.PASSWORD_HASHERS)
    given = (PASSWORD, code, SESSION, stages.NOW.isoformat(), hashers)
    secrets = {"SECRET_KEY": settings.SECRET_KEY, "KEYS_SECRET": settings.KEYS_SECRET}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CONFIRM, str(one.pk), *given],
            cwd=ROOT,
            env={**os.environ, **secrets, "DATABASE_URL": url},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for one in both
    ]
    for one in processes:
        assert one.stdout.readline() == "ready\n", one.stderr.read()
    for one in processes:
        one.stdin.write("go\n")
        one.stdin.flush()
    said = sorted(json.loads(one.communicate(timeout=60)[0]) for one in processes)

    assert said[1] == "confirmed"
    assert said[0].startswith("That code was used already: each works once.")
    assert UsedCode.objects.filter(person=people["cro"]).count() == 1
    confirmed = SigningIntent.objects.filter(authenticated_at__isnull=False)
    assert [one.method for one in confirmed] == [proof.PASSWORD_AND_CODE]


def test_one_answer_of_a_passkey_at_once_counts_once(people):
    """The same assertion twice: its counter is up already for the second."""
    revision = stages.frozen(people)
    passkey = SigningPasskey()
    passkey.made_for(people["cro"])
    (intent,) = intents(revision, people["cro"], 1)
    answer = passkey.answer(proof.challenge_of(proof.challenge_text(intent)))

    def confirm():
        return signing.authenticate(
            intent=intent,
            passkey=proof.PasskeyAnswer(answer, "localhost", "http://localhost"),
            session_key=SESSION,
            acting_user=people["cro"],
            at=stages.NOW,
        )

    assert refusals(at_once(confirm, confirm)) == [NotConfirmed]


def test_two_renewals_at_once_make_one_intent(people):
    revision = stages.frozen(people)
    (intent,) = intents(revision, people["cro"], 1)

    def renew():
        return signing.renew_intent(
            intent=intent, session_key=SESSION, acting_user=people["cro"], at=stages.NOW
        )

    assert refusals(at_once(renew, renew)) == [IntentNotValid]
    assert SigningIntent.objects.filter(revoked_at__isnull=True).count() == 1


def test_pages_opened_at_once_are_each_recorded_once(people):
    freeze = stages.live_freeze(stages.frozen(people))

    def opened(page):
        return lambda: signing.record_reading(
            freeze=freeze, page=page, pages=3, acting_user=people["cro"], at=stages.NOW
        )

    outcomes = at_once(opened(1), opened(1), opened(2), opened(3), opened(3))
    assert refusals(outcomes) == []
    assert sorted(Reading.objects.values_list("page", flat=True)) == [1, 2, 3]
    assert stages.events_of("signing_copy.opened") == {"signing_copy.opened": 3}
    signing.refuse_unread(freeze, people["cro"])
    with pytest.raises(NotRead):
        signing.refuse_unread(freeze, people["coo"])
