import pytest
from asn1crypto import core

from sealing import der


class Pair(core.Sequence):  # type: ignore[misc]  # asn1crypto ships no type information
    _fields = [("first", core.OctetString), ("second", core.OctetString)]


@pytest.mark.parametrize(
    ("header", "indefinite"),
    [
        ("3080", True),
        ("308180", False),
        ("30820280", False),
        ("307f", False),
        ("bf8a0180", True),  # a tag of three bytes
        ("a0820284 30820280", False),  # an explicit tag before the tag
        ("a080 3080", True),
    ],
)
def test_indefinite_lengths_are_told_from_definite_ones(header, indefinite):
    assert der.has_indefinite_length(bytes.fromhex(header)) is indefinite


def test_a_length_that_ends_in_80_is_not_encoded_anew(monkeypatch):
    data = Pair({"first": bytes(60), "second": bytes(64)}).dump()
    assert data[:3] == b"\x30\x81\x80"
    loaded = Pair.load(data)
    assert loaded["first"].native == bytes(60)  # parsed into its parts

    def never(self, force=False):
        raise AssertionError("encoded anew")

    monkeypatch.setattr(core.Sequence, "_set_contents", never)
    assert loaded.dump() == data


def test_a_change_is_still_encoded():
    loaded = Pair.load(Pair({"first": bytes(60), "second": bytes(64)}).dump())
    loaded["first"] = b"\x01"
    assert loaded.dump() == b"\x30\x45\x04\x01\x01\x04\x40" + bytes(64)


def test_an_indefinite_length_is_made_definite():
    loaded = Pair.load(b"\x30\x80\x04\x01a\x04\x01b\x00\x00")
    assert loaded.dump() == b"\x30\x06\x04\x01a\x04\x01b"
