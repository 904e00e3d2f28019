"""Files judged long after: certificates of an hour, the seal's and the root's have all expired."""

import asyncio
import io
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESPassed
from pyhanko.sign.validation.ades import simulate_future_ades_lta_validation
from pyhanko.sign.validation.policy_decl import (
    PdfSignatureValidationSpec,
    SignatureValidationSpec,
)
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import (
    CertRevTrustPolicy,
    RevocationCheckingPolicy,
    RevocationCheckingRule,
)
from pyhanko_certvalidator.registry import SimpleTrustManager

from sealing.judge import LEVEL
from sealing.timestamps import as_asn1
from sealing.verify import verify

NOW = datetime.now(UTC)
YEARS = (1, 20, 21)


@pytest.mark.parametrize("years", YEARS)
@pytest.mark.parametrize("stage", ["closed", "CFO"])
def test_a_file_is_judged_the_same_years_later(stages, keys, root, years, stage):
    expected = verify(stages[stage], root_fingerprint=root)
    then = NOW + timedelta(days=366 * years)
    if years > 20:
        assert keys.root_certificate.not_valid_after_utc < then

    given = verify(stages[stage], root_fingerprint=root, at=then)
    with time_machine.travel(then, tick=False):  # also for what pyHanko takes for now
        travelled = verify(stages[stage], root_fingerprint=root)

    assert given.kind == travelled.kind == ("genuine" if stage == "closed" else "incomplete")
    for later in (given, travelled):
        assert later.signatures == expected.signatures
        assert later.sentences == expected.sentences


@pytest.mark.parametrize("years", YEARS)
def test_a_change_is_found_years_later_too(closed, root, years):
    with time_machine.travel(NOW + timedelta(days=366 * years), tick=False):
        middle = len(closed) // 3
        changed = closed[:middle] + bytes([closed[middle] ^ 1]) + closed[middle + 1 :]
        assert verify(changed, root_fingerprint=root).kind == "altered"
        assert verify(closed + b"\n", root_fingerprint=root).kind == "altered"


# --- Long-term archiving ----------------------------------------------------------------------


@pytest.fixture
def by_our_root(keys):
    """ETSI's validation of a PDF signature: our root, revocation data of the file alone."""
    required = RevocationCheckingRule.CRL_REQUIRED
    policy = CertValidationPolicySpec(
        trust_manager=SimpleTrustManager.build([as_asn1(keys.root_certificate)]),
        revinfo_policy=CertRevTrustPolicy(
            RevocationCheckingPolicy(
                ee_certificate_rule=required, intermediate_ca_cert_rule=required
            )
        ),
    )
    return PdfSignatureValidationSpec(SignatureValidationSpec(cert_validation_policy=policy))


@pytest.mark.parametrize("years", [1, 5, 8])
def test_a_file_can_be_archived_with_what_it_carries(closed, by_our_root, years):
    """Were its timestamps renewed in time, each signature would validate then (B-LTA)."""
    reader = PdfFileReader(io.BytesIO(closed))
    then = datetime.now(UTC) + timedelta(days=366 * years)

    for signature in reader.embedded_regular_signatures:
        found = asyncio.run(simulate_future_ades_lta_validation(signature, by_our_root, then))
        assert found.ades_subindic == AdESPassed.OK, (signature.field_name, found.failure_msg)


def test_no_archival_level_is_claimed(closed, root):
    """Renewing timestamps is nobody's task here, so the file is called what it is."""
    verdict = verify(closed, root_fingerprint=root)

    assert verdict.level == LEVEL == "PAdES B-LT, closed by a document timestamp"
