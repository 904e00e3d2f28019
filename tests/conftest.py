"""What every test shares.

The environment is set here, before Django reads it: tests run on the same settings file as the
product. DATABASE_URL and REDIS_URL are left as they are, so that the whole suite runs on whatever
they name; SQLite and no Redis without them.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

_STATE = Path(tempfile.mkdtemp(prefix="registry-tests-"))
for _name in (
    *("SECRET_KEY", "SECRET_KEY_FILE", "KEYS_SECRET", "KEYS_SECRET_FILE", "KEYS_DIR", "TSA_URL"),
    *("DEMO", "DEBUG", "PUBLIC_URL", "ALLOWED_HOSTS", "EMAIL_URL", "MAIL_FROM", "STATIC_ROOT"),
    *("TIME_ZONE", "BEHIND_PROXY", "COMPRESS_STATIC", "LOG_LEVEL"),
    *("OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_NAME", "OIDC_DOMAINS"),
    *("OIDC_PROVISION", "SESSION_IDLE_MINUTES", "SESSION_HOURS", "REQUIRE_SECOND_FACTOR"),
):
    os.environ.pop(_name, None)
os.environ["STATE_DIR"] = str(_STATE)
# Tasks that are sent go nowhere unless a test asks for a worker (fixture `worker`).
os.environ["CELERY_BROKER_URL"] = "memory://"
os.environ["DJANGO_SETTINGS_MODULE"] = "revops_registry.settings"

ROOT = Path(__file__).resolve().parent.parent


def pytest_configure(config):
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES["staticfiles"] = {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
    }
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns otherwise
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("postgresql"):
        # Nobody misses a test's rows after a power cut.
        database.setdefault("OPTIONS", {})["options"] = "-c synchronous_commit=off"
    # Read by now; left where it is, Celery would prefer it to what a test says.
    os.environ.pop("CELERY_BROKER_URL", None)


def pytest_unconfigure(config):
    shutil.rmtree(_STATE, ignore_errors=True)


def pytest_collection_modifyitems(items):
    for item in items:
        # One worker process is enough: its tests run in one test process (--dist loadgroup).
        if item.get_closest_marker("worker"):
            item.add_marker(pytest.mark.xdist_group("worker"))
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.xdist_group("browser"))


# --- Database ---------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings, tmp_path_factory):
    """Keep SQLite's test database in a file: threads and child processes cannot share memory."""
    from django.db import connections

    for connection in connections.all(initialized_only=False):
        if connection.vendor == "sqlite":
            folder = tmp_path_factory.mktemp("database")
            connection.settings_dict["TEST"]["NAME"] = str(folder / "test.sqlite3")


def _template_of_the_database():
    """Where a migrated SQLite database is kept; its name follows from every migration."""
    said = hashlib.sha256(sys.version.encode())
    for app in sorted(ROOT.glob("*/migrations/*.py")):
        said.update(f"{app.relative_to(ROOT)}\n".encode() + app.read_bytes())
    said.update((ROOT / "requirements-dev.txt").read_bytes())  # the migrations of packages
    return ROOT / "var" / f"test-database-{said.hexdigest()[:16]}.sqlite3"


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_modify_db_settings):
    """On SQLite migrate on from a database that has all migrations already, where there is one.

    Applying them one by one takes ten times as long as the copy, in every test process. What
    `migrate` ends with (triggers, head row) runs all the same.
    """
    from django.db import connection

    if connection.vendor != "sqlite":
        return False
    template = _template_of_the_database()
    if template.exists():
        shutil.copyfile(template, connection.settings_dict["TEST"]["NAME"])
    return True  # the file lies in a folder of this run's own


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Keep the migrated database for the next run; the last writer's is as good as the first's."""
    from django.db import connection

    template = _template_of_the_database()
    if connection.vendor != "sqlite" or template.exists():
        return
    template.parent.mkdir(exist_ok=True)
    for former in template.parent.glob("test-database-*.sqlite3"):
        if former != template:
            former.unlink(missing_ok=True)
    made = template.with_suffix(f".{os.getpid()}")
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(made)])
    made.replace(template)


def _superuser():
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('is_superuser')")
        return cursor.fetchone() == ("on",)


@pytest.fixture(autouse=True, scope="session")
def _triggers_survive_a_flush():
    """Flushing between transactional tests deletes what the triggers protect: lift them for it."""
    from django.db import connection
    from django.test import TransactionTestCase

    from audit import protection

    flush = TransactionTestCase._fixture_teardown

    def replicating(role):
        with connection.cursor() as cursor:
            cursor.execute(f"SET session_replication_role = {role}")

    def lift_flush_and_restore(self):
        # A superuser's session can pass its triggers by; making them anew takes seconds.
        passing_by = connection.vendor == "postgresql" and _superuser()
        replicating("replica") if passing_by else protection.drop_all()
        try:
            flush(self)
        finally:
            if passing_by:
                replicating("DEFAULT")
            protection.install_all()

    TransactionTestCase._fixture_teardown = lift_flush_and_restore
    yield
    TransactionTestCase._fixture_teardown = flush


@pytest.fixture(autouse=True)
def _own_cache_keys(request):
    """On Redis nothing rolls back what a test cached: give each test keys of its own."""
    from django.conf import settings

    # A worker process shares the cache, and knows of no prefix.
    if settings.REDIS_URL and not request.node.get_closest_marker("worker"):
        changed = request.getfixturevalue("settings")
        prefix = f"test-{os.getpid()}-{time.monotonic_ns()}"
        changed.CACHES = {
            **settings.CACHES,
            "default": {**settings.CACHES["default"], "KEY_PREFIX": prefix},
        }


# --- Signing keys -----------------------------------------------------------------------------


@pytest.fixture(scope="session")
def signing_keys(tmp_path_factory):
    """Northwind's keys in ``settings.KEYS_DIR``; made once for all test processes."""
    from datetime import UTC, datetime

    from django.conf import settings

    from sealing.keys import create_keys

    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    made = shared / "signing-keys"
    with (shared / "signing-keys.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            create_keys(
                made,
                secret=settings.KEYS_SECRET,
                organisation="Northwind Cloud",
                country="US",
                now=datetime.now(UTC),
            )
    shutil.copytree(made, settings.KEYS_DIR, dirs_exist_ok=True)
    return settings.KEYS_DIR


# --- Tasks ------------------------------------------------------------------------------------


@pytest.fixture
def tasks_at_once(monkeypatch):
    """Tasks run where they are sent, and their errors come back to the sender."""
    from revops_registry.celery import app

    monkeypatch.setitem(app.conf, "task_always_eager", True)
    monkeypatch.setitem(app.conf, "task_eager_propagates", True)


class Worker:
    """A real Celery worker on the test's own database and broker."""

    def __init__(self, state, database_url):
        from django.conf import settings

        self.broker = settings.REDIS_URL or "filesystem://"
        self.log = state / "worker.log"
        self.environment = {
            **os.environ,
            "STATE_DIR": str(state),
            "DATABASE_URL": database_url,
            "CELERY_BROKER_URL": self.broker,
            "KEYS_DIR": str(settings.KEYS_DIR),
            "KEYS_SECRET": settings.KEYS_SECRET,
            "SECRET_KEY": settings.SECRET_KEY,
        }
        command = [sys.executable, "-m", "celery", "-A", "revops_registry", "worker"]
        # What tests sent before is not for this worker (--purge).
        command += ["--concurrency=1", "--loglevel=INFO", "--without-gossip", "--purge"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until_ready(self, seconds=30):
        deadline = time.monotonic() + seconds
        while " ready." not in self.log.read_text(errors="replace"):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"no worker:\n{self.log.read_text(errors='replace')}")
            time.sleep(0.1)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _url_of_test_database():
    from urllib.parse import quote

    from django.db import connection

    at = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{at['NAME']}"
    access = quote(at["USER"]) + (f":{quote(at['PASSWORD'])}" if at["PASSWORD"] else "")
    return f"postgres://{access}@{at['HOST'] or 'localhost'}:{at['PORT'] or 5432}/{at['NAME']}"


@pytest.fixture
def _worker_process(transactional_db, signing_keys, tmp_path_factory):
    """A worker for this test alone: one that lived on would take part in the tests that follow.

    And one at a time, however many test processes there are: two workers would take each other's
    tasks from the one Redis, each on a database of its own.
    """
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    with (shared / "worker.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        worker = Worker(tmp_path_factory.mktemp("worker"), _url_of_test_database())
        try:
            worker.wait_until_ready()
            yield worker
        finally:
            worker.stop()


@pytest.fixture
def worker(_worker_process, transactional_db, monkeypatch):
    """Send this test's tasks to a real worker (over Redis where REDIS_URL is set).

    Mark the test ``worker``; what it waits for it sees in the database, polling.
    """
    from revops_registry.celery import app

    queue = Path(_worker_process.environment["STATE_DIR"]) / "broker"
    options = {}
    if _worker_process.broker.startswith("filesystem://"):
        options = {
            "data_folder_in": str(queue / "queue"),
            "data_folder_out": str(queue / "queue"),
            "control_folder": str(queue / "control"),
        }
    monkeypatch.setitem(app.conf, "broker_write_url", _worker_process.broker)
    monkeypatch.setitem(app.conf, "broker_transport_options", options)
    # Celery keeps the connections that it has opened to the former broker.
    monkeypatch.setattr(app.amqp, "_producer_pool", None)
    monkeypatch.setattr(app, "_pool", None)
    return _worker_process


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """Show what the worker said beside a test that failed with it."""
    outcome = yield
    report = outcome.get_result()
    used = getattr(item, "funcargs", {}).get("worker")
    if report.failed and isinstance(used, Worker):
        said = used.log.read_text(errors="replace").splitlines()[-120:]
        report.sections.append(("What the worker said last", "\n".join(said)))


# --- People -----------------------------------------------------------------------------------


@pytest.fixture
def company(db):
    """Northwind Cloud, with the standard Offices."""
    from tests.people.factories import CompanyFactory

    return CompanyFactory()


@pytest.fixture
def executives(company):
    """Northwind's people by Office key, appointed since 2026; ``member`` holds no Office."""
    from tests.people.factories import northwind_people

    return northwind_people()
