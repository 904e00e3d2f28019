"""The verifier as a stranger runs it: one file, no registry, no settings, no network."""

import io
import json
import os
import subprocess
import sys
import zipfile

import pytest

from sealing import verifier

from .evidence_files import sealed_with_evidence

# Python runs this before anything else, in the verifier and in its child.
GUARD = """
import sys

def refuse(event, arguments):
    if event in {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"}:
        raise RuntimeError("the verifier went to the network")
    if event == "import" and arguments[0].split(".")[0] in {
        "django", "revops_registry", "boundaries", "audit", "people", "sqlite3", "psycopg"
    }:
        raise RuntimeError(f"the verifier imported {arguments[0]}")

sys.addaudithook(refuse)
"""


@pytest.fixture(scope="module")
def sealed(stages, content, keys):
    return sealed_with_evidence(stages, content, keys)


@pytest.fixture(scope="module")
def abroad(tmp_path_factory, sealed):
    """A folder on a stranger's machine with the three files that they were given."""
    folder = tmp_path_factory.mktemp("abroad")
    (folder / "guard").mkdir()
    (folder / "guard" / "sitecustomize.py").write_text(GUARD)
    (folder / "verifier.pyz").write_bytes(verifier.verifier_archive())
    (folder / "NC-RB-4.pdf").write_bytes(sealed.pdf)
    (folder / "NC-RB-4-evidence.zip").write_bytes(sealed.bundle())
    return folder


def run(folder, *arguments):
    environment = {"PATH": os.defpath, "PYTHONPATH": str(folder / "guard")}
    return subprocess.run(
        [sys.executable, "verifier.pyz", *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_stranger_verifies_file_and_bundle_with_one_file(abroad, sealed):
    given = ("NC-RB-4.pdf", "--root", sealed.root, "--bundle", "NC-RB-4-evidence.zip")
    done = run(abroad, *given, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert (found["kind"], found["standing"]) == ("genuine", "unknown")
    assert found["verdict"]["reference"] == "NC-RB-4"
    assert all(check["ok"] for check in found["checks"])


def test_the_words_of_the_command_say_what_holds_and_what_is_unknown(abroad, sealed):
    (abroad / "other.zip").write_bytes(sealed.bundle(signatures=sealed.evidence.signatures[1:]))
    done = run(abroad, "NC-RB-4.pdf", "--root", sealed.root, "--bundle", "other.zip")
    assert done.returncode == 1
    assert done.stdout.startswith("The file is genuine, but its evidence is not complete\n")
    assert "FAILS  The bundle holds no evidence of the COO's signature." in done.stdout
    assert "holds  The bundle is of this very file." in done.stdout


def test_the_guard_would_tell(abroad):
    """Were it not in force, the tests above would prove nothing."""
    for what in ("import django", "import socket; socket.create_connection(('192.0.2.1', 9))"):
        done = subprocess.run(
            [sys.executable, "-c", what],
            cwd=abroad, env={"PYTHONPATH": str(abroad / "guard")}, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert "RuntimeError: the verifier" in done.stderr


def test_the_same_source_gives_the_same_verifier():
    made = verifier.verifier_archive()
    verifier.verifier_archive.cache_clear()
    assert verifier.verifier_archive() == made
    names = zipfile.ZipFile(io.BytesIO(made)).namelist()
    assert {"__main__.py", "sealing/verify.py", "sealing/verify_child.py"} <= set(names)
