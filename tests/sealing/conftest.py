"""One company, one document, sealed once for all tests of this folder."""

import logging
from datetime import UTC, datetime

import pytest

from sealing import checkpoint, merkle, render, sign
from sealing import keys as company_keys
from sealing.log_statement import LogStatement

from .samples import boundary

SECRET = "a secret of the tests, long enough"
URL = "https://registry.example/verify?reference=NC-RB-4"
NAMES = {
    "CRO": ("Maya Lindqvist", "Chief Revenue Officer"),
    "COO": ("Daniel Osei", "Chief Operating Officer"),
    "CFO": ("Priya Raman", "Chief Financial Officer"),
    "CEO": ("Helen Marsh", "Chief Executive Officer"),
}


def approval(short, *, acting=False, reservation="", name=None):
    """Give the signature of an Office's holder."""
    holder, title = NAMES[short]
    return sign.ApprovalSignature(
        field=f"Sig_{short}",
        name=name or holder,
        office_title=title,
        office_short=short,
        acting=acting,
        meaning=f"I agree on behalf of the Office of the {short}",
        method="Password only",
        signed_at=datetime(2026, 12, 4, 14, 31, 5, tzinfo=UTC),
        reservation=reservation,
    )


def make_keys(directory, organisation="Northwind Cloud"):
    company_keys.create_keys(
        directory, secret=SECRET, organisation=organisation, country="US", now=datetime.now(UTC)
    )
    return company_keys.load_keys(directory, SECRET)


def statement(keys, size=4711):
    """What the log says of itself when the CEO signs."""
    root = merkle.root_of_leaves([merkle.leaf_hash(b"an event")])
    return LogStatement(checkpoint.make(keys.log, size, root), keys.log.certificate)


def seal_all(copy, keys):
    """Give every stage of sealing by name, in order, from "unsigned" to "closed"."""
    stages = {"unsigned": copy}
    stages["SEAL"] = pdf = sign.certify(copy, keys)
    stages["COO"] = pdf = sign.apply_signature(pdf, keys, approval("COO", acting=True))
    stages["CRO"] = pdf = sign.apply_signature(pdf, keys, approval("CRO"))
    reservation = "Row 4.2 only until the price book is signed."
    stages["CFO"] = pdf = sign.apply_signature(pdf, keys, approval("CFO", reservation=reservation))
    stages["CEO"] = pdf = sign.apply_signature(
        pdf, keys, approval("CEO"), last=True, log=statement(keys)
    )
    stages["closed"] = sign.timestamp_document(pdf, keys)
    return stages


@pytest.fixture(autouse=True)
def quiet_pyhanko():
    # it logs what a hostile file does to it, with a traceback each time
    logging.getLogger("pyhanko").setLevel(logging.CRITICAL)


@pytest.fixture(scope="session")
def pango():
    problem = render.weasyprint_problem()
    if problem:
        pytest.skip(problem)


@pytest.fixture(scope="session")
def keys_directory(tmp_path_factory):
    directory = tmp_path_factory.mktemp("keys")
    make_keys(directory)
    return directory


@pytest.fixture(scope="session")
def keys(keys_directory):
    return company_keys.load_keys(keys_directory, SECRET)


@pytest.fixture(scope="session")
def other_keys(tmp_path_factory):
    return make_keys(tmp_path_factory.mktemp("other"), "Another Company")


@pytest.fixture(scope="session")
def content():
    return boundary(functions=2)


@pytest.fixture(scope="session")
def copy(pango, content):
    return render.render_signing_copy(content, verification_url=URL)


@pytest.fixture(scope="session")
def stages(copy, keys):
    return seal_all(copy, keys)


@pytest.fixture(scope="session")
def closed(stages):
    return stages["closed"]


@pytest.fixture(scope="session")
def root(keys):
    return keys.root_fingerprint
