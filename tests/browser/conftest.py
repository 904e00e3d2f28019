"""A real Chromium against the real thing: `start.py run` with a state directory of its own.

Where there is no Chromium the browser tests skip and say so; with CI=true that is a failure.
DATABASE_URL and REDIS_URL, where set, name the servers: the walk gets a new database on them.
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

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 120
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


@pytest.fixture(scope="session")
def chromium():
    """A browser for the session; each test opens contexts of its own in it."""
    path = find_chromium()
    if path is None:
        missing = "There is no Chromium here (Debian: apt-get install chromium)."
        pytest.fail(missing) if os.environ.get("CI") == "true" else pytest.skip(missing)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def database_url():
    """A new PostgreSQL database where DATABASE_URL names a server; "" means SQLite."""
    given = os.environ.get("DATABASE_URL", "")
    if not given.startswith(("postgres://", "postgresql://")):
        yield ""
        return
    import psycopg
    from psycopg import sql

    name = f"registry_walk_{os.getpid()}"
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
        """Run a management command on the same state; give what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env={
                **self.environment,
                "PUBLIC_URL": self.url,
                "SECRET_KEY_FILE": str(self.state / "secrets" / "secret_key"),
                "KEYS_SECRET_FILE": str(self.state / "secrets" / "keys_secret"),
            },
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


@pytest.fixture(scope="session")
def registry(chromium, tmp_path_factory, database_url):
    """The demo company, served by `start.py run`; stopped with Ctrl-C, as a person would."""
    running = Registry(tmp_path_factory.mktemp("registry"), database_url)
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.stop()


@pytest.fixture
def open_page(chromium, registry):
    """Open a page of a new browser session: ``open_page("/verify", colour="dark", width=390)``.

    What the browser complains about (errors, the Content-Security-Policy's refusals) fails the
    test at its end.
    """
    contexts, complaints = [], []

    def listen(message):
        # The page of a refused request is one that tests open on purpose.
        if message.type == "error" and "status of 4" not in message.text:
            complaints.append(message.text)

    def open_one(path="/", *, colour="light", width=1280, height=900):
        context = chromium.new_context(
            base_url=registry.url,
            color_scheme=colour,
            viewport={"width": width, "height": height},
            accept_downloads=True,
        )
        contexts.append(context)
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []
