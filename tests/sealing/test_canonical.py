import pytest

from sealing import canonical
from sealing import content as canonical_content
from sealing.errors import ContentInvalid


def test_canonical_json_does_not_depend_on_key_order():
    assert canonical.canonical_json({"b": 1, "a": "é"}) == '{"a":"é","b":1}'.encode()


@pytest.mark.parametrize("value", [float("nan"), 2**53, {1: "x"}])
def test_canonical_json_refuses_what_json_cannot_hold(value):
    with pytest.raises(ValueError):
        canonical.canonical_json(value)


def test_fingerprint_is_grouped_for_reading():
    assert canonical.grouped(canonical.sha256_hex(b"")).startswith("e3b0 c442 98fc")


def test_signatories_are_the_parties_and_then_the_approver(content):
    found = canonical_content.signatories(content)
    assert [s.field for s in found] == ["Sig_CRO", "Sig_COO", "Sig_CFO", "Sig_CEO"]
    assert [s.approver for s in found] == [False, False, False, True]


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "other/1"},
        {"parties": []},
        {"parties": [{"office": "x", "title": "X", "short": "CEO"}]},
        {"parties": [{"office": "x", "title": "X", "short": "Seal"}]},
        {"parties": [{"office": "x", "title": "X", "short": "日本"}]},
        {"approver": None},
    ],
    ids=["schema", "no parties", "two of a name", "name of the seal", "no field name", "no CEO"],
)
def test_signatories_refuse_content_that_names_them_badly(content, change):
    with pytest.raises(ContentInvalid):
        canonical_content.signatories({**content, **change})


@pytest.mark.parametrize("reference", ["", "../x", "a b", "x" * 65])
def test_reference_must_be_fit_for_a_file_name(content, reference):
    with pytest.raises(ContentInvalid):
        canonical_content.reference({**content, "revision": {"reference": reference}})
