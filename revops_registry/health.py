"""GET /healthz: the process answers. GET /readyz: each part that the product needs works."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from audit import checking
from audit.verify import readiness_faults
from boundaries import late
from sealing import keys, render

from .celery import app
from .tasks import HEARTBEAT_KEY

PART_SECONDS = 4.0  # a part that says nothing for so long is not ready
HEARTBEAT_SECONDS = 60.0  # a worker that was last heard of longer ago is not there
REUSE_SECONDS = 2.0  # an open address must not let strangers keep the database busy


class NotReady(Exception):
    """A part does not work; the text says what, without secrets."""


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return connection.vendor


def _migrations() -> str:
    known = set(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)
    pending = known - set(MigrationRecorder(connection).applied_migrations())
    if pending:
        raise NotReady(f"{len(pending)} not applied; run manage migrate")
    return "all applied"


def _broker() -> str:
    # A connection of its own: a shared one may be alive in memory and dead on the wire.
    with app.connection_for_write(connect_timeout=2) as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, timeout=2)
        with broker.channel():
            return str(broker.transport.driver_type)


def worker_is_alive() -> bool:
    """Whether a worker was heard of within the last minute."""
    try:
        _worker()
    except NotReady:
        return False
    return True


def _worker() -> str:
    beat: float | None = cache.get(HEARTBEAT_KEY)
    if beat is None:
        raise NotReady("no worker has been heard of")
    age = timezone.now().timestamp() - beat
    if age > HEARTBEAT_SECONDS:
        raise NotReady(f"last heard of {age:.0f} s ago")
    return f"heard of {max(0.0, age):.0f} s ago"


def _keys() -> str:
    problems = keys.key_problems(
        settings.KEYS_DIR, settings.KEYS_SECRET, timezone.now(), token=settings.SEAL_TOKEN
    )
    if problems:
        raise NotReady("; ".join(problems))
    return "present, matching, not near expiry"


def _pdf() -> str:
    problem = render.weasyprint_problem()
    if problem:
        raise NotReady(problem)
    return "libraries found"


def _log() -> str:
    faults = readiness_faults()
    if faults:
        raise NotReady("; ".join(faults))
    return "triggers and head in place"


def _checkpoints() -> str:
    faults = checking.readiness_faults(at=timezone.now())
    if faults:
        raise NotReady("; ".join(faults))
    return "the log continues what was signed"


def _seals() -> str:
    """Told, not counted against the part: pages serve on, and mails have gone out already."""
    count = late.late_count(at=timezone.now())
    if not count:
        return "none overdue"
    return f"{count} overdue for more than {late.LATE.seconds // 60} minutes; see manage reseal"


PARTS: dict[str, Callable[[], str]] = {
    "database": _database,
    "migrations": _migrations,
    "broker": _broker,
    "worker": _worker,
    "keys": _keys,
    "pdf": _pdf,
    "log": _log,
    "checkpoints": _checkpoints,
    "seals": _seals,
}


@dataclass(frozen=True)
class Part:
    """Whether one part works, and in words how."""

    ok: bool
    detail: str


def readiness() -> dict[str, Part]:
    """Ask every part at once; none may hold up the answer longer than ``PART_SECONDS``."""
    found: dict[str, Part] = {}

    def ask(name: str, part: Callable[[], str]) -> None:
        try:
            found[name] = Part(True, part())
        except NotReady as reason:
            found[name] = Part(False, str(reason))
        except Exception as error:
            # Whatever fails is an answer here; its text may hold an address or a password.
            found[name] = Part(False, f"failed: {type(error).__name__}")
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=ask, args=item, daemon=True, name=f"readyz-{item[0]}")
        for item in PARTS.items()
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + PART_SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    late = Part(False, f"no answer within {PART_SECONDS:.0f} s")
    return {name: found.get(name, late) for name in PARTS}


class _Recent:
    """The last answer of this process, given again for ``REUSE_SECONDS``."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parts: dict[str, Part] = {}
        self._until = 0.0

    def get(self) -> dict[str, Part]:
        with self._lock:
            if time.monotonic() >= self._until:
                self._parts = readiness()
                self._until = time.monotonic() + REUSE_SECONDS
            return self._parts

    def forget(self) -> None:
        with self._lock:
            self._until = 0.0


recent = _Recent()


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers; asks nothing of database or broker."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when every part works, else 503; JSON ``{"status", "parts": {name: {ok, detail}}}``."""
    parts = recent.get()
    ready = all(part.ok for part in parts.values())
    body: dict[str, Any] = {
        "status": "ready" if ready else "not ready",
        "parts": {name: {"ok": part.ok, "detail": part.detail} for name, part in parts.items()},
    }
    return JsonResponse(body, status=200 if ready else 503)
