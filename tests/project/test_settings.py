"""Settings as a fresh process reads them from its environment."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def read(names, **environment):
    """Give the named settings as a new process sees them with only ``environment`` set."""
    program = (
        "import json, revops_registry.settings as s;"
        f"print(json.dumps({{n: getattr(s, n) for n in {list(names)!r}}}, default=str))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        return done.stderr.strip().splitlines()[-1]
    return json.loads(done.stdout)


def test_without_a_secret_nothing_starts_outside_the_demo(tmp_path):
    assert "SECRET_KEY is not set" in read(["SECRET_KEY"], STATE_DIR=str(tmp_path))


def test_secrets_come_from_files_first(tmp_path):
    (tmp_path / "key").write_text("from the file\n")
    (tmp_path / "url").write_text("postgres://app:p%40ss@db:5432/registry\n")
    found = read(
        ["SECRET_KEY", "DATABASES"],
        STATE_DIR=str(tmp_path),
        SECRET_KEY="from the environment",
        SECRET_KEY_FILE=str(tmp_path / "key"),
        DATABASE_URL_FILE=str(tmp_path / "url"),
    )
    assert found["SECRET_KEY"] == "from the file"
    database = found["DATABASES"]["default"]
    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert (database["HOST"], database["NAME"], database["PASSWORD"]) == ("db", "registry", "p@ss")


def test_embedded_default_is_sqlite_with_a_broker_in_files(tmp_path):
    found = read(
        ["DATABASES", "CELERY_BROKER_URL", "CACHES", "CELERY_BROKER_TRANSPORT_OPTIONS"],
        STATE_DIR=str(tmp_path),
        SECRET_KEY="x",
    )
    database = found["DATABASES"]["default"]
    assert database["NAME"] == str(tmp_path / "registry.sqlite3")
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "recursive_triggers=ON" in database["OPTIONS"]["init_command"]
    assert found["CELERY_BROKER_URL"] == "filesystem://"
    assert found["CELERY_BROKER_TRANSPORT_OPTIONS"]["polling_interval"] == 0.2
    assert (tmp_path / "broker" / "queue").is_dir()
    assert found["CACHES"]["default"]["BACKEND"].endswith("DatabaseCache")


def test_redis_carries_cache_and_tasks_and_loses_none(tmp_path):
    found = read(
        [
            "CELERY_BROKER_URL",
            "CACHES",
            "CELERY_TASK_ACKS_LATE",
            "CELERY_TASK_REJECT_ON_WORKER_LOST",
            "CELERY_WORKER_PREFETCH_MULTIPLIER",
        ],
        STATE_DIR=str(tmp_path),
        SECRET_KEY="x",
        REDIS_URL="redis://redis:6379/0",
    )
    assert found["CELERY_BROKER_URL"] == "redis://redis:6379/0"
    assert found["CACHES"]["default"]["BACKEND"].endswith("RedisCache")
    assert found["CELERY_TASK_ACKS_LATE"] is True
    assert found["CELERY_TASK_REJECT_ON_WORKER_LOST"] is True
    assert found["CELERY_WORKER_PREFETCH_MULTIPLIER"] == 1


@pytest.mark.parametrize(
    ("public_url", "secure"),
    [("https://registry.example.com", True), ("http://127.0.0.1:8000", False)],
)
def test_https_address_turns_secure_transport_on(public_url, secure, tmp_path):
    names = ["SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT"]
    found = read(
        [*names, "SECURE_HSTS_SECONDS", "CSRF_TRUSTED_ORIGINS"],
        STATE_DIR=str(tmp_path),
        SECRET_KEY="x",
        PUBLIC_URL=public_url + "/",
    )
    assert [found[name] for name in names] == [secure] * 3
    assert bool(found["SECURE_HSTS_SECONDS"]) is secure
    assert found["CSRF_TRUSTED_ORIGINS"] == [public_url]


def test_behind_a_proxy_each_reader_has_the_address_that_the_proxy_tells(tmp_path):
    found = read(
        ["SECURE_PROXY_SSL_HEADER", "ALLAUTH_TRUSTED_PROXY_COUNT"],
        DEMO="true",
        STATE_DIR=str(tmp_path),
        BEHIND_PROXY="true",
    )
    assert found["ALLAUTH_TRUSTED_PROXY_COUNT"] == 1
    assert found["SECURE_PROXY_SSL_HEADER"] == ["HTTP_X_FORWARDED_PROTO", "https"]


def test_health_probes_of_the_machine_are_always_allowed(tmp_path):
    found = read(
        ["ALLOWED_HOSTS"],
        STATE_DIR=str(tmp_path),
        SECRET_KEY="x",
        ALLOWED_HOSTS="registry.example.com",
    )
    assert found["ALLOWED_HOSTS"][0] == "registry.example.com"
    assert "127.0.0.1" in found["ALLOWED_HOSTS"]


def test_every_variable_is_documented():
    source = (ROOT / "revops_registry" / "settings.py").read_text()
    documented = (ROOT / "docs" / "operations.md").read_text()
    import re

    names = set(re.findall(r"""(?:env\.\w+|secret)\(\s*"([A-Z_]+)\"""", source))
    assert len(names) > 10
    assert [name for name in sorted(names) if f"`{name}`" not in documented] == []
