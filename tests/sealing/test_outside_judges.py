"""What tools that are not ours say of a finished file; each skips where its tool is missing."""

import shutil
import subprocess

import pytest


def ask(tool, *arguments):
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    return subprocess.run([tool, *arguments], capture_output=True, text=True, timeout=60)


@pytest.fixture
def closed_file(closed, tmp_path):
    path = tmp_path / "closed.pdf"
    path.write_bytes(closed)
    return str(path)


def test_pdfsig_lists_five_valid_signatures_and_the_timestamp(closed_file):
    said = ask("pdfsig", closed_file).stdout

    assert said.count("Signature is Valid.") == 5
    for field in ("Sig_SEAL", "Sig_CRO", "Sig_COO", "Sig_CFO", "Sig_CEO", "DocTimeStamp1"):
        assert f"Signature Field Name: {field}" in said
    assert said.count("Total document signed") == 1  # the timestamp, last, covers everything
    assert "invalid" not in said.lower()


def test_qpdf_finds_no_fault(closed_file):
    checked = ask("qpdf", "--check", closed_file)

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "No syntax or stream encoding errors found" in checked.stdout


def test_pdfinfo_finds_it_tagged_and_form_only(closed_file):
    said = ask("pdfinfo", closed_file).stdout

    assert "Tagged:          yes" in said
    assert "JavaScript:      no" in said
