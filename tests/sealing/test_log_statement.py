"""The checkpoint that the approver's signature carries out of the database's reach."""

import dataclasses

import pytest
from asn1crypto import cms

from sealing import checkpoint, sign
from sealing.log_statement import LogStatement
from sealing.verify import verify

from .conftest import approval, statement


def test_a_sealed_file_gives_its_checkpoint_back(closed, keys, root):
    verdict = verify(closed, root_fingerprint=root)

    assert verdict.kind == "genuine"
    assert verdict.checkpoint == statement(keys).note
    assert checkpoint.verify(verdict.checkpoint, keys.log.verifier).size == 4711
    assert verdict.log_certificate.startswith("-----BEGIN CERTIFICATE-----")


def test_a_file_that_awaits_its_timestamp_gives_it_too_and_an_earlier_one_has_none(stages, root):
    assert verify(stages["CEO"], root_fingerprint=root).kind == "incomplete"
    assert verify(stages["CEO"], root_fingerprint=root).checkpoint
    assert verify(stages["CFO"], root_fingerprint=root).checkpoint == ""


def test_a_file_without_a_checkpoint_stays_genuine(stages, keys, root):
    signed = sign.apply_signature(stages["CFO"], keys, approval("CEO"), last=True)
    verdict = verify(sign.timestamp_document(signed, keys), root_fingerprint=root)

    assert (verdict.kind, verdict.checkpoint, verdict.log_certificate) == ("genuine", "", "")


def test_a_checkpoint_of_another_company_or_with_changed_words_is_told(
    stages, keys, other_keys, root
):
    honest = statement(keys)
    for forged, words in (
        (statement(other_keys), "not of this company"),
        (dataclasses.replace(honest, certificate=keys.seal.certificate), "not that of a log"),
        (dataclasses.replace(honest, note=honest.note.replace("4711", "4712")), "does not hold"),
    ):
        signed = sign.apply_signature(stages["CFO"], keys, approval("CEO"), last=True, log=forged)
        verdict = verify(signed, root_fingerprint=root)
        assert verdict.kind == "altered"
        assert any(words in sentence for sentence in verdict.sentences)
        assert verdict.checkpoint == ""


def test_several_or_unreadable_statements_are_refused(keys):
    one = statement(keys).attribute()
    twice = cms.CMSAttributes([one, one])
    with pytest.raises(checkpoint.CheckpointInvalid, match="several"):
        LogStatement.from_attributes(twice)
    broken = cms.CMSAttributes(
        [cms.CMSAttribute({"type": one["type"], "values": [cms.OctetString(b"x")]})]
    )
    with pytest.raises(checkpoint.CheckpointInvalid, match="cannot be read"):
        LogStatement.from_attributes(broken)
    assert LogStatement.from_attributes(cms.CMSAttributes([])) is None
