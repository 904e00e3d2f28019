"""Rules of the house that no other check holds."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_imports_go_down_only():
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports")],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def test_requirements_are_hashed_and_name_no_registry():
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text()
        assert not re.search(r"https?://|--index-url|--extra-index-url|--find-links", text)
        requirements = re.split(r"\n(?=\S)", text.strip())
        assert len(requirements) > 40
        assert [one for one in requirements if "--hash=sha256:" not in one] == []


def test_running_needs_nothing_that_testing_has_otherwise():
    """start.py takes an environment made for tests as one that can run the product."""
    run = set(re.findall(r"^\S+==\S+", (ROOT / "requirements.txt").read_text(), re.M))
    dev = set(re.findall(r"^\S+==\S+", (ROOT / "requirements-dev.txt").read_text(), re.M))
    assert run - dev == set()
