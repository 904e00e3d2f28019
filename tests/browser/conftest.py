"""A real Chromium against the real thing: `start.py run` with a state directory of its own.

Where there is no Chromium the browser tests skip and say so; with CI=true that is a failure.
DATABASE_URL and REDIS_URL, where set, name the servers: each file of tests gets a new PostgreSQL
database, and the Redis database, which must be empty and is empty again afterwards.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.browser.auditor import Auditor

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 120
FAILED = pytest.StashKey[bool]()
PATIENCE = 20_000  # milliseconds that a page may take on a busy machine before a test gives up
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium():
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


# Ends with these tests: Playwright keeps an event loop in the thread, and Django then refuses to
# use the database in it.
@pytest.fixture(scope="package")
def chromium():
    """One browser; each test opens contexts of its own in it."""
    path = find_chromium()
    if path is None:
        missing = "There is no Chromium here (Debian: apt-get install chromium)."
        pytest.fail(missing) if os.environ.get("CI") == "true" else pytest.skip(missing)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def database_url():
    """A new PostgreSQL database where DATABASE_URL names a server; "" means SQLite."""
    given = os.environ.get("DATABASE_URL", "")
    if not given.startswith(("postgres://", "postgresql://")):
        yield ""
        return
    import psycopg
    from psycopg import sql

    name = f"registry_walk_{os.getpid()}_{time.monotonic_ns()}"
    server = re.sub(r"/[^/?]*(\?|$)", r"/postgres\1", given.replace("postgres://", "postgresql://"))
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield re.sub(r"/[^/?]*(\?|$)", rf"/{name}\1", given)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Registry:
    """A running registry: its address, its state directory, and manage.py on the same state."""

    def __init__(self, state, database_url):
        self.state = state
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        # The same by name: browsers know passkeys only there.
        self.named_url = f"http://localhost:{self.port}"
        # What the suite's own conftest set for itself is not for this one.
        settings = ("SECRET_KEY", "KEYS_SECRET", "CELERY_BROKER_URL", "DJANGO_SETTINGS_MODULE")
        environment = {name: value for name, value in os.environ.items() if name not in settings}
        self.environment = {**environment, "STATE_DIR": str(state), "DEMO": "true"}
        self.environment["DATABASE_URL"] = database_url
        self.words = state / "start.log"
        with self.words.open("wb") as words:
            self.process = subprocess.Popen(
                [sys.executable, "start.py", "run", "--port", str(self.port)],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=subprocess.STDOUT,
            )

    def said(self):
        return self.words.read_text(errors="replace")

    def wait_until_ready(self):
        """Wait for /readyz: web server, worker, keys and all."""
        deadline = time.monotonic() + START_SECONDS
        answer = "nothing"
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=10) as response:
                    if response.status == 200:
                        return
            except urllib.error.HTTPError as error:
                answer = error.read().decode()
            except OSError as error:
                answer = str(error)
            time.sleep(0.3)
        raise RuntimeError(f"the registry did not start; it said:\n{self.said()}\n{answer}")

    def manage(self, *arguments, timeout=120):
        """Run `start.py manage` on the same state; give its exit status and what it printed."""
        done = subprocess.run(
            [sys.executable, "start.py", "manage", *arguments],
            cwd=ROOT,
            env={**self.environment, "PUBLIC_URL": self.url},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        return done.returncode, done.stdout + done.stderr

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


@pytest.fixture(scope="module")
def empty_redis():
    """The Redis database of REDIS_URL, if any: nobody's before, nobody's after."""
    url = os.environ.get("REDIS_URL", "")
    if not url:
        yield
        return
    import redis

    with redis.from_url(url) as server:
        assert server.dbsize() == 0, f"REDIS_URL must name an empty database, and {url} is not"
        yield
        server.flushdb()


@pytest.fixture(scope="module")
def registry(chromium, tmp_path_factory, database_url, empty_redis):
    """A new demo company, served by `start.py run`; stopped with Ctrl-C, as a person would."""
    running = Registry(tmp_path_factory.mktemp("registry"), database_url)
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if call.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest.fixture
def open_page(chromium, registry, request, tmp_path):
    """Open a page of a new browser session: ``open_page("/verify/", java_script_enabled=False)``.

    What the browser complains about (errors, the Content-Security-Policy's refusals) fails the
    test at its end.
    """
    contexts, complaints = [], []

    def listen(message):
        # A refusal's status is what its test looks at; the PDF viewer's words are not ours.
        ours = message.location["url"].startswith((registry.url, registry.named_url))
        if message.type == "error" and ours and "status of 4" not in message.text:
            complaints.append(f"{message.location['url']}: {message.text}")

    def open_one(path="/", **options):
        context = chromium.new_context(
            base_url=registry.url,
            viewport={"width": 1280, "height": 900},
            reduced_motion="reduce",  # colours are then judged at rest
            **options,
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        context.on("console", listen)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        page = context.new_page()
        page.goto(path)
        return page

    yield open_one
    for number, context in enumerate(contexts):
        if request.node.stash.get(FAILED, False):
            picture = tmp_path / f"page-{number}.png"
            context.pages[0].screenshot(path=picture)
            print(f"{context.pages[0].url} as it was then: {picture}")  # noqa: T201 - for the report
        context.close()
    assert complaints == [], "\n".join(["", *complaints])


@pytest.fixture
def audit():
    """Look at a page as the rules of accessibility do: ``audit(page, "sign in")``.

    All that is found, on all pages, fails the test at its end.
    """
    auditor = Auditor()
    yield auditor
    assert auditor.found == [], "\n".join(["", *auditor.found])
