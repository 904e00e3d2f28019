import subprocess
import sys
import textwrap
import time

import pytest

from sealing import limits
from sealing.errors import ChildFailed

MODULE = """
import sys, time
sys.path.insert(0, {root!r})
from sealing import limits
from sealing.errors import SealingError

def answer(request):
    if request == b"echo":
        print("chatter")
        return b"echo"
    if request == b"environment":
        import os
        return repr(sorted(os.environ)).encode()
    if request == b"memory":
        return bytes(bytearray(4_000_000_000))
    if request == b"cpu":
        while True:
            pass
    if request == b"refuse":
        raise SealingError("not like this")
    if request == b"die":
        import os
        os._exit(3)
    raise KeyError("x")

limits.serve(lambda: None, answer)
"""


@pytest.fixture
def child(tmp_path, monkeypatch):
    root = str(limits._ROOT)
    (tmp_path / "probe_child.py").write_text(textwrap.dedent(MODULE.format(root=root)))
    monkeypatch.setattr(limits, "_ROOT", tmp_path)
    made = limits.Child("probe_child", cpu_seconds=1, memory_bytes=500_000_000)
    yield made
    made.cool_down()


def test_a_child_answers_and_its_chatter_is_kept_out(child):
    assert child.ask(b"echo", wall_seconds=10) == b"echo"


def test_a_child_does_not_see_secrets(child, monkeypatch):
    monkeypatch.setenv("KEYS_SECRET", "s")
    monkeypatch.setenv("DATABASE_URL", "d")
    seen = child.ask(b"environment", wall_seconds=10).decode()
    assert "PATH" in seen
    assert "KEYS_SECRET" not in seen
    assert "DATABASE_URL" not in seen


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (b"memory", "more memory than allowed"),
        (b"cpu", "more CPU time than allowed"),
        (b"refuse", "not like this"),
        (b"die", "status 3"),
        (b"other", "KeyError"),
    ],
)
def test_a_child_that_fails_says_why(child, request_, words):
    with pytest.raises(ChildFailed, match=words):
        child.ask(request_, wall_seconds=20)


def test_a_child_is_ended_when_its_time_is_up(child):
    started = time.monotonic()
    with pytest.raises(ChildFailed, match=r"longer than 0\.3 s"):
        child.ask(b"cpu", wall_seconds=0.3)
    assert time.monotonic() - started < 3


def test_a_spare_child_is_used_once_and_replaced(child):
    child.warm_up()
    _, first = child._spare
    assert child.ask(b"echo", wall_seconds=10) == b"echo"
    assert first.poll() is not None
    assert child._spare[1] is not first
    assert child.ask(b"echo", wall_seconds=10) == b"echo"


def test_a_spare_child_of_another_process_is_left_alone(child, monkeypatch):
    child.warm_up()
    _, process = child._spare
    child._spare = (-1, process)  # as after a fork
    try:
        assert child.ask(b"echo", wall_seconds=10) == b"echo"
        assert process.poll() is None
    finally:
        limits._end(process)


def test_a_spare_child_ends_with_its_parent():
    code = (
        "from sealing.render import child\n"
        "child.warm_up()\n"
        "print(child._spare[1].pid, flush=True)\n"
        "import os; os._exit(0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=limits._ROOT
    )
    pid = int(done.stdout)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        state = subprocess.run(
            ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True
        )
        if not state.stdout.strip() or state.stdout.startswith("Z"):
            return
        time.sleep(0.1)
    pytest.fail("the spare child lives on without its parent")
