#!/usr/bin/env python3
"""Set up and start the RevOps Boundary Registry. Standard library only.

    python3 start.py [run] [--host 127.0.0.1] [--port 8000] [--no-demo]
                                            set up, then serve; Ctrl-C stops everything
    python3 start.py test [pytest args]     set up, then run the tests (browser tests: -m browser)
    python3 start.py check                  every lint and consistency check
    python3 start.py manage ARGUMENTS       manage.py inside the environment

What it writes lies under var/: the virtual environment (var/venv), and everything else under
STATE_DIR (by default var/ too): the database, keys, secrets, collected static files, logs.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import ctypes.util
import hashlib
import importlib.util
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / "var" / "venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
RUN_REQUIREMENTS = "requirements.txt"
DEV_REQUIREMENTS = "requirements-dev.txt"

STOP_SECONDS = 10  # how long the web server and the worker may take to finish what they do
ANSWER_SECONDS = 60  # how long the web server may take until it answers for the first time

PANGO_PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
PANGO_LIBRARIES = ("pango-1.0", "pangoft2-1.0", "harfbuzz-subset")


class Trouble(Exception):
    """Something the person at the keyboard can mend; its text is one sentence with the remedy."""


def say(text: str) -> None:
    print(text, flush=True)


# --- Where things lie ------------------------------------------------------------------------


def state_dir() -> Path:
    return Path(os.environ.get("STATE_DIR") or ROOT / "var").resolve()


@contextlib.contextmanager
def locked(path: Path, busy: str | None) -> Iterator[None]:
    """Hold the lock file ``path``. With ``busy`` raise it as Trouble when held, else wait."""
    try:
        import fcntl
    except ImportError:  # Windows: one person at a time, on trust
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (fcntl.LOCK_NB if busy else 0))
        except BlockingIOError:
            raise Trouble(busy or "") from None
        yield


# --- The virtual environment -----------------------------------------------------------------


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def venv_python() -> str:
    """The Python version that the virtual environment was made with ("3.11.7"), or ""."""
    try:
        lines = (VENV / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    found = dict(line.split(" = ", 1) for line in lines if " = " in line)
    return found.get("version", found.get("version_info", "")).strip()


def this_python() -> str:
    return ".".join(str(number) for number in sys.version_info[:3])


def venv_works() -> bool:
    """Whether the environment was made by this Python (to the minor version) and still runs."""
    if venv_python().split(".")[:2] != this_python().split(".")[:2] or not PYTHON.exists():
        return False
    tried = subprocess.run([str(PYTHON), "-m", "pip", "--version"], capture_output=True)
    return tried.returncode == 0


def make_venv() -> None:
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        raise Trouble(
            f"This Python has no {missing[0]} module, which the virtual environment needs. "
            "Install it (Debian and Ubuntu: apt-get install python3-venv) and type the same "
            "command again."
        )
    say("Making the virtual environment in var/venv ...")
    if VENV.exists():
        shutil.rmtree(VENV)
    made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True)
    if made.returncode:
        raise Trouble(
            "The virtual environment could not be made (Debian and Ubuntu: apt-get install "
            f"python3-venv). Python said: {(made.stderr or made.stdout).strip()}"
        )


def read_stamp(path: Path) -> dict[str, str]:
    try:
        stamp = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def sync_venv(requirements: str) -> None:
    """Bring var/venv to what ``requirements`` names; nothing to do when its hash is unchanged."""
    stamp_path = VENV / "installed.json"
    wanted = sha256_of(ROOT / requirements)
    same_python = venv_python().split(".")[:2] == this_python().split(".")[:2]
    if same_python and PYTHON.exists() and read_stamp(stamp_path).get(requirements) == wanted:
        return
    with locked(ROOT / "var" / "setup.lock", busy=None):
        if not venv_works():
            make_venv()
        stamp = read_stamp(stamp_path)
        if stamp.get(requirements) == wanted:
            return  # another start.py did it while this one waited
        say(f"Installing what {requirements} names (hash-checked, once) ...")
        began = time.monotonic()
        install = [str(PYTHON), "-m", "pip", "install", "-qq", "--no-input"]
        install += ["--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:"]
        # Byte code is made when a module is first imported: most of what comes never is.
        install += ["--no-compile", "-r", requirements]
        if subprocess.run(install, cwd=ROOT, stdin=subprocess.DEVNULL).returncode:
            raise Trouble(
                "The packages could not be installed (pip says why above). Check the network "
                "and type the same command again; what is there already is kept."
            )
        stamp[requirements] = wanted
        if requirements == DEV_REQUIREMENTS:  # it holds everything that running needs
            stamp[RUN_REQUIREMENTS] = sha256_of(ROOT / RUN_REQUIREMENTS)
        else:
            stamp.pop(DEV_REQUIREMENTS, None)
        stamp_path.write_text(json.dumps(stamp), encoding="utf-8")
        say(f"Installed in {time.monotonic() - began:.0f} s.")


# --- What WeasyPrint needs from the system ---------------------------------------------------


def pango_missing() -> list[str]:
    """The system libraries that PDF rendering needs and the loader does not find."""
    missing = []
    for name in PANGO_LIBRARIES:
        file = f"lib{name}.so.0" if sys.platform == "linux" else ctypes.util.find_library(name)
        try:
            ctypes.CDLL(file) if file else missing.append(name)
        except OSError:
            missing.append(name)
    return missing


def ensure_pango() -> None:
    """Install WeasyPrint's libraries where we may, else say how; the registry runs without."""
    if not pango_missing():
        return
    line = f"apt-get install --yes --no-install-recommends {PANGO_PACKAGES}"
    debian = Path("/etc/debian_version").exists() and shutil.which("apt-get")
    if debian and hasattr(os, "geteuid") and os.geteuid() == 0:
        say(f"PDF rendering needs system libraries; installing them: {line}")
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in ("apt-get update", line):
            done = subprocess.run(
                command.split(),
                env=quiet,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
            )
            if done.returncode:
                say(done.stderr.strip() or done.stdout.strip())
        if not pango_missing():
            return
    remedy = f"sudo {line}" if debian else "brew install pango (macOS) or your system's Pango"
    say(f"Going on without PDF: system libraries are missing. To have PDF, type: {remedy}")


# --- The environment of what is started ------------------------------------------------------


def secret_file(name: str) -> Path:
    """A file of 48 random bytes that only its owner may read, made the first time."""
    path = state_dir() / "secrets" / name.lower()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # O_EXCL: of two that start at once, one makes it.
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_urlsafe(48))
    return path


def demo_wanted(environment: dict[str, str]) -> bool:
    """DEMO decides; unset, the demo belongs to the database that start.py makes by itself."""
    said = environment.get("DEMO", "").strip().lower()
    if said:
        return said in ("1", "true", "yes", "on", "y", "ok")
    return not (environment.get("DATABASE_URL") or environment.get("DATABASE_URL_FILE"))


def product_environment() -> dict[str, str]:
    """The environment of manage.py, the web server and the worker."""
    environment = dict(os.environ)
    environment["STATE_DIR"] = str(state_dir())
    environment["PYTHONUNBUFFERED"] = "1"
    for name in ("SECRET_KEY", "KEYS_SECRET"):
        if not environment.get(name) and not environment.get(f"{name}_FILE"):
            environment[f"{name}_FILE"] = str(secret_file(name))
    environment["DEMO"] = "true" if demo_wanted(environment) else "false"
    return environment


def url_of(host: str, port: int) -> str:
    """The address to open: a wildcard host answers on this machine's own address too."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # compared
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


# --- Running ---------------------------------------------------------------------------------


def check_port(host: str, port: int) -> None:
    """Raise Trouble unless the web server will be able to listen there."""
    if not 1 <= port <= 65535:
        raise Trouble("--port takes a number from 1 to 65535.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if isinstance(error, PermissionError):
                reason = f"Port {port} may not be opened by this user."
            elif isinstance(error, socket.gaierror) or error.errno == 99:
                raise Trouble(
                    f"{host} is not an address of this machine. Leave --host out to serve "
                    "on 127.0.0.1."
                ) from None
            else:
                reason = f"Port {port} on {host} is taken by another program."
            other = port + 1 if 1024 <= port < 65535 else 8000
            raise Trouble(
                f"{reason} Stop it, or choose another port: python3 start.py --port {other}"
            ) from None


def die_with_parent(sign: signal.Signals) -> None:
    """Runs in the child: should start.py be killed outright, Linux sends the child ``sign``."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, int(sign))


class Child:
    """A started program in a session of its own, its words kept in a log file."""

    def __init__(
        self, name: str, command: Sequence[str], stop_by: signal.Signals, env: dict[str, str]
    ) -> None:
        self.name = name
        self.stop_by = stop_by
        self.log = state_dir() / "log" / f"{name.replace(' ', '-')}.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(  # our own command
                command,
                cwd=ROOT,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=lambda: die_with_parent(stop_by),  # no threads here
            )

    def ended(self) -> bool:
        return self.process.poll() is not None

    def last_words(self, lines: int = 20) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def ask_to_stop(self) -> None:
        if not self.ended():
            self.process.send_signal(self.stop_by)

    def wait_or_kill(self, deadline: float) -> None:
        try:
            self.process.wait(timeout=max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            say(f"The {self.name} did not stop within {STOP_SECONDS} s and is ended.")
        # The session may still hold a pool process of a worker that died hard.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=2) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def prepare(environment: dict[str, str]) -> str:
    """Migrate, load the catalog, make keys and demo; return "demo", "company" or "none"."""
    done = subprocess.run(
        [str(PYTHON), "manage.py", "prepare"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        raise Trouble(
            "The registry could not be prepared (the reason is above). Nothing was started."
        )
    return str(json.loads(lines[-1])["company"])


def command_run(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="start.py run", description="Set up and serve.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument(
        "--no-demo", action="store_true", help="do not make the demo company on the first run"
    )
    chosen = parser.parse_args(arguments)
    began = time.monotonic()

    check_port(chosen.host, chosen.port)
    busy = (
        f"The registry already runs on {state_dir()}. Stop it, or give this one a directory "
        "of its own: STATE_DIR=/some/where python3 start.py"
    )
    with locked(state_dir() / "run.lock", busy=busy):
        sync_venv(RUN_REQUIREMENTS)
        ensure_pango()
        if chosen.no_demo:
            os.environ["DEMO"] = "false"
        environment = product_environment()
        url = url_of(chosen.host, chosen.port)
        environment.setdefault("PUBLIC_URL", url)
        if not environment.get("ALLOWED_HOSTS"):
            if chosen.host in ("0.0.0.0", "::"):  # noqa: S104  # compared, not bound
                say("Others reach it once ALLOWED_HOSTS and PUBLIC_URL name what they type.")
            else:
                environment["ALLOWED_HOSTS"] = chosen.host
        say("Preparing the database, the catalog and the keys ...")
        company = prepare(environment)
        # A real company in the database ends the demo, whatever was asked.
        if company != "demo":
            environment["DEMO"] = "false"
        return serve(chosen.host, chosen.port, url, environment, company, began)


def serve(
    host: str, port: int, url: str, environment: dict[str, str], company: str, began: float
) -> int:
    """Run the web server and the worker until a signal comes or one of them ends."""
    stopping: list[int] = []
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda number, _frame: stopping.append(number))

    listen = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    web = [str(PYTHON), "-m", "waitress", f"--listen={listen}", "--threads=8", "--ident="]
    # What may be judged (10 MB) stays in memory; waitress would put it into a temporary file.
    web += ["--inbuf-overflow=11000000", "--max-request-body-size=32000000"]
    web += ["revops_registry.wsgi:application"]
    worker = [str(PYTHON), "-m", "celery", "-A", "revops_registry", "worker", "-B"]
    worker += ["--concurrency=2", "--loglevel=INFO", "--without-gossip", "--without-mingle"]
    children = [
        Child("web server", web, signal.SIGINT, environment),
        Child("worker", worker, signal.SIGTERM, environment),
    ]

    crashed = None
    told = False
    while not stopping and crashed is None:
        crashed = next((child for child in children if child.ended()), None)
        if not told and crashed is None:
            if answers(url):
                told = True
                say_welcome(url, company, time.monotonic() - began)
            elif time.monotonic() - began > ANSWER_SECONDS + 120:
                crashed = children[0]
        time.sleep(0.1)

    if crashed is not None:
        code = crashed.process.poll()
        ended = f"ended by itself (exit status {code})" if code is not None else "never answered"
        say(f"The {crashed.name} {ended}, so the rest is stopped too. Its last words:")
        say(crashed.last_words())
        say(f"All of them: {crashed.log}")
    else:
        say("\nStopping ...")
    deadline = time.monotonic() + STOP_SECONDS
    for child in children:
        child.ask_to_stop()
    for child in children:
        child.wait_or_kill(deadline)
    if crashed is not None:
        return 1
    say("Stopped.")
    return 0


def say_welcome(url: str, company: str, seconds: float) -> None:
    say(f"\nThe registry answers on {url}  (after {seconds:.1f} s)")
    if company == "demo":
        say("It is the demo company: the sign-in page offers its people with their password.")
    elif company == "none":
        say("It has no company yet: python3 start.py manage create_company --help")
    say(f"Logs: {state_dir() / 'log'}. Ctrl-C stops everything.")


# --- Tests, checks, manage -------------------------------------------------------------------


def pytest_arguments(given: Sequence[str]) -> list[str]:
    """What ``test`` adds: without a choice of one's own, no browser, and on two processes."""
    arguments = list(given)
    chosen = any(not word.startswith("-") or word.startswith(("-m", "-k")) for word in given)
    if not any(word.startswith("-m") or "browser" in word for word in given):
        arguments = ["-m", "not browser", *arguments]
    if not chosen and not any(word.startswith(("-n", "--numprocesses")) for word in given):
        arguments = ["-n", str(min(4, max(2, os.cpu_count() or 2))), "--dist=loadgroup", *arguments]
    return arguments


def command_test(arguments: Sequence[str]) -> int:
    sync_venv(DEV_REQUIREMENTS)
    ensure_pango()
    given = pytest_arguments(arguments)
    if "not browser" in given:
        say("Browser tests are left out; to run them: python3 start.py test -m browser")
    return subprocess.run([str(PYTHON), "-m", "pytest", *given], cwd=ROOT).returncode


def command_manage(arguments: Sequence[str]) -> int:
    sync_venv(RUN_REQUIREMENTS)
    ensure_pango()
    command = [str(PYTHON), "manage.py", *arguments]
    try:
        return subprocess.run(command, cwd=ROOT, env=product_environment()).returncode
    except KeyboardInterrupt:
        return 130


def checks(state: str) -> list[tuple[str, list[str], dict[str, str]]]:
    """Name, command and environment of each check; ``state`` is an empty directory."""
    python = str(PYTHON)
    bare = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    bare["STATE_DIR"] = state
    development = {**bare, "DEMO": "true"}
    # What a company would run with; the key is made up here and never used again.
    production = {
        **bare,
        "SECRET_KEY": secrets.token_urlsafe(64),
        "KEYS_SECRET": secrets.token_urlsafe(32),
        "PUBLIC_URL": "https://registry.example.com",
        "ALLOWED_HOSTS": "registry.example.com",
    }
    templates = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("templates/**/*.html"))
    # djade ends each file with a newline: a space, in a component that stands in a sentence.
    pages = [path for path in templates if "/components/" not in path]
    scripts = PYTHON.parent
    return [
        ("lint", [python, "-m", "ruff", "check", "."], development),
        ("format", [python, "-m", "ruff", "format", "--check", "."], development),
        ("types", [python, "-m", "mypy", "."], development),
        ("imports", [str(scripts / "lint-imports")], development),
        (
            "migrations",
            [python, "manage.py", "makemigrations", "--check", "--dry-run"],
            development,
        ),
        (
            "templates, tags",
            [str(scripts / "djade"), "--check", "--target-version", "5.2", *pages],
            development,
        ),
        (
            "templates, indentation",
            [python, "-m", "djhtml", "--check", "--tabwidth", "2", *templates],
            development,
        ),
        (
            "deployment settings",
            [python, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
            production,
        ),
        ("packages", [python, "-m", "pip", "check"], development),
    ]


def command_check(arguments: Sequence[str]) -> int:
    argparse.ArgumentParser(prog="start.py check").parse_args(arguments)
    sync_venv(DEV_REQUIREMENTS)

    def one(name: str, command: list[str], env: dict[str, str]) -> tuple[str, bool, float]:
        began = time.monotonic()
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            say(f"--- {name} ---\n{done.stdout.rstrip()}\n")
        return name, done.returncode == 0, time.monotonic() - began

    with (
        tempfile.TemporaryDirectory(prefix="registry-check-") as state,
        ThreadPoolExecutor(max_workers=2) as pool,
    ):
        outcomes = list(pool.map(lambda check: one(*check), checks(state)))
    for name, passed, seconds in outcomes:
        say(f"{'ok    ' if passed else 'FAILED'} {seconds:6.1f} s  {name}")
    return 0 if all(passed for _name, passed, _seconds in outcomes) else 1


COMMANDS = {
    "run": command_run,
    "test": command_test,
    "check": command_check,
    "manage": command_manage,
}


def main(arguments: Sequence[str]) -> int:
    if sys.version_info < (3, 11):  # noqa: UP036  # said in words where it is started with an older one
        say(f"Python 3.11 or newer is needed; this is {this_python()}. Try: python3.11 start.py")
        return 1
    first, *rest = arguments or ["run"]
    if first in ("-h", "--help", "help"):
        say(__doc__.strip())
        return 0
    if first.startswith("-"):
        first, rest = "run", list(arguments)
    command = COMMANDS.get(first)
    if command is None:
        say(f"There is no command {first!r}. There are: {', '.join(COMMANDS)}.")
        return 2
    try:
        return command(rest)
    except Trouble as trouble:
        say(str(trouble))
        return 1
    except KeyboardInterrupt:
        say("\nStopped.")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
