"""One-shot child processes with limits on wall time, CPU time and memory.

A child reads one request from standard input, answers on standard output and ends, so that a
document that makes a library run wild costs one process and never a worker. `subprocess` is used
rather than `multiprocessing` because Celery's workers are daemonic and may not have children of
the latter kind.
"""

from __future__ import annotations

import contextlib
import gc
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from sealing.errors import ChildFailed

# A child sees neither the secret of the keys nor the database's address.
_PASSED_ON = (
    "PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT",
    "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "XDG_CACHE_HOME",
    "WEASYPRINT_DLL_DIRECTORIES", "VIRTUAL_ENV", "PYTHONPATH",
)  # fmt: skip
_ROOT = Path(__file__).resolve().parent.parent  # a folder, or verifier.pyz
_OK = b"ok\n"
_REFUSED = b"refused\n"


class Child:
    """A module run as `python -m MODULE`, one process for each request."""

    def __init__(
        self,
        module: str,
        *,
        cpu_seconds: int,
        memory_bytes: int,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._module = module
        self._environment = dict(environment or {})
        self._arguments = [str(cpu_seconds), str(memory_bytes)]
        self._spare: tuple[int, subprocess.Popen[bytes]] | None = None
        self._keep_spare = False
        self._lock = threading.Lock()

    def warm_up(self) -> None:
        """Keep one child started ahead, with its libraries loaded, from now on in this process.

        For workers that will render or judge soon: it hides the 1 s that the imports cost. The
        spare ends by itself when this process ends, because its standard input closes.
        """
        with self._lock:
            self._keep_spare = True
            if self._spare is None or self._spare[0] != os.getpid():
                self._spare = (os.getpid(), self._start())

    def cool_down(self) -> None:
        """End the spare child, if this process has one."""
        with self._lock:
            self._keep_spare = False
            spare, self._spare = self._spare, None
        if spare is not None and spare[0] == os.getpid():
            _end(spare[1])

    def ask(self, request: bytes, *, wall_seconds: float) -> bytes:
        """Give the child's answer to `request`; ChildFailed says why there is none."""
        process = self._take()
        try:
            answer, trouble = process.communicate(request, timeout=wall_seconds)
        except subprocess.TimeoutExpired:
            raise ChildFailed(f"it took longer than {wall_seconds:g} s") from None
        except OSError as error:
            raise ChildFailed(f"its process could not be reached ({error})") from error
        finally:
            _end(process)
            # only now: its imports would have taken half the core from the answer
            self._start_spare()
        if answer.startswith(_OK):
            return answer[len(_OK) :]
        if answer.startswith(_REFUSED):
            raise ChildFailed(answer[len(_REFUSED) :].decode("utf-8", "replace"))
        raise ChildFailed(_reason(process.returncode, trouble))

    def _take(self) -> subprocess.Popen[bytes]:
        with self._lock:
            spare, self._spare = self._spare, None
            process = None
            if spare is not None and spare[0] == os.getpid():  # not one inherited by a fork
                process = spare[1] if spare[1].poll() is None else None
            return process or self._start()

    def _start_spare(self) -> None:
        with self._lock:
            if self._keep_spare and self._spare is None:
                self._spare = (os.getpid(), self._start())

    def _start(self) -> subprocess.Popen[bytes]:
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        # set and dictionary order must not depend on the process
        environment |= {"PYTHONHASHSEED": "0", "PYTHONIOENCODING": "utf-8"} | self._environment
        if not _ROOT.is_dir():
            paths = [str(_ROOT), environment.get("PYTHONPATH", "")]
            environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
        return subprocess.Popen(  # noqa: S603 - this interpreter and a module of ours
            [sys.executable, "-m", self._module, *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=_ROOT if _ROOT.is_dir() else _ROOT.parent,
            env=environment,
            start_new_session=True,  # Ctrl-C at a terminal is for the parent to handle
        )


def serve(prepare: Callable[[], None], answer: Callable[[bytes], bytes]) -> None:
    """Be the child: take the limits, load libraries, answer one request from standard input.

    `answer` raises SealingError for what the caller should read; everything else becomes the
    name of the exception. An empty request (the parent went away) ends the child in silence.
    """
    from sealing.errors import SealingError

    cpu_seconds, memory_bytes = int(sys.argv[1]), int(sys.argv[2])
    _limit(cpu_seconds, memory_bytes)
    # whatever a library prints must not end up in the answer
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)
        prepare()
        # It lives for one request: looking for cycles among objects that all stay until the end
        # took a fifth of a rendering.
        gc.disable()
        request = sys.stdin.buffer.read()
        if not request:
            return
        try:
            out.write(_OK + answer(request))
        except SealingError as error:
            out.write(_REFUSED + str(error).encode())
        except MemoryError:
            out.write(_REFUSED + b"it needed more memory than allowed")
        except Exception as error:
            out.write(_REFUSED + f"{type(error).__name__}: {error}"[:300].encode())


def _limit(cpu_seconds: int, memory_bytes: int) -> None:
    try:
        import resource
    except ImportError:  # Windows: the wall clock alone limits the child
        return
    # Some systems (macOS) refuse RLIMIT_AS; the other limits still hold.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
    process.wait()
    stream: IO[bytes] | None
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()


def _reason(status: int, trouble: bytes) -> str:
    lines = trouble.decode("utf-8", "replace").strip().splitlines()
    last = lines[-1][:300] if lines else "no message"
    if "MemoryError" in last:
        return "it needed more memory than allowed"
    if status in (-24, -9):  # SIGXCPU, and the kernel's SIGKILL one second later
        return "it needed more CPU time than allowed"
    return f"its process ended with status {status}: {last}"
