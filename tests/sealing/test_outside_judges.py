"""What tools that are not ours say of a file as rendered, certified and fully sealed.

Each test skips where its tool is missing; all they said is printed and kept in a report.
"""

import pytest

from . import outside_judges

STAGES = {"unsigned": 0, "SEAL": 1, "closed": 6}
FIELDS = ("Sig_SEAL", "Sig_CRO", "Sig_COO", "Sig_CFO", "Sig_CEO", "DocTimeStamp1")


def ask(tool, *arguments):
    said = outside_judges.ask(tool, *arguments)
    if said is None:
        pytest.skip(f"{tool} is not installed")
    return said


@pytest.fixture(scope="module")
def files(stages, tmp_path_factory):
    """The three files by stage."""
    folder = tmp_path_factory.mktemp("files")
    made = {}
    for stage in STAGES:
        made[stage] = folder / f"{stage}.pdf"
        made[stage].write_bytes(stages[stage])
    return made


@pytest.fixture
def closed_file(files):
    return str(files["closed"])


@pytest.fixture(scope="module")
def conformity(files, tmp_path_factory):
    """What veraPDF says of all three, asked once: Java takes seconds to start."""
    missing = outside_judges.missing_for_verapdf()
    if missing:
        pytest.skip(f"veraPDF cannot be asked without {', '.join(missing)}")
    return outside_judges.ask_verapdf(list(files.values()), tmp_path_factory.mktemp("classes"))


@pytest.mark.parametrize("profile", outside_judges.PROFILES)
@pytest.mark.parametrize("stage", STAGES)
def test_verapdf_finds_every_stage_conforming(conformity, stage, profile):
    found = conformity[f"{stage}.pdf"][profile]

    assert found.broken == []
    assert found.passed
    assert found.checks > 10_000


def test_verapdf_finds_a_fault_where_there_is_one(conformity, files, tmp_path):
    """It is asked rightly: a file without its claim of PDF/UA and PDF/A fails both."""
    broken = tmp_path / "broken.pdf"
    data = files["unsigned"].read_bytes()
    assert data.count(b"/MarkInfo") == 1
    broken.write_bytes(data.replace(b"/MarkInfo", b"/NarkInfo"))

    found = outside_judges.ask_verapdf([broken], tmp_path)["broken.pdf"]

    assert [one.passed for one in found.values()] == [False, False]
    assert all(one.broken for one in found.values())


@pytest.mark.parametrize("stage", STAGES)
def test_qpdf_finds_no_fault(files, stage):
    checked = ask("qpdf", "--check", str(files[stage]))

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "No syntax or stream encoding errors found" in checked.stdout


@pytest.mark.parametrize(("stage", "signatures"), STAGES.items())
def test_pdfsig_lists_the_valid_signatures_of_each_stage(files, stage, signatures):
    said = ask("pdfsig", str(files[stage])).stdout

    valid = said.count("Signature is Valid.")
    assert valid == min(signatures, 5)  # it counts no timestamp
    for field in FIELDS[:1] if stage == "SEAL" else FIELDS[:signatures]:
        assert f"Signature Field Name: {field}" in said
    if stage == "closed":
        assert said.count("Total document signed") == 1  # the timestamp, last, covers everything
    assert "invalid" not in said.lower()


def test_pdfinfo_finds_it_tagged_and_form_only(closed_file):
    said = ask("pdfinfo", closed_file).stdout

    assert "Tagged:          yes" in said
    assert "JavaScript:      no" in said


def test_what_they_said_is_kept(files, request, capsys):
    judged = {}
    if not outside_judges.missing_for_verapdf():
        judged = request.getfixturevalue("conformity")

    text = outside_judges.report(list(files.values()), judged)

    with capsys.disabled():
        print(f"\n{text}")  # noqa: T201 - for whoever reads what CI said
    assert outside_judges.REPORT.read_text(encoding="utf-8") == text
    assert [line.split(",")[0] for line in text.splitlines() if line.endswith(" bytes")] == [
        "unsigned.pdf", "SEAL.pdf", "closed.pdf",
    ]  # fmt: skip
