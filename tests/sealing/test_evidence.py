"""The evidence bundle: what an honest one proves, and what becomes of a changed one."""

import io
import itertools
import json
import random
import struct
import zipfile
from dataclasses import replace

import pytest

from sealing import bundle as bundles
from sealing import checkpoint, log_entry, merkle, verify
from sealing.bundling import LoggedEvent, SignatureRecord
from sealing.evidence import EvidenceVerdict, judge
from sealing.passkeys import assertion_problem

from .evidence_files import asserted, sealed_with_evidence


@pytest.fixture(scope="module")
def sealed(stages, content, keys):
    return sealed_with_evidence(stages, content, keys)


@pytest.fixture(scope="module")
def bundle(sealed):
    return sealed.bundle()


@pytest.fixture(scope="module")
def members(bundle):
    return bundles.unpack(bundle)


def zipped(members, way=zipfile.ZIP_STORED):
    """A ZIP of any members, twice the same name included."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", way) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, way)
    return out.getvalue()


def relisted(members, keys, **changed):
    """A bundle whose list of files was made anew, and signed, after its files were changed."""
    others = {name: data for name, data in members.items() if name != bundles.MANIFEST}
    return bundles.pack("NC-RB-4", others | changed, keys.log)


def said(found):
    return " ".join(found.sentences)


def test_an_honest_bundle_bears_the_file_out(sealed, bundle):
    found = sealed.judged(bundle)

    assert (found.kind, found.exit_status) == ("genuine", 0), said(found)
    assert all(check.ok for check in found.checks)
    told = " ".join(check.says for check in found.checks)
    for words in (
        "this very file",
        "files of the bundle are as the registry listed them",
        "The content is the one attached",
        "Each of 7 events is proven",
        "continues the one of 7 events that the file anchors",
        "COO: the passkey's assertion is of this text",
        "CRO: the log recorded this evidence (password and code)",
    ):
        assert words in told
    notes = " ".join(found.notes)
    assert "only the company's registry can say" in notes
    assert "CRO: signed by password and code. That it was Maya Lindqvist is the registry's" in notes


def test_the_same_facts_give_the_same_bytes(sealed, bundle):
    assert sealed.bundle() == bundle
    assert sealed.bundle(company="Another") != bundle


def test_the_judgement_survives_json(sealed, bundle):
    found = sealed.judged(bundle)
    assert EvidenceVerdict.from_dict(json.loads(json.dumps(found.as_dict()))) == found


def test_the_child_judges_the_file_first(sealed, bundle):
    found = verify.verify_bundle(sealed.pdf + b" ", bundle, root_fingerprint=sealed.root)
    assert (found.kind, found.checks) == ("altered", [])


def test_a_bundle_that_is_too_large_is_not_opened(sealed):
    data = bytes(bundles.MAX_BUNDLE_BYTES + 1)
    found = verify.verify_bundle(sealed.pdf, data, root_fingerprint=sealed.root)
    assert (found.kind, found.sentences[0]) == (
        "unverifiable",
        "The bundle is larger than 20 MB.",
    )


# --- Members changed, missing, added ------------------------------------------------------------


def test_every_member_dropped_or_changed_is_told(sealed, members):
    for name, data in members.items():
        rest = [(one, bytes_) for one, bytes_ in members.items() if one != name]
        dropped = sealed.judged(zipped(rest))
        assert dropped.kind == "incomplete", (name, said(dropped))
        assert name in said(dropped)
        changed = sealed.judged(zipped([*rest, (name, data[:-2] + b"x\n")]))
        assert changed.kind == "altered", (name, said(changed))
        emptied = sealed.judged(zipped([*rest, (name, b"")]))
        assert emptied.kind in {"altered", "incomplete"}, (name, said(emptied))


def test_every_two_members_swapped_are_told(sealed, members):
    for one, other in itertools.pairwise(members):
        swapped = members | {one: members[other], other: members[one]}
        if swapped == members:
            continue
        assert sealed.judged(zipped(swapped.items())).kind == "altered", (one, other)


def test_a_member_added_is_told(sealed, members):
    found = sealed.judged(zipped([*members.items(), ("signatures/09-Sig_CMO.json", b"{}")]))
    assert found.kind == "altered"
    assert "which its list does not name" in said(found)


def test_a_member_twice_is_refused(sealed, members):
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = zipped([*members.items(), (bundles.CONTENT, b"{}")])
    found = sealed.judged(data)
    assert found.kind == "unverifiable"
    assert "content.json twice" in said(found)


@pytest.mark.parametrize(
    "name",
    ["../evil", "/etc/passwd", "a/../../b", "a\\b", "C:evil", "log/", "ü", "a/b/c", "x" * 99],
)
def test_a_name_that_leads_elsewhere_is_refused(sealed, members, name):
    found = sealed.judged(zipped([*members.items(), (name, b"")]))
    assert found.kind == "unverifiable"
    assert "under a name that no bundle has" in said(found)


def test_a_bomb_is_not_unpacked(sealed, members):
    bomb = zipped([("README.txt", bytes(50_000_000))], zipfile.ZIP_DEFLATED)
    found = sealed.judged(bomb)
    assert (found.kind, len(bomb) < 100_000) == ("unverifiable", True)
    assert "more than any bundle holds" in said(found)


def test_a_bomb_that_lies_of_its_size_is_not_unpacked(sealed):
    bomb = bytearray(zipped([("README.txt", bytes(60_000_000))], zipfile.ZIP_DEFLATED))
    size = struct.pack("<I", 60_000_000)
    while size in bomb:
        at = bomb.index(size)
        bomb[at : at + 4] = struct.pack("<I", 10)
    assert sealed.judged(bytes(bomb)).kind in {"unverifiable", "altered"}


@pytest.mark.parametrize(
    "data", [b"PK", b"PK\x05\x06" + bytes(18), b"%PDF-1.7", bytes(1000), b"PK\x03\x04" * 100]
)
def test_what_is_no_bundle_cannot_be_verified(sealed, data):
    assert sealed.judged(data).kind in {"unverifiable", "incomplete"}


def test_bytes_flipped_anywhere_in_a_bundle_are_told_or_change_nothing(sealed, bundle):
    sample = random.Random(20261205)
    for _ in range(60):
        changed = bytearray(bundle)
        changed[sample.randrange(len(bundle))] ^= 1 << sample.randrange(8)
        found = sealed.judged(bytes(changed))
        if found.kind == "genuine":  # dates and the like, which a ZIP keeps beside its files
            assert bundles.unpack(bytes(changed)) == bundles.unpack(bundle)


def test_a_bundle_of_another_file_is_told(sealed, bundle, closed):
    verdict = verify.verify(closed, root_fingerprint=sealed.root)
    found = judge(closed, bundle, verdict, [sealed.root])
    assert found.kind == "altered"
    assert "another file than the one given" in said(found)


def test_of_a_file_that_is_not_genuine_the_bundle_says_nothing(sealed, bundle, stages):
    verdict = verify.verify(stages["CFO"], root_fingerprint=sealed.root)
    found = judge(stages["CFO"], bundle, verdict, [sealed.root])
    assert (found.kind, found.checks) == ("incomplete", [])
    assert "the file comes first" in said(found)


# --- Forged by somebody who can sign the list, as the registry's operator could -----------------


def test_content_swapped_with_its_list_is_told(sealed, members):
    found = sealed.judged(relisted(members, sealed.keys, **{bundles.CONTENT: b"{}"}))
    assert (found.kind, found.sentences) == (
        "altered",
        ["The bundle's content is not the one attached to the file."],
    )


def test_a_list_signed_by_other_keys_is_told(sealed, members, other_keys):
    found = sealed.judged(relisted(members, other_keys))
    assert found.kind == "altered"
    assert "list of files is not signed by the log's key" in said(found)
    swapped = relisted(
        members,
        other_keys,
        **{"certificates/log-01.pem": sealed.evidence.log_certificates[0].replace(b"M", b"N", 1)},
    )
    assert sealed.judged(swapped).kind == "altered"


def test_the_bundle_of_another_company_is_told(sealed, other_keys):
    from cryptography.hazmat.primitives.serialization import Encoding

    theirs = replace(sealed, keys=other_keys).bundle(
        root=other_keys.root_certificate.public_bytes(Encoding.PEM),
        log_certificates=[other_keys.log.certificate.public_bytes(Encoding.PEM)],
        checkpoint=checkpoint.make(other_keys.log, 39, bytes(32)),
    )
    found = sealed.judged(theirs)
    assert found.kind == "altered"
    assert "another fingerprint than the one given" in said(found)


def record(sealed, short):
    return next(one for one in sealed.evidence.signatures if one.short == short)


def with_record(sealed, short, **changed):
    """A bundle in which the evidence of one signature is another."""
    records = [
        replace(one, **changed) if one.short == short else one for one in sealed.evidence.signatures
    ]
    return sealed.bundle(signatures=records)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("content_sha256", "0" * 64, "it is of another text"),
        ("signing_copy_sha256", "0" * 64, "another file was opened"),
        ("person_name", "Somebody Else", "the file names another person"),
        ("offices", ["cmo"], "not given for this Office"),
        ("signed_at", "2026-12-05T00:00:00Z", "no event of the log tells of it"),
        ("meaning", "I agree to everything", "no event of the log tells of it"),
        ("person_id", 99, "no event of the log tells of it"),
        ("method", "qualified signature", "no event of the log tells of it"),
    ],
)
def test_evidence_that_was_changed_is_told(sealed, key, value, words):
    kept = {**record(sealed, "COO").evidence, key: value}
    found = sealed.judged(with_record(sealed, "COO", evidence=kept))
    assert found.kind == "altered"
    assert words in said(found)


@pytest.mark.parametrize(("key", "value"), [("office", "cfo"), ("role", "approver")])
def test_evidence_of_another_office_or_role_is_told(sealed, key, value):
    found = sealed.judged(with_record(sealed, "COO", **{key: value}))
    assert found.kind == "altered"
    assert "another Office or role" in said(found)


def test_a_signature_without_evidence_is_told(sealed):
    rest = [one for one in sealed.evidence.signatures if one.short != "CFO"]
    found = sealed.judged(sealed.bundle(signatures=rest))
    assert (found.kind, found.sentences) == (
        "incomplete",
        ["The bundle holds no evidence of the CFO's signature."],
    )


def test_evidence_of_a_signature_that_the_file_lacks_is_told(sealed):
    more = SignatureRecord("Sig_CMO", "CMO", "cmo", "cosigner", record(sealed, "COO").evidence)
    found = sealed.judged(sealed.bundle(signatures=[*sealed.evidence.signatures, more]))
    assert found.kind == "altered"
    assert "does not carry" in said(found)


def test_an_event_changed_or_left_out_is_told(sealed):
    events = list(sealed.evidence.events)
    other = replace(events[2], event={**events[2].event, "actor_name": "Somebody Else"})
    found = sealed.judged(sealed.bundle(events=[*events[:2], other, *events[3:]]))
    assert found.kind == "altered"
    assert "does not stand in the log so" in said(found)
    without = [one for one in events if one.event["event"] != "revision.sealed"]
    found = sealed.judged(sealed.bundle(events=without))
    assert (found.kind, found.sentences) == (
        "incomplete",
        ["No event of the log tells of the sealing of this file."],
    )
    without = [one for one in events if one.event["actor_id"] != 3]
    found = sealed.judged(sealed.bundle(events=without))
    assert found.kind == "altered"
    assert "COO's signature: no event of the log tells of it" in said(found)


def test_a_log_rewritten_since_does_not_continue_the_one_in_the_file(sealed, keys):
    """Who holds every key of the server can sign another log, but not the one in the file."""
    events = [dict(one.event) for one in sealed.evidence.events]
    events[0]["at"] = "2026-12-04T09:00:00.000000Z"
    leaves = [bytes(32), *(log_entry.leaf_of(one) for one in events)]
    tree = merkle.Tree(leaves)
    found = sealed.judged(
        sealed.bundle(
            events=[LoggedEvent(one, tree.inclusion_proof(one["sequence"] - 1)) for one in events],
            checkpoint=checkpoint.make(keys.log, tree.size, tree.root()),
            consistency=tree.consistency_proof(7),
        )
    )
    assert found.kind == "altered"
    assert found.sentences == ["The log is not a continuation of the one that the file anchors."]


def test_a_checkpoint_with_changed_words_is_told(sealed):
    changed = sealed.evidence.checkpoint.replace("\n39\n", "\n40\n")
    found = sealed.judged(sealed.bundle(checkpoint=changed))
    assert found.kind == "altered"
    assert "checkpoint does not hold" in said(found)


def test_a_root_that_replaced_the_given_one_must_be_given_too(sealed, other_keys):
    """As after a rotation: the file starts from the former root, the log's key from the new one."""
    from cryptography.hazmat.primitives.serialization import Encoding

    old, new = sealed.evidence.root, other_keys.root_certificate.public_bytes(Encoding.PEM)
    bundle = replace(sealed, keys=other_keys).bundle(
        root=new,
        retired_roots=[old],
        log_certificates=[
            other_keys.log.certificate.public_bytes(Encoding.PEM),
            *sealed.evidence.log_certificates,
        ],
    )
    found = sealed.judged(bundle)
    assert found.kind != "genuine"
    assert "The company has another root now" in said(found)
    both = [other_keys.root_fingerprint, sealed.root]
    assert judge(sealed.pdf, bundle, sealed.evidence.verdict, both).kind == "genuine"


def test_a_key_that_the_bundle_lists_as_compromised_counts_for_nothing(sealed, keys):
    from sealing.evidence import compromised_in
    from sealing.keys import fingerprint

    def listed(certificate):
        return {
            "certificate_sha256": fingerprint(certificate),
            "since": "2020-01-01T00:00:00+00:00",
            "reason": "stolen",
        }

    bundle = sealed.bundle(compromised=[listed(keys.log.certificate)])
    found = sealed.judged(bundle)
    assert found.kind == "altered"
    assert "not signed by the log's key" in said(found)
    bundle = sealed.bundle(compromised=[listed(keys.seal.certificate)])
    assert compromised_in(bundle)[0].reason == "stolen"
    done = verify.verify_bundle(sealed.pdf, bundle, root_fingerprint=sealed.root)
    assert done.kind == "unverifiable"
    assert "reports a key behind it as compromised" in said(done)
    assert compromised_in(b"no ZIP") == []


# --- Passkeys -----------------------------------------------------------------------------------


def relogged(sealed, short, change):
    """A bundle and log in which one signature's evidence is another from the beginning.

    The log of the file's own checkpoint is another then; what is looked at is the assertion.
    """
    kept = json.loads(json.dumps(record(sealed, short).evidence))
    change(kept)
    return assertion_problem(kept, role="approver" if short == "CEO" else "cosigner")


def answered(**more):
    def change(kept):
        kept["proof"] = asserted(kept, role="cosigner", **more)

    return change


def put(key, value):
    def change(kept):
        kept["proof"][key] = value

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda kept: None, ""),
        (answered(), ""),
        (answered(origin="https://www.registry.example"), ""),
        (answered(origin="https://evil.example"), "at another address"),
        (answered(origin="https://notregistry.example"), "at another address"),
        (answered(flags=0x01), "did not verify its user"),
        (answered(flags=0x04), "did not verify its user"),
        (answered(type="webauthn.create"), "another challenge"),
        (answered(challenge="AAAA"), "another challenge"),
        (answered(crossOrigin=True), "within another page"),
        (put("signature", "AAAA"), "signature does not hold"),
        (put("authenticator_data", "AAAA"), "belongs to another address"),
        (put("rp_id", "example"), "belongs to another address"),
        (put("origin", "https://evil.example"), "at another address"),
        (put("challenge_domain", "Another purpose\n"), "challenge of another kind"),
        (put("challenge_text", "{}"), "cannot be read"),
        (put("public_key", "AAAA"), "cannot be read"),
        (put("public_key", "AA"), "signature does not hold"),
        (put("client_data_json", 7), "cannot be read"),
        (lambda kept: kept.update(meaning="I agree to more"), "something else than what"),
        (lambda kept: kept.update(intent="0" * 64), "something else than what"),
        (lambda kept: kept.update(appointment_ids=[99]), "something else than what"),
        (lambda kept: kept.update(proof={}), "cannot be read"),
    ],
)
def test_an_assertion_counts_for_what_it_was_asked_only(sealed, change, words):
    found = relogged(sealed, "COO", change)
    assert (words in found) if words else found == ""


def test_an_assertion_of_a_cosigner_is_none_of_an_approver(sealed):
    kept = record(sealed, "COO").evidence
    assert "something else" in assertion_problem(kept, role="approver")


def test_another_key_in_the_place_of_the_passkeys_is_told(sealed):
    other = asserted(record(sealed, "COO").evidence, role="cosigner")
    found = relogged(sealed, "COO", put("public_key", other["public_key"]))
    assert found == "The passkey's signature does not hold."
