"""start.py: its decisions one by one, and once the real thing with signals."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

import start

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def no_product_variables(monkeypatch, tmp_path):
    for name in ("DEMO", "DATABASE_URL", "DATABASE_URL_FILE", "SECRET_KEY", "KEYS_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    return tmp_path


# --- What `test` adds -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], ["-n", "2", "--dist=loadgroup", "-m", "not browser"]),
        (["-x"], ["-n", "2", "--dist=loadgroup", "-m", "not browser", "-x"]),
        (["-n0"], ["-m", "not browser", "-n0"]),
        (["tests/audit"], ["-m", "not browser", "tests/audit"]),
        (["-k", "veto"], ["-m", "not browser", "-k", "veto"]),
        (["-m", "browser"], ["-m", "browser"]),
        (["tests/browser"], ["tests/browser"]),
    ],
)
def test_test_leaves_out_the_browser_unless_asked(given, expected, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert start.pytest_arguments(given) == expected


# --- Demo and secrets -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "demo"),
    [
        ({}, True),
        ({"DATABASE_URL": ""}, True),
        ({"DATABASE_URL": "postgres://db/registry"}, False),
        ({"DATABASE_URL_FILE": "/run/secrets/url"}, False),
        ({"DATABASE_URL": "postgres://db/registry", "DEMO": "1"}, True),
        ({"DEMO": "false"}, False),
    ],
)
def test_demo_is_for_the_database_that_start_makes(environment, demo):
    assert start.demo_wanted(environment) is demo


def test_secrets_are_made_once_and_only_their_owner_reads_them(no_product_variables):
    first = start.product_environment()
    secret = Path(first["SECRET_KEY_FILE"])
    written = secret.read_text()
    assert len(written) >= 60
    assert written != Path(first["KEYS_SECRET_FILE"]).read_text()
    assert secret.stat().st_mode & 0o777 == 0o600
    assert secret.parent.stat().st_mode & 0o777 == 0o700
    start.product_environment()
    assert secret.read_text() == written


def test_secrets_that_are_given_are_not_made(no_product_variables, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "given")
    monkeypatch.setenv("KEYS_SECRET_FILE", "/run/secrets/keys_secret")
    environment = start.product_environment()
    assert "SECRET_KEY_FILE" not in environment
    assert environment["KEYS_SECRET_FILE"] == "/run/secrets/keys_secret"
    assert not (no_product_variables / "secrets").exists()


# --- Ports and addresses ----------------------------------------------------------------------


def test_taken_port_is_told_with_the_remedy():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(start.Trouble, match=rf"Port {port} .* is taken .* --port {port + 1}"):
            start.check_port("127.0.0.1", port)


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_port_that_cannot_be_is_told(port):
    with pytest.raises(start.Trouble, match="from 1 to 65535"):
        start.check_port("127.0.0.1", port)


def test_foreign_address_is_told():
    with pytest.raises(start.Trouble, match="not an address of this machine"):
        start.check_port("192.0.2.1", 8000)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::1", "http://[::1]:8000"),
        ("registry.local", "http://registry.local:8000"),
    ],
)
def test_url_is_one_that_a_browser_opens(host, url):
    assert start.url_of(host, 8000) == url


# --- What is missing --------------------------------------------------------------------------


def test_missing_ensurepip_is_told_with_the_remedy(monkeypatch):
    monkeypatch.setattr(
        start.importlib.util, "find_spec", lambda name: None if name == "ensurepip" else object()
    )
    with pytest.raises(start.Trouble, match="apt-get install python3-venv"):
        start.make_venv()


def test_environment_of_another_python_does_not_work(monkeypatch):
    monkeypatch.setattr(start, "venv_python", lambda: "3.9.2")
    assert not start.venv_works()


def test_missing_pango_is_installed_or_told_never_fatal(monkeypatch, capsys):
    monkeypatch.setattr(start, "pango_missing", lambda: ["pango-1.0"])
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    start.ensure_pango()
    said = capsys.readouterr().out
    assert "Going on without PDF" in said
    if Path("/etc/debian_version").exists():
        assert start.PANGO_PACKAGES in said


def test_unknown_command_names_those_there_are(capsys):
    assert start.main(["serve"]) == 2
    assert "run, test, check, manage" in capsys.readouterr().out


def test_second_start_on_one_state_directory_is_refused(tmp_path):
    with (
        start.locked(tmp_path / "run.lock", busy="already runs"),
        pytest.raises(start.Trouble, match="already runs"),
        start.locked(tmp_path / "run.lock", busy="already runs"),
    ):
        pass


# --- The real thing ---------------------------------------------------------------------------


class Run:
    def __init__(self, state):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        kept = ("PATH", "HOME", "LANG")
        self.process = subprocess.Popen(
            [sys.executable, "start.py", "run", "--port", str(self.port)],
            cwd=ROOT,
            env={
                **{name: os.environ[name] for name in kept if name in os.environ},
                "STATE_DIR": str(state),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.state = state
        deadline = time.monotonic() + 90
        while not self.answers():
            assert time.monotonic() < deadline and self.process.poll() is None, self.said()

    def answers(self):
        time.sleep(0.2)
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=2):
                return True
        except OSError:
            return False

    def said(self):
        return self.process.communicate(timeout=30)[0]

    def children(self):
        """Process ids of everything that works on our state directory, from /proc."""
        mark = f"STATE_DIR={self.state}".encode()
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (entry / "environ").read_bytes():
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().decode()
            except OSError:
                continue
        found.pop(self.process.pid, None)
        return found


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for orphans in /proc")
def test_run_serves_and_leaves_no_orphans(tmp_path):
    """Ctrl-C ends both; killing the worker is told and ends the web server too."""
    run = Run(tmp_path)
    assert any("waitress" in line for line in run.children().values())
    assert any("celery" in line for line in run.children().values())
    run.process.send_signal(signal.SIGINT)
    assert "Stopped." in run.said()
    assert run.process.returncode == 0
    assert run.children() == {}

    run = Run(tmp_path)
    os.kill(next(pid for pid, line in run.children().items() if "celery" in line), signal.SIGKILL)
    said = run.said()
    assert "The worker ended by itself" in said
    assert run.process.returncode == 1
    assert run.children() == {}
