"""GET /healthz and GET /readyz."""

import shutil
import time

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone

from revops_registry import health
from revops_registry.tasks import HEARTBEAT_KEY, heartbeat

pytestmark = pytest.mark.usefixtures("_fresh")


@pytest.fixture
def _fresh():
    health.recent.forget()
    yield
    health.recent.forget()


@pytest.fixture
def ready(transactional_db, signing_keys):
    """Everything works: the database is migrated, keys are there, a worker was heard of."""
    heartbeat()


def not_ready(client):
    answer = client.get("/readyz")
    assert answer.status_code == 503
    body = answer.json()
    assert body["status"] == "not ready"
    return {name: part["detail"] for name, part in body["parts"].items() if not part["ok"]}


def test_healthz_answers_without_database_session_or_redirect(client, settings):
    settings.SECURE_SSL_REDIRECT = True
    answer = client.get("/healthz")  # this test may not touch the database
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok"}
    assert not answer.cookies


def test_readyz_is_ready_when_every_part_is(client, ready):
    answer = client.get("/readyz")
    body = answer.json()
    failing = {name: part for name, part in body["parts"].items() if not part["ok"]}
    assert failing == {}
    assert answer.status_code == 200
    assert body["status"] == "ready"
    assert set(body["parts"]) == {
        "database",
        "migrations",
        "broker",
        "worker",
        "keys",
        "pdf",
        "log",
        "checkpoints",
        "seals",
    }


def test_readyz_tells_a_worker_never_heard_of(client, ready):
    cache.delete(HEARTBEAT_KEY)
    assert not_ready(client) == {"worker": "no worker has been heard of"}


def test_readyz_tells_a_worker_that_fell_silent(client, ready):
    cache.set(HEARTBEAT_KEY, timezone.now().timestamp() - 61)
    assert not_ready(client) == {"worker": "last heard of 61 s ago"}


def test_readyz_tells_a_migration_not_applied(client, ready):
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE app = 'audit' AND name = '0001_initial'"
        )
    try:
        assert "1 not applied" in not_ready(client)["migrations"]
    finally:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO django_migrations (app, name, applied)"
                " VALUES ('audit', '0001_initial', CURRENT_TIMESTAMP)"
            )


def test_readyz_tells_missing_keys(client, ready, settings, tmp_path):
    shutil.copytree(settings.KEYS_DIR, tmp_path / "keys")
    settings.KEYS_DIR = tmp_path / "keys"
    next(path for path in sorted(settings.KEYS_DIR.iterdir()) if path.suffix == ".pem").unlink()
    assert "Missing from the keys directory" in not_ready(client)["keys"]


def test_readyz_tells_a_wrong_secret_of_the_keys(client, ready, settings):
    settings.KEYS_SECRET = "another secret, long enough"
    told = not_ready(client)
    assert list(told) == ["keys"]
    assert settings.KEYS_SECRET not in told["keys"]


def test_readyz_tells_missing_pango(client, ready, monkeypatch):
    monkeypatch.setattr(health.render, "weasyprint_problem", lambda: "Pango is missing.")
    assert not_ready(client) == {"pdf": "Pango is missing."}


def test_readyz_tells_a_log_without_its_triggers(client, ready):
    from audit import protection

    protection.drop_all()
    try:
        assert list(not_ready(client)) == ["log"]
    finally:
        protection.install_all()


def test_readyz_tells_a_log_that_does_not_continue_what_was_signed(client, ready):
    from audit import checkpoints, protection
    from audit.models import Checkpoint, LogHead
    from tests.audit.test_log import AT, record

    with transaction.atomic():
        record()
    checkpoints.issue(why=Checkpoint.Why.HAND, at=AT)
    assert client.get("/readyz").json()["parts"]["checkpoints"]["ok"]
    protection.drop_all()
    LogHead.objects.update(size=0, frontier=[], root=LogHead().root)
    health.recent.forget()

    assert "its end was cut" in not_ready(client)["checkpoints"]


def test_readyz_tells_a_broker_that_is_not_there(client, ready, monkeypatch):
    monkeypatch.setitem(health.app.conf, "broker_write_url", "redis://:secret@127.0.0.1:9/0")
    monkeypatch.setitem(health.app.conf, "broker_transport_options", {"socket_connect_timeout": 1})
    told = not_ready(client)
    assert list(told) == ["broker"]
    assert "secret" not in told["broker"]


def test_readyz_does_not_wait_for_a_part_that_hangs(client, ready, monkeypatch):
    monkeypatch.setattr(health, "PART_SECONDS", 0.5)
    monkeypatch.setitem(health.PARTS, "pdf", lambda: time.sleep(3) or "late")
    began = time.monotonic()
    assert "no answer within" in not_ready(client)["pdf"]
    assert time.monotonic() - began < 2.5


def test_readyz_hides_what_an_unexpected_error_says(client, ready, monkeypatch):
    def broken():
        raise RuntimeError("password=hunter2")

    monkeypatch.setitem(health.PARTS, "pdf", broken)
    assert not_ready(client) == {"pdf": "failed: RuntimeError"}


def test_readyz_asks_its_parts_once_for_many_requests(client, ready, monkeypatch):
    asked = []
    monkeypatch.setitem(health.PARTS, "pdf", lambda: asked.append(1) or "fine")
    for _ in range(5):
        assert client.get("/readyz").status_code == 200
    assert len(asked) == 1


@pytest.mark.worker
def test_worker_tells_readyz_that_it_started(client, worker):
    cache.delete(HEARTBEAT_KEY)
    heartbeat.delay()
    deadline = time.monotonic() + 15
    while cache.get(HEARTBEAT_KEY) is None and time.monotonic() < deadline:
        time.sleep(0.1)
    health.recent.forget()
    assert client.get("/readyz").json()["parts"]["worker"]["ok"]
